"""A consent that was given up to a time is none from then on, in every answer, and no refusal either."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from crmlab import analysis, plots
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
