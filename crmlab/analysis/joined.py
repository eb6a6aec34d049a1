"""Deals and consent together: what the people behind the deals of one service said in another.

"consent" is what the deal's person last decided about one channel, in whatever service it was made:
opted in, opted out, undecided (the person is known, no decision is) or unknown person (the deal has no contact that
`people` knows). What counts as a decision: `crmlab.analysis.current_consent`, with the same evidence.
"""

from __future__ import annotations

import datetime as dt
from statistics import NormalDist

import polars as pl

from crmlab.analysis.decisions import dated_events, history_of
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of, read
from crmlab.analysis.period import local
from crmlab.analysis.person_consent import OPTED_IN, OPTED_OUT, STATES, state, with_state
from crmlab.analysis.pipeline import LOST, OPEN, VALUE, WON, currencies, with_money
from crmlab.analysis.rates import counted, number_of, ratio, row_count, share, wilson
from crmlab.analysis.subjects import with_person
from crmlab.errors import UsageError
from crmlab.schema import TimeLike, as_instant

__all__ = ["consent_and_win_rate", "consent_coverage_of_pipeline", "open_pipeline_by_consent"]

_READ = ("provider", "account", "contact_id", "status")
#: of what expires later than a deal is closed, the deal does not ask
_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_ORDER = pl.DataFrame({"consent": STATES, "place": range(len(STATES))})


@answers("everything")
def open_pipeline_by_consent(
    deals: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    channel: str = "email",
    purpose: str | None = None,
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the open deals and their amount by the consent of the person each deal is with.

    Parameters
    ----------
    deals
        Reads provider, account, contact_id, status, total_amount, amount, currency: as they are now, not at `as_of`.
    consent_events
        As of `crmlab.analysis.current_consent`. An event of a contact that `people` does not know is of whoever has its
        address among `contacts`: a refusal by an address that several people have is of each, a consent of none.
    people
        As `crmlab.analysis.people` returns it.
    as_of
        Later decisions do not count; a date is the beginning of that day in `time_zone`.
    channel
        The channel whose consent counts; a withdrawal that names none is about every channel, a consent
        that names none about none.
    purpose
        The purpose whose consent counts, in the same way. None: any, so that who said yes to one and no to another is
        opted in, and opted out is who said yes to none.
    subscriptions, contacts
        As of `crmlab.analysis.current_consent`: a refusal without a time stands above every event of the person, in any
        service, and a consent without a time counts where no event decides.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        All four states, in each currency: consent (String: "opted in", "opted out", "undecided", "unknown person");
        currency (String) where the open deals are in more than one; deals, people (Int64; null for
        unknown ones, who cannot be counted), amount (Float64, in that currency).

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `people` is not of `crmlab.analysis.people`.

    Notes
    -----
    The last decision counts, as consent platforms keep it:
    https://docs.liveramp.com/privacy-manager/en/reporting-for-gdpr.html.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["onepagecrm", "altcraft"], "account": ["a"] * 2, "id": ["1", "9"],
    ...         "emails": [["ann@example.com"]] * 2}
    >>> who = people(conform(pl.DataFrame(rows), TABLES["contacts"]))
    >>> rows = {"provider": ["onepagecrm"] * 2, "account": ["a"] * 2, "contact_id": ["1", None],
    ...         "status": ["pending"] * 2, "amount": [70.0, 30.0]}
    >>> deals = conform(pl.DataFrame(rows), TABLES["deals"])
    >>> rows = {"provider": ["altcraft"], "account": ["a"], "opted_in": [True], "contact_id": ["9"],
    ...         "channel": ["email"], "occurred_at": [datetime(2026, 1, 9)]}
    >>> events = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> events = conform(events, TABLES["consent_events"])
    >>> open_pipeline_by_consent(deals, events, who, as_of=date(2026, 2, 1))
    shape: (4, 4)
    ┌────────────────┬───────┬────────┬────────┐
    │ consent        ┆ deals ┆ people ┆ amount │
    │ ---            ┆ ---   ┆ ---    ┆ ---    │
    │ str            ┆ i64   ┆ i64    ┆ f64    │
    ╞════════════════╪═══════╪════════╪════════╡
    │ opted in       ┆ 1     ┆ 1      ┆ 70.0   │
    │ opted out      ┆ 0     ┆ 0      ┆ 0.0    │
    │ undecided      ┆ 0     ┆ 0      ┆ 0.0    │
    │ unknown person ┆ 1     ┆ null   ┆ 30.0   │
    └────────────────┴───────┴────────┴────────┘
    """
    until = as_instant(as_of, "as_of", time_zone)
    all_deals = read(deals, "deals", *_READ, "total_amount", "amount", "currency")
    open_deals = with_state(
        all_deals.filter(OPEN),
        consent_events,
        people,
        channel=channel,
        purpose=purpose,
        until=until,
        subscriptions=subscriptions,
        contacts=contacts,
    )
    money = currencies(open_deals)
    counts = open_deals.group_by("consent", *money).agg(
        row_count("deals"),
        people=pl.col("person_id").drop_nulls().n_unique().cast(pl.Int64),
        amount=VALUE.sum(),
    )
    # a state that nobody is in has a row of its own, in every currency
    all_states = _ORDER
    if money:
        all_states = _ORDER.join(open_deals.select(money).unique(), how="cross")
    filled = all_states.join(counts, on=["consent", *money], how="left", nulls_equal=True)
    in_order = filled.sort(*money, "place", nulls_last=True)
    # how many the unknown are nobody knows: that is what unknown means
    is_unknown = pl.col("consent") == STATES[-1]
    return in_order.select(
        "consent",
        *money,
        pl.col("deals").fill_null(0),
        pl.when(~is_unknown).then(pl.col("people").fill_null(0)),
        pl.col("amount").fill_null(0.0),
    )


@answers("everything")
def consent_coverage_of_pipeline(
    deals: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    channel: str = "email",
    purpose: str | None = None,
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how many of the open deals are with people who decided about being contacted.

    ``coverage = decided / deals`` and ``coverage_by_amount = decided_amount / amount``; decided is opted in
    or opted out. Deals without a known person are in the denominators.

    Parameters
    ----------
    deals
        Reads provider, account, contact_id, status, total_amount, amount, currency and the column `by`:
        as they are now.
    consent_events, people, as_of, channel, purpose, subscriptions, contacts, time_zone
        As for `open_pipeline_by_consent`.
    by
        Columns of deals to group by, such as ``"owner_name"``.

    Returns
    -------
    pl.DataFrame
        Sorted, nulls last: the column `by`; currency (String) where the open deals are in more than one; deals,
        decided, opted_in (Int64, deals), coverage (Float64, 0-1), amount, decided_amount, opted_in_amount
        (Float64, in that currency), coverage_by_amount (Float64, 0-1, null when the amount is 0, or negative
        amounts make it no part of it).

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `people` is not of `crmlab.analysis.people`.

    Notes
    -----
    Coverage as the share with any decision is our own wording of common practice.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> deals = conform(pl.DataFrame({"owner_name": ["Bo"], "status": ["pending"], "amount": [70.0]}), TABLES["deals"])
    >>> nobody, nothing = people(TABLES["contacts"].empty()), TABLES["consent_events"].empty()
    >>> found = consent_coverage_of_pipeline(deals, nothing, nobody, as_of="2026-02-01", by="owner_name")
    >>> found.select("owner_name", "deals", "decided", "coverage", "amount")
    shape: (1, 5)
    ┌────────────┬───────┬─────────┬──────────┬────────┐
    │ owner_name ┆ deals ┆ decided ┆ coverage ┆ amount │
    │ ---        ┆ ---   ┆ ---     ┆ ---      ┆ ---    │
    │ str        ┆ i64   ┆ i64     ┆ f64      ┆ f64    │
    ╞════════════╪═══════╪═════════╪══════════╪════════╡
    │ Bo         ┆ 1     ┆ 0       ┆ 0.0      ┆ 70.0   │
    └────────────┴───────┴─────────┴──────────┴────────┘
    """
    until = as_instant(as_of, "as_of", time_zone)
    all_deals = read(deals, "deals", *_READ, "total_amount", "amount", "currency", by=by)
    open_deals = with_state(
        all_deals.filter(OPEN),
        consent_events,
        people,
        channel=channel,
        purpose=purpose,
        until=until,
        subscriptions=subscriptions,
        contacts=contacts,
    )
    keys = with_money(keys_of(by), open_deals)
    has_decided = pl.col("consent").is_in([OPTED_IN, OPTED_OUT])
    is_opted_in = pl.col("consent") == OPTED_IN
    counts = counted(
        open_deals,
        keys,
        row_count("deals"),
        number_of(has_decided, "decided"),
        number_of(is_opted_in, "opted_in"),
        VALUE.sum().alias("amount"),
        VALUE.filter(has_decided).sum().alias("decided_amount"),
        VALUE.filter(is_opted_in).sum().alias("opted_in_amount"),
    )
    shares = counts.select(
        *keys,
        "deals",
        "decided",
        "opted_in",
        ratio("decided", "deals").alias("coverage"),
        "amount",
        "decided_amount",
        "opted_in_amount",
        share("decided_amount", "amount").alias("coverage_by_amount"),
    )
    return answer(shares)


@answers("everything")
def consent_and_win_rate(
    deals: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    channel: str = "email",
    purpose: str | None = None,
    confidence: float = 0.95,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the win rate of closed deals by the consent of their person before the deal was closed.

    This is no effect of consent: who is asked, who answers and who buys are not chosen by lot, and a seller
    who is sure of a deal may well ask first. Decisions of the closing day and later do not count, for a
    customer confirms because the deal was won. Nor do states without a time (subscriptions, `do_not_contact`): nobody
    knows whether they are from before.

    Parameters
    ----------
    deals
        Reads provider, account, contact_id, status, close_date. Closed deals without a close date are left out.
    consent_events, people, channel, purpose
        As for `open_pipeline_by_consent`.
    contacts
        Reads provider, account, id, emails: who has the address of an event that names no contact.
    time_zone
        IANA name; where the closing day begins.
    confidence
        How sure the interval is, between 0 and 1.

    Returns
    -------
    pl.DataFrame
        All four states: consent (String, as of `open_pipeline_by_consent`), won, lost (Int64, deals), win_rate
        (Float64, won / (won + lost)), low, high (Float64, the Wilson interval); null when none is closed.

    Raises
    ------
    UsageError
        `time_zone` is not known, or `people` is not of `crmlab.analysis.people`.

    Notes
    -----
    The interval: E. B. Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953. It takes the deals for
    independent; several of one person are not, so it is rather too narrow.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"status": ["won", "lost"], "close_date": [date(2026, 1, 5)] * 2}
    >>> nobody, nothing = people(TABLES["contacts"].empty()), TABLES["consent_events"].empty()
    >>> consent_and_win_rate(conform(pl.DataFrame(rows), TABLES["deals"]), nothing, nobody).tail(1)
    shape: (1, 6)
    ┌────────────────┬─────┬──────┬──────────┬──────────┬──────────┐
    │ consent        ┆ won ┆ lost ┆ win_rate ┆ low      ┆ high     │
    │ ---            ┆ --- ┆ ---  ┆ ---      ┆ ---      ┆ ---      │
    │ str            ┆ i64 ┆ i64  ┆ f64      ┆ f64      ┆ f64      │
    ╞════════════════╪═════╪══════╪══════════╪══════════╪══════════╡
    │ unknown person ┆ 1   ┆ 1    ┆ 0.5      ┆ 0.094531 ┆ 0.905469 │
    └────────────────┴─────┴──────┴──────────┴──────────┴──────────┘
    """
    if not 0 < confidence < 1:
        raise UsageError(f"confidence={confidence!r} must lie between 0 and 1, such as 0.95")
    all_deals = read(deals, "deals", *_READ, "close_date")
    events = dated_events(consent_events, None, people, contacts=contacts, expired_by=_EVER)
    decisions = history_of(events, channel, purpose)
    closed_deals = all_deals.filter(WON | LOST).drop_nulls("close_date")
    with_decision = _decided_before(with_person(closed_deals, people), decisions, time_zone)

    consent = state().alias("consent")
    counts = with_decision.group_by(consent).agg(number_of(WON, "won"), number_of(LOST, "lost"))
    all_states = counts.join(_ORDER, on="consent", how="right").sort("place")
    filled = all_states.select("consent", pl.col("won", "lost").fill_null(0))
    won = pl.col("won")
    closed = won + pl.col("lost")
    z_score = NormalDist().inv_cdf((1 + confidence) / 2)
    lower_end, upper_end = wilson(won, closed, z_score)
    return filled.with_columns(win_rate=ratio(won, closed), low=lower_end, high=upper_end)


def _decided_before(
    closed_deals: pl.DataFrame, decisions: pl.DataFrame, time_zone: str
) -> pl.DataFrame:
    """Return the deals with the last decision of their person before the day of closing, null where there is none."""
    decided_on = local(pl.col("at"), time_zone).dt.date()
    dated_decisions = decisions.select("decision", person_id="subject", close_date=decided_on)
    # of a decision of that day nobody knows whether it came first: a deal has no hour of closing
    return closed_deals.sort("close_date").join_asof(
        dated_decisions.sort("close_date", maintain_order=True),
        on="close_date",
        by="person_id",
        allow_exact_matches=False,
        check_sortedness=False,
    )
