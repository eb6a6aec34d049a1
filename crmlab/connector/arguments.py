"""The arguments of an operation, checked against the types that a vendor documents, before anything is sent."""

from __future__ import annotations

import datetime as dt
import keyword
import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Required, TypeAlias, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, create_model

from crmlab.errors import UsageError

#: a day as `datetime.date` or a text such as 2026-01-31, and a time as `datetime.datetime` or a text with its zone
Day: TypeAlias = dt.date
Moment: TypeAlias = AwareDatetime


#: as `repr` writes what no text can be sent with
_LONE_SURROGATE = re.compile(r"(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}")


class Body(BaseModel):
    """What a service takes as the body of a request, field by field; another field is refused before it is sent."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, protected_namespaces=(), hide_input_in_errors=True
    )


def checked(
    operation: str, types: Mapping[str, Any], given: Mapping[str, object], *, is_open: bool
) -> dict[str, Any]:
    """Return the arguments by the vendor's names, in the types that JSON knows.

    `types` has what each argument takes, by the vendor's name; ``Required[...]`` marks those that must be given.
    `is_open` says that further ones may be given.

    Raises
    ------
    UsageError
        An argument is missing, unknown, or breaks a rule. No value is repeated, for it may be somebody's address.
    """
    arguments_model = _model(operation, tuple(types.items()), "allow" if is_open else "forbid")
    for argument_value in given.values():
        if _LONE_SURROGATE.search(repr(argument_value)):
            raise UsageError(
                f"operation {operation!r}: an argument holds half of a character (a lone surrogate)"
            )
    try:
        arguments = arguments_model.model_validate(given)
    except ValidationError as error:
        raise UsageError(f"operation {operation!r}: {_in_words(error, types)}") from None
    try:
        return arguments.model_dump(by_alias=True, exclude_unset=True, mode="json")
    except (ValueError, RecursionError):
        raise UsageError(
            f"operation {operation!r}: an argument cannot be written as JSON"
        ) from None


@cache
def _model(
    operation: str, types: tuple[tuple[str, Any], ...], extra: Literal["allow", "forbid"]
) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for vendor_name, argument_type in types:
        default = ... if is_required(argument_type) else None
        fields[argument_name(vendor_name)] = (
            _bare(argument_type),
            Field(default, alias=vendor_name),
        )
    config = ConfigDict(
        extra=extra, populate_by_name=True, protected_namespaces=(), hide_input_in_errors=True
    )
    return create_model(operation, __config__=config, **fields)


def _in_words(error: ValidationError, known: Iterable[str]) -> str:
    """Say which argument breaks which rule."""
    sentences: list[str] = []
    for fault in error.errors(include_input=False, include_url=False):
        argument_path = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            known_names = ", ".join(map(argument_name, known)) or "none"
            sentences.append(f"it takes no {argument_path!r}; its arguments are {known_names}")
        elif fault["type"] == "missing":
            sentences.append(f"{argument_path} is missing")
        else:
            message = fault["msg"]
            sentences.append(f"{argument_path}: {message[0].lower()}{message[1:]}")
    return "; ".join(sentences)


def argument_name(name: str) -> str:
    """Return a parameter's name as Python writes it: ``filter[begin_date]`` is ``filter_begin_date``."""
    plain_name = re.sub(r"\W+", "_", name).strip("_")
    return f"{plain_name}_" if keyword.iskeyword(plain_name) else plain_name


def is_required(kind: Any) -> bool:
    """Return whether an argument of that type must be given."""
    return get_origin(kind) is Required


def _bare(kind: Any) -> Any:
    if is_required(kind):
        return get_args(kind)[0]
    return kind


#: how people call what Python calls so
_KINDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "any value",
    Day: "day such as 2026-01-31",
    Moment: "time with its zone",
}


def in_words(kind: Any) -> str:
    """Say what a type takes: ``text``, ``'asc' or 'desc'``, ``list of whole number``."""
    kind = _bare(kind)
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is Annotated:
        return in_words(arguments[0])
    if origin is list:
        return f"list of {in_words(arguments[0])}"
    if origin in (Union, UnionType):
        return " or ".join(in_words(each) for each in arguments if each is not NoneType)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"{kind.__name__} ({', '.join(kind.model_fields)})"
    return _KINDS.get(kind, "object")
