"""The observations as one tidy table, as printed or corrected, and the best figure for each key."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from balalar.cards import BASIC_DIMENSIONS, TOTAL, Card, Catalogue, load
from balalar.errors import DataError, Fault
from balalar.paths import Project, project
from balalar.traces import Memo, looked

MISSING = ("M", "O")  # statuses of a cell without a value
PLACE_ORDER = {"table": 0, "figure": 1, "text": 2}  # a table is trusted before a figure before prose
PRINTED_KEY = ("indicator", "report", "source", "year", "region", "value")
NOT_ABOUT = ("value", "status", "source", "report", "correction", "number", "preference", "about")
CORRECTION_FIELDS = (
    "id", "report", "source", "indicator", "year", "region", "dims", "printed",
    "used_year", "used_region", "used_dims", "used_value", "used_status", "rule", "evidence", "confidence",
)  # fmt: skip

_held: dict[Project, Dataset] = {}


class Dataset:
    """All observations of a project with what is declared about them.

    Attributes
    ----------
    catalogue : Catalogue
    memo : Memo
        What was computed of the figures and is asked for again.
    printed, corrected : DataFrame
        One row a figure: indicator, year, region, all dimensions (``total`` where nothing is
        split; empty where the indicator has no such dimension, save sex and settlement), value
        (text as printed), number (the same as a float in the card's unit), status, source,
        report, correction (its id, or empty), and about (one text for indicator, year, region and
        codes).
    """

    def __init__(
        self, catalogue: Catalogue, printed: pd.DataFrame, corrected: pd.DataFrame, indicators: Sequence[str] = ("*",)
    ) -> None:
        self.catalogue, self.memo, self._indicators = catalogue, Memo(), tuple(indicators)
        self._printed, self._corrected = printed, corrected

    @property
    def printed(self) -> pd.DataFrame:
        """All figures as printed."""
        looked(*(f"figures:{one}" for one in self._indicators))
        return self._printed

    @property
    def corrected(self) -> pd.DataFrame:
        """All figures, the corrected ones as corrected."""
        looked(*(f"figures:{one}" for one in self._indicators))
        return self._corrected

    def only(self, indicators: Sequence[str]) -> Dataset:
        """The figures of some indicators, as if there were no others."""
        printed, corrected = (frame[frame["indicator"].isin(indicators)] for frame in (self._printed, self._corrected))
        return Dataset(self.catalogue, printed, corrected, indicators)

    def of(self, indicator: str, printed: bool = False) -> pd.DataFrame:
        """Rows of one indicator.

        Parameters
        ----------
        indicator : str
        printed : bool
            As printed instead of as corrected.
        """
        looked(f"card:{indicator}", f"figures:{indicator}")
        frame = self._printed if printed else self._corrected
        lines = self._lines[printed].get(indicator, [])
        if len(lines) and lines[-1] - lines[0] == len(lines) - 1:  # side by side, as most are: no copy is needed
            return frame.iloc[lines[0] : lines[-1] + 1]
        return frame.iloc[lines]

    @cached_property
    def _lines(self) -> dict[bool, dict[str, Any]]:
        """Places of each indicator's rows in the frames, printed and corrected."""
        frames = {True: self._printed, False: self._corrected}
        return {printed: frame.groupby("indicator").indices for printed, frame in frames.items()}  # type: ignore[misc]

    def best(self, indicator: str) -> pd.DataFrame:
        """Corrected figures of an indicator, one for each year, region and code.

        Where a quantity is printed twice the newest report counts. Where its places agree within
        rounding, the finest figure is used; where they contradict each other, that of the place
        which has the most figures of the same group, so that no line or ranking is drawn from two
        accounts; else a table before a figure before prose, and the earlier place before the later.

        Parameters
        ----------
        indicator : str

        Returns
        -------
        DataFrame
            Rows of ``corrected``, sorted by key.
        """
        # A shallow copy: what one user assigns, the others do not see.
        return self.memo.get(("best", indicator), lambda: self._best(indicator)).copy(deep=False)

    def _best(self, indicator: str) -> pd.DataFrame:
        frame = self.of(indicator)
        if len(set(frame["report"])) > 1:
            frame = frame[frame["report"] == frame.groupby("about")["report"].transform("max")]
        dimensions = list(self.catalogue.cards[indicator].dimensions)
        again, best = frame["about"].duplicated(keep=False), frame
        if again.any():
            twice = [_chosen(same, frame, dimensions) for _, same in frame[again].groupby("about")]
            best = pd.concat([frame[~again], *twice])
        # In all other dimensions its rows are alike.
        own = [name for name in self.dimensions if name in (*BASIC_DIMENSIONS, *dimensions)]
        return best.sort_values(["year", "region", *own], kind="stable").reset_index(drop=True)

    def printed_twice(self, indicator: str) -> pd.DataFrame:
        """Rows of an indicator's quantities of which several places print a value."""
        found: pd.DataFrame = self.memo.get(("printed twice", indicator), lambda: self._printed_twice(indicator))
        return found

    def _printed_twice(self, indicator: str) -> pd.DataFrame:
        figures = self.of(indicator)
        filled = figures["number"].notna()
        again = filled & figures["about"].where(filled).duplicated(keep=False)
        return figures[again] if again.any() else figures.iloc[:0]

    @property
    def dimensions(self) -> list[str]:
        """Names of all dimension columns, sex and settlement first."""
        return dimension_columns(self.catalogue)

    def years_of(self, indicator: str) -> list[int]:
        """Years in which an indicator was observed, oldest first."""
        return self.memo.get(("years", indicator), lambda: self._years(indicator))

    def _years(self, indicator: str) -> list[int]:
        frame = self.of(indicator)
        return sorted(int(year) for year in frame.loc[frame["number"].notna(), "year"].unique())


def _chosen(same: pd.DataFrame, indicator: pd.DataFrame, dimensions: list[str]) -> pd.DataFrame:
    """The row that counts among those that print the same quantity."""
    rows = same.sort_values("preference", kind="stable")
    filled = rows[rows["number"].notna()]
    if len(filled) < 2:
        return (filled if len(filled) else rows).head(1)
    first = filled["value"].iloc[0]
    if all(agree(first, value) for value in filled["value"]):
        order = filled["value"].map(exponent)
    else:
        alike = indicator[indicator["number"].notna()]
        for name in dimensions:
            alike = alike[alike[name] == filled[name].iloc[0]]
        order = -filled["source"].map(alike["source"].value_counts())
    return filled.loc[order.sort_values(kind="stable").index[:1]]


def decimals(value: str) -> int:
    """Decimals of a figure as printed; those of 58.2e3 count before the factor.

    Examples
    --------
    >>> decimals("12.65"), decimals("81"), decimals("58.2e3")
    (2, 0, 1)
    """
    return len(value.split("e")[0].partition(".")[2])


def scale(value: str) -> int:
    """Power of ten behind a figure as printed: 3 for 58.2e3.

    Examples
    --------
    >>> scale("58.2e3"), scale("403893")
    (3, 0)
    """
    return int(value.partition("e")[2] or 0)


def exponent(value: str) -> int:
    """Power of ten of the last printed digit.

    Examples
    --------
    >>> exponent("12.65"), exponent("58.2e3")
    (-2, 2)
    """
    return scale(value) - decimals(value)


def half_digit(value: str) -> float:
    """Half the last printed digit: what a figure was rounded from lies no farther from it.

    Examples
    --------
    >>> half_digit("12.65"), half_digit("58.2e3")
    (0.005, 50.0)
    """
    return float(10.0 ** exponent(value) / 2)


def agree(one: str, other: str) -> bool:
    """Whether two figures as printed may be the same number, rounded differently.

    Examples
    --------
    >>> agree("7.68", "7.7"), agree("81.8", "81.9")
    (True, False)
    """
    coarsest = max(exponent(one), exponent(other))
    return abs(float(one) - float(other)) <= 10**coarsest / 2 * (1 + 1e-9)


def open_dataset(where: Project | None = None) -> Dataset:
    """Read a project's cards, codes and observations.

    Parameters
    ----------
    where : Project, optional
        Project to read; the current one if left out.

    Raises
    ------
    DataError
        A file is missing or is not what its card says.
    """
    where = where or project()
    return _held.get(where) or _read(where)


def hold(where: Project) -> Dataset:
    """Read a project's figures for all that this process will open; what changes on the disk, it does not see."""
    _held[where] = _read(where)
    return _held[where]


def _read(where: Project) -> Dataset:
    catalogue = load(where)
    printed = read_observations(catalogue, where)
    return Dataset(catalogue, printed, correct(printed, read_corrections(where), catalogue))


def dimension_columns(catalogue: Catalogue) -> list[str]:
    """Names of all dimensions, in the order of the code lists (sex and settlement come first)."""
    return list(catalogue.codes.dimensions)


def read_observations(catalogue: Catalogue, where: Project) -> pd.DataFrame:
    """All observations as printed; columns as in ``Dataset.printed``."""
    dimensions = dimension_columns(catalogue)
    # An indicator without a dimension has its total of sex and settlement, and none of the others.
    blank = {name: TOTAL if name in BASIC_DIMENSIONS else "" for name in dimensions}
    columns = [
        "indicator",
        "year",
        "region",
        *dimensions,
        "value",
        "status",
        "source",
        "report",
        "correction",
    ]
    rows = [
        blank | row | {"indicator": card.id, "correction": ""}
        for card in catalogue.cards.values()
        if not card.derived
        for row in _rows_of(card, where.observations / f"{card.id}.csv", where)
    ]
    return typed(pd.DataFrame(rows, columns=columns))


def _rows_of(card: Card, path: Path, where: Project) -> list[dict[str, str]]:
    """Rows of one indicator's CSV."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        rule = f"the observations of {card.id} must be a readable CSV ({error})"
        remedy = "Restore it, or run balalar ingest."
        raise DataError([Fault(where.name(path), 0, "file", "", rule, remedy)]) from None
    columns = ["year", "region", *card.dimensions, "value", "status", "source", "report"]
    if reader.fieldnames != columns or any(None in row or None in row.values() for row in rows):
        rule = f"every row must have the columns {','.join(columns)}"
        remedy = "Run balalar check, which names the line."
        raise DataError([Fault(where.name(path), 1, "columns", "", rule, remedy)])
    return rows


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the number of each value, how far its place is trusted (smaller is better), and what it is of."""
    kind = frame["source"].str.extract(r"^(\w+)-(\d+)(?:\.(\d+))?$")
    place = kind[1].astype(int) * 100 + kind[2].fillna("0").astype(int)
    preference = -frame["report"].astype(int) * 100_000 + kind[0].map(PLACE_ORDER) * 10_000 + place
    about = pd.Series("", index=frame.index)
    for name in frame.columns.difference(list(NOT_ABOUT), sort=False):
        about = about + "|" + frame[name].astype(str)
    return frame.assign(
        about=about,
        year=frame["year"].astype(int),
        report=frame["report"].astype(int),
        number=pd.to_numeric(frame["value"].mask(frame["value"] == "")),
        preference=preference,
    )


def read_corrections(where: Project) -> list[dict[str, str]]:
    """Rows of ``data/corrections.csv``, each with its line."""
    try:
        with where.corrections.open(encoding="utf-8", newline="") as file:
            return [{**row, "line": str(line)} for line, row in enumerate(csv.DictReader(file), 2)]
    except (OSError, UnicodeDecodeError) as error:
        name = where.name(where.corrections)
        rule = f"the corrections must be a readable CSV ({error})"
        raise DataError([Fault(name, 0, "file", "", rule, "Restore it.")]) from None


def correct(printed: pd.DataFrame, corrections: list[dict[str, str]], catalogue: Catalogue) -> pd.DataFrame:
    """Apply the corrections to the printed figures; the printed frame stays as it is.

    Parameters
    ----------
    printed : DataFrame
        As in ``Dataset.printed``.
    corrections : list of dict
        Rows of ``data/corrections.csv``.
    catalogue : Catalogue

    Returns
    -------
    DataFrame
        The same columns; a corrected row carries the id of its correction.

    Raises
    ------
    DataError
        A correction that fits no printed figure, or more than one.
    """
    records: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in printed.to_dict("records")]
    by_key: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for record in records:
        by_key.setdefault(tuple(str(record[name]) for name in PRINTED_KEY), []).append(record)
    faults = []
    for row in corrections:
        key = (*(row[name] for name in PRINTED_KEY[:-1]), row["printed"])
        codes = _codes(row["dims"], row["indicator"], catalogue).items()
        fitting = [record for record in by_key.get(key, []) if all(record[name] == code for name, code in codes)]
        if len(fitting) == 1 and not fitting[0]["correction"]:
            fitting[0].update(_changes(row, catalogue), correction=row["id"])
        else:
            found = " ".join((*key, row["dims"])).strip()
            rule = f"a correction must fit one printed figure; it fits {len(fitting)}"
            if len(fitting) == 1:
                rule = f"a figure is corrected once; {fitting[0]['correction']} corrects it too"
            line = int(row["line"])
            faults.append(Fault("data/corrections.csv", line, row["id"], found, rule, "Mend its key."))
    if faults:
        raise DataError(faults)
    return typed(pd.DataFrame(records))


def _changes(row: dict[str, str], catalogue: Catalogue) -> dict[str, Any]:
    """Columns that a correction sets, and to what."""
    changes: dict[str, Any] = {}
    if row["used_year"]:
        changes["year"] = int(row["used_year"])
    for column in ("region", "value", "status"):
        if row[f"used_{column}"]:
            changes[column] = row[f"used_{column}"]
    if row["used_status"] in MISSING:
        changes["value"] = ""
    if row["used_dims"]:
        changes |= _codes(row["used_dims"], row["indicator"], catalogue)
    return changes


def _codes(dims: str, indicator: str, catalogue: Catalogue) -> dict[str, str]:
    """Codes of an indicator's dimensions from ``a=b;c=d``; ``total`` where one is not named."""
    given = dict(pair.split("=", 1) for pair in dims.split(";") if "=" in pair)
    card = catalogue.cards.get(indicator)
    return {name: given.get(name, TOTAL) for name in card.dimensions} if card else given
