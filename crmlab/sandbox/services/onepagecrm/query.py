"""What the query of a request asks of OnePageCRM's lists: filters, periods, and the order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from crmlab.sandbox.service import Records
from crmlab.sandbox.services.onepagecrm.derived import Entry
from crmlab.sandbox.services.onepagecrm.filters import (
    CREATED,
    Contacts,
    Deals,
    Filter,
    Relationships,
    Value,
    any_holds,
    assigned,
    begins,
    digits,
    has,
    holds,
    of_person,
    switched,
    variants,
)
from crmlab.sandbox.services.onepagecrm.index import Index
from crmlab.sandbox.world.model import Action, Deal, Person, World

_Query = Mapping[str, str]
_TIMES: dict[str, Value] = {**CREATED, "updated_at": attrgetter("modified_at")}
_DATE: dict[str, Value] = {"date": attrgetter("date")}
_DEAL_DATES: dict[str, Value] = {
    "date": lambda deal: deal.created_at.date(),
    "close_date": attrgetter("close_date"),
    "expected_close_date": attrgetter("expected_close_date"),
}
#: lists that take a period, with the times that it can be of
_PERIODS: dict[str, dict[str, Value]] = {
    "contacts": _TIMES,
    "deals": _TIMES | _DEAL_DATES,
    "actions": _TIMES | _DATE | {"close_date": attrgetter("done_at")},
    "notes": _TIMES | _DATE,
    "calls": _TIMES | {"call_time": attrgetter("at")},
    "meetings": _TIMES | {"meeting_time": attrgetter("at")},
    "relationship_types": _TIMES,
    "relationships": _TIMES,
}
#: lists of contacts in another order: by what is to be done next
STREAMS = ("action_stream", "team_stream")
_PERIODS |= dict.fromkeys(STREAMS, _TIMES)
#: parameters that are either true or false
_SWITCHES = frozenset(
    (
        "team", "starred", "pending_deal", "action_stream", "has_actions", "has_actions_for_me", "has_actions_today",
        "waiting", "done", "symmetrical", "include_history",
    )
)  # fmt: skip
#: what is to be done comes first by its status, then by its day
_URGENCY = ("asap", "date_time", "date", "waiting", "queued_with_date", "queued")
_FIELD_ORDERS: dict[str, Value] = dict.fromkeys(
    ("created_at", "modified_at", "updated_at", "position"), lambda _: 0
)
_DEFINITIONS = ("custom_fields", "company_fields", "deal_fields")
_ACTION_FILTERS: dict[str, Filter] = {
    "assignee_id": has("assignee_id"),
    "status": has("status"),
    "done": switched(attrgetter("done")),
}
_COMPANY_FILTERS: dict[str, Filter] = {
    "name": lambda company, value: holds(company.name, value),
    "phone": lambda company, value: digits(value) in digits(company.phone or ""),
    "letter": lambda company, value: begins(company.name, value),
}


class BadValue(Exception):
    """A parameter that the service refuses."""


class Queries:
    """Answers the queries of a world's lists."""

    def __init__(self, world: World, index: Index) -> None:
        self._index = index
        self._me = world.users[0].id if world.users else ""
        contacts = Contacts(index, self._me, world.now.date())
        self._filters = self._filters_with(contacts.filters())
        self._orders = _orders_with(contacts.orders(), index)

    def _filters_with(self, contacts: Mapping[str, Filter]) -> dict[str, Mapping[str, Filter]]:
        """Return by list what each parameter keeps of it, with the filters of contacts."""
        in_filter: dict[str, Filter] = {**contacts, "filter_id": self._is_in_filter}
        stream: dict[str, Filter] = {**in_filter, "user_id": self._is_of_user}
        of_contact: dict[str, Filter] = {
            "contact_id": has("contact_id"),
            "company_id": self._is_of_company,
        }
        deals: dict[str, Filter] = {
            **of_contact,
            **Deals(self._index).filters(),
            "filter_id": self._has_contact_in_filter,
        }
        return {
            "contacts": in_filter,
            **dict.fromkeys(STREAMS, stream),
            "deals": deals,
            "actions": {**of_contact, **_ACTION_FILTERS},
            "notes": of_contact,
            "calls": of_contact,
            "meetings": of_contact,
            "companies": _COMPANY_FILTERS,
            "relationship_types": {
                "search": _has_variant,
                "symmetrical": switched(_is_symmetrical),
            },
            "relationships": Relationships(self._index).filters(),
            "linked_contacts": {"company_id": has("company_id")},
            "pinned_attachments": of_contact,
        }

    def answer(self, name: str, found: Records, query: _Query) -> Records:
        """Return what a query asks for of a list.

        Raises
        ------
        BadValue
            a value is none that is documented for this list
        """
        for switch in _SWITCHES & query.keys():
            if query[switch] not in ("true", "false"):
                raise BadValue(f"{switch} must be true or false")
        if name == "contacts" and query.get("team") != "true":
            found = found.of("owner_id", self._me)
        if name in STREAMS:
            found = self._stream(name, found)
        if name == "pinned_attachments":
            pinned_at = attrgetter("pinned_at")
            found = found.where(pinned_at).ordered(pinned_at, reverse=True)
        for parameter, keep in self._filters.get(name, {}).items():
            if query.get(parameter):
                found = found.where(_asked(keep, query[parameter]))
        for time_of, since, until in _periods(_PERIODS.get(name), query):
            if since is not None or until is not None:
                found = found.where(_between(time_of, since, until))
        return _sorted(found, self._orders.get(name, {}), query)

    def matching(self, filter: Entry, found: Records) -> Records:
        """Return the contacts that a saved filter matches, in the order of the action stream."""
        matching = found.where(lambda person: self._matches(person, filter))
        return matching.ordered(lambda person: self._urgency(self._actions(person)))

    def _actions(self, person: Person) -> list[Action]:
        return self._index.actions.get(person.id, [])

    def _stream(self, name: str, found: Records) -> Records:
        """Return the contacts with something to do, the most urgent first."""

        def actions(person: Person) -> list[Action]:
            of_anybody = self._actions(person)
            if name == "team_stream":
                return of_anybody
            return assigned(of_anybody, self._me)

        with_actions = found.where(lambda person: bool(actions(person)))
        return with_actions.ordered(lambda person: self._urgency(actions(person)))

    def _urgency(self, actions: Iterable[Action]) -> tuple[int, dt.date]:
        most_urgent = (len(_URGENCY), dt.date.max)
        for action in actions:
            # what is done, or has a status of its own, is not urgent at all
            if action.status in _URGENCY:
                rank = _URGENCY.index(action.status)
                day = action.date or dt.date.max
                most_urgent = min(most_urgent, (rank, day))
        return most_urgent

    def _is_of_company(self, item: Any, value: str) -> bool:
        person = self._index.people.get(item.contact_id)
        return person is not None and person.company_id == value

    def _is_of_user(self, person: Person, value: str) -> bool:
        of_user = assigned(self._actions(person), value)
        return bool(of_user)

    def _is_in_filter(self, person: Person, value: str) -> bool:
        filter = self._index.by_id("filters").get(value)
        if filter is None:
            raise BadValue("filter_id is not known")
        return self._matches(person, filter)

    def _has_contact_in_filter(self, deal: Deal, value: str) -> bool:
        person = self._index.people.get(deal.contact_id)
        return person is not None and self._is_in_filter(person, value)

    def _matches(self, person: Person, filter: Entry) -> bool:
        for parameter, _, value in filter.record["conditions"]:
            keep = self._filters["contacts"][parameter]
            if not keep(person, value):
                return False
        return True


def _orders_with(contacts: Mapping[str, Value], index: Index) -> Mapping[str, Mapping[str, Value]]:
    """Return by list what it can be sorted by, with the orders of contacts."""
    linked = {order_name: of_person(value, index) for order_name, value in contacts.items()}
    return {
        "contacts": contacts,
        **dict.fromkeys(STREAMS, contacts),
        "linked_contacts": linked,
        "relationship_types": CREATED,
        "relationships": CREATED,
        "deals": {**CREATED, **_DEAL_DATES},
        "actions": CREATED,
        "notes": {**_TIMES, **_DATE},
        "calls": _TIMES,
        "meetings": _TIMES,
        "companies": {**CREATED, "name": lambda company: company.name.casefold()},
        **dict.fromkeys(_DEFINITIONS, _FIELD_ORDERS),
    }


def _has_variant(kind: Entry, value: str) -> bool:
    names = [variant["name"] for variant in variants(kind)]
    return any_holds(names, value)


def _is_symmetrical(kind: Entry) -> Any:
    return kind.record["symmetrical"]


def _asked(keep: Filter, value: str) -> Callable[[Any], bool]:
    # bound here, once for each parameter: a lambda in the loop would see the last one only
    return lambda item: keep(item, value)


# ---- periods ------------------------------------------------------------------------------------


def _periods(
    known: Mapping[str, Value] | None, query: _Query
) -> Iterable[tuple[Value, dt.datetime | None, dt.datetime | None]]:
    """Yield which time of a record lies between which edges; a list without times looks at none."""
    if known is None:
        return
    modified = (_moment("modified_since", query), _moment("unmodified_since", query))
    asked_period = (_moment("since", query), _moment("until", query))
    time_field = query.get("date_filter", "")
    if time_field and time_field not in known:
        raise BadValue(f"date_filter {time_field} is not supported")
    if time_field and modified != (None, None):
        raise BadValue("date_filter cannot be used with modified_since or unmodified_since")
    yield known["modified_at"], *modified
    yield known[time_field or "modified_at"], *asked_period


def _moment(name: str, query: _Query) -> dt.datetime | None:
    value = query.get(name)
    if value is None:
        return None
    try:
        if value.lstrip("-").isdigit():
            return dt.datetime.fromtimestamp(int(value), dt.UTC)
        return dt.datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise BadValue(f"{name} must be YYYY-MM-DD or a Unix timestamp") from None


def _between(
    value: Value, since: dt.datetime | None, until: dt.datetime | None
) -> Callable[[Any], bool]:
    def is_within(item: Any) -> bool:
        moment = value(item)
        if moment is None:
            return False
        if not isinstance(moment, dt.datetime):  # a day is taken from its begin
            moment = dt.datetime.combine(moment, dt.time(), dt.UTC)
        is_before = since is not None and moment < since
        is_after = until is not None and moment > until
        return not is_before and not is_after

    return is_within


# ---- order --------------------------------------------------------------------------------------


def _sorted(found: Records, known: Mapping[str, Value], query: _Query) -> Records:
    sort_field = query.get("sort_by", "")
    order = query.get("order", "asc")
    if sort_field and known and sort_field not in known:
        raise BadValue(f"sort_by {sort_field} is not supported")
    if order not in ("asc", "desc"):
        raise BadValue("order must be asc or desc")
    if sort_field not in known:
        return found
    value_of = known[sort_field]
    is_descending = order == "desc"
    return found.ordered(lambda item: _absent_last(value_of(item)), reverse=is_descending)


def _absent_last(value: Any) -> tuple[bool, Any]:
    # None cannot be compared with what others have: the text is only ever compared with itself
    if value is None:
        return (True, "")
    return (False, value)
