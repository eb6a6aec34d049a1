"""Keys go to the workers and nowhere else: not into tasks, logs, dumps, or what the dashboard shows."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.accounts.secret_spellings import spellings
from crmlab.cluster import each_account
from crmlab.cluster.sealed import Sealed
from crmlab.errors import CrmlabError
from tests.cluster.conftest import Workers
from tests.cluster.works import Failing
from tests.conftest import Serve

SECRET = "planted-key/of+an:account"
#: of the store of the lake
STORE = "planted-secret-of-a-store"
PAGES = (
    "info/main/workers.html",
    "info/main/logs.html",
    "info/main/exceptions.html",
    "info/call-stacks.html",
    "json/counts.json",
    "metrics",
    "sitemap.json",
    "status",
    "tasks",
    "graph",
)


def planted(url: str | None, number: int = 0) -> crmlab.Account:
    return crmlab.Account(
        "onepagecrm",
        name=f"of a secret {number}",
        base_url=url,
        facts={},
        user_id="user",
        api_key=SECRET,
    )


def all_of_scheduler(dask_scheduler: Any) -> str:
    """Return all that a scheduler knows, and what its tasks are made of as a pickle."""
    told = []
    for key, task in dask_scheduler.tasks.items():
        told += [
            key,
            repr(task),
            repr(task.run_spec),
            repr(task.to_dict()) if hasattr(task, "to_dict") else "",
        ]
        told += [repr(task.exception), str(task.exception_text), str(task.traceback_text)]
        told.append(pickle.dumps(task.run_spec).decode("latin-1"))
    told += [repr(dask_scheduler.transition_log), repr(dask_scheduler.get_events())]
    told += [repr(dask_scheduler.get_logs()), repr(dask_scheduler.erred_tasks)]
    return "".join(map(str, told))


async def all_told(workers: Workers, folder: Path) -> dict[str, str]:
    """Return all that a cluster tells whoever asks it."""
    import distributed

    traces = {}
    async with distributed.Client(workers.address, asynchronous=True) as client:
        traces["scheduler"] = await client.run_on_scheduler(all_of_scheduler)
        traces["versions"] = repr(await client.get_versions())
        traces["logs of workers"] = repr(await client.get_worker_logs())
        traces["logs of the scheduler"] = repr(await client.get_scheduler_logs())
        traces["events"] = repr(await client.get_events())
        keys = re.findall(r"account-[0-9a-f]{12}-\d", traces["scheduler"])
        traces["story"] = repr(await client.story(*set(keys)))
        dump = folder / "dump"
        await client.dump_cluster_state(str(dump), format="yaml")
        traces["dump"] = next(folder.glob("dump*")).read_text()
        pages = [*PAGES, *(f"info/task/{key}.html" for key in sorted(set(keys))[:3])]
        root = workers.dashboard.partition("/info/")[0].removesuffix("/status")
        for page in pages:
            traces[page] = await asyncio.to_thread(served, f"{root}/{page}")
    return traces


def served(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return str(answer.read().decode("latin-1"))
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"


def places(traces: dict[str, str]) -> dict[str, str]:
    """Return where a secret stands, with a few characters around it."""
    found = {}
    header = b64encode(f"user:{SECRET}".encode()).decode()
    for word in (*spellings(SECRET), header, STORE):
        for name, text in traces.items():
            place = text.find(word)
            if place >= 0:
                found[name] = text[max(0, place - 80) : place + 40]
    return found


async def test_no_trace_of_a_cluster_holds_a_key(
    workers: Workers, tmp_path: Path, serve: Serve
) -> None:
    heard: list[str] = []
    asked = asyncio.Event()

    async def echoing(request: web.Request) -> web.Response:
        heard.append(request.headers["Authorization"])
        asked.set()
        await asyncio.sleep(0.2)
        said = {"status": 400, "message": str(request.headers), "error_message": SECRET}
        return web.json_response(said, status=400)

    accounts = [planted(await serve(echoing), number) for number in range(6)]
    lake = crmlab.Lake(tmp_path / "lake", storage_options={"secret_key": STORE})
    refreshing = asyncio.create_task(
        lake.refresh(accounts, "deals", cluster=workers.address, progress=False)
    )
    waiting = asyncio.ensure_future(asked.wait())
    await asyncio.wait([waiting, refreshing], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    during = await all_told(workers, tmp_path)
    told = await refreshing
    with pytest.raises(CrmlabError) as raised:
        await each_account(
            workers.address,
            Failing("other", SECRET),
            accounts,
            [SECRET] * len(accounts),
            limits=None,
            seconds=None,
            progress=False,
            stop=None,
        )
    (tmp_path / "after").mkdir()
    after = await all_told(workers, tmp_path / "after")

    assert SECRET.encode() in b"".join(map(decoded, heard))
    assert re.search(r"account-[0-9a-f]{12}-1", during["scheduler"])
    assert "of a secret" not in during["scheduler"]
    assert not told.complete
    results = {"raised": f"{raised.value!r}", "told": f"{told!r} {told.failures} {told.summary}"}
    output = {"output": workers.log.read_text()}
    assert "Run out-of-band function" in str(after["logs of workers"]) + output["output"]
    for traces in (during, after, results, output):
        assert places(traces) == {}


def decoded(header: str) -> bytes:
    return b64decode(header.removeprefix("Basic "))


async def test_a_key_that_is_shown_would_be_found(workers: Workers, tmp_path: Path) -> None:
    import distributed

    async with distributed.Client(workers.address, asynchronous=True) as client:
        shown = client.submit(len, SECRET, key="account-shown", pure=False)
        assert await shown.result() == len(SECRET)
        traces = {"scheduler": await client.run_on_scheduler(all_of_scheduler)}

    assert places(traces) != {}


def test_what_is_sealed_is_not_shown() -> None:
    sealed = Sealed.of({"key": SECRET})

    shown = f"{sealed!r} {sealed} {[sealed]} {vars(Sealed).keys()}"
    assert SECRET not in shown
    assert repr(copy.copy(sealed)) == "<sealed>"
    assert pickle.loads(pickle.dumps(sealed)).open() == {"key": SECRET}


def test_an_account_cannot_be_sealed_by_accident() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        Sealed.of(planted(None))
