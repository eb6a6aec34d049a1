"""What the keyring is asked to keep, finds again and forgets."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import pytest

from crmlab import Account
from crmlab.accounts import credentials
from crmlab.errors import CredentialError
from crmlab.providers import provider
from tests.fake_keyring import Chain, Fail, KeyringError, Null, PlaintextKeyring, Ring, install

SECRET = "key-never-to-be-shown"
CRM = provider("onepagecrm")
USER, KEY, LIST = (
    "CRMLAB_ONEPAGECRM_USER_ID",
    "CRMLAB_ONEPAGECRM_API_KEY",
    "CRMLAB_ONEPAGECRM_ACCOUNTS",
)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variables and no ``.env``."""
    monkeypatch.chdir(tmp_path)
    for name in (USER, KEY, "CRMLAB_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    ring = Ring()
    install(monkeypatch, ring)
    return ring


def account(name: str = "", *, user_id: str = "me", api_key: str = SECRET) -> Account:
    return Account("onepagecrm", name=name, user_id=user_id, api_key=api_key)


def key_of(account: Account) -> str:
    return account._secrets["api_key"].get_secret_value()


def test_the_account_is_found_again_without_its_key(ring: Ring) -> None:
    where = account().remember()

    assert ring.kept == {("crmlab", USER): "me", ("crmlab", KEY): SECRET}
    assert where == f"Test Ring: service crmlab, names {USER}, {KEY}"
    assert key_of(Account("onepagecrm")) == SECRET


def test_accounts_of_several_names_are_kept_apart(ring: Ring) -> None:
    account().remember()
    account("sales", user_id="sally", api_key="of-sales").remember()
    where = account("support", user_id="susan", api_key="of-support").remember()

    assert where.startswith("Test Ring: service crmlab/support, names ")
    assert credentials.remembered(CRM) == ["onepagecrm", "sales", "support"]
    assert [key_of(Account("onepagecrm", name=name)) for name in ("", "sales", "support")] == [
        SECRET,
        "of-sales",
        "of-support",
    ]


def test_nothing_of_a_named_account_comes_from_elsewhere(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account("altcraft", name="own", host="crm.example.com", token=SECRET).remember()
    del ring.kept["crmlab/own", "CRMLAB_ALTCRAFT_HOST"]
    Path(".env").write_text("CRMLAB_ALTCRAFT_HOST=evil.example.org\n")
    monkeypatch.setenv("CRMLAB_ALTCRAFT_TOKEN", "of-another")

    found = Account("altcraft", name="own")

    assert found.base_url == "https://ru.altkraft.com/api/v1.1"
    assert found._secrets["token"].get_secret_value() == SECRET


def test_an_argument_wins_over_what_is_kept(ring: Ring) -> None:
    account("sales").remember()

    assert key_of(Account("onepagecrm", name="sales", api_key="given")) == "given"


def test_an_account_whose_name_is_not_kept_is_read_from_the_environment(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(USER, "me")
    monkeypatch.setenv(KEY, "of-environment")

    assert key_of(Account("onepagecrm", name="sales")) == "of-environment"


def test_a_setting_that_the_account_has_no_more_is_not_kept(ring: Ring) -> None:
    Account("commanders_act", site_id="1", token=SECRET, segment_ids="7").remember()
    Account("commanders_act", site_id="1", token=SECRET, segment_ids="").remember()

    assert ("crmlab", "CRMLAB_COMMANDERS_ACT_SEGMENT_IDS") not in ring.kept
    assert ("crmlab", "CRMLAB_COMMANDERS_ACT_SITE_ID") in ring.kept


def test_what_is_forgotten_is_gone_and_the_others_stay(ring: Ring) -> None:
    account().remember()
    account("sales").remember()

    account("sales").forget()

    assert credentials.remembered(CRM) == ["onepagecrm"]
    assert ring.kept == {("crmlab", USER): "me", ("crmlab", KEY): SECRET}

    account().forget()

    assert ring.kept == {}


def test_one_kept_again_under_its_name_is_listed_once(ring: Ring) -> None:
    account("sales", api_key="old").remember()
    account("sales").remember()

    assert credentials.remembered(CRM) == ["sales"]
    assert key_of(Account("onepagecrm", name="sales")) == SECRET


@pytest.mark.parametrize("text", ["no JSON", "7", '{"a": 1}x'])
def test_a_list_of_names_that_is_none_is_empty(ring: Ring, text: str) -> None:
    ring.kept["crmlab", LIST] = text

    assert credentials.remembered(CRM) == []


def test_an_address_of_ones_own_is_not_kept(ring: Ring) -> None:
    elsewhere = Account(
        "onepagecrm", base_url="https://proxy.example.com", user_id="me", api_key=SECRET
    )

    with pytest.raises(CredentialError, match="its own base_url is not kept"):
        elsewhere.remember()
    assert ring.kept == {}


def test_no_address_is_read_from_anywhere(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a file in some folder could send the key elsewhere."""
    ring.kept["crmlab", "CRMLAB_ONEPAGECRM_BASE_URL"] = "https://evil.example.org"
    monkeypatch.setenv("CRMLAB_ONEPAGECRM_BASE_URL", "https://evil.example.org")
    Path(".env").write_text("CRMLAB_ONEPAGECRM_BASE_URL=https://evil.example.org\n")

    assert account().base_url == CRM.base_url


@pytest.mark.parametrize(
    ("keyring", "reason"),
    [
        (PlaintextKeyring(), r"the keyring \(file PlaintextKeyring\) writes plain text"),
        (Chain(PlaintextKeyring()), "writes plain text"),
        (Fail(), "this computer has no keyring"),
        (Chain(), "this computer has no keyring"),
    ],
)
def test_where_there_is_no_safe_place_nothing_is_kept_and_why_is_said(
    monkeypatch: pytest.MonkeyPatch, keyring: Ring | Chain, reason: str
) -> None:
    install(monkeypatch, keyring)

    with pytest.raises(CredentialError, match=reason):
        account().remember()
    with pytest.raises(CredentialError, match=reason):
        account().forget()
    assert not any(ring.kept for ring in getattr(keyring, "backends", [keyring]))


def test_a_keyring_that_keeps_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Null())

    with pytest.raises(CredentialError, match=r"the keyring \(null Keyring\) does not keep it$"):
        account().remember()


def test_without_the_package_the_advice_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(CredentialError, match="pip install keyring"):
        account().remember()
    assert credentials.remembered(CRM) == []


@pytest.mark.parametrize(
    "error", [KeyringError(SECRET), OSError(SECRET)], ids=lambda error: type(error).__name__
)
def test_what_a_keyring_says_is_not_repeated(ring: Ring, error: Exception) -> None:
    ring.broken["set"] = error

    with pytest.raises(
        CredentialError, match=f"does not keep it: {type(error).__name__}"
    ) as caught:
        account().remember()

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_half_an_account_is_not_kept(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(service: str, name: str, value: str) -> None:
        if value == SECRET:
            raise OSError("too long")
        ring.kept[service, name] = value

    monkeypatch.setattr(ring, "set_password", short)

    with pytest.raises(CredentialError):
        account("sales").remember()

    assert ring.kept == {}


def test_a_locked_keyring_does_not_pretend_to_forget(ring: Ring) -> None:
    account().remember()
    ring.broken["delete"] = KeyringError("locked")

    with pytest.raises(CredentialError, match=f"does not delete {USER}: KeyringError"):
        account().forget()


def test_plain_text_at_the_end_of_a_chain_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    safe, plain = Ring(), PlaintextKeyring()
    install(monkeypatch, Chain(safe, plain))

    account().remember()

    assert len(safe.kept) == 2
    assert plain.kept == {}


def test_keeping_shows_and_logs_no_secret(ring: Ring, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        kept = account("sales")
        shown = f"{kept.remember()} {kept!r} {credentials.remembered(CRM)}"
        kept.forget()

    assert SECRET not in shown + caplog.text
