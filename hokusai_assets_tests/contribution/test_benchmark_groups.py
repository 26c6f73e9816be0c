"""Groups: none is both trained on and scored, and nothing of that tells a contributor which."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.contribution.benchmark_groups import among, groups_of, rows_in_common, without
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.storing import REMOVED
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.records import CleaningCounts
from hokusai_assets.tables import read_table

AUTHOR = {"name": "author", "type": "category", "role": "group", "nullable": True}
NAMES = st.sampled_from([None, "ann", "bob", "cid", "dee"])


@pytest.fixture
def grouped(make_task):
    """A task whose rows have an author."""

    def make(**sections):
        return make_task(
            [
                {"name": "key", "type": "text", "role": "id"},
                {"name": "note", "type": "text"},
                {"name": "weight", "type": "number"},
                AUTHOR,
                {"name": "label", "type": "category", "role": "target"},
            ],
            **sections,
        )

    return make


@pytest.fixture
def by(rows):
    """Rows that differ in everything, of the authors given, in turn."""

    def make(prefix, *authors):
        told = rows(len(authors), prefix)
        return [row | {"author": author} for row, author in zip(told, authors, strict=True)]

    return make


@pytest.fixture
def clean(tmp_path, write, source, grouped, reference, by):
    """Clean some contributions against base rows of ann and benchmark rows of ann, bob and none."""
    made = 0

    def run(*files, task=None, sample=lambda table, task: table):
        nonlocal made
        made += 1
        task = task or grouped()
        base, benchmark = reference(
            task, by("b", "ann", "ann", None), by("m", "ann", "bob", "bob", None), sample=sample
        )
        sources = [
            source(write(tmp_path / f"{made}-{place}.csv", lines), f"sender{place}")
            for place, lines in enumerate(files)
        ]
        folder = tmp_path / f"cleaned{made}"
        found = clean_contributions(sources, task, base, benchmark, key=b"key", folder=str(folder))
        return found, base, benchmark

    return run


def authors(dataset):
    return sorted(read_table(dataset.folder).column("author").to_pylist(), key=str)


def removed(dataset):
    told = pq.read_table(f"{dataset.folder}/{REMOVED}").to_pylist()
    return sorted((row["contribution"], row["row"], row["reason"]) for row in told)


def test_groups_of_base_leave_the_benchmark_and_those_of_the_benchmark_the_contribution(clean, by):
    lines = by("c", "ann", "bob", "cid", None, "bob", "Bob")
    found, _, benchmark = clean(lines)
    assert authors(benchmark) == [None, "bob", "bob"]
    assert (benchmark.left_out_exact, benchmark.left_out_group, benchmark.sampled_from) == (0, 1, 3)
    # More of ann, who is in base and no longer scored, is welcome; a row of nobody is nobody's.
    assert authors(found) == ["Bob", None, "ann", "cid"]
    (part,) = found.contributions
    assert part.counts == CleaningCounts(read=6, benchmark_group=2, kept=4)
    assert part.manifest.row_count == 4
    assert removed(found) == [(0, 2, "benchmark_group"), (0, 5, "benchmark_group")]


def test_a_benchmark_row_has_leaked_whatever_its_group(clean, by):
    """Exact, edited and near ones; they do not pass for rows of a scored group."""
    leaked = by("m", "ann", "bob", "bob", None)
    edited = leaked[1] | {"key": "e", "note": "M  note 1!"}
    long = " ".join(f"word{i}" for i in range(30))
    found, _, _ = clean([leaked[1], edited, leaked[2] | {"author": "zoe"}, *by("c", "cid", "bob")])
    counts = found.contributions[0].counts
    assert (counts.leaked_exact, counts.leaked_normalised, counts.benchmark_group) == (2, 1, 1)
    assert found.leaked_share == (3, 4)
    assert long not in str(found)


def test_a_near_row_of_a_scored_group_has_leaked(tmp_path, write, source, grouped, reference, by):
    text = " ".join(f"word{i}" for i in range(30))
    base, benchmark = reference(
        grouped(), by("b", "ann"), [by("m", "bob")[0] | {"note": text, "weight": 0.5}]
    )
    near = by("c", "bob")[0] | {"note": text.replace("word7", "other"), "weight": 0.5}
    path = write(tmp_path / "c.csv", [near, *by("d", "cid", "bob", "dee")])
    found = clean_contributions(
        [source(path)], grouped(), base, benchmark, key=b"key", folder=str(tmp_path / "out")
    )
    counts = found.contributions[0].counts
    assert (counts.leaked_near, counts.benchmark_group, counts.kept) == (1, 1, 2)
    assert removed(found) == [(0, 1, "leaked_near"), (0, 3, "benchmark_group")]
    assert authors(found) == ["cid", "dee"]


def test_rows_that_were_not_sampled_have_a_group_too(clean, by):
    """Which of its rows a benchmark scores must not decide whose rows are paid for."""
    without_bob = clean(
        by("c", "bob", "cid"),
        sample=lambda table, _: table.filter(pa.array([a is None for a in authors_of(table)])),
    )
    assert authors(without_bob[2]) == [None]
    assert without_bob[0].contributions[0].counts.benchmark_group == 1


def authors_of(table):
    return table.column("author").to_pylist()


def test_each_contribution_loses_its_own_rows_and_repeats_count_first(clean, by):
    first = by("c", "bob", "cid", "cid")
    second = [*by("c", "bob", "cid"), *by("d", "bob", "eve")]
    found, _, _ = clean([*first, first[0] | {"key": "again"}], second)
    one, two = (c.counts for c in found.contributions)
    assert (one.duplicates_within, one.benchmark_group, one.kept) == (1, 1, 2)
    # What repeats a row of the first is a repetition, although that row has left as well.
    repeated = two.duplicates_across + two.duplicates_near
    assert (repeated, two.benchmark_group, two.kept) == (2, 1, 1)
    assert authors(found) == ["cid", "cid", "eve"]


def test_nothing_left_is_refused_with_the_number(clean, by):
    with pytest.raises(ContributionError, match="of a group that stands in the benchmark: 3"):
        clean(by("c", "bob", "bob", "bob"))


def test_a_benchmark_of_base_groups_alone_is_refused(reference, grouped, by):
    with pytest.raises(ReferenceDataError, match="all 2 stand in the base data too, 1 of them by"):
        reference(grouped(), by("b", "ann"), [*by("b", "ann"), *by("m", "ann")])


def test_without_a_group_column_nothing_is_left_out(tmp_path, write, source, make_task, by):
    columns = [dict(AUTHOR, role="feature")]
    task = make_task(
        [
            *columns,
            {"name": "note", "type": "text"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    path = write(tmp_path / "c.csv", by("c", "bob", "cid"))
    found = clean_contributions(
        [source(path)], task, None, None, key=None, folder=str(tmp_path / "out")
    )
    assert found.contributions[0].counts.kept == 2


def test_the_check_counts_rows_by_features_and_others_by_group(reference, grouped, by):
    task = grouped()
    base, benchmark = reference(task, by("b", "ann"), by("m", "bob", "cid", None))
    assert rows_in_common(base, benchmark, task) == (0, 0)
    training, _ = reference(
        task,
        [by("m", "bob")[0], *by("x", "bob", "cid", "dee", None)],
        by("z", "eve"),
    )
    assert rows_in_common(training, benchmark, task) == (1, 2)


@given(st.lists(NAMES), st.lists(NAMES))
def test_groups_as_sets(ours, theirs):
    cells, others = pa.chunked_array([ours], pa.string()), pa.chunked_array([theirs], pa.string())
    named = {group for group in theirs if group is not None}
    assert among(cells, groups_of(others)).tolist() == [group in named for group in ours]
    left = without(groups_of(cells), groups_of(others)).to_pylist()
    assert sorted(left) == sorted({group for group in ours if group is not None} - named)
