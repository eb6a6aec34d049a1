"""An account that goes to another process asks there as it did here."""

from __future__ import annotations

import pytest

import crmlab
from crmlab.accounts import packed, unpacked
from crmlab.connector import Request
from crmlab.providers import registry


@pytest.mark.parametrize("name", sorted(registry()))
def test_an_account_that_was_unpacked_is_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMLAB_RELENTA_FACTS", '{"first_page": 0}')
    provider = registry()[name]
    fields = [field for field in provider.fields if field.required and not field.default]
    given = {field.name: f"word-{field.name}" if field.secret else "7" for field in fields}
    account = crmlab.Account(
        name, name="north", facts={}, limits=crmlab.Limits(rate=1, burst=3), **given
    )

    there = unpacked(packed(account))

    assert repr(there) == repr(account)
    assert there.limits == account.limits
    assert there.options == account.options
    assert there.known_facts == {}
    request = Request(path="/things", method="POST", body={})
    assert there.sign(request) == account.sign(request)
    shown = " ".join(given.values())
    assert there.redact(shown) == account.redact(shown) != shown


def test_its_address_facts_and_proxy_go_with_it() -> None:
    account = crmlab.Account(
        "relenta",
        base_url="http://127.0.0.1:9/x",
        facts={"first_page": 0},
        proxy="http://user:word@127.0.0.1:3128",
        api_key="never-shown",
    )

    there = unpacked(packed(account))

    assert there.base_url == account.base_url
    assert there.facts == {"first_page": 0}
    assert there.proxy == account.proxy
    with pytest.raises(crmlab.errors.CredentialError, match="is not kept"):
        there.remember()
