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
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path

from crmlab.sandbox.world.maven.files import FILES, Row, by_name, key_of, read
from crmlab.sandbox.world.model import (
    NOW,
    Company,
    CustomField,
    Deal,
    DealItem,
    LeadSource,
    Person,
    Pipeline,
    Stage,
    Status,
    User,
    World,
    object_id,
)

NO_ACCOUNT = "No account"

_STAGES = {"Prospecting": 10, "Engaging": 50, "Won": 100, "Lost": 0}
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
    days = [day for row in opportunities for name in ("engage_date", "close_date") if (day := row.day(name))]
    start = _noon(min(days, default=NOW.date()))
    last = _noon(max(days)) if days else None
    world = World(seed=0, now=last + timedelta(days=1) if last else NOW, currency="USD")
    findings = Counter[str]()
    _add_lookups(world, start)
    agents = _add_agents(world, teams, opportunities, start, findings)
    known = by_name(accounts, "account"), by_name(products, "product")
    _add_companies(world, accounts, start, findings)
    _add_contacts(world, start)
    _add_deals(world, opportunities, agents, *known, undated=last or world.now, findings=findings)
    return world, [_summary(world), *(f"{count:,} {sentence}" for sentence, count in findings.items() if count)]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _ids(kind: int) -> Callable[[datetime], str]:
    counter = count(1)
    return lambda at: object_id(at, kind, next(counter))


def _domain(name: str) -> str:
    return f"{re.sub(r'[^a-z0-9]+', '-', name.casefold()).strip('-') or 'unnamed'}.example"


def _add_lookups(world: World, start: datetime) -> None:
    new = _ids(1)
    stages = [Stage(stage=value, label=label) for label, value in _STAGES.items()]
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
    world: World, teams: list[Row], opportunities: list[Row], start: datetime, findings: Counter[str]
) -> dict[str, User]:
    new, agents = _ids(2), dict[str, User]()
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
    findings["sales agents were not in sales_teams.csv; added without a team"] += len(agents) - len(known)
    idle = sorted(agent.full_name for key, agent in agents.items() if key not in selling)
    findings[f"sales agents have no opportunity ({', '.join(idle)})"] += len(idle)
    world.users = list(agents.values())
    return agents


def _add_companies(world: World, rows: list[Row], start: datetime, findings: Counter[str]) -> None:
    new, names = _ids(3), {key_of(row.text("account")) for row in rows}
    sizes = ((10, "1-10"), (50, "11-50"), (250, "51-250"), (1_000, "251-1000"))
    for row in rows:
        name, parent = row.text("account"), row.text("subsidiary_of")
        if parent and key_of(parent) not in names:
            findings["accounts name a parent company that is not in accounts.csv; kept as text"] += 1
        custom = {key: _spelled(row, column, findings) for key, (column, _, _) in _COMPANY_FIELDS.items()}
        employees, *_ = [row.number(column) for column in ("employees", "revenue", "year_established")]
        country = _COUNTRIES.get(custom["location"])
        if country is None:
            findings["accounts are in a country without a known code; kept as text"] += 1
        custom = {key: value for key, value in custom.items() if value}
        world.companies.append(
            Company(
                id=new(start), name=name, url=f"https://www.{_domain(name)}/", phone=None,
                street=None, city=None, state=None, zip_code=None, country_code=country,
                description="; ".join(f"{_COMPANY_FIELDS[key][1]}: {value}" for key, value in custom.items()),
                size_label=next((label for most, label in sizes if employees <= most), "1000+"),
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
    new = _ids(4)
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


def _add_deals(
    world: World, rows: list[Row], agents: dict[str, User], accounts: dict[str, Row], products: dict[str, Row], *,
    undated: datetime, findings: Counter[str],
) -> None:  # fmt: skip
    """The deals; a contact belongs to who sells most to it, and is as new as its last deal, like its company."""
    new_deal, new_item = _ids(5), _ids(6)
    prices = {key: row.number("sales_price") for key, row in products.items()}
    buyers = dict(zip((*accounts, None), zip(world.people, (*world.companies, None), strict=True), strict=True))
    sellers = {person.id: Counter[str]() for person in world.people}
    for row in rows:
        stage = row.required("deal_stage")
        if stage not in _STAGES:
            row.fail("deal_stage", f"{stage!r} is unknown", f"use one of {', '.join(_STAGES)}")
        contact, company = buyers[_account(row, accounts, findings)]
        name = row.required("product")
        product = _match(row, "product", products, findings)
        if product is None:
            findings[f"opportunities are for {name!r}, which is not in products.csv; price set to 0"] += 1
        name = product.text("product") if product else name
        price = prices[key_of(name)] if product else 0.0
        created, closed = _times(row, stage, undated, findings)
        modified = max(created, closed or created)
        contact.modified_at = max(contact.modified_at, modified)
        if company:
            company.modified_at = contact.modified_at
        if stage == "Won":
            contact.status_key = "customer"
        owner = agents[key_of(row.text("sales_agent"))].id
        sellers[contact.id][owner] += 1
        reached = _STAGES[stage]
        item = DealItem(
            id=new_item(created), name=name, cost=0.0, price=price, quantity=1,
            description=f"Series {product.text('series') if product else 'unknown'}",
        )  # fmt: skip
        world.deals.append(
            Deal(
                id=new_deal(created), name=f"{name} - {company.name if company else NO_ACCOUNT}"[:60],
                contact_id=contact.id, company_id=contact.company_id, owner_id=owner,
                pipeline_id=world.pipelines[0].id, stage=reached, status=stage.lower() if closed else "pending",
                amount=_amount(row, stage, price, findings), months=1, cost=0.0,
                expected_close_date=None, close_date=closed.date() if closed else None, lost_reason_id=None,
                text=f"Opportunity {row.text('opportunity_id')}", size_label=None, items=[item],
                linked_contact_ids=[], created_at=created, modified_at=modified,
                stage_history=[(created, 50), (closed, reached)] if closed else [(created, reached)],
            )
        )  # fmt: skip
    for contact in world.people:
        owners = sellers[contact.id] or [user.id for user in world.users]
        contact.owner_id = max(owners, key=sellers[contact.id].__getitem__, default="")
    if not sellers[world.people[-1].id]:
        world.people.pop()


def _match(row: Row, column: str, known: dict[str, Row], findings: Counter[str]) -> Row | None:
    """The row of another file that has this name, perhaps written otherwise."""
    name = row.text(column)
    match = known.get(key_of(name)) if name else None
    if match and match.text(column) != name:
        findings[f"opportunities write the {column} {match.text(column)!r} as {name!r}; corrected"] += 1
    return match


def _account(row: Row, accounts: dict[str, Row], findings: Counter[str]) -> str | None:
    account, name = _match(row, "account", accounts, findings), row.text("account")
    if account:
        return key_of(name)
    what = f"name the account {name!r}, which is not in accounts.csv" if name else "name no account"
    findings[f"opportunities {what}; put under the contact {NO_ACCOUNT!r}"] += 1
    return None


def _times(row: Row, stage: str, undated: datetime, findings: Counter[str]) -> tuple[datetime, datetime | None]:
    """When the deal was created and closed."""
    engaged, closed = row.day("engage_date"), row.day("close_date")
    is_closed = stage in ("Won", "Lost")
    if is_closed and closed is None:
        row.fail("close_date", f"is empty for a deal that is {stage}", "fill it in")
    if closed and not is_closed:
        findings[f"{stage} opportunities have a close date; dropped, they are still open"] += 1
        closed = None
    for column, day in (("engage_quarter", engaged), ("close_quarter", closed)):
        quarter = row.cells.get(column, "").strip()
        if quarter and day and quarter != f"Q{(day.month + 2) // 3} {day.year}":
            findings[f"dates disagree with the column {column}; the date was taken, read day first"] += 1
    if engaged and closed and closed < engaged:
        findings["opportunities close before they are engaged; left as they are"] += 1
    if not engaged:
        when = "their close date" if closed else f"{undated:%Y-%m-%d}, the last day in the files"
        findings[f"{stage} opportunities have no engage date; created on {when}"] += 1
    created = engaged or closed
    return _noon(created) if created else undated, _noon(closed) if closed else None


def _amount(row: Row, stage: str, price: float, findings: Counter[str]) -> float:
    if stage in ("Prospecting", "Engaging") and not row.text("close_value"):
        findings[f"{stage} opportunities have no value; the product's list price was taken"] += 1
        return price
    amount = round(row.number("close_value"), 2)
    if stage == "Lost" and amount == 0:
        findings["Lost opportunities have the value 0; left as it is"] += 1
    return amount


def _summary(world: World) -> str:
    counts = Counter(deal.status for deal in world.deals)
    won = sum(deal.amount for deal in world.deals if deal.status == "won")
    return (
        f"{len(world.deals):,} opportunities: {counts['won']:,} won for {won:,.0f} "
        f"{world.currency}, {counts['lost']:,} lost, {counts['pending']:,} pending; "
        f"{len(world.companies):,} accounts, {len(world.users):,} sales agents"
    )
