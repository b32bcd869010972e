"""Intervals by published worked examples, by an independent library, and by how often they hold the truth."""

import doctest

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.rates import confint_poisson_2indep

from balalar import intervals
from balalar.intervals import CONFIDENCE, difference, poisson, ratio, wilson


def _around_rate(cases: int, people: float, confidence: float = 0.95) -> tuple[float, float, float]:
    low, high = poisson(cases, confidence)
    return cases / people, float(low) / people, float(high) / people


def _around_share(cases: int, people: int, confidence: float = 0.95) -> tuple[float, float, float]:
    low, high = wilson(cases / people, people, confidence)
    return cases / people, float(low), float(high)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(intervals).failed == 0


@pytest.mark.parametrize(
    ("cases", "low", "high"),
    # D. Altman and others, Statistics with Confidence, 2nd edition, BMJ Books 2000, table 18.3 (after Garwood 1936).
    [(0, 0, 3.69), (1, 0.03, 5.57), (2, 0.24, 7.22), (3, 0.62, 8.77), (4, 1.09, 10.24), (5, 1.62, 11.67),
     (6, 2.20, 13.06), (7, 2.81, 14.42), (8, 3.45, 15.76), (9, 4.12, 17.08)],
)  # fmt: skip
def test_few_cases_have_the_exact_limits(cases: int, low: float, high: float) -> None:
    assert poisson(cases, 0.95) == (pytest.approx(low, abs=0.006), pytest.approx(high, abs=0.006))


def test_many_cases_have_byars_limits() -> None:
    # Public Health England, Technical Guide: Confidence Intervals, 2018, appendix 1: 65 cases.
    assert poisson(65, 0.95) == (pytest.approx(50.1632, abs=5e-5), pytest.approx(82.8491, abs=5e-5))
    # UK Health Security Agency, tests of the Python port of PHEindicatormethods: the lower limit of 100 cases.
    assert poisson(100, 0.95)[0] == pytest.approx(81.36210549052788, abs=1e-9)


@pytest.mark.parametrize("confidence", CONFIDENCE)
def test_counts_agree_with_scipy(confidence: float) -> None:
    cases = np.arange(0, 400)
    low, high = poisson(cases, confidence)
    tail = (1 - confidence) / 2
    exact_low = np.where(cases > 0, stats.chi2.ppf(tail, 2 * cases) / 2, 0)
    exact_high = stats.chi2.ppf(1 - tail, 2 * cases + 2) / 2
    few = cases < 10
    assert low[few] == pytest.approx(exact_low[few], abs=1e-9)
    assert high[few] == pytest.approx(exact_high[few], abs=1e-9)
    # «Within 0.2 % of the exact value for numerators of 10 or more» at 95 % (the same guide).
    near = 0.002 if confidence == 0.95 else 0.02
    assert low[~few] == pytest.approx(exact_low[~few], rel=near)
    assert high[~few] == pytest.approx(exact_high[~few], rel=near)


@pytest.mark.parametrize(
    ("cases", "people", "low", "high"),
    # R. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17, 1998, table I,
    # method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_shares_have_wilsons_limits(cases: int, people: int, low: float, high: float) -> None:
    _, found_low, found_high = _around_share(cases, people)
    assert (round(found_low, 4), round(found_high, 4)) == (low, high)


@pytest.mark.parametrize("confidence", CONFIDENCE)
@pytest.mark.parametrize("people", [1, 33, 150, 3000])
def test_shares_agree_with_scipy(people: int, confidence: float) -> None:
    for cases in {0, 1, people // 3, people}:
        found = stats.binomtest(cases, people).proportion_ci(confidence, method="wilson")
        assert _around_share(cases, people, confidence)[1:] == pytest.approx((found.low, found.high), abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # R. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
    # 1998, table II, method 10.
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((6, 7), (2, 7), 0.0582, 0.8062),
     ((5, 56), (0, 29), -0.0381, 0.1926), ((10, 10), (0, 10), 0.6075, 1.0)],
)  # fmt: skip
def test_differences_of_shares_are_newcombes(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference(_around_share(*one), _around_share(*other))
    assert tuple(round(end, 4) for end in found) == (low, high)
    assert found == pytest.approx(confint_proportions_2indep(*one, *other, method="newcomb", compare="diff"))


@pytest.mark.parametrize("one", [(3, 200.0), (7, 31.5), (9, 12.0)])
@pytest.mark.parametrize("other", [(1, 55.0), (5, 90.0)])
def test_differences_and_ratios_of_rates_agree_with_statsmodels(
    one: tuple[int, float], other: tuple[int, float]
) -> None:
    for compare, ours in (("diff", difference), ("ratio", ratio)):
        theirs = confint_poisson_2indep(*one, *other, method="mover", compare=compare, method_mover="exact-c")
        assert ours(_around_rate(*one), _around_rate(*other)) == pytest.approx(theirs)


def test_a_ratio_to_nothing_has_no_upper_limit() -> None:
    low, high = ratio(_around_rate(5, 10.0), _around_rate(0, 10.0))
    assert low > 0 and high == np.inf


def test_a_ratio_of_nothing_starts_at_zero() -> None:
    assert ratio((0.0, 0.0, 2.0), (1.0, 0.5, 2.0))[0] == 0
    low, high = ratio(_around_rate(0, 10.0), _around_rate(5, 10.0))
    assert low == 0 and 0 < high < np.inf


def _held(mean: float, confidence: float) -> float:
    """Probability that the interval of a Poisson count of a mean holds that mean, summed over all counts."""
    cases = np.arange(0, int(mean + 20 * np.sqrt(mean) + 30))
    low, high = poisson(cases, confidence)
    return float(stats.poisson.pmf(cases, mean)[(low <= mean) & (mean <= high)].sum())


@pytest.mark.parametrize("confidence", CONFIDENCE)
def test_small_counts_hold_the_truth_as_often_as_they_say(confidence: float) -> None:
    exact = [_held(mean, confidence) for mean in np.arange(0.05, 5, 0.05)]
    assert min(exact) >= confidence
    later = [_held(mean, confidence) for mean in np.arange(5, 40, 0.25)]
    # Byar's limits may fall short of the exact ones by a hair.
    assert min(later) >= confidence - (0.003 if confidence == 0.95 else 0.0005)


def test_small_counts_hold_the_truth_in_a_simulation() -> None:
    rng = np.random.default_rng(7)
    for mean in (0.5, 1.5, 4.0, 13.6):  # what a region of 75,000 to 900,000 children would have
        cases = rng.poisson(mean, 20_000)
        low, high = poisson(cases, 0.95)
        assert ((low <= mean) & (mean <= high)).mean() >= 0.945


def test_small_samples_hold_the_truth_on_average() -> None:
    # Wilson's coverage swings around its level; over many shares its mean is at it (Agresti and Coull 1998).
    for people in (33, 84, 150):
        cases = np.arange(people + 1)
        low, high = wilson(cases / people, np.full(people + 1, people), 0.95)
        shares = np.linspace(0.02, 0.98, 97)
        held = [stats.binom.pmf(cases, people, share)[(low <= share) & (share <= high)].sum() for share in shares]
        assert np.mean(held) == pytest.approx(0.95, abs=0.012)
