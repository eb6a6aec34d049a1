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
    known_fields = {field.name: field for field in provider.fields}
    strange = sorted(set(given) - set(known_fields))
    if strange:
        raise CredentialError(
            f"{provider.title} has no credential {', '.join(strange)}; "
            f"it takes {', '.join(known_fields)}"
        )
    from pydantic import SecretStr  # noqa: PLC0415  # slow to import, as are the settings

    values = _values(provider, given, needed=needed, account=account)
    secrets: dict[str, SecretStr] = {}
    missing: list[Field] = []
    for field_name, field in known_fields.items():
        field_value = (_plain(values.get(field_name)) or field.default).strip()
        if field_value:
            secrets[field_name] = SecretStr(_checked(provider, field, field_value))
        elif field_name in needed:
            missing.append(field)
    if missing:
        raise CredentialError(_missing(provider, missing))
    return secrets


def _values(
    provider: Provider, given: Mapping[str, str | SecretStr], *, needed: set[str], account: str
) -> Mapping[str, str | SecretStr | None]:
    """Return what was given, and what was found of the other fields."""
    from crmlab.accounts import settings  # noqa: PLC0415  # slow to import

    known_fields = {field.name: field for field in provider.fields}
    explicit = {name: _plain(value) for name, value in given.items() if value is not None}
    if _is_named(provider, account):
        kept_values = _kept(provider, account, known_fields.keys() - explicit)
        if kept_values:
            # nothing of it comes from elsewhere: no other account's host can get its key
            return {**kept_values, **explicit}
    vital_names: set[str] = set()
    for field_name in needed | provider.needed():
        if not known_fields[field_name].default:
            vital_names.add(field_name)
    return settings.read(f"crmlab_{provider.name}_", known_fields, explicit, needed=vital_names)


def remember(provider: Provider, values: Mapping[str, SecretStr], *, account: str) -> str:
    """Keep the credentials of an account in the keyring, instead of those kept before; return where.

    Raises
    ------
    CredentialError
        there is no safe keyring, or it does not keep them
    """
    # options kept with another key are not those of this one
    forget(provider, account=account)
    by_variable: dict[str, str] = {}
    for field in provider.fields:
        if field.name not in values:
            continue
        field_value = values[field.name].get_secret_value()
        # an option that is as if it were not given stays so, whatever its default will be
        if field_value != field.default:
            by_variable[variable(provider, field)] = field_value
    service = _service(provider, account)
    keyring_name = keyring.keep(service, by_variable)
    if _is_named(provider, account):
        _list(provider, [*_listed(provider), account])
    return f"{keyring_name}: service {service}, names {', '.join(by_variable)}"


def forget(provider: Provider, *, account: str) -> None:
    """Delete what the keyring keeps of an account.

    Raises
    ------
    CredentialError
        there is no keyring, or it does not delete it
    """
    variables = [variable(provider, field) for field in provider.fields]
    keyring.drop(_service(provider, account), variables)
    names = _listed(provider)
    if account in names:
        _list(provider, [name for name in names if name != account])


def remembered(provider: Provider) -> list[str]:
    """Return the names of the accounts of which the keyring keeps anything."""
    names = _listed(provider)
    if _kept(provider, provider.name, provider.needed()):
        return [provider.name, *names]
    return names


def _is_named(provider: Provider, account: str) -> bool:
    return account not in ("", provider.name)


def _service(provider: Provider, account: str) -> str:
    return f"crmlab/{account}" if _is_named(provider, account) else "crmlab"


def _kept(provider: Provider, account: str, names: Collection[str]) -> dict[str, str]:
    kept_values: dict[str, str] = {}
    for field in provider.fields:
        if field.name not in names:
            continue
        field_value = keyring.value(_service(provider, account), variable(provider, field))
        if field_value:
            kept_values[field.name] = field_value
    return kept_values


def _listed(provider: Provider) -> list[str]:
    json_text = keyring.value("crmlab", _list_of(provider)) or "[]"
    try:
        return [str(name) for name in json.loads(json_text)]
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
    # not asked by its class, which is slow to import
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    return str(value)


def _checked(provider: Provider, field: Field, value: str) -> str:
    if field.pattern and not re.fullmatch(field.pattern, value):
        raise CredentialError(f"{provider.title}: {field.label} does not look right. {field.help}")
    if not value.isprintable() or (field.secret and not value.isascii()):
        raise CredentialError(
            f"{provider.title}: {field.label} holds a line break or a character that no key has; copy it again"
        )
    return value


def _missing(provider: Provider, fields: list[Field]) -> str:
    ways: list[str] = []
    for field in fields:
        argument = f"{field.name}=..."
        ways.append(f"{field.label}: {argument} or {variable(provider, field)} ({field.help})")
    return f"{provider.title} needs {'; '.join(ways)}. In a notebook, crmlab.login() asks for it."
