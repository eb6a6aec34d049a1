"""The shared schema: one `Table` per kind of record, said once.

Every frame that `crmlab.fetch` returns has exactly the columns and dtypes declared here, in this
order, whichever services filled it. `provider`, `account` and `id` are the key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

UTC = pl.Datetime("us", "UTC")
TEXTS = pl.List(pl.String)
#: custom fields, as the vendor keys and labels them; the value as text
CUSTOM = pl.List(pl.Struct({"key": pl.String, "label": pl.String, "value": pl.String}))


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its dtype, what it says, and whether it identifies a person.

    `words` are those that analyses look for in it. `other_words` says whether it may hold further ones, which are
    then counted as they are and mean nothing more.
    """

    dtype: pl.DataType
    doc: str
    personal: bool = False
    words: tuple[str, ...] = ()
    other_words: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of record. `window` names the times that `since` and `until` bound (first non-null).

    `is_event`: a row is something that happened or was counted, so it stays true when the service keeps it no longer.
    """

    name: str
    doc: str
    columns: Mapping[str, Column]
    window: tuple[str, ...] = ()
    is_event: bool = False

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)


KEY = ("provider", "account", "id")
_text = pl.String()
_texts = TEXTS
_number = pl.Float64()
_count = pl.Int64()
_flag = pl.Boolean()
_date = pl.Date()
_time = UTC

_HEAD: dict[str, Column] = {
    # one of a few words in every row: as categories they take little memory, and group fast
    "provider": Column(pl.Categorical(), "service the row came from"),
    "account": Column(_text, "account the row came from, as the user named it"),
    "id": Column(_text, "the service's own id"),
    "created_at": Column(_time, "UTC; null where the service gives none"),
    "modified_at": Column(_time, "UTC; null where the service gives none"),
}
_ADDRESS: dict[str, Column] = {
    "street": Column(_text, "street and number", personal=True),
    "city": Column(_text, "city", personal=True),
    "state": Column(_text, "state or region", personal=True),
    "zip_code": Column(_text, "postal code", personal=True),
    "country": Column(_text, "country, as the service words it (OnePageCRM: ISO code)"),
}
_CUSTOM_FIELDS = {
    "custom": Column(CUSTOM, "custom fields: key, label, value as text", personal=True)
}


_Declared = Column | tuple[pl.DataType, str] | tuple[pl.DataType, str, bool]


def _columns(*parts: Mapping[str, Column], **columns: _Declared) -> dict[str, Column]:
    all_columns = dict(_HEAD)
    for name, declared in columns.items():
        if isinstance(declared, Column):
            all_columns[name] = declared
        else:
            all_columns[name] = Column(*declared)
    # what tables have in common stands behind what each is about
    for part in parts:
        all_columns |= part
    return all_columns


def _one_of(doc: str, words: tuple[str, ...]) -> Column:
    """Return a column of text that holds one of these words."""
    return Column(_text, doc, words=words)


def _often(doc: str, words: tuple[str, ...]) -> Column:
    """Return a column of text in which analyses look for these words, and which may hold others."""
    return Column(_text, doc, words=words, other_words=True)


_CHANNELS = ("email", "sms", "phone", "letter", "push")
_WORK = ("action", "note", "call", "meeting", "event")
_SUBSCRIBED = (
    "subscribed",
    "unsubscribed",
    "complained",
    "unconfirmed",
    "hardbounced",
    "suspended",
    "invalid",
)

#: the third part of a declared column: it identifies a person, or is what a person said
_PERSONAL = True
#: of what changes, the last change counts: who fetches since a day wants what is new in it
_OBJECT = ("modified_at", "created_at")

#: what tags, sources and statuses have in common: they are words that contacts carry
_LABEL = _columns(
    name=(_text, "label"),
    count=(_count, "contacts that carry it; null where not counted"),
    colour=(_text, "hex colour without #"),
)

_ALL = (
    Table(
        name="contacts",
        doc="People: customers, prospects, consent givers, mailing profiles.",
        window=_OBJECT,
        columns=_columns(
            _ADDRESS,
            _CUSTOM_FIELDS,
            full_name=(_text, "as given, or first and last name joined", _PERSONAL),
            first_name=(_text, "first name", _PERSONAL),
            last_name=(_text, "last name", _PERSONAL),
            job_title=(_text, "position in the company"),
            company_id=(_text, "company, where the service links one"),
            company_name=(_text, "company as written on the contact"),
            emails=(_texts, "e-mail addresses, as written", _PERSONAL),
            phones=(_texts, "telephone numbers, as written", _PERSONAL),
            language=(_text, "language, as the service words it"),
            tags=(_texts, "tags"),
            groups=(_texts, "groups"),
            status=(_text, "status label"),
            lead_source=(_text, "where the contact came from"),
            owner_id=(_text, "user who owns the contact"),
            do_not_contact=(_flag, "true: must not be mailed; null: the service does not say"),
            contact_hash=(
                _text,
                "the service's short mark of the contact, by which its events name it",
                _PERSONAL,
            ),
        ),
    ),
    Table(
        name="companies",
        doc="Organisations that contacts belong to.",
        window=_OBJECT,
        columns=_columns(
            _ADDRESS,
            _CUSTOM_FIELDS,
            name=(_text, "name"),
            url=(_text, "web site"),
            phone=(_text, "telephone number, which may be that of a person", _PERSONAL),
            description=(_text, "what the users wrote about it", _PERSONAL),
            contacts_count=(_count, "contacts"),
            won_deals_count=(_count, "won deals"),
            won_amount=(_number, "sum of won deals, account currency"),
            pending_deals_count=(_count, "pending deals"),
            pending_amount=(_number, "sum of pending deals, account currency"),
        ),
    ),
    Table(
        name="deals",
        doc="Sales opportunities.",
        window=_OBJECT,
        columns=_columns(
            _CUSTOM_FIELDS,
            name=(_text, "name, often with that of a person", _PERSONAL),
            contact_id=(_text, "primary contact"),
            contact_name=(_text, "primary contact, as written on the deal", _PERSONAL),
            linked_contact_ids=(_texts, "further contacts"),
            company_name=(_text, "company, as written on the deal"),
            owner_id=(_text, "user who owns the deal"),
            owner_name=(_text, "name of that user", _PERSONAL),
            pipeline_id=(_text, "pipeline"),
            stage=(_count, "position in the pipeline, 0-100"),
            stage_label=(_text, "name of that stage; null when the pipeline no longer has it"),
            stage_probability=(
                _number,
                "0-1, where the service means its stages so; null: it does not",
            ),
            status=_one_of("what became of the deal", ("pending", "won", "lost")),
            amount=(_number, "per month for deals of several months"),
            months=(_count, "number of months"),
            total_amount=(_number, "amount x months"),
            cost=(_number, "cost"),
            margin=(_number, "amount less cost"),
            currency=(_text, "ISO 4217; the account's, where the service keeps one currency"),
            opened_on=(
                _date,
                "day the deal began, as its users date it: of deals brought from elsewhere it lies before created_at",
            ),
            expected_close_date=(_date, "pending deals"),
            close_date=(_date, "won and lost deals"),
            lost_reason_id=(_text, "reason of a lost deal"),
            lost_reason=(_text, "what the service calls that reason; null where it does not say"),
        ),
    ),
    Table(
        name="deal_items",
        doc="Products on deals.",
        window=_OBJECT,
        columns=_columns(
            deal_id=(_text, "the deal"),
            name=(_text, "product"),
            predefined_item_id=(_text, "product of the catalogue, where it was taken from there"),
            quantity=(_number, "quantity"),
            price=(_number, "price of one"),
            cost=(_number, "cost of one"),
            amount=(_number, "price x quantity, as the service gives it"),
        ),
    ),
    Table(
        name="stages",
        doc="Stages of the sales pipelines, in order.",
        columns=_columns(
            pipeline_id=(_text, "pipeline"),
            pipeline_name=(_text, "name of the pipeline"),
            stage=(_count, "0-100, what deals carry"),
            label=(_text, "name of the stage"),
            position=(_count, "0-based order within the pipeline"),
            is_default=(_flag, "the account's default pipeline"),
        ),
    ),
    Table(
        name="activities",
        doc="What was or will be done: actions, notes, calls, meetings, appointments, mailings.",
        window=_OBJECT,
        columns=_columns(
            kind=_often(
                "what was done; of a mailing, the service's word for what became of it", _WORK
            ),
            type=(_text, "the service's own kind of an appointment"),
            label=(_text, "what its users call it: Lunch"),
            contact_id=(_text, "the contact, where the service links one"),
            contact_emails=(_texts, "e-mail addresses of the people concerned", _PERSONAL),
            deal_id=(_text, "the deal, where the service links one"),
            owner_id=(_text, "user it is assigned to"),
            user_emails=(_texts, "e-mail addresses of the users who take part", _PERSONAL),
            author=(_text, "who recorded it, as written", _PERSONAL),
            subject=(_text, "one line", _PERSONAL),
            body=(_text, "text", _PERSONAL),
            status=(_text, "the service's own word (asap, date, open, ...)"),
            result=(_text, "result of a call, as the service keys it"),
            result_label=(_text, "what the service shows for that result"),
            place=(_text, "place of a meeting"),
            dated_on=(
                _date,
                "day that its author gave it: of notes brought from elsewhere it lies before created_at",
            ),
            starts_at=(_time, "UTC; when it happens or happened"),
            ends_at=(_time, "UTC"),
            due_on=(_date, "day an action is due"),
            done=(_flag, "completed; null where the service does not say"),
            done_at=(_date, "day of completion"),
            all_day=(_flag, "lasts the whole day"),
            recurrence=(_text, "RFC 5545 rule of an appointment that repeats"),
            series_id=(
                _text,
                "what repeats: the id of its first row; null: it does not, or its rule could not be written out",
            ),
            campaign_id=(_text, "campaign of a mailing event"),
            contact_hash=(
                _text,
                "the service's short mark of the contact, the same wherever it names it",
                _PERSONAL,
            ),
            count=(
                _count,
                "how often it happened: an event of a mailing may stand for several; null: once",
            ),
            mailing=_one_of(
                "what happened to a mailing; null: the row is no mailing, or the service's word is not known",
                ("sent", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed"),
            ),
        ),
    ),
    Table(
        name="consent_events",
        doc="What people said about being contacted, and the proof of it.",
        window=("occurred_at", "modified_at", "created_at"),
        is_event=True,
        columns=_columns(
            kind=(_text, "the service's own word for what the person or the service did"),
            contact_id=(_text, "the person, in that service"),
            contact_email=(_text, "first e-mail address of the person", _PERSONAL),
            contact_hash=(
                _text,
                "the service's short mark of the person, the same wherever it names it",
                _PERSONAL,
            ),
            channel=_often("what it was said about; null where the event names none", _CHANNELS),
            purpose=(
                _text,
                "what for, such as marketing; null where none is named; a decision is about one of them",
            ),
            source=(_text, "where it was said: form, campaign, resource"),
            occurred_at=(_time, "UTC"),
            opted_in=(
                _flag,
                "what was decided about that channel and purpose: true is yes, false is no, null decides nothing",
            ),
            valid_until=(
                _time,
                "UTC; when a yes ends by itself; null: it was given without an end, or is no yes",
            ),
            step=_one_of(
                "its place in a double opt-in; null: it has none", ("request", "confirmation")
            ),
            has_documentation=(
                _flag,
                "a proof document exists; null where the service does not say",
            ),
        ),
    ),
    Table(
        name="consent_statistics",
        doc="Banner statistics per day. Counts are of visitors unless the name says otherwise.",
        window=(),
        is_event=True,
        columns=_columns(
            day=(_date, "day, as the service counts it"),
            banner_id=(_text, "banner"),
            device=(_text, "device filter; null: all"),
            location=(_text, "location filter; null: all"),
            visitors_exposed=(_count, "visitors who saw the banner"),
            banner_views=(_count, "views of the banner"),
            optin=(_count, "visitors who accepted at least one category"),
            optout=(_count, "visitors who refused"),
            explicit_optin=(_count, "visitors who accepted by a click"),
            optin_all=(_count, "visitors who accepted all categories"),
            banner_link_clicks=(
                _count,
                "visitors who followed a link of the banner that leads elsewhere",
            ),
            banner_button_clicks=(
                _count,
                "visitors who accepted or refused by a button of the banner",
            ),
            banner_optin_all=(
                _count,
                "visitors who accepted all categories by a button of the banner",
            ),
            banner_optout=(_count, "visitors who refused by a button of the banner"),
            center_views=(_count, "visitors who saw the privacy center"),
            center_vendor_views=(_count, "visitors who saw the vendors in the privacy center"),
            center_saves=(_count, "visitors who accepted or refused in the privacy center"),
            center_optin=(_count, "visitors who accepted in the privacy center"),
            center_optin_all=(_count, "visitors who accepted all categories in the privacy center"),
            optin_rate=(
                _number,
                "optin / visitors_exposed, computed from the counts; null when none",
            ),
            optout_rate=(
                _number,
                "optout / visitors_exposed, computed from the counts; null when none",
            ),
        ),
    ),
    Table(
        name="consent_statistics_items",
        doc="Banner statistics per day for each category and each vendor (long form).",
        is_event=True,
        columns=_columns(
            day=(_date, "day, as the service counts it"),
            banner_id=(_text, "banner"),
            dimension=_one_of("what was accepted", ("category", "vendor")),
            item_id=(_text, "the category's or vendor's number"),
            optin=(_count, "visitors who accepted it"),
            visitors_exposed=(_count, "visitors who saw the banner"),
            optin_rate=(
                _number,
                "optin / visitors_exposed, computed from the counts; null when none",
            ),
        ),
    ),
    Table(
        name="subscriptions",
        doc="Addresses subscribed to a channel of a resource, with their state.",
        columns=_columns(
            contact_id=(_text, "profile"),
            channel=_often("what the address is for", _CHANNELS),
            address=(_text, "e-mail address, number or device", _PERSONAL),
            status=_one_of(
                "whether the address may be written to, as the service says it", _SUBSCRIBED
            ),
            opted_in=(
                _flag,
                "whether its owner wants that: true is yes, false is no, null: the state does not say",
            ),
            resource_id=(_text, "what the address is subscribed to"),
        ),
    ),
    Table(
        name="users",
        doc="People who work in the services.",
        columns=_columns(
            name=(_text, "full name", _PERSONAL),
            email=(_text, "e-mail address", _PERSONAL),
            role=(_text, "role or position"),
            company=(_text, "company or department"),
            phone=(_text, "telephone number", _PERSONAL),
        ),
    ),
    Table(
        name="campaigns",
        doc="Mailing campaigns.",
        columns=_columns(
            name=(_text, "name"),
            kind=(_text, "broadcast, regular, trigger"),
            is_active=(_flag, "running"),
            tags=(_texts, "tags"),
        ),
    ),
    Table(
        name="segments",
        doc="Segments, and their size where the service counts it (per day where it keeps a history).",
        columns=_columns(
            segment_id=(
                _text,
                "the segment; `id` also holds the day or channel where there are several rows",
            ),
            name=(_text, "name"),
            channel=(_text, "channel the size is counted for; null: all"),
            day=(_date, "day of the count; null: at the time of fetching"),
            size=(_number, "members; may be a daily average"),
            added=(_number, "members added"),
            removed=(_number, "members removed"),
        ),
    ),
    Table(
        name="integrations",
        doc="Sources that data comes from and destinations it is sent to, with their health.",
        columns=_columns(
            label=(_text, "name"),
            direction=_one_of("whether data come from it or go to it", ("source", "destination")),
            connector=(_text, "kind of connection"),
            connector_name=(_text, "what the service calls that kind"),
            environment=(_text, "environment"),
            status=(_text, "the service's own word"),
            last_run_at=(_time, "UTC"),
            deleted_at=(_time, "UTC; when it was deleted, after which it only stands in the list"),
            success=(_count, "events delivered in the service's period"),
            retried=(_count, "events among them that were delivered by a further try"),
            failed=(_count, "events that met an error"),
            rejected=(_count, "events refused"),
        ),
    ),
    Table(
        name="deliveries",
        doc="Events delivered over time.",
        window=("at",),
        is_event=True,
        columns=_columns(
            integration_id=(_text, "the source or destination"),
            at=(_time, "UTC; start of the interval"),
            success=(_count, "events delivered"),
            failed=(_count, "events not delivered"),
        ),
    ),
    Table(
        name="operations",
        doc="Background work of the services: uploads, exports, recounts.",
        window=_OBJECT,
        is_event=True,
        columns=_columns(
            kind=(_text, "what is done"),
            model=(_text, "to which kind of record"),
            status=(_text, "the service's own word"),
            items_count=(_count, "records concerned"),
        ),
    ),
    Table(
        name="changes",
        doc="Who changed what in a service's configuration.",
        window=("created_at",),
        is_event=True,
        columns=_columns(
            kind=(_text, "created, updated, deleted, published, ..."),
            description=(_text, "what was done, as the service words it"),
            subject_kind=(_text, "kind of thing changed"),
            subject_id=(_text, "the thing changed"),
            owner_id=(_text, "user who changed it"),
        ),
    ),
    Table(
        name="fields",
        doc="Definitions of custom fields.",
        columns=_columns(
            entity=(_text, "contact, company, deal, ..."),
            key=(_text, "key in the records"),
            label=(_text, "name people see"),
            type=(_text, "the service's own word"),
            choices=(_texts, "allowed values"),
        ),
    ),
    Table(name="tags", doc="Tags on contacts.", columns=_LABEL),
    Table(name="lead_sources", doc="Where contacts come from.", columns=_LABEL),
    Table(name="statuses", doc="Statuses of contacts.", columns=_LABEL),
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _ALL})


def within(
    frame: pl.DataFrame, table: Table, since: dt.datetime | None, until: dt.datetime | None
) -> pl.DataFrame:
    """Return the rows of since..until by the table's `window`; those without a time stay."""
    if not table.window or not (since or until):
        return frame
    # changed, where the service says so, else created: the first time that is there
    happened = pl.coalesce(table.window)
    is_outside = pl.lit(False)
    if since:
        is_outside = is_outside | (happened < since)
    if until:
        is_outside = is_outside | (happened >= until)
    return frame.filter(~is_outside.fill_null(False))


def repeats_rows(frame: pl.DataFrame) -> bool:
    """Return whether a row may be in it twice: some hashes of `KEY` are equal."""
    return bool(frame.select(pl.struct(KEY).hash().n_unique()).item() < frame.height)


def conform(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return `frame` with exactly the table's columns, cast strictly; absent ones are null."""
    selected = []
    for name, dtype in table.schema.items():
        if name in frame.columns:
            # strictly: what does not fit is an error, and no null that nobody sees
            selected.append(pl.col(name).cast(dtype))
        else:
            selected.append(pl.lit(None, dtype).alias(name))
    return frame.select(selected)


def personal_columns() -> Iterator[tuple[str, str]]:
    """Return (table, column) for every column that identifies a person, or is what a person said."""
    for table in TABLES.values():
        for name, column in table.columns.items():
            if column.personal:
                yield table.name, name
