"""Twenty whole evaluations against one stored champion at the same moment: one is accepted."""

import json
import multiprocessing
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hokusai_assets import second_process
from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.attestation.verifying.verify import Question, verify
from hokusai_assets_tests.conftest import WALLET, write_csv
from hokusai_assets_tests.defs.conftest import House, attested

pytestmark = pytest.mark.slow

PROCESSES, EACH = 2, 10
PATIENCE_S = 600  # for the slowest of twenty; whoever fails breaks the gate for all


def clear_rows(count: int, seed: int) -> list[dict[str, str]]:
    """Rows whose every word tells its label most of the time: each new word known is a gain."""
    rng = random.Random(seed)
    labels = ["bad", "good"]
    rows = []
    for index in range(count):
        label = labels[index % 2]
        said = [label if rng.random() < 0.75 else rng.choice(labels) for _ in range(5)]
        words = [f"{word}{rng.randrange(150)}" for word in said]
        words += [f"w{rng.randrange(400)}" for _ in range(5)]
        rng.shuffle(words)
        row = {"key": f"{seed}-{index}", "note": " ".join(words), "label": label}
        rows.append(row | {"weight": f"{rng.uniform(20, 60):.3f}"})
    return rows


def evaluate_some(house: House, inputs: dict[str, Any], first: int, gate: Any, found: Any) -> None:
    """In a process of its own: so many evaluations in threads, none decided before all twenty.

    Whole runs of the job, training included; the gate stands where each would write its decision,
    after everything else is done. Between gates one thread of a process computes at a time:
    threads would only wait for one another there, and imports of libraries are not made for it.
    """
    second_process.start = lambda: None
    append, turn = SqlLedger.append_decision, threading.Lock()

    def append_in_step(ledger: SqlLedger, *given: Any) -> Any:
        turn.release()
        try:
            gate.wait(PATIENCE_S)
            return append(ledger, *given)
        finally:
            turn.acquire()

    SqlLedger.append_decision = append_in_step  # type: ignore[method-assign]

    def evaluate(index: int) -> None:
        name = f"contributor-{index}"
        path = write_csv(house.folder / f"{name}.csv", clear_rows(240, 100 + index))
        sent = {"path": str(path), "contributor_id": name, "wallet_address": WALLET}
        try:
            with turn:
                result = attested(house.run(contributions=[sent], **inputs))
        except BaseException:
            gate.abort()
            raise
        decision = result.decision
        found.put((name, decision.verdict, decision.attempt, result.bundle_path))

    with ThreadPoolExecutor(EACH) as pool:
        list(pool.map(evaluate, range(first, first + EACH)))


def test_of_twenty_whole_evaluations_on_one_champion_one_is_accepted(house: House) -> None:
    house.instance = dg.DagsterInstance.ephemeral
    write_csv(house.folder / "base.csv", clear_rows(30, 1))
    write_csv(house.folder / "benchmark.csv", clear_rows(600, 2))
    champion = house.run(clear_rows(80, 3))
    assert attested(champion).decision.verdict == "accepted"
    promoted = house.promote(champion)
    write_csv(house.folder / "benchmark.csv", clear_rows(600, 4))

    context = multiprocessing.get_context("spawn")
    gate, queue = context.Barrier(PROCESSES * EACH), context.Queue()
    children = [
        context.Process(target=evaluate_some, args=(house, promoted, first, gate, queue))
        for first in range(0, PROCESSES * EACH, EACH)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(PATIENCE_S)
        assert child.exitcode == 0, "it says why above"
    found = [queue.get(timeout=10) for _ in range(PROCESSES * EACH)]

    assert sorted(verdict for _, verdict, _, _ in found) == ["accepted"] + ["superseded"] * 19
    assert sorted(attempt for _, _, attempt, _ in found) == list(range(1, 21))
    assert len({name for name, *_ in found}) == 20
    # All plans before any decision, and the benchmark retired right after the one acceptance.
    entries = list(house.ledger.entries())[3:]
    assert [e.kind for e in entries[:22]] == ["plan"] * 20 + ["decision", "retire"]
    assert [e.kind for e in entries[22:]] == ["decision"] * 19
    assert house.ledger.check() == ()
    # The others would have been accepted too: superseded is the one thing against them.
    url = str(house.folder / "ledger.sqlite")
    for name, verdict, attempt, bundle in found:
        body = json.loads(Path(bundle, "public", "decision.json").read_bytes())["body"]
        failed = [c["name"] for c in body["clauses"] if not c["holds"]]
        assert failed == ([] if verdict == "accepted" else ["current"]), name
        assert (body["payable_bps"] > 0) == (verdict == "accepted")
        steps = {s.name: s for s in verify(bundle, Question(ledger=url)).steps}
        assert steps["decision"].sentence.startswith(f"The verdict {verdict} at attempt {attempt}")
        verdicts = {name: step.verdict for name, step in steps.items()}
        assert verdicts.pop("signatures") == "unsigned"
        assert verdicts.pop("order") == "not proven"
        assert verdicts.pop("mint") == "not asked"
        assert set(verdicts.values()) == {"holds"}, steps
