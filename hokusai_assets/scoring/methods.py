"""Which method judges each number of a rule: it follows from the metric, the models and the rows.

The pipeline writes these names into the plan; whoever verifies it asks here whether they are the
ones due. A plan that named a weaker test would else be followed to the letter, and call by the
rule's name what the rule never asked. What the methods compute is deltas' and guards' business.
"""

from dataclasses import dataclass

from hokusai_assets.task import is_own

MCNEMAR = "mcnemar_exact"
# The t test of a mean over seeds errs too often where rows lost under every seed pay for rows won
# under few. The released model, the first seed's, must then show its gain in the exact test too.
SEED_MEAN_AND_MCNEMAR = "seed_mean_t_and_mcnemar"
# Of a primary metric of numbers, whose t test would err too often where a rare large loss pays for
# a common small gain. With several seeds both are asked, of the first seed's models the bet.
BETTING = "betting"
CLUSTER_BETTING = "cluster_betting"
SEED_MEAN_AND_BETTING = "seed_mean_t_and_betting"
SEED_MEAN_CLUSTER_AND_BETTING = "seed_mean_cluster_t_and_betting"
BETS = frozenset({BETTING, CLUSTER_BETTING, SEED_MEAN_AND_BETTING, SEED_MEAN_CLUSTER_AND_BETTING})

OWN = "row_bootstrap_t"
INFLUENCE = "influence_normal"
DELONG = "delong_normal"

TANGO = "tango_score"  # of a guard that counts rows and has a margin
BINOMIAL = "binomial_exact"  # of one that counts rows and has none

# What a regression's rule guards beside the primary metric, and on the rows of a slice.
GUARDED_NUMBERS = ("mae", "rmse")
OF_NUMBER_SLICES = "mae"


@dataclass(frozen=True)
class Methods:
    """The methods due with so many classes (0: numbers are predicted), seeds, and groups or not."""

    classes: int
    seeds: int
    clustered: bool

    @property
    def delta_one(self) -> str:
        """Of DeltaOne's p value."""
        return self._approximate(INFLUENCE)

    def of_metric(self, metric: str, *, primary: bool) -> str:
        """Of a metric's p value."""
        if is_own(metric):
            return OWN
        if not self.classes and primary:
            if self.seeds == 1:
                return CLUSTER_BETTING if self.clustered else BETTING
            return SEED_MEAN_CLUSTER_AND_BETTING if self.clustered else SEED_MEAN_AND_BETTING
        exact = metric == "accuracy" or (metric == "recall" and self.classes == 2)
        if exact and not self.clustered:
            return MCNEMAR if self.seeds == 1 else SEED_MEAN_AND_MCNEMAR
        return self._approximate(DELONG if metric == "auroc" else INFLUENCE)

    def of_guard(self, metric: str, *, of_class: bool, margin: bool) -> str:
        """Of a guard on a metric, or on the recall of a class; a slice's is its metric's."""
        counts = of_class or metric == "accuracy"
        if counts and self.seeds == 1 and not self.clustered:
            return TANGO if margin else BINOMIAL
        return self._approximate(DELONG if metric == "auroc" else INFLUENCE)

    def _approximate(self, plain: str) -> str:
        if self.seeds > 1:
            return "seed_mean_cluster_t" if self.clustered else "seed_mean_t"
        return "cluster_t" if self.clustered else plain
