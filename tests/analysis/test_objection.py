"""Who was contacted against their word, by small worlds and by the sandbox's known one."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

import crmlab
from crmlab.analysis.after_opt_out import activities_after_opt_out
from crmlab.analysis.identity import people
from crmlab.analysis.objection import mailed_but_objected
from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES
from tests.analysis.small_world import AS_OF, at, said, table, who

NO_ACTIVITIES = TABLES["activities"].empty()


def done(*rows: tuple[str, str, datetime | None]) -> pl.DataFrame:
    """Activities: who (a capital is Altcraft's), kind, when."""
    frame: list[dict[str, Any]] = [
        {
            "provider": "altcraft" if contact[0].isupper() else "onepagecrm",
            "account": "shop" if contact[0].isupper() else "crm",
            "id": str(number),
            "contact_id": contact,
            "kind": kind,
            "mailing": {"send": "sent", "open": "opened"}.get(kind.lower()),
            "starts_at": when,
        }
        for number, (contact, kind, when) in enumerate(rows)
    ]
    return table("activities", frame)


def test_only_the_channel_that_was_refused_and_only_afterwards() -> None:
    activities = done(
        ("Ann", "send", at(5)),
        ("Ann", "send", at(5, hour=10)),
        ("Ann", "SEND", at(9)),
        ("ann", "call", at(9)),
        ("ann", "note", at(9)),
        ("Bo", "send", at(9)),
        ("bo", "call", at(10)),
        ("Cy", "send", at(9)),
        ("Ann", "send", at(1, month=7)),
        ("Ann", "send", None),
    )
    events = said(
        ("Ann", "unsubscribe", "email", at(5)),
        ("Bo", "subscribe", "email", at(4)),
        ("Bo", "complain", None, at(6)),
        ("Cy", "unsubscribe", "email", at(1)),
        ("Cy", "subscribe", "email", at(2)),
    )

    found = activities_after_opt_out(activities, events, who(ann="A", bo="B", cy="C"), as_of=AS_OF)

    evidence = found.select(
        "id",
        "channel",
        "kind",
        "person_id",
        "opt_out_id",
        "opt_out_kind",
        "opt_out_channel",
        "days_after",
    )
    assert evidence.rows() == [
        ("1", "email", "send", "A", "0", "unsubscribe", "email", 1 / 24),
        ("2", "email", "SEND", "A", "0", "unsubscribe", "email", 4.0),
        ("5", "email", "send", "B", "2", "complain", None, 3.0),
        ("6", "phone", "call", "B", "2", "complain", None, 4.0),
    ]
    assert found["opt_out_provider"].unique().to_list() == ["altcraft"]
    assert found["opted_out_at"].to_list() == [at(5), at(5), at(6), at(6)]


def test_kinds_may_be_given_their_channel() -> None:
    activities = done(("ann", "letter sent", at(9)), ("ann", "call", at(9)))
    events = said(("Ann", "unsubscribe", None, at(5)))

    found = activities_after_opt_out(
        activities, events, who(ann="A"), as_of=AS_OF, channels={"letter sent": "letter"}
    )

    assert found.select("id", "channel").rows() == [("0", "letter")]


def test_kinds_and_channels_are_spelled_in_any_case() -> None:
    activities = done(("ann", "call", at(9)))
    events = said(("Ann", "unsubscribe", None, at(5)))

    found = activities_after_opt_out(
        activities, events, who(ann="A"), as_of=AS_OF, channels={"CALL ": "Telephone"}
    )

    assert found.select("id", "channel").rows() == [("0", "phone")]


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({}, "channels: give kinds"),
        (["call"], "channels: give kinds"),
        ({"call": None}, "channel=None names no channel"),
        ({"call": "phoen"}, "did you mean 'phone'"),
    ],
)
def test_channels_that_are_none_are_refused(channels: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        activities_after_opt_out(
            done(("ann", "call", at(9))), said(), who(ann="A"), as_of=AS_OF, channels=channels
        )


def test_without_activities_or_events_there_is_nothing_but_the_columns() -> None:
    some, events = done(("Ann", "send", at(9))), said(("Ann", "unsubscribe", "email", at(5)))
    full = activities_after_opt_out(some, events, who(ann="A"), as_of=AS_OF)

    for empty in (
        activities_after_opt_out(NO_ACTIVITIES, events, who(ann="A"), as_of=AS_OF),
        activities_after_opt_out(some, said(), who(ann="A"), as_of=AS_OF),
        activities_after_opt_out(some, events, who(), as_of=AS_OF),
    ):
        assert (empty.height, empty.schema) == (0, full.schema)


def contacts(*barred: str) -> pl.DataFrame:
    rows = [
        {"provider": "onepagecrm", "account": "crm", "id": name, "do_not_contact": name in barred}
        for name in ("ann", "bo", "cy")
    ]
    return table("contacts", rows)


def subscribed(*rows: tuple[str, str, bool]) -> pl.DataFrame:
    names = ("contact_id", "channel", "opted_in")
    return table(
        "subscriptions",
        [
            {"provider": "altcraft", "account": "shop", **dict(zip(names, row, strict=True))}
            for row in rows
        ],
    )


def test_an_objection_elsewhere_counts_against_a_subscription_and_a_recent_mailing() -> None:
    subscriptions = subscribed(
        ("Ann", "email", True),
        ("Bo", "email", False),
        ("Cy", "sms", True),
        ("Dee", "email", True),
    )
    activities = done(
        ("Bo", "send", at(31, month=5)), ("Ann", "send", at(1)), ("Cy", "open", at(31, month=5))
    )
    events = said(
        ("Bo", "complain", "email", at(3)),
        ("Dee", "unsubscribe", "email", at(3)),
        ("Dee", "subscribe", "email", at(4)),
    )

    found = mailed_but_objected(
        contacts("ann", "bo"),
        subscriptions,
        activities,
        events,
        who(ann="A", bo="B", cy="C", dee="D"),
        as_of=AS_OF,
        days=30,
    )

    assert found.drop("provider", "account", "person_id", "objected_account").rows() == [
        ("Ann", True, None, "do not contact", None, "onepagecrm", "ann"),
        ("Bo", False, at(31, month=5), "complain", at(3), "altcraft", "0"),
        ("Bo", False, at(31, month=5), "do not contact", None, "onepagecrm", "bo"),
    ]


def test_a_mailing_from_before_the_objection_is_no_offence() -> None:
    activities = done(("Bo", "send", at(30, month=5)))
    events = said(("Bo", "unsubscribe", "email", at(31, month=5)))
    nobody = TABLES["subscriptions"].empty()

    found = mailed_but_objected(contacts(), nobody, activities, events, who(bo="B"), as_of=AS_OF)
    undated = mailed_but_objected(
        contacts("bo"), nobody, activities, said(), who(bo="B"), as_of=AS_OF
    )

    assert found.is_empty()
    assert undated["objection"].to_list() == ["do not contact"]


def test_the_sandbox_mails_nobody_who_left_and_some_who_said_no_elsewhere() -> None:
    world = generate(400, seed=5)

    async def fetch() -> crmlab.Fetched:
        async with crmlab.sandbox(world, services=("relenta", "altcraft")) as accounts:
            return await crmlab.fetch(
                accounts, "contacts", "subscriptions", "activities", "consent_events"
            )

    data = asyncio.run(fetch())
    found = people(data.contacts)

    assert activities_after_opt_out(
        data.activities, data.consent_events, found, as_of=world.now
    ).is_empty()
    refused = mailed_but_objected(
        data.contacts,
        data.subscriptions,
        data.activities,
        TABLES["consent_events"].empty(),
        found,
        as_of=world.now,
    )
    active = {
        each.person_id
        for each in world.subscriptions
        if each.channel == "email" and each.status == "subscribed"
    }
    said_no = {
        each.id
        for each in world.people
        if each.do_not_mail and {"relenta", "altcraft"} <= each.services
    }
    assert refused["contact_id"].n_unique() == len(said_no & active) > 0
    assert refused["objection"].unique().to_list() == ["do not contact"]


def test_nobody_is_mailed_in_an_empty_world() -> None:
    found = mailed_but_objected(
        TABLES["contacts"].empty(),
        TABLES["subscriptions"].empty(),
        NO_ACTIVITIES,
        said(),
        who(),
        as_of=date(2026, 1, 1),
    )

    assert found.is_empty()
    assert found.columns[:4] == ["provider", "account", "contact_id", "subscribed"]
