"""Numbers as people read them: points, shares, p values. Text in, escaping elsewhere."""

from collections.abc import Mapping
from typing import Any

MINUS = "\N{MINUS SIGN}"

# Measured in units of their own or without an end: a hundredth of them is no point.
_UNBOUNDED = frozenset({"log_loss", "mse", "r2"})
# Losses, but shares of the target's range.
_OF_RANGE = frozenset({"mae", "rmse"})


def in_points(metric: str, statistics: Mapping[str, Any], *values: float | None) -> bool:
    """Whether a metric lies in a range of 1, so that deltas are told in points.

    Of losses only those that are shares of a number target's range. A metric of one's own has no
    known range: its `values` and its interval decide.
    """
    if metric in _OF_RANGE:
        return True
    told = statistics.get("deltas", {}).get(metric, {})
    if metric in _UNBOUNDED or not told.get("higher_is_better", True):
        return False
    return all(abs(x) <= 1 for x in (*values, *(told.get("interval") or ())) if x is not None)


def higher_is_better(metric: str, statistics: Mapping[str, Any]) -> bool:
    """The direction of a metric; schema 1.0 alone knows metrics of one direction only."""
    return bool(statistics.get("deltas", {}).get(metric, {}).get("higher_is_better", True))


def count(number: int) -> str:
    """A count with its thousands apart."""
    return f"{number:,}"


def value(number: float | None) -> str:
    """A metric's value: four decimals, or four digits where it is large."""
    if number is None:
        return "undefined"
    return _minus(f"{number:.4f}" if abs(number) < 100 else f"{number:,.1f}")


def short(number: float) -> str:
    """A number of any size in four digits, for ends of a range."""
    return _minus(f"{number:,.4g}")


def signed(number: float | None, *, points: bool, unit: bool = False) -> str:
    """A difference with its sign, in points of 100 or as it is."""
    if number is None:
        return ""
    if not points:
        return _minus(f"{number:+.4f}" if abs(number) < 100 else f"{number:+,.1f}")
    return _minus(f"{100 * number:+.2f}") + (" points" if unit else "")


def whole_points(delta: float) -> str:
    """A difference in whole points; what rounds to nothing has no sign."""
    rounded = round(100 * delta)
    return _minus(f"{rounded:+d}") if rounded else "0"


def interval(ends: Any, *, points: bool) -> str:
    """An interval as two signed numbers."""
    if ends is None:
        return ""
    low, high = ends
    return f"{signed(low, points=points)} to {signed(high, points=points)}"


def percent(share: float, decimals: int = 1) -> str:
    """A share of 1 as per cent."""
    return f"{100 * share:.{decimals}f} %"


def p_value(p: float | None) -> str:
    """A p value: rounded up where it was stored, so the smallest one is a bound."""
    if p is None:
        return ""
    if p <= 1e-12:
        return "≤ 1e-12"
    return f"{p:.1e}" if p < 0.001 else f"{p:.3f}"


def spaced(name: str) -> str:
    """A name of code as words."""
    return name.replace("_", " ")


def names(items: list[str]) -> str:
    """A list as people say it: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def number(name: str, raw: Any) -> tuple[str, str]:
    """A clause's number without its unit in the name: (what it is, how much)."""
    if isinstance(raw, bool) or not isinstance(raw, int):
        return spaced(name), "undefined" if raw is None else str(raw)
    for suffix, scale in (("_millionths", 10**6), ("_nano", 10**9), ("_pico", 10**12)):
        if name.endswith(suffix):
            return spaced(name.removesuffix(suffix)), _minus(f"{raw / scale:.4g}")
    return spaced(name), _minus(f"{raw:,}")


def _minus(text: str) -> str:
    return text.replace("-", MINUS) if "e" not in text else text
