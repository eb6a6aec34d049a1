"""The sandbox's answers and the wire schemas against the official documents.

Only ``make contract`` (CRMLAB_CONTRACT=1) runs it: it takes a minute, and .ci/run has both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl
import pytest

from crmlab.connector.page import Page
from crmlab.connector.resource import JSON, Context, Resource
from crmlab.errors import AuthError, RateLimitError
from crmlab.providers import registry
from crmlab.sandbox import services
from crmlab.sandbox.world.generate import generate
from tests.contract.conftest import MORE, NOW, PROVIDERS, RESOURCES, Served
from tests.contract.document import Document
from tests.contract.exceptions import ANSWERS, FIELDS, Departure
from tests.contract.recorder import Exchange

if os.environ.get("CRMLAB_CONTRACT") != "1":
    pytest.skip("make contract runs it", allow_module_level=True)

#: statuses that a fault or a limit of the sandbox may call for and that the document has
REFUSALS = {"onepagecrm": (400, 401, 403, 404, 429, 500), "commanders_act": (401, 403, 429, 500)}
#: a path of which the document has them all
REFUSED = {"onepagecrm": "/users", "commanders_act": "/sources"}
#: what holds every value of a JSON type without being taken apart record by record
_HOLDS = {
    "string": (pl.String,),
    "boolean": (pl.Boolean, pl.String),
    "integer": (pl.Int64, pl.Float64, pl.String),
    "number": (pl.Float64, pl.String),
}


def _compare(
    found: set[str], departures: tuple[Departure, ...], provider: str, resource: str
) -> None:
    """Fail for what is not excepted, and for an exception that is no longer needed."""
    excepted = {d.found for d in departures if (d.provider, d.resource) == (provider, resource)}
    assert sorted(found - excepted) == []
    assert sorted(excepted - found) == [], "no longer needed"


def test_a_wrong_answer_is_told(documents: Mapping[str, Document]) -> None:
    """Or the tests below prove nothing."""
    call = {
        "contact_id": "1",
        "call_time_int": "now",
        "created_at": "2026-01-01T00:00:00",
        "mood": "good",
    }
    body = {"status": 0, "data": {"calls": [{"call": call}], "total_count": 1.5, "page": None}}

    found = documents["onepagecrm"].faults_of(
        Exchange("get", "/calls", (), 200, "application/json", body)
    )

    assert found == {
        'data.calls.call.contact_id: format "bson-id"',
        'data.calls.call.created_at: format "date-time"',
        "data.calls.call.call_time_int: type integer",
        "data.calls.call.mood: unknown",
        "data.page: type integer",
        "data.total_count: type integer",
    }


@pytest.mark.parametrize(
    ("path", "status", "content_type", "fault"),
    [
        ("/nowhere", 200, "application/json", "the path is not documented"),
        ("/calls", 418, "application/json", "status 418 is not documented"),
        ("/calls", 200, "text/html", "200 comes as text/html, not application/json"),
    ],
)
def test_an_undocumented_path_status_or_type_is_told(
    documents: Mapping[str, Document], path: str, status: int, content_type: str, fault: str
) -> None:
    assert documents["onepagecrm"].faults_of(
        Exchange("get", path, (), status, content_type, {})
    ) == {fault}


@pytest.mark.parametrize(("provider", "resource"), RESOURCES)
def test_the_sandbox_answers_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str, resource: str
) -> None:
    answers = served(provider).resources[resource]

    found = set().union(*(documents[provider].faults_of(answer) for answer in answers))

    assert served(provider).records[resource].height
    _compare(found, ANSWERS, provider, resource)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_sandbox_answers_operations_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str
) -> None:
    answers = served(provider).operations

    found = set().union(*(documents[provider].faults_of(answer) for answer in answers))

    assert {answer.status for answer in answers} == {200}
    _compare(found, ANSWERS, provider, "operations")


@pytest.mark.parametrize("provider", MORE)
def test_the_sandbox_answers_what_the_client_does_not_ask_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str
) -> None:
    answers = served(provider).more

    found = set().union(*(documents[provider].faults_of(answer) for answer in answers))

    assert [answer.status for answer in answers] == [200] * len(MORE[provider])
    _compare(found, ANSWERS, provider, "more")


def test_contacts_come_with_each_kind_of_record_that_is_judged(
    served: Callable[[str], Served],
) -> None:
    """Or the test above proves less."""
    (answer,) = served("onepagecrm").more

    kinds = {
        name for item in answer.body["data"]["contacts"] for name, value in item.items() if value
    }

    assert kinds >= {"deals", "notes", "calls", "meetings"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_sandbox_refuses_as_documented(
    documents: Mapping[str, Document], served: Callable[[str], Served], provider: str
) -> None:
    answers = served(provider).refusals

    found = set().union(*(documents[provider].faults_of(answer) for answer in answers))

    assert {answer.status for answer in answers} >= {401, 404}
    _compare(found, ANSWERS, provider, "refusals")


@pytest.mark.parametrize(
    ("provider", "status"), [(name, status) for name in PROVIDERS for status in REFUSALS[name]]
)
def test_the_sandbox_words_a_refusal_as_documented(
    documents: Mapping[str, Document], provider: str, status: int
) -> None:
    service = services.service(provider, generate(5, seed=1, now=NOW))

    answer = service.refusal(status)

    said = json.loads(answer.body) if answer.content_type.endswith("json") else answer.text
    exchange = Exchange("get", REFUSED[provider], (), answer.status, answer.content_type, said)
    _compare(documents[provider].faults_of(exchange), ANSWERS, provider, f"refusal {status}")


def test_the_throttle_of_onepagecrm_is_told_from_a_missing_right() -> None:
    """The document's 403: the throttle answers so too, but with plain text."""
    service = services.service("onepagecrm", generate(5, seed=1, now=NOW))
    provider = registry()["onepagecrm"]

    for status, error in ((429, RateLimitError), (403, AuthError)):
        answer = service.refusal(status)
        headers = {"content-type": answer.headers["Content-Type"]}
        page = Page(request=provider.ping, status=answer.status, headers=headers, body=answer.body)

        assert answer.status == 403
        with pytest.raises(error):
            provider.check(page)


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
        found |= set(
            _uncovered(document, _record(document, described, content["schema"]), _wire(described))
        )

    assert answers
    _compare(found, FIELDS, provider, resource)


def _wire(resource: Resource) -> pl.Struct:
    """Return what the decoder reads of an item: JSON of any shape in the record's own fields only."""
    schema = resource.schema(Context(now=NOW)) if callable(resource.schema) else resource.schema
    read = {name: JSON if dtype == JSON else _without_json(dtype) for name, dtype in schema.items()}
    if resource.unwrap:
        beside = {name: _without_json(dtype) for name, dtype in resource.envelope_fields.items()}
        return pl.Struct({resource.unwrap: pl.Struct(read), **beside})
    return pl.Struct(read)


def _without_json(dtype: Any) -> Any:
    """Return the type without fields of any shape inside it."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct(
            {each.name: _without_json(each.dtype) for each in dtype.fields if each.dtype != JSON}
        )
    if isinstance(dtype, pl.List):
        return pl.List(_without_json(dtype.inner))
    return dtype


def _record(document: Document, resource: Resource, schema: Any) -> Any:
    """Follow the way from the body to one record; the decoder takes one object for a list of one."""
    for key in resource.path:
        # an answer of which the document describes nothing
        schema = document.properties(schema)[0].get(key, {})
    return (not resource.single and document.items(schema)) or schema


def _uncovered(
    document: Document, schema: Any, dtype: pl.DataType, place: str = ""
) -> Iterator[str]:
    """Yield documented fields that a dtype has no place for."""
    if dtype == JSON:
        return
    items, (properties, _) = document.items(schema), document.properties(schema)
    if isinstance(dtype, pl.List) and items is not None:
        yield from _uncovered(document, items, dtype.inner, place)
    elif isinstance(dtype, pl.List) and document.kinds(schema) == {"array"}:
        return  # of what is not described
    elif isinstance(dtype, pl.Struct) and properties:
        fields = {field.name: field.dtype for field in dtype.fields}
        for name, part in properties.items():
            where = f"{place}.{name}".lstrip(".")
            if name not in fields:
                yield f"{where}: missing"
            else:
                yield from _uncovered(document, part, fields[name], where)
    else:
        # of what the document does not describe any type will do
        kinds = sorted(document.kinds(schema) - {"null"})
        if not all(dtype in _HOLDS.get(kind, ()) for kind in kinds):
            yield f"{place}: {' or '.join(kinds)} as {dtype}"
