"""A real export of somebody's CRM, as it is downloaded: the known answers."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab import analysis
from crmlab.errors import UsageError

HERE = Path(__file__).parents[3] / "shared" / "data" / "maven-crm"
DATA = Path(os.environ.get("CRMLAB_MAVEN_DATA", HERE))
FILE = DATA / "sales_pipeline.csv"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Maven CRM data set is not here")

NAMES = {
    "opportunity_id": "id",
    "sales_agent": "owner_name",
    "product": "name",
    "account": "company_name",
    "deal_stage": "status",
    "engage_date": "created_at",
    "close_value": "amount",
}


@pytest.fixture(scope="module")
def deals() -> pl.DataFrame:
    return crmlab.table(
        "deals",
        FILE,
        provider="maven",
        rename=NAMES,
        values={"status": {"Prospecting": "pending", "Engaging": "pending"}},
        constants={"currency": "USD"},
        date_format="%d-%m-%y",
    )


def test_the_win_rate_is_the_known_one(deals: pl.DataFrame) -> None:
    rate = analysis.win_rate(deals)

    assert rate.select("won", "lost", "won_amount").row(0) == (4238, 2473, 10_005_534)


def test_every_row_and_column_is_kept(deals: pl.DataFrame) -> None:
    assert deals.height == 8800
    assert deals["status"].value_counts().sort("status").rows() == [
        ("lost", 2473),
        ("pending", 2089),
        ("won", 4238),
    ]
    assert deals.columns[-2:] == ["engage_quarter", "close_quarter"]


def test_what_the_file_needs_is_said_by_the_errors() -> None:
    with pytest.raises(UsageError, match="'account': 'company_name'"):
        crmlab.table("deals", FILE, provider="maven")
    with pytest.raises(UsageError) as caught:
        crmlab.table("deals", FILE, provider="maven", rename=NAMES)

    assert "'Engaging' (1,589), 'Prospecting' (500)" in str(caught.value)
    assert "date_format='%d-%m-%y'" in str(caught.value)


def test_it_is_reported_as_own_data(deals: pl.DataFrame, tmp_path: Path) -> None:
    page = (
        crmlab.collect(deals=deals, as_of="2018-01-01").report(tmp_path / "maven.html").read_text()
    )

    assert "4,238</b> won (10,005,534 USD)" in page
    assert "own data" in page
