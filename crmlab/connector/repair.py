"""JSON that services send and no reader takes, made readable without a change of what it says."""

from __future__ import annotations

import re

#: levels of lists and objects that are kept; readers give up somewhere past a thousand
MAX_DEPTH = 200
_TOO_DEEP = b"null"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: a string, a bracket, or a number that JSON does not know
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]|-?\b(?:NaN|Infinity)\b', re.DOTALL)
#: inside a string: a control character, or a backslash that begins no escape
_ILLEGAL = re.compile(rb'[\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')


def repaired(body: bytes) -> bytes:
    r"""Return the JSON as a reader takes it; what is no JSON for another reason stays so.

    A byte order mark goes, control characters in text are escaped, NaN and Infinity become text (and so no
    number), and what is nested deeper than `MAX_DEPTH` becomes null.

    Examples
    --------
    >>> repaired(b'\xef\xbb\xbf{"a": "x\ty", "b": NaN}')
    b'{"a": "x\\u0009y", "b": "NaN"}'
    """
    if body.startswith(_UTF_16_MARKS):
        body = body.decode("utf-16", "replace").encode()
    body = body.removeprefix(_BYTE_ORDER_MARK)
    kept: list[bytes] = []
    depth = 0
    end = 0
    for token in _TOKEN.finditer(body):
        sign = token[0][:1]
        if depth <= MAX_DEPTH:
            kept.append(body[end : token.start()])
        if sign in b"[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append(_TOO_DEEP)
        if depth <= MAX_DEPTH:
            kept.append(_legal(token[0]))
        if sign in b"]}":
            depth -= 1
        end = token.end()
    kept.append(body[end:])
    return b"".join(kept)


def _legal(token: bytes) -> bytes:
    if token.startswith(b'"'):
        return b'"' + _ILLEGAL.sub(_escaped, token[1:-1]) + b'"'
    return token if token in b"[]{}" else b'"' + token + b'"'


def _escaped(found: re.Match[bytes]) -> bytes:
    part = found[0]
    if part == b"\\":
        return b"\\\\"
    return part if part.startswith(b"\\") else b"\\u%04x" % part[0]
