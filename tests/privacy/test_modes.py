"""Modes are those of the table in docs/privacy.md: what nobody asked for as files is for this user only."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")


@pytest.fixture(autouse=True)
def everybody_reads() -> Iterator[None]:
    """Let files have the mode that most machines give."""
    usual = os.umask(0o022)
    yield
    os.umask(usual)


def modes(place: Path) -> tuple[set[int], set[int]]:
    """Return the modes of the files and of the folders of a place, its own among them."""
    files: set[int] = set()
    folders: set[int] = set()
    for path in (place, *place.rglob("*")):
        (folders if path.is_dir() else files).add(stat.S_IMODE(path.stat().st_mode))
    return files, folders


@pytest.mark.slow
async def test_what_crmlab_keeps_by_itself_is_for_this_user_only(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
        data = await crmlab.fetch(accounts, "contacts", spool=tmp_path / "spool", progress=False)
        await crmlab.Lake(tmp_path / "lake").refresh(accounts, "contacts", progress=False)
        rows = data.contacts.head(2).select("id", "first_name")
        await crmlab.push(
            accounts[0], "contacts", rows, results=tmp_path / "results.jsonl", progress=False
        )

    assert modes(tmp_path / "spool") == ({0o600}, {0o700})
    assert modes(tmp_path / "results.jsonl") == ({0o600}, set())
    assert stat.S_IMODE((tmp_path / "lake").stat().st_mode) == 0o700


@pytest.mark.slow
def test_a_key_of_masks_and_a_copy_of_a_spool_are_too(
    tmp_path: Path, fetched: crmlab.Fetched, spool: Path
) -> None:
    fetched.export(tmp_path / "out")

    assert (
        main(["report", str(tmp_path / "out"), "--mask", "--mask-key", str(tmp_path / "mask.key")])
        == 0
    )
    assert main(["spool", "redact", str(spool), "--out", str(tmp_path / "copy")]) == 0
    assert modes(tmp_path / "mask.key") == ({0o600}, set())
    assert modes(tmp_path / "copy") == ({0o600}, {0o700})


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_rows_have_the_mode_of_the_umask_and_what_was_not_read_is_private(
    tmp_path: Path, fetched: crmlab.Fetched, format: str
) -> None:
    unread = pl.DataFrame(
        {name: ["1"] for name in fetched.misfits.columns}, schema=fetched.misfits.schema
    )
    rejected = pl.DataFrame(
        {name: [None] for name in fetched.rejected.columns}, schema=fetched.rejected.schema
    )
    data = crmlab.Fetched(
        {"contacts": fetched.contacts},
        heights={"contacts": fetched.contacts.height},
        summary=fetched.summary,
        rejected=rejected,
        misfits=unread,
        failures=(),
        asked=fetched.asked,
    )
    tmp_path.chmod(0o755)

    data.export(tmp_path, format)  # type: ignore[arg-type]  # both are formats

    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert found == {
        f"contacts.{format}": 0o644,
        f"summary.{format}": 0o644,
        f"rejected.{format}": 0o600,
        f"misfits.{format}": 0o600,
        "crmlab.json": 0o644,
    }
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.fixture
async def spool(tmp_path: Path) -> Path:
    """Return the folder of a spool."""
    async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
        await crmlab.fetch(accounts, "contacts", spool=tmp_path / "kept", progress=False)
    return tmp_path / "kept"
