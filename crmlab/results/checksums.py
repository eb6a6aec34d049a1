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
    #: nanoseconds since 1970, as the file system counts them
    modified_ns: int


def checksum(path: Path) -> Checksum:
    """Return size, SHA-256 and time of a file; it takes no memory to speak of."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    status = path.stat()
    return Checksum(
        bytes=status.st_size,
        sha256=digest.hexdigest(),
        modified_ns=status.st_mtime_ns,
    )


def noting(writers: Mapping[str, Writer], into: MutableMapping[str, Checksum]) -> dict[str, Writer]:
    """Return the same writers, each of which notes the checksum of its file under the file's name."""
    noted: dict[str, Writer] = {}
    for name, write in writers.items():
        noted[name] = partial(_write_and_note, name, write, into)
    return noted


def _write_and_note(
    name: str,
    write: Writer,
    into: MutableMapping[str, Checksum],
    path: Path,
) -> None:
    write(path)
    into[name] = checksum(path)


def differs(
    path: Path,
    known: Checksum,
    *,
    trust_time: bool,
) -> bool:
    """Return whether a file is another one than when it was written.

    The size tells most changes, and else the content; with `trust_time` a file that was not written since is not read
    for that. A copy has a time of its own, and is read.
    """
    status = path.stat()
    if status.st_size != known["bytes"]:
        return True
    if trust_time and status.st_mtime_ns == known["modified_ns"]:
        return False
    return checksum(path)["sha256"] != known["sha256"]
