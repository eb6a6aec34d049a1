"""SQL over Parquet files by DuckDB, in bounded memory: it reads the files that it is given, and nothing else.

DuckDB is an extra, which is loaded when a query is asked. It fetches and loads no extensions, sees no variable of the
program, and may open no file but those of the tables; one statement is run, and only a select. What does not fit in
memory goes to a folder for this user only, which is removed at the end.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from crmlab.errors import CrmlabError, UsageError
from crmlab.results.sql import known_tables

#: a table: its frame, its file, or its files
Source = pl.DataFrame | pl.LazyFrame | str | Path | Sequence[str | Path]
MEMORY_LIMIT = "2GB"
_MEMORY = re.compile(r"\d+(\.\d+)?\s*([KMGT]i?)?B", re.IGNORECASE)
_SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
#: functions that may stand in the place of a table: they make rows of nothing but their arguments
_FUNCTIONS = ("unnest", "range", "generate_series")
#: types that a frame does not have
_NOT_IN_FRAMES = ("INTERVAL", "UNION", "VARIANT", "TIME WITH TIME ZONE", "GEOMETRY", "BIT")
_UNKNOWN_TABLE = re.compile(r"Table with name (.*?) does not exist")


def duckdb_query(
    sql: str,
    tables: Mapping[str, Source],
    *,
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
    hive_partitioning: bool = False,
) -> pl.DataFrame:
    """Return the answer of a select over tables.

    Parameters
    ----------
    sql
        One select, in the words of DuckDB. A name with a dot stands in double quotes.
    tables
        By its name, the Parquet file or files of a table, or a frame. A frame is written to a file first.
    memory_limit
        How much memory DuckDB takes at most, such as ``"500MB"``. The answer comes on top of it.
    threads
        None: one for each core.
    hive_partitioning
        Whether folders named ``column=value`` are columns of the files in them.

    Returns
    -------
    pl.DataFrame
        Times with a zone are in UTC.

    Raises
    ------
    UsageError
        DuckDB is not installed; the text is not one select, names a table or a column that is not there, or reads
        anything but the tables; or the answer has a type that no frame has.
    CrmlabError
        It needs more memory, or more room on the disk, than there is.
    """
    duckdb = _duckdb()
    if not _MEMORY.fullmatch(memory_limit):
        raise UsageError(f"memory_limit is a size such as '2GB' or '500MB', not {memory_limit!r}")
    with TemporaryDirectory(prefix="crmlab-sql-", ignore_cleanup_errors=True) as folder:
        settings = {
            **_SETTINGS,
            "memory_limit": memory_limit,
            "threads": str(threads or os.cpu_count() or 1),
            "temp_directory": str(Path(folder) / "spilled"),
        }
        connection = duckdb.connect(":memory:", config=settings)
        try:
            _give(connection, _files(tables, Path(folder)), hive_partitioning=hive_partitioning)
            return _answer(connection, sql)
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            reason = str(error).partition("\n")[0]
            raise CrmlabError(f"DuckDB could not answer within {memory_limit}: {reason}") from None
        except duckdb.Error as error:
            raise _in_words(error, tables) from None
        finally:
            connection.close()


def _duckdb() -> Any:
    try:
        import duckdb  # noqa: PLC0415  # an extra
    except ImportError:
        raise UsageError("this needs DuckDB: pip install duckdb") from None
    return duckdb


def _files(tables: Mapping[str, Source], folder: Path) -> dict[str, list[Path]]:
    """Return the files of each table; those of frames are written into the folder."""
    files: dict[str, list[Path]] = {}
    for number, (table, source) in enumerate(tables.items()):
        if isinstance(source, (pl.DataFrame, pl.LazyFrame)):
            parquet_path = folder / f"{number}.parquet"
            source.lazy().sink_parquet(parquet_path)
            files[table] = [parquet_path]
        elif isinstance(source, (str, Path)):
            files[table] = [Path(source)]
        else:
            files[table] = [Path(parquet_path) for parquet_path in source]
    return files


def _give(
    connection: Any,
    files: Mapping[str, Sequence[Path]],
    *,
    hive_partitioning: bool,
) -> None:
    """Make a view of each table, and close every other way out."""
    allowed: list[str] = []
    for table, paths in files.items():
        patterns = []
        for path in paths:
            whole_path = str(path.absolute())
            # as a pattern, for that is what DuckDB takes it for
            pattern = _text(glob.escape(whole_path))
            patterns.append(pattern)
            allowed += [pattern, _text(whole_path)]
        view = table.replace('"', '""')
        read = f"read_parquet([{', '.join(patterns)}], hive_partitioning={hive_partitioning}, union_by_name=true)"
        connection.execute(f'create view "{view}" as select * from {read}')  # noqa: S608  # quoted
    connection.execute("set TimeZone='UTC'")
    connection.execute(f"set allowed_paths=[{', '.join(allowed)}]")
    connection.execute("set enable_external_access=false")
    # the last one: what is locked cannot be set any more
    connection.execute("set lock_configuration=true")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _answer(connection: Any, sql: str) -> pl.DataFrame:
    statements = connection.extract_statements(sql)
    kinds = [statement.type.name for statement in statements]
    if kinds != ["SELECT"]:
        said = f"there are {len(kinds)}" if len(kinds) != 1 else f"{kinds[0]} is none"
        raise UsageError(f"SQL here is one select that changes nothing: {said}")
    select = statements[0].query
    _check_functions(connection, select)
    # asked for its columns, it has read nothing yet
    relation = connection.sql(select)
    _check_columns(relation.columns, relation.types)
    return pl.DataFrame(relation)


def _check_columns(names: Sequence[str], types: Sequence[Any]) -> None:
    """Refuse an answer that no frame can hold."""
    counts = Counter(names)
    repeated = [name for name in names if counts[name] > 1]
    if repeated:
        raise UsageError(
            f"two columns of the answer are called {repeated[0]!r}: give one another name, with AS"
        )
    for name, column_type in zip(names, types, strict=True):
        # also inside lists and structures, whose type names theirs
        if any(unknown in str(column_type) for unknown in _NOT_IN_FRAMES):
            raise UsageError(
                f"{name} is of the type {column_type}, which frames do not have: cast it, as in {name}::text"
            )


def _check_functions(connection: Any, sql: str) -> None:
    """Refuse functions in the place of a table: most read files, and some change how DuckDB works."""
    ((text,),) = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise UsageError(
            "DuckDB does not show what this select reads, so it is not run: write it without PIVOT or UNPIVOT"
        )
    for name in _table_functions(tree):
        if name not in _FUNCTIONS:
            raise UsageError(f"SQL reads the tables that are there, and not {name}(...)")


def _table_functions(tree: Any) -> Iterator[str]:
    """Yield the functions that stand in the place of tables."""
    if isinstance(tree, list):
        for branch in tree:
            yield from _table_functions(branch)
    elif isinstance(tree, dict):
        if tree.get("type") == "TABLE_FUNCTION":
            yield tree["function"]["function_name"]
        yield from _table_functions([*tree.values()])


def _in_words(error: Exception, tables: Mapping[str, Source]) -> UsageError:
    first_line = str(error).partition("\n")[0]
    table = _UNKNOWN_TABLE.search(first_line)
    if table:
        return UsageError(f"unknown table {table[1]!r} in SQL; {known_tables(tables)}")
    kind = type(error).__name__
    if kind == "PermissionException":
        return UsageError(
            f"SQL reads the tables that are there, and no file: {known_tables(tables)}"
        )
    # what DuckDB says of these quotes a value of a record
    if kind in ("ConversionException", "OutOfRangeException"):
        return UsageError(
            "a value does not fit the type that the query casts it to: try_cast makes null of it"
        )
    return UsageError(f"DuckDB does not understand this SQL: {first_line}")
