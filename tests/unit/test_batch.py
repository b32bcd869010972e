"""The parts of the batch that need no process: inputs, what is kept, what is told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from balalar.batch.engine import take_sections
from balalar.batch.inputs import Inputs, in_words
from balalar.batch.job import Job, Outcome, Section
from balalar.batch.kept import Kept
from balalar.batch.progress import Progress
from balalar.batch.run import snapshot
from balalar.batch.state import mark, state_of, unchanged
from balalar.brief import PART
from balalar.cards import Catalogue
from balalar.errors import BalalarError
from balalar.paths import Project
from balalar.traces import Looked, Memo, looked, tracing

JOB = Job(2022, "KZ-61", "health", "kk")


class Terminal(io.StringIO):
    """A file that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def copied(where: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return snapshot(where, tmp_path_factory.mktemp("copied") / "project")


def test_what_is_taken_from_memory_counts_as_looked_at() -> None:
    memo, cards = Memo(), Looked("card", {"a": 1, "b": 2})
    for _ in range(2):
        with tracing() as seen:
            assert memo.get("sum", lambda: cards["a"] + 1) == 2
        assert seen == {"card:a"}
    with tracing() as seen:
        assert "c" not in cards and list(cards) == ["a", "b"]
    assert seen == {"card:c", "card:*"}
    with tracing() as outer, tracing() as inner:
        looked("text:health")
    assert outer == inner == {"text:health"}


def test_a_notebook_may_call_the_modules_below_its_entry_only(copied: Project, catalogue: Catalogue) -> None:
    inputs = Inputs(copied, catalogue)
    health, index = inputs.modules("health"), inputs.modules("wellbeing_index")
    assert {"balalar.brief", "balalar.charts", "balalar.batch.engine", "balalar.cards"} <= set(health)
    assert not {"balalar.audit.run", "balalar.index.build", "balalar.cli", "balalar.site"} & set(health)
    assert {"balalar.index.build", "balalar.audit.run", "balalar.index.__init__"} <= set(index)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("data/observations/live_births.csv", "figures:live_births"),
        ("data/indicators/live_births.yml", "card:live_births"),
        ("data/indicators/live_births.yml", "chapter:demography"),
        ("data/text/health.yml", "text:health"),
        ("data/claims/2022/chapter-2.csv", "data:claims"),
        ("notebooks/health.ipynb", "notebook:health"),
        ("lib/balalar/charts.py", "module:balalar.charts"),
        ("lib/balalar/templates/table.html.j2", "templates"),
        ("data/edition.yml", "file:edition"),
        ("data/observations/live_births.csv", "*"),
    ],
)
def test_an_input_has_another_checksum_when_its_file_has_changed(
    copied: Project, catalogue: Catalogue, file: str, name: str
) -> None:
    path = copied.root / file
    before, text = Inputs(copied, catalogue).checksum(name), path.read_bytes()
    other = Inputs(copied, catalogue).checksum("figures:population")
    try:
        path.write_bytes(text + b"\n")
        assert Inputs(copied, catalogue).checksum(name) != before
        assert Inputs(copied, catalogue).checksum("figures:population") == other
    finally:
        path.write_bytes(text)
    assert Inputs(copied, catalogue).checksum(name) == before
    assert "changed" in in_words(name)


def test_a_correction_is_an_input_of_its_indicator_alone(copied: Project, catalogue: Catalogue) -> None:
    text = copied.corrections.read_text(encoding="utf-8")
    names = ("figures:poverty_share", "figures:live_births")
    before = [Inputs(copied, catalogue).checksum(name) for name in names]
    lines = [line for line in text.split("\n") if "poverty_share" not in line]
    try:
        copied.corrections.write_text("\n".join(lines), encoding="utf-8")
        after = [Inputs(copied, catalogue).checksum(name) for name in names]
    finally:
        copied.corrections.write_text(text, encoding="utf-8")
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)


def test_a_kept_brief_comes_back_as_it_was(copied: Project, catalogue: Catalogue, tmp_path: Path) -> None:
    kept = Kept(tmp_path, Inputs(copied, catalogue))
    sections = [Section(blocks=["<p>«Ұлытау»</p>"]), Section("births", "Туу", ["<p>\u2028</p>"], ["Өлім"])]
    assert kept.changed(JOB) == ["new"]
    kept.put(Outcome(JOB, sections, looked=["figures:live_births"]))
    assert kept.changed(JOB) == [] and kept.take(JOB) == sections
    assert kept.checksum(Outcome(JOB)) != kept.checksum(Outcome(JOB, failure="cell 3"))
    (file,) = tmp_path.rglob("*.json.gz")
    first = file.read_bytes()
    kept.put(Outcome(JOB, sections, looked=["figures:live_births"], seconds=9))
    assert file.read_bytes() == first
    file.write_bytes(first[:-9])
    with pytest.raises(BalalarError, match=r"the kept brief is damaged and was removed; build again"):
        kept.take(JOB)
    assert kept.changed(JOB) == ["new"]


def test_a_site_is_unchanged_only_as_it_was_marked(copied: Project, tmp_path: Path) -> None:
    request = {"years": ["2022"]}
    state = state_of(copied, request)
    (tmp_path / "index.html").write_text("a page")
    assert unchanged(tmp_path, state) == 0
    mark(tmp_path, state, 7)
    assert unchanged(tmp_path, state) == 7
    assert state_of(copied, request) == state != state_of(copied, {"years": ["2021"]})
    (tmp_path / "more.html").write_text("one that no build has made")
    assert unchanged(tmp_path, state) == 0


def test_sections_are_taken_of_what_a_notebook_shows() -> None:
    parts = [
        {"heading": (), "markup": "<h1>", "missing": []},
        {"heading": ("a", "A"), "markup": "", "missing": ["x"]},
        {"heading": (), "markup": "<p>", "missing": ["x", "y"]},
    ]
    found = take_sections([{PART: part} for part in parts] + [{"text/plain": "nothing of ours"}])
    assert found == [Section(blocks=["<h1>"]), Section("a", "A", ["<p>"], ["x", "y"])]


def test_plain_lines_tell_how_many_are_done_and_what_time_is_left() -> None:
    told = io.StringIO()
    progress = Progress(2, stream=told)
    progress.begun("worker 0", JOB)
    progress.made(Outcome(JOB, seconds=1.25))
    progress.made(Outcome(JOB, failure="cell 3", seconds=2))
    progress.close()
    first, second = told.getvalue().splitlines()
    assert first.startswith("[  1/2] health 2022 KZ-61 kk done in 1.2 s, some ") and first.endswith(" s left")
    assert second == "[  2/2] health 2022 KZ-61 kk failed in 2.0 s"


def test_a_terminal_has_a_line_a_worker() -> None:
    told = Terminal()
    progress = Progress(2, stream=told)
    progress.begun("worker 0", JOB, 12)
    progress.begun("worker 1", Job(2022, "KZ", "welfare", "en"))
    progress.made(Outcome(JOB, worker="worker 0"))
    shown = told.getvalue()
    progress.close()
    assert "worker 0: health 2022 KZ-61 kk, cell 12" in shown
    assert "worker 1: welfare 2022 en" in shown
    assert "worker 0: health 2022 KZ-61 kk done" in shown
    assert "briefs: 1/2" in shown and " left" in shown


def test_quiet_tells_nothing() -> None:
    told = io.StringIO()
    progress = Progress(1, quiet=True, stream=told)
    progress.made(Outcome(JOB))
    progress.say("anything")
    assert told.getvalue() == ""
