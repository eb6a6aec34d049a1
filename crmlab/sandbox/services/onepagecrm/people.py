"""What can be done with contacts and companies of OnePageCRM, beside changing their fields."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping

from crmlab.sandbox.service import Record, unix
from crmlab.sandbox.services.onepagecrm.acts import Act
from crmlab.sandbox.services.onepagecrm.asked import Asked
from crmlab.sandbox.services.onepagecrm.derived import Link
from crmlab.sandbox.services.onepagecrm.filters import assigned
from crmlab.sandbox.services.onepagecrm.writing import Refused, Values, Writing, check_given
from crmlab.sandbox.world.model import Company, Person

_MAX_LINKS = 100


def _keep_image(writing: Writing, asked: Asked, pictured: Person | Company) -> None:
    """Keep where an image is found; what is no image in Base64 is refused."""
    check_given(asked.values, "image")
    try:
        b64decode(asked.values["image"], validate=True)
    except (NotBase64, ValueError):
        raise Refused(400, "image must be Base64", image="is invalid") from None
    photo_url = f"https://photos.example.com/{writing.new_id()}.jpg"
    writing.write_beside(pictured.id, photo_url=photo_url)


# ---- contacts -----------------------------------------------------------------------------------


def _contact(change: Callable[[Writing, Asked, Person], Values]) -> Act:
    """Change a contact as `change` says, which returns its new attributes."""

    def act(writing: Writing, asked: Asked) -> str:
        person: Person = writing.find("contacts", asked.owner_id)
        attributes = change(writing, asked, person)
        # found again: the change may have put another record in its place
        current = writing.find("contacts", person.id)
        writing.changed("contacts", current, **attributes)
        return person.id

    return act


def _tagged(writing: Writing, asked: Asked, person: Person) -> Values:
    """Tags are matched whatever their case."""
    # a tag that somebody has already keeps its spelling
    spellings: dict[str, str] = {}
    for contact in writing.lists["contacts"].items:
        for tag in contact.tags:
            spellings[tag.casefold()] = tag
    spelling = spellings.get(asked.id.casefold(), asked.id)
    return {"tags": list(dict.fromkeys([*person.tags, spelling]))}


def _untagged(writing: Writing, asked: Asked, person: Person) -> Values:
    other_tags = [tag for tag in person.tags if tag.casefold() != asked.id.casefold()]
    # the contact has no such tag
    if other_tags == person.tags:
        raise Refused(404)
    return {"tags": other_tags}


def _with_photo(writing: Writing, asked: Asked, person: Person) -> Values:
    _keep_image(writing, asked, person)
    return {}


def _without_photo(writing: Writing, asked: Asked, person: Person) -> Values:
    writing.write_beside(person.id, photo_url="")
    return {}


def _in_google_contacts(writing: Writing, asked: Asked, person: Person) -> Values:
    me = writing.index.users[writing.me]
    saved = {
        "account_email": me.email,
        "id": person.id,
        "saved_at": unix(writing.now()),
    }
    writing.write_beside(person.id, google_contacts_data=saved)
    return {}


def _closed(writing: Writing, asked: Asked, person: Person) -> Values:
    """The sales cycle is closed for one user, who has nothing to do for the contact any more."""
    actions = writing.index.actions.get(person.id, ())
    if assigned(actions, writing.me):
        raise Refused(409, "There are actions with the contact")
    _check_open(writing, person)
    sale = {
        "user_id": writing.me,
        "closed_at": unix(writing.now()),
        "comment": asked.values.get("comment", ""),
    }
    sales = _closed_sales(writing, person)
    _keep_closed(writing, person, [*sales, sale])
    return {}


def _check_open(writing: Writing, person: Person) -> None:
    if writing.me in _closed_for(writing, person):
        raise Refused(409, "The sales cycle is closed")


def _closed_by_force(writing: Writing, asked: Asked, person: Person) -> Values:
    _check_open(writing, person)
    for action in writing.index.actions.get(person.id, ()):
        writing.delete("actions", action.id)
    return _closed(writing, asked, person)


def _reopened(writing: Writing, asked: Asked, person: Person) -> Values:
    if writing.me not in _closed_for(writing, person):
        raise Refused(409, "The sales cycle is not closed")
    sales = _closed_sales(writing, person)
    of_others = [sale for sale in sales if sale["user_id"] != writing.me]
    _keep_closed(writing, person, of_others)
    return {}


def _closed_sales(writing: Writing, person: Person) -> list[Record]:
    written = writing.written.get(person.id, {})
    sales: list[Record] = written.get("closed_sales", [])
    return sales


def _closed_for(writing: Writing, person: Person) -> list[str]:
    sales = _closed_sales(writing, person)
    return _user_ids(sales)


def _user_ids(sales: Iterable[Mapping[str, str]]) -> list[str]:
    return [sale["user_id"] for sale in sales]


def _keep_closed(writing: Writing, person: Person, sales: list[Record]) -> None:
    user_ids = _user_ids(sales)
    writing.write_beside(person.id, closed_sales=sales, sales_closed_for=user_ids)


def _split(writing: Writing, asked: Asked, person: Person) -> Values:
    """A contact leaves its company, which is gone without its last contact, and may join another one."""
    if person.company_id is None:
        raise Refused(409, "The contact has no company")
    company_name = asked.values.get("company_name", "")
    joined_id = None
    if company_name:
        joined_id = company_called(writing, company_name).id
    staff = writing.index.count("contacts", "company_id", person.company_id)
    # a split into the company that it is in already leaves it there
    if staff == 1 and joined_id != person.company_id:
        writing.delete("companies", person.company_id)
    return {"company_id": joined_id}


def company_called(writing: Writing, name: str) -> Company:
    """Return the company of that name, whatever its case, or a new one."""
    companies: list[Company] = writing.lists["companies"].items
    for company in companies:
        if company.name.casefold() == name.casefold():
            return company
    new_company = _new_company(writing, name)
    writing.lists["companies"].add(new_company)
    return new_company


def _new_company(writing: Writing, name: str) -> Company:
    now = writing.now()
    return Company(
        id=writing.new_id(),
        name=name,
        url=None,
        phone=None,
        street=None,
        city=None,
        state=None,
        zip_code=None,
        country_code=None,
        description="",
        size_label=None,
        created_at=now,
        modified_at=now,
    )


def _of_status(writing: Writing, asked: Asked, person: Person) -> Values:
    return {"status_key": writing.find("statuses", asked.id).key}


def _of_owner(writing: Writing, asked: Asked, person: Person) -> Values:
    return {"owner_id": writing.find("users", asked.id).id}


def _starred(*, starred: bool) -> Act:
    return _contact(lambda writing, asked, person: {"starred": starred})


CONTACTS: Mapping[tuple[str, str], Act] = {
    ("PUT", "/contacts/{contact_id}/assign_tag/{tag_name}"): _contact(_tagged),
    ("PUT", "/contacts/{contact_id}/unassign_tag/{tag_name}"): _contact(_untagged),
    ("PUT", "/contacts/{contact_id}/change_status/{status_id}"): _contact(_of_status),
    ("PUT", "/contacts/{contact_id}/change_owner/{owner_id}"): _contact(_of_owner),
    ("PUT", "/contacts/{contact_id}/star"): _starred(starred=True),
    ("PUT", "/contacts/{contact_id}/unstar"): _starred(starred=False),
    ("PUT", "/contacts/{contact_id}/close_sales_cycle"): _contact(_closed),
    ("PUT", "/contacts/{contact_id}/force_close_sales_cycle"): _contact(_closed_by_force),
    ("PUT", "/contacts/{contact_id}/reopen_sales_cycle"): _contact(_reopened),
    ("PUT", "/contacts/{contact_id}/split"): _contact(_split),
    ("POST", "/contacts/{contact_id}/google_contacts"): _contact(_in_google_contacts),
    ("POST", "/contacts/{contact_id}/contact_photo"): _contact(_with_photo),
    ("PUT", "/contacts/{contact_id}/contact_photo"): _contact(_with_photo),
    ("DELETE", "/contacts/{contact_id}/contact_photo"): _contact(_without_photo),
}


# ---- companies ----------------------------------------------------------------------------------


def _company(change: Callable[[Writing, Asked, Company], Values]) -> Act:
    """Change a company as `change` says, which returns its new attributes."""

    def act(writing: Writing, asked: Asked) -> str:
        company: Company = writing.find("companies", asked.owner_id)
        attributes = change(writing, asked, company)
        writing.changed("companies", company, **attributes)
        return company.id

    return act


def _company_fields(writing: Writing, asked: Asked, company: Company) -> Values:
    values = dict(asked.values)
    if values.get("name") == "":
        raise Refused(400, "name is missing", name="is missing")
    address = values.pop("address", {})
    definitions = writing.index.by_id("company_fields")
    custom = dict(company.custom)
    for company_field in values.pop("company_fields", []):
        named_field = company_field.get("company_field") or {}
        field_id = named_field.get("id", "")
        if field_id not in definitions:
            raise Refused(400, "A company field is not known", company_fields="is invalid")
        key = definitions[field_id].key
        custom[key] = company_field.get("value") or ""
    # the parts of the address are fields of a company
    # in the world, where the first one is the street
    for part, value in address.items():
        attribute = "street" if part == "address" else part
        values[attribute] = value
    return {**values, "custom": custom}


def _synced(writing: Writing, asked: Asked, company: Company) -> Values:
    """All contacts of the company get the status."""
    check_given(asked.values, "status_id")
    writing.check_known("statuses", asked.values, "status_id")
    status = writing.find("statuses", asked.values["status_id"])
    staff = writing.lists["contacts"].of("company_id", company.id)
    for person in staff.items:
        writing.changed("contacts", person, status_key=status.key)
    writing.write_beside(company.id, syncing_status=True, synced_status_id=status.id)
    return {}


def _not_synced(writing: Writing, asked: Asked, company: Company) -> Values:
    written = dict(writing.written.get(company.id, {}))
    written.pop("synced_status_id", None)
    writing.written[company.id] = {**written, "syncing_status": False}
    return {}


def _with_logo(writing: Writing, asked: Asked, company: Company) -> Values:
    _keep_image(writing, asked, company)
    return {}


def _without_logo(writing: Writing, asked: Asked, company: Company) -> Values:
    writing.write_beside(company.id, photo_url=None)
    return {}


COMPANIES: Mapping[tuple[str, str], Act] = {
    ("PUT", "/companies/{company_id}"): _company(_company_fields),
    ("POST", "/companies/{company_id}/synced_status"): _company(_synced),
    ("DELETE", "/companies/{company_id}/synced_status"): _company(_not_synced),
    ("PATCH", "/companies/{company_id}/logo"): _company(_with_logo),
    ("DELETE", "/companies/{company_id}/logo"): _company(_without_logo),
}


def link(writing: Writing, asked: Asked) -> Link:
    """Link a contact of another company with one."""
    company: Company = writing.find("companies", asked.owner_id)
    writing.check_known("contacts", asked.values, "contact_id")
    person: Person = writing.find("contacts", asked.values["contact_id"])
    links = _links_with(writing, company.id)
    if person.company_id == company.id or _link_of(person.id, links):
        raise Refused(409, "The contact belongs to the company already")
    if len(links) >= _MAX_LINKS:
        raise Refused(409, "The company has as many linked contacts as it may")
    staff = writing.lists["contacts"].of("company_id", company.id)
    # the request does not say with whom of the company: its first contact stands for it
    linked_with = [employee.id for employee in staff.items[:1]]
    new_link = Link(company_id=company.id, contact_id=person.id, linked_with=linked_with)
    writing.lists["linked_contacts"].add(new_link)
    return new_link


def unlink(writing: Writing, asked: Asked) -> None:
    """Take the link of a contact with a company away."""
    writing.find("companies", asked.owner_id)
    links = _links_with(writing, asked.owner_id)
    old_link = _link_of(asked.id, links)
    if old_link is None:
        raise Refused(404)
    writing.lists["linked_contacts"].remove(old_link)


def _links_with(writing: Writing, company_id: str) -> list[Link]:
    links = writing.lists["linked_contacts"].of("company_id", company_id)
    return links.items


def _link_of(contact_id: str, links: Iterable[Link]) -> Link | None:
    for one_link in links:
        if one_link.contact_id == contact_id:
            return one_link
    return None
