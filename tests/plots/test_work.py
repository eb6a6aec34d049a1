"""Figures of what people do, and of mailings: what they hold and say."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from crmlab import plots
from crmlab.analysis.owners import with_owner
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

MILLION = 1_000_000
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def table(name: str, /, **columns: list[Any]) -> pl.DataFrame:
    types: dict[str, Any] = {
        column: dtype for column, dtype in TABLES[name].schema.items() if column in columns
    }
    return conform(pl.DataFrame(columns, schema=types), TABLES[name])


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def notes(figure: go.Figure) -> str:
    return str(figure.layout.title.subtitle.text).replace("<br>", "")


DID = "What people did: calls, meetings, notes, appointments, actions done"
Data = dict[str, pl.DataFrame]
DRAW: dict[str, Callable[[Data], go.Figure]] = {
    "activity_volume_by_owner": lambda data: plots.activity_volume_by_owner(data["activities"]),
    "open_actions": lambda data: plots.open_actions(data["activities"], as_of=NOW),
    "completion_rate": lambda data: plots.completion_rate(data["activities"], as_of=NOW),
    "response_time": lambda data: plots.response_time(
        data["contacts"], data["activities"], by="lead_source", as_of=NOW
    ),
    "activities_per_deal": lambda data: plots.activities_per_deal(
        data["deals"], data["activities"]
    ),
    "days_since_last_touch": lambda data: plots.days_since_last_touch(
        data["contacts"], data["activities"], as_of=NOW
    ),
    "email_engagement": lambda data: plots.email_engagement(data["activities"]),
    "email_engagement_over_time": lambda data: plots.email_engagement_over_time(
        data["activities"], every=None
    ),
}


@pytest.fixture(scope="module")
def a_million_rows() -> Data:
    """Return a million activities over 36 years, of all kinds, with as many owners and contacts as could be."""
    row = pl.int_range(MILLION)
    time = (
        pl.lit(datetime(1990, 1, 1, tzinfo=UTC)) + pl.duration(minutes=row * 19)
    ).dt.cast_time_unit("us")
    words = ["action", "call", "note", "event", "meeting", "send", "open", "click", "delivered"]
    mailed = row % 9 > 4
    activities = pl.select(
        kind=pl.lit(pl.Series(words)).gather(row % 9),
        mailing=pl.lit(pl.Series([None] * 5 + ["sent", "opened", "clicked", "delivered"])).gather(
            row % 9
        ),
        owner_id=pl.when(~mailed).then(pl.format("owner with quite a long name {}", row % 50_000)),
        contact_id=pl.format("{}", row // 9 % 100_000),
        campaign_id=pl.when(mailed).then(pl.format("{}", row // 9_000)),
        created_at=time,
        due_on=time.dt.date(),
        done=row % 2 == 0,
        done_at=pl.when(row % 2 == 0).then(time.dt.date()),
    )
    came = (
        pl.lit(datetime(1990, 1, 1, tzinfo=UTC)) + pl.duration(seconds=row * 1100)
    ).dt.cast_time_unit("us")
    people = pl.select(
        id=pl.format("{}", row), lead_source=pl.format("source {}", row % 12), created_at=came
    )
    deals = pl.select(
        id=pl.format("{}", row),
        contact_id=pl.format("{}", row % 100_000),
        status=pl.lit(pl.Series(["won", "lost", "pending"])).gather(row % 3),
        created_at=came,
        close_date=came.dt.date() + pl.duration(days=row % 900),
    )
    frames = {"activities": activities, "contacts": people, "deals": deals}
    return {name: conform(frame, TABLES[name]) for name, frame in frames.items()}


@pytest.mark.parametrize("name", DRAW)
def test_a_million_rows_stay_below_one_megabyte(name: str, a_million_rows: Data) -> None:
    figure = DRAW[name](a_million_rows)

    assert 1_000 < len(figure.to_json()) < 1_000_000
    assert len(figure.data) > 0


@pytest.mark.parametrize("name", DRAW)
def test_an_empty_table_says_in_words_that_there_is_nothing(name: str) -> None:
    figure = DRAW[name](
        {table: TABLES[table].empty() for table in ("activities", "contacts", "deals")}
    )

    words = figure.layout.annotations[0].text.replace("<br>", " ")
    assert words.startswith("Nothing to show: the ")
    assert words.endswith(" table is empty.")
    assert title(figure).endswith("(n = 0)")
    assert len(figure.data) == 0


@pytest.mark.parametrize("name", DRAW)
def test_nothing_that_fits_says_why(name: str) -> None:
    later = NOW + timedelta(days=1)
    figure = DRAW[name]({
        "activities": table("activities", kind=["note"], created_at=[later]),
        "contacts": table("contacts", id=["a"], created_at=[later]),
        "deals": table("deals", id=["a"], status=["pending"]),
    })  # fmt: skip

    words = figure.layout.annotations[0].text.replace("<br>", " ")
    assert words.startswith("Nothing to show: no ")


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAW)
def test_drawing_changes_nothing_in_the_frames(name: str) -> None:
    data = {
        "activities": table(
            "activities", kind=["call", "send"], contact_id=["a", "a"], created_at=[NOW, NOW]
        ),
        "contacts": table("contacts", id=["a"], created_at=[NOW]),
        "deals": table("deals", id=["a"], status=["won"]),
    }
    before = {key: frame.clone() for key, frame in data.items()}

    DRAW[name](data)

    assert all(
        frame.equals(before[key]) and frame.schema == before[key].schema
        for key, frame in data.items()
    )


def test_each_owner_has_one_bar_the_longest_on_top() -> None:
    activities = table(
        "activities", kind=["call", "note", "note", "send"], author=["Bo", "Ann", "Ann", None]
    )

    figure = plots.activity_volume_by_owner(activities)

    assert [(bars.name, bars.y, bars.x) for bars in figure.data] == [
        ("note", ("Ann",), (2,)),
        ("call", ("Bo",), (1,)),
    ]
    assert figure.layout.yaxis.categoryarray == ("Ann", "Bo")
    assert figure.layout.barmode == "stack"
    assert title(figure) == "Activities of each owner (n = 3)"
    assert notes(figure) == f"{DID}. Left out: 1 without an owner"


def test_beyond_twenty_owners_the_rest_is_one_bar() -> None:
    owners = [f"owner {k:02}" for k in range(30) for _ in range(30 - k)]
    activities = table("activities", kind=["call"] * len(owners), owner_id=owners)

    figure = plots.activity_volume_by_owner(activities)

    (bars,) = figure.data
    assert (len(bars.y), bars.y[-1], sum(bars.x)) == (20, "11 others", len(owners))
    assert notes(figure) == f"{DID}. The smallest owners are summed as '11 others'"


def test_open_actions_are_stacked_by_how_late_they_are() -> None:
    days = [40, 10, 1, 0]
    activities = table(
        "activities",
        kind=["action"] * 5,
        owner_id=["ann"] * 5,
        due_on=[*(NOW.date() - timedelta(days=late) for late in days), None],
        done=[False] * 5,
    )

    figure = plots.open_actions(activities, as_of=NOW, time_zone="Europe/Berlin")

    assert [(bars.name, bars.x) for bars in figure.data] == [
        ("overdue above 30 days", (1,)), ("8-30 days", (1,)), ("1-7 days", (1,)),
        ("due today or later", (1,)), ("no due day", (1,)),
    ]  # fmt: skip
    assert title(figure) == "Open actions (n = 5)"
    assert notes(figure) == "On 2026-03-31 (Europe/Berlin): 3 (60%) overdue"
    assert figure.layout.xaxis.title.text == "Open actions"


def test_a_share_of_zero_has_its_numbers_beside_it() -> None:
    due = date(2026, 3, 1)
    activities = table(
        "activities",
        kind=["action"] * 3,
        owner_id=["ann", "ann", "bo"],
        due_on=[due] * 3,
        done=[True, False, False],
        done_at=[due, None, None],
    )

    (bars,) = plots.completion_rate(activities, as_of=NOW).data

    assert (bars.y, bars.x) == (("ann", "bo"), (0.5, 0.0))
    assert bars.text == ("50%<br>1 of 2", "0%<br>0 of 1")
    assert bars.textposition == ("auto", "outside")


def test_the_curve_of_answers_marks_half_and_nine_tenths() -> None:
    came = datetime(2026, 3, 1, tzinfo=UTC)
    contacts = table("contacts", id=list("abc"), created_at=[came] * 3)
    calls = table(
        "activities",
        kind=["call"] * 2,
        contact_id=["a", "b"],
        starts_at=[came + timedelta(hours=h) for h in (1, 72)],
    )

    figure = plots.response_time(contacts, calls, as_of=NOW)

    line, dots = figure.data
    assert (line.line.shape, line.x) == ("hv", (1 / 60, 1.0, 72.0, 720.0))
    assert line.y == pytest.approx((0.0, 1 / 3, 2 / 3, 2 / 3))
    assert (dots.x, dots.y, dots.text) == ((72.0,), (0.5,), ("50%: 3.0 days",))
    assert title(figure) == "Time to the first answer (n = 3 contacts)"
    assert notes(figure) == "1 (33%) still wait and count as waiting (Kaplan-Meier)"
    assert (figure.layout.xaxis.type, figure.layout.yaxis.title.text) == (
        "log",
        "Answered, % of contacts",
    )


def test_several_curves_tell_their_medians_in_the_legend_and_the_smallest_are_left_out() -> None:
    contacts = table(
        "contacts",
        id=[str(place) for place in range(10)],
        owner_id=["o0", *(f"o{place}" for place in range(9))],
        created_at=[NOW - timedelta(days=1)] * 10,
    )
    calls = table(
        "activities",
        kind=["call"] * 2,
        contact_id=["0", "1"],
        starts_at=[NOW - timedelta(hours=12)] * 2,
    )

    figure = plots.response_time(with_owner(contacts), calls, by="owner", as_of=NOW)

    names = [trace.name for trace in figure.data if trace.mode == "lines"]
    assert names == [
        "o0: median 12.0 hours",
        *(f"o{place}: median not reached" for place in range(1, 8)),
    ]
    assert notes(figure).endswith("1 smaller group not shown")
    assert figure.layout.showlegend


def test_won_and_lost_deals_are_shares_of_their_own() -> None:
    sales = table("deals", id=list("abcd"), status=["won", "won", "lost", "pending"])
    done = table("activities", kind=["note"] * 3, deal_id=["a", "a", "b"])

    figure = plots.activities_per_deal(sales, done)

    won, lost = figure.data
    assert (won.x, won.y, won.name) == (
        ("0", "1", "2"),
        (0.0, 0.5, 0.5),
        "won: 2 deals, median 1.5",
    )
    assert (lost.y, lost.name) == ((1.0, 0.0, 0.0), "lost: 1 deal, median 0")
    assert title(figure) == "Activities until a deal is closed (n = 3 closed deals)"


def test_many_activities_make_wide_bins_and_the_last_is_open() -> None:
    sales = table("deals", id=[str(k) for k in range(100)], status=["won"] * 100)
    worked = [str(k) for k in range(100) for _ in range(300 if k == 99 else 40)]
    done = table("activities", kind=["note"] * len(worked), deal_id=worked)

    (won,) = plots.activities_per_deal(sales, done).data

    assert won.x[:3] == ("0", "1-5", "6-10")
    assert won.x[-1] == "61 or more"
    assert dict(zip(won.x, won.y, strict=True))["36-40"] == 0.99
    assert sum(won.y) == pytest.approx(1)


def test_stale_ones_have_their_colour_wherever_the_threshold_lies() -> None:
    contacts = table("contacts", id=list("abcd"))
    calls = table(
        "activities",
        kind=["call"] * 3,
        contact_id=list("abc"),
        created_at=[NOW - timedelta(days=days) for days in (9, 12, 200)],
    )

    figure = plots.days_since_last_touch(contacts, calls, as_of=NOW, stale_days=10)

    assert [(bars.name, bars.x, bars.y) for bars in figure.data] == [
        ("within 10 days", ("8-14",), (1,)),
        ("more than 10 days: stale", ("8-14", "> 180"), (1, 1)),
        ("never", ("never",), (1,)),
    ]
    assert notes(figure) == "On 2026-03-31 (UTC): 2 (50%) stale, 1 (25%) never touched"
    assert title(figure) == "Days since the last touch of contacts (n = 4)"


def mailings(*events: tuple[str, str, str, int]) -> pl.DataFrame:
    kinds, contacts, campaigns, days = (list(column) for column in zip(*events, strict=True))
    at = [NOW + timedelta(days=day) for day in days]
    what = [
        {"send": "sent", "open": "opened", "click": "clicked"}.get(kind, kind) for kind in kinds
    ]
    return table(
        "activities",
        kind=kinds,
        mailing=what,
        contact_id=contacts,
        campaign_id=campaigns,
        created_at=at,
    )


def test_campaigns_show_their_rates_and_name_what_they_are_of() -> None:
    activities = mailings(
        ("send", "a", "7", 0),
        ("send", "b", "7", 0),
        ("open", "a", "7", 1),
        ("send", "a", "8", 0),
        ("open", "x", "9", 0),
    )
    campaigns = table("campaigns", id=["7", "8"], name=["News", "News"])

    figure = plots.email_engagement(activities, campaigns)

    opened, clicked = figure.data
    assert (opened.y, opened.x) == (("News · 7", "News · 8"), (0.5, 0.0))
    assert opened.text == ("50%: 1 of 2", "0%: 0 of 1")
    assert clicked.x == (0.0, 0.0)
    assert title(figure) == "Mailings opened and clicked (n = 3 recipients)"
    assert "1 event without a send before left out" in notes(figure)
    assert figure.layout.xaxis.title.text == "% of contacts sent to"
    told = pl.concat([activities, mailings(("delivered", "a", "7", 0))])
    assert (
        plots.email_engagement(told, campaigns).layout.xaxis.title.text == "% of contacts delivered"
    )


def test_months_without_a_send_are_gaps() -> None:
    activities = mailings(("send", "a", "7", 0), ("click", "a", "7", 1), ("send", "b", "7", 35))

    figure = plots.email_engagement_over_time(activities, every="1mo")

    opened, clicked, to_open = figure.data
    assert opened.x == (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))
    assert (opened.y, clicked.y, to_open.y) == (
        (1.0, None, 0.0),
        (1.0, None, 0.0),
        (1.0, None, None),
    )
    assert title(figure) == "Mailings opened and clicked per month sent (n = 2 recipients)"


def test_a_chosen_grain_that_makes_thousands_of_points_is_refused() -> None:
    activities = mailings(*(("send", "a", "7", day) for day in range(2001)))

    with pytest.raises(UsageError, match="every='1d' makes 2001"):
        plots.email_engagement_over_time(activities, every="1d")
