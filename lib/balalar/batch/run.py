"""Make briefs, many at a time: in forks of a prepared process, on a Dask cluster, or in ordinary kernels.

Nothing in a page depends on which of these makes it, on how many work, or on the order in which they are done.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from balalar.batch import kernel
from balalar.batch.inputs import versions
from balalar.batch.job import Job, Limits, Outcome, outcome_of
from balalar.batch.prepared import Prepared, Unprepared, tried
from balalar.batch.progress import Progress
from balalar.errors import BalalarError
from balalar.paths import Project

Submit = Callable[[Job], "Future[Outcome]"]
LIBRARY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Means:
    """How briefs are made, which no page depends on.

    Attributes
    ----------
    workers : int
        How many are made at a time; 0 for one a core.
    scheduler : str
        Address of a Dask scheduler whose workers make them.
    kernels : bool
        Whether each gets an ordinary kernel.
    limits : Limits
        Of each brief.
    """

    workers: int = 0
    scheduler: str = ""
    kernels: bool = False
    limits: Limits = field(default_factory=Limits)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def snapshot(where: Project, folder: Path) -> Project:
    """Copy of a project and of the library, which no one changes while briefs are made of it.

    Parameters
    ----------
    where : Project
    folder : Path
        Where the copy is put.
    """
    try:
        _copy(where, folder)
    except shutil.Error as error:  # one for all files
        _, target, reason = error.args[0][0]
        raise BalalarError(f"{target}: {reason}; nothing was written.") from None
    return Project(folder.resolve())


def _copy(where: Project, folder: Path) -> None:
    for source, name in ((where.data, "data"), (where.notebooks, "notebooks"), (LIBRARY, "lib/balalar")):
        # Times are copied too, so that Python's compiled files stay good.
        shutil.copytree(source, folder / name)


def make(
    jobs: Sequence[Job],
    where: Project,
    place: Path,
    means: Means,
    prepared: Prepared | None,
    progress: Progress,
    done: Callable[[Outcome], None],
) -> list[Outcome]:
    """Make the briefs of some jobs.

    Parameters
    ----------
    jobs : sequence of Job
    where : Project
        A snapshot.
    place : Path
        Folder for what the notebooks write meanwhile.
    means : Means
    prepared : Prepared, optional
        As from ``prepare``.
    progress : Progress
    done : callable
        Called with each outcome as it comes, by this thread.

    Returns
    -------
    list of Outcome
        In the order of the jobs; a failed one carries its failure.
    """
    if not jobs:
        return []
    if means.scheduler:
        opened = _on_cluster(jobs, where, means, progress)
    else:
        opened = _in_processes(
            _ready(prepared, progress), where, place, means.workers or cores(), means.limits, progress
        )
    outcomes: dict[Job, Outcome] = {}
    with opened as submit:
        futures = {submit(job): job for job in jobs}
        for future in as_completed(futures):
            job = futures.pop(future)
            try:
                outcome = future.result()
            except Exception as error:  # a worker was lost once too often, or never came to a start
                outcome = Outcome(job, failure=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
            done(outcome)
            progress.made(outcome)
            outcomes[job] = outcome
    return [outcomes[job] for job in jobs]


def prepare(where: Project, place: Path, chapters: Sequence[str], means: Means) -> Prepared | None:
    """Have a process prepared meanwhile that forks for each brief.

    Parameters
    ----------
    where : Project
        A snapshot.
    place : Path
        Folder for what the notebooks write meanwhile.
    chapters : sequence of str
        Chapters that will be made; all if empty.
    means : Means

    Returns
    -------
    Prepared or None
        To be closed. None where there is no use for it, or no forking with what we use loaded, as on Linux only.
    """
    if means.scheduler or means.kernels or not hasattr(os, "pidfd_open"):
        return None
    prepared = Prepared(where.root, place, chapters)
    prepared.begin()
    return prepared


def _ready(prepared: Prepared | None, progress: Progress) -> Prepared | None:
    """A prepared process that has prepared itself, None where that failed."""
    try:
        if prepared is not None:
            prepared.start()
    except Unprepared as error:
        progress.say(f"{error}; each brief gets a kernel of its own, which takes longer")
        return None
    return prepared


@contextmanager
def _in_processes(
    prepared: Prepared | None, where: Project, place: Path, workers: int, limits: Limits, progress: Progress
) -> Iterator[Submit]:
    """Threads that each wait for a fork, or for a kernel; if the build ends early, what they wait for ends first."""

    def make(job: Job) -> Outcome:
        worker = threading.current_thread().name.replace("_", " ")
        progress.begun(worker, job)
        if prepared is None:
            with tempfile.TemporaryDirectory(prefix="brief-", dir=place) as folder:
                outcome = tried(lambda: kernel.execute(job, where, Path(folder), limits))
        else:
            found = prepared.make(
                job.chapter, job.parameters(), limits.seconds, limits.megabytes,
                lambda number, _: progress.begun(worker, job, number),
            )  # fmt: skip
            outcome = outcome_of(job, found)
        outcome.worker = worker
        return outcome

    if prepared is None:
        kernel.sweep_sockets()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="worker")
    try:
        yield lambda job: pool.submit(make, job)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if prepared is not None:
            prepared.close()
        pool.shutdown()


@contextmanager
def _on_cluster(jobs: Sequence[Job], where: Project, means: Means, progress: Progress) -> Iterator[Submit]:
    from balalar.batch.cluster import make_there, workshop  # only here, as Dask takes a second to import

    limits, chapters = means.limits, sorted({job.chapter for job in jobs})
    with workshop(means.scheduler, where.root, chapters, versions()) as (client, executor, name):
        known = {str(job): job for job in jobs}
        client.subscribe_topic(name, lambda event: progress.begun(event[1]["worker"], known[event[1]["job"]]))

        def submit(job: Job) -> Future[Outcome]:
            asked = executor.submit(
                make_there, name, str(job), job.chapter, job.parameters(), limits.seconds, limits.megabytes
            )
            answer: Future[Outcome] = Future()
            asked.add_done_callback(lambda future: _hand_on(future, answer, job))
            return answer

        yield submit


def _hand_on(asked: Future[dict[str, object]], answer: Future[Outcome], job: Job) -> None:
    """Turn a worker's answer into an outcome."""
    try:
        answer.set_result(outcome_of(job, asked.result()))
    except Exception as error:  # the task's, or that it was given up
        answer.set_exception(error)
