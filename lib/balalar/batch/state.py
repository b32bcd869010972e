"""Whether anything has changed since a site was built, answered before anything heavy is imported or read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from balalar.paths import Project

MARKER = ".balalar-site"  # stands in every site that a build has made
LIBRARY = Path(__file__).parents[1]
ABOUT = "This folder is made by balalar build and replaced by the next."


@dataclass(frozen=True)
class Wanted:
    """Which briefs a site is to hold; what is left out is as in ``plan``."""

    years: Sequence[int] = ()
    langs: Sequence[str] = ()
    chapters: Sequence[str] = ()
    regions: Sequence[str] = ()

    def request(self) -> dict[str, list[str]]:
        """What was asked for, in one form whatever the order."""
        return {name: sorted({str(one) for one in values}) for name, values in vars(self).items()}


def state_of(where: Project, request: Mapping[str, Any], library: Path = LIBRARY) -> str:
    """Checksum of all that a site is made of: data, notebooks, library, installed packages, and what was asked for.

    Parameters
    ----------
    where : Project
    request : mapping
        Options of the build that the site depends on.
    library : Path
    """
    folders = [(where.data, "data"), (where.notebooks, "notebooks"), (library, "lib")]
    installed = sorted(f"{one.name} {one.version}" for one in distributions())
    parts: list[str] = [json.dumps(dict(request), sort_keys=True, default=list), sys.version, *installed]
    for folder, name in folders:
        parts += [f"{name}/{path} {checksum}" for path, checksum in checksums(folder).items()]
    return sha256("\n".join(parts).encode()).hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    """Checksum of each file in a folder, by its path."""
    paths = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".ipynb_checkpoints")]
        paths += [os.path.join(place, name) for name in files]
    paths.sort()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(_checksum, paths))
    return {os.path.relpath(path, folder).replace(os.sep, "/"): one for path, one in zip(paths, found, strict=True)}


def _checksum(path: str) -> str:
    with open(path, "rb") as file:
        return sha256(file.read()).hexdigest()[:32]


def mark(site: Path, state: str, briefs: int) -> None:
    """Write into a site of what it was made, and what it holds.

    Parameters
    ----------
    site : Path
    state : str
        As from ``state_of``; empty where a brief is missing, so that the next build tries again.
    briefs : int
        How many there are.
    """
    told = {"about": ABOUT, "briefs": briefs, "state": state, "files": checksums(site)}
    (site / MARKER).write_text(json.dumps(told, indent=0) + "\n", encoding="utf-8")


def unchanged(site: Path, state: str) -> int:
    """How many briefs a site holds that is as it was built, of what is there now; 0 for any other.

    Parameters
    ----------
    site : Path
    state : str
        As from ``state_of``.
    """
    try:
        told = json.loads((site / MARKER).read_text(encoding="utf-8"))
        if told["state"] != state:
            return 0
        found = checksums(site)
        found.pop(MARKER, None)
        return int(told["briefs"]) if found == told["files"] else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0
