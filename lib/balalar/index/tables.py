"""An index as tables to be written: each step, the scores, what is uncertain, and why."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from balalar.errors import RequestError
from balalar.index import explain
from balalar.index.build import STAGES, Index
from balalar.index.sensitivity import sensitivity
from balalar.index.simulate import Simulation, simulate

HOLDS = {
    "raw": "values of the indicators: as they came",
    "denominated": "values of the indicators: divided by their denominators",
    "imputed": "values of the indicators: with gaps filled",
    "transformed": "values of the indicators: transformed",
    "treated": "values of the indicators: freed of outliers",
    "normalised": "values of the indicators: as scores",
    "scores": "scores of all groups, the index among them: a column a group",
    "ranks": "score, place within the year (1 the highest) and zone of each group",
    "weights": "weight of each part in its group and in the index",
    "log": "what each step changed or left out, and why",
    "contributions": "what each indicator brings to the index; a row adds up to the score",
    "changes_explained": "what each indicator brings to the change of the index since the year before in the data",
    "strengths": "indicators of each region by their distance from the median of the year",
    "lift": "a set of indicators that lifts a region into the next zone, the cheapest under arithmetic means",
    "alike": "distance between the scores of regions",
    "coherence": "correlation of each indicator with its own group, the index and other groups",
    "reliability": "Cronbach's alpha of each group",
    "intervals": "score and place of each group with their intervals",
    "rank_probabilities": "probability of each place in the index",
    "zone_probabilities": "probability of each zone of the index",
    "above": "probability that a region's index is above another's",
    "changes": "change of the index since the year before in the data, and whether it exceeds what is uncertain",
    "sensitivity": "Sobol indices: how much of the variance each uncertainty brings",
    "contents": "what each file holds",
}


def tables(index: Index, replications: int | None = None, seed: int | None = None) -> dict[str, pd.DataFrame]:
    """All tables of an index.

    Parameters
    ----------
    index : Index
    replications, seed : int, optional
        Of the simulation, in place of the spec's.

    Returns
    -------
    dict of str to DataFrame
        By name, as in ``HOLDS``; those that do not apply are left out.
    """
    found = {name: index.stages[name].reset_index() for name in STAGES}
    found |= {"scores": index.scores.reset_index(), "ranks": _ranks(index), "weights": index.weights, "log": index.log}
    found |= _explained(index)
    try:
        found |= _uncertain(simulate(index, replications, seed, groups=list(index.spec.groups)))
        if index.spec.uncertainty.sensitivity:
            found |= {"sensitivity": sensitivity(index, seed=seed)}
    except RequestError:  # nothing is uncertain, or one thing only, to which all is due
        pass
    kept = {name: found[name] for name in HOLDS if name in found and len(found[name])}
    contents = pd.DataFrame([(f"{name}.csv", HOLDS[name]) for name in kept], columns=["file", "holds"])
    return kept | {"contents": contents}


def _ranks(index: Index) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"score": index.scores[name], "rank": index.ranks[name], "zone": index.zones[name]}).assign(
            group=name
        )
        for name in index.spec.groups
    ]
    return pd.concat(parts).reset_index()[["region", "year", "group", "score", "rank", "zone"]]


def _explained(index: Index) -> dict[str, pd.DataFrame]:
    units = list(index.scores.index)
    found: dict[str, pd.DataFrame] = {
        "strengths": pd.concat(
            [explain.strengths(index, *unit).reset_index().assign(region=unit[0], year=unit[1]) for unit in units]
        )[["region", "year", "indicator", "score", "median", "ahead", "rank", "of"]],
        "alike": _alike(index),
        "coherence": explain.coherence(index).reset_index(),
        "reliability": explain.reliability(index).rename_axis("group").reset_index(),
    }
    try:
        found["contributions"] = explain.contributions(index).reset_index()
    except RequestError:
        return found
    pairs = [(units[before], units[at]) for at, before in enumerate(index.problem.earlier) if before >= 0]
    known = [(old, new) for old, new in pairs if not index.total[[old, new]].isna().any()]
    if known:
        rows = [explain.difference(index, old, new) for old, new in known]
        keys = pd.DataFrame([(new[0], old[1], new[1]) for old, new in known], columns=["region", "since", "year"])
        table = pd.DataFrame(rows).reset_index(drop=True)
        found["changes_explained"] = pd.concat([keys, table], axis=1)
    found["lift"] = _lift(index)
    return found


def _lift(index: Index) -> pd.DataFrame:
    """The cheapest way into the next zone, of every region below the highest."""
    starts = sorted(zone.since for zone in index.spec.zones)
    rows = []
    total = index.total.dropna()
    for (region, year), score in zip(total.index, total, strict=True):
        above = [start for start in starts if start > score]
        if not above:
            continue
        steps = explain.cheapest(index, region, year, above[0])
        enough = steps.attrs["reached"]
        rows.append(steps.reset_index().assign(region=region, year=year, wanted=above[0], enough=enough))
    columns = ["region", "year", "wanted", "enough", "indicator"]
    columns += ["score_now", "score_needed", "score_best", "closed", "reached"]
    return pd.concat(rows)[columns] if rows else pd.DataFrame(columns=columns)


def _alike(index: Index) -> pd.DataFrame:
    parts = []
    for year in index.scores.index.get_level_values("year").unique():
        table = explain.alike(index, year)
        upper = np.triu(np.ones(table.shape, bool), 1)
        parts.append(_pairs(table.where(upper), "distance").dropna().reset_index(drop=True).assign(year=year))
    return pd.concat(parts)[["year", "region", "other", "distance"]]


def _pairs(square: pd.DataFrame, name: str) -> pd.DataFrame:
    """A square table of regions as a row a pair, in the order of its rows."""
    # melt() goes down the columns, so the rows are made columns first.
    turned = square.T.rename_axis(index="other", columns="region")
    return turned.melt(ignore_index=False, value_name=name).reset_index()


def _uncertain(drawn: Simulation) -> dict[str, pd.DataFrame]:
    index = drawn.index
    parts = [drawn.intervals(name).reset_index().assign(group=name) for name in drawn.scores]
    table = pd.concat(parts)
    found = {
        "intervals": table[["region", "year", "group", *[name for name in table if name not in _KEYS]]],
        "rank_probabilities": drawn.rank_probabilities().reset_index(),
        "zone_probabilities": drawn.zones().reset_index() if index.spec.zones else pd.DataFrame(),
    }
    years = sorted(index.scores.index.get_level_values("year").unique())
    table = pd.concat([_pairs(drawn.above(year), "above").assign(year=year) for year in years])
    found["above"] = table[table["region"] != table["other"]][["year", "region", "other", "above"]]
    changes = []
    for old, new in pairwise(years):
        try:
            changes.append(drawn.change(old, new).reset_index().assign(since=old, year=new))
        except RequestError:  # no region in both years
            continue
    if changes:
        table = pd.concat(changes)
        found["changes"] = table[["region", "since", "year", *[name for name in table if name not in _KEYS]]]
    return found


_KEYS = ("region", "year", "group", "since")
