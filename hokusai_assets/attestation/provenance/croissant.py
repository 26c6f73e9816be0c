"""Contribution and benchmark as Croissant 1.0, the JSON-LD format in which data sets are found.

Croissant Format Specification 1.0 (MLCommons), on schema.org's Dataset. Written as plain
dictionaries: whoever reads it brings the library. Content roots name the data; no id, cell,
contributor, path or time stands in it, and what nobody stated (licence, citation) is said to be
unknown. The features of benchmark rows are not in a bundle: its columns are listed without a
source, as schema.org's variableMeasured. What can be loaded are the labels, which the leaves hold
too; a reader of Croissant cannot take them from there, since leaves are arrays without names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hokusai_assets.attestation.bundle import PROVENANCE
from hokusai_assets.digests import canonical_json
from hokusai_assets.records import BenchmarkDataset, ColumnSchema, ContributedDataset

CONTRIBUTION = f"{PROVENANCE}/contribution.croissant.json"
BENCHMARK = f"{PROVENANCE}/benchmark.croissant.json"
LABELS = f"{PROVENANCE}/benchmark_labels.parquet"
LEAF, LABEL = "leaf", "label"  # its columns: the index of the row's leaf, and what it says

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
PARQUET = "application/x-parquet"
JSON_LINES = "application/jsonlines"
GZIP = "application/gzip"
LICENCE_UNKNOWN = "NOASSERTION"  # SPDX 2.3, section 7.13: nobody made a statement
CITATION_UNKNOWN = "Unknown: no citation was given with the data."

# What readers take the place of column types; a category is text of few values.
_DATA_TYPES = {
    "text": "sc:Text",
    "category": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "timestamp": "sc:DateTime",
}

# As in appendix 1 of the specification, so that expanding it needs no network.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


@dataclass(frozen=True)
class DescribedFile:
    """A file of the bundle as Croissant names it: `name` is its path inside the bundle."""

    name: str
    sha256: str
    size_bytes: int


def contribution_croissant(
    contributed: ContributedDataset, content: Sequence[ColumnSchema], file: DescribedFile
) -> bytes:
    """The cleaned contributions, `file` being their rows as Parquet; canonical JSON.

    `content` are the columns that row digests are of. `_row_digest` and `_source`, which stand
    beside them in the file, become fields too.
    """
    columns = [(c.name, _DATA_TYPES[c.type], "") for c in content]
    columns += [
        ("_row_digest", "sc:Text", "SHA-256 of the row's content, 32 bytes."),
        ("_source", "sc:Text", "Content root, as cleaned, of the contribution the row is of."),
    ]
    several = len(contributed.contributions)
    document = _dataset(
        "contribution",
        f"Rows of {several} contribution{'s' * (several > 1)} as an evaluation trained on them: "
        "typed, personal data treated, without duplicates, rows of the benchmark and rows paid "
        "for before. Columns of ids are left out.",
        _roots(
            [("as cleaned", contributed.content_root)] if several > 1 else [],
            *(
                [("as received", c.content_root_received), ("as cleaned", c.content_root_cleaned)]
                for c in contributed.contributions
            ),
        ),
        contributed.row_count,
        _file_object(file, [PARQUET], "The rows."),
    )
    document["recordSet"] = [_record_set("One record a contributed row.", columns, file)]
    return canonical_json(document)


def benchmark_croissant(
    benchmark: BenchmarkDataset,
    content: Sequence[ColumnSchema],
    leaves: DescribedFile,
    labels: DescribedFile,
    *,
    numbers: bool,
) -> bytes:
    """The benchmark by content roots, counts and columns; canonical JSON.

    Its files are `leaves`, with names that hide, labels and predictions, and `labels`, the columns
    LEAF and LABEL, which are its records: names of classes or, of `numbers`, millionths of their
    scale. No file holds features.
    """
    document = _dataset(
        "benchmark",
        "Rows that both models were scored on, after rows of the base data were left out. Their "
        "features are not in this bundle: its leaves hold labels and predictions. "
        f"{benchmark.left_out_exact + benchmark.left_out_normalised} rows were left out as in "
        f"base, {benchmark.row_count} of {benchmark.sampled_from} that remained are scored.",
        _roots(
            [
                ("as received", benchmark.content_root_received),
                ("as scored", benchmark.content_root),
            ]
        ),
        benchmark.row_count,
        _file_object(
            leaves, [JSON_LINES, GZIP], "One leaf a row: label and predictions, no features."
        ),
        _file_object(labels, [PARQUET], "The label of each row, by the index of its leaf."),
    )
    document["recordSet"] = [
        _record_set(
            "One record a benchmark row that was scored, in the order of leaves.",
            [
                (LEAF, "sc:Integer", "Index of the row's leaf."),
                (LABEL, "sc:Integer", "The number to predict, in millionths of its scale.")
                if numbers
                else (LABEL, "sc:Text", "Name of the row's class."),
            ],
            labels,
        )
    ]
    document["variableMeasured"] = [
        {"@type": "sc:PropertyValue", "name": c.name, "description": f"Column of type {c.type}."}
        for c in content
    ]
    return canonical_json(document)


def _dataset(
    name: str,
    description: str,
    identifiers: list[dict[str, str]],
    rows: int,
    *files: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": name,
        "description": description,
        "identifier": identifiers,
        "size": f"{rows} rows",
        "license": LICENCE_UNKNOWN,
        "citeAs": CITATION_UNKNOWN,
        "version": "1.0.0",
        "distribution": list(files),
    }


def _roots(*groups: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Content roots as identifiers of their own kind: they are of rows, in any order and format."""
    return [
        {"@type": "sc:PropertyValue", "propertyID": f"content root {stage}", "value": root}
        for group in groups
        for stage, root in group
    ]


def _file_object(file: DescribedFile, formats: list[str], description: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": _file_id(file),
        "name": _file_id(file),
        "description": description,
        # From this folder, so that a bundle can be moved as a whole.
        "contentUrl": f"../{file.name.removeprefix('audit/')}",
        "contentSize": f"{file.size_bytes} B",
        "encodingFormat": formats if len(formats) > 1 else formats[0],
        "sha256": file.sha256,
    }


def _file_id(file: DescribedFile) -> str:
    return file.name.rsplit("/", 1)[-1]


def _record_set(
    description: str, columns: Sequence[tuple[str, str, str]], file: DescribedFile
) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "description": description,
        "field": [_field(*column, file) for column in columns],
    }


def _field(name: str, data_type: str, description: str, file: DescribedFile) -> dict[str, Any]:
    field = {
        "@type": "cr:Field",
        # Of whatever characters a column's name has, those that an IRI may hold.
        "@id": f"rows/{quote(name, safe='')}",
        "name": name,
        "dataType": data_type,
        "source": {"fileObject": {"@id": _file_id(file)}, "extract": {"column": name}},
    }
    return field | ({"description": description} if description else {})
