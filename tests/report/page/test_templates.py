"""Markup: texts are escaped, and get subscripts as the script's labels do."""

import pytest

from rnnlab.report.page.templates import render, rich, unbroken, worded


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("b_f = 1", "b<sub>f</sub> = 1"),
        ("∂C_t/∂C_{t−1}", "∂C<sub>t</sub>/∂C<sub>t−1</sub>"),
        ("∂(h, c)_t", "∂(h, c)<sub>t</sub>"),
        ("dC_t and log10", "dC<sub>t</sub> and log<sub>10</sub>"),
        ("forget_bias, x_train_y, a_b_", "forget_bias, x_train_y, a_b_"),
        ("<b>x_t</b> & \"'", "&lt;b&gt;x<sub>t</sub>&lt;/b&gt; &amp; &#34;&#39;"),
        ("x_{<i>}", "x<sub>&lt;i&gt;</sub>"),
    ],
)
def test_a_text_with_subscripts(text, html):
    assert rich(text) == html


def test_words_have_places_and_subscripts_stay():
    html = worded("left {back} steps back: ‖∂c_T/∂c_{0}‖ <{left}>")
    assert html == (
        'left <span data-word="back"></span> steps back: ‖∂c<sub>T</sub>/∂c<sub>0</sub>‖ '
        '&lt;<span data-word="left"></span>&gt;'
    )


def test_an_interval_is_not_broken():
    assert unbroken("1 [0, 2] → 3 [2, 4]") == "1 [0,\u00a02]\n→ 3 [2,\u00a04]"


def test_templates_escape_what_they_are_given():
    data = {"text": "<script>", "name": '"x"', "sets": {"x.b_f": 1.0}}
    page = render("explore.html", explore=_instrument(presets=[data]))
    assert "<script>" not in page
    assert 'data-text="&lt;script&gt;"' in page
    assert "&#34;x&#34;" in page


def _instrument(**parts):
    mappings = {key: {} for key in ("start", "cells", "plots", "sets")}
    lists = {key: [] for key in ("presets", "settings", "choices", "sliders")}
    return mappings | lists | parts
