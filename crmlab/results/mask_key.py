"""The key of a mask in a file, so that what is masked on several days joins."""

from __future__ import annotations

import secrets
from pathlib import Path

from crmlab.atomic_files import write_private
from crmlab.errors import UsageError
from crmlab.results.masking import KEY_BYTES, Mask

_NEW_BYTES = 32


def new_key() -> bytes:
    """Return a key that nobody has."""
    return secrets.token_bytes(_NEW_BYTES)


def kept_key(path: Path) -> bytes:
    """Return the key in a file, which is made for this user only where it is not there.

    Raises
    ------
    UsageError
        It holds no key, or cannot be read or written.
    CrmlabError
        The disk is full.
    """
    try:
        with path.open("rb") as file:
            key = file.read(KEY_BYTES[-1] + 1)
    except FileNotFoundError:
        key = new_key()
        write_private(path, key)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): name a file that holds the key of masks"
        ) from None
    try:
        Mask(key)
    except UsageError:
        size_in_words = f"{KEY_BYTES[0]} to {KEY_BYTES[-1]} bytes"
        raise UsageError(
            f"{path} holds no key of masks, which has {size_in_words}: name another file, or a new one"
        ) from None
    return key
