"""Everything Dagster: assets, checks, resources, storage, jobs. Nothing is computed here."""
