"""The rules that all data, cards, codes and texts must keep; every fault is listed at once."""

from __future__ import annotations

import ast
import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from balalar.cards import TOTAL, Card, Catalogue, Text, read, survey
from balalar.claims import read_claims
from balalar.coverage import read_numbers
from balalar.dataset import CORRECTION_FIELDS, MISSING, correct, read_corrections, read_observations
from balalar.errors import DataError, Fault
from balalar.framework import read_membership, read_recomputation
from balalar.layout import Layout
from balalar.paths import Project, project

RELATIONS = ("composition_of", "same_as", "mean_over_year", "within", "complement", "weight", "change_of", "sample")
YEAR = r"(19|20)[0-9]{2}"
OUT_OF_RANGE = "value out of range"
PANELS = ("key_findings", "spine", "heat_map", "tile_map", "funnel", "inequality")  # show indicators shown elsewhere
SHARED_TEXTS = ("common", "audit", "comparison", "index")  # text files that belong to no chapter
VALUE = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e(3|6|9|12))?"


def screen(where: Project | None = None, publication: bool = True) -> list[Fault]:
    """Hold everything in a project against the rules.

    Parameters
    ----------
    where : Project, optional
        Project to screen; the current one if left out.
    publication : bool
        Whether it is to be published: then chapters, notebooks and layouts must be whole, and nothing unused. A data
        package of others, to be audited only, need not.

    Returns
    -------
    list of Fault
        All faults, sorted by file and line; empty where all is well.
    """
    where = where or project()
    catalogue, faults = survey(where)
    if catalogue is None:
        return sorted(set(faults))
    for stem, card in catalogue.cards.items():
        if stem != card.id:
            file = where.name(where.indicators / f"{stem}.yml")
            faults.append(Fault(file, 0, "id", card.id, "a card's id is its file's name", "Rename the file or the id."))
        faults += _card_faults(card, catalogue, where)
    faults += _claim_faults(catalogue, where)
    if publication:
        faults += [*_reference_faults(catalogue), *_label_faults(catalogue), *_chapter_faults(catalogue, where)]
        faults += [*_layout_faults(catalogue, where), *_index_faults(catalogue, where)]
    unsound = _observation_faults(catalogue, where)
    corrections = _correction_faults(catalogue, where)
    if not unsound and not corrections:
        # What looks across files needs every figure to be sound.
        frame = read_observations(catalogue, where)
        faults += _key_faults(frame, catalogue, where)
        faults += _unused(frame, catalogue, where) if publication else []
    return sorted({*faults, *unsound, *corrections})


def _observation_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """Hold every indicator's CSV against its card; cards of the same dimensions are looked at together."""
    faults: list[Fault] = []
    frames: dict[tuple[str, ...], list[pd.DataFrame]] = {}
    for card in catalogue.cards.values():
        if not card.derived:
            found = _observations(card, where.observations / f"{card.id}.csv", where)
            if isinstance(found, list):
                faults += found
            else:
                frames.setdefault(card.dimensions, []).append(found)
    for dimensions, alike in frames.items():
        frame = pd.concat(alike, ignore_index=True)
        try:
            _schema(dimensions, catalogue).validate(frame, lazy=True)
        except SchemaErrors as error:
            faults += _schema_faults(error.failure_cases, frame)
    return faults


def _observations(card: Card, path: Path, where: Project) -> list[Fault] | pd.DataFrame:
    """Rows of one CSV with their file, line and bounds; or what is wrong with its form."""
    name = where.name(path)
    if faults := _csv_faults(path, name):
        return faults
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = ["year", "region", *card.dimensions, "value", "status", "source", "report"]
    if list(frame.columns) != columns:
        rule = f"the columns must be {','.join(columns)}, as the card says"
        return [Fault(name, 1, "header", ",".join(frame.columns), rule, "Mend the header or the card.")]
    if frame.empty:
        return [Fault(name, 0, "rows", "", "an indicator must have a row at least", "Run balalar ingest.")]
    low, high = card.range
    return frame.assign(
        file=name,
        line=range(2, len(frame) + 2),
        low=-math.inf if low is None else low,
        high=math.inf if high is None else high,
    )


def _csv_faults(path: Path, name: str, lost: str = "Run balalar ingest.") -> list[Fault]:
    """Faults of a file that is no whole CSV."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [Fault(name, 0, "file", "", "the file must exist", lost)]
    except UnicodeDecodeError:
        return [Fault(name, 0, "file", "", "the file must be UTF-8", "Save it as UTF-8.")]
    except OSError as error:
        return [Fault(name, 0, "file", "", f"the file must be readable ({error.strerror})", "Restore it.")]
    if text.startswith("\ufeff"):
        return [Fault(name, 1, "file", "", "the file must not start with a byte order mark", "Remove it.")]
    if not text.strip() or not text.endswith("\n"):
        last = text.count("\n") + 1
        rule = "the file must hold rows and end with a line break; it may be half-written"
        return [Fault(name, last, "line", text.rsplit("\n", 1)[-1], rule, "Restore the file.")]
    return list(_row_faults(text, name))


def _row_faults(text: str, name: str) -> Iterator[Fault]:
    """Faults of single rows: no row reaches over a line, all have as many fields as the header."""
    wanted = 0
    for number, line in enumerate(re.split(r"\r?\n", text.rstrip("\r\n")), 1):
        try:
            (row,) = csv.reader([line], strict=True) if line else ([],)
        except (csv.Error, ValueError) as error:
            rule = f"a row stands on one line, with quotes that close ({error})"
            yield Fault(name, number, "line", line, rule, "Mend it.")
            continue
        wanted = wanted or len(row)
        if len(row) != wanted:
            yield Fault(name, number, "line", line, f"a row has {wanted} fields, this has {len(row)}", "Mend it.")


def _schema(dimensions: Sequence[str], catalogue: Catalogue) -> pa.DataFrameSchema:
    """Frame schema of the observations of indicators with these dimensions."""
    codes = catalogue.codes

    def one_of(allowed: Iterable[str], rule: str) -> pa.Column:
        return pa.Column(str, pa.Check.isin(list(allowed), error=rule))

    columns = {
        "year": pa.Column(str, pa.Check.str_matches(rf"^{YEAR}$", error="a year has four digits, 1900 to 2099")),
        "region": one_of(codes.regions, "a region must be a code of codes.yml"),
        **{
            name: one_of(codes.dimensions[name].items, f"must be a code of the dimension {name} in codes.yml")
            for name in dimensions
            if name in codes.dimensions
        },
        "value": pa.Column(
            str,
            pa.Check.str_matches(rf"^({VALUE})?$", error="a value is a number with a decimal point, or empty"),
        ),
        "status": one_of(codes.statuses, "a status must be an SDMX code of codes.yml"),
        "source": one_of(
            {place for report in catalogue.sources.reports.values() for place in report.places},
            "a source must be a place of sources.yml",
        ),
        "report": one_of(map(str, catalogue.sources.reports), "a report must be a year of sources.yml"),
    }
    checks = [
        pa.Check(_value_fits_status, error="a value stands exactly where the status is not M or O"),
        pa.Check(_in_range, error=OUT_OF_RANGE),
    ]
    return pa.DataFrameSchema(columns, checks=checks)


def _value_fits_status(frame: pd.DataFrame) -> pd.Series:
    return frame["status"].isin(MISSING) == (frame["value"] == "")


def _in_range(frame: pd.DataFrame) -> pd.Series:
    number = pd.to_numeric(frame["value"], errors="coerce")
    return number.isna() | number.between(frame["low"], frame["high"])


def _schema_faults(cases: pd.DataFrame, frame: pd.DataFrame) -> Iterator[Fault]:
    """Faults from a frame schema's failure cases, a line of a CSV each."""
    rows = frame.to_dict("records")
    for case in cases.drop_duplicates(["check", "index"]).to_dict("records"):
        row, rule = rows[int(case["index"])], str(case["check"])
        if rule == OUT_OF_RANGE:
            low, high = (f"{bound:g}" if math.isfinite(bound) else "any" for bound in (row["low"], row["high"]))
            rule = f"{OUT_OF_RANGE}: the card allows {low} to {high}"
        # A rule about whole rows names a cell of each column; the value is what is looked at.
        column = "value" if case["schema_context"] == "DataFrameSchema" else str(case["column"])
        remedy = "Mend the cell, or declare the code." if "code" in rule else "Compare it with the report."
        yield Fault(str(row["file"]), int(row["line"]), column, str(row[column]), rule, remedy)


def _card_faults(card: Card, catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """References of a card to what must exist."""
    name = where.name(where.indicators / f"{card.id}.yml")
    codes, edition = catalogue.codes, catalogue.edition
    cards = {path.stem for path in where.indicators.glob("*.yml")}  # sound or not
    asked: list[tuple[str, str | None, Iterable[str], str]] = [
        ("unit", card.unit, codes.units, "units of codes.yml"),
        ("agency", card.agency, codes.agencies, "agencies of codes.yml"),
        ("chapter", card.chapter, edition.chapters, "chapters of edition.yml"),
        ("time", card.time, codes.time, "time of codes.yml"),
        *(("dimensions", code, codes.dimensions, "dimensions of codes.yml") for code in card.dimensions),
        ("numerator", card.numerator, cards, "the cards"),
        ("denominator", card.denominator, cards, "the cards"),
        ("denominator_less", card.denominator_less, cards, "the cards"),
        ("interval.cases", card.interval.cases, cards, "the cards"),
        ("interval.base", card.interval.base, cards, "the cards"),
        ("interval.reason", card.interval.reason, codes.no_interval, "the codes no_interval"),
        *((name, getattr(card, name), cards, "the cards") for name in RELATIONS),
    ]
    for field, value, known, listed in asked:
        if value is not None and value not in known:
            yield Fault(name, 0, field, value, f"{field} must stand among {listed}", "Mend the code or add it there.")
    yield from _relation_faults(card, catalogue, name)
    for part in filter(None, (card.numerator, card.denominator)):
        other = catalogue.cards.get(part)
        if (part == card.id and not card.numerator_codes and not card.of_country) or (other and other.derived):
            rule = "an indicator is derived from others, which are observed"
            yield Fault(name, 0, "numerator, denominator", part, rule, "Name observed indicators.")
    for dimension, labels in card.labels.items():
        known_codes = codes.dimensions[dimension].items if dimension in codes.dimensions else {}
        for code in labels:
            if dimension not in card.dimensions or code not in known_codes:
                rule = "labels are of codes of the card's dimensions"
                yield Fault(name, 0, "labels", f"{dimension}.{code}", rule, "Mend the code.")


def _relation_faults(card: Card, catalogue: Catalogue, name: str) -> Iterator[Fault]:
    """Codes that a card's relations name."""
    lists, cards = catalogue.codes.dimensions, catalogue.cards
    named = [("parts", card, dimension, code) for dimension, codes in card.parts.items() for code in codes]
    for field, other, given in (
        ("numerator_codes", card.numerator, card.numerator_codes),
        ("denominator_codes", card.denominator, card.denominator_codes),
        ("interval", card.interval.base, card.interval.codes),
        ("same_codes", card.same_as, card.same_codes),
        ("sample_codes", card.sample, card.sample_codes),
    ):
        if other is not None and other in cards:
            named += [(field, cards[other], dimension, code) for dimension, code in given.items()]
    for field, owner, dimension, code in named:
        if dimension not in owner.dimensions or dimension not in lists or code not in lists[dimension].items:
            rule = f"{field} names codes of the dimensions of {owner.id}"
            yield Fault(name, 0, field, f"{dimension}.{code}", rule, "Mend the code.")


def _claim_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """Form of the claims, and that all they name is declared."""
    try:
        read_claims(catalogue, where)
        read_numbers(where)
    except DataError as error:
        return error.faults
    return []


def _index_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """What is known of the index is sound and names what is declared; without its chapter there need be none."""
    if not catalogue.edition.about("index"):
        return []
    try:
        read_recomputation(read_membership(catalogue, where), catalogue, where)
    except DataError as error:
        return error.faults
    return []


def _correction_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """Form of the corrections; that each fits a printed figure is seen when they are applied."""
    name = where.name(where.corrections)
    if faults := _csv_faults(where.corrections, name, "Restore it; without corrections it holds its header only."):
        return faults
    rows = read_corrections(where)
    header = tuple(where.corrections.read_text(encoding="utf-8").split("\n", 1)[0].split(","))
    if header != CORRECTION_FIELDS:
        rule = f"the columns must be {','.join(CORRECTION_FIELDS)}"
        return [Fault(name, 1, "header", ",".join(header), rule, "Mend the header.")]
    doubled = {key for key, times in Counter(row["id"] for row in rows).items() if times > 1}
    for row in rows:
        line = int(row["line"])
        if row["id"] in doubled:
            faults.append(Fault(name, line, "id", row["id"], "an id stands once", "Give it another id."))
        wrong = _correction_row(row, catalogue)
        faults += [Fault(name, line, field, row[field], rule, "Mend it.") for field, rule in wrong]
    return faults


def _correction_row(row: dict[str, str], catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Fields of a correction that are wrong, each with its rule."""
    codes = catalogue.codes
    places = {place for report in catalogue.sources.reports.values() for place in report.places}
    allowed: dict[str, tuple[Iterable[str], str]] = {
        "rule": (codes.correction_rules, "correction_rules of codes.yml"),
        "used_region": (codes.regions, "regions of codes.yml"),
        "used_status": (codes.statuses, "statuses of codes.yml"),
        "indicator": (catalogue.cards, "the cards"),
        "confidence": (("high", "medium", "low"), "high, medium, low"),
    }
    for field, (known, listed) in allowed.items():
        if (row[field] or not field.startswith("used_")) and row[field] not in known:
            yield field, f"must stand among {listed}"
    if row["used_value"] and not re.fullmatch(VALUE, row["used_value"]):
        yield "used_value", "a value is a number"
    if row["used_year"] and not re.fullmatch(YEAR, row["used_year"]):
        yield "used_year", "a year has four digits"
    for pair in filter(None, row["used_dims"].split(";")):
        dimension, _, code = pair.partition("=")
        if dimension not in codes.dimensions or code not in codes.dimensions[dimension].items:
            yield "used_dims", "names dimension=code pairs of codes.yml, with ; between"
    if not row["evidence"] or set(row["evidence"].split()) - places:
        yield "evidence", "evidence names the places of sources.yml that show it, with spaces between"


def _key_faults(printed: pd.DataFrame, catalogue: Catalogue, where: Project) -> list[Fault]:
    """In the corrected view each key stands once and each region is alive."""
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


def _reference_faults(catalogue: Catalogue) -> Iterator[Fault]:
    """References of the codes and sources to what must exist."""
    codes = catalogue.codes
    for code, region in codes.regions.items():
        if region.parent and region.parent not in codes.regions:
            rule = "a region's parent must be a region"
            yield Fault("data/codes.yml", 0, f"regions.{code}.parent", region.parent, rule, "Mend the code.")
    for year, report in catalogue.sources.reports.items():
        for source, place in report.places.items():
            if place.agency not in codes.agencies:
                rule = "an agency must stand among agencies of codes.yml"
                yield Fault("data/sources.yml", 0, f"{year}.{source}", place.agency, rule, "Mend the code.")


def _layout_faults(catalogue: Catalogue, where: Project) -> list[Fault]:
    """How each report's tables are read must be declared soundly."""
    faults: list[Fault] = []
    for folder in sorted((where.data / "reports").glob("*")):
        try:
            read(dict[str, Layout], folder / "tables.yml", where)
        except DataError as error:
            faults += error.faults
        for path in sorted((folder / "quotes").glob("*.csv")):
            faults += _csv_faults(path, where.name(path), "Restore it.")
    return faults


def _unused(frame: pd.DataFrame, catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """Everything declared is used."""
    codes, cards = catalogue.codes, catalogue.cards.values()
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
            f"dimensions.{name}.items": (dimension.items, set(frame[name]) | {TOTAL})
            for name, dimension in codes.dimensions.items()
        },
    }
    for field, (declared, needed) in used.items():
        for code in declared:
            if code not in needed:
                yield Fault("data/codes.yml", 0, field, code, "a code must be used somewhere", "Remove it, or use it.")
    for year, report in catalogue.sources.reports.items():
        cited = set(frame.loc[frame["report"] == year, "source"])
        cited |= {place for row in corrections if row["report"] == str(year) for place in row["evidence"].split()}
        for source, place in report.places.items():
            if place.printed != (source in cited):
                rule = "a place is cited by observations or as evidence, or marked printed: false"
                remedy = "Mend the mark, or remove the place."
                yield Fault("data/sources.yml", 0, f"{year}.{source}", "", rule, remedy)


def _chapter_faults(catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """Chapters, notebooks, texts, cards and observations belong together."""
    chapters = catalogue.edition.chapters
    cards = {path.stem for path in where.indicators.glob("*.yml")}
    derived = {card.id for card in catalogue.cards.values() if card.derived}
    for path in sorted(where.observations.iterdir()):
        if path.suffix != ".csv" or path.stem not in cards - derived:
            rule = "observations must be the CSV of an indicator with a card"
            yield Fault(where.name(path), 0, "file", path.name, rule, "Restore the card, or remove the file.")
    for path in [*sorted(where.notebooks.glob("*.ipynb")), *sorted(where.text.glob("*.yml"))]:
        if path.stem not in (*chapters, *SHARED_TEXTS):
            yield Fault(
                where.name(path),
                0,
                "file",
                path.stem,
                "must belong to a chapter",
                "Add the chapter, or remove it.",
            )
    if "common" not in catalogue.texts and not (where.text / "common.yml").exists():
        yield Fault("data/text/common.yml", 0, "file", "", "the file must exist", "Restore it.")
    for chapter in chapters:
        yield from _notebook_faults(chapter, catalogue, where)


def _notebook_faults(chapter: str, catalogue: Catalogue, where: Project) -> Iterator[Fault]:
    """A chapter's notebook shows all its indicators and uses all its texts, and no others."""
    path = where.notebooks / f"{chapter}.ipynb"
    name = where.name(path)
    if not path.exists():
        yield Fault(name, 0, "file", "", "a chapter must have a notebook of its name", "Add the notebook.")
        return
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        calls = _calls([cell for cell in cells if cell["cell_type"] == "code"])
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        rule = f"the file must be a notebook of sound Python cells ({type(error).__name__}: {error})"
        yield Fault(name, 0, "file", "", rule, "Restore it.")
        return
    shared = set(catalogue.texts.get("common", {}))
    asked = {"text": (calls["section"] - shared, set(catalogue.texts.get(chapter, {})))}
    if catalogue.edition.chapters[chapter].subject == "data":
        own_cards = {card.id for card in catalogue.chapter_cards(chapter)}
        asked["indicator"] = (calls["show"] | calls["facts"], own_cards)
    for field, (named, own) in asked.items():
        for missing in sorted(own - named):
            yield Fault(
                name,
                0,
                field,
                missing,
                f"a chapter shows each {field} of its own",
                "Add a cell for it, or remove it.",
            )
        for unknown in sorted(named - own):
            yield Fault(name, 0, field, unknown, f"the chapter has no such {field}", "Mend the name.")
    named = set().union(*(calls[name] for name in PANELS))
    for unknown in sorted(named - {card.id for card in catalogue.chapter_cards(chapter)}):
        yield Fault(name, 0, "indicator", unknown, "the chapter has no such indicator", "Mend the name.")


def _calls(cells: list[Any]) -> dict[str, set[str]]:
    """First words given to each method of the brief; what is commented out is not there."""
    found: dict[str, set[str]] = {name: set() for name in ("show", "facts", "section", *PANELS)}
    for cell in cells:
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in found:
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                found[node.func.attr] |= {str(word) for word in words}
    return found
