"""What a decision is about, and whose it is: the same in every answer, with all the evidence that is given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

import crmlab
from crmlab import analysis
from crmlab.catalogue import CATALOGUE
from crmlab.schema import TABLES
from tests.analysis.small_world import AS_OF, at, table, who

Said = tuple[str | None, str | None, str | None, bool, datetime]


def said(*rows: Said, email: str | None = None) -> pl.DataFrame:
    """Events of Altcraft's shop: contact (None: `email` alone), channel, purpose, yes or no, when."""
    names = ("contact_id", "channel", "purpose", "opted_in", "occurred_at")
    key = {"provider": "altcraft", "account": "shop"}
    frame = [
        {
            **key,
            "id": str(n),
            "kind": "said",
            "contact_email": email,
            **dict(zip(names, row, strict=True)),
        }
        for n, row in enumerate(rows)
    ]
    return table("consent_events", frame)


def ann_said(*rows: tuple[str | None, str | None, bool]) -> pl.DataFrame:
    """Events of Ann: channel, purpose, yes or no, a day after each other."""
    return said(*[("Ann", *row, at(day)) for day, row in enumerate(rows, 1)])


def deal(contact: str) -> pl.DataFrame:
    return table(
        "deals",
        [
            {
                "provider": "onepagecrm",
                "account": "crm",
                "contact_id": contact,
                "status": "pending",
                "amount": 1.0,
            }
        ],
    )


def contacts(**emails: list[str]) -> pl.DataFrame:
    rows = [
        {"provider": "altcraft", "account": "shop", "id": name, "emails": each}
        for name, each in emails.items()
    ]
    return table("contacts", rows)


NO_NEWS = said(
    ("Ann", "email", "Newsletter", False, at(2)), ("Ann", "email", "marketing", True, at(1))
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (NO_NEWS, [("email", "marketing", "opt-in"), ("email", "newsletter", "opt-out")]),
        (
            ann_said(("email", "direct_marketing", True), ("E-Mail", "Direct Marketing ", False)),
            [("email", "direct marketing", "opt-out")],
        ),
        (
            ann_said(("email", "news", True), ("sms", "news", True), ("email", None, False)),
            [("email", None, "opt-out"), ("email", "news", "opt-out"), ("sms", "news", "opt-in")],
        ),
        (
            ann_said(("email", "news", True), ("sms", "offers", True), (None, None, False)),
            [(None, None, "opt-out"), ("email", "news", "opt-out"), ("sms", "offers", "opt-out")],
        ),
        (
            ann_said(("email", "news", True), ("sms", "news", True), (None, "news", False)),
            [(None, "news", "opt-out"), ("email", "news", "opt-out"), ("sms", "news", "opt-out")],
        ),
        (
            ann_said(("email", "news", False), ("email", None, True)),
            [("email", None, "opt-in"), ("email", "news", "opt-out")],
        ),
    ],
    ids=[
        "another purpose",
        "spellings",
        "no purpose",
        "neither",
        "no channel",
        "a yes that names none",
    ],
)
def test_a_decision_is_about_one_channel_and_one_purpose(
    events: pl.DataFrame, expected: list[tuple[str | None, str | None, str]]
) -> None:
    state = analysis.current_consent(events, as_of=AS_OF)
    stock = analysis.consent_stock(events, every="1y")

    assert state.select("channel", "purpose", "decision").rows() == expected
    assert stock["stock"][-1] == sum(decision == "opt-in" for *_, decision in expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("purpose", "consent"),
    [
        (None, "opted in"),
        ("newsletter", "opted out"),
        ("Marketing", "opted in"),
        ("surveys", "undecided"),
    ],
)
def test_who_said_yes_to_any_purpose_is_opted_in_and_each_can_be_asked_for(
    purpose: str | None, consent: str
) -> None:
    found = analysis.open_pipeline_by_consent(
        deal("ann"), NO_NEWS, who(ann="A"), as_of=AS_OF, purpose=purpose
    )

    assert found.filter(pl.col("deals") > 0)["consent"].to_list() == [consent]


def test_after_the_last_yes_of_a_channel_ends_every_contact_is_one_too_many() -> None:
    events = said(
        ("Ann", "phone", "news", True, at(1)),
        ("Ann", "phone", "offers", True, at(2)),
        ("Ann", "phone", "news", False, at(4)),
        ("Ann", "phone", None, False, at(6)),
    )
    days = (3, 5, 7)
    calls = table(
        "activities",
        [
            {"provider": "altcraft", "account": "shop", "id": str(day), "contact_id": "Ann", "kind": "call",
             "starts_at": at(day)}
            for day in days
        ],
    )  # fmt: skip

    anything = analysis.activities_after_opt_out(calls, events, who(ann="A"), as_of=AS_OF)
    news = analysis.activities_after_opt_out(
        calls, events, who(ann="A"), as_of=AS_OF, purpose="news"
    )

    assert anything.select("id", "opt_out_id").rows() == [("7", "3")]
    assert news.select("id", "opt_out_id").rows() == [("5", "2"), ("7", "3")]


def test_a_proof_that_names_no_purpose_is_of_each() -> None:
    events = said(("Ann", "email", "news", True, at(1)), ("Ann", "email", "offers", True, at(1)))
    proof = events.head(1).with_columns(
        id=pl.lit("proof"), purpose=pl.lit(None), opted_in=pl.lit(None), has_documentation=True
    )

    found = analysis.documentation_coverage(pl.concat([events, proof]), as_of=AS_OF)

    assert found.select("consents", "documented").row(0) == (2, 2)


@pytest.mark.slow
def test_an_opt_out_that_names_only_an_address_is_of_the_contact_that_has_it() -> None:
    events = said((None, "email", None, False, at(1)), email="ANN@example.com")
    known = contacts(Ann=["Ann@Example.com"], Bo=["bo@example.com"])

    by_contact = analysis.current_consent(events, as_of=AS_OF, contacts=known)
    of_nobody_known = analysis.current_consent(events, as_of=AS_OF)
    rate = analysis.consent_rate(events, as_of=AS_OF, contacts=known)

    assert by_contact.select("subject", "decision").rows() == [("altcraft/shop/Ann", "opt-out")]
    assert of_nobody_known.select("subject", "decision").rows() == [
        ("altcraft/shop/ann@example.com", "opt-out")
    ]
    assert rate.select("opted_out", "contacts_decided", "contacts").row(0) == (1, 1, 2)


@pytest.mark.parametrize(("yes", "subjects"), [(False, ["Ann", "Bo"]), (True, ["Ann"])])
def test_a_refusal_by_an_address_is_of_each_contact_that_has_it(
    yes: bool, subjects: list[str]
) -> None:
    events = said((None, "email", None, yes, at(1)), email="office@example.com")
    known = contacts(Bo=["office@example.com"], Ann=["office@example.com"])

    found = analysis.current_consent(events, as_of=AS_OF, contacts=known)

    assert found["subject"].to_list() == [f"altcraft/shop/{name}" for name in subjects]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("yes", "consents"), [(False, ["opted out"] * 2), (True, ["undecided"] * 2)]
)
def test_a_refusal_by_a_shared_address_is_everybodys_and_a_consent_nobodys(
    yes: bool, consents: list[str]
) -> None:
    events = said((None, "email", None, yes, at(1)), email="office@example.com")
    events = events.with_columns(provider=pl.lit("newsletters").cast(pl.Categorical))
    known = contacts(Ann=["office@example.com"], Bo=["office@example.com"])
    people = who(ann="A", bo="B")

    found = [
        analysis.open_pipeline_by_consent(deal(name), events, people, as_of=AS_OF, contacts=known)
        for name in ("ann", "bo")
    ]

    assert [each.filter(pl.col("deals") > 0)["consent"].item() for each in found] == consents


def test_a_mark_or_a_refused_subscription_stands_above_an_event_of_another_service() -> None:
    events = said(("Ann", "email", "news", True, at(1)), ("Bo", "email", "news", True, at(1)))
    marked = table(
        "contacts",
        [
            {
                "provider": "onepagecrm",
                "account": "crm",
                "id": "ann",
                "emails": [],
                "do_not_contact": True,
            }
        ],
    )
    key = {"provider": "altcraft", "account": "shop", "contact_id": "Bo", "channel": "email"}
    refused = table("subscriptions", [{**key, "id": "1", "opted_in": False}])
    evidence: dict[str, Any] = {"as_of": AS_OF, "subscriptions": refused, "contacts": marked}
    people = who(ann="A", bo="B")
    both = pl.concat([deal("ann"), deal("bo")])

    found = analysis.open_pipeline_by_consent(both, events, people, **evidence)
    alone = analysis.open_pipeline_by_consent(both, events, people, as_of=AS_OF)

    assert found.filter(pl.col("deals") > 0).select("consent", "deals").rows() == [("opted out", 2)]
    assert alone.filter(pl.col("deals") > 0).select("consent", "deals").rows() == [("opted in", 2)]


def test_who_refused_one_account_is_not_to_be_mailed_by_another() -> None:
    key = {"provider": "altcraft", "contact_id": "Ann", "channel": "email"}
    subscriptions = table(
        "subscriptions",
        [
            {**key, "account": "shop", "id": "no", "opted_in": False},
            {**key, "account": "blog", "id": "yes", "opted_in": True},
        ],
    )
    people = pl.concat([who(ann="A"), who(ann="A").tail(1).with_columns(account=pl.lit("blog"))])
    nothing = (TABLES["activities"].empty(), TABLES["consent_events"].empty())

    found = analysis.mailed_but_objected(
        TABLES["contacts"].empty(), subscriptions, *nothing, people, as_of=AS_OF
    )

    assert found.select("account", "objection", "objected_account", "objected_id").rows() == [
        ("blog", "unsubscribed", "shop", "no")
    ]


# ---- all the evidence of a fetch, in every answer -----------------------------------------------


@pytest.mark.slow
def test_what_is_in_force_is_the_same_number_in_every_answer(fetched: crmlab.Fetched) -> None:
    state = analysis.current_consent(fetched)
    in_force = state.filter(pl.col("decision") == "opt-in")
    rates = analysis.consent_rate(fetched, by=["channel", "purpose"])
    undated = in_force.filter(pl.col("decided_at").is_null()).height

    assert undated > 0
    assert rates["opted_in"].sum() == in_force.height
    assert analysis.consent_stock(fetched)["stock"][-1] == in_force.height
    assert analysis.documentation_coverage(fetched)["consents"].item() == in_force.height
    assert (
        analysis.consent_survival(fetched, which="all")["censored"].sum()
        == in_force.height - undated
    )
    assert (
        analysis.expiring_consents(fetched, within_days=10_000)["consents"].sum()
        == in_force.height - undated
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["consent_rate", "consent_stock", "open_pipeline_by_consent", "mailed_but_objected"]
)
def test_report_explorer_and_docs_ask_with_the_evidence_of_a_fetch(
    name: str, fetched: crmlab.Fetched
) -> None:
    entry = CATALOGUE[name]
    variables = {
        **{table: TABLES[table].empty() for table in TABLES},
        **fetched,
        "as_of": fetched.fetched_at,
        "time_zone": "UTC",
        "people": analysis.people(fetched),
    }
    options = {"by": "channel"} if name == "consent_rate" else {}

    assert entry.count(variables).equals(getattr(analysis, name)(fetched, **options))
