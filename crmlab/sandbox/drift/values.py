"""Fields that come otherwise than documented: other types, nothing in other words, what no JSON reader takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from crmlab.sandbox.drift.exchange import Asked, Difference, Given
from crmlab.sandbox.service import Record

_Change = Callable[[str, Any], Any]
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
_LEVELS = 10_000
#: what stands in an answer until its bytes are written, for what no JSON writer writes
_DEEP = "deep-nesting-stands-here"
_CONTROL = "control-character-stands-here"


def _every_value(change: _Change) -> Callable[[Asked, Given], None]:
    """Return a difference that changes each value of each record, the innermost first, by the name of its field."""

    def give(asked: Asked, given: Given) -> None:
        for record in given.records:
            for name, value in record.items():
                record[name] = _changed(change, name, value)

    return give


def _changed(change: _Change, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        value = {inner: _changed(change, inner, each) for inner, each in value.items()}
    elif isinstance(value, list):
        value = [_changed(change, name, each) for each in value]
    return change(name, value)


def _number_as_text(name: str, value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value


def _truth_as_word(name: str, value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _id_as_number(name: str, value: Any) -> Any:
    is_id = name == "id" or name.endswith("_id")
    if not is_id or not isinstance(value, str) or not value.isdecimal() or value.startswith("0"):
        return value
    return int(value)


def _one_for_a_list(name: str, value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _list_for_an_object(name: str, value: Any) -> Any:
    return [] if value == {} else value


def _blank_for_null(name: str, value: Any) -> Any:
    if value is not None:
        return value
    return "0000-00-00" if name.endswith(("_date", "_at")) else ""


def _first_year(name: str, value: Any) -> Any:
    is_time = name.endswith(("_at", "_date", "_created", "_modified"))
    return "0001-01-01T00:00:00Z" if is_time and value is None else value


def _without_zone(name: str, value: Any) -> Any:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]} {found[2]}" if found else value


def _with_offset(name: str, value: Any) -> Any:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}T{found[2]}+00:00" if found else value


def _unknown_fields(asked: Asked, given: Given) -> None:
    records = _filled(given)
    for record in records:
        record["new_text"] = "added last week"
        record["new_object"] = {"of": [{"objects": None}]}
    for record in records[:1]:
        record["new_depth"] = _DEEP
    given.edits.append(partial(_written_for, _DEEP, b"[" * _LEVELS + b"]" * _LEVELS))


def _control_character(asked: Asked, given: Given) -> None:
    for record in _filled(given)[:1]:
        record["new_line"] = _CONTROL
    given.edits.append(partial(_written_for, _CONTROL, b'"a\x01b"'))


def _filled(given: Given) -> list[Record]:
    """Return the records that hold something: an empty one stays empty."""
    return [record for record in given.records if record]


def _written_for(mark: str, text: bytes, body: bytes) -> bytes:
    return body.replace(b'"%s"' % mark.encode(), text)


def _nan(asked: Asked, given: Given) -> None:
    for record in list(given.records)[:1]:
        _replace_first_fraction(record, float("nan"))


def _bad_value(asked: Asked, given: Given) -> None:
    for record in list(given.records)[::100]:
        _replace_first_fraction(record, "n/a")


def _replace_first_fraction(record: Record, bad: object) -> bool:
    """Put something else in the place of the first number with a fraction; return whether there is one."""
    for name, value in record.items():
        if isinstance(value, float):
            record[name] = bad
            return True
        if isinstance(value, dict) and _replace_first_fraction(value, bad):
            return True
    return False


def _byte_order_mark(asked: Asked, given: Given) -> None:
    given.edits.append(lambda body: b"\xef\xbb\xbf" + body)


DIFFERENCES = (
    Difference(
        name="bad_values",
        doc="one record in a hundred has n/a in the place of a number",
        give=_bad_value,
    ),
    Difference(name="nan", doc="a number in each answer is NaN", give=_nan),
    Difference(
        name="numbers_as_text",
        doc='numbers come as text: "12"',
        give=_every_value(_number_as_text),
    ),
    Difference(
        name="truths_as_words",
        doc='true and false come as text: "true"',
        give=_every_value(_truth_as_word),
    ),
    Difference(
        name="ids_as_numbers",
        doc="ids of digits alone come as numbers",
        give=_every_value(_id_as_number),
    ),
    Difference(
        name="one_for_a_list",
        doc="a list of one comes as that one",
        give=_every_value(_one_for_a_list),
    ),
    Difference(
        name="list_for_an_object",
        doc="an empty object comes as an empty list",
        give=_every_value(_list_for_an_object),
    ),
    Difference(
        name="no_time",
        doc="no time comes as the year 1",
        give=_every_value(_first_year),
    ),
    Difference(
        name="blank_for_null",
        doc="null comes as an empty text, for dates as 0000-00-00",
        give=_every_value(_blank_for_null),
    ),
    Difference(
        name="times_without_zone",
        doc="times have no zone: 2016-01-05 12:03:32",
        give=_every_value(_without_zone),
    ),
    Difference(
        name="times_with_offset",
        doc="times have an offset in the place of Z, and no fraction of a second",
        give=_every_value(_with_offset),
        apart=True,
    ),
    Difference(
        name="unknown_fields",
        doc=f"records have fields that nobody documented, one of them {_LEVELS:,} levels deep",
        give=_unknown_fields,
    ),
    Difference(
        name="control_character",
        doc="a text in each answer holds a raw control character",
        give=_control_character,
    ),
    Difference(name="bom", doc="answers begin with a byte order mark", give=_byte_order_mark),
)
