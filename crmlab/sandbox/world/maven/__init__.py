"""Maven Analytics' public CRM data set as a `World`.

Four files: accounts.csv, products.csv, sales_teams.csv, sales_pipeline.csv. What the files leave
open is decided here, and said in the report that `load` returns:

- each account becomes a company with one made-up contact (the files name no people);
- an opportunity without a known account hangs on the contact "No account";
- one pipeline, Maven: Prospecting 10, Engaging 50, Won 100, Lost 0;
- a pending deal has no value in the files: it gets the product's list price; a lost one has 0;
- a deal is created on its engage date; without one, on the last day that the files mention;
- the world ends at noon of the day after that; days become noon UTC.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

from crmlab.sandbox.world.maven.deals import NO_ACCOUNT, STAGES, add_deals
from crmlab.sandbox.world.maven.files import FILES, Row, by_name, key_of, noon, read
from crmlab.sandbox.world.model import (
    NOW,
    Company,
    CustomField,
    LeadSource,
    Pipeline,
    Stage,
    Status,
    User,
    World,
    numbered_ids,
)
from crmlab.sandbox.world.newcomer import newcomer

_SPELLINGS = {"technolgy": "technology", "Philipines": "Philippines"}
_COUNTRIES = {
    "Belgium": "BE", "Brazil": "BR", "China": "CN", "Germany": "DE", "Italy": "IT", "Japan": "JP",
    "Jordan": "JO", "Kenya": "KE", "Korea": "KR", "Norway": "NO", "Panama": "PA",
    "Philippines": "PH", "Poland": "PL", "Romania": "RO", "United States": "US",
}  # fmt: skip
#: a company's custom field: column, label, type
_COMPANY_FIELDS = {
    "sector": ("sector", "Sector", "single_line_text"),
    "founded": ("year_established", "Year established", "number"),
    "revenue": ("revenue", "Revenue (million USD)", "number"),
    "employees": ("employees", "Employees", "number"),
    "location": ("office_location", "Office location", "single_line_text"),
    "parent": ("subsidiary_of", "Subsidiary of", "single_line_text"),
}


def load(directory: Path) -> tuple[World, list[str]]:
    """The four files as a world, and what was repaired, assumed or left as it was.

    Raises
    ------
    CrmlabError
        A file is missing or cannot be read.
    SchemaError
        A column is missing, or a cell cannot be understood.
    """
    accounts, products, teams, opportunities = (read(Path(directory) / name) for name in FILES)
    # refuses two of the same id
    by_name(opportunities, "opportunity_id")
    days = _days(opportunities)
    first_time = noon(min(days, default=NOW.date()))
    world = World(seed=0, now=NOW, currency="USD")
    undated = NOW
    if days:
        undated = noon(max(days))
        world.now = undated + timedelta(days=1)
    findings = Counter[str]()
    _add_lookups(world, first_time)
    agents = _add_agents(world, teams, opportunities, first_time, findings)
    accounts_by_name = by_name(accounts, "account")
    products_by_name = by_name(products, "product")
    _add_companies(world, accounts, first_time, findings)
    _add_contacts(world, first_time)
    add_deals(
        world,
        opportunities,
        agents,
        accounts_by_name,
        products_by_name,
        undated=undated,
        findings=findings,
    )
    sentences = [f"{count:,} {sentence}" for sentence, count in findings.items() if count]
    return world, [_summary(world), *sentences]


def _days(opportunities: list[Row]) -> list[date]:
    """The days that the opportunities name."""
    days = []
    for opportunity in opportunities:
        for column in ("engage_date", "close_date"):
            day = opportunity.day(column)
            if day:
                days.append(day)
    return days


def _domain(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return f"{words or 'unnamed'}.example"


def _add_lookups(world: World, start: datetime) -> None:
    new_id = numbered_ids(1)
    stages = [Stage(stage=percentage, label=label) for label, percentage in STAGES.items()]
    world.pipelines = [Pipeline(id=new_id(start), name="Maven", is_default=True, stages=stages)]
    world.statuses = [
        Status(id=new_id(start), key="customer", text="Customer", colour="009900"),
        Status(id=new_id(start), key="prospect", text="Prospect", colour="f96600"),
    ]
    world.lead_sources = [LeadSource(id="other", text="Other")]
    for field_key, (_, label, field_type) in _COMPANY_FIELDS.items():
        custom_field = CustomField(
            id=new_id(start),
            entity="company",
            key=field_key,
            label=label,
            type=field_type,
        )
        world.fields.append(custom_field)


def _add_agents(
    world: World,
    teams: list[Row],
    opportunities: list[Row],
    start: datetime,
    findings: Counter[str],
) -> dict[str, User]:
    new_id = numbered_ids(2)
    agents = dict[str, User]()
    in_teams = by_name(teams, "sales_agent")
    selling = {key_of(row.required("sales_agent")): row for row in opportunities}
    # those of the teams first: their ids do not depend on who sells what
    for agent_key, seller_row in (in_teams | selling).items():
        # the spelling of sales_teams.csv, where the agent is in it
        agent_row = in_teams.get(agent_key, seller_row)
        first_name, _, last_name = agent_row.text("sales_agent").partition(" ")
        department = ""
        if agent_key in in_teams:
            office = agent_row.required("regional_office")
            department = f"{office} / {agent_row.required('manager')}"
        agents[agent_key] = User(
            id=new_id(start),
            first_name=first_name,
            last_name=last_name,
            email=f"{key_of(first_name)}.{key_of(last_name)}@maven.example",
            role="user",
            phone=None,
            department=department,
        )
    without_team = len(agents) - len(in_teams)
    findings["sales agents were not in sales_teams.csv; added without a team"] += without_team
    idle_names = []
    for agent_key, agent in agents.items():
        if agent_key not in selling:
            idle_names.append(agent.full_name)
    named = ", ".join(sorted(idle_names))
    findings[f"sales agents have no opportunity ({named})"] += len(idle_names)
    world.users = list(agents.values())
    return agents


def _add_companies(
    world: World,
    rows: list[Row],
    start: datetime,
    findings: Counter[str],
) -> None:
    new_id = numbered_ids(3)
    account_keys = {key_of(row.text("account")) for row in rows}
    for account_row in rows:
        company_name = account_row.text("account")
        parent_name = account_row.text("subsidiary_of")
        if parent_name and key_of(parent_name) not in account_keys:
            findings[
                "accounts name a parent company that is not in accounts.csv; kept as text"
            ] += 1
        # read before the countries: findings are told in the order in which they are met
        custom_values = _custom_values(account_row, findings)
        # numbers are checked although they are kept as text
        for column in ("employees", "revenue", "year_established"):
            account_row.number(column)
        country_code = _COUNTRIES.get(custom_values.get("location", ""))
        if country_code is None:
            findings["accounts are in a country without a known code; kept as text"] += 1
        descriptions = []
        for field_key, text in custom_values.items():
            _, label, _ = _COMPANY_FIELDS[field_key]
            descriptions.append(f"{label}: {text}")
        company = Company(
            id=new_id(start),
            name=company_name,
            url=f"https://www.{_domain(company_name)}/",
            phone=None,
            street=None,
            city=None,
            state=None,
            zip_code=None,
            country_code=country_code,
            description="; ".join(descriptions),
            size_label=_size_label(account_row.number("employees")),
            created_at=start,
            modified_at=start,
            custom=custom_values,
        )
        world.companies.append(company)


def _custom_values(row: Row, findings: Counter[str]) -> dict[str, str]:
    """The custom fields of a company, without those that are empty."""
    custom_values = {}
    for field_key, (column, _, _) in _COMPANY_FIELDS.items():
        text = _spelled(row, column, findings)
        if text:
            custom_values[field_key] = text
    return custom_values


#: what a company is called of which this is the largest number of employees
_SIZES = {
    10: "1-10",
    50: "11-50",
    250: "51-250",
    1_000: "251-1000",
}


def _size_label(employees: float) -> str:
    for largest, label in _SIZES.items():
        if employees <= largest:
            return label
    return "1000+"


def _spelled(row: Row, column: str, findings: Counter[str]) -> str:
    written = row.text(column)
    corrected = _SPELLINGS.get(written, written)
    if corrected != written:
        findings[f"x {written!r} corrected to {corrected!r} in {row.file}, column {column}"] += 1
    return corrected


def _add_contacts(world: World, start: datetime) -> None:
    """One contact per company, in the same order, and last the one without a company."""
    new_id = numbered_ids(4)
    for number, company in enumerate(world.companies, start=1):
        contact = newcomer(new_id(start), number=number, at=start, service="onepagecrm")
        contact.first_name = "Buyer"
        contact.last_name = company.name
        contact.job_title = "Head of Purchasing"
        contact.company_id = company.id
        contact.emails = [f"buyer@{_domain(company.name)}"]
        contact.country_code = company.country_code
        contact.status_key = "prospect"
        world.people.append(contact)
    last_number = len(world.companies) + 1
    nameless = newcomer(new_id(start), number=last_number, at=start, service="onepagecrm")
    nameless.first_name, nameless.last_name = NO_ACCOUNT.split()
    nameless.background = "Stands for the opportunities that name no known account."
    nameless.status_key = "prospect"
    world.people.append(nameless)


def _summary(world: World) -> str:
    counts = Counter(deal.status for deal in world.deals)
    won_amounts = [deal.amount for deal in world.deals if deal.status == "won"]
    won_amount = sum(won_amounts)
    return (
        f"{len(world.deals):,} opportunities: {counts['won']:,} won for {won_amount:,.0f} "
        f"{world.currency}, {counts['lost']:,} lost, {counts['pending']:,} pending; "
        f"{len(world.companies):,} accounts, {len(world.users):,} sales agents"
    )
