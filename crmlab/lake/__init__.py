"""Tables that stay: refreshed with what changed, with their whole past, in a folder or a bucket of Delta Lake."""

from __future__ import annotations

from crmlab.lake.lake import Lake, duration
from crmlab.lake.past import Changes
from crmlab.lake.place import is_lake
from crmlab.lake.refreshing import Refreshed

__all__ = ["Changes", "Lake", "Refreshed", "duration", "is_lake"]
