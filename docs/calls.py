"""Write what type checkers know of `crmlab.call`: the names of operations, and what each takes. ``make names``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from crmlab.connector import Operation
from crmlab.connector.arguments import Day, Moment, argument_name, is_required
from crmlab.providers import registry

FILE = Path(__file__).parent.parent / "crmlab" / "fetching" / "typed_call.pyi"
#: stands for the arguments of an operation that takes any others as well
ANY = ("*",)
#: what may be given where a type is documented: ids come as text in frames, times as text everywhere
GIVEN = {
    str: "str",
    int: "int | str",
    float: "float | str",
    bool: "bool",
    Any: "Any",
    NoneType: "None",
    Day: "date | str",
    Moment: "datetime | str",
}
HEADER = '''"""What type checkers know of `crmlab.call`. Written by docs/calls.py: do not edit, ``make names``.

A name that is computed, or of another package, is passed as `typing.Any`: a cell of the frame of
`crmlab.operations` is one.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Required, TypedDict, Unpack, overload

from crmlab.accounts import Account
from crmlab.connector import Timeouts

class _Options(TypedDict, total=False):
    as_frame: bool
    as_model: Any
    timeouts: Timeouts | None
    dry_run: bool
    allow_destructive: bool
    allow_dangerous: bool
    spool: str | Path | None
'''


def written() -> str:
    """Return the file: one class and one signature for all operations that take the same."""
    names: dict[tuple[str, ...], list[str]] = {}
    for provider in registry().values():
        for operation in provider.operations():
            names.setdefault(_fields(operation), []).append(operation.name)
    classes = []
    signatures = []
    for number, (fields, found) in enumerate(names.items(), 1):
        literal = ", ".join(f'"{name}"' for name in dict.fromkeys(found))
        arguments = "Any"
        if fields != ANY:
            arguments = f"Unpack[_Takes{number}]"
            classes.append(f"class _Takes{number}(_Options, total=False):\n{_lines(fields)}")
        signatures.append(_signature(literal, arguments))
    return "\n".join([HEADER, *classes, *signatures, ""])


def _signature(names: str, arguments: str) -> str:
    asked = f"account: Account, operation: Literal[{names}], **arguments: {arguments}"
    return f"@overload\nasync def call({asked}) -> Any: ..."


def _lines(fields: Iterable[str]) -> str:
    return "\n".join(f"    {field}" for field in fields) or "    pass"


def _fields(operation: Operation) -> tuple[str, ...]:
    """Return each argument with its type, as a class has it; `ANY` where there may be further ones."""
    if operation.open_fields:
        return ANY
    return tuple(
        f"{argument_name(name)}: {_type(kind)}" for name, kind in operation.types().items()
    )


def _type(kind: Any) -> str:
    """Return how a type is written: of objects only that they are some."""
    arguments = get_args(kind)
    origin = get_origin(kind)
    if is_required(kind):
        return f"Required[{_type(arguments[0])}]"
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is list:
        return f"list[{_type(arguments[0])}]"
    if origin in (Union, UnionType):
        parts = " | ".join(_type(each) for each in arguments).split(" | ")
        return " | ".join(dict.fromkeys(parts))
    is_object = origin is dict or (
        isinstance(kind, type) and issubclass(kind, (BaseModel, Mapping))
    )
    return "Mapping[str, Any]" if is_object else GIVEN.get(kind, "Any")


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
