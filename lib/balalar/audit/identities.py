"""Relations that must hold between figures, found from the cards; each is tested on all figures it applies to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from balalar.audit.evidence import Evidence, Figure, Key, Operand, put
from balalar.audit.finding import Certainty, Test
from balalar.audit.interval import Interval, exact, total
from balalar.cards import COUNTRY, TOTAL

LEVELS = ("share", "rate", "mean")  # kinds whose value for a whole lies between those of its parts
ENOUGH = 0.6  # share of the living regions that a table without some of them may still call all
ENOUGH_YEARS = 3  # earlier years from which the size of a blank part can be told
OUTSIZE = 3  # times its own highest value that a part may reach
NEAR_YEARS = (0, 1, -1, 2, -2)  # from which a weight may be taken, the nearest first
FAR = 1.5  # times the country's, by which the base of a region's share may differ
ROUGH = 0.01  # a mean of two years may miss the true mean of the year by this share
LOOSE = 0.2  # an assumed weight may be wrong by this share


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


def _near(figure: Figure, key: Key, evidence: Evidence) -> Figure | None:
    """The figure of a quantity that stands at the same place, or else the first."""
    found = evidence.figures.get(key)
    if not found:
        return None
    return next((one for one in found if one.source == figure.source), found[0])


def _test(rule: str, figure: Figure, against: tuple[Figure, ...], expected: Interval, assumption: str = "") -> Test:
    certainty: Certainty = "assumption" if assumption else "proven"
    return Test(rule, figure, against, expected, figure.interval.meets(expected), certainty, assumption)


def sums(evidence: Evidence) -> Iterator[Test]:
    """Parts add up to their total; where some are not printed, the others do not exceed it."""
    for key, figures in list(evidence.figures.items()):
        if evidence.card(key).kind not in ("count", "money"):
            continue
        for parts in evidence.partitions(key):
            rule = "sum_regions" if parts and parts[0].region != key.region else "sum_parts"
            for figure in figures:
                found = [one for part in parts if (one := _near(figure, part, evidence))]
                if not found or any(one is figure for one in found):
                    continue
                whole = total([one.interval for one in found])
                if len(found) == len(parts):
                    yield _test(rule, figure, tuple(found), whole)
                elif len(found) > 1:
                    yield _test("parts_exceed", figure, tuple(found), Interval(whole.low, float("inf")))
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
    years = (replace(part, year=year) for year in range(part.year - 10, part.year))
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
        if card.kind not in ("count", "money"):
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
            if other := _near(figure, whole, evidence):
                yield _test("part_of_total", figure, (other,), Interval(float("-inf"), other.interval.high))


def quotients(evidence: Evidence) -> Iterator[Test]:
    """A share or rate is its numerator by its denominator."""
    for key, figures in list(evidence.figures.items()):
        for figure in figures:
            if found := evidence.quotient(key, figure.source):
                years = {one.key.year for one in found.figures}
                if len(years) == 1:
                    yield _test("quotient", figure, found.figures, found.interval)
                else:
                    # A year's mean number of children is only near the mean of its two ends.
                    low, high = (
                        end * (1 + sign * ROUGH) for end, sign in ((found.interval.low, -1), (found.interval.high, 1))
                    )
                    yield _test("quotient", figure, found.figures, Interval(low, high), "mean_of_two_years")


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
                yield _test("share_of_whole", figure, found.figures, found.interval)
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
        yield _test("shares_to_100", top[-1], tuple(top[:-1]), expected)


def _share(evidence: Evidence, key: Key, of: str, dimension: str) -> Operand | None:
    card, other = evidence.card(key), evidence.catalogue.cards[of]
    given = dict(zip(card.dimensions, key.codes, strict=True))
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
                beside = _near(figure, other[0].key, evidence) or other[0]
                yield _test("complement", figure, (beside,), exact(100.0) - beside.interval)


def means(evidence: Evidence) -> Iterator[Test]:
    """A score is the mean of its components; a yearly mean that of the two ends of the year."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.mean_over_year:
            for other in evidence.operands_of_mean(key):
                for figure in figures:
                    yield _test("mean_over_year", figure, other.figures, other.interval, "mean_of_two_years")
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
                yield _test("mean_of_parts", figure, found, total(spans).times(1 / len(spans)), "equal_weights")


def orders(evidence: Evidence) -> Iterator[Test]:
    """A part is not above the whole it belongs to: free meals above all meals."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if not card.within:
            continue
        given = dict(zip(card.dimensions, key.codes, strict=True))
        other = evidence.related(key, card.within, given)
        found = other and evidence.figures.get(other)
        if found:
            for figure in figures:
                beside = _near(figure, found[0].key, evidence) or found[0]
                yield _test("within", figure, (beside,), Interval(float("-inf"), beside.interval.high))


def ranges(evidence: Evidence) -> Iterator[Test]:
    """A value is one that the indicator can have, in a region that exists."""
    for key, figures in list(evidence.figures.items()):
        low, high = evidence.card(key).range
        span = Interval(float("-inf") if low is None else low, float("inf") if high is None else high)
        for figure in figures:
            yield Test("possible", figure, (), span, span.low <= figure.number <= span.high)


def levels(evidence: Evidence) -> Iterator[Test]:
    """A level of the whole lies between those of its parts, and is their weighted mean."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.kind not in LEVELS or card.of_country:
            continue
        for name in ("sex", "settlement"):
            if name in card.dimensions and name not in (card.composition, card.mean_of, *card.incomparable):
                at = card.dimensions.index(name)
                if key.codes[at] == TOTAL:
                    codes = [code for code in evidence.catalogue.codes.dimensions[name].items if code != TOTAL]
                    parts = [Key(key.indicator, key.year, key.region, put(key.codes, at, code)) for code in codes]
                    yield from _level(evidence, figures, parts, f"between_{name}", complete=True)
        if key.region == COUNTRY and not card.composition:
            living = evidence.living(key)
            parts = [Key(key.indicator, key.year, region, key.codes) for region in living]
            yield from _level(evidence, figures, parts, "between_regions")


def _level(
    evidence: Evidence, figures: list[Figure], parts: list[Key], rule: str, complete: bool = False
) -> Iterator[Test]:
    for figure in figures:
        found = [one for part in parts if (one := _near(figure, part, evidence))]
        tabled = len({one.source for one in found}) == 1 and found[0].source.startswith("table")
        if len(found) < 2 or (len(found) < len(parts) and (complete or not tabled or len(found) < ENOUGH * len(parts))):
            continue
        assumption = "" if len(found) == len(parts) else "regions_not_printed"
        span = Interval(min(one.interval.low for one in found), max(one.interval.high for one in found))
        yield _test(rule, figure, tuple(found), span, assumption)
        if figure.interval.meets(span) and (mean := _weighted(evidence, found)):
            expected, exactly = mean
            about = assumption or ("" if exactly else "weights")
            yield _test("weighted_mean", figure, tuple(found), expected, about)
            if rule == "between_regions" and not exactly and len(found) == len(parts):
                yield _simple(evidence, figure, found)


def _simple(evidence: Evidence, figure: Figure, parts: list[Figure]) -> Test:
    """The country's level is not the mean of the regions as if all were of one size."""
    plain = total([part.interval for part in parts]).times(1 / len(parts))
    weights = [_weight(evidence, part.key, evidence.card(part.key).weight or "", exactly=False) for part in parts]
    pairs = [(part.number, weight.middle) for part, weight in zip(parts, weights, strict=True) if weight]
    mean = sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
    half = (figure.interval.high - figure.interval.low) / 2
    centre = sum(part.number for part in parts) / len(parts)
    plainly = abs(figure.number - centre) <= half and not figure.interval.meets(
        Interval(mean - 4 * half, mean + 4 * half)
    )
    return Test(
        "simple_mean",
        figure,
        tuple(parts),
        Interval(mean, mean) if plainly else plain,
        not plainly,
        "suspicion",
        "weights",
    )


def possible_means(evidence: Evidence) -> Iterator[Test]:
    """A country's share is one that the printed regions leave possible, whatever the others are."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        by = card.denominator or card.weight
        low, high = card.range
        if key.region != COUNTRY or card.kind != "share" or by is None or low is None or high is None:
            continue
        living = evidence.living(key)
        weights = {
            region: _weight(evidence, Key(key.indicator, key.year, region, key.codes), by, bool(card.denominator))
            for region in living
        }
        if not all(weights.values()):
            continue
        for figure in figures:
            parts = {
                region: one
                for region in living
                if (one := _near(figure, Key(key.indicator, key.year, region, key.codes), evidence))
            }
            if 0 < len(parts) < len(living):
                whole = sum(weight.middle for weight in weights.values() if weight)
                ends = [
                    sum(
                        (w.middle if w else 0) * (getattr(parts[r].interval, side) if r in parts else end)
                        for r, w in weights.items()
                    )
                    / whole
                    for side, end in (("low", low), ("high", high))
                ]
                span = Interval(*ends)
                if not figure.interval.meets(span):
                    # Only the end that is passed says something.
                    above = figure.interval.low > span.high
                    span = Interval(float("-inf"), span.high) if above else Interval(span.low, float("inf"))
                yield _test("possible_mean", figure, tuple(parts.values()), span, "weights")


def likely_bases(evidence: Evidence) -> Iterator[Test]:
    """The base that a region's share implies is to the base of the country as their weights are."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if not card.numerator or card.denominator or not card.weight or key.region == COUNTRY:
            continue
        nation = _base(evidence, Key(key.indicator, key.year, COUNTRY, key.codes))
        own = _base(evidence, key)
        whole = (TOTAL,) * len(key.codes)
        weights = [
            _weight(evidence, Key(key.indicator, key.year, region, whole), card.weight, exactly=False)
            for region in (key.region, COUNTRY)
        ]
        if nation and own and all(weights):
            count, base = own
            expected = nation[1].times((weights[0] or base).middle / (weights[1] or base).middle)
            span = Interval(expected.low / FAR, expected.high * FAR)
            number = (span * figures[0].interval).times(1 / (card.per or 1))
            yield Test("likely_base", count, (figures[0], nation[0]), number, base.meets(span), "assumption", "weights")


def _base(evidence: Evidence, key: Key) -> tuple[Figure, Interval] | None:
    """The count behind a share, and the base that the two imply."""
    card = evidence.card(key)
    given = dict(zip(card.dimensions, key.codes, strict=True))
    above = evidence.related(key, card.numerator or "", given)
    found, share = evidence.figures.get(above) if above else None, evidence.figures.get(key)
    if not found or not share or share[0].interval.low <= 0:
        return None
    return found[0], (found[0].interval / share[0].interval).times(card.per or 1)


def _weighted(evidence: Evidence, parts: list[Figure]) -> tuple[Interval, bool] | None:
    """Weighted mean of parts, and whether the weights are the denominator itself."""
    card = evidence.card(parts[0].key)
    by = card.denominator or card.weight
    if by is None or card.derived:
        return None
    weights = [_weight(evidence, part.key, by, exactly=bool(card.denominator)) for part in parts]
    if any(weight is None for weight in weights):
        return None
    known = [weight for weight in weights if weight is not None]
    if card.denominator:
        pairs = list(zip(parts, known, strict=True))
        whole = total([weight for _, weight in pairs])
        return total([part.interval * weight for part, weight in pairs]) / whole, True
    low = _extreme_mean([(part.interval.low, weight.middle) for part, weight in zip(parts, known, strict=True)], -1)
    high = _extreme_mean([(part.interval.high, weight.middle) for part, weight in zip(parts, known, strict=True)], 1)
    return Interval(low, high), False


def _extreme_mean(pairs: list[tuple[float, float]], sign: int) -> float:
    """Largest (sign 1) or smallest mean when each weight may be wrong by a share of itself."""
    best = sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
    for _ in range(20):
        loose = [(value, weight * (1 + LOOSE * (1 if sign * (value - best) > 0 else -1))) for value, weight in pairs]
        mean = sum(value * weight for value, weight in loose) / sum(weight for _, weight in loose)
        if abs(mean - best) < 1e-9:
            break
        best = mean
    return best


def _weight(evidence: Evidence, key: Key, by: str, exactly: bool) -> Interval | None:
    """How much a part weighs; an assumed weight may be of a neighbouring year."""
    card, other = evidence.card(key), evidence.catalogue.cards[by]
    given = {name: code for name, code in zip(card.dimensions, key.codes, strict=True) if name in other.dimensions}
    if exactly:
        found = evidence.operands(evidence.key(by, key.year, key.region, given))
        return found[0].interval if found and found[0].interval.high > 0 else None
    place = {name: code for name, code in given.items() if name == "settlement"}
    for codes in (given, place):
        for away in NEAR_YEARS:
            if _moved(evidence, key, away):
                continue
            found = evidence.operands(evidence.key(by, key.year + away, key.region, codes))
            if found and found[0].interval.high > 0:
                return found[0].interval
    return None


def _moved(evidence: Evidence, key: Key, away: int) -> bool:
    """Whether a region's borders changed between a year and the year a weight is taken from."""
    first, last = sorted((key.year, key.year + away))
    codes = evidence.catalogue.codes
    return key.region != COUNTRY and any(codes.moved_borders(key.region, year) for year in range(first + 1, last + 1))


def changes(evidence: Evidence) -> Iterator[Test]:
    """A printed change is the difference of the two figures."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.change_of is None:
            continue
        given = dict(zip(card.dimensions, key.codes, strict=True))
        before = card.change_since or key.year - 1
        ends = [
            evidence.related(Key(key.indicator, year, key.region, key.codes), card.change_of, given)
            for year in (key.year, before)
        ]
        now, then = (evidence.figures.get(end, []) if end else [] for end in ends)
        if now and then:
            for figure in figures:
                one, other = (_near(figure, side[0].key, evidence) or side[0] for side in (now, then))
                difference = one.interval - other.interval
                size = (
                    Interval(-difference.high, -difference.low) if difference.high < 0 < figure.number else difference
                )
                yield _test("change", figure, (one, other), size)


def twice(evidence: Evidence) -> Iterator[Test]:
    """What is printed at two places agrees."""
    for figures in list(evidence.figures.values()):
        for one, other in combinations(figures, 2):
            if one.source != other.source and one.report == other.report:
                yield _test("two_places", other, (one,), one.interval)


def bases(evidence: Evidence) -> Iterator[Test]:
    """Shares of one whole whose total is not printed imply the same total."""
    groups: dict[tuple[str, int, str], list[tuple[Figure, Figure, Interval]]] = defaultdict(list)
    for key, figures in evidence.figures.items():
        card = evidence.card(key)
        if not card.numerator or card.denominator or not card.per:
            continue
        given = dict(zip(card.dimensions, key.codes, strict=True))
        above = evidence.related(key, card.numerator, given)
        found = evidence.figures.get(above) if above else None
        if found and figures[0].interval.low > 0:
            base = (found[0].interval / figures[0].interval).times(card.per)
            groups[card.base or key.indicator, key.year, key.region].append((figures[0], found[0], base))
    for entries in groups.values():
        if len(entries) < 2:
            continue
        # The base on which most of them agree, else the first, which is the total's.
        votes = [sum(base.meets(other) for _, _, other in entries) for _, _, base in entries]
        best = max(range(len(entries)), key=lambda at: (votes[at], -at))
        _, reference, whole = entries[best]
        for at, (figure, count, base) in enumerate(entries):
            if at != best:
                card = evidence.card(figure.key)
                expected = (count.interval / whole).times(card.per or 1)
                yield Test("one_base", figure, (count, entries[best][0], reference), expected, base.meets(whole))


RULES: tuple[Callable[[Evidence], Iterator[Test]], ...] = (
    sums, partings, part_of_total, quotients, structures, complements, means, orders, ranges, levels, changes, twice,
    bases, possible_means, likely_bases,
)  # fmt: skip
