"""The prepared process: it imports and reads everything once, then forks for each brief that it is asked for.

Run as ``python -m balalar.batch.warm CHAPTER...`` by ``prepared``. It has one thread only, as a process must that is
forked. Its standard input is a socket, over which its owner hands it the end of a connection for each brief: when
that is closed, however the owner came to its end, so do all forks end and the process itself.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import resource
import selectors
import signal
import socket
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from papermill.exceptions import PapermillExecutionError

from balalar.batch import engine
from balalar.batch.inputs import versions
from balalar.batch.prepared import PRINTED, RESULT
from balalar.brief import open_brief
from balalar.dataset import Dataset, hold
from balalar.estimates import Estimates
from balalar.paths import Project, project
from balalar.tables import load_templates
from balalar.traces import tracing

IDLE = 900  # seconds without a request after which the process ends
WRITTEN = 16  # megabytes that a notebook may print, or write to a file of its own folder
DEATH = 1  # Linux's PR_SET_PDEATHSIG
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What changes files, with the places of their paths among the arguments of Python's audit event.
CHANGES = {
    "os.rename": (0, 1), "os.link": (0, 1), "os.symlink": (1,), "os.remove": (0,), "os.rmdir": (0,), "os.mkdir": (0,),
    "os.truncate": (0,), "os.chmod": (0,), "os.chown": (0,), "os.utime": (0,), "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}  # fmt: skip
AT = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2}  # where a folder that is open already stands, or -1
STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"}


def main() -> None:
    """Prepare, tell of what, and take requests."""
    os.environ["IPYTHONDIR"] = os.getcwd()  # our owner's, who clears it away
    prepare(project(), sys.argv[1:])
    print(json.dumps(versions()), flush=True)
    with socket.socket(fileno=sys.stdin.fileno()) as requests:
        serve(requests)


def prepare(where: Project, chapters: Sequence[str]) -> None:
    """Read all figures and make ready what the briefs of some chapters begin with.

    Parameters
    ----------
    where : Project
    chapters : sequence of str
        All of them if empty.
    """
    dataset = hold(where)
    with suppress(Exception):  # a notebook that needs the same will fail and be reported; the others go on
        _make_ready(dataset, where, chapters)
    engine.shell()
    # What is read stays, and is not to be copied for each fork by a collection that looks at it.
    gc.collect()
    gc.freeze()


def _make_ready(dataset: Dataset, where: Project, chapters: Sequence[str]) -> None:
    """Compute what many briefs ask for, and draw once, as much is loaded and measured when it is first used."""
    estimates, edition = Estimates(dataset), dataset.catalogue.edition
    load_templates()
    cards = [card for chapter in chapters or edition.chapters for card in dataset.catalogue.chapter_cards(chapter)]
    for card in cards:
        estimates.records(card)
        dataset.years_of(card.id)
        dataset.printed_twice(card.id)
    for lang in edition.languages:
        brief = open_brief(cards[0].chapter, lang=lang, where=where)
        for by in ("region", "year"):
            brief.show(cards[0].id, by=by)


def serve(requests: socket.socket) -> None:
    """Fork for each request, until the owner is gone or nothing was asked for long.

    Parameters
    ----------
    requests : socket
        Brings the ends of connections.
    """
    with selectors.DefaultSelector() as waited:
        waited.register(requests, selectors.EVENT_READ)
        forks: set[Fork] = set()
        owned = True
        while owned:
            ready = waited.select(IDLE)
            owned = bool(ready or forks)
            for key, _ in ready:
                if key.fileobj is not requests:
                    key.data()
                elif ends := socket.recv_fds(requests, 1, 1)[1]:
                    _born(Connection(ends[0]), waited, forks)
                else:
                    owned = False
            forks = {fork for fork in forks if not fork.buried}
        for fork in forks:
            fork.kill()
            fork.bury()


def _born(asked: Connection, waited: selectors.BaseSelector, forks: set[Fork]) -> None:
    parent = os.getpid()
    try:
        request = asked.recv()
        number = os.fork()
    except (EOFError, OSError) as error:
        _tell(asked, kind="refused", reason=f"no process could be forked ({error})")
        asked.close()
        return
    if number == 0:
        _work(parent, asked, request)
    fork = Fork(number, asked, waited)
    forks.add(fork)
    waited.register(asked, selectors.EVENT_READ, fork.kill)
    waited.register(fork.ended, selectors.EVENT_READ, fork.bury)


class Fork:
    """A process that makes one brief."""

    def __init__(self, number: int, asked: Connection, waited: selectors.BaseSelector) -> None:
        self.number, self.asked, self.waited = number, asked, waited
        self.ended, self.buried = os.pidfd_open(number), False

    def kill(self) -> None:
        """Who asked is gone, or speaks out of turn: nobody waits for the brief."""
        if not self.buried:  # both may be told of in one round
            if self.asked in self.waited.get_map():
                self.waited.unregister(self.asked)
            signal.pidfd_send_signal(self.ended, signal.SIGKILL)

    def bury(self) -> None:
        """End what the process may have left, take its exit status, and tell who asked."""
        with suppress(ProcessLookupError):
            os.killpg(self.number, signal.SIGKILL)  # before the number is free for another
        _, status, used = os.wait4(self.number, 0)
        self.buried = True
        code = os.waitstatus_to_exitcode(status)
        megabytes, processor = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
        _tell(self.asked, kind="gone", code=code, processor=processor, megabytes=megabytes)
        for one in (self.asked, self.ended):
            if one in self.waited.get_map():
                self.waited.unregister(one)
        self.asked.close()
        os.close(self.ended)


def _tell(asked: Connection, **event: Any) -> None:
    with suppress(OSError):  # who asked is gone
        asked.send(event)


# -- in the fork -------------------------------------------------------------------------------------


def _work(parent: int, asked: Connection, request: dict[str, Any]) -> NoReturn:
    """Make the brief, tell how it went, and end without any leave-taking of what the parent had opened."""
    try:
        _settle(parent, Path(request["folder"]), request["megabytes"], repr(request["parameters"]))
        failure = _make(asked, request)
        _tell(asked, **({"kind": "failed", "failure": failure} if failure else {"kind": "done"}))
    except BaseException as error:
        _tell(asked, kind="failed", failure=f"{type(error).__name__}: {error}")
    finally:
        os._exit(0)


def _settle(parent: int, folder: Path, megabytes: int, seed: str) -> None:
    """Move into a folder of one's own, with limits, and with an own but known beginning of chance."""
    os.setsid()
    ctypes.CDLL(None).prctl(DEATH, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before we could ask
        os._exit(1)
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    printed = os.open(PRINTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(printed, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    random.seed(seed)
    np.random.seed(zlib.crc32(seed.encode()))  # noqa: NPY002 - what a notebook may still use
    for limit, most in ((resource.RLIMIT_FSIZE, WRITTEN), (resource.RLIMIT_DATA, megabytes), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most * 2**20, resource.getrlimit(limit)[1]))
    sys.dont_write_bytecode = True


def _make(asked: Connection, request: dict[str, Any]) -> str:
    """Run the notebook and leave its sections in the folder; why that failed, or nothing."""
    notebook = project().notebooks / f"{request['notebook']}.ipynb"
    folder, failure, refused = Path(request["folder"]), "", list[str]()
    sys.addaudithook(guard(folder, refused))

    def begun(number: int, source: str) -> None:
        asked.send({"kind": "begun", "number": number, "source": source[:200]})

    try:
        with tracing() as looked:
            sections = engine.execute(notebook, request["parameters"], begun)
    except PapermillExecutionError as error:
        failure = engine.told(error)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)
    if refused and refused[0] not in failure:
        failure = f"the notebook {refused[0]}"
    if "MemoryError" in failure:
        failure += f"; it may hold {request['megabytes']} MB"
    if not failure:
        found = {"sections": [asdict(section) for section in sections], "looked": sorted(looked)}
        (folder / RESULT).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return failure


def guard(folder: Path, refused: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """Audit hook that lets nothing be written outside a folder and no process be started.

    It is against slips, not against malice: a library in C can get past it.

    Parameters
    ----------
    folder : Path
    refused : list of str
        What was refused is added here, as the notebook may have caught the error.
    """
    root = os.path.realpath(folder)

    def within(path: Any) -> bool:
        if isinstance(path, int):
            return True
        place = os.path.realpath(os.fsdecode(path))
        return place == os.devnull or place.startswith(f"{root}{os.sep}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        paths: list[Any] = []
        if event == "open":
            # Opened by os.open there is no mode, only flags.
            paths = [arguments[0]] if arguments[2] & WRITING and arguments[0] is not None else []
        elif event in AT and arguments[AT[event]] != -1:
            return  # how Python removes a tree, which it asked for by its path
        elif event in CHANGES:
            paths = [arguments[place] for place in CHANGES[event]]
        elif event in STARTS:
            _refuse(refused, f"starts a process ({event}), which a brief may not")
        for path in paths:
            if not within(path):
                _refuse(refused, f"writes where it should not: {os.fsdecode(path)}")

    return hook


def _refuse(refused: list[str], what: str) -> NoReturn:
    refused.append(what)
    raise PermissionError(what)


if __name__ == "__main__":
    main()
