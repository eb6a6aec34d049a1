"""A value on its way to a worker, which nothing shows that logs, lists or keeps what passes."""

from __future__ import annotations

import pickle
from typing import Any, Self


class Sealed:
    """A value that is a secret, as bytes: whoever prints what it is an argument of sees that there is one, and no more.

    Dask writes the arguments of what failed into the log of the worker, and a scheduler can be told to list them.

    Examples
    --------
    >>> sealed = Sealed.of({"api_key": "not-shown"})
    >>> sealed
    <sealed>
    >>> sealed.open()["api_key"]
    'not-shown'
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    @classmethod
    def of(cls, value: object) -> Self:
        """Seal a value."""
        return cls(pickle.dumps(value))

    def open(self) -> Any:
        """Return the value."""
        return pickle.loads(self._content)  # noqa: S301  # of our own making

    def __repr__(self) -> str:
        return "<sealed>"

    def __reduce__(self) -> tuple[type[Sealed], tuple[bytes]]:
        return Sealed, (self._content,)
