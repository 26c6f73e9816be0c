"""Every error that this package raises on purpose, as one tree.

A message says what was wrong, where (file, row, column) and what to do, and never holds a cell's
value: contributed cells may be personal data. The class decides the exit code of the command line
(2 usage, 3 contribution, signing or mint refused, 4 refused by the ledger, 1 anything else) and
whether a rerun could help. Errors of libraries are translated at the place that knows the remedy,
not here.
"""

from collections.abc import Sequence


class HokusaiError(Exception):
    """Base of all errors raised on purpose; a rerun with the same inputs fails again."""

    exit_code = 1


class UsageError(HokusaiError):
    """The command, the run configuration or a file that it names is wrong."""

    exit_code = 2


class TaskError(UsageError):
    """The task file is missing, malformed or contradicts itself."""


class IdentityError(UsageError):
    """A contributor id or wallet address is not acceptable."""


class MissingFileError(UsageError):
    """A file that the task or the run configuration names does not exist."""


class KeyFileError(UsageError):
    """A key is missing, malformed, or readable by others than its owner."""


class PolicyError(UsageError):
    """A policy of signers is malformed or cannot be met by anybody."""


class OutputDirError(UsageError):
    """The output folder cannot be written to."""


class ContributionError(HokusaiError):
    """A contribution was read and refused."""

    exit_code = 3


class ReferenceDataError(HokusaiError):
    """Base or benchmark data, the operator's own, were read and refused."""


class ModelError(HokusaiError):
    """A model cannot be built, trained, stored or scored."""


class UntrustedModelError(ModelError):
    """A model file needs types that are not on the allow list."""


class ModelMismatchError(ModelError):
    """A model's classes or features do not fit the task."""


class StorageError(HokusaiError):
    """What a run stored cannot be written or read."""


class AlreadyWrittenError(StorageError):
    """A place that is written once was written before."""


class NotStoredError(StorageError):
    """An asset has no materialization to read."""


class MixedRunsError(StorageError):
    """Inputs of one step come from evaluations that do not belong together."""


class AttestationError(HokusaiError):
    """An attestation disagrees with the files or records it names."""


class FormError(AttestationError):
    """A record is not in its one canonical form."""


class SignatureError(AttestationError):
    """A signature is malformed, of something else, or not by the key that it names."""


class TypedDataError(AttestationError):
    """A value does not fit its EIP-712 type."""


class SigningRefusedError(HokusaiError):
    """What is to be signed must not be: a dry run, or files that disagree."""

    exit_code = 3


class MintRefusedError(HokusaiError):
    """No mint request may follow from this attestation; `problems` lists every reason."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        listed = " ".join(f"({index}) {text}" for index, text in enumerate(self.problems, 1))
        super().__init__(f"No mint request is made: {listed}")


class TrackingError(HokusaiError):
    """The tracking server could not be reached or refused what was sent."""


class LedgerError(HokusaiError):
    """The ledger refuses the evaluation."""

    exit_code = 4


class LedgerBrokenError(LedgerError):
    """The ledger's chain was changed after it was written."""

    exit_code = 1
