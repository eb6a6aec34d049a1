"""What a few reads tell of Altcraft: each is a POST, as all of its reads are, and none of them changes anything."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

from crmlab.connector import (
    NOWHERE,
    Context,
    Page,
    Probe,
    Reads,
    Request,
    confirmed,
    have_zone,
    honours_size,
    listed,
    member,
    refuted,
    shown,
    stands_at,
    unix_seconds,
    untold,
    whole_number,
)
from crmlab.errors import NotFoundError
from crmlab.providers.altcraft.pages import BESIDE, POINTER

#: records that are asked for to see what they have in common
_MANY = 100
#: databases that are looked into for a profile or an event
_MAX_DATABASES = 3
#: history that is looked at, in days
_DAYS = 365
#: an id of 24 hexadecimal digits begins with the second in which it was made
_OBJECT_ID = re.compile("[0-9a-f]{24}")
#: by how many seconds an event may be later than its id
_MOMENT = 900
_HALF_HOUR = 1800
_MAX_HOURS = 14
#: states of subscriptions, which the vendor's own texts use for actions too
_STATES = (
    "subscribed",
    "unsubscribed",
    "complained",
    "hardbounced",
    "unconfirmed",
    "confirmed",
    "suspended",
)


def _post(method: str, **body: object) -> Request:
    return Request(path=f"/{method}", method="POST", body=body)


_DATABASES = _post("databases/list", from_id=1)

#: the first page of a list of one database
_First = Callable[[Context, Any], Request]


def _profiles(context: Context, database: Any) -> Request:
    return _post("profiles/list", db_id=database, from_id="", limit=1)


def _history(context: Context, database: Any) -> Request:
    first_day = context.now - dt.timedelta(days=_DAYS)
    last_day = context.now + dt.timedelta(days=2)
    return _days(database, first_day, last_day)


def _days(database: Any, first: dt.datetime, last: dt.datetime) -> Request:
    """Ask for the events of one profile, from a day to a day."""
    return _post(
        "subscribers/history_get_all",
        list_id=database,
        date_from=first.date().isoformat(),
        date_to=last.date().isoformat(),
        from_id="",
        limit=1,
    )


def _data(page: Page) -> list[dict[str, Any]]:
    return listed(page, "data")


def _of_databases(context: Context, first: _First) -> Generator[Request, Page, Page | None]:
    """Ask for the list of some databases, and return the first page that holds something; None where none does."""
    listing = yield _DATABASES
    for database in _data(listing)[:_MAX_DATABASES]:
        page = yield first(context, _whole(database.get("id")))
        if _data(page):
            return page
    return None


def _whole(value: object) -> object:
    """Return an id as the service takes it: a number where it is one."""
    number = whole_number(value)
    if number is None:
        return value
    return number


def _names_pointer(first: _First) -> Callable[[Context], Reads]:
    """Return the reads that look for what leads from a page of one to the next one."""

    def reads(context: Context) -> Reads:
        page = yield from _of_databases(context, first)
        if page is None:
            return untold("there is nothing in the databases that were looked at")
        pointer = member(page, POINTER)
        if not pointer:
            return (yield from _finds_other_pointer(page))
        following = yield _at(page, pointer)
        if _leads_on(page, following):
            return confirmed(f"{POINTER} leads to other records")
        if not _data(following) and member(following, POINTER):
            return refuted(f"{POINTER} leads to an empty page, which names another one")
        return untold(f"{POINTER} leads to no other records: these may be all")

    return reads


def _finds_other_pointer(page: Page) -> Reads:
    """Try what stands beside a list that has no pointer, and whether there is more at all."""
    for member_name, value in page.read(dict[str, Any]).items():
        if member_name in BESIDE or not value:
            continue
        following = yield _at(page, member(page, member_name))
        if _leads_on(page, following):
            return refuted(
                f"{shown([member_name])} leads to other records, and there is no {POINTER}",
                pointer=member_name,
            )
        break  # one request more is enough: a probe asks for little
    larger_page = yield page.request.with_body(limit=_MANY)
    if len(_data(larger_page)) > len(_data(page)):
        return refuted(f"there are more records, and no {POINTER}")
    return untold("there are no more records, so nothing leads to them")


def _at(page: Page, pointer: object) -> Request:
    return page.request.with_body(from_id=str(pointer))


def _leads_on(page: Page, following: Page) -> bool:
    return bool(_data(following)) and _data(following) != _data(page)


def _stands_in_data(context: Context) -> Reads:
    page = yield _DATABASES
    return stands_at(page, "data")


def _counts(context: Context) -> Reads:
    page = yield _DATABASES
    counted = whole_number(member(page, "total_count"))
    if not counted:
        return untold("the answer counts nothing")
    if counted == len(_data(page)):
        return confirmed(f"{counted:,} are counted, and {counted:,} came")
    return refuted(f"{counted:,} are counted, and {len(_data(page)):,} came")


def _resources_are_listed(context: Context) -> Reads:
    try:
        page = yield _post("resources/list", from_id=1)
    except NotFoundError as error:
        return refuted(f"there is no such method: {error.code or error.status}")
    return confirmed(f"{len(_data(page)):,} resources came")


def _honours_limit(context: Context) -> Reads:
    def many(context: Context, database: Any) -> Request:
        return _profiles(context, database).with_body(limit=_MANY)

    page = yield from _of_databases(context, many)
    if page is None:
        return untold("there is no profile in the databases that were looked at")
    return honours_size(page, _data(page), _MANY, more=bool(member(page, POINTER)), name="limit")


def _one_day_is_enough(context: Context) -> Reads:
    page = yield from _of_databases(context, _history)
    if page is None:
        return untold(f"no database that was looked at has a history of {_DAYS} days")
    event_times = [unix_seconds(event.get("datetime")) for event in _data(page)]
    known_times = [moment for moment in event_times if moment is not None]
    if not known_times:
        return untold("no event that was looked at has a time")
    last_day = dt.datetime.fromtimestamp(known_times[-1], dt.UTC)
    database = page.request.body["list_id"]
    of_one_day = yield _days(database, last_day, last_day)
    if _data(of_one_day):
        return confirmed("the history from a day to the same day holds events")
    until_next = yield _days(database, last_day, last_day + dt.timedelta(days=1))
    if _data(until_next):
        return refuted(
            "the history from a day to the same day is empty, to the day after it is not"
        )
    return refuted(
        "the history from the day of an event to the next is empty: its days are others than "
        "those of UTC"
    )


def _times_are_utc(context: Context) -> Reads:
    page = yield from _of_databases(context, _history)
    offsets: Counter[int] = Counter()
    for event in _events_of(page):
        seconds_ahead = _seconds_ahead(event)
        if seconds_ahead is not None:
            # zones differ by half hours: what is left is how long the service took
            offsets[round(seconds_ahead / _HALF_HOUR) * _HALF_HOUR] += 1
    if not offsets:
        return untold("no event that was looked at has an id that tells when it was made")
    usual_offset, agreeing = offsets.most_common(1)[0]
    if agreeing <= offsets.total() / 2 or abs(usual_offset) > _MAX_HOURS * 3600:
        return untold("the ids of events do not tell when they were made")
    if usual_offset == 0:
        return confirmed(
            f"{agreeing:,} of {offsets.total():,} events happened when their ids were made"
        )
    direction = "later" if usual_offset > 0 else "earlier"
    return refuted(
        f"times are {abs(usual_offset) / 3600:g} hours {direction} than the ids of the events say"
    )


def _seconds_ahead(event: dict[str, Any]) -> float | None:
    """Return by how much the time of an event is later than what its id begins with."""
    event_id = str(event.get("event_id"))
    happened = unix_seconds(event.get("datetime"))
    if happened is None or not _OBJECT_ID.fullmatch(event_id):
        return None
    return happened - int(event_id[:8], 16)


def _times_have_zone(context: Context) -> Reads:
    page = yield from _of_databases(context, _history)
    return have_zone(event.get("datetime") for event in _events_of(page))


def _events_of(page: Page | None) -> list[dict[str, Any]]:
    if page is None:
        return []
    return _data(page)


def _actions_are_known(context: Context) -> Reads:
    page = yield from _of_databases(context, _history)
    if page is None:
        return untold(f"no database that was looked at has a history of {_DAYS} days")
    larger_page = yield page.request.with_body(limit=_MANY)
    actions = {str(event.get("action")) for event in _data(larger_page) if event.get("action")}
    states_among_them = [state for state in _STATES if state in actions]
    if not actions:
        return untold("no event that was looked at has an action")
    if states_among_them:
        return refuted(
            f"of {len(actions):,} words looked at these are states: {shown(states_among_them)}"
        )
    return confirmed(f"{len(actions):,} words looked at")


PROBES = (
    Probe(
        name="envelope",
        assumption="a list is what data holds",
        source="the vendor's document",
        if_wrong="the list is looked for under other usual names, and a note of the fetch says "
        "where it was",
        reads=_stands_in_data,
        max_requests=1,
    ),
    Probe(
        name="count",
        assumption="total_count counts what a list gives",
        source="the vendor's document",
        if_wrong="such a list is told incomplete, though it may be all that the token may see",
        reads=_counts,
        max_requests=1,
    ),
    Probe(
        name="resources",
        assumption="resources/list exists, and answers as databases/list does",
        source=NOWHERE,
        if_wrong="there are no subscriptions and no sizes of segments: both are asked for by "
        "resource",
        reads=_resources_are_listed,
        max_requests=1,
    ),
    Probe(
        name="profile_pointer",
        assumption="profiles/list names the next page in next_from_id, and an empty page is the "
        "end",
        source=f"{NOWHERE}; subscriptions/list_all does so",
        if_wrong="of the profiles of each database only the first page comes; past an empty page "
        "one more is read",
        reads=_names_pointer(_profiles),
        max_requests=7,
        fact="pointer",
    ),
    Probe(
        name="history_pointer",
        assumption="subscribers/history_get_all names the next page in next_from_id, and an empty "
        "page is the end",
        source=f"{NOWHERE}; subscriptions/list_all does so",
        if_wrong="of the history of each database only the first page comes; past an empty page "
        "one more is read",
        reads=_names_pointer(_history),
        max_requests=7,
        fact="pointer",
    ),
    Probe(
        name="page_size",
        assumption="limit says how many profiles a page holds",
        source="the vendor's document",
        if_wrong="pages are larger or smaller than asked for; lists are read to the end all the "
        "same",
        reads=_honours_limit,
        max_requests=4,
        fact="page_size",
    ),
    Probe(
        name="edges",
        assumption="date_from and date_to include the days that they name",
        source=NOWHERE,
        if_wrong="history is asked for with a day more on both sides, so nothing is lost",
        reads=_one_day_is_enough,
        max_requests=7,
    ),
    Probe(
        name="history_zone",
        assumption="times of the history are UTC, as their Z says",
        source=f"{NOWHERE}; an example of the vendor has an id that was made three hours before its time",
        if_wrong='give the zone that the times are of, such as facts={"history_zone": '
        '"Europe/Moscow"}',
        reads=_times_are_utc,
        max_requests=4,
        fact="history_zone",
    ),
    Probe(
        name="time_zone",
        assumption="times say their zone",
        source="the vendor's document, by its examples",
        if_wrong="times without a zone are misfits: name the zone that they are of, such as "
        'facts={"time_zone": "Europe/Moscow"}',
        reads=_times_have_zone,
        max_requests=4,
        fact="time_zone",
    ),
    Probe(
        name="actions",
        assumption="actions of the history are called as such (unsubscribe), not as states are "
        "(unsubscribed)",
        source="the vendor's document, whose list of them ends early",
        if_wrong="both are read alike; a word that nobody knows decides nothing, and a note of "
        "the fetch names it",
        reads=_actions_are_known,
        max_requests=5,
    ),
)
