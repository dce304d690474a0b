"""The file: what stands in it is escaped, whole, and the bundle is the published one."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from rnnlab.report.page.html import (
    ASSETS,
    LIBRARIES,
    OWN_MODULES,
    json_text,
    module_urls,
    packed,
    page_html,
)
from rnnlab.report.page.theme import themes

# Of plotly.js-cartesian-dist-min 4.1.1 and of matrix.umd.js of ml-matrix 6.15.1, as npm gives them.
SHA_256 = {
    "plotly-cartesian": "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a",
    "ml-matrix": "a5567df4093ecbc4d492fc9fa10e08eb23cbebdcb3f19d384b4a8b4ab2fce613",
}
# Of the page's own script.
MOST_LINES = 1200
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028\u2029",
    "\"'&\\",
    "\u202eabc",
]


class Scripts(HTMLParser):
    """The texts of the script elements, as a browser's parser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[dict, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.found.append((dict(attrs), ""))

    def handle_data(self, data):
        if self.cdata_elem == "script":
            attributes, text = self.found[-1]
            self.found[-1] = (attributes, text + data)


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_a_library_is_the_published_one_and_has_its_licence(library):
    name = library.name.removesuffix(".min.js")
    assert hashlib.sha256(library.read_bytes()).hexdigest() == SHA_256[name]
    licence = (ASSETS / f"{name.partition('-cart')[0]}-LICENSE.txt").read_text(encoding="utf-8")
    assert "MIT" in licence or "Permission is hereby granted, free of charge" in licence


def test_a_page_asks_for_no_source_map():
    assert "sourceMappingURL" not in page_html("x", "", "data.js", {})


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_the_user_stays_a_text(text):
    page = page_html(text, "<main></main>", "data.js", {"text": text})
    scripts = Scripts(page).found
    assert [attributes.get("type") for attributes, _ in scripts] == [
        "application/json",
        None,
        "importmap",
        "module",
    ]
    assert json.loads(scripts[0][1]) == {"text": text}


def test_json_refuses_numbers_that_json_does_not_have():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"loss": np.nan})


def test_arrays_are_packed_bit_for_bit():
    values = np.array([[0.1, -np.inf], [np.nan, 3e-45]])
    stored = packed(values)
    read = np.frombuffer(base64.b64decode(stored["f4"]), "<f4").reshape(stored["shape"])
    np.testing.assert_array_equal(read, values.astype("f4"))


def test_every_module_imports_only_modules_of_the_page():
    names = module_urls()
    for name, url in names.items():
        source = base64.b64decode(url.partition(",")[2]).decode()
        imported = re.findall(r"""from\s+["']([^"']+)["']""", source)
        assert set(imported) <= set(names), name


def test_own_script_stays_small_and_readable():
    lines = [line for path in OWN_MODULES for line in path.read_text("utf-8").splitlines()]
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 100


def test_both_themes_have_the_same_parts():
    light, dark = themes().values()
    axes = [theme["layout"]["template"]["layout"] for theme in (light, dark)]
    for own, other in ((light["layout"], dark["layout"]), axes):
        assert own.keys() == other.keys()
        assert own != other
    own = [[(look["dash"], look["symbol"]) for look in theme["looks"]] for theme in (light, dark)]
    assert own[0] == own[1]
    assert len(set(own[0])) == len(own[0])
