"""What follows what: the first events of people, step by step."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.decisions import dated_events, is_first, is_last
from crmlab.analysis.fetches import answers
from crmlab.analysis.rates import row_count
from crmlab.analysis.subjects import Subject
from crmlab.errors import UsageError

__all__ = ["consent_journeys"]

MAX_STEPS = 4
END = "(none)"
OTHER = "(other)"


@answers("everything")
def consent_journeys(
    consent_events: pl.DataFrame,
    *,
    steps: int = MAX_STEPS,
    smallest: float = 0.01,
    subject: Subject = "contact",
    contacts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return how many people went from each kind of consent event to each next one.

    Parameters
    ----------
    consent_events
        As of `crmlab.analysis.current_consent`. Events of all channels of a person are one journey.
    steps
        How many events of each person are looked at, from the first: 2 to 4.
    smallest
        Links of a smaller share of all people are summed as one from "(other)" to "(other)"; 0: none.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    contacts
        Reads provider, account, id, emails: who has the address of an event that names no contact.

    Returns
    -------
    pl.DataFrame
        Sorted, the largest links of each step first: step (Int64, from this event to the next, from 1), before,
        after (String, kinds; "(none)": there was no further event), subjects (Int64, people). Those of a step are
        all who had an event at it.

    Raises
    ------
    UsageError
        `steps`, `smallest` or `subject` is not in its range.

    Notes
    -----
    Kinds are the services' words. Events of one moment are in the order of the frame, decisions first.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "kind": ["subscribe", "subscribe", "unsubscribe"],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 11)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> consent_journeys(conform(frame, TABLES["consent_events"]))
    shape: (3, 4)
    ┌──────┬─────────────┬─────────────┬──────────┐
    │ step ┆ before      ┆ after       ┆ subjects │
    │ ---  ┆ ---         ┆ ---         ┆ ---      │
    │ i64  ┆ str         ┆ str         ┆ i64      │
    ╞══════╪═════════════╪═════════════╪══════════╡
    │ 1    ┆ subscribe   ┆ (none)      ┆ 1        │
    │ 1    ┆ subscribe   ┆ unsubscribe ┆ 1        │
    │ 2    ┆ unsubscribe ┆ (none)      ┆ 1        │
    └──────┴─────────────┴─────────────┴──────────┘
    """
    if not 2 <= steps <= MAX_STEPS:
        raise UsageError(f"steps={steps!r}: give 2 to {MAX_STEPS}")
    if not 0 <= smallest < 1:
        raise UsageError(f"smallest={smallest!r}: give a share from 0 to below 1, such as 0.01")
    events = dated_events(
        consent_events,
        None,
        subject,
        contacts=contacts,
        order=("subject", "at", "channel"),
        with_expiries=False,
    )
    moves = _moves(events).filter(pl.col("step") < steps)
    # everybody has a first move
    people = moves.filter(pl.col("step") == 1).height
    is_large = pl.col("subjects") >= smallest * people
    link = ["step", "before", "after"]
    counts = moves.group_by(link).agg(row_count("subjects"))
    both_ends = pl.col("before", "after")
    ends = pl.when(is_large).then(both_ends).otherwise(pl.lit(OTHER))
    # small ones may have become the same
    links = counts.with_columns(ends).group_by(link).agg(pl.col("subjects").sum())
    most_first = [False, True, False, False]
    return links.sort("step", "subjects", "before", "after", descending=most_first)


def _moves(events: pl.DataFrame) -> pl.DataFrame:
    """Return each event with the one that follows it: step (1: the first of its person), before and after."""
    kind = pl.col("kind").fill_null("(no kind)")
    row_number = pl.int_range(pl.len())
    first_row = pl.when(is_first("subject")).then(row_number).forward_fill()
    step = (row_number - first_row + 1).cast(pl.Int64)
    next_kind = kind.shift(-1)
    after = pl.when(is_last("subject")).then(pl.lit(END)).otherwise(next_kind)
    return events.select(step=step, before=kind, after=after)
