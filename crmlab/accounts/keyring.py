"""The system keyring (of the package ``keyring``). What writes plain text is no keyring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from crmlab.errors import CredentialError


def value(service: str, name: str) -> str | None:
    """Return what is kept there; None without keyring or value, or where it is locked."""
    try:
        backends = _backends()
    except CredentialError:
        return None
    from keyring.errors import KeyringError  # noqa: PLC0415  # optional

    for backend in backends:
        try:
            found: str | None = backend.get_password(service, name)
        except KeyringError:
            continue
        if found is not None:
            return found
    return None


def keep(service: str, values: Mapping[str, str]) -> str:
    """Keep the values, each under its name, and return what the keyring calls itself.

    Raises
    ------
    CredentialError
        there is no keyring, or it does not keep them; none of them is kept then
    """
    backend = _backends()[0]
    why = ""
    try:
        for name, text in values.items():
            backend.set_password(service, name, text)
        kept = all(backend.get_password(service, name) == text for name, text in values.items())
    except Exception as error:  # noqa: BLE001  # each system has errors of its own, whose texts may quote
        kept, why = False, f": {type(error).__name__}"
    if kept:
        return str(backend.name)
    with suppress(CredentialError):  # half an account is none
        drop(service, values)
    raise CredentialError(f"the keyring ({backend.name}) does not keep it{why}")


def drop(service: str, names: Iterable[str]) -> None:
    """Delete what is kept there under these names, if anything.

    Raises
    ------
    CredentialError
        there is no keyring, or it does not delete it
    """
    backends = _backends()
    for name in names:
        for backend in backends:
            try:
                if backend.get_password(service, name) is not None:
                    backend.delete_password(service, name)
            except Exception as error:  # noqa: BLE001  # as above
                said = (
                    f"the keyring ({backend.name}) does not delete {name}: {type(error).__name__}"
                )
                raise CredentialError(said) from None


def _backends() -> list[Any]:
    """Return what keyring found on this computer, best first."""
    try:
        import keyring  # noqa: PLC0415  # optional
    except ImportError:
        raise CredentialError("keyring is not installed: pip install keyring") from None
    chosen = keyring.get_keyring()
    # several come as a chain, whose end may be a file of plain text
    found = [
        each
        for each in getattr(chosen, "backends", [chosen])
        if type(each).__module__ != "keyring.backends.fail"
    ]
    safe = [each for each in found if "plaintext" not in type(each).__name__.lower()]
    if found and not safe:
        raise CredentialError(
            f"the keyring ({chosen.name}) writes plain text, which is no safe place for a key"
        )
    if not safe:
        raise CredentialError(
            "this computer has no keyring that crmlab knows: that of macOS, Windows or a Linux desktop"
        )
    return safe
