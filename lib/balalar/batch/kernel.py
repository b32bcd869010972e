"""Each notebook in an ordinary kernel of its own: slower, but to be had wherever Jupyter is."""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError

from balalar.atomic import runs
from balalar.batch.engine import take_sections, told
from balalar.batch.job import Job, Limits, Outcome, named
from balalar.batch.prepared import NotStarted
from balalar.paths import ROOT_VARIABLE, Project

SOCKETS = "balalar-kernel-"  # sockets of the kernels bear this and the process number


class LocalKernelManager(AsyncKernelManager):
    """Kernels over files, not ports: no two can race for a port, nothing is open to a network."""

    def __init__(self, **options: Any) -> None:
        # Jupyter's own name for the socket is the same for kernels that start together.
        socket = Path(tempfile.gettempdir()) / f"{SOCKETS}{os.getpid()}-{uuid4().hex[:12]}"
        super().__init__(transport="ipc", ip=str(socket), **options)


def sweep_sockets() -> None:
    """Remove sockets of kernels whose build was killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{SOCKETS}*"):
        number = re.fullmatch(rf"{SOCKETS}([0-9]+)-[0-9a-f]{{12}}-[0-9]+", path.name)
        if number and not runs(int(number[1])):
            path.unlink(missing_ok=True)


def execute(job: Job, where: Project, folder: Path, limits: Limits) -> Outcome:
    """Run one notebook in a kernel and take its parts.

    Parameters
    ----------
    job : Job
    where : Project
    folder : Path
        The kernel's working folder, and where the executed notebook is put.
    limits : Limits
        Of the memory the system alone keeps watch.

    Raises
    ------
    NotStarted
        The kernel did not start.
    """
    os.environ[ROOT_VARIABLE] = str(where.root)
    start = time.monotonic()
    target = folder / job.path.replace("/", "-").replace(".html", ".ipynb")
    failure, sections = "", []
    try:
        papermill.execute_notebook(
            str(where.notebooks / f"{job.chapter}.ipynb"),
            str(target),
            parameters=job.parameters(),
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            autosave_cell_every=0,
            execution_timeout=int(limits.seconds) or 1,
            kernel_manager_class=LocalKernelManager,
            extra_arguments=["--log-level=CRITICAL"],
            # The kernel's folder; papermill's own cwd would move this whole process, all threads with it.
            resources={"metadata": {"path": str(folder)}},
        )
        failure = _unfinished(target)
        cells = [] if failure else nbformat.read(target, as_version=4).cells
        sections = take_sections(output.get("data", {}) for cell in cells for output in cell.get("outputs", []))
    except PapermillExecutionError as error:
        failure = told(error)
    except Exception as error:  # a kernel that died, a file that is no notebook: the others go on
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        begun = _last_begun(target)
        if not begun:
            raise NotStarted(reason) from None
        failure = f"{begun}: {reason}"
    finally:
        target.unlink(missing_ok=True)
    return Outcome(job, sections, failure, seconds=time.monotonic() - start)


def _unfinished(target: Path) -> str:
    """The first cell that was not completed, in words; empty where all were."""
    cells = _code_cells(target)
    left = [cell for cell in cells if cell[1].metadata.papermill["status"] != "completed"]
    return f"{named(left[0][0], left[0][1].source)} was not completed" if left else ""


def _last_begun(target: Path) -> str:
    """The cell in which the kernel was lost; empty where none was begun."""
    begun = [cell for cell in _code_cells(target) if cell[1].metadata.papermill["start_time"]]
    return named(begun[-1][0], begun[-1][1].source) if begun else ""


def _code_cells(target: Path) -> list[tuple[int, Any]]:
    """Code cells of an executed notebook with their numbers; none where papermill has not saved it."""
    try:
        cells = nbformat.read(target, as_version=4).cells if target.exists() else []
    except Exception:  # nbformat has an exception for each way to be no notebook; the first error is the one to tell
        cells = []
    return [(n, cell) for n, cell in enumerate(cells, 1) if cell.cell_type == "code" and "papermill" in cell.metadata]
