"""Ctrl-C in the moment in which a command's event loop is made: one line, and nothing of Python's own."""

from __future__ import annotations

import argparse
import asyncio
import signal
from importlib import import_module

import pytest

#: the package gives its function under the same name
MAIN = import_module("crmlab.cli.main")


def test_ctrl_c_while_the_loop_is_made_stops_the_command_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = []
    get_loop = asyncio.Runner.get_loop

    def interrupted(runner: asyncio.Runner) -> asyncio.AbstractEventLoop:
        signal.raise_signal(signal.SIGINT)
        return get_loop(runner)

    async def command() -> int:
        begun.append(1)
        return 0

    monkeypatch.setattr(asyncio.Runner, "get_loop", interrupted)
    options = argparse.Namespace(run=lambda options: command())

    with pytest.raises(KeyboardInterrupt):
        MAIN._run(options)

    assert not begun
    assert capsys.readouterr().err == ""
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_ctrl_c_that_is_handed_on_twice_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complain = MAIN._complain
    pending = [KeyboardInterrupt]

    def run(options: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    def interrupted(error: Exception | str, code: int) -> int:
        if pending:
            raise pending.pop()
        found: int = complain(error, code)
        return found

    monkeypatch.setattr(MAIN, "_run", run)
    monkeypatch.setattr(MAIN, "_complain", interrupted)

    assert MAIN.main(["doctor"]) == 130
    assert capsys.readouterr().err == "crmlab: stopped\n"
