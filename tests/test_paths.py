"""A path is a path: whatever signs a folder has in its name, its own files are read, and no others are written."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import sys
from inspect import signature
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.cli import main
from crmlab.errors import UsageError
from crmlab.fetching.parquet_store import Store
from crmlab.schema import TABLES, conform

#: what Polars and DuckDB take for a pattern, and a path that it would match
FOLDERS = [("a [1]", "a 1"), ("a*", "ab"), ("a?", "ab")]
PACKAGE = Path(crmlab.__file__).parent
#: readers of Polars that take a path for a pattern where nobody says otherwise
_READERS = [
    f"pl.{name}"
    for name, reader in vars(pl).items()
    if name.startswith(("read_", "scan_")) and "glob" in signature(reader).parameters
]


@pytest.fixture(params=FOLDERS, ids=[name for name, _ in FOLDERS])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with one person's data; that beside it has another's."""
    name, beside = request.param
    if sys.platform == "win32" and not name.endswith("]"):
        pytest.skip("Windows has no such names")
    for folder_name, person in ((beside, "Bo"), (name, "Ann")):
        for form in ("csv", "parquet", "xlsx"):
            of(person).export(tmp_path / folder_name / form, form)
        own = pl.DataFrame({"id": [person], "do_not_contact": [True]})
        own.write_csv(tmp_path / folder_name / "own.csv")
        own.write_parquet(tmp_path / folder_name / "own.parquet")
    return tmp_path / name


def of(person: str) -> crmlab.Fetched:
    rows = {
        "id": [person],
        "full_name": [person],
        "emails": [[f"{person.lower()}@example.com"]],
        "do_not_contact": [True],
    }
    contacts = crmlab.table("contacts", pl.DataFrame(rows), provider="relenta")
    return crmlab.collect(contacts=contacts, as_of="2026-01-31")


def others(folder: Path) -> dict[Path, str]:
    """Return what the files of the folder beside it are."""
    digests = {}
    for path in folder.parent.rglob("*"):
        if path.is_file() and folder not in path.parents:
            digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def test_its_own_files_are_read(folder: Path) -> None:
    for form in ("csv", "parquet"):
        assert crmlab.open(folder / form, lazy=False).contacts["id"].to_list() == ["Ann"]
    assert crmlab.open(folder / "parquet").contacts.collect()["id"].to_list() == ["Ann"]
    path = folder / "csv" / "contacts.csv"
    assert crmlab.read_csv(path)["id"].to_list() == ["Ann"]
    own = crmlab.table("contacts", str(folder / "own.csv"), provider="own")
    assert own["id"].to_list() == ["Ann"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_command_line_reads_its_own_files(
    folder: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(folder / form)
    for engine in ("polars", "duckdb") if form == "parquet" else ("polars",):
        assert main(["query", source, "select id from contacts", "--engine", engine]) == 0
        shown = capsys.readouterr().out
        assert "Ann" in shown
        assert "Bo" not in shown
    out = folder / "out"
    assert main(["about", source, "ann@example.com", "--out", str(out)]) == 0
    assert '"Ann"' in (out / "about.json").read_text(encoding="utf-8")
    assert main(["report", source, "--out", str(out / "report.html")]) == 0
    assert (out / "report.html").exists()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_person_is_taken_out_of_its_own_files(folder: Path, form: str) -> None:
    before = others(folder)

    crmlab.erase(folder / form, "ann@example.com")

    assert crmlab.open(folder / form, lazy=False).contacts.is_empty()
    assert others(folder) == before


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_its_own_rows_are_pushed(
    folder: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = folder / f"own.{form}"
    async with crmlab.sandbox(rows=5, services=["relenta"]) as [account]:
        monkeypatch.setattr(crmlab, "Account", lambda name: account)
        command = ["push", "relenta", "contacts", str(path), "--dry-run"]
        await asyncio.to_thread(main, command)

    shown = capsys.readouterr().out
    assert "Ann" in shown
    assert "Bo" not in shown


async def test_a_fetch_writes_and_reads_its_own_parts(folder: Path) -> None:
    before = others(folder)

    async with crmlab.sandbox(rows=20, services=["relenta"]) as accounts:
        data = await crmlab.fetch(accounts, "contacts")
        stored = await crmlab.fetch_to(folder / "new", accounts, "contacts")

    assert stored.contacts.collect().height == data.contacts.height
    assert others(folder) == before


def test_of_rows_that_came_twice_its_own_are_kept(folder: Path) -> None:
    users = pl.DataFrame(
        {"provider": "p", "account": "a", "id": ["1", "1"], "name": ["new", "old"]}
    ).with_columns(modified_at=pl.Series([2, 1]).cast(TABLES["users"].schema["modified_at"]))
    with Store(folder / "new", part_rows=1) as growing:
        for row in users.iter_slices(1):
            growing.put("users", "a", conform(row, TABLES["users"]), pl.col("id"))
        growing.close()
        assert growing.heights("a") == {"users": 1}
        growing.publish()

    path = folder / "new" / "users.parquet"
    assert pl.read_parquet(path, glob=False)["name"].to_list() == ["new"]


def test_what_helps_with_a_file_of_another_kind_reads_that_file(folder: Path) -> None:
    path = folder / "parquet" / "contacts.parquet"
    with pytest.raises(UsageError) as refused:
        crmlab.table("contacts", path, provider="own")

    code = str(refused.value).partition("write ")[2].partition(" in place")[0]
    assert eval(code, {"polars": pl})["id"].to_list() == ["Ann"]


def test_no_reader_takes_a_path_for_a_pattern() -> None:
    readings = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in _READERS:
                readings.append((f"{path.name}:{node.lineno}", ast.unparse(node)))

    assert readings
    assert [place for place, reading in readings if "glob=False" not in reading] == []
