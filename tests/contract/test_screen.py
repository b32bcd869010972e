"""Each rule finds the fault that caused it, with file, line and value."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from balalar.paths import Project
from balalar.screen import screen
from tests.conftest import run_balalar


def replace(path: str, old: str, new: str) -> Callable[[Project], None]:
    def damage(project: Project) -> None:
        file = project.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} not in {path}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def append(path: str, text: str) -> Callable[[Project], None]:
    def damage(project: Project) -> None:
        with (project.root / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return damage


def remove(path: str) -> Callable[[Project], None]:
    return lambda project: (project.root / path).unlink()


BIRTHS = "data/observations/birth_rate.csv"
CARD = "data/indicators/birth_rate.yml"
CLAIMS = "data/claims/2022/chapter-2.csv"
FAULTS = {
    "wrong column": (replace(BIRTHS, "year,region,value", "year,value,region"), BIRTHS, 1, "the columns must be"),
    "text in a number": (replace(BIRTHS, "2016,KZ,22.52", "2016,KZ,22.5x"), BIRTHS, 2, "a value is a number"),
    "comma in a number": (replace(BIRTHS, "22.52", '"22,52"'), BIRTHS, 2, "a value is a number"),
    "unknown region": (replace(BIRTHS, "2016,KZ,", "2016,KZ-99,"), BIRTHS, 2, "a region must be a code"),
    "unknown status": (replace(BIRTHS, "22.52,A", "22.52,X"), BIRTHS, 2, "a status must be an SDMX code"),
    "unknown source": (replace(BIRTHS, "A,table-2.3", "A,table-9.9"), BIRTHS, 2, "a source must be a place"),
    "no year": (replace(BIRTHS, "2016,KZ", "16,KZ"), BIRTHS, 2, "a year has four digits"),
    "out of range": (replace(BIRTHS, "22.52", "-1"), BIRTHS, 2, "value out of range: the card allows 0 to"),
    "blank without a status": (replace(BIRTHS, "22.52,A", ",A"), BIRTHS, 2, "exactly where the status is not M or O"),
    "value with a missing status": (replace(BIRTHS, "22.52,A", "22.52,M"), BIRTHS, 2, "exactly where the status"),
    "half-written file": (append(BIRTHS, "2023,K"), BIRTHS, 9, "it may be half-written"),
    "lost field": (replace(BIRTHS, "2016,KZ,22.52,A", "2016,KZ,22.52"), BIRTHS, 2, "a row has 6 fields"),
    "doubled key": (append(BIRTHS, "2016,KZ,22.52,A,table-2.3,2022\n"), BIRTHS, 9, "a key stands once"),
    "unborn region": (append(BIRTHS, "2016,KZ-10,22.52,A,table-2.3,2022\n"), BIRTHS, 9, "KZ-10 does not in 2016"),
    "lost observations": (remove(BIRTHS), BIRTHS, 0, "the file must exist"),
    "observations without a card": (
        append("data/observations/stray.csv", "year,region,value,status,source,report\n"),
        "data/observations/stray.csv", 0, "observations must be the CSV of an indicator with a card",
    ),
    "unknown key on a card": (append(CARD, "colour: red\n"), CARD, None, "there is no such key"),
    "doubled key on a card": (append(CARD, "unit: person\n"), CARD, None, "a key stands once"),
    "missing translation": (
        replace(CARD, "\n  ru: ", "\n  rus: "), CARD, 18, "the words must stand in kk, ru, en; missing: ru",
    ),
    "empty translation": (replace("data/text/health.yml", "illness: {kk: Аурушаңдық", "illness: {kk: ''"),
        "data/text/health.yml", 3, "at least 1 character"),
    "differing placeholders": (replace("data/text/common.yml", 'ru: "{year} г."', 'ru: "{yaer} г."'),
        "data/text/common.yml", None, "placeholders differ between the languages"),
    "unknown unit": (replace(CARD, "unit: per_1000", "unit: per_1001"), CARD, 0, "must stand among units"),
    "no interval": (replace(CARD, "interval: {method: poisson, cases: live_births}\n", ""), CARD, 1, "must be given"),
    "interval without a reason": (replace(CARD, "{method: poisson, cases: live_births}", "{method: none}"), CARD, 11,
        "a reason is given exactly where the method is none"),
    "unknown reason": (replace(CARD, "{method: poisson, cases: live_births}", "{method: none, reason: whim}"), CARD, 0,
        "interval.reason must stand among"),
    "interval of an unknown base": (replace(CARD, "cases: live_births", "base: storks"), CARD, 0,
        "interval.base must stand among"),
    "share without a base": (replace(CARD, "{method: poisson, cases: live_births}", "{method: binomial}"), CARD, 11,
        "a share needs the base"),
    "unknown chapter": (replace(CARD, "chapter: demography", "chapter: geography"), CARD, 0, "among chapters"),
    "no YAML": (append(CARD, "\t: [\n"), CARD, None, "valid YAML"),
    "two titles alike": (
        replace(CARD, "en: Crude birth rate", "en: Live births"), "data/indicators", 0, "stands for one code",
    ),
    "unused code": (
        replace("data/codes.yml", "  interior:", "  nobody: {label: {kk: а, ru: б, en: c}}\n  interior:"),
        "data/codes.yml", 0, "a code must be used somewhere",
    ),
    "unused place": (
        replace("data/sources.yml", "      table-2.1:", "      table-9.9:\n        section: '9'\n        agency: bns\n"
            "        title: {kk: а, ru: б, en: c}\n      table-2.1:"),
        "data/sources.yml", 0, "a place is cited",
    ),
    "unused text": (append("data/text/health.yml", "lost: {kk: а, ru: б, en: c}\n"),
        "notebooks/health.ipynb", 0, "a chapter shows each text of its own"),
    "indicator not shown": (replace("notebooks/demography.ipynb", r"\"birth_rate\", by=", r"\"live_births\", by="),
        "notebooks/demography.ipynb", 0, "a chapter shows each indicator of its own"),
    "chapter without a notebook": (
        remove("notebooks/health.ipynb"), "notebooks/health.ipynb", 0, "a chapter must have a notebook",
    ),
    "unclosed quote": (replace(BIRTHS, "2016,KZ,22.52", '2016,KZ,"22.52'), BIRTHS, 2, "quotes that close"),
    "row over two lines": (replace(BIRTHS, "2016,KZ,22.52", '2016,"K\nZ",22.52'), BIRTHS, 2, "stands on one line"),
    "digits of another script": (replace(BIRTHS, "22.52", "٢٢.٥٢"), BIRTHS, 2, "a value is a number"),
    "leading zeros": (replace(BIRTHS, "22.52", "0022.52"), BIRTHS, 2, "a value is a number"),
    "header only": (lambda project: (project.root / BIRTHS).write_text(
        "year,region,value,status,source,report\n"), BIRTHS, 0, "an indicator must have a row"),
    "id of another card": (replace(CARD, "id: birth_rate", "id: population"), CARD, 0, "its file's name"),
    "labels of no code": (append(CARD, "labels: {sex: {male: {kk: а, ru: б, en: c}}}\n"), CARD, 0, "of codes"),
    "stray brace": (replace("data/text/health.yml", "{kk: Аурушаңдық", '{kk: "Аурушаңдық {"'),
        "data/text/health.yml", 3, "braces hold the name of a placeholder"),
    "placeholder with a format": (replace("data/text/common.yml", 'kk: "{year} жылы"', 'kk: "{year:d} жылы"'),
        "data/text/common.yml", None, "braces hold the name of a placeholder and nothing else"),
    "unit without its value": (replace("data/codes.yml", 'en: "{value} km"', 'en: "{number} km"'),
        "data/codes.yml", None, "placeholders differ"),
    "alias": (append(CARD, "labels: &a {sex: *a}\n"), CARD, 26, "anchors and aliases are not used"),
    "unknown locale": (replace("data/edition.yml", "ru_KZ", "xx_YY"), "data/edition.yml", None, "a CLDR locale"),
    "range without bounds": (replace(CARD, "range: [0, 1000]", "range: [.nan, 1000]"), CARD, 8, "finite number"),
    "correction that fits nothing": (
        replace("data/corrections.csv", "2023,KZ,settlement=urban,35.8", "2023,KZ,settlement=urban,35.9"),
        "data/corrections.csv", 2, "a correction must fit one printed figure; it fits 0",
    ),
    "correction without evidence": (
        replace("data/corrections.csv", "table-2.1 table-5.11", ""), "data/corrections.csv", 2, "evidence names",
    ),
    "claim under other columns": (replace(CLAIMS, "id,section", "section,id"), CLAIMS, 1, "the columns must be"),
    "claim of an unknown kind": (replace(CLAIMS, "786,value", "786,worth"), CLAIMS, 2, "Input should be"),
    "claim without its number": (replace(CLAIMS, "6 717 954", ""), CLAIMS, 2, "needs the printed number"),
    "text in a claim's number": (replace(CLAIMS, "6 717 954", "6 7x7"), CLAIMS, 2, "should match pattern"),
    "claim about an unknown indicator": (
        replace(CLAIMS, "value,child_population", "value,storks"), CLAIMS, 2, "an indicator must have a card",
    ),
    "claim about an unknown region": (
        replace(CLAIMS, "value,child_population,2023,,", "value,child_population,2023,KZ-99,"), CLAIMS, 2,
        "a region must stand in codes.yml",
    ),
    "claim about an unknown code": (
        replace(CLAIMS, "value,child_population,2023,,", "value,child_population,2023,,sex=boys"), CLAIMS, 2,
        "a code must stand under sex",
    ),
    "half a claim": (append(CLAIMS, "2.5-99,2.5,1"), CLAIMS, 312, "every row has 22 columns"),
    "claims of no report": (
        lambda project: (project.claims / "2022").rename(project.claims / "2019"), "data/claims/2019/chapter-1.csv", 0,
        "named after the year of a report",
    ),
    "damaged list of numbers": (
        replace("data/reports/2022/numbers.csv", "line,", "row,"), "data/reports/2022/numbers.csv", 0,
        "must be a CSV with the columns",
    ),
    "relation to an unknown card": (append(CARD, "within: storks\n"), CARD, 0, "within must stand among the cards"),
    "relation over an unknown dimension": (append(CARD, "parts: {sex: [male]}\n"), CARD, None, "the card's dimensions"),
    "correction by an unknown rule": (
        replace("data/corrections.csv", "column_heading", "hunch"), "data/corrections.csv", 2, "must stand among",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(copy: Project, name: str) -> None:
    damage, file, line, rule = FAULTS[name]
    damage(copy)
    faults = screen(copy)
    hits = [fault for fault in faults if fault.file == file and rule in fault.rule]
    assert hits, [str(fault) for fault in faults]
    if line is not None:
        assert line in {fault.line for fault in hits}
    assert all(fault.remedy and fault.column for fault in faults)


def test_check_lists_all_faults_at_once_and_exits_with_1(copy: Project) -> None:
    for name in ("text in a number", "missing translation", "unknown unit"):
        FAULTS[name][0](copy) if name != "unknown unit" else None
    replace("data/text/health.yml", "illness: {kk: Аурушаңдық", "illness: {kk: ''")(copy)
    done = run_balalar("check", root=copy.root)
    assert done.returncode == 1
    assert len(re.findall(r"^data/", done.stderr, re.M)) >= 3
    assert "Traceback" not in done.stderr


def test_check_of_sound_data_says_so(copy: Project) -> None:
    done = run_balalar("check", root=copy.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(copy.root).exists()
