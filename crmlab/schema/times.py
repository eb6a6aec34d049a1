"""Times that users give, as UTC instants."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from crmlab.errors import UsageError

#: the first and the last year that a time may have: other years are how services write "no time", as Go and .NET do
FIRST_YEAR = 1900
LAST_YEAR = 2200
#: what users give as a time: a date, a time with its zone, or the ISO text of either
TimeLike = str | dt.date | dt.datetime


def as_instant(value: TimeLike, name: str, time_zone: str = "UTC") -> dt.datetime:
    """Return the UTC time that a user gave; a date is the beginning of that day in `time_zone`.

    Parameters
    ----------
    value
        A date, a time with its zone, or the ISO text of either.
    name
        What the error calls it: the argument that it was given as.
    time_zone
        IANA name; read for dates only.

    Raises
    ------
    UsageError
        It is no date or time, a time without zone, for guessing one would shift the answer, or a time before 1900
        or after 2200; or `time_zone` is not known.

    Examples
    --------
    >>> as_instant("2026-07-05", "as_of", "Europe/Berlin")
    datetime.datetime(2026, 7, 4, 22, 0, tzinfo=datetime.timezone.utc)
    """
    local_zone = zone(time_zone)
    if isinstance(value, str):
        value = _parsed(value, name)
    if not isinstance(value, dt.date):
        raise UsageError(f"{name} must be a date, a time or text, not {type(value).__name__}")
    # a date is a whole day: asked for as a moment, it is where that day begins
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time(), local_zone)
    if value.tzinfo is None:
        raise UsageError(
            f"{name}={value.isoformat()} has no time zone: add one, for example "
            f"{value.isoformat()}+01:00 or tzinfo=ZoneInfo('Europe/Paris')"
        )
    try:
        instant_utc = value.astimezone(dt.UTC)
    # a time near the first or the last year leaves what Python can hold
    except OverflowError:
        raise UsageError(f"{name}={value.isoformat()} has no time in UTC") from None
    # of records such a time is none either, and counting from it would leave what a date can be
    if not FIRST_YEAR <= instant_utc.year <= LAST_YEAR:
        raise UsageError(
            f"{name}={value.isoformat()} is not between the years {FIRST_YEAR} and {LAST_YEAR}"
        )
    return instant_utc


def instant(value: TimeLike | None, name: str) -> dt.datetime | None:
    """Return `as_instant` of what may be left out; a date is midnight UTC."""
    if value is None:
        return None
    return as_instant(value, name)


def day_at(at: dt.datetime, time_zone: str) -> dt.date:
    """Return the day that the clock of `time_zone` shows at an instant.

    Raises
    ------
    UsageError
        `time_zone` is not known.
    """
    return at.astimezone(zone(time_zone)).date()


def zone(time_zone: str) -> dt.tzinfo:
    """Return the zone of an IANA name.

    Raises
    ------
    UsageError
        It is not in the time zone database.
    """
    # UTC is known also where there is no database, as on Windows
    if time_zone == "UTC":
        return dt.UTC
    try:
        return ZoneInfo(time_zone)
    except (TypeError, ValueError, KeyError, OSError):
        raise unknown_zone(time_zone) from None


def unknown_zone(time_zone: object) -> UsageError:
    """Return the error for what is no name of a time zone."""
    return UsageError(
        f"time_zone={time_zone!r} is not in the time zone database: give a name such as 'Europe/Berlin'"
    )


def _parsed(text: str, name: str) -> dt.date:
    # dates first: a time also reads a date, and would take it for a midnight without a zone
    for parse in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            return parse(text)
        except ValueError:
            continue
    raise UsageError(
        f"{name}={text!r} is not a date or time; write 2026-01-31 or 2026-01-31T09:00:00+01:00"
    )
