"""Near texts: what is found, what is not, and who leaves."""

import random

import numpy as np
import pyarrow as pa
import pytest

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.near_texts import (
    BANDS,
    ROW_BITS,
    comparable,
    signatures,
    similar,
)
from hokusai_assets_tests.contribution.conftest import build_task

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in ("a", "e", "ilo", "orn") for c in "lmnrst"]
EASY = "the quick brown fox jumps over the lazy dog and runs into deep woods at night"


def text(drawn, words=13):
    return " ".join(drawn.choices(WORDS, k=words))


def edited(drawn, given, edits=1):
    words = given.split()
    for place in drawn.sample(range(len(words)), edits):
        words[place] = f"new{drawn.randrange(10**6)}"
    return " ".join(words)


def share_found(pairs):
    """Of pairs of texts, how many agree in a band and are near by their words."""
    ones, others = (pa.array(side) for side in zip(*pairs, strict=True))
    low = (1 << ROW_BITS) - 1

    def bands(words):
        found = {}
        for packed in signatures(words).bands.tolist():
            found.setdefault(packed & low, set()).add(packed >> ROW_BITS)
        return found

    first, second = bands(ones), bands(others)
    agree = [bool(first.get(i, set()) & second.get(i, set())) for i in range(len(pairs))]
    near = [similar(frozenset(a.split()), frozenset(b.split())) for a, b in pairs]
    return np.mean(np.array(agree) & np.array(near))


@pytest.mark.parametrize(("words", "edits", "least"), [(13, 1, 0.99), (13, 2, 0.9), (30, 3, 0.99)])
def test_edited_texts_are_found(words, edits, least):
    drawn = random.Random(words)
    texts = [text(drawn, words) for _ in range(1000)]
    assert share_found([(t, edited(drawn, t, edits)) for t in texts]) >= least


def test_other_texts_are_not():
    drawn = random.Random(1)
    assert share_found([(text(drawn), text(drawn)) for _ in range(2000)]) == 0


def test_a_signature_depends_on_the_words_alone():
    """Not on where in a batch a text stands, nor on what stands beside it."""
    drawn = random.Random(2)
    texts = [text(drawn, n) for n in (3, 5, 13, 40)]
    alone = [signatures(pa.array([t])) for t in texts]
    together = signatures(pa.array([None, "", "one", *texts, "two words"]))
    low = np.uint64((1 << ROW_BITS) - 1)
    for place, own in enumerate(alone, 3):
        rows = together.bands[(together.bands & low) == place]
        assert (rows >> np.uint64(ROW_BITS)).tolist() == (own.bands >> np.uint64(ROW_BITS)).tolist()
        assert len(rows) == BANDS
        assert together.bitmaps[place] == own.bitmaps[0]
    assert set((together.bands & low).tolist()) == {
        2,
        3,
        4,
        5,
        6,
        7,
    }  # those without words have none


def test_no_text_at_all_has_no_signature():
    for cells in ([], [None], ["", None]):
        found = signatures(pa.array(cells, pa.string()))
        assert len(found.bands) == 0 and len(found.bitmaps) == len(cells)


def test_scripts_without_spaces_are_compared_by_pairs_of_characters():
    task = build_task()
    one = "今日は天気がとても良いので公園まで散歩に行きました"
    other = one.replace("公園", "学校")
    words = comparable(pa.table({"note": [one, other, "plain words here"]}), task)
    assert words[0].as_py().split()[:2] == ["今日", "日は"]
    assert words[2].as_py() == "plain words here"
    assert similar(*(frozenset(w.as_py().split()) for w in words[:2]))


@pytest.fixture
def clean(tmp_path, reference, write, source):
    made = 0

    def run(own, *, base=(), benchmark=(), **sections):
        nonlocal made
        made += 1
        task = build_task(**sections)
        filler = [row(f"f{i}", " ".join(random.Random(i).choices(WORDS, k=9))) for i in range(5)]
        stored, scored = reference(task, [*filler, *base], [*filler[:0], row("m", "m"), *benchmark])
        files = own if isinstance(own, dict) else {"alice": own}
        sources = [
            source(write(tmp_path / f"{name}{made}.csv", rows), name)
            for name, rows in files.items()
        ]
        found = clean_contributions(
            sources, task, stored, scored, key=None, folder=str(tmp_path / f"out{made}")
        )
        return [c.counts for c in found.contributions], scored

    return run


def row(key, note, weight=1.0, label="good"):
    return {"key": key, "note": note, "weight": weight, "label": label}


NEAR = EASY.replace("lazy", "sleepy")
OTHER = row("o", "something else entirely that nobody has said in this place before today")


def test_near_rows_of_one_file_leave_but_one(clean):
    own = [row("a", EASY), row("b", NEAR), row("c", EASY.replace("quick", "slow")), OTHER]
    (counts,), _ = clean(own)
    assert (counts.duplicates_near, counts.kept) == (2, 2)


def test_near_rows_of_base_and_of_earlier_contributions_leave(clean):
    (counts,), _ = clean([row("a", NEAR), OTHER], base=[row("x", EASY)])
    assert (counts.duplicates_near, counts.kept) == (1, 1)
    (first, second), _ = clean({"alice": [row("a", EASY)], "bob": [row("b", NEAR), OTHER]})
    assert (first.kept, second.duplicates_near, second.kept) == (1, 1, 1)


@pytest.mark.parametrize("near", ["drop", "report"])
def test_rows_near_to_the_benchmark_leak_whatever_their_label_and_the_policy(clean, near):
    own = [row("a", NEAR, label="bad"), OTHER]
    (counts,), _ = clean(own, benchmark=[row("x", EASY)], duplicates={"near": near})
    assert (counts.leaked_near, counts.leaked, counts.kept) == (1, 1, 1)


def test_a_crowd_does_not_hide_whom_it_resembles(clean):
    """Many rewrites of one benchmark row: each is found to be one, not only a few."""
    own = [row(f"k{i}", EASY.replace("lazy", f"lazy{i}")) for i in range(40)]
    (counts,), _ = clean([*own, OTHER], benchmark=[row("x", EASY)])
    assert (counts.leaked_near, counts.duplicates_near, counts.kept) == (40, 0, 1)


def test_the_task_can_let_near_rows_stay(clean):
    (counts,), _ = clean([row("a", EASY), row("b", NEAR)], duplicates={"near": "report"})
    assert (counts.duplicates_near, counts.duplicates_reported, counts.kept) == (0, 1, 2)


def test_rows_that_say_something_else_of_the_same_are_no_duplicates(clean):
    own = [row("a", EASY), row("b", NEAR, label="bad")]
    (counts,), _ = clean(own)
    assert (counts.duplicates_near, counts.kept) == (0, 2)


@pytest.mark.parametrize(("apart", "near"), [(0.0, 1), (0.05, 1), (0.2, 0)])
def test_numbers_must_be_near_too(clean, apart, near):
    """In standard deviations of base, whose weights here are 0 and 2: one."""
    base = [row(f"y{i}", f"base {i}", weight=2.0 * (i % 2)) for i in range(10)]
    base = [{**r, "note": text(random.Random(i), 5)} for i, r in enumerate(base)]
    (counts,), _ = clean([row("a", EASY), row("b", NEAR, weight=1 + apart)], base=base)
    assert counts.duplicates_near == near


def test_the_order_of_a_file_does_not_matter(clean):
    own = [row(f"k{i}", EASY.replace("lazy", f"lazy{i}")) for i in range(12)] + [OTHER]
    seen = set()
    for seed in range(4):
        random.Random(seed).shuffle(own)
        (counts,), _ = clean(own)
        seen.add(counts)
    assert len(seen) == 1 and seen.pop().kept == 2


def test_benchmark_rows_near_to_base_stay_and_are_counted(clean):
    _, scored = clean([OTHER], base=[row("x", EASY)], benchmark=[row("y", NEAR, label="bad")])
    assert (scored.near_base, scored.left_out_exact, scored.row_count) == (1, 0, 2)


def test_short_texts_with_jittered_numbers_are_near_to_their_originals(clean):
    base = [row(f"y{i}", text(random.Random(i), 9), weight=float(i)) for i in range(10)]
    benchmark = [row(f"m{i}", f"{WORDS[i]} {WORDS[i + 1]}", weight=i + 0.5) for i in range(9)]
    own = [{**r, "key": "k" + r["key"], "weight": r["weight"] + 1e-9} for r in benchmark]
    own += [row(f"o{i}", WORDS[i], weight=i + 0.5) for i in range(3)]
    (counts,), _ = clean(own, base=base, benchmark=benchmark)
    assert (counts.leaked_near, counts.kept) == (9, 3)


def test_a_category_in_other_letters_does_not_hide_a_near_row(tmp_path, reference, write, source):
    task = build_task(
        [
            {"name": "note", "type": "text"},
            {"name": "kind", "type": "category"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )

    def rows(kind, note, label="good"):
        return [{"note": note, "kind": kind, "label": label}]

    stored, scored = reference(task, rows("blue", OTHER["note"]), rows("red", EASY))
    own = rows("RED", NEAR) + rows("red", "another thing that nobody else has said before now")
    found = clean_contributions(
        [source(write(tmp_path / "a.csv", own))],
        task,
        stored,
        scored,
        key=None,
        folder=str(tmp_path / "out"),
    )
    assert found.contributions[0].counts.leaked_near == 1


def test_a_row_that_left_takes_no_other_contributors_with_it(clean):
    """The first is near to the benchmark, the second near to the first only."""
    words = EASY.split()
    one = " ".join(["xa", "xb", *words[2:]])
    other = " ".join(["xa", "xb", "xc", "xd", *words[4:]])
    files = {"alice": [row("a", one), OTHER], "bob": [row("b", other)]}
    (first, second), _ = clean(files, benchmark=[row("x", EASY)])
    assert (first.leaked_near, second.duplicates_near, second.kept) == (1, 0, 1)


def test_long_texts_have_the_signatures_of_few_at_a_time(monkeypatch):
    drawn = random.Random(3)
    texts = pa.array([text(drawn, n) for n in range(1, 60)])
    whole = signatures(texts)
    monkeypatch.setattr("hokusai_assets.contribution.near_texts._BYTES_AT_ONCE", 500)
    split = signatures(texts)
    assert split.bands.tolist() == whole.bands.tolist()
    assert split.bitmaps.tolist() == whole.bitmaps.tolist()
