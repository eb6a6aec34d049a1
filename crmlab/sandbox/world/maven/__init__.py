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
from datetime import datetime, timedelta
from pathlib import Path

from crmlab.sandbox.world.maven.deals import NO_ACCOUNT, STAGES, add_deals
from crmlab.sandbox.world.maven.files import FILES, Row, by_name, key_of, noon, read
from crmlab.sandbox.world.model import (
    NOW,
    Company,
    CustomField,
    LeadSource,
    Person,
    Pipeline,
    Stage,
    Status,
    User,
    World,
    numbered_ids,
)

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
    by_name(opportunities, "opportunity_id")
    named = [row.day(column) for row in opportunities for column in ("engage_date", "close_date")]
    days = [day for day in named if day]
    start = noon(min(days, default=NOW.date()))
    last = noon(max(days)) if days else None
    world = World(seed=0, now=last + timedelta(days=1) if last else NOW, currency="USD")
    findings = Counter[str]()
    _add_lookups(world, start)
    agents = _add_agents(world, teams, opportunities, start, findings)
    known = by_name(accounts, "account"), by_name(products, "product")
    _add_companies(world, accounts, start, findings)
    _add_contacts(world, start)
    add_deals(world, opportunities, agents, *known, undated=last or world.now, findings=findings)
    sentences = [f"{count:,} {sentence}" for sentence, count in findings.items() if count]
    return world, [_summary(world), *sentences]


def _domain(name: str) -> str:
    return f"{re.sub(r'[^a-z0-9]+', '-', name.casefold()).strip('-') or 'unnamed'}.example"


def _add_lookups(world: World, start: datetime) -> None:
    new = numbered_ids(1)
    stages = [Stage(stage=value, label=label) for label, value in STAGES.items()]
    world.pipelines = [Pipeline(id=new(start), name="Maven", is_default=True, stages=stages)]
    world.statuses = [
        Status(id=new(start), key="customer", text="Customer", colour="009900"),
        Status(id=new(start), key="prospect", text="Prospect", colour="f96600"),
    ]
    world.lead_sources = [LeadSource(id="other", text="Other")]
    world.fields = [
        CustomField(id=new(start), entity="company", key=key, label=label, type=kind)
        for key, (_, label, kind) in _COMPANY_FIELDS.items()
    ]


def _add_agents(
    world: World,
    teams: list[Row],
    opportunities: list[Row],
    start: datetime,
    findings: Counter[str],
) -> dict[str, User]:
    new = numbered_ids(2)
    agents = dict[str, User]()
    known = by_name(teams, "sales_agent")
    selling = {key_of(row.required("sales_agent")): row for row in opportunities}
    for key, seller in (known | selling).items():
        row = known.get(key, seller)
        first, _, last = row.text("sales_agent").partition(" ")
        agents[key] = User(
            id=new(start), first_name=first, last_name=last, email=f"{key_of(first)}.{key_of(last)}@maven.example",
            role="user", phone=None,
            department=f"{row.required('regional_office')} / {row.required('manager')}" if key in known else "",
        )  # fmt: skip
    findings["sales agents were not in sales_teams.csv; added without a team"] += len(agents) - len(
        known
    )
    idle = sorted(agent.full_name for key, agent in agents.items() if key not in selling)
    findings[f"sales agents have no opportunity ({', '.join(idle)})"] += len(idle)
    world.users = list(agents.values())
    return agents


def _add_companies(world: World, rows: list[Row], start: datetime, findings: Counter[str]) -> None:
    new = numbered_ids(3)
    names = {key_of(row.text("account")) for row in rows}
    sizes = ((10, "1-10"), (50, "11-50"), (250, "51-250"), (1_000, "251-1000"))
    for row in rows:
        name = row.text("account")
        parent = row.text("subsidiary_of")
        if parent and key_of(parent) not in names:
            findings[
                "accounts name a parent company that is not in accounts.csv; kept as text"
            ] += 1
        custom = {
            key: _spelled(row, column, findings) for key, (column, _, _) in _COMPANY_FIELDS.items()
        }
        numbers = {
            column: row.number(column) for column in ("employees", "revenue", "year_established")
        }
        size_label = next(
            (label for largest, label in sizes if numbers["employees"] <= largest), "1000+"
        )
        country = _COUNTRIES.get(custom["location"])
        if country is None:
            findings["accounts are in a country without a known code; kept as text"] += 1
        custom = {key: value for key, value in custom.items() if value}
        world.companies.append(
            Company(
                id=new(start), name=name, url=f"https://www.{_domain(name)}/", phone=None,
                street=None, city=None, state=None, zip_code=None, country_code=country,
                description="; ".join(f"{_COMPANY_FIELDS[key][1]}: {value}" for key, value in custom.items()),
                size_label=size_label,
                created_at=start, modified_at=start, custom=custom,
            )
        )  # fmt: skip


def _spelled(row: Row, column: str, findings: Counter[str]) -> str:
    word = row.text(column)
    right = _SPELLINGS.get(word, word)
    if right != word:
        findings[f"x {word!r} corrected to {right!r} in {row.file}, column {column}"] += 1
    return right


def _add_contacts(world: World, start: datetime) -> None:
    """One contact per company, in the same order, and last the one without a company."""
    new = numbered_ids(4)
    for number, company in enumerate((*world.companies, None), start=1):
        first, last = ("Buyer", company.name) if company else NO_ACCOUNT.split()
        world.people.append(
            Person(
                id=new(start), number=number, title=None, first_name=first, last_name=last,
                job_title="Head of Purchasing" if company else None,
                company_id=company.id if company else None,
                emails=[f"buyer@{_domain(company.name)}"] if company else [],
                phones=[], street=None, city=None, state=None, zip_code=None,
                country_code=company.country_code if company else None, language=None,
                tags=[], groups=[], status_key="prospect", lead_source_id=None, owner_id="",
                background="" if company else "Stands for the opportunities that name no known account.",
                season=None, do_not_mail=False, starred=False, services=frozenset({"onepagecrm"}),
                created_at=start, modified_at=start,
            )
        )  # fmt: skip


def _summary(world: World) -> str:
    counts = Counter(deal.status for deal in world.deals)
    won = sum(deal.amount for deal in world.deals if deal.status == "won")
    return (
        f"{len(world.deals):,} opportunities: {counts['won']:,} won for {won:,.0f} "
        f"{world.currency}, {counts['lost']:,} lost, {counts['pending']:,} pending; "
        f"{len(world.companies):,} accounts, {len(world.users):,} sales agents"
    )
