"""Policies: m of n, revocation, and every way to count one signer twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.signing.keys import SigningKey
from hokusai_assets.attestation.signing.policy import (
    MAX_KEYS,
    NamedKey,
    Policy,
    parse_policy,
    policy_of,
    read_policy,
)
from hokusai_assets.errors import PolicyError
from hokusai_assets_tests.attestation.signing.conftest import key_of


def raw(*keys: SigningKey, threshold: Any = 1, **more: Any) -> dict[str, Any]:
    named = [{"name": f"key {i}", "public_key": k.public.pem} for i, k in enumerate(keys)]
    return {"threshold": threshold, "keys": named, **more}


def parse(value: Any, keys: Any = ()) -> Policy:
    return parse_policy(json.dumps(value), "policy.json", json_text=True, keys=keys)


def test_json_and_toml_say_the_same(tmp_path: Path, alice: SigningKey, bob: SigningKey) -> None:
    (tmp_path / "policy.toml").write_text(
        f'threshold = 1\nrevoked = ["{bob.keyid}"]\n'
        f'[[keys]]\nname = "key 0"\npublic_key = """\n{alice.public.pem}"""\n'
        f'[[keys]]\nname = "key 1"\npublic_key = """\n{bob.public.pem}"""\n'
    )
    (tmp_path / "policy.json").write_text(json.dumps(raw(alice, bob, revoked=[bob.keyid])))
    policy = read_policy(tmp_path / "policy.toml")
    assert policy == read_policy(tmp_path / "policy.json")
    assert policy.revoked == {bob.keyid}
    found = policy.find(alice.keyid)
    assert found is not None
    assert found.name == "key 0"
    assert policy.find(key_of(9).keyid) is None


def test_a_key_may_be_named_by_id_where_it_is_given(alice: SigningKey) -> None:
    value = {"threshold": 1, "keys": [{"name": "alice", "keyid": alice.keyid}]}
    assert parse(value, [alice.public]).keys == (NamedKey("alice", alice.public),)
    with pytest.raises(PolicyError, match="no key of that id is given"):
        parse(value)
    with pytest.raises(PolicyError, match="no key of that id is given"):
        parse(value, [key_of(5).public])


def test_keys_of_the_command_line_must_all_sign(alice: SigningKey, bob: SigningKey) -> None:
    policy = policy_of([alice.public, bob.public, alice.public])
    assert policy.threshold == 2
    assert [named.key for named in policy.keys] == [alice.public, bob.public]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "must hold threshold and keys"),
        ({"threshold": 1}, "must hold threshold and keys"),
        (raw(key_of(1), note="x"), "and nothing else"),
        (raw(key_of(1), allow_dry_run=True), "and nothing else"),
        (raw(threshold=1), "names 0 keys"),
        (raw(*map(key_of, range(MAX_KEYS + 1))), "names 101 keys"),
        (raw(key_of(1), threshold=0), "from 1 to 1"),
        (raw(key_of(1), threshold=-1), "from 1 to 1"),
        (raw(key_of(1), threshold=True), "from 1 to 1"),
        (raw(key_of(1), threshold="1"), "from 1 to 1"),
        (raw(key_of(1), threshold=2), "from 1 to 1"),
        (raw(key_of(1), key_of(2), threshold=2, revoked=[key_of(1).keyid]), "from 1 to 1"),
        (raw(key_of(1), key_of(1), threshold=2), "twice, so that one signer would count as two"),
        (raw(key_of(1), revoked=["abc"]), "revoked must be a list of key ids"),
        (raw(key_of(1), revoked=[key_of(1).keyid.upper()]), "revoked must be a list of key ids"),
        (raw(key_of(1), revoked=key_of(1).keyid), "revoked must be a list of key ids"),
        ({"threshold": 1, "keys": {}}, "keys must be a list"),
        ({"threshold": 1, "keys": ["x"]}, r"keys\[0\] must hold a name"),
        ({"threshold": 1, "keys": [{"name": "x"}]}, r"keys\[0\] must hold a name"),
        ({"threshold": 1, "keys": [{"name": " ", "keyid": "x"}]}, r"keys\[0\] must hold a name"),
        ({"threshold": 1, "keys": [{"name": "x", "keyid": 1}]}, r"keys\[0\] must hold a name"),
        ({"threshold": 1, "keys": [{"name": "x", "public_key": "x"}]}, "one public key in PEM"),
    ],
)
def test_policies_that_cannot_mean_what_they_say_are_refused(value: Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as caught:
        parse(value)
    assert caught.value.exit_code == 2
    assert "policy.json" in str(caught.value)


def test_the_same_key_in_two_writings_is_one_key(alice: SigningKey) -> None:
    value = raw(alice, threshold=2)
    again = alice.public.pem.replace("\n", "\r\n")
    value["keys"].append({"name": "another", "public_key": "a comment\n" + again})
    with pytest.raises(PolicyError, match="twice"):
        parse(value)
    value["keys"][1] = {"name": "another", "keyid": alice.keyid}
    with pytest.raises(PolicyError, match="twice"):
        parse(value, [alice.public])


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="There is no policy file"):
        read_policy(tmp_path / "none.toml")
    with pytest.raises(PolicyError, match="cannot be read"):
        read_policy(tmp_path)
    for text, is_json, said in (
        ("{", True, "is not JSON"),
        ("threshold =", False, "is not TOML"),
        ('{"threshold": 2, "threshold": 1, "keys": []}', True, "holds a key twice"),
        ("[" * 100_000, True, "is not JSON"),
    ):
        with pytest.raises(PolicyError, match=said):
            parse_policy(text, "p", json_text=is_json)
