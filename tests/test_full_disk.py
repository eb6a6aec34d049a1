"""A disk that is full or a folder that takes no file: one line, nothing half-written, and what was there unharmed."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import crmlab
from crmlab.cli import main
from crmlab.errors import CrmlabError
from crmlab.results.export import FORMATS

resource = pytest.importorskip("resource", reason="Windows has no limit of the size of a file")

#: bytes that a file may have: less than each that is written here
ROOM = 500
Case = Callable[[Path, crmlab.Fetched, list[crmlab.Account]], Awaitable[object]]


@contextmanager
def no_room() -> Iterator[None]:
    """Let the system refuse what makes a file longer, as a full disk does."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def of_data(write: Callable[[Path, crmlab.Fetched], object]) -> Case:
    """Return a case that needs no service."""

    async def run(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
        return write(folder, data)

    return run


def of_command(*arguments: str) -> Case:
    """Return a case of the command line; {} stands for the folder."""

    async def run(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
        return await asyncio.to_thread(main, [argument.format(folder) for argument in arguments])

    return run


def somebody(data: crmlab.Fetched) -> str:
    """Return an address."""
    return str(data.contacts["emails"].explode().drop_nulls()[0])


async def erased(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
    if not (folder / "crmlab.json").exists():
        return data.export(folder)
    return crmlab.erase(folder, somebody(data))


async def pushed(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
    rows = data.contacts.head(20).select("id", "first_name")
    results = folder / "results.jsonl"
    if results.exists():  # a push that has nothing left to send writes nothing more
        results = folder / "further.jsonl"
    return await crmlab.push(accounts[0], "contacts", rows, results=results, progress=False)


async def fetched_to(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
    return await crmlab.fetch_to(folder, accounts, "contacts", "deals", progress=False)


async def refreshed(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
    return await crmlab.Lake(folder / "lake").refresh(accounts, "contacts", progress=False)


async def spooled(folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]) -> object:
    place = folder / ("further" if (folder / "spool").exists() else "spool")
    return await crmlab.fetch(accounts, "contacts", spool=place, progress=False, on_error="raise")


CASES: dict[str, Case] = {
    **{
        f"export {form}": of_data(lambda folder, data, form=form: data.export(folder, form))
        for form in FORMATS
    },
    "report": of_data(lambda folder, data: data.report(folder / "report.html")),
    "numbers": of_data(lambda folder, data: data.report(folder, tables="csv")),
    "about": of_data(lambda folder, data: crmlab.about(data, somebody(data)).write(folder)),
    "erase": erased,
    "fetch_to": fetched_to,
    "spool": spooled,
    "push": pushed,
    "lake": refreshed,
    **{
        f"query {form}": of_command(
            "query", "{0}/../source", "select * from contacts", "--out", f"{{0}}/answer.{form}"
        )
        for form in ("csv", "parquet")
    },
    "demo": of_command("demo", "--rows", "20", "--out", "{0}"),
    "redact": of_command("spool", "redact", "{0}/../answers", "--out", "{0}/copy"),
}
#: what makes a new folder, which is none of an earlier run
ONCE = {"redact"}
#: what keeps whole answers, lines or versions, so that the next run goes on from them
KEEPS = {"spool", "push", "lake"}


def standing(folder: Path) -> dict[str, str]:
    """Return all files with what they hold, and folders that are hidden."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.name.startswith("."):
            found[name] = "a folder"
    return found


async def refused(
    case: Case, folder: Path, data: crmlab.Fetched, accounts: list[crmlab.Account]
) -> str:
    """Return what is told where it cannot be written."""
    try:
        outcome = await case(folder, data, accounts)
    except CrmlabError as error:
        return str(error)
    failure = getattr(outcome, "failure", None)
    assert failure or isinstance(outcome, int), outcome
    assert failure or outcome != 0
    return str(failure or "")


@pytest.mark.parametrize("name", CASES)
async def test_where_the_disk_is_full_files_are_as_they_were(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with crmlab.sandbox(rows=30, services=["onepagecrm"]) as accounts:
        data = await crmlab.fetch(accounts, spool=tmp_path / "answers", progress=False)
        data.export(tmp_path / "source")
        if name not in ONCE:
            await CASES[name](folder, data, list(accounts))
        before = standing(folder)
        if name not in KEEPS:  # of a run that was killed
            left = folder / ".parts-left"
            left.mkdir()
            (left / "contacts.csv").write_text("ann@example.com")
        capsys.readouterr()
        with no_room():
            told = await refused(CASES[name], folder, data, list(accounts))
    told += capsys.readouterr().err

    assert told.strip().count("\n") == 0, told
    # Parquet is written by a library that does not say which refusal it was
    assert "File too large" in told or "No space left on device" in told
    after = standing(folder)
    assert {file: after.get(file) for file in before} == before
    new = after.keys() - before.keys()
    assert not new or name in KEEPS
    assert not [file for file in new if file.endswith((".partial", ".part"))]


@pytest.mark.parametrize("name", CASES)
async def test_a_folder_that_is_a_file_is_told_in_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.write_text("mine")
    async with crmlab.sandbox(rows=30, services=["onepagecrm"]) as accounts:
        data = await crmlab.fetch(accounts, spool=tmp_path / "answers", progress=False)
        data.export(tmp_path / "source")
        capsys.readouterr()
        told = await refused(CASES[name], folder, data, list(accounts))
    told += capsys.readouterr().err

    assert told.strip().count("\n") == 0, told
    assert str(folder) in told
    assert folder.read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
async def test_what_a_killed_push_left_beside_its_results_is_gone_after_the_next(
    tmp_path: Path,
) -> None:
    left = tmp_path / ".results.jsonl.part"
    left.write_text("half a li")
    async with crmlab.sandbox(rows=30, services=["onepagecrm"]) as accounts:
        rows = (
            (await crmlab.fetch(accounts, "contacts", progress=False))
            .contacts.head(2)
            .select("id", "first_name")
        )
        await crmlab.push(
            accounts[0], "contacts", rows, results=tmp_path / "results.jsonl", progress=False
        )

    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]
