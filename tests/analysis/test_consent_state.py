"""Who is opted in, how many, until when: against answers worked out by hand, laws, and a world that is known."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import crmlab
from crmlab.analysis.consent_expiry import expiring_consents
from crmlab.analysis.consent_growth import consent_stock
from crmlab.analysis.consent_rates import consent_rate
from crmlab.analysis.consent_state import current_consent
from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES, conform
from tests.analysis.words import decided

AS_OF = date(2026, 6, 1)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


def events(*rows: tuple[Any, ...], provider: str = "altcraft") -> pl.DataFrame:
    """Return events of contact, channel, kind, time, and what else is named after them."""
    names = ("contact_id", "channel", "kind", "occurred_at", "source", "opted_in", "contact_email")
    frame = pl.DataFrame(
        [(*row, *[None] * (len(names) - len(row))) for row in rows],
        schema={name: TABLES["consent_events"].schema[name] for name in names},
        orient="row",
    )
    return decided(
        conform(
            frame.with_columns(provider=pl.lit(provider), account=pl.lit("a")),
            TABLES["consent_events"],
        )
    )


def table(name: str, **columns: Any) -> pl.DataFrame:
    return conform(pl.DataFrame(columns), TABLES[name])


# ---- state --------------------------------------------------------------------------------------


def test_the_last_decision_until_then_wins_for_each_channel() -> None:
    frame = events(
        ("1", "email", "unsubscribe", at(9), "footer"),
        ("1", "email", "subscribe", at(1), "form"),
        ("1", "email", "hardbounce", at(10), "mail"),
        ("1", "sms", "subscribe", at(2), "shop"),
        ("1", "sms", "unsubscribe", at(200), "later"),
        (None, "email", "subscribe", at(1)),
        ("2", "email", "subscribe", None),
    )

    found = current_consent(frame, as_of=AS_OF)

    assert found.select(
        "subject", "channel", "decision", "decided_at", "source", "basis"
    ).rows() == [
        ("altcraft/a/1", "email", "opt-out", at(9), "footer", "event"),
        ("altcraft/a/1", "sms", "opt-in", at(2), "shop", "event"),
    ]


def test_as_of_holds_its_own_moment_and_a_date_is_its_midnight_in_utc() -> None:
    frame = events(("1", "email", "subscribe", at(2)))

    assert current_consent(frame, as_of=date(2026, 1, 2)).height == 1
    assert (
        current_consent(frame, as_of=datetime.fromisoformat("2026-01-02T00:59:59+01:00")).height
        == 0
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_decisions_of_one_moment_the_opt_out_wins(order: tuple[int, int]) -> None:
    rows = [("1", "email", "subscribe", at(1)), ("1", "email", "unsubscribe", at(1))]

    found = current_consent(events(*(rows[place] for place in order)), as_of=AS_OF)

    assert found["decision"].to_list() == ["opt-out"]


def test_an_address_is_one_person_in_all_services() -> None:
    frame = pl.concat(
        [
            events(("1", "email", "subscribe", at(1), None, None, " Ada@X.example")),
            events(
                ("77", "email", "update", at(2), None, False, "ada@x.example"), provider="complero"
            ),
            events(("78", "email", "update", at(2), None, True, None), provider="complero"),
        ]
    )

    found = current_consent(frame, as_of=AS_OF, subject="email")

    assert found.select("subject", "decision", "provider").rows() == [
        ("ada@x.example", "opt-out", "complero"),
        ("complero/a/78", "opt-in", "complero"),
    ]


def test_a_state_without_a_time_is_a_refusal_above_all_and_a_consent_below_all() -> None:
    said = events(
        ("1", "email", "subscribe", at(1)),
        ("2", "email", "unsubscribe", at(1)),
        ("4", "email", "subscribe", at(1)),
    )
    key = {"provider": ["altcraft"] * 6, "account": ["a"] * 6}
    subscriptions = table(
        "subscriptions",
        **key,
        contact_id=["1", "2", "3", "3", "4", "5"],
        channel=["email"] * 6,
        opted_in=[False, True, True, False, None, None],
        resource_id=["r1", "r1", "r2", "r1", "r1", "r1"],
    )
    contacts = table(
        "contacts",
        provider=["altcraft", "altcraft"],
        account=["a"] * 2,
        id=["4", "5"],
        do_not_contact=[True, False],
    )

    found = current_consent(said, as_of=AS_OF, subscriptions=subscriptions, contacts=contacts)

    assert found.select("subject", "decision", "basis", "source").rows() == [
        ("altcraft/a/1", "opt-out", "subscription", "r1"),
        ("altcraft/a/2", "opt-out", "event", None),
        ("altcraft/a/3", "opt-in", "subscription", "r2"),
        ("altcraft/a/4", "opt-out", "contact", None),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["E-Mail", "email ", "mail", "EMAIL"])
def test_spellings_of_a_channel_are_one(channel: str) -> None:
    frame = events(("1", "email", "subscribe", at(1)), ("1", channel, "unsubscribe", at(9)))

    assert current_consent(frame, as_of=AS_OF).select("channel", "decision").rows() == [
        ("email", "opt-out")
    ]
    assert consent_stock(frame, every="1y")["stock"].to_list() == [0]
    assert consent_rate(frame, as_of=AS_OF, by="channel").select(
        "channel", "opted_in", "opted_out"
    ).rows() == [("email", 0, 1)]


def test_a_withdrawal_without_a_channel_ends_every_channel_until_a_new_consent() -> None:
    frame = events(
        ("1", "email", "subscribe", at(1)),
        ("1", "sms", "subscribe", at(2)),
        ("1", None, "unsubscribe", at(3)),
        ("1", "sms", "subscribe", at(4)),
        ("2", None, "subscribe", at(1)),
        ("2", "email", "unsubscribe", at(2)),
    )

    found = current_consent(frame, as_of=AS_OF)

    assert found.select("subject", "channel", "decision").rows() == [
        ("altcraft/a/1", None, "opt-out"),
        ("altcraft/a/1", "email", "opt-out"),
        ("altcraft/a/1", "sms", "opt-in"),
        ("altcraft/a/2", None, "opt-in"),
        ("altcraft/a/2", "email", "opt-out"),
    ]
    assert consent_stock(frame, every="1y")["stock"].to_list() == [2]


def test_a_withdrawal_without_a_channel_ends_a_subscription_of_before() -> None:
    said = events(("1", None, "unsubscribe", at(3)))
    subscriptions = table(
        "subscriptions",
        provider=["altcraft"],
        account=["a"],
        contact_id=["1"],
        channel=["E-Mail"],
        opted_in=[True],
    )

    found = current_consent(said, as_of=AS_OF, subscriptions=subscriptions)

    assert found.select("channel", "decision", "basis").rows() == [
        (None, "opt-out", "event"),
        ("email", "opt-out", "event"),
    ]


def test_a_person_is_known_by_any_spelling_of_an_address_and_by_the_id_that_goes_with_it() -> None:
    frame = events(
        ("1", "email", "subscribe", at(1), None, None, "Ann@B\u00fccher.example"),
        (None, "email", "unsubscribe", at(2), None, None, "<ann@xn--bcher-kva.example>"),
    )

    by_contact = current_consent(frame, as_of=AS_OF)
    by_address = current_consent(frame, as_of=AS_OF, subject="email")

    assert by_contact.select("subject", "decision").rows() == [("altcraft/a/1", "opt-out")]
    assert by_address.select("subject", "decision").rows() == [
        ("ann@b\u00fccher.example", "opt-out")
    ]


def test_a_subscription_is_of_the_address_of_its_contact() -> None:
    contacts = table(
        "contacts", provider=["altcraft"], account=["a"], id=["1"], emails=[["Ada@X.example"]]
    )
    subscriptions = table(
        "subscriptions",
        provider=["altcraft"] * 2,
        account=["a"] * 2,
        contact_id=["1", "2"],
        channel=["sms", "email"],
        address=["+49 1", "bo@x.example"],
        opted_in=[True] * 2,
    )

    found = current_consent(
        events(), as_of=AS_OF, subject="email", subscriptions=subscriptions, contacts=contacts
    )

    assert found["subject"].to_list() == ["ada@x.example", "bo@x.example"]


@pytest.mark.parametrize("as_of", [datetime(2026, 1, 1), "yesterday", None])  # noqa: DTZ001
def test_a_moment_that_is_none_is_refused(as_of: Any) -> None:
    with pytest.raises(UsageError, match="as_of"):
        current_consent(events(), as_of=as_of)


def test_an_unknown_kind_of_subject_is_refused() -> None:
    with pytest.raises(UsageError, match="subject='phone': give 'contact'"):
        current_consent(events(), as_of=AS_OF, subject="phone")  # type: ignore[arg-type]


@pytest.mark.slow
async def test_the_state_of_a_world_is_what_its_people_last_said() -> None:
    world = generate(300, seed=3)
    people = {person.id: person.complero_id for person in world.people_in("complero")}
    truth = {}
    for event in world.consent_events:  # by time
        if event.kind in ("confirm", "update") and event.person_id in people:
            truth[f"complero/complero/{people[event.person_id]}", event.channel] = event.opted_in

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, "consent_events")

    found = current_consent(data.consent_events, as_of=world.now)
    rows = {
        (who, channel): said == "opt-in"
        for who, channel, said in found.select("subject", "channel", "decision").rows()
    }
    assert rows == truth
    rate = consent_rate(data.consent_events, as_of=world.now)
    assert rate["decided"].item() == len({who for who, _ in truth})
    assert consent_stock(data.consent_events)["stock"][-1] == sum(truth.values())


# ---- rate ---------------------------------------------------------------------------------------


def test_people_are_counted_once_in_each_group() -> None:
    said = events(
        ("1", "email", "subscribe", at(1)),
        ("1", "sms", "unsubscribe", at(1)),
        ("2", "email", "unsubscribe", at(1)),
        ("3", "email", "subscribe", at(1)),
    )

    assert consent_rate(said, as_of=AS_OF).row(0) == (2, 1, 3, 2 / 3)
    assert consent_rate(said, as_of=AS_OF, by="channel").rows() == [
        ("email", 2, 1, 3, 2 / 3),
        ("sms", 0, 1, 1, 0.0),
    ]


def test_coverage_is_of_all_contacts_and_counts_nobody_else() -> None:
    contacts = table(
        "contacts", provider=["altcraft"] * 4, account=["a"] * 4, id=["1", "2", "8", "9"]
    )
    said = events(("1", "email", "subscribe", at(1)), ("5", "email", "subscribe", at(1)))

    found = consent_rate(said, as_of=AS_OF, contacts=contacts).row(0, named=True)

    assert (found["decided"], found["contacts_decided"], found["contacts"]) == (2, 1, 4)
    assert found["coverage_of_contacts"] == 0.25


def test_by_service_the_coverage_is_of_its_own_contacts() -> None:
    # three contacts of altcraft, of whom one decided; two of complero, of whom one did, and has the same id
    contacts = table(
        "contacts",
        provider=["altcraft"] * 3 + ["complero"] * 2,
        account=["a"] * 5,
        id=["1", "2", "3", "1", "2"],
    )
    of_altcraft = events(("1", "email", "subscribe", at(1)))
    of_complero = events(("1", "email", "update", at(1), None, True), provider="complero")
    said = pl.concat([of_altcraft, of_complero])

    found = consent_rate(said, as_of=AS_OF, by="provider", contacts=contacts)

    counts = found.select("provider", "contacts_decided", "contacts", "coverage_of_contacts")
    assert counts.rows() == [("altcraft", 1, 3, 1 / 3), ("complero", 1, 2, 1 / 2)]


def test_the_rate_of_nobody_is_null() -> None:
    found = consent_rate(events(), as_of=AS_OF, contacts=TABLES["contacts"].empty())

    assert found.row(0) == (0, 0, 0, None, 0, 0, None)


def test_a_group_that_is_no_column_is_refused() -> None:
    with pytest.raises(
        UsageError,
        match="by='reason' is no column of consent_events: choose one of provider, account",
    ):
        consent_rate(events(), as_of=AS_OF, by="reason")


# ---- stock --------------------------------------------------------------------------------------


def test_repeats_and_refusals_of_nobody_change_nothing() -> None:
    frame = events(
        ("1", "email", "unsubscribe", at(5)),
        ("1", "email", "subscribe", at(6)),
        ("1", "email", "confirm", at(7)),
        ("2", "email", "subscribe", at(12)),
        ("1", "email", "unsubscribe", at(26)),
        ("1", "email", "complain", at(27)),
    )

    found = consent_stock(frame, every="1w")

    rows = [
        (date(2026, 1, 5), 1, 0, 1, 0, 1, None),
        (date(2026, 1, 12), 1, 0, 1, 1, 2, 0.0),
        (date(2026, 1, 19), 0, 0, 0, 2, 2, 0.0),
        (date(2026, 1, 26), 0, 1, -1, 2, 1, 0.5),
    ]
    names = ["opt_ins", "opt_outs", "net", "stock_at_start", "stock"]
    schema = {
        "period": pl.Date,
        **dict.fromkeys(names, pl.Int64),
        "opt_out_rate_of_stock_at_start": pl.Float64,
    }
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))
    assert_frame_equal(consent_stock(events()), pl.DataFrame(schema=schema))


def test_days_begin_where_the_clock_says_and_the_day_of_the_change_is_one() -> None:
    # Berlin goes to summer time on 2026-03-29: 22:30 UTC is the day before until then half past eleven
    night = [datetime(2026, 3, day, 22, 30, tzinfo=UTC) for day in (28, 29)]
    frame = events(("1", "email", "subscribe", night[0]), ("2", "email", "subscribe", night[1]))

    assert consent_stock(frame, every="1d", time_zone="Europe/Berlin")["period"].to_list() == [
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 3, 30),
    ]


STORY = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["email", "sms", None]),
        st.sampled_from(["subscribe", "unsubscribe", "hardbounce"]),
        st.integers(1, 60).map(at),
    ),
    max_size=30,
)


@given(STORY, st.sampled_from(["1d", "1w", "1mo"]))
def test_the_stock_is_all_net_so_far_and_at_the_end_who_is_opted_in(
    rows: list[tuple[Any, ...]], every: str
) -> None:
    frame = events(*rows)

    found = consent_stock(frame, every=every)

    assert found["stock"].to_list() == found["net"].cum_sum().to_list()
    assert found["stock_at_start"].to_list() == [0, *found["stock"].to_list()][: found.height]
    assert min(found["stock"], default=0) >= 0
    state = current_consent(frame, as_of=AS_OF)
    assert sum(found["net"]) == (state["decision"] == "opt-in").sum()


@given(STORY, st.randoms(use_true_random=False))
def test_the_state_does_not_depend_on_the_order_of_the_rows(
    rows: list[tuple[Any, ...]], random: Any
) -> None:
    mixed = random.sample(rows, len(rows))
    columns = ["subject", "channel", "decision", "decided_at"]

    assert_frame_equal(
        current_consent(events(*rows), as_of=AS_OF).select(columns),
        current_consent(events(*mixed), as_of=AS_OF).select(columns),
    )


# ---- expiry -------------------------------------------------------------------------------------


def test_consents_expire_a_year_after_they_were_last_given() -> None:
    said = events(
        ("1", "email", "subscribe", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2", "email", "subscribe", datetime(2024, 1, 1, tzinfo=UTC)),
        ("3", "email", "subscribe", datetime(2024, 1, 1, tzinfo=UTC)),
        ("3", "email", "confirm", datetime(2024, 3, 31, 23, tzinfo=UTC)),
        ("4", "email", "subscribe", datetime(2024, 3, 1, tzinfo=UTC)),
        ("4", "email", "unsubscribe", datetime(2024, 3, 2, tzinfo=UTC)),
        ("5", "sms", "subscribe", datetime(2024, 8, 1, tzinfo=UTC)),
        ("6", "sms", "subscribe", datetime(2024, 2, 2, tzinfo=UTC)),
    )

    found = expiring_consents(
        said, as_of=datetime(2025, 2, 1, tzinfo=UTC), every="1d", time_zone="Europe/Berlin"
    )

    # the leap day is one of the 365; 23:00 UTC in March is 01:00 of the next day in Berlin
    assert found.rows() == [
        (date(2025, 2, 28), "email", 1),
        (date(2025, 4, 1), "email", 1),
        (None, "email", 1),
        (None, "sms", 1),
    ]


def test_only_days_ahead_can_be_asked_for() -> None:
    with pytest.raises(UsageError, match="must be 1 or more"):
        expiring_consents(events(), as_of=AS_OF, within_days=0)


def test_of_no_state_nothing_expires() -> None:
    found = expiring_consents(events(), as_of=AS_OF)

    assert_frame_equal(
        found, pl.DataFrame(schema={"period": pl.Date, "channel": pl.String, "consents": pl.Int64})
    )
