"""The values of a composite index: a table of regions and years, read and checked against its spec."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from balalar.dataset import half_digit
from balalar.errors import DataError, Fault
from balalar.paths import project
from balalar.spec import Error, Spec

UNITS = ["region", "year"]
LATEST = 9999  # year
HALF = "\0half"  # a column that no file has


@dataclass(frozen=True)
class Values:
    """Values of an index.

    Attributes
    ----------
    frame : DataFrame
        A row a region and year (its index), a column an indicator; NaN where there is no value.
    half : DataFrame
        Half the last digit in which each value stands in the file; NaN where it came as a number.
    beside : dict
        Further columns: of text or numbers by (column, None), one for each unit; or by (column, indicator) where a
        row of the data is one value.
    file : str
        Name for messages.
    """

    frame: pd.DataFrame
    half: pd.DataFrame
    beside: dict[tuple[str, str | None], pd.Series] = field(default_factory=dict)
    file: str = "data"

    def column(self, name: str, indicator: str | None = None) -> pd.Series | None:
        """A further column, of an indicator's values where it differs between them."""
        found = self.beside.get((name, indicator))
        if found is None:
            found = self.beside.get((name, None))
        if found is None and name in self.frame:
            found = self.frame[name]
        return found

    def numbers(self, name: str, indicator: str | None = None) -> np.ndarray:
        """A further column of numbers.

        Raises
        ------
        DataError
            There is no such column, or it holds words.
        """
        if (name, indicator) not in self._numbers:
            self._numbers[name, indicator] = self._read_numbers(name, indicator)
        return self._numbers[name, indicator]

    @cached_property
    def _numbers(self) -> dict[tuple[str, str | None], np.ndarray]:
        """Columns of numbers that were asked for: a simulation asks for each again and again."""
        return {}

    def _read_numbers(self, name: str, indicator: str | None) -> np.ndarray:
        found = self.column(name, indicator)
        about = f"{indicator}.{name}" if indicator else name
        if found is None:
            raise DataError([Fault(self.file, 0, about, "", "the spec names this column", "Add it to the data.")])
        found = found.where(found != "NA")
        numbers = pd.to_numeric(found, errors="coerce")
        wrong = found[~np.isfinite(numbers.astype(float)) & found.notna()]
        if len(wrong):
            place = " ".join(map(str, wrong.index[0]))
            raise DataError(
                [Fault(self.file, 0, about, str(wrong.iloc[0]), f"a finite number ({place})", "Mend the value.")]
            )
        return numbers.to_numpy(float)


def read_values(path: Path, spec: Spec) -> Values:
    """Read the values of an index from a CSV.

    Parameters
    ----------
    path : Path
        A row a value, with the columns region, year, indicator and value; or a row a region and year, with a column
        an indicator. Further columns may hold denominators, groups and sample sizes.
    spec : Spec

    Raises
    ------
    DataError
        All faults of the file, each with its line.
    """
    name = project().name(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            lines = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except FileNotFoundError:
        raise DataError([Fault(name, 0, "file", "", "the file must exist", "Mend the path.")]) from None
    except (ValueError, csv.Error, OSError) as error:
        problem = " ".join(str(error).split())
        raise DataError([Fault(name, 0, "CSV", "", f"a CSV in UTF-8 ({problem})", "Mend the file.")]) from None
    filled = [(line, row) for line, row in lines if any(row)]
    if faults := list(_form(filled, name)):
        raise DataError(faults)
    (_, header), *body = filled
    # Rows are counted from 0 below the header, as in a frame that was read whole.
    frame = pd.DataFrame([row for _, row in body], [line - 2 for line, _ in body], header, dtype=str)
    return values_of(frame, spec, name)


def _form(rows: list[tuple[int, list[str]]], file: str) -> Iterator[Fault]:
    """What keeps a CSV from being a table."""
    if not rows:
        yield Fault(file, 0, "CSV", "", "a CSV has a header and rows; this file is empty", "Fill it.")
        return
    line, header = rows[0]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        yield Fault(file, line, "header", header[0], "the columns of a CSV are separated by commas", "Save it so.")
        return
    for column, count in Counter(header).items():
        if count > 1:
            yield Fault(file, line, column, "", "a column stands once", "Rename or remove one of the two.")
    if len(rows) == 1:
        yield Fault(file, line, "rows", "", "a CSV has rows below its header", "Add the values.")
    for line, row in rows[1:]:
        if len(row) != len(header):
            told = f"a row has as many cells as the header, {len(header)}; this has {len(row)}"
            yield Fault(file, line, "row", "", told, "Mend the row; a comma within a cell needs quotes around it.")


def values_of(frame: pd.DataFrame, spec: Spec, file: str = "data") -> Values:
    """Make the values of an index of a table.

    Parameters
    ----------
    frame : DataFrame
        As a CSV holds it (see ``read_values``), of text or of numbers; its index counts the rows from 0.
    spec : Spec
    file : str
        Name for messages.

    Raises
    ------
    DataError
        All faults at once.
    """
    columns = spec.columns
    long = {columns.indicator, columns.value} <= set(frame.columns)
    needed = [columns.region, columns.year, *([columns.indicator, columns.value] if long else spec.indicators)]
    if missing := [name for name in needed if name not in frame.columns]:
        told = "the data need this column"
        listed = ", ".join(map(str, list(frame.columns)[:12]))
        remedy = f"Add it, or name another under «columns» in the spec; the file has {listed}."
        raise DataError(Fault(file, 1, str(name), "", told, remedy) for name in missing)
    faults: list[Fault] = []
    keys = [columns.region, columns.year]
    years = _years(frame[columns.year], file, faults)
    empty = frame[frame[columns.region].isna() | (frame[columns.region].astype(str) == "")]
    faults += [Fault(file, _line(at), columns.region, "", "each row names a region", "Fill it.") for at in empty.index]
    if faults:
        raise DataError(faults)
    if taken := [name for name, key in zip(UNITS, keys, strict=True) if name != key and name in frame.columns]:
        told = f"the region and year stand in {' and '.join(keys)}, so no other column has their name"
        raise DataError(Fault(file, 1, name, "", told, "Rename the column.") for name in taken)
    frame = frame.rename(columns=dict(zip(keys, UNITS, strict=True))).assign(year=years)
    frame["region"] = frame["region"].astype(str)
    return (_long if long else _wide)(frame, spec, file)


def _line(at: Any) -> int:
    """Line of a row in its file; the header is line 1."""
    return int(at) + 2


def _years(years: pd.Series, file: str, faults: list[Fault]) -> pd.Series:
    numbers = pd.to_numeric(years, errors="coerce")
    wrong = numbers.isna() | (numbers % 1 != 0) | ~numbers.between(1, LATEST)
    for at in years.index[wrong]:
        faults.append(
            Fault(
                file, _line(at), str(years.name), str(years[at]), f"a year is a whole number up to {LATEST}", "Mend it."
            )
        )
    return numbers.where(~wrong, 0).astype(int)


def _twice(frame: pd.DataFrame, keys: list[str], file: str) -> None:
    doubled = frame[frame.duplicated(keys, keep="first")]
    if len(doubled):
        raise DataError(
            Fault(file, _line(at), ", ".join(keys), " ".join(map(str, row)), "a value stands once", "Remove one row.")
            for at, row in zip(doubled.index, doubled[keys].itertuples(index=False), strict=True)
        )


def _wide(frame: pd.DataFrame, spec: Spec, file: str) -> Values:
    _twice(frame, UNITS, file)
    names = list(spec.indicators)
    texts = frame[names]
    numbers = _numbers(texts, file)
    units = pd.MultiIndex.from_frame(frame[UNITS])
    beside: dict[tuple[str, str | None], pd.Series] = {
        (str(name), None): pd.Series(frame[name].replace("", None).to_numpy(), index=units)
        for name in frame.columns
        if name not in names and name not in UNITS
    }
    return _sorted(numbers.set_axis(units), _halves(texts).set_axis(units), beside, file)


def _long(frame: pd.DataFrame, spec: Spec, file: str) -> Values:
    column, value = spec.columns.indicator, spec.columns.value
    _twice(frame, [*UNITS, column], file)
    named = {one.denominator for one in spec.indicators.values() if one.denominator}
    named |= {str(size) for one in spec.indicators.values() for error in one.error for size in _sizes(error)}
    strange = frame[~frame[column].isin([*spec.indicators, *named])]
    if spec.others == "refuse" and len(strange):
        first = strange.drop_duplicates(column)
        remedy = "Declare it in the spec, remove its rows, or say «others: ignore» in the spec."
        raise DataError(
            Fault(file, _line(at), column, str(name), "the spec knows no such indicator", remedy)
            for at, name in first[column].items()
        )
    present = set(frame[column])
    if missing := [name for name in spec.indicators if name not in present]:
        told, remedy = "the spec names an indicator of which the data have no row", "Add its values, or take it out."
        raise DataError(Fault(file, 0, column, name, told, remedy) for name in missing)
    numbers = _numbers(frame[[value]], file)[value]
    table = frame.assign(**{value: numbers, HALF: _halves(frame[[value]])[value]})
    table = table[table[column].isin([*spec.indicators, *named])]
    units = pd.MultiIndex.from_frame(table[UNITS].drop_duplicates())  # in the order of the file
    wide = table.pivot(index=UNITS, columns=column, values=value).reindex(units)
    half = table.pivot(index=UNITS, columns=column, values=HALF).reindex(units)
    beside: dict[tuple[str, str | None], pd.Series] = {(name, None): wide[name] for name in named & set(wide.columns)}
    for extra in [name for name in frame.columns if name not in (*UNITS, column, value)]:
        filled = frame[frame[extra].notna() & (frame[extra].astype(str) != "")]
        each = frame.drop_duplicates([*UNITS, extra])
        if not each.duplicated(UNITS).any():  # the same on all rows of a region and year
            beside[str(extra), None] = each.set_index(UNITS)[extra].reindex(wide.index)
        for name, rows in filled.groupby(column):
            beside[str(extra), str(name)] = rows.set_index(UNITS)[extra].reindex(wide.index)
    return _sorted(wide[list(spec.indicators)], half[list(spec.indicators)], beside, file)


def _sizes(error: Error) -> list[str]:
    """Columns that hold the size of an error."""
    return [size for size in (error.sample, error.cases, error.base, error.sd) if isinstance(size, str)]


def _numbers(texts: pd.DataFrame, file: str) -> pd.DataFrame:
    """Texts as numbers; empty is missing, and anything else that is no number is a fault."""
    columns = {name: pd.to_numeric(texts[name], errors="coerce").astype(float) for name in texts.columns}
    numbers = pd.DataFrame(columns, texts.index)
    filled = texts.notna() & (texts.astype(str) != "") & (texts.astype(str) != "NA")
    faults = [
        Fault(file, _line(at), str(name), str(texts.loc[at, name]), "a finite number, or empty", "Mend the value.")
        for name in texts.columns
        for at in texts.index[(~np.isfinite(numbers[name]) & filled[name]).to_numpy()]
    ]
    if faults:
        raise DataError(faults)
    return numbers


def _halves(texts: pd.DataFrame) -> pd.DataFrame:
    """Half the last digit of numbers in text; NaN of those that came as numbers."""

    def half(text: Any) -> float:
        if not isinstance(text, str) or text in ("", "NA"):
            return np.nan
        return half_digit(text.lower())

    return texts.map(half)


def _sorted(
    frame: pd.DataFrame, half: pd.DataFrame, beside: dict[tuple[str, str | None], pd.Series], file: str
) -> Values:
    """All parts in one order of years and regions, that of the file within a year."""
    order = frame.sort_index(level="year", sort_remaining=False).index
    return Values(
        frame.reindex(order).rename_axis(columns=None),
        half.reindex(order).rename_axis(columns=None),
        {key: column.reindex(order) for key, column in beside.items()},
        file,
    )
