"""Size and checksum of files: by these a file that somebody changed is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from pathlib import Path
from typing import TypedDict

#: what writes a file to the path that it is called with
Writer = Callable[[Path], None]


class Checksum(TypedDict):
    """What a file was when it was written; ``sha256sum`` of a shell prints the same."""

    bytes: int
    sha256: str


def checksum(path: Path) -> Checksum:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Checksum(bytes=path.stat().st_size, sha256=digest.hexdigest())


def noting(writers: Mapping[str, Writer], into: MutableMapping[str, Checksum]) -> dict[str, Writer]:
    """Return the same writers, each of which notes the checksum of its file under the file's name."""
    return {name: partial(_write_and_note, name, write, into) for name, write in writers.items()}


def _write_and_note(name: str, write: Writer, into: MutableMapping[str, Checksum], path: Path) -> None:
    write(path)
    into[name] = checksum(path)


def differs(path: Path, known: Checksum, *, whole: bool) -> bool:
    """Return whether a file is another one than when it was written.

    The size alone tells most changes, and without reading the file; `whole` compares its content as well.
    """
    if path.stat().st_size != known["bytes"]:
        return True
    return whole and checksum(path) != known
