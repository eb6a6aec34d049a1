"""Numbers and names in words."""

from __future__ import annotations

from collections.abc import Iterable


def duration(seconds: float) -> str:
    """Return seconds in words: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, left_seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {left_seconds} s"
    return f"{left_seconds} s"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return "1 deal" or "2,000 deals"; `nouns` where the plural is no "s"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {nouns or noun + 's'}"


def listed(names: Iterable[str], max_shown: int = 4) -> str:
    """Return names in a row, and how many more there are."""
    several = list(names)
    if len(several) <= max_shown + 1:  # "and 1 more" is no shorter than the name
        return ", ".join(several)
    return f"{', '.join(several[:max_shown])} and {len(several) - max_shown:,} more"
