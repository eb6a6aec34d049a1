"""What a service counts while a list is read, against what came: pure, so that it can be proved."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from crmlab.connector import Page

#: a record: the hash of its key (null: it has none) and when it came into the list (null: unknown)
KEYS = pl.Schema({"key": pl.UInt64(), "inserted_at": pl.Datetime("us", "UTC")})
#: ``Date`` tells whole seconds, and a record made in the last of them may have come with its answer
_SECOND = dt.timedelta(seconds=1)


@dataclass(slots=True)
class Completeness:
    """One reading of a list, from its first request to its last.

    Rows slide when a record leaves a list that is read page after page, so that another one is never
    seen. What came tells it: of the records that the service counted at first one is missing, when those
    that were inserted meanwhile, known by the time when they came in, are not counted. (One case is beyond
    this: a deleted record is restored, with its old time, in the moment when another is deleted.)
    `seen_keys`: what came of this reading.
    """

    seen_keys: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KEYS))
    pages: int = 0
    #: what was counted, answer after answer, by list; and whether that is a part of a list counted whole
    _totals: dict[tuple[str, str, bool], list[int]] = field(default_factory=dict)
    _began_at: dt.datetime | None = None
    _ended_at: dt.datetime | None = None

    def count(self, page: Page, total: int | None) -> None:
        """Take note of an answer, in the order of their arrival."""
        self.pages += 1
        if page.sent_at:
            self._began_at = self._began_at or page.sent_at
            self._ended_at = page.sent_at
        if total is not None:
            request_tags = page.request.tags
            counted_list = (
                page.request.path,
                str(sorted(request_tags.items())),
                page.request.partial,
            )
            self._totals.setdefault(counted_list, []).append(total)

    @property
    def is_counted(self) -> bool:
        """Whether the service counts the list."""
        return bool(self._totals)

    @property
    def expected(self) -> int | None:
        """How many records the service said last that there are; None where it does not say."""
        totals = self._totals_of_whole_lists()
        if not totals:
            return None
        return sum(list_totals[-1] for list_totals in totals)

    @property
    def distinct(self) -> int:
        """How many different records came; those without a key are all different."""
        record_keys = self.seen_keys["key"]
        without_key = record_keys.null_count()
        # all that have no key are one value for `n_unique`
        return record_keys.n_unique() + max(0, without_key - 1)

    @property
    def inserted(self) -> int:
        """How many of them came into the list while it was read."""
        if self._began_at is None or self._ended_at is None:
            return 0
        newest = self.seen_keys["inserted_at"].max()
        if not isinstance(newest, dt.datetime) or newest < self._began_at:
            return 0
        meanwhile = pl.col("inserted_at").is_between(self._began_at, self._ended_at + _SECOND)
        first_seen = self.seen_keys.group_by("key").agg(pl.col("inserted_at").min())
        return first_seen.filter(meanwhile).height

    def is_short(self, rejected: int) -> bool:
        """Whether fewer records came than were there when the reading began."""
        totals = self._totals_of_whole_lists()
        if not totals:
            return False
        counted_at_first = sum(list_totals[0] for list_totals in totals)
        return self.distinct + rejected - self.inserted < counted_at_first

    def is_settled(self, before: Completeness | None, *, timed: bool) -> bool:
        """Whether nothing came into the middle of the list while it was read, so that its count can be trusted.

        `timed`: the times of insertion are known, so that records added at the end do no harm. A list that
        is not counted is settled when a second reading brings nothing less than the one `before`.
        """
        if not self._totals:
            return self.repeats(before)
        if timed and self._began_at:
            whole_lists = self._totals_of_whole_lists()
            grown_by = sum(totals[-1] - totals[0] for totals in whole_lists)
            return grown_by <= 0 or grown_by <= self.inserted
        return all(len(set(totals)) == 1 for totals in self._totals.values())

    def repeats(self, before: Completeness | None) -> bool:
        """Whether it brought what the reading before had brought, but for what was inserted since."""
        if before is None:
            return False
        lost_keys = before.seen_keys.join(self.seen_keys, on="key", how="anti", nulls_equal=True)
        gained_keys = self.seen_keys.join(before.seen_keys, on="key", how="anti", nulls_equal=True)
        if before._began_at:
            was_there_before = (pl.col("inserted_at") < before._began_at).fill_null(True)
            gained_keys = gained_keys.filter(was_there_before)
        return lost_keys.is_empty() and gained_keys.is_empty()

    def _totals_of_whole_lists(self) -> list[list[int]]:
        return [totals for (_, _, is_part), totals in self._totals.items() if not is_part]
