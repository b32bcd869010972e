"""Small changes that would restore what does not hold, each tried on every relation of the figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from balalar.audit.evidence import Evidence, Figure, Key
from balalar.audit.finding import Change, Finding, Repair, Test
from balalar.audit.identities import RULES, Rule, tests

DIGITS = "0123456789"
SHORT = 3  # a shorter number is one slip from too many others
EXACT = {
    "sum_parts", "sum_regions", "part_of_total", "two_partings", "quotient", "share_of_whole", "shares_to_100",
    "complement", "mean_of_parts", "mean_over_year", "within", "change", "two_places", "one_base",
}  # fmt: skip
CUT = "cut"  # kind of a figure that was cut instead of rounded
FAR = 3.0  # times its neighbouring year's that a mended value may be
FEW = 3  # repairs that are named where the rules can't decide
MOST = 40  # figures of one relation that are tried
TestId = tuple[str, Key, str, tuple[tuple[Key, str], ...]]


def edits(value: str) -> Iterator[str]:
    """Values one slip of the hand away: digits exchanged, changed, lost, added; a point or unit moved.

    Examples
    --------
    >>> "24920.0" in set(edits("24290.0")), "933" in set(edits("993")), "58.2" in set(edits("582"))
    (True, True, True)
    """
    number, _, power = value.partition("e")
    tail = f"e{power}" if power else ""
    whole, _, fraction = number.partition(".")
    digits, sign = whole.lstrip("-") + fraction, "-" if whole.startswith("-") else ""
    decimals = len(fraction)
    made = [digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(len(digits) - 1)]
    made += [digits[:at] + digit + digits[at + 1 :] for at in range(len(digits)) for digit in DIGITS]
    made += [digits[:at] + digits[at + 1 :] for at in range(len(digits))]
    made += [digits[:at] + digit + digits[at:] for at in range(len(digits) + 1) for digit in DIGITS]
    for one in made:
        yield from _written(one, decimals, sign, tail)
    for shift in (-3, -2, -1, 1, 2, 3):
        padded = digits + "0" * max(-(decimals + shift), 0) if decimals + shift < 0 else digits
        yield from _written(padded, max(decimals + shift, 0), sign, tail)


def _written(digits: str, decimals: int, sign: str, tail: str) -> Iterator[str]:
    if len(digits) > decimals and not (len(digits) - decimals > 1 and digits.startswith("0")):
        yield sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits) + tail


def failing(evidence: Evidence) -> dict[TestId, Test]:
    """Tests that do not hold, by what they test."""
    return {_id(test): test for test in tests(evidence) if not test.holds}


def _id(test: Test) -> TestId:
    against = tuple(sorted({(figure.key, figure.source) for figure in test.against}, key=repr))
    return test.rule, test.figure.key, test.figure.source, against


def propose(finding: Finding, evidence: Evidence) -> Finding:
    """Add the one best repair to a finding of a broken relation; none, if the rules can't decide.

    Parameters
    ----------
    finding : Finding
        One whose figures and what they are held against stand at fault.
    evidence : Evidence
        The figures it was found in.

    Returns
    -------
    Finding
        With ``repair``, or with kind ``undecided`` where several repairs are as good.
    """
    involved = [one for one in dict.fromkeys((*finding.figures, *finding.against)) if one.key in evidence.figures]
    if finding.kind == CUT or finding.rule not in EXACT or finding.expected is None or not 1 < len(involved) <= MOST:
        return finding
    near = evidence.among(evidence.related_to(finding.key.indicator))
    before, refuting = set(failing(near)), Counter[Rule]()
    ranked = sorted(
        ((score, changes, rule) for changes, rule in _candidates(finding, involved, evidence)
         if (score := _gained(near, before, changes, refuting)) > 0),
        key=lambda entry: -entry[0],
    )  # fmt: skip
    if not ranked:
        return finding
    best = [entry for entry in ranked if entry[0] == ranked[0][0]]
    if len({tuple((id(change.figure), change.value) for change in entry[1]) for entry in best}) > 1:
        named = _named(best)
        return replace(finding, kind="undecided", items=named) if len(named) <= FEW else finding
    score, changes, rule = best[0]
    sources = tuple(dict.fromkeys(figure.source for figure in involved))
    return replace(finding, repair=Repair(rule, changes, sources, "high" if score > 1 else "medium"))


def _named(best: list[tuple[int, tuple[Change, ...], str]]) -> tuple[str, ...]:
    values = {f"{change.figure.value}→{change.value}" for _, changes, _ in best for change in changes}
    return tuple(sorted(values))


def _in_line(figure: Figure, number: float, evidence: Evidence) -> bool:
    """Whether a value stays near that of the year before or after, where one is known."""
    key = figure.key
    near = [one.number for year in (key.year - 1, key.year + 1)
            for one in evidence.figures.get(key._replace(year=year), ()) if one.number > 0]  # fmt: skip
    return not near or any(1 / FAR < number / one < FAR for one in near)


def _candidates(
    finding: Finding, involved: list[Figure], evidence: Evidence
) -> Iterator[tuple[tuple[Change, ...], str]]:
    """Repairs to be tried: cells exchanged within a line, a total in a part's place, and slips of the hand."""
    for at, one in enumerate(involved):
        for other in involved[at + 1 :]:
            line = (one.key.region, one.key.year) == (other.key.region, other.key.year)
            if line and one.value != other.value and one.key.indicator != other.key.indicator:
                exchanged = (Change(one, other.key, one.value), Change(other, one.key, other.value))
                yield exchanged, "swapped_cells"
    for figure in involved:
        if (needed := _needed(finding, figure, involved)) is None:
            continue
        for value in dict.fromkeys(edits(figure.value)):
            digits = sum(letter.isdigit() for letter in value)
            fits = needed[0] <= float(value) <= needed[1]
            if fits and value != figure.value and digits >= SHORT and _in_line(figure, float(value), evidence):
                yield (Change(figure, figure.key, value),), "misprint"


def _needed(finding: Finding, figure: Figure, involved: list[Figure]) -> tuple[float, float] | None:
    """Between which values a figure would restore the relation, where that can be told."""
    slack = 1e-6 * max(1.0, abs(figure.number))
    if figure is finding.figures[0] and finding.expected is not None:
        half = (figure.interval.high - figure.interval.low) / 2
        return finding.expected.low - half - slack, finding.expected.high + half + slack
    if finding.rule in ("sum_parts", "sum_regions") and finding.expected is not None:
        total = finding.figures[0]
        rest_low = finding.expected.low - figure.interval.low
        rest_high = finding.expected.high - figure.interval.high
        half = (figure.interval.high - figure.interval.low) / 2
        return total.interval.low - rest_high - half - slack, total.interval.high - rest_low + half + slack
    if finding.rule == "two_places":
        other = next((one for one in involved if one is not figure), None)
        return (other.interval.low - slack, other.interval.high + slack) if other else None
    if finding.rule in ("quotient", "share_of_whole", "within", "change", "mean_of_parts"):
        return float("-inf"), float("inf")
    return None


def _gained(near: Evidence, before: set[TestId], changes: tuple[Change, ...], refuting: Counter[Rule]) -> int:
    """Relations restored; nothing if a new one is broken, or one of the changed figures' is left broken.

    What refuted most changes so far is tried first, for one broken relation is enough.
    """
    revised = near.revised((one.figure, one.key, one.value) for one in changes)
    # A relation that failed before and is named anew, with other figures beside it, is not a new one.
    known, own = {one[:3] for one in before}, {change.key for change in changes}
    after: set[TestId] = set()
    for rule in sorted(RULES, key=lambda one: -refuting[one]):
        for test in rule(revised):
            if test.holds:
                continue
            figure = test.figure
            fresh = (test.rule, figure.key, figure.source) not in known
            if fresh or figure.key in own or any(one.key in own for one in test.against):
                refuting[rule] += 1
                return 0
            after.add(_id(test))
    return len(before) - len(after)
