"""Files that are replaced all together or not at all, and errors in words where they cannot be written."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import polars as pl

from crmlab.errors import CrmlabError, UsageError

#: modes of what holds personal data and nobody asked for as files: for this user only
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
#: names of private files that are being written, or were when a run was killed
UNFINISHED = ".partial"
#: names of folders with what is not whole yet, and of those that are only being made
_PARTS = ".parts-"
_NEW_PARTS = ".new-parts-"
#: after which such a folder counts as left, where no lock can tell
_LEFT_SECONDS = 24 * 3600
#: how Polars names an error of the system that it wraps; the end of a Parquet file is written without a number
_OF_SYSTEM = re.compile(r"\(os error (\d+)\)|Invalid thrift: transport error")
#: the place is wrong; any other error of the system, such as a full disk, can pass
_WRONG_PLACE = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


def write_files(
    writers: Mapping[Path, Callable[[Path], object]], *, remove: Iterable[Path] = ()
) -> list[Path]:
    """Write all files, or leave every file that was there as it was; return their paths.

    Each is written in a folder beside its place, and moved when all are whole.

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
    whole_files: dict[Path, Path] = {}
    with ExitStack() as cleanup:
        parts_folders = _parts_folders(writers, cleanup)
        for path, write_file in writers.items():
            unfinished = parts_folders[path.parent] / path.name
            with errors_in_words(path):
                write_file(unfinished)
            whole_files[unfinished] = path
        move_files(whole_files, remove=remove)
    return [*writers]


def move_files(parts: Mapping[Path, Path], *, remove: Iterable[Path] = ()) -> None:
    """Move each whole file to its place; where one cannot be moved, all places are as they were."""
    obsolete = [*remove]
    second_names: dict[Path, Path | None] = {}
    with ExitStack() as cleanup:
        parts_folders = _parts_folders([*parts.values(), *obsolete], cleanup)
        try:
            for whole_file, path in parts.items():
                with errors_in_words(path):
                    second_names[path] = _second_name(path, parts_folders[path.parent])
                    whole_file.replace(path)
            for path in obsolete:
                with errors_in_words(path):
                    second_names[path] = _second_name(path, parts_folders[path.parent])
                    path.unlink(missing_ok=True)
        except BaseException:
            for path, second_name in second_names.items():
                _bring_back(path, second_name)
            raise


@contextmanager
def parts_folder(directory: Path) -> Iterator[Path]:
    """Make a folder in a folder, for this user only, for what is not whole yet; remove it at the end.

    What runs that were killed left of such folders is removed too: it is personal data.

    Raises
    ------
    UsageError, CrmlabError
        It cannot be made.
    """
    with errors_in_words(directory):
        new_folder = Path(tempfile.mkdtemp(prefix=_NEW_PARTS, dir=directory))
        handle = lock(new_folder)
        random_name = new_folder.name.removeprefix(_NEW_PARTS)
        # under this name only once it is locked: another run would take it for one that was left
        locked_folder = new_folder.rename(directory / f"{_PARTS}{random_name}")
    try:
        _remove_left_parts(directory)
        yield locked_folder
    finally:
        unlock(handle)
        shutil.rmtree(locked_folder, ignore_errors=True)


def _remove_left_parts(directory: Path) -> None:
    """Remove the parts that nobody works on any more."""
    for left_folder in directory.glob(f"{_PARTS}*"):
        try:
            handle = lock(left_folder)
        except OSError:  # somebody works on it, or it is somebody else's
            continue
        age_seconds = time.time() - left_folder.stat().st_mtime
        unlock(handle)
        if handle is not None or age_seconds > _LEFT_SECONDS:
            shutil.rmtree(left_folder, ignore_errors=True)


def make_folder(directory: str | Path) -> Path:
    """Make a folder, and those above it, where there is none; return its path."""
    folder = Path(directory)
    with errors_in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_folder(directory: str | Path) -> Path:
    """Make a folder where there is none and return its path, as `make_folder` does; raise where no file can be in it.

    So it is known before what is to be written there has cost anything.
    """
    folder = make_folder(directory)
    with parts_folder(folder):
        return folder


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, for this user only; one that is there stays as it is."""
    # one by one, since the mode of `mkdir` is that of the last folder alone
    for each_folder in (*reversed(folder.parents), folder):
        if not each_folder.exists():
            each_folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.mkdir(exist_ok=True)  # says so where it is a file


def write_private(path: Path, content: bytes) -> None:
    """Write a file for this user only: under its name it is whole, or not there.

    Raises
    ------
    UsageError, CrmlabError
        The place is wrong, or the disk is full.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    with errors_in_words(path):
        try:
            # with its mode from the beginning: there is no moment in which others can open it
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
            with os.fdopen(handle, "wb") as private_file:
                private_file.write(content)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def errors_in_words(path: Path) -> Iterator[None]:
    """Raise errors of the system as crmlab's own, in one line that names the path."""
    try:
        yield
    except OSError as error:
        raise _in_words(path, error) from None
    except pl.exceptions.PolarsError as error:
        system_error = _OF_SYSTEM.search(str(error))
        if not system_error:
            raise
        number = int(system_error[1] or errno.ENOSPC)
        raise _in_words(path, OSError(number, os.strerror(number))) from None


def is_of_system(error: pl.exceptions.PolarsError) -> bool:
    """Return whether Polars wraps an error of the system, such as a full disk."""
    return bool(_OF_SYSTEM.search(str(error)))


def _in_words(path: Path, error: OSError) -> CrmlabError:
    reason = error.strerror or str(error).partition(" (os error ")[0]  # that is how Polars says it
    if isinstance(error, _WRONG_PLACE):
        return UsageError(f"{path} cannot be written ({reason}): name another place")
    return CrmlabError(
        f"{path} could not be written ({reason}); files that were there are unharmed"
    )


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


def _second_name(path: Path, folder: Path) -> Path | None:
    """Give what stands there a second name, by which it can be brought back; None where nothing stands."""
    if not path.exists():
        return None
    second_name = folder / f"{secrets.token_hex(8)}.earlier"
    try:
        second_name.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copy2(path, second_name)
    return second_name


def _bring_back(path: Path, kept: Path | None) -> None:
    if kept:
        kept.replace(path)
    else:
        path.unlink(missing_ok=True)


def _parts_folders(paths: Iterable[Path], cleanup: ExitStack) -> dict[Path, Path]:
    """Make a folder for parts in each folder of these paths: within one file system, moving is one step."""
    parts_folders: dict[Path, Path] = {}
    for path in paths:
        if path.parent not in parts_folders:
            parts_folders[path.parent] = cleanup.enter_context(parts_folder(path.parent))
    return parts_folders
