"""Own tables as a `Fetched`: reported, exported, masked and asked like what a fetch brought."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis
from crmlab.analysis.decisions import decided
from crmlab.catalogue import CATALOGUE, GIVEN
from crmlab.errors import UsageError
from crmlab.schema.tables import TABLES, UTC

AS_OF = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)


def own_deals(**options: Any) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"id": ["1", "2"], "status": ["won", "lost"], "amount": [100, 50], "region": ["N", "S"]}
    )
    return crmlab.table("deals", frame, **{"provider": "salesforce", "account": "eu", **options})


def own_consents(**columns: Any) -> pl.DataFrame:
    usual = {"channel": "email", "opted_in": True, "occurred_at": "2026-01-01"}
    return crmlab.table(
        "consent_events", pl.DataFrame({**usual, **columns}), provider="salesforce", account="eu"
    )


def as_users_write_it(frame: pl.DataFrame, path: Path) -> Path:
    """Write a CSV file by hand: times with their zone, lists joined by semicolons, custom fields left out."""
    texts = []
    for name, dtype in frame.schema.items():
        if dtype == UTC:
            texts.append(pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f UTC"))
        elif dtype == pl.List(pl.String):
            texts.append(pl.col(name).list.join(";"))
        elif not dtype.is_nested():
            texts.append(pl.col(name).cast(pl.String))
    frame.select(texts).write_csv(path)
    return path


@pytest.fixture(scope="module")
def own(fetched: crmlab.Fetched, tmp_path_factory: pytest.TempPathFactory) -> crmlab.Fetched:
    """Return all tables of the fetch, as own data that were written to CSV files and read again."""
    folder = tmp_path_factory.mktemp("own")
    tables = {
        name: crmlab.table(name, as_users_write_it(frame, folder / f"{name}.csv"))
        for name, frame in fetched.items()
    }
    return crmlab.collect(as_of=fetched.fetched_at, **tables)


# ---- the same answers ---------------------------------------------------------------------------


def variables(data: crmlab.Fetched, earlier: crmlab.Fetched) -> dict[str, Any]:
    known: dict[str, Any] = {**data, "data": data, "earlier": earlier, "time_zone": "Europe/Berlin"}
    known["quota"] = dict.fromkeys(data.deals["currency"].drop_nulls().unique(), 200000.0)
    for name, code in GIVEN.items():
        known[name] = eval(code, {"analysis": analysis}, known)
    return known


def test_own_data_give_the_same_answers_as_the_same_data_fetched(
    own: crmlab.Fetched, fetched: crmlab.Fetched, earlier: crmlab.Fetched
) -> None:
    of_own, of_fetched = variables(own, earlier), variables(fetched, earlier)

    for entry in CATALOGUE.values():
        assert_frame_equal(entry.count(of_own), entry.count(of_fetched), check_row_order=False)


def test_the_report_on_own_data_draws_the_same_figures(
    own: crmlab.Fetched, fetched: crmlab.Fetched, tmp_path: Path
) -> None:
    pages = [
        data.report(tmp_path / f"{number}.html").read_text()
        for number, data in enumerate((own, fetched))
    ]

    # what one collects is whole; of the banner's statistics a fetch reaches thirty days
    # and what could not be read is counted by the fetch
    notes = r"(\. |<br>)*(Only what was changed or happened since [\d-]+|[\d,]+ values? of [\w ,<>]* could not be read)"
    plain = [re.sub(notes, "", page) for page in pages]
    figures = [
        re.findall(r"<figcaption>.*?</figcaption>|<details>.*?</details>", page, re.DOTALL)
        for page in plain
    ]

    assert len(figures[0]) > 30
    assert figures[0] == figures[1]
    assert "own data" in pages[0]


def test_own_data_are_exported_and_masked(tmp_path: Path) -> None:
    data = crmlab.collect(deals=own_deals(), as_of=AS_OF)

    paths = data.export(tmp_path, mask=True)

    assert [path.name for path in paths] == ["deals.parquet", "summary.parquet", "crmlab.json"]
    written = pl.read_parquet(paths[0])
    assert written["amount"].to_list() == [100.0, 50.0]
    assert not set(written["region"]) & {"N", "S"}


def test_own_data_come_back_from_csv_with_their_further_columns_as_text(tmp_path: Path) -> None:
    deals = own_deals().with_columns(note=pl.lit("=1+1"))
    crmlab.collect(deals=deals, as_of=AS_OF).export(tmp_path, "csv")

    found = crmlab.read_csv(tmp_path / "deals.csv")

    assert_frame_equal(found, deals)


def test_own_data_are_explored() -> None:
    panel = crmlab.explore(crmlab.collect(deals=own_deals(), as_of=AS_OF))

    assert "nothing that can be answered" not in repr(panel)


# ---- the account of it --------------------------------------------------------------------------


def test_the_summary_says_that_the_data_are_own_and_what_they_lack() -> None:
    data = crmlab.collect(deals=own_deals(), as_of="2026-01-31")

    [line] = data.summary.to_dicts()
    assert data.complete
    assert data.fetched_at == AS_OF
    assert (line["provider"], line["account"], line["table"], line["rows"]) == (
        "salesforce",
        "eu",
        "deals",
        2,
    )
    assert line["note"].startswith("own data; nothing fills created_at, ")
    assert "close_date" in line["note"]
    assert line["note"].endswith("; further columns region")


def test_an_empty_table_is_nobodys() -> None:
    data = crmlab.collect(deals=TABLES["deals"].empty(), as_of=AS_OF)

    assert data.deals.is_empty()
    assert data.summary.select("account", "rows", "note").rows() == [("", 0, "own data")]


# ---- together with a fetch ----------------------------------------------------------------------


def test_own_rows_are_added_to_those_of_a_fetch(fetched: crmlab.Fetched) -> None:
    together = crmlab.collect(fetched, deals=own_deals())

    assert together.deals.height == fetched.deals.height + 2
    assert together.deals.columns == [*fetched.deals.columns, "region"]
    assert together.deals["region"].drop_nulls().to_list() == ["N", "S"]
    assert_frame_equal(together.contacts, fetched.contacts)
    assert together.fetched_at == fetched.fetched_at
    assert together.summary.height == fetched.summary.height + 1
    assert "region" not in fetched.deals.columns


def test_adding_rows_of_another_service_changes_no_answer_about_the_first(
    fetched: crmlab.Fetched,
) -> None:
    together = crmlab.collect(fetched, deals=own_deals())

    crm = pl.col("provider") == "onepagecrm"
    rates = [
        analysis.win_rate(data.deals.filter(crm), by="owner_name") for data in (together, fetched)
    ]
    assert_frame_equal(*rates)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({}, "give tables by their name"),
        ({"dealz": None}, "'dealz' is no shared table; did you mean 'deals'"),
        (
            {"deals": pl.DataFrame({"id": ["1"]})},
            r"deals has no provider, account: make it with crmlab.table\('deals'",
        ),
        ({"deals": 5}, "deals is of type int, which is no frame"),
        (
            {"deals": own_deals().with_columns(status=pl.lit("Closed Won"))},
            "'Closed Won' .2.; known are pending",
        ),
        (
            {"deals": pl.concat([own_deals(), own_deals()])},
            "2 ids of one provider and account are on several rows",
        ),
    ],
)
def test_what_is_no_shared_table_is_refused(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        crmlab.collect(as_of=AS_OF, **tables)


def test_without_a_fetch_the_time_of_the_data_is_required() -> None:
    with pytest.raises(UsageError, match="write as_of='2026-01-31'"):
        crmlab.collect(deals=own_deals())


def test_an_id_that_the_fetch_has_too_is_refused(fetched: crmlab.Fetched) -> None:
    with pytest.raises(UsageError, match="on several rows"):
        crmlab.collect(fetched, deals=fetched.deals.head(1))


def test_further_columns_of_one_name_and_two_dtypes_are_refused() -> None:
    data = crmlab.collect(deals=own_deals(), as_of=AS_OF)
    other = own_deals(account="us").with_columns(region=pl.lit(5))

    with pytest.raises(
        UsageError, match="further column region is String in one and Int32 in the other"
    ):
        crmlab.collect(data, deals=other)


def test_only_a_fetch_can_be_added_to() -> None:
    with pytest.raises(UsageError, match="the first argument is of type dict"):
        crmlab.collect({}, deals=own_deals())  # type: ignore[arg-type]


# ---- consent ------------------------------------------------------------------------------------


def test_own_data_are_added_before_masking(fetched: crmlab.Fetched) -> None:
    own = crmlab.table(
        "contacts", pl.DataFrame({"id": ["1"], "full_name": ["Ann"]}), provider="own"
    )

    with pytest.raises(UsageError, match="add your own first, then mask"):
        crmlab.collect(fetched.masked(), contacts=own)


def test_a_person_known_by_an_address_alone_is_a_contact_of_it() -> None:
    contacts = pl.DataFrame({"id": ["7"], "emails": [["other@example.com", "Ann@example.com"]]})
    events = own_consents(
        contact_email=["ann@example.com ", "bo@example.com", "BO@example.com", None]
    )

    data = crmlab.collect(
        consent_events=events,
        contacts=crmlab.table("contacts", contacts, provider="salesforce", account="eu"),
        as_of=AS_OF,
    )

    assert data.consent_events["contact_id"].to_list() == ["7", "address 1", "address 1", None]
    assert data.contacts.select("id", "emails").rows() == [
        ("7", ["other@example.com", "Ann@example.com"]),
        ("address 1", ["bo@example.com"]),
    ]


def test_a_contact_of_another_account_is_not_taken() -> None:
    contacts = crmlab.table(
        "contacts", pl.DataFrame({"id": ["7"], "emails": ["ann@example.com"]}), provider="other"
    )

    data = crmlab.collect(
        consent_events=own_consents(contact_email=["ann@example.com"]),
        contacts=contacts,
        as_of=AS_OF,
    )

    assert data.consent_events["contact_id"].to_list() == ["address 1"]
    assert data.contacts.select("provider", "id").rows() == [
        ("other", "7"),
        ("salesforce", "address 1"),
    ]


def test_an_event_with_a_contact_keeps_it_and_adds_none() -> None:
    events = own_consents(contact_email=["ann@example.com"], contact_id=["7"])

    data = crmlab.collect(consent_events=events, as_of=AS_OF)

    assert list(data) == ["consent_events"]
    assert data.consent_events["contact_id"].to_list() == ["7"]


def test_decisions_of_a_further_service_count_in_joined_answers(fetched: crmlab.Fetched) -> None:
    [address] = (
        fetched.contacts.filter(pl.col("emails").list.len() > 0)["emails"].list.first().head(1)
    )
    later = fetched.fetched_at - dt.timedelta(minutes=1)
    events = own_consents(contact_email=[address], opted_in=[False], occurred_at=[later])

    data = crmlab.collect(fetched, consent_events=events)

    own = pl.col("provider") == "salesforce"
    people = analysis.people(data.contacts)
    person = people.join(
        data.contacts.filter(own).select("provider", "account", "id"),
        on=["provider", "account", "id"],
    )
    assert decided(data.consent_events.filter(own))["decision"].to_list() == ["opt-out"]
    assert people.filter(pl.col("person_id") == person["person_id"].item()).height > 1


def test_a_further_column_of_nothing_goes_together_with_one_of_text() -> None:
    first = crmlab.collect(deals=own_deals().with_columns(region=pl.lit(None)), as_of=AS_OF)

    together = crmlab.collect(first, deals=own_deals(account="us"))

    assert together.deals["region"].to_list() == [None, None, "N", "S"]
