"""What a mint request takes from core, plan and decision, each field looked at before it is used.

The bytes come from a folder that anybody may have written, so that types count too: true is no 1,
and "7800" no number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.signing.statements import PublicFiles
from hokusai_assets.decision_rule import basis_points
from hokusai_assets.digests import digest_json
from hokusai_assets.errors import IdentityError
from hokusai_assets.identity import check_wallet_address

# Only of metrics that may be primary: for another, the contract would take any text.
METRIC_FAMILIES: Mapping[str, str] = {
    "accuracy": "proportion",
    "recall": "proportion",
    "mae": "continuous",
    "rmse": "continuous",
    "r2": "continuous",
}
# Of these, whatever a plan says of them, a fall is better, and a contract pays for a rise.
LOSSES = frozenset({"mae", "rmse"})
FULL_WEIGHT_BPS = 10_000
# The contract takes 100; a transaction's gas is used up at 40.
MAX_CONTRIBUTORS = 39

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class MintFacts:
    """Scores in basis points, digests as hex, contributors as (EIP-55 address, weight in bps)."""

    metric: str
    family: str
    baseline_bps: int
    candidate_bps: int
    payable_bps: int
    total_samples: int
    dataset_root: str
    baseline_commitment: str
    candidate_commitment: str
    contributors: tuple[tuple[str, int], ...]


def mint_facts(files: PublicFiles, run_id: str) -> tuple[MintFacts | None, list[str]]:
    """The facts, and everything in the files that speaks against minting; None where one lacks."""
    problems = [*_verdict_problems(files)]
    if not _RUN_ID.fullmatch(run_id):
        problems.append("The run id must be 1 to 64 letters, digits, '-' and '_'.")
    core, plan = files.core, files.plan
    rule = plan.get("rule")
    if not isinstance(rule, Mapping):
        return None, [*problems, "plan.json: rule is missing."]
    before = len(problems)
    metric = rule.get("primary")
    family = METRIC_FAMILIES.get(metric) if isinstance(metric, str) else None
    if family is None:
        problems.append(
            "plan.json: rule.primary is a metric of no known family (known: "
            f"{', '.join(sorted(METRIC_FAMILIES))}): a contract would take any."
        )
    scores = {
        model: _score_bps(core, str(metric), model, problems) for model in ("baseline", "candidate")
    }
    samples = at(core, "benchmark", "rows")
    if type(samples) is not int or samples < 1:
        problems.append("core.json: benchmark.rows must be a whole number above 0.")
    payable = files.decision.get("payable_bps")
    if type(payable) is not int or payable < 0:
        problems.append("decision.json: body.payable_bps must be a whole number from 0.")
    dataset = _hash(core, problems, "content_roots", "benchmark_scored")
    commitments = _commitments(core, problems)
    contributors = _contributors(core, problems)
    if len(problems) > before:
        return None, problems
    facts = MintFacts(
        str(metric),
        str(family),
        scores["baseline"],
        scores["candidate"],
        payable if type(payable) is int else 0,
        samples,
        dataset,
        *commitments,
        contributors,
    )
    return facts, problems


def _verdict_problems(files: PublicFiles) -> list[str]:
    problems = []
    if files.dry_run:
        problems.append("It was a dry run: base and benchmark are made up. Evaluate real data.")
    if files.decision["verdict"] != "accepted":
        problems.append(
            f"The verdict is {files.decision['verdict']}: only what was accepted is minted."
        )
    if files.decision["provisional"]:
        problems.append(
            "The decision is provisional: no ledger counted the attempt. Evaluate with a ledger."
        )
    retire = at(files.plan, "rule", "retire")
    if retire not in ("on_acceptance", "never"):
        problems.append("plan.json: rule.retire must be on_acceptance or never.")
    return problems


def _commitments(core: Mapping[str, Any], problems: list[str]) -> tuple[str, str]:
    """SHA-256 of configuration, training root, seeds and predictions of baseline and candidate.

    A stored baseline was trained elsewhere: its file's digest stands for its configuration, and it
    has no seeds here.
    """
    configuration = _hash(core, problems, "model_configuration_digest")
    seeds = core.get("seeds")
    if not isinstance(seeds, list) or not seeds or any(type(seed) is not int for seed in seeds):
        problems.append("core.json: seeds must be a list of whole numbers, at least one.")
    origin = at(core, "baseline", "origin")
    stored = origin == "stored"
    if origin not in ("stored", "trained"):
        problems.append("core.json: baseline.origin must be stored or trained.")
    file_sha256 = _hash(core, problems, "baseline", "file_sha256") if stored else ""
    parts = {}
    for model, root in (("baseline", "base"), ("candidate", "merged")):
        own = stored and model == "baseline"
        parts[model] = digest_json(
            {
                "model_configuration_digest": file_sha256 if own else configuration,
                "training_root": _hash(core, problems, "content_roots", root),
                "seeds": [] if own else seeds,
                "predictions_digest": _hash(core, problems, "predictions_digests", model),
            }
        )
    if parts["baseline"] == parts["candidate"]:
        problems.append(
            "The candidate's commitment equals the baseline's: both are the same model on the same "
            "rows, and nothing was gained."
        )
    return parts["baseline"], parts["candidate"]


def _contributors(core: Mapping[str, Any], problems: list[str]) -> tuple[tuple[str, int], ...]:
    """Wallets and weights in the core's order; the weights of one wallet are added at its first.

    A wallet that stands twice would be paid the same in sum; two lines for it cost gas, and a
    contract that keeps one entry a wallet would lose one of them.
    """
    listed = core.get("contributors")
    if not isinstance(listed, list) or not listed:
        problems.append("core.json: contributors must be a list, at least one.")
        return ()
    weights: dict[str, int] = {}
    unknown = 0
    for index, entry in enumerate(listed):
        where = f"core.json: contributors[{index}]"
        text = at(entry, "wallet_address")
        try:
            wallet = check_wallet_address(text if isinstance(text, str) else "")
        except IdentityError as error:
            problems.append(f"{where}.wallet_address: {error}")
            continue
        weight = at(entry, "weight_bps")
        if weight is None:
            unknown += 1
            weight = 0
        elif type(weight) is not int or weight < 1:
            problems.append(f"{where}.weight_bps must be a whole number of basis points above 0.")
            continue
        weights[wallet] = weights.get(wallet, 0) + weight
    if len(weights) > MAX_CONTRIBUTORS:
        problems.append(
            f"core.json: contributors has {len(weights)} wallets; a transaction can pay at most "
            f"{MAX_CONTRIBUTORS}. Evaluate in several runs."
        )
    if unknown == len(listed) and len(weights) == 1:
        return tuple((wallet, FULL_WEIGHT_BPS) for wallet in weights)
    if unknown:
        problems.append(
            "core.json: weight_bps is null for some of several contributors: their shares have to "
            "be computed first."
        )
    elif sum(weights.values()) != FULL_WEIGHT_BPS:
        problems.append(
            f"core.json: the weights add up to {sum(weights.values()):,} bps, not to "
            f"{FULL_WEIGHT_BPS:,}."
        )
    return tuple(weights.items())


def _score_bps(core: Mapping[str, Any], metric: str, model: str, problems: list[str]) -> int:
    name = f"{model}_millionths"
    value = at(core, "metrics", metric, name)
    if type(value) is not int or not 0 <= value <= 10**6:
        problems.append(
            f"core.json: metrics.{metric}.{name} must be a whole number of millionths from 0 to "
            "1,000,000."
        )
        return 0
    return basis_points(value)


def _hash(core: Mapping[str, Any], problems: list[str], *path: str) -> str:
    value = at(core, *path)
    where = f"core.json: {'.'.join(path)}"
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        problems.append(f"{where} must be a SHA-256 in 64 lower-case hexadecimal digits.")
        return ""
    if not value.strip("0"):
        problems.append(f"{where} is zero, which is the digest of nothing.")
    return value


def at(value: Any, *path: str) -> Any:
    """What stands at a path, or None where the path leads nowhere."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
