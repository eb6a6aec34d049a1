"""How a profile is found: by its id, an address, or a field of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crmlab.sandbox.services.altcraft.asked import Body, RefusedError, given
from crmlab.sandbox.services.altcraft.records import Profiles, profile_id
from crmlab.sandbox.world.model import Person

#: by matching: the parameters that it needs, and whether a subscription's address counts
_BY_ADDRESS = {
    "email": (("email",), True),
    "email_profile": (("email",), False),
    "email_sub": (("email",), True),
    "phone": (("phone",), True),
    "phone_profile": (("phone",), False),
    "phone_sub": (("phone",), True),
    "push_sub": (("subscription_id",), True),
    "email_phone": (("email", "phone"), True),
    "email_phone_sub": (("email", "phone"), True),
}


def find(found: Profiles, body: Body) -> int:
    """Return the position of the one profile that a request means.

    It is refused with 450 where a parameter is missing, with 404 where there is none, with 435 where there are several.
    """
    is_meant = _test(found, body)
    positions = [position for position, person in enumerate(found.people) if is_meant(person)]
    if not positions:
        raise RefusedError(404)
    if len(positions) > 1:  # the service does not choose one of them
        raise RefusedError(435)
    return positions[0]


def _test(found: Profiles, body: Body) -> Callable[[Person], bool]:
    matching = body.get("matching", "email")
    if matching == "profile_id":
        wanted = given(body, "profile_id")
        return lambda person: profile_id(person.id) == wanted
    if matching in ("custom", "custom_sub"):
        field_name = given(body, "field_name")
        field_value = given(body, "field_value")

        def has_value(person: Person) -> bool:
            value = found.profile(person).get(field_name)
            return str(value) == field_value

        return has_value
    if matching not in _BY_ADDRESS:
        raise RefusedError(450, "matching")
    parameters, counts_subscriptions = _BY_ADDRESS[matching]
    wanted_addresses = {given(body, parameter).lower() for parameter in parameters}

    def has_address(person: Person) -> bool:
        addresses = _addresses(found, person, counts_subscriptions)
        return not wanted_addresses.isdisjoint(addresses)

    return has_address


def _addresses(found: Profiles, person: Person, counts_subscriptions: bool) -> Iterable[str]:
    profile = found.profile(person)
    yield str(profile.get("email", "")).lower()
    yield from profile.get("phones", [])
    if counts_subscriptions:
        subscribed = found.subscriptions.of("person_id", person.id)
        for subscription in subscribed.items:
            yield subscription.address.lower()
