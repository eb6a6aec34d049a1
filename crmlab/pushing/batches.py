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
    for ready_row in ready:
        batch_rule = target.batch(ready_row.entry)
        size = 0
        # writing a record as JSON only to measure it costs something: most services count rows alone
        if batch_rule.max_bytes:
            size = _size(ready_row.entry)
        open_batch = open_batches.setdefault(batch_rule.kind, _Open())
        if open_batch.rows and not open_batch.has_room(batch_rule, size):
            yield open_batch.rows
            open_batch = _Open()
            open_batches[batch_rule.kind] = open_batch
        open_batch.rows.append(ready_row)
        open_batch.bytes += size
    for open_batch in open_batches.values():
        if open_batch.rows:
            yield open_batch.rows


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
