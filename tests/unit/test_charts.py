"""Charts by what is on them, not by pixels."""

import math
import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from balalar import charts
from balalar.charts import Alternative

SVG = "{http://www.w3.org/2000/svg}"
ALTERNATIVE = Alternative("Chart: deaths", "Deaths by region, 2022. Highest: A (5).")


def _bars(**changes: object) -> pd.DataFrame:
    rows = {
        "label": ["A", "B", "C"],
        "number": [5.0, 2.0, 0.0],
        "text": ["5,0", "2,0", "0,0"],
        "role": ["plain", "nation", "plain"],
        "earlier": [math.nan] * 3,
    }
    return pd.DataFrame(rows | changes)


def _texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_a_chart_is_named_and_described() -> None:
    root = ElementTree.fromstring(charts.bars(_bars(), ALTERNATIVE))
    assert root.get("role") == "img"
    assert root.get("aria-label") == ALTERNATIVE.name
    assert root.find(f"{SVG}title").text == ALTERNATIVE.name
    assert root.find(f"{SVG}desc").text == ALTERNATIVE.description
    assert root.get("width") is None and root.get("viewBox")


def test_bars_carry_their_labels_and_values() -> None:
    assert set(_texts(charts.bars(_bars(), ALTERNATIVE))) == {"A", "B", "C", "5,0", "2,0", "0,0"}


def test_bars_start_at_zero_and_are_in_proportion() -> None:
    svg = charts.bars(_bars(), ALTERNATIVE)
    root = ElementTree.fromstring(svg)
    lengths = []
    for path in root.iter(f"{SVG}path"):
        if "fill: #" in path.get("style", "") and path.get("clip-path"):
            xs = [float(part) for part in re.sub("[MLz]", "", path.get("d")).split()[::2]]
            lengths.append(max(xs) - min(xs))
    longest, second = sorted(lengths, reverse=True)[:2]
    assert second / longest == pytest.approx(2 / 5, abs=0.001)


def test_the_same_rows_give_the_same_bytes() -> None:
    assert charts.bars(_bars(), ALTERNATIVE) == charts.bars(_bars(), ALTERNATIVE)


def test_a_line_does_not_cross_a_break_and_dashes_a_gap() -> None:
    years = [2016, 2017, 2018, 2019, 2022]
    rows = pd.DataFrame({"series": "s", "year": years, "number": [4.0, 4.4, 7.0, 6.6, 6.0], "text": ""})
    segments = charts._segments(rows, [2018])
    assert [tuple(pair["year"]) for _, pair in segments] == [(2016, 2017), (2018, 2019), (2019, 2022)]
    assert [gap for (_, gap), _ in segments] == [False, False, True]


def test_lines_name_their_series_and_start_at_zero() -> None:
    series, years = ["Қала", "Қала", "Ауыл", "Ауыл"], [2021, 2022] * 2
    rows = pd.DataFrame({"series": series, "year": years, "number": [5.0, 6.0, 9.0, 9.9], "text": ""})
    texts = _texts(charts.lines(rows, ALTERNATIVE, lambda number: f"{number:.0f}"))
    assert {"Қала", "Ауыл", "0", "2021", "2022"} <= set(texts)


def test_more_groups_than_texts_get_an_axis() -> None:
    groups = ["x", "y", "z"]
    rows = pd.DataFrame({"label": ["A", "B"], "role": "plain", **{g: [1.0, 2.0] for g in groups}})
    rows = rows.assign(**{f"{g} text": ["1", "2"] for g in groups})
    texts = _texts(charts.dots(rows, groups, ALTERNATIVE, lambda number: f"<{number:g}>"))
    assert "<0>" in texts and set(groups) <= set(texts)


def test_a_long_legend_takes_a_second_line() -> None:
    assert charts._legend_lines(["short", "names"]) == 1
    assert charts._legend_lines(["a very long name of a group indeed"] * 2) == 2
