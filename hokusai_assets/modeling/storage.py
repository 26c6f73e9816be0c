"""Models on disk: deflated skops archives, read as a stranger's.

Never pickle or joblib, which run what a file says. An archive is refused if it is none, if it
unpacks past a limit, if its SHA-256 is not the recorded one, or if it needs types that are not
allowed, all of them listed. skops checks types, not contents: the node tables of trees are indexed
without bounds checks, so a crafted one crashes the process. They are therefore allowed in files
that this program trained (their digest is recorded), and in others only if the task says so.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hokusai_assets.errors import MissingFileError, ModelError, UntrustedModelError
from hokusai_assets.records import ModelFile, TrainedModel
from hokusai_assets.task import Task

MAX_ARCHIVE_BYTES = 1 << 30
MAX_UNPACKED_BYTES = 4 << 30
MAX_MEMBERS = 200_000

# What the built-in estimators need beyond skops' own list, and what holds no code or indices.
SAFE_TYPES = frozenset(
    {
        "numpy.dtype",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    }
)
TREE_TYPES = frozenset(
    {
        "sklearn.tree._tree.Tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)


def save_model(estimator: Any, folder: str | Path, name: str, seed: int | None) -> ModelFile:
    """Write a fitted estimator as `name` into a local folder; raise ModelError if it cannot be."""
    # This import costs 0.5 to 0.8 s (it lists every scikit-learn estimator), and skops' public
    # functions have no lighter home.
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        data = skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED)
    except UnsupportedTypeException as error:
        raise ModelError(
            f"The model cannot be stored without pickle: {error}. Use an estimator that skops "
            "supports."
        ) from error
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)
    return ModelFile(
        name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), seed=seed
    )


def load_models(task: Task, model: TrainedModel) -> list[Any]:
    """The fitted estimators of `model`, one a file, each checked against its recorded SHA-256."""
    extra = TREE_TYPES if model.origin == "trained" else frozenset()
    estimators = []
    for file in model.files:
        place = f"{model.folder.rstrip('/')}/{file.name}"
        data = read_archive(place)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise ModelError(
                f"The model file {place} is not the one that was recorded (its SHA-256 differs): "
                "materialize the model again."
            )
        estimators.append(parse_model(data, place, {*task.model.trusted_types, *extra}))
    return estimators


def read_archive(place: str) -> bytes:
    """The bytes of a model file at a local path or fsspec URL, up to MAX_ARCHIVE_BYTES."""
    import fsspec

    try:
        with fsspec.open(place, "rb") as stream:
            data: bytes = stream.read(MAX_ARCHIVE_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise MissingFileError(f"There is no model file {place}: check the path.") from None
    if len(data) > MAX_ARCHIVE_BYTES:
        raise ModelError(f"The model file {place} is larger than {MAX_ARCHIVE_BYTES:,} bytes.")
    return data


def parse_model(data: bytes, place: str, trusted: Iterable[str] = ()) -> Any:
    """The estimator in a skops archive; `place` is what errors call it.

    `trusted` are types allowed beyond skops' own list and SAFE_TYPES. Raises ModelError for what
    is no archive or too large, UntrustedModelError with every type that is not allowed.
    """
    _check_archive(data, place)
    import skops.io

    allowed = {*SAFE_TYPES, *trusted}
    try:
        needed = set(skops.io.get_untrusted_types(data=data))
    except _MALFORMED as error:
        raise ModelError(_damaged(place, error)) from None
    refused = sorted(needed - allowed)
    if refused:
        raise UntrustedModelError(
            f"The model file {place} needs types that are not trusted: {', '.join(refused)}. If "
            "you made the file yourself, list them in model.trusted_types of the task file."
        )
    try:
        return skops.io.loads(data, trusted=sorted(needed))
    except _MALFORMED as error:
        raise ModelError(_damaged(place, error)) from None


def _check_archive(data: bytes, place: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise ModelError(
            f"The model file {place} is no skops archive. Pickle and joblib files are never "
            "loaded: store the model again with skops.io.dump."
        ) from None
    if "schema.json" not in {member.filename for member in members}:
        raise ModelError(f"The model file {place} is an archive, but not one of skops.")
    # zipfile reads at most the size that the directory states, so a lying directory gains nothing.
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES or len(members) > MAX_MEMBERS:
        raise ModelError(
            f"The model file {place} unpacks to {unpacked:,} bytes in {len(members):,} parts; at "
            f"most {MAX_UNPACKED_BYTES:,} bytes in {MAX_MEMBERS:,} parts are accepted."
        )


# What skops and the standard library raise on archives that were damaged or made up.
_MALFORMED = (
    zipfile.BadZipFile,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def _damaged(place: str, error: BaseException) -> str:
    return (
        f"The model file {place} is damaged or was written by another version of its libraries "
        f"({type(error).__name__}): store the model again."
    )
