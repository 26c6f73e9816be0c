"""Files written by anybody: a verdict for each, never a traceback, and never a yes to a change."""

import hashlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.attestation.mint.checking import check_mint_file
from hokusai_assets.attestation.mint.request import derive_request
from hokusai_assets.attestation.mint.signing import EthereumKey, sign_request
from hokusai_assets.attestation.mint.writing import mint_file
from hokusai_assets.attestation.signing.checking import check_signatures
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.signing.signing import signature_files
from hokusai_assets.attestation.signing.statements import public_files
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError
from hokusai_assets_tests.attestation.json_mutations import ANYTHING, mutated
from hokusai_assets_tests.attestation.mint.conftest import files_of, options, request_of
from hokusai_assets_tests.attestation.public_folder import (
    CORE,
    DECISION,
    LEDGER,
    PLAN,
    RUN_ID,
    sha256,
)
from hokusai_assets_tests.attestation.signing.conftest import key_of

FILES = files_of()
MINT = json.loads(
    mint_file(request_of(), [sign_request(request_of(), EthereumKey(b"\x07" * 32))])[1]
)
KEY = key_of(1)
SIGNATURES = signature_files(dict(FILES.content), KEY)
MUTANTS = settings(max_examples=200, deadline=None)


def folder(core: Any, plan: Any, decision: Any, ledger: Any) -> dict[str, bytes]:
    """A public folder of any content whose digests name one another, where there is room."""
    plan_bytes = canonical_json(plan)
    if isinstance(core, dict):
        core = {"plan_digest": sha256(plan_bytes)} | core
    core_bytes = canonical_json(core)
    if isinstance(decision, dict):
        names = {"core_digest": sha256(core_bytes), "plan_digest": sha256(plan_bytes)}
        decision = names | decision
    decision_bytes = canonical_json({"body": decision, "ledger": ledger})
    content = {"core.json": core_bytes, "plan.json": plan_bytes, "decision.json": decision_bytes}
    digests = [sha256(data) for data in content.values()]
    return content | {"manifest.json": canonical_json({"files": digests})}


@MUTANTS
@given(mutated({"core": CORE, "plan": PLAN, "decision": DECISION, "ledger": LEDGER}))
def test_any_bundle_gives_a_request_or_reasons(parts: Any) -> None:
    parts = parts if isinstance(parts, dict) else {}
    named = [parts.get(name) for name in ("core", "plan", "decision", "ledger")]
    try:
        files = public_files(folder(*named))
    except AttestationError:
        return
    for basis in ("measured", "lower_bound"):
        request, problems = derive_request(files, RUN_ID, options(score_basis=basis))
        assert (request is None) is bool(problems)
        if request is not None:
            assert len(request.digest) == 32
            total = sum(int(c["weight"]) for c in request.typed_data["message"]["contributors"])
            assert total == 10_000


@settings(max_examples=80, deadline=None)  # each recovers a signer
@given(mutated(MINT))
def test_any_mint_file_has_a_verdict(value: Any) -> None:
    content = canonical_json(value)
    name = f"mint/{hashlib.sha256(content).hexdigest()}.json"
    verdict = check_mint_file(content, name, FILES, RUN_ID)
    changed = {k: v for k, v in MINT.items() if k != "signatures"}
    if isinstance(value, dict) and canonical_json(value | {"signatures": []}) == canonical_json(
        changed | {"signatures": []}
    ):
        return  # only the list of signatures differs, and it may be empty
    assert verdict.problems, value


@MUTANTS
@given(st.sampled_from(sorted(SIGNATURES)), st.data())
def test_any_signature_file_has_a_verdict(name: str, data: st.DataObject) -> None:
    value = data.draw(mutated(json.loads(SIGNATURES[name])))
    content = canonical_json(value)
    files = {f"signatures/{n}": d for n, d in SIGNATURES.items()} | {f"signatures/{name}": content}
    verdict = check_signatures(dict(FILES.content) | files, policy_of([KEY.public]))
    assert verdict.satisfied is (content == SIGNATURES[name])
    assert verdict.sentence


@MUTANTS
@given(st.sampled_from(["core.json", "plan.json", "decision.json", "manifest.json"]), ANYTHING)
def test_any_file_of_the_folder_has_a_verdict(name: str, value: Any) -> None:
    try:
        public_files(dict(FILES.content) | {name: canonical_json(value)})
    except AttestationError as error:
        assert str(error)
    else:
        raise AssertionError("accepted")
