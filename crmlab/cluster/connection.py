"""The way to a scheduler: a client of one's own, and in words what is wrong with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, Union
from urllib.parse import urlsplit

from crmlab.accounts import is_loopback
from crmlab.errors import CrmlabError, UsageError

if TYPE_CHECKING:
    from distributed import Client

#: an address such as ``"tcp://127.0.0.1:8786"``, or a client of Dask's
Cluster: TypeAlias = Union[str, "Client"]
#: seconds in which a scheduler answers, where there is one
_PATIENCE = 10
_SCHEMES = ("tcp", "tls", "ws", "wss", "ucx", "inproc")
#: what Dask says of a connection that could not be made, which is raised here in words, and of an end that took long
_LOGS = ("distributed.client", "distributed.comm", "tornado.application")


def library() -> Any:
    """Return Dask's ``distributed``.

    Raises
    ------
    UsageError
        It is not installed.
    """
    try:
        import distributed  # noqa: PLC0415  # an extra
    except ImportError:
        raise UsageError("a cluster needs distributed: pip install distributed") from None
    return distributed


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[Client]:
    """Open a client of the running event loop to a scheduler; one that was given stays as it is.

    Raises
    ------
    UsageError
        It is no address, nobody answers there, or keys would travel to it unencrypted.
    CrmlabError
        The scheduler was there, and is gone.
    """
    dask = library()
    if isinstance(cluster, str):
        address = _checked(cluster)
        security = None
        _check_private([address])
    elif isinstance(cluster, dask.Client):
        address = _address_of(cluster)
        security = cluster.security
    else:
        raise UsageError(
            "cluster is the address of a scheduler, such as 'tcp://127.0.0.1:8786', or a distributed.Client, not of "
            f"type {type(cluster).__name__}"
        )
    client = dask.Client(
        address, security=security, asynchronous=True, set_as_default=False, timeout=_PATIENCE
    )
    try:
        with quiet():
            await client
    except Exception as error:  # noqa: BLE001  # whatever answers there may say anything, and is no scheduler
        await _close(client)
        raise _no_scheduler(address, error) from None
    try:
        if isinstance(cluster, str):
            identity = await client.scheduler.identity()
            _check_private(identity["workers"])
        yield client
    finally:
        await _close(client)


async def _close(client: Client) -> None:
    with quiet():
        await client.close(timeout=_PATIENCE)  # type: ignore[no-untyped-call]


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in _SCHEMES and bool(parts.netloc)
        parts.port  # noqa: B018  # raises where it is no port
    except ValueError:
        is_address = False
    if not is_address:
        raise UsageError(
            f"{address!r} is not the address of a scheduler, such as 'tcp://127.0.0.1:8786': "
            "crmlab cluster starts one, and prints it"
        )
    return address


def _address_of(client: Client) -> str:
    if client.status != "running" or client.scheduler is None:
        raise UsageError(
            f"the distributed.Client is {client.status}: one with asynchronous=True is awaited first"
        )
    return str(client.scheduler.address)


def _no_scheduler(address: str, error: Exception) -> UsageError:
    """Return what to raise where nobody answers; Dask's own texts go over many lines."""
    if isinstance(error, TypeError | RuntimeError) and address.startswith(("tls", "wss")):
        return UsageError(
            f"{address} needs certificates: give a distributed.Client with security=, or name them in Dask's settings"
        )
    return UsageError(
        f"no scheduler answers at {address} ({type(error).__name__}): look at the address, and whether it runs"
    )


def _check_private(addresses: Iterable[str]) -> None:
    """Refuse to send keys over a network unencrypted, as an account refuses an address with http.

    Whoever knows the network gives a client instead of an address.
    """
    for each in addresses:
        parts = urlsplit(each)
        if parts.scheme in ("tcp", "ws") and not is_loopback(parts.hostname or ""):
            raise UsageError(
                f"the keys of the accounts would travel to {parts.hostname} unencrypted: use a scheduler and workers "
                "with tls://, or give a distributed.Client where the network is yours alone"
            )


@contextmanager
def scheduler_gone(address: str) -> Iterator[None]:
    """Raise in words what a scheduler does that ends in the middle."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise CrmlabError(
            f"the scheduler at {address} is gone ({type(error).__name__}): what was committed stays, and the next "
            "refresh or sweep asks for the rest"
        ) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Let Dask not write what is raised in words."""
    logs = [logging.getLogger(name) for name in _LOGS]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel all these tasks, and wait for their ends."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
