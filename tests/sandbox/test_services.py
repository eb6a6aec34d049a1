"""The sandbox serves every service of the project."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession

import crmlab
from crmlab.connector import Request
from crmlab.errors import UsageError
from crmlab.providers import registry
from crmlab.sandbox import services
from crmlab.sandbox.world.model import World
from docs import names


def test_every_service_of_the_project_is_served() -> None:
    absent = set(names.services()) - set(services.names())

    assert not absent, (
        f"give crmlab/sandbox/services a folder for each of {absent}, with a `service(world)`"
    )


@pytest.mark.parametrize("name", services.names())
def test_each_is_called_like_its_provider_and_has_what_an_account_of_it_needs(name: str) -> None:
    made = services.service(name, World())

    assert made.name == name
    assert {
        field.name for field in registry()[name].fields if field.secret
    } <= made.credentials.keys()


def test_a_name_that_is_not_known_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown service 'relentra'; did you mean 'relenta'"):
        services.service("relentra", World())


#: a record that is not there, where single records are served
_NO_RECORD = {
    "altcraft": ("databases/get", {"id": 999_999}),
    "commanders_act": ("sources/999999", None),
    "complero": ("employees/nobody", None),
    "onepagecrm": ("deals/000000000000000000000000", None),
}


@pytest.mark.parametrize("name", services.names())
async def test_a_missing_operation_is_answered_unlike_a_missing_record(name: str) -> None:
    async with crmlab.sandbox(World(), services=[name]) as accounts:
        method = "POST" if name == "altcraft" else "GET"
        headers = accounts[0].sign(Request(path="/")).headers

        async def asked(path: str, body: object) -> tuple[int, str]:
            url = f"{accounts[0].base_url}/{path}"
            async with (
                ClientSession(headers=headers) as session,
                session.request(method, url, json=body) as response,
            ):
                return response.status, await response.text()

        operation = await asked("no/such/operation", {})
        record = await asked(*_NO_RECORD[name]) if name in _NO_RECORD else (404, "")

    assert record != operation
    assert operation[0] == 404 or "501" in operation[1]


async def test_what_is_served_as_documented_is_read_without_a_misfit() -> None:
    async with crmlab.sandbox(rows=150) as accounts:
        data = await crmlab.fetch(accounts, limits=crmlab.Limits(concurrency=10))

    assert data.misfits.to_dicts() == []
    assert data.rejected.to_dicts() == []
    assert data.summary["unread"].sum() == 0
