"""Measures how much contributed data improves a model, and attests to it."""

__version__ = "0.1.0"
