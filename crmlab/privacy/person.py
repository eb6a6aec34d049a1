"""Who is asked about: the contacts that are one person, and by what else their rows are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from crmlab.analysis import evidence, people
from crmlab.errors import UsageError
from crmlab.results import Fetched, Stored
from crmlab.schema import KEY, TABLES, mailboxes

_ACCOUNT = ("provider", "account")
_READ = (*KEY, "full_name", "first_name", "last_name", "emails", "phones", "contact_hash")
#: parts a provider, an account and an id, none of which holds it
_BETWEEN = "\x00"
_TEXT_KEY = pl.col("provider").cast(pl.String)
_NUMBERS = {"id": pl.String(), "phones": pl.List(pl.String)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person, by all that services know them by.

    `contacts` (provider, account, id) are one person by the rule of `crmlab.analysis.people`. `emails` and `phones`
    are theirs alone, in one spelling. `shared` are addresses and numbers that they have and that are no evidence, so
    that nothing was looked for by them. `ids` and `marks` name them within an account, see `within_account`.
    """

    asked: str
    contacts: pl.DataFrame
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    shared: tuple[str, ...]
    ids: tuple[str, ...]
    marks: tuple[str, ...]
    region: str | None


def within_account(name: pl.Expr) -> pl.Expr:
    """Return an id or mark with the service and account that it is of: it means nothing elsewhere."""
    account = pl.col(_ACCOUNT).cast(pl.String).fill_null("")
    return pl.concat_str(account, name, separator=_BETWEEN)


def find(data: Fetched | Stored, asked: str, region: str | None) -> Person:
    """Return the person with this e-mail address, telephone number, or key of a contact.

    Raises
    ------
    UsageError
        The data are masked, `asked` is none of the three, or several people have it.
    """
    if data.is_masked:
        raise UsageError(
            "the data are masked, and nobody is found by tokens: give the data before masking"
        )
    contacts = _contacts(data)
    known_by = evidence(contacts, region=region)
    kind, name = _read(asked, region, contacts)
    if kind == "contact":
        asked_contacts = contacts.filter(_label() == name).select(KEY)
    else:
        is_asked = (pl.col("kind") == kind) & (pl.col("value") == name)
        asked_contacts = known_by.filter(is_asked).select(KEY)
    # who is one person is told by those that share something with them, directly or not: no need to read all others
    connected = _connected(known_by, asked_contacts)
    connected_contacts = _of_contacts(contacts, connected)
    their_keys = _keys_of_one_person(asked, asked_contacts, connected_contacts, region)

    their_evidence = _of_contacts(known_by, their_keys)
    own_evidence = their_evidence.filter(pl.col("shared").is_null())
    emails = _values_of(own_evidence, "email")
    phones = _values_of(own_evidence, "phone")
    # what somebody asks by is looked for as well, where no contact has it or whoever is on duty reads it
    if kind == "email":
        emails.append(name)
    if kind == "phone":
        phones.append(name)
    looked_for = {*emails, *phones}
    shared_values = [value for value in their_evidence["value"] if value not in looked_for]

    ids = their_keys.select(within_account(pl.col("id")))
    their_contacts = _of_contacts(contacts, their_keys)
    marks = their_contacts.select(within_account(pl.col("contact_hash")))
    return Person(
        asked=asked,
        contacts=their_keys,
        emails=_distinct(emails),
        phones=_distinct(phones),
        shared=_distinct(shared_values),
        ids=_distinct(ids.to_series()),
        marks=_distinct(marks.to_series().drop_nulls()),
        region=region,
    )


def _of_contacts(frame: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of these contacts."""
    return frame.join(keys, on=KEY, how="semi", nulls_equal=True)


def _values_of(known_by: pl.DataFrame, kind: str) -> list[str]:
    """Return the addresses, or the numbers, among what contacts are known by."""
    of_kind = known_by.filter(pl.col("kind") == kind)
    return of_kind["value"].to_list()


def _keys_of_one_person(
    asked: str, asked_contacts: pl.DataFrame, contacts: pl.DataFrame, region: str | None
) -> pl.DataFrame:
    """Return the keys of all contacts of the one person who has those that were asked for; refuse several people."""
    provider = pl.col("provider").cast(pl.String)
    grouped = people(contacts, region=region).with_columns(provider)
    asked_people = _of_contacts(grouped, asked_contacts)
    person_ids = asked_people["person_id"].unique().sort().to_list()
    if len(person_ids) > 1:
        some_keys = " or ".join(map(repr, person_ids[:3]))
        raise UsageError(
            f"{len(person_ids)} people have {asked}, and one must not see what is held on another: name one by the "
            f"key of a contact, such as {some_keys}"
        )
    is_theirs = pl.col("person_id").is_in(person_ids)
    return grouped.filter(is_theirs).select(KEY)


def written_alike(numbers: pl.Series, phones: Iterable[str], region: str | None) -> list[str]:
    """Return which of the telephone numbers, as they are written, are one of these in E.164."""
    distinct = numbers.drop_nulls().unique().to_list()
    in_one_spelling = _read_phones(distinct, region)
    is_one = pl.col("value").is_in(list(phones))
    return in_one_spelling.filter(is_one)["id"].to_list()


def _read_phones(written: list[str], region: str | None) -> pl.DataFrame:
    """Return telephone numbers in one spelling, as `evidence` does for contacts that have these numbers as ids."""
    phones = [[number] for number in written]
    contacts = pl.DataFrame({"id": written, "phones": phones}, schema=_NUMBERS)
    return evidence(_contacts({"contacts": contacts}), region=region)


def _contacts(data: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """Return what tells contacts apart, and of a big table no more."""
    if "contacts" not in data:
        return TABLES["contacts"].empty().select(_TEXT_KEY, *_READ[1:])
    contacts = data["contacts"].lazy()
    provider = pl.col("provider").cast(pl.String)
    present = contacts.collect_schema().names()
    schema = TABLES["contacts"].schema
    columns = []
    for column in _READ:
        if column in present:
            columns.append(pl.col(column))
        else:
            columns.append(pl.lit(None, schema[column]).alias(column))
    return contacts.select(columns).with_columns(provider).collect()


def _connected(found: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return these contacts and all that have a value in common with them, or with one of those, and so on."""
    reached = contacts.unique()
    while True:
        of_reached = _of_contacts(found, reached)
        values = of_reached.select("kind", "value").unique()
        sharing = found.join(values, on=["kind", "value"], how="semi")
        further = pl.concat([reached, sharing.select(KEY)]).unique()
        if further.height == reached.height:
            return reached
        reached = further


def _read(asked: str, region: str | None, contacts: pl.DataFrame) -> tuple[str, str]:
    """Return of which kind the name of a person is, and the name in one spelling."""
    with_this_key = contacts.filter(_label() == asked)
    if not with_this_key.is_empty():
        return "contact", asked
    written = pl.select(mailboxes(pl.lit(asked)))
    addresses = written.item().to_list()
    if len(addresses) == 1:
        return "email", addresses[0]
    read_phones = _read_phones([asked], region)
    phones = read_phones.filter(pl.col("shared").is_null())
    if not addresses and phones.height:
        return "phone", phones["value"].item()
    raise UsageError(
        f"{asked!r} names nobody here: give an e-mail address, a telephone number with + (or with region='DE'), or "
        "the key of a contact that is there, 'provider/account/id'"
    )


def _label() -> pl.Expr:
    """Return the key of a contact as `person_id` writes it."""
    parts = pl.col(KEY).fill_null("")
    return pl.concat_str(parts, separator="/")


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
