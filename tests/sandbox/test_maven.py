import csv
import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from crmlab.errors import CrmlabError, SchemaError
from crmlab.sandbox.world.maven import NO_ACCOUNT, load
from crmlab.sandbox.world.model import World

ACCOUNTS = """account,sector,year_established,revenue,employees,office_location,subsidiary_of
Acme,technolgy,1996,1100.04,2822,United States,
Bio Plex,medical,2012,0.5,9,Philipines,Nobody Inc
"Comma, Sons",retail,2001,12,300,Atlantis,Acme
"""
PRODUCTS = """product,series,sales_price
GTX Pro,GTX,4821
MG Special,MG,55.50
"""
TEAMS = """sales_agent,manager,regional_office
Ann Lee,Max Boss,East
Idle Ivy,Max Boss,West
"""
PIPELINE = """\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
A1,Ann Lee,GTXPro,Acme,Won,20-10-16,01-03-17,5000
A2,Ann Lee,MG Special,Bioplex,Lost,05-11-16,2017-02-01,0
A3,Ann Lee,GTX Pro,,Engaging,2017-03-05,,
A4,New Guy,Teapot,Elsewhere,Prospecting,,,
"""
FILES = {
    "accounts.csv": ACCOUNTS,
    "products.csv": PRODUCTS,
    "sales_teams.csv": TEAMS,
    "sales_pipeline.csv": PIPELINE,
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def maven() -> Path:
    beside = Path(__file__).parents[3] / "shared" / "data" / "maven-crm"
    directory = Path(os.environ.get("CRMLAB_MAVEN_DATA", beside))
    if not directory.is_dir():
        pytest.skip(f"no Maven data in {directory}; set CRMLAB_MAVEN_DATA")
    return directory


def _change(directory: Path, name: str, old: str, new: str) -> None:
    path = directory / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _won(world: World) -> float:
    return sum(deal.amount for deal in world.deals if deal.status == "won")


@pytest.mark.slow
def test_the_public_figures_come_out(maven: Path) -> None:
    world, report = load(maven)

    status = Counter(deal.status for deal in world.deals)
    assert status == {"won": 4238, "lost": 2473, "pending": 2089}
    assert Counter(deal.stage for deal in world.deals)[50] == 1589
    assert Counter(deal.stage for deal in world.deals)[10] == 500
    assert _won(world) == 10_005_534
    assert status["won"] / (status["won"] + status["lost"]) == pytest.approx(0.6315, abs=5e-5)
    assert (len(world.companies), len(world.people), len(world.users)) == (85, 86, 35)
    assert len({deal.id for deal in world.deals}) == 8_800
    assert any("1,425 opportunities name no account" in line for line in report)
    assert any("1,480" in line and "GTXPro" in line for line in report)


@pytest.mark.slow
def test_each_deal_agrees_with_its_line_in_the_file(maven: Path) -> None:
    world, _ = load(maven)
    companies, users = world.companies_by_id(), world.users_by_id()
    with (maven / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))

    for deal, line in zip(world.deals, lines, strict=True):
        assert deal.text.endswith(line["opportunity_id"])
        assert users[deal.owner_id].full_name == line["sales_agent"]
        account = companies[deal.company_id].name if deal.company_id else ""
        assert account == line["account"]
        closed = deal.close_date.strftime("%d-%m-%y") if deal.close_date else ""
        assert closed == line["close_date"]
        if line["engage_date"]:
            assert deal.created_at.strftime("%d-%m-%y") == line["engage_date"]


def test_repairs_are_made_and_reported(directory: Path) -> None:
    world, report = load(directory)

    won, lost, engaging, prospecting = world.deals
    assert (won.name, won.amount, won.close_date) == ("GTX Pro - Acme", 5000, date(2017, 3, 1))
    assert won.items[0].price == 4821
    assert (lost.amount, lost.name) == (0, "MG Special - Bio Plex")
    assert (engaging.amount, engaging.stage, engaging.company_id) == (4821, 50, None)
    assert prospecting.created_at.date() == date(2017, 3, 5)
    assert prospecting.amount == 0
    assert world.people_by_id()[engaging.contact_id].full_name == NO_ACCOUNT
    assert prospecting.contact_id == engaging.contact_id
    assert world.companies[0].custom["sector"] == "technology"
    assert [company.country_code for company in world.companies] == ["US", "PH", None]
    text = "\n".join(report)
    for said in (
        "4 opportunities: 1 won for 5,000 USD, 1 lost, 2 pending",
        "'technolgy' corrected",
        "'Philipines' corrected",
        "'GTX Pro' as 'GTXPro'; corrected",
        "'Bio Plex' as 'Bioplex'; corrected",
        "1 opportunities name no account",
        "'Elsewhere', which is not in accounts.csv",
        "'Teapot', which is not in products.csv",
        "not in sales_teams.csv",
        "Idle Ivy",
        "no engage date; created on 2017-03-05",
        "country without a known code",
        "parent company that is not in accounts.csv",
    ):
        assert said in text, said


def test_the_report_says_what_was_left_alone(directory: Path) -> None:
    _change(directory, "sales_pipeline.csv", "20-10-16,01-03-17", "02-03-17,01-03-17")
    _change(directory, "sales_pipeline.csv", "2017-03-05,,", "2017-03-05,06-03-17,9")

    world, report = load(directory)

    text = "\n".join(report)
    assert "close before they are engaged" in text
    assert "Engaging opportunities have a close date; dropped" in text
    assert world.deals[2].close_date is None
    assert world.deals[0].modified_at >= world.deals[0].created_at


def test_a_quarter_that_contradicts_its_date_is_reported(directory: Path) -> None:
    path = directory / "sales_pipeline.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    quarters = [",engage_quarter", ",Q1 2016", ",Q4 2016", ",Q1 2017", ","]
    path.write_text("\n".join(a + b for a, b in zip(lines, quarters, strict=True)), "utf-8")

    _, report = load(directory)

    assert any(line.startswith("1 dates disagree") for line in report)


def test_files_with_nothing_but_headers_are_an_empty_world(directory: Path) -> None:
    for name, text in FILES.items():
        (directory / name).write_text(text.splitlines()[0], encoding="utf-8")

    world, report = load(directory)

    assert (world.deals, world.people, world.users) == ([], [], [])
    assert len(report) == 1


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(directory: Path) -> None:
    for name, text in FILES.items():
        (directory / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    world, _ = load(directory)

    assert _won(world) == 5000


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_what_is_needed(directory: Path, name: str) -> None:
    (directory / name).unlink()

    with pytest.raises(CrmlabError, match=rf"{name} is missing; .*sales_pipeline\.csv"):
        load(directory)


def test_a_file_in_another_encoding_is_refused(directory: Path) -> None:
    (directory / "accounts.csv").write_bytes(ACCOUNTS.replace("Acme", "Ácme").encode("latin-1"))

    with pytest.raises(CrmlabError, match=r"accounts\.csv cannot be read: it is not UTF-8"):
        load(directory)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("products.csv", "sales_price", "price", r"products\.csv, line 1, column sales_price: mis"),
        ("products.csv", "55.50", "cheap", r"products\.csv, line 3, column sales_price: 'cheap'"),
        ("accounts.csv", "2822", "", r"accounts\.csv, line 2, column employees: is empty; fill"),
        ("sales_pipeline.csv", "20-10-16", "31-02-16", r"line 2, column engage_date: .*DD-MM-YY"),
        ("sales_pipeline.csv", "01-03-17,5000", "01-03-17,nan", r"line 2, column close_value"),
        ("sales_pipeline.csv", "01-03-17,5000", ",5000", r"line 2, column close_date: is empty"),
        ("sales_pipeline.csv", "Won", "Gewonnen", r"column deal_stage: .*use one of Prospecting"),
        ("sales_pipeline.csv", "A2,", "A1,", r"line 3, column opportunity_id: 'A1' is on line 2"),
        ("sales_pipeline.csv", "A2,", "A2,,", r"line 3: 9 cells under 8 columns"),
        ("accounts.csv", '"Comma, Sons"', '"Comma" Sons', r"accounts\.csv, line 4.*quotes"),
    ],
)
def test_bad_input_names_the_file_the_line_and_what_to_do(
    directory: Path, name: str, old: str, new: str, said: str
) -> None:
    _change(directory, name, old, new)

    with pytest.raises(SchemaError, match=said):
        load(directory)
