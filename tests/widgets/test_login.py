"""The login form without a browser: what it says, keeps and never shows."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crmlab import providers
from crmlab.account import Account
from crmlab.errors import ApiError, AuthError, CredentialError, PlanError
from crmlab.provider import Provider
from crmlab.widgets import LoginForm, login

SECRET = "sk-7f3a91-do-not-show"

# Registered the way another package does it: an installed distribution with an entry point.
MODULE = """
from crmlab.provider import Field, Limits, Provider
from crmlab.request import Request

def provider(name):
    return Provider(
        name=name,
        title=name.title(),
        base_url="https://{region}.example.com",
        home="https://example.com",
        fields=(
            Field(name="api_key", label="API key", help="Settings > API", pattern="[ -~]{3,}"),
            Field(name="region", label="Region", help="in your address", secret=False, default="eu"),
        ),
        sign=lambda request, secrets: request,
        check=lambda page: None,
        limits=Limits(),
        ping=Request(path="/me"),
        resources=(),
    )

DEMO, OTHER = provider("demo"), provider("other")
"""


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    (tmp_path / "crmlab_demo.py").write_text(MODULE)
    metadata = tmp_path / "crmlab_demo-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: crmlab-demo\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[crmlab.providers]\ndemo = crmlab_demo:DEMO\nother = crmlab_demo:OTHER\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)  # no .env of the developer
    providers.registry.cache_clear()
    yield providers.provider("demo")
    providers.registry.cache_clear()
    del sys.modules["crmlab_demo"]


async def reach_three(account: Account) -> str:
    return "reached 3 users"


def refuse(error: Exception) -> Callable[[Account], Awaitable[str]]:
    async def check(account: Account) -> str:
        raise error

    return check


def press(form: LoginForm, provider: str = "demo", name: str = "", **fields: str) -> None:
    form._on_message(form, {"kind": "connect", "provider": provider, "name": name, "fields": fields}, [])


async def settle(form: LoginForm) -> None:
    await asyncio.sleep(0)
    while form._tasks:
        await asyncio.gather(*form._tasks)


def connected(
    provider: Provider, *, check: Callable[[Account], Awaitable[str]] = reach_three, **fields: str
) -> LoginForm:
    async def run() -> LoginForm:
        form = LoginForm([provider], check=check)
        press(form, **(fields or {"api_key": SECRET}))
        await settle(form)
        return form

    return asyncio.run(run())


def everything_shown(form: LoginForm) -> str:
    return repr((form.get_state(), form.shown(), repr(form), form._repr_mimebundle_(), vars(form)))


def status(form: LoginForm, provider: str = "demo") -> dict[str, str]:
    answer: dict[str, str] = form.shown()["status"][provider]
    return answer


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
    message: dict[str, Any] = {"kind": "connect", "provider": "demo", "fields": {"api_key": SECRET}}

    form._on_message(form, message, [])

    assert SECRET not in repr(message)


def test_a_form_cannot_be_pickled(demo: Provider) -> None:
    with pytest.raises(TypeError, match="secrets"):
        pickle.dumps(connected(demo))


def test_a_refused_key_is_said_and_not_kept(demo: Provider) -> None:
    form = connected(demo, check=refuse(AuthError(401, "", f"no user for {SECRET}")))

    assert status(form) == {"kind": "error", "text": "the key was refused: HTTP 401 · no user for ••••"}
    assert form.shown()["accounts"] == []
    assert SECRET not in everything_shown(form)
    with pytest.raises(CredentialError, match=r"\(Demo\): press Connect above"):
        form.accounts()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AuthError(403), "the key is not allowed to do this: HTTP 403"),
        (ApiError(400, "bad_request"), "HTTP 400 · bad_request"),
        (TimeoutError(), "no answer within 60 seconds"),
        (RuntimeError(f"headers: {SECRET}"), "unexpected error: RuntimeError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_failure_is_said_in_the_form(demo: Provider, error: Exception, text: str) -> None:
    form = connected(demo, check=refuse(error))

    assert status(form) == {"kind": "error", "text": text}


def test_a_malformed_key_is_refused_without_asking(demo: Provider) -> None:
    form = connected(demo, check=refuse(AssertionError()), api_key="é" * 20)

    assert status(form)["text"] == "Demo: API key does not look right. Settings > API"


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
        form._on_message(form, {"kind": "remove", "provider": "demo", "name": "demo"}, [])
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


def test_a_callback_from_another_thread_with_another_loop_is_answered_in_the_first(demo: Provider) -> None:
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


def test_the_environment_is_offered_without_its_secret(demo: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", SECRET)
    monkeypatch.setenv("CRMLAB_DEMO_REGION", "us")
    form = LoginForm([demo], check=reach_three)

    assert form.shown()["found"]["demo"] == {
        "fields": ["api_key", "region"],
        "settings": {"region": "us"},
        "complete": True,
        "problem": "",
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
    }


def test_a_malformed_environment_is_said_in_the_form(demo: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", "é" * 20)

    problem = LoginForm([demo]).shown()["found"]["demo"]["problem"]

    assert problem == "Demo: API key does not look right. Settings > API"


def test_where_nobody_can_answer_the_environment_is_taken(demo: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMLAB_DEMO_API_KEY", SECRET)
    form = login("other", "demo")

    assert len(form) == 1
    assert [account.provider.name for account in form] == ["demo"]


def test_where_nobody_can_answer_and_nothing_is_set_the_error_names_the_variable(demo: Provider) -> None:
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

    form._on_message(form, {"kind": "ready"}, [])

    with pytest.raises(CredentialError, match="press Connect"):
        form.accounts()


def test_login_without_names_asks_for_every_provider(demo: Provider) -> None:
    assert {"demo", "other"} <= {section["name"] for section in login().sections}


def test_login_refuses_an_unknown_provider(demo: Provider) -> None:
    with pytest.raises(PlanError, match="did you mean 'demo'"):
        login("demmo")


def test_where_widgets_are_not_shown_the_text_says_what_to_do(demo: Provider) -> None:
    shown = LoginForm([demo])._repr_mimebundle_()

    assert shown is not None
    assert "crmlab.Account(...)" in shown[0]["text/plain"]
    assert "CRMLAB_DEMO_API_KEY" in shown[0]["text/plain"]


def test_the_browser_gets_the_code_and_the_style(demo: Provider) -> None:
    state = LoginForm([demo]).get_state()

    assert "model.send" in state["_esm"]
    assert ".crmlab-login" in state["_css"]


def test_without_anywidget_the_advice_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    for module in ("crmlab.widgets", "crmlab.widgets.login"):
        monkeypatch.delitem(sys.modules, module)

    with pytest.raises(ImportError, match=r'pip install "crmlab\[notebook\]"'):
        import crmlab.widgets  # noqa: F401
