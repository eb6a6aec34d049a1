"""What is named like a key in any object of any answer is in no frame, file, log or message of these services."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

import crmlab
from crmlab.providers import registry
from crmlab.sandbox.world.generate import generate
from tests.conftest import Serve
from tests.providers.test_never_kept import PLANTED, traces
from tests.sandbox.test_every_read import SERVICES, arguments, reads

NAMED = {"access_token": PLANTED, "Password": [PLANTED], "inner": {"api_key": PLANTED}}
#: as an object in an object is, and as JSON in a text
GIVEN = {**NAMED, "as_text": json.dumps(NAMED)}


def planted(value: Any) -> Any:
    """Return JSON with secrets in each of its objects."""
    if isinstance(value, list):
        return [planted(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {**{name: planted(each) for name, each in value.items()}, **GIVEN}


async def behind(serve: Serve, url: str, base_url: str) -> str:
    """Return the address of a service that answers as the one at that address does, with secrets planted."""

    async def answer(request: web.Request) -> web.Response:
        async with (
            ClientSession() as session,
            session.request(
                request.method,
                f"{url}{request.raw_path}",
                data=await request.read(),
                headers={name: request.headers[name] for name in request.headers if name != "Host"},
            ) as given,
        ):
            body = await given.read()
            headers = {
                name: given.headers[name] for name in given.headers if name.startswith("Next-")
            }
        if given.content_type == "application/json":
            body = json.dumps(planted(json.loads(body))).encode()
        return web.Response(
            body=body, status=given.status, content_type=given.content_type, headers=headers
        )

    return await serve(answer) + base_url.removeprefix(url)


@pytest.mark.parametrize("name", SERVICES)
async def test_planted_secrets_are_nowhere(
    serve: Serve, name: str, tmp_path: Path, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    world = generate(40, seed=1)
    async with crmlab.sandbox(world, services=[name]) as accounts:
        base_url = await behind(serve, accounts.url, accounts[0].base_url)
        account = crmlab.Account(
            name, base_url=base_url, limits=crmlab.Limits(), **accounts.keys[name]
        )
        resources = [each for each in registry()[name].resources if not each.destructive]
        data = await crmlab.fetch(
            account, *registry()[name].tables, *(f"{name}.{each.name}" for each in resources)
        )
        if name == "altcraft":
            await crmlab.call(account, "profiles_get_all", source_type="database", source_id=1)
        called = []
        for each in reads(name):
            if not each.destructive:
                given = arguments(name, each.name, world)
                called.append(
                    await crmlab.call(account, each.name, allow_dangerous=each.dangerous, **given)
                )

    assert all(data[f"{name}.{each.name}"].height for each in resources)
    assert not data.failures
    assert "••••" in str(called)
    assert PLANTED not in str(called)
    assert PLANTED not in traces(data, tmp_path) + caplog.text
