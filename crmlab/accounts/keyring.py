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
            password: str | None = backend.get_password(service, name)
        except KeyringError:  # it is locked, or out of order: another one may have it
            continue
        if password is not None:
            return password
    return None


def keep(service: str, values: Mapping[str, str]) -> str:
    """Keep the values, each under its name, and return what the keyring calls itself.

    Raises
    ------
    CredentialError
        there is no keyring, or it does not keep them; none of them is kept then
    """
    backend = _backends()[0]
    reason = ""
    is_kept = False
    try:
        for field_name, field_value in values.items():
            backend.set_password(service, field_name, field_value)
        # some say nothing, and keep nothing
        is_kept = all(backend.get_password(service, name) == values[name] for name in values)
    except Exception as error:  # noqa: BLE001  # each system has errors of its own, whose texts may quote
        reason = f": {type(error).__name__}"
    if is_kept:
        return str(backend.name)
    with suppress(CredentialError):  # half an account is none
        drop(service, values)
    raise CredentialError(f"the keyring ({backend.name}) does not keep it{reason}")


def drop(service: str, names: Iterable[str]) -> None:
    """Delete what is kept there under these names, if anything.

    Raises
    ------
    CredentialError
        there is no keyring, or it does not delete it
    """
    backends = _backends()
    for kept_name in names:
        for backend in backends:
            try:
                if backend.get_password(service, kept_name) is not None:
                    backend.delete_password(service, kept_name)
            except Exception as error:  # noqa: BLE001  # as above
                reason = type(error).__name__
                raise CredentialError(
                    f"the keyring ({backend.name}) does not delete {kept_name}: {reason}"
                ) from None


def _backends() -> list[Any]:
    """Return what keyring found on this computer, best first."""
    try:
        import keyring  # noqa: PLC0415  # optional
    except ImportError:
        raise CredentialError("keyring is not installed: pip install keyring") from None
    chosen = keyring.get_keyring()
    # several come as a chain, whose end may be a file of plain text
    safe_backends: list[Any] = []
    has_unsafe = False
    for backend in getattr(chosen, "backends", [chosen]):
        if type(backend).__module__ == "keyring.backends.fail":
            continue
        if "plaintext" in type(backend).__name__.lower():
            has_unsafe = True
            continue
        safe_backends.append(backend)
    if safe_backends:
        return safe_backends
    if has_unsafe:
        raise CredentialError(
            f"the keyring ({chosen.name}) writes plain text, which is no safe place for a key"
        )
    raise CredentialError(
        "this computer has no keyring that crmlab knows: that of macOS, Windows or a Linux desktop"
    )
