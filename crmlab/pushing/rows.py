"""The rows of a frame as records to be written: each column known, each row one's own, nothing sent yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Fields, Target, as_value
from crmlab.errors import UsageError
from crmlab.pushing.values import check_types, ids_as_text, json_value
from crmlab.schema import KEY, as_polars, collected

#: the column that names, row by row, the columns that are sent; made by `updates`
CHANGED = "changed"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One row to be written: its place in the frame, its id, and the values of the columns that are sent."""

    number: int
    id: str | None
    values: Mapping[str, Any] = field(repr=False)

    def fields(self, target: Target, current: Fields) -> dict[str, Any]:
        """Return the vendor's fields, made of what the record has there and of the values.

        Raises
        ------
        UsageError
            a value cannot be written, or there is none
        """
        if not self.values:
            raise UsageError("the row has no value: there is nothing to write")
        found: dict[str, Any] = {}
        for name, value in self.values.items():
            write = target.columns.get(name) or as_value(name)
            found |= write(json_value(value, name), {**current, **found})
        return found

    def needs_own_read(self, target: Target) -> bool:
        """Return whether the record must be read by its id before it can be changed."""
        return (
            self.id is not None
            and bool(target.current_operation)
            and not target.merged.isdisjoint(self.values)
        )


@dataclass(frozen=True)
class Rows:
    """The rows of a frame that are to be written into one table of an account."""

    account: Account
    target: Target
    frame: pl.DataFrame = field(repr=False)

    @cached_property
    def all(self) -> list[Row]:
        """Every row, in the order of the frame."""
        columns = [name for name in self.frame.columns if name not in (*KEY, CHANGED)]
        return [
            _row(number, each, columns, self.target)
            for number, each in enumerate(self.frame.iter_rows(named=True))
        ]

    def digest(self, row: Row, options: Mapping[str, Any]) -> str:
        """Return what a row is known by: the same for the same id and values, sent with the same options."""
        content = json.dumps(
            [row.id, sorted(row.values.items()), sorted(options.items())], default=str
        )
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def rows_of(account: Account, table: str, frame: Any) -> Rows:
    """Return the rows of a frame, once it is sure that each can be meant.

    Raises
    ------
    UsageError
        The service takes no such table, a column cannot be written, the rows are of another account, or two rows
        are of one record.
    """
    target = target_of(account, table)
    found = collected(as_polars(frame, table), table)
    _check_columns(found, target, account)
    check_types(found, table, [name for name in _sent_columns(found) if name in target.columns])
    _check_account(found, account)
    if "id" in found.columns:
        found = found.with_columns(ids_as_text(found["id"]))
        ids = found["id"].drop_nulls()
        if ids.str.strip_chars().eq("").any():
            raise UsageError("a row has a blank id: the id of a new record must be null")
        if ids.n_unique() != len(ids):
            twice = ids.filter(ids.is_duplicated()).unique(maintain_order=True)
            raise UsageError(f"{len(twice)} ids stand in several rows: a record is written once")
    return Rows(account, target, found)


def target_of(account: Account, table: str) -> Target:
    """Return what can be written of a table.

    Raises
    ------
    UsageError
        nothing of it; says what can be
    """
    known = {target.table: target for target in account.provider.targets}
    if table in known:
        return known[table]
    can = f"only {', '.join(known)}" if known else "nothing"
    raise UsageError(
        f"{table} cannot be pushed to {account.provider.title}: {can} can. "
        f'crmlab.operations("{account.provider.name}") lists what crmlab.call can change one by one'
    )


def _check_columns(frame: pl.DataFrame, target: Target, account: Account) -> None:
    """Refuse columns that some row would send, and the service does not take."""
    if CHANGED in frame.columns and frame.schema[CHANGED] != pl.List(pl.String):
        raise UsageError(
            f"{CHANGED} names columns, row by row, as crmlab.updates does: it is a list of text"
        )
    own = {*target.own_fields, *target.account_fields(account.options)}
    sent = _sent_columns(frame)
    strange = [name for name in sent if name not in target.columns and name not in own]
    takes = f"It takes id, {', '.join([*target.columns, *sorted(own)])}"
    unknown = _named(frame) - set(frame.columns)
    if unknown:
        raise UsageError(
            f"{CHANGED} names {', '.join(sorted(unknown))}, and there is no such column"
        )
    if strange:
        these = "it" if len(strange) == 1 else "them"
        title = account.provider.title
        raise UsageError(
            f"{title} does not take {', '.join(strange)} of {target.table}: leave {these} out. {takes}"
        )
    if not sent and frame.height:
        raise UsageError(f"there is nothing to write. {takes}")


def _sent_columns(frame: pl.DataFrame) -> list[str]:
    """Return the columns of which at least one row sends its value."""
    columns = [name for name in frame.columns if name not in (*KEY, CHANGED)]
    if CHANGED not in frame.columns:
        return [name for name in columns if frame[name].null_count() < frame.height]
    changed = _named(frame)
    unnamed = frame.filter(pl.col(CHANGED).is_null())
    return [
        name for name in columns if name in changed or unnamed[name].null_count() < unnamed.height
    ]


def _named(frame: pl.DataFrame) -> set[str]:
    """Return the columns that at least one row names as changed."""
    if CHANGED not in frame.columns:
        return set()
    return set(frame[CHANGED].explode().drop_nulls())


def _check_account(frame: pl.DataFrame, account: Account) -> None:
    """Refuse rows that came from elsewhere: their ids are others' here."""
    for column, ours in (("provider", account.provider.name), ("account", account.name)):
        if column not in frame.columns:
            continue
        others = frame[column].cast(pl.String).drop_nulls()
        strange = sorted({each for each in others if each != ours})
        if strange:
            raise UsageError(
                f"rows of {', '.join(strange)} cannot be pushed to {account.label}, whose ids there mean others: "
                f'frame.filter({column}="{ours}")'
            )


def _row(number: int, cells: Mapping[str, Any], columns: list[str], target: Target) -> Row:
    changed = cells.get(CHANGED)
    if changed is None:
        # a frame has a cell for every column: one without a value says nothing
        values = {name: cells[name] for name in columns if cells[name] is not None}
    else:
        # what is always sent is no change by itself
        sent = {*changed, *target.always_sent} if changed else set()
        values = {name: cells[name] for name in columns if name in sent}
    return Row(number, cells.get("id"), values)
