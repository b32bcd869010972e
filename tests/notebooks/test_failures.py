"""What goes wrong in a build is told, named and stays out of the site."""

import json
import re

import pytest

from balalar import press, site
from balalar.dataset import Dataset
from balalar.errors import BalalarError, RequestError
from balalar.paths import Project
from tests.conftest import run_balalar


def _break(project: Project, chapter: str, source: str) -> None:
    """Put a cell that fails before a chapter's last one."""
    path = project.notebooks / f"{chapter}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = {
        "cell_type": "code",
        "id": "bad",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": [source],
    }
    notebook["cells"].insert(4, cell)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_failed_briefs_are_named_and_the_others_are_published(copy: Project) -> None:
    _break(copy, "health", "raise ValueError('boom')")
    _break(copy, "welfare", "import os; os._exit(3)")
    _break(copy, "social_protection", "raise SystemExit")
    out = copy.root / "site"
    chapters = [
        part for name in ("demography", "health", "welfare", "social_protection") for part in ("--chapter", name)
    ]
    done = run_balalar("build", "--lang", "en", *chapters, "--out", str(out), root=copy.root)
    assert done.returncode == 1
    assert "health 2022 en: cell 6 (raise ValueError('boom')): ValueError: boom" in done.stderr
    assert re.search(r"welfare 2022 en: cell 6 \(import os; os\._exit\(3\)\): DeadKernelError", done.stderr)
    assert "social_protection 2022 en: cell 6 (raise SystemExit) was not completed" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in out.rglob("*.html") if path.name != "index.html"] == ["demography.html"]
    assert "health.html" not in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"chapters": ["sport"]}, "chapter: there is no 'sport'; there are demography, health"),
        ({"langs": ["kz"]}, "language: there is no 'kz'; there are kk, ru, en"),
        ({"regions": ["KZ-99"]}, "region: there is no 'KZ-99'; there are KZ, KZ-10"),
        ({"years": [2021], "regions": ["KZ-10"]}, "region: there is no 'KZ-10'"),
        ({"years": [1900]}, "year: there is no 1900; there are 1990"),
        ({"years": [2014], "chapters": ["education"]}, "year for education: there is no 2014"),
    ],
)
def test_an_unknown_parameter_is_refused(
    dataset: Dataset, where: Project, wanted: dict[str, list], message: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        press.plan(dataset, where, **wanted)


def test_a_refusal_is_told_before_anything_runs(copy: Project) -> None:
    """By the command line, which all refusals leave the same way."""
    done = run_balalar("build", "--year", "2021", "--region", "KZ-10", "--out", str(copy.root / "site"), root=copy.root)
    assert done.returncode == 1
    assert "region: there is no 'KZ-10'; there are KZ, KZ-11" in done.stderr
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


def test_a_site_does_not_stand_among_the_data(copy: Project, dataset: Dataset) -> None:
    with pytest.raises(BalalarError, match="among the data or notebooks; choose another --out"):
        site.build([], dataset, copy, copy.data / "site", lambda _: None)
    assert not (copy.data / "site").exists()
