"""Slips that no relation declares: shifted rows, wrong headings, copies, swaps, jumps.

A column is the figures of one indicator, year and set of codes at one place, by region; a line is one region
there. The order of the code list stands for the printed order of the lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product
from math import log10
from statistics import median

import numpy as np

from balalar.audit import identities
from balalar.audit.evidence import Evidence, Figure, Key
from balalar.audit.finding import Change, Finding, Repair
from balalar.audit.interval import Interval
from balalar.cards import COUNTRY

Column = tuple[str, int, tuple[str, ...], str]  # indicator, year, codes, source
LEAST = 8  # lines a column must have for a pattern in it
SHORTEST = 4  # lines of a block that slipped
NEAR = 0.35  # a slip leaves at most this share of the distance to the reference
COPIED = 6  # equal values of which a copy must consist
ALIKE = 0.9  # share of the common lines that are equal in a copy
JUMP = 8.0  # robust standard deviations from the other regions' change
FACTOR = 2.0  # by which a value must leave its own history, to be a jump
POINTS = 10  # of a share, by which it must move to be a jump
BASE = 30  # a count smaller than this jumps by chance
SLIPS = (1, 2, 3)  # powers of ten by which a unit or a point slips


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Every pattern found in the figures as printed.

    Parameters
    ----------
    evidence : Evidence

    Yields
    ------
    Finding
    """
    columns = {column: _first(by) for column, by in evidence.columns.items()}
    # Where all labels are wrong no line has slipped.
    relabelled = {finding.figures[0].source for finding in unborn(evidence, columns, set()) if finding.repair}
    shifted = [finding for finding in row_shifts(evidence, columns) if finding.place not in relabelled]
    yield from shifted
    yield from headings(evidence, columns)
    misdated = list(year_headings(evidence, columns))
    yield from misdated
    explained = {id(figure) for finding in (*shifted, *misdated) for figure in finding.figures}
    yield from unborn(evidence, columns, explained)
    yield from doubled(evidence)
    yield from copies(evidence, columns)
    yield from copied_lines(evidence, columns)
    yield from swapped_lines(evidence, columns, {finding.figures[0].source for finding in shifted})
    yield from swapped_places(evidence)
    yield from jumps(evidence)
    yield from old_borders(evidence, columns)


def _first(by: dict[str, list[Figure]]) -> dict[str, Figure]:
    return {region: figures[0] for region, figures in by.items()}


def _lines(evidence: Evidence, column: dict[str, Figure]) -> list[str]:
    """Regions of a column in the order of the lines, without the country."""
    return [code for code in evidence.catalogue.codes.regions if code != COUNTRY and code in column]


def _order(evidence: Evidence, of: Column, report: int) -> list[str]:
    """Regions in the order of a place's lines: those that live in the year of the report, and what stands there."""
    there = {code for column in evidence.columns if column[3] == of[3] for code in evidence.columns[column]}
    living = (
        set(evidence.catalogue.codes.living(report))
        if len(there) > len(evidence.catalogue.codes.living(of[1]))
        else there
    )
    return [code for code in evidence.catalogue.codes.regions if code != COUNTRY and (code in living or code in there)]


def _references(
    evidence: Evidence, columns: dict[Column, dict[str, Figure]], of: Column
) -> Iterator[dict[str, Figure]]:
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


def row_shifts(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Iterator[Finding]:
    """A block of values that stands one line too low or too high against its labels."""
    best: dict[Column, tuple[float, int, list[str], dict[str, Figure]]] = {}
    for of, column in columns.items():
        lines = _lines(evidence, column)
        if len(lines) < LEAST:
            continue
        for reference in _references(evidence, columns, of):
            report = next(iter(column.values())).report
            found = _slipped(column, reference, _order(evidence, of, report))
            if found and (of not in best or found[0] > best[of][0]):
                best[of] = (*found, reference)
    for of, (_, step, block, reference) in best.items():
        # The block fits both columns where two neighbours are compared; the one that other figures bear out counts.
        other = next(
            (two for two in best if two[0] == of[0] and two[2] == of[2] and two != of and columns[two] is reference),
            None,
        )
        if other:
            votes = [_votes(evidence, one, best[one][2], best[one][1]) for one in (of, other)]
            if votes[0] < votes[1] or (votes[0] == votes[1] and other > of):
                continue
        yield _shift_finding(evidence, of, columns[of], reference, step, block)


def _slipped(
    column: dict[str, Figure], reference: dict[str, Figure], order: list[str]
) -> tuple[float, int, list[str]] | None:
    """Gain, step and labels of the block that fits a reference better when it is moved by one line."""
    lines = [code for code in order if code in column or code in reference]
    values = np.array([column[code].number if code in column else np.nan for code in lines])
    wanted = np.array([reference[code].number if code in reference else np.nan for code in lines])
    both = ~np.isnan(values) & ~np.isnan(wanted)
    if both.sum() < LEAST:
        return None
    spread = np.percentile(wanted[both], 90) - np.percentile(wanted[both], 10)
    if spread <= 0:
        return None
    still = np.abs(values - wanted) / spread
    best: tuple[float, int, list[str]] | None = None
    for step in (1, -1):
        moved = np.full(len(lines), np.nan)
        if step == 1:
            moved[1:] = np.abs(values[1:] - wanted[:-1]) / spread
        else:
            moved[:-1] = np.abs(values[:-1] - wanted[1:]) / spread
        for start in range(len(lines)):
            for stop in range(start + SHORTEST, len(lines) + 1):
                known = ~np.isnan(still[start:stop]) & ~np.isnan(moved[start:stop])
                count = int(known.sum())
                if count < SHORTEST:
                    continue
                before = float(still[start:stop][known].sum())
                after = float(moved[start:stop][known].sum())
                gain = before - after
                strict = NEAR if count >= 5 else NEAR / 2
                rest = np.concatenate([still[:start], still[stop:]])
                rest = rest[~np.isnan(rest)]
                # A reference that does not fit where nothing slipped says nothing about what did.
                fits = len(rest) < SHORTEST or float(rest.mean()) <= 0.5 * before / count
                if fits and after <= strict * before and before / count > 0.12 and (best is None or gain > best[0]):
                    best = (gain, step, [code for code in lines[start:stop] if code in column])
    return best


def _votes(evidence: Evidence, of: Column, block: list[str], step: int) -> tuple[int, int]:
    """How far the rest bears out that a block slipped: quoted values and unborn regions, then relations that break."""
    codes = evidence.catalogue.codes.regions
    unborn_regions = sum(not codes[code].lives(of[1]) for code in block)
    cells = {figure.key for code in block for figure in evidence.columns[of][code]}
    near = evidence.revised((), evidence.related_to(of[0]))
    about = [test for test in identities.tests(near) if cells & {one.key for one in (test.figure, *test.against)}]
    broken = sum(1 if not test.holds else -1 for test in about)
    return _borne_out(evidence, of, block, step) + unborn_regions, broken


def _borne_out(evidence: Evidence, of: Column, block: list[str], step: int) -> int:
    """How many values of a moved block are quoted so at another place, less those that are quoted unmoved."""
    own = evidence.columns[of][block[0]][0]
    order = _order(evidence, of, own.report)
    votes = 0
    for code in block:
        at = order.index(code)
        if not 0 <= at - step < len(order):
            continue
        value = evidence.columns[of][code][0]
        votes += _said(evidence, replace(value.key, region=order[at - step]), value)
        votes -= _said(evidence, value.key, value)
    return votes


def _said(evidence: Evidence, key: Key, value: Figure) -> int:
    """How often another place, or the prose, gives a value for a quantity."""
    others = (*evidence.figures.get(key, ()), *evidence.quoted.get(key, ()))
    return sum(figure.source != value.source and figure.interval.meets(value.interval) for figure in others)


def _shift_finding(
    evidence: Evidence, of: Column, column: dict[str, Figure], reference: dict[str, Figure], step: int, block: list[str]
) -> Finding:
    order = _order(evidence, of, column[block[0]].report)
    changes = []
    for code in block:
        at = order.index(code) - step
        if 0 <= at < len(order):
            figure = column[code]
            changes.append(Change(figure, replace(figure.key, region=order[at]), figure.value))
    first = column[block[0]]
    against = tuple(reference[code] for code in reference if code in order)
    repair = Repair("row_shift", tuple(changes), (against[0].source,), "high" if len(block) >= 5 else "medium")
    return Finding(
        "row_shift", first.source, first.report, replace(first.key, region=""), tuple(column[code] for code in block),
        against, severity="figure", certainty="assumption" if len(block) >= 5 else "suspicion",
        assumption="steady_order", kind="down" if step == 1 else "up",
        items=(block[0], block[-1]), repair=repair, count=len(block),
    )  # fmt: skip


def unborn(evidence: Evidence, columns: dict[Column, dict[str, Figure]], explained: set[int]) -> Iterator[Finding]:
    """Values under names of regions that did not exist; relabelled where as many lines stand as regions did."""
    codes = evidence.catalogue.codes
    groups: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for of, column in columns.items():
        card = evidence.catalogue.cards[of[0]]
        dead = [
            code
            for code, figure in column.items()
            if not codes.regions[code].lives(of[1]) and code != COUNTRY and id(figure) not in explained
        ]
        # A start-of-year figure of the year of birth, and what was recalculated, stand on the later borders.
        if dead and of[1] not in card.recalculated:
            groups[of[0], of[3]].append(of)
    for (_, _), found in groups.items():
        yield _unborn_finding(evidence, {of: columns[of] for of in sorted(found)})


def _unborn_finding(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Finding:
    codes = evidence.catalogue.codes
    listed = evidence.catalogue.codes.regions
    dead = {
        code for of, column in columns.items() for code in column if code != COUNTRY and not listed[code].lives(of[1])
    }
    cells = tuple(columns[of][code] for of in columns for code in _lines(evidence, columns[of]))
    first = cells[0]
    labels = sorted({figure.key.region for figure in cells}, key=list(listed).index)
    living = codes.living(max(figure.key.year for figure in cells))
    relabelled = len(labels) == len(living) and len(columns) > 1
    repair = None
    if relabelled:
        names = dict(zip(labels, living, strict=True))
        changes = tuple(
            Change(figure, replace(figure.key, region=names[figure.key.region]), figure.value)
            for figure in cells
            if names[figure.key.region] != figure.key.region
        )
        repair = Repair("row_labels", changes, (first.source,), "medium")
    own = tuple(figure for figure in cells if figure.key.region in dead)
    newest = replace(first.key, region="", year=max(figure.key.year for figure in cells))
    return Finding(
        "labels_of_later" if relabelled else "unborn", first.source, first.report, newest,
        cells if relabelled else own, severity="label",
        certainty="assumption" if relabelled else "suspicion", assumption="steady_order" if relabelled else "",
        items=tuple(sorted(dead)), repair=repair, count=len(cells if relabelled else own),
    )  # fmt: skip


def headings(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Iterator[Finding]:
    """A column of shares that its own heading does not reproduce, and another does."""
    for of, column in columns.items():
        card = evidence.catalogue.cards[of[0]]
        if not (card.numerator and card.denominator) or card.of_country or len(column) < LEAST or not card.dimensions:
            continue
        fits = {
            codes: fit for codes in _all_codes(evidence, of[0]) if (fit := _fit(evidence, column, codes)) is not None
        }
        own, others = fits.get(of[2]), {codes: fit for codes, fit in fits.items() if codes != of[2]}
        if not others:
            continue
        best = min(others, key=others.__getitem__)
        if others[best] < 0.1 and (own is None or own > 5 * others[best] + 0.02):
            figures = tuple(column.values())
            changes = tuple(Change(figure, replace(figure.key, codes=best), figure.value) for figure in figures)
            against = tuple(
                one
                for figure in figures[:3]
                if (found := evidence.quotient(replace(figure.key, codes=best)))
                for one in found.figures
            )
            sources = tuple(dict.fromkeys(one.source for one in against))
            beside = ((figure, evidence.quotient(replace(figure.key, codes=best))) for figure in figures)
            pairs = tuple((figure, found.interval) for figure, found in beside if found)
            yield Finding(
                "heading", of[3], figures[0].report, Key(of[0], of[1], "", of[2]), figures, against,
                severity="label", certainty="proven" if own is not None else "assumption",
                assumption="" if own is not None else "near_fit", kind="codes", items=best,
                repair=Repair("column_heading", changes, sources, "high"), count=len(figures), recomputed=pairs,
            )  # fmt: skip


def _all_codes(evidence: Evidence, indicator: str) -> Iterator[tuple[str, ...]]:
    names = evidence.catalogue.cards[indicator].dimensions
    yield from product(*(evidence.catalogue.codes.dimensions[name].items for name in names))


def _fit(evidence: Evidence, column: dict[str, Figure], codes: tuple[str, ...]) -> float | None:
    """Mean distance of a column from the quotients under some codes, in spreads of the column."""
    apart, values = [], []
    for figure in column.values():
        if found := evidence.quotient(replace(figure.key, codes=codes)):
            apart.append(abs(found.interval.gap(figure.interval)))
            values.append(figure.number)
    spread = max(values) - min(values) if values else 0.0
    return sum(apart) / len(apart) / spread if len(values) >= LEAST and spread > 0 else None


def year_headings(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Iterator[Finding]:
    """Columns whose country value is given elsewhere for another year, and contradicted for their own."""
    found: dict[tuple[str, int, int], list[tuple[Figure, ...]]] = defaultdict(list)
    for of, column in columns.items():
        nation = column.get(COUNTRY)
        if nation is None or len(column) < LEAST:
            continue
        same = [one for one in evidence.figures[nation.key] if one.source != of[3] and one.report == nation.report]
        if not same or any(one.interval.meets(nation.interval) for one in same):
            continue
        for year in (of[1] + 1, of[1] - 1):
            others = evidence.figures.get(replace(nation.key, year=year), [])
            quoted = [one for one in others if one.interval.meets(nation.interval) and one.source != of[3]]
            if quoted and (of[0], year, of[2], of[3]) not in columns:
                found[of[3], of[1], year].append((nation, *same, *quoted))
    for (source, printed, year), witnesses in found.items():
        # The heading is that of the whole table.
        figures = tuple(
            figure
            for of, column in columns.items()
            if of[3] == source and of[1] == printed
            for figure in column.values()
        )
        nation = witnesses[0][0]
        changes = tuple(Change(one, replace(one.key, year=year), one.value) for one in figures)
        against = tuple(one for few in witnesses for one in few[1:])
        repair = Repair("year_heading", changes, tuple(dict.fromkeys(one.source for one in against)), "high")
        key = Key(nation.key.indicator, printed, "", nation.key.codes)
        yield Finding(
            "heading", source, nation.report, key, figures, against, severity="label", kind="year",
            items=(str(year),), repair=repair, count=len(figures),
        )  # fmt: skip


def doubled(evidence: Evidence) -> Iterator[Finding]:
    """A label that stands on two lines of a place, while another region has none."""
    for column, by in evidence.columns.items():
        twice = [code for code, figures in by.items() if len(figures) > 1]
        living = evidence.catalogue.codes.living(column[1])
        missing = [code for code in living if code not in by]
        if not twice or len(by) < LEAST:
            continue
        for code in twice:
            figures = by[code]
            repair = _relabel(evidence, figures, missing) if len(missing) == 1 and len(figures) == 2 else None
            yield Finding(
                "doubled_label", column[3], figures[0].report, figures[0].key, tuple(figures), severity="label",
                items=tuple(missing), repair=repair, count=len(figures),
            )  # fmt: skip


def _relabel(evidence: Evidence, figures: list[Figure], missing: list[str]) -> Repair | None:
    """Give the missing region that of the two values which is quoted for it, or else leave it open."""
    key = replace(figures[0].key, region=missing[0])
    quoted = [*evidence.figures.get(key, ()), *evidence.quoted.get(key, ())]
    for figure in figures:
        if any(one.interval.meets(figure.interval) for one in quoted):
            other = next(one for one in figures if one is not figure)
            if not any(one.interval.meets(other.interval) for one in quoted):
                return Repair("doubled_label", (Change(figure, key, figure.value),), (quoted[0].source,), "high")
    # Without a quotation the order of the lines decides, which the file does not keep: the missing label's neighbour.
    return None


def copies(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Iterator[Finding]:
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
        key = replace(figures[0].key, region="", year=max(figure.key.year for figure in figures))
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


def copied_lines(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Iterator[Finding]:
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


def swapped_lines(evidence: Evidence, columns: dict[Column, dict[str, Figure]], settled: set[str]) -> Iterator[Finding]:
    """Two lines of a column whose values fit a neighbouring year better when they change places."""
    for of, column in columns.items():
        if of[3] in settled or len(column) < LEAST:
            continue
        for reference in _references(evidence, columns, of):
            if found := _exchange(evidence, column, reference):
                one, two = found
                changes = (Change(one, two.key, one.value), Change(two, one.key, two.value))
                against = tuple(reference[figure.key.region] for figure in (one, two))
                yield Finding(
                    "swapped_lines", of[3], one.report, replace(one.key, region=""), (one, two), against,
                    certainty="suspicion", items=(one.key.region, two.key.region),
                    repair=Repair("swapped_rows", changes, (against[0].source,), "medium"), count=2,
                )  # fmt: skip
                break


def _exchange(
    evidence: Evidence, column: dict[str, Figure], reference: dict[str, Figure]
) -> tuple[Figure, Figure] | None:
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
                    "swapped_places", two.source, two.report, replace(two.key, region=""), (two, four), (one, three),
                    severity="label", items=(one.key.region, three.key.region), count=2,
                )  # fmt: skip


def jumps(evidence: Evidence) -> Iterator[Finding]:
    """A value that leaves its own history while the other regions do not move."""
    series: dict[tuple[str, tuple[str, ...], str], dict[int, dict[str, Figure]]] = defaultdict(dict)
    for of, by in evidence.columns.items():
        series[of[0], of[2], of[3]][of[1]] = _first(by)
    for years in series.values():
        for before, now in zip(sorted(years), sorted(years)[1:], strict=False):
            if now == before + 1:
                yield from _jumped(evidence, years[before], years[now])
    yield from _lone_jumps(evidence)


def _jumped(evidence: Evidence, before: dict[str, Figure], now: dict[str, Figure]) -> Iterator[Finding]:
    moves = {
        code: log10(now[code].number / before[code].number)
        for code in now
        if code in before
        and now[code].number > 0
        and before[code].number > 0
        and _sizeable(evidence, now[code], before[code])
        and not evidence.catalogue.codes.moved_borders(code, now[code].key.year)
    }
    if len(moves) < LEAST:
        return
    middle = median(moves.values())
    usual = max(median(abs(move - middle) for move in moves.values()) * 1.4826, 0.02)
    if evidence.card(next(iter(now.values())).key).kind == "share":
        yield from _stepped(evidence, {code: (before[code], now[code]) for code in moves})
    for code, move in moves.items():
        away = move - middle
        if abs(away) > JUMP * usual and abs(away) > log10(FACTOR):
            slip = next((power for power in SLIPS if abs(abs(away) - power) < 0.08), 0)
            figure = now[code]
            likely = before[code].number * 10**middle
            yield Finding(
                "unit_slip" if slip else "jump", figure.source, figure.report, figure.key, (figure,), (before[code],),
                Interval(likely / 10 ** (3 * usual), likely * 10 ** (3 * usual)), certainty="suspicion",
                kind=str(slip) if slip else "", 
            )  # fmt: skip


def _stepped(evidence: Evidence, pairs: dict[str, tuple[Figure, Figure]]) -> Iterator[Finding]:
    """Shares that rise or fall by many points while the others stay."""
    steps = {code: now.number - before.number for code, (before, now) in pairs.items()}
    middle = median(steps.values())
    usual = max(median(abs(step - middle) for step in steps.values()) * 1.4826, 0.2)
    for code, step in steps.items():
        before, figure = pairs[code]
        doubled = not 1 / FACTOR < figure.number / before.number < FACTOR
        if abs(step - middle) > JUMP * usual and abs(step) >= POINTS and not doubled:
            likely = before.number + middle
            yield Finding(
                "jump", figure.source, figure.report, figure.key, (figure,), (before,),
                Interval(likely - 3 * usual, likely + 3 * usual), certainty="suspicion",
            )  # fmt: skip


def _sizeable(evidence: Evidence, *figures: Figure) -> bool:
    """Whether a change of these figures is not that of a handful of cases."""
    card = evidence.card(figures[0].key)
    if card.kind in ("count", "money"):
        return min(figure.number for figure in figures) >= BASE or max(figure.number for figure in figures) >= 10 * BASE
    # A rate near zero doubles by rounding.
    return all(figure.number >= 4 * (figure.interval.high - figure.interval.low) for figure in figures)


def _lone_jumps(evidence: Evidence) -> Iterator[Finding]:
    """A value of a long series, alone, that is a power of ten from both its neighbours."""
    lines: dict[tuple[str, str, tuple[str, ...], str], dict[int, Figure]] = defaultdict(dict)
    for key, figures in evidence.figures.items():
        for figure in figures:
            lines[key.indicator, key.region, key.codes, figure.source][key.year] = figure
    for line in lines.values():
        years = sorted(line)
        for past, year, later in zip(years, years[1:], years[2:], strict=False):
            ends = line[past].number, line[later].number
            if min(*ends, line[year].number) <= 0 or max(ends) / min(ends) > FACTOR:
                continue
            away = log10(line[year].number / (ends[0] * ends[1]) ** 0.5)
            slip = next((power for power in SLIPS if abs(abs(away) - power) < 0.12), 0)
            if slip and _sizeable(evidence, line[past], line[later]):
                figure = line[year]
                yield Finding(
                    "unit_slip", figure.source, figure.report, figure.key, (figure,), (line[past], line[later]),
                    Interval(min(ends), max(ends)), certainty="suspicion", kind=str(slip),
                )  # fmt: skip


def old_borders(evidence: Evidence, columns: dict[Column, dict[str, Figure]]) -> Iterator[Finding]:
    """A table of a year in which new regions lived, without them: its figures stand on the old borders."""
    codes = evidence.catalogue.codes
    groups: dict[str, list[Column]] = defaultdict(list)
    for of, column in columns.items():
        new = [
            code
            for code in codes.living(of[1])
            if codes.regions[code].parent and (codes.regions[code].first or 0) == of[1]
        ]
        if of[3].startswith("table") and len(column) >= LEAST and new and not set(new) & set(column):
            groups[of[3]].append(of)
    for found in groups.values():
        of = sorted(found)[0]
        column = columns[of]
        figures = tuple(column.values())
        new = [
            code
            for code in codes.living(of[1])
            if codes.regions[code].parent and (codes.regions[code].first or 0) == of[1]
        ]
        yield Finding(
            "region_set", of[3], figures[0].report, Key(of[0], of[1], "", of[2]), figures[:1],
            severity="label", certainty="suspicion", items=tuple(new), count=len(figures),
        )  # fmt: skip
