"""The sandbox as the services that a notebook reaches, and what its kernel needs to find them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyio.from_thread import start_blocking_portal

import crmlab
from crmlab.sandbox.server import Sandbox
from tests.browser import ring

#: what nobody has
WRONG = "sk-wrong-11aa22bb33cc44dd"

#: a provider whose own address is the sandbox's: accounts at another are not remembered
_MODULE = """
import os
from dataclasses import replace
from crmlab.providers.complero import PROVIDER

LOCAL = replace(PROVIDER, name="local_complero", title="Local Complero", base_url=os.environ["LOCAL_COMPLERO"])
"""


@contextmanager
def running() -> Iterator[Sandbox]:
    """Serve the sandbox from a thread of its own: playwright has taken this one's loop."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(crmlab.sandbox(rows=200)) as services,
    ):
        yield services


def install(services: Sandbox, folder: Path) -> dict[str, str]:
    """Write a distribution that registers the local provider; return the variables of its users."""
    metadata = folder / "local_services-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "local_services.py").write_text(_MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: local-services\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[crmlab.providers]\nlocal_complero = local_services:LOCAL\n"
    )
    return {
        "LOCAL_COMPLERO": services.account("complero").base_url,
        "CRMLAB_LOCAL_COMPLERO_API_KEY": services.keys["complero"]["api_key"],
        "PYTHON_KEYRING_BACKEND": f"{ring.__name__}.Ring",
        ring.FILE: str(folder / "ring.json"),
    }


def secrets(services: Sandbox) -> list[str]:
    """Return what may be found nowhere."""
    fields = {account.provider.name: account.provider.fields for account in services}
    return [WRONG] + [
        keys[field.name]
        for name, keys in services.keys.items()
        for field in fields[name]
        if field.secret
    ]
