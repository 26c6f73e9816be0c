"""The trivial graph in a process that has also imported what any evaluation needs.

What a dry run would at least take if it imported in one process: storing models, checking frames,
reading and training cannot do without these packages.
"""

import duckdb
import pandera.pandas
import pyarrow.parquet
import sklearn.compose
import sklearn.feature_extraction.text
import sklearn.linear_model
import sklearn.pipeline
import skops.io

from benchmarks.trivial_graph import defs

NEEDED = (duckdb, pandera.pandas, pyarrow.parquet, skops.io, sklearn.pipeline)

__all__ = ["NEEDED", "defs"]
