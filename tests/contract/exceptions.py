"""Where an official document contradicts itself, or we depart from it: one line each, with the reason.

Every line is needed: a test fails when one no longer is.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Correction(NamedTuple):
    """A value of a document that is replaced before it judges anything."""

    document: str
    pointer: str
    value: Any
    reason: str


class Departure(NamedTuple):
    """Something that is found and accepted."""

    provider: str
    resource: str
    found: str
    reason: str


_DEAL_FIELDS = (
    "/paths/~1deal_fields/get/responses/200/content/application~1json/schema/properties/data/properties"
)
_PAGE = "#/components/schemas/Page_data/properties"
_DEAL_FIELD = {"deal_field": {"$ref": "#/components/schemas/Deal_field"}}
_MISPLACED = "the page counts stand inside each item by a slip of indentation; all other lists have them in data"
_EMBEDDED = "sent only when asked for with fields=...(all), which the client does not do: it has its own resource"
_SECRET = "a credential: never decoded, never exported"  # noqa: S105 - no password
_SETUP = "how the app looks or starts, in no shared table; a surprise in it must not cost the currency and tags"
_TOKEN = "required, but by its own description optional where the Authorization header is sent, as it is"
_OWN = "it has its own resource"

CORRECTIONS: tuple[Correction, ...] = (
    Correction("onepagecrm", f"{_DEAL_FIELDS}/total_count", {"$ref": f"{_PAGE}/total_count"}, _MISPLACED),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/page", {"$ref": f"{_PAGE}/page"}, _MISPLACED),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/per_page", {"$ref": f"{_PAGE}/per_page"}, _MISPLACED),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/max_page", {"$ref": f"{_PAGE}/max_page"}, _MISPLACED),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/deal_fields/items/properties", _DEAL_FIELD, _MISPLACED),
    Correction("commanders_act", "/paths/~1privacy~1statistics/get/parameters/0/required", False, _TOKEN),  # noqa: FBT003 - JSON
    Correction("commanders_act", "/paths/~1dms~1segments-statistics/get/parameters/0/required", False, _TOKEN),
)

#: resources that the document does not have
UNDOCUMENTED: tuple[Departure, ...] = (
    Departure("commanders_act", "users", "/users", "in the document's text only, as its example of a request"),
)

#: places where the sandbox's answers break the document
ANSWERS: tuple[Departure, ...] = ()

#: parameters that the client sends and the document does not list
PARAMETERS: tuple[Departure, ...] = ()

#: documented fields that the wire schemas do not have
FIELDS: tuple[Departure, ...] = (
    Departure("onepagecrm", "bootstrap", "data.auth_key: missing", _SECRET),
    Departure("onepagecrm", "contacts", "deals: missing", _EMBEDDED),
    Departure("onepagecrm", "contacts", "notes: missing", _EMBEDDED),
    Departure("onepagecrm", "contacts", "calls: missing", _EMBEDDED),
    Departure("onepagecrm", "contacts", "meetings: missing", _EMBEDDED),
    Departure("onepagecrm", "contacts", "pinned_attachments: missing", _EMBEDDED),
    Departure("onepagecrm", "deals", "contacts: missing", _EMBEDDED),
)
