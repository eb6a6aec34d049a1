"""A keyring as the package ``keyring`` has it, without that package."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest


class KeyringError(Exception):
    """As `keyring.errors.KeyringError`."""


class Ring:
    """A backend that keeps in memory; `broken` names what it refuses to do, with an error of that kind."""

    name = "Test Ring"

    def __init__(self, **passwords: str) -> None:
        self.kept = {("crmlab", name): value for name, value in passwords.items()}
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}

    def get_password(self, service: str, name: str) -> str | None:
        self.asked.append(name)
        self._may("get")
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._may("set")
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._may("delete")
        del self.kept[service, name]

    def _may(self, what: str) -> None:
        if what in self.broken:
            raise self.broken[what]


class PlaintextKeyring(Ring):
    name = "file PlaintextKeyring"


class Null(Ring):
    """Takes everything and keeps nothing."""

    name = "null Keyring"

    def set_password(self, service: str, name: str, value: str) -> None: ...


class Fail(Ring):
    name = "fail Keyring"


Fail.__module__ = "keyring.backends.fail"


class Chain:
    """What keyring gives where several backends can be used."""

    name = "chainer ChainerBackend"

    def __init__(self, *backends: Ring) -> None:
        self.backends = backends


def install(monkeypatch: pytest.MonkeyPatch, ring: Ring | Chain) -> None:
    """Make `ring` the keyring of this computer."""
    module, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    module.get_keyring = lambda: ring  # type: ignore[attr-defined]
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
