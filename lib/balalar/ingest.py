"""Read the text of a printed report into observations, as declared in ``data/reports/<year>``.

What a table holds is declared in ``tables.yml``; what the prose quotes, in ``quotes/*.csv``.
Nothing here knows a table: only captions, labels of rows, numbers and the spaces inside them.
"""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from balalar.cards import BASIC_DIMENSIONS, COUNTRY, TOTAL, Card, Catalogue, Record, read
from balalar.errors import DataError, Fault
from balalar.paths import Project

# The PDF's font gave these letters for the Kazakh ones.
LETTERS = str.maketrans("ӛӚҧҦҥҤ", "өӨұҰүҮ")
NUMBER = r"-?\d+(?:[.,]\d+)?%?"
CELL = rf"(?:{NUMBER}|[-–])(?=\s|$)"
TABLE_ENDS = r"Дереккөз|\*\s"
CONTEXT = 120  # characters around a quoted number in which its context stands
DASH, BLANK = "M", "O"  # SDMX status of a printed dash and of an empty cell


class Cell(Record):
    """What a cell holds: an indicator, year, region and codes of dimensions."""

    model_config = ConfigDict(extra="allow", frozen=True)

    indicator: str | None = None
    year: int | None = None
    region: str | None = None
    status: str | None = None
    suffix: str | None = None
    only: tuple[int, ...] = ()


class Layout(Record):
    """How one table is read; the fields are explained in ``tables.yml``."""

    caption: str | None = None
    start: str | None = None
    end: str | None = None
    common: Cell = Cell()
    columns: tuple[Cell, ...] = Field(min_length=1)
    rows: dict[str, Cell] = Field(default_factory=dict)
    regions: tuple[str, ...] | None = None
    labels: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    absent: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    sums: tuple[tuple[int, int, int], ...] = ()
    alike: bool = False
    digits: tuple[int, ...] = ()
    ignore: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    estimated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One figure as printed: its key, value, status and place."""

    indicator: str
    year: int
    region: str
    codes: tuple[tuple[str, str], ...]
    value: str
    status: str
    source: str
    report: int

    def key(self) -> tuple[Any, ...]:
        """Everything but value and status."""
        return (self.indicator, self.year, self.region, self.codes, self.source, self.report)


class Text:
    """The normalised text of a report, which knows the line of each character.

    Letters are mended, runs of white space are one space.
    """

    def __init__(self, raw: str, name: str) -> None:
        self.name = name
        pieces: list[str] = []
        self._starts: list[int] = []
        self._lines: list[int] = []
        length = 0
        for number, line in enumerate(raw.translate(LETTERS).splitlines(), 1):
            words = " ".join(line.split())
            if words:
                self._starts.append(length)
                self._lines.append(number)
                pieces.append(words)
                length += len(words) + 1
        self.text = " ".join(pieces)

    def line(self, position: int) -> int:
        """Line of the file on which a character stands."""
        return self._lines[max(bisect_right(self._starts, position) - 1, 0)] if self._lines else 0

    def starts_line(self, position: int) -> bool:
        """Whether a line starts at a position."""
        return self._starts[bisect_right(self._starts, position) - 1] == position

    def find(self, pattern: str, start: int = 0) -> int | None:
        """Position of the first match, at or after a position, that starts a line."""
        found = (match.start() for match in re.compile(pattern).finditer(self.text, start))
        return next(filter(self.starts_line, found), None)


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
    text = _read_text(report, where)
    folder = where.report(year)
    layouts: dict[str, Layout] = read(dict[str, Layout], folder / "tables.yml", where)
    faults: list[Fault] = []
    observations: list[Observation] = []
    for source, layout in layouts.items():
        try:
            observations += _Table(source, layout, text, year, catalogue).observations()
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
    """Write the CSVs, each whole or not at all.

    Parameters
    ----------
    files : dict of str to str
        Text of the CSV of each indicator, by its id.
    folder : Path
        Folder of the observations; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        for indicator, content in files.items():
            (Path(aside) / f"{indicator}.csv").write_text(content, encoding="utf-8", newline="")
        for indicator in files:
            os.replace(Path(aside) / f"{indicator}.csv", folder / f"{indicator}.csv")


def _read_text(report: Path, where: Project) -> Text:
    try:
        return Text(report.read_text(encoding="utf-8"), where.name(report))
    except (OSError, UnicodeDecodeError) as error:
        rule = f"the report must be a readable text file in UTF-8 ({error})"
        raise DataError(
            [Fault(str(report), 0, "file", "", rule, "Give the path of the report's text.")]
        ) from None


class _Table:
    """One declared table in one text."""

    def __init__(self, source: str, layout: Layout, text: Text, report: int, catalogue: Catalogue) -> None:
        self.source, self.layout, self.text, self.report = source, layout, text, report
        self.catalogue = catalogue
        self.labels = self._labels()

    def observations(self) -> list[Observation]:
        """All cells of the table."""
        found: list[Observation] = []
        seen: Counter[str] = Counter()
        for label, values, position in self._rows():
            key = self._row_key(label, seen, position)
            found += self._cells(label, key, values, position)
            seen[label] += 1
        self._expect_all(seen)
        return found

    def _fault(self, position: int | None, value: str, rule: str, remedy: str) -> DataError:
        line = 0 if position is None else self.text.line(position)
        return DataError([Fault(self.text.name, line, self.source, value, rule, remedy)])

    def _labels(self) -> dict[str, str | tuple[str, ...] | Cell]:
        """Every label a row may carry, and the region or the cell it stands for."""
        labels: dict[str, str | tuple[str, ...] | Cell] = {}
        if not self.layout.rows or self.layout.regions:
            for code, region in self.catalogue.codes.regions.items():
                labels.update({" ".join(label.split()): code for label in region.printed})
        return labels | self.layout.labels | self.layout.rows

    def _body(self) -> tuple[int, int]:
        """Positions between which the rows stand."""
        number = self.source.removeprefix("table-")
        caption = self.layout.caption or f"{number}-кесте"
        found = self.text.find(re.escape(caption))
        if found is None:
            rule = (
                f"the table is expected under a line that starts with «{caption}»; the text has no such line"
            )
            raise self._fault(None, "", rule, "Compare the text with the printed report.")
        begin = found + len(caption)
        if self.layout.start:
            at = self.text.text.find(self.layout.start, begin)
            if at < 0:
                raise self._fault(
                    begin, "", f"the rows must start after «{self.layout.start}»", "Mend the text."
                )
            begin = at + len(self.layout.start)
        end = self.text.find(re.escape(self.layout.end) if self.layout.end else TABLE_ENDS, begin)
        return begin, end if end is not None else len(self.text.text)

    def _rows(self) -> Iterator[tuple[str, str, int]]:
        """Label, values and position of each row; words that belong to no row are a fault."""
        begin, end = self._body()
        row = self._row_pattern()
        body, reached = self.text.text[:end], begin
        if self.layout.drop:
            dropped = "|".join(re.escape(words) for words in self.layout.drop)
            # What is dropped keeps its length, so that positions stay true.
            body = re.sub(rf"(?<!\S)({dropped})(?!\S)", lambda match: " " * len(match[0]), body)
        first = True
        for match in row.finditer(body, begin):
            if not first:
                self._nothing_between(body, reached, match.start())
            first, reached = False, match.end()
            label = next(name for name in self.labels if _flexible(name).fullmatch(match["label"]))
            yield label, match["values"], match.start()
        self._nothing_between(body, reached, end)

    def _row_pattern(self) -> re.Pattern[str]:
        """A known label and the run of cells behind it, up to a label that may start with a number."""
        names = "|".join(_flexible(name).pattern for name in sorted(self.labels, key=len, reverse=True))
        cell = rf"(?!(?:{names})(?!\S)){CELL}" if all(self.labels) else CELL
        return re.compile(rf"(?<!\S)(?P<label>{names})\s*(?<!\S)(?P<values>{cell}(?:\s+{cell})*)")

    def _nothing_between(self, body: str, start: int, end: int) -> None:
        rest = body[start:end].strip()
        if rest and rest not in self.layout.ignore:
            position = start + body[start:end].index(rest)
            rule = "only known labels and numbers stand here; this is no known region or row, or no number"
            remedy = "Mend the text, or declare the label in tables.yml."
            raise self._fault(position, rest[:60], rule, remedy)

    def _row_key(self, label: str, seen: Counter[str], position: int) -> Cell:
        stands_for = self.labels[label]
        if isinstance(stands_for, Cell):
            return stands_for
        if isinstance(stands_for, tuple):
            if seen[label] >= len(stands_for):
                raise self._fault(
                    position, label, f"the label stands {len(stands_for)} times", "Mend the text."
                )
            stands_for = stands_for[seen[label]]
        return Cell(region=stands_for)

    def _cells(self, label: str, row: Cell, values: str, position: int) -> Iterator[Observation]:
        """Observations of one row."""
        absent = set(self.layout.absent.get(label, ()))
        columns = row.only or tuple(n for n in range(1, len(self.layout.columns) + 1))
        printed = dict(
            zip(
                [n for n in columns if n not in absent],
                self._split(label, values, columns, absent, position),
                strict=True,
            )
        )
        for number in columns:
            yield self._observation(row, self.layout.columns[number - 1], printed.get(number), position)

    def _split(
        self, label: str, values: str, columns: tuple[int, ...], absent: set[int], position: int
    ) -> list[str]:
        """Values of a row's printed columns; spaces inside thousands are closed."""
        wanted = [number for number in columns if number not in absent]
        tokens = values.split()
        choices = [choice for choice in _groupings(tokens, len(wanted))]
        if len(choices) > 1:
            choices = self._sensible(choices, wanted)
        if len(choices) == 1:
            return choices[0]
        expected = f"{len(wanted)} numbers in the row «{label}»"
        rule = f"expected {expected}, {len(tokens)} groups of digits stand there"
        if choices:
            rule = f"expected {expected}, and the spaces can be read in {len(choices)} ways"
        raise self._fault(position, values, rule, "Compare the row with the printed report.")

    def _sensible(self, choices: list[list[str]], columns: list[int]) -> list[list[str]]:
        """Readings of a row that agree with the sums and sizes declared."""
        if self.layout.alike:

            def spread(choice: list[str]) -> int:
                lengths = [len(value) for value in choice]
                return max(lengths) - min(lengths)

            least = min(map(spread, choices))
            return [choice for choice in choices if spread(choice) == least]
        return [
            choice for choice in choices if self._holds(dict(zip(columns, map(_number, choice), strict=True)))
        ]

    def _holds(self, row: dict[int, float]) -> bool:
        def value(column: int) -> float:
            return row.get(column, 0.0)

        if any(value(column) >= 10**digits for column, digits in enumerate(self.layout.digits, 1)):
            return False
        return all(abs(value(a) - value(b) - value(c)) < 1 for a, b, c in self.layout.sums)

    def _observation(self, row: Cell, column: Cell, printed: str | None, position: int) -> Observation:
        given: dict[str, Any] = {}
        for part in (self.layout.common, column, row):
            given |= part.model_dump(exclude_none=True, exclude={"only"})
        given["indicator"] += given.pop("suffix", "")
        status = given.pop("status", None) or ("E" if given["region"] in self.layout.estimated else "A")
        if printed is None or not re.search(r"\d", printed):
            status, printed = (BLANK if printed is None else DASH), ""
        card = self.catalogue.cards.get(given["indicator"])
        if card is None:
            raise self._fault(position, given["indicator"], "an indicator must have a card", "Add the card.")
        known = {"indicator", "year", "region", *card.dimensions}
        if unknown := sorted(set(given) - known):
            raise self._fault(
                position, ", ".join(unknown), f"the card {card.id} must have this dimension", "Mend it."
            )
        codes = tuple((name, given.get(name, TOTAL)) for name in card.dimensions)
        value = printed.rstrip("%").replace(",", ".")
        return Observation(
            card.id, given["year"], given["region"], codes, value, status, self.source, self.report
        )

    def _expect_all(self, seen: Counter[str]) -> None:
        """Every region and row that the table declares was read, once for each time it is declared."""
        if self.layout.rows:
            if missing := [label for label in self.layout.rows if not seen[label]]:
                raise self._fault(
                    self._body()[0], "", f"the row «{missing[0]}» is expected", "Mend the text."
                )
            if not self.layout.regions:
                return
        found: Counter[str] = Counter()
        for label, times in seen.items():
            if isinstance(stands_for := self.labels[label], tuple):
                found.update(stands_for[:times])
            elif isinstance(stands_for, str):
                found[stands_for] += times
        codes = self.catalogue.codes
        expected = Counter(self.layout.regions or [COUNTRY, *codes.living(self.report)])
        for region in sorted((expected - found) | (found - expected)):
            spelled = " or ".join(f"«{label}»" for label in codes.regions[region].printed)
            rule = f"rows of {region} ({spelled}) expected: {expected[region]}, read: {found[region]}"
            raise self._fault(self._body()[0], "", rule, "Compare the rows with the printed report.")


def _flexible(label: str) -> re.Pattern[str]:
    """A label that may be broken over two lines after a hyphen."""
    return re.compile(re.escape(label).replace(r"\-", r"\-\s?"))


def _groupings(tokens: list[str], columns: int) -> Iterator[list[str]]:
    """All ways to close the spaces in thousands that leave the wanted number of values."""
    gaps = [at for at in range(1, len(tokens)) if _continues(tokens[at - 1], tokens[at])]
    for closed in combinations(gaps, len(tokens) - columns) if len(tokens) >= columns else ():
        values: list[str] = []
        for at, token in enumerate(tokens):
            if at in closed:
                values[-1] += token
            else:
                values.append(token)
        if all(re.fullmatch(r"[-–]|-?(0|[1-9]\d*)([.,]\d+)?%?", value) for value in values) and _whole(
            tokens, closed
        ):
            yield values


def _continues(left: str, right: str) -> bool:
    """Whether a group of digits may be the next three of the number on its left."""
    return bool(re.fullmatch(r"\d{1,3}", left) and re.fullmatch(r"\d{3}([.,]\d+)?", right))


def _whole(tokens: list[str], closed: tuple[int, ...]) -> bool:
    """Whether no group that stands inside a number is shorter than three digits."""
    return all(len(tokens[at - 1]) == 3 or at - 1 not in closed for at in closed)


def _number(printed: str) -> float:
    return float(printed.rstrip("%").replace(",", ".")) if re.search(r"\d", printed) else 0.0


def _sections(text: Text) -> dict[str, tuple[int, int]]:
    """Stretch of each numbered section and of each chapter's remaining text."""
    headings = [
        (match[1], match.start())
        for match in re.finditer(r"(\d\.\d)\.? (?=«?[А-ЯӘҒҚҢӨҰҮҺІ]{2})", text.text)
        if text.starts_line(match.start())
    ]
    last = re.search(r"6-ТАРАУ", text.text)
    ends = [position for _, position in headings[1:]] + [last.start() if last else len(text.text)]
    sections = {name: (start, end) for (name, start), end in zip(headings, ends, strict=True)}
    for chapter in {name[0] for name in sections}:
        inside = [span for name, span in sections.items() if name[0] == chapter]
        sections[chapter] = (min(span[0] for span in inside), max(span[1] for span in inside))
    if last:
        sections["6"] = (last.start(), len(text.text))
    return sections


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
    sections = _sections(text)
    places = catalogue.sources.reports[report].places
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != QUOTE_FIELDS:
            rule = f"the columns must be {', '.join(QUOTE_FIELDS)}"
            return [], [Fault(name, 1, "header", ",".join(rows.fieldnames or ()), rule, "Mend the header.")]
        for line, row in enumerate(rows, 2):
            wrong = _quote_fault(row, sections, places, text, catalogue)
            if wrong:
                faults.append(replace(wrong, file=wrong.file or name, line=wrong.line or line))
            else:
                observations.append(_quoted(row, report, catalogue.cards[row["indicator"]]))
    return observations, faults


def _quote_fault(
    row: dict[str, str], sections: dict[str, tuple[int, int]], places: Any, text: Text, catalogue: Catalogue
) -> Fault | None:
    """Tell what is wrong with a quote: its declaration, or that the text does not hold it."""
    declared = "declare it, or mend the row"
    if row["indicator"] not in catalogue.cards:
        return Fault(
            "", 0, "indicator", row["indicator"], "an indicator must have a card", f"Please {declared}."
        )
    if row["source"] not in places:
        return Fault(
            "", 0, "source", row["source"], "a source must stand in sources.yml", f"Please {declared}."
        )
    given = _dims(row)
    if unknown := sorted(
        name
        for name, code in given.items()
        if name not in catalogue.cards[row["indicator"]].dimensions and code != TOTAL
    ):
        return Fault(
            "", 0, "dims", ", ".join(unknown), "the card must have this dimension", f"Please {declared}."
        )
    section = places[row["source"]].section
    start, end = sections.get(section, (0, 0))
    number = re.escape(" ".join(row["printed"].split()))
    for match in re.finditer(rf"(?<![\d,.]){number}(?![\d]|[,.]\d)", text.text[start:end]):
        at = start + match.start()
        if row["near"] in text.text[max(at - CONTEXT, start) : at + len(match[0]) + CONTEXT]:
            return None
    lines = (
        f"section {section}, lines {text.line(start)}–{text.line(end)}"
        if end
        else f"section {section}, which is missing"
    )
    rule = f"«{row['printed']}» is expected within {CONTEXT} characters of «{row['near']}» ({lines})"
    return Fault(
        text.name,
        text.line(start) if end else 0,
        row["source"],
        "",
        rule,
        "Compare the section with the printed report.",
    )


def _dims(row: dict[str, str]) -> dict[str, str]:
    """Codes of a quote's dimensions."""
    other = dict(pair.split("=", 1) for pair in row["dims"].split(";") if "=" in pair)
    return {name: row[name] or TOTAL for name in BASIC_DIMENSIONS} | other


def _quoted(row: dict[str, str], report: int, card: Card) -> Observation:
    given = _dims(row)
    value = re.sub(r"\s", "", row["printed"]).replace(",", ".") + row["scale"]
    codes = tuple((name, given.get(name, TOTAL)) for name in card.dimensions)
    return Observation(
        card.id, int(row["year"]), row["region"], codes, value, row["status"], row["source"], report
    )


def _as_csv(
    observations: Iterable[Observation], year: int, catalogue: Catalogue, where: Project
) -> dict[str, str]:
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
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in list(csv.reader(file))[1:] if row and row[-1] != str(year)]


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
