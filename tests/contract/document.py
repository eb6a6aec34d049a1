"""An OpenAPI 3.0 document as the judge of requests and answers."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.contract.recorder import Exchange

#: parts of a document in which "type" is no type of JSON
_NO_SCHEMAS = ("example", "examples", "securitySchemes")
#: parts of a property's name that stand for others, by their first letter
_PLACEHOLDER = re.compile("(XXX|<[^>]+>)")
_STANDS_FOR = {"X": "[0-9]+", "<": ".+"}
_KINDS = ("array", "boolean", "integer", "null", "number", "object", "string")
_formats = FormatChecker(formats=())


@_formats.checks("bson-id", raises=ValueError)
def _bson_id(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch("[0-9a-f]{24}", value) is not None


@_formats.checks("date", raises=ValueError)
def _date(value: object) -> bool:
    return not isinstance(value, str) or bool(dt.date.fromisoformat(value))


@_formats.checks("date-time", raises=ValueError)
@_formats.checks("ISO-8601", raises=ValueError)
def _date_time(value: object) -> bool:
    return not isinstance(value, str) or dt.datetime.fromisoformat(value).tzinfo is not None


@_formats.checks("int32")
@_formats.checks("unix-timestamp")
def _int32(value: object) -> bool:
    return isinstance(value, bool) or not isinstance(value, int) or abs(value) < 2**31


@_formats.checks("hex-color")
def _hex_color(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch("[0-9a-f]{6}", value) is not None


@dataclass(frozen=True, slots=True)
class Answers:
    """One GET operation of a document: its path template and where its answers are described."""

    template: str
    parameters: Mapping[str, Any]
    responses: Mapping[str, Any]


class Document:
    """An official document, with the corrections that `exceptions` lists."""

    def __init__(self, name: str, raw: dict[str, Any]) -> None:
        self.name = name
        self.raw = raw
        judged = _as_json_schema(raw)
        self._registry = Registry().with_resource(
            "urn:document", Resource(contents=judged, specification=DRAFT202012)
        )

    @classmethod
    def load(cls, name: str, file: Path) -> Document:
        read = json.loads if file.suffix == ".json" else _yaml
        return cls(name, json.loads(json.dumps(read(file.read_text("utf-8")), default=str)))

    def corrected(self, changes: Mapping[str, Any]) -> Document:
        """Return a copy with the values at these JSON pointers replaced."""
        raw = copy.deepcopy(self.raw)
        for pointer, value in changes.items():
            *parents, last = _steps(pointer)
            found = raw
            for step in parents:
                found = found[int(step)] if isinstance(found, list) else found[step]
            found[last] = value
        return Document(self.name, raw)

    def operation(self, path: str, method: str = "get") -> Answers | None:
        """Return the operation that a path belongs to; a literal path wins over a template."""
        found = [t for t, item in self.raw["paths"].items() if method in item and _fits(t, path)]
        if not found:
            return None
        template = min(found, key=lambda t: t.count("{"))
        item = self.raw["paths"][template]
        operation = item[method]
        described = [
            self.resolve(p) for p in (*item.get("parameters", ()), *operation.get("parameters", ()))
        ]
        return Answers(template, {p["name"]: p for p in described}, operation["responses"])

    def content(self, answers: Answers, status: int) -> Mapping[str, Any]:
        """Return the content types and schemas documented for this status; empty if none is."""
        found = answers.responses.get(str(status), answers.responses.get("default", {}))
        return dict(self.resolve(found).get("content", {}))

    def faults_of(self, exchange: Exchange) -> set[str]:
        """Return what the document says against one answer."""
        operation = self.operation(exchange.path, exchange.method)
        if operation is None:
            return {"the path is not documented"}
        if str(exchange.status) not in operation.responses:
            return {f"status {exchange.status} is not documented"}
        content = self.content(operation, exchange.status)
        if not content:
            return set()
        if exchange.content_type not in content:
            return {
                f"{exchange.status} comes as {exchange.content_type}, not {' or '.join(content)}"
            }
        schema = content[exchange.content_type].get("schema", {})
        unknown = {f"{place}: unknown" for place in self.unknown(schema, exchange.body)}
        return self.faults(schema, exchange.body) | unknown

    def resolve(self, part: Any) -> Any:
        """Follow a reference to what it means."""
        while isinstance(part, dict) and "$ref" in part:
            found: Any = self.raw
            for step in _steps(part["$ref"].removeprefix("#")):
                found = found[step]
            part = found
        return part

    def faults(self, schema: Any, body: object) -> set[str]:
        """Return how the body breaks the schema: ``place: rule``, list positions left out."""
        text = json.dumps(_as_json_schema(schema))
        rules = json.loads(text.replace('"$ref": "#/', '"$ref": "urn:document#/'))
        validator = Draft202012Validator(rules, registry=self._registry, format_checker=_formats)
        return {
            f"{_place(error.absolute_path)}: {error.validator} {_said(error)}"
            for error in validator.iter_errors(body)
        }

    def documented(self) -> set[tuple[str, str]]:
        """Return the method and the path of every operation."""
        methods = ("get", "post", "put", "patch", "delete")
        return {
            (m.upper(), path)
            for path, item in self.raw["paths"].items()
            for m in methods
            if m in item
        }

    def strange(self, path: str, names: Iterable[str]) -> set[str]:
        """Return the parameters that the document does not list for this path."""
        operation = self.operation(path)
        if operation is None:
            return set()
        known = operation.parameters
        deep = {name for name, found in known.items() if found.get("style") == "deepObject"}
        return {
            f"{operation.template}: {n}"
            for n in names
            if n not in known and n.split("[")[0] not in deep
        }

    def with_plain_types(self) -> dict[str, Any]:
        """Return the document with JSON types alone, as generators want it: "string|number" and "dates" occur."""
        plain: dict[str, Any] = _with_plain_types(self.raw)
        return plain

    def unknown(self, schema: Any, body: object, place: str = "") -> set[str]:
        """Return the places of properties that the document does not know."""
        if isinstance(body, list):
            items = [item for found in self._variants(schema) if (item := found.get("items"))]
            return (
                {u for value in body for u in self.unknown({"anyOf": items}, value, place)}
                if items
                else set()
            )
        if not isinstance(body, dict):
            return set()
        known, is_open = self.properties(schema)
        if is_open or not known:
            return set()
        found: set[str] = set()
        for name, value in body.items():
            where = f"{place}.{name}".lstrip(".")
            meant = next((known[n] for n in known if re.fullmatch(_pattern(n), name)), None)
            found |= {where} if meant is None else self.unknown(meant, value, where)
        return found

    def properties(self, schema: Any) -> tuple[dict[str, Any], bool]:
        """Return the documented properties of an object, and whether it may hold any others."""
        variants = list(self._variants(schema))
        known: dict[str, Any] = {}
        for found in variants:
            known |= found.get("properties", {})
        return known, any(found.get("additionalProperties") for found in variants)

    def items(self, schema: Any) -> Any:
        """Return the schema of a list's elements; None for what is no list."""
        return next((found["items"] for found in self._variants(schema) if "items" in found), None)

    def kinds(self, schema: Any) -> set[str]:
        """Return the JSON types that a value may have; empty if the document does not say."""
        return {kind for found in self._variants(schema) for kind in _types(found.get("type"))}

    def _variants(self, schema: Any) -> Iterator[dict[str, Any]]:
        found = self.resolve(schema)
        if isinstance(found, dict):
            yield found
            for joined in ("allOf", "anyOf", "oneOf"):
                for part in found.get(joined, ()):
                    yield from self._variants(part)


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.lstrip("/").split("/")]


def _fits(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None


def _with_plain_types(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_plain_types(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {
        key: value if key in _NO_SCHEMAS else _with_plain_types(value)
        for key, value in part.items()
    }
    if _is_untyped_object(part):
        # what is described by one part alone has that part
        required = [*part["properties"]] if len(part["properties"]) == 1 else []
        return {"type": "object", "required": required, **found}
    if not isinstance(part.get("type"), str):
        return found
    kinds = _types(found.pop("type"))
    return (
        {**found, "type": kinds[0]}
        if len(kinds) == 1
        else {**found, "anyOf": [{"type": kind} for kind in kinds]}
    )


def _is_untyped_object(part: dict[str, Any]) -> bool:
    """Whether a schema names properties and no type: else anything might be generated for it."""
    named = part.get("properties")
    return (
        isinstance(named, dict)
        and "type" not in part
        and all(isinstance(each, dict) for each in named.values())
    )


def _types(value: Any) -> list[str]:
    """Return JSON types for what a document calls a type: "string|number" and "dates" occur."""
    words = value if isinstance(value, list) else re.split("[|,]", str(value or ""))
    return [word.lower() if word.lower() in _KINDS else "string" for word in words if word]


def _as_json_schema(part: Any) -> Any:
    """Translate OpenAPI 3.0's own words: ``nullable``, a reference that ignores what is beside it."""
    if isinstance(part, list):
        return [_as_json_schema(item) for item in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("$ref"), str):
        return {"$ref": part["$ref"]}
    found = {
        key: _as_json_schema(value)
        for key, value in part.items()
        if key not in ("example", "examples")
    }
    if "type" in found and isinstance(found["type"], str):
        found["type"] = _types(found["type"])
    if isinstance(found.get("required"), bool):  # Swagger 1's way, which means nothing here
        del found["required"]
    if isinstance(named := found.get("properties"), dict):
        found["patternProperties"] = {
            _pattern(name): rule for name, rule in named.items() if _PLACEHOLDER.search(name)
        }
    if part.get("nullable") is True:
        found["type"] = [*found.get("type", _KINDS), "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found


def _pattern(name: str) -> str:
    """Return the pattern of a property's name: "XXX" stands for a number, "<eventName>" for any name."""
    parts = _PLACEHOLDER.split(name)
    for place, part in enumerate(parts):
        is_placeholder = place % 2 == 1
        parts[place] = _STANDS_FOR[part[0]] if is_placeholder else re.escape(part)
    return f"^{''.join(parts)}$"


def _place(path: Any) -> str:
    return ".".join(str(step) for step in path if not isinstance(step, int)) or "."


def _said(error: Any) -> str:
    if error.validator == "required":
        return str(error.message).split("'")[1]
    rule = error.validator_value
    return " or ".join(rule) if error.validator == "type" else json.dumps(rule)[:80]
