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


#: stands for any operation
EVERY = "*"
_PAGE = "#/components/schemas/Page_data/properties"
_DEAL_FIELD = {"deal_field": {"$ref": "#/components/schemas/Deal_field"}}
_DEAL_FIELDS = "/paths/~1deal_fields/get/responses/200/content/application~1json/schema/properties/data/properties"
_BOOTSTRAP = "/paths/~1bootstrap/get/responses/200/content/application~1json/schema/properties"
_SOURCES = {"type": "array", "items": {"$ref": "#/components/schemas/Lead_source"}}
_STATUSES = {
    "type": "array",
    "items": {"type": "object", "properties": {"status": {"$ref": "#/components/schemas/Status"}}},
}
_HEALTH = "data.attributes.health"
_STATISTICS = "/paths/~1privacy~1statistics/get/parameters/0/required"
_SEGMENTS = "/paths/~1dms~1segments-statistics/get/parameters/0/required"
_REPORT = (
    "/paths/~1ams~1reports~1{id}~1data/get/responses/200/content/application~1vnd.api+json/example"
)
_TWO_LINES = {"total": 2, "count": 2, "per_page": 10, "current_page": 1, "total_pages": 1}

_NO_PLACE = "path: Request path must have required property 'id'"
_CUSTOM_FIELD = "/privacy/cookie-scanner/setting/custom-fields/5aaa9b059007ba08c9ebaf58"
_ID = "the document wants an id in the path, and its path has no place of that name for one"

_MISPLACED = "the page counts stand inside each item by a slip of indentation; all other lists have them in data"
_PLURAL = "described as one object under a plural name; the same member of the answer of /contacts is this list"
_TOKEN = (
    "required, but by its own description optional where the Authorization header is sent, as it is"
)
_NULL = "the document's own example has null here, and so has this answer"
_SOURCE = "the document's example of a source, which is described by the same words, has null here"
_SAME = "the same object in the document's example of a source has null here"
_END = "the schema has start_date only, the document's own example end_date as well"
_TEXT = "the document's own example writes this number as text"
_PLANTED = "the schema lists no key of a partner; one is planted to prove that it is never stored"
_EMBEDDED = "sent only when asked for with fields=...(all), which the client does not do: it has its own resource"
_SECRET = "may hold credentials: never decoded, never exported"
_CHANGED = "the old and new values of what was changed, parameters and their credentials included: never decoded"
_COUNT = "counts: the document says number of every one, and its examples are whole"
_MAP = "its keys are the account's own: whole records have it as a list of ids and labels"
_LIVE = "documented nowhere, and seen in answers of live accounts: what the reasons of lost deals are called"
_WORD = "described as a bson id, and a word in the document's own example"
_OWN = "it has its own resource"
_ALL = "undocumented here; the cascade's description says that it defaults to the own contacts, as the list does"
_COUNTED = "no parameters documented, but an answer with page counts: sent only where they tell of more pages"

_UNCOUNTED = "no parameters and no counts documented: page 2 is asked for once, to see whether the list came whole"

_TWICE = (
    "the schema has the object once more inside itself, and the document's own example has it once"
)
_SEVERAL = "described as one, and several in the document's own example, or by its name: one is read as a list of one"
_LIST = "object as List(Struct({'type': String, 'id': String}))"
_FLAT = "the records stand inside one object, and are written flat before they are read"
_HIT = "the schema says stream_hit, the document's own example stream_hit_id"
_OTHERS = "the schema requires fields of cookies, which the document's own example of a version does not have"
_OTHER_TYPE = (
    "the schema has the type of alerts, the document's own example of one such field its own"
)
_NO_STATUS = "the schema has no status, the document's own example has"
_CELLS = (
    "the schema puts type and value into a value of their own, the document's own example does not"
)
_ROWS = "the schema says row, the document's own example rows"
_TOTAL = "the total and the names of the columns: the cells of each line have these names"
_LAST = "required, but the last page has no next one"
_MILLIS = "milliseconds since 1970: the document says number"
_PERSONAL = "what was sent for a visitor, or found in a browser: never decoded"
_NO_ID = "the document's answer to what is made or replaced has no id, without which nobody could ask for it"
_NOT_SAID = "one answer of the document has it, and the one to the same object in another operation has it not"
_NEW = "required, but a container that was just made has neither a container nor tags"
_AS_ONE = "three required names are written as one"
_ASKED = "the number of the page that was asked for, whatever it is"
_NO_REFUSAL = "the document has no answer to a wrong value or an unknown id but for deliveries, which have this one"
_LISTED = "described as one object, under the title of a list"
_RELATED = (
    "the document's own example has a number in the place of the relationships that the list has"
)
_ONE_PAGE = "the example tells of 1,000 lines on 100 pages, and shows two: Prism would answer each page with them"
_ANOTHER = "the example's links are those of another report than the one that is asked for"
_LINKED = "no parameters documented, but the links of the document's own example have it"

_PLACEHOLDER = (
    "its only property, attribute_name, stands for the name of the parameter that was refused"
)
_ADDRESS = "the address of a receiver, which may be all that is needed to write to it: only its host is kept"
_STATUS = "/components/schemas/Status/properties/status"
_STATUS_KEYS = "^(lead|prospect|customer|inactive|general|custom[0-9]+)$"
_NUMBERED = "the X of customX, after custom1 and custom2, stands for a number"
_LOGO = "/components/schemas/Company/properties/photo_url"
_NO_LOGO = "null where the logo was deleted, as the operation that deletes it says"
_NO_COMPANY = (
    "the document has no answer to an unknown id here, as it has for every other path with one"
)
_ERRORS = "/components/responses/400/content/application~1json/schema/properties/errors"
_ANY_NAME = {"type": "object", "additionalProperties": {"type": "string"}}
#: resources whose records are contacts; the first ones are asked of the list that embeds others
_OF_CONTACTS = (
    "contacts", "filtered_contacts", "all_contacts", "pinned_attachments", "action_stream", "team_stream"
)  # fmt: skip

CORRECTIONS: tuple[Correction, ...] = (
    Correction("onepagecrm", _ERRORS, _ANY_NAME, _PLACEHOLDER),
    Correction("onepagecrm", _STATUS, {"type": "string", "pattern": _STATUS_KEYS}, _NUMBERED),
    Correction("onepagecrm", _LOGO, {"type": "string", "nullable": True}, _NO_LOGO),
    Correction(
        "onepagecrm", f"{_DEAL_FIELDS}/total_count", {"$ref": f"{_PAGE}/total_count"}, _MISPLACED
    ),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/page", {"$ref": f"{_PAGE}/page"}, _MISPLACED),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/per_page", {"$ref": f"{_PAGE}/per_page"}, _MISPLACED),
    Correction("onepagecrm", f"{_DEAL_FIELDS}/max_page", {"$ref": f"{_PAGE}/max_page"}, _MISPLACED),
    Correction(
        "onepagecrm", f"{_DEAL_FIELDS}/deal_fields/items/properties", _DEAL_FIELD, _MISPLACED
    ),
    Correction("onepagecrm", f"{_BOOTSTRAP}/lead_sources", _SOURCES, _PLURAL),
    Correction("onepagecrm", f"{_BOOTSTRAP}/statuses", _STATUSES, _PLURAL),
    Correction("commanders_act", _STATISTICS, value=False, reason=_TOKEN),
    Correction("commanders_act", _SEGMENTS, value=False, reason=_TOKEN),
    Correction("commanders_act", f"{_REPORT}/meta/pagination", _TWO_LINES, _ONE_PAGE),
    Correction(
        "commanders_act",
        f"{_REPORT}/links/next",
        "https://example.com/ams/reports/1/data",
        _ANOTHER,
    ),
)

#: resources that the document does not have
UNDOCUMENTED: tuple[Departure, ...] = (
    Departure(
        "commanders_act",
        "users",
        "/users",
        "in the document's text only, as its example of a request",
    ),
)

#: parameters that the client sends and the document does not list
PARAMETERS: tuple[Departure, ...] = (
    Departure("commanders_act", "report_data", "/ams/reports/{id}/data: page[number]", _LINKED),
    Departure("commanders_act", "report_data", "/ams/reports/{id}/data: page[size]", _LINKED),
    Departure("onepagecrm", "contacts", "/contacts/cascade: team", _ALL),
    Departure("onepagecrm", "contacts", "/contacts/cascade/{last_id}: team", _ALL),
    Departure("onepagecrm", "pipelines", "/pipelines: page", _COUNTED),
    Departure("onepagecrm", "webhooks", "/webhooks: page", _COUNTED),
    Departure("onepagecrm", "predefined_items", "/predefined_items: page", _UNCOUNTED),
    Departure("onepagecrm", "predefined_item_groups", "/predefined_item_groups: page", _UNCOUNTED),
    Departure("onepagecrm", "predefined_actions", "/predefined_actions: page", _UNCOUNTED),
    Departure(
        "onepagecrm", "predefined_action_groups", "/predefined_action_groups: page", _UNCOUNTED
    ),
)

#: what Prism refuses of an operation that the document describes so that nobody can ask it
OPERATIONS: tuple[Departure, ...] = (
    Departure("commanders_act", "operations", f"patch /destinations {{}}: {_NO_PLACE}", _ID),
    Departure("commanders_act", "operations", f"patch /sources {{}}: {_NO_PLACE}", _ID),
    Departure(
        "commanders_act", "operations", f"patch /tms/serverside-containers {{}}: {_NO_PLACE}", _ID
    ),
    Departure("commanders_act", "operations", f"patch /tms/web-containers {{}}: {_NO_PLACE}", _ID),
    Departure("commanders_act", "operations", f"delete {_CUSTOM_FIELD} {{}}: {_NO_PLACE}", _ID),
)

#: where the sandbox's answers break the document
ANSWERS: tuple[Departure, ...] = (
    Departure("onepagecrm", "bootstrap", "data.reason_losts: unknown", _LIVE),
    Departure("onepagecrm", "call_results", 'data.call_result.result: format "bson-id"', _WORD),
    Departure("commanders_act", "sources", "data.attributes.cron: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.data_end_date: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.data_last: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.data_range_type: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.data_start_date: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.deleted_at: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.next_request_at: type string", _NULL),
    Departure("commanders_act", "sources", "data.attributes.start_date: type string", _NULL),
    Departure(
        "commanders_act", "sources", f"{_HEALTH}.fail.error.increase_rate: type number", _NULL
    ),
    Departure(
        "commanders_act", "sources", f"{_HEALTH}.success.retry.increase_rate: type number", _NULL
    ),
    Departure("commanders_act", "sources", "data.attributes.end_date: unknown", _END),
    Departure("commanders_act", "destinations", "data.attributes.cron: type string", _NULL),
    Departure(
        "commanders_act", "destinations", "data.attributes.data_end_date: type string", _NULL
    ),
    Departure("commanders_act", "destinations", "data.attributes.data_last: type string", _SOURCE),
    Departure(
        "commanders_act", "destinations", "data.attributes.data_range_type: type string", _SOURCE
    ),
    Departure(
        "commanders_act", "destinations", "data.attributes.data_start_date: type string", _NULL
    ),
    Departure("commanders_act", "destinations", "data.attributes.deleted_at: type string", _NULL),
    Departure(
        "commanders_act", "destinations", "data.attributes.next_request_at: type string", _NULL
    ),
    Departure("commanders_act", "destinations", "data.attributes.start_date: type string", _NULL),
    Departure(
        "commanders_act", "destinations", f"{_HEALTH}.fail.error.increase_rate: type number", _NULL
    ),
    Departure(
        "commanders_act",
        "destinations",
        f"{_HEALTH}.success.retry.increase_rate: type number",
        _NULL,
    ),
    Departure("commanders_act", "destinations", "data.attributes.end_date: unknown", _END),
    Departure(
        "commanders_act",
        "destinations",
        "data.attributes.parameters.access_token: unknown",
        _PLANTED,
    ),
    Departure(
        "commanders_act",
        "segments_statistics",
        "data.attributes.nb_visitors_added: type number",
        _TEXT,
    ),
    Departure(
        "commanders_act",
        "segments_statistics",
        "data.attributes.nb_visitors_removed: type number",
        _TEXT,
    ),
    Departure(
        "commanders_act",
        "segments_statistics",
        "data.attributes.nb_visitors_total: type number",
        _TEXT,
    ),
    Departure("commanders_act", "segments_statistics", "data.id: type number", _TEXT),
    *(
        Departure("commanders_act", name, "data: type object", _LISTED)
        for name in (
            "source_catalog",
            "destination_catalog",
            "source_categories",
            "destination_categories",
            "event_types",
            "redirect_rules",
        )
    ),
    Departure(
        "commanders_act", "cleansing_transformations", "data.attributes.status: unknown", _NO_STATUS
    ),
    Departure("commanders_act", "cookie_scanners", "data.attributes: required name", _OTHERS),
    Departure("commanders_act", "cookie_scanners", "data.attributes: required origin", _OTHERS),
    Departure("commanders_act", "cookie_scanners", "data.attributes: required status", _OTHERS),
    Departure("commanders_act", "cookie_fields", 'data.type: enum ["health/alert"]', _OTHER_TYPE),
    Departure(
        "commanders_act",
        "delivery_healths",
        "data.attributes.fail.error.increase_rate: type number",
        _SAME,
    ),
    Departure(
        "commanders_act",
        "delivery_healths",
        "data.attributes.success.retry.increase_rate: type number",
        _SAME,
    ),
    Departure(
        "commanders_act", "delivery_issues", "data.attributes.error.stream_hit_id: unknown", _HIT
    ),
    Departure(
        "commanders_act", "delivery_issues", "data.attributes.error: required stream_hit", _HIT
    ),
    Departure(
        "commanders_act", "delivery_issues", "data.attributes.rejected.stream_hit_id: unknown", _HIT
    ),
    Departure(
        "commanders_act", "delivery_issues", "data.attributes.rejected: required stream_hit", _HIT
    ),
    Departure("commanders_act", "report_data", "data.rows: unknown", _ROWS),
    Departure(
        "commanders_act",
        "report_data",
        "data.total.attribution-model-22_metric-29.value: type object",
        _CELLS,
    ),
    Departure(
        "commanders_act",
        "report_data",
        "data.total.attribution-model-5_metric-29.value: type object",
        _CELLS,
    ),
    Departure("commanders_act", "report_data", "data.total.name.value: type object", _CELLS),
    Departure("commanders_act", "report_data", "links: required next", _LAST),
    Departure(
        "commanders_act",
        "operations",
        "data.attributes.fail.error.increase_rate: type number",
        _SAME,
    ),
    Departure(
        "commanders_act",
        "operations",
        "data.attributes.success.retry.increase_rate: type number",
        _SAME,
    ),
)

#: documented fields that the wire schemas do not have, or have as a narrower type
FIELDS: tuple[Departure, ...] = (
    Departure("onepagecrm", "bootstrap", "data.auth_key: missing", _SECRET),
    Departure("onepagecrm", "bootstrap", "data.call_results: missing", _MAP),
    Departure("onepagecrm", "bootstrap", "data.company_fields: missing", _OWN),
    Departure("onepagecrm", "bootstrap", "data.custom_fields: missing", _OWN),
    Departure("onepagecrm", "bootstrap", "data.deal_fields: missing", _OWN),
    Departure("onepagecrm", "bootstrap", "data.settings.pipelines: missing", _OWN),
    Departure("onepagecrm", "bootstrap", "data.team: missing", _OWN),
    Departure("onepagecrm", "bootstrap", "data.user: missing", _OWN),
    *(
        Departure("onepagecrm", resource, f"{name}: missing", _EMBEDDED)
        for resource in _OF_CONTACTS[:4]
        for name in ("deals", "notes", "calls", "meetings", "pinned_attachments")
        if name != resource
    ),
    *(
        Departure("onepagecrm", resource, f"company.{name}: missing", _OWN)
        for resource in _OF_CONTACTS
        for name in ("contacts", "pending_deals")
    ),
    Departure("onepagecrm", "linked_contacts", "linked_contact.company.contacts: missing", _OWN),
    Departure(
        "onepagecrm", "linked_contacts", "linked_contact.company.pending_deals: missing", _OWN
    ),
    Departure("onepagecrm", "webhooks", "hook_url: missing", _ADDRESS),
    Departure("onepagecrm", "webhooks", "secretkey: missing", _SECRET),
    Departure("onepagecrm", "deals", "contacts: missing", _EMBEDDED),
    Departure("commanders_act", "sources", "attributes.parameters: missing", _SECRET),
    Departure(
        "commanders_act", "sources", "attributes.health.fail.error.total: number as Int64", _COUNT
    ),
    Departure(
        "commanders_act",
        "sources",
        "attributes.health.fail.rejected.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "sources",
        "attributes.health.success.immediate.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "sources",
        "attributes.health.success.retry.total: number as Int64",
        _COUNT,
    ),
    Departure("commanders_act", "sources", "attributes.health.total: number as Int64", _COUNT),
    Departure("commanders_act", "destinations", "attributes.parameters: missing", _SECRET),
    Departure(
        "commanders_act",
        "destinations",
        "attributes.health.fail.error.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "destinations",
        "attributes.health.fail.rejected.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "destinations",
        "attributes.health.success.immediate.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "destinations",
        "attributes.health.success.retry.total: number as Int64",
        _COUNT,
    ),
    Departure("commanders_act", "destinations", "attributes.health.total: number as Int64", _COUNT),
    Departure("commanders_act", "activity_logs", "attributes.properties: missing", _CHANGED),
    *(
        Departure("commanders_act", name, f"attributes.{field}: missing", _TWICE)
        for name in ("source_catalog", "destination_catalog")
        for field in ("attributes", "id", "type")
    ),
    Departure(
        "commanders_act", "cleansing_transformations", "attributes.parameters: missing", _SECRET
    ),
    Departure("commanders_act", "enrichment_events", "attributes.parameters: missing", _SECRET),
    Departure(
        "commanders_act", "enrichment_events", f"relationships.sources.data: {_LIST}", _SEVERAL
    ),
    Departure(
        "commanders_act", "enrichment_events", f"relationships.variables.data: {_LIST}", _SEVERAL
    ),
    Departure("commanders_act", "alerts", "attributes.parameters: missing", _SECRET),
    Departure("commanders_act", "alerts", f"relationships.creator.data: {_LIST}", _SEVERAL),
    Departure("commanders_act", "alerts", f"relationships.notification.data: {_LIST}", _SEVERAL),
    Departure("commanders_act", "notifications", "attributes.channel_settings: missing", _SECRET),
    Departure("commanders_act", "cookies", "attributes.sample: missing", _PERSONAL),
    Departure("commanders_act", "cookies", f"relationships.fields.data: {_LIST}", _SEVERAL),
    Departure("commanders_act", "serverside_tags", "attributes.destination_url: missing", _SECRET),
    Departure("commanders_act", "serverside_tags", "attributes.headers: missing", _SECRET),
    Departure("commanders_act", "serverside_tags", "attributes.post_parameters: missing", _SECRET),
    Departure(
        "commanders_act", "delivery_healths", "attributes.fail.error.total: number as Int64", _COUNT
    ),
    Departure(
        "commanders_act",
        "delivery_healths",
        "attributes.fail.rejected.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "delivery_healths",
        "attributes.success.immediate.total: number as Int64",
        _COUNT,
    ),
    Departure(
        "commanders_act",
        "delivery_healths",
        "attributes.success.retry.total: number as Int64",
        _COUNT,
    ),
    Departure("commanders_act", "delivery_healths", "attributes.total: number as Int64", _COUNT),
    Departure("commanders_act", "delivery_issue_details", "attributes.request: missing", _PERSONAL),
    Departure(
        "commanders_act", "delivery_issue_details", "attributes.response: missing", _PERSONAL
    ),
    Departure(
        "commanders_act", "delivery_issue_details", "attributes.timestamp: number as Int64", _MILLIS
    ),
    Departure("commanders_act", "report_data", "row: array as Int64", _FLAT),
    Departure("commanders_act", "report_data", "columns: missing", _TOTAL),
    Departure("commanders_act", "report_data", "total: missing", _TOTAL),
    Departure("commanders_act", "delivery_issues", "id: missing", _FLAT),
    *(
        Departure("commanders_act", name, f"{field}: missing", _FLAT)
        for name in (
            "delivery_issues",
            "data_quality",
            "data_quality_anomalies",
            "data_quality_sources",
        )
        for field in ("attributes", "type")
    ),
)

#: where the sandbox's answers to generated requests break the document, by operation; `EVERY` stands for any of them
GENERATED: tuple[Departure, ...] = (
    Departure(
        "onepagecrm",
        "DELETE /companies/{company_id}/logo",
        "status 404 is not documented",
        _NO_COMPANY,
    ),
    Departure("commanders_act", EVERY, "status 400 is not documented", _NO_REFUSAL),
    Departure("commanders_act", EVERY, "status 404 is not documented", _NO_REFUSAL),
    Departure("commanders_act", EVERY, "data: required id - type - attributes", _AS_ONE),
    *(
        Departure(
            "commanders_act", f"{method} /sources", f"data.attributes.{field}: type string", _SOURCE
        )
        for method in ("POST", "GET")
        for field in ("last_request_at", "last_run_at")
    ),
    Departure("commanders_act", "POST /health/alerts", "data.id: unknown", _NO_ID),
    Departure("commanders_act", "POST /health/notifications", "data.id: unknown", _NO_ID),
    Departure(
        "commanders_act", "PUT /privacy/cookie-scanner/cookies/{id}", "data.id: unknown", _NO_ID
    ),
    Departure(
        "commanders_act",
        "PUT /privacy/cookie-scanner/setting/custom-fields/{custom_field}",
        "data.id: unknown",
        _NO_ID,
    ),
    Departure(
        "commanders_act",
        "PATCH /integrations/cleansing-transformations/{id}",
        "data.attributes.event_count: unknown",
        _NOT_SAID,
    ),
    Departure(
        "commanders_act",
        "GET /tms/web-constraints",
        "data.relationships.trigger: unknown",
        _NOT_SAID,
    ),
    Departure(
        "commanders_act",
        "GET /tms/web-constraints",
        "data.relationships.variable: unknown",
        _NOT_SAID,
    ),
    Departure(
        "commanders_act",
        "GET /tms/web-perimeters",
        "data.relationships.variable: unknown",
        _NOT_SAID,
    ),
    Departure(
        "commanders_act",
        "GET /tms/serverside-constraints",
        "data.relationships.variable: unknown",
        _NOT_SAID,
    ),
    Departure("commanders_act", "GET /tms/web-containers", "data: required relationships", _NEW),
    Departure(
        "commanders_act", "GET /sources/{id}", "data.relationships.connector: unknown", _RELATED
    ),
    Departure(
        "commanders_act", "GET /sources/{id}", "data.relationships.environment: unknown", _RELATED
    ),
)
