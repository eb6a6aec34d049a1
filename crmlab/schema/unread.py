"""What could not be read, in the words that stand beside an answer."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl


def unread_note(summary: pl.DataFrame, tables: Iterable[str]) -> str:
    """Return how many values of these tables could not be read, as a sentence of a subtitle; "" where all were.

    Parameters
    ----------
    summary
        That of a fetch. Reads provider, table, unread.
    tables
        What an answer is made of.

    Examples
    --------
    >>> rows = {"provider": ["complero", "relenta"], "table": ["consent_events", "contacts"], "unread": [3, 0]}
    >>> unread_note(pl.DataFrame(rows), ["consent_events", "contacts"])
    '3 values of consent_events of complero could not be read'
    """
    # whoever puts a summary together by hand may leave out what was unread
    if not {"provider", "table", "unread"} <= set(summary.columns):
        return ""
    unread_rows = summary.filter(pl.col("table").is_in([*tables]), pl.col("unread") > 0)
    service = pl.col("provider").cast(pl.String)
    grouped = unread_rows.group_by("table", service, maintain_order=True)
    counts = grouped.agg(pl.col("unread").sum())
    phrases = []
    for table, provider, count in counts.iter_rows():
        values = "value" if count == 1 else "values"
        phrases.append(f"{count:,} {values} of {table} of {provider}")
    if not phrases:
        return ""
    return f"{' and '.join(phrases)} could not be read"
