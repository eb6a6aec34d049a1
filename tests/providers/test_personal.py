"""Which columns of services' own records are nobody's: every one that may be somebody's was looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from crmlab.connector import Resource
from crmlab.providers import registry
from crmlab.results.masking import mask

#: parts of names of fields that may identify a person, or hold what one said
_MAY_BE_PERSONAL = re.compile(
    r"name|mail|phone|fax|address|street|city|zip|birth|ip$|lat$|lon$|photo|text|body|subject|comment|note|message|desc"
    r"|background|contact_info|author|url|value|title",
    re.IGNORECASE,
)
#: what is called so and is nobody's, by resource; a star stands for all of the service
_LOOKED_AT = {
    "altcraft.*": "name Name field_name label title description groups Groups campaign_name message_name content",
    "commanders_act.*": "attributes integration description_en description_fr description_it",
    "onepagecrm.*": "company_name job_title lead_source email_sync_available email_sync_enabled",
    "onepagecrm.bootstrap": "message tags",
    "onepagecrm.pipelines": "name won_column_name",
    "onepagecrm.statuses": "text description",
    "onepagecrm.lead_sources": "text",
    "onepagecrm.custom_fields": "name",
    "onepagecrm.company_fields": "name",
    "onepagecrm.deal_fields": "name",
    "onepagecrm.companies": "name url photo_url",
    "onepagecrm.deals": "deal_items has_related_notes",
    "onepagecrm.call_results": "text",
    "onepagecrm.countries": "name phone_prefix",
    "onepagecrm.predefined_items": "name description",
    "onepagecrm.predefined_item_groups": "name",
    "onepagecrm.predefined_actions": "text",
    "onepagecrm.predefined_action_groups": "text",
    "onepagecrm.webhooks": "name",
    "onepagecrm.relationship_types": "relationship_variants",
    "relenta.contacts": "title do_not_mass_email do_no_mass_email",
    "relenta.custom_fields": "default_value",
}


def _resources() -> Iterator[tuple[str, tuple[str, ...], Resource]]:
    for name in ("altcraft", "commanders_act", "complero", "onepagecrm", "relenta"):
        provider = registry()[name]
        for resource in provider.resources:
            yield f"{name}.{resource.name}", provider.not_personal.get(resource.name, ()), resource


def _names_within(name: str, dtype: Any) -> Iterator[str]:
    yield name
    if isinstance(dtype, pl.List):
        yield from _names_within(name, dtype.inner)
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _names_within(field.name, field.dtype)


def test_a_column_that_may_be_somebodys_is_personal_or_was_looked_at() -> None:
    left = []
    for table, plain, resource in _resources():
        schema = (
            {} if callable(resource.schema) else {**resource.schema, **resource.envelope_fields}
        )
        looked_at = f"{_LOOKED_AT.get(table, '')} {_LOOKED_AT.get(table.partition('.')[0] + '.*', '')}".split()
        for column in plain:
            names = _names_within(column, schema.get(column, pl.String()))
            tells = any(
                _MAY_BE_PERSONAL.search(name) for name in names if not name.endswith(("_id", "_at"))
            )
            if tells and column not in looked_at:
                left.append(f"{table}: {column}")

    assert left == []


def test_what_is_said_of_columns_is_said_of_some_that_are_there() -> None:
    wrong = []
    for table, plain, resource in _resources():
        if not callable(resource.schema):
            known = {*resource.schema, *resource.envelope_fields, *resource.computed}
            wrong += [f"{table}: {column}" for column in plain if column not in known]
    for provider in registry().values():
        known_lists = {resource.name for resource in provider.resources}
        wrong += [
            f"{provider.name}.{name}" for name in provider.not_personal if name not in known_lists
        ]

    assert wrong == []


def test_masking_a_services_own_records_hides_all_but_what_is_nobodys() -> None:
    person = {
        "first_name": "zqx Ann",
        "phones": [{"type": "work", "value": "zqx 1"}],
        "nobody_said": "zqx 2",
        "size": 7,
    }
    frame = pl.DataFrame(
        {"id": ["1"], "status": ["lead"], **{name: [value] for name, value in person.items()}}
    )
    contacts = {"contacts": pl.DataFrame({"id": ["1"], "first_name": ["zqx Ann"]})}

    masked = mask({"onepagecrm.contacts": frame, **contacts}, key=b"k" * 16)
    own = masked["onepagecrm.contacts"]

    assert own.schema == frame.schema
    assert own.select("id", "status", "size").row(0) == ("1", "lead", None)
    assert "zqx" not in str(own.to_dicts())
    assert own["first_name"].item() == masked["contacts"]["first_name"].item()
