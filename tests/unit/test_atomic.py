"""Whole or not at all, also after a process was killed."""

import os
from pathlib import Path

import pytest

from balalar import atomic

GONE = 2**22 + 1  # no process has a number above the kernel's largest


def _left_by_a_killed_process(parent: Path) -> Path:
    folder = parent / f".balalar-{GONE}-abcd1234"
    folder.mkdir()
    return folder


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "old").write_text("old")
    with atomic.workplace(out) as aside:
        (aside / "fresh").mkdir()
        (aside / "fresh" / "new").write_text("new")
        atomic.put(aside / "fresh", out)
    assert [path.name for path in out.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_the_old_folder_comes_back_where_the_new_one_cannot_be_put(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "old").write_text("old")
    with atomic.workplace(out) as aside, pytest.raises(FileNotFoundError):
        atomic.put(aside / "missing", out)
    assert (out / "old").read_text() == "old"


def test_what_a_killed_process_set_aside_comes_back_and_its_litter_goes(tmp_path: Path) -> None:
    left = _left_by_a_killed_process(tmp_path)
    (left / "old-site").mkdir()
    (left / "old-site" / "page").write_text("old")
    with atomic.workplace(tmp_path / "other"):
        pass
    assert (tmp_path / "site" / "page").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_leftover_with_our_own_number_is_of_a_process_before_us(tmp_path: Path) -> None:
    """In a container every process is the first."""
    left = tmp_path / f".balalar-{os.getpid()}-abcd1234"
    (left / "old-site").mkdir(parents=True)
    with atomic.workplace(tmp_path / "site") as aside:
        assert (tmp_path / "site").is_dir()
        atomic.mend(tmp_path)
        assert aside.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    kept = ["balalar-2021-en", ".balalar-notes", f".balalar-{os.getppid()}-abcd1234", f".balalar-{GONE}-short"]
    for name in kept:
        (tmp_path / name).mkdir()
    with atomic.workplace(tmp_path / "site"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
