"""The corpus with known spans, small: floors under what docs/personal_data.md says of the whole."""

import pytest

from benchmarks.pii_corpus import LOCALES, measure, table, total

# Below what is measured, by as much as so few sentences may differ.
FLOORS = {
    "address": (0.4, 0.85),
    "api_key": (1.0, 1.0),
    "crypto_wallet": (1.0, 1.0),
    "email": (0.98, 0.98),
    "iban": (1.0, 1.0),
    "ip_address": (1.0, 1.0),
    "national_id": (0.95, 0.95),
    "payment_card": (0.8, 0.95),
    "phone": (0.55, 0.9),
    "url_credentials": (1.0, 1.0),
    "us_ssn": (1.0, 0.9),
}


@pytest.fixture(scope="module")
def scores():
    return measure(LOCALES, count=10)


def test_recall_and_precision_are_not_below_the_floors(scores):
    assert {detector for detector, _ in scores} == set(FLOORS)
    for detector, (recall, precision) in FLOORS.items():
        score = total(scores, detector)
        assert score.recall >= recall and score.precision >= precision, (detector, score)


def test_the_corpus_is_the_same_each_time(scores):
    assert measure(LOCALES[:1], count=10).items() <= scores.items()
    assert table(scores).count("\n") == len(FLOORS) + 1
