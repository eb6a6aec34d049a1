from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from crmlab.connector import flag
from crmlab.providers.complero.consents import statements

#: of each channel and purpose: "yes", "no", "-" where nothing was decided, and "?" where something was not read
Heard = dict[str, str]
_ANSWERS = {"true": "yes", "false": "no", None: "-"}


def heard(section: Any, *, channel: str | None = None, **fields: Any) -> Heard:
    contact = json.dumps({"id": "c1", "section_work": section, **fields})
    found = {}
    for each in statements(contact, channel):
        about = "/".join(part for part in (each["channel"] or "*", each["purpose"]) if part)
        found[about] = "?" if each["unread"] and not each["answer"] else _ANSWERS[each["answer"]]
        found[about] += "?" if each["unread"] and each["answer"] else ""
    return found


NOTHING = {"*": "-"}
SAID: list[tuple[Any, Heard]] = [
    # under a key that names a consent
    ({"consents": {"email": False, "phone": False}}, {"email": "no", "phone": "no"}),
    ({"consents": {"E-Mail": "Yes", "sms": 0, "fax": 1.0}}, {"email": "yes", "sms": "no", "fax": "yes"}),
    ({"consents": {"email": "granted", "sms": "denied", "push": "withdrawn"}},
     {"email": "yes", "sms": "no", "push": "no"}),
    ({"consents": {"email": "1", "sms": "0", "push": " No ", "fax": "off"}},
     {"email": "yes", "sms": "no", "push": "no", "fax": "no"}),
    ({"consents": {"email": "opt-in", "sms": "opt_out", "push": "not given"}},
     {"email": "yes", "sms": "no", "push": "no"}),
    ({"Consents": {"EMAIL": "NO"}}, {"email": "no"}),
    ({"consent": False}, {"*": "no"}),
    ({"consents": [True]}, {"*": "yes"}),
    ({"newsletter_opt_in": True}, {"newsletter": "yes"}),
    ({"email": {"optin": True, "value": "ada@moss.example"}}, {"email": "yes"}),
    ({"emails": [{"type": "work", "value": "ada@moss.example", "optin": False}]}, {"email": "no"}),
    ({"newsletter": {"subscribed": False}}, {"newsletter": "no"}),
    ({"has_consented": "N"}, {"*": "no"}),
    ({"consents": {"email_address": False, "mobile_phone": False, "email2": False}}, {"email": "no", "phone": "no"}),
    ({"consents": {"postal_mail": True}}, {"letter": "yes"}),
    ({"consents": {"all": False}}, {"*": "no"}),
    ({"consents": {"none": True}}, {"*": "no"}),
    # in an object, or in a list of them
    ({"consents": [{"channel": "email", "granted": True}]}, {"email": "yes"}),
    ({"consents": [None, {"type": "sms", "status": "revoked"}]}, {"sms": "no"}),
    ({"consents": [{"channels": ["email", "sms"], "granted": True}]}, {"email": "yes", "sms": "yes"}),
    ({"consents": [{"channel": {"name": "email"}, "granted": False}]}, {"email": "no"}),
    ({"consents": [{"channel": "all", "granted": False}]}, {"*": "no"}),
    ({"consent_channel": "email", "consent": True}, {"email": "yes"}),
    ({"consents": {"email": {"value": "ada@moss.example", "granted": True}}}, {"email": "yes"}),
    ({"consents": {"granted": {"email": True}, "denied": {"sms": True}}}, {"email": "yes", "sms": "no"}),
    ({"consents": {"email": {"yes": True, "no": False}}}, {"email": "yes"}),
    # by purpose
    ({"consents": {"email": {"marketing": True, "newsletter": False}}},
     {"email/marketing": "yes", "email/newsletter": "no"}),
    ({"consents": {"marketing": {"email": False, "sms": True}}}, {"email/marketing": "no", "sms/marketing": "yes"}),
    ({"consents": {"email": {"marketing": {"granted": True, "text": "I agree"}}}}, {"email/marketing": "yes"}),
    ({"consents": [{"channel": "email", "purpose": "our offers", "granted": True}]}, {"email/our offers": "yes"}),
    ({"consents": {"email": {"granted": False, "purposes": ["news", "offers"]}}},
     {"email/news": "no", "email/offers": "no"}),
    ({"marketing_email_opt_in": True}, {"email/marketing": "yes"}),
    ({"email_and_phone_opt_out": True}, {"email": "no", "phone": "no"}),
    # opt-outs: who did not refuse has not agreed by that
    ({"email_opted_out": True}, {"email": "no"}),
    ({"email_opted_out": False}, {"email": "-"}),
    ({"emailOptOut": "true", "no_sms_consent": True}, {"email": "no", "sms": "no"}),
    ({"email_consent_revoked": True, "sms_consent_revoked": False}, {"email": "no", "sms": "-"}),
    ({"not_opted_out": False}, {"*": "no"}),
    ({"not_opted_out": True}, {"*": "-"}),
    ({"opt_outs": {"sms": True}}, {"sms": "no"}),
    ({"opt_outs": ["email", "offers"]}, {"email": "no", "offers": "no"}),
    ({"opt_out": "email"}, {"email": "no"}),
    ({"opt_outs": "all"}, {"*": "no"}),
    ({"opt_outs": [{"channel": "email", "id": "x1"}]}, {"email": "no"}),
    ({"consents": [{"type": "opt-out", "channel": "email"}]}, {"email": "no"}),
    ({"consents": [{"type": "opt_out", "channel": "email", "granted": True}]}, {"email": "no"}),
    ({"channels": [{"type": "email", "status": "unsubscribed"}]}, {"email": "no"}),
    ({"email_marketing": "Opted out", "sms": "subscribed"}, {"email/marketing": "no", "sms": "?"}),
    ({"consents": {"granted": ["email"], "denied": ["sms"]}}, {"email": "?", "sms": "no"}),
    ({"do_not_email": True, "doNotCall": "1"}, {"email": "no", "phone": "no"}),
    ({"objections": ["email"]}, {"email": "no"}),
    ({"opt_outs": {"email": {"opted_out": True}}}, {"email": "no"}),
    ({"opt_outs": {"email": {"revoked": True}, "sms": {"revoked": False}}}, {"email": "?", "sms": "no"}),
    ({"type": "opt-out", "email_opted_out": True}, {"email": "no"}),
    ({"opt_outs": [{"type": "opt-out", "channel": "email"}]}, {"email": "no"}),
    ({"consents": {"email": {"granted": True, "withdrawn": None, "deleted": False}}}, {"email": "yes"}),
    # a time of a refusal tells that there was one; a time of a consent does not tell that it is one
    ({"email_opted_out": "2026-01-01"}, {"email": "no"}),
    ({"opted_out_at": "2026-01-01T00:00:00Z"}, {"*": "no"}),
    ({"opted_out_at": 1_767_225_600}, {"*": "no"}),
    ({"unsubscribed": {"email": "2026-01-01"}}, {"email": "no"}),
    ({"consents": {"email": {"withdrawn": {"at": "2026-01-01"}}}}, {"email": "no"}),
    ({"opted_out_at": "0001-01-01T00:00:00Z"}, {"*": "-"}),
    ({"opted_out_at": "0000-00-00"}, {"*": "-"}),
    ({"opted_out_at": "never"}, {"*": "?"}),
    ({"opted_in_at": "2026-01-01"}, {"*": "?"}),
    ({"email": {"opted_out_at": "2026-02-01", "opted_in_at": "2026-01-01"}}, {"email": "no"}),
    ({"email": {"opted_out_at": "2026-01-01", "opted_in_at": "2026-02-01"}}, {"email": "?"}),
    ({"consents": {"email": {"granted": True, "revoked_at": "2026-02-01"}}}, {"email": "?"}),
    # what was said before is not said now
    ({"consents": {"email": {"current": False, "previous": True}}}, {"email": "no"}),
    ({"consents": {"email": {"granted": False, "history": [{"granted": True}]}}}, {"email": "no"}),
    # beside a consent
    ({"consents": {"email": {"granted": True, "date": "2026-01-01", "source": "form", "archived": False}}},
     {"email": "yes"}),
    ({"email_optin": True, "email_optin_sent": True}, {"email": "yes"}),
    ({"email_optin_sent": True}, {"email": "?"}),
    ({"consent_requested": True}, {"*": "?"}),
    ({"consents": {"email": {"granted": True, "marketing": False}}}, {"email": "yes", "email/marketing": "?"}),
    ({"consents": {"email": {"legal": False}}}, {"email": "?"}),
    ({"consents": {"email": {"proof": True}}}, {"email": "?"}),
    ({"consents": {"text": False}}, {"*": "?"}),
    # what is divided or cannot be read decides nothing, beside a no it is told
    ({"consents": {"email": [True, False]}}, {"email": "?"}),
    ({"consents": {"work": {"email": True}, "private": {"email": False}}}, {"email": "?"}),
    ({"consents": {"email": {"granted": True, "deleted": True}}}, {"email": "?"}),
    ({"consents": {"email": {"granted": True, "status": "archived"}}}, {"email": "?"}),
    ({"consents": {"email": {"granted": False, "status": "active"}}}, {"email": "no?"}),
    ({"consents": {"email": {"state": "pending"}}}, {"email": "?"}),
    ({"consents": {"email": "never subscribed"}}, {"email": "?"}),
    ({"consents": {"email": -1, "sms": 2, "fax": 0.5, "push": "2026-01-01"}},
     {"email": "?", "sms": "?", "fax": "?", "push": "?"}),
    ({"consents": ["email", "sms"]}, {"email": "?", "sms": "?"}),
    ({"consents": "email: yes"}, {"*": "?"}),
    ({"consents": '{"email": false'}, {"*": "?"}),
    ({"consents": [{"channel": "email"}]}, {"email": "?"}),
    ({"consents": [{"type": "opt-in", "channel": "email"}]}, {"email": "?"}),
    ({"channels": [{"type": "email", "status": "subscribed"}]}, {"email": "?"}),
    # where no consent is given
    ({"email": "ada@moss.example", "email_verified": True}, NOTHING),
    ({"is_primary": True, "newsletter": True, "status": "active"}, NOTHING),
    ({"consents": {"email_verified": True}}, NOTHING),
    ({"consents": {"email": None, "sms": "", "phone": {}, "count": 1}}, NOTHING),
    ({"consent_version": 1, "consent_text": "I agree", "unsubscribe_link": "https://moss.example"}, NOTHING),
    ({}, NOTHING),
    (None, NOTHING),
    # JSON in a text is read, and a section that is no object may hold anything
    ({"consents": '{"email": false}'}, {"email": "no"}),
    ({"details": ['{"consent": {"sms": true}}']}, {"sms": "yes"}),
    ('{"consents": {"email": true, "sms": "perhaps"}}', {"email": "yes", "sms": "?"}),
    ([{"consents": {"email": True}}], {"email": "yes"}),
    ("consent: true", {"*": "?"}),
    ('"consent: true"', {"*": "?"}),
    (5, {"*": "?"}),
    (" ", NOTHING),
    ([], NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "said"), SAID, ids=[json.dumps(section) for section, _ in SAID]
)
def test_no_yes_is_read_that_was_not_said_and_no_no_is_lost(section: Any, said: Heard) -> None:
    assert heard(section) == said


def test_what_cannot_be_read_is_never_taken_for_a_yes_or_no() -> None:
    contacts = [json.dumps({"section_work": section}) for section, _ in SAID]
    unread = pl.Series(
        [each["unread"] for contact in contacts for each in statements(contact)], dtype=pl.String
    )

    assert unread.drop_nulls().len() > 20
    assert pl.select(flag(pl.lit(unread))).to_series().drop_nulls().is_empty()


def test_work_and_home_are_read_as_one() -> None:
    work = {"consents": {"email": True, "sms": False, "push": False}}
    home = {"consents": {"email": False, "sms": False, "phone": True, "push": "perhaps"}}

    found = heard(work, section_private=home)

    assert found == {"email": "?", "sms": "no", "push": "no?", "phone": "yes"}


def test_what_could_not_be_read_is_kept_as_it_is() -> None:
    consents = {"email": "perhaps", "sms": [True, False], "fax": {"proof": True}}

    found = statements(json.dumps({"consents": consents}))

    assert [each["unread"] for each in found] == ["perhaps", "false and true", '{"proof": true}']


def test_what_names_no_channel_is_about_those_of_the_event() -> None:
    assert heard({"consent": True}, channel="E-Mail, SMS") == {"email": "yes", "sms": "yes"}
    assert heard({"consents": {"push": False}}, channel="carrier pigeon") == {"push": "no"}
    assert heard({}, channel="carrier pigeon") == {"carrier pigeon": "-"}


def test_consents_beside_the_contact_of_an_event_are_read_too() -> None:
    found = statements('{"consents": {"email": true}}', None, '{"email": false, "sms": false}')

    assert [(each["channel"], each["answer"]) for each in found] == [
        ("email", None),
        ("sms", "false"),
    ]


def test_documentation_and_free_data_hold_no_consents() -> None:
    assert heard({}, documentation={"consent": True}, data={"email_optin": True}) == NOTHING


def test_a_company_whose_name_sounds_like_a_refusal_has_refused_nothing() -> None:
    assert heard({"consents": {"email": True}}, type="person", name="Opt Out Ltd") == {
        "email": "yes"
    }


@pytest.mark.parametrize("deep", ["[" * 20_000 + "]" * 20_000, "1e999"])
def test_a_contact_that_no_reader_takes_is_told_and_does_not_raise(deep: str) -> None:
    (statement,) = statements(f'{{"consents": {deep}}}', "sms")

    assert (statement["channel"], statement["answer"]) == ("sms", None)
    assert str(statement["unread"]).startswith(f'{{"consents": {deep}'[:200])


def test_a_contact_that_is_no_object_is_told() -> None:
    assert [each["unread"] for each in statements('["email", false]')] == ['["email", false]']
    assert [each["unread"] for each in statements("[]")] == [None]


@pytest.mark.parametrize(
    ("section", "ends"),
    [
        ({"consents": {"email": {"granted": True, "valid_until": "2026-01-31"}}}, {"email": "2026-02-01"}),
        ({"consents": {"email": {"granted": True, "validUntil": "2026-01-31T00:00:00Z"}}}, {"email": "2026-01-31"}),
        ({"consents": {"email": {"granted": True, "Expires": 1767225600}}}, {"email": "2026-01-01"}),
        ({"consents": {"email": True, "sms": True, "expiry_date": "2026-01-31"}},
         {"email": "2026-02-01", "sms": "2026-02-01"}),
        ({"consents": {"email": {"news": {"granted": True}, "valid_to": "2026-01-31"}}},
         {"email/news": "2026-02-01"}),
        ({"email_consent": True, "sms_consent": True, "email_consent_expires_at": "2026-01-31"},
         {"email": "2026-02-01", "sms": None}),
        ({"consents": [{"channel": "email", "granted": True, "end_date": "2026-01-31", "start_date": "2020-01-01"},
                       {"channel": "sms", "granted": True}]}, {"email": "2026-02-01", "sms": None}),
        ({"consents": {"email": {"granted": True, "validity": {"from": "2020-01-01", "until": "2026-01-31"}}}},
         {"email": "2026-02-01"}),
        ({"consents": {"email": {"granted": True, "period": {"start": "2020-01-01", "end": "2026-01-31"}}}},
         {"email": "2026-02-01"}),
        # the times of one consent are not those of another
        ({"consents": {"sms": True, "email": {"given_at": "2020-01-01", "expires_at": "2026-01-31"}}}, {"sms": None}),
        # no end: null, and how services write that there is none; a refusal has none
        ({"consents": {"email": {"granted": True, "valid_until": None}}}, {"email": None}),
        ({"consents": {"email": {"granted": True, "valid_until": "9999-12-31"}}}, {"email": None}),
        ({"consents": {"email": {"granted": False, "valid_until": "2026-01-31"}}}, {"email": None}),
    ],
)  # fmt: skip
def test_the_end_of_a_consent_is_read_in_any_spelling(
    section: Any, ends: dict[str, str | None]
) -> None:
    found = statements(json.dumps({"id": "c1", "section_work": section}))

    decided = [each for each in found if each["answer"]]
    read = {
        "/".join(filter(None, (each["channel"], each["purpose"]))): each["valid_until"]
        for each in decided
    }
    assert {about: end and end[:10] for about, end in read.items()} == ends
    assert not any(each["unread"] for each in decided)


def test_an_end_of_nothing_that_was_said_is_told() -> None:
    assert heard({"consents": {"email": {"granted_until": "2027-01-01"}}}) == {"email": "?"}
    assert heard({"contract_until": "2027-01-01"}) == NOTHING


@pytest.mark.parametrize("end", ["soon", "31.12.2020", 365])
def test_a_consent_whose_end_cannot_be_read_is_no_yes_and_told(end: Any) -> None:
    assert heard({"consents": {"email": {"granted": True, "valid_until": end}}}) == {"email": "?"}
    assert heard({"consents": {"email": {"granted": False, "valid_until": end}}}) == {"email": "no"}
