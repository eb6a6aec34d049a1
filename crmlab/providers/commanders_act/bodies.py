"""What Commanders Act takes, written by `make operations` from the vendor's OpenAPI document, version 2.0.0."""

from typing import Annotated, Any, Literal

from pydantic import Field

from crmlab.connector.arguments import Body

Text255 = Annotated[str, Field(max_length=255)]
Type = Literal[
    "Order ID / Basket ID",
    "Order amount",
    "User ID",
    "Order email",
    "Percentage %",
    "Date DD/MM/YYYY",
    "Currency (ISO 4217)",
    "Do not track privacy",
    "Two-dimensional array",
    "Product ID",
    "Alphanumeric & special chars",
    "Product name",
    "Basic array",
    "Date YYYYMMDD",
    "Date DD-MM-YYYY",
    "Boolean",
]
Text65535 = Annotated[str, Field(max_length=65535)]
Text16777215 = Annotated[str, Field(max_length=16777215)]
TagWebTriggersType = Literal[
    "container_loaded", "dom_ready", "click", "form_submission", "scroll", "custom"
]
TmsWebConstraintsType = Literal[
    "variable_or",
    "variable_nand",
    "variable_equal",
    "variable_not_equal",
    "variable_match",
    "variable_not_match",
    "variable_contain",
    "variable_not_contain",
    "variable_greater_than",
    "variable_less_then",
    "variable_and_up_to_six_conditions",
    "variable_or_up_to_six_conditions",
    "variable_a_different_or_b_equals",
    "variable_a_different_or_b_different",
    "variable_a_different_and_b_equals",
    "variable_a_different_and_b_different",
    "cookie_equal",
    "cookie_not_equal",
    "cookie_contain",
    "cookie_not_contain",
    "group_and_and_or",
    "group_or_and_or",
    "group_and_or_or",
    "group_and_or_and",
    "in_array",
    "in_sub_array",
    "array_intersection",
    "url_equal",
    "url_not_equal",
    "url_match",
    "url_not_match",
    "url_contain",
    "url_not_contain",
    "browser_is",
    "browser_is_not",
    "sampling_page",
    "sampling_session",
    "sampling_visitor",
    "custom",
    "device_os_is",
    "device_os_is_not",
    "device_is_android_tablet",
    "device_is_android_mobile",
    "device_is_not_android_tablet",
    "device_is_not_android_mobile",
    "datacommander_or_up_to_six_audiences",
    "datacommander_and_up_to_six_audiences",
    "datacommander_event_activation",
]
DeviceOsList = Literal["iphone", "ipad", "android", "windows", "symbian", "blackberry"]
BrowserList = Literal["chrome", "firefox", "opera", "internet_explorer", "safari", "edge"]
Text4096 = Annotated[str, Field(max_length=4096)]
VariableType = Literal["tms/web-datalayer-variables", "tms/web-internal-variables"]
TmsServersideConstraintsType = Literal[
    "variable_equal",
    "variable_get_not_equal",
    "variable_post_not_equal",
    "variable_match",
    "variable_contain",
    "variable_not_contain",
    "variable_greater_than",
    "variable_less_then",
    "variable_exist",
    "variable_not_exist",
]
VariableType2 = Literal["tms/serverside-datalayer-variables", "tms/serverside-internal-variables"]
Text3To3 = Annotated[str, Field(min_length=3, max_length=3)]
DeploymentMethod = Literal[
    "ftp_or_cdn", "amazon_s3", "unminified", "batch", "custom_url", "manual", "email"
]
RecurringSynchronizationDeploymentMethod = Literal["ftp_or_cdn", "batch", "email"]
DefaultTagsLifetime = Literal[0, 3, 6, 12]
ForceCookieSamesiteSetting = Literal["unforced", "none", "lax"]
ForceCookieSecureSetting = Literal["unforced", "enabled", "disabled"]
Text20 = Annotated[str, Field(max_length=20)]
Status = Literal["active", "inactive"]
PlatformEventEnrichmentType = Literal["datastore", "api"]
Path = Literal["root", "same_level", "custom"]
PlatformCleansingTransformationsOperation = Literal[
    "rename_event", "derivate_event", "modify_properties", "filter_event", "custom_code"
]
Text50 = Annotated[str, Field(max_length=50)]
Frequency = Literal["15m", "30m", "1h", "1d", "1w"]
Channel = Literal["EMAIL", "SLACK", "TEAMS"]
AdminUsersType = Literal["end_user", "technology_partner", "service_provider"]
Language = Literal["english", "french", "german", "italian", "spanish"]
StorageType = Literal[
    "1st-party-cookie",
    "3rd-party-cookie",
    "http-only-1st",
    "http-only-3rd",
    "local_storage",
    "session_storage",
]
MonitoringHealthCookieScannerStatus = Literal[0, 1, 2]


class TagWebDatalayerVariablesAttributes(Body):
    name: Text255
    type: Type | None = None
    use_in_noscript: bool | None = None
    description: Text65535 | None = None
    detailed_description: Text65535 | None = None


class CategoryData(Body):
    type: Literal["tms/web-datalayer-variable-categories"]
    id: int


class Category(Body):
    data: CategoryData


class TagWebDatalayerVariablesRelationships(Body):
    category: Category | None = None


class TagWebDatalayerVariablesData(Body):
    type: Literal["tms/web-datalayer-variables"]
    attributes: TagWebDatalayerVariablesAttributes
    relationships: TagWebDatalayerVariablesRelationships | None = None


class TagWebDatalayerVariables(Body):
    data: TagWebDatalayerVariablesData | None = None


class TagWebInternalVariablesAttributes(Body):
    name: Text255
    value: Text16777215
    type: Type | None = None
    description: Text65535 | None = None
    detailed_description: Text65535 | None = None


class ContainersData(Body):
    type: Literal["tms/containers"] | None = None
    id: int | None = None


class Containers(Body):
    data: list[ContainersData]


class TagWebInternalVariablesRelationships(Body):
    containers: Containers | None = None


class TagWebInternalVariablesData(Body):
    type: Literal["tms/web-internal-variables"]
    attributes: TagWebInternalVariablesAttributes
    relationships: TagWebInternalVariablesRelationships | None = None


class TagWebInternalVariables(Body):
    data: TagWebInternalVariablesData | None = None


class TagServersideDatalayerVariablesAttributes(Body):
    name: Text255
    data_saver: bool | None = None
    reconciliation_key: bool | None = None
    variable_parameter: Text65535 | None = None
    description: Text65535 | None = None
    detailed_description: Text65535 | None = None


class CategoryCategoryData(Body):
    type: Literal["tms/serverside-datalayer-variable-categories"]
    id: int


class TagServersideDatalayerVariablesCategory(Body):
    data: CategoryCategoryData


class TagServersideDatalayerVariablesRelationships(Body):
    category: TagServersideDatalayerVariablesCategory | None = None


class TagServersideDatalayerVariablesData(Body):
    type: Literal["tms/serverside-datalayer-variables"]
    attributes: TagServersideDatalayerVariablesAttributes
    relationships: TagServersideDatalayerVariablesRelationships | None = None


class TagServersideDatalayerVariables(Body):
    data: TagServersideDatalayerVariablesData | None = None


class Mapping(Body):
    input: str | None = None
    output: str


class Value(Body):
    variable_to_map: str
    mapping: list[Mapping]


class TagServersideInternalVariablesAttributes(Body):
    name: Text255
    value: Value
    description: Text65535 | None = None
    detailed_description: Text65535 | None = None


class TagServersideInternalVariablesData(Body):
    type: Literal["tms/serverside-internal-variables"]
    attributes: TagServersideInternalVariablesAttributes


class TagServersideInternalVariables(Body):
    data: TagServersideInternalVariablesData | None = None


class TagWebTriggersAttributes(Body):
    name: Text255
    type: TagWebTriggersType
    css_selector: str | None = None
    horizontal_pct: int | None = None
    vertical_pct: int | None = None
    horizontal_px: int | None = None
    vertical_px: int | None = None
    function_name: str | None = None
    is_default: bool | None = None


class ContainerData(Body):
    type: Literal["tms/web-containers"]
    id: int


class Container(Body):
    data: ContainerData


class TagsData(Body):
    type: Literal["tms/web-tags"] | None = None
    id: int | None = None


class Tags(Body):
    data: list[TagsData]


class TagWebTriggersRelationships(Body):
    container: Container
    tags: Tags


class TagWebTriggersData(Body):
    type: Literal["tms/web-triggers"]
    attributes: TagWebTriggersAttributes
    relationships: TagWebTriggersRelationships


class TagWebTriggers(Body):
    data: TagWebTriggersData | None = None


class TmsWebTriggersAttributes(Body):
    name: Text255 | None = None
    css_selector: str | None = None
    horizontal_pct: int | None = None
    vertical_pct: int | None = None
    horizontal_px: int | None = None
    vertical_px: int | None = None
    function_name: str | None = None
    is_default: bool | None = None
    trash: bool | None = None


class TmsWebTriggersRelationships(Body):
    tags: Tags


class TmsWebTriggersData(Body):
    type: Literal["tms/web-triggers"]
    attributes: TmsWebTriggersAttributes
    relationships: TmsWebTriggersRelationships


class TmsWebTriggers(Body):
    data: TmsWebTriggersData | None = None


class TmsWebConstraintsAttributes(Body):
    label: Text255
    type: TmsWebConstraintsType
    pattern: Text255 | None = None
    cookie_name: Text255 | None = None
    device_os_list: list[DeviceOsList] | None = None
    browser_list: list[BrowserList] | None = None
    frequency: int | None = None
    js_code: Text4096 | None = None


class TriggerData(Body):
    type: Literal["tms/web-triggers"]
    id: int


class Trigger(Body):
    data: TriggerData


class VariableData(Body):
    type: VariableType
    id: int


class Variable(Body):
    data: VariableData


class TmsWebConstraintsRelationships(Body):
    container: Container
    tags: Tags
    trigger: Trigger
    variable: Variable | None = None


class TmsWebConstraintsData(Body):
    type: Literal["tms/web-constraints"]
    attributes: TmsWebConstraintsAttributes
    relationships: TmsWebConstraintsRelationships


class TmsWebConstraints(Body):
    data: TmsWebConstraintsData | None = None


class TmsWebConstraintsTmsWebConstraintsAttributes(Body):
    label: Text255
    pattern: Text255 | None = None
    cookie_name: Text255 | None = None
    browser_list: list[BrowserList] | None = None
    frequency: int | None = None
    js_code: Text4096 | None = None
    trash: bool | None = None


class TmsWebConstraintsTmsWebConstraintsData(Body):
    type: Literal["tms/web-constraints"]
    attributes: TmsWebConstraintsTmsWebConstraintsAttributes
    relationships: TmsWebConstraintsRelationships | None = None


class TmsWebConstraintsUpdateTmsWebConstraints(Body):
    data: TmsWebConstraintsTmsWebConstraintsData | None = None


class TmsWebPerimetersRelationships(Body):
    container: Container
    tags: Tags
    variable: Variable | None = None


class TmsWebPerimetersData(Body):
    type: Literal["tms/web-perimeters"]
    attributes: TmsWebConstraintsAttributes
    relationships: TmsWebPerimetersRelationships


class TmsWebPerimeters(Body):
    data: TmsWebPerimetersData | None = None


class TmsWebPerimetersTmsWebPerimetersData(Body):
    type: Literal["tms/web-perimeters"]
    attributes: TmsWebConstraintsTmsWebConstraintsAttributes
    relationships: TmsWebPerimetersRelationships | None = None


class TmsWebPerimetersUpdateTmsWebPerimeters(Body):
    data: TmsWebPerimetersTmsWebPerimetersData | None = None


class TmsServersideConstraintsAttributes(Body):
    label: Text255
    type: TmsServersideConstraintsType
    pattern: Text255


class ContainerContainerData(Body):
    type: Literal["tms/serverside-containers"]
    id: int


class TmsServersideConstraintsContainer(Body):
    data: ContainerContainerData


class TagsTagsData(Body):
    type: Literal["tms/serverside-tags"] | None = None
    id: int | None = None


class TmsServersideConstraintsTags(Body):
    data: list[TagsTagsData]


class VariableVariableData(Body):
    type: VariableType2
    id: int


class TmsServersideConstraintsVariable(Body):
    data: VariableVariableData


class TmsServersideConstraintsRelationships(Body):
    container: TmsServersideConstraintsContainer
    tags: TmsServersideConstraintsTags
    variable: TmsServersideConstraintsVariable


class TmsServersideConstraintsData(Body):
    type: Literal["tms/serverside-constraints"]
    attributes: TmsServersideConstraintsAttributes
    relationships: TmsServersideConstraintsRelationships


class TmsServersideConstraints(Body):
    data: TmsServersideConstraintsData | None = None


class TmsServersideConstraintsTmsServersideConstraintsAttributes(Body):
    label: Text255
    pattern: Text255


class TmsServersideConstraintsTmsServersideConstraintsRelationships(Body):
    container: TmsServersideConstraintsContainer | None = None
    tags: TmsServersideConstraintsTags | None = None
    variable: TmsServersideConstraintsVariable | None = None


class TmsServersideConstraintsTmsServersideConstraintsData(Body):
    type: Literal["tms/serverside-constraints"]
    attributes: TmsServersideConstraintsTmsServersideConstraintsAttributes
    relationships: TmsServersideConstraintsTmsServersideConstraintsRelationships | None = None


class TmsServersideConstraintsUpdateTmsServersideConstraints(Body):
    data: TmsServersideConstraintsTmsServersideConstraintsData | None = None


class AdminWorkspaceAttributes(Body):
    name: Text255
    currency: Text3To3 | None = None
    timezone: str | None = None
    ip_obfuscation: bool | None = None
    use_default_cdn: bool | None = None


class CustomerData(Body):
    type: Literal["customer"]
    id: int


class Customer(Body):
    data: CustomerData


class AdminWorkspaceRelationships(Body):
    customer: Customer


class AdminWorkspaceData(Body):
    type: Literal["admin/workspace"]
    attributes: AdminWorkspaceAttributes
    relationships: AdminWorkspaceRelationships


class AdminWorkspace(Body):
    data: AdminWorkspaceData | None = None


class TmsWebDatalayerVariableCategoriesAttributes(Body):
    name: Text255


class TmsWebDatalayerVariableCategoriesData(Body):
    type: Literal["tms/web-datalayer-variable-categories"]
    attributes: TmsWebDatalayerVariableCategoriesAttributes


class TmsWebDatalayerVariableCategories(Body):
    data: TmsWebDatalayerVariableCategoriesData | None = None


class TmsServersideDatalayerVariableCategoriesData(Body):
    type: Literal["tms/serverside-datalayer-variable-categories"]
    attributes: TmsWebDatalayerVariableCategoriesAttributes


class TmsServersideDatalayerVariableCategories(Body):
    data: TmsServersideDatalayerVariableCategoriesData | None = None


class TmsWebContainersAttributes(Body):
    name: Text255
    deployment_methods: list[DeploymentMethod] | None = None
    add_unminified_version_for_manual_deploy: bool | None = None
    include_md5_file_in_deployment_mail: bool | None = None
    recurring_synchronization: bool | None = None
    recurring_synchronization_deployment_methods: (
        list[RecurringSynchronizationDeploymentMethod] | None
    ) = None
    recurring_synchronization_conf_expert: bool | None = None
    recurring_synchronization_mailing_list: list[Any] | None = None
    recurring_synchronization_cron_hours: int | None = None
    recurring_synchronization_cron_minutes: int | None = None
    recurring_synchronization_cron_days: int | None = None
    recurring_synchronization_cron_months: int | None = None
    recurring_synchronization_cron_day_of_week: int | None = None
    noscript: bool | None = None
    events_trigger: bool | None = None
    expiration_users: list[Any] | None = None
    old_event_support: bool | None = None
    include_jquery_for_tests: bool | None = None
    default_tags_lifetime: DefaultTagsLifetime | None = None
    force_cookie_samesite_setting: ForceCookieSamesiteSetting | None = None
    force_cookie_secure_setting: ForceCookieSecureSetting | None = None


class DeploymentMailingListData(Body):
    type: Literal["user"]
    id: int


class DeploymentMailingList(Body):
    data: DeploymentMailingListData


class TmsWebContainersRelationships(Body):
    deployment_mailing_list: list[DeploymentMailingList] | None = None
    user_to_report_on_tag_expiration: list[DeploymentMailingList] | None = None


class TmsWebContainersData(Body):
    type: Literal["tms/web-containers"]
    attributes: TmsWebContainersAttributes
    relationships: TmsWebContainersRelationships | None = None


class TmsWebContainers(Body):
    data: TmsWebContainersData | None = None


class TmsWebContainersTmsWebContainersAttributes(Body):
    name: Text255 | None = None
    deployment_methods: list[DeploymentMethod] | None = None
    add_unminified_version_for_manual_deploy: bool | None = None
    include_md5_file_in_deployment_mail: bool | None = None
    recurring_synchronization: bool | None = None
    recurring_synchronization_deployment_methods: (
        list[RecurringSynchronizationDeploymentMethod] | None
    ) = None
    recurring_synchronization_conf_expert: bool | None = None
    recurring_synchronization_mailing_list: list[Any] | None = None
    recurring_synchronization_cron_hours: int | None = None
    recurring_synchronization_cron_minutes: int | None = None
    recurring_synchronization_cron_days: int | None = None
    recurring_synchronization_cron_months: int | None = None
    recurring_synchronization_cron_day_of_week: int | None = None
    noscript: bool | None = None
    events_trigger: bool | None = None
    expiration_users: list[Any] | None = None
    old_event_support: bool | None = None
    include_jquery_for_tests: bool | None = None
    default_tags_lifetime: DefaultTagsLifetime | None = None
    force_cookie_samesite_setting: ForceCookieSamesiteSetting | None = None
    force_cookie_secure_setting: ForceCookieSecureSetting | None = None


class TmsWebContainersTmsWebContainersData(Body):
    attributes: TmsWebContainersTmsWebContainersAttributes | None = None
    relationships: TmsWebContainersRelationships | None = None


class TmsWebContainersUpdateTmsWebContainers(Body):
    data: TmsWebContainersTmsWebContainersData | None = None


class TmsServersideContainersData(Body):
    type: Literal["tms/serverside-containers"]
    attributes: TmsWebDatalayerVariableCategoriesAttributes


class TmsServersideContainers(Body):
    data: TmsServersideContainersData | None = None


class TmsServersideContainersAttributes(Body):
    name: Text255 | None = None


class TmsServersideContainersTmsServersideContainersData(Body):
    attributes: TmsServersideContainersAttributes | None = None


class TmsServersideContainersUpdateTmsServersideContainers(Body):
    data: TmsServersideContainersTmsServersideContainersData | None = None


class VariablesMapping(Body):
    code: Text255 | None = None
    value: Text255 | None = None
    variable: Text255 | None = None


class TmsWebTagsAttributes(Body):
    name: Text255
    template_id: int | None = None
    tag_code: Text65535 | None = None
    disabled: bool | None = None
    timeout: int | None = None
    order: int | None = None
    variables_mappings: list[VariablesMapping] | None = None


class TmsWebTagsRelationships(Body):
    container: Container


class TmsWebTagsData(Body):
    type: Literal["tms/web-tags"]
    attributes: TmsWebTagsAttributes
    relationships: TmsWebTagsRelationships


class TmsWebTags(Body):
    data: TmsWebTagsData | None = None


class TmsWebTagsTmsWebTagsAttributes(Body):
    id_tag: int
    name: Text255 | None = None
    tag_code: Text65535 | None = None
    tag_noscript: Text65535 | None = None
    privacy_vendor_minor_tag: bool | None = None
    expiration_date: str | None = None
    variables_mappings: list[VariablesMapping] | None = None


class PrivacyCategoryData(Body):
    type: Literal["privacy/category-references"]
    id: int


class PrivacyCategory(Body):
    data: PrivacyCategoryData


class PrivacyVendorData(Body):
    type: Literal["privacy/vendor-references"]
    name: str


class PrivacyVendor(Body):
    data: PrivacyVendorData


class LinkPerimeterData(Body):
    type: Literal["tms/web-perimeters"]
    id: int


class LinkPerimeter(Body):
    data: LinkPerimeterData


class LinkConstraintData(Body):
    type: Literal["tms/web-constraints"]
    id: int


class LinkConstraint(Body):
    data: LinkConstraintData


class TmsWebTagsTmsWebTagsRelationships(Body):
    privacy_category: PrivacyCategory | None = None
    privacy_vendor: PrivacyVendor | None = None
    link_triggers: list[Trigger] | None = None
    unlink_triggers: list[Trigger] | None = None
    link_perimeters: list[LinkPerimeter] | None = None
    unlink_perimeters: list[LinkPerimeter] | None = None
    link_constraints: list[LinkConstraint] | None = None
    unlink_constraints: list[LinkConstraint] | None = None


class TmsWebTagsTmsWebTagsData(Body):
    type: Literal["tms/web-tags-update"]
    attributes: TmsWebTagsTmsWebTagsAttributes
    relationships: TmsWebTagsTmsWebTagsRelationships | None = None


class TmsWebTagsUpdateTmsWebTags(Body):
    data: TmsWebTagsTmsWebTagsData | None = None


class TmsServersideTagsAttributes(Body):
    name: Text255
    template_id: int | None = None
    destination_url: Text65535 | None = None
    disabled: bool | None = None
    post_parameters: Text65535 | None = None
    headers: dict[str, Any] | None = None


class TmsServersideTagsRelationships(Body):
    container: TmsServersideConstraintsContainer


class TmsServersideTagsData(Body):
    type: Literal["tms/serverside-tags"]
    attributes: TmsServersideTagsAttributes
    relationships: TmsServersideTagsRelationships


class TmsServersideTags(Body):
    data: TmsServersideTagsData | None = None


class TmsServersideTagsVariablesMapping(Body):
    code: Text255 | None = None
    value: Text255 | None = None
    variable: Text255 | None = None
    force_send: bool | None = None


class Header(Body):
    key: Text255 | None = None
    value: Text255 | None = None


class TmsServersideTagsTmsServersideTagsAttributes(Body):
    id_tag: int
    name: Text255 | None = None
    destination_url: Text65535 | None = None
    delay: int | None = None
    post_parameters: Text65535 | None = None
    variables_mappings: list[TmsServersideTagsVariablesMapping] | None = None
    headers: list[Header] | None = None


class LinkConstraintLinkConstraintData(Body):
    type: Literal["tms/serverside-constraints"]
    id: int


class TmsServersideTagsLinkConstraint(Body):
    data: LinkConstraintLinkConstraintData


class TmsServersideTagsTmsServersideTagsRelationships(Body):
    link_constraints: list[TmsServersideTagsLinkConstraint] | None = None
    unlink_constraints: list[TmsServersideTagsLinkConstraint] | None = None


class TmsServersideTagsTmsServersideTagsData(Body):
    type: Literal["tms/serverside-tags-update"]
    attributes: TmsServersideTagsTmsServersideTagsAttributes
    relationships: TmsServersideTagsTmsServersideTagsRelationships | None = None


class TmsServersideTagsUpdateTmsServersideTags(Body):
    data: TmsServersideTagsTmsServersideTagsData | None = None


class TmsWebTagsRevertAttributes(Body):
    version: Text20


class TmsWebTagsRevertData(Body):
    type: Literal["tms/web-tags"]
    attributes: TmsWebTagsRevertAttributes


class TmsWebTagsRevert(Body):
    data: TmsWebTagsRevertData | None = None


class Facebook(Body):
    pixel_id: str
    access_token: str


class Parameters(Body):
    facebook: Facebook
    gdpr_purpose: str


class Immediate(Body):
    total: float
    increase_rate: float


class Success(Body):
    immediate: Immediate
    retry: Immediate


class Fail(Body):
    rejected: Immediate
    error: Immediate


class TrendsSuccess(Body):
    dataset: list[list[int | str]]


class Trends(Body):
    success: TrendsSuccess
    fail: TrendsSuccess


class Health(Body):
    total: float
    success: Success
    fail: Fail
    trends: Trends


class PlatformSourcesAttributes(Body):
    label: str
    occurence_type: str
    start_date: str | None = None
    timezone: str
    data_range_type: str | None = None
    data_last: str | None = None
    data_start_date: str | None = None
    data_end_date: str | None = None
    last_request_at: str | None = None
    next_request_at: str | None = None
    last_run_at: str | None = None
    created: str | None = None
    updated: str | None = None
    cron: str | None = None
    deleted_at: str | None = None
    parameters: Parameters
    health: Health | None = None
    integration_key: str | None = None
    status: str


class PlatformSourcesRelationships(Body):
    connected_integrations: Any = None


class PlatformSourcesData(Body):
    type: Literal["platform/integrations"]
    attributes: PlatformSourcesAttributes
    relationships: PlatformSourcesRelationships | None = None


class PlatformSources(Body):
    data: PlatformSourcesData | None = None


class Expression(Body):
    type: str
    value: str


class ParametersMapping(Body):
    property: str
    action: str
    expression: Expression
    expression_text: str


class PartnerEvent(Body):
    expression: str
    expression_text: str
    language: str = Field(alias="_language")


class CustomEventMapping(Body):
    partner_event: PartnerEvent
    ca_event: PartnerEvent
    language: str = Field(alias="_language")


class Name(Body):
    expression: Expression
    expression_text: str
    language: str = Field(alias="_language")


class CustomEventPropertiesTable(Body):
    name: Name
    value: Name


class PlatformDestinationsParameters(Body):
    timestamp: str | None = None
    event_id: str | None = None
    value: str | None = None
    status: str | None = None
    currency: str | None = None
    page_url: str | None = None
    page_referrer: str | None = None
    user_id: str | None = None
    user_email: str | None = None
    user_phone: str | None = None
    search_term: str | None = None
    content_type: str | None = None
    mapping: list[ParametersMapping] | None = None
    custom_event_mapping: list[CustomEventMapping] | None = Field(None, alias="customEventMapping")
    custom_event_properties_table: list[CustomEventPropertiesTable] | None = Field(
        None, alias="customEventPropertiesTable"
    )


class PlatformDestinationsAttributes(Body):
    label: str
    occurence_type: str
    start_date: str
    timezone: str
    data_range_type: str
    data_last: str
    data_start_date: str
    data_end_date: str
    last_request_at: str
    next_request_at: str
    last_run_at: str
    created: str
    updated: str
    cron: str
    deleted_at: str
    parameters: PlatformDestinationsParameters
    health: Health | None = None
    integration_key: str
    status: str
    end_date: Any = None


class ConnectorData(Body):
    type: str
    id: str


class Connector(Body):
    data: ConnectorData


class PlatformDestinationsRelationships(Body):
    connector: Connector | None = None
    environment: Connector | None = None


class PlatformDestinationsData(Body):
    type: Literal["integrations"]
    attributes: PlatformDestinationsAttributes
    relationships: PlatformDestinationsRelationships | None = None


class PlatformDestinations(Body):
    data: PlatformDestinationsData | None = None


class PlatformDestinationsPlatformDestinationsData(Body):
    id: int | None = None
    type: Literal["integrations"]
    attributes: PlatformDestinationsAttributes
    relationships: PlatformDestinationsRelationships | None = None


class PlatformDestinationsUpdatePlatformDestinations(Body):
    data: PlatformDestinationsPlatformDestinationsData | None = None


class PlatformEventEnrichmentParameters(Body):
    filter: dict[str, Any]
    mapping: list[dict[str, Any]] | None = None


class PlatformEventEnrichmentAttributes(Body):
    name: str
    description: str | None = None
    status: Status
    type: PlatformEventEnrichmentType
    parameters: PlatformEventEnrichmentParameters
    matching_key: str
    path: Path
    path_custom: str
    created_at: str | None = None
    updated_at: str | None = None


class Sources(Body):
    data: ConnectorData | None = None


class PlatformEventEnrichmentRelationships(Body):
    store: Connector | None = None
    variables: Connector | None = None
    sources: Sources | None = None


class PlatformEventEnrichmentData(Body):
    type: Literal["enrichment"]
    attributes: PlatformEventEnrichmentAttributes
    relationships: PlatformEventEnrichmentRelationships | None = None


class PlatformEventEnrichment(Body):
    data: PlatformEventEnrichmentData | None = None


class PlatformEventEnrichmentPlatformEventEnrichmentData(Body):
    id: int | None = None
    type: Literal["enrichment/event"]
    attributes: PlatformEventEnrichmentAttributes
    relationships: PlatformEventEnrichmentRelationships | None = None


class PlatformEventEnrichmentUpdatePlatformEventEnrichment(Body):
    data: PlatformEventEnrichmentPlatformEventEnrichmentData | None = None


class PlatformCleansingTransformationsParameters(Body):
    filter: dict[str, Any]
    transformations: list[dict[str, Any]] | None = None


class PlatformCleansingTransformationsAttributes(Body):
    label: Text255
    description: Text65535 | None = None
    operation: PlatformCleansingTransformationsOperation
    parameters: PlatformCleansingTransformationsParameters
    order: int | None = None


class SourcesData(Body):
    type: Literal["integration"]
    id: str


class PlatformCleansingTransformationsSources(Body):
    data: list[SourcesData] | None = None


class PlatformCleansingTransformationsRelationships(Body):
    sources: PlatformCleansingTransformationsSources | None = None


class PlatformCleansingTransformationsData(Body):
    type: Literal["integrations/cleansing-transformations"]
    attributes: PlatformCleansingTransformationsAttributes
    relationships: PlatformCleansingTransformationsRelationships | None = None


class PlatformCleansingTransformations(Body):
    data: PlatformCleansingTransformationsData | None = None


class MonitoringHealthAlertAttributes(Body):
    model_id: int
    parameters: dict[str, Any]
    category: Text50
    is_enable: bool


class MonitoringHealthAlertData(Body):
    type: Literal["health/alert"]
    attributes: MonitoringHealthAlertAttributes
    relationships: dict[str, Any] | None = None


class MonitoringHealthAlert(Body):
    data: MonitoringHealthAlertData | None = None


class MonitoringNotificationAttributes(Body):
    alert_id: int
    frequency: Frequency
    channel: Channel
    channel_settings: dict[str, Any]


class MonitoringNotificationData(Body):
    type: Literal["health/alert/notification"]
    attributes: MonitoringNotificationAttributes


class MonitoringNotification(Body):
    data: MonitoringNotificationData | None = None


class AdminUsersAttributes(Body):
    type: AdminUsersType
    language: Language
    email: Text255
    firstname: Text50
    lastname: Text50


class ProfileData(Body):
    type: Literal["admin/profiles"]
    id: int


class Profile(Body):
    data: ProfileData


class WorkspaceData(Body):
    type: Literal["admin/workspaces"]
    id: int


class Workspace(Body):
    data: list[WorkspaceData]


class AdminUsersRelationships(Body):
    profile: Profile
    workspace: Workspace


class AdminUsersData(Body):
    type: Literal["admin/users"]
    attributes: AdminUsersAttributes
    relationships: AdminUsersRelationships


class AdminUsers(Body):
    data: AdminUsersData | None = None


class MonitoringHealthCookieScannerAttributes(Body):
    name: str
    cookie_scanner_id: int | None = None
    vendor_url: str | None = None
    storage_type: StorageType | None = None
    storage_domain: str | None = None
    storage_duration: str | None = None
    origin: str
    origin_label: str | None = None
    status: MonitoringHealthCookieScannerStatus
    is_live: bool | None = None
    is_compliant: bool | None = None
    is_missing: bool | None = None
    website: str | None = None
    url: Any = None
    score: int | None = None
    sample: Any = None


class FieldAttributes(Body):
    cookie_id: str
    language_id: str
    field_id: str
    value: str


class FieldData(Body):
    type: str
    attributes: FieldAttributes


class MonitoringHealthCookieScannerField(Body):
    data: FieldData | None = None


class MonitoringHealthCookieScannerData(Body):
    attributes: MonitoringHealthCookieScannerAttributes
    fields: list[MonitoringHealthCookieScannerField] | None = None


class MonitoringHealthCookieScanner(Body):
    data: MonitoringHealthCookieScannerData | None = None


class MonitoringHealthCookieScannerMonitoringHealthCookieScannerData(Body):
    type: Literal["privacy/cookie-scanner/cookie"]
    attributes: MonitoringHealthCookieScannerAttributes


class MonitoringHealthCookieScannerUpdateMonitoringHealthCookieScanner(Body):
    data: MonitoringHealthCookieScannerMonitoringHealthCookieScannerData | None = None


class MonitoringHealthCookieScannerCustomFieldAttributes(Body):
    name: str
    position: int | None = None
    is_system: int | None = None
    created: str | None = None
    updated: str | None = None


class MonitoringHealthCookieScannerCustomFieldData(Body):
    attributes: MonitoringHealthCookieScannerCustomFieldAttributes


class MonitoringHealthCookieScannerCustomField(Body):
    data: MonitoringHealthCookieScannerCustomFieldData | None = None


class MonitoringHealthCookieScannerCustomFieldMonitoringHealthCookieScannerCustomFieldData(Body):
    type: Literal["privacy/cookie-scanner/setting/custom-field"]
    attributes: MonitoringHealthCookieScannerCustomFieldAttributes


class MonitoringHealthCookieScannerCustomFieldUpdateMonitoringHealthCookieScannerCustomField(Body):
    data: (
        MonitoringHealthCookieScannerCustomFieldMonitoringHealthCookieScannerCustomFieldData | None
    ) = None


class MonitoringHealthCookieScannerDeployAttributes(Body):
    comment: str


class MonitoringHealthCookieScannerDeployData(Body):
    attributes: MonitoringHealthCookieScannerDeployAttributes


class MonitoringHealthCookieScannerDeploy(Body):
    data: MonitoringHealthCookieScannerDeployData | None = None
