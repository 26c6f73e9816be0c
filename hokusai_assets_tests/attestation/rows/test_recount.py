"""A recount from leaves equals the pipeline, and notices what was changed in either."""

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from hokusai_assets.attestation.bundle import LEAVES
from hokusai_assets.attestation.bundle_reading import Bundle, read_bundle
from hokusai_assets.attestation.rows.leaves import guarded_slices, write_leaves
from hokusai_assets.attestation.rows.opening import check_opening, open_row
from hokusai_assets.attestation.rows.reading import OpenedRows, lines_of, read_leaves
from hokusai_assets.attestation.rows.recount import Recount, differences, recount
from hokusai_assets.defs.running import evaluate
from hokusai_assets.errors import AttestationError
from hokusai_assets_tests.conftest import TASK, Evaluated, SmallTask


def opened(bundle: Bundle, content: bytes | None = None) -> OpenedRows:
    with bundle.open(LEAVES) as stream:
        data = stream.read() if content is None else content
    return read_leaves(
        io.BytesIO(data),
        LEAVES,
        classes=len(bundle.core["benchmark"]["labels"]),
        guarded=guarded_slices(bundle.plan["rule"]),
    )


def counted(bundle: Bundle, content: bytes | None = None) -> Recount:
    return recount(opened(bundle, content), bundle.core, bundle.plan["rule"])


@pytest.fixture(scope="module")
def bundle(evaluated: Evaluated) -> Bundle:
    return read_bundle(evaluated["attestation"].bundle_path)


@pytest.fixture
def run(small: SmallTask, tmp_path: Path) -> Callable[..., Bundle]:
    """The bundle of an evaluation of the small task, changed."""

    def evaluation(text: str = TASK, **inputs: Any) -> Bundle:
        small.task.write_text(text)
        outcome = evaluate(
            {
                "inputs": small.inputs(**inputs),
                "outputs": {"output_dir": str(tmp_path / "out")},
                "tracking": {"backend": "none"},
            },
            dry_run=inputs.get("mode") == "mock",
            progress=lambda step, state: None,
        )
        assert outcome.evaluation is not None, outcome.message
        return read_bundle(outcome.evaluation.attestation.bundle_path)

    return evaluation


def test_a_recount_equals_the_pipeline(bundle: Bundle) -> None:
    found = counted(bundle)
    assert found.not_recounted == {}
    assert differences(bundle.core, found) == []
    # All that follows from rows is there, and here it is equal to the last digit.
    for section in ("joint_counts", "predictions_digests", "metrics", "delta_one", "guards"):
        assert found.sections[section] == bundle.core[section]
    assert bundle.core["rows"]["hides"] is False


SLICES = '[[slices]]\nname = "light"\ncolumn = "weight"\nbelow = 40\n'
SLICES += '[[slices]]\nname = "all"\ncolumn = "weight"\nminimum = 0\n'
SEEDS = TASK.replace("[model.parameters]\nmax_iter = 500", "[model]\nseeds = 3")
GUARDED = f'{SEEDS}\n[guards.margins]\n"slice:light" = 60\n"slice:all" = 50\n{SLICES}'
GROUPED = TASK.replace('labels = ["bad", "good"]', 'labels = ["bad", "so so", "good"]').replace(
    '[[columns]]\nname = "weight"',
    '[[columns]]\nname = "shop"\ntype = "category"\nrole = "group"\nnullable = true\n'
    'allowed = ["aisle", "booth", "corner", "depot", "east", "front", "gate", "hall", "inn"]\n\n'
    '[[columns]]\nname = "weight"',
)
GROUPED += '\n[metrics]\nincluded = ["log_loss", "accuracy", "brier_score", "average_precision"]\n'


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GROUPED, id="three classes, groups, losses in the task's own order"),
        pytest.param(GUARDED, id="seeds and guarded slices"),
        pytest.param(f'{TASK}\n[metrics]\nincluded = ["accuracy"]\n', id="accuracy alone"),
    ],
)
def test_dry_runs_of_every_kind_are_recounted(text: str, run: Callable[..., Bundle]) -> None:
    bundle = run(text, mode="mock", contributions=[])
    found = counted(bundle)
    assert bundle.core["dry_run"] is bundle.plan["dry_run"] is True
    assert bundle.decision["body"]["dry_run"] is True
    assert (differences(bundle.core, found), found.not_recounted) == ([], {})
    core, rows = bundle.core, opened(bundle).rows
    assert core["benchmark"]["clusters"] == rows.cluster_count
    assert len(core["joint_counts"]) == len(core["seeds"]) == rows.pairs()
    if text is GUARDED:
        by_name = {guard["name"]: guard for guard in core["guards"]}
        assert by_name["slice:all"]["rows"] == core["rows"]["count"]
        assert 0 < by_name["slice:light"]["rows"] < core["rows"]["count"]
    if text is GROUPED:
        assert 2 < core["benchmark"]["clusters"] < core["rows"]["count"]
        assert core["delta_one"]["degrees_of_freedom_milli"] > 1000


@pytest.mark.slow
def test_a_stored_baseline_stands_in_every_pair(run: Callable[..., Bundle]) -> None:
    first = run()
    stored = next(Path(first.place, "audit/models/candidate").iterdir())
    again = run(SEEDS, baseline=str(stored))
    rows = opened(again).rows
    assert (rows.baseline.seeds, rows.candidate.seeds) == (1, 3)
    assert differences(again.core, counted(again)) == []
    assert again.core["baseline"]["origin"] == "stored"


@pytest.mark.slow
def test_a_metric_of_ones_own_is_named_and_not_pretended(
    run: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_of_recount.py").write_text(
        "def share(truth, labels, scores):\n    return float((truth == labels).mean())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "own_of_recount:share"
    text = f'{TASK}\n[metrics]\nincluded = ["accuracy", "{name}"]\n'
    bundle = run(text)
    found = counted(bundle)
    assert list(found.not_recounted) == [f"metrics.{name}"]
    assert differences(bundle.core, found) == []
    assert "delta_one" in found.sections
    weighted = run(f'{text}weights = {{ accuracy = 1, "{name}" = 1 }}\n')
    found = counted(weighted)
    assert set(found.not_recounted) == {f"metrics.{name}", "delta_one"}
    assert "delta_one" not in found.sections
    assert differences(weighted.core, found) == []


def numbers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        if isinstance(item, dict | list):
            found += numbers(item, (*path, key))
        else:
            found.append((*path, key))
    return found


def test_every_number_of_the_core_that_rows_tell_is_checked(bundle: Bundle) -> None:
    found = counted(bundle)
    paths = numbers(found.sections)
    assert len(paths) > 100
    for path in paths:
        core = copy.deepcopy(bundle.core)
        place: Any = core
        for part in path[:-1]:
            place = place[part]
        old = place[path[-1]]
        for new in ("x" if old is None else None, old + 2 if type(old) is int else "y"):
            place[path[-1]] = new
            problems = differences(core, found)
            assert len(problems) == 1, path
            assert all(str(part) in problems[0] for part in path)
        del place[path[-1]]
        assert differences(core, found), path


def test_one_unit_is_forgiven_of_errors_and_none_of_counts(bundle: Bundle) -> None:
    found = counted(bundle)
    for path, fine in (
        (("delta_one", "standard_error_nano"), True),
        (("delta_one", "p_value_pico"), True),
        (("metrics", "accuracy", "interval", "low_nano"), True),
        (("delta_one", "millionths"), False),
        (("metrics", "auroc", "baseline_millionths"), False),
        (("benchmark", "rows"), False),
    ):
        core = copy.deepcopy(bundle.core)
        place: Any = core
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] += 1
        assert (differences(core, found) == []) == fine, path
    core = copy.deepcopy(bundle.core)
    core["metrics"]["invented"] = core["metrics"]["accuracy"]
    assert "core.metrics.invented is no included metric" in differences(core, found)[0]


def test_every_changed_leaf_is_noticed(bundle: Bundle) -> None:
    """Root apart: a forger who makes a new root must still get the numbers to follow."""
    with bundle.open(LEAVES) as stream:
        texts = list(lines_of(stream, LEAVES))
    labels = len(bundle.core["benchmark"]["labels"])

    def with_leaf(index: int, change: Callable[[list[Any]], None]) -> list[str]:
        leaf = json.loads(texts[index])
        change(leaf)
        lines = [*texts[:index], rfc8785.dumps(leaf), *texts[index + 1 :]]
        stream = io.BytesIO()
        write_leaves((line.decode() for line in lines), stream, hides=False)
        return differences(bundle.core, counted(bundle, stream.getvalue()))

    def relabel(leaf: list[Any]) -> None:
        leaf[3] = (leaf[3] + 1) % labels

    def repredict(leaf: list[Any]) -> None:
        leaf[5][0][0] = (leaf[5][0][0] + 1) % labels

    def rescore(leaf: list[Any]) -> None:
        leaf[4][0][1] += 1 if leaf[4][0][1] < 10**6 else -1

    def rename(leaf: list[Any]) -> None:
        leaf[1] = "0" * 64

    assert with_leaf(5, lambda leaf: None) == []
    for change, said in (
        (relabel, "core.joint_counts"),
        (repredict, "core.predictions_digests.candidate"),
        (rescore, "core.predictions_digests.baseline"),
        (rename, "core.rows.root"),
    ):
        problems = with_leaf(5, change)
        assert any(p.startswith("core.rows.root") for p in problems)
        assert any(p.startswith(said) for p in problems), said


def test_one_row_of_a_bundle_is_proven_alone(bundle: Bundle) -> None:
    with bundle.open(LEAVES) as stream:
        opening = open_row(lines_of(stream, LEAVES), 123)
    leaf = check_opening(opening, bundle.core["rows"], "opening")
    assert leaf[0] == 123
    assert len(json.dumps(opening)) < 2_000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda core, rule: core["benchmark"].pop("labels"),
        lambda core, rule: core["benchmark"].update(labels=["one"]),
        lambda core, rule: core["benchmark"].update(labels=7),
        lambda core, rule: rule.pop("guards"),
        lambda core, rule: rule.update(included=["nothing"]),
        lambda core, rule: rule.update(number_of_seeds=2),
        lambda core, rule: rule["tests"].update(delta_one="cluster_t"),
        lambda core, rule: rule.update(guards=[{"name": "x"}]),
        lambda core, rule: rule.update(guards=[{**rule["guards"][0], "class": 9}]),
    ],
)
def test_a_malformed_core_or_rule_is_an_error_and_no_traceback(
    bundle: Bundle, spoil: Callable[[Any, Any], Any]
) -> None:
    core, rule = copy.deepcopy(bundle.core), copy.deepcopy(bundle.plan["rule"])
    rows = opened(bundle)
    spoil(core, rule)
    with pytest.raises(AttestationError, match="cannot be recounted"):
        recount(rows, core, rule)
