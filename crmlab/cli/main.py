"""The command line, put together from its commands.

Exit codes: 0 all complete; 1 something failed or is incomplete; 2 the question cannot be asked
(unknown table, missing credential, wrong option); 130 stopped by Ctrl-C; 141 nobody reads what it
prints. ``crmlab refresh`` also ends with 3 where a condition is true, and 4 where a key was refused.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import crmlab
from crmlab.cli import (
    about,
    call,
    cluster,
    demo,
    doctor,
    erase,
    fetch,
    lake,
    operations,
    plan,
    push,
    query,
    refresh,
    report,
    sandbox,
    spool,
)
from crmlab.cli.output import INCOMPLETE, STOPPED, UNREAD, WRONG
from crmlab.errors import CredentialError, CrmlabError, PlanError, UsageError

#: in the order of the help
COMMANDS = (
    demo, fetch, refresh, lake, cluster, plan, sandbox, doctor, report, query, operations, call, push, spool, about,
    erase,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without Unicode still shows the rest
            stream.reconfigure(errors="replace")
    try:
        options = _parser().parse_args(arguments)
        if options.verbose:
            _log_to_stderr()
        exit_code = _run(options)
        print(end="", flush=True)  # here, where it is told that it cannot be written
    except (CredentialError, PlanError, UsageError) as error:
        exit_code = _complain(error, WRONG)
    except BrokenPipeError:
        exit_code = _without_reader()
    except (CrmlabError, OSError) as error:
        exit_code = _complain(error, INCOMPLETE)
    except KeyboardInterrupt:
        try:
            exit_code = _complain("stopped", STOPPED)
        except (
            KeyboardInterrupt
        ):  # Polars hands one Ctrl-C on twice, the second time to whoever runs next
            exit_code = _complain("stopped", STOPPED)
    # the process is over: Ctrl-C would only show a traceback of Python's own end
    if arguments is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return exit_code


def _run(options: argparse.Namespace) -> int:
    """Run a command, in an event loop where it awaits: one that only computes is stopped at once without."""
    result: int | Coroutine[Any, Any, int] = options.run(options)
    if isinstance(result, int):
        return result
    try:
        with _made_undisturbed() as runner:
            return runner.run(result)
    finally:
        result.close()  # where it was stopped before it began; else it is closed already


@contextmanager
def _made_undisturbed() -> Iterator[asyncio.Runner]:
    """Make an event loop: one that Ctrl-C stops half-made prints tracebacks of Python's own."""
    is_stopped = False

    def stop(*_: object) -> None:
        nonlocal is_stopped
        is_stopped = True

    runner = asyncio.Runner()
    if threading.current_thread() is threading.main_thread():
        usual = signal.signal(signal.SIGINT, stop)
        try:
            runner.get_loop()
        finally:
            signal.signal(signal.SIGINT, usual)
    with runner:
        if is_stopped:
            raise KeyboardInterrupt
        yield runner


def _log_to_stderr() -> None:
    """Print a line for each fetch and each request."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("crmlab")
    logger.handlers[:] = [handler]  # one for this process, however often a program calls `main`
    logger.setLevel(logging.DEBUG)


def _complain(error: Exception | str, code: int) -> int:
    # in one line: a traceback shows the variables of functions, and with them keys
    print(f"crmlab: {error}", file=sys.stderr)
    return code


def _without_reader() -> int:
    """Return the code of a program whose reader, such as ``head``, had enough: that is no failure to be told."""
    # Python writes what is left at its end, and would complain that it cannot
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNREAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crmlab",
        description=crmlab.__doc__,
        epilog="Credentials come from the environment or .env: crmlab doctor says which are "
        "missing. "
        "Exit codes: 0 complete, 1 failed or incomplete, 2 wrong question, 130 stopped; crmlab "
        "refresh has more.",
    )
    parser.add_argument("--version", action="version", version=f"crmlab {crmlab.__version__}")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print a line for each request on stderr, without keys and records",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
