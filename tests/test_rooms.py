"""Each room has one door, and the page that shows the rooms shows them as they are."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from docs import generated, rooms

ROOMS = sorted(path.name for path in rooms.PACKAGE.iterdir() if (path / "__init__.py").exists())
CONTRIBUTING = rooms.ROOT / "docs" / "contributing.md"


def goes_around(found: rooms.Import) -> bool:
    """Whether an import names a module of another room instead of the room."""
    return len(found.source.split(".")) > 2


def has_a_reason(found: rooms.Import) -> bool:
    # loads aiohttp, and so is imported only where something is sent
    if found.source == "crmlab.http.client":
        return True
    # loaded when a notebook draws its progress
    if found.source == "crmlab.notebook.progress_bars":
        return True
    # operations are declared in words of their own: their `get` is not that of the lists, and their types load pydantic
    if found.source in ("crmlab.connector.operation", "crmlab.connector.arguments"):
        return True
    # a figure shows what the analysis of its name computes, with the analysis's own parts
    return found.other == "analysis" and found.room in ("plots", "report")


def test_rooms_import_each_other_through_their_door() -> None:
    around = [found for found in rooms.imports() if goes_around(found) and not has_a_reason(found)]

    assert not around, "import the name from the room, and let its __init__ offer it"


def test_every_room_is_stated_with_its_place() -> None:
    stated = [room for layer in rooms.layers() for room in layer]

    beside = [path.stem for path in rooms.PACKAGE.glob("*.py") if path.stem != "__init__"]

    assert sorted(stated) == sorted([*ROOMS, *beside]), "write it into the layers of .importlinter"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_in_a_sentence_what_it_is_for(room: str) -> None:
    assert rooms.purpose(room).endswith(".")


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_offers_is_there(room: str) -> None:
    module = importlib.import_module(f"crmlab.{room}")

    assert all(hasattr(module, name) for name in getattr(module, "__all__", ()))
    assert inspect.getdoc(module)


def test_the_page_shows_the_rooms_as_they_are() -> None:
    shown = CONTRIBUTING.read_text(encoding="utf-8")

    assert "<!-- rooms -->" in shown
    assert shown == generated.written(CONTRIBUTING), (
        f"{CONTRIBUTING.name} is not that of today: run `make names`"
    )


def test_few_modules_stand_beside_the_rooms() -> None:
    beside = [path.name for path in rooms.PACKAGE.glob("*.py")]

    assert len(beside) <= 8


def test_the_way_of_a_page_names_modules_that_are_there() -> None:
    way = CONTRIBUTING.read_text(encoding="utf-8").partition("<!-- way -->")[2]
    rows = way.partition("<!-- /way -->")[0].splitlines()
    named = [name for row in rows for name in re.findall(r"`([\w.]+)`", row.rpartition(" | ")[0])]
    paths = [name if "." in name else f"fetching.{name}" for name in named]

    assert len(paths) > 12
    there = [(rooms.PACKAGE / f"{path.replace('.', '/')}.py").exists() for path in paths]
    assert [path for path, exists in zip(paths, there, strict=True) if not exists] == []
