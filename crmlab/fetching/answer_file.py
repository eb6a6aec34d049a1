"""One answer in a file of its own: what was asked, when, and the body as it came; compressed, for this user only."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from crmlab.connector import Page, Request
from crmlab.errors import CrmlabError
from crmlab.results import failure_as_json, failure_from_json

#: fast, and a fifth of the size
_LEVEL = 3
#: bytes of the line that says what was asked; longer ones are none
_MAX_HEAD = 10_000_000


class _Asked(msgspec.Struct):
    asked_at: dt.datetime


class _About(_Asked):
    """What the head of a file says at least."""

    method: str
    path: str
    params: dict[str, str]
    body: Any
    turn: int


class _Answered(_About):
    """What it says of an answer."""

    status: int
    headers: dict[str, str]
    seconds: float
    lone_surrogates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """What a file holds: `about` what was asked and how it was answered, and the body, which is personal data."""

    about: Mapping[str, Any]
    body: bytes = b""

    @classmethod
    def of_page(cls, page: Page, *, body: bytes, headers: Mapping[str, str]) -> AnswerFile:
        """Return what is kept of an answer: its body and headers without secrets."""
        answered = {
            "status": page.status,
            "headers": dict(headers),
            "seconds": round(page.seconds, 6),
            "lone_surrogates": page.lone_surrogates,
        }
        return cls(about={**_asked(page.request), **answered}, body=body)

    @classmethod
    def of_error(cls, request: Request, error: CrmlabError) -> AnswerFile:
        """Return what is kept of a failure, which holds no secret."""
        failed = {**failure_as_json(error), "of_account": error.of_account}
        return cls(about={**_asked(request), "failed": failed})

    @property
    def asked_at(self) -> dt.datetime:
        """When it was asked for."""
        return dt.datetime.fromisoformat(self.about["asked_at"])

    @property
    def error(self) -> CrmlabError | None:
        """Why there was no answer; None where there was one."""
        if "failed" not in self.about:
            return None
        kept_error = failure_from_json(self.about["failed"])
        kept_error.of_account = self.about["failed"]["of_account"]
        return kept_error

    def page(self, request: Request) -> Page:
        """Return the answer to this request, which is the one that was asked."""
        return Page(
            request=request,
            status=self.about["status"],
            headers=self.about["headers"],
            body=self.body,
            seconds=self.about["seconds"],
            lone_surrogates=self.about["lone_surrogates"],
        )


def packed(answer: AnswerFile) -> bytes:
    """Return the content of the file of an answer."""
    return _compressed(_head(answer.about) + answer.body)


def packed_head(about: Mapping[str, Any]) -> bytes:
    """Return the beginning of the file of an answer, which `packed_body` goes on."""
    return _compressed(_head(about))


def packed_body(answer: AnswerFile) -> bytes:
    """Return the body alone: the content of several files of gzip, one after the other, is one of theirs too."""
    return _compressed(answer.body)


def _head(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _compressed(content: bytes) -> bytes:
    # without a time in its head, the same content makes the same file
    return gzip.compress(content, compresslevel=_LEVEL, mtime=0)


def read(path: Path) -> AnswerFile | None:
    """Return an answer; None where there is none, or it cannot be read: it is cut off, or something else."""
    try:
        head_line, _, answer_body = gzip.decompress(path.read_bytes()).partition(b"\n")
        answer = AnswerFile(
            about=json.loads(head_line.decode("utf-8", "surrogatepass")), body=answer_body
        )
        _check(answer)
    except (
        OSError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        zlib.error,
        msgspec.ValidationError,
    ):
        return None
    return answer


def when_asked(path: Path) -> dt.datetime | None:
    """Return when an answer was asked for, which its head says; None where it cannot be read."""
    try:
        with gzip.open(path) as opened_file:
            head = msgspec.json.decode(opened_file.readline(_MAX_HEAD), type=_Asked)
    except (OSError, EOFError, ValueError, zlib.error, msgspec.MsgspecError):
        return None
    if head.asked_at.tzinfo is None:
        return None
    return head.asked_at


def _check(answer: AnswerFile) -> None:
    """Raise where a file holds something else than an answer: it is of another version, or somebody changed it."""
    is_failure = isinstance(answer.about, Mapping) and "failed" in answer.about
    what_it_says = msgspec.convert(answer.about, _About if is_failure else _Answered)
    if what_it_says.asked_at.tzinfo is None:
        raise ValueError("a time without its zone")
    if is_failure and answer.error is None:
        raise ValueError("a failure that says nothing")


def _asked(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "params": dict(request.params),
        "body": request.body,
        "turn": request.turn,
        "asked_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
