"""The same questions in SQL, for these tables of lot, answered by DuckDB within a limit of memory.

These are no second implementation: they leave out what the tables of lot do not hold (withdrawals without a channel,
consents that expire, events without a contact, people whom only a number connects), and refusals of subscriptions,
which are of the one account that mails. They show that the answers are right and what another engine takes.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.million import NOW

MEMORY_LIMIT = "2GB"
_TABLES = ("deals", "activities", "contacts", "consent_events", "subscriptions")


def _time(days_ago: int) -> str:
    """Return a time before now in SQL; DuckDB subtracts no days of a zone without an extension."""
    return f"timestamptz '{NOW - dt.timedelta(days=days_ago)}'"


_NOW, _BEFORE, _SINCE = _time(0), _time(30), _time(90)

_STATE = """
    select contact_id, channel, max({'at': occurred_at, 'is_out': not opted_in}) as last
    from consent_events group by contact_id, channel
"""
_IN_FORCE = """
    with ends as (
        select contact_id, channel, max(occurred_at) filter (not opted_in) as end_at
        from consent_events group by contact_id, channel
    ), starts as (
        select contact_id, channel, min(occurred_at) as start_at
        from consent_events join ends using (contact_id, channel)
        where opted_in and (end_at is null or occurred_at > end_at)
        group by contact_id, channel
    )
"""

#: of spells (channel, start_at, end_at), the curve of Kaplan and Meier at the times that crmlab keeps: at most 1,000 of
#: each channel at which something ended, besides the first, the last and the median
_CURVE = f"""
    , spell as (
        select channel, end_at is not null as has_ended,
            (epoch_us(coalesce(end_at, {_NOW})) - epoch_us(start_at)) / 86400000000 as days
        from period
    ), counted as (
        select channel, days, count(*) filter (has_ended) as ended, count(*) as spells
        from spell group by channel, days
    ), with_risk as (
        select *, sum(spells) over (partition by channel order by days desc) as at_risk from counted
    ), curve as (
        select *, product(1 - ended / at_risk) over (partition by channel order by days) as survival from with_risk
    ), marked as (
        select *, count(*) over () as times, row_number() over by_time as place,
            count(*) over of_channel as places, sum(least(ended, 1)) over of_channel as falls,
            sum(least(ended, 1)) over by_time - 1 as fall,
            survival <= 0.5 and lag(survival, 1, 1.0) over by_time > 0.5 as is_median
        from curve
        window of_channel as (partition by channel), by_time as (partition by channel order by days)
    )
    select channel, days, at_risk::bigint as at_risk, survival from marked
    where times <= 1000 or place in (1, places) or is_median
        or (ended > 0 and fall % ((falls + 999) // 1000) = 0)
"""

SQL: Mapping[str, str] = {
    "current_consent": f"""
        select 'altcraft/mail/' || contact_id as subject, channel,
            case when last.is_out then 'opt-out' else 'opt-in' end as decision, last.at as decided_at
        from ({_STATE})
    """,
    "current_consent_by_email": """
        select contact_email as subject, channel,
            case when last.is_out then 'opt-out' else 'opt-in' end as decision, last.at as decided_at
        from (
            select contact_email, channel, max({'at': occurred_at, 'is_out': not opted_in}) as last
            from consent_events group by contact_email, channel
        )
    """,
    "consent_rate": f"""
        select channel, count(*) filter (not last.is_out) as opted_in, count(*) as decided
        from ({_STATE}) group by channel
    """,
    "documentation_coverage": f"""
        {_IN_FORCE}, proofs as (
            select contact_id, channel, bool_or(has_documentation) as documented,
                bool_or(has_documentation is not null) as said
            from consent_events join starts using (contact_id, channel)
            where occurred_at >= start_at
            group by contact_id, channel
        )
        select channel, count(*) as consents, count(*) filter (documented) as documented,
            count(*) filter (said and not documented) as undocumented, count(*) filter (not said) as not_said,
            count(*) as with_source
        from proofs group by channel
    """,
    "consent_survival": f"""
        with starts as (
            select contact_id, channel, min(occurred_at) as start_at
            from consent_events where opted_in group by contact_id, channel
        ), period as (
            select contact_id, channel, any_value(start_at) as start_at,
                min(occurred_at) filter (not opted_in and occurred_at >= start_at) as end_at
            from consent_events join starts using (contact_id, channel)
            group by contact_id, channel
        ) {_CURVE}
    """,
    "time_to_confirm": f"""
        with starts as (
            select contact_id, channel, min(occurred_at) as start_at
            from consent_events where step = 'request' group by contact_id, channel
        ), period as (
            select contact_id, channel, any_value(start_at) as start_at,
                min(occurred_at) filter (step = 'confirmation' and opted_in and occurred_at >= start_at) as end_at
            from consent_events join starts using (contact_id, channel)
            group by contact_id, channel
        ) {_CURVE}
    """,
    "waterfall": """
        with moves as (
            select currency, before.amount as was, after.amount as is_now, after.status
            from (select id, currency, amount from deals) before
            full join (select id, currency, amount, status from deals) after using (id, currency)
        )
        select currency, unnest(['start', 'new', 'reopened', 'up', 'down', 'won', 'lost', 'gone', 'end']) as step,
            unnest([
                count(was), count(*) filter (was is null), 0, count(*) filter (is_now > was),
                count(*) filter (is_now < was), count(*) filter (status = 'won'), count(*) filter (status = 'lost'),
                count(*) filter (is_now is null), count(*) filter (status = 'pending')
            ]) as deals,
            unnest([
                sum(was), coalesce(sum(is_now) filter (was is null), 0), 0,
                coalesce(sum(is_now - was) filter (is_now > was), 0),
                coalesce(sum(is_now - was) filter (is_now < was), 0),
                -sum(is_now) filter (status = 'won'), -sum(was) filter (status = 'lost'),
                coalesce(-sum(was) filter (is_now is null), 0), sum(is_now) filter (status = 'pending')
            ]) as amount
        from moves group by currency
    """,
    "stage_history": f"""
        with deal as (
            select id as deal_id, greatest(stage - 20, 0) as stage_before, stage, status from deals
        )
        select deal_id, stage_before as stage, 'first fetch' as entry,
            case when status <> 'pending' then status when stage_before = stage then 'still there'
                else 'advanced' end as exit,
            {_BEFORE} as entered_at,
            case when status <> 'pending' or stage_before <> stage then {_NOW} end as left_at
        from deal
        union all
        select deal_id, stage, 'advanced', 'still there', {_NOW}, null
        from deal where status = 'pending' and stage_before <> stage
    """,
    "activities_after_opt_out": """
        with decision as (
            select contact_id, channel, occurred_at,
                max({'is_out': not opted_in, 'row': substr(id, 2)::bigint}) as last
            from consent_events where channel in ('email', 'phone')
            group by contact_id, channel, occurred_at
        ), contacting as (
            select id, contact_id, starts_at, case when mailing = 'sent' then 'email' else 'phone' end as channel
            from activities where mailing = 'sent' or (mailing is null and kind = 'call')
        )
        select starts_at as happened_at, contacting.channel, id,
            'altcraft/mail/' || contacting.contact_id as person_id, occurred_at as opted_out_at,
            'e' || last['row'] as opt_out_id
        from contacting asof join decision
            on contacting.contact_id = decision.contact_id and contacting.channel = decision.channel
            and contacting.starts_at > decision.occurred_at
        where last['is_out']
    """,
    "people": """
        select provider::varchar as provider, id,
            min(provider::varchar || '/' || account || '/' || id) over (partition by emails[1]) as person_id
        from contacts
    """,
    "mailed_but_objected": f"""
        with last_word as (
            select contact_id, max({{'at': occurred_at, 'is_out': not opted_in, 'row': substr(id, 2)::bigint}}) as last
            from consent_events where channel = 'email' group by contact_id
        ), objection as (
            select contact_id, 'unsubscribe' as objection, last.at as objected_at, 'e' || last['row'] as objected_id
            from last_word where last.is_out
            union all
            select id, 'do not contact', null, id from contacts where do_not_contact
        ), mailing as (
            select contact_id, true as subscribed, null as sent_at
            from subscriptions where channel = 'email' and opted_in
            union all
            select contact_id, false, starts_at from activities where mailing = 'sent' and starts_at > {_SINCE}
        ), mailed as (
            select contact_id, bool_or(subscribed) as subscribed, max(sent_at) as last_sent_at
            from mailing group by contact_id
        )
        select 'altcraft' as provider, contact_id, 'altcraft/mail/' || contact_id as person_id, objection, objected_id
        from mailed join objection using (contact_id)
        where subscribed or objected_at is null or last_sent_at > objected_at
    """,
}


def answer_of_duckdb(question: str, folder: Path) -> pl.LazyFrame:
    """Return what DuckDB answers, from a file into which it wrote that: so its memory is bounded, too."""
    answer = folder / "answer.parquet"
    settings = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(folder / "spilled"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": "2",
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(config=settings) as connection:
        for table in _TABLES:
            connection.execute(
                f"create view {table} as from read_parquet('{folder / table}/*.parquet')"
            )
        connection.execute(f"copy ({SQL[question]}) to '{answer}' (format parquet)")
    return pl.scan_parquet(answer)
