"""What goes wrong in a build is told, named and stays out of the site."""

import re

import pytest

from balalar import site
from balalar.batch.plan import plan
from balalar.dataset import Dataset
from balalar.errors import BalalarError, RequestError
from balalar.paths import Project
from tests.conftest import run_balalar
from tests.notebooks.breaking import left_behind, put_cell, workplaces

FAULTS = {
    "health": ("print('in the end'); raise ValueError('boom')", r"ValueError: boom\n    \| in the end"),
    "education": ("import os; os._exit(3)", r"its process ended with exit status 3"),
    "social_protection": ("while True: pass", r"it took longer than 6 s"),
    "welfare": ("hog = [bytearray(2**20) for _ in range(4000)]", r"MemoryError; it may hold 1500 MB"),
    "report_audit": ("print('long ' * 20_000_000)", r"OSError: \[Errno 27\] File too large"),
    "demography": ("open('{outside}', 'w').write('x')", r"PermissionError: writes where it should not: {outside}"),
    "wellbeing_index": ("raise SystemExit", r"SystemExit\n"),
}


def test_each_fault_is_told_and_the_others_are_published(copy: Project) -> None:
    """Raises, ends its process, hangs, eats memory, prints 100 MB, writes outside, leaves: all in one build."""
    outside = str(copy.root / "outside.txt")
    for chapter, (source, _) in FAULTS.items():
        put_cell(copy, chapter, source.replace("{outside}", outside))
    out = copy.root / "site"
    limits = ("--seconds", "6", "--memory", "1500")
    done = run_balalar("build", "--lang", "en", *limits, "--out", str(out), root=copy.root, mark="faults")
    assert done.returncode == 1
    for chapter, (source, reason) in FAULTS.items():
        cell = re.escape(source.replace("{outside}", outside)[:80])
        told = rf"{chapter} 2022 en: cell 6 \({cell}.*\): {reason.replace('{outside}', re.escape(outside))}"
        assert re.search(told, done.stderr), (told, done.stderr)
    assert "7 brief(s) failed and are not in the site" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in out.rglob("*.html") if path.name != "index.html"] == ["how_we_compare.html"]
    assert "health.html" not in (out / "index.html").read_text(encoding="utf-8")
    assert not (copy.root / "outside.txt").exists()
    assert left_behind("faults") == []
    assert workplaces(copy) == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import subprocess; subprocess.run(['true'])", "starts a process"),
        ("try: open('../x', 'w')\nexcept OSError: pass", "writes where it should not"),
        ("import os; os.kill(os.getpid(), 9)", r"its process was killed \(SIGKILL\)"),
        ("import os; os.rename('printed.txt', '../x')", "writes where it should not"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("x = = 1", "SyntaxError"),
    ],
)
def test_one_fault_is_told(prepared, source: str, reason: str) -> None:
    found = prepared(source)
    assert re.search(reason, found["failure"]), found
    assert found["sections"] == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"chapters": ["sport"]}, "chapter: there is no 'sport'; there are demography, health"),
        ({"langs": ["kz"]}, "language: there is no 'kz'; there are kk, ru, en"),
        ({"regions": ["KZ-99"]}, "region in 2022: there is no 'KZ-99'; there are KZ, KZ-10"),
        ({"years": [2021], "regions": ["KZ-10"]}, "region in 2021: there is no 'KZ-10'"),
        ({"years": [1900]}, "year: there is no 1900; there are 1990"),
        ({"years": [2014], "chapters": ["education"]}, "year for education: there is no 2014"),
    ],
)
def test_an_unknown_parameter_is_refused(
    dataset: Dataset, where: Project, wanted: dict[str, list], message: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        plan(dataset, where, **wanted)


def test_a_refusal_is_told_before_anything_runs(copy: Project) -> None:
    """By the command line, which all refusals leave the same way."""
    done = run_balalar("build", "--year", "2021", "--region", "KZ-10", "--out", str(copy.root / "site"), root=copy.root)
    assert done.returncode == 1
    assert "region in 2021: there is no 'KZ-10'; there are KZ, KZ-11" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (copy.root / "site").exists()


def test_a_site_never_replaces_what_no_build_has_made(copy: Project) -> None:
    (copy.root / "mine").mkdir()
    (copy.root / "mine" / "letter").write_text("dear")
    out = str(copy.root / "mine")
    done = run_balalar("build", "--chapter", "health", "--lang", "en", "--out", out, root=copy.root)
    assert done.returncode == 1
    assert "choose another --out" in done.stderr
    assert (copy.root / "mine" / "letter").read_text() == "dear"


def test_a_site_does_not_stand_among_the_data(copy: Project) -> None:
    with pytest.raises(BalalarError, match="among the data or notebooks; choose another --out"):
        site.target(copy.data / "site", copy)
    assert not (copy.data / "site").exists()
