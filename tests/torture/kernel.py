"""Cells stopped at random moments in a real kernel.

``python -m tests.torture.kernel [RUNS] [SEED] [SOONEST] [without]``. SOONEST is the first second at which a cell may be
stopped, 0 where it is not given.

The sandbox is in the same kernel. After each stop (what the notebook's ■ sends) nothing of crmlab's may run on, no
warning may be printed in a later cell, and a second fetch must bring everything.

One run in three is a cell without crmlab, which is stopped in the same way: what goes wrong there is the kernel's;
``without`` tries a kernel that never imports crmlab. Of a kernel that answers nothing any more its threads, its tasks
and its handler of SIGINT are printed. A hang is crmlab's where one of its functions is in the main thread, or where a
task of its is left. It is ipykernel's where a request waits unread in its socket: ipykernel 7 writes replies to that
socket past the stream that reads from it, so that ZMQ's only notice of a request can be used up by a reply.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from queue import Empty

from jupyter_client.manager import KernelManager

SET_UP = """
import asyncio, faulthandler, gc, os, signal, zmq
dump = open({path!r}, "w")
faulthandler.register(signal.SIGUSR1, file=dump, all_threads=True)
kernel_loop = asyncio.get_running_loop()
def say_tasks(number, frame):
    print("loop is running:", kernel_loop.is_running(), file=dump)
    print("SIGINT:", signal.getsignal(signal.SIGINT), file=dump)
    for task in asyncio.all_tasks(kernel_loop):
        task.print_stack(file=dump)
    dump.flush()
    shell_loop.add_callback(read_requests)
def read_requests():
    # in the thread that waits for requests: is there one of which ZMQ has told nothing?
    print("a request waits unread:", bool(shell.socket.getsockopt(zmq.EVENTS) & zmq.POLLIN), file=dump, flush=True)
    shell.flush()
shell = get_ipython().kernel.shell_stream
shell_loop = shell.io_loop
signal.signal(signal.SIGUSR2, say_tasks)
print("pid", os.getpid())
"""
SANDBOX = """
import crmlab
accounts = await crmlab.sandbox(rows=300, seed=3, latency=0.02)
limits = crmlab.Limits(concurrency=10)
"""
WITHOUT = "await asyncio.gather(*(asyncio.sleep(0.001 * number) for number in range(2_000)))"
CALLS = (
    "data = await crmlab.fetch(accounts, limits=limits, progress=True)",
    "plan = await crmlab.plan(accounts, limits=limits)",
    WITHOUT,
    "stored = await crmlab.fetch_to({folder!r}, accounts, limits=limits, progress=False)",
    "async with asyncio.timeout(0.3):\n    await crmlab.fetch(accounts, limits=limits, progress=False)",
    WITHOUT,
)
LOOK = """
gc.collect()
await asyncio.sleep(0.5)
gc.collect()
package = crmlab.__path__[0]
tasks = [task for task in asyncio.all_tasks() if package in str(task.get_coro().cr_code.co_filename)
         and "sandbox" not in str(task.get_coro().cr_code.co_filename)]
print("left", [str(task.get_coro()) for task in tasks])
"""
WHOLE = """
data = await crmlab.fetch(accounts, limits=limits, progress=False)
print("complete", data.complete)
"""
HANGS = "HANGS"
UNREAD = "a request waits unread: True"
#: seconds after which a kernel that prints nothing hangs
PATIENCE = 20
#: how a cell that was stopped, or whose time is over, may end
_USUAL = {"KeyboardInterrupt", "CancelledError", "TimeoutError"}


class Kernel:
    """A kernel with a sandbox in it, or without crmlab."""

    def __init__(self, folder: Path, *, has_crmlab: bool) -> None:
        self._folder = folder
        self._dump = folder / "dump.txt"
        self._has_crmlab = has_crmlab
        self._start()

    def _start(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self._client = self.manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        (said,) = self.said(SET_UP.format(path=str(self._dump)))
        self._pid = int(said.rpartition(" ")[2])
        if self._has_crmlab:
            self.said(SANDBOX)

    def end(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def said(self, code: str, *, stop_after: float | None = None) -> list[str]:
        """Run a cell, stopped after so many seconds; return what it printed and raised."""
        message = self._client.execute(code.replace("{folder!r}", repr(str(self._folder / "out"))))
        stop_at = None if stop_after is None else time.monotonic() + stop_after
        return self._until_idle(message, stop_at, PATIENCE)

    def _until_idle(self, message: str, stop_at: float | None, patience: float) -> list[str]:
        texts: list[str] = []
        while True:
            if stop_at and time.monotonic() >= stop_at:
                self.manager.interrupt_kernel()
                stop_at = None
            try:
                found = self._client.get_iopub_msg(timeout=0.02 if stop_at else patience)
            except Empty:
                if stop_at:
                    continue
                self._asked = message
                return [*texts, HANGS]
            content = found["content"]
            if found["parent_header"].get("msg_id") != message:
                if found["msg_type"] in ("stream", "error"):
                    texts.append(f"late: {content.get('text', content.get('ename'))}")
            elif found["msg_type"] == "stream":
                texts.append(content["text"].strip())
            elif found["msg_type"] == "error":
                texts.append(content["ename"])
            elif found["msg_type"] == "status" and content["execution_state"] == "idle":
                return texts

    def looked_into(self) -> str:
        """Return the threads and tasks of a kernel that hangs; start another, unless it goes on once it is read."""
        if not self.manager.is_alive():
            dump = "the process has ended"
        else:
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                os.kill(self._pid, number)
                time.sleep(1)
            goes_on = self._until_idle(self._asked, None, 5)[-1:] != [HANGS]
            dump = f"{self._dump.read_text(errors='replace')}\ngoes on once its socket is read: {goes_on}"
            if goes_on:
                self._dump.write_text("")
                return dump
        self.end()
        self._start()
        return dump


def is_of_crmlab(dump: str) -> bool:
    """Whether a function of crmlab's is in the main thread, or a task of its is left; the sandbox is none of it."""
    package = str(Path(__file__).resolve().parents[2] / "crmlab")
    main_thread_and_tasks = dump.rpartition("Current thread")[2] or dump
    return any(
        package in line and "/sandbox/" not in line for line in main_thread_and_tasks.splitlines()
    )


def tortured(
    kernel: Kernel, runs: int, chance: random.Random, soonest: float, calls: Sequence[str]
) -> Counter[str]:
    """Stop so many cells; return how they ended."""
    counts: Counter[str] = Counter()
    for number in range(runs):
        call = calls[number % len(calls)]
        moment = chance.uniform(soonest, 1.0)
        who = "without crmlab" if call is WITHOUT else "crmlab"
        # a cell with a time limit needs no other stop
        ended = kernel.said(call, stop_after=None if "timeout" in call else moment)
        looked = (
            kernel.said(LOOK if calls is CALLS else "print('left', [])")
            if HANGS not in ended
            else [HANGS]
        )
        if HANGS in looked:
            dump = kernel.looked_into()
            whose = "crmlab" if is_of_crmlab(dump) else "the kernel"
            unread = ", which leaves a request unread" if UNREAD in dump else ""
            counts[f"{who}: a hang of {whose}{unread}"] += 1
            shown = dump.rpartition("Current thread")[2]
            print(
                f"run {number}, {moment:.3f} s, {who}: {ended} then {looked}; the main thread{shown}",
                flush=True,
            )
            continue
        shows_progress = "progress=True" in call
        strange = [] if shows_progress else [text for text in ended if text not in _USUAL]
        if looked == ["left []"] and not strange:
            counts[f"{who}: right"] += 1
            continue
        counts[f"{who}: wrong"] += 1
        print(
            f"run {number}, {moment:.3f} s, {who}: {[text[-600:] for text in ended]} then {looked}"
        )
    return counts


def main() -> int:
    """Run; return 1 where a run of crmlab's went wrong."""
    has_crmlab = "without" not in sys.argv
    numbers = [float(argument) for argument in sys.argv[1:] if argument != "without"]
    runs, seed, soonest = (numbers + [60, random.randrange(2**32), 0.0][len(numbers) :])[:3]
    calls = CALLS if has_crmlab else [WITHOUT]
    with tempfile.TemporaryDirectory() as place:
        kernel = Kernel(Path(place), has_crmlab=has_crmlab)
        try:
            counts = tortured(kernel, int(runs), random.Random(int(seed)), soonest, calls)
            whole = kernel.said(WHOLE) if has_crmlab else []
        finally:
            kernel.end()
    print(f"seed {int(seed)}: {int(runs)} cells; a fetch afterwards: {whole}")
    for what, count in sorted(counts.items()):
        print(f"  {what}: {count}")
    return int(
        counts["crmlab: wrong"] + counts["crmlab: a hang of crmlab"] > 0
        or "complete False" in whole
    )


if __name__ == "__main__":
    sys.exit(main())
