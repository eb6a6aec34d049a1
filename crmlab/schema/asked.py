"""What was asked: of which accounts, which tables, of which period, and when. It goes wherever the data go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from crmlab.schema.tables import TABLES

#: what an answer needs: all that the services have, or no more than the period that it is about
Needs = Literal["everything", "period"]
#: why nobody is found in masked data, as it stands after "needs"
PEOPLE_OF_MASKED = (
    "who is who, and masked data do not tell: names and numbers are tokens. Find people before, with "
    "people=analysis.people(data), or mask last, with data.report(..., mask=True)"
)
_MIDNIGHT = dt.time()
#: a date in the place of a time is the beginning of that day, which is no other moment
_A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time from `since` (inclusive) to `until` (exclusive); None where it has no such end.

    Examples
    --------
    >>> Period(since=dt.datetime(2026, 10, 1, tzinfo=dt.UTC)).in_words()
    'since 2026-10-01'
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether something may lie outside of it."""
        return self.since is not None or self.until is not None

    def within(self, other: Period) -> Period:
        """Return the part that both have."""
        starts = [time for time in (self.since, other.since) if time]
        ends = [time for time in (self.until, other.until) if time]
        return Period(since=max(starts, default=None), until=min(ends, default=None))

    def in_words(self) -> str:
        """Return it as it stands after "what was changed": in UTC, with the hour where it is not midnight."""
        ends = []
        if self.since:
            ends.append(f"since {_day_or_time(self.since)}")
        if self.until:
            ends.append(f"before {_day_or_time(self.until)}")
        return " and ".join(ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAccount:
    """An account that was asked, by the name that its user gave it; `options` are settings that change what comes."""

    provider: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a fetch was asked for.

    Attributes
    ----------
    fetched_at : datetime
        When it began, in UTC: the "as of" of all answers.
    accounts : tuple of AskedAccount
        Whom it asked.
    tables : tuple of str
        Shared tables, and the dotted names of services' own records.
    since, until : datetime, optional
        The period that was asked for; None where it has no such end.
    reached : mapping of str to Period
        Tables of which another period was reached than asked for: a service keeps deliveries for 30 days, for example.

    Examples
    --------
    >>> asked = Asked(
    ...     fetched_at=dt.datetime(2026, 11, 29, tzinfo=dt.UTC),
    ...     tables=("deals", "stages"),
    ...     since=dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
    ... )
    >>> asked.in_words()
    'only what was changed or happened since 2026-10-01'
    >>> asked.period("stages").is_bounded
    False
    """

    fetched_at: dt.datetime
    accounts: tuple[AskedAccount, ...] = ()
    tables: tuple[str, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    reached: Mapping[str, Period] = field(default_factory=dict)

    def period(self, table: str) -> Period:
        """Return the period that a table holds; lookups, such as stages and users, always come whole."""
        if table in self.reached:
            return self.reached[table]
        is_lookup = table in TABLES and not TABLES[table].window
        if is_lookup:
            return Period()
        return Period(since=self.since, until=self.until)

    def bounded(self, tables: Iterable[str]) -> dict[str, Period]:
        """Return those of these tables that do not hold all times, with the period that they hold."""
        bounded_periods = {}
        for table in tables:
            period = self.period(table)
            if period.is_bounded:
                bounded_periods[table] = period
        return bounded_periods

    def in_words(self) -> str:
        """Return of which period the tables are, as it stands after "it holds"; "" where all are of all times."""
        sentences = []
        asked_period = Period(since=self.since, until=self.until)
        if asked_period.is_bounded:
            sentences.append(f"only what was changed or happened {asked_period.in_words()}")
        for table, period in self.reached.items():
            # what came as it was asked for is said already
            if period.is_bounded and period != asked_period:
                sentences.append(f"{table} only {period.in_words()}")
        return ", ".join(sentences)

    def why_not_whole(self, tables: Iterable[str]) -> str:
        """Return, as it stands after "needs", what of these tables is missing and what to do; "" where they are whole.

        Examples
        --------
        >>> october = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
        >>> Asked(fetched_at=october, since=october).why_not_whole(["deals", "stages"])
        'all deals, and the data hold only those changed or happened since 2026-10-01: fetch without since, until'
        """
        bounded = self.bounded(tables)
        if not bounded:
            return ""
        # tables may be of several periods: one is enough to say why
        period = next(iter(bounded.values())).in_words()
        return (
            f"all {' and '.join(bounded)}, and the data hold only those changed or happened {period}: "
            "fetch without since, until"
        )

    def period_note(self, tables: Iterable[str]) -> str:
        """Return of which period these tables are, as a sentence of a subtitle; "" where they are of all times."""
        bounded = self.bounded(tables)
        if not bounded:
            return ""
        # tables of one period are named together
        periods = dict.fromkeys(period.in_words() for period in bounded.values())
        return f"Only what was changed or happened {' and '.join(periods)}"

    def time_note(self, as_of: dt.datetime) -> str:
        """Return when the data were fetched, as a sentence of a subtitle; "" within a day of what is asked for.

        Statuses, stages, amounts, subscriptions and marks have no time: they cannot be told of another moment.

        Examples
        --------
        >>> asked = Asked(fetched_at=dt.datetime(2026, 11, 29, 8, tzinfo=dt.UTC))
        >>> asked.time_note(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        'What has no time of its own is as it was when fetched, on 2026-11-29'
        >>> asked.time_note(dt.datetime(2026, 11, 29, tzinfo=dt.UTC))
        ''
        """
        if abs(as_of - self.fetched_at) < _A_DAY:
            return ""
        return (
            f"What has no time of its own is as it was when fetched, on {self.fetched_at:%Y-%m-%d}"
        )

    def differences(self, other: Asked, tables: Iterable[str]) -> list[str]:
        """Return in words how an earlier question was another one than this; its time is no difference.

        `tables` are those that are there of its answer.
        """
        differences = []
        own_accounts = _names(self.accounts)
        other_accounts = _names(other.accounts)
        if own_accounts != other_accounts:
            differences.append(
                f"was asked of {_listed(other_accounts)} and not of {_listed(own_accounts)}"
            )
        if (self.since, self.until) != (other.since, other.until):
            other_period = Period(since=other.since, until=other.until)
            differences.append(
                f"holds what was changed or happened {other_period.in_words() or 'at any time'}"
            )
        left_out = []
        for table in tables:
            if table in other.tables and table not in self.tables:
                left_out.append(table)
        if left_out:
            differences.append(f"holds {_listed(left_out)} as well")
        return differences

    def as_json(self) -> dict[str, Any]:
        """Return it as values that JSON has; `from_json` reads them."""
        return {
            "as_of": self.fetched_at.isoformat(),
            "since": _text(self.since),
            "until": _text(self.until),
            "accounts": [_account_as_json(account) for account in self.accounts],
            "asked_tables": list(self.tables),
            "reached": {table: _period_as_json(period) for table, period in self.reached.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Asked:
        """Return what `as_json` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            It is something else.
        """
        as_of = _time(values["as_of"])
        if as_of is None:
            raise ValueError("as_of is missing")
        reached = {}
        for table, period in values["reached"].items():
            reached[table] = Period(since=_time(period["since"]), until=_time(period["until"]))
        return cls(
            fetched_at=as_of,
            accounts=tuple(AskedAccount(**account) for account in values["accounts"]),
            tables=tuple(values["asked_tables"]),
            since=_time(values["since"]),
            until=_time(values["until"]),
            reached=reached,
        )


def _day_or_time(time: dt.datetime) -> str:
    in_utc = time.astimezone(dt.UTC)
    if in_utc.time() == _MIDNIGHT:
        return f"{in_utc:%Y-%m-%d}"
    return f"{in_utc:%Y-%m-%d %H:%M} UTC"


def _account_as_json(account: AskedAccount) -> dict[str, Any]:
    return {
        "provider": account.provider,
        "name": account.name,
        "options": dict(account.options),
    }


def _period_as_json(period: Period) -> dict[str, str | None]:
    return {"since": _text(period.since), "until": _text(period.until)}


def _text(time: dt.datetime | None) -> str | None:
    if time is None:
        return None
    return time.isoformat()


def _time(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    time = dt.datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return time.astimezone(dt.UTC)


def _names(accounts: Sequence[AskedAccount]) -> list[str]:
    """Return the accounts as text that differs where their settings do."""
    return sorted(_name(account) for account in accounts)


def _name(account: AskedAccount) -> str:
    named = f"{account.provider} '{account.name}'"
    settings = [f"{name}={value}" for name, value in sorted(account.options.items())]
    return " ".join([named, *settings])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"
