"""What an evaluation's own process imports and prepares while it waits for the second one.

The first answer that it waits for is the estimate of label noise, which cannot come before
scikit-learn is imported there; the steps after it find here what they need. What is not on this
list is imported where it is used.
"""

# In the order in which they are needed: what does not fit into the first wait goes into later ones.
MEANWHILE = (
    "pandera.backends.pandas.register",
    "pandera.backends.pandas.builtin_checks",
    "pandera.pandas",
    "hokusai_assets.contribution.checks_schema",
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
