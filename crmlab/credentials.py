"""Where credentials come from, in this order; the first found wins.

Explicit argument > environment > file in ``CRMLAB_SECRETS_DIR`` > keyring > ``.env`` in the
working directory. The name is ``CRMLAB_<PROVIDER>_<FIELD>`` everywhere (lower case for files),
e.g. ``CRMLAB_ONEPAGECRM_API_KEY``. The keyring (extra ``crmlab[keyring]``) is read under the
service name ``crmlab``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from crmlab.errors import CredentialError
from crmlab.provider import Field, Provider


def variable(provider: Provider, field: Field) -> str:
    """Return the environment variable of a field, e.g. ``CRMLAB_ONEPAGECRM_API_KEY``."""
    return f"CRMLAB_{provider.name}_{field.name}".upper()


class _Keyring(PydanticBaseSettingsSource):
    """Reads the system keyring, where the ``keyring`` package and a real backend exist."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return keyring_value(f"{self.config['env_prefix']}{field_name}".upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        wanted = {n: f for n, f in self.settings_cls.model_fields.items() if not self.current_state.get(n)}
        found = {name: self.get_field_value(field, name)[0] for name, field in wanted.items()}
        return {name: value for name, value in found.items() if value}


class _Filled(PydanticBaseSettingsSource):
    """Another source without its blank values: an empty file is as good as none."""

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in self._source().items() if value}


def keyring_value(name: str) -> str | None:
    """Return what the keyring holds under `name`; None without keyring, backend or value."""
    try:
        import keyring  # noqa: PLC0415  # optional
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    if "plaintext" in type(keyring.get_keyring()).__name__.lower():
        return None  # keyrings.alt's PlaintextKeyring: base64 in a file is not a safe place
    try:
        value: str | None = keyring.get_password("crmlab", name)
    except KeyringError:  # no backend, or locked: the same as no value
        return None
    return value


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        case_sensitive=False,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = _Filled(file_secret_settings)
        return init_settings, env_settings, files, _Keyring(settings_cls), dotenv_settings


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
    model = create_model(
        f"{provider.name}_credentials",
        __base__=_Settings,
        **dict.fromkeys(known, (SecretStr | None, None)),  # type: ignore[call-overload]
    )
    # in the class and not per call: the keyring's source reads it there
    model.model_config["env_prefix"] = f"crmlab_{provider.name}_"
    folder = os.environ.get("CRMLAB_SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise CredentialError("CRMLAB_SECRETS_DIR names no folder")
    explicit = {name: _plain(value) for name, value in given.items() if value is not None}
    try:
        settings = model(_secrets_dir=folder or None, **explicit)
    except (SettingsError, UnicodeDecodeError):  # what they say may quote the file
        raise CredentialError("CRMLAB_SECRETS_DIR or .env cannot be read; check what they are") from None
    found: dict[str, SecretStr] = {}
    missing: list[Field] = []
    for name, field in known.items():
        value = (_plain(getattr(settings, name)) or field.default).strip()
        if value:
            found[name] = SecretStr(_checked(provider, field, value))
        elif name in needed:
            missing.append(field)
    if missing:
        raise CredentialError(_missing(provider, missing))
    return found


def _plain(value: str | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")


def _checked(provider: Provider, field: Field, value: str) -> str:
    if field.pattern and not re.fullmatch(field.pattern, value):
        raise CredentialError(f"{provider.title}: {field.label} does not look right. {field.help}")
    if any(ord(character) < 32 or ord(character) > 126 for character in value):
        raise CredentialError(
            f"{provider.title}: {field.label} holds a line break or a character that no key has; copy it again"
        )
    return value


def _missing(provider: Provider, fields: list[Field]) -> str:
    each = [f"{f.label}: {f.name}=... or {variable(provider, f)} ({f.help})" for f in fields]
    return f"{provider.title} needs {'; '.join(each)}. In a notebook, crmlab.login() asks for it."
