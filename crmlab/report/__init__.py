"""Reports: one self-contained HTML file with summary, charts and data quality, or the numbers behind every question."""

from __future__ import annotations

from crmlab.report.numbers import write_numbers
from crmlab.report.page import TITLE, check_name, known_people, write
from crmlab.report.questions import DEFAULT, columns_of, numbers_of

__all__ = [
    "DEFAULT",
    "TITLE",
    "check_name",
    "columns_of",
    "known_people",
    "numbers_of",
    "write",
    "write_numbers",
]
