"""What Relenta can be asked: the five operations of its document "Relenta API v3"."""

from crmlab.connector.operation import Operation, get, post

PAGES = {"page": int, "page_size": int}
#: as a contact of the list is; a custom field has a key of its own
CONTACT = {
    "id": int,
    "full_name": str,
    "first_name": str,
    "last_name": str,
    "emails": str,
    "title": str,
    "company": str,
    "comment": str,
    "phone": str,
    "url": str,
    "fax": str,
    "messenger": str,
    "twitter": str,
    "linkedin": str,
    "facebook": str,
    "text": str,
    "address": str,
    "do_not_mass_email": bool,
    "groups": str,
    "tags": str,
}
ACTIVITY = {
    "id": int,
    "activity_type": str,
    "label": str,
    "calendar_id": str,
    "all_day": bool,
    "dt_start": str,
    "dt_end": str,
    "rrule": str,
    "status": str,
    "users": str,
    "contacts": str,
    "subject": str,
    "body": str,
}

OPERATIONS: tuple[Operation, ...] = (
    get(
        "list_contacts",
        "/contact.list.json",
        query=PAGES,
        doc="A page of the contacts of the key's department.",
    ),
    post(
        "save_contact",
        "/contact.save.json",
        fields=CONTACT,
        open_fields=True,
        doc="Creates a contact, or with id changes one. Whether what is left out of a change is "
        "kept or blanked is not documented: send the whole contact as the list has it, as "
        "crmlab.push does.",
    ),
    get(
        "list_activities",
        "/activity.list.json",
        query=PAGES,
        doc="A page of the activities of the calendars.",
    ),
    post("save_activity", "/activity.save.json", fields=ACTIVITY),
    get("list_custom_fields", "/custom_field.list.json", doc="The custom fields of contacts."),
)
