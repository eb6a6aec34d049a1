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
    service = [pl.col(each).cast(pl.String).fill_null("") for each in _ACCOUNT]
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
    found = evidence(contacts, region=region)
    kind, value = _read(asked, region, contacts)
    if kind == "contact":
        having = contacts.filter(_label() == value).select(KEY)
    else:
        having = found.filter(pl.col("kind") == kind, pl.col("value") == value).select(KEY)
    # who is one person is told by those that share something with them, directly or not: no need to read all others
    near = contacts.join(_connected(found, having), on=KEY, how="semi", nulls_equal=True)
    who = people(near, region=region).with_columns(pl.col("provider").cast(pl.String))
    named = (
        who.join(having, on=KEY, how="semi", nulls_equal=True)["person_id"]
        .unique()
        .sort()
        .to_list()
    )
    if len(named) > 1:
        raise UsageError(
            f"{len(named)} people have {asked}, and one must not see what is held on another: name one by the key "
            f"of a contact, such as {' or '.join(map(repr, named[:3]))}"
        )

    theirs = who.filter(pl.col("person_id").is_in(named)).select(KEY)
    known = found.join(theirs, on=KEY, how="semi", nulls_equal=True)
    own = known.filter(pl.col("shared").is_null())
    emails = own.filter(pl.col("kind") == "email")["value"].to_list()
    phones = own.filter(pl.col("kind") == "phone")["value"].to_list()
    # what somebody asks by is looked for as well, where no contact has it or whoever is on duty reads it
    emails += [value] if kind == "email" else []
    phones += [value] if kind == "phone" else []
    marked = contacts.join(theirs, on=KEY, how="semi", nulls_equal=True)
    return Person(
        asked=asked,
        contacts=theirs,
        emails=_distinct(emails),
        phones=_distinct(phones),
        shared=_distinct(each for each in known["value"] if each not in {*emails, *phones}),
        ids=_distinct(theirs.select(within_account(pl.col("id"))).to_series()),
        marks=_distinct(
            marked.select(within_account(pl.col("contact_hash"))).to_series().drop_nulls()
        ),
        region=region,
    )


def written_alike(numbers: pl.Series, phones: Iterable[str], region: str | None) -> list[str]:
    """Return which of the telephone numbers, as they are written, are one of these in E.164."""
    distinct = numbers.drop_nulls().unique()
    rows = pl.DataFrame(
        {"id": distinct, "phones": [[number] for number in distinct]}, schema=_NUMBERS
    )
    read = evidence(_contacts({"contacts": rows}), region=region)
    return read.filter(pl.col("value").is_in(list(phones)))["id"].to_list()


def _contacts(data: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """Return what tells contacts apart, and of a big table no more."""
    if "contacts" not in data:
        return TABLES["contacts"].empty().select(_TEXT_KEY, *_READ[1:])
    frame = data["contacts"].lazy()
    there = frame.collect_schema().names()
    schema = TABLES["contacts"].schema
    read = [
        pl.col(name) if name in there else pl.lit(None, schema[name]).alias(name) for name in _READ
    ]
    return frame.select(read).with_columns(pl.col("provider").cast(pl.String)).collect()


def _connected(found: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return these contacts and all that have a value in common with them, or with one of those, and so on."""
    reached = contacts.unique()
    while True:
        values = (
            found.join(reached, on=KEY, how="semi", nulls_equal=True)
            .select("kind", "value")
            .unique()
        )
        having = found.join(values, on=["kind", "value"], how="semi").select(KEY)
        wider = pl.concat([reached, having]).unique()
        if wider.height == reached.height:
            return reached
        reached = wider


def _read(asked: str, region: str | None, contacts: pl.DataFrame) -> tuple[str, str]:
    """Return of which kind the name of a person is, and the name in one spelling."""
    if not contacts.filter(_label() == asked).is_empty():
        return "contact", asked
    addresses = pl.select(mailboxes(pl.lit(asked))).item().to_list()
    if len(addresses) == 1:
        return "email", addresses[0]
    one = pl.DataFrame({"id": [""], "phones": [[asked]]}, schema=_NUMBERS)
    numbers = evidence(_contacts({"contacts": one}), region=region).filter(
        pl.col("shared").is_null()
    )
    if not addresses and numbers.height:
        return "phone", numbers["value"].item()
    raise UsageError(
        f"{asked!r} names nobody here: give an e-mail address, a telephone number with + (or with region='DE'), or "
        "the key of a contact that is there, 'provider/account/id'"
    )


def _label() -> pl.Expr:
    """Return the key of a contact as `person_id` writes it."""
    return pl.concat_str(pl.col(KEY).fill_null(""), separator="/")


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
