"""The answers of a spool for a fetch that cannot ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crmlab.accounts import Account
from crmlab.connector import Request, Resource
from crmlab.fetching.answer_places import Place, Places
from crmlab.fetching.answer_spool import told_name
from crmlab.fetching.resource_result import ResourceResult


class ReplayedAnswers:
    """The answers in a folder, as far as they came: nothing is asked, and nothing written.

    Parameters
    ----------
    directory
        The folder of an `AnswerSpool`.
    told
        What the run said at its end that its answers do not say, by resource.
    """

    is_replay = True
    note = ""

    def __init__(self, directory: Path, told: Mapping[str, Mapping[str, Any]]) -> None:
        self.directory = directory
        self._told = told
        self._places = Places(directory)

    def place(self, account: Account, resource: Resource, request: Request) -> Place:
        """Return where the answer to a request is kept."""
        return self._places.next(account, resource, request)

    def finish(self, results: Iterable[ResourceResult]) -> None:
        """Take retries and seconds from the run that asked."""
        for result in results:
            told_of_list = self._told.get(told_name(result))
            if told_of_list:
                result.requests.retries = told_of_list["retries"]
                result.seconds = told_of_list["seconds"]
