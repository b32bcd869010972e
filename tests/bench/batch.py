"""How fast briefs are made, held against the usual ways, side by side in one run: ``make bench``.

The same notebooks with the same parameters, each way several times, medians; then how ours grows, and what a build
costs in which nothing has changed. Needs the packages of requirements-bench.lock (``make bench`` installs them).
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from balalar.batch.job import Job
from balalar.batch.progress import Progress
from balalar.batch.run import Means, make, prepare, snapshot
from balalar.dataset import hold, open_dataset
from balalar.paths import ROOT_VARIABLE, project
from balalar.press import page
from balalar.site import _page_words

BIN = Path(sys.executable).parent
REGIONS = ("KZ-61", "KZ-75", "KZ-10", "KZ-35", "KZ-63")
CHAPTERS = ("demography", "health", "education", "social_protection", "welfare")
SAMPLE = [Job(2022, region, chapter, "ru") for region in REGIONS for chapter in CHAPTERS]
FEW = SAMPLE[: len(CHAPTERS)]  # for the ways that take long
# Years, languages and number of regions that make so many briefs.
SIZES: dict[int, tuple[list[int], list[str], int]] = {
    10: ([2022], ["ru"], 2), 100: ([2022], ["ru"], 20), 510: ([2021, 2022], ["kk", "ru", "en"], 17),
}  # fmt: skip
BEAT = 0.2  # seconds between two looks at the memory


@dataclass
class Cost:
    """What some briefs cost: wall and processor seconds a brief, and the most memory of all processes together."""

    wall: float
    processor: float
    megabytes: float


class Memory(threading.Thread):
    """The most that this process and all it has started held together, shared pages counted once."""

    def __init__(self, own: bool) -> None:
        super().__init__(daemon=True)
        self.most, self.over, self._own = 0.0, threading.Event(), own

    def run(self) -> None:
        me = psutil.Process()
        while not self.over.wait(BEAT):
            held = 0
            for process in [*me.children(recursive=True), *([me] if self._own else [])]:
                try:
                    held += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.most = max(self.most, held / 2**20)


def measured(briefs: int, work: Callable[[], None], own: bool = False) -> Cost:
    """What some work costs a brief; of this process too, if the work is done here."""
    memory = Memory(own)
    before = _processor()
    memory.start()
    start = time.perf_counter()
    work()
    wall = time.perf_counter() - start
    memory.over.set()
    memory.join()
    return Cost(wall / briefs, (_processor() - before) / briefs, memory.most)


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# -- the usual ways ----------------------------------------------------------------------------------


def _parameters(job: Job) -> list[str]:
    return [word for name, value in job.parameters().items() if value for word in ("-p", name, str(value))]


def by_commands(job: Job, folder: Path) -> None:
    """The two commands that people use."""
    notebook, made = project().notebooks / f"{job.chapter}.ipynb", folder / f"{job.region}-{job.chapter}.ipynb"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([BIN / "papermill", notebook, made, *_parameters(job), "--no-progress-bar"], **quiet)
    subprocess.run([BIN / "jupyter", "nbconvert", "--to", "html", "--no-input", made], **quiet)


def commands(workers: int) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda job: by_commands(job, folder), FEW))

    return work


def papermill_api(folder: Path) -> None:
    import papermill
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(exclude_input=True)
    for job in FEW:
        made = papermill.execute_notebook(
            str(project().notebooks / f"{job.chapter}.ipynb"), None, job.parameters(), progress_bar=False
        )
        (folder / f"{job.chapter}.html").write_text(exporter.from_notebook_node(made)[0], encoding="utf-8")


def ploomber(folder: Path) -> None:
    from nbconvert import HTMLExporter
    from ploomber_engine import execute_notebook

    exporter = HTMLExporter(exclude_input=True)
    for job in FEW:
        made = execute_notebook(
            str(project().notebooks / f"{job.chapter}.ipynb"), None, parameters=job.parameters(), progress_bar=False,
            verbose=False,
        )  # fmt: skip
        (folder / f"{job.chapter}.html").write_text(exporter.from_notebook_node(made)[0], encoding="utf-8")


# -- ours --------------------------------------------------------------------------------------------


def build(folder: Path, jobs: Sequence[Job], *options: str, root: Path | None = None) -> None:
    """The command; what a folder's project has kept is taken."""
    wanted = [("--year", {job.year for job in jobs}), ("--lang", {job.lang for job in jobs})]
    wanted += [("--chapter", {job.chapter for job in jobs}), ("--region", {job.region for job in jobs})]
    words = [word for option, values in wanted for value in sorted(values, key=str) for word in (option, str(value))]
    environment = os.environ | ({ROOT_VARIABLE: str(root)} if root else {})
    command = [BIN / "balalar", "build", *words, "--quiet", "--out", folder / "site", *options]
    subprocess.run(command, check=True, cwd=folder, env=environment)


@contextmanager
def dask_cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two workers as processes of their own."""
    port = "18786"
    address = f"tcp://127.0.0.1:{port}"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nworkers", "1", "--nthreads", "1"]
    started = [subprocess.Popen([*command, "--no-dashboard"], **quiet) for command in (scheduler, worker, worker)]
    try:
        yield address
    finally:
        for process in started:
            process.terminate()
            process.wait()


def warm(folder: Path, jobs: Sequence[Job]) -> Cost:
    """Briefs of a process that is prepared already, and their pages."""
    copy = snapshot(project(), folder / "project")
    dataset, prepared = open_dataset(copy), prepare(copy, folder, CHAPTERS, Means())
    assert prepared is not None
    prepared.start()

    used: list[float] = []

    def work() -> None:
        start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        for outcome in make(jobs, copy, folder, Means(), prepared, Progress(0, quiet=True), lambda _: None):
            assert not outcome.failure, outcome.failure
            page(outcome.sections, _page_words(outcome.job, jobs, dataset))
            used.append(outcome.processor)
        used.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - start)

    cost = measured(len(jobs), work)
    # Of the forks and of this process, but not what the other had used to prepare itself.
    return Cost(cost.wall, sum(used) / len(jobs), cost.megabytes)


def floor(jobs: Sequence[Job]) -> Cost:
    """The cells alone, one after the other in one process that has read the data and made every brief once before."""
    import nbformat

    hold(project())
    codes = {}
    for chapter in CHAPTERS:
        cells = nbformat.read(project().notebooks / f"{chapter}.ipynb", as_version=4).cells
        sources = [cell.source for cell in cells if cell.cell_type == "code"][1:]
        codes[chapter] = [compile(source, chapter, "exec") for source in sources]

    def work() -> None:
        with redirect_stdout(io.StringIO()):
            for job in jobs:
                names = job.parameters()
                for code in codes[job.chapter]:
                    exec(code, names)

    work()
    return measured(len(jobs), work, own=True)


# -- the table ---------------------------------------------------------------------------------------


def one(way: str, folder: Path, address: str = "") -> Cost:
    """One measurement of one way; this process does nothing else."""
    ways: dict[str, tuple[int, Callable[[Path], None], bool]] = {
        "commands": (len(FEW), commands(1), False),
        "commands, two at a time": (len(FEW), commands(2), False),
        "papermill API": (len(FEW), papermill_api, True),
        "ploomber-engine": (len(FEW), ploomber, True),
        "ours, cold": (len(SAMPLE), lambda place: build(place, SAMPLE, "--force"), False),
    }
    if way == "ours, warm":
        return warm(folder, SAMPLE)
    if way == "floor":
        return floor(SAMPLE)
    if way == "ours, on Dask":
        with dask_cluster(folder) as address:
            from distributed import Client

            with Client(address, timeout=60, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=60)
            cost = measured(len(SAMPLE), lambda: build(folder, SAMPLE, "--force", "--scheduler", address))
        # The workers are ours to count only when they have ended.
        return Cost(cost.wall, _processor() / len(SAMPLE), cost.megabytes)
    briefs, work, own = ways[way]
    return measured(briefs, lambda: work(folder), own)


WAYS = (
    "commands", "commands, two at a time", "papermill API", "ploomber-engine", "ours, cold", "ours, warm",
    "ours, on Dask", "floor",
)  # fmt: skip


def _in_own_process(*arguments: str) -> list[float]:
    """Numbers that a measurement in a process of its own prints."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.batch", *arguments], capture_output=True, text=True,
                          check=False, env=os.environ | {ROOT_VARIABLE: str(project().root)})  # fmt: skip
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr}")
    return [float(number) for number in done.stdout.split("\n")[-2].split()]


def compare(runs: int) -> None:
    """The ways side by side."""
    costs: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(runs):  # in turn, so that what else the machine does meets all of them
        for way in WAYS:
            costs[way].append(_in_own_process("--way", way))
    medians = {way: [statistics.median(column) for column in zip(*rows, strict=True)] for way, rows in costs.items()}
    usual, ground = medians["commands"][0], medians["floor"][1]
    print(
        "| way | wall a brief, s | processor a brief, s | peak MB | times the usual way | times the floor's processor |"
    )
    print("|---|---|---|---|---|---|")
    for way, (wall, processor, megabytes) in medians.items():
        told = f"{wall:.2f} | {processor:.2f} | {megabytes:.0f} | {usual / wall:.1f} | {processor / ground:.2f}"
        print(f"| {way} | {told} |", flush=True)


def grow() -> None:
    """Ten, a hundred and five hundred briefs, and the same again where nothing has changed."""
    print("\n| briefs | wall, s | wall a brief, s | processor a brief, s | peak MB | again, nothing changed, s |")
    print("|---|---|---|---|---|---|")
    for size in SIZES:
        wall, processor, megabytes, again = _in_own_process("--grow", str(size))
        row = f"{wall:.0f} | {wall / size:.2f} | {processor / size:.2f} | {megabytes:.0f} | {again:.2f}"
        print(f"| {size} | {row} |", flush=True)


def growth(size: int, folder: Path) -> None:
    """One size: the command from nothing, and once more."""
    years, langs, number = SIZES[size]
    where = snapshot(project(), folder / "project")
    regions = open_dataset(where).catalogue.codes.living(years[0])[:number]
    jobs = [
        Job(year, region, chapter, lang)
        for year in years
        for region in regions
        for chapter in CHAPTERS
        for lang in langs
    ]
    assert len(jobs) == size
    cost = measured(1, lambda: build(folder, jobs, root=where.root))
    start = time.perf_counter()
    build(folder, jobs, root=where.root)
    print(cost.wall, cost.processor, cost.megabytes, time.perf_counter() - start)


def main() -> None:
    """Print the tables of docs/performance.md."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--way", choices=WAYS)
    asked.add_argument("--grow", type=int)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="balalar-bench-") as folder:
        if given.way:
            cost = one(given.way, Path(folder))
            print(cost.wall, cost.processor, cost.megabytes)
        elif given.grow:
            growth(given.grow, Path(folder))
        else:
            print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
            compare(given.runs)
            grow()


if __name__ == "__main__":
    main()
