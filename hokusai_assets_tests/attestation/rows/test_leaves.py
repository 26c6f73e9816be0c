"""Leaves: their form, what they hide, one file everywhere, and reading that trusts nothing."""

import dataclasses
import gzip
import hashlib
import hmac
import io
import json
import random
import struct
import zlib

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.attestation.rows.leaves import GZIP_HEADER, leaf_lines, write_leaves
from hokusai_assets.attestation.rows.opening import check_opening, open_row
from hokusai_assets.attestation.rows.reading import MAX_LINE_BYTES, lines_of, read_leaves
from hokusai_assets.attestation.rows.references import LeafSecret, leaf_secret, salt_key_id
from hokusai_assets.attestation.rows.tree import root_of
from hokusai_assets.errors import AttestationError, UsageError
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.rows import ScoredRows

RULE = {
    "included": ["accuracy", "auroc"],
    "guards": [
        {"metric": "auroc"},
        {"metric": "accuracy", "slice": "short"},
        {"metric": "accuracy", "slice": "new"},
    ],
}
GUARDED = ("short", "new")
SECRET = leaf_secret(b"operator", "ab" * 32)


def made(n=7, *, classes=2, seeds=(1, 1), scored=(True, True), groups=False, seed=3):
    rng = np.random.default_rng(seed)
    models = []
    for count, has in zip(seeds, scored, strict=True):
        labels = rng.integers(0, classes, (count, n))
        width = 1 if classes == 2 else classes
        scores = rng.integers(0, 10**6 + 1, (count, n, width)) if has else None
        models.append(Predictions(labels, scores))
    digests = sorted(hashlib.sha256(b"%d" % (i // 2)).digest() for i in range(n))
    slices = (("other", rng.random(n) < 0.5), *((name, rng.random(n) < 0.4) for name in GUARDED))
    codes = np.arange(n) // 2 if groups else None
    return ScoredRows(digests, rng.integers(0, classes, n), *models, codes, slices)


def lines(rows, *, classes=2, rule=RULE, secret=SECRET, ids=None, groups=None):
    return list(leaf_lines(rows, rule, secret, classes=classes, ids=ids, groups=groups))


def packed(texts, hides=True):
    stream = io.BytesIO()
    root = write_leaves(iter(texts), stream, hides=hides)
    return stream.getvalue(), root


def opened(content, *, classes=2, guarded=GUARDED):
    return read_leaves(io.BytesIO(content), "leaves", classes=classes, guarded=guarded)


def keyed(secret, message):
    return hmac.new(secret.key, message, hashlib.sha256).hexdigest()


def test_a_leaf_is_the_documented_one():
    rows = made(3, groups=True)
    ids, groups = ["ann@x.org", "", "7"], ["g1", None, "g1"]
    found = lines(rows, ids=ids, groups=groups)
    base, cand = rows.baseline, rows.candidate
    masks = dict(rows.slices)
    same = int(rows.row_digests[1] == rows.row_digests[0])
    refs = [
        keyed(SECRET, b"row\x00ann@x.org"),
        keyed(SECRET, b"content\x00%s\x00%d" % (rows.row_digests[1].hex().encode(), same)),
        keyed(SECRET, b"row\x007"),
    ]
    for i, line in enumerate(found):
        group = b"group\x00g1" if i != 1 else b"ungrouped\x00" + refs[1].encode()
        expected = [
            i,
            refs[i],
            keyed(SECRET, group),
            int(rows.truth[i]),
            [[int(base.labels[0, i]), int(base.scores[0, i, 0])]],
            [[int(cand.labels[0, i]), int(cand.scores[0, i, 0])]],
            [at for at, name in enumerate(GUARDED) if masks[name][i]],
            keyed(SECRET, b"salt\x00%d" % i),
        ]
        assert line.encode() == rfc8785.dumps(expected)


def test_neither_id_nor_group_stands_in_clear_nor_links_to_a_salt():
    n = 12
    text = "".join(
        lines(
            made(n, groups=True),
            ids=[f"canary{i}@x.org" for i in range(n)],
            groups=[f"clan{i}" for i in range(n)],
        )
    )
    assert "canary" not in text
    assert "clan" not in text
    # An id that is a number must not be the salt of the leaf of that number.
    found = [json.loads(line) for line in lines(made(n), ids=[str(i) for i in range(n)])]
    hashes = [part for leaf in found for part in (leaf[1], leaf[7])]
    assert len(set(hashes)) == 2 * n


def test_without_a_secret_ids_and_groups_cannot_be_guessed_since_they_do_not_enter():
    public = leaf_secret(None, "ab" * 32)
    assert not public.hides
    first = lines(made(groups=True), secret=public, ids=list("abcdefg"), groups=list("xxyyzzz"))
    renamed = lines(made(groups=True), secret=public, ids=list("tuvwxyz"), groups=list("aabbccc"))
    assert first == renamed
    hidden = [lines(made(), ids=list(text)) for text in ("abcdefg", "tuvwxyz")]
    assert hidden[0] != hidden[1]


def test_secrets_are_of_one_benchmark_each_and_never_shown():
    configured = b"operator"
    secrets = [
        leaf_secret(configured, "ab" * 32),
        leaf_secret(configured, "cd" * 32),
        leaf_secret(b"another", "ab" * 32),
        leaf_secret(None, "ab" * 32),
    ]
    assert len({secret.key for secret in secrets}) == 4
    assert "key" not in repr(secrets[0])
    name = salt_key_id(configured)
    assert name != salt_key_id(b"another")
    assert salt_key_id(None) is None
    assert name not in {secret.key.hex() for secret in secrets}
    assert configured.hex() not in name


def test_rows_of_equal_content_have_references_of_their_own():
    rows = made(8)
    refs = [json.loads(line)[1] for line in lines(rows)]
    assert len(set(rows.row_digests)) == 4
    assert len(set(refs)) == 8


def test_the_file_is_plain_gzip_without_name_or_time_and_the_root_is_over_its_lines():
    texts = lines(made(9_001))
    content, root = packed(texts)
    assert gzip.decompress(content) == "".join(f"{t}\n" for t in texts).encode()
    assert content[:10] == GZIP_HEADER == b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    assert root.root == root_of(text.encode() for text in texts).hex()
    assert root.body() == {"root": root.root, "count": 9_001, "hides": True, "leaf_version": 1}
    assert packed(texts)[0] == content


@given(
    st.integers(1, 30),
    st.integers(2, 4),
    st.sampled_from([(1, 1), (1, 3), (3, 3)]),
    st.sampled_from([(True, True), (False, True), (False, False)]),
    st.booleans(),
)
def test_what_is_written_is_read_back(n, classes, seeds, scored, grouped):
    rows = made(n, classes=classes, seeds=seeds, scored=scored, groups=grouped)
    groups = [str(code) for code in rows.clusters] if grouped else None
    content, root = packed(lines(rows, classes=classes, groups=groups))
    found = opened(content, classes=classes)
    assert (found.root, found.count) == (root.root, n)
    assert found.rows.truth.tolist() == rows.truth.tolist()
    for one, other in (
        (found.rows.baseline, rows.baseline),
        (found.rows.candidate, rows.candidate),
    ):
        assert one.labels.tolist() == other.labels.tolist()
        assert (one.scores is None) == (other.scores is None)
        assert one.scores is None or one.scores.tolist() == other.scores.tolist()
    assert (found.rows.clusters is None) == (not grouped)
    if grouped:
        assert found.rows.clusters.tolist() == rows.clusters.tolist()
    masks = dict(rows.slices)
    assert [(name, mask.tolist()) for name, mask in found.rows.slices] == [
        (name, masks[name].tolist()) for name in GUARDED
    ]


def changed(line, place, value):
    parts = json.loads(line)
    parts[place] = value
    return rfc8785.dumps(parts).decode()


HASH = "0" * 64


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (0, 3, "leaf 2 calls itself 3"),
        (0, True, "has not the form"),
        (0, "2", "has not the form"),
        (1, HASH[:-1], "has not the form"),
        (1, HASH.replace("0", "A"), "has not the form"),
        (2, HASH, "leaf 2 has a group and others have none"),
        (3, 2, "leaf 2 holds a class that does not exist"),
        (3, -1, "has not the form"),
        (3, None, "has not the form"),
        (4, [[2, 5]], "leaf 2 holds a class"),
        (4, [[0, 1_000_001]], "score above a million"),
        (4, [[0]], "another number of scores"),
        (4, [[0, 1], [0, 1]], "another number of seeds"),
        (4, [], "has not the form"),
        (4, [[]], "has not the form"),
        (5, [[0, [1]]], "has not the form"),
        (6, [2], "slice that no guard is on"),
        (6, [1, 0], "slice that no guard is on"),
        (6, [0, 0], "slice that no guard is on"),
        (7, None, "has not the form"),
    ],
)
def test_a_leaf_out_of_form_is_named(place, value, said):
    texts = lines(made(4))
    texts[2] = changed(texts[2], place, value)
    with pytest.raises(AttestationError, match=said) as caught:
        opened(packed(texts)[0])
    assert str(caught.value).startswith("leaves: leaf 2 ")


@pytest.mark.parametrize(
    "turned",
    [
        lambda t: t.replace(",", ", ", 1),
        lambda t: t.replace("[2,", "[02,", 1),
        lambda t: t.replace("[2,", "[2.0,", 1),
        lambda t: t.replace('"', '"\\u0030', 1)[: len(t)],
        lambda t: t + " ",
        lambda t: t[:-1],
        lambda t: t[:-1] + ",1]",
        lambda t: "[" * 5_000 + t,
        lambda t: "",
    ],
)
def test_another_text_of_a_leaf_is_refused(turned):
    texts = lines(made(4))
    texts[2] = turned(texts[2])
    with pytest.raises(AttestationError, match="leaf 2 has not the form"):
        opened(packed(texts)[0])


def test_scores_of_another_number_of_classes_are_refused():
    content, _ = packed(lines(made(4, classes=3), classes=3))
    with pytest.raises(AttestationError, match="another number of scores than there are classes"):
        opened(content, classes=2)


def test_leaves_swapped_dropped_or_twice_are_refused():
    texts = lines(made(5))
    for other in ([*texts[:1], texts[2], texts[1], *texts[3:]], texts[1:], [*texts, texts[-1]]):
        with pytest.raises(AttestationError, match="calls itself"):
            opened(packed(other)[0])
    assert opened(packed(texts[:-1])[0]).root != opened(packed(texts)[0]).root
    with pytest.raises(AttestationError, match="holds no leaf"):
        opened(packed([])[0])


def test_every_changed_byte_of_the_file_is_refused_or_another_root():
    content, root = packed(lines(made(40)))
    rng = random.Random(5)
    unnoticed = []
    for _ in range(400):
        spoiled = bytearray(content)
        spoiled[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        try:
            if opened(bytes(spoiled)).root == root.root:
                unnoticed.append(spoiled)
        except AttestationError:
            continue
    assert not unnoticed


def gz(data, *, level=9):
    pack = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = pack.compress(data) + pack.flush()
    return GZIP_HEADER + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: c + b"x", "ends otherwise"),
        (lambda c: c + c, "ends otherwise"),
        (lambda c: c[:-1], "ends otherwise"),
        (lambda c: c[: len(c) // 2], "cut off"),
        (lambda c: c[:10], "cut off"),
        (lambda c: b"", "does not start"),
        (lambda c: c[:4] + b"\x01" + c[5:], "does not start"),  # a time in the header
        (lambda c: c[:3] + b"\x08" + c[4:10] + b"name\x00" + c[10:], "does not start"),
        (lambda c: gz(gzip.decompress(c)[:-1]), "middle of a line"),
        (lambda c: gz(b"\n" + gzip.decompress(c)), "leaf 0 has not the form"),
        (lambda c: gz(b"0" * (MAX_LINE_BYTES + 1)), "a line of more than"),
        (lambda c: gz(b"0" * 200_000_000), "times its size|a line of more than"),
        (lambda c: gz(b"0\n" * 20_000_000), "leaf 0|times its size"),
    ],
)
def test_another_file_is_refused_in_bounded_memory(spoil, said):
    with pytest.raises(AttestationError, match=said):
        opened(spoil(packed(lines(made(20)))[0]))


def test_a_bomb_of_lines_is_stopped_by_its_ratio():
    with pytest.raises(AttestationError, match="times its size"):
        for _ in lines_of(io.BytesIO(gz(b"0\n" * 10_000_000)), "leaves"):
            pass


@given(st.binary(max_size=80))
def test_no_bytes_make_a_traceback(content):
    for whole in (content, GZIP_HEADER + content, gz(content)):
        with pytest.raises(AttestationError):
            opened(whole)


def test_rows_and_names_must_be_as_many():
    rows = made(5)
    for wrong in ({"ids": ["a"]}, {"groups": ["a"] * 6}):
        with pytest.raises(ValueError, match="as many as the rows"):
            lines(rows, **wrong)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        lines(dataclasses.replace(rows, row_digests=rows.row_digests[:-1]))


def test_one_row_is_proven_without_the_others():
    texts = lines(made(11))
    content, root = packed(texts)
    opening = open_row(lines_of(io.BytesIO(content), "leaves"), 6)
    assert opening["leaf"] == texts[6]
    assert len(opening["proof"]) == 4
    leaf = check_opening(json.loads(json.dumps(opening)), root.body(), "opening")
    assert leaf == json.loads(texts[6])
    assert not any(json.loads(text)[7] in str(opening) for i, text in enumerate(texts) if i != 6)
    with pytest.raises(UsageError, match="no row 11: rows are counted from 0 to 10"):
        open_row(lines_of(io.BytesIO(content), "leaves"), 11)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"index": 5}, "does not stand at 5"),
        ({"index": True}, "not of their form"),
        ({"index": -1}, "does not stand"),
        ({"count": 12}, "of other rows"),
        ({"leaf": "x"}, "does not stand at 6"),
        ({"leaf": "\u00e9"}, "not of their form"),
        ({"leaf": None}, "not of their form"),
        ({"proof": []}, "does not stand"),
        ({"proof": ["zz" * 32]}, "not hexadecimal"),
        ({"proof": [1]}, "not of their form"),
        ({"leaf_version": 2}, "not an opening of version 1"),
        ({"more": 1}, "not an opening of version 1"),
    ],
)
def test_a_forged_opening_is_refused(change, said):
    content, root = packed(lines(made(11)))
    opening = open_row(lines_of(io.BytesIO(content), "leaves"), 6)
    with pytest.raises(AttestationError, match=said):
        check_opening(opening | change, root.body(), "opening")


def test_the_key_is_hmacs_as_the_rfc_defines_it():
    """RFC 4231, test case 2 has a key shorter than a block, as ours are."""
    vector = LeafSecret(b"Jefe", hides=True).hasher()(b"what do ya want for nothing?")
    assert vector == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize(
    ("configured", "root"),
    [
        (bytes(range(32)), "28d2db9a90e7ed23bc439eefd7542292f82d570d092ba89937d630d4fcc2c7ae"),
        (None, "10dc1e3c15daf41a88323bcde6dc57274632c0f4e7391476e4f6447a805699f8"),
    ],
)
def test_leaves_of_this_version_stay_what_they_are(configured, root):
    """Both roots were computed from docs/attestation_format.md by node's crypto alone."""
    rows = ScoredRows(
        [bytes([i]) * 32 for i in (1, 1, 2)],
        np.array([0, 1, 1]),
        Predictions(np.array([[0, 1, 0]]), np.array([[[1], [999_999], [500_000]]])),
        Predictions(
            np.array([[0, 1, 1], [1, 1, 1]]),
            np.array([[[0], [10**6], [500_001]], [[7], [8], [9]]]),
        ),
        np.array([0, 1, 0]),
        (("new", np.array([True, False, True])),),
    )
    rule = {"included": ["auroc"], "guards": [{"metric": "accuracy", "slice": "new"}]}
    secret = leaf_secret(configured, "ab" * 32)
    # The first id is composed before it is keyed.
    found = lines(rows, rule=rule, secret=secret, ids=["e\u0301", "", "7"], groups=["g", None, "g"])
    assert packed(found, hides=secret.hides)[1].root == root


@pytest.mark.parametrize("block", [1, 7, 64])
def test_a_file_is_the_same_in_blocks_of_any_size(monkeypatch, block):
    """Of one byte, what follows the packed lines is still unread when they end."""
    content, root = packed(lines(made(9)))
    monkeypatch.setattr("hokusai_assets.attestation.rows.reading._BLOCK", block)
    assert opened(content).root == root.root
    for spoiled in (content + b"x", content[:-1], content[:-8], content[:-1] + b"x"):
        with pytest.raises(AttestationError, match=r"ends otherwise|cut off"):
            opened(spoiled)
