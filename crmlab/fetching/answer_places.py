"""Where each answer of a spool stands: by account and list, by what was asked for, and how often."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from crmlab.accounts import Account
from crmlab.connector import Request, Resource
from crmlab.errors import CrmlabError
from crmlab.fetching.answer_file import AnswerFile, read

ANSWERS = "answers"
_NAME = re.compile(r"[0-9a-f]{32}-[1-9]\d*\.gz", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer to one request is kept; `time` counts how often the same was asked by then."""

    folder: Path
    path: Path
    time: int

    def read(self) -> AnswerFile | None:
        """Return the answer that is there; None where none is."""
        return read(self.path)

    def error_of_list(self) -> CrmlabError | None:
        """Return the error by which the list ended, so that further answers never came; None where none is kept."""
        for answer_path in sorted(self.folder.glob("*.gz")):
            if not is_answer_name(answer_path.name):  # of somebody else
                continue
            kept_answer = read(answer_path)
            if kept_answer and kept_answer.error:
                return kept_answer.error
        return None


class Places:
    """Where answers are kept: of one that is asked for again, another one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._asked: Counter[Path] = Counter()

    def next(self, account: Account, resource: Resource, request: Request) -> Place:
        """Return where the answer to a request stands that is asked now."""
        folder = resource_folder(self._directory, account, resource.name)
        first_place = folder / answer_name(request, 1)
        self._asked[first_place] += 1
        times_asked = self._asked[first_place]
        return Place(folder, folder / answer_name(request, times_asked), times_asked)

    def forget(self, account: Account, resource: Resource) -> Path:
        """Begin to count anew; return the folder of that list."""
        folder = resource_folder(self._directory, account, resource.name)
        for first_place in [*self._asked]:
            if first_place.parent == folder:
                del self._asked[first_place]
        return folder


def answer_name(request: Request, time: int) -> str:
    """Return the name of the file with the answer to a request that is asked for the first time, the second ..."""
    digest = sha256(request.key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:32]}-{time}.gz"


def is_answer_name(name: str) -> bool:
    """Return whether a file is named as an answer is."""
    return bool(_NAME.fullmatch(name))


def account_folder(provider: str, name: str) -> str:
    """Return the name of the folder with an account's answers."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{provider} {name}").strip("-")
    digest = sha256(f"{provider} {name}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable[:60]}-{digest[:8]}"


def resource_folder(directory: Path, account: Account, resource: str) -> Path:
    """Return the folder with the answers of one list."""
    of_account = directory / ANSWERS / account_folder(account.provider.name, account.name)
    return of_account / re.sub(r"[^A-Za-z0-9_-]+", "-", resource)
