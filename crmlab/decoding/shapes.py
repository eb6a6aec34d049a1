"""JSON with its shape and without what it says: what finds a fault may be seen by others, what persons are may not.

Texts become others of the same kind of characters, the same text the same one: letters stand for letters, digits for
digits, punctuation stays. So an address is still an address, and two records that name one contact still do. What may
be kept is kept as it stands: null, true and false, times, numbers that count pages, words that the description of the
service knows, and words in fields whose names say that they are one of a few (``status``, ``type``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

#: what JSON is made of; all else is white space, or no JSON. A text without an end goes to the end, with a group: else
#: each of its quotes would be tried as the beginning of another
_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|(\\?\Z))|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}\[\],:]|\b(?:true|false|null|NaN|-?Infinity)\b',
    re.DOTALL,
)
_COLON = re.compile(r"\s*:")
#: names of fields whose words are one of a few, or parts of such names
_OF_FEW = re.compile(
    r"(^|_|\b)(status|type|kind|channel|action|event|method|role|direction|priority|currency|locale|language|lang|"
    r"country_code|legal_basis|category|format|scope|mode|level|frequency|freq|storage_provider|unit|model)s?$",
    re.IGNORECASE,
)
#: one of a few: names of persons and of their affairs begin with a capital letter
_WORD = re.compile(r"[a-z][A-Za-z0-9_.:-]{0,39}|[A-Z][A-Z0-9_.:-]{1,39}")
#: words that say yes or no, wherever they stand
_YES_OR_NO = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "0", "1"})
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?|\d{4}-\d{2}")
_OF_TIME = re.compile(
    r"(_at|_on|date|time|timestamp|_ts|^ts|expires|since|until|created|modified|updated|(?-i:[a-z]At))$", re.IGNORECASE
)
#: codes of countries and languages: there are few others of their length, and two would become one
_COUNTRY = re.compile(r"[A-Z]{2}|[a-z]{2}-[A-Z]{2}")
#: how a calendar says that something repeats (RFC 5545, 3.3.10)
_PART = r"(FREQ|UNTIL|COUNT|INTERVAL|WKST|BY[A-Z]+)=[A-Z0-9,+-]+"
_RULE = re.compile(rf"{_PART}(;{_PART})*;?")
_OF_ID = re.compile(r"(^|_|[a-z])(id|Id|ID)s?$")
_OF_BIRTH = re.compile(r"birth|bday|\bborn|\bdob\b|geburt|geboren|geboorte|naiss|nascit|nacimiento", re.IGNORECASE)
#: dates of before there were such services are of persons; the beginning of a computer's time is of none
_OF_A_LIFE = re.compile(r"(19[0-8]\d|199\d)-(?!01-01[T ])")
#: names that the field of a record may have, as opposed to data that stand in the place of names
_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$-]{0,59}")
_URL = re.compile(r"[a-z]{2,10}://")
_PIECE = re.compile(r"\w+")
#: numbers below tell nobody
_SMALL = 1_000
_MAX_COUNT_DIGITS = 6
#: of times between 2001 and 2033, as numbers
_DIGITS_OF_SECONDS = 10
_DIGITS_OF_MILLISECONDS = 13
#: characters of which a text keeps its length; longer ones are cut to a power of two
_EXACT_LENGTH = 64


@dataclass(slots=True)
class Masker:
    """Masks texts with a key that nobody keeps.

    Attributes
    ----------
    words
        Those that stay wherever they stand.
    vocabulary
        Parts of texts in the description of the services, in small letters; they stay in messages.
    watched
        Texts that requests carry: an id in a path, a cursor.
    carried
        What became of those of them that were met in an answer.
    """

    key: bytes
    words: frozenset[str] = frozenset()
    vocabulary: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()
    carried: dict[str, str] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def json(self, text: str) -> str:
        """Return JSON with its shape and without its content; whatever is no JSON is masked as text."""
        return "".join(self._pieces(text))

    def text(self, text: str) -> str:
        """Return a text of the same kind of characters."""
        scheme = _URL.match(text)
        start = scheme.end() if scheme else 0
        rest = text[start:]
        if any(character.isspace() for character in rest.strip()):
            rest = self._replaced(_cut(rest))
        else:  # the parts of addresses and ids are the same wherever they stand
            rest = _PIECE.sub(lambda piece: self._replaced(piece[0]), _cut(rest))
        return text[:start] + rest

    def value(self, text: str, name: str) -> str:
        """Return the text of a field: as it is where it may be kept."""
        masked = self._value(text, name)
        if text in self.watched and masked != text:
            self.carried[text] = masked
        return masked

    # ---- the parts of JSON --------------------------------------------------------------------------

    def _pieces(self, text: str) -> Iterator[str]:
        #: for each object and list around: whether it is a list, and the name of the field
        around: list[tuple[bool, str]] = []
        name = ""
        done = 0
        for token in _TOKEN.finditer(text):
            yield self._no_json(text[done : token.start()])
            done = token.end()
            mark = token[0]
            if token[1] is not None:  # half of a text is no JSON
                yield self._no_json(mark)
            elif mark in "{[":
                around.append((mark == "[", name))
                yield mark
            elif mark in "}]":
                name = around.pop()[1] if around else ""
                yield mark
            elif mark == ",":
                name = around[-1][1] if around and around[-1][0] else ""
                yield mark
            elif mark.startswith('"') and _COLON.match(text, done) and not (around and around[-1][0]):
                name = _unquoted(mark)
                is_name = name in self.words or _NAME.fullmatch(name)
                yield mark if is_name else _quoted(self.text(name), mark)
            elif mark.startswith('"'):
                yield _quoted(self.value(_unquoted(mark), name), mark)
            elif mark[0] in "-0123456789":
                # outside of a list it counts pages and records, which are not so many
                may_tell = any(is_list for is_list, _ in around) or len(mark) > _MAX_COUNT_DIGITS
                yield self._number(mark, name) if may_tell else mark
            else:
                yield mark
        yield self._no_json(text[done:])

    def _no_json(self, text: str) -> str:
        return text if not text.strip("\ufeff \t\r\n") else self._replaced(text)

    def _value(self, text: str, name: str) -> str:
        if _OF_BIRTH.search(name) or (_OF_A_LIFE.match(text) and _TIME.fullmatch(text)):
            return "1900-01-01" + text[10:] if _TIME.fullmatch(text) else self.text(text)
        if not text.strip() or text.strip().lower() in _YES_OR_NO or _TIME.fullmatch(text.strip()):
            return text
        if text in self.words or _RULE.fullmatch(text) or _COUNTRY.fullmatch(text):
            return text
        if text.isdecimal() and (int(text[:20]) < _SMALL or _is_time(text, name)):
            return text
        if _OF_FEW.search(name) and _WORD.fullmatch(text):
            return text
        if text.lstrip()[:1] in "{[":
            return self.json(text)
        return self.text(text)

    def _number(self, text: str, name: str) -> str:
        """Return a number of as many digits."""
        if len(text) <= len(str(_SMALL - 1)) or _is_time(text, name):
            return text
        whole = re.match(r"-?\d+", text)
        assert whole
        masked = self._replaced(whole[0])
        # no number begins with a zero
        masked = re.sub(r"^(-?)0(?=\d)", r"\g<1>1", masked)
        result = masked + self._replaced_digits(text[whole.end() :])
        # other numbers that are the same by chance say how much is asked for
        if text in self.watched and is_id(name):
            self.carried[text] = result
        return result

    def _replaced_digits(self, text: str) -> str:
        """Return the fraction of a number; its exponent stays."""
        fraction = re.match(r"\.\d+", text)
        return self._replaced(fraction[0]) + text[fraction.end() :] if fraction else text

    def _replaced(self, text: str) -> str:
        """Return other characters of the same kind, the same ones for the same text, in whatever case."""
        if text not in self._known:
            self._known[text] = self._other(text)
        return self._known[text]

    def _other(self, text: str) -> str:
        stream = hashlib.shake_256(self.key + text.strip().casefold().encode("utf-8", "surrogatepass"))
        digest = stream.digest(len(text) + 1)
        start = len(text) - len(text.lstrip())
        return "".join(_other(character, digest[max(0, place - start)]) for place, character in enumerate(text))


def is_id(name: str) -> bool:
    """Return whether a field is named as one that holds an id."""
    return bool(_OF_ID.search(name))


def _other(character: str, chance: int) -> str:
    if character.isdecimal():
        return str(chance % 10)
    if not character.isalpha():
        return character
    if not character.isascii():
        return "éøñžдж文字"[chance % 8]
    letter = chr(ord("a") + chance % 26)
    return letter.upper() if character.isupper() else letter


def _cut(text: str) -> str:
    """Return a long text with a length that says no more than how long such texts are."""
    if len(text) <= _EXACT_LENGTH:
        return text
    return text[: 1 << (len(text).bit_length() - 1)]


def _is_time(text: str, name: str) -> bool:
    """Whether a number is a time: seconds since 1970, or thousandths, in a field that is named so."""
    if not text.isdecimal() or not text.startswith("1"):
        return False
    return len(text) in (_DIGITS_OF_SECONDS, _DIGITS_OF_MILLISECONDS) and bool(_OF_TIME.search(name))


def _unquoted(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    try:
        text: str = json.loads(token, strict=False)
    except ValueError:  # an escape that JSON does not have
        return token[1:-1]
    return text


def _quoted(text: str, token: str) -> str:
    """Return a text as JSON, with numbers for letters where the one before it had them; as it stood, if unchanged."""
    if text == _unquoted(token):
        return token
    return json.dumps(text, ensure_ascii="\\u" in token)
