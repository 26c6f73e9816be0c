"""`contributor_{run_id}.html`: what a contributor may know.

While a benchmark is live that is the verdict, and what cleaning found as it would have been found
without the benchmark. Everything else could be used to fit rows to it: no metric, no class, no
clause, no guard, no count that depends on which rows leaked, no digest or quality of the cleaned
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
    """Below or above what is accepted; never how many, nor whether there are any.

    Nothing of a file of so few rows that one alone is more than is accepted: the sentence would say
    of that row whether it stands in the benchmark. Rows that only repeat others, in other words or
    writing, do not make them more.
    """
    cleaning = part["data_manifest"]["cleaning"]
    leaked = cleaning["leaked"]
    distinct = leaked + cleaning["kept"]
    limit = attestation["plan"]["rule"]["max_leaked_share_millionths"]
    if limit * distinct < 10**6:
        return (
            "Whether rows stand in the benchmark is not told of so few: it would say of a single "
            "row whether it does."
        )
    side = "below" if leaked * 10**6 <= limit * distinct else "above"
    return f"Rows that stand in the benchmark: {side} {limit / 10**4:g} %."


def cleaning_counts(part: Mapping[str, Any]) -> dict[str, int]:
    """Counts that no benchmark changes: read, rejected, dropped_pii, repeated, compared.

    `repeated` are exact duplicates only. A row that differs from another in writing, or nearly
    repeats it, is counted as leaked where it leaks, so that a count of these would tell by
    subtraction how many do: anyone can count them at home with no benchmark.
    """
    cleaning = part["data_manifest"]["cleaning"]
    found = {key: cleaning[key] for key in ("read", "rejected", "dropped_pii")}
    found["repeated"] = sum(cleaning[f"duplicates_{of}"] for of in ("within", "of_base", "across"))
    found["compared"] = found["read"] - sum(
        found[key] for key in ("rejected", "dropped_pii", "repeated")
    )
    return found


def rounded_numbers(output: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each metric in whole points; what is not told in points is left out."""
    return [
        {
            "name": words.spaced(metric)
            + (
                "" if words.higher_is_better(metric, output["statistics"]) else " (lower is better)"
            ),
            "baseline": words.percent(delta["baseline_value"], 0),
            "candidate": words.percent(delta["new_value"], 0),
            "delta": words.whole_points(delta["absolute_delta"]),
        }
        for metric, delta in output["delta_computation"]["metric_deltas"].items()
        if words.in_points(
            metric, output["statistics"], delta["baseline_value"], delta["new_value"]
        )
    ]


def _steps(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    unseen = ("leaked", "already_paid", "benchmark_group")
    known = {"deduplicated": counts["repeated"], **dict.fromkeys(unseen, 0)}
    steps = rows.steps_of({**counts, **known, "kept": counts["compared"]}, without=unseen)
    for step in steps:
        if step["name"].startswith("deduplicated"):
            step["name"] = "deduplicated: equal to a row here or in the base data"
    steps[-1]["name"] = "compared with the benchmark and with rows that say nearly the same"
    return steps


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
            steps=_steps(cleaning_counts(part)),
            leakage=leakage_sentence(part, attestation),
            rejections=rows.rejections(manifest),
            pii=rows.personal_data(manifest),
            pii_policy=manifest["cleaning"]["pii_policy"],
            dropped_columns=manifest["cleaning"]["dropped_columns"],
            file=manifest["source_path"],
            data_hash=part["data_hash"],
        )
    )
