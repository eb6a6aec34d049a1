"""No worker outlives who started it, however that one ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from tests.cluster.conftest import ROOT, start

ONE = ("--workers", "1", "--accounts", "1")
STARTER = """
import sys, time
from pathlib import Path
from tests.cluster.conftest import start

started = start(Path(sys.argv[1]), "--workers", "1", "--accounts", "1")
print(started.process.pid, *started.processes(), flush=True)
time.sleep(600)
"""


def remaining(processes: Iterable[int]) -> list[int]:
    """Return which of these processes are there after a while; a busy machine needs it."""
    watched = [psutil.Process(pid) for pid in processes if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(watched, timeout=90)
    return [each.pid for each in alive if each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 0), ("SIGHUP", 0), ("SIGKILL", -9)])
def test_workers_end_with_their_cluster(name: str, code: int, tmp_path: Path) -> None:
    number = getattr(signal, name)
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("these tests run under nohup, and so would the cluster")
    started = start(tmp_path / "log", *ONE)
    processes = started.processes()

    started.process.send_signal(number)

    assert started.end() == code
    assert processes
    assert remaining(processes) == []
    assert "Traceback" not in started.log.read_text()


def test_a_cluster_ends_where_the_tests_are_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        processes = [int(word) for word in starter.stdout.readline().split()]
        starter.kill()

    assert len(processes) == 2
    assert remaining(processes) == []
