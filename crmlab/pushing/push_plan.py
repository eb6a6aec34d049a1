"""What a push would send, said before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from crmlab.connector import Limits, bound, expected
from crmlab.display import DisplayMixin, Overview, duration, plural
from crmlab.fetching import DryRun
from crmlab.pushing.batches import batches
from crmlab.pushing.prepared import Prepared

#: seconds of an answer, where none was measured
_USUAL_LATENCY = 0.2
ROWS = pl.Schema({"row": pl.Int64, "id": pl.String, "becomes": pl.String, "reason": pl.String})


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
        rows = ", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in counted.items())
        at_least = "" if self.exact else "at least "
        return (
            f"{self.rows.height:,} rows: {rows or 'nothing'}; {at_least}{plural(self.requests, 'request')}, "
            f"{at_least}{duration(self.seconds)}; nothing was sent"
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
    first = next(batches(prepared.to_send, target), None)
    requests = prepared.requests + prepared.reads_list
    return PushPlan(
        rows=_rows(prepared),
        requests=requests,
        exact=not prepared.reads_list,
        seconds=expected(requests, limits, _USUAL_LATENCY),
        bound=bound(requests, limits, _USUAL_LATENCY),
        first=prepared.asked(first).shown() if first else None,
        title=f"Push of {target.table} to {prepared.rows.account.provider.title}",
    )


def _rows(prepared: Prepared) -> pl.DataFrame:
    finds_out = bool(prepared.rows.target.follow)
    found: list[tuple[int, str | None, str, str]] = []
    for row in prepared.rows.all:
        kept = prepared.kept.get(row.number)
        if kept:
            found.append((row.number, kept.id, kept.state, kept.reason))
        elif finds_out:
            found.append((row.number, row.id, "write", ""))
        else:
            found.append((row.number, row.id, "create" if row.id is None else "update", ""))
    return pl.DataFrame(found, schema=ROWS, orient="row")
