"""Records longer than any of a CRM: their longest values are told, everything else is read."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import RECORD, Resource, View, get
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.long_records import MAX_RECORD, OTHERS
from crmlab.decoding.records import Record, records
from tests.decoding.test_decoder import CONTEXT

LONG = "x" * (MAX_RECORD + 1)
NOTE = "y" * 1_000_000
FIELDS = {"id": pl.String, "name": pl.String, "text": pl.String, "tags": pl.List(pl.String)}
VIEW = View(table="deals", columns={"name": pl.col("text")})


def resource(**more: Any) -> Resource:
    settings: dict[str, Any] = {
        "name": "notes",
        "doc": "",
        "requests": get("/notes"),
        "schema": FIELDS,
        "path": (),
    }
    return Resource(**{**settings, **more})


def decoded(found: list[Any], chosen: Resource | None = None, *, raw: bool = True) -> Decoded:
    chosen = chosen or resource(views=(VIEW,))
    tables = [] if raw else ["deals"]
    body = json.dumps(found).encode()
    page = Page(request=Request(path="/notes"), status=200, headers={}, body=body)
    read = decoder(chosen, CONTEXT, provider="acme", account="sales", tables=tables, raw=raw)
    return read(records(page, chosen, whole=raw))


@pytest.mark.parametrize("raw", [True, False])
def test_a_long_text_is_told_and_the_rest_of_its_record_is_read(raw: bool) -> None:
    wrapped = resource(views=(VIEW,), unwrap="note", envelope_fields={"name": pl.String})
    note = {"id": "1", "text": LONG, "tags": ["a"]}

    found = decoded([{"note": note, "name": "n"}, {"note": {"id": "2"}}], wrapped, raw=raw)

    [frame] = found.frames.values()
    text = "text" if raw else "name"
    assert frame.select("id", text).rows() == [("1", None), ("2", None)]
    if raw:
        assert frame.select("tags", "name").rows() == [(["a"], "n"), (None, None)]
    [misfit] = found.misfits.to_dicts()
    assert (misfit["id"], misfit["field"]) == ("1", "text")
    assert misfit["raw"].startswith('"xxx')
    assert misfit["raw"].endswith(f"… ({len(LONG) + 2} bytes)")
    assert len(misfit["raw"]) < 2_000
    assert found.misfit_keys.filter(table="deals").height == (0 if raw else 1)


def test_the_longest_values_go_first_and_long_notes_stay() -> None:
    found = decoded([{"id": "1", "name": LONG, "text": NOTE, "tags": [NOTE] * 2}])

    [row] = found.frames[RAW].to_dicts()
    assert row["name"] is None
    assert (row["text"], row["tags"]) == (NOTE, [NOTE] * 2)


@pytest.mark.slow
def test_many_fields_that_nobody_documented_are_not_looked_at() -> None:
    many = {f"f{number}": 1 for number in range(700_000)}
    computed = resource(computed={"whole": RECORD.str.json_path_match("$.f7")})

    found = decoded([{"id": "1", **many}, {"id": "2", "f7": 3}], computed)

    assert found.frames[RAW].select("id", "whole").rows() == [("1", None), ("2", "3")]
    assert found.misfits["field"].to_list() == [OTHERS]


@pytest.mark.slow
@pytest.mark.parametrize("raw", [True, False])
def test_a_name_that_json_escapes_is_documented_like_any_other(raw: bool) -> None:
    quoted = 'a "name"'
    view = View(table="deals", columns={"name": pl.col(quoted)})
    escaped = resource(schema={**FIELDS, quoted: pl.String}, views=(view,))
    many = {f"f{number}": 1 for number in range(500_000)}

    found = decoded(
        [{"id": "1", quoted: "Ann", **many}, {"id": "2", quoted: LONG}], escaped, raw=raw
    )

    [frame] = found.frames.values()
    assert frame[quoted if raw else "name"].to_list() == ["Ann", None]
    assert found.misfits.select("id", "field").rows() == [("2", quoted)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text", "strange"])
def test_what_is_computed_of_a_value_that_was_left_out_is_told(name: str) -> None:
    computed = {"whole": RECORD.str.json_path_match(f"$.{name}")}
    view = View(table="deals", columns={"name": pl.col("whole")})
    documented = dict.fromkeys(("a", "b", "c", "d", "text"), pl.String)
    chosen = resource(schema={"id": pl.String, **documented}, computed=computed, views=(view,))
    # of all values this one is the longest
    record = {
        "id": "1",
        **dict.fromkeys(("a", "b", "c", "d"), NOTE[:900_000]),
        name: NOTE[:950_000],
    }

    found = decoded([record, {"id": "2", name: "b"}], chosen, raw=False)

    assert found.frames["deals"]["name"].to_list() == [None, "b"]
    assert found.misfits.select("id", "field").rows() == [("1", name)]


@pytest.mark.parametrize("strange", [LONG, [LONG], {"note": LONG}, {"text": 5, "name": LONG}])
def test_a_long_record_that_is_none_is_rejected_with_its_beginning(strange: object) -> None:
    wrapped = resource(unwrap="note", views=())

    found = decoded([strange, {"note": {"id": "2"}}], wrapped)

    assert "2" in found.frames[RAW]["id"].to_list()
    if found.rejected.is_empty():  # an object without its wrapper holds nothing
        assert found.frames[RAW].height == 2
    else:
        assert len(found.rejected["raw"][0]) < 2_000


def test_what_is_told_of_a_long_value_holds_no_secret() -> None:
    found = decoded([{"id": "1", "text": '{"api_key": "hush"}' + LONG}])

    assert found.misfits["raw"].to_list() == ["(withheld: it may hold a secret)"]


def test_a_view_of_a_record_is_compared_as_its_copy_is() -> None:
    body = json.dumps([{"id": "1", "text": NOTE}] * 9).encode()
    page = Page(request=Request(path="/notes"), status=200, headers={}, body=body)

    views = records(page, resource())

    assert not any(isinstance(record.json, bytes) for record in views)
    assert {Record(record.text, {}).fingerprint for record in views} == {views[0].fingerprint}


def test_few_records_keep_no_large_body() -> None:
    body = json.dumps({"data": [{"id": "1"}], "more": LONG * 2}).encode()
    page = Page(request=Request(path="/notes"), status=200, headers={}, body=body)

    [record] = records(page, resource(path=("data",)))

    assert record.json == b'{"id": "1"}'
