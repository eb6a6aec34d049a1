"""Figures of people, of consent behind deals and of objections: what they hold and say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import plotly.graph_objects as go
import polars as pl
import pytest

from crmlab import plots
from crmlab.analysis.identity import people
from crmlab.schema import TABLES, conform
from tests.analysis.small_world import AS_OF, at, said, table, who

MILLION = 1_000_000
Data = dict[str, pl.DataFrame]
EMPTY: Data = {name: table.empty() for name, table in TABLES.items()}
DRAW: dict[str, Callable[[Data, pl.DataFrame], go.Figure]] = {
    "people_overlap": lambda data, known: plots.people_overlap(known),
    "open_pipeline_by_consent": lambda data, known: plots.open_pipeline_by_consent(
        data["deals"], data["consent_events"], known, as_of=AS_OF
    ),
    "consent_coverage_of_pipeline": lambda data, known: plots.consent_coverage_of_pipeline(
        data["deals"], data["consent_events"], known, as_of=AS_OF
    ),
    "consent_and_win_rate": lambda data, known: plots.consent_and_win_rate(
        data["deals"], data["consent_events"], known
    ),
    "activities_after_opt_out": lambda data, known: plots.activities_after_opt_out(
        data["activities"], data["consent_events"], known, as_of=AS_OF
    ),
    "mailed_but_objected": lambda data, known: plots.mailed_but_objected(
        data["contacts"],
        data["subscriptions"],
        data["activities"],
        data["consent_events"],
        known,
        as_of=AS_OF,
    ),
}


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def notes(figure: go.Figure) -> str:
    return str(figure.layout.title.subtitle.text).replace("<br>", "")


def deals(*rows: tuple[str | None, str, float, str | None, date | None]) -> pl.DataFrame:
    names = ("contact_id", "status", "amount", "currency", "close_date")
    key = {"provider": "onepagecrm", "account": "crm", "owner_name": "Zoe"}
    return table("deals", [key | dict(zip(names, row, strict=True)) for row in rows])


OPEN = deals(
    ("ann", "pending", 30.0, "EUR", None),
    ("bo", "pending", 10.0, "EUR", None),
    (None, "pending", 0.0, "EUR", None),
)
EVENTS = said(("Ann", "subscribe", "email", at(1)), ("Bo", "unsubscribe", "email", at(1)))


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAW)
def test_an_empty_table_says_in_words_that_there_is_nothing(name: str) -> None:
    figure = DRAW[name](EMPTY, people(EMPTY["contacts"]))

    words = figure.layout.annotations[0].text.replace("<br>", " ")
    assert words.startswith("Nothing to show: the ")
    assert words.endswith(" table is empty.")
    assert title(figure).endswith("(n = 0)")
    assert len(figure.data) == 0
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


@pytest.fixture(scope="module")
def a_million_rows() -> tuple[Data, pl.DataFrame]:
    """Return a million rows for each table, with as many owners and days as could ever be."""
    row = pl.int_range(MILLION)
    time = (
        pl.lit(datetime(2010, 1, 1, tzinfo=UTC)) + pl.duration(minutes=row * 8)
    ).dt.cast_time_unit("us")
    key = {"provider": pl.lit("altcraft"), "account": pl.lit("shop"), "id": row.cast(pl.String)}
    contact = {**key, "contact_id": (row % 300_000).cast(pl.String)}
    columns: dict[str, dict[str, pl.Expr]] = {
        "contacts": {**key, "do_not_contact": row % 3 == 0},
        "deals": {
            **contact,
            "owner_name": pl.format("Owner with quite a long name, number {}", row % 50_000),
            "status": pl.lit(pl.Series(["pending", "won", "lost"])).gather(row % 3),
            "amount": (row % 977).cast(pl.Float64),
            "currency": pl.lit(pl.Series(["EUR", "USD", "GBP", None])).gather(row % 4),
            "close_date": time.dt.date(),
        },
        "activities": {
            **contact,
            "kind": pl.lit(pl.Series(["send", "call"])).gather(row % 2),
            "mailing": pl.lit(pl.Series(["sent", None])).gather(row % 2),
            "starts_at": time,
        },
        "consent_events": {
            **contact,
            "kind": pl.lit(pl.Series(["subscribe", "unsubscribe", "complain"])).gather(row * 7 % 3),
            "occurred_at": time,
        },
        "subscriptions": {**contact, "channel": pl.lit("email"), "status": pl.lit("subscribed")},
    }
    data = {name: conform(pl.select(**parts), TABLES[name]) for name, parts in columns.items()}
    known = data["contacts"].select("provider", "account", "id", pl.col("id").alias("person_id"))
    return data, known


@pytest.mark.parametrize("name", DRAW)
def test_a_million_rows_stay_below_one_megabyte(
    name: str, a_million_rows: tuple[Data, pl.DataFrame]
) -> None:
    figure = DRAW[name](*a_million_rows)

    assert 1_000 < len(figure.to_json()) < 1_000_000


def test_the_combinations_of_services_are_called_by_the_shortest_name() -> None:
    services = {
        "A": ("altcraft", "complero", "relenta"),
        "B": ("relenta",),
        "C": ("altcraft", "relenta"),
        "D": ("relenta",),
    }
    rows = [(service, "main", name, name) for name, known in services.items() for service in known]
    frame = pl.DataFrame(rows, schema=["provider", "account", "id", "person_id"], orient="row")

    figure = plots.people_overlap(frame)

    (bars,) = figure.data
    assert dict(zip(bars.y, bars.x, strict=True)) == {
        "relenta": 2,
        "all 3 services": 1,
        "altcraft + relenta": 1,
    }
    assert title(figure) == "People by the services that know them (n = 4)"
    assert "7 contacts" in notes(figure)


def test_contacts_of_no_service_are_named() -> None:
    frame = pl.DataFrame(
        {
            "provider": [None, "relenta"],
            "account": ["a", "a"],
            "id": ["1", "3"],
            "person_id": ["/a/1", "relenta/a/3"],
        }
    )

    (bars,) = plots.people_overlap(frame).data

    assert sorted(bars.y) == ["(no service)", "relenta"]


def test_the_open_pipeline_shows_amount_deals_and_share_of_each_state() -> None:
    figure = plots.open_pipeline_by_consent(OPEN, EVENTS, who(ann="A", bo="B"), as_of=AS_OF)

    (bars,) = figure.data
    assert bars.y == ("opted in", "opted out", "undecided", "unknown person")
    assert bars.x == (30.0, 10.0, 0.0, 0.0)
    assert bars.text[:2] == ("1 deal<br>30 EUR (75%)", "1 deal<br>10 EUR (25%)")
    assert title(figure) == "Open pipeline by consent (n = 3 open deals)"
    assert notes(figure) == (
        "Last decision about email up to 01 Jun 2026 00:00 UTC, in any service. By events alone"
    )
    assert figure.layout.xaxis.title.text == "Amount (EUR)"


def test_currencies_have_bars_of_their_own() -> None:
    frame = deals(
        ("ann", "pending", 30.0, "EUR", None),
        ("ann", "pending", 10.0, None, None),
        ("ann", "pending", 5.0, "USD", None),
    )

    figure = plots.open_pipeline_by_consent(frame, EVENTS, who(ann="A"), as_of=AS_OF)

    assert [(bars.name, bars.x[0]) for bars in figure.data] == [
        ("EUR", 30.0),
        ("USD", 5.0),
        ("currency not given", 10.0),
    ]
    assert figure.layout.xaxis.title.text == "Amount (each bar in its own currency)"


def test_coverage_stacks_what_was_decided() -> None:
    figure = plots.consent_coverage_of_pipeline(
        OPEN, EVENTS, who(ann="A", bo="B"), as_of=AS_OF, by="owner_name"
    )

    opted_in, opted_out = figure.data
    assert (opted_in.x, opted_out.x) == ((1 / 3,), (1 / 3,))
    assert opted_in.text == ("33%<br>1 of 3",)
    assert title(figure) == "Consent coverage, for each owner (n = 3 open deals)"


def test_the_win_rate_by_consent_shows_its_interval_and_says_that_it_is_no_cause() -> None:
    day = date(2026, 3, 1)
    frame = deals(
        ("ann", "won", 1.0, None, day),
        ("ann", "lost", 1.0, None, day),
        (None, "won", 1.0, None, day),
        (None, "won", 1.0, None, None),
    )

    figure = plots.consent_and_win_rate(frame, EVENTS, who(ann="A"))

    (points,) = figure.data
    assert (points.y, points.x) == (("opted in", "unknown person"), (0.5, 1.0))
    assert points.text == ("50% (1 of 2)", "100% (1 of 1)")
    assert points.error_x.array == pytest.approx((0.405469, 0.0), abs=1e-6)
    assert points.error_x.arrayminus[0] == pytest.approx(0.405469, abs=1e-6)
    assert points.textposition == ("top center", "top left")
    assert title(figure) == "Win rate by consent before closing (n = 3 closed deals)"
    assert "Not a cause" in notes(figure)
    assert "Left out: 1 without a close date" in notes(figure)


def test_what_was_done_after_an_opt_out_is_counted_by_channel_and_service() -> None:
    activities = table(
        "activities",
        [
            {
                "provider": "altcraft",
                "account": "shop",
                "contact_id": "Bo",
                "kind": "send",
                "mailing": "sent",
                "starts_at": at(9),
            }
        ],
    )

    figure = plots.activities_after_opt_out(activities, EVENTS, who(bo="B"), as_of=AS_OF)
    fine = plots.activities_after_opt_out(activities, EVENTS, who(ann="A"), as_of=AS_OF)

    (bars,) = figure.data
    assert (bars.name, bars.y) == ("email · send · altcraft", (1,))
    assert title(figure) == "Contacts after an opt-out per day (n = 1)"
    assert notes(figure).endswith("People concerned: 1. Of 1 that contact a person")
    assert "nobody was contacted" in fine.layout.annotations[0].text.replace("<br>", " ")


def test_mailed_contacts_are_counted_by_how_their_person_objected() -> None:
    contacts = table(
        "contacts",
        [{"provider": "onepagecrm", "account": "crm", "id": "bo", "do_not_contact": True}],
    )
    active = {
        "provider": "altcraft",
        "account": "shop",
        "contact_id": "Bo",
        "channel": "email",
        "opted_in": True,
    }
    subscriptions = table("subscriptions", [active])
    none = EMPTY["activities"]

    figure = plots.mailed_but_objected(
        contacts, subscriptions, none, EVENTS, who(bo="B"), as_of=AS_OF
    )

    (bars,) = figure.data
    assert bars.y == ("altcraft: unsubscribe", "onepagecrm: do not contact")
    assert bars.text[0] == "1 contact<br>0 sent to"
    assert title(figure) == "Mailed although they objected (n = 1 contact)"
    assert "in several bars" in notes(figure)


def test_an_objection_whose_kind_nobody_gave_has_a_bar() -> None:
    active = {
        "provider": "altcraft",
        "account": "shop",
        "contact_id": "Bo",
        "channel": "email",
        "opted_in": True,
    }
    subscriptions = table("subscriptions", [active])
    events = EVENTS.with_columns(kind=pl.lit(None, EVENTS.schema["kind"]))

    figure = plots.mailed_but_objected(
        EMPTY["contacts"], subscriptions, EMPTY["activities"], events, who(bo="B"), as_of=AS_OF
    )

    (bars,) = figure.data
    assert bars.y == ("altcraft: kind not given",)


def test_a_yes_without_a_purpose_is_told_where_one_is_asked_for() -> None:
    key = {
        "provider": "altcraft",
        "account": "shop",
        "contact_id": "Ann",
        "channel": "E-Mail",
        "opted_in": True,
    }
    events = table("consent_events", [{**key, "id": "1", "occurred_at": at(1)}])
    deals = table(
        "deals",
        [{"provider": "onepagecrm", "account": "crm", "contact_id": "ann", "status": "pending"}],
    )

    any_purpose = plots.open_pipeline_by_consent(deals, events, who(ann="A"), as_of=AS_OF)
    for_news = plots.open_pipeline_by_consent(
        deals, events, who(ann="A"), as_of=AS_OF, purpose="news"
    )

    won = deals.with_columns(status=pl.lit("won"), close_date=pl.lit(AS_OF))
    by_news = plots.consent_and_win_rate(won, events, who(ann="A"), purpose="news")

    assert "1 event with a yes and no purpose: for none that is named" in notes(by_news)
    assert "yes and no purpose" not in notes(any_purpose)
    assert "Last decision about email for news" in notes(for_news)
    assert "1 event with a yes and no purpose: for none that is named" in notes(for_news)
