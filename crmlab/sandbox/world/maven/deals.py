"""Opportunities as deals: whom each is with, who sells it, what it is for, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from crmlab.sandbox.world.maven.files import Row, key_of, noon
from crmlab.sandbox.world.model import Company, Deal, DealItem, Person, User, World, numbered_ids

NO_ACCOUNT = "No account"
STAGES = {"Prospecting": 10, "Engaging": 50, "Won": 100, "Lost": 0}


class _Buyer(NamedTuple):
    """Whom an opportunity is with: the contact, and its company where it has one."""

    contact: Person
    company: Company | None

    @property
    def name(self) -> str:
        if self.company is None:
            return NO_ACCOUNT
        return self.company.name

    def bought(self, modified: datetime, *, is_won: bool) -> None:
        """Take note of a deal: contact and company are as new as their last one."""
        self.contact.modified_at = max(self.contact.modified_at, modified)
        if self.company:
            self.company.modified_at = self.contact.modified_at
        if is_won:
            self.contact.status_key = "customer"


class _Product(NamedTuple):
    name: str
    series: str
    price: float


def add_deals(
    world: World,
    rows: list[Row],
    agents: dict[str, User],
    accounts: dict[str, Row],
    products: dict[str, Row],
    *,
    undated: datetime,
    findings: Counter[str],
) -> None:
    """Add the deals; a contact belongs to who sells most to it.

    `undated`: when a deal was created that names no day.
    """
    new_deal_id = numbered_ids(5)
    new_item_id = numbered_ids(6)
    prices = {product_key: row.number("sales_price") for product_key, row in products.items()}
    buyers = _buyers(world, accounts)
    sellers = {person.id: Counter[str]() for person in world.people}
    for opportunity in rows:
        # findings are told in the order in which they are met: stage, account, product, times, amount
        stage_name = _stage(opportunity)
        buyer = buyers[_account(opportunity, accounts, findings)]
        product = _product(opportunity, products, prices, findings)
        created_at, closed_at = _times(opportunity, stage_name, undated, findings)
        owner_id = agents[key_of(opportunity.text("sales_agent"))].id
        stage = STAGES[stage_name]
        deal = Deal(
            id=new_deal_id(created_at),
            name=f"{product.name} - {buyer.name}"[:60],
            contact_id=buyer.contact.id,
            company_id=buyer.contact.company_id,
            owner_id=owner_id,
            pipeline_id=world.pipelines[0].id,
            stage=stage,
            status="pending",
            amount=_amount(opportunity, stage_name, product.price, findings),
            months=1,
            cost=0.0,
            expected_close_date=None,
            close_date=None,
            lost_reason_id=None,
            text=f"Opportunity {opportunity.text('opportunity_id')}",
            size_label=None,
            items=[_deal_item(product, new_item_id(created_at))],
            linked_contact_ids=[],
            created_at=created_at,
            modified_at=created_at,
            stage_history=[(created_at, stage)],
        )
        if closed_at:
            _close(deal, stage_name, closed_at)
        buyer.bought(deal.modified_at, is_won=stage_name == "Won")
        sellers[buyer.contact.id][owner_id] += 1
        world.deals.append(deal)
    _give_owners(world, sellers)


def _deal_item(product: _Product, item_id: str) -> DealItem:
    return DealItem(
        id=item_id,
        name=product.name,
        cost=0.0,
        price=product.price,
        quantity=1,
        description=f"Series {product.series}",
    )


def _close(deal: Deal, stage_name: str, closed_at: datetime) -> None:
    deal.status = stage_name.lower()
    deal.close_date = closed_at.date()
    # some are closed before they are created, in the files
    deal.modified_at = max(deal.created_at, closed_at)
    # every deal that was closed was engaged before
    engaged = (deal.created_at, STAGES["Engaging"])
    closed = (closed_at, deal.stage)
    deal.stage_history = [engaged, closed]


def _buyers(world: World, accounts: Iterable[str]) -> dict[str | None, _Buyer]:
    """Return whom each account stands for; None: the contact without a company, which comes last."""
    account_keys = [*accounts, None]
    companies = [*world.companies, None]
    buyers = {}
    for account_key, contact, company in zip(account_keys, world.people, companies, strict=True):
        buyers[account_key] = _Buyer(contact, company)
    return buyers


def _give_owners(world: World, sellers: Mapping[str, Counter[str]]) -> None:
    """Let each contact belong to who sells most to it.

    The contact without a company is left out if nobody sells to it.
    """
    for contact in world.people:
        sales_by_user = sellers[contact.id]
        # of a contact whom nobody sells to, the first of all users
        candidates = sales_by_user or [user.id for user in world.users]
        contact.owner_id = max(candidates, key=sales_by_user.__getitem__, default="")
    nameless = world.people[-1]
    if not sellers[nameless.id]:
        world.people.pop()


def _stage(row: Row) -> str:
    stage_name = row.required("deal_stage")
    if stage_name not in STAGES:
        row.fail("deal_stage", f"{stage_name!r} is unknown", f"use one of {', '.join(STAGES)}")
    return stage_name


def _product(
    row: Row,
    products: dict[str, Row],
    prices: Mapping[str, float],
    findings: Counter[str],
) -> _Product:
    written_name = row.required("product")
    product_row = _match(row, "product", products, findings)
    if product_row is None:
        finding = f"are for {written_name!r}, which is not in products.csv; price set to 0"
        findings[f"opportunities {finding}"] += 1
        return _Product(written_name, "unknown", 0.0)
    product_name = product_row.text("product")
    return _Product(
        name=product_name,
        series=product_row.text("series"),
        price=prices[key_of(product_name)],
    )


def _match(
    row: Row,
    column: str,
    known: dict[str, Row],
    findings: Counter[str],
) -> Row | None:
    """The row of another file that has this name, perhaps written otherwise."""
    written_name = row.text(column)
    if not written_name:
        return None
    matching_row = known.get(key_of(written_name))
    if matching_row is None:
        return None
    right_name = matching_row.text(column)
    if right_name != written_name:
        finding = f"write the {column} {right_name!r} as {written_name!r}; corrected"
        findings[f"opportunities {finding}"] += 1
    return matching_row


def _account(
    row: Row,
    accounts: dict[str, Row],
    findings: Counter[str],
) -> str | None:
    """The key of the account that the opportunity is with; None where it names none that is known."""
    account_name = row.text("account")
    if _match(row, "account", accounts, findings):
        return key_of(account_name)
    finding = "name no account"
    if account_name:
        finding = f"name the account {account_name!r}, which is not in accounts.csv"
    findings[f"opportunities {finding}; put under the contact {NO_ACCOUNT!r}"] += 1
    return None


def _times(
    row: Row, stage: str, undated: datetime, findings: Counter[str]
) -> tuple[datetime, datetime | None]:
    """When the deal was created and closed."""
    engaged_on = row.day("engage_date")
    closed_on = _close_day(row, stage, findings)
    for column, day in (("engage_quarter", engaged_on), ("close_quarter", closed_on)):
        named_quarter = row.cells.get(column, "").strip()
        if named_quarter and day and named_quarter != _quarter(day):
            finding = f"the column {column}; the date was taken, read day first"
            findings[f"dates disagree with {finding}"] += 1
    closed_at = None
    if closed_on:
        closed_at = noon(closed_on)
    if engaged_on:
        if closed_on and closed_on < engaged_on:
            findings["opportunities close before they are engaged; left as they are"] += 1
        return noon(engaged_on), closed_at
    created_text = f"{undated:%Y-%m-%d}, the last day in the files"
    if closed_on:
        created_text = "their close date"
    findings[f"{stage} opportunities have no engage date; created on {created_text}"] += 1
    return closed_at or undated, closed_at


def _quarter(day: date) -> str:
    return f"Q{(day.month + 2) // 3} {day.year}"


def _close_day(row: Row, stage: str, findings: Counter[str]) -> date | None:
    """The day on which the deal was closed; None for one that is open."""
    closed_on = row.day("close_date")
    if stage in ("Won", "Lost"):
        if closed_on is None:
            row.fail("close_date", f"is empty for a deal that is {stage}", "fill it in")
        return closed_on
    if closed_on:
        findings[f"{stage} opportunities have a close date; dropped, they are still open"] += 1
    return None


def _amount(
    row: Row,
    stage: str,
    price: float,
    findings: Counter[str],
) -> float:
    if stage in ("Prospecting", "Engaging") and not row.text("close_value"):
        findings[f"{stage} opportunities have no value; the product's list price was taken"] += 1
        return price
    amount = round(row.number("close_value"), 2)
    if stage == "Lost" and amount == 0:
        findings["Lost opportunities have the value 0; left as it is"] += 1
    return amount
