"""What a list of an API is, as a value: how to ask for it, to page it, to read it. Nothing here acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from crmlab.connector.page import Page
from crmlab.connector.paging import Paginator, one_answer
from crmlab.connector.request import Request
from crmlab.errors import ApiError

Schema = Mapping[str, pl.DataType | type[pl.DataType]]


#: keys that lead from a JSON object to something inside it
JsonPath = tuple[str, ...]


#: wire type of a top-level field of any shape, kept as its exact JSON text
JSON = pl.Binary


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a resource may know when it says which requests it needs and how to read the answers.

    `rows` holds the records of the resources it declares in `needs_before_request` and `needs_before_decode`.
    """

    now: dt.datetime
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How records become rows of one shared table: a column for each expression.

    With `explode`, one row for each element of that list, which the expressions read as
    ``pl.col("item")``. `where` keeps only the rows it is true for.
    """

    table: str
    columns: Mapping[str, pl.Expr]
    explode: pl.Expr | None = None
    where: pl.Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedList:
    """Records of another resource that answers of this one hold.

    `path`: the way from a record of this one (or from what stands beside it) to the list of them.
    """

    resource: str
    path: JsonPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """How a list is asked to hold the records of others, so that these need no requests of their own.

    `first` asks it of a first request; `rest` gives the requests after its answer, with those resources
    inside (none: the plain list), in pages of one of `sizes`, largest first; `smaller` cuts a request
    that was too much for the service (at last without anything inside; nothing: it cannot be cut).
    """

    first: Callable[[Request, Iterable[str]], Request]
    rest: Callable[[Page, Iterable[str], int], Iterable[Request]]
    smaller: Callable[[Request], Iterable[Request]]
    sizes: tuple[int, ...]
    #: whether it can be asked of a fetch like this: a list of what changed holds not all that did
    possible: Callable[[Context], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of record of one API: how to ask for it, to page it, to read it."""

    name: str
    doc: str
    #: the first requests; those that follow an answer are the paginator's
    requests: Callable[[Context], Iterable[Request]]
    follow: Paginator = one_answer
    #: constants of a request that the expressions may read, as ``_name``
    tags: tuple[str, ...] = ()
    #: resources whose rows `requests` needs
    needs_before_request: tuple[str, ...] = ()
    #: resources whose rows only `wire` and `views` need: asked for at the same time
    needs_before_decode: tuple[str, ...] = ()
    #: the way from the body to the list of records; empty where the body is the list
    path: JsonPath = ("data",)
    #: one record stands there instead of a list
    single: bool = False
    #: the key that holds the record inside each item of the list
    unwrap: str | None = None
    #: what stands beside it there; only the provider's own records show it
    envelope_fields: Schema = field(default_factory=dict)
    #: the record as documented
    wire: Schema | Callable[[Context], Schema]
    #: narrower types of nested fields, where `views` reads a part: nested values cost most
    projection: Schema = field(default_factory=dict)
    #: what makes a record one of a kind
    key: pl.Expr = field(default_factory=lambda: pl.col("id"))
    views: tuple[View, ...] | Callable[[Context], tuple[View, ...]] = ()
    #: the tables of `views`, where that is a function
    view_tables: tuple[str, ...] = ()
    #: how many records the service says the list has, where it can say it
    total: Callable[[Page], int | None] | None = None
    #: when a record came into the list, by the service's clock: tells what was added while it was read
    inserted_at: Callable[[Context], pl.Expr] | None = None
    #: records of others in the answers: always, or as far as `embedding` asks for them
    embeds: tuple[EmbeddedList, ...] = ()
    embedding: Embedding | None = None
    #: what other resources may know of its records (distinct rows of it); all of them where empty
    exports: Mapping[str, pl.Expr] = field(default_factory=dict)
    #: an error answer that means "nothing here" rather than failure
    is_empty_answer: Callable[[ApiError, Request], bool] = lambda error, request: False
    #: what the summary should say of a fetch like this, e.g. a period that is asked by default
    note: Callable[[Context], str] = lambda context: ""
    #: reading changes something at the service
    destructive: bool = False
    #: a list that tells no end may repeat its last page for ever: a page with nothing new ends it
    may_repeat_last_page: bool = False

    @property
    def is_tallied(self) -> bool:
        """Whether what came is compared with what the service counts, or with what came before."""
        return self.total is not None or self.may_repeat_last_page

    def always_embeds(self, name: str) -> bool:
        """Whether its answers hold records of that resource, without being asked for them."""
        return not self.embedding and any(each.resource == name for each in self.embeds)

    @property
    def tables(self) -> tuple[str, ...]:
        """The shared tables that it fills."""
        if callable(self.views):
            return self.view_tables
        return tuple(dict.fromkeys(view.table for view in self.views))


def get(path: str, **params: Any) -> Callable[[Context], Iterable[Request]]:
    """Return a `Resource.requests` that asks once, the same whatever the context."""
    request = Request(path=path, params={name: str(value) for name, value in params.items()})
    return lambda context: (request,)
