"""Records inside others, moved, added and deleted while these are read: they come, or the summary says incomplete."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st

import crmlab
from tests.fetching.test_changes import (
    IN_FLIGHT,
    START,
    Change,
    Notes,
    fetched,
    iso,
    onepagecrm,
    records,
)

TABLES = ("onepagecrm.contacts", "onepagecrm.notes")


@dataclass
class Noted(Notes):
    """Contacts with their notes inside, where that is asked; a changed note goes to another contact."""

    contacts: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        for place, note in enumerate(self.records):
            note["contact_id"] = self.contact_at(place / len(self.records))

    async def answer(self, request: web.Request) -> web.Response:
        if request.path != "/contacts":
            return await super().answer(request)
        page, size = int(request.query["page"]), int(request.query["per_page"])
        chosen = self.contacts[(page - 1) * size : page * size]
        items: list[dict[str, Any]] = [{"contact": contact} for contact in chosen]
        if "notes(all)" in request.query.get("fields", ""):
            for item in items:
                item["notes"] = [
                    note for note in self.records if note["contact_id"] == item["contact"]["id"]
                ]
        counts = {
            "total_count": len(self.contacts),
            "max_page": max(1, -(-len(self.contacts) // size)),
        }
        return self.answered(
            {"status": 0, "data": json.loads(json.dumps({"contacts": items, **counts}))}
        )

    def contact_at(self, place: float) -> str:
        return str(
            self.contacts[min(int(place * len(self.contacts)), len(self.contacts) - 1)]["id"]
        )

    def apply(self, change: Change) -> None:
        known = {note["id"] for note in self.records}
        super().apply(change)
        for note in self.records:
            if note["id"] not in known:
                note["contact_id"] = self.contact_at(change.place)

    def change(self, record: dict[str, Any], change: Change) -> None:
        super().change(record, change)
        record["contact_id"] = self.contact_at(1 - change.place)


def contacts(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"c{n}", "created_at": iso(START + dt.timedelta(minutes=n))} for n in range(count)
    ]


# none is restored with its old time: that would make up for one that moved, as `Completeness` says
CHANGES = st.lists(
    st.builds(
        Change,
        after=st.integers(1, 8),
        kind=st.sampled_from(["delete", "add", "modify", "modify"]),
        place=st.floats(0, 1),
    ),
    max_size=4,
)


@settings(max_examples=40)
@given(st.sampled_from([99, 100, 230, 500]), st.sampled_from([101, 400, 700]), CHANGES, IN_FLIGHT)
@example(500, 400, [Change(3, "modify", 0.9), Change(3, "add", 1.0)], crmlab.Limits(concurrency=1))
def test_notes_inside_contacts(
    people: int, count: int, changes: list[Change], limits: crmlab.Limits
) -> None:
    server = Noted(records(count), changes, contacts=contacts(people))

    data = fetched(server, onepagecrm, *TABLES, limits=limits)

    came = Counter(data["onepagecrm.notes"]["id"])
    assert set(came.values()) <= {1}
    assert server.stable <= came.keys() or not data.complete
    assert Counter(data["onepagecrm.contacts"]["id"]) == Counter(f"c{n}" for n in range(people))
