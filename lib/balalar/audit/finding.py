"""What an audit says: a test that was made, and a finding where it failed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from balalar.audit.evidence import Figure, Key
from balalar.audit.interval import Interval

Severity = Literal["conclusion", "figure", "label"]
Certainty = Literal["proven", "assumption", "suspicion"]


@dataclass(frozen=True)
class Change:
    """One printed figure and what a repair puts in its place."""

    figure: Figure
    key: Key
    value: str


@dataclass(frozen=True)
class Repair:
    """A proposal that a person may accept into ``corrections.csv``; never applied by itself.

    Attributes
    ----------
    rule : str
        A correction rule of ``codes.yml``.
    changes : tuple of Change
    evidence : tuple of str
        Places that bear it out.
    confidence : {"high", "medium", "low"}
        High where it restores every relation it touches and nothing else does; medium where other repairs of the
        same size would do too but are less near; low where it is the nearest of several.
    """

    rule: str
    changes: tuple[Change, ...]
    evidence: tuple[str, ...]
    confidence: Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Test:
    """A relation held against the figures.

    Attributes
    ----------
    rule : str
        The relation; its words stand in the texts of the audit.
    figure : Figure
        The figure that is tested, at its place.
    against : tuple of Figure
        The figures it is held against.
    expected : Interval
        Where its value should lie.
    holds : bool
        False only where rounding alone does not explain the difference.
    certainty : str
    assumption : str
        Code of what is assumed; empty where nothing is.
    """

    __test__ = False  # not a test of ours, whatever pytest thinks

    rule: str
    figure: Figure
    against: tuple[Figure, ...]
    expected: Interval
    holds: bool
    certainty: Certainty = "proven"
    assumption: str = ""

    @classmethod
    def of(
        cls, rule: str, figure: Figure, against: tuple[Figure, ...], expected: Interval, assumption: str = ""
    ) -> Test:
        """A test that holds where the figure may lie in what is expected; certain where nothing is assumed."""
        certainty: Certainty = "assumption" if assumption else "proven"
        return cls(rule, figure, against, expected, figure.interval.meets(expected), certainty, assumption)


@dataclass(frozen=True)
class Finding:
    """A contradiction, where it stands, and what would mend it.

    Attributes
    ----------
    rule : str
    place : str
        Source of the figure, or ``section-<number>`` for a claim.
    report : int
    key : Key
        What the figure is of.
    figures : tuple of Figure
        What is printed there.
    against : tuple of Figure
        What it is held against.
    expected : Interval or None
    severity, certainty, assumption
    line : int
        Line of the received text, for a claim; 0 otherwise.
    claim : str
        Id of the claim.
    kind : str
        Kind of the claim, or of the pattern that was found.
    items : tuple of str
        Codes that are named wrongly or missing.
    repair : Repair or None
    corrections : tuple of str
        Ids of accepted corrections that mend it.
    count : int
        Cells concerned.
    recomputed : tuple of (Figure, Interval)
        Cells of a column beside what each should be.
    """

    rule: str
    place: str
    report: int
    key: Key
    figures: tuple[Figure, ...]
    against: tuple[Figure, ...] = ()
    expected: Interval | None = None
    severity: Severity = "figure"
    certainty: Certainty = "proven"
    assumption: str = ""
    line: int = 0
    claim: str = ""
    kind: str = ""
    items: tuple[str, ...] = ()
    repair: Repair | None = None
    corrections: tuple[str, ...] = field(default=())
    count: int = 1
    recomputed: tuple[tuple[Figure, Interval], ...] = ()

    @property
    def id(self) -> str:
        """Stable name: report, place, rule and what the figure is of."""
        if self.claim:
            return f"{self.report}-{self.claim}"
        codes = [code for code in self.key.codes if code != "total"]
        region = [self.key.region] if self.key.region else []
        parts = [str(self.report), self.place, self.rule, self.key.indicator, str(self.key.year), *region, *codes]
        return "-".join(parts)

    def mended_by(self, corrections: tuple[str, ...]) -> Finding:
        """The same with the corrections that mend it."""
        return replace(self, corrections=corrections)
