"""Which uncertainty moves the scores: Sobol indices of the choices of method and of the data's error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as sampling

from balalar.errors import RequestError
from balalar.index.aggregate import places
from balalar.index.build import Array, Index
from balalar.index.noise import noisy
from balalar.index.simulate import BATCH, STEPS, Choices, check_doubt, scores_of
from balalar.spec import Uncertainty

SHEETS = 500  # draws of the data's errors, of which each evaluation takes one
RESAMPLES = 200
COLUMNS = ["factor", "first", "first_low", "first_high", "total", "total_low", "total_high"]


def sobol(
    function: Callable[[Array], Array],
    factors: Mapping[str, tuple[float, float]],
    size: int,
    seed: int = 1,
    groups: Mapping[str, str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """First-order and total Sobol indices of a function, by Saltelli's scheme.

    Parameters
    ----------
    function : callable
        Of an array (evaluation, factor); gives (evaluation,) or (evaluation, output).
    factors : mapping of str to tuple
        Lowest and highest value of each factor.
    size : int
        Base size of the sample, best a power of 2; the function is evaluated ``size * (groups + 2)`` times.
    seed : int
    groups : mapping of str to str, optional
        Group of each factor; each on its own, if left out.
    confidence : float
        Of the bounds, which come from resampling.

    Returns
    -------
    DataFrame
        output, factor, first, first_low, first_high, total, total_low, total_high. An output that does not vary has
        NaN.
    """
    own = [(groups or {}).get(name, name) for name in factors]
    problem = {
        "num_vars": len(factors),
        "names": list(factors),
        "bounds": [list(bounds) for bounds in factors.values()],
        "groups": own,
    }
    points = sampling.sample(problem, size, calc_second_order=False, seed=seed)
    found = function(points)
    table = found[:, None] if found.ndim == 1 else found
    names = list(dict.fromkeys(own))
    frames = []
    for output, values in enumerate(table.T):
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            frame = pd.DataFrame({"factor": names}).reindex(columns=COLUMNS)
        else:
            result = analysis.analyze(
                problem, values, calc_second_order=False, num_resamples=RESAMPLES, conf_level=confidence, seed=seed
            )
            frame = pd.DataFrame(
                {
                    "factor": names,
                    "first": result["S1"],
                    "first_low": result["S1"] - result["S1_conf"],
                    "first_high": result["S1"] + result["S1_conf"],
                    "total": result["ST"],
                    "total_low": result["ST"] - result["ST_conf"],
                    "total_high": result["ST"] + result["ST_conf"],
                }
            )
        frames.append(frame.assign(output=output)[["output", *COLUMNS]])
    return pd.concat(frames, ignore_index=True)


def sensitivity(
    index: Index,
    doubt: Uncertainty | None = None,
    size: int | None = None,
    seed: int | None = None,
    scores: bool = True,
) -> pd.DataFrame:
    """Sobol indices of the index: of the mean shift in places, and of each score.

    Factors are the steps with alternatives (``impute``, ``treat``, ``normalise``, ``aggregate``), ``weights``,
    ``leave_out`` and ``data``. The data's error is one factor: it counts the sheets of drawn values.

    Parameters
    ----------
    index : Index
    doubt : Uncertainty, optional
        What is not certain; the spec's, if left out.
    size, seed : int, optional
        As in ``sobol``; the spec's, if left out.
    scores : bool
        Whether each score is wanted too, which takes most of the time beside the drawing.

    Returns
    -------
    DataFrame
        region, year (both empty for the mean absolute shift of places against the index as specified), then as from
        ``sobol``.
    """
    doubt = doubt or index.spec.uncertainty
    check_doubt(index, doubt)
    seed = doubt.seed if seed is None else seed
    groups = _factors(index, doubt)
    if len(set(groups.values())) < 2:
        raise RequestError(f"sensitivity: only {', '.join(set(groups.values()))} is uncertain, so all is due to it")
    sheets = noisy(index.problem, SHEETS, np.random.default_rng(seed)) if "data" in groups else index.problem.raw
    exact = index.ranks[index.spec.top].to_numpy(float, na_value=np.nan)

    def outputs(points: Array) -> Array:
        found = []
        for start in range(0, len(points), BATCH):
            part = dict(zip(groups, points[start : start + BATCH].T, strict=True))
            sheet = (part["data"] * SHEETS).astype(int) if "data" in part else None
            raw = {name: one if one.ndim == 1 else one[sheet] for name, one in sheets.items()}
            drawn = scores_of(index, doubt, _choices(index, doubt, part), raw)[index.spec.top]
            shift = np.nanmean(np.abs(places(drawn, index.problem.blocks) - exact), axis=-1)
            found.append(np.column_stack([shift, drawn]) if scores else shift)
        return np.concatenate(found)

    table = sobol(outputs, dict.fromkeys(groups, (0.0, 1.0)), size or doubt.sensitivity, seed, groups, doubt.confidence)
    units = [("", ""), *index.scores.index]
    table.insert(0, "region", [units[at][0] for at in table["output"]])
    table.insert(1, "year", [units[at][1] for at in table["output"]])
    return table.drop(columns="output")


def _factors(index: Index, doubt: Uncertainty) -> dict[str, str]:
    """Each factor with its group: the weights of all nodes are one."""
    found = {name: name for name in STEPS if len(getattr(doubt, name)) > 1}
    if doubt.weights:
        found |= {f"weight of {name}": "weights" for name in (*index.spec.indicators, *index.spec.groups)}
    if doubt.leave_out:
        found["leave_out"] = "leave_out"
    if doubt.data and any(one.error for one in index.spec.indicators.values()):
        found["data"] = "data"
    return found


def _choices(index: Index, doubt: Uncertainty, part: dict[str, Array]) -> Choices:
    """Evaluation points between 0 and 1 as choices."""
    size = len(next(iter(part.values())))
    # A step with one alternative always takes it.
    steps = {
        name: (part[name] * len(getattr(doubt, name))).astype(int) if name in part else np.zeros(size, int)
        for name in STEPS
        if getattr(doubt, name)
    }
    width = doubt.weights.spread if doubt.weights else 0.0
    prefix = "weight of "
    spread = {
        name.removeprefix(prefix): 1 - width + 2 * width * values
        for name, values in part.items()
        if name.startswith(prefix)
    }
    count = len(index.spec.indicators) + 1
    out = (part["leave_out"] * count).astype(int) - 1 if "leave_out" in part else np.full(size, -1)
    return Choices(steps, spread, out)
