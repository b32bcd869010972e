"""How unequal regions are: between the ends, along an order, and over all, weighted by children."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.regression.linear_model import WLS


def theil(values: ArrayLike, weights: ArrayLike) -> float:
    """Theil's T between regions: 0 where all are equal.

    Parameters
    ----------
    values : array_like
        Not negative, and not all zero; a region of zero adds nothing.
    weights : array_like
        Children of each region.

    References
    ----------
    H. Theil, Economics and Information Theory, 1967.

    Examples
    --------
    >>> round(theil([10, 20], [1, 1]), 4)
    0.0566
    """
    values, share = np.asarray(values, dtype=float), _shares(weights)
    relative = values / float(share @ values)
    safe = np.where(relative > 0, relative, 1.0)
    return float(share @ (relative * np.log(safe)))


def gini(values: ArrayLike, weights: ArrayLike) -> float:
    """Gini's coefficient between regions: mean absolute difference of two children's regions over twice the mean.

    Examples
    --------
    >>> round(gini([10, 20], [1, 1]), 4)
    0.1667
    """
    values, share = np.asarray(values, dtype=float), _shares(weights)
    apart = np.abs(values[:, None] - values[None, :])
    return float(share @ apart @ share / (2 * float(share @ values)))


@dataclass(frozen=True)
class Slope:
    """Difference between the bottom and the top of an order, as a straight line has it, with its 95 % limits."""

    difference: float
    low: float
    high: float


def slope_index(values: ArrayLike, order: ArrayLike, weights: ArrayLike) -> Slope:
    """Slope index of inequality: what the value gains from the first to the last child of an order.

    Parameters
    ----------
    values : array_like
        Value of each region.
    order : array_like
        What the regions are ordered by, for example poverty: from low to high.
    weights : array_like
        Children of each region.

    References
    ----------
    J. Mackenbach and A. Kunst, Social Science and Medicine 44, 1997; WHO, Handbook on health inequality monitoring,
    2013.
    """
    values, order, share = np.asarray(values, dtype=float), np.asarray(order, dtype=float), _shares(weights)
    place = ridits(order, share)
    fit = WLS(values, np.column_stack([np.ones_like(place), place]), weights=share).fit()
    (low, high) = fit.conf_int(0.05)[1]
    return Slope(float(fit.params[1]), float(low), float(high))


def ridits(order: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Share of all children who live below the middle of each region in an order; equal ones share a place.

    Examples
    --------
    >>> [round(float(one), 3) for one in ridits([1, 2, 2], [1, 1, 2])]
    [0.125, 0.625, 0.625]
    """
    order, share = np.asarray(order, dtype=float), _shares(weights)
    below = np.array([share[order < one].sum() for one in order])
    same = np.array([share[order == one].sum() for one in order])
    return below + same / 2


def concentration(values: ArrayLike, order: ArrayLike, weights: ArrayLike) -> float:
    """Concentration index along an order: above zero where the value gathers at its upper end.

    References
    ----------
    N. Kakwani, A. Wagstaff and E. van Doorslaer, Journal of Econometrics 77, 1997.

    Examples
    --------
    >>> round(concentration([1, 3], [1, 2], [1, 1]), 3)
    0.25
    """
    values, share = np.asarray(values, dtype=float), _shares(weights)
    mean = float(share @ values)
    return float(2 * (share * values) @ ridits(order, weights) / mean - 1)


def _shares(weights: ArrayLike) -> np.ndarray:
    weights = np.asarray(weights, dtype=float)
    return weights / weights.sum()
