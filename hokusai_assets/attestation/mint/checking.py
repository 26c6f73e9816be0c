"""A mint file, checked by a stranger: it follows from core, plan and decision, or how it does not.

The request is derived again from the files and from what only the operator could state (model id,
spec id, basis, costs, chain, contract, deadline), and must be the same byte for byte.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.canonical import read_record
from hokusai_assets.attestation.mint.facts import at
from hokusai_assets.attestation.mint.options import MintOptions
from hokusai_assets.attestation.mint.request import MintRequest, derive_request
from hokusai_assets.attestation.mint.signing import MintSignature, signature_problems
from hokusai_assets.attestation.signing.statements import PublicFiles
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError

FOLDER = "mint/"

_NAME = re.compile(r"(?:mint/)?([0-9a-f]{64})\.json", re.ASCII)


@dataclass(frozen=True)
class MintVerdict:
    """A mint file: every problem as a sentence that names file and field, and who signed it.

    Whether the ledger holds it is not looked at; `request` is None where the file has problems.
    """

    name: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    request: MintRequest | None = None
    signatures: tuple[MintSignature, ...] = ()


def check_mint_files(
    content: Mapping[str, bytes], files: PublicFiles, run_id: str | None = None
) -> tuple[MintVerdict, ...]:
    """Check every file of mint/ in `content`, which maps names below the public folder to bytes."""
    return tuple(
        check_mint_file(content[name], name, files, run_id)
        for name in sorted(content)
        if name.startswith(FOLDER)
    )


def check_mint_file(
    content: bytes, name: str, files: PublicFiles, run_id: str | None = None
) -> MintVerdict:
    """Whether a mint file follows from the files; `run_id` is the run's, where that is known."""
    match = _NAME.fullmatch(name)
    if match is None or hashlib.sha256(content).hexdigest() != match[1]:
        return MintVerdict(
            name, (f"{name!a}: the name is not the SHA-256 of the file's content, as hex.",)
        )
    try:
        value = read_record(content, name)
    except AttestationError as error:
        return MintVerdict(name, (str(error),))
    options = _options(value)
    found_run = at(value, "typed_data", "message", "payload", "pipelineRunId")
    if options is None or not isinstance(found_run, str):
        return MintVerdict(name, (f"{name} is no mint request of this version: a field lacks.",))
    request, problems = derive_request(files, found_run, options)
    if run_id is not None and run_id != found_run:
        problems.append("pipelineRunId is not the run's id.")
    if request is None or problems:
        return MintVerdict(name, tuple(f"{name}: {problem}" for problem in problems))
    problems += _differences({k: v for k, v in value.items() if k != "signatures"}, request.body())
    signatures, wrong = signature_problems(value.get("signatures"), request.digest)
    problems += wrong
    if problems:
        return MintVerdict(name, tuple(f"{name}: {problem}" for problem in problems))
    return MintVerdict(name, (), request.warnings, request, signatures)


def _options(value: Mapping[str, Any]) -> MintOptions | None:
    """What the operator stated, as the file has it; None where something is no text."""
    message, domain = at(value, "typed_data", "message"), at(value, "typed_data", "domain")
    payload = at(message, "payload")
    texts = {
        "model_id": at(message, "modelId"),
        "spec_id": value.get("spec_id"),
        "score_basis": value.get("score_basis"),
        "max_cost_usd_micro": at(payload, "maxCostUsdMicro"),
        "actual_cost_usd_micro": at(payload, "actualCostUsdMicro"),
        "chain_id": at(domain, "chainId"),
        "verifying_contract": at(domain, "verifyingContract"),
        "deadline": at(payload, "deadline"),
    }
    reveal = value.get("reveal_live_scores")
    if not isinstance(reveal, bool) or not all(isinstance(text, str) for text in texts.values()):
        return None
    return MintOptions(**texts, reveal_live_scores=reveal)


def _differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """The places at which two JSON values differ, one line each."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        lines = []
        for name in sorted(found.keys() | wanted.keys()):
            place = f"{where}.{name}" if where else name
            if name not in wanted:
                lines.append(f"{place} stands here and belongs to no request.")
            elif name not in found:
                lines.append(f"{place} is missing.")
            else:
                lines += _differences(found[name], wanted[name], place)
        return lines
    # By bytes: for Python, true equals 1.
    same = canonical_json(found) == canonical_json(wanted)
    return [] if same else [f"{where} does not follow from core, plan and decision."]
