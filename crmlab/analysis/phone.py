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
    Numbers by the rules of their country never leave Polars; each other one is read once.

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
    texts = numbers.cast(pl.String).to_frame("number").lazy()
    # the engine that streams keeps no more than a piece of what is computed on the way
    read = texts.with_columns(_by_rule(region).alias("e164")).collect(engine="streaming")
    is_hard = pl.col("number").is_not_null() & pl.col("e164").is_null() & _may_be_read(region)
    hard = read.filter(is_hard)["number"].unique()
    if hard.is_empty():
        return read["e164"]
    by_hand = [_parsed(number, region) for number in hard]
    known = pl.DataFrame({"number": hard, "by_hand": pl.Series(by_hand, dtype=pl.String)})
    joined = read.join(known, on="number", how="left", maintain_order="left")
    return joined.select(pl.coalesce("e164", "by_hand").alias("e164"))["e164"]


def _parsed(number: str, region: str | None) -> str | None:
    for spelling in (number, "+" + number.strip().removeprefix("00")):
        if spelling is not number and not number.strip().startswith("00"):
            continue
        try:
            found = parse(spelling, region)
        except NumberParseException:
            continue
        if is_possible_number(found):
            extension = f";ext={found.extension}" if found.extension else ""
            return f"+{found.country_code}{national_significant_number(found)}{extension}"
    return None


def _may_be_read(region: str | None) -> pl.Expr:
    """Return whether a text can hold a number: without a region, one that says of which country it is."""
    if region is not None:
        return pl.lit(value=True)
    return pl.col("number").str.contains("[+\uff0b]") | pl.col(
        "number"
    ).str.strip_chars().str.starts_with("00")


def _by_rule(region: str | None) -> pl.Expr:
    """Return E.164 of the numbers that the metadata say all about; null for others, of which some have none.

    A number with its country is what it is, unless it begins with what people there dial before a national number
    (the trunk prefix, as in ``+44 (0)20``): then it is the rest, unless the whole could be a number itself.
    """
    digits = pl.col("number").str.strip_chars().str.replace_all(_BETWEEN, "")
    bare = digits
    if region is None:  # nobody's own way to dial abroad goes before
        starts_abroad = pl.col("number").str.strip_chars().str.starts_with("00")
        bare = pl.when(starts_abroad).then(digits.str.replace("^00", "+")).otherwise(digits)
    known = _patterns()
    has_trunk = bare.str.contains(known.with_trunk)
    as_it_is = pl.when(bare.str.contains(known.possible) & ~has_trunk).then(bare)
    code = bare.str.extract(known.code)
    rest = bare.str.slice(code.str.len_chars() + 1)
    # few may be stripped, and the patterns of whole numbers take most of the time: null is not matched
    behind_trunk = pl.when(bare.str.contains(known.one_digit_trunk)).then(bare)
    stripped = pl.when(~behind_trunk.str.contains(known.whole)).then(code + rest)
    return pl.coalesce(as_it_is, stripped, _national(digits, region))


def _national(digits: pl.Expr, region: str | None) -> pl.Expr:
    """Return E.164 of the region's own numbers that begin with its trunk prefix, null for others."""
    rules = None if region is None else PhoneMetadata.metadata_for_region(region, None)
    if (
        rules is None
        or rules.general_desc is None
        or len(rules.national_prefix_for_parsing or "") != 1
    ):
        return pl.lit(None, pl.String)
    # of countries that share a code, one has the lengths by which a number is possible
    if rules.country_code is None or COUNTRY_CODE_TO_REGION_CODE[rules.country_code][0] != region:
        return pl.lit(None, pl.String)
    trunk = rules.national_prefix_for_parsing
    if str(rules.country_code).startswith(str(trunk)):  # it may be the country that is dialled
        return pl.lit(None, pl.String)
    is_national = digits.str.contains(f"^{trunk}(?:{_lengths(rules.general_desc)})$")
    is_abroad = digits.str.contains(f"^(?:{rules.international_prefix})")
    is_whole = digits.str.contains(f"^(?:{rules.general_desc.national_number_pattern})$")
    rest = digits.str.slice(1)
    return pl.when(is_national & ~is_abroad & ~is_whole).then(
        pl.format("+{}{}", rules.country_code, rest)
    )


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
    one_digit = []
    whole = []
    for code, (main, *_) in COUNTRY_CODE_TO_REGION_CODE.items():
        rules = PhoneMetadata.metadata_for_region_or_calling_code(code, main)
        if rules is None or rules.general_desc is None:
            continue
        possible.append(f"{code}(?:{_lengths(rules.general_desc)})")
        trunk = rules.national_prefix_for_parsing
        if not trunk:
            continue
        with_trunk.append(f"{code}(?:{trunk})")
        if len(trunk) == 1:
            one_digit.append(f"{code}{trunk}(?:{_lengths(rules.general_desc)})")
            whole.append(f"{code}(?:{rules.general_desc.national_number_pattern})")
    return _Patterns(
        possible=rf"^\+(?:{'|'.join(possible)})$",
        with_trunk=rf"^\+(?:{'|'.join(with_trunk)})",
        code=rf"^(\+(?:{'|'.join(map(str, COUNTRY_CODE_TO_REGION_CODE))}))",
        one_digit_trunk=rf"^\+(?:{'|'.join(one_digit)})$",
        whole=rf"^\+(?:{'|'.join(whole)})$",
    )


def _lengths(numbers: PhoneNumberDesc) -> str:
    """Return a pattern of as many digits as numbers of a country have."""
    return "|".join(f"[0-9]{{{length}}}" for length in numbers.possible_length if length > 0)
