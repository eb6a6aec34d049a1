"""Keys and passwords that services send are in no frame, file, log or message."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.providers import registry
from tests.conftest import Serve

#: a value that stands in each field which is never kept; nothing in the name of its own key says that it is a secret
PLANTED = "hunter2-in-plain-text"
INSIDE = {"pixel": PLANTED, "deep": [{"code": PLANTED}]}
LISTS = {
    "/sources": [
        {"id": 1, "type": "s", "attributes": {"label": "Web", "parameters": INSIDE}},
        {"id": 2, "type": "s", "attributes": [{"label": "strange", "parameters": INSIDE}]},
        {"type": "s", "attributes": {"label": "nameless", "parameters": INSIDE}},
    ],
    "/destinations": [
        {"id": 5, "type": {"parameters": PLANTED}, "attributes": {"label": {"parameters": INSIDE}}},
        {
            "id": 3,
            "type": "s",
            "attributes": {"health": [{"parameters": INSIDE}], "parameters": PLANTED},
        },
        ["no object", {"parameters": PLANTED}],
    ],
    "/activity-logs": [
        {
            "id": 4,
            "type": "l",
            "attributes": {"action": "updated", "properties": INSIDE},
        }
    ],
}
SETTINGS: list[Any] = [
    {"user_id": "u", "auth_key": PLANTED, "settings": {"currency": "EUR"}},
    [{"user_id": "u", "auth_key": PLANTED}],
    {"user_id": None, "auth_key": PLANTED},
    {"user_id": "u", "auth_key": PLANTED, "settings": [{"auth_key": PLANTED}]},
]
NAMES = [f"commanders_act.{name.strip('/').replace('-', '_')}" for name in LISTS]


def traces(data: crmlab.Fetched, folder: Path) -> str:
    """All that a fetch shows and writes, as one text."""
    data.export(folder / "parquet")
    data.export(folder / "csv", format="csv")
    shown = [repr(data), data._repr_html_(), str(data.summary.to_dicts()), str(data.failures)]
    shown += [str(frame.to_dicts()) for frame in (*data.values(), data.rejected, data.misfits)]
    files = [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    return "\n".join([*shown, *files])


@pytest.mark.slow
async def test_what_partners_gave_commanders_act_is_nowhere(
    serve: Serve, tmp_path: Path, caplog: Any
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"data": LISTS.get(request.path.removeprefix("/v2/7"), [])})

    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    account = crmlab.Account(
        "commanders_act", base_url=f"{await serve(answer)}/v2/7", site_id="7", token="t"
    )
    data = await crmlab.fetch(account, "integrations", "changes", *NAMES, limits=crmlab.Limits())

    # what is strange was told, and shown without them
    assert data.misfits.height >= 2
    assert data.rejected.height == 2
    assert "••••" in str(data.misfits["raw"].to_list())
    assert PLANTED not in traces(data, tmp_path) + caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS)
async def test_the_key_among_the_settings_of_onepagecrm_is_nowhere(
    serve: Serve, tmp_path: Path, caplog: Any, settings: Any
) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = {"status": 0, "message": "OK", "data": settings, "tags": {"tags": [{"name": "vip"}]}}
        return web.json_response(
            body if request.path == "/bootstrap" else {"status": 0, "data": []}
        )

    caplog.set_level(logging.DEBUG)
    account = crmlab.Account("onepagecrm", base_url=await serve(answer), user_id="u", api_key="k")
    data = await crmlab.fetch(
        account, "tags", "users", "onepagecrm.bootstrap", limits=crmlab.Limits()
    )

    assert data.tags.height == 1
    assert PLANTED not in traces(data, tmp_path) + caplog.text


#: of a webhook, and of everything that is strange in its place
WEBHOOKS: list[Any] = [
    {
        "id": "1",
        "name": "Shop",
        "hook_url": f"https://{PLANTED}@in.example.com/{PLANTED}?k=1",
        "secretkey": PLANTED,
    },
    {
        "id": "2",
        "name": {"hook_url": PLANTED},
        "hook_url": [PLANTED],
        "secretkey": {"secretkey": PLANTED},
    },
    {"name": "nameless", "hook_url": PLANTED, "secretkey": PLANTED},
    ["no object", {"secretkey": PLANTED, "hook_url": PLANTED}],
]


async def test_what_opens_the_receiver_of_a_webhook_is_nowhere(
    serve: Serve, tmp_path: Path, caplog: Any
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(
            {"status": 0, "data": {"webhooks": WEBHOOKS, "total_count": len(WEBHOOKS)}}
        )

    caplog.set_level(logging.DEBUG)
    account = crmlab.Account("onepagecrm", base_url=await serve(answer), user_id="u", api_key="k")
    data = await crmlab.fetch(account, "onepagecrm.webhooks", limits=crmlab.Limits())

    assert data["onepagecrm.webhooks"]["hook_host"].to_list() == ["in.example.com", None, None]
    # that they are not kept is documented, and no news
    assert "nobody documented" not in str(data.summary["note"].to_list())
    assert data.rejected.height == 1
    assert PLANTED not in traces(data, tmp_path) + caplog.text


ISSUE = {"id": "1", "attributes": {"detail": "x", "request": INSIDE}}
CALLED = [
    ("commanders_act", "platform_sources_index", {"data": LISTS["/sources"]}),
    ("commanders_act", "platform_destination_issue_details_index", {"data": ISSUE}),
    ("onepagecrm", "get_bootstrap", {"status": 0, "data": SETTINGS[3]}),
    ("onepagecrm", "list_webhooks", {"status": 0, "data": {"webhooks": WEBHOOKS[:1]}}),
    (
        "onepagecrm",
        "get_bootstrap",
        {"status": 0, "data": {"json": json.dumps({"auth_key": PLANTED})}},
    ),
]


@pytest.mark.parametrize(("service", "operation", "body"), CALLED)
async def test_what_is_never_kept_comes_with_no_call(
    serve: Serve, service: str, operation: str, body: Any
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(body)

    settings = {
        "commanders_act": {"site_id": "7", "token": "t"},
        "onepagecrm": {"user_id": "u", "api_key": "k"},
    }
    account = crmlab.Account(service, base_url=await serve(answer), **settings[service])
    arguments = {"issueId": "1"} if "details" in operation else {}

    for as_frame in (False, True):
        found = await crmlab.call(account, operation, as_frame=as_frame, **arguments)
        told = str(found.to_dicts() if as_frame else found)
        assert "••••" in told
        assert PLANTED not in told


def test_what_is_never_kept_is_in_no_schema() -> None:
    for provider in registry().values():
        for resource in provider.resources:
            for way in resource.never_kept:
                assert not callable(resource.schema)
                assert f"'{way.rpartition('.')[2]}'" not in str(dict(resource.schema))


def test_the_planted_values_are_what_they_stand_for() -> None:
    assert json.dumps([LISTS, SETTINGS]).count(PLANTED) >= 12
