"""Data of one's own as shared tables, and as a `Fetched` beside or in place of what a fetch brought."""

from __future__ import annotations

from crmlab.own_data.collect import collect
from crmlab.own_data.table import table

__all__ = [
    "collect",
    "table",
]
