"""A service without a network: what a refresh of it brings, handed to the lake as the real one hands it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

import crmlab
from crmlab import fetching
from crmlab.fetching import Keys, ListRead
from crmlab.lake import state as states
from crmlab.lake.keeping import Reading, keep
from crmlab.lake.place import Place
from crmlab.lake.question import Question
from crmlab.lake.refreshing import Refreshed, _of_reading
from crmlab.results import SUMMARY
from crmlab.schema import TABLES, Asked, AskedAccount

ACCOUNT = crmlab.Account("onepagecrm", name="sales", user_id="u" * 24, api_key="k" * 32)
NAME = ("onepagecrm", "sales")
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
UNREAD = {
    "misfits": ("provider", "account", "resource", "id", "field", "reason", "raw"),
    "rejected": ("provider", "account", "resource", "reason", "raw"),
}


def day(number: float) -> dt.datetime:
    """Return a time some days after the beginning."""
    return START + dt.timedelta(days=number)


def rows(table: str, values: Mapping[str, Mapping[str, object]]) -> pl.DataFrame:
    """Return rows of a shared table: by id, what their columns hold."""
    shared = TABLES[table]
    each = [
        {"provider": NAME[0], "account": NAME[1], "id": id, **columns}
        for id, columns in values.items()
    ]
    return pl.DataFrame(each, schema=shared.schema) if each else shared.empty()


def deals(values: Mapping[str, object]) -> pl.DataFrame:
    """Return deals: by id, their name."""
    return rows("deals", {id: {"name": name} for id, name in values.items()})


def came(
    frames: Mapping[str, pl.DataFrame],
    at: dt.datetime,
    *,
    whole: bool = False,
    complete: bool = True,
    since: dt.datetime | None = None,
    misfits: pl.DataFrame | None = None,
) -> fetching.Refreshed:
    """Return what a refresh brought of the account at a time."""
    lines = [
        {
            **dict.fromkeys(SUMMARY, 0),
            **dict(zip(("provider", "account"), NAME, strict=True)),
            "resource": table,
            "table": table,
            "since": None,
            "until": None,
            "rows": frame.height,
            "complete": complete,
            "note": "",
        }
        for table, frame in frames.items()
    ]
    data = crmlab.Fetched(
        frames,
        heights={table: frame.height for table, frame in frames.items()},
        summary=pl.DataFrame(lines, schema=SUMMARY, orient="row"),
        rejected=pl.DataFrame(schema=dict.fromkeys(UNREAD["rejected"], pl.String)),
        misfits=misfits,
        failures=(),
        asked=Asked(
            fetched_at=at,
            accounts=(AskedAccount(provider=NAME[0], name=NAME[1]),),
            tables=tuple(frames),
        ),
    )
    lists = tuple(
        ListRead(
            provider=NAME[0],
            account=NAME[1],
            resource=table,
            tables=(table,),
            since=since,
            began_at=at,
            watermark=at,
            is_whole=whole,
            filters_by_change=True,
            complete=complete,
            requests=1,
        )
        for table in frames
    )
    found = frozenset((*NAME, table) for table in frames) if whole and complete else frozenset()
    return fetching.Refreshed(data=data, lists=lists, whole=found)


def ids(table: str, names: set[str]) -> Keys:
    """Return what a sweep of one table brought: all ids that are there."""
    frame = rows(table, {id: {} for id in sorted(names)}).select("provider", "account", "id")
    return Keys(frames={table: frame}, lists=(), whole=frozenset({(*NAME, table)}), failures=())


def refreshed(
    folder: object,
    what: fetching.Refreshed | None,
    at: dt.datetime,
    keys: Keys | None = None,
    **store: str,
) -> Refreshed:
    """Hand it to the lake in the folder, as of that time."""
    place = Place(str(folder), store or None)
    known = (
        states.read(place)
        if states.exists(place)
        else states.create(place, START - dt.timedelta(seconds=1))
    )
    question = Question(accounts=[ACCOUNT], tables=(), known=known, at=at)
    return kept(place, question, what, keys)


def kept(
    place: Place, question: Question, what: fetching.Refreshed | None, keys: Keys | None = None
) -> Refreshed:
    """Hand what came of a question to the lake."""
    reading = Reading(question=question, came=what, keys=[keys] if keys else [])
    return _of_reading(reading, keep(place, [reading]))


def names(frame: pl.LazyFrame) -> dict[str, object]:
    """Return the name of each deal by its id."""
    found = frame.select("id", "name").collect()
    assert found["id"].is_unique().all()
    return dict(found.iter_rows())
