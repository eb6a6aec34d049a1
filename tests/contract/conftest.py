"""The official documents, Prism serving them, and the sandbox's answers.

What is absent is a reason to skip, except under ``make contract`` (CRMLAB_CONTRACT=1).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest

import crmlab
from crmlab.connector.request import Request
from crmlab.connector.resource import Resource
from crmlab.errors import ApiError
from crmlab.http.client import Client
from crmlab.providers import registry
from crmlab.providers.commanders_act.windows import iso
from tests.contract.document import Document
from tests.contract.exceptions import CORRECTIONS, UNDOCUMENTED
from tests.contract.recorder import Exchange, recorder

# it needs schemathesis, which `make contract` alone installs; the tests that use it skip where it is absent
collect_ignore = ["generated.py"]

ROOT = Path(__file__).parents[2]
SPECS = Path(os.environ.get("CRMLAB_SPECS") or ROOT.parent / "shared" / "api")
FILES = {"onepagecrm": "onepagecrm.openapi.yaml", "commanders_act": "commanders_act.openapi.json"}
PROVIDERS = [name for name in FILES if name in registry()]
RESOURCES = [
    (name, resource.name)
    for name in PROVIDERS
    for resource in registry()[name].resources
    if (name, resource.name) not in {(u.provider, u.resource) for u in UNDOCUMENTED}
]
#: where Prism is looked for, first found
PRISM = (
    os.environ.get("CRMLAB_PRISM"),
    ROOT / ".venv/prism/node_modules/.bin/prism",
    shutil.which("prism"),
)
NOW = dt.datetime.now(dt.UTC)
SERVER = crmlab.Limits(concurrency=4)
"""For the tests' own servers: no rate."""

#: what Prism says of every list instead of "1 record on 1 page", for a list that never ends and is past the wall
_ENDLESS = {
    "onepagecrm": {
        "/components/schemas/Page_data/properties/total_count/example": 12_000,
        "/components/schemas/Page_data/properties/max_page/example": 7,
    }
}
_MONTH = {"start": iso(NOW - dt.timedelta(days=29)), "end": iso(NOW)}
#: the operations that the sandbox serves beside the lists: what their id is called, and what else they take
SERVED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "get_contact": ("contact_id", {}),
    "get_company": ("company_id", {}),
    "get_deal": ("deal_id", {}),
    "platform_destination_healths_index": ("id", _MONTH),
}
#: where the ids of a path come from, if its first part is no resource
_LISTED = {"integrations": "destinations"}
#: requests that a service refuses because of what they ask
REFUSED = {
    "onepagecrm": (
        Request(path="/contacts/000000000000000000000000"),
        Request(path="/deals", params={"page": "first"}),
    ),
    "commanders_act": (Request(path="/integrations/0/delivery/trends"),),
}


#: documented requests that no resource or operation makes
MORE = {
    "onepagecrm": (
        Request(
            path="/contacts",
            params={
                "team": "true",
                "per_page": "100",
                "fields": "deals(all),notes(all),calls(all),meetings(all)",
            },
        ),
    ),
}


def account(provider: str, base_url: str) -> crmlab.Account:
    """Return an account for a server that takes any credentials."""
    missing = [field.name for field in registry()[provider].fields if not field.default]
    return crmlab.Account(provider, base_url=base_url, **dict.fromkeys(missing, "7"))


def absent(what: str) -> NoReturn:
    if os.environ.get("CRMLAB_CONTRACT") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def documents() -> Mapping[str, Document]:
    missing = [name for name in FILES.values() if not (SPECS / name).is_file()]
    if missing:
        absent(f"{', '.join(missing)} not in {SPECS} (set CRMLAB_SPECS)")
    return {
        name: Document.load(name, SPECS / file).corrected(
            {c.pointer: c.value for c in CORRECTIONS if c.document == name}
        )
        for name, file in FILES.items()
    }


@dataclass
class Prism:
    """A mock server of one document."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait(self, seconds: float = 90) -> Prism:
        deadline = time.monotonic() + seconds
        while "Prism is listening" not in self.log.read_text("utf-8"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Prism did not start:\n{self.log.read_text('utf-8')[-2000:]}")
            time.sleep(0.1)
        return self


@pytest.fixture(scope="session")
def prism(
    documents: Mapping[str, Document], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Prism]]:
    """Return what gives the mock server of "onepagecrm", "commanders_act" or "onepagecrm, endless"."""
    program = next((path for path in map(Path, filter(None, PRISM)) if path.is_file()), None)
    if program is None:
        absent("Prism is not installed: run tests/contract/install_prism.sh (or set CRMLAB_PRISM)")
    folder = tmp_path_factory.mktemp("prism")
    served = {name: documents[name] for name in PROVIDERS}
    served |= {f"{name}, endless": documents[name].corrected(c) for name, c in _ENDLESS.items()}
    running = {name: _start(program, document, folder / name) for name, document in served.items()}
    try:
        yield lambda name: running[name].wait()
    finally:
        for one in running.values():
            one.process.terminate()
        for one in running.values():
            one.process.wait(20)


def _start(program: Path, document: Document, folder: Path) -> Prism:
    folder.mkdir()
    file, log = folder / "openapi.json", folder / "log"
    file.write_text(json.dumps(document.raw), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, "mock", "--host", "127.0.0.1", "--port", str(port), file],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    return Prism(f"http://127.0.0.1:{port}", log, process)


@dataclass(frozen=True, slots=True)
class Served:
    """What the sandbox answered: to the client, resource by resource, and to requests it refuses."""

    #: without those of the resources that a resource needs
    resources: Mapping[str, list[Exchange]]
    records: Mapping[str, pl.DataFrame]
    operations: list[Exchange]
    more: list[Exchange]
    refusals: list[Exchange]


@pytest.fixture(scope="session")
def served() -> Callable[[str], Served]:
    """Return what tells the sandbox's answers of a provider, fetched once."""
    return cache(lambda provider: asyncio.run(_fetch_all(provider)))


def _needs(resource: Resource) -> tuple[str, ...]:
    return (*resource.needs_before_request, *resource.needs_before_decode)


def _needed_first(resources: Sequence[Resource]) -> list[Resource]:
    """Return the resources, each after those that it needs."""
    named = {each.name: each for each in resources}
    order = TopologicalSorter({name: _needs(each) for name, each in named.items()}).static_order()
    return [named[name] for name in order]


async def _fetch_all(provider: str) -> Served:
    async with (
        crmlab.sandbox(rows=150, services=[provider]) as accounts,
        recorder(accounts[0].base_url) as wire,
    ):
        secrets = accounts.keys[provider]
        ours = crmlab.Account(provider, base_url=wire.url, **secrets)
        stranger = crmlab.Account(provider, base_url=wire.url, **dict.fromkeys(secrets, "7"))
        resources, records = {}, {}
        #: paths that a fetch of each resource asked, those of what it needs included
        paths: dict[str, set[str]] = {}
        for resource in _needed_first(ours.provider.resources):
            table = f"{provider}.{resource.name}"
            data = await crmlab.fetch(ours, table, limits=SERVER, on_error="raise")
            parents = set().union(*(paths[name] for name in _needs(resource)))
            taken = wire.taken()
            paths[resource.name] = {e.path for e in taken}
            resources[resource.name] = [e for e in taken if e.path not in parents]
            records[resource.name] = data[table]
        for operation in ours.provider.operations():
            if operation.name not in SERVED:
                continue
            name, more_arguments = SERVED[operation.name]
            plural = operation.path.split("/")[1]
            id = records[_LISTED.get(plural, plural)]["id"][0]
            await crmlab.call(ours, operation.name, **{name: id}, **more_arguments)
        operations = wire.taken()
        refused = [
            (stranger, ours.provider.ping),
            *((ours, request) for request in REFUSED[provider]),
        ]
        async with Client(SERVER) as client:
            for request in MORE.get(provider, ()):
                await client.send(ours, request)
            more = wire.taken()
            for sender, request in refused:
                with pytest.raises(ApiError):
                    await client.send(sender, request)
    return Served(resources, records, operations, more, wire.taken())
