"""Read one table of a report's text, as its layout declares: captions, labels, numbers, spaces.

Nothing here knows a table of any report; layouts stand in ``data/reports/<year>/tables.yml``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

from pydantic import ConfigDict, Field

from balalar.cards import COUNTRY, TOTAL, Catalogue, Record
from balalar.errors import DataError, Fault

# The PDF's font gave these letters for the Kazakh ones.
LETTERS = str.maketrans("ӛӚҧҦҥҤ", "өӨұҰүҮ")
NUMBER = r"-?\d+(?:[.,]\d+)?%?"
CELL = rf"(?:{NUMBER}|[-–])(?=\s|$)"
TABLE_ENDS = r"Дереккөз|\*\s"
MOST_READINGS = 100_000  # of the spaces in one row
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
    spaced: bool = False
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

    def line_end(self, position: int) -> str:
        """What stands on a line behind a position."""
        at = bisect_right(self._starts, position)
        return self.text[position : self._starts[at] if at < len(self._starts) else None]

    def starts_line(self, position: int) -> bool:
        """Whether a line starts at a position."""
        return self._starts[bisect_right(self._starts, position) - 1] == position

    def find(self, pattern: str, start: int = 0) -> int | None:
        """Position of the first match, at or after a position, that starts a line."""
        found = (match.start() for match in re.compile(pattern).finditer(self.text, start))
        return next(filter(self.starts_line, found), None)


class Table:
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

    def body(self) -> tuple[int, int]:
        """Positions in the text between which the rows stand."""
        number = self.source.removeprefix("table-")
        caption = self.layout.caption or f"{number}-кесте"
        found = self.text.find(re.escape(caption))
        if found is None:
            rule = f"the table is expected under a line that starts with «{caption}»; the text has no such line"
            raise self._fault(None, "", rule, "Compare the text with the printed report.")
        begin = found + len(caption)
        if self.layout.start:
            at = self.text.text.find(self.layout.start, begin)
            if at < 0:
                raise self._fault(begin, "", f"the rows must start after «{self.layout.start}»", "Mend the text.")
            begin = at + len(self.layout.start)
        end = self.text.find(re.escape(self.layout.end) if self.layout.end else TABLE_ENDS, begin)
        return begin, end if end is not None else len(self.text.text)

    def _rows(self) -> Iterator[tuple[str, str, int]]:
        """Label, values and position of each row; words that belong to no row are a fault."""
        begin, end = self.body()
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
                raise self._fault(position, label, f"the label stands {len(stands_for)} times", "Mend the text.")
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

    def _split(self, label: str, values: str, columns: tuple[int, ...], absent: set[int], position: int) -> list[str]:
        """Values of a row's printed columns; spaces inside thousands are closed."""
        wanted = [number for number in columns if number not in absent]
        tokens = values.split()
        choices = list(_groupings(tokens, len(wanted), self.layout.spaced))
        choices = [choice for choice in choices if self._holds(dict(zip(wanted, map(_number, choice), strict=True)))]
        if len(choices) > 1 and self.layout.alike:
            choices = _most_alike(choices)
        if len(choices) == 1:
            return choices[0]
        expected = f"{len(wanted)} numbers in the row «{label}»"
        rule = f"expected {expected}, {len(tokens)} groups of digits stand there"
        if choices:
            rule = f"expected {expected}, and the spaces can be read in {len(choices)} ways"
        raise self._fault(
            position,
            self.text.text[position : position + 70],
            rule,
            "Compare the row with the printed report.",
        )

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
            raise self._fault(position, ", ".join(unknown), f"the card {card.id} must have this dimension", "Mend it.")
        codes = tuple((name, given.get(name, TOTAL)) for name in card.dimensions)
        value = printed.rstrip("%").replace(",", ".")
        return Observation(card.id, given["year"], given["region"], codes, value, status, self.source, self.report)

    def _expect_all(self, seen: Counter[str]) -> None:
        """Every region and row that the table declares was read, once for each time it is declared."""
        if self.layout.rows:
            for label in self.layout.rows:
                if seen[label] != 1:
                    rule = f"the row «{label}» is expected once, read {seen[label]} time(s)"
                    raise self._fault(self.body()[0], "", rule, "Compare the rows with the printed report.")
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
            raise self._fault(self.body()[0], "", rule, "Compare the rows with the printed report.")


def _flexible(label: str) -> re.Pattern[str]:
    """A label that may be broken over two lines after a hyphen."""
    return re.compile(re.escape(label).replace(r"\-", r"\-\s?"))


def _most_alike(choices: list[list[str]]) -> list[list[str]]:
    """Readings of a row whose numbers differ least in length."""

    def spread(choice: list[str]) -> int:
        lengths = [len(value) for value in choice]
        return max(lengths) - min(lengths)

    least = min(map(spread, choices))
    return [choice for choice in choices if spread(choice) == least]


def _groupings(tokens: list[str], columns: int, spaced: bool = True) -> Iterator[list[str]]:
    """All ways to close the spaces in thousands, if there are any, that leave so many values."""
    gaps = [at for at in range(1, len(tokens)) if spaced and _continues(tokens[at - 1], tokens[at])]
    if len(tokens) >= columns and comb(len(gaps), len(tokens) - columns) > MOST_READINGS:
        return  # far too many groups of digits for so few columns
    for closed in combinations(gaps, len(tokens) - columns) if len(tokens) >= columns else ():
        values: list[str] = []
        for at, token in enumerate(tokens):
            if at in closed:
                values[-1] += token
            else:
                values.append(token)
        if all(re.fullmatch(r"[-–]|-?(0|[1-9]\d*)([.,]\d+)?%?", value) for value in values) and _whole(tokens, closed):
            yield values


def _continues(left: str, right: str) -> bool:
    """Whether a group of digits may be the next three of the number on its left."""
    return bool(re.fullmatch(r"\d{1,3}", left) and re.fullmatch(r"\d{3}([.,]\d+)?", right))


def _whole(tokens: list[str], closed: tuple[int, ...]) -> bool:
    """Whether no group that stands inside a number is shorter than three digits."""
    return all(len(tokens[at - 1]) == 3 or at - 1 not in closed for at in closed)


def _number(printed: str) -> float:
    return float(printed.rstrip("%").replace(",", ".")) if re.search(r"\d", printed) else 0.0
