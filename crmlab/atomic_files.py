"""Files that are replaced all together or not at all, and errors in words where they cannot be written."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from crmlab.errors import CrmlabError, UsageError

#: modes of what holds personal data and nobody asked for as files: for this user only
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
#: the place is wrong; any other error of the system, such as a full disk, can pass
_WRONG_PLACE = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def write_files(writers: Mapping[Path, Callable[[Path], object]], *, remove: Iterable[Path] = ()) -> list[Path]:
    """Write all files, or leave every file that was there as it was; return their paths.

    Each is written beside its place under another name, and moved when all are whole.

    Parameters
    ----------
    writers
        By path, what writes the file: it is called with the path to write to.
    remove
        Files of before that would contradict the new ones.

    Raises
    ------
    UsageError
        The folder is none, or not ours to write to.
    CrmlabError
        The system refused otherwise: the disk is full.
    """
    # not tempfile: its files are for one user only, and these are to be passed on
    parts = {_beside(path, "part"): path for path in writers}
    try:
        for part, path in parts.items():
            with errors_in_words(path):
                writers[path](part)
        move_files(parts, remove=remove)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return [*writers]


def move_files(parts: Mapping[Path, Path], *, remove: Iterable[Path] = ()) -> None:
    """Move each whole file to its place; where one cannot be moved, all places are as they were."""
    earlier: dict[Path, Path | None] = {}
    try:
        for part, path in parts.items():
            with errors_in_words(path):
                earlier[path] = _second_name(path)
                part.replace(path)
        for path in remove:
            with errors_in_words(path):
                earlier[path] = _second_name(path)
                path.unlink(missing_ok=True)
    except BaseException:
        for path, kept in earlier.items():
            _bring_back(path, kept)
        raise
    finally:
        for kept in earlier.values():
            if kept:
                kept.unlink(missing_ok=True)


def make_folder(directory: str | Path) -> Path:
    """Make a folder, and those above it, where there is none; return its path."""
    folder = Path(directory)
    with errors_in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, for this user only; one that is there stays as it is."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.mkdir(exist_ok=True)  # says so where it is a file


@contextmanager
def errors_in_words(path: Path) -> Iterator[None]:
    """Raise errors of the system as crmlab's own, in one line that names the path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition(" (os error ")[0]  # that is how Polars says it
        if isinstance(error, _WRONG_PLACE):
            raise UsageError(f"{path} cannot be written ({reason}): name another place") from None
        raise CrmlabError(f"{path} could not be written ({reason}); files that were there are unharmed") from None


def lock(folder: Path) -> int | None:
    """Return what keeps other runs out of a folder until it is closed, or the process ends; None where none can be.

    Raises
    ------
    BlockingIOError
        Another run uses it.
    """
    if sys.platform == "win32":
        return None
    import fcntl  # noqa: PLC0415  # not on Windows

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle


def unlock(handle: int | None) -> None:
    """Let other runs use the folder that was locked."""
    if handle is not None:
        os.close(handle)


def _second_name(path: Path) -> Path | None:
    """Give what stands there a second name, by which it can be brought back; None where nothing stands."""
    if not path.exists():
        return None
    kept = _beside(path, "earlier")
    try:
        kept.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copy2(path, kept)
    return kept


def _bring_back(path: Path, kept: Path | None) -> None:
    if kept:
        kept.replace(path)
    else:
        path.unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    """Return a name that nothing else has, in the same folder, so that moving is a matter of names."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.{ending}")
