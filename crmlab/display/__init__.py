"""What people see of values and results, wherever they look: words, tables, and who is in front of them."""

from __future__ import annotations

from crmlab.display.html import NO_FORMULA, render
from crmlab.display.overview import DisplayMixin, Overview
from crmlab.display.tables import cell, html_table
from crmlab.display.wording import duration, listed, plural

__all__ = [
    "NO_FORMULA",
    "DisplayMixin",
    "Overview",
    "cell",
    "duration",
    "html_table",
    "listed",
    "plural",
    "render",
]
