"""What a page has drawn: the traces that Plotly holds."""

import html
import math

import numpy as np

SETTLED = """async () => {
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
  await new Promise((done) => setTimeout(done, 0));
}"""
TRACES = """(name) => document.querySelector(`#plot-${name} .drawing`).data.map(
  ({ name, type, mode, x, y, z, text, fill, xaxis, line, marker, error_y }) =>
    ({ name, type, mode, x, y, z, text, fill, xaxis: xaxis ?? "x", line, marker, error_y }))"""


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate(SETTLED)


def traces(page, name):
    """The traces of a plot, which is scrolled into view."""
    page.locator(f"#plot-{name}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#plot-{name} .main-svg", state="attached")
    settle(page)
    return page.evaluate(TRACES, name)


def shapes(page, name):
    """The lines that Plotly draws across a plot."""
    settle(page)
    return page.evaluate(f"document.querySelector('#plot-{name} .drawing').layout.shapes")


def plain(label):
    """A label of Plotly as it was written."""
    return html.unescape(label.replace("<sub>", "_").replace("</sub>", ""))


def curves(page, name, axis=None):
    """Of each named line: {x: y}, in the order of drawing; of one panel if ``axis`` is given."""
    found = {}
    for trace in traces(page, name):
        is_line = trace["mode"] == "lines" and not trace["fill"]
        if is_line and (axis is None or trace["xaxis"] == axis):
            points = dict(zip(trace["x"], map(number, trace["y"]), strict=True))
            found.setdefault(plain(trace["name"]), []).append(points)
    return found


def number(value):
    """A number of JavaScript; where Plotly ends a line, NaN."""
    return math.nan if value is None else value


def set_step(page, index):
    """Move the slider to a record, as a drag does."""
    page.locator("#step").evaluate(
        "(slider, index) => { slider.value = index; "
        "slider.dispatchEvent(new Event('input', { bubbles: true })); }",
        index,
    )
    settle(page)


def same_curve(points, expected):
    """Assert that the points are these numbers, {x: y}, in float32; those not finite are gaps."""
    assert list(points) == [x for x, y in expected.items() if not math.isnan(y)]
    for x, y in points.items():
        wanted = expected[x]
        if math.isfinite(wanted):
            np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6, err_msg=str(x))
        else:
            assert math.isnan(y)


def approx_points(points, expected):
    """Assert that these are the same points, in any order."""
    found, wanted = (np.array(sorted(map(tuple, some)), float) for some in (points, expected))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
