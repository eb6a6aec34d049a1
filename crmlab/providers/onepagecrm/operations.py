"""What OnePageCRM can be asked, written by `make operations` from the vendor's OpenAPI document, version 3.0."""

from typing import Literal, Required

from crmlab.connector.operation import Operation, delete, get, patch, post, put
from crmlab.providers.onepagecrm import bodies

SortBy = Literal["created_at", "modified_at", "updated_at", "position"]
Order = Literal["asc", "desc"]
DateFilter = Literal["created_at", "modified_at", "updated_at", "date"]
ListCallsDateFilter = Literal["created_at", "modified_at", "updated_at", "call_time"]
ListCallsSortBy = Literal["created_at", "modified_at", "updated_at"]
ListMeetingsDateFilter = Literal["created_at", "modified_at", "updated_at", "meeting_time"]
ListDealsDateFilter = Literal[
    "created_at", "modified_at", "updated_at", "date", "close_date", "expected_close_date"
]
ListDealsSortBy = Literal["created_at", "modified_at", "date", "close_date", "expected_close_date"]
ListRelationshipTypesSortBy = Literal["created_at", "modified_at"]
ListActionsDateFilter = Literal["created_at", "modified_at", "updated_at", "date", "close_date"]
ListCompaniesSortBy = Literal["created_at", "modified_at", "name"]
ListCompanyLinkedContactsSortBy = Literal[
    "created_at", "modified_at", "first_name", "last_name", "company_name", "name"
]
PAGES = {"page": int, "per_page": int}
DATES = {"date_filter": DateFilter, "sort_by": DateFilter}
PERIOD = {"since": str, "until": str, "modified_since": str, "unmodified_since": str}
OF_DEALS = {"stage": int, "date_filter": ListDealsDateFilter, "sort_by": ListDealsSortBy}
TAGGED = {"tag": str, "filter_id": str}
OF_ACTIONS = {"assignee_id": str, "date_filter": ListActionsDateFilter}
OF_PEOPLE = {"phone": str, "letter": str}
OF_CONTACTS = {
    "team": bool,
    "url": str,
    "action_stream": bool,
    "has_actions": bool,
    "has_actions_for_me": bool,
    "pending_deal": bool,
    "starred": bool,
    "waiting": bool,
    "email": str,
    "custom_field_id": str,
    "custom_field_value": str,
    "lead_source": str,
    "lead_source_id": str,
    "status_id": str,
}
#: changes only what is sent: without it, what is left out may be cleared
PARTIALLY = {"partial": True}

OPERATIONS: tuple[Operation, ...] = (
    get("get_bootstrap", "/bootstrap"),
    post("change_auth_key", "/change_auth_key", dangerous=True, gives_secret=True),
    get("list_users", "/users"),
    get("get_user", "/users/{user_id}"),
    put(
        "update_user",
        "/users/{user_id}",
        query={"partial": bool},
        body=bodies.User,
        defaults=PARTIALLY,
        dangerous=True,
    ),
    get("list_lead_sources", "/lead_sources"),
    post("create_lead_source", "/lead_sources", body=bodies.LeadSource),
    get("get_lead_source", "/lead_sources/{lead_source_id}"),
    put(
        "update_lead_source",
        "/lead_sources/{lead_source_id}",
        query={"partial": bool},
        body=bodies.LeadSource,
        defaults=PARTIALLY,
    ),
    delete("delete_lead_source", "/lead_sources/{lead_source_id}"),
    get("list_statuses", "/statuses"),
    post("create_status", "/statuses", body=bodies.CreateStatus),
    get("get_status", "/statuses/{status_id}"),
    put(
        "update_status",
        "/statuses/{status_id}",
        query={"partial": bool},
        body=bodies.CreateStatus,
        defaults=PARTIALLY,
    ),
    delete("delete_status", "/statuses/{status_id}"),
    get("list_deal_fields", "/deal_fields", query=PAGES | {"sort_by": SortBy, "order": Order}),
    post("create_deal_field", "/deal_fields", body=bodies.DealField),
    get("get_deal_field", "/deal_fields/{deal_field_id}"),
    put(
        "update_deal_field",
        "/deal_fields/{deal_field_id}",
        query={"partial": bool},
        body=bodies.DealField,
        defaults=PARTIALLY,
    ),
    delete("delete_deal_field", "/deal_fields/{deal_field_id}"),
    get("list_custom_fields", "/custom_fields", query=PAGES | {"sort_by": SortBy, "order": Order}),
    post("create_custom_field", "/custom_fields", body=bodies.CustomField),
    get("get_custom_field", "/custom_fields/{custom_field_id}"),
    put(
        "update_custom_field",
        "/custom_fields/{custom_field_id}",
        query={"partial": bool},
        body=bodies.CustomField,
        defaults=PARTIALLY,
    ),
    delete("delete_custom_field", "/custom_fields/{custom_field_id}"),
    get(
        "list_company_fields", "/company_fields", query=PAGES | {"sort_by": SortBy, "order": Order}
    ),
    post("create_company_field", "/company_fields", body=bodies.DealField),
    get("get_company_field", "/company_fields/{company_field_id}"),
    put(
        "update_company_field",
        "/company_fields/{company_field_id}",
        query={"partial": bool},
        body=bodies.DealField,
        defaults=PARTIALLY,
    ),
    delete("delete_company_field", "/company_fields/{company_field_id}"),
    get("list_predefined_actions", "/predefined_actions"),
    post("create_predefined_action", "/predefined_actions", body=bodies.PredefinedAction),
    get("get_predefined_action", "/predefined_actions/{predefined_action_id}"),
    put(
        "update_predefined_action",
        "/predefined_actions/{predefined_action_id}",
        query={"partial": bool},
        body=bodies.PredefinedAction,
        defaults=PARTIALLY,
    ),
    delete("delete_predefined_action", "/predefined_actions/{predefined_action_id}"),
    get("list_predefined_action_groups", "/predefined_action_groups"),
    post(
        "create_predefined_action_group",
        "/predefined_action_groups",
        body=bodies.PredefinedActionGroup,
    ),
    get("get_predefined_action_group", "/predefined_action_groups/{predefined_action_group_id}"),
    put(
        "update_predefined_action_group",
        "/predefined_action_groups/{predefined_action_group_id}",
        query={"partial": bool},
        body=bodies.PredefinedActionGroup,
        defaults=PARTIALLY,
    ),
    delete(
        "delete_predefined_action_group", "/predefined_action_groups/{predefined_action_group_id}"
    ),
    get("list_predefined_items", "/predefined_items"),
    post("create_predefined_item", "/predefined_items", body=bodies.PredefinedItem),
    get("get_predefined_item", "/predefined_items/{predefined_item_id}"),
    put(
        "update_predefined_item",
        "/predefined_items/{predefined_item_id}",
        query={"partial": bool},
        body=bodies.PredefinedItem,
        defaults=PARTIALLY,
    ),
    delete("delete_predefined_item", "/predefined_items/{predefined_item_id}"),
    get("list_predefined_item_groups", "/predefined_item_groups"),
    post(
        "create_predefined_item_group", "/predefined_item_groups", body=bodies.PredefinedItemGroup
    ),
    get("get_predefined_item_group", "/predefined_item_groups/{predefined_item_group_id}"),
    delete("delete_predefined_item_group", "/predefined_item_groups/{predefined_item_group_id}"),
    get(
        "list_notes",
        "/notes",
        query=PAGES | DATES | PERIOD | {"contact_id": str, "company_id": str, "order": Order},
    ),
    post("create_note", "/notes", body=bodies.Note),
    get("get_note", "/notes/{note_id}"),
    put(
        "update_note",
        "/notes/{note_id}",
        query={"partial": bool},
        body=bodies.Note,
        defaults=PARTIALLY,
    ),
    delete("delete_note", "/notes/{note_id}"),
    post("add_note_attachment", "/notes/{note_id}/attachments", body=bodies.NoteAttachment),
    get(
        "list_calls",
        "/calls",
        query=PAGES
        | PERIOD
        | {
            "contact_id": str,
            "company_id": str,
            "date_filter": ListCallsDateFilter,
            "sort_by": ListCallsSortBy,
            "order": Order,
        },
    ),
    post("create_call", "/calls", body=bodies.Call),
    get("get_call", "/calls/{call_id}"),
    put(
        "update_call",
        "/calls/{call_id}",
        query={"partial": bool},
        body=bodies.Call,
        defaults=PARTIALLY,
    ),
    delete("delete_call", "/calls/{call_id}"),
    post("add_call_attachment", "/calls/{call_id}/attachments", body=bodies.CallAttachment),
    get("list_call_results", "/call_results"),
    get(
        "list_meetings",
        "/meetings",
        query=PAGES
        | PERIOD
        | {
            "contact_id": str,
            "company_id": str,
            "date_filter": ListMeetingsDateFilter,
            "sort_by": ListCallsSortBy,
            "order": Order,
        },
    ),
    post("create_meeting", "/meetings", body=bodies.Meeting),
    get("get_meeting", "/meetings/{meeting_id}"),
    put(
        "update_meeting",
        "/meetings/{meeting_id}",
        query={"partial": bool},
        body=bodies.Meeting,
        defaults=PARTIALLY,
    ),
    delete("delete_meeting", "/meetings/{meeting_id}"),
    post(
        "add_meeting_attachment", "/meetings/{meeting_id}/attachments", body=bodies.NoteAttachment
    ),
    get(
        "list_deals",
        "/deals",
        query=PAGES
        | PERIOD
        | OF_DEALS
        | TAGGED
        | {
            "name": str,
            "search": str,
            "status": str,
            "pipeline_id": str,
            "sales_pipeline_id": str,
            "owner_id": str,
            "contact_id": str,
            "company_id": str,
            "fields": str,
            "include_history": bool,
            "order": Order,
        },
    ),
    post("create_deal", "/deals", body=bodies.Deal),
    get("get_deal", "/deals/{deal_id}", query={"include_history": bool}),
    put(
        "update_deal",
        "/deals/{deal_id}",
        query={"partial": bool},
        body=bodies.Deal,
        defaults=PARTIALLY,
    ),
    delete("delete_deal", "/deals/{deal_id}"),
    post("add_deal_attachment", "/deals/{deal_id}/attachments", body=bodies.NoteAttachment),
    get("get_attachment_upload_form", "/attachments/s3_form", query={"contact_id": Required[str]}),
    post("create_attachment", "/attachments", body=bodies.NoteAttachment),
    patch("update_attachment", "/attachments/{attachment_id}", body=bodies.UpdateAttachment),
    delete("delete_attachment", "/attachments/{attachment_id}"),
    patch("pin_attachment", "/attachments/{attachment_id}/pin"),
    patch("unpin_attachment", "/attachments/{attachment_id}/unpin"),
    get(
        "list_relationship_types",
        "/relationship_types",
        query=PAGES
        | PERIOD
        | {
            "search": str,
            "symmetrical": bool,
            "date_filter": ListCallsSortBy,
            "sort_by": ListRelationshipTypesSortBy,
            "order": Order,
        },
    ),
    post("create_relationship_type", "/relationship_types", body=bodies.RelationshipType),
    get("get_relationship_type", "/relationship_types/{relationship_type_id}"),
    put(
        "update_relationship_type",
        "/relationship_types/{relationship_type_id}",
        query={"partial": bool},
        body=bodies.UpdateRelationshipType,
        defaults=PARTIALLY,
    ),
    delete("delete_relationship_type", "/relationship_types/{relationship_type_id}"),
    get("list_countries", "/countries"),
    get(
        "list_actions",
        "/actions",
        query=PAGES
        | PERIOD
        | OF_ACTIONS
        | {
            "done": bool,
            "status": str,
            "contact_id": str,
            "company_id": str,
            "sort_by": ListRelationshipTypesSortBy,
            "order": Order,
        },
    ),
    post("create_action", "/actions", body=bodies.Action),
    get("get_action", "/actions/{action_id}"),
    put(
        "update_action",
        "/actions/{action_id}",
        query={"done": bool, "partial": bool},
        body=bodies.Action,
        defaults=PARTIALLY,
    ),
    delete("delete_action", "/actions/{action_id}", query={"undo": bool}, restored_by="undo"),
    put("unassign_action", "/actions/{action_id}/unassign"),
    put("mark_action_as_done", "/actions/{action_id}/mark_as_done"),
    put("undo_action_completion", "/actions/{action_id}/undo_completion"),
    put("unlink_action", "/actions/{action_id}/unlink"),
    put("promote_action", "/actions/{action_id}/promote"),
    put("revert_action_promotion", "/actions/{action_id}/revert_promotion"),
    put("swap_action", "/actions/{action_id}/swap"),
    get("list_filters", "/filters", query=PAGES),
    get("get_filter", "/filters/{filter_id}"),
    get(
        "list_companies",
        "/companies",
        query=PAGES | OF_PEOPLE | {"name": str, "sort_by": ListCompaniesSortBy, "order": Order},
    ),
    get("get_company", "/companies/{company_id}"),
    put(
        "update_company",
        "/companies/{company_id}",
        query={"partial": bool},
        body=bodies.Company,
        defaults=PARTIALLY,
    ),
    get(
        "list_company_actions",
        "/companies/{company_id}/actions",
        query=PAGES
        | PERIOD
        | OF_ACTIONS
        | {"done": bool, "status": str, "sort_by": ListRelationshipTypesSortBy, "order": Order},
    ),
    get(
        "list_company_deals",
        "/companies/{company_id}/deals",
        query=PAGES
        | PERIOD
        | OF_DEALS
        | {"name": str, "search": str, "status": str, "owner_id": str, "order": Order},
    ),
    get(
        "list_company_notes",
        "/companies/{company_id}/notes",
        query=PAGES | DATES | PERIOD | {"order": Order},
    ),
    get(
        "list_company_calls",
        "/companies/{company_id}/calls",
        query=PAGES
        | PERIOD
        | {"date_filter": ListCallsDateFilter, "sort_by": ListCallsSortBy, "order": Order},
    ),
    get(
        "list_company_meetings",
        "/companies/{company_id}/meetings",
        query=PAGES
        | PERIOD
        | {"date_filter": ListMeetingsDateFilter, "sort_by": ListCallsSortBy, "order": Order},
    ),
    get(
        "list_company_linked_contacts",
        "/companies/{company_id}/linked_contacts",
        query=PAGES | {"sort_by": ListCompanyLinkedContactsSortBy, "order": Order},
    ),
    post(
        "link_company_contact",
        "/companies/{company_id}/linked_contacts",
        body=bodies.LinkCompanyContact,
    ),
    delete("unlink_company_contact", "/companies/{company_id}/linked_contacts/{contact_id}"),
    post(
        "set_company_synced_status",
        "/companies/{company_id}/synced_status",
        body=bodies.SetCompanySyncedStatus,
    ),
    delete("remove_company_synced_status", "/companies/{company_id}/synced_status"),
    get("list_company_pinned_attachments", "/companies/{company_id}/pinned_attachments"),
    patch("update_company_logo", "/companies/{company_id}/logo", body=bodies.CompanyLogo),
    delete("delete_company_logo", "/companies/{company_id}/logo"),
    get(
        "list_contacts",
        "/contacts",
        query=PAGES
        | PERIOD
        | TAGGED
        | OF_PEOPLE
        | OF_CONTACTS
        | {
            "search": str,
            "has_actions_today": bool,
            "not_linked_with": str,
            "owner_id": str,
            "company_id": str,
            "fields": str,
            "date_filter": ListCallsSortBy,
            "sort_by": ListCompanyLinkedContactsSortBy,
            "order": Order,
        },
    ),
    post("create_contact", "/contacts", body=bodies.Contact),
    get("get_contact", "/contacts/{contact_id}"),
    put(
        "update_contact",
        "/contacts/{contact_id}",
        query={"partial": bool},
        body=bodies.Contact,
        defaults=PARTIALLY,
    ),
    delete("delete_contact", "/contacts/{contact_id}", query={"undo": bool}, restored_by="undo"),
    post("create_contact_photo", "/contacts/{contact_id}/contact_photo", body=bodies.CompanyLogo),
    put("update_contact_photo", "/contacts/{contact_id}/contact_photo", body=bodies.CompanyLogo),
    delete("delete_contact_photo", "/contacts/{contact_id}/contact_photo"),
    get("list_contacts_by_filter", "/contacts/filters/{filter_id}"),
    delete("delete_contacts", "/contacts/delete", query={"ids": Required[str]}),
    post("save_contact_to_google_contacts", "/contacts/{contact_id}/google_contacts"),
    get(
        "list_contact_actions",
        "/contacts/{contact_id}/actions",
        query=PAGES
        | PERIOD
        | OF_ACTIONS
        | {"done": bool, "status": str, "sort_by": ListRelationshipTypesSortBy, "order": Order},
    ),
    post("create_contact_action", "/contacts/{contact_id}/actions", body=bodies.ContactAction),
    get(
        "list_contact_deals",
        "/contacts/{contact_id}/deals",
        query=PAGES
        | PERIOD
        | OF_DEALS
        | {"name": str, "search": str, "status": str, "owner_id": str, "order": Order},
    ),
    post("create_contact_deal", "/contacts/{contact_id}/deals", body=bodies.ContactDeal),
    get(
        "list_contact_notes",
        "/contacts/{contact_id}/notes",
        query=PAGES | DATES | PERIOD | {"order": Order},
    ),
    post("create_contact_note", "/contacts/{contact_id}/notes", body=bodies.ContactNote),
    get(
        "list_contact_calls",
        "/contacts/{contact_id}/calls",
        query=PAGES
        | PERIOD
        | {"date_filter": ListCallsDateFilter, "sort_by": ListCallsSortBy, "order": Order},
    ),
    post("create_contact_call", "/contacts/{contact_id}/calls", body=bodies.ContactCall),
    get(
        "list_contact_meetings",
        "/contacts/{contact_id}/meetings",
        query=PAGES
        | PERIOD
        | {"date_filter": ListMeetingsDateFilter, "sort_by": ListCallsSortBy, "order": Order},
    ),
    post("create_contact_meeting", "/contacts/{contact_id}/meetings", body=bodies.ContactMeeting),
    get(
        "list_contact_relationships",
        "/contacts/{contact_id}/relationships",
        query=PAGES
        | PERIOD
        | {
            "relationship_type_id": str,
            "contact_id_filter": str,
            "variant_id_filter": str,
            "search": str,
            "symmetrical": bool,
            "date_filter": ListCallsSortBy,
            "sort_by": ListRelationshipTypesSortBy,
            "order": Order,
        },
    ),
    post(
        "create_contact_relationship",
        "/contacts/{contact_id}/relationships",
        body=bodies.ContactRelationship,
    ),
    get("get_contact_relationship", "/contacts/{contact_id}/relationships/{relationship_id}"),
    put(
        "update_contact_relationship",
        "/contacts/{contact_id}/relationships/{relationship_id}",
        query={"partial": bool},
        body=bodies.ContactRelationship,
        defaults=PARTIALLY,
    ),
    delete(
        "delete_contact_relationship",
        "/contacts/{contact_id}/relationships/{relationship_id}",
        query={"undo": bool},
        restored_by="undo",
    ),
    put("assign_contact_tag", "/contacts/{contact_id}/assign_tag/{tag_name}"),
    put("unassign_contact_tag", "/contacts/{contact_id}/unassign_tag/{tag_name}"),
    put("change_contact_status", "/contacts/{contact_id}/change_status/{status_id}"),
    put("change_contact_owner", "/contacts/{contact_id}/change_owner/{owner_id}"),
    put("star_contact", "/contacts/{contact_id}/star"),
    put("unstar_contact", "/contacts/{contact_id}/unstar"),
    put(
        "close_contact_sales_cycle",
        "/contacts/{contact_id}/close_sales_cycle",
        body=bodies.CloseContactSalesCycle,
    ),
    put(
        "force_close_contact_sales_cycle",
        "/contacts/{contact_id}/force_close_sales_cycle",
        body=bodies.CloseContactSalesCycle,
    ),
    put("reopen_contact_sales_cycle", "/contacts/{contact_id}/reopen_sales_cycle"),
    put("split_contact", "/contacts/{contact_id}/split", body=bodies.SplitContact),
    get("list_contact_pinned_attachments", "/contacts/{contact_id}/pinned_attachments"),
    get("list_contacts_cascade", "/contacts/cascade"),
    get("list_contacts_cascade_after", "/contacts/cascade/{last_id}"),
    get(
        "get_action_stream",
        "/action_stream",
        query=PAGES
        | PERIOD
        | TAGGED
        | OF_PEOPLE
        | OF_CONTACTS
        | {
            "search": str,
            "owner_id": str,
            "company_id": str,
            "date_filter": ListCallsSortBy,
            "sort_by": ListCompanyLinkedContactsSortBy,
            "order": Order,
        },
    ),
    get(
        "get_team_stream",
        "/team_stream",
        query=PAGES
        | PERIOD
        | TAGGED
        | OF_PEOPLE
        | OF_CONTACTS
        | {
            "user_id": str,
            "search": str,
            "owner_id": str,
            "company_id": str,
            "date_filter": ListCallsSortBy,
            "sort_by": ListCompanyLinkedContactsSortBy,
            "order": Order,
        },
    ),
    get("list_notifications", "/notifications", query=PAGES),
    get("get_notification", "/notifications/{notification_id}"),
    post("mark_notification_as_read", "/notifications/{notification_id}/mark_as_read"),
    post("mark_all_notifications_as_read", "/notifications/mark_all_as_read"),
    get("list_webhooks", "/webhooks"),
    get("get_webhook", "/webhooks/{webhook_id}"),
    delete("delete_webhook", "/webhooks/{webhook_id}"),
    get("list_pipelines", "/pipelines"),
    get("get_pipeline", "/pipelines/{pipeline_id}"),
)
