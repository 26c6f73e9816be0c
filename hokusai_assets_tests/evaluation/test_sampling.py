"""Which rows are scored: the same ones in any order, in the right proportions."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.evaluation.sampling import largest_remainder, stratified_sample

LABELS = ("bad", "good", "odd")


def table(n, seed=0, copies=1):
    rng = np.random.default_rng(seed)
    labels = [LABELS[i] for i in rng.choice(3, n, p=[0.7, 0.28, 0.02])] * copies
    digests = [hashlib.sha256(f"{i}".encode()).digest() for i in range(n)] * copies
    ids = [f"id{i}" for i in range(n * copies)]
    return pa.table({"label": labels, "row": ids, "_row_digest": pa.array(digests, pa.binary(32))})


def ids(sample):
    return set(sample.column("row").to_pylist())


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize("copies", [1, 2])
def test_any_order_gives_the_same_rows_in_the_tables_order(make_task, stratify, copies):
    task = make_task(LABELS, with_id=True, benchmark={"max_rows": 137, "stratify": stratify})
    rows = table(500, copies=copies)
    order = np.random.default_rng(1).permutation(rows.num_rows)
    first, second = stratified_sample(rows, task), stratified_sample(rows.take(order), task)
    assert first.num_rows == 137
    assert ids(first) == ids(second)
    positions = [rows.column("row").to_pylist().index(i) for i in first.column("row").to_pylist()]
    assert positions == sorted(positions)


def test_proportions_hold_within_one_row(make_task):
    rows = table(1_000)
    sample = stratified_sample(rows, make_task(LABELS, benchmark={"max_rows": 137}))
    for label in LABELS:
        whole = rows.column("label").to_pylist().count(label)
        found = sample.column("label").to_pylist().count(label)
        assert abs(found - whole * 137 / 1_000) < 1


def test_a_row_keeps_its_rank_when_others_go(make_task):
    # Rows outside the sample do not decide who is in it: without them it is the same.
    task = make_task(LABELS, with_id=True, benchmark={"max_rows": 100, "stratify": False})
    rows = table(500)
    chosen = ids(stratified_sample(rows, task))
    kept = [i for i, r in enumerate(rows.column("row").to_pylist()) if r in chosen or i % 2]
    assert ids(stratified_sample(rows.take(kept), task)) == chosen


def test_the_seed_decides_and_small_tables_stay_whole(make_task):
    rows = table(500)
    first = stratified_sample(rows, make_task(LABELS, with_id=True, benchmark={"max_rows": 100}))
    other = make_task(LABELS, with_id=True, benchmark={"max_rows": 100}).model_copy(
        update={"seed": 8}
    )
    assert ids(first) != ids(stratified_sample(rows, other))
    whole = stratified_sample(rows, make_task(LABELS, benchmark={"max_rows": 500}))
    assert whole is rows


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=9), st.data())
def test_largest_remainder_adds_up_within_one(counts, data):
    if not sum(counts):
        counts[0] = 1
    total = data.draw(st.integers(0, sum(counts)))
    sizes = largest_remainder(counts, total)
    assert sum(sizes) == total
    for count, size in zip(counts, sizes, strict=True):
        assert abs(size - count * total / sum(counts)) < 1
        assert size <= count
