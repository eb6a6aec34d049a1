"""What tells of decisions, a part of the contacts, addresses or people at a time: see `crmlab.analysis.parts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl
from polars import selectors

from crmlab.analysis.inputs import By, columns_of, names_of
from crmlab.analysis.parts import (
    OWN_TEXTS,
    Range,
    fits_a_part,
    height_of,
    lazily,
    part_collected,
    ranges,
    taken_in_parts,
)
from crmlab.analysis.subjects import ACCOUNT, Subject, Whom, contact_name
from crmlab.schema import KEY, collected, mailbox

#: what is read of each table that tells of decisions
_TOLD_IN = {
    "consent_events": (
        "provider", "account", "contact_id", "contact_hash", "contact_email", "channel", "purpose", "source", "kind",
        "opted_in", "step", "has_documentation", "valid_until", "occurred_at", "created_at",
    ),
    "subscriptions": ("provider", "account", "id", "contact_id", "channel", "address", "opted_in", "resource_id"),
    "contacts": (*KEY, "contact_hash", "emails", "do_not_contact"),
}  # fmt: skip
#: what is read of them where it is asked what was done with people, beside the id of the row
_TOLD_OF_PEOPLE = {
    **_TOLD_IN,
    "activities": (*ACCOUNT, "contact_id", "kind", "mailing", "starts_at", "created_at"),
}
#: texts that are read only where a row names no contact
_IN_PLACE_OF_CONTACT = {
    "consent_events": ("contact_hash", "contact_email"),
    "subscriptions": ("address",),
    "contacts": ("contact_hash",),
}
#: the column of each table that names the contact
_CONTACT_IN = {
    "consent_events": "contact_id",
    "subscriptions": "contact_id",
    "activities": "contact_id",
    "contacts": "id",
}
#: tables of which a row may name an address in the place of a contact
_ADDRESSED = ("consent_events", "subscriptions")


class Evidence(NamedTuple):
    """What tells of decisions: events, and what services keep as a state."""

    consent_events: Any
    subscriptions: Any = None
    contacts: Any = None

    def within(
        self, part: Range, whom: Subject, kept: Sequence[str], *, are_plain: bool = False
    ) -> Evidence:
        """Return what is read of the rows of the subjects in a part, and the columns of the events that are kept.

        `are_plain`: what `has_plain_names` returned.
        """
        frames = {}
        for name, frame in self._lazily().items():
            wanted = [*_TOLD_IN[name], *kept]
            dtypes = frame.collect_schema()
            unread = []
            # all rows name their contact, or there would be no parts
            if whom == "contact":
                texts = [text for text in _IN_PLACE_OF_CONTACT[name] if text not in kept]
                unread = [text for text in texts if dtypes.get(text) == pl.String]
            columns = [column for column in dtypes if column in wanted and column not in unread]
            of_part = frame.filter(_is_in(part, name, whom, are_plain=are_plain)).select(columns)
            nothing = [pl.lit(None, pl.String).alias(text) for text in unread]
            frames[name] = part_collected(of_part, name).with_columns(nothing)
        return Evidence(**frames)

    def has_plain_names(self, whom: Subject) -> bool:
        """Return whether each row names its subject as it is: then whose it is, is told in a third of the time."""
        for frame in self._lazily().values():
            if whom == "email":
                address = pl.col("contact_email").cast(pl.String)
                is_other = address.ne_missing(mailbox(address))
            else:
                # two names are then alike only where provider, account and id are
                texts = [pl.col(column).cast(pl.String) for column in ACCOUNT]
                is_other = pl.any_horizontal(text.str.contains("/", literal=True) for text in texts)
            if frame.select(is_other.any()).collect(engine="streaming").item():
                return False
        return True

    def parts(self, whom: Subject) -> list[Range]:
        """Return the parts that these tables are to be read in; one, where a row names nobody.

        Whose such a row is may stand anywhere in the tables.
        """
        frames = self._lazily()
        address = ["contact_email"] if whom == "email" else []
        for name, frame in frames.items():
            # what is missing is refused where it is read
            if not {*ACCOUNT, _CONTACT_IN[name], *address} <= set(columns_of(frame, name)):
                return [Range()]
        part_ranges = ranges((frame, [_subject_in(name, whom)]) for name, frame in frames.items())
        if len(part_ranges) == 1:
            return part_ranges
        for name, frame in frames.items():
            without_contact = frame.filter(pl.col(_CONTACT_IN[name]).is_null())
            is_nameless = _subject_in(name, whom).is_null()
            if without_contact.select(is_nameless.any()).collect(engine="streaming").item():
                return [Range()]
        return part_ranges

    def _lazily(self) -> dict[str, pl.LazyFrame]:
        frames = {}
        for name, frame in self._asdict().items():
            if frame is not None:
                frames[name] = lazily(frame, name)
        return frames


def in_parts(evidence: Evidence, whom: Whom, by: By = None) -> Iterator[Evidence]:
    """Yield what tells of decisions, large tables in parts: each with all rows of its subjects, in their order.

    Parted is by contact, and events alone by address, too: a contact has several, so that whose a subscription is may
    stand in another part. What is asked of people comes whole. `by` names columns that are read, too.
    """
    events_alone = evidence.subscriptions is None and evidence.contacts is None
    may_be_parted = whom == "contact" or (whom == "email" and events_alone)
    if not isinstance(whom, str) or not may_be_parted:
        yield evidence
        return
    parts = evidence.parts(whom)
    if len(parts) == 1:
        yield evidence
        return
    are_plain = evidence.has_plain_names(whom)

    def take(some: Evidence, part: Range) -> Evidence:
        return some.within(part, whom, names_of(by), are_plain=are_plain)

    yield from taken_in_parts(evidence, parts, take)


#: what answers a question about some people, of their rows of each table
AnswerOfPart = Callable[[Mapping[str, Any], pl.DataFrame], pl.DataFrame]


def of_people_in_parts(
    answer: AnswerOfPart,
    tables: Mapping[str, Any],
    people: Any,
    *,
    wanted: Mapping[str, pl.Expr],
    has_contacts: bool,
) -> list[pl.DataFrame] | None:
    """Return what `answer` says of one part of the people after the other; None where they are to be taken at once.

    That is where there are few rows, or where it takes all of them to tell whose an event or a subscription is: it
    names no contact, or one that `people` does not know while there are contacts in which its address may be found.
    `wanted` says of tables which rows are read: the others, of named contacts, would change nothing in the answer.
    """
    frames = {name: lazily(frame, name) for name, frame in tables.items()}
    all_people = lazily(people, "people")
    for name, frame in frames.items():
        if not _has_columns(frame, name, *ACCOUNT, _CONTACT_IN[name]):
            return None
    if not _has_columns(all_people, "people", *KEY, "person_id"):
        return None
    people_height = height_of(all_people)
    row_total = people_height + sum(height_of(frame) for frame in frames.values())
    if fits_a_part(row_total):
        return None
    # what is wrong with a table is said before its rows are told apart
    heads = {name: frame.head(0) for name, frame in frames.items()}
    person_ids = all_people.select(*KEY, "person_id")
    answer(heads, collected(person_ids.head(0), "people"))
    all_contacts = frames.get("contacts")
    # times in different zones cannot be compared
    in_utc = selectors.datetime(time_zone="*").dt.convert_time_zone("UTC")
    for name, is_wanted in wanted.items():
        frames[name] = frames[name].with_columns(in_utc).filter(is_wanted)
    addressed = [name for name in _ADDRESSED if name in frames]
    if any(_has_nameless(frames[name]) for name in addressed):
        return None
    heights = {name: height_of(frame) for name, frame in frames.items()}
    rows_read = people_height + sum(heights.values())
    if fits_a_part(rows_read):
        # contacts that tell whose an address is come whole
        if all_contacts is not None:
            frames["contacts"] = all_contacts
        return [answer(frames, collected(person_ids, "people"))]

    parts = ranges([(all_people, ["person_id"])], rows=rows_read)
    answers = []
    told_rows = 0
    whole: Mapping[str, Any] = {"people": person_ids, **frames}
    for of_part in taken_in_parts(whole, parts, _of_people_in):
        told_rows += sum(of_part[name].height for name in addressed)
        answers.append(answer(of_part, of_part["people"]).with_columns(OWN_TEXTS))
    # the others' addresses may be found among all contacts
    if has_contacts and told_rows < sum(heights[name] for name in addressed):
        return None
    return answers


def _has_columns(frame: pl.LazyFrame, argument: str, *columns: str) -> bool:
    return {*columns} <= set(columns_of(frame, argument))


def _has_nameless(frame: pl.LazyFrame) -> bool:
    """Return whether a row names no contact."""
    is_nameless = pl.col("contact_id").is_null().any()
    return bool(frame.select(is_nameless).collect(engine="streaming").item())


def _of_people_in(tables: Mapping[str, Any], part: Range) -> Mapping[str, pl.DataFrame]:
    """Return the people in a part, and what is read of the rows of their contacts."""
    people_in_part = tables["people"].lazy().filter(part.holds("person_id"))
    people = part_collected(people_in_part, "people")
    people_keys = _text_keys("id")
    of_part = {"people": people}
    for name, frame in tables.items():
        if name == "people":
            continue
        wanted = {*_TOLD_OF_PEOPLE[name], "id"}
        columns = [column for column in columns_of(frame, name) if column in wanted]
        rows = frame.lazy().select(columns)
        own_keys = _text_keys(_CONTACT_IN[name])
        of_contacts = rows.join(people.lazy(), left_on=own_keys, right_on=people_keys, how="semi")
        of_part[name] = part_collected(of_contacts, name)
    return of_part


def _text_keys(id: str) -> list[pl.Expr]:
    # tables of other origins have plain text where ours have categories
    return [pl.col(name).cast(pl.String) for name in (*ACCOUNT, id)]


def _subject_in(table: str, whom: Subject) -> pl.Expr:
    """Return whom a row that names somebody is about, as `with_subject` says."""
    name = contact_name(pl.col(_CONTACT_IN[table]).cast(pl.String))
    if whom == "email":
        return pl.coalesce(mailbox(pl.col("contact_email").cast(pl.String)), name)
    return name


def _is_in(part: Range, table: str, whom: Subject, *, are_plain: bool) -> pl.Expr:
    """Return whether the subject of a row that names somebody is in a part."""
    if not are_plain:
        return part.holds(_subject_in(table, whom))
    contact_id = _CONTACT_IN[table]
    if whom == "email":
        name = contact_name(pl.col(contact_id).cast(pl.String))
        return part.holds(pl.coalesce(pl.col("contact_email").cast(pl.String), name))
    # most parts lie within one account, so that no names need to be put together
    start, end = _keys_of_name(part.start), _keys_of_name(part.end)
    if start and end and start[:-1] == end[:-1]:
        return Range(start, end).holds(*ACCOUNT, contact_id)
    return part.holds(_subject_in(table, whom))


def _keys_of_name(bound: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return provider, account and id of a bound that is a `contact_name`; None of what is none."""
    keys = tuple(bound[0].split("/", 2)) if bound else ()
    return keys if len(keys) == 3 else None
