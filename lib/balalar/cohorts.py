"""Births of past years as the first-graders of years to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCHOOL_AGE = 6  # completed years at which a child enters the first grade


@dataclass(frozen=True)
class Intake:
    """First-graders that are to be expected of one year's births.

    Attributes
    ----------
    year : int
        In whose autumn they enter school.
    born : int
    births : float
    pupils : float
        Births less the deaths before the age of five, as the year's rate has them. Nobody moves in or out.
    """

    year: int
    born: int
    births: float
    pupils: float


def intakes(births: Mapping[int, float], deaths_per_1000: float) -> list[Intake]:
    """First-graders of the years in which the children born reach school age.

    Parameters
    ----------
    births : mapping of int to float
        Live births by year.
    deaths_per_1000 : float
        Deaths under five per 1,000 live births, taken to hold for all the years.

    Examples
    --------
    >>> intakes({2016: 1000.0}, 10.0)
    [Intake(year=2022, born=2016, births=1000.0, pupils=990.0)]
    """
    return [
        Intake(born + SCHOOL_AGE, born, number, number * (1 - deaths_per_1000 / 1000))
        for born, number in sorted(births.items())
    ]
