"""What the sandbox's Altcraft tells of each campaign: its settings, its state, and what happened while it ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from crmlab.sandbox.service import Records, iso
from crmlab.sandbox.services.altcraft import records
from crmlab.sandbox.services.altcraft.asked import (
    Body,
    RefusedError,
    choice,
    data,
    limit,
    moment,
    whole,
)
from crmlab.sandbox.world.model import Campaign, World

_STATES = ("cloning", "inactive", "waiting", "active", "completed", "deleted")
#: how long it takes to send what is sent on one day
_SENDING = timedelta(minutes=12)


class Campaigns:
    """The campaigns of a world; `objects` makes the method that lists some records."""

    def __init__(self, world: World, databases: Mapping[int, records.Profiles]) -> None:
        self._world = world
        self._campaigns = {campaign.id: campaign for campaign in world.campaigns}
        self._databases = databases
        self._sent: dict[int, Counter[datetime]] = {id_: Counter() for id_ in self._campaigns}
        for event in world.mail_events:
            if event.action == "send" and event.campaign_id in self._sent:
                self._sent[event.campaign_id][
                    event.at.replace(hour=9, minute=0, second=0, microsecond=0)
                ] += 1
        self.of_kind = {
            kind: Records([each for each in world.campaigns if each.kind == kind], records.campaign)
            for kind in ("broadcast", "regular")
        }
        triggered = [each for each in world.campaigns if each.kind == "trigger"]
        self.with_scenarios = Records(triggered, _with_scenario)

    def methods(
        self, objects: Callable[[Records], Callable[[Body], bytes]]
    ) -> dict[str, Callable[[Body], bytes]]:
        """Return the methods about campaigns by their names."""
        broadcasts = objects(self.of_kind["broadcast"])

        def broadcast_list(body: Body) -> bytes:
            choice(body, "type", ("broadcast",))
            return broadcasts(body)

        def scampaign_list(body: Body) -> bytes:
            found = self.with_scenarios
            if "state" in body:
                state = choice(body, "state", _STATES)
                found = found.where(lambda item: _state(item) == state)
            return objects(found)(body)

        return {
            "campaigns/get": self.settings,
            "campaigns/get_status": self.status,
            "campaigns/log_v2": self.log,
            "campaigns/broadcasts/list": broadcast_list,
            "campaigns/broadcasts/get": self.broadcast,
            "campaigns/regulars/list": objects(self.of_kind["regular"]),
            "scampaigns/list": scampaign_list,
        }

    def settings(self, body: Body) -> bytes:
        found = self._campaign(body)
        last = max(self._sent[found.id], default=self._world.now)
        return data(
            {
                "id": found.id,
                "name": found.name,
                "description": "",
                "type": found.kind,
                "updated_user": self._world.users[0].email if self._world.users else "",
                "update_time": iso(last),
                "is_active": found.is_active,
            }
        )

    def status(self, body: Body) -> bytes:
        found = self._campaign(body)
        is_completed = _state(found) == "completed"
        word = "Completed" if is_completed else "Inactive"
        return data(
            {
                "is_active": found.is_active,
                "is_completed": is_completed,
                "status": "Active" if found.is_active else word,
            }
        )

    def log(self, body: Body) -> bytes:
        """Two lines for each day on which something was sent, the oldest first."""
        found = self._campaign(body)
        since = moment(body, "from_time")
        lines: list[dict[str, Any]] = []
        for day, count in sorted(self._sent[found.id].items()):
            for state, at, value in (("start", day, ""), ("end", day + _SENDING, str(count))):
                if since is None or at >= since:
                    lines.append(_line(state, at, value))
        return data(lines[: limit(body)]) + b',"total_count":%d' % len(lines)

    def broadcast(self, body: Body) -> bytes:
        found = self._campaign(body)
        if found.kind != "broadcast":
            raise RefusedError(404)
        return data(
            {
                "name": found.name,
                "is_active": found.is_active,
                "data_id": next(iter(self._databases), 0),
                "data_type": "database",
                "content": [{"subject": found.name, "template_id": found.id + 1000}],
            }
        )

    def _campaign(self, body: Body) -> Campaign:
        found = self._campaigns.get(whole(body, "id"))
        if found is None:
            raise RefusedError(404)
        return found


def _line(state: str, at: datetime, value: str) -> dict[str, Any]:
    return {"level": "INFO", "message": "sending", "state": state, "time": iso(at), "value": value}


def _state(campaign: Campaign) -> str:
    if campaign.is_active:
        return "active"
    return "completed" if campaign.kind == "broadcast" else "inactive"


def _with_scenario(campaign: Campaign) -> dict[str, Any]:
    return {
        **records.thing(campaign.id, campaign.name, group={"Id": 1, "Name": "Default"}),
        "state": _state(campaign),
    }
