"""What a fetch wants of one resource of one account."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import msgspec

from crmlab.accounts import Account
from crmlab.connector import Context, Resource, View
from crmlab.decoding import EXPORTS, RAW, Decoder, decoder
from crmlab.fetching.query import Query

#: what a sweep of keys reads of a record
KEY_COLUMNS = ("id", "created_at", "modified_at")


class ResourceTask(msgspec.Struct, frozen=True, kw_only=True):
    """One resource, and what it is read for.

    `tables`: the shared tables that it is to fill; `raw`: whether its own records were asked for;
    `needed`: whether other resources depend on it.
    """

    account: Account
    resource: Resource
    tables: frozenset[str]
    raw: bool
    needed: bool
    #: how many records are enough; None: all
    enough: int | None = None

    @property
    def full_name(self) -> str:
        """The name of its own records, as asked for."""
        return f"{self.account.provider.name}.{self.resource.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it fills of what was asked for."""
        table_names = sorted(self.tables)
        if self.raw:
            table_names.append(self.full_name)
        return tuple(table_names)

    @property
    def source(self) -> str:
        """What tells its rows from those of other resources and accounts."""
        return f"{self.account.name}/{self.full_name}"

    @property
    def is_looked_up(self) -> bool:
        """Whether others look into its own records."""
        return self.needed and not self.resource.exports

    @property
    def keeps_raw(self) -> bool:
        """Whether its own records are made into a frame."""
        return self.raw or self.is_looked_up

    @property
    def exported(self) -> str:
        """The name of the frame that others look into."""
        return EXPORTS if self.resource.exports else RAW

    @property
    def parents(self) -> tuple[str, ...]:
        """The resources that it depends on."""
        return tuple(dict.fromkeys(_needs(self.resource, fills_tables=bool(self.tables))))

    def note(self, context: Context) -> str:
        """Return what the summary should say of a fetch like this; raise what its description does wrong."""
        if self.resource.reached:
            # asked for all resources at once later on, where it cannot fail for one
            self.resource.reached(context)
        return self.resource.note(context)

    def decoder(self, context: Context) -> Decoder:
        """Return what makes frames of its records; `context` holds the rows of its parents."""
        return decoder(
            self.resource,
            context,
            provider=self.account.provider.name,
            account=self.account.name,
            tables=self.tables,
            raw=self.keeps_raw,
            exports=self.needed and bool(self.resource.exports),
        )


def resource_tasks(account: Account, query: Query) -> Mapping[str, ResourceTask]:
    """Return what is wanted of each resource of an account, those that others depend on included."""
    raw_resources = query.raw_of(account)
    tables_of: dict[str, frozenset[str]] = {}
    for resource in account.provider.resources:
        filled_tables = query.fills(account, resource)
        if filled_tables and not resource.destructive:
            tables_of[resource.name] = filled_tables
    parents = _parents(account, tables_of.keys() | raw_resources, filling=tables_of.keys())

    tasks: dict[str, ResourceTask] = {}
    for resource in account.provider.resources:
        resource_name = resource.name
        if resource_name not in tables_of.keys() | raw_resources | parents:
            continue
        is_parent = resource_name in parents
        tasks[resource_name] = ResourceTask(
            account=account,
            resource=narrowed(resource, query, is_parent=is_parent),
            tables=tables_of.get(resource_name, frozenset()),
            raw=resource_name in raw_resources,
            needed=is_parent,
            enough=None if is_parent else query.enough,
        )
    return tasks


def narrowed(resource: Resource, query: Query, *, is_parent: bool) -> Resource:
    """Return a resource as a query asks for it; of what others depend on, all records are."""
    if query.keys_of is not None:
        resource = with_keys_only(resource)
    if is_parent:
        return resource
    return resource.asked_with(narrowing(resource, query))


def narrowing(resource: Resource, query: Query) -> Mapping[str, str]:
    """Return the parameters that leave out what a query does not want; none where it wants several tables."""
    if not query.wanted or len(query.tables) != 1 or query.raw:
        return {}
    (table_name,) = query.tables
    pushdown = resource.pushdown.get(table_name)
    if pushdown is None:
        return {}
    return pushdown.params(query.wanted)


def with_keys_only(resource: Resource) -> Resource:
    """Return a resource whose rows have nothing but their id and their times."""
    declared_views = resource.views
    if callable(declared_views):
        make_views = declared_views
        return replace(resource, views=lambda context: _keys(make_views(context)))
    return replace(resource, views=_keys(declared_views))


def _keys(views: Iterable[View]) -> tuple[View, ...]:
    """Return the views with the columns that tell a record from others, and when it changed."""
    narrowed_views: list[View] = []
    for full_view in views:
        columns = {name: full_view.columns.get(name) for name in KEY_COLUMNS}
        given = {name: column for name, column in columns.items() if column is not None}
        narrowed_views.append(replace(full_view, columns=given))
    return tuple(narrowed_views)


def _parents(account: Account, names: set[str], *, filling: Collection[str]) -> set[str]:
    """Return the resources that these depend on, and those that they depend on in turn.

    `filling` names those that fill shared tables.
    """
    parents: set[str] = set()
    to_visit = [*names]
    while to_visit:
        resource_name = to_visit.pop()
        new_parents = (
            set(
                _needs(
                    account.provider.resource(resource_name), fills_tables=resource_name in filling
                )
            )
            - parents
        )
        parents |= new_parents
        to_visit += new_parents
    return parents


def _needs(resource: Resource, *, fills_tables: bool) -> tuple[str, ...]:
    """Return what has to be read for a resource: for whole records of documented fields what its views need is not."""
    if fills_tables or callable(resource.schema):
        return (*resource.needs_before_request, *resource.needs_before_decode)
    return resource.needs_before_request
