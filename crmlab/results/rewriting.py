"""Stored files written anew with other rows: all of them or none, with the manifest that tells of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from crmlab.atomic_files import write_files
from crmlab.errors import UsageError
from crmlab.results import manifest
from crmlab.results.checksums import Checksum, noting
from crmlab.results.export import read_cells, read_csv, table_writers
from crmlab.results.fetched import NOT_ALWAYS, SUMMARY
from crmlab.schema import TABLES

_AnyFrame = TypeVar("_AnyFrame", pl.DataFrame, pl.LazyFrame)
#: how many rows each table lost
Removed = Mapping[str, int]


def stored_files(folder: Path) -> dict[str, dict[str, Path]]:
    """Return by format the files that crmlab wrote into a folder, by the names of what they hold.

    Raises
    ------
    UsageError
        There is a workbook, which cannot be read back.
    """
    if (folder / manifest.WORKBOOK).exists():
        raise UsageError(
            f"{folder} holds {manifest.WORKBOOK}, which cannot be read back: remove it first, and export it again"
        )
    told = manifest.read(folder)
    # without a manifest all that a fetch could have written
    tables = told.tables if told else TABLES
    names = [*tables, "summary", *sorted(NOT_ALWAYS)]
    files_by_format = {}
    for format in ("parquet", "csv"):
        files = manifest.named_files(folder, names, format)
        if files:
            files_by_format[format] = files
    return files_by_format


def read_stored(name: str, path: Path) -> pl.DataFrame | pl.LazyFrame:
    """Return what a file holds, lazily where it can be.

    Raises
    ------
    UsageError, SchemaError
        It is not what crmlab wrote.
    """
    if path.suffix == ".parquet":
        return _scanned(path)
    if name == "summary":
        return read_cells(path, SUMMARY)
    if name in TABLES:
        return read_csv(path)
    return _keyed(path, read_cells(path, {}))


def _scanned(path: Path) -> pl.LazyFrame:
    try:
        return _keyed(path, pl.scan_parquet(path, glob=False))
    except (pl.exceptions.PolarsError, OSError):
        raise UsageError(f"{path} cannot be read as Parquet") from None


def _keyed(path: Path, frame: _AnyFrame) -> _AnyFrame:
    """Return the frame; refuse one whose rows do not say of which account they are."""
    if frame.lazy().collect_schema().keys() >= {"provider", "account"}:
        return frame
    raise UsageError(
        f"{path} has no columns provider and account, which all files of crmlab have: name another folder"
    )


def rewrite(
    folder: Path,
    files: Mapping[Path, pl.DataFrame | pl.LazyFrame],
    removed: Removed,
) -> None:
    """Write these files anew, and the manifest with their checksums and the rows that they have now.

    A file keeps its mode, and what Parquet says of itself. Where one cannot be written, all stay as they were.

    Parameters
    ----------
    folder
        Where they are.
    files
        By path, what each is to hold. It may be read from the file itself.
    removed
        How many rows each table lost, misfits and rejected records included.

    Raises
    ------
    UsageError, CrmlabError
        The system refused.
    """
    checksums: dict[str, Checksum] = {}
    by_name = {path.name: partial(_write, path, frame) for path, frame in files.items()}
    writers: dict[Path, Callable[[Path], object]] = {}
    for file_name, writer in noting(by_name, checksums).items():
        writers[folder / file_name] = writer
    manifest_path = folder / manifest.FILE
    # last, when the checksums of the other files are known
    if manifest_path.exists():
        writers[manifest_path] = partial(_write_manifest, manifest_path, removed, checksums)
    write_files(writers)


def _write(
    path: Path,
    frame: pl.DataFrame | pl.LazyFrame,
    part: Path,
) -> None:
    if path.suffix == ".parquet":
        metadata = pl.read_parquet_metadata(path)
        # Polars writes its own, that of the new rows
        metadata.pop("ARROW:schema", None)
        frame.lazy().sink_parquet(part, compression="zstd", metadata=metadata)
    else:
        tables = {path.stem: frame.lazy().collect()}
        (write,) = table_writers(tables, "csv", {}, workbook="").values()
        write(part)
    shutil.copymode(path, part)


def _write_manifest(
    path: Path,
    removed: Removed,
    checksums: Mapping[str, Checksum],
    part: Path,
) -> None:
    values = json.loads(path.read_bytes())
    for table_name, table in values["tables"].items():
        table["rows"] -= removed.get(table_name, 0)
    for table_name in NOT_ALWAYS:
        # of misfits the manifest counts what was unread, of which files hold but a part
        values[table_name] = max(0, values[table_name] - removed.get(table_name, 0))
    values.setdefault("files", {}).update(checksums)
    content = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    part.write_bytes(content.encode())
    shutil.copymode(path, part)
