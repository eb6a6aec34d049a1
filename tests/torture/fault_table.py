"""What can be wrong with an answer on its way: a table of faults, each a change of one answer. Pure.

`reason` is a pattern of what crmlab must say where it does not get the same rows in spite of the fault.
`unseen` marks what no client can notice of a list that nothing counts.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

#: bytes; less than the bombs, more than any answer of the sandbox
MAX_BODY = 4_000_000
#: seconds that are longer than one answer may take
LONG = 60.0
JSON_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer as it is sent.

    Parameters
    ----------
    path
        what was asked for, without its query
    wait
        seconds before its first byte
    drip
        seconds that its body takes
    sent
        the share of its body after which the connection is cut; 0 is before the first byte, 1 is not at all
    length
        what Content-Length says; None says nothing, and the connection is closed at the end
    head
        the status line and the headers as they are, in place of `status` and `headers`; LENGTH in them is that of the
        body that is sent
    """

    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    wait: float = 0.0
    drip: float = 0.0
    sent: float = 1.0
    length: int | None = -1
    head: bytes | None = None

    def with_header(self, name: str, value: str | None) -> Answer:
        """Return the answer with this header in place of any of that name; None takes it away."""
        others = tuple(each for each in self.headers if each[0].lower() != name.lower())
        return replace(self, headers=others if value is None else (*others, (name, value)))

    def with_json(self, value: Any) -> Answer:
        """Return the answer with another body."""
        return replace(self, body=json.dumps(value).encode())


#: returns the changed answer, or None where the fault cannot be had of this one; it is told the earlier answers to
#: the same path
Change = Callable[[Answer, Sequence[Answer]], Answer | None]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of fault."""

    name: str
    change: Change
    reason: str = "(?!)"
    unseen: bool = False


def status(number: int, text: str = "", content_type: str = "text/plain", **headers: str) -> Change:
    """Refuse with a status and a text."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())

    def change(answer: Answer, before: Sequence[Answer]) -> Answer:
        return replace(
            answer,
            status=number,
            headers=(("Content-Type", content_type), *named),
            body=text.encode("utf-8"),
        )

    return change


def body(make: Callable[[bytes], bytes], **headers: str) -> Change:
    """Change the body, and some headers."""

    def change(answer: Answer, before: Sequence[Answer]) -> Answer | None:
        if answer.status != 200:  # of a refusal the status says enough
            return None
        changed = replace(answer, body=make(answer.body))
        for name, value in headers.items():
            changed = changed.with_header(name.replace("_", "-"), value)
        return changed

    return change


def header(name: str, value: str | None) -> Change:
    """Change a header."""
    return lambda answer, before: answer.with_header(name, value)


def sending(**how: Any) -> Change:
    """Change how it is sent."""
    return lambda answer, before: replace(answer, **how)


def length(change_of: Callable[[int], int | None]) -> Change:
    """Say another length than the body has."""
    return lambda answer, before: replace(answer, length=change_of(len(answer.body)))


def head(lines: bytes) -> Change:
    """Send this in place of the status line and the headers."""
    return sending(head=lines)


# ---- pages ----------------------------------------------------------------------------------------------------


def with_list(answer: Answer, change: Callable[[list[Any]], list[Any]]) -> Answer | None:
    """Return the answer with its longest list of records changed; None where it has none."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return None
    places = [place for place in _lists(found, ()) if len(_at(found, place)) > 1]
    if answer.status != 200 or not places:
        return None
    place = max(places, key=lambda each: len(_at(found, each)))
    changed = change(_at(found, place))
    if not place:
        return answer.with_json(changed)
    _at(found, place[:-1])[place[-1]] = changed
    return answer.with_json(found)


def _lists(value: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if isinstance(value, list):
        return [path] if all(isinstance(item, dict) for item in value) else []
    if not isinstance(value, dict):
        return []
    found: list[tuple[str, ...]] = []
    for name, inner in value.items():
        found += _lists(inner, (*path, name))
    return found


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[name]
    return value


def empty_page(answer: Answer, before: Sequence[Answer]) -> Answer | None:
    """Send a page without its records; not in place of the only answer that tells a count."""
    return with_list(answer, lambda records: [])


def stale_page(answer: Answer, before: Sequence[Answer]) -> Answer | None:
    """Send a page as it was when a third of its records were not there yet."""
    return with_list(answer, lambda records: records[: 2 * len(records) // 3])


def twice_on_a_page(answer: Answer, before: Sequence[Answer]) -> Answer | None:
    """Send a page on which the first records stand twice."""
    return with_list(answer, lambda records: [*records[:3], *records])


def earlier_page(answer: Answer, before: Sequence[Answer]) -> Answer | None:
    """Send an earlier page of the list in the place of this one."""
    others = [each for each in before if each.body != answer.body and with_list(each, list)]
    if not others or not with_list(answer, list):
        return None
    return replace(answer, body=others[-1].body, headers=others[-1].headers)


# ---- cursors --------------------------------------------------------------------------------------------------

_IN_BODY = re.compile(rb'("next_from_id":\s*)("[^"]+"|\d+)')
_IN_HEADERS = ("Next-Cursor", "Next-Link")


def cursor(answer: Answer) -> str | None:
    """Return what names the next page; None where nothing does."""
    in_body = _IN_BODY.search(answer.body)
    if in_body:
        return in_body.group(2).decode().strip('"')
    return dict(answer.headers).get(_IN_HEADERS[0])


def with_cursor(answer: Answer, token: str) -> Answer:
    """Return an answer that names another page as the next one."""
    if _IN_BODY.search(answer.body):
        as_json = token.encode() if token.isdecimal() else b'"%s"' % token.encode()
        return replace(
            answer, body=_IN_BODY.sub(lambda match: match.group(1) + as_json, answer.body, count=1)
        )
    named = cursor(answer) or ""
    for name in _IN_HEADERS:
        value = dict(answer.headers)[name]
        answer = answer.with_header(
            name, value.replace(quote(named, safe="-_"), quote(token)).replace(named, token)
        )
    return answer


def cursor_of(which: Callable[[Sequence[Answer]], Answer | None]) -> Change:
    """Name a page as the next one that an earlier answer named."""

    def change(answer: Answer, before: Sequence[Answer]) -> Answer | None:
        named = [each for each in before if cursor(each) and _is_same_list(each, answer)]
        other = which(named)
        if other is None or cursor(answer) in (None, cursor(other)):
            return None
        return with_cursor(answer, cursor(other) or "")

    return change


def _is_same_list(one: Answer, other: Answer) -> bool:
    """Whether both name their next page in the same way: at the same path there may be lists that have none."""
    return bool(_IN_BODY.search(one.body)) == bool(_IN_BODY.search(other.body))


def no_cursor(answer: Answer, before: Sequence[Answer]) -> Answer | None:
    """Name no next page."""
    if cursor(answer) is None:
        return None
    if _IN_BODY.search(answer.body):
        return replace(answer, body=_IN_BODY.sub(rb"\1null", answer.body))
    for name in _IN_HEADERS:
        answer = answer.with_header(name, None)
    return answer


def endless(*, empties: bool) -> Change:
    """Name yet another page for ever: the same records again and again, or none."""

    def change(answer: Answer, before: Sequence[Answer]) -> Answer | None:
        named = [each for each in before if cursor(each)]
        if not named:
            return None
        token = f"{cursor(named[0])}{len(before)}"
        page = with_list(named[0], lambda records: [] if empties else records)
        return with_cursor(page, token) if page else None

    return change


def number_said(name: bytes, value: bytes) -> Change:
    """Say another number of pages or records."""
    # beside what tells of pages: a record may have a field of that name
    pattern = re.compile(
        rb'("%s":)\d+(?=,"(?:page|next_from_id|%s)"|,"companies"|,"[a-z]+":\[)' % (name, name)
    )

    def change(answer: Answer, before: Sequence[Answer]) -> Answer | None:
        if not pattern.search(answer.body):
            return None
        return replace(answer, body=pattern.sub(rb"\g<1>" + value, answer.body))

    return change


def _last(answers: Sequence[Answer]) -> Answer | None:
    return answers[-1] if answers else None


def _first(answers: Sequence[Answer]) -> Answer | None:
    return answers[0] if len(answers) > 1 else None


# ---- the table ------------------------------------------------------------------------------------------------

_HTML = "<html><body><h1>Please sign in to the network</h1></body></html>"
_NOT_JSON = r"not the expected JSON|where .* documented|nested too deeply"
_NO_LIST = r"answered HTTP 2\d\d with .* where .* is documented|HTTP \d\d\d|" + _NOT_JSON
_BROKEN_OFF = r"connection to .* failed|cut off|did not answer in time|cannot reach"
#: what a look-up by id is told where 404 says that it was deleted
NOTHING_THERE = "requests: nothing there"
#: what a list is told whose answer is how the service shows an empty one
NO_LIST_IS_EMPTY = "without a list, which is taken for an empty one"
#: what Altcraft's token may see, as far as its own words for an empty list tell
_SEES_NOTHING = "sees no database|names no field|came without its"
#: how a service of these says itself that a list is empty
_EMPTY_ANSWERS = (
    '{"status": true, "code": 200}',
    '{"error": 0, "error_text": "Successful operation"}',
)
_GZIP = r"connection to .* failed|cut off|not the expected JSON"
_IN_TIME = r"did not answer in time|brought no new record in"
_BEYOND_MAX = r"larger than [\d,]+ bytes"
#: of pages, cursors and counts
OTHER_ROWS = (
    r"came again|repeats page|the service counts|leads back|changed while|missing|counts? \d|"
    r"brought no new|does not end|is empty, though|there may be more"
)
_FUTURE = format_datetime(datetime(2090, 1, 1, tzinfo=UTC), usegmt=True)
_PAST = format_datetime(datetime(1999, 1, 1, tzinfo=UTC), usegmt=True)


def _soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


def _refused_until_soon(answer: Answer, before: Sequence[Answer]) -> Answer | None:
    return status(429, "slow down", Retry_After=_soon())(answer, before)


def _refused(name: str, retry_after: str) -> Fault:
    return Fault(
        name=f"429, Retry-After {name}",
        change=status(429, "{}", Retry_After=retry_after),
        reason="HTTP 429",
    )


def _gateway(text: str) -> Fault:
    change = body(lambda old: text.encode(), Content_Type=JSON_TYPE)
    is_empty = text in _EMPTY_ANSWERS
    reason = (
        f"{_NO_LIST}|{_SEES_NOTHING}|{NO_LIST_IS_EMPTY}"
        if is_empty
        else f"{_NO_LIST}|records rejected"
    )
    return Fault(name=f"200 {text}", change=change, reason=reason, unseen=is_empty)


FAULTS: tuple[Fault, ...] = (
    Fault(name="latency", change=sending(wait=0.2)),
    Fault(name="a slow drip", change=sending(drip=0.3)),
    Fault(name="a drip that is too slow", change=sending(drip=LONG), reason=_IN_TIME),
    Fault(name="never an answer", change=sending(wait=LONG), reason=_IN_TIME),
    Fault(name="429 without Retry-After", change=status(429, "slow down"), reason="HTTP 429"),
    _refused("1", "1"),
    Fault(name="429, Retry-After a date", change=_refused_until_soon, reason="HTTP 429"),
    _refused("a date long ago", _PAST),
    _refused("a date far away", _FUTURE),
    _refused("1e400", "1e400"),
    _refused("20 digits", "9" * 20),
    _refused("nan", "nan"),
    _refused("-5", "-5"),
    _refused("soon", "soon"),
    _refused("٣ (a digit, not ASCII)", "٣"),
    Fault(name="503, Retry-After 1", change=status(503, "{}", Retry_After="1"), reason="HTTP 503"),
    Fault(name="403 as text", change=status(403, "Forbidden"), reason="HTTP 403"),
    Fault(name="403 as HTML", change=status(403, _HTML, "text/html"), reason="HTTP 403"),
    Fault(name="403 about a rate", change=status(403, "Rate limit exceeded"), reason="HTTP 403"),
    Fault(name="401", change=status(401, '{"message": "no"}', JSON_TYPE), reason="HTTP 401"),
    *(
        Fault(
            name=str(number),
            change=status(number, _HTML, "text/html"),
            reason=f"HTTP {number}|{NOTHING_THERE}" if number == 404 else f"HTTP {number}",
        )
        for number in (404, 408, 410, 418, 451, 500, 501, 502, 503, 504, 520, 599)
    ),
    Fault(name="reset before the answer", change=sending(sent=0.0), reason=_BROKEN_OFF),
    Fault(name="reset in the body", change=sending(sent=0.5), reason=_BROKEN_OFF),
    Fault(name="reset before the last byte", change=sending(sent=0.999), reason=_BROKEN_OFF),
    Fault(
        name="cut gzip",
        change=body(lambda old: gzip.compress(old)[:-20], Content_Encoding="gzip"),
        reason=_GZIP,
    ),
    Fault(name="gzip that is none", change=header("Content-Encoding", "gzip"), reason=_GZIP),
    Fault(
        name="gzip of another gzip",
        change=body(lambda old: gzip.compress(gzip.compress(old)), Content_Encoding="gzip"),
        reason=_NOT_JSON,
    ),
    Fault(name="gzip that nothing tells", change=body(gzip.compress), reason=_NOT_JSON),
    Fault(name="gzip as it should be", change=body(gzip.compress, Content_Encoding="gzip")),
    Fault(
        name="an encoding that nobody knows",
        change=header("Content-Encoding", "x-own"),
        reason=_NOT_JSON,
    ),
    Fault(
        name="a bomb of gzip",
        change=body(lambda old: gzip.compress(b" " * 10 * MAX_BODY), Content_Encoding="gzip"),
        reason=_BEYOND_MAX,
    ),
    Fault(name="a huge body", change=body(lambda old: old + b" " * MAX_BODY), reason=_BEYOND_MAX),
    Fault(name="half of the JSON", change=body(lambda old: old[: len(old) // 2]), reason=_NOT_JSON),
    Fault(name="JSON without its last byte", change=body(lambda old: old[:-1]), reason=_NOT_JSON),
    Fault(name="JSON with another after it", change=body(lambda old: old + old), reason=_NOT_JSON),
    Fault(
        name="malformed JSON", change=body(lambda old: old.replace(b":", b"=", 3)), reason=_NOT_JSON
    ),
    Fault(name="no byte at all", change=body(lambda old: b""), reason=_NOT_JSON),
    Fault(name="deeply nested JSON", change=body(lambda old: b"[" * 100_000), reason=_NOT_JSON),
    Fault(
        name="200 with HTML",
        change=body(lambda old: _HTML.encode(), Content_Type="text/html"),
        reason=_NOT_JSON,
    ),
    Fault(name="200 with HTML as JSON", change=body(lambda old: _HTML.encode()), reason=_NOT_JSON),
    *map(
        _gateway,
        (
            '{"message": "Endpoint request timed out"}',
            '{"error": "upstream"}',
            '{"errors": [{"status": "503"}]}',
            '{"success": false}',
            '{"status": "ok"}',
            '{"status": 0, "message": "OK"}',
            '{"status": true, "code": 200}',
            '{"error": 0, "error_text": "Successful operation"}',
            '{"data": null}',
            '{"data": {}}',
            '{"data": {"message": "later"}}',
            '{"id": "req-1", "message": "later"}',
            '[{"message": "later"}]',
            "{}",
            "null",
            "true",
            "0",
            '"later"',
            "[[]]",
        ),
    ),
    Fault(name="204", change=status(204), reason=_NO_LIST + "|has no content"),
    Fault(name="202 with nothing", change=status(202, "", JSON_TYPE), reason=_NO_LIST),
    Fault(name="206", change=sending(status=206)),
    Fault(name="203", change=sending(status=203)),
    Fault(name="304", change=status(304), reason="HTTP 304"),
    Fault(name="text/html", change=header("Content-Type", "text/html")),
    Fault(name="no type", change=header("Content-Type", None)),
    Fault(name="a type that is none", change=header("Content-Type", ";;=/")),
    Fault(
        name="charset that is wrong",
        change=header("Content-Type", "application/json; charset=utf-16"),
    ),
    Fault(
        name="charset that is none",
        change=header("Content-Type", "application/json; charset=ebcdic-9"),
    ),
    Fault(
        name="UTF-8 with a mark", change=body(lambda old: b"\xef\xbb\xbf" + old), reason=_NOT_JSON
    ),
    Fault(name="UTF-16", change=body(lambda old: old.decode().encode("utf-16")), reason=_NOT_JSON),
    Fault(
        name="half a character",
        change=body(lambda old: old.replace(b'"', b'"\xc3', 30)),
        reason=_NOT_JSON,
    ),
    Fault(name="no length", change=sending(length=None)),
    Fault(name="length too large", change=length(lambda size: size + 10), reason=_BROKEN_OFF),
    Fault(
        name="length too small",
        change=length(lambda size: size // 2),
        reason=_BROKEN_OFF + "|" + _NOT_JSON,
    ),
    Fault(
        name="length that is none",
        change=head(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n"),
        reason=_BROKEN_OFF,
    ),
    Fault(name="a status line that is none", change=head(b"HELLO\r\n"), reason=_BROKEN_OFF),
    Fault(
        name="chunks that are none",
        change=head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"),
        reason=_BROKEN_OFF,
    ),
    Fault(
        name="a header without a name",
        change=head(b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: LENGTH\r\n"),
        reason=_BROKEN_OFF,
    ),
    Fault(name="a header of 100 kB", change=header("X-Trace", "x" * 100_000), reason=_BROKEN_OFF),
    Fault(
        name="bytes that are no text in a header",
        change=head(b"HTTP/1.1 200 \xff\xfe\r\nX-A: \xff\xfe\r\nContent-Length: LENGTH\r\n"),
        reason=_BROKEN_OFF,
    ),
    Fault(
        name="100 before the answer",
        change=head(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n"),
    ),
    Fault(name="a cookie", change=header("Set-Cookie", "a=b; Domain=.example; Path=/")),
    Fault(name="a clock ahead", change=header("Date", _FUTURE)),
    Fault(name="a clock behind", change=header("Date", _PAST)),
    Fault(name="no clock", change=header("Date", "now")),
    Fault(
        name="redirect to another host",
        change=status(302, "", Location="http://127.0.0.2:9/x"),
        reason="HTTP 302",
    ),
    Fault(name="redirect to itself", change=status(301, "", Location="?"), reason="HTTP 301"),
    Fault(
        name="redirect for good",
        change=status(308, "", Location="https://elsewhere.invalid/"),
        reason="HTTP 308",
    ),
    Fault(name="redirect to nowhere", change=status(307, ""), reason="HTTP 307"),
    Fault(
        name="an empty page",
        change=empty_page,
        reason=f"{OTHER_ROWS}|{_NO_LIST}|{_SEES_NOTHING}",
        unseen=True,
    ),
    Fault(name="a stale page", change=stale_page, reason=OTHER_ROWS, unseen=True),
    Fault(name="records twice on a page", change=twice_on_a_page, reason=OTHER_ROWS),
    Fault(
        name="an earlier page", change=earlier_page, reason=OTHER_ROWS + "|" + _NO_LIST, unseen=True
    ),
    Fault(name="a cursor that repeats", change=cursor_of(_last), reason=OTHER_ROWS),
    Fault(name="a cursor that goes back", change=cursor_of(_first), reason=OTHER_ROWS),
    Fault(name="a cursor that is lost", change=no_cursor, reason=OTHER_ROWS, unseen=True),
    Fault(name="cursors that never end", change=endless(empties=False), reason=OTHER_ROWS),
    Fault(
        name="empty pages that never end",
        change=endless(empties=True),
        reason=OTHER_ROWS + "|empty pages",
        unseen=True,
    ),
    Fault(
        name="ten million pages",
        change=number_said(b"max_page", b"10000000"),
        reason="tells of 10,000,000 pages",
    ),
    Fault(name="one page in all", change=number_said(b"max_page", b"1"), reason=OTHER_ROWS),
    Fault(name="a count of nothing", change=number_said(b"total_count", b"0"), reason=OTHER_ROWS),
    Fault(
        name="a count too large", change=number_said(b"total_count", b"100000"), reason=OTHER_ROWS
    ),
)
