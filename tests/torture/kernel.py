"""Cells stopped at random moments in a real kernel: ``python -m tests.torture.kernel [RUNS] [SEED]``.

The sandbox is in the same kernel. After each stop (what the notebook's ■ sends) nothing of crmlab's may run on, no
warning may be printed in a later cell, and a second fetch must bring everything.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

from jupyter_client.manager import KernelManager

SET_UP = """
import asyncio, gc, logging, crmlab
accounts = await crmlab.sandbox(rows=300, seed=3, latency=0.02)
limits = crmlab.Limits(concurrency=10)
"""
CALLS = (
    "data = await crmlab.fetch(accounts, limits=limits, progress=True)",
    "plan = await crmlab.plan(accounts, limits=limits)",
    "stored = await crmlab.fetch_to('/tmp/torture-kernel', accounts, limits=limits, progress=False)",
    "async with asyncio.timeout(0.3):\n    await crmlab.fetch(accounts, limits=limits, progress=False)",
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


def said(client: Any, code: str, *, stop: Any = None, after: float = 0.0) -> list[str]:
    """Run a cell, stopped after so many seconds; return what it printed and raised."""
    message = client.execute(code)
    texts = []
    stop_at = time.monotonic() + after if stop else None
    while True:
        if stop_at and time.monotonic() >= stop_at:
            stop()
            stop_at = None
        try:
            found = client.get_iopub_msg(timeout=0.05 if stop_at else 60)
        except Exception:  # noqa: BLE001  # queue.Empty of a package that is not typed
            if stop_at:
                continue
            return [*texts, "HANGS"]
        if found["parent_header"].get("msg_id") != message:
            if found["msg_type"] in ("stream", "error"):
                texts.append(f"late: {found['content'].get('text', found['content'].get('ename'))}")
            continue
        if found["msg_type"] == "stream":
            texts.append(found["content"]["text"].strip())
        elif found["msg_type"] == "error":
            texts.append(found["content"]["ename"])
        elif found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
            return texts


def main() -> int:
    """Run; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [40, random.randrange(2**32)][len(numbers) :])[:2]
    chance = random.Random(seed)
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    wrong = 0
    try:
        print(said(client, SET_UP))
        for number in range(runs):
            # ipykernel 7.3 may answer nothing any more after an interrupt in the first hundredths of a second of a cell
            # that awaits, whatever it awaits
            moment = chance.uniform(0.1, 1.0)
            call = CALLS[number % len(CALLS)]
            # a kernel that is idle by then may not survive an interrupt either: a cell with a time limit needs none
            stop = None if "timeout" in call else manager.interrupt_kernel
            ended = said(client, call, stop=stop, after=moment)
            looked = said(client, LOOK)
            usual = {"KeyboardInterrupt", "CancelledError", "TimeoutError"}
            strange = [text for text in ended if text not in usual] if number % len(CALLS) else []
            if looked != ["left []"] or strange:
                wrong += 1
                print(f"run {number}, {moment:.3f} s: {[text[-600:] for text in ended]} then {looked}")
        print(f"seed {seed}: {runs} stops, {wrong} wrong; a fetch afterwards: {said(client, WHOLE)}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
