"""`contributor_{run_id}.html`: what a contributor may know.

While a benchmark is live that is the verdict, and what cleaning found as it would have been found
without the benchmark. Everything else could be used to fit rows to it: no metric, no class, no
clause, no guard, no count that tells how many rows leaked, no digest or quality of the cleaned
rows (which would tell the leaked ones by trial). An acceptance that counts retires the benchmark;
then whole points may be shown. A provisional one retires nothing: no ledger knows of it, and the
next evaluation uses the same benchmark.
"""

from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import rows, words
from hokusai_assets.reporting.report.page import environment
from hokusai_assets.reporting.report.verdict import decision_of, worth

TEMPLATE = "contributor.html.jinja"


def contributor_names(run_id: str, contributors: int) -> tuple[str, ...]:
    """The pages' file names: one each, numbered where there are several contributors."""
    if contributors == 1:
        return (f"contributor_{run_id}.html",)
    return tuple(f"contributor_{run_id}_{number}.html" for number in range(1, contributors + 1))


def render_contributor_pages(
    output: Mapping[str, Any], attestation: Mapping[str, Any]
) -> dict[str, str]:
    """The pages by file name; a contributor's page says nothing of the other contributors."""
    parts = rows.contributions(output)
    found = contributor_names(attestation["run_id"], len(parts))
    return {
        name: _render(part, output, attestation) for name, part in zip(found, parts, strict=True)
    }


def is_retired(decision: Mapping[str, Any]) -> bool:
    """Whether this evaluation retires its benchmark, so that rounded numbers may be shown."""
    return (
        decision["verdict"] == "accepted"
        and decision["retire"] == "on_acceptance"
        and not decision["provisional"]
        and not decision["dry_run"]
    )


def plain_verdict(decision: Mapping[str, Any]) -> str:
    """The verdict without any reason: reasons hold numbers."""
    if decision["verdict"] == "accepted":
        return "The contribution is accepted: with it the model is better by enough to be sure."
    return "The contribution is not accepted."


def leakage_sentence(part: Mapping[str, Any], attestation: Mapping[str, Any]) -> str:
    """None, below or above what is accepted; never how many."""
    cleaning = part["data_manifest"]["cleaning"]
    leaked = cleaning["leaked"]
    distinct = leaked + cleaning["already_paid"] + cleaning["kept"]
    limit = attestation["plan"]["rule"]["max_leaked_share_millionths"]
    if not leaked:
        return "Rows that stand in the benchmark: none."
    side = "below" if leaked * 10**6 <= limit * distinct else "above"
    return f"Rows that stand in the benchmark: {side} {limit / 10**4:g} %."


def cleaning_steps(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the rows went before the benchmark was looked at."""
    cleaning = part["data_manifest"]["cleaning"]
    before = {"kept": cleaning["kept"] + cleaning["leaked"], "leaked": 0}
    steps: list[dict[str, Any]] = rows.steps_of({**cleaning, **before}, without=("leaked",))
    steps[-1]["name"] = "would be used, less those that stand in the benchmark"
    return steps


def rounded_numbers(output: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each metric in whole points; what is not told in points is left out."""
    return [
        {
            "name": words.spaced(metric),
            "baseline": words.percent(delta["baseline_value"], 0),
            "candidate": words.percent(delta["new_value"], 0),
            "delta": words.whole_points(delta["absolute_delta"]),
        }
        for metric, delta in output["delta_computation"]["metric_deltas"].items()
        if words.in_points(metric, output["statistics"])
    ]


def _render(
    part: Mapping[str, Any], output: Mapping[str, Any], attestation: Mapping[str, Any]
) -> str:
    decision = decision_of(output, attestation)
    manifest = part["data_manifest"]
    accepted = decision["verdict"] == "accepted"
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            run_id=attestation["run_id"],
            timestamp=attestation["timestamp"],
            dry_run=attestation["dry_run"],
            task_id=output["pipeline_metadata"]["config"]["task_id"],
            contributor=part["contributor_id"],
            accepted=accepted,
            badge="Accepted" if accepted else "Rejected",
            sentence=plain_verdict(decision),
            worth=worth(decision),
            numbers=rounded_numbers(output) if is_retired(decision) else [],
            steps=cleaning_steps(part),
            leakage=leakage_sentence(part, attestation),
            rejections=rows.rejections(manifest),
            pii=rows.personal_data(manifest),
            pii_policy=manifest["cleaning"]["pii_policy"],
            dropped_columns=manifest["cleaning"]["dropped_columns"],
            file=manifest["source_path"],
            data_hash=part["data_hash"],
        )
    )
