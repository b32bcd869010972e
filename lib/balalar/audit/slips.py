"""Labels and headings that do not belong to their values: slipped lines, wrong headings, names of another list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import numpy as np

from balalar.audit import identities
from balalar.audit.columns import LEAST, Column, Columns, Heading, lines_of, order_of, references
from balalar.audit.evidence import Evidence, Figure, Key
from balalar.audit.finding import Change, Finding, Repair
from balalar.cards import COUNTRY

SHORTEST = 4  # lines of a block that slipped
NEAR = 0.35  # a slip leaves at most this share of the distance to the reference
APART = 0.12  # of the column's spread, by which a slipped block must be off on average


def row_shifts(evidence: Evidence, columns: Columns) -> Iterator[Finding]:
    """A block of values that stands one line too low or too high against its labels."""
    best: dict[Heading, tuple[float, int, list[str], dict[str, Figure]]] = {}
    for of, column in columns.items():
        lines = lines_of(evidence, column)
        if len(lines) < LEAST:
            continue
        for reference in references(evidence, columns, of):
            report = next(iter(column.values())).report
            found = _slipped(column, reference, order_of(evidence, of, report))
            if found and (of not in best or found[0] > best[of][0]):
                best[of] = (*found, reference)
    for of, (_, step, block, reference) in best.items():
        # The block fits both columns where two neighbours are compared; the one that other figures bear out counts.
        other = next(
            (two for two in best if two[0] == of[0] and two[2] == of[2] and two != of and columns[two] is reference),
            None,
        )
        if other:
            votes = [_borne_out(evidence, one, best[one][2], best[one][1]) for one in (of, other)]
            if votes[0] == votes[1]:
                votes = [_broken(evidence, one, best[one][2]) for one in (of, other)]
            if votes[0] < votes[1] or (votes[0] == votes[1] and other > of):
                continue
        yield _shift_finding(evidence, of, columns[of], reference, step, block)


def _slipped(column: Column, reference: Column, order: list[str]) -> tuple[float, int, list[str]] | None:
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
                if fits and after <= strict * before and before / count > APART and (best is None or gain > best[0]):
                    best = (gain, step, [code for code in lines[start:stop] if code in column])
    return best


def _broken(evidence: Evidence, of: Heading, block: list[str]) -> int:
    """How many relations of a block do not hold, less those that do."""
    cells = {figure.key for code in block for figure in evidence.columns[of][code]}
    near = evidence.among(evidence.related_to(of[0]))
    about = [test for test in identities.tests(near) if cells & {one.key for one in (test.figure, *test.against)}]
    return sum(1 if not test.holds else -1 for test in about)


def _borne_out(evidence: Evidence, of: Heading, block: list[str], step: int) -> int:
    """How far quoted values bear out that a block slipped, and regions that were not born.

    Values that another place gives as moved, less those that it gives as they stand.
    """
    own, regions = evidence.columns[of][block[0]][0], evidence.catalogue.codes.regions
    order = order_of(evidence, of, own.report)
    votes = sum(not regions[code].lives(of[1]) for code in block)
    for code in block:
        at = order.index(code)
        if not 0 <= at - step < len(order):
            continue
        value = evidence.columns[of][code][0]
        votes += _said(evidence, value.key._replace(region=order[at - step]), value)
        votes -= _said(evidence, value.key, value)
    return votes


def _said(evidence: Evidence, key: Key, value: Figure) -> int:
    """How often another place, or the prose, gives a value for a quantity."""
    others = (*evidence.figures.get(key, ()), *evidence.quoted.get(key, ()))
    return sum(figure.source != value.source and figure.interval.meets(value.interval) for figure in others)


def _shift_finding(
    evidence: Evidence, of: Heading, column: Column, reference: Column, step: int, block: list[str]
) -> Finding:
    order = order_of(evidence, of, column[block[0]].report)
    changes = []
    for code in block:
        at = order.index(code) - step
        if 0 <= at < len(order):
            figure = column[code]
            changes.append(Change(figure, figure.key._replace(region=order[at]), figure.value))
    first = column[block[0]]
    against = tuple(reference[code] for code in reference if code in order)
    repair = Repair("row_shift", tuple(changes), (against[0].source,), "high" if len(block) >= 5 else "medium")
    return Finding(
        "row_shift", first.source, first.report, first.key._replace(region=""), tuple(column[code] for code in block),
        against, severity="figure", certainty="assumption" if len(block) >= 5 else "suspicion",
        assumption="steady_order", kind="down" if step == 1 else "up",
        items=(block[0], block[-1]), repair=repair, count=len(block),
    )  # fmt: skip


def unborn(evidence: Evidence, columns: Columns, explained: set[int]) -> Iterator[Finding]:
    """Values under names of regions that did not exist; relabelled where as many lines stand as regions did."""
    codes = evidence.catalogue.codes
    groups: dict[tuple[str, str], list[Heading]] = defaultdict(list)
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


def _unborn_finding(evidence: Evidence, columns: Columns) -> Finding:
    codes = evidence.catalogue.codes
    listed = evidence.catalogue.codes.regions
    dead = {
        code for of, column in columns.items() for code in column if code != COUNTRY and not listed[code].lives(of[1])
    }
    cells = tuple(columns[of][code] for of in columns for code in lines_of(evidence, columns[of]))
    first = cells[0]
    labels = sorted({figure.key.region for figure in cells}, key=list(listed).index)
    living = codes.living(max(figure.key.year for figure in cells))
    relabelled = len(labels) == len(living) and len(columns) > 1
    repair = None
    if relabelled:
        names = dict(zip(labels, living, strict=True))
        changes = tuple(
            Change(figure, figure.key._replace(region=names[figure.key.region]), figure.value)
            for figure in cells
            if names[figure.key.region] != figure.key.region
        )
        repair = Repair("row_labels", changes, (first.source,), "medium")
    own = tuple(figure for figure in cells if figure.key.region in dead)
    newest = first.key._replace(region="", year=max(figure.key.year for figure in cells))
    return Finding(
        "labels_of_later" if relabelled else "unborn", first.source, first.report, newest,
        cells if relabelled else own, severity="label",
        certainty="assumption" if relabelled else "suspicion", assumption="steady_order" if relabelled else "",
        items=tuple(sorted(dead)), repair=repair, count=len(cells if relabelled else own),
    )  # fmt: skip


def headings(evidence: Evidence, columns: Columns) -> Iterator[Finding]:
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
            changes = tuple(Change(figure, figure.key._replace(codes=best), figure.value) for figure in figures)
            beside = [evidence.quotient(figure.key._replace(codes=best)) for figure in figures]
            against = tuple(one for found in beside[:3] if found for one in found.figures)
            sources = tuple(dict.fromkeys(one.source for one in against))
            pairs = tuple((figure, found.interval) for figure, found in zip(figures, beside, strict=True) if found)
            yield Finding(
                "heading", of[3], figures[0].report, Key(of[0], of[1], "", of[2]), figures, against,
                severity="label", certainty="proven" if own is not None else "assumption",
                assumption="" if own is not None else "near_fit", kind="codes", items=best,
                repair=Repair("column_heading", changes, sources, "high"), count=len(figures), recomputed=pairs,
            )  # fmt: skip


def _all_codes(evidence: Evidence, indicator: str) -> Iterator[tuple[str, ...]]:
    names = evidence.catalogue.cards[indicator].dimensions
    yield from product(*(evidence.catalogue.codes.dimensions[name].items for name in names))


def _fit(evidence: Evidence, column: Column, codes: tuple[str, ...]) -> float | None:
    """Mean distance of a column from the quotients under some codes, in spreads of the column."""
    apart, values = [], []
    for figure in column.values():
        if found := evidence.quotient(figure.key._replace(codes=codes)):
            apart.append(abs(found.interval.gap(figure.interval)))
            values.append(figure.number)
    spread = max(values) - min(values) if values else 0.0
    return sum(apart) / len(apart) / spread if len(values) >= LEAST and spread > 0 else None


def year_headings(evidence: Evidence, columns: Columns) -> Iterator[Finding]:
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
            others = evidence.figures.get(nation.key._replace(year=year), [])
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
        changes = tuple(Change(one, one.key._replace(year=year), one.value) for one in figures)
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
    key = figures[0].key._replace(region=missing[0])
    quoted = [*evidence.figures.get(key, ()), *evidence.quoted.get(key, ())]
    for figure in figures:
        if any(one.interval.meets(figure.interval) for one in quoted):
            other = next(one for one in figures if one is not figure)
            if not any(one.interval.meets(other.interval) for one in quoted):
                return Repair("doubled_label", (Change(figure, key, figure.value),), (quoted[0].source,), "high")
    # Without a quotation the order of the lines decides, which the file does not keep: the missing label's neighbour.
    return None


def old_borders(evidence: Evidence, columns: Columns) -> Iterator[Finding]:
    """A table of a year in which new regions lived, without them: its figures stand on the old borders."""
    codes = evidence.catalogue.codes
    groups: dict[str, list[Heading]] = defaultdict(list)
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
