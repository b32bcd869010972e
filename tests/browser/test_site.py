"""The built site in a real Chromium: nothing overlaps, nothing overflows, nothing comes from a network."""

import shutil
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
WIDTHS = {"wide": 1280, "narrow": 390}
LANGS = ("kk", "ru", "en")
CHAPTERS = ("demography", "health", "education", "social_protection", "welfare")
PAGES = (*CHAPTERS, "wellbeing_index", "report_audit")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; .ci/run installs it"),
]

# Texts of one chart that lie over each other, or outside it; in points of the chart.
MISPLACED = """
() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim());
  const boxes = texts.map(t => t.getBoundingClientRect());
  const wrong = [];
  boxes.forEach((a, i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 2 || a.bottom > frame.bottom + 2)
      wrong.push(`outside: ${texts[i].textContent}`);
    boxes.slice(i + 1).forEach((b, j) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 0.3 * Math.min(a.height, b.height))
        wrong.push(`over each other: ${texts[i].textContent} | ${texts[i + 1 + j].textContent}`);
    });
  });
  return wrong.map(w => `${svg.getAttribute("aria-label")}: ${w}`);
})
"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """
() => [...document.querySelectorAll("figure svg text")]
  .filter(t => t.getBoundingClientRect().height < 10).map(t => t.textContent)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that keeps its errors and what it asked for."""
    context = browser.new_context()
    opened = context.new_page()
    opened.asked, opened.errors = [], []  # type: ignore[attr-defined]
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda said: opened.errors.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    yield opened
    context.close()


def _open(page: Page, site: Path, path: str, width: str) -> None:
    page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    page.goto((site / path).as_uri())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("chapter", PAGES)
def test_a_brief_is_whole(page: Page, site: Path, chapter: str, lang: str, width: str) -> None:
    _open(page, site, f"{lang}/2022/{chapter}.html", width)
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith("file:")] == []
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate(MISPLACED) == []
    assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_brief_of_a_region_is_whole_on_a_phone(page: Page, region_site: Path, chapter: str, lang: str) -> None:
    _open(page, region_site, f"{lang}/2022/KZ-61/{chapter}.html", "narrow")
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate(MISPLACED) == []


# The languages of a page differ in words only: each page in one, each language in some.
@pytest.mark.parametrize(("chapter", "lang"), zip(PAGES, cycle(LANGS), strict=False))
def test_a_brief_can_be_read_by_everybody(page: Page, site: Path, chapter: str, lang: str) -> None:
    _open(page, site, f"{lang}/2022/{chapter}.html", "narrow")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", ["index.html", *(f"{lang}/index.html" for lang in LANGS)])
def test_the_index_can_be_read_by_everybody(page: Page, site: Path, path: str) -> None:
    for width in WIDTHS:
        _open(page, site, path, width)
        assert page.evaluate(SIDEWAYS) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_reader_finds_from_the_index_to_a_table_and_to_another_language(page: Page, site: Path) -> None:
    _open(page, site, "index.html", "narrow")
    page.get_by_role("link", name="Демография").click()
    assert page.locator("html").get_attribute("lang") == "kk"
    table = page.locator("section.figure details table").first
    assert not table.is_visible()
    page.locator("section.figure details summary").first.click()
    assert table.is_visible()
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("en/2022/demography.html")
    assert page.get_by_role("heading", level=1).inner_text() == "Demography: Kazakhstan, 2022"
    page.get_by_role("link", name="Health").click()
    assert page.url.endswith("en/2022/health.html")


def test_a_keyboard_reaches_the_content_and_opens_a_table(page: Page, site: Path) -> None:
    _open(page, site, "en/2022/health.html", "wide")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    summary = page.locator("section.figure details summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("section.figure details").first.get_attribute("open") is not None
