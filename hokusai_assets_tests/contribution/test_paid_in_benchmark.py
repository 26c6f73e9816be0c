"""A new benchmark that holds a row somebody was paid for, or saw, is refused: also a near one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.contribution.near_number_rows import NO_TELLING
from hokusai_assets.contribution.paid_in_benchmark import MOST_NAMED, TEXT_METHOD
from hokusai_assets.contribution.paid_rows import PaidStore
from hokusai_assets.contribution.references import load_base, load_benchmark
from hokusai_assets.errors import ReferenceDataError
from hokusai_assets.records import BenchmarkDataset
from hokusai_assets_tests.contribution.conftest import build_task, write_rows
from hokusai_assets_tests.contribution.test_near_numbers import drawn, number_task, with_noise
from hokusai_assets_tests.contribution.test_paid_rows import one_word_changed, sentences

Row = dict[str, Any]
Rows = list[Row]


class House:
    """An operator who retired one benchmark, and so keeps its rows among those paid for."""

    def __init__(self, folder: Path, task: Any, base: Rows, retired: Rows) -> None:
        self.folder, self.task, self.made = folder, task, 0
        file = write_rows(folder / "base.csv", base)
        self.base = load_base(str(file), task, key=None, folder=str(folder / "base"))
        store = PaidStore(str(folder / "store"), task, None)
        kept = self.load(retired, known=False)
        store.keep_benchmark(kept)
        self.known = store.open([kept.content_root_received])

    def load(self, rows: Rows, *, known: bool = True) -> BenchmarkDataset:
        self.made += 1
        return load_benchmark(
            str(write_rows(self.folder / f"benchmark{self.made}.csv", rows)),
            self.task,
            self.base,
            key=None,
            sample=lambda table, task: table,
            folder=str(self.folder / f"loaded{self.made}"),
            paid=lambda root: ("root", self.known if known else ()),
        )

    def refusal(self, rows: Rows) -> str:
        with pytest.raises(ReferenceDataError) as refused:
            self.load(rows)
        return str(refused.value)


RETIRED, FRESH = sentences(120, 3, "t"), sentences(30, 7, "f")


@pytest.fixture
def texts(tmp_path: Path) -> House:
    return House(tmp_path, build_task(), sentences(40, 2, "b"), RETIRED)


@pytest.fixture
def numbers(tmp_path: Path, make_task: Any) -> House:
    return House(tmp_path, number_task(make_task), drawn(600, 1), drawn(600, 2))


def test_a_benchmark_of_new_rows_is_taken(texts: House) -> None:
    found = texts.load(FRESH)
    assert (found.paid_root, found.manifest.near_method) == ("root", TEXT_METHOD)
    # And without rows paid for nothing is said of them, nor anything refused.
    again = texts.load([*FRESH, RETIRED[3]], known=False)
    assert "operator's own" in again.manifest.near_method


def test_a_retired_benchmark_is_refused_as_a_whole(texts: House) -> None:
    assert "was retired, and its rows may be known" in texts.refusal(RETIRED)
    assert "was retired, and its rows may be known" in texts.refusal(RETIRED[::-1])


@pytest.mark.parametrize(
    ("disguise", "said"),
    [
        (lambda row: row, "label (rows 31)"),
        (lambda row: {**row, "label": "bad" if row["label"] == "good" else "good"}, "(rows 31)"),
        (lambda row: {**row, "note": row["note"].title() + " !"}, "label (rows 31)"),
        (one_word_changed, "label, 1 of them nearly (rows 31)"),
        (lambda row: {**one_word_changed(row), "label": "bad"}, "1 of them nearly (rows 31)"),
        (lambda row: {**row, "weight": row["weight"] + 0.5}, "1 of them nearly (rows 31)"),
        (lambda row: {**row, "note": row["note"] + " and more"}, "1 of them nearly (rows 31)"),
    ],
    ids=["same", "other label", "written otherwise", "one word changed", "word and label",
         "number moved", "words added"],
)  # fmt: skip
def test_a_row_of_a_retired_one_is_found_in_every_disguise(
    texts: House, disguise: Callable[[Row], Row], said: str
) -> None:
    message = texts.refusal([*FRESH, disguise({**RETIRED[3], "key": "new"})])
    assert "holds 1 row that a contributor was paid for or that a retired benchmark held" in message
    assert said in message
    assert message.endswith("Leave these out.")
    assert RETIRED[3]["note"].split()[0] not in message


def test_equal_and_near_rows_are_named_together(texts: House) -> None:
    mixed = [RETIRED[0], *FRESH, one_word_changed(RETIRED[1]), RETIRED[2]]
    assert "holds 3 rows" in texts.refusal(mixed)
    assert "1 of them nearly (rows 1, 32, 33)" in texts.refusal(mixed)
    # Whoever leaves these out is done.
    assert texts.load(FRESH).row_count == len(FRESH)


def test_so_many_rows_are_named_and_no_more(texts: House) -> None:
    changed = [one_word_changed(row) for row in RETIRED]
    message = texts.refusal(changed)
    assert f"{MOST_NAMED} and 20 more)" in message
    assert message.count(", ") < MOST_NAMED + 5


def test_what_repeats_within_a_benchmark_is_the_operators_business(texts: House) -> None:
    found = texts.load([*FRESH, *map(one_word_changed, FRESH)])
    assert found.row_count == 2 * len(FRESH)


def test_rows_of_numbers_are_found_near(numbers: House) -> None:
    retired, fresh = drawn(600, 2), drawn(300, 4)
    assert "No row lies less than" in numbers.load(fresh).manifest.near_method
    moved = with_noise(retired[:20], 0.01)
    for row in moved[:10]:
        row["label"] = "good" if row["label"] == "bad" else "bad"
    message = numbers.refusal([*fresh, *moved])
    assert "holds 20 rows" in message
    assert "20 of them nearly" in message
    assert f"rows {', '.join(map(str, range(301, 321)))})" in message


def test_another_category_is_another_row(numbers: House) -> None:
    moved = [{**row, "kind": "c"} for row in with_noise(drawn(600, 2)[:20], 0.01)]
    assert numbers.load([*drawn(300, 4), *moved]).row_count == 320


def test_few_honest_benchmarks_of_numbers_are_refused(numbers: House) -> None:
    """One in ten by the threshold; each of these has 600 rows against 600 known ones."""
    refused = 0
    for seed in range(20, 40):
        try:
            numbers.load(drawn(600, seed))
        except ReferenceDataError:
            refused += 1
    assert refused <= 6


def test_where_distances_tell_nothing_it_is_said(tmp_path: Path, make_task: Any) -> None:
    few = House(tmp_path, number_task(make_task), drawn(50, 1), drawn(600, 2))
    assert few.load(drawn(60, 4)).manifest.near_method == NO_TELLING
    assert "holds 1 row" in few.refusal([*drawn(60, 4), drawn(600, 2)[0]])  # the same is found
