"""Sentences written from figures: the country, the chosen region, the extremes, the gaps."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from balalar.cards import BASIC_DIMENSIONS, COUNTRY, TOTAL
from balalar.compare import APART, Standing, apart, chance, not_below_the_highest, standings
from balalar.dataset import exponent
from balalar.measures import WHOLE, Grid, Record, borders_changed, broken, change, extremes, moved, rank
from balalar.trends import breaks_of, trend
from balalar.words import Words

MOST_LEADING = 3  # values named on one side among the key findings
MOST_NAMED = 6  # regions named for one value; more are counted
TOLD = 3  # years from which it is told that too few compare for a trend
MOST_ALONE = 4  # regions named that would differ had each been compared alone; more are counted
ENOUGH = 0.8  # share of the regions a table must hold for its extremes to be the country's


class Findings:
    """What a grid of figures says of one year, in one language.

    Parameters
    ----------
    grid : Grid
    year : int
        Year whose figures are current.
    words : Words
    region : str
        Region the brief speaks of; the country where no region was chosen.
    """

    def __init__(self, grid: Grid, year: int, words: Words, region: str = COUNTRY) -> None:
        self.grid, self.year, self.words, self.region = grid, year, words, region
        self.card = grid.card

    def all(self) -> list[str]:
        """All sentences, the most important first; none from figures that are in doubt."""
        if self.card.doubtful:
            return []
        regions = self.compared() if self.by_chance else self.extremes()
        return [*self.own(), *self.nation(), *self.trend(), *self.gap(), *regions, *self.groups(), *self.borders()]

    def lead(self) -> list[str]:
        """The sentences that stand among the key findings."""
        if self.card.doubtful or (self.own() and not self.grid.filled(self.year, self.region)):
            return []
        return [*(self.own() or self.nation()), *self.gap(), *self._leading_regions(), *self.groups()]

    def _leading_regions(self) -> list[str]:
        """The most extreme regions in short; none of counts and sums, which only rank the regions by size.

        Where chance plays a part only what goes beyond it is told.
        """
        if self.card.additive:
            return []
        if self.by_chance:
            # In one, so that no side is cut off.
            told = [*self._verdicts(), *self._not_compared()]
            return [" ".join(told)] if told else []
        frame = self.grid.frame(self.year)
        if self.grid.by != "region" or self.whole:
            return self.extremes()
        nation = self.grid.filled(self.year, COUNTRY)
        if nation is None or len(frame) < 2:
            return []
        sides = self._sides(frame, float(nation["value"]))
        keys = ("regions_given_highest", "regions_given_lowest")
        return [
            self.words.sentence(key, regions=self._named(groups[:MOST_LEADING]))
            for key, groups in zip(keys, sides, strict=True)
            if groups
        ]

    @cached_property
    def by_chance(self) -> bool:
        """Whether the figures' differences may be due to chance."""
        return chance(self.card, self.words.catalogue.codes) == "some"

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Where each region stands in the year; empty where the look is not by region or nobody can say."""
        if self.grid.by != "region" or not self.by_chance or self.card.doubtful:
            return {}
        found = standings(self.grid, self.year, self.whole)
        return found if any(one.verdict != "unknown" for one in found.values()) else {}

    @cached_property
    def whole(self) -> bool:
        """Whether all regions have a value, so that the ends of the table are the country's."""
        return self._complete(list(self.grid.frame(self.year)["region"]))

    def compared(self) -> list[str]:
        """Regions against the country, chance allowed for, and how far the highest stands out."""
        if self.grid.by != "region" or self.grid.frame(self.year).empty:
            return []
        if not self.standings:
            return self._spread()
        return [*self._verdicts(), *self._alone(), *self._top(), *self._not_compared()]

    def _spread(self) -> list[str]:
        """Between what values the regions lie, where nobody can say whether they differ."""
        frame = self.grid.frame(self.year)
        if len(frame) < 2:
            return []
        if self.whole and self.card.additive:
            return []  # large and small regions
        if not self.whole:
            return [self.words.sentence("regions_printed", regions=self._named(self._ordered(frame)))]
        order = frame.sort_values("number")["region"].iloc[[0, -1]]
        low, high = (self.words.marked(self.card, self._value(region), unit=False) for region in order)
        return [self.words.sentence("regions_spread", low=low, high=high)]

    def _verdicts(self) -> list[str]:
        """Regions that differ from the country by more than chance, by how, and how many do not."""
        if not self.standings:
            return []
        frame, found = self.grid.frame(self.year), []
        for verdict in APART:
            named = [code for code, one in self.standings.items() if one.verdict == verdict]
            if named:
                groups = self._ordered(
                    frame[frame["region"].isin(named)], lowest_first=not self.standings[named[0]].above
                )
                found.append(self.words.sentence(f"compared_{verdict}", regions=self._named(groups)))
        alike = sum(one.verdict == "similar" for one in self.standings.values())
        if not found:
            return [self.words.sentence("compared_none", count=alike)]
        return [*found, self.words.sentence("compared_rest", count=alike)] if alike else found

    def _alone(self) -> list[str]:
        """Regions that would differ had each been compared alone."""
        more = any(one.verdict in APART for one in self.standings.values())
        named = [code for code, one in self.standings.items() if one.verdict == "similar" and one.alone != "similar"]
        if not named:
            return []
        if len(named) > MOST_ALONE:
            return [self.words.sentence("compared_alone_count", count=len(named))]
        items = [
            self.words.say(
                "item_above" if self.standings[code].above else "item_below",
                item=self.words.region(code),
                value=self.words.marked(self.card, self._value(code), unit=False),
            )
            for code in named
        ]
        key = "compared_alone_more" if more else "compared_alone"
        return [self.words.sentence(key, regions=self.words.listed(items))]

    def _top(self) -> list[str]:
        """How many regions cannot be told apart from the highest; only where all have an interval."""
        frame = self.grid.frame(self.year)
        highest = frame[frame["number"] == frame["number"].max()]
        alike = not_below_the_highest(self.standings, list(highest["region"]))
        if alike < 0:
            return []
        return [self.words.sentence("top_alike", regions=self._named([highest]), count=alike)]

    def _not_compared(self) -> list[str]:
        left = sum(one.verdict == "unknown" for one in self.standings.values())
        return [self.words.sentence("compared_unknown", count=left)] if left else []

    def _value(self, region: str) -> Record:
        record = self.grid.filled(self.year, region)
        assert record is not None
        return record

    def trend(self) -> list[str]:
        """Whether the series of the country, or of the chosen region, rises or falls by more than chance."""
        if self.grid.by != "year":
            return []
        region = self.region if self.grid.years(self.region, TOTAL, TOTAL) else COUNTRY
        series = [one for year in self.grid.years(region, TOTAL, TOTAL) if (one := self.grid.filled(year, region))]
        series = [one for one in series if one["year"] <= self.year]
        if not series:
            return []
        values = [float(one["value"]) for one in series]
        found = trend([one["year"] for one in series], values, breaks_of(self.card, self.words.catalogue.codes, region))
        if found.direction == "untested" and len(series) < TOLD:
            return []
        years = {"first": found.first, "last": found.last}
        if found.direction in ("none", "untested"):
            return [self.words.sentence(f"trend_{found.direction}", **years, points=found.points)]
        decimals = self.card.decimals
        ends = sorted((abs(found.low), abs(found.high)))
        slope, low, high = (self.words.amount(one, decimals) for one in (abs(found.slope), *ends))
        amounts = {"slope": self.words.as_difference(self.card, slope), "low": low, "high": high}
        return [self.words.sentence(f"trend_{found.direction}", **years, **amounts)]

    def nation(self) -> list[str]:
        """The country's value and how it changed."""
        record = self.grid.filled(self.year, COUNTRY)
        if record is None or (self.region != COUNTRY and self.grid.filled(self.year, self.region)):
            return []
        before = self.grid.before(self.year, COUNTRY)
        spoken = self._spoken(record)
        if before is None or self._broken(before["year"]):
            return [self.words.sentence("nation_value", **spoken)]
        moved = self._compared(record, before)
        if hedge := self._hedge(record, before):
            return [" ".join([self.words.sentence("nation_beside", **spoken, **moved), hedge])]
        return [self.words.sentence(f"nation_{self._direction(record, before)}", **spoken, **moved)]

    def _hedge(self, record: Record, before: Record) -> str:
        """That a change may be due to chance, or that nobody can say; empty where it is sure, or there is none.

        It goes with the change, not by itself, or a page would drop it as said before.
        """
        verdict = apart(record, before, self.card.polarity)
        if not self.by_chance or verdict in APART or self._direction(record, before) == "unchanged":
            return ""
        return self.words.sentence("change_unknown" if verdict == "unknown" else "change_within")

    def own(self) -> list[str]:
        """The chosen region beside the country: value, rank, change."""
        if self.region == COUNTRY or self.grid.by not in ("region", "year"):
            return []
        record = self.grid.filled(self.year, self.region)
        if record is None:
            return self._own_missing()
        spoken = {"region": self.words.region(self.region), "period": self.words.period(self.card, self.year)}
        nation = self.grid.filled(self.year, COUNTRY)
        value = self.words.marked(self.card, record)
        if nation:
            other = self.words.marked(self.card, nation, unit=False)
            found = [self.words.sentence("region_value", **spoken, value=value, nation=other)]
        else:
            found = [self.words.sentence("region_value_only", **spoken, value=value)]
        found += self._own_standing(record) if self.by_chance else self._own_rank()
        before = self.grid.before(self.year, self.region)
        if before and not self._broken(before["year"]) and not self._moved(self.region, before["year"]):
            moved = self._compared(record, before)
            if hedge := self._hedge(record, before):
                found.append(" ".join([self.words.sentence("region_beside", **moved), hedge]))
            else:
                found.append(self.words.sentence(f"region_{self._direction(record, before)}", **moved))
        return found

    def _own_rank(self) -> list[str]:
        place = rank(self.grid.frame(self.year), self.region)
        if not place or place.of < 2:
            return []
        key = "region_rank_tied" if place.tied else "region_rank"
        return [self.words.sentence(key, rank=place.place, total=place.of)]

    def _own_standing(self, record: Record) -> list[str]:
        """The chosen region against the country, chance allowed for, and the places that are open to it."""
        if self.grid.by != "region" or self.card.additive or self.grid.filled(self.year, COUNTRY) is None:
            return []
        one = self.standings.get(self.region)
        if one is None or one.verdict == "unknown":
            return [self.words.sentence("own_unknown", region=self.words.region(self.region))]
        ends = {"low": self.words.like(record, record["low"]), "high": self.words.like(record, record["high"])}
        found = [self.words.sentence(f"own_{one.verdict}", region=self.words.region(self.region), **ends)]
        if one.last:
            places = {"first": one.first, "last": one.last, "total": len(self.standings)}
            found.append(self.words.sentence("region_rank_span", **places))
        return found

    def _own_missing(self) -> list[str]:
        """Why the chosen region has no value: nothing printed, or not yet born."""
        groups = [self.grid.filled(self.year, self.region, TOTAL, group) for group in self.grid.groups(self.year)]
        if self.grid.by != "region" or any(groups):
            return []
        name, first = self.words.region(self.region), self.words.catalogue.codes.regions[self.region].first
        if first and self.year < first:
            return [self.words.sentence("region_unborn", region=name, year=first)]
        return [self.words.sentence("region_missing", region=name, period=self.words.period(self.card, self.year))]

    def extremes(self) -> list[str]:
        """Regions with the highest and the lowest values; only where all regions were printed.

        Where some are missing nobody knows the extremes, so the printed ones are held against the
        country instead, or listed.
        """
        frame = self.grid.frame(self.year)
        if self.grid.by != "region" or len(frame) < 2:
            return []
        if not self.whole:
            return self._against_the_country(frame)
        if frame["number"].nunique() < 2:
            return []
        highest, lowest = extremes(frame)
        if not self.grid.filled(self.year, COUNTRY):
            period = self.words.period(self.card, self.year)
            found = [self.words.sentence("regions_highest_in", period=period, regions=self._named(highest))]
        else:
            found = [self.words.sentence("regions_highest", regions=self._named(highest))]
        # A dash may stand for nothing at all, which would be the lowest.
        if any(record["status"] == "M" and record["year"] == self.year for record in self.grid.records()):
            return found
        return [*found, self.words.sentence("regions_lowest", regions=self._named(lowest))]

    def _complete(self, printed: list[str]) -> bool:
        """Whether all living regions have a value, or all that the printed table has a row for."""
        living = set(self.words.catalogue.codes.living(self.year))
        if living <= set(printed):
            return True
        # A table of roads outside the cities has no rows for the three cities, and is complete.
        regional = [record for record in self._of_the_year() if record["region"] in printed]
        return len(printed) >= ENOUGH * len(living) and all(r["source"].startswith("table") for r in regional)

    def _of_the_year(self) -> list[Record]:
        return [record for record in self.grid.records() if record["year"] == self.year and record["value"] != ""]

    def _against_the_country(self, frame: pd.DataFrame) -> list[str]:
        nation = self.grid.filled(self.year, COUNTRY)
        if nation is None or self.card.additive:
            return [self.words.sentence("regions_printed", regions=self._named(self._ordered(frame)))]
        above, below = self._sides(frame, float(nation["value"]))
        found = [self.words.sentence("regions_above", regions=self._named(above))] if above else []
        return found + ([self.words.sentence("regions_below", regions=self._named(below))] if below else [])

    @staticmethod
    def _ordered(frame: pd.DataFrame, lowest_first: bool = False) -> list[pd.DataFrame]:
        """Groups of equal values, in the order of the values."""
        rows = frame.sort_values("number", ascending=lowest_first, kind="stable")
        return [group for _, group in rows.groupby("number", sort=False)]

    def _sides(self, frame: pd.DataFrame, level: float) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
        """Groups of equal values above and below a level, the most extreme first."""
        groups = self._ordered(frame)
        above = [group for group in groups if group["number"].iloc[0] > level]
        below = [group for group in groups if group["number"].iloc[0] < level]
        return above, below[::-1]

    def gap(self) -> list[str]:
        """Values of the groups side by side, in the country or the chosen region, and how far they are apart."""
        split = self.grid.split or (self.grid.by if self.grid.by in BASIC_DIMENSIONS else "")
        if not split:
            return []
        found: dict[str, Record] = {}
        for code in self.words.catalogue.codes.dimensions[split].items:
            key = (TOTAL, code) if self.grid.split else (code, TOTAL)
            if code != TOTAL and (record := self.grid.filled(self.year, self.region, *key)):
                found[self.words.inline(self.card, split, code)] = record
        if len(found) < 2:
            return []
        place = self.words.region(self.region)
        if not self.grid.filled(self.year, self.region):
            # No sentence before it has named the year.
            place = self.words.say("item_with_value", item=place, value=self.words.heading(self.card, self.year))
        if self.card.kind == "count":
            return [self.words.sentence("groups_listed", place=place, groups=self._with_shares(found))]
        groups = ", ".join(
            self.words.say("label_with_value", item=label, value=self.words.marked(self.card, record, unit=False))
            for label, record in found.items()
        )
        listed = self.words.sentence("groups_listed", place=place, groups=groups)
        if len(found) != 2:
            return [listed]
        one, other = found.values()
        between, verdict = change(one["value"], other["value"]), apart(one, other, self.card.polarity)
        if between.direction == "unchanged" or (self.by_chance and verdict == "unknown"):
            return [listed]
        difference = self.words.difference(self.card, between.value)
        told = self.words.sentence("groups_apart", place=place, groups=groups, difference=difference)
        return [" ".join([told, self.words.sentence("gap_within")]) if verdict == "similar" else told]

    def _with_shares(self, found: dict[str, Record]) -> str:
        """Counts of groups, each with its share where they make up the total."""
        total = self.grid.filled(self.year, self.region)
        whole = float(total["value"]) if total else 0
        parts = sum(float(record["value"]) for record in found.values())
        listed = []
        for label, record in found.items():
            value = self.words.marked(self.card, record, unit=False)
            if whole and abs(parts / whole - 1) < WHOLE:
                share = self.words.share(float(record["value"]) / whole)
                value = self.words.say("item_with_value", item=value, value=share)
            listed.append(self.words.say("label_with_value", item=label, value=value))
        return ", ".join(listed)

    def groups(self) -> list[str]:
        """Largest and smallest group of a dimension, and the largest one's share of the total."""
        if self.grid.by in ("region", "year", *BASIC_DIMENSIONS):
            return []
        dimension = self.words.catalogue.codes.dimensions[self.grid.by]
        items = [item for item in self.grid.items(self.year) if item not in dimension.subtotals]
        values = {item: self.grid.filled(self.year, self._where(), item) for item in items}
        known = {item: record for item, record in values.items() if record}
        if len(known) < 2 or not dimension.ranked:
            return []
        order = sorted(known, key=lambda item: -float(known[item]["value"]))
        if self.by_chance and self.card.interval.method == "none":
            return self._groups_listed(known)
        total = self.grid.filled(self.year, self._where())
        label = self.words.inline(self.card, self.grid.by, order[0])
        value = self.words.marked(self.card, known[order[0]], unit=False)
        whole = float(total["value"]) if total else 0
        parts = sum(float(known[item]["value"]) for item in order)
        if self.card.kind == "count" and total and self._exact(total) and whole >= parts * (1 - WHOLE) > 0:
            share = self.words.share(float(known[order[0]]["value"]) / whole)
            return [self.words.sentence("group_share", item=label, share=share, value=value)]
        last = self.words.inline(self.card, self.grid.by, order[-1])
        least = self.words.marked(self.card, known[order[-1]], unit=False)
        say = self.words.say
        largest, smallest = (
            say("item_with_value", item=label, value=value),
            say("item_with_value", item=last, value=least),
        )
        key = "group_largest" if self.card.additive else "group_highest"
        return [self.words.sentence(key, largest=largest, smallest=smallest)]

    def _groups_listed(self, known: dict[str, Record]) -> list[str]:
        """Values of all groups, where nobody can say whether they differ."""
        codes = list(self.words.catalogue.codes.dimensions[self.grid.by].items)
        groups = self.words.listed(
            self.words.say(
                "label_with_value",
                item=self.words.inline(self.card, self.grid.by, item),
                value=self.words.marked(self.card, record, unit=False),
            )
            for item, record in sorted(known.items(), key=lambda pair: codes.index(pair[0]))
        )
        return [self.words.sentence("groups_listed", place=self.words.region(self._where()), groups=groups)]

    @staticmethod
    def _exact(total: Record) -> bool:
        """Whether a total is printed finely enough for a share of it: «more than 2 million» is not."""
        return bool(10 ** exponent(total["value"]) / 2 < WHOLE * float(total["value"]))

    def partial(self) -> list[str]:
        """How many regions were printed, where not all living ones were."""
        living = self.words.catalogue.codes.living(self.year)
        counted = [r for r in self._of_the_year() if r["region"] != COUNTRY]
        if self.grid.split and set(living) <= {record["region"] for record in counted}:
            # What is looked at are the groups.
            counted = [record for record in counted if record[self.grid.split] != TOTAL] or counted
        printed = {record["region"] for record in counted}
        if self.grid.by != "region" or not printed or set(living) <= printed:
            return []
        table = any(record["source"].startswith("table") for record in counted)
        key = "regions_partial_table" if table else "regions_partial"
        return [self.words.sentence(key, count=len(printed), total=len(living))]

    def borders(self) -> list[str]:
        """Regions whose borders changed since the figures they are shown beside."""
        if self.grid.by not in ("region", "year") or self.year - 1 in self.card.recalculated:
            return []
        years = self.grid.years()
        past = [year for year in years if year < self.year]
        if not past:
            return []
        moved = [region for region in self.grid.regions(self.year) if self._moved(region, past[-1])]
        moved = [region for region in moved if self.grid.before(self.year, region)]
        if self.region != COUNTRY or self.grid.by == "year":
            moved = [region for region in moved if region == self.region]
        if not moved:
            return []
        year = borders_changed(self.words.catalogue.codes, moved[0], self.year, past[-1])
        if len(moved) == 1:
            return [self.words.sentence("borders_changed", region=self.words.region(moved[0]), year=year)]
        names = self.words.listed(map(self.words.region, moved))
        return [self.words.sentence("borders_changed_many", regions=names, year=year)]

    def _where(self) -> str:
        return self.grid.spoken_of(self.region, self.year)

    def _spoken(self, record: Record) -> dict[str, str]:
        return {
            "period": self.words.period(self.card, record["year"]),
            "value": self.words.marked(self.card, record),
        }

    def _compared(self, record: Record, before: Record) -> dict[str, str]:
        moved = change(record["value"], before["value"])
        return {
            "previous_period": self.words.period(self.card, before["year"]),
            "previous_value": self.words.marked(self.card, before, unit=False),
            "difference": self.words.difference(self.card, moved.value),
        }

    @staticmethod
    def _direction(record: Record, before: Record) -> str:
        return change(record["value"], before["value"]).direction

    def _broken(self, before: int) -> bool:
        """Whether the series breaks between an earlier year and the current one."""
        return broken(self.card, self.year, before)

    def _moved(self, region: str, before: int) -> bool:
        return moved(self.card, self.words.catalogue.codes, region, self.year, before)

    def _named(self, groups: list[pd.DataFrame]) -> str:
        named = []
        for group in groups:
            regions = list(group["region"])
            record = self.grid.filled(self.year, regions[0])
            value = self.words.marked(self.card, record, unit=False) if record else ""
            if len(regions) > MOST_NAMED:
                named.append(self.words.say("tied_regions", count=len(regions), value=value))
            else:
                named += [self.words.say("item_with_value", item=self.words.region(r), value=value) for r in regions]
        return self.words.listed(named)
