"""Tables as accessible HTML: caption, one header row, row headers, scope. Neither filters nor computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

NOTHING = "–"  # a cell that has nothing to say; none is empty


@dataclass(frozen=True)
class Row:
    """A row: its header, its cells, and whether it is set apart (the country, the chosen region)."""

    label: str
    cells: list[str]
    apart: bool = False


@dataclass(frozen=True)
class Table:
    """A table with finished words.

    Attributes
    ----------
    caption : str
    corner : str
        Header of the row headers.
    columns : sequence of str
        Headers of the cells.
    rows : sequence of Row
    stacks : bool
        Whether the cells hold words and stand below each other on a narrow screen.
    left_out : str
        Names the rows of which nothing was published, which the table leaves out.
    """

    caption: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[Row]
    stacks: bool = False
    left_out: str = ""


@cache
def environment() -> Environment:
    """Templates of the library; an unknown name stops the build, text is escaped."""
    return Environment(
        loader=PackageLoader("balalar"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # or each part of a page would ask the disk whether its template changed
    )


def load_templates() -> None:
    """Compile all parts of a page, which a process does once."""
    for name in environment().list_templates(filter_func=lambda name: "/" not in name):
        environment().get_template(name)


def render(template: str, **words: Any) -> str:
    """Fill a template of the library.

    Parameters
    ----------
    template : str
        Name of a file in ``templates``.
    **words
        Its variables.
    """
    return environment().get_template(template).render(**words)


def html(table: Table) -> str:
    """A table as HTML."""
    return render("table.html.j2", table=table)
