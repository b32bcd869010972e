"""Levels of a whole and of its parts: between them, their weighted mean, and the bases that shares imply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from balalar.audit.evidence import Evidence, Figure, Key, put
from balalar.audit.finding import Test
from balalar.audit.interval import Interval, total
from balalar.cards import COUNTRY, TOTAL

LEVELS = ("share", "rate", "mean")  # kinds whose value for a whole lies between those of its parts
ENOUGH = 0.6  # share of the living regions that a table without some of them may still call all
NEAR_YEARS = (0, 1, -1, 2, -2)  # from which a weight may be taken, the nearest first
FAR = 1.5  # times the country's, by which the base of a region's share may differ
LOOSE = 0.2  # an assumed weight may be wrong by this share


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
        found = [one for part in parts if (one := evidence.near(figure, part))]
        tabled = len({one.source for one in found}) == 1 and found[0].source.startswith("table")
        if len(found) < 2 or (len(found) < len(parts) and (complete or not tabled or len(found) < ENOUGH * len(parts))):
            continue
        assumption = "" if len(found) == len(parts) else "regions_not_printed"
        span = Interval(min(one.interval.low for one in found), max(one.interval.high for one in found))
        yield Test.of(rule, figure, tuple(found), span, assumption)
        if figure.interval.meets(span) and (mean := _weighted(evidence, found)):
            expected, exactly = mean
            about = assumption or ("" if exactly else "weights")
            yield Test.of("weighted_mean", figure, tuple(found), expected, about)
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
                if (one := evidence.near(figure, Key(key.indicator, key.year, region, key.codes)))
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
                yield Test.of("possible_mean", figure, tuple(parts.values()), span, "weights")


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
            found = evidence.operands(evidence.key(by, key.year + away, key.region, codes))
            if found and found[0].interval.high > 0 and not _moved(evidence, key, away):
                return found[0].interval
    return None


def _moved(evidence: Evidence, key: Key, away: int) -> bool:
    """Whether a region's borders changed between a year and the year a weight is taken from."""
    first, last = sorted((key.year, key.year + away))
    codes = evidence.catalogue.codes
    return key.region != COUNTRY and any(codes.moved_borders(key.region, year) for year in range(first + 1, last + 1))


def bases(evidence: Evidence) -> Iterator[Test]:
    """Shares of one whole whose total is not printed imply the same total."""
    groups: dict[tuple[str, int, str], list[tuple[Figure, Figure, Interval]]] = defaultdict(list)
    for key, figures in evidence.figures.items():
        card = evidence.card(key)
        if not card.numerator or card.denominator or not card.per:
            continue
        if found := _base(evidence, key):
            groups[card.base or key.indicator, key.year, key.region].append((figures[0], *found))
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
    above = evidence.related(key, card.numerator or "", evidence.given(key))
    found, share = evidence.figures.get(above) if above else None, evidence.figures.get(key)
    if not found or not share or share[0].interval.low <= 0:
        return None
    return found[0], (found[0].interval / share[0].interval).times(card.per or 1)
