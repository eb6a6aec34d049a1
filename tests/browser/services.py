"""The sandbox as the services that a notebook reaches, and what its kernel needs to find them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyio.from_thread import start_blocking_portal

import crmlab
from crmlab.sandbox.server import Sandbox

#: what nobody has
WRONG = "sk-wrong-11aa22bb33cc44dd"

#: the providers as they are, but at the sandbox's address: the form has no field for it
_MODULE = """
import os
from dataclasses import replace
from crmlab.providers import altcraft, commanders_act, complero, onepagecrm, relenta

for module in (altcraft, commanders_act, complero, onepagecrm, relenta):
    provider = module.PROVIDER
    url = os.environ["SANDBOX_" + provider.name.upper()]
    globals()[provider.name] = replace(provider, name="local_" + provider.name, base_url=url)
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
    """Write a distribution that registers the services; return the variables that its users need."""
    metadata = folder / "local_services-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "local_services.py").write_text(_MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: local-services\nVersion: 1\n")
    points = "".join(f"local_{name} = local_services:{name}\n" for name in services.keys)
    (metadata / "entry_points.txt").write_text(f"[crmlab.providers]\n{points}")
    return {f"SANDBOX_{account.provider.name.upper()}": account.base_url for account in services} | {
        "CRMLAB_LOCAL_COMPLERO_API_KEY": services.keys["complero"]["api_key"]
    }


def secrets(services: Sandbox) -> list[str]:
    """Return what may be found nowhere."""
    fields = {account.provider.name: account.provider.fields for account in services}
    return [WRONG] + [
        keys[field.name] for name, keys in services.keys.items() for field in fields[name] if field.secret
    ]
