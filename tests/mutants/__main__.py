"""Whether the tests of the pure modules see a fault: ``make mutants``, or ``python -m tests.mutants paging``.

Each module gets one small fault after the other (`changes`), each in a process of its own, in which its own tests run.
A fault that all of them pass has survived: a test is missing, or the fault is none and stands with its reason in
`equal`. The run fails where fewer than 95 in 100 of the others are found.
"""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import hypothesis
import pytest

from tests.mutants.changes import Mutant, mutants
from tests.mutants.equal import EQUAL
from tests.mutants.loading import put

ROOT = Path(__file__).parents[2]
#: the pure modules, with the tests that are about them
TESTS = {
    "crmlab/connector/paging.py": ["tests/connector/test_paging.py"],
    "crmlab/connector/time_slices.py": ["tests/connector/test_time_slices.py"],
    "crmlab/http/limiter.py": ["tests/http/test_limiter.py"],
    "crmlab/fetching/completeness.py": ["tests/fetching/test_completeness.py"],
    "crmlab/decoding/strict.py": ["tests/decoding/test_strict.py"],
}
FLOOR = 0.95
#: a mutant that computes for ever is found, too
CPU_SECONDS = 20


class EachFault:
    """Run the tests that pytest has collected once for each fault, and count those that they do not find."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_good = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        # what is found need not be made small, and is found again in the next run
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "mutants", deadline=None, phases=phases, derandomize=True, database=None
        )
        hypothesis.settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        source = (ROOT / self.path).read_text(encoding="utf-8")
        _, status = os.waitpid(self._started(session, ast.parse(source)), 0)
        if status:
            print(f"{self.path}: its tests fail without a fault")
            return True
        began = time.monotonic()
        every = list(mutants(source))
        equal = EQUAL.get(self.path, {})
        tried = [mutant for mutant in every if mutant.change not in equal]
        survived = self._survivors(session, tried)
        share = 1 - len(survived) / len(tried)
        self.is_good = share >= FLOOR
        print(
            f"{self.path}: {len(tried) - len(survived)} of {len(tried)} found, {share:.1%};"
            f" {len(every) - len(tried)} are none; {time.monotonic() - began:.0f} s",
            flush=True,
        )
        return True

    def _survivors(self, session: pytest.Session, tried: Sequence[Mutant]) -> list[Mutant]:
        running: dict[int, Mutant] = {}
        survived = []
        waiting = list(reversed(tried))
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                mutant = waiting.pop()
                running[self._started(session, mutant.tree)] = mutant
            child, status = os.wait()
            mutant = running.pop(child)
            if status == 0:
                survived.append(mutant)
                print(f"  survived {self.path}:{mutant}", flush=True)
        return survived

    def _started(self, session: pytest.Session, tree: ast.Module) -> int:
        """Start the tests with this in place of the module, and return the process, which ends with 0 if they pass."""
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            put(tree, self.path.removesuffix(".py").replace("/", "."))
            code = int(self._fails(session))
        finally:
            # nothing of pytest's own ending happens in a child
            os._exit(code)

    def _fails(self, session: pytest.Session) -> bool:
        # laws over many examples come last: most faults are found before
        items = sorted(
            session.items, key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis")
        )
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return True
        return False


def one(path: str) -> int:
    """Try one module in this process: 0 where its tests find enough."""
    fault = EachFault(path)
    quiet = ["-p", "no:cacheprovider", "-p", "no:terminal"]
    pytest.main([*quiet, "-W", "ignore:Module already imported", *TESTS[path]], plugins=[fault])
    return 0 if fault.is_good else 1


def main(names: Sequence[str]) -> int:
    """Try the modules whose path has one of these words, or all, each in a process of its own."""
    if not hasattr(os, "fork"):
        print("this system has no fork: run it on Linux or macOS")
        return 2
    chosen = [path for path in TESTS if not names or any(name in path for name in names)]
    if len(chosen) == 1:
        return one(chosen[0])
    ended = [
        subprocess.run([sys.executable, "-m", "tests.mutants", path], check=False).returncode
        for path in chosen
    ]
    return max(ended, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
