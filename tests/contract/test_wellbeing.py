"""The Child Well-being Index: what may be in it, and a recomputation that anybody can repeat."""

import csv

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from balalar.audit.run import audit
from balalar.claims import read_claims
from balalar.dataset import Dataset
from balalar.errors import DataError
from balalar.framework import read_membership, read_recomputation
from balalar.index_brief import IndexBrief
from balalar.paths import Project
from balalar.screen import screen
from balalar.wellbeing import Recomputed, open_recomputed, printed
from tests.conftest import run_balalar

YEAR = 2022


@pytest.fixture(scope="module")
def ours(dataset: Dataset, where: Project) -> Recomputed:
    return open_recomputed(dataset, where)


def test_the_recomputation_holds_every_candidate_that_bears_comparison_and_no_other(ours: Recomputed) -> None:
    usable = [one.candidate.indicator for one in printed(ours.dataset, ours.membership, YEAR) if one.usable]
    assert sorted(usable) == sorted(ours.spec.indicators)


def test_the_counts_of_the_report_agree_with_each_other(ours: Recomputed) -> None:
    domains = ours.membership.domains.values()
    assert sum(one.indicators for one in domains) == ours.membership.total.indicators == 56
    assert ours.membership.total.statistical + ours.membership.total.survey == 56
    for one in domains:
        assert one.survey is None or one.statistical + one.survey == one.indicators


def _plain(where: Project, indicator: str, year: int, **codes: str) -> pd.Series:
    """Regions' values straight from the file."""
    rows = pd.read_csv(where.observations / f"{indicator}.csv", dtype=str)
    for name in rows.columns.difference(["year", "region", "value", "status", "source", "report"]):
        rows = rows[rows[name] == codes.get(name, "total")]
    rows = rows[(rows["year"] == str(year)) & (rows["region"] != "KZ") & rows["value"].notna()]
    once = rows.drop_duplicates(["region", "value"])  # two tables may print the same
    return pd.to_numeric(once.set_index("region")["value"])


def test_the_scores_are_those_of_a_plain_calculation_from_the_files(ours: Recomputed, where: Project) -> None:
    """Worst value 0, best 100; mean of the figures there are in a domain, mean of the domains."""
    with (where.data / "corrections.csv").open(encoding="utf-8", newline="") as file:
        corrected = {row["indicator"] for row in csv.DictReader(file) if str(YEAR) in (row["year"], row["used_year"])}
    late = {"special_needs_support_share"}  # stands at the start of the next year
    domains: dict[str, list[pd.Series]] = {}
    for name, one in ours.spec.indicators.items():
        codes = {"level": "school"} if name == "surveillance_share" else {}
        values = _plain(where, name, YEAR + (name in late), **codes)
        if name in corrected:
            # The corrected view is held against its own evidence elsewhere; here it is taken as it is.
            own = ours.inputs[ours.inputs["indicator"] == name]
            values = pd.to_numeric(own.set_index("region")["value"])
        if name == "air_emissions":
            values = values / _plain(where, "population", YEAR + 1)
        share = (values - values.min()) / (values.max() - values.min())
        domains.setdefault(one.parent, []).append(100 * (share if one.polarity == "good" else 1 - share))
    means = pd.DataFrame({name: pd.concat(parts, axis=1).mean(axis=1) for name, parts in domains.items()})
    scores = ours.index.scores.droplevel("year")
    for name in means:
        pd.testing.assert_series_equal(scores[name], means[name].reindex(scores.index), check_names=False)
    pd.testing.assert_series_equal(scores["total"], means.mean(axis=1).reindex(scores.index), check_names=False)


def test_contributions_of_the_domains_add_up_to_the_score(ours: Recomputed) -> None:
    total = ours.index.total.droplevel("year")
    pd.testing.assert_series_equal(ours.contributions.sum(axis=1), total, check_names=False)


def test_anybody_can_repeat_the_recomputation(ours: Recomputed, where: Project, tmp_path) -> None:
    values, out = tmp_path / "index.csv", tmp_path / "out"
    assert run_balalar("export", str(values), "--view", "index").returncode == 0
    spec = where.wellbeing / "spec.yml"
    done = run_balalar("index", str(spec), str(values), "--out", str(out))
    assert done.returncode == 0, done.stderr
    again = pd.read_csv(out / "intervals.csv").query("group == 'total'").set_index("region")
    for name in ("score", "low", "high", "rank", "rank_low", "rank_high"):
        own = ours.scores[name].astype(float)
        pd.testing.assert_series_equal(again[name].reindex(own.index).astype(float), own, check_names=False)
    # A folder that holds something else, even beside our own tables, stays as it is.
    (out / "letter.txt").write_text("dear minister")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    done = run_balalar("index", str(spec), str(values), "--out", str(out))
    assert done.returncode == 1 and "letter.txt" in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_printed_scores_are_audited_alone_as_within_the_whole_report(dataset: Dataset, where: Project) -> None:
    def about(indicator: str) -> bool:
        return indicator.startswith("wellbeing_index")

    claims = read_claims(dataset.catalogue, where)[YEAR]
    whole = [one for one in audit(dataset, {YEAR: claims}).findings if about(one.key.indicator)]
    alone = dataset.only([one for one in dataset.catalogue.cards if about(one)])
    assert list(audit(alone, {YEAR: [one for one in claims if about(one.indicator)]}).findings) == whole
    assert len(whole) >= 10


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("candidates.yml", "indicator: preschool_coverage", "indicator: preschool_cover", "an indicator has a card"),
        (
            "candidates.yml",
            "domain: child, indicator: preschool",
            "domain: kid, indicator: preschool",
            "code of domain",
        ),
        ("candidates.yml", "source: table-2.6", "source: table-9.9", "declared in data/sources.yml"),
        ("candidates.yml", "evidence: measured, source", "evidence: guessed, source", "evidence"),
        ("spec.yml", "parent: child, polarity: bad", "parent: child, polarity: good", "its card says bad"),
        (
            "spec.yml",
            "preschool_coverage: {parent: child",
            "preschool_coverage: {parent: state_policy",
            "of this domain",
        ),
        ("spec.yml", "denominator: population, per", "denominator: people, per", "denominator of the candidate"),
        ("spec.yml", "normalise: minmax\n", "normalise: goalposts\n", "needs goalposts"),
        ("spec.yml", "  state_policy: {parent: total}", "  policy: {parent: total}", "parent"),
    ],
)
def test_a_slip_in_what_is_known_of_the_index_is_told(copy: Project, catalogue, file, old, new, words) -> None:
    path = copy.wellbeing / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_recomputation(read_membership(catalogue, copy), catalogue, copy)
    assert words in str(caught.value) and file in str(caught.value)


def test_the_check_of_all_data_reads_what_is_known_of_the_index(copy: Project) -> None:
    path = copy.wellbeing / "spec.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("polarity: bad", "polarity: good", 1), encoding="utf-8")
    assert [fault.rule for fault in screen(copy) if fault.file.endswith("spec.yml")] == ["its card says bad"]


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_the_page_shows_what_is_printed_and_never_passes_ours_off_as_official(
    ours: Recomputed, where, lang: str
) -> None:
    page = IndexBrief(ours.dataset, ours, where, lang)
    words = page.words
    shown = BeautifulSoup(page.printed_scores().markup, "html.parser").get_text(" ")
    rows = ours.dataset.printed.query("indicator == 'wellbeing_index' and year == @YEAR")
    assert len(rows) > 60
    for value in rows["value"]:
        assert words.number(value) in shown
    assert words.say("not_official") in page.composition().markup
    summary = page.summary().markup
    assert words.say("sum_recomputed", used=len(ours.spec.indicators)) in summary
    members = BeautifulSoup(page.members().markup, "html.parser")
    assert len(members.select("tbody tr")) == len(ours.membership.candidates)
    table = BeautifulSoup(page.scores().markup, "html.parser").select("tbody tr")
    for row, (region, one) in zip(table, ours.scores.iterrows(), strict=True):
        cells = [cell.get_text() for cell in row.find_all(["th", "td"])]
        assert cells[:2] == [words.short_region(region), words.amount(one["score"], 1)]
        assert cells[3] == str(one["rank"])
