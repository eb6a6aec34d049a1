"""Companies and people."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from random import Random

from crmlab.sandbox.world.generate import words
from crmlab.sandbox.world.generate.draw import (
    Calendar,
    Stream,
    share_of,
    sometimes,
    spread,
    weighted,
)
from crmlab.sandbox.world.generate.words import COUNTRIES, WEIGHTS, Country
from crmlab.sandbox.world.model import SERVICES, Company, Person, World

#: what contacts are, and how often
_STATUSES = {
    "lead": 50,
    "prospect": 35,
    "inactive": 10,
    "custom1": 5,
}
#: how many contacts each user has, beside the others
_CONTACTS_OF_USERS = (4, 8, 14, 12, 8, 7, 2, 1)
#: the share of people whom each service knows
_KNOWN_SHARES = (0.85, 0.6, 0.75, 0.7)


def add_companies(world: World, rows: int, calendar: Calendar) -> None:
    """One company for every eight people."""
    rng = Stream(f"{world.seed}/companies")
    taken_names = set[str]()
    for _ in range(share_of(rows, 1 / 8)):
        country = rng.choices(COUNTRIES, WEIGHTS)[0]
        company_name = _company_name(rng)
        while company_name in taken_names:
            new_name = _company_name(rng)
            company_name = f"{new_name} {rng.randrange(2, 10 * rows + 10)}"
        taken_names.add(company_name)
        host = company_name.lower().replace(" ", "-")
        city_name, state_code, zip_code = rng.choice(country.cities)
        created_at = calendar.moment(rng)
        descriptions = ("", "", f"Family business in {city_name}.", "Part of a group.")
        company = Company(
            id=rng.id(created_at),
            name=f"{company_name} {country.form}",
            url=f"https://www.{host}.example/",
            phone=_phone(rng, country),
            street=rng.choice(country.streets),
            city=city_name,
            state=state_code,
            zip_code=zip_code,
            country_code=country.code,
            description=rng.choice(descriptions),
            size_label=rng.choice((None, *words.SIZES)),
            created_at=created_at,
            modified_at=created_at,
        )
        world.companies.append(company)


def _company_name(rng: Random) -> str:
    return f"{rng.choice(words.STEMS)} {rng.choice(words.TRADES)}"


def add_people(world: World, rows: int, calendar: Calendar) -> None:
    """People, oldest first; their companies become as old as they are."""
    rng = Stream(f"{world.seed}/people")
    created = sorted(calendar.moment(rng) for _ in range(rows))
    hard_names = spread(rows, words.HARD_NAMES)
    hard_texts = spread(rows, words.HARD_TEXTS[3:12])
    mailboxes = set[str]()
    for index, created_at in enumerate(created):
        company = sometimes(rng, 0.85, world.companies, None)
        hard_name = hard_names.get(index)
        person = _person(world, rng, created_at, calendar, company=company, name=hard_name)
        # the mailbox of a company is shared by those who work there
        if person.emails and not person.emails[0].startswith("info@"):
            person.emails = [_free(email, mailboxes, person.number) for email in person.emails]
        person.background = hard_texts.get(index, person.background)
        if company:
            company.created_at = min(company.created_at, person.created_at)
            company.modified_at = max(company.modified_at, person.modified_at)
        world.people.append(person)


def _person(
    world: World,
    rng: Stream,
    at: datetime,
    calendar: Calendar,
    *,
    company: Company | None,
    name: tuple[str, str] | None,
) -> Person:
    # the order of the draws is that of all seeds so far: another one would make other people of them
    number = len(world.people) + 1
    country = _country_of(rng, company)
    # drawn also where the name is given: what follows stays the same
    drawn_name = (rng.choice(country.first_names), rng.choice(country.last_names))
    first_name, last_name = name or drawn_name
    address: tuple[str | None, str | None, str | None] = rng.choice(country.cities)
    has_address = rng.random() < 0.7
    if not has_address:
        address = (None, None, None)
    city_name, state_code, zip_code = address
    title = rng.choice((None, None, "Mr", "Mrs", "Ms"))
    job_title = sometimes(rng, 0.8, words.JOBS, None)
    emails = _emails(rng, first_name, last_name, number, company)
    phones = _phones(rng, country, company)
    street = None
    if has_address:
        street = rng.choice(country.streets)
    tag_count = rng.choice((0, 0, 1, 1, 2, 3))
    tags = rng.sample(words.TAGS, tag_count)
    group_count = rng.choice((0, 1, 1, 2))
    groups = rng.sample(words.GROUPS, group_count)
    return Person(
        id=rng.id(at),
        number=number,
        title=title,
        first_name=first_name,
        last_name=last_name,
        job_title=job_title,
        company_id=_company_id(company),
        emails=emails,
        phones=phones,
        street=street,
        city=city_name,
        state=state_code,
        zip_code=zip_code,
        country_code=country.code,
        language=country.language,
        tags=tags,
        groups=groups,
        status_key=weighted(rng, _STATUSES),
        lead_source_id=_lead_source_id(rng, world),
        owner_id=_owner_id(rng, world),
        background=sometimes(rng, 0.25, words.TEXTS, ""),
        season=sometimes(rng, 0.4, words.SEASONS, None),
        do_not_mail=rng.random() < 0.04,
        starred=rng.random() < 0.06,
        services=_services(rng, number),
        created_at=at,
        modified_at=calendar.last_change(rng, at, unchanged=0.3),
    )


def _company_id(company: Company | None) -> str | None:
    if company is None:
        return None
    return company.id


def _owner_id(rng: Random, world: World) -> str:
    [owner] = rng.choices(world.users, _CONTACTS_OF_USERS)
    return owner.id


def _lead_source_id(rng: Random, world: World) -> str | None:
    lead_source = sometimes(rng, 0.85, world.lead_sources, None)
    if lead_source is None:
        return None
    return lead_source.id


def _country_of(rng: Random, company: Company | None) -> Country:
    # who works somewhere mostly lives there too
    if company and rng.random() < 0.9:
        by_code = {country.code: country for country in COUNTRIES}
        return by_code[company.country_code or ""]
    return rng.choices(COUNTRIES, WEIGHTS)[0]


def _emails(
    rng: Random,
    first: str,
    last: str,
    number: int,
    company: Company | None,
) -> list[str]:
    # the first person is the same in every world: examples and tests know them
    if number == 1:
        return ["first@example.com"]
    domain = "example.com"
    if company and company.url:
        domain = company.url.split("www.")[1].strip("/")
    if company and _is_one_in(company, 10) and rng.random() < 0.4:
        return [f"info@{domain}"]
    if rng.random() < 0.03:
        return []
    mailbox = f"{_slug(first)}.{_slug(last)}".strip(".") or f"person{number}"
    if rng.random() < 0.1:
        return [f"{mailbox}@{domain}", f"{mailbox}.{number}@example.org"]
    return [f"{mailbox}@{domain}"]


def _free(email: str, taken: set[str], number: int) -> str:
    free_address = email
    if email in taken:
        mailbox, _, domain = email.partition("@")
        free_address = f"{mailbox}{number}@{domain}"
    taken.add(free_address)
    return free_address


def _slug(text: str) -> str:
    # these two are letters of their own, and not an l with a stroke
    without_strokes = text.replace("ł", "l").replace("Ł", "L")
    decomposed = unicodedata.normalize("NFKD", without_strokes)
    slug = ""
    for character in decomposed.lower():
        if character.isascii() and (character.isalnum() or character == "-"):
            slug += character
    return slug


def _is_one_in(company: Company, every: int) -> bool:
    # told from its id: the same companies each time, and no number is drawn for it
    return int(company.id[-6:], 16) % every == 1


def _phones(rng: Random, country: Country, company: Company | None) -> list[str]:
    if company and company.phone and _is_one_in(company, 7) and rng.random() < 0.4:
        return [company.phone]
    phone_count = weighted(rng, {0: 12, 1: 70, 2: 18})
    return [_phone(rng, country) for _ in range(phone_count)]


def _phone(rng: Random, country: Country) -> str:
    phone_number = ""
    for character in rng.choice(country.phones):
        if character == "#":
            phone_number += str(int(rng.random() * 10))
        else:
            phone_number += character
    return phone_number


def _services(rng: Random, number: int) -> frozenset[str]:
    if number == 1:
        return frozenset(SERVICES)
    if rng.random() < 0.12:
        return frozenset({rng.choice(SERVICES)})
    known_in = []
    for service, share in zip(SERVICES, _KNOWN_SHARES, strict=True):
        if rng.random() < share:
            known_in.append(service)
    return frozenset(known_in or ["onepagecrm"])
