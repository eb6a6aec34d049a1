"""What the commands print, and the exit codes they end with."""

from __future__ import annotations

import sys
from typing import Any

import polars as pl

from crmlab.results import Result

#: exit codes
OK = 0
INCOMPLETE = 1
WRONG = 2
#: a condition of ``crmlab refresh --fail-if`` is true
TRUE = 3
#: a service refused a key, so that trying again will not help
REFUSED = 4
#: by Ctrl-C, and by a pipe that closed, as shells say it: 128 and the number of the signal
STOPPED = 130
UNREAD = 141

_SUMMARY = (
    "account", "provider", "resource", "table", "rows", "rejected", "misfits", "planned", "requests", "retries",
    "seconds", "complete",
)  # fmt: skip


def print_frame(frame: pl.DataFrame) -> None:
    """Print a whole frame as plain lines."""
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=200,
        fmt_str_lengths=100,
        tbl_formatting="NOTHING",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        lines = str(frame).splitlines()
        # Polars fills lines up with blanks, which wrap in a terminal that is narrower
        print("\n".join(line.rstrip() for line in lines))


def print_summary(data: Result[Any]) -> None:
    """Print a line for each account, resource and table, and the period where it is not all of time."""
    print_frame(data.summary.select(*_SUMMARY, "note"))
    period = data.asked.in_words()
    if period:
        print(f"It holds {period}.")


def exit_code(data: Result[Any]) -> int:
    """Say on stderr what is missing; return the exit code that says the same."""
    for failure in data.failures:
        print(f"FAILED {failure}", file=sys.stderr)
    if data.complete:
        return OK
    print("Not complete: see the notes above.", file=sys.stderr)
    return INCOMPLETE
