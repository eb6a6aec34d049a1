"""What an analysis asks of the frame that it is given."""

from __future__ import annotations

import polars as pl

from crmlab.errors import PlanError


def require(frame: pl.DataFrame, *columns: str) -> None:
    """Refuse a frame that lacks a column that is read.

    Raises
    ------
    PlanError
        A column is not there; the message names it, and those that are.
    """
    if missing := [name for name in columns if name not in frame.columns]:
        raise PlanError(
            f"the frame has no column {', '.join(missing)}; give a table as crmlab.fetch returns it, "
            f"or one of its columns: {', '.join(frame.columns)}"
        )
