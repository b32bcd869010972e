"""Slips that no relation declares, found in the figures as printed."""

from __future__ import annotations

from collections.abc import Iterator

from balalar.audit import copies, jumps, slips
from balalar.audit.columns import columns_of
from balalar.audit.evidence import Evidence
from balalar.audit.finding import Finding


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Every pattern found in the figures as printed.

    Parameters
    ----------
    evidence : Evidence

    Yields
    ------
    Finding
    """
    columns = columns_of(evidence)
    # Where all labels are wrong no line has slipped.
    relabelled = {finding.place for finding in slips.unborn(evidence, columns, set()) if finding.repair}
    shifted = [finding for finding in slips.row_shifts(evidence, columns) if finding.place not in relabelled]
    misdated = list(slips.year_headings(evidence, columns))
    explained = {id(figure) for finding in (*shifted, *misdated) for figure in finding.figures}
    exchanged = list(copies.swapped_places(evidence))
    yield from shifted
    yield from slips.headings(evidence, columns)
    yield from misdated
    yield from slips.unborn(evidence, columns, explained)
    yield from slips.doubled(evidence)
    yield from slips.old_borders(evidence, columns)
    yield from copies.copied_columns(evidence, columns)
    yield from copies.copied_lines(evidence, columns)
    yield from copies.swapped_lines(evidence, columns, {finding.place for finding in shifted})
    yield from exchanged
    yield from copies.moved_values(evidence, {one.key for finding in exchanged for one in finding.figures})
    yield from jumps.jumps(evidence)
