"""The three merge strategies: which rows there are, whose they are, and what an update may do."""

import random
from pathlib import Path

import pytest

from hokusai_assets.contribution import merging
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.merging import merge
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.tables import ROW_NUMBER, read_table

UPDATE = {"strategy": "update", "key": "key", "max_updated_share": 0.2}


@pytest.fixture
def merged(tmp_path, make_task, reference, rows, write, source):
    runs = 0

    def run(files, base=None, **section):
        nonlocal runs
        runs += 1
        task = make_task(merge=section)
        stored, benchmark = reference(task, base or rows(10, "b"), rows(5, "m"))
        sources = [
            source(write(tmp_path / f"{name}{runs}.csv", lines), name)
            for name, lines in files.items()
        ]
        contributed = clean_contributions(
            sources, task, stored, benchmark, key=b"k", folder=str(tmp_path / f"c{runs}")
        )
        found = merge(task, stored, contributed, str(tmp_path / f"merged{runs}"))
        return found, read_table(found.folder), stored, contributed

    return run


def by_key(table):
    keys = table.column("key").to_pylist()
    return dict(zip(keys, table.column("note").to_pylist(), strict=True))


def test_append_adds_rows_and_says_whose_they_are(merged, rows):
    found, table, base, contributed = merged({"alice": rows(4, "c"), "bob": rows(3, "d")})
    assert (found.row_count, found.rows_from_base, found.rows_by_contribution) == (17, 10, (4, 3))
    assert found.strategy == "append" and found.rows_updated == 0
    sources = dict(
        zip(table.column("key").to_pylist(), table.column("_source").to_pylist(), strict=True)
    )
    assert sources["b0"] == base.content_root
    assert sources["c0"] == contributed.contributions[0].content_root_cleaned
    assert sources["d0"] == contributed.contributions[1].content_root_cleaned


def test_replace_leaves_base_out(merged, rows):
    found, _, _, contributed = merged({"alice": rows(4, "c")}, strategy="replace")
    assert (found.row_count, found.rows_from_base, found.rows_by_contribution) == (4, 0, (4,))
    assert found.content_root == contributed.content_root


def test_update_replaces_by_key_and_adds_new_keys(merged, rows):
    new = [rows(1, "c")[0] | {"key": "b0", "note": "new version"}, *rows(2, "c")[1:]]
    found, table, *_ = merged({"alice": new}, **UPDATE)
    assert (found.row_count, found.rows_from_base, found.rows_updated) == (11, 9, 1)
    assert by_key(table)["b0"] == "new version"
    assert len(by_key(table)) == table.num_rows


def test_the_later_contribution_wins_a_key(merged, rows):
    first = [rows(1, "c")[0] | {"key": "b0", "note": "first"}]
    second = [rows(1, "d")[0] | {"key": "b0", "note": "second"}]
    found, table, *_ = merged({"alice": first, "bob": second}, **UPDATE)
    assert by_key(table)["b0"] == "second"
    assert (found.rows_updated, found.rows_by_contribution) == (1, (0, 1))
    _, table, *_ = merged({"bob": second, "alice": first}, **UPDATE)
    assert by_key(table)["b0"] == "first"


def test_an_update_of_too_many_base_rows_is_refused(merged, rows):
    new = [row | {"key": f"b{i}"} for i, row in enumerate(rows(3, "c"))]
    with pytest.raises(ContributionError, match=r"3 of 10 base rows \(30.00%\).* 20.00%"):
        merged({"alice": new}, **UPDATE)
    assert merged({"alice": new[:2]}, **UPDATE)[0].rows_updated == 2


def test_a_key_repeated_in_one_contribution_is_refused(merged, rows):
    new = [row | {"key": "same"} for row in rows(3, "c")]
    with pytest.raises(ContributionError, match="of alice is refused: 1 of its keys") as caught:
        merged({"alice": new}, **UPDATE)
    assert "same" not in str(caught.value)


def test_base_data_that_repeat_a_key_cannot_be_updated(merged, rows):
    base = [row | {"key": "same"} for row in rows(10, "b")]
    with pytest.raises(ReferenceDataError, match="1 of its keys"):
        merged({"alice": rows(1, "c")}, base=base, **UPDATE)


@pytest.mark.parametrize("section", [{}, {"strategy": "replace"}, UPDATE])
def test_a_range_of_keys_at_a_time_gives_the_same(merged, rows, section, monkeypatch):
    first = [rows(1, "e")[0] | {"key": "b3"}, *rows(9, "c")]
    second = [rows(2, "f")[1] | {"key": "b3"}, *rows(4, "d")]
    files = {"alice": first, "bob": second}
    whole, table, *_ = merged(files, **section)
    monkeypatch.setattr(merging, "_ROWS_PER_PART", 2)
    found, again, *_ = merged(files, **section)
    assert len(list(Path(found.folder).iterdir())) > 1 == len(list(Path(whole.folder).iterdir()))
    assert again == table
    assert found.model_dump(exclude={"folder"}) == whole.model_dump(exclude={"folder"})


@pytest.mark.parametrize("section", [{}, {"strategy": "replace"}, UPDATE])
def test_shuffled_inputs_give_the_same_rows_in_the_same_order(merged, rows, section):
    base, own = rows(10, "b"), [rows(1, "e")[0] | {"key": "b3"}, *rows(9, "c")]
    _, expected, *_ = merged({"alice": own}, base=base, **section)
    for seed in range(3):
        mixed = random.Random(seed)
        mixed.shuffle(base)
        mixed.shuffle(own)
        again = merged({"alice": own}, base=base, **section)[1]
        # Only where a row stood in its file differs.
        assert again.drop([ROW_NUMBER]) == expected.drop([ROW_NUMBER])


def test_rows_stand_in_order_of_keys_digest_and_id_whoever_sent_them(merged, rows):
    files = {"alice": rows(6, "c"), "bob": rows(6, "d")}
    base = rows(10, "b") + [row | {"key": f"again {row['key']}"} for row in rows(10, "b")]
    _, table, *_ = merged(files, base=base)
    order = list(
        zip(
            *(table.column(c).to_pylist() for c in ("_feature_key", "_row_digest", "key")),
            strict=True,
        )
    )
    assert order == sorted(order) and len(order) == 32
    assert merged(dict(reversed(files.items())), base=base)[1] == table
