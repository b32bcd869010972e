"""What a computation looked at, so that it is done again only when one of these has changed.

An input has a name: ``figures:child_population``, ``text:health``; what it holds, ``inputs`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

V = TypeVar("V")

_open: list[set[str]] = []


def looked(*names: str) -> None:
    """Note that the computation under way looks at some inputs."""
    for seen in _open:
        seen.update(names)


@contextmanager
def tracing() -> Iterator[set[str]]:
    """Collect the names of the inputs that are looked at meanwhile."""
    seen: set[str] = set()
    _open.append(seen)
    try:
        yield seen
    finally:
        _open.pop()


class Looked(dict[str, V]):
    """Inputs of a kind by id; taking one, and asking whether there is one, counts as looking at it.

    Parameters
    ----------
    kind : str
        What their names begin with.
    entries : mapping
    """

    def __init__(self, kind: str, entries: Mapping[str, V]) -> None:
        super().__init__(entries)
        self.kind = kind

    def __getitem__(self, key: str) -> V:
        looked(f"{self.kind}:{key}")
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        looked(f"{self.kind}:{key}")
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Entry of a key, or what is given instead."""
        looked(f"{self.kind}:{key}")
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        looked(f"{self.kind}:*")
        return super().__iter__()

    def keys(self) -> Any:
        """All ids, which counts as looking at all entries; so do the values and pairs."""
        looked(f"{self.kind}:*")
        return super().keys()

    def values(self) -> Any:
        """All entries."""
        looked(f"{self.kind}:*")
        return super().values()

    def items(self) -> Any:
        """All ids with their entries."""
        looked(f"{self.kind}:*")
        return super().items()

    def among(self, name: str, chosen: Callable[[V], bool]) -> list[V]:
        """Entries that are chosen, which counts as looking at these, and at the name of the choice."""
        looked(name)
        return [entry for entry in dict.values(self) if chosen(entry)]


class Memo:
    """Results kept by key, each with what it looked at: taking one counts as looking at that again."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Any, set[str]]] = {}

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Result of a computation, which is done only the first time.

        Parameters
        ----------
        key : hashable
        compute : callable
            Gives the result; what it gives is shared by all who ask and is not to be changed.
        """
        if key not in self._kept:
            with tracing() as seen:
                result = compute()
            self._kept[key] = result, seen
        result, seen = self._kept[key]
        looked(*seen)
        return result
