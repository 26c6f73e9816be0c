"""A class that is scored on too few rows to say anything is named, with its number."""

import pytest

from hokusai_assets.decision_rule import rows_a_class_needs, rows_for_margin
from hokusai_assets.evaluation.sampling import stratified_sample
from hokusai_assets.reporting.summary import small_classes_sentence


def test_the_number_is_that_of_a_margin_of_five_points():
    assert rows_a_class_needs(60_000) == rows_for_margin(50_000, 60_000) == 149
    assert rows_a_class_needs(200_000) > 149


@pytest.fixture
def benchmark(reference, rows):
    def make(good, bad, task, sample=stratified_sample):
        own = [r | {"label": "good" if i < good else "bad"} for i, r in enumerate(rows(good + bad))]
        return reference(task, rows(3, "b"), own, sample=sample)[1]

    return make


def test_a_class_below_it_is_named_and_one_at_it_is_not(benchmark, make_task):
    task = make_task()
    found = benchmark(149, 148, task)
    assert (found.class_rows_needed, found.small_classes) == (149, {"bad": 148})
    assert small_classes_sentence(found) == (
        "too few rows to say anything of: bad 148 (a class needs 149; add rows of it)"
    )
    assert small_classes_sentence(benchmark(149, 149, task)) == ""


def test_a_class_that_is_absent_is_named_too(benchmark, make_task):
    assert benchmark(200, 0, make_task()).small_classes == {"bad": 0}


def test_after_sampling_the_cure_is_another_size(benchmark, make_task):
    found = benchmark(800, 200, make_task(benchmark={"max_rows": 500}))
    assert (found.row_count, found.small_classes) == (500, {"bad": 100})
    assert small_classes_sentence(found).endswith("(a class needs 149; raise benchmark.max_rows)")


def test_what_the_task_expects_of_its_models_decides(benchmark, make_task):
    task = make_task(guards={"expected_discordance": 0.2})
    assert benchmark(300, 300, task).small_classes == {"bad": 300, "good": 300}
