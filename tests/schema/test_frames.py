"""Frames of other libraries become frames of Polars, or are refused in our words."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from crmlab.errors import UsageError
from crmlab.schema.frames import as_polars, collected

FRAME = pl.DataFrame(
    {
        "text": ["a", None],
        "count": [1, 2],
        "number": [1.5, None],
        "day": [dt.date(2026, 1, 31), None],
        "at": [dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC), None],
        "list": [["a", "b"], None],
    }
)
PANDAS = pd.DataFrame(FRAME.to_dict(as_series=False))


def taken(frame: Any) -> pl.DataFrame:
    """Return a frame as one of Polars; pandas before 3 counts nanoseconds."""
    found = collected(as_polars(frame, "deals"), "deals")
    return found.cast({"at": FRAME.schema["at"]})


class NotInstalled:
    """Stands before all finders of modules, and hides pyarrow."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NotInstalled(), *sys.meta_path])


def test_frames_of_polars_stay_what_they_are() -> None:
    lazy = FRAME.lazy()

    assert as_polars(FRAME, "deals") is FRAME
    assert as_polars(lazy, "deals") is lazy
    assert_frame_equal(collected(lazy, "deals"), FRAME)


def test_frames_of_pandas_come_with_their_values() -> None:
    assert_frame_equal(taken(PANDAS), FRAME)


@pytest.mark.usefixtures("without_pyarrow")
def test_frames_of_pandas_come_without_pyarrow_too() -> None:
    assert_frame_equal(taken(PANDAS), FRAME)


def test_a_column_of_several_kinds_becomes_text() -> None:
    frame = pd.DataFrame({"a": [1, "x", None]})

    assert_frame_equal(
        collected(as_polars(frame, "deals"), "deals"), pl.DataFrame({"a": ["1", "x", None]})
    )


def test_a_named_index_becomes_a_column_and_another_is_left_out() -> None:
    frame = pd.DataFrame({"a": [1]}, index=["x"])

    assert collected(as_polars(frame, "deals"), "deals").columns == ["a"]
    assert collected(as_polars(frame.rename_axis("id"), "deals"), "deals").rows() == [("x", 1)]


def test_tables_of_pyarrow_and_streams_are_taken() -> None:
    class Stream:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return FRAME.__arrow_c_stream__(requested_schema)

    assert_frame_equal(collected(as_polars(FRAME.to_arrow(), "deals"), "deals"), FRAME)
    assert_frame_equal(collected(as_polars(Stream(), "deals"), "deals"), FRAME)


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (
            None,
            "deals is of type NoneType, which is no frame: give one of Polars, pandas or pyarrow",
        ),
        ({"id": ["1"]}, "type dict, which is no frame: write polars.DataFrame"),
        ([{"id": "1"}], "type list, which is no frame: write polars.DataFrame"),
        ("deals.csv", "type str, which is no frame: read the file first"),
        (pl.Series([1]), r"type Series.*it is one column; write \.to_frame"),
        (pd.Series([1]), r"type Series.*it is one column; write \.to_frame"),
        (FRAME.group_by("text"), "type GroupBy, which is no frame"),
        (pa.array([1]), "deals "),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "deals cannot be read as a frame: Expected unique column names",
        ),
    ],
)
def test_what_is_no_frame_is_refused_with_what_to_write(thing: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        as_polars(thing, "deals")


def test_a_lazy_frame_that_reads_what_is_not_there_is_told(tmp_path: Any) -> None:
    frame = pl.scan_csv(tmp_path / "none.csv")

    with pytest.raises(UsageError, match="deals is a lazy frame that cannot be collected"):
        collected(frame, "deals")
