"""A world's profiles, subscriptions and mail history in Altcraft's words."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from crmlab.sandbox.service import Records, iso
from crmlab.sandbox.world.model import (
    Alias,
    Campaign,
    MailEvent,
    Person,
    Segment,
    Subscription,
    World,
)

#: how the profile field that holds a subscription's address is called, by channel
_ADDRESS = {"email": "email", "sms": "phone", "push": "subscription_id"}


def profile_id(person_id: str) -> str:
    """The profile's id: 24 hexadecimal digits as everywhere, but no other service's."""
    return f"{crc32(b'altcraft/' + person_id.encode()):08x}{person_id[-16:]:0>16}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def xxh(person: Person) -> str:
    """The short hash that the history names a profile by."""
    return _md5(person.id)[:16]


def _present(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value not in (None, "", [])}


def _millis(time: datetime) -> str:
    return (iso(time) or "").replace("Z", ".000Z")


class Profiles:
    """The people of one database, in the order of their ids, with what happened to them."""

    def __init__(self, number: int, world: World, people: Iterable[Person]) -> None:
        self.number = number
        self.people = sorted(people, key=lambda person: profile_id(person.id))
        self._world = world
        self._names = {person.id: world.alias(person, "altcraft") for person in self.people}
        self._companies = world.companies_by_id()
        self._resources = {resource.id: resource.name for resource in world.mail_resources}
        self._campaigns = {campaign.id: campaign for campaign in world.campaigns}
        self._subscriptions: dict[str, list[Subscription]] = defaultdict(list)
        for subscription in world.subscriptions:
            if subscription.person_id in self._names:
                self._subscriptions[subscription.person_id].append(subscription)
        self.records = Records(self.people, self.profile)
        self.subscriptions = Records(
            [one for person in self.people for one in self._subscriptions[person.id]],
            self.subscription,
        )
        self.by_id = {profile_id(person.id): index for index, person in enumerate(self.people)}
        events: dict[str, list[MailEvent]] = {person.id: [] for person in self.people}
        for event in sorted(world.mail_events, key=lambda event: event.at):
            if event.person_id in events:
                events[event.person_id].append(event)
        self._people = {person.id: person for person in self.people}
        #: by person, what was imported
        self._written: dict[str, dict[str, Any]] = {}
        #: xxh, times and events of each profile, in the order that the history is read
        self.history = [
            (
                xxh(person),
                [event.at for event in events[person.id]],
                Records(events[person.id], self.event),
            )
            for person in sorted(self.people, key=xxh)
        ]

    def add(self, person: Person) -> None:
        """Take a person in, who was imported."""
        place = bisect_left(
            self.people, profile_id(person.id), key=lambda each: profile_id(each.id)
        )
        self.people.insert(place, person)
        self._people[person.id] = person
        self._names[person.id] = Alias("", "", None, None)
        self.records.add(person, at=place)
        self.by_id = {profile_id(each.id): index for index, each in enumerate(self.people)}
        insort(self.history, (xxh(person), [], Records([], self.event)), key=lambda entry: entry[0])

    def write(self, person: Person, fields: Mapping[str, Any]) -> None:
        """Change fields of a profile, and the states of its subscriptions."""
        for one in fields.get("subscriptions") or []:
            self._subscribe(person, one)
        plain = {name: value for name, value in fields.items() if name != "subscriptions"}
        self._written[person.id] = {**self._written.get(person.id, {}), **plain}
        self.records.replace(person, person)

    def _subscribe(self, person: Person, given: Mapping[str, Any]) -> None:
        """Change the subscription of that resource, channel and address, or add it."""
        channel = str(given.get("channel", "email"))
        address = str(given.get(_ADDRESS.get(channel, "cc_data")) or "")
        status = given.get("status")
        # imports may number the states, of which only that of subscribed is shown
        word = "subscribed" if status in (None, 0) else str(status)
        known = self._subscriptions[person.id]
        for place, one in enumerate(known):
            if (one.resource_id, one.channel, one.address) == (
                given.get("resource_id"),
                channel,
                address,
            ):
                known[place] = replace(one, status=word)
                self.subscriptions.replace(one, known[place])
                return
        added = Subscription(
            person_id=person.id,
            resource_id=int(given["resource_id"]),
            channel=channel,
            address=address,
            status=word,
            created_at=datetime.now(UTC).replace(microsecond=0),
        )
        known.append(added)
        self.subscriptions.add(added)

    def profile(self, person: Person) -> dict[str, Any]:
        """One profile, flat: the service's fields, then the account's own."""
        known: Alias = self._names[person.id]
        company = self._companies.get(person.company_id or "")
        return _present(
            {
                "id": profile_id(person.id),
                "db_id": self.number,
                "email": known.email,
                "phones": [known.phone, *person.phones[1:]] if known.phone else [],
                "_fname": known.first_name,
                "_lname": known.last_name,
                "_city": person.city,
                "_region": person.state,
                "_country": person.country_code,
                "_status": "active",
                "_createtime": _millis(person.created_at),
                "_regdate": _millis(person.created_at),
                "_xxh": xxh(person),
                "_md5": _md5(known.email) if known.email else None,
                "season": person.season,
                "company": company.name if company else None,
                "subscriptions": [self._inside(one) for one in self._subscriptions[person.id]],
                **self._written.get(person.id, {}),
            }
        )

    def _inside(self, one: Subscription) -> dict[str, Any]:
        """A subscription as a profile holds it."""
        data = {
            "email": one.address,
            "domain": one.address.rpartition("@")[2],
            "md5": _md5(one.address),
        }
        return {
            "resource_id": one.resource_id,
            "channel": one.channel,
            "priority": 0,
            "status": one.status,
            "hash_id": self._hash(one),
            "is_delete": False,
            "reg_info": {"date": _millis(one.created_at), "ip": "192.0.2.1"},
            **({"email_data": data} if one.channel == "email" else {}),
            **({"push_data": {"subscription_id": one.address}} if one.channel == "push" else {}),
        }

    def _hash(self, one: Subscription) -> str:
        return _md5(f"{one.resource_id}/{one.channel}/{one.address}")[:16]

    def subscription(self, one: Subscription) -> dict[str, Any]:
        """A subscription as the list of all of them holds it."""
        return {
            **self._bare(one),
            "db_id": self.number,
            "profile_id": profile_id(one.person_id),
            "_xxh": xxh(self._people[one.person_id]),
            "hash_id": self._hash(one),
        }

    def _bare(self, one: Subscription) -> dict[str, Any]:
        return {
            "resource_id": one.resource_id,
            "channel": one.channel,
            _ADDRESS.get(one.channel, "cc_data"): one.address,
            **({"provider": "firebase"} if one.channel == "push" else {}),
            "priority": 0,
            "status": one.status,
            "custom_fields": {},
            "cats": [],
        }

    def event(self, event: MailEvent) -> dict[str, Any]:
        """One line of the history."""
        person = self._people[event.person_id]
        campaign = self._campaigns.get(event.campaign_id or 0)
        mailed = [one for one in self._subscriptions[person.id] if one.channel == "email"]
        shown = (
            {**self._bare(mailed[0]), "resource_name": self._resources.get(mailed[0].resource_id)}
            if mailed
            else None
        )
        return _present(
            {
                "xxh": xxh(person),
                "profile_id": profile_id(person.id),
                "email": self._names[person.id].email,
                "list_id": self.number,
                "action": event.action,
                "count": 1,
                "datetime": _millis(event.at),
                "message_id": campaign and campaign.id + 1000,
                "campaign_id": event.campaign_id,
                "event_id": event.id,
                "smid": event.message_id,
                "campaign_name": campaign and campaign.name,
                "message_name": campaign and f"{campaign.name} (template)",
                "subscription": shown,
                "channel": "email",
            }
        )

    def remove(self, person: Person) -> None:
        """Take a person out, with all that belongs to them."""
        for one in self._subscriptions.pop(person.id, []):
            self.subscriptions.remove(one)
        self.people.remove(person)
        self.records.remove(person)
        self.by_id = {profile_id(each.id): index for index, each in enumerate(self.people)}
        self.history = [entry for entry in self.history if entry[0] != xxh(person)]

    def happened(self, person: Person, event: MailEvent) -> None:
        """Take in an event of a person's history."""
        for name, times, events in self.history:
            if name == xxh(person):
                place = bisect_right(times, event.at)
                times.insert(place, event.at)
                events.add(event, at=place)

    def numbers(self, people: Iterable[int], resource: int) -> list[dict[str, Any]]:
        """How many of these people can be sent to, by channel."""
        chosen = set(people)
        states: dict[str, Counter[str]] = defaultdict(Counter)
        for one in self.subscriptions.items:
            if one.resource_id == resource and self._people[one.person_id].number in chosen:
                states[one.channel][one.status] += 1
        return [
            {
                "channel": channel,
                "status": {
                    "subscribed_sendable": counted["subscribed"],
                    "unconfirmed_sendable": counted["unconfirmed"],
                },
            }
            for channel, counted in sorted(states.items())
        ]


def databases(world: World) -> dict[int, Profiles]:
    """The databases by id; each person is in one of them, by number."""
    people = world.people_in("altcraft")
    ids = [database.id for database in world.mail_databases]
    return {
        id_: Profiles(id_, world, [p for p in people if p.number % len(ids) == index])
        for index, id_ in enumerate(ids)
    }


def thing(id_: int, name: str, *, group: Mapping[str, Any]) -> dict[str, Any]:
    """A database, resource or segment in its list."""
    return {"id": id_, "name": name, "ui_tags": [], "Groups": [group]}


def campaign(one: Campaign) -> dict[str, Any]:
    """A campaign in its list."""
    return {
        "id": one.id,
        "name": one.name,
        "type": one.kind,
        "is_active": one.is_active,
        "subid": f"c{one.id}",
        "for_confirm": False,
        "ui_tags": one.tags,
        "groups": [{"id": 1, "name": "Default"}],
    }


def segment(one: Segment, database: int | None) -> dict[str, Any]:
    """A segment with its rule."""
    rule = {
        "condition": "and",
        "limit": 0,
        "list_id": database,
        "percent_from": 0,
        "percent_to": 100,
        "queries": [],
    }
    return {
        "id": one.id,
        "name": one.name,
        "count": one.size,
        "segment": [rule] if database else [],
    }
