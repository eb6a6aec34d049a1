"""What changes something is sent once, unless a second application is harmless, and only with the words it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.errors import (
    ApiError,
    AuthError,
    CrmlabError,
    ServerError,
    TransportError,
    UnknownOutcomeError,
    UsageError,
)
from crmlab.providers import registry
from tests.conftest import Serve

NOBODY = "http://127.0.0.1:9"
SECRET = "key-that-nobody-must-see"  # opens nothing
CONTACT = {"id": "C-1", "first_name": "Ada", "last_name": "Byron"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def account(name: str, url: str = NOBODY) -> crmlab.Account:
    keys = {"onepagecrm": {"user_id": "u", "api_key": SECRET}, "altcraft": {"token": SECRET}}
    keys["relenta"] = {"account_name": "x", "api_key": SECRET}
    keys["commanders_act"] = {"site_id": "7", "token": SECRET}
    return crmlab.Account(name, base_url=url, facts={}, **keys.get(name, {"api_key": SECRET}))


class Script:
    """Answers one request after the other, and knows what came."""

    def __init__(self, *answers: str | int) -> None:
        self.answers = list(answers)
        self.came: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.came.append(f"{request.method} {request.path_qs}")
        answer = self.answers.pop(0)
        if answer == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(answer, int):
            return web.json_response(
                {"message": "no"},
                status=answer,
                headers={"Retry-After": "0"} if answer == 429 else {},
            )
        return web.Response(text=answer, content_type="application/json")


FINE = '{"status": 0, "data": {}}'


@pytest.mark.parametrize(
    ("answers", "operation", "arguments", "error", "requests"),
    [
        ([500], "create_contact", {"body": {"last_name": "Byron"}}, UnknownOutcomeError, 1),
        ([503], "create_contact", {"body": {"last_name": "Byron"}}, UnknownOutcomeError, 1),
        (["reset"], "create_contact", {"body": {"last_name": "Byron"}}, UnknownOutcomeError, 1),
        # aiohttp by itself would send these two again
        (
            ["reset", FINE],
            "update_contact",
            {"contact_id": "1", "body": {"last_name": "B"}},
            UnknownOutcomeError,
            1,
        ),
        (
            ["reset", FINE],
            "delete_contact",
            {"contact_id": "1", "allow_destructive": True},
            UnknownOutcomeError,
            1,
        ),
        (["<html>"], "create_contact", {"body": {"last_name": "Byron"}}, UnknownOutcomeError, 1),
        ([409], "create_contact", {"body": {"last_name": "Byron"}}, ApiError, 1),
        ([401], "create_contact", {"body": {"last_name": "Byron"}}, AuthError, 1),
        ([429, FINE], "create_contact", {"body": {"last_name": "Byron"}}, None, 2),
    ],
)
async def test_a_change_is_sent_once_unless_it_was_refused_as_too_fast(  # noqa: PLR0917  # the columns of a table
    serve: Serve,
    answers: list[Any],
    operation: str,
    arguments: dict[str, Any],
    error: type[CrmlabError] | None,
    requests: int,
) -> None:
    script = Script(*answers)
    crm = account("onepagecrm", await serve(script))

    if error is None:
        await crmlab.call(crm, operation, **arguments)
    else:
        with pytest.raises(error) as raised:
            await crmlab.call(crm, operation, **arguments)
        assert type(raised.value) is error
        assert SECRET not in str(raised.value)

    assert len(script.came) == requests


async def test_what_was_never_sent_has_no_unknown_outcome() -> None:
    with pytest.raises(TransportError, match="cannot reach"):
        await crmlab.call(account("onepagecrm"), "create_contact", body={"last_name": "Byron"})


async def test_a_change_that_takes_too_long_has_an_unknown_outcome() -> None:
    async with crmlab.sandbox(rows=5, services=["onepagecrm"], latency=5) as (crm,):
        with pytest.raises(UnknownOutcomeError, match="POST /contacts was sent"):
            await crmlab.call(
                crm,
                "create_contact",
                body={"last_name": "Byron"},
                timeouts=crmlab.Timeouts(total=0.3),
            )


async def test_an_upsert_is_tried_again(serve: Serve) -> None:
    script = Script(500, "reset", "{}")

    await crmlab.call(
        account("complero", await serve(script)), "bulk_upload_contacts", body=[CONTACT]
    )

    assert len(script.came) == 3


async def test_what_reads_destructively_is_not_asked_again_by_aiohttp_either(
    serve: Serve, tmp_path: Any
) -> None:
    script = Script("reset", "[]")

    with pytest.raises(TransportError):
        await crmlab.call(
            account("complero", await serve(script)),
            "get_latest_events",
            allow_destructive=True,
            spool=tmp_path,
        )

    assert len(script.came) == 1


@pytest.mark.parametrize(
    ("provider", "operation", "arguments", "told"),
    [
        (
            "onepagecrm",
            "delete_contact",
            {"contact_id": "1"},
            "undo=True brings it back",
        ),
        ("onepagecrm", "change_auth_key", {"allow_destructive": True}, "allow_dangerous=True"),
        (
            "onepagecrm",
            "update_user",
            {"user_id": "1", "body": {"first_name": "A"}},
            "allow_dangerous=True",
        ),
        (
            "commanders_act",
            "admin_users_destroy",
            {"id": 1, "allow_destructive": True},
            "allow_dangerous=True",
        ),
        (
            "altcraft",
            "profiles_delete",
            {"db_id": 1, "email": "a@example.com"},
            "deletes at Altcraft",
        ),
        (
            "complero",
            "delete_contact",
            {"id": "1", "allow_destructive": "yes"},
            "deletes at Complero",
        ),
    ],
)
async def test_what_destroys_or_endangers_needs_its_word(
    provider: str, operation: str, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        await crmlab.call(account(provider), operation, **arguments)


async def test_a_contact_is_brought_back_with_one_call_and_no_permission(serve: Serve) -> None:
    script = Script(FINE)

    await crmlab.call(
        account("onepagecrm", await serve(script)), "delete_contact", contact_id="1", undo=True
    )

    assert script.came == ["DELETE /contacts/1?undo=true"]


async def test_changes_are_partial_and_imports_quiet_unless_told_otherwise() -> None:
    crm, mail = account("onepagecrm"), account("altcraft")

    partly = await crmlab.call(
        crm, "update_contact", contact_id="1", body={"last_name": "B"}, dry_run=True
    )
    wholly = await crmlab.call(
        crm, "update_deal", deal_id="1", body={"name": "B"}, partial=False, dry_run=True
    )
    quiet = await crmlab.call(
        mail, "profiles_import", db_id=3, data={"email": "a@example.com"}, dry_run=True
    )
    loud = await crmlab.call(
        mail, "profiles_import", db_id=3, data={}, skip_triggers=False, dry_run=True
    )

    assert partly.url.endswith("/contacts/1?partial=true")
    assert wholly.url.endswith("/deals/1?partial=false")
    assert quiet.body["skip_triggers"] is True
    assert loud.body["skip_triggers"] is False


@pytest.mark.parametrize("provider", registry())
async def test_a_dry_run_shows_the_request_and_no_secret(provider: str) -> None:
    ours = account(provider)
    plain = [
        each
        for each in ours.provider.operations()
        if not any(argument.required for argument in each.arguments())
    ]
    operation = next(each for each in plain if not each.binary)

    shown = await crmlab.call(ours, operation.name, dry_run=True)

    assert shown.method == operation.method
    assert shown.url.startswith(f"{NOBODY}{operation.path}")
    assert "••••" in str(shown)
    assert SECRET not in f"{shown} {shown!r}"


async def test_a_client_calls_what_changes_something_too(serve: Serve) -> None:
    crm = account("onepagecrm", await serve(Script(500)))

    async with crmlab.Client(crm) as client:
        shown = await client.call(crm, "create_contact", body={"last_name": "B"}, dry_run=True)
        with pytest.raises(UsageError, match="allow_destructive"):
            await client.call(crm, "delete_contact", contact_id="1")
        with pytest.raises(UnknownOutcomeError):
            await client.call(crm, "create_contact", body={"last_name": "B"})

    assert shown.body == {"last_name": "B"}


async def test_a_read_that_fails_is_no_unknown_outcome(serve: Serve) -> None:
    crm = account("onepagecrm", await serve(Script(*[500] * 5)))

    with pytest.raises(ServerError):
        await crmlab.call(crm, "list_contacts")
