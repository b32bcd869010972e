"""A brief that is wanted, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from balalar.cards import COUNTRY


@dataclass(frozen=True, order=True)
class Job:
    """One brief to make."""

    year: int
    region: str
    chapter: str
    lang: str

    @property
    def path(self) -> str:
        """Path of the page within a site."""
        place = "" if self.region == COUNTRY else f"{self.region}/"
        return f"{self.lang}/{self.year}/{place}{self.chapter}.html"

    def parameters(self) -> dict[str, Any]:
        """What the notebook is run with."""
        return {
            "year": self.year,
            "lang": self.lang,
            "region": None if self.region == COUNTRY else self.region,
        }

    def __str__(self) -> str:
        place = "" if self.region == COUNTRY else f" {self.region}"
        return f"{self.chapter} {self.year}{place} {self.lang}"


@dataclass(frozen=True)
class Limits:
    """What one notebook may take.

    Attributes
    ----------
    seconds : float
    megabytes : int
        Of memory, with what the prepared process had read.
    """

    seconds: float = 300
    megabytes: int = 2048


@dataclass
class Section:
    """A section of a page: its heading, its parts, and what is not printed."""

    key: str = ""
    title: str = ""
    blocks: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
    sections : list of Section
        Of its page; none where it failed.
    failure : str
        Why there are none: cell, reason; empty where all went well.
    tail : list of str
        Last lines that a failed notebook printed.
    looked : list of str
        Names of the inputs that the notebook looked at; ``("*",)`` where that is not known.
    seconds, processor : float
        Time it took, and of the processor.
    megabytes : float
        Most memory it held.
    worker : str
        Who made it.
    kept : bool
        Whether an earlier build had made it.
    """

    job: Job
    sections: list[Section] = field(default_factory=list)
    failure: str = ""
    tail: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=lambda: ["*"])
    seconds: float = 0.0
    processor: float = 0.0
    megabytes: float = 0.0
    worker: str = ""
    kept: bool = False


def outcome_of(job: Job, found: Mapping[str, Any]) -> Outcome:
    """Outcome of plain values, as a file or another process holds them."""
    return Outcome(job, **{**found, "sections": [Section(**section) for section in found["sections"]]})


def named(number: int, source: str) -> str:
    """A cell as a message names it."""
    return f"cell {number} ({' '.join(source.split())[:80]})"
