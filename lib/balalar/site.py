"""The site: pages that know of each other, an index in each language, the data; whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from balalar import exchange
from balalar.atomic import put, workplace
from balalar.audit_brief import anchor
from balalar.batch.inputs import Inputs, versions
from balalar.batch.job import Job, Outcome
from balalar.batch.kept import Kept
from balalar.batch.plan import plan
from balalar.batch.prepared import Prepared
from balalar.batch.progress import Progress, run_report
from balalar.batch.run import Means, make, prepare, snapshot
from balalar.batch.state import MARKER, Wanted, mark, state_of
from balalar.brief import AUDIT_LINK, COMPARED_LINK
from balalar.cards import COUNTRY
from balalar.compare import marked
from balalar.dataset import Dataset, open_dataset
from balalar.errors import BalalarError, DataError
from balalar.paths import Project
from balalar.press import page
from balalar.screen import screen
from balalar.tables import render
from balalar.words import Words

DOWNLOADS = {
    "download_corrected": "data/balalar-corrected.csv",
    "download_printed": "data/balalar-printed.csv",
    "download_intervals": "data/balalar-intervals.csv",
}


@dataclass
class Opened:
    """A build whose plan is made: a snapshot of the project, the wanted briefs, and why each has to be made.

    Attributes
    ----------
    place : Path
        Folder for this build alone.
    where : Project
        The snapshot.
    dataset : Dataset
    jobs : list of Job
    without : list of (str, int)
        Chapters that have no brief of a year, as nothing was observed.
    reasons : dict of Job to list of str
        Of the briefs to make: names of the inputs that changed.
    kept : Kept
    prepared : Prepared or None
        Has begun to prepare itself.
    """

    place: Path
    where: Project
    dataset: Dataset
    jobs: list[Job]
    without: list[tuple[str, int]]
    reasons: dict[Job, list[str]]
    kept: Kept
    prepared: Prepared | None


@contextmanager
def opened(where: Project, wanted: Wanted, means: Means | None = None, force: bool = False) -> Iterator[Opened]:
    """Take a snapshot of a project, check it, and plan.

    Parameters
    ----------
    where : Project
    wanted : Wanted
    means : Means, optional
        How briefs will be made; nothing is prepared for that if left out.
    force : bool
        Whether all briefs are to be made.

    Raises
    ------
    DataError
        The data do not keep the rules.
    RequestError
        Something wanted does not exist.
    """
    folder = where.root / "build" / "kept"
    with workplace(folder) as place, ExitStack() as ends:
        copy = snapshot(where, place / "project")
        prepared = prepare(copy, place, wanted.chapters, means) if means else None
        if prepared is not None:
            ends.callback(prepared.close)
        if faults := screen(copy, publication=True):
            raise DataError(faults)
        dataset = open_dataset(copy)
        jobs = plan(dataset, copy, wanted.years, wanted.langs, wanted.chapters, wanted.regions)
        kept = Kept(folder, Inputs(copy, dataset.catalogue))
        kept.sweep()
        reasons = {job: ["forced"] if force else kept.changed(job) for job in jobs}
        todo = {job: why for job, why in reasons.items() if why}
        yield Opened(place, copy, dataset, jobs, _without(jobs, wanted, dataset), todo, kept, prepared)


def _without(jobs: Sequence[Job], wanted: Wanted, dataset: Dataset) -> list[tuple[str, int]]:
    """Chapters that were asked for as one of all, but have no brief of a year."""
    made = {(job.year, job.chapter) for job in jobs}
    chapters = () if wanted.chapters else dataset.catalogue.edition.chapters
    return [(chapter, year) for chapter in chapters for year in sorted({job.year for job in jobs})
            if (year, chapter) not in made]  # fmt: skip


def build(planned: Opened, out: Path, wanted: Wanted, means: Means, quiet: bool = False) -> list[Outcome]:
    """Make all briefs that have to be made and put the site in place once it is whole.

    Parameters
    ----------
    planned : Opened
    out : Path
        Folder of the site; what stood there is replaced as the last step.
    wanted : Wanted
    means : Means
    quiet : bool
        Whether nothing is told while it goes on.

    Returns
    -------
    list of Outcome
        Failed briefs are in it, but not in the site. Where all failed the old site stays.

    Raises
    ------
    BalalarError
        ``out`` holds something that is no site of ours.
    """
    out = target(out, planned.where)
    outcomes = _outcomes(planned, means, quiet)
    made = [outcome for outcome in outcomes if not outcome.failure]
    if made:
        # What was asked for is only there, and need not be built again, if nothing failed.
        whole = len(made) == len(outcomes)
        state = state_of(planned.where, wanted.request(), planned.where.root / "lib" / "balalar") if whole else ""
        with workplace(out) as aside:
            _write_site([outcome.job for outcome in made], planned, aside / "site")
            mark(aside / "site", state, len(made))
            put(aside / "site", out)
    return outcomes


def _outcomes(planned: Opened, means: Means, quiet: bool) -> list[Outcome]:
    """All briefs, the kept ones among them, in the order of the plan."""
    progress = Progress(len(planned.reasons), quiet)

    def done(outcome: Outcome) -> None:
        if not outcome.failure:
            planned.kept.put(outcome)
            outcome.sections.clear()  # on the disk now; hundreds of them need not be held

    try:
        made = make(list(planned.reasons), planned.where, planned.place, means, planned.prepared, progress, done)
    finally:
        progress.close()
    found = {outcome.job: outcome for outcome in made}
    return [found.get(job) or Outcome(job, kept=True) for job in planned.jobs]


def write_report(planned: Opened, outcomes: Sequence[Outcome], seconds: float, file: Path) -> None:
    """Write what became of each brief, as JSON."""
    inputs = [planned.kept.checksum(outcome) for outcome in outcomes]
    facts = {"seconds": round(seconds, 3), "versions": versions()}
    exchange.write_text(run_report(outcomes, inputs, facts), file)


def one_page(job: Job, dataset: Dataset, where: Project, file: Path) -> None:
    """Make one brief and write its page to a file, whole or not at all.

    Raises
    ------
    BalalarError
        The notebook failed; its cell and reason are named.
    """
    with tempfile.TemporaryDirectory(prefix="balalar-") as folder:
        copy = snapshot(where, Path(folder) / "project")
        prepared = prepare(copy, Path(folder), [job.chapter], Means())
        try:
            quiet = Progress(0, quiet=True)
            (outcome,) = make([job], copy, Path(folder), Means(), prepared, quiet, lambda _: None)
        finally:
            if prepared is not None:
                prepared.close()
    if outcome.failure:
        raise BalalarError(f"{job}: {outcome.failure}")
    # A page alone leads to no other.
    alone = _page_words(job, [job], dataset) | {"home": "", "downloads": []}
    exchange.write_text(_linked(page(outcome.sections, alone), job, [job], dataset), file)


def target(out: Path, where: Project) -> Path:
    """Where a site goes; never over a folder that no build has made, nor among the sources.

    Raises
    ------
    BalalarError
        It cannot go there.
    """
    try:
        out = out.resolve()
    except (OSError, RuntimeError) as error:
        raise BalalarError(f"{out}: no folder can stand here ({error}); choose another --out") from None
    if any(out.is_relative_to(sources) for sources in (where.data, where.notebooks)):
        raise BalalarError(f"{out}: a site does not stand among the data or notebooks; choose another --out")
    if out.exists() and not (out.is_dir() and ((out / MARKER).exists() or not any(out.iterdir()))):
        raise BalalarError(
            f"{out}: no site of balalar's stands here, and what does would be replaced; choose another --out"
        )
    return out


def _write_site(jobs: Sequence[Job], planned: Opened, folder: Path) -> None:
    dataset = planned.dataset
    for job in jobs:
        path = folder / job.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = page(planned.kept.take(job), _page_words(job, jobs, dataset))
        path.write_text(_linked(text, job, jobs, dataset), encoding="utf-8")
    langs = [lang for lang in dataset.catalogue.edition.languages if any(job.lang == lang for job in jobs)]
    for lang in langs:
        (folder / lang / "index.html").write_text(
            _index(lang, langs, jobs, dataset, f"{lang}/index.html"), encoding="utf-8"
        )
    (folder / "index.html").write_text(_index(langs[0], langs, jobs, dataset, "index.html"), encoding="utf-8")
    (folder / "data").mkdir()
    exchange.write_csv(exchange.tidy(dataset, "corrected"), folder / DOWNLOADS["download_corrected"])
    exchange.write_csv(exchange.tidy(dataset, "printed"), folder / DOWNLOADS["download_printed"])
    exchange.write_csv(marked(dataset), folder / DOWNLOADS["download_intervals"])


def _linked(text: str, job: Job, jobs: Sequence[Job], dataset: Dataset) -> str:
    """Links to the audit's findings and to how figures are compared made whole; those without a page taken out."""
    audits, methods = (_pages(subject, job, jobs, dataset) for subject in ("audit", "method"))

    def audited(match: re.Match[str]) -> str:
        report, group = match[1], match[2]
        if report not in audits:
            return ""
        return match[0].replace(f"{AUDIT_LINK}{report}/{group}", f"{_link(job.path, audits[report])}#{anchor(group)}")

    def compared(match: re.Match[str]) -> str:
        # The method is the same in all years; the newest page has the newest example.
        page = methods.get(str(job.year)) or methods.get(max(methods, default=""))
        return match[0].replace(COMPARED_LINK, _link(job.path, page)) if page else ""

    text = re.sub(rf' <a class="audited" href="{AUDIT_LINK}([^/"]+)/([^"]+)">[^<]*</a>', audited, text)
    return re.sub(rf' <a class="how" href="{COMPARED_LINK}">[^<]*</a>', compared, text)


def _pages(subject: str, job: Job, jobs: Sequence[Job], dataset: Dataset) -> dict[str, str]:
    """Paths of the pages of a subject in the language of a page, by year."""
    chapter = dataset.catalogue.edition.about(subject)
    return {str(other.year): other.path for other in jobs if (other.lang, other.chapter) == (job.lang, chapter)}


def _link(here: str, there: str) -> str:
    """Relative link from one page of the site to another."""
    return os.path.relpath(there, os.path.dirname(here) or ".").replace(os.sep, "/")


def _common(here: str, lang: str, dataset: Dataset) -> dict[str, Any]:
    """Words that every page has."""
    words, edition = Words(dataset.catalogue, lang), dataset.catalogue.edition
    return {
        "words": words,
        "lang": lang,
        "publisher": edition.publisher[lang],
        "licence": edition.licence[lang],
        "contact": edition.contact[lang],
        "downloads": [{"href": _link(here, path), "name": words.say(key)} for key, path in DOWNLOADS.items()],
    }


def _page_words(job: Job, jobs: Sequence[Job], dataset: Dataset) -> dict[str, Any]:
    """What a brief's page says of itself and of its neighbours."""
    words, edition = Words(dataset.catalogue, job.lang), dataset.catalogue.edition
    chapter = edition.chapters[job.chapter]
    same = [other for other in jobs if (other.year, other.region) == (job.year, job.region)]
    return _common(job.path, job.lang, dataset) | {
        "title": words.say(
            "page_title", chapter=chapter.title[job.lang], place=words.region(job.region), year=job.year
        ),
        "summary": chapter.summary[job.lang],
        "year": job.year,
        "edition": edition.title[job.lang],
        "home": _link(job.path, f"{job.lang}/index.html"),
        "languages": [
            {
                "href": _link(job.path, other.path),
                "lang": other.lang,
                "name": Words(dataset.catalogue, other.lang).say("language_name"),
                "current": other.lang == job.lang,
            }
            for other in same
            if other.chapter == job.chapter
        ],
        "chapters": [
            {
                "href": _link(job.path, other.path),
                "name": edition.chapters[other.chapter].title[job.lang],
                "current": other.chapter == job.chapter,
            }
            for other in same
            if other.lang == job.lang
        ],
    }


def _index(lang: str, langs: Sequence[str], jobs: Sequence[Job], dataset: Dataset, here: str) -> str:
    """Index of all briefs in one language, a group a year and region."""
    words, edition = Words(dataset.catalogue, lang), dataset.catalogue.edition
    own = [job for job in jobs if job.lang == lang]
    groups = []
    for year, region in sorted(
        {(job.year, job.region) for job in own}, key=lambda key: (-key[0], key[1] != COUNTRY, key[1])
    ):
        links = [
            {
                "href": _link(here, job.path),
                "name": edition.chapters[job.chapter].title[lang],
                "summary": edition.chapters[job.chapter].summary[lang],
            }
            for job in own
            if (job.year, job.region) == (year, region)
        ]
        place = words.say("whole_country") if region == COUNTRY else words.region(region)
        heading = words.say("label_with_value", item=place, value=words.say("briefs_of_year", year=year))
        groups.append({"title": heading, "links": links})
    languages = [
        {
            "href": _link(here, f"{other}/index.html"),
            "lang": other,
            "name": Words(dataset.catalogue, other).say("language_name"),
            "current": other == lang,
        }
        for other in langs
    ]
    titles = {"title": edition.title[lang], "subtitle": edition.subtitle[lang]}
    return render("index.html.j2", **_common(here, lang, dataset), **titles, languages=languages, groups=groups)
