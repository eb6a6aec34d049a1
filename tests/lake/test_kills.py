"""A lake whose process is killed at any moment: nothing is lost or there twice, and what it knows is true."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.lake import state as states
from crmlab.lake.place import Place
from tests.lake import endless
from tests.lake.world import names

#: 200 for the long run
KILLS = int(os.environ.get("CRMLAB_KILLS", "2"))
ROOT = Path(__file__).parents[2]


def run_and_kill(place: str, seconds: float) -> int:
    """Let the worker go on for that long, and kill it; return the last step that it told was done."""
    command = [sys.executable, "-m", "tests.lake.endless", place]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
        time.sleep(seconds)
        assert worker.poll() is None
        worker.send_signal(signal.SIGKILL)
        told = worker.stdout.read().split()
    return int(told[-1]) if told else 0


def check(place: str, told: int) -> int:
    """Compare all that the lake holds with what it must hold; return the step that it knows."""
    lake = crmlab.Lake(place)
    step, swept = endless.done(place)
    assert step >= told  # what was acknowledged is there
    if step == 0:
        return 0
    data = lake.open()
    found = names(data.deals)
    expected = endless.expected(step, swept)
    # what a killed refresh of the next step wrote is true, and seen with the next commit of anybody
    following = endless.expected(step + 1, swept)
    assert expected.keys() <= found.keys() <= following.keys()
    assert all(name in (expected.get(id), following[id]) for id, name in found.items())
    assert data.complete
    history = lake.history("deals").collect().sort("id", "valid_from")
    assert history.select("id", "valid_from").is_unique().all()
    begins_later = pl.col("valid_from").shift(-1).over("id") >= pl.col("valid_to")
    assert history.select(begins_later.fill_null(value=True).all()).item()
    people = set(data.contacts.select("id").collect()["id"])
    erased = {f"p{each - 1}" for each in range(endless.ERASE, max(step, told + 1), endless.ERASE)}
    assert not people & erased
    may_be_erased = f"p{step - 1}" if step % endless.ERASE == 0 else ""
    assert people | {may_be_erased} | erased >= {f"p{each}" for each in range(1, step + 1)}
    return step


def live_and_be_killed(place: str) -> None:
    drawn = random.Random(7)
    step = 0
    longest = 1.5
    for kill in range(KILLS):
        before = step
        step = check(place, run_and_kill(place, drawn.uniform(0.1, longest)))
        if step == before:  # a busy machine needs longer for a step
            longest = min(20, longest * 1.2)
        print(f"kill {kill + 1} of {KILLS}: step {step}", flush=True)  # with -s, on the long run
    # the last kill may have come before all of its step was done: the worker would do it again, too
    endless.step(place, max(1, step))
    endless.step(place, step + 1)
    endless.step(place, step + 2)
    check(place, step + 2)
    _, swept = endless.done(place)
    assert names(crmlab.Lake(place).scan("deals")) == endless.expected(step + 2, swept)


def test_a_lake_that_is_killed_is_whole(tmp_path: Path) -> None:
    live_and_be_killed(str(tmp_path / "lake"))


def test_of_whom_was_erased_no_file_says_anything(tmp_path: Path) -> None:
    place = str(tmp_path / "lake")
    states.create(Place(place, None), endless.START)
    for number in range(1, endless.ERASE + 1):
        endless.step(place, number)
    erased = endless.person(endless.ERASE - 1)
    left = [path for path in Path(place).rglob("*") if path.is_file()]
    assert not [path for path in left if erased.encode() in path.read_bytes()]
    kept = [
        pl.read_parquet(path)
        for path in left
        if path.suffix == ".parquet" and "_delta_log" not in str(path)
    ]
    texts = [str(frame.to_dicts()) for frame in kept]
    assert any(endless.person(1) in text for text in texts)
    assert not any(erased in text for text in texts)


@pytest.mark.skipif(KILLS < 10, reason="starts a server: CRMLAB_KILLS=200")
def test_a_lake_in_a_bucket_that_is_killed_is_whole(bucket: str) -> None:
    live_and_be_killed(f"{bucket}/killed")
