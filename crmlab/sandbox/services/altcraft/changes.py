"""Profiles that are deleted or put into static segments, and goals that they reach.

Not documented, and as crmlab assumes: that a profile which is in a segment already may be put there again, that one
which is not in it may be taken out, and that a goal is an event of the history called goal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from crmlab.sandbox.services.altcraft.asked import Body, Method, RefusedError, known, moment, whole
from crmlab.sandbox.services.altcraft.matching import find
from crmlab.sandbox.services.altcraft.records import Profiles
from crmlab.sandbox.world.model import MailEvent, Person, Segment

#: the one pixel of the sandbox, which goals are registered with
PIXEL = 1
#: bytes of what a pixel may tell of a goal
_MAX_PIXEL_DATA = 1024


class Changes:
    """Changes the profiles of the databases, and who is in a segment."""

    def __init__(self, databases: Mapping[int, Profiles], segments: Mapping[int, Segment]) -> None:
        self._databases = databases
        self._segments = segments
        self._numbers = count(1)

    def methods(self) -> dict[str, Method]:
        """Return the methods by their names."""
        return {
            "profiles/delete": self.delete,
            "profiles/segstatic/add": self.put_into_segment,
            "profiles/segstatic/remove": self.take_out_of_segment,
            "goals/register": self.register_goal,
        }

    def delete(self, body: Body) -> bytes:
        profiles = known(self._databases, body, "db_id")
        position = find(profiles, body)
        profiles.remove(profiles.people[position])
        return b'"data":null'

    def put_into_segment(self, body: Body) -> bytes:
        segment = known(self._segments, body, "segment_id")
        person = self._profile(body)
        if person.number not in segment.person_numbers:
            segment.person_numbers.append(person.number)
            segment.size += 1
        return b'"data":null'

    def take_out_of_segment(self, body: Body) -> bytes:
        segment = known(self._segments, body, "segment_id")
        person = self._profile(body)
        if person.number in segment.person_numbers:
            segment.person_numbers.remove(person.number)
            segment.size -= 1
        return b'"data":null'

    def register_goal(self, body: Body) -> bytes:
        profiles = known(self._databases, body, "db_id")
        if whole(body, "pixel_id") != PIXEL:
            raise RefusedError(404, "pixel_id")
        goals = [*_goals(body)]
        pixel_data = body.get("pixel_data", {})
        is_too_long = len(str(pixel_data)) > _MAX_PIXEL_DATA
        if not isinstance(pixel_data, dict) or is_too_long:
            raise RefusedError(450, "pixel_data")
        reached_at = moment(body, "date") or datetime.now(UTC)
        person = profiles.people[find(profiles, body)]
        if not body.get("is_test"):
            for _ in goals:
                profiles.happened(person, self._goal(person, reached_at))
        return b'"data":null'

    def _goal(self, person: Person, at: datetime) -> MailEvent:
        # as the ids of the world's events: the time, what tells them apart, and a number
        seconds = int(at.timestamp())
        number = next(self._numbers)
        return MailEvent(
            id=f"{seconds:08x}{'60a1':0>8}{number:08x}",
            person_id=person.id,
            campaign_id=None,
            message_id=None,
            action="goal",
            at=at,
        )

    def _profile(self, body: Body) -> Person:
        profiles = known(self._databases, body, "db_id")
        position = find(profiles, {**body, "matching": "profile_id"})
        return profiles.people[position]


def _goals(body: Body) -> Iterable[Any]:
    """Yield the goals that a request names: one, or several with their values."""
    named_goals = body.get("goals")
    if named_goals is None:
        named_goals = [{"goal": body.get("goal")}]
    if not isinstance(named_goals, list) or not named_goals:
        raise RefusedError(450, "goals")
    for goal in named_goals:
        if not isinstance(goal, dict) or not goal.get("goal"):
            raise RefusedError(450, "goal")
        yield goal
