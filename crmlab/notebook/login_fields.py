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
    needed = provider.needed()
    in_address = url_fields(provider.base_url)
    return {
        "name": provider.name,
        "title": provider.title,
        "base_url": provider.base_url,
        "fields": [
            {
                **{name: getattr(field, name) for name in _SHOWN},
                "required": field.name in needed,
                "in_address": field.name in in_address,
                "variable": credentials.variable(provider, field),
            }
            for field in provider.fields
        ],
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
    there = [
        f
        for f in provider.fields
        if f.name in values and values[f.name].get_secret_value() != f.default
    ]
    return {
        "fields": [field.name for field in there],
        "settings": {f.name: values[f.name].get_secret_value() for f in there if not f.secret},
        "complete": bool(there) and provider.needed() <= values.keys(),
        "problem": "",
        "remembered": remembered,
    }


def meant(pasted: object) -> str:
    """Return what was pasted without what is easily copied with it: blanks, quotes, the word Bearer."""
    text = str(pasted).strip()
    for first, last in _QUOTES:
        if len(text) > 1 and text.startswith(first) and text.endswith(last):
            text = text[1:-1].strip()
            break
    kind, _, rest = text.partition(" ")
    return rest.strip() if kind.casefold() == "bearer" else text
