"""A world as it was some days before: the same people, and of everything what there was then.

What a record says of its own past is used: stages and amounts of deals by their history, consent and mailings by their
events. What else was changed later lacks something: a person the last number and tag, a company its
description, and a note is a draft. What users deleted later is there, and the last consent and the last line of mail
history are not yet: they arrive late. Of all else, such as a person's address, the state of today is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta
from operator import attrgetter
from time import monotonic
from typing import Protocol, TypeVar

from crmlab.errors import UsageError
from crmlab.sandbox.world.deleted import with_deleted, without_deleted
from crmlab.sandbox.world.model import (
    Action,
    Appointment,
    Banner,
    Company,
    ConsentEvent,
    Deal,
    Integration,
    MailEvent,
    Note,
    Person,
    Segment,
    Subscription,
    TagSegment,
    World,
)

#: what ends a subscription
_LEAVING = ("unsubscribe", "complain", "hardbounce")

#: so that no time is before the first one that Python knows
_MAX_DAYS = 36_500
#: how late an event may be told
_LATE = timedelta(hours=20)
#: what happened at a time
_Event = TypeVar("_Event", ConsentEvent, MailEvent)
#: records of which no past is known
_Kept = TypeVar("_Kept", Person, Company, Note, Appointment)


def earlier(world: World, days: int) -> World:
    """Return the world as it was `days` days before its end; the world itself stays as it is.

    Where it is served, its clock goes on from there. What was created later is absent. A deal has the stage, status
    and amount of then: one that was closed later is open, and expected to close on the day on which it was. An action
    that was done later is to be done.

    Raises
    ------
    UsageError
        `days` is negative, or more than a hundred years.

    Examples
    --------
    >>> from crmlab.sandbox.world.generate import generate
    >>> now = generate(50)
    >>> then = earlier(now, 90)
    >>> (now.now - then.now).days, len(then.deals) < len(now.deals)
    (90, True)
    """
    if days < 0:
        raise UsageError(f"days_ago={days} is in the future: give 0 or more")
    if days > _MAX_DAYS:
        raise UsageError(f"days_ago={days} is before all of it: give at most {_MAX_DAYS}")
    if days == 0:
        return world
    time_then = world.now - timedelta(days=days)
    # of a world that is a past one already: its deleted records are drawn anew
    remaining = without_deleted(world)
    then = replace(
        remaining,
        now=time_then,
        clock=_clock_from(time_then),
        companies=_as_then(remaining.companies, time_then, _company),
        deals=_as_then(remaining.deals, time_then, _deal),
        actions=_as_then(remaining.actions, time_then, _action),
        notes=_as_then(remaining.notes, time_then, _note),
        calls=_created(remaining.calls, time_then),
        meetings=_created(remaining.meetings, time_then),
        appointments=_as_then(remaining.appointments, time_then, _appointment),
        consent_events=_arrived(remaining.consent_events, time_then),
        operations=_created(remaining.operations, time_then),
        mail_events=_arrived(remaining.mail_events, time_then),
        tag_segments=[_tag_segment(segment, time_then) for segment in remaining.tag_segments],
        banners=[_banner(banner, time_then) for banner in remaining.banners],
        changes=_created(remaining.changes, time_then),
    )
    # what follows from others: from deals who is a customer, from events who has left, from people who is where
    then.people = _people_then(remaining, then)
    then.subscriptions = _subscriptions_then(remaining, then)
    then.segments = [_segment(segment, then.people) for segment in remaining.segments]
    then.integrations = []
    for integration in _created(remaining.integrations, time_then):
        then.integrations.append(_integration(integration, time_then, days))
    return with_deleted(then)


def _people_then(world: World, then: World) -> list[Person]:
    customers = {deal.contact_id for deal in then.deals if deal.status == "won"}
    people = _created(world.people, then.now)
    return [_person(person, customers, then.now) for person in people]


def _subscriptions_then(world: World, then: World) -> list[Subscription]:
    endings = set()
    for event in then.mail_events:
        if event.action in _LEAVING:
            endings.add((event.person_id, event.action))
    subscriptions = _created(world.subscriptions, then.now)
    return [_subscription(subscription, endings) for subscription in subscriptions]


def _clock_from(now: datetime) -> Callable[[], datetime]:
    """Return a clock that shows `now`, and goes on from there."""
    started_at = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - started_at)


class _Dated(Protocol):
    """A record that says when it was created."""

    created_at: datetime


_Record = TypeVar("_Record", bound=_Dated)


def _created(records: Iterable[_Record], now: datetime) -> list[_Record]:
    """Return the records that were there already."""
    return [record for record in records if record.created_at <= now]


def _as_then(
    records: Iterable[_Record],
    now: datetime,
    past_of: Callable[[_Record, datetime], _Record],
) -> list[_Record]:
    """Return the records that were there already, each as it was."""
    return [past_of(record, now) for record in _created(records, now)]


def _deal(deal: Deal, now: datetime) -> Deal:
    history = []
    for reached_at, stage in deal.stage_history:
        if reached_at <= now:
            history.append((reached_at, stage))
    amounts_before = []
    amounts_since = []
    for until, amount in deal.earlier_amounts:
        if until > now:
            amounts_since.append(amount)
        else:
            amounts_before.append((until, amount))
    then = replace(deal, stage_history=history, earlier_amounts=amounts_before)
    if history:
        then.stage = history[-1][1]
    # the first amount that ended later was the one of then
    if amounts_since:
        then.amount = amounts_since[0]
    changes = [change_time for change_time, _ in (*history, *amounts_before)]
    modified_until_then = min(deal.modified_at, now)
    if deal.status == "pending":
        return replace(then, modified_at=max(changes, default=modified_until_then))
    if _closed_at(deal) <= now:
        return replace(then, modified_at=modified_until_then)
    return replace(
        then,
        status="pending",
        close_date=None,
        expected_close_date=deal.close_date,
        lost_reason_id=None,
        modified_at=max(changes, default=deal.created_at),
    )


def _closed_at(deal: Deal) -> datetime:
    """Return when a deal was won or lost: closing is the last that happens to it."""
    if deal.close_date is None or deal.modified_at.date() == deal.close_date:
        return deal.modified_at
    return datetime.combine(deal.close_date, time(), deal.modified_at.tzinfo)


def _arrived(events: list[_Event], now: datetime) -> list[_Event]:
    """Return what happened until now, without the last of the latest hours: it is told later than it happened."""
    happened = [event for event in events if event.at <= now]
    last_event = max(happened, key=attrgetter("at"), default=None)
    if last_event is None or last_event.at < now - _LATE:
        return happened
    return [event for event in happened if event is not last_event]


def _company(company: Company, now: datetime) -> Company:
    if company.modified_at <= now:
        return company
    return replace(_unchanged(company, now), description="")


def _note(note: Note, now: datetime) -> Note:
    if note.modified_at <= now:
        return note
    return replace(_unchanged(note, now), text=f"{note.text} (draft)")


def _person(person: Person, customers: Collection[str], now: datetime) -> Person:
    person_then = _unchanged(person, now)
    # starred, the last number and the last tag came with that change
    if person.modified_at > now:
        person_then = replace(person_then, starred=not person.starred)
        # Complero's events show what they held when they were told
        if "complero" not in person.services:
            person_then.phones = person.phones[:-1]
            person_then.tags = person.tags[:-1]
    if person.status_key == "customer" and person.id not in customers:
        return replace(person_then, status_key="prospect")
    return person_then


def _unchanged(record: _Kept, now: datetime) -> _Kept:
    """Return a record of which no past is known: it was as it is, and changed later."""
    if record.modified_at <= now:
        return record
    return replace(record, modified_at=record.created_at)


def _action(action: Action, now: datetime) -> Action:
    if not action.done or action.modified_at <= now:
        return action
    status = "asap"
    if action.date:
        status = "date"
    return replace(
        action,
        status=status,
        done=False,
        done_at=None,
        modified_at=action.created_at,
    )


def _appointment(appointment: Appointment, now: datetime) -> Appointment:
    appointment_then = _unchanged(appointment, now)
    if appointment.starts_at <= now:
        return appointment_then
    return replace(appointment_then, status="open")


def _subscription(subscription: Subscription, left: Collection[tuple[str, str]]) -> Subscription:
    """Return a subscription, in force where the mailing that ended it was still to come."""
    ended_by = _ended_by(subscription.status)
    # only of mails the events are known
    if subscription.channel != "email" or ended_by is None:
        return subscription
    if (subscription.person_id, ended_by) in left:
        return subscription
    return replace(subscription, status="subscribed")


def _ended_by(status: str) -> str | None:
    """Return the event that leads to a status: ``"unsubscribe"`` to ``"unsubscribed"``."""
    for action in _LEAVING:
        if status.startswith(action):
            return action
    return None


def _segment(segment: Segment, people: Collection[Person]) -> Segment:
    numbers_then = {person.number for person in people}
    members = [number for number in segment.person_numbers if number in numbers_then]
    return replace(segment, size=len(members), person_numbers=members)


def _tag_segment(segment: TagSegment, now: datetime) -> TagSegment:
    # the day of then was not over, and its counts were not told yet
    whole_days = [counts for counts in segment.daily if counts[0] < now.date()]
    return replace(segment, daily=whole_days)


def _banner(banner: Banner, now: datetime) -> Banner:
    whole_days = [counts for counts in banner.daily if counts.day < now.date()]
    return replace(banner, daily=whole_days)


def _integration(integration: Integration, now: datetime, days: int) -> Integration:
    """Return an integration with deliveries of the week before then: each week is like the last one that is known."""
    week = timedelta(days=7)
    whole_weeks = days // 7
    hourly = []
    # the week before then begins within one week and ends within the next
    for weeks_before in (whole_weeks + 1, whole_weeks):
        for hour, success, failed, rejected in integration.hourly:
            earlier_hour = hour - weeks_before * week
            if now - week <= earlier_hour < now:
                hourly.append((earlier_hour, success, failed, rejected))
    last_run_at = integration.last_run_at
    if last_run_at is not None:
        last_run_at -= timedelta(days=days)
    return replace(integration, last_run_at=last_run_at, hourly=hourly)
