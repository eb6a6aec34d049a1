"""Records of every service, with anything where something was documented: nothing is lost without a word."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab import providers
from crmlab.connector import Context, Page, Request, Resource
from crmlab.decoding import RAW, decoder, records

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", " ", "n/a", "12.0", "yes", "2026-01-05T12:00:00Z", "0000-00-00", "NaN"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "value", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)
CONTEXT = Context(now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
#: those that need nothing of others to be read
RESOURCES = [
    (provider, resource)
    for provider in providers.registry().values()
    for resource in provider.resources
    if not (callable(resource.schema) or callable(resource.views) or resource.single)
]


def mutated(resource: Resource) -> st.SearchStrategy[list[dict[str, Any]]]:
    assert not callable(resource.schema)
    fields = st.sampled_from([name for name in resource.schema if name != "id"])
    record = st.dictionaries(fields | st.just("new"), ANYTHING, max_size=4)
    return st.lists(record, max_size=5).map(
        lambda found: [{"id": str(number), **each} for number, each in enumerate(found)]
    )


def is_given(value: Any, dtype: Any) -> bool:
    """Whether JSON says that there is something."""
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(dtype, pl.Struct):
        return value not in (None, [])
    if isinstance(dtype, pl.List):
        return value not in (None, {})
    return value is not None


@pytest.mark.parametrize(("provider", "resource"), RESOURCES, ids=lambda each: each.name)
@settings(max_examples=10)
@given(st.data())
def test_every_value_is_in_the_frame_or_was_not_given_or_is_told(
    provider: Any, resource: Resource, data: st.DataObject
) -> None:
    assert not callable(resource.schema)
    sent = data.draw(mutated(resource))
    body: Any = [{resource.unwrap: record} for record in sent] if resource.unwrap else sent
    for key in reversed(resource.path):
        body = {key: body}
    tags = dict.fromkeys(resource.tags, "2026-01-01")
    page = Page(
        request=Request(path="/x", tags=tags),
        status=200,
        headers={},
        body=json.dumps(body).encode(),
    )
    decode = decoder(
        resource, CONTEXT, provider=provider.name, account="a", tables=resource.tables, raw=True
    )

    decoded = decode(records(page, resource, whole=True))

    rows = decoded.frames[RAW].rows(named=True)
    assert len(rows) + decoded.rejected.height == len(sent)
    if decoded.rejected.height:
        return
    told = decoded.misfits["field"].to_list()
    for row, record in zip(rows, sent, strict=True):
        for name, value in record.items():
            if name in resource.schema and is_given(value, resource.schema[name]):
                assert row[name] is not None or any(
                    f"{field}.".startswith(f"{name}.") for field in told
                )
