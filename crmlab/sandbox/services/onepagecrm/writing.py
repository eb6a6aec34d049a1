"""What is written to OnePageCRM's lists, so that later reads show it; the world itself stays as it is."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any

from crmlab.sandbox.service import Record, Records
from crmlab.sandbox.services.onepagecrm.derived import Entry
from crmlab.sandbox.services.onepagecrm.records import Renderers
from crmlab.sandbox.world.model import (
    Action,
    Call,
    CustomField,
    LeadSource,
    Meeting,
    Note,
    Status,
    World,
    object_id,
)

#: the values of a record by name, as they are sent
Values = Mapping[str, Any]
#: what tells the ids of what was written from those of the world
_WRITTEN = 0xC0FFEE
#: seconds since 1970
_UNIX = ("at", "exact_time")
#: fields of a body that are no part of the record, and those that only the service can write
_NOT_KEPT = ("user_ids_to_notify", "id", "created_at", "modified_at")
#: what a body cannot change of what the world has a place for
_READ_ONLY = frozenset({"id", "key", "entity", "created_at", "modified_at"})
#: lists whose records go with their contact, beside its relationships
_OF_CONTACTS = (
    "deals",
    "actions",
    "notes",
    "calls",
    "meetings",
    "attachments",
    "linked_contacts",
)
#: lists whose records may have files, which go with them
_WITH_FILES = ("notes", "calls", "meetings", "deals")


class Refused(Exception):
    """A write that the service refuses; `errors` says by field what is wrong."""

    def __init__(self, status: int, detail: str = "", **errors: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How the records of one list are written.

    `attributes` are the names that the world has for fields of the document, where it has others; a field that it has
    no place for stands beside. `required` must be given, and once more where an update `replaces` the record unless
    it is partial; `blank` is what a new record has of the fields that are not given, and `cleared` what such an
    update makes of them.
    """

    made_of: type
    attributes: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    blank: Values = field(default_factory=dict)
    cleared: Values = field(default_factory=dict)
    replaces: bool = False
    is_timed: bool = True


_FIELD: Record = {
    "made_of": CustomField,
    "attributes": {"name": "label"},
    "required": ("name", "type"),
    "is_timed": False,
}
_TEMPLATE: Record = {"made_of": Entry, "is_timed": False}
_CLEARED_ITEM: Record = {
    "description": "",
    "cost": 0.0,
    "price": 0.0,
}
KINDS: Mapping[str, Kind] = {
    "notes": Kind(
        made_of=Note,
        attributes={"linked_deal_id": "deal_id"},
        required=("contact_id", "text"),
        blank={"deal_id": None, "date": "today", "author": "me"},
    ),
    "calls": Kind(
        made_of=Call,
        attributes={"call_result": "result", "call_time_int": "at"},
        required=("contact_id",),
        blank={
            "text": "",
            "result": "other",
            "at": "now",
            "phone_number": None,
            "author": "me",
        },
    ),
    "meetings": Kind(
        made_of=Meeting,
        attributes={"meeting_time_int": "at"},
        required=("contact_id",),
        blank={
            "text": "",
            "place": "",
            "at": "now",
            "author": "me",
        },
    ),
    "actions": Kind(
        made_of=Action,
        required=("contact_id", "text"),
        blank={
            "assignee_id": "me",
            "status": "date",
            "date": "today",
            "exact_time": None,
            "done": False,
            "done_at": None,
        },
    ),
    "statuses": Kind(
        made_of=Status,
        attributes={"color": "colour"},
        required=("text", "color"),
        cleared={"description": ""},
        replaces=True,
        is_timed=False,
    ),
    "lead_sources": Kind(made_of=LeadSource, required=("text",), replaces=True, is_timed=False),
    "custom_fields": Kind(**_FIELD, blank={"entity": "contact", "choices": []}),
    "company_fields": Kind(**_FIELD, blank={"entity": "company", "choices": []}),
    "deal_fields": Kind(**_FIELD, blank={"entity": "deal", "choices": []}),
    "predefined_actions": Kind(**_TEMPLATE, required=("text", "days")),
    "predefined_action_groups": Kind(
        **_TEMPLATE, required=("text", "action_ids"), blank={"position": 0}
    ),
    "predefined_items": Kind(
        **_TEMPLATE,
        required=("name",),
        blank={**_CLEARED_ITEM, "position": 1},
        cleared=_CLEARED_ITEM,
        replaces=True,
    ),
    "predefined_item_groups": Kind(
        **_TEMPLATE, required=("name",), blank={"position": 1, "item_ids": []}
    ),
    "relationship_types": Kind(made_of=Entry, replaces=True),
    "relationships": Kind(
        made_of=Entry, required=("relationship_type_id", "related_contacts"), replaces=True
    ),
}


class Writing:
    """Changes the lists of one account, and forgets what was made of them before."""

    def __init__(
        self,
        world: World,
        lists: Mapping[str, Records],
        rendered: Renderers,
        written: dict[str, Record],
    ) -> None:
        self.lists = lists
        self.rendered = rendered
        self.index = rendered.index
        self.written = written
        #: what opens the service
        self.key = "sandbox-onepagecrm-key"
        self.me = world.users[0].id if world.users else ""
        self._began = world.now
        self._clock = world.clock
        self._numbers = count(1)
        #: by id, which status actions had before they were done
        self.before_done: dict[str, str] = {}
        #: what was deleted and may come back: by list and id, with what went with it
        self._deleted: dict[tuple[str, str], list[tuple[str, Any]]] = defaultdict(list)

    def now(self) -> dt.datetime:
        """Return the time, which is none before that of the world."""
        return max(self._began, self._clock().replace(microsecond=0))

    def new_id(self) -> str:
        """Return an id that nothing has."""
        return object_id(self.now(), _WRITTEN, next(self._numbers))

    def find(self, name: str, id: str) -> Any:
        """Return the record of a list that has this id.

        Raises
        ------
        Refused
            there is none
        """
        item = self.index.by_id(name).get(id)
        if item is None:
            raise Refused(404)
        return item

    def check_known(self, name: str, values: Values, parameter: str) -> None:
        """Refuse a body that names a record by an id which nothing has."""
        id = values.get(parameter)
        if id and id not in self.index.by_id(name):
            raise Refused(400, f"{parameter} is not known", **{parameter: "is not known"})

    # ---- records of any kind --------------------------------------------------------------------

    def create(self, name: str, values: Values) -> Any:
        """Add a record to a list, and return it."""
        writing_kind = KINDS[name]
        id = self.new_id()
        times = {}
        if writing_kind.is_timed:
            times = dict.fromkeys(("created_at", "modified_at"), self.now())
        if writing_kind.made_of is Entry:
            item: Any = Entry(
                id=id,
                record={**writing_kind.blank, **values},
                contact_ids=_contact_ids(values),
                **times,
            )
        else:
            world_values, beside_world = self._split(writing_kind, values)
            attributes = {
                **self._blank(writing_kind),
                **times,
                **world_values,
                **self._further(name, id),
            }
            item = writing_kind.made_of(id=id, **attributes)
            self.written[id] = beside_world
        self.lists[name].add(item)
        return item

    def update(self, name: str, id: str, values: Values, *, partial: bool = True) -> Any:
        """Change a record of a list, and return it as it is then; `partial` leaves alone what is not given."""
        writing_kind = KINDS[name]
        item = self.find(name, id)
        if not partial:
            values = {**writing_kind.cleared, **values}
        if writing_kind.made_of is Entry:
            record = {**item.record, **values}
            contact_ids = _contact_ids(values) or item.contact_ids
            return self.changed(name, item, record=record, contact_ids=contact_ids)
        world_values, beside_world = self._split(writing_kind, values)
        self.write_beside(id, **beside_world)
        return self.changed(name, item, **world_values)

    def changed(self, name: str, item: Any, /, **attributes: Any) -> Any:
        """Put a record with other attributes in the place of one, and return it."""
        if getattr(item, "modified_at", None):
            attributes = {"modified_at": self.now(), **attributes}
        new_item = replace(item, **attributes)
        self.lists[name].replace(item, new_item)
        return new_item

    def delete(self, name: str, id: str) -> None:
        """Take a record out of a list, with what belongs to it; `restore` brings it back."""
        item = self.find(name, id)
        with_belongings = [(name, item), *self._belonging(name, id)]
        for listed, belonging in with_belongings:
            self.lists[listed].remove(belonging)
        self._deleted[name, id] = with_belongings

    def restore(self, name: str, id: str) -> None:
        """Bring back what was deleted last under this id.

        Raises
        ------
        Refused
            nothing was
        """
        with_belongings = self._deleted.pop((name, id), None)
        if with_belongings is None:
            raise Refused(404)
        for listed, belonging in with_belongings:
            self.lists[listed].add(belonging)

    def write_beside(self, id: str, /, **values: Any) -> None:
        """Keep values of a record that the world has no place for."""
        before = self.written.get(id, {})
        self.written[id] = {**before, **values}

    def forget(self) -> None:
        """Let every list be made anew: records name and count those of other lists."""
        for records in self.lists.values():
            records.forget()

    # ---- what they are made of ------------------------------------------------------------------

    def _blank(self, kind: Kind) -> Record:
        """Return what a new record has of what is not given, without the words that stand for something."""
        now = self.now()
        words: Record = {
            "me": self.me,
            "now": now,
            "today": now.date(),
        }
        blank = dict(kind.blank)
        for attribute, value in kind.blank.items():
            # lists, which cannot be looked up, are blank as they are
            if isinstance(value, str) and value in words:
                blank[attribute] = words[value]
        return blank

    def _split(self, kind: Kind, values: Values) -> tuple[Record, Record]:
        """Return the values that the world has a place for, by its names, and the others."""
        field_names = {field.name for field in fields(kind.made_of)}
        writable = field_names - _READ_ONLY
        world_values: Record = {}
        beside: Record = {}
        for name, value in values.items():
            attribute = kind.attributes.get(name, name)
            if attribute in writable and attribute in _UNIX:
                world_values[attribute] = _moment(value)
            elif attribute in writable:
                world_values[attribute] = value
            elif name not in _NOT_KEPT:
                beside[name] = plain(value)
        return world_values, beside

    def _further(self, name: str, id: str) -> Record:
        """Return what only the service can give a new record."""
        if name == "statuses":
            number = 2
            while f"custom{number}" in self.index.statuses:
                number += 1
            return {"key": f"custom{number}"}
        if KINDS[name].made_of is CustomField:
            return {"key": id}
        return {}

    def _belonging(self, name: str, id: str) -> list[tuple[str, Any]]:
        """Return what goes with a record: what is of a contact, the relationships of a kind, the files of a note."""
        belonging: list[tuple[str, Any]] = []
        relationships = self.lists["relationships"]
        if name == "contacts":
            for listed in _OF_CONTACTS:
                of_contact = self.lists[listed].of("contact_id", id)
                belonging += _each_of(listed, of_contact.items)
            of_contact = relationships.where(lambda item: id in item.contact_ids)
            belonging += _each_of("relationships", of_contact.items)
        if name == "relationship_types":
            of_kind = relationships.where(lambda item: item.record["relationship_type_id"] == id)
            belonging += _each_of("relationships", of_kind.items)
        if name in _WITH_FILES:
            files = self.index.attachments.get(id, ())
            belonging += _each_of("attachments", files)
        return belonging


def _each_of(listed: str, items: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(listed, record) for record in items]


def plain(value: Any) -> Any:
    """Return a day as the text that JSON has for it, and anything else as it is."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def check_given(values: Values, *required: str) -> None:
    """Refuse values in which a required one is missing, or empty."""
    # zero and False are values: only what holds nothing is missing
    missing = [name for name in required if values.get(name) in (None, "", [])]
    if missing:
        errors = dict.fromkeys(missing, "is missing")
        raise Refused(400, f"{', '.join(missing)} missing", **errors)


def _contact_ids(values: Values) -> tuple[str, ...]:
    ends = values.get("related_contacts", ())
    return tuple(end["contact_id"] for end in ends)


def _moment(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(400, "A time is out of range") from None
