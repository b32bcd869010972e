"""Words and numbers of one language: labels, sentences, formats. Computes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from balalar.cards import COUNTRY, Card, Catalogue, Text
from balalar.dataset import decimals, scale
from balalar.errors import RequestError
from balalar.traces import looked

EXACT = 9  # decimals of a computed number that are not a float's own rounding
NBSP, HYPHEN = "\u00a0", "\u2011"  # neither breaks a line


class Words:
    """All that a brief says, in one language.

    Parameters
    ----------
    catalogue : Catalogue
    lang : str
        A language of the edition.
    *files : str
        Text files (of a chapter, of the audit) whose texts may be said besides the common ones.

    Raises
    ------
    RequestError
        The language is not one of ours.
    """

    def __init__(self, catalogue: Catalogue, lang: str, *files: str) -> None:
        locales = catalogue.edition.languages
        if lang not in locales:
            listed = ", ".join(locales)
            raise RequestError(f"lang: {lang!r} is no language of the briefs; choose one of {listed}")
        self.lang = lang
        self.catalogue = catalogue
        self.locale = Locale.parse(locales[lang])
        self._texts: dict[str, Text] = {}
        for file in ("common", *files):
            looked(f"text:{file}")
            self._texts |= catalogue.texts.get(file, {})

    def say(self, key: str, **words: object) -> str:
        """Text of a key with its placeholders filled.

        Parameters
        ----------
        key : str
            Key of ``data/text/common.yml`` or of the chapter's file.
        **words
            One value for each placeholder.

        Raises
        ------
        RequestError
            There is no such key.
        """
        if key not in self._texts:
            raise RequestError(f"text: there is no text {key!r}; add it to data/text in kk, ru and en")
        # A dash does not start a line.
        try:
            said = self._texts[key][self.lang].format(**words)
        except KeyError as error:
            known = ", ".join(words) or "none"
            raise RequestError(f"text: {key!r} has a placeholder {error}, which is not given; given: {known}") from None
        return said.replace(" — ", f"{NBSP}— ")

    def sentence(self, key: str, **words: object) -> str:
        """Text of a key as a sentence: its first letter in upper case, one full stop at its end."""
        text = self.say(key, **words)
        text = text[:1].upper() + text[1:]
        return re.sub(r"\.{2,}$", ".", text)

    def number(self, value: str) -> str:
        """A figure with the printed number of decimals: 12.65 is «12,65», 58.2e3 «58,2 мың».

        Parameters
        ----------
        value : str
            Figure as in the observations.
        """
        digits, _, power = value.partition("e")
        text = self.amount(float(digits), len(digits.partition(".")[2]))
        return self.say(f"scale_{power}", number=text).replace(" ", NBSP) if power else text

    def amount(self, number: float, decimals: int) -> str:
        """A computed number with so many decimals, in the language's format."""
        # Half a digit is rounded up, as in print; a float's own rounding goes first, and no minus stands before a zero.
        exact = Decimal(str(round(float(number), EXACT)))
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0
        return _formatted(rounded, decimals, self.locale)

    def like(self, record: Mapping[str, Any], number: float) -> str:
        """A computed number in the precision and with the power of ten of a figure: a limit of its interval."""
        power = scale(record["value"])
        return self.scaled(self.amount(number / 10**power, decimals(record["value"])), power)

    def value(self, card: Card, value: str) -> str:
        """A figure with its unit, as it stands in a sentence."""
        return self.with_unit(card, self._figure(card, value))

    def _figure(self, card: Card, value: str) -> str:
        """A figure without its unit; a change shows its sign."""
        sign = "+" if card.kind == "change" and float(value) > 0 else ""
        return sign + self.number(value)

    def marked(self, card: Card, record: Mapping[str, Any], unit: bool = True) -> str:
        """A figure with its marks: provisional, estimate, used otherwise than printed (†).

        Parameters
        ----------
        card : Card
        record : mapping
            ``value``, ``status`` and ``correction`` of the figure, which has a value.
        unit : bool
            Whether the unit is named in any case; beside others of its kind some units are not.
        """
        named = unit or self.catalogue.codes.units[card.unit].beside
        text = self.value(card, record["value"]) if named else self._figure(card, record["value"])
        return text + self._marks(record)

    def bare(self, record: Mapping[str, Any]) -> str:
        """A figure with its marks and without its unit, as it stands at a point of a line."""
        return self.number(record["value"]) + self._marks(record)

    def _marks(self, record: Mapping[str, Any]) -> str:
        mark = self.mark(record["status"])
        return ("†" if record["correction"] else "") + (f"{NBSP}{mark}" if mark else "")

    def with_unit(self, card: Card, number: str) -> str:
        """A finished number, or a range, with the card's unit."""
        # A number does not part from its unit at the end of a line.
        pattern = self.catalogue.codes.units[card.unit].pattern[self.lang].replace("{value} ", "{value}" + NBSP)
        return _unbroken(pattern).format(value=number)

    def share(self, ratio: float) -> str:
        """A ratio as a percentage with one decimal, in the language's format."""
        pattern = self.locale.percent_formats[None].pattern.replace("#,##0", "#,##0.0")
        return format_percent(ratio, format=pattern, locale=self.locale)

    def percent(self, number: str) -> str:
        """A finished number, or a range, with the sign of per cent."""
        pattern = self.catalogue.codes.units["percent"].pattern[self.lang].replace("{value} ", "{value}" + NBSP)
        return pattern.format(value=number)

    def scaled(self, number: str, power: int) -> str:
        """A finished number, or a range, with the word for its power of ten."""
        if not power:
            return number
        # The word does not part from the number before it; a range may break.
        word = self.say(f"scale_{power}", number="\0").replace(" ", NBSP)
        return word.replace("\0", number)

    def difference(self, card: Card, value: str) -> str:
        """A difference of two figures: percentage points for shares, else the unit."""
        return self.as_difference(card, self.number(value))

    def as_difference(self, card: Card, number: str) -> str:
        """A finished number, or a range, as a difference of two figures."""
        if card.unit == "percent":
            return _unbroken(self.say("difference_percent", number=number).replace(" ", NBSP, 1))
        if card.additive:
            return self.with_unit(card, number)
        return self.say("difference_plain", number=number)

    def period(self, card: Card, year: int) -> str:
        """When: «2022 жылы», «на начало 2023 года»."""
        return self.say(f"period_{card.time}", year=year, next_year=year + 1)

    def heading(self, card: Card, year: int) -> str:
        """A year as the heading of a column or the name of a line."""
        return _unbroken(self.say(f"heading_{card.time}", year=year, next_year=year + 1))

    def region(self, code: str) -> str:
        """Full name of a region; the country is «Қазақстан»."""
        return self.say("nation") if code == COUNTRY else self.catalogue.codes.regions[code].name[self.lang]

    def short_region(self, code: str) -> str:
        """Short name of a region, for charts and tables."""
        return self.say("nation") if code == COUNTRY else self.catalogue.codes.regions[code].short[self.lang]

    def item(self, card: Card, dimension: str, code: str) -> str:
        """Label of a code, as the card says it or else the code list."""
        own = card.labels.get(dimension, {})
        if code in own:
            return own[code][self.lang]
        return self.catalogue.codes.dimensions[dimension].items[code][self.lang]

    def inline(self, card: Card, dimension: str, code: str) -> str:
        """Label of a code as it stands within a sentence: with a small letter, save names and signs."""
        label = self.item(card, dimension, code)
        sign = not re.match(r"\w[^\W\d_]|[А-Я] ", label)  # «4-сынып», «I топ», but not «С 4 детьми»
        if sign or label[1:2].isupper() or code in self.catalogue.codes.dimensions[dimension].proper:
            return label
        return label[0].lower() + label[1:]

    def dimension(self, name: str) -> str:
        """Label of a dimension."""
        return self.catalogue.codes.dimensions[name].label[self.lang]

    def by(self, name: str) -> str:
        """What a look compares, as it stands in «by sex»."""
        if name in ("region", "year"):
            return self.say(f"by_{name}")
        return self.catalogue.codes.dimensions[name].by[self.lang]

    def unit(self, card: Card) -> str:
        """Unit of an indicator, as under a chart."""
        return _unbroken(self.catalogue.codes.units[card.unit].label[self.lang])

    def mark(self, status: str) -> str:
        """Mark of a status, empty for a final figure."""
        mark = self.catalogue.codes.statuses[status].mark
        return mark[self.lang] if mark else ""

    def place(self, source: str) -> str:
        """Place in a report: «2.1-кесте», «таблица 2.1»."""
        kind, number = source.split("-")
        return self.say(f"place_{kind}", number=number).replace(" ", NBSP).replace("-", HYPHEN)

    def places(self, report: int, sources: Iterable[str]) -> str:
        """Several places of a report, and the report."""
        return self.say("places", year=report, places=", ".join(map(self.place, sources)))

    def listed(self, items: Iterable[str]) -> str:
        """Items in a row, with the language's «and»."""
        return format_list(list(items), locale=self.locale)


@cache
def _formatted(number: Decimal, decimals: int, locale: Locale) -> str:
    """A rounded number in a language's format; the pages of a chapter write the same numbers again and again."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(number, format=pattern, locale=locale).replace("-", "−")


def _unbroken(text: str) -> str:
    """Words whose numbers and abbreviations do not part at the end of a line: 100 000, п. п., 2022 г., 4 : 1."""
    return re.sub(r"(?<=\d) (?=\d{3})|(?<=п\.) (?=п\.)|(?<=\d) (?=[гж]\.)| (?=: 1)|(?<=:) (?=1)", NBSP, text)
