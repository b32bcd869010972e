"""What an audit found, in the words of one language: where it stands, what is printed, what should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
SHARED = {
    "percent_change": "change",
    "mean": "sum",
    "range": "between",
    "only_between": "between",
    "proportion": "share",
}


# A direction between two groups of one year is a comparison.
BESIDE = {"rose": "higher", "fell": "lower", "unchanged": "alike"}


@dataclass(frozen=True)
class Line:
    """A figure of a comparison: what it is of, its value, and where it stands."""

    what: str
    value: str
    where: str


@dataclass(frozen=True)
class Side:
    """A cell as printed and as it should be."""

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
        if finding.rule.startswith("claim_count"):
            return self.words.say("rule_claim_count")
        claim = self._claims.get(finding.claim)
        beside = claim is not None and claim.kind == "direction" and not claim.base_year
        if finding.rule in ("claim_greater", "claim_less", "claim_equal") or beside:
            return self.words.say("rule_claim_compared")
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
        when = [self.words.heading(card, key.year)] if key.year else []
        title = [card.title[self.words.lang]] if whole else []
        return ", ".join([*title, *where, *when, *codes])

    def printed(self, finding: Finding) -> str:
        """What stands in the report; empty for a pattern of many cells and a claim without a number."""
        claim = self._claims.get(finding.claim)
        if claim:
            return self._claimed(claim) if claim.printed else ""
        return self._value(finding.figures[0]) if len(finding.figures) == 1 or finding.expected else ""

    def expected(self, finding: Finding) -> str:
        """What should stand there, or between which values; empty where there is no number."""
        if finding.expected is None:
            return ""
        claim = self._claims.get(finding.claim)
        if claim:
            return self._computed(claim, finding.expected)
        figure = finding.figures[0]
        return self._span(self._card(finding.key), finding.expected, figure.value)

    def sentence(self, finding: Finding) -> str:
        """What was found."""
        words = {"printed": self.printed(finding), "expected": self.expected(finding), "count": finding.count}
        claim = self._claims.get(finding.claim)
        if claim:
            return self._claim_sentence(finding, claim, words)
        key = f"say_{finding.rule}"
        if finding.rule == "heading":
            return self._heading_sentence(finding)
        if finding.kind == "column":
            return self.words.sentence("say_column", count=finding.count)
        if finding.rule == "copied_column":
            other = finding.against[0]
            words |= {"title": self._card(other.key).title[self.words.lang], "place": self.words.place(other.source)}
        if finding.rule in ("row_shift", "doubled_label"):
            words |= {
                "first": self.words.region(self._first(finding)),
                "last": self.words.region(finding.items[-1]) if finding.items else "",
            }
        words["items"] = self._regions(finding.items) if finding.kind != "undecided" else ""
        return self.words.sentence(key, **words)

    @staticmethod
    def _first(finding: Finding) -> str:
        return finding.key.region if finding.rule == "doubled_label" else finding.items[0]

    def _heading_sentence(self, finding: Finding) -> str:
        card = self._card(finding.key)
        if finding.kind == "year":
            year = int(finding.items[0])
            named = self.words.heading(card, finding.key.year), self.words.heading(card, year)
        else:
            named = self._codes(card, finding.key.codes), self._codes(card, finding.items)
        return self.words.sentence(f"say_heading_{finding.kind}", heading=named[0], items=named[1])

    def _codes(self, card: Card, codes: Iterable[str]) -> str:
        given = [
            self.words.inline(card, name, code)
            for name, code in zip(card.dimensions, codes, strict=True)
            if code != TOTAL
        ]
        return ", ".join(given) or self.words.say("whole_country")

    def _claim_sentence(self, finding: Finding, claim: Claim, words: dict[str, object]) -> str:
        kind = "count" if claim.kind.startswith("count") else claim.kind
        key = f"say_claim_{SHARED.get(kind, kind)}"
        if SHARED.get(kind, kind) == "change" and claim.direction:
            key += f"_{claim.direction}"
        if kind == "direction":
            key += f"_{claim.direction}" if claim.base_year else f"_{BESIDE[claim.direction]}"
        named = self._items(claim, claim.items.split())
        wrong = self._items(claim, finding.items) or self.subject(finding.key, whole=False)
        limits = {
            side: self.words.number(getattr(claim, side)) if getattr(claim, side) else "" for side in ("low", "high")
        }
        return self.words.sentence(key, **words, named=named, items=wrong, **limits)

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
        own = finding.key.indicator
        figures = list(dict.fromkeys((*finding.figures, *finding.against)))
        lines = [
            Line(
                self.subject(figure.key, whole=figure.key.indicator != own or not finding.figures),
                self._value(figure),
                self.words.place(figure.source),
            )
            for figure in figures[:MOST_ROWS]
        ]
        return lines, max(len(figures) - MOST_ROWS, 0)

    def sides(self, finding: Finding) -> list[Side]:
        """Cells of a column as printed and as they should be; none where one figure is at stake."""
        card = self._card(finding.key)
        if finding.recomputed:
            return [
                Side(
                    self.words.short_region(figure.key.region),
                    self._value(figure),
                    self._span(card, span, figure.value),
                )
                for figure, span in finding.recomputed
            ]
        moved = finding.repair.changes if finding.repair else ()
        moved = tuple(change for change in moved if change.key.region != change.figure.key.region)
        if not moved:
            return []
        # Of several years the newest stands for all.
        year = max(change.key.year for change in moved)
        before = {change.figure.key.region: change.figure for change in moved if change.figure.key.year == year}
        after = {change.key.region: change.figure for change in moved if change.key.year == year}
        return [
            Side(
                self.words.short_region(code),
                *(self._value(side[code]) if code in side else "–" for side in (before, after)),
            )
            for code in self.words.catalogue.codes.regions
            if code in before or code in after
        ]

    def notes(self, finding: Finding) -> list[str]:
        """What is assumed, what would mend it, and whether it is mended."""
        say, notes = self.words.say, []
        if finding.kind == "cut":
            notes.append(say("cut"))
        if finding.assumption:
            notes.append(say(f"assumption_{finding.assumption}"))
        if finding.kind == "undecided":
            notes.append(say("undecided", items="; ".join(map(self._written, finding.items))))
        if finding.corrections:
            notes.append(say("accepted"))
        elif finding.repair:
            notes.append(self.repair(finding.repair))
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
        return self.words.value(self._card(figure.key), figure.value)

    def _written(self, change: str) -> str:
        """An edit as «31 788,0 → 31 783,0»."""
        return " → ".join(self.words.number(value) for value in change.split("→"))

    def _claimed(self, claim: Claim) -> str:
        """The number of a claim with its hedge."""
        card = self.words.catalogue.cards[claim.indicator]
        if claim.kind in PERCENTAGES:
            text = self.words.percent(float(claim.value), decimals(claim.value))
        elif claim.kind in ("value", "sum", "mean"):
            text = self.words.value(card, claim.value)
        elif claim.kind == "change":
            text = self.words.difference(card, claim.value)
        else:
            text = self.words.number(claim.value)
        return self.words.say(f"hedge_{claim.hedge}", number=text) if claim.hedge else text

    def _computed(self, claim: Claim, span: Interval) -> str:
        card = self.words.catalogue.cards[claim.indicator]
        places = decimals(claim.value) + 1
        if claim.kind in PERCENTAGES:
            return self._between(
                span,
                lambda number: self.words.percent(number, places),
                lambda number: self.words.amount(number, places),
            )
        if claim.kind in ("value", "sum", "mean"):
            return self._span(card, span, claim.value)
        if claim.kind == "change":
            return self._span(card, span, claim.value, change=True)
        if claim.kind.startswith(("count", "rank")):
            places = 0
        return self._between(span, lambda number: self.words.amount(number, places))

    def _span(self, card: Card, span: Interval, like: str, change: bool = False) -> str:
        """An interval in the unit and scale of a printed figure, one decimal finer than it."""
        power, places = scale(like), decimals(like) + 1
        if card.kind == "count" and card.decimals == 0 and exponent(like) == 0:
            places = 0
        if span.low == span.high and round(span.low / 10**power, decimals(like)) == span.low / 10**power:
            places = decimals(like)

        def written(number: float) -> str:
            return f"{number / 10**power:.{places}f}" + (f"e{power}" if power else "")

        def told(number: float) -> str:
            return self.words.difference(card, written(number)) if change else self.words.value(card, written(number))

        return self._between(span, told, lambda number: self.words.number(written(number)))

    def _between(self, span: Interval, tell: Callable[[float], str], bare: Callable[[float], str] | None = None) -> str:
        """An interval; its unit stands once, behind the upper end."""
        if isinf(span.low) and isinf(span.high):
            return ""
        if isinf(span.low):
            return self.words.say("at_most", high=tell(span.high))
        if isinf(span.high):
            return self.words.say("at_least", low=tell(span.low))
        if tell(span.low) == tell(span.high):
            return self.words.say("exactly", value=tell(span.low))
        return self.words.say("from_to", low=(bare or tell)(span.low), high=tell(span.high))
