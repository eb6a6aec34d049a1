"""What Commanders Act can be asked, written by `make operations` from the vendor's OpenAPI document, version 2.0.0."""

from typing import Any, Literal, Required

from pydantic import Field

from crmlab.connector.arguments import Body, Day
from crmlab.connector.operation import Operation, delete, get, patch, post, put
from crmlab.providers.commanders_act import bodies

FilterSupFiltersLocation = Literal[0, 1]
FilterSupFiltersDevice = Literal[0, 1, 2, 3]
Include = Literal["container", "tags"]
PlatformSourcesIndexInclude = Literal["connector", "environment", "health"]
AmsReportIndexInclude = Literal["owner", "claims"]
FilterRangeType = Literal["absolute", "relative"]
PlatformEventEnrichmentIndexInclude = Literal["store", "variables", "sources"]
MonitoringHealthAlertIndexInclude = Literal["notification", "creator"]
MonitoringHealthCookieScannerIndexInclude = Literal["vendor", "category", "fields"]


class Page(Body):
    number: int | None = None
    size: int | None = None


class Filter(Body):
    label: str | None = None
    status: str | None = None
    public_id: str | None = Field(None, alias="public-id")
    archived: int | None = None
    category: int | None = None


class AmsRedirectRulesIndexFilter(Body):
    domain: str | None = None
    tld: str | None = None
    full_domain: str | None = None
    rule: str | None = None
    is_active: bool | None = None


class Sort(Body):
    by: str | None = None
    desc: bool | None = None


class PlatformEventEnrichmentIndexFilter(Body):
    environment: int | None = None
    source: int | None = None
    status: str | None = None
    name: str | None = None


class MonitoringHealthAlertIndexFilter(Body):
    category: str | None = None
    model_id: int | None = None
    enable: bool | None = None


class MonitoringNotificationIndexFilter(Body):
    alert: int | None = None


class AdminActivityLogsActivityLogsIndexFilter(Body):
    action: str | None = None
    causer_id: int | None = None
    created: Any = None


START = {"start": str, "end": str, "granularity": str}

OPERATIONS: tuple[Operation, ...] = (
    get(
        "privacy_statistics",
        "/privacy/statistics",
        query={
            "filter[begin_date]": Required[Day],
            "filter[end_date]": Required[Day],
            "filter[sup_filters][location][]": list[FilterSupFiltersLocation],
            "filter[sup_filters][device][]": list[FilterSupFiltersDevice],
        },
    ),
    get("tag_variables_index", "/tms/web-datalayer-variables"),
    post(
        "tag_web_datalayer_variables_store",
        "/tms/web-datalayer-variables",
        body=bodies.TagWebDatalayerVariables,
    ),
    get("tms_web_datalayer_variables_show", "/tms/web-datalayer-variables/{id}", parts={"id": int}),
    delete(
        "tag_web_datalayer_variables_destroy",
        "/tms/web-datalayer-variables/{id}",
        parts={"id": int},
    ),
    get("tms_web_internal_variables_index", "/tms/web-internal-variables"),
    post(
        "tag_web_internal_variables_store",
        "/tms/web-internal-variables",
        body=bodies.TagWebInternalVariables,
    ),
    get("tms_web_internal_variables_show", "/tms/web-internal-variables/{id}", parts={"id": int}),
    delete(
        "tag_web_internal_variables_destroy", "/tms/web-internal-variables/{id}", parts={"id": int}
    ),
    get("tms_serverside_datalayer_variables_index", "/tms/serverside-datalayer-variables"),
    post(
        "tag_serverside_datalayer_variables_store",
        "/tms/serverside-datalayer-variables",
        body=bodies.TagServersideDatalayerVariables,
    ),
    get(
        "tms_serverside_datalayer_variables_show",
        "/tms/serverside-datalayer-variables/{id}",
        parts={"id": int},
    ),
    delete(
        "tag_serverside_datalayer_variables_destroy",
        "/tms/serverside-datalayer-variables/{id}",
        parts={"id": int},
    ),
    get("tms_serverside_internal_variables_index", "/tms/serverside-internal-variables"),
    post(
        "tag_serverside_internal_variables_store",
        "/tms/serverside-internal-variables",
        body=bodies.TagServersideInternalVariables,
    ),
    get(
        "tms_serverside_internal_variables_show",
        "/tms/serverside-internal-variables/{id}",
        parts={"id": int},
    ),
    delete(
        "tag_serverside_internal_variables_destroy",
        "/tms/serverside-internal-variables/{id}",
        parts={"id": int},
    ),
    get("tms_web_triggers_index", "/tms/web-triggers"),
    post(
        "tag_web_triggers_store",
        "/tms/web-triggers",
        query={"include": list[Include]},
        body=bodies.TagWebTriggers,
    ),
    get(
        "tag_web_triggers_show",
        "/tms/web-triggers/{id}",
        parts={"id": int},
        query={"include": list[Include]},
    ),
    patch(
        "tms_web_triggers_update",
        "/tms/web-triggers/{id}",
        parts={"id": int},
        body=bodies.TmsWebTriggers,
    ),
    delete("tms_web_triggers_delete", "/tms/web-triggers/{id}", parts={"id": int}),
    get("tms_web_constraints_index", "/tms/web-constraints"),
    post("tms_web_constraints_store", "/tms/web-constraints", body=bodies.TmsWebConstraints),
    get("tms_web_constraints_show", "/tms/web-constraints/{id}", parts={"id": int}),
    patch(
        "tms_web_constraints_update",
        "/tms/web-constraints/{id}",
        parts={"id": int},
        body=bodies.TmsWebConstraintsUpdateTmsWebConstraints,
    ),
    delete("tms_web_constraints_destroy", "/tms/web-constraints/{id}", parts={"id": int}),
    get("tms_web_perimeters_index", "/tms/web-perimeters"),
    post("tms_web_perimeters_store", "/tms/web-perimeters", body=bodies.TmsWebPerimeters),
    get("tms_web_perimeters_show", "/tms/web-perimeters/{id}", parts={"id": int}),
    patch(
        "tms_web_perimeters_update",
        "/tms/web-perimeters/{id}",
        parts={"id": int},
        body=bodies.TmsWebPerimetersUpdateTmsWebPerimeters,
    ),
    delete("tms_web_perimeters_destroy", "/tms/web-perimeters/{id}", parts={"id": int}),
    get("tms_serverside_constraints_index", "/tms/serverside-constraints"),
    post(
        "tms_serverside_constraints_store",
        "/tms/serverside-constraints",
        body=bodies.TmsServersideConstraints,
    ),
    get("tms_serverside_constraints_show", "/tms/serverside-constraints/{id}", parts={"id": int}),
    patch(
        "tms_serverside_constraints_update",
        "/tms/serverside-constraints/{id}",
        parts={"id": int},
        body=bodies.TmsServersideConstraintsUpdateTmsServersideConstraints,
    ),
    delete(
        "tms_serverside_constraints_destroy", "/tms/serverside-constraints/{id}", parts={"id": int}
    ),
    post("admin_workspace_store", "/admin/workspace", body=bodies.AdminWorkspace, dangerous=True),
    delete("admin_workspace_destroy", "/admin/workspace/{id}", parts={"id": int}, dangerous=True),
    post(
        "tms_web_datalayer_variable_categories_store",
        "/tms/web-datalayer-variable-categories",
        body=bodies.TmsWebDatalayerVariableCategories,
    ),
    post(
        "tms_serverside_datalayer_variable_categories_store",
        "/tms/serverside-datalayer-variable-categories",
        body=bodies.TmsServersideDatalayerVariableCategories,
    ),
    delete(
        "tms_web_datalayer_variable_categories_destroy",
        "/tms/web-datalayer-variable-categories/{id}",
        parts={"id": int},
    ),
    delete(
        "tms_serverside_datalayer_variable_categories_destroy",
        "/tms/serverside-datalayer-variable-categories/{id}",
        parts={"id": int},
    ),
    get("tms_webcontainers_index", "/tms/web-containers"),
    post("tms_web_containers_store", "/tms/web-containers", body=bodies.TmsWebContainers),
    patch(
        "tms_web_containers_update",
        "/tms/web-containers",
        parts={"id": int},
        body=bodies.TmsWebContainersUpdateTmsWebContainers,
    ),
    post(
        "tms_serverside_containers_store",
        "/tms/serverside-containers",
        body=bodies.TmsServersideContainers,
    ),
    patch(
        "tms_serverside_containers_update",
        "/tms/serverside-containers",
        parts={"id": int},
        body=bodies.TmsServersideContainersUpdateTmsServersideContainers,
    ),
    get("tms_web_containers_show", "/tms/web-containers/{id}", parts={"id": int}),
    delete("tms_web_containers_destroy", "/tms/web-containers/{id}", parts={"id": int}),
    delete(
        "tms_serverside_containers_destroy", "/tms/serverside-containers/{id}", parts={"id": int}
    ),
    get("tms_web_tags_index", "/tms/web-tags"),
    post("tms_web_tags_store", "/tms/web-tags", body=bodies.TmsWebTags),
    patch("tms_web_tags_update", "/tms/web-tags", body=bodies.TmsWebTagsUpdateTmsWebTags),
    get("tms_serverside_tags_index", "/tms/serverside-tags"),
    post("tms_serverside_tags_store", "/tms/serverside-tags", body=bodies.TmsServersideTags),
    patch(
        "tms_serverside_tags_update",
        "/tms/serverside-tags",
        body=bodies.TmsServersideTagsUpdateTmsServersideTags,
    ),
    get("tms_web_tags_show", "/tms/web-tags/{id}", parts={"id": int}),
    delete("tms_web_tags_destroy", "/tms/web-tags/{id}", parts={"id": int}),
    patch(
        "tms_web_tags_revert",
        "/tms/web-tags/{id}/revert",
        parts={"id": int},
        body=bodies.TmsWebTagsRevert,
    ),
    get("tms_serverside_tags_show", "/tms/serverside-tags/{id}", parts={"id": int}),
    delete("tms_serverside_tags_destroy", "/tms/serverside-tags/{id}", parts={"id": int}),
    get("platform_destination_categories_index", "/destination-categories"),
    get("platform_source_categories_index", "/source-categories"),
    get(
        "platform_destination_templates_index",
        "/destination-catalog",
        query={"include": list[Literal["categories"]]},
    ),
    get(
        "platform_source_templates_index",
        "/source-catalog",
        query={"include": list[Literal["categories"]]},
    ),
    get("platform_sources_index", "/sources", query={"include": list[PlatformSourcesIndexInclude]}),
    post("platform_sources_store", "/sources", body=bodies.PlatformSources),
    patch("platform_sources_update", "/sources", parts={"id": int}, body=bodies.PlatformSources),
    get("platform_sources_show", "/sources/{id}", parts={"id": int}),
    delete("platform_sources_destroy", "/sources/{id}", parts={"id": int}),
    get(
        "platform_destinations_index",
        "/destinations",
        query={"include": list[PlatformSourcesIndexInclude]},
    ),
    post("platform_destinations_store", "/destinations", body=bodies.PlatformDestinations),
    patch(
        "platform_destinations_update",
        "/destinations",
        parts={"id": int},
        body=bodies.PlatformDestinationsUpdatePlatformDestinations,
    ),
    get(
        "platform_destinations_show",
        "/destinations/{id}",
        parts={"id": int},
        query={"include": list[PlatformSourcesIndexInclude]},
    ),
    delete("platform_destinations_destroy", "/destinations/{id}", parts={"id": int}),
    get("platform_destination_healths_index", "/integrations/{id}/delivery/healths", query=START),
    get("platform_destination_trends_index", "/integrations/{id}/delivery/trends", query=START),
    get(
        "platform_destination_issues_index",
        "/integrations/{id}/delivery/issues",
        query=START | {"filter[type]": str},
    ),
    get(
        "platform_destination_issue_details_index",
        "/integrations/delivery/issues/{issueId}/details",
    ),
    get(
        "ams_report_index",
        "/ams/reports",
        query={"include": list[AmsReportIndexInclude], "page": Page, "filter": Filter, "sort": str},
    ),
    get(
        "ams_reports_show",
        "/ams/reports/{id}",
        parts={"id": int},
        query={"include": list[AmsReportIndexInclude]},
    ),
    get("ams_reports_data_show", "/ams/reports/{id}/data", parts={"id": int}),
    delete("platform_integrations_destroy", "/integrations/{id}", parts={"id": int}),
    get(
        "monitoring_sources_data_quality", "/monitoring/sources-data-quality", query={"source": str}
    ),
    get(
        "monitoring_events_collection_index",
        "/monitoring/collection/events",
        query={
            "filter[rangeType]": FilterRangeType,
            "filter[from]": Any,
            "filter[to]": Any,
            "filter[search]": str,
            "include": Any,
        },
    ),
    get(
        "dms_segment_statss_show",
        "/dms/segments-statistics",
        query={
            "filter[segment_id]": Required[float],
            "filter[from]": Required[Any],
            "filter[to]": Required[Any],
        },
    ),
    get(
        "ams_redirect_rules_index",
        "/ams/redirect-rules",
        query={"filter": AmsRedirectRulesIndexFilter},
    ),
    post("ams_redirect_rules_sotre", "/ams/redirect-rules"),
    get("ams_redirect_rules_show", "/ams/redirect-rules/{id}", parts={"id": int}),
    patch("ams_redirect_rules_update", "/ams/redirect-rules/{id}", parts={"id": int}),
    delete("ams_redirect_rules_delete", "/ams/redirect-rules/{id}", parts={"id": int}),
    get(
        "platform_event_enrichment_index",
        "/enrichment/events/",
        query={
            "include": list[PlatformEventEnrichmentIndexInclude],
            "page": Page,
            "sort": Sort,
            "filter": PlatformEventEnrichmentIndexFilter,
        },
    ),
    post(
        "platform_event_enrichment_store",
        "/enrichment/events/",
        body=bodies.PlatformEventEnrichment,
    ),
    get(
        "platform_event_enrichment_show",
        "/enrichment/events/{id}",
        parts={"id": int},
        query={"include": list[PlatformEventEnrichmentIndexInclude]},
    ),
    patch(
        "platform_event_enrichment_update",
        "/enrichment/events/{id}",
        parts={"id": int},
        query={"include": list[PlatformEventEnrichmentIndexInclude]},
        body=bodies.PlatformEventEnrichmentUpdatePlatformEventEnrichment,
    ),
    delete("platform_event_enrichment_destroy", "/enrichment/events/{id}", parts={"id": int}),
    get("platform_normalized_datalayer_event_types_index", "/normalized-datalayer/event-types"),
    get("platform_cleansing_transformations_index", "/integrations/cleansing-transformations"),
    post(
        "platform_cleansing_transformations_store",
        "/integrations/cleansing-transformations",
        body=bodies.PlatformCleansingTransformations,
    ),
    get(
        "platform_cleansing_transformations_show",
        "/integrations/cleansing-transformations/{id}",
        parts={"id": int},
    ),
    patch(
        "platform_cleansing_transformations_update",
        "/integrations/cleansing-transformations/{id}",
        parts={"id": int},
        body=bodies.PlatformCleansingTransformations,
    ),
    delete(
        "platform_cleansing_transformations_destroy",
        "/integrations/cleansing-transformations/{id}",
        parts={"id": int},
    ),
    get(
        "monitoring_health_alert_index",
        "/health/alerts",
        query={
            "include": list[MonitoringHealthAlertIndexInclude],
            "filter": MonitoringHealthAlertIndexFilter,
        },
    ),
    post("monitoring_health_alert_store", "/health/alerts", body=bodies.MonitoringHealthAlert),
    patch("monitoring_health_alert_update", "/health/alerts", body=bodies.MonitoringHealthAlert),
    get("monitoring_health_alert_show", "/health/alerts/{id}", parts={"id": int}),
    delete("monitoring_health_alert_destroy", "/health/alerts/{id}", parts={"id": int}),
    get(
        "monitoring_notification_index",
        "/health/notifications",
        query={"filter": MonitoringNotificationIndexFilter},
    ),
    post(
        "monitoring_notification_store", "/health/notifications", body=bodies.MonitoringNotification
    ),
    patch(
        "monitoring_notification_update",
        "/health/notifications",
        body=bodies.MonitoringNotification,
    ),
    get("monitoring_notification_show", "/health/notifications/{id}", parts={"id": int}),
    delete("monitoring_notification_destroy", "/health/notifications/{id}", parts={"id": int}),
    post("admin_users_store", "/admin/users", body=bodies.AdminUsers, dangerous=True),
    delete("admin_users_destroy", "/admin/users/{id}", parts={"id": int}, dangerous=True),
    get(
        "admin_activity_logs_activity_logs_index",
        "/activity-logs",
        query={"filter": AdminActivityLogsActivityLogsIndexFilter},
    ),
    get(
        "monitoring_health_cookie_scanner_index",
        "/privacy/cookie-scanner/cookies",
        query={"include": list[MonitoringHealthCookieScannerIndexInclude]},
    ),
    post(
        "monitoring_health_cookie_scanner_store",
        "/privacy/cookie-scanner/cookies",
        body=bodies.MonitoringHealthCookieScanner,
    ),
    get("monitoring_health_cookie_scanner_show", "/privacy/cookie-scanner/cookies/{id}"),
    put(
        "monitoring_health_cookie_scanner_update",
        "/privacy/cookie-scanner/cookies/{id}",
        body=bodies.MonitoringHealthCookieScannerUpdateMonitoringHealthCookieScanner,
    ),
    delete(
        "monitoring_health_cookie_scanner_destroy",
        "/privacy/cookie-scanner/cookies/{id}",
        parts={"id": int},
    ),
    get(
        "monitoring_health_cookie_scanner_description_index",
        "/privacy/cookie-scanner/cookie/description/{cookieName}",
    ),
    get(
        "monitoring_health_cookie_scanner_custom_field_index",
        "/privacy/cookie-scanner/setting/custom-fields",
    ),
    post(
        "monitoring_health_cookie_scanner_custom_field_store",
        "/privacy/cookie-scanner/setting/custom-fields",
        body=bodies.MonitoringHealthCookieScannerCustomField,
    ),
    get(
        "monitoring_health_cookie_scanner_custom_field_show",
        "/privacy/cookie-scanner/setting/custom-fields/{custom_field}",
    ),
    put(
        "monitoring_health_cookie_scanner_custom_field_update",
        "/privacy/cookie-scanner/setting/custom-fields/{custom_field}",
        body=bodies.MonitoringHealthCookieScannerCustomFieldUpdateMonitoringHealthCookieScannerCustomField,
    ),
    delete(
        "monitoring_health_cookie_scanner_custom_field_destroy",
        "/privacy/cookie-scanner/setting/custom-fields/{custom_field}",
        parts={"id": int},
    ),
    get(
        "monitoring_health_cookie_scanner_deploy_index",
        "/privacy/cookie-scanners",
        query={"include": list[Literal["cookie"]]},
    ),
    post(
        "monitoring_health_cookie_scanner_deploy_store",
        "/privacy/cookie-scanners",
        body=bodies.MonitoringHealthCookieScannerDeploy,
    ),
    get(
        "monitoring_health_cookie_scanner_deploy_show",
        "/privacy/cookie-scanners/{cookie_scanner}",
        query={"include": list[Literal["cookie"]]},
    ),
    get("monitoring_health_cookie_scanner_code", "/privacy/cookie-scanner/install-code"),
    get(
        "monitoring_health_cookie_scanner_deploy",
        "/privacy/cookie-scanner/{version}/deploy",
        writes=True,
        binary=True,
    ),
    get(
        "monitoring_health_cookie_scanner_export",
        "/privacy/cookie-scanner/{version}/{format}/exports/{language}",
        binary=True,
    ),
)
