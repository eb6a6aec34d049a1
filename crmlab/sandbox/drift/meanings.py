"""Answers that mean something else than documented: order, edges of a period, whose records, words, shapes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from aiohttp import web

from crmlab.sandbox.drift.exchange import Asked, Difference, Given
from crmlab.sandbox.service import Record, iso

#: how far a service's clock may be from the one that its document names
_AHEAD = dt.timedelta(hours=3)
_OTHER_ORDER = {"asc": "desc", "desc": "asc"}
_OTHER_WORDS = {
    "unsubscribe": "unsubscribed",
    "complaint": "complained",
    "complain": "complained",
    "hardbounce": "hardbounced",
    "confirm": "confirmed",
    "subscribe": "subscribed",
}
#: fields that no document is sure of
_OTHER_NAMES = {"contact": "person", "dt_modified": "dt_updated", "full_name": "name"}
#: paths that are guessed from the names of what stands there
_GUESSED = ("/employees", "/resources/list", "/users")
_TIME_OF_EVENT = "datetime"


def _ask_for_other_order(asked: Asked) -> None:
    order = asked.get("order")
    if order in _OTHER_ORDER:
        asked.marks.add("order")
        asked.put("order", _OTHER_ORDER[order])


def _other_order(asked: Asked, given: Given) -> None:
    """Turn a page round, where the service did not turn the list."""
    if given.items and "order" not in asked.marks:
        given.items = given.items[::-1]


# ---- periods ------------------------------------------------------------------------------------


def _exclusive(asked: Asked) -> None:
    """Leave out what lies on an edge: a second of a time, a day of a date."""
    for first, last in asked.service.edges:
        _move(asked, first, 1)
        _move(asked, last, -1)


def _move(asked: Asked, name: str, units: int) -> None:
    value = asked.get(name)
    if not value:
        return
    if value.isdecimal():
        asked.put(name, int(value) + units)
        return
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:  # the service refuses it
        return
    if moment.tzinfo is None:
        moved_day = moment.date() + dt.timedelta(days=units)
        asked.put(name, moved_day.isoformat())
        return
    moved_time = moment + dt.timedelta(seconds=units)
    asked.put(name, iso(moved_time) or "")


def _no_since(asked: Asked) -> None:
    """Give what is older, and newer, too."""
    for edge in asked.service.edges:
        for name in edge:
            asked.drop(name)


def _since_by_creation(asked: Asked) -> None:
    """Choose what was created in a period, where what was changed in it is asked for."""
    for name, of_any_time in (("modified_since", "since"), ("unmodified_since", "until")):
        if asked.get(name):
            asked.put(of_any_time, asked.get(name))
            asked.drop(name)
    asks_for_changes = asked.get("since") or asked.get("until")
    if asks_for_changes and not asked.get("date_filter"):
        asked.put("date_filter", "created_at")


def _ahead(asked: Asked, given: Given) -> None:
    for record in given.records:
        if _TIME_OF_EVENT in record:
            moment = dt.datetime.fromisoformat(record[_TIME_OF_EVENT]) + _AHEAD
            record[_TIME_OF_EVENT] = iso(moment)


# ---- whose records ------------------------------------------------------------------------------


def _everybody(asked: Asked) -> None:
    """Give everybody's contacts, whether they are asked for or not."""
    if asked.path.startswith("/contacts"):
        asked.put("team", "true")


def _only_mine(asked: Asked) -> None:
    """Give one's own contacts only, whoever asks for those of the team."""
    asked.drop("team")


# ---- shapes and words ---------------------------------------------------------------------------


def _other_event(asked: Asked, given: Given) -> None:
    """Call the parts of an event otherwise, and list consents in the place of an object of them."""
    for record in given.records:
        contact = record.get("contact")
        if "type" not in record or not isinstance(contact, dict):
            continue
        record["event_id"] = record.pop("id")
        record["occurred_at"] = record.pop("created_at")
        for name in ("section_work", "section_private"):
            consents = _consents_in(contact.get(name))
            if consents is not None:
                contact[name]["consents"] = list(_listed(consents))


def _consents_in(section: object) -> Record | None:
    """Return the consents of a section of a contact, where it holds an object of them."""
    if not isinstance(section, dict):
        return None
    consents = section.get("consents")
    return consents if isinstance(consents, dict) else None


def _listed(consents: Record) -> Iterable[Record]:
    for channel, granted in consents.items():
        if isinstance(granted, bool):
            yield {"channel": channel, "granted": granted}
        elif isinstance(granted, dict):
            for purpose, value in granted.items():
                yield {"channel": channel, "purpose": purpose, "granted": value}


def _unclear_consents(asked: Asked, given: Given) -> None:
    """Let each consent of every tenth event be neither a yes nor a no."""
    for record in list(given.records)[::10]:
        contact = record.get("contact")
        sections = contact.values() if isinstance(contact, dict) else ()
        for section in sections:
            consents = _consents_in(section)
            if consents is not None:
                section["consents"] = dict.fromkeys(consents, "to be asked")


def _no_documentation(asked: Asked) -> web.Response | None:
    """Know the types that are documented twice, and no other."""
    return asked.service.refusal(400) if asked.get("type") == "documentation" else None


def _other_names(asked: Asked, given: Given) -> None:
    for record in given.records:
        is_contact_of_list = "next_actions" in record
        if is_contact_of_list:  # there the name is that of a documented wrapper
            continue
        for name in _OTHER_NAMES.keys() & record.keys():
            record[_OTHER_NAMES[name]] = record.pop(name)


def _listed_addresses(asked: Asked, given: Given) -> None:
    for record in given.records:
        if isinstance(record.get("emails"), str):
            record["emails"] = record["emails"].replace(";", ", ")


def _moved(asked: Asked) -> web.Response | None:
    """Refuse paths that no document names."""
    return asked.service.refusal(404) if asked.path.startswith(_GUESSED) else None


def _other_words(asked: Asked, given: Given) -> None:
    for record in given.records:
        action = record.get("action")
        if "event_id" in record and action in _OTHER_WORDS:
            record["action"] = _OTHER_WORDS[action]


def _other_columns(asked: Asked, given: Given) -> None:
    """Turn the columns of a dataset round, with their names."""
    for record in given.records:
        attributes = record.get("attributes")
        if isinstance(attributes, dict) and "datasets" in attributes:
            turned_rows = []
            for first, *others in attributes["datasets"]:
                turned_rows.append([first, *reversed(others)])
            attributes["datasets"] = turned_rows


def _errors_too(asked: Asked, given: Given) -> None:
    """Say beside the data of a JSON:API answer that something is not in it."""
    is_json_api = "vnd.api+json" in given.headers.get("Content-Type", "")
    if is_json_api and isinstance(given.data, dict) and given.items:
        given.data["errors"] = [{"code": "PARTIAL", "detail": "Some objects could not be read"}]


DIFFERENCES = (
    Difference(
        name="order",
        doc="lists are in the other order",
        ask=_ask_for_other_order,
        give=_other_order,
    ),
    Difference(
        name="exclusive_edges",
        doc="what lies on an edge of a period does not belong to it",
        ask=_exclusive,
    ),
    Difference(name="no_since", doc="filters of time are ignored", ask=_no_since, apart=True),
    Difference(
        name="since_by_creation",
        doc="filters of time look at when a record was created, not at when it was changed",
        ask=_since_by_creation,
        apart=True,
    ),
    Difference(
        name="local_times",
        doc="times of the mail history are three hours ahead of UTC, and say Z all the same",
        give=_ahead,
    ),
    Difference(
        name="team",
        doc="everybody's contacts come, whether they are asked for or not",
        ask=_everybody,
    ),
    Difference(
        name="only_mine",
        doc="one's own contacts come, whoever asks for all",
        ask=_only_mine,
        apart=True,
    ),
    Difference(
        name="event_shape",
        doc="the parts of a consent event have other names, and its consents are a list",
        give=_other_event,
    ),
    Difference(
        name="unclear_consents",
        doc="consents of every tenth event are neither a yes nor a no",
        give=_unclear_consents,
    ),
    Difference(
        name="no_documentation",
        doc="events cannot be asked for by the type documentation",
        ask=_no_documentation,
    ),
    Difference(
        name="addresses",
        doc="several addresses in one text are joined by commas",
        give=_listed_addresses,
    ),
    Difference(
        name="field_names",
        doc=f"fields have other names: {', '.join(f'{new} for {old}' for old, new in _OTHER_NAMES.items())}",
        give=_other_names,
        apart=True,
    ),
    Difference(
        name="moved_paths",
        doc="what stands at a path that no document names is somewhere else",
        ask=_moved,
    ),
    Difference(
        name="action_words",
        doc="actions of the mail history have the names of states",
        give=_other_words,
    ),
    Difference(
        name="dataset_columns",
        doc="the columns of delivery trends are in another order",
        give=_other_columns,
    ),
    Difference(
        name="errors_too",
        doc="JSON:API answers hold errors beside their data",
        give=_errors_too,
        apart=True,
    ),
)
