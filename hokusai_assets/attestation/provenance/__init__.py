"""What audit/provenance/ says of data and software: where the numbers come from, for people.

Nothing here is part of the core, and no verdict follows from it; the manifest covers it.
"""
