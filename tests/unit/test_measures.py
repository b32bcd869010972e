"""Arithmetic, by hand-worked and published numbers."""

import doctest

import pandas as pd
import pytest

from balalar import measures
from balalar.measures import change, extremes, rank, year_shown


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(measures).failed == 0


@pytest.mark.parametrize(
    ("now", "before", "value", "direction"),
    [
        # Published in the 2022 report: infant mortality 8.4 -> 7.7, maternal mortality 44.7 -> 17.0.
        ("7.7", "8.4", "0.7", "fell"),
        ("17.0", "44.7", "27.7", "fell"),
        ("403893", "446491", "42598", "fell"),
        ("917.0e9", "757.9e9", "159.1e9", "rose"),
        ("7.68", "7.7", "0.0", "unchanged"),
        ("5.2", "5.2", "0.0", "unchanged"),
        ("58.2e3", "57000", "1.2e3", "rose"),
        ("1", "0", "1", "rose"),
    ],
)
def test_change_is_exact_and_judged_at_the_printed_precision(now: str, before: str, value: str, direction: str) -> None:
    moved = change(now, before)
    assert (moved.value, moved.direction) == (value, direction)


def _regions(**numbers: float) -> pd.DataFrame:
    return pd.DataFrame({"region": list(numbers), "number": list(numbers.values())})


def test_rank_counts_from_the_highest_and_leaves_the_country_out() -> None:
    rows = _regions(KZ=99.0, A=3.0, B=5.0, C=5.0, D=1.0)
    assert rank(rows, "B") == measures.Rank(1, 4, True)
    assert rank(rows, "A") == measures.Rank(3, 4, False)
    assert rank(rows, "D") == measures.Rank(4, 4, False)


def test_a_region_without_a_value_has_no_rank() -> None:
    assert rank(_regions(A=1.0), "B") is None


def test_extremes_never_cut_a_tie_and_never_name_a_row_twice() -> None:
    rows = _regions(A=0.0, B=0.0, C=0.0, D=0.0, E=2.0, F=3.0)
    highest, lowest = extremes(rows)
    assert [list(group["region"]) for group in highest] == [["F"]]
    assert [list(group["region"]) for group in lowest] == [["A", "B", "C", "D"]]


@pytest.mark.parametrize(
    ("years", "wanted", "newest", "shown"),
    [
        ([2020, 2021, 2022], 2022, True, 2022),
        ([2017, 2021], 2022, True, 2021),  # the newest brief shows the latest printed figure
        ([2026], 2022, True, 2026),  # or a plan
        ([2017, 2021], 2020, False, None),  # an older brief shows its own year only
        ([], 2022, True, None),
    ],
)
def test_which_year_a_brief_shows(years: list[int], wanted: int, newest: bool, shown: int | None) -> None:
    assert year_shown(years, wanted, newest) == shown


def test_a_derived_share_is_the_quotient_of_the_counts(dataset) -> None:
    # 6,717,954 children (table 2.1) of 19,766,807 people (table 5.11) are 33.99 %: printed 34.0.
    card = dataset.catalogue.cards["child_share_recomputed"]
    made = measures.derive(card, dataset.best)
    country = made[(made["region"] == "KZ") & (made["sex"] == "total") & (made["year"] == 2023)]
    assert country["value"].tolist() == ["34.0"]
    assert country["number"].iloc[0] == pytest.approx(6717954 / 19766807 * 100)


def test_borders_changed_only_for_the_regions_that_were_split(catalogue) -> None:
    codes = catalogue.codes
    assert measures.borders_changed(codes, "KZ-63", 2022, 2021) == 2022  # Abai was split from it
    assert measures.borders_changed(codes, "KZ-63", 2022, 2022) is None
    assert measures.borders_changed(codes, "KZ-55", 2022, 2017) is None
