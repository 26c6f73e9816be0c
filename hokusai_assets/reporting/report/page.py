"""`report_{run_id}.html`: the evaluation as one page that needs nothing else.

A pure function of the two JSON files, so that anyone who has them makes the same bytes. No script,
no network, no other file: plots are SVG in the page, drawn by the templates (docs/adr/0011). What
comes from data is escaped by jinja2, and the page forbids the browser to load or run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from hokusai_assets.reporting.report import metrics, rows, scores, words
from hokusai_assets.reporting.report.benchmark import benchmark_notes, training_notes
from hokusai_assets.reporting.report.inconclusive import inconclusive
from hokusai_assets.reporting.report.verdict import clauses, decision_of, level, money, verdict

if TYPE_CHECKING:
    import jinja2

TEMPLATE = "report.html.jinja"


def report_name(run_id: str) -> str:
    """The page's file name."""
    return f"report_{run_id}.html"


def render_report(output: Mapping[str, Any], attestation: Mapping[str, Any]) -> str:
    """The page of one evaluation, of its delta_output and its attestation as parsed JSON."""
    decision = decision_of(output, attestation)
    statistics = output["statistics"]
    table = metrics.metric_rows(output)
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            run_id=attestation["run_id"],
            timestamp=attestation["timestamp"],
            dry_run=attestation["dry_run"],
            signed=attestation["signed"],
            task_id=output["pipeline_metadata"]["config"]["task_id"],
            contributors=words.names([c["contributor_id"] for c in rows.contributions(output)]),
            estimator=words.spaced(output["pipeline_metadata"]["config"]["estimator"]),
            benchmark=output["evaluation_metadata"]["benchmark_dataset"],
            benchmark_rows=words.count(statistics["benchmark_rows"]),
            benchmark_notes=benchmark_notes(output),
            training_notes=training_notes(output),
            verdict=verdict(output, attestation),
            metrics=table,
            intervals=any(row.get("interval") for row in table),
            interval_level=_interval_level(statistics),
            plots=metrics.delta_plots(output),
            notes=metrics.notes(output),
            changes=metrics.row_changes(output),
            clauses=clauses(decision),
            level=level(decision),
            money=money(decision),
            inconclusive=inconclusive(output, decision),
            confusion=scores.confusion(output),
            per_class=scores.per_class(output),
            curves=scores.curves(output),
            deciles=scores.deciles(output),
            slices=metrics.slices(output),
            funnel=rows.funnel(output),
            contributions=[
                {
                    "id": c["contributor_id"],
                    "manifest": c["data_manifest"],
                    "pii": rows.personal_data(c["data_manifest"]),
                    "rejections": rows.rejections(c["data_manifest"]),
                    "quality": rows.quality(c["data_manifest"]),
                }
                for c in rows.contributions(output)
            ],
            shares=rows.shares(output),
            digests=rows.digests(output, attestation),
        )
    )


@cache
def environment() -> jinja2.Environment:
    """Templates with autoescape, in which a name that is missing is an error."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("hokusai_assets.reporting", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def compile_templates() -> None:
    """Compile every template ahead of its use: a tenth of a second that may be spent waiting."""
    for name in environment().list_templates():
        environment().get_template(name)


def _interval_level(statistics: Mapping[str, Any]) -> str:
    told = [*statistics["deltas"].values(), statistics["delta_one"]]
    level = next((one["interval_level"] for one in told if one.get("interval_level")), 0.95)
    return f"{100 * level:g} %"
