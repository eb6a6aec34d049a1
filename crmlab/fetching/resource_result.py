"""What one resource of one account has brought: what summary, plan and progress read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
import polars as pl

from crmlab.connector import Page
from crmlab.decoding import MISFITS, REJECTED
from crmlab.errors import CrmlabError
from crmlab.fetching.resource_task import ResourceTask

_TWICE = "ids came more than once with other content"


class RequestCount(msgspec.Struct):
    """How many requests a resource has sent, and how many it will need as far as its first answers tell."""

    #: requests sent, tries repeated
    sent: int = 0
    retries: int = 0
    #: requests that the first answers make us expect (None: they cannot tell)
    expected: int | None = 0
    #: how many there are at least
    minimum: int = 0
    #: how many of them are first ones, which wait for no answer
    first: int = 0

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to ask, as far as the answers tell."""
        return self.expected is not None and self.expected <= self.sent

    @property
    def is_sized(self) -> bool:
        """Whether the first answers are in and tell how many requests it takes."""
        return self.expected is not None and 0 < self.first <= self.sent

    @property
    def known(self) -> int:
        """Requests known to be needed, those sent included."""
        return max(self.sent, self.expected or self.minimum)

    def count_retry(self) -> None:
        """Take note of a try that is repeated."""
        self.retries += 1

    def begin(self, first: int) -> None:
        """Take note of how many requests wait for no answer."""
        self.first = self.minimum = self.expected = first

    def follow(self, requests: int, in_all: int | None) -> None:
        """Take note of the requests that follow a first answer; `in_all` with their own followers, if it tells."""
        if in_all is None:
            self.expected = None
            self.minimum += requests
            return
        self.minimum += in_all
        if self.expected is not None:
            self.expected += in_all


class ResourceResult(msgspec.Struct, eq=False, kw_only=True):
    """How far a resource is while it is read, and what came of it at its end."""

    task: ResourceTask
    requests: RequestCount = msgspec.field(default_factory=RequestCount)
    #: records that came, repeats included
    rows: int = 0
    #: when it began to ask, by the monotonic clock; and how long it took
    began_at: float = 0.0
    seconds: float = 0.0
    #: from when on it is asked for; None where from its beginning
    since: dt.datetime | None = None
    #: before the first of its answers was made, by the service's own clock; None where no answer told
    told_began_at: dt.datetime | None = None
    #: when the newest of its records came into the list, by the service's clock; None where that is not known
    newest_at: dt.datetime | None = None
    #: how its requests follow each other, in words
    strategy: str = ""
    notes: list[str] = msgspec.field(default_factory=list)
    #: records that the service counts; None where it does not say
    expected_records: int | None = None
    #: by table; also its own records and what others may know of them, as `crmlab.decoding` names these
    frames: dict[str, pl.DataFrame] = msgspec.field(default_factory=dict)
    #: rows by table, repeats left out
    heights: dict[str, int] = msgspec.field(default_factory=dict)
    rejected: pl.DataFrame = msgspec.field(default_factory=lambda: pl.DataFrame(schema=REJECTED))
    misfits: pl.DataFrame = msgspec.field(default_factory=lambda: pl.DataFrame(schema=MISFITS))
    #: values of each field that could not be read
    misfit_counts: Mapping[str, int] = msgspec.field(default_factory=dict)
    #: values that each shared table lacks for it
    unread_counts: Mapping[str, int] = msgspec.field(default_factory=dict)
    #: what lacks ids or amounts, because these could not be read
    lacking: frozenset[str] = frozenset()
    #: ids that came more than once with other content
    conflicts: int = 0
    failure: CrmlabError | None = None
    #: what an earlier run lost of what is given only once, in words
    lost: str = ""
    complete: bool = False
    #: whether an id that comes twice must come with the same content: not where one of them came inside another list
    repeats_are_equal: bool = True

    def take_conflicts(self, count: int) -> None:
        """Take note of ids that came more than once with other content: it is not known how many records they are.

        Several look for them; who finds most of them is right.
        """
        if count <= self.conflicts or not self.repeats_are_equal or self.failure:
            return
        self.notes = [earlier_note for earlier_note in self.notes if _TWICE not in earlier_note]
        self.conflicts = count
        self.complete = False
        self.notes.append(f"{count:,} {_TWICE}: the last of each is here")

    def note_clock(self, page: Page) -> None:
        """Take note of when an answer was asked for, by the service's clock: what changed later may not be in it."""
        told_at = self.task.account.provider.clock(page)
        if told_at is None:
            return
        asked_at = told_at - dt.timedelta(seconds=page.seconds)
        self.told_began_at = min(asked_at, self.told_began_at or asked_at)

    @property
    def exported(self) -> pl.DataFrame:
        """What other resources may know of its records; empty where nothing could be decoded."""
        return self.frames.get(self.task.exported, pl.DataFrame())
