"""An estimator that draws at random, from end to end: what several trainings say of one another."""

import json
from pathlib import Path

import pytest

from hokusai_assets.attestation.verifying.verify import verify
from hokusai_assets.defs import metadata
from hokusai_assets.defs.running import evaluate
from hokusai_assets_tests.conftest import TASK, SmallTask

FOREST = '[model]\nestimator = "random_forest"\nseeds = 2\n\n[model.parameters]\nn_estimators = 5'


@pytest.mark.slow
def test_the_null_run_follows_from_the_joint_counts_of_the_core(
    small: SmallTask, tmp_path: Path
) -> None:
    """So that it needs no place in the core, and whoever has the core can check it."""
    small.task.write_text(TASK.replace("[model.parameters]\nmax_iter = 500", FOREST))
    outcome = evaluate(
        {
            "inputs": small.inputs(),
            "outputs": {"output_dir": str(tmp_path / "out")},
            "tracking": {"backend": "none"},
        },
        dry_run=False,
        progress=lambda step, state: None,
    )
    assert outcome.evaluation is not None, outcome.message
    record = outcome.evaluation.attestation
    told = json.loads(Path(record.delta_output_path).read_text())["statistics"]
    right = [
        [sum(n for label, *said, n in table if said[model] == label) for model in (0, 1)]
        for table in record.core["joint_counts"]
    ]
    (before, after), (other, _) = right
    gap = abs(before - other) / 400 * 10_000
    noise = told["null_run"]["noise"]["accuracy"]
    assert (told["null_run"]["model"], told["null_run"]["seeds"]) == ("baseline", 2)
    assert (noise["largest_bps"], noise["deviation_bps"]) == pytest.approx((gap, gap))
    own = told["released_model"]["deltas"]["accuracy"]
    assert own == pytest.approx((after - before) / 400)
    assert "null_run" not in json.dumps(record.core)
    assert all(step.verdict != "fails" for step in verify(record.bundle_path).steps)
    page = Path(record.report_path).read_text()
    assert "Null run, the noise floor" in page and "The model that is released" in page
    shown = metadata.of_report(outcome.evaluation.report, plot=False)
    assert "the baseline against itself, 2 seeds" in shown["null_run"]
    assert shown["released_model"].startswith("the first seed's: accuracy")
