"""Every row of the tables (pii_table.py, pii_near_misses.py), and the laws of find and rewrite."""

import csv
import gzip
import re
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution import national_ids
from hokusai_assets.contribution.folding import fold, original_spans
from hokusai_assets.contribution.pii_detectors import (
    DETECTORS,
    FINDERS,
    PREFILTER,
    PREFILTERS,
    TOKEN,
    find,
    finders_again,
    finders_for,
    mask,
    mask_text,
    rewrite,
)
from hokusai_assets_tests.contribution.pii_near_misses import NEAR_MISSES
from hokusai_assets_tests.contribution.pii_table import HITS, SAME

HIT_ROWS = [
    (name, text, form)
    for name, rows in HITS.items()
    for form, texts in rows.items()
    for text in texts
]
MISS_ROWS = [(name, text) for name, rows in NEAR_MISSES.items() for text in rows]


@pytest.mark.parametrize("detector", FINDERS)
def test_every_detector_has_forty_hits_and_forty_near_misses(detector):
    assert set(HITS) == set(NEAR_MISSES) == set(FINDERS)
    assert len({text for name, text, _ in HIT_ROWS if name == detector}) >= 40
    assert len({text for name, text in MISS_ROWS if name == detector}) >= 40


@pytest.mark.parametrize(("detector", "marked", "canonical"), HIT_ROWS)
def test_hits_cover_the_value_exactly_and_pass_the_prefilter(detector, marked, canonical):
    text = re.sub("[«»]", "", marked)
    span = (marked.index("«"), marked.index("»") - 1)
    folded = fold(text)
    hits = find(folded)
    assert [hit.detector for hit in hits] == [detector]
    assert original_spans(text, [(hits[0].start, hits[0].end) for hit in hits]) == [span]
    expected = {SAME: text[span[0] : span[1]], "": hits[0].canonical}
    assert hits[0].canonical == expected.get(canonical, canonical)
    assert pc.match_substring_regex(pa.array([folded]), PREFILTER).to_pylist() == [True]
    assert mask_text(text) == text[: span[0]] + mask(detector) + text[span[1] :]


@pytest.mark.parametrize(("detector", "text"), MISS_ROWS)
def test_near_misses_are_left_alone(detector, text):
    assert detector not in {hit.detector for hit in find(fold(text))}


def test_neighbours_are_all_found():
    text = "alice@example.com,4111 1111 1111 1111;123-45-6789 (202) 555-0143/192.0.2.44"
    assert [hit.detector for hit in find(text)] == [
        "email",
        "payment_card",
        "us_ssn",
        "phone",
        "ip_address",
    ]


def test_what_hides_behind_another_hit_is_found_in_the_next_round():
    # A digit and a hyphen before a telephone number hide it until they are masked themselves.
    text = "4111 1111 1111 1111-202-555-0143"
    assert [hit.detector for hit in find(text)] == ["payment_card"]
    assert mask_text(text) == "[PAYMENT_CARD]-[PHONE]"


def test_a_token_is_no_hiding_place():
    assert "secret" not in mask_text("https://[EMAIL]:secret@host.example")
    assert mask_text("[EMAIL:4111111111111111]") == "[EMAIL:[PAYMENT_CARD]]"


@pytest.mark.parametrize("detector", DETECTORS)
def test_tokens_are_never_found_again(detector):
    for token in (mask(detector), f"[{detector.upper()}:{'4111111111111111' * 2}]"):
        assert TOKEN.fullmatch(token)
        for around in ("{}", "x {} y", "https://{}@host.example", "{}@example.com", "1-{}-2345"):
            assert mask_text(around.format(token)) == around.format(token)


FRAGMENTS = [re.sub("[«»]", "", text) for _, text, _ in HIT_ROWS] + [t for _, t in MISS_ROWS]
TEXTS = st.lists(
    st.sampled_from(FRAGMENTS) | st.text(max_size=4) | st.sampled_from("-. @:/1+["), max_size=5
).map("".join)


@given(TEXTS)
def test_masking_twice_is_masking_once_and_the_prefilter_misses_nothing(text):
    masked = mask_text(text)
    assert mask_text(masked) == masked
    if masked != text:
        assert pc.match_substring_regex(pa.array([fold(text)]), PREFILTER).to_pylist() == [True]


@given(TEXTS)
def test_each_finder_finds_only_what_its_prefilter_matches(text):
    for _ in range(2):  # in what was masked too
        folded = fold(text)
        (among,) = finders_for(pa.array([folded]))
        found = {name for name, finder in FINDERS.items() if list(finder(folded))}
        if "[" not in text:
            assert found <= set(among)
        assert find(folded, among) == find(folded)
        text = rewrite(text, lambda hit: f"[{hit.detector.upper()}:{'0123456789abcdef' * 2}]")


# What the engine is asked of all cells is looser than what it is asked of few, never tighter.
@pytest.mark.parametrize("name", sorted(PREFILTERS))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_one_prefilter_matches_the_alternation_matches(name, data):
    alphabet = st.characters(codec="ascii")
    cell = data.draw(st.from_regex(re.compile(PREFILTERS[name]), fullmatch=True, alphabet=alphabet))
    matched = pc.match_substring_regex(pa.array([cell]), PREFILTER)[0].as_py()
    assert matched or not list(FINDERS[name](fold(cell)))


@pytest.mark.parametrize("module", sorted(national_ids._DIGITS_FIRST))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_number_of_a_form_passes_the_alternation(module, data):
    form = re.compile(national_ids._DIGITS_FIRST[module], re.ASCII)
    number = data.draw(st.from_regex(form, fullmatch=True))
    assert pc.match_substring_regex(pa.array([number]), PREFILTER)[0].as_py()


@given(TEXTS)
def test_a_second_look_finds_what_a_first_one_would(text):
    masked = pa.array([fold(rewrite(text, lambda hit: f"[{hit.detector.upper()}]"))])
    (again,) = finders_again(masked)
    (first,) = finders_for(masked)
    assert again == first or not find(masked[0].as_py(), first)


def test_prefilters_are_in_order_of_precedence():
    assert list(PREFILTERS) == list(FINDERS)


@given(st.text())
def test_folding_twice_is_folding_once_and_spans_lead_back(text):
    folded = fold(text)
    assert fold(folded) == folded
    if folded:
        ((start, end),) = original_spans(text, [(0, len(folded))])
        assert fold(text[start:end]) == folded


@pytest.mark.parametrize(
    "text",
    [
        "@" * 100_000,
        "a@" * 50_000,
        "a." * 50_000 + "@",
        "1 " * 100_000,
        "1111 " * 400_000,
        "12:" * 60_000,
        "GB82 " * 40_000,
        "(" * 100_000,
        "+1" * 50_000,
        "0 1" * 50_000,
        "a://" * 50_000,
        "a://b:" + "c@" * 50_000,
        "eyJ" * 60_000,
        "-----BEGIN PRIVATE KEY-----" * 5_000,
        "a@b.co " * 20_000,
        "[EMAIL] a@b.co " * 10_000,
        "a.co%40" * 30_000,
        "a (at) " * 30_000,
        "a(at)b dot " * 20_000,
        "&#64;a.a" * 30_000,
        "1a1a" * 50_000,
        "1 A A A A A A " * 15_000,
        "12 Aa" * 40_000,
        "Aa" * 100_000,
        "Via " * 50_000,
        "Calle De La " * 20_000,
        "ul. A" * 40_000,
        "Straße" * 30_000,
        "1 rue de la " * 20_000,
        "nhs no no no " * 20_000,
        "nhs number is " * 20_000,
        "1-" * 100_000,
        "1.2" * 60_000,
        "AB12" * 50_000,
        "AB 12 " * 40_000,
        "XXXXXX" * 30_000 + "12",
        "bc1" + "q" * 200_000,
        "1A" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_cells_take_no_long_time(text):
    start = time.perf_counter()
    find(fold(text))
    assert time.perf_counter() - start < 60  # a hang, not a speed, is what this would catch


def test_the_examples_reviews_hold_three_telephone_numbers_and_nothing_else():
    folder = Path(__file__).parents[2] / "examples" / "fine_foods"
    found = []
    for path in sorted(folder.glob("*.csv*")):
        if "faults" in path.name:
            continue
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                found += [(h.detector, h.canonical) for h in find(fold(row["review"]))]
    assert set(found) <= {
        ("phone", "+18002428807"),
        ("phone", "+18004561330"),
        ("phone", "+18008335330"),
    }
    assert len(found) == 3


def test_the_prefilter_stops_at_short_international_numbers() -> None:
    assert find("call +49 30 9018")[0].detector == "phone"
    assert pc.match_substring_regex(pa.array(["call +49 30 9018"]), PREFILTER)[0].as_py()
