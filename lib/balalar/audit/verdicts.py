"""What the data say of each claim: consistent, contradicted, or not to be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from balalar.audit.evidence import Evidence, Figure, Key, Operand, every
from balalar.audit.interval import Interval, exact, of_printed, total
from balalar.cards import COUNTRY, TOTAL
from balalar.claims import REGION, WITH_LIMITS, YEAR, Claim, codes_of

State = Literal["consistent", "contradicted", "unchecked"]
ABOUT = 0.1  # «about» allows this share of the printed number on either side
STILL = {"": 0.02, "about": 0.05}  # share of a value by which what «did not change» may move


@dataclass(frozen=True)
class Verdict:
    """A claim held against the data.

    Attributes
    ----------
    claim : Claim
    state : {"consistent", "contradicted", "unchecked"}
    reason : str
        Code of why: ``number``, ``direction``, ``order``, ``threshold``, ``too_close``, ``operand_missing`` …
    expected : Interval or None
        What the data give instead of the printed number.
    figures : tuple of Figure
        Figures the verdict rests on.
    items : tuple of str
        Codes that the statement names wrongly, or leaves out.
    """

    claim: Claim
    state: State
    reason: str
    expected: Interval | None = None
    figures: tuple[Figure, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """Values of the codes a claim goes over."""

    values: dict[str, Interval]
    figures: dict[str, tuple[Figure, ...]]
    complete: bool
    missing: tuple[str, ...] = field(default=())


def judge(claim: Claim, evidence: Evidence) -> Verdict:
    """Hold one claim against the figures.

    Parameters
    ----------
    claim : Claim
    evidence : Evidence
        Figures, usually the corrected ones.

    Returns
    -------
    Verdict
    """
    return _RULES[claim.kind](claim, evidence)


def _keys(claim: Claim, evidence: Evidence, base: bool = False, region: str = "") -> list[Key]:
    """Keys of an operand; several where codes are added up."""
    indicator, years, regions, dims = claim.indicator, claim.year, claim.region, claim.dims
    if base:
        indicator = claim.base_indicator or indicator
        years, regions = claim.base_year or years, claim.base_region or regions
        dims = claim.base_dims or (dims if not claim.base_indicator else "")
    if region:
        regions = region
    given = codes_of(dims)
    names = evidence.catalogue.cards[indicator].dimensions
    codes = [given.get(name, TOTAL).split("+") for name in names]
    return every(indicator, map(int, filter(None, years.split("+"))), regions.split("+"), codes)


def _operands(claim: Claim, evidence: Evidence, base: bool = False, region: str = "") -> list[Operand]:
    return evidence.added(_keys(claim, evidence, base, region), claim.section)


def _printed(claim: Claim) -> Interval:
    """What the printed number may stand for."""
    card_free = of_printed(claim.value, whole=claim.kind.startswith(("count", "rank")))
    if claim.hedge == "more":
        return Interval(card_free.low, float("inf"))
    if claim.hedge == "less":
        return Interval(float("-inf"), card_free.high)
    if claim.hedge == "about" or claim.spelled:
        room = abs(card_free.middle) * ABOUT
        return Interval(card_free.low - room, card_free.high + room)
    return card_free


def _numeric(compute: Callable[[Interval, Interval], Interval]) -> Callable[[Claim, Evidence], Verdict]:
    """A rule that computes a number from the two operands and compares it with the printed one."""

    def rule(claim: Claim, evidence: Evidence) -> Verdict:
        pairs = list(product(_operands(claim, evidence), _operands(claim, evidence, base=True)))
        return _against(
            claim, [(compute(one.interval, two.interval), (*one.figures, *two.figures)) for one, two in pairs]
        )

    return rule


def _against(claim: Claim, results: list[tuple[Interval, tuple[Figure, ...]]]) -> Verdict:
    """The printed number against what it may be; any account of the report that agrees is enough."""
    results = [(one, figures) for one, figures in results if abs(one.low) != float("inf")]
    if not results:
        return Verdict(claim, "unchecked", "operand_missing")
    printed = _printed(claim)
    for result, figures in results:
        if printed.meets(result):
            return Verdict(claim, "consistent", "number", result, figures)
    result, figures = results[0]
    return Verdict(claim, "contradicted", "number", result, figures)


def _value(claim: Claim, evidence: Evidence) -> Verdict:
    sign = -1 if claim.direction == "fell" and evidence.catalogue.cards[claim.indicator].kind == "change" else 1
    others = [one for one in _operands(claim, evidence) if not _itself(claim, one, evidence)]
    return _against(claim, [(one.interval.times(sign), one.figures) for one in others])


def _itself(claim: Claim, operand: Operand, evidence: Evidence) -> bool:
    """Whether what a claim would be held against is its own number, taken from the same sentence."""
    figure = operand.figures[0]
    same = claim.hedge and not operand.derived and evidence.section(figure) == claim.section
    return bool(same) and float(figure.value) == float(claim.value)


def _signed(claim: Claim, amount: Interval) -> Interval:
    """A change with the sign that the sentence gives it; without one, its size."""
    if claim.direction == "fell":
        return Interval(-amount.high, -amount.low)
    if not claim.direction and amount.high < 0:
        return Interval(-amount.high, -amount.low)
    return amount


def _change(claim: Claim, evidence: Evidence) -> Verdict:
    verdict = _numeric(lambda left, right: _signed(claim, left - right))(claim, evidence)
    return _turned(verdict)


def _percent(claim: Claim, evidence: Evidence) -> Verdict:
    def compute(left: Interval, right: Interval) -> Interval:
        return _signed(claim, ((left / right) - exact(1)).times(100))

    return _turned(_numeric(compute)(claim, evidence))


def _turned(verdict: Verdict) -> Verdict:
    """Name a change that goes the other way as such."""
    if verdict.state == "contradicted" and verdict.claim.direction and verdict.expected and verdict.expected.high < 0:
        return Verdict(verdict.claim, "contradicted", "direction", verdict.expected, verdict.figures)
    return verdict


def _fold(claim: Claim, evidence: Evidence) -> Verdict:
    if claim.direction == "fell":
        return _numeric(lambda left, right: right / left)(claim, evidence)
    return _numeric(lambda left, right: left / right)(claim, evidence)


def _share(claim: Claim, evidence: Evidence) -> Verdict:
    return _numeric(lambda left, right: (left / right).times(100))(claim, evidence)


def _over(claim: Claim, evidence: Evidence, base: bool = False, only: Iterable[str] = ()) -> _Found:
    """Values of all codes of the dimension a claim goes over, with whether none is missing."""
    values: dict[str, Interval] = {}
    figures: dict[str, tuple[Figure, ...]] = {}
    wanted = list(only) or _universe(claim, evidence)
    for code in wanted:
        found = evidence.added(_keyed(claim, evidence, code, base), claim.section)
        if found:
            values[code], figures[code] = found[0].interval, found[0].figures
    missing = tuple(code for code in wanted if code not in values)
    # A table that has no rows for a few regions (no villages in a city) is complete in its own way.
    tabled = sum(figures[code][0].source.startswith("table") for code in values)
    complete = not missing or (claim.over == REGION and len(values) >= ENOUGH * len(wanted) and tabled == len(values))
    return _Found(values, figures, complete, missing)


ENOUGH = 0.6  # share of the living regions that a table without some of them may still call all


def _universe(claim: Claim, evidence: Evidence) -> list[str]:
    codes = evidence.catalogue.codes
    if claim.over == REGION:
        years = [int(year) for year in claim.year.split("+")] or [0]
        return codes.living(years[0])
    if claim.over == YEAR:
        return sorted(
            {
                str(key.year)
                for key in evidence.figures
                if key.indicator == claim.indicator
                and key.region == claim.region
                and key.codes == _keys_codes(claim, evidence)
            }
        )
    dimension = codes.dimensions[claim.over]
    at = evidence.catalogue.cards[claim.indicator].dimensions.index(claim.over)
    used = {key.codes[at] for key in evidence.figures if key.indicator == claim.indicator}
    return [code for code in dimension.items if code in used and code != TOTAL and code not in dimension.subtotals]


def _keys_codes(claim: Claim, evidence: Evidence) -> tuple[str, ...]:
    given = codes_of(claim.dims)
    return tuple(given.get(name, TOTAL) for name in evidence.catalogue.cards[claim.indicator].dimensions)


def _keyed(claim: Claim, evidence: Evidence, code: str, base: bool = False) -> list[Key]:
    """Keys of one code of the dimension a claim goes over."""
    if claim.over == REGION:
        return _keys(claim, evidence, base, region=code)
    change = {"year": code} if claim.over == YEAR else {"dims": _with(claim.dims, claim.over, code)}
    return _keys(claim.model_copy(update=change), evidence, base)


def _with(dims: str, name: str, code: str) -> str:
    return ";".join(f"{key}={value}" for key, value in (codes_of(dims) | {name: code}).items())


def _sum(claim: Claim, evidence: Evidence) -> Verdict:
    found = _over(claim, evidence, only=claim.items.split())
    if found.missing or not found.values:
        return Verdict(claim, "unchecked", "operand_missing", items=found.missing)
    return _against(claim, [(total(list(found.values.values())), _all(found))])


def _mean(claim: Claim, evidence: Evidence) -> Verdict:
    found = _over(claim, evidence, only=claim.items.split())
    if found.missing or not found.values:
        return Verdict(claim, "unchecked", "operand_missing", items=found.missing)
    mean = total(list(found.values.values())).times(1 / len(found.values))
    return _against(claim, [(mean, _all(found))])


def _all(found: _Found) -> tuple[Figure, ...]:
    return tuple(figure for figures in found.figures.values() for figure in figures)


def _rank(claim: Claim, evidence: Evidence) -> Verdict:
    found = _over(claim, evidence)
    own = claim.region if claim.over == REGION else claim.items
    if own not in found.values or not found.complete:
        return Verdict(claim, "unchecked", "regions_missing", items=found.missing)
    sign = 1 if claim.direction == "fell" else -1
    value = found.values[own].times(sign)
    others = [one.times(sign) for code, one in found.values.items() if code != own]
    before = sum(one.high < value.low for one in others)
    possible = before + sum(one.meets(value) for one in others)
    state: State = "consistent" if _printed(claim).meets(Interval(before + 1, possible + 1)) else "contradicted"
    return Verdict(claim, state, "order", Interval(before + 1, possible + 1), found.figures[own])


def _extreme(sign: int) -> Callable[[Claim, Evidence], Verdict]:
    """Rule of the highest (sign 1) or lowest (-1) codes."""

    def rule(claim: Claim, evidence: Evidence) -> Verdict:
        found, named = _over(claim, evidence), claim.items.split()
        missing = [code for code in named if code not in found.values]
        known = [code for code in named if code in found.values]
        if missing and not known:
            return Verdict(claim, "unchecked", "operand_missing", items=tuple(missing))
        worst = min((found.values[code].times(sign) for code in known), key=lambda value: value.middle)
        beyond = [
            code
            for code, value in found.values.items()
            if code not in named and value.times(sign).middle > worst.middle and not value.times(sign).meets(worst)
        ]
        order = sorted(found.values, key=lambda code: -found.values[code].times(sign).middle)
        best = order[: len(known)]
        shown = tuple(figure for code in dict.fromkeys((*known, *best)) for figure in found.figures[code])
        if beyond:
            return Verdict(claim, "contradicted", "order", figures=shown, items=tuple(best))
        if level := _beyond_country(claim, evidence, found, known, sign):
            return Verdict(claim, "contradicted", "threshold", figures=level, items=tuple(known))
        if not found.complete or missing:
            return Verdict(claim, "unchecked", "regions_missing", items=found.missing)
        return Verdict(claim, "consistent", "order", figures=shown)

    return rule


def _beyond_country(claim: Claim, evidence: Evidence, found: _Found, known: list[str], sign: int) -> tuple[Figure, ...]:
    """Figures of a «highest» region that lies below the country; no such region can be the highest."""
    if claim.over != REGION or evidence.catalogue.cards[claim.indicator].kind not in ("share", "rate", "mean"):
        return ()
    nation = evidence.added(_keys(claim, evidence, region=COUNTRY), claim.section)
    if not nation or nation[0].derived:
        return ()
    wrong = [code for code in known if found.values[code].times(sign).high < nation[0].interval.times(sign).low]
    return (*nation[0].figures, *(figure for code in wrong for figure in found.figures[code])) if wrong else ()


def _bounds(claim: Claim, evidence: Evidence, code: str) -> dict[str, tuple[Interval, tuple[Figure, ...]]]:
    """The limits a claim speaks of: given, or the right operand, which is the code's own where no region is named."""
    limits: dict[str, tuple[Interval, tuple[Figure, ...]]] = {}
    for side in ("low", "high"):
        if text := getattr(claim, side):
            # «From 7 to 8» has room for 8.4; «above 8» has none.
            limits[side] = (of_printed(text, whole=claim.kind not in WITH_LIMITS), ())
    if limits:
        return limits
    own = not claim.base_region and (claim.base_indicator or claim.base_year or claim.base_dims)
    keys = _keyed(claim, evidence, code, base=True) if own else _keys(claim, evidence, base=True)
    if found := evidence.added(keys):
        limits = dict.fromkeys(("low", "high"), (found[0].interval, found[0].figures))
    return limits


def _side(value: Interval, limits: dict[str, tuple[Interval, tuple[Figure, ...]]], kind: str) -> bool | None:
    """Whether a value lies where the claim says; None where rounding hides it."""
    if kind == "between":
        return value.meets(Interval(limits["low"][0].low, limits["high"][0].high))
    limit = limits.get("low" if kind == "above" else "high", next(iter(limits.values())))[0]
    if kind == "below":
        value, limit = value.times(-1), limit.times(-1)
    if value.low > limit.high:
        return True
    if value.high < limit.low:
        return False
    return None if value.low != value.high or limit.low != limit.high else False


def _placed(kind: str, only: bool = False) -> Callable[[Claim, Evidence], Verdict]:
    """Rule of codes that lie above, below or between."""

    def rule(claim: Claim, evidence: Evidence) -> Verdict:
        named = claim.items.split()
        found = _over(claim, evidence, only=dict.fromkeys([*_universe(claim, evidence), *named]))
        limits = {code: _bounds(claim, evidence, code) for code in found.values}
        if not any(limits.values()):
            return Verdict(claim, "unchecked", "operand_missing", items=tuple(named))
        sides = {code: _side(value, limits[code], kind) for code, value in found.values.items() if limits[code]}
        wrong = [code for code in named if sides.get(code) is False]
        if only:
            wrong += [code for code, side in sides.items() if side and code not in named]
        base = next(iter(next(iter(filter(None, limits.values()))).values()))[1]
        shown = (*base, *(f for code in (wrong or named) for f in found.figures.get(code, ())))
        if wrong:
            return Verdict(claim, "contradicted", "threshold", figures=shown, items=tuple(wrong))
        if any(code not in found.values for code in named) or (only and not found.complete):
            return Verdict(claim, "unchecked", "regions_missing", items=found.missing, figures=shown)
        return Verdict(claim, "consistent", "threshold", figures=shown)

    return rule


def _count(kind: str) -> Callable[[Claim, Evidence], Verdict]:
    """Rule of the number of codes above, below or between."""

    def rule(claim: Claim, evidence: Evidence) -> Verdict:
        found = _over(claim, evidence, only=claim.items.split())
        limits = {code: _bounds(claim, evidence, code) for code in found.values}
        if not any(limits.values()):
            return Verdict(claim, "unchecked", "operand_missing")
        sides = [_side(value, limits[code], kind) if limits[code] else None for code, value in found.values.items()]
        return _counted(claim, found, sides.count(True), sides.count(None))

    return rule


def _counted(claim: Claim, found: _Found, sure: int, open_: int) -> Verdict:
    possible = Interval(sure, sure + open_ + (0 if found.complete else len(found.missing)))
    if not _printed(claim).meets(possible):
        return Verdict(claim, "contradicted", "number", possible, _all(found))
    if not found.complete:
        return Verdict(claim, "unchecked", "regions_missing", items=found.missing)
    return Verdict(claim, "consistent", "number", possible, _all(found))


def _count_moved(direction: str) -> Callable[[Claim, Evidence], Verdict]:
    """Rule of the number of codes that rose, fell or stayed."""

    def rule(claim: Claim, evidence: Evidence) -> Verdict:
        now, before = (_over(claim, evidence, base=base, only=claim.items.split()) for base in (False, True))
        both = [code for code in now.values if code in before.values]
        if not both:
            return Verdict(claim, "unchecked", "operand_missing")
        moves = [_move(now.values[code], before.values[code]) for code in both]
        missing = tuple(code for code in now.missing + before.missing)
        found = _Found(now.values, now.figures, not missing, missing)
        return _counted(claim, found, moves.count(direction), moves.count(""))

    return rule


def _move(now: Interval, before: Interval) -> str:
    """Rose, fell, unchanged, or nothing where rounding hides it."""
    if now == before:
        return "unchanged"
    if now.meets(before) and now.gap(before) == 0 and (now.low < before.high and before.low < now.high):
        return ""
    return "rose" if now.middle > before.middle else "fell"


def _still(now: Interval, before: Interval, share: float) -> bool:
    """Whether a value moved by no more than a share of itself."""
    return abs(now.middle - before.middle) <= share * abs(before.middle)


def _direction(claim: Claim, evidence: Evidence) -> Verdict:
    wrong: list[str] = []
    hidden: list[str] = []
    shown: list[Figure] = []
    seen = 0
    for code in claim.items.split() or [""]:
        left = evidence.added(_keyed(claim, evidence, code)) if code else _operands(claim, evidence)
        right = (
            evidence.added(_keyed(claim, evidence, code, base=True)) if code else _operands(claim, evidence, base=True)
        )
        if not left or not right:
            continue
        seen += 1
        moves = [(_move(one.interval, two.interval), one, two) for one, two in product(left, right)]
        if claim.direction in {move for move, _, _ in moves}:
            _, one, other = next(entry for entry in moves if entry[0] == claim.direction)
        else:
            move, one, other = moves[0]
            if claim.direction == "unchanged" and _still(one.interval, other.interval, STILL.get(claim.hedge, 0)):
                continue
            sure = move not in ("", "unchanged") or one.interval.low == one.interval.high == other.interval.low
            (wrong if sure else hidden).append(code)
        shown += [*one.figures, *other.figures]
    if not seen:
        return Verdict(claim, "unchecked", "operand_missing")
    if wrong:
        return Verdict(claim, "contradicted", "direction", figures=tuple(shown), items=tuple(filter(None, wrong)))
    if seen < len(claim.items.split()):
        return Verdict(claim, "unchecked", "operand_missing", figures=tuple(shown))
    if hidden:
        return Verdict(claim, "unchecked", "too_close", figures=tuple(shown), items=tuple(filter(None, hidden)))
    return Verdict(claim, "consistent", "direction", figures=tuple(shown))


def _compared(kind: str) -> Callable[[Claim, Evidence], Verdict]:
    """Rule of two quantities of which one is greater, less or equal."""

    def rule(claim: Claim, evidence: Evidence) -> Verdict:
        pairs = list(product(_operands(claim, evidence), _operands(claim, evidence, base=True)))
        if not pairs:
            return Verdict(claim, "unchecked", "operand_missing")
        wanted = {"greater": "rose", "less": "fell", "equal": "unchanged"}[kind]
        moves = [_move(left.interval, right.interval) for left, right in pairs]
        left, right = pairs[0]
        shown = (*left.figures, *right.figures)
        alike = kind == "equal" and _still(left.interval, right.interval, STILL.get(claim.hedge, 0))
        if wanted in moves or (kind == "equal" and "" in moves) or alike:
            return Verdict(claim, "consistent", "order", figures=shown)
        if set(moves) <= {"", "unchanged"}:
            return Verdict(claim, "unchecked", "too_close", figures=shown)
        return Verdict(claim, "contradicted", "order", figures=shown)

    return rule


def _range(claim: Claim, evidence: Evidence) -> Verdict:
    found = _over(claim, evidence, only=claim.items.split())
    if not found.values:
        return Verdict(claim, "unchecked", "operand_missing")
    low, high = of_printed(claim.low), of_printed(claim.high)
    outside = [code for code, value in found.values.items() if value.high < low.low or value.low > high.high]
    ends = (min(value.low for value in found.values.values()), max(value.high for value in found.values.values()))
    shown = tuple(figure for code in outside for figure in found.figures[code])
    if outside:
        return Verdict(claim, "contradicted", "threshold", Interval(*ends), shown, tuple(outside))
    lowest = min(found.values.values(), key=lambda value: value.middle)
    highest = max(found.values.values(), key=lambda value: value.middle)
    if lowest.meets(low) and highest.meets(high):
        return Verdict(claim, "consistent", "threshold", Interval(*ends), _all(found))
    if found.missing:
        return Verdict(claim, "unchecked", "regions_missing", items=found.missing)
    return Verdict(claim, "contradicted", "threshold", Interval(*ends), _all(found))


def _proportion(claim: Claim, evidence: Evidence) -> Verdict:
    """«More than half (6 of 17)»: the sentence holds both numbers itself."""
    share = exact(float(claim.low) / float(claim.high) * 100)
    return _against(claim, [(share, tuple(f for one in _operands(claim, evidence) for f in one.figures))])


_RULES: dict[str, Callable[[Claim, Evidence], Verdict]] = {
    "value": _value,
    "change": _change,
    "percent_change": _percent,
    "fold": _fold,
    "share": _share,
    "sum": _sum,
    "mean": _mean,
    "rank": _rank,
    "highest": _extreme(1),
    "lowest": _extreme(-1),
    "above": _placed("above"),
    "below": _placed("below"),
    "only_above": _placed("above", only=True),
    "only_below": _placed("below", only=True),
    "between": _placed("between"),
    "only_between": _placed("between", only=True),
    "count_above": _count("above"),
    "count_below": _count("below"),
    "count_between": _count("between"),
    "count_rose": _count_moved("rose"),
    "count_fell": _count_moved("fell"),
    "count_unchanged": _count_moved("unchanged"),
    "range": _range,
    "direction": _direction,
    "greater": _compared("greater"),
    "less": _compared("less"),
    "equal": _compared("equal"),
    "proportion": _proportion,
}
