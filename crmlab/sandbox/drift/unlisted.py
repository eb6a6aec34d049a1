"""Answers that no document describes whole: pages of lists that come whole, ids, what holds records of others."""

from __future__ import annotations

import datetime as dt

from crmlab.sandbox.drift.exchange import Asked, Difference, Given

_WHOLE = ("/sources", "/destinations", "/users")
_LAST_DAY = "filter[end_date]"
_CASCADE = "/contacts/cascade"


def _page_by_page(asked: Asked, given: Given) -> None:
    """Give one record of a list that is said to come whole, and tell how many there are."""
    items = given.items
    if asked.path not in _WHOLE or items is None or not isinstance(given.data, dict):
        return
    number = asked.number(asked.service.page_in) or 1
    pages = max(1, len(items))
    given.items = items[number - 1 : number]
    counts = {"total": len(items), "per_page": 1, "current_page": number}
    given.data["meta"] = {"pagination": {**counts, "total_pages": pages}}


def _numbered_apart(asked: Asked, given: Given) -> None:
    """Number sources and destinations as if there were no others."""
    if asked.path in ("/sources", "/destinations"):
        for number, record in enumerate(given.records, start=1):
            record["id"] = number


def _without_last_day(asked: Asked) -> None:
    day = asked.get(_LAST_DAY)
    if day:
        before = dt.date.fromisoformat(day) - dt.timedelta(days=1)
        asked.put(_LAST_DAY, before.isoformat())


def _nothing_inside(asked: Asked) -> None:
    asked.drop("fields")


def _cascade_of_mine(asked: Asked) -> None:
    if asked.path.startswith(_CASCADE):
        asked.drop("team")


DIFFERENCES = (
    Difference(
        name="whole_lists",
        doc="lists that are said to come whole come page by page, and count their pages",
        give=_page_by_page,
    ),
    Difference(
        name="shared_ids",
        doc="sources and destinations are numbered apart, so that ids come twice",
        give=_numbered_apart,
        apart=True,
    ),
    Difference(
        name="statistics_day",
        doc="consent statistics leave out the last day that is asked for",
        ask=_without_last_day,
        apart=True,
    ),
    Difference(
        name="no_embedding",
        doc="contacts come without their deals, notes, calls and meetings",
        ask=_nothing_inside,
    ),
    Difference(
        name="cascade",
        doc="the cascade has one's own contacts only, whoever asks for all",
        ask=_cascade_of_mine,
        apart=True,
    ),
)
