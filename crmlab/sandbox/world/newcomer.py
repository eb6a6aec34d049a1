"""People whom somebody writes into a service."""

from __future__ import annotations

from datetime import datetime

from crmlab.sandbox.world.model import Person


def newcomer(
    id: str,
    *,
    number: int,
    at: datetime,
    service: str,
    owner_id: str = "",
) -> Person:
    """Return a person of whom nothing is known but that a service has them."""
    return Person(
        id=id,
        number=number,
        title=None,
        first_name="",
        last_name="",
        job_title=None,
        company_id=None,
        emails=[],
        phones=[],
        street=None,
        city=None,
        state=None,
        zip_code=None,
        country_code=None,
        language=None,
        tags=[],
        groups=[],
        status_key="lead",
        lead_source_id=None,
        owner_id=owner_id,
        background="",
        season=None,
        do_not_mail=False,
        starred=False,
        services=frozenset({service}),
        created_at=at,
        modified_at=at,
    )
