"""The encoding of a text that says nothing about it, told from its bytes, and its way to UTF-8.

Bytes in, an encoding's name or UTF-8 bytes out; files and their parts are opening.py's. A wrong
guess would change contributed text in silence, which is worse than a refusal, so everything that
is not clear stays "utf-8": the reader then rejects the lines that are not, and counts them.

The rule, over all bytes above 0x7F of the file:
- no ill-formed UTF-8: utf-8;
- at least half of them stand in well-formed UTF-8 sequences: utf-8 with broken lines. Measured on
  the same sentences in 14 legacy encodings, chance alone gave at most 0.24 (EUC-JP, GBK);
- else cp1252 (which Latin-1 is read as), if the lines that hold them look like Western writing:
  high bytes alone or in pairs in words of ASCII letters, of one language, or signs where a sign
  can be;
- else what charset-normalizer finds in these lines, if they read plausibly so; under MIN_EVIDENCE
  such bytes a language cannot be told, and the file stays utf-8.
"""

from __future__ import annotations

import codecs
import collections
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from hokusai_assets.errors import ContributionError

BLOCK_BYTES = 1 << 20
SAMPLE_BYTES = 256 << 10
MIN_EVIDENCE = 32

_MIN_COHERENCE = 0.1

_BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark starts with UTF-16's
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_MULTI_BYTE = ("gb18030", "big5", "cp932", "euc_jp", "cp949")
_SINGLE_BYTE = (
    *("cp1252", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255"),
    *("cp1256", "cp1257", "cp850", "mac_roman"),
)
# What stands between two letters in honest text; any other sign there (caf‚s, je¿eli) shows that
# the letter of another encoding was read as a sign.
_SIGNS_IN_WORDS = "’‘´-–—·…®™\xa0\xad"
_SIGN_IN_WORD = re.compile(rf"(?<=[^\W\d_])[^\w\s\x00-\x7f{_SIGNS_IN_WORDS}](?=[^\W\d_])")
_NUMERAL_IN_WORD = re.compile(r"(?<=[^\W\d_])[¹²³¼½¾](?=[^\W\d_])")


def marked_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32, if a byte order mark says so or, for UTF-16, its zero bytes do."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    pairs = len(start[:65536]) // 2
    even, odd = (start[side : 2 * pairs : 2].count(0) for side in (0, 1))
    # Text of a table is at least a third ASCII (delimiters, digits, line ends), whose zero bytes
    # all stand on one side.
    if pairs >= 4 and odd >= pairs * 0.3 and even <= pairs * 0.01:
        return "utf-16-le"
    if pairs >= 4 and even >= pairs * 0.3 and odd <= pairs * 0.01:
        return "utf-16-be"
    return None


class TextScan:
    """What one pass over a text's bytes shows: feed blocks in order, then ask `encoding`."""

    def __init__(self) -> None:
        self.nul_bytes = 0
        self.size_bytes = 0
        self._formed = 0
        self._ill_formed = 0
        self._pending = b""
        self._marked = False
        self._evidence: list[bytes] = []
        self._evidence_bytes = 0

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        if not self.size_bytes:
            self._marked = block.startswith(codecs.BOM_UTF8)
        if b"\0" in block:  # which is told much faster than how many
            self.nul_bytes += block.count(0)
        self.size_bytes += len(block)
        if not self._pending and block.isascii():
            return
        self._decode(self._pending + block, final=False)

    def encoding(self) -> str:
        """The encoding by the rule of this module, once all blocks were fed."""
        self._decode(self._pending, final=True)
        high = self._formed + self._ill_formed
        if self._formed >= self._ill_formed:
            return "utf-8"
        if self._marked:  # the writer said so, whatever was broken later
            return "utf-8"
        guess = legacy_encoding(b"\n".join(self._evidence))
        # A tenth in well-formed UTF-8 is more than single-byte text holds by chance: such a file
        # is a mixture, and reading all of it as one encoding would garble the rest.
        if guess in _SINGLE_BYTE and self._formed > high * 0.1:
            return "utf-8"
        return guess or "utf-8"

    def _decode(self, data: bytes, final: bool) -> None:
        try:
            text, used = codecs.utf_8_decode(data, "strict", final)
            # The continuation bytes: they need no second pass to be counted.
            self._formed += used - len(text)
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "ignore", final)
            formed = len(text.encode())
            self._formed += formed - len(text)
            self._ill_formed += used - formed
            self._collect(data)
        self._pending = data[used:]

    def _collect(self, data: bytes) -> None:
        if self._evidence_bytes >= SAMPLE_BYTES:
            return
        lines = re.split(rb"[\r\n]+", data)
        # The edges of a block may cut a character in two, which would rule out its encoding.
        whole = lines[0 if self.size_bytes <= len(data) else 1 : -1]
        for line in whole if not b"".join(whole).isascii() else lines:
            if not line.isascii() and self._evidence_bytes < SAMPLE_BYTES:
                self._evidence.append(line[:SAMPLE_BYTES])
                self._evidence_bytes += len(line)


def legacy_encoding(sample: bytes) -> str | None:
    """The encoding of lines that are not UTF-8, or None if it is not clear."""
    if _is_western(sample):
        return "cp1252"
    if len(sample) - len(sample.decode("ascii", "ignore")) < MIN_EVIDENCE:
        return None
    import charset_normalizer

    matches = charset_normalizer.from_bytes(
        sample, cp_isolation=[*_SINGLE_BYTE, *_MULTI_BYTE], preemptive_behaviour=False
    )
    for match in matches:  # best first
        for name in match.could_be_from_charset:  # those that give the same text
            if name in _MULTI_BYTE:
                return name
            if match.coherence >= _MIN_COHERENCE and _is_plausible(sample, name):
                return name
    return None


def _is_western(sample: bytes) -> bool:
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", sample)]
    # 0xFF is a letter of cp1252 that hardly a text holds, and what broken bytes often are.
    if not runs or b"\xff" in sample or (max(runs) > 2 and sum(runs) > 1.5 * len(runs)):
        return False
    if not _is_plausible(sample, "cp1252"):
        return False
    words = [w for w in re.findall(r"[^\W\d_]+", sample.decode("cp1252")) if not w.isascii()]
    # A label such as the Cyrillic for "no" is short, but it has no ASCII letter.
    return 2 * sum(any(c.isascii() for c in w) for w in words) >= len(words)


def _is_plausible(sample: bytes, encoding: str) -> bool:
    """Whether `sample` read so has hardly a sign inside a word, and letters of one language."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    strange = len(_SIGN_IN_WORD.findall(text)) + len(_NUMERAL_IN_WORD.findall(text))
    strange += sum("\x80" <= c < "\xa0" for c in text)  # control characters
    # aB: the capitals of KOI8-R stand where others have their small letters.
    strange += sum(
        a.islower() and b.isupper() and not (a.isascii() or b.isascii())
        for a, b in itertools.pairwise(text)
    )
    high = collections.Counter(c for c in text if not c.isascii())
    return strange <= 0.01 * high.total() and not _contradicts(high, encoding)


def _contradicts(high: collections.Counter[str], encoding: str) -> bool:
    """Whether letters meet that no language has together, so that another encoding was written."""
    letters = {c.lower() for c in high}
    if encoding == "cp1252":
        rare = sum(high[c] + high[c.upper()] for c in "ðþýšž")  # Turkish, Baltic, Czech, Mac vowels
        icelandic = letters >= set("ðþ") and len(letters & set("éíóú")) > 1
        if rare > 0.05 * high.total() and not icelandic:
            return True
        # Hungarian and Romanian letters come out as these; others that have them have more.
        hungarian = letters & set("õû") and "á" in letters and letters & set("öü")
        romanian = letters >= set("ãî") and not letters & set("çõéó")
        return bool(romanian or (hungarian and not letters & set("ãäêôâåñ")))
    if encoding == "cp1250":  # Czech in ISO 8859-2, its š read as a Polish letter
        return "ą" in letters and bool(letters & set("řěů"))
    # Hebrew letters stand where Cyrillic has these, all of one case: not one sentence is so.
    if encoding in ("cp1251", "koi8_r"):
        return set(high) <= set(bytes(range(0xE0, 0xFB)).decode(encoding))
    return False


def transcoded(stream: BinaryIO, encoding: str, name: str) -> Iterator[bytes]:
    """The text of `stream` as blocks of UTF-8, without a byte order mark.

    Raises ContributionError where the bytes are not in `encoding`; `name` is what it calls the
    file.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    first = True
    while True:
        block = stream.read(BLOCK_BYTES)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            where = max(0, stream.tell() - len(block)) // BLOCK_BYTES + 1
            raise ContributionError(
                f"The file {name} looks like {encoding} text, but its MiB {where} holds bytes "
                "that are not: save it as UTF-8."
            ) from None
        if first and text:
            text = text.removeprefix("\ufeff")
            first = False
        yield text.encode()
        if not block:
            return
