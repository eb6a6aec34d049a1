"""Whether a list that an earlier run read in part can be gone on with where it was left.

Between the two runs rows may have come or gone, so that all that follow stand on other pages, and a cursor may have
expired. The last page that is kept before the gap is asked for again: if it holds the same records, nothing before it
has slid. What a service counts does not tell that: of one record that went and one that came, the sum is the same.
"""

from __future__ import annotations

import asyncio
import json

from crmlab.connector import Page, Request, Resource, whole_number
from crmlab.errors import ApiError, NotFoundError


class Continuation:
    """The kept pages of one list, and what follows them."""

    def __init__(self) -> None:
        #: held while it is looked whether the list is the same
        self.checking = asyncio.Lock()
        #: of numbered pages the last one that is kept, by what is asked besides the number
        self._last: dict[str, Page] = {}
        #: the kept page that named a request
        self._named_by: dict[str, Page] = {}
        self._checked: set[str] = set()

    def took(self, page: Page, resource: Resource) -> None:
        """Take note of a page that is kept."""
        if resource.follow.param:
            list_kind = _kind(page.request, resource)
            last_page = self._last.get(list_kind)
            if not last_page or _number(page.request, resource) > _number(
                last_page.request, resource
            ):
                self._last[list_kind] = page
            return
        for following in resource.follow(page):
            self._named_by[following.key] = page

    def to_check(self, request: Request, resource: Resource) -> Page | None:
        """Return the kept page that has to be the same for this request to go on; None where none has to."""
        before = self._named_by.get(request.key)
        if resource.follow.param:
            before = self._last.get(_kind(request, resource))
        if not before or before.request.key in self._checked:
            return None
        self._checked.add(before.request.key)
        return before

    def is_refused(self, request: Request, error: ApiError) -> bool:
        """Whether the service does not know any more what a kept page named: a cursor that expired."""
        return request.key in self._named_by and type(error) in (ApiError, NotFoundError)


def _kind(request: Request, resource: Resource) -> str:
    """Return what is asked for besides the number of the page."""
    params = dict(request.params)
    params.pop(resource.follow.param, None)
    return json.dumps([request.method, request.path, sorted(params.items()), request.body])


def _number(request: Request, resource: Resource) -> int:
    number = whole_number(request.params.get(resource.follow.param))
    return 1 if number is None else number
