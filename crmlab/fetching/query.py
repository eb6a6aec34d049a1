"""What a fetch is asked for, checked before anything is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crmlab.accounts import Account, check_names
from crmlab.connector import Context
from crmlab.errors import PlanError
from crmlab.providers import registry, unknown
from crmlab.schema import TABLES, instant

Moment = str | dt.date | dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Tables of accounts, of a period.

    `tables`: shared ones; `own`: the dotted names of providers' own records.
    """

    accounts: tuple[Account, ...]
    tables: frozenset[str]
    own: tuple[str, ...]
    since: dt.datetime | None
    until: dt.datetime | None
    now: dt.datetime

    def own_of(self, account: Account) -> set[str]:
        """Return the resources of that account's provider whose own records are wanted."""
        names = (name.partition(".") for name in self.own)
        return {resource for provider, _, resource in names if provider == account.provider.name}

    def refuse_destructive(self) -> None:
        """Raise a `PlanError` where reading would change something at the service."""
        for name in self.own:
            provider, _, resource = name.partition(".")
            if registry()[provider].resource(resource).destructive:
                raise PlanError(f"{name} changes what it reads; allow_destructive=True says you want it")

    def context(self, account: Account) -> Context:
        """Return what the account's resources may know."""
        return Context(now=self.now, since=self.since, until=self.until, options=account.options)


def question(
    accounts: Account | Iterable[Account],
    tables: Sequence[str],
    *,
    since: Moment,
    until: Moment,
) -> Question:
    """Return the checked question; see `crmlab.fetch` for the parameters.

    Raises
    ------
    PlanError
        it cannot be asked
    """
    chosen = (accounts,) if isinstance(accounts, Account) else tuple(accounts)
    if strange := [type(each).__name__ for each in chosen if not isinstance(each, Account)]:
        raise PlanError(f"accounts are crmlab.Account objects, not {strange[0]}")
    if strange := [type(name).__name__ for name in tables if not isinstance(name, str)]:
        raise PlanError(f"a table is named by text, not {strange[0]}")
    start, end = instant(since, "since"), instant(until, "until")
    if start and end and start >= end:
        raise PlanError(f"since ({start:%Y-%m-%d %H:%M %Z}) must be before until ({end:%Y-%m-%d %H:%M %Z})")
    if not chosen:
        raise PlanError("no accounts given: crmlab.Account(...), crmlab.login() or crmlab.sandbox() make some")
    check_names(list(chosen))
    shared, own = _named(chosen, tables)
    return Question(
        accounts=chosen,
        tables=frozenset(shared),
        own=tuple(sorted(own)),
        since=start,
        until=end,
        now=clock(),
    )


def clock() -> dt.datetime:
    """Return the time now, which the periods of a fetch are counted from; ``make data`` holds it still."""
    return dt.datetime.now(dt.UTC)


def _named(accounts: Sequence[Account], tables: Sequence[str]) -> tuple[set[str], set[str]]:
    """Return the shared tables and the own records asked for."""
    used = {account.provider.name: account.provider for account in accounts}
    if not tables:
        return {table for provider in used.values() for table in provider.tables}, set()
    shared: set[str] = set()
    own: set[str] = set()
    for name in tables:
        provider, dot, resource = name.partition(".")
        if not dot:
            if name not in TABLES:
                raise PlanError(unknown("table", name, TABLES))
            shared.add(name)
            continue
        if provider not in registry():
            raise PlanError(unknown("provider", provider, registry()))
        known = {r.name: r for r in registry()[provider].resources}
        if resource not in known:
            raise PlanError(unknown(f"{provider} resource", resource, known))
        if provider not in used:
            raise PlanError(f"{name!r} needs a {provider} account; given: {', '.join(used)}")
        own.add(name)
    return shared, own
