"""Own tables as a `Fetched`, by themselves or together with what a fetch brought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from crmlab.decoding import REJECTED
from crmlab.display import listed
from crmlab.errors import UsageError
from crmlab.own_data.addressees import with_contacts
from crmlab.own_data.naming import shared_table
from crmlab.own_data.notation import Notation
from crmlab.own_data.shaping import check_key, shaped
from crmlab.own_data.source import read
from crmlab.results import SUMMARY, Fetched
from crmlab.schema import KEY, Asked, AskedAccount, Period, Table, instant

#: what stands in the summary where a fetch has the name of a list
_RESOURCE = "own data"


def collect(
    data: Fetched | None = None,
    /,
    *,
    as_of: str | dt.date | dt.datetime | None = None,
    **tables: Any,
) -> Fetched:
    """Return your own tables as a `Fetched`: to report, explore, mask and export like what a fetch brought.

    Parameters
    ----------
    data
        What a fetch brought, to which the rows are added; it stays as it is.
    as_of
        The day or time that your data are from: what "now" is in the answers. A day begins in UTC. None: the time of
        `data`.
    tables
        Frames by the name of their shared table, as `crmlab.table` returns them: ``deals=deals, contacts=contacts``.
        Where consent events name a person by nothing but `contact_email`, they get the contact of their provider and
        account that has this address, or a new one.

    Returns
    -------
    Fetched
        Its `summary` has a row for each table and account, whose note says that the data are your own, which columns
        nothing fills, and which are kept beside those of the table.

    Raises
    ------
    UsageError
        A name is not that of a shared table, a frame is not what `crmlab.table` returns, an id is there twice, or
        `as_of` is missing, or `data` are masked.

    Examples
    --------
    >>> import polars as pl
    >>> import crmlab
    >>> export = pl.DataFrame({"id": ["1", "2"], "status": ["won", "lost"], "amount": [100.0, 50.0]})
    >>> deals = crmlab.table("deals", export, provider="salesforce", account="eu")
    >>> data = collect(deals=deals, as_of="2026-01-31")
    >>> data
    <Fetched deals 2; complete>
    >>> data.summary.select("provider", "account", "table", "rows", "complete")
    shape: (1, 5)
    ┌────────────┬─────────┬───────┬──────┬──────────┐
    │ provider   ┆ account ┆ table ┆ rows ┆ complete │
    │ ---        ┆ ---     ┆ ---   ┆ ---  ┆ ---      │
    │ str        ┆ str     ┆ str   ┆ i64  ┆ bool     │
    ╞════════════╪═════════╪═══════╪══════╪══════════╡
    │ salesforce ┆ eu      ┆ deals ┆ 2    ┆ true     │
    └────────────┴─────────┴───────┴──────┴──────────┘
    """
    if data is not None and not isinstance(data, Fetched):
        raise UsageError(
            f"collect: the first argument is of type {type(data).__name__}: give what crmlab.fetch or "
            "crmlab.open(folder, lazy=False) returns"
        )
    if not tables:
        raise UsageError(
            "collect: give tables by their name, such as deals=crmlab.table('deals', ...)"
        )
    moment = instant(as_of, "as_of")
    if data is None:
        if moment is None:
            raise UsageError("collect: write as_of='2026-01-31', the day that the data are from")
        data = _without_tables(moment)

    if data.is_masked:
        # together they would be neither: tokens that nobody finds again, beside names to read
        raise UsageError(
            "collect: the data are masked, and your own are not: add your own first, then mask all of it"
        )

    own_tables = {name: _own(name, frame) for name, frame in tables.items()}
    if "consent_events" in own_tables:
        own_tables = with_contacts(own_tables, data)
    together = dict(data)
    for table_name, own_frame in own_tables.items():
        together[table_name] = _appended(together.get(table_name), own_frame, table_name)

    return Fetched(
        together,
        heights={table_name: own_frame.height for table_name, own_frame in together.items()},
        summary=pl.concat([data.summary, _summary(own_tables)]),
        rejected=data.rejected,
        misfits=data.misfits,
        failures=data.failures,
        asked=_asked(data, own_tables, moment),
    )


def _without_tables(day: dt.datetime) -> Fetched:
    return Fetched(
        {},
        heights={},
        summary=pl.DataFrame(schema=SUMMARY),
        rejected=pl.DataFrame(schema=REJECTED),
        failures=(),
        asked=Asked(fetched_at=day),
    )


def _asked(
    data: Fetched,
    own: Mapping[str, pl.DataFrame],
    day: dt.datetime | None,
) -> Asked:
    """Return what both together hold: a table that is all one's own is whole, whatever the fetch asked for."""
    accounts = {(account.provider, account.name): account for account in data.asked.accounts}
    for own_frame in own.values():
        # in an order of their own, so that the same data are always asked for alike
        providers_and_names = own_frame.select("provider", "account").unique().sort(pl.all())
        for provider, account_name in providers_and_names.iter_rows():
            own_account = AskedAccount(provider=provider, name=account_name)
            accounts.setdefault((provider, account_name), own_account)

    own_alone = [table_name for table_name in own if table_name not in data]
    whole_tables = dict.fromkeys(own_alone, Period())
    all_tables = dict.fromkeys([*data.asked.tables, *own])
    return replace(
        data.asked,
        fetched_at=day or data.fetched_at,
        accounts=tuple(accounts.values()),
        tables=tuple(all_tables),
        reached={**data.asked.reached, **whole_tables},
    )


def _own(name: str, frame: Any) -> pl.DataFrame:
    """Return the frame, checked to be that shared table."""
    shared = shared_table(name)
    own_frame = read(frame, name)
    missing = [column for column in KEY if column not in own_frame.columns]
    if missing:
        raise UsageError(
            f"{name} has no {', '.join(missing)}: make it with crmlab.table({name!r}, frame, provider='...')"
        )
    # nothing is left to be read: what does not fit is no frame of crmlab.table
    result = shaped(own_frame, shared, {}, Notation())
    if result.problems:
        raise UsageError(
            f"{name} is no such table: {'; '.join(result.problems)}, in crmlab.table({name!r}, ...)"
        )
    check_key(result.frame, shared)
    return result.frame


def _appended(
    there: pl.DataFrame | None,
    own: pl.DataFrame,
    name: str,
) -> pl.DataFrame:
    """Return the rows of both, further columns at the end."""
    if there is None:
        return own
    for column, dtype in own.schema.items():
        other_dtype = there.schema.get(column, dtype)
        dtypes = {other_dtype, dtype} - {pl.Null()}
        if len(dtypes) > 1:
            raise UsageError(
                f"{name}: the further column {column} is {other_dtype} in one and {dtype} in the other: "
                "call it otherwise in one of them"
            )
    # relaxed: a column of nothing takes the other's dtype
    together = pl.concat([there, own], how="diagonal_relaxed")
    check_key(together, shared_table(name))
    return together


def _summary(own: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return a row for each table and account; an empty table is nobody's."""
    rows = []
    for table_name, own_frame in own.items():
        table = shared_table(table_name)
        if own_frame.is_empty():
            rows.append(_line(own_frame, table, account="", provider=None))
            continue
        for account_rows in own_frame.partition_by("provider", "account", maintain_order=True):
            provider = account_rows["provider"][0]
            rows.append(
                _line(account_rows, table, account=account_rows["account"][0], provider=provider)
            )
    return pl.DataFrame(rows, schema=SUMMARY)


def _line(
    frame: pl.DataFrame,
    table: Table,
    *,
    account: str,
    provider: str | None,
) -> dict[str, Any]:
    counts = dict.fromkeys(("rejected", "requests", "retries"), 0)
    return {
        **counts,
        "account": account,
        "provider": provider,
        "resource": _RESOURCE,
        "table": table.name,
        "rows": frame.height,
        "seconds": 0.0,
        "complete": True,
        "note": _note(frame, table),
    }


def _note(frame: pl.DataFrame, table: Table) -> str:
    parts = ["own data"]
    empty_columns = [
        column for column in table.columns if frame[column].null_count() == frame.height
    ]
    # of a table without rows every column is empty
    if empty_columns and frame.height:
        parts.append(f"nothing fills {listed(empty_columns, max_shown=len(empty_columns))}")
    further_columns = [column for column in frame.columns if column not in table.columns]
    if further_columns:
        parts.append(f"further columns {listed(further_columns)}")
    return "; ".join(parts)
