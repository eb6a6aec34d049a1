"""The lines that show how far a fetch is: their words, their places, and who sees them."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crmlab.fetching.progress import Progress
from crmlab.notebook.progress_bars import Bars, share, title, together, words

ROOT = Path(__file__).parents[2]
FETCH = """
import asyncio, sys, crmlab

async def main():
    async with crmlab.sandbox(rows=50, services=["onepagecrm", "relenta"]) as accounts:
        data = await crmlab.fetch(accounts, limits=crmlab.Limits(){options})
    assert data.complete

asyncio.run(main())
print([name for name in ("tqdm", "ipywidgets") if name in sys.modules])
"""


def news(resource: str = "deals", **fields: Any) -> Progress:
    given: dict[str, Any] = {
        "state": "running",
        "rows": 1200,
        "requests": 12,
        "known_requests": 48,
        "seconds": 10.0,
    }
    given |= {"account": "onepagecrm", "provider": "onepagecrm", "tables": (resource,)}
    return Progress(resource=resource, **{**given, **fields})


# ---- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "   1,200 rows    120/s"),
        ({"left": 75.0, "exact": True}, "   1,200 rows    120/s, 1 min 15 s left"),
        ({"left": 75.0}, "   1,200 rows    120/s, at least 1 min 15 s left"),
        ({"state": "waiting", "wait": 12.0}, "   1,200 rows  waiting for the limit (12 s)"),
        (
            {"state": "waiting", "wait": 12.0, "left": 20.0},
            "   1,200 rows  waiting for the limit (12 s), at least 20 s left",
        ),
        ({"state": "complete", "left": 0.0}, "   1,200 rows in 10 s"),
        ({"state": "incomplete"}, "   1,200 rows, not complete"),
        ({"state": "failed", "failure": "HTTP 500"}, "   1,200 rows, failed: HTTP 500"),
        ({"state": "stopped"}, "   1,200 rows, stopped"),
        ({"rows": 0, "seconds": 0.0}, "       0 rows      0/s"),
    ],
)
def test_a_line_says_how_far_it_is(fields: dict[str, Any], said: str) -> None:
    assert words(news(**fields)) == said


def test_below_its_account_a_list_does_not_repeat_the_wait() -> None:
    assert (
        words(news(state="waiting", wait=12.0, left=20.0), below=True) == "   1,200 rows    120/s"
    )


def test_a_long_reason_is_cut() -> None:
    said = words(news(state="failed", failure="HTTP 403 · " + "no right " * 20))

    assert said.endswith("no…")
    assert len(said) < 110


def test_a_line_of_an_account_fits_eighty_columns() -> None:
    line = f"{title(news(), 27)} {'█' * 8} {words(news(rows=999_999, state='waiting', wait=12.0))}"

    assert len(line) <= 80


@pytest.mark.parametrize(
    ("fields", "below", "said"),
    [
        ({}, True, "  deals"),
        ({}, False, "onepagecrm deals"),
        ({"account": "north"}, False, "onepagecrm north deals"),
        ({"tables": ("onepagecrm.deals",)}, True, "  onepagecrm.deals"),
        ({"resource": "notes", "tables": ("activities",)}, True, "  activities (notes)"),
        ({"resource": "deals", "tables": ("deal_items", "deals")}, True, "  deal_items, deals"),
        (
            {"tables": ("deal_items", "deals", "onepagecrm.deals")},
            True,
            "  deal_items, deals, onepa…",
        ),
    ],
)
def test_a_line_says_what_it_is_about(fields: dict[str, Any], below: bool, said: str) -> None:
    shown = title(news(**{"resource": "deals", **fields}), 27, below=below)

    assert len(shown) == 27
    assert shown.rstrip() == said


def test_an_account_is_all_its_lists_together() -> None:
    lists = [
        news("deals", rows=10, requests=2, known_requests=4, left=30.0, exact=True),
        news(
            "notes",
            rows=20,
            requests=1,
            known_requests=1,
            state="waiting",
            wait=3.0,
            left=28.0,
            exact=True,
        ),
        news(
            "tags", rows=5, requests=1, known_requests=1, state="complete", left=0.0, seconds=20.0
        ),
    ]

    whole = together(lists)

    assert (whole.state, whole.wait, whole.left, whole.exact) == ("waiting", 3.0, 30.0, True)
    assert (whole.rows, whole.requests, whole.known_requests, whole.seconds) == (35, 4, 6, 20.0)
    assert title(whole, 27).rstrip() == "onepagecrm"


def test_an_account_with_a_list_of_unknown_length_takes_at_least_as_long_as_the_others() -> None:
    whole = together([news("deals", left=30.0, exact=True), news("notes", left=None)])

    assert (whole.left, whole.exact) == (30.0, False)


@pytest.mark.parametrize(
    ("states", "state", "said"),
    [
        (["complete", "complete"], "complete", "in 10 s"),
        (["complete", "failed"], "failed", "failed: 1 of 2 lists"),
        (["complete", "incomplete"], "incomplete", "not complete"),
        (["failed", "stopped"], "stopped", "stopped"),
        (["failed", "running"], "running", "/s"),
    ],
)
def test_an_account_ends_as_the_worst_of_its_lists(
    states: list[Any], state: str, said: str
) -> None:
    whole = together([news(str(nth), state=each) for nth, each in enumerate(states)])

    assert whole.state == state
    assert said in words(whole)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"left": 5.0}, 0.25),
        ({"left": None}, 0.0),
        ({"state": "complete"}, 1.0),
        ({"requests": 48, "left": 5.0}, 0.5),  # its rows come with other lists
        ({"state": "failed", "left": 0.0}, 0.25),
    ],
)
def test_the_bar_is_the_share_of_the_requests(fields: dict[str, Any], shown: float) -> None:
    assert share(news(**fields), among=news(requests=50, known_requests=100)) == shown


def test_what_is_not_complete_is_never_full() -> None:
    whole = news(state="incomplete", requests=48, left=0.0)

    assert share(whole, among=whole) < 1


# ---- places ---------------------------------------------------------------------------------------


def screen(text: str) -> list[str]:
    """Return what a terminal shows after these characters: of each line the first and the last column."""
    rows, row, column = [""], 0, 0
    for mark in re.findall(r"\x1b\[A|\x1b\[[\d;]*m|.|\n", text, flags=re.DOTALL):
        if mark == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        elif mark == "\r":
            column = 0
        elif mark == "\x1b[A":
            row -= 1
        elif not mark.startswith("\x1b"):
            rows[row] = rows[row].ljust(column)[:column] + mark + rows[row][column + 1 :]
            column += 1
    return [f"{each[:27].rstrip()} {each[37:].strip()}" for each in rows if each.strip()]


@pytest.mark.parametrize("height", [40, 6])
def test_lists_stand_below_their_account_whatever_the_order_of_their_news(
    height: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", str(height))
    relenta = {"account": "relenta", "provider": "relenta"}
    with Bars(asyncio.Event(), interval=0) as bars:
        for round in range(1, 4):
            bars(news("deals", requests=round, rows=round))
            bars(news("contacts", requests=round, rows=round, **relenta))
            bars(news("notes", requests=round, rows=round))
            bars(news("activities", requests=round, rows=round, **relenta))
            bars(news("tags", requests=1, known_requests=1, rows=round))
        bars(news("notes", state="complete", rows=9))
        bars(news("companies", rows=5))
        bars(news("deals", state="complete", rows=9))
        bars(news("companies", state="failed", failure="HTTP 404", rows=5))
        bars(news("tags", state="complete", rows=3, known_requests=1, requests=1))
        bars(news("contacts", state="complete", rows=9, **relenta))
        bars(news("activities", state="incomplete", rows=9, **relenta))

    assert screen(capsys.readouterr().err) == [
        "onepagecrm 26 rows, failed: 1 of 4 lists",
        "  deals 9 rows in 10 s",
        "  notes 9 rows in 10 s",
        "  companies 5 rows, failed: HTTP 404",
        "relenta 18 rows, not complete",
        "  contacts 9 rows in 10 s",
        "  activities 9 rows, not complete",
    ]


def test_what_is_interrupted_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        with Bars(asyncio.Event()) as bars:
            bars(news(left=100.0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert screen(capsys.readouterr().err) == ["onepagecrm deals 1,200 rows, stopped"]


# ---- who sees them --------------------------------------------------------------------------------


def run(options: str = "", **environment: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", FETCH.replace("{options}", options)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=60,
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.slow
def test_nothing_is_drawn_and_nothing_loaded_where_nobody_looks_on() -> None:
    assert run() == ("[]", "")


@pytest.mark.slow
def test_lines_are_drawn_where_they_are_asked_for() -> None:
    loaded, drawn = run(", progress=True")

    assert loaded == "['tqdm']"
    assert {"onepagecrm", "relenta"} <= {line.split()[0] for line in screen(drawn)}


def in_terminal(options: str = "", **environment: str) -> str:
    """Return what a fetch in a terminal of its own shows."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (40, 100))
    with subprocess.Popen(
        [sys.executable, "-c", FETCH.replace("{options}", options)],
        stdout=subprocess.DEVNULL,
        stderr=its,
        cwd=ROOT,
        env=os.environ | environment,
    ) as running:
        os.close(its)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert running.returncode == 0
    return shown.decode()


@pytest.mark.slow
def test_in_a_terminal_lines_are_drawn() -> None:
    shown = screen(in_terminal())

    assert [line.split()[0] for line in shown if not line.startswith(" ")] == [
        "onepagecrm",
        "relenta",
    ]
    assert all(" rows in " in line for line in shown)


@pytest.mark.parametrize(
    ("options", "environment"), [(", progress=False", {}), ("", {"TQDM_DISABLE": "1"})]
)
@pytest.mark.slow
def test_in_a_terminal_they_can_be_refused(options: str, environment: dict[str, str]) -> None:
    assert in_terminal(options, **environment) == ""
