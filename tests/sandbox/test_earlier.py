"""The sandbox serves what there was some days before: the same people and deals, and nothing of what came later."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache

import polars as pl
import pytest

import crmlab
from crmlab import analysis
from crmlab.cli.main import main
from crmlab.errors import UsageError
from crmlab.sandbox.world import World, earlier, generate

FAST = crmlab.Limits(concurrency=10)
NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
THEN = NOW - dt.timedelta(days=90)


@pytest.fixture(scope="module")
def now() -> World:
    return generate(800, seed=3, now=NOW)


@pytest.fixture(scope="module")
def then(now: World) -> World:
    return earlier(now, 90)


@cache
def made(seed: int) -> World:
    """A world of now."""
    return generate(1500, seed=seed, now=NOW)


def test_deals_have_the_stage_status_and_amount_of_then(now: World, then: World) -> None:
    of_now = {deal.id: deal for deal in now.deals}

    ids = {deal.id for deal in then.deals}
    assert ids - then.deleted == {deal.id for deal in now.deals if deal.created_at <= THEN}
    for deal in then.deals:
        if deal.id in then.deleted:
            continue
        known = of_now[deal.id]
        was_closed = known.status != "pending" and known.modified_at <= THEN
        assert deal.status == (known.status if was_closed else "pending")
        assert (deal.close_date is None) is not was_closed
        assert deal.stage == [stage for at, stage in known.stage_history if at <= THEN][-1]
        assert deal.modified_at <= THEN
        amounts = [amount for until, amount in known.earlier_amounts if until > THEN]
        assert deal.amount == [*amounts, known.amount][0]
    assert [
        deal.id
        for deal in then.deals
        if deal.id in of_now and deal.amount != of_now[deal.id].amount
    ]
    assert Counter(deal.status for deal in then.deals)["pending"] > 20


def test_nothing_of_a_past_world_is_of_later(then: World) -> None:
    for name in (
        "people",
        "companies",
        "deals",
        "notes",
        "calls",
        "meetings",
        "actions",
        "appointments",
        "changes",
    ):
        assert [each.id for each in getattr(then, name) if each.created_at > THEN] == []
    for name in ("people", "companies", "deals", "notes", "actions"):
        assert [each.id for each in getattr(then, name) if each.modified_at > THEN] == []
    for name in ("consent_events", "mail_events"):
        assert [each.id for each in getattr(then, name) if each.at > THEN] == []
    people = {person.id for person in then.people}
    assert {deal.contact_id for deal in then.deals} <= people
    assert {subscription.person_id for subscription in then.subscriptions} <= people
    assert [hour for each in then.integrations for hour, *_ in each.hourly if hour > THEN] == []


def test_the_world_of_now_stays_as_it_is() -> None:
    world = generate(60, seed=1)
    before = repr(world)

    assert repr(earlier(world, 0)) == before
    earlier(world, 400)

    assert repr(world) == before


def test_the_past_of_the_past_is_the_past(now: World, then: World) -> None:
    assert repr(earlier(earlier(now, 40), 50).deals) == repr(then.deals)


async def test_what_is_fetched_of_then_and_now_makes_a_true_waterfall() -> None:
    async with crmlab.sandbox(rows=800, seed=3, now=NOW, services=["onepagecrm"]) as accounts:
        data = await crmlab.fetch(accounts, "deals", limits=FAST)
    async with crmlab.sandbox(
        rows=800, seed=3, now=NOW, services=["onepagecrm"], days_ago=90
    ) as accounts:
        deleted = accounts.world.deleted
        past = await crmlab.fetch(accounts, "deals", limits=FAST)

    steps = analysis.waterfall(past.deals, data.deals)

    closed_then = past.deals.filter(pl.col("status") != "pending")
    won = data.deals.join(closed_then, on="id", how="anti").filter(pl.col("status") == "won")
    counts = dict(steps.select("step", "deals").rows())
    assert past.complete
    assert counts["won"] == won.height > 0
    gone = past.deals.filter(pl.col("id").is_in(deleted))
    assert counts["new"] == data.deals.height - (past.deals.height - gone.height)
    assert counts["reopened"] == 0
    assert counts["gone"] == gone.filter(status="pending").height


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_changes_about_one_record_in_a_hundred(seed: int) -> None:
    today = made(seed)
    yesterday = earlier(today, 1)

    for name in ("people", "companies", "notes"):
        changed = [each for each in getattr(today, name) if each.modified_at > yesterday.now]
        before = {each.id: each for each in getattr(yesterday, name)}
        assert 0.008 < len(changed) / len(getattr(today, name)) < 0.03
        assert all(before[each.id] != each for each in changed if each.created_at <= yesterday.now)
        assert all(
            before[each.id].modified_at <= yesterday.now for each in changed if each.id in before
        )
    # what is the same does not say that it changed
    for name in ("people", "companies", "notes", "deals", "actions", "calls", "meetings"):
        before = {each.id: each for each in getattr(yesterday, name)}
        assert all(
            before[each.id] == each
            for each in getattr(today, name)
            if getattr(each, "modified_at", each.created_at) <= yesterday.now
        )
    amounts = {deal.id: deal.amount for deal in yesterday.deals}
    assert [deal for deal in today.deals if deal.id in amounts and amounts[deal.id] != deal.amount]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_deleted_was_there_before_and_is_not_any_more(seed: int) -> None:
    today = made(seed)
    yesterday = earlier(today, 1)

    for name in ("people", "deals", "actions", "notes", "calls", "meetings", "appointments"):
        gone = {each.id for each in getattr(yesterday, name)} - {
            each.id for each in getattr(today, name)
        }
        assert gone
        assert gone <= yesterday.deleted
        assert len(gone) < len(getattr(today, name)) / 30
    assert not today.deleted
    assert repr(earlier(earlier(today, 1), 29).people) == repr(earlier(today, 30).people)
    assert not earlier(today, 400).deleted & earlier(today, 1).deleted


def test_some_events_arrive_late() -> None:
    today = made(1)
    yesterday = earlier(today, 1)

    told = {event.id for event in yesterday.mail_events}
    late = [
        event for event in today.mail_events if event.at <= yesterday.now and event.id not in told
    ]

    assert len(late) == 1
    assert yesterday.now - late[0].at < dt.timedelta(hours=20)


def test_the_future_is_not_served(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="days_ago=-1 is in the future"):
        crmlab.sandbox(rows=5, days_ago=-1)

    assert main(["sandbox", "--rows", "5", "--days-ago", "-1"]) == 2
    assert "days_ago=-1" in capsys.readouterr().err
