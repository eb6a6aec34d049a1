"""Profiles that are imported: one that matches is changed, another is created.

Not documented, and as crmlab assumes: that the answer to a batch has for each profile, in their order, its id or the
error that it was refused with; that a profile which is looked for by its id must be there.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping
from itertools import count
from typing import Any

from crmlab.sandbox.service import Record, dumps
from crmlab.sandbox.services.altcraft.asked import Body, Method, RefusedError, whole
from crmlab.sandbox.services.altcraft.matching import find
from crmlab.sandbox.services.altcraft.records import Profiles, profile_id
from crmlab.sandbox.world.model import Person, object_id
from crmlab.sandbox.world.newcomer import newcomer

_MAX = 10_000
#: what tells the ids of imported profiles from those of the world
_IMPORTED = 0xA17C


class Imports:
    """Changes the profiles of the databases, and adds new ones."""

    def __init__(self, databases: Mapping[int, Profiles]) -> None:
        self._databases = databases
        self._numbers = count(1)
        #: imports that would have started scenarios
        self.triggered = 0

    def methods(self) -> dict[str, Method]:
        """Return the methods by their names."""
        return {"profiles/import": self.one, "profiles/import_batch": self.several}

    def started_with(
        self, workflows: Collection[int], start: Callable[[Any], bytes]
    ) -> dict[str, Method]:
        """Return the methods that import profiles into a scenario: at once, or as a task that `start` starts."""

        def at_once(body: Body) -> bytes:
            self._check_workflow(body, workflows)
            return self.several(body)

        def as_task(body: Body) -> bytes:
            self._check_workflow(body, workflows)
            results = json.loads(b"{%s}" % self.several(body))
            return start(results)

        return {
            "workflows/import_and_start_batch": at_once,
            "workflows/import_and_start_batch_task": as_task,
        }

    def _check_workflow(self, body: Body, workflows: Collection[int]) -> None:
        if whole(body, "workflow_id") not in workflows:
            raise RefusedError(404, "workflow_id")

    def one(self, body: Body) -> bytes:
        """Import one profile, which is found by the key beside it or, by default, by its e-mail address."""
        profile = body.get("data")
        if not isinstance(profile, dict):
            raise RefusedError(450, "data")
        imported_id = self._imported(self._found(body), body, profile)
        return b'"profile_id":' + dumps(imported_id)

    def several(self, body: Body) -> bytes:
        """Import many profiles, each by the key in itself."""
        profiles = body.get("data")
        if not isinstance(profiles, list) or len(profiles) > _MAX:
            raise RefusedError(450, "data")
        database_profiles = self._found(body)
        results: list[Record] = []
        for profile in profiles:
            try:
                if not isinstance(profile, dict):
                    raise RefusedError(450, "data")
                imported_id = self._imported(database_profiles, body, profile)
                results.append({"error": 0, "profile_id": imported_id})
            except RefusedError as refused:
                results.append({"error": refused.code, "error_text": refused.detail})
        return b'"result":' + dumps(results)

    def _found(self, body: Body) -> Profiles:
        database_id = whole(body, "db_id")
        if database_id not in self._databases:
            raise RefusedError(404)
        if not body.get("skip_triggers"):
            self.triggered += 1
        return self._databases[database_id]

    def _imported(self, found: Profiles, body: Body, profile: Mapping[str, Any]) -> str:
        """Write a profile, and return its id."""
        if "@" not in str(profile.get("email") or "@"):
            raise RefusedError(450, "email")
        keys: Record = {}
        for field in ("email", "phone"):
            if profile.get(field):
                keys[field] = profile[field]
        try:
            # what stands beside the profile says how it is found, before what stands in it
            position = find(found, {**keys, **body})
            person = found.people[position]
        except RefusedError as refused:
            if refused.code != 404 or body.get("matching") == "profile_id":
                raise
            person = self._newcomer()
            found.add(person)
        found.write(person, profile)
        return profile_id(person.id)

    def _newcomer(self) -> Person:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        number = next(self._numbers)
        person_id = object_id(now, _IMPORTED, number)
        # people of the world have numbers above zero: a newcomer is nobody among them
        return newcomer(person_id, number=-number, at=now, service="altcraft")
