"""Asks a prepared process (``warm``) for briefs, and watches over each: its time, its end, what it printed.

Nothing but the standard library is used, so that this module can be sent to a machine that has no balalar.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

RESULT, PRINTED = "result.json", "printed.txt"  # in a brief's folder
ERRORS = "errors.txt"  # beside these folders, of the process itself
LINES, LETTERS = 5, 200  # of what a failed notebook printed last
PARTED = 5  # seconds in which a process must have ended
TRIES = 3  # to begin a notebook

T = TypeVar("T")


class NotStarted(Exception):
    """A notebook was not begun, or was lost through no fault of its own; another try may succeed."""


class Unprepared(Exception):
    """No process can be prepared here."""


def tried(begin: Callable[[], T]) -> T:
    """Result of a call that may not come to a start, tried again a little later.

    Parameters
    ----------
    begin : callable
        Raises ``NotStarted`` where another try may succeed.
    """
    for again in range(1, TRIES):
        try:
            return begin()
        except NotStarted:
            time.sleep(again / 2)
    return begin()


class Prepared:
    """A process that has imported and read everything, and forks for each brief.

    Parameters
    ----------
    root : Path
        Folder of ``data``, ``notebooks`` and ``lib``; none of it may change.
    place : Path
        Folder in which each brief gets a folder of its own meanwhile.
    chapters : sequence of str
        Chapters whose figures are made ready; all if empty.
    """

    def __init__(self, root: Path, place: Path, chapters: Sequence[str]) -> None:
        self._root, self._place, self._chapters = root, place, list(chapters)
        self._lock, self._ready, self._closed = threading.Lock(), False, False
        self._process: subprocess.Popen[str] | None = None
        self._requests: socket.socket  # our end of the process's standard input, once there is one
        self.versions: dict[str, str] = {}

    def begin(self) -> None:
        """Let the process prepare itself while we do something else."""
        with self._lock:
            if self._process is None and not self._closed:
                self._process = self._spawn()

    def start(self) -> None:
        """Wait until the process is ready; one that has ended is replaced.

        Raises
        ------
        Unprepared
            It ended; what it said is told.
        """
        with self._lock:
            if self._closed:
                raise Unprepared("the build is stopped")
            if self._process is not None and self._process.poll() is not None:
                self._end(self._process)
                self._process = None
            if self._process is None:
                self._process = self._spawn()
            if not self._ready:
                self._await(self._process)

    def _spawn(self) -> subprocess.Popen[str]:
        environment = os.environ | {
            "BALALAR_ROOT": str(self._root),
            "PYTHONPATH": str(self._root / "lib"),
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "agg",
            # A process with threads is not to be forked, and there are as many processes as cores.
            **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        self._requests, theirs = socket.socketpair()
        with theirs, (self._place / ERRORS).open("w") as errors:
            return subprocess.Popen(
                # Its own session: Ctrl-C reaches us only, and we end it. No folder but PYTHONPATH is imported from.
                [sys.executable, "-P", "-m", "balalar.batch.warm", *self._chapters],
                stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
                cwd=self._place, start_new_session=True,
            )  # fmt: skip

    def _await(self, process: subprocess.Popen[str]) -> None:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            self._end(process)
            self._process = None
            said = (self._place / ERRORS).read_text(errors="replace").split("\n")
            last = " ".join([one for one in said if one.strip()][-1:]) or "it said nothing"
            raise Unprepared(f"the process that is to make the briefs ended: {last}")
        self._ready, self.versions = True, json.loads(line)

    def make(
        self,
        notebook: str,
        parameters: Mapping[str, Any],
        seconds: float,
        megabytes: int,
        begun: Callable[[int, str], None] = lambda number, source: None,
    ) -> dict[str, Any]:
        """Run a notebook in a fork of the process.

        Parameters
        ----------
        notebook : str
            Name of a notebook of the project.
        parameters : mapping
        seconds, megabytes : float, int
            What it may take.
        begun : callable
            Called with the number and the source of each cell before it runs.

        Returns
        -------
        dict
            ``sections``, ``failure``, ``tail``, ``looked``, ``seconds``, ``processor``, ``megabytes`` of ``Outcome``.

        Raises
        ------
        NotStarted
            No fork could be had, in several tries.
        Unprepared
            No process can be prepared.
        """
        return tried(lambda: self._make(notebook, parameters, seconds, megabytes, begun))

    def _make(
        self,
        notebook: str,
        parameters: Mapping[str, Any],
        seconds: float,
        megabytes: int,
        begun: Callable[[int, str], None],
    ) -> dict[str, Any]:
        self.start()
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="brief-", dir=self._place) as folder:
            request = {"notebook": notebook, "parameters": dict(parameters), "folder": folder, "megabytes": megabytes}
            found = self._watched(request, seconds, begun)
            if not found["failure"]:
                found |= json.loads((Path(folder) / RESULT).read_text(encoding="utf-8"))
            found["tail"] = _tail(Path(folder) / PRINTED) if found["failure"] else []
        return found | {"seconds": time.monotonic() - start}

    def _watched(self, request: dict[str, Any], seconds: float, begun: Callable[[int, str], None]) -> dict[str, Any]:
        """What a fork came to: why it failed, and what it took."""
        deadline, cell, failure, done = time.monotonic() + seconds, "the notebook was not begun", "", False
        try:
            with self._connected() as fork:
                fork.send(request)
                while True:
                    if not fork.poll(max(deadline - time.monotonic(), 0)):
                        return _failed(f"{cell}: it took longer than {seconds:g} s")
                    event = fork.recv()
                    if event["kind"] == "begun":
                        cell = _named(event["number"], event["source"])
                        begun(event["number"], event["source"])
                    elif event["kind"] == "failed":
                        failure = event["failure"]
                    elif event["kind"] == "done":
                        done = True
                    elif event["kind"] == "refused":
                        raise NotStarted(event["reason"])
                    else:  # gone
                        failure = failure or ("" if done else f"{cell}: {_end_in_words(event['code'])}")
                        return _failed(failure) | {name: event[name] for name in ("processor", "megabytes")}
        except (EOFError, OSError) as error:
            raise NotStarted(f"the prepared process is gone ({type(error).__name__})") from None

    def _connected(self) -> Connection:
        """Our end of a connection whose other end the process was given."""
        ours, theirs = Pipe()
        with theirs:
            socket.send_fds(self._requests, [b"."], [theirs.fileno()])
        return ours

    def close(self) -> None:
        """End the process with all its forks; those who wait for a brief are told that it was not begun."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._end(self._process)
                self._process = None

    def _end(self, process: subprocess.Popen[str]) -> None:
        """Let go of a process, which then ends its forks and itself; if it does not, it is killed."""
        for end in (self._requests, process.stdout):
            if end is not None:
                end.close()
        if not self._ready:
            process.kill()  # it is still preparing itself, and looks at nothing else
        try:
            process.wait(PARTED)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._ready = False


def _failed(failure: str) -> dict[str, Any]:
    return {"sections": [], "failure": failure, "looked": ["*"], "processor": 0.0, "megabytes": 0.0}


def _named(number: int, source: str) -> str:
    return f"cell {number} ({' '.join(source.split())[:80]})"


def _end_in_words(code: int) -> str:
    if code < 0:
        return f"its process was killed ({signal.Signals(-code).name})"
    return f"its process ended with exit status {code}"


def _tail(path: Path) -> list[str]:
    """Last lines that a notebook printed."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - LINES * LETTERS * 4, 0))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line[:LETTERS] for line in lines if line.strip()][-LINES:]
