"""Files that a service answers with: whole under their names or not there at all, and which belongs to what."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.errors import AuthError, NotFoundError, TransportError, UsageError
from crmlab.sandbox.world.generate import generate
from tests.conftest import Serve

KEY = "never-to-be-shown-4711"
FAST = crmlab.Limits(concurrency=4)
PDF = b"%PDF-1.4\n" + b"\\ud800 is no half of a character here\n" * 3 + b"%%EOF\n"
ONE = [{"contact_id": "C-1", "event_id": "e-1"}]


async def account_of(serve: Serve, answer: Any) -> crmlab.Account:
    return crmlab.Account("complero", base_url=await serve(answer), api_key=KEY, limits=FAST)


@pytest.mark.slow
async def test_each_documented_event_has_its_file_and_each_other_one_the_reason(
    tmp_path: Path,
) -> None:
    async with crmlab.sandbox(rows=60, services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts[0], "complero.events")
        events = data["complero.events"].filter(pl.col("its_contact_id").is_not_null())
        asked = events.select(contact_id="its_contact_id", event_id="its_event_id")
        found = await crmlab.download(accounts[0], "documentation_by_event", tmp_path, asked)

    documented = {event.id for event in accounts.world.consent_events if event.has_documentation}
    assert found.select(asked.columns).equals(asked)
    assert set(found.filter(pl.col("path").is_not_null())["event_id"]) == documented & set(
        asked["event_id"]
    )
    assert set(found.filter(pl.col("path").is_null())["error"]) == {"NotFoundError"}
    for row in found.filter(pl.col("path").is_not_null()).iter_rows(named=True):
        content = Path(row["path"]).read_bytes()
        assert row["event_id"].encode() in content
        assert row["contact_id"].encode() in content
        assert (row["size_bytes"], row["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
    assert sorted(map(str, tmp_path.iterdir())) == sorted(found["path"].drop_nulls())


async def test_the_newest_documentation_of_a_contact_comes_without_an_event(tmp_path: Path) -> None:
    world = generate(60, seed=1)
    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        newest = [event for event in world.consent_events if event.has_documentation][-1]
        contact = world.people_by_id()[newest.person_id].complero_id
        found = await crmlab.download(
            accounts[0],
            "documentation_by_contact",
            tmp_path,
            [{"contact_id": contact}, {"contact_id": contact}],
        )
        requests = accounts.requests.total()

    assert requests == 1
    assert newest.id.encode() in Path(found["path"][0]).read_bytes()
    assert found["path"].n_unique() == 1


async def test_one_that_is_missing_is_an_error_of_its_own_kind(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=10, services=["complero"]) as accounts:
        with pytest.raises(NotFoundError):
            await crmlab.download(
                accounts[0], "documentation_by_event", tmp_path, ONE, on_error="raise"
            )
        wrong = crmlab.Account("complero", base_url=accounts[0].base_url, api_key=KEY, limits=FAST)
        with pytest.raises(AuthError) as refused:
            await crmlab.download(wrong, "documentation_by_event", tmp_path, ONE)

    assert KEY not in str(refused.value)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b'{"message": "not yet"}', "application/json", "are no PDF"),
        (b"<html>Please sign in to the network</html>", "text/html", "are no PDF"),
        (b"<html>no %PDF- here %%EOF</html>", "text/html", "are no PDF"),
        (PDF[:-6], "application/pdf", "has no end"),
        (b"", "application/pdf", "nothing in the place of a file"),
    ],
)
async def test_what_is_no_whole_pdf_gets_no_name(
    serve: Serve, tmp_path: Path, body: bytes, kind: str, told: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind)

    account = await account_of(serve, answer)
    with pytest.raises(TransportError, match=told):
        await crmlab.download(account, "documentation_by_event", tmp_path, ONE)

    assert not [*tmp_path.iterdir()]


async def test_a_file_that_is_cut_off_is_asked_for_again(serve: Serve, tmp_path: Path) -> None:
    tries = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal tries
        tries += 1
        response = web.StreamResponse(
            headers={"Content-Length": str(len(PDF)), "Content-Type": "application/pdf"}
        )
        await response.prepare(request)
        await response.write(PDF if tries == 3 else PDF[:40])
        if tries < 3:
            request.transport.abort()  # type: ignore[union-attr]
        return response

    account = await account_of(serve, answer)
    found = await crmlab.download(
        account, "documentation_by_event", tmp_path, ONE, timeouts=crmlab.Timeouts(first_wait=0.01)
    )

    assert tries == 3
    assert Path(found["path"][0]).read_bytes() == PDF
    assert [*tmp_path.iterdir()] == [Path(found["path"][0])]


async def test_a_file_may_be_larger_than_the_body_of_an_answer(
    serve: Serve, tmp_path: Path
) -> None:
    large = PDF.replace(b"here\n", b"here\n" * 100_000)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=large, content_type="application/pdf")

    account = await account_of(serve, answer)
    small = crmlab.Timeouts(max_body=1_000)
    found = await crmlab.download(account, "documentation_by_event", tmp_path, ONE, timeouts=small)

    assert Path(found["path"][0]).read_bytes() == large


async def test_no_id_leads_out_of_the_folder_and_no_two_share_a_name(
    serve: Serve, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=PDF, content_type="application/pdf")

    odd = ["../../etc/passwd", "a/b", "a b", "A/B", "..\\up", "con", "é" * 400, "x\t.pdf", "%2e%2e"]
    account = await account_of(serve, answer)
    folder = tmp_path / "proofs"
    found = await crmlab.download(
        account, "documentation_by_contact", folder, [{"contact_id": each} for each in odd]
    )

    assert found["failure"].null_count() == len(odd), found["failure"].drop_nulls().to_list()
    files = [Path(path) for path in found["path"]]
    assert {file.parent for file in files} == {folder}
    assert len({file.name.lower() for file in files}) == len(odd)
    assert [*tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize(
    ("operation", "asked", "told"),
    [
        (
            "documentation_by_event",
            [{"contact_id": "C-1", "event_id": None}],
            "row 0 .* event_id is missing",
        ),
        (
            "documentation_by_contact",
            [{"contact_id": "C-1"}, {"contact_id": ".."}],
            "row 1 .* dots alone",
        ),
        (
            "documentation_by_contact",
            [{"contact_id": "C-1", "path": "x"}],
            "give the arguments alone",
        ),
        ("get_contact", [{"id": "C-1"}], "answers with records, not with a file"),
        ("documentation", [], "did you mean"),
    ],
)
async def test_what_is_asked_wrongly_is_refused_before_anything_is_sent(
    tmp_path: Path, operation: str, asked: list[dict[str, object]], told: str
) -> None:
    account = crmlab.Account("complero", api_key=KEY, base_url="http://127.0.0.1:9")

    with pytest.raises(UsageError, match=told):
        await crmlab.download(account, operation, tmp_path, asked)


@pytest.mark.parametrize("asked", [pl.DataFrame(ONE).lazy(), ONE[0], "C-1", None, ["C-1"]])
async def test_what_is_no_table_of_arguments_is_refused_in_words(
    tmp_path: Path, asked: Any
) -> None:
    account = crmlab.Account("complero", api_key=KEY)

    with pytest.raises(UsageError, match="what is asked for is"):
        await crmlab.download(account, "documentation_by_event", tmp_path, asked)
    with pytest.raises(UsageError, match="the path of a folder"):
        await crmlab.download(account, "documentation_by_event", "a\0b", ONE)


async def test_what_a_killed_download_left_is_removed_by_the_next(
    serve: Serve, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=PDF)

    left = tmp_path / ".parts-of-a-killed-run" / "half.pdf"
    left.parent.mkdir()
    left.write_bytes(PDF[:20])

    found = await crmlab.download(
        await account_of(serve, answer), "documentation_by_event", tmp_path, ONE
    )

    assert [str(path) for path in tmp_path.iterdir()] == found["path"].to_list()


async def test_nothing_asked_is_an_empty_frame(tmp_path: Path) -> None:
    account = crmlab.Account("complero", api_key=KEY, base_url="http://127.0.0.1:9")
    nothing = pl.DataFrame(schema={"contact_id": pl.String})

    found = await crmlab.download(account, "documentation_by_contact", tmp_path, nothing)

    assert found.height == 0
    assert found.columns[:2] == ["contact_id", "path"]


async def test_a_called_file_comes_as_it_is(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=PDF, content_type="application/pdf")

    account = await account_of(serve, answer)

    assert await crmlab.call(account, "documentation_by_contact", contact_id="C-1") == PDF


@pytest.mark.slow
@pytest.mark.parametrize(("piece", "is_whole"), [(40_000, True), (1, False)])
async def test_a_file_may_take_longer_as_long_as_much_of_it_comes(
    serve: Serve, tmp_path: Path, piece: int, is_whole: bool
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/pdf"})
        await response.prepare(request)
        await response.write(b"%PDF-1.4\n")
        for _ in range(8):
            await asyncio.sleep(0.1)
            await response.write(b"x" * piece)
        await response.write(b"%%EOF")
        return response

    account = await account_of(serve, answer)
    short = crmlab.Timeouts(answer=0.3)
    asked = crmlab.download(account, "documentation_by_event", tmp_path, ONE, timeouts=short)

    if is_whole:
        assert (await asked)["size_bytes"].to_list() == [8 * piece + 14]
        return
    with pytest.raises(TransportError, match="did not answer in time"):
        await asked
    assert not [*tmp_path.iterdir()]
