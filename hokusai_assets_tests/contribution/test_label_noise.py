"""Label noise: cleanlab's estimate, on labels that were turned round on purpose."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cleanlab.count import estimate_joint

from hokusai_assets.contribution import label_noise

WORDS = {"bad": ["awful", "stale", "broken"], "good": ["lovely", "fresh", "solid"]}


def table(
    count: int, seed: int, turned: float = 0.0, labels: tuple[str, ...] = ("bad", "good")
) -> Any:
    """Reviews whose words tell their label; the share `turned` of them says another one."""
    rng = np.random.default_rng(seed)
    told = rng.choice(labels, count)
    notes = [
        " ".join([*rng.choice(["it", "was", "the", "tea"], 5), *rng.choice(WORDS[t], 2)])
        for t in told
    ]
    wrong = rng.random(count) < turned
    given = [
        ("good" if t == "bad" else "bad") if w else t for t, w in zip(told, wrong, strict=True)
    ]
    return pa.table(
        {"note": pa.array(notes), "weight": rng.normal(size=count), "label": pa.array(given)}
    )


@pytest.mark.parametrize("turned", [0.0, 0.1, 0.3])
def test_the_share_of_turned_labels_is_found(make_task: Any, turned: float) -> None:
    found = label_noise.estimate(table(600, 1, turned), table(400, 2), make_task())
    assert found.share == pytest.approx(turned, abs=0.04)
    assert found.base_share == pytest.approx(0, abs=0.01)
    assert found.reason is None


def test_a_contribution_whose_labels_are_all_turned_does_not_outvote_base(make_task: Any) -> None:
    found = label_noise.estimate(table(1_500, 1, 1.0), table(300, 2), make_task())
    assert found.share is not None
    assert found.share > 0.9
    alone = label_noise.estimate(table(1_500, 1, 1.0), None, make_task())
    assert alone.share == pytest.approx(0, abs=0.01)
    assert alone.base_share is None


def test_numbers_and_categories_tell_labels_too(make_task: Any) -> None:
    task = make_task(
        [
            {"name": "n", "type": "number", "nullable": True},
            {"name": "kind", "type": "category"},
            {"name": "yes", "type": "boolean"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    rng = np.random.default_rng(0)
    truth = rng.random(800) < 0.5
    wrong = rng.random(800) < 0.2
    for told in ("n", "kind", "yes"):
        cells = {
            "n": (truth * 4 + rng.normal(size=800) if told == "n" else rng.normal(size=800)) * 1e6,
            "kind": np.where(truth, "x", "y") if told == "kind" else ["x"] * 800,
            "yes": truth if told == "yes" else rng.random(800) < 0.5,
            "label": np.where(truth ^ wrong, "good", "bad"),
        }
        found = label_noise.estimate(pa.table(cells), None, task)
        assert found.share == pytest.approx(0.2, abs=0.06), told


def test_the_share_is_cleanlabs_joint_off_the_diagonal() -> None:
    rng = np.random.default_rng(3)
    for labels in (2, 4):
        codes = rng.integers(0, labels, 500)
        probabilities = rng.dirichlet(np.ones(labels), 500)
        everything = np.ones(500, bool)
        joint = estimate_joint(codes, probabilities)
        found = label_noise.noise_share(codes, probabilities, everything)
        assert found == pytest.approx(1 - np.trace(joint))


def test_the_share_by_hand() -> None:
    """Thresholds 0.7 and 0.7: of four 0s one is a confident 1, of four 1s none is a 0."""
    first = np.array([0.9, 0.8, 0.8, 0.3, 0.3, 0.3, 0.3, 0.3])
    probabilities = np.column_stack([first, 1 - first])
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert label_noise.noise_share(codes, probabilities, np.ones(8, bool)) == pytest.approx(1 / 8)


def test_each_row_is_judged_by_models_that_did_not_see_it() -> None:
    """Features that name the row: whoever saw it knows its label, who did not, nothing."""
    codes = np.arange(300) % 2
    found = label_noise.out_of_fold(np.eye(300), codes, np.ones(300), 2)
    assert found == pytest.approx(np.full((300, 2), 0.5), abs=0.05)


def test_probabilities_of_several_labels_add_up() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 300)
    features = np.eye(3)[codes] + rng.normal(size=(300, 3)) / 10
    found = label_noise.out_of_fold(features, codes, np.ones(300), 3)
    assert found.sum(axis=1) == pytest.approx(np.ones(300))
    assert (found.argmax(axis=1) == codes).mean() > 0.98


def test_one_label_and_few_rows_have_no_estimate(make_task: Any) -> None:
    one = label_noise.estimate(table(300, 1, labels=("good",)), table(300, 2), make_task())
    assert one.share is None
    assert one.reason == "fewer than two labels have 50 kept rows each"
    few = label_noise.estimate(table(90, 1), table(300, 2), make_task())
    assert few.share is None
    assert label_noise.estimate(table(0, 1), None, make_task()).share is None
    assert label_noise.estimate(table(150, 1), table(0, 2), make_task()).share is not None


def test_a_base_with_few_rows_has_no_share_of_its_own(make_task: Any) -> None:
    found = label_noise.estimate(table(300, 1), table(60, 2), make_task())
    assert found.share is not None
    assert found.base_share is None


def test_the_sample_is_bounded(make_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    fit = label_noise.out_of_fold

    def counted(features: Any, codes: Any, weights: Any, labels: int) -> Any:
        sizes.append(len(codes))
        return fit(features, codes, weights, labels)

    monkeypatch.setattr(label_noise, "out_of_fold", counted)
    monkeypatch.setattr(label_noise, "SAMPLE_ROWS", 400)
    for ours, base in ((1_000, 1_000), (1_000, 100), (150, 1_000), (1_000, 0)):
        label_noise.estimate(table(ours, 1), table(base, 2), make_task())
    assert sizes == [400] * 4
    assert label_noise.estimate(table(500, 1, 0.1), None, make_task()) == label_noise.estimate(
        table(500, 1, 0.1).slice(0, 400), None, make_task()
    )
