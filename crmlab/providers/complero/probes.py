"""What a few reads tell of Complero, and how its lists are read where it does otherwise than assumed.

Reading an event takes it out of the latest events, for whoever polls these. So the probes only ask for events that
are a week old, which such a reader has had long ago.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Generator, Iterable
from typing import Any

from crmlab.connector import (
    NOWHERE,
    WORDS,
    Context,
    Page,
    Probe,
    Reads,
    Request,
    confirmed,
    fill_path,
    has_fields,
    have_zone,
    honours_size,
    is_sorted,
    listed,
    refuted,
    shown,
    stands_at,
    unix_seconds,
    untold,
)
from crmlab.errors import ApiError, NotFoundError
from crmlab.providers.complero.asking import iso
from crmlab.providers.complero.consents import statements
from crmlab.providers.complero.paths import PATHS

#: events that are younger are left to those who poll the latest events
_OLD = dt.timedelta(days=7)
_FEW = 20
_MANY = 100
_NEXT_CURSOR = "next-cursor"
_NEXT_LINK = "next-link"


def _path(context: Context, name: str) -> str:
    """Return where it is: as the account was told, or as its name suggests."""
    path: str = context.facts.get(f"{name}_path", PATHS[name])
    return path


def _operations(context: Context, limit: int = _FEW) -> Request:
    return Request(path=_path(context, "operations"), params={"limit": str(limit)})


def _events(context: Context, kind: str, limit: int = _FEW) -> Request:
    params = {"type": kind, "limit": str(limit), "to": iso(context.now - _OLD)}
    return Request(path=_path(context, "events"), params=params)


def _are_guessed(context: Context) -> Reads:
    not_found = []
    try:
        yield _operations(context)
    except NotFoundError:
        not_found.append("operations")
    contacts: list[dict[str, Any]] = []
    try:
        page = yield _events(context, "update")
        contacts = _contacts(page)
    except NotFoundError:
        not_found.append("events")
    asked_for = ["operations", "events"]
    employee_ids: dict[str, None] = {}
    for contact in contacts:
        if contact.get("employee_id"):
            employee_ids.setdefault(str(contact["employee_id"]))
    if employee_ids:
        asked_for.append("employee")
        # one of two may have been deleted
        is_there = yield from _some_are_there(_path(context, "employee"), [*employee_ids][:2])
        if not is_there:
            not_found.append("employee")
    if not_found:
        return refuted(f"HTTP 404 for {shown(not_found)}, of {shown(asked_for)}")
    return confirmed(f"{shown(asked_for)} answer")


def _contacts(page: Page) -> list[dict[str, Any]]:
    """Return the contacts that the events of a page hold."""
    contacts = []
    for event in listed(page):
        if isinstance(event.get("contact"), dict):
            contacts.append(event["contact"])
    return contacts


def _is_bare(context: Context) -> Reads:
    page = yield _operations(context)
    return stands_at(page)


def _names_cursor(context: Context) -> Reads:
    first_page = yield _operations(context, 1)
    token = first_page.header(_NEXT_CURSOR)
    if token:
        leads_on = yield from _leads_on(first_page, token, _NEXT_CURSOR)
        if leads_on:
            return confirmed("Next-Cursor leads to another record")
        return refuted("Next-Cursor leads to no other record")
    if first_page.header(_NEXT_LINK):
        return refuted("there is no Next-Cursor, but Next-Link, which is followed")
    cursor_headers = [header for header in first_page.headers if "cursor" in header.lower()]
    for header in cursor_headers[:1]:
        leads_on = yield from _leads_on(first_page, first_page.header(header) or "", header)
        if leads_on:
            return refuted(
                f"the header that leads to another record is {shown([header])}",
                cursor_header=header,
            )
    several = yield _operations(context)
    if len(listed(several)) > len(listed(first_page)):
        return refuted("there are more records, and no header names the next page")
    return untold("there are no more records, so no page follows")


def _leads_on(first: Page, token: str, header: str) -> Generator[Request, Page, bool]:
    """Follow a cursor, past one page that is empty; return whether it leads to another record."""
    following = yield first.request.with_params(cursor=token)
    next_token = following.header(header)
    if not listed(following) and next_token:
        following = yield first.request.with_params(cursor=next_token)
    return bool(_ids(following)) and _ids(following) != _ids(first)


def _honours_limit(context: Context) -> Reads:
    page = yield _events(context, "confirm", _MANY)
    names_next = page.header(_NEXT_CURSOR) or page.header(_NEXT_LINK)
    return honours_size(page, listed(page), _MANY, more=bool(names_next), name="limit")


def _newest_first(context: Context) -> Reads:
    page = yield _operations(context)
    return is_sorted((operation.get("created_at") for operation in listed(page)), descending=True)


def _times_have_zone(context: Context) -> Reads:
    page = yield _operations(context)
    event_page = yield _events(context, "update")
    times = []
    for record in [*listed(page), *listed(event_page)]:
        times += [record.get("occurred_at"), record.get("timestamp"), record.get("created_at")]
    return have_zone(times)


def _edges_belong(context: Context) -> Reads:
    page = yield _operations(context)
    known_times = [moment for moment in _created(page) if moment is not None]
    if not known_times:
        return untold("no upload that was looked at has a time")
    # from the middle: records are on both sides of it, which the period must keep away
    middle = known_times[len(known_times) // 2]
    at_edge = yield _operations(context).with_params(**{"from": iso(middle), "to": iso(middle)})
    came_at_edge = _created(at_edge)
    if {*came_at_edge} - {middle}:
        return refuted("records outside of from and to came: the period is not looked at")
    if came_at_edge:
        return confirmed("a record of the second that from and to name comes")
    around_edge = yield _operations(context).with_params(
        **{"from": iso(middle - 1), "to": iso(middle + 1)}
    )
    if listed(around_edge):
        return refuted(
            "a record of the second that from and to name does not come; a second more brings it"
        )
    return refuted("a record does not come with from and to around its second")


def _created(page: Page) -> list[int | None]:
    return [unix_seconds(operation.get("created_at")) for operation in listed(page)]


def _event_fields(context: Context) -> Reads:
    page = yield _events(context, "update")
    return has_fields(listed(page), ("id",), ("type",), ("created_at",), ("contact",))


def _consents_are_read(context: Context) -> Reads:
    page = yield _events(context, "update")
    contacts = _contacts(page)
    answers = 0
    unread = 0
    for contact in contacts:
        for statement in statements(json.dumps(contact)):
            answers += statement["answer"] is not None
            unread += statement["unread"] is not None
    if unread:
        return refuted(f"{unread:,} of {unread + answers:,} consents are no yes and no no")
    held_consents = _consents_of_sections(contacts)
    if not held_consents and not answers:
        return untold("no event that was looked at holds a consent")
    of_other_shape = [consents for consents in held_consents if not _is_by_channel(consents)]
    if of_other_shape:
        return refuted(
            f"{len(of_other_shape):,} of {len(held_consents):,} sections hold consents in another shape"
        )
    if not held_consents:
        return refuted(f"{answers:,} consents stand elsewhere than in the consents of a section")
    return confirmed(f"{answers:,} consents looked at")


def _consents_of_sections(contacts: Iterable[dict[str, Any]]) -> list[object]:
    """Return what stands under the only name for consents that the vendor's examples have."""
    held_consents = []
    for contact in contacts:
        for section_name in ("section_work", "section_private"):
            section = contact.get(section_name)
            if isinstance(section, dict) and section.get("consents"):
                held_consents.append(section["consents"])
    return held_consents


def _is_by_channel(consents: object) -> bool:
    """Whether they are an object of answers, or of answers for each purpose: ``{"email": {"offers": true}}``."""
    if not isinstance(consents, dict):
        return False
    return all(
        str(answer).lower() in WORDS or _is_by_channel(answer) for answer in consents.values()
    )


def _knows_documentation(context: Context) -> Reads:
    try:
        page = yield _events(context, "documentation")
    except ApiError as error:
        return refuted(f"it is refused: HTTP {error.status}")
    if not listed(page):
        return untold("it is not refused, and no such event came")
    # the empty event passes every filter, and has no type
    kinds = {str(event.get("type")) for event in listed(page) if event}
    if kinds - {"documentation"}:
        return refuted("events of other types come as well")
    return confirmed(f"{len(listed(page)):,} events came, of that type only")


def _some_are_there(path: str, ids: Iterable[str]) -> Any:
    """Ask for some records by their ids; return whether any of them is there."""
    for record_id in ids:
        try:
            yield Request(path=fill_path(path, id=record_id))
        except NotFoundError:
            continue
        return True
    return False


def _ids(page: Page) -> list[object]:
    return [record.get("id") for record in listed(page)]


PROBES = (
    Probe(
        name="paths",
        assumption="operations, events and employees are at the paths that their names suggest",
        source=NOWHERE,
        if_wrong="nothing of what answers 404 comes: ask the vendor for the path, and give it as "
        "events_path, operations_path or employee_path in facts",
        reads=_are_guessed,
        max_requests=4,
    ),
    Probe(
        name="envelope",
        assumption="an answer is the list itself",
        source="the vendor's document",
        if_wrong="the list is looked for under usual names, and a note of the fetch says where it "
        "was",
        reads=_is_bare,
        max_requests=1,
    ),
    Probe(
        name="cursor",
        assumption="the header Next-Cursor names the next page, as Next-Link does",
        source="the vendor's document",
        if_wrong="without either of them only the first page of a list comes, and what its last "
        "time leads to",
        reads=_names_cursor,
        max_requests=4,
        fact="cursor_header",
    ),
    Probe(
        name="page_size",
        assumption="limit says how many records a page holds",
        source="the vendor's document",
        if_wrong="pages are larger or smaller than asked for; lists are read to the end all the "
        "same",
        reads=_honours_limit,
        max_requests=1,
        fact="page_size",
    ),
    Probe(
        name="order",
        assumption="operations come newest first",
        source="the vendor's document",
        if_wrong="lists are cut into slices of time by another guess: more requests, and nothing "
        "is lost",
        reads=_newest_first,
        max_requests=1,
    ),
    Probe(
        name="time_zone",
        assumption="times say their zone",
        source="the vendor's document, by its examples",
        if_wrong="times without a zone are misfits: name the zone that they are of, such as "
        'facts={"time_zone": "Europe/Berlin"}',
        reads=_times_have_zone,
        max_requests=2,
        fact="time_zone",
    ),
    Probe(
        name="edges",
        assumption="from and to include the second that they name",
        source=NOWHERE,
        if_wrong="a second more is asked for on both sides, so nothing is lost unless the period "
        "is not looked at: then a fetch with since reads everything, and chooses among what came",
        reads=_edges_belong,
        max_requests=3,
    ),
    Probe(
        name="event",
        assumption="an event has id, type, created_at and contact",
        source=NOWHERE,
        if_wrong="event_id, occurred_at and timestamp are read as well; what stands under any "
        "other name is in no column",
        reads=_event_fields,
        max_requests=1,
    ),
    Probe(
        name="consents",
        assumption="the consents of a section are a yes or no for each channel",
        source=NOWHERE,
        if_wrong="lists of them and consents elsewhere are read as well; what is no yes and no no "
        "decides nothing, and is a misfit",
        reads=_consents_are_read,
        max_requests=1,
    ),
    Probe(
        name="documentation",
        assumption="documentation is a type that events can be asked for by",
        source="one page of the vendor's document; another names update and confirm only",
        if_wrong="no documentation of consents comes; whether there is one is said by the other "
        "events",
        reads=_knows_documentation,
        max_requests=1,
    ),
)
