"""The door of every analysis: what comes in, under which name, and what is said where something is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crmlab import analysis, plots
from crmlab.analysis.inputs import answer, is_table, keys_of, names_of, read
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

DEALS = pl.DataFrame({"status": ["won", "lost"], "row": [1, 2], "mine": ["a", "b"]})


def test_only_what_is_read_comes_in() -> None:
    assert read(DEALS, "deals", "status").columns == ["status"]


def test_what_is_grouped_by_comes_in_under_a_name_that_nothing_else_has() -> None:
    found = read(DEALS, "deals", "status", by=["row", "status"])

    assert found.columns == ["status", *keys_of(["row", "status"])]
    assert answer(found.drop("status")).columns == ["row", "status"]


@pytest.mark.parametrize(
    ("by", "names"),
    [(None, []), ("row", ["row"]), (["row", "mine", "row"], ["row", "mine"]), ((), [])],
)
def test_by_is_a_name_or_several_or_none(by: Any, names: list[str]) -> None:
    assert names_of(by) == names


def test_by_of_another_kind_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"by=\[1\]: give the name of a column, or a list of names"
    ):
        names_of([1])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["*", "^status$", "^.*$"])
def test_a_name_that_is_a_pattern_is_no_group(name: str) -> None:
    deals = conform(DEALS, TABLES["deals"]).with_columns(DEALS["mine"].alias(name))

    for ask in (analysis.win_rate, plots.win_rate, analysis.loss_reasons, plots.loss_reasons):
        with pytest.raises(UsageError, match=r"takes that for a pattern of names; give the column"):
            ask(deals, by=name)


def test_a_missing_column_is_said_with_the_argument_and_what_to_do() -> None:
    with pytest.raises(
        UsageError, match=r"deals has no column amount, currency: .*TABLES\['deals'\]"
    ):
        read(DEALS, "deals", "status", "amount", "currency")
    with pytest.raises(
        UsageError, match=r"people has no column person_id: give what crmlab\.analysis\.people\("
    ):
        read(DEALS, "people", "person_id")
    with pytest.raises(
        UsageError, match="by='owner' is no column of deals: choose one of status, row, mine"
    ):
        read(DEALS, "deals", "status", by="owner")


def test_a_column_that_says_what_words_mean_is_to_be_filled_and_not_made_null() -> None:
    events = TABLES["consent_events"].empty()

    with pytest.raises(
        UsageError, match=r"no column opted_in \(what was decided .*with_columns\(opted_in=pl\.col"
    ) as seen:
        analysis.consent_kinds(events.drop("opted_in"))

    assert "conform" not in str(seen.value)


def test_the_answers_know_no_vendors_word() -> None:
    frame = pl.DataFrame(
        {
            "provider": ["salesforce"] * 3,
            "kind": ["signed up", "left", "left"],
            "opted_in": [True, False, None],
        }
    )

    found = analysis.consent_kinds(frame)

    assert found.drop("provider").rows() == [("left", 2, 0, 1, 1), ("signed up", 1, 1, 0, 0)]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"deals is of type dict, which is no frame: write polars\.DataFrame"
    ):
        analysis.win_rate({"status": ["won"]})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="deals is of type str, which is no frame"):
        plots.win_rate("deals.csv")  # type: ignore[arg-type]


FRAMES: Mapping[str, Callable[[pl.DataFrame], Any]] = {
    "lazy": pl.DataFrame.lazy,
    "pyarrow": pl.DataFrame.to_arrow,
    "pandas": pl.DataFrame.to_pandas,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_other_kinds_are_answered_like_those_of_polars(kind: str) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    rows = {
        "status": ["won", "lost", "won"],
        "amount": [1.0, 2.0, 3.0],
        "owner_name": ["Ann", "Bo", "Bo"],
    }
    deals = conform(pl.DataFrame(rows), TABLES["deals"])
    given = FRAMES[kind](deals)

    assert_frame_equal(
        analysis.win_rate(given, by="owner_name"), analysis.win_rate(deals, by="owner_name")
    )
    assert (
        plots.win_rate(given, by="owner_name").to_json()
        == plots.win_rate(deals, by="owner_name").to_json()
    )


def test_of_a_lazy_frame_only_what_is_read_is_collected() -> None:
    def is_read(column: pl.Series) -> pl.Series:
        raise AssertionError(column.name)

    deals = conform(pl.DataFrame({"status": ["won"]}), TABLES["deals"])
    trap = pl.col("name").map_batches(is_read, return_dtype=pl.String)

    assert analysis.win_rate(deals.lazy().with_columns(trap))["won"].item() == 1


def test_a_lazy_frame_that_cannot_be_collected_is_refused() -> None:
    missing = pl.scan_parquet("no such file.parquet")

    with pytest.raises(UsageError, match="deals is a lazy frame that cannot be collected"):
        analysis.win_rate(missing)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="deals is a lazy frame that cannot be collected"):
        plots.win_rate(missing)  # type: ignore[arg-type]


def test_a_group_that_is_called_like_a_measure_is_refused() -> None:
    frame = TABLES["deals"].empty().with_columns(won=pl.lit("mine"))

    with pytest.raises(UsageError, match="by='won': the answer has a column won of its own"):
        analysis.win_rate(frame, by="won")


def test_a_table_stays_one_with_columns_of_the_users_own() -> None:
    contacts = TABLES["contacts"].empty()

    assert is_table(contacts.with_columns(contact_id=pl.lit("mine")), "contacts")
    assert not is_table(contacts.drop("emails"), "contacts")


@pytest.mark.parametrize("by", [5, pl.col("status"), {"status": 1}, b"status", ["status", 1]])
def test_what_names_no_column_is_refused_as_by(by: Any) -> None:
    with pytest.raises(UsageError, match="give the name of a column, or a list of names"):
        names_of(by)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            pl.Series([["a"]]),
            r"by='mine' holds lists: .* with frame\.explode\('mine'\)",
        ),
        (pl.Series([{"a": 1}]), "by='mine' is of type Struct"),
        (pl.Series([object()], dtype=pl.Object), "by='mine' is of type Object"),
        (pl.Series([b"a"]), "by='mine' is of type Binary"),
        (pl.Series([dt.timedelta(1)]), "by='mine' is of type Duration"),
    ],
)
def test_values_that_are_no_names_of_groups_are_refused(values: pl.Series, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(DEALS.head(1).with_columns(values.alias("mine")), "deals", "status", by="mine")
