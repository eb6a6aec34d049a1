"""What the tests' events mean: the columns that a service's description fills, from a few plain words."""

from __future__ import annotations

import polars as pl

_DECISIONS = {
    "subscribe": True,
    "confirm": True,
    "unsubscribe": False,
    "complain": False,
    "spam": False,
}
_STEPS = {"subscribe": "request", "confirm": "confirmation"}


def decided(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with `opted_in` (where they do not say it themselves) and `step` from their kind."""
    kind = pl.col("kind")
    opted_in = kind.replace_strict(_DECISIONS, default=None, return_dtype=pl.Boolean)
    step = kind.replace_strict(_STEPS, default=None, return_dtype=pl.String)
    return events.with_columns(pl.coalesce("opted_in", opted_in), step.alias("step"))
