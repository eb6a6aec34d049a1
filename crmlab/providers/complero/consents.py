"""What a contact consents to, read out of sections whose insides are documented nowhere.

A boolean, a word or a number decides only under a key that names a consent, an opt-in or an opt-out; a word that names
an opt-out itself is a no under any key. What stands there and cannot be read is kept as it is, so that it is reported:
it is never a yes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from crmlab.connector import is_secret
from crmlab.providers.complero.consent_places import About, Place, below, labelled, names_in
from crmlab.providers.complero.consent_words import (
    Key,
    answer_of,
    end_of,
    is_address,
    is_answer,
    is_given,
    key_of,
    name_of,
    names_itself,
    names_joining,
    names_leaving,
    never_ends,
    time_of,
)

#: one decision: what it is about, what for, "true"
#: or "false", until when, and what could not be read
Statement = dict[str, str | None]

#: parts of a contact that hold documents and free data, not what the person said
_ELSEWHERE = frozenset({"documentation", "data"})
#: how the names of the parts begin that hold a person's details and consents
_SECTION = "section_"
#: characters of a contact that cannot be read
_SHOWN = 200
#: characters of a text in a list that may be the name of what was refused
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one value says: an answer, or what cannot be read of it, or a remark on a consent."""

    about: About
    answer: str | None = None
    unread: str | None = None
    #: of a yes: until when it is given, as ISO 8601
    valid_until: str | None = None
    #: it only counts, as something that cannot be read, where nothing else speaks of the same
    is_remark: bool = False


#: what an object holds, by name
_Fields = Mapping[str, Any]
_Sayings = Iterator[_Said]


@dataclass(slots=True)
class _Heard:
    """All that was said about one channel and purpose."""

    answers: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    unread: dict[str, None] = field(default_factory=dict)

    def statement(self, about: About) -> Statement:
        """Return it as one: a yes beside a no, or beside what cannot be read, decides nothing. A no stays one."""
        unread_texts = [*self.unread]
        is_divided = len(self.answers) > 1
        if is_divided or (unread_texts and self.answers == {"true"}):
            unread_texts = sorted([*self.answers, *unread_texts])
            return _statement(about, None, " and ".join(unread_texts))
        answer = next(iter(self.answers), None)
        unread = " and ".join(sorted(unread_texts)) or None
        first_end = None
        if answer == "true":
            # given in several places, with several ends:
            # the first of them is the one that is certain
            first_end = min(self.ends, default=None)
        return _statement(about, answer, unread, first_end)


def statements(
    contact: str | None, channel: str | None = None, consents: str | None = None
) -> list[Statement]:
    """Return what a contact says about each channel and purpose: one statement each, and one at least.

    Its answer is null where nothing was decided. What could not be read stands in "unread": also a yes at work
    beside a no at home, which nobody can read as one.

    Parameters
    ----------
    contact
        The JSON of the contact.
    channel
        What the event itself says it is about: what names no channel is about this one.
    consents
        The JSON of consents that stand in the event itself.
    """
    start_place = Place()
    if channel:
        # a channel that none of our words names is one all the same, under its own name
        start_place = Place(channels=name_of(channel).channels or (channel,))
    try:
        fields = _fields(contact)
        sayings = [*_of_object(fields, start_place), *_of_no_sections(fields, start_place)]
        if consents:
            consent_place = replace(start_place, is_consent=True)
            sayings += _of_value(msgspec.json.decode(consents), consent_place)
    except (msgspec.DecodeError, RecursionError):
        # nested too deeply, or no object: what it holds is not
        # known, and a part of it shows which contact that is
        return [_statement(about, None, f"{contact:.{_SHOWN}}") for about in start_place.abouts()]

    heard = _heard(sayings)
    if not heard:
        return [_statement(about, None, None) for about in start_place.abouts()]
    return [of_about.statement(about) for about, of_about in heard.items()]


def _heard(sayings: list[_Said]) -> dict[About, _Heard]:
    heard: dict[About, _Heard] = {}
    for said in sayings:
        if said.is_remark:
            continue
        of_about = heard.setdefault(said.about, _Heard())
        if said.answer is not None:
            of_about.answers.add(said.answer)
        if said.valid_until is not None:
            of_about.ends.add(said.valid_until)
        if said.unread is not None:
            of_about.unread.setdefault(said.unread)
    spoken_of = {*heard}
    for said in sayings:
        is_new = said.about not in spoken_of
        # about nothing in particular: anything else that was said outweighs it
        if said.about == (None, None):
            is_new = not spoken_of
        if said.is_remark and said.unread and is_new:
            of_about = heard.setdefault(said.about, _Heard())
            of_about.unread.setdefault(said.unread)
    return heard


def _fields(contact: str | None) -> _Fields:
    if not contact:
        return {}
    fields = msgspec.json.decode(contact)
    if not fields:
        return {}
    if not isinstance(fields, dict):
        raise msgspec.DecodeError("no object")
    return {name: _opened(value) for name, value in fields.items() if name not in _ELSEWHERE}


def _of_no_sections(fields: _Fields, place: Place) -> _Sayings:
    """Return the sections of a contact that are no objects: whatever they say, nobody can read it."""
    for name, value in fields.items():
        is_readable = isinstance(value, (dict, list))
        if name.startswith(_SECTION) and is_given(value) and not is_readable:
            yield from _unreadable({name: value}, place)


def _opened(value: Any) -> Any:
    """Return the object or list of which a text is the JSON; all else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def _statement(
    about: About, answer: str | None, unread: str | None, valid_until: str | None = None
) -> Statement:
    channel, purpose = about
    return {
        "channel": channel,
        "purpose": purpose,
        "answer": answer,
        "unread": unread,
        "valid_until": valid_until,
    }


# ---- the walk -----------------------------------------------------------------------------------


def _of_value(value: Any, place: Place) -> _Sayings:
    """Return what a value says, and all that is inside it."""
    if isinstance(value, dict):
        yield from _of_object(value, place)
    elif isinstance(value, list):
        for item in value:
            yield from _of_item(item, place)
    elif place.is_consent and is_given(value):
        yield from _of_scalar(value, place)


def _of_item(item: Any, place: Place) -> _Sayings:
    """Return what an element of a list says: a text that is no answer names what a refusal is about."""
    item = _opened(item)
    is_topic = isinstance(item, str) and place.is_consent and place.refuses and not is_answer(item)
    if is_topic and is_given(item) and not name_of(item).channels and len(item) <= _NAME_LENGTH:
        purposes = (*place.purposes, item.strip())
        yield from _decided(True, replace(place, purposes=purposes))
    else:
        yield from _of_value(item, place)


def _of_scalar(value: Any, place: Place) -> _Sayings:
    if isinstance(value, str) and len(value) <= _NAME_LENGTH and not is_answer(value):
        name = name_of(value)
        if name.channels or name.is_general:
            channels = name.channels or place.channels
            yield from _of_name(value, replace(place, channels=channels))
            return
    yield from _decided(value, place)


def _of_name(value: str, place: Place) -> _Sayings:
    """Return what the name of a channel says in the place of an answer: under an opt-out, that it was refused."""
    if place.refuses:
        yield from _decided(True, place)
    else:
        yield from _unreadable(value, place)


def _of_object(fields: _Fields, place: Place) -> _Sayings:
    # what is named like a key or a password is no consent, and is shown nowhere
    fields = {name: _opened(value) for name, value in fields.items() if not is_secret(name)}
    keys: dict[str, Key] = {}
    labels: dict[str, str] = {}
    answers: set[str] = set()
    for name, value in fields.items():
        key = keys[name] = key_of(name)
        if key.label and names_in(value):
            labels[name] = key.label
        elif _is_answer(key, value, place):
            answers.add(name)
    if not labels:
        yield from _of_fields(fields, keys, answers, place)
        return
    unlabelled = {name: value for name, value in fields.items() if name not in labels}
    for own_place in labelled(fields, labels, place, has_answer=bool(answers)):
        sayings = [*_of_fields(unlabelled, keys, answers, own_place)]
        if sayings or answers or not own_place.is_consent:
            yield from sayings
        elif own_place.refuses:  # {"type": "opt-out", "channel": "email"}
            yield from _decided(True, own_place)
        else:
            label_fields = {name: fields[name] for name in labels}
            yield from _unreadable(label_fields, own_place, is_remark=True)


def _of_fields(
    fields: _Fields, keys: Mapping[str, Key], answers: set[str], place: Place
) -> _Sayings:
    """Return what the fields of an object say, until when they say; `answers` are those that hold its own answer."""
    ends_by_name: dict[str, tuple[Any, Place]] = {}
    other_fields: dict[str, Any] = {}
    for name, value in fields.items():
        end_value = _end_in(keys[name], value)
        if end_value is not None:
            end_place = below(keys[name], place)
            if end_place.is_consent:
                ends_by_name[name] = (end_value, end_place)
                continue
        other_fields[name] = value
    sayings = [*_of_others(other_fields, keys, answers, place)]
    # ends come last, whatever the order of the fields: they are about what was said before
    for name, (end_value, end_place) in ends_by_name.items():
        sayings = [*_up_to(sayings, name, end_value, end_place, beside=place)]
    yield from sayings


def _end_in(key: Key, value: Any) -> Any:
    """Return until when a consent is given, as it was written; null where the field tells no end.

    It may stand in an object of nothing but times: ``{"validity": {"from": "2026-01-01", "until": "2027-01-01"}}``.
    """
    if isinstance(value, dict) and key.is_expiry and not key.channels:
        return _end_of_period(value)
    is_scalar = not isinstance(value, (list, dict, bool))
    if not key.is_expiry or not is_scalar or not is_given(value):
        return None
    return value


def _end_of_period(fields: _Fields) -> Any:
    """Return the first end among the fields of an object; null where one of them is no time."""
    ends = []
    for name, value in fields.items():
        if not is_given(value):
            continue
        if not time_of(value) and not never_ends(value):
            return None
        if key_of(name).is_expiry:
            ends.append(value)
    return next(iter(ends), None)


def _up_to(
    said: Sequence[_Said], name: str, value: Any, place: Place, *, beside: Place
) -> _Sayings:
    """Return what was said, each yes that this is about with its end; one whose end cannot be read decides nothing."""
    if not said:  # {"granted_until": "2027-01-01"}, and nothing that says whether it was given
        yield from _unreadable({name: value}, place, is_remark=True)
    abouts = {*place.abouts()}
    # an end that names nothing of its own, or nothing that was decided, is that of all beside it
    names_nothing = abouts.isdisjoint(saying.about for saying in said)
    is_of_all = names_nothing or place.abouts() == beside.abouts()
    end = end_of(value)
    for saying in said:
        is_open_yes = saying.answer == "true" and not saying.valid_until
        is_meant = is_open_yes and (is_of_all or saying.about in abouts)
        if not is_meant or never_ends(value):
            yield saying
        elif end is None:
            yield saying
            unread = json.dumps({name: value}, ensure_ascii=False)
            yield _Said(about=saying.about, unread=unread)
        else:
            end_in_utc = end.astimezone(dt.UTC)
            yield replace(saying, valid_until=end_in_utc.isoformat())


def _of_others(
    fields: _Fields, keys: Mapping[str, Key], answers: set[str], place: Place
) -> _Sayings:
    """Return what the fields of an object say that tell no end."""
    time_fields = []
    for name, value in fields.items():
        key = keys[name]
        is_scalar = not isinstance(value, (dict, list))
        # most fields of a contact are neither consents nor hold any
        if is_scalar and not place.is_consent and not key.names_consent and not names_itself(value):
            continue
        if key.is_history or not is_given(value):
            continue
        inner_place = below(key, place)
        if not is_scalar:
            yield from _of_value(value, inner_place)
        elif not inner_place.is_consent:
            yield from _of_state(name, value, inner_place)
        elif key.is_time:
            time_fields.append((name, value, inner_place))
        elif key.is_aside or key.is_done:
            yield from _remark(name, value, inner_place)
        elif answers and name not in answers and inner_place.channels == place.channels:
            yield from _beside(name, value, inner_place)
        elif not (len(answers) > 1 and inner_place == place and is_address(value)):
            yield from _of_scalar(value, inner_place)
    yield from _of_times(time_fields, has_answer=bool(answers))


def _is_answer(key: Key, value: Any, place: Place) -> bool:
    """Whether the key holds the answer of its object, as in ``{"granted": true}``."""
    # where no key above names a consent, this one must
    if not key.names_consent and not (place.is_consent and key.is_answer):
        return False
    is_remark = key.is_time or key.is_aside or key.is_done or key.is_history
    return not is_remark and not isinstance(value, (dict, list))


# ---- what single values say ---------------------------------------------------------------------


def _decided(value: Any, place: Place) -> _Sayings:
    answer, unread_text = answer_of(value, place.turns)
    if place.is_unclear and answer is None:
        unread_text = json.dumps([value], ensure_ascii=False)
    for about in place.abouts():
        yield _Said(about=about, answer=answer, unread=unread_text)


def _unreadable(value: str | _Fields, place: Place, *, is_remark: bool = False) -> _Sayings:
    """Return what cannot be read: a text, or fields by name. Neither can be taken for a yes or no."""
    unread_text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    for about in place.abouts():
        yield _Said(about=about, unread=unread_text, is_remark=is_remark)


def _of_state(name: str, value: Any, place: Place) -> _Sayings:
    """Return what a word says that no key calls a consent: ``{"type": "email", "status": "unsubscribed"}``."""
    if names_leaving(value):
        yield from _decided(value, place)
    elif names_joining(value):
        yield from _unreadable({name: value}, place, is_remark=True)


def _of_times(times: list[tuple[str, Any, Place]], *, has_answer: bool) -> _Sayings:
    """Return what keys like ``revoked_at`` say: their time tells that there was a refusal."""
    agreed = [time_of(value) for _, value, place in times if not place.refuses]
    last_agreed_at = max(filter(None, agreed), default=None)
    for name, value, place in times:
        left_at = time_of(value)
        came_back = left_at and last_agreed_at and last_agreed_at > left_at
        if not place.refuses:
            if not has_answer:
                yield from _unreadable({name: value}, place, is_remark=True)
        elif not came_back:
            yield from _decided(value, place)
        elif not has_answer:  # who left came back later, as it seems
            yield from _unreadable({name: value}, place)


def _remark(name: str, value: Any, place: Place) -> _Sayings:
    """Return what stands beside a consent, where it reads like an answer to something."""
    if is_answer(value) and not key_of(name).is_quality:
        yield from _unreadable({name: value}, place, is_remark=True)


def _beside(name: str, value: Any, place: Place) -> _Sayings:
    """Return a yes or no that stands beside the answer of its object, and may be about something else."""
    if is_answer(value) or value in (0, 1):
        yield from _unreadable({name: value}, place, is_remark=True)
