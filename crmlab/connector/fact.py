"""What an account is found to do otherwise than assumed, and how its resources are read then. Nothing here acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmlab.connector.expressions import with_zone
from crmlab.connector.request import Request
from crmlab.connector.resource import Context, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact about an account: ``Account("relenta", facts={"first_page": 0})``.

    `doc` says what it is, with the value that is assumed without it. `type_` is the type of its value, and `check`
    returns a value as it is used or raises a `ValueError`. `apply` returns a resource as it is read with that
    value, the same object where it makes no difference, and `ask` does so with the provider's ping. `only_adds`:
    reading by it can add rows and changes the meaning of none, so that what a probe finds is adopted without being
    given by hand.
    """

    name: str
    doc: str
    type_: Any
    apply: Callable[[Resource, Any], Resource]
    check: Callable[[Any], Any] = lambda value: value
    ask: Callable[[Request, Any], Request] = lambda request, value: request
    only_adds: bool = False


def page_size_fact() -> Fact:
    """Return the fact that the service gives pages of another size than the one that is asked for."""

    def apply(resource: Resource, size: int) -> Resource:
        page_size = resource.page_size
        if page_size is None:
            return resource
        first_requests = resource.requests

        def requests(context: Context) -> Iterable[Request]:
            for request in first_requests(context):
                asked_size = page_size.of(request)
                if asked_size is not None and asked_size > size:
                    yield page_size.sized(request, size)
                else:
                    yield request

        return replace(resource, requests=requests)

    return Fact(
        name="page_size",
        doc="how many records a page holds at most, where it is fewer than are asked for",
        type_=int,
        check=_positive,
        apply=apply,
        only_adds=True,
    )


def first_page_fact(doc: str) -> Fact:
    """Return the fact that numbered lists begin with page 0; `doc` says what is assumed without it.

    What is asked for as page 1 is then asked for from page 0 on. A list that embeds others is read without them, for
    pages of several sizes do not go together with it.
    """

    def apply(resource: Resource, number: int) -> Resource:
        param = resource.follow.param
        if not param or (number == 1 and resource.plain_request is None):
            return resource
        if number == 1:
            return replace(resource, plain_request=None)
        first_requests = resource.requests

        def requests(context: Context) -> Iterable[Request]:
            for request in first_requests(context):
                if request.params.get(param) == "1":
                    yield request.with_params(**{param: 0})
                yield request

        embeds = () if resource.embedding else resource.embeds
        return replace(
            resource, requests=requests, plain_request=None, embedding=None, embeds=embeds
        )

    return Fact(name="first_page", doc=doc, type_=Literal[0, 1], apply=apply, only_adds=True)


def time_zone_fact(**fields: Sequence[str]) -> Fact:
    """Return the fact that times without a zone are of that zone; `fields` are those with times, by resource."""

    def apply(resource: Resource, zone: str) -> Resource:
        if resource.name not in fields:
            return resource
        time_columns = {name: with_zone(name, zone) for name in fields[resource.name]}
        return replace(resource, computed={**resource.computed, **time_columns})

    return Fact(
        name="time_zone",
        doc="the time zone (an IANA name) of times that come without one; without it such times are misfits, or UTC "
        "where the vendor's document has all of them in it",
        type_=str,
        check=known_zone,
        apply=apply,
    )


def known_zone(name: str) -> str:
    """Return the name of a time zone; raise a `ValueError` where there is none of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it is no time zone; write one such as 'Europe/Dublin'") from None
    return name


def _positive(number: int) -> int:
    if number < 1:
        raise ValueError("it must be at least 1")
    return number
