"""What becomes of mailings: contacts are counted once, and only with a send."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.engagement import email_engagement, email_engagement_over_time
from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES, conform

DAY = datetime(2026, 3, 1, tzinfo=UTC)
COUNTS = ["sends", "sent", "opens", "opened", "clicks", "clicked"]
#: what the service calls it, and what it means
MAILING = {
    "send": "sent", "delivered": "delivered", "open": "opened", "click": "clicked", "hardbounce": "bounced",
    "complain": "complained", "unsubscribe": "unsubscribed",
}  # fmt: skip
MISSED = ["opens_without_send", "clicks_without_send"]


def mail(
    *events: tuple[str, str | None, str | None, float | None], account: str = "a"
) -> pl.DataFrame:
    """Return events of kind, contact, campaign, days since the first of March."""
    kinds, contacts, campaigns, days = (list(column) for column in zip(*events, strict=True))
    times = [None if day is None else DAY + timedelta(days=day) for day in days]
    types: dict[str, Any] = {
        "contact_id": pl.String,
        "campaign_id": pl.String,
        "created_at": pl.Datetime("us", "UTC"),
    }
    what = [MAILING.get(kind.lower()) for kind in kinds]
    columns = {
        "kind": kinds,
        "mailing": pl.Series(what, dtype=pl.String),
        "contact_id": contacts,
        "campaign_id": campaigns,
        "created_at": times,
    }
    return conform(
        pl.DataFrame(columns, schema_overrides=types).with_columns(account=pl.lit(account)),
        TABLES["activities"],
    )


def test_contacts_are_counted_once_and_events_each() -> None:
    activities = mail(
        ("send", "ann", "7", 0), ("send", "bo", "7", 0), ("send", "cy", "7", 0), ("send", "dan", "7", 0),
        ("open", "ann", "7", 1), ("open", "ann", "7", 2), ("click", "ann", "7", 2), ("click", "ann", "7", 3),
        ("open", "bo", "7", 1),
        ("hardbounce", "dan", "7", 0), ("unsubscribe", "bo", "7", 2), ("complain", "bo", "7", 2),
    )  # fmt: skip
    campaigns = conform(
        pl.DataFrame({"account": ["a"], "id": ["7"], "name": ["Spring"]}), TABLES["campaigns"]
    )

    found = email_engagement(activities, campaigns)

    expected = {
        "account": ["a"], "campaign_id": ["7"], "campaign": ["Spring"], "sends": [4], "sent": [4], "delivered": [None],
        "opens": [3], "opened": [2], "opened_by_click": [0], "clicks": [2], "clicked": [1], "bounced": [1],
        "complained": [1], "unsubscribed": [1], "opens_without_send": [0], "clicks_without_send": [0], "base": ["sent"],
        "open_rate": [0.5], "click_rate": [0.25], "click_to_open_rate": [0.5],
    }  # fmt: skip
    assert_frame_equal(
        found.drop("provider"), pl.DataFrame(expected, schema_overrides={"delivered": pl.Int64})
    )


def test_who_clicks_has_opened_though_no_image_said_so() -> None:
    found = email_engagement(
        mail(("send", "ann", "7", 0), ("send", "bo", "7", 0), ("click", "ann", "7", 1))
    )

    row = found.select("opens", "opened", "opened_by_click", "clicked", "click_to_open_rate").row(0)
    assert row == (0, 1, 1, 1, 1.0)


def test_events_need_a_send_of_the_same_campaign_to_the_same_contact_before() -> None:
    activities = mail(
        ("send", "ann", "7", 1), ("open", "ann", "7", 0.9), ("open", "ann", "7", 1),
        ("open", "bo", "7", 2), ("open", "ann", "8", 2), ("click", "bo", "8", 2),
    )  # fmt: skip

    found = email_engagement(activities)

    rows = found.select("campaign_id", *COUNTS, *MISSED, "open_rate").rows()
    assert rows == [("7", 1, 1, 1, 1, 0, 0, 2, 0, 1.0), ("8", 0, 0, 0, 0, 0, 0, 1, 1, None)]


def test_accounts_with_the_same_ids_are_apart() -> None:
    activities = pl.concat(
        [mail(("send", "ann", "7", 0)), mail(("open", "ann", "7", 1), account="b")]
    )

    found = email_engagement(activities)

    assert found.select("account", "sent", "opens", "opens_without_send").rows() == [
        ("a", 1, 0, 0),
        ("b", 0, 0, 1),
    ]


def test_where_deliveries_are_told_the_rates_are_of_the_delivered() -> None:
    activities = mail(
        ("send", "ann", "7", 0), ("send", "bo", "7", 0), ("send", "cy", "7", 0), ("send", "dan", "8", 0),
        ("delivered", "ann", "7", 0.1), ("open", "bo", "7", 1),
    )  # fmt: skip
    elsewhere = mail(("send", "ann", "7", 0), account="b")

    found = email_engagement(pl.concat([activities, elsewhere])).sort("account", "campaign_id")

    # who opened was reached, told or not; campaign 8 reached nobody: no rate of nothing
    rows = found.select("account", "sent", "delivered", "base", "open_rate").rows()
    assert rows == [
        ("a", 3, 2, "delivered", 0.5),
        ("a", 1, 0, "delivered", None),
        ("b", 1, None, "sent", 0.0),
    ]


def test_without_contact_the_address_stands_for_it_and_without_both_nothing_counts() -> None:
    activities = mail(
        ("send", None, "7", 0),
        ("open", None, "7", 1),
        ("send", None, "7", 0),
        ("open", "x", "7", None),
    )
    addresses = pl.Series(
        "contact_emails", [["Ann@Example.com"], ["ann@example.com", "b@example.com"], None, None]
    )

    found = email_engagement(activities.with_columns(addresses))

    assert found.select(COUNTS).row(0) == (1, 1, 1, 1, 0, 0)


def test_an_opening_that_names_only_the_address_is_of_the_contact_it_was_sent_to() -> None:
    frame = mail(("send", "1", "7", 1), ("send", "2", "7", 1), ("open", None, "7", 2))
    addresses = pl.Series(
        "contact_emails", [["Ann@Example.com"], ["bo@example.com"], ["<ann@example.com>"]]
    )

    found = email_engagement(frame.with_columns(addresses))

    assert found.select("sent", "opened", "opens_without_send", "open_rate").rows() == [
        (2, 1, 0, 0.5)
    ]


def test_mailings_without_a_campaign_are_one_and_other_kinds_are_none() -> None:
    activities = mail(
        ("SEND", "ann", None, 0),
        ("Open", "ann", None, 1),
        ("subscribe", "ann", None, 0),
        ("call", "ann", "7", 0),
    )

    found = email_engagement(activities)

    assert found.select("campaign_id", *COUNTS).rows() == [(None, 1, 1, 1, 1, 0, 0)]


def test_what_happens_to_a_mailing_counts_when_it_was_sent() -> None:
    # Paris, clocks forward on 2026-03-29: 22:30 UTC on 31 March is already April there
    activities = mail(
        ("send", "ann", "7", 0), ("open", "ann", "7", 29), ("send", "ann", "7", 30 + 22.5 / 24),
        ("open", "ann", "7", 32), ("click", "bo", "7", 70),
    )  # fmt: skip

    found = email_engagement_over_time(activities, every="1mo", time_zone="Europe/Paris")

    months = [date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)]
    assert found.select("period", "sent", "opened", "clicks_without_send", "open_rate").rows() == [
        (months[0], 1, 1, 0, 1.0), (months[1], 1, 1, 0, 1.0), (months[2], 0, 0, 1, None),
    ]  # fmt: skip
    in_utc = email_engagement_over_time(activities, every="1mo")
    assert in_utc.select("period", "sends", "sent", "opened").rows() == [
        (months[0], 2, 1, 1),
        (months[2], 0, 0, 0),
    ]


KIND = st.sampled_from(["send", "open", "click", "delivered", "hardbounce", "complain", "note"])
EVENT = st.tuples(
    KIND, st.sampled_from("abc"), st.sampled_from(["7", "8", None]), st.integers(0, 60)
)


@given(st.lists(EVENT, min_size=1, max_size=60), st.sampled_from(["1d", "1w", "1mo"]))
def test_no_share_passes_one_and_nothing_is_lost(
    events: list[tuple[str, str, str | None, int]], every: str
) -> None:
    activities = mail(*events)
    by_campaign, over_time = (
        email_engagement(activities),
        email_engagement_over_time(activities, every=every),
    )

    for found in (by_campaign, over_time):
        reached = pl.coalesce("delivered", "sent")
        laws = found.select(
            a=pl.col("clicked") <= pl.col("opened"),
            b=pl.col("opened") <= reached,
            c=reached <= pl.col("sent"),
            d=pl.col("sent") <= pl.col("sends"),
            e=pl.col("opened") - pl.col("opened_by_click") <= pl.col("opens"),
            f=pl.col("clicked") <= pl.col("clicks"),
            g=pl.max_horizontal("bounced", "complained", "unsubscribed") <= pl.col("sent"),
        )
        assert all(column.all() for column in laws)
        total = found.sum()
        kinds = [kind for kind, *_ in events]
        assert total["sends"].item() == kinds.count("send")
        assert total["opens"].item() + total["opens_without_send"].item() == kinds.count("open")
        assert total["clicks"].item() + total["clicks_without_send"].item() == kinds.count("click")


@given(st.lists(EVENT, min_size=1, max_size=60))
def test_counting_by_hand_gives_the_same(events: list[tuple[str, str, str | None, int]]) -> None:
    found = email_engagement(mail(*events))

    first: dict[tuple[str | None, str], int] = {}
    for kind, contact, campaign, day in events:
        if kind == "send":
            first[campaign, contact] = min(day, first.get((campaign, contact), day))
    openers, clickers = defaultdict(set), defaultdict(set)
    for kind, contact, campaign, day in events:
        if day >= first.get((campaign, contact), 1000):
            if kind in {"open", "click"}:
                openers[campaign].add(contact)
            if kind == "click":
                clickers[campaign].add(contact)
    for campaign, sent, opened, clicked in found.select(
        "campaign_id", "sent", "opened", "clicked"
    ).iter_rows():
        assert sent == sum(key[0] == campaign for key in first)
        assert (opened, clicked) == (len(openers[campaign]), len(clickers[campaign]))


@pytest.mark.slow
def test_the_sandbox_world_is_opened_as_often_as_it_was_made_to_be() -> None:
    world = generate(300)
    happened = world.mail_events
    activities = mail(
        *(
            (
                event.action,
                event.person_id,
                None if event.campaign_id is None else str(event.campaign_id),
                None,
            )
            for event in happened
        )
    ).with_columns(
        pl.Series("created_at", [event.at for event in happened], pl.Datetime("us", "UTC"))
    )

    found = email_engagement(activities)

    pairs = {
        action: {
            (event.campaign_id, event.person_id)
            for event in happened
            if event.action == action and event.campaign_id
        }
        for action in ("send", "open", "click")
    }
    assert found["sent"].sum() == len(pairs["send"]) > 100
    assert found["opened"].sum() == len(pairs["open"] | pairs["click"]) > 20
    assert found["clicked"].sum() == len(pairs["click"]) > 5
    assert found.select(MISSED).sum().row(0) == (0, 0)


def test_an_empty_table_gives_an_empty_answer_and_a_poor_one_is_refused() -> None:
    empty, one = TABLES["activities"].empty(), mail(("send", "ann", "7", 0))

    assert email_engagement(empty).schema == email_engagement(one).schema
    assert email_engagement_over_time(empty).schema == email_engagement_over_time(one).schema
    assert email_engagement(empty).is_empty()
    with pytest.raises(UsageError, match="activities has no column campaign_id"):
        email_engagement(one.drop("campaign_id"))
    with pytest.raises(
        UsageError, match=r"activities has no column mailing \(what happened to a mailing"
    ):
        email_engagement(one.drop("mailing"))
    with pytest.raises(UsageError, match="campaigns has no column name"):
        email_engagement(one, TABLES["campaigns"].empty().drop("name"))


def test_an_event_that_stands_for_several_counts_as_many_times_and_its_contact_once() -> None:
    events = mail(
        ("send", "ann", "7", 0),
        ("open", "ann", "7", 1),
        ("click", "ann", "7", 1),
        ("open", "bo", "7", 1),
    )
    events = events.with_columns(count=pl.Series([None, 3, 2, 5], dtype=pl.Int64))

    (row,) = email_engagement(events).select(*COUNTS, *MISSED).rows(named=True)

    assert row == {
        "sends": 1, "sent": 1, "opens": 3, "opened": 1, "clicks": 2, "clicked": 1, "opens_without_send": 5,
        "clicks_without_send": 0,
    }  # fmt: skip
    assert email_engagement(events.drop("count"))["opens"].to_list() == [1]


def test_an_id_a_mark_and_an_address_are_of_one_contact() -> None:
    events = mail(
        ("send", "ann", "7", 0),
        ("open", None, "7", 1),
        ("click", None, "7", 2),
        ("open", None, "7", 3),
    )
    events = events.with_columns(
        contact_hash=pl.Series([None, "f00d", "f00d", None]),
        contact_emails=pl.Series(
            [["ann@example.com"], ["Ann@example.com"], None, None], dtype=pl.List(pl.String)
        ),
    )

    (row,) = email_engagement(events).select(*COUNTS, *MISSED).rows(named=True)

    assert (row["sent"], row["opened"], row["clicked"], row["clicks_without_send"]) == (1, 1, 1, 0)
    assert row["opens"] == 1  # the last names nobody
