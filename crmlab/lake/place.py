"""Where a lake is: a folder or a bucket, what it is reached with, and what can go wrong there, in words."""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from crmlab.atomic_files import errors_in_words, make_private_folder
from crmlab.errors import CrmlabError, UsageError
from crmlab.schema import in_short

_Result = TypeVar("_Result")
#: of the table that says of what the lake consists; its last commit ends every refresh
STATE = "state"
#: values that never stand in a message, wherever they came from
_SECRET = re.compile(r"secret|password|token|sas|credential|account_key|access_key", re.IGNORECASE)
#: deltalake writes its errors for terminals
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OF_SYSTEM = re.compile(r"\(os error (\d+)\)")
#: how often a commit is tried again that another writer was faster than
_TRIES = 30
_LONGEST_MESSAGE = 300


class Place:
    """A folder or an object store that holds Delta tables, by their names."""

    def __init__(self, place: str | Path, storage_options: Mapping[str, str] | None) -> None:
        text = os.fspath(place)
        self.is_local = "://" not in text
        self.root = str(Path(text).expanduser().absolute()) if self.is_local else text.rstrip("/")
        self._options = dict(storage_options or {})
        if not text or not all(
            isinstance(each, str) for pair in self._options.items() for each in pair
        ):
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
            others = [
                each.name
                for each in folder.iterdir()
                if each.name != STATE and not each.name.startswith(".")
            ]
        if others:
            raise UsageError(
                f"{folder} holds {others[0]} and is no lake: name an empty folder, or one that is not there"
            )

    def exists(self, name: str) -> bool:
        """Return whether a table is there."""
        with self.in_words(name):
            return bool(delta().DeltaTable.is_deltatable(self.uri(name), self.options))

    def open(self, name: str, version: int | None = None) -> Any:
        """Return a table as it is now, or was at a version.

        Raises
        ------
        UsageError
            It is not there, or is older than that version.
        """
        library = delta()
        with self.in_words(name):
            try:
                return library.DeltaTable(
                    self.uri(name), version=version, storage_options=self.options
                )
            except library.exceptions.DeltaError:
                there = library.DeltaTable(self.uri(name), storage_options=self.options).version()
                self.check_reached(name, there, version or 0)
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
                "written): bring back the whole lake from one copy, or begin a new one elsewhere"
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
        where = self.uri(name) if name else self.root
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
            raise UsageError(
                f"{where} is not there, or not all of it: bring it back from a copy, or begin a new lake elsewhere"
            ) from None
        except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
            raise self._told(where, error) from None

    def _told(self, where: str, error: Exception) -> CrmlabError:
        found = _OF_SYSTEM.search(str(error))
        number = int(found[1]) if found else getattr(error, "errno", None)
        if number:
            reason = os.strerror(number)
            if number in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
                return UsageError(f"{where} cannot be used ({reason}): name another place")
            return CrmlabError(
                f"{where} could not be used ({reason}); what the lake held is unharmed"
            )
        said = self.redact(_COLOURS.sub("", in_short(error)))[:_LONGEST_MESSAGE]
        return CrmlabError(f"{where} could not be used: {said}")

    def redact(self, text: str) -> str:
        """Return the text without any key of the store."""
        named = {**os.environ, **self._options}
        for name, value in named.items():
            if value and _SECRET.search(name):
                text = text.replace(value, "••••")
        return text

    def __repr__(self) -> str:
        return repr(self.root)


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


def again(commit: Callable[[], _Result]) -> _Result:
    """Return what a commit returns; where another writer was faster, it is tried again: it reads anew what is there.

    Raises
    ------
    CrmlabError
        Others were faster each time.
    """
    failed = delta().exceptions.CommitFailedError
    for tries in range(_TRIES):
        try:
            return commit()
        except failed:
            # two that wait equally long would meet again
            time.sleep(random.uniform(0, 0.02 * (tries + 1)))  # noqa: S311  # no secret
    raise CrmlabError(
        f"other writers of the lake were faster {_TRIES} times in a row: try again later"
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
