"""A person taken out of a lake: of every table, every version and every file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from crmlab.lake.place import STATE, Place, again, delta, writing
from crmlab.lake.reading import stored
from crmlab.lake.state import State
from crmlab.lake.upkeep import WRITERS_NEED, all_parts, publish, remove_files
from crmlab.lake.versions import KEY_BUCKET, VALID_FROM
from crmlab.privacy import FOUND_BY, Found, Person, everything, find, without
from crmlab.results import Stored
from crmlab.schema import KEY, TABLES

_ERASED = {
    "table": pl.String(),
    "rows": pl.Int64(),
    "values": pl.Int64(),
    FOUND_BY: pl.String(),
    "files": pl.Int64(),
}
#: the person is found by contacts, items by deals, and misfits by all: what others are found by goes after them, so
#: that an erasure which was killed finds the rest
_FIRST = ("misfits", "rejected", "deal_items")
_LAST = ("deals", "contacts")
_AT_ONCE = dt.timedelta(0)


def erase(
    place: Place,
    asked: str,
    *,
    region: str | None,
    dry_run: bool,
    alone: bool,
) -> pl.DataFrame:
    """Take a person out of a lake; see `Lake.erase`."""
    taken: dict[str, _Taken] = {}

    def once() -> State:
        published = publish(place)
        parts = all_parts(published, place)
        handles = {name: part.open() for name, part in parts.items()}
        # rows are taken out by their numbers: what is read stays as it is while the handles go on
        versions = {}
        for table_name, part in parts.items():
            versions[table_name] = place.scan(part.open(handles[table_name].version()))
        findings = _found(place, published, versions, asked, region)
        for table_name in sorted(findings, key=_turn):
            found = findings[table_name]
            of_table = taken.setdefault(table_name, _Taken())
            if dry_run:
                of_table.take(found, found.numbers)
                continue
            with place.in_words(table_name):
                _rewrite(handles[table_name], versions[table_name], found, of_table)
        return published

    # another writer may have added something of the person meanwhile: then all is looked for again, and what was taken
    # until then is in no table any more
    published = again(once)
    removed: dict[str, int] = {}
    if not dry_run:
        # the rewriting has made newer versions: only once readers see those may files of older ones go
        removed = _remove_files(place, publish(place), alone=alone)
    report = []
    for table_name in all_parts(published, place):
        of_table = taken[table_name]
        found_by = "; ".join(sorted(of_table.found_by))
        files = removed.get(table_name, 0)
        report.append((table_name, of_table.rows, of_table.values, found_by, files))
    return pl.DataFrame(report, schema=_ERASED, orient="row")


@dataclass(slots=True)
class _Taken:
    """What was taken out of a table, bucket by bucket."""

    rows: int = 0
    values: int = 0
    found_by: set[str] = field(default_factory=set)

    def take(self, found: Found, numbers: pl.Series) -> None:
        """Take note of what was found in the rows with these numbers."""
        rows, values = found.counts(numbers)
        self.rows += rows
        self.values += values
        reasons = found.rows.filter(found.numbers.is_in(numbers.implode()))[FOUND_BY]
        self.found_by.update(reasons.str.split("; ").explode().drop_nulls())


def _turn(name: str) -> int:
    if name in _FIRST:
        return 0
    if name in _LAST:
        return 2 + _LAST.index(name)
    return 1


def _found(
    place: Place,
    known: State,
    versions: Mapping[str, pl.LazyFrame],
    asked: str,
    region: str | None,
) -> dict[str, Found]:
    """Return by table what is held on the person, in any version."""
    # of a first refresh that was killed there are rows, and nothing that the lake tells of
    result = stored(place, known, may_be_empty=bool(versions))
    person = _person(result, versions, asked, region)
    return everything(versions, result.summary, person)


def _person(
    data: Stored,
    tables: Mapping[str, pl.LazyFrame],
    asked: str,
    region: str | None,
) -> Person:
    """Return who is asked about, by all addresses and numbers that their contacts have or had."""
    if "contacts" not in tables:
        return find(data, asked, region)
    several = ("emails", "phones")
    single = [column for column in TABLES["contacts"].schema if column not in (*KEY, *several)]
    versions = tables["contacts"].sort(VALID_FROM).group_by(KEY, maintain_order=True)
    values_in_order = pl.col(several).explode().drop_nulls()
    all_values = values_in_order.unique(maintain_order=True)
    contacts = versions.agg(all_values, pl.col(single).last())
    contacts_of_all_times = Stored(
        {"contacts": contacts},
        heights={},
        summary=data.summary,
        rejected=data.rejected,
        failures=(),
        asked=data.asked,
    )
    return find(contacts_of_all_times, asked, region)


def _rewrite(handle: Any, versions: pl.LazyFrame, found: Found, taken: _Taken) -> None:
    """Write a table anew without the person, one bucket after another; the handle sees that nobody came between."""
    if not (len(found.whole) or found.parts):
        return
    remaining = without(versions, found)
    if KEY_BUCKET not in remaining.collect_schema():
        _overwrite(handle, remaining.collect(engine="streaming"), None)
        taken.take(found, found.numbers)
        return
    # memory holds one bucket at a time, and buckets without the person keep their files
    buckets = found.rows[KEY_BUCKET]
    for bucket in buckets.unique().sort():
        of_bucket = remaining.filter(pl.col(KEY_BUCKET) == bucket)
        collected = of_bucket.collect(engine="streaming")
        _overwrite(handle, collected, f"{KEY_BUCKET} = {bucket}")
        taken.take(found, found.numbers.filter(buckets == bucket))


def _overwrite(handle: Any, rows: pl.DataFrame, predicate: str | None) -> None:
    options = writing(handle.version() + 1)
    if rows.is_empty():  # an overwrite with nothing would commit nothing
        del options["writer_properties"]
        handle.delete(predicate, **options)
        return
    delta().write_deltalake(handle, rows, mode="overwrite", predicate=predicate, **options)


def _remove_files(place: Place, known: State, *, alone: bool) -> dict[str, int]:
    """Remove the files in which the person still stands: of every table, since an erasure may have been killed."""
    removed = {}
    for table_name, table in all_parts(known, place).items():
        removed[table_name] = _remove_files_of(place, table.path, alone=alone)
    removed[STATE] = _remove_files_of(place, STATE, alone=alone)
    return removed


def _remove_files_of(place: Place, path: str, *, alone: bool) -> int:
    if alone:
        return remove_files(place, path, _AT_ONCE)
    # a young file that no commit knows may be of a writer that is about to commit it
    superseded = remove_files(place, path, _AT_ONCE, orphans=False)
    return superseded + remove_files(place, path, WRITERS_NEED)
