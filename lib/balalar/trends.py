"""Whether a series rises or falls by more than chance, and where it may not be read as one series."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import kendalltau, permutation_test, theilslopes

from balalar.cards import COUNTRY, Card, Codes

FEWEST = 5  # points below which no trend is claimed
ALPHA = 0.05
RESAMPLES = 9999
SEED = 2022


@dataclass(frozen=True)
class Trend:
    """A tested change over years.

    Attributes
    ----------
    direction : {"rises", "falls", "none", "untested"}
        ``none``: chance explains the changes. ``untested``: fewer than five years compare.
    first, last : int
        Years from which and to which the series compares with itself.
    points : int
    slope, low, high : float
        Median change a year and its 95 % limits (Theil and Sen); NaN where untested.
    """

    direction: Literal["rises", "falls", "none", "untested"]
    first: int
    last: int
    points: int
    slope: float = math.nan
    low: float = math.nan
    high: float = math.nan


def trend(years: Sequence[int], values: Sequence[float], breaks: Iterable[int] = ()) -> Trend:
    """Test the newest unbroken part of a series for a monotone change (Mann and Kendall, exact).

    Parameters
    ----------
    years, values : sequence
        In the order of time.
    breaks : iterable of int
        Years from which the series does not compare with what came before.

    Returns
    -------
    Trend

    References
    ----------
    H. Mann, Econometrica 13, 1945; M. Kendall, Rank Correlation Methods; P. Sen, Journal of the American Statistical
    Association 63, 1968.

    Examples
    --------
    >>> trend([2017, 2018, 2019, 2020, 2021], [1.0, 2.0, 3.0, 4.0, 5.0]).direction
    'rises'
    >>> trend([2017, 2018, 2019, 2020, 2021], [1.0, 2.0, 3.0, 4.0, 5.0], breaks=[2018]).direction
    'untested'
    """
    start = max((year for year in breaks if year <= years[-1]), default=years[0])
    x = np.array([year for year in years if year >= start])
    y = np.array([value for year, value in zip(years, values, strict=True) if year >= start], dtype=float)
    first, last, points = int(x[0]), int(x[-1]), len(x)
    if points < FEWEST:
        return Trend("untested", first, last, points)
    slope, _, low, high = (float(end) for end in theilslopes(y, x, alpha=1 - ALPHA))
    if _probability(x, y) >= ALPHA or slope == 0:
        return Trend("none", first, last, points, slope, low, high)
    return Trend("rises" if slope > 0 else "falls", first, last, points, slope, low, high)


def _probability(x: np.ndarray, y: np.ndarray) -> float:
    """Probability of so strong an order by chance; exact, by permutation where values tie."""
    if len(set(y)) == 1:
        return 1.0
    if len(set(y)) == len(y):
        return float(kendalltau(x, y, method="exact").pvalue)
    found = permutation_test(
        (y,),
        _score,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


def _score(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Kendall's S: pairs in rising order less pairs in falling order."""
    values = np.moveaxis(values, axis, -1)
    earlier, later = np.triu_indices(values.shape[-1], 1)
    return np.sign(values[..., later] - values[..., earlier]).sum(axis=-1)


def breaks_of(card: Card, codes: Codes, region: str) -> list[int]:
    """Years from which a region's series does not compare: breaks of the indicator, and new borders.

    Parameters
    ----------
    card : Card
    codes : Codes
    region : str
    """
    born = codes.regions[region].first
    # Figures that were recalculated to the new borders a year early compare from then on.
    early = {year + 1: year for year in card.recalculated}
    years = [*codes.split_years(region), *([born] if born else [])]
    moved = [] if region == COUNTRY else [early.get(year, year) for year in years]
    return sorted({*(one.year for one in card.breaks), *moved})
