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
from crmlab.plots import _bars, _over_time, _shares, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    REST,
    SCALE,
    VERMILLION,
    axis_from_zero,
    figure,
    how_many,
    money,
    nothing_of,
    number,
    whole_ticks,
)
from crmlab.schema import TimeLike

__all__ = ["ageing", "cycle_length", "sales_velocity", "win_cohorts"]

#: two years of months, down and across
_MAX_COHORTS = 24
_MAX_COLUMNS = 24
#: what stands on a bar of the cycle
_LENGTHS = ("median_days", "mean_days", "p90_days", "n")
#: ages up to so many days, in words
_BANDS = {
    30: "0-30",
    60: "31-60",
    90: "61-90",
    180: "91-180",
    365: "181-365",
}
_OLDEST = "over 365"
#: whether a deal is stuck, in words and in colour
_STUCK = (
    (False, "not stuck", BLUE),
    (True, "stuck", VERMILLION),
    (None, "limit not known", REST),
)


@draws
def cycle_length(
    deals: pl.DataFrame,
    *,
    by: By = None,
    time_zone: str = "UTC",
) -> go.Figure:
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
    group_columns = names_of(by)
    lengths = analysis.cycle_length(deals, by=by, time_zone=time_zone)
    are_periods = any(lengths.schema[column] == pl.Date for column in group_columns)
    groups = _shares.labelled(lengths, group_columns, "All deals")
    groups = groups.with_columns(n=pl.col("won") - pl.col("left_out"))
    won_deals = int(groups["n"].sum())
    if not won_deals:
        return nothing_of("deals", deals, title, "no won deal has both days.")

    left_out = int(groups["left_out"].sum())
    known_groups = groups.filter(pl.col("n") > 0)
    if not are_periods:
        known_groups = _bars.largest_first(known_groups, "median_days")
    largest, others_note = _bars.largest(known_groups, "n", "groups")
    words_beside = []
    for median, mean, p90, count in largest.select(_LENGTHS).rows():
        middle = f"median {number(median)} d, mean {number(mean)} d"
        most = f"9 of 10 in {number(p90)} d, {plural(count, 'deal')}"
        words_beside.append((middle, most))
    reasons = {
        "not won": height_of(deals) - won_deals - left_out,
        "won without both days, or closed before created": left_out,
    }
    return figure(
        [_bars.bars(largest, "median_days", words_beside, BLUE)],
        f"{title} (n = {plural(won_deals, 'won deal')})",
        _whom.left_out(reasons),
        others_note,
        height=_bars.height(largest.height),
        xaxis=axis_from_zero("Days (median)"),
        yaxis=_bars.label_axis(largest["label"].to_list()),
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
    velocities = analysis.sales_velocity(
        deals, as_of=as_of, by=by, days=days, opportunities=opportunities, time_zone=time_zone
    )
    # the groups are the columns before the numbers: a currency among them, where there are several
    group_columns = velocities.columns[: velocities.columns.index("opportunities")]
    currencies = pl.Series("currency", [only_currency(deals)] * velocities.height, pl.String)
    if "currency" in group_columns:
        currencies = velocities["currency"]
    group_size = (pl.col("won") + pl.col("opportunities")).alias("n")
    groups = _shares.labelled(velocities, group_columns, "All deals")
    groups = groups.with_columns(currencies, group_size)
    known_groups = groups.drop_nulls("velocity_per_day")
    if known_groups.is_empty():
        explanation = "no group has both opportunities and won deals with an amount and a length."
        return nothing_of("deals", deals, title, explanation)

    largest, others_note = _bars.largest(known_groups, "n", "groups")
    won_in_words = plural(int(known_groups["won"].sum()), "won deal")
    lost_in_words = plural(int(known_groups["lost"].sum()), "lost deal")
    noun = "deal"
    if opportunities == "open":
        noun = "open deal"
    return figure(
        [_bars.bars(largest, "velocity_per_day", _factors_of(largest), BLUE)],
        f"{title} (n = {plural(int(known_groups['opportunities'].sum()), noun)})",
        f"Deals ({opportunities}) x mean won amount x win rate / mean days to win",
        f"Won amount, rate and days are those of {won_in_words} and {lost_in_words}",
        how_many(groups.height - known_groups.height, "group", "without one of these left out"),
        others_note,
        height=_bars.height(largest.height),
        xaxis=axis_from_zero(f"Amount per day ({_unit_of(largest['currency'])})"),
        yaxis=_bars.label_axis(largest["label"].to_list()),
    )


def _factors_of(groups: pl.DataFrame) -> list[tuple[str, str]]:
    """Return the words on each bar: the velocity, and the numbers that it is the product of."""
    speeds = groups.select("velocity_per_day", "currency").rows()
    factors = groups.select("opportunities", "mean_amount", "win_rate", "mean_days").rows()
    words_beside = []
    for (per_day, currency), (deal_count, amount, rate, mean_days) in zip(
        speeds, factors, strict=True
    ):
        product = f"{number(deal_count)} x {number(amount)} x {rate:.0%} / {number(mean_days)} d"
        words_beside.append((f"{money(per_day, currency)} per day", product))
    return words_beside


def _unit_of(currencies: pl.Series) -> str:
    """Return the currency of all bars, or that each has its own."""
    if currencies.n_unique() > 1:
        return "each bar in its own currency"
    return currencies[0] or "account currency"


@draws
def win_cohorts(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    time_zone: str = "UTC",
) -> go.Figure:
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
    shares = analysis.win_cohorts(deals, as_of=as_of, time_zone=time_zone)
    if shares.is_empty():
        return nothing_of("deals", deals, title, "no deal was created in a month that is over.")

    cohorts = shares.select("created_month", "created").unique().sort("created_month")
    latest = cohorts.tail(_MAX_COHORTS)
    shown_shares = shares.join(latest.select("created_month"), on="created_month")
    shown_shares = shown_shares.filter(pl.col("months") < _MAX_COLUMNS)
    share_grid = shown_shares.pivot(on="months", index="created_month", values="win_share").sort(
        "created_month"
    )
    # the names of the columns are numbers in text, of which "10" would come before "2"
    month_numbers = sorted(map(int, share_grid.columns[1:]))
    month_labels = [f"{month:%b %Y} ({number(deal_count)})" for month, deal_count in latest.rows()]
    heatmap = go.Heatmap(
        z=[list(row) for row in share_grid.select(map(str, month_numbers)).iter_rows()],
        x=month_numbers,
        y=month_labels,
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
    created = int(latest["created"].sum())
    reasons = {
        "created earlier, in a month that is not over, or at no known time": height_of(deals)
        - created
    }
    return figure(
        [heatmap],
        f"{title} (n = {plural(created, 'deal')})",
        "Cumulative share of all deals created in the month; blank: not over yet",
        _over_time.latest_months(_MAX_COHORTS, cohorts.height),
        _whom.left_out(reasons),
        # a few rows alone would be as low as the title
        height=max(280, 190 + 24 * len(month_labels)),
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
    ages = analysis.ageing(
        deals, as_of=as_of, history=history, stuck_after=stuck_after, time_zone=time_zone
    )
    deals_with_age = ages.drop_nulls("age_days")
    if deals_with_age.is_empty():
        return nothing_of("deals", deals, title, "no open deal has an age.")

    counts = _counts_by_band(deals_with_age)
    since_when = "since creating"
    limit_in_words = "more than nine of ten won deals took"
    # with the history of the stages an age is the time in the last one
    if history is not None:
        since_when = "in their stage"
        limit_in_words = "more than nine of ten stay in it"
    if stuck_after is not None:
        limit_in_words = "more than given"
    # each stage may have a limit of its own: then none of them is that of the figure
    limits = deals_with_age["limit_days"].drop_nulls().unique()
    if limits.len() == 1:
        limit_in_words += f" ({number(limits[0])} days)"

    undated = ages.height - deals_with_age.height
    stacks = counts.group_by("band").agg(pl.col("count").sum())
    tallest = int(stacks["count"].max())  # type: ignore[arg-type]
    return figure(
        _age_bars(counts),
        f"{title} (n = {plural(deals_with_age.height, 'open deal')})",
        f"Days {since_when}; stuck: {limit_in_words}",
        _whom.left_out({"closed": height_of(deals) - ages.height, "without an age": undated}),
        barmode="stack",
        height=380,
        showlegend=True,
        hovermode="x unified",
        xaxis={"title": {"text": f"Days {since_when}"}, "type": "category", "showgrid": False},
        yaxis={**axis_from_zero("Open deals"), **whole_ticks(tallest)},
    )


def _counts_by_band(aged: pl.DataFrame) -> pl.DataFrame:
    """Return band, stuck, count."""
    band = pl.lit(_OLDEST)
    # from the oldest to the youngest, so that the last condition asked for is the tightest
    for max_days, band_name in reversed(_BANDS.items()):
        is_younger = pl.col("age_days") <= max_days
        band = pl.when(is_younger).then(pl.lit(band_name)).otherwise(band)
    deal_count = pl.len().cast(pl.Int64).alias("count")
    return aged.group_by(band.alias("band"), "stuck").agg(deal_count)


def _age_bars(counts: pl.DataFrame) -> list[go.Bar]:
    """Return the bars of each state that deals are in. Bands without deals are bars without height."""
    bands = [*_BANDS.values(), _OLDEST]
    traces = []
    for is_stuck, legend_name, colour in _STUCK:
        is_own = pl.col("stuck").eq_missing(is_stuck)
        own_counts = counts.filter(is_own).select("band", "count")
        deals_in = dict(own_counts.iter_rows())
        if not deals_in:
            continue
        band_bars = go.Bar(
            x=bands,
            y=[deals_in.get(band, 0) for band in bands],
            name=legend_name,
            marker={"color": colour},
            hovertemplate="%{y:,}",
        )
        traces.append(band_bars)
    return traces
