"""Masking hides every personal value, and changes no number."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis
from crmlab.errors import UsageError
from crmlab.results.export import FORMATS
from crmlab.results.fetched import SUMMARY, Fetched
from crmlab.results.masking import mask
from crmlab.schema.asked import Asked
from crmlab.schema.tables import CUSTOM, TABLES, conform, personal_columns

KEY = b"0123456789abcdef"
AS_OF = dt.datetime(2026, 5, 16, tzinfo=dt.UTC)
#: in every secret, and nowhere else: not in the page, plotly.js or a token
MARK = "zqx7"
SECRETS = [f"{MARK}{number}Privé@Example.com" for number in range(3)]
SECRETS += [f"{MARK}Anna Ω", f"{MARK}+49 1234", f"={MARK}Evil"]


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, pl.DataFrame]:
    """Tables whose personal columns hold secrets, and the others what analyses read."""
    secret = st.none() | st.sampled_from(SECRETS)
    plain = {
        "provider": st.just("onepagecrm"),
        "account": st.just("sales"),
        "id": st.sampled_from("abcdef"),
        "contact_id": st.sampled_from("abcdef"),
        "channel": st.sampled_from(["email", "sms"]),
        "status": st.sampled_from(["won", "lost", "pending"]),
        "amount": st.floats(0, 1e6),
        "currency": st.just("EUR"),
        "occurred_at": st.datetimes(
            dt.datetime(2025, 1, 1),  # noqa: DTZ001
            dt.datetime(2026, 1, 1),  # noqa: DTZ001
            timezones=st.just(dt.UTC),
        ),
        "opted_in": st.booleans(),
        "kind": st.sampled_from(["update", "call"]),
    }
    tables = {}
    for name in ("contacts", "users", "deals", "activities", "consent_events", "subscriptions"):
        columns = {}
        for column, said in TABLES[name].columns.items():
            if said.personal and said.dtype == CUSTOM:
                columns[column] = st.lists(
                    st.fixed_dictionaries({"key": st.just("k"), "value": secret}), max_size=2
                )
            elif said.personal:
                columns[column] = (
                    secret if said.dtype == pl.String else st.none() | st.lists(secret, max_size=2)
                )
            elif column in plain:
                columns[column] = plain[column]
        rows = draw(st.lists(st.fixed_dictionaries(columns), max_size=5))
        schema = {column: TABLES[name].schema[column] for column in columns}
        tables[name] = conform(pl.DataFrame(rows, schema=schema), TABLES[name])
    return tables


def fetched(tables: dict[str, pl.DataFrame], rejected: int = 0) -> Fetched:
    row = {
        "account": "sales",
        "provider": "onepagecrm",
        "resource": "deals",
        "table": "deals",
        "rejected": rejected,
    }
    row["misfits"] = rejected
    counts = {"rows": 1, "requests": 1, "retries": 0, "complete": True, "note": ""}
    records = [
        ("onepagecrm", "sales", "deals", f"cannot parse '{SECRETS[0]}'", SECRETS[1])
    ] * rejected
    return Fetched(
        tables,
        heights={name: frame.height for name, frame in tables.items()},
        summary=pl.DataFrame([row | counts], schema=SUMMARY),
        rejected=pl.DataFrame(
            records, schema=["provider", "account", "resource", "reason", "raw"], orient="row"
        )
        if records
        else pl.DataFrame(
            schema=dict.fromkeys(("provider", "account", "resource", "reason", "raw"), pl.String)
        ),
        misfits=pl.DataFrame(
            [
                (
                    "onepagecrm",
                    "sales",
                    "deals",
                    "7",
                    "amount",
                    f"expected a number, got {SECRETS[0]}",
                    SECRETS[1],
                )
            ]
            * rejected,
            schema=dict.fromkeys(
                ("provider", "account", "resource", "id", "field", "reason", "raw"), pl.String
            ),
            orient="row",
        ),
        failures=(),
        asked=Asked(fetched_at=AS_OF),
    )


@given(worlds())
@settings(max_examples=60)
def test_masking_changes_no_number(tables: dict[str, pl.DataFrame]) -> None:
    masked = mask(tables, KEY)

    for name, frame in tables.items():
        hidden = [column for column, said in TABLES[name].columns.items() if said.personal]
        assert masked[name].schema == frame.schema
        assert_frame_equal(masked[name].drop(hidden), frame.drop(hidden))
        assert_frame_equal(masked[name].null_count(), frame.null_count())
    assert_frame_equal(analysis.win_rate(masked["deals"]), analysis.win_rate(tables["deals"]))
    assert sorted(
        analysis.win_rate(masked["deals"], by="owner_name").drop("owner_name").rows()
    ) == sorted(analysis.win_rate(tables["deals"], by="owner_name").drop("owner_name").rows())
    for subject in ("contact", "email"):
        rates = [
            analysis.consent_rate(
                each["consent_events"], as_of=AS_OF, subject=subject, by="channel"
            )
            for each in (tables, masked)
        ]
        assert_frame_equal(*rates)


@given(worlds())
@settings(max_examples=60)
def test_what_joined_still_joins_and_nothing_else_does(tables: dict[str, pl.DataFrame]) -> None:
    def joined(data: dict[str, pl.DataFrame]) -> list[tuple[int, int]]:
        numbered = {name: frame.with_row_index("row") for name, frame in data.items()}
        address, email = pl.col("address").str.to_lowercase(), pl.col("emails").str.to_lowercase()
        left = numbered["subscriptions"].select(
            pl.col("row").alias("subscription"), address.alias("email")
        )
        right = (
            numbered["contacts"]
            .explode("emails")
            .select(pl.col("row").alias("contact"), email.alias("email"))
        )
        return sorted(left.join(right, on="email").select("subscription", "contact").rows())

    assert joined(mask(tables, KEY)) == joined(tables)


def text_of(path: Path) -> str:
    if path.suffix == ".parquet":
        return str(pl.read_parquet(path).rows())
    if path.suffix == ".xlsx":
        import openpyxl

        return str([list(sheet.values) for sheet in openpyxl.load_workbook(path)])
    return path.read_text(encoding="utf-8")


@given(worlds(), st.integers(0, 2))
@settings(max_examples=8)
def test_no_file_of_a_masked_fetch_holds_a_personal_value(
    tmp_path_factory: pytest.TempPathFactory, tables: dict[str, pl.DataFrame], rejected: int
) -> None:
    folder, data = tmp_path_factory.mktemp("masked"), fetched(tables, rejected)

    paths = [path for format in FORMATS for path in data.export(folder, format, mask=True)]
    paths.append(data.report(folder / "report.html", mask=True))

    assert set(paths) == set(folder.iterdir())
    for path in paths:
        assert MARK not in text_of(path), path


def test_personal_values_would_be_found_where_nothing_is_masked(tmp_path: Path) -> None:
    users = conform(pl.DataFrame({"name": [SECRETS[0]]}), TABLES["users"])

    for format in FORMATS:
        assert any(
            MARK in text_of(path) for path in fetched({"users": users}).export(tmp_path, format)
        )


def test_a_masked_fetch_keeps_the_number_of_rejected_records_and_misfits_and_says_so() -> None:
    masked = fetched({}, rejected=2).masked()

    assert masked.rejected.select("reason", "raw").null_count().row(0) == (2, 2)
    assert masked.misfits.select("id", "field", "raw").row(0) == ("7", "amount", None)
    assert masked.misfits["reason"].null_count() == masked.misfits.height == 2
    assert (
        masked.summary["note"].item()
        == "masked: what was rejected or could not be read is left out"
    )
    assert not masked.complete


def test_tokens_depend_on_the_key_and_a_call_without_one_has_its_own() -> None:
    users = {"users": pl.DataFrame({"name": ["Ann"]})}
    tokens = [
        mask(users, key)["users"]["name"].item() for key in (KEY, KEY, KEY + b"!", None, None)
    ]

    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 4
    assert all(len(token) == 20 and int(token, 16) for token in tokens)


def test_blank_text_stays_blank_and_dropping_leaves_nulls() -> None:
    users = {"users": pl.DataFrame({"id": ["1", "2"], "name": ["", "Ann"], "role": ["a", "b"]})}

    assert mask(users)["users"]["name"][0] == ""
    dropped = mask(users, drop=True)["users"]
    assert dropped.to_dict(as_series=False) == {
        "id": ["1", "2"],
        "name": [None, None],
        "role": ["a", "b"],
    }
    assert dropped.schema == users["users"].schema


def test_a_short_key_and_a_strange_table_are_refused() -> None:
    with pytest.raises(UsageError, match="the key has 3 bytes: give 16 to 64"):
        mask({}, b"abc")
    with pytest.raises(UsageError, match="it is not known which columns of mine are personal"):
        mask({"mine": pl.DataFrame()})


async def test_a_whole_sandbox_world_shows_no_person_after_masking() -> None:
    async with crmlab.sandbox(rows=150, seed=5) as accounts:
        data = await crmlab.fetch(accounts)

    masked = data.masked()

    names = data.contacts["full_name"].drop_nulls().unique().to_list()
    hidden = [
        value for table, column in personal_columns() for value in _texts(data[table][column])
    ]
    assert len(hidden) > 500
    assert names
    for frame in masked.values():
        words = (
            frame.select(pl.col(pl.String).exclude("company_name"))
            .unpivot()["value"]
            .drop_nulls()
            .unique()
        )
        people = words.str.contains_any([name for name in names if " " in name])
        assert not people.any()
    emails = {value for value in hidden if "@" in value}
    assert not emails & {
        value
        for frame in masked.values()
        for column in frame.columns
        for value in _texts(frame[column])
    }


def _texts(values: pl.Series) -> list[str]:
    if isinstance(values.dtype, pl.List):
        values = values.explode()
    if isinstance(values.dtype, pl.Struct):
        values = values.struct.field("value")
    return values.drop_nulls().unique().to_list() if values.dtype == pl.String else []


def test_further_columns_of_own_data_are_masked_whatever_they_hold() -> None:
    further = {
        "nickname": [SECRETS[0]],
        "aliases": [[SECRETS[1]]],
        "born": [dt.date(1990, 1, 31)],
        "shoes": [43],
    }
    frame = conform(pl.DataFrame({"id": ["1"]}), TABLES["contacts"]).with_columns(
        pl.DataFrame(further)
    )

    tokens = mask({"contacts": frame}, KEY)["contacts"]
    nulls = mask({"contacts": frame}, KEY, drop=True)["contacts"]

    assert tokens.schema == nulls.schema == frame.schema
    assert MARK not in str(tokens.to_dicts())
    assert tokens.select("born", "shoes").row(0) == (None, None)
    assert tokens.select("nickname", "aliases").null_count().row(0) == (0, 0)
    assert nulls.select(list(further)).row(0) == (None,) * 4


@pytest.mark.parametrize(
    "written",
    [
        "ann@b\u00fccher.example ",
        "ANN@XN--BCHER-KVA.EXAMPLE",
        "<ann@b\u00fccher.example>",
        "mailto:ann@b\u00fccher.example",
        "Ann Lee <ann@b\u00fccher.example>",
        '"Lee, Ann" <ann@b\u00fccher.example> (work)',
        "ann@b\u00fccher.example (work)",
        "Ann <ann@b\u00fccher.example>; Ann Lee <ANN@b\u00fccher.example>",
    ],
)
def test_one_mailbox_has_one_token_however_it_is_written(written: str) -> None:
    users = pl.DataFrame(
        {
            "email": [
                "ann@b\u00fccher.example",
                written,
                "Call ann@b\u00fccher.example today",
                "today",
            ]
        }
    )

    tokens = mask({"users": users}, key=b"k" * 16)["users"]["email"]

    assert tokens[0] == tokens[1]
    assert tokens.n_unique() == 3


def test_lazy_frames_and_those_of_pandas_are_masked_and_what_is_none_is_refused() -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    users = pl.DataFrame({"id": ["1"], "email": ["ann@example.com"]})
    key = b"k" * 16

    masked = mask({"users": users}, key=key)["users"]

    assert_frame_equal(mask({"users": users.lazy()}, key=key)["users"], masked)
    assert_frame_equal(mask({"users": users.to_pandas()}, key=key)["users"], masked)
    with pytest.raises(UsageError, match="users is of type list, which is no frame"):
        mask({"users": [1]})
