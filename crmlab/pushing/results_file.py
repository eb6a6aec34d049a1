"""What became of each row, on disk while it becomes known: a line of JSON for each change, the last one counts."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from crmlab.atomic_files import errors_in_words
from crmlab.connector import State
from crmlab.errors import UsageError

#: states of rows that are where they should be, once nothing goes on
DONE = ("sent", "created", "updated")
#: for this user only: it names records of persons
_MODE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is known of one row: `digest` says of which values, `pending` is the id of work that goes on."""

    row: int
    digest: str
    state: State
    id: str | None = None
    reason: str = ""
    pending: str = ""
    sent_at: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the row is where it should be."""
        return self.state in DONE and not self.pending


class ResultsFile:
    """The lines of one push, and those of earlier ones of the same rows.

    A line is on disk before its request leaves, with the state "unknown", and another one when the answer is there. A
    process that is killed in between leaves the first, which is the truth. Use as a context manager: no other run may
    use the file meanwhile.

    Parameters
    ----------
    path
        Where it is; made if it is not there. None keeps the lines in memory alone.
    whose
        What each line begins with: the account, its host, and the table. Rows that were tried on the sandbox are not
        done elsewhere.
    read_only
        Whether the file is looked at, and nothing more.

    Raises
    ------
    UsageError
        It is no such file, one of another account or table, one that another run uses, or its place is wrong.
    CrmlabError
        The system refused otherwise: the disk is full.
    """

    def __init__(
        self,
        path: str | Path | None,
        whose: Mapping[str, str],
        *,
        read_only: bool = False,
    ) -> None:
        self.path: Path | None = None
        if path is not None:
            self.path = Path(path)
        #: by row: what earlier pushes left, and what became known since
        self.lines: dict[int, Line] = {}
        self._read_only = read_only
        self._whose = dict(whose)
        self._handle: int | None = None

    def __enter__(self) -> Self:
        if self.path and self._read_only:
            with errors_in_words(self.path):
                if self.path.exists():
                    self._read(self.path.read_bytes())
        elif self.path:
            with errors_in_words(self.path):
                self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
                try:
                    self._take_over()
                except BaseException:
                    os.close(self._handle)
                    raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave one line for each row, and let others use the file; after an error all lines stay as they are."""
        if self._handle is None or self.path is None:
            return
        with ExitStack() as cleanup:
            cleanup.callback(os.close, self._handle)
            # no file that is open can be replaced there, and nothing is locked
            if sys.platform == "win32":
                cleanup.close()
            with errors_in_words(self.path):
                if error is None:
                    self._rewrite(self.path)
                elif not self.lines:
                    self.path.unlink(missing_ok=True)

    def put(self, lines: Iterable[Line]) -> None:
        """Take note of rows, and wait until that is on disk."""
        new_lines = list(lines)
        if self._handle is not None and self.path is not None:
            with errors_in_words(self.path):
                _append(self._handle, self._texts(new_lines))
        # after the file: what it could not take is not known either
        for line in new_lines:
            self.lines[line.row] = line

    def _take_over(self) -> None:
        """Lock the file, read what is there, and cut off half a line that a killed process left."""
        assert self._handle is not None
        assert self.path is not None
        is_ours = _locked(self._handle)
        opened = os.fstat(self._handle)
        # a run that ended in between has put another file in the place of the one that was opened
        if not is_ours or not os.path.samestat(opened, self.path.stat()):
            raise UsageError(f"{self.path} is used by another run: wait for its end")
        content = self.path.read_bytes()
        half_a_line = self._read(content)
        # only now: a file that is not ours keeps its mode
        self.path.chmod(_MODE)
        if half_a_line:
            os.ftruncate(self._handle, len(content) - len(half_a_line))
        elif content and not content.endswith(b"\n"):  # an editor has left out the last end of line
            _append(self._handle, b"\n")

    def _read(self, content: bytes) -> bytes:
        """Take every line, the last of each row; return half a line at the end that a killed process left."""
        *whole_lines, last_part = content.split(b"\n")
        for line_text in whole_lines:
            if not self._take(line_text):
                raise UsageError(self._is_another())
        if not last_part or self._take(last_part):
            return b""
        if not self._begins_a_line(last_part):
            raise UsageError(self._is_another())
        return last_part

    def _take(self, text: bytes) -> bool:
        """Take a line; return whether it is a whole one.

        Raises
        ------
        UsageError
            it is one of another push, or of something else
        """
        try:
            document = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        whose = {field_name: document.pop(field_name, None) for field_name in self._whose}
        if whose != self._whose and None not in whose.values():
            raise UsageError(
                f"{self.path} holds results of {whose['provider']} account {whose['account']!r} at {whose['host']}, "
                f"{whose['table']}: name another file"
            )
        line = _line_of(document)
        if whose != self._whose or line is None:
            raise UsageError(self._is_another())
        self.lines[line.row] = line
        return True

    def _begins_a_line(self, text: bytes) -> bool:
        """Return whether it is the beginning of a line of this file; of another file nothing is ever cut off."""
        beginning = json.dumps(self._whose, ensure_ascii=False).encode().removesuffix(b"}")
        return text.startswith(beginning) or beginning.startswith(text)

    def _is_another(self) -> str:
        return f"{self.path} holds no results of crmlab.push, or was edited: name another file"

    def _texts(self, lines: Iterable[Line]) -> bytes:
        return b"".join(self._text(line) for line in lines)

    def _text(self, line: Line) -> bytes:
        document = {**self._whose, **asdict(line)}
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"

    def _rewrite(self, path: Path) -> None:
        """Put a file in its place that has each row once, in their order."""
        # always the same name: what a run that was killed left of it is replaced, and gone with this one
        new_file = path.with_name(f".{path.name}.part")
        handle = os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        in_order = [self.lines[number] for number in sorted(self.lines)]
        try:
            try:
                _write(handle, self._texts(in_order))
            finally:
                os.close(handle)
            new_file.replace(path)
        finally:
            new_file.unlink(missing_ok=True)


def _line_of(document: dict[str, Any]) -> Line | None:
    """Return the line that a document holds; None where a push has not written it like this."""
    try:
        line = msgspec.convert(document, Line)
        # a time without a zone cannot become a value of the frame
        if line.sent_at is not None and dt.datetime.fromisoformat(line.sent_at).tzinfo is None:
            return None
    except (ValueError, msgspec.ValidationError):
        return None
    if line.row < 0:
        return None
    return line


def earlier(line: Line | None, digest: str, path: Path | None) -> Line | None:
    """Return what an earlier push left of a row, None where it left nothing that binds this one.

    Raises
    ------
    UsageError
        The row was sent with other values: this file is of another frame.
    """
    if line is None or line.digest == digest:
        return line
    if line.state in ("refused", "not_sent"):
        return None  # corrected since
    raise UsageError(
        f"row {line.row} is not the one that {path} says was {line.state}: give the same frame, or name another file"
    )


def _append(handle: int, content: bytes) -> None:
    """Add lines at the end, all or none: after half a line the next one could not be read."""
    size_before = os.fstat(handle).st_size
    try:
        _write(handle, content)
    except OSError:
        with suppress(OSError):
            os.ftruncate(handle, size_before)
        raise


def _write(handle: int, content: bytes) -> None:
    """Write all of it, and wait until it is on disk."""
    remaining = memoryview(content)
    while remaining:
        # the system may take less than it is given
        written = os.write(handle, remaining)
        remaining = remaining[written:]
    os.fsync(handle)


def _locked(handle: int) -> bool:
    """Keep other runs out of a file until it is closed, or the process ends; return whether that could be done."""
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415  # not on Windows

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
