"""The command ``balalar``: ingest, check, audit, export, index, build."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from balalar.errors import BalalarError, DataError, Fault
from balalar.paths import project

# The modules that read and compute are imported by the commands that use them: one that finds nothing to do, or is
# asked for its help, answers at once.
if TYPE_CHECKING:
    from balalar.audit_brief import AuditBrief
    from balalar.batch.job import Outcome
    from balalar.cards import Catalogue
    from balalar.site import Opened


def _sound(publication: bool = True) -> None:
    """Refuse to go on with data that do not keep the rules."""
    from balalar import screen

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
        except KeyboardInterrupt:
            click.echo("stopped; nothing was written, and briefs that were made are kept for the next build", err=True)
            sys.exit(130)

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
    from balalar import cards, ingest

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
    from balalar import cards, coverage
    from balalar.claims import read_claims

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
    from balalar import screen

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
    from balalar import cards, exchange, site
    from balalar.audit_brief import correction_rows, open_audit, told
    from balalar.batch.job import Job

    if form == "html" and out is None:
        raise BalalarError("--format html: say with --out which file to write")
    if out:
        _refuse_place(out)
    _sound(publication=form == "html")
    brief = open_audit(year, lang)
    if repair:
        click.echo(correction_rows(brief, repair), nl=False)
    elif form == "html" and out:
        site.one_page(Job(brief.year, cards.COUNTRY, _audit_chapter(brief), lang), brief.dataset, project(), out)
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


def _declared(year: int, catalogue: Catalogue) -> None:
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
    from balalar import exchange
    from balalar.compare import marked
    from balalar.dataset import open_dataset
    from balalar.wellbeing import open_recomputed

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
    from balalar import exchange
    from balalar.index.build import build
    from balalar.index.tables import tables
    from balalar.spec import read_spec
    from balalar.values import read_values

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
@click.option("--region", "regions", multiple=True, help="ISO 3166-2 code, or all; the whole country if left out.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/site"), show_default=True)
@click.option("--dry-run", is_flag=True, help="Say which briefs would be made, and why; make none.")
@click.option("--force", is_flag=True, help="Make all briefs, also those that nothing has changed in.")
@click.option("--workers", type=click.IntRange(1), help="Briefs made at a time; one a core if left out.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Make them on a Dask cluster: tcp://HOST:PORT.")
@click.option("--kernels", is_flag=True, help="Give each brief an ordinary kernel of its own, which is slower.")
@click.option("--seconds", type=click.FloatRange(0.1), default=300, show_default=True, help="A brief may take.")
@click.option("--memory", type=click.IntRange(64), default=2048, show_default=True, help="Megabytes a brief may hold.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="File for what became of each brief.")
@click.option("--quiet", is_flag=True, help="Tell only what went wrong.")
@_told
def build_command(out: Path, dry_run: bool, force: bool, report: Path | None, quiet: bool, **options: Any) -> None:
    """Execute the notebooks and publish their briefs.

    Options may be given more than once. The site holds the briefs of this build and replaces the one that stood in
    its folder. Only briefs that something has changed in are made; the others are kept from earlier builds.
    """
    from balalar.batch.state import Wanted, state_of, unchanged

    where, start = project(), time.monotonic()
    wanted = Wanted(*(tuple(options[name]) for name in ("years", "langs", "chapters", "regions")))
    if not (force or dry_run or report) and (briefs := unchanged(out, state_of(where, wanted.request()))):
        click.echo(f"nothing has changed: {briefs} briefs in {out / 'index.html'} ({time.monotonic() - start:.1f} s)")
        return
    from balalar import site
    from balalar.batch.job import Limits
    from balalar.batch.run import Means

    site.target(out, where)  # refused before the long work
    if report:
        _refuse_place(report)
    limits = Limits(options["seconds"], options["memory"])
    means = Means(options["workers"] or 0, options["scheduler"], options["kernels"], limits)
    with site.opened(where, wanted, None if dry_run else means, force) as planned:
        if dry_run:
            _tell_plan(planned)
            return
        _announce(planned, quiet)
        outcomes = site.build(planned, out, wanted, means, quiet)
        seconds = time.monotonic() - start
        if report:
            site.write_report(planned, outcomes, seconds, report)
    _tell_end(outcomes, out, seconds, quiet)


def _tell_plan(planned: Opened) -> None:
    """Say which briefs would be made and why, the reasons in the words of the files that a person edits."""
    from balalar.batch.inputs import in_words

    for job, names in planned.reasons.items():
        click.echo(f"{job}: {'; '.join(dict.fromkeys(in_words(name) for name in names))}")
    click.echo(f"{len(planned.reasons)} of {len(planned.jobs)} briefs would be made")


def _announce(planned: Opened, quiet: bool) -> None:
    if quiet:
        return
    for chapter, year in planned.without:
        click.echo(f"{chapter} {year}: nothing was observed, no brief")
    if kept := len(planned.jobs) - len(planned.reasons):
        click.echo(f"{kept} of {len(planned.jobs)} briefs have not changed and are kept")
    sys.stdout.flush()


def _tell_end(outcomes: list[Outcome], out: Path, seconds: float, quiet: bool) -> None:
    """Say what failed, with the last lines it printed, and where the others are."""
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        click.echo(f"{outcome.job}: {outcome.failure}", err=True)
        for line in outcome.tail:
            click.echo(f"    | {line}", err=True)
    if len(failed) < len(outcomes) and not quiet:
        click.echo(f"{len(outcomes) - len(failed)} briefs in {out / 'index.html'} ({seconds:.0f} s)")
    if failed:
        click.echo(f"{len(failed)} brief(s) failed and are not in the site", err=True)
        sys.exit(1)
