"""What the plots of a page save."""

import csv
import io
import re
import struct
from xml.etree import ElementTree

import pytest
from drawn import curves, plain, settle, traces

pytestmark = pytest.mark.browser


def saved(page, plot, kind):
    """The bytes of a file and its name."""
    traces(page, plot)
    with page.expect_download() as download:
        page.locator(f"#plot-{plot} .save button", has_text=kind).click()
    return download.value.path().read_bytes(), download.value.suggested_filename


def table_of(content):
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8")))
    return head, rows


def test_csv_has_the_numbers_that_are_drawn(random_run, open_page):
    page = open_page(random_run[1])
    content, name = saved(page, "decay", "CSV")
    assert name == "decay.csv"
    head, rows = table_of(content)
    assert head == ["setting", "steps back in time", "log10 ‖∂L/∂c_t‖: median", "least", "greatest"]
    for label, (points,) in curves(page, "decay").items():
        own = {float(x): float(median) for setting, x, median, *_ in rows if setting == label}
        assert list(own) == list(points)
        for x, y in points.items():
            assert own[x] == pytest.approx(y, rel=1e-6) or (own[x] == -float("inf") and y != y)


@pytest.mark.parametrize(
    "plot",
    ["paths", "against", "share", "heat_map", "learning", "gates", "eigenvalues", "lyapunov"],
)
def test_every_plot_has_a_table(plot, random_run, open_page):
    page = open_page(random_run[1])
    head, rows = table_of(saved(page, plot, "CSV")[0])
    assert len(rows) > 3
    assert {len(row) for row in rows} == {len(head)}
    values = [float(row[-1]) for row in rows if row[-1]]
    assert len(values) > 3


def test_svg_is_whole_on_white_with_title_and_legend(random_run, open_page):
    page = open_page(random_run[1], color_scheme="dark")
    content, name = saved(page, "decay", "SVG")
    assert name == "decay.svg"
    text = content.decode("utf-8")
    words = plain(re.sub(r"<[^>]*>", " ", text))
    assert text.startswith("<svg")
    assert "Gradient against distance" in words
    assert len(re.findall('class="traces"', text)) == 4
    assert "rgb(255, 255, 255)" in text
    assert "http://www.w3.org/1999/xlink" not in re.findall('href="(http[^"]*)"', text)
    # The page itself stays dark.
    settle(page)
    paper = page.evaluate("document.querySelector('#plot-decay .drawing').layout.paper_bgcolor")
    assert paper == "#1b1f25"


def test_png_has_twice_the_size(random_run, open_page):
    page = open_page(random_run[1])
    content, name = saved(page, "learning", "PNG")
    assert name == "learning.png"
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert width == 2 * 760
    assert height > 600


HOSTILE = [
    "=1+1",
    "+SUM(A1)",
    "-2+3",
    "@x",
    'a "b", c',
    "</script><b>x",
    "%{x} & &lt;",
    "-5",
    "$x_t$",
]


def test_cells_are_no_formulas(made_page, open_page):
    page = open_page(made_page(labels=HOSTILE))
    _, rows = table_of(saved(page, "decay", "CSV")[0])
    found = list(dict.fromkeys(row[0] for row in rows))
    assert found == ["'=1+1", "'+SUM(A1)", "'-2+3", "'@x", *HOSTILE[4:]]


def test_hostile_texts_are_shown_as_they_are(made_page, open_page):
    page = open_page(made_page(labels=HOSTILE))
    assert [text.replace("\n", "") for text in page.locator(".chip").all_inner_texts()][
        :4
    ] == HOSTILE[:4]
    names = [trace["name"] for trace in traces(page, "decay") if trace["mode"] == "lines"]
    assert [plain(name) for name in dict.fromkeys(names)] == HOSTILE
    assert not any("<b>" in name for name in names)
    assert page.locator("main b").count() == 0
    text, _ = saved(page, "decay", "SVG")
    legend = [
        "".join(node.itertext())
        for node in ElementTree.fromstring(text).iter()
        if "legendtext" in node.get("class", "")
    ]
    assert [label.replace("\u200b", "") for label in legend[:-1]] == HOSTILE[:-1]
    area = page.locator("#plot-decay .nsewdrag").first.bounding_box()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2, steps=3)
    settle(page)
    assert page.evaluate("document.querySelectorAll('script').length") == 4
