"""How a build goes: a live line a worker on a terminal, plain lines elsewhere, and a report that a program can read."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, TextIO

from tqdm import tqdm

from balalar.batch.job import Job, Outcome

LINE = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left"


class Progress:
    """Tells of briefs as they are begun and made.

    Parameters
    ----------
    total : int
        Briefs to make.
    quiet : bool
        Whether to tell nothing.
    stream : file, optional
        Where to; standard output if left out.
    """

    def __init__(self, total: int, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream, self._quiet, self._total = stream or sys.stdout, quiet, total
        self._lock, self._start, self._done = threading.Lock(), time.monotonic(), 0
        self._lines: dict[str, Any] = {}
        live = not quiet and total and self._stream.isatty()
        self._bar = tqdm(total=total, file=self._stream, desc="briefs", bar_format=LINE, leave=False) if live else None

    def begun(self, worker: str, job: Job, cell: int = 0) -> None:
        """A worker has begun a brief, or one of its cells."""
        if self._bar is not None:
            with self._lock:
                self._line(worker, f"{job}{f', cell {cell}' if cell else ''}")

    def made(self, outcome: Outcome) -> None:
        """A brief was made, or failed."""
        with self._lock:
            self._done += 1
            if self._bar is not None:
                self._bar.update()
                self._bar.refresh()
                self._line(outcome.worker, f"{outcome.job} {_state(outcome)}")
            elif not self._quiet:
                left = (time.monotonic() - self._start) / self._done * (self._total - self._done)
                told = f"[{self._done:3d}/{self._total}] {outcome.job} {_state(outcome)} in {outcome.seconds:.1f} s"
                print(f"{told}, some {left:.0f} s left" if left else told, file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """Something else that is to be known."""
        if not self._quiet:
            tqdm.write(text, file=self._stream)

    def _line(self, worker: str, text: str) -> None:
        if worker not in self._lines:
            place = len(self._lines) + 1
            self._lines[worker] = tqdm(file=self._stream, bar_format="  {desc}", position=place, leave=False)
        self._lines[worker].set_description_str(f"{worker}: {text}")

    def close(self) -> None:
        """Remove the live lines."""
        for line in [*self._lines.values(), *([self._bar] if self._bar is not None else [])]:
            line.close()


def _state(outcome: Outcome) -> str:
    return "failed" if outcome.failure else "done"


def run_report(outcomes: Sequence[Outcome], inputs: Sequence[str], facts: dict[str, Any]) -> str:
    """What became of each brief, as JSON.

    Parameters
    ----------
    outcomes : sequence of Outcome
    inputs : sequence of str
        Checksum of each one's inputs.
    facts : dict
        Of the whole build.
    """
    briefs = [
        {
            "page": one.job.path,
            **one.job.parameters(),
            "chapter": one.job.chapter,
            "inputs": checksum,
            "outcome": "failed" if one.failure else ("kept" if one.kept else "made"),
            "failure": one.failure,
            "printed": one.tail,
            "seconds": round(one.seconds, 3),
            "processor_seconds": round(one.processor, 3),
            "megabytes": round(one.megabytes, 1),
            "worker": one.worker,
        }
        for one, checksum in zip(outcomes, inputs, strict=True)
    ]
    return json.dumps({**facts, "briefs": briefs}, ensure_ascii=False, indent=1) + "\n"
