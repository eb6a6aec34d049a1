"""What a push would send, said before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from crmlab.connector import Limits, bound, expected
from crmlab.display import DisplayMixin, Overview, duration, plural
from crmlab.fetching import DryRun
from crmlab.pushing.batches import batches
from crmlab.pushing.prepared import Prepared
from crmlab.pushing.pushed import counts_in_words
from crmlab.pushing.rows import Row

#: seconds of an answer, where none was measured
_USUAL_LATENCY = 0.2
ROWS = pl.Schema(
    {
        "row": pl.Int64,
        "id": pl.String,
        "becomes": pl.String,
        "reason": pl.String,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan(DisplayMixin):
    """What a push would send; nothing was sent.

    Attributes
    ----------
    rows : pl.DataFrame
        A row for each of the frame: row (its place), id, becomes ("create", "update", "write" where the service finds
        out itself, "refused", or what became of it in an earlier push), reason.
    requests : int
        How many requests, those that read records before they are changed included.
    exact : bool
        Whether that is known; otherwise there are more, for a list is read before whose length nobody tells.
    seconds : float
        How long it takes.
    bound : float
        How long it takes at least, by the limit.
    first : DryRun, optional
        The first request, with its secrets blotted out. It holds what the frame says of persons.
    """

    rows: pl.DataFrame
    requests: int
    exact: bool
    seconds: float
    bound: float
    first: DryRun | None = field(default=None, repr=False)
    title: str = field(default="", repr=False)

    def __str__(self) -> str:
        counted = dict(self.rows["becomes"].value_counts(sort=True).iter_rows())
        counts = counts_in_words(counted)
        at_least = "at least "
        if self.exact:
            at_least = ""
        return (
            f"{self.rows.height:,} rows: {counts or 'nothing'}; "
            f"{at_least}{plural(self.requests, 'request')}, {at_least}{duration(self.seconds)}; nothing was sent"
        )

    def __repr__(self) -> str:
        return f"<PushPlan: {self}>"

    def _overview(self) -> Overview:
        refused = self.rows.filter(pl.col("becomes") == "refused")
        return Overview(
            title=self.title, words=str(self), tables=[("Refused before they are sent", refused)]
        )


def push_plan(prepared: Prepared, limits: Limits) -> PushPlan:
    """Return what these rows would be sent as."""
    target = prepared.rows.target
    first_batch = next(batches(prepared.to_send, target), None)
    first_request = None
    if first_batch:
        first_request = prepared.asked(first_batch).shown()
    # of a list that is read before, one request is sure: how many pages it has nobody tells
    requests = prepared.requests + prepared.reads_list
    return PushPlan(
        rows=_rows(prepared),
        requests=requests,
        exact=not prepared.reads_list,
        seconds=expected(requests, limits, _USUAL_LATENCY),
        bound=bound(requests, limits, _USUAL_LATENCY),
        first=first_request,
        title=f"Push of {target.table} to {prepared.rows.account.provider.title}",
    )


def _rows(prepared: Prepared) -> pl.DataFrame:
    planned: list[tuple[int, str | None, str, str]] = []
    for frame_row in prepared.rows.all:
        known_line = prepared.kept.get(frame_row.number)
        if known_line:
            planned.append((frame_row.number, known_line.id, known_line.state, known_line.reason))
        else:
            planned.append((frame_row.number, frame_row.id, _becomes(frame_row, prepared), ""))
    return pl.DataFrame(planned, schema=ROWS, orient="row")


def _becomes(row: Row, prepared: Prepared) -> str:
    # a service whose work is followed finds out itself whether a record is new
    if prepared.rows.target.follow:
        return "write"
    if row.id is None:
        return "create"
    return "update"
