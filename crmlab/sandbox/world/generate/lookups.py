"""What does not grow with the world: users, statuses, pipelines and the like."""

from __future__ import annotations

from datetime import datetime

from crmlab.sandbox.world.generate.draw import Stream
from crmlab.sandbox.world.generate.words import SEASONS, SIZES
from crmlab.sandbox.world.model import (
    CustomField,
    LeadSource,
    MailDatabase,
    MailResource,
    Pipeline,
    Stage,
    Status,
    User,
    World,
)

_TEAM = (
    "Nora Keane admin Sales,Tom Ballard manager Sales,Lena Vogt user Sales,Marc Petit user Sales,"
    "Ines Prado user Partners,Piotr Zych user Partners,Sam Whitlock user Marketing,Orla Quinn user Support"
)
_STATUSES = (
    "lead Lead 666666,prospect Prospect f96600,customer Customer 009900,"
    "inactive Inactive 000000,custom1 Partner 3399ff"
)
_SOURCES = "Advertisement,Email or Web,Referral,Trade fair,Cold call,Social media,Other"
_PIPELINES = (
    "Sales|10 Qualified|25 Meeting|40 Demo|60 Offer|75 Negotiation|90 Verbal yes",
    "Partners|15 Contacted|35 Assessment|55 Terms|75 Contract|90 Launch",
    "Renewals|20 Due|45 Reviewed|65 Offer|80 Negotiation|95 Signature",
)
_FIELDS = (
    ("contact", "season", "Favourite season", SEASONS),
    ("company", "size", "Company size", SIZES),
    ("deal", "deal_size", "Deal size", ["Small", "Medium", "Large"]),
)
_REASONS = "Price,Competitor,No budget,No decision,Missing feature,Bad timing"


def add_lookups(world: World, start: datetime) -> None:
    """Everything that other tables choose from; it exists from the start."""
    ids = Stream(f"{world.seed}/lookups")
    for number, line in enumerate(_TEAM.split(",")):
        first, last, role, department = line.split()
        world.users.append(
            User(id=ids.id(start), first_name=first, last_name=last, role=role,
                 email=f"{first.lower()}.{last.lower()}@crmlab.example",
                 phone=f"+353 20 910 0{number:03d}", department=department)
        )  # fmt: skip
    for line in _STATUSES.split(","):
        key, text, colour = line.split()
        world.statuses.append(Status(id=ids.id(start), key=key, text=text, colour=colour))
    for text in _SOURCES.split(","):
        key = text.lower().replace(" or ", "_").replace(" ", "_")
        world.lead_sources.append(LeadSource(id=key, text=text))
    for line in _PIPELINES:
        name, *pairs = line.split("|")
        stages = [Stage(stage=int(pair[:2]), label=pair[3:]) for pair in pairs]
        pipeline = Pipeline(id=ids.id(start), name=name, is_default=name == "Sales", stages=stages)
        world.pipelines.append(pipeline)
    world.fields = [
        CustomField(id=ids.id(start), entity=entity, key=key, label=label,
                    type="select_box", choices=list(choices))
        for entity, key, label, choices in _FIELDS
    ]  # fmt: skip
    world.lost_reasons = {ids.id(start): reason for reason in _REASONS.split(",")}
    world.mail_databases = [MailDatabase(id=1, name="Customers"), MailDatabase(id=2, name="Leads")]
    world.mail_resources = [
        MailResource(id=1, name="Newsletter"),
        MailResource(id=2, name="Offers"),
    ]
