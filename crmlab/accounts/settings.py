"""Reads values from the environment, secret files, the keyring and ``.env``.

Apart from `crmlab.accounts.credentials`, which loads it when an account is made: with pydantic it takes
half as long as polars to import.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from crmlab.accounts import keyring
from crmlab.errors import CredentialError, UsageError


def read(
    prefix: str, names: Iterable[str], given: Mapping[str, str], *, needed: Collection[str]
) -> dict[str, SecretStr | None]:
    """Return the value of each name, given or found under the prefix; None where there is none.

    The keyring is asked only where one of the `needed` names is found nowhere before it.

    Raises
    ------
    CredentialError
        a file with secrets cannot be read
    """
    names = list(names)
    model = create_model(
        "Credentials",
        __base__=_Settings,
        **dict.fromkeys(names, (SecretStr | None, None)),  # type: ignore[call-overload]
    )
    # in the class and not per call: the keyring's source reads it there
    model.model_config["env_prefix"] = prefix
    model.needed = frozenset(needed)
    folder = os.environ.get("CRMLAB_SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise CredentialError("CRMLAB_SECRETS_DIR names no folder")
    try:
        settings = model(_secrets_dir=folder or None, **given)
    except (SettingsError, UnicodeDecodeError):  # what they say may quote the file
        raise CredentialError(
            "CRMLAB_SECRETS_DIR or .env cannot be read; check what they are"
        ) from None
    return {field_name: getattr(settings, field_name) for field_name in names}


def facts(prefix: str) -> dict[str, Any]:
    """Return the JSON object that the environment or ``.env`` holds under the prefix and FACTS; empty without one.

    Raises
    ------
    UsageError
        what stands there is no JSON object
    """
    try:
        return _Facts(_env_prefix=prefix).facts or {}  # type: ignore[call-arg]  # all settings take it
    except (SettingsError, ValidationError, UnicodeDecodeError):
        raise UsageError(f'{prefix}FACTS is no JSON object such as {{"first_page": 0}}') from None


class _Facts(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    facts: dict[str, Any] | None = None


class _Keyring(PydanticBaseSettingsSource):
    """Reads the system keyring, where there is one and something needed was found nowhere before it."""

    def __init__(self, settings_cls: type[BaseSettings], needed: frozenset[str]) -> None:
        super().__init__(settings_cls)
        self._needed = needed

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{self.config['env_prefix']}{field_name}".upper()
        return keyring.value("crmlab", variable), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        absent = [name for name in fields if not self.current_state.get(name)]
        if self._needed.isdisjoint(absent):
            return {}  # what it keeps belongs to the key it keeps; and it is slow to load, or asks to be unlocked
        kept: dict[str, Any] = {}
        for field_name in absent:
            value, _, _ = self.get_field_value(fields[field_name], field_name)
            if value:
                kept[field_name] = value
        return kept


class _Filled(PydanticBaseSettingsSource):
    """Another source without its blank values: an empty file is as good as none."""

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in self._source().items() if value}


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        case_sensitive=False,
    )

    needed: ClassVar[frozenset[str]] = frozenset()

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
        return (
            init_settings,
            env_settings,
            files,
            _Keyring(settings_cls, cls.needed),
            dotenv_settings,
        )
