"""A person taken out of stored files: all files are written anew, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from crmlab.display import plural
from crmlab.privacy.dossier import everything
from crmlab.privacy.person import Person, find
from crmlab.privacy.search import FOUND_BY, AnyFrame, Found, without
from crmlab.results import MANIFEST, Stored, open, read_stored, rewrite, stored_files  # noqa: A004  # as crmlab.open

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
    place = Path(folder)
    by_format = stored_files(place)
    data = open(place)
    who = find(data, person, region)

    lines = []
    changed: dict[Path, AnyFrame] = {}
    removed: dict[str, int] = {}
    read_as = "parquet" if isinstance(data, Stored) else "csv"
    for format, paths in by_format.items():
        found = _found(paths, data.summary, who)
        for name, each in found.items():
            lines.append(_line(paths[name], name, each))
            if _is_something(each):
                changed[paths[name]] = without(read_stored(name, paths[name]).lazy(), each)
            if format == read_as:
                removed[name] = len(each.whole)
        if "summary" in paths:
            changed |= _summary(
                paths["summary"], {name: len(each.whole) for name, each in found.items()}
            )
    if changed and not dry_run:
        rewrite(place, changed, removed)
    lines += [(file.name, *[None] * 5) for file in _others(place, by_format)]
    return pl.DataFrame(lines, schema=_TAKEN, orient="row").sort("file")


def _found(paths: Mapping[str, Path], summary: pl.DataFrame, person: Person) -> dict[str, Found]:
    tables = {name: read_stored(name, path) for name, path in paths.items() if name != "summary"}
    return everything(tables, summary, person)


def _is_something(found: Found) -> bool:
    return bool(len(found.whole) or found.parts)


def _line(path: Path, name: str, found: Found) -> tuple[object, ...]:
    height = read_stored(name, path).lazy().select(pl.len()).collect().item()
    values = sum(len(numbers) for _, numbers, _ in found.parts)
    ways = found.rows[FOUND_BY].str.split("; ").explode().drop_nulls().unique().sort()
    return path.name, name, len(found.whole), values, height - len(found.whole), "; ".join(ways)


def _summary(path: Path, removed: Mapping[str, int]) -> dict[Path, AnyFrame]:
    """Return the summary with a note on each table that lost rows, so that its numbers can be understood."""
    lost = {
        name: f"without {plural(rows, 'row')} of a person, erased later"
        for name, rows in removed.items()
        if rows
    }
    if not lost:
        return {}
    said = (
        pl.col("table").cast(pl.String).replace_strict(lost, default=None, return_dtype=pl.String)
    )
    note = pl.concat_str(pl.col("note").replace("", None), said, separator="; ", ignore_nulls=True)
    return {path: read_stored("summary", path).lazy().with_columns(note=note)}


def _others(folder: Path, by_format: Mapping[str, Mapping[str, Path]]) -> list[Path]:
    """Return the files in the folder that were not looked into."""
    known = {folder / MANIFEST, *(path for paths in by_format.values() for path in paths.values())}
    return sorted(path for path in folder.iterdir() if path not in known)
