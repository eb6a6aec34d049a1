"""A frame of one's own as a shared table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from crmlab.display import plural
from crmlab.errors import MisfitWarning, UsageError
from crmlab.own_data import meanings, words
from crmlab.own_data.misfits import MISFITS, with_misfits
from crmlab.own_data.naming import did_you_mean, near_misses, plain, renamed, shared_table
from crmlab.own_data.notation import Notation
from crmlab.own_data.shaping import Shaped, check_key, shaped
from crmlab.own_data.source import read
from crmlab.schema import Table, TableName

_NONE: Mapping[str, Any] = MappingProxyType({})
#: columns of words that most rows have none of
_SELDOM = ("mailing", "step")
_EXAMPLES = MappingProxyType(
    {
        "rename": "{'Stage': 'status'}",
        "values": "{'status': {'Closed Won': 'won'}}",
        "constants": "{'currency': 'EUR'}",
    }
)


def table(
    name: TableName | str,
    frame: Any,
    *,
    provider: str | None = None,
    account: str | None = None,
    id: str | None = None,
    rename: Mapping[str, str] = _NONE,
    values: words.Values = _NONE,
    constants: Mapping[str, Any] = _NONE,
    date_format: str | Mapping[str, str] | None = None,
    time_zone: str | None = None,
    decimal: str = ".",
    thousands: str | None = None,
    separator: str = ";",
    misfits: Literal["raise", "null"] = "raise",
) -> pl.DataFrame:
    """Return your own data as a shared table, which every analysis and figure takes like a fetched one.

    Columns get the names and dtypes of the table, in its order. Those that your data lack are null, and those that
    the table does not have are kept at the end. A column or a word that differs from a shared one only by case, blanks,
    hyphens or underscores is taken for it: ``Close Date`` is `close_date`, and ``Won`` is won. Where activities lack
    `mailing`, and consent events `opted_in`, a kind such as ``open`` or ``unsubscribe`` tells it.

    Parameters
    ----------
    name
        The shared table, such as ``"deals"``.
    frame
        A frame of Polars (lazy too), pandas or pyarrow, any object that has ``__arrow_c_stream__``, or the path of a
        CSV file: UTF-8, its cells separated by comma, semicolon or tab. Lines without a value are no rows.
    provider
        What the column `provider` says in every row, such as ``"salesforce"``. None: the frame is a shared table, and
        has that column.
    account
        What the column `account` says in every row. None: the same as the provider. A column `account` of your data is
        something else, such as a customer: rename it.
    id
        Your column that holds the id, if it is not called so. Ids are unique. Consent events may have none.
    rename
        Your column -> the shared one.
    values
        Shared column -> what stands in your data -> what it is there, ``{"status": {"Closed Won": "won"}}``; None is
        null.
    constants
        Shared column -> the value of every row, ``{"currency": "EUR"}``.
    date_format
        How dates and times are written in text, such as ``"%d/%m/%Y"``, in all columns or by shared column. None: ISO
        8601. The signs are those of https://docs.rs/chrono/latest/chrono/format/strftime.
    time_zone
        IANA name of the zone of times that name none. A day in a column of times is its beginning there, else in UTC.
    decimal, thousands
        The signs in numbers that are text: ``decimal=","`` with ``thousands="."`` reads 1.234,50.
    separator
        What stands between the parts of a list that is text, such as several e-mail addresses.
    misfits
        What becomes of values that cannot be read, and of words that no analysis knows: ``"raise"`` an error that names
        them, or ``"null"`` a null and a warning; then a further column `misfits` keeps them.

    Returns
    -------
    pl.DataFrame
        The columns of the table with its dtypes, see `crmlab.schema.tables`; then your further columns; then, where
        there are misfits, `misfits` (List of Struct: column, value, as text).

    Raises
    ------
    UsageError
        A name, a word, a value or an id that does not fit; the message says what to write. Also times without a zone.

    Warns
    -----
    MisfitWarning
        Values became null (``misfits="null"``); a column is called almost like a shared one; nothing fills a column of
        words that the analyses of this table read; or consent events have no time.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import analysis
    >>> export = pl.DataFrame({"Opportunity ID": ["006A", "006B", "006C"],
    ...                        "Stage": ["Closed Won", "closed lost", "Open"],
    ...                        "Amount": ["1,200.50", "300", "80"], "Close Date": ["31/01/2026", "02/02/2026", None],
    ...                        "Region": ["North", "South", "South"]})
    >>> deals = table("deals", export, provider="salesforce", id="Opportunity ID", rename={"Stage": "status"},
    ...               values={"status": {"Closed Won": "won", "Closed Lost": "lost", "Open": "pending"}},
    ...               date_format="%d/%m/%Y", thousands=",")
    >>> deals.select("account", "id", "status", "amount", "close_date", "Region")
    shape: (3, 6)
    ┌────────────┬──────┬─────────┬────────┬────────────┬────────┐
    │ account    ┆ id   ┆ status  ┆ amount ┆ close_date ┆ Region │
    │ ---        ┆ ---  ┆ ---     ┆ ---    ┆ ---        ┆ ---    │
    │ str        ┆ str  ┆ str     ┆ f64    ┆ date       ┆ str    │
    ╞════════════╪══════╪═════════╪════════╪════════════╪════════╡
    │ salesforce ┆ 006A ┆ won     ┆ 1200.5 ┆ 2026-01-31 ┆ North  │
    │ salesforce ┆ 006B ┆ lost    ┆ 300.0  ┆ 2026-02-02 ┆ South  │
    │ salesforce ┆ 006C ┆ pending ┆ 80.0   ┆ null       ┆ South  │
    └────────────┴──────┴─────────┴────────┴────────────┴────────┘
    >>> analysis.win_rate(deals).select("won", "lost", "win_rate")
    shape: (1, 3)
    ┌─────┬──────┬──────────┐
    │ won ┆ lost ┆ win_rate │
    │ --- ┆ ---  ┆ ---      │
    │ i64 ┆ i64  ┆ f64      │
    ╞═════╪══════╪══════════╡
    │ 1   ┆ 1    ┆ 0.5      │
    └─────┴──────┴──────────┘

    Words that no analysis would count are an error, not a rate of nothing:

    >>> table("deals", pl.DataFrame({"id": ["1"], "status": ["Closed Won"]}), provider="salesforce")
    Traceback (most recent call last):
    ...
    crmlab.errors.UsageError: deals: status holds words that are not known: 'Closed Won' (1); known are pending, won, \
lost; write values={'status': {'Closed Won': 'won'}}; or misfits='null' to go on without them
    """
    _check_kinds(misfits, rename=rename, values=values, constants=constants)
    shared = shared_table(name)
    notation = Notation(
        date_format=date_format,
        time_zone=time_zone,
        decimal=decimal,
        thousands=thousands,
        separator=separator,
    )
    notation.check(shared)
    if id is not None:
        rename = {**rename, id: "id"}

    given_frame = read(frame, shared.name)
    own_frame = _with_key(renamed(given_frame, shared, rename), shared, provider, account)
    own_frame = _with_constants(own_frame, shared, constants)
    if shared.name == "consent_events":
        own_frame = meanings.numbered(own_frame)
    _check_id(own_frame, shared, given_frame.columns)
    words.check_values(values, own_frame, shared, rename)

    result = shaped(own_frame, shared, values, notation)
    check_key(result.frame, shared)
    answer = meanings.meant(result.frame, shared.name, own_frame.columns)
    problems = list(result.problems)
    if shared.name == "consent_events":
        problems += filter(None, [meanings.silence(answer)])
    # all of them at once: nobody wants to be told of the next one after each
    if problems and misfits == "raise":
        raise UsageError(
            f"{shared.name}: {'; '.join(problems)}; or misfits='null' to go on without them"
        )
    if result.problems:
        answer = _kept(answer, result, shared)

    for doubt in (*problems, *_doubts(own_frame, answer, shared)):
        warnings.warn(f"{shared.name}: {doubt}", MisfitWarning, stacklevel=2)
    return answer


def _check_kinds(misfits: str, **pairs: Any) -> None:
    if misfits not in ("raise", "null"):
        raise UsageError(f"misfits={misfits!r}: write 'raise' or 'null'")
    for argument, given in pairs.items():
        if isinstance(given, Mapping):
            continue
        example = _EXAMPLES[argument]
        kind = type(given).__name__
        raise UsageError(f"{argument} is of type {kind}: write a dict, such as {example}")


def _with_key(
    frame: pl.DataFrame,
    table: Table,
    provider: str | None,
    account: str | None,
) -> pl.DataFrame:
    """Return the frame with provider and account, which are the user's words for both or stand in the frame."""
    # an account in other people's files is a customer
    if provider is not None:
        key_columns = {"provider": provider, "account": account or provider}
        return _with_constants(frame, table, key_columns)

    if "provider" not in frame.columns:
        raise UsageError(
            f"{table.name}: write provider='salesforce', the service that the data are from"
        )
    if account:
        return _with_constants(frame, table, {"account": account})
    if account is None and "account" in frame.columns:
        return frame
    return _with_constants(frame, table, {"account": pl.col("provider")})


def _with_constants(
    frame: pl.DataFrame,
    table: Table,
    constants: Mapping[str, Any],
) -> pl.DataFrame:
    """Return the frame with what is the same in every row."""
    for column, value in constants.items():
        if column not in table.columns:
            raise UsageError(
                f"constants: {table.name} has no column {column!r}{did_you_mean(column, table.columns)}"
            )
        if column in frame.columns:
            other_name = "company_name" if "company_name" in table.columns else "..."
            raise UsageError(
                f"{table.name}: the frame has a column {column} already, in which {value!r} would be written; "
                f"rename it, for example rename={{{column!r}: {other_name!r}}}, or give the frame without it"
            )
    literals = [_literal(column, value) for column, value in constants.items()]
    return frame.with_columns(literals)


def _literal(name: str, value: Any) -> pl.Expr:
    try:
        expression = value if isinstance(value, pl.Expr) else pl.lit(value)
    except TypeError:
        raise UsageError(
            f"constants: {name} is of type {type(value).__name__}: write a text, a number, a date or a list"
        ) from None
    return expression.alias(name)


def _check_id(
    frame: pl.DataFrame,
    table: Table,
    given: Sequence[str],
) -> None:
    if "id" in frame.columns:
        return
    likely = [column for column in given if plain(column).endswith("id")] or ["..."]
    raise UsageError(
        f"{table.name} needs an id, and the frame has no such column: write id={likely[0]!r}. It has {', '.join(given)}"
    )


def _kept(
    answer: pl.DataFrame,
    found: Shaped,
    table: Table,
) -> pl.DataFrame:
    if MISFITS in answer.columns:
        raise UsageError(f"{table.name}: the frame has a column {MISFITS} already: rename it")
    return with_misfits(answer, found.misfits)


def _doubts(
    own: pl.DataFrame,
    answer: pl.DataFrame,
    table: Table,
) -> Iterator[str]:
    """Yield what may be meant otherwise, and what to write then."""
    for name, near in near_misses(own.columns, table).items():
        yield f"the column {name!r} is kept as it is; if it is {near}, write rename={{{name!r}: {near!r}}}"

    filled = (*own.columns, *_SELDOM)
    for name, column in table.columns.items():
        # words of the service's own are no condition of an answer
        if not column.words or column.other_words or name in filled:
            continue
        yield (
            f"no column fills {name} ({', '.join(column.words)}), without which most answers are empty: "
            f"write rename={{'...': {name!r}}}"
        )

    if table.name != "consent_events":
        return
    undated = meanings.undated(answer)
    if undated:
        yield (
            f"{plural(undated, 'row')} of {answer.height:,} have no time, so that they count in no analysis: "
            "write rename={'...': 'occurred_at'}, or constants={'occurred_at': '2026-01-31'}, the day of the list"
        )
