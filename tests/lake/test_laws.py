"""Whatever happens to a lake, it holds what a dictionary would: now, at every time before, and in between."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crmlab
from crmlab.lake import state as states
from crmlab.lake import table as tables
from tests.lake.world import came, day, deals, ids, names, refreshed

#: one event in the life of a service and its lake
EVENTS = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 2)),
    st.tuples(st.just("delete"), st.integers(0, 5), st.just(0)),
    st.tuples(
        st.sampled_from(["refresh", "whole", "sweep", "incomplete", "compact"]),
        st.just(0),
        st.just(0),
    ),
    st.tuples(st.just("killed"), st.integers(0, 3), st.booleans()),
)


class Killed(Exception):
    """The process ends here."""


@contextmanager
def killed_after(commits: int) -> Iterator[None]:
    """Let that many commits be made, and end before the next."""
    left = [commits]
    commit = tables._commit
    append = states._append

    def one_less() -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1

    def commit_rows(*given: object) -> None:
        one_less()
        commit(*given)  # type: ignore[arg-type]

    def append_state(*given: object) -> None:
        one_less()
        append(*given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(tables, "_commit", commit_rows)
        patch.setattr(states, "_append", append_state)
        yield


class Life:
    """A service with deals, the lake that follows it, and what the lake must know."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service: dict[str, str] = {}
        self.unread: set[str] = set()
        self.known: dict[str, object] = {}
        #: what was missed, which goes on as it was when a sweep finds it
        self.missed: dict[str, object] = {}
        self.past: list[tuple[float, dict[str, object]]] = []
        self.clock = 0.0
        #: what killed refreshes may have written, which is true and is seen with the next commit
        self.written: dict[str, set[object]] = {}

    def changed(self) -> dict[str, str]:
        """Return what the service lists as changed since the last refresh."""
        return {id: self.service[id] for id in sorted(self.unread) if id in self.service}

    def happen(self, what: str, number: int, value: int) -> None:
        self.clock += 1
        getattr(self, what)(str(number), value)

    def set(self, id: str, value: int) -> None:
        if self.service.get(id) != str(value):
            self.service[id] = str(value)
            self.unread.add(id)

    def delete(self, id: str, value: int) -> None:
        self.service.pop(id, None)

    def _refresh(
        self, found: dict[str, str], *, whole: bool = False, complete: bool = True
    ) -> None:
        at = day(self.clock)
        refreshed(
            self.folder, came({"deals": deals(found)}, at, whole=whole, complete=complete), at
        )
        self.known |= found
        if whole and complete:
            self._miss(set(found))
        if complete:
            self.unread = set()
        self._published(found)

    def _miss(self, there: set[str]) -> None:
        """Forget what is not there."""
        self.missed |= {id: name for id, name in self.known.items() if id not in there}
        self.known = {id: name for id, name in self.known.items() if id in there}

    def _published(self, found: dict[str, str]) -> None:
        """Take note of what is seen now, with what killed refreshes have written."""
        now = names(crmlab.Lake(self.folder).scan("deals"))
        for id, values in self.written.items():
            if id not in found and now.get(id) in values:
                self.known.pop(id, None)
                self.known |= {id: now[id]} if id in now else {}
        self.written = {}
        self.past.append((self.clock, dict(self.known)))

    def refresh(self, id: str, value: int) -> None:
        self._refresh(self.changed())

    def whole(self, id: str, value: int) -> None:
        self._refresh(dict(self.service), whole=True)

    def incomplete(self, id: str, value: int) -> None:
        self._refresh(dict(list(self.changed().items())[:1]), whole=True, complete=False)

    def sweep(self, id: str, value: int) -> None:
        at = day(self.clock)
        refreshed(self.folder, None, at, ids("deals", set(self.service)))
        there_again = self.service.keys() & self.missed.keys() - self.known.keys()
        self.known |= {each: self.missed[each] for each in there_again}
        self._miss(set(self.service))
        self._published({})

    def compact(self, id: str, value: int) -> None:
        crmlab.Lake(self.folder).compact()
        self._published({})

    def killed(self, commits: str, whole: int) -> None:
        found = dict(self.service) if whole else self.changed()
        at = day(self.clock)
        with killed_after(int(commits)):
            refreshed(self.folder, came({"deals": deals(found)}, at, whole=bool(whole)), at)
        lake = crmlab.Lake(self.folder)
        if lake.status()["known_at"].max() == at:  # all of its commits were made
            self.known |= found
            if whole:
                self._miss(set(found))
            self.unread = set()
            self._published(found)
            return
        for id in {*found, *self.known} if whole else found:
            self.written.setdefault(id, set()).add(found.get(id))

    def check(self) -> None:
        lake = crmlab.Lake(self.folder)
        now = names(lake.scan("deals"))
        assert now == self.known
        for clock, then in self.past:
            time = day(clock)
            assert names(lake.as_of(time).deals) == then
            found = lake.changes(time).get("deals")
            different = (
                set() if found is None else {(row["id"], row["change"]) for row in found.to_dicts()}
            )
            assert different == _difference(then, now)


def _difference(then: dict[str, object], now: dict[str, object]) -> set[tuple[str, str]]:
    added = {(id, "added") for id in now.keys() - then.keys()}
    deleted = {(id, "deleted") for id in then.keys() - now.keys()}
    return (
        added
        | deleted
        | {(id, "changed") for id in now.keys() & then.keys() if now[id] != then[id]}
    )


@given(events=st.lists(EVENTS, max_size=9), buckets=st.sampled_from([1, 2]))
@settings(
    max_examples=int(os.environ.get("CRMLAB_EXAMPLES", "8")),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
def test_a_lake_holds_what_a_dictionary_would(
    events: list[tuple[str, int, int]], buckets: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "buckets_for", lambda rows: buckets)
        life = Life(Path(folder) / "lake")
        life.happen("set", 1, 1)
        life.happen("refresh", 0, 0)
        for event in events:
            life.happen(*event)
        life.happen("refresh", 0, 0)
        life.check()
