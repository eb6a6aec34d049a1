"""Lists of the service, which all come and end in the same way."""

from __future__ import annotations

from typing import Any

from crmlab.connector import Paginator, Resource
from crmlab.providers.commanders_act.answers import is_empty_answer, lacking
from crmlab.providers.commanders_act.pages import PAGES, total


def listed(name: str, doc: str, *, follow: Paginator = PAGES, **more: Any) -> Resource:
    """Return a list: one answer, or the pages that it tells of."""
    return Resource(
        name=name,
        doc=doc,
        follow=follow,
        total=total,
        is_empty_answer=is_empty_answer,
        lacking=lacking,
        **more,
    )
