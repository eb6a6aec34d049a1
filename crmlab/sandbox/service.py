"""What each fake service is made of, and what they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar

from aiohttp import web

from crmlab.connector import Limits

Handler = Callable[[web.Request], Any]
#: a record as a service answers it or is sent it, or a part of one: an object of JSON
Record = dict[str, Any]
_Value = TypeVar("_Value")
#: the decoded JSON of a request, read once before its handler
BODY = web.RequestKey("body", object)


def page_not_found() -> web.Response:
    """Return what a web server answers itself, where no program answers a path."""
    html_page = (
        "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"
    )
    return web.Response(text=html_page, status=404, content_type="text/html")


@dataclass(kw_only=True)
class Service:
    """One fake API.

    `credentials` are what an account of it needs; `allowed` says whether a request carries them;
    `refusal` makes its error answer for a status; `routes` serve a path under `prefix`; `no_such_path` makes the
    answer to any other path, where that is documented; `lists` are those whose records may change while they
    are read (`Fault`).
    """

    name: str
    prefix: str
    credentials: Mapping[str, str]
    allowed: Callable[[web.Request, Any], bool]
    refusal: Callable[[int], web.Response]
    routes: Sequence[web.RouteDef]
    no_such_path: Callable[[], web.Response] = page_not_found
    limits: Limits | None = None
    lists: Mapping[str, Records] = field(default_factory=dict)
    #: paths that need no key
    open_paths: frozenset[str] = frozenset()
    #: settings of the account's base URL, e.g. the site id
    base_path: str = ""
    #: under which names a request asks for a page's number, its size and what it follows; empty where it cannot
    page_in: str = ""
    size_in: str = ""
    cursor_in: str = ""
    #: pairs of names that ask for records from one time to another
    edges: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class _Cell:
    """A record, and its JSON once it was rendered."""

    item: Any
    json: bytes | None = None


class Records:
    """Records of one list, rendered once each: a page is a join of ready bytes.

    `name` is what each record is wrapped as in an answer, ``{name: record}``, if it is.
    """

    def __init__(
        self,
        items: Iterable[Any],
        render: Callable[[Any], Any],
        *,
        name: str = "",
    ) -> None:
        self._render = render
        self._name = name
        #: filtered and sorted copies share them
        self._cells = [_Cell(item) for item in items]
        self._derived: dict[str, Any] = {}
        self._derived_of_others: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def items(self) -> list[Any]:
        return [cell.item for cell in self._cells]

    def once(
        self,
        question: str,
        answer: Callable[[], _Value],
        *,
        of_others: bool = False,
    ) -> _Value:
        """Return what is derived from the records, derived anew only after they changed.

        `of_others` says that other lists are looked into as well, so that `forget` lets it be derived anew.
        """
        answers = self._derived
        if of_others:
            answers = self._derived_of_others
        if question not in answers:
            answers[question] = answer()
        derived: _Value = answers[question]
        return derived

    def where(self, keep: Callable[[Any], bool]) -> Records:
        """Return the records that pass."""
        return self._with([cell for cell in self._cells if keep(cell.item)])

    def ordered(
        self,
        by: Callable[[Any], Any],
        *,
        reverse: bool = False,
    ) -> Records:
        """Return the records sorted."""
        cells = sorted(self._cells, key=lambda cell: by(cell.item), reverse=reverse)
        return self._with(cells)

    def of(self, field: str, value: Any) -> Records:
        """Return the records with this value, by an index of that field."""
        value_of = attrgetter(field)
        cells = self.once(f"by {field}", lambda: self._by(value_of))
        return self._with(cells.get(value, []))

    def add(self, item: Any, *, at: int | None = None) -> None:
        """Insert a record at a position, or at the end."""
        position = at
        if position is None:
            position = len(self._cells)
        self._cells.insert(position, _Cell(item))
        self._changed()

    def remove(self, item: Any) -> None:
        """Take a record out."""
        self._cells = [cell for cell in self._cells if cell.item is not item]
        self._changed()

    def replace(self, item: Any, by: Any) -> None:
        """Put another record in the place of one."""
        for cell in self._cells:
            if cell.item is item:
                cell.item = by
                cell.json = None
        self._changed()

    def forget(self) -> None:
        """Render everything anew: what stands beside these records was changed."""
        for cell in self._cells:
            cell.json = None
        self._derived_of_others.clear()

    def slice(
        self,
        start: int | None = None,
        stop: int | None = None,
        *,
        bare: bool = False,
    ) -> bytes:
        """Return records start..stop as a JSON array, wrapped unless `bare`."""
        records = [self._rendered(cell) for cell in self._cells[start:stop]]
        if self._name and not bare:
            wrapper_name = self._name.encode()
            records = [b'{"%s":%s}' % (wrapper_name, record) for record in records]
        return b"[%s]" % b",".join(records)

    def rendered(self, start: int, stop: int) -> Iterator[tuple[Any, bytes]]:
        """Yield records start..stop, each with its JSON."""
        for cell in self._cells[start:stop]:
            yield cell.item, self._rendered(cell)

    def _changed(self) -> None:
        self._derived.clear()
        self._derived_of_others.clear()

    def _rendered(self, cell: _Cell) -> bytes:
        if cell.json is None:
            cell.json = dumps(self._render(cell.item))
        return cell.json

    def _by(self, key: Callable[[Any], Any]) -> dict[Any, list[_Cell]]:
        groups: dict[Any, list[_Cell]] = {}
        for cell in self._cells:
            group = groups.setdefault(key(cell.item), [])
            group.append(cell)
        return groups

    def _with(self, cells: list[_Cell]) -> Records:
        # the cells themselves: what was rendered once is not rendered again
        selection = Records((), self._render, name=self._name)
        selection._cells = cells
        return selection


def dumps(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def extended(record: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return a JSON object with more members, which are JSON already."""
    members = []
    # of an object without members no comma is left over
    if record != b"{}":
        members.append(record[1:-1])
    for member_name, member_json in parts.items():
        members.append(b'"%s":%s' % (member_name.encode(), member_json))
    return b"{" + b",".join(members) + b"}"


def answer(body: Any, *, status: int = 200, **headers: str) -> web.Response:
    """Return a JSON answer, of values or of JSON that was made before; ``_`` in the name of a header is ``-``."""
    content = body
    if not isinstance(content, bytes):
        content = dumps(content)
    named = {keyword.replace("_", "-"): value for keyword, value in headers.items()}
    return web.Response(
        body=content,
        status=status,
        content_type="application/json",
        headers=named,
    )


def iso(time: datetime | None) -> str | None:
    """Return ISO 8601 in UTC with Z."""
    if time is None:
        return None
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(time: datetime | None) -> int | None:
    """Return Unix seconds."""
    if time is None:
        return None
    return int(time.timestamp())
