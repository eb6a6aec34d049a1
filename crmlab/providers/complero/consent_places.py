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
    # it says for itself what it holds: ``{"opt_outs": {"email": {"opted_out": true}}}``
    if key.names_refusal:
        turns = key.turns
    elif is_consent:
        turns += key.turns
    purposes = place.purposes
    if key.purpose:
        purposes = (*purposes, key.purpose)
    turns_refusal = place.refuses and not key.names_refusal and key.turns > 0
    return Place(
        is_consent=is_consent,
        turns=turns,
        is_unclear=place.is_unclear or turns_refusal,
        channels=key.channels or place.channels,
        purposes=purposes,
    )


def labelled(
    fields: Mapping[str, Any], labels: Mapping[str, str], place: Place, *, has_answer: bool
) -> list[Place]:
    """Return the place, or several, with what the object says that it is about: ``{"channel": "email", ...}``."""
    texts_by_label: dict[str, list[str]] = {"channel": [], "purpose": []}
    for name, label in labels.items():
        texts_by_label.setdefault(label, []).extend(names_in(fields[name]))
    # channels before types and names: what these say depends on whether a channel is known
    channels = texts_by_label["channel"]
    for text in channels:
        place = _of_channel(text, place, is_first=text == channels[0])
    for name, label in labels.items():
        if label == "type" or (label in ("name", "id") and place.is_consent):
            for text in names_in(fields[name]):
                place = _of_label(text, label, place, has_answer=has_answer)
    topics = [purpose for purpose in texts_by_label["purpose"] if not name_of(purpose).is_general]
    if not topics:
        return [place]
    return [replace(place, purposes=(*place.purposes, topic)) for topic in topics]


def _of_channel(text: str, place: Place, *, is_first: bool) -> Place:
    channels = place.channels
    if is_first:  # it takes the place of what the keys above name, and the others come beside it
        channels = ()
    channel_name = name_of(text)
    if channel_name.is_general:
        return replace(place, channels=channels)
    named_channels = channel_name.channels or (text.lower(),)
    return replace(place, channels=tuple(dict.fromkeys((*channels, *named_channels))))


def _of_label(text: str, label: str, place: Place, *, has_answer: bool) -> Place:
    """Return the place with what a type or a name says: a channel, an opt-in, an opt-out, or a purpose."""
    label_name = name_of(text)
    if label_name.channels:
        place = replace(place, channels=label_name.channels)
    if label_name.names_consent and (place.is_consent or label == "type"):
        turns = place.turns
        if not place.refuses:  # within an opt-out it says the same again
            turns += label_name.turns
        return replace(place, is_consent=True, turns=turns)
    # outside of consents a name is that of a person, a company or a place
    is_purpose = place.is_consent or (has_answer and label == "type" and not place.channels)
    if is_purpose and label != "id" and not label_name.channels and not label_name.is_nothing:
        return replace(place, purposes=(*place.purposes, text))
    return place


def names_in(value: Any) -> list[str]:
    """Return the texts of a label: one, a list of them, or the name of an object."""
    if isinstance(value, str):
        text = value.strip()
        return [text] if text else []
    if isinstance(value, list):
        return _names_in_list(value)
    if isinstance(value, dict):
        for name_key in ("name", "key", "code", "type", "id"):
            if isinstance(value.get(name_key), str):
                return names_in(value[name_key])
    return []


def _names_in_list(items: list[Any]) -> list[str]:
    names = []
    for item in items:
        if not isinstance(item, str) or not item.strip():
            return []  # one that cannot be read would be left out of what the object is about
        names.append(item.strip())
    return names
