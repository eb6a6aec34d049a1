"""A person who is taken out of a lake: from every bucket and every file, whoever else is at work, and no one else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.lake import erasing
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.question import Question
from tests.lake.test_laws import killed_after
from tests.lake.world import ACCOUNT, START, came, day, kept, refreshed, rows

PEOPLE = {"ann": {"emails": ["ann@example.com"]}, "bob": {"emails": ["bob@example.com"]}}


def activities(step: int, count: int) -> dict[str, dict[str, object]]:
    """Return activities of two people, by id; every third is another one after each step."""
    found: dict[str, dict[str, object]] = {}
    for number in range(count):
        subject = f"{number} of step {step}" if number % 3 == 0 else str(number)
        owner = "ann" if number % 7 == 0 else "bob"
        found[str(number)] = {"contact_id": owner, "subject": subject}
    return found


def test_of_a_table_in_many_buckets_each_loses_the_rows_of_the_person_and_no_other(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "lake"
    place = Place(str(folder), None)
    states.create(place, START)
    for step in (1, 2, 3):
        # a part of a refresh of millions of rows, which are parted when their table is made
        question = Question(
            accounts=[ACCOUNT], tables=(), known=states.read(place), at=day(step), share=6e-5
        )
        frames = {
            "contacts": rows("contacts", PEOPLE),
            "activities": rows("activities", activities(step, 100)),
        }
        kept(place, question, came(frames, day(step), whole=True))
    lake = crmlab.Lake(folder)
    versions = lake.history("activities").collect().sort("id", "valid_from")
    expected = versions.filter(pl.col("contact_id") == "bob")

    taken = lake.erase("ann@example.com")

    left = lake.history("activities").collect().sort("id", "valid_from")
    assert left.equals(expected)
    assert taken.filter(table="activities")["rows"].item() == versions.height - expected.height


@pytest.mark.parametrize("share", [1.0, 3e-5])
def test_what_was_taken_before_another_writer_came_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    folder = tmp_path / "lake"
    place = Place(str(folder), None)
    states.create(place, START)
    question = Question(
        accounts=[ACCOUNT], tables=(), known=states.read(place), at=day(1), share=share
    )
    frames = {
        "contacts": rows("contacts", PEOPLE),
        "activities": rows("activities", activities(1, 50)),
    }
    kept(place, question, came(frames, day(1), whole=True))
    lake = crmlab.Lake(folder)
    planned = lake.erase("ann@example.com", dry_run=True)
    overwrite = erasing._overwrite
    written: list[object] = []

    def late(*given: object) -> None:
        written.append(given)
        if len(written) == 2:  # another writer comes between
            other = {
                "contacts": rows("contacts", {"eve": {"full_name": "Eve"}}),
                "activities": rows("activities", {"new": {"contact_id": "eve"}}),
            }
            refreshed(folder, came(other, day(2)), day(2))
        overwrite(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "_overwrite", late)
    taken = lake.erase("ann@example.com")
    columns = ("table", "rows", "values", "found_by")
    assert taken.select(columns).equals(planned.select(columns))
    assert "eve" in set(lake.scan("contacts").collect()["id"])


def test_rows_that_a_killed_refresh_left_and_nobody_can_read_are_taken_too(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    lake = crmlab.Lake(folder)
    consents = {"1": {"contact_id": "ann", "contact_email": "ann@example.com"}}
    with killed_after(
        3
    ):  # the first: what the lake knows of itself, and a commit that tries the store
        refreshed(
            folder, came({"activities": rows("activities", activities(1, 9))}, day(1)), day(1)
        )
    refreshed(folder, came({"contacts": rows("contacts", PEOPLE)}, day(2), whole=True), day(2))
    with killed_after(1):
        refreshed(
            folder, came({"consent_events": rows("consent_events", consents)}, day(3)), day(3)
        )

    taken = dict(lake.erase("ann@example.com", alone=True).select("table", "rows").iter_rows())

    assert taken["consent_events"] == 1
    assert taken["activities"] == 2
    for path in folder.rglob("*.parquet"):
        if "_delta_log" not in str(path):
            text = str(pl.read_parquet(path).to_dicts())
            assert "ann@example.com" not in text, path
            assert "'ann'" not in text, path
