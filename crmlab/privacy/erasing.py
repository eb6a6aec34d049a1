"""A person taken out of stored files: all files are written anew, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from crmlab.display import plural
from crmlab.privacy.dossier import everything
from crmlab.privacy.person import Person, find
from crmlab.privacy.search import FOUND_BY, AnyFrame, Found, ways_of, without
from crmlab.results import MANIFEST, Stored, open, read_stored, rewrite, stored_files  # noqa: A004  # as crmlab.open

#: files of one format, by their tables
_Paths = Mapping[str, Path]
#: what is to be written in the place of each file
_Changed = dict[Path, AnyFrame]
_TAKEN = {
    "file": pl.String(),
    "table": pl.String(),
    "rows": pl.Int64(),
    "values": pl.Int64(),
    "rows_left": pl.Int64(),
    FOUND_BY: pl.String(),
}


def erase(
    folder: str | Path, person: str, *, region: str | None = None, dry_run: bool = False
) -> pl.DataFrame:
    """Take a person out of the stored files of a fetch, and return what was taken from which file.

    What `crmlab.about` finds is taken. A row that is the person's goes: their contacts, deals with their items,
    subscriptions, consent events, activities, misfits and rejected records. Of other rows, such as a meeting of
    several people or a note that mentions the address, only the value goes: the entry of a list, or else the whole
    text. Parquet and CSV files, the summary and ``crmlab.json`` are replaced together: where one cannot be written, all
    stay as they were.

    Not touched are the services themselves, from which the next fetch would bring the person back, spools, copies, and
    any file that crmlab cannot read back, which the answer names. A name in the text of others stays.

    Parameters
    ----------
    folder
        With files as `crmlab.fetch_to` or `Fetched.export` wrote them.
    person
        An e-mail address, a telephone number, or the key of a contact: ``"provider/account/id"``.
    region
        As of `crmlab.about`.
    dry_run
        Return what would be taken, and change nothing.

    Returns
    -------
    pl.DataFrame
        One row for each file in the folder: file, table (String), rows (Int64, that were taken), values (Int64, that
        were taken out of other rows), rows_left (Int64), found_by (String, all ways in which they were found). Of a
        file that was not looked into, all but its name is null.

    Raises
    ------
    UsageError
        As of `crmlab.about`; or there is nothing to read, a workbook, which cannot be read back, or the folder is not
        ours to write to. Nothing was changed.

    Examples
    --------
    >>> import crmlab
    >>> import polars as pl
    >>> rows = {"id": ["1", "2"], "emails": [["ann@example.com"], ["bo@example.com"]]}
    >>> contacts = crmlab.table("contacts", pl.DataFrame(rows), provider="salesforce")
    >>> calls = pl.DataFrame({"id": ["7"], "kind": ["call"], "contact_id": ["1"]})
    >>> activities = crmlab.table("activities", calls, provider="salesforce")
    >>> data = crmlab.collect(contacts=contacts, activities=activities, as_of="2026-01-31")
    >>> files = data.export("out")
    >>> would = crmlab.erase("out", "ann@example.com", dry_run=True)  # changes nothing
    >>> crmlab.erase("out", "ann@example.com").select("file", "rows", "rows_left").drop_nulls().rows()
    [('activities.parquet', 1, 0), ('contacts.parquet', 1, 1)]
    """
    folder_path = Path(folder)
    by_format = stored_files(folder_path)
    data = open(folder_path)
    known_person = find(data, person, region)

    taken: list[tuple[object, ...]] = []
    changed: _Changed = {}
    removed: dict[str, int] = {}
    read_as = "parquet" if isinstance(data, Stored) else "csv"
    for format, paths in by_format.items():
        found = _found(paths, data.summary, known_person)
        removed_here = {}
        for table, held in found.items():
            taken.append(_line(paths[table], table, held))
            removed_here[table] = len(held.whole)
        changed |= _without_person(paths, found)
        if "summary" in paths:
            changed |= _summary(paths["summary"], removed_here)
        # the same rows may lie there in both formats, and the manifest counts them once
        if format == read_as:
            removed = removed_here
    if changed and not dry_run:
        rewrite(folder_path, changed, removed)

    for path in _others(folder_path, by_format):
        taken.append((path.name, *[None] * 5))
    return pl.DataFrame(taken, schema=_TAKEN, orient="row").sort("file")


def _found(paths: _Paths, summary: pl.DataFrame, person: Person) -> dict[str, Found]:
    tables: dict[str, AnyFrame] = {}
    for table, path in paths.items():
        if table != "summary":
            tables[table] = read_stored(table, path)
    return everything(tables, summary, person)


def _without_person(paths: _Paths, found: Mapping[str, Found]) -> _Changed:
    """Return what is to be written in the place of each file that holds something of the person."""
    changed: _Changed = {}
    for table, held in found.items():
        if len(held.whole) or held.parts:
            path = paths[table]
            stored = read_stored(table, path)
            changed[path] = without(stored.lazy(), held)
    return changed


def _line(path: Path, table: str, found: Found) -> tuple[object, ...]:
    stored = read_stored(table, path).lazy()
    height = stored.select(pl.len()).collect().item()
    removed_rows = len(found.whole)
    removed_values = 0
    for _column, row_numbers, _new_value in found.parts:
        removed_values += len(row_numbers)
    left_rows = height - removed_rows
    return path.name, table, removed_rows, removed_values, left_rows, ways_of(found.rows)


def _summary(path: Path, removed: Mapping[str, int]) -> _Changed:
    """Return the summary with a note on each table that lost rows, so that its numbers can be understood."""
    notes = {}
    for table, row_count in removed.items():
        if row_count:
            notes[table] = f"without {plural(row_count, 'row')} of a person, erased later"
    if not notes:
        return {}
    table_name = pl.col("table").cast(pl.String)
    new_note = table_name.replace_strict(notes, default=None, return_dtype=pl.String)
    old_note = pl.col("note").replace("", None)
    both_notes = pl.concat_str(old_note, new_note, separator="; ", ignore_nulls=True)
    summary = read_stored("summary", path).lazy()
    return {path: summary.with_columns(note=both_notes)}


def _others(folder: Path, by_format: Mapping[str, _Paths]) -> list[Path]:
    """Return the files in the folder that were not looked into."""
    known_paths = {folder / MANIFEST}
    for paths in by_format.values():
        known_paths.update(paths.values())
    return sorted(path for path in folder.iterdir() if path not in known_paths)
