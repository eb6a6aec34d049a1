"""The services, embedded: real HTTP on 127.0.0.1, served from a generated or loaded world.

Everything behaves as the vendors document it: authentication and its refusals, envelopes, page
limits, cursors in bodies and headers, the 10,000-contact wall, error bodies, rate limits. What
nobody documents behaves as crmlab assumes (`crmlab doctor` lists that).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from crmlab.errors import UsageError

if TYPE_CHECKING:
    from crmlab.sandbox.faults import Fault
    from crmlab.sandbox.server import Starting
    from crmlab.sandbox.world.model import World

_MAX_PORT = 65_535


def sandbox(
    world: World | Literal["generated", "maven"] = "generated",
    *,
    rows: int = 1000,
    seed: int = 1,
    now: dt.datetime | None = None,
    days_ago: int = 0,
    data: str | Path | None = None,
    services: Sequence[str] | None = None,
    latency: float = 0.0,
    rate_limits: bool = False,
    faults: Sequence[Fault] = (),
    drift: bool | str | Sequence[str] = False,
    port: int = 0,
) -> Starting:
    """Serve the services on 127.0.0.1: their accounts, ready for `crmlab.fetch`.

    Awaited, it runs until ``await accounts.close()`` or to the end of the event loop, in a notebook the
    kernel's; ``async with`` closes it. Its accounts keep to no vendor's limit, unless `rate_limits` does.

    Parameters
    ----------
    world
        "generated" from `seed`: `rows` people and what belongs to them, ending at `now` (today);
        "maven": the Maven Analytics CRM files in the folder `data`, in OnePageCRM; or a `World`.
    days_ago
        Serve the same world as it was so many days before its end: of two fetches, one of then and one of now, come
        waterfall, funnel and the time that deals stay in a stage. What was changed since is as it was, what was deleted
        since is there, and answers tell the time of then. The same `rows`, `seed` and `now` are the same world.
        Say when such data are from: ``crmlab.collect(deals=data.deals, as_of=accounts.world.now)``.
    services
        Which of them to serve; all of them, or OnePageCRM alone for the Maven world.
    latency
        Seconds before each answer.
    rate_limits
        Enforce the documented limits, read as strictly as can be (429 beyond them).
    faults
        What goes wrong on purpose; see `crmlab.sandbox.faults`.
    drift
        Differ from what the vendors document, as live services may: "page_cap,envelope" names the differences,
        True takes all that go together. ``crmlab sandbox --help`` lists them.
    port
        0: any free one.

    Raises
    ------
    UsageError
        a name in `services` or `drift` is not known
    CrmlabError
        the files of `data` are absent or cannot be read
    UsageError
        `rows`, `days_ago`, `latency` or `port` is negative or too large, or `now` has no time zone

    Examples
    --------
    In a notebook, where the services may run as long as it does, ``accounts = await crmlab.sandbox(rows=50)``. In a
    script they are stopped at the end of a block:

    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["altcraft", "relenta"]) as accounts:
    ...     data = await crmlab.fetch(accounts, "contacts")
    >>> data.contacts["provider"].unique().sort().to_list()
    ['altcraft', 'relenta']
    """
    from crmlab.sandbox.drift import chosen
    from crmlab.sandbox.server import Starting, serve, world_of
    from crmlab.sandbox.world import earlier

    # before a world is made, which takes a while
    if not 0 <= port <= _MAX_PORT:
        raise UsageError(f"port is a number from 0 to {_MAX_PORT}, not {port}")
    if not 0 <= latency < inf:
        raise UsageError(f"latency is 0 or more seconds, not {latency}")
    loaded_world, loader_notes = world_of(world, rows=rows, seed=seed, now=now, data=data)
    service_names = services
    # its files are of sales alone: the others would be empty
    if world == "maven" and not services:
        service_names = ("onepagecrm",)
    return Starting(
        serve(
            earlier(loaded_world, days_ago),
            services=service_names,
            latency=latency,
            rate_limits=rate_limits,
            faults=faults,
            differences=chosen(drift),
            port=port,
            notes=loader_notes,
        )
    )


def differences() -> dict[str, str]:
    """Return what `drift` takes: the name of each difference, and what is different, in words.

    Those with an asterisk are served only where they are named: they contradict others, or would make most lists
    incomplete.

    Examples
    --------
    >>> from crmlab.sandbox import differences
    >>> differences()["bom"]
    'answers begin with a byte order mark'
    """
    from crmlab.sandbox.drift import DIFFERENCES

    descriptions = {}
    for difference in DIFFERENCES:
        descriptions[difference.name] = difference.doc
        if difference.apart:
            descriptions[difference.name] += " *"
    return descriptions
