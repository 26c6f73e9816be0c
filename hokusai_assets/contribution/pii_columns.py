"""Columns that hold personal data by their name, told by whole words: "ip" is not in "recipe".

English compounds end in what they are, so the name must end in such words: "customer_email" is an
e-mail address, "email_body" is not. Words that only qualify may follow ("phone_home", "address2").
"""

import re
import unicodedata

from hokusai_assets.task import Column

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_QUALIFIERS = frozenset(
    (
        "number",
        "no",
        "nr",
        "num",
        "line",
        "home",
        "work",
        "private",
        "business",
        "primary",
        "secondary",
        "main",
        "alt",
    )
)
_NAMED_PEOPLE = (
    "first",
    "last",
    "full",
    "family",
    "given",
    "middle",
    "maiden",
    "person",
    "customer",
    "patient",
    "contact",
    "client",
    "employee",
    "reviewer",
    "user",
    "owner",
    "cardholder",
    "guest",
    "member",
    "student",
)

_NAMES: dict[str, tuple[str, ...]] = {
    "email": ("email", "emails", "e mail", "email address", "e mail address", "mail address"),
    "phone": ("phone", "phones", "telephone", "cellphone", "fax", "mobile number", "tel number"),
    "us_ssn": ("ssn", "social security"),
    "national_id": (
        *("national id", "national insurance number", "nino", "nhs number", "pesel", "bsn", "cpf"),
        *("codice fiscale", "personnummer", "aadhaar", "curp", "dni", "passport"),
    ),
    "birth_date": ("dob", "birth date", "birthdate", "date of birth", "birthday", "birth day"),
    "ip_address": ("ip", "ips", "ip address", "ip addr"),
    "address": ("address", "addresses", "street"),
    "person_name": (
        *("surname", "firstname", "lastname", "fullname", "forename", "username", "cardholder"),
        *(f"{who} name" for who in _NAMED_PEOPLE),
    ),
}
_NOT_PLACES = frozenset({"web", "url", "mac", "wallet", "memory", "contract", "site"})


def words(name: str) -> tuple[str, ...]:
    """The words of a column's name in lower case: at capitals, digits and punctuation."""
    return tuple(w.lower() for w in _WORD.findall(unicodedata.normalize("NFKC", name)))


def detector_by_name(column: Column) -> str | None:
    """The detector whose data the column holds by its name, or None.

    Yes-or-no columns ("has_phone") say something about such data and hold none.
    """
    if column.type == "boolean":
        return None
    name = words(column.name)
    if name == ("name",):
        return "person_name"
    for detector, endings in _NAMES.items():
        for ending in sorted(endings, key=len, reverse=True):
            expected = tuple(ending.split())
            if name[-len(expected) :] == expected:
                before = name[: -len(expected)]
                if detector == "address" and before and before[-1] in _NOT_PLACES:
                    return None
                return detector
    if name and (name[-1] in _QUALIFIERS or name[-1].isdigit()):
        shorter = "_".join(name[:-1])
        return detector_by_name(column.model_copy(update={"name": shorter})) if shorter else None
    return None
