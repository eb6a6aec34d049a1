"""What is sent and what comes back, as values. Nothing here does I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, relative to the account's base URL. Only method and path are safe to show.

    `tags` are constants of this request that its records do not repeat (the day asked for, the
    parent's id); the decoder offers them as columns. `partial` says that the answer counts only a part of a
    list, whose whole another request counts. `send_last` holds it back until all others of its list are in.
    `only_once` says that it can do without an answer: it is not tried again. `turn` counts how often the same is
    asked, of a list whose answers take out of it what they hold, or of work that is not done yet, and `wait` is how
    many seconds it waits before its turn. `is_file` says that a file is the answer, which is no JSON, and `from_root`
    that the path begins where the host does, not where the account's base URL ends.
    """

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    partial: bool = field(default=False, repr=False)
    send_last: bool = field(default=False, repr=False)
    only_once: bool = field(default=False, repr=False)
    turn: int = field(default=1, repr=False)
    wait: float = field(default=0.0, repr=False)
    is_file: bool = field(default=False, repr=False)
    from_root: bool = field(default=False, repr=False)

    @cached_property
    def key(self) -> str:
        """Equal for two requests that would ask the same thing."""
        params = sorted(self.params.items())
        return json.dumps([self.method, self.path, params, self.body, self.turn])

    def with_params(self, **params: str | int) -> Request:
        """Return a copy with query parameters added, or replaced."""
        added = {param_name: str(param_value) for param_name, param_value in params.items()}
        return replace(self, params={**self.params, **added})

    def with_body(self, **fields: object) -> Request:
        """Return a copy with fields of its JSON body added, or replaced."""
        return replace(self, body={**(self.body or {}), **fields})

    def with_headers(self, **headers: str) -> Request:
        """Return a copy with headers added; underscores in names stand for hyphens."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **added})


def fill_path(template: str, **parts: object) -> str:
    """Fill a path template, percent-encoding each part (ids may hold ``/`` and spaces)."""
    encoded = {name: quote(str(value), safe="") for name, value in parts.items()}
    return template.format(**encoded)
