"""Figures of how long deals take: cycle, velocity, cohorts, age."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.inputs import By, names_of
from crmlab.analysis.parts import height_of
from crmlab.analysis.pipeline import only_currency
from crmlab.display import plural
from crmlab.plots import _bars, _shares, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    NO_DEALS,
    REST,
    SCALE,
    VERMILLION,
    figure,
    money,
    nothing,
    number,
    whole_ticks,
)
from crmlab.schema import TimeLike

__all__ = ["ageing", "cycle_length", "sales_velocity", "win_cohorts"]

_MAX_COHORTS, _MAX_COLUMNS = 24, 24
#: ages up to so many days, in words
_BANDS = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"), (365, "181-365"))
_OLDEST = "over 365"
_STUCK = ((False, "not stuck", BLUE), (True, "stuck", VERMILLION), (None, "limit not known", REST))


@draws
def cycle_length(deals: pl.DataFrame, *, by: By = None, time_zone: str = "UTC") -> go.Figure:
    """Return bars of the median days from creating to winning.

    Parameters
    ----------
    deals, by, time_zone
        As of `crmlab.analysis.cycle_length`. The twenty groups with most won deals are shown.

    Returns
    -------
    go.Figure
        Horizontal bars, each with mean and the days of nine in ten; periods in their order, other groups the
        longest first.

    Raises
    ------
    UsageError
        As `crmlab.analysis.cycle_length`.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> frame = pl.DataFrame({"status": ["won", "won", "lost"], "created_at": [datetime(2026, 1, 1)] * 3,
    ...                       "close_date": [date(2026, 1, 11), date(2026, 1, 31), date(2026, 1, 2)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.cycle_length(conform(frame, TABLES["deals"]))
    >>> figure.layout.title.text
    'Days from creating to winning (n = 2 won deals)'
    """
    title = "Days from creating to winning"
    keys = names_of(by)
    found = analysis.cycle_length(deals, by=by, time_zone=time_zone)
    are_periods = any(found.schema[name] == pl.Date for name in keys)
    found = _shares.labelled(found, keys, "All deals").with_columns(
        n=pl.col("won") - pl.col("left_out")
    )
    n = int(found["n"].sum())
    if not n:
        return nothing(title, "no won deal has both days." if height_of(deals) else NO_DEALS)
    left_out = int(found["left_out"].sum())
    known = found.filter(pl.col("n") > 0)
    if not are_periods:
        known = known.sort("median_days", "label", descending=[True, False])
    shown, note = _bars.largest(known, "n", "groups")
    rows = shown.select("median_days", "mean_days", "p90_days", "n").rows()
    beside = [
        (
            f"median {number(median)} d, mean {number(mean)} d",
            f"9 of 10 in {number(p90)} d, {plural(count, 'deal')}",
        )
        for median, mean, p90, count in rows
    ]
    return figure(
        [_bars.bars(shown, "median_days", beside, BLUE)],
        f"{title} (n = {plural(n, 'won deal')})",
        _whom.left_out(
            {
                "not won": height_of(deals) - n - left_out,
                "won without both days, or closed before created": left_out,
            }
        ),
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": "Days (median)"}, "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


@draws
def sales_velocity(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    days: int | None = None,
    opportunities: Literal["open", "worked"] = "open",
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of what the pipeline brings per day, each with the four numbers that make it.

    Parameters
    ----------
    deals, as_of, by, days, opportunities, time_zone
        As of `crmlab.analysis.sales_velocity`. The twenty groups with most deals are shown.

    Returns
    -------
    go.Figure
        Horizontal bars; where there are several currencies, each bar in its own.

    Raises
    ------
    UsageError
        As `crmlab.analysis.sales_velocity`.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"status": ["pending"] * 40 + ["won"] + ["lost"] * 3, "amount": [25_000.0] * 44,
    ...         "created_at": [datetime(2026, 1, 1)] * 44, "close_date": [None] * 40 + [date(2026, 4, 1)] * 4}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.sales_velocity(conform(frame, TABLES["deals"]), as_of=date(2026, 4, 1))
    >>> figure.layout.title.text
    'Sales velocity (n = 40 open deals)'
    """
    title = "Sales velocity"
    found = analysis.sales_velocity(
        deals, as_of=as_of, by=by, days=days, opportunities=opportunities, time_zone=time_zone
    )
    keys = found.columns[: found.columns.index("opportunities")]
    currency = pl.Series("currency", [only_currency(deals)] * found.height, pl.String)
    if "currency" in keys:
        currency = found["currency"]
    found = _shares.labelled(found, keys, "All deals").with_columns(
        currency, (pl.col("won") + pl.col("opportunities")).alias("n")
    )
    known = found.drop_nulls("velocity_per_day")
    n = int(known["opportunities"].sum())
    if known.is_empty():
        why = "no group has both opportunities and won deals with an amount and a length."
        return nothing(title, why if height_of(deals) else NO_DEALS)
    shown, note = _bars.largest(known, "n", "groups")
    columns = (
        "velocity_per_day",
        "currency",
        "opportunities",
        "mean_amount",
        "win_rate",
        "mean_days",
    )
    beside = [
        (
            f"{money(speed, currency)} per day",
            f"{number(count)} x {number(amount)} x {rate:.0%} / {number(length)} d",
        )
        for speed, currency, count, amount, rate, length in shown.select(columns).rows()
    ]
    without = found.height - known.height
    closed, lost = plural(int(known["won"].sum()), "won deal"), int(known["lost"].sum())
    several = shown["currency"].n_unique() > 1
    unit = "each bar in its own currency" if several else shown["currency"][0] or "account currency"
    return figure(
        [_bars.bars(shown, "velocity_per_day", beside, BLUE)],
        f"{title} (n = {plural(n, 'open deal' if opportunities == 'open' else 'deal')})",
        f"Deals ({opportunities}) x mean won amount x win rate / mean days to win",
        f"Won amount, rate and days are those of {closed} and {plural(lost, 'lost deal')}",
        f"{plural(without, 'group')} without one of these left out" if without else "",
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": f"Amount per day ({unit})"}, "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


@draws
def win_cohorts(deals: pl.DataFrame, *, as_of: TimeLike, time_zone: str = "UTC") -> go.Figure:
    """Return a heatmap of which share of the deals of each month was won after how many months.

    Parameters
    ----------
    deals, as_of, time_zone
        As of `crmlab.analysis.win_cohorts`.

    Returns
    -------
    go.Figure
        The latest 24 months of creating, each with its number of deals, and two years after; what cannot be
        observed yet is blank.

    Raises
    ------
    UsageError
        As `crmlab.analysis.win_cohorts`.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> frame = pl.DataFrame({"status": ["won", "won", "pending"],
    ...                       "close_date": [date(2026, 1, 9), date(2026, 2, 9), None],
    ...                       "created_at": [datetime(2026, 1, 1), datetime(2026, 1, 2), datetime(2026, 2, 1)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.win_cohorts(conform(frame, TABLES["deals"]), as_of=date(2026, 3, 15))
    >>> figure.layout.title.text
    'Won, by month of creating (n = 3 deals)'
    """
    title = "Won, by month of creating"
    found = analysis.win_cohorts(deals, as_of=as_of, time_zone=time_zone)
    if found.is_empty():
        return nothing(
            title, "no deal was created in a month that is over." if height_of(deals) else NO_DEALS
        )
    cohorts = found.select("created_month", "created").unique().sort("created_month")
    latest = cohorts.tail(_MAX_COHORTS)
    cells = found.join(latest.select("created_month"), on="created_month").filter(
        pl.col("months") < _MAX_COLUMNS
    )
    grid = cells.pivot(on="months", index="created_month", values="win_share").sort("created_month")
    columns = sorted(map(int, grid.columns[1:]))
    shares = [list(row) for row in grid.select(map(str, columns)).iter_rows()]
    labels = [f"{month:%b %Y} ({number(count)})" for month, count in latest.rows()]
    heat = go.Heatmap(
        z=shares,
        x=columns,
        y=labels,
        colorscale=SCALE,
        zmin=0,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        colorbar={
            "title": {"text": "Won"},
            "tickformat": ".0%",
            "thickness": 10,
            "outlinewidth": 0,
        },
        hovertemplate="created %{y}, month %{x}: %{z:.1%}<extra></extra>",
    )
    n = int(latest["created"].sum())
    earlier = cohorts.height - latest.height
    return figure(
        [heat],
        f"{title} (n = {plural(n, 'deal')})",
        "Cumulative share of all deals created in the month; blank: not over yet",
        f"Latest {_MAX_COHORTS} of {cohorts.height} months" if earlier else "",
        _whom.left_out(
            {
                "created earlier, in a month that is not over, or at no known time": height_of(
                    deals
                )
                - n
            }
        ),
        height=max(280, 190 + 24 * len(labels)),
        xaxis={
            "title": {"text": "Calendar months after creating"},
            "showgrid": False,
            "zeroline": False,
            "dtick": 1,
        },
        yaxis={
            "title": {"text": "Created (deals)"},
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
        },
    )


@draws
def ageing(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    history: pl.DataFrame | None = None,
    stuck_after: float | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the open deals by age, the stuck ones in their own colour.

    Parameters
    ----------
    deals, as_of, history, stuck_after, time_zone
        As of `crmlab.analysis.ageing`.

    Returns
    -------
    go.Figure
        Stacked bars from young to old.

    Raises
    ------
    UsageError
        As `crmlab.analysis.ageing`.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> frame = pl.DataFrame({"id": ["a", "b"], "status": ["pending", "pending"],
    ...                       "created_at": [datetime(2026, 1, 1), datetime(2026, 2, 20)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.ageing(conform(frame, TABLES["deals"]), as_of=date(2026, 3, 1), stuck_after=30)
    >>> figure.layout.title.text
    'Age of the open deals (n = 2 open deals)'
    >>> [trace.name for trace in figure.data]
    ['not stuck', 'stuck']
    """
    title = "Age of the open deals"
    found = analysis.ageing(
        deals, as_of=as_of, history=history, stuck_after=stuck_after, time_zone=time_zone
    )
    aged = found.drop_nulls("age_days")
    if aged.is_empty():
        return nothing(title, "no open deal has an age." if height_of(deals) else NO_DEALS)
    band = pl.lit(_OLDEST)
    for max_days, name in reversed(_BANDS):
        band = pl.when(pl.col("age_days") <= max_days).then(pl.lit(name)).otherwise(band)
    counts = aged.group_by(band.alias("band"), "stuck").agg(pl.len().cast(pl.Int64).alias("count"))
    names = [*(name for _, name in _BANDS), _OLDEST]
    traces = []
    for stuck, name, colour in _STUCK:
        part = dict(
            counts.filter(pl.col("stuck").eq_missing(stuck)).select("band", "count").iter_rows()
        )
        if part:
            heights = [part.get(label, 0) for label in names]
            traces.append(
                go.Bar(
                    x=names, y=heights, name=name, marker={"color": colour}, hovertemplate="%{y:,}"
                )
            )
    limits = aged["limit_days"].drop_nulls().unique()
    what, limit = "since creating", "more than nine of ten won deals took"
    if history is not None:
        what, limit = "in their stage", "more than nine of ten stay in it"
    if stuck_after is not None:
        limit = "more than given"
    days = f" ({number(limits[0])} days)" if limits.len() == 1 else ""
    undated = found.height - aged.height
    largest = int(counts.group_by("band").agg(pl.col("count").sum())["count"].max())  # type: ignore[arg-type]
    return figure(
        traces,
        f"{title} (n = {plural(aged.height, 'open deal')})",
        f"Days {what}; stuck: {limit}{days}",
        _whom.left_out({"closed": height_of(deals) - found.height, "without an age": undated}),
        barmode="stack",
        height=380,
        showlegend=True,
        hovermode="x unified",
        xaxis={"title": {"text": f"Days {what}"}, "type": "category", "showgrid": False},
        yaxis={"title": {"text": "Open deals"}, "rangemode": "tozero", **whole_ticks(largest)},
    )
