"""The rules that all data, cards, codes and texts must keep; every fault is listed at once."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from balalar.cards import Card, Catalogue, Text, survey
from balalar.dataset import CORRECTION_FIELDS, MISSING, correct, read_corrections, read_observations
from balalar.errors import DataError, Fault
from balalar.paths import Project, project

VALUE = r"-?\d+(\.\d+)?(e\d)?"


def screen(where: Project | None = None) -> list[Fault]:
    """Hold everything in a project against the rules.

    Parameters
    ----------
    where : Project, optional
        Project to screen; the current one if left out.

    Returns
    -------
    list of Fault
        All faults, sorted by file and line; empty where all is well.
    """
    where = where or project()
    catalogue, faults = survey(where)
    if catalogue is None:
        return sorted(set(faults))
    for card in catalogue.cards.values():
        faults += _card_faults(card, catalogue, where)
        if not card.derived:
            faults += observation_faults(card, where.observations / f"{card.id}.csv", catalogue, where)
    faults += _correction_faults(catalogue, where)
    if not faults:
        # These rules look across files and need every file to be sound.
        faults += _key_faults(catalogue, where)
        faults += _label_faults(catalogue)
        faults += _orphans(catalogue, where)
    return sorted(set(faults))


def observation_faults(card: Card, path: Path, catalogue: Catalogue, where: Project) -> list[Fault]:
    """Hold one indicator's CSV against its card.

    Parameters
    ----------
    card : Card
    path : Path
        The CSV.
    catalogue : Catalogue
    where : Project
    """
    name = where.name(path)
    faults = _csv_faults(path, name)
    if faults:
        return faults
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = ["year", "region", *card.dimensions, "value", "status", "source", "report"]
    if list(frame.columns) != columns:
        rule = f"the columns must be {','.join(columns)}, as the card says"
        return [Fault(name, 1, "header", ",".join(frame.columns), rule, "Mend the header or the card.")]
    try:
        _schema(card, catalogue).validate(frame, lazy=True)
    except SchemaErrors as error:
        return list(_schema_faults(error.failure_cases, frame, name))
    return []


def _csv_faults(path: Path, name: str) -> list[Fault]:
    """Faults of a file that is no whole CSV."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [Fault(name, 0, "file", "", "an indicator must have its observations", "Run balalar ingest.")]
    except UnicodeDecodeError:
        return [Fault(name, 0, "file", "", "the file must be UTF-8", "Save it as UTF-8.")]
    if not text.endswith("\n"):
        last = text.count("\n") + 1
        rule = "the file must end with a line break; it may be half-written"
        return [Fault(name, last, "line", text.rsplit("\n", 1)[-1], rule, "Restore the file.")]
    rows = list(csv.reader(text.splitlines()))
    return [
        Fault(
            name,
            line,
            "line",
            ",".join(row),
            f"a row has {len(rows[0])} fields, this has {len(row)}",
            "Mend it.",
        )
        for line, row in enumerate(rows, 1)
        if len(row) != len(rows[0])
    ]


def _schema(card: Card, catalogue: Catalogue) -> pa.DataFrameSchema:
    """Frame schema of an indicator's observations, made from its card."""
    codes = catalogue.codes

    def one_of(allowed: Iterable[str], rule: str) -> pa.Column:
        return pa.Column(str, pa.Check.isin(list(allowed), error=rule))

    columns = {
        "year": pa.Column(
            str, pa.Check.str_matches(r"^(19|20)\d\d$", error="a year has four digits, 1900 to 2099")
        ),
        "region": one_of(codes.regions, "a region must be a code of codes.yml"),
        **{
            name: one_of(codes.dimensions[name].items, f"must be a code of the dimension {name} in codes.yml")
            for name in card.dimensions
            if name in codes.dimensions
        },
        "value": pa.Column(
            str,
            pa.Check.str_matches(
                rf"^({VALUE})?$", error="a value is a number with a decimal point, or empty"
            ),
        ),
        "status": one_of(codes.statuses, "a status must be an SDMX code of codes.yml"),
        "source": one_of(
            {place for report in catalogue.sources.reports.values() for place in report.places},
            "a source must be a place of sources.yml",
        ),
        "report": one_of(map(str, catalogue.sources.reports), "a report must be a year of sources.yml"),
    }
    low, high = card.range
    bounds = (
        f"the card allows {'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
    )
    checks = [
        pa.Check(_value_fits_status, error="a value stands exactly where the status is not M or O"),
        pa.Check(_in_range(low, high), error=f"value out of range: {bounds}"),
    ]
    return pa.DataFrameSchema(columns, checks=checks, strict=True, ordered=True)


def _value_fits_status(frame: pd.DataFrame) -> pd.Series:
    return frame["status"].isin(MISSING) == (frame["value"] == "")


def _in_range(low: float | None, high: float | None) -> Callable[[pd.DataFrame], pd.Series]:
    def check(frame: pd.DataFrame) -> pd.Series:
        number = pd.to_numeric(frame["value"], errors="coerce")
        above = number >= low if low is not None else number == number
        below = number <= high if high is not None else number == number
        return number.isna() | (above & below)

    return check


def _schema_faults(cases: pd.DataFrame, frame: pd.DataFrame, name: str) -> Iterator[Fault]:
    """Faults from a frame schema's failure cases, a line of the CSV each."""
    for case in cases.drop_duplicates(["check", "index"]).to_dict("records"):
        at, rule = int(case["index"]), str(case["check"])
        # A rule about whole rows names a cell of each column; the value is what is looked at.
        column = "value" if case["schema_context"] == "DataFrameSchema" else str(case["column"])
        remedy = "Mend the cell, or declare the code." if "code" in rule else "Compare it with the report."
        yield Fault(name, at + 2, column, str(frame[column].iloc[at]), rule, remedy)


def _card_faults(card: Card, catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """References of a card to what must exist."""
    name = where.name(where.indicators / f"{card.id}.yml")
    codes, edition = catalogue.codes, catalogue.edition
    asked: list[tuple[str, str | None, Iterable[str], str]] = [
        ("unit", card.unit, codes.units, "units of codes.yml"),
        ("agency", card.agency, codes.agencies, "agencies of codes.yml"),
        ("chapter", card.chapter, edition.chapters, "chapters of edition.yml"),
        ("time", card.time, codes.time, "time of codes.yml"),
        *(("dimensions", code, codes.dimensions, "dimensions of codes.yml") for code in card.dimensions),
        ("numerator", card.numerator, catalogue.cards, "the cards"),
        ("denominator", card.denominator, catalogue.cards, "the cards"),
    ]
    for field, value, known, listed in asked:
        if value is not None and value not in known:
            yield Fault(
                name, 0, field, value, f"{field} must stand among {listed}", "Mend the code or add it there."
            )
    if not (where.indicators / f"{card.id}.yml").exists():
        yield Fault(
            where.name(where.indicators),
            0,
            "id",
            card.id,
            "a card's id is its file's name",
            "Rename the file.",
        )


def _correction_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """Form of the corrections; that each fits a printed figure is seen when they are applied."""
    name = where.name(where.corrections)
    if faults := _csv_faults(where.corrections, name):
        return faults
    rows = read_corrections(where)
    header = tuple(csv.DictReader(where.corrections.open(encoding="utf-8")).fieldnames or ())
    if header != CORRECTION_FIELDS:
        rule = f"the columns must be {','.join(CORRECTION_FIELDS)}"
        return [Fault(name, 1, "header", ",".join(header), rule, "Mend the header.")]
    codes = catalogue.codes
    places = {place for report in catalogue.sources.reports.values() for place in report.places}
    doubled = {key for key, times in Counter(row["id"] for row in rows).items() if times > 1}
    allowed: dict[str, tuple[Iterable[str], str]] = {
        "rule": (codes.correction_rules, "correction_rules of codes.yml"),
        "used_region": (codes.regions, "regions of codes.yml"),
        "used_status": (codes.statuses, "statuses of codes.yml"),
        "indicator": (catalogue.cards, "the cards"),
        "confidence": (("high", "medium", "low"), "high, medium, low"),
    }
    for row in rows:
        line = int(row["line"])
        if row["id"] in doubled:
            faults.append(Fault(name, line, "id", row["id"], "an id stands once", "Give it another id."))
        for field, (known, listed) in allowed.items():
            if (row[field] or not field.startswith("used_")) and row[field] not in known:
                faults.append(Fault(name, line, field, row[field], f"must stand among {listed}", "Mend it."))
        if row["used_value"] and not re.fullmatch(VALUE, row["used_value"]):
            faults.append(
                Fault(name, line, "used_value", row["used_value"], "a value is a number", "Mend it.")
            )
        if not row["evidence"] or set(row["evidence"].split()) - places:
            rule = "evidence names the places of sources.yml that show it, with spaces between"
            faults.append(Fault(name, line, "evidence", row["evidence"], rule, "Name them."))
    return faults


def _key_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """In the corrected view each key stands once and each region is alive."""
    printed = read_observations(catalogue, where)
    try:
        frame = correct(printed, read_corrections(where), catalogue)
    except DataError as error:
        return list(error.faults)
    frame = frame.assign(line=frame.groupby("indicator").cumcount() + 2)
    key = ["indicator", "year", "region", *catalogue.codes.dimensions, "source", "report"]
    faults = []
    for row in frame[frame.duplicated(key)].to_dict("records"):
        rule = "a key stands once in a source, corrections applied"
        remedy = "Remove the row, or correct its label in corrections.csv."
        found = f"{row['year']},{row['region']},{row['source']}"
        faults.append(_row_fault(row, "key", found, rule, remedy, where))
    for row in frame[frame["number"].notna()].to_dict("records"):
        region, year = row["region"], row["year"]
        borders = year + 1 if year in catalogue.cards[row["indicator"]].recalculated else year
        if not catalogue.codes.regions[region].lives(borders):
            rule = f"a region must exist in the year; {region} does not in {year}"
            remedy = "Mend the code, its lifespan, or correct the label in corrections.csv."
            faults.append(_row_fault(row, "region", region, rule, remedy, where))
    return faults


def _row_fault(row: Any, column: str, found: str, rule: str, remedy: str, where: Project) -> Fault:
    file = where.name(where.observations / f"{row['indicator']}.csv")
    return Fault(file, int(row["line"]), column, found, rule, remedy)


def _label_faults(catalogue: Catalogue) -> Iterator[Fault]:
    """Labels tell codes apart: within a list each is unique in each language."""
    codes = catalogue.codes
    lists: dict[str, dict[str, Text]] = {
        "regions.name": {code: region.name for code, region in codes.regions.items()},
        "regions.short": {code: region.short for code, region in codes.regions.items()},
        **{f"dimensions.{name}": dimension.items for name, dimension in codes.dimensions.items()},
        "indicators.title": {card.id: card.title for card in catalogue.cards.values()},
    }
    for listed, labels in lists.items():
        for lang in catalogue.edition.languages:
            doubled = Counter(label[lang] for label in labels.values())
            for code, label in labels.items():
                if doubled[label[lang]] > 1:
                    file = "data/indicators" if listed == "indicators.title" else "data/codes.yml"
                    rule = f"a label stands for one code of {listed} ({lang})"
                    yield Fault(file, 0, code, label[lang], rule, "Tell the two apart.")


def _orphans(catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """Everything declared is used, and everything used is declared."""
    yield from _unused_codes(catalogue, where)
    yield from _unused_places(catalogue, where)
    known = {card.id for card in catalogue.cards.values() if not card.derived}
    for path in sorted(where.observations.glob("*.csv")):
        if path.stem not in known:
            yield Fault(
                where.name(path), 0, "file", path.stem, "observations must have a card", "Add the card."
            )
    for chapter in catalogue.edition.chapters:
        yield from _notebook_faults(chapter, catalogue, where)


def _unused_codes(catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    frame, codes = read_observations(catalogue, where), catalogue.codes
    cards = catalogue.cards.values()
    corrections = read_corrections(where)
    parents = {region.parent for region in codes.regions.values()}
    places = [place for report in catalogue.sources.reports.values() for place in report.places.values()]
    used: dict[str, tuple[Iterable[str], set[Any]]] = {
        "regions": (codes.regions, set(frame["region"]) | parents),
        "units": (codes.units, {card.unit for card in cards}),
        "agencies": (codes.agencies, {card.agency for card in cards} | {place.agency for place in places}),
        "statuses": (codes.statuses, set(frame["status"]) | {row["used_status"] for row in corrections}),
        "time": (codes.time, {card.time for card in cards}),
        "correction_rules": (codes.correction_rules, {row["rule"] for row in corrections}),
        "dimensions": (codes.dimensions, {name for card in cards for name in card.dimensions}),
        **{
            f"dimensions.{name}.items": (dimension.items, set(frame[name]) | {"total"})
            for name, dimension in codes.dimensions.items()
        },
    }
    for field, (declared, needed) in used.items():
        for code in declared:
            if code not in needed:
                yield Fault(
                    "data/codes.yml", 0, field, code, "a code must be used somewhere", "Remove it, or use it."
                )


def _unused_places(catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    frame = read_observations(catalogue, where)
    corrections = read_corrections(where)
    for year, report in catalogue.sources.reports.items():
        cited = set(frame.loc[frame["report"] == year, "source"])
        cited |= {
            place for row in corrections if row["report"] == str(year) for place in row["evidence"].split()
        }
        for source, place in report.places.items():
            if place.printed != (source in cited):
                rule = "a place is cited by observations or as evidence, or marked printed: false"
                yield Fault(
                    "data/sources.yml", 0, f"{year}.{source}", "", rule, "Mend the mark, or remove the place."
                )


def _notebook_faults(chapter: str, catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """A chapter's notebook shows all its indicators and uses all its texts, and no others."""
    path = where.notebooks / f"{chapter}.ipynb"
    name = where.name(path)
    if not path.exists():
        yield Fault(name, 0, "file", "", "a chapter must have a notebook of its name", "Add the notebook.")
        return
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    named = set(re.findall(r'"([a-z][a-z0-9_]*)"', source))
    texts = set(catalogue.texts.get(chapter, {}))
    own = {card.id for card in catalogue.chapter_cards(chapter)}
    for missing in sorted(own - named):
        yield Fault(
            name, 0, "indicator", missing, "a chapter shows each of its indicators", "Add a cell for it."
        )
    for missing in sorted(texts - named):
        yield Fault(
            f"data/text/{chapter}.yml", 0, missing, "", "a text must be used by its notebook", "Remove it."
        )
