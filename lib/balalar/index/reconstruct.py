"""Which rules give the printed scores of an index whose method is not published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from balalar.errors import DataError, RequestError
from balalar.index.build import Problem, build
from balalar.spec import Spec, spec_of
from balalar.values import Values

SLACK = 1e-9
METHODS = ("minmax", "goalposts", "zscore", "percentile", "rank", "best")
AGGREGATES: tuple[Any, ...] = ("arithmetic", {"method": "geometric", "floor": 1.0})
GAPS: tuple[Any, ...] = ("none", "mean", "median")


def posts_of(values: pd.Series, percent: bool) -> dict[str, tuple[float, float]]:
    """Plausible goalposts of an indicator.

    Parameters
    ----------
    values : Series
    percent : bool
        Whether it can lie between 0 and 100 only.

    Returns
    -------
    dict
        ``observed``: the lowest and the highest value. ``rounded``: those, rounded outwards to one digit of their
        range. ``from_zero``: 0 and the highest value, rounded up. ``percent``: 0 and 100.
    """
    low, high = float(values.min()), float(values.max())
    step = 10.0 ** np.floor(np.log10(high - low)) if high > low else 1.0
    outer = (float(np.floor(low / step) * step), float(np.ceil(high / step) * step))
    found = {"observed": (low, high), "rounded": outer}
    if low >= 0 and outer[1] > 0:
        found["from_zero"] = (0.0, outer[1])
    if percent and low >= 0 and high <= 100:
        found["percent"] = (0.0, 100.0)
    return found


def reconstruct(
    spec: Spec,
    values: Values,
    printed: pd.DataFrame,
    normalise: Sequence[str] = METHODS,
    impute: Sequence[Any] = GAPS,
    aggregate: Sequence[Any] = AGGREGATES,
    weights: Mapping[str, Mapping[str, float]] | None = None,
) -> pd.DataFrame:
    """Try plausible rules and say by how much each misses the printed scores.

    Parameters
    ----------
    spec : Spec
        Hierarchy, polarity and what else is known; the rules that are tried replace its own.
    values : Values
        The inputs that are known, perhaps a part of them.
    printed : DataFrame
        region, year, group, score, and half (half the last printed digit).
    normalise, impute, aggregate : sequence
        Rules to try, as in a spec. ``goalposts`` is tried with each kind of ``posts_of``.
    weights : mapping, optional
        Sets of relative weights by name, each a mapping of node to weight; equal weights are always tried.

    Returns
    -------
    DataFrame
        A row a set of rules, the nearest first: normalise, goalposts, impute, aggregate, weights, group, compared
        (printed scores that the rules give a score for), matched (of those, how many round to what is printed),
        largest and mean (absolute misses), shift (printed less computed, in the mean), rank_correlation (Spearman's,
        where at least three are compared), failed (why the rules cannot be applied).
    """
    rows = []
    if strange := sorted(set(printed["group"]) - set(spec.groups)):
        raise RequestError(f"printed: the spec has no group {strange[0]!r}; it has {', '.join(spec.groups)}")
    problem = Problem(spec, values)
    known = pd.DataFrame(problem.denominated(problem.raw))
    wanted = {str(group): _Wanted.of(own) for group, own in printed.groupby("group")}
    sets = {"equal": dict[str, float](), **(weights or {})}
    for method, posts in [(name, kind) for name in normalise for kind in _kinds(name)]:
        for gaps, mean, (weighing, heavy) in product(impute, aggregate, sets.items()):
            named = {
                "normalise": method,
                "goalposts": posts,
                "impute": gaps if isinstance(gaps, str) else gaps["method"],
                "aggregate": mean if isinstance(mean, str) else mean["method"],
                "weights": weighing,
            }
            try:
                trial = _trial(spec, known, method, posts, gaps, mean, heavy)
                scores = build(trial, values).scores
            except DataError as error:
                rows.append(named | {"group": "", "compared": 0, "matched": 0, "failed": error.faults[0].rule})
                continue
            rows += [named | _missed(scores[group], group, own) for group, own in wanted.items()]
    found = pd.DataFrame(rows)
    return found.sort_values(["group", "matched", "mean"], ascending=[True, False, True], kind="stable").reset_index(
        drop=True
    )


def _kinds(method: str) -> Sequence[str]:
    return ("observed", "rounded", "from_zero", "percent") if method == "goalposts" else ("",)


def _trial(
    spec: Spec, values: pd.DataFrame, method: str, posts: str, gaps: Any, mean: Any, heavy: Mapping[str, float]
) -> Spec:
    """The spec with other rules."""
    data = spec.model_dump(by_alias=True, exclude_defaults=True)
    for name, one in data["indicators"].items():
        one.pop("normalise", None)
        one.pop("impute", None)
        if posts:
            column = values[name]
            known = posts_of(column, spec.indicators[name].unit in ("percent", "%"))
            # Where a kind does not fit an indicator, it is normalised by the values there are.
            one["goalposts"] = known.get(posts, known["observed"])
    for kind in ("indicators", "groups"):
        for name, one in data[kind].items():
            one.pop("weight", None)
            if heavy:
                one["weight"] = heavy.get(name, 1.0)
    for group in data["groups"].values():
        group.pop("aggregate", None)
        group.pop("weights", None)
    data.pop("levels", None)
    data |= {"normalise": method, "impute": gaps, "aggregate": mean, "weights": "relative" if heavy else "equal"}
    data.setdefault("coverage", 0.01)  # of the inputs that are known, whatever there is
    return spec_of(data)


@dataclass(frozen=True)
class _Wanted:
    """Printed scores of a group, of which each trial must give as many as it can."""

    units: pd.MultiIndex
    score: np.ndarray
    half: np.ndarray

    @classmethod
    def of(cls, printed: pd.DataFrame) -> _Wanted:
        units = pd.MultiIndex.from_frame(printed[["region", "year"]])
        return cls(units, printed["score"].to_numpy(float), printed["half"].to_numpy(float))


def _missed(scores: pd.Series, group: str, wanted: _Wanted) -> dict[str, Any]:
    """By how much computed scores of a group miss the printed ones."""
    computed = scores.reindex(wanted.units).to_numpy()
    score, half = wanted.score, wanted.half
    known = ~np.isnan(computed)
    miss = np.abs(score - computed)[known]
    pair = pd.DataFrame({"printed": score[known], "computed": computed[known]})
    ordered = len(pair) > 2 and (pair.max() > pair.min()).all()
    return {
        "group": group,
        "compared": int(known.sum()),
        "matched": int((miss <= half[known] + SLACK).sum()),
        "largest": miss.max() if miss.size else np.nan,
        "mean": miss.mean() if miss.size else np.nan,
        "shift": (score - computed)[known].mean() if miss.size else np.nan,
        "rank_correlation": pair["printed"].corr(pair["computed"], method="spearman") if ordered else np.nan,
        "failed": "",
    }
