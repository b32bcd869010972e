"""What went wrong, in words for people: where, what, which rule, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 90  # letters of a value that a message repeats


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong in a file, and how to mend it.

    Attributes
    ----------
    file : str
        Path as the reader knows it, relative to the project where possible.
    line : int
        Line in the file, counted from 1; 0 where the fault is about the whole file.
    column : str
        Column, field or table the fault is in.
    value : str
        What stands there.
    rule : str
        What should hold.
    remedy : str
        What the reader can do.
    """

    file: str
    line: int
    column: str
    value: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        value = self.value if len(self.value) <= LONGEST else f"{self.value[:LONGEST]}…"
        found = f" found {value!r};" if value else ""
        return f"{place}: {self.column}:{found} {self.rule}. {self.remedy}"


class BalalarError(Exception):
    """An error that a person can act on; its message needs no traceback."""


class DataError(BalalarError):
    """One or more faults in the data, all listed at once.

    Parameters
    ----------
    faults : iterable of Fault
        At least one fault; they are sorted by file and line.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class RequestError(BalalarError):
    """The caller asked for something that does not exist: a year, region, chapter or language."""
