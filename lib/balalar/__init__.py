"""balalar: the national report on the situation of children in Kazakhstan, reproducible.

A notebook needs ``open_brief``, ``open_index``, ``open_audit`` or ``open_method``; a researcher may want
``open_dataset`` for all figures as one table.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from balalar.audit_brief import open_audit
    from balalar.brief import open_brief
    from balalar.dataset import open_dataset
    from balalar.index_brief import open_index
    from balalar.method_brief import open_method

__all__ = ["open_audit", "open_brief", "open_dataset", "open_index", "open_method"]

# Where each stands. Imported when it is asked for, so that the command line answers at once where nothing is to do.
HOMES = {
    "open_audit": "balalar.audit_brief",
    "open_brief": "balalar.brief",
    "open_dataset": "balalar.dataset",
    "open_index": "balalar.index_brief",
    "open_method": "balalar.method_brief",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'balalar' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
