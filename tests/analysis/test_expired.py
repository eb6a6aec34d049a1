"""A consent that was given up to a time is none from then on, in every answer, and no refusal either."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from crmlab import analysis, plots
from crmlab.analysis.consent_state import stand_of
from crmlab.analysis.decisions import EXPIRED, dated_events, history_of
from tests.analysis.small_world import at, table, who

#: channel, purpose, yes or no, the day in January on which it was said, and until when
Said = tuple[str | None, str | None, bool, int, datetime | None]
END = at(10)


def said(*rows: Said, **more: Any) -> pl.DataFrame:
    """What Ann said."""
    key = {"provider": "altcraft", "account": "shop", "contact_id": "Ann", "kind": "said", **more}
    events = [
        {
            **key,
            "id": str(n),
            "channel": row[0],
            "purpose": row[1],
            "opted_in": row[2],
            "occurred_at": at(row[3]),
        }
        for n, row in enumerate(rows)
    ]
    ends = pl.Series("valid_until", [row[4] for row in rows], pl.Datetime("us", "UTC"))
    return table("consent_events", events).with_columns(ends)


UP_TO_END = ("email", None, True, 1, END)
EMAIL = [("email", None)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "on_day_9", "on_day_11"),
    [
        ([UP_TO_END], "in", "-"),
        # said again without an end, with a later one, and with an earlier one
        ([UP_TO_END, ("email", None, True, 2, None)], "in", "in"),
        ([UP_TO_END, ("email", None, True, 2, at(20))], "in", "in"),
        ([("email", None, True, 1, at(20)), ("email", None, True, 2, END)], "in", "-"),
        # given anew at the moment of its end, and after it
        ([UP_TO_END, ("email", None, True, 10, None)], "in", "in"),
        ([UP_TO_END, ("email", None, True, 11, None)], "in", "in"),
        # an older consent does not come back
        ([("email", None, True, 1, None), ("email", None, True, 2, END)], "in", "-"),
        # taken back before: a refusal stays one
        ([UP_TO_END, ("email", None, False, 2, None)], "out", "out"),
        ([UP_TO_END, (None, None, False, 2, None)], "out", "out"),
        ([("email", None, False, 1, END)], "out", "out"),
        # it was over when it was given
        ([("email", None, True, 1, at(1))], "-", "-"),
        ([("email", None, True, 2, at(1))], "-", "-"),
        ([("email", None, False, 1, None), ("email", None, True, 2, at(1))], "out", "out"),
    ],
)
def test_a_yes_with_an_end_counts_up_to_it(rows: list[Said], on_day_9: str, on_day_11: str) -> None:
    # somebody else says something later, so that everything is known up to then
    events = pl.concat([said(*rows), said(("sms", None, False, 28, None), contact_id="Bo")])

    def stands(day: int) -> str:
        state = analysis.current_consent(events, as_of=at(day, hour=10)).filter(channel="email")
        return "".join(state["decision"].str.strip_prefix("opt-")) or "-"

    assert (stands(9), stands(11)) == (on_day_9, on_day_11)


@pytest.mark.slow
def test_of_two_purposes_the_one_that_lasts_is_a_yes() -> None:
    events = said(
        ("email", "news", True, 1, END),
        ("email", "ads", True, 1, None),
        ("sms", "ads", True, 28, None),
    )
    deals = table(
        "deals",
        [{"provider": "onepagecrm", "account": "crm", "contact_id": "ann", "status": "pending"}],
    )

    def consent(purpose: str | None) -> str:
        found = analysis.open_pipeline_by_consent(
            deals, events, who(ann="A"), as_of=at(11), purpose=purpose
        )
        return str(found.filter(pl.col("deals") == 1)["consent"].item())

    assert [consent(each) for each in (None, "ads", "news")] == [
        "opted in",
        "opted in",
        "undecided",
    ]


def test_an_expired_consent_has_left_the_stock_and_lasted_up_to_its_end() -> None:
    events = pl.concat([said(UP_TO_END), said(("sms", None, True, 20, None), contact_id="Bo")])

    stock = analysis.consent_stock(events, every="1w")
    lasting = analysis.consent_survival(events, as_of=at(21))

    assert stock["net"].sum() == analysis.current_consent(events, as_of=at(21)).height == 1
    assert lasting.row(0, named=True)["ended"] == 0
    assert lasting.filter(days=9.0)["ended"].to_list() == [1]


def test_who_let_a_consent_expire_did_not_object() -> None:
    events = said(UP_TO_END, ("sms", None, True, 28, None))
    calls = [
        {
            "provider": "altcraft",
            "account": "shop",
            "id": "1",
            "contact_id": "Ann",
            "mailing": "sent",
        }
    ]
    sent = table("activities", calls).with_columns(
        starts_at=pl.lit(datetime(2026, 1, 12, tzinfo=UTC))
    )

    found = analysis.activities_after_opt_out(sent, events, who(ann="A"), as_of=at(30))

    assert found.is_empty()


def test_figures_say_how_many_have_expired() -> None:
    events = said(UP_TO_END, ("sms", None, True, 2, None))

    figure = plots.consent_rate(events, as_of=at(11))

    assert (
        "1 event with a yes that has expired, which is none any more"
        in figure.layout.title.subtitle.text
    )


def test_a_frame_without_such_a_column_is_taken_as_before() -> None:
    events = said(UP_TO_END).drop("valid_until")

    assert analysis.current_consent(events, as_of=at(11))["decision"].to_list() == ["opt-in"]


GRANTS = (("email", "news", True, 1, END), ("email", "offers", True, 1, END))


@pytest.mark.parametrize(
    ("rows", "opted_out_on"),
    [
        # a withdrawal of everything, before one consent or several would have expired
        ((GRANTS[0], ("email", None, False, 5, None)), 5),
        ((*GRANTS, ("email", None, False, 5, None)), 5),
        ((*GRANTS, (None, None, False, 5, None)), 5),
        # a no to one purpose is a no to all from when the yes to the other expired
        ((("email", "news", False, 5, None), GRANTS[1]), 10),
        # all expired, none was refused
        (GRANTS, None),
    ],
)
def test_a_withdrawal_stays_one_where_consents_expire_after_it(
    rows: tuple[Said, ...], opted_out_on: int | None
) -> None:
    events = said(*rows)
    mailing = {"provider": "altcraft", "account": "shop", "contact_id": "Ann", "mailing": "sent"}
    sent = table("activities", [{**mailing, "id": "1", "starts_at": at(25)}])
    contacts = table("contacts", [{"provider": "altcraft", "account": "shop", "id": "Ann"}])
    nobody = table("subscriptions", [mailing]).clear()

    after = analysis.activities_after_opt_out(sent, events, who(ann="A"), as_of=at(30))
    objected = analysis.mailed_but_objected(
        contacts, nobody, sent, events, who(ann="A"), as_of=at(30)
    )

    expected = [] if opted_out_on is None else [at(opted_out_on)]
    assert after["opted_out_at"].to_list() == expected
    assert objected["objected_at"].to_list() == expected


@pytest.mark.parametrize("purpose", [None, "news"])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_somebody_had_decided_is_their_state_at_every_moment(
    purpose: str | None, seed: int
) -> None:
    events = _anything_said(seed)
    people = _each_alone(events)
    for day in (1, 3, 6, 12):
        moment = at(day, hour=12)
        history = history_of(dated_events(events, moment, people), "email", purpose)
        last = history.group_by("subject", maintain_order=True).last()
        state = stand_of(
            events,
            moment,
            people,
            channel="email",
            purpose=purpose,
            subscriptions=None,
            contacts=None,
        )

        in_force = last.filter(pl.col("decision") != EXPIRED).select("subject", "decision")
        assert in_force.sort("subject").rows() == state.sort("subject").rows()


def _anything_said(seed: int) -> pl.DataFrame:
    """Return what 300 people said on four days, of two purposes or none, in one channel or of all."""
    lot = random.Random(seed)
    rows = []
    for number in range(1_500):
        is_yes = lot.random() < 0.7
        rows.append(
            {
                "provider": "altcraft",
                "account": "shop",
                "id": str(number),
                "contact_id": str(lot.randrange(300)),
                "kind": "said",
                "channel": "email" if is_yes else lot.choice(["email", None]),
                "purpose": lot.choice(["news", "offers", None]),
                "opted_in": is_yes,
                "occurred_at": at(lot.choice([1, 2, 4, 8])),
            }
        )
    ends = [at(lot.choice([1, 3, 4, 8, 9])) if lot.random() < 0.5 else None for _ in rows]
    valid_until = pl.Series("valid_until", ends, pl.Datetime("us", "UTC"))
    return table("consent_events", rows).with_columns(valid_until)


def _each_alone(events: pl.DataFrame) -> pl.DataFrame:
    contacts = events.select("provider", "account", id="contact_id", person_id="contact_id")
    return contacts.unique()


@pytest.mark.parametrize("ends", [(at(3), at(4)), (at(3), at(3))])
def test_two_purposes_may_end_at_one_moment(ends: tuple[datetime, datetime]) -> None:
    events = said(("email", "news", True, 1, ends[0]), ("email", "ads", True, 1, ends[1]))

    assert _at_closing(events) == "undecided"


def test_whether_a_consent_had_expired_does_not_depend_on_others() -> None:
    events = said(UP_TO_END)
    later = pl.concat([events, said(("email", None, True, 15, None), contact_id="Bo")])
    without_end = said(("email", None, True, 1, datetime(9999, 12, 31, 23, tzinfo=UTC)))

    assert [_at_closing(each) for each in (events, later, without_end)] == [
        "undecided",
        "undecided",
        "opted in",
    ]


def _at_closing(events: pl.DataFrame) -> str:
    """Return what Ann had decided when her deal was won, long after the end."""
    deal = {"provider": "onepagecrm", "account": "crm", "contact_id": "ann", "status": "won"}
    deals = table("deals", [{**deal, "close_date": date(2026, 6, 1)}])
    found = analysis.consent_and_win_rate(
        deals, events, who(ann="A", bo="B"), time_zone="Europe/Berlin"
    )
    return str(found.filter(pl.col("won") == 1)["consent"].item())


def test_several_that_were_over_when_they_were_given_leave_a_refusal() -> None:
    rows: list[Said] = [("email", None, False, 1, None)]
    rows += [("email", None, True, day, at(1, hour=10)) for day in (2, 3)]

    state = analysis.current_consent(said(*rows), as_of=at(20))

    assert state["decision"].to_list() == ["opt-out"]


@pytest.mark.parametrize("time_zone", ["UTC", "Europe/Berlin"])
def test_a_consent_that_ends_by_itself_is_among_those_that_expire(time_zone: str) -> None:
    rows: list[Said] = [("email", None, True, 1, at(20)), ("sms", None, True, 1, None)]
    events = said(*rows).with_columns(pl.col("valid_until").dt.convert_time_zone(time_zone))

    found = analysis.expiring_consents(events, as_of=at(5), within_days=90, every="1mo")
    without = analysis.expiring_consents(
        events.drop("valid_until"), as_of=at(5), within_days=90, every="1mo"
    )

    assert found.rows() == [(date(2026, 1, 1), "email", 1)]
    assert without.is_empty()
