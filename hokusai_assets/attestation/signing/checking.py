"""The signatures of a public folder, each with a verdict, counted against a policy.

Pure: bytes and a policy in, records out. An envelope's signature is verified before its payload is
parsed, and the payload must be, byte for byte, the statement that follows from the files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hokusai_assets.attestation.bundle import MODELS
from hokusai_assets.attestation.signing.dsse import read_envelope, verify_envelope
from hokusai_assets.attestation.signing.model_statements import (
    MODEL_SUFFIX,
    model_problem,
    read_model_signature,
)
from hokusai_assets.attestation.signing.policy import Policy
from hokusai_assets.attestation.signing.sigstore_bundle import read_bundle
from hokusai_assets.attestation.signing.statements import (
    PublicFiles,
    attestation_statement,
    payload_problem,
    public_files,
    result_statement,
)
from hokusai_assets.errors import SignatureError

FOLDER = "signatures/"
ATTESTATION, SIGSTORE, TEST_RESULT = ".dsse.json", ".sigstore.json", ".test-result.dsse.json"
SUFFIXES = (ATTESTATION, SIGSTORE, TEST_RESULT)

State = Literal["valid", "unknown key", "revoked", "dry run", "invalid"]

_NAME = re.compile(
    r"signatures/([0-9a-f]{64})(\.dsse|\.sigstore|\.test-result\.dsse)\.json", re.ASCII
)
_MODEL_NAME = re.compile(
    r"signatures/([0-9a-f]{64})\.(baseline|candidate)\.model\.sigstore\.json", re.ASCII
)


@dataclass(frozen=True)
class SignerVerdict:
    """One signer's files: by whom, whether they count, and each problem as a sentence.

    `unknown key` is no fault: without the key nobody can tell. `invalid` is one, and so is any
    problem, whoever's file it is.
    """

    keyid: str
    name: str | None
    state: State
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignaturesVerdict:
    """All signers of a folder; `satisfied` only where enough of the policy's keys count.

    `model_keyids` name the keys whose signatures of the models are of these models. Whether they
    hold is not asked here, and they count for nothing.
    """

    signers: tuple[SignerVerdict, ...]
    problems: tuple[str, ...]
    threshold: int | None
    dry_run: bool
    model_keyids: tuple[str, ...] = ()

    @property
    def valid(self) -> int:
        """How many signers count."""
        return sum(signer.state == "valid" for signer in self.signers)

    @property
    def tampered(self) -> bool:
        """Whether any signature file is not what a signer wrote."""
        return bool(self.problems) or any(signer.problems for signer in self.signers)

    @property
    def satisfied(self) -> bool:
        """Whether the policy is met and nothing was tampered with."""
        return self.threshold is not None and not self.tampered and self.valid >= self.threshold

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        found = [*self.problems, *(p for s in self.signers for p in s.problems)]
        if found:
            return found[0]
        if self.model_keyids:
            keys = ", ".join(keyid[:16] for keyid in self.model_keyids)
            return f"{self._of_attestation()} The models are signed by {keys}: not checked here."
        return self._of_attestation()

    def _of_attestation(self) -> str:
        if not self.signers:
            return "Unsigned: nobody vouches for these files."
        if self.dry_run:
            return "A dry run counts for nothing, whoever signed it."
        if self.threshold is None:
            return (
                f"Signed by {len(self.signers)}, and no key was given to check by: ask the signer "
                "for the public key by another way than the bundle came."
            )
        others = [f"{s.keyid[:16]} ({s.state})" for s in self.signers if s.state != "valid"]
        note = f"; not counted: {', '.join(others)}" if others else ""
        names = ", ".join(str(s.name) for s in self.signers if s.state == "valid") or "none"
        return f"{self.valid} of {self.threshold} required signatures hold ({names}){note}."


def check_signatures(content: Mapping[str, bytes], policy: Policy | None) -> SignaturesVerdict:
    """Check every signature file in `content`, which maps names below the public folder to bytes.

    Without a policy the files' form and what they claim to be of are checked, and no key. Raises
    AttestationError where the signed files themselves are not in order.
    """
    files = public_files(content)
    by_keyid: dict[str, dict[str, bytes]] = {}
    models: dict[str, set[str]] = {}
    problems: list[str] = []
    for name in sorted(content):
        if not name.startswith(FOLDER):
            continue
        match, model = _NAME.fullmatch(name), _MODEL_NAME.fullmatch(name)
        if model is not None:
            models.setdefault(model[1], set()).add(model[2])
            problems += _model_problems(content, name, model[1], model[2])
        elif match is None:
            problems.append(f"{name!a} is no name of a signature file: remove it.")
        else:
            by_keyid.setdefault(match[1], {})[f"{match[2]}.json"] = content[name]
    problems += [
        f"{FOLDER}{keyid}.{role}{MODEL_SUFFIX} is missing: whoever signed can sign again."
        for keyid, signed in models.items()
        for role in MODELS
        if role not in signed
    ]
    signers = tuple(_signer(keyid, found, files, policy) for keyid, found in by_keyid.items())
    return SignaturesVerdict(
        signers,
        tuple(problems),
        None if policy is None else policy.threshold,
        files.dry_run,
        tuple(models),
    )


def _model_problems(
    content: Mapping[str, bytes], name: str, keyid: str, role: str
) -> Iterator[str]:
    try:
        signature = read_model_signature(content[name], name)
    except SignatureError as error:
        yield str(error)
        return
    if signature.keyid != keyid:
        yield f"{name}: signatures[0].keyid is not the file's name."
    problem = model_problem(signature, role, content["manifest.json"])
    if problem is not None:
        yield f"{name}: {problem}."


def _signer(
    keyid: str, found: Mapping[str, bytes], files: PublicFiles, policy: Policy | None
) -> SignerVerdict:
    named = None if policy is None else policy.find(keyid)
    problems = [
        f"{FOLDER}{keyid}{suffix} is missing: whoever signed can sign again, which adds it."
        for suffix in SUFFIXES
        if suffix not in found
    ]
    for suffix, content in found.items():
        name = f"{FOLDER}{keyid}{suffix}"
        expected = (result_statement if suffix == TEST_RESULT else attestation_statement)(files)
        try:
            envelope = (read_bundle if suffix == SIGSTORE else read_envelope)(content, name)
            if envelope.keyid != keyid:
                raise SignatureError(f"{name}: signatures[0].keyid is not the file's name.")
            if named is not None:
                verify_envelope(envelope, named.key, name)
        except SignatureError as error:
            problems.append(str(error))
            continue
        problem = payload_problem(envelope.payload, expected)
        if problem is not None:
            problems.append(f"{name}: {problem}.")
    state: State = "valid"
    if problems:
        state = "invalid"
    elif named is None:
        state = "unknown key"
    elif policy is not None and keyid in policy.revoked:
        state = "revoked"
    elif files.dry_run:
        state = "dry run"
    return SignerVerdict(keyid, named.name if named else None, state, tuple(problems))
