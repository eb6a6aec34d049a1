"""Tables as Parquet files that grow while a fetch runs, so that no table needs to fit in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType

import polars as pl

from crmlab.atomic_files import errors_in_words, make_folder, move_files, parts_folder
from crmlab.fetching.conflicts import conflicts, count, version
from crmlab.fetching.keyless import with_keys
from crmlab.results import Mask
from crmlab.schema import TABLES

#: rows of a part: few enough for little memory, enough for row groups that read fast
PART_ROWS = 100_000
#: of the keys that are searched for repeats one after the other, so that the search needs little memory
_SHARES = 16


class Store:
    """Files in a folder: parts while they grow, one file for each table at the end.

    Use as a context manager: what is left of the parts goes away with it. Files of an earlier fetch are
    only replaced by `publish`, all together, when the new ones are whole.

    Parameters
    ----------
    directory
        Made where it is not there.
    metadata
        What each file says of itself.
    mask
        Masks all that is written, the parts too, so that no plain value is on disk at any time.
    part_rows
        Rows of a table that are kept in memory before they are written as a part.
    """

    def __init__(
        self,
        directory: str | Path,
        metadata: Mapping[str, str] = MappingProxyType({}),
        *,
        mask: Mask | None = None,
        part_rows: int = PART_ROWS,
    ) -> None:
        self._part_rows = part_rows
        self._directory = make_folder(directory)
        self._metadata = dict(metadata)
        self._mask = mask
        self._cleanup = ExitStack()
        self._parts = self._cleanup.enter_context(parts_folder(self._directory))
        self._tables: dict[str, _Growing] = {}
        self._lock = threading.Lock()
        self._left = False

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._left = True  # threads of a cancelled fetch go on for a while
            for growing in self._tables.values():
                growing.stop()
        self._cleanup.close()

    def put(
        self, table: str, source: str, frame: pl.DataFrame, key: pl.Expr, *, reading: int = 0
    ) -> None:
        """Add rows of an account and resource; from any thread.

        `key` makes a record one of its kind, and `reading` says in which reading of its list it came.
        """
        with self._lock:
            if self._left:
                return
            if table not in self._tables:
                self._tables[table] = self._begun(table)
            growing = self._tables[table]
        with errors_in_words(self.paths[table]):
            growing.add(source, frame, key, reading)

    def _begun(self, table: str) -> _Growing:
        folder = self._parts / table
        with errors_in_words(self._directory):
            folder.mkdir()
        masked = None
        if self._mask:
            masked = partial(self._mask.frame, table)
        return _Growing(
            folder,
            self._metadata,
            keeps_newest=table in TABLES,
            masked=masked,
            part_rows=self._part_rows,
        )

    def close(self) -> None:
        """Write what is left, and drop repeated rows."""
        for table_name, growing in self._tables.items():
            with errors_in_words(self.paths[table_name]):
                growing.write()

    @property
    def paths(self) -> dict[str, Path]:
        """Where `publish` puts the file of each table."""
        return {name: self._directory / f"{name}.parquet" for name in self._tables}

    @property
    def wholes(self) -> dict[str, Path]:
        """The file of each table, after `close` and before `publish`, by the name that it is to get."""
        return {f"{name}.parquet": growing.whole for name, growing in self._tables.items()}

    def publish(
        self,
        beside: Mapping[str, Callable[[Path], None]] = MappingProxyType({}),
        *,
        obsolete: Iterable[str] = (),
    ) -> None:
        """Put the file of each table, after `close`, where an older one may stand, all together.

        Parameters
        ----------
        beside
            What writes further files, by their names.
        obsolete
            Names of files of before that would contradict the new ones.
        """
        moves = {growing.whole: self.paths[name] for name, growing in self._tables.items()}
        for file_name, write_file in beside.items():
            part_path = self._parts / file_name
            with errors_in_words(self._directory / file_name):
                write_file(part_path)
            moves[part_path] = self._directory / file_name
        move_files(moves, remove=[self._directory / file_name for file_name in obsolete])

    @property
    def replaces(self) -> bool:
        """Whether `publish` would replace files of an earlier fetch."""
        return any((self._directory / f"{name}.parquet").exists() for name in self._tables)

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each table's file, after `close`."""
        return {name: sum(growing.rows.values()) for name, growing in self._tables.items()}

    def heights(self, source: str) -> dict[str, int]:
        """Return the rows of each file that came from there, after `close`."""
        heights: dict[str, int] = {}
        for table_name, growing in self._tables.items():
            if source in growing.rows:
                heights[table_name] = growing.rows[source]
        return heights

    def conflicts(self, source: str) -> int:
        """Return how many ids came from there more than once with other content, after `close`."""
        # the same ids are in each of its tables: who finds most of them is right
        counts = [growing.conflicts[source] for growing in self._tables.values()]
        return max(counts, default=0)


class _Growing:
    """One table. What is kept in memory of a row that is written: the hashes of its key and content, and its source."""

    def __init__(
        self,
        folder: Path,
        metadata: dict[str, str],
        *,
        keeps_newest: bool,
        masked: Callable[[pl.DataFrame], pl.DataFrame] | None,
        part_rows: int,
    ) -> None:
        self._folder = folder
        self._part_rows = part_rows
        self._masked = masked
        self._metadata = metadata
        self._keeps_newest = keeps_newest
        self._lock = threading.Lock()
        self._stopped = False
        self._buffer: list[pl.DataFrame] = []
        #: the parts and their rows
        self._files: dict[Path, int] = {}
        self._keys: list[pl.DataFrame] = []
        self._sources: dict[str, int] = {}
        self._key_of: dict[str, pl.Expr] = {}
        self.whole = folder / "whole"
        self.rows: dict[str, int] = {}
        #: by source, how many keys came with different content
        self.conflicts: Counter[str] = Counter()

    def add(self, source: str, frame: pl.DataFrame, key: pl.Expr, reading: int) -> None:
        with self._lock:
            if self._stopped:
                return
            number = self._sources.setdefault(source, len(self._sources))
            in_source = pl.lit(number, pl.UInt16)
            # of one source: ids of two resources may be the same by chance
            whole_key = pl.struct(key.alias("key"), in_source.alias("source"))
            key_hash = pl.when(key.is_not_null()).then(whole_key.hash())
            self._key_of[source] = key
            hashes = {
                "key": key_hash,
                "source": in_source,
                "content": pl.struct(pl.all()).hash(),
                "reading": pl.lit(reading, pl.UInt16),
            }
            if self._masked:  # nothing can be compared once it is masked
                hashes["version"] = version(frame.columns).hash()
            self._keys.append(frame.select(**hashes))
            self._buffer.append(frame)
            if sum(buffered.height for buffered in self._buffer) >= self._part_rows:
                self._write_part()

    def stop(self) -> None:
        """Wait for what is being written, and write nothing more."""
        with self._lock:
            self._stopped = True

    def write(self) -> None:
        """Make one file of the parts, in which no row is repeated."""
        with self._lock:
            if not self._stopped:
                self._write_whole()

    def _write_whole(self) -> None:
        self._write_part()
        written_rows = with_keys(pl.concat(self._keys)).drop("reading")
        self._keys.clear()
        self._count_conflicts(written_rows)
        is_kept = self._kept(written_rows["key"])
        written_rows = written_rows.filter(is_kept)
        counts = dict(written_rows["source"].value_counts().iter_rows())
        self.rows = {source: counts.get(number, 0) for source, number in self._sources.items()}
        # a provider's own records: accounts may have different fields
        pl.concat(self._without_repeats(is_kept), how="diagonal").sink_parquet(
            self.whole, metadata=self._metadata
        )

    def _write_part(self) -> None:
        if not self._buffer and self._files:
            return
        part_path = self._folder / f"{len(self._files):06}.parquet"
        part_rows = pl.concat(self._buffer, how="diagonal")
        if self._masked:
            part_rows = self._masked(part_rows)
        part_rows.write_parquet(part_path)
        self._files[part_path] = part_rows.height
        self._buffer.clear()

    def _without_repeats(self, kept: pl.Series) -> Iterator[pl.LazyFrame]:
        first_row = 0
        for part_path, height in self._files.items():
            part_scan = pl.scan_parquet(part_path, glob=False)
            kept_here = kept[first_row : first_row + height]
            if not kept_here.all():
                numbers = kept_here.arg_true().implode()
                # no column of a record is called so: a name that is empty
                part_scan = part_scan.with_row_index("").filter(pl.col("").is_in(numbers)).drop("")
            yield part_scan
            first_row += height

    def _count_conflicts(self, rows: pl.DataFrame) -> None:
        """Look at the rows whose key came with another content as well; few at a time, as these may be many."""
        for share in range(_SHARES):
            in_share = pl.col("key") % _SHARES == share
            share_rows = rows.lazy().with_row_index("row").filter(in_share).collect()
            keys = share_rows["key"]
            if (keys ^ share_rows["content"]).n_unique() == keys.n_unique():
                continue  # each key has one content: by far the usual case
            suspects = share_rows.filter(pl.col("content").n_unique().over("key") > 1)
            for source, number in self._sources.items():
                of_source = suspects.filter(pl.col("source") == number)
                if of_source.is_empty():
                    continue
                if self._masked:
                    self.conflicts[source] += count(of_source)
                    continue
                full_rows = self._rows(of_source["row"])
                self.conflicts[source] += conflicts(full_rows, self._key_of[source])

    def _rows(self, numbers: pl.Series) -> pl.DataFrame:
        """Return the rows with these numbers, counted over all parts."""
        frames: list[pl.DataFrame] = []
        first_row = 0
        for part_path, height in self._files.items():
            in_part = (
                numbers.filter((numbers >= first_row) & (numbers < first_row + height)) - first_row
            )
            if not in_part.is_empty():
                frames.append(pl.read_parquet(part_path, glob=False)[in_part])
            first_row += height
        return pl.concat(frames, how="diagonal")

    def _kept(self, keys: pl.Series) -> pl.Series:
        """Return whether each row stays: of each key what was changed last, or came last."""
        is_kept = pl.repeat(True, len(keys), dtype=pl.Boolean, eager=True)
        modified_times: pl.Series | None = None
        for share in range(_SHARES):
            in_share = pl.col("key") % _SHARES == share
            share_rows = pl.LazyFrame([keys]).with_row_index("row").filter(in_share).collect()
            if share_rows["key"].n_unique() == share_rows.height:
                continue
            if self._keeps_newest:
                if modified_times is None:
                    part_scans = pl.scan_parquet([*self._files], glob=False)
                    modified_times = part_scans.select("modified_at").collect().to_series()
                share_rows = share_rows.with_columns(modified_times.gather(share_rows["row"]))
                share_rows = share_rows.sort("modified_at", nulls_last=False, maintain_order=True)
            repeated = share_rows.filter(~pl.col("key").is_last_distinct())
            is_kept.scatter(repeated["row"], values=False)
        return is_kept
