"""The bill of materials: every package that is installed, and nothing of where."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.core import constraints_digest, package_versions
from hokusai_assets.attestation.provenance.packages import (
    PACKAGES,
    installed_packages,
    packages_document,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.conftest import Evaluated


def document(packages: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    content = packages_document(packages)
    body: dict[str, Any] = json.loads(content)
    assert canonical_json(body) == content
    return body


def purls(body: dict[str, Any]) -> list[str]:
    return [c["purl"] for c in body["components"] if c["type"] == "library"]


def test_every_installed_package_is_listed_as_the_library_tells_it() -> None:
    expected = {
        d.name.lower().replace("_", "-").replace(".", "-"): d.version
        for d in metadata.distributions()
    }
    found = installed_packages()
    assert dict(found) == expected
    assert list(found) == sorted(found)
    assert {"numpy", "pytest", "scikit-learn"} <= set(expected)


def test_it_has_the_fields_of_cyclonedx() -> None:
    body = document()
    assert set(body) == {"bomFormat", "specVersion", "version", "metadata", "components"}
    assert (body["bomFormat"], body["specVersion"], body["version"]) == ("CycloneDX", "1.6", 1)
    own = body["metadata"]["component"]
    assert (own["name"], own["version"]) == ("hokusai-assets", metadata.version("hokusai-assets"))
    (constraints,) = body["metadata"]["properties"]
    assert constraints["value"] == constraints_digest()
    first, *libraries = body["components"]
    assert first["type"] == "platform"
    versions = {c["name"]: c["version"] for c in libraries} | {own["name"]: own["version"]}
    told = package_versions()
    assert first["version"].startswith(told.pop("python"))
    assert told.items() <= versions.items()


@pytest.mark.parametrize(
    ("name", "version", "purl"),
    [
        ("torch", "2.9.0+cu128", "pkg:pypi/torch@2.9.0%2Bcu128"),
        ("a", "1!2.0", "pkg:pypi/a@1%212.0"),
    ],
)
def test_a_version_is_quoted_in_its_purl(name: str, version: str, purl: str) -> None:
    """Package-URL specification: the version is a percent-encoded string."""
    assert purls(document([(name, version)])) == [purl]


class Installed:
    """An installed package with these files of metadata."""

    def __init__(self, **files: str | bytes) -> None:
        self.files = files

    def read_text(self, filename: str) -> str | None:
        text = self.files.get(filename.replace("-", "_"))
        return text.decode() if isinstance(text, bytes) else text


def test_packages_are_read_however_they_were_installed() -> None:
    found = installed_packages(
        [
            Installed(METADATA="Metadata-Version: 2.4\nName: Some_Thing.x\nVersion: 1\n\nName: no"),
            Installed(METADATA="Name: some-thing-x\nVersion: 2\n"),
            Installed(PKG_INFO="Name: older\r\nVersion: 0.1 \r\n\r\nVersion: 9"),
            Installed(METADATA=""),
            Installed(),
            Installed(METADATA="Name: no-version\n"),
            Installed(METADATA=b"Name: \xff\nVersion: 1\n"),
            Installed(METADATA="Name: twice\nVersion: 1\nVersion: 2\n"),
        ]
    )
    assert found == (("older", "0.1"), ("some-thing-x", "1"), ("twice", "1"))


def test_the_bundle_holds_it_and_no_path(evaluated: Evaluated) -> None:
    path = Path(evaluated["attestation"].bundle_path, PACKAGES)
    assert path.read_bytes() == packages_document()
    assert not [
        word for word in ("file:", "/usr", "/home", "/tmp", "@ ") if word in path.read_text()
    ]


def test_the_core_knows_nothing_of_the_list(evaluated: Evaluated) -> None:
    """It may differ between two equal runs, whose core must not."""
    assert "pytest" not in json.dumps(evaluated["attestation"].core)
