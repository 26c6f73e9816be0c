"""Precision and recall of the detectors of personal data, on sentences with known spans.

`python -m benchmarks.pii_corpus` prints them as Markdown tables, which stand in
docs/personal_data.md. Values are faker's, in the writings of each locale; half of the sentences
hold none, but what is easily mistaken for it: dates, prices, versions, ISBNs, order numbers. A hit
counts as found when it lies within the planted value's characters and covers at least nine tenths
of them; a hit on less of it is a miss and no false hit; any other hit is a false one. Everything is
drawn from one seed, and from another than the detectors were corrected with.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from faker import Faker

from hokusai_assets.contribution.folding import fold, original_spans
from hokusai_assets.contribution.pii_detectors import find

LOCALES = tuple(
    "en_US en_GB en_CA en_AU de_DE fr_FR es_ES it_IT nl_NL pl_PL pt_BR sv_SE he_IL ja_JP "
    "ar_AA".split()
)
# The locales whose faker draws numbers that the office could issue (its British ones it could not),
# and the word beside them.
NATIONAL_IDS = {
    "en_CA": "SIN {}",
    "fr_FR": "sécurité sociale {}",
    "it_IT": "codice fiscale {}",
    "nl_NL": "BSN {}",
    "pl_PL": "PESEL {}",
    "pt_BR": "CPF {}",
    "sv_SE": "personnummer {}",
    "he_IL": "ת.ז. {}",
}
_HIDE_AT = ("@", " (at) ", "&#64;", "%40", " [at] ")


@dataclass
class Score:
    """How many values were planted and found, and how many hits were none."""

    planted: int = 0
    found: int = 0
    false: int = 0

    @property
    def recall(self) -> float | None:
        """Found of planted."""
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Found of all hits."""
        hits = self.found + self.false
        return self.found / hits if hits else None


Scores = dict[tuple[str, str], Score]


def _values(fake: Faker, locale: str) -> dict[str, Callable[[], str]]:
    draw = fake.random
    values: dict[str, Callable[[], str]] = {
        "email": lambda: fake.email().replace("@", draw.choice(_HIDE_AT)),
        "phone": fake.phone_number,
        "payment_card": lambda: _grouped(
            fake.credit_card_number(), draw.choice(" -") * draw.choice((0, 1))
        ),
        "iban": lambda: _grouped(fake.iban(), draw.choice(("", " "))),
        "ip_address": lambda: draw.choice((fake.ipv4, fake.ipv6))(),
        "address": lambda: fake.street_address().replace("\n", ", "),
        "url_credentials": lambda: f"{fake.user_name()}:{fake.password(special_chars=False)}",
        "crypto_wallet": lambda: "0x" + fake.hexify("^" * 40),
        "api_key": lambda: "ghp_" + fake.lexify("?" * 35) + "0",
    }
    if locale == "en_US":
        values["us_ssn"] = fake.ssn
    if locale in NATIONAL_IDS:
        values["national_id"] = fake.ssn
    return values


def _grouped(value: str, separator: str) -> str:
    return separator.join(value[i : i + 4] for i in range(0, len(value), 4))


def _harmless(fake: Faker) -> str:
    draw = fake.random
    return draw.choice(
        (
            lambda: f"on {fake.date()} at {fake.time()}",
            lambda: fake.date_time().strftime("%d.%m.%Y %H:%M"),
            lambda: f"for {draw.uniform(1, 9999):,.2f} {fake.currency_code()}",
            lambda: f"version {draw.randint(0, 30)}.{draw.randint(0, 30)}.{draw.randint(0, 99)}",
            lambda: f"ISBN {fake.isbn13()}",
            lambda: f"ISBN {fake.isbn10()}",
            lambda: f"EAN {fake.ean13()}",
            lambda: f"order {draw.randint(10**8, 10**10)}",
            lambda: f"invoice {draw.randint(2000, 2030)}-{draw.randint(0, 99999):05d}",
            lambda: " x ".join(str(draw.randint(1, 900)) for _ in range(3)) + " mm",
            lambda: ", ".join(f"{draw.uniform(0, 500):.2f}" for _ in range(6)),
            lambda: " ".join(str(draw.randint(1, 999)) for _ in range(8)),
            lambda: (
                f"{draw.randint(2, 40)} {draw.choice(('Star Hotels', 'day trip', 'minute drive'))}"
            ),
            lambda: f"part {fake.bothify('??-####-##').upper()}",
            lambda: f"{draw.uniform(-90, 90):.5f}, {draw.uniform(-180, 180):.5f}",
            lambda: f"commit {fake.sha1()}",
            lambda: f"id {fake.uuid4()}",
        )
    )()


def sentences(
    locale: str, count: int, seed: int
) -> Iterator[tuple[str, str | None, tuple[int, int]]]:
    """Of each kind of value `count` sentences and as many without: text, detector, its span."""
    fake = Faker(locale)
    fake.seed_instance(seed)
    for detector, value in _values(fake, locale).items():
        for _ in range(count):
            planted = value().strip()
            before = fake.sentence(6).rstrip(".。") + " "
            if detector == "national_id":
                before += NATIONAL_IDS[locale].format("")
            elif detector == "url_credentials":
                before += "https://"
            after = "@host.example." if detector == "url_credentials" else ", " + fake.sentence(4)
            yield before + planted + after, detector, (len(before), len(before) + len(planted))
            yield f"{fake.sentence(5)} {_harmless(fake)}, {fake.sentence(4)}", None, (0, 0)


def measure(locales: tuple[str, ...], count: int, seed: int = 2) -> Scores:
    """Scores by detector and locale."""
    scores: Scores = defaultdict(Score)
    for locale in locales:
        for text, detector, (start, end) in sentences(locale, count, seed):
            hits = find(fold(text))
            spans = original_spans(text, [(hit.start, hit.end) for hit in hits])
            found = False
            for hit, (first, last) in zip(hits, spans, strict=True):
                within = start <= first and last <= end and last - first >= 0.9 * (end - start)
                if hit.detector == detector and within:
                    found = True
                elif not (hit.detector == detector and first < end and start < last):
                    scores[hit.detector, locale].false += 1
            if detector is not None:
                scores[detector, locale].planted += 1
                scores[detector, locale].found += found
    return scores


def total(scores: Scores, detector: str) -> Score:
    """One detector's scores over all locales."""
    mine = [score for (name, _), score in scores.items() if name == detector]
    return Score(*(sum(getattr(s, part) for s in mine) for part in ("planted", "found", "false")))


def table(scores: Scores) -> str:
    """Recall and precision in percent: a row a detector, a column a locale."""
    locales = sorted({locale for _, locale in scores})
    lines = [
        f"| recall / precision | all | {' | '.join(locales)} |",
        "|---" * (len(locales) + 2) + "|",
    ]
    for detector in sorted({detector for detector, _ in scores}):
        cells = [total(scores, detector), *(scores.get((detector, x), Score()) for x in locales)]
        lines.append(f"| `{detector}` | {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines)


def _cell(score: Score) -> str:
    if not score.planted:
        return f"{score.false} false" if score.false else ""
    precision = "–" if score.precision is None else f"{100 * score.precision:.0f}"
    return f"{100 * score.found / score.planted:.0f} / {precision}"


def main() -> None:
    """Print the table; the first argument is the number of sentences of each kind."""
    print(table(measure(LOCALES, int(sys.argv[1]) if len(sys.argv) > 1 else 200)))


if __name__ == "__main__":
    main()
