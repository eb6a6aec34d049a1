"""One self-contained HTML report: summary in words, charts, and how good the data is."""

from __future__ import annotations

from crmlab.report.page import known_people, write

__all__ = ["known_people", "write"]
