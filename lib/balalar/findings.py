"""Sentences written from figures: the country, the chosen region, the extremes, the gaps."""

from __future__ import annotations

import pandas as pd

from balalar.cards import BASIC_DIMENSIONS, COUNTRY, TOTAL
from balalar.dataset import exponent
from balalar.measures import WHOLE, Grid, Record, borders_changed, broken, change, extremes, moved, rank
from balalar.words import Words

MOST_LEADING = 3  # values named on one side among the key findings
MOST_NAMED = 6  # regions named for one value; more are counted
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
        return [*self.own(), *self.nation(), *self.gap(), *self.extremes(), *self.groups(), *self.borders()]

    def lead(self) -> list[str]:
        """The sentences that stand among the key findings."""
        if self.card.doubtful or (self.own() and not self.grid.filled(self.year, self.region)):
            return []
        return [*(self.own() or self.nation()), *self.gap(), *self._leading_regions(), *self.groups()]

    def _leading_regions(self) -> list[str]:
        """The most extreme regions in short; none of counts and sums, which only rank the regions by size."""
        if self.card.kind in ("count", "money"):
            return []
        frame = self.grid.frame(self.year)
        if self.grid.by != "region" or self._complete(list(frame["region"])):
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

    def nation(self) -> list[str]:
        """The country's value and how it changed."""
        record = self.grid.filled(self.year, COUNTRY)
        if record is None or (self.region != COUNTRY and self.grid.filled(self.year, self.region)):
            return []
        before = self.grid.before(self.year, COUNTRY)
        spoken = self._spoken(record)
        if before is None or self._broken(before["year"]):
            return [self.words.sentence("nation_value", **spoken)]
        return [
            self.words.sentence(f"nation_{self._direction(record, before)}", **spoken, **self._compared(record, before))
        ]

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
        place = rank(self.grid.frame(self.year), self.region)
        if place and place.of > 1:
            key = "region_rank_tied" if place.tied else "region_rank"
            found.append(self.words.sentence(key, rank=place.place, total=place.of))
        before = self.grid.before(self.year, self.region)
        if before and not self._broken(before["year"]) and not self._moved(self.region, before["year"]):
            key = f"region_{self._direction(record, before)}"
            found.append(self.words.sentence(key, **self._compared(record, before)))
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
        if not self._complete(list(frame["region"])):
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
        groups = [group for _, group in frame.sort_values("number", ascending=False).groupby("number", sort=False)]
        if nation is None or self.card.kind in ("count", "money"):
            return [self.words.sentence("regions_printed", regions=self._named(groups))]
        above, below = self._sides(frame, float(nation["value"]))
        found = [self.words.sentence("regions_above", regions=self._named(above))] if above else []
        return found + ([self.words.sentence("regions_below", regions=self._named(below))] if below else [])

    @staticmethod
    def _sides(frame: pd.DataFrame, level: float) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
        """Groups of equal values above and below a level, the most extreme first."""
        groups = [group for _, group in frame.sort_values("number", ascending=False).groupby("number", sort=False)]
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
        apart = change(*(record["value"] for record in found.values())) if len(found) == 2 else None
        if apart is None or apart.direction == "unchanged":
            return [self.words.sentence("groups_listed", place=place, groups=groups)]
        difference = self.words.difference(self.card, apart.value)
        return [self.words.sentence("groups_apart", place=place, groups=groups, difference=difference)]

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
        key = "group_largest" if self.card.kind in ("count", "money") else "group_highest"
        return [self.words.sentence(key, largest=largest, smallest=smallest)]

    @staticmethod
    def _exact(total: Record) -> bool:
        """Whether a total is printed finely enough for a share of it: «more than 2 million» is not."""
        return bool(10 ** exponent(total["value"]) / 2 < WHOLE * float(total["value"]))

    def partial(self) -> list[str]:
        """How many regions were printed, where not all living ones were."""
        living = self.words.catalogue.codes.living(self.year)
        counted = [r for r in self._of_the_year() if r["region"] != COUNTRY]
        if self.grid.split:
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
