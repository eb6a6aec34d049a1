"""What is held on one person is found whole, nothing of another is, and it can be taken out of stored files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab.cli import main
from crmlab.errors import CrmlabError, UsageError
from crmlab.results import Fetched
from crmlab.results.fetched import SUMMARY
from crmlab.schema import TABLES, Asked, conform

ANN = "ann@bücher.example"
_AT = dt.datetime(2026, 5, 16, tzinfo=dt.UTC)
# an account is named by who fetched it: a name like that is nobody's row
_OPC = {"provider": "onepagecrm", "account": f"of {ANN}"}
_RELENTA = {"provider": "relenta", "account": "office"}
_ALTCRAFT = {"provider": "altcraft", "account": "news"}


def _table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = {
        column: dtype
        for column, dtype in TABLES[name].schema.items()
        if any(column in row for row in rows)
    }
    filled = [{column: row.get(column) for column in schema} for row in rows]
    return conform(pl.DataFrame(filled, schema=schema), TABLES[name])


def _data() -> Fetched:
    tables = {
        "contacts": _table(
            "contacts",
            {
                **_OPC,
                "id": "1",
                "full_name": "Ann Lee",
                "job_title": "<b>Chief</b>",
                "emails": ["Ann@Bücher.example"],
                "phones": ["+353 20 910 0001"],
            },
            {
                **_OPC,
                "id": "2",
                "full_name": "Bo Kay",
                "emails": ["bo@example.com", "info@example.com"],
            },
            {
                **_RELENTA,
                "id": "7",
                "full_name": "Lee, Ann",
                "emails": ["info@example.com"],
                "phones": ["00353209100001"],
            },
            # another person with the same id, in another account
            {
                **_ALTCRAFT,
                "id": "1",
                "full_name": "Cy Dee",
                "emails": ["cy@example.com"],
                "contact_hash": "c",
            },
            {**_ALTCRAFT, "id": "9", "emails": ["ann@xn--bcher-kva.example"], "contact_hash": "a"},
        ),
        "deals": _table(
            "deals",
            {**_OPC, "id": "d1", "contact_id": "1", "name": "Ann's", "amount": 5.0},
            {
                **_OPC,
                "id": "d2",
                "contact_id": "2",
                "linked_contact_ids": ["1", "3"],
                "amount": 7.0,
            },
            {**_ALTCRAFT, "id": "d1", "contact_id": "1"},
        ),
        "deal_items": _table(
            "deal_items",
            {**_OPC, "id": "i1", "deal_id": "d1"},
            {**_OPC, "id": "i2", "deal_id": "d2"},
        ),
        "activities": _table(
            "activities",
            {**_RELENTA, "id": "a1", "contact_emails": [ANN, "bo@example.com"], "subject": "Lunch"},
            {
                **_RELENTA,
                "id": "a2",
                "contact_emails": ["bo@example.com"],
                "body": "told mailto:ANN@bücher.example too",
            },
            {**_RELENTA, "id": "a3", "contact_emails": ["info@example.com"]},
            {**_ALTCRAFT, "id": "a4", "contact_hash": "a", "mailing": "opened"},
        ),
        "consent_events": _table(
            "consent_events",
            {
                **_ALTCRAFT,
                "id": "c2",
                "contact_id": "9",
                "occurred_at": _AT,
                "has_documentation": True,
            },
            {
                **_OPC,
                "id": "c1",
                "contact_email": f"<{ANN}>",
                "occurred_at": _AT - dt.timedelta(days=1),
            },
            {**_OPC, "id": "c3", "contact_email": "joann@bücher.example", "occurred_at": _AT},
        ),
        "subscriptions": _table(
            "subscriptions", {**_ALTCRAFT, "id": "s1", "channel": "sms", "address": "+353209100001"}
        ),
        # JSON as some services write it
        "complero.events": pl.DataFrame(
            {"provider": "complero", "account": "c", "id": ["e1", "e2"]}
            | {
                "consents": [
                    r'{"to":"x\nAnn@b\u00fccher.example"}',
                    r'{"to":"joann@b\u00fccher.example"}',
                ]
            }
        ),
        "onepagecrm.linked_contacts": pl.DataFrame(
            {**_OPC, "id": ["8/1"], "contact": [{"id": "1", "title": None}]}
        ),
        "onepagecrm.deals": pl.DataFrame(
            {**_OPC, "id": ["d2", "d3"], "contact_id": ["2", "2"]}
            | {
                "linked_contacts": [
                    [{"id": "1", "contact_name": "Ann"}, {"id": "3", "contact_name": "Ed"}],
                    None,
                ]
            }
        ),
    }
    resources = {name: name.rpartition(".")[2] for name in tables}
    lines = [
        {
            **account,
            "resource": resource,
            "table": name,
            "rows": 1,
            "complete": True,
            "note": "",
            "misfits": 1,
        }
        for name, resource in resources.items()
        for account in (_OPC, _RELENTA, _ALTCRAFT)
    ]
    misfit = {**_OPC, "resource": "deals", "field": "amount", "reason": "no number"}
    misfits = [{**misfit, "id": "d1", "raw": '"five"'}, {**misfit, "id": "d2", "raw": '"six"'}]
    rejected = [
        {
            **_OPC,
            "resource": "notes",
            "reason": "the record has no id",
            "raw": f'{{"text":"x\\n{ANN}"}}',
        },
        {
            **_OPC,
            "resource": "notes",
            "reason": "the record has no id",
            "raw": '{"contact_id":"1"}',
        },
        {
            **_ALTCRAFT,
            "resource": "notes",
            "reason": "the record has no id",
            "raw": '{"contact_id":"1"}',
        },
    ]
    return Fetched(
        tables,
        heights={name: frame.height for name, frame in tables.items()},
        summary=pl.DataFrame(lines, schema=SUMMARY),
        rejected=pl.DataFrame(rejected),
        misfits=pl.DataFrame(misfits).select(
            "provider", "account", "resource", "id", "field", "reason", "raw"
        ),
        failures=(),
        asked=Asked(fetched_at=_AT),
    )


_HELD = {
    "contacts": ["1", "7", "9"],
    "deals": ["d1", "d2"],
    "deal_items": ["i1"],
    "activities": ["a1", "a2", "a4"],
    "consent_events": ["c1", "c2"],
    "subscriptions": ["s1"],
    "complero.events": ["e1"],
    "onepagecrm.linked_contacts": ["8/1"],
    "onepagecrm.deals": ["d2"],
    "misfits": ["d1"],
}


@pytest.mark.parametrize(
    "who", [ANN, "ANN@xn--bcher-kva.example", "+353 (20) 9100001", "relenta/office/7"]
)
def test_all_that_is_held_on_a_person_is_found_however_they_are_named(who: str) -> None:
    held = crmlab.about(_data(), who)

    assert {
        name: sorted(frame["id"].unique()) for name, frame in held.items() if "id" in frame.columns
    } == _HELD
    assert held["rejected"]["raw"].str.contains("contact_id").to_list().count(True) == 1
    assert held["rejected"].height == 2
    assert held.shared == ("info@example.com",)
    assert set(held["deals"]["provider"]) == {"onepagecrm"}


def test_it_says_by_what_each_row_was_found_and_puts_consents_in_order() -> None:
    held = crmlab.about(_data(), ANN)

    assert held["consent_events"]["id"].to_list() == ["c1", "c2"]
    assert held["consent_events"]["found_by"].to_list() == [
        "address in contact_email",
        "contact_id",
    ]
    assert dict(held["activities"].select("id", "found_by").rows()) == {
        "a1": "address in contact_emails",
        "a2": "address in body",
        "a4": "contact_hash",
    }
    assert held["subscriptions"]["found_by"].item() == "number in address"


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_folder_tells_the_same_as_what_is_in_memory(tmp_path: Path, format: Any) -> None:
    _data().export(tmp_path, format)

    held = crmlab.about(tmp_path, ANN)

    assert_frame_equal(held.summary, crmlab.about(_data(), ANN).summary)


def test_an_address_that_several_people_have_shows_nobody_what_is_held_on_another() -> None:
    with pytest.raises(
        UsageError,
        match=r"2 people have info@example.com.*'altcraft/news/9' or 'onepagecrm/of ann@",
    ):
        crmlab.about(_data(), "info@example.com")
    with pytest.raises(UsageError, match="names nobody here"):
        crmlab.about(_data(), "Ann Lee")
    with pytest.raises(UsageError, match="masked"):
        crmlab.about(_data().masked(), ANN)
    assert len(crmlab.about(_data(), "nobody@example.com")) == 0


@pytest.mark.fast
def test_what_is_written_holds_every_row_and_runs_nothing(tmp_path: Path) -> None:
    held = crmlab.about(_data(), ANN)

    held.write(tmp_path)

    values = json.loads((tmp_path / "about.json").read_bytes())
    page = (tmp_path / "about.html").read_text(encoding="utf-8")
    assert {name: len(rows) for name, rows in values["tables"].items()} == dict(
        held.summary.select("table", "rows").rows()
    )
    assert values["tables"]["consent_events"][1]["occurred_at"] == "2026-05-16T00:00:00+00:00"
    assert "&lt;b&gt;Chief" in page
    assert "<b>" not in page
    assert "default-src 'none'" in page


def test_erasing_takes_the_person_out_of_all_files_and_leaves_the_others(tmp_path: Path) -> None:
    for format in ("parquet", "csv"):
        _data().export(tmp_path, format)
    (tmp_path / "report.html").write_text("about Ann")
    (tmp_path / "contacts.csv").chmod(0o600)
    before = crmlab.open(tmp_path, lazy=False)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    taken = crmlab.erase(tmp_path, ANN)

    after = crmlab.open(tmp_path, lazy=False)
    assert len(crmlab.about(tmp_path, ANN)) == 0
    text = "".join(path.read_text(encoding="utf-8").casefold() for path in tmp_path.glob("*.csv"))
    assert f'"{ANN}' not in text
    assert f"<{ANN}" not in text
    assert "lee" not in text
    assert "joann@" in text
    assert after["deals"].select("id", "provider", "linked_contact_ids").rows() == [
        ("d2", "onepagecrm", ["3"]),
        ("d1", "altcraft", None),
    ]
    assert after["activities"].select("id", "contact_emails", "body").rows() == [
        ("a1", ["bo@example.com"], None),
        ("a2", ["bo@example.com"], None),
        ("a3", ["info@example.com"], None),
    ]
    assert after["onepagecrm.deals"]["linked_contacts"].list.len().to_list() == [1, None]
    assert after.misfits["id"].to_list() == ["d2"]
    assert after.rejected["provider"].to_list() == ["altcraft"]
    assert not after.summary["note"].str.contains("was changed").any()
    assert after.asked == before.asked
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == modes
    assert modes["rejected.csv"] == modes["misfits.parquet"] == modes["contacts.csv"] == 0o600
    by_file = {row["file"]: row for row in taken.to_dicts()}
    assert (
        by_file["deals.parquet"]["rows"],
        by_file["deals.parquet"]["values"],
        by_file["deals.csv"]["rows_left"],
    ) == (1, 1, 2)
    assert by_file["report.html"]["rows"] is None


def test_erasing_changes_no_file_where_one_cannot_be_read_or_nothing_is_held(
    tmp_path: Path,
) -> None:
    _data().export(tmp_path, "parquet")
    _data().export(tmp_path, "csv")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    crmlab.erase(tmp_path, "nobody@example.com")
    (tmp_path / "deals.csv").write_bytes(b"\xff\xfe broken")
    with pytest.raises(CrmlabError):
        crmlab.erase(tmp_path, ANN)

    changed = {
        path.name for path in tmp_path.iterdir() if path.stat().st_mtime_ns != before.get(path)
    }
    assert changed == {"deals.csv"}


def test_the_command_line_shows_what_it_would_take_and_takes_it_with_a_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _data().export(tmp_path / "out")
    given = [str(tmp_path / "out"), ANN]

    assert main(["about", *given, "--out", str(tmp_path / "answer")]) == 0
    assert main(["erase", *given]) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert len(crmlab.about(*given)) > 0
    assert main(["erase", *given, "--yes"]) == 0

    assert len(crmlab.about(*given)) == 0
    assert (tmp_path / "answer" / "about.html").exists()
