"""How much memory and CPU large fetches take: each in a process of its own, the server in another.

python -m benchmarks.memory [--events 5000000] [--contacts 100000] [JOB ...]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

JOBS = {
    "events": "fetch_to of consent events",
    "events and contacts": "fetch_to of consent events and the contacts in them",
    "contacts": "fetch of contacts of 3.5 kB",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument(
        "jobs", nargs="*", metavar="JOB", help=f"all, or some of: {', '.join(JOBS)}"
    )
    options = parser.parse_args()
    server = _started("benchmarks.memory_server", str(options.events), str(options.contacts))
    try:
        url = server.stdout.readline().strip()
        for job in options.jobs or JOBS:
            with _started("benchmarks.memory_client", job, url) as client:
                measured = json.loads(client.stdout.read())
            print(
                f"{JOBS[job]}: {', '.join(f'{value:,} {what}' for what, value in measured.items())}",
                flush=True,
            )
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    return 0


def _started(module: str, *words: str) -> subprocess.Popen:
    here = Path(__file__).parent.parent
    return subprocess.Popen(
        [sys.executable, "-m", module, *words], stdout=subprocess.PIPE, text=True, cwd=here
    )


if __name__ == "__main__":
    sys.exit(main())
