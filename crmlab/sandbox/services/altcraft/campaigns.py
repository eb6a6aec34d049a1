"""What the sandbox's Altcraft tells of each campaign: its settings, its state, and what happened while it ran."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta

from crmlab.sandbox.service import Record, Records, iso
from crmlab.sandbox.services.altcraft import records
from crmlab.sandbox.services.altcraft.asked import (
    Body,
    Method,
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
_BEGIN = time(9, tzinfo=UTC)


class Campaigns:
    """The campaigns of a world; `objects` makes the method that lists some records."""

    def __init__(self, world: World, databases: Mapping[int, records.Profiles]) -> None:
        self._world = world
        self._campaigns = {campaign.id: campaign for campaign in world.campaigns}
        self._databases = databases
        #: by campaign, how much was sent on each day: what is sent begins at nine
        self._sent: dict[int, Counter[datetime]] = defaultdict(Counter)
        for event in world.mail_events:
            if event.action == "send" and event.campaign_id in self._campaigns:
                begin = datetime.combine(event.at, _BEGIN)
                self._sent[event.campaign_id][begin] += 1
        all_campaigns = Records(world.campaigns, records.campaign)
        self.broadcasts = all_campaigns.of("kind", "broadcast")
        self.regulars = all_campaigns.of("kind", "regular")
        triggered = all_campaigns.of("kind", "trigger")
        self.with_scenarios = Records(triggered.items, _with_scenario)

    def methods(self, objects: Callable[[Records], Method]) -> dict[str, Method]:
        """Return the methods about campaigns by their names."""
        broadcasts = objects(self.broadcasts)

        def broadcast_list(body: Body) -> bytes:
            choice(body, "type", ("broadcast",))
            return broadcasts(body)

        def scampaign_list(body: Body) -> bytes:
            scenarios = self.with_scenarios
            if "state" in body:
                state = choice(body, "state", _STATES)
                scenarios = scenarios.where(lambda item: _state(item) == state)
            return objects(scenarios)(body)

        return {
            "campaigns/get": self.settings,
            "campaigns/get_status": self.status,
            "campaigns/log_v2": self.log,
            "campaigns/broadcasts/list": broadcast_list,
            "campaigns/broadcasts/get": self.broadcast,
            "campaigns/regulars/list": objects(self.regulars),
            "scampaigns/list": scampaign_list,
        }

    def settings(self, body: Body) -> bytes:
        campaign = self._campaign(body)
        last_sent = max(self._sent[campaign.id], default=self._world.now)
        updated_user = ""
        if self._world.users:
            updated_user = self._world.users[0].email
        return data(
            {
                "id": campaign.id,
                "name": campaign.name,
                "description": "",
                "type": campaign.kind,
                "updated_user": updated_user,
                "update_time": iso(last_sent),
                "is_active": campaign.is_active,
            }
        )

    def status(self, body: Body) -> bytes:
        campaign = self._campaign(body)
        state = _state(campaign)
        return data(
            {
                "is_active": campaign.is_active,
                "is_completed": state == "completed",
                "status": state.capitalize(),
            }
        )

    def log(self, body: Body) -> bytes:
        """Two lines for each day on which something was sent, the oldest first."""
        campaign = self._campaign(body)
        since = moment(body, "from_time")
        lines: list[Record] = []
        for begin, count in sorted(self._sent[campaign.id].items()):
            end = begin + _SENDING
            if since is None or begin >= since:
                lines.append(_line("start", begin, ""))
            # what was being sent at that time has its last line alone
            if since is None or end >= since:
                lines.append(_line("end", end, str(count)))
        size = limit(body)
        return data(lines[:size]) + b',"total_count":%d' % len(lines)

    def broadcast(self, body: Body) -> bytes:
        campaign = self._campaign(body)
        if campaign.kind != "broadcast":
            raise RefusedError(404)
        template = {
            "subject": campaign.name,
            "template_id": campaign.id + 1000,
        }
        return data(
            {
                "name": campaign.name,
                "is_active": campaign.is_active,
                "data_id": next(iter(self._databases), 0),
                "data_type": "database",
                "content": [template],
            }
        )

    def _campaign(self, body: Body) -> Campaign:
        campaign = self._campaigns.get(whole(body, "id"))
        if campaign is None:
            raise RefusedError(404)
        return campaign


def _line(state: str, at: datetime, value: str) -> Record:
    return {
        "level": "INFO",
        "message": "sending",
        "state": state,
        "time": iso(at),
        "value": value,
    }


def _state(campaign: Campaign) -> str:
    if campaign.is_active:
        return "active"
    # what is sent once is over, what is sent again and again may be switched on again
    if campaign.kind == "broadcast":
        return "completed"
    return "inactive"


def _with_scenario(campaign: Campaign) -> Record:
    return {
        **records.thing(campaign.id, campaign.name),
        "state": _state(campaign),
    }
