"""Encodings are told by what was written in them, or not at all: never garbled in silence."""

import io

import pytest

from hokusai_assets.contribution.text_encoding import (
    BLOCK_BYTES,
    TextScan,
    marked_encoding,
    transcoded,
)
from hokusai_assets.errors import ContributionError

TEXTS = {
    "ar": "مرحبا بالعالم هذا فيلم جيد جدا واحببته كثيرا\nذهبنا اليوم الى الحديقة وكان الطقس جميلا",
    "bg": "Добър ден, това е много хубав филм, който ми хареса",
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy\nDobrý den, těšíme se na vaši návštěvu",
    "de": "Größe und Übermut führen häufig\nschöne Grüße aus München, weiß",
    "el": "Καλημέρα κόσμε, αυτό είναι ένα καλό βιβλίο\nΗ ταινία ήταν πολύ ωραία και μου άρεσε",
    "es": "¿Cómo estás? El niño comió en la montaña\n¡Qué película! La canción también",
    "fr": "Le café était fermé à Noël\nOù êtes-vous allé hier, garçon ?\nl’été “chaud” – déjà",
    "he": "שלום עולם זה סרט טוב מאוד",
    "hu": "Jó napot kívánok, ez egy nagyon szép könyv, őszintén örülök az űrhajónak",
    "is": "Þetta er mjög góð mynd, ég elska það, þú líka",
    "it": "Perché la città è così bella? È già più di là",
    "ja": "こんにちは世界、これはとても良い映画です\n今日は天気がいいので公園へ行きましょう",
    "ko": "안녕하세요 세계, 이것은 아주 좋은 영화입니다",
    "lt": "Labas rytas, šis filmas labai geras, ačiū už žinutę, ėjome į parką",
    "pl": "Zażółć gęślą jaźń\nDzień dobry, proszę pana, to jest świetny film który oglądałem",
    "pt": "Não gostei da refeição, mas o café é ótimo e as maçãs são boas",
    "ro": "Bună ziua, acesta este un film foarte bun și îmi place în fiecare seară",
    "ru": "Привет мир, это хороший фильм\nЁлка и ещё одна дорога домой, очень понравилось",
    "signs": "it is 20°C and costs £5 or €6 – “nice” isn’t it… ½ ©",
    "sv": "Jag älskar den här filmen, mycket bra för små barn på kvällen",
    "tr": "Günaydın İstanbul, şimdi çok güzel bir gün, teşekkürler ağabey",
    "zh": "你好世界,这是一个很好的电影\n我们今天去公园散步,天气非常好",
}
TOLD = (
    *("ar-cp1256 bg-cp1251 cs-cp1250 cs-iso8859_2 de-cp1252 de-latin_1 el-cp1253".split()),
    *("es-cp1252 es-mac_roman fr-cp1252 fr-mac_roman he-cp1255 hu-cp1250 is-cp1252".split()),
    *("it-cp1252 ja-cp932 ja-euc_jp ko-cp949 lt-cp1257 pl-cp1250 pt-cp1252".split()),
    *("ru-cp1251 ru-koi8_r signs-cp1252 sv-cp1252 tr-cp1254 zh-gb18030 zh-gbk".split()),
)
# Not told, which the reader turns into a refusal; what matters is that they are not garbled.
UNTOLD = "ro-iso8859_2 ru-cp866 sv-cp850 pl-iso8859_2".split()


def scanned(content: bytes, step: int = BLOCK_BYTES) -> str:
    scan = TextScan()
    for start in range(0, len(content), step):
        scan.feed(content[start : start + step])
    return scan.encoding()


def table(language: str) -> str:
    lines = TEXTS[language].split("\n")
    return "id,text\n" + "".join(f"{n},{line}\n" for n, line in enumerate(lines * 5))


@pytest.mark.parametrize("case", [*TOLD, *UNTOLD])
def test_legacy_text_is_read_as_it_was_written_or_left(case):
    language, _, encoding = case.partition("-")
    content = table(language).encode(encoding, "ignore")
    found = scanned(content)
    if case in UNTOLD:
        assert found == "utf-8"
    else:
        assert found != "utf-8"
        assert content.decode(found) == content.decode(encoding)


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("step", [1, 7, BLOCK_BYTES])
def test_utf8_is_utf8_however_its_blocks_fall(language, step):
    assert scanned(table(language).encode(), step) == "utf-8"


@pytest.mark.parametrize("language", TEXTS)
def test_utf8_with_one_broken_line_in_ten_is_utf8(language):
    lines = table(language).encode().splitlines() * 10
    for index in range(0, len(lines), 10):
        lines[index] = b"0,caf\xe9 \x81\xff"
    assert scanned(b"\n".join(lines)) == "utf-8"


def test_a_rare_letter_far_behind_is_enough_for_cp1252():
    content = b"id,text\n" + b"1,plain\n" * 300_000 + b"2,ma\xf1ana\n"
    assert scanned(content) == "cp1252"


def test_a_letter_in_the_header_alone_is_enough():
    assert scanned("Größe,b\n".encode("cp1252") + b"1,2\n" * 10) == "cp1252"


def test_characters_cut_by_blocks_do_not_hide_their_encoding():
    assert scanned((table("zh") * 20).encode("gb18030"), 1001) == "gb18030"


def test_greek_is_not_taken_for_cyrillic_with_its_capitals_inverted():
    content = "id,text\n" + "0,Καλημέρα κόσμε, αυτό είναι ένα καλό βιβλίο\n" * 5
    assert scanned(content.encode("cp1253")) in ("utf-8", "cp1253")


def test_a_mixture_is_no_single_byte_text():
    mixed = "1,über\n".encode() * 30 + "1,über\n".encode("cp1252") * 70
    assert scanned(mixed) == "utf-8"


def test_utf8_with_a_mark_is_utf8_whatever_follows():
    assert scanned(b"\xef\xbb\xbf" + table("fr").encode("cp1252")) == "utf-8"


@pytest.mark.parametrize("text", ["Привет", "не", "не,да,не", "Д"])
def test_too_little_that_is_not_western_is_left(text):
    assert scanned(f"id,text\n1,{text}\n".encode("cp1251")) == "utf-8"


@pytest.mark.parametrize(
    ("start", "encoding"),
    [
        (b"", None),
        (b"a\0", None),
        (b"a,b\n1,2\n", None),
        ("a,b\n1,2\n".encode("utf-16-le"), "utf-16-le"),
        ("a,b\n1,宇宙,2\n".encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfea\0", "utf-16"),
        (b"\xff\xfe\0\0a\0\0\0", "utf-32"),
        (bytes(100), None),
        ("a,b\n1,2\n".encode("utf-32-le"), None),
        (b"a,b\n" * 100 + b"\0" * 3, None),
    ],
)
def test_marks_and_zero_bytes_tell_utf16(start, encoding):
    assert marked_encoding(start) == encoding


def test_transcoding_meets_characters_across_blocks():
    text = "aé宇" * BLOCK_BYTES
    for encoding in ("utf-16", "gb18030"):
        content = text.replace("é", "").encode(encoding)
        blocks = transcoded(io.BytesIO(content[:-1] + content[-1:]), encoding, "x")
        assert b"".join(blocks).decode() == text.replace("é", "")


@pytest.mark.parametrize("content", [b"ab\x81", b"\x81" + b"a" * 2 * BLOCK_BYTES])
def test_what_the_encoding_has_not_is_refused_with_its_place(content):
    with pytest.raises(ContributionError, match=r"data\.csv looks like cp1252 text, but its MiB 1"):
        list(transcoded(io.BytesIO(content), "cp1252", "data.csv"))


def test_a_character_cut_at_the_end_is_refused():
    with pytest.raises(ContributionError, match="MiB 1"):
        list(transcoded(io.BytesIO("宇宙".encode("utf-16-le")[:-1]), "utf-16-le", "data.csv"))
