from __future__ import annotations

import json
from typing import Any

import pytest

from crmlab.providers.complero.consents import statements

Said = list[tuple[str | None, str | None, str | None]]


def said(section: Any, **fields: Any) -> Said:
    contact = json.dumps({"id": "c1", "section_work": section, **fields})
    return [(each["channel"], each["purpose"], each["answer"]) for each in statements(contact)]


@pytest.mark.parametrize(
    ("section", "decided"),
    [
        ({"consents": {"email": False, "phone": False}}, [("email", None, "false"), ("phone", None, "false")]),
        ({"consents": {"E-Mail": "Yes", "sms": 0}}, [("email", None, "true"), ("sms", None, "false")]),
        ({"consents": {"email": 1.0}}, [("email", None, "true")]),
        ({"consents": [{"channel": "email", "granted": True}]}, [("email", None, "true")]),
        ({"consents": [{"type": "sms", "status": "revoked"}]}, [("sms", None, "false")]),
        ({"email": {"optin": True, "value": "ada@moss.example"}}, [("email", None, "true")]),
        ({"emails": [{"type": "work", "value": "ada@moss.example", "optin": False}]}, [("email", None, "false")]),
        ({"email_opted_out": True}, [("email", None, "false")]),
        ({"emailOptOut": "true"}, [("email", None, "false")]),
        ({"opt_outs": {"sms": True}}, [("sms", None, "false")]),
        ({"consents": {"email": {"opted_out": True}}}, [("email", None, "false")]),
        ({"consent": False}, [(None, None, "false")]),
        ({"newsletter_opt_in": True}, [("newsletter", None, "true")]),
    ],
)
def test_a_yes_or_no_decides_under_a_key_that_names_a_consent(section: Any, decided: Said) -> None:
    assert said(section) == decided


@pytest.mark.parametrize(
    "section",
    [
        {"email": "ada@moss.example", "email_verified": True},
        {"is_primary": True, "newsletter": True},
        {"consents": {"email_verified": True}},
        {"consents": {"email": None, "sms": "", "phone": {}}},
        {"consent_date": "2026-01-01", "consent_version": 1, "double_opt_in": True},
        {},
        None,
        "consent: true",
    ],
)
def test_nothing_is_decided_where_no_consent_is_given(section: Any) -> None:
    assert said(section) == [(None, None, None)]


@pytest.mark.parametrize("key", ["email_opted_out", "no_email_consent", "email_consent_revoked"])
def test_who_did_not_refuse_has_not_agreed_by_that(key: str) -> None:
    assert said({key: False}) == [("email", None, None)]
    assert said({key: True}) == [("email", None, "false")]


@pytest.mark.parametrize("value", ["perhaps", -1, 2, 0.5, "2026-01-01", "email"])
def test_what_cannot_be_read_is_kept_as_it_is(value: Any) -> None:
    assert said({"consents": {"email": value}}) == [("email", None, json.dumps(value))]


@pytest.mark.parametrize(
    ("section", "purpose"),
    [
        ({"consents": {"email": {"marketing": True}}}, "marketing"),
        ({"consents": {"marketing": {"email": True}}}, "marketing"),
        ({"consents": {"email": {"marketing": {"granted": True, "text": "I agree"}}}}, "marketing"),
        ({"consents": [{"channel": "email", "purpose": "our offers", "granted": True}]}, "our offers"),
        ({"marketing_email_opt_in": True}, "marketing"),
    ],
)
def test_a_purpose_stands_beside_its_channel(section: Any, purpose: str) -> None:
    assert said(section) == [("email", purpose, "true")]


def test_remarks_on_a_consent_are_no_consents() -> None:
    consent = {"granted": True, "date": "2026-01-01", "source": "form", "archived": False, "verified": False}

    assert said({"consents": {"email": consent}}) == [("email", None, "true")]


def test_a_consent_that_was_revoked_is_not_read_as_a_yes() -> None:
    consent = {"granted": True, "revoked_at": "2026-02-01"}

    assert said({"consents": {"email": consent}}) == [("email", None, "false and true")]


def test_work_and_home_are_read_as_one() -> None:
    work = {"consents": {"email": True, "sms": False}}

    found = said(work, section_private={"consents": {"email": False, "sms": False, "phone": True}})

    assert found == [("email", None, "false and true"), ("sms", None, "false"), ("phone", None, "true")]


def test_documentation_and_free_data_hold_no_consents() -> None:
    assert said({}, documentation={"consent": True}, data={"email_optin": True}) == [(None, None, None)]


def test_a_contact_nested_too_deeply_is_not_read_and_does_not_raise() -> None:
    deep = "[" * 20_000 + "]" * 20_000

    (statement,) = statements(f'{{"consents": {deep}}}', "sms")

    assert statement["channel"] == "sms"
    assert str(statement["answer"]).startswith('{"consents": [[[')
    assert len(str(statement["answer"])) == 200
