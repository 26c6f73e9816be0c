"""The ten assets, one noun a file. Each loads, calls a subject package, returns with metadata."""
