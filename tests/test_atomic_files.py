"""Several files are replaced together, or every one of them is what it was."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polars as pl
import pytest

from crmlab.atomic_files import (
    check_folder,
    errors_in_words,
    make_folder,
    move_files,
    parts_folder,
    write_files,
)
from crmlab.errors import CrmlabError, UsageError


def writer(text: str):
    return lambda path: path.write_text(text)


def full_disk(path: Path) -> None:
    path.write_text("half")
    raise OSError(28, "No space left on device")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_all_files_are_written_and_what_contradicts_them_is_gone(tmp_path: Path) -> None:
    for name in ("a", "rejected"):
        (tmp_path / name).write_text("old")

    paths = write_files(
        {tmp_path / "a": writer("1"), tmp_path / "b": writer("2")}, remove=[tmp_path / "rejected"]
    )

    assert paths == [tmp_path / "a", tmp_path / "b"]
    assert contents(tmp_path) == {"a": "1", "b": "2"}


def test_where_one_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    with pytest.raises(
        CrmlabError,
        match=r"b could not be written \(No space left on device\); files that were there",
    ):
        write_files(
            {tmp_path / "a": writer("1"), tmp_path / "b": full_disk}, remove=[tmp_path / "a"]
        )

    assert contents(tmp_path) == {"a": "old"}


def test_where_one_cannot_be_moved_those_before_it_come_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").mkdir()

    with pytest.raises(UsageError, match="c cannot be written"):
        write_files({tmp_path / name: writer("new") for name in "abc"})

    assert contents(tmp_path) == {"a": "old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_a_file_system_without_links_brings_files_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    (tmp_path / "a").write_text("old")
    (tmp_path / "part").write_text("new")

    with pytest.raises(UsageError):
        move_files({tmp_path / "part": tmp_path / "a", tmp_path / "absent": tmp_path / "b"})

    assert contents(tmp_path) == {"a": "old"}


def test_a_program_that_is_stopped_meanwhile_leaves_what_was_there(tmp_path: Path) -> None:
    def stopped(path: Path) -> None:
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_files({tmp_path / "a": writer("1"), tmp_path / "b": stopped})

    assert contents(tmp_path) == {"a": "old"}


def test_a_folder_that_is_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")

    for place in (tmp_path / "out", tmp_path / "out" / "more"):
        with pytest.raises(
            UsageError, match=r"cannot be written .*: name another place"
        ) as refused:
            make_folder(place)
        assert "\n" not in str(refused.value)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="this user may write everywhere"
)
def test_a_folder_of_somebody_else_is_said_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(UsageError, match="Permission denied"):
        write_files({tmp_path / "a": writer("1")})


def test_what_a_killed_run_left_is_removed_and_what_another_run_works_on_is_not(
    tmp_path: Path,
) -> None:
    left = tmp_path / ".parts-left"
    left.mkdir()
    (left / "contacts.parquet").write_text("personal")

    with parts_folder(tmp_path) as own:
        (own / "contacts.parquet").write_text("new")
        write_files({tmp_path / "a": writer("1")})
        assert (own / "contacts.parquet").read_text() == "new"
        assert own.stat().st_mode & 0o777 == 0o700

    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_that_polars_meets_is_told_in_words(tmp_path: Path) -> None:
    for text in (
        "No space left on device (os error 28)",
        "File out of specification: Invalid thrift: transport error",
    ):
        with (
            pytest.raises(CrmlabError, match="No space left on device"),
            errors_in_words(tmp_path / "a"),
        ):
            raise pl.exceptions.ComputeError(text)
    with pytest.raises(pl.exceptions.ComputeError), errors_in_words(tmp_path / "a"):
        raise pl.exceptions.ComputeError("another one")


def test_a_folder_that_takes_no_files_is_known_before_there_are_any(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert check_folder(tmp_path / "new") == tmp_path / "new"
    assert [path.name for path in (tmp_path / "new").iterdir()] == []
    with pytest.raises(UsageError, match="name another place"):
        check_folder(tmp_path / "file")
