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
    service = [pl.col(column).cast(pl.String).fill_null("") for column in _ACCOUNT]
    return pl.concat_str(*service, name, separator=_BETWEEN)


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
        asked_contacts = known_by.filter(pl.col("kind") == kind, pl.col("value") == name).select(
            KEY
        )
    # who is one person is told by those that share something with them, directly or not: no need to read all others
    connected = _connected(known_by, asked_contacts)
    connected_contacts = contacts.join(connected, on=KEY, how="semi", nulls_equal=True)
    their_keys = _keys_of_one_person(asked, asked_contacts, connected_contacts, region)

    their_evidence = known_by.join(their_keys, on=KEY, how="semi", nulls_equal=True)
    own_evidence = their_evidence.filter(pl.col("shared").is_null())
    emails = own_evidence.filter(pl.col("kind") == "email")["value"].to_list()
    phones = own_evidence.filter(pl.col("kind") == "phone")["value"].to_list()
    # what somebody asks by is looked for as well, where no contact has it or whoever is on duty reads it
    if kind == "email":
        emails.append(name)
    if kind == "phone":
        phones.append(name)
    looked_for = {*emails, *phones}
    shared_values = [value for value in their_evidence["value"] if value not in looked_for]

    their_contacts = contacts.join(their_keys, on=KEY, how="semi", nulls_equal=True)
    marks = their_contacts.select(within_account(pl.col("contact_hash"))).to_series().drop_nulls()
    return Person(
        asked=asked,
        contacts=their_keys,
        emails=_distinct(emails),
        phones=_distinct(phones),
        shared=_distinct(shared_values),
        ids=_distinct(their_keys.select(within_account(pl.col("id"))).to_series()),
        marks=_distinct(marks),
        region=region,
    )


def _keys_of_one_person(
    asked: str, asked_contacts: pl.DataFrame, contacts: pl.DataFrame, region: str | None
) -> pl.DataFrame:
    """Return the keys of all contacts of the one person who has those that were asked for; refuse several people."""
    grouped = people(contacts, region=region).with_columns(pl.col("provider").cast(pl.String))
    asked_people = grouped.join(asked_contacts, on=KEY, how="semi", nulls_equal=True)
    person_ids = asked_people["person_id"].unique().sort().to_list()
    if len(person_ids) > 1:
        raise UsageError(
            f"{len(person_ids)} people have {asked}, and one must not see what is held on another: name one by the "
            f"key of a contact, such as {' or '.join(map(repr, person_ids[:3]))}"
        )
    return grouped.filter(pl.col("person_id").is_in(person_ids)).select(KEY)


def written_alike(numbers: pl.Series, phones: Iterable[str], region: str | None) -> list[str]:
    """Return which of the telephone numbers, as they are written, are one of these in E.164."""
    distinct = numbers.drop_nulls().unique()
    contacts = pl.DataFrame(
        {"id": distinct, "phones": [[number] for number in distinct]}, schema=_NUMBERS
    )
    in_one_spelling = evidence(_contacts({"contacts": contacts}), region=region)
    return in_one_spelling.filter(pl.col("value").is_in(list(phones)))["id"].to_list()


def _contacts(data: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """Return what tells contacts apart, and of a big table no more."""
    if "contacts" not in data:
        return TABLES["contacts"].empty().select(_TEXT_KEY, *_READ[1:])
    contacts = data["contacts"].lazy()
    present = contacts.collect_schema().names()
    schema = TABLES["contacts"].schema
    columns = []
    for column in _READ:
        if column in present:
            columns.append(pl.col(column))
        else:
            columns.append(pl.lit(None, schema[column]).alias(column))
    return contacts.select(columns).with_columns(pl.col("provider").cast(pl.String)).collect()


def _connected(found: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return these contacts and all that have a value in common with them, or with one of those, and so on."""
    reached = contacts.unique()
    while True:
        of_reached = found.join(reached, on=KEY, how="semi", nulls_equal=True)
        values = of_reached.select("kind", "value").unique()
        sharing = found.join(values, on=["kind", "value"], how="semi").select(KEY)
        further = pl.concat([reached, sharing]).unique()
        if further.height == reached.height:
            return reached
        reached = further


def _read(asked: str, region: str | None, contacts: pl.DataFrame) -> tuple[str, str]:
    """Return of which kind the name of a person is, and the name in one spelling."""
    if not contacts.filter(_label() == asked).is_empty():
        return "contact", asked
    addresses = pl.select(mailboxes(pl.lit(asked))).item().to_list()
    if len(addresses) == 1:
        return "email", addresses[0]
    as_contact = pl.DataFrame({"id": [""], "phones": [[asked]]}, schema=_NUMBERS)
    read_phones = evidence(_contacts({"contacts": as_contact}), region=region)
    phones = read_phones.filter(pl.col("shared").is_null())
    if not addresses and phones.height:
        return "phone", phones["value"].item()
    raise UsageError(
        f"{asked!r} names nobody here: give an e-mail address, a telephone number with + (or with region='DE'), or "
        "the key of a contact that is there, 'provider/account/id'"
    )


def _label() -> pl.Expr:
    """Return the key of a contact as `person_id` writes it."""
    return pl.concat_str(pl.col(KEY).fill_null(""), separator="/")


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
