"""The report is one file that needs nothing else and hides nothing that is missing."""

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crmlab import report
from crmlab.errors import CrmlabError, UsageError
from crmlab.report import shown_numbers
from crmlab.results.masking import mask, masked_account
from crmlab.schema import TABLES, Asked, conform

AS_OF = datetime(2026, 5, 16, 9, 30, tzinfo=UTC)
EVIL = "<script>alert('owner')</script>"
SUMMARY = {
    "account": pl.String,
    "provider": pl.String,
    "resource": pl.String,
    "table": pl.String,
    "rows": pl.Int64,
    "rejected": pl.Int64,
    "requests": pl.Int64,
    "retries": pl.Int64,
    "seconds": pl.Float64,
    "complete": pl.Boolean,
    "note": pl.String,
}


def summary(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SUMMARY, orient="row")


WHOLE = summary(("sales", "onepagecrm", "deals", "deals", 4, 0, 2, 1, 0.5, True, ""))


def tables() -> dict[str, pl.DataFrame]:
    at = [datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 2, 3, 10, tzinfo=UTC)]
    key = {"provider": ["onepagecrm"] * 4, "account": ["sales"] * 4}
    frames = {
        "deals": {
            **key,
            "owner_name": [EVIL, "Ann", "Ann", "Ann"],
            "status": ["won", "won", "lost", "pending"],
            "amount": [1000.0, 500.0, 50.0, 2000.0],
            "currency": ["EUR", "USD", "EUR", "EUR"],
            "close_date": [date(2026, 1, 5)] * 3 + [None],
            "contact_name": ["Private Person"] * 4,
        },
        "stages": {"pipeline_id": ["p"], "stage": [10], "label": ["Lead"]},
        "activities": {"kind": ["call", "note"], "starts_at": at, "body": ["a private text"] * 2},
        "consent_events": {"kind": ["confirm", "confirm"], "occurred_at": at},
        "consent_statistics": {
            "day": [date(2026, 1, 1)],
            "visitors_exposed": [1000],
            "optin": [600],
            "optout": [250],
        },
    }
    return {name: conform(pl.DataFrame(columns), TABLES[name]) for name, columns in frames.items()}


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts.append(data)
        elif self._open != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def written(path: Path, *args: Any, **options: Any) -> tuple[str, Page]:
    text = report.write(path / "report.html", *args, **({"as_of": AS_OF} | options)).read_text(
        encoding="utf-8"
    )
    return text, Page(text)


def masked(
    path: Path, tables: dict[str, pl.DataFrame], *args: Any, **options: Any
) -> tuple[str, Page]:
    """Write a report of the tables with tokens; who is who was found before."""
    who = report.known_people(tables)
    return written(path, mask(tables), *args, who=who, masked=True, **options)


def test_the_summary_says_the_numbers_in_words(tmp_path: Path) -> None:
    _, page = written(tmp_path, tables(), WHOLE)

    assert "As of 2026-05-16 09:30 UTC . Sources: sales (onepagecrm)." in page.text
    assert (
        "Closed deals : 2 won (1,000 EUR and 500 USD), 1 lost (50 EUR). Win rate 67% (2 of 3 closed)."
        in page.text
    )
    assert "Open pipeline : 1 deal open (2,000 EUR)." in page.text
    assert "Activities : 2 (1 call, 1 note), 2026-01-05 to 2026-02-03 (UTC)." in page.text
    assert "Consent events : 2 (2 confirm), 2026-01-05 to 2026-02-03 (UTC)." in page.text
    assert (
        "opt-in rate 60% (600 of 1,000 exposed visitors), opt-out rate 25%, over 1 day."
        in page.text
    )


def test_fields_that_nobody_documented_are_drift(tmp_path: Path) -> None:
    note = "fields nobody documented: horoscope, shoe_size; 2 records rejected"
    drifted = summary(("sales", "onepagecrm", "deals", "deals", 4, 0, 2, 1, 0.5, True, note))

    _, page = written(tmp_path, tables(), drifted)
    _, whole = written(tmp_path, tables(), WHOLE)

    assert "onepagecrm, deals: horoscope, shoe_size" in page.text
    assert "Drift None." in whole.text


def test_how_long_consents_last_is_told_for_each_channel_to_the_end_of_its_curve(
    tmp_path: Path,
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    said = [
        (None, 0, True),
        (None, 3, False),
        (None, 0, True),
        (None, 40, False),
        ("sms", 0, True),
        ("sms", 8, False),
    ]
    rows = {
        "provider": ["complero"] * 6,
        "account": ["consent"] * 6,
        "contact_id": [str(place // 2) for place in range(6)],
        "channel": [channel for channel, _, _ in said],
        "occurred_at": [first + timedelta(days=day) for _, day, _ in said],
        "kind": ["update"] * 6,
        "opted_in": [opted_in for _, _, opted_in in said],
    }
    events = conform(pl.DataFrame(rows), TABLES["consent_events"])

    _, page = written(tmp_path, {"consent_events": events}, WHOLE)

    numbers = page.text.split(
        "channel after (days) still in force lower bound (95 %) upper bound (95 %) "
    )[1]
    assert numbers.startswith(
        "sms 1 100.0% 100.0% 100.0% sms 7 100.0% 100.0% 100.0% - 1 100.0% 100.0% 100.0% - 7 50.0% "
    )


def test_the_page_is_complete_without_any_request(tmp_path: Path) -> None:
    text, page = written(tmp_path, tables(), WHOLE)

    assert text.count("* plotly.js v") == 1
    assert page.all("link", "img", "iframe", "object", "embed", "base") == []
    assert all("src" not in attributes for attributes in page.all("script"))
    policy = next(meta["content"] or "" for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline'")
    assert not re.search(r"https?:", policy)
    assert 4_500_000 < len(text) < 6_000_000


def test_every_chart_has_a_heading_a_label_and_its_numbers(tmp_path: Path) -> None:
    text, page = written(tmp_path, tables(), WHOLE)

    labels = [
        attributes["aria-label"] or ""
        for attributes in page.all("div")
        if attributes.get("role") == "img"
    ]
    assert len(re.findall(r"Plotly\.newPlot\(\s+\"", text)) == len(labels) == 16
    assert labels[0] == (
        "Chart: Open deals in each stage (n = 1 open deal). Where deals are now, not how many passed through. "
        "Left out: 3 closed"
    )
    assert labels[-1] == (
        "Chart: Banner opt-ins and opt-outs per day (n = 1,000 visitors). "
        "Share of exposed visitors; the rest chose nothing"
    )
    for question in (
        "Open amount by expected month",
        "Age of the open deals",
        "Open actions",
        "Mailings opened",
    ):
        assert any(label.startswith(f"Chart: {question}") for label in labels)
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert headings[:3] == ["h1", "h2", "h2"]
    assert [headings.count(name) for name in ("h1", "h2", "h3")] == [1, 8, 24]
    assert all(head.get("scope") == "col" for head in page.all("th"))
    regions = [
        attributes["aria-label"] or ""
        for attributes in page.all("div")
        if attributes.get("role") == "region"
    ]
    assert sum(region.startswith("The numbers of: ") for region in regions) >= 8


def test_contacts_and_consent_are_joined_across_services_masked_or_not(tmp_path: Path) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    more = tables() | {
        "contacts": conform(
            pl.DataFrame(
                {
                    "provider": ["onepagecrm", "complero"],
                    "account": ["sales", "consent"],
                    "id": ["1", "2"],
                    "full_name": ["Ann Private"] * 2,
                    "emails": [["ann@private.example"]] * 2,
                }
            ),
            TABLES["contacts"],
        ),
        "consent_events": conform(
            pl.DataFrame(
                {
                    "provider": ["complero"],
                    "account": ["consent"],
                    "id": ["e"],
                    "kind": ["update"],
                    "contact_id": ["2"],
                    "contact_email": ["ann@private.example"],
                    "channel": ["phone"],
                    "occurred_at": [day],
                    "opted_in": [False],
                }
            ),
            TABLES["consent_events"],
        ),
        "activities": conform(
            pl.DataFrame(
                {
                    "provider": ["onepagecrm"],
                    "account": ["sales"],
                    "id": ["a"],
                    "kind": ["call"],
                    "contact_id": ["1"],
                    "starts_at": [day.replace(month=4)],
                }
            ),
            TABLES["activities"],
        ),
    }

    for write in (written, masked):
        text, page = write(tmp_path, more, WHOLE)

        assert (
            "2 contacts are 1 person ; 1 of them contacted on a channel after opting out of it"
            in page.text
        )
        assert "Contacts after an opt-out" in page.text
        assert "private.example" not in text
        assert "Ann Private" not in text
        assert ("Masked: names" in page.text) is (write is masked)


def test_a_masked_report_names_no_owner_and_no_reason(tmp_path: Path) -> None:
    rejected = pl.DataFrame(
        {
            "provider": ["p"],
            "account": ["a"],
            "resource": ["r"],
            "reason": ["no day: Elm 1"],
            "raw": ["{}"],
        }
    )

    plain, _ = written(tmp_path, tables(), WHOLE, rejected=rejected)
    summary = pl.DataFrame({"note": [""], "rejected": [1], "misfits": [1]})
    account = masked_account({"summary": summary, "rejected": rejected, "misfits": rejected})
    text, page = masked(tmp_path, tables(), WHOLE, rejected=account["rejected"])

    assert "Elm 1" in plain
    assert "Elm 1" not in text
    assert ">Ann<" in plain
    assert not re.search(r">Ann<|\"Ann\"", text)
    assert "Win rate 67% (2 of 3 closed)" in page.text


def test_assumptions_are_listed_by_service(tmp_path: Path) -> None:
    _, page = written(tmp_path, {}, WHOLE, assumptions={"Relenta": ["ids never repeat", EVIL]})

    said = "Assumptions What the vendors do not document, and the numbers above rest on."
    assert f"{said} Relenta: 2 ids never repeat {EVIL}" in page.text


def test_the_page_has_a_language_a_viewport_and_both_colour_schemes(tmp_path: Path) -> None:
    text, page = written(tmp_path, {}, WHOLE)

    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    assert "@media (prefers-color-scheme: dark)" in text
    assert "@media print" in text


def test_text_of_the_data_is_never_markup(tmp_path: Path) -> None:
    bad = summary((EVIL, EVIL, EVIL, EVIL, 1, 1, 1, 0, 0.1, False, EVIL))
    rejected = pl.DataFrame(
        {"provider": [EVIL], "account": [EVIL], "resource": [EVIL], "reason": [EVIL], "raw": ["x"]}
    )
    evil = tables()
    evil["activities"] = evil["activities"].with_columns(kind=pl.lit("</script>" + EVIL))

    text, page = written(tmp_path, evil, bad, rejected=rejected, failures=[EVIL], title=EVIL)
    _, harmless = written(tmp_path, tables(), WHOLE)

    assert "<script>alert" not in text
    # plotly.js and its set-up, a script each chart, and the one for printing: data has opened no other
    assert len(page.all("script")) == len(harmless.all("script")) == 19
    assert page.text.count(EVIL) >= 10


def test_text_from_right_to_left_turns_nothing_beside_it(tmp_path: Path) -> None:
    own = summary(("مبيعات", "onepagecrm", "deals", "deals", 1, 0, 1, 0, 0.1, True, ""))

    text, _ = written(tmp_path, {}, own)

    assert "<td><bdi>مبيعات</bdi></td>" in text


def test_quotes_of_a_title_cannot_leave_the_label_of_a_chart(tmp_path: Path) -> None:
    evil = '" onmouseover="alert(1)'
    owned = {"deals": tables()["deals"].with_columns(currency=pl.lit(evil))}

    text, page = written(tmp_path, owned, WHOLE, title=evil)

    assert not any("onmouseover" in attributes for _, attributes in page.tags)
    assert f"<h1>{evil.replace(chr(34), '&#34;')}</h1>" in text


def test_people_and_rejected_records_are_not_in_the_report(tmp_path: Path) -> None:
    rejected = pl.DataFrame(
        {
            "provider": ["onepagecrm"] * 3,
            "account": ["sales"] * 3,
            "resource": ["deals"] * 3,
            "reason": [
                "amount: cannot parse 'Ann O'Neil' (string) as Float64",
                "amount: cannot parse 'Bo' (string) as Float64",
                "conversion from `str` to `date` failed in column 'close_date': [\"12 Elm Street\"]",
            ],
            "raw": ['{"email": "ann@example.com"}'] * 3,
        }
    )

    text, page = written(tmp_path, tables(), WHOLE, rejected=rejected)

    for private in ("Neil", "Elm Street", "ann@example.com", "Private Person", "a private text"):
        assert private not in text
    assert "onepagecrm sales deals amount: cannot parse '…' (string) as Float64 2" in page.text
    assert "column 'close_date': [\"…\"] 1" in page.text


def test_what_is_missing_is_said_first_and_in_its_section(tmp_path: Path) -> None:
    partial = summary(
        ("sales", "onepagecrm", "deals", "deals", 4, 3, 2, 0, 0.5, True, ""),
        ("support", "relenta", "activities", "activities", 0, 0, 5, 4, 9.0, False, "503 on page 7"),
    )

    _, page = written(tmp_path, {"deals": tables()["deals"]}, partial, failures=["relenta: 503"])

    start = page.text.index("Summary Not complete")
    assert page.text[start:].startswith(
        "Summary Not complete: activities of support. See data quality. 1 failure. See data quality. "
        "3 records rejected. They are in no number here. Closed deals"
    )
    for name in ("activities", "consent_events", "consent_statistics"):
        assert f"absent, the table {name} was not fetched." in page.text
        assert f"Absent: the table {name} was not fetched." in page.text
    assert "support, activities: 503 on page 7" in page.text
    assert "Failures relenta: 503 Rejected records" in page.text
    assert (
        "table account resource rows rejected why activities support activities 0 0 503 on page 7"
        in page.text
    )


def test_requests_of_a_resource_that_fills_two_tables_count_once(tmp_path: Path) -> None:
    twice = summary(
        ("sales", "onepagecrm", "deals", "deals", 1000, 0, 12, 3, 0.5, True, ""),
        ("sales", "onepagecrm", "deals", "deal_items", 500, 0, 12, 3, 0.5, True, ""),
    )

    _, page = written(tmp_path, {}, twice)

    assert "1,500 rows in 12 requests, 3 of them repeated." in page.text


def test_nothing_at_all_is_still_a_report(tmp_path: Path) -> None:
    text, page = written(tmp_path, {}, summary())

    assert len(text) < 20_000
    assert "Sources: none." in page.text
    assert (
        "Nothing. Incomplete tables None. Drift None. Failures None. Rejected records None. Values"
        in page.text
    )


def test_empty_tables_say_why_there_is_nothing(tmp_path: Path) -> None:
    text, page = written(tmp_path, {name: table.empty() for name, table in TABLES.items()}, WHOLE)

    assert "Closed deals : 0 won, 0 lost. None closed." in page.text
    assert "Consent banner : no visitor saw it." in page.text
    assert text.count("Nothing to show: the") == 21


def test_the_file_is_replaced_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("the last report")

    def full_disk(self: Path, *args: Any, **options: Any) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(CrmlabError, match="No space left"):
        report.write(path, {}, summary(), as_of=AS_OF)

    assert path.read_text() == "the last report"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"absent cannot be written \(No such file or directory\): name another"
    ):
        report.write(tmp_path / "absent" / "report.html", {}, summary(), as_of=AS_OF)


def test_other_users_may_read_the_report_as_far_as_the_umask_lets_them(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("")

    path = report.write(tmp_path / "report.html", {}, summary(), as_of=AS_OF)

    assert path.stat().st_mode == (tmp_path / "plain.txt").stat().st_mode


@pytest.mark.parametrize("name", ["monday.pdf", "monday.CSV", "monday.xlsx"])
def test_a_report_is_not_called_like_a_file_of_another_kind(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"a report is an HTML file.*\.html.*tables='csv'"):
        report.write(tmp_path / name, {}, summary(), as_of=AS_OF)

    assert not [*tmp_path.iterdir()]


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"as_of=.* has no time zone: add one"):
        report.write(tmp_path / "report.html", {}, summary(), as_of=AS_OF.replace(tzinfo=None))

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_time_zone_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in the time zone database"):
        report.write(
            tmp_path / "report.html", tables(), WHOLE, as_of=AS_OF, time_zone="Mars/Olympus"
        )

    assert list(tmp_path.iterdir()) == []


def test_any_frame_of_the_summary_of_a_fetch_is_understood(tmp_path: Path) -> None:
    more = WHOLE.with_columns(
        expected=pl.lit(None, pl.Int64), provider=pl.lit("onepagecrm", pl.Categorical)
    )

    _, page = written(tmp_path, {}, more)

    assert (
        "account provider resource table complete rows rejected requests retries seconds expected"
        in page.text
    )
    assert "sales onepagecrm deals deals yes 4 0 2 1 0.50 -" in page.text


def test_of_a_period_what_needs_everything_is_not_drawn_and_the_rest_says_the_period(
    tmp_path: Path,
) -> None:
    asked = Asked(fetched_at=AS_OF, since=datetime(2026, 2, 1, tzinfo=UTC))

    text, page = written(tmp_path, tables(), WHOLE, asked=asked)

    headings = re.findall(
        r"<h3>(.*?)</h3>\s*(?:<p class=\"question\">.*?</p>\s*)?<p class=\"soft\">(.*?)</p></figcap",
        text,
    )
    notes = dict(headings)
    assert notes["Where are the open deals now?"] == (
        "Not drawn: this needs all deals, and the data hold only those changed or happened since 2026-02-01: "
        "fetch without since, until."
    )
    win_rate = next(note for title, note in headings if title.startswith("Win rate"))
    assert win_rate.endswith("Only what was changed or happened since 2026-02-01")
    assert (
        "Only what was changed or happened since 2026-02-01. What needs everything is not in this report."
        in page.text
    )
    assert "Open pipeline : not said, for this needs all deals" in page.text
    assert (
        len(page.all("figure"))
        > len([each for each in page.all("div") if each.get("role") == "img"])
        > 0
    )


def test_of_whole_tables_no_period_is_said(tmp_path: Path) -> None:
    _, page = written(tmp_path, tables(), WHOLE, asked=Asked(fetched_at=AS_OF))

    assert "Only what was changed" not in page.text
    assert "Not drawn: this needs all" not in page.text


# ---- what is chosen ------------------------------------------------------------------------------


def test_a_report_has_the_chosen_title_clock_moment_and_questions(tmp_path: Path) -> None:
    text, page = written(
        tmp_path,
        tables(),
        WHOLE,
        title="Monday",
        time_zone="Asia/Tokyo",
        as_of="2026-05-20",
        asked=Asked(fetched_at=AS_OF),
        questions=["win_rate", "people_overlap", "coverage", "waterfall"],
    )

    assert "<title>Monday</title>" in text
    assert (
        "As of 2026-05-20 00:00 Asia/Tokyo , from data fetched at 2026-05-16 18:30 Asia/Tokyo."
        in page.text
    )
    assert [attributes["id"] for attributes in page.all("figure")] == [
        "win_rate",
        "coverage",
        "waterfall",
    ]
    assert "Not drawn: this needs a quota, which only you know (quota=)." in page.text
    assert "Not drawn: this needs an earlier fetch to compare with (earlier=)." in page.text
    assert "Absent: the table contacts was not fetched." in page.text


def test_the_contents_lead_to_every_section_and_question(tmp_path: Path) -> None:
    _, page = written(tmp_path, tables(), WHOLE)

    links = [(attributes["href"] or "").removeprefix("#") for attributes in page.all("a")]
    ids = [attributes["id"] for attributes in page.all("h2", "figure") if "id" in attributes]
    assert sorted([*links, "contents"]) == sorted(ids)
    assert len(links) > 20


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        (["win_rates"], "unknown question 'win_rates'; did you mean 'win_rate'?"),
        (["=1+1"], "unknown question '=1+1'."),
        ("win_rate", "is one text: give a list"),
        ([], "questions is empty"),
    ],
)
def test_questions_that_there_are_not_are_refused(
    tmp_path: Path, questions: Any, reason: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(reason)):
        report.write(tmp_path / "report.html", tables(), WHOLE, as_of=AS_OF, questions=questions)

    assert list(tmp_path.iterdir()) == []


def test_values_that_could_not_be_read_are_counted_by_field_and_reason(tmp_path: Path) -> None:
    misfits = pl.DataFrame(
        {
            "provider": ["onepagecrm"] * 3,
            "account": ["sales"] * 3,
            "resource": ["deals"] * 3,
            "id": ["1", "2", "3"],
            "field": ["amount", "amount", "close_date"],
            "reason": [
                'expected a number, got "Ann"',
                'expected a number, got "Bo"',
                "expected a date",
            ],
            "raw": ['"Ann"', '"Bo"', "0"],
        }
    )
    counted = WHOLE.with_columns(misfits=pl.lit(2_003, pl.Int64))

    text, page = written(tmp_path, tables(), counted, misfits=misfits)

    assert "Values that could not be read 2,003 in all" in page.text
    assert 'onepagecrm sales deals amount expected a number, got "…" 2' in page.text
    assert "onepagecrm sales deals close_date expected a date 1" in page.text
    assert ">Bo<" not in text


def test_tables_are_in_words_with_per_cent_and_units(tmp_path: Path) -> None:
    _, page = written(
        tmp_path, tables(), WHOLE, questions=["win_rate", "cycle_length", "consent_banner"]
    )

    assert (
        "owner name currency won lost win rate won amount lost amount win rate by amount"
        in page.text
    )
    assert "Ann EUR 0 1 0.0% 0.00 50.00 0.0%" in page.text
    assert "mean (days) median (days) 90th percentile (days)" in page.text
    assert "2026-01-01 1,000 600 250 60.0% 25.0%" in page.text


@pytest.mark.parametrize(
    ("hours", "shown"),
    [([1.5, 40.0], "median (hours) 1.5"), ([36.0, 19_772.1], "median (days) 1.5")],
)
def test_long_times_are_in_days(hours: list[float], shown: str) -> None:
    table = shown_numbers.table(pl.DataFrame({"median_hours": hours}), "", "UTC", None)

    assert " ".join(Page(str(table)).text.split()).startswith(shown)


def test_lists_and_times_are_in_words() -> None:
    frame = pl.DataFrame(
        {"services": [["altcraft", "relenta"]], "last_sent_at": [AS_OF], "amount": [2.0]}
    )

    table = shown_numbers.table(frame, "", "Europe/Berlin", "EUR")

    assert (
        Page(str(table)).text
        == "services last sent at amount (EUR) altcraft, relenta 2026-05-16 11:30 2.00"
    )
