"""What the sandbox's Altcraft does in the background: exports of profiles, and counting anew.

A task is not done when its state is asked for the first time, so that whoever waits for it has to ask again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web

from crmlab.sandbox.service import Record, dumps
from crmlab.sandbox.services.altcraft.asked import Body, Method, RefusedError, choice, data, whole
from crmlab.sandbox.services.altcraft.records import Profiles
from crmlab.sandbox.world.model import Segment

#: columns of an exported file, in this order; the account's own fields follow them
_COLUMNS = (
    "id", "db_id", "email", "phones", "_fname", "_lname", "_city", "_region", "_country", "_status", "_createtime",
    "_regdate", "_xxh", "_md5", "season", "company", "subscriptions",
)  # fmt: skip


@dataclass(slots=True)
class _Task:
    result: Any
    #: how often its state is asked for before it is done
    looks_left: int


class Tasks:
    """The tasks that were started, by their numbers, and the files that exports have written."""

    def __init__(self, segments: Mapping[int, Segment], profiles: Mapping[int, Profiles]) -> None:
        self._profiles = profiles
        self._segments = segments
        self._tasks: dict[int, _Task] = {}
        self._files: dict[tuple[str, str], bytes] = {}

    def methods(self) -> dict[str, Method]:
        """Return the methods about tasks by their names."""
        return {"tasks/status": self.status, "profiles/get_all": self.export}

    def start(self, result: Any, *, looks: int = 0) -> bytes:
        """Start a task that has this result, and tell its number."""
        number = len(self._tasks) + 1
        self._tasks[number] = _Task(result, looks)
        return data({"task_id": number})

    def status(self, body: Body) -> bytes:
        task = self._tasks.get(whole(body, "task_id"))
        if task is None:
            raise RefusedError(404)
        if task.looks_left:
            task.looks_left -= 1
            return data({"status": "in_progress", "progress": 50, "result": None})
        return data({"status": "completed", "progress": 100, "result": task.result})

    def export(self, body: Body) -> bytes:
        """Write the profiles of a database or a segment into a file."""
        source_type = choice(body, "source_type", ("database", "segment"))
        source_id = whole(body, "source_id")
        file_format = choice(body, "file_format", ("csv", "json"), "csv")
        if not isinstance(body.get("custom_request", {}), dict):
            raise RefusedError(450, "custom_request")
        rows = self._rows(source_type, source_id)
        number = len(self._tasks) + 1
        folder = str(UUID(int=number))
        file_name = f"{number}_{source_type}_export.{file_format}"
        if file_format == "csv":
            self._files[folder, file_name] = _csv(rows)
        else:
            self._files[folder, file_name] = dumps(rows)
        result = {
            "errors": [],
            "source_id": source_id,
            "total": len(rows),
            "type": source_type,
            "urls": [f"/api/download/data/{folder}/{file_name}"],
        }
        return self.start(result, looks=1)

    async def file(self, request: web.Request) -> web.Response:
        """Answer with a file that an export has written."""
        folder = request.match_info["folder"]
        file_name = request.match_info["file"]
        content = self._files.get((folder, file_name))
        if content is None:
            return web.Response(status=404, text="404 page not found")
        return web.Response(body=content, content_type="application/octet-stream")

    def _rows(self, kind: str, source: int) -> list[Record]:
        if kind == "database":
            if source not in self._profiles:
                raise RefusedError(404)
            profiles = self._profiles[source]
            return [profiles.profile(person) for person in profiles.people]
        if source not in self._segments:
            raise RefusedError(404)
        # a segment may have members in every database
        members = set(self._segments[source].person_numbers)
        rows = []
        for profiles in self._profiles.values():
            for person in profiles.people:
                if person.number in members:
                    rows.append(profiles.profile(person))
        return rows


def _csv(rows: list[Record]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for row in rows:
        values = map(row.get, _COLUMNS)
        writer.writerow(map(_cell, values))
    return file.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return ",".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
