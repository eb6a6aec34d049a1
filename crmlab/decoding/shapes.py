"""JSON with its shape and without what it says: what finds a fault may be seen by others, what persons are may not.

Texts become others of the same kind of characters, the same text the same one: letters stand for letters, digits for
digits, punctuation stays. So an address is still an address, and two records that name one contact still do. Nothing
stays because it looks harmless: a name may be written in small letters. What stays is known to say nothing: null, true
and false, times, small numbers and those that count pages, names of documented fields, documented words in fields that
hold no names or texts of persons, and codes of countries, languages and currencies in the fields of these.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

#: what JSON is made of, with the white space before it; a text that a colon follows is a name. All else is no JSON.
#: A text without an end goes to the end, with a group: else each of its quotes would be tried as the beginning of one
_TOKEN = re.compile(
    r'\s*+(?:("[^"\\]*+(?:\\.[^"\\]*+)*+")(\s*+:)?|("[^"\\]*+(?:\\.[^"\\]*+)*+\\?\Z)'
    r"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([{}\[\],])|:|\b(?:true|false|null|NaN|-?Infinity)\b)|\s++",
    re.DOTALL,
)
#: names of fields that hold codes, and what codes look like
_OF_CODE = re.compile(
    r"(^|_|\b)(country|country_?code|language|lang|locale|currency|currency_?code)s?$|^code$",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z]{2,4})?")
#: names of fields in which persons are named, or write: no documented word is kept there, as some are names, too
_OF_PERSON = re.compile(
    r"name|title|text|note|subject|comment|descr|message|body|content|label|address|street|city|state$|mail|phone|"
    r"author|owner|contact|person|user|sender|recipient|participant|reason|answer|salutation|degree|signature|search|"
    r"^value$|^data$|compan|tag",
    re.IGNORECASE,
)
#: words that say yes or no, wherever they stand
_YES_OR_NO = frozenset(
    {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "0", "1"}
)
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?|\d{4}-\d{2}"
)
_OF_TIME = re.compile(
    r"(_at|_on|date|time|timestamp|_ts|^ts|expires|since|until|created|modified|updated|(?-i:[a-z]At))$",
    re.IGNORECASE,
)
#: how a calendar says that something repeats (RFC 5545, 3.3.10)
_PART = r"(FREQ|UNTIL|COUNT|INTERVAL|WKST|BY[A-Z]+)=[A-Z0-9,+-]+"
_RULE = re.compile(rf"{_PART}(;{_PART})*;?")
_OF_ID = re.compile(r"(^|_|[a-z])(id|Id|ID)s?$")
_OF_BIRTH = re.compile(
    r"birth|bday|\bborn|\bdob\b|geburt|geboren|geboorte|naiss|nascit|nacimiento", re.IGNORECASE
)
#: dates of before there were such services are of persons; the beginning of a computer's time is of none
_OF_A_LIFE = re.compile(r"(19[0-8]\d|199\d)-(?!01-01[T ])")
#: what parts a name, itself a part
_IN_NAME = re.compile(r"([_-])")
_URL = re.compile(r"[a-z]{2,10}://")
_PIECE = re.compile(r"\w+")
#: numbers below tell nobody
_SMALL = 1_000
_SHORTEST_NUMBER = len(str(_SMALL))
_MAX_COUNT_DIGITS = 6
#: of times between 2001 and 2033, as numbers
_DIGITS_OF_SECONDS = 10
_DIGITS_OF_MILLISECONDS = 13
#: what may be remembered, so that memory does not grow with the number of pages
_MOST_KNOWN = 200_000
#: characters of which a text keeps its length; longer ones are cut to a power of two
_EXACT_LENGTH = 64


@dataclass(slots=True)
class Masker:
    """Masks texts with a key that nobody keeps.

    Attributes
    ----------
    names
        Of documented fields: they stay wherever they stand.
    words
        Documented ones: they stay in fields that are of no person.
    vocabulary
        Parts of texts in the description of the services, in small letters; they stay in messages.
    watched
        Texts that requests carry: an id in a path, a cursor.
    carried
        What became of those of them that were met in an answer.
    """

    key: bytes
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    vocabulary: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()
    carried: dict[str, str] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict, repr=False)
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _name_parts: set[str] = field(default_factory=set, repr=False)
    _named: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    def json(self, text: str) -> str:
        """Return JSON with its shape and without its content; whatever is no JSON is masked as text."""
        pieces: list[str] = []
        place = _Place()
        position = 0
        for json_token in _TOKEN.finditer(text):
            if json_token.start() != position:
                pieces.append(self._no_json(text[position : json_token.start()]))
            position = json_token.end()
            quoted, colon, endless, number, mark = json_token.groups()
            if endless:  # half of a text is no JSON
                pieces.append(self._no_json(json_token[0]))
            elif quoted:
                if colon and not place.is_in_list:
                    place.name, masked = self._field_name(quoted)
                else:
                    masked = self._text_token(quoted, place.name)
                pieces.append(_exchanged(json_token[0], quoted, masked))
            elif number:
                masked = self._number_token(number, place)
                pieces.append(_exchanged(json_token[0], number, masked))
            else:
                pieces.append(json_token[0])
                if mark:
                    place.move(mark)
        pieces.append(self._no_json(text[position:]))
        return "".join(pieces)

    def text(self, text: str) -> str:
        """Return a text of the same kind of characters."""
        scheme = ""
        address = _URL.match(text)
        if address:
            scheme = address[0]
        rest = text[len(scheme) :]
        if any(character.isspace() for character in rest.strip()):
            return scheme + self._replaced(_cut(rest))
        # of an address all parts are needed to ask for it
        if not address:
            rest = _cut(rest)
        # the parts of addresses and ids are the same wherever they stand
        return scheme + _PIECE.sub(lambda piece: self._replaced(piece[0]), rest)

    def value(self, text: str, name: str) -> str:
        """Return the text of a field: as it is where it may be kept."""
        masked = self._value(text, name)
        if text in self.watched and masked != text:
            self.carried[text] = masked
        return masked

    # ---- the parts of JSON --------------------------------------------------------------------------

    def _field_name(self, quoted: str) -> tuple[str, str]:
        """Return the name of a field, and as JSON what stands for it: others than documented ones may be data."""
        known_name = self._named.get(quoted)
        if known_name is not None:
            return known_name
        _make_room(self._named)
        field_name = _unquoted(quoted)
        masked = quoted
        if field_name not in self.names and field_name not in self.words:
            masked = _quoted(self._other_name(field_name), quoted)
        self._named[quoted] = (field_name, masked)
        return field_name, masked

    def _other_name(self, name: str) -> str:
        """Return what stands for a name: of one that is made of documented ones and a number, these stay."""
        if not self._name_parts:
            for documented in (*self.names, *self.words):
                self._name_parts.update(_IN_NAME.split(documented))
        name_parts = _IN_NAME.split(name)
        if len(name_parts) == 1:
            return self.text(name)
        pieces: list[str] = []
        for name_part in name_parts:
            if name_part in self._name_parts or (name_part.isdecimal() and int(name_part) < _SMALL):
                pieces.append(name_part)
            elif name_part.isdecimal():  # an id: a name may carry one
                pieces.append(self.text(name_part))
            else:
                return self.text(name)
        return "".join(pieces)

    def _text_token(self, quoted: str, name: str) -> str:
        """Return a text of a field, as JSON. What was met once is not worked out again."""
        known_token = self._tokens.get((name, quoted))
        if known_token is None:
            _make_room(self._tokens)
            masked = self.value(_unquoted(quoted), name)
            known_token = self._tokens[name, quoted] = _quoted(masked, quoted)
        return known_token

    def _number_token(self, number: str, place: _Place) -> str:
        """Return a number as JSON, masked where it may tell something."""
        if len(number) < _SHORTEST_NUMBER:
            return number
        # outside of a list it counts pages and records, which are not so many
        if not place.lists and len(number) <= _MAX_COUNT_DIGITS:
            return number
        return self._number(number, place.name)

    def _no_json(self, text: str) -> str:
        is_blank = not text.strip("\ufeff \t\r\n")
        return text if is_blank else self._replaced(text)

    def _value(self, text: str, name: str) -> str:
        stripped = text.strip()
        if not stripped or text in self.names:
            return text
        if _OF_BIRTH.search(name):
            if _TIME.fullmatch(text):
                return _of_1900(text)
            return self.text(text)
        if stripped[0].isdecimal():
            return self._begins_with_digit(text, stripped, name)
        if stripped.lower() in _YES_OR_NO or ("=" in text and _RULE.fullmatch(text)):
            return text
        if text in self.words and not _OF_PERSON.search(name):
            return text
        if _OF_CODE.search(name) and _CODE.fullmatch(text):
            return text
        if stripped[0] in "{[":
            return self.json(text)
        return self.text(text)

    def _begins_with_digit(self, text: str, stripped: str, name: str) -> str:
        if _TIME.fullmatch(stripped):
            return _of_1900(stripped) if _OF_A_LIFE.match(stripped) else text
        # Python reads no number of more than some thousand digits
        if text.isdecimal() and (int(text[:20]) < _SMALL or _is_time(text, name)):
            return text
        if text in self.words:
            return text
        return self.text(text)

    def _number(self, text: str, name: str) -> str:
        """Return a number of as many digits."""
        if _is_time(text, name):
            return text
        digits = re.match(r"-?\d+", text)
        assert digits
        result = self._replaced(digits[0]) + self._replaced_digits(text[digits.end() :])
        # other numbers that are the same by chance say how much is asked for
        if text in self.watched and is_id(name):
            self.carried[text] = result
        return result

    def _replaced_digits(self, text: str) -> str:
        """Return the fraction of a number; its exponent stays."""
        fraction = re.match(r"\.\d+", text)
        if fraction is None:
            return text
        return self._replaced(fraction[0]) + text[fraction.end() :]

    def _replaced(self, text: str) -> str:
        """Return other characters of the same kind, the same ones for the same text, in whatever case."""
        known_text = self._known.get(text)
        if known_text is None:
            _make_room(self._known)
            known_text = self._known[text] = self._other(text)
        return known_text

    def _other(self, text: str) -> str:
        characters = text.lstrip()
        indent = text[: len(text) - len(characters)]
        # the same for the same text, in whatever case and with whatever space around it
        folded = characters.rstrip().casefold()
        digest = hashlib.shake_256(self.key + folded.encode("utf-8", "surrogatepass"))
        chances = digest.digest(len(characters) + 1)
        kinds = [_KINDS[ord(each)] if each.isascii() else _kind(each) for each in characters]
        # a number as text and as such is the same, and no number begins with a zero
        digits = characters.lstrip("-")
        if digits.isdecimal() and digits[0] != "0":
            kinds[len(characters) - len(digits)] = _FIRST_DIGIT
        others = [kind[chance] for kind, chance in zip(kinds, chances, strict=False)]
        return indent + "".join(others)


@dataclass(slots=True)
class _Place:
    """Where in a JSON text something stands: in which objects and lists, and in the field of which name."""

    name: str = ""
    is_in_list: bool = False
    #: how many of those around are lists
    lists: int = 0
    #: for each object and list around: whether that stands in a list, and the name of the field
    _around: list[tuple[bool, str]] = field(default_factory=list)

    def move(self, mark: str) -> None:
        """Go past one of the marks of JSON: into an object or a list, out of one, or on to the next value."""
        if mark in "{[":
            self._around.append((self.is_in_list, self.name))
            self.is_in_list = mark == "["
            self.lists += self.is_in_list
        elif mark in "}]":
            self.lists -= self.is_in_list
            # there is nothing to leave where a text closes more than it has opened
            self.is_in_list, self.name = self._around.pop() if self._around else (False, "")
        elif not self.is_in_list:
            self.name = ""


def _exchanged(token: str, part: str, masked: str) -> str:
    """Return a token with the part of it that is masked, and with the white space around that."""
    if masked == part:
        return token
    return token.replace(part, masked, 1)


def _of_1900(text: str) -> str:
    """Return a time on a day that is nobody's."""
    return "1900-01-01" + text[10:]


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()  # all of it can be worked out again


def is_id(name: str) -> bool:
    """Return whether a field is named as one that holds an id."""
    return bool(_OF_ID.search(name))


def _kind(character: str) -> str:
    """Return by a byte of chance what may stand for a character."""
    if character.isdecimal():
        return _DIGIT
    if character.isalpha():
        return _FOREIGN
    return character * 256


_LOWER = "".join(chr(ord("a") + chance % 26) for chance in range(256))
_DIGIT = "".join(str(chance % 10) for chance in range(256))
_FIRST_DIGIT = "".join(str(1 + chance % 9) for chance in range(256))
_FOREIGN = "éøñžдж文字" * 32
#: by the number of an ASCII character
_KINDS = [
    _DIGIT if chr(number).isdecimal() else chr(number) * 256 for number in range(128)
]  # fmt: skip
for _letter in "abcdefghijklmnopqrstuvwxyz":
    _KINDS[ord(_letter)] = _LOWER
    _KINDS[ord(_letter.upper())] = _LOWER.upper()


def _cut(text: str) -> str:
    """Return a long text with a length that says no more than how long such texts are."""
    if len(text) <= _EXACT_LENGTH:
        return text
    return text[: 1 << (len(text).bit_length() - 1)]


def _is_time(text: str, name: str) -> bool:
    """Whether a number is a time: seconds since 1970, or thousandths, in a field that is named so."""
    if not text.isdecimal() or not text.startswith("1"):
        return False
    if len(text) not in (_DIGITS_OF_SECONDS, _DIGITS_OF_MILLISECONDS):
        return False
    return bool(_OF_TIME.search(name))


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
