"""What a printed figure may stand for, and arithmetic on it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from balalar.dataset import exponent

EPSILON = 1e-9  # of a float's own rounding


@dataclass(frozen=True)
class Interval:
    """All values from low to high.

    Examples
    --------
    >>> Interval(5.15, 5.25) - Interval(4.95, 5.05)
    Interval(low=0.1..., high=0.3)
    """

    low: float
    high: float

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        ends = [one * two for one in (self.low, self.high) for two in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: Interval) -> Interval:
        """Quotient; endless where the other may be zero."""
        if other.low <= 0 <= other.high:
            return Interval(float("-inf"), float("inf"))
        ends = [one / two for one in (self.low, self.high) for two in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def times(self, factor: float) -> Interval:
        """Interval scaled by a number."""
        return self * Interval(factor, factor)

    def meets(self, other: Interval) -> bool:
        """Whether some value lies in both; that two rounded figures share an edge is not enough."""
        slack = EPSILON * max(1.0, *(abs(end) for end in (self.low, self.high, other.low, other.high) if isfinite(end)))
        if self.high - self.low > slack and other.high - other.low > slack:
            slack = -slack
        return self.low <= other.high + slack and other.low <= self.high + slack

    def gap(self, other: Interval) -> float:
        """How far the two lie apart; 0 where they meet, positive where this one is higher."""
        if self.meets(other):
            return 0.0
        return self.low - other.high if self.low > other.high else self.high - other.low

    def hull(self, other: Interval) -> Interval:
        """Smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    @property
    def middle(self) -> float:
        """Value in the middle."""
        return (self.low + self.high) / 2


def exact(value: float) -> Interval:
    """The interval of one value."""
    return Interval(value, value)


def total(intervals: list[Interval]) -> Interval:
    """Sum of intervals."""
    return Interval(sum(one.low for one in intervals), sum(one.high for one in intervals))


def of_printed(value: str, whole: bool = False) -> Interval:
    """Values that are printed as a figure.

    Parameters
    ----------
    value : str
        Figure as the observations write it: ``"5.2"``, ``"7e6"``.
    whole : bool
        True for a count in single units, which was not rounded if it is printed in full.

    Examples
    --------
    >>> of_printed("5.2")
    Interval(low=5.15, high=5.25)
    >>> of_printed("7e6", whole=True)
    Interval(low=6500000.0, high=7500000.0)
    >>> of_printed("42", whole=True)
    Interval(low=42.0, high=42.0)
    """
    number, last = float(value), exponent(value)
    half = 0.0 if whole and last == 0 else 10.0**last / 2
    places = max(-last + 2, 0)
    return Interval(round(number - half, places), round(number + half, places))
