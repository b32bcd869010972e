"""Imports go down only: a module may know of the floors below its own."""

import ast
from pathlib import Path

import pytest

import balalar

# From the ground up. Within a floor the order of its list is the only direction.
GROUND = ["errors", "paths", "traces"]
DATA = ["atomic", "cards", "layout", "dataset", "ingest", "exchange", "claims", "coverage", "spec", "values"]
DATA += ["framework", "screen"]
ANALYSIS = ["intervals", "measures", "estimates", "compare", "trends", "inequality", "cohorts", "audit", "index"]
ANALYSIS += ["wellbeing"]
PRESENTATION = ["words", "charts", "tables", "findings", "panels", "views", "brief", "method_brief", "telling"]
PRESENTATION += ["audit_brief", "index_brief"]
FLOORS = [GROUND, DATA, ANALYSIS, PRESENTATION, ["batch", "press", "site"], ["cli", "__init__"]]
ORDER = [module for floor in FLOORS for module in floor]
AUDIT = ["__init__", "interval", "evidence", "finding", "grim", "levels", "identities", "verdicts", "columns", "slips"]
AUDIT += ["copies", "jumps", "forensics", "repair", "run"]
INDEX = ["__init__", "prepare", "normalise", "aggregate", "weigh", "build", "noise", "simulate", "sensitivity"]
INDEX += ["explain", "reconstruct", "tables"]
DISK = {"atomic", "cards", "dataset", "ingest", "screen", "exchange", "claims", "coverage", "press", "site", "cli"}
DISK |= {"paths", "values", "inputs", "kept", "state", "prepared", "warm"}
BATCH = ["__init__", "job", "plan", "inputs", "kept", "state", "progress", "prepared", "engine", "warm", "kernel"]
BATCH += ["cluster", "run"]
PACKAGES = {"audit": AUDIT, "index": INDEX, "batch": BATCH}
BELOW = {"audit": 2, "index": 2, "batch": 4}  # floors that a package knows
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
    modules = {path.stem for path in LIBRARY.glob("*.py")} | {path.parent.name for path in LIBRARY.glob("*/*.py")}
    assert modules == set().union(*FLOORS) & modules
    assert modules <= set(ORDER)
    for package, order in PACKAGES.items():
        assert {path.stem for path in (LIBRARY / package).glob("*.py")} == set(order)


def test_imports_go_down_only() -> None:
    floor = {module: at for at, modules in enumerate(FLOORS) for module in modules}
    wrong = [
        f"{path.stem} imports {name}"
        for path in LIBRARY.glob("*.py")
        for name in _imports(path)
        if floor[name] > floor[path.stem] or ORDER.index(name) >= ORDER.index(path.stem)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_read_from_the_bottom_and_knows_only_what_is_below(package: str) -> None:
    below = {module for floor in FLOORS[: BELOW[package]] for module in floor}
    order = PACKAGES[package]
    for path in (LIBRARY / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("balalar"):
                continue
            parts = (node.module or "").split(".")
            if parts[1] != package:
                assert parts[1] in below, f"{path.stem} imports {parts[1]}"
                continue
            for name in [parts[2]] if len(parts) > 2 else [alias.name for alias in node.names]:
                assert order.index(name) < order.index(path.stem), f"{path.stem} imports {name}"


def test_only_the_data_and_publication_floors_touch_the_disk() -> None:
    touching = {
        path.stem for path in LIBRARY.rglob("*.py") if any(call in path.read_text(encoding="utf-8") for call in CALLS)
    }
    assert touching <= DISK
