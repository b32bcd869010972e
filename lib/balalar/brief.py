"""The one object a notebook talks to: each call shows one part of a chapter's brief."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from balalar.cards import COUNTRY, TOTAL, Card
from balalar.charts import Alternative
from balalar.cohorts import intakes
from balalar.compare import has_interval
from balalar.dataset import Dataset, agree, open_dataset, read_corrections
from balalar.errors import RequestError
from balalar.estimates import BASES, CHILDREN, Estimates, records_of
from balalar.findings import Findings
from balalar.measures import Grid, Record, records, year_shown
from balalar.panels import Panel, by_region, entrants
from balalar.paths import Project, project
from balalar.tables import NOTHING, Row, Table, html, render
from balalar.views import View
from balalar.words import Words

MOST_FINDINGS = 6
POVERTY = "poverty_share"  # by which regions are put in order, to see whether an indicator follows it
MOST_OTHER_VALUES = 6  # values printed differently elsewhere that are listed under a figure


AUDIT_LINK = "audit:"  # scheme of a link to the audit of a report, which the site resolves
COMPARED_LINK = "compared:"  # address of the page on how figures are compared, which the site resolves
PART = "application/vnd.balalar.part+json"  # what the press needs to know of a part of the page


@dataclass(frozen=True)
class Block:
    """A part of a page, shown by Jupyter as HTML.

    Attributes
    ----------
    markup : str
        HTML of the part, without the heading.
    heading : tuple of str
        Key and words of the section that starts here, or empty.
    missing : tuple of str
        Titles of the indicators of which nothing is printed in the year.
    """

    markup: str
    heading: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        part = {"heading": list(self.heading), "missing": list(self.missing), "markup": self.markup}
        heading = Markup("<h2>{}</h2>").format(self.heading[1]) if self.heading else ""
        missing = render("missing.html.j2", titles=self.missing) if self.missing else ""
        return {"text/html": heading + self.markup + missing, PART: part}


def open_brief(
    chapter: str,
    year: int | None = None,
    lang: str = "kk",
    region: str | None = None,
    where: Project | None = None,
) -> Brief:
    """Open a chapter for a year, a language and perhaps a region.

    Parameters
    ----------
    chapter : str
        A chapter of ``data/edition.yml``.
    year : int, optional
        Year of the brief; the newest report's if left out.
    lang : str
        kk, ru or en.
    region : str, optional
        ISO 3166-2 code of the region the brief speaks of; the whole country if left out.
    where : Project, optional
        Project to read; the current one if left out.

    Raises
    ------
    RequestError
        There is no such chapter, language or region, or nothing was observed in the year.
    DataError
        The data are not sound.
    """
    return Brief(open_dataset(where), chapter, year, lang, region, where or project())


def years_of(dataset: Dataset, chapter: str) -> list[int]:
    """Years for which a chapter has a brief, oldest first.

    Parameters
    ----------
    dataset : Dataset
    chapter : str
        Of the audit, and of the page on how figures are compared, the years of the reports.
    """
    if dataset.catalogue.edition.chapters[chapter].subject != "data":
        return sorted(dataset.catalogue.sources.reports)
    cards = dataset.catalogue.chapter_cards(chapter)
    found = {year - _later(card) for card in cards for year in dataset.years_of(card.id)}
    return sorted(year for year in found if year <= max(dataset.catalogue.sources.reports))


def report_of(dataset: Dataset, year: int | None, region: str | None, refusal: str) -> int:
    """Year of the report that a page about a whole report is of.

    Parameters
    ----------
    dataset : Dataset
    year : int or None
        The newest report's where None.
    region : str or None
        Such a page is of the country only.
    refusal : str
        Why no region may be named.

    Raises
    ------
    RequestError
        There is no such report, or a region is named.
    """
    reports = dataset.catalogue.sources.reports
    chosen = max(reports) if year is None else year
    if chosen not in reports:
        raise RequestError(f"year: there is no report of {chosen}; there are {', '.join(map(str, reports))}")
    if region not in (None, COUNTRY):
        raise RequestError(refusal)
    return chosen


class Page:
    """What all pages have in common.

    Attributes
    ----------
    words : Words
    """

    words: Words

    def section(self, key: str) -> Block:
        """Heading of a section.

        Parameters
        ----------
        key : str
            Key of the chapter's text file, or of the common one.
        """
        return Block("", heading=(key, self.words.say(key)))

    def opening(self, chapter: str, about: str, title: str = "") -> Block:
        """Title of a page about a whole report, and what it is for.

        Parameters
        ----------
        chapter : str
            A chapter of the edition.
        about : str
            What the page does, in a sentence or two.
        title : str
            The chapter's, if left out.
        """
        own, lang = self.words.catalogue.edition.chapters[chapter], self.words.lang
        words = {"title": title or own.title[lang], "summary": own.summary[lang], "about": [about]}
        return Block(render("header.html.j2", **words))


class Brief(Page):
    """A chapter's brief in the making; see ``open_brief``."""

    def __init__(
        self, dataset: Dataset, chapter: str, year: int | None, lang: str, region: str | None, where: Project
    ) -> None:
        catalogue = dataset.catalogue
        _known("chapter", chapter, catalogue.edition.chapters)
        self.words = Words(catalogue, lang, chapter)
        self.newest = max(catalogue.sources.reports)
        self.year = self.newest if year is None else year
        self.region = COUNTRY if region is None else region
        _known("region", self.region, [*catalogue.codes.living(self.year), COUNTRY])
        self.dataset, self.chapter, self._where = dataset, chapter, where
        self._cards = {card.id: card for card in catalogue.chapter_cards(chapter)}
        self._shown: set[str] = set()
        self._said: set[tuple[str, str]] = set()
        self._looks: dict[tuple[str, ...], Findings | None] = {}
        self._estimates = Estimates(dataset)
        self._records: dict[tuple[str, str], Record] = {}
        years = years_of(dataset, chapter)
        if self.year not in years:
            listed = ", ".join(map(str, years))
            raise RequestError(f"year: nothing was observed in {self.year} for {chapter}; there are {listed}")

    # -- what a notebook calls -----------------------------------------------------------------------

    def header(self) -> Block:
        """Title of the brief and what it is built from."""
        report = self.words.catalogue.sources.reports[self.newest]
        about = [self.words.say("brief_about", report=report.title[self.words.lang])]
        if any(card.time == "start_of_year" for card in self._cards.values()):
            about.append(self.words.say("year_meaning", next_year=self.year + 1))
        summary = self.words.catalogue.edition.chapters[self.chapter].summary[self.words.lang]
        return Block(render("header.html.j2", title=self.title, summary=summary, about=about))

    def key_findings(self, *indicators: str) -> Block:
        """Main points, written from the figures; those with nothing to say are left out.

        Parameters
        ----------
        *indicators : str
            The most important first; at most six are shown.
        """
        points: list[tuple[str, str, list[str]]] = []
        for card in map(self._card, indicators):
            found = self._findings(card, *_usual_look(card))
            lead = found.lead()[:3] if found else []
            if lead and len(points) < MOST_FINDINGS:
                points.append((card.id, card.title[self.words.lang], lead))
        nothing = self.words.say("no_finding", year=self.year)
        marks = self._marks_in(" ".join(sentence for _, _, lead in points for sentence in lead))
        return Block(render("findings.html.j2", words=self.words, points=points, nothing=nothing, marks=marks))

    def show(self, indicator: str, by: str = "region", split: str = "", at: str = "") -> Block:
        """One indicator: what its figures say, a chart, its table, definition, notes and source.

        Parameters
        ----------
        indicator : str
            An indicator of this chapter.
        by : str
            What the chart compares: ``region``, ``year`` or a dimension of the card.
        split : str
            Dimension whose groups stand side by side.
        at : str
            ``dimension=code`` that is looked at instead of the dimension's total.
        """
        card = self._card(indicator)
        _known("dimension", by, ["region", "year", *card.dimensions])
        if split:
            _known("dimension", split, card.dimensions)
        self._shown.add(indicator)
        findings = self._findings(card, by, split, at)
        if findings is None:
            return Block("", missing=(card.title[self.words.lang],))
        told = any(card.id == one for one, _ in self._said)
        if by == "region" and told and not findings.grid.regions(findings.year):
            return Block("")
        view = View(findings.grid, findings.year, self.words, self.region, findings.standings if not split else {})
        # What another look at the indicator has said is not said again.
        sentences = [*self._news(card, findings.all()), *findings.partial()]
        title = self._look_title(card, by, split, at)
        alternative = Alternative(
            self.words.say("chart_name", title=title), " ".join([self._subtitle(view), *sentences])
        )
        # Nothing is drawn of doubtful figures, and totals that another look has drawn are not drawn again.
        svg = "" if card.doubtful else view.chart(alternative, totals=not told)
        if told and not svg and not sentences:
            return Block("")
        drawn = set(view.statuses)
        table = html(view.table(title)) if svg or len(findings.grid.records()) > 1 else ""
        used = self._used(findings.grid)
        return Block(
            render(
                "figure.html.j2",
                words=self.words,
                id="-".join(filter(None, (indicator, by, split, at.partition("=")[2]))),
                title=title,
                sentences=sentences,
                svg=svg,
                table=table,
                subtitle=self._subtitle(view),
                marks=self._marks(drawn),
                table_marks=self._marks(view.statuses - drawn),
                keys=[self.words.say(key) for key in dict.fromkeys(view.keys)],
                how=COMPARED_LINK,
                definition=card.definition[self.words.lang],
                warning=card.caveat[self.words.lang] if card.doubtful and card.caveat else "",
                notes=[*self._notes(card, findings.year, used), *self._chance_notes(card, findings)],
                source=self._source(card, used),
            )
        )

    def facts(self, *indicators: str) -> Block:
        """Several indicators of the country in one table: value, period, value before, source.

        Parameters
        ----------
        *indicators : str
            Indicators of this chapter.
        """
        rows: list[Row] = []
        missing: list[str] = []
        definitions, notes = [], []
        statuses: set[str] = set()
        for card in map(self._card, indicators):
            self._shown.add(card.id)
            found = self._fact_rows(card, statuses)
            if not found:
                missing.append(card.title[self.words.lang])
                continue
            rows += found
            definitions.append((card.title[self.words.lang], card.definition[self.words.lang]))
            if card.caveat:
                notes.append((card.title[self.words.lang], card.caveat[self.words.lang]))
        say = self.words.say
        if not rows:
            return Block("", missing=tuple(missing))
        columns = [say("value"), say("period"), say("previous"), say("source")]
        if all(row.cells[2] == NOTHING for row in rows):
            rows = [Row(row.label, [*row.cells[:2], *row.cells[3:]]) for row in rows]
            columns.remove(say("previous"))
        table = html(Table(say("facts_caption"), say("indicator"), columns, rows, stacks=True))
        words = {"words": self.words, "table": table, "marks": self._marks(statuses)}
        return Block(render("facts.html.j2", **words, notes=notes, definitions=definitions), missing=tuple(missing))

    def spine(self, *indicators: str) -> Block:
        """Where the chosen region lies between the worst and the best; nothing where no region is chosen.

        Parameters
        ----------
        *indicators : str
            Indicators of this chapter; those are drawn of which all regions have a value.
        """
        if self.region == COUNTRY:
            return Block("")
        title = self.words.say("spine_title", region=self.words.region(self.region))
        svg, drawn = self._panel(indicators).spine(title)
        for look in drawn:
            self._used(look.grid)
        return self._plate("spine", title, svg, [self.words.say("spine_note")], []) if svg else Block("")

    def heat_map(self, *indicators: str) -> Block:
        """Regions against indicators in one table of verdicts.

        Parameters
        ----------
        *indicators : str
            Indicators of this chapter; those are shown of which at least ten regions have a value.
        """
        shown, rows = self._panel(indicators).heat_map()
        if not shown:
            return Block("")
        for look in shown:
            self._used(look.grid)
        heads = [
            self.words.say("look_at_year", title=look.card.title[self.words.lang], unit=self.words.unit(look.card),
                           year=self.words.heading(look.card, look.year)) for look in shown
        ]  # fmt: skip
        title = self.words.say("heat_title")
        marks = self._marks_in(" ".join(cell.text for _, _, cells in rows for cell in cells))
        words = {"words": self.words, "title": title, "heads": heads, "rows": rows, "marks": marks}
        return Block(render("heat.html.j2", **words, how=COMPARED_LINK))

    def tile_map(self, indicator: str) -> Block:
        """Map of equal tiles of the regions' values."""
        panel = self._panel([indicator])
        title = self.words.say("tile_title", title=self._card(indicator).title[self.words.lang])
        svg = panel.tile_map(title) if panel.looks else ""
        if not svg:
            return Block("")
        look = panel.looks[0]
        keys = ["tile_note", "tile_verdicts" if look.by_chance else "tile_fifths"]
        return self._plate(f"{indicator}-map", title, svg, list(map(self.words.say, keys)), [look])

    def funnel(self, indicator: str) -> Block:
        """Rates of small counts within the limits of chance."""
        panel = self._panel([indicator])
        title = self.words.say("funnel_title", title=self._card(indicator).title[self.words.lang])
        svg, found = panel.funnel(title) if panel.looks else ("", None)
        if found is None:
            return Block("")
        notes = [self.words.say("funnel_note")]
        return self._plate(f"{indicator}-funnel", title, svg, notes, panel.looks, panel.funnel_sentences(found))

    def inequality(self, *indicators: str) -> Block:
        """How unequal regions are, and town and country.

        Parameters
        ----------
        *indicators : str
            Indicators of this chapter.
        """
        panel = self._panel(indicators)
        children = by_region(self.dataset.best(CHILDREN), self.year + 1)
        between, left = panel.between_regions(children, by_region(self.dataset.best(POVERTY), self.year))
        cards = [self._card(one) for one in indicators if "settlement" in self._card(one).dimensions]
        settled = panel.town_and_country(
            [look for card in cards if (look := self._findings(card, "region", "settlement"))]
        )
        tables = [html(table) for table in (between, settled) if table]
        if not tables:
            return Block("")
        words = {"words": self.words, "title": self.words.say("unequal_title"), "tables": tables}
        marks = self._marks_in(" ".join(tables))
        return Block(render("inequality.html.j2", **words, left=left, marks=marks, how=COMPARED_LINK))

    def school_entrants(self) -> Block:
        """First-graders to be expected of the births of past years, with the assumption written out."""
        births, deaths = (self._of_the_country(one) for one in ("live_births", "under5_mortality_rate"))
        if not births or not deaths:
            return Block("")
        found = intakes({one["year"]: float(one["number"]) for one in births}, float(deaths[-1]["number"]))
        self._remember([*births, deaths[-1]])
        part = entrants(self.words, found, deaths[-1], self.year)
        marks = self._marks({"F"})
        source = self._source(self._card("live_births"), [*births, deaths[-1]])
        return Block(
            render(
                "plate.html.j2",
                **part | {"notes": [*part["notes"], marks]},
                id="school-entrants",
                source=source,
                how="",
            )
        )

    def _of_the_country(self, indicator: str) -> list[Record]:
        """The country's totals of an indicator up to the brief's year, oldest first."""
        card = self._card(indicator)
        found = [
            record
            for record in self._filled(card, COUNTRY)
            if record["year"] <= self.year and all(record[name] == TOTAL for name in card.dimensions)
        ]
        return sorted(found, key=lambda record: int(record["year"]))

    def sources(self) -> Block:
        """Notes on quality, sources of all figures shown, how to cite, licence."""
        words, catalogue = self.words, self.words.catalogue
        corrected = sum(1 for record in self._records.values() if record["correction"])
        counts = {"figures": words.amount(len(self._records), 0), "corrected": words.amount(corrected, 0)}
        quality = [
            words.say("quality_counts" if corrected else "quality_counts_none", **counts),
            words.say("quality_pictures"),
            words.say("quality_intervals"),
        ]
        used = {(record["report"], record["source"]) for record in self._records.values()}
        listed = []
        for year, report in sorted(catalogue.sources.reports.items()):
            for source, place in report.places.items():
                if (year, source) in used:
                    where = words.places(year, [source])
                    listed.append(words.sentence("label_with_value", item=where, value=place.title[words.lang]))
        report = catalogue.sources.reports[self.newest]
        citation = words.say(
            "citation",
            title=self.title,
            year=self.year,
            report=report.title[words.lang],
            publisher=report.publisher[words.lang],
        )
        licence = catalogue.edition.licence[words.lang]
        return Block(
            render(
                "end.html.j2",
                words=words,
                quality=quality,
                sources=listed,
                citation=citation,
                licence=licence,
            ),
            heading=("sources", words.say("sources_and_quality")),
        )

    def close(self) -> None:
        """Check that the chapter's every indicator was shown.

        Raises
        ------
        RequestError
            Names the indicators that were not.
        """
        if left := sorted(set(self._cards) - self._shown):
            raise RequestError(f"{self.chapter}: not shown: {', '.join(left)}; add a cell for each")

    # -- what it is about ----------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """Title of the page."""
        chapter = self.words.catalogue.edition.chapters[self.chapter].title[self.words.lang]
        return self.words.say("page_title", chapter=chapter, place=self.words.region(self.region), year=self.year)

    def _card(self, indicator: str) -> Card:
        _known("indicator", indicator, self._cards)
        return self._cards[indicator]

    def _figures(self, card: Card) -> list[Record]:
        """Best figure of each key of an indicator, with its interval."""
        return self._estimates.records(card)

    def _filled(self, card: Card, region: str) -> list[Record]:
        """Figures of a region that have a value, in the order of the years."""
        return [one for one in self._figures(card) if one["region"] == region and one["value"] != ""]

    def _findings(self, card: Card, by: str, split: str, at: str = "") -> Findings | None:
        """What a look says in the brief's year, None where nothing was printed; worked out once."""
        key = (card.id, by, split, at)
        if key not in self._looks:
            self._looks[key] = self._look(card, by, split, at)
        return self._looks[key]

    def _look(self, card: Card, by: str, split: str, at: str) -> Findings | None:
        figures = self._figures(card)
        if at:
            name, _, code = at.partition("=")
            _known("dimension", name, card.dimensions)
            _known("code", code, self.words.catalogue.codes.dimensions[name].items)
            figures = [record | {name: TOTAL} for record in figures if record[name] == code]
        wanted = self.year + _later(card)
        if self.year != self.newest:
            figures = [record for record in figures if record["year"] <= wanted]
        grid = Grid(figures, card, by, split)
        year = year_shown(grid.years(), wanted, self.year == self.newest)
        return Findings(grid, year, self.words, self.region) if year is not None else None

    def _panel(self, indicators: Iterable[str]) -> Panel:
        """Indicators by region; those of which nothing was printed, or which are in doubt, are left out."""
        cards = [card for card in map(self._card, indicators) if not card.doubtful]
        looks = [look for card in cards if (look := self._findings(card, "region", ""))]
        return Panel([look for look in looks if look.grid.regions(look.year)], self.words, self.region)

    def _plate(
        self, key: str, title: str, svg: str, notes: list[str], looks: Iterable[Findings], sentences: Iterable[str] = ()
    ) -> Block:  # fmt: skip
        """A figure of several indicators or regions, whose tables stand where each is shown by itself."""
        sources = []
        for look in looks:
            sources.append(self._source(look.card, self._used(look.grid)))
        return Block(
            render(
                "plate.html.j2",
                words=self.words,
                id=key,
                title=title,
                sentences=list(sentences),
                svg=svg,
                notes=[*notes, *filter(None, [self._marks_in(svg)])],
                table="",
                source=" ".join(dict.fromkeys(sources)),
                how=COMPARED_LINK,
            )
        )

    # -- parts of a figure ---------------------------------------------------------------------------

    def _look_title(self, card: Card, by: str, split: str, at: str) -> str:
        """Title of a figure: the indicator, of what, and by what it is shown."""
        title = card.title[self.words.lang]
        look = self.words.listed(self.words.by(name) for name in (by, split) if name)
        if not at:
            return self.words.say("look", title=title, look=look)
        item = self.words.inline(card, *at.split("="))
        return self.words.say("look_at", title=title, item=item, look=look)

    def _subtitle(self, view: View) -> str:
        card = view.grid.card
        when = self.words.heading(card, view.year)
        if view.grid.by == "year":
            when = f"{view.grid.years()[0]}–{view.year}"
        return self.words.sentence("chart_subtitle", unit=self.words.unit(card), place=when)

    def _used(self, grid: Grid) -> list[Record]:
        """Figures of a look that have a value, remembered for the notes at the end."""
        seen = [record for record in grid.records() if record["value"] != ""]
        spoken_of = (COUNTRY, self.region)
        used = [record for record in seen if grid.by == "region" or record["region"] in spoken_of]
        self._remember(used)
        return used + self._divisors(grid.card, used)

    def _divisors(self, card: Card, used: list[Record]) -> list[Record]:
        """Figures that a derived indicator was divided by; they are sources too."""
        if not card.derived or card.denominator is None:
            return []
        keys = {(record["year"], record["region"]) for record in used}
        cards = self.words.catalogue.cards
        below = records_of(cards[card.denominator], self.dataset.best(card.denominator), self.dataset)
        return [record for record in below if (record["year"], record["region"]) in keys]

    def _remember(self, records: Iterable[Record]) -> None:
        self._records |= {(record["about"], record["source"]): record for record in records}

    def _notes(self, card: Card, year: int, used: list[Record]) -> list[str]:
        words = self.words
        notes = [card.caveat[words.lang]] if card.caveat and not card.doubtful else []
        if card.derived:
            notes.append(self._formula(card))
        if year < self.year + _later(card):
            notes.append(words.say("note_older", year=year))
        first = min((record["year"] for record in used), default=year)
        notes += [
            words.say("note_break", year=one.year, reason=one.reason[words.lang])
            for one in card.breaks
            if first < one.year <= year
        ]
        # A dagger is explained wherever it stands, the rest where the indicator is first shown.
        notes = self._news(card, [*notes, *self._other_values(card, year, used)])
        return [*self._correction_notes(used), *notes]

    def _formula(self, card: Card) -> str:
        """How a derived indicator was computed, in words."""
        words, cards = self.words, self.words.catalogue.cards

        def named(indicator: str | None, codes: dict[str, str]) -> str:
            own = cards[indicator or card.id]
            at = ", ".join(words.inline(own, name, code) for name, code in codes.items())
            title = own.title[words.lang]
            return words.say("item_with_value", item=title, value=at) if at else title

        parts = {
            "numerator": named(card.numerator, card.numerator_codes),
            "denominator": named(card.denominator, card.denominator_codes),
            "per": words.amount(card.per or 1, 0),
        }
        if card.denominator_less:
            return words.say("note_derived_less", **parts, less=named(card.denominator_less, {}))
        return words.say("note_derived_country" if card.of_country else "note_derived", **parts)

    def _chance_notes(self, card: Card, findings: Findings) -> list[str]:
        """What the intervals of a look rest on, or why there are none where chance plays a part."""
        words = self.words
        if card.doubtful or not findings.by_chance:
            return []
        used = [record for record in findings.grid.records() if record["value"] != ""]
        if findings.grid.by != "year":
            used = [record for record in used if record["year"] == findings.year]
        found = [code for code in BASES if any(record["basis"] == code for record in used)]
        if found:
            effect = words.amount(self._estimates.design_effect, 1)
            return self._news(card, [words.say(f"basis_{code}", effect=effect) for code in found])
        reason = words.catalogue.codes.no_interval[card.interval.reason or "no_base"].label[words.lang]
        return self._news(card, [words.say("no_interval", reason=reason)])

    def _news(self, card: Card, sentences: list[str]) -> list[str]:
        """Sentences that no other look at the indicator has said on this page."""
        new = [sentence for sentence in sentences if (card.id, sentence) not in self._said]
        self._said |= {(card.id, sentence) for sentence in new}
        return new

    @cached_property
    def _corrections(self) -> dict[str, dict[str, str]]:
        return {row["id"]: row for row in read_corrections(self._where)}

    def _correction_notes(self, used: list[Record]) -> list[str]:
        """Why figures are used otherwise than printed, each with a link to what the audit found."""
        words = self.words
        rows = [self._corrections[record["correction"]] for record in used if record["correction"]]
        reasons = dict.fromkeys(
            (row["rule"], row["source"], row["evidence"], row["report"], row["id"].rpartition("-")[0]) for row in rows
        )
        notes: list[str] = []
        for rule, source, evidence, report, group in reasons:
            note = words.say(
                "note_corrected",
                rule=words.catalogue.codes.correction_rules[rule].label[words.lang],
                place=words.place(source),
                evidence=words.listed(map(words.place, evidence.split())),
            )
            link = Markup(' <a class="audited" href="{}{}/{}">{}</a>')
            notes.append(Markup("{}").format(note) + link.format(AUDIT_LINK, report, group, words.say("audit_link")))
        return notes

    def _other_values(self, card: Card, year: int, used: list[Record]) -> list[str]:
        """Values of the year that the report prints differently elsewhere, beyond rounding."""
        twice = self.dataset.printed_twice(card.id)
        if twice.empty:
            return []
        looked_at = {record["about"]: record for record in used if record["year"] == year}
        listed = [
            self._other_value(card, other)
            for other in records(twice)
            if other["about"] in looked_at and not agree(looked_at[other["about"]]["value"], other["value"])
        ]
        if not listed:
            return []
        return [self.words.say("note_other_value", listed="; ".join(listed[:MOST_OTHER_VALUES]))]

    def _other_value(self, card: Card, record: Record) -> str:
        words = self.words
        codes = [words.inline(card, name, record[name]) for name in card.dimensions if record[name] != TOTAL]
        return words.say(
            "other_value",
            region=", ".join([words.region(record["region"]), *codes]),
            heading=words.heading(card, record["year"]),
            value=words.value(card, record["value"]),
            place=words.place(record["source"]),
        )

    def _marks(self, statuses: set[str], dagger: bool = False) -> str:
        """What the marks of some statuses mean, and what † means."""
        words = self.words
        listed = [
            words.say("mark_meaning", mark=words.mark(code), label=status.label[words.lang].lower())
            for code, status in words.catalogue.codes.statuses.items()
            if code in statuses
        ]
        if dagger:
            listed.append(words.say("mark_dagger"))
        return words.say("note_marks", marks="; ".join(listed)) if listed else ""

    def _marks_in(self, text: str) -> str:
        """What the marks in a text mean."""
        marks = {code: self.words.mark(code) for code in self.words.catalogue.codes.statuses}
        return self._marks({code for code, mark in marks.items() if mark and mark in text}, "†" in text)

    def _source(self, card: Card, used: list[Record]) -> str:
        words = self.words
        used = sorted(used, key=lambda record: record["preference"])
        by_report: dict[int, dict[str, None]] = {}
        for record in used:
            by_report.setdefault(record["report"], {})[record["source"]] = None
        places = "; ".join(words.places(report, sources) for report, sources in by_report.items())
        agency = words.catalogue.codes.agencies[card.agency].label[words.lang]
        return words.sentence("figure_source", places=places, agency=agency)

    def _fact_rows(self, card: Card, statuses: set[str]) -> list[Row]:
        """Rows of the country's figures, one a code, in the order of the code lists."""
        figures, wanted = self._filled(card, COUNTRY), self.year + _later(card)
        if self.year != self.newest:
            figures = [record for record in figures if record["year"] <= wanted]
        year = year_shown(sorted({record["year"] for record in figures}), wanted, self.year == self.newest)
        if year is None:
            return []
        # Plans for later years stand below the current figure.
        now = [record for record in figures if record["year"] >= year]
        self._remember(now)
        lists = self.words.catalogue.codes.dimensions
        now.sort(key=lambda record: [list(lists[name].items).index(record[name]) for name in card.dimensions])
        return [self._fact_row(card, record, figures, statuses) for record in now]

    def _fact_row(self, card: Card, record: Record, figures: list[Record], statuses: set[str]) -> Row:
        words = self.words
        same = [one for one in figures if all(one[name] == record[name] for name in card.dimensions)]
        before = [one for one in same if one["year"] < record["year"]][-1:]
        self._remember(before)
        statuses |= {one["status"] for one in (record, *before) if one["status"] != "A"}
        codes = [words.inline(card, name, record[name]) for name in card.dimensions if record[name] != TOTAL]
        label = ": ".join([card.title[words.lang], *([", ".join(codes)] if codes else [])])
        value = words.marked(card, record)
        if has_interval(record) and not card.doubtful:
            ends = {end: words.like(record, record[end]) for end in ("low", "high")}
            value = words.say("value_with_interval", value=value, **ends)
        earlier = [
            words.say("item_with_value", item=words.marked(card, one), value=words.heading(card, one["year"]))
            for one in before
        ]
        place = words.place(record["source"])
        return Row(label, [value, words.heading(card, record["year"]), *(earlier or [NOTHING]), place])


def _later(card: Card) -> int:
    """Years between a brief's and a card's: a report closes with the start of the next year."""
    return 1 if card.time == "start_of_year" else 0


def _usual_look(card: Card) -> tuple[str, str]:
    """By what, and split by what, a card is looked at where the notebook does not say."""
    own = [name for name in card.dimensions if name not in ("sex", "settlement")]
    if own:
        return own[0], ""
    split = next((name for name in ("settlement", "sex") if name in card.dimensions), "")
    return "region", split


def _known(kind: str, name: str, known: Iterable[str]) -> None:
    """Refuse an unknown name, with the nearest known ones."""
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(str(name), names, 3, 0.5)
        listed = f"choose one of {', '.join(names)}" if names else "there are none to choose from"
        hint = f"did you mean {' or '.join(near)}?" if near else listed
        raise RequestError(f"{kind}: there is no {name!r}; {hint}")
