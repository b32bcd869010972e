"""What a figure's interval rests on: printed cases, recovered ones, people asked, or nothing."""

import math

import pandas as pd
import pytest
from scipy import stats

from balalar.dataset import Dataset
from balalar.estimates import Estimates
from balalar.measures import Record, records


def _row(dataset: Dataset, indicator: str, effect: float | None = None, **key: object) -> Record:
    card = dataset.catalogue.cards[indicator]
    frame = Estimates(dataset, effect).of(card)
    for name, value in ({"sex": "total", "settlement": "total"} | key).items():
        frame = frame[frame[name] == value]
    (row,) = records(frame)
    return row


def test_printed_cases_give_the_rate_its_interval(dataset) -> None:
    row = _row(dataset, "child_suicide_rate", year=2022, region="KZ-15")
    # Table 2.5: 1 case; table 2.1: 318,565 children at the start of 2022 and 324,798 at that of 2023.
    people = (318565 + 324798) / 2
    assert (row["cases"], row["base"], row["basis"]) == (1, people, "printed")
    low, high = stats.chi2.ppf(0.025, 2) / 2, stats.chi2.ppf(0.975, 4) / 2
    assert (row["low"], row["high"]) == pytest.approx((low / people * 1e5, high / people * 1e5))
    assert row["lowest"] < row["low"] < row["high"] < row["highest"]


def test_no_case_has_an_interval_too(dataset) -> None:
    row = _row(dataset, "child_suicide_rate", year=2022, region="KZ-62")
    assert row["cases"] == row["low"] == 0
    assert row["high"] == pytest.approx(3.68888 / row["base"] * 1e5, rel=1e-5)


def test_without_a_base_the_limits_follow_the_cases(dataset) -> None:
    # The children of 2021 are not printed; 20 cases are 2.2 per 100,000.
    row = _row(dataset, "child_suicide_rate", year=2021, region="KZ-61")
    assert math.isnan(row["base"])
    assert row["low"] / 2.2 == pytest.approx(12.2147 / 20, rel=0.002)  # exact lower limit of 20 cases


def test_cases_are_recovered_within_rounding(dataset) -> None:
    # 6.89 per 1,000 of 30.25 to 30.35 thousand births: 209 deaths, and so 30.312 to 30.35 thousand births.
    row = _row(dataset, "infant_mortality_rate", year=2022, region="KZ-71")
    assert (row["cases"], row["basis"]) == (209, "recovered")
    low, high = stats.chi2.ppf(0.025, 2 * 209) / 2, stats.chi2.ppf(0.975, 2 * 209 + 2) / 2
    assert row["low"] == pytest.approx(low / 30.35, rel=1e-4)
    assert row["high"] == pytest.approx(high / (209 / 6.895), rel=1e-4)


def test_a_rate_that_no_whole_number_gives_takes_the_two_beside_it(dataset) -> None:
    # 17.0 per 100,000 of 403,893 births lies between 68 and 69 deaths.
    row = _row(dataset, "maternal_mortality_rate", year=2022, region="KZ")
    low, high = stats.chi2.ppf(0.025, 2 * 68) / 2, stats.chi2.ppf(0.975, 2 * 69 + 2) / 2
    assert row["low"] == pytest.approx(low / 403893 * 1e5, rel=0.002)
    assert row["high"] == pytest.approx(high / 403893 * 1e5, rel=0.002)


def test_a_survey_share_rests_on_those_asked(dataset) -> None:
    plain = _row(dataset, "life_satisfaction_share", 1.0, year=2022, region="KZ")
    clustered = _row(dataset, "life_satisfaction_share", 2.0, year=2022, region="KZ")
    assert (plain["base"], plain["basis"]) == (3000, "sample")
    found = stats.binomtest(2569, 3000).proportion_ci(0.95, method="wilson")
    assert (plain["low"], plain["high"]) == pytest.approx((found.low * 100, found.high * 100), abs=0.01)
    ratio = (clustered["high"] - clustered["low"]) / (plain["high"] - plain["low"])
    assert ratio == pytest.approx(math.sqrt(2), rel=0.01)


def test_a_regions_sample_is_a_range_and_the_smaller_end_counts(dataset) -> None:
    row = _row(dataset, "life_satisfaction_share", 1.0, year=2022, region="KZ-62")
    # Equal parts: 3,000 / 20. In proportion to the children of 2023: 3,000 * 74,663 / 6,717,954.
    assert (row["base_least"], row["base"], row["basis"]) == (33, 150, "assumed")
    share, people, z = 0.9219, 33, 1.959964  # Wilson's formula, by hand
    middle, half = share + z**2 / (2 * people), z * math.sqrt(share * (1 - share) / people + z**2 / (4 * people**2))
    assert row["low"] == pytest.approx((middle - half) / (1 + z**2 / people) * 100, abs=1e-4)


def test_printed_counts_are_finer_than_their_printed_share(dataset) -> None:
    # Table 2.4: 933 of 5,369 deaths had an external cause (corrected from 993 in the text), printed as 17 %.
    row = _row(dataset, "child_deaths_cause_share", year=2022, region="KZ", cause="external")
    found = stats.binomtest(933, 5369).proportion_ci(0.95, method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((found.low * 100, found.high * 100), abs=1e-9)


def test_a_base_at_the_start_of_the_year_is_taken_as_it_stands(dataset) -> None:
    # 9,042.24 per 100,000 are 16,890 of Abai's 186,790 children at the start of 2022, and no whole number of the mean.
    row = _row(dataset, "digestive_disease_rate", year=2022, region="KZ-10")
    assert (row["base"], row["basis"], row["cases"]) == (186790, "recovered", 16890)


def test_where_no_whole_number_fits_it_is_said(dataset) -> None:
    assert _row(dataset, "infant_mortality_rate", year=2022, region="KZ-31")["basis"] == "near"


@pytest.mark.parametrize(
    ("indicator", "key"),
    [
        ("infant_mortality_rate", {"year": 2022, "region": "KZ-39"}),  # its births are not printed
        ("poverty_share", {"year": 2022, "region": "KZ"}),  # nor the size of the household survey
        ("crimes_against_children_rate", {"year": 2022, "region": "KZ-61"}),  # «about 20»
        ("substance_use_disorder_rate", {"year": 2022, "region": "KZ"}),  # nor the number of adolescents
        ("children_in_difficult_situation_rate", {"year": 2022, "region": "KZ-61"}),  # doubtful
        ("bullied_children_share", {"year": 2022, "region": "KZ"}),  # «at least 15 %»
        ("under5_mortality_rate", {"year": 2022, "region": "KZ", "sex": "male"}),  # births by sex
        ("child_population", {"year": 2023, "region": "KZ-10"}),  # counted in full
    ],
)
def test_where_nothing_can_be_calculated_there_is_no_interval(dataset, indicator: str, key: dict) -> None:
    row = _row(dataset, indicator, **key)
    assert row["basis"] == "" and math.isnan(row["low"]) and math.isnan(row["highest"])


def test_every_interval_holds_its_figure(dataset) -> None:
    """All figures of the report: the printed value lies in its interval, the narrow one in the wide one."""
    estimates = Estimates(dataset)
    told = 0
    for card in dataset.catalogue.cards.values():
        if card.derived or card.doubtful:
            continue
        frame: pd.DataFrame = estimates.of(card)
        known = frame[frame["basis"] != ""]
        half = known["value"].map(lambda value: 10.0 ** -len(value.partition("e")[0].partition(".")[2]) / 2)
        assert (known["low"] <= known["number"] + half).all(), card.id
        assert (known["high"] >= known["number"] - half).all(), card.id
        assert (known["lowest"] <= known["low"]).all() and (known["high"] <= known["highest"]).all(), card.id
        assert (known["low"] >= 0).all(), card.id
        if card.unit == "percent":
            assert (known["highest"] <= 100).all(), card.id
        told += len(known)
    assert told > 250
