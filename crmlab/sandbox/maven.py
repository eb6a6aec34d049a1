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

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from crmlab.errors import CrmlabError, SchemaError
from crmlab.sandbox.world import (
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

_COLUMNS = {
    "accounts.csv": (
        "account", "sector", "year_established", "revenue", "employees", "office_location",
        "subsidiary_of",
    ),
    "products.csv": ("product", "series", "sales_price"),
    "sales_teams.csv": ("sales_agent", "manager", "regional_office"),
    "sales_pipeline.csv": (
        "opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date",
        "close_date", "close_value",
    ),
}  # fmt: skip

_STAGES = {"Prospecting": 10, "Engaging": 50, "Won": 100, "Lost": 0}
_STATUSES = {"Prospecting": "pending", "Engaging": "pending", "Won": "won", "Lost": "lost"}
_SPELLINGS = {"technolgy": "technology", "Philipines": "Philippines"}
_COUNTRIES = {
    "Belgium": "BE", "Brazil": "BR", "China": "CN", "Germany": "DE", "Italy": "IT", "Japan": "JP",
    "Jordan": "JO", "Kenya": "KE", "Korea": "KR", "Norway": "NO", "Panama": "PA",
    "Philippines": "PH", "Poland": "PL", "Romania": "RO", "United States": "US",
}  # fmt: skip
_COMPANY_FIELDS = {
    "sector": ("Sector", "single_line_text"),
    "founded": ("Year established", "number"),
    "revenue": ("Revenue (million USD)", "number"),
    "employees": ("Employees", "number"),
    "location": ("Office location", "single_line_text"),
    "parent": ("Subsidiary of", "single_line_text"),
}


class _Row(NamedTuple):
    """One line of a file; every reader names the file, the line and the column when it fails."""

    path: Path
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        return self.cells[column].strip()

    def required(self, column: str) -> str:
        return self.text(column) or self._fail(column, "is empty", "fill it in or remove the line")

    def number(self, column: str) -> float:
        text = self.required(column)
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            self._fail(column, f"{text!r} is not a number", "write it like 1054 or 1054.50")
        return float(text)

    def day(self, column: str) -> date | None:
        return _day(text, self, column) if (text := self.text(column)) else None

    def fail(self, column: str, what: str, advice: str) -> SchemaError:
        where = f"{self.path.name}, line {self.line}, column {column}"
        return SchemaError(f"{where}: {what}; {advice}")

    def _fail(self, column: str, what: str, advice: str) -> str:
        raise self.fail(column, what, advice)


def _day(text: str, row: _Row, column: str) -> date:
    for pattern in ("%d-%m-%y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise row.fail(column, f"{text!r} is not a date", "write it day first, DD-MM-YY, or YYYY-MM-DD")


@dataclass
class _Findings:
    """What was repaired and what could not be, counted by sentence."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, sentence: str, count: int = 1) -> None:
        self.counts[sentence] += count

    def lines(self) -> list[str]:
        return [f"{count:,} {sentence}" for sentence, count in self.counts.items() if count]


def load(directory: Path) -> tuple[World, list[str]]:
    """The four files as a world, and what was repaired, assumed or left as it was.

    Raises
    ------
    CrmlabError
        A file is missing or cannot be read.
    SchemaError
        A column is missing, or a cell cannot be understood.
    """
    tables = {name: _read(Path(directory) / name) for name in _COLUMNS}
    findings = _Findings()
    opportunities = tables["sales_pipeline.csv"]
    _check_unique(opportunities, "opportunity_id")
    last_day = _last_day(opportunities)
    start = _first_day(opportunities)
    world = World(seed=0, now=_noon(last_day + timedelta(days=1)) if last_day else NOW, currency="USD")
    _add_lookups(world, start)
    agents = _add_agents(world, tables["sales_teams.csv"], opportunities, start, findings)
    accounts = _add_accounts(world, tables["accounts.csv"], start, findings)
    _add_contacts(world, opportunities, accounts, agents, start)
    known = _Known(accounts, agents, _products(tables["products.csv"]))
    undated = _noon(last_day) if last_day else world.now
    _add_deals(world, opportunities, known, undated, findings)
    _date_contacts(world)
    return world, [_summary(world), *findings.lines()]


# ---- reading ------------------------------------------------------------------------------------


def _read(path: Path) -> list[_Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        needed = ", ".join(_COLUMNS)
        raise CrmlabError(f"{path} is missing; the directory must hold {needed}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise CrmlabError(f"{path} cannot be read: {reason}; save it as a UTF-8 CSV file") from None
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        return [_row(path, reader.line_num, header, cells) for cells in reader if cells]
    except csv.Error as error:
        message = f"{path.name}, line {reader.line_num}: {error}; check the quotes on this line"
        raise SchemaError(message) from None


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in _COLUMNS[path.name] if name not in header]
    if missing:
        raise SchemaError(
            f"{path.name}, line 1, column {', '.join(missing)}: missing; "
            f"the header has {', '.join(header) or 'no columns'}; rename or add the column"
        )


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> _Row:
    if len(cells) != len(header):
        raise SchemaError(
            f"{path.name}, line {line}: {len(cells)} cells under {len(header)} columns; "
            "check for a missing or an unquoted comma"
        )
    return _Row(path, line, dict(zip(header, cells, strict=True)))


def _check_unique(rows: list[_Row], column: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        key = _key(row.required(column))
        if key in seen:
            what = f"{row.text(column)!r} is on line {seen[key]} already"
            raise row.fail(column, what, "remove or rename one of them")
        seen[key] = row.line


def _days(rows: list[_Row]) -> Iterable[date]:
    columns = ("engage_date", "close_date")
    return (day for row in rows for column in columns if (day := row.day(column)))


def _last_day(rows: list[_Row]) -> date | None:
    return max(_days(rows), default=None)


def _first_day(rows: list[_Row]) -> datetime:
    return _noon(min(_days(rows), default=NOW.date()))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _key(name: str) -> str:
    """The same for `GTX Pro`, `GTXPro` and `gtx-pro`."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _ids(kind: int) -> Callable[[datetime], str]:
    count = 0

    def new(at: datetime) -> str:
        nonlocal count
        count += 1
        return object_id(at, kind, count)

    return new


# ---- building -----------------------------------------------------------------------------------


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
        for key, (label, kind) in _COMPANY_FIELDS.items()
    ]


def _add_agents(
    world: World,
    rows: list[_Row],
    opportunities: list[_Row],
    start: datetime,
    findings: _Findings,
) -> dict[str, User]:
    new, agents = _ids(2), dict[str, User]()
    _check_unique(rows, "sales_agent")
    for row in rows:
        team = f"{row.required('regional_office')} / {row.required('manager')}"
        agents[_key(row.text("sales_agent"))] = _user(new(start), row.text("sales_agent"), team)
    selling = {_key(row.required("sales_agent")): row for row in opportunities}
    for key, row in selling.items():
        if key not in agents:
            agents[key] = _user(new(start), row.text("sales_agent"), "")
            findings.add("sales agents were not in sales_teams.csv; added without a team")
    idle = [agent.full_name for key, agent in agents.items() if key not in selling]
    if idle:
        findings.add(f"sales agents have no opportunity ({', '.join(sorted(idle))})", len(idle))
    world.users = list(agents.values())
    return agents


def _user(user_id: str, name: str, department: str) -> User:
    first, _, last = name.partition(" ")
    return User(
        id=user_id,
        first_name=first,
        last_name=last,
        email=f"{_key(first)}.{_key(last)}@maven.example",
        role="user",
        phone=None,
        department=department,
    )


def _add_accounts(world: World, rows: list[_Row], start: datetime, findings: _Findings) -> dict[str, Company]:
    new, accounts = _ids(3), dict[str, Company]()
    _check_unique(rows, "account")
    names = {_key(row.text("account")) for row in rows}
    for row in rows:
        parent = row.text("subsidiary_of")
        if parent and _key(parent) not in names:
            findings.add("accounts name a parent company that is not in accounts.csv; kept as text")
        accounts[_key(row.text("account"))] = _company(new(start), row, start, findings)
    world.companies = list(accounts.values())
    return accounts


def _company(company_id: str, row: _Row, start: datetime, findings: _Findings) -> Company:
    sector = _spelled(row, "sector", findings)
    location = _spelled(row, "office_location", findings)
    country = _COUNTRIES.get(location)
    if country is None:
        findings.add("accounts are in a country without a known code; kept as text")
    employees, *_ = [row.number(name) for name in ("employees", "revenue", "year_established")]
    custom = {
        "sector": sector,
        "founded": row.text("year_established"),
        "revenue": row.text("revenue"),
        "employees": row.text("employees"),
        "location": location,
        "parent": row.text("subsidiary_of"),
    }
    labels = ((_COMPANY_FIELDS[key][0], value) for key, value in custom.items() if value)
    return Company(
        id=company_id,
        name=row.text("account"),
        url=f"https://www.{_domain(row.text('account'))}/",
        phone=None,
        street=None,
        city=None,
        state=None,
        zip_code=None,
        country_code=country,
        description="; ".join(f"{label}: {value}" for label, value in labels),
        size_label=_size(employees),
        created_at=start,
        modified_at=start,
        custom={key: value for key, value in custom.items() if value},
    )


def _spelled(row: _Row, column: str, findings: _Findings) -> str:
    word = row.text(column)
    right = _SPELLINGS.get(word, word)
    if right != word:
        findings.add(f"x {word!r} corrected to {right!r} in {row.path.name}, column {column}")
    return right


def _size(employees: float) -> str:
    steps = ((10, "1-10"), (50, "11-50"), (250, "51-250"), (1_000, "251-1000"))
    return next((label for most, label in steps if employees <= most), "1000+")


def _domain(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return f"{words or 'unnamed'}.example"


def _add_contacts(
    world: World,
    opportunities: list[_Row],
    accounts: dict[str, Company],
    agents: dict[str, User],
    start: datetime,
) -> None:
    """One contact per account, in the same order; the placeholder comes last, if it is needed."""
    sellers: dict[str, Counter[str]] = {}
    for row in opportunities:
        account = _key(row.text("account"))
        account = account if account in accounts else ""
        sellers.setdefault(account, Counter())[_key(row.text("sales_agent"))] += 1
    new, first_agent = _ids(4), next(iter(agents), "")
    for number, (key, company) in enumerate(accounts.items(), start=1):
        owner = sellers.get(key, Counter({first_agent: 1})).most_common(1)[0][0]
        person = _contact(new(start), number, agents[owner].id if owner else "", start, company)
        world.people.append(person)
    if "" in sellers:
        owner = sellers[""].most_common(1)[0][0]
        placeholder = _contact(new(start), len(accounts) + 1, agents[owner].id, start, None)
        world.people.append(placeholder)


def _contact(person_id: str, number: int, owner_id: str, start: datetime, company: Company | None) -> Person:
    first, _, last = NO_ACCOUNT.partition(" ")
    return Person(
        id=person_id,
        number=number,
        title=None,
        first_name="Buyer" if company else first,
        last_name=company.name if company else last,
        job_title="Head of Purchasing" if company else None,
        company_id=company.id if company else None,
        emails=[f"buyer@{_domain(company.name)}"] if company else [],
        phones=[],
        street=None,
        city=None,
        state=None,
        zip_code=None,
        country_code=company.country_code if company else None,
        language=None,
        tags=[],
        groups=[],
        status_key="prospect",
        lead_source_id=None,
        owner_id=owner_id,
        background="" if company else "Stands for the opportunities that name no known account.",
        season=None,
        do_not_mail=False,
        starred=False,
        services=frozenset({"onepagecrm"}),
        created_at=start,
        modified_at=start,
    )


class _Product(NamedTuple):
    name: str
    series: str
    price: float


class _Known(NamedTuple):
    """What an opportunity can name, by `_key`."""

    accounts: dict[str, Company]
    agents: dict[str, User]
    products: dict[str, _Product]


def _products(rows: list[_Row]) -> dict[str, _Product]:
    _check_unique(rows, "product")
    return {
        _key(row.text("product")): _Product(
            row.text("product"), row.text("series"), row.number("sales_price")
        )
        for row in rows
    }


def _add_deals(
    world: World,
    rows: list[_Row],
    known: _Known,
    undated: datetime,
    findings: _Findings,
) -> None:
    new_deal, new_item = _ids(5), _ids(6)
    contacts = {person.company_id: person for person in world.people}
    for row in rows:
        stage = row.required("deal_stage")
        if stage not in _STAGES:
            raise row.fail("deal_stage", f"{stage!r} is unknown", f"use one of {', '.join(_STAGES)}")
        account = _account(row, known.accounts, findings)
        product = _product(row, known.products, findings)
        created, closed = _times(row, stage, undated, findings)
        contact = contacts[account.id if account else None]
        if stage == "Won":
            contact.status_key = "customer"
        item = DealItem(
            id=new_item(created), name=product.name, description=f"Series {product.series}",
            cost=0.0, price=product.price, quantity=1,
        )  # fmt: skip
        world.deals.append(
            Deal(
                id=new_deal(created),
                name=f"{product.name} - {account.name if account else NO_ACCOUNT}"[:60],
                contact_id=contact.id,
                company_id=account.id if account else None,
                owner_id=known.agents[_key(row.text("sales_agent"))].id,
                pipeline_id=world.pipelines[0].id,
                stage=_STAGES[stage],
                status=_STATUSES[stage],
                amount=_amount(row, stage, product, findings),
                months=1,
                cost=0.0,
                expected_close_date=None,
                close_date=closed.date() if closed else None,
                lost_reason_id=None,
                text=f"Opportunity {row.text('opportunity_id')}",
                size_label=None,
                items=[item],
                linked_contact_ids=[],
                created_at=created,
                modified_at=max(created, closed or created),
                stage_history=_stage_history(stage, created, closed),
            )
        )


def _account(row: _Row, accounts: dict[str, Company], findings: _Findings) -> Company | None:
    name = row.text("account")
    account = accounts.get(_key(name)) if name else None
    if not name:
        findings.add(f"opportunities name no account; put under the contact {NO_ACCOUNT!r}")
    elif account is None:
        what = f"opportunities name the account {name!r}, which is not in accounts.csv"
        findings.add(f"{what}; put under the contact {NO_ACCOUNT!r}")
    elif account.name != name:
        findings.add(f"opportunities write the account {account.name!r} as {name!r}; corrected")
    return account


def _product(row: _Row, products: dict[str, _Product], findings: _Findings) -> _Product:
    name = row.required("product")
    product = products.get(_key(name))
    if product is None:
        findings.add(f"opportunities are for {name!r}, which is not in products.csv; price set to 0")
        return _Product(name, "unknown", 0.0)
    if product.name != name:
        findings.add(f"opportunities write the product {product.name!r} as {name!r}; corrected")
    return product


def _times(row: _Row, stage: str, undated: datetime, findings: _Findings) -> tuple[datetime, datetime | None]:
    """When the deal was created and closed."""
    engaged, closed = row.day("engage_date"), row.day("close_date")
    is_closed = _STATUSES[stage] != "pending"
    if is_closed and closed is None:
        raise row.fail("close_date", f"is empty for a deal that is {stage}", "fill it in")
    if closed and not is_closed:
        findings.add(f"{stage} opportunities have a close date; dropped, they are still open")
        closed = None
    _check_quarter(row, "engage_quarter", engaged, findings)
    _check_quarter(row, "close_quarter", closed, findings)
    if engaged and closed and closed < engaged:
        findings.add("opportunities close before they are engaged; left as they are")
    if engaged:
        return _noon(engaged), _noon(closed) if closed else None
    if closed:
        findings.add(f"{stage} opportunities have no engage date; created on their close date")
        return _noon(closed), _noon(closed)
    what = f"{stage} opportunities have no engage date"
    findings.add(f"{what}; created on {undated:%Y-%m-%d}, the last day in the files")
    return undated, None


def _check_quarter(row: _Row, column: str, day: date | None, findings: _Findings) -> None:
    quarter = row.cells.get(column, "").strip()
    if quarter and day and quarter != f"Q{(day.month + 2) // 3} {day.year}":
        findings.add(f"dates disagree with the column {column}; the date was taken, read day first")


def _amount(row: _Row, stage: str, product: _Product, findings: _Findings) -> float:
    if _STATUSES[stage] != "pending":
        amount = round(row.number("close_value"), 2)
        if stage == "Lost" and amount == 0:
            findings.add("Lost opportunities have the value 0; left as it is")
        return amount
    if row.text("close_value"):
        return round(row.number("close_value"), 2)
    findings.add(f"{stage} opportunities have no value; the product's list price was taken")
    return product.price


def _stage_history(stage: str, created: datetime, closed: datetime | None) -> list[tuple[datetime, int]]:
    if closed is None:
        return [(created, _STAGES[stage])]
    return [(created, _STAGES["Engaging"]), (closed, _STAGES[stage])]


def _date_contacts(world: World) -> None:
    """A contact, and its company, is as new as its last deal."""
    people, companies = world.people_by_id(), world.companies_by_id()
    for deal in world.deals:
        person = people[deal.contact_id]
        person.modified_at = max(person.modified_at, deal.modified_at)
        if person.company_id:
            company = companies[person.company_id]
            company.modified_at = max(company.modified_at, deal.modified_at)


def _summary(world: World) -> str:
    counts = Counter(deal.status for deal in world.deals)
    won = sum(deal.amount for deal in world.deals if deal.status == "won")
    return (
        f"{len(world.deals):,} opportunities: {counts['won']:,} won for {won:,.0f} "
        f"{world.currency}, {counts['lost']:,} lost, {counts['pending']:,} pending; "
        f"{len(world.companies):,} accounts, {len(world.users):,} sales agents"
    )
