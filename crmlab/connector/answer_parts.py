"""The parts of an answer that is restated, each looked for where it is documented: what is not there is told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

#: of the names that a note shows: how many, and how long each may be
_MAX_NAMES = 5
_MAX_NAME = 40
_KINDS = ((dict, "an object"), (list, "a list"), (str, "a text"))


class AnswerParts:
    """What an object of an answer holds.

    A list that does not stand where it is documented reads as an empty one and leaves a doubt: its records may be
    missing. What stands beside it under names that nobody documented leaves a remark. Both are handed on as
    `Page.doubts` and `Page.remarks`.

    Examples
    --------
    >>> parts = AnswerParts({"attributes": {"failed": [1], "rejected": []}})
    >>> parts.list_at("attributes", "rejected"), parts.list_at("attributes", "error")
    ([], [])
    >>> list(parts.doubts)
    ['an answer holds nothing at attributes.error, where a list is documented']
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.doubts: dict[str, None] = {}
        self.remarks: dict[str, None] = {}

    def doubt(self, reason: str) -> None:
        """Say why records may be missing."""
        self.doubts.setdefault(reason)

    def list_at(self, *way: str, also: str = "") -> list[Any]:
        """Return the list at the end of a way through objects; `also` is another name that its last part may have."""
        names = [way[-1], also] if also else [way[-1]]
        found = [self._at(*way[:-1], name) for name in names]
        lists = [value for value in found if isinstance(value, list)]
        if not lists:
            self._doubt_of(
                way, next((value for value in found if value is not None), None), "a list"
            )
            return []
        return next((each for each in lists if each), [])

    def lists_at(self, *way: str) -> Iterator[tuple[str, list[Any]]]:
        """Yield each name of the object at the end of a way, with the list that stands there."""
        named = self._at(*way)
        if named == []:  # as some services write an object without members
            return
        if not isinstance(named, dict):
            self._doubt_of(way, named, "an object")
            return
        for name, value in named.items():
            if isinstance(value, list):
                yield name, value
            else:
                self._doubt_of((*way, "*"), value, "a list")

    def note_others(self, *way: str, known: Collection[str]) -> None:
        """Say what the object at the end of a way holds beside what is documented."""
        members = self._at(*way)
        if not isinstance(members, dict):
            return
        others = [
            name[:_MAX_NAME]
            for name, value in members.items()
            if name not in known and value not in (None, "")
        ]
        if others:
            place = f" inside {'.'.join(way)}" if way else ""
            shown = ", ".join(others[:_MAX_NAMES])
            self.remarks.setdefault(
                f"answers hold what nobody documented{place}, which is not read: {shown}"
            )

    def _at(self, *way: str) -> Any:
        found: Any = self.answer
        for name in way:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _doubt_of(self, way: tuple[str, ...], found: Any, wanted: str) -> None:
        kind = "nothing" if found is None else "a single value"
        for type_, named in _KINDS:
            kind = named if isinstance(found, type_) else kind
        self.doubt(f"an answer holds {kind} at {'.'.join(way)}, where {wanted} is documented")
