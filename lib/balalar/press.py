"""The page of a brief, through nbconvert."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import TemplateExporter

from balalar.batch.job import Section

TEMPLATES = Path(__file__).parent / "templates"


class PageExporter(TemplateExporter):
    """nbconvert with our template and none of the passes that a page without cells does not need."""

    output_mimetype = "text/html"
    file_extension = ".html"


@cache
def _exporter() -> PageExporter:
    return PageExporter(template_name="brief", extra_template_basedirs=[str(TEMPLATES)])


def page(sections: Sequence[Section], words: dict[str, Any]) -> str:
    """One HTML page through nbconvert, with the library's template.

    Parameters
    ----------
    sections : sequence of Section
    words : dict
        What the template asks for besides the sections.
    """
    contents = [(section.key, section.title) for section in sections if section.key]
    brief = words | {"sections": sections, "contents": contents}
    # A function, as nbconvert copies whatever else it is given, all the way down.
    html, _ = _exporter().from_notebook_node(nbformat.v4.new_notebook(), resources={"brief": lambda: brief})
    return str(html)
