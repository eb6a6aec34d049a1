"""What crmlab itself does wrong, told as an error that says where."""

from __future__ import annotations

import traceback
from pathlib import Path

from polars.exceptions import PanicException

from crmlab.errors import InternalError

#: any exception, and a panic of Polars, which is none; a cancel and an interrupt are neither
FAULTS = (Exception, PanicException)
_PACKAGE = Path(__file__).parents[1]


def internal_error(fault: BaseException) -> InternalError:
    """Return the error that tells of a fault: its kind and its place, nothing of the data in its message."""
    frames = traceback.extract_tb(fault.__traceback__)
    own_frames = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    places = [_place(frame) for frame in (*own_frames[-1:], *frames[-1:])]
    fault_place = ", from ".join(dict.fromkeys(reversed(places)))
    fault_kind = type(fault).__name__
    return InternalError(
        f"a fault of crmlab's own, not of the service or the key: {fault_kind} in {fault_place}"
    )


def _place(frame: traceback.FrameSummary) -> str:
    source_path = Path(frame.filename)
    return f"{source_path.parent.name}/{source_path.name}, line {frame.lineno}"
