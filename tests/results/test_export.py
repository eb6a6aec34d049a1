"""Files: what was written comes back, and no cell runs as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.errors import SchemaError, UsageError
from crmlab.results.cells import split, unnested
from crmlab.results.export import export, flat, read_csv
from crmlab.results.spreadsheet_safe import shielded, unshielded
from crmlab.schema.tables import CUSTOM, TABLES, UTC, conform

NAMES = sorted(TABLES)
NASTY = [*"=+-@\t\r\n;\\'\",|\x00\u2028\u200f😀é ab01\x1a\ufeff"]
TEXT = st.one_of(
    st.text(st.sampled_from(NASTY), max_size=6),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        [
            "=1+1",
            "'quoted",
            "''",
            "-5",
            "+353 1 234",
            "@me",
            "null",
            "NaN",
            "true",
            "a;b",
            "\\;",
            '"',
            "\r",
            "\\N",
            "\\E",
        ]
    ),
)
MOMENT = st.datetimes(  # the zone is given beside
    dt.datetime(1, 1, 1),  # noqa: DTZ001
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    pl.Categorical(): st.sampled_from(["onepagecrm", "relenta"]),
    pl.String(): TEXT,
    pl.Float64(): st.floats(allow_nan=False),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.Boolean(): st.booleans(),
    pl.Date(): st.dates(),
    UTC: MOMENT,
    pl.List(pl.String): st.lists(st.none() | TEXT, max_size=3),
    CUSTOM: st.lists(
        st.fixed_dictionaries(dict.fromkeys(("key", "label", "value"), st.none() | TEXT)),
        max_size=2,
    ),
}


@st.composite
def frames(draw: st.DrawFn, name: str) -> pl.DataFrame:
    schema = TABLES[name].schema
    row = st.fixed_dictionaries(
        {column: st.none() | BY_TYPE[dtype] for column, dtype in schema.items()}
    )
    return pl.DataFrame(draw(st.lists(row, max_size=4)), schema=schema, orient="row")


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
def test_every_table_survives_csv(name: str, data: st.DataObject) -> None:
    frame = data.draw(frames(name))

    with tempfile.TemporaryDirectory() as folder:
        [path] = export({name: frame}, folder, "csv")
        back = read_csv(path)

    assert back.schema == frame.schema
    assert_frame_equal(back, frame, rel_tol=0, abs_tol=0, categorical_as_str=True)


#: the beginning of what a spreadsheet runs; blanks and what nobody sees do not count
FORMULA = re.compile(r"[\s\x00-\x1f\u200b-\u200f\ufeff]*[=+\-@＝＋－＠]")  # noqa: RUF001  # full width


def cells_of(path: Path, separator: str) -> list[str]:
    text = path.read_bytes().decode("utf-8-sig").replace("\0", " ")
    return [
        cell
        for row in csv.reader(io.StringIO(text, newline=None), delimiter=separator)
        for cell in row
    ]


@given(
    st.lists(
        TEXT | st.text(st.sampled_from("=;\t\n'\" a＝"), max_size=8),  # noqa: RUF001
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=200)
def test_no_piece_of_a_csv_begins_like_a_formula_however_it_is_opened(texts: list[str]) -> None:
    frame = pl.DataFrame(
        {
            "id": texts,
            "tags": [[text, "b", text] for text in texts],
            "own": [{"k": t} for t in texts],
        }
    )

    with tempfile.TemporaryDirectory() as folder:
        [path] = export({"any": frame}, folder, "csv")
        for separator in (",", ";", "\t"):
            assert not [cell for cell in cells_of(path, separator) if FORMULA.match(cell)]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("Ann;=1+1", "Ann;'=1+1"),
        ("Ann\t=1+1", "Ann\t'=1+1"),
        ("\n=1+1", "\n'=1+1"),
        ("\0=1+1", "'\0=1+1"),
        (" \u200b=1+1", "' \u200b=1+1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),  # noqa: RUF001
        ('x;"=1+1', "x;'\"=1+1"),
        ("'=1+1", "''=1+1"),
        ("a=b", "a=b"),
        ("a - b", "a - b"),
    ],
)
def test_what_a_spreadsheet_could_run_has_a_shield_that_comes_off_again(
    text: str, safe: str
) -> None:
    column = pl.Series("text", [text])

    written = column.to_frame().select(shielded(pl.col("text"))).to_series()

    assert written.item() == safe
    assert written.to_frame().select(unshielded(pl.col("text"))).item() == text


def split_by_hand(joined: str | None) -> list[str | None] | None:
    """Return what `split` returns, character by character."""
    if not joined:
        return None if joined is None else []
    parts = [""]
    characters = iter(joined)
    for character in characters:
        if character == "\\":
            parts[-1] += "\\" + next(characters, "")
        elif character == ";":
            parts.append("")
        else:
            parts[-1] += character
    meant = {"\\N": None, "\\E": ""}
    return [meant.get(part, re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)) for part in parts]


PIECES = st.text(st.sampled_from(";\\NE'=\x00012\n"), max_size=8)


@given(st.lists(st.lists(st.none() | TEXT | PIECES, max_size=4), max_size=4))
@settings(max_examples=200)
def test_a_joined_list_is_split_again(lists: list[list[str | None]]) -> None:
    frame = pl.DataFrame({"list": lists}, schema={"list": pl.List(pl.String)})

    assert split(unnested(frame)["list"]).to_list() == lists


@given(st.lists(st.none() | TEXT | PIECES, max_size=6))
@settings(max_examples=200)
def test_a_list_is_cut_as_one_would_cut_it_by_hand_whoever_wrote_it(
    cells: list[str | None],
) -> None:
    joined = pl.Series("list", cells, dtype=pl.String)

    assert split(joined).to_list() == [split_by_hand(cell) for cell in cells]


def test_a_csv_opens_with_its_characters_in_excel_and_comes_back_after_it_was_saved_there(
    tmp_path: Path,
) -> None:
    frame = conform(
        pl.DataFrame({"id": ["1", "2"], "full_name": ["Zoë Müller", "a\nb"]}), TABLES["contacts"]
    )

    [path] = export({"contacts": frame}, tmp_path, "csv")

    body = path.read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    path.write_bytes(body.replace(b"\n", b"\r\n").replace(b"a\r\nb", b"a\nb"))
    assert_frame_equal(read_csv(path), frame)


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    [path] = export({"mine": pl.DataFrame({"n": [-1.5, 2.0], "i": [-3, None]})}, tmp_path, "csv")

    assert path.read_text(encoding="utf-8-sig") == "n,i\n-1.5,-3\n2.0,\n"


def test_a_category_and_a_column_cannot_smuggle_a_formula() -> None:
    frame = pl.DataFrame(
        {"=head": ["=x"], "time": [dt.timedelta(days=-1)]},
        schema_overrides={"=head": pl.Categorical},
    )

    assert flat(frame).to_dict(as_series=False) == {"'=head": ["'=x"], "time": ["'-P1D"]}


def test_what_csv_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"CSV cannot hold mine\.raw \(Binary\): cast to text, or leave"
    ):
        export(
            {"deals": pl.DataFrame({"a": [1]}), "mine": pl.DataFrame({"raw": [b"x"]})},
            tmp_path / "out",
            "csv",
        )

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_export_replaces_all_its_files_or_none(tmp_path: Path, format: Any) -> None:
    deals, users = pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]})
    paths = export({"deals": deals, "users": users}, tmp_path, format)
    before = [path.read_bytes() for path in paths]
    (tmp_path / f"zz.{format}").mkdir()

    with pytest.raises(UsageError, match="zz"):
        export({"deals": deals * 2, "users": users * 2, "zz": users}, tmp_path, format)

    assert [path.read_bytes() for path in paths] == before
    assert len(list(tmp_path.iterdir())) == 3


def test_files_of_what_is_not_there_any_more_go_with_the_new_ones(tmp_path: Path) -> None:
    export({"deals": pl.DataFrame({"a": [1]}), "rejected": pl.DataFrame({"a": [1]})}, tmp_path)

    export({"deals": pl.DataFrame({"a": [2]})}, tmp_path, obsolete=["rejected"])

    assert [path.name for path in tmp_path.iterdir()] == ["deals.parquet"]


def test_a_text_that_looks_like_a_formula_is_shielded() -> None:
    frame = pl.DataFrame(
        {"a": ["=1+1", "'x", "plain", None, "-5"], "n": [-1.5, 2.0, None, 0.0, -0.0]}
    )

    assert flat(frame)["a"].to_list() == ["'=1+1", "''x", "plain", None, "'-5"]
    assert flat(frame)["n"].to_list() == [-1.5, 2.0, None, 0.0, -0.0]


def test_a_custom_field_cannot_smuggle_a_formula() -> None:
    frame = pl.DataFrame({"tags": [["=cmd()", "b"], ["a", "=b"]]})

    assert flat(frame)["tags"].to_list() == ["'=cmd();b", "a;'=b"]


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
    assert sorted(path.name for path in folder.iterdir()) == [
        "deals.parquet",
        "onepagecrm.deals.parquet",
    ]


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    [path] = export({"deals": pl.DataFrame({"a": [1]})}, tmp_path)

    with pytest.raises(UsageError, match="deals cannot be written as Parquet: "):
        export({"deals": pl.DataFrame({"a": [object()]}, schema={"a": pl.Object})}, tmp_path)

    assert pl.read_parquet(path).height == 1
    assert [each.name for each in tmp_path.iterdir()] == ["deals.parquet"]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown format 'xls'; known: parquet, csv, xlsx"):
        export({"deals": pl.DataFrame({"a": [1]})}, tmp_path / "out", "xls")  # type: ignore[arg-type]

    assert not (tmp_path / "out").exists()


def test_only_shared_tables_are_read_back(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'mine' is not a shared table; read mine\.csv with polars"
    ):
        read_csv(tmp_path / "mine.csv")


def test_a_csv_is_read_by_its_column_names_and_not_by_their_order(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"], "name": ["new"]}).pipe(
        lambda f: f.select(
            (pl.col(n) if n in f.columns else pl.lit(None, d).alias(n))
            for n, d in TABLES["tags"].schema.items()
        )
    )
    [path] = export({"tags": frame.select(reversed(frame.columns))}, tmp_path, "csv")

    assert read_csv(path).select("id", "name").rows() == [("1", "new")]


def test_a_csv_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("id,label\n1,new\n")

    with pytest.raises(SchemaError, match=r"tags\.csv .*label"):
        read_csv(path)


def test_lazy_frames_are_written_like_others(tmp_path: Path) -> None:
    (path,) = export({"deals": TABLES["deals"].empty().lazy()}, tmp_path, "parquet")

    assert_frame_equal(pl.read_parquet(path), TABLES["deals"].empty())


@pytest.mark.parametrize("name", ["", "../deals", "a\\b", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a file"):
        export({name: TABLES["deals"].empty()}, tmp_path / "files", "csv")

    assert [*tmp_path.iterdir()] == []


def test_arrays_are_written_as_what_they_hold() -> None:
    frame = pl.DataFrame({"scores": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2))})

    assert unnested(frame)["scores"].to_list() == ["[1, 2]", None]


def contact(**columns: Any) -> pl.DataFrame:
    return conform(
        pl.DataFrame({"provider": ["own"], "account": ["a"], "id": ["1"], **columns}),
        TABLES["contacts"],
    )


def test_further_columns_that_look_like_formulas_have_their_names_again(tmp_path: Path) -> None:
    frame = contact().with_columns(pl.Series("=x", ["=1"]), pl.Series("'y", ["'"]))

    (path,) = export({"contacts": frame}, tmp_path, "csv")

    assert "'=x" in path.read_text(encoding="utf-8-sig")
    assert_frame_equal(read_csv(path), frame)


def test_yes_stays_yes_in_a_file_that_a_spreadsheet_saved(tmp_path: Path) -> None:
    (path,) = export({"contacts": contact(do_not_contact=[True])}, tmp_path, "csv")
    path.write_text(path.read_text(encoding="utf-8").replace("true", "TRUE"), encoding="utf-8")

    assert read_csv(path)["do_not_contact"].to_list() == [True]


@pytest.mark.parametrize(
    ("written", "saved"),
    [
        ("true", "WAHR"),
        ("2026-01-01T00:00:00.000000Z", "01.01.2026 00:00"),
        ("Zoë", "Zo\udceb"),
        ("\nown,", "\ntoo,many,cells,own,"),
    ],
)
def test_what_export_does_not_write_is_refused_with_what_to_write(
    tmp_path: Path, written: str, saved: str
) -> None:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    frame = contact(do_not_contact=[True], created_at=[at], full_name=["Zoë"], lead_source=["own"])
    (path,) = export({"contacts": frame}, tmp_path, "csv")
    text = path.read_text(encoding="utf-8")
    assert written in text
    path.write_bytes(text.replace(written, saved).encode("utf-8", "surrogateescape"))

    with pytest.raises(UsageError, match=re.escape("write crmlab.table('contacts',")) as caught:
        read_csv(path)
    assert saved not in str(caught.value)


def test_a_file_that_is_empty_or_not_there_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").touch()

    with pytest.raises(UsageError, match="is not as crmlab writes it"):
        read_csv(tmp_path / "deals.csv")
    with pytest.raises(UsageError, match="No such file"):
        read_csv(tmp_path / "users.csv")
