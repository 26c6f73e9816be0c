"""What an evaluation's own process imports and prepares while it waits for the second one.

The first answer that it waits for is the estimate of label noise, which cannot come before
scikit-learn is imported there; the steps after it find here what they need. What is not on this
list is imported where it is used.
"""

MEANWHILE = (
    "pandera.backends.pandas.register",
    "pandera.backends.pandas.builtin_checks",
    "scipy.special",
    "hokusai_assets.evaluation.delta",
    "hokusai_assets.attestation.signing.signing",
    "hokusai_assets.defs.results",
    "hokusai_assets.reporting.delta_output",
    "jsonschema",
    "hokusai_assets.attestation.core:package_versions",
    "hokusai_assets.reporting.report.page:compile_templates",
)
