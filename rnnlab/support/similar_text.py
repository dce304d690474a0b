"""Text in an encoding that lacks some of its characters: similar ones take their place."""

import codecs
import unicodedata

NAME = "rnnlab.similar"
SIMILAR = {
    "∂": "d", "−": "-", "‖": "|", "√": "sqrt", "∞": "inf", "⊙": "*", "·": "*", "×": "x", "±": "+-",
    "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "→": "->", "–": "-", "—": "-", "§": "section ",
    "│": "|", "─": "-", "━": "-", "⟨": "<", "⟩": ">", "⌊": "|_", "⌋": "_|", "•": "*", "⁄": "/",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "λ": "lambda",
    "μ": "mu", "ρ": "rho", "σ": "sigma", "φ": "phi", "Σ": "Sigma", "Π": "Pi",
}  # fmt: skip
# 10⁻³ is 10^-3, not 10-3; x₂ is x_2, not x2; 1½ is 1 1/2, not 11/2.
SIGNS = {"super": "^", "sub": "_", "fraction": " "}


def shown(text: str, encoding: str | None) -> str:
    """A text with similar characters, or else "?", for those that an encoding lacks.

    Args:
        text: any.
        encoding: its name; None, or one that Python does not know, is UTF-8.
    """
    if text.isascii():
        return text
    try:
        return text.encode(encoding or "utf-8", NAME).decode(encoding or "utf-8")
    except LookupError:
        return shown(text, None)


def unaccented(text: str) -> str:
    """A text without accents, its characters in their plain forms."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if unicodedata.category(c) != "Mn")


def _similar(error: UnicodeError) -> tuple[str, int]:
    """Replaces the characters that an encoding lacks; see ``codecs.register_error``."""
    assert isinstance(error, UnicodeEncodeError)
    replaced, sign = "", ""
    for character in error.object[error.start : error.end]:
        last, sign = sign, _sign(character)
        replaced += (sign if sign != last else "") + _ascii(character)
    return replaced, error.end


def _sign(character: str) -> str:
    """The sign to put before a raised or lowered character or a fraction, such as ^."""
    kind, _, _ = unicodedata.decomposition(character).partition(" ")
    return SIGNS.get(kind.strip("<>"), "")


def _ascii(character: str) -> str:
    """Similar characters, of which accents are left out; else "?"."""
    return "".join(c if c.isascii() else SIMILAR.get(c, "?") for c in unaccented(character))


codecs.register_error(NAME, _similar)
