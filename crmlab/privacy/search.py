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

    `rows` are as they are there, and say in `found_by` by what. `own` are those of them that are the person's, `whole`
    their numbers, and `parts` the numbers of others that merely hold a value of the person, with its column and what
    is to stand there instead.
    """

    rows: pl.DataFrame
    own: pl.DataFrame
    whole: pl.Series
    parts: list[tuple[str, pl.Series, pl.Expr]]


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
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    texts = {
        column: dtype
        for column, dtype in schema.items()
        if _is_text(dtype) and column not in _SOURCE
    }
    rough = [_may_mention(column, dtype, person.emails) for column, dtype in texts.items()]
    signs = [
        *_by_id(name, schema, person),
        *_by_parent(name, deals, records),
        *_by_number(lazy, name, schema, person),
    ]
    # an exact reading of every text of a big table takes long
    maybe = pl.any_horizontal(pl.lit(value=False), *rough, *(sign.where for sign in signs))
    candidates = lazy.with_row_index(_ROW).filter(maybe).collect(engine="streaming")
    signs += _by_address(name, texts, person)

    words = [pl.when(sign.where).then(pl.lit(sign.words)) for sign in signs]
    said = pl.concat_str([pl.lit(None, pl.String), *words], separator="; ", ignore_nulls=True)
    rows = candidates.with_columns(said.replace("", None).alias(FOUND_BY)).filter(
        pl.col(FOUND_BY).is_not_null()
    )
    return _found(rows, signs)


def _found(rows: pl.DataFrame, signs: Sequence[Sign]) -> Found:
    theirs = [sign.where for sign in signs if sign.without is None]
    is_whole = pl.any_horizontal(pl.lit(value=False), *theirs).fill_null(value=False)
    others = rows.filter(~is_whole)
    parts = []
    for sign in signs:
        numbers = others.filter(sign.where)[_ROW]
        if sign.without is not None and len(numbers):
            parts.append((sign.column, numbers, sign.without))
    own = rows.filter(is_whole)
    return Found(rows=rows.drop(_ROW), own=own.drop(_ROW), whole=own[_ROW], parts=parts)


def without(frame: pl.LazyFrame, found: Found) -> pl.LazyFrame:
    """Return a table without the person: without their rows, and without what other rows hold of them."""
    row = pl.col(_ROW)
    kept = frame.with_row_index(_ROW).filter(~row.is_in(found.whole.implode()))
    for column, numbers, value in found.parts:
        # one after another: a column may have two
        kept = kept.with_columns(
            pl.when(row.is_in(numbers.implode())).then(value).otherwise(column).alias(column)
        )
    return kept.drop(_ROW)


# ---- by what rows are found ----------------------------------------------------------------------------


def _by_id(name: str, schema: pl.Schema, person: Person) -> Iterator[Sign]:
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
        yield Sign(
            column="raw",
            words="id in raw",
            where=_is_one(pl.col("raw").str.extract(_ID_IN_JSON), person.ids),
        )
    for column, field in _LISTS_OF_IDS.items():
        if column in schema and person.ids:
            yield _among_several(column, schema[column], field, person)


def _by_contact_inside(dtype: pl.DataType, person: Person) -> Iterator[Sign]:
    """Return the sign that the whole contact stands in a row; CSV, and fields of any shape, hold it as JSON."""
    contact = pl.col("contact")
    if isinstance(dtype, pl.Struct) and "id" in dtype.to_schema():
        yield Sign(
            column="contact",
            words="contact.id",
            where=_is_one(contact.struct.field("id"), person.ids),
        )
    elif dtype == pl.String:
        id = contact.str.extract(_ID_OF_CONTACT)
        yield Sign(column="contact", words="contact.id", where=_is_one(id, person.ids))


def _lists_contacts(name: str) -> bool:
    """Return whether the records of a table are contacts, so that its ids are theirs."""
    if name == "contacts":
        return True
    provider, _, called = name.partition(".")
    if provider not in registry():
        return False
    resources = {each.name: each for each in registry()[provider].resources}
    if called not in resources:
        return False
    # lists of the same records as the one that fills the shared table
    of_contacts = [each.schema for each in resources.values() if each.tables == ("contacts",)]
    return called == "contacts" or any(resources[called].schema is schema for schema in of_contacts)


def _is_one(name: pl.Expr, names: Iterable[str]) -> pl.Expr:
    known = pl.Series([*names], dtype=pl.String)
    return within_account(name).is_in(known.implode()).fill_null(value=False)


def _among_several(column: str, dtype: pl.DataType, field: str, person: Person) -> Sign:
    """Return the sign that a list names this contact, perhaps among others; CSV holds lists of structures as JSON."""
    named = []
    for provider, account, id in person.contacts.rows():
        of_account = pl.col("provider").cast(pl.String).eq_missing(provider) & pl.col(
            "account"
        ).eq_missing(account)
        if dtype == pl.String:
            names_id = pl.col(column).str.contains(rf'"{field}"\s*:\s*"?{re.escape(id)}"?\s*[,}}]')
        else:
            names_id = pl.col(column).list.eval(_id_of_entry(dtype, field) == id).list.any()
        named.append(of_account & names_id)
    without: pl.Expr = pl.lit(None, dtype)
    if dtype != pl.String:
        is_theirs = (
            _id_of_entry(dtype, field).is_in(person.contacts["id"].implode()).fill_null(value=False)
        )
        without = pl.col(column).list.eval(pl.element().filter(~is_theirs))
    return Sign(
        column=column,
        words=column,
        where=pl.any_horizontal(named).fill_null(value=False),
        without=without,
    )


def _id_of_entry(dtype: pl.DataType, field: str) -> pl.Expr:
    return pl.element() if dtype == _TEXTS else pl.element().struct.field(field)


def _by_parent(
    name: str, deals: pl.DataFrame | None, records: pl.DataFrame | None
) -> Iterator[Sign]:
    """Return the signs that a row belongs to another one of the person: an item to a deal, a misfit to a record."""
    if name == "deal_items" and deals is not None:
        ids = deals.select(within_account(pl.col("id"))).to_series()
        yield Sign(column="deal_id", words="deal_id", where=_is_one(pl.col("deal_id"), ids))
    if name == "misfits" and records is not None:
        of_record = pl.concat_str(pl.col("resource").cast(pl.String), "id", separator="\x00")
        ids = records.select(within_account(of_record)).to_series()
        yield Sign(column="id", words="id", where=_is_one(of_record, ids))


def _by_number(lazy: pl.LazyFrame, name: str, schema: pl.Schema, person: Person) -> Iterator[Sign]:
    for column in _NUMBERS:
        # contacts are known by their id, and the number of a company is nobody's alone
        if column not in schema or not person.phones or name in ("contacts", "companies"):
            continue
        if schema[column] != pl.String:
            continue
        written = lazy.select(pl.col(column).unique()).collect(engine="streaming").to_series()
        same = pl.Series(written_alike(written, person.phones, person.region), dtype=pl.String)
        where = pl.col(column).is_in(same.implode()).fill_null(value=False)
        yield Sign(column=column, words=f"number in {column}", where=where)


def _by_address(name: str, texts: Mapping[str, pl.DataType], person: Person) -> Iterator[Sign]:
    if not person.emails:
        return
    for column, dtype in texts.items():
        where = _mentions(_as_text(column, dtype), person.emails)
        words = f"address in {column}"
        if name in UNREAD or (column in _OWNERS and name != "companies"):
            yield Sign(column=column, words=words, where=where)
        elif column == "contact_emails" and dtype == _TEXTS:
            others = pl.col(column).list.eval(
                pl.element().filter(~_mentions(pl.element(), person.emails))
            )
            is_alone = others.list.drop_nulls().list.len() == 0
            yield Sign(column=column, words=words, where=where & is_alone)
            yield Sign(column=column, words=words, where=where & ~is_alone, without=others)
        elif dtype == _TEXTS:
            others = pl.col(column).list.eval(
                pl.element().filter(~_mentions(pl.element(), person.emails))
            )
            yield Sign(column=column, words=words, where=where, without=others)
        else:
            yield Sign(column=column, words=words, where=where, without=pl.lit(None, dtype))


# ---- texts -----------------------------------------------------------------------------------------------


def _is_text(dtype: pl.DataType) -> bool:
    return dtype in _WORDS or dtype.is_nested()


def _as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return all texts of a column as one, without the escapes of JSON."""
    if dtype == _TEXTS:
        return pl.col(column).list.join(" ", ignore_nulls=True)
    text = (
        pl.struct(column).struct.json_encode()
        if dtype.is_nested()
        else pl.col(column).cast(pl.String)
    )
    plain = text.map_batches(_unescaped, return_dtype=pl.String, is_elementwise=True)
    return plain.str.replace_all(_ESCAPES, " ")


def _unescaped(texts: pl.Series) -> pl.Series:
    """Return the texts with letters in the place of the numbers that JSON may write for them."""
    escaped = texts.filter(texts.str.contains(_BY_NUMBER)).unique()
    if escaped.is_empty():
        return texts
    return texts.replace({text: re.sub(_BY_NUMBER, _letter, text) for text in escaped})


def _letter(number: re.Match[str]) -> str:
    letter = chr(int(number[1], 16))
    return letter if letter.isprintable() else " "


def _may_mention(column: str, dtype: pl.DataType, emails: Sequence[str]) -> pl.Expr:
    """Return whether a text may hold one of the addresses: never no where it does, and cheap."""
    if not emails:
        return pl.lit(value=False)
    text = pl.col(column).cast(pl.String) if dtype in _WORDS else _as_text(column, dtype)
    names = [email.rpartition("@")[0] for email in emails]
    named = text.str.contains_any(names, ascii_case_insensitive=True) | text.str.contains(
        _WRITTEN_OTHERWISE
    )
    if not all(name.isascii() for name in names):
        named = pl.lit(value=True)
    return (text.str.contains_any(_AT) & named).fill_null(value=False)


def _mentions(text: pl.Expr, emails: Sequence[str]) -> pl.Expr:
    found = mailboxes(text)
    each = [found.list.contains(email) for email in emails]
    return pl.any_horizontal(each).fill_null(value=False)
