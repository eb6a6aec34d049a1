"""A key that a service echoes is blotted out, however it spells it."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

import crmlab

KEY = 'k3y/of+this"account"=4711<x>'


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        quote(KEY),
        quote(KEY, safe="").lower(),
        quote_plus(KEY),
        json.dumps(KEY),
        json.dumps(KEY, ensure_ascii=False).replace("/", "\\/"),
        html.escape(KEY),
        KEY.encode().hex(),
        *(
            base64.b64encode(f"{before}{KEY}:x".encode()).decode()
            for before in ("", "u", "us", "user:")
        ),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
    ],
)
def test_no_spelling_of_a_key_is_left(echo: str) -> None:
    account = crmlab.Account("relenta", account_name="x", api_key=KEY)

    told = account.redact(f"refused: {echo}, try again")

    assert "••••" in told
    assert len(told) < len("refused: ••••, try again") + 14
    assert told.endswith(", try again")
