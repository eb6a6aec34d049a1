"""The words in which consents are written: what a key is about, and what a value answers.

Nothing of it is documented by the vendor. What is not among these words is the name of a purpose in a key, and
cannot be read in a value.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from crmlab.schema import FIRST_YEAR, LAST_YEAR

#: what a key may say that an object is about, in the value that stands there
Label = Literal["", "channel", "purpose", "type", "name", "id"]

#: words for a channel, and the one that stands for them
_CHANNELS = {
    **dict.fromkeys(("email", "mail"), "email"),
    **dict.fromkeys(("phone", "telephone", "tel", "call"), "phone"),
    **dict.fromkeys(("letter", "post", "postal"), "letter"),
    **{word: word for word in ("sms", "mms", "mobile", "push", "fax", "whatsapp", "messenger")},
}
#: words in a key that make what it holds a consent, wherever it stands
_CONSENT = frozenset(
    {"consent", "consents", "consented", "permission", "permissions", "optin", "optins", "subscribed"}
)  # fmt: skip
_REFUSAL = frozenset(
    {"donot", "objection", "objections", "optout", "optouts", "revocation", "revocations", "unsubscribe",
     "unsubscribed", "withdrawal", "withdrawals"}
)  # fmt: skip
#: words in a key that hold the answer, where a key above names a consent
_ANSWER = frozenset(
    {"accept", "accepted", "action", "active", "agree", "agreed", "allow", "allowed", "answer", "approved",
     "checked", "choice", "decision", "enabled", "flag", "given", "grant", "granted", "permitted", "reply", "response",
     "result", "selected", "state", "status", "ticked", "value", "yes"}
)  # fmt: skip
#: words in a key that turn the answer round, where a key above names a consent
_NEGATION = frozenset(
    {"blocked", "canceled", "cancelled", "declined", "deleted", "denied", "disabled", "disallowed", "ended", "expired",
     "forbidden", "inactive", "invalid", "never", "no", "none", "not", "objected", "opposed", "prohibited", "refused",
     "rejected", "removed", "revoked", "withdrawn", "without"}
)  # fmt: skip
#: words in a key that say something about a person or an address, and nothing about a consent
_ASIDE = frozenset(
    {"by", "count", "created", "default", "expires", "expiry", "id", "index", "ip", "language", "level", "mandatory",
     "method", "order", "origin", "position", "preferred", "primary", "priority", "proof", "required", "score", "size",
     "source", "text", "total", "until", "updated", "url", "valid", "verified", "version", "legal", "form", "user",
     "agent", "browser", "code", "comment", "description", "device", "hash", "link", "manager", "note", "notes", "page",
     "platform", "provider", "template", "token", "tool"}
)  # fmt: skip
#: words in a key that hold until when a consent is given
_EXPIRY = frozenset(
    {"end", "ends", "expiration", "expire", "expires", "expiring", "expiry", "lapse", "lapses", "period", "through",
     "till", "until", "validity"}
)  # fmt: skip
#: the same of words for a quality: a yes or no there is one of the quality
_QUALITIES = frozenset(
    {"default", "mandatory", "preferred", "primary", "required", "valid", "verified"}
)
#: words in a key that say what was done about a consent:
#: not whether there is one, but reason enough to look
_DONE = frozenset(
    {"archived", "asked", "clicked", "confirmed", "displayed", "documented", "double", "eligible", "imported",
     "invited", "logged", "migrated", "missing", "needed", "notified", "opened", "pending", "possible", "recorded",
     "reminded", "requested", "requires", "seen", "sent", "shown", "signed", "stored", "synced"}
)  # fmt: skip
#: words in a key that hold when something was said
_TIMES = frozenset({"at", "date", "datetime", "on", "since", "time", "timestamp"})
#: a key of nothing but these holds what was said before
_HISTORY = frozenset(
    {"before", "former", "formerly", "from", "history", "old", "past", "previous", "previously"}
)
#: words in a key that name neither a channel nor a purpose
_FILLING = frozenset(
    {"a", "address", "addresses", "after", "all", "and", "any", "anything", "are", "been", "by", "categories",
     "category", "channel", "channels", "communication", "communications", "contact", "current", "currently", "data",
     "details", "do", "every", "everything", "for", "from", "general", "global", "globally", "has", "have", "is",
     "items", "last", "latest", "list", "new", "now", "number", "numbers", "of", "or", "overall", "preferences",
     "private", "purpose", "purposes", "section", "settings", "the", "to", "topic", "topics", "type", "types", "via",
     "was", "work"}
)  # fmt: skip
#: those of them that name everything
_GENERAL = frozenset(
    {"all", "any", "anything", "every", "everything", "general", "global", "globally", "overall"}
)
_NAMING = _CONSENT | _REFUSAL
#: words that turn an answer round
_TURNING = _REFUSAL | _NEGATION
_VOCABULARY = _NAMING | _ANSWER | _NEGATION | _ASIDE | _DONE | _TIMES | _FILLING | _EXPIRY

#: keys that name in words what the object is about
_LABELS: dict[str, Label] = {
    "channel": "channel",
    "channels": "channel",
    "medium": "channel",
    "media": "channel",
    "purpose": "purpose",
    "purposes": "purpose",
    "topic": "purpose",
    "topics": "purpose",
    "category": "purpose",
    "categories": "purpose",
    "type": "type",
    "kind": "type",
    "name": "name",
    "key": "name",
    "label": "name",
    "id": "id",
    "code": "id",
}

_YES = frozenset({"true", "1", "yes", "y", "on"})
_NO = frozenset({"false", "0", "no", "n", "off"})
#: answers that say themselves what they are about, whatever their key is called
_GRANTED = frozenset(
    {"accepted", "agreed", "allowed", "approved", "consented", "given", "granted", "optin", "optedin", "permitted",
     "subscribe", "subscribed"}
)  # fmt: skip
_DENIED = frozenset(
    {"cancelled", "canceled", "declined", "denied", "disagreed", "disallowed", "expired", "forbidden", "noconsent",
     "objected", "optout", "optedout", "refused", "rejected", "revoked", "unsubscribe", "unsubscribed", "withdrawn"}
)  # fmt: skip
#: answers that name an opt-out or an opt-in themselves
_LEAVING = frozenset({"optout", "optedout", "unsubscribe", "unsubscribed"})
_JOINING = frozenset({"optin", "optedin", "subscribe", "subscribed"})
_FIRST_LETTERS = ("o", "O", "u", "U", "s", "S")

_SPELLINGS = (
    (re.compile(r"\b(?:opt|opted) ?(in|out)(s?)\b"), r"opt\1\2"),
    (re.compile(r"\be mail(s?)\b"), r"email\1"),
    (re.compile(r"\bwhats app\b"), "whatsapp"),
    (re.compile(r"\b(?:postal|direct|paper) mail(?:ing)?s?\b"), "letter"),
    (re.compile(r"\btext messages?\b"), "sms"),
    (re.compile(r"\bpush notifications?\b"), "push"),
    (re.compile(r"\b(phone|telephone) calls?\b"), "phone"),
    (re.compile(r"\bmobile (phone|push|number|telephone)\b"), r"\1"),
    (re.compile(r"\b(mobile|fax|phone)numbers?\b"), r"\1"),
    (
        re.compile(
            r"\bdo not (?=contact|disturb|e?mail|call|phone|text|sms|mass|send|track|sell|share|market)"
        ),
        "donot ",
    ),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_BETWEEN_LETTERS = re.compile(r"(?<=[a-z])[\s_-]+(?=[a-z])")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+|\+?[\d\s()/.-]{6,}")
#: Unix seconds and milliseconds of our time; smaller numbers are something else
_UNIX_SECONDS = (300_000_000, 7_289_654_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What the words of a key say.

    `names_consent`: what it holds is a consent. `names_refusal`: it is an opt-out. `turns`: how often it turns the
    answer round there. `is_answer`: it holds the answer of its object, where that is a consent. `is_aside`: it says
    something else, `is_quality` of a person or an address, `is_done` of what was done about the consent, `is_time`
    when, `is_expiry` until when it is given, `is_history` of before.
    """

    names_consent: bool
    names_refusal: bool
    turns: int
    is_answer: bool
    is_aside: bool
    is_quality: bool
    is_done: bool
    is_time: bool
    is_expiry: bool
    is_history: bool
    label: Label
    channels: tuple[str, ...]
    purpose: str


@lru_cache(maxsize=2_000)
def key_of(name: str) -> Key:
    """Return what the words of a key say."""
    words = _words(name)
    known_words = set(words)

    def has_one_of(vocabulary: frozenset[str]) -> bool:
        return not known_words.isdisjoint(vocabulary)

    purpose_words = [word for word in words if word not in _VOCABULARY]
    names_consent = has_one_of(_NAMING)
    last_word = ""
    if words:
        last_word = words[-1]
    is_participle = names_consent and last_word.endswith("ed") and last_word not in _VOCABULARY
    label: Label = ""
    # with any other word it is the name of something: a "region code" labels no consent
    if known_words <= _NAMING | _FILLING | _LABELS.keys():
        label = _LABELS.get(last_word, "")
    is_of_before = known_words <= _HISTORY | _NAMING | {"state", "status"}
    return Key(
        names_consent=names_consent,
        names_refusal=has_one_of(_REFUSAL),
        turns=sum(word in _TURNING for word in words),
        is_answer=has_one_of(_NAMING | _ANSWER | _NEGATION),
        is_aside=has_one_of(_ASIDE),
        is_quality=has_one_of(_QUALITIES),
        is_done=is_participle or has_one_of(_DONE),
        is_time=has_one_of(_TIMES),
        is_expiry=has_one_of(_EXPIRY) or {"valid", "to"} <= known_words,
        is_history=is_of_before and has_one_of(_HISTORY),
        label=label,
        channels=_channels(words),
        purpose="_".join(word for word in purpose_words if not _channel(word)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a text names: channels, an opt-in or opt-out, all of them (`is_general`), nothing, or something else."""

    channels: tuple[str, ...]
    names_consent: bool
    turns: int
    is_general: bool
    is_nothing: bool


@lru_cache(maxsize=2_000)
def name_of(text: str) -> Name:
    """Return what a text names, of which every word has to be known."""
    words = _words(text)
    other_words = [word for word in words if not _channel(word) and word not in _FILLING]
    if not _NAMING.issuperset(other_words):
        # one word that is not known makes it the name of a purpose
        return Name(
            channels=(),
            names_consent=False,
            turns=0,
            is_general=False,
            is_nothing=False,
        )
    channels = _channels(words)
    is_nothing = not other_words and not channels
    return Name(
        channels=channels,
        names_consent=bool(other_words),
        turns=sum(word in _REFUSAL for word in other_words),
        is_general=is_nothing and not _GENERAL.isdisjoint(words),
        is_nothing=is_nothing,
    )


def is_given(value: Any) -> bool:
    """Return whether a value says anything."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None


def answer_of(value: Any, turns: int) -> tuple[str | None, str | None]:
    """Return what a value answers ("true", "false", null: nothing is decided), and what cannot be read of it.

    Parameters
    ----------
    value
        A boolean, a number or a text.
    turns
        How often the keys above turn the answer round: ``{"opted_out": true}`` once.
    """
    word = _word(value)
    is_turned = turns % 2 == 1
    if word in _DENIED or _without_not(word) in _GRANTED:
        return "false", None
    if word in _GRANTED and not turns:
        return "true", None
    if is_turned and time_of(value) is not None:  # `opted_out` may hold when
        return "false", None
    if is_turned and is_no_time(value):
        return None, None
    if word not in _YES | _NO:
        unread = value
        if not isinstance(value, str):
            unread = json.dumps(value)
        return None, unread
    is_yes = word in _YES
    if is_yes and not turns:
        return "true", None
    if is_yes == is_turned:
        return "false", None
    # who has not opted out has not opted in by that
    return None, None


def is_answer(value: Any) -> bool:
    """Return whether a value reads as a yes or no, whatever it is about; a number may be something else."""
    if isinstance(value, str):
        return _word(value) in _YES | _NO | _GRANTED | _DENIED
    return isinstance(value, bool)


def is_address(value: Any) -> bool:
    """Return whether a text is an e-mail address or a telephone number."""
    return isinstance(value, str) and bool(_ADDRESS.fullmatch(value.strip()))


def names_leaving(value: Any) -> bool:
    """Return whether a text names an opt-out itself: ``unsubscribed``."""
    return isinstance(value, str) and _word(value) in _LEAVING


def names_itself(value: Any) -> bool:
    """Return whether a text names an opt-in or an opt-out, whatever its key is called."""
    # the first letter alone tells it of most texts
    if not isinstance(value, str) or value[:1] not in _FIRST_LETTERS:
        return False
    return _word(value) in _LEAVING | _JOINING


def names_joining(value: Any) -> bool:
    """Return whether a text names an opt-in itself: ``subscribed``."""
    return isinstance(value, str) and _word(value) in _JOINING


def time_of(value: Any) -> dt.datetime | None:
    """Return the time that a text in ISO 8601 or a number since 1970 says; null where it says none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _time_of_number(value)
    if not isinstance(value, str) or len(value.strip()) < len("20260101"):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    return moment


def _time_of_number(value: float) -> dt.datetime | None:
    earliest, latest = _UNIX_SECONDS
    seconds = value
    if value > latest:  # too late for seconds, so that it is milliseconds
        seconds = value / 1000
    if not earliest <= seconds < latest:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def end_of(value: Any) -> dt.datetime | None:
    """Return when something ends that is valid until then: of a day, with the day; null where it says no time."""
    moment = time_of(value)
    is_day = isinstance(value, str) and len(value.strip()) <= len("2026-01-01")
    if moment and is_day:
        return moment + dt.timedelta(days=1)
    return moment


def never_ends(value: Any) -> bool:
    """Return whether a text is how services write that something has no end: the year 9999, or all zeros."""
    begins_with_year = isinstance(value, str) and value.strip()[:4].isdecimal()
    return begins_with_year and is_no_time(value)


def is_no_time(value: Any) -> bool:
    """Return whether a text is how services write that there was no time: a year long ago, or all zeros."""
    if not isinstance(value, str):
        return False
    digits = re.sub(r"\D", "", value)
    if len(digits) < len("20260101"):
        return False
    year = int(digits[:4])
    return not FIRST_YEAR <= year <= LAST_YEAR


def _word(value: Any) -> str:
    """Return a value as a word in one spelling: "Opted out" is "optedout", 1.0 is "1"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _BETWEEN_LETTERS.sub("", str(value).strip().lower())


def _without_not(word: str) -> str:
    if not word.startswith("not"):
        return ""
    return word.removeprefix("not")


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a name in lower case and one spelling: ``emailOptIn`` is "email", "optin"."""
    parted = _CAMEL.sub(" ", text)
    spelled = " ".join(_WORD.findall(parted)).lower()
    for spelling, usual_spelling in _SPELLINGS:
        spelled = spelling.sub(usual_spelling, spelled)
    kept_words = []
    word_before = ""
    for word in spelled.split():
        # a number behind a channel counts its addresses: email1, email2
        if not word.isdecimal() or not _channel(word_before):
            kept_words.append(word)
        word_before = word
    return tuple(kept_words)


def _channels(words: Iterable[str]) -> tuple[str, ...]:
    channels = dict.fromkeys(map(_channel, words))
    channels.pop("", None)
    return tuple(channels)


def _channel(word: str) -> str:
    """Return the channel that a word stands for, which may be in the plural; "" where it is none."""
    return _CHANNELS.get(word) or _CHANNELS.get(word.removesuffix("s"), "")
