"""The packages that were installed where an evaluation ran, as a CycloneDX bill of materials.

CycloneDX 1.6 (ECMA-424) in JSON, without serial number and time, which would make it differ each
time. Two equal runs may have different lists, so it is in no digest but the manifest's: the core
has the versions of those packages that the numbers depend on. Names and versions only: where a
package was installed from, or to, is nobody's business.
"""

import functools
import platform
import re
from collections.abc import Iterable
from importlib import metadata
from typing import Any, Protocol
from urllib.parse import quote

from hokusai_assets.attestation.bundle import PROVENANCE
from hokusai_assets.attestation.core import constraints_digest
from hokusai_assets.digests import canonical_json

PACKAGES = f"{PROVENANCE}/packages.cdx.json"
SPEC_VERSION = "1.6"
CONSTRAINTS_PROPERTY = "hokusai-assets:constraints-sha256"

_APPLICATION = "hokusai-assets"
_FIELDS = re.compile(r"^(Name|Version):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)


class Distribution(Protocol):
    """What is read of an installed package: see importlib.metadata.Distribution."""

    def read_text(self, filename: str) -> str | None:
        """A file of its metadata, or None."""
        ...


def installed_packages(
    distributions: Iterable[Distribution] | None = None,
) -> tuple[tuple[str, str], ...]:
    """Name (PEP 503) and version of every installed package, once each, in order of names.

    Of two installed under one name the first counts: it is the one that is imported. What names
    itself nothing, such as the rest of an installation that broke off, is left out.
    """
    found: dict[str, str] = {}
    for distribution in metadata.distributions() if distributions is None else distributions:
        # The head alone and by hand: the library parses whole READMEs, at twenty times the time.
        try:
            text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        except UnicodeDecodeError:
            continue
        head = text.replace("\r\n", "\n").partition("\n\n")[0]
        fields = dict(reversed(_FIELDS.findall(head)))  # of a field that stands twice, the first
        if fields.get("Name") and fields.get("Version"):
            found.setdefault(_normalised(fields["Name"]), fields["Version"])
    return tuple(sorted(found.items()))


@functools.cache
def running_packages() -> tuple[tuple[str, str], ...]:
    """What is installed where this process runs, looked up once."""
    return installed_packages()


def packages_document(packages: Iterable[tuple[str, str]] | None = None) -> bytes:
    """The bill of materials of the running environment, or of `packages`; canonical JSON."""
    listed = dict(running_packages() if packages is None else packages)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": _APPLICATION,
                "version": listed.pop(_APPLICATION, "unknown"),
            },
            "properties": [{"name": CONSTRAINTS_PROPERTY, "value": constraints_digest()}],
        },
        "components": [
            {
                "type": "platform",
                "name": platform.python_implementation(),
                "version": platform.python_version(),
            },
            *(
                {
                    "type": "library",
                    "name": name,
                    "version": version,
                    "purl": f"pkg:pypi/{quote(name, safe='')}@{quote(version, safe='')}",
                }
                for name, version in listed.items()
            ),
        ],
    }
    return canonical_json(document)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
