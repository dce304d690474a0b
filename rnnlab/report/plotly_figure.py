"""A plotly figure with the lines, marks and heat map of a Matplotlib axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from rnnlab.report.figures.palette import DASHES, MARKERS
from rnnlab.report.mathtext import as_html

# So many colours of a heat map's scale.
SHADES = 33
# So many marks on a line, whose dashes and colour say the same.
MARKS = 6
SYMBOLS = {letter: symbol for symbol, letter in MARKERS.items()}
PATTERNS = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot"}


def _shares(pattern: Sequence[Any] | None) -> list[float]:
    """The length of each dash and gap, as a share of the whole pattern."""
    return [] if pattern is None else [float(part) / float(sum(pattern)) for part in pattern]


OWN = {name: _shares(own[1]) for name, own in DASHES.items() if isinstance(own, tuple)}


def figure_of(ax: Axes) -> go.Figure:
    """The same data, labels and scales; what belongs to an entry of the legend goes with it.

    Numbers that are not finite are gaps.
    """
    figure = go.Figure()
    artists = [a for a in ax.get_children() if isinstance(a, Line2D | LineCollection | QuadMesh)]
    groups = _groups(artists)
    for artist, group in zip(artists, groups, strict=True):
        if isinstance(artist, QuadMesh):
            figure.add_trace(_heat_map(artist))
        elif isinstance(artist, LineCollection):
            figure.add_trace(_seeds(artist, group))
        elif _is_level(artist, ax):
            figure.add_hline(_ys(artist)[0], **_level(artist))
        else:
            figure.add_trace(_curve(artist, group))
    figure.update_layout(
        template="plotly_white",
        title=as_html(ax.get_title()),
        xaxis=_axis(ax, "x"),
        yaxis=_axis(ax, "y"),
    )
    return figure


def _groups(artists: Sequence[Artist]) -> list[str]:
    """The entry of the legend that each belongs to: the nearest one of its colour; or none."""
    colours = [_colour(artist) for artist in artists]
    entries = [at for at, artist in enumerate(artists) if _name(artist)]
    found = []
    for at, colour in enumerate(colours):
        same = [entry for entry in entries if colours[entry] == colour]
        nearest = min(same, key=lambda entry: abs(entry - at - 0.1), default=None)
        found.append("" if nearest is None else f"{nearest}")
    return found


def _colour(artist: Artist) -> str:
    colour: Any = ""
    if isinstance(artist, Line2D):
        colour = artist.get_color()
    elif isinstance(artist, LineCollection):
        colour = artist.get_edgecolor()[0]
    return to_hex(colour) if len(colour) else ""


def _name(artist: Artist) -> str:
    """Its text in the legend, which has no entry of a label that begins with "_"."""
    label = str(artist.get_label())
    is_entry = isinstance(artist, Line2D) and not label.startswith("_")
    return as_html(label) if is_entry else ""


def _finite(values: Any) -> np.ndarray:
    numbers = np.asarray(values, float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _ys(line: Line2D) -> np.ndarray:
    return _finite(line.get_ydata())


def _curve(line: Line2D, group: str) -> go.Scatter:
    """A line, marks, or both; where Matplotlib has marks at some points only, so has plotly."""
    name, marker, dash = _name(line), line.get_marker(), _dash(line)
    modes = [mode for mode, is_on in (("lines", dash), ("markers", marker in SYMBOLS)) if is_on]
    return go.Scatter(
        x=_finite(line.get_xdata()),
        y=_ys(line),
        mode="+".join(modes) or "none",
        name=name,
        showlegend=bool(name),
        legendgroup=group or None,
        hoverinfo="x+y+name" if name else "x+y",
        opacity=line.get_alpha(),
        line={"color": _colour(line), "width": line.get_linewidth(), "dash": dash or None},
        marker={
            "color": _colour(line),
            "symbol": SYMBOLS.get(str(marker)),
            "size": 1.5 * line.get_markersize(),
            "maxdisplayed": MARKS if line.get_markevery() is not None else 0,
        },
    )


def _dash(line: Line2D) -> str:
    """Plotly's name of its pattern; empty where it has no line."""
    if line.get_linestyle() == "None":
        return ""
    drawn = _Dashes()
    line.draw(drawn)
    own = [name for name, shares in OWN.items() if len(shares) == len(drawn.shares)]
    near = (name for name in own if np.allclose(OWN[name], drawn.shares))
    return next(near, PATTERNS.get(str(line.get_linestyle()), "solid"))


class _Dashes(RendererBase):
    """Draws nothing, and keeps the dashes that a line is drawn with: Matplotlib has no getter.

    Attributes:
        shares: of the pattern's length, each dash and each gap; none of a solid line.
    """

    shares: Sequence[Any] = ()

    def draw_path(self, gc: Any, *_: Any, **__: Any) -> None:
        """Keep the pattern of a line."""
        self.shares = _shares(gc.get_dashes()[1])

    def draw_markers(self, *_: Any, **__: Any) -> None:
        """Keep nothing of marks."""


def _seeds(lines: LineCollection, group: str) -> go.Scatter:
    """All seeds of a setting as one thin line, broken between them."""
    breaks = np.full((1, 2), np.nan)
    points = np.concatenate([part for own in lines.get_segments() for part in (own, breaks)])
    return go.Scatter(
        x=_finite(points[:, 0]),
        y=_finite(points[:, 1]),
        mode="lines",
        showlegend=False,
        legendgroup=group or None,
        hoverinfo="x+y",
        opacity=lines.get_alpha(),
        line={"color": _colour(lines), "width": 1},
    )


def _is_level(line: Line2D, ax: Axes) -> bool:
    """Whether it is a level through the whole axes, as of ``axhline``."""
    is_data_x, is_data_y = line.get_transform().contains_branch_seperately(ax.transData)
    return is_data_y and not is_data_x


def _level(line: Line2D) -> dict[str, Any]:
    name = _name(line)
    style = {"color": _colour(line), "width": line.get_linewidth(), "dash": _dash(line)}
    return {"line": style, "layer": "below", "name": name, "showlegend": bool(name)}


def _heat_map(mesh: QuadMesh) -> go.Heatmap:
    """Cells between the same edges, in the same colours."""
    corners = np.asarray(mesh.get_coordinates())
    values: Any = np.ma.filled(np.ma.asarray(mesh.get_array(), float), np.nan)
    low, high = map(float, mesh.get_clim())
    places = np.linspace(0, 1, SHADES)
    shades = mesh.get_cmap()(mesh.norm(low + (high - low) * places))
    return go.Heatmap(
        x=corners[0, :, 0],
        y=corners[:, 0, 1],
        z=values.reshape(corners.shape[0] - 1, corners.shape[1] - 1),
        zmin=low,
        zmax=high,
        colorscale=[(place, to_hex(shade)) for place, shade in zip(places, shades, strict=True)],
        colorbar={"title": as_html(str(mesh.get_label()))},
        hoverongaps=False,
    )


def _axis(ax: Axes, name: str) -> dict[str, Any]:
    side = ax.xaxis if name == "x" else ax.yaxis
    scale, limits = side.get_scale(), side.get_view_interval()
    axis: dict[str, Any] = {"title": as_html(side.get_label_text()), "type": scale}
    if not getattr(ax, f"get_autoscale{name}_on")():
        axis["range"] = np.log10(limits) if scale == "log" else limits
    if name == "y" and ax.get_aspect() != "auto":
        axis |= {"scaleanchor": "x", "scaleratio": 1}
    return axis
