from __future__ import annotations

import pytest
from aiohttp import web

import crmlab
from crmlab.decoding import Record, repeated_names
from tests.conftest import Serve


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"id": 1, "name": "a"}', []),
        ('{"id": 1, "id": 2}', ["id"]),
        ('{"id": 1, "name": "a", "id": 2, "name": "a", "id": 3}', ["id", "name"]),
        ('{"id": 1, "inside": [{"x": 1}, {"x": 1, "y": {"z": 1, "\\u007a": 2}}]}', ["z"]),
        # the same name in several objects is none that stands twice
        ('{"id": 1, "inside": {"id": 2}, "others": [{"id": 3}, {"id": 4}]}', []),
        # what cannot be read is told elsewhere
        ("{", []),
        ("[" * 100_000, []),
        ('{"id": 1, "id": 2, "text": "' + "x" * 100_000 + '"}', []),
    ],
)
def test_names_that_stand_twice_in_an_object_are_found(text: str, names: list[str]) -> None:
    assert repeated_names([Record(text.encode(), {})]) == names


def test_a_page_without_records_has_none() -> None:
    assert repeated_names([]) == []


@pytest.mark.slow
async def test_they_are_told_where_one_of_the_values_is_read(serve: Serve) -> None:
    async def contacts(request: web.Request) -> web.Response:
        if "custom_field" in request.path:
            return web.json_response({"status": True, "code": 200, "data": []})
        number = 1 if request.query.get("page", "1") == "1" else 0
        rows = ",".join(
            f'{{"id": "{each}", "full_name": "A", "full_name": "B"}}' for each in range(number * 3)
        )
        return web.Response(
            body=f'{{"status": true, "code": 200, "data": [{rows}]}}',
            content_type="application/json",
        )

    account = crmlab.Account("relenta", base_url=await serve(contacts), api_key="key")
    data = await crmlab.fetch(account, "contacts", "relenta.contacts")

    # which of them, depends on how a field is read
    assert set(data.contacts["full_name"]) in ({"A"}, {"B"})
    assert (
        "names that stand twice in a record, of which one value was read: full_name"
        in data.summary["note"][0]
    )
    assert data.complete
