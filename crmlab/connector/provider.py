"""What an API is, as values: a provider, its resources, its operations. Nothing here acts."""

from __future__ import annotations

import datetime as dt
import importlib
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from crmlab.connector.fact import Fact
from crmlab.connector.limits import Limits
from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import JsonPath, Resource
from crmlab.schema import KEY

if TYPE_CHECKING:
    from crmlab.connector.operation import Operation
    from crmlab.connector.probe import Probe
    from crmlab.connector.target import Target

#: of the names that `count_and_names` shows: how many, and how long each may be
_MAX_NAMES = 3
_MAX_NAME = 40


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
    #: returns a resource as it is read where the setting has a value, the same one where it makes no difference
    apply: Callable[[Resource, str], Resource] = lambda resource, value: resource

    @property
    def required(self) -> bool:
        """Whether there is no account without it: secrets, and what may not be blank."""
        return self.secret or (bool(self.pattern) and not re.fullmatch(self.pattern, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One API.

    `base_url` may name settings in braces. `sign` adds the credentials to a request, `check`
    raises the error that an answer means, envelope included. `ping` is the cheapest read that
    needs the key, `reached` says in a few words who and what its answer shows,
    and `ping_resource` names the resource whose records it holds: an answer without them is a failure.
    A fetch needs three things not, so they are functions, which may load them from a module of their own:
    `operations` gives every documented operation, `targets` says which tables can be written back and how, and
    `probes` test with a few reads what can be tested so. `assumptions`
    lists what the vendor does not document and this module assumes, `not_covered` what it documents and no
    resource reads. `never_kept` names fields with keys or passwords of records that no resource reads, and says
    what they are (those of records that are read are in `Resource.never_kept`). `not_personal` names by resource the
    columns of its own records that neither identify a person nor hold what one said; all that are not named count as
    personal, so that masking hides what nobody thought of, see `personal_columns`. `facts` are what an account may be
    told of a service that does otherwise.
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
    #: the time by the service's own clock at which it answered; None where it does not tell
    clock: Callable[[Page], dt.datetime | None] = lambda page: page.sent_at
    ping_resource: str = ""
    operations: Callable[[], tuple[Operation, ...]] = tuple
    targets: Callable[[], tuple[Target, ...]] = tuple
    assumptions: tuple[str, ...] = ()
    probes: Callable[[], tuple[Probe, ...]] = tuple
    facts: tuple[Fact, ...] = ()
    not_covered: tuple[str, ...] = ()
    never_kept: Mapping[str, str] = field(default_factory=dict)
    not_personal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def needed(self, base_url: str | None = None) -> set[str]:
        """Return the fields without which there is no account at that base URL (the own one)."""
        spared = url_fields(self.base_url) - url_fields(base_url or self.base_url)
        return {own_field.name for own_field in self.fields if own_field.required} - spared

    def resource(self, name: str) -> Resource:
        return {resource.name: resource for resource in self.resources}[name]

    def comes_whole(self, name: str) -> bool:
        """Whether a list is asked for all that it holds, whatever was read before, and so are those it is asked by."""
        resource = self.resource(name)
        is_of_a_period = resource.filters_by_change or resource.reached is not None
        return not is_of_a_period and all(map(self.comes_whole, resource.needs_before_request))

    def asked_by_changes(self, name: str) -> set[str]:
        """Return the lists that filter by change and by whose records a list is asked, directly or not."""
        found: set[str] = set()
        for parent in self.resource(name).needs_before_request:
            if self.resource(parent).filters_by_change:
                found.add(parent)
            found |= self.asked_by_changes(parent)
        return found

    def personal_columns(self, resource: str, columns: Iterable[str]) -> list[str]:
        """Return which columns of a resource's own records identify a person, or hold what one said.

        Those of its key and of what was asked tell no more than the service's ids do.
        """
        not_personal = {*KEY, *self.not_personal.get(resource, ())}
        for declared in self.resources:
            if declared.name == resource:
                not_personal.update(f"_{tag_name}" for tag_name in declared.tags)
        return [column for column in columns if column not in not_personal]

    def with_settings(self, values: Mapping[str, str]) -> Provider:
        """Return the provider with its resources read by these settings of an account."""
        resources = self.resources
        for setting in self.fields:
            setting_value = values.get(setting.name)
            if setting_value:
                resources = tuple(setting.apply(resource, setting_value) for resource in resources)
        return replace(self, resources=resources)

    def with_facts(self, values: Mapping[str, Any]) -> Provider:
        """Return the provider with its resources read by these facts, which it must know."""
        known_facts = {fact.name: fact for fact in self.facts}
        resources = self.resources
        signed_ping = self.ping
        for fact_name, fact_value in values.items():
            fact = known_facts[fact_name]
            resources = tuple(fact.apply(resource, fact_value) for resource in resources)
            signed_ping = fact.ask(signed_ping, fact_value)
        return replace(self, resources=resources, ping=signed_ping)

    @property
    def secret_names(self) -> frozenset[str]:
        """The names of all fields that are never kept, of records that are read and of others."""
        secret_paths = [*self.never_kept]
        for resource in self.resources:
            secret_paths += resource.never_kept
        return frozenset(secret_path.rpartition(".")[2] for secret_path in secret_paths)

    @property
    def tables(self) -> tuple[str, ...]:
        """The shared tables that this API can fill."""
        tables: dict[str, None] = {}
        for resource in self.resources:
            tables |= dict.fromkeys(resource.tables)
        return tuple(tables)


def loaded_from(module: str, name: str) -> Callable[[], Any]:
    """Return a function that returns what has that name in a module, which is loaded when it is called.

    A service may have hundreds of operations, with the models of what they take: whoever only fetches should not wait.
    """
    return lambda: getattr(importlib.import_module(module), name)


def url_fields(template: str) -> set[str]:
    """Return the settings that a base URL names in braces."""
    return {field_name for _, field_name, _, _ in string.Formatter().parse(template) if field_name}


class _Entries(msgspec.Struct):
    data: list[dict[str, Any]] = []


def count_and_names(noun: str, *name: str) -> Callable[[Page], str]:
    """Return a `Provider.reached` that counts what ``data`` lists and names the first, by the path to the name.

    It says, e.g., ``4 databases: Customers, Leads, Fair, …``.
    """

    def reached(page: Page) -> str:
        entries = page.read(_Entries).data
        if not entries:
            return f"no {noun}s"
        plural = "" if len(entries) == 1 else "s"
        shown_names = [_at(listed_entry, name) for listed_entry in entries[:_MAX_NAMES]]
        if len(entries) > _MAX_NAMES:
            shown_names.append("…")
        return f"{len(entries)} {noun}{plural}: {', '.join(shown_names)}"

    return reached


def _at(entry: Any, path: JsonPath) -> str:
    """Return what stands at the end of the path, cut to a readable length; "?" where there is nothing."""
    for member_name in path:
        if not isinstance(entry, dict):
            return "?"
        entry = entry.get(member_name, "?")
    return str(entry)[:_MAX_NAME]
