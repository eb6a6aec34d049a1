"""What was fetched or exported before, read back from its folder with all that was known of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, overload

import polars as pl

from crmlab.display import listed
from crmlab.errors import UsageError
from crmlab.forks import check_threads
from crmlab.results import manifest
from crmlab.results.checksums import differs
from crmlab.results.export import read_cells
from crmlab.results.fetched import NOT_ALWAYS, SUMMARY, Fetched, Stored
from crmlab.results.manifest import Manifest
from crmlab.schema import TABLES, Asked, TimeLike, instant

#: formats that can be read back, the better one first
_READ = ("parquet", "csv")
_REJECTED = ("provider", "account", "resource", "reason", "raw")


@overload
def open(
    folder: str | Path,
    *,
    lazy: Literal[False],
    as_of: TimeLike | None = None,
) -> Fetched: ...


@overload
def open(
    folder: str | Path,
    *,
    lazy: Literal[True],
    as_of: TimeLike | None = None,
) -> Stored: ...


@overload
def open(
    folder: str | Path,
    *,
    lazy: None = None,
    as_of: TimeLike | None = None,
) -> Fetched | Stored: ...


def open(
    folder: str | Path,
    *,
    lazy: bool | None = None,
    as_of: TimeLike | None = None,
) -> Fetched | Stored:
    """Return what a folder holds, as `fetch_to`, `export` or the command line wrote it: with period, time and failures.

    Parameters
    ----------
    folder
        With files in Parquet or CSV. Of tables that are there in both, Parquet is read. In CSV, columns that no
        shared table has, and a service's own records, come back as text.
    lazy
        True: a `Stored`, whose tables are read when they are needed (Parquet only). False: a `Fetched`, all in memory.
        None: a `Stored` where the files are Parquet.
    as_of
        The day or time of the fetch, where neither the files nor ``crmlab.json`` tell it. Such a folder counts as
        holding everything.

    A file that somebody changed or replaced since is read as it is, and the note of its table in the summary says so.
    A table whose file was removed is left out, and the summary says that it is not complete.
    Of lazy tables, a file that has the size and the time that it was written with is not read for that. Whether the
    files are masked is said by `is_masked`.

    Raises
    ------
    UsageError
        There is nothing to read, the files are not all of one fetch, or their time is not known and `as_of` is missing;
        or it is known, and `as_of` is another one.

    Examples
    --------
    >>> import crmlab
    >>> import polars as pl
    >>> deals = crmlab.table("deals", pl.DataFrame({"id": ["1"], "status": ["won"]}), provider="salesforce")
    >>> files = crmlab.collect(deals=deals, as_of="2026-01-31").export("out")
    >>> data = crmlab.open("out", lazy=False)  # in memory; else its tables are lazy frames
    >>> data.fetched_at.date().isoformat(), data.deals["status"].to_list()
    ('2026-01-31', ['won'])
    """
    check_threads()
    place = Path(folder)
    told = manifest.read(place)
    format = _format(place, told)
    if lazy and format != "parquet":
        raise UsageError(f"{place} holds CSV, which cannot be read lazily: leave lazy out")
    files = _files(place, format, told)
    asked = _asked(place, files, told, instant(as_of, "as_of"))

    is_lazy = format == "parquet" if lazy is None else lazy
    account: dict[str, Any] = {
        **_account(place, format),
        "asked": asked,
        "is_masked": _is_masked(files, told),
        "failures": (),
    }
    if told:
        account["failures"] = told.failures
        account["summary"] = _with_changes(
            account["summary"], place, told, format, trust_time=is_lazy
        )
    if is_lazy:
        return _stored(files, account, place)
    read_file = _reader(format)
    tables = {table: read_file(table, file_path) for table, file_path in files.items()}
    heights = {table: frame.height for table, frame in tables.items()}
    _refuse_other_heights(place, heights, told)
    return Fetched(tables, heights=heights, **account)


def tells_time(folder: str | Path) -> bool:
    """Return whether anything in a folder tells when its tables were fetched: the manifest, or a Parquet file.

    Raises
    ------
    UsageError
        One of them cannot be read.
    """
    folder_path = Path(folder)
    if manifest.read(folder_path):
        return True
    table_paths = manifest.table_files(folder_path, "parquet").values()
    return any(map(manifest.asked_of, table_paths))


def _stored(
    files: Mapping[str, Path],
    account: Mapping[str, Any],
    place: Path,
) -> Stored:
    # a folder whose name has a "*" or a "[" in it is no pattern
    scans = {table: pl.scan_parquet(file_path, glob=False) for table, file_path in files.items()}
    heights = {}
    for table, lazy_frame in scans.items():
        heights[table] = lazy_frame.select(pl.len()).collect().item()
    _refuse_other_heights(place, heights, manifest.read(place))
    stored = Stored(scans, heights=heights, **account)
    files_beside = manifest.named_files(place, ("summary", *sorted(NOT_ALWAYS)), "parquet")
    stored.paths = {**files, **files_beside}
    return stored


def _format(place: Path, told: Manifest | None) -> str:
    """Return the best format that is there."""
    formats_told = told.formats if told else _READ
    for format in _READ:
        if format in formats_told and (place / f"summary.{format}").exists():
            return format

    # nothing can be read: what else the folder is says why, and what to do
    if (place / manifest.WORKBOOK).exists():
        raise UsageError(
            f"{place} holds a workbook, which cannot be read back: export parquet or csv"
        )
    if (place / "state" / "_delta_log").is_dir():
        raise UsageError(
            f"{place} is a lake: crmlab.Lake(place).open() reads it, and its .collect() into memory. On the command "
            "line, crmlab refresh has --report, and crmlab lake has erase"
        )
    raise UsageError(
        f"{place} holds no summary.parquet or summary.csv, which a fetch writes beside its tables"
    )


def _files(
    place: Path,
    format: str,
    told: Manifest | None,
) -> dict[str, Path]:
    """Return the file of each table."""
    # a service's own records are known by the manifest alone
    names = told.tables if told else TABLES
    files = manifest.named_files(place, names, format)
    if not files:
        raise UsageError(
            f"{place} holds no table: fetch into it first, with crmlab.fetch_to or crmlab fetch"
        )
    return files


def _asked(
    place: Path,
    files: Mapping[str, Path],
    told: Manifest | None,
    as_of: dt.datetime | None,
) -> Asked:
    """Return what was asked, as all files and the manifest say alike.

    Raises
    ------
    UsageError
        They say different things, or nothing.
    """
    said_by_files = {}
    for file_path in files.values():
        if file_path.suffix == ".parquet":
            said_by_files[file_path.name] = manifest.asked_of(file_path)
    asked = told.asked if told else next(filter(None, said_by_files.values()), None)
    if asked is None:
        if as_of is None:
            raise UsageError(
                f"nothing in {place} tells when it was fetched: say so, with as_of='2026-01-31' or --as-of 2026-01-31"
            )
        return Asked(fetched_at=as_of, tables=tuple(files))

    others = []
    for file_name, said_by_file in said_by_files.items():
        # beside a manifest, a file that says nothing of itself is known by its rows
        is_known_by_rows = told is not None and not said_by_file
        if said_by_file != asked and not is_known_by_rows:
            others.append(file_name)
    if others:
        raise UsageError(
            f"the files in {place} are not of one fetch: {listed(others)} of another period, time or accounts than "
            "the rest. Fetch all of them again, into another folder"
        )
    if as_of is not None and as_of != asked.fetched_at:
        raise UsageError(
            f"{place} was fetched at {asked.fetched_at:%Y-%m-%d %H:%M} UTC: leave as_of out"
        )
    return asked


def _is_masked(files: Mapping[str, Path], told: Manifest | None) -> bool:
    """Return whether the manifest says that the files are masked; without one, whether a Parquet file does."""
    if told:
        return told.is_masked
    parquet_files = [path for path in files.values() if path.suffix == ".parquet"]
    return any(map(manifest.says_masked, parquet_files))


def _with_changes(
    summary: pl.DataFrame,
    place: Path,
    told: Manifest,
    format: str,
    *,
    trust_time: bool,
) -> pl.DataFrame:
    """Return the summary with a note on each table whose file was changed or removed since crmlab wrote it.

    A table that was removed is not complete. With `trust_time`, only files that were written since are read for that.
    """
    of_table = {}
    of_all = []
    removed_tables = []
    for file_name, checksum in told.files.items():
        file_path = place / file_name
        if not file_name.endswith(f".{format}"):
            continue
        if not file_path.exists():
            said = f"{file_name} was removed after crmlab wrote it"
            removed_tables.append(file_path.stem)
        elif differs(file_path, checksum, trust_time=trust_time):
            said = f"{file_name} was changed after crmlab wrote it"
        else:
            continue
        # the summary, rejected records and misfits are of no table
        if file_path.stem in told.tables:
            of_table[file_path.stem] = said
        else:
            of_all.append(said)

    about_table = pl.col("table").replace_strict(of_table, default=None, return_dtype=pl.String)
    note_parts = [pl.col("note").replace("", None), about_table, *map(pl.lit, of_all)]
    note = pl.concat_str(note_parts, separator="; ", ignore_nulls=True)
    is_there = ~pl.col("table").is_in(removed_tables)
    return summary.with_columns(note=note, complete=pl.col("complete") & is_there)


def _refuse_other_heights(
    place: Path,
    heights: Mapping[str, int],
    told: Manifest | None,
) -> None:
    """Refuse files that somebody has replaced since."""
    if told is None:
        return
    changed = [table for table, height in heights.items() if height != told.tables[table]]
    if changed:
        raise UsageError(
            f"{listed(changed)} in {place} has other rows than {manifest.FILE} says: the files are not of one fetch. "
            "Fetch all of them again, into another folder"
        )


def _account(place: Path, format: str) -> dict[str, pl.DataFrame]:
    """Return what stands beside the tables: the summary, and what did not fit."""
    read_file = _reader(format)
    account = {
        "summary": _with_all_columns(read_file("summary", place / f"summary.{format}")),
        # a fetch that rejected nothing writes no such file
        "rejected": pl.DataFrame(schema=dict.fromkeys(_REJECTED, pl.String)),
    }
    for name, path in manifest.named_files(place, NOT_ALWAYS, format).items():
        account[name] = read_file(name, path)
    return account


def _with_all_columns(summary: pl.DataFrame) -> pl.DataFrame:
    """Return the summary with the columns of today, null where an earlier version did not write them."""
    nulls = []
    for column, dtype in SUMMARY.items():
        if column not in summary.columns:
            nulls.append(pl.lit(None, dtype).alias(column))
    return summary.with_columns(nulls).select(*SUMMARY)


def _reader(format: str) -> Callable[[str, Path], pl.DataFrame]:
    """Return what reads a file of that format, by the name of what it holds."""
    if format == "parquet":
        return _parquet
    return _csv


def _parquet(name: str, path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        raise UsageError(f"{path} cannot be read as Parquet") from None


def _csv(name: str, path: Path) -> pl.DataFrame:
    """Return a table as it was; columns that no shared table has, and a service's own records, are text."""
    if name == "summary":
        return read_cells(path, SUMMARY)
    if name in TABLES:
        return read_cells(path, TABLES[name].schema)
    return read_cells(path, {})
