"""What a fetch brought: tables in memory or in files, failures, rejected records, and an account of it all."""

from __future__ import annotations

import datetime as dt
import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

import polars as pl
from msgspec.structs import replace

from crmlab import providers
from crmlab.display import DisplayMixin, Overview, plural
from crmlab.errors import CrmlabError
from crmlab.results import completeness_text, manifest
from crmlab.results.checksums import Checksum, Writer, checksum, noting
from crmlab.results.failures import Failures
from crmlab.schema import UTC, Asked, Frame, TableName, Tables, TimeLike

if TYPE_CHECKING:
    from crmlab.results.export import Format
    from crmlab.results.masking import Mask

LOG = logging.getLogger("crmlab")

SUMMARY = pl.Schema(
    {
        "account": pl.String(),
        "provider": pl.String(),
        "resource": pl.String(),
        "table": pl.String(),
        "since": UTC,
        "until": UTC,
        "rows": pl.Int64(),
        "expected": pl.Int64(),
        "rejected": pl.Int64(),
        "misfits": pl.Int64(),
        "unread": pl.Int64(),
        "planned": pl.Int64(),
        "requests": pl.Int64(),
        "retries": pl.Int64(),
        "seconds": pl.Float64(),
        "complete": pl.Boolean(),
        "note": pl.String(),
    }
)

#: files that not every fetch writes: those of an earlier one would be taken for this one's
NOT_ALWAYS = {"rejected", "misfits"}
_NO_MISFITS = pl.DataFrame(
    schema=dict.fromkeys(
        ("provider", "account", "resource", "id", "field", "reason", "raw"), pl.String
    )
)


class Result(Mapping[str, Frame], Tables[Frame], DisplayMixin):
    """Tables by name, as a mapping and as attributes, with the account of how they came.

    Attributes
    ----------
    summary : pl.DataFrame
        A row for each account, resource and table: since and until (the period that it holds, null where it has no
        such end), rows, expected (what the service said the list holds; null where it does not say), rejected,
        misfits, unread (values that this table lacks because they could not be read, words that nobody knows included),
        planned (requests foreseen by the first answers; null where they do not tell), requests, retries, seconds,
        complete, note. Rejected, misfits, requests, retries and seconds are the resource's, repeated for each table it
        fills.
    rejected : pl.DataFrame
        Records without a key, and what is no record: provider, account, resource, reason, raw (JSON).
    misfits : pl.DataFrame
        Values that could not be read, of records that are in the tables with a null there: provider, account,
        resource, id (of the record), field, reason, raw (the JSON of the value). Of each field 1,000 are kept
        at most; the summary counts all.
    failures : Failures
        What went wrong: a tuple of `CrmlabError`, one for each account and resource.
    asked : Asked
        What was asked for: accounts, tables, period, and when. A frame that is taken out (``data.deals``) does not
        know it, and counts as whole wherever it is given.
    is_masked : bool
        Whether personal values are tokens, or null: as `Fetched.masked` returns them, or read from masked files.
    """

    def __init__(
        self,
        tables: Mapping[str, Frame],
        *,
        heights: Mapping[str, int],
        summary: pl.DataFrame,
        rejected: pl.DataFrame,
        misfits: pl.DataFrame | None = None,
        failures: Sequence[CrmlabError],
        asked: Asked,
        is_masked: bool = False,
    ) -> None:
        self._tables: dict[str, Frame] = dict(tables)
        self._heights = dict(heights)
        self.summary = summary
        self.rejected = rejected
        self.misfits = _NO_MISFITS if misfits is None else misfits
        self.failures = Failures(failures)
        self.asked = asked
        self.is_masked = is_masked

    @property
    def fetched_at(self) -> dt.datetime:
        """When it was fetched, in UTC."""
        return self.asked.fetched_at

    @property
    def complete(self) -> bool:
        """Whether all that was asked for came, with every record, its ids and its amounts.

        `asked` says whether that was everything.
        """
        is_whole = bool(self.summary["complete"].all())
        return is_whole and self.rejected.is_empty() and not self.failures

    def __getitem__(self, name: TableName | str) -> Frame:
        try:
            return self._tables[name]
        except KeyError:
            raise KeyError(
                f"{name!r} was not fetched; there is {', '.join(self._tables)}"
            ) from None

    if (
        not TYPE_CHECKING
    ):  # there `Tables` says what can be asked for, and a slip of the pen is found

        def __getattr__(self, name: str) -> Frame:
            if name.startswith("_") or name not in self._tables:
                known = ", ".join(self.__dict__.get("_tables", ()))
                raise AttributeError(f"{name!r} was not fetched; there is {known}")
            return self._tables[name]

    def __dir__(self) -> list[str]:
        # a service's own records have a dot in their names
        names: list[str] = [name for name in self._tables if name.isidentifier()]
        return [*super().__dir__(), *names]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tables)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def export(
        self,
        directory: str | Path,
        format: Format = "parquet",
        *,
        mask: bool | bytes = False,
    ) -> list[Path]:
        """Write the tables, the summary, rejected records and misfits if there are any; masked on request.

        One file for each, or one workbook with a sheet for each, and ``crmlab.json``, which says what was asked and
        when; `crmlab.open` reads it. See `crmlab.results.export.export` and `masked`. Lazy tables go batch by batch
        into Parquet files, whatever their size; for the other formats they are read into memory.

        Parameters
        ----------
        directory
            The folder, which is made where it is not there.
        format
            ``"parquet"``, ``"csv"`` or ``"xlsx"``.
        mask
            True: tokens instead of personal values, by a key that is kept nowhere. Or the key, 16 to 64 bytes: files
            that are masked by the same one join, those of another day too.

        Raises
        ------
        UsageError
            The folder holds files of another question: other accounts, another period, or tables that are not among
            these.

        Examples
        --------
        >>> import polars as pl
        >>> import crmlab
        >>> rows = {"id": ["1", "2"], "status": ["won", "lost"], "owner_name": ["Ann Bee", None]}
        >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
        >>> data = crmlab.collect(deals=deals, as_of="2026-01-31")
        >>> [path.name for path in data.export("out", format="csv")]
        ['deals.csv', 'summary.csv', 'crmlab.json']
        """
        from crmlab.results.export import export  # noqa: PLC0415  # loaded when it is used
        from crmlab.results.masking import as_mask  # noqa: PLC0415

        chosen_mask = as_mask(mask)
        if chosen_mask:
            return self._masked_by(chosen_mask).export(directory, format)
        manifest.refuse_another_question(directory, self.asked, format)
        frames: dict[str, Any] = {**self._tables, **self._beside()}
        if format == "xlsx":  # a workbook is passed on alone
            frames = {"about": self._about(), **frames}
        return export(
            frames,
            directory,
            format,
            obsolete=NOT_ALWAYS - frames.keys(),
            beside={manifest.FILE: partial(self._manifest, directory, format)},
            metadata=manifest.parquet_metadata(self.asked, is_masked=self.is_masked),
        )

    @abstractmethod
    def _masked_by(self, mask: Mask) -> Result[Frame]:
        """Return the same with personal values as tokens."""

    def _masked_account(self) -> dict[str, Any]:
        """Return everything but the tables as masked data have it."""
        from crmlab.results.masking import masked_account  # noqa: PLC0415  # loaded when it is used

        attributes = ("summary", "rejected", "misfits", "failures", "asked")
        return masked_account({attribute: getattr(self, attribute) for attribute in attributes})

    def _about(self) -> pl.DataFrame:
        """Return what was asked, in words, as a sheet of a workbook."""
        accounts = [f"{account.name} ({account.provider})" for account in self.asked.accounts]
        complete = "yes" if self.complete else "no: see the sheet summary"
        masking = "yes: names, addresses and texts are tokens" if self.is_masked else "no"
        what_and_value = {
            "fetched": f"{self.fetched_at:%Y-%m-%d %H:%M} UTC",
            "accounts": ", ".join(accounts),
            "holds": self.asked.in_words() or "all times",
            "complete": complete,
            "masked": masking,
        }
        return pl.DataFrame({"what": list(what_and_value), "value": list(what_and_value.values())})

    def writers_beside(
        self, directory: str | Path, wholes: Mapping[str, Path]
    ) -> dict[str, Writer]:
        """Return what writes the files beside the tables as Parquet, by name: summary, rejected, misfits, manifest.

        `wholes` are the files of the tables that are written already, by the names that they are to get.
        """
        from crmlab.results.export import parquet_writers, text_writers  # noqa: PLC0415  # loaded when it is used

        checksums = {file_name: checksum(whole_path) for file_name, whole_path in wholes.items()}
        metadata = manifest.parquet_metadata(self.asked, is_masked=self.is_masked)
        writers = noting(parquet_writers(self._beside(), metadata), checksums)
        manifest_of = partial(self._manifest, directory, "parquet")
        return writers | text_writers({manifest.FILE: manifest_of}, checksums)

    def _manifest(
        self,
        directory: str | Path,
        format: Format,
        files: Mapping[str, Checksum],
    ) -> str:
        return manifest.text(
            self.asked,
            tables=self._heights,
            summary=self.summary,
            failures=self.failures,
            rejected=self.rejected.height,
            misfits=self._unread,
            files=files,
            is_masked=self.is_masked,
            beside=manifest.kept_beside(directory, self.asked, format, is_masked=self.is_masked),
            format=format,
        )

    def _beside(self) -> dict[str, pl.DataFrame]:
        frames = {"summary": self.summary}
        # an empty file would say that something was rejected
        if not self.rejected.is_empty():
            frames["rejected"] = self.rejected
        if not self.misfits.is_empty():
            frames["misfits"] = self.misfits
        return frames

    def __repr__(self) -> str:
        sizes = ", ".join(f"{table} {row_count:,}" for table, row_count in self._heights.items())
        state = "complete" if self.complete else "INCOMPLETE: see .summary, .failures, .rejected"
        if self._unread:
            state += f"; {plural(self._unread, 'value')} not read: see .misfits"
        if self.is_masked:
            state += "; masked"
        period = self.asked.in_words()
        if period:
            state = f"{period}; {state}"
        return f"<{type(self).__name__} {sizes}; {state}>"

    @property
    def _unread(self) -> int:
        """How many values could not be read; a list that fills several tables counts once."""
        if "misfits" not in self.summary.columns:
            return self.misfits.height
        by_list = self.summary.unique(["provider", "account", "resource"])
        return int(by_list["misfits"].sum())

    def _overview(self) -> Overview:
        words = completeness_text.in_words(
            self._heights,
            self.summary,
            rejected=self.rejected.height,
            misfits=self._unread,
            failures=self.failures,
        )
        words += f"{self._period_in_words()} Fetched {self.fetched_at:%Y-%m-%d %H:%M} UTC."
        if self.is_masked:
            words += " Masked: names, addresses and texts are tokens."
        missing = completeness_text.missing(self.summary, self.failures)
        lists_read = self.summary.drop("expected")
        return Overview(
            title="Complete" if self.complete else "Not complete",
            words=words,
            good=self.complete,
            tables=[("", self._table_lines()), ("What is missing, and why", missing)],
            folded=[(f"Each list that was read ({self.summary.height:,})", lists_read)],
        )

    def _log_note(self, query: str) -> None:
        """Log what the tables of a query lack."""
        from crmlab.results import sql  # noqa: PLC0415  # loaded when it is used

        what_lacks = sql.sql_note(self, query)
        if what_lacks:
            LOG.info("sql: %s", what_lacks)

    def _period_in_words(self) -> str:
        period = self.asked.in_words()
        if not period:
            return ""
        return f" It holds {period}."

    def _table_lines(self) -> pl.DataFrame:
        return completeness_text.tables(self._heights, self.summary)


class Fetched(Result[pl.DataFrame]):
    """Tables in memory: ``data["deals"]`` is ``data.deals``, a `polars.DataFrame`.

    ``complete``, ``summary``, ``failures``, ``rejected`` and ``misfits`` say what came and what did not, see `Result`;
    ``export``, ``report`` and ``masked`` go on from here.
    """

    def masked(self, key: bytes | None = None, *, drop: bool = False) -> Fetched:
        """Return the same with every value of a personal column as a token, or as null; see `crmlab.results.mask`.

        Of rejected records only the number is kept, of misfits also the id and the field, and the notes of
        the summary say so. Without a `key` each call has its own tokens: keep what it returns where several
        files are to join.

        Examples
        --------
        >>> import polars as pl
        >>> import crmlab
        >>> rows = {"id": ["1", "2"], "status": ["won", "lost"], "owner_name": ["Ann Bee", None]}
        >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
        >>> data = crmlab.collect(deals=deals, as_of="2026-01-31")
        >>> masked = data.masked(key=b"kept where nobody looks").deals
        >>> masked.select("id", "status", pl.col("owner_name") == "Ann Bee").rows()
        [('1', 'won', False), ('2', 'lost', None)]
        """
        from crmlab.results.masking import Mask  # noqa: PLC0415  # loaded when it is used

        return self._masked_by(Mask(key, drop=drop))

    def _masked_by(self, mask: Mask) -> Fetched:
        tables = {table: mask.frame(table, frame) for table, frame in self._tables.items()}
        return Fetched(tables, heights=self._heights, **self._masked_account())

    def sql(self, query: str) -> pl.DataFrame:
        """Return the answer of a SQL query over the tables, by Polars' SQL.

        Every table has its name there; one with a dot stands in double quotes: ``"onepagecrm.deals"``. An answer says
        neither of which period its tables are nor whether they are complete: `asked` and `summary` do, and the log at
        INFO where they are not whole.

        Parameters
        ----------
        query
            One select (https://docs.pola.rs/api/python/stable/reference/sql).

        Returns
        -------
        pl.DataFrame
            Its columns are those that the query names.

        Raises
        ------
        UsageError
            It is no select, names a table or a column that is not there, or reads a file.

        Examples
        --------
        >>> import polars as pl
        >>> import crmlab
        >>> rows = {"id": ["1", "2", "3"], "status": ["won", "lost", "won"]}
        >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
        >>> data = crmlab.collect(deals=deals, as_of="2026-01-31")
        >>> data.sql("select status, count(*) as deals from deals group by status order by deals").rows()
        [('lost', 1), ('won', 2)]
        >>> data.sql("select * from contacts")
        Traceback (most recent call last):
        ...
        crmlab.errors.UsageError: unknown table 'contacts' in SQL; there is deals
        """
        from crmlab.results import sql  # noqa: PLC0415  # loaded when it is used

        self._log_note(query)
        return sql.sql_answer(query, self._tables)

    @overload
    def report(
        self,
        path: str | Path,
        *,
        tables: None = None,
        mask: bool | bytes = False,
        title: str = "",
        time_zone: str = "UTC",
        questions: Iterable[str] | None = None,
        as_of: TimeLike | None = None,
        earlier: Result[Any] | None = None,
        quota: float | Mapping[str, float] | None = None,
    ) -> Path: ...

    @overload
    def report(
        self,
        path: str | Path,
        *,
        tables: Format,
        mask: bool | bytes = False,
        title: str = "",
        time_zone: str = "UTC",
        questions: Iterable[str] | None = None,
        as_of: TimeLike | None = None,
        earlier: Result[Any] | None = None,
        quota: float | Mapping[str, float] | None = None,
    ) -> list[Path]: ...

    def report(
        self,
        path: str | Path,
        *,
        tables: Format | None = None,
        mask: bool | bytes = False,
        title: str = "",
        time_zone: str = "UTC",
        questions: Iterable[str] | None = None,
        as_of: TimeLike | None = None,
        earlier: Result[Any] | None = None,
        quota: float | Mapping[str, float] | None = None,
    ) -> Path | list[Path]:
        """Write one self-contained HTML file with charts, numbers and data quality; or the numbers as data.

        Parameters
        ----------
        path
            The HTML file; with `tables`, the folder that files are written to.
        tables
            ``"csv"``, ``"parquet"`` or ``"xlsx"``: write the numbers behind every question instead, a file or a sheet
            each, and ``report.json``, which says of each its formula, population, period and time. See
            `crmlab.report.write_numbers`.
        mask
            True, or a key: tokens instead of names, addresses and texts, see `masked`.
        title
            Heading of the report.
        time_zone
            IANA name of the clock by which days and months are counted, and times are shown.
        questions
            Names of questions, as figures are called in `crmlab.plots`. None: for HTML those of
            `crmlab.report.DEFAULT`, as data all of the catalogue. What the data cannot answer is told with the reason.
        as_of
            The moment of ages, decisions and forecasts; a date is the beginning of that day in `time_zone`. What has no
            time of its own, such as a stage or a subscription, stays as it was fetched, and charts say so. None: when
            the data were fetched.
        earlier
            A fetch of before, with all deals: for what changed in between, and how long deals stay in a stage.
        quota
            The amount to be won this year; ``{currency: amount}`` where the deals are in more than one.

        Returns
        -------
        Path or list of Path
            What was written.

        Raises
        ------
        UsageError
            A question, the time zone or the format is not known, `as_of` has no time zone, or the place is none or not
            ours to write to. Nothing was written.

        Examples
        --------
        >>> import polars as pl
        >>> import crmlab
        >>> rows = {"id": ["1", "2"], "status": ["won", "lost"], "owner_name": ["Ann Bee", None]}
        >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
        >>> data = crmlab.collect(deals=deals, as_of="2026-01-31")
        >>> data.report("monday.html", title="Monday", time_zone="Europe/Berlin").name
        'monday.html'
        >>> [path.name for path in data.report("monday", tables="csv", questions=["win_rate"])]
        ['win_rate.csv', 'report.json']
        """
        from crmlab import report  # noqa: PLC0415  # above this module: loaded only when asked for
        from crmlab.results.masking import as_mask  # noqa: PLC0415

        # before masking: tokens cannot be compared as people write names
        known_people = None if self.is_masked else report.known_people(self._tables)
        shown = self
        chosen_mask = as_mask(mask)
        if chosen_mask:
            shown = self._masked_by(chosen_mask)
        options: dict[str, Any] = {
            "who": known_people,
            "as_of": shown.fetched_at if as_of is None else as_of,
            "asked": shown.asked,
            "masked": shown.is_masked,
            "title": title or report.TITLE,
            "time_zone": time_zone,
            "questions": questions,
            "earlier": earlier,
            "quota": quota,
        }
        if tables is not None:
            return report.write_numbers(path, shown._tables, shown.summary, tables, **options)
        return report.write(
            path,
            shown._tables,
            shown.summary,
            rejected=shown.rejected,
            misfits=shown.misfits,
            failures=list(map(str, shown.failures)),
            assumptions=providers.assumptions(shown.summary["provider"].drop_nulls()),
            **options,
        )


class Stored(Result[pl.LazyFrame]):
    """Tables in Parquet files or in a lake: ``data["deals"]`` is ``data.deals``, a `polars.LazyFrame` of its files.

    Attributes
    ----------
    paths : dict of str to Path
        The files, those of the summary, of the rejected records and of the misfits included; of a lake none. And see
        `Result`.
    place : str
        The folder or the lake.

    ``export`` and ``masked`` work through the files batch by batch. For a report, or CSV and Excel files of what is not
    too large, read them into memory with ``crmlab.open(folder, lazy=False)``, or `collect` those of a lake.
    """

    paths: Mapping[str, Path] = MappingProxyType({})
    place: str = ""

    def collect(self) -> Fetched:
        """Return the same with all tables in memory."""
        # all at once, so that Polars reads them side by side
        frames = pl.collect_all(self._tables.values())
        tables = dict(zip(self._tables, frames, strict=True))
        return Fetched(
            tables,
            heights={table: frame.height for table, frame in tables.items()},
            summary=self.summary,
            rejected=self.rejected,
            misfits=self.misfits,
            failures=self.failures,
            asked=self.asked,
            is_masked=self.is_masked,
        )

    def masked(self, key: bytes | None = None, *, drop: bool = False) -> Stored:
        """Return the same with personal values as tokens, or as null, made while the files are read.

        As `Fetched.masked`, whose tokens are the same by the same key. The files stay as they are, and are not
        among the `paths` of what it returns; ``export(folder, mask=key)`` writes masked ones.
        """
        from crmlab.results.masking import Mask  # noqa: PLC0415  # loaded when it is used

        return self._masked_by(Mask(key, drop=drop))

    def _masked_by(self, mask: Mask) -> Stored:
        tables = {table: mask.lazy(table, lazy_frame) for table, lazy_frame in self._tables.items()}
        masked = Stored(tables, heights=self._heights, **self._masked_account())
        masked.paths = {}
        return masked

    def sql(self, query: str) -> pl.LazyFrame:
        """Return the answer of a SQL query over the tables, lazily: see `Fetched.sql`.

        Tables and columns that are not there are told at once. What is read of the files, ``collect()`` reads, and of
        them only the columns and rows that the query needs.

        Examples
        --------
        >>> import polars as pl
        >>> import crmlab
        >>> rows = {"id": ["1", "2", "3"], "status": ["won", "lost", "won"]}
        >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
        >>> data = crmlab.collect(deals=deals, as_of="2026-01-31")
        >>> written = data.export("warehouse")
        >>> crmlab.open("warehouse").sql("select count(*) as won from deals where status = 'won'").collect().item()
        2
        """
        from crmlab.results import sql  # noqa: PLC0415  # loaded when it is used

        self._log_note(query)
        return sql.planned(query, self._tables)

    def _table_lines(self) -> pl.DataFrame:
        lines = super()._table_lines()
        if not self.paths:
            return lines
        file_names = [self.paths[table].name for table in self]
        return lines.with_columns(file=pl.Series(file_names, dtype=pl.String))

    def _overview(self) -> Overview:
        overview = super()._overview()
        where = "Masked while the files are read."
        # masked ones have neither
        if self.place:
            where = f"In {self.place}."
        elif self.paths:
            where = f"In {self.paths['summary'].parent}."
        return replace(overview, words=f"{overview.words} {where}")
