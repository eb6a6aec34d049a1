"""What a program that listens to the log "crmlab" is told: of each fetch and each request a line, and no secret."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from aiohttp import web

import crmlab
from tests.conftest import Serve

KEY = "k3y-of-this-account-4711"
TIME = "2026-01-01T00:00:00Z"


@pytest.mark.slow
async def test_a_fetch_is_a_line_and_so_is_each_of_its_requests(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([503, 200, 200])

    async def contacts(request: web.Request) -> web.Response:
        rows = []
        if "custom_field" not in request.path:
            if next(answers, 200) == 503:
                return web.Response(status=503)
            rows = (
                [{"id": "1", "full_name": "Ann Smith", "dt_modified": TIME}]
                if request.query.get("page") == "1"
                else []
            )
        return web.json_response({"status": True, "code": 200, "data": rows})

    account = crmlab.Account("relenta", name="north", base_url=await serve(contacts), api_key=KEY)
    with caplog.at_level(logging.DEBUG, logger="crmlab"):
        data = await crmlab.fetch(account, "contacts", timeouts=crmlab.Timeouts(first_wait=0.01))

    lines = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "crmlab"
    ]
    assert data.complete
    requests = [text for level, text in lines if level == "DEBUG"]
    assert [text for text in requests if re.fullmatch(
        r"relenta account 'north': GET /contact\.list\.json 503 \d+ ms, waited \d+ ms, try 1", text
    )]  # fmt: skip
    assert [text for text in requests if text.endswith("try 2") and " 200 " in text]
    [fetched] = [text for level, text in lines if level == "INFO"]
    assert re.fullmatch(
        r"relenta account 'north': \d lists, \d+ records, \d+ requests, 1 retries in \d+\.\d s, 0 failures, complete",
        fetched,
    )
    assert not [text for _, text in lines if KEY in text or "Smith" in text]


async def test_no_id_and_no_address_of_a_person_is_in_a_line(
    serve: Serve, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=404)

    account = crmlab.Account("complero", base_url=await serve(answer), api_key=KEY)
    asked = [{"contact_id": "ann@example.com", "event_id": "4711"}]
    with (
        caplog.at_level(logging.DEBUG, logger="crmlab"),
        pytest.raises(crmlab.errors.NotFoundError),
    ):
        await crmlab.download(account, "documentation_by_event", tmp_path, asked)

    [line] = [record.getMessage() for record in caplog.records if record.name == "crmlab"]
    assert "GET /contacts/…/documentation/… 404" in line


def test_nothing_is_printed_unless_a_program_asks_for_it() -> None:
    log = logging.getLogger("crmlab")

    assert any(isinstance(handler, logging.NullHandler) for handler in log.handlers)
    assert log.level == logging.NOTSET
