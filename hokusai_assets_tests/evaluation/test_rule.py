"""The rule's parameters as the plan commits to them."""

import pytest

from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.rule import rule_parameters


def test_every_default_is_written_out_in_integers_and_text(make_task):
    rule = rule_parameters(make_task(), {"bad": 1_200, "good": 148}, number_of_seeds=1)
    canonical_json(rule)  # refuses floats
    assert rule["guards"] == [
        {
            "name": "recall:bad",
            "metric": "recall",
            "class": 0,
            "rows": 1_200,
            "method": "tango_score",
            "margin_millionths": 50_000,
        },
        # 149 rows are needed for 5 points, so the smaller class takes the harm test.
        {
            "name": "recall:good",
            "metric": "recall",
            "class": 1,
            "rows": 148,
            "method": "binomial_exact",
        },
        {"name": "auroc", "metric": "auroc", "method": "delong_normal", "applies": "where_scored"},
    ]
    del rule["guards"]
    assert rule == {
        "version": 1,
        "familywise_alpha_pico": 50_000_000_000,
        "attempts_per_benchmark": 30,
        "min_delta_bps": 100,
        "min_benchmark_rows": 2_000,
        "max_leaked_share_millionths": 10_000,
        "primary": "accuracy",
        "included": ["accuracy", "precision", "recall", "f1_score", "auroc"],
        "weights": dict.fromkeys(("accuracy", "precision", "recall", "f1_score", "auroc"), 1),
        "number_of_seeds": 1,
        "tests": {
            "accuracy": "mcnemar_exact",
            "precision": "influence_normal",
            "recall": "mcnemar_exact",
            "f1_score": "influence_normal",
            "auroc": "delong_normal",
            "delta_one": "influence_normal",
        },
        "guard_level_millionths": 50_000,
        "expected_discordance_millionths": 60_000,
        "retire": "on_acceptance",
        "lineage": "small",
    }


@pytest.mark.parametrize(
    ("group", "seeds", "method"),
    [(True, 1, "cluster_t"), (False, 5, "seed_mean_t"), (True, 5, "seed_mean_cluster_t")],
)  # of accuracy and recall, several seeds without groups ask for the exact test too
def test_groups_and_seeds_change_every_test(make_task, group, seeds, method):
    rule = rule_parameters(
        make_task(group=group), {"bad": 1_200, "good": 20}, number_of_seeds=seeds
    )
    counted = {"accuracy", "recall"} if method == "seed_mean_t" else set()
    for name, test in rule["tests"].items():
        assert test == (f"{method}_and_mcnemar" if name in counted else method), name
    assert {guard["method"] for guard in rule["guards"]} == {method}


def test_recall_over_several_classes_is_no_single_proportion(make_task):
    counts = {"a": 500, "b": 500, "c": 500}
    rule = rule_parameters(make_task(("a", "b", "c")), counts, number_of_seeds=1)
    assert rule["tests"]["recall"] == "influence_normal"
    assert [guard["name"] for guard in rule["guards"]] == [
        "recall:a",
        "recall:b",
        "recall:c",
        "auroc",
    ]


def test_a_named_margin_that_could_not_pass_is_refused_with_its_numbers(make_task):
    task = make_task(guards={"margins": {"recall:good": 2.0, "auroc": 1.5}})
    with pytest.raises(TaskError, match=r"recall:good .* 2 points but 926 .* fewer than 927"):
        rule_parameters(task, {"bad": 3_000, "good": 926}, number_of_seeds=1)
    rule = rule_parameters(task, {"bad": 3_000, "good": 927}, number_of_seeds=1)
    assert rule["guards"][1]["margin_millionths"] == 20_000
    assert rule["guards"][2]["margin_millionths"] == 15_000
    assert rule["guards"][2]["applies"] == "always"


def test_weights_are_the_smallest_integers_of_the_same_proportions(make_task):
    metrics = {
        "included": ["auroc", "accuracy", "recall"],
        "weights": {"accuracy": 0.5, "auroc": 0.3, "recall": 0.2},
    }
    rule = rule_parameters(make_task(metrics=metrics), {}, number_of_seeds=1)
    assert rule["weights"] == {"accuracy": 5, "recall": 2, "auroc": 3}
    metrics["weights"]["recall"] = 1e-17
    with pytest.raises(TaskError, match="too many digits"):
        rule_parameters(make_task(metrics=metrics), {}, number_of_seeds=1)


def test_decimal_shares_are_exact(make_task):
    decision = {"familywise_alpha": 0.1, "max_leaked_share": 0.07}
    rule = rule_parameters(make_task(decision=decision), {}, number_of_seeds=1)
    assert rule["familywise_alpha_pico"] == 100_000_000_000
    assert rule["max_leaked_share_millionths"] == 70_000
