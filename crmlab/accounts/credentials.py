"""Where credentials come from, in this order; the first found wins.

Explicit argument > environment > file in ``CRMLAB_SECRETS_DIR`` > keyring > ``.env`` in the
working directory. The name is ``CRMLAB_<PROVIDER>_<FIELD>`` everywhere (lower case for files),
e.g. ``CRMLAB_ONEPAGECRM_API_KEY``. The keyring (of the package ``keyring``) is read under the
service name ``crmlab``, and only where something needed was found nowhere before it: options kept
with one key are not those of another.

Nothing is kept unless asked (`Account.remember`, or the form), and then in the keyring only: under
these names of the service ``crmlab``, or, for an account with a name of its own, of the service
``crmlab/<name>``. That account is found again by its name: what is kept of it wins over all but
arguments, and nothing of it comes from elsewhere, so that no other account's host can get its key.
The names of such accounts are kept beside, in the keyring too: ``CRMLAB_<PROVIDER>_ACCOUNTS``.

An address (`Account`'s ``base_url``) is neither read nor kept anywhere: a file in some folder must
not be able to send a key elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from crmlab.accounts import keyring
from crmlab.connector import Field, Provider
from crmlab.errors import CredentialError

if TYPE_CHECKING:
    from pydantic import SecretStr


def variable(provider: Provider, field: Field) -> str:
    """Return the environment variable of a field, e.g. ``CRMLAB_ONEPAGECRM_API_KEY``."""
    return f"CRMLAB_{provider.name}_{field.name}".upper()


def find(
    provider: Provider, given: Mapping[str, str | SecretStr], *, needed: set[str], account: str = ""
) -> dict[str, SecretStr]:
    """Return the value of each field of that account, from wherever it was found.

    Raises
    ------
    CredentialError
        an unknown field was given, or a needed one was found nowhere, or does not have the
        form it must have; names the field and the variable, never the value
    """
    known = {field.name: field for field in provider.fields}
    if strange := sorted(set(given) - set(known)):
        raise CredentialError(
            f"{provider.title} has no credential {', '.join(strange)}; it takes {', '.join(known)}"
        )
    from pydantic import SecretStr  # noqa: PLC0415  # slow to import, as are the settings

    from crmlab.accounts import settings  # noqa: PLC0415

    explicit = {name: _plain(value) for name, value in given.items() if value is not None}
    kept = _kept(provider, account, known.keys() - explicit) if _is_named(provider, account) else {}
    prefix = f"crmlab_{provider.name}_"
    vital = {name for name in needed | provider.needed() if not known[name].default}
    values = {**kept, **explicit} if kept else settings.read(prefix, known, explicit, needed=vital)
    found: dict[str, SecretStr] = {}
    missing: list[Field] = []
    for name, field in known.items():
        value = (_plain(values.get(name)) or field.default).strip()
        if value:
            found[name] = SecretStr(_checked(provider, field, value))
        elif name in needed:
            missing.append(field)
    if missing:
        raise CredentialError(_missing(provider, missing))
    return found


def remember(provider: Provider, values: Mapping[str, SecretStr], *, account: str) -> str:
    """Keep the credentials of an account in the keyring, instead of those kept before; return where.

    Raises
    ------
    CredentialError
        there is no safe keyring, or it does not keep them
    """
    forget(provider, account=account)
    told = [
        (field, values[field.name].get_secret_value())
        for field in provider.fields
        if field.name in values
    ]
    # an option that is as if it were not given stays so, whatever its default will be
    kept = {variable(provider, field): value for field, value in told if value != field.default}
    service = _service(provider, account)
    ring = keyring.keep(service, kept)
    if _is_named(provider, account):
        _list(provider, [*_listed(provider), account])
    return f"{ring}: service {service}, names {', '.join(kept)}"


def forget(provider: Provider, *, account: str) -> None:
    """Delete what the keyring keeps of an account.

    Raises
    ------
    CredentialError
        there is no keyring, or it does not delete it
    """
    keyring.drop(
        _service(provider, account), [variable(provider, field) for field in provider.fields]
    )
    if account in (names := _listed(provider)):
        _list(provider, [name for name in names if name != account])


def remembered(provider: Provider) -> list[str]:
    """Return the names of the accounts of which the keyring keeps anything."""
    unnamed = [provider.name] if _kept(provider, provider.name, provider.needed()) else []
    return unnamed + _listed(provider)


def _is_named(provider: Provider, account: str) -> bool:
    return account not in ("", provider.name)


def _service(provider: Provider, account: str) -> str:
    return f"crmlab/{account}" if _is_named(provider, account) else "crmlab"


def _kept(provider: Provider, account: str, names: Collection[str]) -> dict[str, str]:
    fields = [field for field in provider.fields if field.name in names]
    found = {
        field.name: keyring.value(_service(provider, account), variable(provider, field))
        for field in fields
    }
    return {name: value for name, value in found.items() if value}


def _listed(provider: Provider) -> list[str]:
    try:
        return [
            str(name) for name in json.loads(keyring.value("crmlab", _list_of(provider)) or "[]")
        ]
    except (ValueError, TypeError):  # somebody else's
        return []


def _list(provider: Provider, names: list[str]) -> None:
    if names:
        keyring.keep("crmlab", {_list_of(provider): json.dumps(names)})
    else:
        keyring.drop("crmlab", [_list_of(provider)])


def _list_of(provider: Provider) -> str:
    return f"CRMLAB_{provider.name}_ACCOUNTS".upper()


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
