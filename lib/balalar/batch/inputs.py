"""What a brief is made of, by content: each input has a name, as in ``traces``, and a checksum.

A brief's inputs are those that it looked at when it was made last, and those that every brief has: its notebook, the
codes, the edition, the sources, the modules and templates of the library that it may call, the versions of the
packages that draw and compute.
"""

from __future__ import annotations

import ast
import platform
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import nbformat

from balalar.cards import Catalogue
from balalar.dataset import read_corrections
from balalar.paths import Project

PACKAGES = (
    "babel", "ipython", "jinja2", "markupsafe", "matplotlib", "nbconvert", "nbformat", "numpy", "pandas", "papermill",
    "pydantic", "pyyaml", "salib", "scipy", "seaborn", "statsmodels",
)  # fmt: skip
EVERY = ("codes", "edition", "sources")  # files of the data that each brief reads
RUNS = "balalar.batch.engine"  # runs the cells of every notebook
ABSENT = "absent"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages on which the bytes of a page depend."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def in_words(name: str) -> str:
    """An input as a person knows it: the file to look into."""
    kind, _, one = name.partition(":")
    told = {
        "notebook": f"notebooks/{one}.ipynb changed",
        "text": f"data/text/{one}.yml changed",
        "card": f"data/indicators/{one}.yml changed",
        "figures": f"figures of {one} changed",
        "chapter": f"indicators of the chapter {one} changed",
        "file": f"data/{one}.yml changed",
        "data": f"data/{one} changed",
        "module": f"lib/{one.replace('.', '/')}.py changed",
        "templates": "the templates changed",
        "versions": "versions of packages changed",
        "new": "not made yet",
        "forced": "asked for by --force",
    }
    if one == "*":
        return "any card changed" if kind == "card" else "any figure changed"
    return told.get(kind, "the data changed")


def digest(*parts: bytes | str) -> str:
    """Checksum of some bytes or words, each apart from the next."""
    found = sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        found.update(len(raw).to_bytes(8, "big"))
        found.update(raw)
    return found.hexdigest()[:32]


class Inputs:
    """Checksums of all inputs of a project, each worked out when it is asked for.

    Parameters
    ----------
    where : Project
        Nothing in it changes meanwhile.
    catalogue : Catalogue
        Of the project.
    """

    def __init__(self, where: Project, catalogue: Catalogue) -> None:
        self._where, self._catalogue = where, catalogue
        self._known: dict[str, str] = {}

    def of(self, chapter: str, looked: Iterable[str]) -> dict[str, str]:
        """Inputs of a brief with their checksums.

        Parameters
        ----------
        chapter : str
        looked : iterable of str
            Names of what its notebook looked at; ``*`` stands for all data.
        """
        names = {f"notebook:{chapter}", "versions", "templates", *(f"file:{name}" for name in EVERY), *looked}
        names |= {f"module:{name}" for name in self.modules(chapter)}
        return {name: self.checksum(name) for name in sorted(names)}

    def checksum(self, name: str) -> str:
        """Checksum of an input."""
        if name not in self._known:
            self._known[name] = self._work_out(name)
        return self._known[name]

    def _work_out(self, name: str) -> str:
        kind, _, one = name.partition(":")
        where = self._where
        files = {
            "notebook": where.notebooks / f"{one}.ipynb",
            "text": where.text / f"{one}.yml",
            "card": where.indicators / f"{one}.yml",
            "file": where.data / f"{one}.yml",
        }
        if one == "*" or kind == "*":
            folder = {"card": where.indicators, "figures": where.observations}.get(kind, where.data)
            return digest(_folder(folder), *([] if kind == "card" else [_file(where.corrections)]))
        if kind in files:
            return _file(files[kind])
        if kind == "figures":
            rows = [str(sorted(row.items())) for row in self._corrections.get(one, [])]
            return digest(_file(where.observations / f"{one}.csv"), *rows)
        if kind == "chapter":
            cards = sorted(card.id for card in self._catalogue.chapter_cards(one))
            return digest(*(part for card in cards for part in (card, self.checksum(f"card:{card}"))))
        if kind == "data":
            return _folder(where.data / one)
        if kind == "module":
            return _file(self._modules[one]) if one in self._modules else ABSENT
        if kind == "templates":
            return _folder(self._library / "templates")
        return digest(*(f"{package} {number}" for package, number in versions().items()))

    @cached_property
    def _library(self) -> Path:
        return self._where.root / "lib" / "balalar"

    @cached_property
    def _corrections(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        for row in read_corrections(self._where):
            found.setdefault(row["indicator"], []).append({name: row[name] for name in row if name != "line"})
        return found

    # -- modules -----------------------------------------------------------------------------------------

    def modules(self, chapter: str) -> list[str]:
        """Modules of the library that a chapter's notebook and what runs it may call."""
        try:
            todo = [*self._imported(_code(self._where.notebooks / f"{chapter}.ipynb")), RUNS]
        except SyntaxError:  # it will not run either
            todo = list(self._modules)
        found = set[str]()
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self._imports.get(name, [])
        return sorted(found)

    @cached_property
    def _modules(self) -> dict[str, Path]:
        found = {}
        for path in self._library.rglob("*.py"):
            parts = path.relative_to(self._library.parent).with_suffix("").parts
            found[".".join(parts)] = path
        return found

    @cached_property
    def _imports(self) -> dict[str, list[str]]:
        found = {name: list(self._imported(path.read_text("utf-8"))) for name, path in self._modules.items()}
        # The package itself imports only what it is asked for.
        return found | {"balalar.__init__": []}

    def _imported(self, source: str) -> Iterator[str]:
        """Modules that a source imports, the packages they are in among them."""
        homes = self._homes
        for node in ast.walk(ast.parse(source)):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                names += [homes[alias.name] for alias in node.names if node.module == "balalar" and alias.name in homes]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                yield from (one for one in (name, f"{name}.__init__") if one in self._modules)

    @cached_property
    def _homes(self) -> dict[str, str]:
        """Modules from which the package takes what a notebook imports from it."""
        tree = ast.parse(self._modules["balalar.__init__"].read_text("utf-8"))
        tables = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
        return {name: home for table in tables for name, home in ast.literal_eval(table).items()}


def _code(notebook: Path) -> str:
    """Source of a notebook's code cells without what only IPython understands."""
    cells = nbformat.read(notebook, as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in cell.source.split("\n")]
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _file(path: Path) -> str:
    return digest(path.read_bytes()) if path.is_file() else ABSENT


def _folder(folder: Path) -> str:
    """Checksum of all files in a folder, whatever the order in which the disk lists them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return digest(*(part for path in files for part in (path.relative_to(folder).as_posix(), path.read_bytes())))
