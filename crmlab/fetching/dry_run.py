"""What would be sent, as a value to look at: nothing is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from crmlab.accounts import Account
from crmlab.connector import Request, is_secret
from crmlab.decoding import without_secrets

_BLOT = "••••"


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A request that would be sent, with its secrets blotted out.

    `headers` are those that matter to the service, `body` is what would be written as JSON, None where there is
    none. The body holds what it was made from, which may be somebody's address.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any = None

    def __str__(self) -> str:
        lines = [f"{self.method} {self.url}"]
        for header_name, header_value in self.headers.items():
            lines.append(f"{header_name}: {header_value}")
        if self.body is not None:
            lines += ["", json.dumps(self.body, ensure_ascii=False, indent=2)]
        return "\n".join(lines)


def dry_run(account: Account, request: Request) -> DryRun:
    """Return what would be sent for a request of that account.

    What signing adds is blotted out wherever it stands, and so is every field that is named like a secret.
    """
    from crmlab.http.client import HEADERS  # noqa: PLC0415  # loads aiohttp

    signed = account.sign(request)
    headers = dict(HEADERS)
    for field_name in signed.headers:
        if field_name not in request.headers:
            headers[field_name] = _BLOT
    for field_name, field_value in request.headers.items():
        headers[field_name] = account.redact(field_value)
    params = {name: _shown(name, value, request.params) for name, value in signed.params.items()}
    base_url = account.root_url if signed.from_root else account.base_url
    full_url = URL(base_url + signed.path, encoded=True).with_query(params)
    return DryRun(
        method=signed.method,
        url=account.redact(full_url.human_repr()),
        headers=headers,
        body=_shown_body(account, request, signed),
    )


def _shown(name: str, value: Any, given: Mapping[str, Any]) -> Any:
    """Return a value that was given by hand; of a secret, and of what signing added, only that it is there."""
    if name not in given or is_secret(name):
        return _BLOT
    return value


def _shown_body(account: Account, request: Request, signed: Request) -> Any:
    signed_body = signed.body
    if isinstance(signed_body, dict):
        given_body = request.body or {}
        # what signing adds is a secret, whatever it is called
        added = signed_body.keys() - given_body.keys()
        signed_body = {**signed_body, **dict.fromkeys(added, _BLOT)}
    return _redacted(without_secrets(signed_body, account.provider.secret_names), account)


def _redacted(value: Any, account: Account) -> Any:
    """Return a value without the secrets of the account, wherever somebody has put them."""
    if isinstance(value, str):
        return account.redact(value)
    if isinstance(value, dict):
        return {name: _redacted(member_value, account) for name, member_value in value.items()}
    if isinstance(value, list):
        return [_redacted(member_value, account) for member_value in value]
    return value
