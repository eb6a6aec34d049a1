"""What a lake knows of itself: which versions of its tables belong together, and up to when each list is known.

It is a Delta table to which each refresh appends one row as its last commit. So what a killed refresh wrote before is
there, and not yet seen by anybody: the next one finds the same rows and writes nothing twice.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from crmlab.errors import UsageError
from crmlab.lake.place import STATE, Place, again, delta, writing
from crmlab.schema import UTC

#: raised where an older crmlab would misread what a newer one wrote
_FORMAT = 1
_SCHEMA = pl.Schema(
    {
        "seq": pl.Int64(),
        "at": UTC,
        "document": pl.String(),
    }
)


@dataclass(slots=True, kw_only=True)
class Mark:
    """Up to when one list of one account is known, and what it said last, by the table that it fills."""

    provider: str
    account: str
    #: settings of the account that change what comes: with others it is another question
    options: dict[str, str] = field(default_factory=dict)
    resource: str
    table: str
    #: from where the next refresh asks; None: nothing was ever read whole
    watermark: dt.datetime | None = None
    #: when the last whole reading of what changed began
    known_at: dt.datetime | None = None
    #: since when it is whole; None: of all times
    covered_since: dt.datetime | None = None
    #: when all of it was read, so that what was missing is known
    swept_at: dt.datetime | None = None
    #: when all of its values were read: a sweep reads ids alone, and takes back nothing that could not be read
    values_read_at: dt.datetime | None = None
    refreshed_at: dt.datetime
    complete: bool
    #: the row of the summary of the last refresh
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, tuple[tuple[str, str], ...], str, str]:
        """What tells it from others."""
        return (
            self.provider,
            self.account,
            tuple(sorted(self.options.items())),
            self.resource,
            self.table,
        )

    @property
    def list_name(self) -> tuple[str, str, str, str]:
        """Which list it is about, whatever the settings of the account."""
        return (self.provider, self.account, self.resource, self.table)


@dataclass(slots=True, kw_only=True)
class State:
    """All that a lake knows of itself."""

    format: int = _FORMAT
    lake: str
    at: dt.datetime
    versions: dict[str, int] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    #: from when on the past is all there: what was superseded earlier was removed
    kept_since: dt.datetime | None = None
    #: by account, what went wrong in its last refresh
    failures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def create(place: Place, at: dt.datetime) -> State:
    """Make an empty lake, and return what it knows: nothing.

    Raises
    ------
    UsageError
        The place holds something else, or is a store in which one writer overwrites the commit of another.
    """
    place.make()
    place.create(STATE, _SCHEMA, name="crmlab")

    def begin() -> None:
        state_table = place.open(STATE)
        if state_table.metadata().name != "crmlab":
            raise _no_lake(place)
        # another process may have made it meanwhile, and checked the store
        if not _is_begun(state_table):
            stale_table = place.open(STATE)
            state = State(lake=uuid.uuid4().hex, at=at)
            with place.in_words(STATE):
                _append(state_table, state, 1)
                _check_refused(place, stale_table, state)

    again(begin)
    return read(place)


def _is_begun(state_table: Any) -> bool:
    """Whether a state is in it: whoever made it may have been killed, or be about to write the first."""
    return bool(state_table.transaction_version("crmlab"))


def _no_lake(place: Place, when: str = "") -> UsageError:
    return UsageError(f"{place.root} holds no lake{when} that crmlab wrote")


def _check_refused(place: Place, stale: Any, state: State) -> None:
    """Refuse a store that takes a commit which was begun before another one came."""
    try:
        _append(stale, state, 1)
    except delta().exceptions.CommitFailedError:
        return
    raise UsageError(
        f"{place.root} is in a store that lets one writer overwrite the commit of another, so that rows would be lost: "
        "use one that knows conditional writes, without allow_unsafe_rename"
    )


def _append(table: Any, state: State, seq: int) -> None:
    document = msgspec.json.encode(state).decode()
    state_row = (seq, state.at, document)
    state_frame = pl.DataFrame([state_row], schema=_SCHEMA, orient="row")
    delta().write_deltalake(table, state_frame, mode="append", **writing(seq, STATE))


def read(place: Place, at: dt.datetime | None = None) -> State:
    """Return what the lake knows, or knew at a time.

    Raises
    ------
    UsageError
        There is no lake, or one that a newer crmlab wrote; or it was not there at that time.
    """
    return _read(place, place.open(STATE), at)


def exists(place: Place) -> bool:
    """Return whether there is a lake, and what it knows of itself."""
    return place.exists(STATE) and _is_begun(place.open(STATE))


def _read(
    place: Place,
    table: Any,
    at: dt.datetime | None = None,
) -> State:
    states = place.scan(table)
    newest_seq = table.transaction_version("crmlab") or 0
    with place.in_words(STATE):
        if at is None:
            asked_state = states.filter(pl.col("seq") == newest_seq).collect()
        else:
            states_until = states.filter(pl.col("at") <= at).collect()
            asked_state = states_until.sort("seq").tail(1)
    if asked_state.is_empty():
        time_text = ""
        if at is not None:
            time_text = f" at {at:%Y-%m-%d %H:%M} UTC"
        raise _no_lake(place, time_text)
    document = asked_state["document"].item()
    # the format is looked at first: a document of a newer one may not fit the dataclass
    if msgspec.json.decode(document)["format"] > _FORMAT:
        raise UsageError(f"{place.root} was written by a newer crmlab: use that one")
    return msgspec.json.decode(document, type=State)


def of_all_times(place: Place) -> list[State]:
    """Return what the lake knew after each refresh that it still remembers, the earliest first.

    Raises
    ------
    UsageError
        As of `read`.
    """
    newest = read(place)  # says what is wrong with a lake that cannot be read
    table = place.open(STATE)
    with place.in_words(STATE):
        commits = place.scan(table).filter(pl.col("at") <= newest.at).collect()
    # of what was committed of one moment, the last is true: compacting tells of the same one
    last_of_each = commits.sort("seq").unique("at", keep="last").sort("at")
    return [msgspec.json.decode(document, type=State) for document in last_of_each["document"]]


def commit(place: Place, update: Callable[[State], State]) -> State:
    """Make what the lake knows something else, whatever others commit at the same time; return what it knows then.

    `update` gets the newest state, and more than once where another writer is faster.
    """

    def once() -> State:
        table = place.open(STATE)
        updated = update(_read(place, table))
        last_seq = table.transaction_version("crmlab") or 0
        with place.in_words(STATE):
            _append(table, updated, last_seq + 1)
        return updated

    return again(once)
