"""What a fetch brought: tables with the account of them, files to write and read, masking."""

from __future__ import annotations

from crmlab.results.export import FORMATS, Format, read_cells, read_csv, table_writers, text_writers
from crmlab.results.fetched import NOT_ALWAYS, SUMMARY, Fetched, Result, Stored
from crmlab.results.manifest import FILE as MANIFEST
from crmlab.results.manifest import failure_as_json, failure_from_json, parquet_metadata, refuse_another_question
from crmlab.results.opening import open, tells_time  # noqa: A004  # read as crmlab.open

__all__ = [
    "FORMATS",
    "MANIFEST",
    "NOT_ALWAYS",
    "SUMMARY",
    "Fetched",
    "Format",
    "Result",
    "Stored",
    "failure_as_json",
    "failure_from_json",
    "open",
    "parquet_metadata",
    "read_cells",
    "read_csv",
    "refuse_another_question",
    "table_writers",
    "tells_time",
    "text_writers",
]
