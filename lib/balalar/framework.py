"""What is known of the Child Well-being Index: its domains, the figures that may be its members, our recomputation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from balalar.cards import Catalogue, Code, Record, SourceId, Text, read
from balalar.errors import DataError, Fault
from balalar.paths import Project
from balalar.spec import Spec, read_spec
from balalar.traces import looked


class Count(Record):
    """How many indicators the report says there are; None where it does not say."""

    indicators: int
    statistical: int | None = None
    survey: int | None = None


class Candidate(Record):
    """A figure of the report that may be a member of the index.

    Attributes
    ----------
    domain : str
        Domain whose chapter shows it.
    indicator : str, optional
        Its card; ``title`` where no value of it is printed.
    codes : dict
        Codes at which it is taken, where its total is not printed.
    denominator : str, optional
        Count by which a count is divided; without one, regions of different size do not compare.
    kind : str
        Whether it is statistical or from a survey.
    evidence : str
        ``measured``: the report says it is measured within the index. ``named``: it calls it an indicator.
        ``heading``: it has a heading of its own in the domain's chapter. ``table``: it is shown by region.
    source : str
        Place of the report.
    """

    domain: Code
    indicator: Code | None = None
    title: Text | None = None
    codes: dict[Code, Code] = Field(default_factory=dict)
    denominator: Code | None = None
    kind: Literal["statistical", "survey", "unclear"]
    evidence: Literal["measured", "named", "heading", "table"]
    source: SourceId

    @model_validator(mode="after")
    def _has_a_name(self) -> Candidate:
        if (self.indicator is None) == (self.title is None):
            raise ValueError("a candidate has an indicator, or else a title")
        return self


class Membership(Record):
    """What a report tells of the index's members.

    Attributes
    ----------
    indicator, dimension
        Card of the printed scores and its dimension of domains.
    source : str
        Where the report says how many there are.
    """

    indicator: Code
    dimension: Code
    source: SourceId
    total: Count
    domains: dict[Code, Count]
    candidates: tuple[Candidate, ...]


def read_membership(catalogue: Catalogue, where: Project) -> Membership:
    """Read which figures may be members of the index.

    Parameters
    ----------
    catalogue : Catalogue
    where : Project

    Raises
    ------
    DataError
        The file is not sound, or names what is not declared.
    """
    looked("data:wellbeing_index", "card:*")
    path = where.wellbeing / "candidates.yml"
    found: Membership = read(Membership, path, where, catalogue.edition.languages)
    if faults := list(_faults(found, catalogue, where.name(path))):
        raise DataError(faults)
    return found


def _faults(found: Membership, catalogue: Catalogue, file: str) -> Iterator[Fault]:
    """All that the candidates name is declared."""
    dimension = catalogue.codes.dimensions.get(found.dimension)
    domains = dimension.items if dimension else {}
    for domain in [*found.domains, *(one.domain for one in found.candidates)]:
        if domain not in domains or domain not in found.domains:
            yield Fault(file, 0, "domain", domain, f"a domain is declared and a code of {found.dimension}", "Mend it.")
    for indicator in [found.indicator, *(one.indicator for one in found.candidates)]:
        if indicator is not None and indicator not in catalogue.cards:
            yield Fault(file, 0, "indicator", indicator, "an indicator has a card", "Mend its name.")
    places = {place for report in catalogue.sources.reports.values() for place in report.places}
    for source in [found.source, *(one.source for one in found.candidates)]:
        if source not in places:
            yield Fault(file, 0, "source", source, "a place is declared in data/sources.yml", "Declare it.")


def read_recomputation(membership: Membership, catalogue: Catalogue, where: Project) -> Spec:
    """Read the rules of our recomputation of the index.

    Parameters
    ----------
    membership : Membership
    catalogue : Catalogue
    where : Project

    Raises
    ------
    DataError
        The file is not sound, its groups are not the domains, an indicator is no candidate, or more of it is good where
        its card says it is bad.
    """
    path = where.wellbeing / "spec.yml"
    spec = read_spec(path)
    file = where.name(path)
    known = {one.indicator: one for one in membership.candidates}
    faults = []
    if set(spec.groups) != {spec.top, *membership.domains}:
        listed = ", ".join(membership.domains)
        faults.append(Fault(file, 0, "groups", "", f"the groups are the domains: {listed}", "Mend them."))
    for name, one in spec.indicators.items():
        card = catalogue.cards.get(name)
        if card is None or name not in known or known[name].domain != one.parent:
            faults.append(
                Fault(file, 0, name, one.parent, "a candidate of this domain", "Mend the name or the domain.")
            )
        elif card.polarity != one.polarity:
            faults.append(Fault(file, 0, name, one.polarity, f"its card says {card.polarity}", "Mend the polarity."))
        elif one.denominator != known[name].denominator or (one.denominator or name) not in catalogue.cards:
            told = f"the denominator of the candidate, {known[name].denominator}, which has a card"
            faults.append(Fault(file, 0, name, one.denominator or "", told, "Mend the denominator."))
    if faults:
        raise DataError(faults)
    return spec
