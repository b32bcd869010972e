"""Numbers and sentences in three languages."""

import pytest

from balalar.errors import RequestError
from balalar.words import Words

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("lang", "value", "text"),
    [
        ("kk", "12.65", "12,65"),
        ("ru", "6717954", f"6{NBSP}717{NBSP}954"),
        ("en", "6717954", "6,717,954"),
        ("kk", "58.2e3", f"58,2{NBSP}мың"),
        ("ru", "917.0e9", f"917,0{NBSP}млрд"),
        ("en", "3.7e6", f"3.7{NBSP}million"),
        ("ru", "0.00", "0,00"),
        ("kk", "-9.42", "−9,42"),
    ],
)
def test_a_number_keeps_its_printed_decimals(catalogue, lang: str, value: str, text: str) -> None:
    assert Words(catalogue, lang).number(value) == text


@pytest.mark.parametrize(("lang", "text"), [("kk", "34,0%"), ("ru", f"34,0{NBSP}%"), ("en", "34.0%")])
def test_percent_as_the_language_writes_it(catalogue, lang: str, text: str) -> None:
    words = Words(catalogue, lang)
    assert words.value(catalogue.cards["child_population_share"], "34.0") == text
    assert words.share(0.34) == text


def test_marks_stand_behind_a_figure(catalogue) -> None:
    card = catalogue.cards["poverty_share"]
    record = {"value": "3.8", "status": "E", "correction": "2022-table-3.1-01"}
    assert Words(catalogue, "en").marked(card, record) == f"3.8%†{NBSP}[e]"
    assert Words(catalogue, "kk").marked(card, record) == f"3,8%†{NBSP}[б]"


def test_a_school_year_names_both_its_years(catalogue) -> None:
    assert Words(catalogue, "ru").period(catalogue.cards["schools"], 2022) == "в 2022–2023 учебном году"


def test_a_sentence_starts_with_a_capital_and_ends_with_one_stop(catalogue) -> None:
    said = Words(catalogue, "ru").sentence("nation_value", period="в 2022 году", value="58,2 тыс.")
    assert said == f"В Казахстане в 2022 году{NBSP}— 58,2 тыс."


def test_an_unknown_language_or_text_is_refused(catalogue) -> None:
    with pytest.raises(RequestError, match=r"'kz' is no language.*kk, ru, en"):
        Words(catalogue, "kz")
    with pytest.raises(RequestError, match="no text 'nothing_here'"):
        Words(catalogue, "kk").say("nothing_here")
