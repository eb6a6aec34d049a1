"""What OnePageCRM takes, written by `make operations` from the vendor's OpenAPI document, version 3.0."""

from typing import Annotated, Literal

from pydantic import Field

from crmlab.connector.arguments import Body, Day

Text40 = Annotated[str, Field(max_length=40)]
Status = Literal[
    "lead", "prospect", "customer", "inactive", "general", "custom1", "custom2", "customX"
]
Text20 = Annotated[str, Field(max_length=20)]
Text33 = Annotated[str, Field(max_length=33)]
Color = Literal["666666", "3399ff", "cc0000", "f96600", "000000", "ff00ff", "009900"]
Text60 = Annotated[str, Field(max_length=60)]
Type = Literal[
    "date",
    "multi_line_text",
    "multiple_choice",
    "number",
    "select_box",
    "single_line_text",
    "external_id",
    "section_divider",
]
CustomFieldType = Literal[
    "anniversary",
    "date",
    "multi_line_text",
    "multiple_choice",
    "number",
    "select_box",
    "single_line_text",
    "external_id",
    "section_divider",
]
Text7168 = Annotated[str, Field(max_length=7168)]
ReferenceType = Literal["deal", "note", "call", "meeting"]
LinkType = Literal["dropbox", "google_drive", "evernote"]
Via = Literal["unknown", "jabber", "talkdesk", "phone"]
CallAttachmentReferenceType = Literal["deal", "note", "call"]
Text100 = Annotated[str, Field(max_length=100)]
DealStatus = Literal["pending", "won", "lost"]
CommissionBase = Literal["amount", "margin"]
CommissionType = Literal["none", "percentage", "absolute"]
ActionStatus = Literal["asap", "date", "date_time", "waiting", "queued", "queued_with_date", "done"]
Text140 = Annotated[str, Field(max_length=140)]
Text55 = Annotated[str, Field(max_length=55)]
Text10240 = Annotated[str, Field(max_length=10240)]
Title = Literal["Mr", "Mrs", "Ms"]
Text25 = Annotated[str, Field(max_length=25)]
Text1000 = Annotated[str, Field(max_length=1000)]
UrlType = Literal[
    "website", "blog", "twitter", "linkedin", "xing", "facebook", "google_plus", "other"
]
PhoneType = Literal["work", "mobile", "home", "direct", "fax", "company", "other"]
EmailType = Literal["work", "home", "other"]
TypedAddressType = Literal["work", "home", "billing", "delivery", "other"]


class User(Body):
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    bcc_email: str | None = None


class TeamCount(Body):
    user_id: str | None = None
    counts: int | None = None


class LeadSource(Body):
    id: str | None = None
    text: Text40
    counts: int | None = None
    total_count: int | None = None
    action_stream_count: int | None = None
    team_counts: list[TeamCount] | None = None


class CreateStatus(Body):
    id: str | None = None
    status: Status | None = None
    text: Text20
    description: Text33 | None = None
    color: Color
    counts: int | None = None
    total_count: int | None = None
    action_stream_count: int | None = None
    team_counts: list[TeamCount] | None = None


class DealField(Body):
    id: str | None = None
    name: Text60
    type: Type
    position: int | None = None
    choices: Annotated[list[str], Field(max_length=60)] | None = None


class CustomField(Body):
    id: str | None = None
    name: Text60
    type: CustomFieldType
    position: int | None = None
    choices: Annotated[list[str], Field(max_length=60)] | None = None


class PredefinedAction(Body):
    id: str | None = None
    text: str
    days: int


class PredefinedActionGroup(Body):
    text: str | None = None
    position: int | None = None
    action_ids: list[str] | None = None


class PredefinedItem(Body):
    name: str | None = None
    description: str | None = None
    cost: float | None = None
    price: float | None = None


class PredefinedItemGroup(Body):
    name: str | None = None
    deal_items: list[str] | None = None


class Note(Body):
    contact_id: str | None = None
    text: Text7168 | None = None
    date: Day | None = None
    linked_deal_id: str | None = None
    user_ids_to_notify: list[str] | None = None


class NoteAttachment(Body):
    reference_id: str | None = None
    reference_type: ReferenceType
    contact_id: str | None = None
    name: str | None = None
    key: str
    size: int | None = None
    link_type: LinkType | None = None
    external_url: str | None = None


class Call(Body):
    contact_id: str | None = None
    call_time_int: int | None = None
    text: Text7168 | None = None
    phone_number: str | None = None
    call_result: str | None = None
    via: Via | None = None
    recording_link: str | None = None
    user_ids_to_notify: list[str] | None = None


class CallAttachment(Body):
    reference_id: str | None = None
    reference_type: CallAttachmentReferenceType
    contact_id: str | None = None
    name: str | None = None
    key: str
    size: int | None = None
    link_type: LinkType | None = None
    external_url: str | None = None


class Meeting(Body):
    contact_id: str | None = None
    meeting_time_int: int | None = None
    place: Text100 | None = None
    text: Text7168 | None = None
    user_ids_to_notify: list[str] | None = None


class DealField2(Body):
    id: str | None = None


class DealDealField(Body):
    deal_field: DealField2 | None = None
    value: str | None = None


class DealItem(Body):
    name: str
    description: str
    cost: float
    price: float
    qty: int
    predefined_item_id: str | None = None


class Deal(Body):
    contact_id: str | None = None
    owner_id: str | None = None
    pipeline_id: str | None = None
    sales_pipeline_id: str | None = None
    name: Text60 | None = None
    text: Text7168 | None = None
    stage: int | None = None
    status: DealStatus | None = None
    expected_close_date: Day | None = None
    close_date: Day | None = None
    date: Day | None = None
    amount: float | None = None
    months: int | None = None
    cost: float | None = None
    commission_base: CommissionBase | None = None
    commission_type: CommissionType | None = None
    commission: float | None = None
    commission_percentage: float | None = None
    deal_fields: list[DealDealField] | None = None
    has_deal_items: bool | None = None
    deal_items: list[DealItem] | None = None


class Attachment(Body):
    custom_filename: str


class UpdateAttachment(Body):
    attachment: Attachment | None = None


class Variant(Body):
    name: str | None = None


class RelationshipType(Body):
    variants: list[Variant] | None = None


class RelationshipTypeVariant(Body):
    id: str | None = None
    name: str | None = None


class UpdateRelationshipType(Body):
    variants: list[RelationshipTypeVariant] | None = None


class Action(Body):
    contact_id: str | None = None
    assignee_id: str | None = None
    status: ActionStatus | None = None
    text: Text140 | None = None
    date: Day | None = None
    exact_time: int | None = None
    position: int | None = None


class Address(Body):
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country_code: str | None = None


class CompanyField(Body):
    company_field: DealField2 | None = None
    value: str | None = None


class Company(Body):
    name: Text55 | None = None
    description: Text10240 | None = None
    url: str | None = None
    phone: str | None = None
    address: Address | None = None
    company_fields: list[CompanyField] | None = None


class LinkCompanyContact(Body):
    contact_id: str


class SetCompanySyncedStatus(Body):
    status_id: str | None = None


class CompanyLogo(Body):
    image: str | None = None


class Url(Body):
    type: UrlType | None = None
    value: str | None = None


class Phone(Body):
    type: PhoneType | None = None
    value: str | None = None


class Email(Body):
    type: EmailType | None = None
    value: str | None = None


class TypedAddress(Body):
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country_code: str | None = None
    type: TypedAddressType | None = None


class ContactCustomField(Body):
    custom_field: DealField2 | None = None
    value: str | None = None


class Contact(Body):
    title: Title | None = None
    first_name: Text25 | None = None
    last_name: Text25 | None = None
    job_title: Text1000 | None = None
    starred: bool | None = None
    company_id: str | None = None
    company_name: Text55 | None = None
    urls: list[Url] | None = None
    phones: list[Phone] | None = None
    emails: list[Email] | None = None
    address_list: Annotated[list[TypedAddress], Field(max_length=2)] | None = None
    status_id: str | None = None
    tags: list[str] | None = None
    lead_source_id: str | None = None
    background: Text10240 | None = None
    owner_id: str | None = None
    custom_fields: list[ContactCustomField] | None = None


class ContactAction(Body):
    assignee_id: str | None = None
    status: ActionStatus | None = None
    text: Text140 | None = None
    date: Day | None = None
    exact_time: int | None = None
    position: int | None = None


class ContactDeal(Body):
    owner_id: str | None = None
    name: Text60 | None = None
    text: Text7168 | None = None
    stage: int | None = None
    status: DealStatus | None = None
    expected_close_date: Day | None = None
    close_date: Day | None = None
    date: Day | None = None
    amount: float | None = None
    months: int | None = None
    cost: float | None = None
    commission_base: CommissionBase | None = None
    commission_type: CommissionType | None = None
    commission: float | None = None
    commission_percentage: float | None = None
    deal_fields: list[DealDealField] | None = None


class ContactNote(Body):
    text: Text7168 | None = None
    date: Day | None = None
    linked_deal_id: str | None = None
    user_ids_to_notify: list[str] | None = None


class ContactCall(Body):
    call_time_int: int | None = None
    text: Text7168 | None = None
    phone_number: str | None = None
    call_result: str | None = None
    via: Via | None = None
    recording_link: str | None = None
    user_ids_to_notify: list[str] | None = None


class ContactMeeting(Body):
    meeting_time_int: int | None = None
    place: Text100 | None = None
    text: Text7168 | None = None
    user_ids_to_notify: list[str] | None = None


class RelatedContact(Body):
    contact_id: str | None = None
    variant_id: str | None = None


class ContactRelationship(Body):
    relationship_type_id: str | None = None
    related_contacts: Annotated[list[RelatedContact], Field(min_length=2, max_length=2)] | None = (
        None
    )


class CloseContactSalesCycle(Body):
    comment: Text140 | None = None


class SplitContact(Body):
    company_name: Text55 | None = None
