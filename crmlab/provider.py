"""What an API is, as values: a provider, its resources, its operations. Nothing here acts."""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Literal

import msgspec
import polars as pl

from crmlab.errors import ApiError
from crmlab.paging import Paginator, end
from crmlab.request import Page, Request

Schema = Mapping[str, pl.DataType | type[pl.DataType]]
#: wire type of a top-level field of any shape, kept as its exact JSON text
JSON = pl.Binary


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One credential or setting of an account: what the form asks for and where to find it."""

    name: str
    label: str
    help: str
    secret: bool = True
    default: str = ""
    #: the whole value must match; a setting that becomes part of a URL needs one
    pattern: str = ""

    @property
    def required(self) -> bool:
        """Whether there is no account without it: secrets, and what may not be blank."""
        return self.secret or (bool(self.pattern) and not re.fullmatch(self.pattern, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast an API may be asked.

    `rate` requests a second on average (None: no limit), `burst` of them at once: at most `burst` in any
    ``burst / rate`` seconds. `concurrency` of each account in flight. `scope` is what the vendor counts
    by: all accounts of one machine ("ip") or each account by itself ("account"). `ceiling` is for an API
    that documents no limit: the rate up to which it is asked faster, slowly, while it refuses nothing.
    """

    rate: float | None = None
    burst: int = 1
    concurrency: int = 10
    scope: Literal["ip", "account"] = "ip"
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if (self.rate is not None and self.rate <= 0) or self.burst < 1 or self.concurrency < 1:
            raise ValueError("rate must be positive or None; burst and concurrency at least 1")
        if self.ceiling is not None and (self.rate is None or self.ceiling < self.rate):
            raise ValueError("ceiling must be at least rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a resource may know when it says which requests it needs and how to read the answers.

    `rows` holds the records of the resources it declares in `after` and `using`.
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
class Held:
    """Records of another resource that answers of this one hold.

    `path`: the way from a record of this one (or from what stands beside it) to the list of them.
    """

    resource: str
    path: tuple[str, ...]


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
    follow: Paginator = end
    #: constants of a request that the expressions may read, as ``_name``
    tags: tuple[str, ...] = ()
    #: resources whose rows `requests` needs
    after: tuple[str, ...] = ()
    #: resources whose rows only `wire` and `views` need: asked for at the same time
    using: tuple[str, ...] = ()
    #: the way from the body to the list of records; empty where the body is the list
    path: tuple[str, ...] = ("data",)
    #: one record stands there instead of a list
    single: bool = False
    #: the key that holds the record inside each item of the list
    unwrap: str | None = None
    #: what stands beside it there; only the provider's own records show it
    beside: Schema = field(default_factory=dict)
    #: the record as documented
    wire: Schema | Callable[[Context], Schema]
    #: narrower types of nested fields, where `views` reads a part: nested values cost most
    lean: Schema = field(default_factory=dict)
    #: what makes a record one of a kind
    key: pl.Expr = field(default_factory=lambda: pl.col("id"))
    views: tuple[View, ...] | Callable[[Context], tuple[View, ...]] = ()
    #: the tables of `views`, where that is a function
    fills: tuple[str, ...] = ()
    #: how many records the service says the list has, where it can say it
    total: Callable[[Page], int | None] | None = None
    #: when a record came into the list, by the service's clock: tells what was added while it was read
    entered: Callable[[Context], pl.Expr] | None = None
    #: records of others in the answers: always, or as far as `embedding` asks for them
    holds: tuple[Held, ...] = ()
    embedding: Embedding | None = None
    #: what other resources may know of its records (distinct rows of it); all of them where empty
    gives: Mapping[str, pl.Expr] = field(default_factory=dict)
    #: an error answer that means "nothing here" rather than failure
    nothing: Callable[[ApiError, Request], bool] = lambda error, request: False
    #: what the summary should say of a fetch like this, e.g. a period that is asked by default
    note: Callable[[Context], str] = lambda context: ""
    #: reading changes something at the service
    destructive: bool = False
    #: a list that tells no end may repeat its last page for ever: a page with nothing new ends it
    repeats: bool = False

    @property
    def is_tallied(self) -> bool:
        """Whether what came is compared with what the service counts, or with what came before."""
        return self.total is not None or self.repeats

    def holds_always(self, name: str) -> bool:
        """Whether its answers hold records of that resource, without being asked for them."""
        return not self.embedding and any(held.resource == name for held in self.holds)

    @property
    def tables(self) -> tuple[str, ...]:
        """The shared tables that it fills."""
        if callable(self.views):
            return self.fills
        return tuple(dict.fromkeys(view.table for view in self.views))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented call beside the lists: a record by id, a check, a write."""

    name: str
    doc: str
    request: Callable[..., Request]
    writes: bool = False
    destructive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One API.

    `base_url` may name settings in braces. `sign` adds the credentials to a request, `check`
    raises the error that an answer means, envelope included. `ping` is the cheapest read that
    needs the key, `reached` says in a few words who and what its answer shows. `assumptions`
    lists what the vendor does not document and this module assumes.
    """

    name: str
    title: str
    base_url: str
    home: str
    fields: tuple[Field, ...]
    sign: Callable[[Request, Mapping[str, str]], Request]
    check: Callable[[Page], None]
    limits: Limits
    ping: Request
    resources: tuple[Resource, ...]
    reached: Callable[[Page], str] = lambda page: "answered"
    operations: tuple[Operation, ...] = ()
    assumptions: tuple[str, ...] = ()

    def needed(self, base_url: str | None = None) -> set[str]:
        """Return the fields without which there is no account at that base URL (the own one)."""
        spared = url_fields(self.base_url) - url_fields(base_url or self.base_url)
        return {field.name for field in self.fields if field.required} - spared

    def resource(self, name: str) -> Resource:
        return {resource.name: resource for resource in self.resources}[name]

    @property
    def tables(self) -> tuple[str, ...]:
        """The shared tables that this API can fill."""
        return tuple(dict.fromkeys(t for resource in self.resources for t in resource.tables))


def url_fields(template: str) -> set[str]:
    """Return the settings that a base URL names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def get(path: str, **params: Any) -> Callable[[Context], Iterable[Request]]:
    """Return a `Resource.requests` that asks once, the same whatever the context."""
    request = Request(path=path, params={name: str(value) for name, value in params.items()})
    return lambda context: (request,)


class _Entries(msgspec.Struct):
    data: list[dict[str, Any]]


def listing(noun: str, *name: str) -> Callable[[Page], str]:
    """Return a `Provider.reached` that counts what ``data`` lists and names the first, by the way to its name.

    It says, e.g., ``4 databases: Customers, Leads, Fair, …``.
    """

    def reached(page: Page) -> str:
        entries = page.read(_Entries).data
        names = [f"{reduce(_inside, name, entry)!s:.40}" for entry in entries[:4]]
        names[3:] = ["…"] * len(names[3:])
        count = f"{len(entries) or 'no'} {noun}{'' if len(entries) == 1 else 's'}"
        return f"{count}: {', '.join(names)}" if names else count

    return reached


def _inside(part: Any, name: str) -> Any:
    return part.get(name, "?") if isinstance(part, dict) else "?"
