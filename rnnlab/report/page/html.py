"""One HTML file that needs nothing else: markup, style, scripts and data in one text."""

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import ArrayLike

from rnnlab.report.page.theme import themes

ASSETS = Path(__file__).parent / "assets"
# Libraries of others, as npm gives them: plotly.js draws, ml-matrix finds eigenvalues.
LIBRARIES = [ASSETS / "plotly-cartesian.min.js", ASSETS / "ml-matrix.min.js"]
OWN_MODULES = sorted(path for path in ASSETS.glob("*.js") if path not in LIBRARIES)
# No character that could end the script element, or that old JavaScript takes for a new line.
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
# Whatever a text holds, the browser loads nothing.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{data}</script>
<script>{libraries}</script>
<script type="importmap">{modules}</script>
<script type="module">import "rnnlab/{start}";</script>
</body>
</html>
"""


def page_html(title: str, body: str, start: str, data: Mapping[str, Any]) -> str:
    """The text of a page.

    Args:
        title: of the window; escaped here.
        body: HTML of our own, in which nothing of the user's stands.
        start: the file name of the module that begins.
        data: what the modules read: texts, numbers, lists, and arrays made by ``packed``.
    """
    return PAGE.format(
        policy=POLICY,
        title=html.escape(title),
        style=(ASSETS / "style.css").read_text(encoding="utf-8"),
        body=body,
        data=json_text(data),
        libraries="\n".join(map(_library, LIBRARIES)),
        modules=json_text({"imports": module_urls()}),
        start=start,
    )


def _library(path: Path) -> str:
    """The text of a library, without the address of its source map."""
    return path.read_text(encoding="utf-8").partition("//# sourceMappingURL=")[0]


def module_urls() -> dict[str, str]:
    """A ``data:`` URL of each module, by the name under which modules import it.

    Modules of a file opened from disk cannot import each other in another way.
    """
    sources = {path.name: path.read_bytes() for path in OWN_MODULES}
    sources["themes.js"] = f"export const THEMES = {json_text(themes())};".encode()
    return {
        f"rnnlab/{name}": "data:text/javascript;base64," + _base64(source)
        for name, source in sources.items()
    }


def json_text(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(ESCAPES)


def packed(values: ArrayLike) -> dict[str, Any]:
    """An array for the page: ``{"f4": base64 of little-endian float32, "shape": […]}``.

    NaN stands for a number that is missing, −∞ for the logarithm of an exact zero.
    """
    array = np.asarray(values, "<f4")
    return {"f4": _base64(array.tobytes()), "shape": list(array.shape)}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
