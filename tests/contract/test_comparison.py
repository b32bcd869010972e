"""No brief calls a difference that noise explains, and every indicator says which interval applies or why none can."""

import re

import pytest

from balalar.cards import COUNTRY
from balalar.compare import APART, apart, chance, funnel, standings
from balalar.dataset import Dataset
from balalar.estimates import Estimates
from balalar.findings import Findings
from balalar.measures import Grid
from balalar.method_brief import open_method
from balalar.panels import Panel
from balalar.words import Words

SUICIDE = "child_suicide_rate"
LOOKED: dict[tuple[str, str, str], list[Findings]] = {}


def _looks(dataset: Dataset, by: str, lang: str = "en", region: str = COUNTRY) -> list[Findings]:
    """All indicators of which chance may be part, in the latest year; looked at once for all tests."""
    if (by, lang, region) in LOOKED:
        return LOOKED[by, lang, region]
    found, estimates = [], Estimates(dataset)
    for card in dataset.catalogue.cards.values():
        if chance(card, dataset.catalogue.codes) == "none" or card.doubtful:
            continue
        grid = Grid(estimates.of(card), card, by)
        if years := grid.years():
            found.append(Findings(grid, max(years), Words(dataset.catalogue, lang, card.chapter), region))
    LOOKED[by, lang, region] = found
    return found


def test_every_indicator_says_which_interval_applies_or_why_none_can(catalogue) -> None:
    for card in catalogue.cards.values():
        rule = card.interval
        assert rule.reason in catalogue.codes.no_interval if rule.method == "none" else rule.reason is None, card.id
        if rule.method == "poisson":
            assert card.kind == "count" or rule.cases or rule.base, card.id
        if rule.method == "survey":
            assert card.agency == "survey" and card.kind == "share", card.id


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_the_page_lists_every_indicator(catalogue, lang: str) -> None:
    page = open_method(2022, lang).indicators().markup
    terms = re.findall(r"<dt>(.*?)</dt><dd>(.+?)</dd>", page)
    assert len(terms) == len(catalogue.cards)
    assert {title for title, _ in terms} == {
        card.title[lang].replace("'", "&#39;") for card in catalogue.cards.values()
    }  # fmt: skip


def test_what_has_an_interval_rule_has_an_interval_somewhere(dataset) -> None:
    """No rule that never applies: each card that promises an interval has a figure with one."""
    estimates = Estimates(dataset)
    for card in dataset.catalogue.cards.values():
        if card.interval.method == "none" or card.doubtful:
            continue
        figures = estimates.of(card)
        if (figures["status"] == "E").all():
            continue  # «at least 15 %» has none
        assert (figures["basis"] != "").any(), card.id


def test_the_suicide_ranking_is_shown_as_what_it_is(dataset) -> None:
    card = dataset.catalogue.cards[SUICIDE]
    grid = Grid(Estimates(dataset).of(card), card, "region")
    found = standings(grid, 2022, True)
    assert len(found) == 20
    assert {one.verdict for one in found.values()} == {"similar"}
    # One region in twenty would be singled out by chance; two are.
    assert {region for region, one in found.items() if one.alone in APART} == {"KZ-61", "KZ-71"}
    assert {(one.first, one.last) for one in found.values()} == {(1, 20)}
    records = [record for region in grid.regions(2022) if (record := grid.filled(2022, region))]
    spread = funnel(records, 1.5, 1e5)
    assert not spread.overdispersed and not spread.points["outside"].any()


def test_the_brief_names_how_many_regions_differ_and_which(dataset) -> None:
    look = next(one for one in _looks(dataset, "region") if one.card.id == SUICIDE)
    told = " ".join(look.all())
    assert "No region differs from the national figure by more than chance (regions compared: 20)." in told
    assert "these would stand out: Turkistan region (2.6, above) and Astana city (0.2, below)" in told
    assert "number of other regions that may in fact rank first: 18." in told
    assert "No region differs" in " ".join(look.lead())
    deaths = next(one for one in _looks(dataset, "region") if one.card.id == "infant_mortality_rate")
    told = " ".join(deaths.lead())
    assert "Worse than the national figure: Shymkent city (9.83)." in told
    assert "Better than the national figure: Turkistan region (6.56)." in told


RANKS = re.compile(r"\b(Highest|Lowest|Rank among|the highest:|Largest|smallest)\b|\b(up|down) [\d.,]+|\bUp |\bDown ")


def test_no_finding_calls_a_difference_that_chance_may_explain(dataset) -> None:
    """Where chance plays a part, extremes and changes are told only of what goes beyond it."""
    for region in (COUNTRY, "KZ-61", "KZ-10"):
        for look in _looks(dataset, "region", region=region):
            for sentence in look.all():
                found = RANKS.search(sentence)
                if not found or sentence.startswith("Highest value"):  # which says how many may be as high
                    continue
                own = look.grid.filled(look.year, region) or look.grid.filled(look.year, COUNTRY)
                before = look.grid.before(look.year, own["region"])
                assert before and apart(own, before, look.card.polarity) in APART, (look.card.id, sentence)


def test_what_cannot_be_calculated_is_never_called_no_difference(dataset) -> None:
    for look in _looks(dataset, "region"):
        if look.card.interval.method != "none":
            continue
        told = " ".join(look.all())
        assert "may be due to chance" not in told and "No region differs" not in told, look.card.id


def test_the_country_is_not_compared_with_itself(dataset) -> None:
    for look in _looks(dataset, "region"):
        assert COUNTRY not in look.standings


def test_a_funnel_is_drawn_only_where_all_regions_are_known(dataset) -> None:
    """Ten regions that the report chose to print would spread more than all twenty."""
    for name, drawn in (("juvenile_crime_rate", False), (SUICIDE, True)):
        look = next(one for one in _looks(dataset, "region") if one.card.id == name)
        svg, found = Panel([look], look.words, COUNTRY).funnel("title")
        assert bool(svg) is (found is not None) is drawn


def test_places_are_told_only_among_all_regions(dataset) -> None:
    for look in _looks(dataset, "region"):
        assert look.whole or all(one.last == 0 for one in look.standings.values()), look.card.id


def test_a_hedge_goes_with_its_change(dataset) -> None:
    """What says that a change may be chance is one with the change, so that no page drops it as said before."""
    for look in _looks(dataset, "region"):
        for sentence in look.all():
            assert not sentence.startswith(("This change may", "Whether this change", "This difference may"))


def test_both_sides_stand_among_the_key_findings(dataset) -> None:
    look = next(one for one in _looks(dataset, "region") if one.card.id == "infant_mortality_rate")
    told = " ".join(look.lead()[:3])
    assert "Worse" in told and "Better" in told and "may be due to chance: 6" in told
    assert "no interval can be calculated: 12" in told


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_the_worked_example_is_reckoned_from_the_data(lang: str) -> None:
    told = open_method(2022, lang).example().markup
    numbers = re.sub(r"[^\d,.]+", " ", told).replace(",", ".")
    for number in ("24", "2.6", "1.7", "3.9", "1.3", "4.8", "1.5"):
        assert f" {number}" in numbers, number
