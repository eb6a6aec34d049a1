"""Whether what is assumed of a service is true of an account, tested against the sandbox."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

import crmlab
from crmlab.connector import Context, Limits, Probe, Reads, Request, confirmed, refuted
from crmlab.errors import ApiError, AuthError, UsageError
from crmlab.fetching import max_requests
from crmlab.providers import registry
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World

NOW = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(300, seed=1, now=NOW)


@pytest.mark.fast
async def test_what_the_sandbox_serves_as_documented_is_confirmed_in_few_requests(
    world: World,
) -> None:
    async with crmlab.sandbox(world) as accounts:
        found = await crmlab.probe(accounts)

        sent = accounts.requests.total()
        at_most = sum(max_requests(account) for account in accounts)
        keys = [
            value
            for each in accounts.keys.values()
            for name, value in each.items()
            if "token" in name
        ]

    frame = found.frame()
    not_confirmed = frame.filter(pl.col("verdict") != "confirmed")
    assert not_confirmed.is_empty(), not_confirmed.select("provider", "probe", "found").rows()
    assert set(frame["provider"]) == registry().keys(), "give every service a probe"
    assert found.requests == sent <= at_most
    assert f"{frame.height} assumptions: {frame.height} confirmed, 0 refuted" in str(found)
    shown = found.text() + found._repr_html_() + repr(found)
    assert not [key for key in keys if key in shown]


@pytest.mark.fast
async def test_an_account_without_records_tells_nothing_and_refutes_nothing() -> None:
    async with crmlab.sandbox(World(now=NOW)) as accounts:
        found = await crmlab.probe(accounts)

    assert found.count("refuted") == 0
    assert found.count("cannot be told") > found.count("confirmed") > 0
    assert "the account has no contacts" in found.text()


def probe_of(reads: object, **more: object) -> Probe:
    usual = {
        "name": "tried",
        "assumption": "it is so",
        "source": "nowhere",
        "if_wrong": "rows are missing",
    }
    return Probe(**usual, reads=reads, max_requests=2, **more)  # type: ignore[arg-type]


async def test_a_probe_that_is_refused_or_fails_cannot_tell_and_two_share_an_answer(
    world: World,
) -> None:
    far = Request(path="/nowhere.list.json")
    page = Request(path="/contact.list.json")

    def refused(context: Context) -> Reads:
        yield far
        return confirmed("never")

    def caught(context: Context) -> Reads:
        try:
            yield far
        except ApiError as error:
            return refuted(f"HTTP {error.status}", first_page=0, page_size=7)
        return confirmed("never")

    def broken(context: Context) -> Reads:
        answer = yield page
        raise KeyError(answer.body)

    async with crmlab.sandbox(world, services=["relenta"]) as accounts:
        account = accounts[0]
        account.facts = {"page_size": 5}
        account.provider = replace(
            account.provider, probes=lambda: tuple(map(probe_of, (refused, caught, broken, caught)))
        )

        found = await crmlab.probe(account)

        sent = accounts.requests.total()

    verdicts = found.frame()["verdict"].to_list()
    assert verdicts == ["cannot be told", "refuted", "cannot be told", "refuted"]
    assert found.frame()["found"][0].startswith("the service refuses the question: HTTP 404")
    assert "a fault of crmlab's own" in found.frame()["found"][2]
    assert found.frame()["meaning"].to_list()[1] == (
        "rows are missing; adopted: first_page=0; given: page_size=5; "
        "to read it so: Account('relenta', facts={'page_size': 7})"
    )
    assert found.facts == {"relenta": {"first_page": 0, "page_size": 7}}
    assert found.requests == sent == 2


async def test_a_key_that_is_refused_ends_it(world: World) -> None:
    async with crmlab.sandbox(world, services=["relenta"]) as accounts:
        wrong = crmlab.Account(
            "relenta", base_url=accounts[0].base_url, api_key="wrong", account_name="sandbox"
        )

        with pytest.raises(AuthError, match="check account_name and api_key"):
            await crmlab.probe(wrong)

        assert accounts.requests.total() == 1


async def test_it_keeps_within_the_limit(world: World) -> None:
    async with crmlab.sandbox(world, services=["relenta"], rate_limits=True) as accounts:
        await crmlab.probe(accounts, limits=Limits(rate=50, burst=1))

        assert accounts.refused == 0


async def test_accounts_are_needed() -> None:
    with pytest.raises(UsageError, match="no accounts given"):
        await crmlab.probe([])


async def test_where_everything_differs_each_probe_is_refuted(world: World) -> None:
    async with crmlab.sandbox(world, drift=True) as accounts:
        found = await crmlab.probe(accounts)

    frame = found.frame().filter(pl.col("verdict") != "refuted")
    assert frame.is_empty(), frame.select("provider", "probe", "verdict", "found").rows()
    facts = {(result.provider, fact) for result in found.results for fact in result.finding.facts}
    assert facts <= {(each.name, fact.name) for each in registry().values() for fact in each.facts}


@pytest.mark.parametrize(
    ("drift", "refuted"),
    [
        ("moved_paths", "altcraft resources, commanders_act users, complero paths"),
        ("pointer_name", "altcraft history_pointer, altcraft profile_pointer, complero cursor"),
        ("count,team", "altcraft count, onepagecrm count, onepagecrm team"),
        ("unknown_parameters", "onepagecrm unknown_parameters"),
        ("since_by_creation", "onepagecrm edges"),
        ("no_since", "commanders_act log_days, complero edges, onepagecrm edges"),
        (
            "unclear_consents,numbers_as_text,truths_as_words,ids_as_numbers,unknown_fields,bom",
            "complero consents",
        ),
    ],
)
async def test_what_differs_is_refuted_and_nothing_else(
    world: World, drift: str, refuted: str
) -> None:
    async with crmlab.sandbox(world, drift=drift) as accounts:
        found = await crmlab.probe(accounts)

    rows = (
        found.frame()
        .filter(verdict="refuted")
        .select("provider", "probe")
        .sort("provider", "probe")
        .rows()
    )
    assert ", ".join(" ".join(row) for row in rows) == refuted


@pytest.mark.parametrize(
    ("name", "table", "drift", "fact"),
    [
        ("altcraft", "contacts", "pointer_name", "pointer='next_cursor'"),
        ("complero", "consent_events", "pointer_name", "cursor_header='x-next-cursor'"),
        ("relenta", "contacts", "page_zero,page_cap", "first_page=0, page_size=50"),
        ("onepagecrm", "deals", "page_zero", "first_page=0"),
    ],
)
async def test_what_can_but_add_rows_is_adopted_and_told_in_the_next_summary(
    world: World, name: str, table: str, drift: str, fact: str
) -> None:
    async with crmlab.sandbox(world, services=[name]) as accounts:
        whole = await crmlab.fetch(accounts, table)
    async with crmlab.sandbox(world, services=[name], drift=drift) as accounts:
        account = crmlab.Account(
            name, base_url=accounts[0].base_url, facts=small(name), **accounts.keys[name]
        )
        before = await crmlab.fetch(account, table, limits=Limits())

        await crmlab.probe(account, limits=Limits())

        after = await crmlab.fetch(account, table, limits=Limits())

    assert f"read with {fact}, as crmlab.probe found" in after.summary["note"][0]
    assert "as crmlab.probe found" not in before.summary["note"][0]
    assert after[table].height == whole[table].height
    # a full last page of Complero is asked on by its last time, and page 0 of Relenta is looked for, without any fact
    assert (before[table].height < after[table].height) == (name == "altcraft")


def small(name: str) -> dict[str, int]:
    """Return pages so small that lists have several of them, for services that would give all at once."""
    return {} if name == "relenta" else {"page_size": 40}


async def test_a_zone_that_is_given_by_hand_reads_times_that_say_none(world: World) -> None:
    async with crmlab.sandbox(world, services=["relenta"], drift="times_without_zone") as accounts:
        base_url, keys = accounts[0].base_url, accounts.keys["relenta"]
        told = crmlab.Account(
            "relenta", base_url=base_url, facts={"time_zone": "America/New_York"}, **keys
        )

        plain = await crmlab.fetch(accounts, "contacts", limits=Limits())
        zoned = await crmlab.fetch(told, "contacts", limits=Limits())
        found = await crmlab.probe(told, limits=Limits())

    assert plain.contacts["created_at"].null_count() == plain.contacts.height
    assert zoned.contacts["created_at"].null_count() == zoned.misfits.height == 0
    meaning = found.frame().filter(probe="time_zone", verdict="refuted")["meaning"].item()
    assert meaning.endswith("given: time_zone='America/New_York'")


@pytest.mark.parametrize("drift", ["page_zero", "page_zero,page_cap"])
async def test_lists_that_begin_with_page_0_are_read_once_where_that_is_given(
    world: World, drift: str
) -> None:
    tables = ("contacts", "deals", "companies", "onepagecrm.notes")
    async with crmlab.sandbox(world, services=["onepagecrm"]) as accounts:
        whole = await crmlab.fetch(accounts, *tables)
    async with crmlab.sandbox(world, services=["onepagecrm"], drift=drift) as accounts:
        keys = accounts.keys["onepagecrm"]
        given = crmlab.Account(
            "onepagecrm", base_url=accounts[0].base_url, facts={"first_page": 0}, **keys
        )
        found = await crmlab.fetch(given, *tables, limits=Limits())

    assert found.complete, found.summary["note"].to_list()
    assert not [
        note for note in found.summary["note"] if "read 2 times" in note or "number 0" in note
    ]
    for table in tables:
        assert sorted(found[table]["id"]) == sorted(whole[table]["id"])
