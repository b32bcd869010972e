"""The notebooks executed: each chapter in each language on thin data, and the pages made from the real data."""

import csv
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup

from balalar.dataset import read_corrections
from balalar.paths import Project
from balalar.screen import screen
from tests.conftest import run_balalar

LANGS = ("kk", "ru", "en")
AUDIT = "report_audit"
METHOD = "how_we_compare"
INDEX = "wellbeing_index"
CHAPTERS = ("demography", "health", "education", "social_protection", "welfare")
# Latin words that a Kazakh or Russian page may hold: names and formats.
LATIN = {
    "balalar", "CSV", "CC", "BY", "danabala", "kz", "IQAir", "AQI", "PM", "I", "II", "III", "Telegram", "Kids", "Go",
    "Free",
    # Authors of the methods.
    "Garwood", "Breslow", "Day", "Wilson", "Newcombe", "Kish", "Zou", "Donner", "Klein", "Wright", "Wieczorek",
    "Spiegelhalter", "Mann", "Kendall", "Sen", "Theil", "Mackenbach", "Kunst", "T",
}  # fmt: skip
LEFTOVERS = re.compile(r"\b(nan|NaN|None|null|undefined|inf)\b|[{}]|\b[a-z]+_[a-z_]+\b|KZ-\d\d|<NA>")


# -- on thin data: the country and two regions, two years ------------------------------------------


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with the figures of the country and of two regions in 2021 and 2022 only."""
    import shutil

    from balalar.paths import project

    root = tmp_path_factory.mktemp("thin")
    for name in ("data", "notebooks"):
        shutil.copytree(project().root / name, root / name)
    thin = Project(root)
    kept: set[tuple[str, ...]] = set()
    for path in thin.observations.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            fields = rows.fieldnames or []
            few = [row for row in rows if row["region"] in ("KZ", "KZ-61", "KZ-75") and row["year"] >= "2021"]
        kept |= {(path.stem, row["year"], row["region"], row["source"], row["value"]) for row in few}
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fields, lineterminator="\n")
            writer.writeheader()
            writer.writerows(few)
    rows = read_corrections(thin)
    few = [r for r in rows if (r["indicator"], r["year"], r["region"], r["source"], r["printed"]) in kept]
    with thin.corrections.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != "line"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: v for k, v in row.items() if k != "line"} for row in few)
    return thin


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_runs_on_thin_data(
    thin: Project, chapter: str, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BALALAR_ROOT", str(thin.root))
    shown = ""
    names: dict[str, object] = {"year": 2022, "lang": lang, "region": "KZ-61"}
    for cell in nbformat.read(thin.notebooks / f"{chapter}.ipynb", as_version=4).cells[2:]:
        head, _, call = cell.source.rpartition("\n\n") if "import" in cell.source else ("", "", cell.source)
        exec(head, names)
        lines = call.split("\n")
        if lines[0].startswith("brief ="):
            exec(lines[0], names)
            call = lines[1]
        block = eval(call, names)
        shown += block.markup if block is not None else ""
    assert "<h1>" in shown and "<table" in shown
    assert not LEFTOVERS.search(BeautifulSoup(shown, "html.parser").get_text(" "))


# -- the pages from the real data ------------------------------------------------------------------


def _pages(folder: Path) -> Iterator[tuple[Path, BeautifulSoup]]:
    for path in sorted(folder.rglob("*.html")):
        yield path, BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


SITES = ["site", "earlier_site", "region_site", "new_region_site", "earlier_region_site"]


@pytest.fixture(scope="module", params=SITES)
def built(request) -> tuple[str, list[tuple[Path, BeautifulSoup]]]:
    folder = request.getfixturevalue(request.param)
    return request.param, list(_pages(folder))


def _words(page: BeautifulSoup) -> str:
    """All that a reader reads or hears, save names of languages and what only a browser reads."""
    # Not extracted: the pages are shared, and another test looks at their styles and scripts.
    unread = page.body.select("style, script, [lang][hreflang]")
    skipped = {id(text) for element in unread for text in element.find_all(string=True)}
    spoken = [element[name] for name in ("aria-label", "data-label") for element in page.select(f"[{name}]")]
    own = [text for text in page.body.find_all(string=True) if id(text) not in skipped]
    return " ".join([page.title.get_text(), *own, *spoken])


def test_every_brief_is_there(
    site: Path, earlier_site: Path, region_site: Path, new_region_site: Path, earlier_region_site: Path
) -> None:
    for folder, places, langs in (
        (site, ["2022"], LANGS),
        (earlier_site, ["2021"], ["ru", "en"]),
        (region_site, ["2022/KZ-61"], LANGS),
        (new_region_site, ["2022/KZ-10"], ["kk"]),
        (earlier_region_site, ["2021/KZ-75"], ["kk"]),
    ):
        wanted = {f"{lang}/{place}/{chapter}.html" for lang in langs for place in places for chapter in CHAPTERS}
        # A report is audited as a whole, in the year of the report; how figures are compared is told beside it.
        wanted |= {
            f"{lang}/2022/{page}.html" for lang in langs for page in (AUDIT, METHOD, INDEX) if places == ["2022"]
        }
        made = {str(path.relative_to(folder)) for path in folder.rglob("*.html") if path.name != "index.html"}
        assert made == wanted
        assert {str(path.relative_to(folder)) for path in folder.rglob("index.html")} == {
            "index.html", *(f"{lang}/index.html" for lang in langs),
        }  # fmt: skip


def test_nothing_is_left_over_or_untranslated(built) -> None:
    _, pages = built
    for path, page in pages:
        words = _words(page)
        found = LEFTOVERS.search(words)
        assert not found, (path, words[max(found.start() - 60, 0) : found.end() + 60])
        if page.html["lang"] != "en":
            strange = set(re.findall(r"[A-Za-z]+", words)) - LATIN
            assert not strange, (path, strange)
        else:
            assert not re.search(r"[А-Яа-яӘәҒғҚқҢңӨөҰұҮүҺһІі]", words), path


def test_a_page_is_in_order(built) -> None:
    _, pages = built
    for path, page in pages:
        assert page.html["lang"] in LANGS
        assert page.title.get_text().strip()
        levels = [int(heading.name[1]) for heading in page.find_all(re.compile(r"^h[1-6]$"))]
        assert levels[0] == 1 and levels.count(1) == 1, path
        assert all(after - before <= 1 for before, after in pairwise(levels)), path
        ids = [element["id"] for element in page.select("[id]") if not element.find_parent("svg")]
        assert len(ids) == len(set(ids)), path
        for picture in page.find_all("svg"):
            assert picture.find("title").get_text() and picture.find("desc").get_text()
        for table in page.find_all("table"):
            assert table.caption.get_text().strip()
            assert all(head.get("scope") for head in table.find_all("th"))


def test_a_page_shows_no_code_and_loads_nothing(built) -> None:
    _, pages = built
    for path, page in pages:
        assert not page.find_all(["script", "iframe", "img", "object"]), path
        assert "brief." not in page.get_text() and "In [" not in page.get_text()
        assert not page.select("link[rel=stylesheet]")
        assert not re.search(r"url\(|@import", "".join(style.get_text() for style in page.find_all("style")))
        for link in page.find_all(["a", "link"]):
            assert not re.match(r"(https?:)?//", link["href"]), (path, link)


def test_every_link_leads_somewhere(built) -> None:
    _, pages = built
    places = {path.resolve(): {element["id"] for element in page.select("[id]")} for path, page in pages}
    for path, page in pages:
        for link in page.find_all(["a", "link"]):
            target, _, place = unquote(link["href"]).partition("#")
            file = ((path.parent / target) if target else path).resolve()
            assert file.is_file(), (path, link["href"])
            if place and file.suffix == ".html":
                assert place in places[file], (path, link["href"])


def test_a_section_without_data_says_so_and_has_no_chart(earlier_site: Path) -> None:
    page = BeautifulSoup((earlier_site / "en/2021/education.html").read_text(encoding="utf-8"), "html.parser")
    section = page.find(id="safety").find_parent("section")
    assert section.p.get_text() == "No figures are given for 2021 in this section."
    assert not section.find_all(["svg", "table"])


def test_no_chart_is_empty(built) -> None:
    _, pages = built
    for path, page in pages:
        for picture in page.find_all("svg"):
            marks = [text for text in picture.find_all("text") if text.get_text(strip=True)]
            assert len(marks) >= 3, (path, picture["aria-label"])


def test_every_place_with_printed_values_is_shown(site: Path, catalogue, dataset) -> None:
    """All 36 tables, each diagram that has values left, and each stretch of text."""
    pages = [
        BeautifulSoup((site / f"en/2022/{chapter}.html").read_text(encoding="utf-8"), "html.parser")
        for chapter in CHAPTERS
    ]
    listed = " ".join(entry.get_text(" ") for page in pages for entry in page.select("ul.sources"))
    listed = listed.replace("\u00a0", " ")
    shown = set(re.findall(r"(table|figure|text of section) (\d(?:\.\d+)?)\b", listed))
    kinds = {"table": "table", "figure": "figure", "text": "text of section"}
    wanted = {tuple(source.split("-")) for source in dataset.corrected.loc[dataset.corrected["value"] != "", "source"]}
    assert {(kinds[kind], number) for kind, number in wanted} <= shown
    assert sum(kind == "table" for kind, _ in shown) == 36


def test_the_tables_hold_the_figures_of_the_data(site: Path, dataset) -> None:
    """Every figure of the report's tables stands in a table of an English brief, with its decimals."""
    cells: set[str] = set()
    for chapter in CHAPTERS:
        page = BeautifulSoup((site / f"en/2022/{chapter}.html").read_text(encoding="utf-8"), "html.parser")
        cells |= {re.sub(r"[^\d.-]", "", cell.get_text()) for cell in page.select("td")}
    frame = dataset.corrected
    frame = frame[frame["source"].str.startswith("table-") & (frame["value"] != "")]
    best = {key for card in frame["indicator"].unique() for key in dataset.best(card)["value"]}
    wanted = set(frame["value"]) & best
    assert {value for value in wanted if value not in cells} == set()


def test_a_corrected_figure_leads_to_what_the_audit_found(site: Path) -> None:
    for lang in LANGS:
        brief = BeautifulSoup((site / f"{lang}/2022/welfare.html").read_text(encoding="utf-8"), "html.parser")
        links = [link["href"] for link in brief.select("a.audited")]
        assert f"{AUDIT}.html#corrected-2022-table-3.1" in links
        page = BeautifulSoup((site / f"{lang}/2022/{AUDIT}.html").read_text(encoding="utf-8"), "html.parser")
        article = page.find(id="corrected-2022-table-3.1").find_parent("article")
        assert article["id"] == "2022-table-3.1-row_shift-poverty_share-2021"
        assert article.find("svg")


def test_without_an_audit_in_the_site_no_link_leads_nowhere(region_site: Path) -> None:
    for path in region_site.rglob("*.html"):
        assert "audit:" not in path.read_text(encoding="utf-8"), path


def test_the_audit_shows_every_finding_once(site: Path, dataset) -> None:
    from balalar.audit_brief import open_audit

    ids = [finding.id for finding in open_audit(2022, "en").findings]
    for lang in LANGS:
        page = BeautifulSoup((site / f"{lang}/2022/{AUDIT}.html").read_text(encoding="utf-8"), "html.parser")
        assert sorted(article["id"] for article in page.select("article.audit")) == sorted(ids)
        assert [link["href"] for link in page.select("ol.most a")] == [f"#{one}" for one in ids[:10]]


def test_a_region_is_spoken_of(region_site: Path) -> None:
    page = (region_site / "en/2022/KZ-61/demography.html").read_text(encoding="utf-8")
    words = " ".join(BeautifulSoup(page, "html.parser").get_text(" ").split())
    assert "Turkistan region: 911,807 at the start of 2023; Kazakhstan: 6,717,954." in words
    assert "Rank among the 20 regions with a value, counted from the highest: 1." in words
    assert "Up 12,587 from 899,220 at the start of 2022." in words


def test_the_same_call_gives_the_same_page(site: Path, tmp_path: Path) -> None:
    done = run_balalar("build", "--out", str(tmp_path / "again"), "--chapter", "health", "--chapter", METHOD,
                       "--lang", "kk", "--force")  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, again = (
        BeautifulSoup((folder / "kk/2022/health.html").read_text(encoding="utf-8"), "html.parser").find("main")
        for folder in (site, tmp_path / "again")
    )
    assert str(first) == str(again)


def test_the_thin_data_keep_the_form(thin: Project) -> None:
    """Only what is not used any more may be a fault of data cut thin."""
    assert {fault.rule for fault in screen(thin)} <= {
        "an indicator must have a row at least",
        "a code must be used somewhere",
        "a place is cited by observations or as evidence, or marked printed: false",
    }
