"""Reading tables and quotes from a text of a few lines, sound and damaged."""

from pathlib import Path

import pytest

from balalar import ingest, layout
from balalar.errors import DataError
from balalar.paths import Project

TEXT = """\
2.1. ДЕМОГРАФИЯ
Тест үшін жазылған мәтін. Абай облысында көрсеткіш 7,02 болды.
2.1-кесте. Балалар саны
 2022 2023
ҚР 1 617 000 1 717 954
 Абай 186 790 188 851
Алматы 530 377 538099
Астана қ. 427481 -
 Шымкент
қ. 469089 482954
Дереккөз: тест
2.2. ДЕНСАУЛЫҚ
Келесі бөлім.
"""
LAYOUT = """\
table-2.1:
  common: {indicator: child_population}
  columns: [{year: 2022}, {year: 2023}]
  labels: {Алматы: KZ-19}
  regions: [KZ, KZ-10, KZ-19, KZ-71, KZ-79]
  spaced: true
  alike: true
"""
QUOTES = "source,indicator,year,region,sex,settlement,dims,printed,scale,status,near\n"
QUOTE = 'figure-2.3,under5_mortality_rate,2022,KZ-10,total,total,,"7,02",,A,Абай\n'


@pytest.fixture
def declared(copy: Project) -> Project:
    (copy.report(2022) / "tables.yml").write_text(LAYOUT, encoding="utf-8")
    for path in (copy.report(2022) / "quotes").glob("*.csv"):
        path.unlink()
    (copy.report(2022) / "quotes" / "A.csv").write_text(QUOTES + QUOTE, encoding="utf-8")
    return copy


def _read(declared: Project, catalogue, text: str, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "report.txt"
    path.write_text(text, encoding="utf-8")
    return ingest.ingest(path, 2022, catalogue, declared)


def test_a_table_is_read_as_declared(declared: Project, catalogue, tmp_path: Path) -> None:
    files = _read(declared, catalogue, TEXT, tmp_path)
    assert files["child_population"].splitlines() == [
        "year,region,sex,settlement,value,status,source,report",
        "2022,KZ,total,total,1617000,A,table-2.1,2022",
        "2022,KZ-10,total,total,186790,A,table-2.1,2022",
        "2022,KZ-19,total,total,530377,A,table-2.1,2022",
        "2022,KZ-71,total,total,427481,A,table-2.1,2022",
        "2022,KZ-79,total,total,469089,A,table-2.1,2022",
        "2023,KZ,total,total,1717954,A,table-2.1,2022",
        "2023,KZ-10,total,total,188851,A,table-2.1,2022",
        "2023,KZ-19,total,total,538099,A,table-2.1,2022",
        "2023,KZ-71,total,total,,M,table-2.1,2022",
        "2023,KZ-79,total,total,482954,A,table-2.1,2022",
    ]


def test_a_quote_is_found_in_its_section(declared: Project, catalogue, tmp_path: Path) -> None:
    files = _read(declared, catalogue, TEXT, tmp_path)
    assert files["under5_mortality_rate"].splitlines()[1:] == ["2022,KZ-10,total,total,7.02,A,figure-2.3,2022"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("2.1-кесте. Балалар саны", "Балалар саны", 0, "expected under a line that starts with «2.1-кесте»"),
        (" Абай 186 790 188 851\n", "", 3, "rows of KZ-10 («Абай» or «Абай облысы») expected: 1, read: 0"),
        ("Абай 186 790", "Абай 186 79O", 6, "found 'Абай 186 79O 188 851 Алматы"),
        ("Абай 186 790", "Абайй 186 790", 6, "'Абайй 186 790 188 851'; only known labels and numbers"),
        ("Астана қ. 427481 -", "Астана қ. 427481", 8, "expected 2 numbers in the row «Астана қ.», 1 groups"),
        (
            "Астана қ. 427481 -",
            "Астана қ. 427481 1 2",
            8,
            "expected 2 numbers in the row «Астана қ.», 3 groups",
        ),
        ("7,02 болды", "7,03 болды", 1, "«7,02» is expected within 120 characters of «Абай»"),
        ("2.1. ДЕМОГРАФИЯ", "ДЕМОГРАФИЯ", 0, "the heading of the section is expected; the text has none"),
    ],
)
def test_a_damaged_text_is_refused_with_table_line_and_expectation(
    declared: Project, catalogue, tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in TEXT
    with pytest.raises(DataError) as caught:
        _read(declared, catalogue, TEXT.replace(old, new), tmp_path)
    (fault,) = caught.value.faults
    assert message in str(fault)
    assert fault.line == line
    assert fault.column in ("table-2.1", "figure-2.3", "section 2.1")


def test_all_faults_are_told_at_once(declared: Project, catalogue, tmp_path: Path) -> None:
    damaged = TEXT.replace("7,02", "7,03").replace("Абай 186 790", "Абай x")
    with pytest.raises(DataError) as caught:
        _read(declared, catalogue, damaged, tmp_path)
    assert len(caught.value.faults) == 2


def test_spaces_that_read_in_two_ways_are_not_guessed(declared: Project, catalogue, tmp_path: Path) -> None:
    path = declared.report(2022) / "tables.yml"
    path.write_text(LAYOUT.replace("  alike: true\n", ""), encoding="utf-8")
    with pytest.raises(DataError, match="the spaces can be read in"):
        _read(declared, catalogue, TEXT, tmp_path)


@pytest.mark.parametrize(
    ("tokens", "columns", "readings"),
    [
        ("94 781,1 86 311,6", 2, [["94781,1", "86311,6"]]),
        ("1 625 1087231 1150", 3, [["1625", "1087231", "1150"]]),
        ("475 369 155", 2, [["475369", "155"], ["475", "369155"]]),
        ("718 076", 1, [["718076"]]),
        ("718 076", 2, []),  # no number starts with a zero
        ("12 34", 1, []),  # two digits are no thousands
    ],
)
def test_thousands_set_apart_by_spaces(tokens: str, columns: int, readings: list[list[str]]) -> None:
    found = list(layout._groupings(tokens.split(), columns))
    assert sorted(found) == sorted(readings)


def test_figures_of_another_report_are_kept(declared: Project, catalogue, tmp_path: Path) -> None:
    path = declared.observations / "child_population.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0]
    path.write_text(f"{header}\n2021,KZ,total,total,6500000,A,table-2.1,2021\n", encoding="utf-8")
    files = _read(declared, catalogue, TEXT, tmp_path)
    assert "2021,KZ,total,total,6500000,A,table-2.1,2021" in files["child_population"]


def test_rows_a_killed_process_set_aside_are_read_again(declared: Project, catalogue, tmp_path: Path) -> None:
    path = declared.observations / "child_population.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0]
    row = "2021,KZ,total,total,6500000,A,table-2.1,2021"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    left = declared.data / f".balalar-{2**22 + 1}-abcd1234"
    left.mkdir()
    declared.observations.rename(left / "old-observations")
    assert row in _read(declared, catalogue, TEXT, tmp_path)["child_population"]


def test_a_row_that_is_not_whole_is_never_dropped(declared: Project, catalogue, tmp_path: Path) -> None:
    with (declared.observations / "child_population.csv").open("a", encoding="utf-8") as file:
        file.write("2021,KZ,total,total,6500000,A,table-2.1\n")
    with pytest.raises(DataError, match="a row that is not whole"):
        _read(declared, catalogue, TEXT, tmp_path)


def test_nothing_is_written_half(tmp_path: Path) -> None:
    folder = tmp_path / "observations"
    ingest.write({"a": "x\n", "b": "y\n"}, folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.csv": "x\n", "b.csv": "y\n"}
    assert [path.name for path in tmp_path.iterdir()] == ["observations"]
