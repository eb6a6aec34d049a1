"""What the login form keeps in the keyring when asked, offers again and forgets."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from crmlab.connector.provider import Provider
from crmlab.errors import CredentialError
from crmlab.notebook import LoginForm
from tests.fake_keyring import KeyringError, PlaintextKeyring, Ring, install
from tests.notebook.filling import (
    SECRET,
    connected,
    everything_shown,
    press,
    reach_three,
    say,
    settle,
    status,
)

KEY, REGION = "CRMLAB_DEMO_API_KEY", "CRMLAB_DEMO_REGION"


@pytest.fixture
def ring(demo: Provider, monkeypatch: pytest.MonkeyPatch) -> Ring:
    ring = Ring()
    install(monkeypatch, ring)
    return ring


def remembered(form: LoginForm) -> list[str]:
    names: list[str] = form.shown()["found"]["demo"]["remembered"]
    return names


def test_nothing_is_kept_unless_asked(demo: Provider, ring: Ring) -> None:
    connected(demo, api_key=SECRET)

    assert ring.kept == {}


def test_what_is_kept_is_said_with_its_place(demo: Provider, ring: Ring) -> None:
    form = connected(demo, name="sales", api_key=SECRET, region="us", remember=True)

    assert ring.kept["crmlab/sales", KEY] == SECRET
    assert ring.kept["crmlab/sales", REGION] == "us"
    assert status(form) == {
        "kind": "ok",
        "text": f"sales: reached 3 users\nRemembered in Test Ring: service crmlab/sales, names {KEY}, {REGION}",
    }
    assert remembered(form) == ["sales"]


def test_a_new_form_offers_what_is_kept_and_connects_it_without_its_key(
    demo: Provider, ring: Ring
) -> None:
    connected(demo, name="sales", api_key=SECRET, region="us", remember=True)
    offered = remembered(LoginForm([demo]))

    (account,) = connected(demo, name=offered[0])

    assert (account.name, account.base_url) == ("sales", "https://us.example.com")
    assert account._secrets["api_key"].get_secret_value() == SECRET


def test_an_account_without_a_name_of_its_own_is_found_like_the_environments(
    demo: Provider, ring: Ring
) -> None:
    connected(demo, api_key=SECRET, remember=True)

    form = LoginForm([demo])

    assert form.shown()["found"]["demo"]["complete"]
    assert remembered(form) == ["demo"]


def test_a_refused_key_is_not_kept(demo: Provider, ring: Ring) -> None:
    async def refuse(account: Any) -> str:
        raise CredentialError("no")

    connected(demo, check=refuse, api_key=SECRET, remember=True)

    assert ring.kept == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "keyring", "why"),
    [
        ({}, None, "keyring is not installed: pip install keyring"),
        (
            {},
            PlaintextKeyring(),
            "the keyring (file PlaintextKeyring) writes plain text, which is no safe place for a key",
        ),
        (
            {"address": "https://crm.example.org"},
            Ring(),
            "an account with its own base_url is not kept",
        ),
    ],
    ids=["absent", "plain text", "address"],
)
def test_what_cannot_be_kept_is_connected_all_the_same_and_why_is_said(
    demo: Provider,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, str],
    keyring: Ring | None,
    why: str,
) -> None:
    if keyring:
        install(monkeypatch, keyring)

    form = connected(demo, api_key=SECRET, remember=True, **given)

    assert len(form) == 1
    assert status(form)["kind"] == "ok"
    assert f"\nNot remembered: {why}" in status(form)["text"]
    assert not (keyring and keyring.kept)


def test_what_is_forgotten_is_no_longer_offered(demo: Provider, ring: Ring) -> None:
    async def run() -> LoginForm:
        form = LoginForm([demo], check=reach_three)
        for name in ("sales", "support"):
            press(form, name, api_key=SECRET, remember=True)
            await settle(form)
        say(form, "forget", name="sales")
        await settle(form)
        return form

    form = asyncio.run(run())

    assert remembered(form) == ["support"]
    assert status(form) == {
        "kind": "idle",
        "text": "sales forgotten: the keyring keeps nothing of it any more",
    }
    assert len(form) == 2, "connected accounts stay"
    assert "crmlab/sales" not in {service for service, _ in ring.kept}


def test_a_keyring_that_does_not_forget_is_said(demo: Provider, ring: Ring) -> None:
    connected(demo, name="sales", api_key=SECRET, remember=True)
    ring.broken["delete"] = KeyringError(SECRET)

    async def run() -> LoginForm:
        form = LoginForm([demo])
        say(form, "forget", name="sales")
        await settle(form)
        return form

    form = asyncio.run(run())

    assert status(form)["kind"] == "error"
    assert "Test Ring" in status(form)["text"]
    assert SECRET not in everything_shown(form)


def test_a_kept_secret_is_neither_shown_nor_sent_nor_logged(
    demo: Provider, ring: Ring, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(LoginForm, "send", lambda form, content, buffers=None: sent.append(content))

    with caplog.at_level(logging.DEBUG):
        form = connected(demo, name="sales", api_key=SECRET, remember=True)
        again = connected(demo, name="sales")

    assert len(sent) >= 4
    assert SECRET not in repr(sent) + caplog.text
    assert SECRET not in everything_shown(form) + everything_shown(again)
