"""What a fetch brought: tables with the account of them, files to write and read, masking."""

from __future__ import annotations

from crmlab.results.export import FORMATS, read_csv
from crmlab.results.fetched import SUMMARY, Fetched, Result, Stored

__all__ = [
    "FORMATS",
    "SUMMARY",
    "Fetched",
    "Result",
    "Stored",
    "read_csv",
]
