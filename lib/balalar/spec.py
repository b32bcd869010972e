"""What a composite index is made of: its indicators, hierarchy and rules, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, FiniteFloat, ValidationInfo, field_validator, model_validator

from balalar.cards import Record, read_yaml, validated
from balalar.errors import DataError, Fault
from balalar.paths import project


def _named(name: Any) -> Any:
    """A code of digits as text; «no» without quotes, which YAML reads as false, stays a fault."""
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


Name = Annotated[str, BeforeValidator(_named), Field(min_length=1)]
Positive = Annotated[FiniteFloat, Field(gt=0)]
Column = Annotated[str, Field(min_length=1)]
Lines = Mapping[tuple[Any, ...], int]
WHOLE = 1e-6  # by which given weights may miss their sum, for decimals cut off
KEYS = {"binomial": {"sample"}, "poisson": {"cases", "base"}, "normal": {"sd", "cv"}, "rounding": set[str]()}
AGAIN = ("minmax", "zscore", "rank", "percentile", "best")  # how a group's score may be normalised once more
FIXED = ("goalposts", "target", "points")  # methods that need what the indicator gives under the same name
LOOSE = {"none", "rank"}  # methods whose scores have no scale of their own
RESERVED = {"region", "year"}
Wholly = Literal["log", "log_shifted", "log_gii", "boxcox"]  # transformations that outliers may bring
Transform = Literal["none", "log10", "log1p", "sqrt"] | Wholly
Scope = Literal["year", "all"]


def _fraction(weight: Any) -> Any:
    """«1/3» as a number; «yes», which YAML reads as true, as no number; anything else as it is."""
    if isinstance(weight, bool):
        return str(weight)
    if isinstance(weight, str) and "/" in weight:
        try:
            return float(Fraction(weight.replace(" ", "")))
        except (ValueError, ZeroDivisionError):
            return weight
    return weight


Weight = Annotated[FiniteFloat, BeforeValidator(_fraction), Field(ge=0)]


class Rule(Record):
    """A step's method with its options; a bare word is a method without options."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"method": data} if isinstance(data, str) else data


class Impute(Rule):
    """How a missing value is filled.

    Attributes
    ----------
    method : str
        ``mean`` or ``median`` of the year (of the region's group, where ``by`` names a column), the region's
        ``latest`` earlier year, or a ``regression`` on the indicators in ``predictors``, fitted to all years.
    """

    method: Literal["none", "mean", "median", "latest", "regression"]
    by: Name | None = None
    predictors: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _has_predictors(self) -> Impute:
        if (self.method == "regression") != bool(self.predictors):
            raise ValueError("a regression, and nothing else, needs predictors: the indicators it rests on")
        if self.by and self.method not in ("mean", "median"):
            raise ValueError("«by» goes with mean and median only")
        return self


class Treat(Rule):
    """How outliers are treated: where skewness and excess kurtosis both pass their limits.

    Attributes
    ----------
    method : str
        ``winsorise``: the farthest value at the skewed end is put to the next, at most ``most`` times.
        ``log``, ``log_shifted``, ``log_gii``, ``boxcox``: the whole indicator is transformed.
    otherwise : str, optional
        Transformation in place of winsorising where ``most`` times were not enough.
    """

    method: Literal["none", "winsorise"] | Wholly
    skew: Positive = 2.0
    kurtosis: Positive = 3.5
    most: Annotated[int, Field(ge=1)] = 5
    scope: Scope = "all"
    otherwise: Wholly | None = None


class Normalise(Rule):
    """How values become scores; see docs/index.md for each formula.

    Attributes
    ----------
    scope : str
        Whether the lowest, highest, mean or ranks are those of the ``year`` or of ``all`` years.
    clip : bool
        Whether scores beyond goalposts or target stop at the ends of ``score``.
    score : tuple of float, optional
        The lowest and the highest score; the index's, if left out.
    mean, sd : float
        Of z-scores.
    ddof : int
        1 for the sample's standard deviation, 0 for that of all units.
    """

    method: Literal[
        "none", "minmax", "goalposts", "zscore", "rank", "percentile", "best", "target", "points", "function"
    ]
    scope: Scope = "year"
    clip: bool = True
    score: tuple[FiniteFloat, FiniteFloat] | None = None
    mean: FiniteFloat = 0.0
    sd: Positive = 1.0
    ddof: Literal[0, 1] = 1


class Aggregate(Rule):
    """How scores are put together.

    Attributes
    ----------
    power : float
        Exponent of a power mean.
    floor : float, optional
        Scores below it are raised to it before the mean, so that a geometric or harmonic mean exists.
    """

    method: Literal["arithmetic", "geometric", "harmonic", "power", "copeland"]
    power: FiniteFloat = 1.0
    floor: FiniteFloat | None = None


class Error(Rule):
    """How far a value may be from what is true.

    Attributes
    ----------
    method : str
        ``rounding`` (to ``digit``, or to the last digit that stands in the file), ``binomial`` (a share of
        ``sample`` people asked, ``per`` hundred), ``poisson`` (``cases``, or a rate ``per`` of ``base`` people; with
        neither the value counts the cases) or ``normal`` (``sd``, or ``cv`` times the value).
    sample, cases, base, sd : str or float
        A number, or the column that holds it.
    gaps : str
        Whether a value without its size is refused, or taken as exact.
    """

    method: Literal["rounding", "binomial", "poisson", "normal"]
    digit: Positive | None = None
    sample: Positive | Column | None = None
    design_effect: Annotated[FiniteFloat, Field(ge=1)] = 1.0
    cases: Positive | Column | None = None
    base: Positive | Column | None = None
    per: Positive = 100.0
    sd: Positive | Column | None = None
    cv: Positive | None = None
    gaps: Literal["refuse", "exact"] = "refuse"

    @model_validator(mode="after")
    def _has_its_size(self) -> Error:
        given = {name for name in set().union(*KEYS.values()) if getattr(self, name) is not None}
        if given - KEYS[self.method] or len(given) > 1 or (not given and self.method in ("binomial", "normal")):
            wanted = " or ".join(sorted(KEYS[self.method])) or "no other number"
            raise ValueError(f"an error by {self.method} takes {wanted}")
        return self


class Indicator(Record):
    """A leaf of the hierarchy.

    Attributes
    ----------
    parent : str
        Group it belongs to.
    polarity : str
        Whether more of it is good or bad.
    goalposts : tuple of float, optional
        The values, lower first, that have the lowest and the highest score (the other way round where more is bad).
    target : float, optional
        Value of the highest score.
    points : tuple of pairs, optional
        Values, rising, with their scores; between them the score runs straight.
    denominator, per
        Column by which the value is divided, and of how many it then speaks.
    transform : str, optional
        Done to every value, and to the goalposts, before outliers are looked for.
    impute, treat, normalise
        In place of the index's own.
    error : Error or list of Error
    """

    parent: Name
    title: str = ""
    unit: str = ""
    weight: Weight | None = None
    polarity: Literal["good", "bad"] = "good"
    goalposts: tuple[FiniteFloat, FiniteFloat] | None = None
    target: FiniteFloat | None = None
    points: tuple[tuple[FiniteFloat, FiniteFloat], ...] = ()
    denominator: Name | None = None
    per: Positive = 1.0
    transform: Transform | None = None
    impute: Impute | None = None
    treat: Treat | None = None
    normalise: Normalise | None = None
    error: tuple[Error, ...] = ()

    @field_validator("error", mode="before")
    @classmethod
    def _listed(cls, error: Any) -> Any:
        return [error] if isinstance(error, str | dict) else error

    @field_validator("goalposts")
    @classmethod
    def _rise(cls, posts: tuple[float, float] | None, _: ValidationInfo) -> tuple[float, float] | None:
        if posts and posts[0] >= posts[1]:
            raise ValueError("goalposts go from the lower value to the higher; polarity says which of them is good")
        return posts

    @field_validator("points")
    @classmethod
    def _climb(cls, points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        values = [value for value, _ in points]
        if len(points) == 1 or any(one >= two for one, two in pairwise(values)):
            raise ValueError("points are at least two, and their values rise")
        return points


WeightMethod = Literal["equal", "given", "relative", "pca", "effective"]


class Level(Record):
    """What holds for the groups of one level, or for one group."""

    aggregate: Aggregate | None = None
    weights: WeightMethod | None = None
    coverage: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None


class Group(Level):
    """A node of the hierarchy; the one without a parent is the index.

    Attributes
    ----------
    aggregate, weights, coverage
        How its children are put together, in place of the level's and the index's own. Without a coverage a score
        needs all its parts; with 0.7 at least 70 % of them as observed, and gaps that remain are left out.
    normalise : Normalise, optional
        Done once more to the score itself.
    """

    parent: Name | None = None
    title: str = ""
    weight: Weight | None = None
    normalise: Normalise | None = None


class Zone(Record):
    """A zone of scores, from its lowest score up to the next zone's."""

    id: Name
    since: Annotated[FiniteFloat, Field(alias="from")]


class Spread(Record):
    """By how much weights vary: each times a number drawn evenly from 1 − spread to 1 + spread."""

    spread: Annotated[FiniteFloat, Field(gt=0, lt=1)]


class Uncertainty(Record):
    """What is not certain about the index.

    Attributes
    ----------
    impute, treat, normalise, aggregate : tuple
        Rules of which each replication takes one, in place of the index's own; rules of a single indicator, group
        or level stay.
    weights : Spread, optional
    leave_out : bool
        Whether each replication leaves one indicator out, or none.
    data : bool
        Whether the indicators' errors are drawn.
    """

    replications: Annotated[int, Field(ge=2)] = 10_000
    seed: Annotated[int, Field(ge=0)] = 1
    confidence: Annotated[FiniteFloat, Field(gt=0, lt=1)] = 0.95
    impute: tuple[Impute, ...] = ()
    treat: tuple[Treat, ...] = ()
    normalise: tuple[Normalise, ...] = ()
    aggregate: tuple[Aggregate, ...] = ()
    weights: Spread | None = None
    leave_out: bool = False
    data: bool = True
    sensitivity: Annotated[int, Field(ge=0)] = 512

    @field_validator("sensitivity")
    @classmethod
    def _doubles(cls, size: int) -> int:
        if size & (size - 1):
            raise ValueError("the size of a Sobol sample is a power of 2, or 0 for none")
        return size


class Columns(Record):
    """Names of the columns of the data; indicator and value where a row is one value."""

    region: Name = "region"
    year: Name = "year"
    indicator: Name = "indicator"
    value: Name = "value"


class Spec(Record):
    """A composite index: its hierarchy and the rule of each step. See docs/index.md."""

    title: str = ""
    columns: Columns = Columns()
    others: Literal["refuse", "ignore"] = "refuse"
    score: tuple[FiniteFloat, FiniteFloat] = (0.0, 100.0)
    impute: Impute = Impute(method="none")
    transform: Transform = "none"
    treat: Treat = Treat(method="none")
    normalise: Normalise = Normalise(method="minmax")
    weights: WeightMethod | None = None
    aggregate: Aggregate = Aggregate(method="arithmetic")
    coverage: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None
    levels: dict[int, Level] = Field(default_factory=dict)
    groups: Annotated[dict[Name, Group], Field(min_length=1)]
    indicators: Annotated[dict[Name, Indicator], Field(min_length=1)]
    zones: tuple[Zone, ...] = ()
    uncertainty: Uncertainty = Uncertainty()

    @cached_property
    def top(self) -> str:
        """Name of the index itself: the group without a parent."""
        return next(name for name, group in self.groups.items() if group.parent is None)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Children of each group, groups first, in their order in the file."""
        found: dict[str, list[str]] = {name: [] for name in self.groups}
        nodes: list[tuple[str, Group | Indicator]] = [*self.groups.items(), *self.indicators.items()]
        for name, node in nodes:
            if node.parent in found:
                found[node.parent].append(name)
        return found

    @cached_property
    def depth(self) -> dict[str, int]:
        """Level of each group, counted from the index, which is 1."""
        found = {self.top: 1}
        waiting = [self.top]
        while waiting:
            name = waiting.pop()
            below = [child for child in self.children[name] if child in self.groups]
            found |= {child: found[name] + 1 for child in below}
            waiting += below
        return found

    @cached_property
    def upwards(self) -> list[str]:
        """Groups from the lowest to the index, so that a group's parts stand before it."""
        return sorted(self.groups, key=lambda name: -self.depth[name])

    def leaves(self, group: str) -> list[str]:
        """Indicators below a group."""
        return [
            leaf
            for child in self.children[group]
            for leaf in ([child] if child in self.indicators else self.leaves(child))
        ]

    def node(self, name: str) -> Group | Indicator:
        """Group or indicator of a name."""
        return self.groups[name] if name in self.groups else self.indicators[name]

    def rule(self, group: str, name: Literal["aggregate", "weights", "coverage"]) -> Any:
        """What holds for a group: its own rule, else its level's, else the index's.

        Parts of which none has a weight are weighed equally, unless the data weigh them.
        """
        own = (self.groups[group], self.levels.get(self.depth[group]), self)
        said = next((getattr(one, name) for one in own if one is not None and getattr(one, name) is not None), None)
        if name != "weights" or said not in (None, "given", "relative"):
            return said
        bare = all(self.node(child).weight is None for child in self.children[group])
        return "equal" if bare else said or "given"


# -- the spec -------------------------------------------------------------------------------------------


def read_spec(path: Path) -> Spec:
    """Read the description of an index.

    Parameters
    ----------
    path : Path
        YAML file; docs/index.md lists its keys.

    Raises
    ------
    DataError
        All faults of the file, each with its line.
    """
    data, lines = read_yaml(path, project())
    return spec_of(data, project().name(path), lines)


def spec_of(data: Any, file: str = "spec", lines: Lines | None = None) -> Spec:
    """Make a spec of plain mappings.

    Parameters
    ----------
    data : dict
        As a YAML file holds it.
    file, lines
        Name and lines for messages.

    Raises
    ------
    DataError
        All faults at once.
    """
    lines = lines or {}
    spec: Spec = validated(Spec, data, file, dict(lines))
    found = list(_ties(spec)) or [*_parameters(spec), *_weights(spec)]
    if found:
        raise DataError(_located(file, lines, *one) for one in found)
    return spec


Complaint = tuple[tuple[Any, ...], str, str, str]


def _located(file: str, lines: Lines, path: tuple[Any, ...], value: str, rule: str, remedy: str) -> Fault:
    known = path
    while known and known not in lines:
        known = known[:-1]
    return Fault(file, lines.get(known, 0), ".".join(map(str, path)), value, rule, remedy)


def _ties(spec: Spec) -> Iterator[Complaint]:
    """What keeps the nodes from being one tree."""
    for name in spec.groups:
        if name in spec.indicators:
            yield ("indicators", name), "", "a name stands for a group or an indicator, not both", "Rename one."
    for kind, nodes in (("groups", spec.groups), ("indicators", spec.indicators)):
        for name, node in nodes.items():
            if node.parent is not None and node.parent not in spec.groups:
                rule = "a parent must be one of the groups"
                yield (kind, name, "parent"), node.parent, rule, f"Declare it; there are {', '.join(spec.groups)}."
    tops = [name for name, group in spec.groups.items() if group.parent is None]
    circle = _circle(spec)
    if circle:
        rule = f"no group stands above itself ({' → '.join(circle)})"
        yield ("groups", circle[0], "parent"), spec.groups[circle[0]].parent or "", rule, "Break the circle."
    elif len(tops) != 1:
        listed = ", ".join(tops) or "none"
        yield ("groups",), listed, "exactly one group, the index, has no parent", "Give the others a parent."
    for name, below in spec.children.items():
        if not below:
            yield ("groups", name), "", "a group has at least one part", "Name it as a parent, or take it out."


def _circle(spec: Spec) -> list[str]:
    """A chain of parents that comes back to where it began."""
    for name in spec.groups:
        chain = [name]
        while (above := spec.groups[chain[-1]].parent) in spec.groups:
            if above in chain:
                return [*chain[chain.index(str(above)) :], str(above)]
            chain.append(str(above))
    return []


def _parameters(spec: Spec) -> Iterator[Complaint]:
    """What the rules need and do not find."""
    yield from _unmet(spec)
    yield from _predictors(spec)
    yield from _alternatives(spec)
    yield from _unturned(spec)
    yield from _reserved(spec)
    yield from _spans(spec)
    yield from _repeats(spec)
    yield from _shifting(spec)
    yield from _depths(spec)
    yield from _borders(spec)


def _unmet(spec: Spec) -> Iterator[Complaint]:
    """Indicators without what their normalising needs."""
    rules = (spec.normalise, *spec.uncertainty.normalise)
    for name, one in spec.indicators.items():
        for rule in (one.normalise,) if one.normalise else rules:
            # A target of 0 is a target.
            if rule.method in FIXED and getattr(one, rule.method) in (None, ()):
                told = f"normalising by {rule.method} needs {rule.method}"
                yield ("indicators", name), "", told, f"Give the indicator {rule.method}."


def _predictors(spec: Spec) -> Iterator[Complaint]:
    """Regressions on the indicator itself, or on what is no indicator."""
    for name, one in spec.indicators.items():
        for rule in (one.impute,) if one.impute else (spec.impute, *spec.uncertainty.impute):
            for other in rule.predictors:
                if other not in spec.indicators or other == name:
                    told = "a regression rests on other indicators of the index"
                    yield ("indicators", name, "impute"), other, told, "Name other indicators."


def _alternatives(spec: Spec) -> Iterator[Complaint]:
    """Alternatives that no file can give, or whose scores do not compare."""
    path = ("uncertainty", "normalise")
    offered = spec.uncertainty.normalise
    if any(rule.method == "function" for rule in offered):
        told = "a function is not offered as an alternative"
        yield path, "function", told, "Give it to an indicator of its own."
    loose = [rule.method for rule in offered if rule.method in LOOSE or (rule.method == "zscore" and rule.sd == 1)]
    if loose and len(offered) > len(loose):
        told = "alternatives give scores on one scale, or their intervals mean nothing"
        yield path, ", ".join(loose), told, "Give z-scores a mean and an sd, as in {method: zscore, mean: 50, sd: 25}."


def _unturned(spec: Spec) -> Iterator[Complaint]:
    """Indicators of which less is better, by a method that takes scores as they are."""
    for name, one in spec.indicators.items():
        method = (one.normalise or spec.normalise).method
        if one.polarity == "bad" and method in ("none", "points", "function"):
            told = f"scores by {method} are taken as they are, so polarity has no effect"
            yield ("indicators", name, "polarity"), "bad", told, "Leave polarity out, and let higher scores be better."


def _reserved(spec: Spec) -> Iterator[Complaint]:
    """Names that the tables have for something else."""
    told, remedy = f"{' and '.join(sorted(RESERVED))} are names of columns", "Choose another name."
    named = [("groups", name) for name in spec.groups] + [("indicators", name) for name in spec.indicators]
    for path in [*named, *(("zones", zone.id) for zone in spec.zones)]:
        if path[1] in RESERVED:
            yield path, "", told, remedy


def _spans(spec: Spec) -> Iterator[Complaint]:
    """Lowest scores that are not below the highest."""
    spans: dict[tuple[str, ...], tuple[float, float]] = {("score",): spec.score}
    for name, one in spec.indicators.items():
        if one.normalise and one.normalise.score:
            spans["indicators", name, "normalise"] = one.normalise.score
    for path, (low, high) in spans.items():
        if low >= high:
            told = "scores go from the lower to the higher"
            yield path, str((low, high)), told, "Put the lower one first."


def _repeats(spec: Spec) -> Iterator[Complaint]:
    """Groups normalised again by a method that scores do not have."""
    for name, group in spec.groups.items():
        if group.normalise and group.normalise.method not in AGAIN:
            told = f"a group's score is normalised again by {', '.join(AGAIN)} only"
            yield ("groups", name, "normalise"), group.normalise.method, told, "Choose one of them."


def _shifting(spec: Spec) -> Iterator[Complaint]:
    """Fixed ends of a scale whose values may be transformed away from them."""
    for name, one in spec.indicators.items():
        cares = (one.treat,) if one.treat else (spec.treat, *spec.uncertainty.treat)
        rules = (one.normalise,) if one.normalise else (spec.normalise, *spec.uncertainty.normalise)
        wholly = set(get_args(Wholly)) & {how for care in cares for how in (care.method, care.otherwise)}
        if wholly and any(rule.method in FIXED for rule in rules):
            told = "fixed goalposts, targets and points do not follow a transformation that only outliers bring"
            yield ("indicators", name), ", ".join(map(str, wholly)), told, "Use transform, or winsorise only."


def _depths(spec: Spec) -> Iterator[Complaint]:
    """Levels that the hierarchy does not have."""
    deepest = max(spec.depth.values())
    for level in spec.levels:
        if level not in spec.depth.values():
            told = f"levels count from the index, which is 1, to {deepest}"
            yield ("levels", level), str(level), told, "Mend the number."


def _borders(spec: Spec) -> Iterator[Complaint]:
    """Zones that repeat each other."""
    count = len(spec.zones)
    if len({zone.id for zone in spec.zones}) < count or len({zone.since for zone in spec.zones}) < count:
        yield ("zones",), "", "each zone has its own id and its own lowest score", "Mend the zone that repeats another."


def _weights(spec: Spec) -> Iterator[Complaint]:
    """Weights that are missing or do not add up."""
    for group, below in spec.children.items():
        given = {child: spec.node(child).weight for child in below}
        method = spec.rule(group, "weights")
        if method == "effective" and len({weight is None for weight in given.values()}) == 1:
            continue
        if method not in ("given", "relative", "effective"):
            continue
        for child, weight in given.items():
            if weight is None:
                kind = "groups" if child in spec.groups else "indicators"
                told = f"the parts of {group} have weights, so each needs one"
                yield (kind, child, "weight"), "", told, "Give it a weight, 0 if it is not to count."
        total = sum(weight or 0 for weight in given.values())
        if method == "given" and not any(abs(total - whole) <= WHOLE * whole for whole in (1, 100)):
            listed = ", ".join(f"{child} {weight:g}" for child, weight in given.items() if weight is not None)
            told = f"the weights of the parts of a group add up to 1 (or to 100); these to {total:.6g} ({listed})"
            yield ("groups", group), "", told, "Mend them, or say «weights: relative» if only their ratio counts."
        if method == "relative" and total == 0:
            yield ("groups", group), "", "at least one part of a group has a weight above 0", "Mend the weights."
