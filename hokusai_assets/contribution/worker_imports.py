"""What workers need, imported once, in the process that they are forked from (workers.py)."""

import gc

from hokusai_assets.importing import forgo_pandas

forgo_pandas()

import numpy  # noqa: E402, F401 - after pandas was forgone
import phonenumbers  # noqa: E402, F401
import pyarrow.compute  # noqa: E402
import pyarrow.parquet  # noqa: E402, F401
import stdnum.iban  # noqa: E402
import stdnum.luhn  # noqa: E402
import stdnum.us.itin  # noqa: E402
import stdnum.us.ssn  # noqa: E402, F401

import hokusai_assets.contribution.cleaning  # noqa: E402, F401

gc.freeze()  # so that pages are shared until somebody writes to them
