"""Telephone numbers in one spelling: E.164, as `phonenumbers` (Google's metadata) reads them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import polars as pl
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberDesc,
    is_possible_number,
    national_significant_number,
    parse,
)

from crmlab.errors import UsageError

#: what people put between digits; anything else is left to phonenumbers
_BETWEEN = r"[\s.()/-]"


def e164(numbers: pl.Series, region: str | None = None) -> pl.Series:
    """Return each telephone number in E.164, null where it is none or its country is not known.

    Parameters
    ----------
    numbers
        Text, as people write numbers. A leading ``00`` is read as ``+`` where it is not `region`'s own.
    region
        ISO 3166 code of the country that numbers without ``+`` are of, such as ``"DE"``; None: they are null.

    Returns
    -------
    pl.Series
        String: ``+`` and at most 15 digits, with ``;ext=`` and the extension where there is one. The length
        is checked, whether the number is in service cannot be.

    Raises
    ------
    UsageError
        `region` is not known.

    Notes
    -----
    https://www.itu.int/rec/T-REC-E.164; extensions as in https://www.rfc-editor.org/rfc/rfc3966.
    Each distinct number is read once, and those that need no rule of their country never leave Polars.

    Examples
    --------
    >>> e164(pl.Series(["+44 (0)20 7946-0000", "0044 20 7946 0000", "020 7946 0000"])).to_list()
    ['+442079460000', '+442079460000', None]
    >>> e164(pl.Series(["020 7946 0000"]), "GB").to_list()
    ['+442079460000']
    """
    if region is not None and region not in SUPPORTED_REGIONS:
        raise UsageError(
            f"region={region!r} is no country with telephone numbers: give an ISO code such as 'DE'"
        )
    written = numbers.cast(pl.String)
    distinct = pl.DataFrame({"number": written.unique().drop_nulls()})
    by_rule = distinct.with_columns(e164=_by_rule(region))
    # phonenumbers reads one at a time: what a pattern can say is not asked there
    left_numbers = by_rule.filter(pl.col("e164").is_null() & _may_be_read(region))["number"]
    parsed = pl.Series([_parsed(number, region) for number in left_numbers], dtype=pl.String)
    by_hand = pl.DataFrame({"number": left_numbers, "by_hand": parsed})
    both_ways = by_rule.join(by_hand, on="number", how="left")
    read_numbers = both_ways.select("number", pl.coalesce("e164", "by_hand"))
    in_order = written.to_frame("number").join(
        read_numbers, on="number", how="left", maintain_order="left"
    )
    return in_order["e164"]


def _parsed(number: str, region: str | None) -> str | None:
    stripped = number.strip()
    spellings = [number]
    # 00 is how many countries dial abroad, and means + where it is not the region's own
    if stripped.startswith("00"):
        spellings.append("+" + stripped.removeprefix("00"))
    for spelling in spellings:
        try:
            parsed = parse(spelling, region)
        except NumberParseException:
            continue
        if is_possible_number(parsed):
            extension = f";ext={parsed.extension}" if parsed.extension else ""
            return f"+{parsed.country_code}{national_significant_number(parsed)}{extension}"
    return None


def _may_be_read(region: str | None) -> pl.Expr:
    """Return whether a text can hold a number: without a region, one that says of which country it is."""
    if region is not None:
        return pl.lit(value=True)
    number = pl.col("number")
    # + may be written in a wide letter
    has_plus = number.str.contains("[+\uff0b]")
    return has_plus | number.str.strip_chars().str.starts_with("00")


def _by_rule(region: str | None) -> pl.Expr:
    """Return E.164 of the numbers that the metadata say all about; null for others, of which some have none.

    A number with its country is what it is, unless it begins with what people there dial before a national number
    (the trunk prefix, as in ``+44 (0)20``): then it is the rest, unless the whole could be a number itself.
    """
    stripped = pl.col("number").str.strip_chars()
    digits = stripped.str.replace_all(_BETWEEN, "")
    with_country = digits
    if region is None:  # nobody's own way to dial abroad goes before
        starts_abroad = stripped.str.starts_with("00")
        with_plus = digits.str.replace("^00", "+")
        with_country = pl.when(starts_abroad).then(with_plus).otherwise(digits)

    patterns = _patterns()
    is_possible = with_country.str.contains(patterns.possible)
    has_trunk = with_country.str.contains(patterns.with_trunk)
    as_it_is = pl.when(is_possible & ~has_trunk).then(with_country)

    # the trunk prefix is one digit behind the code of the country
    country_code = with_country.str.extract(patterns.code)
    behind_trunk = with_country.str.slice(country_code.str.len_chars() + 1)
    has_one_digit = with_country.str.contains(patterns.one_digit_trunk)
    is_whole = with_country.str.contains(patterns.whole)
    without_trunk = pl.when(has_one_digit & ~is_whole).then(country_code + behind_trunk)
    return pl.coalesce(as_it_is, without_trunk, _national(digits, region))


def _national(digits: pl.Expr, region: str | None) -> pl.Expr:
    """Return E.164 of the region's own numbers that begin with its trunk prefix, null for others."""
    nothing = pl.lit(None, pl.String)
    if region is None:
        return nothing
    rules = PhoneMetadata.metadata_for_region(region, None)
    if rules is None or rules.general_desc is None or rules.country_code is None:
        return nothing
    trunk_prefix = rules.national_prefix_for_parsing
    if trunk_prefix is None or len(trunk_prefix) != 1:
        return nothing
    # of countries that share a code, one has the lengths by which a number is possible
    if COUNTRY_CODE_TO_REGION_CODE[rules.country_code][0] != region:
        return nothing
    if str(rules.country_code).startswith(trunk_prefix):  # it may be the country that is dialled
        return nothing

    is_national = digits.str.contains(f"^{trunk_prefix}(?:{_lengths(rules.general_desc)})$")
    is_abroad = digits.str.contains(f"^(?:{rules.international_prefix})")
    is_whole = digits.str.contains(f"^(?:{rules.general_desc.national_number_pattern})$")
    in_e164 = pl.format("+{}{}", rules.country_code, digits.str.slice(1))
    return pl.when(is_national & ~is_abroad & ~is_whole).then(in_e164)


class _Patterns(NamedTuple):
    """What numbers with + and their country look like."""

    #: as long as numbers of the country are
    possible: str
    #: beginning with a trunk prefix, or what may be one
    with_trunk: str
    #: + and the code of a country, none of which begins with another
    code: str
    #: as long as numbers of the country are, behind a trunk prefix of one digit
    one_digit_trunk: str
    #: a number of the country as it stands, where its trunk prefix has one digit
    whole: str


@cache
def _patterns() -> _Patterns:
    """Return the patterns of all countries, from the metadata of phonenumbers."""
    possible = []
    with_trunk = []
    one_digit_trunk = []
    whole_numbers = []
    for country_code, (main_region, *_) in COUNTRY_CODE_TO_REGION_CODE.items():
        rules = PhoneMetadata.metadata_for_region_or_calling_code(country_code, main_region)
        if rules is None or rules.general_desc is None:
            continue
        lengths = _lengths(rules.general_desc)
        possible.append(f"{country_code}(?:{lengths})")
        trunk_prefix = rules.national_prefix_for_parsing
        if not trunk_prefix:
            continue
        with_trunk.append(f"{country_code}(?:{trunk_prefix})")
        # a longer one is a pattern, of which nobody can say how many digits it takes
        if len(trunk_prefix) == 1:
            one_digit_trunk.append(f"{country_code}{trunk_prefix}(?:{lengths})")
            whole_number = rules.general_desc.national_number_pattern
            whole_numbers.append(f"{country_code}(?:{whole_number})")
    country_codes = "|".join(map(str, COUNTRY_CODE_TO_REGION_CODE))
    return _Patterns(
        possible=rf"^\+(?:{'|'.join(possible)})$",
        with_trunk=rf"^\+(?:{'|'.join(with_trunk)})",
        code=rf"^(\+(?:{country_codes}))",
        one_digit_trunk=rf"^\+(?:{'|'.join(one_digit_trunk)})$",
        whole=rf"^\+(?:{'|'.join(whole_numbers)})$",
    )


def _lengths(numbers: PhoneNumberDesc) -> str:
    """Return a pattern of as many digits as numbers of a country have."""
    return "|".join(f"[0-9]{{{length}}}" for length in numbers.possible_length if length > 0)
