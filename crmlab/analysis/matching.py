"""What contacts have in common: e-mail addresses and telephone numbers in one spelling, and whose they are.

An address or number that one person has tells who is who; one that an office has does not. Which it
is shows in the names of the contacts that have it, so names are compared here, but are never evidence
by themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.errors import UsageError
from crmlab.schema import KEY, mailboxes

__all__ = ["evidence", "evidence_left_out", "evidence_links"]

_EVIDENCE = (*KEY, "kind", "value", "name", "contacts", "names", "shared")
_READ = (*KEY, "full_name", "first_name", "last_name", "emails", "phones")
#: of each kind of evidence, the column of contacts that holds it
_COLUMNS = {"email": "emails", "phone": "phones"}

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
#: why a value links only contacts of the same name; where there is another reason it links nobody
_OF_SAME_NAME = ("role address", "many names")
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
        One row for each contact and value, in the order of the contacts: provider (String), account, id, kind
        (``"email"``, ``"phone"``), value (String; in one spelling, or as written where it could not be read), name
        (String, the contact's words of name, sorted), contacts, names (Int64, of that value), shared (String; why
        the value is no evidence: ``"role address"``, ``"many names"``, ``"everybody's"``, ``"not read"``; null: it
        is).

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
    rules = Rules(
        region=region,
        plus_addressing=plus_addressing,
        roles=frozenset(roles),
        names_per_email=names_per_email,
        names_per_phone=names_per_phone,
        names_per_office=names_per_office,
    )
    keys, known = numbered(contacts)
    named = known.with_columns(_words()).with_columns(_joined(), _initials())
    found = []
    for kind, column in _COLUMNS.items():
        values = _values(named.select("row", "name", "initials", column), kind, rules)
        # what stands twice in a contact, in two spellings, is one
        values = values.with_columns(
            pl.col("value").is_null().alias("unread"),
            pl.coalesce("value", "written").alias("value"),
        )
        values = values.drop("written").unique()
        each = values.group_by("value").agg(
            pl.len().alias("contacts"), _NAMES, pl.col("unread").any()
        )
        each = each.with_columns(pl.lit(kind).alias("kind"), _why_shared(kind, rules))
        found.append(values.drop("unread", "initials").join(each.drop("unread"), on="value"))
    whole = pl.concat(found).sort("row", "kind", "value")
    whole = whole.with_columns(keys[name].gather(whole["row"]) for name in KEY)
    return whole.with_columns(pl.col("contacts", "names").cast(pl.Int64)).select(_EVIDENCE)


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
    keys, row = _in_order(evidence.select(KEY))
    rows = evidence.with_columns(row)
    of_a_name = pl.col("name").is_not_null()
    # a mailbox is one person's even where no name is given; a telephone may stand on a shared table
    own = rows.filter(pl.col("shared").is_null() & (of_a_name | (pl.col("kind") == "email")))
    of_same_name = rows.filter(pl.col("shared").is_in(_OF_SAME_NAME) & of_a_name)
    pairs = pl.concat(
        [_to_the_first(own, "kind", "value"), _to_the_first(of_same_name, "kind", "value", "name")]
    )
    firsts = keys.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("first_row"),
        *(pl.col(name).alias(f"other_{name}") for name in KEY),
    )
    because = pl.when(pl.col("shared").is_null()).then(pl.lit("own")).otherwise(pl.lit("same name"))
    return (
        pairs.join(firsts, on="first_row")
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


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes evidence: the options of `crmlab.analysis.people`.

    Raises
    ------
    UsageError
        A threshold is below 1.
    """

    region: str | None
    plus_addressing: bool
    roles: frozenset[str]
    names_per_email: int
    names_per_phone: int
    names_per_office: int

    def __post_init__(self) -> None:
        if min(self.names_per_email, self.names_per_phone, self.names_per_office) < 1:
            raise UsageError(
                "names_per_email, names_per_phone and names_per_office are 1 or more: give larger numbers"
            )


def numbered(contacts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the keys of contacts in their order, and what is read of contacts, with the `row` of their key.

    Numbers take the place of keys from here on: three texts for each contact and value would be most of the memory.
    """
    known = read(contacts, "contacts", *_READ)
    keys, row = _in_order(known.select(KEY))
    return keys, known.drop(KEY).with_columns(row)


def links(contacts: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return which contacts evidence connects: `row` of each, and `first_row` of the first that has the same value.

    Parameters
    ----------
    contacts
        As `numbered` returns them.
    rules
        What makes evidence.
    """
    people = contacts.lazy().with_row_index("contact").with_columns(_words())
    people = people.select("contact", "row", "emails", "phones", _initials())
    initials = people.collect(engine="streaming")
    pairs = []
    for kind, column in _COLUMNS.items():
        having = initials.select("contact", "row", "initials", column)
        if kind == "phone":  # it may stand on a shared table: nobody's where no name is given
            having = having.drop_nulls("initials")
        values = _values(having, kind, rules).drop("written").drop_nulls("value").lazy()
        each = values.group_by("value").agg(
            "contact", "row", pl.col("row").min().alias("first_row"), _NAMES
        )
        unread = pl.lit(value=False).alias("unread")
        each = each.with_columns(unread).with_columns(_why_shared(kind, rules))
        found = each.collect(engine="streaming")
        own = found.filter(pl.col("shared").is_null()).select("row", "first_row").explode("row")
        pairs.append(own.filter(pl.col("row") != pl.col("first_row")))
        of_same_name = found.filter(pl.col("shared").is_in(_OF_SAME_NAME))
        pairs.append(_of_same_name(of_same_name, contacts))
    return pl.concat(pairs)


def _of_same_name(shared: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of contacts that have both a shared value and a whole name in common."""
    rows = shared.select("value", "contact", "row").explode("contact", "row")
    names = name_words(contacts[rows["contact"]])
    named = rows.with_columns(names).drop_nulls("name")
    return _to_the_first(named, "value", "name").select("row", "first_row")


def _to_the_first(rows: pl.DataFrame, *same: str) -> pl.DataFrame:
    """Return the rows that are not the first of those with the same values, with its number as `first_row`."""
    first = pl.col("row").min().over(same).alias("first_row")
    return rows.with_columns(first).filter(pl.col("row") != pl.col("first_row"))


def _in_order(keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return different keys in their order, and for each of the given ones the `row` that it has there."""
    texts = keys.select(pl.col("provider").cast(pl.String), "account", "id")
    sorted_keys = texts.with_row_index("place").sort(KEY)
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in KEY)
    # before the first stands nothing, which is no key, though all of one may be null
    is_new = is_new | (pl.int_range(pl.len()) == 0)
    row = (is_new.cum_sum() - 1).cast(pl.UInt32).alias("row")
    placed = sorted_keys.with_columns(is_new.alias("is_new"), row)
    different = placed.filter("is_new").select(KEY)
    return different, placed.select("place", "row").sort("place")["row"]


def _values(people: pl.DataFrame, kind: str, rules: Rules) -> pl.DataFrame:
    """Return each address or number of contacts: as it is `written`, and its `value` in one spelling, or null."""
    from crmlab.analysis.phone import e164  # noqa: PLC0415  # its metadata are loaded when they are needed

    rows = people.rename({_COLUMNS[kind]: "written"}).lazy().explode("written")
    rows = rows.filter(pl.col("written").str.strip_chars() != "")
    if kind == "phone":
        written = rows.collect(engine="streaming")
        return written.with_columns(e164(written["written"], rules.region).alias("value"))
    rows = rows.with_columns(mailboxes(pl.col("written")).alias("value"))
    rows = rows.explode("value", empty_as_null=True)
    if rules.plus_addressing:
        rows = rows.with_columns(pl.col("value").str.replace(r"\+[^@]*@", "@"))
    return rows.collect(engine="streaming")


def _why_shared(kind: str, rules: Rules) -> pl.Expr:
    """Return why a value is no evidence, by how many names have it; null where it is one person's."""
    names_per_value = rules.names_per_phone
    of_a_role = pl.lit(value=False)
    if kind == "email":
        names_per_value = rules.names_per_email
        roles = sorted(rules.roles)
        mailbox = pl.col("value").str.extract(r"^([^@+]+)")
        first_word = pl.col("value").str.extract(r"^([^@+._\d-]+)")
        of_a_role = mailbox.is_in(roles) | first_word.is_in(roles)
    return (
        pl.when("unread")
        .then(pl.lit("not read"))
        .when(pl.col("names") > rules.names_per_office)
        .then(pl.lit("everybody's"))
        .when(of_a_role)
        .then(pl.lit("role address"))
        .when(pl.col("names") > names_per_value)
        .then(pl.lit("many names"))
        .alias("shared")
    )


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


#: how many different names have a value, by their initials; who has no name counts as none
_NAMES = (
    pl.col("initials").n_unique().cast(pl.Int64) - pl.col("initials").is_null().any().cast(pl.Int64)
).alias("names")
