"""balalar: the national report on the situation of children in Kazakhstan, reproducible.

A notebook needs ``open_brief``; a researcher may want ``open_dataset`` for all figures as one table.
"""

from balalar.brief import open_brief
from balalar.dataset import open_dataset

__all__ = ["open_brief", "open_dataset"]
