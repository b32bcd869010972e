"""Exchange of the data with other programs: all observations in one tidy CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from balalar.atomic import put, workplace
from balalar.cards import BASIC_DIMENSIONS
from balalar.dataset import Dataset
from balalar.errors import BalalarError

View = Literal["printed", "corrected"]


def tidy(dataset: Dataset, view: View = "corrected") -> pd.DataFrame:
    """All observations with their unit.

    Parameters
    ----------
    dataset : Dataset
    view : {"corrected", "printed"}
        With the accepted corrections, or every figure under the label it was printed under.

    Returns
    -------
    DataFrame
        indicator, region (ISO 3166-2, ``KZ`` the country), year, sex, settlement, value (in
        ``unit``; 58.2e3 keeps the printed precision of «58.2 thousand»), status (SDMX), source,
        unit, report, correction, then the other dimensions.
    """
    frame = dataset.printed if view == "printed" else dataset.corrected
    units = {card.id: card.unit for card in dataset.catalogue.cards.values()}
    others = [name for name in dataset.dimensions if name not in BASIC_DIMENSIONS]
    columns = [
        "indicator",
        "region",
        "year",
        *BASIC_DIMENSIONS,
        "value",
        "status",
        "source",
        "unit",
        "report",
    ]
    return frame.assign(unit=frame["indicator"].map(units))[[*columns, "correction", *others]]


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all.

    Parameters
    ----------
    frame : DataFrame
    path : Path
        File to write; its folder must exist. A link is followed.

    Raises
    ------
    BalalarError
        Something stands there that is no file.
    """
    write_text(frame.to_csv(index=False, lineterminator="\n"), path)


def write_text(text: str, path: Path) -> None:
    """Write a text file whole or not at all.

    Parameters
    ----------
    text : str
    path : Path
        File to write; its folder must exist. A link is followed.

    Raises
    ------
    BalalarError
        Something stands there that is no file.
    """
    try:
        path = path.resolve()
    except (OSError, RuntimeError) as error:
        raise BalalarError(f"{path}: no file can stand here ({error}); choose another") from None
    if path.exists() and not path.is_file():
        raise BalalarError(f"{path}: this is no file; choose another")
    with workplace(path) as aside:
        (aside / path.name).write_text(text, encoding="utf-8", newline="")
        put(aside / path.name, path)


def write_folder(tables: Mapping[str, pd.DataFrame], folder: Path, contents: str) -> None:
    """Write a folder of tables whole or not at all, in place of the one written before.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By name, without ``.csv``.
    folder : Path
        It may be new, empty, or one written before.
    contents : str
        Name of the table whose column ``file`` lists the files of the folder. One written before is known by it: it
        holds nothing else.

    Raises
    ------
    BalalarError
        Something else stands there.
    """
    folder = folder.resolve()
    refuse_folder(folder, contents)
    with workplace(folder) as aside:
        fresh = aside / folder.name
        fresh.mkdir()
        for name, table in tables.items():
            table.to_csv(fresh / f"{name}.csv", index=False, lineterminator="\n")
        put(fresh, folder)


def refuse_folder(folder: Path, contents: str) -> None:
    """Refuse a folder in which something stands that was not written with tables; see ``write_folder``."""
    if folder.exists() and (strange := _strange(folder, contents)):
        raise BalalarError(f"{folder}: {strange} was not written with these tables; choose another folder, or move it")


def _strange(folder: Path, contents: str) -> str:
    """Something in a folder that was not written as one of its tables; empty where all was."""
    if not folder.is_dir():
        return "this file"
    known = set()
    if (folder / f"{contents}.csv").is_file():
        try:
            known = {*pd.read_csv(folder / f"{contents}.csv")["file"], f"{contents}.csv"}
        except (ValueError, KeyError):  # another table of that name
            return f"{contents}.csv"
    return next((path.name for path in sorted(folder.iterdir()) if path.name not in known), "")
