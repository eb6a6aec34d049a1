"""Reports as data: what is in the files is what the analyses return, and the manifest says what it is."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis, plots
from crmlab.catalogue import CATALOGUE
from crmlab.errors import CrmlabError, UsageError
from crmlab.results.export import read_cells
from crmlab.schema import TABLES

OCTOBER = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
EVIL = "=HYPERLINK(1)"


def collected() -> crmlab.Fetched:
    """Deals of one's own, one of them by an owner whose name is a formula."""
    deals = pl.DataFrame(
        {
            "id": ["1", "2", "3"],
            "owner_name": [EVIL, "Ann", "Ann"],
            "status": ["won", "lost", "pending"],
            "amount": [1000.0, 50.0, 2000.0],
            "currency": ["EUR"] * 3,
            "created_at": [OCTOBER] * 3,
            "close_date": [dt.date(2026, 11, 1), dt.date(2026, 11, 2), None],
        }
    )
    return crmlab.collect(deals=crmlab.table("deals", deals, provider="own"), as_of="2026-11-29")


def manifest(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return said


def test_every_question_is_answered_in_a_file_or_said_not_to_be(tmp_path: Path) -> None:
    data = collected()

    written = data.report(tmp_path / "out", tables="parquet")

    said = manifest(tmp_path / "out")
    lines = {line["name"]: line for line in said["questions"]}
    assert lines.keys() == CATALOGUE.keys()
    assert {path.name for path in written} == {
        "report.json", *(line["file"] for line in said["questions"] if "file" in line)
    }  # fmt: skip
    rates = analysis.win_rate(data, by="owner_name")
    assert_frame_equal(pl.read_parquet(tmp_path / "out" / "win_rate.parquet"), rates)
    assert lines["win_rate"]["rows"] == rates.height == 2
    assert lines["win_rate"]["formula"] == 'analysis.win_rate(deals, by="owner_name")'
    assert "win_rate = won / (won + lost)" in lines["win_rate"]["definition"]
    assert lines["win_rate"]["population"].startswith(
        "Win rate, for each owner (n = 2 closed deals). Won / (won + lost)"
    )
    assert lines["win_rate"]["columns"]["win_rate"] == "Float64"
    assert lines["win_rate"]["complete"] is True
    assert (
        lines["response_time"]["why"]
        == "Not answered: this needs contacts, activities, which were not fetched."
    )
    assert (
        lines["coverage"]["why"]
        == "Not answered: this needs a quota, which only you know (quota=)."
    )
    assert said["as_of"] == "2026-11-29T00:00:00+00:00"


def test_of_a_period_the_manifest_says_it_and_what_needs_everything_has_no_file(
    tmp_path: Path,
) -> None:
    data = collected()
    data.asked = replace(data.asked, since=OCTOBER, reached={})

    data.report(tmp_path, tables="csv", questions=["ageing", "win_rate"], time_zone="Europe/Berlin")

    ageing, win_rate = manifest(tmp_path)["questions"]
    assert ageing["why"].startswith("Not answered: this needs all deals")
    assert (win_rate["since"], win_rate["until"]) == ("2026-10-01T00:00:00+00:00", None)
    assert "Only what was changed or happened since 2026-10-01" in win_rate["population"]
    assert {path.name for path in tmp_path.iterdir()} == {"win_rate.csv", "report.json"}


def test_files_are_as_safe_as_those_of_an_export(tmp_path: Path) -> None:
    collected().report(tmp_path, tables="csv", questions=["win_rate"])

    assert f"'{EVIL}," in (tmp_path / "win_rate.csv").read_text(encoding="utf-8")
    assert read_cells(tmp_path / "win_rate.csv", {})["owner_name"].to_list() == [EVIL, "Ann"]


def test_a_workbook_has_a_sheet_for_each_question_and_one_that_says_what_they_are(
    tmp_path: Path,
) -> None:
    openpyxl = pytest.importorskip("openpyxl")

    collected().report(tmp_path, tables="xlsx", questions=["win_rate", "ageing"], title="Monday")

    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert book.sheetnames == ["questions", "win_rate", "ageing"]
    head, first, _ = book["questions"].iter_rows(values_only=True)
    said = dict(zip(head, first, strict=True))
    assert (said["name"], said["rows"], said["title"]) == ("win_rate", 2, "Monday")
    assert [line["sheet"] for line in manifest(tmp_path)["questions"]] == ["win_rate", "ageing"]


def test_a_later_report_leaves_no_answer_of_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("kept")
    collected().report(tmp_path, tables="csv", questions=["win_rate", "ageing"])

    collected().report(tmp_path, tables="parquet", questions=["ageing"])

    assert {path.name for path in tmp_path.iterdir()} == {
        "ageing.parquet",
        "report.json",
        "mine.csv",
    }


def test_where_one_file_cannot_be_written_all_stay_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected().report(tmp_path, tables="csv", questions=["win_rate", "ageing"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)  # the manifest's, which is written last
    with pytest.raises(CrmlabError, match="No space left"):
        collected().report(tmp_path, tables="parquet")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_masked_numbers_name_no_owner_and_say_that_they_are_masked(tmp_path: Path) -> None:
    collected().report(tmp_path, tables="csv", questions=["win_rate"], mask=True)

    assert "Ann" not in (tmp_path / "win_rate.csv").read_text(encoding="utf-8")
    assert manifest(tmp_path)["masked"] is True


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"tables": "excel"}, "unknown format 'excel'"),
        ({"tables": "csv", "questions": ["win_rates"]}, "did you mean 'win_rate'"),
        ({"tables": "csv", "time_zone": "Mars"}, "not in the time zone database"),
        ({"tables": "csv", "earlier": "last week"}, "earlier must be an earlier fetch"),
        ({"tables": "csv", "quota": "100"}, "give an amount"),
    ],
)
def test_what_is_asked_wrongly_writes_nothing(
    tmp_path: Path, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        collected().report(tmp_path / "out", **options)

    assert not (tmp_path / "out").exists()


def test_names_of_questions_are_names_of_sheets_and_of_no_table() -> None:
    assert [
        name for name in CATALOGUE if len(name) > 31 or name in TABLES or name == "questions"
    ] == []


def test_a_quota_and_an_earlier_fetch_answer_what_one_fetch_cannot(
    fetched: crmlab.Fetched, earlier: crmlab.Fetched, tmp_path: Path
) -> None:
    more = {
        "earlier": earlier,
        "quota": dict.fromkeys(fetched.deals["currency"].drop_nulls().unique(), 2e5),
    }

    page = fetched.report(tmp_path / "page.html", **more).read_text(encoding="utf-8")
    fetched.report(tmp_path, tables="parquet", **more)

    assert all(
        f'<figure id="{name}">' in page
        for name in ("waterfall", "funnel", "stage_durations", "coverage")
    )
    lines = {line["name"]: line for line in manifest(tmp_path)["questions"]}
    assert [name for name, line in lines.items() if "why" in line] == []
    steps = analysis.waterfall(earlier.deals, fetched.deals)
    assert_frame_equal(pl.read_parquet(tmp_path / "waterfall.parquet"), steps)


def test_an_earlier_fetch_of_a_period_is_refused_like_a_later_one(
    fetched: crmlab.Fetched, earlier: crmlab.Fetched, tmp_path: Path
) -> None:
    part = crmlab.Fetched(
        earlier, heights={}, summary=earlier.summary, rejected=earlier.rejected, failures=(),
        asked=replace(earlier.asked, since=OCTOBER),
    )  # fmt: skip

    fetched.report(tmp_path, tables="csv", questions=["waterfall"], earlier=part)

    (line,) = manifest(tmp_path)["questions"]
    assert line["why"].startswith(
        "Not answered: this needs all deals, and the data hold only those changed"
    )


def test_an_earlier_fetch_that_is_not_earlier_is_refused(
    fetched: crmlab.Fetched, earlier: crmlab.Fetched, tmp_path: Path
) -> None:
    for data, other in ((earlier, fetched), (fetched, fetched)):
        with pytest.raises(UsageError, match="and the data not later"):
            data.report(tmp_path / "page.html", questions=["waterfall"], earlier=other)


def test_at_another_moment_than_that_of_the_fetch_answers_say_so_and_a_history_keeps_the_times_of_its_fetches(
    fetched: crmlab.Fetched, earlier: crmlab.Fetched, tmp_path: Path
) -> None:
    asked = ["ageing", "consent_rate", "win_rate", "stage_durations"]
    fetched.report(
        tmp_path / "then", tables="parquet", questions=asked, earlier=earlier, as_of="2029-01-01"
    )
    fetched.report(tmp_path / "now", tables="parquet", questions=asked, earlier=earlier)

    note = (
        f"What has no time of its own is as it was when fetched, on {fetched.fetched_at:%Y-%m-%d}"
    )
    said = {
        line["name"]: note in line["population"]
        for line in manifest(tmp_path / "then")["questions"]
    }
    assert said == {
        "ageing": True,
        "consent_rate": True,
        "win_rate": False,
        "stage_durations": False,
    }
    assert not [
        line for line in manifest(tmp_path / "now")["questions"] if note in line["population"]
    ]
    assert_frame_equal(
        *(
            pl.read_parquet(tmp_path / folder / "stage_durations.parquet")
            for folder in ("then", "now")
        )
    )
    assert note in plots.consent_rate(
        fetched, as_of="2026-01-01"
    ).layout.title.subtitle.text.replace("<br>", "")


def test_who_is_who_is_not_told_of_tokens_wherever_it_is_asked(
    fetched: crmlab.Fetched, tmp_path: Path
) -> None:
    asked = ["people_overlap", "mailed_but_objected", "win_rate"]
    masked = fetched.masked()
    masked.export(tmp_path / "files")

    for data in (masked, crmlab.open(tmp_path / "files", lazy=False)):
        page = data.report(tmp_path / "page.html", questions=asked).read_text(encoding="utf-8")
        data.report(tmp_path, tables="csv", questions=asked)

        why = {line["name"]: line.get("why", "") for line in manifest(tmp_path)["questions"]}
        assert {name for name, reason in why.items() if "masked data do not tell" in reason} == set(
            asked[:2]
        )
        assert why["win_rate"] == ""
        assert "which of them are one person, masked data do not tell" in page
        for question in (
            analysis.people,
            analysis.evidence,
            analysis.mailed_but_objected,
            plots.people_overlap,
        ):
            with pytest.raises(
                UsageError,
                match=f"{question.__name__} needs who is who, and masked data do not tell",
            ):
                question(data)
    known = analysis.people(fetched)
    assert_frame_equal(
        analysis.mailed_but_objected(masked, people=known), analysis.mailed_but_objected(fetched)
    )
