"""What verifying found: one step a line, and the exit code that follows."""

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal[
    "holds",
    "fails",
    "replay",
    "differs",
    "unsigned",
    "provisional",
    "dry run",
    "not opened",
    "not proven",
    "not asked",
    "not reached",
]

VALID, TAMPERED, USAGE, NOT_BINDING, OTHER_RECOMPUTE, REPLAY = 0, 1, 2, 3, 4, 5

# The first that applies; usage errors are raised and never become a step.
_EXIT_CODES: tuple[tuple[frozenset[Verdict], int], ...] = (
    (frozenset({"fails"}), TAMPERED),
    (frozenset({"replay"}), REPLAY),
    (frozenset({"differs"}), OTHER_RECOMPUTE),
    (frozenset({"unsigned", "provisional", "dry run"}), NOT_BINDING),
)
_SENTENCES = {
    VALID: "Valid: everything that was shown holds.",
    TAMPERED: "Not valid: something was changed, or does not follow.",
    REPLAY: "Not valid: a replay; the ledger has this gain already.",
    OTHER_RECOMPUTE: "Not valid: recomputing gives something else.",
    NOT_BINDING: "Intact, but it binds nobody: unsigned, provisional or a dry run.",
}


@dataclass(frozen=True)
class Step:
    """One thing that was looked at: its verdict, and a sentence that names file and field."""

    name: str
    verdict: Verdict
    sentence: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """All steps, in order; `core_digest` is the attestation's name, once its core was read."""

    place: str
    core_digest: str | None
    steps: tuple[Step, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """0 valid, 1 tampered, 5 replay, 4 recomputing differs, 3 intact but binding nobody."""
        found = {step.verdict for step in self.steps}
        return next((code for verdicts, code in _EXIT_CODES if found & verdicts), VALID)

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        return _SENTENCES[self.exit_code]
