"""Times that users give, as UTC instants."""

from __future__ import annotations

import datetime as dt

from crmlab.errors import UsageError

#: what users may give as a time
TimeLike = str | dt.date | dt.datetime


def instant(value: TimeLike | None, name: str) -> dt.datetime | None:
    """Return a date (midnight UTC) or a time with its zone as a UTC time.

    Raises
    ------
    UsageError
        not a date or time, or a time without zone: guessing one would shift the window
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
        except ValueError:
            raise UsageError(
                f"{name}={value!r} is not a date or time; write 2026-01-31 or 2026-01-31T09:00:00+01:00"
            ) from None
    if not isinstance(value, dt.date):
        raise UsageError(f"{name} must be a date, a time or text, not {type(value).__name__}")
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    if value.tzinfo is None:
        raise UsageError(
            f"{name}={value.isoformat()} has no time zone: add one, for example "
            f"{value.isoformat()}+01:00 or tzinfo=ZoneInfo('Europe/Paris')"
        )
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise UsageError(f"{name}={value.isoformat()} has no time in UTC") from None
