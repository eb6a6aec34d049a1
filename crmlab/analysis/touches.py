"""Touches: what people did with contacts and for deals, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from crmlab.analysis.inputs import no_text, read
from crmlab.analysis.opened import read_dated
from crmlab.analysis.period import local
from crmlab.schema import KEY, TimeLike, addresses, as_instant, day_at

#: what people do; the words of mailings (send, open, click, ...) are the vendor's, and no list of them is complete
HUMAN = ("action", "call", "event", "meeting", "note")
#: what reaches the contact
OUTBOUND = ("call", "event", "meeting")
#: when it happened; mailings and notes only know when they were recorded
HAPPENED = pl.coalesce("starts_at", "created_at")
_ACCOUNT = ("provider", "account")
_CONTACT = (*_ACCOUNT, "contact_id")

_READ = (
    *_ACCOUNT, "kind", "contact_id", "contact_emails", "deal_id", "campaign_id",
    "done", "done_at",
)  # fmt: skip


def with_count(
    activities: pl.DataFrame, *columns: str, optional: Sequence[str] = ()
) -> pl.DataFrame:
    """Return these columns of activities and `count` (Int64): how often it happened, once where nothing is said."""
    return counted(read(activities, "activities", *columns, optional=("count", *optional)))


def counted(activities: pl.DataFrame) -> pl.DataFrame:
    """Return activities that are read with how often each happened as `count` (Int64)."""
    return activities.with_columns(pl.col("count").cast(pl.Int64).fill_null(1))


def _happened_on(time_zone: str) -> pl.Expr:
    """Return the day that it happened on: of an entry that lasts all day the day that it names, in every time zone.

    Services give such a day as its midnight in UTC. Reads starts_at, created_at, all_day.
    """
    starts_on = pl.col("starts_at").dt.date()
    named_day = pl.when(pl.col("all_day")).then(starts_on)
    return pl.coalesce(named_day, local(HAPPENED, time_zone).dt.date())


def _end_of_day(name: str, time_zone: str) -> pl.Expr:
    """Return the last microsecond of a day, as UTC."""
    midnight = pl.col(name).cast(pl.Datetime("us"))
    last_moment = midnight + pl.duration(days=1) - pl.duration(microseconds=1)
    # 23:59 comes twice where clocks go back at midnight: then the later one ends the day
    local_end = last_moment.dt.replace_time_zone(time_zone, ambiguous="latest", non_existent="null")
    return local_end.dt.convert_time_zone("UTC")


def touches(
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] | None = HUMAN,
    as_of: TimeLike | None = None,
    time_zone: str = "UTC",
    beside: Sequence[str] = (),
) -> pl.DataFrame:
    """Return what people did, and when: no mailing of a campaign, nothing planned, nothing not done.

    An action touches when it is done, at the end of that day: services keep no hour. All else touches when
    it started, or was recorded, unless the service says that it was not done.

    Parameters
    ----------
    activities
        Reads provider, account, kind, contact_id, contact_emails, deal_id, campaign_id, starts_at,
        dated_on and created_at (where starts_at is null), all_day, done, done_at, and count where there is one. Of a
        series that is not written out, only its first time is known.
    kinds
        The kinds that count. None: all that people can have done, which is any kind but what an account that mails
        calls otherwise than `HUMAN`: there other words are what machines record.
    as_of
        What comes after it is left out; a date is its beginning in `time_zone`. None: nothing is.
    time_zone
        IANA name; where the day begins and ends.
    beside
        Columns to return as well.

    Returns
    -------
    pl.DataFrame
        In the order of `activities`: provider (Categorical), account, kind, contact_id, deal_id (String),
        contact_emails (List(String)), at (Datetime, UTC), day (Date, in `time_zone`), count (Int64, how often it
        happened).

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, `kinds` is one text, or a column is missing.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"kind": ["action", "action"], "done": [True, False], "done_at": [date(2026, 3, 1), None]}
    >>> touches(conform(pl.DataFrame(rows), TABLES["activities"])).select("kind", "at", "day")
    shape: (1, 3)
    ┌────────┬────────────────────────────────┬────────────┐
    │ kind   ┆ at                             ┆ day        │
    │ ---    ┆ ---                            ┆ ---        │
    │ str    ┆ datetime[μs, UTC]              ┆ date       │
    ╞════════╪════════════════════════════════╪════════════╡
    │ action ┆ 2026-03-01 23:59:59.999999 UTC ┆ 2026-03-01 │
    └────────┴────────────────────────────────┴────────────┘
    """
    all_activities = _read(activities, kinds, time_zone, beside)
    is_action = pl.col("kind") == "action"
    day = pl.when(is_action).then("done_at").otherwise(_happened_on(time_zone))
    time = pl.when(is_action).then(_end_of_day("done_at", time_zone)).otherwise(HAPPENED)
    done_work = all_activities.filter(is_work(kinds), _IS_DONE).select(
        *_ACCOUNT,
        "kind",
        "contact_id",
        "deal_id",
        "contact_emails",
        time.alias("at"),
        day.alias("day"),
        "count",
        *beside,
    )
    if as_of is None:
        return done_work
    instant = as_instant(as_of, "as_of", time_zone)
    today = day_at(instant, time_zone)
    # an action of today is done, although its end of the day is to come
    happened_by_then = pl.col("at") <= instant
    is_past = pl.when(is_action).then(pl.col("day") <= today).otherwise(happened_by_then)
    moment = pl.lit(instant).dt.cast_time_unit("us")
    no_later = pl.when(pl.col("at") > moment).then(moment).otherwise("at")
    past_work = done_work.filter(is_past.fill_null(value=True))
    return past_work.with_columns(at=no_later)


#: an action that does not say so is done where there is a day; all else is, unless the service says that it was not
_IS_DONE = pl.col("done").fill_null(
    pl.col("kind").ne_missing("action") | pl.col("done_at").is_not_null()
)


def _read(
    activities: pl.DataFrame,
    kinds: Collection[str] | None,
    time_zone: str,
    beside: Sequence[str] = (),
) -> pl.DataFrame:
    no_text("kinds", kinds or ())
    columns = [*_READ]
    # only where no kinds are named is it asked what is a mailing
    if kinds is None:
        columns.append("mailing")
    return counted(
        read_dated(activities, *columns, *beside, time_zone=time_zone, optional=("count",))
    )


def is_work(kinds: Collection[str] | None) -> pl.Expr:
    """Return whether a row is of these kinds, and no mailing of a campaign; None: see `touches`.

    Reads kind, campaign_id, and for None also provider, account and mailing.
    """
    is_of_campaign = pl.col("campaign_id").is_not_null()
    if kinds is not None:
        return pl.col("kind").is_in(list(kinds)) & ~is_of_campaign
    is_mailing = is_of_campaign | pl.col("mailing").is_not_null()
    account_mails = is_mailing.any().over(_ACCOUNT)
    is_known_kind = pl.col("kind").is_in(HUMAN).fill_null(value=False)
    return ~is_mailing & (is_known_kind | ~account_mails)


def left_out(
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None,
    time_zone: str,
) -> Mapping[str, int]:
    """Return how much of the activities is no `touches`, by the reason in words, where there is any."""
    all_rows = _read(activities, kinds, time_zone)
    work = all_rows.filter(is_work(kinds))
    ever_done = work.filter(_IS_DONE)
    done_by_then = touches(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    other_words = "mailing events" if kinds is None else "of other kinds"
    steps = {
        other_words: (all_rows, work),
        "not done": (work, ever_done),
        "still to come": (ever_done, done_by_then),
    }
    reasons = {}
    for reason, (before, after) in steps.items():
        count = int(before["count"].sum()) - int(after["count"].sum())
        if count:
            reasons[reason] = count
    return reasons


def of_contacts(contacts: pl.DataFrame, done: pl.DataFrame) -> pl.DataFrame:
    """Return provider, account, contact_id, kind, at and day of the touches of these contacts.

    A touch without contact_id belongs to the contacts of its account that have one of its e-mail addresses.
    """
    contact_id = pl.col("id").alias("contact_id")
    people = contacts.select(*_ACCOUNT, contact_id, email="emails")
    # what names no contact may name an address of one
    nameless = done.filter(pl.col("contact_id").is_null()).drop("contact_id")
    unlinked = nameless.with_row_index("touch").rename({"contact_emails": "email"})
    matched = (
        _each_address(unlinked)
        .join(_each_address(people), on=[*_ACCOUNT, "email"], nulls_equal=True)
        # two addresses of one contact are one touch
        .unique(["touch", *_CONTACT])
    )
    linked = done.drop_nulls("contact_id").join(people, on=_CONTACT, how="semi", nulls_equal=True)
    columns = (*_CONTACT, "kind", "at", "day")
    return pl.concat([linked.select(columns), matched.select(columns)])


def _each_address(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each address in the texts of the column `email`."""
    texts = rows.explode("email")
    spelled = texts.with_columns(addresses(pl.col("email"))).explode("email")
    return spelled.drop_nulls("email")


def of_deals(deals: pl.DataFrame, done: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Return provider, account, id (of the deal), kind, at and day of the touches of these deals.

    A touch belongs to the deal it names, until the day that closes it. One that names none belongs to the
    deals of its contact that were created by that day, and not closed before it: to each of several.
    """
    created_on = local(pl.col("created_at"), time_zone).dt.date()
    sales = deals.select(*KEY, "contact_id", created_on.alias("first"), "close_date")
    names_deal = done.drop_nulls("deal_id").drop("contact_id")
    linked = sales.join(names_deal, left_on=KEY, right_on=[*_ACCOUNT, "deal_id"], nulls_equal=True)
    names_contact = done.filter(pl.col("deal_id").is_null()).drop_nulls("contact_id")
    # what was done with the contact before there was a deal was not done for it
    since_created = sales.join(names_contact, on=_CONTACT, nulls_equal=True).filter(
        pl.col("day") >= pl.col("first")
    )

    is_after = (pl.col("day") > pl.col("close_date")).fill_null(value=False)
    columns = (*KEY, "kind", "at", "day")
    in_time = [part.filter(~is_after).select(columns) for part in (linked, since_created)]
    return pl.concat(in_time)
