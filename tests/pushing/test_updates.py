"""What differs between two frames is what a push sends, and no more."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import crmlab
from crmlab.errors import UsageError

BEFORE = pl.DataFrame(
    {
        "provider": ["relenta", "relenta", "complero"],
        "account": ["r", "r", "c"],
        "id": ["1", "2", "1"],
        "first_name": ["Ada", "Bo", "Cy"],
        "city": ["Bonn", None, "Ulm"],
        "tags": [["a"], [], ["b"]],
        "score": [1.0, float("nan"), None],
    },
    schema_overrides={"provider": pl.Categorical()},
)


def changed(after: pl.DataFrame) -> list[dict[str, Any]]:
    return crmlab.updates(BEFORE, after).to_dicts()


def test_nothing_differs_between_a_frame_and_itself() -> None:
    assert (
        changed(BEFORE.with_columns(pl.col("provider").cast(pl.String).cast(pl.Categorical())))
        == []
    )


@pytest.mark.parametrize(
    ("column", "values", "ids"),
    [
        ("city", ["Bonn", "Ulm", "Ulm"], ["2"]),
        ("city", ["Bonn", None, None], ["1"]),
        ("tags", [["a"], ["x"], ["b"]], ["2"]),
        ("score", [1.0, float("nan"), 0.0], ["1"]),
    ],
)
def test_the_rows_and_columns_that_differ_come_with_the_key(
    column: str, values: list[Any], ids: list[str]
) -> None:
    found = crmlab.updates(
        BEFORE, BEFORE.with_columns(pl.Series(column, values, dtype=BEFORE.schema[column]))
    )

    assert found["id"].to_list() == ids
    assert found["changed"].to_list() == [[column]]
    assert found.columns[:4] == ["provider", "account", "id", "changed"]
    assert column in found.columns


def test_names_go_with_a_change_where_the_service_takes_none_without_them() -> None:
    found = crmlab.updates(BEFORE, BEFORE.with_columns(city=pl.Series(["Bonn", None, "Essen"])))

    assert found.columns == ["provider", "account", "id", "changed", "first_name", "city"]


def test_rows_that_were_not_there_are_new_in_all_their_values() -> None:
    new = pl.DataFrame(
        {
            "provider": ["relenta"] * 2,
            "account": ["r"] * 2,
            "id": [None, "9"],
            "city": ["Rome", "Oslo"],
        }
    )

    found = crmlab.updates(BEFORE, new)

    assert found["id"].to_list() == [None, "9"]
    assert found["changed"].to_list() == [["city"], ["city"]]


def test_rows_without_an_id_are_never_matched_to_each_other() -> None:
    nameless = pl.DataFrame(
        {"id": pl.Series([None, None], dtype=pl.String), "city": ["Rome", "Oslo"]}
    )

    assert crmlab.updates(nameless, nameless).height == 2


def test_frames_that_share_no_column_but_the_id_or_hold_nothing_in_it_are_compared() -> None:
    one = pl.DataFrame({"id": ["1"], "city": ["Bonn"], "city before": ["Ulm"], "is_known": [True]})

    assert crmlab.updates(one, one.select("id")).is_empty()
    assert crmlab.updates(one, one.with_columns(is_known=False))["changed"].to_list() == [
        ["is_known"]
    ]
    emptied = crmlab.updates(one, one.with_columns(city=pl.lit(None)))
    assert emptied.to_dicts() == [{"id": "1", "changed": ["city"], "city": None}]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (BEFORE.drop("id"), BEFORE, "before has no column id"),
        (BEFORE, pl.concat([BEFORE, BEFORE]), "after has an id twice"),
        (
            BEFORE,
            BEFORE.with_columns(pl.col("city").is_null()),
            "city is String before and Boolean after",
        ),
        (BEFORE, [1], "no frame"),
        # the same id in two accounts
        (
            BEFORE,
            pl.DataFrame({"id": ["1"], "city": ["Rome"]}),
            "before has an id twice, by id of both frames",
        ),
        (BEFORE.with_columns(id=pl.lit(1.5)), BEFORE, "not whole"),
    ],
)
def test_frames_that_cannot_be_compared_are_refused(before: Any, after: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        crmlab.updates(before, after)
