"""What 10,000 accounts and a billion events need, reckoned from what was measured and from what vendors allow.

``python -m benchmarks.cluster_paper`` prints the tables of docs/cluster.md; a test compares them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from crmlab.connector import Limits
from crmlab.providers import registry

ACCOUNTS = 10_000
RECORDS = 1_000_000_000
#: of all records, what changes in a day: assumed
CHANGED = 0.01
DAY = 86_400
HOUR = 3_600

# ---- measured: docs/cluster.md says how -----------------------------------------------------------------
#: CPU seconds of workers for a million events, and for one account beside its events
CPU_OF_MILLION = 100
CPU_OF_ACCOUNT = 0.23
#: bytes of a row in a lake (`benchmarks.lake`: a million deals in 50 MB)
BYTES_OF_ROW = 50
#: bytes on disk, and CPU seconds, of one commit of what the lake knows of 10,000 accounts with five lists each
BYTES_OF_STATE = 170_000
CPU_OF_STATE = 0.8
#: of a worker, the most memory in MiB
MIB_OF_WORKER = 524

# ---- assumed prices, in US dollars -----------------------------------------------------------------------
CORE_HOUR = 0.05
GIGABYTE_MONTH = 0.023


@dataclass(frozen=True)
class Service:
    """How many records a page holds, and how many requests an account needs where nothing has changed.

    `comes_whole`: it cannot be asked for what changed.
    """

    name: str
    page: int
    idle: int
    comes_whole: bool = False

    @property
    def limits(self) -> Limits:
        return registry()[self.name].limits

    @property
    def first_requests(self) -> float:
        """Of the first refresh."""
        return ACCOUNTS * self.idle + RECORDS / self.page

    @property
    def daily_requests(self) -> float:
        """Of one refresh a day."""
        if self.comes_whole:
            return self.first_requests
        return ACCOUNTS * self.idle + RECORDS * CHANGED / self.page

    def seconds(self, requests: float) -> float:
        """Return how long the limit makes them take: from one address, or for each account by itself."""
        rate = self.limits.rate
        assert rate is not None
        together = 1 if self.limits.scope == "ip" else ACCOUNTS
        return requests / rate / together


#: consent events by the thousand; lists of OnePageCRM and Relenta by the hundred; Altcraft's documented largest page
SERVICES = (
    Service("complero", 1_000, 3),
    Service("onepagecrm", 100, 6),
    Service("relenta", 100, 3, comes_whole=True),
    Service("altcraft", 1_000, 4),
    Service("commanders_act", 100, 20),
)


def requests() -> Iterator[str]:
    """Yield the table of requests, were all accounts of one service."""
    yield "| service | limit | requests at first | they take | requests a day | they take | addresses for a day |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for service in SERVICES:
        limits = service.limits
        counted = "an address" if limits.scope == "ip" else "an account"
        first = service.seconds(service.first_requests)
        daily = service.seconds(service.daily_requests)
        addresses = math.ceil(daily / DAY)
        yield (
            f"| {registry()[service.name].title} | {limits.rate:g}/s for {counted} | {service.first_requests:,.0f} | "
            f"{in_words(first)} | {service.daily_requests:,.0f} | {in_words(daily)} | {addresses} |"
        )


def machines() -> Iterator[str]:
    """Yield the table of what workers and storage need."""
    first = RECORDS / 1e6 * CPU_OF_MILLION + ACCOUNTS * CPU_OF_ACCOUNT
    daily = RECORDS * CHANGED / 1e6 * CPU_OF_MILLION + ACCOUNTS * CPU_OF_ACCOUNT
    size = RECORDS * BYTES_OF_ROW / 1e9
    yearly = size * (1 + 365 * CHANGED)
    yield "| what | how much | from |"
    yield "| --- | --- | --- |"
    yield (
        f"| CPU of the first refresh | {first / HOUR:,.0f} core hours: {math.ceil(first / DAY)} cores for a day, "
        f"{first / HOUR * CORE_HOUR:,.2f} USD | {CPU_OF_MILLION} s a million events, {CPU_OF_ACCOUNT} s an account |"
    )
    yield (
        f"| CPU of each day | {daily / 60:,.0f} core minutes, {daily / HOUR * CORE_HOUR:,.2f} USD | the same, and "
        f"{CHANGED:.0%} changed |"
    )
    yield f"| memory | {MIB_OF_WORKER} MiB a worker | 16 accounts at a time |"
    yield (
        f"| storage | {size:,.0f} GB, {size * GIGABYTE_MONTH:,.2f} USD a month; {yearly:,.0f} GB after a year with all "
        f"versions | {BYTES_OF_ROW} bytes a row |"
    )
    yield (
        f"| what the lake knows of itself | {BYTES_OF_STATE / 1e6:.2f} MB and {CPU_OF_STATE} CPU s a commit | "
        "50,000 lists |"
    )


def in_words(seconds: float) -> str:
    """Return a length of time, such as "14 h"."""
    if seconds >= 2 * DAY:
        return f"{seconds / DAY:,.1f} days"
    if seconds >= 2 * HOUR:
        return f"{seconds / HOUR:,.1f} h"
    return f"{seconds / 60:,.1f} min"


if __name__ == "__main__":
    print("\n".join((*requests(), "", *machines())))
