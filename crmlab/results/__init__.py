"""What a fetch brought: tables with the account of them, files to write and read, masking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmlab.loading import when_used
from crmlab.results.failures import Failures
from crmlab.results.fetched import NOT_ALWAYS, SUMMARY, Fetched, Result, Stored
from crmlab.results.manifest import FILE as MANIFEST
from crmlab.results.manifest import (
    failure_as_json,
    failure_from_json,
    parquet_metadata,
    refuse_another_question,
)

if TYPE_CHECKING:
    from crmlab.results.duckdb_sql import duckdb_query
    from crmlab.results.export import (
        FORMATS,
        Format,
        read_cells,
        read_csv,
        table_writers,
        text_writers,
    )
    from crmlab.results.mask_key import kept_key, new_key
    from crmlab.results.masking import Mask, as_mask, masked_account
    from crmlab.results.opening import open, tells_time  # noqa: A004  # read as crmlab.open
    from crmlab.results.rewriting import read_stored, rewrite, stored_files
    from crmlab.results.sql import sql_answer, sql_note

__all__ = [
    "FORMATS",
    "MANIFEST",
    "NOT_ALWAYS",
    "SUMMARY",
    "Failures",
    "Fetched",
    "Format",
    "Mask",
    "Result",
    "Stored",
    "as_mask",
    "duckdb_query",
    "failure_as_json",
    "failure_from_json",
    "kept_key",
    "masked_account",
    "new_key",
    "open",
    "parquet_metadata",
    "read_cells",
    "read_csv",
    "read_stored",
    "refuse_another_question",
    "rewrite",
    "sql_answer",
    "sql_note",
    "stored_files",
    "table_writers",
    "tells_time",
    "text_writers",
]

__getattr__ = when_used(
    __name__,
    {
        **dict.fromkeys(
            ("FORMATS", "Format", "read_cells", "read_csv", "table_writers", "text_writers"),
            "crmlab.results.export",
        ),
        **dict.fromkeys(("kept_key", "new_key"), "crmlab.results.mask_key"),
        **dict.fromkeys(("Mask", "as_mask", "masked_account"), "crmlab.results.masking"),
        "duckdb_query": "crmlab.results.duckdb_sql",
        **dict.fromkeys(("sql_answer", "sql_note"), "crmlab.results.sql"),
        **dict.fromkeys(("open", "tells_time"), "crmlab.results.opening"),
        **dict.fromkeys(("read_stored", "rewrite", "stored_files"), "crmlab.results.rewriting"),
    },
)
