"""Deals, and the work around them, that OnePageCRM knows."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from random import Random
from typing import TypeVar

from crmlab.sandbox.world.generate.draw import (
    Calendar,
    Stream,
    between,
    share_of,
    sometimes,
    spread,
    weighted,
)
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

_Record = TypeVar("_Record")
#: what actions are, and how often
_ACTION_STATUSES = {
    "done": 45,
    "date": 30,
    "date_time": 8,
    "asap": 7,
    "waiting": 5,
    "queued": 3,
    "queued_with_date": 2,
}
#: for how many months deals run, and how often
_MONTHS = {1: 72, 3: 6, 6: 6, 12: 14, 24: 2}
_QUANTITIES = {1: 60, 2: 20, 5: 15, 10: 5}
_CALL_RESULTS = {
    "interested": 25,
    "not_interested": 15,
    "left_message": 20,
    "no_answer": 35,
    "other": 5,
}
_DATED_STATUSES = ("date", "date_time", "queued_with_date")


class _Contacts:
    """Whom the sales team can have worked with at a moment; `people` come oldest first."""

    def __init__(self, people: list[Person], calendar: Calendar, now: datetime) -> None:
        self.people = people
        self.calendar = calendar
        self.now = now
        self.created = [person.created_at for person in people]
        self.by_id = {person.id: person for person in people}

    def draw(self, rng: Random, after: datetime | None = None) -> tuple[Person, datetime]:
        moment = self.calendar.moment(rng, after)
        known_then = bisect_right(self.created, moment)
        # before anybody was known: then with the first, once they were
        if known_then == 0:
            later_moment = self.calendar.moment(rng, self.created[0])
            return self.people[0], later_moment
        position = int(rng.random() * known_then)
        return self.people[position], moment

    def occasion(self, rng: Random, deals: list[Deal]) -> tuple[Person, datetime]:
        """Why one calls or meets somebody: they are new, a deal is open, or neither."""
        occasion = rng.random()
        if occasion < 0.45:
            person = rng.choice(self.people)
            after = person.created_at
            before = after + timedelta(days=rng.choice((0.2, 3, 20)))
        elif occasion < 0.9 and deals:
            deal = rng.choice(deals)
            person = self.by_id[deal.contact_id]
            after = deal.created_at
            before = deal.modified_at
            if deal.status == "pending":
                before = self.now
        else:
            return self.draw(rng)
        moment = self.calendar.moment(rng, after, before)
        return person, min(moment, self.now)


def add_sales(world: World, rows: int, calendar: Calendar) -> None:
    """Everything that hangs on a contact in OnePageCRM, in the order of its ids."""
    contacts = _Contacts(world.people_in("onepagecrm"), calendar, world.now)
    # deals first: notes, calls and meetings are about them, and a deal that is won makes a customer
    world.deals = _by_id(_deals(world, share_of(rows, 0.6), contacts))
    world.actions = _by_id(_actions(world, share_of(rows, 1.2), contacts))
    world.notes = _by_id(_notes(world, share_of(rows, 0.8), contacts))
    world.calls = _by_id(_calls(world, share_of(rows, 0.5), contacts))
    world.meetings = _by_id(_meetings(world, share_of(rows, 0.3), contacts))


def _by_id(records: Iterable[_Record]) -> list[_Record]:
    return sorted(records, key=attrgetter("id"))


def _deals(world: World, count: int, contacts: _Contacts) -> Iterator[Deal]:
    rng = Stream(f"{world.seed}/deals")
    item_stream = Stream(f"{world.seed}/items")
    amount_stream = Stream(f"{world.seed}/amounts")
    for _ in range(count):
        contact, created_at = contacts.draw(rng)
        pipeline = rng.choices(world.pipelines, (70, 12, 18))[0]
        deal = _deal(world, rng, item_stream, contact, pipeline, created=created_at)
        stages = [stage.stage for stage in pipeline.stages]
        _advance(deal, stages, rng, contacts.calendar, world)
        if rng.random() < 0.08:
            deal.linked_contact_ids = [rng.choice(contacts.people).id]
        if deal.status == "won":
            contact.status_key = "customer"
        # the amount of a deal with items is their sum, and not negotiated by itself
        if not deal.items and amount_stream.random() < 0.3:
            deal.earlier_amounts = [_earlier_amount(deal, amount_stream)]
        yield deal


def _earlier_amount(deal: Deal, rng: Random) -> tuple[datetime, float]:
    """What the deal was worth before it was negotiated, more often more than less, and until when."""
    factor = rng.choice((0.7, 0.9, 1.1, 1.25, 1.5))
    negotiated_at = between(rng, deal.created_at, deal.modified_at)
    return negotiated_at, round(deal.amount * factor, 2)


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
    months = weighted(rng, _MONTHS)
    deal_items: list[DealItem] = []
    if rng.random() < 0.35:
        deal_items = _items(items, created)
    amount = sum(item.price * item.quantity for item in deal_items)
    costs = sum(item.cost * item.quantity for item in deal_items)
    # of some deals nobody knows the amount yet
    if not deal_items and rng.random() < 0.95:
        amount = rng.lognormvariate(8.2, 0.9) / (months**0.8)
        costs = 0.0
        if rng.random() < 0.5:
            costs = amount * rng.uniform(0.2, 0.7)
    subject = _subject(rng, deal_items)
    return Deal(
        id=rng.id(created),
        name=f"{subject} for {contact.full_name}"[:60],
        contact_id=contact.id,
        company_id=contact.company_id,
        owner_id=_owner_id(rng, contact, world, own=0.9),
        pipeline_id=pipeline.id,
        stage=pipeline.stages[0].stage,
        status="pending",
        amount=round(amount, 2),
        months=months,
        cost=round(costs, 2),
        expected_close_date=None,
        close_date=None,
        lost_reason_id=None,
        text=sometimes(rng, 0.4, TEXTS, ""),
        size_label=_size_label(rng, amount * months),
        items=deal_items,
        linked_contact_ids=[],
        created_at=created,
        modified_at=created,
        stage_history=[],
    )


def _subject(rng: Random, items: list[DealItem]) -> str:
    if items:
        return items[0].name
    return rng.choice(("Rollout", "Pilot", "Extension", "Licences"))


def _owner_id(
    rng: Random,
    contact: Person,
    world: World,
    *,
    own: float,
) -> str:
    """Who works on it: in that share of cases the owner of the contact."""
    if rng.random() < own:
        return contact.owner_id
    return rng.choice(world.users).id


def _size_label(rng: Random, total: float) -> str | None:
    # not everybody fills in a custom field
    if rng.random() >= 0.6:
        return None
    if total < 2_000:
        return "Small"
    if total < 10_000:
        return "Medium"
    return "Large"


def _items(rng: Stream, at: datetime) -> list[DealItem]:
    deal_items = []
    product_count = rng.choice((1, 1, 2, 3))
    for product_name, description, unit_cost, price in rng.sample(PRODUCTS, product_count):
        item = DealItem(
            id=rng.id(at),
            name=product_name,
            description=description,
            cost=unit_cost,
            price=price,
            quantity=weighted(rng, _QUANTITIES),
        )
        deal_items.append(item)
    return deal_items


def _advance(
    deal: Deal,
    stages: list[int],
    rng: Random,
    calendar: Calendar,
    world: World,
) -> None:
    """Decide how far the deal came, and when."""
    days = min(rng.lognormvariate(3.7, 0.6), 400)
    planned_at = deal.created_at + timedelta(hours=int(24 * days))
    closed_at = _closed_at(deal, planned_at, rng, calendar, world)
    if closed_at is None:
        _leave_open(deal, stages, rng, planned_at, world.now)
    else:
        _close(deal, stages, rng, closed_at, list(world.lost_reasons))


def _closed_at(
    deal: Deal, planned: datetime, rng: Random, calendar: Calendar, world: World
) -> datetime | None:
    """Return when the deal was closed, about when it was planned; None: it is open, perhaps overdue."""
    if planned >= world.now or rng.random() < 0.06:
        return None
    margin = timedelta(days=4)
    drawn_time = calendar.moment(rng, planned - margin, planned + margin)
    closed_at = max(drawn_time, deal.created_at + timedelta(hours=1))
    if closed_at >= world.now:
        return None
    return closed_at


def _leave_open(
    deal: Deal,
    stages: list[int],
    rng: Random,
    planned: datetime,
    now: datetime,
) -> None:
    planned_time = max(planned - deal.created_at, timedelta(days=1))
    progress = (now - deal.created_at) / planned_time
    passed_stages = int(min(progress, 1.0) * rng.random() * len(stages))
    reached = min(len(stages), 1 + passed_stages)
    _walk(deal, rng, stages[:reached], now)
    deal.modified_at, _ = deal.stage_history[-1]
    if rng.random() < 0.92:
        deal.expected_close_date = planned.date()


def _close(
    deal: Deal,
    stages: list[int],
    rng: Random,
    closed: datetime,
    lost_reasons: list[str],
) -> None:
    """Win or lose the deal: owners differ in their skill, and a big deal is won less often."""
    # told from the id, an owner has the same skill in every deal
    skill = int(deal.owner_id[-2:], 16) % 5 * 0.05
    chance = 0.38 + skill
    if deal.amount * deal.months > 10_000:
        chance -= 0.1
    is_won = rng.random() < chance
    deal.close_date = closed.date()
    deal.modified_at = closed
    if is_won:
        deal.status = "won"
        reached = len(stages)
    else:
        deal.status = "lost"
        reached = rng.randint(1, len(stages))
        deal.lost_reason_id = sometimes(rng, 0.9, lost_reasons, None)
    _walk(deal, rng, stages[:reached], closed)


def _walk(
    deal: Deal,
    rng: Random,
    stages: list[int],
    end: datetime,
) -> None:
    """Pass the stages in order, leaving some out, from the creation to the end."""
    passed_stages = [stage for stage in stages[1:-1] if rng.random() < 0.9]
    # the last one is never left out, and is not passed twice where it is the first
    passed_stages += stages[1:][-1:]
    reached_at = sorted(between(rng, deal.created_at, end) for _ in passed_stages)
    later_stages = zip(reached_at, passed_stages, strict=True)
    deal.stage_history = [(deal.created_at, stages[0]), *later_stages]
    _, deal.stage = deal.stage_history[-1]


def _actions(world: World, count: int, contacts: _Contacts) -> Iterator[Action]:
    rng = Stream(f"{world.seed}/actions")
    three_months_ago = world.now - timedelta(days=90)
    for _ in range(count):
        status = weighted(rng, _ACTION_STATUSES)
        done_at = None
        if status == "done":
            contact, created_at = contacts.draw(rng)
            within = created_at + timedelta(days=30)
            drawn_time = contacts.calendar.moment(rng, created_at, within)
            done_at = min(world.now, drawn_time)
        else:
            # what is older and still to be done would be forgotten work
            contact, created_at = contacts.draw(rng, three_months_ago)
        days_ahead = rng.randint(0, 20)
        due_date = created_at.date() + timedelta(days=days_ahead)
        has_date = status in _DATED_STATUSES
        if has_date and rng.random() < 0.6:
            days_ahead = rng.randint(0, 45)
            due_date = world.now.date() + timedelta(days=days_ahead)
        # of actions that are done, some had no date
        if done_at is not None:
            has_date = rng.random() < 0.8
        due_hour = rng.randint(8, 16)
        due_minute = rng.choice((0, 15, 30, 45))
        due_time = time(due_hour, due_minute, tzinfo=UTC)
        action = Action(
            id=rng.id(created_at),
            contact_id=contact.id,
            assignee_id=_owner_id(rng, contact, world, own=0.85),
            text=rng.choice(TASKS),
            status=status,
            date=None,
            exact_time=None,
            done=done_at is not None,
            done_at=None,
            created_at=created_at,
            modified_at=done_at or created_at,
        )
        if has_date:
            action.date = due_date
        if status == "date_time":
            action.exact_time = datetime.combine(due_date, due_time)
        if done_at:
            action.done_at = done_at.date()
        yield action


def _notes(world: World, count: int, contacts: _Contacts) -> Iterator[Note]:
    rng = Stream(f"{world.seed}/notes")
    deals_of: dict[str, list[Deal]] = defaultdict(list)
    for deal in world.deals:
        deals_of[deal.contact_id].append(deal)
    hard_texts = spread(count, HARD_TEXTS)
    for index in range(count):
        contact, written_at = contacts.draw(rng)
        deals_then = [deal for deal in deals_of[contact.id] if deal.created_at <= written_at]
        deal_id = None
        if deals_then and rng.random() < 0.7:
            deal_id = rng.choice(deals_then).id
        text = hard_texts.get(index)
        if not text:
            text_count = rng.randint(1, 2)
            text = " ".join(rng.sample(TEXTS, text_count))
        yield Note(
            id=rng.id(written_at),
            contact_id=contact.id,
            deal_id=deal_id,
            author=contact.owner_id,
            text=text,
            date=written_at.date(),
            created_at=written_at,
            modified_at=contacts.calendar.last_change(rng, written_at, unchanged=0.85),
        )


def _calls(world: World, count: int, contacts: _Contacts) -> Iterator[Call]:
    rng = Stream(f"{world.seed}/calls")

    for _ in range(count):
        contact, called_at = contacts.occasion(rng, world.deals)
        length = timedelta(minutes=rng.randint(1, 90))
        logged_at = min(called_at + length, world.now)
        yield Call(
            id=rng.id(logged_at),
            contact_id=contact.id,
            author=contact.owner_id,
            text=sometimes(rng, 0.7, TEXTS, ""),
            result=weighted(rng, _CALL_RESULTS),
            at=called_at,
            phone_number=next(iter(contact.phones), None),
            created_at=logged_at,
            modified_at=logged_at,
        )


def _meetings(world: World, count: int, contacts: _Contacts) -> Iterator[Meeting]:
    rng = Stream(f"{world.seed}/meetings")
    for _ in range(count):
        contact, met_at = contacts.occasion(rng, world.deals)
        length = timedelta(minutes=rng.randint(30, 300))
        logged_at = min(met_at + length, world.now)
        yield Meeting(
            id=rng.id(logged_at),
            contact_id=contact.id,
            author=contact.owner_id,
            text=rng.choice(TEXTS),
            place=rng.choice(PLACES),
            at=met_at,
            created_at=logged_at,
            modified_at=logged_at,
        )
