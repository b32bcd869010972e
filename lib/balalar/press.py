"""Run the notebooks and export their briefs: plan, check, execute, page by page."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from balalar.atomic import runs
from balalar.brief import PART, years_of
from balalar.cards import COUNTRY
from balalar.dataset import Dataset
from balalar.errors import RequestError
from balalar.paths import ROOT_VARIABLE, Project

PARAMETERS = ("year", "lang", "region")
TEMPLATES = Path(__file__).parent / "templates"
SOCKETS = "balalar-kernel-"  # sockets of the kernels bear this and the process number
SECONDS = 300  # a notebook that takes longer has failed


class LocalKernelManager(AsyncKernelManager):
    """Kernels over files, not ports: no two can race for a port, nothing is open to a network."""

    def __init__(self, **options: Any) -> None:
        # Jupyter's own name for the socket is the same for kernels that start together.
        socket = Path(tempfile.gettempdir()) / f"{SOCKETS}{os.getpid()}-{uuid4().hex[:12]}"
        super().__init__(transport="ipc", ip=str(socket), **options)


@dataclass(frozen=True, order=True)
class Job:
    """One brief to make."""

    year: int
    region: str
    chapter: str
    lang: str

    @property
    def path(self) -> str:
        """Path of the page within a site."""
        place = "" if self.region == COUNTRY else f"{self.region}/"
        return f"{self.lang}/{self.year}/{place}{self.chapter}.html"

    def parameters(self) -> dict[str, Any]:
        """What the notebook is run with."""
        return {
            "year": self.year,
            "lang": self.lang,
            "region": None if self.region == COUNTRY else self.region,
        }

    def __str__(self) -> str:
        place = "" if self.region == COUNTRY else f" {self.region}"
        return f"{self.chapter} {self.year}{place} {self.lang}"


@dataclass
class Section:
    """A section of a page: its heading, its parts, and what is not printed."""

    key: str = ""
    title: str = ""
    blocks: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """What became of a job: the sections of its page, or why there are none."""

    job: Job
    sections: list[Section]
    seconds: float
    failure: str = ""


def plan(
    dataset: Dataset,
    where: Project,
    years: Sequence[int] = (),
    langs: Sequence[str] = (),
    chapters: Sequence[str] = (),
    regions: Sequence[str] = (),
) -> list[Job]:
    """Work out the wanted briefs, and refuse what does not exist before anything runs.

    Parameters
    ----------
    dataset : Dataset
    where : Project
        Project whose notebooks are run.
    years, langs, chapters, regions : sequence
        What is wanted; empty means the newest report's year, all languages, all chapters and the
        whole country.

    Returns
    -------
    list of Job
        In the order of years, regions, chapters and languages.

    Raises
    ------
    RequestError
        Names what does not exist, and what does.
    """
    catalogue = dataset.catalogue
    available = {chapter: years_of(dataset, chapter) for chapter in catalogue.edition.chapters}
    newest = max(catalogue.sources.reports)
    _refuse("chapter", chapters, list(available))
    spoken = list(catalogue.edition.languages)
    _refuse("language", langs, spoken)
    wanted_years = list(years) or [newest]
    _refuse("year", wanted_years, sorted({year for known in available.values() for year in known}))
    jobs = []
    for year in dict.fromkeys(wanted_years):
        _refuse("region", regions, [COUNTRY, *catalogue.codes.living(year)])
        for chapter in chapters or available:
            whole = catalogue.edition.chapters[chapter].subject != "data"
            if year not in available[chapter] or (whole and regions and COUNTRY not in regions and not chapters):
                if chapters:
                    _refuse(f"year for {chapter}", [year], available[chapter])
                continue
            if whole and chapters:
                _refuse(f"region for {chapter}", regions, [COUNTRY])
            places = [COUNTRY] if whole else regions or [COUNTRY]
            jobs += [Job(year, region, chapter, lang) for region in places for lang in langs or spoken]
    for chapter in dict.fromkeys(job.chapter for job in jobs):
        _check_parameters(where.notebooks / f"{chapter}.ipynb", where)
    jobs = list(dict.fromkeys(jobs))
    order = {chapter: at for at, chapter in enumerate(available)}
    return sorted(jobs, key=lambda job: (job.year, job.region, order[job.chapter], spoken.index(job.lang)))


def _refuse(kind: str, wanted: Iterable[Any], known: Sequence[Any]) -> None:
    for one in wanted:
        if one not in known:
            raise RequestError(f"{kind}: there is no {one!r}; there are {', '.join(map(str, known))}")


def _check_parameters(notebook: Path, where: Project) -> None:
    """A notebook takes exactly our parameters; papermill itself would only warn."""
    if not notebook.exists():
        raise RequestError(f"{where.name(notebook)}: the chapter has no notebook")
    try:
        found = tuple(papermill.inspect_notebook(str(notebook)))
    except Exception as error:  # nbformat has an exception for each way to be no notebook
        raise RequestError(f"{where.name(notebook)}: this is no notebook ({error})") from None
    if found != PARAMETERS:
        rule = f"the cell tagged «parameters» must set {', '.join(PARAMETERS)}"
        raise RequestError(f"{where.name(notebook)}: {rule}; it sets {', '.join(found) or 'none'}")


def run(jobs: Sequence[Job], where: Project, folder: Path, done: Callable[[Outcome], None]) -> list[Outcome]:
    """Execute the notebooks of all jobs, as many at a time as there are cores.

    Parameters
    ----------
    jobs : sequence of Job
    where : Project
    folder : Path
        Folder for the executed notebooks.
    done : callable
        Called with each outcome as it comes.

    Returns
    -------
    list of Outcome
        In the order of the jobs; a failed one carries its failure.
    """
    os.environ[ROOT_VARIABLE] = str(where.root)
    _sweep_sockets()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: dict[Job, Outcome] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        futures = [pool.submit(_execute, job, where, folder) for job in jobs]
        try:
            for future in as_completed(futures):
                outcome = future.result()
                outcomes[outcome.job] = outcome
                done(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [outcomes[job] for job in jobs]


def _sweep_sockets() -> None:
    """Remove sockets of kernels whose build was killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{SOCKETS}*"):
        number = re.fullmatch(rf"{SOCKETS}([0-9]+)-[0-9a-f]{{12}}-[0-9]+", path.name)
        if number and not runs(int(number[1])):
            path.unlink(missing_ok=True)


def _execute(job: Job, where: Project, folder: Path) -> Outcome:
    """Run one notebook and take its parts."""
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
            execution_timeout=SECONDS,
            kernel_manager_class=LocalKernelManager,
            extra_arguments=["--log-level=CRITICAL"],
            # The kernel's folder; papermill's own cwd would move this whole process, all threads with it.
            resources={"metadata": {"path": str(folder)}},
        )
        failure = _unfinished(target)
        sections = [] if failure else take_sections(nbformat.read(target, as_version=4))
    except PapermillExecutionError as error:
        source = " ".join(error.source.split())[:80]
        failure = f"cell {error.cell_index + 1} ({source}): {error.ename}: {error.evalue}"
    except Exception as error:  # a kernel that died, a file that is no notebook: the others go on
        reason = " ".join(str(error).split())[:200]
        failure = f"{_last_begun(target)}: {type(error).__name__}: {reason}"
    return Outcome(job, sections, time.monotonic() - start, failure)


def _unfinished(target: Path) -> str:
    """The first cell that was not completed, in words; empty where all were."""
    cells = _code_cells(target)
    left = [cell for cell in cells if cell[1].metadata.papermill["status"] != "completed"]
    return f"{_named(*left[0])} was not completed" if left else ""


def _last_begun(target: Path) -> str:
    """The cell in which the kernel was lost."""
    begun = [cell for cell in _code_cells(target) if cell[1].metadata.papermill["start_time"]]
    return _named(*begun[-1]) if begun else "the notebook was not begun"


def _code_cells(target: Path) -> list[tuple[int, Any]]:
    """Code cells of an executed notebook with their numbers; none where papermill has not saved it."""
    try:
        cells = nbformat.read(target, as_version=4).cells if target.exists() else []
    except Exception:  # nbformat has an exception for each way to be no notebook; the first error is the one to tell
        cells = []
    return [(n, cell) for n, cell in enumerate(cells, 1) if cell.cell_type == "code" and "papermill" in cell.metadata]


def _named(number: int, cell: Any) -> str:
    return f"cell {number} ({' '.join(cell.source.split())[:80]})"


def take_sections(notebook: Any) -> list[Section]:
    """Parts of an executed notebook, by section.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook.

    Returns
    -------
    list of Section
        The first one holds what stands before any heading.
    """
    sections = [Section()]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            part = output.get("data", {}).get(PART)
            if part is None:
                continue
            if part["heading"]:
                sections.append(Section(*part["heading"]))
            if part["markup"]:
                sections[-1].blocks.append(part["markup"])
            sections[-1].missing += [one for one in part["missing"] if one not in sections[-1].missing]
    return sections


def page(sections: Sequence[Section], words: dict[str, Any]) -> str:
    """One HTML page through nbconvert, with the library's template.

    Parameters
    ----------
    sections : sequence of Section
    words : dict
        What the template asks for besides the sections.
    """
    exporter = HTMLExporter(template_name="brief", extra_template_basedirs=[str(TEMPLATES)])
    exporter.exclude_input = True
    contents = [(section.key, section.title) for section in sections if section.key]
    resources = {"brief": words | {"sections": sections, "contents": contents}}
    html, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(), resources=resources)
    return str(html)
