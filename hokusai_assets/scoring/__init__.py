"""From predictions to metrics, standard errors, bounds and p values: numpy and scipy.special only.

What the pipeline and a verifier must compute alike stands here once: `registry` (every metric by
name: its direction, value and influence), `metrics` (exact rationals from integer tables and
integer scores), `influence` (what one row contributes to a metric), `paired` (tests and bounds for
candidate less baseline on the same rows), `intervals` (what is shown beside a delta), `power`
(what a benchmark can detect) and `payable` (what of an accepted gain may be paid).

On these stand `rows`, `prediction_lines`, `uncertainty`, `comparing`, `delta_one`, `guards`,
`reported` and `deltas`: the numbers of one evaluation, as records, from both models' predictions.
They are imported by their own names, since most users of the formulas need no records. What the
numbers mean for a verdict is decision_rule's business; reading predictions from disk is
evaluation's.
"""

from hokusai_assets.scoring.influence import recall_influence
from hokusai_assets.scoring.intervals import (
    COUNTED,
    FEW_DISCORDANT_ROWS,
    Interval,
    bootstrap_deltas,
    discordant_rows,
    percentile_interval,
    spread_interval,
    tango_interval,
)
from hokusai_assets.scoring.metrics import (
    MILLION,
    Predictions,
    Undefined,
    Value,
    class_recall,
    class_value,
    confusion,
    joint_table,
    metric_value,
    millionths,
    seed_mean,
)
from hokusai_assets.scoring.paired import (
    Spread,
    harm_p,
    improvement_p,
    lower_bound,
    mcnemar_p,
    nano,
    nano_below,
    paired_spread,
    pico,
    tango_lower_bound,
)
from hokusai_assets.scoring.payable import Gain, payable_bps
from hokusai_assets.scoring.registry import METRICS, Metric, influence, score_metric

__all__ = [
    "COUNTED",
    "FEW_DISCORDANT_ROWS",
    "METRICS",
    "MILLION",
    "Gain",
    "Interval",
    "Metric",
    "Predictions",
    "Spread",
    "Undefined",
    "Value",
    "bootstrap_deltas",
    "class_recall",
    "class_value",
    "confusion",
    "discordant_rows",
    "harm_p",
    "improvement_p",
    "influence",
    "joint_table",
    "lower_bound",
    "mcnemar_p",
    "metric_value",
    "millionths",
    "nano",
    "nano_below",
    "paired_spread",
    "payable_bps",
    "percentile_interval",
    "pico",
    "recall_influence",
    "score_metric",
    "seed_mean",
    "spread_interval",
    "tango_interval",
    "tango_lower_bound",
]
