"""What a fetch brought: tables, failures, rejected records, and an account of it all."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from crmlab.errors import CrmlabError
from crmlab.export import Format, export

SUMMARY = pl.Schema(
    {
        "account": pl.String,
        "provider": pl.String,
        "resource": pl.String,
        "table": pl.String,
        "rows": pl.Int64,
        "expected": pl.Int64,
        "rejected": pl.Int64,
        "requests": pl.Int64,
        "retries": pl.Int64,
        "seconds": pl.Float64,
        "complete": pl.Boolean,
        "note": pl.String,
    }
)


class Fetched(Mapping[str, pl.DataFrame]):
    """Tables by name, as a mapping and as attributes: ``data["deals"]`` is ``data.deals``.

    Attributes
    ----------
    summary : pl.DataFrame
        A row for each account, resource and table: rows, expected (what the service said the
        list holds; null where it does not say), rejected, requests, retries, seconds, complete,
        note. Requests, retries and seconds are the resource's, repeated for each table it fills.
    rejected : pl.DataFrame
        Records that did not fit: provider, account, resource, reason, raw (JSON).
    failures : tuple of CrmlabError
        What went wrong, one for each account and resource.
    fetched_at : datetime
        UTC.
    """

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        *,
        summary: pl.DataFrame,
        rejected: pl.DataFrame,
        failures: Sequence[CrmlabError],
        fetched_at: dt.datetime,
    ) -> None:
        self._tables = dict(tables)
        self.summary = summary
        self.rejected = rejected
        self.failures = tuple(failures)
        self.fetched_at = fetched_at

    @property
    def complete(self) -> bool:
        """Whether every resource came whole and every record fitted."""
        return bool(self.summary["complete"].all()) and self.rejected.is_empty() and not self.failures

    def __getitem__(self, name: str) -> pl.DataFrame:
        try:
            return self._tables[name]
        except KeyError:
            raise KeyError(f"{name!r} was not fetched; there is {', '.join(self._tables)}") from None

    def __getattr__(self, name: str) -> pl.DataFrame:
        if name.startswith("_") or name not in self._tables:
            raise AttributeError(f"{name!r} was not fetched; there is {', '.join(self.__dict__.get('_tables', ()))}")
        return self._tables[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._tables if name.isidentifier())]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def export(self, directory: str | Path, format: Format = "parquet") -> list[Path]:
        """Write one file for each table, the summary, and the rejected records if there are any.

        See `crmlab.export.export`.
        """
        extra = {"summary": self.summary} | ({"rejected": self.rejected} if len(self.rejected) else {})
        return export({**self._tables, **extra}, directory, format)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML file with the charts and the account of the fetch."""
        from crmlab import report  # noqa: PLC0415  # above this module: loaded only when asked for

        return report.write(
            Path(path),
            self._tables,
            self.summary,
            rejected=self.rejected,
            failures=[str(failure) for failure in self.failures],
            as_of=self.fetched_at,
        )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {frame.height:,}" for name, frame in self._tables.items())
        state = "complete" if self.complete else "INCOMPLETE: see .summary, .failures, .rejected"
        return f"<Fetched {sizes}; {state}>"

    def _repr_html_(self) -> str:
        shown = self.summary.drop("expected")
        head = "".join(
            f"<th scope='col' style='text-align:{'right' if dtype.is_numeric() else 'left'}'>{name}</th>"
            for name, dtype in shown.schema.items()
        )
        rows = "".join(_html_row(row) for row in shown.iter_rows())
        problems = "".join(f"<li>{html.escape(str(failure))}</li>" for failure in self.failures)
        state = "Complete" if self.complete else "Not complete"
        total = sum(frame.height for frame in self._tables.values())
        return (
            f"<div style='max-height:32em;overflow:auto'><p><strong>{state}</strong>: {total:,} rows in "
            f"{len(self._tables)} tables, fetched {self.fetched_at:%Y-%m-%d %H:%M} UTC.</p>"
            + (f"<ul>{problems}</ul>" if problems else "")
            + f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


def _html_row(cells: tuple[object, ...]) -> str:
    return "<tr>" + "".join(_html_cell(cell) for cell in cells) + "</tr>"


def _html_cell(value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool):
        return f"<td style='text-align:left'>{'yes' if value else '<strong>no</strong>'}</td>"
    if isinstance(value, int):
        return f"<td style='text-align:right'>{value:,}</td>"
    if isinstance(value, float):
        return f"<td style='text-align:right'>{value:,.2f}</td>"
    return f"<td style='text-align:left;white-space:normal'>{html.escape(str(value))}</td>"
