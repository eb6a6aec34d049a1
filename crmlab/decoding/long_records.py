"""Records longer than any of a CRM: their longest values are left out and told, before columns are made of them.

What a record takes in memory while it is decoded is some ten times its length.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from crmlab.decoding.layout import raw_members
from crmlab.decoding.records import Record

#: bytes of a record; of longer ones the longest values are left out
MAX_RECORD = 4_000_000
WANTED = f"a record of at most {MAX_RECORD:,} bytes"
#: bytes of fields that nobody documented, up to which they stay in a long record
_MAX_OTHERS = 1_000_000
#: what a misfit of fields that nobody documented is called
OTHERS = "(fields that nobody documented)"
#: bytes of what is left out that are shown
_SHOWN = 1_000
_NO_OBJECT = b"0"

_Members = dict[str, msgspec.Raw]
_MEMBERS = msgspec.json.Decoder(_Members)


def is_long(record: Record) -> bool:
    """Whether the longest values of a record have to be left out."""
    return record.size > MAX_RECORD


def beginning(json: bytes | msgspec.Raw) -> bytes:
    """Return what is shown of JSON that is too long, with its length."""
    return b"%b\xe2\x80\xa6 (%d bytes)" % (bytes(memoryview(json)[:_SHOWN]), len(json))


def shortened(
    json: bytes | msgspec.Raw, known: Collection[str], wrapper: str | None
) -> tuple[bytes, dict[str, str]]:
    """Return an object without its longest values, and the beginning of each by the name of its field.

    `known` are the names of documented fields, and `wrapper` the one that holds the record. What is no object becomes a
    number, which is none either.
    """
    try:
        members, left_out = _members(json, known)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NO_OBJECT, {}
    for long_name in _longest(members, wrapper):
        left_out[long_name] = _told(members.pop(long_name))
    if wrapper in members and len(members[wrapper]) > MAX_RECORD:
        inner, left_out_inside = shortened(members[wrapper], known, None)
        members[wrapper] = msgspec.Raw(inner)
        left_out |= left_out_inside
    return msgspec.json.encode(members), left_out


def _members(json: bytes | msgspec.Raw, known: Collection[str]) -> tuple[_Members, dict[str, str]]:
    """Return the fields of an object, without those that nobody documented where these are long themselves.

    They are not even looked at then: there may be millions of them.
    """
    members = raw_members(json, known)
    documented_bytes = sum(map(len, members.values()))
    if len(json) - documented_bytes > _MAX_OTHERS:
        return members, {OTHERS: _told(json)}
    return _MEMBERS.decode(json), {}


def _longest(members: _Members, wrapper: str | None) -> Iterator[str]:
    """Yield the names of the longest values, until the others are short enough together."""
    lengths = {name: len(value) for name, value in members.items() if name != wrapper}
    total = sum(lengths.values())
    for name in sorted(lengths, key=lengths.__getitem__, reverse=True):
        if total <= MAX_RECORD:
            return
        total -= lengths[name]
        yield name


def _told(json: bytes | msgspec.Raw) -> str:
    return beginning(json).decode("utf-8", "replace")
