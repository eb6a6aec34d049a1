"""Own data as a shared table: what is read, what is refused, and what the message says to write."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis
from crmlab.errors import MisfitWarning, UsageError
from crmlab.schema.tables import CUSTOM, TABLES, UTC, conform

NAMES = sorted(TABLES)


def deals(columns: dict[str, Any], **options: Any) -> pl.DataFrame:
    """Return deals of those columns, with an id and a state where they have none."""
    height = len(next(iter(columns.values())))
    usual = {"id": [str(number) for number in range(height)], "status": ["won"] * height}
    return crmlab.table(
        "deals", pl.DataFrame({**usual, **columns}), **{"provider": "salesforce", **options}
    )


# ---- the shape ----------------------------------------------------------------------------------


def test_columns_are_those_of_the_table_and_further_ones_stand_at_the_end() -> None:
    found = deals({"region": ["North"], "amount": [5]})

    assert found.columns == [*TABLES["deals"].columns, "region"]
    assert found.drop("region").schema == TABLES["deals"].schema
    assert found.select("provider", "account", "amount", "region").rows() == [
        ("salesforce", "salesforce", 5.0, "North")
    ]


def test_the_account_has_the_name_that_is_given() -> None:
    assert deals({"amount": [5]}, account="eu")["account"].to_list() == ["eu"]


def test_columns_that_are_spelled_a_little_otherwise_are_taken() -> None:
    found = deals({"Close Date": ["2026-01-31"], "OWNER-NAME": ["Ann"], "Total_Amount ": [7]})

    assert found.select("close_date", "owner_name", "total_amount").rows() == [
        (dt.date(2026, 1, 31), "Ann", 7.0)
    ]
    assert found.columns == list(TABLES["deals"].columns)


def test_a_column_that_has_the_name_is_preferred_to_one_that_nearly_has() -> None:
    found = deals({"amount": [5], "Amount": [7]})

    assert found.select("amount", "Amount").rows() == [(5.0, 7)]


def test_columns_that_nothing_fills_are_null() -> None:
    found = deals({"amount": [5]})

    assert found["close_date"].to_list() == [None]


BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    pl.Categorical(): st.sampled_from(["onepagecrm", "salesforce"]),
    pl.String(): st.text(max_size=8).filter(lambda text: text.strip() != ""),
    pl.Float64(): st.floats(allow_nan=False, allow_infinity=False),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.Boolean(): st.booleans(),
    pl.Date(): st.dates(),
    UTC: st.datetimes(timezones=st.just(dt.UTC)),
    pl.List(pl.String): st.lists(st.none() | st.text(max_size=4), max_size=3),
    CUSTOM: st.lists(
        st.fixed_dictionaries(dict.fromkeys(("key", "label", "value"), st.none() | st.text())),
        max_size=2,
    ),
}


@st.composite
def shared_frames(draw: st.DrawFn, name: str) -> pl.DataFrame:
    """Draw a frame as a fetch brings it: with its key, and with words that analyses know."""
    columns = {}
    for column, said in TABLES[name].columns.items():
        values = st.sampled_from(said.words) if said.words else BY_TYPE[said.dtype]
        columns[column] = values if column in ("provider", "account") else st.none() | values
    columns["id"] = st.uuids().map(str)
    rows = draw(st.lists(st.fixed_dictionaries(columns), max_size=4))
    if name == "activities":
        rows = [{**row, "kind": "call"} for row in rows]
    if name == "consent_events":
        rows = [
            {**row, "kind": "subscribe", "opted_in": True, "created_at": dt.datetime.now(dt.UTC)}
            for row in rows
        ]
    return pl.DataFrame(rows, schema=TABLES[name].schema, orient="row")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(data=st.data())
def test_a_shared_table_is_itself(name: str, data: st.DataObject) -> None:
    frame = data.draw(shared_frames(name))

    found = crmlab.table(name, frame)

    assert_frame_equal(found, conform(frame, TABLES[name]), rel_tol=0, abs_tol=0)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(data=st.data())
def test_values_written_as_text_are_read_back(name: str, data: st.DataObject) -> None:
    frame = data.draw(shared_frames(name))
    flat = [column for column, dtype in frame.schema.items() if not dtype.is_nested()]
    frame = frame.select(flat)

    written = frame.with_columns(
        pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
        if dtype == UTC
        else pl.col(column).cast(pl.String)
        for column, dtype in frame.schema.items()
    )
    # years before 1000 are written with fewer digits
    early = [
        pl.col(column).str.starts_with("0")
        for column, dtype in frame.schema.items()
        if dtype in (pl.Date(), UTC)
    ]
    is_early = written.select(pl.any_horizontal(*early).fill_null(value=False)).to_series()
    found = crmlab.table(name, written.filter(~is_early))

    assert_frame_equal(found.select(flat), frame.filter(~is_early), rel_tol=1e-15)


# ---- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rename": {"Stag": "status"}}, "no column 'Stag'; did you mean 'Stage'?"),
        ({"rename": {"Stage": "statis"}}, "deals has no column 'statis'; did you mean 'status'?"),
        (
            {"rename": {"status": "Stage"}},
            "write rename={'Stage': 'status'}, not {'status': 'Stage'}",
        ),
        (
            {"rename": {"Stage": "amount"}},
            r"the frame has a column amount already.*frame.drop\('amount'\)",
        ),
        ({"rename": {"Stage": "name", "amount": "name"}}, "Stage and amount would both be name"),
        ({"id": "Opportunity"}, "no column 'Opportunity'; did you mean 'Opportunity ID'?"),
        (
            {"id": None},
            "deals needs an id.*write id='Opportunity ID'. It has Opportunity ID, Stage, amount",
        ),
        ({"provider": None}, "write provider='salesforce'"),
        (
            {"values": {"statuss": {"a": "won"}}},
            "deals has no column 'statuss'; did you mean 'status'?",
        ),
        ({"values": {"close_date": {"a": "b"}}}, "no column of the frame fills 'close_date'"),
        (
            {"values": {"Stage": {"a": "won"}}, "rename": {"Stage": "status"}},
            "'Stage' is called 'status' in the table: write 'status'",
        ),
        ({"values": {"amount": "won"}}, "write what becomes what"),
        (
            {"constants": {"currncy": "EUR"}},
            "deals has no column 'currncy'; did you mean 'currency'?",
        ),
        ({"constants": {"amount": 5}}, "the frame has a column amount already"),
        (
            {"rename": ["Stage"]},
            "rename is of type list: write a dict, such as {'Stage': 'status'}",
        ),
        ({"constants": None}, "constants is of type NoneType: write a dict"),
        ({"misfits": "drop"}, "misfits='drop': write 'raise' or 'null'"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_with_what_to_write(
    options: dict[str, Any], said: str
) -> None:
    frame = pl.DataFrame({"Opportunity ID": ["1"], "Stage": ["won"], "amount": [5]})

    with pytest.raises(UsageError, match=said):
        crmlab.table(
            "deals", frame, **{"provider": "salesforce", "id": "Opportunity ID", **options}
        )


def test_a_table_that_is_not_known_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'deal' is no shared table; did you mean 'deals'"):
        crmlab.table("deal", pl.DataFrame(), provider="salesforce")


def test_an_account_in_the_data_is_not_taken_for_that_of_the_service() -> None:
    with pytest.raises(
        UsageError, match=r"has a column account already.*'account': 'company_name'"
    ):
        deals({"account": ["Cancity"]})

    found = deals({"account": ["Cancity"]}, rename={"account": "company_name"})

    assert found.select("account", "company_name").rows() == [("salesforce", "Cancity")]


def test_a_column_that_is_nearly_a_shared_one_is_told() -> None:
    frame = pl.DataFrame({"id": ["1"], "E-Mail": ["ann@example.com"]})

    with pytest.warns(MisfitWarning, match=r"write rename=\{'E-Mail': 'emails'\}"):
        found = crmlab.table("contacts", frame, provider="salesforce")

    assert found["E-Mail"].to_list() == ["ann@example.com"]


def test_a_table_without_its_column_of_words_is_told() -> None:
    with pytest.warns(MisfitWarning, match=r"no column fills status \(pending, won, lost\)"):
        crmlab.table("deals", pl.DataFrame({"id": ["1"]}), provider="salesforce")


# ---- ids ----------------------------------------------------------------------------------------


def test_rows_without_an_id_are_refused_and_counted() -> None:
    with pytest.raises(UsageError, match="2 rows of 3 have no id"):
        deals({"id": ["1", None, " "]})


def test_an_id_on_several_rows_is_refused_and_shown() -> None:
    with pytest.raises(
        UsageError, match=r"1 id of one provider and account is on several rows \('7'\)"
    ):
        deals({"id": [7, 7, 8]})


def test_whole_numbers_are_ids_without_a_point() -> None:
    assert deals({"id": [5.0, 6.0], "contact_id": [1.0, None]}).select(
        "id", "contact_id"
    ).rows() == [
        ("5", "1"),
        ("6", None),
    ]


# ---- words --------------------------------------------------------------------------------------


def test_words_are_known_whatever_their_case_and_blanks() -> None:
    found = deals({"status": ["Won", " LOST ", "pending"]})

    assert found["status"].to_list() == ["won", "lost", "pending"]
    assert analysis.win_rate(found).select("won", "lost").row(0) == (1, 1)


def test_words_that_are_not_known_are_refused_with_their_number_and_what_to_write() -> None:
    said = re.escape(
        "status holds words that are not known: 'Closed Won' (2), 'Open' (1); known are pending, won, lost; "
        "write values={'status': {'Closed Won': 'won', 'Open': ...}}"
    )

    with pytest.raises(UsageError, match=said):
        deals({"status": ["Closed Won", "Closed Won", "Open", "won"]})


def test_words_are_replaced_as_told() -> None:
    words = {"Closed Won": "won", "closed lost": "lost", "Junk": None, 7: "pending"}

    found = deals({"status": ["Closed Won", "Closed  Lost", "Junk", "7"]}, values={"status": words})

    assert found["status"].to_list() == ["won", "lost", None, "pending"]


def test_other_kinds_of_activities_are_kept_and_known_ones_spelled_alike() -> None:
    frame = pl.DataFrame({"id": ["1", "2"], "kind": ["Call", "Lunch"]})

    assert crmlab.table("activities", frame, provider="salesforce")["kind"].to_list() == [
        "call",
        "Lunch",
    ]


def test_what_happened_to_a_mailing_is_told_by_the_kind_where_nothing_else_does() -> None:
    frame = pl.DataFrame(
        {
            "id": ["1", "2", "3"],
            "kind": ["Sent", "open", "call"],
            "mailing": [None, "Clicked", None],
        }
    )

    found = crmlab.table("activities", frame, provider="salesforce")

    assert found["mailing"].to_list() == ["sent", "clicked", None]


@pytest.mark.parametrize("name", NAMES)
def test_every_word_of_the_schema_is_known_in_every_spelling(name: str) -> None:
    for column, said in TABLES[name].columns.items():
        if said.words and not said.other_words:
            words = [
                spelling
                for word in said.words
                for spelling in (word, word.upper(), f" {word.title()} ")
            ]
            frame = pl.DataFrame(
                {"id": [str(number) for number in range(len(words))], column: words}
            )

            decided = (
                {"opted_in": True, "occurred_at": "2026-01-31"} if name == "consent_events" else {}
            )
            found = crmlab.table(name, frame, provider="salesforce", constants=decided)

            assert found[column].to_list() == [word for word in said.words for _ in range(3)]


# ---- misfits ------------------------------------------------------------------------------------


def test_values_that_cannot_be_read_are_refused_all_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        deals({"amount": ["5", "n/a"], "close_date": ["31/01/2026", None]})

    assert "amount: 1 of 2 values cannot be read as numbers ('n/a')" in str(caught.value)
    assert "values={'amount': {'n/a': None}}" in str(caught.value)
    assert (
        "close_date: 1 of 2 values cannot be read as dates ('31/01/2026'); write date_format='%d/%m/%Y'"
        in str(caught.value)
    )


def test_values_that_cannot_be_read_become_null_on_request_and_are_kept() -> None:
    with pytest.warns(MisfitWarning) as told:
        found = deals(
            {"amount": ["5", "n/a"], "status": ["Won", "?"], "region": ["N", "S"]}, misfits="null"
        )

    assert found.select("amount", "status").rows() == [(5.0, "won"), (None, None)]
    assert found["misfits"].to_list() == [
        [],
        [{"column": "status", "value": "?"}, {"column": "amount", "value": "n/a"}],
    ]
    assert found.columns[-2:] == ["region", "misfits"]
    assert len(told) == 2


def test_where_all_can_be_read_there_is_no_column_of_misfits() -> None:
    assert "misfits" not in deals({"amount": ["5"]}, misfits="null").columns


@given(st.lists(st.none() | st.text(max_size=6), min_size=1, max_size=6))
def test_no_value_is_lost_in_silence(texts: list[str | None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisfitWarning)
        found = deals({"amount": texts, "stage": texts, "close_date": texts}, misfits="null")

    kept = found["misfits"].to_list() if "misfits" in found.columns else [[] for _ in texts]
    for text, row, misfits in zip(texts, found.iter_rows(named=True), kept, strict=True):
        for column in ("amount", "stage", "close_date"):
            is_blank = text is None or text.strip() == ""
            was_kept = {"column": column, "value": text} in misfits
            assert row[column] is not None or was_kept or is_blank


def test_a_lazy_frame_that_cannot_be_collected_is_told_in_our_words() -> None:
    frame = pl.LazyFrame({"id": ["1"]}).select("nope")

    with pytest.raises(UsageError, match=r'deals is a lazy frame that cannot be collected.*"nope"'):
        crmlab.table("deals", frame, provider="salesforce")


# ---- consent ------------------------------------------------------------------------------------


def consents(columns: dict[str, Any], **options: Any) -> pl.DataFrame:
    return crmlab.table("consent_events", pl.DataFrame(columns), provider="newsletter", **options)


def test_an_address_a_channel_and_a_yes_or_no_are_enough() -> None:
    frame = {
        "E-Mail": ["ann@example.com", "bo@example.com"],
        "Channel": ["E-Mail", "SMS"],
        "Opted in": ["yes", "no"],
    }

    found = consents(
        frame, rename={"E-Mail": "contact_email"}, constants={"occurred_at": "2026-01-31"}
    )

    assert found.select("id", "channel", "opted_in").rows() == [
        ("1", "email", True),
        ("2", "sms", False),
    ]
    states = analysis.current_consent(found, as_of="2026-02-01", subject="email")
    assert set(states.select("subject", "decision").iter_rows()) == {
        ("ann@example.com", "opt-in"),
        ("bo@example.com", "opt-out"),
    }


def test_decisions_without_a_time_are_told() -> None:
    with pytest.warns(MisfitWarning, match="1 row of 1 have no time.*constants="):
        consents({"contact_email": ["ann@example.com"], "opted_in": [True], "channel": ["email"]})


def test_a_kind_that_is_a_decision_everywhere_is_one() -> None:
    at = ["2026-01-31"] * 3

    found = consents({"kind": ["Subscribe", "unsubscribe", "documentation"], "occurred_at": at})

    assert found["opted_in"].to_list() == [True, False, None]


def test_a_kind_that_decides_nothing_is_refused_where_opted_in_is_missing() -> None:
    frame = {"kind": ["Signed up", "Signed up"], "occurred_at": ["2026-01-31"] * 2}

    with pytest.raises(UsageError, match=r"2 of 2 rows have no opted_in.*'Signed up' \(2\)"):
        consents(frame)
    assert consents({**frame, "opted_in": [True, False]})["kind"].to_list() == ["Signed up"] * 2


def test_events_that_say_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match=r"do not say what was decided.*opted_in"):
        consents({"contact_email": ["ann@example.com"], "occurred_at": ["2026-01-31"]})


# ---- what is hardly ever given ------------------------------------------------------------------


def test_an_infinite_amount_is_told_as_it_is_written() -> None:
    with pytest.raises(UsageError, match=re.escape("values={'amount': {'inf': None}}")):
        deals({"amount": [1.0, float("inf")]})


def test_a_period_of_pandas_is_refused_in_words() -> None:
    pandas = pytest.importorskip("pandas")
    export = pandas.DataFrame(
        {"id": ["1"], "status": ["won"], "close_date": pandas.PeriodIndex(["2026-01"], freq="M")}
    )

    with pytest.raises(UsageError, match="close_date: 1 of 1 values cannot be read as dates"):
        crmlab.table("deals", export, provider="salesforce")


def test_a_constant_that_no_column_holds_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="constants: currency is of type object"):
        deals({"amount": [1.0]}, constants={"currency": object()})


def test_days_without_hyphens_come_with_their_format() -> None:
    with pytest.raises(UsageError, match="date_format='%Y%m%d'"):
        deals({"close_date": ["20260131"]})


def test_a_further_column_without_a_name_keeps_its_place_and_name() -> None:
    assert deals({"": [1]}).columns[-1] == ""


@pytest.mark.parametrize("name", ["*", "^a$", "^.*$"])
def test_a_column_is_not_called_like_a_pattern(name: str) -> None:
    with pytest.raises(UsageError, match=r"takes for a pattern of names: .* frame\.rename"):
        deals({name: ["North"]})

    assert deals({"^a": ["North"], "a*$": ["South"]}).columns[-2:] == ["^a", "a*$"]


def test_no_word_is_suggested_for_its_opposite() -> None:
    with pytest.raises(UsageError, match=re.escape("values={'status': {'Not won': ...}}")):
        deals({"id": ["1"], "status": ["Not won"]})


# ---- what words mean ----------------------------------------------------------------------------


def test_the_state_of_a_subscription_and_the_kind_of_a_mailing_say_what_they_mean() -> None:
    states = pl.DataFrame(
        {"id": ["1", "2", "3"], "status": ["Subscribed", "unsubscribed", "suspended"]}
    )
    kinds = pl.DataFrame({"id": ["1", "2", "3"], "kind": ["Send", "opened", "call"]})

    subscriptions = crmlab.table("subscriptions", states, provider="salesforce")
    activities = crmlab.table("activities", kinds, provider="salesforce")

    assert subscriptions["opted_in"].to_list() == [True, False, None]
    assert activities["mailing"].to_list() == ["sent", "opened", None]


def test_what_the_frame_says_itself_stands_above_its_words() -> None:
    frame = pl.DataFrame({"id": ["1"], "status": ["subscribed"], "opted_in": [False]})

    assert crmlab.table("subscriptions", frame, provider="salesforce")["opted_in"].to_list() == [
        False
    ]
