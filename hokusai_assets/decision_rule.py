"""Decision rule, version 1: from integers to clauses, and from clauses to a verdict.

Pure functions of what the plan committed to (`rule`), what was measured (`Facts`, all integers)
and the attempt's number m, in the standard library alone, so that anyone can read and run it;
only `decide`, which fills the record that the pipeline stores, knows that record.
How the p values and bounds come about is scoring's business; where m comes from is the ledger's.
Every clause must hold, and what is undefined does not.

`rule` holds integers and text only: version, familywise_alpha_pico, attempts_per_benchmark,
min_delta_bps, min_benchmark_rows, max_leaked_share_millionths, primary, included, weights,
number_of_seeds, tests, guards (name, method, and margin_millionths where there is a margin),
guard_level_millionths, expected_discordance_millionths, retire, lineage; and lower_is_better, the
metrics that are losses, where there are any.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from hokusai_assets.records import Attempt, Clause, Decision

VERSION = 1
CLAUSES = ("data", "rows", "threshold", "evidence", "guards")
# of a class's recall, where the task names no margin
DEFAULT_MARGIN_MILLIONTHS = 50_000
GUARD_LEVEL_MILLIONTHS = 50_000  # of all harm tests together
CURRENT = "current"  # the clause beside these that only a ledger can answer

Verdict = Literal["accepted", "rejected", "superseded"]

# A guard with a margin must pass with probability 0.8 when nothing changes: the square of the
# normal quantiles of 0.95 and 0.8 added, and that of 0.95 alone, in hundredths and in 1e-4.
_POWER_HUNDREDTHS = 618
_LEVEL_1E4 = 27055

_PI = Fraction("3.14159265358979323846264338327950288419716939937510")

Numbers = dict[str, int | str | None]


@dataclass(frozen=True)
class GuardFacts:
    """What was measured for one guard.

    `rows` that it rests on; `better` and `worse` count them where the test counts; `bound_nano` is
    the one-sided lower bound of the improvement (guards with a margin), `harm_p_pico` the p value
    of harm (the others). `undefined` says why neither exists; `skipped` why the guard does not
    apply.
    """

    name: str
    rows: int
    better: int | None = None
    worse: int | None = None
    delta_millionths: int | None = None
    standard_error_nano: int | None = None
    bound_nano: int | None = None
    harm_p_pico: int | None = None
    undefined: str | None = None
    skipped: str | None = None


@dataclass(frozen=True)
class Facts:
    """What was measured, beside the rule: rows as counts, metrics in millionths, p values in 1e-12.

    None means undefined; `primary_undefined` and `delta_one_undefined` then say why.
    """

    rows: int
    benchmark_rows_in_training: int
    leaked_rows: int
    distinct_rows: int
    primary_baseline_millionths: int | None
    primary_candidate_millionths: int | None
    primary_p_pico: int | None
    delta_one_p_pico: int | None
    primary_undefined: str | None
    delta_one_undefined: str | None
    guards: tuple[GuardFacts, ...]


@dataclass(frozen=True)
class ClauseResult:
    """One clause: its numbers, whether it holds, and one sentence for the operator."""

    name: str
    holds: bool
    numbers: Numbers
    sentence: str


class ClauseLike(Protocol):
    """What the verdict needs to see of a clause."""

    @property
    def name(self) -> str: ...
    @property
    def holds(self) -> bool: ...
    @property
    def sentence(self) -> str: ...


def direction(rule: Mapping[str, Any], metric: str) -> Literal[1, -1]:
    """What a delta is multiplied by to become an improvement: -1 for a loss, whose fall is one."""
    return -1 if metric in rule.get("lower_is_better", ()) else 1


def level_pico(rule: Mapping[str, Any], attempt: int) -> int:
    """The level alpha_m of attempt m in 1e-12, rounded down.

    6 alpha / (pi^2 e^2 K) with e = ceil(m / K): blocks of K attempts, whose sum over all m is
    alpha (the sum of 1 / e^2 is pi^2 / 6).
    """
    if attempt < 1:
        raise ValueError("attempts are counted from 1")
    block = int(rule["attempts_per_benchmark"])
    epoch = -(-attempt // block)
    return math.floor(6 * int(rule["familywise_alpha_pico"]) / (_PI**2 * epoch**2 * block))


def basis_points(value_millionths: int) -> int:
    """A metric in basis points, rounded half to even."""
    return round(Fraction(value_millionths, 100))


def rows_a_class_needs(discordance_millionths: int) -> int:
    """The rows without which a class says too little: for the margin that guards its recall.

    With fewer a loss of that margin, or more, cannot be told from no loss.
    """
    return rows_for_margin(DEFAULT_MARGIN_MILLIONTHS, discordance_millionths)


def rows_for_margin(margin_millionths: int, discordance_millionths: int) -> int:
    """The rows at which a guard with this margin can pass although nothing changed.

    The larger of two needs: to pass with probability 0.8 at the expected share of discordant rows
    (6.18 d / margin^2), and to pass at all on identical predictions, whose score bound is
    -z^2 / (n + z^2).
    """
    margin = Fraction(margin_millionths, 10**6)
    power = Fraction(_POWER_HUNDREDTHS, 100) * Fraction(discordance_millionths, 10**6) / margin**2
    identical = Fraction(_LEVEL_1E4, 10**4) * (1 - margin) / margin
    return math.ceil(max(power, identical))


def evaluate(rule: Mapping[str, Any], facts: Facts, attempt: int) -> tuple[ClauseResult, ...]:
    """Every clause that needs no ledger, in the order of `CLAUSES`.

    The clause `current` (is the benchmark live, is the baseline the head?) only a ledger can
    answer; without one the decision is provisional.
    """
    if rule["version"] != VERSION:
        raise ValueError(f"this is version {VERSION} of the rule, not {rule['version']}")
    return (
        _data(rule, facts),
        _rows(rule, facts),
        _threshold(rule, facts),
        _evidence(rule, facts, attempt),
        _guards(rule, facts),
    )


def current_clause(current: bool) -> ClauseResult:
    """The clause that the ledger answers when the decision is appended to it."""
    sentence = (
        "The benchmark is live and the baseline is the model's head, or the model has none."
        if current
        else "The benchmark is retired, the baseline replaced or rows paid by now: evaluate anew."
    )
    return ClauseResult(CURRENT, current, {}, sentence)


def verdict(clauses: Sequence[ClauseLike]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and its reasons: what did not hold, or every clause if all did.

    A clause that is missing counts as one that does not hold. `superseded` is what would have been
    accepted, had not another contribution been first; what fails by itself is rejected.
    """
    found = {clause.name for clause in clauses}
    failed = [clause.sentence for clause in clauses if not clause.holds]
    failed += [f"The clause {name} was not evaluated." for name in CLAUSES if name not in found]
    own = [clause for clause in clauses if clause.name != CURRENT]
    if failed and found >= set(CLAUSES) and all(clause.holds for clause in own):
        return "superseded", tuple(failed)
    if failed:
        return "rejected", tuple(failed)
    return "accepted", tuple(clause.sentence for clause in clauses)


def decide(
    clauses: Sequence[Clause],
    rule: Mapping[str, Any],
    attempt: Attempt,
    *,
    dry_run: bool,
    measured_bps: int | None,
    payable_bps: int,
) -> Decision:
    """The decision of one evaluation: the verdict, its reasons, and the level it was held to.

    `payable_bps` is what may be paid if it is accepted; of what is not, nothing is.
    """
    from hokusai_assets.records import Decision

    outcome, reasons = verdict(clauses)
    return Decision(
        verdict=outcome,
        provisional=attempt.provisional,
        dry_run=dry_run,
        attempt=attempt.number,
        alpha_pico=level_pico(rule, attempt.number),
        measured_bps=measured_bps,
        payable_bps=payable_bps if outcome == "accepted" else 0,
        retire=rule["retire"],
        reasons=reasons,
        clauses=tuple(clauses),
    )


def holm(p_values: Mapping[str, int]) -> dict[str, int]:
    """Holm's step-down adjusted p values (1979), in the unit of the input, at most 1e12."""
    adjusted: dict[str, int] = {}
    largest = 0
    ordered = sorted(p_values.items(), key=lambda item: (item[1], item[0]))
    for rank, (name, p_value) in enumerate(ordered):
        largest = max(largest, min(p_value * (len(ordered) - rank), 10**12))
        adjusted[name] = largest
    return adjusted


def _data(rule: Mapping[str, Any], facts: Facts) -> ClauseResult:
    limit = int(rule["max_leaked_share_millionths"])
    few = facts.leaked_rows * 10**6 <= limit * facts.distinct_rows and facts.distinct_rows > 0
    clean = facts.benchmark_rows_in_training == 0
    if not clean:
        sentence = f"{facts.benchmark_rows_in_training:,} benchmark rows were trained on."
    elif not facts.distinct_rows:
        sentence = "No contributed row is left, so the share that leaked is undefined."
    else:
        share = Fraction(facts.leaked_rows, facts.distinct_rows)
        sentence = (
            f"{facts.leaked_rows:,} of {facts.distinct_rows:,} contributed rows "
            f"({_percent(share)}), duplicates aside, stand in the benchmark, at most "
            f"{_percent(Fraction(limit, 10**6))} may; none was "
            "trained on."
        )
    numbers: Numbers = {
        "benchmark_rows_in_training": facts.benchmark_rows_in_training,
        "leaked_rows": facts.leaked_rows,
        "distinct_rows": facts.distinct_rows,
        "max_leaked_share_millionths": limit,
    }
    return ClauseResult("data", clean and few, numbers, sentence)


def _rows(rule: Mapping[str, Any], facts: Facts) -> ClauseResult:
    least = int(rule["min_benchmark_rows"])
    return ClauseResult(
        "rows",
        facts.rows >= least,
        {"rows": facts.rows, "min_benchmark_rows": least},
        f"The benchmark has {facts.rows:,} rows; at least {least:,} are required.",
    )


def _threshold(rule: Mapping[str, Any], facts: Facts) -> ClauseResult:
    primary, least = str(rule["primary"]), int(rule["min_delta_bps"])
    before, after = facts.primary_baseline_millionths, facts.primary_candidate_millionths
    numbers: Numbers = {"primary": primary, "min_delta_bps": least}
    if before is None or after is None:
        reason = facts.primary_undefined or "it was not measured"
        numbers["delta_bps"] = None
        return ClauseResult(
            "threshold", False, numbers, f"The primary metric {primary} is undefined: {reason}."
        )
    old, new = basis_points(before), basis_points(after)
    numbers |= {"baseline_bps": old, "candidate_bps": new, "delta_bps": new - old}
    gain, note = (new - old) * direction(rule, primary), ""
    if direction(rule, primary) < 0:
        numbers["improvement_bps"] = gain
        note = " (lower is better)"
    change = f"improved by {gain:,} bps" if gain > 0 else f"changed by {new - old:,} bps"
    return ClauseResult(
        "threshold",
        gain >= least,
        numbers,
        f"The primary metric {primary}{note} {change}; at least {least:,} are required.",
    )


def _evidence(rule: Mapping[str, Any], facts: Facts, attempt: int) -> ClauseResult:
    level = level_pico(rule, attempt)
    numbers: Numbers = {
        "attempt": attempt,
        "alpha_pico": level,
        "primary_p_pico": facts.primary_p_pico,
        "delta_one_p_pico": facts.delta_one_p_pico,
        "primary_test": str(rule["tests"][rule["primary"]]),
        "delta_one_test": str(rule["tests"]["delta_one"]),
    }
    missing = [
        f"that of {name} is undefined ({reason or 'it was not measured'})"
        for name, p_value, reason in (
            (str(rule["primary"]), facts.primary_p_pico, facts.primary_undefined),
            ("DeltaOne", facts.delta_one_p_pico, facts.delta_one_undefined),
        )
        if p_value is None
    ]
    if facts.primary_p_pico is None or facts.delta_one_p_pico is None:
        sentence = f"There is no p value to judge by: {'; '.join(missing)}."
        return ClauseResult("evidence", False, numbers, sentence)
    # The larger of two p values tests that both improved, and needs no correction.
    worst = max(facts.primary_p_pico, facts.delta_one_p_pico)
    numbers["p_pico"] = worst
    sentence = (
        f"Chance alone would show such a gain with p = {_probability(worst)}; at attempt "
        f"{attempt:,} at most {_probability(level)} is accepted."
    )
    return ClauseResult("evidence", worst <= level, numbers, sentence)


def _guards(rule: Mapping[str, Any], facts: Facts) -> ClauseResult:
    level = int(rule["guard_level_millionths"]) * 10**6
    measured = {guard.name: guard for guard in facts.guards}
    harm = {
        g["name"]: p
        for g in rule["guards"]
        if "margin_millionths" not in g
        and g["name"] in measured
        and (p := measured[g["name"]].harm_p_pico) is not None
    }
    adjusted = holm(harm)
    numbers: Numbers = {"guards": len(rule["guards"])}
    failed: list[str] = []
    blind: list[str] = []
    for index, guard in enumerate(rule["guards"], 1):
        name, margin = str(guard["name"]), guard.get("margin_millionths")
        key = f"guard_{index}"
        numbers |= {key: name, f"{key}_method": str(guard["method"])}
        if margin is not None:
            numbers[f"{key}_margin_millionths"] = int(margin)
        found = measured.get(name)
        if found is None:
            failed.append(f"{name} was not measured")
            continue
        numbers |= _guard_numbers(key, found, adjusted.get(name))
        if found.skipped is not None:
            continue
        trouble = _guard_trouble(
            found,
            margin,
            adjusted.get(name),
            level,
            lower_is_better=direction(rule, str(guard.get("metric"))) < 0,
        )
        if trouble is not None:
            failed.append(f"{name} {trouble}")
        elif margin is None and found.better is not None and found.rows:
            unseen = _unseen_harm(found.rows, int(rule["expected_discordance_millionths"]))
            numbers[f"{key}_unseen_harm_millionths"] = unseen
            blind.append(f"on {name} a loss below {_points(unseen)} would not show")
    skipped = [f"{g.name} does not apply ({g.skipped})" for g in facts.guards if g.skipped]
    if failed:
        sentence = f"{len(failed)} of {len(rule['guards'])} guards fail: {'; '.join(failed)}."
    else:
        notes = "; ".join(["no guard shows harm", *blind, *skipped])
        sentence = f"All {len(rule['guards'])} guards hold: {notes}."
    return ClauseResult("guards", not failed, numbers, sentence)


def _guard_trouble(
    guard: GuardFacts,
    margin: int | None,
    adjusted: int | None,
    level_pico: int,
    *,
    lower_is_better: bool,
) -> str | None:
    """Why a guard does not hold, or None."""
    if guard.undefined is not None:
        return f"is undefined ({guard.undefined})"
    if margin is not None:
        if guard.bound_nano is None:
            return "has no bound"
        if guard.bound_nano > -margin * 1000:
            return None
        loss = -(guard.bound_nano // 1000)
        verb = "risen by" if lower_is_better else "lost"
        return f"may have {verb} {_points(loss)}, past its margin of {_points(margin)}"
    if adjusted is None:
        return "has no p value"
    if adjusted > level_pico:
        return None
    change = f" ({_points(guard.delta_millionths)})" if guard.delta_millionths is not None else ""
    return f"got worse{change}, p = {_probability(adjusted)}"


def _guard_numbers(key: str, guard: GuardFacts, adjusted: int | None) -> Numbers:
    parts: Iterable[tuple[str, int | str | None]] = (
        ("rows", guard.rows),
        ("better", guard.better),
        ("worse", guard.worse),
        ("delta_millionths", guard.delta_millionths),
        ("standard_error_nano", guard.standard_error_nano),
        ("bound_nano", guard.bound_nano),
        ("harm_p_pico", guard.harm_p_pico),
        ("harm_p_holm_pico", adjusted),
        ("undefined", guard.undefined),
        ("skipped", guard.skipped),
    )
    return {f"{key}_{name}": value for name, value in parts if value is not None}


def _unseen_harm(rows: int, discordance_millionths: int) -> int:
    """The loss in millionths that a harm test on this many rows sees with probability 0.8 only."""
    square = Fraction(_POWER_HUNDREDTHS, 100) * Fraction(discordance_millionths, 10**6) / rows
    return min(math.isqrt(math.floor(square * 10**12)), 10**6)


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.3g} %"


def _points(value_millionths: int) -> str:
    return f"{value_millionths / 10_000:.2f} points"


def _probability(value_pico: int) -> str:
    return f"{value_pico / 10**12:.3g}"
