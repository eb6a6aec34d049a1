"""Which proxy an account takes: rules of the environment, and what an address may be."""

from __future__ import annotations

import pytest

import crmlab
from crmlab.accounts.proxy import proxy_of_environment
from crmlab.errors import CredentialError

PROXY = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("no_proxy", "address", "goes_through"),
    [
        ("", "https://crm.example.com/v1", True),
        ("*", "https://crm.example.com", False),
        ("example.org, EXAMPLE.com", "https://crm.example.com", False),
        (".example.com", "https://crm.example.com", False),
        ("*.example.com", "https://crm.example.com", False),
        ("ample.com", "https://crm.example.com", True),
        ("crm.example.com:8443", "https://crm.example.com", True),
        ("crm.example.com:8443", "https://crm.example.com:8443", False),
        ("crm.example.com:443", "https://crm.example.com", False),
        ("10.0.0.0/8", "https://10.1.2.3", False),
        ("10.0.0.0/8", "https://11.1.2.3", True),
        ("fd00::/8", "https://[fd00::1]:8443", False),
        ("", "https://127.0.0.1:8443", False),
        ("", "https://[::1]", False),
        ("", "https://localhost", False),
        ("", "http://crm.example.com", False),
        (" , ", "https://crm.example.com", True),
    ],
)
def test_the_environment_says_who_is_reached_through_the_proxy(
    no_proxy: str, address: str, goes_through: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    found = proxy_of_environment(address)

    assert (found is not None) == goes_through
    assert found is None or (found.address, found.named_by) == (PROXY, "HTTPS_PROXY")


@pytest.mark.parametrize(
    ("given", "address", "password"),
    [
        ("proxy.example.com:3128", PROXY, ""),
        ("http://proxy.example.com", "http://proxy.example.com:80", ""),
        ("https://user:s%2Fecret@proxy.example.com/", "https://proxy.example.com:443", "s/ecret"),
        ("user:secret@[::1]:3128", "http://[::1]:3128", "secret"),
    ],
)
def test_an_address_of_a_proxy_may_be_short_and_hold_credentials(
    given: str, address: str, password: str
) -> None:
    account = crmlab.Account("complero", api_key="k" * 20, proxy=given)

    assert account.proxy is not None
    assert (account.proxy.address, account.proxy.password) == (address, password)
    assert "ecret" not in repr(account) + repr(account.proxy)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "http://",
        "http://user:se#cret@host:1",
        "http://user:se/cret@host:1",
        "http://host:secret",
        "a secret",
        "x?secret",
    ],
)
def test_what_is_no_address_of_a_proxy_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(CredentialError, match="proxy is not the address of a proxy") as caught:
        crmlab.Account("complero", api_key="k" * 20, proxy=wrong)

    assert "cret" not in str(caught.value)


def test_a_key_does_not_travel_to_a_proxy_unencrypted() -> None:
    with pytest.raises(
        CredentialError, match=r"the key would go to proxy\.example\.com unencrypted"
    ):
        crmlab.Account("complero", api_key="k" * 20, base_url="http://127.0.0.1:8000", proxy=PROXY)
