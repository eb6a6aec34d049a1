"""Which records came already, by eight bytes of each. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

from crmlab.decoding import Record

#: bytes of a record that would take long to decode
_LONG = 100_000


class KnownRecords:
    """The records of one list, which are compared with others only where its end is in doubt."""

    def __init__(self) -> None:
        #: hashes in their order; a set as soon as there is something to compare with them
        self._hashes: array[int] | set[int] = array("q")

    def add(self, found: Sequence[Record], *, compare: bool) -> bool:
        """Take records in; return whether one of them is new, or true where nobody compares."""
        record_hashes = [record.fingerprint for record in found]
        if isinstance(self._hashes, array):
            if not compare:
                self._hashes.extend(record_hashes)
                return True
            self._hashes = set(self._hashes)
        are_known = self._hashes.issuperset(record_hashes)
        self._hashes.update(record_hashes)
        return not are_known


def signature(found: Sequence[Record]) -> int:
    """Return what tells a page from others, by a few of its records: whole pages would take long to compare.

    How the JSON is written makes no difference: what comes again from a cache may have other blanks.
    """
    middle = len(found) // 2
    sample = (*found[:1], *found[middle : middle + 1], *found[-1:])
    return hash((len(found), *map(_content, sample)))


def _content(record: Record) -> int:
    """Return a number that tells what a record says from what others say."""
    if record.size > _LONG:
        return record.fingerprint
    try:
        value = msgspec.json.decode(record.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return record.fingerprint
    return hash(msgspec.json.encode(value))
