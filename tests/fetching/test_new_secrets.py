"""The new key of a call that is for one can be used, and is shown by nothing."""

from __future__ import annotations

import logging

import pytest
from pydantic import SecretStr

import crmlab
from crmlab.cli import main
from crmlab.errors import UsageError


async def test_a_new_key_comes_back_hidden_and_opens_the_account(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with crmlab.sandbox(rows=5, services=["onepagecrm"]) as (account,):
        for shape in ({"as_frame": True}, {"as_model": dict}):
            with pytest.raises(
                UsageError, match="answers with a new secret, which no frame or model may hold"
            ):
                await crmlab.call(account, "change_auth_key", allow_dangerous=True, **shape)
        answer = await crmlab.call(account, "change_auth_key", allow_dangerous=True)
        key = answer["data"]["auth_key"]
        again = crmlab.Account(
            "onepagecrm",
            base_url=account.base_url,
            user_id="sandbox-user",
            api_key=key.get_secret_value(),
        )

        assert isinstance(key, SecretStr)
        assert key.get_secret_value() not in f"{answer} {answer!r} {caplog.text} {again!r}"
        assert key.get_secret_value().startswith("sandbox-")


def test_the_command_line_changes_no_key_that_it_could_not_give(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["call", "onepagecrm", "change_auth_key", "--allow-dangerous"]) == 2
    assert "never printed: use crmlab.call" in capsys.readouterr().err
