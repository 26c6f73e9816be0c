"""A table of hits and near misses per detector, from published formats and test values."""

import csv
import gzip
import re
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.contribution.folding import fold, original_spans
from hokusai_assets.contribution.pii_detectors import (
    DETECTORS,
    FINDERS,
    PREFILTER,
    TOKEN,
    find,
    mask,
    mask_text,
)

JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
BEGIN = "-----BEGIN RSA PRIVATE KEY-----"

# detector: {text with the value between « and »: canonical form or None for "not checked"}
HITS = {
    "email": {
        "write to «alice@example.com».": "alice@example.com",
        "«Alice.B+tag@Mail.Example.CO.UK»": "alice.b+tag@mail.example.co.uk",
        "<«o'brien@example.ie»>": "o'brien@example.ie",
        "mailto:«x_y-z%w@sub.example.org»?subject=1": None,
        "?email=«alice@example.com»&x=1": "alice@example.com",
        "'«alice@example.com»'": "alice@example.com",
        "«josé@example.com»": None,
        "«jose\u0301@example.com»": None,
        "«用户@例子.公司»": None,
        "«alice@xn--fsqu00a.xn--0zwm56d»": None,
        "«alice＠example．com»": "alice@example.com",
        "«al\u200bice@exam\u00adple.com»": "alice@example.com",
        '«"john doe"@example.com»': None,
        "x" * 5 + " «" + "a" * 90 + "@example.com»": None,
        "..«a..b@example.com»": "a..b@example.com",
    },
    "phone": {
        "call «(202) 555-0143» now": "+12025550143",
        "«202-555-0143»": "+12025550143",
        "«202.555.0143»": "+12025550143",
        "«1-800-242-8807»": "+18002428807",
        "«+1 202-555-0143»": "+12025550143",
        "«+1 (202) 555-0143»": "+12025550143",
        "«555-123-4567»": "+15551234567",
        "«(555)123-4567 x89»": "+15551234567",
        "«202 555 0143»": "+12025550143",
        "«202\u00a0555\u00a00143»": "+12025550143",
        "«202–555–0143»": "+12025550143",
        "«+44 20 7946 0958»": "+442079460958",
        "«+44 (0)20 7946 0958»": "+442079460958",
        "«+442079460958», thanks": "+442079460958",
        "«0044 20 7946 0958»": "+442079460958",
        "«+49 30 901820»": "+4930901820",
        "«+91 98765 43210» 7 boxes": "+919876543210",
        "«+٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨»": "+442079460958",
        "«01 42 68 53 00»": "+33142685300",
        "phone: «2025550143»": "+12025550143",
        "call me at «2025550143»!": "+12025550143",
    },
    "us_ssn": {
        "«123-45-6789»": "123456789",
        "é«123-45-6789»é": "123456789",
        "ssn «123 45 6789»": "123456789",
        "«123‑45‑6789»": "123456789",
        "«１２３−４５−６７８９»": "123456789",
        "«536-90-4399».": "536904399",
        "1-«123-45-6789»-2": "123456789",
        "itin «912-70-1234»": "912701234",
        "SSN: «123456789»": "123456789",
        "social security number is «536904399»": "536904399",
    },
    "payment_card": {
        "«4111 1111 1111 1111»": "4111111111111111",
        "«4111111111111111»": "4111111111111111",
        "«4111-1111-1111-1111», 12/27": "4111111111111111",
        "«4111\u00a01111\u00a01111\u00a01111»": "4111111111111111",
        "«٤١١١ ١١١١ ١١١١ ١١١١»": "4111111111111111",
        "12 «4111 1111 1111 1111» 22": "4111111111111111",
        "«5555-5555-5555-4444»": "5555555555554444",
        "«2223003122003222»": "2223003122003222",
        "«3782 822463 10005»": "378282246310005",
        "«6011111111111117»": "6011111111111117",
        "«3530111333300000»": "3530111333300000",
        "«30569309025904»": "30569309025904",
        "«6304000000000000»": "6304000000000000",
        "«4222222222222»": "4222222222222",
    },
    "ip_address": {
        "from «192.0.2.44».": "192.0.2.44",
        "«10.0.0.1»:8080": "10.0.0.1",
        "«192.0.2.44»/24": "192.0.2.44",
        "«2001:db8::1»": "2001:db8::1",
        "[«2001:DB8:0:0:0:0:0:1»]": "2001:db8::1",
        "«2001:db8::1»: seen": "2001:db8::1",
        "«fe80::1ff:fe23:4567:890a»%eth0": "fe80::1ff:fe23:4567:890a",
        "«::ffff:192.0.2.44»": None,
    },
    "iban": {
        "«GB82 WEST 1234 5698 7654 32»": "GB82WEST12345698765432",
        "«GB82WEST12345698765432» and more": "GB82WEST12345698765432",
        "iban «de89 3704 0044 0532 0130 00» to me": "DE89370400440532013000",
        "«FR14-2004-1010-0505-0001-3M02-606»": "FR1420041010050500013M02606",
        "«NO93 8601 1117 947»": "NO9386011117947",
    },
    "url_credentials": {
        "https://«bob:hunter2»@host.example/x": "bob:hunter2",
        "postgres+psycopg://«u:p@ss:w»@db.example:5432/d": "u:p@ss:w",
        "redis://«:secret»@cache": ":secret",
        "https://«[EMAIL]:secret»@host.example": None,
    },
    "crypto_wallet": {
        "pay «0x52908400098527886E0F7030069857D2E4169EE7»": (
            "0x52908400098527886e0f7030069857d2e4169ee7"
        ),
        "«0xde709f2102306220921060314715629080e2fb77».": None,
        "«1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa»": None,
        "«bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq»": None,
    },
    "api_key": {
        "key=«AKIAIOSFODNN7EXAMPLE»": None,
        "«ghp_16C7e42F292c6912E7710c838347Ae178B4a»": None,
        "«xoxb-123456789012-abcdefABCDEF»": None,
        "«AIzaSyA1234567890abcdefghijklmnopqrstuv»": None,
        "«sk_live_4eC39HqLyjWDarjtT1zdp7dc»": None,
        "«glpat-abcdefghij0123456789»": None,
    },
    "jwt": {f"Bearer «{JWT}»": JWT},
    "private_key": {
        f"see «{BEGIN}\nMIIE\n-----END RSA PRIVATE KEY-----» there": None,
        f"cut off «{BEGIN}\nMIIE»": None,
        "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nx»": None,
    },
}

NEAR_MISSES = {
    "email": [
        "me @ home",
        "@handle",
        "a@b",
        "user@localhost",
        "3 @ 2.50",
        "pkg@1.2.3",
        "@example.com",
        "left@right.",
        "x@.com",
        "100%@2.5oz",
    ],
    "phone": [
        "2025550143",
        "555-1234",
        "1234-567-8901",
        "12-34-5678",
        "2024-05-01 12:30:00",
        "200 300 4000",
        "978-3-16-148410-0",
        "item 0 12345 67890 5",
        "+1234567",
        "3.14159265358",
        "102-555-0143",
        "1,234,567,890",
        "202-555-01431",
    ],
    "us_ssn": [
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "123456789",
        "123-45-67890",
        "0123-45-6789",
        "078-05-1120",
        "123-45 6789",
        "x123-45-6789",
    ],
    "payment_card": [
        "4111 1111 1111 1112",
        "1111 1111 1111 1117",
        "41111111111111111",
        "x4111111111111111",
        "4111111111111111z",
        "9999 9999 9999 9995",
        "0000 0000 0000 0000",
        "4111 1111 1111",
        "12 34 56 78 90 12 34 56",
        "79927398713",
    ],
    "ip_address": [
        "1.2.3",
        "256.1.1.1",
        "1.2.3.4.5",
        "v1.2.3.4",
        "127.0.0.1",
        "0.0.0.0",
        "::1",
        "::",
        "12:30:45",
        "aa:bb:cc:dd:ee:ff",
        "std::vector",
        "a::b",
        "1:2",
        "01.02.03.04",
    ],
    "iban": [
        "GB82 WEST 1234 5698 7654 33",
        "GB82",
        "XX82WEST12345698765432",
        "GB82 WEST 1234",
        "AB12 words that follow are no account",
    ],
    "url_credentials": [
        "https://host.example/a:b",
        "https://host:8080/x",
        "http://a/b:c@d",
        "a:b@c",
        "https://[URL_CREDENTIALS]@host.example",
        "https://user@host",
    ],
    "crypto_wallet": [
        "0x52908400098527886E0F7030069857D2E4169EE",
        "0x" + "a" * 64,
        "x0x52908400098527886E0F7030069857D2E4169EE7",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx",
        "0xdeadbeef",
    ],
    "api_key": [
        "AKIA",
        "akiaiosfodnn7example",
        "sk-this-is-plain-english-words",
        "ghp_short",
        "task_live_x",
    ],
    "jwt": ["eyJ.eyJ.x", "eyJhbGciOiJI", "eyJub3QiOiJvbmUifQ.x.y", "hey.you.there"],
    "private_key": ["-----BEGIN PUBLIC KEY-----", "my PRIVATE KEY is lost", "BEGIN PRIVATE KEY"],
}

HIT_ROWS = [(name, text, form) for name, rows in HITS.items() for text, form in rows.items()]
MISS_ROWS = [(name, text) for name, rows in NEAR_MISSES.items() for text in rows]


def test_every_detector_stands_in_both_tables():
    assert set(HITS) == set(NEAR_MISSES) == set(FINDERS)


@pytest.mark.parametrize(("detector", "marked", "canonical"), HIT_ROWS)
def test_hits_cover_the_value_exactly_and_pass_the_prefilter(detector, marked, canonical):
    text = re.sub("[«»]", "", marked)
    span = (marked.index("«"), marked.index("»") - 1)
    folded = fold(text)
    hits = find(folded)
    assert [hit.detector for hit in hits] == [detector]
    assert original_spans(text, [(hits[0].start, hits[0].end) for hit in hits]) == [span]
    assert canonical is None or hits[0].canonical == canonical
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
