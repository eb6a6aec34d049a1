"""What a fetch is asked for, checked before anything is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crmlab.accounts import Account, check_account, check_names
from crmlab.connector import Context, Resource, Wanted
from crmlab.errors import UsageError
from crmlab.fetching.faults import FAULTS
from crmlab.providers import provider, unknown
from crmlab.schema import TABLES, Asked, AskedAccount, Period, TimeLike, instant

#: a list of an account, by provider, account and resource: ``("onepagecrm", "default", "deals")``
ListName = tuple[str, str, str]


def list_name(account: Account, resource: str) -> ListName:
    """Return what watermarks name a list by."""
    return account.provider.name, account.name, resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Tables of accounts, of a period.

    `tables`: shared ones; `raw`: the dotted names of providers' own records. `since_of`: lists that are asked from
    another time on than `since`. `keys_of`: the lists of which only the ids are read, and no others; None: whole
    records of all lists.
    """

    accounts: tuple[Account, ...]
    tables: frozenset[str]
    raw: tuple[str, ...]
    since: dt.datetime | None
    until: dt.datetime | None
    now: dt.datetime
    since_of: Mapping[ListName, dt.datetime] = field(default_factory=dict)
    keys_of: frozenset[ListName] | None = None
    #: of the one shared table that is asked for, the values that columns are to have, as far as a service can be asked
    wanted: Wanted = field(default_factory=dict)
    #: how many records are enough, of each list that fills the table; None: all
    enough: int | None = None

    def raw_of(self, account: Account) -> set[str]:
        """Return the resources of that account's provider whose own records are wanted."""
        resources: set[str] = set()
        for raw_name in self.raw:
            source, _, resource = raw_name.partition(".")
            if source == account.provider.name:
                resources.add(resource)
        return resources

    def destructive(self) -> list[str]:
        """Return the names of those records that are gone from the service once they were read."""
        return [raw_name for raw_name in self.raw if _resource(raw_name).destructive]

    def since_for(self, account: Account, resource: str) -> dt.datetime | None:
        """Return from when on a list of an account is asked for; None where from its beginning."""
        return self.since_of.get(list_name(account, resource), self.since)

    def fills(self, account: Account, resource: Resource) -> frozenset[str]:
        """Return the shared tables that a list of an account is to fill."""
        if self.keys_of is not None and list_name(account, resource.name) not in self.keys_of:
            return frozenset()
        return self.tables.intersection(resource.tables)

    def context(self, account: Account, resource: str) -> Context:
        """Return what that resource of the account may know."""
        return Context(
            now=self.now,
            since=self.since_for(account, resource),
            until=self.until,
            options=account.options,
            facts=account.known_facts,
        )

    def asked(self) -> Asked:
        """Return it as what is kept beside the data."""
        shared = [table_name for table_name in TABLES if table_name in self.tables]
        return Asked(
            fetched_at=self.now,
            accounts=tuple(_asked_account(account) for account in self.accounts),
            tables=(*shared, *self.raw),
            since=self.since,
            until=self.until,
            reached=self._reached(),
        )

    def _reached(self) -> dict[str, Period]:
        """Return the tables of which another period may be reached than asked for; of several services, what all do."""
        reached: dict[str, Period] = {}
        for account in self.accounts:
            raw_resources = self.raw_of(account)
            for resource in account.provider.resources:
                period = self._reached_by(account, resource)
                if period is None:
                    continue
                table_names = [name for name in resource.tables if name in self.tables]
                if resource.name in raw_resources:
                    table_names.append(f"{account.provider.name}.{resource.name}")
                for table_name in table_names:
                    reached[table_name] = period.within(reached.get(table_name, Period()))
        return reached

    def _reached_by(self, account: Account, resource: Resource) -> Period | None:
        """Return the period that a list reaches; None where it is the one that was asked for."""
        context = self.context(account, resource.name)
        if resource.reached is None:
            if context.since == self.since:
                return None
            return Period(since=context.since, until=self.until)
        try:
            return resource.reached(context)
        except FAULTS:  # the failure of this resource, told where it is read
            return None


def as_query(
    accounts: Account | Iterable[Account],
    tables: Sequence[str],
    *,
    since: TimeLike | None,
    until: TimeLike | None,
) -> Query:
    """Return the checked query; see `crmlab.fetch` for the parameters.

    Raises
    ------
    UsageError
        it cannot be asked
    """
    chosen = chosen_accounts(accounts)
    for table_name in tables:
        if not isinstance(table_name, str):
            raise UsageError(f"a table is named by text, not {type(table_name).__name__}")
    since_instant = instant(since, "since")
    until_instant = instant(until, "until")
    if since_instant and until_instant and since_instant >= until_instant:
        raise UsageError(
            f"since ({since_instant:%Y-%m-%d %H:%M %Z}) must be before until ({until_instant:%Y-%m-%d %H:%M %Z})"
        )
    shared_tables, raw_names = _named(chosen, tables)
    return Query(
        accounts=chosen,
        tables=frozenset(shared_tables),
        raw=tuple(sorted(raw_names)),
        since=since_instant,
        until=until_instant,
        now=clock(),
    )


def _asked_account(account: Account) -> AskedAccount:
    """Return the account by its name, with the settings that change what comes; not those that say whose it is."""
    options: dict[str, str] = {}
    for setting in account.provider.fields:
        option_value = account.options.get(setting.name)
        if option_value and not setting.required:
            options[setting.name] = option_value
    return AskedAccount(provider=account.provider.name, name=account.name, options=options)


def clock() -> dt.datetime:
    """Return the time now, which the periods of a fetch are counted from; ``make data`` holds it still."""
    return dt.datetime.now(dt.UTC)


def chosen_accounts(accounts: Account | Iterable[Account]) -> tuple[Account, ...]:
    """Return the accounts that are asked: at least one, each with a name of its own.

    Raises
    ------
    UsageError
        there is none, two have one name, or something is no account
    """
    if isinstance(accounts, Account):
        return (accounts,)
    if not isinstance(accounts, Iterable):
        raise UsageError(f"accounts are crmlab.Account objects, not {type(accounts).__name__}")
    chosen = tuple(map(check_account, accounts))
    if not chosen:
        raise UsageError(
            "no accounts given: crmlab.Account(...), crmlab.login() or crmlab.sandbox() make some"
        )
    check_names(list(chosen))
    return chosen


def _named(accounts: Sequence[Account], tables: Sequence[str]) -> tuple[set[str], set[str]]:
    """Return the shared tables and the names of the raw records asked for."""
    shared: set[str] = set()
    raw_names: set[str] = set()
    if not tables:
        for account in accounts:
            shared.update(account.provider.tables)
        return shared, raw_names
    providers = dict.fromkeys(account.provider.name for account in accounts)
    for table_name in tables:
        if "." in table_name:
            _check_raw(table_name, given=providers)
            raw_names.add(table_name)
        elif table_name in TABLES:
            shared.add(table_name)
        else:
            raise UsageError(unknown("table", table_name, TABLES))
    return shared, raw_names


def _check_raw(name: str, *, given: Iterable[str]) -> None:
    """Raise a `UsageError` where these are no raw records, or those of a provider without an account."""
    source, _, resource = name.partition(".")
    known_resources = {described.name: described for described in provider(source).resources}
    if resource not in known_resources:
        raise UsageError(unknown(f"{source} resource", resource, known_resources))
    if source not in given:
        raise UsageError(f"{name!r} needs a {source} account; given: {', '.join(given)}")


def _resource(name: str) -> Resource:
    """Return the resource of which these are the own records."""
    source, _, resource = name.partition(".")
    return provider(source).resource(resource)
