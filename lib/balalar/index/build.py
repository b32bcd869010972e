"""The index itself: all steps from the raw values to the scores, each kept for inspection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from balalar.errors import DataError, Fault
from balalar.index import weigh
from balalar.index.aggregate import impossible, places, together
from balalar.index.normalise import ROUNDING, scored
from balalar.index.prepare import ENOUGH, filled, flagged, outside, transformation, treated, winsorised
from balalar.spec import Aggregate, Impute, Indicator, Normalise, Spec, Treat
from balalar.values import Values

Array = np.ndarray
Arrays = dict[str, Array]
Weights = dict[str, dict[str, Any]]  # by group and part: a float, or an array (replication, 1)
STAGES = ("raw", "denominated", "imputed", "transformed", "treated", "normalised")
LOG = ["step", "item", "region", "year", "before", "after", "why"]


@dataclass(frozen=True)
class Rules:
    """The rules that hold for every indicator and group without one of its own."""

    impute: Impute
    treat: Treat
    normalise: Normalise
    aggregate: Aggregate | None = None  # None: each group's own, its level's or the index's


@dataclass(frozen=True)
class Problem:
    """A spec with its values, made ready for computing.

    Attributes
    ----------
    functions : mapping of str to callable
        Functions of the values, for indicators that are normalised by one.
    """

    spec: Spec
    data: Values
    functions: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)

    @cached_property
    def units(self) -> pd.MultiIndex:
        """Regions and years, in the order of all arrays."""
        return pd.MultiIndex.from_tuples(self.data.frame.index.tolist(), names=["region", "year"])

    @cached_property
    def blocks(self) -> list[Array]:
        """Positions of the units of each year, oldest first."""
        years = self.units.get_level_values("year").to_numpy()
        return [np.flatnonzero(years == year) for year in np.unique(years)]

    @cached_property
    def earlier(self) -> Array:
        """Position of each region in the year before that the data hold, -1 where there is none."""
        found, last = np.full(len(self.units), -1), dict[str, int]()
        for at, (region, _) in enumerate(self.units):
            found[at] = last.get(region, -1)
            last[region] = at
        return found

    @cached_property
    def raw(self) -> Arrays:
        """Values as they came, by indicator."""
        return {name: self.data.frame[name].to_numpy(float) for name in self.spec.indicators}

    @cached_property
    def observed(self) -> dict[str, Array]:
        """Where each indicator has a value and, if it needs one, a denominator."""
        return {name: ~np.isnan(one) for name, one in self.denominated(self.raw).items()}

    @cached_property
    def denominators(self) -> dict[str, Array]:
        """Denominators by indicator."""
        named = {name: one.denominator for name, one in self.spec.indicators.items()}
        return {name: self.data.numbers(column, name) for name, column in named.items() if column}

    def groups(self, rule: Impute) -> Array | None:
        """Groups of the units that a rule of imputing names."""
        if rule.by is None:
            return None
        column = self.data.column(rule.by)
        if column is None:
            raise refused(self, rule.by, "", "the spec imputes by the groups of this column", "Add it to the data.")
        return column.to_numpy(object)

    @property
    def rules(self) -> Rules:
        """The rules of the spec."""
        return Rules(self.spec.impute, self.spec.treat, self.spec.normalise)

    # -- the steps, on arrays (…, unit) ----------------------------------------------------------------

    def denominated(self, raw: Arrays) -> Arrays:
        """Values for each unit of their denominators."""
        return {
            name: one / self.denominators[name] * self.spec.indicators[name].per if name in self.denominators else one
            for name, one in raw.items()
        }

    def imputed(self, values: Arrays, rules: Rules) -> Arrays:
        """Values with their gaps filled as far as the rules can."""
        found = {}
        for name, one in self.spec.indicators.items():
            rule = one.impute or rules.impute
            found[name] = filled(values, name, rule, self.blocks, self.groups(rule), self.earlier)
        return found

    def changes(self, values: Arrays) -> dict[str, Callable[[Array], Array]]:
        """Transformation of each indicator that has one, fitted to its values."""
        named = {name: one.transform or self.spec.transform for name, one in self.spec.indicators.items()}
        return {name: transformation(how, values[name]) for name, how in named.items() if how != "none"}

    def freed(self, values: Arrays, rules: Rules) -> Arrays:
        """Values freed of outliers."""
        found = {}
        for name, one in self.spec.indicators.items():
            rule = one.treat or rules.treat
            new = values[name].copy()
            for part in self.parts(rule.scope):
                new[..., part] = treated(values[name][..., part], rule)
            found[name] = new if rule.method != "none" else values[name]
        return found

    def parts(self, scope: str) -> list[Array]:
        """Positions of the units that are looked at together."""
        return self.blocks if scope == "year" else [np.arange(len(self.units))]

    def normalised(self, values: Arrays, rules: Rules, changes: Mapping[str, Callable[[Array], Array]]) -> Arrays:
        """Scores of the indicators."""
        return {
            name: scored(
                values[name],
                one,
                one.normalise or rules.normalise,
                self.spec.score,
                self.blocks,
                changes.get(name),
                self.functions.get(name),
            )
            for name, one in self.spec.indicators.items()
        }

    def scores(self, raw: Arrays, rules: Rules) -> Arrays:
        """All steps up to the scores of the indicators."""
        values = self.imputed(self.denominated(raw), rules)
        changes = self.changes(values)
        values = {name: changes[name](one) if name in changes else one for name, one in values.items()}
        return self.normalised(self.freed(values, rules), rules, changes)

    def aggregated(
        self,
        scores: Arrays,
        rules: Rules,
        weights: Weights | Callable[[str, dict[str, Array]], dict[str, Any]],
        check: Callable[[str, dict[str, Array], dict[str, Any], Aggregate], None] = lambda *_: None,
    ) -> Arrays:
        """Scores of the groups, from the lowest to the index.

        Parameters
        ----------
        scores : dict of str to array
            Of the indicators.
        rules : Rules
        weights : dict, or callable
            Weights of the parts of each group, or what finds them from the scores of the parts.
        check : callable
            Called with each group, the scores and weights of its parts and its rule, before they are put together.
        """
        known, found, alive = dict(scores), dict[str, Array](), dict[str, Any]()
        for group in self.spec.upwards:
            parts = {name: known[name] for name in self.spec.children[group]}
            rule = self.rule(group, rules)
            own = weights(group, parts) if callable(weights) else weights[group]
            check(group, parts, own, rule)
            # A group of which everything is left out does not count above.
            own = {name: weight * alive.get(name, 1) for name, weight in own.items()}
            alive[group] = np.any(np.stack(np.broadcast_arrays(*(np.asarray(one) > 0 for one in own.values()))), axis=0)
            score = together(list(parts.values()), list(own.values()), rule, self.spec.score, self.blocks)
            score = np.where(self._covered(group, parts, own), score, np.nan)
            if again := self.spec.groups[group].normalise:
                score = scored(score, Indicator(parent=group), again, self.spec.score, self.blocks)
            known[group] = found[group] = score
        return {name: found[name] for name in self.spec.groups}

    def rule(self, group: str, rules: Rules) -> Aggregate:
        """How a group is put together."""
        own: Aggregate = self.spec.rule(group, "aggregate")
        level = self.spec.levels.get(self.spec.depth[group])
        fixed = self.spec.groups[group].aggregate or (level and level.aggregate)
        return rules.aggregate if rules.aggregate and not fixed else own

    def _covered(self, group: str, parts: dict[str, Array], weights: dict[str, Any]) -> Array:
        """Where enough of a group's parts is there: all of them, or the share that its coverage asks for."""
        least = self.spec.rule(group, "coverage")
        shape = np.broadcast_shapes(*(np.shape(one) for one in (*parts.values(), *weights.values())))
        heavy = np.stack([np.broadcast_to(np.asarray(weights[name]) > 0, shape) for name in parts])
        gaps = np.stack([np.broadcast_to(np.isnan(one), shape) for one in parts.values()])
        if least is None:
            return np.all(~(gaps & heavy), axis=0)
        seen = np.stack(
            [np.broadcast_to(self.observed.get(name, ~np.isnan(one)), shape) for name, one in parts.items()]
        )
        share = (seen & heavy).sum(axis=0) / np.maximum(heavy.sum(axis=0), 1)
        return share >= least - ROUNDING


def refused(problem: Problem, item: str, value: str, rule: str, remedy: str) -> DataError:
    """An error about the data of an index."""
    return DataError([Fault(problem.data.file, 0, item, value, rule, remedy)])


# -- the index, step by step -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Index:
    """An index with all its steps.

    Attributes
    ----------
    problem : Problem
        What it was built from.
    stages : dict of str to DataFrame
        Values after each step (``STAGES``): a row a region and year, a column an indicator.
    scores : DataFrame
        A row a region and year, a column a group, in the order of the spec.
    weights : DataFrame
        group, part, weight (of the parts of a group they add up to 1), method, overall (the part's weight in the
        index, were all means arithmetic).
    log : DataFrame
        What each step changed, and why: step, item, region, year, before, after, why.
    """

    problem: Problem
    stages: dict[str, pd.DataFrame]
    scores: pd.DataFrame
    weights: pd.DataFrame
    log: pd.DataFrame

    @property
    def spec(self) -> Spec:
        """What the index is made of."""
        return self.problem.spec

    @cached_property
    def total(self) -> pd.Series:
        """Scores of the index itself."""
        return self.scores[self.spec.top]

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """Places within the year by each group's scores, 1 the highest; equal scores share the better place."""
        found = {name: places(self.scores[name].to_numpy(), self.problem.blocks) for name in self.scores}
        return pd.DataFrame(found, self.scores.index).astype("Int64")

    @cached_property
    def zones(self) -> pd.DataFrame:
        """Zone of each group's scores; empty where there is no score."""
        return self.scores.apply(lambda scores: pd.Series(zones(scores.to_numpy(), self.spec), scores.index))

    @cached_property
    def by_group(self) -> dict[str, dict[str, float]]:
        """Weights by group and part."""
        return {
            str(group): dict(zip(rows["part"], rows["weight"], strict=True))
            for group, rows in self.weights.groupby("group")
        }

    @property
    def imputed(self) -> pd.DataFrame:
        """Where a value was filled in: a row a region and year, a column an indicator."""
        return self.stages["denominated"].isna() & self.stages["imputed"].notna()


def zones(scores: Array, spec: Spec) -> Array:
    """Zone of each score, the empty text where there is none or no zone holds it."""
    known = sorted(spec.zones, key=lambda zone: zone.since)
    starts = np.array([zone.since for zone in known])
    # A score that a float's own rounding keeps from the start of a zone has reached it.
    at = np.searchsorted(starts - ROUNDING * np.abs(starts), scores, side="right")
    names = np.array(["", *(zone.id for zone in known)], dtype=object)
    return names[np.where(np.isnan(scores), 0, at)]


def build(spec: Spec, values: Values, functions: Mapping[str, Callable[[Array], Array]] | None = None) -> Index:
    """Build an index.

    Parameters
    ----------
    spec : Spec
        As from ``read_spec`` or ``spec_of``.
    values : Values
        As from ``read_values`` or ``values_of``.
    functions : mapping of str to callable, optional
        Function of an array of values, by indicator, for those that are normalised by ``function``.

    Raises
    ------
    DataError
        A step cannot be done: what, where, and what to do.
    """
    problem = Problem(spec, values, functions or {})
    return _Building(problem).index()


class _Building:
    """The steps of one index, each checked and written into the log."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.spec = problem, problem.spec
        self.log: list[tuple[Any, ...]] = []
        self.weights: list[dict[str, Any]] = []

    def index(self) -> Index:
        problem, rules = self.problem, self.problem.rules
        self._check_columns()
        denominated = problem.denominated(problem.raw)
        imputed = problem.imputed(denominated, rules)
        self._check_enough(imputed)
        self._tell_imputed(denominated, imputed)
        self._check_transformed(imputed)
        changes = problem.changes(imputed)
        self._check_posts(changes)
        transformed = {name: changes[name](one) if name in changes else one for name, one in imputed.items()}
        freed = problem.freed(transformed, rules)
        self._tell_freed(transformed, freed)
        scores = problem.normalised(freed, rules, changes)
        self._check_scores(freed, scores)
        groups = problem.aggregated(scores, rules, self._weigh, self._check_mean)
        self._check_groups(groups)
        self._tell_missing({**scores, **groups})
        steps = (problem.raw, denominated, imputed, transformed, freed, scores)
        stages = {name: pd.DataFrame(step, problem.units) for name, step in zip(STAGES, steps, strict=True)}
        weights = _overall(self.weights, self.spec)
        return Index(problem, stages, pd.DataFrame(groups, problem.units), weights, pd.DataFrame(self.log, columns=LOG))

    # -- what a step must find -------------------------------------------------------------------------

    def _check_columns(self) -> None:
        problem, spec = self.problem, self.spec
        for name, bottom in problem.denominators.items():
            if (wrong := np.flatnonzero(bottom <= 0)).size:
                told = f"a denominator above 0 ({self._place(wrong[0])})"
                raise refused(problem, f"{name}.denominator", f"{bottom[wrong[0]]:g}", told, "Mend the value.")
        for name, one in spec.indicators.items():
            if (one.normalise or spec.normalise).method == "function" and name not in problem.functions:
                raise refused(problem, name, "", "normalising by function needs a function", "Give it to build().")
            problem.groups(one.impute or spec.impute)

    def _check_enough(self, values: Arrays) -> None:
        """Each indicator has what its rules compare with."""
        for name, one in self.spec.indicators.items():
            rule, care = one.normalise or self.spec.normalise, one.treat or self.spec.treat
            least = {"minmax": 2, "zscore": 2, "percentile": 2, "target": 1, "best": 1, "rank": 1}.get(rule.method, 1)
            self._check_count(name, values[name], rule.scope, least, f"normalise by {rule.method}")
            if care.method != "none":
                self._check_count(name, values[name], care.scope, ENOUGH, "look for outliers")

    def _check_count(self, name: str, values: Array, scope: str, least: int, why: str) -> None:
        for part in self.problem.parts(scope):
            count = int((~np.isnan(values[part])).sum())
            # A year without any value is a gap, of which the coverage decides.
            if count < least and (count or np.isnan(values).all()):
                when = f" in {self.problem.units[part[0]][1]}" if scope == "year" else ""
                told = f"too few values{when}: to {why} takes at least {least}"
                raise refused(self.problem, name, str(count), told, "Add values, or take the indicator out.")

    def _check_transformed(self, values: Arrays) -> None:
        for name, one in self.spec.indicators.items():
            how = one.transform or self.spec.transform
            self._check_domain(name, values[name], how)
            if how in ("log_shifted", "log_gii", "boxcox") and np.ptp(values[name][~np.isnan(values[name])]) == 0:
                told = f"the column is constant, which {how} cannot transform"
                raise refused(self.problem, name, f"{np.nanmax(values[name]):g}", told, "Take the indicator out.")
            if how == "log_gii" and np.nanmax(values[name]) <= 1:
                told = "log_gii turns the order of values that do not go above 1"
                raise refused(self.problem, name, f"{np.nanmax(values[name]):g}", told, "Use log_shifted.")

    def _check_posts(self, changes: Mapping[str, Callable[[Array], Array]]) -> None:
        """Goalposts have a place on the transformed scale."""
        for name, change in changes.items():
            posts = self.spec.indicators[name].goalposts
            with np.errstate(invalid="ignore", divide="ignore"):
                if posts and not np.isfinite(change(np.array(posts))).all():
                    told = "the transformation does not exist of these goalposts"
                    raise refused(self.problem, name, str(posts), told, "Mend them.")

    def _check_domain(self, name: str, values: Array, how: str) -> None:
        if (wrong := np.flatnonzero(outside(how, values))).size:
            told = f"{how} does not exist of this value ({self._place(wrong[0])})"
            raise refused(self.problem, name, f"{values[wrong[0]]:g}", told, "Use log1p, log_shifted or none.")

    def _check_scores(self, values: Arrays, scores: Arrays) -> None:
        """Each value has a score."""
        for name, one in self.spec.indicators.items():
            rule = one.normalise or self.spec.normalise
            wrong = np.flatnonzero(~np.isfinite(scores[name]) & ~np.isnan(values[name]))
            if not wrong.size and rule.method == "best":
                wrong = np.flatnonzero(values[name] <= 0)
            if not wrong.size:
                continue
            year = self.problem.units[wrong[0]][1]
            when = f" in {year}" if rule.scope == "year" else ""
            told = f"the column is constant{when}, which {rule.method} cannot turn into scores"
            if rule.method == "best":
                told = f"the ratio to the best needs values above 0 ({self._place(wrong[0])})"
            remedy = "Take the indicator out, or normalise it by goalposts."
            raise refused(self.problem, name, f"{values[name][wrong[0]]:g}", told, remedy)

    def _check_mean(self, group: str, parts: dict[str, Array], weights: dict[str, Any], rule: Aggregate) -> None:
        for name, one in parts.items():
            if weights[name] > 0 and (wrong := np.flatnonzero(impossible(one, rule))).size:
                told = f"a {rule.method} mean ({group}) needs scores above 0 ({self._place(wrong[0])})"
                remedy = "Set a floor, as in {method: geometric, floor: 1}, or let scores begin above 0."
                raise refused(self.problem, name, f"{one[wrong[0]]:g}", told, remedy)

    def _check_groups(self, groups: Arrays) -> None:
        for name, scores in groups.items():
            again = self.spec.groups[name].normalise
            if again and np.isnan(scores).all():
                told = f"the scores of this group are all the same, or of one region: {again.method} cannot spread them"
                raise refused(self.problem, name, "", told, "Leave its normalise out.")
            if np.isinf(scores).any():
                told = f"a score is beyond all numbers ({self._place(np.flatnonzero(np.isinf(scores))[0])})"
                raise refused(self.problem, name, "inf", told, "Choose another mean, or another unit.")

    def _place(self, at: int) -> str:
        region, year = self.problem.units[at]
        return f"{region} {year}"

    # -- weights ---------------------------------------------------------------------------------------

    def _weigh(self, group: str, parts: dict[str, Array]) -> dict[str, Any]:
        method = self.spec.rule(group, "weights")
        given = pd.Series({name: self.spec.node(name).weight for name in parts}, dtype=float)
        if method == "pca" and len(parts) > 1:
            weights, against = weigh.principal(pd.DataFrame(parts, self.problem.units))
            for name in against:
                why = f"its loading points against the other parts of {group}; the weight is its square"
                self._note("weights", name, None, None, weights[name], why)
        elif method == "effective" and len(parts) > 1:
            wanted = (given if given.notna().all() else given.fillna(0) + 1).pipe(lambda one: one / one.sum())
            weights, miss = weigh.balanced(pd.DataFrame(parts, self.problem.units), wanted)
            if miss > weigh.NEAR:
                why = f"the nearest shares of influence in {group} that weights of 0 or more reach miss by {miss:.3f}"
                self._note("weights", group, None, None, miss, why)
        elif method in ("given", "relative"):
            weights = given
        else:
            weights = pd.Series(1.0, list(parts))
        weights = weights / weights.sum()
        rows = weights.items()
        self.weights += [{"group": group, "part": name, "weight": one, "method": method} for name, one in rows]
        return dict(weights)

    # -- the log ---------------------------------------------------------------------------------------

    def _note(self, step: str, item: str, at: int | None, before: float | None, after: float | None, why: str) -> None:
        region, year = self.problem.units[at] if at is not None else ("", "")
        self.log.append((step, item, region, year, before, after, why))

    def _tell_imputed(self, before: Arrays, after: Arrays) -> None:
        for name, one in self.spec.indicators.items():
            rule = one.impute or self.spec.impute
            how = {"regression": f"regression on {', '.join(rule.predictors)}", "latest": "latest earlier year"}.get(
                rule.method, f"{rule.method} of the {f'same {rule.by} in the ' if rule.by else ''}year"
            )
            for at in np.flatnonzero(np.isnan(before[name])):
                filled_in = not np.isnan(after[name][at])
                why = how if filled_in else ("missing" if rule.method == "none" else f"missing; no {how}")
                self._note("impute", name, int(at), None, after[name][at] if filled_in else None, why)

    def _tell_freed(self, before: Arrays, after: Arrays) -> None:
        for name, one in self.spec.indicators.items():
            rule = one.treat or self.spec.treat
            if rule.method == "none":
                continue
            for part in self.problem.parts(rule.scope):
                suspected, skew = flagged(before[name][part], rule)
                if not suspected:
                    continue
                how: str = rule.method
                if how == "winsorise":
                    _, lows, highs, still = winsorised(before[name][part], rule)
                    how = f"winsorised {lows} low and {highs} high"
                    if still:
                        how = rule.otherwise or f"{how}, and outliers remain"
                else:
                    self._check_domain(name, before[name][part], how)
                for at in part[~np.isclose(before[name][part], after[name][part], rtol=0, atol=0, equal_nan=True)]:
                    why = f"{how} (skewness {float(skew):.2f})"
                    self._note("treat", name, int(at), before[name][at], after[name][at], why)

    def _tell_missing(self, scores: Arrays) -> None:
        """Scores that there are not, and those that rest on a part of what they are made of."""
        for name in self.spec.groups:
            least = self.spec.rule(name, "coverage")
            needs = "all its parts" if least is None else f"{least:.0%} of its parts as observed"
            for at in np.flatnonzero(np.isnan(scores[name])):
                self._note("aggregate", name, int(at), None, None, f"no score: it needs {needs}")
            for at in np.flatnonzero(~np.isnan(scores[name])):
                if gaps := [part for part in self.spec.children[name] if np.isnan(scores[part][at])]:
                    why = f"without {', '.join(gaps)}; the others take over the weight"
                    self._note("aggregate", name, int(at), None, scores[name][at], why)


def _overall(weights: list[dict[str, Any]], spec: Spec) -> pd.DataFrame:
    """Weights with the weight of each part in the index."""
    own = {row["part"]: float(row["weight"]) for row in weights}

    def overall(name: str | None) -> float:
        return 1.0 if name is None or name == spec.top else own[name] * overall(spec.node(name).parent)

    order = {name: at for at, name in enumerate(spec.groups)}
    rows = sorted(weights, key=lambda row: order[row["group"]])
    return pd.DataFrame([row | {"overall": overall(row["part"])} for row in rows])
