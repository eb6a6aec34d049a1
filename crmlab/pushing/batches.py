"""Records cut into requests: as many together as the service takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from crmlab.connector import Batch, Entry, Target
from crmlab.pushing.rows import Row


@dataclass(frozen=True, slots=True)
class Ready:
    """A row whose record can be sent as it is."""

    row: Row
    entry: Entry = field(repr=False)


def batches(ready: Iterable[Ready], target: Target) -> Iterator[list[Ready]]:
    """Yield the rows that go together, in their order as far as their kind allows."""
    open_batches: dict[str, _Open] = {}
    for each in ready:
        rule = target.batch(each.entry)
        size = _size(each.entry) if rule.max_bytes else 0
        batch = open_batches.setdefault(rule.kind, _Open())
        if batch.rows and not batch.has_room(rule, size):
            yield batch.rows
            batch = open_batches[rule.kind] = _Open()
        batch.rows.append(each)
        batch.bytes += size
    for batch in open_batches.values():
        if batch.rows:
            yield batch.rows


@dataclass(slots=True)
class _Open:
    """A batch that may take further rows."""

    rows: list[Ready] = field(default_factory=list)
    bytes: int = 0

    def has_room(self, rule: Batch, size: int) -> bool:
        if len(self.rows) >= rule.size:
            return False
        return rule.max_bytes is None or self.bytes + size <= rule.max_bytes


def _size(entry: Entry) -> int:
    """Return the bytes of a record in a request, its comma included."""
    return len(json.dumps(entry.fields)) + 2
