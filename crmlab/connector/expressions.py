"""Polars expressions that turn documented values into shared-schema values.

None of them raises for a value. What is not given becomes null: blank text, ``0000-00-00``, and times
before 1900 or after 2200, which is how services write "no time". What is given and cannot be read becomes
null as well, and the decoder tells the two apart: a text that goes into a conversion and comes out as null
is a misfit, which is reported with its column.
"""

from __future__ import annotations

from types import MappingProxyType

import polars as pl

from crmlab.schema import CUSTOM, is_pattern

_ISO = "%Y-%m-%dT%H:%M:%S%.f%#z"
#: how nearly all services write times: Polars reads this five times as fast as `_ISO`, which takes it as well
_ISO_SECONDS = "%Y-%m-%dT%H:%M:%SZ"
_IS_ISO_SECONDS = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_NAIVE = "%Y-%m-%dT%H:%M:%S%.f"
#: blank text, and text that begins with a year before `crmlab.schema.FIRST_YEAR` or after `LAST_YEAR`
_NO_TIME = (
    r"^\s*(?:$|-?[0-9]{1,3}-?\s*$|-[0-9]{4}"
    r"|(?:0[0-9]{3}|1[0-8][0-9]{2}|220[1-9]|22[1-9][0-9]|2[3-9][0-9]{2}|[3-9][0-9]{3})"
    # a day may stand without hyphens, with or without its time; 1767225600 counts seconds since 1970, and is of no year
    # 1767
    r"(?:-|[0-9]{4}(?:T|\s|$)|[0-9]{10}\s*$|\s*$))"
)
_FIRST_SECOND = -2_208_988_800
_LAST_SECOND = 7_289_654_399
#: the last second of the year 9999, by which .NET says "no time": a number above it counts milliseconds, from 1978 on
_LAST_OF_ALL_SECONDS = 253_402_300_799
#: whole numbers beyond it may have lost digits as a Float64
_EXACT = 2**53
#: what stands for yes and no, in any case
WORDS = MappingProxyType(
    {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
)


def _expr(value: str | pl.Expr) -> pl.Expr:
    return pl.col(value) if isinstance(value, str) else value


def text(value: str | pl.Expr) -> pl.Expr:
    """Return the text, null where it is blank."""
    value = _expr(value)
    return pl.when(value.str.strip_chars() != "").then(value)


def iso_time(value: str | pl.Expr, *, zone: str | None = None) -> pl.Expr:
    """Return the UTC time of ISO 8601 text that carries ``Z`` or an offset.

    A blank may stand for the ``T``. With `zone`, the time zone that the vendor writes its times in, text
    without an offset is read too.
    """
    given = _given_time(value).str.replace(" ", "T", literal=True)
    usual = given.str.to_datetime(_ISO_SECONDS, time_unit="us", strict=False)
    usual = usual.dt.replace_time_zone("UTC")
    # what is left is null nearly everywhere, and costs nothing there
    is_usual = _expr(value).str.contains(_IS_ISO_SECONDS)
    unusual = pl.when(~is_usual).then(given)
    candidates = [
        usual,
        unusual.str.to_datetime(_ISO, time_unit="us", time_zone="UTC", strict=False),
    ]
    if zone is not None:
        candidates.append(_local_time(unusual, zone))
    return pl.coalesce(candidates)


def _local_time(given: pl.Expr, zone: str) -> pl.Expr:
    """Return the UTC time of text that says no zone, as a time of that zone; null for any other text."""
    local = given.str.to_datetime(_NAIVE, time_unit="us", strict=False)
    # the hour that a clock is set back for comes twice: the first is taken; the one it skips does not exist
    moment = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return moment.dt.convert_time_zone("UTC")


def with_zone(value: str | pl.Expr, zone: str) -> pl.Expr:
    """Return ISO 8601 text with each time that says no zone written in UTC, read as one of that zone.

    What is no such time stays as it is, the hour included that the clock skips when it is set forward.
    """
    value = _expr(value)
    moment = _local_time(_given_time(value).str.replace(" ", "T", literal=True), zone)
    return pl.coalesce(moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"), value)


def unix_time(value: str | pl.Expr) -> pl.Expr:
    """Return the UTC time of Unix seconds, or of milliseconds, which are too many for seconds; 0 is "not given"."""
    value = _expr(value)
    # a number far outside would wrap around silently; clipped, it stays outside
    seconds = value.clip(_FIRST_SECOND - 1, _LAST_SECOND + 1)
    millis = value.clip(upper_bound=(_LAST_SECOND + 1) * 1000)
    in_millis = pl.when(value > _LAST_OF_ALL_SECONDS).then(millis).otherwise(seconds * 1000)
    moment = pl.from_epoch(in_millis, "ms").cast(pl.Datetime("us", "UTC"))
    is_of_time = (in_millis >= _FIRST_SECOND * 1000) & (in_millis < (_LAST_SECOND + 1) * 1000)
    return pl.when(is_of_time & (value != 0)).then(moment)


def date(value: str | pl.Expr) -> pl.Expr:
    """Return the day of ``YYYY-MM-DD`` text, or the day that a longer timestamp begins with."""
    return _given_time(value).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _given_time(value: str | pl.Expr) -> pl.Expr:
    """Return the text of a time, null where it is blank or of a year that means "no time"."""
    value = _expr(value)
    return pl.when(~value.str.contains(_NO_TIME)).then(value).str.strip_chars()


def number(value: str | pl.Expr) -> pl.Expr:
    """Return the finite number in text (the documented type of fields that come now as text, now as number)."""
    parsed_number = text(value).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(parsed_number.is_finite()).then(parsed_number)


def integer(value: str | pl.Expr) -> pl.Expr:
    """Return the whole number in text; ``12.0`` is one."""
    stripped_text = text(value).str.strip_chars()
    floats = stripped_text.cast(pl.Float64, strict=False)
    is_whole = (floats == floats.floor()) & (floats.abs() < _EXACT)
    from_floats = pl.when(is_whole).then(floats).cast(pl.Int64, strict=False)
    return stripped_text.cast(pl.Int64, strict=False).fill_null(from_floats)


def flag(value: str | pl.Expr) -> pl.Expr:
    """Return the truth of text: true/1/yes and false/0/no in any case."""
    lower_case = text(value).str.strip_chars().str.to_lowercase()
    return lower_case.replace_strict(dict(WORDS), default=None, return_dtype=pl.Boolean)


def split(value: str | pl.Expr, separator: str = ";") -> pl.Expr:
    """Return the trimmed, non-blank parts of joined text; null where there are none."""
    trimmed_parts = text(value).str.split(separator).list.eval(pl.element().str.strip_chars())
    return some(trimmed_parts.list.eval(pl.element().filter(pl.element() != "")))


def some(values: str | pl.Expr) -> pl.Expr:
    """Return the list, null where it is empty."""
    values = _expr(values)
    return pl.when(values.list.len() > 0).then(values)


def texts(values: str | pl.Expr) -> pl.Expr:
    """Return a list of text without nulls and blanks; null where nothing is left."""
    given_texts = pl.element().filter(
        pl.element().is_not_null() & (pl.element().str.strip_chars() != "")
    )
    return some(_expr(values).list.eval(given_texts))


def each(values: str | pl.Expr, field: str) -> pl.Expr:
    """Return one field of every struct in a list, as a list of text without blanks."""
    return texts(_expr(values).list.eval(pl.element().struct.field(field)))


def full_name(first: str | pl.Expr, last: str | pl.Expr) -> pl.Expr:
    """Return first and last name joined by a space, without the absent ones."""
    return text(pl.concat_str(text(first), text(last), separator=" ", ignore_nulls=True))


def custom(values: dict[str, tuple[str | pl.Expr, str]]) -> pl.Expr:
    """Return ``custom`` from columns: key -> (column, label); blank values are left out.

    So are columns whose name is a pattern to Polars, which are not read.
    """
    custom_fields = []
    for field_key, (column, field_label) in values.items():
        if isinstance(column, str) and is_pattern(column):
            continue
        custom_fields.append(
            pl.struct(key=pl.lit(field_key), label=pl.lit(field_label), value=text(column))
        )
    if not custom_fields:
        return pl.lit(None, CUSTOM)
    has_value = pl.element().struct.field("value").is_not_null()
    return some(pl.concat_list(custom_fields).list.eval(pl.element().filter(has_value)))


def lookup(key: pl.Expr, labels: dict[str, str]) -> pl.Expr:
    """Return the label of each key, null where there is none."""
    if not labels:
        return pl.lit(None, pl.String)
    return key.replace_strict(labels, default=None, return_dtype=pl.String)
