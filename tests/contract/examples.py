"""Arguments with which any operation can be called, made from its types."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Required, Union, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crmlab.connector.arguments import Day, Moment, argument_name
from crmlab.connector.operation import Operation

ID = "5aaa9b059007ba08c9ebaf58"
DAY = "2026-11-01T00:00:00Z"
PLAIN = {int: 1, float: 1.5, bool: True, Any: "any", Day: "2026-11-01", Moment: DAY}
#: what a text stands for where more than any text is meant
TEXTS = {
    "start": DAY,
    "end": DAY,
    "filter[begin_date]": "2026-11-01",
    "filter[end_date]": "2026-11-02",
}


def arguments(operation: Operation) -> dict[str, Any]:
    """Return a value for every argument of the operation."""
    types: dict[str, Any] = {**operation.path_parts(), **operation.query}
    if operation.body is not None:
        types["body"] = operation.body
    return {argument_name(name): example(kind, name) for name, kind in types.items()}


def example(kind: Any, name: str) -> Any:
    """Return a value of that type, every field of an object included."""
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin in (Required, Annotated):
        return example(arguments[0], name)
    if origin is Literal:
        return arguments[0]
    if origin is list:
        return [example(arguments[0], name)]
    if origin in (Union, UnionType):
        return example(next(each for each in arguments if each is not NoneType), name)
    if origin is dict:
        return {}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {
            field.alias or key: _in_limits(field, field.alias or key)
            for key, field in kind.model_fields.items()
        }
    return PLAIN.get(kind, TEXTS.get(name, ID))


def _in_limits(field: FieldInfo, name: str) -> Any:
    """Return a value for a field, as long as it may be."""
    value = example(field.annotation, name)
    for limited in (field, *get_args(field.annotation)):
        for rule in _rules(limited):
            if isinstance(rule, MinLen):
                value = value * rule.min_length
            if isinstance(rule, MaxLen):
                value = value[: rule.max_length]
    return value


def _rules(limited: Any) -> list[Any]:
    """Return the limits of a field, or of one of the types that it may have."""
    if isinstance(limited, FieldInfo):
        return limited.metadata
    return [
        rule
        for each in get_args(limited)[1:]
        if isinstance(each, FieldInfo)
        for rule in each.metadata
    ]
