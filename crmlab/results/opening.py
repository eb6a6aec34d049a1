"""What was fetched or exported before, read back from its folder with all that was known of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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
def open(folder: str | Path, *, lazy: Literal[False], as_of: TimeLike | None = None) -> Fetched: ...


@overload
def open(folder: str | Path, *, lazy: Literal[True], as_of: TimeLike | None = None) -> Stored: ...


@overload
def open(
    folder: str | Path, *, lazy: None = None, as_of: TimeLike | None = None
) -> Fetched | Stored: ...


def open(
    folder: str | Path, *, lazy: bool | None = None, as_of: TimeLike | None = None
) -> Fetched | Stored:
    """Return what a folder holds, as `fetch_to`, `export` or the command line wrote it: with period, time and failures.

    Parameters
    ----------
    folder
        With files in Parquet or CSV. Of tables that are there in both, Parquet is read. Tables whose file was removed
        are left out. In CSV, columns that no shared table has, and a service's own records, come back as text.
    lazy
        True: a `Stored`, whose tables are read when they are needed (Parquet only). False: a `Fetched`, all in memory.
        None: a `Stored` where the files are Parquet.
    as_of
        The day or time of the fetch, where neither the files nor ``crmlab.json`` tell it. Such a folder counts as
        holding everything.

    A file that somebody changed or replaced since is read as it is, and the note of its table in the summary says so.
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
    found = manifest.read(place)
    format = _format(place, found)
    if lazy and format != "parquet":
        raise UsageError(f"{place} holds CSV, which cannot be read lazily: leave lazy out")
    files = _files(place, format, found)
    asked = _asked(place, files, found, instant(as_of, "as_of"))

    is_lazy = format == "parquet" if lazy is None else lazy
    known: dict[str, Any] = _known(place, format)
    known |= {
        "asked": asked,
        "failures": found.failures if found else (),
        "is_masked": _is_masked(files, found),
    }
    if found:
        known["summary"] = _with_changes(known["summary"], place, found, format, trust_time=is_lazy)
    if is_lazy:
        return _stored(files, known, place)
    read = _parquet if format == "parquet" else _csv
    tables = {name: read(name, path) for name, path in files.items()}
    heights = {name: frame.height for name, frame in tables.items()}
    _refuse_other_heights(place, heights, found)
    return Fetched(tables, heights=heights, **known)


def tells_time(folder: str | Path) -> bool:
    """Return whether anything in a folder tells when its tables were fetched: the manifest, or a Parquet file.

    Raises
    ------
    UsageError
        One of them cannot be read.
    """
    place = Path(folder)
    if manifest.read(place):
        return True
    return any(manifest.asked_of(path) for path in manifest.table_files(place, "parquet").values())


def _stored(files: Mapping[str, Path], known: Mapping[str, Any], place: Path) -> Stored:
    scans = {name: pl.scan_parquet(path, glob=False) for name, path in files.items()}
    heights = {name: scan.select(pl.len()).collect().item() for name, scan in scans.items()}
    _refuse_other_heights(place, heights, manifest.read(place))
    stored = Stored(scans, heights=heights, **known)
    beside = {name: place / f"{name}.parquet" for name in ("summary", *sorted(NOT_ALWAYS))}
    stored.paths = {**files, **{name: path for name, path in beside.items() if path.exists()}}
    return stored


def _format(place: Path, found: Manifest | None) -> str:
    """Return the best format that is there."""
    known = found.formats if found else _READ
    for format in _READ:
        if format in known and (place / f"summary.{format}").exists():
            return format
    if (place / manifest.WORKBOOK).exists():
        raise UsageError(
            f"{place} holds a workbook, which cannot be read back: export parquet or csv"
        )
    if (place / "state" / "_delta_log").is_dir():
        raise UsageError(
            f"{place} is a lake: crmlab.Lake(place).open() reads it, and its .collect() into memory"
        )
    raise UsageError(
        f"{place} holds no summary.parquet or summary.csv, which a fetch writes beside its tables"
    )


def _files(place: Path, format: str, found: Manifest | None) -> dict[str, Path]:
    """Return the file of each table."""
    names = found.tables if found else TABLES
    paths = {name: place / f"{name}.{format}" for name in names}
    files = {name: path for name, path in paths.items() if path.exists()}
    if not files:
        raise UsageError(
            f"{place} holds no table: fetch into it first, with crmlab.fetch_to or crmlab fetch"
        )
    return files


def _asked(
    place: Path, files: Mapping[str, Path], found: Manifest | None, as_of: dt.datetime | None
) -> Asked:
    """Return what was asked, as all files and the manifest say alike.

    Raises
    ------
    UsageError
        They say different things, or nothing.
    """
    said = {
        path.name: manifest.asked_of(path) for path in files.values() if path.suffix == ".parquet"
    }
    known = [asked for asked in said.values() if asked]
    asked = found.asked if found else next(iter(known), None)
    if asked is None:
        if as_of is None:
            raise UsageError(
                f"nothing in {place} tells when it was fetched: say so, with as_of='2026-01-31' or --as-of 2026-01-31"
            )
        return Asked(fetched_at=as_of, tables=tuple(files))

    # beside a manifest, a file that says nothing of itself is known by its rows
    others = [name for name, each in said.items() if each != asked and (each or not found)]
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


def _is_masked(files: Mapping[str, Path], found: Manifest | None) -> bool:
    """Return whether the manifest says that the files are masked; without one, whether a Parquet file does."""
    if found:
        return found.is_masked
    return any(manifest.says_masked(path) for path in files.values() if path.suffix == ".parquet")


def _with_changes(
    summary: pl.DataFrame, place: Path, found: Manifest, format: str, *, trust_time: bool
) -> pl.DataFrame:
    """Return the summary with a note on each table whose file was changed since crmlab wrote it.

    With `trust_time`, only files that were written since are read for that.
    """
    paths = {name: place / name for name in found.files if name.endswith(f".{format}")}
    there = {name: path for name, path in paths.items() if path.exists()}
    changed = [
        name
        for name, path in there.items()
        if differs(path, found.files[name], trust_time=trust_time)
    ]
    tables = [Path(name).stem for name in changed]
    about_all = [
        name for name, table in zip(changed, tables, strict=True) if table not in found.tables
    ]
    said = pl.format(f"{{}}.{format} was changed after crmlab wrote it", "table")
    notes = [
        pl.col("note").replace("", None),
        pl.when(pl.col("table").is_in(tables)).then(said),
        *(pl.lit(f"{name} was changed after crmlab wrote it") for name in about_all),
    ]
    return summary.with_columns(note=pl.concat_str(notes, separator="; ", ignore_nulls=True))


def _refuse_other_heights(place: Path, heights: Mapping[str, int], found: Manifest | None) -> None:
    """Refuse files that somebody has replaced since."""
    if found is None:
        return
    changed = [name for name, height in heights.items() if height != found.tables[name]]
    if changed:
        raise UsageError(
            f"{listed(changed)} in {place} has other rows than {manifest.FILE} says: the files are not of one fetch. "
            "Fetch all of them again, into another folder"
        )


def _known(place: Path, format: str) -> dict[str, pl.DataFrame]:
    """Return what stands beside the tables: the summary, and what did not fit."""
    read = _parquet if format == "parquet" else _csv
    summary = read("summary", place / f"summary.{format}")
    lacking = [name for name in SUMMARY if name not in summary.columns]
    known = {
        "summary": summary.with_columns(pl.lit(None, SUMMARY[name]).alias(name) for name in lacking)
    }
    known["summary"] = known["summary"].select(*SUMMARY)
    known["rejected"] = pl.DataFrame(schema=dict.fromkeys(_REJECTED, pl.String))
    for name in NOT_ALWAYS:
        path = place / f"{name}.{format}"
        if path.exists():
            known[name] = read(name, path)
    return known


def _parquet(name: str, path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        raise UsageError(f"{path} cannot be read as Parquet") from None


def _csv(name: str, path: Path) -> pl.DataFrame:
    """Return a table as it was; columns that no shared table has, and a service's own records, are text."""
    if name == "summary":
        return read_cells(path, SUMMARY)
    return read_cells(path, TABLES[name].schema if name in TABLES else {})
