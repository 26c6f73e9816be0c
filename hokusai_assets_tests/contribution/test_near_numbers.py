"""Near rows of tasks without text: copies with noise are found, honest rows stay, the rest is said.

Rows are drawn from one normal distribution unless a test says otherwise.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.near_number_rows import NO_BASE, NO_TELLING
from hokusai_assets.contribution.near_numbers import (
    Nearness,
    near_to,
    near_to_earlier,
    nearness,
)
from hokusai_assets.contribution.number_points import Points, space_of
from hokusai_assets.records import ContributedDataset

COLUMNS = 6
NUMBERS = [f"x{i}" for i in range(COLUMNS)]


def number_task(make_task: Any, **sections: Any) -> Any:
    return make_task(
        [
            *({"name": name, "type": "number", "nullable": True} for name in NUMBERS),
            {"name": "kind", "type": "category"},
            {"name": "label", "type": "category", "role": "target"},
        ],
        **sections,
    )


def drawn(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows of numbers on different scales, with two kinds and two labels."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, COLUMNS)) * 10.0 ** np.arange(COLUMNS) + 7
    kinds, labels = rng.choice(["a", "b"], count), rng.choice(["bad", "good"], count)
    return [
        {**dict(zip(NUMBERS, row, strict=True)), "kind": kind, "label": label}
        for row, kind, label in zip(values.tolist(), kinds.tolist(), labels.tolist(), strict=True)
    ]


def with_noise(rows: list[dict[str, Any]], share: float, seed: int = 9) -> list[dict[str, Any]]:
    """The rows, each number moved by normal noise of `share` standard deviations."""
    rng = np.random.default_rng(seed)
    return [
        {
            **row,
            **{n: row[n] + share * 10.0**i * rng.normal() for i, n in enumerate(NUMBERS)},
        }
        for row in rows
    ]


class Cleaning:
    """Contributions against 600 base and 600 benchmark rows, in a folder."""

    def __init__(self, folder: Path, task: Any, reference: Any, write: Any, source: Any) -> None:
        self.base, self.benchmark = drawn(600, 1), drawn(600, 2)
        self.folder, self.task, self.write, self.source = folder, task, write, source
        self.stored, self.scored = reference(task, self.base, self.benchmark)
        self.made = 0

    def clean(
        self, *contributions: Any, task: Any = None, home: bool = False
    ) -> ContributedDataset:
        self.made += 1
        paths = [
            self.write(self.folder / f"c{self.made}-{i}.parquet", rows)
            for i, rows in enumerate(contributions)
        ]
        return clean_contributions(
            [self.source(path, f"c{i}") for i, path in enumerate(paths)],
            task or self.task,
            None if home else self.stored,
            None if home else self.scored,
            key=None,
            folder=self.folder / f"clean{self.made}",
            assessed=False,
        )


@pytest.fixture
def cleaning(tmp_path: Path, make_task: Any, reference: Any, write: Any, source: Any) -> Cleaning:
    return Cleaning(tmp_path, number_task(make_task), reference, write, source)


def counts(cleaned: ContributedDataset, which: int = 0) -> Any:
    return cleaned.contributions[which].counts


def test_benchmark_rows_with_noise_leak_whatever_their_label(cleaning: Cleaning) -> None:
    copies = with_noise(cleaning.benchmark[:200], 0.01)
    for row in copies[:100]:
        row["label"] = "good" if row["label"] == "bad" else "bad"
    found = counts(cleaning.clean([*drawn(400, 3), *copies]))
    assert 200 <= found.leaked_near <= 202
    assert (
        "from a benchmark row"
        in cleaning.clean(copies[:1] + drawn(5, 4)).contributions[0].manifest.near_method
    )


def test_honest_rows_stay(cleaning: Cleaning) -> None:
    found = counts(cleaning.clean(drawn(2_000, 3)))
    assert found.leaked_near <= 10  # half of what the task accepts as leaked
    assert found.duplicates_near <= 30
    assert found.kept == found.read - found.leaked_near - found.duplicates_near


def test_base_rows_with_noise_are_repeated_and_those_of_another_label_are_not(
    cleaning: Cleaning,
) -> None:
    copies = with_noise(cleaning.base[:100], 0.01)
    other = with_noise(cleaning.base[100:200], 0.01)
    for row in other:
        row["label"] = "good" if row["label"] == "bad" else "bad"
    assert counts(cleaning.clean([*drawn(50, 3), *copies])).duplicates_near >= 99
    assert counts(cleaning.clean([*drawn(50, 3), *other])).duplicates_near <= 2


def test_copies_within_a_contribution_and_of_an_earlier_one_leave_one(cleaning: Cleaning) -> None:
    first = drawn(50, 3)
    crowd = [row for seed in range(5) for row in with_noise(first, 0.005, seed)]
    found = cleaning.clean([*first, *crowd], with_noise(first, 0.005, 77) + drawn(20, 8))
    assert counts(found).kept == 50
    assert counts(found).duplicates_near == 250
    assert counts(found, 1).duplicates_near == 50
    assert counts(found, 1).kept == 20


def test_huge_outliers_do_not_change_the_scale(cleaning: Cleaning) -> None:
    copies = with_noise(cleaning.benchmark[:100], 0.01)
    outliers = drawn(50, 5)
    for place, row in enumerate(outliers):
        row["x0"], row["x1"] = 1e300 / (place + 1), -1e12 * (place + 1)
    found = counts(cleaning.clean([*drawn(100, 3), *copies, *outliers]))
    honest = counts(cleaning.clean([*drawn(100, 3), *copies]))
    assert 100 <= honest.leaked_near <= 101
    assert (found.leaked_near, found.duplicates_near) == (
        honest.leaked_near,
        honest.duplicates_near,
    )


def test_other_kinds_and_other_empty_cells_are_not_compared(cleaning: Cleaning) -> None:
    other_kind = with_noise(cleaning.benchmark[:50], 0.01)
    emptied = with_noise(cleaning.benchmark[50:100], 0.01)
    for row in other_kind:
        row["kind"] = "b" if row["kind"] == "a" else "a"
    for row in emptied:
        row["x3"] = None
    found = counts(cleaning.clean([*other_kind, *emptied]))
    assert found.leaked_near <= 1  # by chance, of a row that it was not made from
    assert found.kept >= 98


def test_the_order_of_a_file_does_not_matter(cleaning: Cleaning) -> None:
    rows = [
        *drawn(100, 3),
        *with_noise(drawn(100, 3), 0.01),
        *with_noise(cleaning.benchmark[:30], 0.01),
        *with_noise(cleaning.base[:30], 0.01),
    ]
    one, other = cleaning.clean(rows), cleaning.clean(rows[::-1])
    assert one.content_root == other.content_root
    assert counts(one) == counts(other)


def test_what_the_task_lets_stay_is_reported(cleaning: Cleaning, make_task: Any) -> None:
    rows = [*drawn(50, 3), *with_noise(cleaning.base[:40], 0.01)]
    copies = with_noise(cleaning.benchmark[:10], 0.01)
    task = number_task(make_task, duplicates={"near": "report"})
    found = counts(cleaning.clean([*rows, *copies], task=task))
    assert (found.duplicates_near, found.duplicates_reported, found.leaked_near) == (0, 40, 10)
    assert found.kept == 90


def test_without_base_it_says_so(cleaning: Cleaning) -> None:
    found = cleaning.clean(drawn(10, 3), home=True).contributions[0]
    assert found.manifest.near_method == NO_BASE
    assert found.counts.kept == 10


def test_discrete_rows_cannot_be_told_apart_and_it_says_so(
    tmp_path: Path, make_task: Any, reference: Any, write: Any, source: Any
) -> None:
    task = make_task(
        [
            *({"name": name, "type": "integer"} for name in ("a", "b", "c")),
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    rng = np.random.default_rng(0)

    def rows(count: int, most: int) -> list[dict[str, Any]]:
        return [
            {**dict(zip("abc", rng.integers(0, most, 3).tolist(), strict=True)), "label": "good"}
            for _ in range(count)
        ]

    base, benchmark = reference(task, rows(400, 4), rows(50, 9))
    path = write(tmp_path / "c.parquet", rows(300, 9))
    (found,) = clean_contributions(
        [source(path)], task, base, benchmark, key=None, folder=tmp_path / "clean", assessed=False
    ).contributions
    assert found.manifest.near_method == NO_TELLING
    assert (found.counts.duplicates_near, found.counts.leaked_near) == (0, 0)


def test_benchmark_rows_near_to_base_are_counted_and_stay(make_task: Any, reference: Any) -> None:
    base = drawn(600, 1)
    _, scored = reference(number_task(make_task), base, with_noise(base[:20], 0.01) + drawn(80, 4))
    assert scored.near_base == 20
    assert scored.row_count == 100


# --- by hand --------------------------------------------------------------------------------------


def points(features: Any, kinds: Any = None, said: Any = None) -> Points:
    given_ = np.asarray(features, float)
    zeros = np.zeros(len(given_), np.int64)
    kinds = zeros if kinds is None else np.asarray(kinds)
    return Points(given_, kinds, kinds if said is None else np.asarray(said))


def test_the_scale_is_bases_mean_and_standard_deviation(make_task: Any) -> None:
    task = make_task(
        [
            {"name": "n", "type": "number"},
            {"name": "same", "type": "integer"},
            {"name": "yes", "type": "boolean"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    table = pa.table(
        {"n": [1.0, 3.0, None], "same": [4, 4, 4], "yes": [True, False, None], "label": ["a"] * 3}
    )
    space = space_of(lambda names: [table.select(names)], task)
    assert space.means == {"n": 2.0, "same": 4.0, "yes": 0.5}
    assert space.spreads == {"n": 1.0, "same": 0.0, "yes": 0.5}
    assert space.numeric == ["n", "yes"]
    made = space.points(table)
    assert made.features.tolist() == [[-1, 1], [1, -1], [0, 0]]
    assert made.kinds[0] == made.kinds[1] != made.kinds[2]  # the last one's cells are empty
    other = space.points(table.set_column(1, "same", pa.array([5, 4, 4])))
    assert other.kinds[0] != made.kinds[0]
    assert other.kinds[1] == made.kinds[1]


def test_times_keep_their_digits(make_task: Any) -> None:
    task = make_task(
        [
            {"name": "t", "type": "timestamp"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    start = 1_700_000_000_000_000
    times = pa.array([start, start + 2], pa.timestamp("us", tz="UTC"))
    space = space_of(lambda names: [pa.table({"t": times})], task)
    assert space.spreads == {"t": 1.0}


def test_the_threshold_is_bases_percentile_and_smaller_among_more() -> None:
    found = Nearness(distance=0.8, rows=1_000, dimension=2.0, features=4)
    assert found.threshold(1_000) == found.threshold(10) == 0.8
    assert found.threshold(4_000) == pytest.approx(0.4)  # half, where rows grow as its square
    assert found.threshold(1_000, 0.0025) == pytest.approx(0.4)
    assert found.threshold(0) == 0
    # Below 0.01 * (2 + 3), noise of 1 % would not be told from chance.
    assert found.threshold(1_000 * 200) == pytest.approx(0.8 / 200**0.5)
    assert found.threshold(1_000 * 300) == 0
    assert Nearness(9.0, 1_000, 90.0, 100).threshold(1_000) == 1.0


def test_the_percentile_of_distances_and_the_dimension() -> None:
    rng = np.random.default_rng(0)
    flat = rng.uniform(size=(3_000, 3))
    found = nearness(points(np.column_stack([flat, flat[:, 0], flat[:, 1]])))
    assert found is not None
    assert found.features == 5
    assert found.dimension == pytest.approx(3, rel=0.1)
    # Against all pairs, at the edges of the cube too.
    five = np.column_stack([flat, flat[:, 0], flat[:, 1]])
    squares = ((five[:, None, :1] - five[None, :, :1]) ** 2).sum(-1)
    for column in range(1, 5):
        squares += (five[:, None, column] - five[None, :, column]) ** 2
    np.fill_diagonal(squares, np.inf)
    exact = np.quantile(np.sqrt(squares.min(axis=1)), 0.01)
    assert found.distance == pytest.approx(exact, rel=0.15)


def test_repeated_and_few_rows_have_no_percentile() -> None:
    rng = np.random.default_rng(0)
    some = rng.normal(size=(500, 3))
    assert nearness(points(some)) is not None
    assert nearness(points(some[:99])) is None
    assert nearness(points(np.concatenate([some, some[:100]]))) is None
    assert nearness(points(np.concatenate([some, some[:20]]))) is not None


def test_only_rows_of_one_kind_are_near_and_far_ones_never() -> None:
    known = points([[0.0, 0.0], [5.0, 0.0]], [1, 2], [3, 4])
    asked = points([[0.1, 0.0], [5.1, 0.0], [0.0, 0.1], [0.0, 0.0]], [1, 1, 1, -1], [3, 5, 9, -1])
    assert near_to(asked, [known], 0.2, any_label=True).tolist() == [True, False, True, False]
    assert near_to(asked, [known], 0.2, any_label=False).tolist() == [True, False, False, False]
    assert not near_to(asked, [known], 0.0, any_label=True).any()
    assert not near_to(asked, [], 0.2, any_label=True).any()
    assert near_to(asked, [known], 0.1, any_label=True).tolist()[0] is False  # not below


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 1)), max_size=60),
    st.sampled_from([0.5, 1.2, 1.5, 3.0]),
)
@settings(deadline=None)
def test_rows_that_are_left_are_apart_and_those_gone_are_near_an_earlier_one(
    rows: list[tuple[int, int, int]], distance: float
) -> None:
    rows = list(dict.fromkeys(rows))
    made = points([(x, y) for x, y, _ in rows] or np.zeros((0, 2)), [k for *_, k in rows])
    near = near_to_earlier(made, distance).tolist()

    def apart(one: int, other: int) -> bool:
        (x, y, kind), (u, v, other_kind) = rows[one], rows[other]
        return kind != other_kind or (x - u) ** 2 + (y - v) ** 2 >= distance**2

    for row, gone in enumerate(near):
        before = [other for other in range(row) if not apart(row, other)]
        if gone:
            assert before
        else:
            assert not [other for other in before if not near[other]]
