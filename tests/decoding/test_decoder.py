"""Pages to frames: nothing lost, nothing invented, nothing altered."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.connector.expressions import custom, date, iso_time, number, text, texts
from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import JSON, Context, Resource, View, get
from crmlab.decoding.decoder import RAW, Decoded, Decoder, decoder
from crmlab.decoding.records import Record, records, unknown_fields
from crmlab.errors import TransportError
from crmlab.schema.tables import TABLES

CONTEXT = Context(now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
WIRE = {
    "id": pl.String,
    "name": pl.String,
    "amount": pl.Float64,
    "stage": pl.Int64,
    "done": pl.Boolean,
    "tags": pl.List(pl.String),
    "owner": pl.Struct({"id": pl.String, "age": pl.Int64}),
    "items": pl.List(pl.Struct({"qty": pl.Float64, "label": pl.String})),
    "free": JSON,
}


def resource(**more: Any) -> Resource:
    chosen = {
        "name": "deals",
        "doc": "",
        "requests": get("/deals"),
        "schema": WIRE,
        "path": ("data",),
        **more,
    }
    return Resource(**chosen)


def reader(of: Resource | None = None, *, raw: bool = True, tables: Sequence[str] = ()) -> Decoder:
    return decoder(
        of or resource(), CONTEXT, provider="acme", account="sales", tables=tables, raw=raw
    )


def page(body: object, **tags: str) -> Page:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Page(request=Request(path="/deals", tags=tags), status=200, headers={}, body=data)


def decode(found: Sequence[object], of: Resource | None = None, **options: Any) -> Decoded:
    chosen = of or resource(path=())
    raw = bool(options.get("raw", True))
    return reader(chosen, **options)(records(page(list(found)), chosen, whole=raw))


def rows(decoded: Decoded) -> list[dict[str, Any]]:
    return decoded.frames[RAW].drop("provider", "account").to_dicts()


def one(record: str) -> dict[str, Any]:
    """The only row of one record, given as JSON."""
    chosen = resource(path=())
    decoded = reader(chosen)(records(page(f"[{record}]".encode()), chosen))
    assert decoded.rejected.is_empty(), decoded.rejected.to_dicts()
    [row] = rows(decoded)
    return row


# ---- laws ---------------------------------------------------------------------------------------

TEXT = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from('\u2028\u200f\x00"\\{}[]\n')),
    max_size=12,
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
NUMBER = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXT,
    "amount": NUMBER,
    "stage": WHOLE,
    "done": st.booleans(),
    "tags": st.lists(st.none() | TEXT, max_size=3),
    "owner": st.fixed_dictionaries(
        {}, optional={"id": TEXT, "age": st.none() | WHOLE, "strange": NUMBER}
    ),
    "items": st.lists(
        st.fixed_dictionaries({}, optional={"qty": NUMBER, "label": st.none() | TEXT}), max_size=3
    ),
    "free": st.recursive(
        st.none() | TEXT | NUMBER | st.booleans(),
        lambda s: st.lists(s) | st.dictionaries(TEXT, s),
        max_leaves=5,
    ),
    "strange": TEXT,
}
RECORDS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in VALUES.items()}),
    max_size=8,
).map(lambda found: [{"id": str(number), **record} for number, record in enumerate(found)])
#: for each field, values that cannot be read
DAMAGE = {
    "amount": ["n/a", True, [1], {"a": 1}, "1,5", "NaN", "-Infinity"],
    "stage": [1.7, "1.7", 2**63, False, "x", [], {}],
    "done": [2, "maybe", [], {}],
    "tags": [{"a": 1}],
    "owner": ["x", 1, [1], [{"id": "1"}], True],
    "items": [1, "x", True],
}
#: for each field, what says that there is nothing
NOTHING = {
    "amount": ["", " ", None],
    "stage": ["", None],
    "done": ["", " ", None],
    "owner": ["", [], None],
    "items": ["", {}, None],
}


@given(RECORDS)
def test_decoding_documented_records_neither_loses_nor_invents(found: list[dict[str, Any]]) -> None:
    decoded = decode(found)

    assert decoded.rejected.is_empty()
    assert len(rows(decoded)) == len(found) == len(decoded.keys)
    for row, record in zip(rows(decoded), found, strict=True):
        for name in ("id", "name", "amount", "stage", "done", "tags"):
            assert row[name] == record.get(name), name
        free = None if row["free"] is None else json.loads(row["free"])
        assert free == record.get("free")
        owner = record.get("owner")
        assert row["owner"] == (
            None if owner is None else {name: owner.get(name) for name in ("id", "age")}
        )
        items = record.get("items")
        wanted = items and [{name: item.get(name) for name in ("qty", "label")} for item in items]
        assert row["items"] == wanted


@given(st.data())
def test_a_damaged_field_costs_exactly_itself_and_is_named(data: st.DataObject) -> None:
    found = data.draw(RECORDS.filter(bool))
    position = data.draw(st.integers(0, len(found) - 1))
    name = data.draw(st.sampled_from(sorted(DAMAGE)))
    damaged = [dict(record) for record in found]
    damaged[position][name] = data.draw(st.sampled_from(DAMAGE[name]))
    without = [dict(record) for record in found]
    without[position].pop(name, None)

    decoded = decode(damaged)

    assert_frame_equal(decoded.frames[RAW], decode(without).frames[RAW])
    assert decoded.rejected.is_empty()
    [misfit] = decoded.misfits.to_dicts()
    assert misfit["field"] == name
    assert misfit["id"] == str(position)
    assert misfit["reason"].startswith("expected ")
    assert str(json.loads(misfit["raw"])) == str(damaged[position][name])
    assert (misfit["provider"], misfit["account"], misfit["resource"]) == ("acme", "sales", "deals")


@pytest.mark.parametrize(
    "value", ["1_000", "\u0661\u0662", "nan", "1.", ".5", "+1", "01", "x", "1e"]
)
def test_what_is_kept_of_a_number_that_cannot_be_read_is_json(value: str) -> None:
    decoded = decode([{"id": "1", "stage": value}, {"id": "2", "amount": value + "x"}])

    kept = {json.loads(raw) for raw in decoded.misfits["raw"]}
    assert value + "x" in kept
    assert kept <= {value + "x", value}


@given(st.data())
def test_what_is_not_given_is_null_and_no_misfit(data: st.DataObject) -> None:
    found = data.draw(RECORDS.filter(bool))
    position = data.draw(st.integers(0, len(found) - 1))
    name = data.draw(st.sampled_from(sorted(NOTHING)))
    found[position][name] = data.draw(st.sampled_from(NOTHING[name]))

    decoded = decode(found)

    assert decoded.misfits.is_empty()
    assert decoded.rejected.is_empty()
    assert rows(decoded)[position][name] is None


@given(RECORDS)
def test_records_beside_a_bad_one_are_read_as_if_it_were_not_there(
    found: list[dict[str, Any]],
) -> None:
    bad = {
        "id": "bad",
        "stage": 1.7,
        "tags": {"a": 1},
        "items": [{"qty": [1]}],
        "owner": 5,
        "done": "maybe",
    }
    alone, beside = decode(found), decode([*found, bad])

    assert_frame_equal(beside.frames[RAW].head(-1), alone.frames[RAW])
    assert beside.keys.head(-1).equals(alone.keys)
    assert sorted(beside.misfits["field"]) == ["done", "items.qty", "owner", "stage", "tags"]


@given(RECORDS, st.randoms())
def test_frames_and_rejected_records_add_up(found: list[dict[str, Any]], dice: Any) -> None:
    for record in found:
        if dice.random() < 0.5:
            name = dice.choice(sorted(DAMAGE))
            record[name] = dice.choice(DAMAGE[name])
    sent: list[object] = [*found, *([5] if dice.random() < 0.5 else [])]

    decoded = decode(sent)

    assert len(rows(decoded)) + decoded.rejected.height == len(sent)
    for row, record in zip(rows(decoded), found, strict=True):
        told = set(decoded.misfits.filter(pl.col("id") == record["id"])["field"])
        for name in DAMAGE:
            is_read = row[name] is not None
            assert is_read or record.get(name) in (None, *NOTHING.get(name, ())) or name in told


# ---- types --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("json_value", "value"),
    [
        ("5", "5"),
        ("-7", "-7"),
        ("12345678901234567890", "12345678901234567890"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("9" * 60, "9" * 60),
        ("true", "true"),
        ('{"a": 1.50, "b":["\\u00e9"]}', '{"a": 1.50, "b":["\\u00e9"]}'),
        ("[ ]", "[ ]"),
        ('""', ""),
        ('"\\u0000"', "\x00"),
        ('"\\ud83d\\ude00"', "😀"),
    ],
)
def test_anything_may_stand_where_text_is_documented(json_value: str, value: str) -> None:
    assert one(f'{{"id":"1","name":{json_value}}}')["name"] == value


@pytest.mark.parametrize(
    ("field", "json_value", "value"),
    [
        ("stage", "9223372036854775807", 2**63 - 1),
        ("stage", "-9223372036854775808", -(2**63)),
        ("stage", "5.0", 5),
        ("stage", '"5"', 5),
        ("amount", "0.1", 0.1),
        ("amount", '"12.50"', 12.5),
        ("amount", "1e3", 1000.0),
        ("amount", "5", 5.0),
        ("stage", "12.0", 12),
        ("stage", '"12.0"', 12),
        ("stage", '" 12 "', 12),
        ("stage", "1e3", 1000),
        ("done", '"true"', True),
        ("done", "1", True),
        ("done", '"1"', True),
        ("done", '"Yes"', True),
        ("done", "0", False),
        ("done", '"FALSE"', False),
        ("tags", '"one"', ["one"]),
        ("items", '{"qty": 1}', [{"qty": 1.0, "label": None}]),
        ("items", '[null,{"qty":"2"}]', [None, {"qty": 2.0, "label": None}]),
        ("tags", "[1,null]", ["1", None]),
        ("owner", "{}", {"id": None, "age": None}),
        ("items", "[]", []),
        ("free", '{"b": [1.50 ]}', '{"b": [1.50 ]}'),
        ("free", "null", None),
    ],
)
def test_a_value_is_kept_without_loss(field: str, json_value: str, value: object) -> None:
    assert one(f'{{"id":"1","{field}":{json_value}}}')[field] == value


def test_an_integer_id_becomes_text() -> None:
    assert one('{"id":5}')["id"] == "5"


def test_a_record_without_anything_is_a_row_of_nulls() -> None:
    assert one("{}") == dict.fromkeys(WIRE)


@pytest.mark.parametrize("record", ["5", '"x"', "[]", "[[1]]", "true"])
def test_what_is_no_object_is_rejected(record: str) -> None:
    chosen = resource(path=())

    decoded = reader(chosen)(records(page(f'[{{"id":"1"}},{record}]'.encode()), chosen))

    assert [row["id"] for row in rows(decoded)] == ["1"]
    [rejected] = decoded.rejected.to_dicts()
    assert rejected["reason"].startswith("record: expected an object")
    assert rejected["raw"] == record


@pytest.mark.parametrize(
    "record",
    [
        b'{"id":"2","name":"\xff\xfe"}',
        b'{"\xff":1,"id":"2"}',
        b'{"id":"2","name":{"\xff":1}}',
        b'{"id":"2","free":"\xff"}',
    ],
)
def test_text_that_is_not_utf8_costs_only_its_field(record: bytes) -> None:
    decoded = reader()([Record(b'{"id":"1"}', {}), Record(record, {}), Record(b'{"id":"3"}', {})])

    assert [row["id"] for row in rows(decoded)] == ["1", "2", "3"]
    assert decoded.rejected.is_empty()
    assert decoded.misfits["field"].to_list() == [
        name for name in ("name", "free") if name.encode() in record
    ]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (b'{"id":"2","amount":NaN,"stage":3}', "amount"),
        (b'{"id":"2","name":"a\tb\x01","stage":3}', None),
        (b'{"id":"2","new":%s%s,"stage":3}' % (b"[" * 10_000, b"]" * 10_000), None),
    ],
    ids=["not a number", "control characters", "nested"],
)
def test_what_no_reader_takes_costs_only_its_value(record: bytes, field: str | None) -> None:
    chosen = resource(path=())
    body = b'\xef\xbb\xbf[{"id":"1"},%s]' % record

    decoded = reader(chosen)(records(page(body), chosen))

    assert [(row["id"], row["stage"]) for row in rows(decoded)] == [("1", None), ("2", 3)]
    assert decoded.misfits["field"].to_list() == ([field] if field else [])


@pytest.mark.parametrize("raw", [True, False])
def test_text_that_is_not_utf8_costs_only_its_field_inside_a_wrapper(raw: bool) -> None:
    text = b'{"id":"2","name":"\xff","stage":3}'
    sent = Record(b'{"deal":%s}' % text if raw else text, {})

    decoded = reader(WRAPPED, raw=raw, tables=["deals"])([sent])

    assert decoded.frames["deals"].select("id", "stage").rows() == [("2", 3)]
    assert decoded.misfits["field"].to_list() == ["name"]


def test_a_number_too_long_for_python_is_a_misfit_or_text() -> None:
    long = b"1" * 6000

    decoded = reader()(
        [Record(b'{"id":"1","name":%s}' % long, {}), Record(b'{"id":"2","amount":%s}' % long, {})]
    )

    assert rows(decoded)[0]["name"] == long.decode()
    assert decoded.misfits.select("id", "field", "raw").rows() == [("2", "amount", long.decode())]


def test_secrets_are_blotted_out_of_rejected_records() -> None:
    record = {"stage": 1.7, "auth_key": "hush", "free": [{"access_token": "hush", "n": 1}]}

    decoded = decode([record], resource(path=(), views=(DEALS,)), tables=["deals"])

    [rejected] = decoded.rejected.to_dicts()
    assert "hush" not in str(rejected)
    assert json.loads(rejected["raw"]) == {
        **record,
        "auth_key": "••••",
        "free": [{"access_token": "••••", "n": 1}],
    }


@pytest.mark.parametrize("field", ["owner", "auth_key"])
def test_secrets_are_blotted_out_of_misfits(field: str) -> None:
    chosen = resource(path=(), schema={**WIRE, "auth_key": pl.Int64})

    decoded = decode([{"id": "1", field: [{"secret": "hush"}]}], chosen)

    assert decoded.misfits["field"].to_list() == [field]
    assert "hush" not in str(decoded.misfits.to_dicts())


def test_no_records_are_an_empty_frame_of_the_same_schema() -> None:
    assert decode([]).frames[RAW].schema == decode([{"id": "1"}]).frames[RAW].schema


# ---- views --------------------------------------------------------------------------------------

DEALS = View(
    table="deals",
    columns={
        "created_at": iso_time("name"),
        "stage": pl.col("stage"),
        "amount": pl.col("amount"),
        "owner_id": text(pl.col("owner").struct.field("id")),
    },
)
ITEMS = View(
    table="deal_items",
    explode=pl.col("items"),
    columns={
        "id": pl.format("{}/{}", pl.col("id"), pl.col("item").struct.field("label")),
        "quantity": pl.col("item").struct.field("qty"),
    },
)


def test_what_a_view_cannot_read_is_a_misfit_that_names_column_and_field() -> None:
    found = [
        {"id": "1", "name": "2026-01-01T00:00:00Z"},
        {"id": "2", "name": "soon"},
        {"id": "3", "name": ""},
    ]

    decoded = decode(found, resource(path=(), views=(DEALS,)), tables=["deals"], raw=False)

    assert decoded.frames["deals"]["id"].to_list() == ["1", "2", "3"]
    assert decoded.frames["deals"]["created_at"].is_null().to_list() == [False, True, True]
    assert decoded.frames["deals"].schema == TABLES["deals"].schema
    [misfit] = decoded.misfits.to_dicts()
    assert (misfit["id"], misfit["field"], misfit["raw"]) == ("2", "name", '"soon"')
    assert misfit["reason"] == 'deals.created_at: expected a time, got "soon"'
    assert not decoded.lacking


def test_a_view_that_raises_rejects_only_its_record_and_names_the_column() -> None:
    strict = View(
        table="deals", columns={"created_at": pl.col("name").str.to_datetime("%Y", time_zone="UTC")}
    )
    found = [{"id": "1", "name": "2026"}, {"id": "2", "name": "soon"}, {"id": "3"}]

    decoded = decode(found, resource(path=(), views=(strict,)), tables=["deals"], raw=True)

    assert (
        decoded.frames["deals"]["id"].to_list() == decoded.frames[RAW]["id"].to_list() == ["1", "3"]
    )
    [rejected] = decoded.rejected.to_dicts()
    assert rejected["reason"].startswith("deals.created_at: ")
    assert json.loads(rejected["raw"]) == found[1]


def test_a_view_that_raises_without_any_record_rejects_all_of_them() -> None:
    broken = View(
        table="deals", columns={"created_at": pl.lit("soon").str.to_datetime("%Y", time_zone="UTC")}
    )

    decoded = decode(
        [{"id": "1"}, {"id": "2"}], resource(path=(), views=(broken,)), tables=["deals"], raw=True
    )

    assert decoded.rejected.height == 2
    assert decoded.frames["deals"].is_empty()
    assert decoded.frames["deals"].schema == TABLES["deals"].schema


@pytest.mark.parametrize(
    ("record", "lacking"),
    [
        ({"amount": "n/a"}, {"deals"}),
        ({"amount": ""}, set()),
        ({"stage": "n/a"}, set()),
        ({"owner": 5}, {"deals"}),
        ({"owner": {"id": ["1"]}}, {"deals"}),
        ({"owner": {"age": "old"}}, set()),
        ({"items": 5}, {"deal_items"}),
        ({"name": "soon"}, set()),
    ],
)
def test_only_ids_and_amounts_make_a_table_lack_something(
    record: dict[str, Any], lacking: set[str]
) -> None:
    chosen = resource(path=(), views=(DEALS, ITEMS))

    decoded = decode([{"id": "1", **record}], chosen, tables=["deals", "deal_items"], raw=False)

    assert decoded.lacking == lacking
    assert decoded.frames["deals"].height == 1


def test_an_item_without_an_id_costs_only_itself() -> None:
    found = [{"id": "1", "items": [{"label": "a"}, {"qty": 2}]}]

    decoded = decode(
        found, resource(path=(), views=(DEALS, ITEMS)), tables=["deals", "deal_items"], raw=False
    )

    assert decoded.frames["deals"]["id"].to_list() == ["1"]
    assert decoded.frames["deal_items"]["id"].to_list() == ["1/a"]
    assert decoded.lacking == {"deal_items"}
    assert decoded.misfits["reason"].to_list() == ["deal_items.id: expected an id, got null"]


def test_of_many_misfits_a_thousand_are_kept_and_all_are_counted() -> None:
    found = [{"id": str(number), "amount": "n/a"} for number in range(1_500)]

    decoded = decode(found)

    assert decoded.misfits.height == 1_000
    assert decoded.misfit_keys.n_unique() == 1_500
    assert decoded.frames[RAW].height == 1_500


def test_what_was_once_met_in_another_shape_is_read_apart_from_then_on() -> None:
    chosen = resource(path=())
    known = reader(chosen)
    for name in ("a", "b"):
        sent = records(
            page(
                [{"id": name, "owner": [], "items": [{"qty": 1}]}, {"id": "x", "owner": {"id": 7}}]
            ),
            chosen,
        )

        decoded = known(sent)

        assert decoded.misfits.is_empty()
        assert [row["owner"] for row in rows(decoded)] == [None, {"id": "7", "age": None}]


def test_a_record_without_id_is_rejected_from_a_shared_table() -> None:
    decoded = decode(
        [{}, {"id": "1"}], resource(path=(), views=(DEALS,)), tables=["deals"], raw=False
    )

    assert decoded.frames["deals"]["id"].to_list() == ["1"]
    assert decoded.rejected["reason"].to_list() == ["the record has no id"]


def test_a_list_makes_a_row_for_each_element_and_none_where_it_is_empty() -> None:
    found = [
        {"id": "1", "items": [{"label": "a", "qty": 1}, {"label": "b", "qty": 2.5}]},
        {"id": "2", "items": []},
        {"id": "3"},
        {"id": "4", "items": [None]},
    ]

    decoded = decode(
        found, resource(path=(), views=(DEALS, ITEMS)), tables=["deals", "deal_items"], raw=False
    )

    assert decoded.frames["deal_items"].select("id", "quantity").rows() == [
        ("1/a", 1.0),
        ("1/b", 2.5),
    ]
    assert decoded.frames["deals"].height == 4


def test_only_rows_that_pass_the_filter_of_a_view_are_kept() -> None:
    view = View(table="deals", columns={}, where=pl.col("done"))

    decoded = decode(
        [{"id": "1", "done": True}, {"id": "2", "done": False}, {"id": "3"}],
        resource(path=(), views=(view,)),
        tables=["deals"],
        raw=False,
    )

    assert decoded.frames["deals"]["id"].to_list() == ["1"]
    assert decoded.keys["key"].to_list() == pl.Series(["1", "2", "3"]).hash().to_list()


def test_fields_that_no_wanted_table_reads_are_not_looked_at() -> None:
    view = View(table="deals", columns={"amount": pl.col("amount")})

    decoded = decode(
        [{"id": "1", "stage": "not a stage"}],
        resource(path=(), views=(view,)),
        tables=["deals"],
        raw=False,
    )

    assert decoded.rejected.is_empty()
    assert decoded.frames["deals"]["id"].to_list() == ["1"]


def test_constants_of_the_request_stand_beside_the_record() -> None:
    view = View(table="consent_statistics", columns={"day": date("_day"), "optin": pl.col("stage")})
    chosen = resource(
        views=(view,), tags=("day",), key=pl.format("{}/{}", pl.col("_day"), pl.col("id"))
    )
    found = [
        r
        for day in ("2026-01-01", "2026-01-02")
        for r in records(page({"data": [{"id": 1, "stage": 7}]}, day=day), chosen)
    ]

    decoded = reader(chosen, raw=False, tables=["consent_statistics"])(found)

    assert decoded.frames["consent_statistics"].select("id", "day", "optin").rows() == [
        ("2026-01-01/1", dt.date(2026, 1, 1), 7),
        ("2026-01-02/1", dt.date(2026, 1, 2), 7),
    ]


def test_numbers_that_come_as_text_are_read_by_their_expression() -> None:
    view = View(
        table="deals",
        columns={"amount": number("name"), "custom": pl.lit(None), "owner_name": text("id")},
    )

    decoded = decode(
        [{"id": 1, "name": 2.5}, {"id": 2, "name": "n/a"}],
        resource(path=(), views=(view,)),
        tables=["deals"],
        raw=False,
    )

    assert decoded.frames["deals"].select("id", "amount").rows() == [("1", 2.5), ("2", None)]
    assert decoded.misfits["reason"][0] == 'deals.amount: expected a number, got "n/a"'
    assert decoded.lacking == {"deals"}


def test_lists_of_text_lose_only_blanks() -> None:
    view = View(table="contacts", columns={"tags": texts("tags")})

    decoded = decode(
        [{"id": 1, "tags": ["a", "", None, 5]}, {"id": 2, "tags": []}],
        resource(path=(), views=(view,)),
        tables=["contacts"],
        raw=False,
    )

    assert decoded.frames["contacts"]["tags"].to_list() == [["a", "5"], None]


# ---- wrapped records ----------------------------------------------------------------------------

WRAPPED = resource(
    unwrap="deal", envelope_fields={"next": pl.Struct({"n": pl.Int64})}, views=(DEALS,)
)


@pytest.mark.parametrize("raw", [True, False])
def test_a_wrapped_record_is_taken_out_of_its_wrapper(raw: bool) -> None:
    found = records(
        page({"data": [{"deal": {"id": "1", "stage": 5}, "next": {"n": 1}}]}), WRAPPED, whole=raw
    )

    decoded = reader(WRAPPED, raw=raw, tables=["deals"])(found)

    assert decoded.frames["deals"].select("id", "stage").rows() == [("1", 5)]
    if raw:
        assert rows(decoded)[0]["next"] == {"n": 1}


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("item", [{}, {"deal": None}, {"deal": {}}, {"id": "2"}])
def test_an_empty_wrapper_is_a_rejected_record(item: object, raw: bool) -> None:
    found = records(page({"data": [{"deal": {"id": "1"}}, item]}), WRAPPED, whole=raw)

    decoded = reader(WRAPPED, raw=raw, tables=["deals"])(found)

    assert decoded.frames["deals"]["id"].to_list() == ["1"]
    assert decoded.rejected["reason"].to_list() == ["the record has no id"]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("item", ["5", '"x"', "[1]", '{"deal":5}', '{"deal":[]}'])
def test_an_item_that_is_no_wrapped_record_is_rejected(item: str, raw: bool) -> None:
    found = records(
        page(f'{{"data":[{{"deal":{{"id":1}}}},null,{item}]}}'.encode()), WRAPPED, whole=raw
    )

    decoded = reader(WRAPPED, raw=raw, tables=["deals"])(found)

    assert decoded.frames["deals"]["id"].to_list() == ["1"]
    assert decoded.rejected.height == 1
    assert "expected an object" in decoded.rejected["reason"][0]


# ---- pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "count"),
    [
        ((), [{"id": 1}, {"id": 2}], 2),
        ((), [], 0),
        ((), {"id": 1}, 1),  # an object where a list is documented
        ((), None, 0),
        (("data",), {"data": [{"id": 1}, None, {"id": 2}]}, 2),
        (("data",), {"data": {"id": 1}}, 1),
        (("data",), {"data": None}, 0),
        (("data",), {}, 0),
        (("data", "deals"), {"data": {"deals": [{"id": 1}], "page": 1}}, 1),
        (("data", "deals"), {"data": None}, 0),
        (("data", "deals"), {"data": {}}, 0),
        (("data",), b' {"data" : [ {"id": 1} , {"id":2}\n] } ', 2),
        (("data",), b'{"data":[{"id":"a\\n]}{"},{"id":"[\\""}]}', 2),
    ],
)
def test_the_records_of_a_page_are_found(path: tuple[str, ...], body: object, count: int) -> None:
    found = records(page(body), resource(path=path))

    assert len(found) == count
    assert all(isinstance(json.loads(record.text), dict) for record in found)


@pytest.mark.parametrize(
    "body",
    [
        {"data": 5},
        {"data": "text"},
        {"data": [1]},
        b"[1]",
        b"",
        b'{"data":{"deals":[{"id":1}',
        b'"x"',
    ],
)
def test_a_page_whose_list_cannot_be_reached_is_no_empty_page(body: object) -> None:
    with pytest.raises(TransportError):
        records(page(body), resource(path=("data", "deals")))


def test_a_single_record_is_one_even_where_it_is_a_list() -> None:
    assert len(records(page({"a": 1}), resource(path=(), single=True))) == 1


def test_fields_that_nobody_documented_are_found() -> None:
    chosen = resource(unwrap="deal", envelope_fields={"next": pl.String})
    known = reader(chosen).known
    found = [
        Record(b'{"deal":{"id":1,"new":1},"next":null,"more":1}', {}),
        Record(b'{"deal":null}', {}),
        Record(b"5", {}),
        Record(b'{"deal":{"other":"\xff"}}', {}),
    ]

    assert sorted(unknown_fields(chosen, known, found)) == ["more", "new", "other"]


@pytest.mark.parametrize("name", ["*", "^name$", "^.*$"])
@pytest.mark.parametrize("raw", [True, False])
def test_a_custom_field_that_is_called_like_a_pattern_has_no_values_of_others(
    name: str, raw: bool
) -> None:
    fields = {"id": pl.String, "name": pl.String, name: pl.String}
    own_fields = custom({name: (name, "Mine"), "name": ("name", "Name")})
    view = View(table="contacts", columns={"custom": own_fields})
    chosen = resource(schema=lambda _: fields, views=(view,), path=())
    found = records(page([{"id": "1", "name": "Ann", name: "mine"}]), chosen)
    read = reader(chosen, raw=raw, tables=["contacts"])

    frames = read(found).frames

    [[own]] = frames["contacts"]["custom"].to_list()
    assert own == {"key": "name", "label": "Name", "value": "Ann"}
    if raw:
        assert frames[RAW].columns == ["provider", "account", "id", "name"]
    assert unknown_fields(chosen, read.known, found) == [name]
