"""What a value in a contact is about: the channels and purposes that the keys above it, and its object, name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crmlab.providers.complero.consent_words import Key, name_of

#: a channel and a purpose
About = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the walk stands: whether a key above named a consent, and what the keys above are about."""

    is_consent: bool = False
    #: how often the keys turn the answer round
    turns: int = 0
    #: something is taken back that was refused above, or that refusal is said again
    is_unclear: bool = False
    channels: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether a yes here is a refusal."""
        return self.turns % 2 == 1

    def abouts(self) -> list[About]:
        """Return what a value here is about: each channel, with the purpose."""
        if self.channels:
            return [(channel, "_".join(self.purposes) or None) for channel in self.channels]
        if self.purposes:
            # a consent to one purpose, with no channel beside it, is not about every channel
            return [(self.purposes[0], "_".join(self.purposes[1:]) or None)]
        return [(None, None)]


def below(key: Key, place: Place) -> Place:
    """Return the place that a key leads to."""
    is_consent = place.is_consent or key.names_consent
    if is_consent == place.is_consent and not (key.turns or key.channels or key.purpose):
        return place
    turns = place.turns
    if (
        key.names_refusal
    ):  # it says for itself what it holds: ``{"opt_outs": {"email": {"opted_out": true}}}``
        turns = key.turns
    elif is_consent:
        turns += key.turns
    return Place(
        is_consent=is_consent,
        turns=turns,
        is_unclear=place.is_unclear or (place.refuses and not key.names_refusal and key.turns > 0),
        channels=key.channels or place.channels,
        purposes=(*place.purposes, key.purpose) if key.purpose else place.purposes,
    )


def labelled(
    fields: Mapping[str, Any], labels: Mapping[str, str], place: Place, *, has_answer: bool
) -> list[Place]:
    """Return the place, or several, with what the object says that it is about: ``{"channel": "email", ...}``."""
    channels = [
        text
        for name, label in labels.items()
        if label == "channel"
        for text in names_in(fields[name])
    ]
    purposes = [
        text
        for name, label in labels.items()
        if label == "purpose"
        for text in names_in(fields[name])
    ]
    for text in channels:
        place = _of_channel(text, place, is_first=text == channels[0])
    for name, label in labels.items():
        if label == "type" or (label in ("name", "id") and place.is_consent):
            for text in names_in(fields[name]):
                place = _of_label(text, label, place, has_answer=has_answer)
    topics = [text for text in purposes if not name_of(text).is_general]
    if not topics:
        return [place]
    return [replace(place, purposes=(*place.purposes, topic)) for topic in topics]


def _of_channel(text: str, place: Place, *, is_first: bool) -> Place:
    name = name_of(text)
    if name.is_general:
        return replace(place, channels=() if is_first else place.channels)
    named = name.channels or (text.lower(),)
    return replace(
        place, channels=named if is_first else tuple(dict.fromkeys((*place.channels, *named)))
    )


def _of_label(text: str, label: str, place: Place, *, has_answer: bool) -> Place:
    """Return the place with what a type or a name says: a channel, an opt-in, an opt-out, or a purpose."""
    name = name_of(text)
    if name.channels:
        place = replace(place, channels=name.channels)
    if name.names_consent and (place.is_consent or label == "type"):
        # within an opt-out it says the same again
        turns = place.turns if place.refuses else place.turns + name.turns
        return replace(place, is_consent=True, turns=turns)
    # outside of consents a name is that of a person, a company or a place
    is_purpose = place.is_consent or (has_answer and label == "type" and not place.channels)
    if is_purpose and label != "id" and not name.channels and not name.is_nothing:
        return replace(place, purposes=(*place.purposes, text))
    return place


def names_in(value: Any) -> list[str]:
    """Return the texts of a label: one, a list of them, or the name of an object."""
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    if isinstance(value, list):
        found = [text for item in value if isinstance(item, str) for text in names_in(item)]
        return found if len(found) == len(value) else []
    if isinstance(value, dict):
        named = [
            value.get(name)
            for name in ("name", "key", "code", "type", "id")
            if isinstance(value.get(name), str)
        ]
        return names_in(named[0]) if named else []
    return []
