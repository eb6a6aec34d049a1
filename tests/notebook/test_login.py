"""The login form without a browser: what it says, keeps and never shows."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
import threading
from typing import Any

import pytest

import crmlab
from crmlab.accounts.account import Account
from crmlab.connector.provider import Provider
from crmlab.errors import ApiError, AuthError, CredentialError, TransportError, UsageError
from crmlab.notebook import LoginForm, login, login_fields
from crmlab.providers import registry
from tests.notebook.filling import (
    SECRET,
    connected,
    everything_shown,
    press,
    reach_three,
    refuse,
    say,
    settle,
    status,
)


def test_a_key_that_works_becomes_an_account(demo: Provider) -> None:
    form = connected(demo, name="sales", api_key=SECRET, region="us")

    (account,) = form.accounts()
    assert (account.name, account.base_url) == ("sales", "https://us.example.com")
    assert form.shown()["accounts"] == [
        {"provider": "demo", "title": "Demo", "name": "sales", "reached": "reached 3 users"}
    ]
    assert status(form) == {"kind": "ok", "text": "sales: reached 3 users"}


def test_the_form_is_a_list_of_its_accounts(demo: Provider) -> None:
    form = connected(demo)

    assert list(form) == form.accounts()
    assert len(form) == 1


def test_a_secret_is_shown_nowhere(demo: Provider, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        form = connected(demo)

    assert SECRET not in everything_shown(form)
    assert SECRET not in caplog.text


def test_the_message_that_brought_a_secret_is_emptied(demo: Provider) -> None:
    form = LoginForm([demo], check=reach_three)
    message: dict[str, Any] = {
        "kind": "connect",
        "provider": "demo",
        "name": SECRET,
        "fields": {"api_key": SECRET},
    }

    form._on_message(form, message, [])

    assert message == {}


def test_a_form_cannot_be_pickled(demo: Provider) -> None:
    with pytest.raises(TypeError, match="secrets"):
        pickle.dumps(connected(demo))


def test_a_refused_key_is_said_and_not_kept(demo: Provider) -> None:
    form = connected(demo, check=refuse(AuthError(401, "", f"no user for {SECRET}")))

    assert status(form) == {
        "kind": "refused",
        "text": "the key was refused: HTTP 401 · no user for ••••",
    }
    assert form.shown()["accounts"] == []
    assert SECRET not in everything_shown(form)
    with pytest.raises(CredentialError, match=r"\(Demo\): press Connect above"):
        form.accounts()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (AuthError(403), "refused", "the key is not allowed to do this: HTTP 403"),
        (ApiError(400, "bad_request"), "error", "HTTP 400 · bad_request"),
        (TransportError("cannot reach it; check the network and base_url"), "error",
         "cannot reach it; check the network and Own address"),
        (TimeoutError(), "error", "no answer within 60 seconds"),
        (RuntimeError(f"headers: {SECRET}"), "error", "unexpected error: RuntimeError"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_every_failure_is_said_in_the_form_and_only_a_wrong_key_is_to_be_typed_again(
    demo: Provider, error: Exception, kind: str, text: str
) -> None:
    form = connected(demo, check=refuse(error))

    assert status(form) == {"kind": kind, "text": text}


def test_the_answer_says_which_press_of_connect_it_answers(demo: Provider) -> None:
    form = LoginForm([demo], check=refuse(TimeoutError()))

    say(form, "connect", fields={"api_key": SECRET}, attempt="crmlab-1")

    assert status(form) == {
        "kind": "error",
        "text": "no answer within 60 seconds",
        "attempt": "crmlab-1",
    }
    assert SECRET not in everything_shown(form)


def test_a_malformed_key_is_refused_without_asking(demo: Provider) -> None:
    form = connected(demo, check=refuse(AssertionError()), api_key="é" * 20)

    assert status(form)["text"] == "Demo: API key does not look right. Settings > API"


@pytest.mark.slow
@pytest.mark.parametrize(
    "pasted",
    [
        f"  {SECRET}\r\n",
        f'"{SECRET}"',
        f"' {SECRET} '",
        f"\u201c{SECRET}\u201d",
        f"Bearer {SECRET}",
        f'"bearer  {SECRET}"',
        f"\u00a0{SECRET}\t",
    ],
)
def test_what_is_copied_with_a_key_is_left_out(demo: Provider, pasted: str) -> None:
    (account,) = connected(demo, api_key=pasted)

    assert account._secrets["api_key"].get_secret_value() == SECRET


@pytest.mark.parametrize("pasted", ["'", '"a', "a b", "a'b'", "bearer-of-news"])
def test_what_belongs_to_a_key_stays(pasted: str) -> None:
    assert login_fields.meant(pasted) == pasted


@pytest.mark.slow
@pytest.mark.parametrize("pasted", ["", " ", '""', "' '"])
def test_nothing_between_quotes_is_nothing(demo: Provider, pasted: str) -> None:
    assert status(connected(demo, api_key=pasted))["text"].startswith("Demo needs API key")


def test_several_lines_are_no_key(demo: Provider) -> None:
    assert (
        "does not look right" in status(connected(demo, api_key="first line\nsecond line"))["text"]
    )


def test_an_address_of_ones_own_is_where_the_key_goes(demo: Provider) -> None:
    (account,) = connected(demo, api_key=SECRET, address=" https://crm.example.org/ ")

    assert account.base_url == "https://crm.example.org"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "text"),
    [
        (
            "http://crm.example.org",
            "Own address must be https: http would send the key to crm.example.org unencrypted",
        ),
        ("crm.example.org", "Own address must be an http(s) address"),
        (
            f"https://me:{SECRET}@crm.example.org",
            "Own address must hold no user, password, query or fragment",
        ),
    ],
)
def test_an_address_that_will_not_do_is_said_before_anything_is_sent(
    demo: Provider, address: str, text: str
) -> None:
    form = connected(demo, check=refuse(AssertionError()), api_key=SECRET, address=address)

    assert status(form)["kind"] == "error"
    assert status(form)["text"].startswith(text)
    assert SECRET not in everything_shown(form)


@pytest.mark.slow
async def test_every_service_is_connected_at_an_address_of_ones_own() -> None:
    async with crmlab.sandbox(rows=10) as services:
        form = login()
        for account in services:
            name = account.provider.name
            say(
                form, "connect", provider=name, address=account.base_url, fields=services.keys[name]
            )
        await settle(form)

    shown = form.shown()
    assert sorted(account.provider.name for account in form) == list(registry())
    assert {said["kind"] for said in shown["status"].values()} == {"ok"}
    assert "signed in as Nora Keane" in shown["status"]["onepagecrm"]["text"]
    assert not any(
        key in repr(shown)
        for keys in services.keys.values()
        for key in keys.values()
        if len(key) > 8
    )


def test_a_missing_key_is_said(demo: Provider) -> None:
    form = connected(demo, check=refuse(AssertionError()), region="us")

    assert status(form)["text"].startswith("Demo needs API key")


def test_fields_that_the_provider_does_not_have_are_ignored(demo: Provider) -> None:
    form = connected(demo, api_key=SECRET, base_url="https://elsewhere.example.org")

    assert form.accounts()[0].base_url == "https://eu.example.com"


def test_a_second_account_of_the_same_name_is_refused_and_the_first_stays(demo: Provider) -> None:
    async def run() -> LoginForm:
        form = LoginForm([demo], check=reach_three)
        for _ in range(2):
            press(form, api_key=SECRET)
            await settle(form)
        return form

    form = asyncio.run(run())

    assert "Demo account 'demo' is connected already" in status(form)["text"]
    assert len(form) == 1


def test_two_accounts_of_two_names_are_both_kept(demo: Provider) -> None:
    async def run() -> LoginForm:
        form = LoginForm([demo], check=reach_three)
        for name in ("sales", "support"):
            press(form, name=name, api_key=SECRET)
            await settle(form)
        return form

    assert [account.name for account in asyncio.run(run())] == ["sales", "support"]


def test_an_account_can_be_removed_and_connected_again(demo: Provider) -> None:
    async def run() -> tuple[int, int]:
        form = LoginForm([demo], check=reach_three)
        press(form, api_key=SECRET)
        await settle(form)
        say(form, "remove", name="demo")
        await settle(form)
        without = len(form)
        press(form, api_key=SECRET)
        await settle(form)
        return without, len(form)

    assert asyncio.run(run()) == (0, 1)


def test_a_second_press_while_the_key_is_tried_is_ignored(demo: Provider) -> None:
    asked = []

    async def slow(account: Account) -> str:
        asked.append(account)
        await asyncio.sleep(0.01)
        return ""

    async def run() -> LoginForm:
        form = LoginForm([demo], check=slow)
        press(form, name="a", api_key=SECRET)
        press(form, name="b", api_key=SECRET)
        await settle(form)
        return form

    assert [account.name for account in asyncio.run(run())] == ["a"]
    assert len(asked) == 1


def test_a_cancelled_check_does_not_lock_its_section(demo: Provider) -> None:
    async def forever(account: Account) -> str:
        await asyncio.Event().wait()
        return ""

    async def run() -> LoginForm:
        form = LoginForm([demo], check=forever)
        press(form, api_key=SECRET)
        await asyncio.sleep(0.01)
        (task,) = form._tasks
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return form

    assert status(asyncio.run(run())) == {"kind": "error", "text": "interrupted"}


def test_a_callback_from_another_thread_with_another_loop_is_answered_in_the_first(
    demo: Provider,
) -> None:
    seen: list[tuple[int, asyncio.AbstractEventLoop]] = []

    async def check(account: Account) -> str:
        seen.append((threading.get_ident(), asyncio.get_running_loop()))
        return "reached 3 users"

    async def press_in_own_loop(form: LoginForm) -> None:
        press(form, api_key=SECRET)

    async def run() -> tuple[LoginForm, tuple[int, asyncio.AbstractEventLoop]]:
        form = LoginForm([demo], check=check)
        await asyncio.to_thread(lambda: asyncio.run(press_in_own_loop(form)))
        await settle(form)
        return form, (threading.get_ident(), asyncio.get_running_loop())

    form, here = asyncio.run(run())

    assert seen == [here]
    assert len(form) == 1


def test_the_environment_is_offered_without_its_secret(
    demo: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", SECRET)
    monkeypatch.setenv("CRMLAB_DEMO_REGION", "us")
    form = LoginForm([demo], check=reach_three)

    assert form.shown()["found"]["demo"] == {
        "fields": ["api_key", "region"],
        "settings": {"region": "us"},
        "complete": True,
        "problem": "",
        "remembered": [],
    }
    assert SECRET not in everything_shown(form)


def test_use_takes_the_environment(demo: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", SECRET)
    monkeypatch.setenv("CRMLAB_DEMO_REGION", "us")

    form = connected(demo, name="sales")

    assert [account.base_url for account in form] == ["https://us.example.com"]
    assert SECRET not in everything_shown(form)


def test_a_default_is_not_called_found(demo: Provider) -> None:
    assert LoginForm([demo]).shown()["found"]["demo"] == {
        "fields": [],
        "settings": {},
        "complete": False,
        "problem": "",
        "remembered": [],
    }


def test_a_malformed_environment_is_said_in_the_form(
    demo: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", "é" * 20)

    problem = LoginForm([demo]).shown()["found"]["demo"]["problem"]

    assert problem == "Demo: API key does not look right. Settings > API"


def test_where_nobody_can_answer_the_environment_is_taken(
    demo: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", SECRET)
    form = login("other", "demo")

    assert len(form) == 1
    assert [account.provider.name for account in form] == ["demo"]


def test_where_nobody_can_answer_and_nothing_is_set_the_error_names_the_variable(
    demo: Provider,
) -> None:
    form = login("demo", "other")

    with pytest.raises(CredentialError, match="CRMLAB_DEMO_API_KEY"):
        form.accounts()
    assert len(form) == 0


def test_where_nobody_can_answer_a_half_set_provider_is_an_error(
    demo: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMLAB_OTHER_API_KEY", SECRET)
    monkeypatch.setenv("CRMLAB_DEMO_REGION", "us")

    form = login("other", "demo")

    for _ in range(2):  # the second time as well, not the half that was there
        with pytest.raises(CredentialError, match="Demo needs API key"):
            form.accounts()


def test_a_form_that_was_seen_does_not_take_the_environment_unasked(
    demo: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", SECRET)
    form = LoginForm([demo])

    say(form, "ready")

    with pytest.raises(CredentialError, match="press Connect"):
        form.accounts()


def test_login_without_names_asks_for_every_provider_and_which_of_them(demo: Provider) -> None:
    form = login()

    assert {"demo", "other"} <= {section["name"] for section in form.sections}
    assert form.choose
    assert not login("demo", "other").choose


def test_a_section_says_what_its_fields_are_called_elsewhere_and_which_an_address_spares(
    demo: Provider,
) -> None:
    key, region = LoginForm([demo]).sections[0]["fields"]

    assert (key["variable"], key["required"], key["in_address"]) == (
        "CRMLAB_DEMO_API_KEY",
        True,
        False,
    )
    assert (region["variable"], region["in_address"]) == ("CRMLAB_DEMO_REGION", True)


def test_login_refuses_an_unknown_provider(demo: Provider) -> None:
    with pytest.raises(UsageError, match="did you mean 'demo'"):
        login("demmo")


def test_where_widgets_are_not_shown_the_text_says_what_to_do(demo: Provider) -> None:
    shown = LoginForm([demo])._repr_mimebundle_()

    assert shown is not None
    assert "crmlab.Account(...)" in shown[0]["text/plain"]
    assert "CRMLAB_DEMO_API_KEY" in shown[0]["text/plain"]


def test_the_browser_gets_the_code_and_the_style(demo: Provider) -> None:
    state = LoginForm([demo]).get_state()

    assert "model.send" in state["_esm"]
    assert "function fieldRow" in state["_esm"]
    assert ".crmlab-login" in state["_css"]


def test_without_anywidget_the_advice_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)

    with pytest.raises(ImportError, match="pip install anywidget"):
        crmlab.notebook.login  # noqa: B018
