"""The committed data: screened, reproducible from the report, and equal to published numbers."""

import csv
import hashlib
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml

from balalar import ingest, layout
from balalar.dataset import read_corrections
from balalar.screen import screen
from tests.conftest import run_balalar

# Cells of each table, empty ones and dashes included, counted by hand-made transcription.
CELLS = {
    "2.1": 126, "2.2": 63, "2.3": 28, "2.4": 36, "2.5": 84, "2.6": 40, "2.7": 63, "2.8": 72,
    "3.1": 42, "3.2": 42, "3.3": 20, "3.4": 10, "3.5": 10, "3.6": 42, "3.7": 120, "3.8": 20,
    "4.1": 69, "4.2": 126, "4.3": 5, "4.4": 12, "4.5": 63, "4.7": 16, "4.8": 12, "4.10": 42,
    "5.1": 84, "5.2": 90, "5.3": 15, "5.4": 6, "5.5": 42, "5.6": 90, "5.7": 8, "5.8": 108,
    "5.9": 126, "5.10": 126, "5.11": 105, "5.12": 180,
}  # fmt: skip

# Typed from the printed report: indicator, year, region, other codes, source -> printed value.
PUBLISHED = [
    ("child_population", 2023, "KZ", {"sex": "total"}, "table-2.1", "6717954"),
    ("child_population", 2023, "KZ-61", {"sex": "female"}, "table-2.1", "443132"),
    ("child_population", 2022, "KZ-79", {"sex": "male"}, "table-2.1", "237585"),
    ("child_population_share", 2023, "KZ-61", {"settlement": "rural"}, "table-2.2", "42.6"),
    ("live_births", 2016, "KZ", {"settlement": "total"}, "table-2.3", "400694"),
    ("live_births", 2022, "KZ", {"settlement": "rural"}, "table-2.3", "162434"),
    ("live_births", 2022, "KZ-61", {"settlement": "total"}, "figure-2.2", "58.2e3"),
    ("birth_rate", 2021, "KZ", {}, "table-2.3", "23.50"),
    ("child_deaths", 2022, "KZ", {"cause": "digestive", "settlement": "rural"}, "table-2.4", "16"),
    ("under5_mortality_rate", 2022, "KZ-39", {"settlement": "total"}, "figure-2.3", "12.65"),
    ("under5_mortality_rate", 2022, "KZ", {"sex": "male"}, "figure-2.3", "10.93"),
    ("child_suicides", 2022, "KZ-61", {}, "table-2.5", "24"),
    ("child_suicide_rate", 2021, "KZ-10", {}, "table-2.5", ""),
    ("preschool_coverage", 2022, "KZ-71", {}, "table-2.6", "65.2"),
    ("schools", 2021, "KZ", {}, "table-2.7", "7687"),
    ("assessment_pupils", 2022, "KZ", {"grade": "grade9"}, "table-2.8", "52253"),
    ("poverty_share", 2021, "KZ-62", {"settlement": "total"}, "table-3.1", "9.8"),
    ("poverty_share", 2022, "KZ-47", {"settlement": "rural"}, "table-3.2", "12.9"),
    ("renting_families_share", 2022, "KZ-75", {}, "table-3.3", "56.0"),
    ("maternal_mortality_rate", 2021, "KZ", {}, "table-3.4", "44.7"),
    ("infant_mortality_rate", 2022, "KZ-39", {}, "table-3.6", "10.87"),
    ("infant_mortality_rate", 2022, "KZ", {}, "table-3.5", "7.7"),
    ("adaptation_centre_admissions", 2015, "KZ", {"reason": "neglected"}, "table-3.7", "6472"),
    ("adaptation_centre_discharges", 2022, "KZ", {"outcome": "other_regions"}, "table-3.7", "5"),
    ("orphans_housed_share", 2022, "KZ-62", {}, "table-3.8", "41.9"),
    ("hot_meal_pupils", 2022, "KZ", {}, "table-4.1", "3356862"),
    ("free_meal_pupils_change", 2022, "KZ", {}, "table-4.1", "205742"),
    ("hot_meal_schools", 2022, "KZ-75", {}, "table-4.1", "203"),
    ("extracurricular_pupils", 2022, "KZ", {"system": "culture_sport"}, "table-4.2", "369155"),
    ("children_with_disability", 2022, "KZ", {"disability_group": "total"}, "table-4.3", "104.3"),
    ("special_needs_support_share", 2023, "KZ-15", {"age": "total"}, "table-4.5", "78"),
    (
        "migrant_pupils",
        2022,
        "KZ",
        {"migrant_status": "foreign_citizen", "level": "school"},
        "table-4.7",
        "24476",
    ),
    ("early_screening_share", 2021, "KZ-61", {}, "table-4.10", "0.005"),
    ("medical_rehabilitation_share", 2022, "KZ-75", {}, "figure-4.10", "61.3"),
    ("unemployment_rate", 2022, "KZ-47", {"sex": "female", "settlement": "total"}, "table-5.1", "7.9"),
    ("youth_neet_share", 2021, "KZ-10", {}, "table-5.2", "2.9"),
    ("child_poverty_share", 2018, "KZ", {"settlement": "rural"}, "table-5.3", "10.3"),
    ("air_emissions", 2022, "KZ", {}, "table-5.4", "2314.7"),
    ("clean_water_bodies_share", 2020, "KZ-63", {}, "table-5.6", "43.75"),
    ("paved_road_length", 2022, "KZ", {"road_class": "district"}, "table-5.7", "30838.1"),
    ("paved_road_share", 2022, "KZ-27", {"road_class": "total"}, "table-5.8", "70.5"),
    ("sewerage_area_share", 2022, "KZ-55", {"settlement": "rural"}, "table-5.10", "16.0"),
    ("population", 2023, "KZ", {"sex": "total", "settlement": "urban"}, "table-5.11", "12209302"),
    ("surveillance_share", 2022, "KZ-59", {"level": "vocational"}, "table-5.12", "78"),
    ("wellbeing_index", 2022, "KZ", {"domain": "total"}, "figure-6.5", "55.23"),
    ("wellbeing_index", 2022, "KZ", {"domain": "child"}, "figure-2.20", "58"),
    ("wellbeing_index", 2022, "KZ", {"domain": "child"}, "figure-6.1", "57.59"),
    ("wellbeing_index_change", 2022, "KZ-75", {}, "figure-6.5", "-9.42"),  # the text says «fell by 9,42»
    ("summer_rest_spending", 2021, "KZ", {"purpose": "camp_repair"}, "text-2.3", "59459e3"),  # «59 млн. 459 мың»
    ("child_deaths", 2022, "KZ", {"cause": "external", "settlement": "total"}, "text-2.1", "993"),
    ("ratified_treaties", 2022, "KZ", {"treaty_field": "child_rights"}, "text-1", "16"),
]


def test_everything_keeps_the_rules() -> None:
    assert [str(fault) for fault in screen()] == []


def test_every_cell_of_the_36_tables_is_there(dataset) -> None:
    tables = dataset.printed[dataset.printed["source"].str.startswith("table-")]
    counted = Counter(tables["source"].str.removeprefix("table-"))
    assert len(CELLS) == 36
    assert counted == CELLS


@pytest.mark.parametrize(("indicator", "year", "region", "codes", "source", "value"), PUBLISHED)
def test_published_numbers(dataset, indicator, year, region, codes, source, value) -> None:
    frame = dataset.printed
    frame = frame[(frame["indicator"] == indicator) & (frame["year"] == year) & (frame["region"] == region)]
    frame = frame[frame["source"] == source]
    for name in dataset.catalogue.cards[indicator].dimensions:
        frame = frame[frame[name] == codes.get(name, "total")]
    assert frame["value"].tolist() == [value]


def test_a_dash_and_an_empty_cell_are_kept_apart(dataset) -> None:
    frame = dataset.printed[(dataset.printed["year"] == 2021) & (dataset.printed["region"] == "KZ-10")]
    status = frame.set_index("indicator")["status"]
    assert status["infant_mortality_rate"] == "M"
    assert status["child_suicides"] == "O"


@pytest.mark.parametrize(
    ("indicator", "year", "region", "codes", "value"),
    [
        # Table 2.2's «rural» column is the girls' share: 443,132 girls of 1,040,177 females.
        ("child_population_share", 2023, "KZ-61", {"sex": "female", "settlement": "total"}, "42.6"),
        ("poverty_share", 2021, "KZ-61", {"settlement": "total"}, "9.8"),  # printed beside Ulytau
        ("youth_neet_share", 2021, "KZ-11", {}, "2.9"),  # printed beside Abai; the text says Akmola
        ("youth_neet_share", 2021, "KZ-61", {}, "2"),  # printed beside Pavlodar
        ("orphans_housed_share", 2022, "KZ-59", {}, "67.4"),  # printed beside East Kazakhstan, twice
        ("schools", 2022, "KZ", {}, "7687"),  # the heading says 2021–2022
    ],
)
def test_known_misprints_are_corrected_beside_the_print(dataset, indicator, year, region, codes, value) -> None:
    best = dataset.best(indicator)
    best = best[(best["year"] == year) & (best["region"] == region)]
    for name in dataset.catalogue.cards[indicator].dimensions:
        best = best[best[name] == codes[name]]
    assert best["value"].tolist() == [value]
    assert best["correction"].iloc[0] != ""


def test_corrections_never_touch_the_printed_view(dataset, where) -> None:
    assert (dataset.printed["correction"] == "").all()
    assert len(dataset.printed) == len(dataset.corrected)
    assert (dataset.corrected["correction"] != "").sum() == len(read_corrections(where))


def test_the_real_report_gives_the_committed_data_byte_for_byte(report: Path, catalogue, where) -> None:
    sources = catalogue.sources.reports[2022]
    assert hashlib.sha256(report.read_bytes()).hexdigest() == sources.sha256
    files = ingest.ingest(report, 2022, catalogue, where)
    committed = {path.stem: path.read_bytes() for path in where.observations.glob("*.csv")}
    assert {name: text.encode() for name, text in files.items()} == committed


@pytest.mark.parametrize(
    ("old", "new", "table"),
    [
        ("5.9-кесте", "5.99-кесте", "table-5.9"),
        ("Маңғыстау облысы 2,7 7,9 5,1 5,1", "", "table-5.1"),
        ("Жамбыл  3 0,7 12 2,6", "Жамбыл  3 О,7 12 2,6", "table-2.5"),
        ("Павлодар  83,5 83,9", "Кереку  83,5 83,9", "table-2.6"),
    ],
)
def test_the_real_report_damaged_is_refused(report: Path, tmp_path: Path, old: str, new: str, table: str) -> None:
    text = report.read_text(encoding="utf-8")
    assert text.count(old) == 1
    damaged = tmp_path / "damaged.txt"
    damaged.write_text(text.replace(old, new), encoding="utf-8")
    done = run_balalar("ingest", str(damaged), "--year", "2022", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert re.search(
        rf"damaged\.txt(:\d+)?: {re.escape(table)}: .*expected|{re.escape(table)}.*only known", done.stderr
    )
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_sentence_of_the_report_stands_in_the_project(report: Path, where) -> None:
    """Eight words in a row are a sentence; facts, names of regions and labels are shorter."""

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[а-яәғқңөұүһі]+", text.translate(layout.LETTERS).lower())
        return {tuple(words[at : at + 8]) for at in range(len(words) - 7)}

    printed = runs(report.read_text(encoding="utf-8"))
    files = [
        *where.indicators.glob("*.yml"),
        *where.text.glob("*.yml"),
        where.data / "sources.yml",
        where.data / "codes.yml",
    ]
    copied = {(path.name, " ".join(run)) for path in files for run in runs(path.read_text(encoding="utf-8")) & printed}
    # Official names of the agencies are longer than that.
    assert {text for _, text in copied if "агенттігінің" not in text and "комитеті" not in text} == set()


def test_every_common_text_is_said(catalogue, where) -> None:
    library = Path(layout.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in library.rglob("*") if path.suffix in (".py", ".j2"))
    named = set(re.findall(r'"(\w+)"', source))
    begun = tuple(re.findall(r'f"(\w+_)\{', source))  # nation_{direction}
    ended = tuple(re.findall(r'f"\{\w+\}(_\w+)"', source))  # {name}_title
    headings = "".join(path.read_text(encoding="utf-8") for path in where.notebooks.glob("*.ipynb"))
    named |= set(re.findall(r'section\(\\"(\w+)\\"', headings))
    said = [*catalogue.texts["common"], *catalogue.texts["comparison"]]
    assert [key for key in said if key not in named and not key.startswith(begun) and not key.endswith(ended)] == []


def test_the_export_has_its_columns_and_all_rows(dataset, tmp_path: Path) -> None:
    out = tmp_path / "all.csv"
    for view in ("printed", "corrected"):
        done = run_balalar("export", str(out), "--view", view)
        assert done.returncode == 0, done.stderr
        with out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        wanted = ["indicator", "region", "year", "sex", "settlement", "value", "status", "source", "unit"]
        assert list(rows[0])[: len(wanted)] == wanted
        assert len(rows) == len(dataset.printed)
    assert {row["sex"] for row in rows} == {"total", "male", "female"}
    assert {row["settlement"] for row in rows} == {"total", "urban", "rural"}


def test_conda_users_get_the_same_packages(where) -> None:
    project = tomllib.loads((where.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    environment = yaml.safe_load((where.root / "environment.yml").read_text(encoding="utf-8"))
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert sorted(pip) == sorted(project["dependencies"])
    assert f"python{project['requires-python']}" in environment["dependencies"]


def test_the_lock_holds_every_dependency_with_hashes(where) -> None:
    project = tomllib.loads((where.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (where.root / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==", lock, re.M))
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {re.match(r"[a-z0-9._-]+", one)[0] for one in wanted} <= pinned
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", lock) if "==" in block.split("\n")[0])
