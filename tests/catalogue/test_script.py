"""The lines that answer a question: they run alone, and choices stand in them exactly."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from crmlab import Fetched, Stored
from crmlab.catalogue import CATALOGUE, Choices, Entry, script
from crmlab.schema.tables import TABLES, conform

ENTRIES = list(CATALOGUE.values())
by_name = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
QUOTA = {"EUR": 1e6, "USD": 1e6, "GBP": 1e6}
NAMES = [
    "O'Hara",
    'Ann "the pen"',
    "C:\\new\\table",
    "two\nlines",
    "Zoë 🙂 李",
    "{curly} %s",
    "'); raise SystemExit #",
]


def run(code: str, **names: Any) -> dict[str, Any]:
    exec(code, names)
    return names


def deals(**columns: Any) -> pl.DataFrame:
    return conform(pl.DataFrame(columns), TABLES["deals"])


class Data(dict[str, pl.DataFrame]):
    """Tables as attributes, as a fetch has them."""

    fetched_at = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)

    def __getattr__(self, name: str) -> pl.DataFrame:
        return self[name]


@by_name
def test_each_runs_with_nothing_but_the_fetches(
    entry: Entry, fetched: Fetched, earlier: Fetched
) -> None:
    made = run(script(entry, Choices(quota=QUOTA), fetched.keys()), data=fetched, earlier=earlier)

    assert made["figure"].to_json() == entry.draw(made).to_json()
    assert made["numbers"].equals(entry.count(made))
    for table in {*entry.tables, *entry.adds} & made.keys():
        assert made[table].equals(fetched[table])


@by_name
def test_lazy_tables_give_the_same(entry: Entry, fetched: Fetched, earlier: Fetched) -> None:
    def stored(data: Fetched) -> Stored:
        lazy = {name: frame.lazy() for name, frame in data.items()}
        return Stored(
            lazy,
            heights={},
            summary=data.summary,
            rejected=data.rejected,
            failures=(),
            asked=data.asked,
        )

    choices = Choices(
        values={name: [value_of(name, fetched)] for name in entry.filters if name != "period"},
        since=dt.date(2025, 1, 1),
        quota=QUOTA,
    )

    eager = run(script(entry, choices, fetched.keys()), data=fetched, earlier=earlier)
    lazy = run(
        script(entry, choices, fetched.keys()), data=stored(fetched), earlier=stored(earlier)
    )

    assert lazy["figure"].to_json() == eager["figure"].to_json()
    assert lazy["numbers"].equals(eager["numbers"])


def value_of(filter: str, data: Fetched) -> str:
    column = {"owner": "owner_name", "pipeline": "pipeline_id", "service": "provider"}[filter]
    return str(data.deals[column].drop_nulls()[0])


def test_values_are_kept_as_they_are_written() -> None:
    data = Data(deals=deals(owner_name=[*NAMES, "other", None], status=["won"] * (len(NAMES) + 2)))

    code = script(CATALOGUE["win_rate"], Choices(values={"owner": NAMES}), data)

    assert run(code, data=data)["deals"]["owner_name"].to_list() == NAMES


def test_rows_without_a_value_can_be_chosen() -> None:
    data = Data(deals=deals(owner_name=["Ann", "Bo", None], status=["won"] * 3))

    code = script(CATALOGUE["win_rate"], Choices(values={"owner": [None, "Bo"]}), data)

    assert run(code, data=data)["deals"]["owner_name"].to_list() == ["Bo", None]


@pytest.mark.parametrize(
    ("since", "until", "kept"),
    [(2, 3, [2, 3]), (3, None, [3, 4]), (None, 2, [1, 2]), (None, None, [1, 2, 3, 4])],
)
def test_the_first_and_the_last_day_are_within_the_period(
    since: int | None, until: int | None, kept: list[int]
) -> None:
    data = Data(
        deals=deals(close_date=[dt.date(2026, 1, day) for day in range(1, 5)], status=["won"] * 4)
    )
    day = {"since": since, "until": until}

    choices = Choices(**{name: dt.date(2026, 1, number) for name, number in day.items() if number})
    made = run(script(CATALOGUE["closed_by_month"], choices, data), data=data)

    assert made["deals"]["close_date"].dt.day().to_list() == kept


def test_days_are_those_of_the_clock_and_the_second_time_stands_in_for_the_first() -> None:
    late = dt.datetime(2026, 1, 1, 23, 30, tzinfo=dt.UTC)  # after midnight in Berlin
    times = {
        "starts_at": [late, None, None],
        "created_at": [None, late, late - dt.timedelta(hours=1)],
    }
    frame = pl.DataFrame(
        {"id": ["a", "b", "c"], **times},
        schema_overrides=dict.fromkeys(times, pl.Datetime("us", "UTC")),
    )
    data = Data(activities=conform(frame, TABLES["activities"]))
    second = dt.date(2026, 1, 2)

    code = script(
        CATALOGUE["activity_volume"],
        Choices(since=second, until=second, time_zone="Europe/Berlin"),
        data,
    )

    assert run(code, data=data)["activities"]["id"].to_list() == ["a", "b"]


def test_a_day_that_people_gave_stands_before_the_time_of_recording() -> None:
    recorded = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    rows = {
        "id": ["a", "b"],
        "dated_on": [dt.date(2025, 1, 2), None],
        "created_at": [recorded, recorded],
    }
    notes = Data(activities=conform(pl.DataFrame(rows), TABLES["activities"]))
    brought = {**rows, "opened_on": rows["dated_on"]}
    sales = Data(deals=conform(pl.DataFrame(brought), TABLES["deals"]))
    january = Choices(since=dt.date(2025, 1, 1), until=dt.date(2025, 1, 31))

    volume = run(script(CATALOGUE["activity_volume"], january, notes), data=notes)
    cohorts = run(script(CATALOGUE["win_cohorts"], january, sales), data=sales)

    assert volume["activities"]["id"].to_list() == ["a"]
    assert cohorts["deals"]["id"].to_list() == ["a"]


def test_owners_of_activities_are_chosen_by_the_name_that_is_shown() -> None:
    users = conform(pl.DataFrame({"id": ["u1"], "name": ["Ann Bee"]}), TABLES["users"])
    rows = pl.DataFrame(
        {"id": ["a", "b", "c"], "owner_id": ["u1", None, "u2"], "author": [None, "Ann B.", None]}
    )
    data = Data(activities=conform(rows, TABLES["activities"]), users=users)

    chosen = Choices(values={"owner": ["Ann Bee"]})
    made = run(script(CATALOGUE["activity_volume"], chosen, data), data=data)

    assert made["activities"]["id"].to_list() == ["a", "b"]


def test_what_was_not_fetched_is_empty_and_says_so(fetched: Fetched) -> None:
    code = script(CATALOGUE["pipeline_snapshot"], Choices(), ["deals"])

    assert 'stages = TABLES["stages"].empty()  # not fetched' in code
    assert run(code, data=fetched)["stages"].is_empty()


def test_filters_that_an_entry_does_not_have_are_ignored(fetched: Fetched) -> None:
    entry = CATALOGUE["consent_stock"]
    choices = Choices(values={"owner": ["Ann"], "pipeline": ["p"]}, since=dt.date(2026, 1, 1))

    assert script(entry, choices, fetched) == script(entry, Choices(), fetched)
