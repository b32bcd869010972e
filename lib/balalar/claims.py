"""The claims of a report as data: each quantified statement of its prose, without its words."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from balalar.cards import COUNTRY, Card, Catalogue, Record
from balalar.errors import DataError, Fault
from balalar.paths import Project
from balalar.traces import looked

Kind = Literal[
    "value", "change", "percent_change", "fold", "share", "sum", "mean", "rank", "highest", "lowest",
    "above", "below", "only_above", "only_below", "between", "only_between",
    "count_above", "count_below", "count_between", "count_rose", "count_fell", "count_unchanged",
    "range", "direction", "greater", "less", "equal", "proportion",
]  # fmt: skip
WITH_NUMBER = {
    "value", "change", "percent_change", "fold", "share", "sum", "mean", "rank",
    "count_above", "count_below", "count_between", "count_rose", "count_fell", "count_unchanged", "proportion",
}  # fmt: skip
WITH_ITEMS = {"highest", "lowest", "above", "below", "only_above", "only_below", "between", "only_between"}
WITH_LIMITS = {"between", "only_between", "count_between", "range", "proportion"}
REGION = "region"
YEAR = "year"

Year = Annotated[str, StringConstraints(pattern=r"^(\d{4}(\+\d{4})*)?$")]
Codes = Annotated[str, StringConstraints(pattern=r"^([a-z_]+=[a-z0-9_+]+(;[a-z_]+=[a-z0-9_+]+)*)?$")]
Number = Annotated[str, StringConstraints(pattern=r"^(\d[\d ]*(,\d+)?)?$")]
Limit = Annotated[str, StringConstraints(pattern=r"^(-?\d+(\.\d+)?)?$")]


class Claim(Record):
    """One quantified statement of a report.

    Attributes
    ----------
    id : str
        Section and number in the order of the text.
    section : str
    line : int
        Line of the received text on which the number, or the comparing word, stands.
    kind : str
        What is said of the left operand, of the right one, or of the items.
    indicator, year, region, dims : str
        The left operand; ``+`` joins codes whose values are added up.
    base_indicator, base_year, base_region, base_dims : str
        The right operand; what is empty is that of the left.
    over : str
        The dimension that a set, rank, count, sum, mean or range goes over.
    items : str
        Codes of that dimension which the statement names.
    low, high : str
        Limits in the card's unit.
    printed : str
        The number as printed, ``scale`` its power of ten, ``spelled`` yes where it stands in words.
    hedge : {"", "about", "more", "less"}
    assumed : {"", "yes"}
        Yes where the sentence leaves open what its number is compared with, and the row takes the nearest reading.
    direction : {"", "rose", "fell", "unchanged"}
    """

    id: Annotated[str, StringConstraints(pattern=r"^\d(\.\d+)?-\d{2,3}$")]
    section: Annotated[str, StringConstraints(pattern=r"^\d(\.\d+)?$")]
    line: Annotated[int, Field(ge=1)]
    kind: Kind
    indicator: str
    year: Year = ""
    region: str = COUNTRY
    dims: Codes = ""
    base_indicator: str = ""
    base_year: Year = ""
    base_region: str = ""
    base_dims: str = ""
    over: str = REGION
    items: str = ""
    low: Limit = ""
    high: Limit = ""
    printed: Number = ""
    scale: Literal["", "e3", "e6", "e9"] = ""
    hedge: Literal["", "about", "more", "less"] = ""
    direction: Literal["", "rose", "fell", "unchanged"] = ""
    spelled: Literal["", "yes"] = ""
    assumed: Literal["", "yes"] = ""

    @model_validator(mode="after")
    def _says_something(self) -> Claim:
        if self.kind in WITH_NUMBER and not self.printed:
            raise ValueError(f"a claim of kind {self.kind} needs the printed number")
        if self.kind in WITH_ITEMS and not self.items:
            raise ValueError(f"a claim of kind {self.kind} needs items")
        if self.kind in WITH_LIMITS and not (self.low and self.high):
            raise ValueError(f"a claim of kind {self.kind} needs low and high")
        if self.kind == "direction" and not self.direction:
            raise ValueError("a claim of kind direction needs the direction")
        return self

    @property
    def value(self) -> str:
        """The printed number as the observations write it: ``58.2e3``."""
        return self.printed.replace(" ", "").replace(",", ".") + self.scale


FIELDS = tuple(Claim.model_fields)


def read_claims(catalogue: Catalogue, where: Project) -> dict[int, list[Claim]]:
    """Read the claims of all reports.

    Parameters
    ----------
    catalogue : Catalogue
    where : Project

    Returns
    -------
    dict of int to list of Claim
        Claims by the year of the report, in the order of the text.

    Raises
    ------
    DataError
        All rows that are no claim, or name what is not declared.
    """
    looked("data:claims", "card:*")
    claims: dict[int, list[Claim]] = {}
    faults: list[Fault] = []
    for path in sorted(where.claims.glob("*/*.csv")):
        if not path.parent.name.isdecimal() or int(path.parent.name) not in catalogue.sources.reports:
            rule = "claims stand in a folder named after the year of a report in sources.yml"
            faults.append(
                Fault(where.name(path), 0, "folder", path.parent.name, rule, "Declare the report, or move it.")
            )
            continue
        found, wrong = _read(path, catalogue, where)
        claims.setdefault(int(path.parent.name), []).extend(found)
        faults += wrong
    for year, found in claims.items():
        known: set[str] = set()
        for claim in found:
            if claim.id in known:
                name = where.name(where.claims / str(year))
                faults.append(Fault(name, 0, "id", claim.id, "an id stands once", "Number it anew."))
            known.add(claim.id)
    if faults:
        raise DataError(faults)
    return {year: sorted(found, key=lambda claim: (claim.line, claim.id)) for year, found in claims.items()}


def _read(path: Path, catalogue: Catalogue, where: Project) -> tuple[list[Claim], list[Fault]]:
    """Claims of one file, and what is wrong with the others."""
    name = where.name(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if tuple(rows.fieldnames or ()) != FIELDS:
                rule = f"the columns must be {','.join(FIELDS)}"
                return [], [Fault(name, 1, "header", ",".join(rows.fieldnames or ()), rule, "Mend the header.")]
            numbered = list(enumerate(rows, 2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        rule = f"the claims must be a readable CSV in UTF-8 ({error})"
        return [], [Fault(name, 0, "file", "", rule, "Restore it.")]
    claims, faults = [], []
    for line, row in numbered:
        if None in row or None in row.values():
            rule = f"every row has {len(FIELDS)} columns"
            faults.append(Fault(name, line, "row", str(row.get("id", "")), rule, "Mend the row."))
            continue
        try:
            claim = TypeAdapter(Claim).validate_python({key: text for key, text in row.items() if text})
        except ValidationError as error:
            faults += [
                Fault(name, line, ".".join(map(str, one["loc"])) or "row", str(row["id"]), one["msg"], "Mend the row.")
                for one in error.errors()
            ]
            continue
        wrong = [
            Fault(name, line, column, value, rule, "Mend the row, or declare it.")
            for column, value, rule in _undeclared(claim, catalogue)
        ]
        faults += wrong
        claims += [] if wrong else [claim]
    return claims, faults


def _undeclared(claim: Claim, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Column, value and rule of each code that is not declared."""
    named = ("indicator", claim.indicator), ("base_indicator", claim.base_indicator)
    unknown = [
        (column, name, "an indicator must have a card")
        for column, name in named
        if name and name not in catalogue.cards
    ]
    yield from unknown
    if unknown:
        return
    for column in ("region", "base_region"):
        for code in filter(None, getattr(claim, column).split("+")):
            if code not in catalogue.codes.regions:
                yield column, code, "a region must stand in codes.yml"
    cards = catalogue.cards[claim.indicator], catalogue.cards[claim.base_indicator or claim.indicator]
    for column, card in zip(("dims", "base_dims"), cards, strict=True):
        yield from _undeclared_codes(column, getattr(claim, column), card, catalogue)
    yield from _undeclared_items(claim, cards[0], catalogue)
    if not claim.year and claim.over != YEAR:
        yield "year", "", "a claim needs a year"


def _undeclared_items(claim: Claim, card: Card, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    if claim.over not in (REGION, YEAR, *card.dimensions):
        yield "over", claim.over, f"{claim.indicator} must have this dimension"
        return
    known: Any = catalogue.codes.regions
    if claim.over not in (REGION, YEAR):
        known = catalogue.codes.dimensions[claim.over].items
    for code in claim.items.split():
        if not (re.fullmatch(r"\d{4}", code) if claim.over == YEAR else code in known):
            yield "items", code, f"an item must be a code of {claim.over}"


def _undeclared_codes(column: str, dims: str, card: Card, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    for name, codes in codes_of(dims).items():
        if name not in card.dimensions:
            yield column, name, f"{card.id} must have this dimension"
            continue
        for code in codes.split("+"):
            if code not in catalogue.codes.dimensions[name].items:
                yield column, code, f"a code must stand under {name} in codes.yml"


def codes_of(dims: str) -> dict[str, str]:
    """Codes by dimension from ``a=b;c=d``.

    Examples
    --------
    >>> codes_of("sex=male;cause=external")
    {'sex': 'male', 'cause': 'external'}
    """
    return dict(pair.split("=", 1) for pair in dims.split(";") if "=" in pair)
