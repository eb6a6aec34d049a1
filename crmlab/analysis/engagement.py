"""Engagement: what becomes of the mailings of campaigns."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.addresses import with_contact_id
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.rates import number_of, ratio
from crmlab.analysis.touches import HAPPENED, with_count
from crmlab.schema import first_mailbox

__all__ = ["email_engagement", "email_engagement_over_time"]

#: what can happen to a mailing
HAPPENINGS = ("sent", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed")
_ACCOUNT = ("provider", "account")
_PAIR = (*_ACCOUNT, "campaign_id", "person")
_COUNTS = (
    "sends", "sent", "delivered", "opens", "opened", "opened_by_click", "clicks", "clicked",
    "bounced", "complained", "unsubscribed", "opens_without_send", "clicks_without_send",
)  # fmt: skip


@answers("period")
def email_engagement(
    activities: pl.DataFrame, campaigns: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return for each campaign how many contacts it reached, who opened it and who clicked.

    ``open_rate = opened / reached``, ``click_rate = clicked / reached``,
    ``click_to_open_rate = clicked / opened``: of contacts, each counted once. Reached are the delivered
    where the account tells of deliveries, else the sent: the column `base` says which.

    An event counts only with a send of the same campaign to the same contact, at its time or before. What
    has none (sent before the first day that was fetched, forwarded, opened in a web version) is told in
    opens_without_send and clicks_without_send, and counts nowhere else. A click is an opening: without
    images nobody is seen to open. And who opened was reached.

    Parameters
    ----------
    activities
        Reads provider, account, mailing, contact_id, contact_emails (the first, where contact_id is null: the contact
        whose it is elsewhere, or else the address), campaign_id, starts_at, created_at (where starts_at is null), and
        where they are there contact_hash (like an address) and count (how many events a row stands for). Mailings
        without a campaign are a campaign of their own (null). Other kinds, and events without time or contact, are
        left out.
    campaigns
        Reads provider, account, id, name. None: campaigns have no name.

    Returns
    -------
    pl.DataFrame
        Sorted by sent, most first: provider (Categorical), account, campaign_id, campaign (String, its name);
        sends (Int64, messages), sent (Int64, contacts), delivered (Int64, contacts; null: not told);
        opens (Int64, events), opened (Int64, contacts), opened_by_click (Int64, those of them who
        only clicked); clicks (Int64, events), clicked (Int64, contacts); bounced, complained, unsubscribed
        (Int64, contacts); opens_without_send, clicks_without_send (Int64, events); base (String, delivered or
        sent); open_rate, click_rate, click_to_open_rate (Float64, 0-1, null of nobody).

    Raises
    ------
    UsageError
        A column is missing.

    Notes
    -----
    The events are Altcraft's (https://guides.altcraft.com), whose own report is not public. Programs that load images
    by themselves (Apple Mail) open what nobody reads: clicks are the better sign.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"mailing": ["sent", "sent", "clicked", "opened"], "contact_id": ["a", "b", "a", "c"],
    ...         "campaign_id": ["7"] * 4, "created_at": [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 1, 2, 3)]}
    >>> found = email_engagement(conform(pl.DataFrame(rows), TABLES["activities"]))
    >>> found.select("sent", "opened", "opened_by_click", "opens_without_send", "base", "open_rate")
    shape: (1, 6)
    ┌──────┬────────┬─────────────────┬────────────────────┬──────┬───────────┐
    │ sent ┆ opened ┆ opened_by_click ┆ opens_without_send ┆ base ┆ open_rate │
    │ ---  ┆ ---    ┆ ---             ┆ ---                ┆ ---  ┆ ---       │
    │ i64  ┆ i64    ┆ i64             ┆ i64                ┆ str  ┆ f64       │
    ╞══════╪════════╪═════════════════╪════════════════════╪══════╪═══════════╡
    │ 2    ┆ 1      ┆ 1               ┆ 1                  ┆ sent ┆ 0.5       │
    └──────┴────────┴─────────────────┴────────────────────┴──────┴───────────┘
    """
    keys = (*_ACCOUNT, "campaign_id")
    counts = _counted(_events(activities), keys)
    if campaigns is None:
        named = counts.with_columns(campaign=pl.lit(None, pl.String))
    else:
        campaign_id = pl.col("id").alias("campaign_id")
        all_campaigns = read(campaigns, "campaigns", *_ACCOUNT, "id", "name")
        names = all_campaigns.select(*_ACCOUNT, campaign_id, campaign="name")
        first_names = names.unique(keys, keep="first")
        named = counts.join(first_names, on=keys, how="left", nulls_equal=True)
    in_order = named.select(*keys, "campaign", pl.exclude(*keys, "campaign"))
    most_first = [True, False, False, False]
    return in_order.sort("sent", *keys, descending=most_first, nulls_last=True)


@answers("period")
def email_engagement_over_time(
    activities: pl.DataFrame, *, every: str | None = None, time_zone: str = "UTC"
) -> pl.DataFrame:
    """Return how mailings were opened and clicked, by the period they were sent in.

    What happens to a mailing counts in the period of the latest send before it, so that rates never pass 1;
    the rates of the last periods still grow. Contacts are counted once for each campaign and period.

    Parameters
    ----------
    activities
        As for `email_engagement`.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Sorted by period: provider (Categorical), account (String), period (Date, its first day, weeks begin
        on Monday), and the columns of `email_engagement` from sends on. What has no send is in the period
        that it happened in.

    Raises
    ------
    UsageError
        `every` or `time_zone` is not known, or a column is missing.

    Notes
    -----
    The rules are those of `email_engagement`. Weeks as in ISO 8601.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"mailing": ["sent", "opened"], "contact_id": ["a", "a"], "campaign_id": ["7", "7"],
    ...         "created_at": [datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)]}
    >>> found = email_engagement_over_time(conform(pl.DataFrame(rows), TABLES["activities"]), every="1mo")
    >>> found.select("period", "sent", "opened", "open_rate")
    shape: (1, 4)
    ┌────────────┬──────┬────────┬───────────┐
    │ period     ┆ sent ┆ opened ┆ open_rate │
    │ ---        ┆ ---  ┆ ---    ┆ ---       │
    │ date       ┆ i64  ┆ i64    ┆ f64       │
    ╞════════════╪══════╪════════╪═══════════╡
    │ 2026-01-01 ┆ 1    ┆ 1      ┆ 1.0       │
    └────────────┴──────┴────────┴───────────┘
    """
    # an opening counts for the mailing, so it is of the period in which that was sent
    sent_on = local(pl.coalesce("sent_at", "at"), time_zone).dt.date()
    events = _events(activities).with_columns(period=sent_on)
    grain = chosen_grain(every, events["period"])
    by_period = events.with_columns(period_of(pl.col("period"), grain))
    return _counted(by_period, (*_ACCOUNT, "period")).sort("period", *_ACCOUNT)


def _events(activities: pl.DataFrame) -> pl.DataFrame:
    """Return what happened to mailings, and when the latest send before it was (null: there is none)."""
    columns = (
        *_ACCOUNT,
        "mailing",
        "contact_id",
        "contact_emails",
        "campaign_id",
        "starts_at",
        "created_at",
    )
    all_activities = with_count(activities, *columns, optional=("contact_hash",))
    mailings = all_activities.filter(pl.col("mailing").is_in(HAPPENINGS))
    address = first_mailbox(pl.col("contact_emails"))
    # a subscription ended on a web page is of no mailing
    is_of_mailing = pl.col("what").is_in(["sent", "delivered", "opened", "clicked"])
    has_campaign = pl.col("campaign_id").is_not_null()
    is_send = pl.col("what") == "sent"
    events = (
        with_contact_id(mailings, address)
        .select(
            *_ACCOUNT,
            "campaign_id",
            "count",
            person=pl.coalesce("contact_id", address, "contact_hash"),
            what="mailing",
            at=HAPPENED,
        )
        .drop_nulls(["person", "at"])
        .filter(has_campaign | is_of_mailing)
        # of one moment the send comes first: an opening counts only behind it
        .sort(*_PAIR, "at", ~is_send)
        .with_columns(pair=pl.struct(_PAIR).rle_id())
    )
    latest_send = pl.when(is_send).then(pl.struct("at", "pair")).forward_fill().struct
    is_own_send = latest_send.field("pair") == pl.col("pair")
    return events.with_columns(sent_at=pl.when(is_own_send).then(latest_send.field("at")))


def _counted(events: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return the counts and rates of each group; contacts are counted once for each campaign in it."""
    contact_counts = _contact_counts(events, keys)
    event_counts = _event_counts(events, keys)
    tells_delivery = (pl.col("what") == "delivered").any().alias("tells_delivery")
    accounts = events.group_by(_ACCOUNT).agg(tells_delivery)
    counts = event_counts.join(contact_counts, on=keys, how="left", nulls_equal=True)
    counts = counts.join(accounts, on=_ACCOUNT, nulls_equal=True)
    of_contacts = [name for name in contact_counts.columns if name not in keys]
    counts = counts.with_columns(pl.col(of_contacts).fill_null(0))

    # where an account tells of no delivery, none is not the same as 0
    delivered = pl.when("tells_delivery").then("delivered")
    base = pl.when("tells_delivery").then(pl.lit("delivered")).otherwise(pl.lit("sent"))
    reached = pl.coalesce("delivered", "sent")
    return counts.with_columns(delivered=delivered).select(
        *keys,
        *_COUNTS,
        base=base,
        open_rate=ratio("opened", reached),
        click_rate=ratio("clicked", reached),
        click_to_open_rate=ratio("clicked", "opened"),
    )


def _contact_counts(events: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return to how many contacts of each group what happened, behind a send; once for each campaign."""
    happened = [(pl.col("what") == what).any().alias(what) for what in HAPPENINGS]
    behind_send = events.filter(pl.col("sent_at").is_not_null())
    contacts = behind_send.group_by(*keys, "pair").agg(happened)
    clicked = pl.col("clicked")
    # without images nobody is seen to open
    opened = pl.col("opened") | clicked
    return contacts.group_by(keys).agg(
        number_of(pl.col("sent"), "sent"),
        number_of(pl.col("delivered") | opened, "delivered"),
        number_of(opened, "opened"),
        number_of(clicked & ~pl.col("opened"), "opened_by_click"),
        number_of(clicked, "clicked"),
        number_of(pl.col("bounced"), "bounced"),
        number_of(pl.col("complained"), "complained"),
        number_of(pl.col("unsubscribed"), "unsubscribed"),
    )


def _event_counts(events: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return how many sends, openings and clicks there were in each group, and how many without a send."""
    is_sent = pl.col("sent_at").is_not_null()
    is_open = pl.col("what") == "opened"
    is_click = pl.col("what") == "clicked"
    return events.group_by(keys).agg(
        sends=_events_where(pl.col("what") == "sent"),
        opens=_events_where(is_open & is_sent),
        clicks=_events_where(is_click & is_sent),
        opens_without_send=_events_where(is_open & ~is_sent),
        clicks_without_send=_events_where(is_click & ~is_sent),
    )


def _events_where(flag: pl.Expr) -> pl.Expr:
    """Return how many events there are: a row may stand for several."""
    return pl.col("count").filter(flag).sum()
