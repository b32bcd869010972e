"""Verdicts, places, funnels, trends and inequality, by hand-worked cases and independent libraries."""

import doctest

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from balalar import cohorts, compare, inequality, trends
from balalar.compare import Standing, apart, fifths, funnel, judge, not_below_the_highest, rank_spans
from balalar.intervals import poisson
from balalar.trends import breaks_of, trend


@pytest.mark.parametrize("module", [compare, trends, inequality, cohorts])
def test_the_examples_in_the_docstrings_hold(module) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("low", "high", "polarity", "verdict"),
    [
        (5.1, 7.0, "bad", "worse"),
        (5.1, 7.0, "good", "better"),
        (5.1, 7.0, "neutral", "higher"),
        (2.0, 4.9, "bad", "better"),
        (2.0, 4.9, "good", "worse"),
        (2.0, 4.9, "neutral", "lower"),
        (4.0, 6.0, "bad", "similar"),
        # 5.0 may be 5.04: an interval from 5.02 does not surely lie above it.
        (5.02, 7.0, "bad", "similar"),
        (float("nan"), float("nan"), "bad", "unknown"),
    ],
)
def test_a_verdict_follows_interval_and_polarity(low: float, high: float, polarity: str, verdict: str) -> None:
    assert judge(low, high, "5.0", polarity) == verdict


def _rate(cases: int, people: float) -> dict:
    low, high = (float(end) / people for end in poisson(cases, 0.95))
    return {"value": str(cases / people), "number": cases / people, "low": low, "high": high, "basis": "printed"}


def test_two_figures_are_apart_only_beyond_chance() -> None:
    assert apart(_rate(24, 9.055), _rate(1, 4.36), "bad") == "worse"
    assert apart(_rate(12, 4.595), _rate(24, 9.055), "bad") == "similar"
    # 98 cases after 106 in the year before, among 66 and 62 (hundred thousand children).
    assert apart(_rate(98, 66.7), _rate(106, 62.4), "bad") == "similar"
    assert apart(_rate(98, 66.7), {"value": "1.7", "number": 1.7, "basis": ""}, "bad") == "unknown"
    assert apart(None, _rate(1, 1.0), "bad") == "unknown"


def test_places_are_those_the_intervals_leave_open() -> None:
    # Klein, Wright and Wieczorek: a place is held by all whose intervals overlap.
    spans = rank_spans({"a": (8, 9), "b": (6, 7), "c": (6.5, 8.5), "d": (1, 2)})
    assert spans == {"a": (1, 2), "b": (2, 3), "c": (1, 3), "d": (4, 4)}
    apart_ = rank_spans({"a": (3, 4), "b": (1, 2)})
    assert apart_ == {"a": (1, 1), "b": (2, 2)}


def test_those_not_told_apart_from_the_highest_are_counted() -> None:
    found = {"a": Standing("worse", "worse", True, 1, 2), "b": Standing("similar", "similar", False, 1, 3),
             "c": Standing("better", "better", False, 3, 3)}  # fmt: skip
    assert not_below_the_highest(found, ["a"]) == 1
    assert not_below_the_highest({"a": Standing("unknown", "unknown")}, ["a"]) == -1


def test_twenty_regions_that_share_one_rate_are_seldom_called_different(dataset) -> None:
    """The family error: with the real numbers of children and the country's rate, at most 5 in 100 reports err."""
    rng = np.random.default_rng(11)
    frame = dataset.best("child_population")
    frame = frame[(frame["year"] == 2023) & (frame["sex"] == "total") & (frame["settlement"] == "total")]
    people = frame.loc[frame["region"] != "KZ", "number"].to_numpy()
    expected = people * 1.5e-5
    cases = rng.poisson(expected, (4000, len(expected)))
    errs = {}
    for confidence in (0.95, 0.998):
        low, high = poisson(cases, confidence)
        errs[confidence] = ((low > expected) | (high < expected)).any(axis=1).mean()
    assert errs[0.998] <= 0.05
    assert errs[0.95] > 0.25  # why the narrow interval is not used for many regions at once


def _regions(cases: np.ndarray, base: np.ndarray, per: float) -> list[dict]:
    return [
        {"region": f"r{at}", "base": float(n), "value": str(x / n * per), "cases": float(x)}
        for at, (x, n) in enumerate(zip(cases, base, strict=True))
    ]


def test_a_funnel_is_where_exact_intervals_touch_the_rate() -> None:
    base = np.array([100.0, 400.0, 1000.0])
    found = funnel(_regions(np.array([2, 8, 20]), base, 100), 2.0, 100)
    at = found.limits.iloc[(found.limits["base"] - 400).abs().argmin()]
    # The count at the upper limit, and the smallest mean that would still give so many in 2.5 of 100 cases.
    count = at["high"] * at["base"] / 100
    assert stats.gamma.ppf(0.025, count) == pytest.approx(at["base"] * 2 / 100, rel=1e-6)
    assert not found.overdispersed and not found.points["outside"].any()


def test_a_funnel_allows_for_regions_that_differ() -> None:
    rng = np.random.default_rng(3)
    base = np.linspace(2e5, 9e5, 20)
    same = funnel(_regions(rng.poisson(base * 30e-5), base, 1e5), 30.0, 1e5)
    assert not same.overdispersed
    rates = 30e-5 * rng.lognormal(0, 0.5, 20)
    varied = funnel(_regions(rng.poisson(base * rates), base, 1e5), 30.0, 1e5)
    assert varied.overdispersed and varied.dispersion > 5
    assert (varied.limits["highest"] > same.limits["highest"]).all()
    assert varied.points["outside"].sum() <= 2  # without the allowance nearly all would be


def test_regions_that_share_a_rate_are_seldom_called_overdispersed() -> None:
    rng = np.random.default_rng(5)
    base = np.linspace(7e4, 9e5, 20)
    called = [funnel(_regions(rng.poisson(base * 1.5e-5), base, 1e5), 1.5, 1e5).overdispersed for _ in range(100)]
    assert 0 < np.mean(called) <= 0.12  # by the test's own level, 5 of 100


def test_fifths_share_a_place_where_values_tie() -> None:
    assert fifths(pd.Series([1.0, 2.0, 3.0, 4.0, 5.0])).tolist() == [1, 2, 3, 4, 5]
    assert fifths(pd.Series([0.0, 0.0, 1.0, 2.0])).tolist() == [2, 2, 4, 5]


@pytest.mark.parametrize(
    ("values", "direction"),
    # M. Kendall, Rank Correlation Methods, table 1: of five in order S = 10, P = 1/120 at each side; S = 8, P = 5/120.
    [([1, 2, 3, 4, 5], "rises"), ([5, 4, 3, 2, 1], "falls"), ([1, 2, 3, 5, 4], "none"), ([2, 2, 2, 2, 2], "none")],
)
def test_a_trend_needs_an_order_that_chance_does_not_give(values: list[float], direction: str) -> None:
    assert trend(range(2017, 2022), values).direction == direction


def test_a_trends_slope_is_the_median_of_all_slopes() -> None:
    values = [11.4, 9.8, 9.4, 8.6, 7.9, 8.0, 8.4, 7.8, 8.4, 7.7]  # infant mortality, table 3.5
    years = list(range(2013, 2023))
    found = trend(years, values)
    slopes = [
        (values[b] - values[a]) / (years[b] - years[a]) for a in range(len(years)) for b in range(a + 1, len(years))
    ]
    assert found.direction == "falls" and found.slope == pytest.approx(np.median(slopes))
    assert found.low < found.slope < found.high < 0


def test_ties_are_tested_by_permutation() -> None:
    assert trend(range(2014, 2022), [1, 1, 2, 3, 4, 5, 6, 7]).direction == "rises"
    assert trend(range(2014, 2022), [1, 2, 1, 2, 1, 2, 1, 2]).direction == "none"


def test_fewer_than_five_years_or_a_break_claim_nothing(dataset, catalogue) -> None:
    assert trend([2019, 2020, 2021, 2022], [1, 2, 3, 4]).direction == "untested"
    poverty = dataset.best("child_poverty_share")
    poverty = poverty[(poverty["region"] == "KZ") & (poverty["settlement"] == "total")]
    breaks = breaks_of(catalogue.cards["child_poverty_share"], catalogue.codes, "KZ")
    found = trend(poverty["year"].tolist(), poverty["number"].tolist(), breaks)
    # The subsistence minimum changed in 2018: four years are left.
    assert (found.direction, found.first, found.points) == ("untested", 2018, 4)


def test_new_borders_and_a_new_base_break_a_series(catalogue) -> None:
    card = catalogue.cards["infant_mortality_rate"]
    assert breaks_of(card, catalogue.codes, "KZ") == []
    assert breaks_of(card, catalogue.codes, "KZ-19") == [2022]  # Jetisu was split from it
    assert breaks_of(card, catalogue.codes, "KZ-79") == [2018]  # Shymkent was born
    assert breaks_of(catalogue.cards["birth_rate"], catalogue.codes, "KZ") == [2022]


def test_gini_counts_every_child() -> None:
    values, children = np.array([3.0, 7.0, 20.0]), np.array([4, 1, 2])
    each = np.repeat(values, children)
    brute = np.abs(each[:, None] - each[None, :]).mean() / (2 * each.mean())
    assert inequality.gini(values, children) == pytest.approx(brute)


def test_theil_is_zero_for_equal_regions_and_adds_over_children() -> None:
    assert inequality.theil([5, 5], [1, 9]) == pytest.approx(0)
    values, children = np.array([3.0, 7.0, 20.0]), np.array([4, 1, 2])
    relative = np.repeat(values, children) / np.repeat(values, children).mean()
    assert inequality.theil(values, children) == pytest.approx((relative * np.log(relative)).mean())
    assert inequality.theil([0.0, 10.0], [1, 1]) == pytest.approx(np.log(2))


def test_concentration_along_the_value_itself_is_gini() -> None:
    values, children = [3.0, 7.0, 20.0], [4, 1, 2]
    assert inequality.concentration(values, values, children) == pytest.approx(inequality.gini(values, children))
    assert inequality.concentration(values, [3, 2, 1], children) == pytest.approx(-inequality.gini(values, children))


def test_the_slope_is_that_of_a_weighted_line() -> None:
    rng = np.random.default_rng(1)
    values, order, children = rng.normal(50, 10, 20), rng.uniform(2, 10, 20), rng.uniform(1, 9, 20)
    found = inequality.slope_index(values, order, children)
    slope, _ = np.polyfit(inequality.ridits(order, children), values, 1, w=np.sqrt(children))
    assert found.difference == pytest.approx(slope)
    assert found.low < found.difference < found.high


def test_births_become_first_graders_six_years_later() -> None:
    # 403,893 births of 2022 (table 2.3), 9.88 deaths under five per 1,000 (figure 2.3).
    (one,) = cohorts.intakes({2022: 403893}, 9.88)
    assert (one.year, one.born) == (2028, 2022)
    assert one.pupils == pytest.approx(399902.5, abs=0.1)
