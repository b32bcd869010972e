"""Values that leave their own history while the others do not move; a unit or a decimal point that slipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import log10
from statistics import median

from balalar.audit.columns import LEAST, Column
from balalar.audit.evidence import Evidence, Figure
from balalar.audit.finding import Finding
from balalar.audit.interval import Interval

JUMP = 8.0  # robust standard deviations from the other regions' change
FACTOR = 2.0  # by which a value must leave its own history, to be a jump
POINTS = 10  # of a share, by which it must move to be a jump
BASE = 30  # a count smaller than this jumps by chance
SLIPS = (1, 2, 3)  # powers of ten by which a unit or a point slips


def jumps(evidence: Evidence) -> Iterator[Finding]:
    """A value that leaves its own history while the other regions do not move."""
    series: dict[tuple[str, tuple[str, ...], str], dict[int, dict[str, Figure]]] = defaultdict(dict)
    for of, by in evidence.columns.items():
        series[of[0], of[2], of[3]][of[1]] = {region: figures[0] for region, figures in by.items()}
    for years in series.values():
        for before, now in zip(sorted(years), sorted(years)[1:], strict=False):
            if now == before + 1:
                yield from _jumped(evidence, years[before], years[now])
    yield from _lone_jumps(evidence)


def _jumped(evidence: Evidence, before: Column, now: Column) -> Iterator[Finding]:
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
    if card.additive:
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
