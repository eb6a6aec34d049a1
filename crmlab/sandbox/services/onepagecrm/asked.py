"""What a request that writes asks for, checked against the types that the vendor documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from crmlab.providers import registry
from crmlab.sandbox.service import Record
from crmlab.sandbox.services.onepagecrm.writing import Refused, Values

if TYPE_CHECKING:
    from pydantic import BaseModel

#: whole numbers are of 32 bits
_LARGEST = 2**31
#: fields in which null says that there is none; in others it says nothing
_NULLABLE = ("linked_deal_id",)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that writes: the parts of its path, its query and the fields of its body."""

    parts: Mapping[str, str]
    query: Mapping[str, str]
    values: Values

    @property
    def id(self) -> str:
        """The last id of its path: what the request is about."""
        return [*self.parts.values()][-1]

    @property
    def owner_id(self) -> str:
        """The first id of its path: what that belongs to."""
        return next(iter(self.parts.values()))

    @property
    def is_partial(self) -> bool:
        """Whether fields that are not given stay as they are."""
        return self.query.get("partial") in ("true", "1")

    @property
    def is_undo(self) -> bool:
        """Whether what was deleted is to come back."""
        return self.query.get("undo") == "true"


def asked(
    method: str, path: str, parts: Mapping[str, str], query: Mapping[str, str], body: Any
) -> Asked:
    """Return what a request asks for.

    Raises
    ------
    Refused
        its body is not as documented
    """
    without_values = Asked(parts=parts, query=query, values={})
    model = _models()[method, path]
    values = _values(model, body, is_partial=without_values.is_partial)
    return replace(without_values, values=values)


@cache
def _models() -> Mapping[tuple[str, str], type[BaseModel] | None]:
    """Return what each operation takes as its body, loaded when something is written."""
    models: dict[tuple[str, str], type[BaseModel] | None] = {}
    for operation in registry()["onepagecrm"].operations():
        models[operation.method, operation.path] = operation.body
    return models


def _values(model: type[BaseModel] | None, body: Any, *, is_partial: bool) -> Record:
    from pydantic import ValidationError  # loads with the operations, when something is written

    if model is None:
        return {}
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object")
    fields = deepcopy(body)
    try:
        model.model_validate(fields)
    except ValidationError as error:
        wrong: dict[str, str] = {}
        for fault in error.errors(include_url=False, include_input=False):
            if fault["type"] == "extra_forbidden":  # what nobody documented is ignored
                _drop(fields, fault["loc"])
            elif not (is_partial and _is_left_out(fault)):
                wrong[str(fault["loc"][0])] = fault["msg"]
        if wrong:
            raise Refused(400, "The body is not as documented", **wrong) from None
    values = _typed(model, fields)
    if _has_large_number(values):
        raise Refused(400, "A whole number is too large")
    written = {}
    for name, value in values.items():
        if value is not None or name in _NULLABLE:
            written[name] = value
    return written


def _typed(model: type[BaseModel], fields: Record) -> Record:
    """Return the fields as the model reads them; a partial body, which it would refuse, as they came."""
    for name, field in model.model_fields.items():
        if field.is_required() and name not in fields:
            partial_body = model.model_construct(**fields)
            return partial_body.model_dump(by_alias=True, exclude_unset=True)
    whole_body = model.model_validate(fields)
    return whole_body.model_dump(by_alias=True, exclude_unset=True)


def _is_left_out(fault: Values) -> bool:
    """Whether a field of the body itself is missing: inside a field, nothing may be."""
    return fault["type"] == "missing" and len(fault["loc"]) == 1


def _drop(value: Any, way: Sequence[str | int]) -> None:
    """Take out what stands at the end of this way."""
    *parents, last = way
    for step in parents:
        value = value[step]
    del value[last]


def _has_large_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_large_number, value.values()))
    if isinstance(value, list):
        return any(map(_has_large_number, value))
    return isinstance(value, int) and abs(value) >= _LARGEST
