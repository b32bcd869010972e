"""Charts in the house style: a frame with finished labels becomes an accessible SVG.

Charts neither filter nor compute: rows come in the order in which they are drawn, numbers with the
text that stands beside them.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

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

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "balalar",
    "axes.edgecolor": "#767676",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
SVG = "http://www.w3.org/2000/svg"


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
class Canvas:
    """A figure whose rows stand below each other.

    Attributes
    ----------
    figure, axes
        Of matplotlib; the vertical axis counts points from the top.
    labels : list of str
        Names of the rows, broken into lines.
    middle : list of float
        Middle of each row, in points.
    depth : float
        Lower edge of the last row, in points.
    """

    figure: Figure
    axes: Any
    labels: list[str]
    middle: list[float]
    depth: float


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
    with matplotlib.rc_context(STYLE):
        canvas = _rows_canvas(rows["label"], rows["text"], legend)
        axes, middle = canvas.axes, canvas.middle
        palette = {role: ROLE_COLOURS[role] for role in rows["role"].unique()}
        places = pd.DataFrame({"place": middle, "number": rows["number"], "role": rows["role"]})
        sns.barplot(
            places, x="number", y="place", hue="role", palette=palette, dodge=False, errorbar=None,
            orient="h", native_scale=True, width=BAR / min(b - a for a, b in pairwise(middle)), legend=False,
            saturation=1, ax=axes,
        )  # fmt: skip
        rings = rows["earlier"].notna().to_numpy()
        axes.scatter(
            rows["earlier"][rings], places["place"][rings], s=26, facecolors="white", edgecolors=INK, zorder=3,
            clip_on=False,
        )  # fmt: skip
        ends = rows[["number", "earlier"]].max(axis=1).clip(lower=0)
        if rings.any():
            # In a column of their own, so that no value is read as the ring's.
            ends[:] = ends.max()
        _row_labels(canvas, ends, rows["text"], RING_GAP if rings.any() else GAP)
        if legend:
            bar = palette.get("other", BLUE)
            _legend(canvas.figure, [("s", bar, bar), ("o", "white", INK)], legend)
        return _svg(canvas.figure, alternative)


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
    with matplotlib.rc_context(STYLE):
        canvas = _rows_canvas(rows["label"], rows["text"], ())
        axes, middle = canvas.axes, pd.Series(canvas.middle, index=rows.index)
        # An interval that is many times as long as all bars is cut, or nothing else could be read.
        furthest = max(rows["number"].max(), rows["high"].max()) * LONGEST
        faces = [
            VERDICT_COLOURS[verdict] if verdict else ROLE_COLOURS["nation" if role == "nation" else "other"]
            for verdict, role in zip(rows["verdict"], rows["role"], strict=True)
        ]
        axes.barh(middle, rows["number"], height=BAR, color=faces)
        known = rows["low"].notna()
        wide, narrow = rows[["lowest", "highest"]].clip(upper=furthest)[known], rows[["low", "high"]][known]
        axes.hlines(middle[known], wide["lowest"], wide["highest"], color=INK, lw=1.1, zorder=3)
        axes.hlines(middle[known], narrow["low"], narrow["high"], color=INK, lw=3.4, zorder=3)
        cut = rows["highest"][known] > furthest
        axes.scatter(wide["highest"][cut], middle[known][cut], marker=">", s=16, color=INK, zorder=3)
        if level is not None:
            axes.axvline(level, color=PLUM, lw=1.2, zorder=2)
        ends = pd.Series(max(rows["number"].max(), wide["highest"].max()), index=rows.index)
        _row_labels(canvas, ends, rows["text"])
        _set_apart(axes, rows["role"], INK)
        return _svg(canvas.figure, alternative)


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
    with matplotlib.rc_context(STYLE):
        labels = ["\n".join(textwrap.wrap(label, WIDE_WRAP)) for label in rows["label"]]
        heights = [(label.count("\n") + 1) * LINE + ROW + 8 for label in labels]
        top = 4.0 + LEGEND_LINE * _legend_lines(legend)
        edges = list(accumulate(heights, initial=top))
        height = edges[-1] + 18
        figure, axes = _sheet(height)
        reach = (WIDTH - max(map(_width, rows["text"])) - 24) / 2
        for one, label, start, end in zip(rows.to_dict("records"), labels, edges, edges[1:], strict=False):
            axes.text(2, start + 2, label, va="top")
            place = end - ROW / 2 - 4
            x = {name: 8 + reach * (1 + one[name]) for name in ("low", "first", "third", "high", "number")}
            for left, right, colour in (("low", "high", "#E6EAEE"), ("first", "third", "#B8C4CF")):
                axes.add_patch(Rectangle((x[left], place - BAR / 2), x[right] - x[left], BAR, facecolor=colour))
            axes.plot([8 + reach] * 2, [place - ROW / 2, place + ROW / 2], color=PLUM, lw=1.6)
            axes.scatter(
                [x["number"]], [place], marker=one["marker"], s=66, color=VERDICT_INKS[one["verdict"]],
                edgecolors="white", linewidth=0.8, zorder=3,
            )  # fmt: skip
            axes.text(16 + 2 * reach, place, one["text"], va="center")
        axes.text(8, height - 9, ends[0], va="center", fontsize=SMALL)
        axes.text(8 + 2 * reach, height - 9, ends[1], ha="right", va="center", fontsize=SMALL)
        _legend(figure, [("o", INK, INK), ("s", "#B8C4CF", "#B8C4CF"), ("|", PLUM, PLUM)], legend)
        return _svg(figure, alternative)


def tiles(rows: pd.DataFrame, alternative: Alternative) -> str:
    """A tile a region, all of one size, roughly where it lies on the map.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``text``, ``row`` and ``column`` (from 1), ``face`` (a key of ``TILE_FACES``), ``chosen`` (whether
        it stands out).
    alternative : Alternative
    """
    with matplotlib.rc_context(STYLE):
        columns, deep = int(rows["column"].max()), int(rows["row"].max())
        side = WIDTH / columns
        figure, axes = _sheet(deep * TILE)
        for one in rows.to_dict("records"):
            x, y = (one["column"] - 1) * side, (one["row"] - 1) * TILE
            face, ink = TILE_FACES[one["face"]]
            edge, thick = (INK, 2.4) if one["chosen"] else ("#9AA8B5", 0.6)
            corner = (x + 1.5, y + 1.5)
            axes.add_patch(Rectangle(corner, side - 3, TILE - 3, facecolor=face, edgecolor=edge, lw=thick))
            size = min(TILE_TEXT, TILE_TEXT * (side - 3) / _width(one["label"], TILE_TEXT))
            axes.text(x + side / 2, y + TILE * 0.32, one["label"], ha="center", va="center", fontsize=size, color=ink)
            axes.text(x + side / 2, y + TILE * 0.68, one["text"], ha="center", va="center", fontsize=SIZE, color=ink)
        return _svg(figure, alternative)


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
    with matplotlib.rc_context(STYLE):
        height = 240
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        axes = figure.add_axes((0.11, 0.17, 0.86, 0.74))
        axes.fill_between(limits["base"], limits["lowest"], limits["highest"], color="#E6EAEE", lw=0)
        axes.fill_between(limits["base"], limits["low"], limits["high"], color="#CBD5DE", lw=0)
        axes.axhline(rate, color=PLUM, lw=1.4)
        for marker, ink, own in (
            ("o", BLUE, points[~points["outside"] & ~points["chosen"]]),
            ("D", GROUP_INKS[1], points[points["outside"] & ~points["chosen"]]),
            ("s", INK, points[points["chosen"]]),
        ):
            axes.scatter(own["base"], own["number"], marker=marker, s=34, color=ink, edgecolors="white", zorder=3)
        top = max(points["number"].max() * 1.25, min(limits["highest"].max(), points["number"].max() * 1.6))
        axes.set_ylim(0, top)
        middle = (limits["base"].min() + limits["base"].max()) / 2
        for at, one in enumerate(points[points["label"] != ""].sort_values("base").to_dict("records")):
            # Above and below in turn, so that the names of neighbours do not touch.
            axes.annotate(
                one["label"], (one["base"], one["number"]), (0, 8 if at % 2 else -15), textcoords="offset points",
                ha="left" if one["base"] < middle else "right", fontsize=SMALL,
            )  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
        axes.xaxis.set_major_formatter(lambda number, _: ticks[0](number))
        axes.yaxis.set_major_formatter(lambda number, _: ticks[1](number))
        axes.set_xlim(limits["base"].min(), limits["base"].max())
        axes.set_xlabel(axes_names[0], fontsize=SMALL)
        figure.text(0.005, 0.955, axes_names[1], fontsize=SMALL)
        axes.tick_params(length=0)
        sns.despine(ax=axes)
        return _svg(figure, alternative)


def _sheet(height: float) -> tuple[Figure, Any]:
    """An empty figure whose axes count points from the upper left corner."""
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return figure, axes


def _set_apart(axes: Any, roles: pd.Series, chosen: str) -> None:
    """Names of the country and of the chosen region in bold."""
    for label, role in zip(axes.get_yticklabels(), roles, strict=True):
        if role in ("nation", "chosen"):
            label.set_color(PLUM if role == "nation" else chosen)
            label.set_fontweight("bold")


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
    with matplotlib.rc_context(STYLE):
        canvas = _groups_canvas(rows, groups)
        numbers = rows[list(groups)]
        canvas.axes.hlines(canvas.middle, numbers.min(axis=1), numbers.max(axis=1), color="#B8C4CF", lw=2.5, zorder=1)
        for at, (group, colour, marker) in enumerate(zip(groups, GROUP_COLOURS, MARKERS, strict=False)):
            # A little above each other, so that equal values do not hide one another.
            apart = (at - (len(groups) - 1) / 2) * APART
            data = pd.DataFrame({"number": rows[group], "place": [place + apart for place in canvas.middle]}).dropna()
            sns.scatterplot(
                data, x="number", y="place", color=colour, marker=marker, s=58, linewidth=0.8,
                edgecolor="white", zorder=3, legend=False, clip_on=False, ax=canvas.axes,
            )  # fmt: skip
        _finish_groups(canvas, rows, groups, numbers.max(axis=1), MARKERS, tick)
        return _svg(canvas.figure, alternative)


def stacked(rows: pd.DataFrame, groups: Sequence[str], alternative: Alternative, tick: Callable[[float], str]) -> str:
    """Bars whose parts add up to the row's whole; same arguments as ``dots``."""
    with matplotlib.rc_context(STYLE):
        canvas = _groups_canvas(rows, groups)
        ends = pd.Series(0.0, index=rows.index)
        for group, colour in zip(groups, GROUP_COLOURS, strict=False):
            canvas.axes.barh(
                canvas.middle,
                rows[group].fillna(0),
                left=ends,
                height=BAR,
                color=colour,
                edgecolor="white",
            )
            ends = ends + rows[group].fillna(0)
        _finish_groups(canvas, rows, groups, ends, "ssss", tick)
        return _svg(canvas.figure, alternative)


def _groups_canvas(rows: pd.DataFrame, groups: Sequence[str]) -> Canvas:
    texts = pd.Series("", index=rows.index)
    if len(groups) <= MOST_TEXTS:
        texts = rows[[f"{group} text" for group in groups]].agg("  ".join, axis=1)
    return _rows_canvas(rows["label"], texts, groups, axis=len(groups) > MOST_TEXTS)


def _finish_groups(
    canvas: Canvas, rows: pd.DataFrame, groups: Sequence[str], ends: pd.Series, markers: Sequence[str],
    tick: Callable[[float], str],
) -> None:  # fmt: skip
    """Texts of the groups behind each row in their colours, or an axis; names set apart; legend."""
    axes, ends = canvas.axes, ends.clip(lower=0)
    _row_labels(canvas, ends, pd.Series("", index=rows.index))
    if len(groups) > MOST_TEXTS:
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3))
        axes.xaxis.set_major_formatter(lambda number, _: tick(number))
        axes.grid(axis="x", color="#E3E8ED", lw=0.8)
        axes.set_axisbelow(True)
    else:
        _group_texts(canvas, rows, groups, ends)
    _set_apart(axes, rows["role"], GROUP_INKS[1])
    marks = [(marker, colour, colour) for marker, colour in zip(markers, GROUP_COLOURS, strict=True)]
    _legend(canvas.figure, marks[: len(groups)], groups)


def _group_texts(canvas: Canvas, rows: pd.DataFrame, groups: Sequence[str], ends: pd.Series) -> None:
    for place, row, end in zip(canvas.middle, rows.to_dict("records"), ends, strict=True):
        shift = 7.0
        for group, ink in zip(groups, GROUP_INKS, strict=False):
            text = row[f"{group} text"]
            canvas.axes.annotate(text, (end, place), (shift, 0), textcoords="offset points", va="center", color=ink)
            shift += (_width(text) + 12) * bool(text)


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
    with matplotlib.rc_context(STYLE):
        names = list(dict.fromkeys(rows["series"]))
        legend = names if len(names) > 1 else []
        height = 200 + LEGEND_LINE * _legend_lines(legend)
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        left = (max(_width(tick(rows["number"].max())), 24) + 8) / WIDTH
        axes = figure.add_axes((left, 24 / height, 0.96 - left, 168 / height))
        breaks = breaks or {}
        segments = _segments(rows, breaks)
        colours, inks = (dict(zip(names, palette, strict=False)) for palette in (GROUP_COLOURS, GROUP_INKS))
        for (name, gap), part in segments:
            style = {"linestyle": (0, (2, 3))} if gap else {}
            sns.lineplot(
                part,
                x="year",
                y="number",
                color=colours[name],
                errorbar=None,
                lw=1.4 if gap else 2.4,
                ax=axes,
                **style,
            )
            if "low" in part and part["low"].notna().all():
                axes.fill_between(part["year"], part["low"], part["high"], color=colours[name], alpha=0.16, lw=0)
        for name, marker in zip(names, MARKERS, strict=False):
            own = rows[rows["series"] == name]
            axes.scatter(own["year"], own["number"], color=colours[name], marker=marker, s=30, zorder=3)
        lows = _lows(rows)
        for row, below in zip(rows.to_dict("records"), lows, strict=True):
            axes.annotate(
                row["text"], (row["year"], row["number"]), (0, -16 if below else 7),
                textcoords="offset points", ha="center", fontsize=SMALL, color=inks[row["series"]],
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
            )  # fmt: skip
        _year_axes(axes, rows, tick, sorted({year for years in breaks.values() for year in years}))
        if (rows["number"][lows] < rows["number"].max() * NEAR_ZERO).any():
            # Room for a value that stands below a point near zero.
            axes.set_ylim(bottom=-rows["number"].max() * NEAR_ZERO)
            axes.axhline(0, color="#767676", lw=0.8)
        _legend(figure, [(m, colours[n], colours[n]) for n, m in zip(names, MARKERS, strict=False)], legend)
        return _svg(figure, alternative)


def _lows(rows: pd.DataFrame) -> list[bool]:
    """Whether a point's text stands below the line: lower than both neighbours, or just under another's text."""
    number, top = rows["number"], rows["number"].max()
    series = rows.groupby("series", sort=False)["number"]
    valley = (series.shift(1) > number) & (series.shift(-1) > number) & (number > top * NEAR_ZERO)
    named = rows[rows["text"] != ""]
    return [
        bool(low or (row["text"] and _crowded(named.loc[named["year"] == row["year"], "number"] - row["number"], top)))
        for low, row in zip(valley, rows.to_dict("records"), strict=True)
    ]


def _crowded(above: pd.Series, top: float) -> bool:
    """Whether another text of the year stands so little higher that the two would touch."""
    return bool(((above > 0) & (above < top * 0.12)).any())


def _segments(rows: pd.DataFrame, breaks: Mapping[str, Sequence[int]]) -> list[tuple[tuple[str, bool], pd.DataFrame]]:
    """Pairs of neighbouring points and whether years are missing between them; none across a break."""
    found = []
    for name, own in rows.groupby("series", sort=False):
        own = own.sort_values("year")
        for at in range(len(own) - 1):
            pair = own.iloc[at : at + 2]
            first, second = pair["year"]
            if not any(first < year <= second for year in breaks.get(str(name), ())):
                found.append(((str(name), second - first > 1), pair))
    return found


def _year_axes(axes: Any, rows: pd.DataFrame, tick: Callable[[float], str], breaks: Sequence[int]) -> None:
    """Zero-based axis of values, one tick a year (fewer where they would touch), marks of breaks."""
    low, high = min(rows["number"].min(), 0), max(rows["number"].max(), 0)
    axes.set_ylim(low * 1.1, (high or 1) * 1.16)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda number, _: tick(number))
    first, last = int(rows["year"].min()), int(rows["year"].max())
    pad = max((last - first) * MARGIN, 0.25)
    axes.set_xlim(first - pad, last + pad)
    years = sorted({int(year) for year in rows["year"]})
    axes.set_xticks(_spaced(years, (last - first) * room("2022")))
    axes.xaxis.set_major_formatter(lambda year, _: f"{year:.0f}")
    axes.grid(axis="y", color="#E3E8ED", lw=0.8)
    axes.set_axisbelow(True)
    axes.set(xlabel="", ylabel="")
    sns.despine(ax=axes, left=True)
    axes.tick_params(axis="y", length=0)
    for year in breaks:
        if first < year <= last:
            axes.axvline(year - 0.5, color="#767676", lw=1, linestyle=(0, (4, 3)))


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
def _width(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """Points a text takes in the house font, which is wider than those of most readers."""
    width, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(family="DejaVu Sans", size=size, weight=weight), False
    )
    return float(width)


def _wrapped(label: str) -> str:
    return "\n".join(textwrap.wrap(label, WRAP, break_long_words=False)) or label


def _rows_canvas(names: pd.Series, texts: pd.Series, legend: Sequence[str], axis: bool = False) -> Canvas:
    """Figure whose margins fit the labels, so that no layout pass is needed."""
    labels = [_wrapped(name) for name in names]
    heights = [max(ROW, (label.count("\n") + 1) * LINE + 5) for label in labels]
    edges = list(accumulate(heights, initial=0.0))
    top = 4.0 + LEGEND_LINE * _legend_lines(legend)
    bottom = 20.0 if axis else 4.0
    height = edges[-1] + top + bottom
    # In bold, as the chosen region's name may be.
    longest = max(_width(line, weight="bold") for label in labels for line in label.split("\n"))
    left = min(longest + 8, WIDTH * 0.6)
    right = 14.0 if axis else 4.0
    width = WIDTH - left - right
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, edges[-1] / height))
    # Share of the axes that the longest value text takes; the numbers get the rest.
    axes.margins(x=min((max(map(_width, texts)) + RING_GAP + 5) / width, 0.85))
    return Canvas(figure, axes, labels, [(above + below) / 2 for above, below in pairwise(edges)], edges[-1])


def _row_labels(canvas: Canvas, ends: pd.Series, texts: pd.Series, gap: float = GAP) -> None:
    """Names of the rows, texts behind their ends, a line at zero and no other axis."""
    axes = canvas.axes
    low = min(axes.dataLim.x0, 0)
    high = max(ends.max(), 0) or 1
    axes.set_xlim(low, low + (high - low) / (1 - axes.margins()[0]))
    axes.set_ylim(canvas.depth, 0)
    axes.set_yticks(canvas.middle, canvas.labels)
    axes.tick_params(axis="both", length=0)
    axes.set(xlabel="", ylabel="")
    axes.set_xticks([])
    sns.despine(ax=axes, left=True, bottom=True)
    axes.axvline(0, color="#767676", lw=0.8)
    for place, end, text in zip(canvas.middle, ends, texts, strict=True):
        if text:
            axes.annotate(text, (end, place), (gap, 0), textcoords="offset points", va="center")


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


def _legend(figure: Figure, marks: Sequence[tuple[str, str, str]], names: Sequence[str]) -> None:
    """Marks with their names above the chart."""
    height = figure.get_figheight() * 72
    for (marker, face, edge), name, (x, line) in zip(marks, names, _legend_places(names), strict=False):
        y = 1 - (10 + LEGEND_LINE * line) / height
        dot = matplotlib.lines.Line2D(
            [(x + 4) / WIDTH],
            [y],
            marker=marker,
            markersize=6.5,
            markerfacecolor=face,
            markeredgecolor=edge,
            lw=0,
        )
        figure.add_artist(dot)
        figure.text((x + 12) / WIDTH, y, name, va="center", fontsize=SMALL)


def _svg(figure: Figure, alternative: Alternative) -> str:
    """SVG element of a figure, named and described, of no fixed size."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(buffer.getvalue())
    for name in ("width", "height"):
        del root.attrib[name]
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    root.set("role", "img")
    root.set("aria-label", alternative.name)
    for position, (tag, text) in enumerate((("title", alternative.name), ("desc", alternative.description))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}")
        element.text = text
        root.insert(position, element)
    return ElementTree.tostring(root, encoding="unicode")
