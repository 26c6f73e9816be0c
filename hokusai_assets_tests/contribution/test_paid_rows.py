"""What was paid for is recognised in every disguise, and what is not is left alone."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.paid_rows import PaidStore
from hokusai_assets.contribution.storing import paid_digests
from hokusai_assets.digests import digest_json
from hokusai_assets.errors import (
    ContributionError,
    LedgerError,
    StorageError,
)
from hokusai_assets.records import ContributedDataset, PaidDataset
from hokusai_assets.tables import read_table
from hokusai_assets_tests.contribution.conftest import build_task, write_rows

WORDS = [
    f"{a}{b}" for a in "ka lo mi nu re so ta vi".split() for b in "ban dor fel gim hus".split()
]
TASK = build_task()

Row = dict[str, Any]


def sentences(count: int, seed: int, prefix: str) -> list[Row]:
    """Rows whose notes of 12 words have little in common."""
    rng = random.Random(seed)
    return [
        {
            "key": f"{prefix}{index}",
            "note": " ".join(rng.sample(WORDS, 12)),
            "weight": rng.randrange(1000) / 8,
            "label": rng.choice(["bad", "good"]),
        }
        for index in range(count)
    ]


PAID, BASE, BENCHMARK = sentences(60, 1, "canary-"), sentences(40, 2, "b"), sentences(40, 3, "t")
NEW = sentences(1, 4, "n")[0]


class House:
    """An operator's store after one contribution was paid for; base does not hold its rows."""

    def __init__(self, folder: Path, reference: Any, task: Any = TASK, key: bytes = b"key") -> None:
        self.folder, self.task, self.key = folder, task, key
        self.base, self.benchmark = reference(task, BASE, BENCHMARK)
        self.made = 0
        paid = self.clean(PAID, paid=())
        self.paid_key_id = paid.pii_key_id
        self.store = PaidStore(str(folder / "store"), task, self.paid_key_id)
        self.store.keep_contributions(paid)
        self.roots = [paid.contributions[0].content_root_cleaned]
        self.paid = self.store.open(self.roots)

    def clean(
        self, *files: list[Row], suffix: str = ".csv", paid: tuple[PaidDataset, ...] | None = None
    ) -> ContributedDataset:
        from hokusai_assets.records import ContributionSource
        from hokusai_assets_tests.contribution.conftest import WALLET

        self.made += 1
        sources = []
        for index, rows in enumerate(files):
            path = write_rows(self.folder / f"sent{self.made}-{index}{suffix}", rows)
            sources.append(
                ContributionSource(
                    path=str(path), contributor_id=f"c{index}", wallet_address=WALLET
                )
            )
        return clean_contributions(
            sources,
            self.task,
            self.base,
            self.benchmark,
            key=self.key,
            folder=self.folder / f"clean{self.made}",
            paid=self.paid if paid is None else paid,
            paid_root=digest_json([]),
            assessed=False,
        )

    def earned(self, *files: list[Row], **how: Any) -> list[str]:
        """Notes that are left of what was sent; the new row is there so that something is."""
        with_new = [*files[:-1], [*files[-1], NEW]]
        kept = self.clean(*with_new, **how)
        notes: list[str] = read_table(kept.folder, ["note"]).column("note").to_pylist()
        counts = [c.counts for c in kept.contributions]
        assert sum(c.already_paid + c.deduplicated for c in counts) == sum(map(len, files))
        return notes


@pytest.fixture
def house(tmp_path: Path, reference: Any) -> House:
    return House(tmp_path, reference)


def one_word_changed(row: Row) -> Row:
    words = row["note"].split()
    words[5] = "otherwise"  # of texts so short one in 700 would not be found
    return {**row, "note": " ".join(words)}


@pytest.mark.parametrize(
    "disguise",
    [
        lambda rows: rows,
        lambda rows: rows[:-1],
        lambda rows: rows[::-1],
        lambda rows: [{**row, "key": f"new-{row['key']}"} for row in rows],
        lambda rows: [{**row, "note": row["note"].upper() + " !"} for row in rows],
        lambda rows: [one_word_changed(row) for row in rows],
        lambda rows: [{**row, "label": "good"} for row in rows],
        lambda rows: [one_word_changed({**row, "label": "bad"}) for row in rows],
        lambda rows: rows + [{**row, "key": f"again-{row['key']}"} for row in rows],
    ],
    ids=["whole", "less one", "shuffled", "new ids", "written otherwise", "one word changed",
         "labels corrected", "both", "twice"],
)  # fmt: skip
def test_a_paid_contribution_sent_again_earns_nothing(
    house: House, disguise: Callable[[list[Row]], list[Row]]
) -> None:
    assert house.earned(disguise(PAID)) == [NEW["note"]]


def test_sent_again_in_another_format_it_earns_nothing(house: House) -> None:
    for suffix in (".jsonl", ".parquet", ".json"):
        assert house.earned(PAID, suffix=suffix) == [NEW["note"]]


def test_split_in_two_it_earns_nothing(house: House) -> None:
    with pytest.raises(ContributionError, match=r"c0 is refused: .*paid for before: 30"):
        house.clean(PAID[:30], PAID[30:])
    kept = house.clean([*PAID[:30], NEW], [*PAID[30:], sentences(1, 5, "m")[0]])
    assert [c.counts.already_paid for c in kept.contributions] == [30, 30]
    assert [c.counts.kept for c in kept.contributions] == [1, 1]


def test_of_nothing_but_paid_rows_nothing_is_left(house: House) -> None:
    with pytest.raises(ContributionError, match="paid for before: 60"):
        house.clean(PAID)


def test_paid_rows_are_listed_with_their_reason(house: House) -> None:
    kept = house.clean([NEW, PAID[0], one_word_changed(PAID[1]), BASE[0]])
    removed = pq.read_table(Path(kept.folder, "removed.parquet")).to_pylist()
    assert {(r["row"], r["reason"]) for r in removed} == {
        (2, "already_paid"),
        (3, "already_paid"),
        (4, "duplicates_of_base"),
    }
    assert kept.contributions[0].counts.already_paid == 2
    assert "paid for before" in kept.contributions[0].manifest.near_method


def test_paid_rows_are_listed_with_their_digests_and_no_others(house: House) -> None:
    """Exact and near: an auditor without the store takes these digests as given."""
    sent = [PAID[0], one_word_changed(PAID[1])]
    alone = house.clean(sent, paid=())
    digests = read_table(alone.folder, ["_row_digest"]).column(0).to_pylist()
    kept = house.clean([NEW, *sent, BASE[0]])
    assert sorted(paid_digests(kept)) == sorted(digests)
    removed = pq.read_table(Path(kept.folder, "removed.parquet")).to_pylist()
    assert {r["row"] for r in removed if r["row_digest"] is None} == {4}
    both = house.clean([NEW, *sent], [sentences(1, 5, "m")[0], PAID[2]])
    assert len(set(paid_digests(both))) == 3


def test_the_task_cannot_let_paid_rows_stay(tmp_path: Path, reference: Any) -> None:
    lenient = build_task(duplicates={"exact": "report", "normalised": "report", "near": "report"})
    house = House(tmp_path, reference, lenient)
    rows = [*PAID, *map(one_word_changed, PAID)]
    again = [{**row, "key": f"again-{row['key']}"} for row in PAID]
    assert house.earned(rows + again) == [NEW["note"]]


def test_rows_that_share_a_label_only_are_kept(house: House) -> None:
    others = sentences(50, 9, "o")
    assert house.clean(others).contributions[0].counts.kept == 50


def test_without_paid_rows_the_same_contribution_is_kept(house: House) -> None:
    """The tests above have teeth."""
    assert house.clean(PAID, paid=()).contributions[0].counts.kept == 60


def test_any_cut_of_the_work_finds_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = house.clean([*PAID[:7], *sentences(30, 6, "w")])
    monkeypatch.setattr("hokusai_assets.contribution.cleaning.bucket_count", lambda size: 16)
    cut = house.clean([*PAID[:7], *sentences(30, 6, "w")])
    assert cut.contributions[0].counts == whole.contributions[0].counts
    assert cut.content_root == whole.content_root
    assert whole.contributions[0].counts.already_paid == 7


def test_rows_of_numbers_are_recognised_near(tmp_path: Path, reference: Any) -> None:
    rng = random.Random(1)
    names = [f"x{i}" for i in range(6)]
    columns = [{"name": n, "type": "number"} for n in names]
    task = build_task([*columns, {"name": "label", "type": "category", "role": "target"}])

    def rows(count: int) -> list[Row]:
        return [
            {n: rng.gauss(0, 1) for n in names} | {"label": rng.choice(["bad", "good"])}
            for _ in range(count)
        ]

    base, benchmark = reference(task, rows(400), rows(100))
    paid_rows, new = rows(50), rows(20)
    write = lambda name, some: write_rows(tmp_path / name, some)  # noqa: E731
    from hokusai_assets.records import ContributionSource
    from hokusai_assets_tests.contribution.conftest import WALLET

    def clean(some: list[Row], name: str, paid: tuple[PaidDataset, ...]) -> ContributedDataset:
        path = str(write(f"{name}.csv", some))
        sent = ContributionSource(path=path, contributor_id="c", wallet_address=WALLET)
        return clean_contributions(
            [sent], task, base, benchmark, key=None, folder=tmp_path / name, paid=paid,
            assessed=False,
        )  # fmt: skip

    first = clean(paid_rows, "first", ())
    store = PaidStore(str(tmp_path / "store"), task, None)
    store.keep_contributions(first)
    paid = store.open([first.contributions[0].content_root_cleaned])
    moved = [{**row, "x0": row["x0"] + 1e-6, "label": "good"} for row in paid_rows]
    counts = clean([*moved, *new], "again", paid).contributions[0].counts
    assert counts.already_paid >= 45  # a few stand where distances tell nothing
    assert counts.kept >= 15
    assert clean([*moved, *new], "unpaid", ()).contributions[0].counts.kept > 45


# --- benchmarks: which are kept; which are refused, see test_paid_in_benchmark.py ---------------


def test_the_whole_benchmark_is_kept_not_the_sample(tmp_path: Path, reference: Any) -> None:
    _, benchmark = reference(
        TASK, BASE, [*BENCHMARK, BASE[0]], sample=lambda table, task: table.slice(0, 5)
    )
    store = PaidStore(str(tmp_path / "store"), TASK, "id")
    store.keep_benchmark(benchmark)
    (dataset,) = store.open([benchmark.content_root_received])
    assert dataset.row_count == 41
    assert store.damage(dataset.content_root) is None


# --- the store ------------------------------------------------------------------------------------


def test_what_is_kept_tells_no_id_and_only_what_must_be_known(house: House) -> None:
    (dataset,) = house.paid
    table = read_table(dataset.folder)
    assert set(table.column_names) == {"note", "weight", "label", "_row_digest", "_feature_key"}
    assert dataset.row_count == table.num_rows == 60
    stored = b"".join(path.read_bytes() for path in Path(dataset.folder).iterdir())
    assert b"canary-" not in stored
    assert "reviews" not in str(Path(dataset.folder).relative_to(house.folder))


def test_keeping_twice_is_keeping_once(house: House) -> None:
    kept = house.clean([NEW])
    house.store.keep_contributions(kept)
    before = {p: p.stat().st_mtime_ns for p in house.folder.rglob("store/**/*")}
    house.store.keep_contributions(kept)
    assert {p: p.stat().st_mtime_ns for p in house.folder.rglob("store/**/*")} == before
    assert not list(house.folder.rglob("store/**/.paid-*"))


def test_contributions_of_one_run_are_kept_apart(house: House) -> None:
    kept = house.clean([NEW], sentences(3, 8, "s"))
    house.store.keep_contributions(kept)
    roots = [c.content_root_cleaned for c in kept.contributions]
    assert [d.row_count for d in house.store.open(roots)] == [1, 3]
    assert [house.store.damage(root) for root in roots] == [None, None]


def test_rows_that_are_missing_stop_everything(house: House) -> None:
    with pytest.raises(StorageError, match="restore the store of paid rows"):
        house.store.open([*house.roots, "ab" * 32])
    (part,) = Path(house.paid[0].folder).glob("part-*.parquet")
    pq.write_table(pq.read_table(part).slice(0, 59), part)
    with pytest.raises(StorageError, match=r"Of the 60 rows paid for .* 59 are there"):
        house.clean([NEW])


def test_rows_that_were_changed_are_found_by_an_audit(house: House) -> None:
    (root,) = house.roots
    (part,) = Path(house.paid[0].folder).glob("part-*.parquet")
    table = pq.read_table(part)
    notes = ["another note", *table.column("note").to_pylist()[1:]]
    position = table.schema.get_field_index("note")
    pq.write_table(table.set_column(position, "note", [notes]), part)
    assert "feature keys are not those" in str(house.store.damage(root))
    position = table.schema.get_field_index("label")
    labels = ["bad" if v == "good" else "good" for v in table.column("label").to_pylist()]
    pq.write_table(table.set_column(position, "label", [labels]), part)
    assert "have the content root" in str(house.store.damage(root))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 2}'])
def test_a_damaged_description_is_refused(house: House, text: str) -> None:
    Path(house.paid[0].folder, "rows.json").write_text(text)
    with pytest.raises(StorageError, match="damaged: restore it from a backup"):
        house.store.open(house.roots)


def test_a_description_of_other_rows_is_refused(house: House) -> None:
    path = Path(house.paid[0].folder, "rows.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"content_root": "cd" * 32}))
    with pytest.raises(StorageError, match="of other rows"):
        house.store.open(house.roots)


def test_rows_hashed_under_another_key_are_not_silently_missed(house: House) -> None:
    for other, sentence in (("another id", "use the key with id"), (None, "use the key with id")):
        with pytest.raises(LedgerError, match=sentence):
            PaidStore(str(house.folder / "store"), TASK, other).open(house.roots)
    masking = build_task(privacy={"action": "mask"})
    store = PaidStore(str(house.folder / "masking"), masking, "one")
    store.keep_benchmark(house.benchmark)
    # Where nothing is hashed, rows do not depend on the key.
    PaidStore(str(house.folder / "masking"), masking, "two").open(
        [house.benchmark.content_root_received]
    )


def test_rows_treated_otherwise_are_not_silently_missed(house: House) -> None:
    """Masked when they were paid for and kept as they are now, all of them would be new."""
    columns = [
        {"name": "key", "type": "text", "role": "id"},
        {"name": "note", "type": "text", "nullable": True, "pii": "mask"},
        {"name": "weight", "type": "number"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    for other in (
        build_task(privacy={"action": "keep"}),
        build_task(privacy={"detectors": {"email": "keep"}}),
        build_task(columns),
    ):
        store = PaidStore(str(house.folder / "store"), other, house.paid_key_id)
        with pytest.raises(LedgerError, match="treated otherwise"):
            store.open(house.roots)


def test_a_task_with_other_features_still_recognises_what_both_have(house: House) -> None:
    task = build_task(
        [
            {"name": "key", "type": "text", "role": "id"},
            {"name": "note", "type": "text", "nullable": True},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    store = PaidStore(str(house.folder / "store"), task, house.store._key_id)
    house.task, house.paid = task, store.open(house.roots)
    rows = [{k: row[k] for k in ("key", "note", "label")} for row in [*PAID, NEW]]
    counts = house.clean(rows).contributions[0].counts
    assert (counts.already_paid, counts.kept) == (60, 1)


def test_a_task_with_a_column_that_paid_rows_lack_is_refused(house: House) -> None:
    task = build_task(
        [
            {"name": "note", "type": "text", "nullable": True},
            {"name": "colour", "type": "category"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    with pytest.raises(LedgerError, match="have no column 'colour'"):
        PaidStore(str(house.folder / "store"), task, house.store._key_id).open(house.roots)


def test_other_lineages_have_other_rows(house: House) -> None:
    other = PaidStore(
        str(house.folder / "store"),
        build_task(benchmark={"lineage": "../../elsewhere"}),
        house.store._key_id,
    )
    with pytest.raises(StorageError):
        other.open(house.roots)
    other.keep_contributions(house.clean([NEW]))
    assert not (house.folder.parent / "elsewhere").exists()


def test_a_store_behind_a_url(house: House) -> None:
    url = f"memory://{house.folder.name}/store"
    store = PaidStore(url, TASK, house.store._key_id)
    kept = house.clean([NEW])
    store.keep_contributions(kept)
    root = kept.contributions[0].content_root_cleaned
    house.paid = store.open([root])
    assert house.clean([NEW, PAID[0]]).contributions[0].counts.already_paid == 1
    fsspec.filesystem("memory").rm(f"/{house.folder.name}", recursive=True)
    with pytest.raises(StorageError, match="restore the store"):
        store.open([root])


def test_rows_that_are_not_those_of_their_root_are_not_kept(house: House) -> None:
    kept = house.clean([NEW])
    lying = kept.contributions[0].model_copy(update={"content_root_cleaned": "ef" * 32})
    with pytest.raises(StorageError, match="Evaluate again"):
        house.store.keep_contributions(kept.model_copy(update={"contributions": (lying,)}))


def test_a_copy_for_recomputing_is_checked_and_not_trusted(house: House) -> None:
    """Its roots are names of folders: other rows below them would leave out whatever they like."""
    from types import SimpleNamespace

    from hokusai_assets.attestation.ledger.facts import root_over
    from hokusai_assets.defs.recomputing import GivenRows

    nothing: Any = {"backend": "none", "url": "", "store": "", "digests": []}
    root = root_over(house.roots)
    given = GivenRows(
        **nothing, paid=str(house.folder / "store"), paid_roots=house.roots, root=root
    )
    run: Any = SimpleNamespace(task=house.task, pii_key_id=house.paid_key_id)
    assert given.known_rows(run, "") == (root, house.paid)
    file = next(Path(house.paid[0].folder).glob("*.parquet"))
    table = pq.read_table(file)
    pq.write_table(table.take([0] * table.num_rows), file)
    with pytest.raises(StorageError, match="is not what it says"):
        given.known_rows(run, "")
