"""How many requests a fetch needs and the time no client could beat. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from crmlab.connector import Page
from crmlab.display import DisplayMixin, Overview, duration
from crmlab.fetching.query import Question

RESOURCES = pl.Schema(
    {
        "account": pl.String,
        "provider": pl.String,
        "resource": pl.String,
        "tables": pl.String,
        "strategy": pl.String,
        "records": pl.Int64,
        "requests": pl.Int64,
        "exact": pl.Boolean,
        "seconds": pl.Float64,
        "note": pl.String,
    }
)
SCOPES = pl.Schema(
    {
        "scope": pl.String,
        "accounts": pl.Int64,
        "requests": pl.Int64,
        "exact": pl.Boolean,
        "rate": pl.Float64,
        "burst": pl.Int64,
        "latency": pl.Float64,
        "seconds": pl.Float64,
        "bound": pl.Float64,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(DisplayMixin):
    """What a fetch will ask, before it does; ``await crmlab.fetch(plan)`` goes through with it.

    Attributes
    ----------
    resources : pl.DataFrame
        A row for each account and resource: tables (that it fills), strategy (how its requests follow
        each other), records (counted by the service; null where it does not tell), requests, exact (false:
        at least so many, the service does not tell before; OnePageCRM's contacts past 10,000 are foreseen
        within some percent), seconds (if it were alone), note.
    scopes : pl.DataFrame
        A row for each limit, with the accounts that share it: requests, exact, rate (a second) and burst
        of the limit, latency (seconds of an answer, as measured; null where nothing was sent), seconds
        (expected), bound (no client could do it in less).
    """

    resources: pl.DataFrame
    scopes: pl.DataFrame
    question: Question = field(repr=False)
    #: first pages, by account (its label): the fetch that follows does not ask for them again. Personal data
    pages: Mapping[str, Mapping[str, Page]] = field(repr=False)

    @property
    def requests(self) -> int:
        """How many requests, those sent for the plan itself included."""
        return int(self.scopes["requests"].sum())

    @property
    def exact(self) -> bool:
        """Whether the services told how much there is; otherwise there are more requests."""
        return bool(self.scopes["exact"].all())

    @property
    def seconds(self) -> float:
        """How long it will take, the limits being waited for side by side."""
        return float(self.scopes["seconds"].max() or 0.0)  # type: ignore[arg-type]

    @property
    def bound(self) -> float:
        """The seconds that no client could do it in less than."""
        return float(self.scopes["bound"].max() or 0.0)  # type: ignore[arg-type]

    def __str__(self) -> str:
        least = "" if self.exact else "at least "
        return (
            f"{least}{self.requests:,} requests, {least}{duration(self.seconds)}; "
            f"within the limits no client could do it in less than {duration(self.bound)}"
        )

    def __repr__(self) -> str:
        return f"<Plan: {self}>"

    def _overview(self) -> Overview:
        return Overview(
            title="Plan",
            words=f"{self}. Nothing but first pages was asked yet.",
            tables=[
                ("What is waited for, side by side", _shown(self.scopes)),
                ("Each list", _shown(self.resources).drop("provider", "tables")),
            ],
        )


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of the plan for the eye: a number that is not exact says so."""
    least = pl.when("exact").then(pl.lit("")).otherwise(pl.lit("at least"))
    columns = [name for name in frame.columns if name != "exact"]
    columns.insert(columns.index("requests"), "exact")
    return frame.with_columns(least.alias("exact")).select(columns).rename({"exact": ""})
