"""Colours and style of the drawings, light and dark; the page itself has its own in style.css."""

from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
# Of what is no setting, such as paths and gates: Okabe & Ito 2008, darkened where white paper
# needs it.
LIGHT = ["#22262c", "#0072b2", "#c2500a", "#00805e", "#b0568c", "#a66f00", "#4a6fa5"]
DARK = ["#e4e7eb", "#5cb0ea", "#f0894a", "#35c49a", "#dd94c0", "#e8b23e", "#9db7de"]

DASHES = ["solid", "dash", "dot", "dashdot", "longdash"]
SYMBOLS = ["circle", "square", "triangle-up", "diamond", "triangle-down", "x", "cross"]


LAYOUT = {
    "height": 340,
    "margin": {"l": 52, "r": 14, "t": 14, "b": 44},
    "showlegend": False,
    "dragmode": False,
    "hovermode": "closest",
    "legend": {
        "orientation": "h",
        "y": 1.02,
        "yanchor": "bottom",
        "x": 0,
        "itemclick": False,
        "itemdoubleclick": False,
    },
}
AXIS = {
    "showline": True,
    "zeroline": False,
    "ticks": "outside",
    "ticklen": 4,
    "fixedrange": True,
    "automargin": True,
    "nticks": 7,
    "exponentformat": "power",
}


def themes() -> dict[str, Any]:
    """For Plotly: colours and the layout of a plot, by the name of the theme."""
    return {
        "light": _theme("light", LIGHT, "#22262c", "#5d6570", "#e8e9ec", "#ffffff"),
        "dark": _theme("dark", DARK, "#e4e7eb", "#a2abb7", "#30363f", "#1b1f25"),
    }


def _theme(
    name: str, colors: list[str], ink: str, muted: str, grid: str, paper: str
) -> dict[str, Any]:
    font = {"family": FONT, "size": 12, "color": ink}
    axis = AXIS | {
        "gridcolor": grid,
        "linecolor": muted,
        "tickcolor": muted,
        "tickfont": {"size": 11, "color": muted},
        "title": {"standoff": 8, "font": font},
    }
    return {
        "name": name,
        "ink": ink,
        "muted": muted,
        "paper": paper,
        "looks": _looks(colors),
        "layout": LAYOUT
        | {
            "font": font,
            "paper_bgcolor": paper,
            "plot_bgcolor": paper,
            "hoverlabel": {"bgcolor": paper, "bordercolor": muted, "font": font},
            "template": {"layout": {"xaxis": axis, "yaxis": axis}},
        },
    }


def _looks(colors: list[str]) -> list[dict[str, str]]:
    """Two rounds of the colours, with other dashes and symbols in the second."""
    many = len(colors)
    return [
        {
            "color": colors[i % many],
            "dash": DASHES[i % len(DASHES)],
            "symbol": SYMBOLS[(i + i // many) % len(SYMBOLS)],
        }
        for i in range(2 * many)
    ]
