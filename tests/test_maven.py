"""A real, public CRM data set through HTTP and back: the known answers."""

import os
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

import crmlab
from crmlab import analysis

DATA = Path(
    os.environ.get(
        "CRMLAB_MAVEN_DATA", Path(__file__).parent.parent.parent / "shared/data/maven-crm"
    )
)
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Maven CRM data set is not here")


@pytest.fixture(scope="module")
def loaded():
    import asyncio

    async def fetch():
        async with crmlab.sandbox("maven", data=DATA) as accounts:
            return await crmlab.fetch(accounts), accounts.notes

    return asyncio.run(fetch())


def test_every_opportunity_comes_back_with_its_outcome(loaded):
    data, _ = loaded

    assert data.complete
    assert data.deals.height == 8800
    assert dict(data.deals.group_by("status").len().iter_rows()) == {
        "won": 4238,
        "lost": 2473,
        "pending": 2089,
    }


def test_pending_deals_stand_in_their_stages(loaded):
    data, _ = loaded

    pending = data.deals.filter(pl.col("status") == "pending")
    assert dict(pending.group_by("stage_label").len().iter_rows()) == {
        "Engaging": 1589,
        "Prospecting": 500,
    }


def test_the_won_amount_and_the_win_rate_are_the_known_ones(loaded):
    data, _ = loaded

    rate = analysis.win_rate(data.deals)

    assert rate["won_amount"].item() == 10_005_534
    assert round(rate["win_rate"].item() * 100, 2) == 63.15


def test_accounts_are_companies_and_agents_are_owners(loaded):
    data, _ = loaded

    agents = set(pl.read_csv(DATA / "sales_teams.csv")["sales_agent"])
    assert data.companies.height == 85
    assert set(data.deals["owner_name"]) <= agents
    assert set(data.users["name"]) == agents


def test_the_loader_says_what_it_repaired_and_what_it_could_not(loaded):
    _, notes = loaded

    said = "\n".join(notes)
    assert "GTXPro" in said
    assert "1,425" in said


@pytest.fixture(scope="module")
def truth():
    """Return an independent reading of the same files: DuckDB's SQL, the files' own spellings repaired."""
    with duckdb.connect() as base:
        for name in ("sales_pipeline", "accounts", "products"):
            base.execute(
                f"CREATE TABLE {name} AS FROM read_csv('{DATA / name}.csv', all_varchar = true)"
            )
        base.execute("""
            CREATE TABLE deals AS
            SELECT p.*, p.deal_stage = 'Won' AS won, p.deal_stage IN ('Won', 'Lost') AS closed,
                   CASE p.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE p.product END AS product_name,
                   CASE a.sector WHEN 'technolgy' THEN 'technology' ELSE a.sector END AS sector,
                   strptime(p.engage_date, '%d-%m-%y')::DATE AS engaged,
                   strptime(p.close_date, '%d-%m-%y')::DATE AS closed_on,
                   close_value::DOUBLE AS value
            FROM sales_pipeline p LEFT JOIN accounts a USING (account)
        """)
        yield base


@pytest.fixture(scope="module")
def deals(loaded):
    """Return the deals with their product and the sector of their company, from the tables beside them."""
    data, _ = loaded
    field = (
        pl.element()
        .filter(pl.element().struct.field("label") == "Sector")
        .struct.field("value")
        .first()
    )
    sectors = data.companies.select(
        company_name="name", sector=pl.col("custom").list.eval(field).list.first()
    )
    products = data.deal_items.select(id="deal_id", product="name")
    return data.deals.join(products, on="id").join(sectors, on="company_name", how="left")


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("owner_name", "sales_agent"),
        ("product", "product_name"),
        ("sector", "sector"),
        ("quarter", "date_trunc('quarter', closed_on)::DATE"),
        ("month", "date_trunc('month', closed_on)::DATE"),
    ],
)
def test_the_win_rate_of_each_group_is_that_of_an_independent_query(deals, truth, by, column):
    found = analysis.win_rate(deals, by=by).select(by, "won", "lost", "win_rate", "won_amount")

    rows = truth.execute(f"""
        SELECT {column} AS part, count(*) FILTER (won), count(*) FILTER (NOT won),
               count(*) FILTER (won) / count(*), coalesce(sum(value) FILTER (won), 0)
        FROM deals WHERE closed GROUP BY part ORDER BY part NULLS LAST
    """).fetchall()
    assert len(rows) > 3
    assert found.filter(pl.col("win_rate").is_not_null()).rows() == [
        pytest.approx(row) for row in rows
    ]


def test_length_and_velocity_are_those_of_an_independent_query(deals, truth):
    found = analysis.cycle_length(deals).row(0)

    days = "closed_on - engaged"
    row = truth.execute(f"""
        SELECT count(*), count(*) FILTER ({days} < 0), avg({days}) FILTER ({days} >= 0),
               median({days}) FILTER ({days} >= 0), quantile_cont({days}, 0.9) FILTER ({days} >= 0)
        FROM deals WHERE won
    """).fetchone()
    assert found == pytest.approx(row)

    last = deals["created_at"].max()
    velocity = analysis.sales_velocity(deals, as_of=last + timedelta(days=1)).row(0, named=True)
    open_deals, mean_amount = truth.execute(
        "SELECT count(*) FILTER (NOT closed), avg(value) FILTER (won) FROM deals"
    ).fetchone()
    expected = open_deals * mean_amount * (4238 / 6711) / row[2]
    assert velocity["velocity_per_day"] == pytest.approx(expected)


def test_months_cohorts_and_the_forecast_lose_no_deal(deals, truth):
    last = deals["created_at"].max() + timedelta(days=1)
    months = analysis.created_against_closed(deals)
    cohorts = analysis.win_cohorts(deals, as_of=last)
    expected = analysis.weighted_pipeline(deals, as_of=last)

    assert months.select("created", "won", "lost", "open_change").sum().row(0) == (
        8800,
        4238,
        2473,
        2089,
    )
    assert expected.select("bucket", "probability_from", "deals").rows() == [
        ("no date", "service", 2089)
    ]
    value = "CASE deal_stage WHEN 'Engaging' THEN 0.5 ELSE 0.1 END * sales_price::DOUBLE"
    weighted = truth.execute(
        f"SELECT sum({value}) FROM deals JOIN products ON products.product = product_name WHERE NOT closed"
    ).fetchone()
    assert expected["weighted_amount"].item() == pytest.approx(weighted[0])
    months_to_win = "datediff('month', engaged, closed_on)"
    rows = truth.execute(f"""
        SELECT date_trunc('month', engaged)::DATE AS part, count(*), count(*) FILTER (won AND {months_to_win} <= 1)
        FROM deals WHERE engaged IS NOT NULL GROUP BY part ORDER BY part
    """).fetchall()
    second = cohorts.filter(pl.col("months") == 1).select("created_month", "created", "won").rows()
    # those without an engage date are in the last month, which is not over
    assert second == rows[: len(second)]
    assert len(second) > 10
