"""The one object the notebook on how figures are compared talks to: each call shows one part of the page."""

from __future__ import annotations

from functools import cached_property

from balalar.brief import Block, Page, report_of
from balalar.cards import COUNTRY, Card
from balalar.compare import APART, Standing, apart, has_interval, standings, triple
from balalar.dataset import Dataset, decimals, open_dataset
from balalar.errors import RequestError
from balalar.estimates import Estimates, per_of
from balalar.intervals import CONFIDENCE, difference, poisson
from balalar.measures import Grid, Record
from balalar.paths import Project, project
from balalar.tables import Row, Table, html, render
from balalar.words import Words

EXAMPLE = "child_suicide_rate"  # the smallest counts of the report
SURVEY = "survey_respondents"
PRINCIPLES = ("chance", "interval", "verdict", "many", "rank", "survey", "trend", "spread", "none")
METHODS = ("poisson", "binomial", "survey", "two", "ranks", "funnel", "trends", "unequal")


def open_method(
    year: int | None = None, lang: str = "kk", region: str | None = None, where: Project | None = None
) -> MethodBrief:
    """Open the page on how figures are compared.

    Parameters
    ----------
    year : int, optional
        Year of the report the example is taken from; the newest if left out.
    lang : str
        A language of the edition.
    region : str, optional
        Must be left out: the page is about all regions.
    where : Project, optional
        Project to read; the current one if left out.

    Raises
    ------
    RequestError
        There is no such report or language, or a region is named.
    DataError
        The data are not sound.
    """
    dataset = open_dataset(where or project())
    chosen = report_of(dataset, year, region, "region: the page is about all regions; leave the region out")
    return MethodBrief(dataset, chosen, lang)


class MethodBrief(Page):
    """The page in the making; see ``open_method``."""

    def __init__(self, dataset: Dataset, year: int, lang: str) -> None:
        self.dataset, self.year = dataset, year
        self._chapter = dataset.catalogue.edition.about("method")
        self.words = Words(dataset.catalogue, lang, "comparison", self._chapter)

    def header(self) -> Block:
        """Title of the page and what it is for."""
        return self.opening(self._chapter, self.words.say("method_about"))

    def principles(self) -> Block:
        """The rules, a short paragraph each."""
        asked = {name: self._asked(name) for name in ("children", "parents")}
        equal = asked["children"] / len(self.words.catalogue.codes.living(self.year))
        amounts = {name: self.words.amount(number, 0) for name, number in (asked | {"equal": equal}).items()}
        amounts["effect"] = self.words.amount(self._estimates.design_effect, 1)
        said = [(self.words.say(f"{name}_title"), self.words.say(f"{name}_words", **amounts)) for name in PRINCIPLES]
        return Block(render("principles.html.j2", principles=said))

    def example(self) -> Block:
        """The rules worked through on the highest and the lowest of the smallest counts of the report."""
        sentences = [self._step_interval(), self._step_verdict(), self._step_many(), self._step_two()]
        return Block(render("example.html.j2", sentences=sentences, title=self._card.title[self.words.lang]))

    def methods(self) -> Block:
        """Table of the methods with their references."""
        say = self.words.say
        rows = [Row(say(f"kind_{name}"), [say(f"by_{name}"), say(f"after_{name}")]) for name in METHODS]
        columns = [say("method_by"), say("method_after")]
        return Block(html(Table(say("methods_caption"), say("method_for"), columns, rows, stacks=True)))

    def indicators(self) -> Block:
        """Which interval applies to each indicator, or why none can."""
        lang, catalogue = self.words.lang, self.words.catalogue
        chapters = [
            (
                chapter.title[lang],
                [(card.title[lang], self._applies(card)) for card in catalogue.chapter_cards(name)],
            )
            for name, chapter in catalogue.edition.chapters.items()
            if chapter.subject == "data"
        ]
        return Block(render("indicators.html.j2", chapters=chapters))

    def _asked(self, respondent: str) -> float:
        """How many people the survey for the index asked."""
        figures = self.dataset.best(SURVEY)
        figures = figures[(figures["respondent"] == respondent) & (figures["year"] == self.year)]
        return float(figures["number"].iloc[0])

    # -- the example ---------------------------------------------------------------------------------

    @cached_property
    def _estimates(self) -> Estimates:
        return Estimates(self.dataset)

    @property
    def _card(self) -> Card:
        return self.dataset.catalogue.cards[EXAMPLE]

    @cached_property
    def _grid(self) -> Grid:
        return Grid(self._estimates.of(self._card), self._card, "region")

    def _record(self, region: str) -> Record:
        record = self._grid.filled(self.year, region)
        if record is None or not has_interval(record):
            raise RequestError(f"{EXAMPLE}: the example needs cases and rates of {self.year}")
        return record

    @cached_property
    def _pair(self) -> tuple[Record, Record]:
        """The region with the most cases and, of those with any, the one with the lowest rate."""
        records = [self._record(region) for region in self._grid.regions(self.year)]
        most = max(records, key=lambda record: float(record["cases"]))
        least = min((one for one in records if one["cases"] > 0), key=lambda record: record["number"])
        return most, least

    @cached_property
    def _standings(self) -> dict[str, Standing]:
        return standings(self._grid, self.year, True)

    def _step_interval(self) -> str:
        words, most = self.words, self._pair[0]
        low, high = (float(end) for end in poisson(most["cases"], CONFIDENCE[0]))
        return words.say(
            "example_interval",
            region=words.region(most["region"]),
            cases=words.amount(most["cases"], 0),
            base=words.amount(most["base"], 0),
            value=words.value(self._card, most["value"]),
            case_low=words.amount(low, 1),
            case_high=words.amount(high, 1),
            low=words.like(most, most["low"]),
            high=words.like(most, most["high"]),
            lowest=words.like(most, most["lowest"]),
            highest=words.like(most, most["highest"]),
            per=words.amount(per_of(self._card), 0),
        )

    def _step_verdict(self) -> str:
        words, most, nation = self.words, self._pair[0], self._record(COUNTRY)
        one = self._standings[most["region"]]
        # The wide interval decides; the narrow one is what a single comparison would have said.
        key = "sure" if one.verdict in APART else ("alone" if one.alone in APART else "similar")
        return words.say(f"example_{key}", nation=words.number(nation["value"]))

    def _step_many(self) -> str:
        found = self._standings
        amount = {
            "regions": len(found),
            "sure": sum(one.verdict in APART for one in found.values()),
            "alone": sum(one.alone in APART for one in found.values()),
            "expected": self.words.amount(len(found) * 0.05, 0),
        }
        return self.words.say("example_many", **amount)

    def _step_two(self) -> str:
        words, (most, least) = self.words, self._pair
        triples = [triple(one) for one in (most, least)]
        low, high = difference(*triples)
        digits = decimals(most["value"])
        key = "example_apart" if apart(most, least, self._card.polarity) in APART else "example_alike"
        return words.say(
            key,
            one=words.region(most["region"]),
            other=words.region(least["region"]),
            value=words.number(least["value"]),
            difference=words.amount(triples[0][0] - triples[1][0], digits),
            low=words.amount(low, digits),
            high=words.amount(high, digits),
        )

    # -- the list ------------------------------------------------------------------------------------

    def _applies(self, card: Card) -> str:
        """Which interval an indicator has, or why none."""
        rule = card.interval
        if rule.reason:
            return self.words.catalogue.codes.no_interval[rule.reason].label[self.words.lang]
        if card.doubtful:
            return self.words.say("applies_doubtful")
        return self.words.say(f"applies_{rule.method}")
