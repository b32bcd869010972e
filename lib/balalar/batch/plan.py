"""Which briefs are wanted: all that is asked for is checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import papermill

from balalar.batch.job import Job
from balalar.brief import years_of
from balalar.cards import COUNTRY
from balalar.dataset import Dataset
from balalar.errors import RequestError
from balalar.paths import Project

PARAMETERS = ("year", "lang", "region")
ALL = "all"  # stands for the country and all its regions


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
        whole country; the region ``all`` means the country and all its regions.

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
        places = _places(regions, year, catalogue.codes.living(year))
        for chapter in chapters or available:
            whole = catalogue.edition.chapters[chapter].subject != "data"
            if year not in available[chapter] or (whole and COUNTRY not in places and not chapters):
                if chapters:
                    _refuse(f"year for {chapter}", [year], available[chapter])
                continue
            if whole and chapters and ALL not in regions:
                _refuse(f"region for {chapter}", places, [COUNTRY])
            own = [COUNTRY] if whole else places
            jobs += [Job(year, region, chapter, lang) for region in own for lang in langs or spoken]
    for chapter in dict.fromkeys(job.chapter for job in jobs):
        _check_parameters(where.notebooks / f"{chapter}.ipynb", where)
    jobs = list(dict.fromkeys(jobs))
    order = {chapter: at for at, chapter in enumerate(available)}
    return sorted(jobs, key=lambda job: (job.year, job.region, order[job.chapter], spoken.index(job.lang)))


def _places(regions: Sequence[str], year: int, living: Sequence[str]) -> list[str]:
    """Codes of what is wanted of a year: the country and regions."""
    _refuse(f"region in {year}", regions, [COUNTRY, *living, ALL])
    return [COUNTRY, *living] if ALL in regions else list(regions) or [COUNTRY]


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
