"""What became of the rows of a push, as a frame and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from crmlab.connector import State
from crmlab.display import DisplayMixin, Overview
from crmlab.errors import CrmlabError
from crmlab.pushing.results_file import DONE, Line
from crmlab.schema import UTC

_IS_DONE = pl.col("state").is_in(DONE)
STATES: tuple[State, ...] = get_args(State)
RESULTS: dict[str, DataType | DataTypeClass] = {
    "row": pl.Int64,
    "id": pl.String,
    "state": pl.Enum(STATES),
    "reason": pl.String,
    "pending": pl.String,
    "sent_at": UTC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed(DisplayMixin):
    """What became of the rows of a push.

    Attributes
    ----------
    frame : pl.DataFrame
        A row for each of the frame that was pushed, in its order: row (its place, from 0), id (as it was given, or as
        the service gave it), state, reason (the vendor's, of a row that was refused; of one that was taken what the
        answer does not tell), pending (the id of work that goes on at the service), sent_at (UTC; null where it was
        not sent).
    failure : CrmlabError, optional
        What ended it before all rows were sent.
    path : Path, optional
        The file that holds the same.

    The states are "created" and "updated", "sent" where the service took it and does not tell whether it was new,
    "refused", "not_sent", and "unknown" where it was sent and no answer tells whether it was applied.
    """

    frame: pl.DataFrame
    failure: CrmlabError | None = None
    path: Path | None = None
    title: str = field(default="", repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are in each state, without those that no row is in."""
        counted = dict(self.frame["state"].value_counts().iter_rows())
        return {state: counted[state] for state in STATES if state in counted}

    @property
    def complete(self) -> bool:
        """Whether every row is where it should be."""
        return self._open_rows().is_empty()

    def _open_rows(self) -> pl.DataFrame:
        return self.frame.filter(~_IS_DONE | pl.col("pending").is_not_null())

    def _remarks(self) -> pl.DataFrame:
        """Return the rows that are where they should be, with something to be said of them."""
        has_reason = pl.col("reason") != ""
        return self.frame.filter(_IS_DONE, pl.col("pending").is_null(), has_reason)

    def __str__(self) -> str:
        counts = counts_in_words(self.counts)
        message = f"{self.frame.height:,} rows: {counts or 'nothing to send'}"
        remarks = self._remarks().height
        if remarks:
            message += f" ({remarks:,} with a remark as their reason)"
        if self.failure:
            message += f"; ended by: {self.failure}"
        return message

    def __repr__(self) -> str:
        return f"<Pushed: {self}>"

    def _overview(self) -> Overview:
        tables = [
            ("Not where they should be", self._open_rows()),
            ("Taken, with a remark", self._remarks()),
        ]
        return Overview(title=self.title, words=str(self), good=self.complete, tables=tables)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return how many rows are in each state, as a list in a sentence."""
    return ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in counts.items())


def results_frame(lines: Iterable[Line]) -> pl.DataFrame:
    """Return the lines as a frame, in the order of the rows."""
    results = []
    for line in sorted(lines, key=lambda each: each.row):
        pending = line.pending or None
        results.append((line.row, line.id, line.state, line.reason, pending, line.sent_at))
    # the file holds times as text
    results_as_written = pl.DataFrame(
        results, schema={**RESULTS, "sent_at": pl.String}, orient="row"
    )
    sent_at = pl.col("sent_at").str.to_datetime(time_unit="us", time_zone="UTC")
    return results_as_written.with_columns(sent_at)
