"""What the description of a service is made of: requests, pages, paginators, resources, limits. Pure values."""

from __future__ import annotations

from crmlab.connector.estimate import bound, embedding, expected, pages
from crmlab.connector.expressions import (
    WORDS,
    custom,
    date,
    each,
    flag,
    full_name,
    integer,
    iso_time,
    lookup,
    number,
    some,
    split,
    text,
    texts,
    unix_millis,
    unix_time,
)
from crmlab.connector.limits import Limits
from crmlab.connector.operation import Operation
from crmlab.connector.page import Page, mended, refuse
from crmlab.connector.paging import Paginator, cursor, end, numbered, widening
from crmlab.connector.provider import Field, Provider, listing, url_fields
from crmlab.connector.request import PART, Request, path
from crmlab.connector.resource import JSON, Context, Embedding, Held, Resource, Schema, View, get
from crmlab.connector.time_slices import Span, seconds, slices

__all__ = [
    "JSON",
    "PART",
    "WORDS",
    "Context",
    "Embedding",
    "Field",
    "Held",
    "Limits",
    "Operation",
    "Page",
    "Paginator",
    "Provider",
    "Request",
    "Resource",
    "Schema",
    "Span",
    "View",
    "bound",
    "cursor",
    "custom",
    "date",
    "each",
    "embedding",
    "end",
    "expected",
    "flag",
    "full_name",
    "get",
    "integer",
    "iso_time",
    "listing",
    "lookup",
    "mended",
    "number",
    "numbered",
    "pages",
    "path",
    "refuse",
    "seconds",
    "slices",
    "some",
    "split",
    "text",
    "texts",
    "unix_millis",
    "unix_time",
    "url_fields",
    "widening",
]
