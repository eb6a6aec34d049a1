"""The demo of a lake: two refreshes around a day of changes, and what is made of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.cli.main import main


def test_two_refreshes_show_a_day_of_changes_and_what_it_did_to_the_pipeline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["demo", "--lake", "--rows", "300", "--out", str(tmp_path)])

    shown = capsys.readouterr().out
    assert code == 0
    assert shown.count("complete") == 2
    assert "NOT COMPLETE" not in shown
    (place,) = tmp_path.glob("lake-*")
    lake = crmlab.Lake(place)
    first, second = [time for time, _ in lake.snapshots()]
    changes = lake.changes(first)
    assert changes.summary.select(pl.sum_horizontal("added", "changed", "deleted")).sum().item() > 0
    for table in changes:
        assert f" {table} " in shown
    assert first < second
    assert [step for step in ("start", "won", "lost", "end") if f" {step} " not in shown] == []
    page = (tmp_path / "lake.html").read_text(encoding="utf-8")
    assert "Why did the open amount change since the earlier fetch?" in page


def test_a_folder_that_is_none_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert main(["demo", "--lake", "--rows", "20", "--out", str(tmp_path / "file")]) == 2

    assert "cannot be written" in capsys.readouterr().err


def test_where_deltalake_is_not_installed_the_demo_of_a_lake_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "deltalake", None)

    assert main(["demo", "--lake", "--rows", "20", "--out", str(tmp_path)]) == 2

    assert "pip install" in capsys.readouterr().err
    assert list(tmp_path.glob("lake-*")) == []


def test_no_command_loads_deltalake_that_does_not_need_it() -> None:
    loaded = "import sys, crmlab.cli.main; print('deltalake' in sys.modules)"

    assert (
        subprocess.run(
            [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
        ).stdout
        == "False\n"
    )
