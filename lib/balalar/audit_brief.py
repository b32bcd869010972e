"""The one object the audit's notebook talks to: each call shows one part of the page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import pandas as pd

from balalar import charts
from balalar.audit.finding import Finding
from balalar.audit.run import Audit, audit
from balalar.brief import Block, Page, report_of
from balalar.charts import Alternative
from balalar.claims import Claim, read_claims
from balalar.coverage import Number, read_numbers
from balalar.dataset import CORRECTION_FIELDS, Dataset, open_dataset
from balalar.errors import RequestError
from balalar.paths import Project, project
from balalar.tables import Row, Table, html, render
from balalar.telling import Teller
from balalar.words import Words

MOST = 10  # findings that are told first
GROUPS: dict[str, Callable[[Finding], bool]] = {
    "tables": lambda finding: finding.place.startswith("table") and finding.certainty != "suspicion",
    "values": lambda finding: finding.place.startswith(("figure", "text")) and finding.certainty != "suspicion",
    "statements": lambda finding: bool(finding.claim) and finding.certainty != "suspicion",
    "doubts": lambda finding: finding.certainty == "suspicion",
}


def open_audit(
    year: int | None = None, lang: str = "kk", region: str | None = None, where: Project | None = None
) -> AuditBrief:
    """Audit the report of a year, to be told in a language.

    Parameters
    ----------
    year : int, optional
        Year of the report; the newest if left out.
    lang : str
        A language of the edition.
    region : str, optional
        Must be left out: a report is audited as a whole.
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
    chosen = report_of(dataset, year, region, "region: a report is audited as a whole; leave the region out")
    claims = read_claims(dataset.catalogue, where)
    return AuditBrief(dataset, claims.get(chosen, []), read_numbers(where).get(chosen, []), chosen, lang)


class AuditBrief(Page):
    """The audit's page in the making; see ``open_audit``."""

    def __init__(self, dataset: Dataset, claims: list[Claim], numbers: list[Number], year: int, lang: str) -> None:
        self.words = Words(dataset.catalogue, lang, "audit", "report_audit")
        self.teller = Teller(self.words, claims)
        self.dataset, self.claims, self.numbers, self.year = dataset, claims, numbers, year
        self._anchored: set[str] = set()

    @cached_property
    def found(self) -> Audit:
        """What the audit found."""
        return audit(self.dataset, {self.year: self.claims})

    @cached_property
    def findings(self) -> list[Finding]:
        """Findings of the report, what matters most first."""
        return [finding for finding in self.found.findings if finding.report == self.year]

    # -- what the notebook calls ---------------------------------------------------------------------

    def header(self) -> Block:
        """Title of the page and what it is for."""
        report = self.words.catalogue.sources.reports[self.year]
        about = self.words.say("audit_about", report=report.title[self.words.lang])
        return self.opening(
            self.words.catalogue.edition.about("audit"), about, self.words.say("audit_title", year=self.year)
        )

    def summary(self) -> Block:
        """How many numbers, how many hold, and what was found, in a minute."""
        return Block(render("audit_summary.html.j2", words=self.words, sentences=self.summary_sentences()))

    def summary_sentences(self) -> list[str]:
        """The sentences of the summary."""
        say, found = self.words.say, self.found
        amount = lambda number: self.words.amount(number, 0)  # noqa: E731
        sure = Counter(finding.certainty for finding in self.findings)
        tests, failed = sum(found.made.values()), sum(found.failed.values())
        sentences = [
            say("summary_figures", figures=amount(found.figures), tested=amount(found.tested), tests=amount(tests),
                held=amount(tests - failed)),
            say("summary_claims", claims=amount(len(found.verdicts)),
                **{state: amount(found.counted(state)) for state in ("consistent", "contradicted", "unchecked")}),
            say("summary_findings", findings=amount(len(self.findings)),
                corrected=amount(sum(bool(one.corrections) for one in self.findings)),
                proposed=amount(sum(bool(one.repair) and not one.corrections for one in self.findings)),
                **{name: amount(sure[name]) for name in ("proven", "assumption", "suspicion")}),
        ]  # fmt: skip
        figures = [number for number in self.numbers if number.sort == "figure"]
        if figures:
            covered = sum(bool(number.covered) for number in figures)
            share = self.words.share(covered / len(figures))
            sentences.append(
                say("summary_coverage", numbers=amount(len(figures)), covered=amount(covered), share=share)
            )
        return sentences

    def most(self) -> Block:
        """The ten findings that matter most, each a link to its account below."""
        tell = self.teller
        points = [
            (one.id, tell.title(one), tell.place(one), tell.subject(one.key).rstrip("."), tell.sentence(one))
            for one in self.findings[:MOST]
        ]
        return Block(render("audit_most.html.j2", words=self.words, points=points))

    def told(self, group: str) -> Block:
        """All findings of a group, in the order of the report.

        Parameters
        ----------
        group : str
            ``tables``, ``values``, ``statements`` or ``doubts``.
        """
        if group not in GROUPS:
            raise RequestError(f"group: there is no {group!r}; there are {', '.join(GROUPS)}")
        chosen = sorted(filter(GROUPS[group], self.findings), key=_in_the_report)
        if not chosen:
            return Block(render("audit_none.html.j2", words=self.words))
        return Block("".join(map(self._told, chosen)))

    def coverage(self) -> Block:
        """Statements by section with their verdicts, and the numbers that nothing covers."""
        say = self.words.say
        by_section: dict[str, Counter[str]] = {}
        for verdict in self.found.verdicts:
            by_section.setdefault(verdict.claim.section, Counter())[verdict.state] += 1
        rows = [
            Row(section, [self.words.amount(number, 0) for number in
                          (sum(states.values()), states["consistent"], states["contradicted"], states["unchecked"])])
            for section, states in sorted(by_section.items())
        ]  # fmt: skip
        columns = [say(f"coverage_{name}") for name in ("claims", "consistent", "contradicted", "unchecked")]
        table = html(Table(say("coverage_caption"), say("coverage_section"), columns, rows)) if rows else ""
        left: dict[str, list[str]] = {}
        for number in self.numbers:
            if number.sort == "figure" and not number.covered:
                text = say("uncovered_number", line=number.line, number=number.printed.replace(" ", "\u00a0"))
                left.setdefault(number.section, []).append(text)
        count = sum(map(len, left.values()))
        return Block(render("audit_coverage.html.j2", words=self.words, table=table, left=left, count=count))

    def method(self) -> Block:
        """What is compared, how often, and how often it does not hold as printed."""
        say, found = self.words.say, self.found
        rows = [
            Row(say(f"rule_{rule}"), [self.words.amount(made, 0), self.words.amount(found.failed.get(rule, 0), 0)])
            for rule, made in sorted(found.made.items(), key=lambda entry: -entry[1])
        ]
        table = html(Table(say("method_caption"), say("method_rule"), [say("method_made"), say("method_failed")], rows))
        samples = [self._samples(codes, regions) for codes, regions in self.found.samples.items() if regions]
        return Block(render("audit_method.html.j2", words=self.words, table=table, samples=samples))

    def _samples(self, codes: tuple[str, ...], regions: Mapping[str, tuple[int, int]]) -> str:
        """The smallest samples that the survey's percentages leave possible, as a table."""
        say, lists = self.words.say, self.words.catalogue.codes.dimensions
        labels = {code: item.root[self.words.lang] for one in lists.values() for code, item in one.items.items()}
        asked = ", ".join(labels[code] for code in codes)
        order = [code for code in self.words.catalogue.codes.regions if code in regions]
        rows = [Row(self.words.short_region(code), [self.words.amount(n, 0) for n in regions[code]]) for code in order]
        return html(Table(say("samples_caption", asked=asked), say("region_column"),
                          [say("samples_smallest"), say("samples_percentages")], rows))  # fmt: skip

    # -- a finding -----------------------------------------------------------------------------------

    def _told(self, finding: Finding) -> str:
        teller = self.teller
        lines, more = teller.lines(finding)
        groups = dict.fromkeys(one.rpartition("-")[0] for one in finding.corrections)
        anchors = [group for group in groups if group not in self._anchored]
        self._anchored |= set(anchors)
        severity, certainty = teller.badges(finding)
        return render(
            "audit_finding.html.j2",
            words=self.words,
            id=finding.id,
            anchors=[anchor(group) for group in anchors],
            title=teller.title(finding),
            place=teller.place(finding),
            subject=teller.subject(finding.key),
            sentence=teller.sentence(finding),
            printed=teller.printed(finding),
            expected=teller.expected(finding),
            expected_label=teller.expected_label(finding),
            sides=teller.sides(finding),
            sides_label=teller.sides_label(finding),
            lines=lines,
            more=more,
            notes=teller.notes(finding),
            severity=severity,
            certainty=certainty,
            severity_class=f"severity-{finding.severity}",
            svg=self._picture(finding),
        )

    def _picture(self, finding: Finding) -> str:
        """A block that slipped, as printed and after its repair, beside what it was compared with."""
        if finding.rule not in ("row_shift", "swapped_lines") or finding.repair is None:
            return ""
        words, card = self.words, self.words.catalogue.cards[finding.key.indicator]
        mended = {change.key.region: change.figure for change in finding.repair.changes}
        printed = {change.figure.key.region: change.figure for change in finding.repair.changes}
        beside = {figure.key.region: figure for figure in finding.against}
        shown = [code for code in words.catalogue.codes.regions if code in mended or code in printed]
        heading = words.heading(card, finding.against[0].key.year)
        names = [words.say("chart_printed"), words.say("chart_mended"), words.say("chart_reference", heading=heading)]
        columns: list[dict[str, object]] = []
        for code in shown:
            row: dict[str, object] = {"label": words.short_region(code), "role": "plain"}
            for name, source in zip(names, (printed, mended, beside), strict=True):
                row[name] = source[code].number if code in source else float("nan")
                row[f"{name} text"] = words.number(source[code].value) if code in source else ""
            columns.append(row)
        subject = self.teller.subject(finding.key)
        alternative = Alternative(words.say("chart_name_finding", subject=subject), self.teller.sentence(finding))
        return charts.dots(pd.DataFrame(columns), names, alternative, lambda number: words.amount(number, 0))


def anchor(group: str) -> str:
    """Anchor of the accepted corrections of one place on the audit's page."""
    return f"corrected-{group}"


def _in_the_report(finding: Finding) -> tuple[object, ...]:
    """Sort key: kind of place, its number, line, id."""
    kind, _, number = finding.place.partition("-")
    chapter, _, rest = number.partition(".")
    return (int(chapter), int(rest or 0), kind, finding.line, finding.id)


def records(found: Audit, teller: Teller) -> Iterable[dict[str, object]]:
    """Findings as flat records, for a file: everything a reader or a program may ask.

    Parameters
    ----------
    found : Audit
    teller : Teller

    Yields
    ------
    dict
        id, place, line, rule, indicator, year, region, codes, printed, expected_low, expected_high, severity,
        certainty, assumption, items, against, repair, corrections, message.
    """
    for finding in found.findings:
        key, span = finding.key, finding.expected
        names = teller.words.catalogue.cards[key.indicator].dimensions
        codes = {name: code for name, code in zip(names, key.codes, strict=False) if code != "total"}
        yield {
            "id": finding.id,
            "place": finding.place,
            "line": finding.line or None,
            "rule": finding.rule,
            "kind": finding.kind,
            "indicator": key.indicator,
            "year": key.year or None,
            "region": key.region,
            "codes": codes,
            "printed": teller.printed(finding),
            "figures": [_cell(figure) for figure in finding.figures],
            "against": [_cell(figure) for figure in finding.against],
            "expected_low": _end(span.low if span else None),
            "expected_high": _end(span.high if span else None),
            "severity": finding.severity,
            "certainty": finding.certainty,
            "assumption": finding.assumption,
            "items": list(finding.items),
            "count": finding.count,
            "repair": _repair(finding),
            "corrections": list(finding.corrections),
            "message": teller.sentence(finding),
        }


def _cell(figure: object) -> dict[str, object]:
    key, value, source = figure.key, figure.value, figure.source  # type: ignore[attr-defined]
    return {"indicator": key.indicator, "year": key.year, "region": key.region, "codes": list(key.codes),
            "value": value, "source": source}  # fmt: skip


def _repair(finding: Finding) -> dict[str, object] | None:
    if finding.repair is None:
        return None
    changes = [
        _cell(change.figure) | {"used_year": change.key.year, "used_region": change.key.region,
                                "used_codes": list(change.key.codes), "used_value": change.value}
        for change in finding.repair.changes
    ]  # fmt: skip
    return {"rule": finding.repair.rule, "confidence": finding.repair.confidence,
            "evidence": list(finding.repair.evidence), "changes": changes}  # fmt: skip


def _end(number: float | None) -> float | None:
    return None if number is None or abs(number) == float("inf") else number


def correction_rows(brief: AuditBrief, name: str) -> str:
    """Rows for ``data/corrections.csv`` that would accept the repair of a finding; nothing is written.

    Parameters
    ----------
    brief : AuditBrief
    name : str
        Id of a finding that has a repair.

    Raises
    ------
    RequestError
        There is no such finding, or it has no repair.
    """
    finding = next((one for one in brief.findings if one.id == name), None)
    if finding is None:
        raise RequestError(f"--repair: there is no finding {name!r}; balalar audit lists them")
    if finding.repair is None:
        raise RequestError(f"--repair: the rules propose no repair for {name}")
    cards = brief.dataset.catalogue.cards
    rows = []
    for number, change in enumerate(finding.repair.changes, 1):
        old, new, report = change.figure.key, change.key, change.figure.report
        names = cards[old.indicator].dimensions
        given, used = (_pairs(names, key.codes) for key in (old, new))
        rows.append(
            {
                "id": f"{report}-{change.figure.source}-{number:02d}", "report": report, "source": change.figure.source,
                "indicator": old.indicator, "year": old.year, "region": old.region, "dims": given,
                "printed": change.figure.value,
                "used_year": new.year if new.year != old.year else "",
                "used_region": new.region if new.region != old.region else "",
                "used_dims": used if used != given else "",
                "used_value": change.value if change.value != change.figure.value else "", "used_status": "",
                "rule": finding.repair.rule, "evidence": " ".join(finding.repair.evidence),
                "confidence": finding.repair.confidence,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(CORRECTION_FIELDS)).to_csv(index=False, lineterminator="\n")


def _pairs(names: Iterable[str], codes: Iterable[str]) -> str:
    return ";".join(f"{name}={code}" for name, code in zip(names, codes, strict=True) if code != "total")


def told(brief: AuditBrief, form: str) -> str:
    """All findings as a text to read, as JSON or as CSV.

    Parameters
    ----------
    brief : AuditBrief
    form : {"text", "json", "csv"}
    """
    found = [record for record in records(brief.found, brief.teller) if str(record["id"]).startswith(f"{brief.year}-")]
    if form == "csv":
        flat = [{name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
                 for name, value in record.items()} for record in found]  # fmt: skip
        return pd.DataFrame(flat).to_csv(index=False, lineterminator="\n")
    if form == "json":
        verdicts = [
            {"id": one.claim.id, "section": one.claim.section, "line": one.claim.line, "kind": one.claim.kind,
             "indicator": one.claim.indicator, "printed": one.claim.printed, "state": one.state, "reason": one.reason,
             "expected_low": _end(one.expected.low if one.expected else None),
             "expected_high": _end(one.expected.high if one.expected else None),
             "figures": [_cell(figure) for figure in one.figures]}
            for one in brief.found.verdicts
        ]  # fmt: skip
        figures = [number for number in brief.numbers if number.sort == "figure"]
        whole = {
            "report": brief.year,
            "figures": brief.found.figures,
            "tested": brief.found.tested,
            "tests": {
                rule: {"made": made, "failed": brief.found.failed.get(rule, 0)}
                for rule, made in brief.found.made.items()
            },
            "prose": {"numbers": len(figures), "covered": sum(bool(number.covered) for number in figures)},
            "findings": found,
            "claims": verdicts,
        }
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    return "\n".join([*brief.summary_sentences(), "", *map(_in_words(brief.teller), brief.findings)]) + "\n"


def _in_words(teller: Teller) -> Callable[[Finding], str]:
    def line(finding: Finding) -> str:
        head = f"{finding.id}: {teller.title(finding)} ({', '.join(teller.badges(finding))})"
        subject = teller.subject(finding.key).rstrip(".")
        body = f"  {teller.place(finding)} · {subject}. {teller.sentence(finding)}"
        return "\n".join([head, body, *(f"  {note}" for note in teller.notes(finding))])

    return line
