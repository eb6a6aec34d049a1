"""Rows that are about one person, and by what each was found: the one rule for showing them and for erasing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crmlab.privacy.person import Person, within_account, written_alike
from crmlab.providers import registry
from crmlab.schema import mailboxes

_TEXTS = pl.List(pl.String)
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
#: an address may be there in wide letters, with characters that nobody sees, or as JSON writes letters
_WRITTEN_OTHERWISE = r"[^\x00-\x7F]|\\u[0-9a-fA-F]{4}"
_BY_NUMBER = r"\\u([0-9a-fA-F]{4})"
_AT = ["@", "\uff20", "\\u0040"]
_WORDS = (pl.String, pl.Categorical, pl.Enum)
#: what JSON writes for characters of a text: none of them is part of an address
_ESCAPES = r'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])'
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
        may_be_theirs.append(_may_mention(column, dtype, person.emails))
    numbered = lazy_frame.with_row_index(_ROW)
    candidates = numbered.filter(_any_of(may_be_theirs)).collect(engine="streaming")

    signs += _by_address(name, text_columns, person)
    with_ways = candidates.with_columns(_ways(signs).alias(FOUND_BY))
    return _found(with_ways.filter(pl.col(FOUND_BY).is_not_null()), signs)


def _text_columns(schema: pl.Schema) -> dict[str, pl.DataType]:
    """Return the columns that may hold what somebody wrote, and their dtypes."""
    columns = {}
    for column, dtype in schema.items():
        is_text = dtype in _WORDS or dtype.is_nested()
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
        words.append(pl.when(sign.where).then(pl.lit(sign.words)))
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
    left = frame.with_row_index(_ROW).filter(~row_number.is_in(found.whole.implode()))
    for column, row_numbers, new_value in found.parts:
        is_part = row_number.is_in(row_numbers.implode())
        # one after another: a column may have two
        left = left.with_columns(pl.when(is_part).then(new_value).otherwise(column).alias(column))
    return left.drop(_ROW)


# ---- by what rows are found ----------------------------------------------------------------------------


def _by_id(name: str, schema: pl.Schema, person: Person) -> Iterator[Sign]:
    # an id or mark means nothing without the account that it is of
    if not {"provider", "account"} <= schema.keys():
        return
    if _lists_contacts(name) and "id" in schema:
        yield Sign(column="id", words="id", where=_is_one(pl.col("id"), person.ids))
    for column in _CONTACT_IDS:
        if schema.get(column) == pl.String:
            yield Sign(column=column, words=column, where=_is_one(pl.col(column), person.ids))
    for column in _MARKS:
        if schema.get(column) == pl.String:
            yield Sign(column=column, words=column, where=_is_one(pl.col(column), person.marks))
    if "contact" in schema:
        yield from _by_contact_inside(schema["contact"], person)
    if name == "rejected":
        id_in_raw = pl.col("raw").str.extract(_ID_IN_JSON)
        yield Sign(column="raw", words="id in raw", where=_is_one(id_in_raw, person.ids))
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
    yield Sign(column="contact", words="contact.id", where=_is_one(contact_id, person.ids))


def _lists_contacts(name: str) -> bool:
    """Return whether the records of a table are contacts, so that its ids are theirs."""
    if name == "contacts":
        return True
    provider, _, resource_name = name.partition(".")
    if provider not in registry():
        return False
    resources = {resource.name: resource for resource in registry()[provider].resources}
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


def _is_one(name: pl.Expr, names: Iterable[str]) -> pl.Expr:
    known_names = pl.Series([*names], dtype=pl.String)
    return within_account(name).is_in(known_names.implode()).fill_null(value=False)


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
        return pl.col(column).str.contains(rf'"{field}"\s*:\s*"?{re.escape(contact_id)}"?\s*[,}}]')
    is_id = _id_of_entry(dtype, field) == contact_id
    return pl.col(column).list.eval(is_id).list.any()


def _without_ids(column: str, dtype: pl.DataType, field: str, ids: pl.Series) -> pl.Expr:
    """Return the list without the entries of these contacts; of one that is text, nothing is left."""
    if dtype == pl.String:
        return pl.lit(None, dtype)
    is_theirs = _id_of_entry(dtype, field).is_in(ids.implode()).fill_null(value=False)
    return pl.col(column).list.eval(pl.element().filter(~is_theirs))


def _id_of_entry(dtype: pl.DataType, field: str) -> pl.Expr:
    if dtype == _TEXTS:
        return pl.element()
    return pl.element().struct.field(field)


def _by_parent(
    name: str, deals: pl.DataFrame | None, records: pl.DataFrame | None
) -> Iterator[Sign]:
    """Return the signs that a row belongs to another one of the person: an item to a deal, a misfit to a record."""
    if name == "deal_items" and deals is not None:
        deal_ids = deals.select(within_account(pl.col("id"))).to_series()
        yield Sign(column="deal_id", words="deal_id", where=_is_one(pl.col("deal_id"), deal_ids))
    if name == "misfits" and records is not None:
        # an id is of one resource: those of another may be the same
        of_record = pl.concat_str(pl.col("resource").cast(pl.String), "id", separator="\x00")
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
        written = lazy_frame.select(pl.col(column).unique()).collect(engine="streaming")
        spellings = written_alike(written[column], person.phones, person.region)
        own_numbers = pl.Series(spellings, dtype=pl.String)
        is_theirs = pl.col(column).is_in(own_numbers.implode()).fill_null(value=False)
        yield Sign(column=column, words=f"number in {column}", where=is_theirs)


def _by_address(
    name: str, text_columns: Mapping[str, pl.DataType], person: Person
) -> Iterator[Sign]:
    if not person.emails:
        return
    for column, dtype in text_columns.items():
        mentions = _mentions(_as_text(column, dtype), person.emails)
        words = f"address in {column}"
        if name in UNREAD or (column in _OWNERS and name != "companies"):
            yield Sign(column=column, words=words, where=mentions)
        elif column == "contact_emails" and dtype == _TEXTS:
            # who is the only one that a row is about, has all of it
            others = _other_texts(column, person.emails)
            is_alone = others.list.drop_nulls().list.len() == 0
            yield Sign(column=column, words=words, where=mentions & is_alone)
            yield Sign(column=column, words=words, where=mentions & ~is_alone, without=others)
        elif dtype == _TEXTS:
            others = _other_texts(column, person.emails)
            yield Sign(column=column, words=words, where=mentions, without=others)
        else:
            nothing = pl.lit(None, dtype)
            yield Sign(column=column, words=words, where=mentions, without=nothing)


def _other_texts(column: str, emails: Sequence[str]) -> pl.Expr:
    """Return a list of texts without those that mention one of the addresses."""
    mentions = _mentions(pl.element(), emails)
    return pl.col(column).list.eval(pl.element().filter(~mentions))


# ---- texts -----------------------------------------------------------------------------------------------


def _as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return all texts of a column as one, without the escapes of JSON."""
    if dtype == _TEXTS:
        return pl.col(column).list.join(" ", ignore_nulls=True)
    text = pl.col(column).cast(pl.String)
    if dtype.is_nested():
        text = pl.struct(column).struct.json_encode()
    unescaped = text.map_batches(_unescaped, return_dtype=pl.String, is_elementwise=True)
    return unescaped.str.replace_all(_ESCAPES, " ")


def _unescaped(texts: pl.Series) -> pl.Series:
    """Return the texts with letters in the place of the numbers that JSON may write for them."""
    escaped = texts.filter(texts.str.contains(_BY_NUMBER)).unique()
    if escaped.is_empty():
        return texts
    return texts.replace({text: re.sub(_BY_NUMBER, _letter, text) for text in escaped})


def _letter(number: re.Match[str]) -> str:
    letter = chr(int(number[1], 16))
    if letter.isprintable():
        return letter
    return " "


def _may_mention(column: str, dtype: pl.DataType, emails: Sequence[str]) -> pl.Expr:
    """Return whether a text may hold one of the addresses: never no where it does, and cheap."""
    if not emails:
        return pl.lit(value=False)
    text = _as_text(column, dtype)
    # what is written with escapes is taken for a mention below, and taking them away is slow
    if dtype in _WORDS:
        text = pl.col(column).cast(pl.String)
    has_at = text.str.contains_any(_AT)
    local_parts = [email.rpartition("@")[0] for email in emails]
    # letters beyond ASCII have cases that the cheap search does not know
    if not all(local_part.isascii() for local_part in local_parts):
        return has_at.fill_null(value=False)
    names_one = text.str.contains_any(local_parts, ascii_case_insensitive=True)
    written_otherwise = text.str.contains(_WRITTEN_OTHERWISE)
    return (has_at & (names_one | written_otherwise)).fill_null(value=False)


def _mentions(text: pl.Expr, emails: Sequence[str]) -> pl.Expr:
    addresses = mailboxes(text)
    is_named = [addresses.list.contains(email) for email in emails]
    return pl.any_horizontal(is_named).fill_null(value=False)
