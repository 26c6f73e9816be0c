"""`hokusai ledger`: what stands in a ledger, whether it is whole, and the hash to publish."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hokusai_assets.errors import HokusaiError, UsageError

if TYPE_CHECKING:
    from hokusai_assets.attestation.ledger import Entry, SqlLedger

HELP = """Look at a ledger: the chain of plans, decisions, mint requests and retired benchmarks.

Nothing here writes. A ledger is a path (SQLite) or any SQLAlchemy URL.

Examples:

  hokusai ledger show --ledger ledger.sqlite

  hokusai ledger check --ledger ledger.sqlite

  hokusai ledger checkpoint --ledger ledger.sqlite

Exit codes: 0 done; 1 damaged or broken; 2 the command is wrong, or there is no such ledger.
"""

SHOW_HELP = """Show lineages with their attempts, and the newest entries; no scores.

Examples:

  hokusai ledger show --ledger ledger.sqlite

  hokusai ledger show --ledger ledger.sqlite --last 100 --json

Exit codes: 0 shown; 1 an entry is damaged; 2 the command is wrong, or there is no such ledger.
"""

CHECK_HELP = """Walk the whole chain, and compare every table with what follows from it.

Every hash is made again and every rule asked of every entry; each break is listed. Entries that were taken from the chain's end are only missed against a checkpoint that was kept elsewhere: give its hash.

Examples:

  hokusai ledger check --ledger ledger.sqlite

  hokusai ledger check --ledger ledger.sqlite --checkpoint 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

Exit codes: 0 whole; 1 broken; 2 the command is wrong, or there is no such ledger.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours

CHECKPOINT_HELP = """Print the newest entry's sequence and hash, to be kept by others.

Whoever has the hash can prove later that what stood here then still does, and in which order.

Examples:

  hokusai ledger checkpoint --ledger ledger.sqlite

Exit codes: 0 printed; 1 damaged; 2 the command is wrong, or the ledger is empty or not there.
"""

LedgerOption = Annotated[str, typer.Option(help="Path (SQLite) or any SQLAlchemy URL.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WIDTH = 80

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=HELP)


@app.command("show", help=SHOW_HELP)
def show(
    ledger: LedgerOption,
    last: Annotated[int, typer.Option(min=1, help="How many of the newest entries.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Print lineages and the newest entries."""
    with _exit_codes():
        book = _open(ledger)
        newest = book.checkpoint()
        entries = list(book.entries(max(0, newest.sequence - last) if newest else 0))
        lineages = [_lineage(book, row) for row in book.rows("lineages")]
        if as_json:
            _print_json({"lineages": lineages, "entries": [_told(entry) for entry in entries]})
        else:
            _print_tables(lineages, [_told(entry) for entry in entries])


@app.command("check", help=CHECK_HELP)
def check(
    ledger: LedgerOption,
    checkpoint: Annotated[
        str | None, typer.Option(help="Hash of an entry, kept elsewhere; it must still be there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print every break, and exit with 1 if there is one."""
    from hokusai_assets.cli.terminal import printable

    with _exit_codes():
        book = _open(ledger)
        problems = book.check(checkpoint)
        newest = book.checkpoint()
        count = newest.sequence if newest else 0
        if as_json:
            listed = [{"where": p.where, "sentence": p.sentence} for p in problems]
            _print_json({"whole": not problems, "entries": count, "problems": listed})
        else:
            for problem in problems:
                sys.stdout.write(printable(f"{problem.where}: {problem.sentence}") + "\n")
            sys.stdout.write(_verdict(count, len(problems), checkpoint) + "\n")
    if problems:
        raise typer.Exit(1)


@app.command("checkpoint", help=CHECKPOINT_HELP)
def checkpoint(ledger: LedgerOption, as_json: JsonOption = False) -> None:
    """Print the newest entry's sequence and hash."""
    with _exit_codes():
        book = _open(ledger)
        newest = book.checkpoint()
        if newest is None:
            raise UsageError(f"The ledger {book.name} is empty: there is nothing to publish yet.")
        if as_json:
            _print_json({"sequence": newest.sequence, "hash": newest.entry_hash})
        else:
            sys.stdout.write(f"{newest.sequence} {newest.entry_hash}\n")


def _open(url: str) -> "SqlLedger":
    from hokusai_assets.attestation.ledger import SqlLedger

    return SqlLedger(url, "read")


def _lineage(book: "SqlLedger", row: dict[str, Any]) -> dict[str, Any]:
    name = row["lineage"]
    paid = [p["root"] for p in book.rows("paid") if p["lineage"] == name]
    return {
        "lineage": name,
        "plans": row["plans"],
        "accepted": row["accepted"],
        "next_attempt": 1 + row["plans"] - row["accepted"],
        "live_benchmark": row["live_root"],
        "paid_roots": paid,
    }


def _told(entry: "Entry") -> dict[str, Any]:
    """An entry without what it measured: a chain is looked at while benchmarks are live."""
    return {
        "sequence": entry.sequence,
        "kind": entry.kind,
        "what": _WHAT[entry.kind].format_map(_Words(entry.body)),
        "hash": entry.hash,
        "previous": entry.previous,
    }


_WHAT = {
    "plan": "attempt {attempt} by plan {plan_digest}",
    "decision": "{verdict}: core {core_digest}",
    "mint": "requested for core {core_digest}",
    "retire": "benchmark {benchmark_root}: {reason}",
}


class _Words(dict[str, Any]):
    """A body's members, short; one that a damaged entry lacks is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"

    def __getitem__(self, name: str) -> str:
        return str(super().__getitem__(name))[:12]


def _print_tables(lineages: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hokusai_assets.cli.terminal import printable

    console = Console(file=sys.stdout, width=WIDTH)
    if not entries:
        console.print("The ledger is empty.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("lineage", "plans", "accepted", "next attempt", "live benchmark", "paid"):
        table.add_column(name, overflow="fold", justify="left" if name[0] == "l" else "right")
    for row in lineages:
        live = (row["live_benchmark"] or "none")[:12]
        counts = (str(row[name]) for name in ("plans", "accepted", "next_attempt"))
        # As text: in a name, "[/]" is no markup.
        table.add_row(Text(printable(row["lineage"])), *counts, live, str(len(row["paid_roots"])))
    console.print(table)
    console.print()
    table = Table(box=None, pad_edge=False)
    for name in ("entry", "kind", "what", "hash"):
        table.add_column(name, overflow="fold", justify="right" if name == "entry" else "left")
    for told in entries:
        what = Text(printable(told["what"]))
        table.add_row(str(told["sequence"]), told["kind"], what, told["hash"][:12])
    console.print(table)


def _verdict(count: int, problems: int, checkpoint: str | None) -> str:
    entries = f"{count:,} {'entry' if count == 1 else 'entries'}"
    if problems:
        return f"BROKEN: {problems:,} {'break' if problems == 1 else 'breaks'} in {entries}."
    if checkpoint is None:
        return f"Whole: {entries}. Order not proven: no checkpoint was given."
    return f"Whole: {entries}, the checkpoint among them."


def _print_json(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, indent=2) + "\n")


@contextmanager
def _exit_codes() -> Iterator[None]:
    try:
        yield
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        # Nothing is evaluated here, so that a ledger that cannot be read is a broken one.
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
    except (TypeError, ValueError) as error:  # SQLite keeps text in a column of numbers
        sys.stderr.write(
            f"hokusai: The ledger holds a value of another type than its column "
            f"({type(error).__name__}): it was changed. Restore it from a backup.\n"
        )
        raise typer.Exit(1) from None
