"""The command ``balalar``: ingest, check, audit, export, index, build."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import click

from balalar import cards, coverage, exchange, ingest, press, screen, site
from balalar.audit_brief import AuditBrief, correction_rows, open_audit, told
from balalar.claims import read_claims
from balalar.compare import marked
from balalar.dataset import open_dataset
from balalar.errors import BalalarError, DataError, Fault
from balalar.index.build import build
from balalar.index.tables import tables
from balalar.paths import project
from balalar.press import Outcome
from balalar.spec import read_spec
from balalar.values import read_values
from balalar.wellbeing import open_recomputed


def _sound(publication: bool = True) -> None:
    """Refuse to go on with data that do not keep the rules."""
    if faults := screen.screen(publication=publication):
        raise DataError(faults)


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Turn our errors into their message and exit status 1."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except BalalarError as error:
            click.echo(str(error), err=True)
            if isinstance(error, DataError):
                click.echo(f"{len(error.faults)} fault(s); nothing was written.", err=True)
            sys.exit(1)
        except OSError as error:
            click.echo(f"{error.filename or 'file'}: {error.strerror or error}; nothing was written.", err=True)
            sys.exit(1)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The situation of children in Kazakhstan: data, checks, audit and briefs."""


@main.command("ingest")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--year", type=int, required=True, help="Year of the report.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to; data/observations if left out.")
@_told
def ingest_command(report: Path, year: int, out: Path | None) -> None:
    """Read the text of a printed REPORT into data/observations."""
    where = project()
    catalogue = cards.load(where)
    _declared(year, catalogue)
    files = ingest.ingest(report, year, catalogue, where)
    received = catalogue.sources.reports[year].sha256
    if (found := sha256(report.read_bytes()).hexdigest()) != received:
        rule = f"the text must be the one received, whose checksum stands in data/sources.yml ({received[:12]}…)"
        remedy = "If the text is a better one, read the difference and put its checksum there."
        raise DataError([Fault(str(report), 0, "sha256", found, rule, remedy)])
    ingest.write(files, out or where.observations)
    rows = sum(text.count("\n") - 1 for text in files.values())
    click.echo(f"{rows} observations of {len(files)} indicators written to {out or where.name(where.observations)}")


@main.command("coverage")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--year", type=int, required=True, help="Year of the report.")
@_told
def coverage_command(report: Path, year: int) -> None:
    """List the numbers in the prose of REPORT with what covers them, in data/reports."""
    where = project()
    catalogue = cards.load(where)
    _declared(year, catalogue)
    found = coverage.numbers(report, year, read_claims(catalogue, where).get(year, []), catalogue, where)
    coverage.write(found, where.report(year) / "numbers.csv")
    figures = [one for one in found if one.sort == "figure"]
    covered = sum(bool(one.covered) for one in figures)
    click.echo(f"{covered} of {len(figures)} figures of the prose are data or claims; {len(found)} numbers in all")


@main.command("check")
@_told
def check_command() -> None:
    """Hold all data, cards, codes and texts against the rules."""
    faults = screen.screen()
    if faults:
        for fault in faults:
            click.echo(str(fault), err=True)
        click.echo(f"{len(faults)} fault(s)", err=True)
        sys.exit(1)
    click.echo("all data, cards, codes, texts and notebooks keep the rules")


@main.command("audit")
@click.option("--year", type=int, help="Year of the report; the newest if left out.")
@click.option("--lang", default="en", show_default=True, help="Language of the words.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv", "html"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; needed for html.")
@click.option("--repair", metavar="ID", help="Print the rows for data/corrections.csv that accept a finding's repair.")
@click.option("--strict", is_flag=True, help="Exit status 1 if there is any finding that no correction mends.")
@_told
def audit_command(year: int | None, lang: str, form: str, out: Path | None, repair: str | None, strict: bool) -> None:
    """Hold every printed number against the others and list what does not agree."""
    if form == "html" and out is None:
        raise BalalarError("--format html: say with --out which file to write")
    if out:
        _refuse_place(out)
    _sound(publication=form == "html")
    brief = open_audit(year, lang)
    if repair:
        click.echo(correction_rows(brief, repair), nl=False)
    elif form == "html" and out:
        site.one_page(press.Job(brief.year, cards.COUNTRY, _audit_chapter(brief), lang), brief.dataset, project(), out)
        click.echo(f"{len(brief.findings)} findings in {out}")
    else:
        text = told(brief, form)
        if out:
            exchange.write_text(text, out)
            click.echo(f"{len(brief.findings)} findings in {out}")
        else:
            click.echo(text, nl=False)
    if strict and any(not finding.corrections for finding in brief.findings):
        sys.exit(1)


def _declared(year: int, catalogue: cards.Catalogue) -> None:
    """Refuse a year of which no report is declared."""
    if year not in catalogue.sources.reports:
        known = ", ".join(map(str, catalogue.sources.reports))
        raise BalalarError(f"--year {year}: data/sources.yml declares no report of that year; it declares {known}")


def _refuse_place(out: Path) -> None:
    """Refuse a file in a folder that is not there, or among the sources."""
    if not out.parent.is_dir():
        raise BalalarError(f"{out}: the folder {out.parent} does not exist")
    where, folder = project(), out.parent.resolve()
    if any(folder.is_relative_to(sources) for sources in (where.data, where.notebooks)):
        raise BalalarError(f"{out}: an export does not stand among the data or notebooks; choose another file")


def _audit_chapter(brief: AuditBrief) -> str:
    found = brief.words.catalogue.edition.about("audit")
    if not found:
        raise BalalarError("--format html: data/edition.yml has no chapter whose subject is the audit")
    return found


@main.command("export")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--view", type=click.Choice(["corrected", "printed", "intervals", "index"]), default="corrected", show_default=True
)
@_told
def export_command(out: Path, view: Literal["corrected", "printed", "intervals", "index"]) -> None:
    """Write all observations to OUT, one tidy CSV.

    The view «intervals» holds those with an interval of chance, and the verdicts; «index» the values of the
    recomputation of the Child Well-being Index, as `balalar index` reads them.
    """
    _refuse_place(out)
    _sound()
    dataset = open_dataset()
    if view == "intervals":
        frame = marked(dataset)
    elif view == "index":
        frame = open_recomputed(dataset, project()).inputs
    else:
        frame = exchange.tidy(dataset, view)
    exchange.write_csv(frame, out)
    click.echo(f"{len(frame)} observations written to {out}")


@main.command("index")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("data", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
@click.option("--replications", type=click.IntRange(2), help="Of the simulation; the spec's if left out.")
@click.option("--seed", type=click.IntRange(0), help="Of the simulation; the spec's if left out.")
@_told
def index_command(spec: Path, data: Path, out: Path, replications: int | None, seed: int | None) -> None:
    """Build the composite index that SPEC (YAML) describes from DATA (CSV), with its uncertainty.

    The folder holds a CSV for each step and result; contents.csv says what each is. See docs/index.md.
    """
    exchange.refuse_folder(out, "contents")  # before the long work, not after it
    described = read_spec(spec)
    built = build(described, read_values(data, described))
    found = tables(built, replications, seed)
    exchange.write_folder(found, out, "contents")
    scores = built.total
    click.echo(f"{described.top}: {scores.notna().sum()} of {len(scores)} scores; {len(found)} tables in {out}")
    if "intervals" not in found:
        click.echo("nothing is uncertain in this spec, so there are no intervals (docs/index.md, «uncertainty»)")


@main.command("build")
@click.option("--year", "years", type=int, multiple=True, help="Year; the newest report's if left out.")
@click.option("--lang", "langs", multiple=True, help="kk, ru or en; all if left out.")
@click.option("--chapter", "chapters", multiple=True, help="Chapter; all if left out.")
@click.option("--region", "regions", multiple=True, help="ISO 3166-2 code; the whole country if left out.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/site"), show_default=True)
@_told
def build_command(
    years: tuple[int, ...],
    langs: tuple[str, ...],
    chapters: tuple[str, ...],
    regions: tuple[str, ...],
    out: Path,
) -> None:
    """Execute the notebooks and publish their briefs.

    Options may be given more than once. The site holds the briefs of this build and replaces the
    one that stood in its folder.
    """
    where = project()
    _sound()
    dataset = open_dataset(where)
    jobs = press.plan(dataset, where, years, langs, chapters, regions)
    for chapter in dataset.catalogue.edition.chapters:
        for year in sorted({job.year for job in jobs}):
            if not chapters and not any((job.year, job.chapter) == (year, chapter) for job in jobs):
                click.echo(f"{chapter} {year}: nothing was observed, no brief")
    start, finished = time.monotonic(), 0

    def done(outcome: Outcome) -> None:
        nonlocal finished
        finished += 1
        state = "failed" if outcome.failure else "done"
        click.echo(f"[{finished:3d}/{len(jobs)}] {outcome.job} {state} in {outcome.seconds:.1f} s")
        sys.stdout.flush()

    outcomes = site.build(jobs, dataset, where, out, done)
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        click.echo(f"{outcome.job}: {outcome.failure}", err=True)
    if len(failed) < len(outcomes):
        click.echo(f"{len(outcomes) - len(failed)} briefs in {out / 'index.html'} ({time.monotonic() - start:.0f} s)")
    if failed:
        click.echo(f"{len(failed)} brief(s) failed and are not in the site", err=True)
        sys.exit(1)
