"""What a figure of a brief is made of: chart and table of one indicator by region, year or group."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from balalar import charts
from balalar.cards import COUNTRY, TOTAL
from balalar.charts import Alternative
from balalar.compare import Standing, has_interval, sign
from balalar.measures import WHOLE, Grid, Record, broken, moved
from balalar.tables import NOTHING, Row, Table
from balalar.trends import breaks_of
from balalar.words import Words

FEWEST_REGIONS = 3  # fewer are told in a sentence
BOTH = 0.5  # an earlier year is drawn where at least this share of the rows has it
MOST_SERIES = 4


@dataclass
class View:
    """One look at an indicator in one year and language.

    Attributes
    ----------
    grid : Grid
    year : int
        Current year.
    words : Words
    region : str
        Chosen region, or the country.
    standings : mapping of str to Standing
        Where each region stands against the country, where that is known.
    statuses : set of str
        Statuses met in the cells, for the marks under the table.
    keys : list of str
        Keys of the texts that explain what the chart draws of intervals.
    """

    grid: Grid
    year: int
    words: Words
    region: str = COUNTRY
    standings: Mapping[str, Standing] = field(default_factory=dict)
    statuses: set[str] = field(default_factory=set)
    keys: list[str] = field(default_factory=list)

    def chart(self, alternative: Alternative, totals: bool = True) -> str:
        """Chart as SVG; empty where there are fewer than two values to compare.

        Parameters
        ----------
        alternative : Alternative
        totals : bool
            Whether the totals are drawn where the groups looked at are not printed.
        """
        if self.grid.by == "year":
            return self._lines(alternative)
        if self.grid.split and ((chart := self._groups_chart(alternative)) or not totals):
            return chart
        return self._bars(alternative)

    def table(self, title: str) -> Table:
        """All figures of the look: rows are regions, groups or years, columns are years and groups.

        Parameters
        ----------
        title : str
            What the look is of, for the caption.
        """
        card, words = self.grid.card, self.words
        caption = words.say("table_caption", title=title, unit=words.unit(card))
        groups = self._column_groups()
        if self.grid.by == "year":
            return self._table_of_years(caption, groups)
        by_region = self.grid.by == "region"
        years = self._region_table_years() if by_region else self.grid.years()
        keys = [
            (year, group)
            for year in years
            for group in groups
            if any(self._cell(year, r, i, group) for r, i in self._rows)
        ]
        printed = [row for row in self._rows if any(self._cell(year, *row, group) for year, group in keys)]
        rows = [
            Row(
                self._row_label(region, item),
                [self._text(year, region, item, group) for year, group in keys],
                self._apart(region, item),
            )
            for region, item in printed
        ]
        silent = [self._row_label(*row) for row in self._rows if row not in printed]
        more = [] if self.grid.split else self._interval_columns(printed)
        for row, *cells in zip(rows, *(cells for _, cells in more), strict=True):
            row.cells.extend(cells)
        return Table(
            caption,
            words.say("region") if by_region else words.dimension(self.grid.by),
            [*(self._column(year, group) for year, group in keys), *(heading for heading, _ in more)],
            rows,
            left_out=words.sentence("left_out", names=words.listed(silent)) if silent else "",
        )

    def _interval_columns(self, rows: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
        """Headings and cells of what is known of chance: interval, verdict, possible places."""
        records = [self.grid.filled(self.year, region, item) for region, item in rows]
        if not any(map(has_interval, records)):
            return []
        say = self.words.say
        columns = [(say("interval_heading"), [self._interval(record) for record in records])]
        if self.standings:
            columns.append((say("verdict_heading"), [self._verdict(region) for region, _ in rows]))
        if any(one.last for one in self.standings.values()):
            columns.append((say("places_heading"), [self._places(region) for region, _ in rows]))
        return columns

    def _interval(self, record: Record | None) -> str:
        """The 95 % interval of a figure, or the mark of what is missing."""
        if not record:
            return self.words.mark("O")
        if not has_interval(record):
            return self.words.say("verdict_unknown")
        low, high = (self.words.like(record, record[end]) for end in ("low", "high"))
        return self.words.say("range_of", low=low, high=high)

    def _verdict(self, region: str) -> str:
        """A region against the country, in a sign and a word."""
        one = self.standings.get(region)
        if one is None:
            return NOTHING  # the country is not compared with itself
        word = self.words.say(f"verdict_{one.verdict}")
        if one.verdict == "similar" and one.alone != "similar":
            word = self.words.say("verdict_alone", verdict=word, alone=self.words.say(f"verdict_{one.alone}"))
        return f"{sign(one)} {word}".strip()

    def _places(self, region: str) -> str:
        one = self.standings.get(region)
        if one is None or not one.last:
            return NOTHING
        if one.first == one.last:
            return self.words.amount(one.first, 0)
        return self.words.say("range_of", low=one.first, high=one.last)

    def _region_table_years(self) -> list[int]:
        """Years in which regions have a value, and the one the country is compared with.

        The country's own series stands where the indicator is shown by year.
        """
        years = self.grid.region_years()
        before = self.grid.before(self.year, COUNTRY)
        return sorted({*years, *([before["year"]] if before else [])}) if years else self.grid.years()

    # -- rows and cells ------------------------------------------------------------------------------

    @cached_property
    def _rows(self) -> list[tuple[str, str]]:
        """Region and item of each row: the highest value first, regions without one last."""
        if self.grid.by == "region":
            printed = self.grid.regions(self.year, filled=False)
            older = [region for region in self._older_regions() if region not in printed]
            living = [r for r in self.words.catalogue.codes.living(self.year) if r not in printed and r not in older]
            regions = sorted([*printed, *older, *living], key=lambda region: -self._height(region))
            country = (
                [COUNTRY]
                if any(
                    self.grid.get(year, COUNTRY, TOTAL, group)
                    for year in self.grid.years()
                    for group in self._column_groups()
                )
                else []
            )
            return [(region, TOTAL) for region in country + regions]
        where, listed = self._where(), self.words.catalogue.codes.dimensions[self.grid.by].items
        known = {item for item in [TOTAL, *self.grid.items()] if self.grid.years(where, item)}
        return [(where, item) for item in listed if item in known]

    def _older_regions(self) -> list[str]:
        """Regions that exist no longer but have figures in earlier years of the table."""
        return list(dict.fromkeys(r for year in self.grid.years() if year < self.year for r in self.grid.regions(year)))

    def _where(self) -> str:
        """Whose groups are looked at: the chosen region's where it has them, else the country's."""
        return self.grid.spoken_of(self.region, self.year)

    def _height(self, region: str) -> float:
        """Value by which rows are sorted; see ``_leading_groups``."""
        for group in self._leading_groups:
            if record := self.grid.filled(self.year, region, TOTAL, group):
                return float(record["value"])
        return -math.inf

    @cached_property
    def _leading_groups(self) -> list[str]:
        """Groups by which rows are sorted: the total, or the first group where the totals are not all there."""
        whole = all(self.grid.filled(self.year, region) for region in self.grid.regions(self.year))
        return [*([TOTAL] if whole else []), *self.grid.groups(self.year), TOTAL]

    def _cell(self, year: int, region: str, item: str, group: str) -> Record | None:
        return self.grid.get(year, region, item, group)

    def _text(self, year: int, region: str, item: str, group: str) -> str:
        """A cell: its number with its marks, or the mark of what is missing."""
        record = self._cell(year, region, item, group)
        if record is None:
            self.statuses.add("O")
            return self.words.mark("O")
        if record["status"] != "A":
            self.statuses.add(record["status"])
        if not record["value"]:
            return self.words.mark(record["status"])
        return self.words.marked(self.grid.card, record, unit=False)

    def _column_groups(self) -> list[str]:
        if not self.grid.split:
            return [TOTAL]
        used = {TOTAL, *self.grid.groups()}
        return [code for code in self.words.catalogue.codes.dimensions[self.grid.split].items if code in used]

    def _column(self, year: int, group: str) -> str:
        heading = self.words.heading(self.grid.card, year)
        return f"{heading}: {self._group(group)}" if self.grid.split else heading

    def _group(self, group: str) -> str:
        return (
            self.words.say("all_groups") if group == TOTAL else self.words.item(self.grid.card, self.grid.split, group)
        )

    def _row_label(self, region: str, item: str) -> str:
        if self.grid.by == "region":
            return self.words.short_region(region)
        return self.words.item(self.grid.card, self.grid.by, item)

    def _apart(self, region: str, item: str) -> bool:
        return region in (COUNTRY, self.region) if self.grid.by == "region" else item == TOTAL

    def _table_of_years(self, caption: str, groups: list[str]) -> Table:
        regions = [r for r in dict.fromkeys((COUNTRY, self.region)) if self.grid.years(r)]
        columns = [(r, g) for r in regions for g in groups if self.grid.years(r, group=g)]
        years = [year for year in self.grid.years() if any(self._cell(year, r, TOTAL, g) for r, g in columns)]
        rows = [
            Row(self.words.heading(self.grid.card, year), [self._text(year, r, TOTAL, g) for r, g in columns])
            for year in years
        ]
        return Table(caption, self.words.say("period"), [self._series(r, g) for r, g in columns], rows)

    # -- charts --------------------------------------------------------------------------------------

    def _bars(self, alternative: Alternative) -> str:
        past = [year for year in self.grid.years() if year < self.year]
        before = past[-1] if past else None
        shown = [(row, record) for row in self._rows if (record := self.grid.filled(self.year, *row))]
        shown = [(row, record) for row, record in shown if not self._is_sum(*row)]
        if len(shown) < (FEWEST_REGIONS if self.grid.by == "region" else 2):
            return ""
        frame = pd.DataFrame([self._bar(row, record, before) for row, record in shown])
        if not self._ordered():
            frame = frame.sort_values("number", ascending=False, kind="stable").reset_index(drop=True)
        if frame["low"].notna().any():
            self.keys.append("verdict_key" if self.standings else "interval_key")
            nation = self.grid.filled(self.year, COUNTRY) if self.grid.by == "region" else None
            level = float(nation["value"]) if nation and self.standings else None
            return charts.intervals(frame, alternative, level)
        rings = before is not None and frame["earlier"].notna().mean() >= BOTH
        if not rings or before is None:
            return charts.bars(frame.assign(earlier=math.nan), alternative)
        headings = [self.words.heading(self.grid.card, year) for year in (self.year, before)]
        return charts.bars(frame, alternative, headings)

    def _bar(self, row: tuple[str, str], record: Record, before: int | None) -> dict[str, Any]:
        """What is drawn of one figure."""
        region, item = row
        earlier = self._comparable(before, region, item)
        text = self._text(self.year, region, item, TOTAL)
        standing = self.standings.get(region)
        known = has_interval(record)
        return {
            "label": self._row_label(region, item),
            "number": float(record["value"]),
            "text": f"{text} {sign(standing)}".strip() if self.grid.by == "region" else text,
            "role": self._role(region),
            "verdict": standing.verdict if standing else "",
            "earlier": float(earlier["value"]) if earlier else math.nan,
            **{end: record[end] if known else math.nan for end in ("low", "high", "lowest", "highest")},
        }

    def _comparable(self, before: int | None, region: str, item: str) -> Record | None:
        """Earlier figure on the same borders and the same side of any break, or None."""
        card, codes = self.grid.card, self.words.catalogue.codes
        if before is None or broken(card, self.year, before) or moved(card, codes, region, self.year, before):
            return None
        return self.grid.filled(before, region, item)

    def _ordered(self) -> bool:
        """Whether the rows have an order of their own, which the chart keeps."""
        return self.grid.by != "region" and self.words.catalogue.codes.dimensions[self.grid.by].ordered

    def _role(self, region: str) -> str:
        if self.grid.by != "region":
            return "plain"
        if region == COUNTRY:
            return "nation"
        if self.region == COUNTRY:
            return "plain"
        return "chosen" if region == self.region else "other"

    def _groups_chart(self, alternative: Alternative) -> str:
        shown = [row for row in self._rows if not self._is_sum(*row)]
        groups = [
            code
            for code in self._column_groups()
            if code != TOTAL and any(self.grid.filled(self.year, *row, code) for row in shown)
        ]
        rows = [self._groups_row(*row, groups) for row in shown]
        rows = [row for row in rows if row]
        fewest = FEWEST_REGIONS if self.grid.by == "region" else 2
        if len(rows) < fewest or not 2 <= len(groups) <= MOST_SERIES:
            return ""
        frame, names = pd.DataFrame(rows), [self._group(code) for code in groups]
        whole = self._adds_up(frame, names)
        height = frame[names].sum(axis=1) if whole else frame[names].max(axis=1)
        if not self._ordered():
            frame = frame.loc[height.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
        draw = charts.stacked if whole else charts.dots
        return draw(frame, names, alternative, self._tick(frame[names].max().max()))

    def _groups_row(self, region: str, item: str, groups: list[str]) -> dict[str, Any]:
        """A row of a chart of groups; empty where no group has a value."""
        records = {code: self.grid.filled(self.year, region, item, code) for code in groups}
        if not any(records.values()):
            return {}
        total = self.grid.filled(self.year, region, item)
        row = {
            "label": self._row_label(region, item),
            "role": self._role(region),
            "total": float(total["value"]) if total else math.nan,
        }
        for code, record in records.items():
            row[self._group(code)] = float(record["value"]) if record else math.nan
            row[f"{self._group(code)} text"] = self._text(self.year, region, item, code)
        return row

    def _adds_up(self, frame: pd.DataFrame, names: list[str]) -> bool:
        """Whether the groups of every row make up its total, or a hundred per cent."""
        sums = frame[names].sum(axis=1, skipna=False)
        share = self.grid.card.kind == "share"
        wholes = pd.Series(100.0, index=frame.index) if share else frame["total"]
        return bool(((sums / wholes - 1).abs() < WHOLE).all())

    def _is_sum(self, region: str, item: str) -> bool:
        """Whether a row is the sum of the others, beside which they would vanish."""
        if self.grid.by == "region":
            return region == COUNTRY and self.grid.card.additive
        return item == TOTAL or item in self.words.catalogue.codes.dimensions[self.grid.by].subtotals

    def _lines(self, alternative: Alternative) -> str:
        groups = self._column_groups()
        regions = [r for r in dict.fromkeys((COUNTRY, self.region)) if self.grid.years(r)]
        pairs = [(r, g) for r in regions for g in groups if len(self._line_years(r, g)) > 1]
        if self.grid.split and len(pairs) > MOST_SERIES:
            pairs = [pair for pair in pairs if pair[1] != TOTAL]
        rows = []
        drawn = [year for pair in pairs[:MOST_SERIES] for year in self._line_years(*pair)]
        span = max(drawn, default=0) - min(drawn, default=0)
        for region, group in pairs[:MOST_SERIES]:
            years = self._line_years(region, group)
            named = self._named_years(region, group, span, len(pairs) == 1)
            for year in years:
                record = self.grid.filled(year, region, TOTAL, group)
                assert record
                self.statuses |= {record["status"]} - {"A"}
                text = self.words.bare(record) if year in named else ""
                number = float(record["value"])
                # Bands of several series would cover one another.
                band = has_interval(record) and len(pairs) == 1
                ends = {end: record[end] if band else math.nan for end in ("low", "high")}
                rows.append(
                    {"series": self._series(region, group), "year": year, "number": number, "text": text} | ends
                )
        if not rows:
            return ""
        frame = pd.DataFrame(rows)
        if frame["low"].notna().sum() > 1:
            self.keys.append("band_key")
        codes = self.words.catalogue.codes
        breaks = {self._series(region, group): breaks_of(self.grid.card, codes, region) for region, group in pairs}
        return charts.lines(frame, alternative, self._tick(frame["number"].abs().max()), breaks)

    def _tick(self, largest: float) -> Callable[[float], str]:
        """Text of a number on an axis."""
        decimals = 0 if largest >= 10 else 1
        return lambda number: self.words.amount(number, decimals)

    def _named_years(self, region: str, group: str, span: int, alone: bool) -> set[int]:
        """Years whose value is written: the ends, the peak, and others where there is room on an axis of so many."""
        years = self._line_years(region, group)
        records = {year: record for year in years if (record := self.grid.filled(year, region, TOTAL, group))}
        height = {year: float(record["value"]) for year, record in records.items()}
        longest = max(map(self.words.bare, records.values()), key=len)
        ends = [years[-1], years[0]]
        peak = max(years, key=height.__getitem__)
        aside, above = span * charts.room(longest), max(map(abs, height.values())) / 6
        named: list[int] = []
        for year in [*ends, peak, *years] if alone else ends:
            if all(abs(year - other) >= aside or abs(height[year] - height[other]) >= above for other in named):
                named.append(year)
        return set(named)

    def _line_years(self, region: str, group: str) -> list[int]:
        return [year for year in self.grid.years(region, TOTAL, group) if year <= self.year]

    def _series(self, region: str, group: str) -> str:
        if not self.grid.split:
            return self.words.short_region(region)
        if self.region == COUNTRY or (region == COUNTRY and len(self.grid.years(self.region)) == 0):
            return self._group(group)
        return f"{self.words.short_region(region)}: {self._group(group)}"
