"""What a computation looked at, so that it is done again only when one of these has changed.

An input has a name: ``figures:child_population``, ``text:health``; what it holds, ``inputs`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

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
