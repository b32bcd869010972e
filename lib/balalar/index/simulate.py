"""What is not certain about an index: errors of the data and choices of method, drawn many times over.

Each replication draws every value within its error, takes one rule of each kind that the spec leaves open, varies the
weights and perhaps leaves an indicator out; then all steps are done again. Errors of different values are drawn
independently; both years of a region go through the same choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from balalar.errors import RequestError
from balalar.index.aggregate import impossible, places
from balalar.index.build import Array, Arrays, Index, Problem, Rules, Weights, build, refused, zones
from balalar.index.noise import noisy
from balalar.index.normalise import settled
from balalar.spec import Uncertainty

BATCH = 500  # replications held in memory at a time
STEPS = ("impute", "treat", "normalise", "aggregate")


# -- choices of method ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choices:
    """What each replication takes.

    Attributes
    ----------
    steps : dict of str to array (replication,)
        Number of the alternative of each step that has any.
    spread : dict of str to array (replication,)
        What the weight of each node is multiplied by; empty where weights are certain.
    left_out : array (replication,)
        Number of the indicator that is left out, -1 for none.
    """

    steps: dict[str, Array]
    spread: dict[str, Array]
    left_out: Array

    def __len__(self) -> int:
        return len(self.left_out)

    def at(self, rows: Any) -> Choices:
        """The choices of some replications."""
        return Choices(
            {name: one[rows] for name, one in self.steps.items()},
            {name: one[rows] for name, one in self.spread.items()},
            self.left_out[rows],
        )


def drawn_choices(index: Index, doubt: Uncertainty, size: int, chance: np.random.Generator) -> Choices:
    """Choices drawn evenly and independently."""
    nodes = [*index.spec.indicators, *index.spec.groups]
    steps = {name: chance.integers(len(getattr(doubt, name)), size=size) for name in STEPS if getattr(doubt, name)}
    width = doubt.weights.spread if doubt.weights else 0.0
    spread = {name: chance.uniform(1 - width, 1 + width, size) for name in nodes} if width else {}
    count = len(index.spec.indicators)
    out = chance.integers(-1, count, size=size) if doubt.leave_out else np.full(size, -1)
    return Choices(steps, spread, out)


def scores_of(index: Index, doubt: Uncertainty, choices: Choices, raw: Arrays) -> Arrays:
    """Scores of the groups under some choices.

    Parameters
    ----------
    index : Index
    doubt : Uncertainty
        Whose alternatives the choices count.
    choices : Choices
    raw : dict of str to array
        Values, (unit,) or (replication, unit).

    Returns
    -------
    dict of str to array (replication, unit)
    """
    problem, size = index.problem, len(choices)
    found = {name: np.empty((size, len(problem.units))) for name in index.spec.groups}
    options = [range(len(getattr(doubt, name))) if name in choices.steps else [0] for name in STEPS]
    for taken in product(*options):
        same = np.ones(size, bool)
        for name, number in zip(STEPS, taken, strict=True):
            if name in choices.steps:
                same &= choices.steps[name] == number
        if not same.any():
            continue
        rules = _rules(index, doubt, dict(zip(STEPS, taken, strict=True)))
        rows = np.flatnonzero(same)
        part = {name: one if one.ndim == 1 else one[rows] for name, one in raw.items()}
        scores = problem.scores(part, rules)
        groups = problem.aggregated(scores, rules, _weights(index, choices.at(rows)), _checked(problem, rules))
        for name, one in groups.items():
            found[name][rows] = one
    return found


def _rules(index: Index, doubt: Uncertainty, taken: dict[str, int]) -> Rules:
    own = index.problem.rules
    chosen = {name: getattr(doubt, name)[number] for name, number in taken.items() if getattr(doubt, name)}
    return Rules(**({name: getattr(own, name) for name in STEPS} | chosen))


def _weights(index: Index, choices: Choices) -> Weights:
    """Weights of the parts of each group in each replication."""
    out = {name: number for number, name in enumerate(index.spec.indicators)}
    found: Weights = {}
    for group, parts in index.by_group.items():
        found[group] = {}
        for name, weight in parts.items():
            own: Any = weight * choices.spread[name][:, None] if choices.spread else weight
            if name in out and (choices.left_out == out[name]).any():
                own = own * (choices.left_out != out[name])[:, None]
            found[group][name] = own
    return found


def _checked(problem: Problem, rules: Rules) -> Any:
    """Refuse a mean that does not exist of the scores of an alternative."""

    def check(group: str, parts: Arrays, weights: dict[str, Any], rule: Any) -> None:
        for name, one in parts.items():
            if np.any(np.asarray(weights[name]) > 0) and impossible(one, rule).any():
                how = rules.normalise.method
                told = f"in a replication a score has no {rule.method} mean ({group}, normalised by {how})"
                remedy = "Give the alternative a floor, as in {method: geometric, floor: 1}."
                raise refused(problem, name, f"{np.nanmin(one):g}", told, remedy)

    return check


# -- the simulation ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulation:
    """Scores of all replications and what they say.

    Attributes
    ----------
    index : Index
        The index as the spec has it.
    doubt : Uncertainty
    scores : dict of str to array (replication, unit)
        Of the groups that were kept; the index itself always.
    choices : Choices
    """

    index: Index
    doubt: Uncertainty
    scores: dict[str, Array]
    choices: Choices

    @cached_property
    def _ranks(self) -> dict[str, Array]:
        return {name: places(one, self.index.problem.blocks) for name, one in self.scores.items()}

    def ranks(self, group: str | None = None) -> Array:
        """Places within the year, (replication, unit)."""
        return self._ranks[self._name(group)]

    def _name(self, group: str | None) -> str:
        name = group or self.index.spec.top
        if name not in self.scores:
            raise RequestError(f"group: {name!r} was not simulated; there are {', '.join(self.scores)}")
        return name

    def intervals(self, group: str | None = None, confidence: float | None = None) -> pd.DataFrame:
        """Score and place of each unit with their intervals.

        Parameters
        ----------
        group : str, optional
            The index itself, if left out.
        confidence : float, optional
            The spec's, if left out.

        Returns
        -------
        DataFrame
            A row a region and year: score and rank as the spec has them; mean, median, low, high of the scores;
            rank_median, rank_low, rank_high; lost (share of the replications without a score).
        """
        name = self._name(group)
        tail = (1 - (confidence or self.doubt.confidence)) / 2
        scores, ranks = self.scores[name], self.ranks(name)
        low, middle, high = _quantiles(scores, (tail, 0.5, 1 - tail), "linear")
        first, median, last = _quantiles(ranks, (tail, 0.5, 1 - tail), "inverted_cdf")
        mean = np.array(
            [column[~np.isnan(column)].mean() if not np.isnan(column).all() else np.nan for column in scores.T]
        )
        return pd.DataFrame(
            {
                "score": self.index.scores[name],
                "mean": mean,
                "median": middle,
                "low": low,
                "high": high,
                "rank": self.index.ranks[name],
                "rank_median": median,
                "rank_low": first,
                "rank_high": last,
                "lost": np.isnan(scores).mean(axis=0),
            },
            self.index.scores.index,
        )

    def rank_probabilities(self, group: str | None = None) -> pd.DataFrame:
        """Probability of each place, given a score: a row a region and year, a column a place."""
        ranks = self.ranks(group)
        most = max(len(block) for block in self.index.problem.blocks)
        known = (~np.isnan(ranks)).sum(axis=0)
        known = np.where(known > 0, known, np.nan)  # what never has a score has no place
        table = {place: (ranks == place).sum(axis=0) / known for place in range(1, most + 1)}
        return pd.DataFrame(table, self.index.scores.index)

    def zones(self, group: str | None = None) -> pd.DataFrame:
        """Probability of each zone: a row a region and year, a column a zone, from the lowest up."""
        found = zones(self.scores[self._name(group)], self.index.spec)
        names = [zone.id for zone in sorted(self.index.spec.zones, key=lambda zone: zone.since)]
        return pd.DataFrame({name: (found == name).mean(axis=0) for name in names}, self.index.scores.index)

    def above(self, year: int, group: str | None = None) -> pd.DataFrame:
        """Probability that the row's region has a higher score than the column's, given that both have one."""
        rows = np.flatnonzero(self.index.scores.index.get_level_values("year") == year)
        if not rows.size:
            raise RequestError(f"year: the index has no {year}")
        scores = settled(self.scores[self._name(group)][:, rows])
        both = ~np.isnan(scores)
        count = both.T.astype(float) @ both
        wins = np.stack([(scores[:, [at]] > scores).sum(axis=0) for at in range(len(rows))])
        table = wins / np.where(count > 0, count, np.nan)
        regions = self.index.scores.index.get_level_values("region")[rows]
        return pd.DataFrame(table, regions, regions)

    def change(self, year: int, later: int, group: str | None = None) -> pd.DataFrame:
        """Change between two years, and whether it exceeds what is uncertain.

        Returns
        -------
        DataFrame
            A row a region with both years: change as the spec has it, low, high, rose (probability that the score
            rose), beyond_noise (whether the interval leaves out no change), rank_change (a rise is positive).
        """
        name = self._name(group)
        at = {unit: number for number, unit in enumerate(self.index.scores.index)}
        regions = [region for region, when in at if when == year and (region, later) in at]
        if not regions:
            raise RequestError(f"year: no region has a score in both {year} and {later}")
        old, new = ([at[region, when] for region in regions] for when in (year, later))
        moved = self.scores[name][:, new] - self.scores[name][:, old]
        tail = (1 - self.doubt.confidence) / 2
        low, high = _quantiles(moved, (tail, 1 - tail), "linear")
        known = ~np.isnan(moved).all(axis=0)
        exact, ranks = self.index.scores[name].to_numpy(), self.index.ranks[name].to_numpy(float, na_value=np.nan)
        found = pd.DataFrame(
            {
                "change": exact[new] - exact[old],
                "low": low,
                "high": high,
                "rose": np.where(known, (moved > 0).mean(axis=0), np.nan),
                "beyond_noise": pd.array((low > 0) | (high < 0), dtype="boolean"),
                "rank_change": ranks[old] - ranks[new],
            },
            pd.Index(regions, name="region"),
        )
        found.loc[~known, "beyond_noise"] = pd.NA
        return found


def _quantiles(table: Array, shares: Sequence[float], method: Any) -> Array:
    """Quantiles of each column; of a column with gaps, of what it has."""
    if not np.isnan(table).any():
        return np.quantile(table, shares, axis=0, method=method)
    found = np.full((len(shares), table.shape[1]), np.nan)
    for at, column in enumerate(table.T):
        known = column[~np.isnan(column)]
        if known.size:
            found[:, at] = np.quantile(known, shares, method=method)
    return found


def simulate(
    index: Index,
    replications: int | None = None,
    seed: int | None = None,
    doubt: Uncertainty | None = None,
    groups: Sequence[str] = (),
) -> Simulation:
    """Draw an index many times over.

    Parameters
    ----------
    index : Index
    replications, seed : int, optional
        Those of ``doubt``, if left out. The same seed gives the same scores.
    doubt : Uncertainty, optional
        What is not certain; the spec's, if left out.
    groups : sequence of str
        Groups whose scores are kept besides those of the index.
    """
    doubt = doubt or index.spec.uncertainty
    check_doubt(index, doubt)
    size = replications or doubt.replications
    top = index.spec.top
    kept = {name: np.empty((size, len(index.problem.units))) for name in dict.fromkeys((top, *groups))}
    seeds = np.random.SeedSequence(doubt.seed if seed is None else seed)
    first, *others = seeds.spawn(1 + -(-size // BATCH))
    choices = drawn_choices(index, doubt, size, np.random.default_rng(first))
    for rows, own in zip(_batches(size), others, strict=True):
        chance = np.random.default_rng(own)
        raw = noisy(index.problem, rows.stop - rows.start, chance) if doubt.data else index.problem.raw
        scores = scores_of(index, doubt, choices.at(rows), raw)
        for name, one in kept.items():
            one[rows] = scores[name]
    return Simulation(index, doubt, kept, choices)


def check_doubt(index: Index, doubt: Uncertainty) -> None:
    """Refuse an uncertainty that leaves nothing uncertain, or an alternative that cannot be done."""
    open_steps = any(getattr(doubt, name) for name in STEPS) or doubt.weights or doubt.leave_out
    errors = doubt.data and any(one.error for one in index.spec.indicators.values())
    if not open_steps and not errors:
        raise RequestError(
            "uncertainty: nothing is uncertain; give indicators an error, or the spec alternatives of a step"
        )
    for name in STEPS:
        for rule in getattr(doubt, name):
            build(index.spec.model_copy(update={name: rule}), index.problem.data, index.problem.functions)


def _batches(size: int) -> Iterator[slice]:
    for start in range(0, size, BATCH):
        yield slice(start, min(start + BATCH, size))
