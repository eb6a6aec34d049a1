"""Two workers that these tests share, in processes of their own, as `crmlab cluster` starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Workers:
    """Where the scheduler is, which process holds it, and the file that all of them write to."""

    address: str
    dashboard: str
    process: subprocess.Popen[str]
    log: Path

    def processes(self) -> list[int]:
        """Return the processes of the workers that live now."""
        children = psutil.Process(self.process.pid).children()
        return [each.pid for each in children if "spawn_main" in str(each.cmdline())]

    def end(self) -> int:
        """Wait for the end of the cluster, which was told to end; return its exit code."""
        code = self.process.wait(90)
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        return code


def start(log: Path, *words: str) -> Workers:
    """Start workers, and wait until they are there."""
    command = [sys.executable, "-m", "tests.cluster.bound", "cluster", "--port", "0", *words]
    environment = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"}
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            text=True,
            # held open as long as this process lives: see `bound`
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(3)]
    assert lines[0].startswith("Workers: "), log.read_text()
    return Workers(lines[1].split()[1], lines[2].split()[1], process, log)


# not for the whole session: idle, they take a sixth of a core from the tests that follow
@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Two workers that read four accounts each at a time."""
    started = start(tmp_path_factory.mktemp("cluster") / "log", "--workers", "2", "--accounts", "4")
    yield started
    started.process.send_signal(signal.SIGINT)
    started.end()
