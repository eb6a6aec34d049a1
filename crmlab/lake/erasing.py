"""A person taken out of a lake: of every table, every version and every file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from crmlab.lake.place import STATE, Place, again, delta, writing
from crmlab.lake.reading import stored
from crmlab.lake.state import State
from crmlab.lake.upkeep import WRITERS_NEED, parts_of, publish, remove_files
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
    place: Place, asked: str, *, region: str | None, dry_run: bool, alone: bool
) -> pl.DataFrame:
    """Take a person out of a lake; see `Lake.erase`."""

    def once() -> tuple[State, dict[str, Found]]:
        known = publish(place)
        handles = {name: each.open() for name, each in parts_of(known, place).items()}
        found = _found(place, known, handles, asked, region)
        if not dry_run:
            for name in sorted(found, key=_turn):
                with place.in_words(name):
                    _rewrite(place, handles[name], found[name])
        return known, found

    # another writer may have added something of the person meanwhile: then all is looked for again
    known, found = again(once)
    files = {} if dry_run else _remove_files(place, publish(place), alone=alone)
    lines = [_line(name, found[name], files.get(name, 0)) for name in parts_of(known, place)]
    return pl.DataFrame(lines, schema=_ERASED, orient="row")


def _turn(name: str) -> int:
    if name in _FIRST:
        return 0
    return 1 + (_LAST.index(name) + 1 if name in _LAST else 0)


def _found(
    place: Place, known: State, handles: Mapping[str, Any], asked: str, region: str | None
) -> dict[str, Found]:
    """Return by table what is held on the person, in any version."""
    data = stored(place, known)
    tables = {name: place.scan(handle) for name, handle in handles.items()}
    person = _person(data, tables, asked, region)
    return everything(tables, data.summary, person)


def _person(
    data: Stored, tables: Mapping[str, pl.LazyFrame], asked: str, region: str | None
) -> Person:
    """Return who is asked about, by all addresses and numbers that their contacts have or had."""
    if "contacts" not in tables:
        return find(data, asked, region)
    ever = tables["contacts"].sort(VALID_FROM).group_by(KEY, maintain_order=True)
    several = [
        pl.col(name).explode().drop_nulls().unique(maintain_order=True)
        for name in ("emails", "phones")
    ]
    others = [name for name in TABLES["contacts"].schema if name not in (*KEY, "emails", "phones")]
    contacts = ever.agg(*several, pl.col(others).last())
    return find(
        Stored(
            {"contacts": contacts},
            heights={},
            summary=data.summary,
            rejected=data.rejected,
            failures=(),
            asked=data.asked,
        ),
        asked,
        region,
    )


def _rewrite(place: Place, handle: Any, found: Found) -> None:
    """Write a table anew without the person, one bucket after another; the handle sees that nobody came between."""
    if not (len(found.whole) or found.parts):
        return
    rows = without(place.scan(handle), found)
    if KEY_BUCKET not in rows.collect_schema():
        _overwrite(handle, rows.collect(engine="streaming"), None)
        return
    for bucket in found.rows[KEY_BUCKET].unique().sort():
        part = rows.filter(pl.col(KEY_BUCKET) == bucket).collect(engine="streaming")
        _overwrite(handle, part, f"{KEY_BUCKET} = {bucket}")


def _overwrite(handle: Any, rows: pl.DataFrame, predicate: str | None) -> None:
    options = writing(handle.version() + 1)
    if rows.is_empty():  # an overwrite with nothing would commit nothing
        del options["writer_properties"]
        handle.delete(predicate, **options)
        return
    delta().write_deltalake(handle, rows, mode="overwrite", predicate=predicate, **options)


def _remove_files(place: Place, known: State, *, alone: bool) -> dict[str, int]:
    """Remove the files in which the person still stands: of every table, since an erasure may have been killed."""
    files = {}
    paths = {name: each.path for name, each in parts_of(known, place).items()}
    for name, path in {**paths, STATE: STATE}.items():
        if alone:
            files[name] = remove_files(place, path, _AT_ONCE)
        else:
            files[name] = remove_files(place, path, _AT_ONCE, orphans=False) + remove_files(
                place, path, WRITERS_NEED
            )
    return files


def _line(name: str, found: Found, files: int) -> tuple[object, ...]:
    values = sum(len(numbers) for _, numbers, _ in found.parts)
    ways = found.rows[FOUND_BY].str.split("; ").explode().drop_nulls().unique().sort()
    return name, len(found.whole), values, "; ".join(ways), files
