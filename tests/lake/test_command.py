"""The command that a scheduler runs keeps its lake in a bucket as in a folder."""

from __future__ import annotations

import asyncio
import json

import pytest

import crmlab
from crmlab.cli.main import main


async def test_a_refresh_of_a_lake_in_a_bucket_finds_its_keys_in_the_environment(
    bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"{bucket}/of-a-schedule"
    async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
        account = accounts.account("onepagecrm")
        monkeypatch.setattr(crmlab, "Account", lambda name: account)
        first = await asyncio.to_thread(
            main, ["refresh", place, "onepagecrm", "--tables", "deals", "--json"]
        )
        then = await asyncio.to_thread(main, ["refresh", place, "--json"])

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first, then) == (0, 0)
    assert [line["tables"]["deals"]["added"] for line in lines] == [
        crmlab.Lake(place).open().deals.collect().height,
        0,
    ]
    assert "the-secret-of-a-key" not in json.dumps(lines)
