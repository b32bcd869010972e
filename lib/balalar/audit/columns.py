"""The figures of one indicator, year and set of codes at one place, by region: what stands below one heading."""

from __future__ import annotations

from collections.abc import Iterator

from balalar.audit.evidence import Evidence, Figure
from balalar.cards import COUNTRY

Heading = tuple[str, int, tuple[str, ...], str]  # indicator, year, codes, source
Column = dict[str, Figure]
Columns = dict[Heading, Column]
LEAST = 8  # lines a column must have for a pattern in it


def columns_of(evidence: Evidence) -> Columns:
    """All columns; of a label that stands twice the first line."""
    return {heading: {region: figures[0] for region, figures in by.items()} for heading, by in evidence.columns.items()}


def lines_of(evidence: Evidence, column: Column) -> list[str]:
    """Regions of a column in the order of the lines, without the country."""
    return [code for code in evidence.catalogue.codes.regions if code != COUNTRY and code in column]


def order_of(evidence: Evidence, of: Heading, report: int) -> list[str]:
    """Regions in the order of a place's lines: those that live in the year of the report, and what stands there."""
    there = {code for column in evidence.columns if column[3] == of[3] for code in evidence.columns[column]}
    codes = evidence.catalogue.codes
    # More labels than regions lived then: the lines are those of the report's own year.
    if len(there) > len(codes.living(of[1])):
        there |= set(codes.living(report))
    return [code for code in codes.regions if code != COUNTRY and code in there]


def references(evidence: Evidence, columns: Columns, of: Heading) -> Iterator[Column]:
    """Columns that should look like one: the same quantity at another place or in a neighbouring year."""
    indicator, year, codes, source = of
    near = sorted(
        (abs(other[1] - year), other[3] != source, other)
        for other in columns
        if other[0] == indicator and other[2] == codes and other != of and abs(other[1] - year) <= 1
    )
    for _, _, other in near:
        if len(columns[other]) >= LEAST:
            yield columns[other]
