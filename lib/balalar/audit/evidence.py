"""The figures of a data package by what they are of, with what follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import NamedTuple

import pandas as pd

from balalar.audit.interval import Interval, of_printed, total
from balalar.cards import COUNTRY, TOTAL, Card, Catalogue
from balalar.claims import Claim, codes_of
from balalar.dataset import exponent

WHOLE_UNITS_ONLY = ("count",)


class Key(NamedTuple):
    """What a figure is of: an indicator, a year, a region and the codes of the card's dimensions in its order."""

    indicator: str
    year: int
    region: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure as it stands at its place."""

    key: Key
    value: str
    source: str
    report: int
    status: str
    correction: str
    interval: Interval
    number: float


@dataclass(frozen=True)
class Operand:
    """A quantity with the figures it rests on; ``derived`` where it is not printed itself."""

    interval: Interval
    figures: tuple[Figure, ...]
    derived: bool = False


class Evidence:
    """All figures, found by key.

    Parameters
    ----------
    frame : DataFrame
        As ``Dataset.printed`` or ``Dataset.corrected``.
    catalogue : Catalogue
    """

    def __init__(self, frame: pd.DataFrame, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.figures: dict[Key, list[Figure]] = defaultdict(list)
        self.quoted: dict[Key, list[Figure]] = {}
        self._followed: dict[Key, list[Operand]] = {}
        filled = frame[frame["number"].notna()]
        columns = {name: filled[name].tolist() for name in filled}
        names = ("indicator", "year", "region", "value", "source", "report", "status", "correction", "number")
        for at, cell in enumerate(zip(*(columns[name] for name in names), strict=True)):
            indicator, year, region, value, source, report, status, correction, number = cell
            card = catalogue.cards[indicator]
            key = Key(indicator, year, region, tuple(columns[name][at] for name in card.dimensions))
            whole = card.kind in WHOLE_UNITS_ONLY and card.decimals == 0 and status != "E"
            span = of_printed(value, whole)
            if status == "E":
                # An estimate may be cut («more than 61 %») as well as rounded.
                span = Interval(2 * span.low - number, 2 * span.high - number)
            self.figures[key].append(Figure(key, value, source, report, status, correction, span, number))
        self._alias()

    def stated(self, claim: Claim, report: int) -> Figure:
        """What a claim says of a single quantity, as a figure of its section."""
        key = self.key(claim.indicator, int(claim.year), claim.region, codes_of(claim.dims))
        source, number = f"section-{claim.section}", float(claim.value)
        return Figure(key, claim.value, source, report, "A", "", of_printed(claim.value), number)

    def say(self, quoted: Mapping[Key, list[Figure]]) -> None:
        """Add what the claims of the prose say, to be asked where the figures leave a question open."""
        self.quoted.update(quoted)

    def hedge(self, key: Key, section: str, hedge: str) -> None:
        """Widen the figures of a section that the prose gives as «more than» or «about»."""
        self._followed.clear()
        for at, figure in enumerate(self.figures.get(key, ())):
            if self.section(figure) == section:
                unit = 10.0 ** exponent(figure.value)
                low = figure.interval.low - (0 if hedge == "more" else unit)
                high = figure.interval.high + (0 if hedge == "less" else unit)
                self.figures[key][at] = replace(figure, interval=Interval(low, high))

    def near(self, figure: Figure, key: Key) -> Figure | None:
        """The figure of a quantity that stands at the same place as another figure, or else the first."""
        found = self.figures.get(key)
        if not found:
            return None
        return next((one for one in found if one.source == figure.source), found[0])

    def nearest(self, figure: Figure, others: list[Figure]) -> list[Figure]:
        """Those of some figures that stand in the same section as another, or else all."""
        return [one for one in others if self.section(one) == self.section(figure)] or others

    def section(self, figure: Figure) -> str:
        """Section of the report in which a figure stands."""
        return self.catalogue.sources.reports[figure.report].places[figure.source].section

    def among(self, indicators: Collection[str]) -> Evidence:
        """The figures of some indicators."""
        return self._with({key: found for key, found in self.figures.items() if key.indicator in indicators})

    def _with(self, figures: Mapping[Key, list[Figure]]) -> Evidence:
        """Other figures, with all that is known of the cards."""
        copy = object.__new__(Evidence)
        copy.catalogue, copy.quoted = self.catalogue, self.quoted
        copy.figures = defaultdict(list, figures)
        copy._changes, copy._followed = self._changes, {}
        return copy

    def revised(self, changes: Iterable[tuple[Figure, Key, str]]) -> Evidence:
        """A copy in which a few figures are others."""
        copy = self._with(self.figures)
        for figure, key, value in changes:
            copy.figures[figure.key] = [one for one in copy.figures[figure.key] if one is not figure]
            if not copy.figures[figure.key]:
                del copy.figures[figure.key]
            whole = self.card(key).kind in WHOLE_UNITS_ONLY and self.card(key).decimals == 0
            changed = replace(figure, key=key, value=value, number=float(value), interval=of_printed(value, whole))
            copy.figures[key] = [changed, *copy.figures.get(key, [])]
        return copy

    def related_to(self, indicator: str) -> frozenset[str]:
        """Indicators that a relation of a card ties to one, over two steps."""
        near = self._ties[indicator]
        return frozenset({indicator, *near, *(other for one in near for other in self._ties[one])})

    @cached_property
    def _ties(self) -> dict[str, set[str]]:
        ties: dict[str, set[str]] = defaultdict(set)
        for card in self.catalogue.cards.values():
            for other in card.relatives():
                ties[card.id].add(other)
                ties[other].add(card.id)
        return ties

    def _alias(self) -> None:
        """Put figures of an indicator that is another name under the quantity it names."""
        for card in self.catalogue.cards.values():
            if card.same_as is None:
                continue
            for key in [key for key in self.figures if key.indicator == card.id]:
                given = self.given(key) | card.same_codes
                self.figures[self.key(card.same_as, key.year, key.region, given)] += self.figures[key]

    def card(self, key: Key) -> Card:
        """Card of a key's indicator."""
        return self.catalogue.cards[key.indicator]

    def given(self, key: Key) -> dict[str, str]:
        """Codes of a key by the dimensions of its card."""
        return dict(zip(self.card(key).dimensions, key.codes, strict=True))

    def key(self, indicator: str, year: int, region: str, dims: Mapping[str, str]) -> Key:
        """Key with ``total`` for each dimension that is not given."""
        names = self.catalogue.cards[indicator].dimensions
        return Key(indicator, year, region, tuple(dims.get(name, TOTAL) for name in names))

    def operands(self, key: Key, deep: bool = True) -> list[Operand]:
        """What is known of a quantity: every printed figure, or else what follows from others.

        Parameters
        ----------
        key : Key
        deep : bool
            Whether to follow the cards' relations where nothing is printed.
        """
        if found := self.figures.get(key):
            return [Operand(figure.interval, (figure,)) for figure in found]
        if not deep:
            return []
        if key not in self._followed:
            self._followed[key] = list(self._derived(key))
        return self._followed[key]

    def _derived(self, key: Key) -> Iterator[Operand]:
        """What follows from figures that are printed, by the relations of the card."""
        card = self.card(key)
        if found := self.quotient(key):
            yield found
        yield from self.operands_of_mean(key)
        yield from self._before_change(key)
        yield from self._rest_of_total(key)
        if not card.additive:
            return
        for parts in self.partitions(key):
            found_parts = [self.figures[part][0] for part in parts if part in self.figures]
            if parts and len(found_parts) == len(parts):
                yield Operand(total([one.interval for one in found_parts]), tuple(found_parts), derived=True)

    def _before_change(self, key: Key) -> Iterator[Operand]:
        """The year before, from a value and its printed change."""
        for name in self._changes.get(key.indicator, ()):
            given = self.given(key)
            if any(code != TOTAL for dim, code in given.items() if dim not in self.catalogue.cards[name].dimensions):
                continue
            change = self.figures.get(self.key(name, key.year + 1, key.region, given))
            after = self.figures.get(Key(key.indicator, key.year + 1, key.region, key.codes))
            if change and after:
                yield Operand(after[0].interval - change[0].interval, (after[0], change[0]), derived=True)

    def _rest_of_total(self, key: Key) -> Iterator[Operand]:
        """A part, from its total and the other parts."""
        card = self.card(key)
        for name, codes in card.parts.items():
            at = card.dimensions.index(name)
            if not card.additive or key.codes[at] not in codes:
                continue
            whole = self.figures.get(Key(key.indicator, key.year, key.region, put(key.codes, at, TOTAL)))
            others = [
                self.figures.get(Key(key.indicator, key.year, key.region, put(key.codes, at, code)))
                for code in codes
                if code != key.codes[at]
            ]
            if whole and all(others):
                rest = [found[0] for found in others if found]
                left = whole[0].interval - total([one.interval for one in rest])
                yield Operand(left, (whole[0], *rest), derived=True)

    @cached_property
    def _changes(self) -> dict[str, list[str]]:
        """Indicators that print the change on the year before, by what they are the change of."""
        found: dict[str, list[str]] = defaultdict(list)
        for card in self.catalogue.cards.values():
            if card.change_of and card.change_since is None:
                found[card.change_of].append(card.id)
        return found

    def operands_of_mean(self, key: Key) -> Iterator[Operand]:
        """Mean of a year from its first day and the next year's."""
        if name := self.card(key).mean_over_year:
            ends = [
                self.figures.get(self.key(name, year, key.region, self.given(key))) for year in (key.year, key.year + 1)
            ]
            figures = tuple(found[0] for found in ends if found)
            if len(figures) == len(ends):
                yield Operand(total([one.interval for one in figures]).times(0.5), figures, derived=True)

    def _elsewhere(self, operand: Operand, section: str) -> bool:
        return bool(section) and self.section(operand.figures[0]) != section

    def quotient(self, key: Key, source: str = "") -> Operand | None:
        """Numerator by denominator, as the card relates them, of one place first; None where either is unknown."""
        card = self.card(key)
        if not (card.numerator and card.denominator and card.per):
            return None
        given = self.given(key)
        above = self.related(key, card.numerator, given | card.numerator_codes)
        region = COUNTRY if card.of_country else key.region
        below = self.related(Key(key.indicator, key.year, region, key.codes), card.denominator, given)
        if above is None or below is None or above == below:
            return None
        tops, bottoms = self.operands(above, deep=False), self.operands(below, deep=False)
        if not bottoms and self.catalogue.cards[card.denominator].mean_over_year:
            bottoms = self.operands(below)
        if not tops or not bottoms or bottoms[0].interval.low <= 0:
            return None
        top, bottom = (self._at(source, found) for found in (tops, bottoms))
        return Operand((top.interval / bottom.interval).times(card.per), (*top.figures, *bottom.figures), derived=True)

    @staticmethod
    def _at(source: str, operands: list[Operand]) -> Operand:
        """The operand that stands at a place, or else the first."""
        return next((one for one in operands if one.figures[0].source == source), operands[0])

    def related(self, key: Key, indicator: str, given: Mapping[str, str]) -> Key | None:
        """Same year and region of another indicator; None where it has no such codes."""
        other = self.catalogue.cards.get(indicator)
        if other is None:
            return None
        own = self.card(key).numerator_codes
        if any(code != TOTAL for name, code in given.items() if name not in other.dimensions and name not in own):
            return None
        return self.key(indicator, key.year, key.region, given)

    def living(self, key: Key) -> list[str]:
        """Regions that make up the country in a year, or a year later where its figures were recalculated."""
        later = key.year in self.card(key).recalculated
        return self.catalogue.codes.living(key.year + 1 if later else key.year)

    def partitions(self, key: Key) -> Iterator[list[Key]]:
        """Keys whose values add up to that of a key, one list for each way to part it."""
        card = self.card(key)
        for name, codes in card.parts.items():
            at = card.dimensions.index(name)
            if key.codes[at] == TOTAL:
                yield [Key(key.indicator, key.year, key.region, put(key.codes, at, code)) for code in codes]
        for at, name in enumerate(card.dimensions):
            listed = self.catalogue.codes.dimensions[name]
            if key.codes[at] in listed.subtotals and key.codes[at] not in listed.open:
                codes = listed.subtotals[key.codes[at]]
                yield [Key(key.indicator, key.year, key.region, put(key.codes, at, code)) for code in codes]
        if key.region == COUNTRY:
            yield [Key(key.indicator, key.year, region, key.codes) for region in self.living(key)]

    @cached_property
    def columns(self) -> dict[tuple[str, int, tuple[str, ...], str], dict[str, list[Figure]]]:
        """Figures by region, of each indicator, year, codes and source."""
        found: dict[tuple[str, int, tuple[str, ...], str], dict[str, list[Figure]]] = {}
        for figures in self.figures.values():
            for figure in figures:
                key = figure.key
                column = (key.indicator, key.year, key.codes, figure.source)
                found.setdefault(column, {}).setdefault(key.region, []).append(figure)
        return found

    def added(self, keys: Iterable[Key], section: str = "") -> list[Operand]:
        """What the sum of several quantities may be, each as it is known, in a section first."""
        choices = [sorted(self.operands(key), key=lambda one: self._elsewhere(one, section)) for key in keys]
        if not choices or not all(choices):
            return []
        if len(choices) == 1:
            return choices[0]
        firsts = [options[0] for options in choices]
        figures = tuple(figure for option in firsts for figure in option.figures)
        return [Operand(total([option.interval for option in firsts]), figures, derived=True)]


def put(codes: tuple[str, ...], at: int, code: str) -> tuple[str, ...]:
    """Codes with one of them replaced."""
    return (*codes[:at], code, *codes[at + 1 :])


def every(indicator: str, years: Iterable[int], regions: Iterable[str], codes: Iterable[Iterable[str]]) -> list[Key]:
    """All keys of several years, regions and codes."""
    return [Key(indicator, *one) for one in product(years, regions, product(*codes))]
