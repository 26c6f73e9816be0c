"""The decision rule in simulation, through the very code that decides: `make simulate`.

Models are drawn, not trained. A row has a difficulty that both models share and an own part in
each, so that they are correlated; a candidate without any gain has another own part and the same
distribution. The benchmark and the baseline stay while candidates come and go, as in life.

Rules side by side, all on accuracy: pay for one point on 800 rows or more (naive); the Ladder (Blum
and Hardt, 2015), which pays for one point above the best so far; an exact sign test at levels
6 alpha / (pi k)^2 that are spent attempt by attempt; and this rule, whole.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from hokusai_assets import decision_rule, scoring
from hokusai_assets.evaluation.delta import measure_deltas
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import Task, parse_task

LABELS = ("bad", "good")
ROWS = 2_000
SIGNAL = 0.85  # distance of a class's mean from the threshold: an accuracy of about 0.8
OWN = 0.036  # share of the variance that is a model's own: about 6 % of rows are discordant
NULLS = 1_000


def make_task(included: tuple[str, ...], *, group: bool = False) -> Task:
    """A task of two classes."""
    columns: list[dict[str, Any]] = [
        {"name": "text", "type": "text"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    if group:
        columns.append({"name": "author", "type": "category", "role": "group"})
    return parse_task(
        {
            "task_schema": 1,
            "id": "simulated",
            "data": {"base": "b.csv", "benchmark": "c.csv", "labels": list(LABELS)},
            "columns": columns,
            "metrics": {"included": list(included)},
        }
    )


class World:
    """A benchmark with its champion, and candidates with a given true gain of accuracy."""

    def __init__(
        self, rng: np.random.Generator, rows: int, seeds: int = 1, clusters: int = 0
    ) -> None:
        self.rng = rng
        self.seeds = seeds
        self.truth = rng.integers(0, 2, rows)
        shared = rng.normal(size=rows)
        self.clusters = None
        if clusters:
            self.clusters = rng.integers(0, clusters, rows)
            _, self.clusters = np.unique(self.clusters, return_inverse=True)
            # A third of the difficulty, and a third of a model's own part, are the group's.
            shared = math.sqrt(2 / 3) * shared + math.sqrt(1 / 3) * self._of_groups()
        self.shared = math.sqrt(1 - OWN) * shared
        self.baseline = self.model(0.0)

    def _of_groups(self) -> np.ndarray:
        assert self.clusters is not None
        return self.rng.normal(size=int(self.clusters.max()) + 1)[self.clusters]

    def model(self, gain: float) -> Predictions:
        """Predictions of a model that is `gain` more accurate, in truth, than the champion."""
        rows = len(self.truth)
        own = self.rng.normal(size=rows)
        if self.clusters is not None:
            own = math.sqrt(2 / 3) * own + math.sqrt(1 / 3) * self._of_groups()
        shift = _quantile(_chance(SIGNAL) + gain)
        labels, scores = [], []
        for _ in range(self.seeds):
            noise = own
            if self.seeds > 1:  # half of a model's own part is its training seed's
                noise = math.sqrt(0.5) * own + math.sqrt(0.5) * self.rng.normal(size=rows)
            odds = (2 * self.truth - 1) * shift + self.shared + math.sqrt(OWN) * noise
            said = np.round(1e6 / (1 + np.exp(-1.7 * odds))).astype(np.int64)
            labels.append((said > 500_000).astype(np.int64))
            scores.append(said[:, None])
        return Predictions(np.stack(labels), np.stack(scores))

    def scored(self, candidate: Predictions) -> ScoredRows:
        """Both models' predictions as the pipeline has them."""
        digests = [b""] * len(self.truth)
        return ScoredRows(digests, self.truth, self.baseline, candidate, self.clusters)


def _chance(shift: float) -> float:
    return 0.5 * math.erfc(-shift / math.sqrt(2))


def _quantile(chance: float) -> float:
    from scipy import special

    return float(special.ndtri(chance))


class Judge:
    """This rule on one world: the verdict at an attempt."""

    def __init__(self, world: World, included: tuple[str, ...]) -> None:
        self._world = world
        self._task = make_task(included, group=world.clusters is not None)
        counts = {name: int((world.truth == i).sum()) for i, name in enumerate(LABELS)}
        self._rule = rule_parameters(self._task, counts, number_of_seeds=world.seeds)

    def facts(self, candidate: Predictions) -> decision_rule.Facts:
        """What the clauses are evaluated on."""
        return measure_deltas(
            self._task,
            self._world.scored(candidate),
            LABELS,
            self._rule,
            None,
            leaked=0,
            distinct_rows=300,
            benchmark_rows_in_training=0,
        ).facts

    def accepts(self, candidate: Predictions, attempt: int) -> bool:
        """Whether every clause holds."""
        # The threshold first, by itself: most candidates fail it, and one clause is enough.
        if self._gain_bps(candidate) < int(self._rule["min_delta_bps"]):
            return False
        clauses = decision_rule.evaluate(self._rule, self.facts(candidate), attempt)
        return decision_rule.verdict(clauses)[0] == "accepted"

    def _gain_bps(self, candidate: Predictions) -> int:
        values = [
            scoring.seed_mean(
                scoring.score_metric("accuracy", self._world.truth, model, list(LABELS))
            )
            for model in (self._world.baseline, candidate)
        ]
        before, after = (
            decision_rule.basis_points(scoring.millionths(value))
            for value in values
            if not isinstance(value, scoring.Undefined)
        )
        return after - before


ACCURACY = ("accuracy",)
FIVE = ("accuracy", "precision", "recall", "f1_score", "auroc")


def _counts(world: World, candidate: Predictions) -> tuple[int, int]:
    before = world.baseline.labels[0] == world.truth
    after = candidate.labels[0] == world.truth
    return int((after & ~before).sum()), int((before & ~after).sum())


def nulls(repeats: int, seed: int) -> None:
    """1,000 candidates without a gain, one after another, on one benchmark."""
    kinds: dict[str, tuple[tuple[str, ...], int, int]] = {
        "this rule, accuracy alone": (ACCURACY, 1, 0),
        "this rule, five metrics": (FIVE, 1, 0),
        "this rule, five metrics, 200 groups": (FIVE, 1, 200),
        "this rule, five metrics, 5 seeds": (FIVE, 5, 0),
    }
    old = ("naive: 1 point on 800 rows", "Ladder, steps of 1 point", "exact, alpha spent by k^2")
    paid: dict[str, list[int]] = {name: [] for name in (*old, *kinds)}
    for repeat in range(repeats):
        for name, (included, seeds, groups) in kinds.items():
            world = World(np.random.default_rng([seed, repeat, seeds, groups]), ROWS, seeds, groups)
            judge = Judge(world, included)
            accepted, ladder, best = 0, 0, 0.0
            naive = spent = 0
            for attempt in range(1, NULLS + 1):
                candidate = world.model(0.0)
                accepted += judge.accepts(candidate, attempt)
                if name == "this rule, accuracy alone":
                    better, worse = _counts(world, candidate)
                    gain = (better - worse) / ROWS
                    naive += gain >= 0.01
                    if gain >= best + 0.01:
                        ladder, best = ladder + 1, gain
                    level = 6 * 0.05 / (math.pi * attempt) ** 2
                    spent += gain >= 0.01 and scoring.mcnemar_p(better, worse) <= level
            paid[name].append(accepted)
            if name == "this rule, accuracy alone":
                for rule, count in zip(old, (naive, ladder, spent), strict=True):
                    paid[rule].append(count)
        _progress(f"nulls {repeat + 1}/{repeats}")
    print(
        f"\n{NULLS:,} candidates without a gain on one benchmark of {ROWS:,} rows, {repeats} times"
    )
    print("| rule | accepted of 1,000 | chance of any |\n|---|---|---|")
    for name, counts in paid.items():
        any_of = sum(count > 0 for count in counts) / len(counts)
        print(f"| {name} | {np.mean(counts):.3g} | {any_of:.3f} |")


def gains(repeats: int, seed: int) -> None:
    """True gains at several attempts."""
    print(f"\nShare of true gains that are accepted, {ROWS:,} rows, {repeats} candidates a cell")
    print("| gain | metrics | attempt 1 | attempt 10 | attempt 100 |\n|---|---|---|---|---|")
    for points in (1, 2, 3):
        for told, included in (("accuracy", ACCURACY), ("five", FIVE)):
            found = {1: 0, 10: 0, 100: 0}
            for repeat in range(repeats):
                world = World(np.random.default_rng([seed, points, repeat]), ROWS)
                judge = Judge(world, included)
                candidate = world.model(points / 100)
                for attempt in found:
                    found[attempt] += judge.accepts(candidate, attempt)
            shares = " | ".join(f"{count / repeats:.2f}" for count in found.values())
            print(f"| +{points} points | {told} | {shares} |", flush=True)


def attackers(repeats: int, seed: int) -> None:
    """300 queries of one who keeps what looks better, by what is told; nothing truly improves."""

    def by_verdict(world: World, old: np.ndarray, new: np.ndarray) -> bool:
        return False  # a rejection tells nothing to climb on

    def by_delta(world: World, old: np.ndarray, new: np.ndarray) -> bool:
        return round(_gain(world, new), 3) > round(_gain(world, old), 3)

    def by_class(world: World, old: np.ndarray, new: np.ndarray) -> bool:
        return any(_gain(world, new, c) > _gain(world, old, c) for c in (0, 1))

    def by_row(world: World, old: np.ndarray, new: np.ndarray) -> bool:
        keep = (new == world.truth) >= (old == world.truth)
        new[~keep] = old[~keep]  # each row on its own
        return True

    told: dict[str, Callable[[World, np.ndarray, np.ndarray], bool]] = {
        "accepted or not": by_verdict,
        "the delta, to 0.1 points": by_delta,
        "each class's delta": by_class,
        "every row": by_row,
    }
    print(f"\nAn adaptive attacker, 300 attempts of 100 changed rows, {repeats} times")
    print("| is told | chance of acceptance | gain shown at the end |\n|---|---|---|")
    for number, (name, keeps) in enumerate(told.items()):
        accepted, shown = 0, []
        for repeat in range(repeats):
            world = World(np.random.default_rng([seed, number, repeat]), ROWS)
            judge = Judge(world, ACCURACY)
            held = world.baseline.labels[0].copy()
            won = False
            for attempt in range(1, 301):
                tried = held.copy()
                rows = world.rng.choice(ROWS, 100, replace=False)
                # As many of the wrong ones right as of the right ones wrong, on average.
                right = tried[rows] == world.truth[rows]
                share = right.mean()
                flips = world.rng.random(100) < np.where(right, 1 - share, share)
                tried[rows[flips]] ^= 1
                if not won:
                    scores = world.baseline.scores
                    won = judge.accepts(Predictions(tried[None], scores), attempt)
                if keeps(world, held, tried):
                    held = tried
            accepted += won
            shown.append(_gain(world, held))
        print(
            f"| {name} | {accepted / repeats:.2f} | {100 * np.mean(shown):+.1f} points |",
            flush=True,
        )


def _gain(world: World, labels: np.ndarray, of_class: int | None = None) -> float:
    among = slice(None) if of_class is None else world.truth == of_class
    right = labels[among] == world.truth[among]
    before = world.baseline.labels[0][among] == world.truth[among]
    return float(right.mean() - before.mean())


def _progress(text: str) -> None:
    sys.stderr.write(f"\r{text}")
    sys.stderr.flush()


def main() -> None:
    """Print the tables of docs/decision_rule.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100, help="benchmarks; default 100")
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args()
    gains(4 * given.repeats, given.seed)
    attackers(max(given.repeats // 2, 1), given.seed)
    nulls(given.repeats, given.seed)


if __name__ == "__main__":
    main()
