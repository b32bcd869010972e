"""Where things lie in a balalar project."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT_VARIABLE = "BALALAR_ROOT"


@dataclass(frozen=True)
class Project:
    """The folders and files of one project.

    Attributes
    ----------
    root : Path
        Folder that holds ``data`` and ``notebooks``.
    """

    root: Path

    @property
    def data(self) -> Path:
        """Folder of all data."""
        return self.root / "data"

    @property
    def indicators(self) -> Path:
        """Folder of the indicator cards."""
        return self.data / "indicators"

    @property
    def observations(self) -> Path:
        """Folder of the observations, one CSV an indicator."""
        return self.data / "observations"

    @property
    def claims(self) -> Path:
        """Folder of the claims, one folder a report."""
        return self.data / "claims"

    @property
    def text(self) -> Path:
        """Folder of the readers' text, one YAML a chapter."""
        return self.data / "text"

    @property
    def wellbeing(self) -> Path:
        """Folder of what is known of the Child Well-being Index, and of our recomputation."""
        return self.data / "wellbeing_index"

    @property
    def notebooks(self) -> Path:
        """Folder of the notebooks, one a chapter."""
        return self.root / "notebooks"

    @property
    def corrections(self) -> Path:
        """File of the corrections."""
        return self.data / "corrections.csv"

    def report(self, year: int) -> Path:
        """Folder that declares how the report of a year is read."""
        return self.data / "reports" / str(year)

    def name(self, path: Path) -> str:
        """Path as a reader of a message knows it: relative to the project if it lies within."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def project() -> Project:
    """Project to work on: the folder in ``BALALAR_ROOT``, else the one this library lies in."""
    root = os.environ.get(ROOT_VARIABLE)
    return Project(Path(root).resolve() if root else Path(__file__).resolve().parents[2])
