"""`hokusai mint-request`: what a contract is asked to mint, from an accepted bundle."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hokusai_assets.errors import AttestationError, HokusaiError, MintRefusedError, UsageError

if TYPE_CHECKING:
    from hokusai_assets.attestation.mint.options import MintOptions
    from hokusai_assets.attestation.mint.signing import EthereumKey

HELP = """Write the EIP-712 mint request of an accepted evaluation, and sign it.

Scores, digests and wallets come from the bundle; the ledger must hold its decision as accepted, and keeps one mint entry a core. The rest is stated in [mint] of the task file (--task) or by options, which come first. What the contract would accept although it is wrong is refused, all reasons at once. A second deadline or more signatures make a new file of the same entry; signatures that stand in earlier files of the same request are kept.

Examples:

  hokusai mint-request outputs/bundle_RUN --ledger sqlite:///ledger.db \\
    --task task.toml --actual-cost 1250000 --deadline 1893456000

  hokusai mint-request outputs/bundle_RUN --ledger sqlite:///ledger.db \\
    --task task.toml --deadline 1893456000 --sign ethereum.key

Exit codes: 0 written; 2 the command, a key or a file is wrong; 3 refused, by the rules, the ledger or because the bundle is damaged.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


REFUSED = 3


def mint_request(
    bundle: Annotated[str, typer.Argument(help="Folder or URL of the bundle.")],
    ledger: Annotated[str, typer.Option(help="URL of the ledger that accepted it.")],
    deadline: Annotated[int, typer.Option(help="Unix seconds after which it is void.")],
    task: Annotated[str | None, typer.Option(help="Task file whose [mint] is used.")] = None,
    model_id: Annotated[str | None, typer.Option(help="The contract's id of the model.")] = None,
    spec_id: Annotated[str | None, typer.Option(help="Names the benchmark's specification.")] = (
        None
    ),
    score_basis: Annotated[
        str | None, typer.Option(help="measured, or lower_bound: pay what is sure.")
    ] = None,
    max_cost: Annotated[
        int | None, typer.Option(help="Largest accepted cost, in millionths of a US dollar.")
    ] = None,
    actual_cost: Annotated[int | None, typer.Option(help="What it cost, likewise.")] = None,
    chain_id: Annotated[int | None, typer.Option(help="Of the contract's chain.")] = None,
    verifying_contract: Annotated[
        str | None, typer.Option(help="The contract's address (EIP-55).")
    ] = None,
    rows_opened: Annotated[
        bool, typer.Option("--rows-opened", help="Others were shown the benchmark's rows.")
    ] = False,
    sign: Annotated[
        list[str] | None,
        typer.Option(help="File of mode 0600 with an Ethereum key; may be given several times."),
    ] = None,
    key_env: Annotated[
        list[str] | None,
        typer.Option(help="Environment variable that holds an Ethereum key, likewise."),
    ] = None,
) -> None:
    """Write the request and say where, by whom it is signed, and what it would not mint."""
    from hokusai_assets.attestation.mint.ledger import open_mint_ledger
    from hokusai_assets.attestation.mint.writing import request_mint

    given = {
        "model_id": model_id,
        "spec_id": spec_id,
        "score_basis": score_basis,
        "max_cost_usd_micro": max_cost,
        "actual_cost_usd_micro": actual_cost,
        "chain_id": chain_id,
        "verifying_contract": verifying_contract,
    }
    try:
        options = _options(bundle, task, deadline, given, rows_opened=rows_opened)
        keys = _keys(sign or [], key_env or [])
        written = request_mint(bundle, _run_id(bundle), options, open_mint_ledger(ledger), keys)
    except MintRefusedError as error:
        sys.stderr.write("hokusai: No mint request is made.\n")
        for problem in error.problems:
            sys.stderr.write(f"  {problem}\n")
        raise typer.Exit(REFUSED) from None
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        # A damaged bundle and a ledger that says no are refusals too: nothing is minted.
        raise typer.Exit(2 if isinstance(error, UsageError) else REFUSED) from None
    for warning in written.warnings:
        sys.stderr.write(f"hokusai: warning: {warning}\n")
    sys.stdout.write(
        f"Written  {written.path}\n"
        f"Digest   {written.digest}\n"
        f"Ledger   {written.ledger_entry}\n"
        f"Signers  {', '.join(written.signers) or 'none'}\n"
    )


def _options(
    bundle: str, task: str | None, deadline: int, given: dict[str, Any], *, rows_opened: bool
) -> "MintOptions":
    """The command's options over those of the task; every one that neither states is named."""
    import time

    from hokusai_assets.attestation.mint.options import MintOptions

    stated: dict[str, Any] = {} if task is None else _of_task(bundle, task)
    stated |= {name: value for name, value in given.items() if value is not None}
    missing = [name for name in given if stated.get(name) is None]
    if missing:
        raise UsageError(
            f"Not stated: {', '.join(missing)}. Give them as options, or in [mint] of the task "
            "with --task."
        )
    if deadline <= time.time():
        raise UsageError(
            "The deadline has passed: give a time to come, in seconds since 1970 (UTC)."
        )
    reveal = bool(stated.pop("reveal_live_scores", False))
    return MintOptions(
        **{name: str(value) for name, value in stated.items()},
        deadline=str(deadline),
        reveal_live_scores=reveal,
        rows_opened=rows_opened,
    )


def _of_task(bundle: str, path: str) -> dict[str, Any]:
    """The task's [mint], once it is the task that was evaluated."""
    from hokusai_assets.attestation.signing.signing import read_public_folder
    from hokusai_assets.attestation.signing.statements import public_files
    from hokusai_assets.settings import Settings
    from hokusai_assets.task import load_task

    task = load_task(path, Settings.from_environment().random_seed).task
    if public_files(read_public_folder(bundle)).core.get("task_digest") != task.digest:
        raise UsageError(
            f"The task {path} is not the one that was evaluated: its digest is not the core's. "
            "Name the task file of that run, and the same RANDOM_SEED where it names no seed."
        )
    return task.mint.model_dump()


def _run_id(bundle: str) -> str:
    from hokusai_assets.attestation.canonical import read_record
    from hokusai_assets.files import read_file

    content = read_file(bundle, "run.json")
    try:
        run_id = read_record(content, "run.json")["run_id"]
    except (AttestationError, KeyError):
        raise UsageError(f"run.json in {bundle} does not name a run: it was changed.") from None
    return str(run_id)


def _keys(files: list[str], variables: list[str]) -> list["EthereumKey"]:
    from hokusai_assets.attestation.mint.signing import (
        ethereum_key_from_environment,
        read_ethereum_key,
    )

    return [*map(read_ethereum_key, files), *map(ethereum_key_from_environment, variables)]
