"""What Complero can be asked: every operation of its reference, https://api.complero.com/docs/.

The reference shows the path of ``ping`` alone. `PATHS` holds what is assumed for the others.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from crmlab.connector.arguments import Body
from crmlab.connector.operation import Operation, delete, get, post
from crmlab.providers.complero.paths import PATHS
from crmlab.providers.complero.targets import MAX_CONTACTS

EventType = Literal["confirm", "update", "documentation"]
PERIOD = {"from": str, "to": str}
PAGES = {"limit": str, "cursor": str}


class Contact(Body):
    id: str
    first_name: str
    last_name: str
    birthday: str | None = None
    company: str | None = None
    data: dict[str, Any] | None = None
    degree: str | None = None
    documentation: dict[str, Any] | None = None
    employee_id: str | None = None
    language: str | None = None
    name_suffix: str | None = None
    nationality: str | None = None
    position: str | None = None
    salutation: str | None = None
    section_private: dict[str, Any] | None = None
    section_work: dict[str, Any] | None = None
    title: str | None = None
    website: str | None = None


#: made once: the model that checks a call is kept for the type it was made of
Contacts = Annotated[list[Contact], Field(max_length=MAX_CONTACTS)]


class Employee(Body):
    id: str
    email: str
    first_name: str
    last_name: str | None = None
    city: str | None = None
    data: dict[str, Any] | None = None
    department: str | None = None
    fax_number: str | None = None
    house_number: str | None = None
    phone_number: str | None = None
    position: str | None = None
    profile_picture_url: str | None = None
    street: str | None = None
    tags: list[str] | None = None
    website: str | None = None
    zip_code: str | None = None


class SandboxEvent(Body):
    contact: Contact
    type: Literal["update", "confirm"]


def operations() -> tuple[Operation, ...]:
    """Return every operation, at the paths that `PATHS` holds now."""
    contact = PATHS["contact"]
    employee = PATHS["employee"]
    return (
        get(
            "ping",
            PATHS["ping"],
            doc="Whether the service can be reached; the key is not looked at.",
        ),
        get(
            "documentation_by_contact",
            PATHS["documentation_by_contact"],
            assumed=True,
            binary=True,
            file_ending="pdf",
            doc="The newest documentation of a contact's consents, as PDF.",
        ),
        get(
            "documentation_by_event",
            PATHS["documentation_by_event"],
            assumed=True,
            binary=True,
            file_ending="pdf",
            doc="The documentation of one event, as PDF.",
        ),
        get(
            "get_events",
            PATHS["events"],
            assumed=True,
            query={"type": EventType} | PERIOD | PAGES,
            doc="A page of events; reading them takes them out of the latest events.",
        ),
        get(
            "get_latest_events",
            PATHS["latest_events"],
            assumed=True,
            query={"type": EventType, "limit": str},
            destructive=True,
            doc="Events that no call has returned yet; they do not come again.",
        ),
        post("trigger_sandbox_event", PATHS["sandbox_event"], assumed=True, body=SandboxEvent),
        post(
            "bulk_upload_contacts",
            PATHS["contacts"],
            assumed=True,
            body=Contacts,
            repeatable=True,  # known by their id, contacts that are there are brought up to date
            doc="Up to 1,000 contacts, each created or brought up to date by its id; followed by "
            "get_operation.",
        ),
        get("get_contact", contact, assumed=True, doc="One contact by its id, as it is now."),
        delete("delete_contact", contact, assumed=True),
        post(
            "bulk_upload_employees",
            PATHS["employees"],
            assumed=True,
            body=list[Employee],
            repeatable=True,
        ),
        get("get_employee", employee, assumed=True, doc="One employee by the company's own id."),
        delete("delete_employee", employee, assumed=True),
        get(
            "list_operations",
            PATHS["operations"],
            assumed=True,
            query=PERIOD | PAGES,
            doc="A page of uploads, and how they went, the newest first.",
        ),
        get("get_operation", PATHS["operation"], assumed=True, doc="One upload by its id."),
    )
