"""Random histories against a small model of the rules that knows no database and no chain."""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.errors import LedgerError
from hokusai_assets_tests.attestation.ledger.conftest import Evaluation, sha

K = 2


@dataclass
class Lineage:
    """The decision rule's section on attempts, told again in a few lines."""

    plans: list[Evaluation] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)
    live: str | None = None
    retired: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)

    def attempt(self) -> int:
        return 1 + len(self.plans) - list(self.decided.values()).count("accepted")

    def on_live(self) -> list[Evaluation]:
        return [plan for plan in self.plans if plan.benchmark == self.live]

    def retire(self) -> None:
        if self.live is not None:
            self.retired.add(self.live)
            self.paid.add(self.live)
            self.live = None


class Model:
    def __init__(self) -> None:
        self.lineages: dict[str, Lineage] = {}
        self.heads: dict[str, Evaluation] = {}

    def lineage(self, name: str) -> Lineage:
        return self.lineages.setdefault(name, Lineage())

    def fits_head(self, one: Evaluation) -> bool:
        head = self.heads.get(one.model)
        return head is None or (one.baseline, one.base) == (head.candidate, head.merged)

    def commit(self, one: Evaluation) -> int | None:
        """The attempt number, or None where the plan is refused."""
        lineage = self.lineage(one.lineage)
        for place, plan in enumerate(lineage.plans):
            if plan == one:
                return self.numbers[place, one.lineage]
        exhausted = one.benchmark == lineage.live and len(lineage.on_live()) >= K
        if one.benchmark in lineage.retired or exhausted or not self.fits_head(one):
            return None
        if one.benchmark != lineage.live:
            lineage.retire()
            lineage.live = one.benchmark
        number = lineage.attempt()
        self.numbers[len(lineage.plans), one.lineage] = number
        lineage.plans.append(one)
        return number

    numbers: dict[tuple[int, str], int]

    def decide(self, one: Evaluation, good: bool) -> str:
        lineage = self.lineage(one.lineage)
        if one.core_digest in lineage.decided:
            return lineage.decided[one.core_digest]
        current = one.benchmark == lineage.live and self.fits_head(one)
        verdict = "superseded" if not current else "accepted" if good else "rejected"
        lineage.decided[one.core_digest] = verdict
        if verdict == "accepted":
            self.heads[one.model] = one
            lineage.paid.add(one.contribution)
            lineage.retire()
        elif one.benchmark == lineage.live:
            no = [p for p in lineage.on_live() if lineage.decided.get(p.core_digest)]
            if len(no) >= K:
                lineage.retire()
        return verdict


# Mostly on the live benchmark and mostly declined, so that histories reach K.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "decide", "decide", "again"]),
        st.sampled_from(["m1", "m2"]),
        st.sampled_from(["l1", "l1", "l1", "l2"]),
        st.sampled_from(["same", "same", "same", "new", "old"]),
        st.sampled_from([True, False, False]),
        st.integers(0, 30),
    ),
    min_size=12,
    max_size=40,
)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_any_history_is_as_the_model_says(
    steps: list[tuple[str, str, str, str, bool, int]],
) -> None:
    model = Model()
    model.numbers = {}
    committed: list[Evaluation] = []
    fresh = 0
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqlLedger(str(Path(folder, "ledger.sqlite")), "create")
        for action, model_id, name, benchmark, flag, pick in steps:
            if action == "commit":
                fresh += 1
                lineage = model.lineage(name)
                live = lineage.live or f"{name}-first-{fresh}"
                old = sorted(lineage.retired)
                chosen = {"same": live, "new": f"{name}-{fresh}", "old": old[0] if old else live}
                one = Evaluation(
                    f"c{fresh}",
                    lineage=name,
                    model=model_id,
                    attempts=K,
                    benchmark=chosen[benchmark],
                )
                head = model.heads.get(model_id)
                if head is not None and pick % 4:
                    one = one.after(head, one.benchmark)
                one = one.on(ledger)
                paid = lineage.paid | ({lineage.live} - {one.benchmark, None})
                assert ledger.paid(name, sha(one.benchmark)).roots == tuple(sorted(map(sha, paid)))
                expected = model.commit(one)
                assert number_of(ledger, one) == expected
                if expected is not None:
                    committed.append(one)
            elif committed:
                one = committed[pick % len(committed)]
                if action == "again":
                    assert one.commit(ledger) == model.commit(one)
                else:
                    assert one.decide(ledger, flag) == model.decide(one, flag)
        assert ledger.check() == ()
        heads = {row["model_id"]: row["training_root"] for row in ledger.rows("heads")}
        assert heads == {name: sha(one.merged) for name, one in model.heads.items()}


def number_of(ledger: SqlLedger, one: Evaluation) -> int | None:
    try:
        return one.commit(ledger)
    except LedgerError:
        return None


def test_the_model_tells_wrong_from_right(ledger: SqlLedger) -> None:
    """The property above has teeth: a ledger that forgets pending plans would differ at once."""
    model = Model()
    model.numbers = {}
    one, other = Evaluation("a").on(ledger), Evaluation("b").on(ledger)
    assert [model.commit(one), model.commit(other)] == [1, 2]
    assert model.decide(other, True) == "accepted"
    assert model.decide(one, True) == "superseded"
    assert model.commit(replace(one, contribution="c")) is None
