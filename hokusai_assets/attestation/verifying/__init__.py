"""A bundle verified by a stranger, offline: what holds, what does not, and what was not shown.

Nothing is taken from the bundle that was not recomputed or signed. The order is that of trust:
bytes, form, signatures, rows, numbers, decision, plan, ledger, mint requests. The package imports
nothing heavy; cleaning and training again is joined by the command line (defs/recomputing.py).
"""
