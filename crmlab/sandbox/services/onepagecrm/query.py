"""What the query of a request asks of OnePageCRM's lists: filters, periods, and the order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from crmlab.sandbox.service import Records
from crmlab.sandbox.services.onepagecrm.records import Index
from crmlab.sandbox.world.model import Deal, Person, World

_Query = Mapping[str, str]
#: whether a record is what a value asks for
_Filter = Callable[[Any, str], bool]
_Value = Callable[[Any], Any]

_CREATED: dict[str, _Value] = {"created_at": attrgetter("created_at"), "modified_at": attrgetter("modified_at")}
_TIMES: dict[str, _Value] = {**_CREATED, "updated_at": attrgetter("modified_at")}
_DATE: dict[str, _Value] = {"date": attrgetter("date")}
_DEAL_DATES: dict[str, _Value] = {
    "date": lambda deal: deal.created_at.date(),
    "close_date": attrgetter("close_date"),
    "expected_close_date": attrgetter("expected_close_date"),
}
#: lists that take a period, with the times that it can be of
_PERIODS: dict[str, dict[str, _Value]] = {
    "contacts": _TIMES,
    "deals": _TIMES | _DEAL_DATES,
    "actions": _TIMES | _DATE | {"close_date": attrgetter("done_at")},
    "notes": _TIMES | _DATE,
    "calls": _TIMES | {"call_time": attrgetter("at")},
    "meetings": _TIMES | {"meeting_time": attrgetter("at")},
}
_FIELD_ORDERS: dict[str, _Value] = dict.fromkeys(("created_at", "modified_at", "updated_at", "position"), lambda _: 0)
_DEFINITIONS = ("custom_fields", "company_fields", "deal_fields")
_CLOSED = ("won", "lost")


class BadValue(Exception):
    """A parameter that the service refuses."""


class Queries:
    """Answers the queries of a world's lists."""

    def __init__(self, world: World, index: Index) -> None:
        me = world.users[0].id if world.users else ""
        company_of = {person.id: person.company_id for person in index.people.values()}
        self._me = me
        contacts = _Contacts(index, me, world.now.date())
        deals = _Deals(index)
        of_contact: dict[str, _Filter] = {
            "contact_id": lambda item, value: item.contact_id == value,
            "company_id": lambda item, value: company_of.get(item.contact_id) == value,
        }
        self._filters: dict[str, Mapping[str, _Filter]] = {
            "contacts": contacts.filters(),
            "deals": {**of_contact, **deals.filters()},
            "actions": {
                **of_contact,
                "assignee_id": lambda action, value: action.assignee_id == value,
                "status": lambda action, value: action.status == value,
                "done": lambda action, value: action.done == _is_true(value),
            },
            "notes": of_contact,
            "calls": of_contact,
            "meetings": of_contact,
            "companies": {
                "name": lambda company, value: _holds(company.name, value),
                "phone": lambda company, value: _digits(value) in _digits(company.phone or ""),
                "letter": lambda company, value: _begins(company.name, value),
            },
        }
        self._orders: dict[str, Mapping[str, _Value]] = {
            "contacts": {**_CREATED, **contacts.orders()},
            "deals": {**_CREATED, **_DEAL_DATES},
            "actions": _CREATED,
            "notes": {**_TIMES, **_DATE},
            "calls": _TIMES,
            "meetings": _TIMES,
            "companies": {**_CREATED, "name": lambda company: company.name.casefold()},
            **dict.fromkeys(_DEFINITIONS, _FIELD_ORDERS),
        }

    def answer(self, name: str, found: Records, query: _Query) -> Records:
        """Return what a query asks for of a list.

        Raises
        ------
        BadValue
            a value is none that is documented for this list
        """
        if name == "contacts" and query.get("team") != "true":
            found = found.of("owner_id", self._me)
        for param, keep in self._filters.get(name, {}).items():
            if query.get(param):
                found = found.where(_asked(keep, query[param]))
        for value, since, until in _periods(_PERIODS.get(name), query):
            if since is not None or until is not None:
                found = found.where(_between(value, since, until))
        return _sorted(found, self._orders.get(name, {}), query)


class _Contacts:
    """What contacts can be asked for by."""

    def __init__(self, index: Index, me: str, today: dt.date) -> None:
        self._index = index
        self._me = me
        self._today = today

    def filters(self) -> dict[str, _Filter]:
        return {
            "owner_id": lambda person, value: person.owner_id == value,
            "company_id": lambda person, value: person.company_id == value,
            "not_linked_with": lambda person, value: person.company_id != value,
            "status_id": lambda person, value: self._status(person) == value,
            "lead_source": lambda person, value: value in (person.lead_source_id, self._source(person)),
            "lead_source_id": lambda person, value: person.lead_source_id == value,
            "tag": lambda person, value: value in person.tags,
            "email": lambda person, value: value.casefold() in map(str.casefold, person.emails),
            "phone": lambda person, value: any(_digits(value) in _digits(phone) for phone in person.phones),
            "url": lambda person, value: _holds(self._url(person), value),
            "letter": lambda person, value: _begins(person.last_name or self._company(person), value),
            "search": self._is_searched,
            "starred": lambda person, value: person.starred == _is_true(value),
            "pending_deal": lambda person, value: self._has_pending(person) == _is_true(value),
            "action_stream": lambda person, value: bool(self._actions(person)) == _is_true(value),
            "has_actions": lambda person, value: self._is_mine_with(person) == _is_true(value),
            "has_actions_for_me": lambda person, value: self._is_mine_with(person, mine=True) == _is_true(value),
            "has_actions_today": lambda person, value: self._has_one_today(person) == _is_true(value),
            "waiting": lambda person, value: self._is_waiting(person) == _is_true(value),
        }

    def orders(self) -> dict[str, _Value]:
        return {
            "first_name": lambda person: person.first_name.casefold(),
            "last_name": lambda person: person.last_name.casefold(),
            "name": lambda person: person.full_name.casefold(),
            "company_name": lambda person: self._company(person).casefold(),
        }

    def _status(self, person: Person) -> str:
        status = self._index.statuses.get(person.status_key)
        return status.id if status else ""

    def _source(self, person: Person) -> str:
        return self._index.sources.get(person.lead_source_id or "", "")

    def _company(self, person: Person) -> str:
        company = self._index.companies.get(person.company_id or "")
        return company.name if company else ""

    def _url(self, person: Person) -> str:
        company = self._index.companies.get(person.company_id or "")
        return (company and company.url) or ""

    def _actions(self, person: Person) -> list[Any]:
        return self._index.actions.get(person.id, [])

    def _is_searched(self, person: Person, value: str) -> bool:
        if _holds(person.full_name, value) or _holds(self._company(person), value):
            return True
        return bool(_digits(value)) and any(_digits(value) in _digits(phone) for phone in person.phones)

    def _has_pending(self, person: Person) -> bool:
        return any(deal.status == "pending" for deal in self._index.deals_of.get(person.id, []))

    def _is_mine_with(self, person: Person, *, mine: bool = False) -> bool:
        """Whether a contact of the caller has actions, of anybody or of the caller."""
        actions = [each for each in self._actions(person) if not mine or each.assignee_id == self._me]
        return person.owner_id == self._me and bool(actions)

    def _has_one_today(self, person: Person) -> bool:
        mine = [each for each in self._actions(person) if each.assignee_id == self._me]
        return person.owner_id == self._me and any(each.date == self._today for each in mine)

    def _is_waiting(self, person: Person) -> bool:
        mine = [each for each in self._actions(person) if each.assignee_id == self._me]
        return any(each.status == "waiting" for each in mine)


class _Deals:
    """What deals can be asked for by."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def filters(self) -> dict[str, _Filter]:
        return {
            "owner_id": lambda deal, value: deal.owner_id == value,
            "company_id": lambda deal, value: deal.company_id == value,
            "pipeline_id": lambda deal, value: deal.pipeline_id == value,
            "sales_pipeline_id": lambda deal, value: deal.pipeline_id == value,
            "status": _has_status,
            "stage": lambda deal, value: deal.status == "pending" and str(deal.stage) == value,
            "name": lambda deal, value: _holds(deal.name, value),
            "search": self._is_searched,
            "tag": lambda deal, value: value in self._index.people[deal.contact_id].tags,
        }

    def _is_searched(self, deal: Deal, value: str) -> bool:
        company = self._index.companies.get(deal.company_id or "")
        names = [deal.name, self._index.people[deal.contact_id].full_name, company.name if company else ""]
        return any(_holds(name, value) for name in names)


def _has_status(deal: Deal, value: str) -> bool:
    return deal.status in _CLOSED if value == "closed" else deal.status == value


def _asked(keep: _Filter, value: str) -> Callable[[Any], bool]:
    return lambda item: keep(item, value)


def _is_true(value: str) -> bool:
    return value == "true"


def _holds(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


def _begins(text: str, letter: str) -> bool:
    return text.casefold().startswith(letter.casefold())


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


# ---- periods ------------------------------------------------------------------------------------


def _periods(
    known: Mapping[str, _Value] | None, query: _Query
) -> Iterable[tuple[_Value, dt.datetime | None, dt.datetime | None]]:
    """Yield which time of a record lies between which edges; a list without times looks at none."""
    if known is None:
        return
    modified = (_moment("modified_since", query), _moment("unmodified_since", query))
    asked = (_moment("since", query), _moment("until", query))
    by = query.get("date_filter", "")
    if by and by not in known:
        raise BadValue(f"date_filter {by} is not supported")
    if by and modified != (None, None):
        raise BadValue("date_filter cannot be used with modified_since or unmodified_since")
    yield known["modified_at"], *modified
    yield known[by or "modified_at"], *asked


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


def _between(value: _Value, since: dt.datetime | None, until: dt.datetime | None) -> Callable[[Any], bool]:
    def is_within(item: Any) -> bool:
        moment = value(item)
        if moment is None:
            return False
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime.combine(moment, dt.time(), dt.UTC)
        return (since is None or moment >= since) and (until is None or moment <= until)

    return is_within


# ---- order --------------------------------------------------------------------------------------


def _sorted(found: Records, known: Mapping[str, _Value], query: _Query) -> Records:
    by = query.get("sort_by", "")
    order = query.get("order", "asc")
    if by and known and by not in known:
        raise BadValue(f"sort_by {by} is not supported")
    if order not in ("asc", "desc"):
        raise BadValue("order must be asc or desc")
    if by not in known:
        return found
    return found.ordered(lambda item: _absent_last(known[by](item)), reverse=order == "desc")


def _absent_last(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else value)
