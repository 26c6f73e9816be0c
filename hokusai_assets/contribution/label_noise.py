"""How many labels of a contribution look wrong: confident learning, as cleanlab estimates it.

The estimate is of the joint distribution of given and true labels (Northcutt, Jiang and Chuang,
"Confident learning", JAIR 70, 2021, section 3): its off-diagonal mass is the share of wrong labels.
It needs probabilities from models that did not see the row: three folds of a small linear model.
Rows that are merely hard to tell look wrong too, so base's own share is given beside it.

Learned from base and contribution together, base's rows weighing twice as much in all: a
contribution alone whose labels are all turned round is consistent, and would seem free of noise.
The task's own estimator is not used: it may be slow, need not give probabilities, and lies in a
room that this one does not know.
"""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SAMPLE_ROWS = 20_000  # of contribution and base together
MIN_ROWS_OF_LABEL = 50  # below, a label's threshold is an average over next to nothing
FOLDS = 3
BASE_WEIGHT = 2.0
_HASH_FEATURES = 1 << 14  # more cost time and hardly change the estimate
_FITTED_ROWS = 40_000  # of all labels' models together, since each label has one; but no fewer
_FEWEST_ROWS = 5_000  # rows than this in all
_TEXT_CHARACTERS = 2_000  # of a cell; the time is bounded by rows and this, whatever is sent
_FAR = 10.0  # standard deviations; what lies beyond counts as that far


@dataclass(frozen=True)
class LabelNoise:
    """Estimated shares of wrong labels, None where `reason` says why."""

    share: float | None
    base_share: float | None = None
    reason: str | None = None


def estimate(ours: pa.Table, base: pa.Table | None, task: Task) -> LabelNoise:
    """The label noise of sampled kept rows, with sampled base rows to learn from.

    Both tables hold the task's features and target; of each the first rows are taken.
    """
    import numpy as np

    if task.kind == "regression":
        return LabelNoise(None, reason="the target is a number, and only labels are looked at")
    ours, base = _bounded(ours, base, len(task.data.labels))
    own, known = _labels(ours, task), None if base is None else _labels(base, task)
    labels = [
        k for k in range(len(task.data.labels)) if np.count_nonzero(own == k) >= MIN_ROWS_OF_LABEL
    ]
    if len(labels) < 2:
        return LabelNoise(
            None, reason=f"fewer than two labels have {MIN_ROWS_OF_LABEL} kept rows each"
        )
    codes, features, weights, is_own = _joined(ours, own, base, known, labels, task)
    probabilities = out_of_fold(features, codes, weights, len(labels))
    share = noise_share(codes, probabilities, is_own)
    base_share = None
    rest = codes[~is_own]
    if all(np.count_nonzero(rest == k) >= MIN_ROWS_OF_LABEL for k in range(len(labels))):
        base_share = noise_share(codes, probabilities, ~is_own)
    return LabelNoise(share, base_share)


def noise_share(codes: np.ndarray, probabilities: np.ndarray, among: np.ndarray) -> float:
    """The estimated share of wrong labels of some rows; thresholds are those of all rows.

    `codes` are given labels, 0 to K - 1, and `probabilities` out of sample, one column a label.
    """
    import numpy as np
    from cleanlab.count import compute_confident_joint, get_confident_thresholds

    thresholds = get_confident_thresholds(codes, probabilities)
    joint = compute_confident_joint(codes[among], probabilities[among], thresholds=thresholds)
    return 1.0 - float(np.trace(joint)) / float(joint.sum())


def out_of_fold(features: Any, codes: np.ndarray, weights: np.ndarray, labels: int) -> np.ndarray:
    """Each row's probabilities from a model that was fitted on the other folds' rows.

    Rows come in order of a hash of their features, so every third row is a fold without chance.
    """
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    folds = np.arange(len(codes)) % FOLDS
    found = np.zeros((len(codes), labels))
    # One thread: more only wait for each other on so little, and their number must not matter.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # One label against the rest; liblinear, because on hashed words it takes a fiftieth of the
        # time of lbfgs, and its primal solver draws no random numbers.
        for fold, label in itertools.product(range(FOLDS), range(int(labels == 2), labels)):
            test = folds == fold
            model = LogisticRegression(solver="liblinear", random_state=0)
            model.fit(features[~test], codes[~test] == label, sample_weight=weights[~test])
            found[test, label] = model.predict_proba(features[test])[:, 1]
    if labels == 2:
        found[:, 0] = 1.0 - found[:, 1]
    shares: np.ndarray = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12)
    return shares


def _bounded(
    ours: pa.Table, base: pa.Table | None, labels: int
) -> tuple[pa.Table, pa.Table | None]:
    """At most SAMPLE_ROWS in all: half of each, or more of one where the other has fewer."""
    most = min(SAMPLE_ROWS, max(_FITTED_ROWS // labels, _FEWEST_ROWS))
    if base is None or not base.num_rows:
        return ours.slice(0, most), None
    base = base.slice(0, max(most // 2, most - ours.num_rows))
    return ours.slice(0, most - base.num_rows), base


def _labels(table: pa.Table, task: Task) -> np.ndarray:
    """Each row's label as its place in the task's list; -1 for none of them."""
    import numpy as np

    places = {str(label): place for place, label in enumerate(task.data.labels)}
    told = table.column(task.target.name).to_pylist()
    return np.array([places.get(str(label), -1) for label in told], np.int64)


def _joined(
    ours: pa.Table,
    own: np.ndarray,
    base: pa.Table | None,
    known: np.ndarray | None,
    labels: list[int],
    task: Task,
) -> tuple[np.ndarray, Any, np.ndarray, np.ndarray]:
    """Codes, features, weights and whose they are, of the rows whose label is compared."""
    import numpy as np
    import pyarrow as pa

    names = [c.name for c in task.features]
    tables, given = [ours.select(names)], [own]
    if base is not None and known is not None:
        tables.append(base.select(names))
        given.append(known)
    told = np.concatenate(given)
    compared = np.isin(told, labels)
    is_own = np.arange(len(told)) < len(own)
    rows = pa.concat_tables(tables).filter(pa.array(compared))
    codes, is_own = np.searchsorted(labels, told[compared]), is_own[compared]
    weights = np.ones(len(codes))
    of_base = int(np.count_nonzero(~is_own))
    if of_base:
        weights[~is_own] = max(1.0, BASE_WEIGHT * (len(codes) - of_base) / of_base)
    return codes, _features(rows, task), weights, is_own


def _features(table: pa.Table, task: Task) -> Any:
    """A sparse matrix: hashed words, hashed categories, standardised numbers; empty cells are 0."""
    import numpy as np
    from scipy import sparse
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.feature_extraction.text import HashingVectorizer

    parts = []
    words = HashingVectorizer(n_features=_HASH_FEATURES, alternate_sign=False)
    kinds = FeatureHasher(n_features=_HASH_FEATURES, input_type="string", alternate_sign=False)
    for column in task.features:
        cells = table.column(column.name)
        if column.type == "text":
            texts = ((cell or "")[:_TEXT_CHARACTERS] for cell in cells.to_pylist())
            parts.append(words.transform(texts))
        elif column.type in {"category", "boolean"}:
            parts.append(kinds.transform([[str(cell)] for cell in cells.to_pylist()]))
        else:
            numbers = as_numbers(cells)
            filled = np.isfinite(numbers)
            with np.errstate(over="ignore", invalid="ignore"):
                spread = float(numbers[filled].std()) if filled.any() else 0.0
                scaled = (numbers - numbers[filled].mean()) / spread if spread else numbers * 0
            scaled = np.clip(np.nan_to_num(scaled), -_FAR, _FAR)
            parts.append(sparse.csr_matrix(scaled.reshape(-1, 1)))
    return sparse.hstack(parts).tocsr()


def as_numbers(cells: pa.ChunkedArray) -> np.ndarray:
    """Cells of a number, integer, boolean or timestamp column as floats; empty ones are NaN."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.int64())
    elif pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.uint8())
    found: np.ndarray = cells.cast(pa.float64(), safe=False).to_numpy()
    return found.astype(np.float64)
