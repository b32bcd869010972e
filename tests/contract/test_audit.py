"""The audit on the committed report: what it must find, what it must not, and that nothing in it knows the report."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import balalar
from balalar.audit.run import Audit, audit
from balalar.audit_brief import correction_rows, open_audit, told
from balalar.claims import Claim, read_claims
from balalar.coverage import as_csv, numbers, read_numbers
from balalar.dataset import Dataset, open_dataset
from balalar.errors import RequestError
from balalar.paths import Project
from balalar.screen import screen
from tests.conftest import run_balalar

LIBRARY = Path(balalar.__file__).parent


@pytest.fixture(scope="module")
def claims(catalogue, where: Project) -> list[Claim]:
    return read_claims(catalogue, where)[2022]


@pytest.fixture(scope="module")
def found(dataset: Dataset, claims: list[Claim]) -> Audit:
    return audit(dataset, {2022: claims})


@pytest.fixture(scope="module")
def blind(dataset: Dataset) -> Audit:
    """The audit of the figures as printed, without a correction or a claim to help it."""
    return audit(Dataset(dataset.catalogue, dataset.printed, dataset.printed), repairs=False)


# Each was read in the report: place, rule, and what is printed against what.
FOUND = {
    "2022-table-2.2-heading-child_population_share-2023-urban": "boys and men under the heading of towns",
    "2022-table-2.2-heading-child_population_share-2023-rural": "girls and women under the heading of villages",
    "2022-table-3.1-row_shift-poverty_share-2021": "the column slips from Pavlodar on",
    "2022-table-5.2-labels_of_later-youth_neet_share-2021": "twenty regions' names on seventeen lines",
    "2022-table-2.7-heading-school_pupils-2021": "a school year early: 7,687 schools are those of 2022–2023",
    "2022-table-3.8-doubled_label-orphans_housed_share-2022-KZ-63": "East Kazakhstan twice, North not at all",
    "2022-figure-3.6-copied_column-children_in_difficult_situation_rate-2022": "preschool coverage again",
    "2022-table-5.12-within-surveillance_connected-2022-KZ-59-school": "457 of 300 connected",
    "2022-table-5.12-quotient-surveillance_share-2022-KZ-33-vocational": "0 of 90 is not 28 %",
    "2022-table-4.8-two_places-closed_institution_children-2023-KZ-10-special_regime": "86, the total, for 5",
    "2022-table-5.7-two_places-road_length-2022-KZ-republican": "24,801.0, the paved length, for 24,920.0",
    "2022-table-5.7-sum_parts-road_length-2022-KZ": "5 km too many",
    "2022-table-3.7-sum_parts-adaptation_centre_discharges-2021-KZ": "2,055 against 1,893",
    "2022-table-3.7-blank_part-adaptation_centre_discharges-2022-KZ": "107 left for two lines that had three at most",
    "2022-text-2.1-sum_parts-child_deaths-2022-KZ-external": "993 for 933",
    "2022-text-2.3-sum_parts-school_place_deficit-2022-KZ": "167 and 96 thousand are not 270",
    "2022-text-2.3-sum_parts-summer_camps-2022-KZ": "9,600, 891 and 226 are not 11,140",
    "2022-text-5.6-sum_parts-surveillance_funding-2022-KZ": "975.8 million against 919.9",
    "2022-figure-2.18-quotient-unt_passed_share-2022-KZ": "103 of 154 thousand is not 69.3 %",
    "2022-text-2.2-two_places-legal_protection_level-2021-KZ": "86.4 and 76.3",
    "2022-text-2.2-mean_over_year-average_child_population-2022-KZ": "6,677.5 for 6,667.5 thousand",
    "2022-text-4.2-two_places-targeted_assistance_recipients-2022-KZ": "724.7 and 728.7 thousand",
    "2022-figure-6.2-swapped_places-wellbeing_index-2022-family_society": "Akmola and Almaty region exchanged",
    "2022-figure-6.5-mean_of_parts-wellbeing_index-2022-KZ-55": "the domains give 62.82, the index is 62.32",
    "2022-text-2.3-likely_base-summer_rest_children-2022-KZ-61": "264 children as 23.1 %",
    "2022-2.5-01": "61.09 to 58 «rose»",
    "2022-5.1-23": "men's unemployment above women's, the other way round",
    "2022-5.7-25": "Zhambyl, at 99.7 %, among the worst roads",
    "2022-2.2-07": "3.2 % where the figures give 7.8 %",
    "2022-5.7-14": "figures of 2021 dated 2022",
    "2022-2.1-33": "the prose repeats the wrong heading of table 2.2",
}  # fmt: skip
# What an earlier audit called wrong, and readers of the report found right.
RIGHT = (
    "2022-table-5.4-sum_regions-air_emissions-2021-KZ",  # recalculated on the later borders
    "2022-table-5.9-weighted_mean-sewerage_area_share-2021-KZ-19",  # the region still held Jetisu
    "2022-text-2.1-between_settlement-child_deaths_cause_share-2022-KZ-external",  # another base
    "2022-5.3-09",  # «relatively low» is not «lowest»
    "2022-4.1-41",  # the brackets are misplaced, the sum is right
)


def test_what_readers_found_the_audit_finds(found: Audit) -> None:
    assert sorted(set(FOUND) - {one.id for one in found.findings}) == []


def test_what_readers_found_right_is_no_finding(found: Audit) -> None:
    assert sorted(set(RIGHT) & {one.id for one in found.findings}) == []


def test_ids_are_unique(found: Audit) -> None:
    ids = [one.id for one in found.findings]
    assert len(ids) == len(set(ids))


def test_the_misprints_of_tables_are_found_without_corrections_or_claims(blind: Audit) -> None:
    told = {(one.place, one.rule): one for one in blind.findings}
    assert told["table-2.2", "heading"].items in (("male", "total"), ("female", "total"))
    shift = told["table-3.1", "row_shift"]
    assert shift.repair is not None
    assert {change.figure.key.region: change.key.region for change in shift.repair.changes}["KZ-61"] == "KZ-59"
    assert told["table-5.2", "labels_of_later"].repair is not None


def test_every_accepted_correction_is_found(found: Audit, where: Project) -> None:
    with where.corrections.open(encoding="utf-8", newline="") as file:
        accepted = {row["id"] for row in csv.DictReader(file)}
    assert accepted - {one for finding in found.findings for one in finding.corrections} == set()


REPAIRS = {
    "2022-table-5.12-within-surveillance_connected-2022-KZ-59-school": ("swapped_cells", {"300", "457"}),
    "2022-text-2.1-sum_parts-child_deaths-2022-KZ-external": ("misprint", {"933"}),
    "2022-figure-6.3-two_places-wellbeing_index-2022-KZ-55-state_policy": ("misprint", {"67.54"}),
    "2022-text-4.2-two_places-targeted_assistance_recipients-2022-KZ": ("misprint", {"728.7e3"}),
}


@pytest.mark.parametrize(("name", "repair"), REPAIRS.items())
def test_one_best_repair_is_proposed(found: Audit, name: str, repair: tuple[str, set[str]]) -> None:
    finding = next(one for one in found.findings if one.id == name)
    assert finding.repair is not None
    assert (finding.repair.rule, {change.value for change in finding.repair.changes}) == repair


def test_where_the_rules_cannot_decide_nothing_is_proposed(found: Audit) -> None:
    finding = next(one for one in found.findings if one.id == "2022-table-5.7-sum_parts-road_length-2022-KZ")
    assert finding.repair is None
    assert finding.items == ("31788.0→31783.0", "38078.1→38073.1")


# One claim of each kind and verdict, read in the report.
VERDICTS = {
    "2.1-33": "contradicted", "2.2-07": "contradicted", "2.2-23": "contradicted", "2.2-57": "contradicted",
    "2.5-01": "contradicted", "2.5-19": "contradicted", "4.3-21": "contradicted", "4.5-07": "contradicted",
    "5.1-21": "contradicted", "5.2-19": "contradicted", "6-34": "contradicted", "6-801": "contradicted",
}  # fmt: skip


@pytest.mark.parametrize(("name", "state"), VERDICTS.items())
def test_verdicts_that_were_read_in_the_report(found: Audit, name: str, state: str) -> None:
    assert next(one.state for one in found.verdicts if one.claim.id == name) == state


def test_every_kind_of_claim_is_confirmed_somewhere(found: Audit) -> None:
    confirmed = {one.claim.kind for one in found.verdicts if one.state == "consistent"}
    assert confirmed >= {
        "value", "change", "percent_change", "fold", "share", "sum", "rank", "highest", "lowest", "above", "below",
        "only_below", "between", "count_rose", "count_fell", "range", "direction", "greater", "less",
    }  # fmt: skip


def test_there_are_claims_from_every_chapter_and_most_hold(found: Audit, claims: list[Claim]) -> None:
    assert len(claims) > 700
    assert {claim.section[0] for claim in claims} == set("123456")
    assert found.counted("consistent") > 10 * found.counted("contradicted")


def test_the_numbers_of_the_prose_are_listed_from_the_real_report(report: Path, claims, catalogue, where) -> None:
    listed = numbers(report, 2022, claims, catalogue, where)
    assert as_csv(listed) == (where.report(2022) / "numbers.csv").read_text(encoding="utf-8")


def test_every_claim_stands_where_it_says(where: Project, claims: list[Claim]) -> None:
    covered = {number.covered for number in read_numbers(where)[2022]}
    # A number may be a quote's or another claim's too, which then covers it.
    own = {claim.id for claim in claims if claim.printed and not claim.spelled and claim.id in covered}
    assert len(own) > 0.6 * len([claim for claim in claims if claim.printed and not claim.spelled])


def test_most_numbers_of_the_prose_are_covered(where: Project) -> None:
    figures = [number for number in read_numbers(where)[2022] if number.sort == "figure"]
    assert sum(bool(number.covered) for number in figures) > 0.85 * len(figures)


def test_nothing_in_the_audit_knows_a_report() -> None:
    for path in [*sorted((LIBRARY / "audit").glob("*.py")), LIBRARY / "telling.py", LIBRARY / "audit_brief.py"]:
        code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(encoding="utf-8"), flags=re.S)
        assert not re.search(r"(table|figure|text|section)-\d|\b20[12]\d\b|KZ-\d", code), path


def test_every_word_of_the_audit_is_said(catalogue) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(LIBRARY.rglob("*"))
                   if path.suffix in (".py", ".j2"))  # fmt: skip
    named = set(re.findall(r'"([a-z_0-9]+)"', code))
    made = ("severity_", "certainty_", "confidence_", "coverage_", "hedge_")
    rules = {name for name in named if f"rule_{name}" in catalogue.texts["audit"]}
    for key in catalogue.texts["audit"]:
        rule = key.removeprefix("rule_").removeprefix("say_").removeprefix("assumption_").removeprefix("claim_")
        told = key.startswith(("rule_", "say_", "assumption_")) and any(
            rule == name or rule.startswith(f"{name}_") for name in {*named, *rules, "heading"}
        )
        assert key in named or key.startswith(made) or told, key


# -- the command -----------------------------------------------------------------------------------


def test_the_command_tells_all_findings(found: Audit) -> None:
    done = run_balalar("audit", "--format", "json", "--strict")
    # Strict: something is not corrected yet.
    assert done.returncode == 1 and done.stderr == ""
    data = json.loads(done.stdout)
    assert {one["id"] for one in data["findings"]} == {one.id for one in found.findings}
    assert len(data["claims"]) == len(found.verdicts)
    assert data["prose"]["covered"] < data["prose"]["numbers"]


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_every_finding_is_told_in_words_and_as_a_row(found: Audit, where: Project, lang: str) -> None:
    brief = open_audit(2022, lang)
    brief.__dict__["found"] = found
    text = told(brief, "text")
    assert all(f"{one.id}: " in text for one in found.findings)
    assert not re.search(r"\.\.|\{|\}|\bnan\b|\binf\b|None", text)
    rows = list(csv.DictReader(io.StringIO(told(brief, "csv"))))
    assert len(rows) == len(found.findings)
    assert {"id", "place", "rule", "printed", "expected_low", "severity", "certainty", "repair"} <= set(rows[0])
    assert all(row["message"].strip() for row in rows)


def test_a_repair_becomes_rows_that_the_corrections_take(copy: Project) -> None:
    name = "2022-figure-6.3-two_places-wellbeing_index-2022-KZ-55-state_policy"
    done = run_balalar("audit", "--repair", name, root=copy.root)
    assert done.returncode == 0, done.stderr
    row = done.stdout.split("\n")[1]
    assert row.startswith("2022-figure-6.3-01,2022,figure-6.3,wellbeing_index,2022,KZ-55,domain=state_policy,69.54,")
    assert ",67.54,,misprint," in row
    with copy.corrections.open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    assert screen(copy) == []
    left = audit(open_dataset(copy), repairs=False)
    assert next(one for one in left.findings if one.id == name).corrections == ("2022-figure-6.3-01",)


def test_the_page_can_be_had_alone(tmp_path: Path) -> None:
    done = run_balalar("audit", "--format", "html", "--lang", "kk", "--out", str(tmp_path / "audit.html"))
    assert done.returncode == 0, done.stderr
    page = BeautifulSoup((tmp_path / "audit.html").read_text(encoding="utf-8"), "html.parser")
    assert page.html["lang"] == "kk"
    inside = {element["id"] for element in page.select("[id]")}
    # It leads to itself only.
    assert {link["href"].lstrip("#") for link in page.find_all("a")} <= inside
    assert [path.name for path in tmp_path.iterdir()] == ["audit.html"]


def test_a_finding_without_a_repair_gives_no_rows(found: Audit) -> None:
    brief = open_audit(2022, "en")
    brief.__dict__["found"] = found
    with pytest.raises(RequestError, match="the rules propose no repair"):
        correction_rows(brief, "2022-text-2.3-sum_parts-summer_camps-2022-KZ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--year", "2019"], "there is no report of 2019; there are 2022"),
        (["--lang", "kz"], "'kz' is no language of the briefs"),
        (["--format", "html"], "say with --out which file to write"),
        (["--out", "nowhere/audit.txt"], "the folder nowhere does not exist"),
    ],
)
def test_a_wrong_request_has_one_clear_message(options: list[str], message: str) -> None:
    done = run_balalar("audit", *options)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
