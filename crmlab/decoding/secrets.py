"""JSON that may be shown: what is named like a secret, or is never kept, is blotted out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import polars as pl

from crmlab.connector import is_secret

_BLOT = "••••"
#: text that may be JSON
_MAY_BE_JSON = r"^\s*[\[{]"
#: how JSON may write a letter of a name: as its number, which is one of ASCII
_ESCAPE = r"\u00"
_ESCAPED_ASCII = r"\\u00[2-7]"
_ESCAPED_LETTER = re.compile(r"\\u00([2-7][0-9a-fA-F])")


#: a text of JSON, whatever it is for; those that are names are followed by a colon. One without an end goes to the end:
#: else each of its quotes would be tried as the beginning of another
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_COLON = re.compile(r"\s*:\s*")
#: scheme and host of an address, without a user and password
_HOST = re.compile(r"(https?://)(?:[^/?#@\s]*@)?([A-Za-z0-9.-]+(?::\d+)?)(?=[/?#]|$)")
_READER = json.JSONDecoder(strict=False)


def without_secrets(value: Any, never_kept: Collection[str] = ()) -> Any:
    """Return parsed JSON with everything blotted out that is named like a secret, or is one of these names.

    Text in it that is JSON of its own is looked into as well. Case makes no difference to names.
    """
    return _blotted(value, frozenset(map(str.casefold, never_kept)))


def with_new_secret(value: Any) -> Any:
    """Return parsed JSON in which each text that is named like a secret is a `pydantic.SecretStr`.

    Its repr shows nothing, and ``get_secret_value()`` returns it.
    """
    from pydantic import SecretStr  # noqa: PLC0415  # slow to import, and rarely needed

    if isinstance(value, list):
        return [with_new_secret(part) for part in value]
    if not isinstance(value, dict):
        return value
    members: dict[str, Any] = {}
    for member_name, part in value.items():
        is_hidden = isinstance(part, str) and is_secret(member_name)
        members[member_name] = SecretStr(part) if is_hidden else with_new_secret(part)
    return members


def _blotted(value: Any, never_kept: frozenset[str]) -> Any:
    if isinstance(value, str):
        return _json_in_text(value, never_kept)
    if isinstance(value, list):
        return [_blotted(part, never_kept) for part in value]
    if not isinstance(value, dict):
        return value
    members: dict[str, Any] = {}
    for member_name, part in value.items():
        is_hidden = part is not None and _is_hidden(member_name, never_kept)
        members[member_name] = _BLOT if is_hidden else _blotted(part, never_kept)
    return members


def _json_in_text(text: str, never_kept: frozenset[str]) -> str:
    """Return text as it is, unless it is JSON with a secret in it."""
    if not text.lstrip().startswith(("{", "[")) or not _may_hold_secrets(text, never_kept):
        return text
    try:
        return json.dumps(_blotted(json.loads(text), never_kept), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text  # it only looks like JSON, such as a title that begins with a bracket


def body_without_secrets(
    body: bytes, never_kept: Collection[str] = (), *, except_for: Collection[str] = ()
) -> bytes:
    """Return JSON as it came, byte for byte, but for the values of fields that are named like a secret.

    Of an address in such a field the host stays.

    Parameters
    ----------
    never_kept
        Names of further fields whose values are blotted out.
    except_for
        Values that stay: what names the next page is called a token too.

    Raises
    ------
    ValueError
        It may hold a secret, and cannot be read.
    """
    body_text = body.decode("utf-8", "surrogateescape")
    if not _may_hold_secrets(body_text, never_kept):
        return body
    folded = frozenset(map(str.casefold, never_kept))
    pieces: list[str] = []
    position = 0
    quoted = _TEXT.search(body_text)
    while quoted:
        colon = _COLON.match(body_text, quoted.end())
        end = quoted.end()
        if not colon:  # a value
            pieces.append(body_text[position : quoted.start()])
            pieces.append(_text_blotted(quoted[0], folded))
            position = end
        elif _is_hidden(_value(body_text, quoted.start())[0], folded):
            pieces.append(body_text[position : colon.end()])
            value, end = _value(body_text, colon.end())
            is_shown = value is None or (isinstance(value, str) and value in except_for)
            if is_shown:
                pieces.append(body_text[colon.end() : end])
            else:
                pieces.append(json.dumps(_blot_for(value), ensure_ascii=False))
            position = end
        quoted = _TEXT.search(body_text, end)
    pieces.append(body_text[position:])
    return "".join(pieces).encode("utf-8", "surrogateescape")


def _blot_for(value: object) -> str:
    """Return what stands in the place of a secret; of an address the host is none, and whole records show it."""
    if not isinstance(value, str):
        return _BLOT
    address = _HOST.match(value)
    if address is None:
        return _BLOT
    return f"{address[1]}{address[2]}/{_BLOT}"


def _is_hidden(name: object, never_kept: frozenset[str]) -> bool:
    return isinstance(name, str) and (is_secret(name) or name.casefold() in never_kept)


def _value(text: str, start: int) -> tuple[Any, int]:
    """Return the value that begins there, and where it ends.

    Raises
    ------
    ValueError
        None does.
    """
    try:
        return _READER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _text_blotted(quoted: str, never_kept: frozenset[str]) -> str:
    """Return a text as it stands in JSON; where it is JSON of its own with a secret in it, without that."""
    if not _may_hold_secrets(quoted, never_kept):
        return quoted
    text = _value(quoted, 0)[0]
    blotted = _json_in_text(text, never_kept)
    if blotted == text:
        return quoted
    return json.dumps(blotted, ensure_ascii=False)


def frame_without_secrets(frame: pl.DataFrame, never_kept: Collection[str]) -> pl.DataFrame:
    """Return a frame in which no text is JSON with a field of one of these names; the same one where none is.

    Where text is documented, an object that came instead is there as its JSON.
    """
    all_texts: list[pl.Series] = []
    for column in frame:
        all_texts += _texts(column)
    # all at once first: of the settings of an account, one row with seventy texts, each look costs more than the texts
    if not all_texts or not _may_hold_json_with(pl.concat(all_texts), never_kept):
        return frame
    folded = frozenset(map(str.casefold, never_kept))
    return pl.DataFrame([_column_without_secrets(column, folded) for column in frame])


def _column_without_secrets(column: pl.Series, folded: frozenset[str]) -> pl.Series:
    if not any(_may_hold_json_with(texts, folded) for texts in _texts(column)):
        return column
    return pl.Series(column.name, _texts_blotted(column.to_list(), folded), dtype=column.dtype)


def _texts(column: pl.Series) -> Iterator[pl.Series]:
    """Yield the texts of a column, those inside its objects and lists too."""
    if column.dtype == pl.String:
        yield column
    elif isinstance(column.dtype, pl.List):
        yield from _texts(column.explode())
    elif isinstance(column.dtype, pl.Struct):
        for field_column in column.struct.unnest():
            yield from _texts(field_column)


def _may_hold_json_with(texts: pl.Series, names: Collection[str]) -> bool:
    may_be_json = texts.str.contains(_MAY_BE_JSON)
    if not may_be_json.any():
        return False
    return may_hold(texts.filter(may_be_json), names)


def may_hold(texts: pl.Series, names: Collection[str]) -> bool:
    """Return whether any of these names may stand in any of these texts, as it is or with its letters as numbers."""
    patterns = [_ESCAPED_ASCII, *map(re.escape, names)]
    # as one pattern: Polars searches for it five times as fast as `contains_any` looks for texts of any case
    return bool(texts.str.contains(f"(?i:{'|'.join(patterns)})").any())


def _texts_blotted(value: Any, never_kept: frozenset[str]) -> Any:
    """Return values with the JSON in their texts blotted; the names of documented fields say nothing here."""
    if isinstance(value, str):
        return _json_in_text(value, never_kept)
    if isinstance(value, list):
        return [_texts_blotted(part, never_kept) for part in value]
    if isinstance(value, dict):
        return {name: _texts_blotted(part, never_kept) for name, part in value.items()}
    return value


def shown(raw: bytes, never_kept: Collection[str] = ()) -> str:
    """Return JSON as text that may be shown: exactly as it came, unless it may hold a secret.

    `never_kept` names further fields whose values are not shown.
    """
    return _shown_text(raw.decode("utf-8", "replace"), never_kept)


def shown_values(
    field: str, values: Sequence[str], never_kept: Collection[str] = ()
) -> Sequence[str]:
    """Return the JSON of values of one field as `shown` does, and nothing of them if the field is a secret itself."""
    if is_secret(field):
        return [_BLOT] * len(values)
    if not _may_hold_secrets("\n".join(values), never_kept):
        return values
    return [_shown_text(raw_value, never_kept) for raw_value in values]


def _may_hold_secrets(text: str, never_kept: Collection[str]) -> bool:
    if _ESCAPE in text:
        text = _ESCAPED_LETTER.sub(lambda escape: chr(int(escape[1], 16)), text)
    folded = text.casefold()
    return is_secret(folded) or any(name.casefold() in folded for name in never_kept)


def _shown_text(text: str, never_kept: Collection[str]) -> str:
    if not _may_hold_secrets(text, never_kept):
        return text
    try:
        return json.dumps(without_secrets(json.loads(text), never_kept), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "(withheld: it may hold a secret)"
