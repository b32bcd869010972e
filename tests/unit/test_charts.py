"""Charts by what is on them, not by pixels."""

import math
import re
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest
import seaborn as sns

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
        if path.get("style") in (f"fill: {charts.BLUE.lower()}", f"fill: {charts.PLUM.lower()}"):
            xs = [float(part) for part in re.sub("[MLz]", "", path.get("d")).split()[::2]]
            lengths.append(max(xs) - min(xs))
    longest, second = sorted(lengths, reverse=True)[:2]
    assert second / longest == pytest.approx(2 / 5, abs=0.001)


def test_the_same_rows_give_the_same_bytes() -> None:
    assert charts.bars(_bars(), ALTERNATIVE) == charts.bars(_bars(), ALTERNATIVE)


def test_the_style_of_a_reader_is_neither_used_nor_changed() -> None:
    years = [2016, 2017, 2018, 2022]
    rows = pd.DataFrame({"series": "s", "year": years, "number": [4.0, 4.4, 5.0, 6.0], "text": "1"})
    drawn = charts.bars(_bars(), ALTERNATIVE), charts.lines(rows, ALTERNATIVE, str)
    with matplotlib.rc_context():
        sns.set_theme(style="dark", context="poster", font="serif")
        own = dict(matplotlib.rcParams)
        assert (charts.bars(_bars(), ALTERNATIVE), charts.lines(rows, ALTERNATIVE, str)) == drawn
        assert dict(matplotlib.rcParams) == own


def test_a_line_does_not_cross_a_break_and_dashes_a_gap() -> None:
    years = [2016, 2017, 2018, 2019, 2022]
    rows = pd.DataFrame({"series": "s", "year": years, "number": [4.0, 4.4, 7.0, 6.6, 6.0], "text": ""})
    segments = charts._segments(rows, {"s": [2018]})
    assert [(one.first["year"], one.second["year"]) for one in segments] == [(2016, 2017), (2018, 2019), (2019, 2022)]
    assert [one.gap for one in segments] == [False, False, True]


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


def test_a_whisker_that_dwarfs_all_bars_is_cut_and_the_cut_is_marked() -> None:
    rows = pd.DataFrame(
        {"label": ["a", "b"], "number": [2.0, 1.0], "text": ["2.0", "1.0"], "role": "plain", "verdict": ["worse", ""],
         "low": [1.0, 0.5], "high": [3.0, 2.0], "lowest": [0.5, 0.2], "highest": [4.0, 40.0]}
    )  # fmt: skip
    alone = charts.intervals(rows.assign(highest=[4.0, 4.5]), Alternative("n", "d"), 1.5)
    cut = charts.intervals(rows, Alternative("n", "d"), 1.5)
    assert _texts(cut) == _texts(alone) == ["a", "b", "2.0", "1.0"]
    assert len(cut) > len(alone)  # the mark of the cut


def test_a_region_without_an_interval_keeps_its_bar() -> None:
    nothing = float("nan")
    rows = pd.DataFrame(
        {"label": ["a", "b"], "number": [2.0, 1.0], "text": ["2.0", "1.0"], "role": "plain", "verdict": ["", "unknown"],
         "low": [1.0, nothing], "high": [3.0, nothing], "lowest": [0.5, nothing], "highest": [4.0, nothing]}
    )  # fmt: skip
    assert _texts(charts.intervals(rows, Alternative("n", "d"))) == ["a", "b", "2.0", "1.0"]


def test_every_region_has_a_tile_of_its_own(catalogue) -> None:
    living = catalogue.codes.living(2022)
    places = {(one.row, one.column) for one in (catalogue.codes.regions[code].tile for code in living) if one}
    assert len(places) == len(living) == 20


def test_tiles_write_every_name_and_value() -> None:
    rows = pd.DataFrame(
        {"label": ["Abai", "Қарағанды"], "text": ["▲ 5.1", "● 2.0"], "row": [1, 2], "column": [1, 6],
         "face": ["worse", "3"], "chosen": [True, False]}
    )  # fmt: skip
    assert set(_texts(charts.tiles(rows, Alternative("n", "d")))) == {"Abai", "Қарағанды", "▲ 5.1", "● 2.0"}
