"""From pages to decode queues: that of their resource, and those of the resources that they embed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Protocol

import polars as pl

from crmlab.connector import JsonPath, Page
from crmlab.decoding import Record, as_documented, as_listed, held, records, repeated_names
from crmlab.fetching.decode_queue import DecodeQueue
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import ResourceTask

#: returns an answer with its records where they are documented, or raises
Accept = Callable[[Page], Page]


class Receiver(Protocol):
    """A resource whose records come with the answers of another one."""

    @property
    def task(self) -> ResourceTask: ...

    def receive(self, page: Page, found: Sequence[Record]) -> None:
        """Take records that a page of the other one holds."""
        ...


class PageIntake:
    """Cuts the pages of one resource into records, and puts these into the queues where they are decoded."""

    def __init__(self, result: ResourceResult, queue: DecodeQueue) -> None:
        #: characters that came cut in half
        self.lone_surrogates = 0
        #: where its records stood in answers, if not where they are documented
        self.found_at: dict[str, None] = {}
        #: names that stand twice in an object of the first record of a page
        self.repeated_names: dict[str, None] = {}
        self._result = result
        self._task = result.task
        self._queue = queue
        self._receivers: Mapping[Receiver, Sequence[JsonPath]] = {}
        self._paths: frozenset[JsonPath] = frozenset()

    def hand_on_to(self, receivers: Mapping[Receiver, Sequence[JsonPath]]) -> None:
        """Hand on the records of other resources, which stand in the pages at these paths."""
        self._receivers = receivers
        self._paths = frozenset(chain.from_iterable(receivers.values()))

    @property
    def rejected(self) -> int:
        """How many records could not be read until the last `flush`."""
        return self._queue.rejected.height

    def accept(self, page: Page) -> Page:
        """Return an answer with its records where they are documented; raise where it holds none in any place."""
        accepted = self._documented(page)
        if accepted.list_at == page.list_at:
            return accepted
        # records that were found elsewhere are written as documented only now that they stand in their place
        return self._documented(accepted)

    def _documented(self, page: Page) -> Page:
        resource = self._task.resource
        return as_documented(
            resource.restate(page), resource, whole=self._task.keeps_raw, ways=self._paths
        )

    def cut(self, page: Page) -> Sequence[Record]:
        """Return the records of a page."""
        self.lone_surrogates += page.lone_surrogates
        if page.list_at:
            self.found_at.setdefault(page.list_at)
        page_records = records(
            page, self._task.resource, whole=self._task.keeps_raw, ways=self._paths
        )
        self.repeated_names.update(dict.fromkeys(repeated_names(page_records)))
        return page_records

    def take(self, page: Page, found: Sequence[Record]) -> None:
        """Take the records of a page in, and hand on those that it holds of other resources."""
        self.add(found)
        if self._receivers:
            self._hand_on(page)

    def add(self, found: Sequence[Record]) -> None:
        """Put records into the queue."""
        self._result.rows += len(found)
        self._queue.add(found)

    async def flush(self) -> pl.DataFrame:
        """Decode what was taken in; return the keys of what came since the last time."""
        return await self._queue.flush()

    def _hand_on(self, page: Page) -> None:
        held_lists = held(page, self._task.resource, self._paths, whole=self._task.keeps_raw)
        for receiver, list_paths in self._receivers.items():
            record_texts: list[bytes] = []
            holds_all = True
            for list_path in list_paths:
                record_texts += held_lists[list_path] or ()
                holds_all = holds_all and held_lists[list_path] is not None
            if not holds_all:
                continue  # this page does not hold them, or not all
            task = receiver.task
            receiver.receive(page, as_listed(record_texts, task.resource, whole=task.keeps_raw))
