"""Where a lake is: a folder or a bucket, what it is reached with, and what can go wrong there, in words."""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import unquote

import polars as pl

from crmlab.atomic_files import errors_in_words, make_private_folder
from crmlab.errors import CrmlabError, UsageError
from crmlab.schema import in_short

_Result = TypeVar("_Result")
#: of the table that says of what the lake consists; its last commit ends every refresh
STATE = "state"
#: values that never stand in a message, wherever they came from
_SECRET = re.compile(r"secret|password|token|sas|credential|account_key|access_key", re.IGNORECASE)
#: in the path of a folder: deltalake ends at a bracket, or decodes what it did not encode, and Polars takes ``=`` for
#: a column
_UNREADABLE = re.compile(r"[][\\=]|%[0-9A-Fa-f]{2}")
#: deltalake writes its errors for terminals
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OF_SYSTEM = re.compile(r"\(os error (\d+)\)")
#: errors of the system that no later try would be without
_WRONG_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
#: how often a commit is tried again that another writer was faster than
_TRIES = 30
_LONGEST_MESSAGE = 300
_CONFIGURATION = {
    # whoever opens a table reads each entry of its log since the last checkpoint, and in a bucket each is a request;
    # Delta's own interval is 100
    "delta.checkpointInterval": "10",
}


class Place:
    """A folder or an object store that holds Delta tables, by their names."""

    def __init__(
        self,
        place: str | Path,
        storage_options: Mapping[str, str] | None,
    ) -> None:
        address = os.fspath(place)
        self.is_local = "://" not in address
        self.root = address.rstrip("/")
        if self.is_local:
            self.root = str(Path(address).expanduser().absolute())
            if _UNREADABLE.search(Path(self.root).as_posix()):
                raise UsageError(
                    f"a lake cannot be in {self.root}: name a folder without [, ], \\, =, and without % before "
                    "two digits"
                )
        self._options = dict(storage_options or {})
        if not address or not _is_text(self._options):
            raise UsageError(
                "a lake is a folder or an address such as s3://bucket/lake; storage_options are text"
            )
        if "@" in self.root and not self.is_local:
            raise UsageError(
                "the address of a lake holds no user or password: give storage_options"
            )

    @property
    def options(self) -> dict[str, str] | None:
        """What the store is reached with; it holds secrets."""
        return self._options or None

    def uri(self, name: str) -> str:
        """Return the address of a table."""
        return f"{self.root}/{name}"

    def make(self) -> None:
        """Make the folder, for this user only where it was not there.

        Raises
        ------
        UsageError, CrmlabError
            It cannot be made, or holds something that is no lake.
        """
        if not self.is_local:
            return
        folder = Path(self.root)
        with errors_in_words(folder):
            make_private_folder(folder)
            names = [entry.name for entry in folder.iterdir()]
        for entry_name in names:
            if entry_name != STATE and not entry_name.startswith("."):
                raise UsageError(
                    f"{folder} holds {entry_name} and is no lake: name an empty folder, or one that is not there"
                )

    def exists(self, name: str) -> bool:
        """Return whether a table is there."""
        with self.in_words(name):
            return bool(delta().DeltaTable.is_deltatable(self.uri(name), self.options))

    def create(
        self,
        path: str,
        schema: pl.Schema,
        /,
        configuration: Mapping[str, str] = MappingProxyType({}),
        **described: Any,
    ) -> None:
        """Make a table where there is none; of several that make it at the same moment, one does.

        Delta would take the second for a change of the first: its description would be another one.
        """
        library = delta()
        first = library.CommitProperties(
            max_commit_retries=0, app_transactions=[library.Transaction("crmlab", 0)]
        )
        with self.in_words(path):
            try:
                library.DeltaTable.create(
                    self.uri(path),
                    schema,
                    storage_options=self.options,
                    commit_properties=first,
                    configuration={**_CONFIGURATION, **configuration},
                    **described,
                )
            except library.exceptions.DeltaError:
                # another writer may have made it meanwhile
                if not self.exists(path):
                    raise

    def open(self, name: str, version: int | None = None) -> Any:
        """Return a table as it is now, or was at a version.

        Raises
        ------
        UsageError
            It is not there, or is older than that version.
        """
        library = delta()
        table_class = library.DeltaTable
        if self.is_local:
            table_class = _local_table()
        with self.in_words(name):
            try:
                return table_class(self.uri(name), version=version, storage_options=self.options)
            except library.exceptions.DeltaError:
                newest = table_class(self.uri(name), storage_options=self.options)
                self.check_reached(name, newest.version(), version or 0)
                raise

    def check_reached(self, name: str, there: int, version: int) -> None:
        """Refuse a table that somebody brought back from a copy of before: what was written since is not in it.

        Raises
        ------
        UsageError
            The version that is there is older than the one that was written.
        """
        if there < version:
            raise UsageError(
                f"{self.uri(name)} is older than the rest of the lake (its version is {there}, and {version} was "
                "written): restore the whole lake from one copy, or begin a new one elsewhere"
            )

    def scan(self, table: Any) -> pl.LazyFrame:
        """Return the rows of an open table, lazily."""
        with self.in_words():
            return pl.scan_delta(table, storage_options=self.options)

    @contextmanager
    def in_words(self, name: str = "") -> Iterator[None]:
        """Raise what the store says as one of crmlab's own errors, in one line without a secret.

        A commit that another writer was faster than stays what it is: whoever commits tries again.
        """
        address = self.root
        if name:
            address = self.uri(name)
        from deltalake.exceptions import (  # noqa: PLC0415  # an extra
            CommitFailedError,
            DeltaError,
            TableNotFoundError,
        )

        try:
            yield
        except (CrmlabError, CommitFailedError):
            raise
        except (TableNotFoundError, FileNotFoundError):
            if name == STATE:
                raise UsageError(
                    f"there is no lake in {self.root}, or not all of one: look at its name, or restore it from a copy"
                ) from None
            raise UsageError(
                f"{address} is not there, or not all of it: restore it from a copy, or begin a new lake elsewhere"
            ) from None
        except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
            raise self._told(address, error) from None

    def _told(self, where: str, error: Exception) -> CrmlabError:
        number = _system_error_number(error)
        if number:
            reason = os.strerror(number)
            if number in _WRONG_PLACE:
                return UsageError(f"{where} cannot be used ({reason}): name another place")
            return CrmlabError(
                f"{where} could not be used ({reason}); what the lake held is unharmed"
            )
        plain_text = _COLOURS.sub("", in_short(error))
        # redacted before it is cut: half a key would not be recognized
        message = self.redact(plain_text)[:_LONGEST_MESSAGE]
        return CrmlabError(f"{where} could not be used: {message}")

    def redact(self, text: str) -> str:
        """Return the text without any key of the store."""
        # deltalake reads keys from the environment too
        settings = {**os.environ, **self._options}
        redacted = text
        for setting_name, setting in settings.items():
            if setting and _SECRET.search(setting_name):
                redacted = redacted.replace(setting, "••••")
        return redacted

    def __repr__(self) -> str:
        return repr(self.root)


def _is_text(options: Mapping[str, str]) -> bool:
    names_and_values: list[object] = [*options.keys(), *options.values()]
    return all(isinstance(setting, str) for setting in names_and_values)


def _system_error_number(error: Exception) -> int | None:
    """Return the number of the system's error that is behind it; None where it is none."""
    match = _OF_SYSTEM.search(str(error))
    if match:
        return int(match[1])
    return getattr(error, "errno", None)


def is_lake(place: str) -> bool:
    """Return whether a place is a lake, and no folder of files: an address is nothing else, and is not looked at.

    Examples
    --------
    >>> is_lake("s3://bucket/lake"), is_lake("out")
    (True, False)
    """
    return "://" in place or (Path(place).expanduser() / STATE / "_delta_log").is_dir()


def delta() -> Any:
    """Return the library that reads and writes Delta tables.

    Raises
    ------
    UsageError
        It is not installed.
    """
    try:
        import deltalake  # noqa: PLC0415  # an extra
    except ImportError:
        raise UsageError("a lake needs deltalake: pip install deltalake") from None
    return deltalake


@cache
def _local_table() -> Any:
    """Return deltalake's class of tables, but with the files of a folder named as they are.

    deltalake writes a blank as ``%20``, as in an address, and Polars would look for a file that is called so.
    """
    library = delta()

    class LocalTable(library.DeltaTable):  # type: ignore[misc, name-defined]
        def file_uris(self, *filters: Any, **named_filters: Any) -> list[str]:
            addresses = super().file_uris(*filters, **named_filters)
            return [unquote(address) for address in addresses]

    return LocalTable


def again(commit: Callable[[], _Result], *, tries: int = _TRIES) -> _Result:
    """Return what a commit returns; where another writer was faster, it is tried again: it reads anew what is there.

    Raises
    ------
    CrmlabError
        Others were faster each time.
    """
    other_was_faster = delta().exceptions.CommitFailedError
    for failed_tries in range(tries):
        try:
            return commit()
        except other_was_faster:
            # two that wait equally long would meet again
            seconds = random.uniform(0, 0.02 * (failed_tries + 1))  # noqa: S311  # no secret
            time.sleep(seconds)
    raise CrmlabError(
        f"other writers of the lake were faster {tries} times in a row: try again later"
    )


def writing(transaction: int, path: str = "") -> dict[str, Any]:
    """Return how every commit is written: compressed, and refused where another one came between.

    Delta compares nothing by itself. Two commits of one application that were begun from the same version conflict,
    and so all of crmlab are one application.
    """
    library = delta()
    columns = None
    if path == STATE:
        # a file keeps the least and the greatest value of a column uncompressed: two copies of the whole document
        without = library.ColumnProperties(statistics_enabled="NONE", dictionary_enabled=False)
        columns = {"document": without}
    properties = library.WriterProperties(
        compression="ZSTD", compression_level=1, column_properties=columns
    )
    return {
        "writer_properties": properties,
        "commit_properties": library.CommitProperties(
            app_transactions=[library.Transaction("crmlab", transaction)]
        ),
    }
