"""Rows that are about one person, and by what each was found: the one rule for showing them and for erasing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crmlab.privacy.mentions import TEXTS, WORDS, as_text, may_mention, mentions, other_texts
from crmlab.privacy.person import Person, within_account, written_alike
from crmlab.providers import registry

AnyFrame = pl.DataFrame | pl.LazyFrame
#: what says by what a row was found
FOUND_BY = "found_by"
_BETWEEN_WAYS = "; "
#: what did not fit into the tables: an address in a row of them makes all of it the person's
UNREAD = ("misfits", "rejected")
_ROW = "__row"
#: columns that name one contact by its id, in shared tables and in services' own records
_CONTACT_IDS = ("contact_id", "profile_id", "its_contact_id", "_contact_id")
#: those that name several, and the field of each entry that does where they are structures
_LISTS_OF_IDS = {
    "linked_contact_ids": "",
    "linked_contacts": "id",
    "related_contacts": "contact_id",
}
#: a service's short mark of a contact
_MARKS = ("contact_hash", "xxh", "_xxh")
#: columns whose address or number says whose the row is; elsewhere it is only mentioned
_OWNERS = ("id", "emails", "email", "contact_email", "address", "phones", "phone", "phone_number")
#: named by whoever fetched, and not by the person
_SOURCE = ("provider", "account", "resource")
_NUMBERS = ("phones", "phone", "phone_number", "address")
#: before any other object begins
_ID_OF_CONTACT = r'^\{[^{}\[\]]*?"id"\s*:\s*"?([^",}\]\s]+)'
_ID_IN_JSON = r'"(?:contact_id|profile_id)"\s*:\s*"?([^",}\]\s]+)'


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One way in which rows are known to be about the person.

    `column` is where it stands. A row is the person's by `where`, or else merely holds something of them there, which
    `without` leaves out.
    """

    column: str
    words: str
    where: pl.Expr
    without: pl.Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a table holds on the person.

    `rows` are as they are there, and say in `found_by` by what. `numbers` are theirs. `own` are those of them that are
    the person's, `whole` their numbers, and `parts` the numbers of others that merely hold a value of the person, with
    its column and what is to stand there instead.
    """

    rows: pl.DataFrame
    numbers: pl.Series
    own: pl.DataFrame
    whole: pl.Series
    parts: list[tuple[str, pl.Series, pl.Expr]]

    def counts(self, numbers: pl.Series) -> tuple[int, int]:
        """Return how many rows with these numbers are the person's, and how many values others of them hold."""
        here = numbers.implode()
        row_count = len(self.whole.filter(self.whole.is_in(here)))
        value_count = 0
        for _, part_numbers, _ in self.parts:
            value_count += len(part_numbers.filter(part_numbers.is_in(here)))
        return row_count, value_count


def search(
    name: str,
    frame: AnyFrame,
    person: Person,
    *,
    deals: pl.DataFrame | None = None,
    records: pl.DataFrame | None = None,
) -> Found:
    """Return the rows of a table that are about the person.

    Parameters
    ----------
    name
        Of the table; ``"misfits"`` and ``"rejected"`` are such too.
    frame
        Read lazily where it is lazy: what cannot be about the person is left in the file.
    person
        As `find` returned it.
    deals
        The person's, of which items are: provider, account, id.
    records
        The person's, of which misfits are: provider, account, resource, id.
    """
    lazy_frame = frame.lazy()
    schema = lazy_frame.collect_schema()
    text_columns = _text_columns(schema)
    signs = [
        *_by_id(name, schema, person),
        *_by_parent(name, deals, records),
        *_by_number(lazy_frame, name, schema, person),
    ]
    # an exact reading of every text of a big table takes long
    may_be_theirs = [sign.where for sign in signs]
    for column, dtype in text_columns.items():
        may_be_theirs.append(may_mention(column, dtype, person.emails))
    numbered = lazy_frame.with_row_index(_ROW)
    candidates = numbered.filter(_any_of(may_be_theirs)).collect(engine="streaming")

    signs += _by_address(name, text_columns, person)
    with_ways = candidates.with_columns(_ways(signs).alias(FOUND_BY))
    return _found(with_ways.filter(pl.col(FOUND_BY).is_not_null()), signs)


def _text_columns(schema: pl.Schema) -> dict[str, pl.DataType]:
    """Return the columns that may hold what somebody wrote, and their dtypes."""
    columns = {}
    for column, dtype in schema.items():
        is_text = dtype in WORDS or dtype.is_nested()
        if is_text and column not in _SOURCE:
            columns[column] = dtype
    return columns


def _any_of(conditions: Iterable[pl.Expr]) -> pl.Expr:
    """Return whether one of these holds; of none at all, that none does."""
    return pl.any_horizontal(pl.lit(value=False), *conditions)


def _ways(signs: Sequence[Sign]) -> pl.Expr:
    """Return by what a row is found, in words; null where it is not found."""
    words = []
    for sign in signs:
        way = pl.lit(sign.words)
        words.append(pl.when(sign.where).then(way))
    no_word = pl.lit(None, pl.String)
    joined = pl.concat_str([no_word, *words], separator=_BETWEEN_WAYS, ignore_nulls=True)
    return joined.replace("", None)


def ways_of(rows: pl.DataFrame) -> str:
    """Return by what these rows were found, each way once."""
    ways = rows[FOUND_BY].str.split(_BETWEEN_WAYS).explode().drop_nulls()
    return _BETWEEN_WAYS.join(ways.unique().sort())


def _found(rows: pl.DataFrame, signs: Sequence[Sign]) -> Found:
    is_theirs = [sign.where for sign in signs if sign.without is None]
    is_whole = _any_of(is_theirs).fill_null(value=False)
    # of a row that goes as a whole, nothing is left to be taken out
    other_rows = rows.filter(~is_whole)
    parts = []
    for sign in signs:
        row_numbers = other_rows.filter(sign.where)[_ROW]
        if sign.without is not None and len(row_numbers):
            parts.append((sign.column, row_numbers, sign.without))
    own_rows = rows.filter(is_whole)
    return Found(
        rows=rows.drop(_ROW),
        numbers=rows[_ROW],
        own=own_rows.drop(_ROW),
        whole=own_rows[_ROW],
        parts=parts,
    )


def without(frame: pl.LazyFrame, found: Found) -> pl.LazyFrame:
    """Return a table without the person: without their rows, and without what other rows hold of them."""
    row_number = pl.col(_ROW)
    goes = row_number.is_in(found.whole.implode())
    left = frame.with_row_index(_ROW).filter(~goes)
    for column, row_numbers, new_value in found.parts:
        is_part = row_number.is_in(row_numbers.implode())
        replaced = pl.when(is_part).then(new_value).otherwise(column)
        # one after another: a column may have two
        left = left.with_columns(replaced.alias(column))
    return left.drop(_ROW)


# ---- by what rows are found ----------------------------------------------------------------------------


def _by_id(name: str, schema: pl.Schema, person: Person) -> Iterator[Sign]:
    # an id or mark means nothing without the account that it is of
    if not {"provider", "account"} <= schema.keys():
        return
    if _lists_contacts(name) and "id" in schema:
        yield _names_one("id", person.ids)
    for column in _CONTACT_IDS:
        if schema.get(column) == pl.String:
            yield _names_one(column, person.ids)
    for column in _MARKS:
        if schema.get(column) == pl.String:
            yield _names_one(column, person.marks)
    if "contact" in schema:
        yield from _by_contact_inside(schema["contact"], person)
    if name == "rejected":
        id_in_raw = pl.col("raw").str.extract(_ID_IN_JSON)
        is_theirs = _is_one(id_in_raw, person.ids)
        yield Sign(column="raw", words="id in raw", where=is_theirs)
    for column, id_field in _LISTS_OF_IDS.items():
        if column in schema and person.ids:
            yield _among_several(column, schema[column], id_field, person)


def _by_contact_inside(dtype: pl.DataType, person: Person) -> Iterator[Sign]:
    """Return the sign that the whole contact stands in a row; CSV, and fields of any shape, hold it as JSON."""
    contact = pl.col("contact")
    if isinstance(dtype, pl.Struct) and "id" in dtype.to_schema():
        contact_id = contact.struct.field("id")
    elif dtype == pl.String:
        contact_id = contact.str.extract(_ID_OF_CONTACT)
    else:
        return
    is_theirs = _is_one(contact_id, person.ids)
    yield Sign(column="contact", words="contact.id", where=is_theirs)


def _lists_contacts(name: str) -> bool:
    """Return whether the records of a table are contacts, so that its ids are theirs."""
    if name == "contacts":
        return True
    provider, _, resource_name = name.partition(".")
    if provider not in registry():
        return False
    resources = {each.name: each for each in registry()[provider].resources}
    if resource_name not in resources:
        return False
    if resource_name == "contacts":
        return True
    # lists of the same records as the one that fills the shared table
    for resource in resources.values():
        fills_contacts = resource.tables == ("contacts",)
        if fills_contacts and resource.schema is resources[resource_name].schema:
            return True
    return False


def _names_one(column: str, names: Iterable[str]) -> Sign:
    """Return the sign that a column holds one of these ids or marks."""
    is_theirs = _is_one(pl.col(column), names)
    return Sign(column=column, words=column, where=is_theirs)


def _is_one(name: pl.Expr, names: Iterable[str]) -> pl.Expr:
    return _is_among(within_account(name), names)


def _is_among(text: pl.Expr, texts: Iterable[str]) -> pl.Expr:
    known_texts = pl.Series([*texts], dtype=pl.String)
    return text.is_in(known_texts.implode()).fill_null(value=False)


def _among_several(column: str, dtype: pl.DataType, field: str, person: Person) -> Sign:
    """Return the sign that a list names this contact, perhaps among others; CSV holds lists of structures as JSON."""
    names_one = []
    for provider, account, contact_id in person.contacts.rows():
        is_provider = pl.col("provider").cast(pl.String).eq_missing(provider)
        is_account = pl.col("account").eq_missing(account)
        names_id = _names_id(column, dtype, field, contact_id)
        names_one.append(is_provider & is_account & names_id)
    return Sign(
        column=column,
        words=column,
        where=pl.any_horizontal(names_one).fill_null(value=False),
        without=_without_ids(column, dtype, field, person.contacts["id"]),
    )


def _names_id(column: str, dtype: pl.DataType, field: str, contact_id: str) -> pl.Expr:
    if dtype == pl.String:
        id_in_json = rf'"{field}"\s*:\s*"?{re.escape(contact_id)}"?\s*[,}}]'
        return pl.col(column).str.contains(id_in_json)
    is_id = _id_of_entry(dtype, field) == contact_id
    return pl.col(column).list.eval(is_id).list.any()


def _without_ids(column: str, dtype: pl.DataType, field: str, ids: pl.Series) -> pl.Expr:
    """Return the list without the entries of these contacts; of one that is text, nothing is left."""
    if dtype == pl.String:
        return pl.lit(None, dtype)
    is_theirs = _is_among(_id_of_entry(dtype, field), ids)
    of_others = pl.element().filter(~is_theirs)
    return pl.col(column).list.eval(of_others)


def _id_of_entry(dtype: pl.DataType, field: str) -> pl.Expr:
    if dtype == TEXTS:
        return pl.element()
    return pl.element().struct.field(field)


def _by_parent(
    name: str, deals: pl.DataFrame | None, records: pl.DataFrame | None
) -> Iterator[Sign]:
    """Return the signs that a row belongs to another one of the person: an item to a deal, a misfit to a record."""
    if name == "deal_items" and deals is not None:
        deal_ids = deals.select(within_account(pl.col("id"))).to_series()
        yield _names_one("deal_id", deal_ids)
    if name == "misfits" and records is not None:
        # an id is of one resource: those of another may be the same
        resource = pl.col("resource").cast(pl.String)
        of_record = pl.concat_str(resource, "id", separator="\x00")
        record_ids = records.select(within_account(of_record)).to_series()
        yield Sign(column="id", words="id", where=_is_one(of_record, record_ids))


def _by_number(
    lazy_frame: pl.LazyFrame, name: str, schema: pl.Schema, person: Person
) -> Iterator[Sign]:
    # contacts are known by their id, and the number of a company is nobody's alone
    if not person.phones or name in ("contacts", "companies"):
        return
    for column in _NUMBERS:
        if schema.get(column) != pl.String:
            continue
        distinct_numbers = lazy_frame.select(pl.col(column).unique())
        written = distinct_numbers.collect(engine="streaming")
        own_numbers = written_alike(written[column], person.phones, person.region)
        is_theirs = _is_among(pl.col(column), own_numbers)
        yield Sign(column=column, words=f"number in {column}", where=is_theirs)


def _by_address(
    name: str, text_columns: Mapping[str, pl.DataType], person: Person
) -> Iterator[Sign]:
    if not person.emails:
        return
    for column, dtype in text_columns.items():
        is_named = mentions(as_text(column, dtype), person.emails)
        words = f"address in {column}"
        if name in UNREAD or (column in _OWNERS and name != "companies"):
            yield Sign(column=column, words=words, where=is_named)
        elif column == "contact_emails" and dtype == TEXTS:
            # who is the only one that a row is about, has all of it
            others = other_texts(column, person.emails)
            is_alone = others.list.drop_nulls().list.len() == 0
            yield Sign(column=column, words=words, where=is_named & is_alone)
            yield Sign(column=column, words=words, where=is_named & ~is_alone, without=others)
        elif dtype == TEXTS:
            others = other_texts(column, person.emails)
            yield Sign(column=column, words=words, where=is_named, without=others)
        else:
            nothing = pl.lit(None, dtype)
            yield Sign(column=column, words=words, where=is_named, without=nothing)
