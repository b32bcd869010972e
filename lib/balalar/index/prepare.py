"""From raw values to values that can be compared: denominated, filled, transformed, freed of outliers.

All functions work on arrays whose last axis is the unit (a region in a year); axes before it are replications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import boxcox_normmax

from balalar.spec import Impute, Treat

Array = np.ndarray
Blocks = Sequence[np.ndarray]  # positions of the units of each year
SHIFT = 0.01  # share of the range by which log_shifted keeps the lowest value from zero
PLAIN: dict[str, Callable[[Array], Array]] = {
    "none": lambda x: x,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
}
ENOUGH = 4  # values without which kurtosis has no meaning


# -- missing values ----------------------------------------------------------------------------------------


def filled(
    values: Mapping[str, Array], name: str, rule: Impute, blocks: Blocks, groups: Array | None, earlier: Array
) -> Array:
    """An indicator with its gaps filled, as far as the rule can.

    Parameters
    ----------
    values : mapping of str to array (…, unit)
    name : str
        Indicator to fill.
    rule : Impute
    blocks : sequence of array
        Positions of the units of each year, oldest first.
    groups : array (unit,), optional
        Group of each unit, where the rule names a column.
    earlier : array (unit,)
        Position of the same region in the year before in the data, -1 where there is none.
    """
    own = values[name]
    gaps = np.isnan(own)
    if rule.method == "none" or not gaps.any():
        return own
    if rule.method == "regression":
        return _regressed(own, [values[other] for other in rule.predictors])
    full = own.copy()
    if rule.method == "latest":
        for block in blocks:
            before = earlier[block]
            older = np.where(before >= 0, full[..., before], np.nan)
            full[..., block] = np.where(gaps[..., block], older, full[..., block])
        return full
    middle = np.nanmean if rule.method == "mean" else np.nanmedian
    for rows in _cells(blocks, groups):
        known = own[..., rows]
        if np.isnan(known).all():
            continue
        full[..., rows] = np.where(np.isnan(known), middle(known, axis=-1, keepdims=True), known)
    return full


def _cells(blocks: Blocks, groups: Array | None) -> list[Array]:
    """Positions of the units of each year, or of each group in each year."""
    if groups is None:
        return list(blocks)
    return [block[groups[block] == one] for block in blocks for one in pd.unique(groups[block]) if not pd.isna(one)]


def _regressed(own: Array, others: Sequence[Array]) -> Array:
    """Gaps filled by least squares on other indicators, fitted to all units that have all of them."""
    shape = np.broadcast_shapes(own.shape, *(other.shape for other in others))
    full = np.broadcast_to(own, shape).copy()
    design = np.stack([np.ones(shape), *(np.broadcast_to(other, shape) for other in others)], axis=-1)
    complete = ~np.isnan(design).any(axis=-1)
    # Where values are missing does not change from one replication to the next.
    first = (0,) * (len(shape) - 1)
    fit = complete[first] & ~np.isnan(full[first])
    wanted = complete[first] & np.isnan(full[first])
    if fit.sum() <= design.shape[-1]:
        return full
    slopes = np.linalg.pinv(design[..., fit, :]) @ full[..., fit, None]
    full[..., wanted] = (design[..., wanted, :] @ slopes)[..., 0]
    return full


# -- transformations ---------------------------------------------------------------------------------------


def transformation(name: str, sample: Array) -> Callable[[Array], Array]:
    """A transformation, fitted to a sample where it depends on one.

    Parameters
    ----------
    name : str
        ``log``, ``log10``, ``log1p``, ``sqrt``: the function of that name. ``log_shifted``: the log of the distance
        from the lowest value plus 1 % of the range. ``log_gii``: ln((highest - 1)(x - lowest) / (highest - lowest) +
        1), which the Global Innovation Index uses. ``boxcox``: the power of greatest likelihood.
    sample : array (…, unit)
    """
    if name in PLAIN:
        return PLAIN[name]
    low, high = np.nanmin(sample, axis=-1, keepdims=True), np.nanmax(sample, axis=-1, keepdims=True)
    if name == "log_shifted":
        return lambda x: np.log(x - low + SHIFT * (high - low))
    if name == "log_gii":
        return lambda x: np.log((high - 1) * (x - low) / (high - low) + 1)
    known = sample[sample > 0]
    power = float(boxcox_normmax(known, method="mle"))
    return lambda x: np.log(x) if abs(power) < 1e-12 else (np.power(x, power) - 1) / power


def outside(name: str, values: Array) -> Array:
    """Where a transformation does not exist."""
    if name in ("log", "log10", "boxcox"):
        return values <= 0
    if name == "log1p":
        return values <= -1
    return values < 0 if name == "sqrt" else np.zeros(values.shape, bool)


# -- outliers ------------------------------------------------------------------------------------------------


def shape_of(values: Array) -> tuple[Array, Array]:
    """Sample-adjusted skewness and excess kurtosis along the last axis, gaps left out."""
    table = pd.DataFrame(values.reshape(-1, values.shape[-1]).T)
    return (
        table.skew().to_numpy().reshape(values.shape[:-1]),
        table.kurt().to_numpy().reshape(values.shape[:-1]),
    )


def flagged(values: Array, rule: Treat) -> tuple[Array, Array]:
    """Whether outliers are suspected, and the skewness."""
    skew, kurtosis = shape_of(values)
    return (np.abs(skew) > rule.skew) & (kurtosis > rule.kurtosis), skew


def winsorised(values: Array, rule: Treat) -> tuple[Array, Array, Array, Array]:
    """Values with the farthest ones put to the next, as often as needed and allowed.

    Returns
    -------
    treated : array (…, unit)
    lows, highs : array (…)
        How many values were moved at either end.
    still : array (…)
        Whether outliers are suspected even so.
    """
    ranked = np.sort(values, axis=-1)  # gaps come last
    count = (~np.isnan(values)).sum(axis=-1)
    lows, highs = np.zeros(values.shape[:-1], int), np.zeros(values.shape[:-1], int)
    treated = values
    still, skew = flagged(treated, rule)
    for _ in range(rule.most):
        move = still & (lows + highs < count - ENOUGH)
        if not move.any():
            break
        highs, lows = highs + (move & (skew > 0)), lows + (move & (skew < 0))
        low = np.take_along_axis(ranked, lows[..., None], -1)
        high = np.take_along_axis(ranked, (count - 1 - highs)[..., None].clip(0), -1)
        treated = np.clip(values, low, high)
        still, skew = flagged(treated, rule)
    return treated, lows, highs, still


def treated(values: Array, rule: Treat) -> Array:
    """Values freed of outliers by the rule, where any are suspected."""
    if rule.method == "none" or (~np.isnan(values)).sum(axis=-1).min() < ENOUGH:
        return values
    if rule.method == "winsorise":
        moved, _, _, still = winsorised(values, rule)
        if rule.otherwise is None or not still.any():
            return moved
        return np.where(still[..., None], transformation(rule.otherwise, values)(values), moved)
    suspected, _ = flagged(values, rule)
    if not suspected.any():
        return values
    return np.where(suspected[..., None], transformation(rule.method, values)(values), values)
