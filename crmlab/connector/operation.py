"""One documented operation of a service, as a value: what it is asked with, and what it changes."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Required

from crmlab.connector.request import Request, fill_path
from crmlab.errors import UsageError


class Argument(NamedTuple):
    """One argument of an operation: its name in Python, what it takes in words, and whether it must be given.

    `default` is what is sent where it is not given, as JSON writes it; None is nothing.
    """

    name: str
    takes: str
    required: bool
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented operation: a record by its id, a list, a check, a change.

    `parts` and `query` give the type of each parameter: those of the path, which are text where `parts` does not name
    them, and those after the question mark, which may be left out unless their type is ``Required[...]``.
    `fields` are those of a flat JSON body, which are given like the others, and `open_fields` says that a body has
    further ones, such as custom fields; `body` is the type of any other JSON body.
    `binary` says that a file comes back, and `file_ending` which (``pdf``). `from_root` says that the path begins where
    the host does, not where the base URL ends.
    `writes` says that it changes something, `destructive` that something is gone
    afterwards (deleted, or read once and for all), `dangerous` that it is about keys, users or accounts.
    `gives_secret` says that its answer is a new secret.
    `repeatable` says of one that writes that a second application of the same request changes nothing more, by the
    vendor's own words: only such a one is tried again when nobody knows whether the first arrived.
    `defaults` are arguments that are sent unless others are given, by their names in Python, and `restored_by` names
    the argument with which a call brings back what the same call deleted.
    `assumed` says that the vendor's document does not show the path.
    """

    name: str
    method: str
    path: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    open_fields: bool = False
    body: Any = None
    binary: bool = False
    file_ending: str = ""
    from_root: bool = False
    doc: str = ""
    writes: bool = False
    destructive: bool = False
    dangerous: bool = False
    gives_secret: bool = False
    repeatable: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    restored_by: str = ""
    deprecated: bool = False
    assumed: bool = False

    def request(self, /, **arguments: object) -> Request:
        """Return the request for these arguments; ``body`` is one of them where the operation takes one.

        Raises
        ------
        UsageError
            An argument is missing, is none of this operation, or breaks a rule of the vendor's document.
        """
        from crmlab.connector.arguments import checked  # noqa: PLC0415  # pydantic loads when something is called

        wanted = {**self.defaults, **arguments}
        given = checked(self.name, self.types(), wanted, is_open=self.open_fields)
        path_values = {param_name: given[param_name] for param_name in self.path_parts()}
        self._check_parts(path_values)
        params: dict[str, str] = {}
        for param_name in self.query:
            if given.get(param_name) is not None:
                params.update(_query_pairs(param_name, given[param_name]))
        return Request(
            path=fill_path(self.path, **path_values),
            method=self.method,
            params=params,
            body=self._body_of(given),
            is_file=self.binary,
            from_root=self.from_root,
        )

    def _body_of(self, given: Mapping[str, Any]) -> Any:
        """Return the body that these arguments make; None where there is none."""
        if self.body is not None:
            body = given["body"]
        else:
            in_address = {*self.path_parts(), *self.query}
            body = {name: value for name, value in given.items() if name not in in_address}
        # a flat body of which nothing is given is an object all the same
        return body if body or self.fields else None

    def destroys(self, arguments: Mapping[str, object]) -> bool:
        """Return whether something is gone after a call with these arguments."""
        if not self.destructive:
            return False
        restores = bool(self.restored_by) and arguments.get(self.restored_by) is True
        return not restores

    def _check_parts(self, parts: Mapping[str, Any]) -> None:
        """Refuse parts of a path that would make it another path: nothing, and the dots that mean a folder."""
        from crmlab.connector.arguments import argument_name  # noqa: PLC0415  # as above

        for part_name, part_value in parts.items():
            if str(part_value).strip() in ("", ".", ".."):
                raise UsageError(
                    f"operation {self.name!r}: {argument_name(part_name)} must not be blank, nor dots alone"
                )

    def path_parts(self) -> dict[str, Any]:
        """Return the parameters in the path, with their types."""
        part_types: dict[str, Any] = {}
        for _, part_name, _, _ in string.Formatter().parse(self.path):
            if part_name:
                part_types[part_name] = self.parts.get(part_name, str)
        return part_types

    def arguments(self) -> list[Argument]:
        """Return what each argument takes, in words such as ``text`` or ``'asc' or 'desc'``."""
        from crmlab.connector.arguments import argument_name, in_words, is_required  # noqa: PLC0415  # as above

        arguments: list[Argument] = []
        for vendor_name, argument_type in self.types().items():
            name = argument_name(vendor_name)
            default = None
            if name in self.defaults:
                default = json.dumps(self.defaults[name])
            arguments.append(
                Argument(name, in_words(argument_type), is_required(argument_type), default)
            )
        return arguments

    def types(self) -> dict[str, Any]:
        """Return what each argument takes, by the vendor's name."""
        argument_types = {name: Required[kind] for name, kind in self.path_parts().items()}
        argument_types |= self.query
        argument_types |= self.fields
        if self.body is not None:
            argument_types["body"] = Required[self.body]
        return argument_types


def get(name: str, path: str, **more: Any) -> Operation:
    """Return an operation that reads."""
    return Operation(name=name, method="GET", path=path, **more)


def post(name: str, path: str, **more: Any) -> Operation:
    """Return an operation that creates, or starts, something."""
    return Operation(name=name, method="POST", path=path, **({"writes": True} | more))


def put(name: str, path: str, **more: Any) -> Operation:
    """Return an operation that replaces, or changes, something."""
    return Operation(name=name, method="PUT", path=path, writes=True, **more)


def patch(name: str, path: str, **more: Any) -> Operation:
    """Return an operation that changes something in part."""
    return Operation(name=name, method="PATCH", path=path, writes=True, **more)


def delete(name: str, path: str, **more: Any) -> Operation:
    """Return an operation that deletes something."""
    return Operation(name=name, method="DELETE", path=path, writes=True, destructive=True, **more)


def _query_pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a parameter as it stands in the address: the parts of an object in brackets, a list with commas."""
    if isinstance(value, Mapping):
        for inner_key, inner_value in value.items():
            yield from _query_pairs(f"{name}[{inner_key}]", inner_value)
    elif isinstance(value, list) and name.endswith("[]"):
        for index, inner_value in enumerate(value):
            yield f"{name[:-1]}{index}]", _text(inner_value)
    elif isinstance(value, list):
        yield name, ",".join(map(_text, value))
    else:
        yield name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
