"""Figures of consent: what bars, lines and bands hold and say."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from crmlab import plots
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform
from tests.analysis.words import decided

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=31)
FIELDS = ("contact_id", "channel", "kind", "occurred_at", "source", "opted_in", "has_documentation")
DRAW: dict[str, Callable[[pl.DataFrame], go.Figure]] = {
    "consent_rate": lambda events: plots.consent_rate(events, as_of=AS_OF),
    "expiring_consents": lambda events: plots.expiring_consents(
        events, as_of=AS_OF, max_age_days=60
    ),
    "consent_stock": plots.consent_stock,
    "confirmation_rate": lambda events: plots.confirmation_rate(events, as_of=AS_OF),
    "time_to_confirm": lambda events: plots.time_to_confirm(events, as_of=AS_OF),
    "documentation_coverage": lambda events: plots.documentation_coverage(events, as_of=AS_OF),
    "consent_survival": lambda events: plots.consent_survival(events, as_of=AS_OF),
    "consent_journeys": plots.consent_journeys,
}


def events(*rows: tuple[Any, ...], provider: str = "altcraft") -> pl.DataFrame:
    """Return events of contact, channel, kind, day, and what else is named after them."""
    timed = [(*row[:3], START + timedelta(days=row[3]), *row[4:]) for row in rows]
    whole = [(*row, *[None] * (len(FIELDS) - len(row))) for row in timed]
    schema = {name: TABLES["consent_events"].schema[name] for name in FIELDS}
    frame = pl.DataFrame(whole, schema=schema, orient="row")
    frame = conform(
        frame.with_columns(provider=pl.lit(provider), account=pl.lit("a")), TABLES["consent_events"]
    )
    return decided(frame)


def statistics(**columns: Any) -> pl.DataFrame:
    return conform(pl.DataFrame(columns), TABLES["consent_statistics"])


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def notes(figure: go.Figure) -> str:
    return str(figure.layout.title.subtitle.text).replace("<br>", "")


def words(figure: go.Figure) -> str:
    return str(figure.layout.annotations[0].text.replace("<br>", " "))


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAW)
def test_nothing_is_said_in_words(name: str) -> None:
    empty, useless = DRAW[name](events()), DRAW[name](events((None, "email", "smiled", 1)))

    assert words(empty) == "Nothing to show: the consent events table is empty."
    assert words(useless).startswith("Nothing to show: no")
    assert title(empty).endswith("(n = 0)")
    assert len(empty.data) == len(useless.data) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAW)
def test_one_event_is_a_figure(name: str) -> None:
    figure = DRAW[name](events(("1", "email", "subscribe", 1)))

    assert len(figure.data) >= 1
    assert "(n = 1" in title(figure)


@pytest.fixture(scope="module")
def a_million_events() -> pl.DataFrame:
    row = pl.int_range(1_000_000)
    mixed = (row * 7_919_777) % 31_000_000
    columns = {
        "provider": pl.lit(pl.Series(["altcraft", "complero"])).gather(row % 2),
        "account": pl.lit("a"),
        "id": row.cast(pl.String),
        "kind": pl.lit(
            pl.Series(["subscribe", "confirm", "unsubscribe", "update", "confirm", "create"])
        ).gather(mixed % 6),
        "contact_id": (row * 7919 % 300_000).cast(pl.String),
        "channel": pl.format("channel {}", row % 40),
        "source": pl.format("a source with quite a long name, number {}", row % 50_000),
        "opted_in": mixed % 3 > 0,
        "has_documentation": row % 5 > 0,
        "occurred_at": (pl.lit(START) + pl.duration(seconds=mixed - 29_000_000)).dt.cast_time_unit(
            "us"
        ),
    }
    return conform(
        pl.select(value.alias(name) for name, value in columns.items()), TABLES["consent_events"]
    )


@pytest.mark.parametrize("name", DRAW)
def test_a_million_events_stay_below_one_megabyte(
    name: str, a_million_events: pl.DataFrame
) -> None:
    before = a_million_events.clone()

    figure = DRAW[name](a_million_events)

    assert 1_000 < len(figure.to_json()) < 1_000_000
    assert a_million_events.equals(before)


def test_fifty_thousand_sources_are_twenty_bars_and_eight_curves(
    a_million_events: pl.DataFrame,
) -> None:
    bars = plots.consent_rate(a_million_events, as_of=AS_OF, by="source").data[0]
    curves = plots.consent_survival(
        a_million_events.with_columns(channel="source"), as_of=AS_OF, by="channel"
    )

    assert len(bars.y) == 20
    assert bars.y[-1].endswith(" others")
    assert len(curves.data) == 8 * 3
    assert "The 8 largest of " in notes(curves)


def test_the_rate_shows_its_numbers_even_of_a_bar_of_length_nought() -> None:
    contacts = conform(
        pl.DataFrame(
            {"provider": ["altcraft"] * 4, "account": ["a"] * 4, "id": ["1", "2", "3", "4"]}
        ),
        TABLES["contacts"],
    )
    frame = events(
        ("1", "email", "subscribe", 1),
        ("2", "email", "unsubscribe", 1),
        ("3", "email", "subscribe", 1),
        ("1", "sms", "unsubscribe", 1),
    )

    figure = plots.consent_rate(frame, as_of=AS_OF, by="channel", contacts=contacts)

    (bars,) = figure.data
    assert bars.y == ("email", "sms")
    assert bars.text == ("66.7%<br>2 of 3", "0.0%<br>0 of 1")
    assert bars.textposition == ("auto", "outside")
    assert title(figure) == "Contacts opted in (n = 3 contacts with a decision)"
    assert notes(figure) == (
        "Opted in / contacts with a decision, as of 01 Feb 2026 00:00 UTC. By events alone. "
        "75% of 4 contacts have decided"
    )
    assert figure.layout.xaxis.title.text == "Opted in, % of those who decided"


def test_html_of_the_data_is_text() -> None:
    figure = plots.consent_rate(
        events(("1", "<b>mail</b>", "subscribe", 1)), as_of=AS_OF, by="channel"
    )

    assert figure.data[0].y == ("&lt;b&gt;mail&lt;/b&gt;",)


def test_the_stock_stands_above_who_came_and_left() -> None:
    frame = events(
        ("1", "email", "subscribe", 4),
        ("2", "email", "subscribe", 5),
        ("1", "email", "unsubscribe", 18),
    )

    stock, came, left = plots.consent_stock(frame, every="1w").data

    assert stock.x == (date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 19))
    assert stock.y == (2, 2, 1)
    assert (came.y, left.y) == ((2, 0, 0), (0, 0, -1))
    assert (stock.yaxis, came.yaxis, left.yaxis) == (None, "y2", "y2")
    assert left.customdata == (
        "0",
        "0 (0.00% of those at the start)",
        "1 (50.00% of those at the start)",
    )


def test_more_days_than_a_screen_can_show_are_refused() -> None:
    with pytest.raises(UsageError, match="every='1d' makes 2500 bars"):
        plots.consent_stock(
            events(("1", "email", "subscribe", 0), ("2", "email", "subscribe", 2499)), every="1d"
        )


def test_expiring_consents_are_stacked_by_channel_and_expired_ones_are_told() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("2", None, "subscribe", 0),
        ("3", "email", "subscribe", -60),
    )

    figure = plots.expiring_consents(frame, as_of=AS_OF, max_age_days=60, every="1w")

    assert {bars.name: bars.y for bars in figure.data} == {"email": (1,), "(no channel)": (1,)}
    assert figure.data[0].x == (date(2026, 3, 2) - timedelta(days=0),)
    assert notes(figure) == (
        "Each of a contact, channel and purpose, in the 90 days from 01 Feb 2026 00:00 UTC. "
        "1 are older already and 0 end or become so later"
    )
    assert words(plots.expiring_consents(frame, as_of=AS_OF, max_age_days=10)).endswith(
        "3 are older already."
    )


@pytest.mark.slow
def test_curves_step_within_their_bands() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "confirm", 2),
        ("2", "email", "subscribe", 0),
        ("2", "email", "unsubscribe", 10),
        ("3", "sms", "subscribe", 0),
    )

    rising, falling = (
        plots.time_to_confirm(frame, as_of=AS_OF),
        plots.consent_survival(frame, as_of=AS_OF),
    )

    line = rising.data[2]
    assert (line.x, line.y) == ((0.0, 2.0, 31.0), pytest.approx((0.0, 1 / 3, 1 / 3)))
    assert line.line.shape == "hv"
    line = falling.data[2]
    assert (line.x, line.y) == ((0.0, 10.0, 31.0), pytest.approx((1.0, 2 / 3, 2 / 3)))
    for figure in (rising, falling):
        low, high, middle = figure.data
        assert high.fill == "tonexty"
        for edges in zip(low.y, middle.y, high.y, strict=True):
            assert sorted(edges) in (list(edges), list(reversed(edges)))
    assert notes(rising) == (
        "Fewer than half confirm. "
        "The first of each contact, channel and purpose; 2 still waiting as of 01 Feb 2026 00:00 UTC"
    )
    assert notes(falling) == (
        "More than half still last. 2 in force as of 01 Feb 2026 00:00 UTC, each of a contact, channel and purpose. "
        "The first of each in each group"
    )
    several = plots.consent_survival(frame, as_of=AS_OF, by="channel")
    assert [trace.name for trace in several.data if trace.name] == ["email", "sms"]
    assert notes(several).startswith("Median days: email 10.0, sms none yet")


def test_requests_that_are_all_young_are_told() -> None:
    frame = events(("1", "email", "subscribe", 30), ("1", "email", "confirm", 30))

    assert (
        words(plots.confirmation_rate(frame, as_of=AS_OF))
        == "Nothing to show: all requests are younger."
    )
    assert "Left out: 1 younger" in notes(
        plots.confirmation_rate(
            pl.concat([frame, events(("2", "email", "subscribe", 1))]), as_of=AS_OF, by="channel"
        )
    )


def test_proof_is_three_parts_of_a_whole() -> None:
    frame = events(
        ("1", "email", "confirm", 0, "form", True, True),
        ("2", "email", "confirm", 0, "form", True, False),
        ("3", "email", "confirm", 0, "form", True, None),
        ("4", "email", "confirm", 0, "form", True, None),
        provider="complero",
    )

    figure = plots.documentation_coverage(frame, as_of=AS_OF, by="channel")

    assert [(bars.name, bars.x) for bars in figure.data] == [
        ("documented", (0.25,)),
        ("no document", (0.25,)),
        ("the service does not say", (0.5,)),
    ]
    assert notes(figure) == (
        "25% of all, as of 01 Feb 2026 00:00 UTC, each of a contact, channel and purpose. By events alone"
    )


def test_links_join_the_nodes_of_neighbouring_steps() -> None:
    (sankey,) = plots.consent_journeys(
        events(("1", "email", "subscribe", 0), ("1", "email", "confirm", 1))
    ).data

    label = sankey.node.label
    links = zip(sankey.link.source, sankey.link.target, sankey.link.value, strict=True)
    assert [(label[source], label[target], value) for source, target, value in links] == [
        ("subscribe", "confirm", 1),
        ("confirm", "(none)", 1),
    ]
    assert sankey.node.align == "left"


def test_a_banner_is_four_outcomes_of_its_visitors() -> None:
    frame = statistics(
        visitors_exposed=[100, 50],
        optin=[60, 20],
        explicit_optin=[50, None],
        optout=[10, 5],
        device=["mobile", "tablet"],
    )

    figure = plots.banner_rates(frame, by="device")

    assert [bars.x for bars in figure.data] == [(0.5,), (0.1,), (0.1,), (0.3,)]
    assert figure.data[0].y == ("mobile",)
    assert title(figure) == "What visitors chose on the banner (n = 100 exposed visitors)"
    assert "1 group with unknown counts left out" in notes(figure)
    whole = plots.banner_rates(
        statistics(visitors_exposed=[9], optin=[1], explicit_optin=[1], optout=[1])
    )
    assert whole.data[0].y == ("All visitors",)


def test_items_are_named_by_their_dimension() -> None:
    frame = conform(
        pl.DataFrame(
            {
                "account": ["web"] * 2,
                "dimension": ["vendor"] * 2,
                "item_id": ["7", "8"],
                "optin": [1, 3],
                "visitors_exposed": [4, 4],
            }
        ),
        TABLES["consent_statistics_items"],
    )

    figure = plots.banner_items(frame, dimension="vendor")

    assert dict(zip(figure.data[0].y, figure.data[0].x, strict=True)) == {
        "vendor 7": 0.25,
        "vendor 8": 0.75,
    }
    assert title(figure) == "Accepted by vendor (n = 2 vendors)"
    assert words(plots.banner_items(frame)) == "Nothing to show: no category has exposed visitors."


def test_empty_statistics_are_said_in_words() -> None:
    assert words(plots.banner_rates(TABLES["consent_statistics"].empty())).endswith(
        "the consent statistics table is empty."
    )
    assert words(plots.banner_items(TABLES["consent_statistics_items"].empty())).endswith(
        "consent statistics items table is empty."
    )
    assert words(plots.banner_rates(statistics(visitors_exposed=[0], optin=[0]))).endswith(
        "all choices of its visitors."
    )


def test_a_million_banner_rows_stay_below_one_megabyte() -> None:
    row = pl.int_range(1_000_000)
    counts = {
        "visitors_exposed": row % 1000 + 600,
        "optin": row % 500,
        "explicit_optin": row % 400,
        "optout": row % 100,
    }
    frame = conform(
        pl.select(
            pl.lit(START.date()).alias("day"),
            pl.format("{}", row % 70_000).alias("banner_id"),
            **counts,
        ),
        TABLES["consent_statistics"],
    )
    items = conform(
        frame.select("optin", "visitors_exposed", dimension=pl.lit("vendor"), item_id="banner_id"),
        TABLES["consent_statistics_items"],
    )

    assert 1_000 < len(plots.banner_rates(frame, by="banner_id").to_json()) < 1_000_000
    assert 1_000 < len(plots.banner_items(items, dimension="vendor").to_json()) < 1_000_000


def table(name: str, **columns: Any) -> pl.DataFrame:
    return conform(pl.DataFrame(columns), TABLES[name])


def test_a_rate_says_by_what_it_is_known_and_what_consents_name_nothing() -> None:
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    key = {"provider": ["altcraft"] * 4, "account": ["a"] * 4}
    said = table(
        "consent_events",
        **key,
        contact_id=["1", "1", "2", None],
        channel=["email", "email", None, "email"],
        purpose=["news", None, "news", "news"],
        opted_in=[True] * 4,
        occurred_at=times,
    )
    marked = table(
        "contacts", provider=["altcraft"], account=["a"], id=["3"], do_not_contact=[True]
    )

    figure = plots.consent_rate(said, as_of=AS_OF, contacts=marked)
    by_address = plots.consent_rate(said, as_of=AS_OF, subject="email")

    assert title(figure) == "Contacts opted in (n = 3 contacts with a decision)"
    assert title(by_address) == "Addresses opted in (n = 2 addresses with a decision)"
    assert "By events, do-not-contact marks" in notes(figure)
    assert "1 decision without a time, as they were when fetched" in notes(figure)
    assert "without a time" not in notes(by_address)
    assert (
        "1 consent without a channel and 1 consent without a purpose: for none that is named"
        in notes(figure)
    )
    assert notes(figure).endswith("Left out: 1 event without a person or time")


def test_consents_of_no_known_time_are_in_no_line_of_growth() -> None:
    said = events(("1", "email", "subscribe", 1))
    subscriptions = table(
        "subscriptions", provider=["altcraft"] * 2, account=["a"] * 2, id=["1", "2"], contact_id=["2", "3"],
        channel=["email"] * 2, opted_in=[True] * 2,
    )  # fmt: skip

    figure = plots.consent_stock(said, every="1w", subscriptions=subscriptions)
    undated = plots.consent_stock(events(), subscriptions=subscriptions)

    assert title(figure) == "Consents in force, per week (n = 3 at the end)"
    assert (figure.data[0].y, figure.data[-1].y) == ((1,), (3,))
    assert "The diamond, and n, hold 2 that began at a time that is not told" in notes(figure)
    assert "nobody tells when the 2 consents" in str(undated.layout.annotations[0].text).replace(
        "<br>", " "
    )
