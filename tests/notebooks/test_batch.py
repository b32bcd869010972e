"""The batch: what is made again and what is kept, what a build that ends early leaves, what a brief leaves the next."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from balalar.batch import inputs, kernel
from balalar.batch.engine import execute
from balalar.batch.job import Job, Limits
from balalar.batch.prepared import Prepared, tried
from balalar.batch.progress import Progress
from balalar.batch.run import Means, make
from balalar.batch.state import MARKER, Wanted
from balalar.dataset import _held, hold
from balalar.paths import Project
from balalar.site import opened
from balalar.traces import tracing
from tests.conftest import BALALAR, environment, run_balalar
from tests.notebooks.breaking import left_behind, marked, workplaces

FEW = ("--chapter", "health", "--chapter", "social_protection", "--lang", "en", "--lang", "kk")


def _pages(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def _dry(project: Project, *options: str) -> str:
    done = run_balalar("build", *FEW, *options, "--dry-run", root=project.root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _build(project: Project, *options: str) -> subprocess.CompletedProcess[str]:
    return run_balalar("build", *FEW, "--out", str(project.root / "site"), *options, root=project.root)


# -- what is made again ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(where: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a site of four briefs, and a report of how they were made; not to be changed."""
    root = tmp_path_factory.mktemp("built") / "project"
    for name in ("data", "notebooks"):
        shutil.copytree(where.root / name, root / name)
    project = Project(root)
    assert "4 of 4 briefs would be made" in _dry(project)
    done = _build(project, "--report", str(root / "report.json"))
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def again(built: Project, tmp_path: Path) -> Project:
    """A copy of it, to be changed."""
    shutil.copytree(built.root, tmp_path / "project")
    return Project(tmp_path / "project")


def test_nothing_is_made_where_nothing_has_changed(built: Project) -> None:
    before = _pages(built.root / "site")
    done = _build(built)
    assert re.match(r"nothing has changed: 4 briefs in \S+/site/index.html", done.stdout), done
    assert _pages(built.root / "site") == before
    assert _dry(built) == "0 of 4 briefs would be made\n"
    assert "\n4 of 4 briefs would be made\n" in _dry(built, "--force")


def test_a_site_that_someone_touched_is_put_right_from_what_is_kept(again: Project) -> None:
    page = again.root / "site" / "en" / "2022" / "health.html"
    before = page.read_bytes()
    page.write_text("a page that someone wrote over")
    done = _build(again)
    assert "4 of 4 briefs have not changed and are kept" in done.stdout
    assert page.read_bytes() == before


def test_a_changed_cell_remakes_the_briefs_that_show_the_indicator_and_no_others(again: Project) -> None:
    path = again.observations / "infant_mortality_rate.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    at = next(n for n, row in enumerate(rows) if row[:3] == ["2022", "KZ", "7.68"])
    rows[at][2] = "7.99"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    told = _dry(again)
    assert told.splitlines() == [
        "health 2022 kk: figures of infant_mortality_rate changed",
        "health 2022 en: figures of infant_mortality_rate changed",
        "2 of 4 briefs would be made",
    ]
    done = _build(again)
    assert "2 of 4 briefs have not changed and are kept" in done.stdout
    assert done.stdout.count(" done in ") == 2
    assert "7.99" in (again.root / "site" / "en" / "2022" / "health.html").read_text(encoding="utf-8")


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "reason", "count"),
    [
        ("data/text/health.yml", "data/text/health.yml changed", 2),
        ("data/text/common.yml", "data/text/common.yml changed", 4),
        ("data/indicators/child_suicide_rate.yml", "data/indicators/child_suicide_rate.yml changed", 2),
        ("data/indicators/no_basic_sanitation_share.yml", "", 0),
        ("data/text/education.yml", "", 0),
        ("data/codes.yml", "data/codes.yml changed", 4),
    ],
)
def test_a_brief_is_made_again_for_its_own_inputs_only(again: Project, file: str, reason: str, count: int) -> None:
    _append(again.root / file, "# a remark\n")
    told = _dry(again)
    assert told.endswith(f"{count} of 4 briefs would be made\n")
    assert told.count(reason) >= count


def test_another_version_of_a_package_is_a_change(again: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Wanted(chapters=("health",), langs=("en",))
    monkeypatch.setattr(inputs, "version", lambda name: "0.0.1")
    with opened(again, wanted) as planned:
        assert list(planned.reasons.values()) == [["versions"]]


def test_a_kept_brief_that_is_damaged_is_made_again(again: Project) -> None:
    (kept,) = (again.root / "build" / "kept").rglob("en/2022/health.json.gz")
    kept.write_bytes(kept.read_bytes()[:-40])
    (again.root / "site" / MARKER).unlink()
    shutil.rmtree(again.root / "site")
    done = _build(again)
    assert done.returncode == 1
    assert "the kept brief is damaged and was removed; build again" in done.stderr
    assert not (again.root / "site").exists()
    done = _build(again)
    assert done.returncode == 0 and "3 of 4 briefs have not changed" in done.stdout


def test_the_report_tells_of_each_brief(built: Project) -> None:
    told = json.loads((built.root / "report.json").read_text(encoding="utf-8"))
    assert [brief["page"] for brief in told["briefs"]] == [
        f"{lang}/2022/{chapter}.html" for chapter in ("health", "social_protection") for lang in ("kk", "en")
    ]
    for brief in told["briefs"]:
        assert brief["outcome"] == "made" and brief["failure"] == ""
        assert re.fullmatch(r"[0-9a-f]{32}", brief["inputs"])
        assert 0 < brief["processor_seconds"] <= brief["seconds"] * 1.2
        assert 100 < brief["megabytes"] < 2048
    assert len({brief["inputs"] for brief in told["briefs"]}) == 2  # the languages of a chapter have the same inputs
    assert told["versions"]["python"].startswith("3.")


def test_quiet_is_quiet(built: Project, tmp_path: Path) -> None:
    done = _build(built, "--quiet", "--force", "--workers", "1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ordinary_kernels_make_the_same_bytes(built: Project, tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = run_balalar("build", "--chapter", "health", "--lang", "kk", "--kernels", "--force", "--out", str(out),
                       root=built.root, mark="kernels")  # fmt: skip
    assert done.returncode == 0, done.stderr
    forked = tmp_path / "forked"
    run_balalar("build", "--chapter", "health", "--lang", "kk", "--force", "--out", str(forked), root=built.root)
    assert _pages(out) == _pages(forked)
    assert left_behind("kernels") == []


# -- an end in the middle ----------------------------------------------------------------------------


def _begin(project: Project, mark: str, *options: str) -> subprocess.Popen[str]:
    """A build of many briefs, returned when two of them are made."""
    build = subprocess.Popen(
        [str(BALALAR), "build", *FEW, "--region", "KZ-61", "--region", "KZ-75", "--out", str(project.root / "site")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=marked(mark, project),
    )  # fmt: skip
    assert build.stdout
    for line in build.stdout:
        if line.startswith("[  2/8]"):
            return build
    raise AssertionError(build.stderr.read() if build.stderr else "")


def test_ctrl_c_leaves_the_last_site_and_no_process(again: Project) -> None:
    before = _pages(again.root / "site")
    build = _begin(again, "ctrl-c")
    build.send_signal(signal.SIGINT)
    _, errors = build.communicate(timeout=15)
    assert build.returncode == 130
    assert errors == "stopped; nothing was written, and briefs that were made are kept for the next build\n"
    assert left_behind("ctrl-c") == []
    assert _pages(again.root / "site") == before
    assert workplaces(again) == []


def test_a_killed_build_leaves_the_last_site_and_the_next_goes_on(again: Project) -> None:
    before = _pages(again.root / "site")
    build = _begin(again, "killed")
    build.kill()
    build.communicate()
    assert left_behind("killed") == []
    assert _pages(again.root / "site") == before
    done = run_balalar("build", *FEW, "--region", "KZ-61", "--region", "KZ-75", "--out", str(again.root / "site"),
                       root=again.root)  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept = re.match(r"(\d) of 8 briefs have not changed and are kept", done.stdout)
    assert kept and int(kept[1]) >= 2
    assert workplaces(again) == []
    assert len(list((again.root / "site").rglob("KZ-*/*.html"))) == 8


@pytest.mark.parametrize("left", [1, 4], ids=["for the snapshot", "for the briefs"])
def test_a_full_disk_is_told(again: Project, tmp_path: Path, left: int) -> None:
    """On a real disk with so many megabytes left, in a name space of our own; skipped where that is not to be had."""
    disk, page = tmp_path / "disk", "site/en/2022/health.html"
    script = f"""
        mount -t tmpfs -o size=30m none {disk} && cp -r {again.root}/. {disk} || exit 77
        head -c 40m /dev/zero > {disk}/rest 2>/dev/null; truncate -s -{left}m {disk}/rest
        BALALAR_ROOT={disk} {BALALAR} build {" ".join(FEW)} --force --out {disk}/site >/dev/null
        status=$?; ls -A {disk} {disk}/build; cmp {disk}/{page} {again.root}/{page} && echo the last site stands
        exit $status
    """
    disk.mkdir()
    done = subprocess.run(["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True, check=False,
                          env=environment("full"))  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no disk can be mounted here")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "the last site stands" in done.stdout
    assert ".balalar-" not in done.stdout
    assert left_behind("full") == []


# -- one brief and the next --------------------------------------------------------------------------

LEAKS = (
    "import os, sys, random, pandas as pd, matplotlib, numpy as np\nimport matplotlib.pyplot as plt",
    "leaked = 1; os.environ['LEAKED'] = '1'; matplotlib.rcParams['font.size'] = 77; plt.figure()\n"
    "pd.set_option('display.max_rows', 7); sys.path.insert(0, '/leaked'); os.mkdir('here'); os.chdir('here')",
)
STATE = (
    "print('leaked' in globals(), os.environ.get('LEAKED'), matplotlib.rcParams['font.size'], plt.get_fignums(),"
    " pd.get_option('display.max_rows'), '/leaked' in sys.path, os.listdir('.'), random.random(), np.random.rand())\n"
    "raise RuntimeError"
)


def test_a_run_leaves_nothing_to_the_next(prepared: Callable[..., dict[str, Any]]) -> None:
    first = prepared(LEAKS[0], STATE)
    assert first["tail"][0].startswith("False None")
    leaking = prepared(*LEAKS, STATE)
    assert leaking["tail"][0].startswith("True 1 77.0 [1] 7 True []")
    assert prepared(LEAKS[0], STATE)["tail"] == first["tail"]


def test_a_value_is_no_code(prepared: Callable[..., dict[str, Any]]) -> None:
    evil = "en'\"\"\"; raise ValueError('injected') #\\"
    found = prepared("print(repr(lang)); raise RuntimeError", lang=evil)
    assert found["failure"].startswith("cell 3") and "injected" not in found["failure"]
    assert found["tail"] == [repr(evil)]


def test_a_notebook_with_other_parameters_is_refused(copy: Project) -> None:
    path = copy.notebooks / "health.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("region = None", "place = None", 1), encoding="utf-8")
    done = run_balalar("build", "--chapter", "health", "--out", str(copy.root / "site"), root=copy.root)
    assert done.returncode == 1
    assert "the cell tagged «parameters» must set year, lang, region; it sets year, lang, place" in done.stderr


def test_a_lost_start_is_tried_again(prepared: Callable[..., dict[str, Any]], process, tmp_path: Path) -> None:
    """The prepared process is killed: the next brief gets a new one."""
    own, _ = process
    own.start()
    os.kill(own._process.pid, signal.SIGKILL)
    assert prepared("print('well')")["failure"] == ""


def test_hundreds_of_runs_leave_the_process_as_it_was(prepared: Callable[..., dict[str, Any]], process) -> None:
    own, _ = process

    def held() -> float:
        return psutil.Process(own._process.pid).memory_info().rss / 2**20

    def files() -> int:
        time.sleep(0.5)  # a connection is let go of just after the end of its brief was told
        return psutil.Process(own._process.pid).num_fds()

    prepared("1")
    before, opened = held(), files()
    for _ in range(200):
        assert prepared("hog = bytearray(2**24)")["failure"] == ""
    assert held() - before < 4
    assert files() == opened


def test_where_no_process_can_be_prepared_a_kernel_makes_the_brief(where: Project, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    barren = Prepared(tmp_path, tmp_path / "place", [])  # there are no data, so it ends
    told = io.StringIO()
    job = Job(2022, "KZ", "how_we_compare", "en")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BALALAR_ROOT", "")  # as the kernel's manager sets it
        (outcome,) = make([job], where, tmp_path, Means(), barren, Progress(1, stream=told), lambda _: None)
    assert outcome.failure == "" and len(outcome.sections) > 2
    assert "the process that is to make the briefs ended: " in told.getvalue()
    assert "each brief gets a kernel of its own, which takes longer" in told.getvalue()


def test_a_kernel_that_does_not_start_is_tried_again(
    where: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = []
    begin = kernel.LocalKernelManager.start_kernel

    async def unsteady(self, **options):
        starts.append(1)
        if len(starts) < 3:
            raise OSError("resource temporarily unavailable")
        await begin(self, **options)

    monkeypatch.setattr(kernel.LocalKernelManager, "start_kernel", unsteady)
    job = Job(2022, "KZ", "how_we_compare", "en")
    outcome = tried(lambda: kernel.execute(job, where, tmp_path, Limits()))
    assert outcome.failure == "" and outcome.sections and len(starts) == 3


def test_what_a_brief_notes_is_all_that_it_needs(copy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made from a project that holds nothing but its inputs, it is the same."""

    def made() -> tuple[Any, set[str]]:
        with tracing() as looked:
            return execute(copy.notebooks / "welfare.ipynb", parameters, lambda *_: None), looked

    parameters = {"year": 2022, "lang": "en", "region": "KZ-61"}
    monkeypatch.setenv("BALALAR_ROOT", str(copy.root))
    try:
        dataset = hold(copy)
        whole, looked = made()
        figures = sorted(name.partition(":")[2] for name in looked if name.startswith("figures:"))
        assert len(figures) < 100
        _held[copy] = dataset.only(figures)
        for name in set(dataset.catalogue.cards) - {one.partition(":")[2] for one in looked}:
            dict.pop(dataset.catalogue.cards, name)
        assert made()[0] == whole
    finally:
        _held.pop(copy)
