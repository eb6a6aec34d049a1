"""Whose a decision is: a contact's, an e-mail address's, or a person's whom several services know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, cast

import polars as pl

from crmlab.analysis.addresses import contact_addresses, with_contact_id
from crmlab.analysis.inputs import By, columns_of, names_of, read
from crmlab.analysis.parts import Range, height_of, lazily, ranges
from crmlab.errors import UsageError
from crmlab.schema import KEY, collected, first_mailbox

#: what a person is known by: the id of one service's account, or the e-mail address in all of them
Subject = Literal["contact", "email"]
#: whose decisions are asked for: those of a `Subject`, or of each person that `crmlab.analysis.people` returned
Whom = Subject | pl.DataFrame

_ACCOUNT = ("provider", "account")
#: what is read of each table that tells of decisions
_TOLD_IN = {
    "consent_events": (
        "provider", "account", "contact_id", "contact_hash", "contact_email", "channel", "purpose", "source", "kind",
        "opted_in", "step", "has_documentation", "valid_until", "occurred_at", "created_at",
    ),
    "subscriptions": ("provider", "account", "id", "contact_id", "channel", "address", "opted_in", "resource_id"),
    "contacts": (*KEY, "contact_hash", "emails", "do_not_contact"),
}  # fmt: skip
#: the column of each table that names the contact
_CONTACT_IN = {"consent_events": "contact_id", "subscriptions": "contact_id", "contacts": "id"}


def _check_subject(subject: Subject) -> None:
    """Refuse what is no `Subject`.

    Raises
    ------
    UsageError
        `subject` is neither "contact" nor "email".
    """
    if subject not in ("contact", "email"):
        raise UsageError(
            f"subject={subject!r}: give 'contact' (as each service knows it) or 'email' (across services)"
        )


def known_people(whom: Any) -> Whom:
    """Return people in memory, whatever frame they are given as; a `Subject` as it is.

    Raises
    ------
    UsageError
        It is a frame, and not what `crmlab.analysis.people` returns.
    """
    if isinstance(whom, str):
        return cast("Subject", whom)
    return read(whom, "people", *KEY, "person_id")


def contact_name(id: pl.Expr) -> pl.Expr:
    """Return "provider/account/id", null where there is no id. Reads provider, account."""
    provider = pl.col("provider").cast(pl.String).fill_null("")
    return pl.concat_str(provider, pl.col("account").fill_null(""), id, separator="/")


class Evidence(NamedTuple):
    """What tells of decisions: events, and what services keep as a state."""

    consent_events: Any
    subscriptions: Any = None
    contacts: Any = None

    def within(self, part: Range, kept: Sequence[str]) -> Evidence:
        """Return what is read of the rows of the contacts in a part, and the columns of the events that are kept."""
        if part.is_everything:
            return self
        frames = {}
        for name, frame in self._lazily().items():
            wanted = [*_TOLD_IN[name], *kept]
            columns = [column for column in columns_of(frame, name) if column in wanted]
            rows = frame.filter(part.holds(_contact_in(name))).select(columns)
            frames[name] = collected(rows, name)
        return Evidence(**frames)

    def parts(self) -> list[Range]:
        """Return the parts that these tables are to be read in; one, where a row names no contact.

        Whose such a row is may stand anywhere in the tables.
        """
        frames = self._lazily()
        for name, frame in frames.items():
            there = columns_of(frame, name)
            if not {*_ACCOUNT, _CONTACT_IN[name]} <= set(there):
                return [Range()]
        found = ranges((frame, [_contact_in(name)]) for name, frame in frames.items())
        if len(found) == 1:
            return found
        for name, frame in frames.items():
            nameless = frame.select(pl.col(_CONTACT_IN[name]).is_null().any())
            if nameless.collect(engine="streaming").item():
                return [Range()]
        return found

    def _lazily(self) -> dict[str, pl.LazyFrame]:
        given = self._asdict().items()
        return {name: lazily(frame, name) for name, frame in given if frame is not None}


def in_parts(evidence: Evidence, whom: Whom, by: By = None) -> Iterator[Evidence]:
    """Yield what tells of decisions, large tables in parts: each with all rows of its subjects, in their order.

    Parted is by contact. So what is asked of others than contacts comes whole. `by` names columns that are read, too.
    """
    if not isinstance(whom, str) or whom != "contact":
        yield evidence
        return
    for part in evidence.parts():
        yield evidence.within(part, names_of(by))


#: what answers a question about some people, of their activities and events
AnswerOfPart = Callable[[Any, Any, pl.DataFrame], pl.DataFrame]


def of_people_in_parts(
    answer: AnswerOfPart, activities: Any, consent_events: Any, people: Any, *, has_contacts: bool
) -> list[pl.DataFrame] | None:
    """Return what `answer` says of one part of the people after the other; None where they are to be taken at once.

    That is where there are few rows, or where it takes all of them to tell whose an event is: it names no contact, or
    one that `people` does not know while there are contacts in which its address may be found.
    """
    frames = {
        "activities": lazily(activities, "activities"),
        "consent_events": lazily(consent_events, "consent_events"),
    }
    known = lazily(people, "people")
    for name, frame in frames.items():
        if not {*_ACCOUNT, "contact_id"} <= set(columns_of(frame, name)):
            return None
    if not {*KEY, "person_id"} <= set(columns_of(known, "people")):
        return None
    heights = {name: height_of(frame) for name, frame in frames.items()}
    parts = ranges([(known, ["person_id"])], rows=sum(heights.values()) + height_of(known))
    events = frames["consent_events"]
    is_nameless = pl.col("contact_id").is_null().any()
    if len(parts) == 1 or events.select(is_nameless).collect(engine="streaming").item():
        return None

    found = []
    told = 0
    for part in parts:
        who = collected(known.select(*KEY, "person_id").filter(part.holds("person_id")), "people")
        of_part = collected(_of_contacts_in(events.select(_columns(events)), who), "consent_events")
        told += of_part.height
        found.append(answer(_of_contacts_in(frames["activities"], who), of_part, who))
    if has_contacts and told < heights["consent_events"]:
        return None
    return found


def _columns(consent_events: pl.LazyFrame) -> list[str]:
    wanted = {*_TOLD_IN["consent_events"], "id"}
    return [name for name in columns_of(consent_events, "consent_events") if name in wanted]


def _of_contacts_in(rows: pl.LazyFrame, who: pl.DataFrame) -> pl.LazyFrame:
    """Return the rows of the contacts of some people."""
    left, right = (
        [pl.col(name).cast(pl.String) for name in (*_ACCOUNT, id)] for id in ("contact_id", "id")
    )
    return rows.join(who.lazy(), left_on=left, right_on=right, how="semi")


def _contact_in(table: str) -> pl.Expr:
    return contact_name(pl.col(_CONTACT_IN[table]).cast(pl.String))


def with_person(frame: pl.DataFrame, people: pl.DataFrame, id: str = "contact_id") -> pl.DataFrame:
    """Return `frame` with the person_id of the contact that each row names, null where it is not known.

    Raises
    ------
    UsageError
        `people` is not what `crmlab.analysis.people` returns.
    """
    known = read(people, "people", *KEY, "person_id")
    keys = known.select(*_ACCOUNT, pl.col("id").alias(id), "person_id")
    return frame.join(keys, on=[*_ACCOUNT, id], how="left", maintain_order="left")


def with_subject(
    rows: pl.DataFrame, whom: Whom, address: pl.Expr, contacts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the rows with `subject` (String): whom each is about, null where nobody can be told.

    A row that names an address or a mark and no contact is about the contact of its account that has it, in another row
    or among `contacts`. Where no contact has it, the address or mark itself is whom it is about.

    Parameters
    ----------
    rows
        Reads provider, account, contact_id, opted_in, and contact_hash where it is there.
    whom
        ``"contact"``: "provider/account/id". ``"email"``: the address of the row, or else the first of its contact, or
        else the contact. People: the person_id of the contact, or else of whoever has the address in any service.
    address
        The `crmlab.schema.mailbox` of a row.
    contacts
        Reads provider, account, id, emails, and contact_hash where it is there.

    Raises
    ------
    UsageError
        `whom` is not known.
    """
    if not isinstance(whom, pl.DataFrame):
        _check_subject(whom)
    named = with_contact_id(rows, address, contacts)
    if isinstance(whom, pl.DataFrame):
        return _with_people(named, whom, address, contacts)
    if whom == "email":
        return _with_address(named, address, contacts)
    # an address is read where no contact is named: reading all of them takes long
    id = pl.col("contact_id")
    if named["contact_id"].has_nulls():
        marks = ["contact_hash"] if "contact_hash" in named.columns else []
        id = pl.coalesce("contact_id", address, *marks)
    return named.with_columns(contact_name(id).alias("subject"))


def _with_address(
    rows: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None
) -> pl.DataFrame:
    name = contact_name(pl.col("contact_id"))
    if contacts is None:
        return rows.with_columns(pl.coalesce(address, name).alias("subject"))
    first = first_addresses(contacts).rename({"address": "first_address"})
    known = rows.join(first, on=[*_ACCOUNT, "contact_id"], how="left", maintain_order="left")
    return known.with_columns(pl.coalesce(address, "first_address", name).alias("subject")).drop(
        "first_address"
    )


def first_addresses(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return provider, account, contact_id and the first e-mail address of each contact."""
    first = first_mailbox(pl.col("emails")).alias("address")
    return contacts.select(*_ACCOUNT, pl.col("id").alias("contact_id"), first).unique(
        [*_ACCOUNT, "contact_id"]
    )


def _with_people(
    rows: pl.DataFrame, people: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None
) -> pl.DataFrame:
    found = with_person(rows, people).rename({"person_id": "subject"})
    nobody = pl.col("subject").is_null()
    if contacts is None or not found["subject"].has_nulls():
        return found
    whose = with_person(contact_addresses(contacts), people, "id").select(
        "address", pl.col("person_id").alias("subject")
    )
    whose = whose.drop_nulls().unique().with_columns(shared=pl.len().over("address") > 1)
    lost = found.filter(nobody).drop("subject").with_columns(address.alias("named"))
    matched = lost.join(whose, left_on="named", right_on="address", how="left")
    # a refusal by a shared address is everybody's who has it, and a consent is nobody's
    is_guess = (pl.col("shared") & pl.col("opted_in")).fill_null(value=False)
    matched = matched.with_columns(pl.when(~is_guess).then("subject").alias("subject"))
    return pl.concat([found.filter(~nobody), matched.select(found.columns)])
