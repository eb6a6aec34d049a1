"""What can be asked of a service beside its lists, as a frame."""

from __future__ import annotations

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from crmlab.accounts import Account, check_account
from crmlab.connector import Operation
from crmlab.errors import UsageError
from crmlab.providers import provider, unknown

_SCHEMA: dict[str, DataType | DataTypeClass] = {
    "provider": pl.String,
    "operation": pl.String,
    "method": pl.String,
    "path": pl.String,
    "arguments": pl.List(
        pl.Struct(
            {"name": pl.String, "takes": pl.String, "required": pl.Boolean, "default": pl.String}
        )
    ),
    "writes": pl.Boolean,
    "destructive": pl.Boolean,
    "dangerous": pl.Boolean,
    "repeatable": pl.Boolean,
    "deprecated": pl.Boolean,
    "assumed": pl.Boolean,
}


def operation_of(account: Account, name: str) -> Operation:
    """Return the operation of that name; raise a `UsageError` where the service has none, or this is no account."""
    check_account(account)
    by_name = {operation.name: operation for operation in account.provider.operations()}
    if name not in by_name:
        where_listed = f'crmlab.operations("{account.provider.name}") lists them'
        raise UsageError(f"{unknown('operation', name, by_name)}; {where_listed}")
    return by_name[name]


def operations(name: str) -> pl.DataFrame:
    """Return every documented operation of a service, one a row, in the order of the vendor's document.

    ``operation`` is what `crmlab.call` is given, ``arguments`` what each of its arguments takes, whether it must be
    given, and what is sent where it is not. ``writes`` says that it changes something, ``destructive`` that
    something is gone afterwards, ``dangerous`` that it is about keys, users or accounts, ``repeatable`` that the
    vendor says of a change that a second application adds nothing, ``deprecated`` that the vendor gives it up, and
    ``assumed`` that the vendor's document does not show its path. All of these are booleans, everything else is text.

    Raises
    ------
    UsageError
        there is no service of that name

    Examples
    --------
    >>> import polars as pl
    >>> operations("onepagecrm").filter(pl.col("path") == "/deals")["operation"].to_list()
    ['list_deals', 'create_deal']
    """
    service = provider(name)
    operation_rows = [_row(service.name, operation) for operation in service.operations()]
    return pl.DataFrame(operation_rows, schema=_SCHEMA)


def _row(provider_name: str, operation: Operation) -> dict[str, object]:
    return {
        "provider": provider_name,
        "operation": operation.name,
        "method": operation.method,
        "path": operation.path,
        "arguments": [argument._asdict() for argument in operation.arguments()],
        "writes": operation.writes,
        "destructive": operation.destructive,
        "dangerous": operation.dangerous,
        "repeatable": operation.repeatable,
        "deprecated": operation.deprecated,
        "assumed": operation.assumed,
    }
