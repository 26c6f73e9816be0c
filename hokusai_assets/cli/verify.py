"""`hokusai verify`: what holds of a bundle, for somebody who has only files."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hokusai_assets.errors import AttestationError, HokusaiError, PolicyError, UsageError

if TYPE_CHECKING:
    from hokusai_assets.attestation.signing.policy import Policy
    from hokusai_assets.attestation.verifying.outcome import Verification

HELP = """Verify an evaluation's bundle, offline: who signed what, and whether every number follows.

Looks at, in this order: files and digests, canonical form, signatures against your keys, leaves and their root, counts and metrics from the leaves, the decision from plan and core, the plan and its seeds, the ledger, order and replay, mint requests. Each is a line with its verdict; what the bundle does not open is said and not passed over.

--key names a signer whose signature must be there (each of several); --policy a file for m of n. --recompute cleans and trains again from the data in a folder: task.toml, the files it names, contributions/ with one file or folder a contribution in the core's order, baseline.skops where the baseline was stored, paid/ where rows were paid before.

--open N shows row N alone with the proof that it stands under the core's root; --open FILE checks such an opening, for which public/ is enough.

Examples:

  hokusai verify outputs/bundle_RUN --key signing_key.pub.pem

  hokusai verify outputs/bundle_RUN --policy policy.toml --ledger ledger.sqlite

  hokusai verify outputs/bundle_RUN --recompute data

  hokusai verify outputs/bundle_RUN --open 17 > row-17.json

Exit codes: 0 valid; else the first that applies of 2 the command is wrong; 1 tampered; 5 a replay; 4 recomputing differs; 3 intact, but unsigned, provisional or a dry run.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours

WIDTH = 80
_MOST_DIGITS = 18  # of a row's number; Python refuses to read thousands


def verify(
    bundle: Annotated[str, typer.Argument(help="Folder or URL of the bundle.")],
    key: Annotated[
        list[str] | None, typer.Option(help="Public key of a signer, a PEM file.")
    ] = None,
    policy: Annotated[str | None, typer.Option(help="Policy file, TOML or JSON: m of n.")] = None,
    recompute: Annotated[
        str | None, typer.Option(help="Folder with the data: clean and train again.")
    ] = None,
    ledger: Annotated[str | None, typer.Option(help="Path or URL of the ledger.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Hash of a ledger's entry that you kept.")
    ] = None,
    open_row: Annotated[
        str | None, typer.Option("--open", help="Number of a row, or a file of one opened row.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print one line a step and end with the exit code of what was found."""
    try:
        if open_row is not None:
            raise typer.Exit(_open(bundle, open_row))
        if checkpoint is not None and ledger is None:
            raise UsageError("--checkpoint needs --ledger: it is the hash of an entry of one.")
        found = _verify(bundle, key or [], policy, ledger, checkpoint)
        if recompute is not None:
            found = _recomputed(found, recompute)
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        # Whatever keeps the command from an answer is no answer: neither valid nor tampered.
        raise typer.Exit(2) from None
    except OSError as error:
        sys.stderr.write(
            f"hokusai: {bundle} or what it was to be checked by cannot be read "
            f"({type(error).__name__}): check the address and the permissions.\n"
        )
        raise typer.Exit(2) from None
    if as_json:
        sys.stdout.write(json.dumps(_told(found), indent=2) + "\n")
    else:
        _print(found)
    raise typer.Exit(found.exit_code)


def _verify(
    bundle: str, keys: list[str], policy: str | None, ledger: str | None, checkpoint: str | None
) -> "Verification":
    from hokusai_assets.attestation.verifying.verify import Question, verify

    return verify(bundle, Question(_policy(keys, policy), ledger, checkpoint))


def _policy(keys: list[str], policy: str | None) -> "Policy | None":
    from hokusai_assets.attestation.signing.keys import read_public_key
    from hokusai_assets.attestation.signing.policy import policy_of, read_policy

    public = [read_public_key(path) for path in keys]
    if policy is not None:
        named = read_policy(policy, public)
        unknown = [
            path for path, key in zip(keys, public, strict=True) if not named.find(key.keyid)
        ]
        if unknown:
            raise PolicyError(
                f"The policy {policy} does not name the key {unknown[0]}, so that its signature "
                "would not be asked for: name it there, or give --key without --policy."
            )
        return named
    return policy_of(public) if public else None


def _recomputed(found: "Verification", data: str) -> "Verification":
    """With the step `recompute`, unless something failed before."""
    from dataclasses import replace

    from rich.console import Console

    from hokusai_assets.attestation.bundle import CORE
    from hokusai_assets.attestation.bundle_reading import read_bundle
    from hokusai_assets.attestation.verifying.outcome import TAMPERED, Step

    if found.exit_code == TAMPERED:
        step = Step("recompute", "not reached", "Not looked at, since something failed.")
        return replace(found, steps=(*found.steps, step))
    try:
        from hokusai_assets.defs.recomputing import recompute
    except ImportError as error:
        raise UsageError(
            f"--recompute needs the whole installation: {error.name} is missing. Install "
            "hokusai-assets with its dependencies."
        ) from None
    console = Console(stderr=True)
    with console.status("cleaning and training again"):
        bundle = read_bundle(found.place)
        if bundle.digests[CORE] != found.core_digest:
            raise UsageError(f"{found.place} was changed while it was verified: verify it again.")
        step = recompute(bundle, data, lambda asset, state: None)
    return replace(found, steps=(*found.steps, step))


def _open(bundle: str, row: str) -> int:
    """Show one row with its proof, or check one that was shown."""
    from hokusai_assets.attestation.bundle import CORE, LEAVES
    from hokusai_assets.attestation.bundle_reading import read_bundle
    from hokusai_assets.attestation.canonical import read_record
    from hokusai_assets.attestation.rows.opening import check_opening, open_row
    from hokusai_assets.attestation.rows.reading import lines_of
    from hokusai_assets.attestation.verifying.outcome import TAMPERED, VALID
    from hokusai_assets.digests import canonical_json
    from hokusai_assets.files import read_file

    try:
        whole = read_bundle(bundle)
        if row.isascii() and row.isdigit() and len(row) <= _MOST_DIGITS:
            if not whole.has_leaves:
                raise UsageError(f"{bundle} does not open its rows: {LEAVES} is not there.")
            with whole.open(LEAVES) as stream:
                opening = open_row(lines_of(stream, LEAVES), int(row))
            check_opening(opening, whole.core["rows"], LEAVES)
            sys.stdout.write(canonical_json(opening).decode() + "\n")
            return VALID
        folder, name = str(Path(row).parent), Path(row).name
        content = read_file(folder, name)
        opening = read_record(content.removesuffix(b"\n"), row)
        leaf = check_opening(opening, whole.core["rows"], row)
    except AttestationError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        return TAMPERED
    sys.stdout.write(
        f"Row {opening['index']} of {opening['count']:,} stands under the root in {CORE}:\n"
        f"label {leaf[3]}, baseline {leaf[4]}, candidate {leaf[5]}\n"
    )
    return VALID


def _print(found: "Verification") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hokusai_assets.cli.terminal import printable

    console = Console(width=min(WIDTH, Console().width), highlight=False, soft_wrap=False)
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in found.steps:
        style = {"holds": "green", "fails": "bold red", "replay": "bold red", "differs": "bold red"}
        more = f" (and {len(step.more)} more)" if step.more else ""
        table.add_row(
            step.name,
            Text(step.verdict, style=style.get(step.verdict, "yellow")),
            Text(printable(f"{step.sentence}{more}")),
        )
    console.print(table)
    if found.core_digest is not None:
        console.print(Text(f"Core  {found.core_digest}"))
    console.print(Text(found.sentence))


def _told(found: "Verification") -> dict[str, Any]:
    return {
        "bundle": found.place,
        "core_digest": found.core_digest,
        "exit_code": found.exit_code,
        "outcome": found.sentence,
        "steps": [
            {
                "name": step.name,
                "verdict": step.verdict,
                "sentence": step.sentence,
                "more": list(step.more),
            }
            for step in found.steps
        ],
    }
