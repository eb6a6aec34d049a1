"""OnePageCRM API v3: contacts, companies, deals and what was done about them.

Source: the vendor's OpenAPI document (developer.onepagecrm.com) and, for the rate limit, the
vendor's developer blog "API Rate Limit" (2014): 5 requests a second, bursts of 10, counted by IP.
Past it the service answers 403 with plain text (the document's 403), not 429.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import (
    EmbeddedList,
    Field,
    Limits,
    Page,
    Provider,
    Pushdown,
    Request,
    Resource,
    first_page_fact,
    get,
    loaded_from,
    one_value,
    page_size_fact,
    read_refusal,
    refuse,
    time_zone_fact,
)
from crmlab.providers.onepagecrm import fields, views
from crmlab.providers.onepagecrm.asking import (
    CHANGED,
    created_at,
    deals,
    first_page,
    of_deals,
    paged,
    told_pages,
    whole,
)
from crmlab.providers.onepagecrm.own_records import OWN_RECORDS
from crmlab.providers.onepagecrm.pages import Envelope, contact_pages, embedding, told_time


class _Refusal(msgspec.Struct):
    message: str = ""
    error_name: str = ""
    error_message: str = ""


class _Members(msgspec.Struct):
    user: dict[str, Any]
    team: list[msgspec.Raw] = []


class _Bootstrap(msgspec.Struct):
    data: _Members


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    pair = f"{secrets['user_id']}:{secrets['api_key']}".encode()
    return request.with_headers(Authorization=f"Basic {b64encode(pair).decode()}")


def _check(page: Page) -> None:
    if page.succeeded:
        envelope = page.read(Envelope)
        if envelope.status:
            raise refuse(page, now=time.time(), detail=envelope.message, status=envelope.status)
        return
    refusal = read_refusal(page, _Refusal())
    # too many requests answer 403 with plain text: `refuse` tells that from a missing right
    raise refuse(
        page,
        now=time.time(),
        code=refusal.error_name,
        detail=refusal.error_message or refusal.message,
    )


def _signed_in(page: Page) -> str:
    bootstrap = page.read(_Bootstrap).data
    own_user = bootstrap.user.get("user", bootstrap.user)
    name = f"{own_user.get('first_name') or ''} {own_user.get('last_name') or ''}".strip()
    identity = [
        known_part
        for known_part in (name, own_user.get("email"), own_user.get("company_name"))
        if known_part
    ]
    user_count = 1 + len(bootstrap.team)  # the team is the rest
    users = "user" if user_count == 1 else "users"
    return f"signed in as {', '.join(identity)} · {user_count:,} {users}"


_IN_BOOTSTRAP = (
    EmbeddedList(resource="users", path=("data", "user")),
    EmbeddedList(resource="users", path=("data", "team")),
    EmbeddedList(resource="pipelines", path=("data", "settings", "pipelines")),
    EmbeddedList(resource="statuses", path=("statuses",)),
    EmbeddedList(resource="lead_sources", path=("lead_sources",)),
    *(
        EmbeddedList(resource=name, path=("data", name))
        for name in ("custom_fields", "company_fields", "deal_fields")
    ),
)
_TIMED = ("contacts", "companies", "deals", "actions", "notes", "calls", "meetings")
#: of notes, calls and meetings only a time can be asked for
_WORK = {"activities": Pushdown(time="modified_at")}
_FIELD_LISTS = {"custom_fields": "contact", "company_fields": "company", "deal_fields": "deal"}


PROVIDER = Provider(
    name="onepagecrm",
    title="OnePageCRM",
    base_url="https://app.onepagecrm.com/api/v3",
    home="https://developer.onepagecrm.com/",
    fields=(
        Field(
            name="user_id",
            label="User ID",
            secret=False,
            pattern="[^:]+",
            help="OnePageCRM > Apps > API > Configuration, or app.onepagecrm.com/app/api",
        ),
        Field(
            name="api_key",
            label="API key",
            help="OnePageCRM > Apps > API > Configuration, beside the user ID",
        ),
        Field(
            name="stage_history",
            label="Stage history",
            secret=False,
            default="no",
            pattern="yes|no",
            help="yes: deals come with the last stage that they had in each pipeline, in a list "
            "of their own",
        ),
    ),
    sign=_sign,
    check=_check,
    limits=Limits(rate=5, burst=10, concurrency=10, scope="ip"),
    # one request like /users, and the only one that says who is signed in
    ping=Request(path="/bootstrap"),
    reached=_signed_in,
    clock=told_time,
    ping_resource="bootstrap",
    resources=(
        Resource(
            name="bootstrap",
            doc="The account's settings and tags in one answer, with the short lists of others.",
            requests=get("/bootstrap"),
            embeds=_IN_BOOTSTRAP,
            path=(),
            single=True,
            schema=fields.BOOTSTRAP,
            computed=views.BOOTSTRAP_COMPUTED,
            never_kept=fields.NEVER_KEPT_OF_SETTINGS,
            key=views.BOOTSTRAP_KEY,
            views=views.BOOTSTRAP,
        ),
        whole("users", "user", "Members of the account.", schema=fields.USER, views=views.USERS),
        told_pages(
            "pipelines",
            "pipeline",
            doc="Sales pipelines with their stages.",
            schema=fields.PIPELINE,
            views=views.STAGES,
        ),
        whole(
            "statuses",
            "status",
            "Statuses of contacts.",
            schema=fields.STATUS,
            views=views.STATUSES,
        ),
        whole(
            "lead_sources",
            None,
            "Where contacts come from.",
            schema=fields.LEAD_SOURCE,
            views=views.LEAD_SOURCES,
        ),
        *(
            paged(
                name,
                name[:-1],
                doc=f"Custom fields of {entity} records.",
                requests=first_page(f"/{name}", timed=False),
                inserted_at=None,
                schema=fields.FIELD,
                views=views.fields(entity),
            )
            for name, entity in _FIELD_LISTS.items()
        ),
        paged(
            "contacts",
            "contact",
            doc="Contacts of the whole team, with their deals, notes, calls and meetings inside "
            "where that saves requests; past 10,000 in parts by the time of their creation.",
            requests=first_page("/contacts", team="true"),
            follow=contact_pages,
            embeds=tuple(
                EmbeddedList(resource=name, path=(name,))
                for name in ("deals", "notes", "calls", "meetings")
            ),
            embedding=embedding,
            change_filter=CHANGED,
            schema=fields.CONTACT,
            envelope_fields=fields.BESIDE_CONTACT,
            views=views.CONTACTS,
            pushdown={
                "contacts": Pushdown(time="modified_at", params=one_value(owner_id="owner_id"))
            },
        ),
        paged(
            "companies",
            "company",
            doc="Companies (no time filter: always all).",
            requests=first_page("/companies", timed=False),
            inserted_at=created_at,
            schema=fields.COMPANY,
            views=views.COMPANIES,
            exports={"id": pl.col("id")},
        ),
        paged(
            "deals",
            "deal",
            doc="Deals with their items; with stage_history=yes also the last stage that each had "
            "in each pipeline.",
            requests=deals,
            change_filter=CHANGED,
            schema=fields.DEAL,
            views=views.deals,
            view_tables=("deals", "deal_items"),
            needs_before_decode=("bootstrap", "pipelines"),
            pushdown={"deals": Pushdown(time="modified_at", params=of_deals)},
        ),
        paged(
            "actions",
            "action",
            doc="Next actions, done and to do.",
            change_filter=CHANGED,
            schema=fields.ACTION,
            views=views.ACTIONS,
            pushdown={
                "activities": Pushdown(time="modified_at", params=one_value(owner_id="assignee_id"))
            },
        ),
        paged(
            "notes",
            "note",
            doc="Notes.",
            change_filter=CHANGED,
            schema=fields.NOTE,
            views=views.NOTES,
            pushdown=_WORK,
        ),
        paged(
            "calls",
            "call",
            doc="Calls.",
            change_filter=CHANGED,
            schema=fields.CALL,
            views=views.calls,
            view_tables=("activities",),
            needs_before_decode=("bootstrap",),
            pushdown=_WORK,
        ),
        paged(
            "meetings",
            "meeting",
            doc="Meetings.",
            change_filter=CHANGED,
            schema=fields.MEETING,
            views=views.MEETINGS,
            pushdown=_WORK,
        ),
        *OWN_RECORDS,
    ),
    operations=loaded_from("crmlab.providers.onepagecrm.operations", "OPERATIONS"),
    targets=loaded_from("crmlab.providers.onepagecrm.targets", "TARGETS"),
    assumptions=(
        "the cascade (for more than 10,000 contacts created in one second) takes team=true like "
        "the list does",
        "deals inside a contact are those whose main contact it is; what is missing there is read "
        "from its own list",
        "pipelines and webhooks take page=2 where their answer counts more pages",
        "filter_id chooses among the contacts of the whole team where team=true stands beside it; "
        "the contacts of a filter are asked for so, since the filter's own path gives 25 at a "
        "time in an order that changes",
        "reason_losts of the settings, documented nowhere and seen in answers of live accounts, "
        "name the reasons of lost deals; where an account sends none, their ids stay as they are",
        "pages hold as many records as asked for, or as the service says or gives where it caps "
        "them; a full page beside which nothing is counted is followed by the next",
    ),
    not_personal=fields.NOT_PERSONAL,
    probes=loaded_from("crmlab.providers.onepagecrm.probes", "PROBES"),
    facts=(
        first_page_fact(
            "the number of the first page of a list, 0 or 1; without it, a list of which fewer "
            "records come than are counted is read again from page 0 on"
        ),
        page_size_fact(),
        time_zone_fact(**dict.fromkeys(_TIMED, ("created_at", "modified_at"))),
    ),
    not_covered=("what stands in attached files: their addresses expire",),
)
