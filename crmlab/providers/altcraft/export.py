"""Profiles by export: the service writes all profiles of a database into a file, which is read as its lists are.

The vendor documents how an export is started (profiles/get_all), how its state is asked for (tasks/status) and where
its file is (the ``urls`` of the result). Its words for states, and the columns of the file, are not documented: see
`ASSUMPTIONS`, which say what happens where they are otherwise.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl

import msgspec

from crmlab.connector import Context, Page, Paginator, Request, Resource, link_parts, whole_number
from crmlab.errors import PagingError, TransportError
from crmlab.providers.altcraft.asking import ids, number, post

_STATUS = "/tasks/status"
#: words for a task that is done, and for one that will never be
_DONE = ("completed", "success")
_FAILED = ("failed", "error", "canceled", "cancelled", "stopped", "aborted")
#: seconds until the state of an export is asked for, a half more each time, up to half a minute
_FIRST_WAIT = 1.0
_MAX_WAIT = 30.0
#: how often: about an hour in all
_MAX_LOOKS = 120
#: a path of the service's own host that may be asked for
_PATH = re.compile(r"(/(?!\.+(?:/|$))[\w.~%@:+-]+)+")
#: what may stand between the cells of a file
_DELIMITERS = ",;\t|"
#: characters of a cell: the subscriptions of a profile stand in one
_MAX_CELL = 16_000_000
#: records that are handed on at once
_RECORDS = 1000
#: fields of lists of texts, and of any shape
_LISTS = ("phones",)
_OF_ANY_SHAPE = ("subscriptions",)
#: what contacts are made of: a file without one of these lacks something
_NEEDED = (
    "id",
    "email",
    "phones",
    "_fname",
    "_lname",
    "_city",
    "_region",
    "_country",
    "_status",
    "_xxh",
)

ASSUMPTIONS = (
    "an export (profiles_by=export) is done when its state is completed or success, or its progress 100 and its result "
    f"there, and failed when its state is one of {', '.join(_FAILED)}; of any other word it is asked again, "
    f"{_MAX_LOOKS} times within an hour, and then given up",
    "an exported file is CSV in UTF-8 whose first line names the fields as profiles/list does "
    "(_id is id), several phones stand in one cell, and a value is the text that the list would "
    "give: a column that contacts need and that is not there is told, and the contacts are "
    "incomplete; a line with another number of cells is a rejected record",
    "result.total counts the profiles of an export",
)


class _Result(msgspec.Struct):
    total: Any = None
    urls: list[str] = []
    errors: Any = None


class _Task(msgspec.Struct):
    task_id: Any = None
    status: Any = None
    progress: Any = None
    #: null while it runs, and of any shape for other tasks
    result: Any = None

    @property
    def is_done(self) -> bool:
        return self.word in _DONE or (
            whole_number(self.progress) == 100 and self.result is not None
        )

    @property
    def word(self) -> str:
        return str(self.status or "").strip().lower()

    @property
    def outcome(self) -> _Result:
        try:
            return msgspec.convert(self.result or {}, _Result)
        except msgspec.ValidationError:
            raise PagingError("an export is done, and its result is not as documented") from None


class _Told(msgspec.Struct):
    #: of the answers about a task, as `_restated` writes them
    task: _Task = msgspec.field(default_factory=_Task)
    #: of the pages that a file is cut into
    lacks: list[str] = []


class _Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")


def exported(resource: Resource, how: str) -> Resource:
    """Return the profiles as they are read by export, where the account's setting says so."""
    if resource.name != "profiles" or how != "export":
        return resource
    return replace(
        resource,
        requests=_exports,
        follow=following(),
        page_size=None,
        restate=_restated,
        total=_total,
        lacking=_lacking,
        read_file=pages_of,
        starts_work=True,
        note=_note,
    )


def _exports(context: Context) -> Iterable[Request]:
    """One export for each database."""
    for database in ids(context, "databases"):
        yield post(
            "profiles/get_all",
            tags={"database_id": database},
            source_type="database",
            source_id=number(database),
            file_format="csv",
        )


def _note(context: Context) -> str:
    return (
        "exported by the service in the background, one file for each database; each state is asked for "
        f"{_MAX_LOOKS} times at most, within an hour"
    )


def _restated(page: Page) -> Page:
    """Return an answer about a task, which holds no record, as an empty list with the task beside it."""
    if page.request.is_file:
        return page
    task = bytes(page.read(_Answer).data)
    if not task.startswith(b"{"):
        task = b"{}"
    return replace(page, body=b'{"data":[],"task":%s}' % task, _read={})


def following(*, first_wait: float = _FIRST_WAIT, max_looks: int = _MAX_LOOKS) -> Paginator:
    """Return how an export is followed: its state is asked for until it is done, then its files."""
    follow = partial(_follow, first_wait=first_wait, max_looks=max_looks)
    return Paginator(strategy="exported by the service, then downloaded", follow=follow, min_more=2)


def _follow(page: Page, *, first_wait: float, max_looks: int) -> Iterable[Request]:
    if page.request.is_file:
        return ()
    task = page.read(_Told).task
    if page.request.path != _STATUS:
        if task.task_id is None:
            raise PagingError("an export was started, but the answer names no task")
        return [_look(page.request, task.task_id, turn=1, first_wait=first_wait)]
    if task.word in _FAILED:
        raise PagingError(f"the export of a database ended as {task.word!r}")
    if task.is_done:
        return _files(page.request, task.outcome)
    if page.request.turn >= max_looks:
        raise PagingError(
            f"the export of a database was not done after {max_looks} looks at its state, which is {task.word[:40]!r}"
        )
    task_id = page.request.body["task_id"]
    return [_look(page.request, task_id, turn=page.request.turn + 1, first_wait=first_wait)]


def _look(request: Request, task: object, *, turn: int, first_wait: float) -> Request:
    look = post(_STATUS[1:], tags=request.tags, task_id=task)
    wait = min(_MAX_WAIT, first_wait * 1.5 ** (turn - 1))
    return replace(look, turn=turn, wait=wait)


def _files(request: Request, result: _Result) -> Sequence[Request]:
    """Return the requests for the files of an export: of this service's own host, whatever the addresses say."""
    if not result.urls and whole_number(result.total) != 0:
        raise PagingError("the export of a database is done, and names no file")
    requests = []
    for address in result.urls:
        parts = link_parts(address)
        if not _PATH.fullmatch(parts.path):
            raise PagingError("the file of an export is said to be at a path that is not valid")
        params = dict(parse_qsl(parts.query))
        requests.append(
            Request(path=parts.path, params=params, tags=request.tags, is_file=True, from_root=True)
        )
    return requests


def _total(page: Page) -> int | None:
    task = page.read(_Told).task
    # only the state tells a result: what a start or a file holds is no count
    if page.request.path != _STATUS or not task.is_done:
        return None
    return whole_number(task.outcome.total)


def _lacking(page: Page) -> str:
    beside_records = page.read(_Told)
    if beside_records.lacks:
        return f"the exported file has no column for {', '.join(beside_records.lacks)}"
    if (
        page.request.path == _STATUS
        and beside_records.task.is_done
        and beside_records.task.outcome.errors
    ):
        return "the service tells of errors in an export"
    return ""


# ---- the file -------------------------------------------------------------------------------------


def pages_of(path: str, request: Request) -> Iterator[Page]:
    """Yield what a file holds as pages of a list.

    Raises
    ------
    TransportError
        it is no CSV file with a line that names its columns
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            yield from _pages(file, request)
    except (csv.Error, UnicodeDecodeError) as error:
        reason = "it is not in UTF-8"
        if isinstance(error, csv.Error):  # what it says holds positions, and no value
            reason = str(error)
        raise TransportError(
            f"{request.path} is a file that cannot be read as CSV ({reason})"
        ) from None


def _pages(file: TextIO, request: Request) -> Iterator[Page]:
    header = file.readline()
    file.seek(0)
    delimiter = max(_DELIMITERS, key=header.count)
    # of all readers of this program: the limit is only ever raised
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    lines = csv.reader(file, delimiter=delimiter, strict=True)
    columns = [_field(cell) for cell in next(lines, [])]
    column_names = {*columns}
    if len(column_names) < len(columns) or column_names.isdisjoint(("id", "email")):
        raise TransportError(
            f"{request.path} is no file of profiles: its first line does not name their fields"
        )
    missing = [needed for needed in _NEEDED if needed not in column_names]
    if column_names.isdisjoint(("_createtime", "_regdate")):
        missing.append("_createtime")

    records: list[Any] = []
    for cells in lines:
        if cells:  # an empty line is no record
            records.append(_record(columns, cells, request))
        if len(records) == _RECORDS:
            yield _page(records, missing, request)
            records = []
    # a file without records still tells what it lacks
    yield _page(records, missing, request)


def _field(name: str) -> str:
    field = name.strip()
    return "id" if field == "_id" else field


def _record(columns: Sequence[str], line: Sequence[str], request: Request) -> Any:
    """Return the profile of a line; the line itself, which is rejected as none, where its cells are not those named."""
    if len(line) != len(columns):
        return line
    profile = {
        column: _value(column, cell) for column, cell in zip(columns, line, strict=True) if cell
    }
    profile.setdefault("db_id", request.tags.get("database_id"))
    return profile


def _value(name: str, cell: str) -> Any:
    if name not in _LISTS + _OF_ANY_SHAPE:
        return cell
    if cell.lstrip().startswith(("[", "{")):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    if name not in _LISTS:
        return cell
    return [phone.strip() for phone in re.split("[,;|]", cell)]


def _page(records: Sequence[Any], lacks: Sequence[str], request: Request) -> Page:
    body = json.dumps({"data": records, "lacks": lacks}, ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )
    return Page(request=request, status=200, headers={}, body=body)
