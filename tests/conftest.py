"""What the tests share: a copy of the project, the built sites, the command line."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from balalar.cards import Catalogue, load
from balalar.dataset import Dataset, open_dataset
from balalar.paths import Project, project

REPORT = Path(__file__).parents[2] / "shared" / "report-2022.txt"
BALALAR = Path(sys.executable).parent / "balalar"


def run_balalar(*arguments: str, root: Path | None = None, mark: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would; all its processes bear the mark in their environment."""
    return subprocess.run(
        [str(BALALAR), *arguments], capture_output=True, text=True, env=environment(mark, root), check=False
    )


def environment(mark: str, root: Path | None = None) -> dict[str, str]:
    """Environment of a command, perhaps of another project, that bears a mark."""
    return {**os.environ, "BALALAR_TEST": mark, **({"BALALAR_ROOT": str(root)} if root else {})}


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


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """What only one worker does at a time; the others wait."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A site of a name and options of ``balalar build``, built by the worker that needs it first, for all of them.

    One at a time: a build uses all cores itself. Who waits for a site waits for no other, so each has a lock of its
    own. A build that failed is not tried again by the next worker.
    """
    own = tmp_path_factory.getbasetemp()
    sites = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "sites"
    sites.mkdir(exist_ok=True)

    def built(name: str, *options: str) -> Path:
        folder, failure = sites / name, sites / f"{name}.failure"
        with _alone(sites / f"{name}.lock"):
            if not failure.exists():
                with _alone(sites / "build.lock"):
                    # What an earlier run of the tests has kept is no proof.
                    done = run_balalar("build", "--force", "--out", str(folder), *options)
                told = (done.stderr or f"exit status {done.returncode}") if done.returncode else ""
                failure.write_text(told, encoding="utf-8")  # empty where nothing failed
        assert failure.read_text(encoding="utf-8") == ""
        return folder

    return built


@pytest.fixture(scope="session")
def site(built_once: Callable[..., Path]) -> Path:
    """The site of the newest report: all chapters and languages."""
    return built_once("newest")


@pytest.fixture(scope="session")
def earlier_site(built_once: Callable[..., Path]) -> Path:
    """The year before: 17 regions, fewer figures; in the two languages that its regions are not built in."""
    return built_once("earlier", "--year", "2021", "--lang", "ru", "--lang", "en")


@pytest.fixture(scope="session")
def region_site(built_once: Callable[..., Path]) -> Path:
    """A large region in all languages."""
    return built_once("region", "--region", "KZ-61")


@pytest.fixture(scope="session")
def new_region_site(built_once: Callable[..., Path]) -> Path:
    """A region that was born in 2022, in one language."""
    return built_once("new-region", "--region", "KZ-10", "--lang", "kk")


@pytest.fixture(scope="session")
def earlier_region_site(built_once: Callable[..., Path]) -> Path:
    """A city in the year before, in one language: what the languages differ in, the others show."""
    return built_once("earlier-region", "--year", "2021", "--region", "KZ-75", "--lang", "kk")


@pytest.fixture(scope="session")
def report() -> Path:
    """The text of the real report, which is not ours to publish."""
    if not REPORT.exists():
        pytest.skip("the text of the 2022 report is not here")
    return REPORT
