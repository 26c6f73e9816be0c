"""The evaluation as Markdown for a comment on a pull request.

A comment is read by whoever contributed, so that by default it holds what the contributor's page
holds; with numbers it is for places that contributors do not see. Words from data are escaped: no
markup, no mention of a user, no link comes from them.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import contributor, metrics, rows, words
from hokusai_assets.reporting.report.verdict import decision_of, verdict, worth

_NO_WIDTH = "&#8203;"
_SPECIAL = re.compile(r"([\\`*_{}\[\]#!|~])")

_COUNTS = (
    ("read", "rows read"),
    ("rejected", "rejected"),
    ("dropped_pii", "dropped for personal data"),
    ("repeated", "equal to a row here or in the base data"),
    ("deduplicated", "deduplicated"),
    ("leaked", "leaked"),
    ("already_paid", "paid for before"),
    ("benchmark_group", "of groups in the benchmark"),
    ("kept", "kept"),
)
_SELDOM = ("dropped_pii", "already_paid", "benchmark_group")


def markdown_summary(
    output: Mapping[str, Any], attestation: Mapping[str, Any], *, numbers: bool = False
) -> str:
    """The summary, ending in a line feed; with `numbers` only for the operator's eyes."""
    decision = decision_of(output, attestation)
    accepted = decision["verdict"] == "accepted"
    task = escaped(output["pipeline_metadata"]["config"]["task_id"])
    lines = []
    if attestation["dry_run"]:
        lines += ["> **DRY RUN.** Base and benchmark are made up; nothing here counts.", ""]
    badge = "Accepted" if accepted else "Rejected"
    provisional = " (provisional)" if worth(decision) else ""
    lines += [f"### {badge}{provisional}: contribution to {task}", ""]
    said = verdict(output, attestation)["sentence"] if numbers else None
    lines += [escaped(said or contributor.plain_verdict(decision)), ""]
    if worth(decision):
        lines += [worth(decision), ""]
    if numbers:
        lines += _deltas(output)
    elif contributor.is_retired(decision):
        lines += _rounded(output)
    for part in rows.contributions(output):
        lines += _cleaning(part, attestation, numbers=numbers)
    core = f" Core digest `{attestation['core_digest']}`." if numbers else ""
    lines += [f"Run `{attestation['run_id']}`.{core}"]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as Markdown that shows it and does nothing else, on one line."""
    plain = html.escape(" ".join(text.split()), quote=False)
    plain = _SPECIAL.sub(r"\\\1", plain)
    # Mentions and links to issues are looked for in what was rendered, so a space without width
    # has to stand there; schemes and hosts would still become links.
    plain = re.sub(r"(@|#(?=\w))", rf"\1{_NO_WIDTH}", plain)
    return re.sub(r"(?i)(www)\.", r"\1&#46;", plain.replace("://", "&#58;//"))


def _deltas(output: Mapping[str, Any]) -> list[str]:
    table = metrics.metric_rows(output)
    intervals = any(row.get("interval") for row in table)
    lines = [
        f"| metric | baseline | candidate | delta | {'interval' if intervals else '± SE'} | p |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in table:
        if "undefined" in row:
            lines.append(f"| {escaped(row['name'])} | undefined: {escaped(row['undefined'])} |||||")
            continue
        cells = (row["baseline"], row["candidate"], row["delta"])
        between = row["interval"] if intervals else row["error"]
        lines.append(f"| {escaped(row['name'])} | {' | '.join((*cells, between, row['p']))} |")
    changes = metrics.row_changes(output)
    if changes is None:
        return [*lines, ""]
    better, worse = changes["said"]["fixed"], changes["said"]["broken"]
    said = f"{changes['fixed']} rows {better}, {changes['broken']} {worse}, of {changes['rows']}."
    return [*lines, "", said, ""]


def _rounded(output: Mapping[str, Any]) -> list[str]:
    lines = ["| metric | without | with | points |", "|---|--:|--:|--:|"]
    for row in contributor.rounded_numbers(output):
        cells = (row["baseline"], row["candidate"], row["delta"])
        lines.append(f"| {escaped(row['name'])} | {' | '.join(cells)} |")
    return [*lines, ""]


def _cleaning(
    part: Mapping[str, Any], attestation: Mapping[str, Any], *, numbers: bool
) -> list[str]:
    cleaning = part["data_manifest"]["cleaning"]
    counts = cleaning if numbers else contributor.cleaning_counts(part)
    told = ", ".join(
        f"{words.count(counts[key])} {meaning}"
        for key, meaning in _COUNTS
        if counts.get(key) or (key in counts and key not in _SELDOM)
    )
    pii = sum(hit["cells"] for hit in cleaning["pii"])
    found = f"Cells with personal data treated: {words.count(pii)}." if pii else ""
    leakage = "" if numbers else contributor.leakage_sentence(part, attestation)
    tail = " ".join(filter(None, (leakage, found)))
    return [f"**{escaped(part['contributor_id'])}**: {told}. {tail}".rstrip(), ""]
