"""What a list of an API is, as a value: how to ask for it, to page it, to read it. Nothing here acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from crmlab.connector.page import Page
from crmlab.connector.paging import PageSize, Paginator, one_answer
from crmlab.connector.request import Request
from crmlab.errors import ApiError
from crmlab.schema import Period

Schema = Mapping[str, pl.DataType | type[pl.DataType]]


#: keys that lead from a JSON object to something inside it
JsonPath = tuple[str, ...]


#: type of a top-level field of any shape, kept as its exact JSON text
JSON = pl.Binary

#: the JSON of the whole record as it came: `Resource.computed` may read it
RECORD = pl.col("_record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a resource may know when it says which requests it needs and how to read the answers.

    `now` is when the fetch began, `since` and `until` the period that it asks for. `options` are the settings of
    the account that are no secrets, and `facts` what it was told of its service, or found of it. `rows` holds the
    records of the resources that are declared in `needs_before_request` and `needs_before_decode`.
    """

    now: dt.datetime
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
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
    """A list of another resource's records within the answers of this one.

    `path` leads to it from each record, or from the item that holds the record where `Resource.unwrap` names one.
    """

    resource: str
    path: JsonPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """How a list is asked to embed the records of others, so that these need no requests of their own.

    `first` asks it of a first request. `rest` gives the requests that follow its answer, with those resources
    embedded (none: the plain list), in pages of one of `sizes`, which are named largest first. `smaller` gives
    smaller requests for one that was too much for the service: at last one that embeds nothing, and none at all
    for a request that cannot be cut.
    """

    first: Callable[[Request, Iterable[str]], Request]
    rest: Callable[[Page, Iterable[str], int], Iterable[Request]]
    smaller: Callable[[Request], Iterable[Request]]
    sizes: tuple[int, ...]
    #: whether a fetch like this may embed the records of that resource: a list of what changed does not hold all
    #: others that changed
    possible: Callable[[str, Context], bool]


#: the values that a column of a shared table is to have, by the column
Wanted = Mapping[str, frozenset[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushdown:
    """What of a filter of a shared table the service can apply, so that fewer records are asked for.

    More may come than fits the filter, for it is applied again to what came; what fits must never be left out.

    `time` names the column whose bounds may be the `since` and `until` of the context. `params` returns the query
    parameters that ask for no more than the records of which columns have the wanted values, as far as there are any.

    Examples
    --------
    >>> owners = Pushdown(time="modified_at", params=one_value(owner_id="owner"))
    >>> owners.params({"owner_id": frozenset({"u1"})})
    {'owner': 'u1'}
    >>> owners.params({"owner_id": frozenset({"u1", "u2"})})
    {}
    """

    time: str = ""
    params: Callable[[Wanted], Mapping[str, str]] = lambda wanted: {}


def one_value(**params: str) -> Callable[[Wanted], Mapping[str, str]]:
    """Return a `Pushdown.params` for parameters that take one value each: the column, and its parameter."""

    def asked(wanted: Wanted) -> Mapping[str, str]:
        asked_params: dict[str, str] = {}
        for column, param in params.items():
            values = wanted.get(column, frozenset())
            if len(values) == 1:
                asked_params[param] = str(next(iter(values)))
        return asked_params

    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """How a list is asked for what is new or changed since it was last read.

    `overlap` is how long before that it is asked again, since clocks differ and some records arrive late. `kept` is how
    far back a first reading asks, where a fetch without `since` would not ask for all that the service has.
    """

    overlap: dt.timedelta
    kept: dt.timedelta | None = None
    #: the service takes no shorter period than a day
    by_day: bool = False
    #: its records do not change and are not deleted by users: one that is gone has expired
    of_events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of record of one API: how to ask for it, to page it, to read it."""

    name: str
    #: one sentence on what it holds; the pages on services show it
    doc: str

    # ---- how it is asked -------------------------------------------------------------------------
    #: the first requests; the paginator `follow` gives those that follow an answer
    requests: Callable[[Context], Iterable[Request]]
    follow: Paginator = one_answer
    #: the vendor's own request for the beginning of a numbered list: where it does not begin as page 1 does, there is
    #: a page 0
    plain_request: Request | None = None
    #: by shared table, what of a filter goes into the first requests; those that follow keep it
    pushdown: Mapping[str, Pushdown] = field(default_factory=dict)
    #: how many records a page is asked for: a service that refuses so many is asked for fewer
    page_size: PageSize | None = None
    #: resources whose rows `requests` needs: they are read first
    needs_before_request: tuple[str, ...] = ()
    #: resources whose rows only `schema` and `views` need: they are asked for at the same time
    needs_before_decode: tuple[str, ...] = ()
    #: reading it changes something at the service, so that it has to be allowed
    destructive: bool = False
    #: asking for it starts work at the service, so that a plan does not ask
    starts_work: bool = False
    #: cuts a file that is the answer to a request (`Request.is_file`) into pages such as other answers are
    read_file: Callable[[str, Request], Iterator[Page]] | None = None

    # ---- where its records are in an answer ------------------------------------------------------
    #: leads from the body to the list of records; empty where the body is the list
    path: JsonPath = ("data",)
    #: writes an answer that has another known form as it is documented; what it misses, it says in `Page.doubts`
    restate: Callable[[Page], Page] = lambda page: page
    #: the path leads to one record instead of a list
    single: bool = False
    #: the key of the record within each item of the list, where items are like ``{"deal": {...}, "next": ...}``
    unwrap: str | None = None
    #: the envelope tells success, so that null, nothing or an empty object in the place of the list is an empty list
    absent_is_empty: bool = False
    #: the other fields of such an item; only the service's own records show them
    envelope_fields: Schema = field(default_factory=dict)
    #: records of other resources in its answers: always, or as far as `embedding` asks for them
    embeds: tuple[EmbeddedList, ...] = ()
    embedding: Embedding | None = None
    #: tells an error answer to a first request that means "nothing here" from a failure
    is_empty_answer: Callable[[ApiError, Request], bool] = lambda error, request: False
    #: how it is asked for what changed; None where it comes whole each time, or hangs on others that are asked so
    change_filter: ChangeFilter | None = None
    #: not all requests can be answered so: where they are, the path is wrong
    never_all_empty: bool = False

    # ---- how its records are read ----------------------------------------------------------------
    #: the documented fields of a record, as they come
    schema: Schema | Callable[[Context], Schema]
    #: what is documented of the inside of a field that is kept as its JSON; the pages on fields show it
    inside_json: Mapping[str, Schema] = field(default_factory=dict)
    #: documented fields that hold keys or passwords, by their way in a record, and what they are: read of no answer,
    #: so in no frame, file, log or message
    never_kept: Mapping[str, str] = field(default_factory=dict)
    #: narrower types of nested fields for fetches that need only a part of them: nested values cost most
    projection: Schema = field(default_factory=dict)
    #: tags of the request that expressions may read, as ``_name``
    tags: tuple[str, ...] = ()
    #: columns made of `RECORD`, what nobody documented included: all below may read them, own records show them.
    #: They are made where they are read
    computed: Mapping[str, pl.Expr] = field(default_factory=dict)
    #: what is different in every record
    key: pl.Expr = field(default_factory=lambda: pl.col("id"))
    views: tuple[View, ...] | Callable[[Context], tuple[View, ...]] = ()
    #: the tables of `views`, where that is a function
    view_tables: tuple[str, ...] = ()
    #: by table, which words of the service in its rows `views` cannot read, null where they can: a note names them
    unknown_words: Mapping[str, pl.Expr] = field(default_factory=dict)
    #: what other resources may know of its records, as distinct rows; all records where nothing is named
    exports: Mapping[str, pl.Expr] = field(default_factory=dict)

    # ---- whether all of it came ------------------------------------------------------------------
    #: how many records the service says the list has, where it can say it
    total: Callable[[Page], int | None] | None = None
    #: the same of a count that nobody documents: fewer records than a first answer says are told, and that is all
    mentioned: Callable[[Page], int | None] = lambda page: None
    #: when a record came into the list, by the service's clock: this tells what was added while it was read
    inserted_at: Callable[[Context], pl.Expr] | None = None
    #: the list tells no end and may repeat its last page for ever, so that a page with nothing new ends it
    may_repeat_last_page: bool = False
    #: why no first request can be made, where that is no empty list, such as a key that sees nothing of what it needs
    nothing_to_ask: str = ""
    #: why no record comes, where an empty list cannot be all there is
    never_empty: str = ""
    #: what an answer says that its records lack
    lacking: Callable[[Page], str] = lambda page: ""
    #: what there is to say of an answer that lacks nothing
    remark: Callable[[Page], str] = lambda page: ""
    #: what the summary should say of a fetch like this, e.g. a period that is asked by default
    note: Callable[[Context], str] = lambda context: ""
    #: the period that a fetch like this reaches, where it may be another than the one that is asked for
    reached: Callable[[Context], Period] | None = None

    @property
    def filters_by_change(self) -> bool:
        """Whether `Context.since` makes its list shorter, instead of choosing among what comes whole."""
        return self.change_filter is not None

    @property
    def checks_completeness(self) -> bool:
        """Whether what came is compared with what the service counts, or with what came before."""
        return self.total is not None or self.may_repeat_last_page

    def asked_with(self, params: Mapping[str, str]) -> Resource:
        """Return the resource as it is read where its first requests have these parameters as well."""
        if not params:
            return self
        first_requests = self.requests

        def requests(context: Context) -> Iterable[Request]:
            return [request.with_params(**params) for request in first_requests(context)]

        return replace(self, requests=requests)

    def always_embeds(self, name: str) -> bool:
        """Whether its answers hold records of that resource without being asked for them."""
        return not self.embedding and name in {embedded.resource for embedded in self.embeds}

    @property
    def tables(self) -> tuple[str, ...]:
        """The shared tables that it fills."""
        if callable(self.views):
            return self.view_tables
        return tuple(dict.fromkeys(declared_view.table for declared_view in self.views))


def get(path: str, **params: Any) -> Callable[[Context], Iterable[Request]]:
    """Return a `Resource.requests` that asks once, the same whatever the context."""
    request = Request(
        path=path,
        params={param_name: str(param_value) for param_name, param_value in params.items()},
    )
    return lambda context: (request,)
