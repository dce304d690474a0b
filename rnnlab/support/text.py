"""Text for terminals, tables and figures."""

import unicodedata


def printable(text: str) -> str:
    """Text for terminals, tables and figures, with control characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or _is_plain(c) else ascii(c)[1:-1] for c in text)


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp")
