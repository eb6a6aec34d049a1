from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import crmlab
from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import Context
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.records import records
from crmlab.errors import (
    ApiError,
    AuthError,
    CredentialError,
    NotFoundError,
    PagingError,
    RateLimitError,
    ServerError,
    TransportError,
)
from crmlab.providers.commanders_act import PROVIDER
from crmlab.providers.commanders_act.asking import DAY, HOUR
from tests.conftest import Serve

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
INTEGRATION = {
    "id": 12,
    "type": "integrations",
    "attributes": {
        "label": "Tulip feed",
        "timezone": "Europe/Paris",
        "last_run_at": "2026-10-31T23:59:59+02:00",
        "created": "2025-01-02T03:04:05+01:00",
        "updated": None,
        "parameters": {"partner": {"access_token": "s3cret"}},
        "health": {
            "total": 111,
            "success": {
                "immediate": {"total": 90, "increase_rate": -0.5},
                "retry": {"total": 10, "increase_rate": None},
            },
            "fail": {
                "rejected": {"total": 8, "increase_rate": 1},
                "error": {"total": 3, "increase_rate": None},
            },
            "trends": {"success": {"dataset": [["dateTime", "success"], [1700000000000, 100]]}},
        },
        "status": "active",
    },
    "relationships": {
        "connector": {"data": {"type": "dms/connector", "id": "77"}},
        "environment": {"data": {"type": "integration-environments", "id": 1}},
    },
}
#: of the day, for all devices
WHOLE_DAY = {"day": "2026-05-06", "device": "", "location": ""}
BANNER = {
    "type": "privacy/statistic",
    "id": "4",
    "attributes": {
        "nb_visitors_exposed_to_privacy": 200,
        "nb_banner_views": 180,
        "nb_optin": 50,
        "nb_optout": 20,
        "optin_rate": 0.999,
        "optout_rate": 0.999,
        "nb_optin_category_3": 40,
        "optin_rate_category_3": 0.999,
        "nb_optin_vendor_x-9": "30",
        "nb_optin_vendor_8": None,
    },
}


def page(content: bytes, *, status: int = 200, **params: str) -> Page:
    return Page(request=Request(path="/x", params=params), status=status, headers={}, body=content)


def errors(*parts: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"errors": list(parts), **more}).encode()


def read(
    name: str, data: Any, *, tags: dict[str, str] | None = None, raw: bool = False, **times: Any
) -> Decoded:
    resource = PROVIDER.resource(name)
    context = Context(now=NOW, **times)
    reads = decoder(
        resource, context, provider="commanders_act", account="a", tables=resource.tables, raw=raw
    )
    request = Request(path="/x", tags=tags or {})
    body = json.dumps({"data": data}, indent=1).encode()
    found = Page(request=request, status=200, headers={}, body=body)
    return reads(records(found, resource, whole=True))


def asked(name: str, rows: dict[str, list[Any]] | None = None, **context: Any) -> list[Request]:
    frames = {parent: pl.DataFrame(found) for parent, found in (rows or {}).items()}
    return list(PROVIDER.resource(name).requests(Context(now=NOW, rows=frames, **context)))


# ---- signing and errors -------------------------------------------------------------------------


def test_the_token_goes_into_the_header_with_the_media_type() -> None:
    signed = PROVIDER.sign(Request(path="/sources"), {"token": "t0p", "site_id": "7"})

    assert signed.headers == {
        "Authorization": "Bearer t0p",
        "Accept": "application/vnd.api+json, application/json;q=0.9",
    }
    assert "t0p" not in repr(signed)


@pytest.mark.parametrize("site", ["", "7/x", "seven", "7?", "{token}"])
def test_a_site_id_is_a_number(site: str) -> None:
    with pytest.raises(CredentialError):
        crmlab.Account("commanders_act", site_id=site, token="t")


def test_the_site_id_becomes_part_of_the_address() -> None:
    account = crmlab.Account("commanders_act", site_id="3821", token="t")

    assert account.base_url == "https://api.commander1.com/v2/3821"


@pytest.mark.parametrize(
    ("status", "content", "kind", "expected"),
    [
        (401, errors({"title": "MISSING_AUTHORIZATION_HEADER", "detail": "x"}), AuthError, 401),
        (
            401,
            b'{"status":401,"title":"Unauthenticated.","detail":"x","context":[]}',
            AuthError,
            401,
        ),
        (403, errors({"code": "SITE_ACCESS_FORBIDDEN", "detail": "x"}), AuthError, 403),
        (404, errors({"status": 404, "detail": "x"}), NotFoundError, 404),
        (429, errors({"code": "REQUEST_LIMIT_REACHED", "detail": "x"}), RateLimitError, 429),
        (500, errors({"code": "SERVER_ERROR", "detail": "x"}), ServerError, 500),
        (502, b"<html>", ServerError, 502),
        (500, b'["x"]', ServerError, 500),
        (200, errors({"code": "CONNECTION_LIMIT_REACHED", "detail": "x"}), RateLimitError, 429),
        (
            200,
            errors({"code": "UNKNOWN_TOKEN", "detail": "x"}, {"code": "OTHER"}, data=[]),
            AuthError,
            401,
        ),
        (200, errors({"code": "SERVER_ERROR", "detail": "x"}), ServerError, 500),
        (200, errors({"status": "404", "detail": "x"}), NotFoundError, 404),
        (200, errors({"code": None, "detail": "x"}), ApiError, 200),
    ],
)
def test_an_answer_with_errors_is_one_whatever_the_http_status(
    status: int, content: bytes, kind: type[ApiError], expected: int
) -> None:
    with pytest.raises(kind) as refused:
        PROVIDER.check(page(content, status=status))

    assert type(refused.value) is kind
    assert refused.value.status == expected


@pytest.mark.parametrize(
    "content",
    [b'{"data": []}', b'{"data": {}, "errors": []}', b'{"errors": null}',
     b'{"errors": {"code": "PARTIAL"}, "data": {"id": 1}}', b'{"errors": "some are missing", "data": [{"id": 1}]}'],
)  # fmt: skip
def test_an_answer_without_errors_is_none(content: bytes) -> None:
    PROVIDER.check(page(content))


@pytest.mark.parametrize("content", [b"<html>", b"", b'{"data": [', b'{"errors": "no list"}'])
def test_a_body_that_is_no_json_api_is_no_answer(content: bytes) -> None:
    with pytest.raises(TransportError):
        PROVIDER.check(page(content))


def test_no_data_is_nothing_and_a_wrong_path_is_a_failure() -> None:
    is_empty_answer = PROVIDER.resource("delivery_trends").is_empty_answer

    assert is_empty_answer(NotFoundError(404, "", "No data found"), Request(path="/x"))
    assert not is_empty_answer(NotFoundError(404, "", "No route"), Request(path="/x"))
    assert not is_empty_answer(ApiError(400, "", "No data found"), Request(path="/x"))


# ---- paging -------------------------------------------------------------------------------------


def following(**body: Any) -> list[dict[str, str]]:
    resource = PROVIDER.resource("sources")
    found = page(json.dumps({"data": [], **body}).encode(), include="health")
    return [dict(request.params) for request in resource.follow(found)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"meta": [], "links": []},
        {"meta": {"pagination": None}, "links": {"next": None}},
        {"links": {"next": ""}},
    ],
)
def test_a_list_that_says_nothing_of_pages_is_whole(body: dict[str, Any]) -> None:
    assert following(**body) == []


def test_the_pages_that_an_answer_tells_of_are_asked_for_at_once() -> None:
    pagination = {"total": 25, "count": 10, "per_page": 10, "current_page": 1, "total_pages": 3}

    found = following(meta={"pagination": pagination})

    assert found == [
        {"include": "health", "page[number]": "2"},
        {"include": "health", "page[number]": "3"},
    ]
    content = json.dumps({"meta": {"pagination": pagination}}).encode()
    assert PROVIDER.resource("sources").total(page(content)) == 25


@pytest.mark.parametrize("encoded", ["page[number]=2", "page%5Bnumber%5D=2"])
def test_what_a_link_asks_for_is_taken_and_not_its_host(encoded: str) -> None:
    found = following(links={"next": f"https://other.example/v2/9/x?{encoded}&page[size]=10"})

    assert found == [{"include": "health", "page[number]": "2", "page[size]": "10"}]


@pytest.mark.parametrize(
    "link",
    ["?page[after]=b", "/x?page[after]=b", {"href": "https://api.example/v2/7/x?page[after]=b"}],
)
@pytest.mark.parametrize("meta", [{}, {"pagination": {"total_pages": 1, "total": 9}}])
def test_a_link_without_a_pages_number_is_followed_also_where_meta_tells_of_no_further_page(
    link: Any, meta: dict[str, Any]
) -> None:
    assert following(links={"next": link}, meta=meta) == [{"include": "health", "page[after]": "b"}]


def test_a_link_to_another_path_is_told() -> None:
    with pytest.raises(PagingError, match="at another path"):
        following(links={"next": "https://api.example/v2/7/sources-archive?page[number]=2"})


# ---- what is asked ------------------------------------------------------------------------------


def test_integrations_are_asked_with_a_comma_list() -> None:
    for name in ("sources", "destinations"):
        (request,) = asked(name)
        assert (request.path, request.params) == (
            f"/{name}",
            {"include": "connector,environment,health"},
        )


def test_statistics_are_one_request_a_day() -> None:
    since, until = datetime(2026, 2, 27, 15, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)

    sent = asked("privacy_statistics", since=since, until=until)

    assert [request.tags["day"] for request in sent] == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert sent[0].params == {"filter[begin_date]": "2026-02-27", "filter[end_date]": "2026-02-27"}


def test_statistics_of_the_last_thirty_days_without_since() -> None:
    days = [request.tags["day"] for request in asked("privacy_statistics")]

    assert (len(days), days[0], days[-1]) == (30, "2026-10-03", "2026-11-01")


@pytest.mark.parametrize(
    ("hours", "granularity", "start"),
    [
        (24, HOUR, "2026-10-31T12:00:00.000Z"),
        (3, HOUR, "2026-11-01T09:00:00.000Z"),
        (25, DAY, "2026-10-31T00:00:00.000Z"),
        (24 * 400, DAY, "2026-10-02T00:00:00.000Z"),
    ],
)
def test_deliveries_come_by_the_hour_for_a_day_and_by_the_day_for_more(
    hours: int, granularity: int, start: str
) -> None:
    rows = {"destinations": [{"id": "12"}, {"id": "a/b"}]}

    sent = asked("delivery_trends", rows, since=NOW - timedelta(hours=hours))

    assert [request.path for request in sent] == [
        "/integrations/12/delivery/trends",
        "/integrations/a%2Fb/delivery/trends",
    ]
    assert sent[0].tags == {"integration_id": "12"}
    assert sent[0].params == {
        "start": start,
        "end": "2026-11-01T12:30:00.000Z",
        "granularity": str(granularity),
    }


def test_deliveries_older_than_the_service_keeps_them_are_not_asked_for() -> None:
    rows = {"destinations": [{"id": "12"}]}

    old = asked(
        "delivery_trends", rows, since=NOW - timedelta(days=90), until=NOW - timedelta(days=60)
    )

    assert old == []


def test_segments_are_asked_for_a_week_at_least_so_that_they_come_by_the_day() -> None:
    since = datetime(2026, 10, 30, 5, tzinfo=UTC)

    sent = asked("segments_statistics", since=since, options={"segment_ids": "11, 12,11"})

    assert [request.tags["segment_id"] for request in sent] == ["11", "12"]
    assert sent[0].params == {
        "filter[segment_id]": "11",
        "filter[from]": "2026-10-26T00:00:00.000Z",
        "filter[to]": "2026-11-02T00:00:00.000Z",
    }


def test_without_segment_ids_no_segment_is_asked_for() -> None:
    assert asked("segments_statistics") == []


def test_the_log_is_asked_with_a_day_more_on_both_sides() -> None:
    since, until = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)

    (bounded,), (whole,) = asked("activity_logs", since=since, until=until), asked("activity_logs")

    assert bounded.params == {
        "filter[created][since]": "2026-02-28",
        "filter[created][until]": "2026-03-06",
    }
    assert whole.params == {}


# ---- records ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [[INTEGRATION], INTEGRATION])
def test_an_integration_has_its_health_and_its_ids_as_text(data: Any) -> None:
    row = read("sources", data).frames["integrations"].row(0, named=True)

    assert (row["id"], row["label"], row["direction"]) == ("12", "Tulip feed", "source")
    assert (row["connector"], row["environment"], row["status"]) == ("77", "1", "active")
    assert (row["success"], row["failed"], row["rejected"]) == (100, 3, 8)
    assert row["last_run_at"] == datetime(2026, 10, 31, 21, 59, 59, tzinfo=UTC)
    assert (row["created_at"].hour, row["modified_at"]) == (2, None)


def test_an_integration_without_health_and_relationships_is_one() -> None:
    found = read(
        "destinations", [{"id": 5, "type": "integrations", "attributes": {"label": "Bare"}}]
    )

    row = found.frames["integrations"].row(0, named=True)
    assert (row["label"], row["direction"], row["success"], row["connector"]) == (
        "Bare",
        "destination",
        None,
        None,
    )


def test_parameters_and_their_secrets_are_never_decoded() -> None:
    found = read("sources", [INTEGRATION], raw=True)

    assert "s3cret" not in str(found.frames[RAW].to_dicts())
    fields = found.frames[RAW]["attributes"].struct.fields
    assert "parameters" not in fields
    assert "label" in fields


def test_a_time_that_cannot_be_read_costs_only_itself_and_shows_no_secrets() -> None:
    broken = {**INTEGRATION, "attributes": {**INTEGRATION["attributes"], "created": "yesterday"}}

    found = read("sources", [broken, INTEGRATION])

    assert found.frames["integrations"].height == 2
    assert found.misfits.select("field", "raw").rows() == [("attributes.created", '"yesterday"')]
    assert "s3cret" not in str(found.misfits.to_dicts())


@pytest.mark.parametrize("listed", [False, True])
def test_a_dataset_of_mixed_lists_is_a_delivery_for_each_row_but_the_first(*, listed: bool) -> None:
    data = {
        "id": "12",
        "type": "delivery/trend",
        "attributes": {
            "connector_type": "tulips",
            "datasets": [
                ["dateTime", "success", "fail"],
                [1700000000000, 1200, 3],
                [1700003600000, "7", 0],
            ],
        },
    }

    rows = read(
        "delivery_trends", [data] if listed else data, tags={"integration_id": "12"}
    ).frames["deliveries"]

    assert rows.select("id", "integration_id", "at", "success", "failed").rows() == [
        ("12/1700000000000", "12", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), 1200, 3),
        ("12/1700003600000", "12", datetime(2023, 11, 14, 23, 13, 20, tzinfo=UTC), 7, 0),
    ]


@pytest.mark.parametrize(
    ("datasets", "delivered", "told"),
    [
        ([["dateTime", "fail", "success"], [1700000000000, 3, 1200]], [(1200, 3)], 0),
        ([["fail", "retry", "date_time", "Success"], [3, 9, 1700000000000, 1200]], [(1200, 3)], 0),
        ([["dateTime", "success"], [1700000000000, 1200]], [(1200, None)], 1),
        ([["dateTime", "success", "fail"], [1700000000000, 1200]], [(1200, None)], 0),
        ([["dateTime", "success", "fail"], [1700000000000, "n/a", 3]], [(None, 3)], 1),
        ([[1700000000000, 1200, 3]], [], 1),
        ([["x", "success", "fail"], [1700000000000, 1200, 3]], [], 1),
    ],
)
def test_the_columns_of_a_dataset_are_those_that_its_first_row_names(
    datasets: Any, delivered: list[tuple[int | None, int | None]], told: int
) -> None:
    documented = {
        "id": "13",
        "attributes": {"datasets": [["dateTime", "success", "fail"], [1700000000000, 5, 6]]},
    }
    data = [{"id": "12", "attributes": {"datasets": datasets}}, documented]

    found = read("delivery_trends", data, tags={"integration_id": "12"})

    rows = found.frames["deliveries"].select("success", "failed").rows()
    assert rows == [*delivered, (5, 6)]
    assert (found.misfits.height > 0) == bool(told)


@pytest.mark.parametrize("datasets", [None, [], [["dateTime", "success", "fail"]]])
def test_a_dataset_without_rows_is_no_delivery(datasets: Any) -> None:
    data = {"id": "12", "attributes": {"datasets": datasets}}

    found = read("delivery_trends", data, tags={"integration_id": "12"})

    assert found.frames["deliveries"].is_empty()
    assert found.rejected.is_empty()


def test_rates_are_computed_from_the_counts() -> None:
    found = read("privacy_statistics", [BANNER], tags=WHOLE_DAY)

    row = found.frames["consent_statistics"].row(0, named=True)
    assert (row["id"], row["day"], row["banner_id"]) == ("2026-05-06/4", date(2026, 5, 6), "4")
    assert (row["visitors_exposed"], row["banner_views"], row["optin"], row["optout"]) == (
        200,
        180,
        50,
        20,
    )
    assert (row["optin_rate"], row["optout_rate"], row["explicit_optin"]) == (0.25, 0.1, None)


def test_counts_by_category_and_vendor_are_rows_of_their_own() -> None:
    rows = read("privacy_statistics", [BANNER], tags=WHOLE_DAY).frames["consent_statistics_items"]

    shown = rows.select(
        "id", "dimension", "item_id", "optin", "visitors_exposed", "optin_rate"
    ).rows()
    assert shown == [
        ("2026-05-06/4/category/3", "category", "3", 40, 200, 0.2),
        ("2026-05-06/4/vendor/x-9", "vendor", "x-9", 30, 200, 0.15),
        ("2026-05-06/4/vendor/8", "vendor", "8", None, 200, None),
    ]
    assert set(rows["day"]) == {date(2026, 5, 6)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "attributes", [{}, [], None, {"nb_banner_views": 3}, {"nb_visitors_exposed_to_privacy": 0}]
)
def test_a_banner_with_hardly_a_count_is_a_row_without_rates(attributes: Any) -> None:
    found = read("privacy_statistics", [{"id": "1", "attributes": attributes}], tags=WHOLE_DAY)

    row = found.frames["consent_statistics"].row(0, named=True)
    assert (row["optin"], row["optin_rate"], row["optout_rate"]) == (None, None, None)
    assert found.frames["consent_statistics_items"].is_empty()


@pytest.mark.slow
@pytest.mark.parametrize("value", ["many", 1.5, True])
def test_a_count_that_is_no_number_is_a_misfit_of_its_own(value: Any) -> None:
    for name in ("nb_optin", "nb_optin_vendor_8"):
        broken = {"id": "5", "attributes": {name: value}}

        found = read("privacy_statistics", [BANNER, broken], tags=WHOLE_DAY)

        assert found.frames["consent_statistics"].height == 2
        assert found.rejected.is_empty()
        assert found.misfits["id"].to_list() == ["2026-05-06/5"]
        assert "expected a whole number, got " in found.misfits["reason"][0]
        assert str(value).lower() in found.misfits["raw"][0]


def test_a_segment_counts_in_text_and_only_for_the_days_asked() -> None:
    data = [
        {
            "id": f"17000{n}",
            "type": "dms/segment-statistics",
            "attributes": {
                "nb_visitors_added": "33",
                "nb_visitors_removed": 12,
                "nb_visitors_total": "540.75",
                "start_date": f"2026-10-{n}T00:00:00.000Z",
            },
        }
        for n in (28, 29, 30)
    ]

    found = read(
        "segments_statistics",
        data,
        tags={"segment_id": "11"},
        since=datetime(2026, 10, 29, tzinfo=UTC),
    )

    rows = found.frames["segments"]
    assert rows["day"].to_list() == [date(2026, 10, 29), date(2026, 10, 30)]
    assert rows.select("id", "segment_id", "size", "added", "removed").row(0) == (
        "11/1700029",
        "11",
        540.75,
        33,
        12,
    )
    assert (
        found.keys["key"].to_list()
        == pl.Series(["11/1700028", "11/1700029", "11/1700030"]).hash().to_list()
    )


def test_a_change_has_its_subject_and_who_did_it_without_what_it_changed() -> None:
    line = {
        "type": "activity-logs",
        "id": 8,
        "attributes": {
            "action": "published",
            "description": "Tulips published",
            "subject_id": 20,
            "subject_type": "gardens",
            "causer_id": 3,
            "properties": {"attributes": {"api": "s3cret"}},
            "created_at": "2026-05-04T20:01:59+02:00",
        },
    }

    found = read("activity_logs", [line], raw=True)

    row = found.frames["changes"].row(0, named=True)
    assert (row["id"], row["kind"], row["description"]) == ("8", "published", "Tulips published")
    assert (row["subject_kind"], row["subject_id"], row["owner_id"]) == ("gardens", "20", "3")
    assert row["created_at"] == datetime(2026, 5, 4, 18, 1, 59, tzinfo=UTC)
    assert "s3cret" not in str(found.frames[RAW].to_dicts())


def test_a_user_has_name_email_and_role() -> None:
    user = {
        "id": 4,
        "attributes": {
            "firstname": "Ada",
            "lastname": "Moss",
            "email": "a@m.example",
            "type": "end_user",
        },
    }

    row = read("users", [user]).frames["users"].row(0, named=True)

    assert (row["id"], row["name"], row["email"], row["role"]) == (
        "4",
        "Ada Moss",
        "a@m.example",
        "end_user",
    )


def test_every_documented_counter_has_a_column() -> None:
    names = (
        "nb_banner_clicks_links_not_PC", "nb_banner_clicks_button", "nb_optin_all_on_click_banner",
        "nb_optout_on_click_banner", "nb_PC_views", "nb_PC_vendor_views", "nb_PC_clicks_save", "nb_optin_PC_save",
        "nb_optin_all_on_save_PC", "nb_optin_all",
    )  # fmt: skip
    counted = {name: number for number, name in enumerate(names, 1001)}

    found = read("privacy_statistics", [{"id": "1", "attributes": counted}], tags=WHOLE_DAY)

    row = found.frames["consent_statistics"].row(0)
    assert {value for value in row if isinstance(value, int)} == set(counted.values())


def test_a_deleted_destination_says_when_and_retries_are_counted() -> None:
    health = {"success": {"immediate": {"total": 90}, "retry": {"total": 10}}}
    attributes = {"label": "Ads", "deleted_at": "2026-03-01T10:00:00+01:00", "health": health}

    row = (
        read("destinations", [{"id": 1, "attributes": attributes}])
        .frames["integrations"]
        .row(0, named=True)
    )

    assert row["deleted_at"] == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert (row["success"], row["retried"]) == (100, 10)


@pytest.mark.slow
async def test_banner_statistics_come_by_location_where_the_account_asks_for_them() -> None:
    async with crmlab.sandbox(rows=50, services=["commanders_act"]) as site:
        keys = site.keys["commanders_act"]
        account = crmlab.Account(
            "commanders_act", base_url=site[0].base_url, locations="yes", **keys
        )
        parts = await crmlab.fetch(
            account, "consent_statistics", limits=crmlab.Limits(concurrency=10)
        )
        whole = await crmlab.fetch(site, "consent_statistics", limits=crmlab.Limits(concurrency=10))

    assert set(parts.consent_statistics["location"]) == {"other", "eu"}
    assert parts.consent_statistics["id"].is_unique().all()
    assert parts.consent_statistics["optin"].sum() == whole.consent_statistics["optin"].sum() > 0


@pytest.mark.slow
async def test_banner_statistics_come_by_device_where_the_account_asks_for_them() -> None:
    async with crmlab.sandbox(rows=50, services=["commanders_act"]) as site:
        keys = site.keys["commanders_act"]
        account = crmlab.Account("commanders_act", base_url=site[0].base_url, devices="yes", **keys)
        tables = "consent_statistics", "consent_statistics_items"
        whole = await crmlab.fetch(site, *tables, limits=crmlab.Limits(concurrency=10))
        parts = await crmlab.fetch(account, *tables, limits=crmlab.Limits(concurrency=10))

    assert set(parts.consent_statistics["device"]) == {"others", "mobile", "tablet", "desktop"}
    assert whole.consent_statistics["device"].null_count() == whole.consent_statistics.height
    for name in tables:
        assert parts[name]["optin"].sum() == whole[name]["optin"].sum() > 0
        assert parts[name]["id"].is_unique().all()
    assert parts.consent_statistics["id"][0] == f"{parts.consent_statistics['day'][0]}/others/1"


@pytest.mark.parametrize(
    "nested",
    [
        {"categories": {"1": {"nb_optin": 5}, "2": {"nb_optin": 7}}},
        {"categories": {"1": 5, "2": 7}},
        {"categories": [{"id": 1, "nb_optin": 5}, {"id": "2", "nb_optin": 7}]},
        {"nb_optin_category": {"1": 5, "2": 7}},
    ],
)
def test_counts_of_nested_categories_are_read_as_the_flat_ones(nested: dict[str, Any]) -> None:
    resource = PROVIDER.resource("privacy_statistics")
    row = {"id": 9, "type": "s", "attributes": {"nb_optin": 12, **nested}}
    request = Request(
        path="/privacy/statistics", tags={"day": "2026-01-01", "device": "", "location": ""}
    )
    came = Page(request=request, status=200, headers={}, body=json.dumps({"data": [row]}).encode())

    flat = resource.restate(came)

    attributes = json.loads(flat.body)["data"][0]["attributes"]
    assert attributes == {"nb_optin": 12, "nb_optin_category_1": 5, "nb_optin_category_2": 7}
    assert flat.list_at


@pytest.mark.parametrize(
    "nested", [{"categories": [{"nb_optin": 5}]}, {"categories": [5]}, {"purposes": {"1": 5}}]
)
def test_nested_counts_that_cannot_be_read_stay_and_are_told(nested: dict[str, Any]) -> None:
    row = {"id": 9, "type": "s", "attributes": {"nb_optin": 12, **nested}}
    came = Page(
        request=Request(path="/x"),
        status=200,
        headers={},
        body=json.dumps({"data": [row]}).encode(),
    )

    found = PROVIDER.resource("privacy_statistics").restate(came)

    assert json.loads(found.body)["data"] == [row]
    assert found.doubts == (f"statistics hold {next(iter(nested))}, of which no count can be read",)


def test_flat_statistics_are_handed_on_as_they_came() -> None:
    row = {"id": 9, "type": "s", "attributes": {"nb_optin_category_1": 5}}
    came = Page(
        request=Request(path="/x"),
        status=200,
        headers={},
        body=json.dumps({"data": [row]}).encode(),
    )

    assert PROVIDER.resource("privacy_statistics").restate(came) is came


def test_a_link_that_leads_back_is_an_error() -> None:
    def page(number: str, following: str) -> Page:
        body = {"data": [], "links": {"next": f"https://x.example/users?page[number]={following}"}}
        request = Request(path="/users", params={"page[number]": number})
        return Page(request=request, status=200, headers={}, body=json.dumps(body).encode())

    follow = PROVIDER.resource("users").follow

    assert [request.params["page[number]"] for request in follow(page("2", "3"))] == ["3"]
    for back in ("2", "1"):
        with pytest.raises(PagingError, match="which was read before"):
            follow(page("2", back))


async def test_errors_beside_data_keep_the_data_and_are_told() -> None:
    beside = {
        "data": [INTEGRATION],
        "errors": [{"code": "PARTIAL", "detail": "one source is locked"}, {"code": "X"}],
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(beside)

    app = web.Application()
    app.router.add_get("/{anything:.*}", answer)
    async with TestServer(app) as server:
        account = crmlab.Account(
            "commanders_act", base_url=str(server.make_url("")), site_id="7", token="t" * 20
        )
        data = await crmlab.fetch(account, "commanders_act.sources", progress=False)

    assert data["commanders_act.sources"].height == 1
    assert not data.complete
    assert "beside its data: PARTIAL one source is locked, and 1 more" in data.summary["note"][0]


@pytest.mark.parametrize(
    ("header", "further"),
    [
        (["dateTime", "success", "fail"], ""),
        (["FAILED", "date_time", "Successes"], ""),
        (["dateTime", "success", "fail", "retry", "Rejected"], "not read: retry, Rejected"),
        (["dateTime", "success", None, 5, "retry"], "not read: retry"),
        # a first row that names no time is a row like the others
        (["1700000000000", "5", "6"], ""),
        ({"a": 1}, ""),
        (None, ""),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_columns_of_deliveries_that_nobody_documented_are_told(
    header: Any, further: str, *, listed: bool
) -> None:
    datasets = [header, [1700000000000, 5, 6, 7, 8]] if header is not None else None
    trend = {"id": "12", "attributes": {"datasets": datasets}}

    answer = json.dumps({"data": [trend, {"id": "13"}] if listed else trend}).encode()
    told = PROVIDER.resource("delivery_trends").remark(page(answer))

    assert told.endswith(further)
    assert bool(told) == bool(further)


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 403])
async def test_connectors_are_named_by_their_catalogue_and_a_refused_one_costs_only_the_names(
    serve: Serve, status: int
) -> None:
    async def answer(request: web.Request) -> web.Response:
        catalog = [
            {
                "id": 77,
                "type": "source-template",
                "attributes": {"label": "Tulips", "template": "web"},
            }
        ]
        if request.path.endswith("-catalog"):
            return web.json_response(
                {"data": catalog if "source" in request.path else []}, status=status
            )
        return web.json_response(
            {"data": [INTEGRATION] if request.path.endswith("/sources") else []}
        )

    account = crmlab.Account("commanders_act", base_url=await serve(answer), site_id="7", token="t")
    data = await crmlab.fetch(account, "integrations")

    assert data.integrations.select("connector", "connector_name").rows() == [
        ("77", "Tulips" if status == 200 else None)
    ]
    assert bool(data.failures) == (status != 200)
