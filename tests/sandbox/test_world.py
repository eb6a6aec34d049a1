import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import NOW, SERVICES, Deal, World, object_id

ROOT = Path(__file__).parents[2]
#: the first five are OnePageCRM's, with a contact_id
PEOPLE_TABLES = [
    "deals",
    "actions",
    "notes",
    "calls",
    "meetings",
    "consent_events",
    "mail_events",
    "subscriptions",
]


@pytest.fixture(scope="module")
def world() -> World:
    return generate(2_000, seed=7)


def _digest(world: World) -> str:
    for person in world.people:
        person.services = sorted(person.services)  # type: ignore[assignment]
    return hashlib.sha256(repr(world).encode()).hexdigest()


def _owner(row: object) -> str:
    return str(getattr(row, "person_id", None) or getattr(row, "contact_id", None))


def _moments(value: object) -> list[datetime]:
    if isinstance(value, datetime):
        return [value]
    if isinstance(value, list | tuple):
        return [moment for part in value for moment in _moments(part)]
    if hasattr(value, "__slots__") and not isinstance(value, World):
        return [m for f in fields(value) for m in _moments(getattr(value, f.name))]  # type: ignore[arg-type]
    return []


def test_an_empty_world_is_valid() -> None:
    world = generate(0)

    assert (world.people, world.companies, world.deals, world.mail_events) == ([], [], [], [])
    assert world.users
    assert World() == World()


def test_a_world_of_one_person_has_one_of_each_and_every_service_knows_them() -> None:
    world = generate(1)

    assert len(world.people) == len(world.companies) == len(world.deals) == len(world.notes) == 1
    assert world.people[0].services == frozenset(SERVICES)
    assert world.consent_events
    assert world.subscriptions


@settings(max_examples=15)
@given(rows=st.integers(0, 60), seed=st.integers(0, 10**6))
def test_every_reference_leads_to_a_row_in_a_world_of_any_size(rows: int, seed: int) -> None:
    world = generate(rows, seed=seed)
    people, companies, users = world.people_by_id(), world.companies_by_id(), world.users_by_id()
    campaigns = {campaign.id for campaign in world.campaigns} | {None}

    assert len(people) == rows
    for table in PEOPLE_TABLES:
        assert all(_owner(row) in people for row in getattr(world, table))
    assert all(p.owner_id in users and p.company_id in {*companies, None} for p in world.people)
    assert all(event.campaign_id in campaigns for event in world.mail_events)
    deals = {deal.id: deal for deal in world.deals}
    assert all(
        deals[note.deal_id].contact_id == note.contact_id for note in world.notes if note.deal_id
    )
    assert all(set(a.person_ids) <= people.keys() for a in world.appointments)


def test_the_same_seed_gives_the_same_world_whatever_the_hash_seed() -> None:
    script = (
        "import hashlib; from crmlab.sandbox.world.generate import generate; w = generate(60, seed=3)\n"
        "for p in w.people: p.services = sorted(p.services)\n"
        "print(hashlib.sha256(repr(w).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4711")
    }

    assert digests == {_digest(generate(60, seed=3))}
    assert _digest(generate(60, seed=4)) not in digests


def test_a_service_sees_only_its_own_people(world: World) -> None:
    people = world.people_by_id()
    tables: dict[str, list[Any]] = {
        "onepagecrm": [*world.deals, *world.actions, *world.notes, *world.calls, *world.meetings],
        "complero": world.consent_events,
        "altcraft": [*world.mail_events, *world.subscriptions],
    }

    for service, rows in tables.items():
        assert all(service in people[_owner(row)].services for row in rows)
    relenta = [i for a in world.appointments for i in a.person_ids]
    assert all("relenta" in people[person_id].services for person_id in relenta)
    assert Counter(len(person.services) for person in world.people).keys() == {1, 2, 3, 4}


def test_ids_are_unique_in_every_table(world: World) -> None:
    for table in fields(world):
        rows = getattr(world, table.name)
        if isinstance(rows, list) and rows and hasattr(rows[0], "id"):
            assert len({row.id for row in rows}) == len(rows), table.name
    assert all(re.fullmatch("[0-9a-f]{24}", person.id) for person in world.people)
    assert [person.number for person in world.people] == list(range(1, 2_001))
    assert len({person.complero_id for person in world.people}) == 2_000


def test_every_moment_is_utc_in_whole_seconds(world: World) -> None:
    moments = [m for table in fields(world) for m in _moments(getattr(world, table.name))]

    assert len(moments) > 20_000
    assert {moment.tzinfo for moment in moments} == {UTC}
    assert {moment.microsecond for moment in moments} == {0}


def test_nothing_is_made_or_changed_before_its_creation_or_after_the_world_ends(
    world: World,
) -> None:
    people = world.people_by_id()

    for table in ("people", "companies", *PEOPLE_TABLES[:5], "appointments"):
        for row in getattr(world, table):
            assert row.created_at <= row.modified_at <= world.now, table
    for table in PEOPLE_TABLES[:5]:
        for row in getattr(world, table):
            assert row.created_at >= people[row.contact_id].created_at, table
    assert all(event.at <= world.now for event in world.consent_events)
    assert all(event.at <= world.now for event in world.mail_events)


def _check_deal(deal: Deal, world: World) -> None:
    pipeline = next(p for p in world.pipelines if p.id == deal.pipeline_id)
    numbers = [stage.stage for stage in pipeline.stages]
    times, stages = zip(*deal.stage_history, strict=True)
    assert list(times) == sorted(times)
    assert list(stages) == sorted(set(stages))
    assert set(stages) <= set(numbers)
    assert deal.stage == stages[-1]
    assert times[0] == deal.created_at
    assert times[-1] <= deal.modified_at
    assert round(deal.amount, 2) == deal.amount >= 0
    if deal.status == "pending":
        assert deal.close_date is None
        assert deal.lost_reason_id is None
    else:
        assert deal.close_date is not None
        assert deal.created_at.date() <= deal.close_date <= world.now.date()
        assert deal.expected_close_date is None
    if deal.status == "won":
        assert deal.stage == numbers[-1]
    if deal.items:
        total = sum(item.price * item.quantity for item in deal.items)
        assert deal.amount == pytest.approx(total)


def test_deals_pass_their_stages_in_order_and_close_after_creation(world: World) -> None:
    for deal in world.deals:
        _check_deal(deal, world)

    assert {deal.status for deal in world.deals} == {"won", "lost", "pending"}
    assert any(deal.months > 1 for deal in world.deals)
    assert any(deal.amount == 0 for deal in world.deals)
    lost = [deal for deal in world.deals if deal.status == "lost"]
    assert {deal.lost_reason_id for deal in lost} == {*world.lost_reasons, None}


def test_actions_are_open_overdue_and_done(world: World) -> None:
    today = world.now.date()
    dated = [action for action in world.actions if action.status == "date"]

    assert any(action.date and action.date < today for action in dated)
    assert any(action.date and action.date > today for action in dated)
    for action in world.actions:
        assert action.done == (action.status == "done") == (action.done_at is not None)
        assert (action.exact_time is not None) == (action.status == "date_time")
        assert action.date is not None or action.status not in ("date", "date_time")


def test_consent_is_confirmed_before_it_is_withdrawn(world: World) -> None:
    confirmed: set[tuple[str, str]] = set()
    withdrawals = 0
    for event in world.consent_events:
        key = event.person_id, event.channel
        if event.kind == "confirm":
            confirmed.add(key)
        if event.kind == "update" and not event.opted_in:
            withdrawals += 1
            assert key in confirmed
    assert 0 < withdrawals < len(confirmed)
    assert min(e.at for e in world.consent_events) >= world.now - timedelta(days=731)


def test_nobody_is_mailed_after_leaving(world: World) -> None:
    leaving = {"unsubscribe": "unsubscribed", "complain": "complained", "hardbounce": "hardbounced"}
    status = {s.person_id: s.status for s in world.subscriptions if s.channel == "email"}
    left: dict[str, str] = {}
    for event in world.mail_events:
        assert event.person_id not in left
        if event.action in leaving:
            left[event.person_id] = leaving[event.action]

    assert left
    assert all(status[person] == word for person, word in left.items())
    assert {p for p, word in status.items() if word in leaving.values()} == left.keys()


def test_work_follows_business_hours_and_weekdays(world: World) -> None:
    created = [deal.created_at for deal in world.deals]

    assert sum(at.weekday() < 5 for at in created) > 0.9 * len(created)
    assert sum(7 <= at.hour < 18 for at in created) > 0.85 * len(created)


def test_banner_counts_fit_into_each_other_and_weekends_are_quieter(world: World) -> None:
    visitors: dict[int, int] = Counter()
    for day in (day for banner in world.banners for day in banner.daily):
        visitors[day.day.weekday()] += day.visitors_exposed
        assert day.visitors_exposed >= day.banner_views >= day.optin + day.optout
        assert day.explicit_optin <= day.optin
        counts = [*day.categories.values(), *day.vendors.values()]
        assert all(0 <= count <= day.optin for count in counts)
    days = {day.day for banner in world.banners for day in banner.daily}
    assert days == {world.now.date() - timedelta(days=n) for n in range(1, 61)}
    assert visitors[5] < 0.8 * visitors[2]


def test_a_website_segment_adds_up_from_day_to_day(world: World) -> None:
    for segment in world.tag_segments:
        days = zip(segment.daily, segment.daily[1:], strict=False)
        for (_, before, _, _), (_, total, added, removed) in days:
            assert total == before + added - removed


def test_one_integration_is_failing_and_one_is_off(world: World) -> None:
    lately: dict[str, list[Any]] = {
        integration.label: [sum(hour[n] for hour in integration.hourly[-24:]) for n in (2, 1)]
        for integration in world.integrations
    }

    assert [label for label, (failed, success) in lately.items() if failed > success] == [
        "E-mail tool"
    ]
    assert [i.label for i in world.integrations if i.status != "active"] == ["Old partner"]
    assert all(len(integration.hourly) == 168 for integration in world.integrations)


def test_hard_text_is_somewhere_in_a_middling_world(world: World) -> None:
    names = {person.first_name + "|" + person.last_name for person in world.people}
    text = "\n".join(note.text for note in world.notes) + "\n".join(names)

    for hard in ("O'Neil", "王", "\u200f", "\u2028", "🚀", "=HYPERLINK", ";", '"'):
        assert hard in text, hard
    assert sum("\x00" in note.text for note in world.notes) == 1
    assert {note.text[0] for note in world.notes} >= set("=+-@")
    text.encode()
    assert any("/" in person.complero_id and " " in person.complero_id for person in world.people)


def test_some_people_share_a_mailbox_and_a_switchboard(world: World) -> None:
    mailboxes = Counter(person.emails[0] for person in world.people if person.emails)
    phones = Counter(phone for person in world.people for phone in person.phones)
    boards = {company.phone for company in world.companies}

    shared = [mailbox for mailbox, count in mailboxes.items() if count > 1]
    assert shared
    assert all(mailbox.startswith("info@") for mailbox in shared)
    assert any(count > 1 for phone, count in phones.items() if phone in boards)


def test_an_alias_is_the_truth_in_onepagecrm_and_the_same_mailbox_elsewhere(world: World) -> None:
    differ: Counter[str] = Counter()
    for person in world.people:
        truth = world.alias(person, "onepagecrm")
        assert truth[:2] == (person.first_name, person.last_name)
        for service in SERVICES[1:]:
            said = world.alias(person, service)
            assert said == world.alias(person, service)
            assert (said.email or "").lower() == (truth.email or "").lower()
            differ.update(
                name for name, a, b in zip(said._fields, said, truth, strict=True) if a != b
            )
    assert differ.keys() == {"first_name", "last_name", "email", "phone"}
    assert max(differ.values()) < 0.6 * 3 * len(world.people)


def test_only_reserved_domains_and_phone_numbers_are_used(world: World) -> None:
    addresses = [e for p in world.people for e in p.emails] + [u.email for u in world.users]
    phones = [phone for person in world.people for phone in person.phones]
    fictional = re.compile(
        r"\+1 \d{3} 555 01|\+44 (20 7946 0|1\d\d 496 0|7700 900)|\+353 20 91|"
        r"\+49 (30 23125|69 90009|40 66969|221 4710|89 99998)|"
        r"\+33 (1 99 00|2 61 91|3 53 01|4 65 71|6 39 98)|"
        r"\+46 (8 465 004|40 628 04|31 390 06)"
    )

    assert all(
        re.fullmatch(r"[a-z0-9.-]+@([a-z0-9-]+\.)?example(\.com|\.org)?", a) for a in addresses
    )
    assert all(fictional.match(phone) for phone in phones)


def test_object_ids_sort_by_time() -> None:
    early = object_id(datetime(2020, 1, 1, tzinfo=UTC), 1, 9)
    late = object_id(datetime(2020, 1, 2, tzinfo=UTC), 1, 1)

    assert early < late
    assert len(early) == len(late) == 24


def test_the_world_ends_when_told() -> None:
    now = datetime(2024, 2, 29, 23, 59, tzinfo=UTC)

    world = generate(50, now=now)

    assert world.now == now
    assert max(p.created_at for p in world.people) <= now
    assert world.banners[0].daily[-1].day == date(2024, 2, 28)
    assert generate(0).now == NOW


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="-1 people"):
        generate(-1)
    with pytest.raises(UsageError, match="time zone"):
        generate(1, now=datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose
