"""Airbyte's CDK, in process, with a declarative manifest of our own for the four streams."""

import logging
from typing import Any

import polars as pl
from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

from benchmarks.measure import LISTS, Task, asked, run


def fetch(task: Task) -> dict[str, pl.DataFrame]:
    full = SyncMode.full_refresh
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=AirbyteStream(name=name, json_schema={}, supported_sync_modes=[full]),
                sync_mode=full,
                destination_sync_mode=DestinationSyncMode.overwrite,
            )
            for name in LISTS
        ]
    )
    source = ConcurrentDeclarativeSource(catalog, {}, [], source_config=_manifest(task))
    rows: dict[str, list[dict]] = {name: [] for name in LISTS}
    for message in source.read(logging.getLogger("airbyte"), {}, catalog, []):
        if message.type is Type.RECORD:
            rows[message.record.stream].append(message.record.data)
    return {name: pl.DataFrame(found, infer_schema_length=None) for name, found in rows.items()}


def _manifest(task: Task) -> dict[str, Any]:
    manifest = {
        "type": "DeclarativeSource",
        "version": "7.0.0",
        "check": {"type": "CheckStream", "stream_names": ["notes"]},
        "streams": [_stream(task, name) for name in LISTS],
    }
    if task.in_flight > 2:  # two is what it does unless told otherwise
        manifest["concurrency_level"] = {
            "type": "ConcurrencyLevel",
            "default_concurrency": task.in_flight,
        }
    if task.rate:
        policy = {
            "type": "MovingWindowCallRatePolicy",
            "rates": [{"type": "Rate", "limit": int(task.rate), "interval": "PT1S"}],
            "matchers": [],
        }
        manifest["api_budget"] = {"type": "HTTPAPIBudget", "policies": [policy]}
    return manifest


def _stream(task: Task, name: str) -> dict[str, Any]:
    params = {key: value for key, value in asked(1).items() if key in ("team", "sort_by")}
    too_fast = {"type": "HttpResponseFilter", "http_codes": [403], "action": "RATE_LIMITED"}
    waits = {"type": "ExponentialBackoffStrategy", "factor": 1}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": "id",
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "properties": {}},
        },
        "retriever": {
            "type": "SimpleRetriever",
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {
                    "type": "DpathExtractor",
                    "field_path": ["data", name, "*", name[:-1]],
                },
            },
            "requester": {
                "type": "HttpRequester",
                "url": f"{task.url}/{name}",
                "http_method": "GET",
                "authenticator": {
                    "type": "BasicHttpAuthenticator",
                    "username": task.user,
                    "password": task.key,
                },
                "request_parameters": params,
                "error_handler": {
                    "type": "DefaultErrorHandler",
                    "response_filters": [too_fast],
                    "backoff_strategies": [waits],
                },
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "page",
                },
                "page_size_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "per_page",
                },
                # a page number that stops where the service says: PageIncrement asks past the last full page,
                # which OnePageCRM refuses for contact 10,001
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "page_size": 100,
                    "cursor_value": "{{ response.data.page + 1 }}",
                    "stop_condition": "{{ response.data.page >= response.data.max_page }}",
                },
            },
        },
    }


def _parameter(name: str) -> dict[str, str]:
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}


if __name__ == "__main__":
    run(fetch, "airbyte-cdk")
