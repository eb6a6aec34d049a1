"""Records of OnePageCRM as documented, and as live accounts were seen to send them beyond that.

``auth_key`` of the bootstrap answer is left out: see `NEVER_KEPT_OF_SETTINGS`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.connector import JSON, Schema

_text = pl.String
_texts = pl.List(pl.String)
_float = pl.Float64
_int = pl.Int64
_bool = pl.Boolean

TIMES: Schema = {"created_at": _text, "modified_at": _text}
_TYPED = pl.List(pl.Struct({"type": _text, "value": _text}))
_ADDRESS = {
    "address": _text,
    "city": _text,
    "state": _text,
    "zip_code": _text,
    "country_code": _text,
}
_COUNTS: Schema = {
    "counts": _int,
    "total_count": _int,
    "action_stream_count": _int,
    "team_counts": pl.List(pl.Struct({"user_id": _text, "counts": _int})),
}
_THUMBNAIL = pl.Struct({"url": _text})
_ATTACHMENTS = pl.List(
    pl.Struct(
        {
            "id": _text,
            "filename": _text,
            "custom_filename": _text,
            "pinned": _bool,
            "pinned_at": _text,
            "size": _int,
            "storage_provider": _text,
            "url": _text,
            "url_expires_at": _text,
            "thumbnail": _THUMBNAIL,
        }
    )
)

#: what is read of no answer, since it opens the account
NEVER_KEPT_OF_SETTINGS = {"data.auth_key": "the key that signs the requests of the user"}
NEVER_KEPT_OF_WEBHOOKS = {
    "secretkey": "what tells a receiver that a message is of the service",
    "hook_url": "the address of a receiver: many of them take whatever is sent to it",
}
FIELD: Schema = {"id": _text, "name": _text, "type": _text, "position": _int, "choices": _texts}


def _values(key: str) -> pl.List:
    """Custom values: the field's definition and the value, as text whatever its type."""
    return pl.List(pl.Struct({key: pl.Struct(dict(FIELD)), "value": _text}))


USER: Schema = {
    "id": _text,
    "first_name": _text,
    "last_name": _text,
    "email": _text,
    "company_name": _text,
    "account_rights": _texts,
    "account_role": _text,
    "photo_url": _text,
    "country_code": _text,
    "bcc_email": _text,
    "google_contacts_email": _text,
    "virtual_group_id": _text,
}
PIPELINE: Schema = {
    "id": _text,
    "name": _text,
    "type": _text,
    "default": _bool,
    "won_column_enabled": _bool,
    "won_column_name": _text,
    "stages": pl.List(pl.Struct({"stage": _int, "label": _text})),
}
STATUS: Schema = {
    "id": _text,
    "status": _text,
    "text": _text,
    "description": _text,
    "color": _text,
    **_COUNTS,
}
LEAD_SOURCE: Schema = {"id": _text, "text": _text, **_COUNTS}
CALL_RESULT: Schema = {
    "result": _text,
    "text": _text,
    "counts": _int,
    "total_counts": _int,
    "team_counts": pl.List(pl.Struct({"user_id": _text, "counts": _int})),
}
COUNTRY: Schema = {"name": _text, "code": _text, "phone_prefix": _text}
PREDEFINED_ACTION: Schema = {"id": _text, "text": _text, "days": _int, "action_group_id": _text}
PREDEFINED_ACTION_GROUP: Schema = {
    "id": _text,
    "text": _text,
    "position": _int,
    "action_ids": _texts,
}
PREDEFINED_ITEM: Schema = {
    "id": _text,
    "name": _text,
    "description": _text,
    "cost": _float,
    "price": _float,
    "position": _int,
    "item_group_id": _text,
}
PREDEFINED_ITEM_GROUP: Schema = {
    "id": _text,
    "name": _text,
    "cost": _float,
    "price": _float,
    "position": _int,
    "count": _int,
    "subcount": _int,
    "item_ids": _texts,
}
FILTER: Schema = {"id": _text, "name": _text, "conditions": pl.List(_texts)}
#: the rest of a webhook opens its receiver: see `NEVER_KEPT_OF_WEBHOOKS`
WEBHOOK: Schema = {"id": _text, "name": _text}
NOTIFICATION: Schema = {
    "id": _text,
    "type": _text,
    "by": _text,
    "read": _bool,
    "user_id": _text,
    "contact_id": _text,
    "mobile_data": pl.Struct({"title": _text, "body": _text, "action_type": _text}),
    **TIMES,
}
RELATIONSHIP_TYPE: Schema = {
    "id": _text,
    "symmetrical": _bool,
    "relationship_variants": pl.List(pl.Struct({"id": _text, "name": _text})),
    **TIMES,
}
RELATIONSHIP: Schema = {
    "id": _text,
    "relationship_type_id": _text,
    "related_contacts": pl.List(
        pl.Struct(
            {
                "variant_id": _text,
                "variant_name": _text,
                "contact_id": _text,
                "first_name": _text,
                "last_name": _text,
                "photo_url": _text,
                "company_id": _text,
                "company_name": _text,
                "owner_id": _text,
            }
        )
    ),
    **TIMES,
}
_TAGS = pl.List(
    pl.Struct({"name": _text, "counts": _int, "total_count": _int, "action_stream_count": _int})
)
_SWITCHES = (
    "show_tidy_stream", "show_company_fields_with_contact", "company_phone_enabled", "company_url_enabled",
    "company_address_enabled", "company_description_enabled", "send_push_notifications", "clipper_beta",
    "bcc_email_enabled",
)  # fmt: skip
BOOTSTRAP: Schema = {
    "status": _int,
    "message": _text,
    "timestamp": _int,
    # documented as one object each, probably lists: kept as JSON text
    "lead_sources": JSON,
    "statuses": JSON,
    "contacts_count": JSON,
    "team_stream": JSON,
    "data": pl.Struct(
        {
            "user_id": _text,
            "account_type": _text,
            "settings": pl.Struct(
                {
                    "reminder": pl.Struct({"type": _text, "hour": _int}),
                    "time_zone": _text,
                    "not_working_days": _text,
                    "date_format": _text,
                    "time_with_ampm": _bool,
                    "listing_size": _int,
                    "currency": _text,
                    "currency_symbol": _text,
                    "separator": _text,
                    "delimiter": _text,
                    "popular_countries": _texts,
                    "deal_stages": pl.List(pl.Struct({"stage": _int, "label": _text})),
                    "default_contact_type": _text,
                    **dict.fromkeys(_SWITCHES, _bool),
                }
            ),
            "cost_setup": pl.Struct(
                {
                    "cost_enabled": _bool,
                    "cost_required": _bool,
                    "commission_base": _text,
                    "commission_percentage": _float,
                }
            ),
            "filters": pl.List(pl.Struct(dict(FILTER))),
            "call_results_order": _texts,
            "next_action_dates": pl.List(pl.Struct({"number": _int, "period": _text})),
            "predefined_actions": pl.List(pl.Struct({"id": _text, "text": _text, "days": _int})),
            "contact_titles": _texts,
        }
    ),
    "tags": pl.Struct({"tags": _TAGS, "system_tags": _TAGS}),
}
CONTACT: Schema = {
    "id": _text,
    "title": _text,
    "first_name": _text,
    "last_name": _text,
    "job_title": _text,
    "starred": _bool,
    "photo_url": _text,
    "company_id": _text,
    "company_name": _text,
    "url": _text,
    "urls": _TYPED,
    "phones": _TYPED,
    "emails": _TYPED,
    "address_list": pl.List(pl.Struct({**_ADDRESS, "type": _text})),
    "status": _text,
    "status_id": _text,
    "tags": _texts,
    "lead_source_id": _text,
    "lead_source": _text,
    "background": _text,
    "owner_id": _text,
    "custom_fields": _values("custom_field"),
    "letter": _text,
    "pending_deal": _bool,
    "total_pendings": _float,
    "total_deals_count": _int,
    "company_size": _int,
    "sales_closed_for": _texts,
    "closed_sales": pl.List(pl.Struct({"user_id": _text, "closed_at": _int, "comment": _text})),
    "google_contacts_data": pl.Struct({"account_email": _text, "id": _text, "saved_at": _int}),
    "email_sync_available": _bool,
    "email_sync_enabled": _bool,
    "enhanceable": _bool,
    **TIMES,
}
ACTION: Schema = {
    "id": _text,
    "assignee_id": _text,
    "contact_id": _text,
    "text": _text,
    "status": _text,
    "date": _text,
    "exact_time": _int,
    "position": _int,
    "done": _bool,
    "done_at": _text,
    "externally_controlled": _bool,
    **TIMES,
}
COMPANY: Schema = {
    "id": _text,
    "image": _text,
    "name": _text,
    "description": _text,
    "phone": _text,
    "photo_url": _text,
    "url": _text,
    "address": pl.Struct(_ADDRESS),
    "company_fields": _values("company_field"),
    "syncing_status": _bool,
    "synced_status_id": _text,
    "syncing_tags": _bool,
    "synced_tags": _texts,
    "contacts_count": _int,
    "won_deals_count": _int,
    "total_won_amount": _float,
    "pending_deals_count": _int,
    "total_pending_amount": _float,
    "contacts": JSON,
    "pending_deals": JSON,
    **TIMES,
}
BESIDE_CONTACT: Schema = {
    "next_actions": pl.List(pl.Struct(dict(ACTION))),
    "next_action": pl.Struct(dict(ACTION)),
    "queued_actions": pl.List(pl.Struct(dict(ACTION))),
    "most_urgent_action": pl.Struct(dict(ACTION)),
    "next_action_conflicts": _texts,
    "company": pl.Struct(dict(COMPANY)),
}
#: beside contacts that are asked for with it
PINNED: Schema = {"pinned_attachments": _ATTACHMENTS}
LINKED_CONTACT: Schema = {
    "contact": pl.Struct(dict(CONTACT)),
    **BESIDE_CONTACT,
    "linked_with": _texts,
}
DEAL_ITEM = pl.Struct(
    {
        "id": _text,
        "name": _text,
        "description": _text,
        "cost": _float,
        "price": _float,
        "amount": _float,
        "qty": _float,
        "deal_id": _text,
        "predefined_item_id": _text,
        "position": _int,
        **TIMES,
    }
)
DEAL: Schema = {
    "id": _text,
    "contact_id": _text,
    "owner_id": _text,
    "pipeline_id": _text,
    "sales_pipeline_id": _text,
    "name": _text,
    "text": _text,
    "stage": _int,
    "status": _text,
    "expected_close_date": _text,
    "close_date": _text,
    "date": _text,
    "amount": _float,
    "months": _int,
    "cost": _float,
    "margin": _float,
    "total_amount": _float,
    "total_cost": _float,
    "commission_base": _text,
    "commission_type": _text,
    "commission": _float,
    "commission_percentage": _float,
    "reason_lost_id": _text,
    "deal_fields": _values("deal_field"),
    "has_deal_items": _bool,
    "deal_items": pl.List(DEAL_ITEM),
    "author": _text,
    "has_related_notes": _bool,
    "attachments": _ATTACHMENTS,
    "contact_info": pl.Struct({"contact_name": _text, "company": _text, "contact_owner_id": _text}),
    "owner": pl.Struct({"id": _text, "name": _text, "email": _text}),
    "previous_pipeline_stages": JSON,
    "linked_contacts": pl.List(
        pl.Struct({"id": _text, "contact_name": _text, "company": _text, "photo_url": _text})
    ),
    **TIMES,
}
NOTE: Schema = {
    "id": _text,
    "contact_id": _text,
    "text": _text,
    "date": _text,
    "linked_deal_id": _text,
    "linked_deal_name": _text,
    "author": _text,
    "attachments": _ATTACHMENTS,
    **TIMES,
}
CALL: Schema = {
    "id": _text,
    "contact_id": _text,
    "text": _text,
    "call_result": _text,
    "call_time_int": _int,
    "via": _text,
    "phone_number": _text,
    "recording_link": _text,
    "author": _text,
    "attachments": _ATTACHMENTS,
    "index": _int,
    **TIMES,
}
MEETING: Schema = {
    "id": _text,
    "contact_id": _text,
    "text": _text,
    "meeting_time_int": _int,
    "place": _text,
    "author": _text,
    "attachments": _ATTACHMENTS,
    "index": _int,
    **TIMES,
}

_VALUES = pl.List(pl.Struct({"value": _text}))


def _lean_values(key: str) -> pl.List:
    return pl.List(pl.Struct({key: pl.Struct({"id": _text, "name": _text}), "value": _text}))


#: what the shared tables read of nested fields
LEAN: Schema = {
    "phones": _VALUES,
    "emails": _VALUES,
    "address_list": pl.List(pl.Struct(_ADDRESS)),
    "custom_fields": _lean_values("custom_field"),
    "company_fields": _lean_values("company_field"),
    "deal_fields": _lean_values("deal_field"),
    "contact_info": pl.Struct({"contact_name": _text, "company": _text}),
    "owner": pl.Struct({"id": _text, "name": _text}),
    "linked_contacts": pl.List(pl.Struct({"id": _text})),
}


# ---- which of them tell nothing of a person --------------------------------------------------------


def _names(*names: str) -> tuple[str, ...]:
    return tuple(name for several in names for name in several.split())


_CONTACT_NOT_PERSONAL = _names(
    "starred job_title company_id company_name status status_id tags lead_source_id lead_source "
    "owner_id",
    "pending_deal total_pendings total_deals_count company_size sales_closed_for "
    "email_sync_available",
    "email_sync_enabled enhanceable created_at modified_at",
)
_LISTS_OF_CONTACTS = (
    "contacts", "filtered_contacts", "action_stream", "team_stream", "all_contacts", "pinned_attachments",
)  # fmt: skip

NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_LISTS_OF_CONTACTS, _CONTACT_NOT_PERSONAL),
    "bootstrap": _names("status message timestamp lead_sources statuses contacts_count tags"),
    "users": _names("company_name account_rights account_role country_code virtual_group_id"),
    "pipelines": tuple(PIPELINE),
    "statuses": tuple(STATUS),
    "lead_sources": tuple(LEAD_SOURCE),
    **dict.fromkeys(("custom_fields", "company_fields", "deal_fields"), tuple(FIELD)),
    "companies": _names(
        "name url image photo_url syncing_status synced_status_id syncing_tags synced_tags "
        "contacts_count",
        "won_deals_count total_won_amount pending_deals_count total_pending_amount created_at "
        "modified_at",
    ),
    "deals": _names(
        "contact_id owner_id pipeline_id sales_pipeline_id stage status expected_close_date "
        "close_date date amount",
        "months cost margin total_amount total_cost commission_base commission_type commission "
        "commission_percentage",
        "reason_lost_id has_deal_items deal_items has_related_notes previous_pipeline_stages "
        "created_at modified_at",
    ),
    "actions": _names(
        "assignee_id contact_id status date exact_time position done done_at externally_controlled",
        "created_at modified_at",
    ),
    "notes": _names("contact_id date linked_deal_id created_at modified_at"),
    "calls": _names("contact_id call_result call_time_int via index created_at modified_at"),
    "meetings": _names("contact_id meeting_time_int place index created_at modified_at"),
    "call_results": tuple(CALL_RESULT),
    "countries": tuple(COUNTRY),
    "predefined_items": tuple(PREDEFINED_ITEM),
    "predefined_item_groups": tuple(PREDEFINED_ITEM_GROUP),
    "predefined_actions": tuple(PREDEFINED_ACTION),
    "predefined_action_groups": tuple(PREDEFINED_ACTION_GROUP),
    "webhooks": _names("name hook_host"),
    "notifications": _names("type read user_id contact_id created_at modified_at"),
    "relationship_types": tuple(RELATIONSHIP_TYPE),
    "relationships": _names("relationship_type_id created_at modified_at"),
}
