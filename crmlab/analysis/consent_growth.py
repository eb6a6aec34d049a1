"""How many are opted in over time, who came and who left."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.consent_state import state_of
from crmlab.analysis.decisions import OPT_IN, SUBJECT_KEYS, changes, consent_periods, dated_events
from crmlab.analysis.fetches import answers
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.rates import number_of, ratio
from crmlab.analysis.subjects import Subject

__all__ = ["consent_stock"]


@answers("everything")
def consent_stock(
    consent_events: pl.DataFrame,
    *,
    every: str | None = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return opt-ins and opt-outs per period, and how many consents that leaves.

    ``net = opt_ins - opt_outs``, ``stock`` = the sum of all net until the period's end,
    ``opt_out_rate_of_stock_at_start = opt_outs / stock_at_start``. Counted are consents, each of a person,
    channel and purpose, and changes only: an opt-in of one who is opted in is none, nor is an opt-out of one who is
    not; of two decisions at the same moment the opt-out is the later. A consent that expired by then (`valid_until`) is
    counted as an opt-out. So the stock is the number of consents in force.
    Whose a decision is, and what it is about, is as in `crmlab.analysis.current_consent`.

    Subscriptions and contacts say how it is and not since when. What they add to the events is counted in the last
    period, in columns of its own: then the stock at the end is that of `crmlab.analysis.current_consent`.

    Parameters
    ----------
    consent_events
        As of `crmlab.analysis.current_consent`.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    subscriptions, contacts
        As of `crmlab.analysis.current_consent`.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per period from the first to the last change, those without any too: period (Date, its
        first day, weeks begin on Monday), opt_ins, opt_outs, net, stock_at_start, stock (Int64, consents),
        opt_out_rate_of_stock_at_start (Float64, null of an empty stock; above 1 where more left than there
        were, having come in the same period). With `subscriptions` or `contacts` also opt_ins_undated, opt_outs_undated
        (Int64, consents that only they tell of, and that they end; 0 but in the last period, in whose stock they are).
        Events without a person or a time are left out; without any event that has one there is no row.

    Raises
    ------
    UsageError
        `every`, `time_zone` or `subject` is not known.

    Notes
    -----
    Services count all opt-outs, some by all choices made (https://support.didomi.io/cmp-notice-metrics-indicators).
    The stock begins with the first event: consents from before the events that were fetched are not in it.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True, True, False],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (5, 6, 19)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> consent_stock(conform(frame, TABLES["consent_events"]), every="1w").drop("stock_at_start")
    shape: (3, 6)
    ┌────────────┬─────────┬──────────┬─────┬───────┬────────────────────────────────┐
    │ period     ┆ opt_ins ┆ opt_outs ┆ net ┆ stock ┆ opt_out_rate_of_stock_at_start │
    │ ---        ┆ ---     ┆ ---      ┆ --- ┆ ---   ┆ ---                            │
    │ date       ┆ i64     ┆ i64      ┆ i64 ┆ i64   ┆ f64                            │
    ╞════════════╪═════════╪══════════╪═════╪═══════╪════════════════════════════════╡
    │ 2026-01-05 ┆ 2       ┆ 0        ┆ 2   ┆ 2     ┆ null                           │
    │ 2026-01-12 ┆ 0       ┆ 0        ┆ 0   ┆ 2     ┆ 0.0                            │
    │ 2026-01-19 ┆ 0       ┆ 1        ┆ -1  ┆ 1     ┆ 0.5                            │
    └────────────┴─────────┴──────────┴─────┴───────┴────────────────────────────────┘
    """
    events = dated_events(consent_events, None, subject, contacts=contacts)
    changed_on = local(pl.col("at"), time_zone).dt.date()
    days = changes(events).select(changed_on.alias("day"), "decision")
    grain = chosen_grain(every, days["day"])
    stock = _stock_of(_changes_by_period(days, grain))
    if subscriptions is None and contacts is None:
        return stock
    state = state_of(consent_events, None, subject, subscriptions=subscriptions, contacts=contacts)
    return _with_undated(stock, consent_periods(events), state)


def _changes_by_period(days: pl.DataFrame, grain: str) -> pl.DataFrame:
    """Return opt_ins and opt_outs of every period from the first to the last, in order."""
    is_opt_in = pl.col("decision") == OPT_IN
    period = period_of(pl.col("day"), grain).alias("period")
    counts = days.group_by(period).agg(
        number_of(is_opt_in, "opt_ins"), number_of(~is_opt_in, "opt_outs")
    )
    in_order = counts.sort("period")
    # Polars finds no first and no last period in an empty frame
    if not in_order.height:
        return in_order
    without_gaps = in_order.upsample("period", every=grain)
    return without_gaps.with_columns(pl.col("opt_ins", "opt_outs").fill_null(0))


def _stock_of(periods: pl.DataFrame) -> pl.DataFrame:
    """Return what the changes of each period leave, and which share of what was there before left."""
    net = pl.col("opt_ins") - pl.col("opt_outs")
    stock = periods.with_columns(net=net, stock=net.cum_sum())
    stock_at_start = pl.col("stock") - pl.col("net")
    return stock.with_columns(stock_at_start=stock_at_start).select(
        "period",
        "opt_ins",
        "opt_outs",
        "net",
        "stock_at_start",
        "stock",
        opt_out_rate_of_stock_at_start=ratio("opt_outs", "stock_at_start"),
    )


def _with_undated(stock: pl.DataFrame, periods: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """Return the stock with what states without a time add to it and take from it, in its last period."""
    without_end = periods.filter(pl.col("end").is_null())
    in_force = state.filter(pl.col("decision") == OPT_IN)
    only_stated = in_force.join(without_end, on=SUBJECT_KEYS, how="anti", nulls_equal=True)
    ended_undated = without_end.join(in_force, on=SUBJECT_KEYS, how="anti", nulls_equal=True)

    # a state is as it was when fetched: what it changes lies before that, nobody knows in which period
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    opt_ins = pl.when(is_last).then(only_stated.height).otherwise(0).cast(pl.Int64)
    opt_outs = pl.when(is_last).then(ended_undated.height).otherwise(0).cast(pl.Int64)
    return stock.with_columns(
        stock=pl.col("stock") + opt_ins - opt_outs,
        opt_ins_undated=opt_ins,
        opt_outs_undated=opt_outs,
    )
