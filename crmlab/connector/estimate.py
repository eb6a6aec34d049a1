"""How many requests a list needs, and the time no client could beat. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmlab.connector.limits import Limits

#: records that one answer may hold with all that is inside them: about a megabyte
MAX_RECORDS = 2_000


def bound(requests: int, limits: Limits, latency: float) -> float:
    """Return the seconds below which no client can send so many requests and have the last answer.

    ``burst`` leave at once, the rest at ``rate`` a second; `latency`: seconds of one answer.
    """
    if not requests:
        return 0.0
    if limits.rate is None:
        return latency
    return max(0, requests - limits.burst) / limits.rate + latency


def expected(requests: int, limits: Limits, latency: float, *, accounts: int = 1) -> float:
    """Return how long so many requests take: the limit's time, or that of so many answers side by side.

    ``burst`` leave at once and the next when ``burst / rate`` seconds are over, as `crmlab.http.limiter` lets them.
    """
    if not requests:
        return 0.0
    answering = requests * latency / (limits.concurrency * accounts)
    if limits.rate is None:
        return max(latency, answering)
    full_windows = (requests - 1) // limits.burst
    waiting = full_windows * limits.burst / limits.rate
    return max(waiting + latency, answering)


def pages(records: int, size: int) -> int:
    """Return how many pages a list of that many records has; an empty one is asked once."""
    return max(1, -(-records // size))


def embedding(total: int, held: Mapping[str, int], sizes: Sequence[int]) -> int | None:
    """Return the page size with which others are asked for inside a list; None where that saves nothing.

    The list itself is needed anyway, so what is inside costs nothing but smaller pages: no answer shall
    hold more than `MAX_RECORDS`. The first page of each list is already there.

    Parameters
    ----------
    total
        records of the list
    held
        records of each of the others
    sizes
        page sizes, the largest (which is that of lists of their own) first
    """
    largest = sizes[0]
    records_in_each = 1 + sum(held.values()) / max(1, total)
    fitting = [page_size for page_size in sizes if page_size * records_in_each <= MAX_RECORDS]
    if not fitting:
        return None

    page_size = fitting[0]
    added_requests = pages(total, page_size) - pages(total, largest)
    saved_requests = sum(pages(records, largest) - 1 for records in held.values())
    if added_requests >= saved_requests:
        return None
    return page_size
