"""Read the text of a printed report into observations, as declared in ``data/reports/<year>``.

What a table holds is declared in ``tables.yml``; what the prose quotes, in ``quotes/*.csv``.
Either the whole report is read or nothing is written.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from balalar.atomic import mend, put, workplace
from balalar.cards import BASIC_DIMENSIONS, TOTAL, Card, Catalogue, read
from balalar.errors import DataError, Fault
from balalar.layout import Layout, Observation, Table, Text
from balalar.paths import Project

CONTEXT = 120  # characters around a quoted number in which its context stands


def ingest(report: Path, year: int, catalogue: Catalogue, where: Project) -> dict[str, str]:
    """Read a report's text into the CSVs of its observations.

    Parameters
    ----------
    report : Path
        Text of the report, UTF-8.
    year : int
        Year of the report; ``data/reports/<year>`` declares what it holds.
    catalogue : Catalogue
        Cards, codes and sources.
    where : Project
        Project whose observations of other reports are kept.

    Returns
    -------
    dict of str to str
        Text of the CSV of each indicator, by its id. Nothing is written.

    Raises
    ------
    DataError
        The text does not hold what is declared; all faults at once.
    """
    mend(where.data)  # before other reports' rows are read
    text = read_text(report, where)
    folder = where.report(year)
    layouts: dict[str, Layout] = read(dict[str, Layout], folder / "tables.yml", where)
    faults: list[Fault] = []
    observations: list[Observation] = []
    for source, layout in layouts.items():
        try:
            observations += Table(source, layout, text, year, catalogue).observations()
        except DataError as error:
            faults += error.faults
    for path in sorted((folder / "quotes").glob("*.csv")):
        found, wrong = _quotes(path, text, year, catalogue, where)
        observations += found
        faults += wrong
    if faults:
        raise DataError(faults)
    return _as_csv(observations, year, catalogue, where)


def write(files: dict[str, str], folder: Path) -> None:
    """Put the CSVs in place, all at once or none.

    Parameters
    ----------
    files : dict of str to str
        Text of the CSV of each indicator, by its id.
    folder : Path
        Folder of the observations; made if it is not there. Its other files stay.
    """
    folder = folder.resolve()
    with workplace(folder) as aside:
        fresh = aside / "fresh"
        if folder.exists():
            shutil.copytree(folder, fresh)
        fresh.mkdir(exist_ok=True)
        for indicator, content in files.items():
            (fresh / f"{indicator}.csv").write_text(content, encoding="utf-8", newline="")
        put(fresh, folder)


def read_text(report: Path, where: Project) -> Text:
    """Normalised text of a report; a fault if it can't be read."""
    try:
        return Text(report.read_text(encoding="utf-8"), where.name(report))
    except (OSError, UnicodeDecodeError) as error:
        rule = f"the report must be a readable text file in UTF-8 ({error})"
        raise DataError([Fault(str(report), 0, "file", "", rule, "Give the path of the report's text.")]) from None


def sections(text: Text) -> dict[str, tuple[int, int]]:
    """Stretch of each numbered section and of each chapter's remaining text."""
    headings = [
        (match[1], match.start())
        for match in re.finditer(r"(\d\.\d)\.? (?=«?[А-ЯӘҒҚҢӨҰҮҺІ]{2})", text.text)
        if text.starts_line(match.start())
    ]
    # The last heading of a chapter counts: the first stands in the table of contents.
    chapters = {match[1]: match.start() for match in re.finditer(r"(\d)-ТАРАУ", text.text)}
    numbered = {name[0] for name, _ in headings}
    stops = sorted([*(at for _, at in headings), *(at for name, at in chapters.items() if name not in numbered)])
    stops.append(len(text.text))

    def until_next(start: int) -> tuple[int, int]:
        return start, stops[bisect_right(stops, start)]

    found = {name: until_next(start) for name, start in headings}
    for chapter in numbered:
        inside = [span for name, span in found.items() if name[0] == chapter]
        found[chapter] = (min(span[0] for span in inside), max(span[1] for span in inside))
    # A chapter without numbered sections is one stretch.
    return found | {name: until_next(at) for name, at in chapters.items() if name not in numbered}


QUOTE_FIELDS = (
    "source",
    "indicator",
    "year",
    "region",
    "sex",
    "settlement",
    "dims",
    "printed",
    "scale",
    "status",
    "near",
)


def _quotes(
    path: Path, text: Text, report: int, catalogue: Catalogue, where: Project
) -> tuple[list[Observation], list[Fault]]:
    """Observations that the prose quotes, each found again in its section of the text."""
    name = where.name(path)
    observations: list[Observation] = []
    faults: list[Fault] = []
    stretches = sections(text)
    places = catalogue.sources.reports[report].places
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != QUOTE_FIELDS:
            rule = f"the columns must be {', '.join(QUOTE_FIELDS)}"
            return [], [Fault(name, 1, "header", ",".join(rows.fieldnames or ()), rule, "Mend the header.")]
        for line, row in enumerate(rows, 2):
            wrong = _quote_fault(row, stretches, places, text, catalogue)
            if wrong:
                # A fault of the declaration has no file yet; one of the text has.
                faults.append(wrong if wrong.file else replace(wrong, file=name, line=line))
            else:
                observations.append(_quoted(row, report, catalogue.cards[row["indicator"]]))
    return observations, faults


def _quote_fault(
    row: dict[str, str], stretches: dict[str, tuple[int, int]], places: Any, text: Text, catalogue: Catalogue
) -> Fault | None:
    """Tell what is wrong with a quote: its declaration, or that the text does not hold it."""
    declared = "declare it, or mend the row"
    if row["indicator"] not in catalogue.cards:
        return Fault("", 0, "indicator", row["indicator"], "an indicator must have a card", f"Please {declared}.")
    if row["source"] not in places:
        return Fault("", 0, "source", row["source"], "a source must stand in sources.yml", f"Please {declared}.")
    given = _dims(row)
    if unknown := sorted(
        name
        for name, code in given.items()
        if name not in catalogue.cards[row["indicator"]].dimensions and code != TOTAL
    ):
        return Fault("", 0, "dims", ", ".join(unknown), "the card must have this dimension", f"Please {declared}.")
    section = places[row["source"]].section
    start, end = stretches.get(section, (0, 0))
    if _quote_at(row, text, start, end) is not None:
        return None
    if not end:
        rule = "the heading of the section is expected; the text has none"
        return Fault(text.name, 0, f"section {section}", "", rule, "Compare the text with the printed report.")
    rule = f"«{row['printed']}» is expected within {CONTEXT} characters of «{row['near']}»"
    rule += f" (section {section}, lines {text.line(start)}–{text.line(end)})"
    remedy = "Compare the section with the printed report."
    return Fault(text.name, text.line(start), row["source"], "", rule, remedy)


def _quote_at(row: dict[str, str], text: Text, start: int, end: int, taken: Collection[int] = ()) -> int | None:
    """Position of a quoted number: of those in its section, the nearest to the words it stands near.

    The same number may be quoted for several regions; one that is not taken yet comes first.
    """
    best: tuple[bool, int, int] | None = None
    for match in _as_printed(row["printed"]).finditer(text.text[start:end]):
        at = start + match.start()
        first = max(at - CONTEXT, start)
        around = text.text[first : at + len(match[0]) + CONTEXT]
        apart = [abs(first + near.start() - at) for near in re.finditer(re.escape(row["near"]), around)]
        if apart:
            found = at in taken, min(apart), at
            best = min(best, found) if best else found
    return best[2] if best else None


def quotes_at(text: Text, report: int, catalogue: Catalogue, where: Project) -> Iterator[int]:
    """Positions in the text of all quoted numbers.

    Parameters
    ----------
    text : Text
    report : int
    catalogue : Catalogue
    where : Project
    """
    stretches = sections(text)
    places = catalogue.sources.reports[report].places
    taken: set[int] = set()
    for path in sorted((where.report(report) / "quotes").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                at = _quote_at(row, text, *stretches.get(places[row["source"]].section, (0, 0)), taken)
                if at is not None:
                    taken.add(at)
                    yield at


def _as_printed(number: str) -> re.Pattern[str]:
    """A number as printed, and no part of a longer one: neither the 264 nor the 142 of 142 264."""
    number = " ".join(number.split())
    before = r"(?<!\d )" if re.match(r"\d{3}(?!\d)", number) else ""
    after = r"(?! \d{3}(?!\d))" if re.fullmatch(r"\d{1,3}", number) else ""
    return re.compile(rf"(?<![\d,.]){before}{re.escape(number)}{after}(?!\d|[,.]\d)")


def _dims(row: dict[str, str]) -> dict[str, str]:
    """Codes of a quote's dimensions."""
    other = dict(pair.split("=", 1) for pair in row["dims"].split(";") if "=" in pair)
    return {name: row[name] or TOTAL for name in BASIC_DIMENSIONS} | other


def _quoted(row: dict[str, str], report: int, card: Card) -> Observation:
    given = _dims(row)
    # A fall stands in words, so the scale brings its sign; «59 млн. 459 мың» is 59459 thousand.
    sign = "-" if row["scale"].startswith("-") else ""
    digits = re.sub(r"\s|[^\W\d]+\.?", "", row["printed"])
    value = sign + digits.replace(",", ".") + row["scale"].lstrip("-")
    codes = tuple((name, given.get(name, TOTAL)) for name in card.dimensions)
    return Observation(card.id, int(row["year"]), row["region"], codes, value, row["status"], row["source"], report)


def _as_csv(observations: Iterable[Observation], year: int, catalogue: Catalogue, where: Project) -> dict[str, str]:
    """Text of each indicator's CSV: what this report prints, and what stands there from other reports."""
    by_indicator: dict[str, list[Observation]] = {}
    for observation in observations:
        by_indicator.setdefault(observation.indicator, []).append(observation)
    files = {}
    for indicator, found in sorted(by_indicator.items()):
        card = catalogue.cards[indicator]
        fields = ["year", "region", *card.dimensions, "value", "status", "source", "report"]
        rows = [
            [
                str(o.year),
                o.region,
                *(code for _, code in o.codes),
                o.value,
                o.status,
                o.source,
                str(o.report),
            ]
            for o in found
        ]
        rows += _other_reports(where.observations / f"{indicator}.csv", year)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(fields)
        order = partial(_order, card=card, catalogue=catalogue)
        writer.writerows(sorted(rows, key=order))
        files[indicator] = out.getvalue()
    return files


def _other_reports(path: Path, year: int) -> list[list[str]]:
    """Rows that other reports print; those of a file that is damaged are never guessed."""
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        rule = f"what other reports print must be a readable CSV ({error})"
        raise DataError([Fault(str(path), 0, "file", "", rule, "Restore the file first.")]) from None
    whole = [row for row in rows if len(row) == len(header)]
    others = [row for row in whole if row[-1] != str(year)]
    if len(whole) < len(rows):
        # It may be another report's, and would be lost.
        rule = "the file holds a row that is not whole, of which nobody can tell the report"
        raise DataError([Fault(str(path), 0, "row", "", rule, "Restore the file first.")])
    return others


def _order(row: Sequence[str], card: Card, catalogue: Catalogue) -> tuple[Any, ...]:
    """Sort key of a row: report, source, year, and codes in the order of their lists."""
    codes = catalogue.codes
    regions = {code: at for at, code in enumerate(codes.regions)}
    source = re.fullmatch(r"(\w+)-(\d+)(?:\.(\d+))?", row[-2])
    place = (source[1], int(source[2]), int(source[3] or 0)) if source else (row[-2], 0, 0)
    dims = tuple(
        list(codes.dimensions[name].items).index(code) if code in codes.dimensions[name].items else -1
        for name, code in zip(card.dimensions, row[2:-4], strict=True)
    )
    return (row[-1], place, int(row[0]), regions.get(row[1], -1), dims, row[-4])
