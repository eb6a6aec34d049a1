"""Where credentials come from, and that they go nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

import crmlab
from crmlab.accounts import credentials
from crmlab.errors import CredentialError
from crmlab.providers import provider, registry
from tests.fake_keyring import Chain, KeyringError, PlaintextKeyring, Ring, install

CRM = provider("onepagecrm")
NEEDED = {"user_id", "api_key"}
VARIABLE = "CRMLAB_ONEPAGECRM_API_KEY"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory, no variables, no keyring."""
    for name in [*CRMLAB_VARIABLES, "CRMLAB_SECRETS_DIR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


CRMLAB_VARIABLES = [
    credentials.variable(p, field) for p in registry().values() for field in p.fields
]


def keyring_with(monkeypatch: pytest.MonkeyPatch, **passwords: str) -> Ring:
    ring = Ring(**passwords)
    install(monkeypatch, ring)
    return ring


def key(**given: str | SecretStr) -> str:
    return credentials.find(CRM, {"user_id": "me", **given}, needed=NEEDED)[
        "api_key"
    ].get_secret_value()


def from_environment(monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)


def from_file(monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / VARIABLE.lower()).write_text(value + "\n")
    monkeypatch.setenv("CRMLAB_SECRETS_DIR", str(folder / "secrets"))


def from_keyring(monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    keyring_with(monkeypatch, **{VARIABLE: value})


def from_dotenv(monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    (folder / ".env").write_text(f"OTHER=1\n{VARIABLE}={value}\n")


SOURCES = [from_environment, from_file, from_keyring, from_dotenv]


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_the_first_source_that_has_a_value_wins(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path, first: int
) -> None:
    for source in SOURCES[first:]:
        source(monkeypatch, nowhere, source.__name__)

    assert key() == SOURCES[first].__name__


def test_an_argument_wins_over_everything(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    for source in SOURCES:
        source(monkeypatch, nowhere, source.__name__)

    assert key(api_key="given") == "given"
    assert key(api_key=SecretStr("given")) == "given"


@pytest.mark.parametrize("source", SOURCES[:2])
def test_an_empty_value_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path, source: Callable[..., None]
) -> None:
    source(monkeypatch, nowhere, "")
    from_dotenv(monkeypatch, nowhere, "from-dotenv")

    assert key() == "from-dotenv"


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_argument_is_missing_and_not_replaced_by_another_accounts_key(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path, blank: str
) -> None:
    from_environment(monkeypatch, nowhere, "of-another")

    with pytest.raises(CredentialError, match="API key: api_key="):
        key(api_key=blank)


def test_surrounding_blanks_of_a_copied_key_are_dropped() -> None:
    assert key(api_key=" key\n") == "key"


def test_what_is_missing_is_named_with_its_variable_and_where_to_find_it() -> None:
    with pytest.raises(CredentialError) as caught:
        credentials.find(CRM, {}, needed=NEEDED)

    for part in (
        "user_id=... or CRMLAB_ONEPAGECRM_USER_ID",
        f"api_key=... or {VARIABLE}",
        "Apps > API",
        "crmlab.login()",
    ):
        assert part in str(caught.value)


def test_only_what_is_missing_is_named() -> None:
    with pytest.raises(CredentialError) as caught:
        credentials.find(CRM, {"user_id": "me"}, needed=NEEDED)

    assert "user_id=..." not in str(caught.value)


def test_a_field_that_the_provider_does_not_have_is_refused() -> None:
    with pytest.raises(
        CredentialError, match="OnePageCRM has no credential apikey; it takes user_id, api_key"
    ):
        credentials.find(CRM, {"apikey": "hush"}, needed=NEEDED)


@pytest.mark.parametrize(
    "value", ["hush\r\nX-Evil: 1", "hush\nx", "hush\x00", "hush\x7f", "hüsh", "hu\u200bsh"]
)
def test_a_value_that_could_not_be_a_header_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(
        CredentialError, match="API key holds a line break or a character"
    ) as caught:
        key(api_key=value)

    assert value not in str(caught.value)
    assert "sh" not in str(caught.value).replace("OnePageCRM", "")


def test_a_value_of_another_form_is_refused_and_not_shown() -> None:
    with pytest.raises(CredentialError, match="User ID does not look right") as caught:
        credentials.find(CRM, {"user_id": "me:hush", "api_key": "k"}, needed=NEEDED)

    assert "hush" not in str(caught.value)


def test_a_key_is_taken_as_it_is_written_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for value in ('{"a":1}', "null", "[1]", "a,b", "$HOME"):
        monkeypatch.setenv(VARIABLE, value)
        assert key() == value


def test_a_locked_keyring_is_the_same_as_none(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    keyring_with(monkeypatch, **{VARIABLE: "locked"}).broken["get"] = KeyringError("locked")
    from_dotenv(monkeypatch, nowhere, "from-dotenv")

    assert key() == "from-dotenv"


@pytest.mark.parametrize("chained", [False, True])
def test_a_keyring_of_plain_text_is_not_read(
    monkeypatch: pytest.MonkeyPatch, chained: bool
) -> None:
    plain = PlaintextKeyring(**{VARIABLE: "plain"})
    install(monkeypatch, Chain(Ring(), plain) if chained else plain)

    with pytest.raises(CredentialError):
        key()
    assert plain.asked == []


def test_the_keyring_is_not_asked_where_all_that_is_needed_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring = keyring_with(monkeypatch)
    monkeypatch.setenv("CRMLAB_ONEPAGECRM_USER_ID", "me")

    credentials.find(CRM, {"api_key": "given"}, needed=NEEDED)

    assert ring.asked == []


def test_a_folder_of_secrets_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    monkeypatch.setenv("CRMLAB_SECRETS_DIR", str(nowhere / "absent"))

    with pytest.raises(CredentialError, match="CRMLAB_SECRETS_DIR"):
        key()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hush-hush=\xff"])
def test_an_unreadable_dotenv_is_said_and_not_quoted(nowhere: Path, content: bytes) -> None:
    (nowhere / ".env").write_bytes(content)

    with pytest.raises(CredentialError, match=r"\.env cannot be read") as caught:
        key()

    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_found_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "hush")

    found = credentials.find(CRM, {"user_id": "me"}, needed=NEEDED)

    assert "hush" not in f"{found!r} {found!s}"


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_provider_names_what_it_needs(name: str) -> None:
    with pytest.raises(CredentialError, match=f"CRMLAB_{name.upper()}_"):
        crmlab.Account(name)
