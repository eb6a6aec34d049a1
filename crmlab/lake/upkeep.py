"""What keeps a lake small: files brought together, and what is superseded for long removed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl

from crmlab.lake import state as states
from crmlab.lake.place import STATE, Place, again, writing
from crmlab.lake.state import State
from crmlab.lake.table import LakeTable
from crmlab.lake.unread import UNREAD, UnreadTable
from crmlab.lake.versions import IS_CURRENT, MISSED_AT, VALID_TO
from crmlab.schema import TABLES

#: files of a commit that is not made yet are younger: a writer needs minutes for a commit, and gets a day
WRITERS_NEED = dt.timedelta(days=1)
_VACUUMED = {
    "table": pl.String(),
    "versions": pl.Int64(),
    "files": pl.Int64(),
}
_COMPACTED = {
    "table": pl.String(),
    "files_before": pl.Int64(),
    "files_after": pl.Int64(),
}


def parts_of(known: State, place: Place) -> dict[str, LakeTable | UnreadTable]:
    """Return the tables of a lake by name, but for the one that says what it knows."""
    parts: dict[str, LakeTable | UnreadTable] = {}
    for table_name in known.versions:
        if table_name in TABLES:
            parts[table_name] = LakeTable(place, table_name, known.lake)
        elif table_name in UNREAD:
            parts[table_name] = UnreadTable(place, table_name, known.lake)
    return parts


def all_parts(known: State, place: Place) -> dict[str, LakeTable | UnreadTable]:
    """Return the tables by name, those included in which a refresh that was killed left rows that nobody can read."""
    parts = parts_of(known, place)
    for table_name in (*TABLES, *UNREAD):
        part: LakeTable | UnreadTable = LakeTable(place, table_name, known.lake)
        if table_name in UNREAD:
            part = UnreadTable(place, table_name, known.lake)
        if table_name not in parts and part.exists():
            parts[table_name] = part
    return parts


def publish(place: Place) -> State:
    """Let readers see all tables as they are now, and return what the lake knows then.

    What a refresh has written that was killed becomes visible with it: these rows are true, and nothing is taken for
    known up to their time.
    """

    def update(known: State) -> State:
        versions = dict(known.versions)
        heights = dict(known.heights)
        for table_name, table in parts_of(known, place).items():
            version = table.open().version()
            versions[table_name] = version
            if isinstance(table, LakeTable):
                heights[table_name] = table.current_rows(version)
        return replace(known, versions=versions, heights=heights)

    return states.commit(place, update)


def compact(place: Place) -> pl.DataFrame:
    """Bring the files of each table together; see `Lake.compact`."""
    known = states.read(place)
    report = []
    for table_name, table in parts_of(known, place).items():
        files_before, files_after = _compact(place, table.path)
        report.append((table_name, files_before, files_after))
    files_before, files_after = _compact(place, STATE)
    report.append((STATE, files_before, files_after))
    # readers open the versions that the state names: they see the new files from here on
    publish(place)
    return pl.DataFrame(report, schema=_COMPACTED, orient="row")


def _compact(place: Place, path: str) -> tuple[int, int]:
    def once() -> tuple[int, int]:
        table = place.open(path)
        files_before = len(table.file_uris())
        options = writing(transaction_of(table, path), path)
        with place.in_words(path):
            table.optimize.compact(**options)
            # a reader then needs no entry of the log that is older
            table.create_checkpoint()
        return files_before, len(table.file_uris())

    return again(once)


def transaction_of(table: Any, path: str) -> int:
    """Return the number that the next commit has; that of the newest state names its row, so it stays there."""
    if path == STATE:
        return int(table.transaction_version("crmlab") or 0)
    return int(table.version()) + 1


def vacuum(place: Place, keep: dt.timedelta, now: dt.datetime) -> pl.DataFrame:
    """Remove what is superseded for longer than that, and the files that nothing needs; see `Lake.vacuum`."""
    known = states.read(place)
    limit = now - keep

    def update(known: State) -> State:
        return replace(known, kept_since=max(limit, known.kept_since or limit))

    # first of all: what is told from now on is there, also where this is killed in the middle
    states.commit(place, update)
    paths = {}
    deleted_versions = {}
    for table_name, table in parts_of(known, place).items():
        paths[table_name] = table.path
        if isinstance(table, UnreadTable):
            # values that were not read are told as long as their list was not read whole again: for good, if need be
            deleted_versions[table_name] = 0
        else:
            deleted_versions[table_name] = _delete_superseded(place, table, limit)
    paths[STATE] = STATE
    deleted_versions[STATE] = _forget(place, limit)
    # before the files go: readers must not be told of versions that need them
    publish(place)
    report = []
    for table_name, path in paths.items():
        removed_files = remove_files(place, path, WRITERS_NEED)
        report.append((table_name, deleted_versions[table_name], removed_files))
    return pl.DataFrame(report, schema=_VACUUMED, orient="row")


def _delete_superseded(place: Place, table: LakeTable, before: dt.datetime) -> int:
    """Delete versions that others took the place of before that; what was missed stays, to be told of."""
    is_old = f"{IS_CURRENT} = false AND {MISSED_AT} IS NULL AND {VALID_TO} < {_sql(before)}"
    return delete(place, table.path, is_old)


def _forget(place: Place, before: dt.datetime) -> int:
    """Remove what the lake knew of itself before that; the newest of it is what it knew then, and stays."""
    all_states = place.scan(place.open(STATE))
    states_before = all_states.filter(pl.col("at") < before)
    numbers = states_before.select("seq").collect()
    newest = numbers["seq"].max()
    if not isinstance(newest, int):
        return 0
    return delete(place, STATE, f"seq < {newest}")


def delete(place: Place, path: str, predicate: str) -> int:
    """Delete rows, and return how many they were."""

    def once() -> int:
        table = place.open(path)
        options = writing(transaction_of(table, path), path)
        with place.in_words(path):
            metrics = table.delete(predicate, **options)
        return int(metrics["num_deleted_rows"] or 0)

    return again(once)


def remove_files(
    place: Place,
    path: str,
    age: dt.timedelta,
    *,
    orphans: bool = True,
) -> int:
    """Remove the files that no version needs any more which readers open, and return how many they were.

    Files that a commit has taken out go when they are out for `age`. With `orphans`, so do those that no commit knows:
    a writer that was killed left them, unless it lives and is about to commit them.
    """
    table = place.open(path)
    hours = int(age / dt.timedelta(hours=1))
    with place.in_words(path):
        removed = table.vacuum(
            retention_hours=hours,
            dry_run=False,
            enforce_retention_duration=False,
            full=orphans,
        )
    return len(removed)


def _sql(time: dt.datetime) -> str:
    """Return a time as a literal in a predicate: text becomes the type of the column that it stands beside."""
    return f"'{time.astimezone(dt.UTC).isoformat(timespec='microseconds')}'"
