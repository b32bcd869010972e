"""Files and folders that appear whole or not at all, also where the process is killed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".balalar-"
OLD = "old-"
OPEN: set[Path] = set()  # workplaces of this process; others of its number are of one that died before it


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """Folder beside ``out`` in which it is prepared; gone at the end.

    What killed processes have left beside ``out`` is removed; an old ``out`` that one of them had
    set aside comes back.

    Parameters
    ----------
    out : Path
        File or folder that will be put in place; its parent is made if it is not there.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    mend(out.parent)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=out.parent) as folder:
        OPEN.add(Path(folder))
        try:
            yield Path(folder)
        finally:
            OPEN.discard(Path(folder))


def put(fresh: Path, out: Path) -> None:
    """Put a prepared file or folder in the place of the old one, which comes back if that fails.

    Parameters
    ----------
    fresh : Path
        In the workplace of ``out``.
    out : Path
    """
    old = fresh.parent / f"{OLD}{out.name}"
    if out.is_dir():
        os.replace(out, old)
    try:
        os.replace(fresh, out)
    except BaseException:
        if old.exists() and not out.exists():
            os.replace(old, out)
        raise


def mend(parent: Path) -> None:
    """Bring back and remove what processes that run no more have left in a folder.

    Parameters
    ----------
    parent : Path
        Folder in which something is to be read or put.
    """
    for folder in parent.glob(f"{PREFIX}*"):
        number = re.fullmatch(rf"{re.escape(PREFIX)}([0-9]+)-\w{{8}}", folder.name)
        if not number or not folder.is_dir() or folder in OPEN:
            continue
        if int(number[1]) != os.getpid() and runs(int(number[1])):
            continue
        for old in folder.glob(f"{OLD}*"):
            out = parent / old.name.removeprefix(OLD)
            if not out.exists():
                os.replace(old, out)
        shutil.rmtree(folder, ignore_errors=True)


def runs(process: int) -> bool:
    """Whether a process of this number runs."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
