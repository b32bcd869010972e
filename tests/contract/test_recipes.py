"""What CONTRIBUTING.md promises: an indicator, a year, a chapter, a language, and no Python."""

import json
import re

import pytest

from balalar.paths import Project
from balalar.screen import screen
from tests.conftest import run_balalar

TEXT = "{{kk: {0} қазақша, ru: {0} по-русски, en: {0} in English}}"
CARD = f"""\
id: storks_seen
chapter: CHAPTER
kind: count
unit: unit
decimals: 0
time: calendar_year
dimensions: []
range: [0, null]
polarity: neutral
agency: bns
interval: {{method: none, reason: full_count}}
title: {TEXT.format("Құтан")}
definition: {TEXT.format("Storks.")}
"""
ROWS = "year,region,value,status,source,report\n2021,KZ,7,A,text-2.1,2022\n2022,KZ,9,A,text-2.1,2022\n"


def _add_cell(project: Project, chapter: str, source: str) -> None:
    path = project.notebooks / f"{chapter}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = {"cell_type": "code", "id": "new", "metadata": {}, "execution_count": None, "outputs": []}
    notebook["cells"].insert(5, cell | {"source": [source]})
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _add_indicator(project: Project, chapter: str) -> None:
    (project.indicators / "storks_seen.yml").write_text(CARD.replace("CHAPTER", chapter), encoding="utf-8")
    (project.observations / "storks_seen.csv").write_text(ROWS, encoding="utf-8")
    _add_cell(project, chapter, 'brief.show("storks_seen", by="year")')


def _page(project: Project, *options: str) -> str:
    out = project.root / "site"
    done = run_balalar("build", "--out", str(out), "--lang", "en", *options, root=project.root)
    assert done.returncode == 0, done.stderr
    (page,) = [path for path in out.rglob("*.html") if path.name != "index.html"]
    return page.read_text(encoding="utf-8")


def test_an_indicator_is_a_card_a_csv_and_a_cell(copy: Project) -> None:
    _add_indicator(copy, "demography")
    assert [str(fault) for fault in screen(copy)] == []
    page = _page(copy, "--chapter", "demography")
    assert "Құтан in English" in page
    assert re.search(r"Kazakhstan: 9 in 2022, up 2 from 7 in 2021", page)


def test_a_year_is_rows_and_a_source(copy: Project) -> None:
    path = copy.data / "sources.yml"
    text = path.read_text(encoding="utf-8")
    head, first = text.split("  2022:\n", 1)
    title = "title: {kk: Баяндама, ru: Доклад, en: Report of 2023}"
    publisher = "publisher: {kk: Министрлік, ru: Министерство, en: Ministry}"
    place = "table-2.1: {section: '2.1', agency: bns, title: {kk: Кесте, ru: Таблица, en: Table}}"
    file = f"file: report-2023.txt\n    sha256: '{'0' * 64}'"
    new = f"  2023:\n    {title}\n    {publisher}\n    {file}\n    places:\n      {place}\n"
    path.write_text(f"{head}{new}  2022:\n{first}", encoding="utf-8")
    with (copy.observations / "child_population.csv").open("a", encoding="utf-8") as file:
        file.write("2024,KZ,total,total,6800000,A,table-2.1,2023\n")
    assert [str(fault) for fault in screen(copy)] == []
    page = _page(copy, "--chapter", "demography")
    assert "Demography: Kazakhstan, 2023" in page
    assert "Kazakhstan: 6,800,000 at the start of 2024, up 82,046 from 6,717,954 at the start of 2023" in page


def test_a_chapter_is_a_notebook_a_text_and_an_entry(copy: Project) -> None:
    notebook = json.loads((copy.notebooks / "health.ipynb").read_text(encoding="utf-8"))
    cells = notebook["cells"]
    opening = next(cell for cell in cells if "open_brief" in "".join(cell["source"]))
    opening["source"] = ["".join(opening["source"]).replace('"health"', '"storks"')]
    kept = [cells[0], cells[1], opening, cells[-2], cells[-1]]
    (copy.notebooks / "storks.ipynb").write_text(json.dumps(notebook | {"cells": kept}), encoding="utf-8")
    (copy.text / "storks.yml").write_text(f"birds: {TEXT.format('Birds')}\n", encoding="utf-8")
    entry = f"  storks:\n    title: {TEXT.format('Storks')}\n    summary: {TEXT.format('All storks')}\n"
    with (copy.data / "edition.yml").open("a", encoding="utf-8") as file:
        file.write(entry)
    _add_indicator(copy, "storks")
    _add_cell(copy, "storks", 'brief.section("birds")')
    path = copy.notebooks / "storks.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    order = ["birds", "storks_seen"]  # the section's heading stands before its figure
    cells = notebook["cells"]
    new = sorted(
        (c for c in cells if c["id"] == "new"),
        key=lambda c: ["".join(c["source"]).find(o) < 0 for o in order],
    )
    notebook["cells"] = [c for c in cells[:3] if c not in new] + new + [c for c in cells[3:] if c not in new]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert [str(fault) for fault in screen(copy)] == []
    assert "Storks in English: Kazakhstan, 2022" in _page(copy, "--chapter", "storks")


@pytest.mark.parametrize("lang", ["uz"])
def test_a_language_is_a_column_in_texts_cards_and_codes(copy: Project, lang: str) -> None:
    """Every text gets a fourth column; here it repeats the English one."""
    for path in copy.data.rglob("*.yml"):
        if path.name == "tables.yml":
            continue
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(\n *)en: (.*)", rf"\1en: \2\1{lang}: \2", text)  # a language a line
        text = re.sub(r"(\{kk: .*?), en: ([^\"{}]*|\"[^\"]*\")\}", rf"\1, en: \2, {lang}: \2}}", text)  # in one line
        text = text.replace("en: en_GB}", f"en: en_GB, {lang}: uz_UZ}}")
        path.write_text(text, encoding="utf-8")
    assert [str(fault) for fault in screen(copy)] == []
    done = run_balalar("build", "--out", str(copy.root / "site"), "--lang", lang, "--chapter", "health", root=copy.root)
    assert done.returncode == 0, done.stderr
    assert '<html lang="uz">' in (copy.root / "site" / lang / "2022" / "health.html").read_text(encoding="utf-8")
