"""Tables as Parquet files that grow while a fetch runs, so that no table needs to fit in memory."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

import polars as pl

from crmlab.tables import TABLES

#: rows of a part: few enough for little memory, enough for row groups that read fast
PART = 100_000


class Store:
    """Files in a folder: parts while they grow, one file for each table at the end.

    Use as a context manager: what is left of the parts goes away with it, and a table's file from an
    earlier fetch is only replaced by a whole new one.
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._parts = Path(tempfile.mkdtemp(prefix=".parts-", dir=self._directory))
        self._tables: dict[str, _Growing] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._parts)

    def put(self, table: str, source: str, frame: pl.DataFrame, key: pl.Expr) -> None:
        """Add rows of an account and resource; from any thread. `key` makes a record one of its kind."""
        with self._lock:
            if table not in self._tables:
                folder = self._parts / table
                folder.mkdir()
                self._tables[table] = _Growing(folder, keeps_newest=table in TABLES)
            growing = self._tables[table]
        growing.add(source, frame, key)

    def close(self) -> dict[str, Path]:
        """Write what is left, drop repeated rows, and return the file of each table."""
        return {name: growing.write(self._directory / f"{name}.parquet") for name, growing in self._tables.items()}

    def height(self, table: str) -> int:
        """Return the rows of a table's file, after `close`."""
        return sum(self._tables[table].rows.values())

    def heights(self, source: str) -> dict[str, int]:
        """Return the rows of each file that came from there, after `close`."""
        return {name: growing.rows[source] for name, growing in self._tables.items() if source in growing.rows}


class _Growing:
    """One table. What is kept in memory of a row that is written: the hash of its key, and its source."""

    def __init__(self, folder: Path, *, keeps_newest: bool) -> None:
        self._folder, self._keeps_newest = folder, keeps_newest
        self._lock = threading.Lock()
        self._buffer: list[pl.DataFrame] = []
        self._files: list[Path] = []
        self._keys: list[pl.DataFrame] = []
        self._sources: dict[str, int] = {}
        self.rows: dict[str, int] = {}

    def add(self, source: str, frame: pl.DataFrame, key: pl.Expr) -> None:
        with self._lock:
            number = self._sources.setdefault(source, len(self._sources))
            # of one source: ids of two resources may be the same by chance
            whole = pl.struct(key.alias("key"), source=pl.lit(number, pl.UInt16))
            hashes = frame.select(key=pl.when(key.is_not_null()).then(whole.hash()), source=pl.lit(number, pl.UInt16))
            self._keys.append(hashes)
            self._buffer.append(frame)
            if sum(part.height for part in self._buffer) >= PART:
                self._write_part()

    def write(self, path: Path) -> Path:
        """Make one file of the parts, in which no row is repeated."""
        self._write_part()
        rows = pl.concat(self._keys).with_row_index("row")
        self._keys.clear()
        if self._keeps_newest:
            frame = pl.scan_parquet(self._files)
        else:  # a provider's own records: accounts may have different fields
            frame = pl.concat([pl.scan_parquet(path) for path in self._files], how="diagonal")
        if repeated := self._repeated(rows, frame):
            rows = rows.filter(~pl.col("row").is_in(repeated))
            frame = frame.with_row_index("row").filter(~pl.col("row").is_in(repeated)).drop("row")
        counts = dict(rows["source"].value_counts().iter_rows())
        self.rows = {source: counts.get(number, 0) for source, number in self._sources.items()}
        partial = self._folder / "whole"
        frame.sink_parquet(partial)
        return partial.replace(path)

    def _write_part(self) -> None:
        if not self._buffer and self._files:
            return
        path = self._folder / f"{len(self._files):06}.parquet"
        pl.concat(self._buffer, how="diagonal").write_parquet(path)
        self._files.append(path)
        self._buffer.clear()

    def _repeated(self, rows: pl.DataFrame, frame: pl.LazyFrame) -> list[int]:
        """Return the rows to leave out: of each key all but what was changed last, or came last."""
        ordered = rows["key"].drop_nulls().sort()
        keys = ordered.filter(ordered == ordered.shift(1)).unique()
        if keys.is_empty():
            return []
        several = rows.filter(pl.col("key").is_in(keys.implode()))
        if self._keeps_newest:
            times = frame.select("modified_at").with_row_index("row")
            times = times.filter(pl.col("row").is_in(several["row"].implode()))
            several = several.join(times.collect(engine="streaming"), on="row", maintain_order="left")
            several = several.sort("modified_at", nulls_last=False, maintain_order=True)
        return several.filter(~pl.col("key").is_last_distinct())["row"].to_list()
