"""People: which contacts of all services and accounts are the same person.

`people` says who is who; `crmlab.analysis.evidence` shows what it goes by. `same_name` is what to look at by
hand: a name alone links nobody.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.matching import ROLES, Rules, links, name_words, numbered
from crmlab.schema import KEY

__all__ = ["people", "people_overlap", "same_name"]


@answers("everything", makes="people")
def people(
    contacts: pl.DataFrame,
    *,
    region: str | None = None,
    plus_addressing: bool = False,
    roles: Collection[str] = ROLES,
    names_per_email: int = 2,
    names_per_phone: int = 1,
    names_per_office: int = 10,
) -> pl.DataFrame:
    """Return the person that each contact is: the same for all contacts that share evidence.

    Contacts that have an e-mail address or a telephone number in common are one person, in the same account
    (duplicates) as well as in others; so are those that a third one connects. But an address or number
    that several people have is no evidence: one of a role (``info@``), or one whose contacts have more
    different names than the thresholds allow. It connects only contacts of the same whole name.

    Parameters
    ----------
    contacts
        Reads provider, account, id, full_name, first_name, last_name, emails, phones.
    region
        ISO 3166 code of the country that telephone numbers without ``+`` or ``00`` are of, such as ``"DE"``;
        None: they are not used.
    plus_addressing
        Read ``ann+news@example.com`` as ``ann@example.com``.
    roles
        First words of mailboxes that are no person's.
    names_per_email, names_per_phone
        How many different names a person's own address or number may have: a mailbox's two may be of before
        and after a wedding. Case, accents, titles and the order of the words make no other name, and names are
        different whose initials are: a typing error or a short form seldom makes a new one. A number is nobody's
        evidence where the contact has no name.
    names_per_office
        What has more different names than this is no office but what is entered where nothing is known
        (``none@example.com``); it links nobody.

    Returns
    -------
    pl.DataFrame
        One row for each contact, sorted by its key: provider (Categorical), account, id (String), person_id
        (String, ``provider/account/id`` of the person's first contact in that order: it stays the same as
        long as that contact is there and connected).

    Raises
    ------
    UsageError
        A column is missing, `region` is not known, or a threshold is below 1.

    Notes
    -----
    Measured on five worlds of 6,000 made-up people with typing errors, other and missing addresses, changed names,
    switchboards, families and role addresses (``tests/analysis/noise.py``): 99.2 to 99.5 % of the linked pairs are
    right, and 95.4 to 95.9 % of the pairs of one person are linked; the rest mostly have nothing in common.
    What a name alone could find is left to `same_name`. Role mailboxes: https://www.rfc-editor.org/rfc/rfc2142.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft", "onepagecrm", "relenta", "relenta"], "account": ["a"] * 4,
    ...         "id": ["1", "2", "3", "4"], "full_name": ["Ann Lee", "Lee, Anne", "Ann Lee", "Bo Kay"],
    ...         "emails": [["Ann@Example.com"], ["ann@example.com", "info@example.com"], None, ["info@example.com"]],
    ...         "phones": [None, ["+353 20 910 0001"], ["00353 20 9100001"], None]}
    >>> people(conform(pl.DataFrame(rows), TABLES["contacts"]))
    shape: (4, 4)
    ┌────────────┬─────────┬─────┬──────────────┐
    │ provider   ┆ account ┆ id  ┆ person_id    │
    │ ---        ┆ ---     ┆ --- ┆ ---          │
    │ cat        ┆ str     ┆ str ┆ str          │
    ╞════════════╪═════════╪═════╪══════════════╡
    │ altcraft   ┆ a       ┆ 1   ┆ altcraft/a/1 │
    │ onepagecrm ┆ a       ┆ 2   ┆ altcraft/a/1 │
    │ relenta    ┆ a       ┆ 3   ┆ altcraft/a/1 │
    │ relenta    ┆ a       ┆ 4   ┆ relenta/a/4  │
    └────────────┴─────────┴─────┴──────────────┘
    """
    rules = Rules(
        region=region,
        plus_addressing=plus_addressing,
        roles=frozenset(roles),
        names_per_email=names_per_email,
        names_per_phone=names_per_phone,
        names_per_office=names_per_office,
    )
    keys, known = numbered(contacts)
    first = _first_of_each_group(keys.height, links(known, rules))
    label = pl.concat_str(pl.col(KEY).fill_null(""), separator="/")
    return keys.select(
        pl.col("provider").cast(pl.Categorical),
        "account",
        "id",
        label.gather(first).alias("person_id"),
    )


@answers("everything")
def same_name(contacts: pl.DataFrame, people: pl.DataFrame, *, max_people: int = 5) -> pl.DataFrame:
    """Return different people of the same whole name: suggestions for somebody who knows them.

    Parameters
    ----------
    contacts
        Reads provider, account, id, full_name, first_name, last_name, company_name.
    people
        As `people` returns it.
    max_people
        A name that more people than this have is a common one and suggests nothing.

    Returns
    -------
    pl.DataFrame
        One row for each two people, those of the same company first: name (String, its words in lower case
        and alphabetical order), person_id, other_person_id (String), same_company (Boolean; null where one
        has none).

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft", "relenta"], "account": ["a", "a"], "id": ["1", "3"],
    ...         "full_name": ["Ann Lée", "Lee, Ann"], "company_name": ["Onyx Ltd", None]}
    >>> contacts = conform(pl.DataFrame(rows), TABLES["contacts"])
    >>> same_name(contacts, people(contacts))
    shape: (1, 4)
    ┌─────────┬──────────────┬─────────────────┬──────────────┐
    │ name    ┆ person_id    ┆ other_person_id ┆ same_company │
    │ ---     ┆ ---          ┆ ---             ┆ ---          │
    │ str     ┆ str          ┆ str             ┆ bool         │
    ╞═════════╪══════════════╪═════════════════╪══════════════╡
    │ ann lee ┆ altcraft/a/1 ┆ relenta/a/3     ┆ null         │
    └─────────┴──────────────┴─────────────────┴──────────────┘
    """
    known = read(contacts, "contacts", *KEY, "full_name", "first_name", "last_name", "company_name")
    named = known.select(
        *KEY, name_words(known), pl.col("company_name").str.to_lowercase().alias("company")
    )
    same_person = read(people, "people", *KEY, "person_id")
    found = (
        named.join(same_person, on=KEY, nulls_equal=True)
        .drop_nulls("name")
        .group_by("name", "person_id")
        .agg("company")
    )
    found = found.filter(pl.len().over("name").is_between(2, max_people))
    pairs = found.join(found, on="name", suffix="_other").filter(
        pl.col("person_id") < pl.col("person_id_other")
    )
    ours = pl.col("company").list.drop_nulls()
    theirs = pl.col("company_other").list.drop_nulls()
    same = pl.when((ours.list.len() > 0) & (theirs.list.len() > 0)).then(
        ours.list.set_intersection(theirs).list.len() > 0
    )
    return pairs.select(
        "name",
        "person_id",
        pl.col("person_id_other").alias("other_person_id"),
        same.alias("same_company"),
    ).sort(
        "same_company",
        "name",
        "person_id",
        "other_person_id",
        descending=[True, False, False, False],
        nulls_last=True,
    )


@answers("everything")
def people_overlap(people: pl.DataFrame) -> pl.DataFrame:
    """Return how many people each combination of services knows.

    Parameters
    ----------
    people
        As `people` returns it.

    Returns
    -------
    pl.DataFrame
        The most people first: services (List(String), sorted), people, contacts (Int64); more contacts than
        people and services multiplied are duplicates or several accounts.

    Examples
    --------
    >>> import polars as pl
    >>> who = pl.DataFrame({"provider": ["altcraft", "relenta", "relenta"], "account": ["a"] * 3,
    ...                     "id": ["1", "3", "4"], "person_id": ["altcraft/a/1", "altcraft/a/1", "relenta/a/4"]})
    >>> people_overlap(who)
    shape: (2, 3)
    ┌─────────────────────────┬────────┬──────────┐
    │ services                ┆ people ┆ contacts │
    │ ---                     ┆ ---    ┆ ---      │
    │ list[str]               ┆ i64    ┆ i64      │
    ╞═════════════════════════╪════════╪══════════╡
    │ ["altcraft", "relenta"] ┆ 1      ┆ 2        │
    │ ["relenta"]             ┆ 1      ┆ 1        │
    └─────────────────────────┴────────┴──────────┘
    """
    services = pl.col("provider").cast(pl.String).unique().sort().alias("services")
    each = (
        read(people, "people", "provider", "person_id")
        .group_by("person_id")
        .agg(services, pl.len().alias("contacts"))
    )
    return (
        each.group_by("services")
        .agg(pl.len().cast(pl.Int64).alias("people"), pl.col("contacts").cast(pl.Int64).sum())
        .sort("people", pl.col("services").list.join(" "), descending=[True, False])
    )


def _first_of_each_group(size: int, pairs: pl.DataFrame) -> pl.Series:
    """Return for each of `size` numbers the smallest that the pairs connect it with.

    All pairs are taken at once, in rounds: every number that is connected with a smaller one is replaced by the
    smallest of those. What is replaced is gone for the next round, and two rounds leave at most half of the numbers
    that still have pairs, so that a chain of a million contacts takes some twenty rounds.

    Parameters
    ----------
    size
        How many numbers there are, from 0.
    pairs
        `row` and `first_row`, which is smaller.
    """
    numbers = pl.int_range(size, dtype=pl.UInt32, eager=True)
    first = numbers
    left = pairs.select("row", "first_row")
    while not left.is_empty():
        smallest = left.group_by("row").agg(pl.col("first_row").min())
        replaced = numbers.clone().scatter(smallest["row"], smallest["first_row"])
        replaced = _to_the_end(replaced)
        first = replaced.gather(first)
        left = left.select(replaced.gather(left[name]).alias(name) for name in left.columns)
        left = left.filter(pl.col("row") != pl.col("first_row")).select(
            pl.max_horizontal("row", "first_row").alias("row"),
            pl.min_horizontal("row", "first_row").alias("first_row"),
        )
    return first


def _to_the_end(replaced: pl.Series) -> pl.Series:
    """Return what replaces each number in the end, where what replaces it is replaced itself."""
    while True:
        further = replaced.gather(replaced)
        if (further == replaced).all():
            return replaced
        replaced = further
