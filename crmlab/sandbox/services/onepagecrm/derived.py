"""What an account of OnePageCRM holds beside the world's records: made from them, the same for the same world."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from crmlab.sandbox.service import Record, iso
from crmlab.sandbox.world.model import Action, Deal, DealItem, Note, Person, World

#: every so many notes one has a file, and every other file is pinned
_NOTES_PER_FILE = 5
_MAX_NOTIFICATIONS = 100
#: products that are sold together
_TOGETHER = 2
_ACTIONS = (
    ("Call [first name] back", 1),
    ("Send the offer to [first name]", 3),
    ("Ask for a decision", 10),
)
_WEBHOOKS = (
    ("Newsletter", "https://hooks.example.com/catch/4711/q8x"),
    ("Warehouse", "https://in.example.net/crm"),
)
#: what the variants of each kind of relationship are called: one is the same for both
_RELATIONSHIPS = (("Partner",), ("Manager", "Reports to"))
_COUNTRIES = (
    "Austria AT 43,Belgium BE 32,Canada CA 1,Denmark DK 45,Finland FI 358,France FR 33,Germany DE 49,Greece GR 30,"
    "Ireland IE 353,Italy IT 39,Japan JP 81,Luxembourg LU 352,Netherlands NL 31,Norway NO 47,Poland PL 48,"
    "Portugal PT 351,Spain ES 34,Sweden SE 46,Switzerland CH 41,United Kingdom GB 44,United States US 1"
)


@dataclass(slots=True, kw_only=True)
class Entry:
    """A record in the service's own words; `contact_ids` are those it is about."""

    id: str
    record: Record
    contact_ids: tuple[str, ...] = ()
    created_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Attachment:
    """A file at a note, a call, a meeting or a deal."""

    id: str
    contact_id: str
    reference_type: str
    reference_id: str
    filename: str
    size: int
    created_at: datetime
    custom_filename: str = ""
    storage_provider: str = "amazon"
    pinned_at: datetime | None = None

    @property
    def pinned_to(self) -> str | None:
        """The contact that it is pinned to."""
        return self.contact_id if self.pinned_at else None


@dataclass(slots=True, kw_only=True)
class Link:
    """A contact that is linked with a company where it does not work, and with which of its contacts."""

    company_id: str
    contact_id: str
    linked_with: list[str]


def countries() -> Iterator[dict[str, str]]:
    """Yield the countries that addresses can be in."""
    for line in _COUNTRIES.split(","):
        name, code, prefix = line.rsplit(" ", 2)
        yield {"name": name, "code": code, "phone_prefix": f"+{prefix}"}


def made_id(*parts: object) -> str:
    """Return the id of something that is made of the world: 24 hexadecimal digits, as all are."""
    return f"{crc32('/'.join(map(str, parts)).encode()):024x}"


def entry(entry: Entry) -> Record:
    """Return it as the service does."""
    record = {"id": entry.id, **entry.record}
    # what the account was set up with has no times
    if entry.created_at:
        record |= {"created_at": iso(entry.created_at), "modified_at": iso(entry.modified_at)}
    return record


def attachment(attachment: Attachment) -> Record:
    """Return a file as the service names it."""
    address = f"https://files.example.com/{attachment.id}"
    record = {
        "id": attachment.id,
        "filename": attachment.filename,
        "custom_filename": attachment.custom_filename,
        "pinned": attachment.pinned_at is not None,
        "size": attachment.size,
        "storage_provider": attachment.storage_provider,
        "url": address,
        "url_expires_at": iso(attachment.created_at),
        "thumbnail": {"url": f"{address}/thumbnail"},
    }
    if attachment.pinned_at:
        record["pinned_at"] = iso(attachment.pinned_at)
    return record


def predefined_actions() -> list[Entry]:
    """Return the templates of actions."""
    templates = []
    for text, days in _ACTIONS:
        record = {"text": text, "days": days}
        templates.append(Entry(id=made_id("action", text), record=record))
    return templates


def predefined_action_groups() -> list[Entry]:
    """Return what is planned together: all but the first template."""
    ids = [action.id for action in predefined_actions()]
    record = {"text": "After an offer", "position": 0, "action_ids": ids[1:]}
    return [Entry(id=made_id("action group"), record=record)]


def webhooks() -> list[Entry]:
    """Return who is told of changes; the key of each is worthless anywhere else."""
    entries = []
    for name, address in _WEBHOOKS:
        record = {"name": name, "hook_url": address, "secretkey": "never-to-be-stored"}
        entries.append(Entry(id=made_id("webhook", name), record=record))
    return entries


def filters(world: World) -> list[Entry]:
    """Return saved filters, each of one condition."""
    entries = [_filter(status.text, "status_id", status.id) for status in world.statuses]
    for user in world.users[:2]:
        entries.append(_filter(f"{user.first_name}'s", "owner_id", user.id))
    return entries


def _filter(name: str, parameter: str, value: str) -> Entry:
    record = {"name": name, "conditions": [[parameter, "is", value]]}
    return Entry(id=made_id("filter", name), record=record)


def relationship_types(world: World) -> list[Entry]:
    """Return the kinds of relationships that the account knows."""
    if not world.people:
        return []
    account_began = min(person.created_at for person in world.people)
    types = []
    for names in _RELATIONSHIPS:
        variants = [{"id": made_id("variant", name), "name": name} for name in names]
        kind = Entry(
            id=made_id("relationship type", *names),
            record={"symmetrical": len(names) == 1, "relationship_variants": variants},
            created_at=account_began,
            modified_at=account_began,
        )
        types.append(kind)
    return types


def relationships(people: Sequence[Person], types: Sequence[Entry]) -> Iterator[Entry]:
    """Yield who reports to whom: in each company all to its first contact; and the partners among the first ones."""
    if not types:
        return
    partners, reports = types
    staff: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        if person.company_id:
            staff[person.company_id].append(person)
    for manager, *others in staff.values():
        for employee in others:
            yield _relationship(reports, manager, employee)
    managers = [manager for manager, *_ in staff.values()]
    # not every manager has a partner: of four companies, the first two work together
    for partner, other_partner in zip(managers[::4], managers[1::4], strict=False):
        yield _relationship(partners, partner, other_partner)


def _relationship(kind: Entry, one: Person, other: Person) -> Entry:
    since = max(one.created_at, other.created_at)
    variant_ids = [variant["id"] for variant in kind.record["relationship_variants"]]
    # where the kind has one variant, the first is the last: both ends are called the same
    related = [
        {"contact_id": one.id, "variant_id": variant_ids[0]},
        {"contact_id": other.id, "variant_id": variant_ids[-1]},
    ]
    return Entry(
        id=made_id("relationship", one.id, other.id),
        record={"relationship_type_id": kind.id, "related_contacts": related},
        contact_ids=(one.id, other.id),
        created_at=since,
        modified_at=since,
    )


def links(deals: Iterable[Deal], people: Mapping[str, Person]) -> Iterator[Link]:
    """Yield the contacts of others that take part in the deals of a company."""
    linked_with: dict[tuple[str, str], list[str]] = defaultdict(list)
    for deal in deals:
        for contact_id in deal.linked_contact_ids:
            person = people.get(contact_id)
            # the company's own staff are its contacts already
            if person and deal.company_id and person.company_id != deal.company_id:
                linked_with[deal.company_id, contact_id].append(deal.contact_id)
    for (company_id, contact_id), others in linked_with.items():
        unique = list(dict.fromkeys(others))
        yield Link(company_id=company_id, contact_id=contact_id, linked_with=unique)


def attachments(notes: Sequence[Note]) -> Iterator[Attachment]:
    """Yield the files at some of the notes, every other one pinned to its contact."""
    for number, note in enumerate(notes[::_NOTES_PER_FILE]):
        pinned_at = None
        if number % 2:
            pinned_at = note.modified_at
        yield Attachment(
            id=made_id("attachment", note.id),
            contact_id=note.contact_id,
            reference_type="note",
            reference_id=note.id,
            filename=f"offer-{number + 1}.pdf",
            size=10_000 + 7 * len(note.text),
            pinned_at=pinned_at,
            created_at=note.created_at,
        )


def notifications(world: World, author: str) -> list[Entry]:
    """Return what the signed-in user was told: of the last actions that are theirs."""
    if not world.users:
        return []
    me = world.users[0].id
    my_actions = [action for action in world.actions if action.assignee_id == me]
    latest_first = sorted(my_actions, key=lambda action: action.created_at, reverse=True)
    return [_notification(action, author) for action in latest_first[:_MAX_NOTIFICATIONS]]


def _notification(action: Action, author: str) -> Entry:
    record = {
        "type": "assigned_action",
        "by": author,
        "read": action.done,
        "user_id": action.assignee_id,
        "contact_id": action.contact_id,
        "mobile_data": {
            "title": f"Action assigned to you (by {author})",
            "body": action.text,
            "action_type": action.status,
        },
    }
    return Entry(
        id=made_id("notification", action.id),
        record=record,
        contact_ids=(action.contact_id,),
        created_at=action.created_at,
        modified_at=action.modified_at,
    )


def product_id(item: DealItem) -> str:
    """The id of the product that an item of a deal was taken from."""
    return made_id(item.name)


def products(world: World) -> list[Entry]:
    """Products of the catalogue: what the deals hold, each once; the first ones are a group."""
    by_name: dict[str, DealItem] = {}
    for deal in world.deals:
        for item in deal.items:
            # a product may be sold at several prices: the catalogue has the last one
            by_name[item.name] = item
    entries = []
    for position, item in enumerate(by_name.values(), 1):
        record = _product(item, position)
        if position <= _TOGETHER:
            record["item_group_id"] = _group_id()
        entries.append(Entry(id=product_id(item), record=record))
    return entries


def product_groups(products: list[Entry]) -> list[Entry]:
    """Products that are sold together."""
    ids = [product.id for product in products[:_TOGETHER]]
    if not ids:
        return []
    record = {"name": "Starter kit", "position": 1, "count": len(ids), "item_ids": ids}
    return [Entry(id=_group_id(), record=record)]


def _group_id() -> str:
    return made_id("item group")


def _product(item: DealItem, position: int) -> Record:
    return {
        "name": item.name,
        "description": item.description,
        "cost": item.cost,
        "price": item.price,
        "position": position,
    }
