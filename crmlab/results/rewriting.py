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
    found = manifest.read(folder)
    names = [*(found.tables if found else TABLES), "summary", *sorted(NOT_ALWAYS)]
    files = {}
    for format in ("parquet", "csv"):
        paths = {name: folder / f"{name}.{format}" for name in names}
        files[format] = {name: path for name, path in paths.items() if path.exists()}
    return {format: paths for format, paths in files.items() if paths}


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
    return read_csv(path) if name in TABLES else _keyed(path, read_cells(path, {}))


def _scanned(path: Path) -> pl.LazyFrame:
    try:
        return _keyed(path, pl.scan_parquet(path))
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
    folder: Path, files: Mapping[Path, pl.DataFrame | pl.LazyFrame], removed: Removed
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
    named = {path.name: partial(_write, path, frame) for path, frame in files.items()}
    writers: dict[Path, Callable[[Path], object]] = {
        folder / name: write for name, write in noting(named, checksums).items()
    }
    told = folder / manifest.FILE
    if told.exists():
        writers[told] = partial(_write_manifest, told, removed, checksums)
    write_files(writers)


def _write(path: Path, frame: pl.DataFrame | pl.LazyFrame, part: Path) -> None:
    if path.suffix == ".parquet":
        said = {
            name: text
            for name, text in pl.read_parquet_metadata(path).items()
            if name != "ARROW:schema"
        }
        frame.lazy().sink_parquet(part, compression="zstd", metadata=said)
    else:
        (write,) = table_writers(
            {path.stem: frame.lazy().collect()}, "csv", {}, workbook=""
        ).values()
        write(part)
    shutil.copymode(path, part)


def _write_manifest(
    path: Path, removed: Removed, checksums: Mapping[str, Checksum], part: Path
) -> None:
    values = json.loads(path.read_bytes())
    for name, table in values["tables"].items():
        table["rows"] -= removed.get(name, 0)
    for name in NOT_ALWAYS:
        values[name] = max(0, values[name] - removed.get(name, 0))
    values.setdefault("files", {}).update(checksums)
    part.write_bytes((json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
    shutil.copymode(path, part)
