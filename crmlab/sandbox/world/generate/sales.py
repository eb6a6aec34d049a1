"""Deals, and the work around them, that OnePageCRM knows."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from random import Random

from crmlab.sandbox.world.generate.draw import Calendar, Stream, between, share_of, spread
from crmlab.sandbox.world.generate.words import HARD_TEXTS, PLACES, PRODUCTS, TASKS, TEXTS
from crmlab.sandbox.world.model import (
    Action,
    Call,
    Deal,
    DealItem,
    Meeting,
    Note,
    Person,
    Pipeline,
    World,
)


class _Contacts:
    """Whom the sales team can have worked with at a moment; `people` come oldest first."""

    def __init__(self, people: list[Person], calendar: Calendar, now: datetime) -> None:
        self.people = people
        self.calendar = calendar
        self.now = now
        self.created = [person.created_at for person in people]
        self.by_id = {person.id: person for person in people}

    def draw(self, rng: Random, after: datetime | None = None) -> tuple[Person, datetime]:
        at = self.calendar.moment(rng, after)
        known = bisect_right(self.created, at)
        if known == 0:
            return self.people[0], self.calendar.moment(rng, self.created[0])
        return self.people[int(rng.random() * known)], at

    def occasion(self, rng: Random, deals: list[Deal]) -> tuple[Person, datetime]:
        """Why one calls or meets somebody: they are new, a deal is open, or neither."""
        why = rng.random()
        if why < 0.45:
            person = rng.choice(self.people)
            within = timedelta(days=rng.choice((0.2, 3, 20)))
            at = self.calendar.moment(rng, person.created_at, person.created_at + within)
        elif why < 0.9 and deals:
            deal = rng.choice(deals)
            person = self.by_id[deal.contact_id]
            at = self.calendar.moment(
                rng, deal.created_at, self.now if deal.status == "pending" else deal.modified_at
            )
        else:
            return self.draw(rng)
        return person, min(at, self.now)


def add_sales(world: World, rows: int, calendar: Calendar) -> None:
    """Everything that hangs on a contact in OnePageCRM, in the order of its ids."""
    contacts = _Contacts(world.people_in("onepagecrm"), calendar, world.now)
    by_id = attrgetter("id")
    world.deals = sorted(_deals(world, share_of(rows, 0.6), contacts), key=by_id)
    world.actions = sorted(_actions(world, share_of(rows, 1.2), contacts), key=by_id)
    world.notes = sorted(_notes(world, share_of(rows, 0.8), contacts), key=by_id)
    world.calls = sorted(_calls(world, share_of(rows, 0.5), contacts), key=by_id)
    world.meetings = sorted(_meetings(world, share_of(rows, 0.3), contacts), key=by_id)


def _deals(world: World, count: int, contacts: _Contacts) -> Iterator[Deal]:
    rng = Stream(f"{world.seed}/deals")
    items = Stream(f"{world.seed}/items")
    amounts = Stream(f"{world.seed}/amounts")
    for _ in range(count):
        contact, created = contacts.draw(rng)
        pipeline = rng.choices(world.pipelines, (70, 12, 18))[0]
        deal = _deal(world, rng, items, contact, pipeline, created=created)
        _advance(deal, [stage.stage for stage in pipeline.stages], rng, contacts.calendar, world)
        if rng.random() < 0.08:
            deal.linked_contact_ids = [rng.choice(contacts.people).id]
        if deal.status == "won":
            contact.status_key = "customer"
        if not deal.items and amounts.random() < 0.3:
            deal.earlier_amounts = [_earlier_amount(deal, amounts)]
        yield deal


def _earlier_amount(deal: Deal, rng: Random) -> tuple[datetime, float]:
    """What the deal was worth before it was negotiated, more often more than less, and until when."""
    factor = rng.choice((0.7, 0.9, 1.1, 1.25, 1.5))
    return between(rng, deal.created_at, deal.modified_at), round(deal.amount * factor, 2)


def _deal(
    world: World,
    rng: Stream,
    items: Stream,
    contact: Person,
    pipeline: Pipeline,
    *,
    created: datetime,
) -> Deal:
    """A deal that was just created."""
    months = rng.choices((1, 3, 6, 12, 24), (72, 6, 6, 14, 2))[0]
    lines = _items(items, created) if rng.random() < 0.35 else []
    amount = sum(line.price * line.quantity for line in lines)
    cost = sum(line.cost * line.quantity for line in lines)
    if not lines and rng.random() < 0.95:
        amount = rng.lognormvariate(8.2, 0.9) / (months**0.8)
        cost = amount * rng.uniform(0.2, 0.7) if rng.random() < 0.5 else 0.0
    what = lines[0].name if lines else rng.choice(("Rollout", "Pilot", "Extension", "Licences"))
    size = _size(amount * months)
    return Deal(
        id=rng.id(created),
        name=f"{what} for {contact.full_name}"[:60],
        contact_id=contact.id, company_id=contact.company_id,
        owner_id=contact.owner_id if rng.random() < 0.9 else rng.choice(world.users).id,
        pipeline_id=pipeline.id, stage=pipeline.stages[0].stage, status="pending",
        amount=round(amount, 2), months=months, cost=round(cost, 2),
        expected_close_date=None, close_date=None, lost_reason_id=None,
        text=rng.choice(TEXTS) if rng.random() < 0.4 else "",
        size_label=size if rng.random() < 0.6 else None,
        items=lines, linked_contact_ids=[],
        created_at=created, modified_at=created, stage_history=[],
    )  # fmt: skip


def _size(total: float) -> str:
    if total < 2_000:
        return "Small"
    return "Medium" if total < 10_000 else "Large"


def _items(rng: Stream, at: datetime) -> list[DealItem]:
    return [
        DealItem(id=rng.id(at), name=name, description=description, cost=cost, price=price,
                 quantity=rng.choices((1, 2, 5, 10), (60, 20, 15, 5))[0])
        for name, description, cost, price in rng.sample(PRODUCTS, rng.choice((1, 1, 2, 3)))
    ]  # fmt: skip


def _advance(deal: Deal, stages: list[int], rng: Random, calendar: Calendar, world: World) -> None:
    """Decide how far the deal came, and when."""
    days = min(rng.lognormvariate(3.7, 0.6), 400)
    planned = deal.created_at + timedelta(hours=int(24 * days))
    closed = _closed_at(deal, planned, rng, calendar, world)
    if closed is None:
        _leave_open(deal, stages, rng, planned, world.now)
    else:
        _close(deal, stages, rng, closed, list(world.lost_reasons))


def _closed_at(
    deal: Deal, planned: datetime, rng: Random, calendar: Calendar, world: World
) -> datetime | None:
    """Return when the deal was closed, about when it was planned; None: it is open, perhaps overdue."""
    if planned >= world.now or rng.random() < 0.06:
        return None
    closed = calendar.moment(rng, planned - timedelta(days=4), planned + timedelta(days=4))
    closed = max(closed, deal.created_at + timedelta(hours=1))
    return closed if closed < world.now else None


def _leave_open(
    deal: Deal, stages: list[int], rng: Random, planned: datetime, now: datetime
) -> None:
    progress = (now - deal.created_at) / max(planned - deal.created_at, timedelta(days=1))
    passed = int(min(progress, 1.0) * rng.random() * len(stages))
    reached = min(len(stages), 1 + passed)
    _walk(deal, rng, stages[:reached], now)
    deal.modified_at = deal.stage_history[-1][0]
    if rng.random() < 0.92:
        deal.expected_close_date = planned.date()


def _close(
    deal: Deal, stages: list[int], rng: Random, closed: datetime, lost_reasons: list[str]
) -> None:
    """Win or lose the deal: owners differ in their skill, and a big deal is won less often."""
    skill = int(deal.owner_id[-2:], 16) % 5 * 0.05
    is_big = deal.amount * deal.months > 10_000
    is_won = rng.random() < 0.38 + skill - (0.1 if is_big else 0.0)
    deal.status = "won" if is_won else "lost"
    reached = len(stages) if is_won else rng.randint(1, len(stages))
    deal.close_date = closed.date()
    deal.modified_at = closed
    if not is_won and rng.random() < 0.9:
        deal.lost_reason_id = rng.choice(lost_reasons)
    _walk(deal, rng, stages[:reached], closed)


def _walk(deal: Deal, rng: Random, stages: list[int], end: datetime) -> None:
    """Pass the stages in order, leaving some out, from the creation to the end."""
    passed = [stage for stage in stages[1:-1] if rng.random() < 0.9] + stages[1:][-1:]
    times = sorted(between(rng, deal.created_at, end) for _ in passed)
    deal.stage_history = [(deal.created_at, stages[0]), *zip(times, passed, strict=True)]
    deal.stage = deal.stage_history[-1][1]


def _actions(world: World, count: int, contacts: _Contacts) -> Iterator[Action]:
    rng = Stream(f"{world.seed}/actions")
    now = world.now
    dated = ("date", "date_time", "queued_with_date")
    kinds = ("done", "date", "date_time", "asap", "waiting", "queued", "queued_with_date")
    for _ in range(count):
        status = rng.choices(kinds, (45, 30, 8, 7, 5, 3, 2))[0]
        contact, created = contacts.draw(
            rng, None if status == "done" else now - timedelta(days=90)
        )
        done = None
        if status == "done":
            done = min(now, contacts.calendar.moment(rng, created, created + timedelta(days=30)))
        due = created.date() + timedelta(days=rng.randint(0, 20))
        if status in dated and rng.random() < 0.6:
            due = now.date() + timedelta(days=rng.randint(0, 45))
        has_date = status in dated or (done and rng.random() < 0.8)
        at = time(rng.randint(8, 16), rng.choice((0, 15, 30, 45)), tzinfo=UTC)
        yield Action(
            id=rng.id(created), contact_id=contact.id,
            assignee_id=contact.owner_id if rng.random() < 0.85 else rng.choice(world.users).id,
            text=rng.choice(TASKS), status=status, date=due if has_date else None,
            exact_time=datetime.combine(due, at) if status == "date_time" else None,
            done=done is not None, done_at=done.date() if done else None,
            created_at=created, modified_at=done or created,
        )  # fmt: skip


def _notes(world: World, count: int, contacts: _Contacts) -> Iterator[Note]:
    rng = Stream(f"{world.seed}/notes")
    deals: dict[str, list[Deal]] = defaultdict(list)
    for sale in world.deals:
        deals[sale.contact_id].append(sale)
    hard_texts = spread(count, HARD_TEXTS)
    for index in range(count):
        contact, at = contacts.draw(rng)
        open_then = [deal for deal in deals[contact.id] if deal.created_at <= at]
        deal = rng.choice(open_then) if open_then and rng.random() < 0.7 else None
        yield Note(
            id=rng.id(at), contact_id=contact.id, deal_id=deal.id if deal else None, author=contact.owner_id,
            text=hard_texts.get(index) or " ".join(rng.sample(TEXTS, rng.randint(1, 2))),
            date=at.date(), created_at=at,
            modified_at=at if rng.random() < 0.85 else contacts.calendar.moment(rng, at),
        )  # fmt: skip


def _calls(world: World, count: int, contacts: _Contacts) -> Iterator[Call]:
    rng = Stream(f"{world.seed}/calls")
    results = ("interested", "not_interested", "left_message", "no_answer", "other")
    for _ in range(count):
        contact, at = contacts.occasion(rng, world.deals)
        logged = min(at + timedelta(minutes=rng.randint(1, 90)), world.now)
        yield Call(
            id=rng.id(logged), contact_id=contact.id, author=contact.owner_id,
            text=rng.choice(TEXTS) if rng.random() < 0.7 else "",
            result=rng.choices(results, (25, 15, 20, 35, 5))[0], at=at,
            phone_number=contact.phones[0] if contact.phones else None,
            created_at=logged, modified_at=logged,
        )  # fmt: skip


def _meetings(world: World, count: int, contacts: _Contacts) -> Iterator[Meeting]:
    rng = Stream(f"{world.seed}/meetings")
    for _ in range(count):
        contact, at = contacts.occasion(rng, world.deals)
        logged = min(at + timedelta(minutes=rng.randint(30, 300)), world.now)
        yield Meeting(
            id=rng.id(logged), contact_id=contact.id, author=contact.owner_id,
            text=rng.choice(TEXTS), place=rng.choice(PLACES), at=at,
            created_at=logged, modified_at=logged,
        )  # fmt: skip
