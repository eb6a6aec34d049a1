"""Make a plausible `World` of any size from a seed.

The same seed, size and end give the same world on every machine. Each table draws from its own
stream of random numbers, so a change to one leaves the others as they were. All names are made
up; domains and phone numbers are from the ranges reserved for examples and fiction.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple, TypeVar
from uuid import UUID
from zlib import crc32

from crmlab.errors import PlanError
from crmlab.sandbox.world import (
    NOW,
    SERVICES,
    Action,
    Appointment,
    Banner,
    BannerDay,
    Call,
    Campaign,
    Change,
    Company,
    ConsentEvent,
    CustomField,
    Deal,
    DealItem,
    Integration,
    LeadSource,
    MailDatabase,
    MailEvent,
    MailResource,
    Meeting,
    Note,
    Operation,
    Person,
    Pipeline,
    Segment,
    Stage,
    Status,
    Subscription,
    TagSegment,
    User,
    World,
    object_id,
)

T = TypeVar("T")


class _Country(NamedTuple):
    code: str
    language: str
    weight: int
    first_names: list[str]
    last_names: list[str]
    #: city, state, postal code
    cities: list[tuple[str, str | None, str]]
    streets: list[str]
    #: reserved numbers: each # is any digit
    phones: list[str]


def _country(code: str, language: str, weight: int, *lists: str) -> _Country:
    first, last, cities, streets, phones = lists
    places = [tuple(part.split("/")) for part in cities.split(",")]
    return _Country(
        code,
        language,
        weight,
        first.split(),
        last.split(),
        [(city, state or None, zip_code) for city, state, zip_code in places],
        streets.split(","),
        phones.split(","),
    )


_COUNTRIES = [
    _country(
        "US", "en", 18,
        "Alexander Benjamin Charles Daniel Emily Grace Jonathan Margaret Michael Olivia Robert "
        "Samuel Victoria William Hannah Naomi",
        "Adams Baker Carter Dawson Ellis Foster Griffin Hughes Jefferson Lawson Mercer Newton "
        "Parker Reed Sullivan Turner",
        "Springfield/IL/62701,Portland/OR/97201,Madison/WI/53703,Austin/TX/78701,Albany/NY/12207",
        "12 Oak Street,480 Maple Avenue,77 Harbor Road,3 Mill Lane",
        "+1 202 555 01##,+1 212 555 01##,+1 312 555 01##,+1 415 555 01##,+1 512 555 01##,"
        "+1 503 555 01##,+1 608 555 01##,+1 617 555 01##,+1 702 555 01##,+1 808 555 01##",
    ),
    _country(
        "GB", "en", 16,
        "Andrew Catherine Christopher Elizabeth Harriet Imogen Matthew Nicholas Poppy Rebecca "
        "Rupert Thomas Freya Callum",
        "Ashworth Bradshaw Clarke Davies Entwistle Fairfax Hargreaves Kendall Lloyd MacLeod "
        "Pemberton Radcliffe Thornton Whitaker",
        "London//SE1 9XX,Leeds//LS1 9XX,Bristol//BS1 9XX,Cardiff//CF10 9XX,Glasgow//G1 9XX",
        "5 Abbey Row,21 Station Road,Unit 7 Canal Wharf,88 High Street",
        "+44 20 7946 0###,+44 113 496 0###,+44 117 496 0###,+44 161 496 0###,+44 7700 900###",
    ),
    _country(
        "IE", "en", 12,
        "Aoife Brendan Ciarán Deirdre Eoin Gráinne Niamh Oisín Patrick Róisín Saoirse Tadhg",
        "Brennan Byrne Daly Doyle Fitzgerald Gallagher Kavanagh Lynch McCarthy Nolan O'Brien "
        "Walsh",
        "Galway//H91 X000,Dublin//D02 X000,Cork//T12 X000,Limerick//V94 X000",
        "4 Quay Street,19 Shop Street,Unit 2 Liosbán Park",
        "+353 20 91# ####",
    ),
    _country(
        "DE", "de", 18,
        "Anke Björn Dörte Florian Günter Heike Johannes Jörg Katharina Lena Matthias Stefanie "
        "Ulrike Sören",
        "Becker Böhm Fischer Gärtner Hoffmann Jäger König Lehmann Müller Neumann Schäfer Schröder "
        "Voß Weiß",
        "Berlin//10115,Hamburg//20095,Köln//50667,München//80331,Frankfurt am Main//60311",
        "Lindenstraße 4,Am Bahnhof 12,Gartenweg 7a,Hauptstraße 101",
        "+49 30 23125 ###,+49 69 90009 ###,+49 40 66969 ###,+49 221 4710 ###,+49 89 99998 ###",
    ),
    _country(
        "FR", "fr", 12,
        "Amélie Benoît Chloé Édouard François Hélène Jérôme Léa Maëlle Noémie Rémi Théo",
        "Bernard Chevalier Delacroix Fournier Girard Lefèvre Léger Marchand Moreau Perrault "
        "Rousseau Vasseur",
        "Paris//75011,Lyon//69002,Nantes//44000,Lille//59800,Besançon//25000",
        "8 rue des Lilas,14 avenue de la Gare,2 place du Marché",
        "+33 1 99 00 ## ##,+33 2 61 91 ## ##,+33 3 53 01 ## ##,+33 4 65 71 ## ##,+33 6 39 98 ## ##",
    ),
    _country(
        "ES", "es", 8,
        "Álvaro Begoña Carlos Íñigo José Lucía Martín Nuria Sofía Ximena",
        "Álvarez Castaño Domínguez Fernández García Ibáñez Muñoz Ortega Peña Rodríguez",
        "Madrid//28013,Sevilla//41001,Bilbao//48001,Málaga//29015",
        "Calle Mayor 9,Avenida del Puerto 31,Plaza Nueva 2",
        "+353 20 91# ####",
    ),
    _country(
        "IT", "it", 6,
        "Alessandro Beatrice Chiara Francesca Giovanni Lorenzo Martina Niccolò",
        "Bianchi Colombo Esposito Ferrari Greco Lombardi Marchetti Ricci",
        "Milano/MI/20121,Torino/TO/10121,Bologna/BO/40121",
        "Via Garibaldi 15,Corso Italia 40,Piazza del Duomo 1",
        "+353 20 91# ####",
    ),
    _country(
        "PL", "pl", 6,
        "Agnieszka Grzegorz Jarosław Łukasz Małgorzata Michał Paweł Zofia",
        "Dąbrowski Kowalczyk Lewandowski Nowak Sikorska Wiśniewski Wójcik Zieliński",
        "Warszawa//00-001,Kraków//30-001,Łódź//90-001",
        "ul. Kwiatowa 3,al. Jerozolimskie 120,ul. Długa 17",
        "+353 20 91# ####",
    ),
    _country(
        "SE", "sv", 4,
        "Åsa Björn Elin Göran Johan Malin Östen Sara",
        "Åkesson Bergström Eriksson Lindqvist Nyström Öberg Sjögren Wallin",
        "Stockholm//111 20,Göteborg//411 03,Malmö//211 20",
        "Storgatan 6,Kungsgatan 22,Björkvägen 9",
        "+46 8 465 004 ##,+46 40 628 04 ##,+46 31 390 06 ##",
    ),
]  # fmt: skip

#: first name, last name: what breaks CSV files, shells, sorting and lower-casing
_HARD_NAMES = [
    ("Conor", "O'Neil"),
    ("Zoë", "D\u2019Arcy-Lücke"),
    ("伟", "王"),
    ("さくら", "山田"),
    ("\u200fمحمد", "العلي\u200f"),
    ("Renée 🚀", "Dupont"),
    ("=1+1", "Formula"),
    ("+Anna", "Plus"),
    ("-Bo", "Minus"),
    ("@lex", "Handle"),
    ("Ana;María", "Núñez"),
    ("Line\u2028Break", "Separator"),
    ("", "Mononym"),
    ("Null", "None"),
    ('Bob "Bobby"', "Comma, Jr."),
    ("İpek", "Y\u0131ld\u0131z"),
]

_HARD_TEXTS = [
    'Said: "it\'s fine"; then hung up; twice.',
    "First line\u2028second line\u2029third line",
    "A NUL hides here: \x00 and the text goes on",
    '=HYPERLINK("http://example.test","click")',
    "+353 20 910 0000 is the number to use",
    "-5 % if they sign this week",
    "@owner please call back",
    "\u200fيرجى الاتصال غدًا\u200f ok?",
    "下周一再联系\uff1b预算已批准",
    "Great call 🎉👩🏽\u200d💻 \u2013 next step: démo",
    "Windows\r\nline\r\nends\tand a tab",
    "<script>alert('x')</script> & <b>bold</b>",
    '{"not": "json to parse", "id": 1}',
    "C:\\temp\\new, \\u0041 stays as it is",
    "Long: " + "lorem ipsum dolor; " * 350,
]


def _listed(words: str, by: str | None = None) -> list[str]:
    return words.split(by)


_STEMS = _listed(
    "Amber Birch Cobalt Delta Ember Falcon Granite Harbor Indigo Juniper Kestrel Lumen Meridian "
    "Nimbus Onyx Pioneer Quartz Raven Summit Tidal Umber Vector Willow Zephyr"
)
_TRADES = _listed("Analytics Bakery Foods Freight Garden Health Labs Media Optics Paper Robotics Solar")
_FORMS = {"DE": "GmbH", "FR": "SARL", "ES": "S.L.", "IT": "S.r.l.", "PL": "Sp. z o.o.", "SE": "AB",
          "US": "Inc.", "GB": "Ltd", "IE": "Ltd"}  # fmt: skip
_SIZES = ["1-10", "11-50", "51-250", "251-1000", "1000+"]
_JOBS = _listed(
    "Buyer,Head of Purchasing,Managing Director,IT Manager,Marketing Manager,Office Manager,"
    "Operations Lead,Accountant,Product Manager,Data Analyst,Sales Director,Founder",
    ",",
)
_TAGS = _listed(
    "newsletter,trade fair 2025,trade fair 2026,VIP,reseller,press,webinar,trial,churn risk,"
    "key account,beta,R&D / Labs",
    ",",
)
_GROUPS = ["Cold", "Warm", "Qualified", "Customers", "Suppliers"]
_SEASONS = ["Spring", "Summer", "Autumn", "Winter"]
_PRODUCTS = [
    ("Starter licence", "One team, one year", 120.0, 490.0),
    ("Team licence", "Up to 25 seats, one year", 610.0, 1990.0),
    ("Onboarding day", "On site or remote", 480.0, 1150.0),
    ("Support plan", "Answer within four hours", 90.0, 249.5),
    ("Data import", "Per source system", 210.0, 750.0),
    ("Custom report", "Designed with your team", 330.0, 899.99),
]
_TEXTS = _listed(
    "Asked for an offer by the end of the week.|Budget is approved for next quarter.|"
    "Compares us with two others.|Wants a demo for the whole team.|Decision moved by a month.|"
    "Happy with the trial, asks about single sign-on.|Price is too high at this volume.|"
    "Left a message with the front desk.|Met at the trade fair, very interested.|"
    "Contract is with their legal team.",
    "|",
)
_TASKS = _listed(
    "Send offer|Call back|Prepare demo|Ask for feedback|Renew contract|Send invoice copy|"
    "Book a meeting|Check credit limit",
    "|",
)
_CALL_RESULTS = ["interested", "not_interested", "left_message", "no_answer", "other"]
_PLACES = ["Their office", "Our office", "Video call", "Trade fair, hall 4", "Café Central"]
_SOURCES = ["web form", "call centre", "trade fair", "paper form", "api", "preference centre"]

_DAYS_OF_HISTORY = 3 * 365
_MONTHS = (0.9, 1.0, 1.2, 1.05, 1.05, 1.0, 0.7, 0.55, 1.2, 1.25, 1.1, 0.65)
_WEEKDAYS = (1.0, 1.15, 1.15, 1.1, 0.85, 0.1, 0.05)
#: hour of the day to work done in it
_HOURS = {5: 0.1, 6: 0.4, 7: 1.5, 8: 4, 9: 6, 10: 6, 11: 4.5, 12: 2.5, 13: 4, 14: 5.5, 15: 5,
          16: 3.5, 17: 1.5, 18: 0.6, 19: 0.4, 20: 0.3, 21: 0.2}  # fmt: skip


class _Calendar:
    """Draws moments between two days as people work: seasons, weekdays, business hours (UTC)."""

    def __init__(self, first: date, last: date, growth: float = 0.0) -> None:
        self.start = datetime.combine(first, time(), UTC)
        self.size = (last - first).days + 1
        days = (first + timedelta(days=n) for n in range(self.size))
        weights = (
            _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()] * (1 + growth * n / self.size)
            for n, day in enumerate(days)
        )
        self.days = [0.0, *accumulate(weights)]
        self.hours = [0.0, *accumulate(_HOURS.get(hour, 0.0) for hour in range(24))]

    def moment(self, rng: Random, after: datetime | None = None, before: datetime | None = None) -> datetime:
        """A moment from the day after `after` to the day before `before`, or just between both."""
        low = 0 if after is None else max(0, (after - self.start).days + 1)
        high = self.size if before is None else min(self.size, (before - self.start).days)
        if low >= high:
            return _between(rng, after or self.start, before or self.end)
        drawn = self.days[low] + rng.random() * (self.days[high] - self.days[low])
        day = min(bisect_right(self.days, drawn), high) - 1
        hour = bisect_right(self.hours, rng.random() * self.hours[-1]) - 1
        seconds = int(rng.random() * 3600)
        return self.start + timedelta(days=day, seconds=hour * 3600 + seconds)

    def soon(self, rng: Random, after: datetime, mean_days: float) -> datetime:
        """A moment some days after another: often soon, seldom late, perhaps past the end."""
        about = after + timedelta(seconds=int(rng.expovariate(1 / mean_days) * 86_400))
        if about >= self.end:
            return about
        around = timedelta(days=4)
        return max(after, self.moment(rng, about - around, about + around))

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.size)


def _between(rng: Random, low: datetime, high: datetime) -> datetime:
    room = max(0, int((high - low).total_seconds()))
    return low + timedelta(seconds=int(rng.random() * room))


class _Stream:
    """The random numbers and the ids of one table."""

    def __init__(self, world: World, table: str) -> None:
        self.rng = Random(f"{world.seed}/{table}")  # noqa: S311 - made-up people keep no secret
        self.kind = crc32(f"{world.seed}/{table}".encode())
        self.count = 0

    def id(self, at: datetime) -> str:
        self.count += 1
        return object_id(at, self.kind, self.count)


class _Contacts:
    """Whom the sales team can have worked with at a moment; `people` come oldest first."""

    def __init__(self, people: list[Person]) -> None:
        self.people = people
        self.created = [person.created_at for person in people]

    def draw(
        self, rng: Random, calendar: _Calendar, after: datetime | None = None
    ) -> tuple[Person, datetime]:
        at = calendar.moment(rng, after)
        known = bisect_right(self.created, at)
        if known == 0:
            return self.people[0], calendar.moment(rng, self.created[0])
        return self.people[int(rng.random() * known)], at


def generate(rows: int = 1000, *, seed: int = 1, now: datetime = NOW) -> World:
    """A world of `rows` people that ends at `now`; everything else grows with them.

    Raises
    ------
    PlanError
        `rows` is negative, or `now` has no time zone.
    """
    if rows < 0:
        raise PlanError(f"a world cannot have {rows} people; ask for 0 or more rows")
    if now.tzinfo is None:
        raise PlanError("now needs a time zone, e.g. datetime(2026, 11, 1, tzinfo=UTC)")
    world = World(seed=seed, now=now.astimezone(UTC).replace(microsecond=0))
    today = world.now.date()
    calendar = _Calendar(today - timedelta(days=_DAYS_OF_HISTORY), today - timedelta(days=1), 0.8)
    _add_lookups(world, calendar.start)
    _add_companies(world, rows, calendar)
    _add_people(world, rows, calendar)
    _date_companies(world)
    if rows:
        _add_sales(world, rows, calendar)
        _add_appointments(world, rows)
        _add_consent(world, calendar)
        _add_mailing(world, calendar)
    _add_website(world)
    return world


def _count(rows: int, share: float) -> int:
    return max(1, round(rows * share)) if rows else 0


def _spread(total: int, things: Sequence[T]) -> dict[int, T]:
    """Indices, spread over `total` rows but never the first, to put these things at."""
    places = {(n + 1) * total // (len(things) + 1): thing for n, thing in enumerate(things)}
    return {index: thing for index, thing in places.items() if index > 0}


def _cents(amount: float) -> float:
    return round(amount, 2)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(c for c in plain.lower() if c.isascii() and (c.isalnum() or c in "-"))


def _phone(rng: Random, country: _Country) -> str:
    pattern = rng.choice(country.phones)
    return "".join(str(int(rng.random() * 10)) if c == "#" else c for c in pattern)


# ---- what does not grow -------------------------------------------------------------------------


def _add_lookups(world: World, start: datetime) -> None:
    ids = _Stream(world, "lookups")
    team = (
        "Nora Keane admin Sales,Tom Ballard manager Sales,Lena Vogt user Sales,"
        "Marc Petit user Sales,Ines Prado user Partners,Piotr Zych user Partners,"
        "Sam Whitlock user Marketing,Orla Quinn user Support"
    )
    for number, line in enumerate(team.split(",")):
        first, last, role, department = line.split()
        world.users.append(
            User(id=ids.id(start), first_name=first, last_name=last, role=role,
                 email=f"{first.lower()}.{last.lower()}@crmlab.example",
                 phone=f"+353 20 910 0{number:03d}", department=department)
        )  # fmt: skip
    for key, text, colour in (
        ("lead", "Lead", "666666"),
        ("prospect", "Prospect", "f96600"),
        ("customer", "Customer", "009900"),
        ("inactive", "Inactive", "000000"),
        ("custom1", "Partner", "3399ff"),
    ):
        world.statuses.append(Status(id=ids.id(start), key=key, text=text, colour=colour))
    sources = "Advertisement,Email or Web,Referral,Trade fair,Cold call,Social media,Other"
    for text in sources.split(","):
        key = text.lower().replace(" or ", "_").replace(" ", "_")
        world.lead_sources.append(LeadSource(id=key, text=text))
    for number, line in enumerate((
        "Sales|10 Qualified|25 Meeting|40 Demo|60 Offer|75 Negotiation|90 Verbal yes",
        "Partners|15 Contacted|35 Assessment|55 Terms|75 Contract|90 Launch",
        "Renewals|20 Due|45 Reviewed|65 Offer|80 Negotiation|95 Signature",
    )):  # fmt: skip
        name, *stages = line.split("|")
        pairs = [stage.split(" ", 1) for stage in stages]
        world.pipelines.append(
            Pipeline(id=ids.id(start), name=name, is_default=number == 0,
                     stages=[Stage(stage=int(value), label=label) for value, label in pairs])
        )  # fmt: skip
    for entity, key, label, choices in (
        ("contact", "season", "Favourite season", _SEASONS),
        ("company", "size", "Company size", _SIZES),
        ("deal", "deal_size", "Deal size", ["Small", "Medium", "Large"]),
    ):
        world.fields.append(
            CustomField(id=ids.id(start), entity=entity, key=key, label=label,
                        type="select_box", choices=list(choices))
        )  # fmt: skip
    reasons = "Price,Competitor,No budget,No decision,Missing feature,Bad timing"
    world.lost_reasons = {ids.id(start): reason for reason in reasons.split(",")}
    world.mail_databases = [MailDatabase(id=1, name="Customers"), MailDatabase(id=2, name="Leads")]
    world.mail_resources = [
        MailResource(id=1, name="Newsletter"),
        MailResource(id=2, name="Offers"),
    ]


# ---- companies and people -----------------------------------------------------------------------


def _add_companies(world: World, rows: int, calendar: _Calendar) -> None:
    stream = _Stream(world, "companies")
    rng, seen = stream.rng, set[str]()
    weights = [country.weight for country in _COUNTRIES]
    for _ in range(_count(rows, 1 / 8)):
        country = rng.choices(_COUNTRIES, weights)[0]
        stem = f"{rng.choice(_STEMS)} {rng.choice(_TRADES)}"
        while stem in seen:
            stem = f"{rng.choice(_STEMS)} {rng.choice(_TRADES)} {rng.randrange(2, 10 * rows + 10)}"
        seen.add(stem)
        city, state, zip_code = rng.choice(country.cities)
        created = calendar.moment(rng)
        world.companies.append(
            Company(
                id=stream.id(created),
                name=f"{stem} {_FORMS[country.code]}",
                url=f"https://www.{_domain(stem)}/",
                phone=_phone(rng, country),
                street=rng.choice(country.streets),
                city=city,
                state=state,
                zip_code=zip_code,
                country_code=country.code,
                description=rng.choice(("", "", f"Family business in {city}.", "Part of a group.")),
                size_label=rng.choice((None, *_SIZES)),
                created_at=created,
                modified_at=created,
            )
        )


def _domain(stem: str) -> str:
    return f"{stem.lower().replace(' ', '-')}.example"


def _add_people(world: World, rows: int, calendar: _Calendar) -> None:
    stream = _Stream(world, "people")
    rng = stream.rng
    created = sorted(calendar.moment(rng) for _ in range(rows))
    hard_names = _spread(rows, _HARD_NAMES)
    hard_texts = _spread(rows, _HARD_TEXTS[3:12])
    mailboxes = set[str]()
    for index, at in enumerate(created):
        person = _person(world, stream, index, at, calendar, name=hard_names.get(index))
        if person.emails and not person.emails[0].startswith("info@"):
            person.emails = [_free(email, mailboxes, person.number) for email in person.emails]
        person.background = hard_texts.get(index, person.background)
        world.people.append(person)


def _free(email: str, taken: set[str], number: int) -> str:
    if email in taken:
        local, _, domain = email.partition("@")
        email = f"{local}{number}@{domain}"
    taken.add(email)
    return email


def _person(
    world: World,
    stream: _Stream,
    index: int,
    at: datetime,
    calendar: _Calendar,
    *,
    name: tuple[str, str] | None,
) -> Person:
    rng = stream.rng
    company = rng.choice(world.companies) if rng.random() < 0.85 else None
    country = _country_of(rng, company)
    first, last = rng.choice(country.first_names), rng.choice(country.last_names)
    first, last = name or (first, last)
    city, state, zip_code = rng.choice(country.cities)
    has_address = rng.random() < 0.7
    return Person(
        id=stream.id(at),
        number=index + 1,
        title=rng.choice((None, None, "Mr", "Mrs", "Ms")),
        first_name=first,
        last_name=last,
        job_title=rng.choice(_JOBS) if rng.random() < 0.8 else None,
        company_id=company.id if company else None,
        emails=_emails(rng, first, last, index + 1, company) if index else ["first@example.com"],
        phones=_phones(rng, country, company),
        street=rng.choice(country.streets) if has_address else None,
        city=city if has_address else None,
        state=state if has_address else None,
        zip_code=zip_code if has_address else None,
        country_code=country.code,
        language=country.language,
        tags=rng.sample(_TAGS, rng.choice((0, 0, 1, 1, 2, 3))),
        groups=rng.sample(_GROUPS, rng.choice((0, 1, 1, 2))),
        status_key=rng.choices(("lead", "prospect", "inactive", "custom1"), (50, 35, 10, 5))[0],
        lead_source_id=rng.choice(world.lead_sources).id if rng.random() < 0.85 else None,
        owner_id=rng.choices(world.users, (4, 8, 14, 12, 8, 7, 2, 1))[0].id,
        background=rng.choice(_TEXTS) if rng.random() < 0.25 else "",
        season=rng.choice(_SEASONS) if rng.random() < 0.4 else None,
        do_not_mail=rng.random() < 0.04,
        starred=rng.random() < 0.06,
        services=_services(rng) if index else frozenset(SERVICES),
        created_at=at,
        modified_at=at if rng.random() < 0.3 else calendar.moment(rng, at),
    )


def _country_of(rng: Random, company: Company | None) -> _Country:
    if company and rng.random() < 0.9:
        return next(country for country in _COUNTRIES if country.code == company.country_code)
    return rng.choices(_COUNTRIES, [country.weight for country in _COUNTRIES])[0]


def _is_one_in(company: Company, every: int) -> bool:
    return int(company.id[-6:], 16) % every == 1


def _emails(rng: Random, first: str, last: str, number: int, company: Company | None) -> list[str]:
    domain = company.url.split("www.")[1].strip("/") if company and company.url else "example.com"
    if company and _is_one_in(company, 10) and rng.random() < 0.4:
        return [f"info@{domain}"]
    if rng.random() < 0.03:
        return []
    parts = [part for part in (_slug(first), _slug(last)) if part]
    local = ".".join(parts) or f"person{number}"
    if rng.random() < 0.1:
        return [f"{local}@{domain}", f"{local}.{number}@example.org"]
    return [f"{local}@{domain}"]


def _phones(rng: Random, country: _Country, company: Company | None) -> list[str]:
    if company and company.phone and _is_one_in(company, 7) and rng.random() < 0.4:
        return [company.phone]
    return [_phone(rng, country) for _ in range(rng.choices((0, 1, 2), (12, 70, 18))[0])]


def _services(rng: Random) -> frozenset[str]:
    if rng.random() < 0.12:
        return frozenset({rng.choice(SERVICES)})
    shares = zip(SERVICES, (0.85, 0.6, 0.75, 0.7), strict=True)
    known = [service for service, share in shares if rng.random() < share]
    return frozenset(known or ["onepagecrm"])


def _date_companies(world: World) -> None:
    companies = world.companies_by_id()
    for person in world.people:
        if person.company_id is None:
            continue
        company = companies[person.company_id]
        company.created_at = min(company.created_at, person.created_at)
        company.modified_at = max(company.modified_at, person.modified_at)


# ---- sales --------------------------------------------------------------------------------------


def _add_sales(world: World, rows: int, calendar: _Calendar) -> None:
    contacts = _Contacts(world.people_in("onepagecrm"))
    _add_deals(world, _count(rows, 0.6), contacts, calendar)
    _add_actions(world, _count(rows, 1.2), contacts, calendar)
    _add_notes(world, _count(rows, 0.8), contacts, calendar)
    _add_calls(world, _count(rows, 0.5), contacts, calendar)
    _add_meetings(world, _count(rows, 0.3), contacts, calendar)
    _add_changes(world, contacts.people)


def _add_deals(world: World, count: int, contacts: _Contacts, calendar: _Calendar) -> None:
    stream = _Stream(world, "deals")
    items = _Stream(world, "items")
    reasons = list(world.lost_reasons)
    for _ in range(count):
        contact, created = contacts.draw(stream.rng, calendar)
        deal = _deal(world, stream, items, contact, created)
        _close(deal, stream.rng, calendar, world.now, reasons)
        if stream.rng.random() < 0.08:
            deal.linked_contact_ids = [stream.rng.choice(contacts.people).id]
        if deal.status == "won":
            contact.status_key = "customer"
        world.deals.append(deal)
    world.deals.sort(key=lambda deal: deal.id)


def _deal(world: World, stream: _Stream, items: _Stream, contact: Person, created: datetime) -> Deal:
    rng = stream.rng
    pipeline = rng.choices(world.pipelines, (70, 12, 18))[0]
    months = rng.choices((1, 3, 6, 12, 24), (72, 6, 6, 14, 2))[0]
    lines = _deal_items(items, created) if rng.random() < 0.35 else []
    amount = sum(line.price * line.quantity for line in lines)
    cost = sum(line.cost * line.quantity for line in lines)
    if not lines and rng.random() < 0.95:
        amount = rng.lognormvariate(8.2, 0.9) / (months**0.8)
        cost = amount * rng.uniform(0.2, 0.7) if rng.random() < 0.5 else 0.0
    what = lines[0].name if lines else rng.choice(("Rollout", "Pilot", "Extension", "Licences"))
    return Deal(
        id=stream.id(created),
        name=f"{what} for {contact.full_name}"[:60],
        contact_id=contact.id,
        company_id=contact.company_id,
        owner_id=contact.owner_id if rng.random() < 0.9 else rng.choice(world.users).id,
        pipeline_id=pipeline.id,
        stage=pipeline.stages[0].stage,
        status="pending",
        amount=_cents(amount),
        months=months,
        cost=_cents(cost),
        expected_close_date=None,
        close_date=None,
        lost_reason_id=None,
        text=rng.choice(_TEXTS) if rng.random() < 0.4 else "",
        size_label=_deal_size(amount * months) if rng.random() < 0.6 else None,
        items=lines,
        linked_contact_ids=[],
        created_at=created,
        modified_at=created,
        stage_history=[(created, stage.stage) for stage in pipeline.stages],
    )


def _deal_items(stream: _Stream, at: datetime) -> list[DealItem]:
    rng = stream.rng
    return [
        DealItem(
            id=stream.id(at), name=name, description=description, cost=cost, price=price,
            quantity=rng.choices((1, 2, 5, 10), (60, 20, 15, 5))[0],
        )
        for name, description, cost, price in rng.sample(_PRODUCTS, rng.choice((1, 1, 2, 3)))
    ]  # fmt: skip


def _deal_size(total: float) -> str:
    return "Small" if total < 2_000 else "Medium" if total < 10_000 else "Large"


def _close(deal: Deal, rng: Random, calendar: _Calendar, now: datetime, reasons: list[str]) -> None:
    """Decide how far the deal came, and when; until now it lists every stage at its start."""
    stages = [stage for _, stage in deal.stage_history]
    planned = deal.created_at + timedelta(hours=int(24 * min(rng.lognormvariate(3.7, 0.6), 400)))
    if planned >= now or rng.random() < 0.06:
        _leave_open(deal, rng, stages, planned, now)
        return
    closed = calendar.moment(rng, planned - timedelta(days=4), planned + timedelta(days=4))
    closed = max(closed, deal.created_at + timedelta(hours=1))
    if closed >= now:
        _leave_open(deal, rng, stages, planned, now)
        return
    skill = int(deal.owner_id[-2:], 16) % 5 * 0.05
    big = 0.1 if deal.amount * deal.months > 10_000 else 0.0
    deal.status = "won" if rng.random() < 0.38 + skill - big else "lost"
    reached = len(stages) if deal.status == "won" else rng.randint(1, len(stages))
    deal.close_date = closed.date()
    deal.modified_at = closed
    if deal.status == "lost" and rng.random() < 0.9:
        deal.lost_reason_id = rng.choice(reasons)
    _walk(deal, rng, stages[:reached], closed)


def _leave_open(deal: Deal, rng: Random, stages: list[int], planned: datetime, now: datetime) -> None:
    progress = (now - deal.created_at) / max(planned - deal.created_at, timedelta(days=1))
    reached = min(len(stages), 1 + int(min(progress, 1.0) * rng.random() * len(stages)))
    _walk(deal, rng, stages[:reached], now)
    deal.modified_at = deal.stage_history[-1][0]
    if rng.random() < 0.92:
        deal.expected_close_date = planned.date()


def _walk(deal: Deal, rng: Random, stages: list[int], end: datetime) -> None:
    """Pass the stages in order, leaving some out, from the creation to the end."""
    passed = [stage for stage in stages[1:-1] if rng.random() < 0.9] + stages[1:][-1:]
    times = sorted(_between(rng, deal.created_at, end) for _ in passed)
    deal.stage_history = [(deal.created_at, stages[0]), *zip(times, passed, strict=True)]
    deal.stage = deal.stage_history[-1][1]


def _add_actions(world: World, count: int, contacts: _Contacts, calendar: _Calendar) -> None:
    stream = _Stream(world, "actions")
    kinds = ("done", "date", "date_time", "asap", "waiting", "queued", "queued_with_date")
    for _ in range(count):
        kind = stream.rng.choices(kinds, (45, 30, 8, 7, 5, 3, 2))[0]
        since = None if kind == "done" else world.now - timedelta(days=90)
        contact, created = contacts.draw(stream.rng, calendar, since)
        world.actions.append(_action(world, stream, contact, kind, created=created, calendar=calendar))
    world.actions.sort(key=lambda action: action.id)


def _action(
    world: World,
    stream: _Stream,
    contact: Person,
    status: str,
    *,
    created: datetime,
    calendar: _Calendar,
) -> Action:
    rng, now = stream.rng, world.now
    done = calendar.moment(rng, created, created + timedelta(days=30)) if status == "done" else None
    done = done and min(done, now)
    due = created.date() + timedelta(days=rng.randint(0, 20))
    if status in ("date", "date_time", "queued_with_date") and rng.random() < 0.6:
        due = now.date() + timedelta(days=rng.randint(0, 45))
    has_date = status in ("date", "date_time", "queued_with_date") or (done and rng.random() < 0.8)
    at = time(rng.randint(8, 16), rng.choice((0, 15, 30, 45)), tzinfo=UTC)
    return Action(
        id=stream.id(created),
        contact_id=contact.id,
        assignee_id=contact.owner_id if rng.random() < 0.85 else rng.choice(world.users).id,
        text=rng.choice(_TASKS),
        status=status,
        date=due if has_date else None,
        exact_time=datetime.combine(due, at) if status == "date_time" else None,
        done=done is not None,
        done_at=done.date() if done else None,
        created_at=created,
        modified_at=done or created,
    )


def _add_notes(world: World, count: int, contacts: _Contacts, calendar: _Calendar) -> None:
    stream = _Stream(world, "notes")
    rng = stream.rng
    deals: dict[str, list[Deal]] = {}
    for sale in world.deals:
        deals.setdefault(sale.contact_id, []).append(sale)
    hard_texts = _spread(count, _HARD_TEXTS)
    for index in range(count):
        contact, at = contacts.draw(rng, calendar)
        open_then = [deal for deal in deals.get(contact.id, []) if deal.created_at <= at]
        deal = rng.choice(open_then) if open_then and rng.random() < 0.7 else None
        world.notes.append(
            Note(
                id=stream.id(at),
                contact_id=contact.id,
                deal_id=deal.id if deal else None,
                author=contact.owner_id,
                text=hard_texts.get(index) or " ".join(rng.sample(_TEXTS, rng.randint(1, 2))),
                date=at.date(),
                created_at=at,
                modified_at=at if rng.random() < 0.85 else calendar.moment(rng, at),
            )
        )
    world.notes.sort(key=lambda note: note.id)


def _add_calls(world: World, count: int, contacts: _Contacts, calendar: _Calendar) -> None:
    stream = _Stream(world, "calls")
    rng = stream.rng
    for _ in range(count):
        contact, at = contacts.draw(rng, calendar)
        logged = min(at + timedelta(minutes=rng.randint(1, 90)), world.now)
        world.calls.append(
            Call(id=stream.id(logged), contact_id=contact.id, author=contact.owner_id,
                 text=rng.choice(_TEXTS) if rng.random() < 0.7 else "",
                 result=rng.choices(_CALL_RESULTS, (25, 15, 20, 35, 5))[0], at=at,
                 phone_number=contact.phones[0] if contact.phones else None,
                 created_at=logged, modified_at=logged)
        )  # fmt: skip
    world.calls.sort(key=lambda call: call.id)


def _add_meetings(world: World, count: int, contacts: _Contacts, calendar: _Calendar) -> None:
    stream = _Stream(world, "meetings")
    rng = stream.rng
    for _ in range(count):
        contact, at = contacts.draw(rng, calendar)
        logged = min(at + timedelta(minutes=rng.randint(30, 300)), world.now)
        world.meetings.append(
            Meeting(id=stream.id(logged), contact_id=contact.id, author=contact.owner_id,
                    text=rng.choice(_TEXTS), place=rng.choice(_PLACES), at=at,
                    created_at=logged, modified_at=logged)
        )  # fmt: skip
    world.meetings.sort(key=lambda meeting: meeting.id)


def _add_changes(world: World, contacts: list[Person]) -> None:
    stream = _Stream(world, "changes")

    def log(action: str, words: str, row: Person | Deal, at: datetime) -> None:
        kind = "deal" if isinstance(row, Deal) else "contact"
        world.changes.append(
            Change(id=stream.id(at), action=action, description=words, subject_kind=kind,
                   subject_id=row.id, user_id=row.owner_id, created_at=at)
        )  # fmt: skip

    for person in contacts:
        log("create", "Contact added", person, person.created_at)
    for deal in world.deals:
        log("create", "Deal added", deal, deal.created_at)
        for at, stage in deal.stage_history[1:]:
            log("move", f"Deal moved to stage {stage}", deal, at)
        if deal.status != "pending":
            log(deal.status, f"Deal {deal.status}", deal, deal.modified_at)
    world.changes.sort(key=lambda change: change.id)


# ---- Relenta, Complero, Altcraft ----------------------------------------------------------------


def _add_appointments(world: World, rows: int) -> None:
    rng = _Stream(world, "appointments").rng
    people = world.people_in("relenta")
    today = world.now.date()
    calendar = _Calendar(today - timedelta(days=180), today + timedelta(days=60))
    repeats = ("FREQ=WEEKLY;BYDAY=MO;COUNT=10", "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=DAILY;COUNT=3")
    for index in range(_count(rows, 0.5)):
        start, all_day = calendar.moment(rng), rng.random() < 0.1
        start = start.replace(minute=start.minute // 15 * 15, second=0)
        if all_day:
            start = start.replace(hour=0, minute=0)
        length = timedelta(days=1) if all_day else timedelta(minutes=rng.choice((30, 60, 90)))
        created = min(start, world.now) - timedelta(hours=rng.randint(1, 240))
        author = rng.choice(world.users).id
        world.appointments.append(
            Appointment(
                id=str(2_300_001 + index),
                label=rng.choice(("Lunch", "Demo", "Call", "Visit", "Workshop")),
                kind="default",
                calendar_id=str(rng.randint(101, 104)),
                all_day=all_day,
                starts_at=start,
                ends_at=start + length,
                rrule=rng.choice(repeats) if rng.random() < 0.08 else "",
                status="open" if start > world.now or rng.random() < 0.2 else "completed",
                author=author,
                user_ids=[author],
                person_ids=[p.id for p in rng.sample(people, min(len(people), rng.choice((1, 1, 2))))],
                subject=rng.choice(_TASKS),
                body=rng.choice(_TEXTS) if rng.random() < 0.5 else "",
                created_at=created,
                modified_at=_between(rng, created, world.now),
            )
        )


def _add_consent(world: World, calendar: _Calendar) -> None:
    rng = _Stream(world, "consent").rng
    people = world.people_in("complero")
    since = world.now - timedelta(days=730)
    for person in people:
        channels = rng.sample(("email", "phone", "letter", "sms"), rng.choices((1, 2), (4, 1))[0])
        for channel in channels:
            at = _first_asked(rng, person, since, calendar)
            for kind, opted_in, has_documentation in _consent_story(rng):
                world.consent_events.append(
                    ConsentEvent(
                        id=str(UUID(int=rng.getrandbits(128), version=4)),
                        person_id=person.id,
                        kind=kind,
                        channel=channel,
                        opted_in=opted_in,
                        source=rng.choice(_SOURCES),
                        has_documentation=has_documentation,
                        at=at,
                    )
                )
                at = calendar.soon(rng, at + timedelta(minutes=5), 90)
                if at >= world.now:
                    break
    world.consent_events.sort(key=lambda event: (event.at, event.id))
    _add_operations(world, len(people), calendar)


def _first_asked(rng: Random, person: Person, since: datetime, calendar: _Calendar) -> datetime:
    if person.created_at < since:
        return calendar.moment(rng, since)
    at = calendar.soon(rng, person.created_at, 15)
    return at if at < calendar.end else _between(rng, person.created_at, calendar.end)


def _consent_story(rng: Random) -> Iterator[tuple[str, bool, bool]]:
    """What happens to one person's consent on one channel: kind, opted in, documented."""
    if rng.random() < 0.5:
        yield "create" if rng.random() < 0.8 else "sync", False, False
        if rng.random() < 0.35:
            return
    documented = rng.random() < 0.6
    yield "confirm", True, documented
    if documented and rng.random() < 0.15:
        yield "documentation", True, True
    if rng.random() < 0.12:
        yield "update", True, documented
    if rng.random() < 0.18:
        yield "update", False, False
        if rng.random() < 0.1:
            yield "confirm", True, True


def _add_operations(world: World, people: int, calendar: _Calendar) -> None:
    rng = _Stream(world, "operations").rng
    since = world.now - timedelta(days=90)
    for index in range(max(4, min(people // 100, 2_000))):
        status = "pending" if index == 0 else rng.choices(("completed", "failed"), (96, 4))[0]
        at = world.now - timedelta(minutes=3) if index == 0 else calendar.moment(rng, since)
        model = "Employee" if index % 20 == 1 else "Contact"
        most = len(world.users) if model == "Employee" else max(1, min(people, 1_000))
        world.operations.append(
            Operation(id=str(UUID(int=rng.getrandbits(128), version=4)), kind="upload",
                      model=model, status=status, items_count=rng.randint(1, most), created_at=at)
        )  # fmt: skip
    world.operations.sort(key=lambda operation: (operation.created_at, operation.id))


def _add_mailing(world: World, calendar: _Calendar) -> None:
    stream = _Stream(world, "mail")
    campaigns = _campaigns(world, stream.rng, calendar)
    for person in world.people_in("altcraft"):
        if person.emails:
            _mail(world, stream, person, campaigns, calendar)
        _other_channels(world, stream.rng, person)
    world.mail_events.sort(key=lambda event: event.id)
    _add_segments(world)


def _campaigns(world: World, rng: Random, calendar: _Calendar) -> list[tuple[Campaign, datetime | None]]:
    """The campaigns, and when each was sent at once; regular and trigger ones have no one time."""
    names = "Spring news,Summer offer,Autumn fair,Winter sale,Product update,Webinar,Survey,Case study"
    sent: list[tuple[Campaign, datetime | None]] = []
    since = world.now - timedelta(days=365)
    for index in range(24):
        kind = ("broadcast", "broadcast", "regular", "trigger")[index % 4]
        name = f"{names.split(',')[index % 8]} {index // 8 + 1}"
        tags = rng.sample(("news", "sales", "event", "b2b"), rng.randint(0, 2))
        campaign = Campaign(id=101 + index, name=name, kind=kind, is_active=rng.random() < 0.7, tags=tags)
        world.campaigns.append(campaign)
        sent.append((campaign, calendar.moment(rng, since) if kind == "broadcast" else None))
    return sent


def _mail(
    world: World,
    stream: _Stream,
    person: Person,
    campaigns: list[tuple[Campaign, datetime | None]],
    calendar: _Calendar,
) -> None:
    rng = stream.rng
    joined = calendar.soon(rng, person.created_at, 15)
    joined = min(joined, calendar.end)
    status = "unconfirmed" if rng.random() < 0.05 else "subscribed"
    if status == "subscribed":
        _log_mail(world, stream, person, None, "subscribe", at=joined)
    if status == "subscribed" and not person.do_not_mail:
        status = _send(world, stream, person, campaigns, joined=joined, calendar=calendar)
    world.subscriptions.append(
        Subscription(person_id=person.id, resource_id=rng.choice(world.mail_resources).id,
                     channel="email", address=person.emails[0], status=status, created_at=joined)
    )  # fmt: skip


def _send(
    world: World,
    stream: _Stream,
    person: Person,
    campaigns: list[tuple[Campaign, datetime | None]],
    *,
    joined: datetime,
    calendar: _Calendar,
) -> str:
    """Mail the person until they leave; the subscription's status in the end."""
    rng = stream.rng
    year = world.now - timedelta(days=365)
    chosen = rng.sample(campaigns, rng.randint(2, 9))
    sends = [(at or calendar.moment(rng, year), campaign.id) for campaign, at in chosen]
    interest = rng.betavariate(2, 3.5)
    for at, campaign in sorted(send for send in sends if send[0] > joined):
        message = f"{campaign}-{stream.count:x}"
        _log_mail(world, stream, person, campaign, "send", at=at, message=message)
        answered = at
        for action in _mail_answers(rng, interest):
            answered += timedelta(seconds=60 + int(rng.expovariate(1 / 20_000)))
            if answered >= world.now:
                break
            _log_mail(world, stream, person, campaign, action, at=answered, message=message)
            if action in _LEAVING:
                return _LEAVING[action]
    return "subscribed"


_LEAVING = {"unsubscribe": "unsubscribed", "complain": "complained", "hardbounce": "hardbounced"}


def _mail_answers(rng: Random, interest: float) -> Iterator[str]:
    if rng.random() < 0.01:
        yield "hardbounce"
    if rng.random() < interest:
        yield "open"
        if rng.random() < 0.25:
            yield "click"
        if rng.random() < 0.02:
            yield "unsubscribe" if rng.random() < 0.85 else "complain"


def _log_mail(
    world: World,
    stream: _Stream,
    person: Person,
    campaign: int | None,
    action: str,
    *,
    at: datetime,
    message: str | None = None,
) -> None:
    world.mail_events.append(
        MailEvent(id=stream.id(at), person_id=person.id, campaign_id=campaign,
                  message_id=message, action=action, at=at)
    )  # fmt: skip


def _other_channels(world: World, rng: Random, person: Person) -> None:
    if person.phones and rng.random() < 0.35:
        status = rng.choices(("subscribed", "unsubscribed", "unconfirmed"), (80, 15, 5))[0]
        world.subscriptions.append(
            Subscription(person_id=person.id, resource_id=2, channel="sms", status=status,
                         address=person.phones[0], created_at=person.created_at)
        )  # fmt: skip
    if rng.random() < 0.08:
        world.subscriptions.append(
            Subscription(person_id=person.id, resource_id=1, channel="push", status="subscribed",
                         address=f"push-{person.id}", created_at=person.created_at)
        )  # fmt: skip


def _add_segments(world: World) -> None:
    people = world.people_in("altcraft")
    rules = {
        "Everyone": people,
        "English speakers": [p for p in people if p.language == "en"],
        "Customers": [p for p in people if p.status_key == "customer"],
        "Starred": [p for p in people if p.starred],
        "Do not mail": [p for p in people if p.do_not_mail],
        "Nobody": [],
    }
    world.segments = [
        Segment(id=index, name=name, size=len(members), person_numbers=[p.number for p in members])
        for index, (name, members) in enumerate(rules.items(), start=1)
    ]


# ---- Commanders Act -----------------------------------------------------------------------------

_TRAFFIC = (1.0, 1.05, 1.1, 1.05, 0.95, 0.7, 0.75)
_DEVICES = {
    "mobile": (0.55, 0.52),
    "desktop": (0.33, 0.61),
    "tablet": (0.09, 0.57),
    "other": (0.03, 0.4),
}
_DAY_LIGHT = [0.25 + 0.75 * max(0.0, math.sin((hour - 5) / 17 * math.pi)) for hour in range(24)]


def _add_website(world: World) -> None:
    rng = _Stream(world, "website").rng
    for number, name, visitors in ((1, "Shop", 9_000), (2, "Blog", 1_400)):
        world.banners.append(Banner(id=str(number), name=name, daily=_banner_days(rng, world, visitors)))
    for number, label, total in (
        (11, "Visitors", 52_000),
        (12, "Basket left", 4_100),
        (13, "VIP", 380),
    ):
        daily = _segment_days(rng, world, total)
        world.tag_segments.append(TagSegment(id=number, label=label, daily=daily))
    _add_integrations(world, rng)


def _past_days(world: World, count: int) -> list[date]:
    return [world.now.date() - timedelta(days=n) for n in range(count, 0, -1)]


def _banner_days(rng: Random, world: World, visitors: int) -> list[BannerDay]:
    return [
        _banner_day(
            rng, day, device, location, visitors=visitors * share * part * _TRAFFIC[day.weekday()], yes=yes
        )
        for day in _past_days(world, 60)
        for device, (share, yes) in _DEVICES.items()
        for location, part in (("eu", 0.85), ("other", 0.15))
    ]


def _banner_day(
    rng: Random, day: date, device: str, location: str, *, visitors: float, yes: float
) -> BannerDay:
    exposed = int(visitors * rng.uniform(0.9, 1.1))
    views = int(exposed * rng.uniform(0.82, 0.9))
    optin = int(views * yes * rng.uniform(0.93, 1.07))
    optout = int((views - optin) * rng.uniform(0.35, 0.5))
    parts = ((1, 1.0), (2, 0.86), (3, 0.71), (4, 0.64))
    return BannerDay(
        day=day,
        device=device,
        location=location,
        visitors_exposed=exposed,
        banner_views=views,
        optin=optin,
        optout=optout,
        explicit_optin=int(optin * rng.uniform(0.88, 0.97)),
        categories={str(n): int(optin * share) for n, share in parts},
        vendors={str(200 + n): int(optin * share * rng.uniform(0.9, 1)) for n, share in parts},
    )


def _segment_days(rng: Random, world: World, total: int) -> list[tuple[date, int, int, int]]:
    daily = []
    for day in _past_days(world, 60):
        moving = total * 0.02 * _TRAFFIC[day.weekday()]
        added, removed = int(moving * rng.uniform(0.8, 1.3)), int(moving * rng.uniform(0.7, 1.2))
        total += added - removed
        daily.append((day, total, added, removed))
    return daily


def _add_integrations(world: World, rng: Random) -> None:
    """Six integrations: the fifth fails since two days ago, the last is switched off."""
    end = world.now.replace(minute=0, second=0)
    hours = [end - timedelta(hours=n) for n in range(7 * 24, 0, -1)]
    for number, line in enumerate((
        "Web container|source|web|Website|12000", "CRM import|source|http_api|HTTP API|800",
        "Ads conversions|destination|ads_capi|Conversions API|2600",
        "Warehouse|destination|cloud_storage|Cloud storage|9000",
        "E-mail tool|destination|email_api|E-mail API|1500",
        "Old partner|destination|webhook|Webhook|0",
    ), start=1):  # fmt: skip
        label, direction, connector, connector_name, rate = line.split("|")
        hourly = [_delivery(rng, hour, int(rate), number == 5 and hour >= end - timedelta(days=2))
                  for hour in hours]  # fmt: skip
        world.integrations.append(
            Integration(
                id=500 + number,
                label=label,
                direction=direction,
                connector_id=connector,
                connector_name=connector_name,
                environment="staging" if number == 2 else "production",
                status="active" if int(rate) else "inactive",
                created_at=world.now - timedelta(days=100 * number),
                last_run_at=hours[-1] if int(rate) else world.now - timedelta(days=60),
                hourly=hourly,
            )
        )


def _delivery(rng: Random, hour: datetime, rate: int, is_failing: bool) -> tuple[datetime, int, int, int]:
    events = int(rate * _DAY_LIGHT[hour.hour] * _TRAFFIC[hour.weekday()] * rng.uniform(0.85, 1.15))
    failed = int(events * (rng.uniform(0.55, 0.8) if is_failing else rng.uniform(0, 0.004)))
    rejected = int(events * rng.uniform(0, 0.006))
    return hour, events - failed - rejected, failed, rejected
