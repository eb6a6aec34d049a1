"""Lists that tell no end or no page numbers: crmlab's way against one page after another.

python -m benchmarks.slices [--runs 3]

Each list, in a process with the sandbox, is read in both ways in turn, at two latencies, without
limits (10 in flight) and within the provider's own. Pages are small, so that the time is the
latency's and the limit's, and not that of the machine; OnePageCRM's wall is a tenth as high.
"""

import argparse
import asyncio
import datetime as dt
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import Any

import crmlab
from crmlab.connector.paging import Paginator, chain, widening
from crmlab.connector.provider import Provider
from crmlab.connector.resource import Resource
from crmlab.http.rate_queue import _limiters
from crmlab.providers import altcraft, complero, onepagecrm, relenta
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import ConsentEvent, World

LATENCIES = (0.05, 0.2)
NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A list of small pages, a world to read it from, and the way without crmlab's paginator."""

    provider: Provider
    resource: str
    title: str
    world: Callable[[], World]
    sequential: Callable[[Resource], Resource]

    @property
    def one_after_another(self) -> Provider:
        changed = [
            self.sequential(r) if r.name == self.resource else r for r in self.provider.resources
        ]
        return replace(self.provider, resources=tuple(changed))


def consents() -> World:
    """Return 12,000 confirmations, evenly over three years."""
    world = generate(60, seed=1, now=NOW)
    people = [replace(person, services=frozenset({"complero"})) for person in world.people]
    events = [
        ConsentEvent(
            id=f"e{n}", person_id=people[n % len(people)].id, kind="confirm", channel="email", opted_in=True,
            source="form", has_documentation=False, at=NOW - dt.timedelta(hours=2.2 * n),
        )
        for n in range(12_000)
    ]  # fmt: skip
    return replace(world, people=people, consent_events=events)


def people(count: int, service: str) -> World:
    """Return a world in which one service knows everybody."""
    world = generate(count, seed=1, now=NOW)
    everybody = [replace(person, services=frozenset({service})) for person in world.people]
    return replace(world, people=everybody, mail_databases=world.mail_databases[:1])


def one_mail_each() -> World:
    """Return a history whose pages, which are of profiles, hold one event of each."""
    world = people(1_500, "altcraft")
    return replace(
        world, mail_events=list({event.person_id: event for event in world.mail_events}.values())
    )


def by_cursor(follow: Paginator) -> Callable[[Resource], Resource]:
    return lambda resource: replace(resource, follow=follow)


def by_cascade(resource: Resource) -> Resource:
    follow = Paginator(strategy="batch after batch", follow=onepagecrm.pages._next_batch)
    return replace(resource, requests=lambda context: [onepagecrm.pages._cascade()], follow=follow)


def with_low_wall(provider: Provider) -> Provider:
    """Return OnePageCRM as if a tenth as many contacts could be reached by page number."""
    follow = onepagecrm.pages.contact_paging(1_000)
    lists = [
        replace(each, follow=follow) if each.name == "contacts" else each
        for each in provider.resources
    ]
    return replace(provider, resources=tuple(lists))


CASES = (
    Case(
        provider=complero.PROVIDER.with_facts({"page_size": 200}),
        resource="events",
        title="Complero events",
        world=consents,
        sequential=by_cursor(chain(partial(complero._next_page, header="next-cursor"))),
    ),
    Case(
        provider=altcraft.PROVIDER.with_facts({"page_size": 30}),
        resource="history",
        title="Altcraft history, light",
        world=one_mail_each,
        sequential=by_cursor(altcraft.pages.records),
    ),
    Case(
        provider=altcraft.PROVIDER.with_facts({"page_size": 30}),
        resource="history",
        title="Altcraft history, usual",
        world=lambda: people(1_500, "altcraft"),
        sequential=by_cursor(altcraft.pages.records),
    ),
    Case(
        provider=with_low_wall(onepagecrm.PROVIDER),
        resource="contacts",
        title="OnePageCRM contacts",
        world=lambda: people(4_000, "onepagecrm"),
        sequential=by_cascade,
    ),
    Case(
        provider=relenta.PROVIDER,
        resource="contacts",
        title="Relenta contacts",
        world=lambda: people(4_000, "relenta"),
        sequential=by_cursor(widening(relenta._is_empty, max_window=1)),
    ),
)


async def read(
    account: crmlab.Account, case: Case, limits: crmlab.Limits
) -> tuple[float, int, int]:
    """Return the seconds, the requests and the records of one fetch."""
    name = f"{case.provider.name}.{case.resource}"
    _limiters.clear()  # each begins with the whole burst
    started = time.perf_counter()
    data = await crmlab.fetch(account, name, limits=limits, on_error="raise")
    taken = time.perf_counter() - started
    assert data.complete, data.summary
    (requests,) = data.summary.filter(table=name)["requests"]
    key = case.provider.resource(
        case.resource
    ).key  # an event without any field has none, and may come twice
    return taken, requests, data[name].select(key.n_unique()).item()


async def compare(case: Case, runs: int) -> list[str]:
    world, lines = case.world(), []
    for latency in LATENCIES:
        async with crmlab.sandbox(
            world, services=[case.provider.name], latency=latency
        ) as accounts:
            account = accounts[0]
            await read(
                account, case, crmlab.Limits(concurrency=50)
            )  # every record is rendered once, now
            for limits in (crmlab.Limits(concurrency=10), case.provider.limits):
                done: dict[str, list[Any]] = {"ours": [], "theirs": []}
                for _ in range(runs):
                    for way, provider in (
                        ("theirs", case.one_after_another),
                        ("ours", case.provider),
                    ):
                        account.provider = provider
                        done[way].append(await read(account, case, limits))
                lines.append(line(case, latency, limits, done))
    return lines


def line(case: Case, latency: float, limits: crmlab.Limits, done: dict[str, list[Any]]) -> str:
    (theirs, requests), (ours, more) = (
        (statistics.median(seconds for seconds, _, _ in done[way]), done[way][0][1])
        for way in ("theirs", "ours")
    )
    records = {count for each in done.values() for _, _, count in each}
    assert len(records) == 1, f"the ways disagree: {records}"
    rate = f"{limits.rate:g}/s" if limits.rate else "none"
    return (
        f"{case.title:<24}{latency * 1000:5.0f} ms {rate:>6}"
        f"{theirs:9.2f} s{requests:6}{ours:9.2f} s{more:6}{theirs / ours:9.1f}"
    )


def measured(number: int, runs: int) -> list[str]:
    return asyncio.run(compare(CASES[number], runs))


def main(runs: int) -> None:
    print(f"medians of {runs} runs in turn\n\n{'':41}one after another        crmlab")
    print(
        f"{'list':<24}{'latency':>8} {'limit':>6}{'wall':>11}{'asked':>6}{'wall':>11}{'asked':>6}{'faster':>9}"
    )
    with ProcessPoolExecutor(len(CASES)) as pool:  # they wait nearly all the time
        for lines in pool.map(measured, range(len(CASES)), repeat(runs)):
            print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="of each way; medians are printed")
    main(parser.parse_args().runs)
