"""Why a score is what it is, what moved it, and what would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from balalar.errors import RequestError
from balalar.index.aggregate import exponent, from_power, places, to_power
from balalar.index.build import Array, Index
from balalar.index.prepare import PLAIN
from balalar.spec import Aggregate

Unit = tuple[str, int]
NEAR = 1e-9
STRAIGHT = ("minmax", "goalposts", "zscore", "target", "none")  # scores run straight with the values
BACK: dict[str, Callable[[Array], Array]] = {  # from a plain transformation to the value
    "none": lambda x: x,
    "log": np.exp,
    "log10": lambda x: 10**x,
    "log1p": np.expm1,
    "sqrt": np.square,
}


# -- contributions -------------------------------------------------------------------------------------------


def contributions(index: Index, group: str | None = None) -> pd.DataFrame:
    """What each indicator brings to a score; they add up to it exactly.

    Under an arithmetic mean a part brings its weight times its score. Under another power mean y with exponent p it
    brings w x^p / y^(p - 1), the share of w x^p that it has in their sum; under a geometric mean, the limit of that,
    w y.

    Parameters
    ----------
    index : Index
    group : str, optional
        Whose score; the index itself, if left out.

    Returns
    -------
    DataFrame
        A row a region and year, a column an indicator below the group; NaN where the unit has no score, 0 where it
        has no value of the indicator.
    """
    group = _plain(index, group)
    found = _brought(index, group)
    table = pd.DataFrame({name: found[name] for name in index.spec.leaves(group)}, index.scores.index)
    return table.where(index.scores[group].notna())


def _brought(index: Index, group: str) -> dict[str, Array]:
    """What each indicator brings to the score of a group."""
    parts, weights, rule = _parts(index, group)
    power, score = exponent(rule), _score(index, group)
    found: dict[str, Array] = {}
    for name, part, weight in zip(index.spec.children[group], parts, weights, strict=True):
        here = weight > 0
        part = np.where(here, part, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            # How many points of the group a point of the part brings; under an arithmetic mean its weight.
            factor = weight if power == 1 else weight * np.power(part, power - 1) * np.power(score, 1 - power)
        own = _brought(index, name) if name in index.spec.groups else {name: part}
        # A part without a score brings nothing.
        found |= {leaf: np.where(here, factor * one, 0.0) for leaf, one in own.items()}
    return found


def _parts(index: Index, group: str) -> tuple[Array, Array, Aggregate]:
    """Scores and weights (part, unit) of the parts of a group as they were put together, and the rule."""
    names = index.spec.children[group]
    rule = index.problem.rule(group, index.problem.rules)
    scores = np.stack([_score(index, name) for name in names])
    if rule.floor is not None:
        scores = np.maximum(scores, rule.floor)
    weights = np.where(np.isnan(scores), 0.0, np.array([index.by_group[group][name] for name in names])[:, None])
    total = weights.sum(axis=0)
    return scores, weights / np.where(total == 0, np.nan, total), rule


def _score(index: Index, name: str) -> Array:
    table = index.scores if name in index.scores else index.stages["normalised"]
    return table[name].to_numpy(float)


def _plain(index: Index, group: str | None) -> str:
    """The group, if its score can be split into its parts."""
    group = group or index.spec.top
    if group not in index.spec.groups:
        raise RequestError(f"group: there is no {group!r}; there are {', '.join(index.spec.groups)}")
    for name in index.spec.groups:
        within = name == group or set(index.spec.leaves(name)) <= set(index.spec.leaves(group))
        if not within:
            continue
        if index.problem.rule(name, index.problem.rules).method == "copeland":
            raise RequestError(f"{name}: Copeland's scores compare whole regions and have no parts to split into")
        if index.spec.groups[name].normalise:
            raise RequestError(f"{name}: its score is normalised again, so it has no exact parts")
    return group


def difference(index: Index, one: Unit, other: Unit, group: str | None = None) -> pd.Series:
    """Split the difference of two scores into the indicators; the parts add up to it exactly.

    The units may be a region in two years, or two regions. For a power mean y with y^p = sum of w x^p each part's
    w x^p is taken at both ends, and their difference is scaled by the difference of y over that of y^p (of the
    logarithms for a geometric mean). A value that only one of the two has counts whole.

    Parameters
    ----------
    index : Index
    one, other : tuple of str and int
        Region and year; the difference is ``other`` less ``one``.
    group : str, optional
        Whose score; the index itself, if left out.

    Returns
    -------
    Series
        By indicator.
    """
    group = _plain(index, group)
    at = [_at(index, unit) for unit in (one, other)]
    if np.isnan(_score(index, group)[at]).any():
        raise RequestError(f"{group}: {one} or {other} has no score")
    moved = _moved(index, group, at)
    return pd.Series({name: moved[name] for name in index.spec.leaves(group)}, name=group)


def _moved(index: Index, group: str, at: list[int]) -> dict[str, float]:
    """What each indicator brings to the difference of a group's scores between two units."""
    parts, weights, rule = _parts(index, group)
    parts, weights = parts[:, at], weights[:, at]
    powers = to_power(np.where(weights > 0, parts, 1.0), rule)
    slope = _slope((weights * powers).sum(axis=0), rule)
    found: dict[str, float] = {}
    for name, part, weight, power in zip(index.spec.children[group], parts, weights, powers, strict=True):
        whole = float(slope * (weight[1] * power[1] - weight[0] * power[0]))
        if name not in index.spec.groups:
            found[name] = whole
            continue
        moved = 0.0
        if (weight > 0).all():
            factor = slope * weight.mean() * _steepness(part, power, rule)
            moved = factor * float(part[1] - part[0])
            found |= {leaf: factor * one for leaf, one in _moved(index, name, at).items()}
        # What a change of the part's own weight brings, as where a gap moves it to others, is spread over its leaves.
        for leaf, share in _spread(index, name, at).items() if abs(whole - moved) > NEAR else ():
            found[leaf] = found.get(leaf, 0.0) + (whole - moved) * share
    return found


def _steepness(part: Array, power: Array, rule: Aggregate) -> float:
    """How far what a mean adds up moves for each point of a part, between two scores of it."""
    first, last = (float(one) for one in part)
    if abs(last - first) > NEAR * max(abs(first), abs(last)):
        return float(power[1] - power[0]) / (last - first)
    exact = exponent(rule)
    return 1 / first if exact == 0 else exact * first ** (exact - 1)


def _slope(sums: Array, rule: Aggregate) -> float:
    """How far a mean moves for each unit that its sum moves, between two sums."""
    power, (first, last) = exponent(rule), (float(one) for one in sums)
    if power == 1:
        return 1.0
    score, other = (float(from_power(np.asarray(one), rule)) for one in (first, last))
    if abs(last - first) > NEAR * max(abs(first), abs(last)):
        return (other - score) / (last - first)
    return score if power == 0 else float(score ** (1 - power)) / power  # the curve's own slope there


def _spread(index: Index, group: str, at: list[int]) -> dict[str, float]:
    """Shares of the indicators in a group's score, in the first of two units that has one; equal where it is 0."""
    known = next(place for place in at if not np.isnan(index.scores[group].iloc[place]))
    brought = {name: float(one[known]) for name, one in _brought(index, group).items()}
    whole = sum(brought.values())
    return {name: one / whole if abs(whole) > NEAR else 1 / len(brought) for name, one in brought.items()}


def _at(index: Index, unit: Unit) -> int:
    units = list(index.problem.units)
    if unit not in units:
        raise RequestError(f"{unit[0]} {unit[1]}: the index has no such region and year")
    return units.index(unit)


def _block(index: Index, at: int) -> Array:
    """Positions of the units of the same year."""
    return next(block for block in index.problem.blocks if at in block)


# -- what would have to change ---------------------------------------------------------------------------------


def to_reach(index: Index, region: str, year: int, score: float) -> pd.DataFrame:
    """What one indicator alone must become for the index to reach a score, everything else as it is.

    The scale stays as it is: goalposts, and the lowest and highest values, though this region's may be one of them.

    Returns
    -------
    DataFrame
        A row an indicator: now, needed (in its unit; NaN where no score within the scale is enough), score_now,
        score_needed, best (of all regions of the year), feasible (whether a region is already there).
    """
    _plain(index, None)
    at = _at(index, (region, year))
    block = _block(index, at)
    now, recipe = _scores(index, at), _recipe(index, at)
    rows = {}
    for name in index.spec.indicators:
        scores = index.stages["normalised"][name].to_numpy()[block]
        needed = _solved(recipe, now, score, name, _ceiling(index, name, scores))
        best = block[int(np.nanargmax(scores))]
        value = index.stages["denominated"][name]
        rows[name] = {
            "now": value.iloc[at],
            "needed": _value(index, name, needed, block),
            "score_now": now[name],
            "score_needed": needed,
            "best": value.iloc[best],
            "feasible": bool(needed <= np.nanmax(scores) + NEAR) if not np.isnan(needed) else False,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("indicator")


def _ceiling(index: Index, name: str, scores: Array) -> float:
    """Highest score that an indicator can have."""
    one = index.spec.indicators[name]
    rule = one.normalise or index.spec.normalise
    if rule.method == "points":
        return max(score for _, score in one.points)
    if rule.method in ("minmax", "goalposts", "target", "percentile", "best"):
        return max((rule.score or index.spec.score)[1], float(np.nanmax(scores)))
    return float(np.nanmax(scores))


def _scores(index: Index, at: int) -> dict[str, float]:
    """Scores of the indicators of one unit."""
    table = index.stages["normalised"]
    return {name: float(table[name].iloc[at]) for name in index.spec.indicators}


def _solved(recipe: Recipe, scores: dict[str, float], score: float, name: str, ceiling: float) -> float:
    """Score of one indicator with which the index reaches a score."""
    now = scores[name]
    if np.isnan(now):
        return np.nan

    def short(own: float) -> float:
        return _total(recipe, scores | {name: own}) - score

    if short(now) >= 0:
        return now
    if short(ceiling) < -NEAR:
        return np.nan
    return ceiling if short(ceiling) <= 0 else float(brentq(short, now, ceiling, xtol=1e-10))


Recipe = list[tuple[str, list[str], Array, Aggregate]]


def _recipe(index: Index, at: int) -> Recipe:
    """Each group with its parts, their weights in one unit, and its rule, from the lowest up."""
    found: Recipe = []
    for group in index.spec.upwards:
        _, weights, rule = _parts(index, group)
        found.append((group, index.spec.children[group], weights[:, at], rule))
    return found


def _total(recipe: Recipe, scores: dict[str, float]) -> float:
    """Score of the index of one unit, were its indicators' scores these."""
    known = dict(scores)
    for group, names, weights, rule in recipe:
        own = np.array([known[name] for name in names])
        if rule.floor is not None:
            own = np.maximum(own, rule.floor)
        own = np.where(weights > 0, own, 1.0)  # a gap has no weight; 1 exists under every mean
        known[group] = float(from_power((weights * to_power(own, rule)).sum(), rule))
    return known[recipe[-1][0]]


def _value(index: Index, name: str, score: float, block: Array) -> float:
    """Value of an indicator that has a score; NaN where scores do not run straight with the transformed values."""
    one = index.spec.indicators[name]
    rule, how = one.normalise or index.spec.normalise, one.transform or index.spec.transform
    if np.isnan(score) or rule.method not in STRAIGHT or how not in BACK or _turned(index, name):
        return np.nan
    low, high = rule.score or index.spec.score
    if rule.method == "goalposts" and one.goalposts:
        first, last = (float(end) for end in PLAIN[how](np.array(one.goalposts)))
        share = (score - low) / (high - low)
        moved = last - share * (last - first) if one.polarity == "bad" else first + share * (last - first)
    else:
        moved = _along(index, name, score, block, (low, high) if rule.method == "target" else (-np.inf, np.inf))
    return float(BACK[how](np.array(moved)))


def _turned(index: Index, name: str) -> bool:
    """Whether outliers have brought a transformation of the whole indicator."""
    rule = index.spec.indicators[name].treat or index.spec.treat
    ways = {rule.method, rule.otherwise} - {"none", "winsorise", None}
    log = index.log
    return bool(ways) and bool(((log["step"] == "treat") & (log["item"] == name)).any())


def _along(index: Index, name: str, score: float, block: Array, ends: tuple[float, float]) -> float:
    """Value on the straight line through the lowest and the highest score between two ends."""
    scores = index.stages["normalised"][name].to_numpy()[block]
    values = index.stages["treated"][name].to_numpy()[block]
    inside = np.flatnonzero((scores > ends[0]) & (scores < ends[1]) & ~np.isnan(values))
    if np.unique(scores[inside]).size < 2:
        return np.nan
    first, last = inside[[np.argmin(scores[inside]), np.argmax(scores[inside])]]
    slope = (values[last] - values[first]) / (scores[last] - scores[first])
    return float(values[first] + slope * (score - scores[first]))


def cheapest(index: Index, region: str, year: int, score: float) -> pd.DataFrame:
    """A cheap set of indicators that lifts the index to a score, none beyond the best region of the year.

    The cost of an indicator is the share of its gap to the best region that has to be closed. Under arithmetic means
    each gap, wholly closed, brings a fixed number of points, so that closing the largest gains first is cheapest and
    takes the fewest indicators; under other means each next step is the one that brings most, which need not be
    cheapest in all.

    Returns
    -------
    DataFrame
        A row an indicator, in the order of the steps: score_now, score_needed, score_best, closed (share of the gap),
        reached (score of the index after the step). Empty where the score is reached already; ``attrs["reached"]``
        says whether the score can be reached at all.
    """
    _plain(index, None)
    at = _at(index, (region, year))
    block = _block(index, at)
    table = index.stages["normalised"].iloc[block]
    now, recipe = _scores(index, at), _recipe(index, at)
    best = {name: float(table[name].max()) for name in now}
    open_ = [name for name in now if best[name] > now[name] + NEAR]  # never true of a gap
    scores, rows, reached = dict(now), [], float(index.total.iloc[at])
    while open_ and reached < score - NEAR:
        gains = {name: _total(recipe, scores | {name: best[name]}) for name in open_}
        name = max(gains, key=lambda one: gains[one])
        open_.remove(name)
        closed = _closed(recipe, scores, name, best[name], score) if gains[name] > score else 1.0
        scores[name] = now[name] + closed * (best[name] - now[name])
        reached = _total(recipe, scores)
        rows.append((name, now[name], scores[name], best[name], closed, reached))
    columns = ["indicator", "score_now", "score_needed", "score_best", "closed", "reached"]
    found = pd.DataFrame(rows, columns=columns).set_index("indicator")
    found.attrs["reached"] = bool(reached >= score - 1e-6)
    return found


def _closed(recipe: Recipe, scores: dict[str, float], name: str, best: float, score: float) -> float:
    """Share of an indicator's gap to the best that has to be closed for the index to reach a score."""
    now = scores[name]

    def short(closed: float) -> float:
        return _total(recipe, scores | {name: now + closed * (best - now)}) - score

    return float(brentq(short, 0, 1, xtol=1e-12))


# -- regions among themselves ------------------------------------------------------------------------------------


def strengths(index: Index, region: str, year: int) -> pd.DataFrame:
    """Indicators of a region by its distance from the middle region of the year, the best first.

    Returns
    -------
    DataFrame
        A row an indicator: score, median (of the year), ahead (score less median), rank, of (regions with a value).
    """
    at = _at(index, (region, year))
    block = _block(index, at)
    table = index.stages["normalised"].iloc[block]
    own = index.stages["normalised"].iloc[at]
    ranks = places(table.to_numpy().T, [np.arange(len(block))])[:, list(block).index(at)]
    found = pd.DataFrame(
        {"score": own, "median": table.median(), "ahead": own - table.median(), "rank": ranks, "of": table.count()}
    )
    return found.dropna(subset="score").sort_values("ahead", ascending=False, kind="stable").rename_axis("indicator")


def alike(index: Index, year: int) -> pd.DataFrame:
    """Distance between regions: the root of the mean square difference of the scores that both have.

    Returns
    -------
    DataFrame
        A row and a column a region; NaN on the diagonal and where two have nothing in common.
    """
    table = index.stages["normalised"].xs(year, level="year")
    values = table.to_numpy()
    with np.errstate(invalid="ignore"):
        apart = np.sqrt(_mean((values[:, None, :] - values[None, :, :]) ** 2))
    np.fill_diagonal(apart, np.nan)
    return pd.DataFrame(apart, table.index, table.index)


def _mean(squares: Array) -> Array:
    count = (~np.isnan(squares)).sum(axis=-1)
    return np.nansum(squares, axis=-1) / np.where(count == 0, np.nan, count)


# -- indicators among themselves ----------------------------------------------------------------------------------


def coherence(index: Index, method: Literal["pearson", "spearman", "kendall"] = "pearson") -> pd.DataFrame:
    """How each indicator goes with its own group and with the others of the same level.

    Parameters
    ----------
    index : Index
    method : {"pearson", "spearman", "kendall"}

    Returns
    -------
    DataFrame
        A row an indicator: group, own (correlation with the group without it), total (with the index), other,
        other_group (the highest correlation with another group of that level), flag: ``against`` where it runs
        against its own group, ``elsewhere`` where it goes better with another.
    """
    spec, scores = index.spec, index.stages["normalised"]
    rows: dict[str, dict[str, Any]] = {}
    for name, one in spec.indicators.items():
        group = one.parent
        fellows = [other for other in spec.leaves(group) if other != name]
        own = scores[name].corr(scores[fellows].mean(axis=1), method=method) if fellows else np.nan
        rivals = {
            other: scores[name].corr(index.scores[other], method=method)
            for other in spec.groups
            if spec.depth[other] == spec.depth[group] and other != group
        }
        best = max(rivals, key=lambda other: np.nan_to_num(rivals[other], nan=-2.0), default="")
        other = rivals.get(best, np.nan)
        flag = "against" if own < 0 else ("elsewhere" if other > own else "")
        total = scores[name].corr(index.total, method=method)
        rows[name] = {"group": group, "own": own, "total": total, "other": other, "other_group": best, "flag": flag}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("indicator")


def reliability(index: Index) -> pd.Series:
    """Cronbach's alpha of each group of at least two parts: how far its parts measure one thing.

    k / (k - 1) * (1 - sum of the parts' variances / variance of their sum), over the units that have all parts.

    Returns
    -------
    Series
        By group; NaN where fewer than three units have all parts.
    """
    found = {}
    for group, names in index.spec.children.items():
        if len(names) < 2:
            continue
        parts = pd.DataFrame({name: _score(index, name) for name in names}).dropna()
        found[group] = np.nan if len(parts) < 3 else alpha(parts)
    return pd.Series(found, name="alpha", dtype=float)


def alpha(parts: pd.DataFrame) -> float:
    """Cronbach's alpha of columns without gaps."""
    count, whole = parts.shape[1], parts.sum(axis=1).var()
    return float(count / (count - 1) * (1 - parts.var().sum() / whole)) if whole > 0 else np.nan
