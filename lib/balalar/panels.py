"""Parts of a brief that look at many regions or indicators at once: spine, heat map, tile map, funnel, inequality."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from balalar import charts
from balalar.cards import BASIC_DIMENSIONS, COUNTRY
from balalar.charts import Alternative
from balalar.cohorts import SCHOOL_AGE, Intake
from balalar.compare import Funnel, apart, fifths, funnel, has_interval, quarter_points, sign, triple
from balalar.dataset import decimals
from balalar.estimates import per_of
from balalar.findings import Findings
from balalar.inequality import concentration, gini, slope_index, theil
from balalar.intervals import difference, ratio
from balalar.measures import Record, records, totals
from balalar.tables import NOTHING, Row, Table, html
from balalar.words import Words

MARKERS = {"▲": "^", "▼": "v", "●": "o", "": "D"}  # shapes of a region's mark, by the sign of its verdict
MOST_TIED = 3  # regions named for one value; more are counted
RATIO = 2  # decimals of a ratio
NAMED = 2  # highest points that are named where none lies outside a funnel
FEWEST = 10  # regions below which no map, funnel or measure of inequality is made


@dataclass(frozen=True)
class Cell:
    """A cell of the heat map: its text, what it says in a word, and the class of its colour."""

    text: str
    word: str
    face: str


class Panel:
    """Several indicators of one year and language, region by region.

    Parameters
    ----------
    looks : sequence of Findings
        By region, unsplit, one an indicator.
    words : Words
    region : str
        Chosen region, or the country.
    """

    def __init__(self, looks: Sequence[Findings], words: Words, region: str) -> None:
        self.looks, self.words, self.region = looks, words, region

    # -- spine ---------------------------------------------------------------------------------------

    def spine(self, title: str) -> tuple[str, list[Findings]]:
        """Chart of where the region lies between the worst and the best, and the indicators on it."""
        drawn = [look for look in self.looks if look.whole and self._own(look) and self._nation(look)]
        drawn = [look for look in drawn if not look.card.additive]
        if not drawn:
            return "", []
        rows = pd.DataFrame([self._spine_row(look) for look in drawn])
        say = self.words.say
        judged = any(look.card.polarity != "neutral" for look in drawn)
        ends = [say(key) for key in (("spine_worst", "spine_best") if judged else ("spine_low", "spine_high"))]
        legend = [self.words.short_region(self.region), say("spine_half"), self.words.short_region(COUNTRY)]
        about = " ".join(f"{row['label']}: {row['text']} {row['word']}." for row in rows.to_dict("records"))
        return charts.spine(rows, Alternative(title, about), ends, legend), drawn

    def _spine_row(self, look: Findings) -> dict[str, Any]:
        own, nation = self._own(look), self._nation(look)
        assert own and nation
        middle = float(nation["value"])
        points = [*quarter_points(look.grid, look.year), float(own["value"])]
        reach = max(abs(point - middle) for point in points) or 1.0
        # Good lies on the right; of what is neither good nor bad, the higher value.
        side = -1 if look.card.polarity == "bad" else 1
        low, first, third, high, number = (side * (point - middle) / reach for point in points)
        standing = look.standings.get(self.region)
        texts = [self.words.marked(look.card, record, unit=False) for record in (own, nation)]
        return {
            "label": look.card.title[self.words.lang],
            "text": self.words.say("item_with_value", item=texts[0], value=texts[1]),
            "word": self.words.say(f"verdict_{standing.verdict}") if standing else "",
            "verdict": standing.verdict if standing else "unknown",
            "marker": MARKERS[sign(standing)],
            "low": min(low, high),
            "high": max(low, high),
            "first": min(first, third),
            "third": max(first, third),
            "number": number,
        }

    def _own(self, look: Findings) -> Record | None:
        return look.grid.filled(look.year, self.region)

    @staticmethod
    def _nation(look: Findings) -> Record | None:
        return look.grid.filled(look.year, COUNTRY)

    # -- heat map ------------------------------------------------------------------------------------

    def heat_map(self) -> tuple[list[Findings], list[tuple[str, bool, list[Cell]]]]:
        """Indicators, and for each region its short name, whether it stands out, and a cell for each of them."""
        shown = [look for look in self.looks if len(look.grid.frame(look.year)) >= FEWEST]
        if not shown:
            return [], []
        fifth = [_fifths(look) for look in shown]
        codes = self.words.catalogue.codes
        regions = [COUNTRY, *codes.living(max(look.year for look in shown))]
        return shown, [
            (
                self.words.short_region(region),
                region in (COUNTRY, self.region),
                [self._cell(look, region, fifth[at].get(region, 0)) for at, look in enumerate(shown)],
            )
            for region in regions
        ]

    def _cell(self, look: Findings, region: str, fifth: int) -> Cell:
        record = look.grid.filled(look.year, region)
        if record is None:
            return Cell(self.words.mark("O"), "", "nothing")
        text = self.words.marked(look.card, record, unit=False)
        if region == COUNTRY:
            return Cell(text, "", "country")
        standing = look.standings.get(region)
        if look.by_chance:
            verdict = standing.verdict if standing else "unknown"
            return Cell(f"{sign(standing)} {text}".strip(), self.words.say(f"verdict_{verdict}"), verdict)
        return Cell(text, self.words.say("fifth", number=fifth), f"fifth-{fifth}")

    # -- tile map ------------------------------------------------------------------------------------

    def tile_map(self, title: str) -> str:
        """Map of equal tiles of the first indicator; empty where too few regions have a value."""
        look = self.looks[0]
        fifth = _fifths(look)
        if len(fifth) < FEWEST:
            return ""
        codes = self.words.catalogue.codes
        rows = []
        for region in codes.living(look.year):
            tile = codes.regions[region].tile
            if tile is None:
                continue
            cell = self._cell(look, region, fifth.get(region, 0))
            rows.append(
                {
                    "label": tile.name[self.words.lang],
                    "text": cell.text,
                    "row": tile.row,
                    "column": tile.column,
                    "face": cell.face.removeprefix("fifth-"),
                    "chosen": region == self.region,
                    "word": cell.word,
                }
            )
        about = "; ".join(f"{row['label']}: {row['text']} {row['word']}".strip() for row in rows)
        return charts.tiles(pd.DataFrame(rows), Alternative(title, about))

    # -- funnel --------------------------------------------------------------------------------------

    def funnel(self, title: str) -> tuple[str, Funnel | None]:
        """Funnel plot of the first indicator's rates, and what it rests on."""
        look = self.looks[0]
        nation = self._nation(look)
        regions = records_of(look, look.grid.regions(look.year))
        known = look.whole and all(has_interval(one) and not math.isnan(one["base"]) for one in regions)
        if nation is None or look.card.kind != "rate" or not known:
            return "", None
        found = funnel(regions, float(nation["value"]), per_of(look.card))
        named = found.points["outside"] | (found.points["region"] == self.region)
        if not named.any():
            named = found.points["number"].rank(method="first", ascending=False) <= NAMED
        points = found.points.assign(
            label=[
                self.words.short_region(region) if name else ""
                for region, name in zip(found.points["region"], named, strict=True)
            ],
            chosen=found.points["region"] == self.region,
        )
        names = [self.words.say("funnel_base"), self.words.unit(look.card)]
        ticks = [lambda number: self.words.amount(number / 1000, 0), lambda number: self.words.amount(number, 1)]
        about = self.words.say("chart_name", title=title)
        alternative = Alternative(about, " ".join(self.funnel_sentences(found)))
        return charts.funnel(points, found.limits, float(nation["value"]), alternative, names, ticks), found

    def funnel_sentences(self, found: Funnel) -> list[str]:
        """Whether the regions spread by more than chance, and which lie outside the funnel."""
        words = self.words
        spread = words.amount(found.dispersion, 1)
        told = [words.sentence("funnel_over" if found.overdispersed else "funnel_chance", spread=spread)]
        outside = found.points[found.points["outside"]]
        names = words.listed(map(words.region, outside["region"]))
        return [*told, words.sentence("funnel_outside", regions=names) if names else words.sentence("funnel_none")]

    # -- inequality ----------------------------------------------------------------------------------

    def between_regions(self, children: Mapping[str, float], order: Mapping[str, float]) -> tuple[Table | None, int]:
        """Table of how unequal the regions are; and the number of indicators of which nobody can say.

        Parameters
        ----------
        children : mapping of str to float
            Children of each region, the weights.
        order : mapping of str to float
            What the regions are ordered by, from low to high.
        """
        looks = [look for look in self.looks if look.whole and not look.card.additive and look.card.kind != "change"]
        looks = [look for look in looks if set(look.grid.regions(look.year)) <= set(children)]
        told = [look for look in looks if not look.by_chance or _ranked(look)]
        rows = [self._unequal(look, children, order) for look in told]
        say = self.words.say
        columns = [say(f"unequal_{name}") for name in ("highest", "lowest", "difference", "ratio", "gini", "slope")]
        table = Table(say("unequal_caption"), say("indicator"), columns, rows, stacks=True) if rows else None
        return table, len(looks) - len(told)

    def _unequal(self, look: Findings, children: Mapping[str, float], order: Mapping[str, float]) -> Row:
        frame = look.grid.frame(look.year).sort_values("number", ascending=False, kind="stable")
        high, low = (look.grid.filled(look.year, frame["region"].iloc[at]) for at in (0, -1))
        assert high and low
        words, card = self.words, look.card
        named = [self._with_ties(look, record) for record in (high, low)]
        title = card.title[words.lang]
        if look.by_chance and not _surely_apart(look):
            return Row(title, [*named, words.say("within_chance"), *[NOTHING] * 3])
        # Of a quotient the number before rounding.
        numbers = [record["number"] for record in records_of(look, frame["region"])]
        weights = [children[region] for region in frame["region"]]
        places = [order.get(region, math.nan) for region in frame["region"]]
        index, spread = words.amount(gini(numbers, weights), 3), words.amount(theil(numbers, weights), 3)
        measured = words.say("gini_theil", gini=index, theil=spread)
        slope = self._slope(look, numbers, weights, places)
        if look.card.interval.method == "survey":  # the noise of small samples would count as inequality
            measured = slope = NOTHING
        return Row(title, [*named, *self._apart(look, high, low, picked=True), measured, slope])

    def _with_ties(self, look: Findings, record: Record) -> str:
        """The regions that share a printed value, or their number, with the value."""
        words = self.words
        value = words.marked(look.card, record, unit=False)
        frame = look.grid.frame(look.year)
        tied = list(frame.loc[frame["number"] == float(record["value"]), "region"])
        if len(tied) > MOST_TIED:
            return words.say("tied_regions", count=len(tied), value=value)
        return words.say("item_with_value", item=words.listed(map(words.short_region, tied)), value=value)

    def _apart(self, look: Findings, high: Record, low: Record, picked: bool = False) -> list[str]:
        """Difference and ratio of two figures, with their intervals where both have one.

        Two that were picked as the ends of many have wide ones.
        """
        words, card = self.words, look.card
        one, other = (float(record["value"]) for record in (high, low))
        digits = max(decimals(record["value"]) for record in (high, low))
        apart_by = words.as_difference(card, words.amount(one - other, digits))
        times = words.amount(one / other, RATIO) if other else words.say("no_ratio")
        if not (has_interval(high) and has_interval(low)):
            return [apart_by, times]
        triples = [triple(record, picked) for record in (high, low)]
        apart_by = self._with_span(apart_by, difference(*triples), digits)
        return [apart_by, self._with_span(times, ratio(*triples), RATIO) if other else times]

    def _with_span(self, text: str, span: tuple[float, float], digits: int) -> str:
        """A finished number with its interval behind it."""
        low, high = (self.words.amount(end, digits) if math.isfinite(end) else "∞" for end in span)
        return self.words.say("item_with_value", item=text, value=self.words.say("from_to", low=low, high=high))

    def _slope(self, look: Findings, numbers: list[float], weights: list[float], order: list[float]) -> str:
        """Slope and concentration along the order, where all regions have a place in it."""
        words = self.words
        if any(map(math.isnan, order)):
            return words.say("no_order")
        found = slope_index(numbers, order, weights)
        digits = max(look.card.decimals, 1)
        amounts = {name: words.amount(getattr(found, name), digits) for name in ("difference", "low", "high")}
        index = words.amount(concentration(numbers, order, weights), 2)
        return words.say("slope_with_index", **amounts, index=index)

    def town_and_country(self, splits: Sequence[Findings]) -> Table | None:
        """Table of town against country, for the indicators that have both.

        Parameters
        ----------
        splits : sequence of Findings
            By region, split by settlement.
        """
        rows = []
        for look in splits:
            town, country = (look.grid.filled(look.year, self._where(look), group=one) for one in ("urban", "rural"))
            if town and country and not look.card.additive:
                rows.append(self._settled(look, town, country))
        say = self.words.say
        columns = [say("urban"), say("rural"), say("unequal_difference"), say("unequal_ratio"), say("unequal_judged")]
        return Table(say("settled_caption"), say("indicator"), columns, rows, stacks=True) if rows else None

    def _where(self, look: Findings) -> str:
        both = all(look.grid.filled(look.year, self.region, group=one) for one in ("urban", "rural"))
        return self.region if both else COUNTRY

    def _settled(self, look: Findings, town: Record, country: Record) -> Row:
        words, card = self.words, look.card
        values = [words.marked(card, record, unit=False) for record in (town, country)]
        place = words.short_region(town["region"])
        title = words.say("label_with_value", item=card.title[words.lang], value=place)
        verdict = apart(town, country, card.polarity)
        if not look.by_chance:
            return Row(title, [*values, *self._apart(look, town, country), words.say("counted_in_full")])
        if verdict == "unknown":
            return Row(title, [*values, NOTHING, NOTHING, words.say("verdict_unknown")])
        word = words.say("within_chance" if verdict == "similar" else "beyond_chance")
        return Row(title, [*values, *self._apart(look, town, country), word])


def entrants(words: Words, found: Sequence[Intake], deaths: Record, year: int) -> dict[str, Any]:
    """Sentences, chart, table and assumption about the first-graders of years to come, for the template.

    Parameters
    ----------
    words : Words
    found : sequence of Intake
    deaths : record
        The mortality under five that is taken off.
    year : int
        Year of the brief, from which one and six years are counted.
    """
    say, mark = words.say, words.mark("F")
    labels = [say("intake_of", year=one.year) for one in found]
    pupils = {one.year: words.amount(round(one.pupils, -3), 0) for one in found}
    sentences = [
        words.sentence(f"intake_in_{ahead}", year=one.year, pupils=pupils[one.year], born=one.born)
        for ahead in (1, SCHOOL_AGE)
        for one in found
        if one.year == year + ahead
    ]
    cells = [[words.amount(one.births, 0), str(one.born), f"{pupils[one.year]}\u00a0{mark}"] for one in found]
    spoken_of = [one.year in (year + 1, year + SCHOOL_AGE) for one in found]
    rows = [Row(*row) for row in zip(labels, cells, spoken_of, strict=True)]
    columns = [say("intake_births"), say("intake_born"), say("intake_pupils")]
    title = say("intake_title")
    frame = pd.DataFrame({"label": labels, "number": [one.pupils for one in found], "text": [row[-1] for row in cells]})
    frame = frame.assign(role=["plain" if row.apart else "other" for row in rows], earlier=math.nan)
    return {
        "words": words,
        "title": title,
        "sentences": sentences,
        "svg": charts.bars(frame, Alternative(title, " ".join(sentences))) if len(found) > 1 else "",
        "table": html(Table(title, say("intake_year"), columns, rows)),
        "notes": [say("intake_assumption", rate=words.number(deaths["value"]), age=SCHOOL_AGE, year=deaths["year"])],
    }


def records_of(look: Findings, regions: Iterable[str]) -> list[Record]:
    """Figures of some regions in the year of a look, in their order."""
    found = (look.grid.filled(look.year, region) for region in regions)
    return [record for record in found if record]


def by_region(figures: pd.DataFrame, wanted: int) -> dict[str, float]:
    """Totals of the regions in a year, or else in the latest one before it, of an indicator's best figures."""
    frame = totals(figures[["year", "region", "number", *BASIC_DIMENSIONS]], BASIC_DIMENSIONS)
    frame = frame[(frame["year"] <= wanted) & (frame["region"] != COUNTRY) & frame["number"].notna()]
    frame = frame[frame["year"] == frame["year"].max()]
    return {record["region"]: float(record["number"]) for record in records(frame)}


def _surely_apart(look: Findings) -> bool:
    """Whether at least one region is surely above another."""
    return any(one.first > 1 for one in look.standings.values())


def _ranked(look: Findings) -> bool:
    """Whether every region has a place."""
    return bool(look.standings) and all(one.last for one in look.standings.values())


def _fifths(look: Findings) -> dict[str, int]:
    """Fifth of each region with a value."""
    frame = look.grid.frame(look.year)
    return dict(zip(frame["region"], fifths(frame["number"]), strict=True))
