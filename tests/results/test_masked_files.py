"""Masked files are masked from their first part on, batch by batch, and join where the key is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.cli import main
from crmlab.errors import UsageError
from crmlab.fetching import parquet_store
from crmlab.results import Stored, kept_key
from crmlab.results.masking import Mask, mask
from crmlab.schema.tables import TABLES, personal_columns
from tests.conftest import Serve

KEY = b"0123456789abcdef"
NAMES = (
    "contacts",
    "deals",
    "activities",
    "users",
    "consent_events",
    "onepagecrm.contacts",
    "onepagecrm.notes",
)


@pytest.fixture(scope="module")
def plain() -> crmlab.Fetched:
    async def fetched() -> crmlab.Fetched:
        async with crmlab.sandbox(rows=60, seed=8) as accounts:
            return await crmlab.fetch(accounts, *NAMES)

    return asyncio.run(fetched())


def texts(values: pl.Series) -> Iterator[str]:
    """Yield the texts in a column, as deep as they are."""
    if isinstance(values.dtype, pl.List):
        yield from texts(values.explode())
    elif isinstance(values.dtype, pl.Struct):
        yield from (
            texts(values.struct.field("value")) if "value" in values.struct.fields else iter(())
        )
    elif values.dtype == pl.String:
        yield from values.drop_nulls().unique().to_list()


def secrets_in(data: crmlab.Fetched) -> set[str]:
    """Texts of which no masked file may hold one: long enough to be in none by chance."""
    columns = [data[table][column] for table, column in personal_columns() if table in data]
    found = {text for column in columns for text in texts(column)}
    return {text for text in found if len(text) > 8} - {*data.contacts["company_name"]}  # they stay


async def test_a_masked_fetch_has_no_plain_value_on_disk_at_any_moment(
    plain: crmlab.Fetched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_store, "PART_ROWS", 20)
    written: list[bytes] = []
    write = pl.DataFrame.write_parquet

    def seen(self: pl.DataFrame, path: Path, **options: object) -> None:
        write(self, path, **options)
        written.append(str(pl.read_parquet(path).to_dict(as_series=False)).encode())

    monkeypatch.setattr(pl.DataFrame, "write_parquet", seen)
    async with crmlab.sandbox(rows=60, seed=8) as accounts:
        stored = await crmlab.fetch_to(tmp_path, accounts, *NAMES, mask=KEY)

    secrets = secrets_in(plain)
    assert len(secrets) > 100
    assert len(written) > len(NAMES)  # parts, and what stands beside the tables
    said = b"\n".join(written).decode()
    assert [text for text in secrets if repr(text)[1:-1] in said] == []
    whole = "\n".join(str(stored[name].collect().to_dict(as_series=False)) for name in stored)
    assert [text for text in secrets if repr(text)[1:-1] in whole] == []


async def test_a_masked_fetch_is_the_masked_result_of_the_same_fetch(
    plain: crmlab.Fetched, tmp_path: Path
) -> None:
    async with crmlab.sandbox(rows=60, seed=8) as accounts:
        stored = await crmlab.fetch_to(tmp_path, accounts, *NAMES, mask=KEY)

    masked = plain.masked(KEY)
    assert stored.is_masked
    assert crmlab.open(tmp_path).is_masked
    assert stored.complete == masked.complete
    assert_frame_equal(
        stored.summary.select("table", "rows", "note"),
        masked.summary.select("table", "rows", "note"),
    )
    order = [name for name in NAMES if name in TABLES]
    for name in order:
        keys = ["provider", "account", "id"]
        assert_frame_equal(
            stored[name].collect().sort(keys), masked[name].sort(keys), categorical_as_str=True
        )


async def test_what_was_rejected_is_counted_and_not_kept(serve: Serve, tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        rows = [
            {"full_name": "Ann Unkeyed"},
            {"id": "1", "full_name": "Bo", "dt_created": "Ann's birthday"},
        ]
        return web.json_response(
            {"status": True, "code": 200, "data": rows if "contact.list" in request.path else []}
        )

    account = crmlab.Account("relenta", base_url=await serve(handle), api_key="k")
    stored = await crmlab.fetch_to(tmp_path, account, "contacts", mask=True)

    assert (stored.rejected.height, stored.misfits.height) == (1, 1)
    for frame in (stored.rejected, stored.misfits):
        assert frame.select("raw", "reason").null_count().row(0) == (1, 1)
    assert "masked: what was rejected or could not be read is left out" in stored.summary["note"][0]
    assert not stored.complete
    assert all(b"Ann" not in path.read_bytes() for path in tmp_path.iterdir())


def test_stored_files_are_masked_lazily_as_in_memory(plain: crmlab.Fetched, tmp_path: Path) -> None:
    plain.export(tmp_path / "plain")
    stored = crmlab.open(tmp_path / "plain")
    assert isinstance(stored, Stored)

    masked = stored.masked(KEY)
    paths = stored.export(tmp_path / "masked", mask=KEY)

    opened = crmlab.open(tmp_path / "masked")
    assert masked.is_masked
    assert opened.is_masked
    assert masked.paths == {}
    assert "Masked while the files are read" in masked._repr_html_()
    assert {path.name for path in paths} == {path.name for path in (tmp_path / "masked").iterdir()}
    for name, frame in plain.masked(KEY).items():
        assert_frame_equal(masked[name].collect(), frame, categorical_as_str=True)
        assert_frame_equal(opened[name].collect(), frame, categorical_as_str=True)
    dropped = stored.masked(drop=True)
    assert (
        dropped.contacts.select("full_name", "emails").collect().null_count().row(0)
        == (plain.contacts.height,) * 2
    )


def test_files_can_be_masked_where_they_are(plain: crmlab.Fetched, tmp_path: Path) -> None:
    plain.export(tmp_path)

    crmlab.open(tmp_path).export(tmp_path, mask=KEY)

    opened = crmlab.open(tmp_path)
    assert opened.is_masked
    assert_frame_equal(
        opened.contacts.collect(), plain.masked(KEY).contacts, categorical_as_str=True
    )


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_stored_tables_are_read_for_other_formats(
    plain: crmlab.Fetched, tmp_path: Path, format: str
) -> None:
    plain.export(tmp_path / "plain")

    crmlab.open(tmp_path / "plain").export(tmp_path / "other", format, mask=KEY)

    assert (tmp_path / "other" / ("crmlab.xlsx" if format == "xlsx" else "contacts.csv")).exists()
    if format == "csv":
        read = crmlab.read_csv(tmp_path / "other" / "contacts.csv")
        assert_frame_equal(read, plain.masked(KEY).contacts, categorical_as_str=True)


def test_batches_have_the_tokens_of_the_whole() -> None:
    users = pl.DataFrame(
        {
            "id": list("abcdef"),
            "email": ["Ann@x.example", "b@x.example"] * 2 + [" ann@X.example", ""],
        }
    )
    by = Mask(KEY)

    parts = [by.frame("users", users.slice(start, 2)) for start in range(0, 6, 2)]

    assert_frame_equal(pl.concat(parts), mask({"users": users}, KEY)["users"])
    lazily = by.lazy("users", users.lazy())
    assert_frame_equal(lazily.collect(), pl.concat(parts))
    assert_frame_equal(lazily.select("id", "email").tail(1).collect(), pl.concat(parts).tail(1))


def test_the_key_is_in_no_repr_and_what_is_no_key_is_refused(
    plain: crmlab.Fetched, tmp_path: Path
) -> None:
    assert KEY.decode() not in repr(Mask(KEY))
    for wrong in (3, "text", None):
        with pytest.raises(UsageError, match="mask is True, False or a key of 16 to 64 bytes"):
            plain.export(tmp_path / "x", mask=wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the key has 3 bytes"):
        plain.export(tmp_path / "x", mask=b"abc")
    with pytest.raises(UsageError, match="is bytes, such as"):
        plain.masked("0123456789abcdef")  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


async def test_a_wrong_mask_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    account = crmlab.Account("onepagecrm", user_id="u", api_key="k", base_url="http://127.0.0.1:9")

    with pytest.raises(UsageError, match="mask is True, False or a key"):
        await crmlab.fetch_to(tmp_path, account, "contacts", mask="yes")  # type: ignore[arg-type]


def test_a_key_is_kept_in_a_file_for_this_user_only(tmp_path: Path) -> None:
    key = kept_key(tmp_path / "key")

    assert kept_key(tmp_path / "key") == key
    assert len(key) == 32
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    (tmp_path / "short").write_bytes(b"short")
    for wrong in ("short", "", "nowhere/key"):
        with pytest.raises(UsageError, match=str(tmp_path)) as refused:
            kept_key(tmp_path / wrong)
        assert "\n" not in str(refused.value)


def test_the_command_line_masks_by_a_kept_key(
    plain: crmlab.Fetched, tmp_path: Path, capsys
) -> None:
    plain.export(tmp_path / "plain")
    words = ["report", str(tmp_path / "plain"), "--tables", "csv", "--questions", "win_rate"]

    for out in ("one", "two"):
        assert (
            main([*words, "--mask-key", str(tmp_path / "key"), "--out", str(tmp_path / out)]) == 0
        )

    assert (tmp_path / "one" / "win_rate.csv").read_bytes() == (
        tmp_path / "two" / "win_rate.csv"
    ).read_bytes()
    assert main([*words, "--mask-key", str(tmp_path), "--out", str(tmp_path / "three")]) == 2
    assert "name a file that holds the key of masks" in capsys.readouterr().err


def test_repeated_records_of_masked_files_are_told_as_of_plain_ones(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "provider": "p",
            "account": "a",
            "id": ["1", "1", "2", "2"],
            "name": ["Ann", "Bo", "Cy", "CY"],
        },
    )
    rows = pl.concat([rows, TABLES["users"].empty()], how="diagonal_relaxed").select(
        *TABLES["users"].columns
    )
    rows = rows.cast(TABLES["users"].schema)
    told = []
    for by in (None, Mask(KEY)):
        folder = tmp_path / str(by is None)
        with parquet_store.Store(folder, mask=by) as store:
            store.put("users", "s", rows.head(2), pl.col("id"))
            store.put("users", "s", rows.tail(2), pl.col("id"))
            store.close()
            told.append((store.conflicts("s"), store.rows))
    assert told[0] == told[1] == (2, {"users": 2})
