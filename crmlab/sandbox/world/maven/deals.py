"""Opportunities as deals: whom each is with, who sells it, what it is for, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from crmlab.sandbox.world.maven.files import Row, key_of, noon
from crmlab.sandbox.world.model import Company, Deal, DealItem, Person, User, World, numbered_ids

NO_ACCOUNT = "No account"
STAGES = {"Prospecting": 10, "Engaging": 50, "Won": 100, "Lost": 0}


class _Buyer(NamedTuple):
    """Whom an opportunity is with: the contact, and its company where it has one."""

    contact: Person
    company: Company | None

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
    world: World, rows: list[Row], agents: dict[str, User], accounts: dict[str, Row], products: dict[str, Row], *,
    undated: datetime, findings: Counter[str],
) -> None:  # fmt: skip
    """Add the deals; a contact belongs to who sells most to it.

    `undated`: when a deal was created that names no day.
    """
    new_deal = numbered_ids(5)
    new_item = numbered_ids(6)
    prices = {key: row.number("sales_price") for key, row in products.items()}
    buyers = _buyers(world, accounts)
    sellers = {person.id: Counter[str]() for person in world.people}
    for row in rows:
        stage = _stage(row)
        buyer = buyers[_account(row, accounts, findings)]
        product = _product(row, products, prices, findings)
        created, closed = _times(row, stage, undated, findings)
        modified = max(created, closed or created)
        buyer.bought(modified, is_won=stage == "Won")
        owner_id = agents[key_of(row.text("sales_agent"))].id
        sellers[buyer.contact.id][owner_id] += 1
        item = DealItem(
            id=new_item(created), name=product.name, cost=0.0, price=product.price, quantity=1,
            description=f"Series {product.series}",
        )  # fmt: skip
        reached = STAGES[stage]
        buyer_name = buyer.company.name if buyer.company else NO_ACCOUNT
        world.deals.append(
            Deal(
                id=new_deal(created), name=f"{product.name} - {buyer_name}"[:60],
                contact_id=buyer.contact.id, company_id=buyer.contact.company_id, owner_id=owner_id,
                pipeline_id=world.pipelines[0].id, stage=reached, status=stage.lower() if closed else "pending",
                amount=_amount(row, stage, product.price, findings), months=1, cost=0.0,
                expected_close_date=None, close_date=closed.date() if closed else None, lost_reason_id=None,
                text=f"Opportunity {row.text('opportunity_id')}", size_label=None, items=[item],
                linked_contact_ids=[], created_at=created, modified_at=modified,
                stage_history=[(created, 50), (closed, reached)] if closed else [(created, reached)],
            )
        )  # fmt: skip
    _give_owners(world, sellers)


def _buyers(world: World, accounts: Iterable[str]) -> dict[str | None, _Buyer]:
    """Return whom each account stands for; None: the contact without a company, which comes last."""
    keys = [*accounts, None]
    companies = [*world.companies, None]
    buyers = map(_Buyer, world.people, companies)
    return dict(zip(keys, buyers, strict=True))


def _give_owners(world: World, sellers: Mapping[str, Counter[str]]) -> None:
    """Let each contact belong to who sells most to it.

    The contact without a company is left out if nobody sells to it.
    """
    for contact in world.people:
        sales = sellers[contact.id]
        candidates = sales or [user.id for user in world.users]
        contact.owner_id = max(candidates, key=sales.__getitem__, default="")
    nameless = world.people[-1]
    if not sellers[nameless.id]:
        world.people.pop()


def _stage(row: Row) -> str:
    stage = row.required("deal_stage")
    if stage not in STAGES:
        row.fail("deal_stage", f"{stage!r} is unknown", f"use one of {', '.join(STAGES)}")
    return stage


def _product(
    row: Row, products: dict[str, Row], prices: Mapping[str, float], findings: Counter[str]
) -> _Product:
    name = row.required("product")
    known = _match(row, "product", products, findings)
    if known is None:
        findings[
            f"opportunities are for {name!r}, which is not in products.csv; price set to 0"
        ] += 1
        return _Product(name, "unknown", 0.0)
    name = known.text("product")
    return _Product(name, known.text("series"), prices[key_of(name)])


def _match(row: Row, column: str, known: dict[str, Row], findings: Counter[str]) -> Row | None:
    """The row of another file that has this name, perhaps written otherwise."""
    name = row.text(column)
    match = known.get(key_of(name)) if name else None
    if match and match.text(column) != name:
        findings[
            f"opportunities write the {column} {match.text(column)!r} as {name!r}; corrected"
        ] += 1
    return match


def _account(row: Row, accounts: dict[str, Row], findings: Counter[str]) -> str | None:
    """The key of the account that the opportunity is with; None where it names none that is known."""
    name = row.text("account")
    if _match(row, "account", accounts, findings):
        return key_of(name)
    what = f"name the account {name!r}, which is not in accounts.csv" if name else "name no account"
    findings[f"opportunities {what}; put under the contact {NO_ACCOUNT!r}"] += 1
    return None


def _times(
    row: Row, stage: str, undated: datetime, findings: Counter[str]
) -> tuple[datetime, datetime | None]:
    """When the deal was created and closed."""
    engaged = row.day("engage_date")
    closed = row.day("close_date")
    is_closed = stage in ("Won", "Lost")
    if is_closed and closed is None:
        row.fail("close_date", f"is empty for a deal that is {stage}", "fill it in")
    if closed and not is_closed:
        findings[f"{stage} opportunities have a close date; dropped, they are still open"] += 1
        closed = None
    for column, day in (("engage_quarter", engaged), ("close_quarter", closed)):
        quarter = row.cells.get(column, "").strip()
        if quarter and day and quarter != f"Q{(day.month + 2) // 3} {day.year}":
            findings[
                f"dates disagree with the column {column}; the date was taken, read day first"
            ] += 1
    if engaged and closed and closed < engaged:
        findings["opportunities close before they are engaged; left as they are"] += 1
    if not engaged:
        when = "their close date" if closed else f"{undated:%Y-%m-%d}, the last day in the files"
        findings[f"{stage} opportunities have no engage date; created on {when}"] += 1
    first = engaged or closed
    created = noon(first) if first else undated
    return created, noon(closed) if closed else None


def _amount(row: Row, stage: str, price: float, findings: Counter[str]) -> float:
    if stage in ("Prospecting", "Engaging") and not row.text("close_value"):
        findings[f"{stage} opportunities have no value; the product's list price was taken"] += 1
        return price
    amount = round(row.number("close_value"), 2)
    if stage == "Lost" and amount == 0:
        findings["Lost opportunities have the value 0; left as it is"] += 1
    return amount
