"""What the data mean: indicator cards, codes, sources and texts, typed and read from YAML."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

import yaml
from babel import Locale, UnknownLocaleError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    RootModel,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)  # fmt: skip

from balalar.errors import DataError, Fault
from balalar.paths import Project, project
from balalar.traces import Looked

# libyaml reads some 200 cards in a fraction of the time; both loaders build plain values only.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TOTAL = "total"
COUNTRY = "KZ"
BASIC_DIMENSIONS = ("sex", "settlement")

Words = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SourceId = Annotated[str, Field(pattern=r"^(table|figure|text)-\d+(\.\d+)?$")]
RegionCode = Annotated[str, Field(pattern=r"^KZ(-([0-9]{2}|[A-Z]{3}))?$")]


class Record(BaseModel):
    """A record from a YAML file: unknown keys are faults, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(RootModel[dict[str, Words]]):
    """The same words in all languages of the edition."""

    model_config = ConfigDict(frozen=True)

    def __getitem__(self, lang: str) -> str:
        """Words in one language."""
        return self.root[lang]

    @model_validator(mode="after")
    def _in_all_languages(self, info: ValidationInfo) -> Text:
        wanted = list(info.context or self.root)
        if missing := [lang for lang in wanted if lang not in self.root]:
            raise ValueError(f"the words must stand in {', '.join(wanted)}; missing: {', '.join(missing)}")
        if unknown := [lang for lang in self.root if lang not in wanted]:
            raise ValueError(f"the languages are {', '.join(wanted)}; unknown: {', '.join(unknown)}")
        used = {lang: _placeholders(words) for lang, words in self.root.items()}
        if len({frozenset(names) for names in used.values()}) > 1:
            listed = "; ".join(f"{lang}: {sorted(names) or 'none'}" for lang, names in used.items())
            raise ValueError(f"placeholders differ between the languages ({listed})")
        return self


def _placeholders(words: str) -> set[str]:
    """Names in braces; anything else in braces is a fault."""
    try:
        parts = list(Formatter().parse(words))
    except ValueError as error:
        raise ValueError(f"braces hold the name of a placeholder ({error})") from None
    for _, name, spec, conversion in parts:
        if name is not None and (spec or conversion or not name.isidentifier()):
            raise ValueError("braces hold the name of a placeholder and nothing else")
    return {name for _, name, _, _ in parts if name is not None}


class Break(Record):
    """A year from which a series no longer compares with what came before."""

    year: int
    reason: Text


class IntervalRule(Record):
    """Which interval of chance an indicator's figures have, or why they have none.

    Attributes
    ----------
    method : {"poisson", "binomial", "survey", "none"}
        Cases that happen by chance; a share of people counted; a share of people asked; or none.
    cases : str or None
        Count of the cases of a rate; recovered from the rate and its base where that is not printed.
    base, codes
        Count, with its codes, out of which or against which the cases are taken.
    over : {"year", "start"}
        Whether a start-of-year base is its mean over the year or stands as at the start.
    reason : str or None
        Why there is none, a code of the list ``no_interval``.
    """

    method: Literal["poisson", "binomial", "survey", "none"]
    cases: Code | None = None
    base: Code | None = None
    codes: dict[Code, Code] = Field(default_factory=dict)
    over: Literal["year", "start"] = "year"
    reason: Code | None = None

    @model_validator(mode="after")
    def _says_why(self) -> IntervalRule:
        if self.method == "none" and (self.base or self.cases or self.codes):
            raise ValueError("where there is no interval, nothing but the reason is given")
        if (self.method == "none") != (self.reason is not None):
            raise ValueError("a reason is given exactly where the method is none")
        if self.method in ("binomial", "survey") and self.base is None:
            raise ValueError("a share needs the base out of which it is taken")
        if self.method == "survey" and not self.codes:
            raise ValueError("a survey's share needs the codes of those who were asked")
        return self


class Card(Record):
    """What one indicator counts, in what unit, from whom, and how it may be read.

    Attributes
    ----------
    time : str
        What a year means: the calendar year, its first or last day, the school year that
        begins in it, or the year of a survey.
    range : tuple
        Lowest and highest possible value, None where there is no bound.
    polarity : str
        Whether more of it is good, bad or neither.
    interval : IntervalRule
        Which interval of chance applies, or why none can.
    numerator, denominator, per
        Where the indicator is a quotient of two others: numerator / denominator * per.
    numerator_codes : dict of str to str
        Codes at which the numerator is taken; at those of the share itself, if left out.
    denominator_codes : dict of str to str
        Codes at which the denominator of a derived indicator is taken.
    denominator_less : str
        Indicator that is taken off the denominator of a derived one: children per hundred of all others.
    of_country : bool
        True where the denominator is the country's: a region's share of the whole.
    parts : dict of str to tuple of str
        Codes that add up to the total, by dimension.
    composition, composition_of
        Dimension over which shares add up to 100 %, and the indicator whose structure they are.
    same_as, same_codes
        Indicator, and its codes, that is another name for the same quantity.
    mean_over_year : str
        Start-of-year count of which this one is the mean of two neighbouring years.
    mean_of : str
        Dimension of which the total is the arithmetic mean.
    within : str
        Indicator that this one is part of, and never exceeds.
    incomparable : tuple of str
        Dimensions whose codes stand on another base than the total, so that it need not lie between them.
    complement : str
        Indicator with which this one adds up to 100 %.
    sample, sample_codes, sample_per
        Count, with its codes, of those asked or of the cases, out of which the value must be a whole number.
    base : str
        Name of a whole that is not printed, of which several indicators are shares.
    weight : str
        Count by which the regions' values weigh in the country's; the denominator, if left out.
    change_of, change_since
        Indicator of which this one is the change, on the year before or since a fixed year.
    recalculated : tuple of int
        Years whose figures stand on the borders of the regions of the year after.
    doubtful : bool
        True where the report itself gives reason to think that other figures were printed; the
        caveat says which, and nothing is concluded from them.
    labels : dict
        Labels by dimension and code that replace those of the code lists: who is counted as male.
    derived : bool
        True where the library computes the quotient and no CSV exists.
    """

    id: Code
    chapter: Code
    kind: Literal["count", "share", "rate", "index", "money", "mean", "change"]
    unit: Code
    decimals: Annotated[int, Field(ge=0, le=4)]
    time: Literal["calendar_year", "start_of_year", "end_of_year", "school_year", "survey"]
    dimensions: tuple[Code, ...] = ()
    range: tuple[FiniteFloat | None, FiniteFloat | None]
    polarity: Literal["good", "bad", "neutral"]
    agency: Code
    interval: IntervalRule
    numerator: Code | None = None
    denominator: Code | None = None
    per: float | None = None
    numerator_codes: dict[Code, Code] = Field(default_factory=dict)
    denominator_codes: dict[Code, Code] = Field(default_factory=dict)
    denominator_less: Code | None = None
    of_country: bool = False
    parts: dict[Code, tuple[Code, ...]] = Field(default_factory=dict)
    composition: Code | None = None
    composition_of: Code | None = None
    same_as: Code | None = None
    same_codes: dict[Code, Code] = Field(default_factory=dict)
    mean_over_year: Code | None = None
    mean_of: Code | None = None
    within: Code | None = None
    incomparable: tuple[Code, ...] = ()
    complement: Code | None = None
    sample: Code | None = None
    sample_codes: dict[Code, Code] = Field(default_factory=dict)
    sample_per: float = 100.0
    base: Code | None = None
    weight: Code | None = None
    change_of: Code | None = None
    change_since: int | None = None
    recalculated: tuple[int, ...] = ()
    derived: bool = False
    doubtful: bool = False
    labels: dict[Code, dict[Code, Text]] = Field(default_factory=dict)
    breaks: tuple[Break, ...] = ()
    title: Text
    definition: Text
    caveat: Text | None = None

    @property
    def additive(self) -> bool:
        """Whether the country has the sum of its regions: counts and money."""
        return self.kind in ("count", "money")

    def relatives(self) -> set[str]:
        """Indicators that a relation of this card names."""
        named = (
            self.numerator, self.denominator, self.composition_of, self.same_as, self.mean_over_year, self.within,
            self.complement, self.weight, self.change_of, self.sample, self.denominator_less,
        )  # fmt: skip
        return {one for one in named if one}

    @model_validator(mode="after")
    def _holds_together(self) -> Card:
        if (self.denominator and not self.numerator) or (self.numerator is None) != (self.per is None):
            raise ValueError("numerator and per go together, and a denominator with them")
        low, high = self.range
        if low is not None and high is not None and low > high:
            raise ValueError("the range must go from the lower to the higher value")
        named = {*self.parts, *filter(None, (self.composition, self.mean_of))}
        if unknown := sorted(named - set(self.dimensions)):
            raise ValueError(
                f"parts, composition and mean_of name the card's dimensions; unknown: {', '.join(unknown)}"
            )
        if self.doubtful and self.caveat is None:
            raise ValueError("a doubtful indicator needs a caveat that says why")
        kinds = {"poisson": ("count", "rate"), "binomial": ("share",), "survey": ("share",)}.get(self.interval.method)
        if kinds and self.kind not in kinds:
            raise ValueError(f"an interval by {self.interval.method} is for {' or '.join(kinds)}, not for {self.kind}")
        if (
            self.interval.method == "poisson"
            and self.kind == "rate"
            and not (self.per or re.match(r"per_\d", self.unit))
        ):
            raise ValueError("the interval of a rate needs per, or a unit that says of how many it speaks")
        if self.id in (self.interval.base, self.interval.cases):
            raise ValueError("an indicator is not its own base")
        if self.derived and not self.denominator:
            raise ValueError("a derived indicator needs numerator, denominator and per")
        return self


class Item(Record):
    """A code of a list, with its label."""

    label: Text


class Dimension(Record):
    """A dimension and its codes, in the order in which they are shown.

    Attributes
    ----------
    by : Text
        The label as it stands in «by sex», «по полу», «жынысы бойынша».
    subtotals : dict of str to tuple of str
        Codes that are sums of others of the list, with those; they are not drawn or ranked beside their parts.
    open : tuple of str
        Subtotals of which the list names only some parts.
    ordered : bool
        True where the codes have an order of their own (ages), which a chart keeps.
    ranked : bool
        False where the codes count different things, or only some are listed: none is called the largest.
    proper : tuple of str
        Codes whose labels are names, with a capital in a sentence too.
    """

    label: Text
    by: Text
    items: dict[Code, Text]
    subtotals: dict[Code, tuple[Code, ...]] = Field(default_factory=dict)
    open: tuple[Code, ...] = ()
    ordered: bool = False
    ranked: bool = True
    proper: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _knows_its_codes(self) -> Dimension:
        nested = {code for parts in self.subtotals.values() for code in parts}
        if unknown := sorted({*self.subtotals, *self.proper, *nested} - set(self.items)):
            raise ValueError(f"subtotals and proper name items of the list; unknown: {', '.join(unknown)}")
        if unknown := sorted(set(self.open) - set(self.subtotals)):
            raise ValueError(f"open names subtotals; unknown: {', '.join(unknown)}")
        return self


class Unit(Record):
    """A unit: its label under a chart, and how a value is written with it in a sentence."""

    label: Text
    pattern: Text
    beside: bool = False

    @model_validator(mode="after")
    def _has_a_value(self) -> Unit:
        if any(_placeholders(words) != {"value"} for words in self.pattern.root.values()):
            raise ValueError("the pattern must hold {value} and no other placeholder")
        return self


class Tile(Record):
    """Place of a region on a map of equal tiles, row and column from 1, and its shortest name."""

    row: Annotated[int, Field(ge=1)]
    column: Annotated[int, Field(ge=1)]
    name: Text


class Region(Record):
    """A region with its lifespan, lineage and printed spellings.

    Attributes
    ----------
    first, last : int or None
        First and last year of life; None where it lies outside our data.
    parent : str or None
        Region it was split from.
    printed : tuple of str
        Spellings by which reports name it in tables.
    tile : Tile or None
        Place on the map of the regions that live today.
    """

    name: Text
    short: Text
    tile: Tile | None = None
    first: int | None = None
    last: int | None = None
    parent: RegionCode | None = None
    printed: tuple[str, ...] = ()

    def lives(self, year: int) -> bool:
        """Whether the region exists in a year."""
        return (self.first or year) <= year <= (self.last or year)


class Status(Record):
    """A code of the SDMX list CL_OBS_STATUS, its label and the mark shown with a figure."""

    label: Text
    mark: Text | None = None


class NoInterval(Record):
    """A reason why no interval can be calculated.

    Attributes
    ----------
    chance : bool
        Whether chance plays a part all the same, so that nothing may be concluded from a difference.
    """

    label: Text
    chance: bool


class Codes(Record):
    """All code lists."""

    regions: dict[RegionCode, Region]
    dimensions: dict[Code, Dimension]
    units: dict[Code, Unit]
    agencies: dict[Code, Item]
    statuses: dict[Annotated[str, Field(pattern=r"^[A-Z]$")], Status]
    correction_rules: dict[Code, Item]
    no_interval: dict[Code, NoInterval]
    time: dict[Code, Item]

    @model_validator(mode="after")
    def _lays_its_tiles(self) -> Codes:
        tiles = {code: one.tile for code, one in self.regions.items() if code != COUNTRY and one.last is None}
        if any(tiles.values()) and (bare := [code for code, tile in tiles.items() if tile is None]):
            raise ValueError(f"every living region has a tile, or none has; without one: {', '.join(bare)}")
        places = [(tile.row, tile.column) for tile in tiles.values() if tile]
        if len(places) > len(set(places)):
            raise ValueError("no two regions share a tile")
        return self

    def living(self, year: int) -> list[str]:
        """Codes of the regions that exist in a year, without the country, in order."""
        return [code for code, region in self.regions.items() if code != COUNTRY and region.lives(year)]

    def split_years(self, region: str) -> list[int]:
        """Years in which regions were split off from a region, in the order of the list."""
        return [other.first for other in self.regions.values() if other.parent == region and other.first]

    def moved_borders(self, region: str, year: int) -> bool:
        """Whether a region was born in a year, or lost a part of itself to one that was."""
        return self.regions[region].first == year or year in self.split_years(region)


class Place(Record):
    """A table, figure or stretch of text of a report.

    Attributes
    ----------
    printed : bool
        False for a figure whose values were lost with its picture and are quoted nowhere.
    """

    section: str
    agency: Code
    title: Text
    printed: bool = True


class Report(Record):
    """A printed report, its received file and the places that are cited."""

    title: Text
    publisher: Text
    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    places: dict[SourceId, Place]


class Sources(Record):
    """All reports by year."""

    reports: dict[int, Report]


class Chapter(Record):
    """A chapter of the publication, which has a notebook and a text file of its name.

    Attributes
    ----------
    subject : {"data", "audit", "index", "method"}
        What its brief is about: the indicators of the chapter, the report's own numbers, the Child Well-being Index, or
        how figures are compared.
    """

    subject: Literal["data", "audit", "index", "method"] = "data"
    title: Text
    summary: Text


class Edition(Record):
    """What is published: languages, chapters in their order, who publishes it under what licence, and how it compares.

    Attributes
    ----------
    languages : dict of str to str
        Language code to its CLDR locale; the first is the one of the site's first page.
    design_effect : float
        How much less a clustered sample tells than a simple one of its size: the variance of its shares is
        multiplied by this.
    """

    languages: dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], str] = Field(min_length=1)
    title: Text
    subtitle: Text
    publisher: Text
    licence: Text
    licence_url: str
    contact: Text
    design_effect: FiniteFloat = Field(ge=1)
    chapters: dict[Code, Chapter]

    def about(self, subject: str) -> str:
        """The chapter of a subject; empty where there is none."""
        return next((name for name, chapter in self.chapters.items() if chapter.subject == subject), "")

    @model_validator(mode="after")
    def _knows_its_locales(self) -> Edition:
        for lang, locale in self.languages.items():
            try:
                Locale.parse(locale)
            except (ValueError, UnknownLocaleError):
                raise ValueError(f"languages gives a CLDR locale for each language; {lang}: {locale} is none") from None
        return self


@dataclass(frozen=True)
class Catalogue:
    """Everything that is declared about the data.

    Attributes
    ----------
    cards : dict of str to Card
        What a brief takes of them is noted.
    codes : Codes
    sources : Sources
    edition : Edition
    texts : dict of str to dict of str to Text
        Texts by file (``common`` or a chapter) and key.
    """

    cards: Looked[Card]
    codes: Codes
    sources: Sources
    edition: Edition
    texts: dict[str, dict[str, Text]]

    def chapter_cards(self, chapter: str) -> list[Card]:
        """Cards of a chapter, by id."""
        return self.cards.among(f"chapter:{chapter}", lambda card: card.chapter == chapter)


def read_yaml(path: Path, where: Project) -> tuple[Any, dict[tuple[Any, ...], int]]:
    """Read a YAML file and remember on which line each key stands.

    Parameters
    ----------
    path : Path
        File to read.
    where : Project
        Project, for the file's name in messages.

    Returns
    -------
    data, lines
        The content, and the line of each path of keys.

    Raises
    ------
    DataError
        The file is missing, is no YAML, or has a key twice.
    """
    name = where.name(path)
    try:
        text = path.read_text(encoding="utf-8")
        _no_aliases(text)
        node = yaml.compose(text, Loader=LOADER)
        data = yaml.load(text, Loader=LOADER)
        lines: dict[tuple[Any, ...], int] = {}
        doubled = list(_walk(node, (), lines)) if node is not None else []
    except FileNotFoundError:
        raise DataError([Fault(name, 0, "file", "", "the file must exist", "Restore it.")]) from None
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        line = mark.line + 1 if mark else 0
        fault = Fault(name, line, "YAML", "", f"the file must be valid YAML in UTF-8 ({problem})", "Mend the line.")
        raise DataError([fault]) from None
    if doubled:
        raise DataError(
            Fault(name, line, key, "", "a key stands once", "Remove one of the two.") for key, line in doubled
        )
    return data, lines


def _no_aliases(text: str) -> None:
    """Refuse a YAML that points into itself: it may be endless, and no reader follows it."""
    if re.search(r"[&*]\w", text):
        for token in yaml.scan(text, Loader=LOADER):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
                raise yaml.MarkedYAMLError(
                    problem="anchors and aliases are not used here", problem_mark=token.start_mark
                )


def _walk(node: yaml.Node, path: tuple[Any, ...], lines: dict[tuple[Any, ...], int]) -> Iterator[tuple[str, int]]:
    """Fill ``lines`` and yield every key that stands twice."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = int(key.value) if key.value.isdecimal() else key.value
            line = key.start_mark.line + 1
            if (*path, name) in lines:
                yield str(name), line
            lines[(*path, name)] = line
            yield from _walk(value, (*path, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _walk(value, (*path, position), lines)


def read(kind: Any, path: Path, where: Project, languages: Collection[str] = ()) -> Any:
    """Read a YAML file as a typed record.

    Parameters
    ----------
    kind : type
        A pydantic model or a type built of models, e.g. ``dict[str, Text]``.
    path : Path
        File to read.
    where : Project
        Project, for the file's name in messages.
    languages : collection of str
        Languages in which every text must stand.

    Raises
    ------
    DataError
        All faults of the file at once.
    """
    data, lines = read_yaml(path, where)
    return validated(kind, data, where.name(path), lines, languages)


def validated(
    kind: Any, data: Any, file: str, lines: dict[tuple[Any, ...], int], languages: Collection[str] = ()
) -> Any:
    """Hold what a YAML file says against a type.

    Parameters
    ----------
    kind : type
        A pydantic model or a type built of models.
    data, lines
        As from ``read_yaml``.
    file : str
        Name for messages.
    languages : collection of str
        Languages in which every text must stand.

    Raises
    ------
    DataError
        All faults at once.
    """
    try:
        return TypeAdapter(kind).validate_python(data, context=list(languages))
    except ValidationError as error:
        raise DataError(_fault(detail, file, lines) for detail in error.errors()) from None


def _fault(detail: Any, file: str, lines: dict[tuple[Any, ...], int]) -> Fault:
    """Turn a detail of pydantic's error into a fault with its line."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    known = path
    while known and known not in lines:
        known = known[:-1]
    value = "" if isinstance(detail["input"], dict | list) else str(detail["input"])
    told = {
        "missing": ("the key must be given", "Add it."),
        "extra_forbidden": ("there is no such key", "Remove the key or mend its spelling."),
        "model_type": ("must be a mapping of keys", "Mend the value."),
        "dict_type": ("must be a mapping of keys", "Mend the value."),
        "string_type": ("must be words", "Put the value in quotes."),
    }
    message = detail["msg"].removeprefix("Value error, ")
    rule, remedy = told.get(detail["type"], (message, "Mend the value."))
    return Fault(
        file,
        lines.get(known, 0),
        ".".join(str(part) for part in path) or "file",
        value,
        rule,
        remedy,
    )


def survey(where: Project) -> tuple[Catalogue | None, list[Fault]]:
    """Read all that is sound of a project's cards, codes, sources and texts, and list all faults.

    Parameters
    ----------
    where : Project

    Returns
    -------
    catalogue, faults
        The catalogue of the sound files, None where the codes, sources or edition are not sound;
        and the faults of all files.
    """
    faults: list[Fault] = []

    def attempt(kind: Any, path: Path, languages: Collection[str] = ()) -> Any:
        try:
            return read(kind, path, where, languages)
        except DataError as error:
            faults.extend(error.faults)
            return None

    edition = attempt(Edition, where.data / "edition.yml")
    if edition is None:
        return None, faults
    spoken = edition.languages
    attempt(Edition, where.data / "edition.yml", spoken)  # now that the languages are known
    codes = attempt(Codes, where.data / "codes.yml", spoken)
    sources = attempt(Sources, where.data / "sources.yml", spoken)
    cards = {path.stem: attempt(Card, path, spoken) for path in sorted(where.indicators.glob("*.yml"))}
    texts = {path.stem: attempt(dict[Code, Text], path, spoken) for path in sorted(where.text.glob("*.yml"))}
    if not (codes and sources):
        return None, faults
    sound_cards = Looked("card", {name: card for name, card in cards.items() if card})
    sound_texts = {name: text for name, text in texts.items() if text is not None}
    return Catalogue(sound_cards, codes, sources, edition, sound_texts), faults


def load(where: Project | None = None) -> Catalogue:
    """Read all cards, codes, sources and texts of a project.

    Parameters
    ----------
    where : Project, optional
        Project to read; the current one if left out.

    Raises
    ------
    DataError
        All faults of all files at once.
    """
    catalogue, faults = survey(where or project())
    if faults or catalogue is None:
        raise DataError(faults)
    return catalogue
