"""`crmlab` in a process that ends with the one that started it, also where that one is killed.

python -m tests.cluster.bound cluster --workers 2
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from crmlab.cli.main import main


def end_with_starter() -> None:
    """Wait until nobody holds the other end of stdin, and end as if told to."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    sys.exit(main())
