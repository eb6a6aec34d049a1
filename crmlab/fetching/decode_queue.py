"""Records become frames while others arrive: decoded in batches, in other threads, few at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import polars as pl
from msgspec.structs import replace

from crmlab.connector import Resource
from crmlab.decoding import (
    MAX_KEPT,
    MISFIT_KEYS,
    MISFITS,
    RAW,
    REJECTED,
    Decoded,
    Decoder,
    Record,
    unknown_fields,
)
from crmlab.fetching.completeness import KEYS
from crmlab.fetching.conflicts import LargePage, conflicts, conflicts_on_a_page
from crmlab.fetching.crawl import ended, look_at
from crmlab.fetching.faults import FAULTS, internal_error
from crmlab.fetching.keyless import with_keys
from crmlab.schema import KEY, TABLES, repeats_rows

#: bytes decoded at once: enough to make the reader's fixed cost small, few enough to start early
BATCH = 2_500_000
#: where so many bytes are fewer records than this, there may be twice as many bytes: a batch costs as much beside its
#: records as some five hundred of them
BATCH_RECORDS = 2_000
#: a page of so many batches is not decoded as one
LARGE_PAGE = 3
#: records of a batch at most: the smallest take some hundred bytes each, whatever their text is
MAX_RECORDS = 12_500
#: batches that may wait to be decoded before no more is asked for
MAX_WAITING = 4
#: records of a batch, evenly spread, looked at for fields that nobody documented
SAMPLE = 10

#: what is done with a decoded frame, in a thread: the table's name (`RAW`: the own records), the frame
Keep = Callable[[str, pl.DataFrame, int], None]


class Backpressure:
    """What a fetch has still to decode: a thread for each core, and few batches in line for them.

    Parameters
    ----------
    max_waiting
        Batches that may wait to be decoded before no more is asked for.
    batch_bytes, batch_records
        How much is decoded at once: so many bytes, of fewer records up to twice as many.
    """

    def __init__(
        self,
        *,
        max_waiting: int = MAX_WAITING,
        batch_bytes: int = BATCH,
        batch_records: int = BATCH_RECORDS,
    ) -> None:
        self.batch_bytes = batch_bytes
        self._batch_records = batch_records
        self._max_waiting = max_waiting
        self._threads = asyncio.Semaphore(os.cpu_count() or 1)
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()

    def is_enough(self, size: int, records: int) -> bool:
        """Whether so many bytes of so many records are enough to be decoded."""
        wanted = self.batch_bytes
        if records < self._batch_records:
            wanted *= 2
        return size >= wanted or records >= MAX_RECORDS

    async def room(self) -> None:
        """Wait until more can be taken in."""
        await self._room.wait()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a thread."""
        self._waiting += 1
        if self._waiting >= self._max_waiting:
            self._room.clear()
        try:
            async with self._threads:
                yield
        finally:
            self._waiting -= 1
            if self._waiting < self._max_waiting:
                self._room.set()


class DecodeQueue:
    """The frames of one resource, which grow while its pages arrive.

    Parameters
    ----------
    reader
        gives the decoder, as soon as there is what it needs to know
    keep
        takes frames instead of `frames`: those that need not stay in memory
    kept
        the names that `keep` takes
    """

    def __init__(
        self,
        reader: Callable[[], Awaitable[Decoder]],
        backpressure: Backpressure,
        *,
        keep: Keep,
        kept: frozenset[str],
    ) -> None:
        self._reader = reader
        self._backpressure = backpressure
        self._keep = keep
        self._kept = kept
        self._decoder: Decoder | None = None
        #: held while the decoder is made: several batches may wait for it, and one is enough for all of them
        self._making = asyncio.Lock()
        self._buffer: list[Record] = []
        #: how many of them each page brought
        self._pages: list[int] = []
        self._size = 0
        #: keys that one page held twice, with different content
        self._conflicting: set[int] = set()
        #: those whose batches are being decoded
        self._large_pages: list[LargePage] = []
        self._tasks: list[asyncio.Task[Decoded]] = []
        self._parts: dict[str, list[pl.DataFrame]] = {}
        #: how often all was decoded that was there: once for each reading of the list
        self._reading = 0
        #: the reading of each part of the own records
        self._readings: list[int] = []
        self._rejected: list[pl.DataFrame] = []
        self._misfits: list[pl.DataFrame] = []
        self._misfit_keys: list[pl.DataFrame] = []
        #: the names of frames that lack ids or amounts, because those could not be read
        self.lacking: frozenset[str] = frozenset()
        #: fields nobody documented, in the order they were met
        self.unknown: dict[str, None] = {}
        #: fields whose column in the own records has another name, and that name
        self.renamed: dict[str, str] = {}
        #: keys that came with different content, though nothing says that they were changed meanwhile
        self.conflicts = 0
        #: words that the views cannot read, in the order they were met
        self.unknown_words: dict[str, None] = {}

    def add(self, found: Sequence[Record]) -> None:
        """Take records in; they are decoded when there are enough of them."""
        size = sum([record.size for record in found])
        if size >= LARGE_PAGE * self._backpressure.batch_bytes or len(found) >= MAX_RECORDS:
            self._add_in_parts(found)
            return
        self._buffer += found
        self._pages.append(len(found))
        self._size += size
        if self._backpressure.is_enough(self._size, len(self._buffer)):
            self._start()

    def _add_in_parts(self, found: Sequence[Record]) -> None:
        """Decode a large page in several batches: what one takes in memory is many times its size."""
        if self._buffer:
            self._start()
        page = LargePage()
        self._large_pages.append(page)
        for record in found:
            self._buffer.append(record)
            self._size += record.size
            if self._backpressure.is_enough(self._size, len(self._buffer)):
                self._start_part(page)
        if self._buffer:
            self._start_part(page)

    def _start_part(self, page: LargePage) -> None:
        self._pages.append(len(self._buffer))
        self._start(page)

    async def flush(self) -> pl.DataFrame:
        """Decode all that is there; return the keys of what came since the last time."""
        self._start()
        decoding = asyncio.gather(*self._tasks)
        decoding.add_done_callback(look_at)
        batches = await ended(decoding)  # a stop must not cost what came
        del self._tasks[: len(batches)]  # more may have come with the answers of another resource
        for batch in batches:  # in the order of their arrival
            if batch.rejected.height:
                self._rejected.append(batch.rejected)
            self._take_misfits(batch)
            for frame_name, frame in batch.frames.items():
                self._parts.setdefault(frame_name, []).append(frame)
                if frame_name == RAW:
                    self._readings.append(self._reading)
        for page in self._large_pages:
            self._conflicting |= page.conflicting()
        self._large_pages = []
        self.conflicts = max(self.conflicts, len(self._conflicting))
        self._reading += 1
        return pl.concat([pl.DataFrame(schema=KEYS), *(batch.keys for batch in batches)])

    def cancel(self) -> None:
        """Stop what is still being decoded."""
        for task in self._tasks:
            task.cancel()

    @property
    def rejected(self) -> pl.DataFrame:
        """Records that did not fit, each once."""
        if not self._rejected:
            return pl.DataFrame(schema=REJECTED)
        return pl.concat(self._rejected).unique(maintain_order=True)

    @property
    def misfits(self) -> pl.DataFrame:
        """Values that could not be read, each once, `MAX_KEPT` of a field at most."""
        if not self._misfits:
            return pl.DataFrame(schema=MISFITS)
        different_misfits = pl.concat(self._misfits).unique(maintain_order=True)
        return different_misfits.filter(pl.int_range(pl.len()).over("field") < MAX_KEPT)

    @property
    def misfit_counts(self) -> dict[str, int]:
        """How many values of each field could not be read, those included that are not kept."""
        if not self._misfit_keys:
            return {}
        counts = self._counted().filter(pl.col("table") == "").select("field", "count")
        return dict(counts.iter_rows())

    @property
    def unread_counts(self) -> dict[str, int]:
        """How many values each table lacks, because they could not be read."""
        if not self._misfit_keys:
            return {}
        of_tables = self._counted().filter(pl.col("table") != "")
        counts = of_tables.group_by("table").agg(pl.col("count").sum())
        return dict(counts.iter_rows())

    def _counted(self) -> pl.DataFrame:
        misfit_keys = pl.concat(self._misfit_keys)
        return misfit_keys.group_by("table", "field", maintain_order=True).agg(
            count=pl.col("key").n_unique().cast(pl.Int64)
        )

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return the tables without repeats: of each key what was changed last (of equals, what came last)."""
        frames: dict[str, pl.DataFrame] = {}
        for frame_name in [*self._parts]:
            # let go of before the next is joined: both together would be there twice
            frame_parts = self._parts.pop(frame_name)
            frames[frame_name] = self._distinct(frame_name, frame_parts).rechunk()
        return frames

    def _take_misfits(self, batch: Decoded) -> None:
        if batch.misfits.height:
            self._misfits.append(batch.misfits)
        if batch.misfit_keys.height:
            self._misfit_keys.append(batch.misfit_keys)
        self.lacking |= batch.lacking

    def _distinct(self, name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
        # in one piece: rows of hundreds of pieces are compared in twice the time
        all_rows = pl.concat(parts, rechunk=True)
        if name in TABLES:
            if not repeats_rows(all_rows):
                return all_rows
            self.conflicts = max(self.conflicts, conflicts(all_rows, pl.struct(KEY)))
            return _newest(all_rows)
        if name == RAW and self._decoder:
            record_key = self._decoder.resource.key
            if all_rows.select(record_key).to_series().n_unique() == all_rows.height:
                return all_rows  # as nearly always: to leave nothing out would copy all of it
            self.conflicts = max(self.conflicts, conflicts(all_rows, record_key))
            readings: list[pl.Series] = []
            for frame_part, number in zip(parts, self._readings, strict=True):
                readings.append(pl.repeat(number, frame_part.height, eager=True))
            return _each_once(all_rows, record_key, pl.concat(readings))
        return all_rows.unique(maintain_order=True)

    def _start(self, large_page: LargePage | None = None) -> None:
        records = self._buffer
        page_heights = self._pages
        self._buffer = []
        self._pages = []
        self._size = 0
        if not records and self._decoder:
            return
        # once for an empty list as well: its tables are empty frames
        decoding = self._decode(records, page_heights, self._reading, large_page)
        task = asyncio.create_task(decoding)
        # what is cancelled, or fails elsewhere before, asks for no result
        task.add_done_callback(look_at)
        self._tasks.append(task)

    async def _decode(
        self, found: list[Record], sizes: list[int], reading: int, large_page: LargePage | None
    ) -> Decoded:
        async with self._making:
            reader = self._decoder = self._decoder or await self._reader()
        async with self._backpressure.turn():
            decoded, strange, unread_words, conflicting = await asyncio.to_thread(
                self._decoded, reader, found, sizes, reading, large_page
            )
        self.unknown |= dict.fromkeys(strange)
        self.unknown_words |= dict.fromkeys(unread_words)
        self.renamed |= reader.renamed
        self._conflicting |= conflicting
        self.conflicts = max(self.conflicts, len(self._conflicting))
        return decoded

    def _decoded(
        self,
        reader: Decoder,
        found: list[Record],
        sizes: list[int],
        reading: int,
        large_page: LargePage | None,
    ) -> tuple[Decoded, list[str], list[str], frozenset[int]]:
        unread_words: list[str] = []
        try:
            decoded = reader(found)
            unread = _unread_words(reader.resource, decoded.frames)
            if unread is not None:
                unread_words = unread["word"].unique(maintain_order=True).to_list()
                counted = pl.concat([decoded.misfit_keys, unread.select(*MISFIT_KEYS)])
                decoded = replace(decoded, misfit_keys=counted)
        except FAULTS as fault:  # costs this batch, and none of the others
            decoded = reader.reject(found, str(internal_error(fault)))
        other_frames = dict(decoded.frames)
        # looked for in every list, before the keys of those are let go of whose records nobody counts
        conflicting = conflicts_on_a_page(decoded.keys["key"], found, sizes)
        if large_page:
            large_page.take(decoded.keys["key"], found)
        record_keys = decoded.keys
        if not reader.resource.checks_completeness:
            record_keys = record_keys.clear()
        for frame_name in self._kept.intersection(other_frames):
            self._keep(frame_name, other_frames.pop(frame_name), reading)
        sample = found[:: max(1, len(found) // SAMPLE)]
        strange = unknown_fields(reader.resource, reader.known, sample)
        return (
            replace(decoded, frames=other_frames, keys=record_keys),
            strange,
            unread_words,
            conflicting,
        )


def _unread_words(resource: Resource, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Return the service's words that the resource's views cannot read, and what they are counted by: their row."""
    unread: list[pl.DataFrame] = []
    for table, expression in resource.unknown_words.items():
        if table not in frames:
            continue
        table_words = frames[table].select("id", word=expression).drop_nulls("word")
        if table_words.is_empty():
            continue
        counted_by = {
            "table": pl.lit(table),
            "field": pl.lit("word"),
            "key": pl.col("id").hash(),
        }
        unread.append(table_words.select(**counted_by, word="word"))
    if not unread:
        return None
    return pl.concat(unread)


def _each_once(frame: pl.DataFrame, key: pl.Expr, reading: pl.Series) -> pl.DataFrame:
    """Return own records without repeats; `reading` says in which reading of the list each came."""
    if not frame.select(key.is_null().any()).item():
        return frame.filter(key.is_last_distinct())
    record_hashes = frame.select(
        key=pl.when(key.is_not_null()).then(key.hash()),
        content=pl.struct(pl.all()).hash(),
        source=pl.lit(0, pl.UInt16),
        reading=reading,
    )
    return frame.filter(with_keys(record_hashes)["key"].is_last_distinct())


def _newest(frame: pl.DataFrame) -> pl.DataFrame:
    # only what tells them apart is sorted: whole rows would be copied
    row_versions = frame.select(*KEY, "modified_at", row=pl.int_range(pl.len()))
    row_versions = row_versions.sort("modified_at", maintain_order=True, nulls_last=False)
    is_kept = row_versions.with_columns(kept=pl.struct(KEY).is_last_distinct()).sort("row")["kept"]
    return frame.filter(is_kept)
