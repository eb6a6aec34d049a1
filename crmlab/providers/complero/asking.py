"""How Complero is asked: where, and for which time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace

from crmlab.connector import Context, Request


def iso(moment: dt.datetime | float) -> str:
    """Return a time as the service takes it: in whole seconds of UTC."""
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.fromtimestamp(moment, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def at_path(
    requests: Callable[[Context], Iterable[Request]], path: str
) -> Callable[[Context], Iterable[Request]]:
    """Return the same requests at another path."""
    return lambda context: [replace(request, path=path) for request in requests(context)]
