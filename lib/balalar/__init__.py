"""balalar: the national report on the situation of children in Kazakhstan, reproducible.

A notebook needs ``open_brief``, ``open_index``, ``open_audit`` or ``open_method``; a researcher may want
``open_dataset`` for all figures as one table.
"""

from balalar.audit_brief import open_audit
from balalar.brief import open_brief
from balalar.dataset import open_dataset
from balalar.index_brief import open_index
from balalar.method_brief import open_method

__all__ = ["open_audit", "open_brief", "open_dataset", "open_index", "open_method"]
