"""The notebooks as they are stored: thin, without outputs, words only through the library."""

import ast
import re

import nbformat
import pytest

from balalar.paths import project

NOTEBOOKS = sorted(project().notebooks.glob("*.ipynb"))
LOGIC = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.While, ast.If, ast.Try, ast.With, ast.comprehension)
YEAR = re.compile(r"\b(19|20)\d\d\b")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request) -> list:
    return nbformat.read(request.param, as_version=4).cells


def test_every_chapter_has_a_notebook(catalogue) -> None:
    assert {path.stem for path in NOTEBOOKS} == set(catalogue.edition.chapters)


def test_the_first_cell_is_for_colleagues_and_the_only_words(cells: list) -> None:
    assert cells[0].cell_type == "markdown"
    assert cells[0].metadata.tags == ["dev-note"]
    assert {cell.cell_type for cell in cells[1:]} == {"code"}


def test_the_second_cell_sets_the_three_parameters(cells: list) -> None:
    assert cells[1].metadata.tags == ["parameters"]
    assert cells[1].source == 'year = None\nlang = "kk"\nregion = None'


def test_a_cell_is_one_call_without_logic_or_a_year(cells: list) -> None:
    for cell in cells[3:]:
        tree = ast.parse(cell.source)
        assert [type(node) for node in tree.body] == [ast.Expr], cell.source
        assert not any(isinstance(node, LOGIC) for node in ast.walk(tree)), cell.source
        assert not YEAR.search(cell.source), cell.source


def test_the_last_cells_give_the_sources_and_check_that_all_was_shown(cells: list) -> None:
    if "open_method" in cells[2].source:
        assert cells[-1].source == "page.indicators()"
        return
    if "open_index" in cells[2].source:
        assert cells[-1].source == "page.coherence()"
        return
    if "open_audit" in cells[2].source:
        assert cells[-1].source == "audit.method()"
        return
    assert [cell.source for cell in cells[-2:]] == ["brief.sources()", "brief.close()"]


def test_no_outputs_are_stored(cells: list) -> None:
    for cell in cells[1:]:
        assert cell.outputs == []
        assert cell.execution_count is None


def test_a_cell_keeps_its_id(cells: list) -> None:
    ids = [cell.id for cell in cells]
    assert len(ids) == len(set(ids))
