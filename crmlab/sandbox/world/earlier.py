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
        `days` is negative.

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
    if days == 0:
        return world
    now = world.now - timedelta(days=days)
    world = without_deleted(world)
    deals = [_deal(deal, now) for deal in _created(world.deals, now)]
    customers = {deal.contact_id for deal in deals if deal.status == "won"}
    people = [_person(person, customers, now) for person in _created(world.people, now)]
    mail_events = _arrived(world.mail_events, now)
    left = {(event.person_id, event.action) for event in mail_events if event.action in _LEAVING}

    then = replace(
        world,
        now=now,
        clock=_clock_from(now),
        companies=[_company(company, now) for company in _created(world.companies, now)],
        people=people,
        deals=deals,
        actions=[_action(action, now) for action in _created(world.actions, now)],
        notes=[_note(note, now) for note in _created(world.notes, now)],
        calls=_created(world.calls, now),
        meetings=_created(world.meetings, now),
        appointments=[
            _appointment(appointment, now) for appointment in _created(world.appointments, now)
        ],
        consent_events=_arrived(world.consent_events, now),
        operations=_created(world.operations, now),
        mail_events=mail_events,
        subscriptions=[
            _subscription(subscription, left) for subscription in _created(world.subscriptions, now)
        ],
        segments=[_segment(segment, people) for segment in world.segments],
        tag_segments=[_tag_segment(segment, now) for segment in world.tag_segments],
        banners=[_banner(banner, now) for banner in world.banners],
        integrations=[
            _integration(integration, now, days)
            for integration in _created(world.integrations, now)
        ],
        changes=_created(world.changes, now),
    )
    return with_deleted(then)


def _clock_from(now: datetime) -> Callable[[], datetime]:
    """Return a clock that shows `now`, and goes on from there."""
    started = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - started)


class _Dated(Protocol):
    """A record that says when it was created."""

    created_at: datetime


_Record = TypeVar("_Record", bound=_Dated)


def _created(records: Iterable[_Record], now: datetime) -> list[_Record]:
    """Return the records that were there already."""
    return [record for record in records if record.created_at <= now]


def _deal(deal: Deal, now: datetime) -> Deal:
    history = [(at, stage) for at, stage in deal.stage_history if at <= now]
    later_amounts = [(until, amount) for until, amount in deal.earlier_amounts if until > now]
    changes = [at for at, _ in history] + [
        until for until, _ in deal.earlier_amounts if until <= now
    ]
    then = replace(
        deal,
        stage=history[-1][1] if history else deal.stage,
        stage_history=history,
        amount=later_amounts[0][1] if later_amounts else deal.amount,
        earlier_amounts=[each for each in deal.earlier_amounts if each not in later_amounts],
    )
    if deal.status == "pending":
        return replace(then, modified_at=max(changes, default=min(deal.modified_at, now)))
    if _closed_at(deal) <= now:
        return replace(then, modified_at=min(deal.modified_at, now))
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
    last = max(happened, key=lambda event: event.at, default=None)
    if last is None or last.at < now - _LATE:
        return happened
    return [event for event in happened if event is not last]


def _company(company: Company, now: datetime) -> Company:
    then = _unchanged(company, now)
    return then if company.modified_at <= now else replace(then, description="")


def _note(note: Note, now: datetime) -> Note:
    then = _unchanged(note, now)
    return then if note.modified_at <= now else replace(then, text=f"{note.text} (draft)")


def _person(person: Person, customers: Collection[str], now: datetime) -> Person:
    then = _unchanged(person, now)
    if person.modified_at > now:  # starred, the last number and the last tag came with that change
        then = replace(then, starred=not person.starred)
        if (
            "complero" not in person.services
        ):  # whose events show what they held when they were told
            then = replace(then, phones=person.phones[:-1], tags=person.tags[:-1])
    if person.status_key == "customer" and person.id not in customers:
        return replace(then, status_key="prospect")
    return then


def _unchanged(record: _Kept, now: datetime) -> _Kept:
    """Return a record of which no past is known: it was as it is, and changed later."""
    if record.modified_at <= now:
        return record
    return replace(record, modified_at=record.created_at)


def _action(action: Action, now: datetime) -> Action:
    if not action.done or action.modified_at <= now:
        return action
    return replace(
        action,
        status="date" if action.date else "asap",
        done=False,
        done_at=None,
        modified_at=action.created_at,
    )


def _appointment(appointment: Appointment, now: datetime) -> Appointment:
    then = _unchanged(appointment, now)
    return replace(then, status="open") if appointment.starts_at > now else then


def _subscription(subscription: Subscription, left: Collection[tuple[str, str]]) -> Subscription:
    """Return a subscription, in force where the mailing that ended it was still to come."""
    ended_by = _ended_by(subscription.status)
    if (
        subscription.channel != "email"
        or ended_by is None
        or (subscription.person_id, ended_by) in left
    ):
        return subscription
    return replace(subscription, status="subscribed")


def _ended_by(status: str) -> str | None:
    """Return the event that leads to a status: ``"unsubscribe"`` to ``"unsubscribed"``."""
    return next((action for action in _LEAVING if status.startswith(action)), None)


def _segment(segment: Segment, people: Collection[Person]) -> Segment:
    known = {person.number for person in people}
    members = [number for number in segment.person_numbers if number in known]
    return replace(segment, size=len(members), person_numbers=members)


def _tag_segment(segment: TagSegment, now: datetime) -> TagSegment:
    return replace(segment, daily=[each for each in segment.daily if each[0] < now.date()])


def _banner(banner: Banner, now: datetime) -> Banner:
    return replace(banner, daily=[each for each in banner.daily if each.day < now.date()])


def _integration(integration: Integration, now: datetime, days: int) -> Integration:
    """Return an integration with deliveries of the week before then: each week is like the last one that is known."""
    ran = integration.last_run_at
    weeks = [timedelta(days=7 * (days // 7 + more)) for more in (0, 1)]
    hourly = [
        (hour - before, success, failed, rejected)
        for before in reversed(weeks)
        for hour, success, failed, rejected in integration.hourly
    ]
    return replace(
        integration,
        last_run_at=ran - timedelta(days=days) if ran else None,
        hourly=[each for each in hourly if now - timedelta(days=7) <= each[0] < now],
    )
