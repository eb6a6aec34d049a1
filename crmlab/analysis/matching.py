"""What contacts have in common: e-mail addresses and telephone numbers in one spelling, and whose they are.

An address or number that one person has tells who is who; one that an office has does not. Which it
is shows in the names of the contacts that have it, so names are compared here, but are never evidence
by themselves.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.errors import UsageError
from crmlab.schema import KEY, mailboxes

__all__ = ["evidence", "evidence_left_out", "evidence_links"]

_EVIDENCE = (*KEY, "kind", "value", "name", "contacts", "names", "shared")
_READ = (*KEY, "full_name", "first_name", "last_name", "emails", "phones")

_ROLE_WORDS = """
    abuse accounting accounts admin administration assistance bestellung billing booking bookings buchhaltung
    careers comercial commercial compras contabilidad contact contacto contact-us contatti customerservice data
    direction einkauf empfang enquiries enquiry facturation finance frontdesk hello help helpdesk hostmaster hr
    info information inquiries invoice invoices jobs kontakt mail mailbox marketing newsletter no-reply noreply
    office order orders personal postmaster presse press privacy purchasing reception rechnung recruiting
    reservations sales secretariat security sekretariat service shop spam studio support team vente ventas
    verkauf vertrieb verwaltung webmaster welcome zentrale
"""
#: first words of mailboxes that are read by whoever is on duty: RFC 2142 and their like in six languages
ROLES = frozenset(_ROLE_WORDS.split())
#: why a value links nobody, not even contacts of the same name
_NOBODYS = ("everybody's", "not read")
#: forms of address and degrees are not names
_TITLES = r"\b(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme|mag|ing|dipl|jr|sr)\b"


@answers("everything", makes="evidence")
def evidence(
    contacts: pl.DataFrame,
    *,
    region: str | None = None,
    plus_addressing: bool = False,
    roles: Collection[str] = ROLES,
    names_per_email: int = 2,
    names_per_phone: int = 1,
    names_per_office: int = 10,
) -> pl.DataFrame:
    """Return each contact's addresses and numbers, and whether they are evidence of who it is.

    Parameters
    ----------
    contacts, region, plus_addressing, roles, names_per_email, names_per_phone, names_per_office
        As of `crmlab.analysis.people`.

    Returns
    -------
    pl.DataFrame
        One row for each contact and value: provider (String), account, id, kind (``"email"``, ``"phone"``),
        value (String; in one spelling, or as written where it could not be read), name (String, the contact's
        words of name, sorted), contacts, names (Int64, of that value), shared (String; why the value is
        no evidence: ``"role address"``, ``"many names"``, ``"everybody's"``, ``"not read"``; null: it is).

    Raises
    ------
    UsageError
        A column is missing, `region` is not known, or a threshold is below 1.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["relenta"] * 2, "account": ["a"] * 2, "id": ["1", "2"],
    ...         "emails": [["Ann@example.com"], ["info@example.com"]]}
    >>> evidence(conform(pl.DataFrame(rows), TABLES["contacts"])).select("id", "value", "shared").sort("id").rows()
    [('1', 'ann@example.com', None), ('2', 'info@example.com', 'role address')]
    """
    from crmlab.analysis.phone import e164  # noqa: PLC0415  # its metadata are loaded when they are needed

    contacts = read(contacts, "contacts", *_READ)
    if min(names_per_email, names_per_phone, names_per_office) < 1:
        raise UsageError(
            "names_per_email, names_per_phone and names_per_office are 1 or more: give larger numbers"
        )
    people = contacts.select(
        pl.col("provider").cast(pl.String), "account", "id", _words(), "emails", "phones"
    )
    people = people.with_columns(_joined(), _initials())
    emails = _values(people, "emails")
    emails = emails.with_columns(
        pl.lit("email").alias("kind"), mailboxes(pl.col("written")).alias("value")
    )
    emails = emails.explode("value", empty_as_null=True)
    if plus_addressing:
        emails = emails.with_columns(pl.col("value").str.replace(r"\+[^@]*@", "@"))
    phones = _values(people, "phones")
    phones = phones.with_columns(
        pl.lit("phone").alias("kind"), e164(phones["written"], region).alias("value")
    )
    mailbox, first_word = (
        pl.col("value").str.extract(start) for start in (r"^([^@+]+)", r"^([^@+._\d-]+)")
    )
    of_a_role = (pl.col("kind") == "email") & (
        mailbox.is_in(list(roles)) | first_word.is_in(list(roles))
    )
    names_per_value = (
        pl.when(pl.col("kind") == "email").then(names_per_email).otherwise(names_per_phone)
    )
    found = pl.concat([emails, phones]).with_columns(pl.col("value").is_null().alias("unread"))
    found = (
        found.with_columns(pl.coalesce("value", "written").alias("value")).drop("written").unique()
    )
    counts = found.group_by("kind", "value").agg(
        pl.len().cast(pl.Int64).alias("contacts"),
        pl.col("initials").drop_nulls().n_unique().cast(pl.Int64).alias("names"),
    )
    return found.join(counts, on=["kind", "value"]).select(
        *KEY,
        "kind",
        "value",
        "name",
        "contacts",
        "names",
        pl.when("unread")
        .then(pl.lit("not read"))
        .when(pl.col("names") > names_per_office)
        .then(pl.lit("everybody's"))
        .when(of_a_role)
        .then(pl.lit("role address"))
        .when(pl.col("names") > names_per_value)
        .then(pl.lit("many names"))
        .alias("shared"),
    )


@answers("everything")
def evidence_links(evidence: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of contacts that an address or number connects.

    Parameters
    ----------
    evidence
        As `evidence` returns it.

    Returns
    -------
    pl.DataFrame
        Sorted. Each contact with the first (by key) that it shares a value with, so that n contacts of one
        address are n - 1 links: provider (Categorical), account, id, other_provider (Categorical),
        other_account, other_id, kind (``"email"`` or ``"phone"``), value (String, not masked: it is
        what there is to be checked), because (String: ``"own"``, the value is one person's, or ``"same name"``, it is
        shared, but not by these).

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft", "relenta"], "account": ["a", "a"], "id": ["1", "3"],
    ...         "full_name": ["Ann Lee", "A. Lee"], "emails": [["Ann@example.com"], ["ann@example.com"]]}
    >>> found = evidence(conform(pl.DataFrame(rows), TABLES["contacts"]))
    >>> evidence_links(found).select("id", "other_provider", "other_id", "kind", "value", "because")
    shape: (1, 6)
    ┌─────┬────────────────┬──────────┬───────┬─────────────────┬─────────┐
    │ id  ┆ other_provider ┆ other_id ┆ kind  ┆ value           ┆ because │
    │ --- ┆ ---            ┆ ---      ┆ ---   ┆ ---             ┆ ---     │
    │ str ┆ cat            ┆ str      ┆ str   ┆ str             ┆ str     │
    ╞═════╪════════════════╪══════════╪═══════╪═════════════════╪═════════╡
    │ 3   ┆ altcraft       ┆ 1        ┆ email ┆ ann@example.com ┆ own     │
    └─────┴────────────────┴──────────┴───────┴─────────────────┴─────────┘
    """
    evidence = read(evidence, "evidence", *_EVIDENCE)
    rows = evidence.select(KEY).unique().sort(KEY).with_row_index("row")
    pairs = linked(evidence, rows)
    firsts = rows.select("row", *(pl.col(name).alias(f"other_{name}") for name in KEY))
    because = pl.when(pl.col("shared").is_null()).then(pl.lit("own")).otherwise(pl.lit("same name"))
    return (
        pairs.join(firsts, left_on="first_row", right_on="row")
        .sort("row", "first_row", "kind", "value")
        .select(
            pl.col("provider").cast(pl.Categorical),
            "account",
            "id",
            pl.col("other_provider").cast(pl.Categorical),
            "other_account",
            "other_id",
            "kind",
            "value",
            because.alias("because"),
        )
    )


@answers("everything")
def evidence_left_out(evidence: pl.DataFrame) -> pl.DataFrame:
    """Return the addresses and numbers that were not taken as evidence, and why.

    Parameters
    ----------
    evidence
        As `evidence` returns it.

    Returns
    -------
    pl.DataFrame
        The most used first: kind (String), value (String, in one spelling, or as written where it was not
        read), why (String: ``"role address"``, ``"many names"``,
        ``"everybody's"``, ``"not read"``), contacts, names (Int64,
        contacts that have it and their different names). Contacts of the
        same whole name are linked by the first two all the same.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"id": ["1", "3"], "full_name": ["Ann Lee", "Bo Kay"], "emails": [["Info@example.com"]] * 2,
    ...         "phones": [["020 9100000"], None]}
    >>> evidence_left_out(evidence(conform(pl.DataFrame(rows), TABLES["contacts"])))
    shape: (2, 5)
    ┌───────┬──────────────────┬──────────────┬──────────┬───────┐
    │ kind  ┆ value            ┆ why          ┆ contacts ┆ names │
    │ ---   ┆ ---              ┆ ---          ┆ ---      ┆ ---   │
    │ str   ┆ str              ┆ str          ┆ i64      ┆ i64   │
    ╞═══════╪══════════════════╪══════════════╪══════════╪═══════╡
    │ email ┆ info@example.com ┆ role address ┆ 2        ┆ 2     │
    │ phone ┆ 020 9100000      ┆ not read     ┆ 1        ┆ 1     │
    └───────┴──────────────────┴──────────────┴──────────┴───────┘
    """
    evidence = read(evidence, "evidence", *_EVIDENCE)
    return (
        evidence.filter(pl.col("shared").is_not_null())
        .select("kind", "value", pl.col("shared").alias("why"), "contacts", "names")
        .unique()
        .sort("contacts", "kind", "value", descending=[True, False, False])
    )


def linked(evidence: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the evidence that links, with `row` of its contact and `first_row` of the first that has the same.

    Parameters
    ----------
    evidence
        As `evidence` returns it.
    rows
        The contacts' keys in order, with their number as `row`.
    """
    one_name = pl.when(pl.col("shared").is_not_null()).then("name")
    # a mailbox is one person's even where no name is given; a telephone may stand on a shared table
    named = pl.col("name").is_not_null() | (
        (pl.col("kind") == "email") & pl.col("shared").is_null()
    )
    believed = named & ~pl.col("shared").is_in(_NOBODYS).fill_null(value=False)
    return (
        evidence.filter(believed)
        .join(rows, on=KEY, nulls_equal=True)
        .with_columns(pl.col("row").min().over("kind", "value", one_name).alias("first_row"))
        .filter(pl.col("row") != pl.col("first_row"))
    )


def _values(people: pl.DataFrame, column: str) -> pl.DataFrame:
    rows = people.select(*KEY, "name", "initials", pl.col(column).alias("written")).explode(
        "written"
    )
    return rows.filter(pl.col("written").str.strip_chars() != "")


def name_words(contacts: pl.DataFrame) -> pl.Series:
    """Return the words of each contact's name in one spelling and order: "Dr. Zoë D'Arcy" is "darcy zoe"."""
    return contacts.select(_words()).select(_joined()).to_series()


def _words() -> pl.Expr:
    both = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True)
    whole = pl.coalesce(pl.col("full_name"), both).str.replace(r"^([^,]+),(.+)$", "$2 $1")
    plain = whole.str.normalize("NFKD").str.to_lowercase()
    plain = plain.str.replace_all(r"[\p{M}'\u2019`\u00b4]", "").str.replace_all(_TITLES, " ")
    return plain.str.extract_all(r"[\p{L}\p{N}]+").alias("words")


def _joined() -> pl.Expr:
    # list.sort takes twice as long
    name = pl.col("words").list.eval(pl.element().sort()).list.join(" ")
    return pl.when(pl.col("words").list.len() > 0).then(name).alias("name")


def _initials() -> pl.Expr:
    """Return the first letters of a name's first and last word, in either order.

    Short forms, accents, middle names and most typing errors leave them as they are.
    """
    first, last = (
        word.str.slice(0, 1) for word in (pl.col("words").list.first(), pl.col("words").list.last())
    )
    return pl.when(first < last).then(first + last).otherwise(last + first).alias("initials")
