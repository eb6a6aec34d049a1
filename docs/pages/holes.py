"""What is not covered, and why: the only part of the page on coverage that is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: operations whose records a list of the same service brings that is asked for in another way
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "onepagecrm": {
        "list_contacts_by_filter": "filtered_contacts",
        "list_contacts_cascade": "contacts",
        "list_contacts_cascade_after": "contacts",
        "list_contact_pinned_attachments": "pinned_attachments",
        "list_company_pinned_attachments": "pinned_attachments",
    },
    "altcraft": {
        "profiles_get": "profiles",
        "profiles_get_all": "profiles",
        "subscribers_history_get": "history",
        "subscriptions_list": "subscriptions",
    },
}


class Hole(NamedTuple):
    """Operations of a service that are no frame, or that the sandbox does not answer, and the reason."""

    provider: str
    #: "frame" or "sandbox"
    missing: str
    operations: tuple[str, ...]
    reason: str


_NO_RECORDS = "it answers with no records"
HOLES: tuple[Hole, ...] = (
    Hole(
        "onepagecrm",
        "frame",
        ("get_attachment_upload_form",),
        f"{_NO_RECORDS}, but with keys for one upload",
    ),
    Hole(
        "commanders_act",
        "frame",
        ("monitoring_health_cookie_scanner_code", "monitoring_health_cookie_scanner_export"),
        f"{_NO_RECORDS}, but with a line of a page or a file",
    ),
    Hole(
        "altcraft",
        "frame",
        ("tasks_status", "download"),
        f"{_NO_RECORDS}, but with how far an export is, or its file",
    ),
    Hole(
        "altcraft",
        "frame",
        ("admin_accounts_list",),
        "accounts of the platform, which only its administrator sees",
    ),
    Hole("complero", "frame", ("ping",), _NO_RECORDS),
    Hole(
        "complero",
        "frame",
        ("documentation_by_contact", "documentation_by_event"),
        f"{_NO_RECORDS}, but with a PDF file",
    ),
)
