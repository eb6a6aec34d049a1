"""Names of fields that hold a key or a password, whatever a service's document says of them."""

from __future__ import annotations

from functools import lru_cache

#: parts of such names; looking for each of them is much faster than a regular expression is in long texts
SECRET_PARTS = ("token", "secret", "password", "auth_key", "authkey", "api_key", "apikey")


@lru_cache(maxsize=4_096)
def is_secret(name: str) -> bool:
    """Return whether a field is named like one that holds a secret."""
    folded = name.casefold()
    return any(secret_part in folded for secret_part in SECRET_PARTS)
