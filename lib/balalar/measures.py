"""Arithmetic on figures: change, rank, extremes, shares and quotients. Knows no language, reads no file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from balalar.cards import BASIC_DIMENSIONS, COUNTRY, TOTAL, Card, Codes
from balalar.dataset import agree, exponent, scale

Direction = Literal["rose", "fell", "unchanged"]
WHOLE = 0.02  # parts that miss their total by more than this share of it do not make it up


@dataclass(frozen=True)
class Change:
    """Difference between two figures.

    Attributes
    ----------
    value : str
        Absolute difference in the card's unit, written as a figure, no finer than the coarser of
        the two: ``"0.7"``, ``"159.1e9"``.
    direction : {"rose", "fell", "unchanged"}
        At the coarser of the two printed precisions: 8.44 and 8.4 are unchanged.
    """

    value: str
    direction: Direction


@dataclass(frozen=True)
class Rank:
    """Place of a region among the regions with a value, the highest value first."""

    place: int
    of: int
    tied: bool


def change(now: str, before: str) -> Change:
    """Difference between two figures as printed.

    Parameters
    ----------
    now, before : str
        Figures as printed, e.g. ``"7.68"``.

    Examples
    --------
    >>> change("7.7", "8.4")
    Change(value='0.7', direction='fell')
    >>> change("8.44", "8.4").direction
    'unchanged'
    >>> change("917.0e9", "757.9e9").value
    '159.1e9'
    """
    amount = float(now) - float(before)
    direction: Direction = "rose" if amount > 0 else "fell"
    if agree(now, before):
        direction = "unchanged"
    coarse = max(now, before, key=exponent)
    power = scale(coarse)
    value = f"{abs(amount) / 10**power:.{power - exponent(coarse)}f}"
    return Change(f"{value}e{power}" if power else value, direction)


def totals(figures: pd.DataFrame, dimensions: Iterable[str]) -> pd.DataFrame:
    """Figures that are the total of some dimensions."""
    for name in dimensions:
        figures = figures[figures[name] == TOTAL]
    return figures


def figures_of(card: Card, best: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Best figures of an indicator, observed or computed; see ``derive``."""
    return derive(card, best) if card.derived else best(card.id)


def derive(card: Card, best: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Quotient of two indicators for each key that both have.

    Parameters
    ----------
    card : Card
        A derived card: its relations say what is divided by what, its ``per`` and ``decimals`` how it is written.
    best : callable
        Figures of an indicator, as from ``Dataset.best``.

    Returns
    -------
    DataFrame
        Same columns; a quotient of an estimate is an estimate, one of a corrected figure carries
        its correction. Keys in which either is missing are left out.
    """
    assert card.numerator and card.denominator
    numerator = _taken(card, best(card.numerator), card.numerator_codes)
    denominator = _taken(card, best(card.denominator), card.denominator_codes)
    if card.denominator_less:
        less = _taken(card, best(card.denominator_less), {})
        denominator = _joined(card, denominator, less)
        denominator = denominator.assign(number=denominator["number"] - denominator["number_below"])
        denominator = denominator[list(numerator.columns)]
    if card.of_country:
        denominator = denominator[denominator["region"] == COUNTRY].drop(columns="region")
        numerator = numerator[numerator["region"] != COUNTRY]  # the country is all of itself
    both = _joined(card, numerator, denominator)
    both = both[both["number"].notna() & (both["number_below"] > 0)]
    number = both["number"] / both["number_below"] * (card.per or 1)
    status = both["status"].where(both["status"] != "A", both["status_below"])
    correction = both["correction"].where(both["correction"] != "", both["correction_below"])
    value = [f"{one:.{card.decimals}f}" for one in number]
    about = both["about"].str.replace(card.numerator, card.id, n=1, regex=False)
    made = both.assign(indicator=card.id, about=about, number=number, value=value, status=status, correction=correction)
    return made[list(numerator.columns)].reset_index(drop=True)


def _taken(card: Card, figures: pd.DataFrame, codes: dict[str, str]) -> pd.DataFrame:
    """Figures at given codes, at the total of what the quotient is not split by."""
    for name, code in codes.items():
        figures = figures[figures[name] == code].assign(**{name: TOTAL})
    return totals(figures, (name for name in BASIC_DIMENSIONS if name not in card.dimensions))


def _joined(card: Card, one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Figures of the same year, region and codes side by side; the other's columns end in «_below»."""
    key = [name for name in ("year", "region", *card.dimensions) if name in other]
    return one.merge(other, on=key, suffixes=("", "_below"))


def year_shown(years: list[int], wanted: int, newest: bool) -> int | None:
    """Year whose figures a brief shows as current.

    Parameters
    ----------
    years : list of int
        Years with a value.
    wanted : int
        Year the brief is about, in the card's own meaning of a year.
    newest : bool
        Whether the brief is of the newest report: it shows the latest figure printed, even an
        older one or a plan; other briefs show their own year only.

    Returns
    -------
    int or None
        None where there is nothing to show.
    """
    if wanted in years:
        return wanted
    if not newest or not years:
        return None
    earlier = [year for year in years if year < wanted]
    return max(earlier) if earlier else min(years)


def ranked(regions: pd.DataFrame) -> pd.DataFrame:
    """Regions with a value, the highest first; equal values in the order of the code list."""
    filled = regions[regions["number"].notna() & (regions["region"] != COUNTRY)]
    return filled.sort_values("number", ascending=False, kind="stable").reset_index(drop=True)


def rank(regions: pd.DataFrame, region: str) -> Rank | None:
    """Place of a region, counted from the highest value; None where it has no value.

    Parameters
    ----------
    regions : DataFrame
        ``region`` and ``number``; the country is left out.
    region : str
    """
    order = ranked(regions)
    own = order[order["region"] == region]
    if own.empty:
        return None
    number = own["number"].iloc[0]
    same = int((order["number"] == number).sum())
    return Rank(int((order["number"] > number).sum()) + 1, len(order), same > 1)


def extremes(rows: pd.DataFrame, wanted: int = 3) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Highest and lowest values, each with all rows that share it.

    Parameters
    ----------
    rows : DataFrame
        Rows with a ``number``.
    wanted : int
        Rows asked for at each end; a tie is never cut.

    Returns
    -------
    highest, lowest : list of DataFrame
        Groups of equal values, the most extreme first; the two ends share no row.
    """
    groups = [group for _, group in rows.sort_values("number", kind="stable").groupby("number", sort=True)]

    def take(ordered: list[pd.DataFrame], limit: int) -> list[pd.DataFrame]:
        taken: list[pd.DataFrame] = []
        for group in ordered:
            if sum(map(len, taken)) >= wanted or len(taken) >= limit:
                break
            taken.append(group)
        return taken

    highest = take(groups[::-1], max(len(groups) // 2, 1))
    lowest = take(groups, len(groups) - len(highest))
    return highest, lowest


def borders_changed(codes: Codes, region: str, year: int, before: int) -> int | None:
    """Year after ``before`` and not after ``year`` in which a region was split from this one, or None."""
    return next((first for first in codes.split_years(region) if before < first <= year), None)


def broken(card: Card, year: int, before: int) -> bool:
    """Whether a series breaks after ``before`` and not after ``year``."""
    return any(before < one.year <= year for one in card.breaks)


def moved(card: Card, codes: Codes, region: str, year: int, before: int) -> bool:
    """Whether a region's figure of a year stands on other borders than its earlier one."""
    return before not in card.recalculated and borders_changed(codes, region, year, before) is not None


Record = dict[str, Any]


def records(frame: pd.DataFrame, without: Collection[str] = ()) -> list[Record]:
    """Rows of a frame as records, of all columns but some."""
    names = [name for name in frame if name not in without]
    columns = [frame[name].tolist() for name in names]
    return [dict(zip(map(str, names), row, strict=True)) for row in zip(*columns, strict=True)]


class Grid:
    """One indicator's figures for one look: by region, year or a dimension, perhaps split by another.

    Parameters
    ----------
    figures : DataFrame or list of records
        As from ``Dataset.best``; dimensions that are neither looked at nor split by stay at their
        total.
    card : Card
    by : str
        ``region``, ``year`` or a dimension of the card.
    split : str
        A dimension of the card, or empty.
    """

    def __init__(self, figures: pd.DataFrame | list[Record], card: Card, by: str, split: str = "") -> None:
        self.card, self.by, self.split = card, by, split
        rows = records(figures) if isinstance(figures, pd.DataFrame) else figures
        aside = [name for name in card.dimensions if name not in (by, split)]
        self._cells: dict[tuple[int, str, str, str], Record] = {}
        for record in rows:
            if any(record[name] != TOTAL for name in aside):
                continue
            item = record[by] if by in card.dimensions else TOTAL
            group = record[split] if split else TOTAL
            self._cells[int(record["year"]), record["region"], item, group] = record
        self._filled = {key: record for key, record in self._cells.items() if record["value"] != ""}

    def get(self, year: int | None, region: str, item: str = TOTAL, group: str = TOTAL) -> Record | None:
        """Figure of a key, also one without a value; None where nothing was printed."""
        return None if year is None else self._cells.get((year, region, item, group))

    def filled(self, year: int | None, region: str, item: str = TOTAL, group: str = TOTAL) -> Record | None:
        """Figure of a key that has a value, else None."""
        return None if year is None else self._filled.get((year, region, item, group))

    def records(self) -> list[Record]:
        """All figures."""
        return list(self._cells.values())

    def years(self, region: str = "", item: str = "", group: str = "") -> list[int]:
        """Years with a value, oldest first; of one region, item or group where given."""
        found = {
            year
            for year, of, code, part in self._filled
            if region in ("", of) and item in ("", code) and group in ("", part)
        }
        return sorted(found)

    def region_years(self) -> list[int]:
        """Years in which a region has a value, oldest first."""
        return sorted({key[0] for key in self._filled if key[1] != COUNTRY})

    def regions(self, year: int, filled: bool = True) -> list[str]:
        """Regions of a year without the country, those with a value in any group if ``filled``."""
        cells = self._filled if filled else self._cells
        return list(dict.fromkeys(key[1] for key in cells if key[0] == year and key[1] != COUNTRY))

    def items(self, year: int | None = None) -> list[str]:
        """Codes looked at that have a value, without the total."""
        return self._codes(2, year)

    def groups(self, year: int | None = None) -> list[str]:
        """Codes split by that have a value, without the total."""
        return self._codes(3, year)

    def _codes(self, position: int, year: int | None) -> list[str]:
        keys = (key for key in self._filled if year in (None, key[0]))
        return list(dict.fromkeys(str(key[position]) for key in keys if key[position] != TOTAL))

    def spoken_of(self, region: str, year: int) -> str:
        """The region where it has at least two of the items looked at, else the country."""
        items = [item for item in self.items(year) if self.filled(year, region, item)]
        return region if len(items) > 1 else COUNTRY

    def before(self, year: int, region: str, item: str = TOTAL, group: str = TOTAL) -> Record | None:
        """Latest earlier figure of the same key that has a value."""
        earlier = [past for past in self.years(region, item, group) if past < year]
        return self.filled(earlier[-1], region, item, group) if earlier else None

    def frame(self, year: int) -> pd.DataFrame:
        """Region totals of a year with a value, as a frame of ``region`` and ``number``."""
        found = {region: float(one["value"]) for region in self.regions(year) if (one := self.filled(year, region))}
        return pd.DataFrame({"region": list(found), "number": list(found.values())})
