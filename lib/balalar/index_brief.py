"""The one object the notebook on the Child Well-being Index talks to: each call shows one part of the page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pandas as pd

from balalar import charts
from balalar.audit.finding import Finding
from balalar.audit.run import audit
from balalar.brief import Block, Page, report_of
from balalar.cards import COUNTRY
from balalar.charts import Alternative
from balalar.claims import read_claims
from balalar.compare import fifths
from balalar.dataset import Dataset, agree, open_dataset
from balalar.index import explain
from balalar.paths import Project, project
from balalar.tables import NOTHING, Row, Table, html, render
from balalar.telling import Teller
from balalar.wellbeing import Printed, Recomputed, open_recomputed, printed, rules_tried
from balalar.words import Words

METHOD = ("values", "scores", "means", "doubt", "again")
CLOSE = 0.5  # rank correlation from which two orders are alike, or opposite
PLACES = 2  # decimals of a correlation
POINTS = 1  # decimals of a recomputed score
MIDDLE = 0.5  # share of the replications of the thick line


def open_index(
    year: int | None = None, lang: str = "kk", region: str | None = None, where: Project | None = None
) -> IndexBrief:
    """Open the page on the Child Well-being Index.

    Parameters
    ----------
    year : int, optional
        Year of the report; the newest if left out.
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
    where = where or project()
    dataset = open_dataset(where)
    chosen = report_of(dataset, year, region, "region: the page is about all regions; leave the region out")
    return IndexBrief(dataset, open_recomputed(dataset, where, chosen), where, lang)


class IndexBrief(Page):
    """The page in the making; see ``open_index``."""

    def __init__(self, dataset: Dataset, ours: Recomputed, where: Project, lang: str) -> None:
        self.dataset, self.ours, self.year, self._where = dataset, ours, ours.year, where
        catalogue = dataset.catalogue
        self._chapter = catalogue.edition.about("index")
        self.words = Words(catalogue, lang, "index", self._chapter)
        self.membership, self.spec = ours.membership, ours.spec
        self._card = catalogue.cards[self.membership.indicator]
        self._domains = list(self.membership.domains)
        self._scored = [self.spec.top, *self._domains]
        self._regions = catalogue.codes.living(self.year)
        self._codes = {one.indicator: one.codes for one in self.membership.candidates if one.indicator}

    # -- the first screen ------------------------------------------------------------------------------

    def header(self) -> Block:
        """Title of the page and what it is for."""
        return self.opening(self._chapter, self.words.say("index_about"))

    def summary(self) -> Block:
        """What is printed, what is not, and what our recomputation is worth, in a minute."""
        sentences = [*self._said_printed(), self._said_members(), *self._said_recomputed()]
        return Block(render("audit_summary.html.j2", words=self.words, sentences=sentences))

    def _said_printed(self) -> list[str]:
        say, words = self.words.say, self.words
        whole = self._scores[self._scores["domain"] == self.spec.top]
        nation = whole[(whole["region"] == COUNTRY) & (whole["year"] == self.year)]
        regions = whole[(whole["region"] != COUNTRY) & (whole["year"] == self.year)].sort_values("number")
        sentences = []
        if len(nation):
            score = words.number(nation["value"].iloc[-1])
            sentences.append(
                say("sum_printed", year=self.year, score=score, regions=len(self._regions), count=len(regions))
            )
        if len(regions):
            ends = {"lowest": regions.iloc[0], "highest": regions.iloc[-1]}
            named = {
                end: say("item_with_value", item=words.region(one["region"]), value=words.number(one["value"]))
                for end, one in ends.items()
            }
            sentences.append(say("sum_ends", **named))
        twice = [values for values in self._versions.values() if len(values) > 1]
        differ = sum(not agree(*values[:2]) for values in twice)
        return [*sentences, say("sum_versions", twice=len(twice), differ=differ)]

    def _said_members(self) -> str:
        found = self._printed
        state = [self._state(one) for one in found]
        return self.words.say(
            "sum_members",
            measured=sum(one.candidate.evidence == "measured" for one in found),
            candidates=len(found),
            **{name: state.count(name) for name in ("all", "some", "none")},
        )

    def _said_recomputed(self) -> list[str]:
        say, scores = self.words.say, self.ours.scores
        sure, pairs = self.ours.apart
        first = scores.iloc[0]
        places = {end: int(first[f"rank_{end}"]) for end in ("low", "high")}
        return [
            self.words.say("sum_recomputed", used=len(self.spec.indicators)),
            self._order(),
            say(
                "sum_unsure",
                pairs=pairs,
                sure=sure,
                sure_of=round(100 * self.spec.uncertainty.confidence),
                region=self.words.region(str(scores.index[0])),
                **places,
            ),
        ]

    def _order(self) -> str:
        """How far the two indices put the regions in one order."""
        rho, count = self.ours.correlation(self.spec.top), len(self.ours.compared(self.spec.top))
        if np.isnan(rho):
            return self.words.say("order_none")
        kind = "same" if rho >= CLOSE else ("opposite" if rho <= -CLOSE else "weak")
        return self.words.say(f"order_{kind}", count=count, rho=self.words.amount(rho, PLACES))

    # -- as printed --------------------------------------------------------------------------------------

    @cached_property
    def _scores(self) -> pd.DataFrame:
        """Scores of the index as printed, in the order of the report."""
        return self.ours.official(printed=True)

    @cached_property
    def _versions(self) -> dict[tuple[int, str, str], list[str]]:
        """Printed values of each year, region and domain, one a place of the report."""
        found: dict[tuple[int, str, str], list[str]] = {}
        for one in self._scores.to_dict("records"):
            found.setdefault((one["year"], one["region"], one["domain"]), []).append(one["value"])
        return found

    def printed_scores(self) -> Block:
        """Scores of the country and of the regions as printed, both where two places print them."""
        say, words = self.words.say, self.words
        columns = [self._domain(name) for name in self._scored]
        title = say("printed_title", year=self.year)
        rows = [
            Row(words.short_region(one), self._row(self.year, one), one == COUNTRY) for one in (COUNTRY, *self._regions)
        ]
        rows = [row for row in rows if any(cell != NOTHING for cell in row.cells)]
        table = html(Table(title, say("region"), columns, rows))
        nation = html(Table(say("nation_title"), say("domain"), self._years(), self._nation_rows(), stacks=True))
        return self._part("printed-scores", title, table=table + nation, note=say("printed_note"))

    def _row(self, year: int, region: str) -> list[str]:
        return [self._cell(year, region, name) for name in self._scored]

    def _cell(self, year: int, region: str, domain: str) -> str:
        values = self._versions.get((year, region, domain), [])
        shown = " / ".join(dict.fromkeys(map(self.words.number, values))) or NOTHING
        return f"{shown} ≠" if len(values) > 1 and not agree(*values[:2]) else shown

    def _years(self) -> list[str]:
        return [str(self.year - 1), str(self.year), self.words.say("nation_change")]

    def _nation_rows(self) -> list[Row]:
        rows = []
        for domain in self._scored:
            cells = [self._cell(year, COUNTRY, domain) for year in (self.year - 1, self.year)]
            rows.append(Row(self._domain(domain), [*cells, self._changes(domain)]))
        return rows

    def _changes(self, domain: str) -> str:
        """Change by each place of the report that prints both years."""
        own = self._scores[(self._scores["region"] == COUNTRY) & (self._scores["domain"] == domain)]
        wide = own.pivot(index="source", columns="year", values="number").reindex(columns=[self.year - 1, self.year])
        changes = (wide[self.year] - wide[self.year - 1]).dropna().reindex(own["source"].unique()).dropna()
        return " / ".join(dict.fromkeys(self._signed(change) for change in changes)) or NOTHING

    def _signed(self, change: float) -> str:
        text = self.words.amount(change, 2)
        return f"+{text}" if change > 0 else text

    def doubts(self) -> Block:
        """What the audit found in the printed scores."""
        claims = read_claims(self.dataset.catalogue, self._where).get(self.year, [])
        claims = [one for one in claims if self._about(one.indicator)]
        teller = Teller(Words(self.dataset.catalogue, self.words.lang, "audit", "report_audit"), claims)
        # The scores relate to nothing else, so the audit need not read the rest of the report again.
        own = self.dataset.only([one for one in self.dataset.catalogue.cards if self._about(one)])
        found = audit(own, {self.year: claims}).findings
        points = [_finding(teller, one) for one in found if one.report == self.year]
        say = self.words.say
        note = say("doubts_note") if points else say("doubts_none")
        return self._part("doubts", say("doubts_title"), points=points, note=note)

    def _about(self, indicator: str) -> bool:
        """Whether an indicator is the index, its change, or its count of regions."""
        return indicator.startswith(self._card.id)

    # -- recomputed --------------------------------------------------------------------------------------

    @cached_property
    def _printed(self) -> list[Printed]:
        return printed(self.dataset, self.membership, self.year)

    def composition(self) -> Block:
        """Which figures the recomputation holds, and how they count."""
        say = self.words.say
        used = [one for one in self._printed if one.candidate.indicator in self.spec.indicators]
        rows = [self._used_row(one) for one in used]
        columns = [say("domain"), say("used_polarity"), say("used_regions"), say("used_error")]
        title = say("used_title", used=len(used))
        table = html(Table(title, say("figure_name"), columns, rows, stacks=True))
        counts = {name: sum(one.candidate.domain == name for one in used) for name in self._domains}
        items = self._listed(say("counted", name=self._domain(name), count=count) for name, count in counts.items())
        places = self.membership.domains[self._domains[0]].indicators
        sentences = [say("used_domains", places=places, items=items)]
        return self._part("composition", title, sentences, warning=say("not_official"), table=table, folded=True)

    def _used_row(self, one: Printed) -> Row:
        say, name = self.words.say, str(one.candidate.indicator)
        indicator = self.spec.indicators[name]
        law = indicator.error[0].method if indicator.error else "rounding"
        inputs = self.ours.inputs
        sized = inputs[inputs["indicator"] == name][["base", "sample"]].notna().any(axis=1).sum()
        cells = [
            self._domain(one.candidate.domain),
            say(f"polarity_{indicator.polarity}"),
            self.words.amount(one.regions, 0),
            say(f"error_{law}", count=sized),
        ]
        return Row(self._figure(name), cells)

    def map(self) -> Block:
        """Tile map of the recomputed scores."""
        say, codes, scores = self.words.say, self.dataset.catalogue.codes, self.ours.scores["score"]
        fifth = fifths(scores)
        rows = []
        for region in self._regions:
            tile = codes.regions[region].tile
            if tile is None or region not in scores:
                continue
            text = self._points(scores[region])
            place = {"row": tile.row, "column": tile.column, "face": str(fifth[region]), "chosen": False}
            rows.append({"label": tile.name[self.words.lang], "text": text, **place})
        title = say("map_title", year=self.year)
        about = "; ".join(f"{row['label']}: {row['text']}" for row in rows)
        svg = charts.tiles(pd.DataFrame(rows), Alternative(say("chart_name", title=title), about))
        return self._part("map", title, svg=svg, subtitle=say("score"), note=say("map_note"))

    def scores(self) -> Block:
        """Recomputed scores and places with their intervals."""
        say, table = self.words.say, self.ours.scores
        middle = self.ours.drawn.intervals(confidence=MIDDLE).droplevel("year").reindex(table.index)
        rows = pd.DataFrame(
            {
                "label": [self.words.short_region(str(region)) for region in table.index],
                "number": table["score"].to_numpy(),
                "text": [self._points(score) for score in table["score"]],
                "role": "other",
                "verdict": "",
                "low": middle["low"].to_numpy(),
                "high": middle["high"].to_numpy(),
                "lowest": table["low"].to_numpy(),
                "highest": table["high"].to_numpy(),
            }
        )
        title = say("scores_title")
        lines = [
            Row(label, [text, self._range(low, high), str(int(rank)), self._range(first, last, 0)])
            for label, text, low, high, rank, first, last in zip(
                rows["label"], rows["text"], rows["lowest"], rows["highest"],
                table["rank"], table["rank_low"], table["rank_high"], strict=True,
            )
        ]  # fmt: skip
        columns = [say(name) for name in ("score", "score_interval", "place", "place_interval")]
        about = "; ".join(f"{line.label}: {line.cells[0]} ({line.cells[1]})" for line in lines)
        svg = charts.intervals(rows, Alternative(say("chart_name", title=title), about))
        shown = html(Table(title, say("region"), columns, lines))
        return self._part(
            "scores", title, svg=svg, subtitle=say("scores_subtitle"), table=shown, note=say("scores_note")
        )

    # -- both side by side ---------------------------------------------------------------------------------

    def compared(self) -> Block:
        """Printed and recomputed overall scores, their agreement by domain, and why they differ."""
        say, table = self.words.say, self.ours.compared(self.spec.top)
        lines = [
            Row(
                self.words.short_region(str(region)),
                [
                    self.words.number(one["value"]),
                    self._points(one["recomputed"]),
                    f"{one['printed_rank']} → {one['recomputed_rank']}",
                ],
            )
            for region, one in table.iterrows()
        ]
        columns = [say(f"compared_{name}") for name in ("printed", "recomputed", "places")]
        shown = html(Table(say("compared_title"), say("region"), columns, lines, stacks=True))
        agreement = [
            Row(self._domain(name), [str(len(self.ours.compared(name))), self._correlation(name)])
            for name in self._scored
        ]
        columns = [say("domains_count"), say("domains_rho")]
        shown += html(Table(say("domains_title"), say("domain"), columns, agreement, stacks=True))
        survey = [one for one in self._printed if one.candidate.kind == "survey"]
        used = sum(one.candidate.indicator in self.spec.indicators for one in survey)
        why = say("compared_why", used=len(self.spec.indicators), survey=used, survey_all=self.membership.total.survey)
        sentences = [self._order(), self._farthest(table), why]
        return self._part(
            "compared-scores", say("compared_title"), sentences=sentences, table=shown, note=say("compared_among")
        )

    def _correlation(self, domain: str) -> str:
        rho = self.ours.correlation(domain)
        return NOTHING if np.isnan(rho) else self.words.amount(rho, PLACES)

    def _farthest(self, table: pd.DataFrame) -> str:
        """The region whose places differ most, and the figures that make its recomputed score."""
        region = str(table["moved"].abs().idxmax())
        own = explain.strengths(self.ours.index, region, self.year)
        weigh = self.ours.overall.reindex(own.index) * own["ahead"]
        ends = {"weak": self._figure(str(weigh.idxmin())), "strong": self._figure(str(weigh.idxmax()))}
        return self.words.say("compared_most", region=self.words.region(region), **ends)

    def rebuilt(self) -> Block:
        """Which plausible rules come nearest to the printed scores of the domains."""
        say, found = self.words.say, self.ours.rebuilt
        best = found.drop_duplicates("group")
        best = best.set_index("group").reindex([name for name in self._domains if name in set(best["group"])])
        lines = [
            Row(
                self._domain(str(domain)),
                [
                    say("out_of", part=one["matched"], whole=one["compared"]),
                    self._rules(one),
                    self.words.amount(one["mean"], POINTS),
                ],
            )
            for domain, one in best.iterrows()
        ]
        items = self._listed(
            say("rebuilt_item", name=self._domain(str(domain)), matched=one["matched"], compared=one["compared"])
            for domain, one in best.iterrows()
        )
        columns = [say("rebuilt_met"), say("rebuilt_rule"), say("rebuilt_miss")]
        title = say("rebuilt_title")
        shown = html(Table(title, say("domain"), columns, lines, stacks=True))
        sentences = [say("rebuilt_words", tried=rules_tried(found), items=items)]
        return self._part("rebuilt", title, sentences=sentences, table=shown)

    def _rules(self, one: pd.Series) -> str:
        say = self.words.say
        named = {"normalise": say(f"rule_{one['normalise']}"), "gaps": say(f"rule_{one['impute']}")}
        named["mean"] = say(f"rule_{one['aggregate']}")
        if one["goalposts"]:
            return say("rule_set", posts=say(f"rule_{one['goalposts']}"), **named)
        return say("rule_set_plain", **named)

    # -- how sure ------------------------------------------------------------------------------------------

    def zones(self) -> Block:
        """Probability of each zone, region by region."""
        say, table = self.words.say, self.ours.scores
        names = {zone.id: say(f"zone_{zone.id}") for zone in self.spec.zones}
        shares = table[[f"zone_{zone}" for zone in names]].set_axis(list(names.values()), axis=1) * 100
        rows = shares.assign(label=[self.words.short_region(str(one)) for one in table.index], role="plain")
        for name in names.values():
            rows[f"{name} text"] = [self.words.amount(share, 0) for share in shares[name]]
        sure = int((shares.max(axis=1) >= 100 * self.spec.uncertainty.confidence).sum())
        wanted = round(100 * self.spec.uncertainty.confidence)
        sentences = [say("zones_words", sure=sure, sure_of=wanted, regions=len(table))]
        title = say("zones_title")
        lines = [
            Row(row["label"], [self.words.percent(row[f"{name} text"]) for name in names.values()])
            for row in rows.to_dict("records")
        ]
        about = "; ".join(f"{line.label}: {', '.join(line.cells)}" for line in lines)
        svg = charts.stacked(
            rows.reset_index(drop=True),
            list(names.values()),
            Alternative(say("chart_name", title=title), about),
            lambda number: self.words.amount(number, 0),
        )
        shown = html(Table(title, say("region"), list(names.values()), lines))
        return self._part("zones", title, sentences, svg=svg, subtitle=say("zones_subtitle"), table=shown)

    def sensitivity(self) -> Block:
        """Which uncertainty moves the places most: Sobol indices of the mean shift in places."""
        say, found = self.words.say, self.ours.sensitivity
        found = found[found["region"] == ""].sort_values("total", ascending=False, kind="stable")
        percent = {name: found[name] * 100 for name in found.columns if name.startswith(("first", "total"))}
        labels = [say(f"factor_{name}") for name in found["factor"]]
        lines = [
            Row(label, [self._bounds(percent, "first", at), self._bounds(percent, "total", at)])
            for label, at in zip(labels, found.index, strict=True)
        ]
        rows = pd.DataFrame(
            {
                "label": labels,
                "number": percent["total"].to_numpy(),
                "text": [self.words.amount(number, 0) for number in percent["total"]],
                "role": "plain",
                "earlier": np.nan,
            }
        )
        title = say("sensitivity_title")
        about = "; ".join(f"{line.label}: {line.cells[1]}" for line in lines)
        svg = charts.bars(rows, Alternative(say("chart_name", title=title), about))
        shown = html(Table(title, say("factor"), [say("sensitivity_first"), say("sensitivity_total")], lines))
        sentences = [say("sensitivity_words", factor=labels[0])]
        subtitle, note = say("sensitivity_subtitle"), say("sensitivity_note")
        return self._part("sensitivity", title, sentences, svg=svg, table=shown, subtitle=subtitle, note=note)

    def _bounds(self, percent: dict[str, pd.Series], name: str, at: int) -> str:
        ends = {end: self.words.amount(percent[f"{name}_{end}"][at], 0) for end in ("low", "high")}
        return self.words.say("value_between", value=self.words.amount(percent[name][at], 0), **ends)

    # -- why -------------------------------------------------------------------------------------------------

    def contributions(self) -> Block:
        """What each domain brings to the score of a region, and its strongest and weakest figure."""
        say, scores = self.words.say, self.ours.scores
        parts = self.ours.contributions.reindex(scores.index)
        names = {domain: self._domain(domain) for domain in self._domains}
        rows = parts[self._domains].rename(columns=names)
        rows = rows.assign(label=[self.words.short_region(str(one)) for one in rows.index], role="plain")
        for name in names.values():
            rows[f"{name} text"] = [self._points(number) for number in rows[name]]
        lines = [
            Row(
                row["label"],
                [self._points(score), *(row[f"{name} text"] for name in names.values()), *self._ends(str(region))],
            )
            for region, row, score in zip(rows.index, rows.to_dict("records"), scores["score"], strict=True)
        ]
        title = say("contributions_title")
        about = "; ".join(f"{line.label}: {', '.join(line.cells[:5])}" for line in lines)
        alternative = Alternative(say("chart_name", title=title), about)
        ticks = lambda number: self.words.amount(number, 0)  # noqa: E731
        svg = charts.stacked(rows.reset_index(drop=True), list(names.values()), alternative, ticks)
        columns = [say("score"), *names.values(), say("strongest"), say("weakest")]
        shown = html(Table(title, say("region"), columns, lines, stacks=True))
        subtitle, note = say("contributions_subtitle"), say("contributions_note")
        return self._part("domain-contributions", title, svg=svg, table=shown, subtitle=subtitle, note=note)

    def _ends(self, region: str) -> list[str]:
        """Strongest and weakest figure of a region, with its place."""
        own = explain.strengths(self.ours.index, region, self.year)
        return [
            self.words.say("with_places", name=self._figure(str(name)), rank=int(one["rank"]), of=int(one["of"]))
            for name, one in own.iloc[[0, -1]].iterrows()
        ]

    def ways(self) -> Block:
        """The cheapest way of each region to the next zone."""
        say = self.words.say
        lines = [
            Row(self.words.short_region(str(region)), [self._points(score), *self._way(str(region), float(score))])
            for region, score in self.ours.scores["score"].items()
        ]
        title = say("ways_title")
        columns = [say("score"), say("ways_aim"), say("ways_steps")]
        shown = html(Table(title, say("region"), columns, lines, stacks=True))
        return self._part("ways", title, table=shown, note=say("ways_note"), folded=True)

    def _way(self, region: str, score: float) -> list[str]:
        """The next zone of a region, and the figures that lift it there."""
        say = self.words.say
        above = [zone for zone in self.spec.zones if zone.since > score]
        if not above:
            return [say("ways_none"), NOTHING]
        zone = min(above, key=lambda one: one.since)
        steps = explain.cheapest(self.ours.index, region, self.year, zone.since)
        aim = say("aim", zone=say(f"zone_{zone.id}"), points=self.words.amount(zone.since, 0))
        return [
            aim,
            self._listed(
                say("way", name=self._figure(str(name)), share=self._percent(closed))
                for name, closed in steps["closed"].items()
            ),
        ]

    # -- members and method ------------------------------------------------------------------------------------

    def members(self) -> Block:
        """The figures that may be among the 56, by domain."""
        say = self.words.say
        domains = []
        for domain, count in self.membership.domains.items():
            own = [one for one in self._printed if one.candidate.domain == domain]
            stated = "members_stated" if count.survey is not None else "members_unstated"
            title = say("members_domain", name=self._domain(domain), places=count.indicators, candidates=len(own))
            named = ("kind", "source", "printed", "evidence", "used")
            columns = [say("used_polarity"), *(say(f"member_{name}", year=self.year) for name in named)]
            table = html(Table(title, say("figure_name"), columns, [self._member_row(one) for one in own], stacks=True))
            domains.append((title, say(stated, statistical=count.statistical, survey=count.survey), table))
        return Block(render("members.html.j2", words=self.words, about=say("members_words"), domains=domains))

    def _member_row(self, one: Printed) -> Row:
        say, candidate = self.words.say, one.candidate
        card = self.dataset.catalogue.cards[candidate.indicator] if candidate.indicator else None
        cells = [
            say(f"polarity_{card.polarity}") if card else NOTHING,
            say(f"kind_{candidate.kind}"),
            self.words.place(candidate.source),
            say(f"printed_{self._state(one)}", count=one.regions, regions=len(self._regions)),
            say(f"evidence_{candidate.evidence}"),
            say("used_yes" if candidate.indicator in self.spec.indicators else "used_no"),
        ]
        title = candidate.title or (card.title if card else None)
        assert title is not None
        return Row(title[self.words.lang], cells)

    def _state(self, one: Printed) -> str:
        if one.regions == len(self._regions):
            return "all"
        return "some" if one.regions else "none"

    def method(self) -> Block:
        """How the recomputation is made, and how far its figures go together."""
        doubt = self.spec.uncertainty
        spread = self.words.percent(self.words.amount(100 * doubt.weights.spread if doubt.weights else 0, 0))
        amounts = {"replications": self.words.amount(doubt.replications, 0), "spread": spread, "year": self.year}
        said = [
            (self.words.say(f"method_{name}_title"), self.words.say(f"method_{name}", **amounts)) for name in METHOD
        ]
        return Block(render("principles.html.j2", principles=said))

    def coherence(self) -> Block:
        """How each figure goes with its own domain and with the others."""
        say, found = self.words.say, explain.coherence(self.ours.index)
        lines = []
        for name, one in found.iterrows():
            own, other = (
                NOTHING if np.isnan(one[key]) else self.words.amount(one[key], PLACES) for key in ("own", "other")
            )
            if one["other_group"]:
                other = say("item_with_value", item=other, value=self._domain(one["other_group"]))
            lines.append(
                Row(self._figure(str(name)), [own, other, say(f"flag_{one['flag']}") if one["flag"] else NOTHING])
            )
        alphas = self._listed(
            say("item_with_value", item=self._domain(str(group)), value=self.words.amount(number, PLACES))
            for group, number in explain.reliability(self.ours.index).dropna().items()
        )
        columns = [say("coherence_own"), say("coherence_other"), say("coherence_flag")]
        shown = html(Table(say("coherence_title"), say("figure_name"), columns, lines, stacks=True))
        note = say("coherence_note", alphas=alphas)
        return self._part("coherence", say("coherence_title"), table=shown, note=note, folded=True)

    # -- words -------------------------------------------------------------------------------------------------

    def _part(
        self, name: str, title: str, sentences: Iterable[str] = (), *, svg: str = "", table: str = "", note: str = "",
        subtitle: str = "", warning: str = "", points: Iterable[str] = (), folded: bool = False,
    ) -> Block:  # fmt: skip
        """A part of the page: words, a chart, a table, a note."""
        return Block(
            render(
                "part.html.j2", words=self.words, id=name, title=title, sentences=list(sentences), svg=svg, table=table,
                note=note, subtitle=subtitle, warning=warning, points=list(points),
                folded=folded,
            )
        )  # fmt: skip

    def _domain(self, code: str) -> str:
        return self.words.item(self._card, self.membership.dimension, code)

    def _figure(self, name: str) -> str:
        """Title of a figure as the recomputation takes it."""
        card = self.dataset.catalogue.cards[name]
        title, codes = card.title[self.words.lang], self._codes.get(name, {})
        if self.spec.indicators[name].denominator:
            title = self.words.say("per_base", title=title)
        inline = ", ".join(self.words.inline(card, dimension, code) for dimension, code in codes.items())
        return self.words.say("title_of", title=title, codes=inline) if inline else title

    def _points(self, score: float) -> str:
        return self.words.amount(score, POINTS)

    def _percent(self, share: float) -> str:
        return self.words.percent(self.words.amount(share * 100, 0))

    def _range(self, low: float, high: float, decimals: int = POINTS) -> str:
        return self.words.say("range", low=self.words.amount(low, decimals), high=self.words.amount(high, decimals))

    def _listed(self, items: Iterable[str]) -> str:
        return "; ".join(items)


def _finding(teller: Teller, one: Finding) -> str:
    """A finding of the audit in a paragraph; the figures of a whole column stand above it."""
    subject = teller.subject(one.key).rstrip(".")
    sentence = "" if one.kind == "column" else f" {teller.sentence(one)}"
    return f"{teller.title(one)} · {teller.place(one)}. {subject}.{sentence}"
