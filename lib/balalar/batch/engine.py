"""A papermill engine without a kernel: the cells run in this process, in an IPython shell, as in a kernel."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from balalar.batch.job import Section, named
from balalar.brief import PART

NAME = "balalar"


class ShellEngine(Engine):
    """Runs the cells of a notebook in the shell of this process."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        begun: Callable[[int, str], None] = lambda number, source: None,
        shown: list[Any] | None = None,
        **options: Any,
    ) -> None:
        """Run all code cells up to the first that fails.

        Parameters
        ----------
        nb_man : NotebookExecutionManager
            Papermill's, of the notebook.
        kernel_name : str
            Of no use here.
        begun : callable
            Called with the number and the source of each cell before it runs.
        shown : list, optional
            What the cells display is added here, by MIME type; not to the notebook, as papermill would write all of
            it out at the end.
        **options
            Other engines' options.
        """
        own = shell()
        for index, cell in enumerate(nb_man.nb.cells):
            if cell.cell_type != "code":
                continue
            begun(index + 1, cell.source)
            nb_man.cell_start(cell, index)
            error = _run(own, cell.source)
            if shown is not None:
                shown += [output["data"] for output in own.shown.outputs]
            if error is not None:
                told = {"ename": type(error).__name__, "evalue": str(error)}
                cell.outputs = [nbformat.v4.new_output("error", **told, traceback=[])]
                nb_man.cell_exception(cell, index)
                return
            nb_man.cell_complete(cell, index)


papermill_engines.register(NAME, ShellEngine)


class Shell(InteractiveShell):
    """A shell that keeps what cells display, prints no traceback and writes no history to the disk."""

    shown: CapturingDisplayPublisher

    def init_display_pub(self) -> None:
        """Keep what a cell displays."""
        self.display_pub = self.shown = CapturingDisplayPublisher(parent=self)

    def init_display_formatter(self) -> None:
        """Ask what is shown for its own formats only: a page takes the library's parts, and no plain text of them."""
        super().init_display_formatter()
        assert self.display_formatter
        self.display_formatter.formatters = {}

    def init_displayhook(self) -> None:
        """Keep a cell's last value likewise."""
        super().init_displayhook()
        self.display_trap.hook = CapturingDisplayHook(self, self.shown.outputs)

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Errors are told by papermill."""

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Errors are told by papermill."""


def shell() -> Shell:
    """The shell of this process."""
    return Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))


def _run(own: Shell, source: str) -> BaseException | None:
    """Run one cell and give its error; what it displays stays with the shell."""
    own.shown.outputs.clear()
    result = own.run_cell(source, store_history=False)
    try:
        sys.stdout.flush()
    except OSError as error:  # it printed more than it may
        return error
    return result.error_before_exec or result.error_in_exec


def execute(notebook: Path, parameters: Mapping[str, Any], begun: Callable[[int, str], None]) -> list[Section]:
    """Run a notebook in this process and take the sections of its page.

    Parameters
    ----------
    notebook : Path
    parameters : mapping
    begun : callable
        Called with the number and the source of each cell before it runs.

    Raises
    ------
    PapermillExecutionError
        A cell failed.
    """
    shown: list[Any] = []
    ran = papermill.execute_notebook(
        str(notebook),
        None,
        parameters=dict(parameters),
        engine_name=NAME,
        progress_bar=False,
        autosave_cell_every=0,
        begun=begun,
        shown=shown,
    )
    for index, cell in enumerate(ran.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # a SystemExit, which papermill takes for success
                raise PapermillExecutionError(index, None, cell.source, output.ename, output.evalue, [])
    return take_sections(shown)


def told(error: PapermillExecutionError) -> str:
    """A failed cell in words: which it is, and why it failed."""
    reason = " ".join(f"{error.ename}: {error.evalue}".split())[:200].removesuffix(":")
    return f"{named(error.cell_index + 1, error.source)}: {reason}"


def take_sections(outputs: Iterable[Mapping[str, Any]]) -> list[Section]:
    """Parts of a page, by section.

    Parameters
    ----------
    outputs : iterable of mapping
        Data of a notebook's outputs by MIME type, in order.

    Returns
    -------
    list of Section
        The first one holds what stands before any heading.
    """
    sections = [Section()]
    for data in outputs:
        part = data.get(PART)
        if part is None:
            continue
        if part["heading"]:
            sections.append(Section(*part["heading"]))
        if part["markup"]:
            sections[-1].blocks.append(part["markup"])
        sections[-1].missing += [one for one in part["missing"] if one not in sections[-1].missing]
    return sections
