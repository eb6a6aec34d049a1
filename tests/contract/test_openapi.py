"""The sandbox's answers and the wire schemas against the official documents."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl
import pytest
from crmlab.provider import JSON, Context, Resource
from crmlab.providers import registry
from crmlab.sandbox.generate import generate

from tests.contract.conftest import NOW, PROVIDERS, RESOURCES, Served
from tests.contract.document import Document
from tests.contract.exceptions import ANSWERS, FIELDS, PARAMETERS, Departure
from tests.contract.recorder import Exchange

#: what holds every value of a JSON type, beside text
_HOLDS = {"boolean": (pl.Boolean,), "integer": (pl.Int64, pl.Float64), "number": (pl.Float64,)}


def _compare(found: set[str], departures: tuple[Departure, ...], provider: str, resource: str) -> None:
    """Fail for what is not excepted, and for an exception that is no longer needed."""
    excepted = {d.found for d in departures if (d.provider, d.resource) == (provider, resource)}
    assert sorted(found - excepted) == []
    assert sorted(excepted - found) == [], "no longer needed"


def _faults(document: Document, exchange: Exchange) -> set[str]:
    """Return what the document says against one answer."""
    operation = document.operation(exchange.path, exchange.method)
    if operation is None:
        return {"the path is not documented"}
    if str(exchange.status) not in operation.responses:
        return {f"status {exchange.status} is not documented"}
    content = document.content(operation, exchange.status)
    if not content:
        return set()
    if exchange.content_type not in content:
        return {f"{exchange.status} comes as {exchange.content_type}, not {' or '.join(content)}"}
    schema = content[exchange.content_type].get("schema", {})
    unknown = {f"{place}: unknown" for place in document.unknown(schema, exchange.body)}
    return document.faults(schema, exchange.body) | unknown


def _strange_parameters(document: Document, exchange: Exchange) -> set[str]:
    """Return parameters that were sent and are not documented; Prism lets them pass."""
    operation = document.operation(exchange.path, exchange.method)
    assert operation is not None
    known = operation.parameters
    deep = {name for name, found in known.items() if found.get("style") == "deepObject"}
    return {name for name, _ in exchange.params if name not in known and name.split("[")[0] not in deep}


@pytest.mark.parametrize(("provider", "resource"), RESOURCES)
def test_the_sandbox_answers_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str, resource: str
) -> None:
    answers = served(provider).resources[resource]

    found = set().union(*(_faults(documents[provider], answer) for answer in answers))

    assert served(provider).records[resource].height
    _compare(found, ANSWERS, provider, resource)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_sandbox_answers_operations_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str
) -> None:
    answers = served(provider).operations

    found = set().union(*(_faults(documents[provider], answer) for answer in answers))

    assert {answer.status for answer in answers} == {200}
    _compare(found, ANSWERS, provider, "operations")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_sandbox_refuses_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str
) -> None:
    answers = served(provider).refusals

    found = set().union(*(_faults(documents[provider], answer) for answer in answers))

    assert {answer.status for answer in answers} >= {401, 404}
    _compare(found, ANSWERS, provider, "refusals")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_the_sandbox_words_a_refusal_as_documented(
    documents: Mapping[str, Document], provider: str, status: int
) -> None:
    service = importlib.import_module(f"crmlab.sandbox.{provider}").service(generate(5, seed=1, now=NOW))
    path = registry()[provider].ping.path
    operation = documents[provider].operation(path)
    assert operation is not None

    answer = service.refusal(status)

    if str(answer.status) not in operation.responses:
        pytest.skip(f"{answer.status} is not documented for {path}")
    said = json.loads(answer.body) if answer.content_type.endswith("json") else answer.text
    exchange = Exchange("get", path, (), answer.status, answer.content_type, said)
    _compare(_faults(documents[provider], exchange), ANSWERS, provider, f"refusal {status}")


@pytest.mark.parametrize(("provider", "resource"), RESOURCES)
def test_every_parameter_that_the_client_sends_is_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str, resource: str
) -> None:
    answers = served(provider).resources[resource]

    found = set().union(*(_strange_parameters(documents[provider], answer) for answer in answers))

    _compare(found, PARAMETERS, provider, resource)


@pytest.mark.parametrize(("provider", "resource"), RESOURCES)
def test_the_wire_schema_has_every_documented_field(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str, resource: str
) -> None:
    document, described = documents[provider], registry()[provider].resource(resource)
    answers = served(provider).resources[resource]

    found: set[str] = set()
    for path in {answer.path for answer in answers}:
        operation = document.operation(path)
        assert operation is not None
        (content,) = document.content(operation, 200).values()
        found |= set(_uncovered(document, _record(document, described, content["schema"]), _wire(described)))

    assert answers
    _compare(found, FIELDS, provider, resource)


def _wire(resource: Resource) -> pl.Struct:
    wire = resource.wire(Context(now=NOW)) if callable(resource.wire) else resource.wire
    if resource.unwrap:
        return pl.Struct({resource.unwrap: pl.Struct(dict(wire)), **resource.beside})
    return pl.Struct(dict(wire))


def _record(document: Document, resource: Resource, schema: Any) -> Any:
    """Follow the way from the body to one record."""
    for key in resource.path:
        schema = document.properties(schema)[0][key]
    return schema if resource.single else document.items(schema)


def _uncovered(document: Document, schema: Any, dtype: pl.DataType, place: str = "") -> Iterator[str]:
    """Yield documented fields that a dtype has no place for."""
    if dtype in (pl.String, JSON):
        return
    items, (properties, _) = document.items(schema), document.properties(schema)
    if isinstance(dtype, pl.List) and items is not None:
        yield from _uncovered(document, items, dtype.inner, place)
    elif isinstance(dtype, pl.Struct) and properties:
        fields = {field.name: field.dtype for field in dtype.fields}
        for name, part in properties.items():
            where = f"{place}.{name}".lstrip(".")
            if name not in fields:
                yield f"{where}: missing"
            else:
                yield from _uncovered(document, part, fields[name], where)
    else:
        kinds = document.kinds(schema) - {"null"}
        if not kinds or not all(dtype in _HOLDS.get(kind, ()) for kind in kinds):
            yield f"{place}: {' or '.join(sorted(kinds)) or 'anything'} as {dtype}"
