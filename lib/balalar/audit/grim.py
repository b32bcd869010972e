"""Percentages that no whole number of people can give, and the samples that printed percentages imply.

After N. Brown and J. Heathers, The GRIM test, Social Psychological and Personality Science 8(4), 2017.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import ceil, floor

from balalar.audit.evidence import Evidence, Figure
from balalar.audit.finding import Test
from balalar.audit.interval import EPSILON, Interval

LARGEST = 2000  # samples of a region that are tried
FEWEST = 3  # percentages from which a sample is told


def attainable(span: Interval, base: float, per: float = 100.0) -> bool:
    """Whether some whole number out of a base is printed as a figure.

    Examples
    --------
    >>> attainable(Interval(70.545, 70.555), 3000), attainable(Interval(70.535, 70.545), 3000)
    (False, False)
    >>> attainable(Interval(70.55, 70.65), 3000)
    True
    """
    low, high = span.low / per * base, span.high / per * base
    return ceil(low - EPSILON * base) <= floor(high + EPSILON * base)


def tests(evidence: Evidence) -> Iterator[Test]:
    """Shares and rates of a known base, each of which must be a whole number out of it."""
    for key, figures in list(evidence.figures.items()):
        card = evidence.card(key)
        if card.sample is None:
            continue
        base = evidence.figures.get(evidence.key(card.sample, key.year, key.region, card.sample_codes))
        if not base or base[0].number <= 0 or any(code != "total" for code in key.codes):
            continue
        for figure in figures:
            fits = attainable(figure.interval, base[0].number, card.sample_per)
            yield Test(
                "grim",
                figure,
                (base[0],),
                _nearest(figure, base[0].number, card.sample_per),
                fits,
                "suspicion",
                "sample",
            )


def _nearest(figure: Figure, base: float, per: float) -> Interval:
    """The two values next to a figure that whole numbers can give."""
    count = floor(figure.number / per * base)
    return Interval(count / base * per, (count + 1) / base * per)


def smallest_samples(evidence: Evidence) -> dict[tuple[str, ...], dict[str, tuple[int, int]]]:
    """The smallest number of respondents that can give all of a region's survey percentages.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    dict of tuple of str to dict of str to (int, int)
        By the codes of those asked and by region: the number, and of how many percentages; the true sample may be
        larger.
    """
    spans: dict[tuple[str, ...], dict[str, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    for key, figures in evidence.figures.items():
        card, figure = evidence.card(key), figures[0]
        exactly = figure.status != "E" and "." in figure.value
        if card.time == "survey" and card.kind == "share" and card.sample and exactly:
            spans[tuple(card.sample_codes.values())][key.region].append(figure.interval)
    return {
        asked: {
            region: (smallest, len(wanted))
            for region, wanted in regions.items()
            if len(wanted) >= FEWEST and (smallest := _smallest(wanted))
        }
        for asked, regions in spans.items()
    }


def _smallest(wanted: list[Interval]) -> int:
    return next((n for n in range(1, LARGEST) if all(attainable(one, n) for one in wanted)), 0)
