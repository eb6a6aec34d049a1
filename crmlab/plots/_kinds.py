"""A colour for each kind: eight at most, the rarest of more are one."""

from __future__ import annotations

import polars as pl

from crmlab.plots._template import PALETTE, REST

_MAX_KINDS = len(PALETTE)


def by_kind(counts: pl.DataFrame, *along: str) -> tuple[list[tuple[pl.DataFrame, str, str]], str]:
    """Return rows, name and colour of each kind of a frame of `along`, kind, count; and a note of what was summed."""
    total = pl.col("count").sum()
    order = (
        counts.group_by("kind")
        .agg(total)
        .sort("count", "kind", descending=[True, False], nulls_last=True)["kind"]
    )
    kept, rare = order.head(_MAX_KINDS).to_list(), order.len() - _MAX_KINDS
    parts = [
        (counts.filter(pl.col("kind").eq_missing(pl.lit(kind))), kind or "(no kind)", colour)
        for kind, colour in zip(kept, PALETTE, strict=False)
    ]
    if rare <= 0:
        return parts, ""
    rest = (
        counts.filter(~pl.col("kind").is_in(kept, nulls_equal=True))
        .group_by(along)
        .agg(total)
        .sort(along)
    )
    return [
        *parts,
        (rest, f"{rare} others", REST),
    ], f"The rarest kinds are summed as '{rare} others'"
