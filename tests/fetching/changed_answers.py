"""Documented answers changed as live services may differ from their documents, and what was in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from crmlab.connector import Page, Resource

#: what may stand where something else is documented
_TEXTS = ("", " ", "x", "n/a", "12", "12.0", "true", "yes", "0000-00-00", "0001-01-01T00:00:00Z")
_NUMBERS = (0, 12, 1.5, -1, float("nan"), 10**20, True, False)
_NESTED = ([], {}, [None], ["x"], [12], [[]], [{}], {"new": 1}, [{"new": [1]}])
_NO_ANSWERS = (
    {},
    {"message": "Service temporarily unavailable"},
    {"error": "upstream"},
    [],
    None,
    "ok",
    7,
)

#: what may rightly stand for no record
_EMPTY = (([],), ({},), ([None],))


@dataclass(frozen=True, slots=True)
class ValueChange:
    """Another value of a field, in every so many records; `None` in the place of a value takes the field away."""

    path: tuple[str, ...]
    value: tuple[Any] | None
    every: int


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Something else in the place of every so many records, or the record once more."""

    record: tuple[Any] | None
    every: int


@dataclass(frozen=True, slots=True)
class PageChange:
    """Another envelope around the list, or another answer."""

    name: str


Changes = list[ValueChange | RecordChange | PageChange]

_PAGES: Mapping[str, Callable[[Any, list[Any]], Any]] = {
    "as documented": lambda around, items: around,
    "in data": lambda around, items: {"data": items},
    "in items": lambda around, items: {"data": {"items": items}},
    "bare": lambda around, items: items,
    "one": lambda around, items: {"data": items[0]} if len(items) == 1 else around,
    **{
        f"no answer {number}": lambda around, items, body=body: body
        for number, body in enumerate(_NO_ANSWERS)
    },  # type: ignore[misc]
}


def changes(paths: list[tuple[str, ...]]) -> st.SearchStrategy[Changes]:
    """Return up to three changes of records that have fields at these paths."""
    every = st.sampled_from((1, 1, 2, 7))
    value = st.sampled_from([(each,) for each in (None, *_TEXTS, *_NUMBERS, *_NESTED)])
    values = st.builds(ValueChange, st.sampled_from(paths), st.none() | value, every)
    others = st.sampled_from([(each,) for each in (None, {}, [], "x", 12, {"new": 1})])
    records = st.builds(RecordChange, st.none() | others, every)
    pages = st.builds(PageChange, st.sampled_from(sorted(_PAGES)))
    return st.lists(st.one_of(values, values, values, records, pages), min_size=1, max_size=3)


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as it was sent: with its wrapper, if it has one, and what the request says of it."""

    item: Any
    tags: Mapping[str, str]

    def record(self, resource: Resource) -> Any:
        """Return what is inside the wrapper."""
        return record_of(resource, self.item)

    def fields(self, resource: Resource) -> dict[str, Any]:
        """Return its fields, with those beside the wrapper, and the tags of the request under their columns."""
        beside = {name: value for name, value in self.item.items() if name != resource.unwrap}
        return {
            **beside,
            **self.record(resource),
            **{f"_{name}": value for name, value in self.tags.items()},
        }

    def key(self, resource: Resource, columns: list[str]) -> tuple[str, ...]:
        """Return what it says in the columns that make it one of a kind; empty where it is no object."""
        if not isinstance(self.record(resource), dict):
            return ()
        fields = self.fields(resource)
        return tuple(spelled(fields.get(name)) for name in columns)

    @property
    def text(self) -> str:
        """What tells it from others."""
        return json.dumps([self.item, dict(self.tags)], sort_keys=True)


@dataclass(slots=True)
class ChangedAnswers:
    """Changes the answers of one resource, and remembers what was in them."""

    resource: str
    changes: Changes
    sent: list[Sent] = field(default_factory=list)
    #: whether something else came in the place of an answer
    is_no_answer: bool = False
    #: records that are not in the changed answers any more, though nothing empty stands in their place
    vanished: int = 0

    def __call__(self, resource: Resource, page: Page) -> Page:
        """Return the changed answer."""
        if resource.name != self.resource or not page.succeeded:
            return page
        documented = json.loads(page.body)
        body = copy.deepcopy(documented)
        items = items_of(resource, body)
        for change in self.changes:
            if isinstance(change, ValueChange):
                _change_values(resource, items, change)
            elif isinstance(change, RecordChange):
                _change_records(items, change)
        body = _with_items(resource, body, items)
        # read again: where one object stands for the list, an empty list in its place holds no record
        around = items_of(resource, body)
        sent = self._records(resource, page, body)
        if resource.absent_is_empty and sent == [{}] and items_stand_alone(resource, body):
            sent = []
        pages = [change for change in self.changes if isinstance(change, PageChange)]
        for page_change in pages[-1:]:
            if resource.single and not page_change.name.startswith("no answer"):
                continue  # an object inside another one is another object
            if holds_records_inside(resource, documented):
                listed = {resource.path[-1]: around}
                sent = self._records(
                    resource, page, body if page_change.name == "as documented" else listed
                )
                body = _PAGES[page_change.name](body, around)
            else:
                body = _PAGES[page_change.name](body, sent)
            if page_change.name == "one" and sent == [
                []
            ]:  # an empty list, and none inside another one
                sent = []
            if page_change.name.startswith("no answer"):
                sent = []
                self.is_no_answer = self.is_no_answer or body != []
        self.sent += [Sent(item, page.request.tags) for item in sent if item is not None]
        return replace(
            page, body=json.dumps(body).encode(), _read={}
        )  # what was read of it is of the old body

    def _records(self, resource: Resource, page: Page, body: Any) -> list[Any]:
        """Return the records of a changed body, restated where they are inside its object."""
        if not holds_records_inside(resource, json.loads(page.body)):
            return items_of(resource, body)
        changed = resource.restate(replace(page, body=json.dumps(body).encode(), _read={}))
        sent = _listed(resource, changed)
        if not any(map(_may_empty, self.changes)):
            documented = _listed(resource, resource.restate(page))
            self.vanished += max(0, len(documented) - len(sent))
        return sent


def holds_records_inside(resource: Resource, documented: Any) -> bool:
    """Whether the object of a documented answer is no record, as it has none of the fields: its records are inside."""
    items = items_of(resource, documented)
    is_object = len(items) == 1 and isinstance(items[0], dict) and not resource.unwrap
    return (
        is_object and not callable(resource.schema) and resource.schema.keys().isdisjoint(items[0])
    )


def items_of(resource: Resource, body: Any) -> list[Any]:
    """Return the records of a documented answer, with their wrappers."""
    for key in resource.path:
        body = body[key]
    return body if isinstance(body, list) else [body]


def _listed(resource: Resource, page: Page) -> list[Any]:
    """Return the records of a restated answer; none where it holds no list of them."""
    found = json.loads(page.body)
    for key in resource.path:
        found = found.get(key) if isinstance(found, dict) else None
    return [item for item in found if item is not None] if isinstance(found, list) else []


def _may_empty(change: ValueChange | RecordChange | PageChange) -> bool:
    """Whether a change puts something empty in the place of records, or takes one out of their list."""
    if isinstance(change, ValueChange):
        is_item = change.path[-1] == "0"
        # another list in the place of one may hold fewer
        is_list = change.value is not None and isinstance(change.value[0], list)
        return (is_item and change.value in (None, (None,))) or is_list or change.value in _EMPTY
    return isinstance(change, RecordChange) and change.record in (([],), (None,))


def items_stand_alone(resource: Resource, body: Any) -> bool:
    """Whether one object stands where a list may stand."""
    for key in resource.path:
        body = body[key]
    return not isinstance(body, list)


def record_of(resource: Resource, item: Any) -> Any:
    """Return the record inside its wrapper."""
    if resource.unwrap and isinstance(item, dict):
        return item.get(resource.unwrap)
    return item


def paths_of(records: Iterator[Any]) -> list[tuple[str, ...]]:
    """Return the ways to every value of these records, through objects and the first item of lists."""
    found: dict[tuple[str, ...], None] = {}

    def walk(value: Any, way: tuple[str, ...]) -> None:
        if way:
            found[way] = None
        if isinstance(value, list):
            for item in value[:1]:
                walk(item, (*way, "0"))
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, (*way, name))

    for record in records:
        walk(record, ())
    return [*found]


def _change_values(resource: Resource, items: list[Any], change: ValueChange) -> None:
    for item in items[:: change.every]:
        holder = record_of(resource, item)
        for key in change.path[:-1]:
            holder = _inside(holder, key)
        last = change.path[-1]
        if isinstance(holder, list) and holder and last == "0":
            holder[:1] = [] if change.value is None else [copy.deepcopy(change.value[0])]
        if not isinstance(holder, dict):
            continue
        if change.value is None:
            holder.pop(last, None)
        else:
            holder[last] = copy.deepcopy(change.value[0])


def _inside(holder: Any, key: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    return holder[0] if isinstance(holder, list) and holder and key == "0" else None


def _change_records(items: list[Any], change: RecordChange) -> None:
    if change.record is None:
        items += copy.deepcopy(items[:: change.every])
        return
    for index in range(0, len(items), change.every):
        items[index] = copy.deepcopy(change.record[0])


def _with_items(resource: Resource, body: Any, items: list[Any]) -> Any:
    """Return the body with these records at their documented place."""
    value: Any = items[0] if resource.single and items else items
    if not resource.path:
        return value if resource.single or isinstance(body, list) else items
    holder = body
    for key in resource.path[:-1]:
        holder = holder[key]
    was_list = isinstance(holder[resource.path[-1]], list)
    holder[resource.path[-1]] = value if was_list or len(items) != 1 else items[0]
    return body


def spelled(value: Any) -> str:
    """Return what an id says, be it text or a number; nothing where it is none."""
    text = str(value).strip() if isinstance(value, (str, int, float)) else ""
    return "" if text == "nan" else text
