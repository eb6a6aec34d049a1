"""A real, public CRM data set through HTTP and back: the known answers."""

import os
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.analysis import pipeline

DATA = Path(os.environ.get("CRMLAB_MAVEN_DATA", Path(__file__).parent.parent.parent / "shared/data/maven-crm"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Maven CRM data set is not here")


@pytest.fixture(scope="module")
def loaded():
    import asyncio

    async def fetch():
        async with crmlab.sandbox("maven", data=DATA) as accounts:
            return await crmlab.fetch(accounts, limits=crmlab.Limits(concurrency=10)), accounts.notes

    return asyncio.run(fetch())


def test_every_opportunity_comes_back_with_its_outcome(loaded):
    data, _ = loaded

    assert data.complete
    assert data.deals.height == 8800
    assert dict(data.deals.group_by("status").len().iter_rows()) == {"won": 4238, "lost": 2473, "pending": 2089}


def test_pending_deals_stand_in_their_stages(loaded):
    data, _ = loaded

    pending = data.deals.filter(pl.col("status") == "pending")
    assert dict(pending.group_by("stage_label").len().iter_rows()) == {"Engaging": 1589, "Prospecting": 500}


def test_the_won_amount_and_the_win_rate_are_the_known_ones(loaded):
    data, _ = loaded

    rate = pipeline.win_rate(data.deals)

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
