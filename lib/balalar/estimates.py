"""Each figure with its interval of chance: out of what it is taken, how many cases it stands for, how sure it is."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import pandas as pd

from balalar.cards import BASIC_DIMENSIONS, COUNTRY, TOTAL, Card
from balalar.dataset import Dataset, exponent, half_digit
from balalar.intervals import CONFIDENCE, poisson, wilson
from balalar.measures import Record, figures_of, records

COLUMNS = ("low", "high", "lowest", "highest", "cases", "base", "base_least", "basis")
BASES = ("printed", "recovered", "near", "counted", "sample", "assumed")
CHILDREN = "child_population"  # by which an assumed sample is spread over the regions
SLACK = 1e-9  # of a float's own rounding


@dataclass(frozen=True)
class Span:
    """A number that is known only to lie between two bounds; the middle is what it is printed as."""

    least: float
    middle: float
    most: float

    @property
    def exact(self) -> bool:
        """Whether it is printed in full."""
        return self.least == self.most


@dataclass(frozen=True)
class Basis:
    """What the interval of a figure rests on.

    Attributes
    ----------
    cases : Span or None
        Cases that happened; None for shares.
    base : Span
        People among whom they happened, or who were asked; NaN where nobody says.
    code : str
        One of ``BASES``. ``printed``: the cases are printed. ``recovered``: they follow from rate and base within
        rounding. ``near``: no whole number of cases does, so the base was a little different; the two beside it are
        taken.
        ``counted``: a share of people counted. ``sample``: of people asked. ``assumed``: of people asked, where only
        the country's sample is printed and the region's lies between an equal and a proportional part of it.
    half : float
        Half the last digit of a rate that the cases are recovered from.
    """

    cases: Span | None
    base: Span
    code: str
    half: float = 0.0


class Estimates:
    """Intervals of the figures of a dataset.

    Parameters
    ----------
    dataset : Dataset
    design_effect : float, optional
        By how much the variance of a survey's shares exceeds that of a simple random sample; the edition's if left
        out.
    """

    def __init__(self, dataset: Dataset, design_effect: float | None = None) -> None:
        self._dataset = dataset
        self.design_effect = dataset.catalogue.edition.design_effect if design_effect is None else design_effect

    def of(self, card: Card) -> pd.DataFrame:
        """Best figures of an indicator with their intervals.

        Parameters
        ----------
        card : Card

        Returns
        -------
        DataFrame
            As from ``Dataset.best``, with the columns ``low`` and ``high`` (95 %), ``lowest`` and ``highest`` (99.8 %)
            in the card's unit; ``cases``, ``base`` (people among whom or out of whom) and ``base_least`` where that is
            a range; and ``basis``, the code of ``Basis``, empty where no interval can be calculated.
        """
        # A shallow copy: what one user assigns, the others do not see.
        key = ("estimates", card.id, self.design_effect)
        return self._dataset.memo.get(key, lambda: self._of(card)).copy(deep=False)

    def records(self, card: Card) -> list[Record]:
        """Rows of ``of`` as records, without the dimensions that only other indicators have."""
        key = ("records", card.id, self.design_effect)
        found: list[Record] = self._dataset.memo.get(key, lambda: records_of(card, self.of(card), self._dataset))
        return found

    def _of(self, card: Card) -> pd.DataFrame:
        figures = figures_of(card, self._dataset.best)
        rows = [self._row(card, record) for record in records(figures)]
        return figures.assign(**{name: [row.get(name, math.nan) for row in rows] for name in COLUMNS[:-1]}).assign(
            basis=[row.get("basis", "") for row in rows]
        )

    def _row(self, card: Card, record: Record) -> dict[str, float | str]:
        """Columns of one figure; none where no interval can be calculated."""
        # What «about 20» or «at least 15 %» was rounded from nobody knows.
        unknown = record["value"] == "" or record["status"] == "E"
        if unknown or card.doubtful or card.interval.method == "none":
            return {}
        basis = self._basis(card, record)
        if basis is None:
            return {}
        number, per = float(record["number"]), per_of(card)  # of a computed quotient before rounding
        ends = [end for level in CONFIDENCE for end in self._limits(basis, number, per, level)]
        known: dict[str, float | str] = {"base": basis.base.middle, "base_least": basis.base.least, "basis": basis.code}
        if basis.cases:
            known["cases"] = basis.cases.middle
        return dict(zip(COLUMNS, ends, strict=False)) | known

    def _limits(self, basis: Basis, number: float, per: float, confidence: float) -> tuple[float, float]:
        if basis.code in ("counted", "sample", "assumed"):
            people = basis.base.least / (1 if basis.code == "counted" else self.design_effect)
            share = basis.cases.middle / people if basis.cases else number / per
            low, high = wilson(share, people, confidence)
            return float(low) * per, float(high) * per
        assert basis.cases
        # The interval is longest at one of the ends of what the count may have been.
        ends = [
            self._rate_limits(cases, basis, number, per, confidence) for cases in {basis.cases.least, basis.cases.most}
        ]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @staticmethod
    def _rate_limits(cases: float, basis: Basis, number: float, per: float, confidence: float) -> tuple[float, float]:
        """Limits of a rate, had there been so many cases, over all bases that its printed figure leaves possible."""
        low, high = (float(end) for end in poisson(cases, confidence))
        if math.isnan(basis.base.middle):
            return low * number / cases, high * number / cases
        most, least = basis.base.most, basis.base.least
        if basis.code == "recovered" and cases > 0:
            most = max(min(most, cases * per / max(number - basis.half, SLACK)), least)
            least = min(max(least, cases * per / (number + basis.half)), most)
        return low * per / most, high * per / least

    # -- out of what -----------------------------------------------------------------------------------

    def _basis(self, card: Card, record: Record) -> Basis | None:
        rule = card.interval
        if rule.method == "poisson":
            return self._cases(card, record)
        if rule.method == "binomial":
            base = self._count(rule.base, record, rule.codes)
            cases = self._count(rule.cases, record, {})
            exact = cases if cases and base and cases.exact and base.exact else None
            return Basis(exact, base, "counted") if base and base.least > 0 else None
        return self._sample(card, record)

    def _cases(self, card: Card, record: Record) -> Basis | None:
        """Cases behind a count or a rate: printed, or else recovered from the rate and its base."""
        if card.kind == "count":
            return Basis(_span(record["value"]), Span(1.0, 1.0, 1.0), "printed")
        base = self._over_the_year(card, record)
        base = base if base and base.least > 0 else None
        printed = self._count(card.interval.cases, record, {})
        nobody = Span(math.nan, math.nan, math.nan)
        if printed and printed.exact and (base or printed.middle > 0):
            return Basis(printed, base or nobody, "printed")
        if base is None:
            return None
        per, half = per_of(card), half_digit(record["value"])
        number = float(record["value"])
        least = max(number - half, 0) * base.least / per
        most = (number + half) * base.most / per
        cases = Span(math.ceil(least - SLACK), round(number * base.middle / per), math.floor(most + SLACK))
        if cases.least <= cases.most:
            return Basis(cases, base, "recovered", half)
        return Basis(Span(math.floor(least), cases.middle, math.ceil(most)), base, "near")

    def _over_the_year(self, card: Card, record: Record) -> Span | None:
        """Base of a rate: of a start-of-year count the mean over the year, else the count of the year."""
        base = card.interval.base
        if base is None:
            return None
        at_start = card.interval.over == "start" or card.time == "start_of_year"
        if self._dataset.catalogue.cards[base].time != "start_of_year" or at_start:
            return self._count(base, record, card.interval.codes)
        ends = [self._count(base, record | {"year": record["year"] + late}, card.interval.codes) for late in (0, 1)]
        first, last = ends
        if first is None or last is None:
            return None
        return Span(*((one + two) / 2 for one, two in zip(astuple(first), astuple(last), strict=True)))

    def _sample(self, card: Card, record: Record) -> Basis | None:
        """People asked: the country's sample as printed, a region's between an equal and a proportional part."""
        rule = card.interval
        whole = self._count(rule.base, record | {"region": COUNTRY}, rule.codes)
        if whole is None or any(record[name] != TOTAL for name in card.dimensions):
            return None
        if record["region"] == COUNTRY:
            return Basis(None, whole, "sample")
        living = self._dataset.catalogue.codes.living(record["year"])
        after = record | {"year": record["year"] + 1}
        own, all_ = (self._count(CHILDREN, after | {"region": one}, {}) for one in (record["region"], COUNTRY))
        if own is None or all_ is None:
            return None
        equal, proportional = whole.middle / len(living), whole.middle * own.middle / all_.middle
        least, most = sorted((equal, proportional))
        return Basis(None, Span(round(least), round(most), round(most)), "assumed")

    def _count(self, indicator: str | None, record: Record, codes: dict[str, str]) -> Span | None:
        """A count of the same year, region and codes as another figure; None where it is not printed."""
        if indicator is None or indicator not in self._dataset.catalogue.cards:
            return None
        card = self._dataset.catalogue.cards[indicator]
        given = {name: record[name] for name in BASIC_DIMENSIONS if record[name] != TOTAL}
        given |= {name: record[name] for name in card.dimensions if record.get(name)} | codes
        if any(code != TOTAL and name not in card.dimensions for name, code in given.items()):
            return None
        wanted = tuple(given.get(name, TOTAL) for name in card.dimensions)
        found = self._figures(card).get((record["year"], record["region"], *wanted))
        return _span(found["value"]) if found else None

    def _figures(self, card: Card) -> dict[tuple[object, ...], Record]:
        found: dict[tuple[object, ...], Record] = self._dataset.memo.get(
            ("by key", card.id),
            lambda: {
                (row["year"], row["region"], *(row[name] for name in card.dimensions)): row
                for row in records(self._dataset.best(card.id))
                if row["value"] != "" and not card.doubtful
            },
        )
        return found


def _span(value: str) -> Span:
    """What a printed count may stand for: itself where it is printed in full."""
    number = float(value)
    half = half_digit(value) if exponent(value) > 0 else 0.0
    return Span(number - half, number, number + half)


def per_of(card: Card) -> float:
    """Of how many a rate or share speaks, by its unit: 100 for per cent, 100,000 for per 100,000 children."""
    if card.kind == "count":
        return 1.0
    if card.per or card.unit == "percent":
        return card.per or 100.0
    return float(card.unit.removeprefix("per_").split("_")[0])


def records_of(card: Card, figures: pd.DataFrame, dataset: Dataset) -> list[Record]:
    """An indicator's figures as records, without the sixty dimensions that only others have."""
    kept = (*BASIC_DIMENSIONS, *card.dimensions)
    return records(figures, without=[name for name in dataset.dimensions if name not in kept])
