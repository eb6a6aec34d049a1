"""A fetch in the place of frames: the same answer where it is whole, and none that needs what a window left out."""

from __future__ import annotations

import datetime as dt
import inspect
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis, plots
from crmlab.catalogue import CATALOGUE
from crmlab.errors import UsageError
from crmlab.results.fetched import Fetched, Stored

OCTOBER = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
#: what a question needs besides a fetch
MORE: dict[str, dict[str, Any]] = {
    "coverage": {"quota": 1e6, "since": "2026-01-01", "until": "2027-01-01"}
}
#: these compare fetches
OF_SEVERAL = {"funnel", "stage_durations", "waterfall"}
ONE_FETCH = sorted(CATALOGUE.keys() - OF_SEVERAL)


@pytest.fixture(scope="module")
def windowed(fetched: Fetched) -> Fetched:
    """Return the same tables, as if only what was changed since October had been asked for."""
    return of(fetched, since=OCTOBER)


def of(data: Fetched, **asked: Any) -> Fetched:
    return Fetched(
        dict(data),
        heights={name: frame.height for name, frame in data.items()},
        summary=data.summary,
        rejected=data.rejected,
        failures=(),
        asked=replace(data.asked, **asked),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_FETCH)
def test_every_question_can_be_asked_of_a_fetch_itself(fetched: Fetched, name: str) -> None:
    numbers = getattr(analysis, name)(fetched, **MORE.get(name, {}))
    figure = getattr(plots, name)(fetched, **MORE.get(name, {}))

    assert isinstance(numbers, pl.DataFrame)
    assert figure.layout.title.text


@pytest.mark.slow
def test_the_answer_is_that_of_the_frames(fetched: Fetched) -> None:
    people = analysis.people(fetched.contacts)

    assert_frame_equal(
        analysis.win_rate(fetched, by="owner_name"),
        analysis.win_rate(fetched.deals, by="owner_name"),
    )
    assert_frame_equal(analysis.people(fetched), people)
    assert_frame_equal(
        analysis.open_pipeline_by_consent(fetched),
        analysis.open_pipeline_by_consent(
            fetched.deals, fetched.consent_events, people, as_of=fetched.fetched_at
        ),
    )
    assert plots.pipeline_snapshot(fetched) == plots.pipeline_snapshot(
        fetched.deals, fetched.stages
    )


def test_lazy_tables_are_collected(fetched: Fetched) -> None:
    lazy = {name: frame.lazy() for name, frame in fetched.items()}
    stored = Stored(
        lazy,
        heights={},
        summary=fetched.summary,
        rejected=fetched.rejected,
        failures=(),
        asked=fetched.asked,
    )

    assert_frame_equal(analysis.open_actions(stored), analysis.open_actions(fetched))


@pytest.mark.slow
def test_two_fetches_are_compared_by_their_deals(fetched: Fetched, earlier: Fetched) -> None:
    pairs = [(each.fetched_at, each.deals) for each in (earlier, fetched)]

    assert_frame_equal(
        analysis.waterfall(earlier, fetched), analysis.waterfall(earlier.deals, fetched.deals)
    )
    assert_frame_equal(analysis.stage_history([earlier, fetched]), analysis.stage_history(pairs))


def test_a_fetch_is_not_compared_with_itself(fetched: Fetched) -> None:
    for room in (analysis, plots):
        with pytest.raises(
            UsageError, match=r"waterfall needs two fetches: write waterfall\(earlier, later\)"
        ):
            room.waterfall(fetched)


def test_a_fetch_is_not_compared_with_one_before_it_or_of_the_same_time(
    fetched: Fetched, earlier: Fetched
) -> None:
    for pair in ((fetched, earlier), (fetched, fetched)):
        for room in (analysis, plots):
            with pytest.raises(
                UsageError,
                match=r"waterfall needs the earlier fetch first, .* write waterfall\(earl",
            ):
                room.waterfall(*pair)
    # frames alone tell no time
    assert analysis.waterfall(fetched.deals, earlier.deals).height


def test_what_came_in_and_went_out_needs_every_deal_as_cohorts_do(windowed: Fetched) -> None:
    # months before the window would hold the few deals that were touched since
    for name in ("created_against_closed", "win_cohorts"):
        with pytest.raises(UsageError, match=f"{name} needs all deals"):
            getattr(analysis, name)(windowed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_FETCH)
def test_what_needs_everything_refuses_a_window_and_what_does_not_says_it(
    windowed: Fetched, name: str
) -> None:
    needs = getattr(analysis, name).needs
    is_whole = not windowed.asked.bounded([*CATALOGUE[name].tables, *CATALOGUE[name].adds])

    if needs == "everything" and not is_whole:
        for room in (analysis, plots):
            with pytest.raises(
                UsageError, match=rf"^{name} needs all .* fetch without since, until"
            ):
                getattr(room, name)(windowed, **MORE.get(name, {}))
        return

    figure = getattr(plots, name)(windowed, **MORE.get(name, {}))
    assert "Only what was changed or happened since 2026-1" in figure.layout.title.subtitle.text


def test_of_two_fetches_a_window_in_either_is_refused(fetched: Fetched, windowed: Fetched) -> None:
    for pair in ((windowed, fetched), (fetched, windowed)):
        with pytest.raises(UsageError, match="waterfall needs all deals"):
            analysis.waterfall(*pair)
        with pytest.raises(UsageError, match="stage_history needs all deals"):
            analysis.stage_history(list(pair))


@pytest.mark.parametrize(
    "name",
    ["current_consent", "people", "same_name", "evidence", "evidence_left_out", "people_overlap"],
)
def test_states_and_people_refuse_a_window(windowed: Fetched, name: str) -> None:
    with pytest.raises(UsageError, match="needs all"):
        getattr(analysis, name)(windowed)


def test_a_frame_that_is_taken_out_counts_as_whole(windowed: Fetched) -> None:
    assert analysis.pipeline_snapshot(windowed.deals, windowed.stages).height


def test_a_table_that_was_not_fetched_is_named(fetched: Fetched) -> None:
    only = Fetched(
        {"deals": fetched.deals},
        heights={},
        summary=fetched.summary,
        rejected=fetched.rejected,
        failures=(),
        asked=fetched.asked,
    )

    with pytest.raises(UsageError, match="activities_per_deal needs activities"):
        analysis.activities_per_deal(only)
    with pytest.raises(UsageError, match="history cannot be taken out of one fetch"):
        analysis.funnel(only)
    assert plots.pipeline_snapshot(only).data  # names of stages are missed by none


def test_what_is_given_beside_a_fetch_stays(fetched: Fetched) -> None:
    none = fetched.users.clear()

    assert (
        analysis.open_actions(fetched, users=none)["owner"].to_list()
        != analysis.open_actions(fetched)["owner"].to_list()
    )
    assert_frame_equal(
        analysis.ageing(fetched, as_of="2026-10-01"),
        analysis.ageing(fetched.deals, as_of="2026-10-01"),
    )


@pytest.mark.parametrize("name", sorted(set(analysis.__all__) - {"kaplan_meier", "with_band"}))
def test_every_analysis_says_what_it_needs(name: str) -> None:
    function = getattr(analysis, name)

    assert function.needs in ("everything", "period")
    assert inspect.getdoc(function)
    assert not hasattr(plots, name) or getattr(plots, name).needs == function.needs


def test_a_fetch_is_known_by_what_was_asked(fetched: Fetched) -> None:
    with pytest.raises(UsageError, match="deals is of type dict"):
        analysis.win_rate(dict(fetched))  # type: ignore[call-overload]
    assert crmlab.Fetched is Fetched
