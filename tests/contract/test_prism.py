"""The client against an independent server made from the official documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import quote

import crmlab
import polars as pl
import pytest
import pytest_asyncio
from crmlab.client import Client
from crmlab.errors import ApiError
from crmlab.providers import registry
from crmlab.request import Request

from tests.contract.conftest import ARGUMENTS, NOW, PROVIDERS, RESOURCES, SERVER, Prism, account, reads
from tests.contract.document import Document
from tests.contract.exceptions import FIELDS
from tests.contract.recorder import Exchange, Recorder, recorder

#: more requests than any resource needs for the one record of the documents' examples
MANY = 100
_WEEK = {"since": NOW - dt.timedelta(days=7), "until": NOW}
_NEW = "fields nobody documented: "
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
    return len({(e.method, e.path, e.params) for e in exchanges}) == len(exchanges)


async def _fetch(wire: Recorder, provider: str, *tables: str, **window: dt.datetime) -> crmlab.Fetched:
    """Fetch from Prism; a request that it refuses fails with Prism's reason."""
    try:
        return await crmlab.fetch(
            account(provider, wire.url), *tables, limits=SERVER, on_error="raise", **window
        )
    finally:
        assert wire.violations == []


def _new_fields(data: crmlab.Fetched) -> set[str]:
    """Return the fields of the example that the client calls new."""
    notes = "; ".join(data.summary["note"]).split("; ")
    lists = [note.removeprefix(_NEW).split(", ") for note in notes if note.startswith(_NEW)]
    return {name for names in lists for name in names}


def _excepted_fields(provider: str, resource: str) -> set[str]:
    return {d.found.split(":")[0] for d in FIELDS if (d.provider, d.resource) == (provider, resource)}


@pytest.mark.parametrize(("wire", "provider"), [(name, name) for name in PROVIDERS], indirect=["wire"])
async def test_prism_reports_a_wrong_request(wire: Recorder, provider: str) -> None:
    """Or the tests below prove nothing."""
    async with Client(SERVER) as client:
        with pytest.raises(ApiError):
            await client.send(account(provider, wire.url), WRONG[provider])

    assert len(wire.violations) == 1


@pytest.mark.parametrize("window", [{}, _WEEK], ids=["all", "week"])
@pytest.mark.parametrize(
    ("wire", "provider", "resource"), [(name, name, resource) for name, resource in RESOURCES], indirect=["wire"]
)
async def test_a_resource_is_asked_for_as_documented_and_every_answer_decodes(
    wire: Recorder, provider: str, resource: str, window: dict[str, dt.datetime]
) -> None:
    name = f"{provider}.{resource}"

    data = await _fetch(wire, provider, name, **window)

    assert data.rejected.to_dicts() == []
    assert data[name].height >= 1
    assert _new_fields(data) <= _excepted_fields(provider, resource)
    assert _each_once(wire.exchanges)
    assert len(wire.exchanges) < MANY


@pytest.mark.parametrize(("wire", "provider"), [(name, name) for name in PROVIDERS], indirect=["wire"])
async def test_the_shared_tables_are_filled_from_the_documented_examples(wire: Recorder, provider: str) -> None:
    documented = [registry()[provider].resource(name) for owner, name in RESOURCES if owner == provider]
    tables = {table for resource in documented for table in resource.tables}

    data = await _fetch(wire, provider, *tables)

    assert data.rejected.to_dicts() == []
    assert {name for name, frame in data.items() if frame.height} == tables


@pytest.mark.parametrize(
    ("wire", "provider", "operation"),
    [(name, name, operation.name) for name in PROVIDERS for operation in reads(registry()[name])],
    indirect=["wire"],
)
async def test_an_operation_that_reads_asks_as_documented(wire: Recorder, provider: str, operation: str) -> None:
    answer = await crmlab.call(account(provider, wire.url), operation, **ARGUMENTS[operation])

    assert wire.violations == []
    assert answer["data"]


@pytest.mark.parametrize(
    ("wire", "resource"),
    [("onepagecrm, endless", r.name) for r in registry()["onepagecrm"].resources if r.path == ("data", r.name)],
    indirect=["wire"],
)
async def test_a_list_that_repeats_its_page_for_ever_ends_and_is_called_incomplete(
    wire: Recorder, resource: str
) -> None:
    data = await _fetch(wire, "onepagecrm", f"onepagecrm.{resource}")

    assert _each_once(wire.exchanges)
    assert len(wire.exchanges) < MANY
    row = data.summary.filter(pl.col("resource") == resource).row(0, named=True)
    assert (row["rows"], row["expected"], row["complete"]) == (1, 640, False)
