"""Text of strangers on a terminal: shown, never obeyed.

Names in a bundle or a ledger are anybody's. An escape sequence among them could clear the screen
and write another verdict there, and a character that turns the writing's direction rewrite a line.
"""


def printable(text: str) -> str:
    """`text` with everything that is not a visible character or a space as its escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
