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
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import polars as pl
import pytest
from aiohttp import web
from nbclient import NotebookClient

import crmlab
from crmlab.accounts.secret_spellings import spellings
from crmlab.cli import main
from crmlab.errors import CrmlabError
from crmlab.providers import registry
from crmlab.results.export import FORMATS
from tests.conftest import Serve

#: with what every encoding changes
SECRET = "pl4nted/s3cret+of=the&account"  # made up
KINDS = ("plain", "base64", "percent")
ELSEWHERE = "http://169.254.169.254/latest/meta-data"


def account(provider: str, url: str) -> crmlab.Account:
    """Return an account whose secrets are planted."""
    fields = registry()[provider].fields
    secrets = {
        field.name: f"{SECRET}{number}" for number, field in enumerate(fields) if field.secret
    }
    settings = {field.name: "4711" for field in fields if not field.secret and not field.default}
    return crmlab.Account(provider, base_url=url, facts={}, **settings, **secrets)


def echoing(
    status: int, heard: list[str]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answer with all that was asked, in every spelling."""

    async def answer(request: web.Request) -> web.StreamResponse:
        heard.append(request.path)
        asked = " ".join([*request.headers.values(), request.path_qs, await request.text()])
        said = {
            "plain": asked,
            "base64": base64.b64encode(asked.encode()).decode(),
            "percent": quote(asked, safe=""),
        }
        headers = {f"X-{kind}": said[kind].replace("\n", " ") for kind in KINDS}
        headers["Location"] = f"{ELSEWHERE}?{said['percent']}"
        headers["Retry-After"] = "0"
        words = " ".join(said.values())
        body = {
            "status": status,
            "message": words,
            "error": words,
            "error_text": words,
            "error_message": words,
        }
        return web.json_response(body, status=status, headers=headers, reason="Odd")

    return answer


def listing(provider: str) -> str:
    """Return an operation that reads and needs no argument."""
    reading = crmlab.operations(provider).filter(~pl.col("writes") & ~pl.col("destructive"))
    needed = pl.col("arguments").list.eval(pl.element().struct["required"]).list.any()
    return str(reading.filter(~needed.fill_null(value=False))["operation"][0])


def calls(
    asked: crmlab.Account, folder: Path, status: int
) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return what is called."""
    hurry = {
        "limits": crmlab.Limits(concurrency=4),
        "timeouts": crmlab.Timeouts(tries=2, first_wait=0.001),
    }
    rows = pl.DataFrame({"id": ["1"], "first_name": ["A"], "last_name": ["B"]})
    options = {"altcraft": {"db_id": 1}}.get(asked.provider.name, {})
    found: dict[str, Callable[[], Awaitable[Any]]] = {
        "check": lambda: crmlab.check(asked, timeouts=hurry["timeouts"]),
        "plan": lambda: crmlab.plan(asked, **hurry),
        "fetch": lambda: crmlab.fetch(
            asked, **hurry, progress=False, spool=folder / "spool", on_error="raise"
        ),
        "fetch_to": lambda: crmlab.fetch_to(folder / "out", asked, **hurry, progress=False),
    }
    if status == 200:  # else it is refused like the check, and both would wait for the limit
        found["call"] = lambda: crmlab.call(
            asked, listing(asked.provider.name), as_model=list[int], timeouts=hurry["timeouts"]
        )
    if asked.provider.targets():
        found["push"] = lambda: crmlab.push(
            asked, "contacts", rows, results=folder / "results", **hurry, progress=False, **options
        )
    return found


def told(error: BaseException) -> str:
    """Return all that an error tells, and the variables of the functions that it came through."""
    lines = [*traceback.TracebackException.from_exception(error, capture_locals=True).format()]
    shown = [
        repr(error),
        str(error),
        str(vars(error)),
        str(error.__cause__),
        str(error.__context__),
    ]
    return "".join([*lines, *shown, str(vars(copy.copy(error)))])


def kept(value: object) -> str:
    """Return a pickle and a deep copy of a value as text, or the refusal of either."""
    texts = []
    for keep in (pickle.dumps, copy.deepcopy):
        try:
            found = keep(value)
        except Exception as error:  # noqa: BLE001  # that there is none is as good, if the refusal says no secret
            texts.append(repr(error))  # of a half-made copy in its variables there is no repr
        else:
            texts.append(
                found.decode("latin-1")
                if isinstance(found, bytes)
                else f"{found!r} {getattr(found, '__dict__', '')}"
            )
    return "".join(texts)


def files(folder: Path) -> str:
    """Return what stands in all files, unpacked, and their names."""
    texts = []
    for path in folder.rglob("*"):
        texts += [path.name, content_of(path) if path.is_file() else ""]
    return "\n".join(texts)


def content_of(path: Path) -> str:
    """Return what a file holds, unpacked, as text."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(content).decode("latin-1")
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as sheets:
            return "".join(sheets.read(name).decode("latin-1") for name in sheets.namelist())
    if path.suffix == ".parquet":
        return content.decode("latin-1") + pl.read_parquet(path).write_ndjson()
    return content.decode("latin-1")


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
    asyncio.get_running_loop().set_debug(status == 302)
    heard: list[str] = []
    asked = account(provider, await serve(echoing(status, heard)))
    traces = {"account": f"{asked!r} {asked} {asked.options}"}
    try:
        for name, call in calls(asked, tmp_path, status).items():
            try:
                result = await call()
            except CrmlabError as error:
                traces[name] = told(error) + kept(error)
            else:
                shown = getattr(result, "_repr_html_", lambda: "")()
                traces[name] = f"{result!r} {result} {shown} {getattr(result, 'failures', '')}"
                traces[name] += "".join(map(told, getattr(result, "failures", ()))) + kept(result)
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

    assert places(kept(asked), asked) == []
    assert places(kept(crmlab.Client([asked])), asked) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_server_says_is_found_where_it_is_shown(kind: str) -> None:
    asked = account("relenta", "http://127.0.0.1:9")
    number = next(place for place, field in enumerate(asked.provider.fields) if field.secret)
    secret = f"{SECRET}{number}"
    said = {
        "plain": secret,
        "base64": base64.b64encode(f"x:{secret}".encode()).decode(),
        "percent": quote(secret, ""),
    }

    assert places(f"refused: {said[kind]}", asked)


def test_no_command_takes_a_key_where_the_list_of_processes_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for provider in registry().values():
        for name in (field.name for field in provider.fields if field.secret):
            for arguments in (
                ["fetch", provider.name, f"--{name.replace('_', '-')}={SECRET}"],
                ["plan", f"{name}={SECRET}"],
            ):
                with pytest.raises(SystemExit) as ended:
                    raise SystemExit(main(arguments))
                assert ended.value.code == 2
            asked = ["call", provider.name, listing(provider.name), f"{name}={SECRET}"]
            capsys.readouterr()
            assert main(asked) == 2
            assert SECRET not in "".join(capsys.readouterr())


CELLS = (
    "%xmode Verbose",  # shows the variables of every function
    """
import asyncio, os
import crmlab
account = crmlab.Account("relenta", base_url=os.environ["PLANTED_URL"], facts={}, api_key=os.environ["PLANTED"])
account
""",
    "await crmlab.check(account)",
    "await crmlab.fetch(account, 'contacts', on_error='raise')",
    """
form = crmlab.login("relenta")
form._on_message(form, {"kind": "connect", "provider": "relenta", "name": "", "address": os.environ["PLANTED_URL"],
    "remember": False, "fields": {"api_key": os.environ["PLANTED"]}}, [])
await asyncio.sleep(0)
await asyncio.gather(*form._tasks)
from IPython.display import display
display(form)
print(repr(form), form.shown(), form.get_state())
""",
)


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client"
)
async def test_no_saved_notebook_and_no_state_of_a_widget_holds_a_secret(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setenv("PLANTED", f"{SECRET}0")
    monkeypatch.setenv("PLANTED_URL", await serve(echoing(200, heard)))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])

    done = await NotebookClient(
        notebook, timeout=60, kernel_name="python3", allow_errors=True
    ).async_execute()

    kinds = [[output.output_type for output in cell.outputs] for cell in done.cells]
    assert kinds[1:4] == [["execute_result"], ["error"], ["error"]], done.cells
    assert "widget-view" in str(done.cells[4].outputs)
    assert done.metadata.widgets
    saved = nbformat.writes(done)
    assert heard
    assert places(saved, account("relenta", "http://127.0.0.1:9")) == []


async def test_no_file_of_a_fetch_holds_a_secret(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=40) as accounts:
        used = {
            each._secrets[field.name].get_secret_value()
            for each in accounts
            for field in each.provider.fields
            if field.secret
        }
        data = await crmlab.fetch(
            accounts, limits=crmlab.Limits(concurrency=10), spool=tmp_path / "spool"
        )
    for form in FORMATS:
        data.export(tmp_path / form, format=form)
    data.report(tmp_path / "report.html")
    data.report(tmp_path / "numbers", tables="csv")
    shown = crmlab.explore(data)
    traces = {"data": kept(data), "explorer": repr((repr(shown), shown._repr_mimebundle_()))}
    traces |= {str(path): content_of(path) for path in tmp_path.rglob("*") if path.is_file()}

    assert len(used) >= len(registry())
    words = {spelling for secret in used for spelling in spellings(secret)}
    assert {name: word for name, text in traces.items() for word in words if word in text} == {}
    assert len(traces) > 20
