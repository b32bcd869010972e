"""What the tests share: a copy of the project, the built sites, the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from balalar.cards import Catalogue, load
from balalar.dataset import Dataset, open_dataset
from balalar.paths import Project, project

REPORT = Path(__file__).parents[2] / "shared" / "report-2022.txt"
BALALAR = Path(sys.executable).parent / "balalar"


def run_balalar(*arguments: str, root: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    environment = {**os.environ, **({"BALALAR_ROOT": str(root)} if root else {})}
    return subprocess.run([str(BALALAR), *arguments], capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="session")
def where() -> Project:
    return project()


@pytest.fixture(scope="session")
def catalogue(where: Project) -> Catalogue:
    return load(where)


@pytest.fixture(scope="session")
def dataset(where: Project) -> Dataset:
    return open_dataset(where)


@pytest.fixture
def copy(where: Project, tmp_path: Path) -> Project:
    """A copy of the project's data and notebooks that a test may damage or extend."""
    for name in ("data", "notebooks"):
        shutil.copytree(where.root / name, tmp_path / "project" / name)
    return Project(tmp_path / "project")


def _built(folder: Path, *options: str) -> Path:
    done = run_balalar("build", "--out", str(folder), *options)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the newest report: all chapters and languages."""
    return _built(tmp_path_factory.mktemp("site") / "newest")


@pytest.fixture(scope="session")
def earlier_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The year before: 17 regions, fewer figures."""
    return _built(tmp_path_factory.mktemp("site") / "earlier", "--year", "2021")


@pytest.fixture(scope="session")
def region_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large region in all languages."""
    return _built(tmp_path_factory.mktemp("site") / "region", "--region", "KZ-61")


@pytest.fixture(scope="session")
def new_region_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region that was born in 2022, in one language."""
    return _built(tmp_path_factory.mktemp("site") / "new-region", "--region", "KZ-10", "--lang", "kk")


@pytest.fixture(scope="session")
def earlier_region_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two regions in the year before, in one language: what the languages differ in, the others show."""
    folder = tmp_path_factory.mktemp("site") / "earlier-regions"
    return _built(folder, "--year", "2021", "--region", "KZ-61", "--region", "KZ-75", "--lang", "kk")


@pytest.fixture(scope="session")
def report() -> Path:
    """The text of the real report, which is not ours to publish."""
    if not REPORT.exists():
        pytest.skip("the text of the 2022 report is not here")
    return REPORT
