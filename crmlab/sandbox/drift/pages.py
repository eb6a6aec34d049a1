"""Pages that come otherwise than documented: their size, their numbers, what leads on, what tells the end."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crmlab.providers import registry
from crmlab.sandbox.drift.exchange import Asked, Difference, Given
from crmlab.sandbox.service import Service

#: records of a page, however many are asked for
CAP = 50
#: the page of a chain that leads back to an earlier one, and the pointer that is refused
_THIRD = 3
#: what a pointer ends with that an empty page gave
_AGAIN = "~"
#: one request in so many is answered by something in between
_ONE_IN = 15
_COUNTS = frozenset({"total_count", "max_page", "per_page", "items_left", "pagination"})
_POINTER = "next_from_id"
_POINTER_HEADER = "Next-Cursor"
_POINTER_LINK = "Next-Link"


# ---- sizes and numbers --------------------------------------------------------------------------


def _asks_for_too_many(asked: Asked) -> bool:
    size = asked.number(asked.service.size_in)
    return size is not None and size > CAP


def _capped(asked: Asked) -> None:
    if _asks_for_too_many(asked):
        asked.put(asked.service.size_in, CAP)


def _untold(asked: Asked, given: Given) -> None:
    """Take away what tells the size of a page."""
    if given.counts is not None:
        given.counts.pop("per_page", None)
        given.counts.pop("max_page", None)


def _knows(service: Service) -> frozenset[str]:
    """Return the names of all parameters that the service documents, for whatever operation."""
    operations = registry()[service.name].operations()
    names = {name.partition("[")[0] for each in operations for name in each.query}
    return frozenset(names)


def _refused_if_unknown(asked: Asked) -> web.Response | None:
    asked_for = {name.partition("[")[0] for name in asked.query}
    unknown = asked_for - _knows(asked.service)
    return asked.service.refusal(400) if unknown and asked.body is None else None


def _refused_size(asked: Asked) -> web.Response | None:
    return asked.service.refusal(400) if _asks_for_too_many(asked) else None


def _ignored_size(asked: Asked) -> None:
    asked.drop(asked.service.size_in)


def _from_zero(asked: Asked) -> None:
    number = asked.number(asked.service.page_in)
    if number is not None:
        asked.put(asked.service.page_in, number + 1)


def _ignored_page(asked: Asked) -> None:
    asked.drop(asked.service.page_in)


# ---- what tells the end -------------------------------------------------------------------------


def _no_counts(asked: Asked, given: Given) -> None:
    if given.counts is not None:
        for name in _COUNTS & given.counts.keys():
            del given.counts[name]


def _counts_too_many(asked: Asked, given: Given) -> None:
    if given.counts is not None and "total_count" in given.counts:
        given.counts["total_count"] += 3


def _repeated_last_page(asked: Asked, given: Given) -> None:
    """Give the last page that held something, where one past the end is asked for."""
    number = asked.number(asked.service.page_in)
    if number is None or given.items is None:
        return
    key = ("last page", asked.path, asked.get(asked.service.size_in))
    last, items = asked.memory.get(key, (0, []))
    if not given.items:
        given.items = items
    elif number >= last:
        asked.memory[key] = (number, given.items)


def _refused_past_end(asked: Asked, given: Given) -> web.Response | None:
    number = asked.number(asked.service.page_in)
    is_past = number is not None and number > 1 and given.items == []
    return asked.service.refusal(404) if is_past else None


def _no_content(asked: Asked, given: Given) -> web.Response | None:
    return web.Response(status=204) if given.items == [] else None


# ---- pointers -----------------------------------------------------------------------------------


def _pointer(given: Given) -> Any:
    if isinstance(given.data, dict):
        return given.data.get(_POINTER)
    return given.headers.get(_POINTER_HEADER)


def _point_to(given: Given, pointer: str) -> None:
    if isinstance(given.data, dict):
        given.data[_POINTER] = pointer
        return
    given.headers[_POINTER_HEADER] = pointer
    given.headers.pop(_POINTER_LINK, None)


def _no_pointer(asked: Asked, given: Given) -> None:
    given.headers.pop(_POINTER_LINK, None)
    given.headers.pop(_POINTER_HEADER, None)
    if isinstance(given.data, dict):
        given.data.pop(_POINTER, None)


def _other_pointer(asked: Asked, given: Given) -> None:
    """Name what leads on otherwise."""
    given.headers.pop(_POINTER_LINK, None)
    if _POINTER_HEADER in given.headers:
        given.headers[f"X-{_POINTER_HEADER}"] = given.headers.pop(_POINTER_HEADER)
    if isinstance(given.data, dict) and _POINTER in given.data:
        given.data["next_cursor"] = given.data.pop(_POINTER)


def _only_the_link(asked: Asked, given: Given) -> None:
    given.headers.pop(_POINTER_HEADER, None)


def _pointer_back(asked: Asked, given: Given) -> None:
    """Let the third page of a chain name the second one again."""
    if not isinstance(_pointer(given), str):
        return
    key = ("chain", asked.path, *asked.others(asked.service.cursor_in))
    cursor = asked.get(asked.service.cursor_in)
    chain = [*asked.memory.get(key, []), cursor] if cursor else [cursor]
    asked.memory[key] = chain
    if len(chain) == _THIRD:
        _point_to(given, chain[1])


def _expired_pointer(asked: Asked) -> web.Response | None:
    """Refuse every third pointer."""
    if not asked.get(asked.service.cursor_in):
        return None
    asked.memory["pointers"] = asked.memory.get("pointers", 0) + 1
    return asked.service.refusal(400) if asked.memory["pointers"] % _THIRD == 0 else None


def _ask_past_empty_page(asked: Asked) -> None:
    cursor = asked.get(asked.service.cursor_in)
    if cursor.endswith(_AGAIN):
        asked.marks.add(_AGAIN)
        asked.put(asked.service.cursor_in, cursor.removesuffix(_AGAIN))


def _empty_page(asked: Asked, given: Given) -> None:
    """Let each page that a pointer leads to be empty at first, and name another pointer to it."""
    cursor = asked.get(asked.service.cursor_in)
    is_pointer = cursor and not cursor.isdecimal()
    if is_pointer and given.items and _AGAIN not in asked.marks:
        given.items = []
        _point_to(given, cursor + _AGAIN)


# ---- envelopes, and what is no answer of the service --------------------------------------------


def _other_envelope(asked: Asked, given: Given) -> None:
    """Put a bare list into an object, a list under data one level deeper, and any other under another name."""
    found = given.items
    if found is None:
        return
    if isinstance(given.data, list):
        given.data = {"data": found}
        return
    inner = given.data["data"]
    if isinstance(inner, list):
        given.data["data"] = {"items": found}
        return
    [name] = [name for name, value in inner.items() if isinstance(value, list)]
    inner["items"] = inner.pop(name)


def _gateway(asked: Asked) -> web.Response | None:
    """Answer some requests in the service's place, none of them twice."""
    asked.memory["asked"] = asked.memory.get("asked", 0) + 1
    key = ("gateway", asked.path, *asked.others(""))
    if asked.memory["asked"] % _ONE_IN or key in asked.memory:
        return None
    asked.memory[key] = True
    return web.json_response({"message": "Service temporarily unavailable"})


def _rate_as_right(asked: Asked) -> web.Response | None:
    """Refuse some requests for their pace, as if it were a right."""
    asked.memory["paced"] = asked.memory.get("paced", 0) + 1
    if asked.memory["paced"] % _ONE_IN:
        return None
    return web.json_response({"message": "You have exceeded the rate limit"}, status=403)


DIFFERENCES = (
    Difference(
        name="page_cap",
        doc=f"a page holds {CAP} records at most, and says so where it counts",
        ask=_capped,
    ),
    Difference(
        name="page_cap_untold",
        doc=f"a page holds {CAP} records at most, and nothing tells how many pages there are",
        ask=_capped,
        give=_untold,
        apart=True,
    ),
    Difference(
        name="page_size_refused",
        doc=f"more than {CAP} records a page are refused with 400",
        ask=_refused_size,
        apart=True,
    ),
    Difference(
        name="page_size_ignored",
        doc="pages hold as many records as the service likes",
        ask=_ignored_size,
        apart=True,
    ),
    Difference(
        name="unknown_parameters",
        doc="a parameter that no operation documents is refused with 400",
        ask=_refused_if_unknown,
    ),
    Difference(name="page_zero", doc="the first page is number 0", ask=_from_zero),
    Difference(
        name="page_ignored",
        doc="every page is the first one, whatever its number",
        ask=_ignored_page,
        apart=True,
    ),
    Difference(
        name="no_counts", doc="nothing counts a list or its pages", give=_no_counts, apart=True
    ),
    Difference(
        name="count", doc="the count of a list has three more than it gives", give=_counts_too_many
    ),
    Difference(
        name="last_page_repeats",
        doc="past the end, numbered pages repeat the last one",
        give=_repeated_last_page,
    ),
    Difference(
        name="refused_past_end",
        doc="past the end, numbered pages are refused with 404",
        give=_refused_past_end,
        apart=True,
    ),
    Difference(
        name="no_content",
        doc="an empty list is answered with 204 and no body",
        give=_no_content,
        apart=True,
    ),
    Difference(
        name="pointer_name",
        doc="the pointer to the next page has another name",
        give=_other_pointer,
        apart=True,
    ),
    Difference(
        name="pointer_in_link",
        doc="of the two headers that name the next page there is only the link",
        give=_only_the_link,
    ),
    Difference(
        name="no_pointer",
        doc="nothing leads to the next page",
        give=_no_pointer,
        apart=True,
    ),
    Difference(
        name="pointer_back",
        doc="the third page of a chain leads back to the second",
        give=_pointer_back,
        apart=True,
    ),
    Difference(
        name="pointer_expires",
        doc="every third pointer is refused",
        ask=_expired_pointer,
        apart=True,
    ),
    Difference(
        name="empty_page",
        doc="pages that a pointer leads to are empty at first, and name another pointer",
        ask=_ask_past_empty_page,
        give=_empty_page,
    ),
    Difference(
        name="envelope",
        doc="a list stands one level deeper, or under another name",
        give=_other_envelope,
    ),
    Difference(
        name="gateway",
        doc=f"one answer in {_ONE_IN} is the JSON of a gateway, with 200",
        ask=_gateway,
    ),
    Difference(
        name="rate_as_right",
        doc=f"one answer in {_ONE_IN} is 403, as for a missing right, and speaks of a rate",
        ask=_rate_as_right,
        apart=True,
    ),
)
