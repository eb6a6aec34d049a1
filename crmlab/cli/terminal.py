"""What the command line prints: frames as plain lines."""

from __future__ import annotations

import polars as pl


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
        print("\n".join(line.rstrip() for line in str(frame).splitlines()))
