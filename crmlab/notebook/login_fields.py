"""What the login form asks for, and what need not be asked."""

from __future__ import annotations

from typing import Any

from crmlab.accounts import credentials
from crmlab.connector import Provider, url_fields
from crmlab.errors import CredentialError

#: what the form knows of a field
_SHOWN = ("name", "label", "help", "secret", "default", "pattern")
#: what a text that was copied may stand between
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("‘", "’"), ("`", "`"))  # noqa: RUF001


def section(provider: Provider) -> dict[str, Any]:
    """Return what the form asks for an account of this provider; the same for everybody."""
    required = provider.needed()
    in_address = url_fields(provider.base_url)
    questions = []
    for field in provider.fields:
        question = {attribute: getattr(field, attribute) for attribute in _SHOWN}
        question["required"] = field.name in required
        question["in_address"] = field.name in in_address
        question["variable"] = credentials.variable(provider, field)
        questions.append(question)
    return {
        "name": provider.name,
        "title": provider.title,
        "base_url": provider.base_url,
        "fields": questions,
    }


def found(provider: Provider) -> dict[str, Any]:
    """Return which fields are found without asking; of the values only those of settings."""
    remembered = credentials.remembered(provider)
    try:
        values = credentials.find(provider, {}, needed=set())
    except CredentialError as error:
        return {
            "fields": [],
            "settings": {},
            "complete": False,
            "problem": str(error),
            "remembered": remembered,
        }
    names = []
    settings = {}
    for field in provider.fields:
        if field.name not in values:
            continue
        field_value = values[field.name].get_secret_value()
        # the default is there for everybody: nobody gave it
        if field_value == field.default:
            continue
        names.append(field.name)
        if not field.secret:
            settings[field.name] = field_value
    return {
        "fields": names,
        "settings": settings,
        "complete": bool(names) and provider.needed() <= values.keys(),
        "problem": "",
        "remembered": remembered,
    }


def meant(pasted: object) -> str:
    """Return what was pasted without what is easily copied with it: blanks, quotes, the word Bearer."""
    stripped = str(pasted).strip()
    for opening, closing in _QUOTES:
        is_quoted = stripped.startswith(opening) and stripped.endswith(closing)
        # one quotation mark alone is its own beginning and end
        if is_quoted and len(stripped) > 1:
            stripped = stripped[1:-1].strip()
            break
    first_word, _, remainder = stripped.partition(" ")
    if first_word.casefold() == "bearer":
        return remainder.strip()
    return stripped
