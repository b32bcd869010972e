"""Intervals of chance around a figure: what else it might have been, had chance fallen out otherwise.

Counts: exact below ten cases, Byar's approximation from ten (as Fingertips does). Shares: Wilson's score interval.
Differences and ratios of two figures: from the intervals of both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

CONFIDENCE = (0.95, 0.998)  # of a single comparison, and of one among some twenty
EXACT_BELOW = 10  # cases; from here on Byar's approximation is within 0.2 % of the exact limits
Limits = tuple[np.ndarray, np.ndarray]


def poisson(cases: ArrayLike, confidence: float) -> Limits:
    """Limits of the expected number of cases, given how many happened.

    Parameters
    ----------
    cases : array_like
        Whole numbers of cases.
    confidence : float
        For example 0.95.

    Returns
    -------
    low, high : ndarray
        The limits for each count.

    References
    ----------
    F. Garwood, Biometrika 28, 1936 (exact); N. Breslow and N. Day, Statistical Methods in Cancer Research II, IARC
    1987, page 69 (Byar).

    Examples
    --------
    >>> [round(float(end), 2) for end in poisson(3, 0.95)]
    [0.62, 8.77]
    """
    cases = np.asarray(cases, dtype=float)
    exact_low, exact_high = confint_poisson(cases, 1.0, method="exact-c", alpha=1 - confidence)
    z = ndtri((1 + confidence) / 2)
    some = np.maximum(cases, 1.0)
    low = some * (1 - 1 / (9 * some) - z / (3 * np.sqrt(some))) ** 3
    high = (some + 1) * (1 - 1 / (9 * (some + 1)) + z / (3 * np.sqrt(some + 1))) ** 3
    few = cases < EXACT_BELOW
    # No case leaves no lower limit but zero, for which the library has no number.
    return np.where(few, np.nan_to_num(exact_low), low), np.where(few, exact_high, high)


def wilson(share: ArrayLike, people: ArrayLike, confidence: float) -> Limits:
    """Limits of a share, given the share found among so many people.

    Parameters
    ----------
    share : array_like
        From 0 to 1.
    people : array_like
        Number of people of whom it is the share; of a clustered sample the number divided by its design effect.
    confidence : float

    Returns
    -------
    low, high : ndarray

    References
    ----------
    E. Wilson, Journal of the American Statistical Association 22, 1927; R. Newcombe, Statistics in Medicine 17, 1998.

    Examples
    --------
    >>> [round(float(end), 4) for end in wilson(81 / 263, 263, 0.95)]
    [0.2553, 0.3662]
    """
    share, people = np.asarray(share, dtype=float), np.asarray(people, dtype=float)
    low, high = proportion_confint(share * people, people, alpha=1 - confidence, method="wilson")
    # A share of none or all leaves a float's rounding behind.
    return np.clip(np.asarray(low), 0, share), np.clip(np.asarray(high), share, 1)


Triple = tuple[float, float, float]


def difference(one: Triple, other: Triple) -> tuple[float, float]:
    """Limits of the difference of two independent figures, from the limits of each.

    For shares with Wilson's limits this is Newcombe's interval.

    Parameters
    ----------
    one, other : (value, low, high)
        Both limits at the same confidence.

    References
    ----------
    R. Newcombe, Statistics in Medicine 17, 1998, page 873, method 10; G. Zou and A. Donner, Statistics in Medicine
    27, 2008.

    Examples
    --------
    >>> one, other = ((p, *map(float, wilson(p, n, 0.95))) for p, n in ((0.8, 70), (0.6, 80)))
    >>> [round(end, 4) for end in difference(one, other)]
    [0.0524, 0.3339]
    """
    (a, a_low, a_high), (b, b_low, b_high) = one, other
    apart = a - b
    down = float(np.hypot(a - a_low, b_high - b))
    up = float(np.hypot(a_high - a, b - b_low))
    return apart - down, apart + up


def ratio(one: Triple, other: Triple) -> tuple[float, float]:
    """Limits of the ratio of two independent figures, from the limits of each.

    Parameters
    ----------
    one, other : (value, low, high)
        Both limits at the same confidence; not negative.

    Returns
    -------
    low, high : float
        ``high`` is infinite where the other figure may be zero.

    References
    ----------
    A. Donner and G. Zou, Statistical Methods in Medical Research 21, 2012, page 347.
    """
    (a, a_low, a_high), (b, b_low, b_high) = one, other
    whole = a * b
    under = b_high * (2 * b - b_high)
    over = b_low * (2 * b - b_low)
    if under:
        low = _root(whole, a_low * (2 * a - a_low) * under, under, -1)
    else:
        low = a_low * (2 * a - a_low) / (2 * whole) if whole else 0.0
    high = _root(whole, a_high * (2 * a - a_high) * over, over, 1) if over else np.inf
    return max(float(low), 0.0) + 0.0, float(high)


def _root(whole: float, product: float, over: float, sign: int) -> float:
    return (whole + sign * float(np.sqrt(max(whole**2 - product, 0.0)))) / over
