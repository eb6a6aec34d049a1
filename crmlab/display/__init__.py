"""What people see of values and results, wherever they look: words, tables, and who is in front of them."""

from __future__ import annotations

from crmlab.display.rich_display import Sheet, Shown, cell
from crmlab.display.wording import duration, listed, plural

__all__ = [
    "Sheet",
    "Shown",
    "cell",
    "duration",
    "listed",
    "plural",
]
