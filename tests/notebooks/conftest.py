"""A prepared process for cells of the tests' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from balalar.batch.prepared import Prepared
from balalar.batch.run import snapshot
from balalar.paths import Project, project


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prepared, Project]]:
    place = tmp_path_factory.mktemp("prepared")
    where = snapshot(project(), place / "project")
    process = Prepared(where.root, place, ["how_we_compare"])
    yield process, where
    process.close()


@pytest.fixture
def prepared(process: tuple[Prepared, Project]) -> Callable[..., dict[str, Any]]:
    """Run cells as a notebook of their own in a fork of one prepared process."""
    own, where = process

    def run(*sources: str, seconds: float = 60, **parameters: Any) -> dict[str, Any]:
        cells = [
            nbformat.v4.new_code_cell("year = None\nlang = None\nregion = None", metadata={"tags": ["parameters"]})
        ]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        path: Path = where.notebooks / "own.ipynb"
        kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
        return own.make("own", {"year": 2022, "lang": "en", "region": None, **parameters}, seconds, 2048)

    return run
