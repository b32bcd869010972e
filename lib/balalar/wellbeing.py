"""The Child Well-being Index: which of its possible members are printed, and our recomputation from those."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from balalar.cards import COUNTRY, TOTAL, Card
from balalar.dataset import Dataset, half_digit
from balalar.estimates import Estimates
from balalar.framework import Candidate, Membership, read_membership, read_recomputation
from balalar.index import explain
from balalar.index.build import Index, build
from balalar.index.reconstruct import reconstruct
from balalar.index.sensitivity import sensitivity
from balalar.index.simulate import Simulation, simulate
from balalar.paths import Project
from balalar.spec import Spec
from balalar.values import values_of

MOST = 0.5  # share of the regions of which more must have a value
FEWEST = 3  # regions without which no rank correlation is told
SPEC = "data/wellbeing_index/spec.yml"


@dataclass(frozen=True)
class Printed:
    """How far a candidate's values are printed.

    Attributes
    ----------
    candidate : Candidate
    regions : int
        Regions with a value in the year.
    usable : bool
        Whether more than half of the regions have one, nothing speaks against it, it is good or bad, and it does not
        grow with the size of the region alone.
    """

    candidate: Candidate
    regions: int
    usable: bool


def figures(estimates: Estimates, card: Card, codes: dict[str, str], year: int, living: list[str]) -> pd.DataFrame:
    """Regions' values of an indicator as a brief of a year takes them, with their intervals and bases.

    Parameters
    ----------
    estimates : Estimates
    card : Card
    codes : dict
        Codes at which it is taken; the totals of the other dimensions.
    year : int
        A report closes with the start of the next year, from which start-of-year counts are taken.
    living : list of str
        Regions of the year.
    """
    found = estimates.of(card)[["region", "year", "number", *card.dimensions, "value", "base", "base_least", "status"]]
    found = found[found["year"] == year + (card.time == "start_of_year")]
    for name in card.dimensions:
        found = found[found[name] == codes.get(name, TOTAL)]
    return found[found["number"].notna() & found["region"].isin(living)]


def printed(dataset: Dataset, membership: Membership, year: int) -> list[Printed]:
    """How far the values of each candidate are printed, in the order of the candidates."""
    living, estimates = dataset.catalogue.codes.living(year), Estimates(dataset)
    found = []
    for one in membership.candidates:
        card = dataset.catalogue.cards[one.indicator] if one.indicator else None
        regions = len(figures(estimates, card, one.codes, year, living)) if card else 0
        usable = card is not None and regions > MOST * len(living) and _comparable(card, one)
        found.append(Printed(one, regions, usable))
    return found


def _comparable(card: Card, one: Candidate) -> bool:
    """Whether a region can be better than another by this figure."""
    return not card.doubtful and card.polarity != "neutral" and not (card.additive and one.denominator is None)


def inputs(dataset: Dataset, membership: Membership, spec: Spec, year: int) -> pd.DataFrame:
    """Values of the recomputation, as ``balalar index`` reads them.

    Returns
    -------
    DataFrame
        region, year, indicator, value (as printed), base (people among whom cases happened), sample (people asked, the
        lower end where it is a range), status; a row a value, denominators among them.
    """
    codes = {one.indicator: one.codes for one in membership.candidates}
    bottoms = {one.denominator for one in spec.indicators.values() if one.denominator}
    living, estimates = dataset.catalogue.codes.living(year), Estimates(dataset)
    parts = []
    for name in [*spec.indicators, *sorted(bottoms)]:
        card = dataset.catalogue.cards[name]
        rows = figures(estimates, card, codes.get(name, {}), year, living)
        survey = card.interval.method == "survey"
        parts.append(
            pd.DataFrame(
                {
                    "region": rows["region"],
                    "year": year,
                    "indicator": name,
                    "value": rows["value"],
                    "base": np.nan if survey else rows["base"],
                    "sample": rows["base_least"] if survey else np.nan,
                    "status": rows["status"],
                }
            )
        )
    order = {region: at for at, region in enumerate(dataset.catalogue.codes.regions)}
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values("region", key=lambda regions: regions.map(order), kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Recomputed:
    """Our recomputation of the index, beside what is printed.

    Attributes
    ----------
    dataset : Dataset
    membership : Membership
    spec : Spec
    year : int
    """

    dataset: Dataset
    membership: Membership
    spec: Spec
    year: int

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """Values of the recomputation; see ``inputs``."""
        return inputs(self.dataset, self.membership, self.spec, self.year)

    @cached_property
    def index(self) -> Index:
        """The index by the rules of the spec."""
        return build(self.spec, values_of(self.inputs, self.spec, SPEC))

    @cached_property
    def overall(self) -> pd.Series:
        """Weight of each figure in the index."""
        return self.index.weights.set_index("part")["overall"]

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """What each domain brings to the index: a row a region, a column a domain."""
        parts = explain.contributions(self.index).droplevel("year")
        return pd.DataFrame({name: parts[self.spec.leaves(name)].sum(axis=1) for name in self.membership.domains})

    @cached_property
    def rebuilt(self) -> pd.DataFrame:
        """By how much plausible rules miss the printed scores of the domains; see ``reconstruct``."""
        rows = [
            self.compared(name).reset_index().assign(group=name, year=self.year) for name in self.membership.domains
        ]
        printed = pd.concat(rows).rename(columns={"printed": "score"})
        return reconstruct(self.spec, self.index.problem.data, printed[["region", "year", "group", "score", "half"]])

    @cached_property
    def drawn(self) -> Simulation:
        """The index drawn many times over, with its domains."""
        return simulate(self.index, groups=list(self.spec.groups))

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """Which uncertainty moves the places."""
        return sensitivity(self.index, scores=False)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores and places with their intervals, by region, the highest first."""
        table = self.drawn.intervals().droplevel("year")
        zones = self.drawn.zones().droplevel("year").add_prefix("zone_")
        return table.join(zones).sort_values("score", ascending=False, kind="stable")

    @cached_property
    def apart(self) -> tuple[int, int]:
        """Pairs of regions of which one is above the other in at least 95 of 100 replications, and all pairs."""
        above = self.drawn.above(self.year).to_numpy()
        sure = int((above >= self.spec.uncertainty.confidence).sum())
        return sure, len(above) * (len(above) - 1) // 2

    def official(self, printed: bool = False) -> pd.DataFrame:
        """Scores of the report, a row a place of it that prints one, in its order.

        Parameters
        ----------
        printed : bool
            As printed instead of as corrected.

        Returns
        -------
        DataFrame
            year, region, domain, value, number, source.
        """
        rows = self.dataset.of(self.membership.indicator, printed)
        rows = rows[rows["number"].notna()].rename(columns={self.membership.dimension: "domain"})
        rows = rows.sort_values("source", key=lambda sources: sources.map(_number), kind="stable")
        return rows[["year", "region", "domain", "value", "number", "source"]]

    def compared(self, domain: str) -> pd.DataFrame:
        """Printed and recomputed scores of a domain side by side.

        Returns
        -------
        DataFrame
            A row a region with both: printed (of several the last place's, which is the chapter on the index), half
            (of its last digit), recomputed, printed_rank and recomputed_rank among these regions, moved (places).
        """
        rows = self.official()
        rows = rows[(rows["year"] == self.year) & (rows["domain"] == domain) & (rows["region"] != COUNTRY)]
        rows = rows.drop_duplicates("region", keep="last")
        own = self.index.scores[domain].droplevel("year")
        table = pd.DataFrame(
            {
                "printed": rows["number"].to_numpy(),
                "half": rows["value"].map(half_digit).to_numpy(),
                "value": rows["value"].to_numpy(),
                "recomputed": own.reindex(rows["region"]).to_numpy(),
            },
            pd.Index(rows["region"], name="region"),
        ).dropna()
        ranks = table[["printed", "recomputed"]].rank(ascending=False, method="min").astype(int).add_suffix("_rank")
        table = table.join(ranks)
        return table.assign(moved=table["printed_rank"] - table["recomputed_rank"]).sort_values("printed_rank")

    def correlation(self, domain: str) -> float:
        """Spearman's rank correlation of the printed and the recomputed scores; NaN of fewer than three regions."""
        table = self.compared(domain)
        if len(table) < FEWEST:
            return np.nan
        return float(table["printed"].corr(table["recomputed"], method="spearman"))


def _number(source: str) -> tuple[Any, ...]:
    """Place of a report in its order: figure-2.20 before figure-6.1."""
    return tuple(int(part) for part in source.split("-")[1].split("."))


def rules_tried(found: pd.DataFrame) -> int:
    """How many sets of rules a reconstruction has tried."""
    return len(found[["normalise", "goalposts", "impute", "aggregate", "weights"]].drop_duplicates())


def open_recomputed(dataset: Dataset, where: Project, year: int | None = None) -> Recomputed:
    """Read what is known of the index, to recompute it.

    Parameters
    ----------
    dataset : Dataset
    where : Project
    year : int, optional
        Year of the report; the newest if left out.

    Raises
    ------
    DataError
        A file on the index is not sound.
    """
    membership = read_membership(dataset.catalogue, where)
    spec = read_recomputation(membership, dataset.catalogue, where)
    return Recomputed(dataset, membership, spec, year or max(dataset.catalogue.sources.reports))
