"""What the sandbox's Altcraft tells of each database and resource: its fields, and how many are in which state."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from crmlab.sandbox.service import Record
from crmlab.sandbox.services.altcraft.asked import Body, Method, data, known
from crmlab.sandbox.services.altcraft.records import Profiles
from crmlab.sandbox.world.model import MailDatabase, MailResource, Subscription, World

#: states of a subscription, as they are counted
_STATES = (
    "subscribed",
    "unsubscribed",
    "complained",
    "hardbounced",
    "unconfirmed",
    "suspended",
    "invalid",
)
#: the fields of a profile that every database has, and what they are called
_SYSTEM_FIELDS = {
    "email": "E-mail",
    "phones": "Phones",
    "_fname": "First name",
    "_lname": "Last name",
    "_city": "City",
    "_region": "Region",
    "_country": "Country",
    "_status": "Status",
    "_createtime": "Created",
    "_regdate": "Registered",
}
#: those of the account's own
_OWN_FIELDS = {"season": "Season", "company": "Company"}


class Objects:
    """The databases and resources of a world, one by one."""

    def __init__(self, world: World, profiles: Mapping[int, Profiles]) -> None:
        self._databases = {database.id: database for database in world.mail_databases}
        self._resources = {resource.id: resource for resource in world.mail_resources}
        self._profiles = profiles

    def methods(self) -> dict[str, Method]:
        """Return the methods about single databases and resources by their names."""
        return {
            "databases/get": self.database,
            "databases/fields_get": self.profile_fields,
            "databases/get_counters": self.database_counters,
            "resources/get": self.resource,
            "resources/fields_get": self.subscription_fields,
            "resources/get_counters": self.resource_counters,
        }

    def database(self, body: Body) -> bytes:
        return data(_settings(known(self._databases, body, "id")))

    def resource(self, body: Body) -> bytes:
        return data(_settings(known(self._resources, body, "id")))

    def profile_fields(self, body: Body) -> bytes:
        known(self._databases, body, "db_id")
        descriptions = {**_SYSTEM_FIELDS, **_OWN_FIELDS}
        return data([_text_field(*field) for field in descriptions.items()])

    def subscription_fields(self, body: Body) -> bytes:
        known(self._resources, body, "id")
        return data([_text_field("_device_type", "Device")])

    def database_counters(self, body: Body) -> bytes:
        database = known(self._databases, body, "id")
        resource = known(self._resources, body, "resource_id")
        subscriptions = self._subscriptions(resource.id, database.id)
        return data(_counted(subscriptions))

    def resource_counters(self, body: Body) -> bytes:
        resource = known(self._resources, body, "id")
        subscriptions = self._subscriptions(resource.id)
        return data(_counted(subscriptions))

    def refreshed(self, body: Body, *, resource: str, database: str) -> list[Record]:
        """Return what the task that counts anew tells at its end."""
        resource_id = known(self._resources, body, resource).id
        database_id = known(self._databases, body, database).id
        subscriptions = self._subscriptions(resource_id, database_id)
        result = {
            "channels": _counted(subscriptions),
            "in_progress": False,
            "list_id": database_id,
            "resource_id": resource_id,
            "updated": True,
        }
        return [result]

    def _subscriptions(self, resource: int, database: int | None = None) -> Iterable[Subscription]:
        for database_id, profiles in self._profiles.items():
            if database in (None, database_id):
                of_resource = profiles.subscriptions.of("resource_id", resource)
                yield from of_resource.items


def _settings(found: MailDatabase | MailResource) -> Record:
    return {
        "id": found.id,
        "name": found.name,
        "suppress_id": 0,
        "description": "",
    }


def _text_field(name: str, description: str) -> Record:
    return {"name": name, "description": description, "type": "string"}


def _counted(subscriptions: Iterable[Subscription]) -> list[Record]:
    by_channel: dict[str, Counter[str]] = defaultdict(Counter)
    for subscription in subscriptions:
        by_channel[subscription.channel][subscription.status] += 1
    counters = []
    for channel, counted in sorted(by_channel.items()):
        counters.append({"channel": channel, "status": _states(counted)})
    return counters


def _states(counted: Counter[str]) -> dict[str, int]:
    states = {"all": counted.total()}
    for state in _STATES:
        states[state] = counted[state]
    # nothing in the sandbox keeps a subscribed address from being sent to
    states["subscribed_sendable"] = counted["subscribed"]
    states["unconfirmed_sendable"] = counted["unconfirmed"]
    return states
