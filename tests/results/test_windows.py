"""What was asked stays with the data: in results, in files, and when these are opened again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab.errors import AuthError, RateLimitError, UsageError
from crmlab.results import manifest
from crmlab.results.fetched import Fetched, Stored

FAST = crmlab.Limits(concurrency=10)
OCTOBER = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)


@pytest.fixture
async def account() -> AsyncIterator[crmlab.Account]:
    async with crmlab.sandbox(rows=60, seed=2, services=["onepagecrm"]) as accounts:
        yield accounts[0]


@pytest.fixture
async def banner() -> AsyncIterator[crmlab.Account]:
    async with crmlab.sandbox(rows=20, seed=2, services=["commanders_act"]) as accounts:
        yield accounts[0]


async def stored(
    folder: Path, account: crmlab.Account, *tables: str, since: str | None = None
) -> Stored:
    return await crmlab.fetch_to(folder, account, *tables, since=since, limits=FAST)


# ---- what was asked ------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_window_is_said_by_the_result_and_by_each_line_of_its_summary(
    account: crmlab.Account,
) -> None:
    data = await crmlab.fetch(account, "deals", "stages", since="2026-10-01", limits=FAST)

    assert data.asked.since == OCTOBER
    assert [(each.provider, each.name) for each in data.asked.accounts] == [
        ("onepagecrm", account.name)
    ]
    assert "only what was changed or happened since 2026-10-01" in repr(data)
    assert "It holds only what was changed or happened since 2026-10-01." in data._repr_html_()
    assert dict(data.summary.select("table", "since").rows()) == {"deals": OCTOBER, "stages": None}


@pytest.mark.slow
async def test_of_a_whole_fetch_no_period_is_said(account: crmlab.Account) -> None:
    data = await crmlab.fetch(account, "deals", limits=FAST)

    assert data.asked.in_words() == ""
    assert "only" not in repr(data)
    assert data.summary["since"].null_count() == data.summary.height


@pytest.mark.slow
async def test_a_period_that_is_asked_by_default_is_known_like_one_that_was_asked_for(
    banner: crmlab.Account,
) -> None:
    data = await crmlab.fetch(banner, "consent_statistics", "deliveries", "users", limits=FAST)

    days = data.asked.fetched_at - dt.timedelta(days=29)
    assert data.asked.period("consent_statistics").since == days.replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    assert data.asked.period("deliveries").since == data.asked.fetched_at - dt.timedelta(days=30)
    assert not data.asked.period("users").is_bounded
    assert f"consent_statistics only since {days:%Y-%m-%d}" in repr(data)


@pytest.mark.slow
async def test_what_is_made_of_a_result_knows_its_period(account: crmlab.Account) -> None:
    data = await crmlab.fetch(account, "contacts", since="2026-10-01", limits=FAST)
    deals = crmlab.table("deals", pl.DataFrame({"id": ["1"], "status": ["won"]}), provider="own")

    together = crmlab.collect(data, deals=deals)

    assert data.masked().asked == data.asked
    assert together.asked.period("contacts").since == OCTOBER
    assert not together.asked.period("deals").is_bounded


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_files_and_manifest_say_what_was_asked_and_no_secret(
    account: crmlab.Account, tmp_path: Path
) -> None:
    data = await stored(tmp_path, account, "deals", "stages", since="2026-10-01")

    said = json.loads((tmp_path / "crmlab.json").read_text(encoding="utf-8"))
    assert manifest.asked_of(tmp_path / "deals.parquet") == data.asked
    assert manifest.asked_of(tmp_path / "summary.parquet") == data.asked
    assert said["since"] == "2026-10-01T00:00:00+00:00"
    assert said["as_of"] == data.fetched_at.isoformat()
    assert said["tables"]["deals"] == {"rows": data.deals.collect().height, "complete": True}
    assert said["accounts"] == [{"provider": "onepagecrm", "name": account.name, "options": {}}]
    assert account.options["user_id"] not in json.dumps(said)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["csv", "xlsx"])
async def test_beside_files_of_other_formats_the_manifest_says_it(
    account: crmlab.Account, tmp_path: Path, format: str
) -> None:
    data = await crmlab.fetch(account, "deals", until="2026-10-01", limits=FAST)

    data.export(tmp_path, format)  # type: ignore[arg-type]

    found = manifest.read(tmp_path)
    assert found is not None
    assert (found.asked, found.formats) == (data.asked, (format,))


async def test_a_workbook_says_it_on_its_first_sheet(
    account: crmlab.Account, tmp_path: Path
) -> None:
    data = await crmlab.fetch(account, "deals", since="2026-10-01", limits=FAST)

    data.export(tmp_path, "xlsx")

    about = pl.read_excel(tmp_path / "crmlab.xlsx", sheet_name="about", engine="openpyxl")
    assert dict(about.rows())["holds"] == "only what was changed or happened since 2026-10-01"


# ---- one folder, one question --------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kept", ["crmlab.json", ""])
async def test_a_window_does_not_replace_a_whole_table(
    account: crmlab.Account, tmp_path: Path, kept: str
) -> None:
    await stored(tmp_path, account, "deals", "contacts")
    before = (tmp_path / "deals.parquet").read_bytes()
    if not kept:
        (tmp_path / "crmlab.json").unlink()  # the files themselves know it, too

    with pytest.raises(UsageError, match=r"at any time.*Name another folder") as refused:
        await stored(tmp_path, account, "deals", since="2026-10-01")

    assert "holds contacts as well" in str(refused.value)
    assert (tmp_path / "deals.parquet").read_bytes() == before


async def test_other_accounts_and_fewer_tables_are_another_question(
    account: crmlab.Account, tmp_path: Path
) -> None:
    await stored(tmp_path, account, "deals", "contacts")
    other = crmlab.Account("onepagecrm", name="other", user_id="1", api_key="2")

    with pytest.raises(
        UsageError, match="was asked of onepagecrm 'onepagecrm' and not of onepagecrm 'other'"
    ):
        await stored(tmp_path, other, "deals", "contacts")
    with pytest.raises(UsageError, match="holds contacts as well"):
        await stored(tmp_path, account, "deals")


@pytest.mark.slow
async def test_the_same_question_may_be_asked_again_with_more_tables(
    account: crmlab.Account, tmp_path: Path
) -> None:
    await stored(tmp_path, account, "deals", since="2026-10-01")

    again = await stored(tmp_path, account, "deals", "users", since="2026-10-01")

    assert crmlab.open(tmp_path).asked == again.asked


@pytest.mark.slow
async def test_an_export_of_a_window_over_whole_files_is_refused(
    account: crmlab.Account, tmp_path: Path
) -> None:
    await stored(tmp_path, account, "deals")
    data = await crmlab.fetch(account, "deals", since="2026-10-01", limits=FAST)

    for format in ("parquet", "csv"):
        with pytest.raises(UsageError, match="holds the answer to another question"):
            data.export(tmp_path, format)  # type: ignore[arg-type]


async def test_files_of_which_nothing_is_known_are_not_replaced(
    account: crmlab.Account, tmp_path: Path
) -> None:
    pl.DataFrame({"id": ["1"]}).write_parquet(tmp_path / "contacts.parquet")
    pl.DataFrame({"id": ["1"]}).write_parquet(tmp_path / "mine.parquet")

    with pytest.raises(UsageError, match=r"contacts\.parquet, and nothing tells"):
        await stored(tmp_path, account, "deals")


# ---- opened again --------------------------------------------------------------------------------


@pytest.mark.slow
async def test_what_a_fetch_wrote_is_opened_as_it_was(
    account: crmlab.Account, tmp_path: Path
) -> None:
    data = await stored(
        tmp_path, account, "deals", "stages", "onepagecrm.users", since="2026-10-01"
    )

    again = crmlab.open(tmp_path, lazy=True)
    in_memory = crmlab.open(tmp_path, lazy=False)

    assert (again.asked, again.paths, repr(again)) == (data.asked, data.paths, repr(data))
    assert_frame_equal(again.summary, data.summary)
    assert isinstance(in_memory, Fetched)
    for name in data:
        assert_frame_equal(in_memory[name], data[name].collect())


@pytest.mark.slow
async def test_an_export_as_csv_is_opened_as_it_was(
    account: crmlab.Account, tmp_path: Path
) -> None:
    data = await crmlab.fetch(account, "deals", "contacts", since="2026-01-01", limits=FAST)
    data.export(tmp_path, "csv")

    again = crmlab.open(tmp_path)

    assert isinstance(again, Fetched)
    assert again.asked == data.asked
    assert_frame_equal(again.summary, data.summary)
    for name in data:
        assert_frame_equal(again[name], data[name], categorical_as_str=True)
    with pytest.raises(UsageError, match="cannot be read lazily"):
        crmlab.open(tmp_path, lazy=True)


def test_failures_rejected_records_and_misfits_are_there_after_a_restart(
    fetched: Fetched, tmp_path: Path
) -> None:
    refused = AuthError(403, "forbidden", "no right")
    refused.account = "onepagecrm 'default'"
    refused.resource = "deals"
    slow = RateLimitError(429, retry_after=7.0)
    rejected = pl.DataFrame(
        {
            "provider": ["onepagecrm"],
            "account": ["a"],
            "resource": ["deals"],
            "reason": ["no id"],
            "raw": ["{}"],
        }
    )
    misfits = rejected.with_columns(id=pl.lit("7"), field=pl.lit("amount"))
    data = Fetched(
        {"deals": fetched.deals},
        heights={"deals": fetched.deals.height},
        summary=fetched.summary,
        rejected=rejected,
        misfits=misfits,
        failures=[refused, slow],
        asked=fetched.asked,
    )
    data.export(tmp_path)

    again = crmlab.open(tmp_path, lazy=False)

    assert [str(failure) for failure in again.failures] == [
        str(failure) for failure in data.failures
    ]
    assert_frame_equal(again.failures.table(), data.failures.table())
    assert again.failures[1].retry_after == 7.0  # type: ignore[attr-defined]
    assert_frame_equal(again.rejected, rejected)
    assert_frame_equal(again.misfits, misfits)
    assert not again.complete


@pytest.mark.slow
async def test_a_mixture_of_two_fetches_is_refused(account: crmlab.Account, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    part = tmp_path / "part"
    await stored(whole, account, "deals", "contacts")
    await stored(part, account, "deals", since="2026-10-01")

    (whole / "deals.parquet").write_bytes((part / "deals.parquet").read_bytes())

    with pytest.raises(UsageError, match=r"not of one fetch: deals\.parquet"):
        crmlab.open(whole)
    (whole / "crmlab.json").unlink()
    with pytest.raises(UsageError, match="not of one fetch"):
        crmlab.open(whole)


async def test_a_file_with_other_rows_than_the_manifest_says_is_refused(
    fetched: Fetched, tmp_path: Path
) -> None:
    fetched.export(tmp_path)
    fetched.deals.head(3).write_parquet(tmp_path / "deals.parquet")

    for lazy in (True, False):
        with pytest.raises(UsageError, match=r"deals in .* has other rows"):
            crmlab.open(tmp_path, lazy=lazy)


def test_the_time_of_files_that_do_not_tell_it_must_be_given(
    fetched: Fetched, tmp_path: Path
) -> None:
    fetched.deals.write_parquet(tmp_path / "deals.parquet")
    fetched.summary.write_parquet(tmp_path / "summary.parquet")

    with pytest.raises(UsageError, match="--as-of"):
        crmlab.open(tmp_path)

    assert crmlab.open(tmp_path, as_of="2026-10-01").fetched_at == OCTOBER


def test_a_time_that_is_known_cannot_be_given_otherwise(fetched: Fetched, tmp_path: Path) -> None:
    fetched.export(tmp_path)

    with pytest.raises(UsageError, match="leave as_of out"):
        crmlab.open(tmp_path, as_of="2020-01-01")


def test_a_folder_with_nothing_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no summary"):
        crmlab.open(tmp_path)
    (tmp_path / "crmlab.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="not what crmlab wrote"):
        crmlab.open(tmp_path)


def test_a_column_named_like_a_formula_is_the_same_after_it_was_opened(tmp_path: Path) -> None:
    export = pl.DataFrame({"id": ["1"], "status": ["won"], "=x": ["=1"]})
    data = crmlab.collect(deals=crmlab.table("deals", export, provider="own"), as_of="2026-01-31")
    data.export(tmp_path, "csv")

    assert_frame_equal(crmlab.open(tmp_path, lazy=False).deals, data.deals)
