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
        values = [self._at(*way)]
        if also:
            values.append(self._at(*way[:-1], also))
        lists = [value for value in values if isinstance(value, list)]
        if not lists:
            given = [value for value in values if value is not None]
            self._doubt_of(way, next(iter(given), None), "a list")
            return []
        # services that have both names leave one of them empty
        filled = [value for value in lists if value]
        return next(iter(filled), [])

    def lists_at(self, *way: str) -> Iterator[tuple[str, list[Any]]]:
        """Yield each name of the object at the end of a way, with the list that stands there."""
        members = self._at(*way)
        if members == []:  # as some services write an object without members
            return
        if not isinstance(members, dict):
            self._doubt_of(way, members, "an object")
            return
        for member_name, value in members.items():
            if isinstance(value, list):
                yield member_name, value
            else:
                self._doubt_of((*way, "*"), value, "a list")

    def note_others(self, *way: str, known: Collection[str]) -> None:
        """Say what the object at the end of a way holds beside what is documented."""
        members = self._at(*way)
        if not isinstance(members, dict):
            return
        others: list[str] = []
        for member_name, value in members.items():
            if member_name not in known and value not in (None, ""):
                others.append(member_name[:_MAX_NAME])
        if not others:
            return
        way_in_words = f" inside {'.'.join(way)}" if way else ""
        shown_names = ", ".join(others[:_MAX_NAMES])
        self.remarks.setdefault(
            f"answers hold what nobody documented{way_in_words}, which is not read: {shown_names}"
        )

    def _at(self, *way: str) -> Any:
        value: Any = self.answer
        for member_name in way:
            if not isinstance(value, dict):
                return None
            value = value.get(member_name)
        return value

    def _doubt_of(self, way: tuple[str, ...], found: Any, wanted: str) -> None:
        way_in_words = ".".join(way)
        self.doubt(
            f"an answer holds {_kind(found)} at {way_in_words}, where {wanted} is documented"
        )


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    for type_, words in _KINDS:
        if isinstance(value, type_):
            return words
    return "a single value"
