"""What the command line makes of its arguments, and commands whose other tests run them as a process of their own."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crmlab.cli import sandbox
from crmlab.cli.arguments import named_values, quota_of
from crmlab.cli.main import main
from crmlab.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("id=007", "007"),
        ("ids=[1,2]", [1, 2]),
        ('where={"a":1}', {"a": 1}),
        ("whole=true", True),
        ("name=[draft", "[draft"),
        ("name=a=b", "a=b"),
        ("name=", ""),
    ],
)
def test_an_argument_is_text_unless_it_is_json(text: str, value: Any) -> None:
    assert named_values([text]) == {text.partition("=")[0]: value}


def test_an_argument_without_a_value_or_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="'id' is no argument: write NAME=VALUE"):
        named_values(["id"])
    with pytest.raises(UsageError, match=r"id is there twice: a list is written id=\[1,2\]"):
        named_values(["id=1", "id=2"])


@pytest.mark.parametrize(
    ("given", "quota"),
    [
        (None, None),
        (["500000"], 500_000.0),
        (["EUR=500000"], {"EUR": 500_000.0}),
        (["EUR=5e5", "USD=2e5"], {"EUR": 500_000.0, "USD": 200_000.0}),
    ],
)
def test_a_quota_is_one_amount_or_one_of_each_currency(
    given: list[str] | None, quota: float | dict[str, float] | None
) -> None:
    assert quota_of(argparse.Namespace(quota=given)) == quota


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["much"], "--quota much is no amount"),
        (["EUR=much"], "--quota EUR=much is no amount"),
        (["EUR=5e5,USD=2e5"], "--quota EUR=5e5,USD=2e5 is no amount"),
        (["EUR=5e5", "EUR=2e5"], "--quota EUR=5e5 EUR=2e5 is no amount"),
        (["5e5", "USD=2e5"], "write the currency of each amount"),
    ],
)
def test_a_quota_that_is_none_is_refused(given: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        quota_of(argparse.Namespace(quota=given))


@pytest.mark.slow
def test_the_demo_writes_what_it_fetched_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--rows", "20", "--out", str(tmp_path)]) == 0

    said = capsys.readouterr().out
    assert f"Report: {(tmp_path / 'report.html').resolve()}" in said
    assert pl.read_parquet(tmp_path / "contacts.parquet").height > 0
    assert (tmp_path / "contacts.csv").exists()


async def test_a_sandbox_is_served_with_its_keys_until_it_is_stopped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    sandbox.add(parser.add_subparsers())
    options = parser.parse_args(["sandbox", "--rows", "5"])
    serving = asyncio.create_task(sandbox.run(options))
    said = ""
    while "commanders_act" not in said:
        await asyncio.sleep(0.01)
        said += capsys.readouterr().out
        assert not serving.done()

    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert said.count("crmlab.Account(") == 5
    assert "api_key='sandbox-relenta-department-key'" in said


@pytest.mark.slow
def test_a_service_that_cannot_be_reached_has_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRMLAB_RELENTA_API_KEY", "planted-key")

    # a port that nobody may listen at
    code = main(["doctor", "relenta", "--base-url", "http://127.0.0.1:1"])

    assert code == 1
    assert "Relenta: FAILED: " in capsys.readouterr().out
