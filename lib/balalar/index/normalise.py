"""From values to scores: one formula a method, on arrays whose last axis is the unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from balalar.spec import Indicator, Normalise

Array = np.ndarray
ROUNDING, DIGITS = 1e-12, 12  # of a float, relative to the size of the values
Function = Callable[[Array], Array]


def scored(
    values: Array,
    one: Indicator,
    rule: Normalise,
    span: tuple[float, float],
    blocks: Sequence[Array],
    change: Function | None = None,
    function: Function | None = None,
) -> Array:
    """Scores of an indicator.

    Parameters
    ----------
    values : array (…, unit)
    one : Indicator
        For its polarity, goalposts, target and points.
    rule : Normalise
    span : tuple of float
        Lowest and highest score, where the rule names none.
    blocks : sequence of array
        Positions of the units of each year.
    change : callable, optional
        Transformation that the values went through; goalposts, target and points go through it too.
    function : callable, optional
        Function of the values, for the method of that name.

    Returns
    -------
    array (…, unit)
        NaN where there is no value, and where a method divides by zero.
    """
    change = change or (lambda x: x)
    bad = one.polarity == "bad"
    if rule.method == "none":
        return values
    if rule.method == "function":
        assert function is not None
        return function(values)
    low, high = rule.score or span
    if rule.method == "points":
        xs, ys = np.array(one.points).T
        inside = np.interp(values, change(xs), ys)
        return np.where(np.isnan(values), np.nan, inside)
    if rule.method == "goalposts":
        assert one.goalposts is not None
        first, last = (float(end) for end in np.ravel(change(np.array(one.goalposts))))
        return _spread(values, first, last, bad, low, high, rule.clip)
    parts = blocks if rule.scope == "year" else [np.arange(values.shape[-1])]
    scores = np.full(values.shape, np.nan)
    for part in parts:
        scores[..., part] = _relative(values[..., part], one, rule, low, high, change)
    return scores


def _spread(
    values: Array, first: Array | float, last: Array | float, bad: bool, low: float, high: float, clip: bool
) -> Array:
    """Straight from the lowest score at one end to the highest at the other."""
    width = _width(np.asarray(last) - np.asarray(first), np.maximum(np.abs(first), np.abs(last)))
    share = (last - values) / width if bad else (values - first) / width
    if clip:
        share = np.clip(share, 0, 1)
    return low + share * (high - low)


def _width(width: Array, size: Array | float = 0.0) -> Array:
    """A width of a scale; NaN where there is none, or none beyond a float's own rounding of values of a size."""
    return np.where(width > ROUNDING * size, width, np.nan)


def settled(values: Array) -> Array:
    """Values without a float's own rounding, by which equal ones may differ in the last digit."""
    size = np.max(np.where(np.isnan(values), 0.0, np.abs(values)), axis=-1, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    return np.round(values / size, DIGITS)


def _relative(values: Array, one: Indicator, rule: Normalise, low: float, high: float, change: Function) -> Array:
    """A score by the place among the other values."""
    bad = one.polarity == "bad"
    sign = -1 if bad else 1
    if np.isnan(values).all(axis=-1).any():
        known = ~np.isnan(values).all(axis=-1)
        scores = np.full(values.shape, np.nan)
        if known.any():
            scores[known] = _relative(values[known], one, rule, low, high, change)
        return scores
    if rule.method in ("rank", "percentile"):
        places = rankdata(sign * settled(values), axis=-1, nan_policy="omit")
        if rule.method == "rank":
            return places
        count = (~np.isnan(values)).sum(axis=-1, keepdims=True)
        return low + (places - 1) / np.where(count > 1, count - 1, np.nan) * (high - low)
    if rule.method == "zscore":
        middle, sd = (
            np.nanmean(values, axis=-1, keepdims=True),
            np.nanstd(values, axis=-1, ddof=rule.ddof, keepdims=True),
        )
        size = np.nanmax(np.abs(values), axis=-1, keepdims=True)
        return rule.mean + rule.sd * sign * (values - middle) / _width(sd, size)
    first, last = np.nanmin(values, axis=-1, keepdims=True), np.nanmax(values, axis=-1, keepdims=True)
    if rule.method == "best":
        with np.errstate(divide="ignore", invalid="ignore"):
            share = first / values if bad else values / last
        return low + share * (high - low)
    if rule.method == "target":
        assert one.target is not None
        target = float(np.ravel(change(np.array([one.target])))[0])
        share = (last - values) / _width(last - target) if bad else (values - first) / _width(target - first)
        # Where even the worst has reached the target, all have.
        share = np.where(np.isnan(share) & ~np.isnan(values), 1.0, share)
        return low + (np.clip(share, 0, 1) if rule.clip else share) * (high - low)
    return _spread(values, first, last, bad, low, high, clip=False)
