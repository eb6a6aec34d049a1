"""How many requests a fetch needs, and how long they take, said before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Limits, Page, Timeouts, bound, expected
from crmlab.display import DisplayMixin, Overview, duration
from crmlab.fetching.crawl import side_by_side
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.preview import AccountPreview
from crmlab.fetching.query import Query, as_query
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.time_limit import within
from crmlab.schema import TableName, TimeLike

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: seconds of an answer where none was measured
_USUAL_LATENCY = 0.2

RESOURCES = pl.Schema(
    {
        "account": pl.String,
        "provider": pl.String,
        "resource": pl.String,
        "tables": pl.String,
        "strategy": pl.String,
        "records": pl.Int64,
        "requests": pl.Int64,
        "exact": pl.Boolean,
        "seconds": pl.Float64,
        "note": pl.String,
    }
)
SCOPES = pl.Schema(
    {
        "scope": pl.String,
        "accounts": pl.Int64,
        "requests": pl.Int64,
        "exact": pl.Boolean,
        "rate": pl.Float64,
        "burst": pl.Int64,
        "latency": pl.Float64,
        "seconds": pl.Float64,
        "bound": pl.Float64,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(DisplayMixin):
    """What a fetch will ask, before it does; ``await crmlab.fetch(plan)`` goes through with it.

    Attributes
    ----------
    resources : pl.DataFrame
        A row for each account and resource: tables (that it fills), strategy (how its requests follow
        each other), records (counted by the service; null where it does not tell), requests, exact (false:
        at least so many, the service does not tell before; OnePageCRM's contacts past 10,000 are foreseen
        within some percent), seconds (if it were alone), note.
    scopes : pl.DataFrame
        A row for each limit, with the accounts that share it: requests, exact, rate (a second) and burst
        of the limit, latency (seconds of an answer, as measured; null where nothing was sent), seconds
        (expected), bound (no client could do it in less).
    """

    resources: pl.DataFrame
    scopes: pl.DataFrame
    query: Query = field(repr=False)
    #: first pages, by account (its label): the fetch that follows does not ask for them again. Personal data
    pages: Mapping[str, Mapping[str, Page]] = field(repr=False)

    @property
    def requests(self) -> int:
        """How many requests, those sent for the plan itself included."""
        return int(self.scopes["requests"].sum())

    @property
    def exact(self) -> bool:
        """Whether the services told how much there is; otherwise there are more requests."""
        return bool(self.scopes["exact"].all())

    @property
    def seconds(self) -> float:
        """How long it will take, the limits being waited for side by side."""
        return float(self.scopes["seconds"].max() or 0.0)  # type: ignore[arg-type]

    @property
    def bound(self) -> float:
        """The seconds that no client could do it in less than."""
        return float(self.scopes["bound"].max() or 0.0)  # type: ignore[arg-type]

    def __str__(self) -> str:
        at_least = "" if self.exact else "at least "
        return (
            f"{at_least}{self.requests:,} requests, {at_least}{duration(self.seconds)}; "
            f"within the limits no client could do it in less than {duration(self.bound)}"
        )

    def __repr__(self) -> str:
        return f"<Plan: {self}>"

    def _overview(self) -> Overview:
        return Overview(
            title="Plan",
            words=f"{self}. Nothing but first pages was asked yet.",
            tables=[
                ("What is waited for, side by side", _shown(self.scopes)),
                ("Each list", _shown(self.resources).drop("provider", "tables")),
            ],
        )


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of the plan for the eye: a number that is not exact says so."""
    at_least = pl.when("exact").then(pl.lit("")).otherwise(pl.lit("at least"))
    columns = [column_name for column_name in frame.columns if column_name != "exact"]
    columns.insert(columns.index("requests"), "exact")
    return frame.with_columns(at_least.alias("exact")).select(columns).rename({"exact": ""})


async def plan(
    accounts: Account | Iterable[Account],
    *tables: TableName | str,
    since: TimeLike | None = None,
    until: TimeLike | None = None,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
) -> Plan:
    """Return how many requests a fetch needs and how long they take, before they are sent.

    Sends only the first page of lists whose service counts them, and reads the short lists that others
    depend on; ``await crmlab.fetch(plan)`` does not ask for these again. For parameters see `fetch`.

    Raises
    ------
    UsageError
        as `fetch` does
    Stopped
        it took longer than `Timeouts.total`
    CrmlabError
        the first failure

    Examples
    --------
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
    ...     plan = await crmlab.plan(accounts, "contacts", "deals")
    ...     data = await crmlab.fetch(plan)  # does not ask again what the plan has asked
    >>> plan.exact, data.complete
    (True, True)
    >>> plan.requests == plan.resources["requests"].sum()
    True
    """
    query = as_query(accounts, tables, since=since, until=until)
    return await planned(query, limits=limits, timeouts=timeouts)


async def planned(query: Query, *, limits: Limits | None, timeouts: Timeouts | None) -> Plan:
    """Return the plan of a query; see `plan`."""
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    async with Client(limits, timeouts) as client, within(client.timeouts.total):
        client.share_limits(query.accounts)
        backpressure = Backpressure()
        previews: list[AccountPreview] = []
        for account in query.accounts:
            previews.append(AccountPreview(client, account, query, backpressure))
        await side_by_side(preview.finish() for preview in previews)
    return _plan(
        query,
        _shared_limits(client, previews),
        {preview.account.label: preview.pages for preview in previews},
    )


@dataclass(frozen=True, slots=True)
class _SharedLimit:
    """A limit, the accounts that share it, and the usual seconds of an answer (None where none came)."""

    limits: Limits
    previews: Sequence[AccountPreview]
    latency: float | None

    def expected(self, requests: int, *, accounts: int = 1) -> float:
        """Return how long so many requests take."""
        latency = _USUAL_LATENCY if self.latency is None else self.latency
        return round(expected(requests, self.limits, latency, accounts=accounts), 3)


def _shared_limits(client: Client, previews: Iterable[AccountPreview]) -> list[_SharedLimit]:
    scopes: dict[tuple[object, Limits], list[AccountPreview]] = {}
    for preview in previews:
        rate_scope = client.scope(preview.account)
        limits = client.limits(preview.account)
        scopes.setdefault((rate_scope, limits), []).append(preview)
    shared_limits: list[_SharedLimit] = []
    for (_, limits), shared in scopes.items():
        shared_limits.append(_SharedLimit(limits, shared, _latency(shared)))
    return shared_limits


def _latency(previews: Iterable[AccountPreview]) -> float | None:
    """Return the usual seconds of an answer; None where none came."""
    import statistics  # noqa: PLC0415  # loaded when it is used

    measured: list[float] = []
    for preview in previews:
        measured += [first_page.seconds for first_page in preview.pages.values()]
    if not measured:
        return None
    return round(statistics.median(measured), 3)


def _plan(
    query: Query, limits: Iterable[_SharedLimit], pages: Mapping[str, Mapping[str, Page]]
) -> Plan:
    resources: list[dict[str, object]] = []
    scopes: list[dict[str, object]] = []
    for shared in limits:
        results: list[ResourceResult] = []
        for preview in shared.previews:
            results += preview.results
        resources += [_resource_row(result, shared, query) for result in results]
        scopes.append(_scope_row(results, shared))
    return Plan(
        resources=pl.DataFrame(resources, schema=RESOURCES, orient="row"),
        scopes=pl.DataFrame(scopes, schema=SCOPES, orient="row"),
        query=query,
        pages=pages,
    )


def _resource_row(result: ResourceResult, shared: _SharedLimit, query: Query) -> dict[str, object]:
    list_notes = [*result.notes]
    if _is_whole_each_time(result, query):
        list_notes.append("whole each time")
    return {
        "account": result.task.account.name,
        "provider": result.task.account.provider.name,
        "resource": result.task.resource.name,
        "tables": ", ".join(result.task.names),
        "strategy": result.strategy,
        "records": result.expected_records,
        "requests": result.requests.minimum,
        "exact": result.requests.expected is not None,
        "seconds": shared.expected(result.requests.minimum),
        "note": "; ".join(list_notes),
    }


def _is_whole_each_time(result: ResourceResult, query: Query) -> bool:
    """Whether only changes are asked for, and this list costs as much as ever."""
    resource_task = result.task
    asks_for_changes = bool(query.since or query.since_of)
    needs_requests = result.requests.minimum > 0 or result.requests.expected is None
    return (
        asks_for_changes
        and needs_requests
        and resource_task.account.provider.comes_whole(resource_task.resource.name)
    )


def _scope_row(results: Sequence[ResourceResult], shared: _SharedLimit) -> dict[str, object]:
    requests = sum(result.requests.minimum for result in results)
    account = shared.previews[0].account
    scope_name = account.provider.title
    if shared.limits.scope != "ip" and account.name != account.provider.name:
        scope_name += f", {account.name}"  # counted alone
    return {
        "scope": scope_name,
        "accounts": len(shared.previews),
        "requests": requests,
        "exact": all(result.requests.expected is not None for result in results),
        "rate": shared.limits.rate,
        "burst": shared.limits.burst,
        "latency": shared.latency,
        "seconds": shared.expected(requests, accounts=len(shared.previews)),
        "bound": round(bound(requests, shared.limits, shared.latency or 0.0), 3),
    }
