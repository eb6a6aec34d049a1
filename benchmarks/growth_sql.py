"""The same questions in SQL, for these tables of lot, answered by DuckDB within a limit of memory.

These are no second implementation: they leave out what the tables of lot do not hold (withdrawals without a channel,
consents that expire, events without a contact). They show that the answers are right and what another engine takes.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

MEMORY_LIMIT = "2GB"

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

SQL: Mapping[str, str] = {
    "current_consent": f"""
        select 'altcraft/mail/' || contact_id as subject, channel,
            case when last.is_out then 'opt-out' else 'opt-in' end as decision, last.at as decided_at
        from ({_STATE})
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
        for table in ("consent_events", "deals"):
            connection.execute(
                f"create view {table} as from read_parquet('{folder / table}/*.parquet')"
            )
        connection.execute(f"copy ({SQL[question]}) to '{answer}' (format parquet)")
    return pl.scan_parquet(answer)
