"""The example of the documentation: an API in one file, found through its entry point, over real HTTP."""

from __future__ import annotations

import ast
import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab import providers
from crmlab.cli.main import main
from crmlab.errors import AuthError
from crmlab.schema.tables import TABLES

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "docs" / "examples" / "deskline.py"
SERVICE = ROOT / "docs" / "examples" / "deskline_service.py"
ADDRESS = "https://api.deskline.example/v1"
KEY = "desk-key-1"
Serve = Callable[[Any], Awaitable[str]]
FAST = crmlab.Limits(concurrency=5)
DAY = "2026-03-{:02d}T09:30:00Z"

CUSTOMERS = [
    {
        "id": f"c{n}",
        "name": f"Person {n}",
        "organisation": "",
        "phone": None,
        "emails": [f"p{n}@example.com", ""],
        "created_at": DAY.format(1),
        "updated_at": DAY.format(1 + n % 28),
    }
    for n in range(230)
]
TICKETS = [
    {
        "id": f"t{n}",
        "customer_id": f"c{n}",
        "subject": "Late",
        "text": "Where is it?",
        "state": "closed" if n % 2 else "open",
        "agent": {"id": "a1", "name": "Kim"},
        "opened_at": DAY.format(2),
        "closed_at": DAY.format(3) if n % 2 else None,
        "updated_at": DAY.format(3),
    }
    for n in range(7)
]


class Desk:
    """The service: lists in pages, a key, and one 429 in the middle."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        if request.headers.get("X-Desk-Key") != KEY:
            return web.json_response({"error": "unknown key"}, status=401)
        if self.asked[request.path] == 2:
            return web.json_response(
                {"error": "slow down"}, status=429, headers={"Retry-After": "0"}
            )
        name = request.path.split("/")[1]
        found: list[dict[str, Any]] = {"customers": CUSTOMERS, "tickets": TICKETS}[name]
        if len(parts := request.path.split("/")) == 3:
            return web.json_response(next(each for each in found if each["id"] == parts[2]))
        if since := request.query.get("updated_since"):
            found = [each for each in found if each["updated_at"] >= since[:10]]
        size, page = int(request.query["per_page"]), int(request.query.get("page", 1))
        shown = found[size * (page - 1) : size * page]
        return web.json_response(
            {name: shown, "page": page, "pages": -(-len(found) // size), "total": len(found)}
        )


@pytest.fixture
async def desk(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """Install the example as a package of somebody else, whose service is on this machine."""
    service = Desk()
    source = EXAMPLE.read_text(encoding="utf-8")
    (tmp_path / "deskline.py").write_text(
        source.replace(ADDRESS, await serve(service.answer)), encoding="utf-8"
    )
    installed = tmp_path / "crmlab_deskline-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: crmlab-deskline\nVersion: 1.0\n"
    )
    (installed / "entry_points.txt").write_text(
        "[crmlab.providers]\ndeskline = deskline:PROVIDER\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRMLAB_DESKLINE_API_KEY", KEY)
    providers.registry.cache_clear()
    yield service
    providers.registry.cache_clear()
    del sys.modules["deskline"]


def test_it_needs_what_the_package_needs_and_nothing_else() -> None:
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    used = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    used |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }

    assert used - sys.stdlib_module_names - {"collections.abc"} == {
        "crmlab.connector",
        "msgspec",
        "polars",
    }


async def test_its_tables_are_fetched_whole_in_the_shared_schema(desk: Desk) -> None:
    data = await crmlab.fetch(crmlab.Account("deskline"), limits=FAST)

    assert data.complete
    assert {name: frame.schema for name, frame in data.items()} == {
        name: TABLES[name].schema for name in ("contacts", "activities")
    }
    assert set(data.contacts["id"]) == {each["id"] for each in CUSTOMERS}
    assert data.contacts["emails"][0].to_list() == ["p0@example.com"]
    assert data.activities.select("kind", "contact_id", "owner_id", "done").row(1) == (
        "ticket",
        "c1",
        "a1",
        True,
    )
    assert desk.asked == {
        "/customers": 4,
        "/tickets": 1,
    }  # three pages, one of them asked again after the 429


async def test_its_own_records_have_every_documented_field(desk: Desk) -> None:
    data = await crmlab.fetch(crmlab.Account("deskline"), "deskline.tickets", limits=FAST)

    assert data["deskline.tickets"].drop("provider", "account").to_dicts() == TICKETS


async def test_a_period_is_asked_of_the_service(desk: Desk) -> None:
    data = await crmlab.fetch(
        crmlab.Account("deskline"), "contacts", since="2026-03-20", until="2026-03-22"
    )

    days = {each["id"]: int(each["updated_at"][8:10]) for each in CUSTOMERS}
    assert set(data.contacts["id"]) == {id for id, day in days.items() if day in (20, 21)}
    assert desk.asked == {"/customers": 1}


async def test_a_plan_knows_its_pages(desk: Desk) -> None:
    plan = await crmlab.plan(crmlab.Account("deskline"), "contacts")

    assert (plan.requests, plan.exact) == (3, True)
    assert plan.resources["strategy"].to_list() == ["pages side by side"]
    assert plan.scopes["rate"].to_list() == [10.0]


async def test_one_ticket_can_be_asked_for(desk: Desk) -> None:
    assert await crmlab.call(crmlab.Account("deskline"), "get_ticket", id="t3") == TICKETS[3]


async def test_the_form_has_a_section_for_it_and_its_accounts_can_be_fetched(desk: Desk) -> None:
    form = crmlab.login("deskline")

    shown = json.dumps(form.sections)
    assert "Deskline" in shown
    assert "Deskline > Settings > API" in shown
    assert KEY not in shown
    assert (await crmlab.fetch(form, "activities", limits=FAST)).activities.height == len(TICKETS)


async def test_the_doctor_asks_it_and_lists_what_is_assumed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await asyncio.to_thread(main, ["doctor", "deskline"])

    shown = capsys.readouterr().out
    assert code == 0
    assert shown.startswith("Deskline: ")
    assert "assumed, documented nowhere: updated_since includes the moment that it names" in shown
    assert desk.asked == {"/customers": 1}


async def test_a_refused_key_says_where_to_look_and_not_what_it_was(desk: Desk) -> None:
    with pytest.raises(
        AuthError, match="deskline account 'deskline': HTTP 401 · unknown key; check api_key"
    ) as caught:
        await crmlab.fetch(crmlab.Account("deskline", api_key="wrong-key"))

    assert "wrong-key" not in str(caught.value)


# ---- within the project ---------------------------------------------------------------------------

#: what a checkout with the example in it is asked
FOLLOWS = """
import asyncio

import crmlab
from crmlab.providers import registry
from crmlab.sandbox import services
from docs import generated, names
from docs.pages import coverage, providers

assert "deskline" in registry()
assert "deskline" in services.names()
assert '"deskline",' in names.written()
assert "providers/deskline.md" in providers.pages()
assert "Deskline > Settings > API" in providers.pages()["providers/deskline.md"]
page = generated.written(generated.FILES[0])
assert "| Deskline | `deskline` | contacts, activities | 10/s | Deskline > Settings > API |" in page
assert "CRMLAB_DESKLINE_API_KEY=..." in page

async def main():
    async with crmlab.sandbox(rows=120) as accounts:
        assert [account.provider.name for account in accounts] == services.names() == list(registry())
        data = await crmlab.fetch(accounts, "contacts", "activities")
        assert data.complete
        desk = data.contacts.filter(provider="deskline")
        assert desk.height == len(accounts.world.people)
        assert data.activities.filter(provider="deskline").height == len(accounts.world.notes)

asyncio.run(main())
desk = [row for row in coverage.covered() if row.provider == "deskline"]
assert [row.operation.name for row in desk] == ["list_customers", "list_tickets", "get_ticket"]
assert not [hole for row in desk for hole in row.holes]
print("all of it follows")
"""


def test_in_the_project_it_is_a_file_beside_the_providers_and_one_beside_the_services(
    tmp_path: Path,
) -> None:
    for folder in ("crmlab", "docs"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.png")
        )
    for file in ("README.md", ".importlinter"):
        shutil.copy(ROOT / file, tmp_path)
    shutil.copy(EXAMPLE, tmp_path / "crmlab" / "providers" / "deskline.py")
    shutil.copy(SERVICE, tmp_path / "crmlab" / "sandbox" / "services" / "deskline.py")

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FOLLOWS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stdout.strip() == "all of it follows", done.stderr
