"""Answers that no document describes whole: pages of lists that come whole, ids, what holds records of others."""

from __future__ import annotations

import datetime as dt

from crmlab.sandbox.drift.exchange import Asked, Difference, Given

_PER_PAGE = 2
_WHOLE = ("/sources", "/destinations", "/users")
_LAST_DAY = "filter[end_date]"
_CASCADE = "/contacts/cascade"


def _in_pages(asked: Asked, given: Given) -> None:
    """Give a page of a list that is said to come whole, and tell how many there are."""
    items = given.items
    if asked.path not in _WHOLE or items is None or not isinstance(given.data, dict):
        return
    number = asked.number(asked.service.page_in) or 1
    start = (number - 1) * _PER_PAGE
    given.items = items[start : start + _PER_PAGE]
    pages = max(1, -(-len(items) // _PER_PAGE))
    counts = {
        "total": len(items),
        "per_page": _PER_PAGE,
        "current_page": number,
        "total_pages": pages,
    }
    given.data["meta"] = {"pagination": counts}


def _numbered_apart(asked: Asked, given: Given) -> None:
    """Give sources the numbers of the last destinations, which follow theirs and are twice as many."""
    if asked.path == "/sources" and given.items:
        beyond = 2 * len(given.items)
        for record in given.records:
            record["id"] += beyond


def _without_last_day(asked: Asked) -> None:
    day = asked.get(_LAST_DAY)
    if day:
        before = dt.date.fromisoformat(day) - dt.timedelta(days=1)
        asked.put(_LAST_DAY, before.isoformat())


def _as_in_the_table(asked: Asked, given: Given) -> None:
    """Spell a field as the vendor's table does, and not as its examples."""
    for record in given.records:
        if "do_not_mass_email" in record:
            record["do_no_mass_email"] = record.pop("do_not_mass_email")


def _nothing_inside(asked: Asked) -> None:
    asked.drop("fields")


def _cascade_of_mine(asked: Asked) -> None:
    if asked.path.startswith(_CASCADE):
        asked.drop("team")


DIFFERENCES = (
    Difference(
        name="spelling",
        doc="a field that the document spells in two ways is spelt as in its table: do_no_mass_email",
        give=_as_in_the_table,
    ),
    Difference(
        name="shared_ids",
        doc="sources and destinations are numbered apart, so that an id may come twice",
        give=_numbered_apart,
    ),
    Difference(
        name="whole_lists",
        doc=f"lists that are said to come whole come in pages of {_PER_PAGE}, and count them",
        give=_in_pages,
    ),
    Difference(
        name="statistics_day",
        doc="consent statistics leave out the last day that is asked for",
        ask=_without_last_day,
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
    ),
)
