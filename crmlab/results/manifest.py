"""What was asked, beside the files of its answer: the manifest ``crmlab.json``, and metadata of each Parquet file.

Neither holds a secret or a value of a record. The manifest says of which accounts and period the tables are, when they
were fetched, how many rows each has, whether it is complete, and what failed. Parquet files say it themselves as well,
under the key ``crmlab``, so that one which is passed on alone still knows its period.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from crmlab import errors
from crmlab.display import listed
from crmlab.errors import ApiError, CrmlabError, RateLimitError, UsageError
from crmlab.results.checksums import Checksum
from crmlab.schema import TABLES, Asked

FILE = "crmlab.json"
WORKBOOK = "crmlab.xlsx"
#: of the metadata of a Parquet file
_KEY = "crmlab"
#: what errors of a service say besides their message
_OF_SERVICE = ("status", "code", "detail", "request_id")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What ``crmlab.json`` says.

    `tables` are those that were written, with their rows; `formats` are those of the files, the newest last.
    """

    asked: Asked
    tables: Mapping[str, int]
    formats: tuple[str, ...]
    #: by name, what each file was when it was written
    files: Mapping[str, Checksum] = msgspec.field(default_factory=dict)
    #: whether personal values are tokens
    is_masked: bool = False
    failures: tuple[CrmlabError, ...] = ()


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Formats in which a folder holds the same fetch already, and the checksums of these files."""

    formats: tuple[str, ...] = ()
    files: Mapping[str, Checksum] = msgspec.field(default_factory=dict)


def text(
    asked: Asked,
    *,
    tables: Mapping[str, int],
    summary: pl.DataFrame,
    failures: Sequence[CrmlabError],
    rejected: int,
    misfits: int,
    format: str,
    files: Mapping[str, Checksum],
    is_masked: bool,
    beside: Beside,
) -> str:
    """Return the manifest as JSON.

    Parameters
    ----------
    asked
        What was asked for.
    tables
        The rows of each table that is written.
    summary
        The account of the fetch. Reads table, complete.
    failures
        What went wrong.
    rejected, misfits
        How many records, and how many values of others, could not be read.
    format
        That of the files.
    files
        Size and checksum of each file, by its name.
    is_masked
        Whether personal values are tokens.
    beside
        What stays of the very same fetch in other formats.
    """
    lacking = set(summary.filter(~pl.col("complete"))["table"])
    tables_told = {}
    for table, row_count in tables.items():
        tables_told[table] = {"rows": row_count, "complete": table not in lacking}
    values = {
        "crmlab": _version(),
        **asked.as_json(),
        "masked": is_masked,
        "formats": [*beside.formats, format],
        "tables": tables_told,
        "rejected": rejected,
        "misfits": misfits,
        "failures": [failure_as_json(failure) for failure in failures],
        "files": {**beside.files, **files},
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def parquet_metadata(asked: Asked, *, is_masked: bool = False) -> dict[str, str]:
    """Return what each Parquet file says of itself."""
    said = {"crmlab": _version(), **asked.as_json(), "masked": is_masked}
    return {_KEY: json.dumps(said, ensure_ascii=False)}


def read(folder: Path) -> Manifest | None:
    """Return what the manifest of a folder says; None where there is none.

    Raises
    ------
    UsageError
        It is no manifest of crmlab's.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_bytes())
        return _manifest(values)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(
            f"{path} is not what crmlab wrote: fetch or export into another folder"
        ) from None


def _manifest(values: Mapping[str, Any]) -> Manifest:
    # manifests did not always say of checksums and masks
    files_told = values.get("files", {})
    return Manifest(
        asked=Asked.from_json(values),
        tables={name: table["rows"] for name, table in values["tables"].items()},
        formats=tuple(values["formats"]),
        files={name: _checksum(checksum) for name, checksum in files_told.items()},
        is_masked=values.get("masked", False),
        failures=tuple(map(failure_from_json, values["failures"])),
    )


def _checksum(values: Mapping[str, Any]) -> Checksum:
    return Checksum(
        bytes=values["bytes"], sha256=values["sha256"], modified_ns=values["modified_ns"]
    )


def asked_of(path: Path) -> Asked | None:
    """Return what a Parquet file says that it holds; None where it does not say.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    try:
        said = pl.read_parquet_metadata(path).get(_KEY)
    except (pl.exceptions.PolarsError, OSError):
        raise UsageError(f"{path} cannot be read as Parquet") from None
    if said is None:
        return None
    try:
        return Asked.from_json(json.loads(said))
    except (KeyError, TypeError, ValueError):
        return None  # who wrote it meant something else by the key


def says_masked(path: Path) -> bool:
    """Return whether a Parquet file says that its personal values are tokens."""
    try:
        return bool(json.loads(pl.read_parquet_metadata(path)[_KEY])["masked"])
    except (pl.exceptions.PolarsError, OSError, KeyError, TypeError, ValueError):
        return False  # it does not say


def refuse_another_question(
    directory: str | Path,
    asked: Asked,
    format: str,
) -> None:
    """Refuse a folder whose files answer another question, since some would stay and be taken for this answer.

    The question is the same if it is asked of the same accounts, for the same period, and for all tables that are
    there. Where no manifest tells, the metadata of Parquet files do; where these do not tell either, the folder is
    refused as soon as it holds a file of a shared table in the same format.

    Raises
    ------
    UsageError
        It says what the folder holds, and what to do.
    """
    folder = Path(directory)
    if not folder.is_dir():
        return
    manifest = read(folder)
    if manifest:
        # a table whose file somebody removed is no answer any more
        formats = manifest.formats
        tables_left = {name for name in manifest.tables if _has_file(folder, name, formats)}
        earlier = manifest.asked
    else:
        files_there = table_files(folder, format)
        if not files_there:
            return
        tables_left = set(files_there)
        earlier = _said_by_all(folder, files_there.values())
    differences = asked.differences(earlier, tables_left)
    if differences and tables_left:
        raise UsageError(
            f"{folder} holds the answer to another question: it {' and '.join(differences)}. Name another folder, "
            "ask the same question again, or remove its files"
        )


def table_files(folder: Path, format: str) -> dict[str, Path]:
    """Return the files in a folder that are named after shared tables, by their names."""
    if format == "xlsx":
        workbook = folder / WORKBOOK
        return {"crmlab": workbook} if workbook.exists() else {}
    paths = sorted(folder.glob(f"*.{format}"))
    return {path.stem: path for path in paths if path.stem in TABLES}


def named_files(
    folder: Path,
    names: Iterable[str],
    format: str,
) -> dict[str, Path]:
    """Return the files of these names that are in a folder, by their names."""
    files = {}
    for name in names:
        path = folder / f"{name}.{format}"
        if path.exists():
            files[name] = path
    return files


def kept_beside(
    directory: str | Path,
    asked: Asked,
    format: str,
    *,
    is_masked: bool,
) -> Beside:
    """Return what a folder holds of the very same fetch in other formats than this one."""
    earlier = read(Path(directory))
    # files of another fetch, or with other names in them, are none of this manifest
    if earlier is None or earlier.asked != asked or earlier.is_masked != is_masked:
        return Beside()
    other_formats = tuple(known for known in earlier.formats if known != format)
    other_files = {}
    for file_name, checksum in earlier.files.items():
        if not file_name.endswith(f".{format}"):
            other_files[file_name] = checksum
    return Beside(formats=other_formats, files=other_files)


def _has_file(
    folder: Path,
    name: str,
    formats: Iterable[str],
) -> bool:
    for file_format in formats:
        file_name = WORKBOOK if file_format == "xlsx" else f"{name}.{file_format}"
        if (folder / file_name).exists():
            return True
    return False


def _said_by_all(folder: Path, files: Iterable[Path]) -> Asked:
    """Return what all files say alike.

    Raises
    ------
    UsageError
        One says nothing, or something else.
    """
    said_by_files = {}
    for path in files:
        # other files than Parquet say nothing of themselves
        said_by_files[path.name] = asked_of(path) if path.suffix == ".parquet" else None
    said_by_first = next(iter(said_by_files.values()))
    unknown = []
    for file_name, said in said_by_files.items():
        if said is None or said != said_by_first:
            unknown.append(file_name)
    if said_by_first is None or unknown:
        raise UsageError(
            f"{folder} holds {listed(unknown)}, and nothing tells of which accounts, period and time all of its files "
            "are: name another folder, or remove them"
        )
    return said_by_first


def failure_as_json(failure: CrmlabError) -> dict[str, Any]:
    """Return an error as values that JSON has; `failure_from_json` reads them."""
    values: dict[str, Any] = {
        "kind": type(failure).__name__,
        "account": failure.account,
        "resource": failure.resource,
        "what": failure.what,
        "hint": failure.hint,
        "tries": failure.tries,
    }
    if isinstance(failure, ApiError):
        values |= {name: getattr(failure, name) for name in _OF_SERVICE}
    if isinstance(failure, RateLimitError):
        values["retry_after"] = failure.retry_after
    return values


def failure_from_json(values: Mapping[str, Any]) -> CrmlabError:
    """Return the error that `failure_as_json` was given.

    Raises
    ------
    KeyError, TypeError
        It is something else.
    """
    kind = getattr(errors, values["kind"], CrmlabError)
    # whatever else the module has under a name is no error that can be made
    if not (isinstance(kind, type) and issubclass(kind, CrmlabError)):
        kind = CrmlabError
    argument_names = _OF_SERVICE if issubclass(kind, ApiError) else ("what",)
    arguments = [values[argument] for argument in argument_names]
    failure: CrmlabError = kind(*arguments)
    if isinstance(failure, RateLimitError):
        failure.retry_after = values["retry_after"]
    failure.account = values["account"]
    failure.resource = values["resource"]
    failure.hint = values["hint"]
    failure.tries = values["tries"]
    return failure


def _version() -> str:
    try:
        return metadata.version("crmlab")
    except metadata.PackageNotFoundError:  # run from a folder that nobody installed
        return "unknown"
