"""The same build on a Dask cluster whose scheduler and workers are processes of their own; one of them is killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from balalar.batch.cluster import workshop
from balalar.batch.inputs import versions
from balalar.batch.run import snapshot
from balalar.errors import BalalarError
from balalar.paths import Project
from tests.conftest import BALALAR, run_balalar
from tests.notebooks.breaking import left_behind, marked, processes, workplaces

WANTED = ("--region", "KZ-61", "--region", "KZ-75", "--region", "KZ", "--lang", "en", "--lang", "kk")
CHAPTERS = ("--chapter", "health", "--chapter", "demography")


def _dask(mark: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "distributed.cli.dask_worker"] if arguments[0] == "worker" else None
    command = command or [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.Popen(
        [*command, *arguments[1:]], cwd=folder, env=environment | {"BALALAR_TEST": mark},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Address of a scheduler, and two workers, which have the packages but neither our folder nor our settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = _dask("cluster", tmp_path, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    options = ("--nworkers", "1", "--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path))
    workers = [_dask("cluster", tmp_path, "worker", address, *options) for _ in range(2)]
    try:
        _await_workers(address, 2)
        yield address, workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def _await_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


def _bytes(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_a_cluster_makes_the_same_bytes_though_a_worker_is_killed(
    copy: Project, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[str]]]
) -> None:
    address, workers = cluster
    here, there = tmp_path / "here", tmp_path / "there"
    done = run_balalar("build", *WANTED, *CHAPTERS, "--out", str(here), "--workers", "3", root=copy.root)
    assert done.returncode == 0, done.stderr
    build = subprocess.Popen(
        [str(BALALAR), "build", *WANTED, *CHAPTERS, "--out", str(there), "--scheduler", address, "--force"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=marked("client", copy),
    )  # fmt: skip
    first = build.stdout.readline()
    assert re.match(r"\[  1/12\] \w+ 2022", first), build.communicate()
    workers[0].send_signal(signal.SIGKILL)
    told, errors = build.communicate(timeout=300)
    assert build.returncode == 0, errors
    assert "12 briefs in" in told
    assert _bytes(here) == _bytes(there)
    assert left_behind("client") == []
    # What the workers had got and started is gone; only the scheduler and the worker that lives are left.
    end = time.monotonic() + 20
    while len(found := processes("cluster")) > 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert len(found) == 2, found
    assert workplaces(copy) == []


def test_a_worker_with_other_packages_is_refused(
    where: Project, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[str]]]
) -> None:
    copy = snapshot(where, tmp_path / "project")
    wanted = versions() | {"pandas": "0.1"}
    with (
        pytest.raises(BalalarError, match=r"a worker cannot make the briefs: pandas is \d[\d.]+ there and 0\.1 here"),
        workshop(cluster[0], copy.root, ["how_we_compare"], wanted),
    ):
        pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9", "nope://127.0.0.1:9"])
def test_a_cluster_that_is_not_there_is_told(copy: Project, address: str) -> None:
    done = run_balalar(
        "build", "--chapter", "health", "--lang", "en", "--scheduler", address, "--out",
        str(copy.root / "site"), root=copy.root,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"--scheduler {address}: no Dask scheduler answers there" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (copy.root / "site").exists()


def test_an_address_that_is_none_is_refused(where: Project) -> None:
    with (
        pytest.raises(BalalarError, match=r"--scheduler here: an address is written as in tcp://HOST:PORT"),
        workshop("here", where.root, [], {}),
    ):
        pass
