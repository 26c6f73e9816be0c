"""What is done with personal data: by column, by detector, by task; with a key and without one."""

import hashlib
import hmac

import pyarrow as pa
import pytest

from hokusai_assets.contribution.pii import Policy, key_id, treat
from hokusai_assets.contribution.pii_columns import detector_by_name
from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.errors import ContributionError, TaskError
from hokusai_assets.task import Column
from hokusai_assets_tests.contribution.pii_table import COLUMN_HITS, COLUMN_NEAR_MISSES

KEY = b"operator's key"
EMAIL, CARD = "alice@example.com", "4111 1111 1111 1111"


def token(kind: str, canonical: str, key: bytes = KEY) -> str:
    message = kind.encode() + b"\0" + canonical.encode()
    return f"[{kind.upper()}:{hmac.new(key, message, hashlib.sha256).hexdigest()[:32]}]"


@pytest.fixture
def treated(make_task):
    """Treat a table with the given columns; the rest of the task's columns are filled in."""

    def run(pii_key=KEY, columns=None, sections=None, **cells):
        count = len(next(iter(cells.values())))
        task = make_task(columns, **(sections or {}))
        filled = {}
        for column in task.kept_columns:
            kind = {"text": pa.string(), "category": pa.string(), "number": pa.float64()}.get(
                column.type, pa.timestamp("us", "UTC")
            )
            default = "good" if column.role == "target" else None
            filled[column.name] = pa.array(cells.get(column.name, [default] * count), kind)
        policy = Policy(task, pii_key)
        return treat(pa.table(filled), range(1, count + 1), policy, "f.csv")

    return run


def counts(found):
    return {(c.column, c.detector): (c.action, c.cells) for c in found.counts}


def test_only_the_span_is_replaced_by_a_keyed_hash(treated):
    found = treated(note=[f"Hi {EMAIL}, é{CARD}é!", "plain", None])
    assert found.table.column("note").to_pylist() == [
        f"Hi {token('email', EMAIL)}, é{token('payment_card', CARD.replace(' ', ''))}é!",
        "plain",
        None,
    ]
    assert counts(found) == {
        ("note", "email"): ("hash", 1),
        ("note", "payment_card"): ("hash", 1),
    }


def test_one_value_in_two_spellings_has_one_token(treated):
    spellings = ["Alice@Example.COM", EMAIL, "alice＠example.com", "al\u200bice@example.com"]
    found = treated(note=spellings)
    assert set(found.table.column("note").to_pylist()) == {token("email", EMAIL)}


def test_another_key_gives_other_tokens(treated):
    (first,) = treated(note=[EMAIL]).table.column("note").to_pylist()
    (second,) = treated(pii_key=b"other", note=[EMAIL]).table.column("note").to_pylist()
    assert first != second == token("email", EMAIL, b"other")


def test_without_a_key_hash_becomes_mask_and_the_policy_says_so(treated, make_task):
    found = treated(pii_key=None, note=[EMAIL])
    assert found.table.column("note").to_pylist() == ["[EMAIL]"]
    assert counts(found) == {("note", "email"): ("mask", 1)}
    assert "No key was given" in Policy(make_task(), None).sentence
    sentence = Policy(make_task(), KEY).sentence
    assert key_id(KEY) in sentence and KEY.decode() not in sentence + repr(Policy(make_task(), KEY))


def test_the_key_id_is_the_hmac_of_a_constant():
    assert key_id(KEY) == hmac.new(KEY, b"hokusai/pii/key-id/v1", hashlib.sha256).hexdigest()


@pytest.mark.parametrize("key", [KEY, None])
def test_treating_twice_changes_nothing(treated, key):
    columns = [
        {"name": "note", "type": "text"},
        {"name": "email", "type": "text"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    once = treated(key, columns, note=[f"{EMAIL} {CARD} 123-45-6789"], email=["Bob <b@x.org>"])
    cells = {name: once.table.column(name).to_pylist() for name in ("note", "email")}
    again = treated(key, columns, **cells)
    assert again.table == once.table and again.counts == ()


def test_the_columns_action_goes_before_the_detectors_before_the_tasks(treated, make_task):
    columns = [
        {"name": "a", "type": "text", "pii": "keep"},
        {"name": "b", "type": "text"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    sections = {"privacy": {"action": "hash", "detectors": {"email": "mask"}}}
    both = f"{EMAIL} 123-45-6789"
    found = treated(KEY, columns, sections, a=[both], b=[both])
    assert found.table.column("a").to_pylist() == [both]
    assert found.table.column("b").to_pylist() == [f"[EMAIL] {token('us_ssn', '123456789')}"]
    assert counts(found)["a", "email"] == ("keep", 1)


def test_drop_row_drops_the_row_and_keeps_the_count(treated):
    sections = {"privacy": {"action": "drop_row"}}
    found = treated(sections=sections, note=["x", EMAIL, "y", CARD])
    assert found.table.column("note").to_pylist() == ["x", "y"]
    assert found.kept == [0, 2]
    assert counts(found)["note", "email"] == ("drop_row", 1)


def test_reject_refuses_the_file_naming_rows_and_no_value(treated):
    sections = {"privacy": {"detectors": {"email": "reject"}}}
    with pytest.raises(ContributionError, match=r"'note': email in 2 cells .*: 2, 3\)") as caught:
        treated(sections=sections, note=["x", EMAIL, EMAIL])
    assert "alice" not in str(caught.value)


def test_an_unknown_detector_is_a_task_error_naming_the_nearest(make_task):
    task = make_task(privacy={"detectors": {"emails": "mask"}})
    with pytest.raises(TaskError, match="did you mean 'email'"):
        Policy(task, None)


def test_ids_and_groups_are_treated_and_closed_lists_are_not(treated):
    columns = [
        {"name": "key", "type": "text", "role": "id"},
        {"name": "customer", "type": "text", "role": "group"},
        {"name": "host", "type": "category", "allowed": ["192.0.2.44", "192.0.2.45"]},
        {"name": "label", "type": "category", "role": "target"},
    ]
    found = treated(KEY, columns, key=[EMAIL], customer=[EMAIL], host=["192.0.2.44"])
    assert found.table.column("key").to_pylist() == [token("email", EMAIL)]
    assert found.table.column("customer").to_pylist() == [token("email", EMAIL)]
    assert found.table.column("host").to_pylist() == ["192.0.2.44"]


def test_masks_that_would_make_groups_or_merge_keys_equal_are_refused(treated):
    columns = [
        {"name": "key", "type": "text", "role": "id"},
        {"name": "customer", "type": "text", "role": "group"},
        {"name": "note", "type": "text"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    two = [EMAIL, "bob@example.com"]
    update = {"merge": {"strategy": "update", "key": "key"}}
    with pytest.raises(ContributionError, match=r"'customer' .* makes 2 of its values equal"):
        treated(None, columns, customer=two)
    with pytest.raises(ContributionError, match=r"'key' .* Set HOKUSAI_PII_KEY"):
        treated(None, columns, update, key=two)
    assert treated(None, columns, customer=[EMAIL, EMAIL]).table.num_rows == 2
    assert treated(None, columns, key=two).table.num_rows == 2
    assert len(set(treated(KEY, columns, customer=two).table.column("customer").to_pylist())) == 2


def test_columns_by_name_are_treated_whole_and_share_tokens_with_text(treated):
    columns = [
        {"name": "first_name", "type": "text"},
        {"name": "contactEmail", "type": "text"},
        {"name": "note", "type": "text"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    found = treated(
        KEY,
        columns,
        first_name=["Alice", "alice ", None],
        contactEmail=[EMAIL.upper(), "not an address", ""],
        note=[EMAIL, "", ""],
    )
    names = found.table.column("first_name").to_pylist()
    assert names == [token("person_name", "alice")] * 2 + [None]
    addresses = found.table.column("contactEmail").to_pylist()
    assert addresses == [token("email", EMAIL), token("email", "not an address"), ""]
    assert found.table.column("note").to_pylist()[0] == addresses[0]
    assert counts(found)["first_name", "person_name"] == ("hash", 2)


def test_a_personal_column_of_times_becomes_null_or_the_task_must_say(treated):
    import datetime

    born = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)
    label = {"name": "label", "type": "category", "role": "target"}
    column = {"name": "birth_date", "type": "timestamp"}
    nullable = treated(KEY, [{**column, "nullable": True}, label], birth_date=[born, None])
    assert nullable.table.column("birth_date").to_pylist() == [None, None]
    assert counts(nullable) == {("birth_date", "birth_date"): ("hash", 1)}
    kept = treated(KEY, [{**column, "pii": "keep"}, label], birth_date=[born])
    assert kept.table.column("birth_date").null_count == 0
    dropped = treated(KEY, [{**column, "pii": "drop_row"}, label], birth_date=[born])
    assert dropped.table.num_rows == 0
    with pytest.raises(TaskError, match="'birth_date' holds personal data by its name"):
        treated(KEY, [column, label], birth_date=[born])


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        ("ip", "ip_address"),
        ("clientIP", "ip_address"),
        ("ip_address", "ip_address"),
        ("recipe", None),
        ("zip", None),
        ("shipping", None),
        ("email", "email"),
        ("E-Mail", "email"),
        ("customerEmailAddress", "email"),
        ("email_home", "email"),
        ("email_body", None),
        ("emailed", None),
        ("phone", "phone"),
        ("phone_number", "phone"),
        ("phone2", "phone"),
        ("phone_model", None),
        ("headphones", None),
        ("ssn", "us_ssn"),
        ("social security number", "us_ssn"),
        ("lessness", None),
        ("national_id", "national_id"),
        ("passport_number", "national_id"),
        ("codice fiscale", "national_id"),
        ("passport_office", None),
        ("dob", "birth_date"),
        ("date_of_birth", "birth_date"),
        ("birth_weight", None),
        ("first_name", "person_name"),
        ("LastName", "person_name"),
        ("name", "person_name"),
        ("product_name", None),
        ("filename", None),
        ("address", "address"),
        ("street_address", "address"),
        ("address_line_1", "address"),
        ("mac_address", None),
        ("wallet_address", None),
        ("addressee_count", None),
        ("1", None),
        ("line", None),
        ("номер", None),
    ],
)
def test_column_names_count_as_whole_words(name, detector):
    assert detector_by_name(Column(name=name, type="text")) == detector


@pytest.mark.parametrize("detector", COLUMN_HITS)
def test_forty_names_of_columns_and_forty_near_misses(detector):
    for names, held in ((COLUMN_HITS[detector], True), (COLUMN_NEAR_MISSES[detector], False)):
        assert len(set(names)) >= 40
        for name in names:
            assert (detector_by_name(Column(name=name, type="text")) == detector) is held, name


def test_what_the_new_detectors_find_is_in_no_refusal_and_no_record(treated, make_task):
    cells = ["NHS 943 476 5919", "at 221B Baker Street, London NW1 6XE", "carol (at) example.com"]
    kinds = ("national_id", "address", "email")
    with pytest.raises(ContributionError) as refused:
        treated(sections={"privacy": {"action": "reject"}}, note=cells)
    found = treated(note=cells)
    said = str(refused.value) + repr(found.tally) + repr(found.table.to_pydict())
    assert all(kind in str(refused.value) for kind in kinds)
    for canary in ("943 476 5919", "9434765919", "Baker", "baker", "NW1", "carol"):
        assert canary not in said


def test_a_yes_or_no_column_holds_no_such_data():
    assert detector_by_name(Column(name="has_email", type="boolean")) is None


@pytest.mark.parametrize(
    "text",
    [
        "45 İstiklal Avenue",
        "45 ıstiklal Avenue",
        "12 Oak Elm SUİTE 5",
        "Boıte postale 123",
        "9 Oak Hıghway",
        "T.C. KİMLİK NO: 10000000146",
        "123 Rosewood,\nCupertino, CA 95014",
        "1 Infinite Elm\nSan Jose, CA, 95014",
    ],
)
def test_turkish_letters_and_lines_hide_nothing_from_the_engine(treated, text):
    (written,) = treated(pii_key=None, note=[text]).table.column("note").to_pylist()
    assert written == mask_text(text) != text
