"""The client against an independent server made from the official documents.

Only ``make contract`` (CRMLAB_CONTRACT=1) runs it: it takes minutes, and .ci/run has both.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from urllib.parse import quote

import polars as pl
import pytest
import pytest_asyncio

import crmlab
from crmlab.connector.request import Request
from crmlab.errors import ApiError, CrmlabError
from crmlab.http.client import Client
from crmlab.providers import registry
from tests.contract.conftest import MORE, NOW, PROVIDERS, RESOURCES, SERVER, Prism, account
from tests.contract.document import Document
from tests.contract.examples import arguments
from tests.contract.exceptions import FIELDS, OPERATIONS, PARAMETERS
from tests.contract.recorder import Exchange, Recorder, recorder

if os.environ.get("CRMLAB_CONTRACT") != "1":
    pytest.skip("make contract runs it", allow_module_level=True)

#: more requests than any resource needs for the one record of the documents' examples
MANY = 100
_WEEK = {"since": NOW - dt.timedelta(days=7), "until": NOW}
#: when the segments of the Commanders Act example are counted
EXAMPLES = {
    "since": dt.datetime(2022, 6, 1, tzinfo=dt.UTC),
    "until": dt.datetime(2022, 6, 3, tzinfo=dt.UTC),
}
_NEW = "fields nobody documented: "
#: the ids of the document's examples, which Prism answers with: an answer that names another one tells of no change
_CONTACT = "5aba31ea9007ba0f570c92d4"
_DEAL = "5aaa9b059007ba08c9ebaf58"
WRONG = {
    "onepagecrm": Request(path="/deals", params={"page": "first"}),
    "commanders_act": Request(path="/sources", params={"include": "everything"}),
}


@pytest_asyncio.fixture
async def wire(
    request: pytest.FixtureRequest, prism: Callable[[str], Prism], documents: Mapping[str, Document]
) -> AsyncIterator[Recorder]:
    """Prism with a recorder before it; the parameter says which."""
    document = documents[request.param.split(",")[0]]

    def spelled(path: str, name: str) -> str:
        # Prism encodes documented names with brackets as it starts, then wants them so (its issue 2017)
        operation = document.operation(path)
        described = operation.parameters.get(name) if operation else None
        return quote(name) if described and described.get("style", "form") == "form" else name

    async with recorder(prism(request.param).url, spelled=spelled) as recording:
        yield recording


def _each_once(exchanges: list[Exchange]) -> bool:
    """Whether nothing is asked twice but to read a list again whose count does not fit what came."""
    return max(Counter((e.method, e.path, e.params) for e in exchanges).values()) <= 2


async def _fetch(
    wire: Recorder, document: Document, *tables: str, **window: dt.datetime
) -> crmlab.Fetched:
    """Fetch from Prism; a request that it refuses fails with Prism's reason."""
    ours = account(document.name, wire.url)
    try:
        async with asyncio.timeout(20):
            return await crmlab.fetch(ours, *tables, limits=SERVER, on_error="raise", **window)
    finally:
        assert wire.violations == []
        assert _strange(wire, document) <= {
            d.found for d in PARAMETERS if d.provider == document.name
        }


def _strange(wire: Recorder, document: Document) -> set[str]:
    """Return parameters that were sent and are not documented: Prism lets them pass."""
    return {found for e in wire.exchanges for found in document.strange(e.path, dict(e.params))}


def _new_fields(data: crmlab.Fetched) -> set[str]:
    """Return the fields of the example that the client calls new."""
    notes = "; ".join(data.summary["note"]).split("; ")
    lists = [note.removeprefix(_NEW).split(", ") for note in notes if note.startswith(_NEW)]
    return {name for names in lists for name in names}


def _excepted_fields(provider: str, resource: str) -> set[str]:
    return {
        d.found.split(":")[0] for d in FIELDS if (d.provider, d.resource) == (provider, resource)
    }


@pytest.mark.parametrize(
    ("wire", "provider"), [(name, name) for name in PROVIDERS], indirect=["wire"]
)
async def test_prism_reports_a_wrong_request(wire: Recorder, provider: str) -> None:
    """Or the tests below prove nothing."""
    async with Client(SERVER) as client:
        for request in (WRONG[provider], Request(path="/nowhere")):
            with pytest.raises(ApiError):
                await client.send(account(provider, wire.url), request)

    assert len(wire.violations) == 2


@pytest.mark.parametrize("window", [{}, _WEEK], ids=["all", "week"])
@pytest.mark.parametrize(
    ("wire", "provider", "resource"),
    [(name, name, resource) for name, resource in RESOURCES],
    indirect=["wire"],
)
async def test_a_resource_is_asked_for_as_documented_and_every_answer_decodes(
    wire: Recorder,
    documents: Mapping[str, Document],
    provider: str,
    resource: str,
    window: dict[str, dt.datetime],
) -> None:
    name = f"{provider}.{resource}"

    data = await _fetch(wire, documents[provider], name, **window)

    assert data.rejected.to_dicts() == []
    assert data[name].height >= 1
    assert _new_fields(data) <= _excepted_fields(provider, resource)
    assert _each_once(wire.exchanges)
    assert len(wire.exchanges) < MANY


@pytest.mark.parametrize(
    ("wire", "provider"), [(name, name) for name in PROVIDERS], indirect=["wire"]
)
async def test_the_shared_tables_are_filled_from_the_documented_examples(
    wire: Recorder, documents: Mapping[str, Document], provider: str
) -> None:
    documented = [
        registry()[provider].resource(name) for owner, name in RESOURCES if owner == provider
    ]
    tables = {table for resource in documented for table in resource.tables}

    now = await _fetch(wire, documents[provider], *tables)
    then = await _fetch(wire, documents[provider], *tables, **EXAMPLES)

    assert now.rejected.to_dicts() == then.rejected.to_dicts() == []
    assert {name for data in (now, then) for name, frame in data.items() if frame.height} == tables


@pytest.mark.parametrize("wire", ["commanders_act"], indirect=True)
async def test_equal_answers_to_different_questions_are_all_kept(
    wire: Recorder, documents: Mapping[str, Document]
) -> None:
    """Each day of the statistics is asked for by itself, and Prism's days are all alike."""
    name = "commanders_act.privacy_statistics"

    data = await _fetch(wire, documents["commanders_act"], name, **EXAMPLES)

    assert data[name].height == sum(len(e.body["data"]) for e in wire.exchanges)


@pytest.mark.parametrize(
    ("wire", "provider"), [(name, name) for name in PROVIDERS], indirect=["wire"]
)
async def test_every_operation_is_asked_as_documented(
    wire: Recorder, documents: Mapping[str, Document], provider: str
) -> None:
    """Those that change something are sent to Prism, which has nothing to change, and to nobody else."""
    operations = registry()[provider].operations()
    ours = account(provider, wire.url)
    excepted = {each.found for each in OPERATIONS if each.provider == provider}

    async with Client(SERVER) as client:
        for operation in operations:
            # what Prism answers is its own example, or nothing: here only what it says of the request counts
            with suppress(CrmlabError):
                await client.send(ours, operation.request(**arguments(operation)), again="never")

    assert len(wire.exchanges) >= len(operations)
    assert set(wire.violations) == excepted


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_documented_operation_is_declared(
    documents: Mapping[str, Document], provider: str
) -> None:
    declared = {(each.method, each.path) for each in registry()[provider].operations()}

    assert declared == documents[provider].documented()


@pytest.mark.parametrize(
    ("wire", "provider", "asked"),
    [(name, name, request) for name, requests in MORE.items() for request in requests],
    indirect=["wire"],
)
async def test_what_the_client_does_not_ask_is_documented(
    wire: Recorder, documents: Mapping[str, Document], provider: str, asked: Request
) -> None:
    async with Client(SERVER) as client:
        await client.send(account(provider, wire.url), asked)

    assert wire.violations == []
    assert _strange(wire, documents[provider]) == set()


#: lists whose answer has no page counts in the document
_UNCOUNTED = {
    "countries",
    "predefined_items",
    "predefined_item_groups",
    "predefined_actions",
    "predefined_action_groups",
}


@pytest.mark.parametrize(
    ("wire", "resource"),
    [
        ("onepagecrm, endless", each.name)
        for each in registry()["onepagecrm"].resources
        if each.path == ("data", each.name) and each.name not in _UNCOUNTED
    ],
    indirect=["wire"],
)
async def test_a_list_that_repeats_its_page_for_ever_ends_and_is_called_incomplete(
    wire: Recorder, documents: Mapping[str, Document], resource: str
) -> None:
    data = await _fetch(wire, documents["onepagecrm"], f"onepagecrm.{resource}")

    assert _each_once(wire.exchanges)
    assert len(wire.exchanges) < MANY
    row = data.summary.filter(pl.col("resource") == resource).row(0, named=True)
    assert (row["rows"], row["expected"], row["complete"]) == (1, 12_000, False)
    assert _strange(wire, documents["onepagecrm"]) >= {
        d.found for d in PARAMETERS if d.resource == resource
    }


@pytest.mark.parametrize("wire", ["onepagecrm, endless"], indirect=True)
async def test_past_the_wall_the_cascade_is_asked_as_documented_and_ends(
    wire: Recorder, documents: Mapping[str, Document]
) -> None:
    await _fetch(wire, documents["onepagecrm"], "onepagecrm.contacts")

    asked = [e.path for e in wire.exchanges]
    cascade = [path for path in asked if "cascade" in path]
    # read again, since too few came
    assert cascade[:2] == cascade[2:] == ["/contacts/cascade", f"/contacts/cascade/{_CONTACT}"]
    assert set(asked) - set(cascade) == {"/contacts"}


@pytest.mark.parametrize("wire", ["onepagecrm"], indirect=True)
async def test_what_is_pushed_is_as_documented(wire: Recorder) -> None:
    ours = account("onepagecrm", wire.url)
    people = pl.DataFrame(
        {
            "id": [None, _CONTACT],
            "first_name": ["Ada", "Ada"],
            "last_name": ["Byron", "Byron"],
            "emails": [["a@example.com"], ["a@example.com"]],
            "city": ["London", "London"],
            "tags": [["asked"], []],
            "custom": [[{"key": _CONTACT, "value": "1"}]] * 2,
            "starred": [True, False],
        }
    )
    day = dt.date(2026, 1, 31)
    deals = pl.DataFrame(
        {
            "id": [None, _DEAL],
            "contact_id": [_CONTACT, None],
            "name": ["Engine", "Engine"],
            "amount": [1.5, 2.0],
            "stage": [10, 20],
            "opened_on": [day, day],
            "status": ["pending", "won"],
        }
    )

    pushed = [await crmlab.push(ours, "contacts", people, limits=SERVER)]
    pushed.append(await crmlab.push(ours, "deals", deals, limits=SERVER))

    assert wire.violations == []
    assert [each.frame["state"].to_list() for each in pushed] == [["created", "updated"]] * 2
