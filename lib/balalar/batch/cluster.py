"""Briefs made on a Dask cluster: each worker gets data and code by content, and prepares a process of its own.

The workers need the packages of requirements.lock, but neither balalar nor its data: this module and ``prepared`` are
sent to them as they are.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client, Security, Worker, get_worker
from distributed.comm import connect
from distributed.diagnostics.plugin import WorkerPlugin

from balalar.batch import prepared
from balalar.batch.prepared import NotStarted, Prepared, Unprepared
from balalar.errors import BalalarError

PATIENCE = 20  # seconds in which a scheduler must answer


class Workshop(WorkerPlugin):
    """A prepared process on a worker, of data and code that came with the plugin.

    Parameters
    ----------
    name : str
    bundle : bytes
        A zip of ``data``, ``notebooks`` and ``lib``.
    chapters : sequence of str
    versions : mapping of str to str
        Of the packages that the one who asks has.
    """

    def __init__(self, name: str, bundle: bytes, chapters: Sequence[str], versions: Mapping[str, str]) -> None:
        self.name, self._bundle, self._chapters, self._versions = name, bundle, list(chapters), dict(versions)
        self._folder: Path | None = None
        self._process: Prepared | None = None

    async def setup(self, worker: Worker) -> None:
        """Unpack, prepare, and refuse a worker whose packages would make other pages."""
        await asyncio.to_thread(self._open, worker.local_directory)

    def _open(self, directory: str) -> None:
        self._folder = folder = Path(tempfile.mkdtemp(prefix="balalar-", dir=directory))
        with zipfile.ZipFile(io.BytesIO(self._bundle)) as file:
            file.extractall(folder / "project")
        (folder / "briefs").mkdir()
        self._process = process = Prepared(folder / "project", folder / "briefs", self._chapters)
        process.start()
        found = process.versions
        wanted = [(one, own) for one, own in self._versions.items() if found.get(one) != own]
        if wanted:
            raise Unprepared("; ".join(f"{one} is {found.get(one)} there and {own} here" for one, own in wanted))

    def process(self) -> Prepared:
        """The prepared process.

        Raises
        ------
        NotStarted
            There is none.
        """
        if self._process is None:
            raise NotStarted("the worker has no prepared process")
        return self._process

    def teardown(self, worker: Worker) -> None:
        """End the process and remove what was unpacked."""
        if self._process is not None:
            self._process.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def make_there(
    name: str, job: Any, chapter: str, parameters: Mapping[str, Any], seconds: float, megabytes: int
) -> dict[str, Any]:
    """Make a brief on the worker that this runs on, by the process of a workshop."""
    worker = get_worker()
    worker.log_event(name, {"worker": worker.address, "job": job})
    workshop: Any = worker.plugins[name]
    found = workshop.process().make(chapter, parameters, seconds, megabytes)
    return found | {"worker": worker.address}


@contextmanager
def workshop(
    address: str, root: Path, chapters: Sequence[str], versions: Mapping[str, str]
) -> Iterator[tuple[Client, Executor, str]]:
    """Workers of a cluster made ready, and an executor over them; what they got is gone at the end.

    Parameters
    ----------
    address : str
        Of the scheduler.
    root : Path
        Folder of ``data``, ``notebooks`` and ``lib``.
    chapters : sequence of str
    versions : mapping of str to str
        Of the packages here, which the workers must have too.

    Yields
    ------
    client, executor, name
        The name under which the workers have the workshop.

    Raises
    ------
    BalalarError
        Nobody answers there, there is no worker, or one is not like this machine.
    """
    if not re.fullmatch(r"[a-z]+://\S+:\d+", address):
        raise BalalarError(f"--scheduler {address}: an address is written as in tcp://HOST:PORT")
    for module in (prepared, sys.modules[__name__]):
        cloudpickle.register_pickle_by_value(module)
    raw = bundle(root)
    name = f"balalar-{sha256(raw).hexdigest()[:12]}"
    try:
        asyncio.run(_knock(address))
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # Dask has an exception for each way to be no address that it can use
        raise BalalarError(f"--scheduler {address}: no Dask scheduler answers there ({error})") from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise BalalarError(
                f"--scheduler {address}: the cluster has no worker; start one with `dask worker {address}`"
            )
        try:
            client.register_plugin(Workshop(name, raw, chapters, versions), name=name)
        except Exception as error:  # whatever went wrong on a worker comes back as it was
            _dismiss(client, name)
            raise BalalarError(f"--scheduler {address}: a worker cannot make the briefs: {error}") from None
        try:
            yield client, client.get_executor(pure=False), name
        finally:
            _dismiss(client, name)


async def _knock(address: str) -> None:
    """See that a scheduler answers; a client that fails in another way than for want of an answer hangs at its end."""
    comm = await connect(address, timeout=PATIENCE, **Security().get_connection_args("client"))
    await comm.close()


def _dismiss(client: Client, name: str) -> None:
    with suppress(Exception):  # workers that are gone have taken it with them
        client.unregister_worker_plugin(name)


def bundle(root: Path) -> bytes:
    """Data, notebooks and library as a zip: the same bytes of the same contents."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            file.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return raw.getvalue()
