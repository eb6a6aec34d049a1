"""A file that somebody changed after the export is read, and told; masked files say that they are."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

import crmlab

CHANGED = "was changed after crmlab wrote it"


def data(amounts: Sequence[float] = (10.0, 20.0)) -> crmlab.Fetched:
    deals = pl.DataFrame({"id": ["1", "2"], "owner_name": ["Ann", "Bo"], "status": ["won", "lost"]})
    deals = deals.with_columns(amount=pl.Series(amounts))
    users = pl.DataFrame({"id": ["u"], "full_name": ["Ann"]})
    return crmlab.collect(
        deals=crmlab.table("deals", deals, provider="own"),
        users=crmlab.table("users", users, provider="own"),
        as_of="2026-11-29",
    )


def notes(opened: crmlab.Fetched | crmlab.Stored) -> dict[str, str]:
    """By table, what is said of changed and removed files."""
    noted = opened.summary.filter(
        pl.col("note").str.contains("after crmlab wrote it", literal=True)
    )
    return dict(noted.select("table", pl.col("note").str.split("; ").list.last()).rows())


def manifest(folder: Path) -> dict[str, dict[str, object]]:
    said: dict[str, dict[str, object]] = json.loads((folder / "crmlab.json").read_bytes())
    return said


def edit(path: Path, before: bytes, after: bytes) -> None:
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))


def test_the_manifest_has_size_and_checksum_of_every_file(tmp_path: Path) -> None:
    data().export(tmp_path, "csv")
    data().export(tmp_path, "parquet")
    data().export(tmp_path, "xlsx")

    files = manifest(tmp_path)["files"]

    assert set(files) == {path.name for path in tmp_path.iterdir()} - {"crmlab.json"}
    for name, known in files.items():
        content = (tmp_path / name).read_bytes()
        written_at = (tmp_path / name).stat().st_mtime_ns
        digest = hashlib.sha256(content).hexdigest()
        assert known == {"bytes": len(content), "sha256": digest, "modified_ns": written_at}


@pytest.mark.parametrize(("before", "after"), [(b"10.0", b"99.0"), (b"10.0", b"100.0")])
def test_a_file_of_the_same_rows_with_other_values_is_told(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    data().export(tmp_path, "csv")
    assert notes(crmlab.open(tmp_path)) == {}

    edit(tmp_path / "deals.csv", before, after)
    opened = crmlab.open(tmp_path, lazy=False)

    assert opened.deals["amount"][0] == float(after)
    assert notes(opened) == {"deals": f"deals.csv {CHANGED}"}
    assert f"deals.csv {CHANGED}" in opened._repr_html_()
    assert f"deals.csv {CHANGED}" in opened.report(tmp_path / "page.html").read_text(
        encoding="utf-8"
    )


def test_a_changed_summary_is_told_of_every_table(tmp_path: Path) -> None:
    data().export(tmp_path, "csv")

    edit(tmp_path / "summary.csv", b"own data", b"OWN data")

    assert notes(crmlab.open(tmp_path)) == dict.fromkeys(
        ("deals", "users"), f"summary.csv {CHANGED}"
    )


@pytest.mark.parametrize("amounts", [[30.0, 40.0], [20.0, 10.0], [10.0, 20.5]])
def test_a_lazy_file_that_was_replaced_by_one_of_the_same_size_is_told(
    tmp_path: Path, amounts: list[float]
) -> None:
    data().export(tmp_path / "out")
    data(amounts).export(tmp_path / "other")
    sizes = {(tmp_path / folder / "deals.parquet").stat().st_size for folder in ("out", "other")}
    assert len(sizes) == 1

    shutil.copy2(tmp_path / "other/deals.parquet", tmp_path / "out/deals.parquet")

    assert notes(crmlab.open(tmp_path / "out")) == {"deals": f"deals.parquet {CHANGED}"}


def test_a_lazy_file_of_another_size_is_told(tmp_path: Path) -> None:
    data().export(tmp_path)
    path = tmp_path / "deals.parquet"
    pl.read_parquet(path).with_columns(name=pl.lit("another name, for every deal")).write_parquet(
        path
    )

    assert notes(crmlab.open(tmp_path)) == {"deals": f"deals.parquet {CHANGED}"}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_copy_that_lacks_a_table_is_not_complete(
    tmp_path: Path, format: crmlab.results.Format
) -> None:
    data().export(tmp_path, format)
    (tmp_path / f"deals.{format}").unlink()

    opened = crmlab.open(tmp_path)

    assert list(opened) == ["users"]
    assert not opened.complete
    assert notes(opened) == {"deals": f"deals.{format} was removed after crmlab wrote it"}
    assert not crmlab.about(tmp_path, "ann@example.com").complete


def test_a_copy_of_a_folder_is_the_same(tmp_path: Path) -> None:
    data().export(tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "copy", copy_function=shutil.copyfile)

    assert notes(crmlab.open(tmp_path / "copy")) == {}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_masked_files_say_so_wherever_they_are_opened(
    tmp_path: Path, format: crmlab.results.Format
) -> None:
    data().export(tmp_path, format, mask=True)

    opened = crmlab.open(tmp_path, lazy=False)

    assert manifest(tmp_path)["masked"] is True
    assert opened.is_masked
    assert repr(opened).endswith("; masked>")
    assert "Masked: names, addresses and texts are tokens." in opened._repr_html_()
    assert "Masked: names" in opened.report(tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_parquet_file_that_is_passed_on_alone_says_that_it_is_masked(tmp_path: Path) -> None:
    data().export(tmp_path, mask=True)
    (tmp_path / "crmlab.json").unlink()

    assert crmlab.open(tmp_path).is_masked


def test_masked_files_are_no_other_format_of_plain_ones(tmp_path: Path) -> None:
    data().export(tmp_path, "parquet")
    data().export(tmp_path, "csv", mask=True)

    assert manifest(tmp_path)["formats"] == ["csv"]
    assert not any(name.endswith(".parquet") for name in manifest(tmp_path)["files"])
    assert crmlab.open(tmp_path).is_masked
