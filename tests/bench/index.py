"""How fast the Monte Carlo of an index is, how it grows, and how much memory it takes: ``make bench-index``.

Each measurement runs in a process of its own, three times; the median and the highest peak of memory are told. The data
are made up in the shape of the ASEM index (51 countries, 49 indicators, 8 groups of 2 of 1), with gaps, outliers and
errors, so that every step has its work.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from balalar.index.build import Index, build
from balalar.index.simulate import simulate
from balalar.spec import spec_of
from balalar.values import values_of

RUNS = 3
UNITS, INDICATORS, REPLICATIONS = 51, 49, 10_000
COINR = 20.2  # seconds of COINr 1.1.14 for 100 replications of 51 units and 49 indicators on a two-core machine
SIZES = [
    *((UNITS, INDICATORS, size) for size in (1_000, 2_500, 5_000, 10_000, 20_000)),
    *((units, INDICATORS, REPLICATIONS) for units in (102, 204)),
    *((UNITS, indicators, REPLICATIONS) for indicators in (98, 196)),
]


def made_up(units: int, indicators: int) -> Index:
    """An index of made-up data."""
    chance = np.random.default_rng(1)
    values = np.exp(chance.normal(0, 0.6, (units, indicators)))
    values[chance.random(values.shape) < 0.03] = np.nan
    names = [f"x{number}" for number in range(indicators)]
    frame = pd.DataFrame(values, columns=names).assign(
        region=[f"r{number}" for number in range(units)], year=2022, kind=["a", "b", "c"] * (units // 3)
    )
    groups = {"index": {}, "one": {"parent": "index"}, "two": {"parent": "index"}}
    groups |= {f"g{number}": {"parent": "one" if number < 5 else "two"} for number in range(8)}
    spec = spec_of(
        {
            "impute": {"method": "mean", "by": "kind"},
            "treat": "winsorise",
            "groups": groups,
            "indicators": {
                name: {"parent": f"g{number % 8}", "error": {"method": "normal", "cv": 0.05}}
                for number, name in enumerate(names)
            },
            "uncertainty": {
                "impute": [{"method": "mean", "by": "kind"}, "median"],
                "normalise": ["minmax", "percentile"],
                "aggregate": ["arithmetic", {"method": "geometric", "floor": 1}],
                "weights": {"spread": 0.25},
                "leave_out": True,
            },
        }
    )
    return build(spec, values_of(frame, spec))


def measure(units: int, indicators: int, size: int) -> None:
    """Print seconds of one simulation, and the peak of memory of this process in MB."""
    index = made_up(units, indicators)
    start = time.perf_counter()
    simulate(index, size)
    seconds = time.perf_counter() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print the table of docs/index.md."""
    print("| units | indicators | replications | seconds | replications a second | peak MB |")
    print("|---|---|---|---|---|---|")
    for sizes in SIZES:
        command = [sys.executable, "-m", "tests.bench.index", *map(str, sizes)]
        runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(RUNS)]
        seconds = statistics.median(float(run[0]) for run in runs)
        peak = max(float(run[1]) for run in runs)
        units, indicators, size = sizes
        print(f"| {units} | {indicators} | {size:,} | {seconds:.1f} | {size / seconds:,.0f} | {peak:.0f} |", flush=True)
    print(
        f"COINr: {100 / COINR:.0f} replications a second at {UNITS} units and {INDICATORS} indicators, no data error."
    )


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:])) if len(sys.argv) > 1 else main()
