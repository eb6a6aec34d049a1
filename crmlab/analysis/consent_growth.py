"""How many are opted in over time, who came and who left."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.decisions import OPT_IN, OPT_OUT, Subject, changes, dated_events
from crmlab.analysis.fetches import answers
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.rates import ratio

__all__ = ["consent_stock"]


@answers("everything")
def consent_stock(
    consent_events: pl.DataFrame,
    *,
    every: str | None = None,
    subject: Subject = "contact",
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return opt-ins and opt-outs per period, and how many consents that leaves.

    ``net = opt_ins - opt_outs``, ``stock`` = the sum of all net until the period's end,
    ``opt_out_rate_of_stock_at_start = opt_outs / stock_at_start``. Counted are consents, each of a person and
    channel, and changes only: an opt-in of one who is opted in is none, nor is an opt-out of one who is
    not; of two decisions at the same moment the opt-out is the later. So the stock is the number of consents in force.
    Whose a decision is, and about which channels, is as in `crmlab.analysis.current_consent`.

    Parameters
    ----------
    consent_events
        Reads provider, account, kind, contact_id, contact_email, channel, occurred_at, created_at (where
        occurred_at is null), opted_in.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per period from the first to the last change, those without any too: period (Date, its
        first day, weeks begin on Monday), opt_ins, opt_outs, net, stock_at_start, stock (Int64, consents),
        opt_out_rate_of_stock_at_start (Float64, null of an empty stock; above 1 where more left than there
        were, having come in the same period). Events without a person or a time are left out.

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
    changed = changes(dated_events(consent_events, None, subject))
    days = changed.select(local(pl.col("at"), time_zone).dt.date().alias("day"), "decision")
    every = chosen_grain(every, days["day"])
    made = pl.col("decision")
    counted = days.group_by(period_of(pl.col("day"), every).alias("period")).agg(
        (made == OPT_IN).sum().cast(pl.Int64).alias("opt_ins"),
        (made == OPT_OUT).sum().cast(pl.Int64).alias("opt_outs"),
    )
    counted = counted.sort("period")
    whole = counted.upsample("period", every=every) if counted.height else counted
    net = pl.col("opt_ins") - pl.col("opt_outs")
    return (
        whole.with_columns(pl.col("opt_ins", "opt_outs").fill_null(0))
        .with_columns(net.alias("net"), net.cum_sum().alias("stock"))
        .with_columns((pl.col("stock") - pl.col("net")).alias("stock_at_start"))
        .select(
            "period",
            "opt_ins",
            "opt_outs",
            "net",
            "stock_at_start",
            "stock",
            ratio(pl.col("opt_outs"), pl.col("stock_at_start")).alias("opt_out_rate_of_stock_at_start"),
        )
    )
