"""The pages of an evaluation, made of its two JSON files and nothing else."""
