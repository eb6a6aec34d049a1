"""How long contacts wait, those without an answer included."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.response import response_time, waits
from crmlab.analysis.survival import kaplan_meier, time_until
from crmlab.analysis.touches import of_contacts, touches
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = datetime(2026, 3, 12, 9, tzinfo=UTC)


def table(name: str, **columns: list[Any]) -> pl.DataFrame:
    types: dict[str, Any] = {
        column: dtype for column, dtype in TABLES[name].schema.items() if column in columns
    }
    return conform(pl.DataFrame(columns, schema=types), TABLES[name])


def after(*hours: float) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in hours]


def people(*ids: str, **columns: list[Any]) -> pl.DataFrame:
    return table("contacts", id=list(ids), created_at=[START] * len(ids), **columns)


def test_the_unanswered_count_as_waiting_until_the_moment_asked_at() -> None:
    contacts = people(*"abcde", lead_source=["web", "web", "web", "fair", "fair"])
    calls = table(
        "activities",
        kind=["call"] * 4,
        contact_id=["a", "b", "b", "d"],
        starts_at=after(2, 5, 9, 240),
    )

    found = response_time(contacts, calls, by="lead_source", as_of=END)

    expected = {
        "lead_source": ["fair", "web"], "contacts": [2, 3], "answered": [1, 2], "waiting": [1, 1],
        "waiting_rate": [0.5, 1 / 3], "median_hours": [240.0, 5.0], "p90_hours": [None, None],
    }  # fmt: skip
    assert_frame_equal(found, pl.DataFrame(expected, schema_overrides={"p90_hours": pl.Float64}))


def test_the_estimator_gives_each_waiting_contact_its_share_of_the_rest() -> None:
    # the textbook's way: at 1 h 1 of 4, one leaves unanswered at 2 h, at 3 h 1 of 2: 3/4 * 1/2
    spells = pl.DataFrame({"duration": [1.0, 2.0, 3.0, 4.0], "ended": [True, False, True, False]})

    curve = kaplan_meier(spells)

    assert curve["surviving"].to_list() == [0.75, 0.75, 0.375, 0.375]
    assert curve["at_risk"].to_list() == [4, 3, 2, 1]
    assert curve.select(time_until(0.5)).item() == 3.0
    assert curve.select(time_until(0.7)).item() is None


def test_many_at_risk_do_not_overflow() -> None:
    n = 100_000
    curve = kaplan_meier(pl.DataFrame({"duration": range(n), "ended": [True] * n}))

    assert curve["surviving"][n // 2 - 1] == pytest.approx(0.5, abs=1e-9)
    assert curve.select(time_until(0.5)).item() == n // 2 - 1


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=60),
    st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]),
)
def test_of_spells_that_all_ended_the_quantile_is_that_of_the_list(
    durations: list[int], share: float
) -> None:
    curve = kaplan_meier(pl.DataFrame({"duration": durations, "ended": [True] * len(durations)}))

    enough = [
        time
        for time in sorted(durations)
        if sum(d <= time for d in durations) >= share * len(durations) - 1e-9
    ]
    assert curve.select(time_until(share)).item() == enough[0]


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.booleans(), st.sampled_from("ab")), min_size=1, max_size=60
    )
)
def test_curves_fall_lose_nobody_and_do_not_depend_on_each_other(
    rows: list[tuple[int, bool, str]],
) -> None:
    spells = pl.DataFrame(
        rows, schema={"duration": pl.Float64, "ended": pl.Boolean, "group": pl.String}, orient="row"
    )

    curve = kaplan_meier(spells, by="group")

    assert curve.select(pl.col("ended", "censored").sum()).sum_horizontal().item() == len(rows)
    for (group,), own in curve.group_by("group"):
        assert own["surviving"].is_sorted(descending=True)
        assert own["surviving"].is_between(0, 1).all()
        alone = kaplan_meier(spells.filter(pl.col("group") == group))
        assert_frame_equal(own.drop("group"), alone)


def test_a_mailing_is_no_answer_nor_is_a_note_or_what_is_only_planned() -> None:
    contacts = people("a")
    activities = table(
        "activities",
        kind=["send", "call", "note", "action", "event", "meeting"],
        campaign_id=["7", "7", None, None, None, None],
        contact_id=["a"] * 6,
        starts_at=[*after(1, 1, 1, 1, 1), END + timedelta(hours=1)],
        done=[None, None, None, False, False, None],
    )

    found = response_time(contacts, activities, as_of=END)

    assert found.select("contacts", "answered", "waiting", "waiting_rate", "median_hours").row(
        0
    ) == (
        1,
        0,
        1,
        1.0,
        None,
    )
    noted = response_time(contacts, activities, as_of=END, kinds=["note"])
    assert noted.select("answered", "median_hours").row(0) == (1, 1.0)


def test_what_came_before_the_contact_is_no_answer_what_came_with_it_is() -> None:
    calls = table(
        "activities", kind=["call"] * 3, contact_id=["a", "a", "b"], starts_at=after(-1, 3, 0)
    )

    found = waits(people("a", "b"), calls, as_of=END)

    assert found["wait_hours"].to_list() == [3.0, 0.0]


def test_appointments_answer_who_is_invited_by_address() -> None:
    contacts = people(
        "a", "b", "c", emails=[["Ann@Example.com", "ann@example.org"], ["bo@example.com"], None]
    )
    events = table(
        "activities",
        kind=["event"] * 2,
        contact_emails=[["ann@example.com ", "ann@example.org"], []],
        starts_at=after(4, 1),
    )

    found = waits(contacts, events, as_of=END)

    assert found["answered"].to_list() == [True, False, False]
    assert found["wait_hours"][0] == 4.0


def test_accounts_are_not_mixed() -> None:
    contacts = people("a").with_columns(account=pl.lit("one"))
    calls = table(
        "activities",
        kind=["call", "note"],
        contact_id=["a", None],
        account=["two", "one"],
        starts_at=after(1, 1),
    )

    assert waits(contacts, calls, as_of=END)["answered"].to_list() == [False]


def test_who_is_known_to_a_service_without_calls_does_not_wait_for_one() -> None:
    both = pl.concat(
        [
            people("a").with_columns(account=pl.lit("crm")),
            people("b").with_columns(account=pl.lit("mail")),
        ]
    )
    rows = table(
        "activities",
        kind=["note", "send"],
        account=["crm", "mail"],
        campaign_id=[None, "7"],
        contact_id=["a", "b"],
    )

    assert waits(both, rows, as_of=END)["id"].to_list() == ["a"]
    assert response_time(both, rows, as_of=END).select("contacts", "waiting").row(0) == (1, 1)


def test_an_action_answers_at_the_end_of_its_day_where_the_clocks_change() -> None:
    # Berlin 2026-03-29 has 23 hours: from 00:00 (23:00 UTC) to its end are 23
    came = datetime(2026, 3, 28, 23, tzinfo=UTC)
    contacts = table("contacts", id=["a"], created_at=[came])
    action = table(
        "activities", kind=["action"], contact_id=["a"], done=[True], done_at=[date(2026, 3, 29)]
    )

    found = waits(contacts, action, as_of="2026-04-01", kinds=["action"], time_zone="Europe/Berlin")

    assert found["wait_hours"].item() == pytest.approx(23.0)
    # and what is done today has answered by now
    now = came + timedelta(hours=10)
    at_ten = waits(contacts, action, as_of=now, kinds=["action"], time_zone="Europe/Berlin")
    assert at_ten.select("answered", "wait_hours").row(0) == (True, 10.0)


def test_a_day_ends_at_its_second_midnight_where_clocks_go_back_then() -> None:
    # Sao Paulo, 2018-02-17: 23:59 came twice, the day had 25 hours
    contacts = table("contacts", id=["a"], created_at=[datetime(2018, 2, 17, 2, tzinfo=UTC)])
    action = table(
        "activities", kind=["action"], contact_id=["a"], done=[True], done_at=[date(2018, 2, 17)]
    )

    found = waits(
        contacts, action, as_of="2018-03-01", kinds=["action"], time_zone="America/Sao_Paulo"
    )

    assert found["wait_hours"].item() == pytest.approx(25.0)


def test_two_addresses_of_one_person_are_one_touch_one_address_of_two_people_is_two() -> None:
    contacts = people(
        "a", "b", emails=[["one@example.com", "two@example.com"], ["two@example.com"]]
    )
    event = table(
        "activities",
        kind=["event"],
        contact_emails=[["one@example.com", "two@example.com"]],
        starts_at=after(1),
    )

    assert of_contacts(contacts, touches(event))["contact_id"].sort().to_list() == ["a", "b"]


def test_contacts_that_come_later_or_never_came_are_left_out() -> None:
    contacts = table(
        "contacts", id=["a", "b", "c"], created_at=[START, END + timedelta(seconds=1), None]
    )

    found = response_time(contacts, table("activities", kind=["note"]), as_of=END)

    assert found["contacts"].item() == 1


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 300)), max_size=20),
    st.lists(st.tuples(st.integers(0, 25), st.integers(-20, 300)), max_size=40),
)
def test_answered_and_waiting_are_all_and_groups_sum_to_the_whole(
    came: list[tuple[str, int]], called: list[tuple[int, int]]
) -> None:
    contacts = table(
        "contacts",
        id=[str(place) for place in range(len(came))],
        lead_source=[source for source, _ in came],
        created_at=after(*(hour for _, hour in came)),
    )
    calls = table(
        "activities",
        kind=["note"] + ["call"] * len(called),
        contact_id=[None] + [str(place) for place, _ in called],
        starts_at=after(0, *(hour for _, hour in called)),
    )

    whole = response_time(contacts, calls, as_of=END)
    groups = response_time(contacts, calls, by="lead_source", as_of=END)

    assert whole["contacts"].item() == sum(hour <= 240 for _, hour in came)
    assert (whole["answered"] + whole["waiting"] == whole["contacts"]).all()
    for name in ("contacts", "answered", "waiting"):
        assert groups[name].sum() == whole[name].item()
    answered = sum(
        any(person == place and hour <= at <= 240 for person, at in called)
        for place, (_, hour) in enumerate(came)
    )
    assert whole["answered"].item() == answered


def test_nobody_gives_one_row_of_nulls_and_no_group() -> None:
    nobody, nothing = TABLES["contacts"].empty(), TABLES["activities"].empty()

    assert response_time(nobody, nothing, as_of=END).row(0) == (0, 0, 0, None, None, None)
    assert response_time(nobody, nothing, by="lead_source", as_of=END).is_empty()


def test_what_cannot_be_asked_is_refused() -> None:
    nothing = TABLES["activities"].empty()
    with pytest.raises(UsageError, match="contacts has no column wrote_at"):
        response_time(people("a"), nothing, as_of=END, start="wrote_at")
    with pytest.raises(UsageError, match="by='owner' is no column of contacts"):
        response_time(people("a"), nothing, by="owner", as_of=END)
    with pytest.raises(UsageError, match=r"give a list, \['call'\]"):
        response_time(people("a"), nothing, as_of=END, kinds="call")
