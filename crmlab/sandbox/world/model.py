"""The neutral truth that the fake services tell in their own words.

A `World` holds people, sales, consent and mailings once; each fake service renders the part it
knows. Times are UTC without fractions of a second, ids are text, None means absent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import NamedTuple

from crmlab.sandbox.world.alias import misspelled

#: where a world ends unless told otherwise: fixed, so that results can be repeated
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

#: a day; `Action` and `Note` have a field named `date`, which hides the type
Day = date


def utc_now() -> datetime:
    """Return the time by this machine."""
    return datetime.now(UTC)


SERVICES = ("onepagecrm", "relenta", "complero", "altcraft")


@dataclass(slots=True, kw_only=True)
class User:
    id: str
    first_name: str
    last_name: str
    email: str
    role: str
    phone: str | None
    department: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True, kw_only=True)
class Company:
    id: str
    name: str
    url: str | None
    phone: str | None
    street: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    country_code: str | None
    description: str
    size_label: str | None
    created_at: datetime
    modified_at: datetime
    #: further custom fields, `CustomField.key` to value
    custom: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Person:
    id: str
    number: int
    title: str | None
    first_name: str
    last_name: str
    job_title: str | None
    company_id: str | None
    emails: list[str]
    phones: list[str]
    street: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    country_code: str | None
    language: str | None
    tags: list[str]
    groups: list[str]
    status_key: str
    lead_source_id: str | None
    owner_id: str
    background: str
    season: str | None
    do_not_mail: bool
    starred: bool
    services: frozenset[str]
    created_at: datetime
    modified_at: datetime

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def complero_id(self) -> str:
        """The id that the company gave this person in Complero.

        Every 101st (number 7, 108, ...) holds a slash and a space, which a path must escape.
        """
        if self.number % 101 == 7:
            return f"CRM/{self.number // 100:03d} {self.number:06d}"
        return f"C-{self.number:06d}"


@dataclass(slots=True, kw_only=True)
class Status:
    id: str
    key: str
    text: str
    colour: str


@dataclass(slots=True, kw_only=True)
class LeadSource:
    id: str
    text: str


@dataclass(slots=True, kw_only=True)
class Stage:
    stage: int
    label: str


@dataclass(slots=True, kw_only=True)
class Pipeline:
    id: str
    name: str
    is_default: bool
    stages: list[Stage]


@dataclass(slots=True, kw_only=True)
class CustomField:
    id: str
    entity: str
    key: str
    label: str
    type: str
    choices: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class DealItem:
    id: str
    name: str
    description: str
    cost: float
    price: float
    quantity: int


@dataclass(slots=True, kw_only=True)
class Deal:
    """A sale; `amount` and `cost` are per month, for `months` months."""

    id: str
    name: str
    contact_id: str
    company_id: str | None
    owner_id: str
    pipeline_id: str
    stage: int
    status: str
    amount: float
    months: int
    cost: float
    expected_close_date: date | None
    close_date: date | None
    lost_reason_id: str | None
    text: str
    size_label: str | None
    items: list[DealItem]
    linked_contact_ids: list[str]
    created_at: datetime
    modified_at: datetime
    stage_history: list[tuple[datetime, int]]
    #: what the amount was until each of these times, oldest first
    earlier_amounts: list[tuple[datetime, float]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Action:
    id: str
    contact_id: str
    assignee_id: str
    text: str
    status: str
    date: Day | None
    exact_time: datetime | None
    done: bool
    done_at: Day | None
    created_at: datetime
    modified_at: datetime


@dataclass(slots=True, kw_only=True)
class Note:
    id: str
    contact_id: str
    deal_id: str | None
    author: str
    text: str
    date: Day
    created_at: datetime
    modified_at: datetime


@dataclass(slots=True, kw_only=True)
class Call:
    id: str
    contact_id: str
    author: str
    text: str
    result: str
    at: datetime
    phone_number: str | None
    created_at: datetime
    modified_at: datetime


@dataclass(slots=True, kw_only=True)
class Meeting:
    id: str
    contact_id: str
    author: str
    text: str
    place: str
    at: datetime
    created_at: datetime
    modified_at: datetime


@dataclass(slots=True, kw_only=True)
class Appointment:
    id: str
    label: str
    kind: str
    calendar_id: str
    all_day: bool
    starts_at: datetime
    ends_at: datetime
    rrule: str
    status: str
    author: str
    user_ids: list[str]
    person_ids: list[str]
    subject: str
    body: str
    created_at: datetime
    modified_at: datetime


@dataclass(slots=True, kw_only=True)
class ConsentEvent:
    id: str
    person_id: str
    kind: str
    channel: str
    opted_in: bool
    source: str
    has_documentation: bool
    at: datetime


@dataclass(slots=True, kw_only=True)
class Operation:
    id: str
    kind: str
    model: str
    status: str
    items_count: int
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Campaign:
    id: int
    name: str
    kind: str
    is_active: bool
    tags: list[str]


@dataclass(slots=True, kw_only=True)
class MailEvent:
    """One line of a person's mail history; `subscribe` and `confirm` belong to no campaign."""

    id: str
    person_id: str
    campaign_id: int | None
    message_id: str | None
    action: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Subscription:
    person_id: str
    resource_id: int
    channel: str
    address: str
    status: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class MailDatabase:
    id: int
    name: str


@dataclass(slots=True, kw_only=True)
class MailResource:
    id: int
    name: str


@dataclass(slots=True, kw_only=True)
class Segment:
    id: int
    name: str
    size: int
    person_numbers: list[int]


@dataclass(slots=True, kw_only=True)
class TagSegment:
    """A website segment; `daily` holds (day, total, added, removed)."""

    id: int
    label: str
    daily: list[tuple[date, int, int, int]]


@dataclass(slots=True, kw_only=True)
class BannerDay:
    """Consent counts of one day, device and location; `categories` and `vendors` count opt-ins."""

    day: date
    device: str | None
    location: str | None
    visitors_exposed: int
    banner_views: int
    optin: int
    optout: int
    explicit_optin: int
    categories: dict[str, int]
    vendors: dict[str, int]


@dataclass(slots=True, kw_only=True)
class Banner:
    id: str
    name: str
    daily: list[BannerDay]


@dataclass(slots=True, kw_only=True)
class Integration:
    """A source or destination; `hourly` holds (hour, success, failed, rejected) of seven days.

    Its connector is what it was made of: the id, name and template of an entry in the catalogue of the service.
    """

    id: int
    label: str
    direction: str
    connector_id: str
    connector_name: str
    connector_template: str
    environment: str
    status: str
    created_at: datetime
    last_run_at: datetime | None
    hourly: list[tuple[datetime, int, int, int]]


@dataclass(slots=True, kw_only=True)
class Change:
    id: str
    action: str
    description: str
    subject_kind: str
    subject_id: str
    user_id: str
    created_at: datetime


class Alias(NamedTuple):
    """How one service spells a person."""

    first_name: str
    last_name: str
    email: str | None
    phone: str | None


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that the fake services know; every list may be empty."""

    seed: int = 1
    now: datetime = NOW
    currency: str = "EUR"
    users: list[User] = field(default_factory=list)
    companies: list[Company] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    lead_sources: list[LeadSource] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    fields: list[CustomField] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    consent_events: list[ConsentEvent] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    mail_events: list[MailEvent] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    mail_databases: list[MailDatabase] = field(default_factory=list)
    mail_resources: list[MailResource] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    tag_segments: list[TagSegment] = field(default_factory=list)
    banners: list[Banner] = field(default_factory=list)
    integrations: list[Integration] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    lost_reasons: dict[str, str] = field(default_factory=dict)
    #: ids of what users delete after its end
    deleted: frozenset[str] = frozenset()
    #: what time it is where it is served: `now` is when it was made
    clock: Callable[[], datetime] = field(default=utc_now, repr=False)

    def people_by_id(self) -> dict[str, Person]:
        """People by id, built anew on each call: keep it while looping."""
        return {person.id: person for person in self.people}

    def companies_by_id(self) -> dict[str, Company]:
        """Companies by id, built anew on each call."""
        return {company.id: company for company in self.companies}

    def users_by_id(self) -> dict[str, User]:
        """Users by id, built anew on each call."""
        return {user.id: user for user in self.users}

    def people_in(self, service: str) -> list[Person]:
        """The people that this service knows, by number."""
        return [person for person in self.people if service in person.services]

    def alias(self, person: Person, service: str) -> Alias:
        """Name, first e-mail and first phone as this service spells them; OnePageCRM has the truth."""
        first_email = next(iter(person.emails), None)
        first_phone = next(iter(person.phones), None)
        truth = Alias(person.first_name, person.last_name, first_email, first_phone)
        if service == "onepagecrm":
            return truth
        return Alias(*misspelled(*truth, key=f"{person.id}/{service}"))


def object_id(at: datetime, kind: int, counter: int) -> str:
    """A 24-digit hexadecimal id, as MongoDB makes them: seconds, a fixed part, a counter.

    Unique for one `kind` as long as `counter` is (up to 16,777,215); ids sort by time first.
    """
    return f"{int(at.timestamp()):08x}{kind & 0xFFFFFFFFFF:010x}{counter & 0xFFFFFF:06x}"


def numbered_ids(kind: int) -> Callable[[datetime], str]:
    """Return a function that makes the next id of that kind, for a record of that time."""
    counter = count(1)
    return lambda at: object_id(at, kind, next(counter))
