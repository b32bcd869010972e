"""From the scores of the parts to the score of the whole, and from scores to places.

Arrays end in the axis of units; axes before it are replications.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from balalar.index.normalise import settled
from balalar.spec import Aggregate

Array = np.ndarray


def together(
    parts: Sequence[Array],
    weights: Sequence[Array | float],
    rule: Aggregate,
    span: tuple[float, float],
    blocks: Sequence[Array],
) -> Array:
    """The weighted mean of the parts, gaps left out.

    Parameters
    ----------
    parts : sequence of array (…, unit)
    weights : sequence of float or of array (…, 1)
    rule : Aggregate
    span : tuple of float
        Lowest and highest score, over which Copeland's wins and losses are spread.
    blocks : sequence of array
        Positions of the units of each year, within which Copeland compares.

    Returns
    -------
    array (…, unit)
        NaN where no part with a weight has a score.
    """
    shape = np.broadcast_shapes(*(np.shape(one) for one in (*parts, *weights)))
    scores = np.stack([np.broadcast_to(part, shape) for part in parts])
    heavy = np.stack([np.broadcast_to(weight, shape) for weight in weights]).astype(float)
    heavy = np.where(np.isnan(scores), 0.0, heavy)
    if rule.floor is not None:
        scores = np.maximum(scores, rule.floor)
    if rule.method == "copeland":
        found = np.full(shape, np.nan)
        for block in blocks:
            found[..., block] = _copeland(scores[..., block], heavy[..., block], span)
        return found
    scores = np.where(heavy == 0, 1.0, scores)  # a gap has no weight; 1 exists under every mean
    total = heavy.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = heavy / np.where(total == 0, np.nan, total)
        return from_power((share * to_power(scores, rule)).sum(axis=0), rule)


def exponent(rule: Aggregate) -> float:
    """Power of a mean: 1 arithmetic, 0 geometric, -1 harmonic."""
    return {"arithmetic": 1.0, "geometric": 0.0, "harmonic": -1.0}.get(rule.method, rule.power)


def to_power(scores: Array, rule: Aggregate) -> Array:
    """What a mean adds up: the scores to its power, or their logarithms."""
    power = exponent(rule)
    if power == 1:
        return scores
    return np.log(scores) if power == 0 else np.power(scores, power)


def from_power(total: Array, rule: Aggregate) -> Array:
    """From what a mean adds up back to a score."""
    power = exponent(rule)
    if power == 1:
        return total
    return np.exp(total) if power == 0 else np.power(total, 1 / power)


def impossible(scores: Array, rule: Aggregate) -> Array:
    """Where a score has no such mean: zero or less under a geometric or harmonic one."""
    power = exponent(rule)
    if rule.method == "copeland" or power == 1:
        return np.zeros(scores.shape, bool)
    low = scores if rule.floor is None else np.maximum(scores, rule.floor)
    return low <= 0 if power <= 0 else low < 0


def _copeland(scores: Array, heavy: Array, span: tuple[float, float]) -> Array:
    """Comparisons won less comparisons lost, from the lowest score for none won to the highest for all.

    A region wins against another if the parts in which it is ahead weigh more than half; a tie counts half each way.
    """
    units = scores.shape[-1]
    balance = np.zeros((*scores.shape[1:], units))
    for one, weight in zip(scores, heavy, strict=True):
        both = np.minimum(weight[..., :, None], weight[..., None, :])
        ahead = np.sign(one[..., :, None] - one[..., None, :])
        balance += np.where(both > 0, both * np.nan_to_num(ahead), 0.0)
    alone = (heavy.sum(axis=0) == 0)[..., None]
    won = np.where(alone | np.swapaxes(alone, -1, -2), 0.0, np.sign(np.round(balance, 12)))
    rivals = (~alone[..., 0]).sum(axis=-1, keepdims=True) - 1
    low, high = span
    share = (won.sum(axis=-1) / np.where(rivals == 0, np.nan, rivals) + 1) / 2
    return np.where(alone[..., 0], np.nan, low + share * (high - low))


def places(scores: Array, blocks: Sequence[Array]) -> Array:
    """Ranks within each year, 1 the highest score; equal scores share the better place, gaps have none."""
    found = np.full(scores.shape, np.nan)
    for block in blocks:
        part = -settled(scores[..., block])  # sums in another order differ in the last bits
        with np.errstate(invalid="ignore"):
            ranks = rankdata(np.where(np.isnan(part), np.inf, part), method="min", axis=-1)
        found[..., block] = np.where(np.isnan(part), np.nan, ranks)
    return found
