"""Imports go down only: a module may know of the floors below its own."""

import ast
from pathlib import Path

import balalar

FLOORS = [
    {"errors", "paths"},
    {"atomic", "cards", "dataset", "screen", "ingest", "layout", "exchange"},
    {"measures"},
    {"words", "charts", "tables", "findings", "views", "brief"},
    {"press", "site"},
    {"cli", "__init__"},
]
# Within a floor the order of this list is the only direction.
ORDER = ["errors", "paths", "atomic", "cards", "layout", "dataset", "screen", "ingest", "exchange", "measures", "words"]
ORDER += ["charts", "tables", "findings", "views", "brief", "press", "site", "cli", "__init__"]
DISK = {"atomic", "cards", "dataset", "ingest", "screen", "exchange", "press", "site", "cli", "paths"}
CALLS = (".open(", "read_text(", "write_text(", "os.replace")
LIBRARY = Path(balalar.__file__).parent


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "balalar":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found


def test_every_module_has_a_floor() -> None:
    modules = {path.stem for path in LIBRARY.glob("*.py")}
    assert modules == set().union(*FLOORS) & modules
    assert modules <= set(ORDER)


def test_imports_go_down_only() -> None:
    floor = {module: at for at, modules in enumerate(FLOORS) for module in modules}
    wrong = [
        f"{path.stem} imports {name}"
        for path in LIBRARY.glob("*.py")
        for name in _imports(path)
        if floor[name] > floor[path.stem] or ORDER.index(name) >= ORDER.index(path.stem)
    ]
    assert wrong == []


def test_only_the_data_and_publication_floors_touch_the_disk() -> None:
    touching = {
        path.stem for path in LIBRARY.glob("*.py") if any(call in path.read_text(encoding="utf-8") for call in CALLS)
    }
    assert touching <= DISK
