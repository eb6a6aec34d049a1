"""Secrets that were planted in the accounts of all services are looked for wherever crmlab leaves a trace.

A server gives every request back: in its headers, its body and the words of its errors, as it came, in Base64 and
percent-encoded. Whatever is called then is searched: what is logged at DEBUG by anybody, what is raised with its
cause, its context and the variables of every function that it came through, results and files.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import gzip
import io
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.accounts.secret_spellings import spellings
from crmlab.errors import CrmlabError
from crmlab.providers import registry
from tests.conftest import Serve

#: with what every encoding changes
SECRET = "pl4nted/s3cret+of=the&account"  # made up
KINDS = ("plain", "base64", "percent")
ELSEWHERE = "http://169.254.169.254/latest/meta-data"


def account(provider: str, url: str) -> crmlab.Account:
    """Return an account whose secrets are planted."""
    fields = registry()[provider].fields
    secrets = {field.name: f"{SECRET}{number}" for number, field in enumerate(fields) if field.secret}
    settings = {field.name: "4711" for field in fields if not field.secret and not field.default}
    return crmlab.Account(provider, base_url=url, facts={}, **settings, **secrets)


def echoing(status: int, heard: list[str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answer with all that was asked, in every spelling."""

    async def answer(request: web.Request) -> web.StreamResponse:
        heard.append(request.path)
        asked = " ".join([*request.headers.values(), request.path_qs, await request.text()])
        said = {"plain": asked, "base64": base64.b64encode(asked.encode()).decode(), "percent": quote(asked, safe="")}
        headers = {f"X-{kind}": said[kind].replace("\n", " ") for kind in KINDS}
        headers["Location"] = f"{ELSEWHERE}?{said['percent']}"
        headers["Retry-After"] = "0"
        words = " ".join(said.values())
        body = {"status": status, "message": words, "error": words, "error_text": words, "error_message": words}
        return web.json_response(body, status=status, headers=headers, reason="Odd")

    return answer


def listing(asked: crmlab.Account) -> str:
    """Return an operation that reads and needs no argument."""
    reading = crmlab.operations(asked.provider.name).filter(~pl.col("writes") & ~pl.col("destructive"))
    needed = pl.col("arguments").list.eval(pl.element().struct["required"]).list.any()
    return str(reading.filter(~needed.fill_null(value=False))["operation"][0])


def calls(asked: crmlab.Account, folder: Path) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return what is called."""
    hurry = {"limits": crmlab.Limits(concurrency=4), "timeouts": crmlab.Timeouts(tries=2, first_wait=0.001)}
    rows = pl.DataFrame({"id": ["1"], "first_name": ["A"], "last_name": ["B"]})
    options = {"altcraft": {"db_id": 1}}.get(asked.provider.name, {})
    found: dict[str, Callable[[], Awaitable[Any]]] = {
        "call": lambda: crmlab.call(asked, listing(asked), as_model=list[int], timeouts=hurry["timeouts"]),
        "check": lambda: crmlab.check(asked, timeouts=hurry["timeouts"]),
        "plan": lambda: crmlab.plan(asked, **hurry),
        "fetch": lambda: crmlab.fetch(asked, **hurry, progress=False, spool=folder / "spool", on_error="raise"),
        "fetch_to": lambda: crmlab.fetch_to(folder / "out", asked, **hurry, progress=False),
    }
    if asked.provider.targets:
        found["push"] = lambda: crmlab.push(
            asked, "contacts", rows, results=folder / "results", **hurry, progress=False, **options
        )
    return found


def told(error: BaseException) -> str:
    """Return all that an error tells, and the variables of the functions that it came through."""
    lines = [*traceback.TracebackException.from_exception(error, capture_locals=True).format()]
    shown = [repr(error), str(error), str(vars(error)), str(error.__cause__), str(error.__context__)]
    return "".join([*lines, *shown, str(vars(copy.copy(error)))])


def files(folder: Path) -> str:
    """Return what stands in all files, unpacked, and their names."""
    texts = []
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        texts += [path.name, (gzip.decompress(content) if path.suffix == ".gz" else content).decode("latin-1")]
    return "\n".join(texts)


def places(text: str, asked: crmlab.Account) -> list[str]:
    """Return where a secret stands in a text, with a few characters around it."""
    found = []
    for number in range(len(asked.provider.fields)):
        for spelling in spellings(f"{SECRET}{number}"):
            place = text.find(spelling)
            if place >= 0:
                found.append(text[max(0, place - 80) : place + len(spelling) + 20])
    return found


@pytest.mark.parametrize("provider", sorted(registry()))
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500])
async def test_no_trace_holds_a_secret(
    provider: str, status: int, serve: Serve, tmp_path: Path
) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "crmlab", "aiohttp", "asyncio")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    # each round of the loop is slow then
    asyncio.get_running_loop().set_debug(status in (200, 302))
    heard: list[str] = []
    asked = account(provider, await serve(echoing(status, heard)))
    traces = {"account": f"{asked!r} {asked} {asked.options}"}
    try:
        for name, call in calls(asked, tmp_path).items():
            try:
                result = await call()
            except CrmlabError as error:
                traces[name] = told(error)
            else:
                shown = getattr(result, "_repr_html_", lambda: "")()
                traces[name] = f"{result!r} {result} {shown} {getattr(result, 'failures', '')}"
                traces[name] += "".join(map(told, getattr(result, "failures", ())))
    finally:
        asyncio.get_running_loop().set_debug(False)
        root.removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    traces["log"] = log.getvalue()
    traces["files"] = files(tmp_path)

    assert heard
    assert {name: places(text, asked) for name, text in traces.items() if places(text, asked)} == {}


@pytest.mark.parametrize("provider", sorted(registry()))
def test_no_pickle_of_an_account_holds_a_secret(provider: str) -> None:
    asked = account(provider, "http://127.0.0.1:9")
    try:
        content = pickle.dumps(asked)
    except Exception as error:  # noqa: BLE001  # that it cannot be pickled is as good, if it says no secret
        content = told(error).encode()

    assert places(content.decode("latin-1"), asked) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_server_says_is_found_where_it_is_shown(kind: str) -> None:
    asked = account("relenta", "http://127.0.0.1:9")
    number = next(place for place, field in enumerate(asked.provider.fields) if field.secret)
    secret = f"{SECRET}{number}"
    said = {"plain": secret, "base64": base64.b64encode(f"x:{secret}".encode()).decode(), "percent": quote(secret, "")}

    assert places(f"refused: {said[kind]}", asked)
