"""A spool that can be passed on: the same answers with other texts, so that it replays alike and tells of nobody."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from crmlab.atomic_files import errors_in_words, make_private_folder, parts_folder, write_private
from crmlab.connector import Request, url_fields
from crmlab.decoding import Masker, is_id
from crmlab.errors import UsageError
from crmlab.fetching.answer_file import AnswerFile, packed_body, packed_head, read
from crmlab.fetching.answer_places import ANSWERS, account_folder, answer_name, is_answer_name
from crmlab.fetching.answer_spool import FILE, spool_in
from crmlab.fetching.documented import documented
from crmlab.fetching.spool import names_a_folder
from crmlab.fetching.spooled_answers import FILE_PAGE
from crmlab.providers import provider

#: headers that say nothing of a person
_KEPT_HEADERS = frozenset(
    {"age", "cache-control", "connection", "content-encoding", "content-length", "content-type", "date", "expires",
     "retry-after", "transfer-encoding", "vary"}
)  # fmt: skip
#: a place in a path: of which list, of how many parts, at which position
_Filled = tuple[Path, int, int]
_TOO_LONG_FOR_A_WORD = 16
_TOO_SHORT_FOR_AN_ID = 4
_ADDRESS = "https://redacted.invalid"
#: parts of messages: what no description knows may be of a person
_PIECE = re.compile(r"\w+")
#: headers that count have no larger numbers
_DIGITS_OF_A_COUNT = 7
_ID_IN_HEADER = re.compile(
    r"(^|[-_])(id|user|account|customer|tenant|contact|phone)\b", re.IGNORECASE
)


def redact(directory: str | Path, out: str | Path | None = None) -> Path:
    """Write a copy of a spool without personal values, to be sent to somebody who looks for a fault; return its folder.

    Texts become others of the same kind of characters, in whatever case they are written, and so do ids and larger
    numbers in records; the same one is the same everywhere. What stays is known to say nothing of a person: null, true
    and false, times, numbers of pages and counts, names of documented fields, documented words in fields that hold no
    names or texts, codes of countries, languages and currencies. Keys are in no spool anyway. ``crmlab.replay`` reads
    the copy as it read the spool.

    Parameters
    ----------
    directory
        The folder that was named as `spool`.
    out
        Where the copy goes: a new folder. None: beside it, with ``-redacted`` at the end of its name.

    Raises
    ------
    UsageError
        The folder holds no answers, or the copy is there already.
    CrmlabError
        The disk is full.
    """
    spool_folder, about = spool_in(directory)
    if out is not None and not names_a_folder(out):
        raise UsageError(f"the copy is the path of a folder, not {out!r}")
    if out:
        copy = Path(out)
    else:
        original = spool_folder.resolve()
        copy = original.with_name(f"{original.name}-redacted")
    with errors_in_words(copy):
        is_there = os.path.lexists(copy)
    if is_there:
        raise UsageError(f"{copy} is there already: name another folder, or remove it")

    with errors_in_words(copy):
        make_private_folder(copy.parent)
    # under its name it is whole, or not there: half a copy could not be told from a spool that was half
    with parts_folder(copy.resolve().parent) as parts_directory:
        whole_copy = parts_directory / copy.name
        _write_copy(spool_folder, about, whole_copy)
        with errors_in_words(copy):
            whole_copy.rename(copy)
    return copy


def _write_copy(place: Path, about: Mapping[str, Any], copy: Path) -> None:
    answer_heads = {answer_path: answer.about for answer_path, answer in _answers(place, about)}
    filled = _filled_places(answer_heads)
    masker = _masker(answer_heads, filled, about)
    # bodies before requests: which ids these carry, and what becomes of them, is known when all are masked
    bodies = copy / "bodies"
    with errors_in_words(copy):
        make_private_folder(bodies)
    masked_heads: dict[Path, Mapping[str, Any]] = {}
    for number, (answer_path, answer) in enumerate(_answers(place, about)):
        masked = _masked_page(answer, masker)
        masked_heads[answer_path] = masked.about
        write_private(bodies / str(number), packed_body(masked))
    for setting in _settings(about):
        if setting in masker.watched:
            masker.value(setting, "")
    renamed = _accounts(about, masker)
    for number, (answer_path, answer_head) in enumerate(masked_heads.items()):
        whole_head = _masked_request(answer_path.parent, answer_head, masker, filled)
        _write(answer_path, whole_head, bodies / str(number), copy, renamed)
    with errors_in_words(copy):
        bodies.rmdir()
    write_private(copy / FILE, _about(about, masker, renamed))


def _masker(
    heads: Mapping[Path, Mapping[str, Any]], filled: Collection[_Filled], about: Mapping[str, Any]
) -> Masker:
    """Return what masks the answers: it knows the descriptions of their services, and what requests carry."""
    field_names: set[str] = set()
    kept_words: set[str] = set()
    vocabulary: set[str] = set()
    for account in about["asked_accounts"]:
        description = documented(provider(account["provider"]))
        field_names |= description.names
        kept_words |= description.words
        vocabulary |= description.vocabulary
    return Masker(
        secrets.token_bytes(32),
        names=frozenset(field_names),
        words=frozenset(kept_words),
        vocabulary=frozenset(vocabulary),
        watched=_carried_by_requests(heads, filled, about),
    )


def _answers(directory: Path, about: Mapping[str, Any]) -> Iterator[tuple[Path, AnswerFile]]:
    """Yield the answers that can be read; what somebody else put there is not passed on."""
    folders: set[str] = set()
    for account in about["asked_accounts"]:
        folders.add(account_folder(account["provider"], account["name"]))
    for answer_path in sorted((directory / ANSWERS).glob("*/*/*.gz")):
        answer = read(answer_path)
        if (
            answer
            and is_answer_name(answer_path.name)
            and answer_path.parent.parent.name in folders
        ):
            yield answer_path, answer


def _write(
    path: Path, asked: Mapping[str, Any], body: Path, copy: Path, renamed: Mapping[str, str]
) -> None:
    request = Request(
        method=asked["method"],
        path=asked["path"],
        params=asked["params"],
        body=asked["body"],
        turn=asked["turn"],
    )
    times_asked = int(path.stem.rpartition("-")[2])
    folder = copy / ANSWERS / renamed[path.parent.parent.name] / path.parent.name
    with errors_in_words(folder):
        make_private_folder(folder)
        write_private(
            folder / answer_name(request, times_asked), packed_head(asked) + body.read_bytes()
        )
        body.unlink()


# ---- answers ------------------------------------------------------------------------------------


def _masked_request(
    folder: Path, asked: Mapping[str, Any], masker: Masker, filled: Collection[_Filled]
) -> dict[str, Any]:
    """Return the head of an answer with a request that carries what the masked answers do."""
    if FILE_PAGE in asked:  # of which an address was told: all of it became another one
        return {
            **asked,
            "path": masker.text(asked["path"]),
            "params": _texts_masked(asked["params"], masker),
        }
    path_parts = asked["path"].split("/")
    for position, path_part in _carrying(folder, path_parts, filled):
        carried = _as_carried(path_part, masker)
        if carried != path_part:
            path_parts[position] = quote(carried, safe="")
    return {
        **asked,
        "path": "/".join(path_parts),
        "params": _values_as_carried(asked["params"], masker),
        "body": _values_as_carried(asked["body"], masker),
    }


def _texts_masked(params: Mapping[str, str], masker: Masker) -> dict[str, str]:
    return {masker.text(name): masker.text(value) for name, value in params.items()}


def _masked_page(answer: AnswerFile, masker: Masker) -> AnswerFile:
    masked_about = dict(answer.about)
    if "headers" in masked_about:
        headers: dict[str, str] = {}
        for header_name, header_value in masked_about["headers"].items():
            headers[header_name] = _header(header_name, header_value, masker)
        masked_about["headers"] = headers
    if "failed" in masked_about:
        masked_about["failed"] = _failure(masked_about["failed"], masker)
    body_text = answer.body.decode("utf-8", "surrogateescape")
    return AnswerFile(
        about=masked_about, body=masker.json(body_text).encode("utf-8", "surrogateescape")
    )


def _known_or_masked(piece: str, masker: Masker) -> str:
    return piece if piece.casefold() in masker.vocabulary else masker.text(piece)


def _header(name: str, value: str, masker: Masker) -> str:
    if name in _KEPT_HEADERS:
        return value
    is_short_number = value.isdecimal() and len(value) <= _DIGITS_OF_A_COUNT
    if is_short_number and not _ID_IN_HEADER.search(name):
        return value
    return masker.value(value, name)


def _failure(failed: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    """Return a failure with the words that the description of a service knows, by which an empty list is known."""
    masked = dict(failed)

    def masked_piece(piece: re.Match[str]) -> str:
        return _known_or_masked(piece[0], masker)

    for text_name in ("what", "detail", "request_id", "hint"):
        if masked.get(text_name):
            masked[text_name] = _PIECE.sub(masked_piece, masked[text_name])
    # whose it is: the fetch that reads the copy says it again
    masked["account"] = ""
    if "status" in masked:
        masked["what"] = ""
    return masked


# ---- what requests carry ------------------------------------------------------------------------


def _filled_places(heads: Mapping[Path, Mapping[str, Any]]) -> frozenset[_Filled]:
    """Return the places in the paths of each list at which several things stand: they are filled in."""
    parts_by_place: dict[_Filled, set[str]] = {}
    for answer_path, answer_head in heads.items():
        path_parts = answer_head["path"].split("/")
        for position, path_part in enumerate(path_parts):
            place = (answer_path.parent, len(path_parts), position)
            parts_by_place.setdefault(place, set()).add(path_part)
    return frozenset(place for place, parts in parts_by_place.items() if len(parts) > 1)


def _carrying(
    folder: Path, parts: Sequence[str], filled: Collection[_Filled]
) -> list[tuple[int, str]]:
    """Return the parts of a path that may come from an answer, with their positions."""
    carrying: list[tuple[int, str]] = []
    for position, quoted_part in enumerate(parts):
        path_part = unquote(quoted_part)
        if (folder, len(parts), position) in filled or _may_be_carried(path_part):
            carrying.append((position, path_part))
    return carrying


def _carried_by_requests(
    heads: Mapping[Path, Mapping[str, Any]], filled: Collection[_Filled], about: Mapping[str, Any]
) -> frozenset[str]:
    """Return the texts in requests that may come from answers: ids and cursors, not words and numbers of pages."""
    carried = {text for text in _settings(about) if _may_be_carried(text)}
    for answer_path, answer_head in heads.items():
        for _, path_part in _carrying(answer_path.parent, answer_head["path"].split("/"), filled):
            carried.add(path_part)
        for field_name, text in (*_named(answer_head["params"]), *_named(answer_head["body"])):
            if _is_carried(field_name, text):
                carried.add(text)
    return frozenset(carried)


def _may_be_carried(text: str) -> bool:
    if "@" in text or len(text) >= _TOO_LONG_FOR_A_WORD:
        return True
    has_digit = any(character.isdecimal() for character in text)
    return has_digit and len(text) >= _TOO_SHORT_FOR_AN_ID


def _is_carried(name: str, text: str) -> bool:
    """Whether what a request says under a name may come from an answer: a number only where it is named as an id."""
    if is_id(name) or not text.isdecimal():
        return _may_be_carried(text)
    return len(text) >= _TOO_LONG_FOR_A_WORD


def _settings(about: Mapping[str, Any]) -> list[str]:
    settings: list[str] = []
    for account in about["asked_accounts"]:
        for option_value in account["options"].values():
            settings += option_value.split(",")
    return settings


def _named(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text and number with the name of its field."""
    if isinstance(value, Mapping):
        for member_name, member_value in value.items():
            yield from _named(member_value, member_name)
    elif isinstance(value, list):
        for member_value in value:
            yield from _named(member_value, name)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield name, str(value)


def _as_carried(text: str, masker: Masker) -> str:
    """Return what became of it in the answers; what is in none stays, as a request begins with it, but no address."""
    if text in masker.carried:
        return masker.carried[text]
    if "@" in text:
        return masker.text(text)
    return text


def _values_as_carried(value: Any, masker: Masker, name: str = "") -> Any:
    """Return parameters or a body with what became of the ids and cursors in it."""
    if isinstance(value, Mapping):
        return {key: _values_as_carried(part, masker, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_values_as_carried(part, masker, name) for part in value]
    is_text_or_number = isinstance(value, str | int) and not isinstance(value, bool)
    if not is_text_or_number or not _is_carried(name, str(value)):
        return value
    carried = _as_carried(str(value), masker)
    return int(carried) if isinstance(value, int) else carried


# ---- what is said of it all ---------------------------------------------------------------------


def _accounts(about: Mapping[str, Any], masker: Masker) -> dict[str, str]:
    """Return the folder of each account in the copy, by its folder in the spool."""
    folders: dict[str, str] = {}
    for account in about["asked_accounts"]:
        provider_name = account["provider"]
        masked_name = _name(provider_name, account["name"], masker)
        folder = account_folder(provider_name, account["name"])
        folders[folder] = account_folder(provider_name, masked_name)
    return folders


def _name(provider: str, name: str, masker: Masker) -> str:
    return name if name == provider else masker.text(name)


def _about(about: Mapping[str, Any], masker: Masker, renamed: Mapping[str, str]) -> bytes:
    masked = dict(about)
    for entry_name in ("salt", "told", "asked_again"):
        masked.pop(entry_name, None)
    masked["salt"] = ""
    masked["redacted"] = True
    masked["accounts"] = [_named_account(account, masker) for account in about["accounts"]]
    masked["asked_accounts"] = [_account(account, masker) for account in about["asked_accounts"]]
    return json.dumps(masked, indent=2, ensure_ascii=False).encode()


def _account(account: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    address = "".join(f"/{masker.value(part, '')}" for part in _parts(account["base_url"]))
    return {**_named_account(account, masker), "base_url": _ADDRESS + address, "fingerprint": ""}


def _named_account(account: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    of_address = url_fields(provider(account["provider"]).base_url)
    options: dict[str, str] = {}
    for option_name, option_value in account["options"].items():
        if option_name in of_address:
            options[option_name] = masker.value(option_value, "")
        else:
            options[option_name] = _setting(option_value, masker)
    return {
        **account,
        "name": _name(account["provider"], account["name"], masker),
        "options": options,
    }


def _setting(value: str, masker: Masker) -> str:
    return ",".join(_as_carried(option_part, masker) for option_part in value.split(","))


def _parts(url: str) -> list[str]:
    return [path_part for path_part in urlsplit(url).path.split("/") if path_part]
