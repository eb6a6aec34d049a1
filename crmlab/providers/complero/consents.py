"""What a contact consents to, read out of sections whose insides are documented nowhere.

A boolean, a word or a number decides only under a key that names a consent, an opt-in or an opt-out. What
stands there and cannot be read is kept as it is, so that it is reported: it is never a yes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec

#: one decision: what it is about, what for, and "true", "false" or what could not be read
Statement = dict[str, str | None]

#: parts of a contact that hold documents and free data, not what the person said
_ELSEWHERE = frozenset({"documentation", "data"})
_CHANNELS = frozenset(
    {"email", "sms", "mms", "phone", "telephone", "mobile", "mobilenumber", "call", "letter", "post", "postal", "mail",
     "push", "fax", "faxnumber", "whatsapp", "messenger"}
)  # fmt: skip
#: words in a key that make what it holds a consent, wherever it stands
_CONSENT = frozenset({"consent", "consents", "consented", "permission", "permissions", "optin", "optins"})
_REFUSAL = frozenset({"optout", "optouts", "unsubscribe", "unsubscribed"})
#: words in a key that hold the answer, or turn it round, within a consent
_ANSWER = frozenset(
    {"accepted", "active", "agreed", "allowed", "answer", "approved", "choice", "decision", "enabled", "given",
     "granted", "state", "status", "subscribed", "value"}
)  # fmt: skip
_NEGATION = frozenset(
    {"blocked", "declined", "denied", "expired", "never", "no", "not", "objected", "objection", "refused", "rejected",
     "revoked", "withdrawn", "without"}
)  # fmt: skip
_NAMING = _CONSENT | _REFUSAL
#: words in a key that hold the answer, where a key above names a consent
_ANSWERING = _NAMING | _ANSWER | _NEGATION
#: words in a key that say something about a consent, but not whether there is one
_BESIDE = frozenset(
    {"at", "by", "confirmed", "created", "date", "default", "double", "expires", "expiry", "id", "ip", "language",
     "legal", "mandatory", "method", "on", "origin", "pending", "preferred", "primary", "proof", "required",
     "since", "source", "text", "time", "timestamp", "until", "updated", "url", "valid", "verified", "version"}
)  # fmt: skip
#: words in a key that name neither a channel nor a purpose
_FILLING = frozenset(
    {"a", "been", "by", "channel", "channels", "communication", "communications", "contact", "details", "do", "for",
     "has", "have", "is", "items", "of", "preferences", "private", "section", "settings", "the", "to", "via", "was",
     "work"}
)  # fmt: skip
#: words in a key that hold when something was said: a time of a refusal tells that there was one
_TIMES = frozenset({"at", "date", "on", "since", "time", "timestamp"})
_NEITHER = _NAMING | _ANSWER | _FILLING | _BESIDE
#: keys that name in words what the object is about
_CHANNEL_KEYS = ("channel", "medium")
_PURPOSE_KEYS = ("purpose", "topic")
_TYPE_KEYS = ("type", "kind")
_NAME_KEYS = ("name", "key")
#: characters of a contact that cannot be read
_SHOWN = 200
_YES = frozenset({"true", "1", "yes", "y"})
_NO = frozenset({"false", "0", "no", "n"})
#: answers that say themselves what they are about, whatever their key is called
_GRANTED = frozenset({"accepted", "agreed", "allowed", "given", "granted", "optin", "optedin", "subscribed"})
_DENIED = frozenset(
    {"declined", "denied", "expired", "notgiven", "notgranted", "optout", "optedout", "refused", "rejected",
     "revoked", "unsubscribed", "withdrawn"}
)  # fmt: skip
_SPELLINGS = (
    (re.compile(r"\b(?:opt|opted) ?(in|out)(s?)\b"), r"opt\1\2"),
    (re.compile(r"\be mail(s?)\b"), r"email\1"),
    (re.compile(r"\bwhats app\b"), "whatsapp"),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"\w+")
_BETWEEN_LETTERS = re.compile(r"(?<=[a-z])[\s_-]+(?=[a-z])")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk stands: whether a key above named a consent, and what the keys above are about."""

    is_consent: bool = False
    #: how often the keys turn the answer round
    negations: int = 0
    channels: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


def statements(contact: str | None, channel: str | None = None) -> list[Statement]:
    """Return what a contact says about each channel and purpose: one statement each, and one at least.

    The answer is null where nothing was decided. Where work says yes and home says no, it is both words,
    which nobody can read as one.

    Parameters
    ----------
    contact
        The JSON of the contact.
    channel
        What the event itself says it is about: what names no channel is about this one.
    """
    start = _Place(channels=(channel,) if channel else ())
    try:
        found = [*_of_object(_fields(contact), start)]
    except (msgspec.DecodeError, RecursionError):
        # nested too deeply: what it holds is not known, and a part of it shows which contact that is
        return [_statement(channel, None, f"{contact:.{_SHOWN}}")]

    answers: dict[tuple[str | None, str | None], dict[str, None]] = {}
    for each in found:
        said = answers.setdefault((each["channel"], each["purpose"]), {})
        if each["answer"] is not None:
            said[each["answer"]] = None
    if not answers:
        return [_statement(channel, None, None)]
    return [_statement(*about, " and ".join(sorted(said)) or None) for about, said in answers.items()]


def _fields(contact: str | None) -> Mapping[str, Any]:
    found = msgspec.json.decode(contact) if contact else {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if key not in _ELSEWHERE}


def _statement(channel: str | None, purpose: str | None, answer: str | None) -> Statement:
    return {"channel": channel, "purpose": purpose, "answer": answer}


def _of_value(value: Any, place: _Place) -> Iterator[Statement]:
    """Return what a value says, and all that is inside it."""
    if isinstance(value, dict):
        yield from _of_object(value, place)
    elif isinstance(value, list):
        for each in value:
            yield from _of_value(each, place)
    elif place.is_consent and value is not None and str(value).strip():
        yield _decided(value, place)


def _of_object(fields: Mapping[str, Any], place: _Place) -> Iterator[Statement]:
    answers = {key for key, value in fields.items() if _is_answer(key, value, place)}
    place = _labelled(fields, place, is_consent=place.is_consent or bool(answers))
    for key, value in fields.items():
        words = _words(key)
        is_scalar = not isinstance(value, (dict, list))
        # most fields of a contact are neither consents nor hold any
        if is_scalar and not place.is_consent and _NAMING.isdisjoint(words):
            continue
        if _is_label(key, value):
            continue
        if _is_remark(words, value):
            yield from _refused_once(words, value, place)
            continue

        below = _below(words, place)
        # beside the answer of its object, what names no channel is a remark on it
        is_beside = is_scalar and bool(answers) and key not in answers
        if not is_beside or below.channels != place.channels:
            yield from _of_value(value, below)


def _labelled(fields: Mapping[str, Any], place: _Place, *, is_consent: bool) -> _Place:
    """Return the place with what the object itself says that it is about: ``{"channel": "email", ...}``."""
    for _, name in _labels(fields, _CHANNEL_KEYS):
        place = replace(place, channels=(_plain(name),))
    for _, name in _labels(fields, _PURPOSE_KEYS):
        place = replace(place, purposes=(*place.purposes, name))
    for key, name in _labels(fields, (*_TYPE_KEYS, *_NAME_KEYS)):
        if _plain(name) in _CHANNELS:
            place = replace(place, channels=(_plain(name),))
        # outside of consents a name is that of a person, a company or a place
        elif place.is_consent or (is_consent and key in _TYPE_KEYS and not place.channels):
            place = replace(place, purposes=(*place.purposes, name))
    return place


def _labels(fields: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key in keys:
        name = fields.get(key)
        if isinstance(name, str) and name.strip():
            yield key, name.strip()


def _is_label(key: str, value: Any) -> bool:
    return isinstance(value, str) and key in (*_CHANNEL_KEYS, *_PURPOSE_KEYS, *_TYPE_KEYS, *_NAME_KEYS)


def _is_remark(words: tuple[str, ...], value: Any) -> bool:
    """Whether a key says something about a consent, as ``consent_date`` does, and not whether there is one."""
    beside = _BESIDE.intersection(words)
    if isinstance(value, (dict, list)):
        beside -= {"by"}  # consents by channel
    return bool(beside)


def _refused_once(words: tuple[str, ...], value: Any, place: _Place) -> Iterator[Statement]:
    """Return the refusal whose time a key like ``revoked_at`` holds."""
    below = _below(words, place)
    is_time = not _TIMES.isdisjoint(words) and isinstance(value, str) and value.strip() != ""
    if is_time and below.is_consent and below.negations > place.negations:
        yield _decided(True, below)


def _is_answer(key: str, value: Any, place: _Place) -> bool:
    """Whether the key holds the answer of its object, as in ``{"granted": true}``."""
    words = _words(key)
    answering = _ANSWERING if place.is_consent else _NAMING
    if answering.isdisjoint(words) or isinstance(value, (dict, list)):
        return False
    return not _is_remark(words, value)


@lru_cache(maxsize=1_000)
def _below(words: tuple[str, ...], place: _Place) -> _Place:
    """Return the place that a key leads to."""
    is_consent = place.is_consent or not _NAMING.isdisjoint(words)
    refusing = _REFUSAL | _NEGATION if is_consent else _REFUSAL
    names = [word for word in words if word not in _NEITHER and word not in refusing]
    channels = tuple(_channel(word) for word in names if _channel(word) in _CHANNELS)
    purpose = "_".join(word for word in names if _channel(word) not in _CHANNELS)
    return _Place(
        is_consent=is_consent,
        negations=place.negations + sum(word in refusing for word in words),
        channels=channels or place.channels,
        purposes=(*place.purposes, purpose) if purpose else place.purposes,
    )


def _decided(value: Any, place: _Place) -> Statement:
    channel = "_".join(place.channels) or None
    purposes = place.purposes
    if channel is None and purposes:
        # a consent to one purpose, with no channel beside it, is not about every channel
        channel = purposes[0]
        purposes = purposes[1:]
    return _statement(channel, "_".join(purposes) or None, _answer(value, place.negations))


def _answer(value: Any, negations: int) -> str | None:
    """Return "true", "false", null where nothing is decided, or what cannot be read."""
    is_whole = isinstance(value, float) and value.is_integer()
    word = _BETWEEN_LETTERS.sub("", str(int(value) if is_whole else value).strip().lower())
    if word in _DENIED:
        return "false"
    if word in _GRANTED and not negations:
        return "true"
    if word not in _YES | _NO:
        return json.dumps(value, ensure_ascii=False)
    if not negations:
        return "true" if word in _YES else "false"
    # who has not opted out has not opted in by that
    return "false" if negations == 1 and word in _YES else None


@lru_cache(maxsize=1_000)
def _words(key: str) -> tuple[str, ...]:
    return tuple(_plain(key).split())


def _plain(text: str) -> str:
    """Return the words of a name in lower case and one spelling: ``emailOptIn`` is "email optin"."""
    words = " ".join(_WORD.findall(_CAMEL.sub(" ", text).replace("_", " "))).lower()
    for spelling, usual in _SPELLINGS:
        words = spelling.sub(usual, words)
    return words


def _channel(word: str) -> str:
    """Return the word for one: a list of several e-mail addresses is about e-mail."""
    return word if word in _CHANNELS else word.removesuffix("s")
