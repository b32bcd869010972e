"""Relations that must hold between figures, found from the cards; each is tested on all figures it applies to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations

from balalar.audit import grim, levels
from balalar.audit.evidence import Evidence, Figure, Key, Operand, put
from balalar.audit.finding import Test
from balalar.audit.interval import Interval, exact, total
from balalar.cards import COUNTRY, TOTAL

Rule = Callable[[Evidence], Iterator[Test]]
ENOUGH_YEARS = 3  # earlier years from which the size of a blank part can be told
OUTSIZE = 3  # times its own highest value that a part may reach
ROUGH = 0.01  # a mean of two years may miss the true mean of the year by this share


def tests(evidence: Evidence) -> Iterator[Test]:
    """Every test that the cards allow.

    Parameters
    ----------
    evidence : Evidence
        Figures as printed, or corrected.

    Yields
    ------
    Test
    """
    for rule in RULES:
        yield from rule(evidence)


def sums(evidence: Evidence) -> Iterator[Test]:
    """Parts add up to their total; where some are not printed, the others do not exceed it."""
    for key, figures in list(evidence.figures.items()):
        if not evidence.card(key).additive:
            continue
        for parts in evidence.partitions(key):
            rule = "sum_regions" if parts and parts[0].region != key.region else "sum_parts"
            for figure in figures:
                found = [one for part in parts if (one := evidence.near(figure, part))]
                if not found or any(one is figure for one in found):
                    continue
                whole = total([one.interval for one in found])
                if len(found) == len(parts):
                    yield Test.of(rule, figure, tuple(found), whole)
                elif len(found) > 1:
                    yield Test.of("parts_exceed", figure, tuple(found), Interval(whole.low, float("inf")))
                    yield from _blank(evidence, figure, parts, found)


def _blank(evidence: Evidence, figure: Figure, parts: list[Key], found: list[Figure]) -> Iterator[Test]:
    """What blank parts would have to be is like what they were in other years."""
    printed = {one.key for one in found}
    missing = [part for part in parts if part not in printed]
    if missing[0].region != figure.key.region:
        return
    history = [_history(evidence, part, figure.source) for part in missing]
    if all(len(years) >= ENOUGH_YEARS for years in history):
        limit = sum(OUTSIZE * (max(one.number for one in years) + 1) for years in history)
        whole = total([one.interval for one in found])
        rest = figure.interval - whole
        beside = (*found, *(one for years in history for one in years))
        yield Test(
            "blank_part", figure, beside, whole + Interval(0.0, limit), rest.low <= limit, "assumption", "history"
        )


def _history(evidence: Evidence, part: Key, source: str) -> list[Figure]:
    """A part's figures of the ten years before, at the same place."""
    years = (part._replace(year=year) for year in range(part.year - 10, part.year))
    return [one for key in years for one in evidence.figures.get(key, ()) if one.source == source]


def partings(evidence: Evidence) -> Iterator[Test]:
    """Two ways to part a total that is not printed give the same."""
    for key in _unprinted_totals(evidence):
        ways = [one for one in evidence.operands(key) if one.figures and one.figures[0].key.indicator == key.indicator]
        for one, other in combinations(ways, 2):
            yield Test(
                "two_partings",
                one.figures[0],
                (*one.figures, *other.figures),
                other.interval,
                one.interval.meets(other.interval),
            )


def _unprinted_totals(evidence: Evidence) -> list[Key]:
    found: dict[Key, None] = {}
    for key in evidence.figures:
        card = evidence.card(key)
        for name in card.parts:
            whole = Key(key.indicator, key.year, key.region, put(key.codes, card.dimensions.index(name), TOTAL))
            if whole not in evidence.figures:
                found[whole] = None
    return list(found)


def part_of_total(evidence: Evidence) -> Iterator[Test]:
    """No part of a count exceeds the total, and no region the country."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if not card.additive:
            continue
        wholes = [
            put(key.codes, at, TOTAL)
            for at, code in enumerate(key.codes)
            if code != TOTAL and (card.dimensions[at] in card.parts)
        ]
        keys = [Key(key.indicator, key.year, key.region, codes) for codes in wholes]
        if key.region != COUNTRY:
            keys.append(Key(key.indicator, key.year, COUNTRY, key.codes))
        for figure, whole in ((figure, whole) for figure in figures for whole in keys):
            if other := evidence.near(figure, whole):
                yield Test.of("part_of_total", figure, (other,), Interval(float("-inf"), other.interval.high))


def quotients(evidence: Evidence) -> Iterator[Test]:
    """A share or rate is its numerator by its denominator."""
    for key, figures in list(evidence.figures.items()):
        for figure in figures:
            if found := evidence.quotient(key, figure.source):
                years = {one.key.year for one in found.figures}
                if len(years) == 1:
                    yield Test.of("quotient", figure, found.figures, found.interval)
                else:
                    # A year's mean number of children is only near the mean of its two ends.
                    low, high = (
                        end * (1 + sign * ROUGH) for end, sign in ((found.interval.low, -1), (found.interval.high, 1))
                    )
                    yield Test.of("quotient", figure, found.figures, Interval(low, high), "mean_of_two_years")


def structures(evidence: Evidence) -> Iterator[Test]:
    """Shares of a whole add up to 100 %, and each is its part by the total."""
    groups: dict[tuple[Key, str], list[Figure]] = defaultdict(list)
    for key, figures in evidence.figures.items():
        card = evidence.card(key)
        if card.composition is None:
            continue
        at = card.dimensions.index(card.composition)
        if key.codes[at] == TOTAL:
            continue
        for figure in figures:
            groups[Key(key.indicator, key.year, key.region, put(key.codes, at, TOTAL)), figure.source].append(figure)
        if card.composition_of and (found := _share(evidence, key, card.composition_of, card.composition)):
            for figure in figures:
                yield Test.of("share_of_whole", figure, found.figures, found.interval)
    for (whole, _), figures in groups.items():
        card = evidence.card(whole)
        name = card.composition or ""
        listed = evidence.catalogue.codes.dimensions[name]
        nested = {code for parts in listed.subtotals.values() for code in parts}
        at = card.dimensions.index(name)
        top = [figure for figure in figures if figure.key.codes[at] not in nested]
        wanted = [code for code in listed.items if code != TOTAL and code not in nested]
        rest = total([figure.interval for figure in top[:-1]]) if len(top) > 1 else None
        if rest is None:
            continue
        full = len(top) == len(wanted)
        expected = exact(100.0) - rest if full else Interval(float("-inf"), 100.0 - rest.low)
        yield Test.of("shares_to_100", top[-1], tuple(top[:-1]), expected)


def _share(evidence: Evidence, key: Key, of: str, dimension: str) -> Operand | None:
    other = evidence.catalogue.cards[of]
    given = evidence.given(key)
    if dimension not in other.dimensions or any(
        code != TOTAL for name, code in given.items() if name not in other.dimensions
    ):
        return None
    part = evidence.operands(evidence.key(of, key.year, key.region, given))
    whole = evidence.operands(evidence.key(of, key.year, key.region, given | {dimension: TOTAL}))
    if not part or not whole or whole[0].interval.low <= 0:
        return None
    quotient = (part[0].interval / whole[0].interval).times(100)
    return Operand(quotient, (*part[0].figures[:1], *whole[0].figures[:1]), derived=True)


def complements(evidence: Evidence) -> Iterator[Test]:
    """Two shares that make up the whole."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.complement and (other := evidence.figures.get(Key(card.complement, key.year, key.region, key.codes))):
            for figure in figures:
                beside = evidence.near(figure, other[0].key) or other[0]
                yield Test.of("complement", figure, (beside,), exact(100.0) - beside.interval)


def means(evidence: Evidence) -> Iterator[Test]:
    """A score is the mean of its components; a yearly mean that of the two ends of the year."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.mean_over_year:
            for other in evidence.operands_of_mean(key):
                for figure in figures:
                    yield Test.of("mean_over_year", figure, other.figures, other.interval, "mean_of_two_years")
        if card.mean_of is None:
            continue
        at = card.dimensions.index(card.mean_of)
        if key.codes[at] != TOTAL:
            continue
        codes = [code for code in evidence.catalogue.codes.dimensions[card.mean_of].items if code != TOTAL]
        parts = [Key(key.indicator, key.year, key.region, put(key.codes, at, code)) for code in codes]
        for figure in figures:
            # Where a component is printed twice, any of its values will do.
            choices = [evidence.nearest(figure, evidence.figures.get(part, [])) for part in parts]
            if all(choices):
                spans = [
                    Interval(min(f.interval.low for f in options), max(f.interval.high for f in options))
                    for options in choices
                ]
                found = tuple(options[0] for options in choices)
                yield Test.of("mean_of_parts", figure, found, total(spans).times(1 / len(spans)), "equal_weights")


def orders(evidence: Evidence) -> Iterator[Test]:
    """A part is not above the whole it belongs to: free meals above all meals."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if not card.within:
            continue
        given = evidence.given(key)
        other = evidence.related(key, card.within, given)
        found = other and evidence.figures.get(other)
        if found:
            for figure in figures:
                beside = evidence.near(figure, found[0].key) or found[0]
                yield Test.of("within", figure, (beside,), Interval(float("-inf"), beside.interval.high))


def ranges(evidence: Evidence) -> Iterator[Test]:
    """A value is one that the indicator can have, in a region that exists."""
    for key, figures in list(evidence.figures.items()):
        low, high = evidence.card(key).range
        span = Interval(float("-inf") if low is None else low, float("inf") if high is None else high)
        for figure in figures:
            yield Test("possible", figure, (), span, span.low <= figure.number <= span.high)


def changes(evidence: Evidence) -> Iterator[Test]:
    """A printed change is the difference of the two figures."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.change_of is None:
            continue
        given = evidence.given(key)
        before = card.change_since or key.year - 1
        ends = [
            evidence.related(Key(key.indicator, year, key.region, key.codes), card.change_of, given)
            for year in (key.year, before)
        ]
        now, then = (evidence.figures.get(end, []) if end else [] for end in ends)
        if now and then:
            for figure in figures:
                one, other = (evidence.near(figure, side[0].key) or side[0] for side in (now, then))
                difference = one.interval - other.interval
                size = (
                    Interval(-difference.high, -difference.low) if difference.high < 0 < figure.number else difference
                )
                yield Test.of("change", figure, (one, other), size)


def twice(evidence: Evidence) -> Iterator[Test]:
    """What is printed at two places agrees."""
    for figures in list(evidence.figures.values()):
        for one, other in combinations(figures, 2):
            if one.source != other.source and one.report == other.report:
                yield Test.of("two_places", other, (one,), one.interval)


RULES: tuple[Rule, ...] = (
    sums, partings, part_of_total, quotients, structures, complements, means, orders, ranges, levels.levels, changes,
    twice, levels.bases, levels.possible_means, levels.likely_bases, grim.tests,
)  # fmt: skip
