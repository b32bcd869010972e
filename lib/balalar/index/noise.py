"""Errors of the data: values as they may truly be, drawn within what is known of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from balalar.index.build import Array, Arrays, Problem, refused
from balalar.index.prepare import outside
from balalar.spec import Error


def noisy(problem: Problem, size: int, chance: np.random.Generator) -> Arrays:
    """Values as they may truly be: drawn ``size`` times within their errors.

    A share of ``n`` people asked, of whom ``k`` said yes, is drawn from Beta(k + 1/2, n - k + 1/2), a count of ``k``
    cases from Gamma(k + 1/2) (Jeffreys' priors), a rounded value evenly over what rounds to it. An indicator without
    errors keeps its values.

    Returns
    -------
    dict of str to array
        (unit,) without errors, else (size, unit).
    """
    drawn = {}
    for name, one in problem.spec.indicators.items():
        values = problem.raw[name]
        moved = values
        for error in one.error:
            # The errors of one value add up: first drawn, then rounded.
            moved = moved + _deviation(problem, name, error, values, size, chance)
        if one.error and not (values < 0).any():
            moved = np.maximum(moved, _lowest(values, one.transform or problem.spec.transform))
        drawn[name] = moved
    return drawn


def _lowest(values: Array, transform: str) -> float:
    """What a draw is raised to, where no value is negative: 0, or half the lowest value where 0 has no logarithm."""
    return float(np.nanmin(values)) / 2 if outside(transform, np.zeros(1)).any() else 0.0


def _deviation(
    problem: Problem, name: str, error: Error, values: Array, size: int, chance: np.random.Generator
) -> Array:
    """Draws of an error of one indicator, (size, unit); 0 where a value has no size and may be exact."""
    law = {"rounding": _rounded, "normal": _measured, "binomial": _asked, "poisson": _counted}[error.method]
    drawn = law(problem, name, error, values, (size, len(values)), chance)
    return np.where(np.isnan(drawn) & ~np.isnan(values), 0.0, drawn)


def _rounded(
    problem: Problem, name: str, error: Error, values: Array, shape: tuple[int, int], chance: np.random.Generator
) -> Array:
    half = np.full(len(values), error.digit / 2) if error.digit else problem.data.half[name].to_numpy(float)
    if np.isnan(half[~np.isnan(values)]).any():
        told = "rounding needs its digit where values come as numbers, not as text"
        raise refused(problem, f"{name}.error", "", told, "Say {method: rounding, digit: 0.1}.")
    return chance.uniform(-1.0, 1.0, shape) * half


def _measured(
    problem: Problem, name: str, error: Error, values: Array, shape: tuple[int, int], chance: np.random.Generator
) -> Array:
    sd = np.abs(values) * error.cv if error.cv else _size(problem, name, error, error.sd)
    return chance.standard_normal(shape) * sd


def _asked(
    problem: Problem, name: str, error: Error, values: Array, shape: tuple[int, int], chance: np.random.Generator
) -> Array:
    people = _size(problem, name, error, error.sample) / error.design_effect
    share = values / error.per
    _within(problem, name, values, (share < 0) | (share > 1), f"a share lies between 0 and {error.per:g}")
    yes = share * people
    return _drawn(chance.beta, yes + 0.5, people - yes + 0.5, shape) * error.per - values


def _counted(
    problem: Problem, name: str, error: Error, values: Array, shape: tuple[int, int], chance: np.random.Generator
) -> Array:
    _within(problem, name, values, values < 0, "a count or rate is not negative")
    for_each = np.ones(len(values))  # of the value, for each case
    if error.base is not None:
        for_each = error.per / _size(problem, name, error, error.base)
    elif error.cases is not None:
        cases = _size(problem, name, error, error.cases)
        _within(problem, name, values, cases <= 0, "a rate without cases needs its base to have an error")
        for_each = values / cases
    return _drawn(chance.gamma, values / for_each + 0.5, np.ones(len(values)), shape) * for_each - values


def _drawn(law: Any, first: Array, second: Array, shape: tuple[int, int]) -> Array:
    """Draws of a law, NaN where a parameter is missing."""
    known = ~np.isnan(first) & ~np.isnan(second)
    found = np.full(shape, np.nan)
    found[:, known] = law(first[known], second[known], (shape[0], int(known.sum())))
    return found


def _size(problem: Problem, name: str, error: Error, size: float | str | None) -> Array:
    """Size of an error for each value; missing only where the error allows it."""
    if not isinstance(size, str):
        return np.full(len(problem.units), float(size or 0))
    found = problem.data.numbers(size, name)
    _within(problem, name, problem.raw[name], found <= 0, f"{size} must be above 0")
    if error.gaps == "refuse":
        told = f"the error of this value needs {size}, which is empty"
        _within(problem, name, problem.raw[name], np.isnan(found), told)
    return found


def _within(problem: Problem, name: str, values: Array, wrong: Array, told: str) -> None:
    at = np.flatnonzero(wrong & ~np.isnan(values))
    if at.size:
        region, year = problem.units[at[0]]
        raise refused(problem, f"{name}.error", f"{values[at[0]]:g}", f"{told} ({region} {year})", "Mend the value.")
