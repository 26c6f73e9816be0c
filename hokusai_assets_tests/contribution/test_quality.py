"""Quality: its parts and their mean, by hand, and None with a reason where one is not known.

The rows are too few for label noise and drift here, but where these are asked for.
"""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.manifest import StoredRows
from hokusai_assets.contribution.quality import DEFINITIONS, NO_BASE, Samples
from hokusai_assets.contribution.quality import assess as assess_stored
from hokusai_assets.records import CleaningCounts

LABELS = st.lists(st.sampled_from(["bad", "good"]), max_size=20)


def table(labels: list[str], notes: list[str | None] | None = None) -> pa.Table:
    count = len(labels)
    return pa.table(
        {
            "key": pa.array([None] * count, pa.string()),
            "note": pa.array(notes or ["tea"] * count, pa.string()),
            "weight": pa.array([1.0] * count, pa.float64()),
            "label": pa.array(labels, pa.string()),
        }
    )


def assess(ours: pa.Table, base: pa.Table, counts: CleaningCounts, task: Any) -> Any:
    """The quality of rows that were counted as storing counts them."""

    def labels(rows: pa.Table) -> dict[str, int]:
        told = rows.column("label").to_pylist()
        return {label: told.count(label) for label in told}

    nulls = {name: ours.column(name).null_count for name in ours.column_names}
    stored = StoredRows(ours.num_rows, nulls, {}, True, labels(ours))
    return assess_stored(stored, labels(base), counts, task, Samples(ours, base))


SAMPLED = {"label_noise", "drift"}


def parts(quality: Any) -> dict[str, float | None]:
    """The parts that are counted, not estimated from a sample."""
    return {part.name: part.value for part in quality.parts if part.name not in SAMPLED}


def test_parts_from_samples_count_like_the_others(make_task: Any) -> None:
    ours = table(["good", "bad"] * 60, ["fine", "poor"] * 60)
    base = table(["good", "bad"] * 60, ["fine", "dull"] * 60)
    quality = assess(ours, base, CleaningCounts(read=120, kept=120), make_task())
    told = {part.name: part for part in quality.parts}
    assert list(told) == list(DEFINITIONS)
    noise, drift = told["label_noise"], told["drift"]
    assert (noise.value, noise.base_value, noise.reason) == (1.0, 1.0, None)
    # Of the words fine and poor against fine and dull half is common: the root of 1 / 2.
    assert drift.columns == {"note": 0.707107, "weight": 0.0, "label": 0.0}
    assert drift.value == pytest.approx(1 - 0.707107 / 2, abs=1e-6)  # the label is no feature
    assert quality.score == pytest.approx((5 + 1 - 0.707107 / 2) / 6, abs=1e-6)


def test_a_part_is_null_exactly_where_it_says_why(make_task: Any) -> None:
    none = CleaningCounts(read=0, kept=0)
    task = make_task()
    for quality in (
        assess(table([]), table([]), none, task),
        assess(table(["bad"] * 40), table(["bad"] * 40), CleaningCounts(read=40, kept=40), task),
        assess_stored(
            StoredRows(0, {"note": 0, "weight": 0}, {}, True, {}),
            None,
            none,
            task,
            Samples(table([]), None),
        ),
    ):
        for part in quality.parts:
            assert (part.value is None) == (part.reason is not None), part.name
    assert {p.reason for p in quality.parts if p.name in {"drift", "label_balance"}} == {NO_BASE}


def test_all_parts_by_hand(make_task: Any) -> None:
    ours = table(["good", "good", "good", "bad"], ["tea", None, "cup", "bag"])
    base = table(["good", "bad"])
    counts = CleaningCounts(read=10, rejected=2, duplicates_within=1, leaked_exact=3, kept=4)
    quality = assess(ours, base, counts, make_task())
    assert parts(quality) == {
        "completeness": 0.875,  # 7 of 2 features x 4 rows; the empty ids are no features
        "validity": 0.8,  # 8 of 10
        "uniqueness": 0.875,  # 7 of 8
        "label_balance": 0.75,  # 1 - (0.25 + 0.25) / 2
    }
    assert quality.score == 0.825


def test_a_perfect_contribution_scores_one(make_task: Any) -> None:
    ours = table(["good", "bad"])
    quality = assess(ours, ours, CleaningCounts(read=2, kept=2), make_task())
    assert quality.score == 1.0
    assert set(parts(quality).values()) == {1.0}


def test_labels_that_base_never_has_are_no_balance_at_all(make_task: Any) -> None:
    quality = assess(table(["good"]), table(["bad"]), CleaningCounts(read=1, kept=1), make_task())
    assert parts(quality)["label_balance"] == 0.0


def test_parts_with_nothing_to_divide_by_are_left_out_of_the_mean(make_task: Any) -> None:
    quality = assess(
        table([]), table(["bad"]), CleaningCounts(read=4, rejected=4, kept=0), make_task()
    )
    assert parts(quality) == {
        "completeness": None,
        "validity": 0.0,
        "uniqueness": None,
        "label_balance": None,
    }
    assert quality.score == 0.0


def test_rows_that_are_all_duplicates_are_valid_and_not_unique(make_task: Any) -> None:
    counts = CleaningCounts(read=4, duplicates_of_base=4, kept=0)
    quality = assess(table([]), table(["bad"]), counts, make_task())
    assert (parts(quality)["validity"], parts(quality)["uniqueness"]) == (1.0, 0.0)
    assert quality.score == 0.5


def test_without_a_row_read_nothing_is_known(make_task: Any) -> None:
    quality = assess(table([]), table([]), CleaningCounts(read=0, kept=0), make_task())
    assert set(parts(quality).values()) == {None}
    assert quality.score == 0.0


def test_without_base_labels_the_balance_is_unknown(make_task: Any) -> None:
    quality = assess(table(["bad"]), table([]), CleaningCounts(read=1, kept=1), make_task())
    assert parts(quality)["label_balance"] is None
    assert quality.score == 1.0


def test_shares_are_rounded_to_six_digits(make_task: Any) -> None:
    counts = CleaningCounts(read=3, rejected=1, kept=2)
    ours = table(["bad", "bad"])
    quality = assess(ours, ours, counts, make_task())
    assert parts(quality)["validity"] == 0.666667
    assert quality.score == 0.916667


@given(ours=LABELS, base=LABELS, lost=st.tuples(*[st.integers(0, 30)] * 4), holes=st.booleans())
@settings(deadline=None)
def test_every_part_and_the_score_are_shares(
    make_task: Any, ours: list[str], base: list[str], lost: tuple[int, ...], holes: bool
) -> None:
    rejected, within, of_base, leaked = lost
    counts = CleaningCounts(
        read=sum(lost) + len(ours),
        rejected=rejected,
        duplicates_within=within,
        duplicates_of_base=of_base,
        leaked_normalised=leaked,
        kept=len(ours),
    )
    cleaned = table(ours, [None if holes else "x"] * len(ours))
    quality = assess(cleaned, table(base), counts, make_task())
    known = [part.value for part in quality.parts if part.value is not None]
    assert all(0 <= value <= 1 for value in known)
    assert 0 <= quality.score <= 1
    assert quality.score == pytest.approx(sum(known) / len(known) if known else 0.0, abs=2e-6)
    assert assess(cleaned, table(base[::-1]), counts, make_task()) == quality


def test_every_part_carries_its_definition_and_no_cell(make_task: Any) -> None:
    ours = table(["canaryvalue", "bad"], ["canaryvalue", "tea"])
    quality = assess(ours, table(["bad"]), CleaningCounts(read=2, kept=2), make_task())
    assert {part.name: part.definition for part in quality.parts} == DEFINITIONS
    assert "canaryvalue" not in quality.model_dump_json()


def test_the_manifest_tells_the_rows_that_remain_and_no_cell(
    tmp_path: Any, make_task: Any, reference: Any, rows: Any, write: Any, source: Any
) -> None:
    """Ten rows: one rejected, one repeated, one of base, one of the benchmark, six kept."""
    task = make_task(reading={"max_rejected_share": 0.5})
    base, benchmark = rows(5, "b"), rows(5, "m")
    own = rows(7, "canaryvalue")
    own[0]["note"] = None
    own[1]["note"] = own[2]["note"]
    own[6]["weight"] = "canaryvalue"
    given_ = [*own, {**own[3], "key": "canaryvalue again"}, base[0], benchmark[0]]
    path = write(tmp_path / "c.csv", [{**row, "extra": "canaryvalue"} for row in given_])
    stored, scored = reference(task, base, benchmark)
    found = clean_contributions(
        [source(path)], task, stored, scored, key=None, folder=str(tmp_path / "clean")
    )
    (one,) = found.contributions
    manifest, counts = one.manifest, one.counts
    assert (counts.read, counts.rejected, counts.kept) == (10, 1, 6)
    assert (counts.duplicates_within, counts.duplicates_of_base, counts.leaked_exact) == (1, 1, 1)
    assert (manifest.row_count, manifest.column_count) == (6, 4)
    assert [(c.name, c.type) for c in manifest.columns] == [
        ("key", "text"),
        ("label", "category"),
        ("note", "text"),
        ("weight", "number"),
    ]
    assert manifest.null_counts == {"key": 0, "note": 1, "weight": 0, "label": 0}
    assert manifest.unique_counts == {"key": 6, "note": 4, "weight": 6, "label": 2}
    assert manifest.dropped_columns == ("extra",)
    assert [(r.column, r.count, r.first_rows) for r in manifest.rejections] == [("weight", 1, (7,))]
    assert manifest.source.name == "c.csv"
    assert manifest.data_hash == one.content_root_cleaned
    assert manifest.quality is not None
    assert parts(manifest.quality)["validity"] == 0.9
    assert parts(manifest.quality)["uniqueness"] == round(7 / 9, 6)
    assert "canaryvalue" not in found.model_dump_json()
