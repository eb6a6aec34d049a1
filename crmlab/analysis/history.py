"""The way of deals through the stages, and of their dates, seen by fetching them again and again.

A service shows where a deal is, not where it was: OnePageCRM's `include_history` gives one last stage for each
pipeline, without times. Only frames of several fetches tell the way, to within the time between two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import columns_in_parts, key_ranges, lazily, together
from crmlab.analysis.pipeline import LOST, WON
from crmlab.analysis.rates import number_of
from crmlab.errors import UsageError
from crmlab.schema import KEY, UTC, TimeLike, as_instant

__all__ = ["slippage", "stage_history"]

#: the times of several fetches, each with its deals
Snapshots = Iterable[tuple[TimeLike, pl.DataFrame]]
_ACCOUNT = ("provider", "account")
_FETCH = (*_ACCOUNT, "as_of")
DEAL_KEYS = ("provider", "account", "deal_id")
COLUMNS = (
    *DEAL_KEYS, "pipeline_id", "stage", "stage_label", "entry", "entered_after", "entered_at", "last_seen_at",
    "left_at", "exit",
)  # fmt: skip


@answers("everything")
def stage_history(snapshots: Snapshots, *, time_zone: str = "UTC") -> pl.DataFrame:
    """Return each stay of a deal in a stage: when and how it came, when and how it left.

    Parameters
    ----------
    snapshots
        Pairs of the time of a fetch and its deals, in any order. Each frame holds all deals of its accounts: one
        fetched with `since` would make the others look deleted. Reads provider, account, id, pipeline_id, stage,
        stage_label, status, created_at. A frame without a deal of an account says nothing about that account.
    time_zone
        IANA name; a fetch whose time is a date was at the beginning of that day there.

    Returns
    -------
    pl.DataFrame
        Sorted by deal and time: provider, account, deal_id, pipeline_id, stage (Int64), stage_label;
        entry (String): ``"first fetch"`` (already there, since when is not known), ``"created"``, ``"advanced"``,
        ``"back"``, ``"moved"`` (from another pipeline, or a stage without number), ``"reopened"``;
        entered_after, entered_at, last_seen_at, left_at (UTC): it came after the first and was there at the second,
        was last seen there at the third and no longer at the fourth; entered_after is null where not known, left_at
        while it is there;
        exit (String): ``"advanced"``, ``"back"``, ``"moved"``, ``"won"``, ``"lost"``, ``"gone"`` (not in later
        fetches), ``"still there"`` at the last fetch of the account.
        A deal first seen closed is one stay, from creating to closing, in the stage that it was closed with; if that
        was at the first fetch of its account, it is left out.

    Raises
    ------
    UsageError
        No snapshot, two of the same time, or a time without a zone.

    Notes
    -----
    Stages passed between two fetches are not seen. Entries and exits are those of
    https://closingdealz.gitbook.io/product-docs/features/analytics/pipeline.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> def fetched(stage, status):
    ...     rows = {"id": ["a"], "pipeline_id": ["p"], "stage": [stage], "status": [status]}
    ...     return conform(pl.DataFrame(rows), TABLES["deals"])
    >>> history = stage_history([(date(2026, 1, 1), fetched(10, "pending")), (date(2026, 1, 8), fetched(50, "pending")),
    ...                          (date(2026, 1, 15), fetched(50, "won"))])
    >>> history.select("deal_id", "stage", "entry", pl.col("left_at").dt.date(), "exit")
    shape: (2, 5)
    ┌─────────┬───────┬─────────────┬────────────┬──────────┐
    │ deal_id ┆ stage ┆ entry       ┆ left_at    ┆ exit     │
    │ ---     ┆ ---   ┆ ---         ┆ ---        ┆ ---      │
    │ str     ┆ i64   ┆ str         ┆ date       ┆ str      │
    ╞═════════╪═══════╪═════════════╪════════════╪══════════╡
    │ a       ┆ 10    ┆ first fetch ┆ 2026-01-08 ┆ advanced │
    │ a       ┆ 50    ┆ advanced    ┆ 2026-01-15 ┆ won      │
    └─────────┴───────┴─────────────┴────────────┴──────────┘
    """
    columns = ("pipeline_id", "stage", "stage_label", "created_at")
    deals_at = _by_time(snapshots, time_zone, *columns)
    lazy_at = {at: lazily(deals, "deals") for at, deals in deals_at.items()}
    parts = key_ranges(lazy_at.values(), KEY)
    if len(parts) == 1:
        seen = _together(deals_at, *columns)
        return _stays(seen, _fetches_of([seen.select(*_FETCH)]))
    fetches = _fetches_of(_accounts_at(deals, at) for at, deals in deals_at.items())
    found = []
    for of_part in columns_in_parts(lazy_at, parts, KEY, (*KEY, "status", *columns), "deals"):
        found.append(_stays(_together(of_part, *columns), fetches))
    return together(found)


def _accounts_at(deals: pl.DataFrame | pl.LazyFrame, at: datetime) -> pl.DataFrame:
    """Return the accounts of which a fetch has deals, and its time."""
    accounts = read(lazily(deals, "deals").select(*_ACCOUNT).unique(), "deals", *_ACCOUNT)
    return accounts.with_columns(pl.lit(at, UTC).alias("as_of"))


def _fetches_of(accounts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the fetches of each account, each with the times of the one before it and of the one after it."""
    fetches = pl.concat(accounts).unique().sort(_FETCH)
    return fetches.with_columns(
        pl.col("as_of").shift(1).over(_ACCOUNT).alias("fetch_before"),
        pl.col("as_of").shift(-1).over(_ACCOUNT).alias("fetch_after"),
    )


def _stays(seen: pl.DataFrame, fetches: pl.DataFrame) -> pl.DataFrame:
    """Return the stays of the deals that were seen, of all of whose accounts the fetches are given."""
    seen = _in_time(seen.join(fetches, on=_FETCH, nulls_equal=True))
    state = pl.struct(
        *DEAL_KEYS, "pipeline_id", "closed", pl.when(pl.col("closed").is_null()).then("stage")
    )
    # before the first row stands nothing, which is no state, though all of one may be null
    is_another = state.ne_missing(state.shift(1)) | (pl.int_range(pl.len()) == 0)
    begins = seen.select(is_another).to_series()
    last = seen.select("as_of", "fetch_after").filter(begins.shift(-1, fill_value=True))
    runs = (
        seen.filter(begins)
        .rename({"as_of": "entered_at"})
        .with_columns(last["as_of"].alias("last_seen_at"), last["fetch_after"])
    )
    deal = pl.struct(DEAL_KEYS)
    is_first, is_last = deal.ne_missing(deal.shift(1)), deal.ne_missing(deal.shift(-1))
    at_first_fetch = pl.col("fetch_before").is_null()
    stays = runs.with_columns(
        pl.when(is_first)
        .then(pl.when(at_first_fetch).then(pl.lit("first fetch")).otherwise(pl.lit("created")))
        .when(pl.col("closed").shift(1).is_not_null())
        .then(pl.lit("reopened"))
        .otherwise(_step(shift=1))
        .alias("entry"),
        pl.when(is_first)
        .then(pl.max_horizontal("created_at", "fetch_before"))
        .otherwise(pl.col("last_seen_at").shift(1))
        .alias("entered_after"),
        pl.when(~is_last)
        .then(pl.coalesce(pl.col("closed").shift(-1), _step(shift=-1)))
        .when(pl.col("fetch_after").is_null())
        .then(pl.lit("still there"))
        .otherwise(pl.lit("gone"))
        .alias("exit"),
        pl.when(is_last)
        .then("fetch_after")
        .otherwise(pl.col("entered_at").shift(-1))
        .alias("left_at"),
    )
    # first seen closed: it was open from creating until, at the latest, that fetch
    was_open = pl.coalesce("entered_after", "entered_at")
    unseen = stays.filter(pl.col("closed").is_not_null() & (pl.col("entry") == "created")).with_columns(
        pl.col("closed").alias("exit"), pl.col("entered_at").alias("left_at"), was_open.alias("entered_at"),
        was_open.alias("last_seen_at"),
    )  # fmt: skip
    return (
        pl.concat([stays.filter(pl.col("closed").is_null()), unseen])
        .select(COLUMNS)
        .sort(*DEAL_KEYS, "entered_at")
    )


@answers("everything")
def slippage(snapshots: Snapshots, *, time_zone: str = "UTC") -> pl.DataFrame:
    """Return how often and how far the expected close of each deal was moved while it was open.

    Parameters
    ----------
    snapshots
        As of `stage_history`. Reads provider, account, id, status, expected_close_date.
    time_zone
        As of `stage_history`.

    Returns
    -------
    pl.DataFrame
        One row per deal that was seen open with an expected close, the furthest slipped first: provider, account,
        deal_id; first_expected, last_expected (Date); changes, later (Int64, times that a fetch showed another, or a
        later, date than the one before); slipped_days (Int64, last less first, negative: brought forward).

    Raises
    ------
    UsageError
        No snapshot, two of the same time, or a time without a zone.

    Notes
    -----
    Quartz counts the changes (https://docs.quartzhq.com/quartz/metrics-reference/consistency). Two changes between
    two fetches are seen as one.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> def fetched(expected):
    ...     rows = {"id": ["a"], "status": ["pending"], "expected_close_date": [expected]}
    ...     return conform(pl.DataFrame(rows), TABLES["deals"])
    >>> expected = {"2026-01-01": date(2026, 2, 1), "2026-01-08": date(2026, 3, 1), "2026-01-15": date(2026, 2, 15)}
    >>> found = slippage((as_of, fetched(day)) for as_of, day in expected.items())
    >>> found.drop("provider", "account")
    shape: (1, 6)
    ┌─────────┬────────────────┬───────────────┬─────────┬───────┬──────────────┐
    │ deal_id ┆ first_expected ┆ last_expected ┆ changes ┆ later ┆ slipped_days │
    │ ---     ┆ ---            ┆ ---           ┆ ---     ┆ ---   ┆ ---          │
    │ str     ┆ date           ┆ date          ┆ i64     ┆ i64   ┆ i64          │
    ╞═════════╪════════════════╪═══════════════╪═════════╪═══════╪══════════════╡
    │ a       ┆ 2026-02-01     ┆ 2026-02-15    ┆ 2       ┆ 1     ┆ 14           │
    └─────────┴────────────────┴───────────────┴─────────┴───────┴──────────────┘
    """
    seen = _together(_by_time(snapshots, time_zone, "expected_close_date"), "expected_close_date")
    expected = pl.col("expected_close_date")
    first, last = expected.first(), expected.last()
    return (
        _in_time(seen)
        .filter(pl.col("closed").is_null() & expected.is_not_null())
        .group_by(DEAL_KEYS, maintain_order=True)
        .agg(
            first.alias("first_expected"),
            last.alias("last_expected"),
            number_of(expected != expected.shift(1), "changes"),
            number_of(expected > expected.shift(1), "later"),
            (last - first).dt.total_days().alias("slipped_days"),
        )
        .sort("slipped_days", *DEAL_KEYS, descending=[True, False, False, False])
    )


def _by_time(
    snapshots: Snapshots, time_zone: str, *columns: str
) -> dict[datetime, pl.DataFrame | pl.LazyFrame]:
    """Return the deals of each snapshot by its time; of those in memory no more than is read."""
    found: dict[datetime, pl.DataFrame | pl.LazyFrame] = {}
    for as_of, deals in snapshots:
        at = as_instant(as_of, "the time of a snapshot", time_zone)
        if at in found:
            raise UsageError(
                f"two snapshots are of {at.isoformat()}: give each the time at which it was fetched"
            )
        is_lazy = isinstance(deals, pl.LazyFrame)
        found[at] = deals if is_lazy else read(deals, "deals", *KEY, "status", *columns)
    if not found:
        raise UsageError("there is no snapshot: give pairs of the time of a fetch and its deals")
    return found


def _together(
    deals_at: Mapping[datetime, pl.DataFrame | pl.LazyFrame], *columns: str
) -> pl.DataFrame:
    """Return columns of the deals of all snapshots, the time of their fetch, and how they are closed (null: open).

    With their place in it, which tells of two rows of a deal in one snapshot which is the later.
    """
    frames = []
    closed = pl.when(WON | LOST).then("status").alias("closed")
    for at, deals in deals_at.items():
        found = read(deals, "deals", *KEY, "status", *columns)
        named = found.select("provider", "account", pl.col("id").alias("deal_id"), *columns, closed)
        frames.append(named.with_columns(pl.lit(at, UTC).alias("as_of")).with_row_index("place"))
    return pl.concat(frames)


def _in_time(seen: pl.DataFrame) -> pl.DataFrame:
    """Return the deals of `_together` by deal and time, the last row alone of each that a snapshot has twice."""
    in_order = seen.sort(*DEAL_KEYS, "as_of", "place")
    another = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in (*DEAL_KEYS, "as_of")
    )
    is_last = another | (pl.int_range(pl.len()) == pl.len() - 1)
    return in_order.filter(is_last).drop("place")


def _step(shift: int) -> pl.Expr:
    """Return how a deal came from the stage of the row before, or goes to that of the row after."""
    here, there = pl.struct("pipeline_id"), pl.struct("pipeline_id").shift(shift)
    gain = (pl.col("stage") - pl.col("stage").shift(shift)) * shift
    return (
        pl.when(here.ne_missing(there) | gain.is_null())
        .then(pl.lit("moved"))
        .when(gain > 0)
        .then(pl.lit("advanced"))
        .otherwise(pl.lit("back"))
    )
