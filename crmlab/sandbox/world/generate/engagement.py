"""Appointments in Relenta, consent in Complero, mailings in Altcraft."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from crmlab.sandbox.world.generate.draw import Calendar, Stream, between, share_of
from crmlab.sandbox.world.generate.words import TASKS, TEXTS
from crmlab.sandbox.world.model import (
    Appointment,
    Campaign,
    ConsentEvent,
    MailEvent,
    Operation,
    Person,
    Segment,
    Subscription,
    World,
)

_REPEATS = ("FREQ=WEEKLY;BYDAY=MO;COUNT=10", "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=DAILY;COUNT=3")
_SOURCES = ("web form", "call centre", "trade fair", "paper form", "api", "preference centre")
_CAMPAIGNS = (
    "Spring news,Summer offer,Autumn fair,Winter sale,Product update,Webinar,Survey,Case study"
)
#: what ends a subscription, and its status then
_LEAVING = {"unsubscribe": "unsubscribed", "complain": "complained", "hardbounce": "hardbounced"}


def add_appointments(world: World, rows: int) -> None:
    """Appointments from half a year ago to two months ahead."""
    rng = Stream(f"{world.seed}/appointments")
    people = world.people_in("relenta")
    today = world.now.date()
    calendar = Calendar(today - timedelta(days=180), today + timedelta(days=60))
    for index in range(share_of(rows, 0.5)):
        start = calendar.moment(rng)
        all_day = rng.random() < 0.1
        start = start.replace(minute=start.minute // 15 * 15, second=0)
        if all_day:
            start = start.replace(hour=0, minute=0)
        length = timedelta(days=1) if all_day else timedelta(minutes=rng.choice((30, 60, 90)))
        created = min(start, world.now) - timedelta(hours=rng.randint(1, 240))
        author = rng.choice(world.users).id
        world.appointments.append(
            Appointment(
                id=str(2_300_001 + index),
                label=rng.choice(("Lunch", "Demo", "Call", "Visit", "Workshop")), kind="default",
                calendar_id=str(rng.randint(101, 104)),
                all_day=all_day, starts_at=start, ends_at=start + length,
                rrule=rng.choice(_REPEATS) if rng.random() < 0.08 else "",
                status="open" if start > world.now or rng.random() < 0.2 else "completed",
                author=author, user_ids=[author],
                person_ids=[p.id for p in rng.sample(people, min(len(people), rng.choice((1, 1, 2))))],
                subject=rng.choice(TASKS), body=rng.choice(TEXTS) if rng.random() < 0.5 else "",
                created_at=created, modified_at=between(rng, created, world.now),
            )
        )  # fmt: skip


def add_consent(world: World, calendar: Calendar) -> None:
    """Two years of consent on one or two channels, and the uploads of the last 90 days."""
    rng = Stream(f"{world.seed}/consent")
    people = world.people_in("complero")
    for person in people:
        channels = rng.sample(("email", "phone", "letter", "sms"), rng.choices((1, 2), (4, 1))[0])
        for channel in channels:
            at = _first_asked(rng, person, world.now - timedelta(days=730), calendar)
            for kind, opted_in, has_documentation in _consent_story(rng):
                world.consent_events.append(
                    ConsentEvent(id=_uuid(rng), person_id=person.id, kind=kind, channel=channel,
                                 opted_in=opted_in, source=rng.choice(_SOURCES),
                                 has_documentation=has_documentation, at=at)
                )  # fmt: skip
                at = calendar.soon(rng, at + timedelta(minutes=5), 90)
                if at >= world.now:
                    break
    world.consent_events.sort(key=lambda event: (event.at, event.id))
    _add_operations(world, len(people), calendar)


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _first_asked(rng: Random, person: Person, since: datetime, calendar: Calendar) -> datetime:
    if person.created_at < since:
        return calendar.moment(rng, since)
    at = calendar.soon(rng, person.created_at, 15)
    return at if at < calendar.end else between(rng, person.created_at, calendar.end)


def _consent_story(rng: Random) -> Iterator[tuple[str, bool, bool]]:
    """What happens to one person's consent on one channel: kind, opted in, documented."""
    if rng.random() < 0.5:
        yield "create" if rng.random() < 0.8 else "sync", False, False
        if rng.random() < 0.35:
            return
    documented = rng.random() < 0.6
    yield "confirm", True, documented
    if documented and rng.random() < 0.15:
        yield "documentation", True, True
    if rng.random() < 0.12:
        yield "update", True, documented
    if rng.random() < 0.18:
        yield "update", False, False
        if rng.random() < 0.1:
            yield "confirm", True, True


def _add_operations(world: World, people: int, calendar: Calendar) -> None:
    rng = Stream(f"{world.seed}/operations")
    since = world.now - timedelta(days=90)
    for index in range(max(4, min(people // 100, 2_000))):
        status = "pending" if index == 0 else rng.choices(("completed", "failed"), (96, 4))[0]
        at = world.now - timedelta(minutes=3) if index == 0 else calendar.moment(rng, since)
        model = "Employee" if index % 20 == 1 else "Contact"
        max_items = len(world.users) if model == "Employee" else max(1, min(people, 1_000))
        world.operations.append(
            Operation(id=_uuid(rng), kind="upload", model=model, status=status,
                      items_count=rng.randint(1, max_items), created_at=at)
        )  # fmt: skip
    world.operations.sort(key=lambda operation: (operation.created_at, operation.id))


def add_mailing(world: World, calendar: Calendar) -> None:
    """Campaigns of the last year, who got them and what became of it."""
    rng = Stream(f"{world.seed}/mail")
    campaigns = _add_campaigns(world, rng, calendar)
    for person in world.people_in("altcraft"):
        if person.emails:
            _mail(world, rng, person, campaigns, calendar)
        _add_other_channels(world, rng, person)
    world.mail_events.sort(key=lambda event: event.id)
    _add_segments(world)


def _add_campaigns(
    world: World, rng: Random, calendar: Calendar
) -> list[tuple[int, datetime | None]]:
    """Their ids, and when each was sent at once; regular and trigger ones have no one time."""
    sent: list[tuple[int, datetime | None]] = []
    for index in range(24):
        kind = ("broadcast", "broadcast", "regular", "trigger")[index % 4]
        name = f"{_CAMPAIGNS.split(',')[index % 8]} {index // 8 + 1}"
        tags = rng.sample(("news", "sales", "event", "b2b"), rng.randint(0, 2))
        campaign = Campaign(
            id=101 + index, name=name, kind=kind, is_active=rng.random() < 0.7, tags=tags
        )
        world.campaigns.append(campaign)
        year = world.now - timedelta(days=365)
        sent.append((campaign.id, calendar.moment(rng, year) if kind == "broadcast" else None))
    return sent


def _mail(
    world: World,
    rng: Stream,
    person: Person,
    campaigns: list[tuple[int, datetime | None]],
    calendar: Calendar,
) -> None:
    joined = min(calendar.soon(rng, person.created_at, 15), calendar.end)
    status = "unconfirmed"
    if rng.random() >= 0.05:
        status = "subscribed"
        world.mail_events.append(
            MailEvent(id=rng.id(joined), person_id=person.id, campaign_id=None,
                      message_id=None, action="subscribe", at=joined)
        )  # fmt: skip
        joined = _confirm(world, rng, person, joined)
        if not person.do_not_mail:
            chosen = rng.sample(campaigns, rng.randint(2, 9))
            year = world.now - timedelta(days=365)
            sends = [(at or calendar.moment(rng, year), campaign) for campaign, at in chosen]
            status = _send(world, rng, person, sorted(send for send in sends if send[0] > joined))
    world.subscriptions.append(
        Subscription(person_id=person.id, resource_id=rng.choice(world.mail_resources).id,
                     channel="email", address=person.emails[0], status=status, created_at=joined)
    )  # fmt: skip


def _confirm(world: World, rng: Stream, person: Person, asked: datetime) -> datetime:
    """Most confirm within hours, some after days, some never: when it was done, or asked for."""
    at = asked + timedelta(seconds=int(rng.lognormvariate(9, 2)))
    if rng.random() < 0.15 or at >= world.now:
        return asked
    world.mail_events.append(
        MailEvent(
            id=rng.id(at),
            person_id=person.id,
            campaign_id=None,
            message_id=None,
            action="confirm",
            at=at,
        )
    )
    return at


def _send(world: World, rng: Stream, person: Person, sends: list[tuple[datetime, int]]) -> str:
    """Mail the person until they leave; the subscription's status in the end."""
    interest = rng.betavariate(2, 3.5)
    for sent, campaign in sends:
        at = sent
        message = f"{campaign}-{rng.count:x}"
        for action in _mail_story(rng, interest):
            if action != "send":
                at += timedelta(seconds=60 + int(rng.expovariate(1 / 20_000)))
            if at >= world.now:
                break
            world.mail_events.append(
                MailEvent(id=rng.id(at), person_id=person.id, campaign_id=campaign,
                          message_id=message, action=action, at=at)
            )  # fmt: skip
            if action in _LEAVING:
                return _LEAVING[action]
    return "subscribed"


def _mail_story(rng: Random, interest: float) -> Iterator[str]:
    yield "send"
    if rng.random() < 0.01:
        yield "hardbounce"
    if rng.random() < interest:
        yield "open"
        if rng.random() < 0.25:
            yield "click"
        if rng.random() < 0.02:
            yield "unsubscribe" if rng.random() < 0.85 else "complain"


def _add_other_channels(world: World, rng: Random, person: Person) -> None:
    if person.phones and rng.random() < 0.35:
        status = rng.choices(("subscribed", "unsubscribed", "unconfirmed"), (80, 15, 5))[0]
        world.subscriptions.append(
            Subscription(person_id=person.id, resource_id=2, channel="sms", status=status,
                         address=person.phones[0], created_at=person.created_at)
        )  # fmt: skip
    if rng.random() < 0.08:
        world.subscriptions.append(
            Subscription(person_id=person.id, resource_id=1, channel="push", status="subscribed",
                         address=f"push-{person.id}", created_at=person.created_at)
        )  # fmt: skip


def _add_segments(world: World) -> None:
    people = world.people_in("altcraft")
    rules = {
        "Everyone": people,
        "English speakers": [p for p in people if p.language == "en"],
        "Customers": [p for p in people if p.status_key == "customer"],
        "Starred": [p for p in people if p.starred],
        "Do not mail": [p for p in people if p.do_not_mail],
        "Nobody": [],
    }
    world.segments = [
        Segment(id=index, name=name, size=len(members), person_numbers=[p.number for p in members])
        for index, (name, members) in enumerate(rules.items(), start=1)
    ]
