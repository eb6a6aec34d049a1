from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from crmlab.sandbox.service import Records, extended


@dataclass
class Row:
    id: int
    owner: str


ROWS = [Row(1, "a"), Row(2, "b"), Row(3, "a")]


def as_list(records: Records, **options: Any) -> Any:
    return json.loads(records.slice(**options))


def test_a_record_is_rendered_once_however_it_is_asked_for() -> None:
    rendered = []

    def render(row: Row) -> dict[str, int]:
        rendered.append(row.id)
        return {"id": row.id}

    records = Records(ROWS, render, name="row")
    found = [
        as_list(records),
        as_list(records, bare=True),
        as_list(records.of("owner", "a")),
        as_list(records.where(lambda row: row.id > 1).ordered(lambda row: row.id, reverse=True)),
    ]

    assert found == [
        [{"row": {"id": 1}}, {"row": {"id": 2}}, {"row": {"id": 3}}],
        [{"id": 1}, {"id": 2}, {"id": 3}],
        [{"row": {"id": 1}}, {"row": {"id": 3}}],
        [{"row": {"id": 3}}, {"row": {"id": 2}}],
    ]
    assert rendered == [1, 2, 3]


def test_what_is_derived_from_records_is_kept_until_they_change() -> None:
    records = Records(ROWS, lambda row: row.id)
    first = records.once("ids", lambda: [row.id for row in records.items])
    again = records.once("ids", list)
    of_a = as_list(records.of("owner", "a"))

    records.remove(ROWS[0])
    records.add(Row(4, "a"), at=0)

    assert first is again
    assert records.once("ids", lambda: [row.id for row in records.items]) == [4, 2, 3]
    assert (of_a, as_list(records.of("owner", "a"))) == ([1, 3], [4, 3])
    assert as_list(records.of("owner", "nobody")) == []


def test_what_names_other_lists_is_rendered_and_derived_anew_when_these_changed() -> None:
    names = {"a": "Anna"}
    records = Records(ROWS, lambda row: names.get(row.owner, ""))
    questions = {
        "owners": lambda: {row.owner for row in records.items},
        "named": lambda: [row.id for row in records.items if row.owner in names],
    }
    as_list(records)
    before = {
        name: records.once(name, ask, of_others=name == "named") for name, ask in questions.items()
    }

    names["b"] = "Bea"
    records.forget()
    after = {
        name: records.once(name, ask, of_others=name == "named") for name, ask in questions.items()
    }
    records.replace(ROWS[0], Row(1, "b"))

    assert as_list(records) == ["Bea", "Bea", "Anna"]
    assert after["owners"] is before["owners"]
    assert (before["named"], after["named"]) == ([1, 3], [1, 2, 3])
    assert records.once("owners", questions["owners"]) == {"a", "b"}
    assert [row.id for row in records.items] == [1, 2, 3]


def test_an_object_is_extended_with_what_is_json_already() -> None:
    assert extended(b'{"a":1}', {"b": b"[2]", "c": b"{}"}) == b'{"a":1,"b":[2],"c":{}}'
    assert extended(b'{"a":1}', {}) == b'{"a":1}'
