"""When the second process of a run begins, and what the first prepares while it waits for it.

The first answer that is waited for is the estimate of label noise, which cannot come before
scikit-learn is imported there: as long as importing Dagster and cleaning take together. So where
the command line says that this process will run a job, the second one begins before Dagster's
definitions are even imported. The executor ends it again where a run turns out to need none.
"""

import gc
import multiprocessing
from collections.abc import Sequence

from hokusai_assets import second_process

# `dagster job execute`, and what the launcher of the web UI starts.
_RUNNING = (["job", "execute"], ["api", "execute_run"])

# In the order in which they are needed: what does not fit into the first wait goes into later ones.
# What is not on this list is imported where it is used.
MEANWHILE = (
    "hokusai_assets.contribution.merging",
    "hokusai_assets.attestation.plan",
    "hokusai_assets.evaluation.rule",
    "hokusai_assets.modeling.baselines",
    "scipy.special",
    "hokusai_assets.evaluation.delta",
    "hokusai_assets.defs.results",
    "hokusai_assets.reporting.delta_output:delta_output_schema",
    "jsonschema",
    "hokusai_assets.attestation.signing.signing",
    "hokusai_assets.attestation.core:package_versions",
    "hokusai_assets.attestation.provenance.packages:running_packages",
    "hokusai_assets.reporting.report.page:compile_templates",
)


def begin_early(command: Sequence[str]) -> None:
    """Start the second process if `command` (as sys.argv) runs a job in this process.

    A process of one step has its parent's command line and is none of these.
    """
    if list(command[1:3]) in _RUNNING and multiprocessing.parent_process() is None:
        gc.set_threshold(*second_process.COLLECTOR_THRESHOLDS)
        second_process.start(MEANWHILE)
