"""Answers that a service gives only once: each is on disk before anything reads it."""

from __future__ import annotations

import datetime as dt
import os
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Self

from crmlab.accounts import Account
from crmlab.atomic_files import PRIVATE_FILE, errors_in_words, lock, make_private_folder, unlock
from crmlab.connector import Page, Request, replace_lone_surrogates
from crmlab.decoding import RAW
from crmlab.errors import CrmlabError, TransportError, UsageError
from crmlab.fetching.resource_result import ResourceResult

#: an answer that nobody has read yet, one that was read, and one that was cut off on its way
_WAITING = ".json"
_READ = ".read.json"
_CUT_OFF = ".part"
#: a request whose answer is not on disk yet, and one whose answer never came there, which was told
_ASKED = ".asked"
_LOST = ".lost"
#: answers without any record
_EMPTY = (b"", b"[]", b"{}", b"null")


class Spool:
    """The answers of one account to one kind of request, each in a file of its own.

    An answer is written as it came, before it is parsed, and stays. `mark_read` renames those that were read, so
    that the others are known: they are what an earlier run asked for and did not hand out. A mark lies there while a
    request is under way, so that the next run can tell of an answer that was lost with its process. Until it is closed
    no other run may use the folder: both would hand out what waits there.

    Parameters
    ----------
    directory
        Where the folder of this account and path is made.
    account
        Whose answers they are.
    path
        The path that is asked for.

    Raises
    ------
    UsageError
        The folder is none, or not ours to write to, or another run uses it.
    CrmlabError
        The system refused otherwise.
    """

    def __init__(self, directory: str | Path, account: Account, path: str) -> None:
        self.folder = Path(directory) / _name(account, path)
        #: why the last answer is not on disk: it is handed out all the same, and no other is asked for
        self.failure: CrmlabError | None = None
        self._account = account
        self._last: Path | None = None
        self._taken: list[Path] = []
        with errors_in_words(self.folder):
            make_private_folder(self.folder)
            self._lock = _locked(self.folder)
            self._waiting = deque(_waiting_in(self.folder))
            #: marks of requests of earlier runs that ended before the answer was on disk
            self._lost = _lost_in(self.folder)
        self._asked: Path | None = None

    def close(self) -> None:
        """Let other runs use the folder."""
        unlock(self._lock)
        self._lock = None

    @property
    def lost(self) -> str:
        """What runs before this one may have lost, in words; empty where they lost nothing."""
        if not self._lost:
            return ""
        moments = [_moment(mark_path) for mark_path in self._lost]
        return (
            f"an earlier run ended while it waited for an answer ({', '.join(moments)}): "
            "what the service gave then may be lost"
        )

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Leave a mark on disk while a request is under way, and remove it once its end is known.

        What ends the process, or cancels the request, leaves the mark.
        """
        self._asked = self.folder / f"{time_ns():020d}{_ASKED}"
        with errors_in_words(self._asked):
            _write(self._asked, b"")
            _sync_folder(self.folder)
        try:
            yield
        except CrmlabError:  # which tells it
            self._remove_mark()
            raise
        self._remove_mark()

    def keep(self, body: bytes, *, whole: bool) -> None:
        """Write an answer and wait until it is on disk; what came of one that was cut off is kept beside the others."""
        answer_path = self._answer_path(_WAITING if whole else _CUT_OFF)
        try:
            with errors_in_words(answer_path):
                _write(answer_path, body)
                _sync_folder(self.folder)
        except CrmlabError as error:
            self.failure = error
            # a part of an answer that is handed out must not wait for the next run
            with suppress(OSError):
                answer_path.rename(answer_path.with_suffix(_CUT_OFF))
            return
        self._last = answer_path
        self._remove_mark()

    def _answer_path(self, suffix: str) -> Path:
        """Return where an answer is kept: under the name of its mark, which it makes void."""
        mark_path = self._asked or self.folder / f"{time_ns():020d}{_ASKED}"
        return mark_path.with_suffix(suffix)

    def _remove_mark(self) -> None:
        if self._asked:
            # the answer of the same name says as much
            with suppress(OSError):
                self._asked.unlink(missing_ok=True)

    def accepted(self) -> None:
        """Take note that the answer which was kept last could be read."""
        if self._last:
            self._taken.append(self._last)
            self._last = None

    def waiting(self, request: Request, accept: Callable[[Page], Page]) -> Page | None:
        """Return the oldest answer of an earlier run that nobody read, None where there is none.

        Raises
        ------
        CrmlabError
            It cannot be read, or the answer before it could not be written.
        """
        if self.failure:
            raise self.failure
        while self._waiting:
            answer_path = self._waiting[0]
            with errors_in_words(answer_path):
                body, lone_surrogates = replace_lone_surrogates(answer_path.read_bytes())
            accepted_page = None
            if body.strip() not in _EMPTY:
                kept_page = Page(
                    request=request,
                    status=200,
                    headers={},
                    body=body,
                    lone_surrogates=lone_surrogates,
                )
                accepted_page = self._accepted(answer_path, kept_page, accept)
            # not before it is accepted: one that cannot be read waits for the next run
            self._waiting.popleft()
            self._taken.append(answer_path)
            if accepted_page:
                return accepted_page
        return None

    def hand_out(self) -> None:
        """Take note that the last answer was read and is handed out; warn where it is not on disk."""
        if self.failure:
            warnings.warn(f"the answer is handed out and not kept: {self.failure}", stacklevel=3)
        if self.lost:
            warnings.warn(self.lost, stacklevel=3)
        self.accepted()
        self.mark_read()

    def mark_read(self) -> None:
        """Rename the answers that were read, and the marks that were told."""
        for answer_path in self._taken:
            with errors_in_words(answer_path):
                answer_path.rename(
                    answer_path.with_name(answer_path.name.removesuffix(_WAITING) + _READ)
                )
        self._taken.clear()
        for answer_path in self._lost:
            with errors_in_words(answer_path):
                answer_path.rename(answer_path.with_suffix(_LOST))
        self._lost.clear()

    def _accepted(self, path: Path, page: Page, accept: Callable[[Page], Page]) -> Page:
        try:
            self._account.provider.check(page)
            return accept(page)
        except TransportError as error:
            error.hint = (
                f"it is {path}, which an earlier run kept: move it elsewhere to go on without it"
            )
            raise


class Spools:
    """The spools of one fetch, by account and resource; none where no folder was named."""

    def __init__(self, directory: str | Path | None) -> None:
        self._directory = directory
        self._spools: dict[tuple[str, str], Spool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let other runs use the folders."""
        for open_spool in self._spools.values():
            open_spool.close()

    def of(self, account: Account, resource: str, path: str) -> Spool:
        """Return the spool of a resource, made when it is first asked for."""
        assert self._directory is not None, "check_spool was asked before anything is sent"
        spool_key = (account.label, resource)
        if spool_key not in self._spools:
            self._spools[spool_key] = Spool(self._directory, account, path)
        return self._spools[spool_key]

    def mark_read(self, results: Iterable[ResourceResult]) -> None:
        """Take note that these results are handed out; what could not be decoded waits for the next run."""
        for result in results:
            result_spool = self._spools.get((result.task.account.label, result.task.resource.name))
            if result_spool and RAW in result.frames:
                result_spool.mark_read()


def check_spool(name: str, *, allow_destructive: bool, spool: str | Path | None) -> None:
    """Refuse to read what is gone once it was read, unless that is wanted and there is a place to keep it.

    Raises
    ------
    UsageError
        One of the two is missing; says what to write.
    """
    if allow_destructive is True and names_a_folder(spool):
        return
    raise UsageError(
        f"{name} gives each record once, and never again: write allow_destructive=True, spool='a folder'. Each answer "
        "is kept in that folder as it came before it is read, and what a run did not read is read by the next one"
    )


def names_a_folder(spool: object) -> bool:
    """Return whether this can be the path of a folder."""
    return isinstance(spool, str | Path) and bool(str(spool).strip()) and "\0" not in str(spool)


def _name(account: Account, path: str) -> str:
    """Return a name that is one account's own, and shows whose it is."""
    readable = re.sub(
        r"[^A-Za-z0-9]+", "-", f"{account.provider.name} {account.name} {path}"
    ).strip("-")
    digest = sha256(f"{account.base_url}\n{account.name}\n{path}".encode()).hexdigest()
    return f"{readable[:80]}-{digest[:12]}"


def _locked(folder: Path) -> int | None:
    """Keep other runs out of a folder; refuse one that another run uses."""
    try:
        return lock(folder)
    except BlockingIOError:
        raise UsageError(
            f"{folder} is used by another run: wait for its end, what it does not read is kept"
        ) from None


def _waiting_in(folder: Path) -> list[Path]:
    """Return the answers that nobody has read, in the order in which they came."""
    answers = sorted(folder.glob(f"*{_WAITING}"))
    # the name of one that was read ends in both ways
    return [answer_path for answer_path in answers if not answer_path.name.endswith(_READ)]


def _lost_in(folder: Path) -> list[Path]:
    """Return the marks of requests whose answer is not in the folder; remove those whose answer is."""
    lost_marks = []
    for request_mark in sorted(folder.glob(f"*{_ASKED}")):
        if any(request_mark.with_suffix(suffix).exists() for suffix in (_WAITING, _READ, _CUT_OFF)):
            request_mark.unlink()
        else:
            lost_marks.append(request_mark)
    return lost_marks


def _moment(mark: Path) -> str:
    """Return when a request was sent, as its mark is named; the name of what somebody else put there."""
    try:
        moment = dt.datetime.fromtimestamp(int(mark.stem) // 10**9, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return mark.name
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _write(path: Path, body: bytes) -> None:
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb"
    ) as answer_file:
        answer_file.write(body)
        answer_file.flush()
        os.fsync(answer_file.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until the name of a new file is on disk too, where the system can be asked for that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
