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
    # one stream makes the ids of all of them: their order is that of these steps
    stream = Stream(f"{world.seed}/lookups")
    for number, description in enumerate(_TEAM.split(",")):
        first_name, last_name, role_name, department = description.split()
        user = User(
            id=stream.id(start),
            first_name=first_name,
            last_name=last_name,
            role=role_name,
            email=f"{first_name.lower()}.{last_name.lower()}@crmlab.example",
            phone=f"+353 20 910 0{number:03d}",
            department=department,
        )
        world.users.append(user)
    for description in _STATUSES.split(","):
        status_key, status_text, colour = description.split()
        status = Status(id=stream.id(start), key=status_key, text=status_text, colour=colour)
        world.statuses.append(status)
    for source_name in _SOURCES.split(","):
        source_id = source_name.lower().replace(" or ", "_").replace(" ", "_")
        world.lead_sources.append(LeadSource(id=source_id, text=source_name))
    for description in _PIPELINES:
        world.pipelines.append(_pipeline(description, stream.id(start)))
    for entity, field_key, label, choices in _FIELDS:
        custom_field = CustomField(
            id=stream.id(start),
            entity=entity,
            key=field_key,
            label=label,
            type="select_box",
            choices=list(choices),
        )
        world.fields.append(custom_field)
    world.lost_reasons = {stream.id(start): reason for reason in _REASONS.split(",")}
    world.mail_databases = [MailDatabase(id=1, name="Customers"), MailDatabase(id=2, name="Leads")]
    world.mail_resources = [
        MailResource(id=1, name="Newsletter"),
        MailResource(id=2, name="Offers"),
    ]


def _pipeline(description: str, pipeline_id: str) -> Pipeline:
    pipeline_name, *stage_texts = description.split("|")
    # each text begins with its percentage of two digits
    stages = [Stage(stage=int(text[:2]), label=text[3:]) for text in stage_texts]
    return Pipeline(
        id=pipeline_id,
        name=pipeline_name,
        is_default=pipeline_name == "Sales",
        stages=stages,
    )
