"""One world, fetched once, and the ways on which its tables come to somebody who asks an analysis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crmlab
from tests.truth.gaps import with_gaps
from tests.truth.questions import NOW

#: what the questions read
TABLES = ("contacts", "deals", "activities", "consent_events", "subscriptions", "users")
_LIMITS = crmlab.Limits(concurrency=10)

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class World:
    """What came into memory, of a window too, and what was written to files by the same sandbox."""

    fetched: crmlab.Fetched
    since: crmlab.Fetched
    stored: crmlab.Stored
    folder: Path


@dataclass(frozen=True, slots=True)
class Way:
    """The tables as the analyses are given them, and as they were when they set out, for the queries."""

    given: Mapping[str, Any]
    true: Frames


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("truth")
    return asyncio.run(_fetch_all(folder))


async def _fetch_all(folder: Path) -> World:
    async with crmlab.sandbox(rows=120, seed=7, now=NOW) as accounts:
        fetched = await crmlab.fetch(accounts, *TABLES, limits=_LIMITS)
        since = await crmlab.fetch(accounts, *TABLES, since="2026-09-01", limits=_LIMITS)
        stored = await crmlab.fetch_to(folder / "stored", accounts, *TABLES, limits=_LIMITS)
    fetched.export(folder / "csv", format="csv")
    return World(fetched, since, stored, folder)


def frames_of(data: crmlab.Fetched) -> Frames:
    return {name: data[name] for name in TABLES}


def _fetched(world: World) -> Way:
    frames = frames_of(world.fetched)
    return Way(given=frames, true=frames)


def _with_a_window(world: World) -> Way:
    """A frame taken out of a fetch counts as whole: what was not fetched is not there."""
    frames = frames_of(world.since)
    return Way(given=frames, true=frames)


def _with_gaps(world: World) -> Way:
    frames = with_gaps(frames_of(world.fetched))
    return Way(given=frames, true=frames)


def _stored(world: World) -> Way:
    read_again = {
        name: pl.read_parquet(world.folder / "stored" / f"{name}.parquet") for name in TABLES
    }
    return Way(given=read_again, true=frames_of(world.fetched))


def _exported_as_csv(world: World) -> Way:
    read_again = {name: crmlab.read_csv(world.folder / "csv" / f"{name}.csv") for name in TABLES}
    return Way(given=read_again, true=frames_of(world.fetched))


#: what one's own export might call the columns that the questions read
_OWN_NAMES = {
    "contacts": {"emails": "Mail addresses", "full_name": "Person"},
    "deals": {"status": "Phase", "owner_name": "Sold by", "close_date": "Signed on"},
    "activities": {"kind": "What", "due_on": "Until"},
    "consent_events": {"channel": "By", "opted_in": "Said yes"},
    "subscriptions": {"status": "State"},
    "users": {"name": "Colleague"},
}
_OWN_PHASES = {"Closed Won": "won", "Closed Lost": "lost", "Open": "pending"}


def _own_frames(world: World) -> Way:
    frames = frames_of(world.fetched)
    given = {name: _as_own(name, frame) for name, frame in frames.items()}
    return Way(given=given, true=frames)


def _own_csv(world: World) -> Way:
    """One's own files: lists and times are text, and there are no custom fields."""
    frames = frames_of(world.fetched)
    given = {}
    for name, frame in frames.items():
        path = world.folder / f"my {name}.csv"
        lists = pl.selectors.by_dtype(pl.List(pl.String)).list.join("|")
        custom = pl.selectors.by_name("custom", require_all=False)
        _in_own_words(name, frame).with_columns(lists).drop(custom).write_csv(path)
        given[name] = _as_own(name, path)
    return Way(given=given, true=frames)


def _in_own_words(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table as the export of another CRM might word it."""
    words = {word: own for own, word in _OWN_PHASES.items()}
    own = frame.rename(_OWN_NAMES[name])
    if name != "deals":
        return own
    return own.with_columns(pl.col("Phase").replace_strict(words))


def _as_own(name: str, data: Any) -> pl.DataFrame:
    """Return the shared table of what is given: a frame, which is worded first, or a file in one's own words."""
    own = _in_own_words(name, data) if isinstance(data, pl.DataFrame) else data
    renamed = {own_name: shared for shared, own_name in _OWN_NAMES[name].items()}
    values = {"status": _OWN_PHASES} if name == "deals" else {}
    return crmlab.table(name, own, rename=renamed, values=values, separator="|")


#: spellings of one channel that exports have
_MISSPELT = ("E-Mail", "email ", "mail", "Email")


def _misspelt_channels(world: World) -> Way:
    frames = with_gaps(frames_of(world.fetched))
    given = dict(frames)
    for name in ("consent_events", "subscriptions"):
        turn = pl.int_range(pl.len()) % (len(_MISSPELT) + 1)
        spelling = turn.replace_strict(dict(enumerate(_MISSPELT)), default="email")
        misspelt = pl.when(pl.col("channel") == "email").then(spelling).otherwise("channel")
        given[name] = frames[name].with_columns(channel=misspelt)
    return Way(given=given, true=frames)


def _lazy(world: World) -> Way:
    lazy = {name: world.stored[name] for name in TABLES}
    return Way(given=lazy, true=frames_of(world.fetched))


def _pandas(world: World) -> Way:
    frames = frames_of(world.fetched)
    given = {name: frame.to_pandas() for name, frame in frames.items()}
    return Way(given=given, true=frames)


def _arrow(world: World) -> Way:
    frames = frames_of(world.fetched)
    given = {name: frame.to_arrow() for name, frame in frames.items()}
    return Way(given=given, true=frames)


WAYS: Mapping[str, Callable[[World], Way]] = {
    "fetched": _fetched,
    "fetched with a window": _with_a_window,
    "with gaps": _with_gaps,
    "stored": _stored,
    "exported as CSV": _exported_as_csv,
    "own frames": _own_frames,
    "own CSV files": _own_csv,
    "misspelt channels": _misspelt_channels,
    "lazy": _lazy,
    "pandas": _pandas,
    "Arrow": _arrow,
}


#: what is given in the place of all tables, so that it knows what was asked for
FETCHES: Mapping[str, Callable[[World], crmlab.Fetched | crmlab.Stored]] = {
    "fetched": lambda world: world.fetched,
    "stored": lambda world: world.stored,
    "opened": lambda world: crmlab.open(world.folder / "stored"),
    "opened CSV": lambda world: crmlab.open(world.folder / "csv"),
    "collected": lambda world: crmlab.collect(as_of=NOW, **_own_frames(world).given),
}


@pytest.fixture(scope="session", params=list(FETCHES))
def whole(request: pytest.FixtureRequest, world: World) -> crmlab.Fetched | crmlab.Stored:
    return FETCHES[request.param](world)


@pytest.fixture(scope="session", params=list(WAYS))
def way(request: pytest.FixtureRequest, world: World) -> Way:
    return WAYS[request.param](world)
