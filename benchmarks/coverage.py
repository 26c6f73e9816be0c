"""Coverage of the 95 % intervals in a seeded simulation, as the table of docs/statistics.md.

Two classes; the baseline is as accurate on both; a quarter of the discordant rows more are fixed
than broken. An interval covers if the true difference, of the shares drawn from, lies in it. Then
predicted numbers, whose true difference is that of two million rows.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.scoring.comparing import compare_metric, influences_of, spread_between
from hokusai_assets.scoring.number_intervals import NumberIntervals
from hokusai_assets.scoring.rows import ScoredRows

REPEATS = 1_000
RESAMPLES = 1_000
METRICS = ("accuracy", "precision", "recall", "f1_score")


def shares_of(accuracy: float, discordance: float, positive: float) -> np.ndarray:
    """Shares of label x baseline x candidate."""
    gain = min(0.25 * discordance, 2 * (1 - accuracy) - discordance)
    fixed, broken = (discordance + gain) / 2, (discordance - gain) / 2
    shares = np.zeros((2, 2, 2))
    for label, share in ((0, 1 - positive), (1, positive)):
        other = 1 - label
        shares[label, label, label] = share * (accuracy - broken)
        shares[label, label, other] = share * broken
        shares[label, other, label] = share * fixed
        shares[label, other, other] = share * (1 - accuracy - fixed)
    return shares


@lru_cache(maxsize=1 << 16)
def _tango(rows: int, better: int, worse: int) -> tuple[float, float]:
    found = scoring.tango_interval(rows, better, worse)
    assert isinstance(found, scoring.Interval)
    return found.low, found.high


def covered(rows: int, shares: np.ndarray, repeats: int, seed: int) -> dict[str, float]:
    """How often each metric's interval, and that of their mean, holds the truth."""
    rng = np.random.default_rng(seed)
    before, after = shares.sum(axis=2)[None], shares.sum(axis=1)[None]
    true = {m: float((scoring.COUNTED[m](after) - scoring.COUNTED[m](before))[0]) for m in METRICS}
    hits = dict.fromkeys((*METRICS, "mean of the four"), 0)
    for joint in rng.multinomial(rows, shares.reshape(-1), size=repeats).reshape(-1, 2, 2, 2):
        draws = scoring.bootstrap_deltas(joint, METRICS, RESAMPLES)
        ends = {m: _ends(draws[m]) for m in ("precision", "f1_score")}
        ends["mean of the four"] = _ends(sum(draws[m] for m in METRICS) / len(METRICS))
        fixed, broken = joint[:, :, :][[0, 1], [1, 0], [0, 1]], joint[[0, 1], [0, 1], [1, 0]]
        ends["accuracy"] = _tango(rows, int(fixed.sum()), int(broken.sum()))
        positives = int(joint[1].sum())
        if positives:
            ends["recall"] = _tango(positives, int(fixed[1]), int(broken[1]))
        for name, (low, high) in ends.items():
            target = sum(true.values()) / len(METRICS) if name not in true else true[name]
            hits[name] += low <= target <= high
    return {name: count / repeats for name, count in hits.items()}


NUMBERS = ("mae", "rmse", "r2")
ERRORS = ("normal", "skewed", "heavy")
_TRUTH_ROWS = 2_000_000


def number_models(rows: int, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Labels and two correlated models' predictions, in millionths; the second errs a little less.

    Errors are normal, or skewed (one in ten rows is far too high), or of a t with 3 degrees.
    """
    truth = rng.beta(2, 4, rows)
    shared, one, two = (_error(kind, rows, rng) for _ in range(3))
    models = (truth + 0.05 * shared + 0.04 * one, truth + 0.05 * shared + 0.03 * two)
    return tuple(np.rint(np.clip(x, 0, 1) * 1e6).astype(np.int64) for x in (truth, *models))


def _error(kind: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "normal":
        return rng.normal(size=rows)
    if kind == "heavy":
        return rng.standard_t(3, rows) / 3**0.5
    return np.where(rng.random(rows) < 0.1, rng.exponential(4, rows), 0.3 * rng.normal(size=rows))


@lru_cache
def _true_deltas(kind: str) -> dict[str, float]:
    return _deltas(number_models(_TRUTH_ROWS, kind, np.random.default_rng(99)))


def _deltas(drawn: tuple[np.ndarray, ...]) -> dict[str, float]:
    truth, *models = drawn
    found = {}
    for name in NUMBERS:
        before, after = (
            scoring.score_metric(name, truth, scoring.Predictions(m[None], None), ())[0]
            for m in models
        )
        found[name] = float(after) - float(before)  # type: ignore[arg-type]
    return found


def covered_numbers(rows: int, kind: str, repeats: int, seed: int) -> dict[str, float]:
    """How often the interval of each metric of predicted numbers holds the truth."""
    rng = np.random.default_rng(seed)
    true = _true_deltas(kind)
    hits = dict.fromkeys(NUMBERS, 0)
    for _ in range(repeats):
        truth, *models = number_models(rows, kind, rng)
        both = (scoring.Predictions(model[None], None) for model in models)
        scored = ScoredRows([], truth, *both, None)
        intervals = NumberIntervals(scored)
        for name in NUMBERS:
            part = compare_metric(name, scored, ())
            spread = spread_between(part, influences_of(name, scored, ()), None)
            found = intervals.of_metric(name, part.delta, spread)
            assert found is not None
            hits[name] += found.low_nano <= 1e9 * true[name] <= found.high_nano
    return {name: count / repeats for name, count in hits.items()}


def _ends(draws: np.ndarray) -> tuple[float, float]:
    found = scoring.percentile_interval(draws)
    return (found.low, found.high) if isinstance(found, scoring.Interval) else (-1.0, 1.0)


def main(repeats: int = REPEATS) -> None:
    """Print both tables in Markdown."""
    names = (*METRICS, "mean of the four")
    print(f"| rows | accuracy | discordant | positive | {' | '.join(names)} |")
    print("|---|" + "---|" * (3 + len(names)))
    cells = itertools.product((200, 800, 10_000), (0.6, 0.8, 0.9, 0.98), (0.03, 0.1), (0.5, 0.1))
    for seed, (rows, accuracy, discordance, positive) in enumerate(cells):
        if discordance > 1.9 * (1 - accuracy):
            continue
        found = covered(rows, shares_of(accuracy, discordance, positive), repeats, seed)
        told = " | ".join(f"{100 * found[name]:.1f}" for name in names)
        print(
            f"| {rows:,} | {accuracy} | {rows * discordance:,.0f} | {positive:.0%} | {told} |",
            flush=True,
        )
    print(f"\n| rows | errors | {' | '.join(NUMBERS)} |\n|---|---|---|---|---|")
    for seed, (rows, kind) in enumerate(itertools.product((200, 800, 10_000), ERRORS)):
        fewer = repeats if rows < 10_000 else max(1, repeats * 2 // 5)
        found = covered_numbers(rows, kind, fewer, 100 + seed)
        told = " | ".join(f"{100 * found[name]:.1f}" for name in NUMBERS)
        print(f"| {rows:,} | {kind} | {told} |", flush=True)


if __name__ == "__main__":
    main()
