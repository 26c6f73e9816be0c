"""What the report shows of the data: the funnel, personal data, quality, shares, digests."""

from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import words

# Where rows go, in the order of cleaning: key of the manifest's `cleaning`, and what it means.
STEPS = (
    ("rejected", "rejected: do not fit the task"),
    ("dropped_pii", "dropped for personal data"),
    ("deduplicated", "deduplicated: said already, here or in the base data"),
    ("leaked", "leaked: stand in the benchmark"),
    ("already_paid", "paid for before"),
    ("benchmark_group", "of a group that stands in the benchmark"),
)
_SELDOM = {"dropped_pii", "already_paid", "benchmark_group"}


def contributions(output: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One record a contributor, however many there are."""
    first: Mapping[str, Any] = output["contributor_attribution"]
    return first.get("contributors") or [first]


def funnel(output: Mapping[str, Any]) -> dict[str, Any]:
    """From the rows read to the rows merged, all contributions together."""
    manifests = [c["data_manifest"]["cleaning"] for c in contributions(output)]
    total = {key: sum(m.get(key, 0) for m in manifests) for key in ("read", "kept", *dict(STEPS))}
    training = output["new_model"]["training_metadata"]
    return {
        "steps": steps_of(total),
        "merged": {
            "base": words.count(training["rows_from_base"]),
            "kept": words.count(total["kept"]),
            "all": words.count(training["training_rows"]),
            "strategy": training["merge_strategy"],
            "updated": words.count(training["rows_updated"]) if training["rows_updated"] else "",
        },
    }


def steps_of(counts: Mapping[str, int], *, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """From read to kept; what happens seldom stands there only when it happened."""
    left = read = counts["read"]
    steps = [_step("read", read, left, read)]
    for key, meaning in STEPS:
        gone = counts[key]
        if key in without or (not gone and key in _SELDOM):
            continue
        left -= gone
        steps.append(_step(meaning, -gone, left, read, gone=gone))
    return [*steps, _step("kept", counts["kept"], counts["kept"], read)]


def personal_data(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Cells treated, by column and kind."""
    return [
        {
            "column": hit["column"],
            "kind": words.spaced(hit["detector"]),
            "cells": words.count(hit["cells"]),
            "action": hit["action"],
        }
        for hit in manifest["cleaning"]["pii"]
    ]


def rejections(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Why rows were rejected, by column and reason."""
    return [
        {
            "column": told["column"] or "(row)",
            "reason": told["reason"],
            "count": words.count(told["count"]),
        }
        for told in manifest["cleaning"]["rejections"]
    ]


def quality(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """The score and its parts, each with a bar."""
    found = manifest["quality"]
    if found is None:
        return None
    return {
        "score": f"{found['score']:.3f}",
        "parts": [
            {
                "name": words.spaced(part["name"]),
                "definition": part["definition"],
                "reason": part["reason"] if part["value"] is None else None,
                "value": "undefined" if part["value"] is None else f"{part['value']:.3f}",
                "base": None if part["base_value"] is None else f"{part['base_value']:.3f}",
                "width": None if part["value"] is None else round(100 * part["value"], 2),
            }
            for part in found["parts"]
        ],
    }


def shares(output: Mapping[str, Any]) -> list[dict[str, str]]:
    """Whose rows the candidate was trained on."""
    return [
        {
            "contributor": one["contributor_id"],
            "wallet": one["wallet_address"],
            "kept": words.count(one["contributed_samples"]),
            "share": words.percent(one["contributor_weights"]),
        }
        for one in contributions(output)
    ]


def digests(output: Mapping[str, Any], attestation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What names the evaluation, its inputs and its files."""
    roots = attestation["core"]["content_roots"]
    found = [
        ("core digest", attestation["core_digest"]),
        ("plan", attestation["core"]["plan_digest"]),
        ("task", attestation["core"]["task_digest"]),
        ("base data", roots["base"]),
        ("benchmark as scored", roots["benchmark_scored"]),
    ]
    ids = [c["contributor_id"] for c in contributions(output)]
    for name, root in zip(ids, roots["contributions"], strict=True):
        found.append((f"{name}'s data as received", root["received"]))
        found.append((f"{name}'s data as cleaned", root["cleaned"]))
    found.append(("training data", roots["merged"]))
    found += [
        (f"{role} model file", attestation["models"][key]["model_hash"])
        for role, key in (("baseline", "baseline"), ("candidate", "improved"))
    ]
    found += sorted(attestation["files"].items())
    return found


def _step(name: str, change: int, left: int, read: int, *, gone: int = 0) -> dict[str, Any]:
    whole = max(read, 1)
    return {
        "name": name,
        "change": words.count(change).replace("-", words.MINUS),
        "width": round(100 * left / whole, 2),
        "gone": round(100 * gone / whole, 2),
    }
