"""Deskline API v1: customers of a help desk and the tickets that they wrote.

An example: there is no such service. Its document would say: JSON over https, a key in the header
``X-Desk-Key``, lists in pages of up to 100 that tell how many there are, ``updated_since`` on both,
errors as ``{"error": "..."}``, 10 requests a second of each key, then 429 with ``Retry-After``.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import (
    ChangeFilter,
    Context,
    Field,
    Limits,
    Operation,
    Page,
    PageSize,
    Probe,
    Provider,
    Reads,
    Request,
    Resource,
    Schema,
    View,
    confirmed,
    date,
    iso_time,
    listed,
    numbered,
    page_size_fact,
    read_refusal,
    refuse,
    refuted,
    text,
    texts,
    untold,
)

# ---- how it is asked and what it answers ----------------------------------------------------------


class _Answer(msgspec.Struct):
    pages: int = 1
    total: int | None = None


class _Refusal(msgspec.Struct):
    error: str = ""


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    return request.with_headers(X_Desk_Key=secrets["api_key"])


def _check(page: Page) -> None:
    if page.succeeded:
        page.read(msgspec.Raw)  # a body that is cut off is no answer
        return
    raise refuse(page, now=time.time(), detail=read_refusal(page, _Refusal()).error)


#: clocks differ, so a refresh of a lake asks for some minutes more
_CHANGED = ChangeFilter(overlap=dt.timedelta(minutes=10))


def _pages(where: str) -> Callable[[Context], Iterable[Request]]:
    def requests(context: Context) -> Iterable[Request]:
        since = {"updated_since": context.since.isoformat()} if context.since else {}
        return [Request(path=where, params={**since, "page": "1", "per_page": "100"})]

    return requests


def _list(name: str, doc: str, **more: Any) -> Resource:
    return Resource(
        name=name,
        doc=doc,
        requests=_pages(f"/{name}"),
        follow=numbered(lambda page: page.read(_Answer).pages),
        total=lambda page: page.read(_Answer).total,
        path=(name,),
        page_size=PageSize(name="per_page"),
        change_filter=_CHANGED,
        **more,
    )


# ---- records as documented ------------------------------------------------------------------------

CUSTOMER: Schema = {
    **dict.fromkeys(("id", "name", "organisation", "phone", "created_at", "updated_at"), pl.String),
    "emails": pl.List(pl.String),
}
TICKET: Schema = {
    **dict.fromkeys(("id", "customer_id", "subject", "text", "state"), pl.String),
    **dict.fromkeys(("opened_at", "closed_at", "updated_at"), pl.String),
    "agent": pl.Struct({"id": pl.String, "name": pl.String}),
}

# ---- records as rows of the shared tables ---------------------------------------------------------

CUSTOMERS = (
    View(
        table="contacts",
        columns={
            "created_at": iso_time("created_at"),
            "modified_at": iso_time("updated_at"),
            "full_name": text("name"),
            "company_name": text("organisation"),
            "emails": texts("emails"),
            "phones": texts(pl.concat_list("phone")),
        },
    ),
)
TICKETS = (
    View(
        table="activities",
        columns={
            "created_at": iso_time("opened_at"),
            "modified_at": iso_time("updated_at"),
            "kind": pl.lit("ticket"),
            "contact_id": text("customer_id"),
            "owner_id": text(pl.col("agent").struct.field("id")),
            "subject": text("subject"),
            "body": text("text"),
            "status": text("state"),
            "starts_at": iso_time("opened_at"),
            "done": pl.col("state") == "closed",
            "done_at": date("closed_at"),
        },
    ),
)

# ---- whether it is true for an account ------------------------------------------------------------


def _since_includes(context: Context) -> Reads:
    # two, because some services send a list of one as that one
    some = yield Request(path="/customers", params={"per_page": "2"})
    times = [customer["updated_at"] for customer in listed(some, "customers")]
    if not times:
        return untold("there is no customer")
    at_edge = yield Request(
        path="/customers", params={"updated_since": times[0], "per_page": "100"}
    )
    if times[0] in [customer["updated_at"] for customer in listed(at_edge, "customers")]:
        return confirmed("a customer who was updated at that moment comes")
    return refuted("a customer who was updated at that moment does not come")


PROBES = (
    Probe(
        name="since",
        assumption="updated_since includes the moment that it names",
        source="documented nowhere",
        if_wrong="what was updated in the very second of since is missing: name a second earlier",
        reads=_since_includes,
        max_requests=2,
    ),
)

# ---- what can be called ---------------------------------------------------------------------------

_PAGES = {"page": int, "per_page": int, "updated_since": str}
OPERATIONS = (
    Operation(
        name="list_customers",
        method="GET",
        path="/customers",
        query=_PAGES,
        doc="A page of the customers.",
    ),
    Operation(
        name="list_tickets",
        method="GET",
        path="/tickets",
        query=_PAGES,
        doc="A page of the tickets.",
    ),
    Operation(name="get_ticket", method="GET", path="/tickets/{id}", doc="One ticket by its id."),
)

PROVIDER = Provider(
    name="deskline",
    title="Deskline",
    base_url="https://api.deskline.example/v1",
    home="https://deskline.example/developers",
    fields=(Field(name="api_key", label="API key", help="Deskline > Settings > API"),),
    sign=_sign,
    check=_check,
    limits=Limits(rate=10, burst=10, concurrency=5, scope="account"),
    ping=Request(path="/customers", params={"page": "1", "per_page": "1"}),
    reached=lambda page: f"{page.read(_Answer).total or 0:,} customers",
    ping_resource="customers",
    resources=(
        _list("customers", "Everybody who ever wrote.", schema=CUSTOMER, views=CUSTOMERS),
        _list("tickets", "What they wrote, and what became of it.", schema=TICKET, views=TICKETS),
    ),
    operations=lambda: OPERATIONS,
    assumptions=("updated_since includes the moment that it names",),
    probes=lambda: PROBES,
    facts=(page_size_fact(),),
    not_covered=("answering a ticket",),
)
