"""Who comes inside whom: settled between lists without a request."""

from __future__ import annotations

import asyncio

import pytest

from crmlab.connector import EmbeddedList, Embedding, Resource
from crmlab.fetching.embedding import EmbeddingNegotiation, Embeddings
from tests.fetching.no_server import CONTEXT, notes

SIZES = (100, 50)
ASKED_FOR = Embedding(
    first=lambda request, names: request,
    rest=lambda page, names, size: (),
    smaller=lambda request: (),
    sizes=SIZES,
    possible=lambda name, context: context.since is None,
)


def negotiation() -> EmbeddingNegotiation:
    return EmbeddingNegotiation("contacts", ["notes", "calls"], SIZES)


def contacts(embedding: Embedding | None) -> Resource:
    lists = (
        EmbeddedList(resource="notes", path=("notes",)),
        EmbeddedList(resource="calls", path=("calls",)),
    )
    return notes(name="contacts", embeds=lists, embedding=embedding)


# ---- one negotiation ----------------------------------------------------------------------------


async def test_only_those_that_one_page_does_not_hold_come_inside() -> None:
    inside = negotiation()
    inside.count("notes", 400)
    inside.count("calls", 100)

    chosen, size = await inside.choose(1_000)

    assert (chosen, size) == ({"notes"}, 100)
    assert await inside.brings("notes")
    assert not await inside.brings("calls")


async def test_what_saves_no_request_does_not_come_inside() -> None:
    inside = negotiation()
    inside.count("notes", 40_000)
    inside.count("calls", 0)

    assert await inside.choose(10) == (frozenset(), 100)


async def test_nothing_is_chosen_before_all_have_said_how_many_they_are() -> None:
    inside = negotiation()
    inside.count("notes", 400)
    choosing = asyncio.create_task(inside.choose(1_000))

    await asyncio.sleep(0)
    assert not choosing.done()
    inside.count("calls", 0)

    assert await choosing == ({"notes"}, 100)


async def test_what_is_said_first_counts() -> None:
    inside = negotiation()
    for total in (400, 0):
        inside.count("notes", total)
    inside.count("calls", 0)

    assert await inside.several_pages() == {"notes": 400}


async def test_a_list_that_gives_up_while_it_chooses_brings_nobody() -> None:
    inside = negotiation()
    choosing = asyncio.create_task(inside.choose(1_000))
    await asyncio.sleep(0)

    inside.give_up()
    inside.count("notes", 400)
    inside.count("calls", 400)

    assert await choosing == (frozenset(), 100)


async def test_the_end_of_a_list_lets_nobody_wait() -> None:
    inside = negotiation()
    waiting = asyncio.gather(inside.brings("notes"), inside.over())

    await asyncio.sleep(0)
    inside.end()

    assert await asyncio.wait_for(waiting, 1) == [False, None]


async def test_one_that_is_cancelled_while_it_waits_leaves_the_others_waiting() -> None:
    inside = negotiation()
    waits = [asyncio.create_task(inside.brings(name)) for name in ("notes", "calls")]
    await asyncio.sleep(0)

    waits[0].cancel()
    await asyncio.sleep(0)
    inside.give_up()

    assert await waits[1] is False


# ---- all of a fetch -----------------------------------------------------------------------------


async def test_lists_that_are_asked_for_inside_negotiate() -> None:
    among = Embeddings(
        {"contacts": contacts(ASKED_FOR), "notes": notes()}, {"contacts": CONTEXT, "notes": CONTEXT}
    )

    negotiated = among.embeds("contacts")

    assert negotiated
    assert negotiated.names == {"notes"}  # calls are not fetched
    assert among.embedded_in("notes") is negotiated
    assert among.embeds("notes") is among.embedded_in("contacts") is None
    assert among.paths("contacts") == {"notes": [("notes",)]}
    assert among.always_in("notes") == ""


async def test_lists_that_are_always_inside_have_nothing_to_negotiate() -> None:
    among = Embeddings(
        {"contacts": contacts(None), "notes": notes()}, {"contacts": CONTEXT, "notes": CONTEXT}
    )

    assert among.embeds("contacts") is among.embedded_in("notes") is None
    assert among.always_in("notes") == "contacts"
    assert among.paths("contacts") == {"notes": [("notes",)]}


@pytest.mark.parametrize("names", [["contacts"], ["notes"]])
async def test_one_alone_has_nobody_to_negotiate_with(names: list[str]) -> None:
    resources = {"contacts": contacts(ASKED_FOR), "notes": notes()}

    among = Embeddings({name: resources[name] for name in names}, dict.fromkeys(names, CONTEXT))

    assert (
        [among.embeds(name) for name in names]
        == [among.embedded_in(name) for name in names]
        == [None]
    )
    assert among.paths(names[0]) == {}
