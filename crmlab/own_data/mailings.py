"""Activities of one's own: what happened to a mailing, where only their kind says it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

#: kind of activity in lower case -> the word of the column `mailing`
_HAPPENED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("send", "sent"), "sent"),
        **dict.fromkeys(("deliver", "delivered"), "delivered"),
        **dict.fromkeys(("open", "opened"), "opened"),
        **dict.fromkeys(("click", "clicked"), "clicked"),
        **dict.fromkeys(("bounce", "bounced"), "bounced"),
        **dict.fromkeys(("complaint", "complained"), "complained"),
        **dict.fromkeys(("unsubscribe", "unsubscribed"), "unsubscribed"),
    }
)


def with_mailing(activities: pl.DataFrame) -> pl.DataFrame:
    """Return the activities with `mailing` from their kind, where they do not say it themselves."""
    kind = pl.col("kind").str.to_lowercase()
    of_kind = kind.replace_strict(dict(_HAPPENED), default=None, return_dtype=pl.String)
    return activities.with_columns(pl.coalesce("mailing", of_kind).alias("mailing"))
