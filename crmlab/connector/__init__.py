"""What a service is described with, as values: this is the one place from which a description imports.

A description is a `Provider`: its fields (keys and settings), its limits, and its resources, each with a first
`Request`, a `Paginator`, the documented fields of a record, and views that turn records into rows of the shared
tables by expressions such as ``iso_time("created_at")``. Nothing here sends anything.
"""

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
from crmlab.connector.page import Page, read_refusal, refuse, replace_lone_surrogates, whole_number
from crmlab.connector.paging import PageSize, Paginator, chain, cursor, linked, numbered, one_answer, pointer, widening
from crmlab.connector.provider import Field, Provider, count_and_names, url_fields
from crmlab.connector.request import Request, fill_path
from crmlab.connector.resource import (
    JSON,
    RECORD,
    Context,
    EmbeddedList,
    Embedding,
    JsonPath,
    Resource,
    Schema,
    View,
    get,
)
from crmlab.connector.time_slices import Span, time_slices, unix_seconds
from crmlab.connector.timeouts import Timeouts

__all__ = [
    "JSON",
    "RECORD",
    "WORDS",
    "Context",
    "EmbeddedList",
    "Embedding",
    "Field",
    "JsonPath",
    "Limits",
    "Operation",
    "Page",
    "PageSize",
    "Paginator",
    "Provider",
    "Request",
    "Resource",
    "Schema",
    "Span",
    "Timeouts",
    "View",
    "bound",
    "chain",
    "count_and_names",
    "cursor",
    "custom",
    "date",
    "each",
    "embedding",
    "expected",
    "fill_path",
    "flag",
    "full_name",
    "get",
    "integer",
    "iso_time",
    "linked",
    "lookup",
    "number",
    "numbered",
    "one_answer",
    "pages",
    "pointer",
    "read_refusal",
    "refuse",
    "replace_lone_surrogates",
    "some",
    "split",
    "text",
    "texts",
    "time_slices",
    "unix_millis",
    "unix_seconds",
    "unix_time",
    "url_fields",
    "whole_number",
    "widening",
]
