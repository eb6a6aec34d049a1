"""Accounts: they hold secrets and show none."""

from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from crmlab import Account, Limits
from crmlab.accounts.account import check_names
from crmlab.connector.request import Request
from crmlab.errors import ApiError, AuthError, CredentialError, NotFoundError, UsageError

KEY = "key-never-to-be-shown"


@pytest.fixture(autouse=True)
def no_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def account(base_url: str | None = None, **more: Any) -> Account:
    return Account("onepagecrm", base_url=base_url, **{"user_id": "me", "api_key": KEY, **more})


def test_an_account_says_what_it_is_and_no_secret() -> None:
    sales = account(name="sales")

    assert (
        repr(sales)
        == "Account('onepagecrm', name='sales', base_url='https://app.onepagecrm.com/api/v3')"
    )
    assert str(sales) == repr(sales)
    assert sales.label == "onepagecrm account 'sales'"


def test_no_part_of_an_account_shows_the_secret() -> None:
    sales = account()

    with pytest.raises(TypeError):
        vars(sales)
    for name in dir(sales):
        if not name.startswith("__") and name != "_secrets":
            assert KEY not in repr(getattr(sales, name)), name
    assert KEY not in repr(sales._secrets)
    assert "api_key" not in sales.options


def test_an_account_keeps_to_its_contracts_limits_or_the_providers() -> None:
    agreed = Limits(rate=50, burst=50, scope="account")

    assert account(limits=agreed).limits == agreed
    assert account().limits == account().provider.limits


def test_a_secret_may_be_given_wrapped() -> None:
    sales = account(api_key=SecretStr(KEY))

    assert sales.sign(Request(path="/x")).headers == account().sign(Request(path="/x")).headers


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_account_cannot_be_copied_out(leave: Any) -> None:
    with pytest.raises(TypeError, match="holds secrets") as caught:
        leave(account())

    assert KEY not in str(caught.value)


def test_a_signed_request_does_not_show_the_key() -> None:
    assert repr(account().sign(Request(path="/x"))) == "Request(path='/x', method='GET')"


def test_making_an_account_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    account()

    assert KEY not in caplog.text


def test_secrets_are_blotted_out_of_foreign_text() -> None:
    assert account().redact(f"bad key {KEY}, {KEY}") == "bad key ••••, ••••"


def test_the_name_is_the_providers_unless_given() -> None:
    assert (account().name, account(name="").name, account(name="north").name) == (
        "onepagecrm",
        "onepagecrm",
        "north",
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example.com/crm",
        "https://proxy.example.com:8443",
        "http://127.0.0.1:8080",
        "http://localhost:8080/x",
        "http://LOCALHOST",
        "http://[::1]:8080",
        "http://127.1.2.3",
        "https://müller.example",
    ],
)
def test_https_anywhere_and_http_at_home(url: str) -> None:
    assert account(url + "/").base_url == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "http://proxy.example.com",
            "must be https: http would send the key to proxy.example.com unencrypted",
        ),
        ("http://127.0.0.1.example.com", "must be https"),
        ("http://localhost.example.com", "must be https"),
        ("http://0.0.0.0", "must be https"),
        ("http://10.0.0.1", "must be https"),
        ("http://2130706433", "must be https"),
        ("ftp://example.com", "must be an http"),
        ("example.com", "must be an http"),
        ("//example.com", "must be an http"),
        ("https:///path", "must be an http"),
        ("file:///etc/passwd", "must be an http"),
        ("https://user@example.com", "must hold no user"),
        ("https://user:pass@example.com", "must hold no user"),
        ("https://@example.com", "must hold no user"),
        ("http://127.0.0.1@example.com", "must hold no user"),
        ("https://example.com?key=1", "must hold no user, password, query"),
        ("https://example.com/?", "query"),
        ("https://example.com/#", "fragment"),
        ("https://example.com/#a", "fragment"),
        ("https://exa mple.com", "blank or a character"),
        ("https://example.com/\r\nX: 1", "blank or a character"),
        ("http://127.0.0.1\t.example.com", "blank or a character"),
        ("http://127.0.0.1\\.example.com", "blank or a character"),
        ("https://example.com:99999", "look at its host and port"),
        ("https://example.com:port", "look at its host and port"),
        ("https://[::1", "look at its host and port"),
        (
            "https://{api_key}.example.com",
            r"may name \['stage_history', 'user_id'\] in braces, not \['api_key'\]",
        ),
        ("https://{user_id.__class__}.example.com", "in braces, not"),
        ("https://{0}.example.com", "in braces, not"),
        ("https://{}.example.com", "needs a name in each pair of braces"),
        ("https://{user_id.example.com", "brace without its counterpart"),
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(url: str, reason: str) -> None:
    with pytest.raises(CredentialError, match=reason) as caught:
        account(url)

    assert KEY not in str(caught.value)


def test_settings_fill_the_address() -> None:
    site = Account("commanders_act", site_id="123", token=KEY)

    assert site.base_url == "https://api.commander1.com/v2/123"
    assert site.options["site_id"] == "123"


def test_a_setting_that_would_change_the_address_is_refused() -> None:
    for host in ("evil.example.com/x?", "a@b", "a/b", "a#", "[::1]", "a b"):
        with pytest.raises(CredentialError, match="Host does not look right"):
            Account("altcraft", host=host, token=KEY)


def test_an_address_of_ones_own_spares_the_settings_of_the_providers() -> None:
    options = Account("commanders_act", base_url="https://proxy.example.com", token=KEY).options

    assert options == {"devices": "no", "locations": "no"}  # only what has a default


def test_an_unknown_provider_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UsageError,
        match=r"unknown provider 'onepage_crm'; did you mean 'onepagecrm'\? Known: altcraft",
    ):
        Account("onepage_crm")


@pytest.mark.parametrize("wrong", [None, 5])
def test_a_provider_that_is_no_text_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="unknown provider"):
        Account(wrong)


def test_two_accounts_of_one_name_are_refused_and_of_two_providers_are_not() -> None:
    complero = Account("complero", name="sales", api_key=KEY)

    check_names([account(name="sales"), complero, account(name="support")])
    with pytest.raises(UsageError, match="two accounts are called onepagecrm account 'sales'"):
        check_names([account(name="sales"), complero, account(name="sales")])


@pytest.mark.parametrize(
    ("error", "where", "hint"),
    [
        (
            AuthError(401),
            "onepagecrm account 'sales'",
            "check user_id and api_key (form, arguments, or CRMLAB_ONEPAGECRM_USER_ID, CRMLAB_ONEPAGECRM_API_KEY)",
        ),
        (
            AuthError(403),
            "onepagecrm account 'sales', deals",
            "the key is right but has no right to this",
        ),
        (NotFoundError(404), "onepagecrm account 'sales', deals", ""),
    ],
)
def test_an_error_is_told_where_it_happened_and_what_to_look_at(
    error: ApiError, where: str, hint: str
) -> None:
    told = str(account(name="sales").explain(error, "deals"))

    assert told.startswith(f"{where}: HTTP {error.status}")
    assert hint in told


def test_the_first_place_told_is_kept() -> None:
    error = account().explain(NotFoundError(404), "pipelines")

    assert "pipelines" in str(account().explain(error, "deals"))
