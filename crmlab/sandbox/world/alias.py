"""How services spell the same person differently, as they do in real life."""

from __future__ import annotations

import re
import unicodedata
from zlib import crc32

_PAIRS = (
    "Alexander:Alex Andrew:Andy Benjamin:Ben Catherine:Cathy Charles:Charlie Christopher:Chris "
    "Daniel:Dan Elizabeth:Liz Emily:Em Francesca:Fran Johannes:Hannes Jonathan:Jon "
    "Katharina:Kathi Margaret:Maggie Matthew:Matt Michael:Mike Nicholas:Nick Patrick:Paddy "
    "Rebecca:Becky Robert:Rob Samuel:Sam Thomas:Tom Victoria:Vicky William:Bill"
)
#: accents, in text that has them as characters of their own
_ACCENTS = re.compile("[\u0300-\u036f]")
_NICKNAMES = dict(pair.split(":") for pair in _PAIRS.split())


def misspelled(
    first: str,
    last: str,
    email: str | None,
    phone: str | None,
    *,
    key: str,
) -> tuple[str, str, str | None, str | None]:
    """The name, e-mail and phone in another spelling: the same for a key, on every machine.

    One in four e-mails differs in case, one in four names may be a nickname, lack its accents or
    end in capitals, and half the phones are punctuated otherwise. An e-mail is never another
    mailbox: lower case joins it again.
    """
    dice = crc32(key.encode())
    first_name, last_name = _noisy_name(first, last, dice % 12)
    email_alias = email and _noisy_email(email, dice // 12 % 8)
    phone_alias = phone and _noisy_phone(phone, dice // 96 % 6)
    return first_name, last_name, email_alias, phone_alias


def _noisy_name(first: str, last: str, face: int) -> tuple[str, str]:
    if face == 0:
        return _NICKNAMES.get(first, first), last
    if face == 1:
        return _without_accents(first), _without_accents(last)
    if face == 2:
        return _NICKNAMES.get(first, _without_accents(first)), last.upper()
    return first, last


def _noisy_email(email: str, face: int) -> str:
    if face == 0:
        return email.upper()
    if face == 1:
        mailbox, _, domain = email.partition("@")
        capitalized = [part.capitalize() for part in mailbox.split(".")]
        return f"{'.'.join(capitalized)}@{domain}"
    return email


def _noisy_phone(phone: str, face: int) -> str:
    digits = "".join(character for character in phone if character.isdigit())
    if face == 0:
        return f"+{digits}"
    if face == 1:
        return f"00{digits}"
    if face == 2:
        return phone.replace(" ", "-")
    return phone


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
