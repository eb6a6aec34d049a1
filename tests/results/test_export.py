"""Files: what was written comes back, and no cell runs as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.errors import PlanError, SchemaError
from crmlab.results.export import export, flat, read_csv
from crmlab.schema.tables import CUSTOM, TABLES, UTC

NAMES = sorted(TABLES)
NASTY = [*"=+-@\t\r\n;\\'\",|\x00\u2028\u200f😀é ab01\x1a\ufeff"]
TEXT = st.one_of(
    st.text(st.sampled_from(NASTY), max_size=6),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ["=1+1", "'quoted", "''", "-5", "+353 1 234", "@me", "null", "NaN", "true", "a;b", "\\;", '"', "\r"]
    ),
)
MOMENT = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999), timezones=st.just(dt.UTC))  # noqa: DTZ001  # the zone is given beside
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    pl.Categorical(): st.sampled_from(["onepagecrm", "relenta"]),
    pl.String(): TEXT,
    pl.Float64(): st.floats(allow_nan=False),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.Boolean(): st.booleans(),
    pl.Date(): st.dates(),
    UTC: MOMENT,
    pl.List(pl.String): st.lists(TEXT, max_size=3),
    CUSTOM: st.lists(st.fixed_dictionaries(dict.fromkeys(("key", "label", "value"), st.none() | TEXT)), max_size=2),
}


@st.composite
def frames(draw: st.DrawFn, name: str) -> pl.DataFrame:
    schema = TABLES[name].schema
    row = st.fixed_dictionaries({column: st.none() | BY_TYPE[dtype] for column, dtype in schema.items()})
    return pl.DataFrame(draw(st.lists(row, max_size=4)), schema=schema, orient="row")


def blank_is_null(frame: pl.DataFrame) -> pl.DataFrame:
    """What CSV cannot tell apart, as `read_csv` documents it."""
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype == pl.String:
            columns.append(pl.when(column != "").then(column).alias(name))
        elif dtype == pl.List(pl.String):
            columns.append(pl.when(column.list.join("|") != "").then(column).alias(name))
    return frame.with_columns(columns)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(data=st.data())
def test_every_table_survives_parquet(name: str, data: st.DataObject) -> None:
    frame = data.draw(frames(name))

    with tempfile.TemporaryDirectory() as folder:
        [path] = export({name: frame}, folder)
        back = pl.read_parquet(path)

    assert_frame_equal(back, frame)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(data=st.data())
def test_every_table_survives_csv_but_for_blank_text(name: str, data: st.DataObject) -> None:
    frame = data.draw(frames(name))

    with tempfile.TemporaryDirectory() as folder:
        [path] = export({name: frame}, folder, "csv")
        back = read_csv(path)

    assert back.schema == frame.schema
    assert_frame_equal(back, blank_is_null(frame), rel_tol=0, abs_tol=0, categorical_as_str=True)


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_no_cell_of_a_csv_begins_like_a_formula(texts: list[str]) -> None:
    frame = pl.DataFrame(
        {"id": texts, "tags": [[text] for text in texts], "own": [{text: text} for text in texts[:1]] * len(texts)}
    )

    with tempfile.TemporaryDirectory() as folder:
        [path] = export({"any": frame}, folder, "csv")
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(line.replace("\0", "0") for line in file) for cell in row[:2]]

    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_text_that_looks_like_a_formula_is_shielded() -> None:
    frame = pl.DataFrame({"a": ["=1+1", "'x", "plain", None, "-5"], "n": [-1.5, 2.0, None, 0.0, -0.0]})

    assert flat(frame)["a"].to_list() == ["'=1+1", "''x", "plain", None, "'-5"]
    assert flat(frame)["n"].to_list() == [-1.5, 2.0, None, 0.0, -0.0]


def test_a_custom_field_cannot_smuggle_a_formula() -> None:
    frame = pl.DataFrame({"tags": [["=cmd()", "b"], ["a", "=b"]]})

    assert flat(frame)["tags"].to_list() == ["'=cmd();b", "a;=b"]


def test_times_are_written_in_utc_whatever_their_zone() -> None:
    moment = dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)
    frame = pl.DataFrame({"utc": [moment], "paris": [moment]}).with_columns(
        pl.col("paris").dt.convert_time_zone("Europe/Paris")
    )

    assert flat(frame).rows() == [("2026-07-01T10:00:00.000000Z",) * 2]


def test_a_time_without_zone_does_not_pass_for_utc() -> None:
    frame = pl.DataFrame({"at": [dt.datetime(2026, 7, 1, 10)]})  # noqa: DTZ001  # the subject

    assert flat(frame).rows() == [("2026-07-01T10:00:00.000000",)]


def test_files_are_named_after_their_tables_and_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    export({"deals": TABLES["deals"].empty(), "onepagecrm.deals": pl.DataFrame({"a": [1]})}, folder)

    paths = export({"deals": pl.DataFrame({"a": [1, 2]})}, folder)

    assert paths == [folder / "deals.parquet"]
    assert pl.read_parquet(paths[0]).height == 2
    assert sorted(path.name for path in folder.iterdir()) == ["deals.parquet", "onepagecrm.deals.parquet"]


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    [path] = export({"deals": pl.DataFrame({"a": [1]})}, tmp_path)

    with pytest.raises(pl.exceptions.PolarsError):
        export({"deals": pl.DataFrame({"a": [object()]}, schema={"a": pl.Object})}, tmp_path)

    assert pl.read_parquet(path).height == 1
    assert [each.name for each in tmp_path.iterdir()] == ["deals.parquet"]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="unknown format 'xls'; known: parquet, csv, xlsx"):
        export({"deals": pl.DataFrame({"a": [1]})}, tmp_path / "out", "xls")  # type: ignore[arg-type]

    assert not (tmp_path / "out").exists()


def test_only_shared_tables_are_read_back(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"'mine' is not a shared table; read mine\.csv with polars"):
        read_csv(tmp_path / "mine.csv")


def test_a_csv_is_read_by_its_column_names_and_not_by_their_order(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"], "name": ["new"]}).pipe(
        lambda f: f.select(
            (pl.col(n) if n in f.columns else pl.lit(None, d).alias(n)) for n, d in TABLES["tags"].schema.items()
        )
    )
    [path] = export({"tags": frame.select(reversed(frame.columns))}, tmp_path, "csv")

    assert read_csv(path).select("id", "name").rows() == [("1", "new")]


def test_a_csv_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("id,label\n1,new\n")

    with pytest.raises(SchemaError, match=r"tags\.csv .*label"):
        read_csv(path)
