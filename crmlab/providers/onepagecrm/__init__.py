"""OnePageCRM API v3: contacts, companies, deals and what was done about them.

Source: the vendor's OpenAPI document (developer.onepagecrm.com) and, for the rate limit, the
vendor's developer blog "API Rate Limit" (2014): 5 requests a second, bursts of 10, counted by IP.
Past it the service answers 403 with plain text (the document's 403), not 429.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import (
    Context,
    EmbeddedList,
    Field,
    Limits,
    Page,
    PageSize,
    Provider,
    Request,
    Resource,
    get,
    page_size_fact,
    read_refusal,
    refuse,
    time_zone_fact,
)
from crmlab.connector.operation import declared_in
from crmlab.providers.onepagecrm import fields, views
from crmlab.providers.onepagecrm.pages import (
    Envelope,
    asks_for_history,
    contact_pages,
    embedding,
    numbered_pages,
    total,
)
from crmlab.providers.onepagecrm.probes import PROBES

_PER_PAGE = 100


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
    raise refuse(page, now=time.time(), code=refusal.error_name, detail=refusal.error_message or refusal.message)


def _signed_in(page: Page) -> str:
    data = page.read(_Bootstrap).data
    me = data.user.get("user", data.user)
    name = f"{me.get('first_name') or ''} {me.get('last_name') or ''}".strip()
    known = [part for part in (name, me.get("email"), me.get("company_name")) if part]
    count = 1 + len(data.team)  # the team is the rest
    users = "user" if count == 1 else "users"
    return f"signed in as {', '.join(known)} · {count:,} {users}"


def _order(context: Context) -> str:
    """Return what a list is sorted by: what comes into it while it is read shall come at its end."""
    return "modified_at" if context.since or context.until else "created_at"


def _inserted_at(context: Context) -> pl.Expr:
    return views.utc_time(_order(context))


def _created(context: Context) -> pl.Expr:
    return views.utc_time("created_at")


def _first_page(where: str, *, timed: bool = True, **params: str) -> Callable[[Context], Iterable[Request]]:
    """Page 1 of a list in which new records come last; of a period, those changed in it."""

    def requests(context: Context) -> Iterable[Request]:
        period = _period(context) if timed else {"sort_by": "created_at"}
        first = Request(path=where, params={**period, "order": "asc", **params})
        return [first.with_params(page=1, per_page=_PER_PAGE)]

    return requests


def _period(context: Context) -> dict[str, str]:
    """Return the parameters that ask for what was changed in the period of the fetch, in its order."""
    asked = {"sort_by": _order(context)}
    if context.since:
        asked["modified_since"] = str(int(context.since.timestamp()))
    if context.until:
        asked["unmodified_since"] = str(int(context.until.timestamp()) + 1)
    return asked


def _deals(context: Context) -> Iterable[Request]:
    """Page 1 of the deals; with their history where the account asks for it."""
    first = [*_first_page("/deals")(context)]
    if not asks_for_history(context):
        return first
    return [request.with_params(include_history="true") for request in first]


def _list(name: str, record: str, **more: Any) -> Resource:
    """A list in pages that counts itself; `more` says what is different, or beside it."""
    usual: dict[str, Any] = {
        "requests": _first_page(f"/{name}"),
        "follow": numbered_pages,
        "page_size": PageSize(name="per_page"),
        "total": total,
        "inserted_at": _inserted_at,
        "projection": fields.LEAN,
    }
    return Resource(name=name, path=("data", name), unwrap=record, **(usual | more))


def _lookup(name: str, record: str | None, doc: str, **more: Any) -> Resource:
    """A list that comes whole, whatever its length: asked once, never paged."""
    return Resource(name=name, doc=doc, requests=get(f"/{name}"), unwrap=record, **more)


_IN_BOOTSTRAP = (
    EmbeddedList(resource="users", path=("data", "user")),
    EmbeddedList(resource="users", path=("data", "team")),
    EmbeddedList(resource="pipelines", path=("data", "settings", "pipelines")),
    EmbeddedList(resource="statuses", path=("statuses",)),
    EmbeddedList(resource="lead_sources", path=("lead_sources",)),
    *(EmbeddedList(resource=name, path=("data", name)) for name in ("custom_fields", "company_fields", "deal_fields")),
)
_TIMED = ("contacts", "companies", "deals", "actions", "notes", "calls", "meetings")
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
            help="yes: deals come with the last stage that they had in each pipeline, in a list of their own",
        ),
    ),
    sign=_sign,
    check=_check,
    limits=Limits(rate=5, burst=10, concurrency=10, scope="ip"),
    # one request like /users, and the only one that says who is signed in
    ping=Request(path="/bootstrap"),
    reached=_signed_in,
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
        _lookup("users", "user", "Members of the account.", schema=fields.USER, views=views.USERS),
        Resource(
            name="pipelines",
            doc="Sales pipelines with their stages.",
            requests=get("/pipelines"),
            # documented without page parameters, answered with page counts: followed if there are more
            follow=numbered_pages,
            total=total,
            path=("data", "pipelines"),
            unwrap="pipeline",
            schema=fields.PIPELINE,
            views=views.STAGES,
        ),
        _lookup(
            "call_results",
            "call_result",
            "Results of calls, with how often each is used.",
            schema=fields.CALL_RESULT,
            key=pl.col("result"),
        ),
        Resource(
            name="predefined_items",
            doc="Products of the account's catalogue, which items of deals are taken from.",
            requests=get("/predefined_items"),
            # as the pipelines
            follow=numbered_pages,
            total=total,
            path=("data", "predefined_items"),
            unwrap="predefined_item",
            schema=fields.PREDEFINED_ITEM,
        ),
        _lookup("statuses", "status", "Statuses of contacts.", schema=fields.STATUS, views=views.STATUSES),
        _lookup("lead_sources", None, "Where contacts come from.", schema=fields.LEAD_SOURCE, views=views.LEAD_SOURCES),
        *(
            _list(
                name,
                name[:-1],
                doc=f"Custom fields of {entity} records.",
                requests=_first_page(f"/{name}", timed=False),
                inserted_at=None,
                schema=fields.FIELD,
                views=views.fields(entity),
            )
            for name, entity in _FIELD_LISTS.items()
        ),
        _list(
            "contacts",
            "contact",
            doc="Contacts of the whole team, with their deals, notes, calls and meetings inside where that saves "
            "requests; past 10,000 in parts by the time of their creation.",
            requests=_first_page("/contacts", team="true"),
            follow=contact_pages,
            embeds=tuple(EmbeddedList(resource=name, path=(name,)) for name in ("deals", "notes", "calls", "meetings")),
            embedding=embedding,
            schema=fields.CONTACT,
            envelope_fields=fields.BESIDE_CONTACT,
            views=views.CONTACTS,
        ),
        _list(
            "companies",
            "company",
            doc="Companies (no time filter: always all).",
            requests=_first_page("/companies", timed=False),
            inserted_at=_created,
            schema=fields.COMPANY,
            views=views.COMPANIES,
        ),
        _list(
            "deals",
            "deal",
            doc="Deals with their items; with stage_history=yes also the last stage that each had in each pipeline.",
            requests=_deals,
            schema=fields.DEAL,
            views=views.deals,
            view_tables=("deals", "deal_items"),
            needs_before_decode=("bootstrap", "pipelines"),
        ),
        _list("actions", "action", doc="Next actions, done and to do.", schema=fields.ACTION, views=views.ACTIONS),
        _list("notes", "note", doc="Notes.", schema=fields.NOTE, views=views.NOTES),
        _list(
            "calls",
            "call",
            doc="Calls.",
            schema=fields.CALL,
            views=views.calls,
            view_tables=("activities",),
            needs_before_decode=("bootstrap",),
        ),
        _list("meetings", "meeting", doc="Meetings.", schema=fields.MEETING, views=views.MEETINGS),
    ),
    operations=declared_in("crmlab.providers.onepagecrm.operations"),
    assumptions=(
        "the cascade (for more than 10,000 contacts created in one second) takes team=true like the list does",
        "deals inside a contact are those whose main contact it is; what is missing there is read from its own list",
        "pipelines take page=2 where their answer counts more pages",
        "reason_losts of the settings, documented nowhere and seen in answers of live accounts, name the reasons of "
        "lost deals; where an account sends none, their ids stay as they are",
        "pages hold as many records as asked for, or as the service says or gives where it caps them; a full page "
        "beside which nothing is counted is followed by the next",
    ),
    probes=PROBES,
    facts=(page_size_fact(), time_zone_fact(**dict.fromkeys(_TIMED, ("created_at", "modified_at")))),
    not_covered=(
        "creating, changing and deleting records",
        "attachments, webhooks, predefined texts, relationship types",
    ),
    never_kept=fields.NEVER_KEPT_OF_LISTS_NOT_READ,
)
