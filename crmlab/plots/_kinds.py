"""A colour for each kind: eight at most, the rarest of more are one."""

from __future__ import annotations

import polars as pl

from crmlab.plots._template import PALETTE, REST

_MAX_KINDS = len(PALETTE)


def by_kind(counts: pl.DataFrame, *along: str) -> tuple[list[tuple[pl.DataFrame, str, str]], str]:
    """Return rows, name and colour of each kind of a frame of `along`, kind, count; and a note of what was summed."""
    total_count = pl.col("count").sum()
    totals = counts.group_by("kind").agg(total_count)
    by_size = totals.sort("count", "kind", descending=[True, False], nulls_last=True)
    kinds_by_size = by_size["kind"]
    largest = kinds_by_size.head(_MAX_KINDS).to_list()
    parts = []
    for kind, colour in zip(largest, PALETTE, strict=False):
        # rows without a kind are one, too: compared as usual, null equals nothing
        is_kind = pl.col("kind").eq_missing(pl.lit(kind))
        parts.append((counts.filter(is_kind), kind or "(no kind)", colour))

    other_kinds = kinds_by_size.len() - _MAX_KINDS
    if other_kinds <= 0:
        return parts, ""
    others = counts.filter(~pl.col("kind").is_in(largest, nulls_equal=True))
    summed_others = others.group_by(along).agg(total_count).sort(along)
    parts.append((summed_others, f"{other_kinds} others", REST))
    return parts, f"The rarest kinds are summed as '{other_kinds} others'"
