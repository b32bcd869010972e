"""The site: pages that know of each other, an index in each language, the data; whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from balalar import exchange
from balalar.atomic import put, workplace
from balalar.audit_brief import anchor
from balalar.brief import AUDIT_LINK, COMPARED_LINK
from balalar.cards import COUNTRY
from balalar.compare import marked
from balalar.dataset import Dataset
from balalar.errors import BalalarError
from balalar.paths import Project
from balalar.press import Job, Outcome, page, run
from balalar.tables import render
from balalar.words import Words

MARKER = ".balalar-site"  # stands in every site that a build has made
DOWNLOADS = {
    "download_corrected": "data/balalar-corrected.csv",
    "download_printed": "data/balalar-printed.csv",
    "download_intervals": "data/balalar-intervals.csv",
}


def build(
    jobs: Sequence[Job], dataset: Dataset, where: Project, out: Path, done: Callable[[Outcome], None]
) -> list[Outcome]:
    """Make all briefs and put the site in place once it is whole.

    Parameters
    ----------
    jobs : sequence of Job
    dataset : Dataset
    where : Project
    out : Path
        Folder of the site; what stood there is replaced as the last step.
    done : callable
        Called with each outcome as it comes.

    Returns
    -------
    list of Outcome
        Failed briefs are in it, but not in the site. Where all failed the old site stays.

    Raises
    ------
    BalalarError
        ``out`` holds something that is no site of ours.
    """
    out = _target(out, where)
    with workplace(out) as aside:
        outcomes = run(jobs, where, aside / "executed", done)
        made = [outcome for outcome in outcomes if not outcome.failure]
        if made:
            fresh = aside / "site"
            _write_site(made, dataset, fresh)
            (fresh / MARKER).write_text("This folder is made by balalar build and replaced by the next.\n")
            put(fresh, out)
    return outcomes


def one_page(job: Job, dataset: Dataset, where: Project, file: Path) -> None:
    """Make one brief and write its page to a file, whole or not at all.

    Raises
    ------
    BalalarError
        The notebook failed; its cell and reason are named.
    """
    with tempfile.TemporaryDirectory(prefix="balalar-") as folder:
        (outcome,) = run([job], where, Path(folder), lambda _: None)
    if outcome.failure:
        raise BalalarError(f"{job}: {outcome.failure}")
    # A page alone leads to no other.
    alone = _page_words(job, [job], dataset) | {"home": "", "downloads": []}
    exchange.write_text(_linked(page(outcome.sections, alone), job, [job], dataset), file)


def _target(out: Path, where: Project) -> Path:
    """Where the site goes; never over a folder that no build has made, nor among the sources."""
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


def _write_site(outcomes: Sequence[Outcome], dataset: Dataset, folder: Path) -> None:
    jobs = [outcome.job for outcome in outcomes]
    for outcome in outcomes:
        path = folder / outcome.job.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = page(outcome.sections, _page_words(outcome.job, jobs, dataset))
        path.write_text(_linked(text, outcome.job, jobs, dataset), encoding="utf-8")
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
