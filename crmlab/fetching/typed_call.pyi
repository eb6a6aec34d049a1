"""What type checkers know of `crmlab.call`. Written by docs/calls.py: do not edit, ``make names``.

A name that is computed, or of another package, is passed as `typing.Any`: a cell of the frame of
`crmlab.operations` is one.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Required, TypedDict, Unpack, overload

from crmlab.accounts import Account
from crmlab.connector import Timeouts

class _Options(TypedDict, total=False):
    as_frame: bool
    as_model: Any
    timeouts: Timeouts | None
    dry_run: bool
    allow_destructive: bool
    allow_dangerous: bool
    spool: str | Path | None

class _Takes1(_Options, total=False):
    matching: Literal['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'profile_id', 'push_sub', 'custom', 'custom_sub', 'email_phone', 'email_phone_sub']
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: str
    resource_id: int | str
    db_id: Required[int | str]
class _Takes2(_Options, total=False):
    from_id: str
    limit: int | str
    db_id: Required[int | str]
    query: Mapping[str, Any]
    fields: list[str]
class _Takes3(_Options, total=False):
    source_type: Required[Literal['database', 'segment']]
    source_id: Required[int | str]
    file_format: Literal['csv', 'json']
    custom_request: Mapping[str, Any]
class _Takes4(_Options, total=False):
    db_id: Required[int | str]
    skip_triggers: bool
    skip_invalid_subscriptions: bool
    detect_geo: bool
    matching: Literal['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'profile_id', 'push_sub', 'custom', 'custom_sub', 'email_phone', 'email_phone_sub']
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: str
    resource_id: int | str
    data: Required[Mapping[str, Any]]
class _Takes5(_Options, total=False):
    db_id: Required[int | str]
    skip_triggers: bool
    skip_invalid_subscriptions: bool
    detect_geo: bool
    matching: Literal['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'profile_id', 'push_sub', 'custom', 'custom_sub', 'email_phone', 'email_phone_sub']
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: str
    resource_id: int | str
    data: Required[list[Mapping[str, Any]]]
class _Takes6(_Options, total=False):
    segment_id: Required[int | str]
    db_id: Required[int | str]
    profile_id: Required[str]
    skip_triggers: bool
class _Takes7(_Options, total=False):
    db_id: Required[int | str]
class _Takes8(_Options, total=False):
    matching: Literal['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'profile_id', 'push_sub', 'custom', 'custom_sub', 'email_phone', 'email_phone_sub']
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: str
    resource_id: int | str
    date_from: str
    date_to: str
    list_id: Required[int | str]
    xxh: str
class _Takes9(_Options, total=False):
    from_id: str
    limit: int | str
    list_id: Required[int | str]
    date_from: Required[str]
    date_to: Required[str]
    fields: list[str]
class _Takes10(_Options, total=False):
    db_id: Required[int | str]
    profile_id: Required[str]
class _Takes11(_Options, total=False):
    from_id: str
    limit: int | str
    resource_id: Required[int | str]
    db_id: int | str
    channel: Literal['email', 'sms', 'push', 'notify', 'viber', 'whatsapp', 'telegram_bot']
    status: str
class _Takes12(_Options, total=False):
    id: Required[int | str]
class _Takes13(_Options, total=False):
    from_id: int | str
    limit: int | str
    ui_tags: list[str]
    groups: list[str]
    groups_id: list[int | str]
class _Takes14(_Options, total=False):
    id: Required[int | str]
    resource_id: Required[int | str]
class _Takes15(_Options, total=False):
    id: Required[int | str]
    resource_id: Required[int | str]
    feedback: Mapping[str, Any]
class _Takes16(_Options, total=False):
    id: Required[int | str]
    feedback: Mapping[str, Any]
    list_id: Required[int | str]
class _Takes17(_Options, total=False):
    id: Required[int | str]
    resource_id: Required[int | str]
    db_id: int | str
    list_id: int | str
class _Takes18(_Options, total=False):
    id: Required[int | str]
    resource_id: Required[int | str]
    feedback: Mapping[str, Any]
    db_id: int | str
class _Takes19(_Options, total=False):
    from_id: int | str
    limit: int | str
    ui_tags: list[str]
    groups: list[str]
    groups_id: list[int | str]
    type: Literal['broadcast', 'regular', 'trigger']
    is_active: bool
    attributes: list[str]
class _Takes20(_Options, total=False):
    id: Required[int | str]
    from_time: str
    limit: int | str
class _Takes21(_Options, total=False):
    from_id: int | str
    limit: int | str
    ui_tags: list[str]
    groups: list[str]
    groups_id: list[int | str]
    type: Literal['broadcast']
class _Takes22(_Options, total=False):
    from_id: int | str
    limit: int | str
    ui_tags: list[str]
    groups: list[str]
    groups_id: list[int | str]
    state: Literal['cloning', 'inactive', 'waiting', 'active', 'completed', 'deleted']
class _Takes23(_Options, total=False):
    db_id: Required[int | str]
    skip_triggers: bool
    skip_invalid_subscriptions: bool
    detect_geo: bool
    matching: Literal['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'profile_id', 'push_sub', 'custom', 'custom_sub', 'email_phone', 'email_phone_sub']
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: str
    resource_id: int | str
    workflow_id: int | str
    data: Required[list[Mapping[str, Any]]]
class _Takes24(_Options, total=False):
    matching: Literal['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'profile_id', 'push_sub', 'custom', 'custom_sub', 'email_phone', 'email_phone_sub']
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: str
    resource_id: int | str
    db_id: Required[int | str]
    pixel_id: Required[int | str]
    goal: str
    goals: list[Mapping[str, Any]]
    value: float | str
    date: str
    pixel_data: Mapping[str, Any]
    skip_triggers: bool
    enrich_profile: bool
    is_test: bool
    vendor: str
class _Takes25(_Options, total=False):
    task_id: Required[int | str]
class _Takes26(_Options, total=False):
    folder: Required[str]
    file: Required[str]
class _Takes27(_Options, total=False):
    from_id: int | str
    limit: int | str
class _Takes28(_Options, total=False):
    filter_begin_date: Required[date | str]
    filter_end_date: Required[date | str]
    filter_sup_filters_location: list[Literal[0, 1]]
    filter_sup_filters_device: list[Literal[0, 1, 2, 3]]
class _Takes29(_Options, total=False):
    pass
class _Takes30(_Options, total=False):
    body: Required[Mapping[str, Any]]
class _Takes31(_Options, total=False):
    include: list[Literal['container', 'tags']]
    body: Required[Mapping[str, Any]]
class _Takes32(_Options, total=False):
    id: Required[int | str]
    include: list[Literal['container', 'tags']]
class _Takes33(_Options, total=False):
    id: Required[int | str]
    body: Required[Mapping[str, Any]]
class _Takes34(_Options, total=False):
    include: list[Literal['categories']]
class _Takes35(_Options, total=False):
    include: list[Literal['connector', 'environment', 'health']]
class _Takes36(_Options, total=False):
    id: Required[int | str]
    include: list[Literal['connector', 'environment', 'health']]
class _Takes37(_Options, total=False):
    id: Required[str]
    start: str
    end: str
    granularity: str
class _Takes38(_Options, total=False):
    id: Required[str]
    start: str
    end: str
    granularity: str
    filter_type: str
class _Takes39(_Options, total=False):
    issueId: Required[str]
class _Takes40(_Options, total=False):
    include: list[Literal['owner', 'claims']]
    page: Mapping[str, Any]
    filter: Mapping[str, Any]
    sort: str
class _Takes41(_Options, total=False):
    id: Required[int | str]
    include: list[Literal['owner', 'claims']]
class _Takes42(_Options, total=False):
    source: str
class _Takes43(_Options, total=False):
    filter_rangeType: Literal['absolute', 'relative']
    filter_from: Any
    filter_to: Any
    filter_search: str
    include: Any
class _Takes44(_Options, total=False):
    filter_segment_id: Required[float | str]
    filter_from: Required[Any]
    filter_to: Required[Any]
class _Takes45(_Options, total=False):
    filter: Mapping[str, Any]
class _Takes46(_Options, total=False):
    include: list[Literal['store', 'variables', 'sources']]
    page: Mapping[str, Any]
    sort: Mapping[str, Any]
    filter: Mapping[str, Any]
class _Takes47(_Options, total=False):
    id: Required[int | str]
    include: list[Literal['store', 'variables', 'sources']]
class _Takes48(_Options, total=False):
    id: Required[int | str]
    include: list[Literal['store', 'variables', 'sources']]
    body: Required[Mapping[str, Any]]
class _Takes49(_Options, total=False):
    include: list[Literal['notification', 'creator']]
    filter: Mapping[str, Any]
class _Takes50(_Options, total=False):
    include: list[Literal['vendor', 'category', 'fields']]
class _Takes51(_Options, total=False):
    id: Required[str]
class _Takes52(_Options, total=False):
    id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes53(_Options, total=False):
    cookieName: Required[str]
class _Takes54(_Options, total=False):
    custom_field: Required[str]
class _Takes55(_Options, total=False):
    custom_field: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes56(_Options, total=False):
    include: list[Literal['cookie']]
class _Takes57(_Options, total=False):
    cookie_scanner: Required[str]
    include: list[Literal['cookie']]
class _Takes58(_Options, total=False):
    version: Required[str]
class _Takes59(_Options, total=False):
    version: Required[str]
    format: Required[str]
    language: Required[str]
class _Takes60(_Options, total=False):
    contact_id: Required[str]
class _Takes61(_Options, total=False):
    contact_id: Required[str]
    event_id: Required[str]
class _Takes62(_Options, total=False):
    type: Literal['confirm', 'update', 'documentation']
    from_: str
    to: str
    limit: str
    cursor: str
class _Takes63(_Options, total=False):
    type: Literal['confirm', 'update', 'documentation']
    limit: str
class _Takes64(_Options, total=False):
    body: Required[list[Mapping[str, Any]]]
class _Takes65(_Options, total=False):
    from_: str
    to: str
    limit: str
    cursor: str
class _Takes66(_Options, total=False):
    user_id: Required[str]
class _Takes67(_Options, total=False):
    user_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes68(_Options, total=False):
    lead_source_id: Required[str]
class _Takes69(_Options, total=False):
    lead_source_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes70(_Options, total=False):
    status_id: Required[str]
class _Takes71(_Options, total=False):
    status_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes72(_Options, total=False):
    page: int | str
    per_page: int | str
    sort_by: Literal['created_at', 'modified_at', 'updated_at', 'position']
    order: Literal['asc', 'desc']
class _Takes73(_Options, total=False):
    deal_field_id: Required[str]
class _Takes74(_Options, total=False):
    deal_field_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes75(_Options, total=False):
    custom_field_id: Required[str]
class _Takes76(_Options, total=False):
    custom_field_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes77(_Options, total=False):
    company_field_id: Required[str]
class _Takes78(_Options, total=False):
    company_field_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes79(_Options, total=False):
    predefined_action_id: Required[str]
class _Takes80(_Options, total=False):
    predefined_action_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes81(_Options, total=False):
    predefined_action_group_id: Required[str]
class _Takes82(_Options, total=False):
    predefined_action_group_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes83(_Options, total=False):
    predefined_item_id: Required[str]
class _Takes84(_Options, total=False):
    predefined_item_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes85(_Options, total=False):
    predefined_item_group_id: Required[str]
class _Takes86(_Options, total=False):
    page: int | str
    per_page: int | str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date']
    sort_by: Literal['created_at', 'modified_at', 'updated_at', 'date']
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    contact_id: str
    company_id: str
    order: Literal['asc', 'desc']
class _Takes87(_Options, total=False):
    note_id: Required[str]
class _Takes88(_Options, total=False):
    note_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes89(_Options, total=False):
    note_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes90(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    contact_id: str
    company_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'call_time']
    sort_by: Literal['created_at', 'modified_at', 'updated_at']
    order: Literal['asc', 'desc']
class _Takes91(_Options, total=False):
    call_id: Required[str]
class _Takes92(_Options, total=False):
    call_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes93(_Options, total=False):
    call_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes94(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    contact_id: str
    company_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'meeting_time']
    sort_by: Literal['created_at', 'modified_at', 'updated_at']
    order: Literal['asc', 'desc']
class _Takes95(_Options, total=False):
    meeting_id: Required[str]
class _Takes96(_Options, total=False):
    meeting_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes97(_Options, total=False):
    meeting_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes98(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    stage: int | str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date', 'close_date', 'expected_close_date']
    sort_by: Literal['created_at', 'modified_at', 'date', 'close_date', 'expected_close_date']
    tag: str
    filter_id: str
    name: str
    search: str
    status: str
    pipeline_id: str
    sales_pipeline_id: str
    owner_id: str
    contact_id: str
    company_id: str
    fields: str
    include_history: bool
    order: Literal['asc', 'desc']
class _Takes99(_Options, total=False):
    deal_id: Required[str]
    include_history: bool
class _Takes100(_Options, total=False):
    deal_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes101(_Options, total=False):
    deal_id: Required[str]
class _Takes102(_Options, total=False):
    deal_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes103(_Options, total=False):
    attachment_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes104(_Options, total=False):
    attachment_id: Required[str]
class _Takes105(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    search: str
    symmetrical: bool
    date_filter: Literal['created_at', 'modified_at', 'updated_at']
    sort_by: Literal['created_at', 'modified_at']
    order: Literal['asc', 'desc']
class _Takes106(_Options, total=False):
    relationship_type_id: Required[str]
class _Takes107(_Options, total=False):
    relationship_type_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes108(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    assignee_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date', 'close_date']
    done: bool
    status: str
    contact_id: str
    company_id: str
    sort_by: Literal['created_at', 'modified_at']
    order: Literal['asc', 'desc']
class _Takes109(_Options, total=False):
    action_id: Required[str]
class _Takes110(_Options, total=False):
    action_id: Required[str]
    done: bool
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes111(_Options, total=False):
    action_id: Required[str]
    undo: bool
class _Takes112(_Options, total=False):
    page: int | str
    per_page: int | str
class _Takes113(_Options, total=False):
    filter_id: Required[str]
class _Takes114(_Options, total=False):
    page: int | str
    per_page: int | str
    phone: str
    letter: str
    name: str
    sort_by: Literal['created_at', 'modified_at', 'name']
    order: Literal['asc', 'desc']
class _Takes115(_Options, total=False):
    company_id: Required[str]
class _Takes116(_Options, total=False):
    company_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes117(_Options, total=False):
    company_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    assignee_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date', 'close_date']
    done: bool
    status: str
    sort_by: Literal['created_at', 'modified_at']
    order: Literal['asc', 'desc']
class _Takes118(_Options, total=False):
    company_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    stage: int | str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date', 'close_date', 'expected_close_date']
    sort_by: Literal['created_at', 'modified_at', 'date', 'close_date', 'expected_close_date']
    name: str
    search: str
    status: str
    owner_id: str
    order: Literal['asc', 'desc']
class _Takes119(_Options, total=False):
    company_id: Required[str]
    page: int | str
    per_page: int | str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date']
    sort_by: Literal['created_at', 'modified_at', 'updated_at', 'date']
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    order: Literal['asc', 'desc']
class _Takes120(_Options, total=False):
    company_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'call_time']
    sort_by: Literal['created_at', 'modified_at', 'updated_at']
    order: Literal['asc', 'desc']
class _Takes121(_Options, total=False):
    company_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'meeting_time']
    sort_by: Literal['created_at', 'modified_at', 'updated_at']
    order: Literal['asc', 'desc']
class _Takes122(_Options, total=False):
    company_id: Required[str]
    page: int | str
    per_page: int | str
    sort_by: Literal['created_at', 'modified_at', 'first_name', 'last_name', 'company_name', 'name']
    order: Literal['asc', 'desc']
class _Takes123(_Options, total=False):
    company_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes124(_Options, total=False):
    company_id: Required[str]
    contact_id: Required[str]
class _Takes125(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    tag: str
    filter_id: str
    phone: str
    letter: str
    team: bool
    url: str
    action_stream: bool
    has_actions: bool
    has_actions_for_me: bool
    pending_deal: bool
    starred: bool
    waiting: bool
    email: str
    custom_field_id: str
    custom_field_value: str
    lead_source: str
    lead_source_id: str
    status_id: str
    search: str
    has_actions_today: bool
    not_linked_with: str
    owner_id: str
    company_id: str
    fields: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at']
    sort_by: Literal['created_at', 'modified_at', 'first_name', 'last_name', 'company_name', 'name']
    order: Literal['asc', 'desc']
class _Takes126(_Options, total=False):
    contact_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes127(_Options, total=False):
    contact_id: Required[str]
    undo: bool
class _Takes128(_Options, total=False):
    contact_id: Required[str]
    body: Required[Mapping[str, Any]]
class _Takes129(_Options, total=False):
    ids: Required[str]
class _Takes130(_Options, total=False):
    contact_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    assignee_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date', 'close_date']
    done: bool
    status: str
    sort_by: Literal['created_at', 'modified_at']
    order: Literal['asc', 'desc']
class _Takes131(_Options, total=False):
    contact_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    stage: int | str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date', 'close_date', 'expected_close_date']
    sort_by: Literal['created_at', 'modified_at', 'date', 'close_date', 'expected_close_date']
    name: str
    search: str
    status: str
    owner_id: str
    order: Literal['asc', 'desc']
class _Takes132(_Options, total=False):
    contact_id: Required[str]
    page: int | str
    per_page: int | str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'date']
    sort_by: Literal['created_at', 'modified_at', 'updated_at', 'date']
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    order: Literal['asc', 'desc']
class _Takes133(_Options, total=False):
    contact_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'call_time']
    sort_by: Literal['created_at', 'modified_at', 'updated_at']
    order: Literal['asc', 'desc']
class _Takes134(_Options, total=False):
    contact_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at', 'meeting_time']
    sort_by: Literal['created_at', 'modified_at', 'updated_at']
    order: Literal['asc', 'desc']
class _Takes135(_Options, total=False):
    contact_id: Required[str]
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    relationship_type_id: str
    contact_id_filter: str
    variant_id_filter: str
    search: str
    symmetrical: bool
    date_filter: Literal['created_at', 'modified_at', 'updated_at']
    sort_by: Literal['created_at', 'modified_at']
    order: Literal['asc', 'desc']
class _Takes136(_Options, total=False):
    contact_id: Required[str]
    relationship_id: Required[str]
class _Takes137(_Options, total=False):
    contact_id: Required[str]
    relationship_id: Required[str]
    partial: bool
    body: Required[Mapping[str, Any]]
class _Takes138(_Options, total=False):
    contact_id: Required[str]
    relationship_id: Required[str]
    undo: bool
class _Takes139(_Options, total=False):
    contact_id: Required[str]
    tag_name: Required[str]
class _Takes140(_Options, total=False):
    contact_id: Required[str]
    status_id: Required[str]
class _Takes141(_Options, total=False):
    contact_id: Required[str]
    owner_id: Required[str]
class _Takes142(_Options, total=False):
    last_id: Required[str]
class _Takes143(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    tag: str
    filter_id: str
    phone: str
    letter: str
    team: bool
    url: str
    action_stream: bool
    has_actions: bool
    has_actions_for_me: bool
    pending_deal: bool
    starred: bool
    waiting: bool
    email: str
    custom_field_id: str
    custom_field_value: str
    lead_source: str
    lead_source_id: str
    status_id: str
    search: str
    owner_id: str
    company_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at']
    sort_by: Literal['created_at', 'modified_at', 'first_name', 'last_name', 'company_name', 'name']
    order: Literal['asc', 'desc']
class _Takes144(_Options, total=False):
    page: int | str
    per_page: int | str
    since: str
    until: str
    modified_since: str
    unmodified_since: str
    tag: str
    filter_id: str
    phone: str
    letter: str
    team: bool
    url: str
    action_stream: bool
    has_actions: bool
    has_actions_for_me: bool
    pending_deal: bool
    starred: bool
    waiting: bool
    email: str
    custom_field_id: str
    custom_field_value: str
    lead_source: str
    lead_source_id: str
    status_id: str
    user_id: str
    search: str
    owner_id: str
    company_id: str
    date_filter: Literal['created_at', 'modified_at', 'updated_at']
    sort_by: Literal['created_at', 'modified_at', 'first_name', 'last_name', 'company_name', 'name']
    order: Literal['asc', 'desc']
class _Takes145(_Options, total=False):
    notification_id: Required[str]
class _Takes146(_Options, total=False):
    webhook_id: Required[str]
class _Takes147(_Options, total=False):
    pipeline_id: Required[str]
class _Takes148(_Options, total=False):
    page: int | str
    page_size: int | str
class _Takes150(_Options, total=False):
    id: int | str
    activity_type: str
    label: str
    calendar_id: str
    all_day: bool
    dt_start: str
    dt_end: str
    rrule: str
    status: str
    users: str
    contacts: str
    subject: str
    body: str
@overload
async def call(account: Account, operation: Literal["profiles_get", "profiles_delete"], **arguments: Unpack[_Takes1]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["profiles_list"], **arguments: Unpack[_Takes2]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["profiles_get_all"], **arguments: Unpack[_Takes3]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["profiles_import"], **arguments: Unpack[_Takes4]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["profiles_import_batch"], **arguments: Unpack[_Takes5]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["profiles_segstatic_add", "profiles_segstatic_remove"], **arguments: Unpack[_Takes6]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["databases_fields_get"], **arguments: Unpack[_Takes7]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["subscribers_history_get"], **arguments: Unpack[_Takes8]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["subscribers_history_get_all"], **arguments: Unpack[_Takes9]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["subscriptions_list"], **arguments: Unpack[_Takes10]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["subscriptions_list_all"], **arguments: Unpack[_Takes11]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["resources_fields_get", "databases_get", "resources_get", "resources_get_counters", "segments_get", "campaigns_get", "campaigns_get_status", "campaigns_broadcasts_get", "tms_web_datalayer_variables_show", "tag_web_datalayer_variables_destroy", "tms_web_internal_variables_show", "tag_web_internal_variables_destroy", "tms_serverside_datalayer_variables_show", "tag_serverside_datalayer_variables_destroy", "tms_serverside_internal_variables_show", "tag_serverside_internal_variables_destroy", "tms_web_triggers_delete", "tms_web_constraints_show", "tms_web_constraints_destroy", "tms_web_perimeters_show", "tms_web_perimeters_destroy", "tms_serverside_constraints_show", "tms_serverside_constraints_destroy", "admin_workspace_destroy", "tms_web_datalayer_variable_categories_destroy", "tms_serverside_datalayer_variable_categories_destroy", "tms_web_containers_show", "tms_web_containers_destroy", "tms_serverside_containers_destroy", "tms_web_tags_show", "tms_web_tags_destroy", "tms_serverside_tags_show", "tms_serverside_tags_destroy", "platform_sources_show", "platform_sources_destroy", "platform_destinations_destroy", "ams_reports_data_show", "platform_integrations_destroy", "ams_redirect_rules_show", "ams_redirect_rules_update", "ams_redirect_rules_delete", "platform_event_enrichment_destroy", "platform_cleansing_transformations_show", "platform_cleansing_transformations_destroy", "monitoring_health_alert_show", "monitoring_health_alert_destroy", "monitoring_notification_show", "monitoring_notification_destroy", "admin_users_destroy", "monitoring_health_cookie_scanner_destroy"], **arguments: Unpack[_Takes12]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["databases_list", "resources_list", "segments_list", "campaigns_regulars_list"], **arguments: Unpack[_Takes13]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["databases_get_counters"], **arguments: Unpack[_Takes14]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["databases_refresh_counters"], **arguments: Unpack[_Takes15]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["resources_refresh_counters"], **arguments: Unpack[_Takes16]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["segments_get_counters"], **arguments: Unpack[_Takes17]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["segments_refresh_counters"], **arguments: Unpack[_Takes18]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["campaigns_list"], **arguments: Unpack[_Takes19]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["campaigns_log_v2"], **arguments: Unpack[_Takes20]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["campaigns_broadcasts_list"], **arguments: Unpack[_Takes21]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["scampaigns_list"], **arguments: Unpack[_Takes22]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["workflows_import_and_start_batch", "workflows_import_and_start_batch_task"], **arguments: Unpack[_Takes23]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["goals_register"], **arguments: Unpack[_Takes24]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["tasks_status"], **arguments: Unpack[_Takes25]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["download"], **arguments: Unpack[_Takes26]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["admin_accounts_list"], **arguments: Unpack[_Takes27]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["privacy_statistics"], **arguments: Unpack[_Takes28]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["tag_variables_index", "tms_web_internal_variables_index", "tms_serverside_datalayer_variables_index", "tms_serverside_internal_variables_index", "tms_web_triggers_index", "tms_web_constraints_index", "tms_web_perimeters_index", "tms_serverside_constraints_index", "tms_webcontainers_index", "tms_web_tags_index", "tms_serverside_tags_index", "platform_destination_categories_index", "platform_source_categories_index", "ams_redirect_rules_sotre", "platform_normalized_datalayer_event_types_index", "platform_cleansing_transformations_index", "monitoring_health_cookie_scanner_custom_field_index", "monitoring_health_cookie_scanner_code", "ping", "get_bootstrap", "change_auth_key", "list_users", "list_lead_sources", "list_statuses", "list_predefined_actions", "list_predefined_action_groups", "list_predefined_items", "list_predefined_item_groups", "list_call_results", "list_countries", "list_contacts_cascade", "mark_all_notifications_as_read", "list_webhooks", "list_pipelines", "list_custom_fields"], **arguments: Unpack[_Takes29]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["tag_web_datalayer_variables_store", "tag_web_internal_variables_store", "tag_serverside_datalayer_variables_store", "tag_serverside_internal_variables_store", "tms_web_constraints_store", "tms_web_perimeters_store", "tms_serverside_constraints_store", "admin_workspace_store", "tms_web_datalayer_variable_categories_store", "tms_serverside_datalayer_variable_categories_store", "tms_web_containers_store", "tms_web_containers_update", "tms_serverside_containers_store", "tms_serverside_containers_update", "tms_web_tags_store", "tms_web_tags_update", "tms_serverside_tags_store", "tms_serverside_tags_update", "platform_sources_store", "platform_sources_update", "platform_destinations_store", "platform_destinations_update", "platform_event_enrichment_store", "platform_cleansing_transformations_store", "monitoring_health_alert_store", "monitoring_health_alert_update", "monitoring_notification_store", "monitoring_notification_update", "admin_users_store", "monitoring_health_cookie_scanner_store", "monitoring_health_cookie_scanner_custom_field_store", "monitoring_health_cookie_scanner_deploy_store", "trigger_sandbox_event", "create_lead_source", "create_status", "create_deal_field", "create_custom_field", "create_company_field", "create_predefined_action", "create_predefined_action_group", "create_predefined_item", "create_predefined_item_group", "create_note", "create_call", "create_meeting", "create_deal", "create_attachment", "create_relationship_type", "create_action", "create_contact"], **arguments: Unpack[_Takes30]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["tag_web_triggers_store"], **arguments: Unpack[_Takes31]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["tag_web_triggers_show"], **arguments: Unpack[_Takes32]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["tms_web_triggers_update", "tms_web_constraints_update", "tms_web_perimeters_update", "tms_serverside_constraints_update", "tms_web_tags_revert", "platform_cleansing_transformations_update"], **arguments: Unpack[_Takes33]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_destination_templates_index", "platform_source_templates_index"], **arguments: Unpack[_Takes34]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_sources_index", "platform_destinations_index"], **arguments: Unpack[_Takes35]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_destinations_show"], **arguments: Unpack[_Takes36]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_destination_healths_index", "platform_destination_trends_index"], **arguments: Unpack[_Takes37]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_destination_issues_index"], **arguments: Unpack[_Takes38]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_destination_issue_details_index"], **arguments: Unpack[_Takes39]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["ams_report_index"], **arguments: Unpack[_Takes40]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["ams_reports_show"], **arguments: Unpack[_Takes41]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_sources_data_quality"], **arguments: Unpack[_Takes42]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_events_collection_index"], **arguments: Unpack[_Takes43]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["dms_segment_statss_show"], **arguments: Unpack[_Takes44]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["ams_redirect_rules_index", "monitoring_notification_index", "admin_activity_logs_activity_logs_index"], **arguments: Unpack[_Takes45]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_event_enrichment_index"], **arguments: Unpack[_Takes46]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_event_enrichment_show"], **arguments: Unpack[_Takes47]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["platform_event_enrichment_update"], **arguments: Unpack[_Takes48]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_alert_index"], **arguments: Unpack[_Takes49]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_index"], **arguments: Unpack[_Takes50]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_show", "get_contact", "delete_contact", "get_employee", "delete_employee", "get_operation"], **arguments: Unpack[_Takes51]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_update"], **arguments: Unpack[_Takes52]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_description_index"], **arguments: Unpack[_Takes53]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_custom_field_show", "monitoring_health_cookie_scanner_custom_field_destroy"], **arguments: Unpack[_Takes54]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_custom_field_update"], **arguments: Unpack[_Takes55]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_deploy_index"], **arguments: Unpack[_Takes56]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_deploy_show"], **arguments: Unpack[_Takes57]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_deploy"], **arguments: Unpack[_Takes58]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["monitoring_health_cookie_scanner_export"], **arguments: Unpack[_Takes59]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["documentation_by_contact", "get_attachment_upload_form", "get_contact", "delete_contact_photo", "save_contact_to_google_contacts", "star_contact", "unstar_contact", "reopen_contact_sales_cycle", "list_contact_pinned_attachments"], **arguments: Unpack[_Takes60]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["documentation_by_event"], **arguments: Unpack[_Takes61]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_events"], **arguments: Unpack[_Takes62]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_latest_events"], **arguments: Unpack[_Takes63]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["bulk_upload_contacts", "bulk_upload_employees"], **arguments: Unpack[_Takes64]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_operations"], **arguments: Unpack[_Takes65]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_user"], **arguments: Unpack[_Takes66]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_user"], **arguments: Unpack[_Takes67]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_lead_source", "delete_lead_source"], **arguments: Unpack[_Takes68]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_lead_source"], **arguments: Unpack[_Takes69]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_status", "delete_status"], **arguments: Unpack[_Takes70]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_status"], **arguments: Unpack[_Takes71]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_deal_fields", "list_custom_fields", "list_company_fields"], **arguments: Unpack[_Takes72]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_deal_field", "delete_deal_field"], **arguments: Unpack[_Takes73]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_deal_field"], **arguments: Unpack[_Takes74]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_custom_field", "delete_custom_field"], **arguments: Unpack[_Takes75]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_custom_field"], **arguments: Unpack[_Takes76]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_company_field", "delete_company_field"], **arguments: Unpack[_Takes77]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_company_field"], **arguments: Unpack[_Takes78]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_predefined_action", "delete_predefined_action"], **arguments: Unpack[_Takes79]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_predefined_action"], **arguments: Unpack[_Takes80]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_predefined_action_group", "delete_predefined_action_group"], **arguments: Unpack[_Takes81]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_predefined_action_group"], **arguments: Unpack[_Takes82]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_predefined_item", "delete_predefined_item"], **arguments: Unpack[_Takes83]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_predefined_item"], **arguments: Unpack[_Takes84]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_predefined_item_group", "delete_predefined_item_group"], **arguments: Unpack[_Takes85]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_notes"], **arguments: Unpack[_Takes86]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_note", "delete_note"], **arguments: Unpack[_Takes87]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_note"], **arguments: Unpack[_Takes88]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["add_note_attachment"], **arguments: Unpack[_Takes89]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_calls"], **arguments: Unpack[_Takes90]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_call", "delete_call"], **arguments: Unpack[_Takes91]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_call"], **arguments: Unpack[_Takes92]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["add_call_attachment"], **arguments: Unpack[_Takes93]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_meetings"], **arguments: Unpack[_Takes94]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_meeting", "delete_meeting"], **arguments: Unpack[_Takes95]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_meeting"], **arguments: Unpack[_Takes96]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["add_meeting_attachment"], **arguments: Unpack[_Takes97]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_deals"], **arguments: Unpack[_Takes98]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_deal"], **arguments: Unpack[_Takes99]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_deal"], **arguments: Unpack[_Takes100]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["delete_deal"], **arguments: Unpack[_Takes101]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["add_deal_attachment"], **arguments: Unpack[_Takes102]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_attachment"], **arguments: Unpack[_Takes103]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["delete_attachment", "pin_attachment", "unpin_attachment"], **arguments: Unpack[_Takes104]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_relationship_types"], **arguments: Unpack[_Takes105]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_relationship_type", "delete_relationship_type"], **arguments: Unpack[_Takes106]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_relationship_type"], **arguments: Unpack[_Takes107]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_actions"], **arguments: Unpack[_Takes108]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_action", "unassign_action", "mark_action_as_done", "undo_action_completion", "unlink_action", "promote_action", "revert_action_promotion", "swap_action"], **arguments: Unpack[_Takes109]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_action"], **arguments: Unpack[_Takes110]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["delete_action"], **arguments: Unpack[_Takes111]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_filters", "list_notifications"], **arguments: Unpack[_Takes112]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_filter", "list_contacts_by_filter"], **arguments: Unpack[_Takes113]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_companies"], **arguments: Unpack[_Takes114]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_company", "remove_company_synced_status", "list_company_pinned_attachments", "delete_company_logo"], **arguments: Unpack[_Takes115]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_company"], **arguments: Unpack[_Takes116]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_company_actions"], **arguments: Unpack[_Takes117]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_company_deals"], **arguments: Unpack[_Takes118]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_company_notes"], **arguments: Unpack[_Takes119]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_company_calls"], **arguments: Unpack[_Takes120]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_company_meetings"], **arguments: Unpack[_Takes121]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_company_linked_contacts"], **arguments: Unpack[_Takes122]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["link_company_contact", "set_company_synced_status", "update_company_logo"], **arguments: Unpack[_Takes123]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["unlink_company_contact"], **arguments: Unpack[_Takes124]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contacts"], **arguments: Unpack[_Takes125]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_contact"], **arguments: Unpack[_Takes126]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["delete_contact"], **arguments: Unpack[_Takes127]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["create_contact_photo", "update_contact_photo", "create_contact_action", "create_contact_deal", "create_contact_note", "create_contact_call", "create_contact_meeting", "create_contact_relationship", "close_contact_sales_cycle", "force_close_contact_sales_cycle", "split_contact"], **arguments: Unpack[_Takes128]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["delete_contacts"], **arguments: Unpack[_Takes129]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contact_actions"], **arguments: Unpack[_Takes130]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contact_deals"], **arguments: Unpack[_Takes131]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contact_notes"], **arguments: Unpack[_Takes132]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contact_calls"], **arguments: Unpack[_Takes133]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contact_meetings"], **arguments: Unpack[_Takes134]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contact_relationships"], **arguments: Unpack[_Takes135]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_contact_relationship"], **arguments: Unpack[_Takes136]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["update_contact_relationship"], **arguments: Unpack[_Takes137]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["delete_contact_relationship"], **arguments: Unpack[_Takes138]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["assign_contact_tag", "unassign_contact_tag"], **arguments: Unpack[_Takes139]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["change_contact_status"], **arguments: Unpack[_Takes140]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["change_contact_owner"], **arguments: Unpack[_Takes141]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contacts_cascade_after"], **arguments: Unpack[_Takes142]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_action_stream"], **arguments: Unpack[_Takes143]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_team_stream"], **arguments: Unpack[_Takes144]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_notification", "mark_notification_as_read"], **arguments: Unpack[_Takes145]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_webhook", "delete_webhook"], **arguments: Unpack[_Takes146]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["get_pipeline"], **arguments: Unpack[_Takes147]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["list_contacts", "list_activities"], **arguments: Unpack[_Takes148]) -> Any: ...
@overload
async def call(account: Account, operation: Literal["save_contact"], **arguments: Any) -> Any: ...
@overload
async def call(account: Account, operation: Literal["save_activity"], **arguments: Unpack[_Takes150]) -> Any: ...
