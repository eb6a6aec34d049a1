"""Everything that is held on one person, as frames, as JSON and as a page."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import polars as pl

from crmlab.atomic_files import make_folder, write_files
from crmlab.display import DisplayMixin, Overview, html_table, plural, render
from crmlab.errors import UsageError
from crmlab.privacy.person import Person, find
from crmlab.privacy.search import FOUND_BY, AnyFrame, Found, search, ways_of
from crmlab.privacy.words import in_words
from crmlab.results import Fetched, Stored, open  # noqa: A004  # as crmlab.open
from crmlab.schema import KEY, TABLES, UTC

_TEMPLATE = Path(__file__).parent / "templates" / "about.html.jinja"
_SUMMARY = {
    "table": pl.String(),
    "rows": pl.Int64(),
    FOUND_BY: pl.String(),
}
#: by what rows of a table are put in order, the first that is there
_TIMES = ("occurred_at", "starts_at", "dated_on", "due_on", "created_at")
_INSTANTS = (UTC, pl.Date())
#: said of every answer, since nothing else can know it
_NOT_SEEN = (
    "Rows that hold nothing of the person but the name are not found, and neither are mentions of a telephone number "
    "within a text.",
    "What the services hold and nobody fetched is not here.",
)


class Dossier(Mapping[str, pl.DataFrame], DisplayMixin):
    """What is held on one person: the rows of each table that has some, with `found_by`.

    Attributes
    ----------
    person : str
        Whom was asked for.
    contacts_known : pl.DataFrame
        The contacts that are this person by the rule of `crmlab.analysis.people`: provider, account, id (String).
    emails, phones : tuple of str
        What rows were looked for by, in one spelling.
    shared : tuple of str
        Addresses and numbers of the person that others have too, so that rows were not looked for by them.
    summary : pl.DataFrame
        A row for each table: table, rows (Int64), found_by (all ways in which its rows were found).
    fetched_at : datetime
        When the data were fetched, in UTC.
    complete : bool
        Whether all that was asked for came.
    """

    def __init__(
        self, tables: Mapping[str, pl.DataFrame], person: Person, data: Fetched | Stored
    ) -> None:
        self._tables = dict(tables)
        self.person = person.asked
        self.contacts_known = person.contacts
        self.emails = person.emails
        self.phones = person.phones
        self.shared = person.shared
        self.summary = _summary(self._tables)
        self.fetched_at = data.fetched_at
        self.complete = data.complete

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        sizes = [f"{table} {rows.height:,}" for table, rows in self.items()]
        return f"<Dossier of {self.person}: {', '.join(sizes) or 'nothing'}>"

    def _overview(self) -> Overview:
        return Overview(
            title=f"Held on {self.person}",
            words=" ".join(self._words()),
            tables=[("", self.summary)],
        )

    def _words(self) -> list[str]:
        row_count = plural(int(self.summary["rows"].sum()), "row")
        table_count = plural(len(self), "table")
        contact_count = plural(self.contacts_known.height, "contact")
        sentences = [
            f"{row_count} of {table_count}; {contact_count} of the services are this person."
        ]
        looked_for = [*self.emails, *self.phones]
        if looked_for:
            sentences.append(
                f"Looked for by the ids of these contacts, and by {', '.join(looked_for)}."
            )
        if self.shared:
            sentences.append(
                f"Not looked for by {', '.join(self.shared)}, which others have too or nobody could read."
            )
        if not self.complete:
            sentences.append(
                "Not all that was asked of the services came, so this may not be all either."
            )
        return [*sentences, *_NOT_SEEN]

    def write(self, folder: str | Path) -> list[Path]:
        """Write ``about.json`` and ``about.html`` into a folder, and return their paths.

        The page loads nothing from anywhere; the JSON file has every value as it is (GDPR, Article 20), times in
        ISO 8601. Both are personal data, readable for whom your umask says.

        Raises
        ------
        UsageError
            The folder is none, or not ours to write to.
        """
        target = make_folder(folder)
        writers = {
            target / "about.json": _writer(self._json()),
            target / "about.html": _writer(self._page()),
        }
        return write_files(writers)

    def _json(self) -> str:
        contents = {
            "person": self.person,
            "fetched_at": self.fetched_at,
            "complete": self.complete,
            "contacts": self.contacts_known.to_dicts(),
            "looked_for_by": [*self.emails, *self.phones],
            "not_looked_for_by": self.shared,
            "tables": {table: rows.to_dicts() for table, rows in self.items()},
        }
        return json.dumps(contents, indent=2, ensure_ascii=False, default=_as_json) + "\n"

    def _page(self) -> str:
        sections = []
        for table, rows in self.items():
            description = ""
            # misfits and rejected records are no table of the schema
            if table in TABLES:
                description = TABLES[table].doc
            records = [_as_read(record) for record in rows.iter_rows(named=True)]
            sections.append((table, description, records))
        page = render(
            _TEMPLATE,
            person=self.person,
            fetched_at=f"{self.fetched_at:%Y-%m-%d %H:%M} UTC",
            words=self._words(),
            summary=html_table(self.summary, label="summary"),
            tables=sections,
        )
        return str(page)


def about(
    data: Fetched | Stored | str | Path, person: str, *, region: str | None = None
) -> Dossier:
    """Return everything that is held on one person, over all tables and services (GDPR, Articles 15 and 7(1)).

    Who is one person is told as `crmlab.analysis.people` tells it. Rows are then found by the ids of all contacts that
    are this person and by the service's marks of them, and by the addresses and numbers that are theirs alone,
    wherever one stands: in texts, in services' own records, in values that could not be read and in rejected records.

    Parameters
    ----------
    data
        A `Fetched` or `Stored`, or a folder with files of one fetch, which `crmlab.open` reads. Tables in Parquet are
        read lazily; of contacts, their ids, names, addresses and numbers are needed in memory.
    person
        An e-mail address, a telephone number, or the key of a contact: ``"provider/account/id"``.
    region
        ISO 3166 code of the country that telephone numbers without ``+`` or ``00`` are of, such as ``"DE"``; None:
        they are not used.

    Returns
    -------
    Dossier
        By table (``"misfits"`` and ``"rejected"`` included) the rows that were found, with the columns of the table
        and `found_by` (String: the columns by which, parted by ``;``). Consent events, activities and deals are in
        order of time; the proof of a consent is what its table holds, documents are read with `crmlab.call`.
        `Dossier.write` makes a JSON file and a page of it.

    Raises
    ------
    UsageError
        Several people have that address or number, `person` is none of the three, or the data are masked.

    Examples
    --------
    >>> import crmlab
    >>> import polars as pl
    >>> rows = {"id": ["1", "2"], "emails": [["ann@example.com"], ["bo@example.com"]]}
    >>> contacts = crmlab.table("contacts", pl.DataFrame(rows), provider="salesforce")
    >>> calls = pl.DataFrame({"id": ["7"], "kind": ["call"], "contact_id": ["1"]})
    >>> activities = crmlab.table("activities", calls, provider="salesforce")
    >>> data = crmlab.collect(contacts=contacts, activities=activities, as_of="2026-01-31")
    >>> held = crmlab.about(data, "ann@example.com")  # or the name of a folder in place of data
    >>> held["activities"].select("kind", "contact_id", "found_by").rows()
    [('call', '1', 'contact_id')]
    >>> [path.name for path in held.write("answer-to-ann")]
    ['about.json', 'about.html']
    """
    found_in = opened(data)
    known_person = find(found_in, person, region)
    tables: dict[str, AnyFrame] = {table: found_in[table] for table in found_in}
    tables |= {"misfits": found_in.misfits, "rejected": found_in.rejected}
    held_rows = {}
    for table, held in everything(tables, found_in.summary, known_person).items():
        if held.rows.height:
            held_rows[table] = _in_order(held.rows)
    return Dossier(held_rows, known_person, found_in)


def opened(data: Fetched | Stored | str | Path) -> Fetched | Stored:
    """Return what was fetched, read from its folder where that is given.

    Raises
    ------
    UsageError
        It is neither.
    """
    if isinstance(data, str | Path):
        return open(data)
    if not isinstance(data, Fetched | Stored):
        raise UsageError(
            f"data is of type {type(data).__name__}: give what crmlab.fetch returns, or a folder with it"
        )
    return data


def everything(
    tables: Mapping[str, AnyFrame], summary: pl.DataFrame, person: Person
) -> dict[str, Found]:
    """Return by table what is held on the person.

    Parameters
    ----------
    tables
        Shared tables, services' own records, ``"misfits"`` and ``"rejected"``, as far as they are there.
    summary
        Of the fetch: it says which list fills which table.
    person
        As `find` returned it.
    """
    found: dict[str, Found] = {}
    # items are found by their deal, and misfits by their record
    for table in sorted(tables, key=_turn):
        own_deals = None
        if "deals" in found:
            own_deals = found["deals"].own
        own_records = None
        if table == "misfits":
            own_records = _records(found, summary)
        found[table] = search(table, tables[table], person, deals=own_deals, records=own_records)
    return {table: found[table] for table in tables}


def _turn(name: str) -> int:
    """Return when a table is searched: those that are found by others come after them."""
    return {"deal_items": 1, "misfits": 2, "rejected": 2}.get(name, 0)


def _records(found: Mapping[str, Found], summary: pl.DataFrame) -> pl.DataFrame:
    """Return the records that the rows were made of: provider, account, resource, id."""
    columns = ("provider", "account", "table", "id")
    key = pl.col(KEY).cast(pl.String)
    keyed_rows = [pl.DataFrame(schema=dict.fromkeys(columns, pl.String))]
    for table, held in found.items():
        if held.own.schema.keys() >= {*KEY}:
            own_keys = held.own.select(key, table=pl.lit(table))
            keyed_rows.append(own_keys.select(columns))

    # the summary says of which resource the rows of a table came
    source = pl.col("provider", "account", "resource", "table").cast(pl.String)
    sources = summary.select(source).unique()
    keys = pl.concat(keyed_rows)
    records = keys.join(sources, on=["provider", "account", "table"])
    return records.select("provider", "account", "resource", "id").unique()


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    times = []
    for column in _TIMES:
        if rows.schema.get(column) in _INSTANTS:
            times.append(pl.col(column).cast(pl.Datetime("us")))
    key_columns = [column for column in KEY if column in rows.columns]
    if not times:
        return rows.sort(key_columns)
    return rows.sort(pl.coalesce(times), *key_columns)


def _summary(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    summary_rows = []
    for table, rows in tables.items():
        summary_rows.append((table, rows.height, ways_of(rows)))
    return pl.DataFrame(summary_rows, schema=_SUMMARY, orient="row")


def _as_json(value: object) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _as_read(record: Mapping[str, object]) -> dict[str, str]:
    """Return what a row says, by column, as the person reads it; columns in which it says nothing are left out."""
    texts = {}
    for column, value in record.items():
        text = in_words(value)
        if text:
            texts[column] = text
    return texts


def _writer(text: str) -> Callable[[Path], object]:
    # bytes: text would get other line ends on Windows
    return lambda part: part.write_bytes(text.encode("utf-8", "surrogatepass"))
