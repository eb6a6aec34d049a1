"""The names and texts that a made-up world draws from."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """How people and companies of a country are called, live and are reached."""

    code: str
    language: str
    #: what companies have after their name
    form: str
    weight: int
    first_names: list[str]
    last_names: list[str]
    #: city, state, postal code
    cities: list[tuple[str, str | None, str]]
    streets: list[str]
    #: reserved numbers: each # is any digit
    phones: list[str]


def _country(
    code: str, language: str, form: str, weight: int, *,
    first: str, last: str, cities: str, streets: str, phones: str = "+353 20 91# ####",
) -> Country:  # fmt: skip
    city_list: list[tuple[str, str | None, str]] = []
    for city_text in cities.split(","):
        city_name, state_code, zip_code = city_text.split("/")
        # most countries have no states
        city_list.append((city_name, state_code or None, zip_code))
    return Country(
        code=code,
        language=language,
        form=form,
        weight=weight,
        first_names=first.split(),
        last_names=last.split(),
        cities=city_list,
        streets=streets.split(","),
        phones=phones.split(","),
    )


COUNTRIES = [
    _country("US", "en", "Inc.", 18,
        first="Alexander Benjamin Charles Daniel Emily Grace Jonathan Margaret Michael Olivia Robert Samuel Victoria "
              "William Hannah Naomi",
        last="Adams Baker Carter Dawson Ellis Foster Griffin Hughes Jefferson Lawson Mercer Newton Parker Reed "
             "Sullivan Turner",
        cities="Springfield/IL/62701,Portland/OR/97201,Madison/WI/53703,Austin/TX/78701,Albany/NY/12207",
        streets="12 Oak Street,480 Maple Avenue,77 Harbor Road,3 Mill Lane",
        phones="+1 202 555 01##,+1 212 555 01##,+1 312 555 01##,+1 415 555 01##,+1 512 555 01##,+1 503 555 01##,"
               "+1 608 555 01##,+1 617 555 01##,+1 702 555 01##,+1 808 555 01##"),
    _country("GB", "en", "Ltd", 16,
        first="Andrew Catherine Christopher Elizabeth Harriet Imogen Matthew Nicholas Poppy Rebecca Rupert Thomas "
              "Freya Callum",
        last="Ashworth Bradshaw Clarke Davies Entwistle Fairfax Hargreaves Kendall Lloyd MacLeod Pemberton Radcliffe "
             "Thornton Whitaker",
        cities="London//SE1 9XX,Leeds//LS1 9XX,Bristol//BS1 9XX,Cardiff//CF10 9XX,Glasgow//G1 9XX",
        streets="5 Abbey Row,21 Station Road,Unit 7 Canal Wharf,88 High Street",
        phones="+44 20 7946 0###,+44 113 496 0###,+44 117 496 0###,+44 161 496 0###,+44 7700 900###"),
    _country("IE", "en", "Ltd", 12,
        first="Aoife Brendan Ciarán Deirdre Eoin Gráinne Niamh Oisín Patrick Róisín Saoirse Tadhg",
        last="Brennan Byrne Daly Doyle Fitzgerald Gallagher Kavanagh Lynch McCarthy Nolan O'Brien Walsh",
        cities="Galway//H91 X000,Dublin//D02 X000,Cork//T12 X000,Limerick//V94 X000",
        streets="4 Quay Street,19 Shop Street,Unit 2 Liosbán Park"),
    _country("DE", "de", "GmbH", 18,
        first="Anke Björn Dörte Florian Günter Heike Johannes Jörg Katharina Lena Matthias Stefanie Ulrike Sören",
        last="Becker Böhm Fischer Gärtner Hoffmann Jäger König Lehmann Müller Neumann Schäfer Schröder Voß Weiß",
        cities="Berlin//10115,Hamburg//20095,Köln//50667,München//80331,Frankfurt am Main//60311",
        streets="Lindenstraße 4,Am Bahnhof 12,Gartenweg 7a,Hauptstraße 101",
        phones="+49 30 23125 ###,+49 69 90009 ###,+49 40 66969 ###,+49 221 4710 ###,+49 89 99998 ###"),
    _country("FR", "fr", "SARL", 12,
        first="Amélie Benoît Chloé Édouard François Hélène Jérôme Léa Maëlle Noémie Rémi Théo",
        last="Bernard Chevalier Delacroix Fournier Girard Lefèvre Léger Marchand Moreau Perrault Rousseau Vasseur",
        cities="Paris//75011,Lyon//69002,Nantes//44000,Lille//59800,Besançon//25000",
        streets="8 rue des Lilas,14 avenue de la Gare,2 place du Marché",
        phones="+33 1 99 00 ## ##,+33 2 61 91 ## ##,+33 3 53 01 ## ##,+33 4 65 71 ## ##,+33 6 39 98 ## ##"),
    _country("ES", "es", "S.L.", 8,
        first="Álvaro Begoña Carlos Íñigo José Lucía Martín Nuria Sofía Ximena",
        last="Álvarez Castaño Domínguez Fernández García Ibáñez Muñoz Ortega Peña Rodríguez",
        cities="Madrid//28013,Sevilla//41001,Bilbao//48001,Málaga//29015",
        streets="Calle Mayor 9,Avenida del Puerto 31,Plaza Nueva 2"),
    _country("IT", "it", "S.r.l.", 6,
        first="Alessandro Beatrice Chiara Francesca Giovanni Lorenzo Martina Niccolò",
        last="Bianchi Colombo Esposito Ferrari Greco Lombardi Marchetti Ricci",
        cities="Milano/MI/20121,Torino/TO/10121,Bologna/BO/40121",
        streets="Via Garibaldi 15,Corso Italia 40,Piazza del Duomo 1"),
    _country("PL", "pl", "Sp. z o.o.", 6,
        first="Agnieszka Grzegorz Jarosław Łukasz Małgorzata Michał Paweł Zofia",
        last="Dąbrowski Kowalczyk Lewandowski Nowak Sikorska Wiśniewski Wójcik Zieliński",
        cities="Warszawa//00-001,Kraków//30-001,Łódź//90-001",
        streets="ul. Kwiatowa 3,al. Jerozolimskie 120,ul. Długa 17"),
    _country("SE", "sv", "AB", 4,
        first="Åsa Björn Elin Göran Johan Malin Östen Sara",
        last="Åkesson Bergström Eriksson Lindqvist Nyström Öberg Sjögren Wallin",
        cities="Stockholm//111 20,Göteborg//411 03,Malmö//211 20",
        streets="Storgatan 6,Kungsgatan 22,Björkvägen 9",
        phones="+46 8 465 004 ##,+46 40 628 04 ##,+46 31 390 06 ##"),
]  # fmt: skip
WEIGHTS = [country.weight for country in COUNTRIES]

#: first name, last name: what breaks CSV files, shells, sorting and lower-casing
HARD_NAMES = [
    ("Conor", "O'Neil"), ("Zoë", "D\u2019Arcy-Lücke"), ("伟", "王"), ("さくら", "山田"), ("\u200fمحمد", "العلي\u200f"),
    ("Renée 🚀", "Dupont"), ("=1+1", "Formula"), ("+Anna", "Plus"), ("-Bo", "Minus"), ("@lex", "Handle"),
    ("Ana;María", "Núñez"), ("Line\u2028Break", "Separator"), ("", "Mononym"), ("Null", "None"),
    ('Bob "Bobby"', "Comma, Jr."), ("İpek", "Y\u0131ld\u0131z"),
]  # fmt: skip
HARD_TEXTS = [
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


def _listed(words: str) -> list[str]:
    return words.split("|")


STEMS = _listed(
    "Amber|Birch|Cobalt|Delta|Ember|Falcon|Granite|Harbor|Indigo|Juniper|Kestrel|Lumen|Meridian|Nimbus|Onyx|Pioneer|"
    "Quartz|Raven|Summit|Tidal|Umber|Vector|Willow|Zephyr"
)
TRADES = _listed(
    "Analytics|Bakery|Foods|Freight|Garden|Health|Labs|Media|Optics|Paper|Robotics|Solar"
)
SIZES = _listed("1-10|11-50|51-250|251-1000|1000+")
JOBS = _listed(
    "Buyer|Head of Purchasing|Managing Director|IT Manager|Marketing Manager|Office Manager|Operations Lead|Accountant|"
    "Product Manager|Data Analyst|Sales Director|Founder"
)
TAGS = _listed(
    "newsletter|trade fair 2025|trade fair 2026|VIP|reseller|press|webinar|trial|churn risk|key account|beta|R&D / Labs"
)
GROUPS = _listed("Cold|Warm|Qualified|Customers|Suppliers")
SEASONS = _listed("Spring|Summer|Autumn|Winter")
PLACES = _listed("Their office|Our office|Video call|Trade fair, hall 4|Café Central")
TASKS = _listed(
    "Send offer|Call back|Prepare demo|Ask for feedback|Renew contract|Send invoice copy|Book a meeting|"
    "Check credit limit"
)
TEXTS = _listed(
    "Asked for an offer by the end of the week.|Budget is approved for next quarter.|Compares us with two others.|"
    "Wants a demo for the whole team.|Decision moved by a month.|Happy with the trial, asks about single sign-on.|"
    "Price is too high at this volume.|Left a message with the front desk.|Met at the trade fair, very interested.|"
    "Contract is with their legal team."
)
#: name, description, cost, price
PRODUCTS = [
    ("Starter licence", "One team, one year", 120.0, 490.0),
    ("Team licence", "Up to 25 seats, one year", 610.0, 1990.0),
    ("Onboarding day", "On site or remote", 480.0, 1150.0),
    ("Support plan", "Answer within four hours", 90.0, 249.5),
    ("Data import", "Per source system", 210.0, 750.0),
    ("Custom report", "Designed with your team", 330.0, 899.99),
]
