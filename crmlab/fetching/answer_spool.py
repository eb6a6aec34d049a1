"""The answers of a fetch, kept in a folder before they are read: a run that was killed is gone on with.

``spool.json`` says what was asked, and each answer is a file in ``answers``, found by what was asked for and how often.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import shutil
import stat
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from crmlab.accounts import Account
from crmlab.atomic_files import (
    UNFINISHED,
    errors_in_words,
    lock,
    make_private_folder,
    unlock,
    write_private,
)
from crmlab.connector import Request, Resource
from crmlab.errors import (
    AuthError,
    RateLimitError,
    ServerError,
    Stopped,
    TransportError,
    UsageError,
)
from crmlab.fetching.answer_file import AnswerFile, packed, read, when_asked
from crmlab.fetching.answer_places import ANSWERS, Place, Places, resource_folder
from crmlab.fetching.query import Query
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.spool import names_a_folder
from crmlab.schema import Asked

FILE = "spool.json"
#: how files of this kind are written; another number is another way
_FORMAT = 1
#: after which the services are another than they were: all is asked again
MAX_AGE = dt.timedelta(hours=12)
#: what makes a question another one, besides whom it is asked of
_QUESTION = ("asked_tables", "since", "until")
#: what passes by itself: asked again, it may be answered, and what came until then is still good
_PASSING = (AuthError, RateLimitError, ServerError, Stopped, TransportError)


class _AboutAccount(msgspec.Struct):
    """What ``spool.json`` says of an account."""

    provider: str
    name: str
    base_url: str
    options: dict[str, str]
    facts: dict[str, Any]
    fingerprint: str


class _Told(msgspec.Struct):
    """What it says of a list."""

    retries: int
    seconds: float


class _About(msgspec.Struct):
    """What it says besides the question."""

    finished: bool
    asked_accounts: list[_AboutAccount]
    asked_tables: list[str]
    asked_again: list[tuple[str, str]] = []
    told: dict[str, _Told] = {}


class AnswerSpool:
    """A folder with the answers of one fetch; those of an unfinished run are gone on with.

    Use as a context manager: until it is left no other run may use the folder.

    Parameters
    ----------
    directory
        Made where it is not there, for this user only.
    query
        What is asked. An unfinished run of the same question is gone on with; `query` is then as of its beginning.

    Raises
    ------
    UsageError
        The folder is none, or not ours to write to, another run uses it, or it has an unfinished run of another
        question.
    CrmlabError
        The system refused otherwise.
    """

    #: whether nothing can be asked: what is not there, is not there
    is_replay = False

    def __init__(self, directory: str | Path, query: Query) -> None:
        self.directory = Path(directory)
        self.query = query
        #: why the answers that were there are not taken
        self.note = ""
        #: whether it goes on with an unfinished run
        self.resumes = False
        self._writing = threading.Lock()
        self._is_left = False
        self._places = Places(self.directory)
        with errors_in_words(self.directory):
            make_private_folder(self.directory)
            self._lock = _locked(self.directory)
        try:
            self._begin()
        except BaseException:
            unlock(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._writing:  # a thread of a cancelled fetch goes on for a while
            self._is_left = True
        unlock(self._lock)

    def place(self, account: Account, resource: Resource, request: Request) -> Place:
        """Return where the answer to a request is kept that is asked now; asked again, it has another place."""
        return self._places.next(account, resource, request)

    def keep(self, place: Place, answer: AnswerFile) -> None:
        """Write an answer; from any thread."""
        content = packed(answer)
        with self._writing:
            if self._is_left:
                return
            with errors_in_words(place.folder):
                make_private_folder(place.folder)
            write_private(place.path, content)

    def forget(self, account: Account, resource: Resource) -> None:
        """Remove the answers of a list that was changed since: it is asked for from its beginning."""
        folder = self._places.forget(account, resource)
        with errors_in_words(folder):
            _remove(folder)

    def finish(self, results: Iterable[ResourceResult]) -> None:
        """Take note of what came of it all: what the next run of this question goes on with, if anything."""
        is_finished = True
        asked_again: list[list[str]] = []
        told_of_lists: dict[str, dict[str, float]] = {}
        for result in results:
            told_of_lists[told_name(result)] = {
                "retries": result.requests.retries,
                "seconds": result.seconds,
            }
            if isinstance(result.failure, _PASSING):
                is_finished = False
            elif not result.complete:
                # it would end so again, from the same answers
                asked_again.append([result.task.account.label, result.task.resource.name])
        self._write(is_finished=is_finished, asked_again=asked_again, told=told_of_lists)

    # ---- what is there ------------------------------------------------------------------------------

    def _begin(self) -> None:
        about_before = read_about(self.directory)
        if not about_before:
            self._refuse_foreign_answers()
        fingerprint_salt = secrets.token_bytes(16)
        if about_before:
            fingerprint_salt = bytes.fromhex(about_before["salt"])
        self._about = {
            "spool": _FORMAT,
            "salt": fingerprint_salt.hex(),
            **self._asked_as_json(fingerprint_salt),
        }
        if about_before and not about_before["finished"] and self._is_recent(about_before):
            self._refuse_another_question(about_before)
        if about_before and self._goes_on(about_before):
            self.resumes = True
            self.query = replace(self.query, now=Asked.from_json(about_before).fetched_at)
            self._about = {
                "spool": _FORMAT,
                "salt": fingerprint_salt.hex(),
                **self._asked_as_json(fingerprint_salt),
            }
            self._drop_for_good(about_before)
        else:
            with errors_in_words(self.directory):
                _remove(self.directory / ANSWERS)
        self._write(is_finished=False)

    def _refuse_foreign_answers(self) -> None:
        """Refuse a folder with such a folder of somebody else in it, which would be removed."""
        foreign = self.directory / ANSWERS
        if foreign.is_symlink() or foreign.exists():
            raise UsageError(
                f"{foreign} is there and {self.directory} holds no {FILE}: it is not crmlab's, name another folder"
            )

    def _asked_as_json(self, salt: bytes) -> dict[str, Any]:
        accounts = [_account_as_json(account, salt) for account in self.query.accounts]
        return {**self.query.asked().as_json(), "asked_accounts": accounts}

    def _write(self, *, is_finished: bool, **told: object) -> None:
        everything = {**self._about, "finished": is_finished, **told}
        content = json.dumps(everything, indent=2, ensure_ascii=False)
        write_private(self.directory / FILE, content.encode())

    def _is_recent(self, found: Mapping[str, Any]) -> bool:
        age = dt.datetime.now(dt.UTC) - self._last_kept(found)
        # a clock that was set back says as little as too old an answer
        return abs(age) < MAX_AGE

    def _last_kept(self, found: Mapping[str, Any]) -> dt.datetime:
        """Return when the last answer was asked for; files say so, as a copied folder has the times of its copy."""
        moments = [Asked.from_json(found).fetched_at]
        for answer_path in (self.directory / ANSWERS).glob("*/*/*.gz"):
            asked_at = when_asked(answer_path)
            if asked_at:
                moments.append(asked_at)
        return max(moments)

    def _refuse_another_question(self, found: Mapping[str, Any]) -> None:
        is_same = all(
            found[part_of_question] == self._about[part_of_question]
            for part_of_question in (*_QUESTION, "accounts")
        )
        if not is_same and self._has_answers():
            raise UsageError(
                f"{self.directory} holds the answers of an unfinished fetch of another question: name another folder, "
                "ask the same question again, or remove it"
            )

    def _has_answers(self) -> bool:
        for answer_path in (self.directory / ANSWERS).glob("*/*/*.gz"):
            answer = read(answer_path)
            if answer and not answer.error:
                return True
        return False

    def _goes_on(self, found: Mapping[str, Any]) -> bool:
        """Whether the answers that are there are gone on with; `note` says why not, where one would expect it."""
        if found["finished"]:
            return False
        began_at = f"{Asked.from_json(found).fetched_at:%Y-%m-%d %H:%M} UTC"
        if not self._is_recent(found):
            hours = MAX_AGE.total_seconds() / 3600
            self.note = (
                f"the answers of {began_at} in {self.directory} are not of the last {hours:g} hours: "
                "all was asked again"
            )
        elif found["asked_accounts"] != self._about["asked_accounts"]:
            self.note = (
                f"the answers of {began_at} in {self.directory} came with another key, address or setting: "
                "all was asked again"
            )
        return not self.note

    def _drop_for_good(self, found: Mapping[str, Any]) -> None:
        """Remove what a killed run left half, and the answers of lists that did not end well."""
        with errors_in_words(self.directory):
            for unfinished_file in (self.directory / ANSWERS).glob(f"*/*/*{UNFINISHED}"):
                unfinished_file.unlink(missing_ok=True)
            for account_label, resource in found.get("asked_again", []):
                for account in self.query.accounts:
                    if account.label == account_label:
                        _remove(resource_folder(self.directory, account, resource))


def spool_in(directory: object) -> tuple[Path, dict[str, Any]]:
    """Return the path of a spool that is there, and what its ``spool.json`` says.

    Raises
    ------
    UsageError
        There is none, or it cannot be read.
    """
    if not names_a_folder(directory):
        raise UsageError(f"a spool is named by the path of its folder, not {directory!r}")
    spool_folder = Path(str(directory))
    about = read_about(spool_folder)
    if about is None:
        raise UsageError(
            f"{spool_folder} holds no {FILE}: name a folder that was the spool of a fetch"
        )
    return spool_folder, about


def read_about(directory: Path) -> dict[str, Any] | None:
    """Return what ``spool.json`` says; None where there is none.

    Raises
    ------
    UsageError
        It is none of crmlab's, or of another version.
    """
    about_path = directory / FILE
    try:
        if not stat.S_ISREG(about_path.stat().st_mode):
            return None
        about: dict[str, Any] = json.loads(about_path.read_bytes())
        is_known = about["spool"] == _FORMAT
        if is_known:
            Asked.from_json(about)
            bytes.fromhex(about["salt"])
            msgspec.convert(about, _About)
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        raise UsageError(f"{about_path} is not what crmlab wrote: name another folder") from None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{about_path} cannot be read ({error.strerror})") from None
    if not is_known:
        raise UsageError(
            f"{about_path} was written by another version of crmlab: use that one, or name another folder"
        )
    return about


def told_name(result: ResourceResult) -> str:
    """Return by which name `spool.json` tells of a list."""
    return f"{result.task.account.label} {result.task.resource.name}"


def _account_as_json(account: Account, salt: bytes) -> dict[str, Any]:
    """Return an account without its secrets; the fingerprint tells whether the next run has the same ones."""
    return {
        "provider": account.provider.name,
        "name": account.name,
        "base_url": account.base_url,
        "options": dict(account.options),
        "facts": account.known_facts,
        "fingerprint": account.fingerprint(salt),
    }


def _locked(folder: Path) -> int | None:
    try:
        return lock(folder)
    except BlockingIOError:
        raise UsageError(
            f"{folder} is used by another run: wait for its end, or name another folder"
        ) from None


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
