"""Charts in the house style: a frame with finished labels becomes an accessible SVG.

Charts neither filter nor compute: rows come in the order in which they are drawn, numbers with the
text that stands beside them.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

# Palette of the UK Analysis Function: each colour 3:1 against white and against its neighbour.
BLUE, TEAL, PLUM, ORANGE, INK = "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D"
PALE = "#8BA3B8"  # regions that are not the one spoken of
GROUP_COLOURS = (BLUE, ORANGE, TEAL, PLUM)
GROUP_INKS = (BLUE, "#B0410B", "#17695F", PLUM)  # the same, dark enough for text
MARKERS = ("o", "s", "D", "^")
ROLE_COLOURS = {"plain": BLUE, "nation": PLUM, "chosen": ORANGE, "other": PALE}
VERDICT_COLOURS = {
    "worse": "#F0A37C", "better": "#7CC7C0", "higher": "#8FB3DB", "lower": "#8FB3DB", "similar": "#CBD5DE",
    "unknown": "#E6EAEE",
}  # fmt: skip
VERDICT_INKS = {
    "worse": "#B0410B", "better": "#17695F", "higher": BLUE, "lower": BLUE, "similar": "#5A6672", "unknown": "#5A6672",
}  # fmt: skip
# A verdict, or a fifth of the regions from the lowest value to the highest: face and ink.
TILE_FACES = {
    "worse": ("#B0410B", "white"), "better": ("#17695F", "white"), "higher": (BLUE, "white"), "lower": ("#8FB3DB", INK),
    "similar": ("#E6EAEE", INK), "unknown": ("white", INK), "1": ("#EAF1F8", INK), "2": ("#C3D8EC", INK),
    "3": ("#8FB3DB", INK), "4": ("#3F76AE", "white"), "5": (BLUE, "white"), "nothing": ("white", INK),
}  # fmt: skip
TILE, TILE_TEXT = 44.0, 9.0  # height of a tile in points, and of the largest text of its name
LONGEST = 1.6  # times the longest bar or narrow interval that a wide one is drawn

WIDTH = 324.0  # points; the width of a phone, so that text keeps its size there
LEGEND_LINE = 18.0  # points a line of the legend takes
ROW, BAR = 20.0, 13.2  # points a row of one line takes, and a bar in it
APART = 5.0  # points between the middles of two groups' marks in a row
GAP, RING_GAP = 9.0, 18.0  # points between a bar and its value, more where a ring may stand between
LINE = 13.5  # points between lines of a label
SIZE, SMALL = 11.0, 10.5  # points of text, and of legends and values on a line
NEAR_ZERO = 0.15  # of the highest value
MARGIN = 0.09  # of the years, on both sides of a series
WRAP, WIDE_WRAP = 22, 46  # letters in a line of a label beside its row, and above it
MOST_TEXTS = 2  # groups whose values are written behind a row

AXIS, GRID = "#767676", "#E3E8ED"
UNDER = -1  # what is drawn below the lines of series
PAD = 3.5  # points between an axis and its texts
FONT = "DejaVu Sans"

STYLE: Any = {
    "font.family": FONT,
    "font.size": SIZE,
    "text.parse_math": False,
    "text.color": INK,
    "lines.solid_capstyle": "projecting",
    "svg.fonttype": "none",
    "svg.hashsalt": "balalar",
}
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
TAG, LINE_END = re.compile(r"<[^>]*>"), re.compile(r"\n *")
# What is not seen in a tag: the font of all texts, the usual anchor, a turn by no angle, thousandths of a point.
UNSEEN = re.compile(
    rf"""font-family: '{FONT}'(; )?|text-anchor: start; | transform="rotate\(-0 [^"]*"|(?<=\.\d\d\d)\d+"""
)


@dataclass(frozen=True)
class Alternative:
    """What a chart says to those who do not see it.

    Attributes
    ----------
    name : str
        Short name.
    description : str
        What the chart shows, with values.
    """

    name: str
    description: str


@dataclass(frozen=True)
class Area:
    """Where numbers are drawn.

    Attributes
    ----------
    left, top, width, height : float
        In points from the upper left corner of the chart.
    """

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.top + self.height


class _Pen(RendererSVG):
    """Writes no groups around what it draws, and measures no text twice."""

    def open_group(self, s: str, gid: str | None = None) -> None:
        pass

    def close_group(self, s: str) -> None:
        pass

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        return _measures(s, prop.get_size_in_points(), str(prop.get_weight()))


class _Sheet:
    """A figure on which points are counted from the upper left corner.

    Most charts are drawn on it without axes: those of matplotlib cost more than all that a chart shows.
    """

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="white")
        self.points = Affine2D().scale(1, -1).translate(0, height)

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """A text; the style is that of matplotlib."""
        self.figure.text(x, y, text, transform=self.points, **style)

    def areas(self, corners: Any, colour: Any, area: Area | None = None, **style: Any) -> None:
        """Filled polygons."""
        style = {"edgecolors": "none", "facecolors": colour, "transform": self.points} | style
        self._add(PolyCollection(corners, **style), area)

    def boxes(self, left: Any, top: Any, right: Any, bottom: Any, colour: Any, **style: Any) -> None:
        """Rectangles; each edge is a number or an array."""
        corners = np.stack(np.broadcast_arrays(left, top, right, top, right, bottom, left, bottom), axis=-1)
        self.areas(corners.reshape(-1, 4, 2), colour, **style)

    def strokes(
        self, paths: Iterable[Any], colour: str, thick: float, area: Area | None = None, zorder: float = 1, **style: Any
    ) -> None:
        """Lines through points."""
        style |= {"colors": colour, "linewidths": thick, "zorder": zorder, "transform": self.points}
        self._add(LineCollection(list(paths), **style), area)

    def marks(
        self, x: Any, y: Any, marker: str, size: float, colour: str, edge: str = "white", thick: float = 1.0,
        area: Area | None = None,
    ) -> None:  # fmt: skip
        """Marks of a size (square points, as for ``Axes.scatter``) around points."""
        places = np.column_stack([x, y])
        if len(places):
            marks = PathCollection(
                [_marker(marker)], [size], offsets=places, offset_transform=self.points, facecolors=colour,
                edgecolors=edge, linewidths=thick,
            )  # fmt: skip
            marks.set_transform(IdentityTransform())
            self._add(marks, area)

    def axes(self, area: Area, x: _Scale, y: _Scale) -> Any:
        """Axes of matplotlib without frame and ticks, for what seaborn draws."""
        left, bottom, width, height = self._box(area).bounds
        axes = self.figure.add_axes(
            (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height), xlim=(x.low, x.high),
            ylim=(y.low, y.high), xticks=[], yticks=[], autoscale_on=False,
        )  # fmt: skip
        axes.axis("off")
        return axes

    def _box(self, area: Area) -> Bbox:
        return Bbox.from_bounds(area.left, self.height - area.bottom, area.width, area.height)

    def _add(self, drawn: Collection, area: Area | None) -> None:
        if area:
            drawn.set_clip_box(self._box(area))
        self.figure.add_artist(drawn)

    def svg(self, alternative: Alternative) -> str:
        """SVG element, named and described, of no fixed size."""
        buffer = io.StringIO()
        pen = _Pen(WIDTH, self.height, buffer, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        self.figure.draw(pen)
        pen.finalize()
        # What follows the tag of the element and the rule of how lines join, which both stand in the new tag.
        drawn = TAG.sub(lambda tag: UNSEEN.sub("", tag[0]), buffer.getvalue().partition("</defs>")[2])
        height = f"{self.height:.2f}".rstrip("0").rstrip(".")
        return (
            f'<svg {NAMESPACES} viewBox="0 0 {WIDTH:.0f} {height}" role="img" aria-label={quoteattr(alternative.name)}'
            f""" style="font-family: '{FONT}'; stroke-linejoin: round"><title>{escape(alternative.name)}</title>"""
            f"<desc>{escape(alternative.description)}</desc>{LINE_END.sub('', drawn)}"
        )


@dataclass(frozen=True)
class Canvas:
    """A sheet whose rows stand below each other.

    Attributes
    ----------
    sheet : _Sheet
        What is drawn on.
    area : Area
        Where the bars are.
    labels : list of str
        Names of the rows, broken into lines.
    middle : ndarray
        Middle of each row, in points.
    share : float
        Part of the area's width that the numbers take.
    """

    sheet: _Sheet
    area: Area
    labels: list[str]
    middle: np.ndarray
    share: float

    def scale(self, low: float, high: float) -> _Scale:
        """Number to points from the left; the numbers take their share of the area."""
        low, high = min(low, 0.0), max(high, 0.0) or 1.0
        return _Scale(low, high, self.area.left, self.area.left + self.area.width * self.share)


@dataclass(frozen=True)
class _Scale:
    """Numbers to points: the low one to the start, the high one to the end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, number: Any) -> Any:
        return self.start + (np.asarray(number, float) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int, beyond: float = 0.0) -> list[float]:
        """Round numbers between low and high, or a share of the scale beyond it."""
        high = self.high + (self.high - self.low) * beyond
        return [float(tick) for tick in MaxNLocator(most).tick_values(self.low, high) if self.low <= tick <= high]


@matplotlib.rc_context(STYLE)
def bars(rows: pd.DataFrame, alternative: Alternative, legend: Sequence[str] = ()) -> str:
    """Horizontal bars from zero, the value written behind each.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``number``, ``text``, ``role`` (a key of ``ROLE_COLOURS``) and ``earlier``, a
        number marked by a ring or NaN. Drawn from the top down.
    alternative : Alternative
    legend : sequence of str
        Names of the bar and of the ring, where rings are drawn.

    Returns
    -------
    str
        An SVG element.
    """
    canvas = _rows_canvas(rows["label"], rows["text"], legend)
    sheet, middle = canvas.sheet, canvas.middle
    number, earlier = rows["number"].to_numpy(float), rows["earlier"].to_numpy(float)
    rings, furthest = np.isfinite(earlier), np.fmax(number, earlier).clip(0)
    x = canvas.scale(np.fmin(number, earlier).min(), furthest.max())
    _bars(sheet, x(0), x(number), middle, [ROLE_COLOURS[role] for role in rows["role"]])
    _zero_line(canvas, x)
    sheet.marks(x(earlier[rings]), middle[rings], "o", 26, "white", INK)
    _row_labels(canvas, [""] * len(rows))
    # Where there are rings, texts stand in a column of their own, so that no value is read as the ring's.
    places = np.full(len(rows), x(furthest.max()) + RING_GAP) if rings.any() else x(furthest) + GAP
    _row_texts(canvas, places, rows["text"])
    if legend:
        bar = ROLE_COLOURS["other"] if "other" in set(rows["role"]) else BLUE
        _legend(sheet, [("s", bar, bar), ("o", "white", INK)], legend)
    return sheet.svg(alternative)


@matplotlib.rc_context(STYLE)
def intervals(rows: pd.DataFrame, alternative: Alternative, level: float | None = None) -> str:
    """Horizontal bars from zero with their intervals of chance, and a line at the level they are held against.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``number``, ``text``, ``role`` (the country and the chosen region stand out), ``verdict`` (a key
        of ``VERDICT_COLOURS``, or empty), ``low`` and ``high``, ``lowest`` and ``highest``: a narrow and a wide
        interval, NaN where there is none. Drawn from the top down.
    alternative : Alternative
    level : float, optional
        Where the upright line stands.
    """
    canvas = _rows_canvas(rows["label"], rows["text"], ())
    sheet, middle = canvas.sheet, canvas.middle
    # An interval that is many times as long as all bars is cut, or nothing else could be read.
    furthest = max(rows["number"].max(), rows["high"].max()) * LONGEST
    faces = [
        VERDICT_COLOURS[verdict] if verdict else ROLE_COLOURS["nation" if role == "nation" else "other"]
        for verdict, role in zip(rows["verdict"], rows["role"], strict=True)
    ]
    known = rows["low"].notna().to_numpy()
    wide, narrow = rows[["lowest", "highest"]].clip(upper=furthest)[known], rows[["low", "high"]][known]
    end = max(rows["number"].max(), wide["highest"].max())
    x = canvas.scale(min(rows["number"].min(), wide["lowest"].min(), level or 0), end)
    _bars(sheet, x(0), x(rows["number"]), middle, faces)
    _zero_line(canvas, x)
    if level is not None:
        sheet.strokes(_upright([x(level)], canvas.area), PLUM, 1.2)
    sheet.strokes(_across(x(wide["lowest"]), x(wide["highest"]), middle[known]), INK, 1.1)
    sheet.strokes(_across(x(narrow["low"]), x(narrow["high"]), middle[known]), INK, 3.4)
    cut = (rows["highest"][known] > furthest).to_numpy()
    sheet.marks(x(wide["highest"][cut]), middle[known][cut], ">", 16, INK, INK)
    _row_labels(canvas, rows["role"], INK)
    _row_texts(canvas, [x(end) + GAP] * len(rows), rows["text"])
    return sheet.svg(alternative)


@matplotlib.rc_context(STYLE)
def spine(rows: pd.DataFrame, alternative: Alternative, ends: Sequence[str], legend: Sequence[str]) -> str:
    """Where one region lies between the worst and the best, an indicator a row, the country in the middle.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``text``, ``verdict``, ``marker`` (of matplotlib), and on a scale from -1 (worst) by 0 (the country)
        to 1 (best): ``low`` and ``high`` (the ends), ``first`` and ``third`` (the quartiles), ``number`` (the region).
    alternative : Alternative
    ends : sequence of str
        What stands left and right.
    legend : sequence of str
        Names of the region's mark, of the bar of the middle half and of the line of the country.
    """
    labels = ["\n".join(textwrap.wrap(label, WIDE_WRAP)) for label in rows["label"]]
    heights = [(label.count("\n") + 1) * LINE + ROW + 8 for label in labels]
    edges = list(accumulate(heights, initial=4.0 + LEGEND_LINE * _legend_lines(legend)))
    sheet = _Sheet(edges[-1] + 18)
    reach = (WIDTH - max(map(_width, rows["text"])) - 24) / 2
    x, places = _Scale(-1, 1, 8, 8 + 2 * reach), np.array(edges[1:]) - ROW / 2 - 4
    for left, right, colour in (("low", "high", "#E6EAEE"), ("first", "third", "#B8C4CF")):
        _bars(sheet, x(rows[left]), x(rows[right]), places, colour)
    line = [[(x(0), place - ROW / 2), (x(0), place + ROW / 2)] for place in places]
    sheet.strokes(line, PLUM, 1.6, capstyle="projecting")
    for one, label, start, place in zip(rows.to_dict("records"), labels, edges[:-1], places, strict=True):
        sheet.write(2, start + 2, label, va="top")
        sheet.marks([x(one["number"])], [place], one["marker"], 66, VERDICT_INKS[one["verdict"]], thick=0.8)
        sheet.write(16 + 2 * reach, place, one["text"], va="center")
    sheet.write(8, sheet.height - 9, ends[0], va="center", fontsize=SMALL)
    sheet.write(8 + 2 * reach, sheet.height - 9, ends[1], ha="right", va="center", fontsize=SMALL)
    _legend(sheet, [("o", INK, INK), ("s", "#B8C4CF", "#B8C4CF"), ("|", PLUM, PLUM)], legend)
    return sheet.svg(alternative)


@matplotlib.rc_context(STYLE)
def tiles(rows: pd.DataFrame, alternative: Alternative) -> str:
    """A tile a region, all of one size, roughly where it lies on the map.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``text``, ``row`` and ``column`` (from 1), ``face`` (a key of ``TILE_FACES``), ``chosen`` (whether
        it stands out).
    alternative : Alternative
    """
    side = WIDTH / int(rows["column"].max())
    sheet = _Sheet(int(rows["row"].max()) * TILE)
    left, top, chosen = (rows["column"] - 1) * side, (rows["row"] - 1) * TILE, rows["chosen"].astype(bool)
    faces, inks = zip(*(TILE_FACES[face] for face in rows["face"]), strict=True)
    sheet.boxes(
        left + 1.5, top + 1.5, left + side - 1.5, top + TILE - 1.5, faces, joinstyle="miter",
        edgecolors=np.where(chosen, INK, "#9AA8B5"), linewidths=np.where(chosen, 2.4, 0.6),
    )  # fmt: skip
    for label, text, ink, x, y in zip(rows["label"], rows["text"], inks, left + side / 2, top, strict=True):
        size = min(TILE_TEXT, TILE_TEXT * (side - 3) / _width(label, TILE_TEXT))
        sheet.write(x, y + TILE * 0.32, label, ha="center", va="center", fontsize=size, color=ink)
        sheet.write(x, y + TILE * 0.68, text, ha="center", va="center", color=ink)
    return sheet.svg(alternative)


@matplotlib.rc_context(STYLE)
def funnel(
    points: pd.DataFrame, limits: pd.DataFrame, rate: float, alternative: Alternative, axes_names: Sequence[str],
    ticks: Sequence[Callable[[float], str]],
) -> str:  # fmt: skip
    """Rates by the size of the population, with the limits within which chance alone would keep them.

    Parameters
    ----------
    points : DataFrame
        ``base``, ``number``, ``label`` (may be empty), ``chosen``, ``outside``.
    limits : DataFrame
        ``base``, ``low``, ``high``, ``lowest``, ``highest``.
    rate : float
        The country's.
    alternative : Alternative
    axes_names : sequence of str
        Name of the horizontal axis, name of the vertical one.
    ticks : sequence of callable
        Number on each axis to its text.
    """
    sheet, area = _Sheet(240), Area(WIDTH * 0.11, 240 * 0.09, WIDTH * 0.86, 240 * 0.74)
    left, right, bottom = area.left, area.right, area.bottom
    top = max(points["number"].max() * 1.25, min(limits["highest"].max(), points["number"].max() * 1.6))
    x, y = _Scale(limits["base"].min(), limits["base"].max(), left, right), _Scale(0, top, bottom, area.top)
    for low, high, colour in (("lowest", "highest", "#E6EAEE"), ("low", "high", "#CBD5DE")):
        sheet.areas([_band(x(limits["base"]), y(limits[low]), y(limits[high]))], colour, area)
    sheet.strokes(_across([left], [right], [y(rate)]), PLUM, 1.4, area)
    sheet.strokes([[(left, area.top), (left, bottom), (right, bottom)]], AXIS, 0.8, capstyle="projecting")
    for marker, ink, own in (
        ("o", BLUE, points[~points["outside"] & ~points["chosen"]]),
        ("D", GROUP_INKS[1], points[points["outside"] & ~points["chosen"]]),
        ("s", INK, points[points["chosen"]]),
    ):
        sheet.marks(x(own["base"]), y(own["number"]), marker, 34, ink, area=area)
    middle = (x.low + x.high) / 2
    for at, one in enumerate(points[points["label"] != ""].sort_values("base").to_dict("records")):
        # Above and below in turn, so that the names of neighbours do not touch.
        place, side = y(one["number"]) - (8 if at % 2 else -15), "left" if one["base"] < middle else "right"
        sheet.write(x(one["base"]), place, one["label"], ha=side, fontsize=SMALL)
    for tick in x.ticks(4):
        sheet.write(x(tick), bottom + PAD, ticks[0](tick), ha="center", va="top")
    for tick in y.ticks(4):
        sheet.write(left - PAD, y(tick), ticks[1](tick), ha="right", va="center_baseline")
    sheet.write((left + right) / 2, bottom + PAD + 15, axes_names[0], ha="center", va="top", fontsize=SMALL)
    sheet.write(WIDTH * 0.005, 240 * 0.045, axes_names[1], fontsize=SMALL)
    return sheet.svg(alternative)


@matplotlib.rc_context(STYLE)
def dots(rows: pd.DataFrame, groups: Sequence[str], alternative: Alternative, tick: Callable[[float], str]) -> str:
    """A dot a group in each row, joined by a line: town and country, boys and girls.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``role``, and for each group a column of numbers with its name and one of texts
        with its name and " text". Drawn from the top down.
    groups : sequence of str
        Names of the groups, at most four.
    alternative : Alternative
    tick : callable
        Number on the axis to its text; an axis stands where the groups are too many for texts.
    """
    canvas = _groups_canvas(rows, groups)
    lowest, furthest = rows[list(groups)].min(axis=1), rows[list(groups)].max(axis=1)
    x = canvas.scale(float(lowest.min()), float(furthest.max()))
    _groups_axis(canvas, x, groups, tick)
    canvas.sheet.strokes(_across(x(lowest), x(furthest), canvas.middle), "#B8C4CF", 2.5)
    _zero_line(canvas, x)
    for at, (group, colour, marker) in enumerate(zip(groups, GROUP_COLOURS, MARKERS, strict=False)):
        # A little above each other, so that equal values do not hide one another.
        apart = (at - (len(groups) - 1) / 2) * APART
        known = rows[group].notna().to_numpy()
        canvas.sheet.marks(x(rows[group][known]), canvas.middle[known] + apart, marker, 58, colour, thick=0.8)
    _finish_groups(canvas, rows, groups, x(furthest.clip(lower=0)), MARKERS)
    return canvas.sheet.svg(alternative)


@matplotlib.rc_context(STYLE)
def stacked(rows: pd.DataFrame, groups: Sequence[str], alternative: Alternative, tick: Callable[[float], str]) -> str:
    """Bars whose parts add up to the row's whole; same arguments as ``dots``."""
    canvas = _groups_canvas(rows, groups)
    ends = rows[list(groups)].fillna(0).cumsum(axis=1)
    x = canvas.scale(0, ends.iloc[:, -1].max())
    _groups_axis(canvas, x, groups, tick)
    start: Any = x(0)
    for group, colour in zip(groups, GROUP_COLOURS, strict=False):
        style = {"edgecolors": "white", "linewidths": 1, "joinstyle": "miter"}
        _bars(canvas.sheet, start, x(ends[group]), canvas.middle, colour, **style)
        start = x(ends[group])
    _zero_line(canvas, x)
    _finish_groups(canvas, rows, groups, start, "ssss")
    return canvas.sheet.svg(alternative)


def _groups_canvas(rows: pd.DataFrame, groups: Sequence[str]) -> Canvas:
    texts: Sequence[str] = [""]
    if len(groups) <= MOST_TEXTS:
        texts = ["  ".join(row) for row in zip(*(rows[f"{group} text"] for group in groups), strict=True)]
    return _rows_canvas(rows["label"], texts, groups, axis=len(groups) > MOST_TEXTS)


def _groups_axis(canvas: Canvas, x: _Scale, groups: Sequence[str], tick: Callable[[float], str]) -> None:
    """Axis where the groups are too many for texts."""
    if len(groups) > MOST_TEXTS:
        numbers = x.ticks(3, beyond=1 / canvas.share - 1)
        # The line at zero is drawn as in every chart.
        canvas.sheet.strokes(_upright([x(number) for number in numbers if number], canvas.area), GRID, 0.8)
        for number in numbers:
            canvas.sheet.write(x(number), canvas.area.bottom + PAD, tick(number), ha="center", va="top")


def _finish_groups(
    canvas: Canvas, rows: pd.DataFrame, groups: Sequence[str], ends: Iterable[float], markers: Sequence[str]
) -> None:
    """Names of the rows, texts of the groups behind each in their colours where there is no axis; legend."""
    _row_labels(canvas, rows["role"], GROUP_INKS[1])
    if len(groups) <= MOST_TEXTS:
        _group_texts(canvas, rows, groups, ends)
    marks = [(marker, colour, colour) for marker, colour in zip(markers, GROUP_COLOURS, strict=True)]
    _legend(canvas.sheet, marks[: len(groups)], groups)


def _group_texts(canvas: Canvas, rows: pd.DataFrame, groups: Sequence[str], ends: Iterable[float]) -> None:
    for place, row, end in zip(canvas.middle, rows.to_dict("records"), ends, strict=True):
        shift = 7.0
        for group, ink in zip(groups, GROUP_INKS, strict=False):
            text = row[f"{group} text"]
            if text:
                canvas.sheet.write(end + shift, place, text, va="center", color=ink)
                shift += _width(text) + 12


@matplotlib.rc_context(STYLE)
def lines(
    rows: pd.DataFrame,
    alternative: Alternative,
    tick: Callable[[float], str],
    breaks: Mapping[str, Sequence[int]] | None = None,
) -> str:
    """Series over years, each named at its end; a gap between years is dashed, a break is marked.

    Parameters
    ----------
    rows : DataFrame
        ``series`` (its name, at most four), ``year``, ``number``, ``text`` (written at the point, may
        be empty). Series are drawn in the order in which they come. A band lies between ``low`` and
        ``high`` where they are given.
    alternative : Alternative
    tick : callable
        Number on the axis to its text.
    breaks : mapping of str to sequence of int
        Years from which a series does not compare with what came before.
    """
    names, marked = list(dict.fromkeys(rows["series"])), breaks or {}
    legend = names if len(names) > 1 else []
    top = 8 + LEGEND_LINE * _legend_lines(legend)
    left = max(_width(tick(rows["number"].max())), 24) + 8
    sheet, area = _Sheet(top + 192), Area(left, top, WIDTH * 0.96 - left, 168)
    lows = _lows(rows)
    near = bool((rows["number"][lows] < rows["number"].max() * NEAR_ZERO).any())
    x, y = _years(rows, area), _numbers(rows, near, area)
    colours, inks = (dict(zip(names, palette, strict=False)) for palette in (GROUP_COLOURS, GROUP_INKS))
    _year_axes(sheet, area, x, y, sorted({int(year) for year in rows["year"]}), tick)
    _paths(sheet, area, x, y, _segments(rows, marked), colours)
    if near:
        sheet.strokes(_across([area.left], [area.right], [y(0)]), AXIS, 0.8)
    first, last = rows["year"].min(), rows["year"].max()
    at = sorted({year for years in marked.values() for year in years if first < year <= last})
    sheet.strokes(_upright([x(year - 0.5) for year in at], area), AXIS, 1, linestyles=[(0, (4, 3))])
    for name, marker in zip(names, MARKERS, strict=False):
        own = rows[rows["series"] == name]
        sheet.marks(x(own["year"]), y(own["number"]), marker, 30, colours[name], colours[name], area=area)
    for row, below in zip(rows.to_dict("records"), lows, strict=True):
        if row["text"]:
            sheet.write(
                x(row["year"]), y(row["number"]) - (-16 if below else 7), row["text"], ha="center", fontsize=SMALL,
                color=inks[row["series"]], bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
            )  # fmt: skip
    _legend(sheet, [(m, colours[n], colours[n]) for n, m in zip(names, MARKERS, strict=False)], legend)
    return sheet.svg(alternative)


def _lows(rows: pd.DataFrame) -> list[bool]:
    """Whether a point's text stands below the line: lower than both neighbours, or just under another's text."""
    number, top = rows["number"], rows["number"].max()
    series = rows.groupby("series", sort=False)["number"]
    valley = (series.shift(1) > number) & (series.shift(-1) > number) & (number > top * NEAR_ZERO)
    named: dict[Any, list[float]] = {}
    for year, one, text in zip(rows["year"], number, rows["text"], strict=True):
        if text:
            named.setdefault(year, []).append(one)
    return [
        bool(low or (text and _crowded(one, named[year], top)))
        for low, year, one, text in zip(valley, rows["year"], number, rows["text"], strict=True)
    ]


def _crowded(number: float, named: Iterable[float], top: float) -> bool:
    """Whether another text of the year stands so little higher that the two would touch."""
    return any(0 < other - number < top * 0.12 for other in named)


@dataclass(frozen=True)
class _Segment:
    """Two neighbouring points of a series; whether years are missing between them."""

    series: str
    first: dict[Any, Any]
    second: dict[Any, Any]
    gap: bool


def _segments(rows: pd.DataFrame, breaks: Mapping[str, Sequence[int]]) -> list[_Segment]:
    """Pairs of neighbouring points, none across a break."""
    found = []
    for name, own in rows.groupby("series", sort=False):
        for first, second in pairwise(own.sort_values("year").to_dict("records")):
            if not any(first["year"] < year <= second["year"] for year in breaks.get(str(name), ())):
                found.append(_Segment(str(name), first, second, second["year"] - first["year"] > 1))
    return found


def _paths(
    sheet: _Sheet, area: Area, x: _Scale, y: _Scale, segments: Iterable[_Segment], colours: Mapping[str, str]
) -> None:
    """Lines of the series, dashed in gaps, and the bands around them."""
    solid: list[dict[Any, Any]] = []
    last = None
    for one in segments:
        ends, colour = (one.first, one.second), colours[one.series]
        years, low, high = ([end.get(name, math.nan) for end in ends] for name in ("year", "low", "high"))
        if not any(map(math.isnan, low)):
            band = _band(x(years), y(low), y(high))
            sheet.areas([band], colour, area, alpha=0.16, linewidths=0, zorder=UNDER)
        if one.gap:
            path = [(x(end["year"]), y(end["number"])) for end in ends]
            sheet.strokes([path], colour, 1.4, area, linestyles=[(0, (2, 3))])
        else:
            # A line goes on through its points; a call a segment would cost more than the rest of the chart.
            if one.first is not last:
                solid.append(one.first | {"run": len(solid)})
            solid.append(one.second | {"run": solid[-1]["run"]})
            last = one.second
    if solid:
        sns.lineplot(
            pd.DataFrame(solid), x="year", y="number", hue="series", palette=dict(colours), units="run",
            estimator=None, legend=False, lw=2.4, ax=sheet.axes(area, x, y),
        )  # fmt: skip


def _years(rows: pd.DataFrame, area: Area) -> _Scale:
    """Scale of the years, with a margin on both sides."""
    first, last = int(rows["year"].min()), int(rows["year"].max())
    pad = max((last - first) * MARGIN, 0.25)
    return _Scale(first - pad, last + pad, area.left, area.right)


def _numbers(rows: pd.DataFrame, near: bool, area: Area) -> _Scale:
    """Scale of the values, zero on it, with room for a value that stands below a point near zero."""
    low, high = min(rows["number"].min(), 0) * 1.1, (max(rows["number"].max(), 0) or 1) * 1.16
    if near:
        low = -rows["number"].max() * NEAR_ZERO
    return _Scale(low, high, area.bottom, area.top)


def _year_axes(sheet: _Sheet, area: Area, x: _Scale, y: _Scale, years: list[int], tick: Callable[[float], str]) -> None:
    """Axis of values, one tick a year (fewer where they would touch)."""
    left, right, bottom = area.left, area.right, area.bottom
    numbers = y.ticks(4)
    sheet.strokes([[(left, y(number)), (right, y(number))] for number in numbers], GRID, 0.8, zorder=UNDER)
    for number in numbers:
        sheet.write(left - PAD, y(number), tick(number), ha="right", va="center_baseline")
    sheet.strokes(_across([left], [right], [bottom]), AXIS, 0.8, capstyle="projecting")
    named = _spaced(years, (years[-1] - years[0]) * room("2022"))
    sheet.strokes(([(x(year), bottom), (x(year), bottom + PAD)] for year in named), INK, 0.8)
    for year in named:
        sheet.write(x(year), bottom + 2 * PAD, str(year), ha="center", va="top")


def room(text: str) -> float:
    """Share of the years of a series that a text at one of its points takes."""
    return (_width(text) + 4) * (1 + 2 * MARGIN) / (WIDTH * 0.82)


def _spaced(years: list[int], gap: float) -> list[int]:
    """Years to label, the last always, none closer than the gap."""
    kept: list[int] = []
    for year in reversed(years):
        if not kept or kept[-1] - year >= gap:
            kept.append(year)
    return kept


@cache
def _measures(text: str, size: float = SIZE, weight: str = "normal") -> tuple[float, float, float]:
    """Width, height and descent of a text in the house font, which is wider than those of most readers."""
    # As matplotlib measures it, which looks the font up again for each text.
    font, points = get_font(_font(weight)), text_to_path.FONT_SCALE
    font.set_size(points, text_to_path.DPI)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    found = (*font.get_width_height(), font.get_descent())
    width, height, descent = (float(one) / 64 * size / points for one in found)
    return width, height, descent


@cache
def _font(weight: str) -> str:
    """File of the house font."""
    return findfont(FontProperties(family=FONT, weight=weight))


def _width(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """Points a text takes."""
    return float(_measures(text, size, weight)[0])


@cache
def _marker(name: str) -> Path:
    style = MarkerStyle(name)
    return style.get_path().transformed(style.get_transform())


def _across(starts: Iterable[float], ends: Iterable[float], places: Iterable[float]) -> list[Any]:
    """Level lines, each from its start to its end."""
    return [[(start, y), (end, y)] for start, end, y in zip(starts, ends, places, strict=True)]


def _upright(places: Iterable[float], area: Area) -> list[Any]:
    """Upright lines over the whole area."""
    return [[(x, area.bottom), (x, area.top)] for x in places]


def _band(x: Any, low: Any, high: Any) -> Any:
    """Corners of what lies between two lines."""
    return [*zip(x, low, strict=True), *reversed(list(zip(x, high, strict=True)))]


def _wrapped(label: str) -> str:
    return "\n".join(textwrap.wrap(label, WRAP, break_long_words=False)) or label


def _rows_canvas(names: Iterable[str], texts: Iterable[str], legend: Sequence[str], axis: bool = False) -> Canvas:
    """Sheet whose margins fit the labels, so that no layout pass is needed."""
    labels = [_wrapped(name) for name in names]
    heights = [max(ROW, (label.count("\n") + 1) * LINE + 5) for label in labels]
    edges = list(accumulate(heights, initial=4.0 + LEGEND_LINE * _legend_lines(legend)))
    # In bold, as the chosen region's name may be.
    longest = max(_width(line, weight="bold") for label in labels for line in label.split("\n"))
    left = min(longest + 8, WIDTH * 0.6)
    width = WIDTH - left - (14.0 if axis else 4.0)
    # The longest value text takes its share of the area; the numbers get the rest.
    share = 1 - min((max(map(_width, texts)) + RING_GAP + 5) / width, 0.85)
    middle = np.array([(above + below) / 2 for above, below in pairwise(edges)])
    area = Area(left, edges[0], width, edges[-1] - edges[0])
    return Canvas(_Sheet(edges[-1] + (20.0 if axis else 4.0)), area, labels, middle, share)


def _bars(sheet: _Sheet, starts: Any, ends: Any, middle: np.ndarray, colours: Any, **style: Any) -> None:
    sheet.boxes(starts, middle - BAR / 2, ends, middle + BAR / 2, colours, **style)


def _zero_line(canvas: Canvas, x: _Scale) -> None:
    """Line at zero, of which the half beyond the area is not drawn."""
    canvas.sheet.boxes(max(x(0) - 0.4, canvas.area.left), canvas.area.top, x(0) + 0.4, canvas.area.bottom, AXIS)


def _row_labels(canvas: Canvas, roles: Iterable[str], chosen: str = INK) -> None:
    """Names of the rows, the country's and the chosen region's in bold."""
    inks = {"nation": PLUM, "chosen": chosen}
    for place, label, role in zip(canvas.middle, canvas.labels, roles, strict=True):
        style = {"color": inks[role], "weight": "bold"} if role in inks else {}
        canvas.sheet.write(canvas.area.left - PAD, place, label, ha="right", va="center_baseline", **style)


def _row_texts(canvas: Canvas, places: Iterable[float], texts: Iterable[str]) -> None:
    """Texts behind the ends of the rows."""
    for x, y, text in zip(places, canvas.middle, texts, strict=True):
        if text:
            canvas.sheet.write(x, y, text, va="center")


def _legend_places(names: Sequence[str]) -> list[tuple[float, int]]:
    """Where each mark of a legend stands: points from the left, and line."""
    places, x, line = [], 6.0, 0
    for name in names:
        width = 26 + _width(name, SMALL)
        if x > 6 and x + width > WIDTH:
            x, line = 6.0, line + 1
        places.append((x, line))
        x += width
    return places


def _legend_lines(names: Sequence[str]) -> int:
    return _legend_places(names)[-1][1] + 1 if names else 0


def _legend(sheet: _Sheet, marks: Sequence[tuple[str, str, str]], names: Sequence[str]) -> None:
    """Marks with their names above the chart."""
    for (marker, face, edge), name, (x, line) in zip(marks, names, _legend_places(names), strict=False):
        y = 10 + LEGEND_LINE * line
        sheet.marks([x + 4], [y], marker, 6.5**2, face, edge)
        sheet.write(x + 12, y, name, va="center", fontsize=SMALL)
