"""Changed copies of bundles: single bytes, fields, and whole bundles sealed anew after a change."""

import copy
import gzip
import hashlib
import json
import os
import random
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.bundle import LEAVES, manifest_of
from hokusai_assets.attestation.rows.leaves import GZIP_HEADER
from hokusai_assets.attestation.rows.tree import root_of
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.attestation.json_mutations import places

RETYPED: tuple[Any, ...] = (None, True, 0, -1, "", "0", [], {}, [[]], 2**53 - 1, "ab" * 32)


def linked(bundle: Path, target: Path) -> Path:
    """A copy whose files are links: whoever changes one replaces it."""
    return Path(shutil.copytree(bundle, target, copy_function=os.link))


def put(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def flipped(content: bytes, rng: random.Random) -> bytes:
    """One byte replaced by another."""
    at = rng.randrange(len(content))
    other = (content[at] + rng.randrange(1, 256)) % 256
    return content[:at] + bytes([other]) + content[at + 1 :]


def packed(leaves: bytes) -> bytes:
    """A file of leaves, in gzip as it is written."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(leaves) + deflate.flush()
    return GZIP_HEADER + body + struct.pack("<II", zlib.crc32(leaves), len(leaves) & 0xFFFFFFFF)


def unpacked(bundle: Path) -> bytes:
    return gzip.decompress((bundle / LEAVES).read_bytes())


def records(bundle: Path) -> dict[str, Any]:
    names = ("core", "plan", "decision")
    return {name: json.loads((bundle / f"public/{name}.json").read_bytes()) for name in names}


def sealed(bundle: Path, changed: dict[str, Any]) -> Path:
    """The records written and all digests made anew, as whoever has every file and no key can."""
    core, plan, decision = (changed[name] for name in ("core", "plan", "decision"))
    for addition in ("signatures", "mint"):
        shutil.rmtree(bundle / "public" / addition, ignore_errors=True)
    put(bundle / "public/plan.json", canonical_json(plan))
    digest = hashlib.sha256(canonical_json(plan)).hexdigest()
    if isinstance(core, dict) and "plan_digest" in core:
        core["plan_digest"] = digest
    put(bundle / "public/core.json", canonical_json(core))
    body = decision.get("body") if isinstance(decision, dict) else None
    if isinstance(body, dict):
        names = {"core_digest": hashlib.sha256(canonical_json(core)).hexdigest()}
        body |= {k: v for k, v in (names | {"plan_digest": digest}).items() if k in body}
    put(bundle / "public/decision.json", canonical_json(decision))
    put(bundle / "public/manifest.json", canonical_json(manifest_of(bundle)))
    return bundle


def changed_rows(bundle: Path, change: Callable[[list[Any]], None], *, root: bool) -> Path:
    """Every leaf changed, the bundle sealed anew; with `root` the core's root is made to follow."""
    lines = []
    for line in unpacked(bundle).splitlines():
        leaf = json.loads(line)
        change(leaf)
        lines.append(canonical_json(leaf))
    put(bundle / LEAVES, packed(b"".join(line + b"\n" for line in lines)))
    made = records(bundle)
    if root:
        made["core"]["rows"]["root"] = root_of(lines).hex()
    return sealed(bundle, made)


def mutated_places(value: Any, rng: random.Random, count: int) -> Iterator[Any]:
    """`count` copies of a JSON value with one place dropped or of another type."""
    ways = [path for path in places(value) if path]
    for path in rng.sample(ways, min(count, len(ways))):
        result = copy.deepcopy(value)
        inside = result
        for name in path[:-1]:
            inside = inside[name]
        if rng.random() < 0.4:
            del inside[path[-1]]
        else:
            was = canonical_json(inside[path[-1]])
            inside[path[-1]] = rng.choice([v for v in RETYPED if canonical_json(v) != was])
        yield result
