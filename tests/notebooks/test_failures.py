"""What goes wrong in a build is told, named and stays out of the site."""

import json
import re

import pytest

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
    ("options", "message"),
    [
        (["--chapter", "sport"], "chapter: there is no 'sport'; there are demography, health"),
        (["--lang", "kz"], "language: there is no 'kz'; there are kk, ru, en"),
        (["--region", "KZ-99"], "region: there is no 'KZ-99'; there are KZ, KZ-10"),
        (["--year", "2021", "--region", "KZ-10"], "region: there is no 'KZ-10'"),
        (["--year", "1900"], "year: there is no 1900; there are 1990"),
        (["--year", "2014", "--chapter", "education"], "year for education: there is no 2014"),
    ],
)
def test_an_unknown_parameter_is_refused_before_anything_runs(copy: Project, options: list[str], message: str) -> None:
    done = run_balalar("build", *options, "--out", str(copy.root / "site"), root=copy.root)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (copy.root / "site").exists()


def test_a_site_never_replaces_what_no_build_has_made(copy: Project) -> None:
    (copy.root / "mine").mkdir()
    (copy.root / "mine" / "letter").write_text("dear")
    for out in ("mine", "data/site"):
        done = run_balalar(
            "build", "--chapter", "health", "--lang", "en", "--out", str(copy.root / out), root=copy.root
        )
        assert done.returncode == 1
        assert "choose another --out" in done.stderr
    assert (copy.root / "mine" / "letter").read_text() == "dear"
