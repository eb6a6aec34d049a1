"""What a request that writes asks for, checked against the types that the vendor documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from crmlab.providers import registry
from crmlab.sandbox.services.onepagecrm.writing import Refused

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
    values: Mapping[str, Any]

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
    checked = Asked(parts=parts, query=query, values={})
    return replace(
        checked, values=_values(_models()[method, path], body, is_partial=checked.is_partial)
    )


@cache
def _models() -> Mapping[tuple[str, str], type[BaseModel] | None]:
    """Return what each operation takes as its body, loaded when something is written."""
    return {(each.method, each.path): each.body for each in registry()["onepagecrm"].operations()}


def _values(model: type[BaseModel] | None, body: Any, *, is_partial: bool) -> dict[str, Any]:
    from pydantic import ValidationError  # loads with the operations, when something is written

    if model is None:
        return {}
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object")
    given = deepcopy(body)
    try:
        model.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        for each in faults:
            if each["type"] == "extra_forbidden":  # what nobody documented is ignored
                _drop(given, each["loc"])
        wrong = {
            str(each["loc"][0]): each["msg"]
            for each in faults
            if _counts(each, is_partial=is_partial)
        }
        if wrong:
            raise Refused(400, "The body is not as documented", **wrong) from None
    is_whole = all(
        name in given for name, field in model.model_fields.items() if field.is_required()
    )
    found = model.model_validate(given) if is_whole else model.model_construct(**given)
    values = found.model_dump(by_alias=True, exclude_unset=True)
    if _has_large_number(values):
        raise Refused(400, "A whole number is too large")
    return {name: value for name, value in values.items() if value is not None or name in _NULLABLE}


def _counts(fault: Mapping[str, Any], *, is_partial: bool) -> bool:
    """Whether a body is refused for it: not for what nobody documented, nor for what a partial one leaves out."""
    is_left_out = is_partial and fault["type"] == "missing" and len(fault["loc"]) == 1
    return fault["type"] != "extra_forbidden" and not is_left_out


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
