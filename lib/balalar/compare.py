"""What may be said of two figures: whether they differ by more than chance, which is better, which place is sure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import gdtrib, ndtri

from balalar.cards import BASIC_DIMENSIONS, COUNTRY, TOTAL, Card, Codes
from balalar.dataset import Dataset, half_digit
from balalar.estimates import Estimates
from balalar.intervals import CONFIDENCE, difference
from balalar.measures import Grid, Record, records

Verdict = Literal["worse", "better", "higher", "lower", "similar", "unknown"]
APART: tuple[Verdict, ...] = ("worse", "better", "higher", "lower")
Chance = Literal["none", "some"]
INTERVAL_NAMES = {"low": "low_95", "high": "high_95", "lowest": "low_998", "highest": "high_998"}
INTERVAL_NAMES |= {name: name for name in ("cases", "base", "base_least", "basis")}
LIMIT_DECIMALS = 6
STANDING_NAMES = ("verdict", "verdict_alone", "first_place", "last_place")
SEED, DRAWS = 2022, 20_000
WINSORISED = 0.1  # share of the regions at each end that may not drive the spread (Spiegelhalter 2005)


@dataclass(frozen=True)
class Standing:
    """Where a region stands.

    Attributes
    ----------
    verdict : str
        Against the country, at 99.8 %: what may be said when all regions are compared at once. The chance that even
        one of some twenty verdicts errs is then below 5 % (Bonferroni).
    alone : str
        The same at 95 %: what could be said had the region alone been compared.
    above : bool
        Whether the region's value is above the country's.
    first, last : int
        Highest and lowest place, counted from the highest value, that the regions' intervals leave open; 0 where
        not all have one.
    """

    verdict: Verdict
    alone: Verdict
    above: bool = False
    first: int = 0
    last: int = 0


def chance(card: Card, codes: Codes) -> Chance:
    """Whether an indicator's differences may be due to chance: none where all was counted or accounted for."""
    reason = card.interval.reason
    return "none" if reason and not codes.no_interval[reason].chance else "some"


def sign(one: Standing | None) -> str:
    """Sign of a verdict: ▲ above, ▼ below, ● similar, none where nobody can say."""
    if one is None or one.verdict == "unknown":
        return ""
    return "●" if one.verdict == "similar" else ("▲" if one.above else "▼")


def has_interval(record: Record | None) -> bool:
    """Whether an interval of chance was calculated for a figure."""
    return bool(record and record.get("basis"))


def judge(low: float, high: float, reference: str, polarity: str) -> Verdict:
    """Judge an interval against a reference figure.

    Parameters
    ----------
    low, high : float
        NaN where there is no interval.
    reference : str
        Figure as printed; what it was rounded from may lie half a last digit off.
    polarity : str
        Whether more is good, bad or neither.

    Examples
    --------
    >>> judge(1.7, 3.9, "1.5", "bad"), judge(1.2, 4.7, "1.5", "bad"), judge(0.1, 1.2, "1.5", "neutral")
    ('worse', 'similar', 'lower')
    """
    half = half_digit(reference)
    if math.isnan(low) or math.isnan(high):
        return "unknown"
    return _named(low > float(reference) + half, high < float(reference) - half, polarity)


def _named(above: bool, below: bool, polarity: str) -> Verdict:
    if not above and not below:
        return "similar"
    if polarity == "neutral":
        return "higher" if above else "lower"
    return "better" if above == (polarity == "good") else "worse"


def apart(one: Record | None, other: Record | None, polarity: str) -> Verdict:
    """Judge one figure against another that has an interval of its own: a region, a group, an earlier year.

    Parameters
    ----------
    one, other : record or None
        As from ``Estimates.of``.
    polarity : str

    Returns
    -------
    str
        Of the first figure against the second, at 95 %.
    """
    if not (one and other and has_interval(one) and has_interval(other)):
        return "unknown"
    low, high = difference(triple(one), triple(other))
    return _named(low > 0, high < 0, polarity)


def triple(record: Record, wide: bool = False) -> tuple[float, float, float]:
    """A figure that has an interval, with its limits at 95 %, or at 99.8 % where it was picked among many."""
    # A printed rate is rounded, and may lie just outside the limits that its count gives.
    low, high = (float(record[end]) for end in (("lowest", "highest") if wide else ("low", "high")))
    return min(max(float(record["number"]), low), high), low, high


def standings(grid: Grid, year: int, whole: bool) -> dict[str, Standing]:
    """Where each region with a value stands, against the country and among the others.

    Parameters
    ----------
    grid : Grid
        Of figures with intervals, by region.
    year : int
    whole : bool
        Whether all regions have a value; places among some are none.

    Returns
    -------
    dict of str to Standing
        By region; empty for counts and sums, of which the country has the sum.
    """
    if grid.card.additive:
        return {}
    nation = grid.filled(year, COUNTRY)
    regions = {region: record for region in grid.regions(year) if (record := grid.filled(year, region))}
    ranked = whole and all(map(has_interval, regions.values()))
    places = rank_spans({code: (one["lowest"], one["highest"]) for code, one in regions.items()}) if ranked else {}
    return {
        region: Standing(
            _against(record, nation, "lowest", "highest", grid.card.polarity),
            _against(record, nation, "low", "high", grid.card.polarity),
            nation is not None and float(record["value"]) > float(nation["value"]),
            *places.get(region, (0, 0)),
        )
        for region, record in regions.items()
    }


def marked(dataset: Dataset) -> pd.DataFrame:
    """All figures with an interval, their verdicts and places, as one table for other programs.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    DataFrame
        indicator, region, year, sex, settlement, other dimensions, value, unit, ``low_95`` … ``high_998`` in that
        unit, cases, base and ``base_least``, basis (see ``Estimates.of``), ``verdict`` (against the country at
        99.8 %), ``verdict_alone`` (at 95 %), ``first_place`` and ``last_place``; empty where there is none.
    """
    estimates = Estimates(dataset)
    frames = []
    for card in dataset.catalogue.cards.values():
        if card.interval.method == "none" or card.doubtful:
            continue
        figures = estimates.of(card)
        own = _columns_of_standing(card, figures, dataset.catalogue.codes)
        frames.append(figures.assign(unit=card.unit, **own)[figures["basis"] != ""])
    frame = pd.concat(frames).rename(columns=INTERVAL_NAMES).round(LIMIT_DECIMALS)
    others = [name for name in dataset.dimensions if name not in BASIC_DIMENSIONS and frame[name].ne("").any()]
    key = ["indicator", "region", "year", *BASIC_DIMENSIONS, *others]
    return frame[[*key, "value", "unit", *INTERVAL_NAMES.values(), *STANDING_NAMES]].reset_index(drop=True)


def _columns_of_standing(card: Card, figures: pd.DataFrame, codes: Codes) -> dict[str, Any]:
    grid = Grid(figures, card, "region")
    found = {
        year: standings(grid, year, set(codes.living(year)) <= set(grid.regions(year))) for year in grid.region_years()
    }
    totals = [all(row[name] == TOTAL for name in card.dimensions) for row in records(figures)]
    own = [
        found.get(year, {}).get(region) if total else None
        for year, region, total in zip(figures["year"], figures["region"], totals, strict=True)
    ]
    return {
        "verdict": [one.verdict if one else "" for one in own],
        "verdict_alone": [one.alone if one else "" for one in own],
        "first_place": [one.first or "" if one else "" for one in own],
        "last_place": [one.last or "" if one else "" for one in own],
    }


def _against(record: Record, nation: Record | None, low: str, high: str, polarity: str) -> Verdict:
    if nation is None or not has_interval(record):
        return "unknown"
    return judge(record[low], record[high], nation["value"], polarity)


def rank_spans(limits: Mapping[str, tuple[float, float]]) -> dict[str, tuple[int, int]]:
    """Places that simultaneous intervals leave open, counted from the highest value.

    Parameters
    ----------
    limits : mapping of str to (low, high)
        With twenty intervals of 99.8 % all places are right together in at least 96 of 100 cases.

    References
    ----------
    M. Klein, T. Wright and J. Wieczorek, A joint confidence region for an overall ranking of populations, Journal of
    the Royal Statistical Society C 69, 2020.

    Examples
    --------
    >>> rank_spans({"a": (5, 7), "b": (3, 4), "c": (3.5, 6)})
    {'a': (1, 2), 'b': (2, 3), 'c': (1, 3)}
    """
    lows = np.array([low for low, _ in limits.values()])
    highs = np.array([high for _, high in limits.values()])
    return {
        code: (1 + int((lows > high).sum()), len(limits) - int((highs < low).sum()))
        for code, (low, high) in limits.items()
    }


def not_below_the_highest(found: Mapping[str, Standing], highest: Sequence[str]) -> int:
    """How many regions cannot be told apart from those with the highest value; -1 where nobody can say."""
    if not found[highest[0]].last:
        return -1
    return sum(1 for region, one in found.items() if region not in highest and one.first == 1)


@dataclass(frozen=True)
class Funnel:
    """Rates of small counts beside what chance allows for a population of that size.

    Attributes
    ----------
    points : DataFrame
        ``region``, ``base``, ``number`` (the rate), ``outside`` (at 99.8 %, over-dispersion allowed for).
    limits : DataFrame
        ``base``, ``low``, ``high`` (95 %), ``lowest``, ``highest`` (99.8 %): where the rates of regions that all
        shared the country's would lie.
    dispersion : float
        Variance of the regions' counts over that of chance alone (Pearson's statistic by its degrees of freedom).
    overdispersed : bool
        Whether chance would give so large a one in less than 5 of 100 draws of the same number of cases; the limits are
        then widened by the variance between regions.
    """

    points: pd.DataFrame
    limits: pd.DataFrame
    dispersion: float
    overdispersed: bool


def funnel(regions: Iterable[Record], rate: float, per: float) -> Funnel:
    """Limits of chance around the country's rate, by the size of the population.

    The limits are those at which an exact Poisson interval would just touch the country's rate. Where the regions
    spread more than chance allows, the variance between them is added on the square-root scale.

    Parameters
    ----------
    regions : iterable of records
        With ``region``, ``value``, ``cases`` and ``base``.
    rate : float
        The country's.
    per : float
        Of how many people the rate speaks.

    References
    ----------
    D. Spiegelhalter, Funnel plots for comparing institutional performance, Statistics in Medicine 24, 2005, and
    Handling over-dispersion of performance indicators, Quality and Safety in Health Care 14, 2005.
    """
    points = pd.DataFrame(
        [(one["region"], one["base"], float(one["value"]), one["cases"]) for one in regions],
        columns=["region", "base", "number", "cases"],
    )
    expected = (points["base"] / points["base"].sum() * points["cases"].sum()).to_numpy()
    cases = points["cases"].to_numpy()
    dispersion = float(_pearson(cases, expected))
    drawn = np.random.default_rng(SEED).multinomial(int(cases.sum()), expected / expected.sum(), DRAWS)
    over = bool((_pearson(drawn, expected) >= dispersion).mean() < 0.05)
    tau2 = _between(points["base"].to_numpy() / per, cases, rate) if over else 0.0
    base = np.linspace(points["base"].min() * 0.7, points["base"].max() * 1.05, 80)
    limits = pd.DataFrame({"base": base})
    for confidence, (low, high) in zip(CONFIDENCE, (("low", "high"), ("lowest", "highest")), strict=True):
        limits[low], limits[high] = _funnel_limits(base, rate, per, confidence, tau2)
    below, above = _funnel_limits(points["base"].to_numpy(), rate, per, CONFIDENCE[1], tau2)
    outside = (points["number"] < below) | (points["number"] > above)
    return Funnel(points.assign(outside=outside), limits, dispersion, over)


def _pearson(cases: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Pearson's statistic by its degrees of freedom, of one draw or of many."""
    return np.asarray(((cases - expected) ** 2 / expected).sum(axis=-1) / (len(expected) - 1))


def _between(base: np.ndarray, cases: np.ndarray, rate: float) -> float:
    """Variance between the regions' rates on the square-root scale, the most extreme tenth at each end drawn in."""
    z = 2 * (np.sqrt(cases) - np.sqrt(base * rate))  # of variance 1 under Poisson
    phi = (z.clip(*np.quantile(z, [WINSORISED, 1 - WINSORISED])) ** 2).mean()
    weight = 4 * base  # 1 / variance of the root of a rate
    spread = (len(z) * phi - (len(z) - 1)) / (weight.sum() - (weight**2).sum() / weight.sum())
    return max(float(spread), 0.0)


def _funnel_limits(
    base: np.ndarray, rate: float, per: float, confidence: float, tau2: float
) -> tuple[np.ndarray, np.ndarray]:
    expected, tail = base * rate / per, (1 - confidence) / 2
    # Counts at which the exact limits of Poisson would just reach the expected one.
    high = gdtrib(1.0, tail, expected) * per / base
    low = np.maximum(gdtrib(1.0, 1 - tail, expected) - 1, 0) * per / base
    if not tau2:
        return low, high
    root, z = np.sqrt(rate), ndtri(1 - tail)
    wide = np.hypot(z * np.sqrt(tau2), np.sqrt(high) - root), np.hypot(z * np.sqrt(tau2), root - np.sqrt(low))
    return np.maximum(root - wide[1], 0) ** 2, (root + wide[0]) ** 2


def fifths(numbers: pd.Series) -> pd.Series:
    """Which fifth of the regions a value falls in, 1 the lowest; equal values share a fifth."""
    place = numbers.rank(method="average", pct=True) * 5
    return place.map(math.ceil).clip(1, 5)


def quarter_points(grid: Grid, year: int) -> tuple[float, float, float, float]:
    """Lowest value, quartiles and highest value of the regions of a year."""
    numbers = grid.frame(year)["number"]
    first, third = np.quantile(numbers, [0.25, 0.75])
    return float(numbers.min()), float(first), float(third), float(numbers.max())
