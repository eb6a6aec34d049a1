"""Companies and people."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from random import Random

from crmlab.sandbox.world.generate import words
from crmlab.sandbox.world.generate.draw import Calendar, Stream, share_of, spread
from crmlab.sandbox.world.generate.words import COUNTRIES, WEIGHTS, Country
from crmlab.sandbox.world.model import SERVICES, Company, Person, World


def add_companies(world: World, rows: int, calendar: Calendar) -> None:
    """One company for every eight people."""
    rng = Stream(f"{world.seed}/companies")
    seen = set[str]()
    for _ in range(share_of(rows, 1 / 8)):
        country = rng.choices(COUNTRIES, WEIGHTS)[0]
        stem = f"{rng.choice(words.STEMS)} {rng.choice(words.TRADES)}"
        while stem in seen:
            stem = f"{rng.choice(words.STEMS)} {rng.choice(words.TRADES)} {rng.randrange(2, 10 * rows + 10)}"
        seen.add(stem)
        city, state, zip_code = rng.choice(country.cities)
        created = calendar.moment(rng)
        world.companies.append(
            Company(
                id=rng.id(created), name=f"{stem} {country.form}",
                url=f"https://www.{stem.lower().replace(' ', '-')}.example/",
                phone=_phone(rng, country), street=rng.choice(country.streets),
                city=city, state=state, zip_code=zip_code, country_code=country.code,
                description=rng.choice(("", "", f"Family business in {city}.", "Part of a group.")),
                size_label=rng.choice((None, *words.SIZES)), created_at=created, modified_at=created,
            )
        )  # fmt: skip


def add_people(world: World, rows: int, calendar: Calendar) -> None:
    """People, oldest first; their companies become as old as they are."""
    rng = Stream(f"{world.seed}/people")
    created = sorted(calendar.moment(rng) for _ in range(rows))
    hard_names = spread(rows, words.HARD_NAMES)
    hard_texts = spread(rows, words.HARD_TEXTS[3:12])
    mailboxes = set[str]()
    for index, at in enumerate(created):
        company = rng.choice(world.companies) if rng.random() < 0.85 else None
        person = _person(world, rng, at, calendar, company=company, name=hard_names.get(index))
        if person.emails and not person.emails[0].startswith("info@"):
            person.emails = [_free(email, mailboxes, person.number) for email in person.emails]
        person.background = hard_texts.get(index, person.background)
        if company:
            company.created_at = min(company.created_at, person.created_at)
            company.modified_at = max(company.modified_at, person.modified_at)
        world.people.append(person)


def _person(
    world: World, rng: Stream, at: datetime, calendar: Calendar, *,
    company: Company | None, name: tuple[str, str] | None,
) -> Person:  # fmt: skip
    number = len(world.people) + 1
    is_first = number == 1
    country = _country_of(rng, company)
    drawn = (rng.choice(country.first_names), rng.choice(country.last_names))
    first, last = name or drawn
    place = rng.choice(country.cities)
    has_address = rng.random() < 0.7
    city, state, zip_code = place if has_address else (None, None, None)
    return Person(
        id=rng.id(at),
        number=number,
        title=rng.choice((None, None, "Mr", "Mrs", "Ms")),
        first_name=first, last_name=last,
        job_title=rng.choice(words.JOBS) if rng.random() < 0.8 else None,
        company_id=company.id if company else None,
        emails=["first@example.com"] if is_first else _emails(rng, first, last, number, company),
        phones=_phones(rng, country, company),
        street=rng.choice(country.streets) if has_address else None,
        city=city, state=state, zip_code=zip_code, country_code=country.code, language=country.language,
        tags=rng.sample(words.TAGS, rng.choice((0, 0, 1, 1, 2, 3))),
        groups=rng.sample(words.GROUPS, rng.choice((0, 1, 1, 2))),
        status_key=rng.choices(("lead", "prospect", "inactive", "custom1"), (50, 35, 10, 5))[0],
        lead_source_id=rng.choice(world.lead_sources).id if rng.random() < 0.85 else None,
        owner_id=rng.choices(world.users, (4, 8, 14, 12, 8, 7, 2, 1))[0].id,
        background=rng.choice(words.TEXTS) if rng.random() < 0.25 else "",
        season=rng.choice(words.SEASONS) if rng.random() < 0.4 else None,
        do_not_mail=rng.random() < 0.04,
        starred=rng.random() < 0.06,
        services=frozenset(SERVICES) if is_first else _services(rng),
        created_at=at,
        modified_at=at if rng.random() < 0.3 else calendar.moment(rng, at),
    )  # fmt: skip


def _country_of(rng: Random, company: Company | None) -> Country:
    if company and rng.random() < 0.9:
        return next(country for country in COUNTRIES if country.code == company.country_code)
    return rng.choices(COUNTRIES, WEIGHTS)[0]


def _emails(rng: Random, first: str, last: str, number: int, company: Company | None) -> list[str]:
    domain = company.url.split("www.")[1].strip("/") if company and company.url else "example.com"
    if company and _is_one_in(company, 10) and rng.random() < 0.4:
        return [f"info@{domain}"]
    if rng.random() < 0.03:
        return []
    local = ".".join(filter(None, (_slug(first), _slug(last)))) or f"person{number}"
    if rng.random() < 0.1:
        return [f"{local}@{domain}", f"{local}.{number}@example.org"]
    return [f"{local}@{domain}"]


def _free(email: str, taken: set[str], number: int) -> str:
    if email in taken:
        local, _, domain = email.partition("@")
        email = f"{local}{number}@{domain}"
    taken.add(email)
    return email


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(c for c in plain.lower() if c.isascii() and (c.isalnum() or c == "-"))


def _is_one_in(company: Company, every: int) -> bool:
    return int(company.id[-6:], 16) % every == 1


def _phones(rng: Random, country: Country, company: Company | None) -> list[str]:
    if company and company.phone and _is_one_in(company, 7) and rng.random() < 0.4:
        return [company.phone]
    return [_phone(rng, country) for _ in range(rng.choices((0, 1, 2), (12, 70, 18))[0])]


def _phone(rng: Random, country: Country) -> str:
    pattern = rng.choice(country.phones)
    return "".join(str(int(rng.random() * 10)) if c == "#" else c for c in pattern)


def _services(rng: Random) -> frozenset[str]:
    if rng.random() < 0.12:
        return frozenset({rng.choice(SERVICES)})
    shares = dict(zip(SERVICES, (0.85, 0.6, 0.75, 0.7), strict=True))
    known = [service for service, share in shares.items() if rng.random() < share]
    return frozenset(known or ["onepagecrm"])
