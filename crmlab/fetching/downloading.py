"""Files of a service, such as the proof of a consent: each whole on disk, and a frame that says which is which."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from crmlab.accounts import Account
from crmlab.atomic_files import errors_in_words, make_folder, parts_folder
from crmlab.connector import Limits, Operation, Request, Timeouts
from crmlab.errors import CrmlabError, TransportError, UsageError
from crmlab.fetching.operation_list import operation_of
from crmlab.fetching.spool import names_a_folder
from crmlab.fetching.task_group import TaskGroup
from crmlab.fetching.time_limit import within

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: what `download` says of each file, behind what it was asked with
FILES: dict[str, DataType | DataTypeClass] = {
    "path": pl.String,
    "size_bytes": pl.Int64,
    "sha256": pl.String,
    "downloaded_at": pl.Datetime("us", "UTC"),
    "error": pl.String,
    "failure": pl.String,
}
#: letters of an id that a name shows
_SHOWN = 80
#: what a PDF begins with, and what stands in its last bytes (ISO 32000-1, 7.5.2 and 7.5.5)
_PDF_HEAD = b"%PDF-"
_PDF_END = b"%%EOF"
_TAIL = 2048


@dataclass(slots=True)
class _File:
    """One file that is asked for, and the rows that it belongs to."""

    request: Request
    path: Path
    rows: list[int] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    failure: CrmlabError | None = None


async def download(
    account: Account,
    operation: str,
    folder: str | Path,
    asked: pl.DataFrame | Iterable[Mapping[str, object]],
    *,
    on_error: Literal["collect", "raise"] = "collect",
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
) -> pl.DataFrame:
    """Return which file belongs to which row: those that were asked for, each with the path of its file or why none.

    A file is streamed to disk and gets its name when it is whole, so what stands in the folder under such a name is
    never a part of one. Names are made of the operation and of the ids, of which nothing can lead out of the folder,
    and are the same the next time: a second download replaces the files of the first.

    Parameters
    ----------
    account
        Who is asked.
    operation
        An operation that answers with a file, such as ``"documentation_by_event"`` of Complero.
    folder
        Where the files go; made if it does not exist.
    asked
        A row for each file: its columns are the arguments of the operation, such as ``contact_id`` and ``event_id``.
        All rows are checked before anything is sent.
    on_error
        "collect": a file that is missing costs its own row. "raise": the first failure is raised, such as a
        `crmlab.errors.NotFoundError` for one that is missing; whole files that came until then stay.
    limits
        Instead of the account's own: only for servers of your own.
    timeouts
        How long a service may take. `Timeouts.max_body` does not bound files.

    Returns
    -------
    pl.DataFrame
        The columns of `asked`, then path (String), size_bytes (Int64), sha256 (String: of the file), downloaded_at
        (Datetime, UTC); error (String: the kind of error, such as ``"NotFoundError"``) and failure (String: what
        happened) where there is no file.

    Raises
    ------
    UsageError
        The service has no such operation or it gives no file, an argument is missing or unknown, or the folder cannot
        be written to.
    CrmlabError
        The first failure, with ``on_error="raise"``, or where not one file came.
    Stopped
        it took longer than `Timeouts.total`; whole files that came until then stay

    Examples
    --------
    >>> import asyncio, tempfile
    >>> import crmlab
    >>> async def proofs(folder):
    ...     async with crmlab.sandbox(rows=40, services=["complero"]) as (account,):
    ...         data = await crmlab.fetch(account, "complero.events")
    ...         events = data["complero.events"].filter(pl.col("type") == "confirm").head(2)
    ...         asked = events.select(contact_id="its_contact_id", event_id="its_event_id")
    ...         return await crmlab.download(account, "documentation_by_event", folder, asked)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     asyncio.run(proofs(folder)).columns
    ['contact_id', 'event_id', 'path', 'size_bytes', 'sha256', 'downloaded_at', 'error', 'failure']
    """
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    chosen = _file_operation(account, operation)
    if not names_a_folder(folder):
        raise UsageError(f"folder is the path of a folder, not {folder!r}")
    asked_rows = _rows(asked)
    taken_names = [name for name in asked_rows.columns if name in FILES]
    if taken_names:
        raise UsageError(
            f"{', '.join(taken_names)}: download adds these columns itself; give the arguments alone"
        )
    target_folder = make_folder(folder)
    files = _files(account, chosen, target_folder, asked_rows.to_dicts())
    with parts_folder(
        target_folder
    ) as parts_directory:  # removes what a killed run left: it is personal data
        async with Client(limits, timeouts) as client, within(client.timeouts.total):
            await _download_all(
                client, account, chosen, files, parts_directory, stop_early=on_error == "raise"
            )
    failures = [file.failure for file in files if file.failure]
    if failures and len(failures) == len(files):
        raise failures[0]
    return asked_rows.hstack(_told(files, asked_rows.height))


def _rows(asked: object) -> pl.DataFrame:
    """Return a row for each file that is asked for."""
    if isinstance(asked, pl.DataFrame):
        return asked
    if isinstance(asked, str | Mapping) or not isinstance(asked, Iterable):
        raise UsageError(
            f"what is asked for is a frame, or a mapping for each file, not {type(asked).__name__}"
        )
    asked_rows = [*asked]
    for number, asked_row in enumerate(asked_rows):
        if not isinstance(asked_row, Mapping):
            raise UsageError(
                f"row {number} of what is asked for is {type(asked_row).__name__}, not a mapping of arguments"
            )
    return pl.DataFrame(asked_rows)


def _file_operation(account: Account, name: str) -> Operation:
    chosen = operation_of(account, name)
    if not chosen.binary:
        raise UsageError(f"{name} answers with records, not with a file: crmlab.call returns them")
    if chosen.writes or chosen.destructive:
        raise UsageError(
            f"{name} changes something at {account.provider.title}, and crmlab.download only reads"
        )
    return chosen


def _files(
    account: Account, operation: Operation, folder: Path, rows: Sequence[Mapping[str, Any]]
) -> list[_File]:
    """Return each file once, whatever the number of rows that ask for it."""
    files_by_key: dict[str, _File] = {}
    for number, asked_row in enumerate(rows):
        arguments = {name: value for name, value in asked_row.items() if value is not None}
        try:
            request = operation.request(**arguments)
        except UsageError as error:
            raise UsageError(f"row {number} of what is asked for: {error}") from None
        if request.key not in files_by_key:
            file_path = folder / _name(account, operation, request, arguments.values())
            files_by_key[request.key] = _File(request, file_path)
        files_by_key[request.key].rows.append(number)
    return [*files_by_key.values()]


def _name(
    account: Account, operation: Operation, request: Request, values: Iterable[object]
) -> str:
    """Return a name that is this file's own, shows what it is of, and is safe on every system.

    The digest tells apart what looks alike with its odd characters replaced, or on a disk that does not know case.
    """
    readable = re.sub(r"[^A-Za-z0-9]+", "-", " ".join(map(str, values))).strip("-")[:_SHOWN]
    identity = f"{account.base_url}\n{account.name}\n{request.key}"
    digest = hashlib.sha256(identity.encode()).hexdigest()
    ending = operation.file_ending
    if not ending:
        after_dot = request.path.rpartition(".")[2]
        ending = re.sub(r"[^A-Za-z0-9]", "", after_dot)[:8] or "bin"
    return f"{operation.name}-{readable}-{digest[:12]}.{ending}"


async def _download_all(
    client: Client,
    account: Account,
    operation: Operation,
    files: Sequence[_File],
    parts: Path,
    *,
    stop_early: bool,
) -> None:
    waiting = iter(files)

    async def work() -> None:
        for file in waiting:
            try:
                await _download(client, account, operation, file, parts)
            except CrmlabError as error:
                file.failure = account.explain(error, operation.name)
                if stop_early:
                    raise file.failure from None

    # as in a fetch: twice as many as may be in flight, so that the queue is never empty
    workers = 2 * client.limits(account).concurrency
    async with TaskGroup() as task_group:
        for _ in range(min(workers, len(files))):
            task_group.create_task(work())


async def _download(
    client: Client, account: Account, operation: Operation, file: _File, parts: Path
) -> None:
    """Stream a file beside its place, and move it there when it is whole."""
    part_path = parts / file.path.name
    try:
        await client.send(account, file.request, into=part_path)
        file.told = await asyncio.to_thread(_settle, part_path, file, operation.file_ending)
    finally:
        part_path.unlink(missing_ok=True)


def _settle(part: Path, file: _File, ending: str) -> dict[str, Any]:
    """Give a whole file its name, and return what there is to say of it."""
    with errors_in_words(file.path), part.open("rb+") as opened:
        size_bytes = opened.seek(0, os.SEEK_END)
        opened.seek(0)
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        _check(opened, size_bytes, ending, asked=f"{file.request.method} {file.request.path}")
        # or the name could be on disk before what it names
        os.fsync(opened.fileno())
    with errors_in_words(file.path):
        part.replace(file.path)
    return {
        "path": str(file.path),
        "size_bytes": size_bytes,
        "sha256": digest,
        "downloaded_at": dt.datetime.now(dt.UTC),
    }


def _check(opened: BinaryIO, size: int, ending: str, *, asked: str) -> None:
    """Raise a `TransportError` where this is no whole file of its kind, but a page of a gateway, or a part of one."""
    if size == 0:
        raise TransportError(f"{asked} answered with nothing in the place of a file")
    if ending != "pdf":
        return
    opened.seek(0)
    beginning = opened.read(_TAIL)
    opened.seek(max(0, size - _TAIL))
    last_bytes = opened.read()
    is_markup = beginning.lstrip().startswith(b"<")  # of which any words may stand in it
    if is_markup or _PDF_HEAD not in beginning:
        raise TransportError(f"{asked} answered with {size:,} bytes that are no PDF")
    if _PDF_END not in last_bytes:
        raise TransportError(f"{asked} answered with a PDF of {size:,} bytes that has no end")


def _told(files: Iterable[_File], height: int) -> pl.DataFrame:
    """Return what there is to say of the file of each row."""
    told_rows: list[dict[str, Any]] = [{} for _ in range(height)]
    for file in files:
        told_of_file = file.told
        if file.failure:
            told_of_file = {"error": type(file.failure).__name__, "failure": str(file.failure)}
        for number in file.rows:
            told_rows[number] = told_of_file
    return pl.DataFrame(told_rows, schema=FILES, orient="row")
