"""Which numbers of a report's prose are data or claims, and which are not covered."""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from balalar.cards import Catalogue, read
from balalar.claims import Claim
from balalar.errors import DataError, Fault
from balalar.exchange import write_text
from balalar.ingest import quotes_at, read_text, sections
from balalar.layout import Layout, Table, Text
from balalar.paths import Project
from balalar.traces import looked

Sort = Literal["figure", "base", "year", "date", "age", "reference", "item"]
FIELDS = ("line", "section", "printed", "sort", "covered")
QUOTED = "quote"
WINDOW = 3  # lines over which a claim's number may be broken
NUMBER = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?:,\d+)?(?![\d])|(?<![\d])\d+(?:,\d+)?(?![\d])")
MONTHS = "қаңтар|ақпан|наурыз|сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан"
FIRST, LAST = 1900, 2035
# What stands behind or before a number that measures nothing.
SORTS: tuple[tuple[Sort, str, str], ...] = (
    ("year", r"", r"\s*[-–]?\s*(жыл|ж\.|жж\.|[-–]\s*\d{4})"),
    (
        "base",
        r"",
        r"\s*(мың\s*)?(тірі\s*)?(туған|туылған|бала|адам)\S*(\s*(тірі|тұрғын\S*|балаға))?\s*(шаққанда|жас|азай|\))",
    ),
    ("date", r"", rf"\s*({MONTHS})"),
    ("age", r"", r"\s*([-–]\s*\d+\s*)?[-–]?\s*(ден|дан|тен|тан|ге|ға)?\s*жас"),
    ("age", r"(жас|\d\s*[-–]\s*)$", r"\s*жас"),
    ("reference", r"(№|ДСМ-|-)\s*$", r""),
    ("reference", r"", r"\s*(-|–)?\s*(\d+\s*)?(-?ш[ыі]\s|сынып)"),
    ("item", r"", r"\)\s"),
    ("reference", r"", r"\s*[-–]?\s*(кесте|диаграмма|тарау|бап|баб|сессия|сынып|тармақ|бөлім|бет)"),
    ("reference", r"", r"\.\d"),
    ("reference", r"\d\.$", r""),
    ("item", r"^\s*$", r"\s*[.)]\s"),
)


@dataclass(frozen=True)
class Number:
    """A number of the prose.

    Attributes
    ----------
    line : int
        Line of the received text.
    section : str
    printed : str
    sort : str
        ``figure``, or what else it is: the base of a rate, a year, a date, an age, a reference, an item's number.
    covered : str
        ``quote``, the id of a claim, or empty.
    """

    line: int
    section: str
    printed: str
    sort: Sort
    covered: str


def numbers(report: Path, year: int, claims: Iterable[Claim], catalogue: Catalogue, where: Project) -> list[Number]:
    """List the numbers of a report's prose with what covers them.

    Parameters
    ----------
    report : Path
        Text of the report.
    year : int
    claims : iterable of Claim
        Claims of the report.
    catalogue : Catalogue
    where : Project

    Returns
    -------
    list of Number
        In the order of the text; nothing from tables, headings' numbers among the references.
    """
    text = read_text(report, where)
    spans = _tables(text, year, catalogue, where)
    quoted = set(quotes_at(text, year, catalogue, where))
    wanted = _claimed(claims)
    parts = sorted((start, name) for name, (start, _) in sections(text).items() if "." in name or name in "16")
    starts = [start for start, _ in parts]
    found = []
    for match in NUMBER.finditer(text.text):
        at = match.start()
        if any(start <= at < end for start, end in spans) or at < starts[0]:
            continue
        section = parts[bisect_right(starts, at) - 1][1]
        line = text.line(at)
        covered = QUOTED if at in quoted else _taken(wanted, match[0], line)
        sort: Sort = "figure" if covered else _sort(text, match)
        found.append(Number(line, section, match[0], sort, covered))
    return found


def _tables(text: Text, year: int, catalogue: Catalogue, where: Project) -> list[tuple[int, int]]:
    layouts: dict[str, Layout] = read(dict[str, Layout], where.report(year) / "tables.yml", where)
    return [Table(source, layout, text, year, catalogue).body() for source, layout in layouts.items()]


def _claimed(claims: Iterable[Claim]) -> dict[str, list[tuple[int, str]]]:
    """Lines and ids of the claims by each number they hold."""
    found: dict[str, list[tuple[int, str]]] = {}
    for claim in claims:
        for printed in {claim.printed, claim.low.replace(".", ","), claim.high.replace(".", ",")} - {""}:
            if not claim.spelled or printed != claim.printed:
                found.setdefault(printed.replace(" ", ""), []).append((claim.line, claim.id))
    return found


def _taken(wanted: dict[str, list[tuple[int, str]]], printed: str, line: int) -> str:
    entries = wanted.get(printed.replace(" ", ""), [])
    return next((name for at, name in entries if at <= line < at + WINDOW), "")


def _sort(text: Text, match: re.Match[str]) -> Sort:
    before, after = text.text[max(match.start() - 12, 0) : match.start()], text.text[match.end() : match.end() + 20]
    if text.starts_line(match.start()):
        before = ""
    for sort, ahead, behind in SORTS:
        if ahead == r"^\s*$" and before:
            continue
        if re.search(ahead, before) and re.match(behind, after):
            return sort
    if match[0].isdigit() and FIRST <= int(match[0]) <= LAST:
        return "year"
    if text.starts_line(match.start()) and re.match(r"\s*$", text.line_end(match.end())):
        return "reference"  # a page number stands alone
    return "figure"


def as_csv(found: Iterable[Number]) -> str:
    """Text of the CSV that lists the numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows([one.line, one.section, one.printed, one.sort, one.covered] for one in found)
    return out.getvalue()


def write(found: Iterable[Number], path: Path) -> None:
    """Write the list whole or not at all."""
    write_text(as_csv(found), path)


def read_numbers(where: Project) -> dict[int, list[Number]]:
    """Numbers of each report's prose, as listed in ``data/reports/<year>/numbers.csv``.

    Raises
    ------
    DataError
        A list that can't be read.
    """
    looked("data:reports")
    return {
        int(path.parent.name): list(_read(path, where)) for path in sorted(where.data.glob("reports/*/numbers.csv"))
    }


def _read(path: Path, where: Project) -> Iterator[Number]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            for row in rows:
                yield Number(int(row["line"]), row["section"], row["printed"], row["sort"], row["covered"])  # type: ignore[arg-type]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        rule = f"the numbers of the prose must be a CSV with the columns {','.join(FIELDS)} ({error})"
        raise DataError([Fault(where.name(path), 0, "file", "", rule, "Run balalar coverage again.")]) from None
