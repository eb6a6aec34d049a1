"""A world's profiles, subscriptions and mail history in Altcraft's words."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from zlib import crc32

from crmlab.sandbox.service import Record, Records, iso
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


def _present(record: Mapping[str, Any]) -> Record:
    present_fields: Record = {}
    for field, value in record.items():
        # zero and False are said: only what holds nothing is left out
        if value not in (None, "", []):
            present_fields[field] = value
    return present_fields


def _millis(time: datetime) -> str:
    return (iso(time) or "").replace("Z", ".000Z")


def _id_of(person: Person) -> str:
    return profile_id(person.id)


class _History(NamedTuple):
    """What happened to one person: their short hash, and their events with the time of each."""

    xxh: str
    times: list[datetime]
    events: Records


def _key(subscription: Subscription) -> tuple[int, str, str]:
    """Return what makes a subscription one of its person's."""
    return subscription.resource_id, subscription.channel, subscription.address


class Profiles:
    """The people of one database, in the order of their ids, with what happened to them."""

    def __init__(self, number: int, world: World, people: Iterable[Person]) -> None:
        self.number = number
        self.people = sorted(people, key=_id_of)
        self._people = {person.id: person for person in self.people}
        self._world = world
        self._names: dict[str, Alias] = {}
        for person in self.people:
            self._names[person.id] = world.alias(person, "altcraft")
        self._companies = world.companies_by_id()
        self._resources = {resource.id: resource.name for resource in world.mail_resources}
        self._campaigns = {campaign.id: campaign for campaign in world.campaigns}
        self._subscriptions: dict[str, list[Subscription]] = defaultdict(list)
        for subscription in world.subscriptions:
            person_id = subscription.person_id
            if person_id in self._people:
                self._subscriptions[person_id].append(subscription)
        self.records = Records(self.people, self.profile)
        self.subscriptions = Records(self._all_subscriptions(), self.subscription)
        self.by_id = self._positions()
        #: by person, what was imported
        self._written: dict[str, Record] = {}
        #: xxh, times and events of each profile, in the order that the history is read
        self.history = self._histories()

    def _all_subscriptions(self) -> Iterator[Subscription]:
        for person in self.people:
            yield from self._subscriptions[person.id]

    def _positions(self) -> dict[str, int]:
        return {_id_of(person): position for position, person in enumerate(self.people)}

    def _histories(self) -> list[_History]:
        events: dict[str, list[MailEvent]] = defaultdict(list)
        for event in sorted(self._world.mail_events, key=attrgetter("at")):
            events[event.person_id].append(event)
        histories = []
        for person in sorted(self.people, key=xxh):
            of_person = events[person.id]
            history = _History(
                xxh=xxh(person),
                times=[event.at for event in of_person],
                events=Records(of_person, self.event),
            )
            histories.append(history)
        return histories

    def add(self, person: Person) -> None:
        """Take a person in, who was imported."""
        position = bisect_left(self.people, _id_of(person), key=_id_of)
        self.people.insert(position, person)
        self._people[person.id] = person
        self._names[person.id] = Alias("", "", None, None)
        self.records.add(person, at=position)
        self.by_id = self._positions()
        history = _History(xxh(person), [], Records([], self.event))
        insort(self.history, history, key=attrgetter("xxh"))

    def write(self, person: Person, fields: Mapping[str, Any]) -> None:
        """Change fields of a profile, and the states of its subscriptions."""
        for subscription in fields.get("subscriptions") or []:
            self._subscribe(person, subscription)
        written = {**self._written.get(person.id, {}), **fields}
        # a profile shows those that the service keeps, and not the fields that changed them
        written.pop("subscriptions", None)
        self._written[person.id] = written
        self.records.replace(person, person)

    def _subscribe(self, person: Person, given: Mapping[str, Any]) -> None:
        """Change the subscription of that resource, channel and address, or add it."""
        channel = str(given.get("channel", "email"))
        address_field = _ADDRESS.get(channel, "cc_data")
        address = str(given.get(address_field) or "")
        status = given.get("status")
        # imports may number the states, of which only that of subscribed is shown
        new_status = "subscribed"
        if status not in (None, 0):
            new_status = str(status)
        subscriptions = self._subscriptions[person.id]
        key = (given.get("resource_id"), channel, address)
        for position, subscription in enumerate(subscriptions):
            if _key(subscription) == key:
                subscriptions[position] = replace(subscription, status=new_status)
                self.subscriptions.replace(subscription, subscriptions[position])
                return
        subscription_added = Subscription(
            person_id=person.id,
            resource_id=int(given["resource_id"]),
            channel=channel,
            address=address,
            status=new_status,
            created_at=datetime.now(UTC).replace(microsecond=0),
        )
        subscriptions.append(subscription_added)
        self.subscriptions.add(subscription_added)

    def profile(self, person: Person) -> Record:
        """One profile, flat: the service's fields, then the account's own."""
        own_alias: Alias = self._names[person.id]
        company = self._companies.get(person.company_id or "")
        # the first phone number is the one that this service has of them, if it has any
        phones: list[str] = []
        if own_alias.phone:
            phones = [own_alias.phone, *person.phones[1:]]
        subscriptions: list[Record] = []
        for subscription in self._subscriptions[person.id]:
            subscriptions.append(self._inside(subscription))
        return _present(
            {
                "id": profile_id(person.id),
                "db_id": self.number,
                "email": own_alias.email,
                "phones": phones,
                "_fname": own_alias.first_name,
                "_lname": own_alias.last_name,
                "_city": person.city,
                "_region": person.state,
                "_country": person.country_code,
                "_status": "active",
                "_createtime": _millis(person.created_at),
                "_regdate": _millis(person.created_at),
                "_xxh": xxh(person),
                "_md5": _md5(own_alias.email) if own_alias.email else None,
                "season": person.season,
                "company": company.name if company else None,
                "subscriptions": subscriptions,
                **self._written.get(person.id, {}),
            }
        )

    def _inside(self, subscription: Subscription) -> Record:
        """A subscription as a profile holds it."""
        address = subscription.address
        registered = {
            "date": _millis(subscription.created_at),
            "ip": "192.0.2.1",
        }
        record: Record = {
            "resource_id": subscription.resource_id,
            "channel": subscription.channel,
            "priority": 0,
            "status": subscription.status,
            "hash_id": self._hash(subscription),
            "is_delete": False,
            "reg_info": registered,
        }
        if subscription.channel == "email":
            record["email_data"] = {
                "email": address,
                "domain": address.rpartition("@")[2],
                "md5": _md5(address),
            }
        if subscription.channel == "push":
            record["push_data"] = {"subscription_id": address}
        return record

    def _hash(self, subscription: Subscription) -> str:
        identity = "/".join(map(str, _key(subscription)))
        return _md5(identity)[:16]

    def subscription(self, subscription: Subscription) -> Record:
        """A subscription as the list of all of them holds it."""
        return {
            **self._bare(subscription),
            "db_id": self.number,
            "profile_id": profile_id(subscription.person_id),
            "_xxh": xxh(self._people[subscription.person_id]),
            "hash_id": self._hash(subscription),
        }

    def _bare(self, subscription: Subscription) -> Record:
        address_field = _ADDRESS.get(subscription.channel, "cc_data")
        record: Record = {
            "resource_id": subscription.resource_id,
            "channel": subscription.channel,
            address_field: subscription.address,
        }
        if subscription.channel == "push":
            record["provider"] = "firebase"
        return record | {
            "priority": 0,
            "status": subscription.status,
            "custom_fields": {},
            "cats": [],
        }

    def event(self, event: MailEvent) -> Record:
        """One line of the history."""
        person = self._people[event.person_id]
        record = {
            "xxh": xxh(person),
            "profile_id": profile_id(person.id),
            "email": self._names[person.id].email,
            "list_id": self.number,
            "action": event.action,
            "count": 1,
            "datetime": _millis(event.at),
            **self._campaign_of(event),
            "subscription": self._mailed_to(person),
            "channel": "email",
        }
        return _present(record)

    def _campaign_of(self, event: MailEvent) -> Record:
        """What an event says of its campaign, which goals have none of."""
        campaign = self._campaigns.get(event.campaign_id or 0)
        message_id = None
        campaign_name = ""
        message_name = ""
        if campaign:
            # each campaign sends one message, whose number is no campaign's
            message_id = campaign.id + 1000
            campaign_name = campaign.name
            message_name = f"{campaign.name} (template)"
        return {
            "message_id": message_id,
            "campaign_id": event.campaign_id,
            "event_id": event.id,
            "smid": event.message_id,
            "campaign_name": campaign_name,
            "message_name": message_name,
        }

    def _mailed_to(self, person: Person) -> Record | None:
        """The subscription that a person is written to by."""
        for subscription in self._subscriptions[person.id]:
            if subscription.channel == "email":
                resource_name = self._resources.get(subscription.resource_id)
                return {**self._bare(subscription), "resource_name": resource_name}
        return None

    def remove(self, person: Person) -> None:
        """Take a person out, with all that belongs to them."""
        for subscription in self._subscriptions.pop(person.id, []):
            self.subscriptions.remove(subscription)
        self.people.remove(person)
        self.records.remove(person)
        self.by_id = self._positions()
        self.history = [history for history in self.history if history.xxh != xxh(person)]

    def happened(self, person: Person, event: MailEvent) -> None:
        """Take in an event of a person's history."""
        for profile_hash, times, events in self.history:
            if profile_hash == xxh(person):
                position = bisect_right(times, event.at)
                times.insert(position, event.at)
                events.add(event, at=position)

    def numbers(self, people: Iterable[int], resource: int) -> list[Record]:
        """How many of these people can be sent to, by channel."""
        chosen_numbers = set(people)
        states: dict[str, Counter[str]] = defaultdict(Counter)
        subscriptions = self.subscriptions.of("resource_id", resource)
        for subscription in subscriptions.items:
            person = self._people[subscription.person_id]
            if person.number in chosen_numbers:
                states[subscription.channel][subscription.status] += 1
        counters = []
        for channel, people_by_state in sorted(states.items()):
            sendable = {
                "subscribed_sendable": people_by_state["subscribed"],
                "unconfirmed_sendable": people_by_state["unconfirmed"],
            }
            counters.append({"channel": channel, "status": sendable})
        return counters


def databases(world: World) -> dict[int, Profiles]:
    """The databases by id; each person is in one of them, by number."""
    database_ids = [database.id for database in world.mail_databases]
    members: dict[int, list[Person]] = defaultdict(list)
    for person in world.people_in("altcraft"):
        if database_ids:
            database_id = database_ids[person.number % len(database_ids)]
            members[database_id].append(person)
    profiles: dict[int, Profiles] = {}
    for database_id in database_ids:
        profiles[database_id] = Profiles(database_id, world, members[database_id])
    return profiles


def thing(id_: int, name: str) -> Record:
    """A database, resource or segment in its list."""
    group = {"Id": 1, "Name": "Default"}
    return {
        "id": id_,
        "name": name,
        "ui_tags": [],
        "Groups": [group],
    }


def campaign(one: Campaign) -> Record:
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


def segment(one: Segment, database: int | None) -> Record:
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
