"""Assumptions that a few harmless reads can test: what is asked, and what the answers say. Nothing here acts.

A probe asks with a generator: it yields a `Request`, is sent the `Page` that answers it, and returns a `Finding`::

    def reads(context: Context) -> Reads:
        page = yield Request(path="/customers", params={"page": "0"})
        if listed(page, "customers"):
            return refuted("there is a page 0", first_page=0)
        return confirmed("page 0 is empty")

An answer that is a refusal is raised where it was asked for, as the `crmlab.errors.ApiError` that it means; a probe
that does not catch it cannot tell. Two probes that ask the same share the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import Context, JsonPath
from crmlab.errors import TransportError

Verdict = Literal["confirmed", "refuted", "cannot be told"]
VERDICTS: tuple[Verdict, ...] = ("confirmed", "refuted", "cannot be told")

#: the `Probe.source` of what no document says
NOWHERE = "documented nowhere"

#: names of fields that a finding shows: how many, and how long each may be
_MAX_NAMES = 6
_MAX_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the reads of a probe say of its assumption.

    `found` is what was seen, or why nothing can be told; it never holds a value of a record. `facts` are what an
    account would have to be given for its service to be read as it is, see `crmlab.connector.Fact`.
    """

    verdict: Verdict
    found: str
    facts: Mapping[str, Any] = field(default_factory=dict)


#: the requests of a probe, each answered before the next, and what they say at last
Reads = Generator[Request, Page, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An assumption that a few harmless reads can test.

    `assumption` is a sentence that is true or not, and `source` where it is from: the vendor's document, or no
    document at all. `if_wrong` says what it means for who reads the account, and `fact` names the `Fact` that an
    account is given then, if there is one. `reads` asks and judges, with `max_requests` at most.
    """

    name: str
    assumption: str
    source: str
    if_wrong: str
    reads: Callable[[Context], Reads]
    max_requests: int
    fact: str = ""


def confirmed(found: str) -> Finding:
    """Return that it is as assumed."""
    return Finding(verdict="confirmed", found=found)


def refuted(found: str, **facts: Any) -> Finding:
    """Return that it is not as assumed, with the facts to read the account by where there are some."""
    return Finding(verdict="refuted", found=found, facts=facts)


def untold(why: str) -> Finding:
    """Return that nothing can be told, and why."""
    return Finding(verdict="cannot be told", found=why)


# ---- what an answer holds, whatever its shape -----------------------------------------------------


def listed(page: Page, *path: str, unwrap: str = "") -> list[dict[str, Any]]:
    """Return the records of an answer, from where they are documented or from the only list that is there.

    Anything but objects is left out, so that a probe can look at what is there and at nothing else.
    """
    body = _body(page)
    list_items = _at(body, path)
    if not isinstance(list_items, list):
        list_items = _only_list(body)
    records: list[dict[str, Any]] = []
    for list_item in list_items:
        if not isinstance(list_item, dict):
            continue
        record = list_item
        if unwrap:
            record = list_item.get(unwrap, list_item)
        if isinstance(record, dict):
            records.append(record)
    return records


def member(page: Page, *path: str) -> Any:
    """Return what stands at the end of the path in an answer; None where it breaks off."""
    return _at(_body(page), path)


def _body(page: Page) -> Any:
    try:
        return page.read(Any)
    except TransportError:
        return None


def _at(value: Any, path: JsonPath) -> Any:
    for member_name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(member_name)
    return value


def _only_list(value: Any) -> list[Any]:
    """Return the list that an object holds, looked for in the objects inside it too; empty where there are several."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    candidates = [part for part in value.values() if isinstance(part, list)]
    if not candidates:
        inside = [_only_list(part) for part in value.values()]
        candidates = [items for items in inside if items]
    return candidates[0] if len(candidates) == 1 else []


def shown(names: Iterable[object]) -> str:
    """Return names of fields as a finding shows them: not too many, not too long, and no other characters."""
    all_names = list(names)
    readable = [_readable(str(field_name)) for field_name in all_names[:_MAX_NAMES]]
    if len(all_names) > _MAX_NAMES:
        readable.append("…")
    return ", ".join(readable)


def _readable(name: str) -> str:
    characters = [character if character.isprintable() else "?" for character in name[:_MAX_NAME]]
    return "".join(characters)


# ---- probes that several services need --------------------------------------------------------------


def stands_at(page: Page, *path: str) -> Finding:
    """Return whether an answer holds its list where it is documented: at that path, or as the body itself."""
    documented_place = ".".join(path) or "the body itself"
    if isinstance(member(page, *path), list):
        return confirmed(f"the list is {documented_place}")
    body = _body(page)
    kind = f"a {type(body).__name__}"
    if isinstance(body, dict):
        kind = f"an object of {shown(body)}"
    if _only_list(body):
        return refuted(f"the list is not {documented_place}; the answer is {kind}")
    return untold(f"the answer holds no list: it is {kind}")


def has_fields(records: list[dict[str, Any]], *alternatives: tuple[str, ...]) -> Finding:
    """Return whether the records have of each row of names at least one."""
    filled = [record for record in records if record]
    if not filled:
        return untold("there is no record to look at")
    present: dict[str, None] = {}
    for record in filled:
        present |= dict.fromkeys(record)
    named: list[str] = []
    absent: list[str] = []
    for field_names in alternatives:
        present_names = [field_name for field_name in field_names if field_name in present]
        named += present_names
        if not present_names:
            absent.append(" or ".join(field_names))
    if not absent:
        return confirmed(f"{len(filled):,} looked at: {shown(named)} are there")
    return refuted(
        f"{len(filled):,} looked at: no {', no '.join(absent)}; there are {shown(present)}"
    )


def honours_size(
    page: Page, records: list[dict[str, Any]], asked: int, *, more: bool | None, name: str
) -> Finding:
    """Return whether a page holds as many records as asked for; `more` says whether the list has any beyond it."""
    if len(records) == asked:
        return confirmed(f"{asked:,} were asked for, and {asked:,} came")
    if len(records) > asked:
        return refuted(
            f"{asked:,} were asked for, and {len(records):,} came: {name} is not looked at"
        )
    if more and records:
        return refuted(
            f"{asked:,} were asked for, and {len(records):,} came, though there are more",
            page_size=len(records),
        )
    return untold(f"the list has only {len(records):,} records")


def is_sorted(times: Iterable[object], *, descending: bool) -> Finding:
    """Return whether times (as ISO 8601 text) or numbers come in that order."""
    given_times = [time for time in times if time not in (None, "")]
    if len(given_times) < 2 or len(set(map(type, given_times))) > 1:  # two make an order
        return untold(f"{len(given_times):,} records make no order")
    if len(set(given_times)) == 1:
        return untold("all records have the same")
    wanted = sorted(given_times, reverse=descending)  # type: ignore[type-var]  # of one type, as looked at above
    direction = "falling" if descending else "rising"
    if given_times == wanted:
        return confirmed(f"{len(given_times):,} records come in {direction} order")
    return refuted(f"{len(given_times):,} records do not come in {direction} order")


def have_zone(times: Iterable[object]) -> Finding:
    """Return whether times say their zone: ``Z`` or an offset at their end."""
    # a day alone needs no zone
    with_clock = [str(time).strip() for time in times if ":" in str(time or "")]
    if not with_clock:
        return untold("no record has a time")
    without_zone = [time for time in with_clock if not _has_zone(time)]
    if not without_zone:
        return confirmed(f"{len(with_clock):,} times looked at, each with its zone")
    return refuted(f"{len(without_zone):,} of {len(with_clock):,} times say no zone")


def _has_zone(time: str) -> bool:
    after_day = time[10:]
    return time[-1:] in ("Z", "z") or "+" in after_day or "-" in after_day
