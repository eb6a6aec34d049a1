"""What a service counts while a list is read, against what came: pure, so that it can be proved."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from crmlab.connector import Page

#: a record: the hash of its key (null: it has none) and when it came into the list (null: unknown)
KEYS = pl.Schema({"key": pl.UInt64(), "entered": pl.Datetime("us", "UTC")})
#: ``Date`` tells whole seconds, and a record made in the last of them may have come with its answer
_SECOND = dt.timedelta(seconds=1)


@dataclass(slots=True)
class Tally:
    """One reading of a list, from its first request to its last.

    Rows slide when a record leaves a list that is read page after page, so that another one is never
    seen. What came tells it: of the records that the service counted at first one is missing, when those
    that were added meanwhile, known by the time when they came in, are not counted. (One case is beyond
    this: a deleted record is restored, with its old time, in the moment when another is deleted.)
    `keys`: what came of this reading.
    """

    keys: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KEYS))
    #: what was counted, answer after answer, by list; and whether that is a part of a list counted whole
    _totals: dict[tuple[str, str, bool], list[int]] = field(default_factory=dict)
    _began: dt.datetime | None = None
    _ended: dt.datetime | None = None
    pages: int = 0

    def count(self, page: Page, total: int | None) -> None:
        """Take note of an answer, in the order of their arrival."""
        self.pages += 1
        if page.sent_at:
            self._began, self._ended = self._began or page.sent_at, page.sent_at
        if total is not None:
            tags = page.request.tags
            asked = (page.request.path, str(sorted(tags.items())), page.request.partial)
            self._totals.setdefault(asked, []).append(total)

    @property
    def is_counted(self) -> bool:
        """Whether the service counts the list."""
        return bool(self._totals)

    @property
    def expected(self) -> int | None:
        """How many records the service said last that there are; None where it does not say."""
        whole = self._whole()
        return sum(totals[-1] for totals in whole) if whole else None

    @property
    def distinct(self) -> int:
        """How many different records came; those without a key are all different."""
        return self.keys["key"].n_unique() + max(0, self.keys["key"].null_count() - 1)

    @property
    def added(self) -> int:
        """How many of them came into the list while it was read."""
        if self._began is None or self._ended is None:
            return 0
        meanwhile = pl.col("entered").is_between(self._began, self._ended + _SECOND)
        if self.keys.filter(meanwhile).is_empty():
            return 0
        return self.keys.group_by("key").agg(pl.col("entered").min()).filter(meanwhile).height

    def is_short(self, rejected: int) -> bool:
        """Whether fewer records came than were there when the reading began."""
        whole = self._whole()
        return bool(whole) and self.distinct + rejected - self.added < sum(totals[0] for totals in whole)

    def is_settled(self, before: Tally | None, *, timed: bool) -> bool:
        """Whether nothing came into the middle of the list while it was read, so that its count can be trusted.

        `timed`: the times of entry are known, so that records added at the end do no harm. A list that
        is not counted is settled when a second reading brings nothing less than the one `before`.
        """
        if not self._totals:
            return self.repeats(before)
        if timed and self._began:
            grown = sum(totals[-1] - totals[0] for totals in self._whole())
            return grown <= 0 or grown <= self.added
        return all(len(set(totals)) == 1 for totals in self._totals.values())

    def repeats(self, before: Tally | None) -> bool:
        """Whether it brought what the reading before had brought, but for what was added since."""
        if before is None:
            return False
        lost = before.keys.join(self.keys, on="key", how="anti", nulls_equal=True)
        found = self.keys.join(before.keys, on="key", how="anti", nulls_equal=True)
        old = found.filter((pl.col("entered") < before._began).fill_null(True)) if before._began else found
        return lost.is_empty() and old.is_empty()

    def _whole(self) -> list[list[int]]:
        return [totals for (_, _, is_part), totals in self._totals.items() if not is_part]
