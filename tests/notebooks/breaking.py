"""Notebooks that go wrong, and a look at what a build leaves behind."""

from __future__ import annotations

import json
import time
from pathlib import Path

from balalar.paths import Project
from tests.conftest import environment


def put_cell(project: Project, chapter: str, source: str) -> None:
    """Put a cell after the header of a chapter's notebook; it becomes the sixth in all, as papermill adds one."""
    path = project.notebooks / f"{chapter}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = {"cell_type": "code", "id": "bad", "metadata": {}, "execution_count": None, "outputs": []}
    notebook["cells"].insert(4, {**cell, "source": [source]})
    path.write_text(json.dumps(notebook), encoding="utf-8")


def processes(mark: str) -> list[str]:
    """Command lines of all processes whose environment bears a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has just ended, or is another's
            continue
    return found


def left_behind(mark: str, patience: float = 15) -> list[str]:
    """Processes that still run some time after their build has ended."""
    end = time.monotonic() + patience
    while (found := processes(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def marked(mark: str, project: Project) -> dict[str, str]:
    """Environment of a build of a project, with a folder of its own for what is temporary."""
    temporary(project).mkdir(exist_ok=True)
    return environment(mark, project.root) | {"TMPDIR": str(temporary(project))}


def temporary(project: Project) -> Path:
    """Folder in which the builds of a project put what is temporary."""
    return project.root / "temporary"


def workplaces(project: Project) -> list[Path]:
    """What builds have not cleared away in a project."""
    aside = [path for path in project.root.rglob(".balalar-*") if path.name != ".balalar-site"]
    return aside + list(temporary(project).glob("*"))
