"""Appointments in Relenta, consent in Complero, mailings in Altcraft."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from random import Random
from uuid import UUID

from crmlab.sandbox.world.generate.draw import (
    Calendar,
    Stream,
    between,
    share_of,
    sometimes,
    weighted,
)
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
#: nobody is in the last
_SEGMENTS = ("Everyone", "English speakers", "Customers", "Starred", "Do not mail", "Nobody")
#: what ends a subscription, and its status then
_LEAVING = {
    "unsubscribe": "unsubscribed",
    "complain": "complained",
    "hardbounce": "hardbounced",
}
#: how people stand to messages on their phones, and how often
_SMS_STATUSES = {"subscribed": 80, "unsubscribed": 15, "unconfirmed": 5}


def add_appointments(world: World, rows: int) -> None:
    """Appointments from half a year ago to two months ahead."""
    rng = Stream(f"{world.seed}/appointments")
    people = world.people_in("relenta")
    today = world.now.date()
    calendar = Calendar(today - timedelta(days=180), today + timedelta(days=60))
    for index in range(share_of(rows, 0.5)):
        appointment = _appointment(world, rng, people, calendar, index)
        world.appointments.append(appointment)


def _appointment(
    world: World,
    rng: Random,
    people: list[Person],
    calendar: Calendar,
    index: int,
) -> Appointment:
    starts_at = calendar.moment(rng)
    is_all_day = rng.random() < 0.1
    if is_all_day:
        starts_at = starts_at.replace(hour=0, minute=0, second=0)
        length = timedelta(days=1)
    else:
        quarter_of_hour = starts_at.minute // 15
        starts_at = starts_at.replace(minute=quarter_of_hour * 15, second=0)
        length = timedelta(minutes=rng.choice((30, 60, 90)))
    hours_before = rng.randint(1, 240)
    created_at = min(starts_at, world.now) - timedelta(hours=hours_before)
    author_id = rng.choice(world.users).id
    return Appointment(
        id=str(2_300_001 + index),
        label=rng.choice(("Lunch", "Demo", "Call", "Visit", "Workshop")),
        kind="default",
        calendar_id=str(rng.randint(101, 104)),
        all_day=is_all_day,
        starts_at=starts_at,
        ends_at=starts_at + length,
        rrule=sometimes(rng, 0.08, _REPEATS, ""),
        status=_appointment_status(rng, starts_at, world.now),
        author=author_id,
        user_ids=[author_id],
        person_ids=_guest_ids(rng, people),
        subject=rng.choice(TASKS),
        body=sometimes(rng, 0.5, TEXTS, ""),
        created_at=created_at,
        modified_at=between(rng, created_at, world.now),
    )


def _appointment_status(rng: Random, starts_at: datetime, now: datetime) -> str:
    # of those that are over, nobody has ticked off every fifth
    if starts_at > now or rng.random() < 0.2:
        return "open"
    return "completed"


def _guest_ids(rng: Random, people: list[Person]) -> list[str]:
    guest_count = min(len(people), rng.choice((1, 1, 2)))
    return [guest.id for guest in rng.sample(people, guest_count)]


def add_consent(world: World, calendar: Calendar) -> None:
    """Two years of consent on one or two channels, and the uploads of the last 90 days."""
    rng = Stream(f"{world.seed}/consent")
    people = world.people_in("complero")
    two_years_ago = world.now - timedelta(days=730)
    for person in people:
        channel_count = weighted(rng, {1: 4, 2: 1})
        for channel in rng.sample(("email", "phone", "letter", "sms"), channel_count):
            event_time = _first_asked(rng, person, two_years_ago, calendar)
            for kind, opted_in, has_documentation in _consent_story(rng):
                consent_event = ConsentEvent(
                    id=_uuid(rng),
                    person_id=person.id,
                    kind=kind,
                    channel=channel,
                    opted_in=opted_in,
                    source=rng.choice(_SOURCES),
                    has_documentation=has_documentation,
                    at=event_time,
                )
                world.consent_events.append(consent_event)
                event_time = calendar.soon(rng, event_time + timedelta(minutes=5), 90)
                # the rest of the story is still to come
                if event_time >= world.now:
                    break
    world.consent_events.sort(key=attrgetter("at", "id"))
    _add_operations(world, len(people), calendar)


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _first_asked(rng: Random, person: Person, since: datetime, calendar: Calendar) -> datetime:
    if person.created_at < since:
        return calendar.moment(rng, since)
    asked_at = calendar.soon(rng, person.created_at, 15)
    if asked_at < calendar.end:
        return asked_at
    return between(rng, person.created_at, calendar.end)


def _consent_story(rng: Random) -> Iterator[tuple[str, bool, bool]]:
    """What happens to one person's consent on one channel: kind, opted in, documented."""
    if rng.random() < 0.5:
        first_kind = "sync"
        if rng.random() < 0.8:
            first_kind = "create"
        yield first_kind, False, False
        # many never answer
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
        # the newest one goes on
        if index == 0:
            status = "pending"
            created_at = world.now - timedelta(minutes=3)
        else:
            status = weighted(rng, {"completed": 96, "failed": 4})
            created_at = calendar.moment(rng, since)
        record_kind = "Contact"
        max_items = max(1, min(people, 1_000))
        if index % 20 == 1:
            record_kind = "Employee"
            max_items = len(world.users)
        upload = Operation(
            id=_uuid(rng),
            kind="upload",
            model=record_kind,
            status=status,
            items_count=rng.randint(1, max_items),
            created_at=created_at,
        )
        world.operations.append(upload)
    world.operations.sort(key=attrgetter("created_at", "id"))


def add_mailing(world: World, calendar: Calendar) -> None:
    """Campaigns of the last year, who got them and what became of it."""
    rng = Stream(f"{world.seed}/mail")
    campaigns = _add_campaigns(world, rng, calendar)
    for person in world.people_in("altcraft"):
        if person.emails:
            _mail(world, rng, person, campaigns, calendar)
        _add_other_channels(world, rng, person)
    world.mail_events.sort(key=attrgetter("id"))
    _add_segments(world)


def _add_campaigns(
    world: World, rng: Random, calendar: Calendar
) -> list[tuple[int, datetime | None]]:
    """Their ids, and when each was sent at once; regular and trigger ones have no one time."""
    campaigns: list[tuple[int, datetime | None]] = []
    a_year_ago = world.now - timedelta(days=365)
    subjects = _CAMPAIGNS.split(",")
    for index in range(24):
        kind = ("broadcast", "broadcast", "regular", "trigger")[index % 4]
        issues_before, subject = divmod(index, len(subjects))
        tag_count = rng.randint(0, 2)
        campaign = Campaign(
            id=101 + index,
            name=f"{subjects[subject]} {issues_before + 1}",
            kind=kind,
            tags=rng.sample(("news", "sales", "event", "b2b"), tag_count),
            is_active=rng.random() < 0.7,
        )
        world.campaigns.append(campaign)
        sent_at = None
        if kind == "broadcast":
            sent_at = calendar.moment(rng, a_year_ago)
        campaigns.append((campaign.id, sent_at))
    return campaigns


def _mail(
    world: World,
    rng: Stream,
    person: Person,
    campaigns: list[tuple[int, datetime | None]],
    calendar: Calendar,
) -> None:
    joined_at = min(calendar.soon(rng, person.created_at, 15), calendar.end)
    status = "unconfirmed"
    if rng.random() >= 0.05:
        status = "subscribed"
        _add_mail_event(world, rng, person, "subscribe", joined_at)
        joined_at = _confirm(world, rng, person, joined_at)
        if not person.do_not_mail:
            mailings = _mailings(world, rng, campaigns, calendar, joined_at)
            status = _send(world, rng, person, mailings)
    subscription = Subscription(
        person_id=person.id,
        resource_id=rng.choice(world.mail_resources).id,
        channel="email",
        address=person.emails[0],
        status=status,
        created_at=joined_at,
    )
    world.subscriptions.append(subscription)


def _mailings(
    world: World,
    rng: Random,
    campaigns: list[tuple[int, datetime | None]],
    calendar: Calendar,
    joined_at: datetime,
) -> list[tuple[datetime, int]]:
    """What a person is sent since they joined, oldest first: when, and of which campaign."""
    a_year_ago = world.now - timedelta(days=365)
    mailings = []
    for campaign_id, common_time in rng.sample(campaigns, rng.randint(2, 9)):
        # what is not sent to all at once comes to each at another time
        sent_at = common_time or calendar.moment(rng, a_year_ago)
        if sent_at > joined_at:
            mailings.append((sent_at, campaign_id))
    return sorted(mailings)


def _add_mail_event(
    world: World, rng: Stream, person: Person, action: str, event_time: datetime
) -> None:
    """Add an event of no campaign."""
    mail_event = MailEvent(
        id=rng.id(event_time),
        person_id=person.id,
        campaign_id=None,
        message_id=None,
        action=action,
        at=event_time,
    )
    world.mail_events.append(mail_event)


def _confirm(world: World, rng: Stream, person: Person, asked: datetime) -> datetime:
    """Most confirm within hours, some after days, some never: when it was done, or asked for."""
    confirmed_at = asked + timedelta(seconds=int(rng.lognormvariate(9, 2)))
    if rng.random() < 0.15 or confirmed_at >= world.now:
        return asked
    _add_mail_event(world, rng, person, "confirm", confirmed_at)
    return confirmed_at


def _send(
    world: World,
    rng: Stream,
    person: Person,
    sends: list[tuple[datetime, int]],
) -> str:
    """Mail the person until they leave; the subscription's status in the end."""
    interest = rng.betavariate(2, 3.5)
    for sent_at, campaign_id in sends:
        event_time = sent_at
        message_id = f"{campaign_id}-{rng.count:x}"
        for action in _mail_story(rng, interest):
            if action != "send":
                seconds_later = int(rng.expovariate(1 / 20_000))
                event_time += timedelta(seconds=60 + seconds_later)
            if event_time >= world.now:
                break
            mail_event = MailEvent(
                id=rng.id(event_time),
                person_id=person.id,
                campaign_id=campaign_id,
                message_id=message_id,
                action=action,
                at=event_time,
            )
            world.mail_events.append(mail_event)
            # who has left gets no further mail
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
            if rng.random() < 0.85:
                yield "unsubscribe"
            else:
                yield "complain"


def _add_other_channels(world: World, rng: Random, person: Person) -> None:
    if person.phones and rng.random() < 0.35:
        subscription = Subscription(
            person_id=person.id,
            resource_id=2,
            channel="sms",
            status=weighted(rng, _SMS_STATUSES),
            address=person.phones[0],
            created_at=person.created_at,
        )
        world.subscriptions.append(subscription)
    if rng.random() < 0.08:
        subscription = Subscription(
            person_id=person.id,
            resource_id=1,
            channel="push",
            status="subscribed",
            address=f"push-{person.id}",
            created_at=person.created_at,
        )
        world.subscriptions.append(subscription)


def _add_segments(world: World) -> None:
    members: dict[str, list[int]] = {segment_name: [] for segment_name in _SEGMENTS}
    for person in world.people_in("altcraft"):
        for segment_name in _segments_of(person):
            members[segment_name].append(person.number)
    for number, segment_name in enumerate(_SEGMENTS, start=1):
        person_numbers = members[segment_name]
        segment = Segment(
            id=number,
            name=segment_name,
            size=len(person_numbers),
            person_numbers=person_numbers,
        )
        world.segments.append(segment)


def _segments_of(person: Person) -> Iterator[str]:
    yield "Everyone"
    if person.language == "en":
        yield "English speakers"
    if person.status_key == "customer":
        yield "Customers"
    if person.starred:
        yield "Starred"
    if person.do_not_mail:
        yield "Do not mail"
