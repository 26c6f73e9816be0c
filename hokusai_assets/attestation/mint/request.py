"""From core, plan, decision and options to a mint request, or to every reason against one.

Pure, so that the verifier runs the very same. What the contract accepts although it is wrong is
refused here, all reasons at once; what it accepts and then mints nothing for is a warning.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.mint import eip712
from hokusai_assets.attestation.mint.facts import LOSSES, MintFacts, at, mint_facts
from hokusai_assets.attestation.mint.ledger import LedgerEntry, ledger_problems
from hokusai_assets.attestation.mint.options import MintOptions, option_problems
from hokusai_assets.attestation.signing.statements import PublicFiles
from hokusai_assets.digests import digest_json
from hokusai_assets.errors import IdentityError, MintRefusedError
from hokusai_assets.identity import check_wallet_address

VERSION = 1
# Below it the contract accepts the request and mints nothing.
CONTRACT_FLOOR_BPS = 100


@dataclass(frozen=True)
class MintRequest:
    """A request that may be signed: typed data for eth_signTypedData_v4, and its digest."""

    core_digest: str
    score_basis: str
    spec_id: str
    reveal_live_scores: bool
    typed_data: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """The EIP-712 digest, 32 bytes: what signers sign."""
        return eip712.signing_digest(
            eip712.TYPES,
            eip712.PRIMARY_TYPE,
            self.typed_data["domain"],
            self.typed_data["message"],
        )

    @property
    def identity(self) -> str:
        """What one core may be minted for, once: the request without deadline and costs, as hex.

        Neither can make a contract pay twice; another model, chain, contract, score or wallet can.
        """
        message = dict(self.typed_data["message"])
        payload = dict(message["payload"])
        for name in ("deadline", "maxCostUsdMicro", "actualCostUsdMicro"):
            del payload[name]
        return digest_json(
            {
                "score_basis": self.score_basis,
                "spec_id": self.spec_id,
                "domain": self.typed_data["domain"],
                "message": message | {"payload": payload},
            }
        )

    def body(self) -> dict[str, Any]:
        """The request as canonical JSON types, without signatures."""
        return {
            "mint_request_version": VERSION,
            "core_digest": self.core_digest,
            "score_basis": self.score_basis,
            "spec_id": self.spec_id,
            "reveal_live_scores": self.reveal_live_scores,
            "typed_data": self.typed_data,
            "digest": "0x" + self.digest.hex(),
        }


def build_request(
    files: PublicFiles, run_id: str, options: MintOptions, entry: LedgerEntry | None
) -> MintRequest:
    """The request that follows; `entry` is the ledger's, None where it holds no acceptance.

    Raises MintRefusedError with every reason there is.
    """
    request, problems = derive_request(files, run_id, options)
    problems += ledger_problems(files, entry)
    if request is None or problems:
        raise MintRefusedError(problems)
    return request


def derive_request(
    files: PublicFiles, run_id: str, options: MintOptions
) -> tuple[MintRequest | None, list[str]]:
    """The request as far as files and options say, or None and everything that is against it.

    Whether the ledger knows the decision is not asked.
    """
    facts, problems = mint_facts(files, run_id)
    problems += option_problems(options)
    live = at(files.plan, "rule", "retire") == "never"  # else the acceptance retired it
    if live and options.rows_opened:
        problems.append(
            "The benchmark is marked live and its rows were opened: scores on it promise nothing "
            "any more. Evaluate on another."
        )
    if live and not options.reveal_live_scores:
        problems.append(
            'plan.json: retire is "never", so the benchmark stays live, and a chain would show its '
            "scores to everybody: set reveal_live_scores = true under [mint] if that is meant."
        )
    if facts is None:
        return None, problems
    scores = _scores(files, facts, options)
    if isinstance(scores, str):
        problems.append(scores)
    if problems or isinstance(scores, str):
        return None, problems
    return _request(files, run_id, facts, options, scores), []


def idempotency_key(model_id: str, core_digest: str) -> str:
    """SHA-256 of "modelId:core digest", as hex: one mint a model and core."""
    return hashlib.sha256(f"{model_id}:{core_digest}".encode()).hexdigest()


def _scores(files: PublicFiles, facts: MintFacts, options: MintOptions) -> tuple[int, int] | str:
    """Baseline and candidate in basis points, or why there are none that a contract can take."""
    losses = at(files.plan, "rule", "lower_is_better") or []
    if not isinstance(losses, list) or facts.metric in {*losses, *LOSSES}:
        # It pays for candidate less baseline, and would take a fall for nothing, or worse.
        return (
            f"The contract pays for scores that rise, and {facts.metric} is a loss: what is better "
            "falls. Evaluate with a primary metric of which higher is better."
        )
    if options.score_basis != "lower_bound":
        return facts.baseline_bps, facts.candidate_bps
    if at(files.plan, "rule", "included") != [facts.metric]:
        return (
            "score_basis lower_bound needs the primary metric to be the only one included: the "
            "bound is of the average of all. Use measured."
        )
    bound = facts.baseline_bps + facts.payable_bps
    if bound > 10_000:
        return (
            f"score_basis lower_bound gives {bound:,} bps, past the metric's end: decision.json's "
            "payable_bps does not fit the core."
        )
    return facts.baseline_bps, bound


def _request(
    files: PublicFiles,
    run_id: str,
    facts: MintFacts,
    options: MintOptions,
    scores: tuple[int, int],
) -> MintRequest:
    baseline_bps, candidate_bps = scores
    core_digest = files.core_digest
    payload = {
        "pipelineRunId": run_id,
        "baselineScoreBps": str(baseline_bps),
        "candidateScoreBps": str(candidate_bps),
        "maxCostUsdMicro": options.max_cost_usd_micro,
        "actualCostUsdMicro": options.actual_cost_usd_micro,
        "totalSamples": str(facts.total_samples),
        "anchors": {
            "benchmarkSpecHash": "0x" + eip712.keccak256(options.spec_id.encode()).hex(),
            "datasetHash": "0x" + facts.dataset_root,
            "attestationHash": "0x" + core_digest,
            "idempotencyKey": "0x" + idempotency_key(options.model_id, core_digest),
            "metricName": facts.metric,
            "metricFamily": facts.family,
        },
        "baselineCommitment": "0x" + facts.baseline_commitment,
        "candidateCommitment": "0x" + facts.candidate_commitment,
        "deadline": options.deadline,
    }
    typed_data = {
        "types": eip712.TYPES,
        "primaryType": eip712.PRIMARY_TYPE,
        "domain": {
            "name": eip712.DOMAIN_NAME,
            "version": eip712.DOMAIN_VERSION,
            "chainId": options.chain_id,
            "verifyingContract": _checksummed(options.verifying_contract),
        },
        "message": {
            "modelId": options.model_id,
            "payload": payload,
            "contributors": [
                {"walletAddress": wallet, "weight": str(weight)}
                for wallet, weight in facts.contributors
            ],
        },
    }
    return MintRequest(
        core_digest,
        options.score_basis,
        options.spec_id,
        options.reveal_live_scores,
        typed_data,
        _warnings(options, candidate_bps - baseline_bps),
    )


def _checksummed(text: str) -> str:
    """One writing of an address, so that two of the same contract are no two requests."""
    try:
        return check_wallet_address(text)
    except IdentityError:
        return text  # told among the options' problems


def _warnings(options: MintOptions, delta_bps: int) -> tuple[str, ...]:
    warnings = []
    if delta_bps < CONTRACT_FLOOR_BPS:
        warnings.append(
            f"The scores differ by {delta_bps:,} bps; under {CONTRACT_FLOOR_BPS} the contract "
            "accepts the request and mints nothing."
        )
    costs = (options.actual_cost_usd_micro, options.max_cost_usd_micro)
    if all(text.isascii() and text.isdigit() for text in costs) and int(costs[0]) > int(costs[1]):
        warnings.append(
            "The actual cost is over the largest accepted: the contract accepts the request and "
            "mints nothing."
        )
    return tuple(warnings)
