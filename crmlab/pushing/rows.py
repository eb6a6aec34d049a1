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
        vendor_fields: dict[str, Any] = {}
        for column, value in self.values.items():
            write = target.columns.get(column) or as_value(column)
            # several columns may be parts of one field: the later ones keep what the earlier ones made of it
            record_so_far = {**current, **vendor_fields}
            vendor_fields |= write(json_value(value, column), record_so_far)
        return vendor_fields

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
        columns = _value_columns(self.frame)
        frame_rows = []
        for number, cells in enumerate(self.frame.iter_rows(named=True)):
            frame_rows.append(_row(number, cells, columns, self.target))
        return frame_rows

    def digest(self, row: Row, options: Mapping[str, Any]) -> str:
        """Return what a row is known by: the same for the same id and values, sent with the same options."""
        content = [row.id, sorted(row.values.items()), sorted(options.items())]
        content_text = json.dumps(content, default=str)
        # a cell may hold half a surrogate pair, which plain UTF-8 has not
        encoded = content_text.encode("utf-8", "surrogatepass")
        return hashlib.sha256(encoded).hexdigest()[:_DIGITS]


def rows_of(account: Account, table: str, frame: Any) -> Rows:
    """Return the rows of a frame, once it is sure that each can be meant.

    Raises
    ------
    UsageError
        The service takes no such table, a column cannot be written, the rows are of another account, or two rows
        are of one record.
    """
    target = target_of(account, table)
    checked = collected(as_polars(frame, table), table)
    _check_columns(checked, target, account)
    # fields of the vendor's own have no type in the shared table
    shared = [column for column in _sent_columns(checked) if column in target.columns]
    check_types(checked, table, shared)
    _check_account(checked, account)
    if "id" in checked.columns:
        checked = checked.with_columns(ids_as_text(checked["id"]))
        _check_ids(checked["id"].drop_nulls())
    return Rows(account, target, checked)


def _check_ids(ids: pl.Series) -> None:
    """Refuse ids of no record, and those of one that two rows would write."""
    if ids.str.strip_chars().eq("").any():
        raise UsageError("a row has a blank id: the id of a new record must be null")
    repeated = ids.filter(ids.is_duplicated()).unique()
    if len(repeated):
        raise UsageError(f"{len(repeated)} ids stand in several rows: a record is written once")


def target_of(account: Account, table: str) -> Target:
    """Return what can be written of a table.

    Raises
    ------
    UsageError
        nothing of it; says what can be
    """
    targets = {target.table: target for target in account.provider.targets()}
    if table in targets:
        return targets[table]
    writable = "nothing"
    if targets:
        writable = f"only {', '.join(targets)}"
    raise UsageError(
        f"{table} cannot be pushed to {account.provider.title}: {writable} can. "
        f'crmlab.operations("{account.provider.name}") lists what crmlab.call can change one by one'
    )


def _check_columns(frame: pl.DataFrame, target: Target, account: Account) -> None:
    """Refuse columns that some row would send, and the service does not take."""
    if CHANGED in frame.columns and frame.schema[CHANGED] != pl.List(pl.String):
        raise UsageError(
            f"{CHANGED} names columns, row by row, as crmlab.updates does: it is a list of text"
        )
    unknown = _named(frame) - set(frame.columns)
    if unknown:
        raise UsageError(
            f"{CHANGED} names {', '.join(sorted(unknown))}, and there is no such column"
        )
    own_fields = {*target.own_fields, *target.account_fields(account.options)}
    writable = [*target.columns, *sorted(own_fields)]
    what_it_takes = f"It takes id, {', '.join(writable)}"
    sent_columns = _sent_columns(frame)
    strange = [column for column in sent_columns if column not in writable]
    if strange:
        pronoun = "them"
        if len(strange) == 1:
            pronoun = "it"
        raise UsageError(
            f"{account.provider.title} does not take {', '.join(strange)} of {target.table}: "
            f"leave {pronoun} out. {what_it_takes}"
        )
    if not sent_columns and frame.height:
        raise UsageError(f"there is nothing to write. {what_it_takes}")


def _value_columns(frame: pl.DataFrame) -> list[str]:
    """Return the columns of a frame but for those that say of which record a row is, and what it changes."""
    return [column for column in frame.columns if column not in (*KEY, CHANGED)]


def _sent_columns(frame: pl.DataFrame) -> list[str]:
    """Return the columns of which at least one row sends its value."""
    changed = _named(frame)
    # a row that names no columns sends each that has a value
    without_names = frame
    if CHANGED in frame.columns:
        without_names = frame.filter(pl.col(CHANGED).is_null())
    sent_columns = []
    for column in _value_columns(frame):
        has_values = without_names[column].null_count() < without_names.height
        if column in changed or has_values:
            sent_columns.append(column)
    return sent_columns


def _named(frame: pl.DataFrame) -> set[str]:
    """Return the columns that at least one row names as changed."""
    if CHANGED not in frame.columns:
        return set()
    return set(frame[CHANGED].explode().drop_nulls())


def _check_account(frame: pl.DataFrame, account: Account) -> None:
    """Refuse rows that came from elsewhere: their ids are others' here."""
    for column, own_name in (("provider", account.provider.name), ("account", account.name)):
        if column not in frame.columns:
            continue
        names = frame[column].cast(pl.String).drop_nulls()
        strange = sorted(set(names) - {own_name})
        if strange:
            raise UsageError(
                f"rows of {', '.join(strange)} cannot be pushed to {account.label}, whose ids there mean others: "
                f'frame.filter({column}="{own_name}")'
            )


def _row(
    number: int,
    cells: Mapping[str, Any],
    columns: list[str],
    target: Target,
) -> Row:
    changed = cells.get(CHANGED)
    # a frame has a cell for every column: one without a value says nothing
    sent_columns = {column for column in columns if cells[column] is not None}
    if changed is not None:
        sent_columns = set(changed)
    # what is always sent is no change by itself
    if changed:
        sent_columns.update(target.always_sent)
    values = {column: cells[column] for column in columns if column in sent_columns}
    return Row(number, cells.get("id"), values)
