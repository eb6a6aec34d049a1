"""Contacts of the sandbox's people as careless hands would have written them, and whose each is."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import polars as pl

from crmlab.sandbox.world.model import Person, World
from crmlab.schema.tables import TABLES, conform


class Noisy(NamedTuple):
    contacts: pl.DataFrame
    #: provider, id, truth: the person
    truth: pl.DataFrame


class _Home(NamedTuple):
    """What a person has in common with others, each with a chance to be written down."""

    number: str
    switchboard: str | None
    mailbox: str | None
    landline: str | None
    #: that two people of one family read
    family_mailbox: str | None


def _fictional(number: int) -> str:
    return f"+353 20 91{number * 37 % 100_000:05d}"


def noisy(world: World, seed: int = 1, number: Callable[[int], str] = _fictional) -> Noisy:
    """The world's contacts with typing errors, other and missing addresses, new names, duplicates, and what is shared.

    Every person has a number of their own instead of one of the few that are reserved for fiction, and four in
    five have a second family name: the sandbox has so few names that most firms would have namesakes. Of the contacts

    - 6 % have another address than the others, 2 % none, 3 % a typing error in it;
    - 10 % have no number, 3 % another digit in it; half are punctuated, or begin with 00;
    - 6 % have a typing error in the name, 2 % no name, 3 % the first name only as a letter; 3 % of the people have
      another family name in some services; a fourth is spelled as `crmlab.sandbox.world.alias` does;
    - 3 % are there twice in the service.

    Three companies in ten have a switchboard and two in ten an ``info@``, that half of their people's contacts have,
    too; a tenth of the people share a landline and one in fifty a mailbox with the next of their family.
    A contact in a hundred has the number or address that is entered where none is known.
    """
    rng = Random(f"{seed}/noise")
    companies = {company.id: place for place, company in enumerate(world.companies)}
    rows: list[dict[str, Any]] = []
    family: Person | None = None
    for person in world.people:
        if rng.random() < 0.8:
            person.last_name += f" {rng.choice(world.people).last_name}"
        if family is None or rng.random() < 0.5:
            family = person
        home = _home(rng, person, companies, family, number)
        new_name = rng.choice(world.people).last_name if rng.random() < 0.03 else None
        if family is not person and home.landline:
            person.last_name = family.last_name
        for service in sorted(person.services):
            for copy in range(2 if rng.random() < 0.03 else 1):
                rows.append(
                    _contact(rng, world, person, service, home=home, new_name=new_name, copy=copy)
                )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return Noisy(conform(frame, TABLES["contacts"]), frame.select("provider", "id", "truth"))


def _home(
    rng: Random,
    person: Person,
    companies: dict[str, int],
    family: Person,
    number: Callable[[int], str],
) -> _Home:
    place = companies.get(person.company_id or "")
    is_younger = family is not person
    has_landline = rng.random() < (0.28 if is_younger else 0.1)
    has_family_mailbox = is_younger and rng.random() < 0.04
    return _Home(
        number=number(person.number),
        switchboard=f"+49 30 23125 {place:04d}" if place is not None and place % 10 < 3 else None,
        mailbox=f"info@company{place}.example"
        if place is not None and place % 10 in (2, 3)
        else None,
        landline=f"+44 113 4{family.number:06d}" if has_landline else None,
        family_mailbox=f"family{family.number}@example.org" if has_family_mailbox else None,
    )


def _contact(
    rng: Random,
    world: World,
    person: Person,
    service: str,
    *,
    home: _Home,
    new_name: str | None,
    copy: int,
) -> dict[str, Any]:
    alias = world.alias(person, service)
    first, last = alias.first_name, alias.last_name
    if new_name and rng.random() < 0.5:
        last = new_name
    if rng.random() < 0.06:
        first, last = (_typo(rng, first), last) if rng.random() < 0.5 else (first, _typo(rng, last))
    if rng.random() < 0.03:
        first = f"{first[:1]}."
    name = (
        "" if rng.random() < 0.02 else rng.choice((f"{first} {last}",) * 4 + (f"{last}, {first}",))
    )
    return {
        "provider": service,
        "account": "main",
        "id": f"{person.id}-{copy}",
        "full_name": name,
        "emails": _emails(rng, person, alias.email, home),
        "phones": _phones(rng, home),
        "truth": person.number,
    }


def _emails(rng: Random, person: Person, email: str | None, home: _Home) -> list[str]:
    draw = rng.random()
    if draw < 0.06:
        emails = [f"{person.number}.{rng.randrange(10**6)}@example.net"]
    elif draw < 0.08 or not email:
        emails = []
    else:
        emails = [_typo(rng, email) if draw < 0.11 else email]
    emails += [
        shared for shared in (home.mailbox, home.family_mailbox) if shared and rng.random() < 0.5
    ]
    return [*emails, "none@example.com"] if rng.random() < 0.01 else emails


def _phones(rng: Random, home: _Home) -> list[str]:
    own = home.number
    if rng.random() < 0.03:
        own = own[:-1] + str((int(own[-1]) + 1) % 10)
    spelled = rng.choice((own, own, own.replace(" ", "-"), "00" + own[1:].replace(" ", "")))
    phones = [] if rng.random() < 0.1 else [spelled]
    phones += [
        shared for shared in (home.switchboard, home.landline) if shared and rng.random() < 0.5
    ]
    return [*phones, "+1 202 555 0100"] if rng.random() < 0.01 else phones


def _typo(rng: Random, text: str) -> str:
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 2)
    return rng.choice(
        (text[:at] + text[at + 1 :], text[:at] + text[at + 1] + text[at] + text[at + 2 :])
    )
