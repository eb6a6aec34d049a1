"""Where credentials come from, in this order; the first found wins.

Explicit argument > environment > file in ``CRMLAB_SECRETS_DIR`` > keyring > ``.env`` in the
working directory. The name is ``CRMLAB_<PROVIDER>_<FIELD>`` everywhere (lower case for files),
e.g. ``CRMLAB_ONEPAGECRM_API_KEY``. The keyring (extra ``crmlab[keyring]``) is read under the
service name ``crmlab``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crmlab.errors import CredentialError
from crmlab.provider import Field, Provider

if TYPE_CHECKING:
    from pydantic import SecretStr


def variable(provider: Provider, field: Field) -> str:
    """Return the environment variable of a field, e.g. ``CRMLAB_ONEPAGECRM_API_KEY``."""
    return f"CRMLAB_{provider.name}_{field.name}".upper()


def find(provider: Provider, given: Mapping[str, str | SecretStr], *, needed: set[str]) -> dict[str, SecretStr]:
    """Return the value of each field, from wherever it was found.

    Raises
    ------
    CredentialError
        an unknown field was given, or a needed one was found nowhere, or does not have the
        form it must have; names the field and the variable, never the value
    """
    known = {field.name: field for field in provider.fields}
    if strange := sorted(set(given) - set(known)):
        raise CredentialError(f"{provider.title} has no credential {', '.join(strange)}; it takes {', '.join(known)}")
    from pydantic import SecretStr  # noqa: PLC0415  # slow to import, as are the settings

    from crmlab import settings  # noqa: PLC0415

    explicit = {name: _plain(value) for name, value in given.items() if value is not None}
    values = settings.read(f"crmlab_{provider.name}_", known, explicit)
    found: dict[str, SecretStr] = {}
    missing: list[Field] = []
    for name, field in known.items():
        value = (_plain(values[name]) or field.default).strip()
        if value:
            found[name] = SecretStr(_checked(provider, field, value))
        elif name in needed:
            missing.append(field)
    if missing:
        raise CredentialError(_missing(provider, missing))
    return found


def _plain(value: str | SecretStr | None) -> str:
    if value is None:
        return ""
    return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)


def _checked(provider: Provider, field: Field, value: str) -> str:
    if field.pattern and not re.fullmatch(field.pattern, value):
        raise CredentialError(f"{provider.title}: {field.label} does not look right. {field.help}")
    if not value.isprintable() or (field.secret and not value.isascii()):
        raise CredentialError(
            f"{provider.title}: {field.label} holds a line break or a character that no key has; copy it again"
        )
    return value


def _missing(provider: Provider, fields: list[Field]) -> str:
    each = [f"{f.label}: {f.name}=... or {variable(provider, f)} ({f.help})" for f in fields]
    return f"{provider.title} needs {'; '.join(each)}. In a notebook, crmlab.login() asks for it."
