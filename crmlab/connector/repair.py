"""JSON that services send and no reader takes, made readable without a change of what it says."""

from __future__ import annotations

import re
from itertools import accumulate

import msgspec

#: levels of lists and objects that are kept; readers give up somewhere past a thousand
MAX_DEPTH = 200
#: no null: what is read of such a value must not pass for nothing
_TOO_DEEP = b'"nested too deeply"'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: any text between two quotes, or from one to the end, and one that is JSON. Where it ended at a quote alone, each
#: quote of a text without an end would be read to the end of the body anew
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_LEGAL_TEXT = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
#: what stands between two texts and is no number that JSON does not know: begins neither with N nor with I
_LEGAL_REST = rb"[^\"NI\-]++|-(?![NI])"
_NUMBERS = frozenset({b"NaN", b"-NaN", b"Infinity", b"-Infinity"})
_NO_NUMBER = rb"-?(?:NaN|Infinity)\b"
#: as much as is JSON at once, else one text or number that is none: hardly anything is looked at in Python
_LEGAL_OR_NOT = re.compile(
    rb"(?:%s|%s)++|(%s)|%s" % (_LEGAL_REST, _LEGAL_TEXT, _TEXT, _NO_NUMBER), re.DOTALL
)
_TEXTS = re.compile(_TEXT, re.DOTALL)
#: matches everywhere, with a bracket or up to the end: nothing is looked at twice
_UP_TO_A_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|%s)*+([\[\]{}]?+)' % _TEXT, re.DOTALL)
#: inside a string: a control character, or a backslash that begins no escape
_ILLEGAL = re.compile(rb'[\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_OPENING = b"[{"
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(each for each in range(256) if each not in _STEPS)


def repaired(body: bytes) -> bytes:
    r"""Return the JSON as a reader takes it; what is no JSON for another reason stays so.

    A byte order mark goes, control characters in text are escaped, NaN and Infinity become text (and so no
    number), and what is nested deeper than `MAX_DEPTH` becomes a text that says so.

    Examples
    --------
    >>> repaired(b'\xef\xbb\xbf{"a": "x\ty", "b": NaN}')
    b'{"a": "x\\u0009y", "b": "NaN"}'
    """
    if body.startswith(_UTF_16_MARKS):
        body = body.decode("utf-16", "replace").encode()
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if _is_json(body):
        return body
    body = _LEGAL_OR_NOT.sub(_legal, body)
    if _depth(body) > MAX_DEPTH:
        body = _cut(body)
    return body


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _legal(found: re.Match[bytes]) -> bytes:
    text = found[1]
    if text is not None:
        return _ILLEGAL.sub(_escaped, text)
    part = found[0]
    return b'"%s"' % part if part in _NUMBERS else part


def _escaped(found: re.Match[bytes]) -> bytes:
    part = found[0]
    if part == b"\\":
        return b"\\\\"
    return part if part.startswith(b"\\") else b"\\u%04x" % part[0]


def _depth(body: bytes) -> int:
    """Return how many levels of lists and objects there are."""
    brackets = _TEXTS.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _cut(body: bytes) -> bytes:
    """Return the JSON with a text in the place of what is too deep."""
    pieces: list[bytes] = []
    depth = 0
    position = 0
    for bracket_match in _UP_TO_A_BRACKET.finditer(body):
        bracket = bracket_match[1]
        if not bracket:
            continue
        if bracket in _OPENING:
            depth += 1
            if depth == MAX_DEPTH + 1:
                pieces += [body[position : bracket_match.end() - 1], _TOO_DEEP]
        else:
            if depth == MAX_DEPTH + 1:
                position = bracket_match.end()
            depth -= 1
    # a body that is cut off inside of what is too deep ends there
    if depth <= MAX_DEPTH:
        pieces.append(body[position:])
    return b"".join(pieces)
