"""Text in encodings that lack characters: what it says stays the same."""

import pytest

from rnnlab.support.similar_text import shown

WRITTEN = [
    ("‖∂c_T/∂c_t‖ is below 10⁻³", "|dc_T/dc_t| is below 10^-3"),
    ("1½ and ½", "1 1/2 and  1/2"),
    ("log₁₀ x² ≥ 0.5 → −0.5 ± 2 × ∞", "log_10 x^2 >= 0.5 -> -0.5 +- 2 x inf"),
    ("Größe: naïve …", "Grosse: naive ...".replace("ss", "?")),
    ("W_fᵀ, 日本 \ud800", "W_f^T, ?? ?"),
]


@pytest.mark.parametrize(("text", "ascii"), WRITTEN)
def test_ascii(text, ascii):
    assert shown(text, "ascii") == ascii


def test_what_an_encoding_has_stays():
    text = "Größe ½ × 10² ± 1"
    assert shown(text, "cp1252") == text
    assert shown(text, "utf-8") == text
    assert shown("10⁻³ ½", "latin-1") == "10^-³ ½"
    assert shown("∂ ₂ 日本", "utf-8") == "∂ ₂ 日本"


def test_names_of_files_that_are_no_text():
    assert shown("a\udcff", "utf-8") == "a?"


def test_an_encoding_that_python_does_not_know():
    assert shown("∂", "none-such") == shown("∂", None) == "∂"


def test_every_encoding_of_a_western_terminal_shows_every_character():
    for encoding in ("ascii", "cp437", "cp850", "cp1252", "latin-1", "mac-roman", "utf-16"):
        every = "".join(map(chr, range(1, 0x3000)))
        shown(every, encoding).encode(encoding)
