"""Values that stand where they do not belong: one series under two names, lines or places exchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise
from math import log10
from statistics import median

from balalar.audit.columns import LEAST, Column, Columns, references
from balalar.audit.evidence import Evidence, Figure, Key
from balalar.audit.finding import Change, Finding, Repair
from balalar.cards import COUNTRY

COPIED = 6  # equal values of which a copy must consist
ALIKE = 0.9  # share of the common lines that are equal in a copy
TELLING = 4  # digits by which two equal values are no chance
JUMP = 8.0  # robust standard deviations from the other regions' change


def copied_columns(evidence: Evidence, columns: Columns) -> Iterator[Finding]:
    """Two columns of different quantities that are one series."""
    merged: dict[tuple[str, int, tuple[str, ...]], dict[str, Figure]] = {}
    for of, column in columns.items():
        merged.setdefault(of[:3], {}).update(
            {code: figure for code, figure in column.items() if code not in merged.get(of[:3], {})}
        )
    wide = {of: column for of, column in merged.items() if len(column) >= COPIED}
    seen: dict[tuple[str, str], list[tuple[dict[str, Figure], dict[str, Figure], list[str]]]] = defaultdict(list)
    for (one, left), (two, right) in combinations(wide.items(), 2):
        common = [code for code in left if code in right]
        if len(common) < COPIED or _says_the_same(evidence, one, two):
            continue
        equal = [code for code in common if left[code].value == right[code].value]
        # Few digits are alike by chance.
        telling = {left[code].value for code in equal if len(left[code].value.strip("0.")) >= 2}
        if len(equal) >= max(COPIED, ALIKE * len(common)) and len(telling) >= COPIED - 1:
            first, second = sorted((left, right), key=lambda column: (len(column), column[equal[0]].key))
            pair = first[equal[0]].key.indicator, second[equal[0]].key.indicator
            seen[pair].append((first, second, equal))
    for found in seen.values():
        figures = tuple(first[code] for first, _, equal in found for code in equal)
        against = tuple(second[code] for _, second, equal in found for code in equal)
        key = figures[0].key._replace(region="", year=max(figure.key.year for figure in figures))
        # So many alike are no chance.
        sure = len(figures) >= 2 * COPIED
        yield Finding(
            "copied_column", figures[0].source, figures[0].report, key, figures, against, severity="conclusion",
            certainty="assumption" if sure else "suspicion", assumption="independent" if sure else "",
            count=len(figures),
        )  # fmt: skip


def _says_the_same(
    evidence: Evidence, one: tuple[str, int, tuple[str, ...]], two: tuple[str, int, tuple[str, ...]]
) -> bool:
    """Whether a card relates two columns as names of the same quantity."""
    cards = evidence.catalogue.cards
    return cards[one[0]].same_as == two[0] or cards[two[0]].same_as == one[0]


def copied_lines(evidence: Evidence, columns: Columns) -> Iterator[Finding]:
    """A line that repeats the line before it, in all columns of a table."""
    tables: dict[str, list[dict[str, Figure]]] = defaultdict(list)
    for of, column in columns.items():
        tables[of[3]].append(column)
    for table in tables.values():
        lines = [code for code in evidence.catalogue.codes.regions if any(code in column for column in table)]
        for above, below in pairwise(lines):
            pairs = [(column[above], column[below]) for column in table if above in column and below in column]
            telling = [two for one, two in pairs if one.value == two.value and len(two.value.strip("0.")) >= 2]
            if len(pairs) >= 3 and len(telling) == len(pairs) and COUNTRY not in (above, below):
                yield Finding(
                    "copied_line", telling[0].source, telling[0].report, telling[0].key, tuple(telling),
                    tuple(one for one, _ in pairs), certainty="suspicion", count=len(telling),
                )  # fmt: skip


def swapped_lines(evidence: Evidence, columns: Columns, settled: set[str]) -> Iterator[Finding]:
    """Two lines of a column whose values fit a neighbouring year better when they change places."""
    for of, column in columns.items():
        if of[3] in settled or len(column) < LEAST:
            continue
        for reference in references(evidence, columns, of):
            if found := _exchange(evidence, column, reference):
                one, two = found
                changes = (Change(one, two.key, one.value), Change(two, one.key, two.value))
                against = tuple(reference[figure.key.region] for figure in (one, two))
                yield Finding(
                    "swapped_lines", of[3], one.report, one.key._replace(region=""), (one, two), against,
                    certainty="suspicion", items=(one.key.region, two.key.region),
                    repair=Repair("swapped_rows", changes, (against[0].source,), "medium"), count=2,
                )  # fmt: skip
                break


def _exchange(evidence: Evidence, column: Column, reference: Column) -> tuple[Figure, Figure] | None:
    """The one pair of lines that alone leave their history, and return to it when exchanged."""
    codes = [
        code
        for code in column
        if code in reference and code != COUNTRY and column[code].number > 0 < reference[code].number
    ]
    if len(codes) < LEAST:
        return None
    moves = {code: log10(column[code].number / reference[code].number) for code in codes}
    middle = median(moves.values())
    usual = max(median(abs(move - middle) for move in moves.values()) * 1.4826, 0.01)
    far = [code for code in codes if abs(moves[code] - middle) > JUMP * usual and abs(moves[code] - middle) > 0.08]
    found = []
    for one, two in combinations(far, 2):
        crossed = [log10(column[a].number / reference[b].number) - middle for a, b in ((one, two), (two, one))]
        if all(abs(move) < 3 * usual for move in crossed):
            found.append((column[one], column[two]))
    return found[0] if len(found) == 1 and len(far) <= 4 else None


def swapped_places(evidence: Evidence) -> Iterator[Finding]:
    """Two regions whose values are exchanged between two places."""
    apart: dict[tuple[str, int, tuple[str, ...]], list[tuple[Figure, Figure]]] = defaultdict(list)
    for key, figures in evidence.figures.items():
        for one, two in combinations(figures, 2):
            if one.source != two.source and not one.interval.meets(two.interval):
                apart[key.indicator, key.year, key.codes].append((one, two))
    for pairs in apart.values():
        for (one, two), (three, four) in combinations(pairs, 2):
            crossed = one.value == four.value and two.value == three.value
            if crossed and one.source == three.source and two.source == four.source:
                yield Finding(
                    "swapped_places", two.source, two.report, two.key._replace(region=""), (two, four), (one, three),
                    severity="label", items=(one.key.region, three.key.region), count=2,
                )  # fmt: skip


def moved_values(evidence: Evidence, explained: set[Key]) -> Iterator[Finding]:
    """A value that stands with one region at one place and with another at the next, where the two places differ."""
    by_value: dict[tuple[str, int, tuple[str, ...], str], list[Figure]] = defaultdict(list)
    for key, figures in evidence.figures.items():
        for figure in figures:
            if key.region != COUNTRY and sum(letter.isdigit() for letter in figure.value) >= TELLING:
                by_value[key.indicator, key.year, key.codes, figure.value].append(figure)
    for figures in by_value.values():
        for one, two in combinations(figures, 2):
            apart = one.source != two.source and one.report == two.report and one.key.region != two.key.region
            if not apart or {one.key, two.key} & explained:
                continue
            # Where either region has the same value at the other place too, the two are simply alike.
            if not any(_stands(evidence, key, other) for key, other in ((one.key, two), (two.key, one))):
                yield Finding(
                    "moved_value", two.source, two.report, two.key, (two,), (one,), severity="label",
                    certainty="assumption", assumption="independent", items=(one.key.region, two.key.region), count=1,
                )  # fmt: skip


def _stands(evidence: Evidence, key: Key, other: Figure) -> bool:
    """Whether a quantity has, at the place of another figure, the same value."""
    return any(one.source == other.source and one.value == other.value for one in evidence.figures.get(key, ()))
