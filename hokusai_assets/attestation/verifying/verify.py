"""The steps of verifying a bundle, in order; after the first that fails none is taken.

What a stranger sends may be anything: wrong types included, which are a failed step and never a
traceback.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hokusai_assets.attestation.bundle import LEAVES, MANIFEST, RUN
from hokusai_assets.attestation.bundle_reading import Bundle, read_bundle
from hokusai_assets.attestation.canonical import MAX_BYTES, read_record
from hokusai_assets.attestation.rows.leaves import guarded_slices
from hokusai_assets.attestation.rows.reading import OpenedRows, read_leaves
from hokusai_assets.attestation.rows.recount import differences, recount
from hokusai_assets.attestation.shapes import check_shape
from hokusai_assets.attestation.signing.checking import check_signatures
from hokusai_assets.attestation.signing.policy import Policy
from hokusai_assets.attestation.verifying.outcome import Step, Verdict, Verification
from hokusai_assets.attestation.verifying.records import decision_problems, plan_problems
from hokusai_assets.attestation.verifying.tables import check_sizes, check_tables
from hokusai_assets.errors import AttestationError, FormError, LedgerBrokenError, MissingFileError
from hokusai_assets.files import is_missing

# What values of a wrong type or form raise where numbers and names are expected.
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
STEPS = (
    "files",
    "form",
    "signatures",
    "rows",
    "numbers",
    "decision",
    "plan",
    "ledger",
    "order",
    "replay",
    "mint",
)


@dataclass(frozen=True)
class Question:
    """What a verifier asks beside the bundle: whose signatures count, and what a ledger says."""

    policy: Policy | None = None
    ledger: str | None = None
    checkpoint: str | None = None


def verify(place: str, question: Question | None = None) -> Verification:
    """Verify the bundle at a local path or fsspec URL; nothing is written and nothing fetched.

    Raises what is no fault of the bundle: UsageError where there is no such folder, ledger or
    checkpoint, and what reading raises.
    """
    question = question or Question()
    if is_missing(place):
        raise MissingFileError(f"There is no bundle {place}: check the path.")
    try:
        bundle = read_bundle(place)
        for name, record in bundle.records():
            check_shape(name, record)
    except FormError as error:
        return _ended(place, [Step("form", "fails", str(error))])
    except AttestationError as error:
        return _ended(place, [Step("files", "fails", str(error))])
    steps = [
        Step("files", "holds", _files_sentence(bundle)),
        Step("form", "holds", "The records are canonical JSON of the known shape."),
    ]
    for part in (_signatures, _rows_and_numbers, _decision, _plan, _ledger, _mint):
        steps += _taken(part, bundle, question)
        if any(step.verdict == "fails" for step in steps):
            break
    return _ended(place, steps, bundle.digests[_CORE])


_CORE = "public/core.json"
_Part = Callable[[Bundle, Question], Iterator[Step]]


def _taken(part: _Part, bundle: Bundle, question: Question) -> list[Step]:
    """The steps of a part; what wrong types raise is its failure."""
    steps: list[Step] = []
    try:
        for step in part(bundle, question):
            steps.append(step)
            if step.verdict == "fails":
                break
    except (AttestationError, LedgerBrokenError) as error:
        steps.append(Step(_next(part, steps), "fails", str(error)))
    except MALFORMED as error:
        problem = f"core, plan or decision lack a field or hold another type ({_kind(error)})."
        steps.append(Step(_next(part, steps), "fails", problem))
    return steps


def _next(part: _Part, taken: list[Step]) -> str:
    """The first step of a part that was not taken yet."""
    first = STEPS.index(_FIRST[part])
    return STEPS[min(first + len(taken), len(STEPS) - 1)]


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _ended(place: str, steps: list[Step], core_digest: str | None = None) -> Verification:
    named = {step.name for step in steps}
    failed = any(step.verdict == "fails" for step in steps)
    rest = [
        Step(name, "not reached", "Not looked at, since something failed.")
        for name in STEPS
        if failed and name not in named
    ]
    order = {name: index for index, name in enumerate(STEPS)}
    return Verification(
        place, core_digest, tuple(sorted(steps + rest, key=lambda s: order[s.name]))
    )


def _files_sentence(bundle: Bundle) -> str:
    files = bundle.manifest["files"]
    here = sum(bundle.has_audit or not name.startswith("audit/") for name in files)
    said = f"{here} of {len(files)} files are here, each with the SHA-256 of {MANIFEST}."
    return said if here == len(files) else f"{said} audit/ is not."


def _signatures(bundle: Bundle, question: Question) -> Iterator[Step]:
    found = check_signatures(public_content(bundle), question.policy)
    verdict: Verdict = "holds"
    if found.tampered:
        verdict = "fails"
    elif found.dry_run:
        verdict = "dry run"
    elif not found.satisfied:
        verdict = "unsigned"
    yield Step("signatures", verdict, found.sentence)


def _rows_and_numbers(bundle: Bundle, question: Question) -> Iterator[Step]:
    core, rule = bundle.core, bundle.plan["rule"]
    check_sizes(core)
    if not bundle.has_leaves:
        yield Step("rows", "not opened", "Rows not opened: the leaves are not here.")
        found = check_tables(core, rule)
        if found.problems:
            yield _failed("numbers", list(found.problems))
        elif found.metrics:
            rest = f"; not {', '.join(found.not_counted)}" if found.not_counted else ""
            yield Step(
                "numbers",
                "not opened",
                f"From the joint counts follow {', '.join(found.metrics)}{rest}.",
            )
        else:
            yield Step("numbers", "not opened", "Without rows no number can be counted again.")
        return
    opened = opened_rows(bundle)
    if (opened.root, opened.count) != (core["rows"]["root"], core["rows"]["count"]):
        yield Step(
            "rows",
            "fails",
            f"{LEAVES}: {opened.count:,} leaves with root {opened.root}; core.rows says "
            f"{core['rows']['count']} and {core['rows']['root']}.",
        )
        return
    yield Step("rows", "holds", f"{opened.count:,} leaves have the core's root.")
    recounted = recount(opened, core, rule)
    problems = differences(core, recounted)
    if problems:
        yield _failed("numbers", problems)
        return
    own = sorted(recounted.not_recounted)
    sentence = "Counts, metrics, errors, p values and guards follow from the rows."
    if own:
        sentence = f"What follows from rows does; not recounted: {', '.join(own)}."
    yield Step("numbers", "not opened" if own else "holds", sentence)


def opened_rows(bundle: Bundle) -> OpenedRows:
    """The rows of a bundle's leaves; raises AttestationError for leaves out of form."""
    rule, labels = bundle.plan["rule"], bundle.core["benchmark"]["labels"]
    with bundle.open(LEAVES) as stream:
        return read_leaves(stream, LEAVES, classes=len(labels), guarded=guarded_slices(rule))


def _decision(bundle: Bundle, question: Question) -> Iterator[Step]:
    problems = list(decision_problems(bundle))
    if problems:
        yield _failed("decision", problems)
        return
    body = bundle.decision["body"]
    said = f"The verdict {body['verdict']} at attempt {body['m']} follows from core and plan"
    verdict: Verdict = "holds"
    if body["provisional"]:
        verdict, said = "provisional", f"{said}; provisional: no ledger counted the attempt"
    if body["dry_run"]:
        verdict, said = "dry run", f"{said}; a dry run: its data are made up"
    yield Step("decision", verdict, f"{said}.")


def _plan(bundle: Bundle, question: Question) -> Iterator[Step]:
    problems = list(plan_problems(bundle))
    if problems:
        yield _failed("plan", problems)
    elif bundle.plan["nonce_sha256"] is None:
        yield Step("plan", "holds", "The core follows the plan, its seeds the plan's digest.")
    else:
        yield Step("plan", "holds", "The core follows the plan; its seeds a nonce that is closed.")


def _ledger(bundle: Bundle, question: Question) -> Iterator[Step]:
    from hokusai_assets.attestation.verifying.ledgers import ledger_steps

    yield from ledger_steps(bundle, bundle.digests[_CORE], question.ledger, question.checkpoint)


def _mint(bundle: Bundle, question: Question) -> Iterator[Step]:
    if not any(name.startswith("public/mint/") for name in bundle.added):
        yield Step("mint", "not asked", "There is no mint request.")
        return
    from hokusai_assets.attestation.mint.checking import check_mint_files
    from hokusai_assets.attestation.signing.statements import public_files

    content = public_content(bundle)
    verdicts = check_mint_files(content, public_files(content), _run_id(bundle))
    problems = [problem for verdict in verdicts for problem in verdict.problems]
    if question.ledger is not None:
        from hokusai_assets.attestation.verifying.ledgers import mint_problems

        problems += mint_problems(verdicts, bundle.digests[_CORE], question.ledger)
    if problems:
        yield _failed("mint", problems)
        return
    signers = sorted({s.signer for verdict in verdicts for s in verdict.signatures})
    yield Step(
        "mint",
        "holds",
        f"{len(verdicts)} request(s) follow; signed by {', '.join(signers) or 'nobody'}.",
    )


def public_content(bundle: Bundle) -> dict[str, bytes]:
    """The bytes of public/, by name below it; the records are those that the bundle was read with.

    Whoever can write while we read could otherwise show one core to the steps that count, and the
    signed one to the step that checks signatures.
    """
    content = {}
    digests = bundle.manifest["files"] | bundle.digests
    names = [name for name in bundle.manifest["files"] if name.startswith("public/")]
    for name in (*names, MANIFEST, *bundle.added):
        with bundle.open(name) as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise AttestationError(f"{name} has more than {MAX_BYTES:,} bytes.")
        if name in digests and hashlib.sha256(data).hexdigest() != digests[name]:
            raise AttestationError(f"{name} was changed while it was verified.")
        content[name.removeprefix("public/")] = data
    return content


def _run_id(bundle: Bundle) -> str | None:
    """The run's id, where run.json is there: it is no part of what is signed."""
    try:
        with bundle.open(RUN) as stream:
            found = read_record(stream.read(MAX_BYTES + 1), RUN).get("run_id")
    except (AttestationError, OSError):  # a folder, or none of that name
        return None
    return found if isinstance(found, str) else None


def _failed(name: str, problems: list[str]) -> Step:
    first, *more = [problem if problem.endswith(".") else f"{problem}." for problem in problems]
    return Step(name, "fails", first, tuple(more))


_FIRST: dict[_Part, str] = {
    _signatures: "signatures",
    _rows_and_numbers: "rows",
    _decision: "decision",
    _plan: "plan",
    _ledger: "ledger",
    _mint: "mint",
}
