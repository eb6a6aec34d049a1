"""Wire types: what a documented JSON value may be, and the strict way from one to the other."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import polars as pl

from crmlab.errors import SchemaError

_SECRET = re.compile(r"token|secret|password|auth_?key|api_?key", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(rb'"?-?(0|[1-9][0-9]{0,17})"?')
#: longer numbers than this the vectorised reader refuses; as text they are kept
_LONGEST_NUMBER = 30


class Misfit(SchemaError):
    """A value that does not have its documented type; says where and what was found."""


def as_text(dtype: Any, *, numbers: bool = False) -> Any:
    """Return the type with every number as text (`numbers`: as it is), for a strict cast later."""
    if isinstance(dtype, pl.Struct):
        fields = {f.name: as_text(f.dtype, numbers=numbers) for f in dtype.fields if f.dtype != pl.Binary}
        return pl.Struct(fields)
    if isinstance(dtype, pl.List):
        return pl.List(as_text(dtype.inner, numbers=numbers))
    if dtype in (pl.Int64, pl.Float64):
        return dtype if numbers else pl.String
    return dtype


def fitted(raw: bytes, dtype: Any, where: str = "") -> bytes:
    """Return the JSON of a value as its type has it, undocumented fields left out, without loss.

    An object or a list where text is documented becomes its exact JSON as text; a single value
    where a list of such is documented counts as a list of one. Everything else stays byte for
    byte, so that it is read exactly as it would be among records that all fit.

    Raises
    ------
    Misfit
        it cannot
    """
    if raw == b"null" or dtype == pl.Binary:
        return raw
    if isinstance(dtype, pl.Struct):
        parts = _opened(raw, b"{", dict[str, msgspec.Raw], "an object", where)
        fields = [
            json.dumps(f.name).encode() + b":" + fitted(bytes(parts[f.name]), f.dtype, _inside(where, f.name))
            for f in dtype.fields
            if f.name in parts
        ]
        return b"{" + b",".join(fields) + b"}"
    if isinstance(dtype, pl.List):
        inner: Any = dtype.inner
        if raw[:1] not in b"[{" and not inner.is_nested():
            return fitted(raw, inner, where)
        parts = _opened(raw, b"[", list[msgspec.Raw], "a list", where)
        return b"[" + b",".join(fitted(bytes(part), inner, where) for part in parts) + b"]"
    if dtype == pl.String:
        return _as_text(raw, where)
    if dtype == pl.Boolean:
        if raw not in (b"true", b"false"):
            raise _misfit(raw, "true or false", where)
        return raw
    return _number(raw, dtype, where)


def without_secrets(value: Any) -> Any:
    """Return parsed JSON with everything blotted out that is named like a secret."""
    if isinstance(value, dict):
        return {
            key: "••••" if _SECRET.search(key) and part is not None else without_secrets(part)
            for key, part in value.items()
        }
    return [without_secrets(part) for part in value] if isinstance(value, list) else value


def shown(raw: bytes) -> str:
    """Return JSON as text that may be shown: exactly as it came, unless it may hold a secret."""
    text = raw.decode("utf-8", "replace")
    if not _SECRET.search(text):
        return text
    try:
        return json.dumps(without_secrets(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "(withheld: it may hold a secret)"


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _opened(raw: bytes, sign: bytes, type_: Any, wanted: str, where: str) -> Any:
    if not raw.startswith(sign):
        raise _misfit(raw, wanted, where)
    try:
        return msgspec.json.decode(raw, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError):  # the name of a field is not UTF-8
        raise _misfit(raw, wanted, where) from None


def _as_text(raw: bytes, where: str) -> bytes:
    if raw[:1] not in b"{[" and (raw.startswith(b'"') or len(raw) <= _LONGEST_NUMBER):
        return raw
    try:
        return json.dumps(raw.decode()).encode()
    except UnicodeDecodeError:
        raise _misfit(raw, "text", where) from None


def _number(raw: bytes, dtype: Any, where: str) -> bytes:
    if _PLAIN_NUMBER.fullmatch(raw):
        return raw
    wanted = "a whole number" if dtype == pl.Int64 else "a number"
    if raw[:1] in b"{[tf":
        raise _misfit(raw, wanted, where)
    try:
        written = pl.Series([raw]).cast(pl.String).str.json_decode(pl.String)
        written.cast(dtype, strict=True)
    except pl.exceptions.PolarsError:
        raise _misfit(raw, wanted, where) from None
    return raw


def _misfit(raw: bytes, wanted: str, where: str) -> Misfit:
    return Misfit(f"{where or 'record'}: expected {wanted}, got {shown(raw)[:120]}")
