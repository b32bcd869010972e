"""What an audit found, in the words of one language: where it stands, what is printed, what other figures give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, zip_longest
from math import isinf

from balalar.audit.evidence import Figure, Key
from balalar.audit.finding import Finding, Repair
from balalar.audit.interval import Interval
from balalar.cards import TOTAL, Card
from balalar.claims import Claim
from balalar.dataset import decimals, exponent, scale
from balalar.words import Words

MOST_ROWS = 8  # figures of a comparison that are listed
PERCENTAGES = ("percent_change", "share", "proportion")
IN_UNIT = ("value", "sum", "mean")  # kinds of claims whose number is in the card's unit
SHARED = {
    "percent_change": "change",
    "mean": "sum",
    "range": "between",
    "only_between": "between",
    "proportion": "share",
}
# A direction or a change between two groups of one year is a comparison.
BESIDE = {"rose": "higher", "fell": "lower", "unchanged": "alike"}
PAIRED = ("copied_column", "swapped_places", "copied_line")  # patterns whose figures are read two by two
CUT, MOVED, OTHER_YEAR, DAGGER, NOTHING = "cut", "moved", "year", "†", "–"


@dataclass(frozen=True)
class Line:
    """A figure of a comparison: what it is of, its value, and where it stands."""

    what: str
    value: str
    where: str


@dataclass(frozen=True)
class Side:
    """A cell as printed and as other figures, or a repair, would have it."""

    where: str
    printed: str
    expected: str


class Teller:
    """Turns findings into words.

    Parameters
    ----------
    words : Words
        With the texts of the audit.
    claims : iterable of Claim
        Claims that findings name.
    """

    def __init__(self, words: Words, claims: Iterable[Claim] = ()) -> None:
        self.words = words
        self._claims = {claim.id: claim for claim in claims}

    # -- parts of a finding --------------------------------------------------------------------------

    def title(self, finding: Finding) -> str:
        """Name of the relation or pattern."""
        claim = self._claims.get(finding.claim)
        if claim is None:
            return self.words.say(f"rule_{finding.rule}")
        if finding.kind == OTHER_YEAR:
            return self.words.say("rule_claim_year")
        if claim.kind.startswith("count"):
            return self.words.say("rule_claim_count")
        if claim.kind in ("greater", "less", "equal") or (claim.kind == "direction" and not claim.base_year):
            return self.words.say("rule_claim_compared")
        if claim.kind == "change" and not claim.base_year:
            return self.words.say("rule_claim_difference")
        return self.words.say(f"rule_{finding.rule}")

    def place(self, finding: Finding) -> str:
        """Table, figure or stretch of text; the section and line of a claim."""
        kind, _, number = finding.place.partition("-")
        if kind == "section":
            return self.words.say("section_place", number=number, line=finding.line)
        return self.words.place(finding.place)

    def subject(self, key: Key, whole: bool = True) -> str:
        """What a figure is of: indicator, region, period and codes; without the indicator, if not whole."""
        card = self._card(key)
        codes = [
            self.words.inline(card, name, code)
            for name, code in zip(card.dimensions, key.codes, strict=False)
            if code != TOTAL
        ]
        where = [self.words.region(key.region)] if key.region else []
        when = [self.words.period(card, key.year)] if key.year else []
        title = [card.title[self.words.lang]] if whole else []
        return ", ".join([*title, *where, *when, *codes])

    def printed(self, finding: Finding) -> str:
        """What stands in the report; empty for a pattern of many cells and a claim without a number."""
        claim = self._claims.get(finding.claim)
        if claim:
            return self._claimed(claim) if claim.printed else ""
        return self._value(finding.figures[0]) if len(finding.figures) == 1 or finding.expected else ""

    def expected(self, finding: Finding) -> str:
        """What other figures give, or between which values; empty where there is no number."""
        if finding.expected is None or finding.kind in (MOVED, OTHER_YEAR):
            return ""
        claim = self._claims.get(finding.claim)
        single = len(finding.against) == 1
        if single and (finding.rule == "two_places" or (claim and claim.kind == "value")):
            # What another place prints, and not the interval it is read as.
            return self._value(finding.against[0])
        if claim:
            return self._computed(claim, finding.expected)
        return self._span(self._card(finding.figures[0].key), finding.expected, finding.figures[0].value)

    def expected_label(self, finding: Finding) -> str:
        """Heading of what other figures give."""
        if finding.rule == "two_places":
            return self.words.say("row_elsewhere")
        return self.words.say("row_data" if finding.claim else "row_expected")

    def sides_label(self, finding: Finding) -> str:
        """Heading of the cells as they should be."""
        if finding.rule == "heading" and finding.kind == "codes":
            return self._codes(self._card(finding.key), finding.items)
        return self.words.say("row_repaired" if finding.repair else "row_expected")

    def sentence(self, finding: Finding) -> str:
        """What was found."""
        words: dict[str, object] = {
            "printed": self.printed(finding), "expected": self.expected(finding), "count": finding.count
        }  # fmt: skip
        claim = self._claims.get(finding.claim)
        if claim:
            return self._claim_sentence(finding, claim, words)
        if finding.kind == "column":
            return self.words.sentence("say_column", count=finding.count)
        if finding.rule == "heading":
            return self._heading_sentence(finding)
        if finding.rule == "copied_column":
            other = finding.against[0]
            words |= {"title": self._card(other.key).title[self.words.lang], "place": self.words.place(other.source)}
        known = self.words.catalogue.codes.regions
        items = [code for code in finding.items if code in known]
        words["items"] = self._regions(items)
        if finding.rule == "row_shift":
            words |= {"first": self.words.region(items[0]), "last": self.words.region(items[-1])}
        if finding.rule == "doubled_label":
            words["first"] = self.words.region(finding.key.region)
        return self.words.sentence(f"say_{finding.rule}", **words)

    def _heading_sentence(self, finding: Finding) -> str:
        card = self._card(finding.key)
        if finding.kind == "year":
            year = int(finding.items[0])
            named = self.words.heading(card, finding.key.year), self.words.heading(card, year)
        else:
            named = self._codes(card, finding.key.codes), self._codes(card, finding.items)
        return self.words.sentence(f"say_heading_{finding.kind}", heading=named[0], items=named[1])

    def _codes(self, card: Card, codes: Iterable[str]) -> str:
        pairs = zip(card.dimensions, codes, strict=True)
        given = [self.words.inline(card, name, code) for name, code in pairs if code != TOTAL]
        return ", ".join(given) or self.words.say("whole_country")

    def _claim_sentence(self, finding: Finding, claim: Claim, words: dict[str, object]) -> str:
        if finding.kind == MOVED:
            return self.words.sentence("say_claim_moved", printed=words["printed"])
        if finding.kind == OTHER_YEAR:
            data = self.words.heading(self._card(finding.key), finding.against[-1].key.year)
            return self.words.sentence("say_claim_year", said=self._periods(claim), data=data)
        kind = "count" if claim.kind.startswith("count") else SHARED.get(claim.kind, claim.kind)
        key = f"say_claim_{kind}"
        if claim.kind == "fold" and claim.base_indicator:
            key = "say_claim_per_unit"
        elif kind in ("change", "direction") and claim.direction:
            key += f"_{claim.direction if claim.base_year else BESIDE[claim.direction]}"
        if kind == "direction" and not finding.items:
            key += "_alone"
        return self.words.sentence(
            key, **words, named=self._items(claim, claim.items.split()), items=self._items(claim, finding.items),
            limit=self._limit(finding, claim), period=self._periods(claim),
            **{side: self._limit_value(claim, getattr(claim, side)) for side in ("low", "high")},
        )  # fmt: skip

    def _periods(self, claim: Claim) -> str:
        """The years that a change lies between, or the year."""
        card = self.words.catalogue.cards[claim.indicator]
        years = [year for year in (claim.base_year[:4], claim.year[:4]) if year]
        return " → ".join(self.words.heading(card, int(year)) for year in years)

    def _limit(self, finding: Finding, claim: Claim) -> str:
        """The level that a claim compares with: given, or the first figure it was held against."""
        given = claim.low or claim.high
        if given:
            return self._limit_value(claim, given)
        return self._value(finding.against[0]) if finding.against else ""

    def _limit_value(self, claim: Claim, value: str) -> str:
        return self.words.value(self.words.catalogue.cards[claim.indicator], value) if value else ""

    def _items(self, claim: Claim, codes: Iterable[str]) -> str:
        card = self.words.catalogue.cards[claim.indicator]
        if claim.over == "region":
            return self._regions(codes)
        if claim.over == "year":
            return self.words.listed(self.words.heading(card, int(code)) for code in codes)
        return self.words.listed(self.words.inline(card, claim.over, code) for code in codes)

    def _regions(self, codes: Iterable[str]) -> str:
        known = self.words.catalogue.codes.regions
        return self.words.listed(self.words.region(code) for code in codes if code in known)

    def lines(self, finding: Finding) -> tuple[list[Line], int]:
        """Figures that were compared, and how many more there are."""
        if finding.rule == "region_set":
            return [], 0
        figures = self._compared(finding)
        own = finding.key.indicator
        lines = [
            Line(
                self.subject(figure.key, whole=figure.key.indicator != own),
                self._value(figure),
                self.words.place(figure.source),
            )
            for figure in figures[:MOST_ROWS]
        ]
        return lines, max(len(figures) - MOST_ROWS, 0)

    @staticmethod
    def _compared(finding: Finding) -> list[Figure]:
        """Figures in the order in which they prove the finding."""
        if finding.rule in PAIRED:
            return [figure for figure in chain(*zip_longest(finding.figures, finding.against)) if figure]
        if finding.rule == "heading" and finding.kind == "year":
            nation = [figure for figure in finding.figures if figure.key.region == finding.against[0].key.region]
            return list(dict.fromkeys((*nation, *finding.against)))
        return list(dict.fromkeys((*finding.figures, *finding.against)))

    def sides(self, finding: Finding) -> list[Side]:
        """Cells of a column as printed and as they should be; none where one figure is at stake."""
        card = self._card(finding.key)
        if finding.recomputed:
            return [
                Side(self._row(figure.key), self._value(figure), self._beside(card, finding, figure, span))
                for figure, span in finding.recomputed
            ]
        moved = [one for one in (finding.repair.changes if finding.repair else ()) if one.key != one.figure.key]
        moved = [one for one in moved if one.key.region != one.figure.key.region]
        if not moved:
            return []
        # Of several years the newest stands for all.
        year = max(change.key.year for change in moved)
        before = {change.figure.key.region: change.figure for change in moved if change.figure.key.year == year}
        after = {change.key.region: change.figure for change in moved if change.key.year == year}
        return [
            Side(
                self.words.short_region(code),
                *(self._value(s[code]) if code in s else NOTHING for s in (before, after)),
            )
            for code in self.words.catalogue.codes.regions
            if code in before or code in after
        ]

    def _row(self, key: Key) -> str:
        return self.words.short_region(key.region)

    def _beside(self, card: Card, finding: Finding, figure: Figure, span: Interval) -> str:
        """What a cell should be: the other place's figure, or what was computed."""
        if finding.rule == "two_places":
            same = [one for one in finding.against if one.key == figure.key]
            if same:
                return self._value(same[0])
        return self._span(card, span, figure.value)

    def notes(self, finding: Finding) -> list[str]:
        """What is assumed, what would mend it, and whether it is mended."""
        say, notes = self.words.say, []
        if finding.kind == CUT:
            notes.append(say("cut"))
        if finding.assumption:
            notes.append(say(f"assumption_{finding.assumption}"))
        if finding.kind == "undecided":
            notes.append(say("undecided", items="; ".join(map(self._written, finding.items))))
        if finding.corrections:
            notes.append(say("accepted"))
        elif finding.repair:
            notes.append(self.repair(finding.repair))
        elif any(figure.correction for figure in (*finding.figures, *finding.against)):
            notes.append(say("dagger"))
        return notes

    def repair(self, repair: Repair) -> str:
        """A proposal in a sentence."""
        confidence = self.words.say(f"confidence_{repair.confidence}")
        first = repair.changes[0]
        if len(repair.changes) == 1 and first.value != first.figure.value:
            return self.words.say(
                "repair_value", place=self.words.place(first.figure.source), subject=self.subject(first.key),
                old=self.words.number(first.figure.value), new=self.words.number(first.value), confidence=confidence,
            )  # fmt: skip
        rule = self.words.catalogue.codes.correction_rules[repair.rule].label[self.words.lang]
        rule = rule[0].lower() + rule[1:]
        return self.words.say("repair_moved", rule=rule, count=len(repair.changes), confidence=confidence)

    def badges(self, finding: Finding) -> tuple[str, str]:
        """Severity and certainty."""
        return self.words.say(f"severity_{finding.severity}"), self.words.say(f"certainty_{finding.certainty}")

    # -- numbers -------------------------------------------------------------------------------------

    def _card(self, key: Key) -> Card:
        return self.words.catalogue.cards[key.indicator]

    def _value(self, figure: Figure) -> str:
        """A figure with its unit; a dagger where it is used otherwise than printed."""
        return self.words.value(self._card(figure.key), figure.value) + (DAGGER if figure.correction else "")

    def _written(self, change: str) -> str:
        """An edit as «31 788,0 → 31 783,0»."""
        return " → ".join(self.words.number(value) for value in change.split("→"))

    def _claimed(self, claim: Claim) -> str:
        """The number of a claim with its hedge, and whether it stands in words."""
        card = self.words.catalogue.cards[claim.base_indicator or claim.indicator]
        text = self.words.number(claim.value)
        if claim.kind in PERCENTAGES:
            text = self.words.percent(text)
        elif claim.kind in IN_UNIT:
            text = self.words.with_unit(card, text)
        elif claim.kind == "change":
            text = self.words.as_difference(card, text)
        elif claim.kind == "fold" and claim.base_indicator:
            text = self.words.with_unit(self.words.catalogue.cards[claim.indicator], text)
        if claim.hedge:
            text = self.words.say(f"hedge_{claim.hedge}", number=text)
        return self.words.say("in_words", number=text) if claim.spelled else text

    def _computed(self, claim: Claim, span: Interval) -> str:
        """What the data give for the number of a claim, in its unit."""
        card = self.words.catalogue.cards[claim.indicator]
        if claim.kind in IN_UNIT or (claim.kind == "fold" and claim.base_indicator):
            return self._span(card, span, claim.value)
        if claim.kind == "change":
            return self._span(card, span, claim.value, self.words.as_difference)
        places = 0 if claim.kind.startswith(("count", "rank")) else decimals(claim.value) + 1
        text = self._range(span, places, 0)
        return self.words.percent(text) if claim.kind in PERCENTAGES else text

    def _span(self, card: Card, span: Interval, like: str, unit: Callable[[Card, str], str] | None = None) -> str:
        """An interval in the unit and scale of a printed figure, one decimal finer than it."""
        power, places = scale(like), decimals(like) + 1
        if card.kind == "count" and card.decimals == 0 and exponent(like) == 0:
            places = 0
        if span.low == span.high and round(span.low / 10**power, decimals(like)) == span.low / 10**power:
            places = decimals(like)
        finite = [end for end in (span.low, span.high) if not isinf(end)]
        if not finite:
            return ""
        text = self.words.scaled(self._range(Interval(finite[0], finite[-1]), places, power), power)
        text = (unit or self.words.with_unit)(card, text)
        if isinf(span.low):
            return self.words.say("at_most", high=text)
        return self.words.say("at_least", low=text) if isinf(span.high) else text

    def _range(self, span: Interval, places: int, power: int) -> str:
        """One number, or two with what stands between."""
        low, high = (self.words.amount(end / 10**power, places) for end in (span.low, span.high))
        return low if low == high else self.words.say("from_to", low=low, high=high)
