"""Briefs that earlier builds have made, each with its inputs: what has not changed is not made again.

A file a brief, put in place whole as soon as the brief is made: a build that was killed is taken up where it was.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from balalar.atomic import runs
from balalar.batch.inputs import Inputs, digest
from balalar.batch.job import Job, Outcome, Section
from balalar.errors import BalalarError

NEW = ".new-"  # begins the names of files that are not whole; the number of their process follows
FORM = 1  # of the files; a file of another form is not read


class Kept:
    """The briefs that are kept in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first brief is put in it.
    inputs : Inputs
        What the briefs are made of now.
    """

    def __init__(self, folder: Path, inputs: Inputs) -> None:
        self._folder, self._inputs = folder, inputs

    def changed(self, job: Job) -> list[str]:
        """Why a brief has to be made: names of the inputs that changed.

        Returns
        -------
        list of str
            Empty where nothing changed; ``new`` where none is kept.
        """
        before = self._before(job)
        if not before:
            return ["new"]
        now = self._inputs.of(job.chapter, before)
        return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]

    def take(self, job: Job) -> list[Section]:
        """Sections of a kept brief.

        Raises
        ------
        BalalarError
            Its file is damaged; it is removed, so that the next build makes the brief anew.
        """
        file = self._file(job)
        try:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                _, sections = lines  # to the end, where gzip's own checksum stands
            return [Section(**section) for section in json.loads(sections)]
        except (EOFError, ValueError, TypeError, gzip.BadGzipFile, zlib.error):
            file.unlink(missing_ok=True)
            raise BalalarError(f"{file}: the kept brief is damaged and was removed; build again") from None

    def put(self, outcome: Outcome) -> None:
        """Keep a brief that was made of the inputs as they are now."""
        inputs = self._inputs.of(outcome.job.chapter, outcome.looked)
        target = self._file(outcome.job)
        target.parent.mkdir(parents=True, exist_ok=True)
        sections = [asdict(section) for section in outcome.sections]
        number, name = tempfile.mkstemp(prefix=f"{NEW}{os.getpid()}-", dir=target.parent)
        try:
            with (
                os.fdopen(number, "wb") as raw,
                gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as file,
            ):
                for line in ({"form": FORM, "inputs": inputs}, sections):
                    file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def checksum(self, outcome: Outcome) -> str:
        """One checksum of all inputs of a brief, of one that failed of all that it may have looked at."""
        job = outcome.job
        found = self._inputs.of(job.chapter, outcome.looked) if outcome.failure else self._before(job)
        return digest(*(f"{name} {checksum}" for name, checksum in sorted(found.items())))

    def sweep(self) -> None:
        """Remove what builds that were killed had begun to put here."""
        for path in self._folder.rglob(f"{NEW}*"):
            if not runs(int(path.name.split("-")[1])):
                path.unlink(missing_ok=True)

    def _before(self, job: Job) -> Mapping[str, str]:
        try:
            with gzip.open(self._file(job), "rt", encoding="utf-8") as file:
                head = json.loads(next(file))
            return dict(head["inputs"]) if head["form"] == FORM else {}
        except (OSError, EOFError, ValueError, TypeError, KeyError, StopIteration):
            return {}

    def _file(self, job: Job) -> Path:
        return self._folder / Path(job.path).with_suffix(".json.gz")
