"""The printed summary: 25 lines, 80 columns, and nothing that is not so."""

from typing import Any

import pytest

from hokusai_assets.records import Attestation, DeltaReport, NullRun, ReleasedModel, SeedNoise
from hokusai_assets.reporting.summary import (
    cleaning_sentence,
    deltas_sentence,
    summary_lines,
    verdict_sentence,
)
from hokusai_assets_tests.conftest import Evaluated


def lines(evaluated: Evaluated, **changes: Any) -> list[str]:
    return summary_lines(
        changes.get("attestation", evaluated["attestation"]),
        changes.get("report", evaluated["delta_report"]),
        evaluated["contributed_data"],
        evaluated["benchmark_dataset"],
        evaluated["merged_dataset"],
    )


def decided(evaluated: Evaluated, **changes: Any) -> Attestation:
    attestation: Attestation = evaluated["attestation"]
    return attestation.model_copy(
        update={"decision": attestation.decision.model_copy(update=changes)}
    )


def test_it_fits_a_terminal(evaluated: Evaluated) -> None:
    # Paths are not broken over lines, so that they can be copied; here they are long.
    shown = [line for line in lines(evaluated) if str(evaluated.outputs) not in line]
    assert max(map(len, shown)) <= 80
    assert len(lines(evaluated)) <= 25


def test_it_adds_up_contributors(evaluated: Evaluated) -> None:
    text = "\n".join(lines(evaluated))
    assert "300 rows read, 0 rejected, 1 deduplicated, 0 leaked, 299 kept" in text
    assert "120 base + 299 contributed = 419 (append)" in text
    assert "phone in 1" in text


def test_every_metric_has_a_line(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    text = lines(evaluated)
    for delta in report.deltas:
        (line,) = [one for one in text if one.startswith(f"{delta.metric} ")]
        assert delta.baseline.value is not None
        assert f"{delta.baseline.value:.4f} -> {delta.candidate.value:.4f}" in line
        assert delta.delta is not None
        assert f"{100 * delta.delta:+.2f} pts" in line


def test_losses_and_long_names_keep_their_columns(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    names = ("log_loss", "matthews_correlation", "metrics.of_my_own_company:cost_of_errors")
    deltas = tuple(
        d.model_copy(update={"metric": name, "higher_is_better": name != "log_loss"})
        for name, d in zip(names, report.deltas, strict=False)
    )
    changed = report.model_copy(update={"deltas": deltas})
    text = lines(evaluated, report=changed)
    assert "lower is better: log_loss" in "\n".join(text)
    start = next(i for i, line in enumerate(text) if line.startswith("metric "))
    table = text[start : start + 4]
    assert "of_my_own_company:cost_of_errors"[-19:] in table[3]
    assert len({len(line) for line in table}) == 1
    assert max(map(len, table)) <= 80
    assert "log_loss +" in deltas_sentence(changed)
    assert deltas_sentence(changed).count("(lower is better)") == 1
    assert "lower is better" not in "\n".join(lines(evaluated))


def test_what_is_undefined_says_why(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    changed = report.model_copy(
        update={
            "deltas": tuple(
                d.model_copy(update={"delta": None, "undefined": "no scores"})
                for d in report.deltas
            ),
            "delta_one": report.delta_one.model_copy(
                update={"value": None, "undefined": "no metric is defined"}
            ),
        }
    )
    text = "\n".join(lines(evaluated, report=changed))
    assert text.count("undefined: no scores") == len(report.deltas)
    assert "undefined: no metric is defined" in text
    assert deltas_sentence(changed).startswith("DeltaOne undefined (accuracy undefined")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": "accepted", "provisional": False, "dry_run": False}, "ACCEPTED"),
        ({"verdict": "accepted", "provisional": True, "dry_run": False}, "ACCEPTED (provisional"),
        ({"verdict": "rejected", "provisional": False, "dry_run": False}, "REJECTED"),
        ({"verdict": "accepted", "provisional": False, "dry_run": True}, "DRY RUN, counts for"),
    ],
)
def test_the_verdict_says_what_it_is_worth(
    evaluated: Evaluated, changes: dict[str, Any], said: str
) -> None:
    attestation = decided(evaluated, **changes)
    assert verdict_sentence(attestation).startswith(said)
    assert any(f"Verdict       {said}" in one for one in lines(evaluated, attestation=attestation))


def test_a_dry_run_never_reads_like_an_acceptance(evaluated: Evaluated) -> None:
    attestation = decided(evaluated, verdict="accepted", provisional=False, dry_run=True)
    assert "ACCEPTED" not in "\n".join(lines(evaluated, attestation=attestation))


def test_failing_clauses_are_marked(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    failing = tuple(c.model_copy(update={"holds": False}) for c in report.clauses)
    text = lines(evaluated, report=report.model_copy(update={"clauses": failing}))
    assert sum(one.startswith("  FAILS ") for one in text) == len(report.clauses)
    assert not any(one.startswith("  holds ") for one in text)


@pytest.mark.parametrize("pico", [0, 1])
def test_a_tiny_p_value_is_a_bound(evaluated: Evaluated, pico: int) -> None:
    report: DeltaReport = evaluated["delta_report"]
    tiny = tuple(d.model_copy(update={"p_value_pico": pico}) for d in report.deltas)
    text = lines(evaluated, report=report.model_copy(update={"deltas": tiny}))
    assert sum("<=1e-12" in one for one in text) >= len(report.deltas)


def test_cleaning_in_one_sentence(evaluated: Evaluated) -> None:
    (first, second) = evaluated["contributed_data"].contributions
    assert cleaning_sentence(first) == (
        "alice: 200 rows read, 0 rejected, 0 dropped for PII, 1 duplicates, 0 leaked, 199 kept"
    )
    assert cleaning_sentence(second).startswith("bob: 100 rows read")


def test_what_happens_seldom_stands_there_when_it_happened(evaluated: Evaluated) -> None:
    """The counts go on adding up to the rows read."""
    first = evaluated["contributed_data"].contributions[0]
    counts = first.counts.model_copy(update={"already_paid": 4, "benchmark_group": 3, "kept": 192})
    told = cleaning_sentence(first.model_copy(update={"counts": counts}))
    assert told.endswith("4 paid for before, 3 of groups in the benchmark, 192 kept")
    assert "paid" not in cleaning_sentence(first)


def test_the_benchmark_says_what_it_lacks(evaluated: Evaluated) -> None:
    benchmark = evaluated["benchmark_dataset"].model_copy(
        update={"left_out_group": 12, "class_rows_needed": 10_000}
    )
    text = " ".join(
        summary_lines(
            evaluated["attestation"],
            evaluated["delta_report"],
            evaluated["contributed_data"],
            benchmark,
            evaluated["merged_dataset"],
        )
    )
    assert "12 left out, their group is in base" in " ".join(text.split())
    assert "(a class needs 10,000; add rows of it)" in " ".join(text.split())


def test_seeds_are_told_where_there_are_several(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    assert not any(line.startswith(("Null run", "Released")) for line in lines(evaluated))
    noise = SeedNoise(largest_bps=41.6, deviation_bps=20.4, deviation_of_means_bps=9.1)
    several = report.model_copy(
        update={
            "null_run": NullRun(model="baseline", seeds=5, noise={"accuracy": noise}),
            "released": ReleasedModel(deltas={"accuracy": 0.0125}, delta_one=-0.0047),
        }
    )
    shown = lines(evaluated, report=several)
    assert max(len(line) for line in shown if str(evaluated.outputs) not in line) <= 80
    text = " ".join(" ".join(shown).split())
    assert "Null run the baseline against itself, 5 seeds: accuracy differs by at most 42" in text
    assert "standard deviation 20 (9 of the means)" in text
    assert "Released the first seed's: accuracy +1.25 pts, DeltaOne -0.47 pts" in text
