"""`hokusai power`: what a task's benchmark can detect, before anything is evaluated."""

import json
import sys
import textwrap
from typing import Annotated, Any

import typer

from hokusai_assets.errors import HokusaiError, UsageError

HELP = """Say what a task's benchmark can detect, and how many rows a gain would need.

For accuracy on independent rows, exact: a gain counts as detected when it reaches the task's threshold and its p value the level of the attempt. The more attempts a benchmark has seen, the more a gain must show. For a regression, of mae, by the normal approximation of what rows gain; points are hundredths of the target's range.

Examples:

  hokusai power --task examples/fine_foods/task.toml

  hokusai power --task task.toml --delta-bps 300 --discordance 0.1

  hokusai power --task task.toml --rows 10000 --json

Exit codes: 0 told; 2 the command, the task or its benchmark file is wrong.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours

BLOCKS = 5  # of attempts that are shown
ASSUMED_SPREAD = 5.0  # points: where models err by some 10 points and agree on much of it


def power(
    task: Annotated[str, typer.Option(help="Task file (TOML).")],
    delta_bps: Annotated[
        int | None, typer.Option(min=1, help="True gain in basis points; default: twice the least.")
    ] = None,
    chance: Annotated[float, typer.Option(min=0.01, max=0.99, help="Wanted chance.")] = 0.8,
    discordance: Annotated[
        float | None,
        typer.Option(
            min=0.0001, max=1, help="Share of rows that one model alone has right; default: task's."
        ),
    ] = None,
    spread: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            max=100,
            help="Of a regression: standard deviation of a row's gain, in points; default: 5.",
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Benchmark rows; default: those of the file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what can be detected at which attempt."""
    try:
        told = _told(task, delta_bps, chance, discordance, spread, rows)
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        raise typer.Exit(error.exit_code) from None
    sys.stdout.write(json.dumps(told, indent=2) + "\n" if as_json else _text(told))


def _told(
    path: str,
    delta_bps: int | None,
    chance: float,
    discordance: float | None,
    spread: float | None,
    rows: int | None,
) -> dict[str, Any]:
    from hokusai_assets import decision_rule
    from hokusai_assets.contribution.reference_rows import load_reference
    from hokusai_assets.scoring import number_power
    from hokusai_assets.scoring import power as accuracy_power
    from hokusai_assets.task import load_task

    loaded = load_task(path)
    rule = loaded.task.decision
    given = delta_bps if delta_bps is not None else max(2 * rule.min_delta_bps, 1)
    gain, threshold = given / 10**4, rule.min_delta_bps / 10**4
    regression = loaded.task.kind == "regression"
    of_other, other = (discordance, "--discordance") if regression else (spread, "--spread")
    if of_other is not None:
        raise UsageError(f"{other} says nothing of a {loaded.task.kind}: leave it out.")
    of_kind: Any = number_power if regression else accuracy_power
    if regression:
        share = (ASSUMED_SPREAD if spread is None else spread) / 100
    else:
        share = loaded.task.guards.expected_discordance if discordance is None else discordance
    if not regression and gain > share:
        raise UsageError(
            f"A gain of {given:,} bps needs at least that share of rows on which the models "
            f"differ, and {share:.2%} is assumed: raise --discordance."
        )
    count = rows
    if count is None:
        benchmark, _ = load_reference(loaded.benchmark, loaded.task, key=None, kind="benchmark")
        count = benchmark.num_rows
    metric = "mae" if regression else "accuracy"
    block = rule.attempts_per_benchmark
    levels = {
        "familywise_alpha_pico": round(rule.familywise_alpha * 10**12),
        "attempts_per_benchmark": block,
    }
    attempts = []
    for index in range(BLOCKS):
        first = index * block + 1
        level = decision_rule.level_pico(levels, first) / 10**12
        least = of_kind.detectable(count, share, level, threshold, chance)
        attempts.append(
            {
                "first_attempt": first,
                "last_attempt": first + block - 1,
                "level": level,
                "detectable_bps": None if least is None else round(least * 10**4, 1),
                "chance": round(of_kind.detection_power(count, gain, share, level, threshold), 4),
                "rows_needed": of_kind.rows_needed(gain, share, level, threshold, chance),
            }
        )
    return {
        "benchmark_rows": count,
        "rows_from": "as given" if rows is not None else "as the benchmark file has them",
        "metric": metric,
        "unlike_the_task": _unlike(loaded.task, metric),
        "spread" if regression else "discordance": share,
        "min_delta_bps": rule.min_delta_bps,
        "min_benchmark_rows": rule.min_benchmark_rows,
        "delta_bps": given,
        "wanted_chance": chance,
        "attempts": attempts,
    }


def _unlike(task: Any, metric: str) -> list[str]:
    """In what the task is not what is computed: a metric of independent rows and one seed."""
    found = []
    if task.metrics.primary != metric:
        found.append(f"its primary metric is {task.metrics.primary}")
    if task.group_column is not None:
        found.append("its rows come in groups")
    if (task.model.seeds or 1) > 1:
        found.append(f"its models are trained {task.model.seeds} times")
    return found


def _assumed(told: dict[str, Any]) -> str:
    if "spread" in told:
        return f"a row's gain varies by {100 * told['spread']:g} points (standard deviation)"
    return f"one model alone is right on {told['discordance']:.2%} of the rows"


def _text(told: dict[str, Any]) -> str:
    rows, gain, chance = told["benchmark_rows"], told["delta_bps"], told["wanted_chance"]
    lines = [
        f"Benchmark     {rows:,} rows ({told['rows_from']}); {told['min_benchmark_rows']:,} are "
        "required",
        f"Assumed       {_assumed(told)}",
        f"Threshold     {told['min_delta_bps']:,} bps of {told['metric']}",
        "",
        f"{'attempts':<14}{'level':>9}{'found at':>14}{'chance to find':>17}{'rows needed':>15}",
        f"{'':<14}{'':>9}{f'{chance:.0%}':>14}{f'+{gain:,} bps':>17}{f'at {chance:.0%}':>15}",
    ]
    attempts = told["attempts"]
    for at in attempts:
        least, needed = at["detectable_bps"], at["rows_needed"]
        lines.append(
            f"{at['first_attempt']:,}-{at['last_attempt']:,}".ljust(14)
            + f"{at['level']:>9.1e}"
            + (f"{least:+,.0f} bps" if least is not None else "nothing").rjust(14)
            + f"{at['chance']:.0%}".rjust(17)
            + (f"{needed:,}" if needed is not None else "never").rjust(15)
        )
    if told["unlike_the_task"]:
        words = f"The task is another: {', and '.join(told['unlike_the_task'])}. Expect less."
        lines += ["", *textwrap.wrap(words, 80)]
    if attempts[0]["rows_needed"] is None:
        lines += ["", "A gain no larger than the threshold is found half the time at best."]
    return "\n".join(lines) + "\n"
