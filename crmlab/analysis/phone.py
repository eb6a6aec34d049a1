"""Telephone numbers in one spelling: E.164, as `phonenumbers` (Google's metadata) reads them."""

from __future__ import annotations

from functools import cache

import polars as pl
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    is_possible_number,
    national_significant_number,
    parse,
)

from crmlab.errors import UsageError

#: what people put between digits; anything else is left to phonenumbers
_BETWEEN = r"[\s.()-]"


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
        raise UsageError(f"region={region!r} is no country with telephone numbers: give an ISO code such as 'DE'")
    distinct = pl.DataFrame({"number": numbers.cast(pl.String).unique().drop_nulls()})
    read = distinct.with_columns(_international(region).alias("e164"))
    hard = read.filter(pl.col("e164").is_null())["number"]
    by_hand = pl.DataFrame(
        {"number": hard, "by_hand": pl.Series([_parsed(each, region) for each in hard], dtype=pl.String)}
    )
    known = read.join(by_hand, on="number", how="left").select("number", pl.coalesce("e164", "by_hand"))
    return (
        numbers.cast(pl.String).to_frame("number").join(known, on="number", how="left", maintain_order="left")["e164"]
    )


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


def _international(region: str | None) -> pl.Expr:
    """Return numbers that are + and the digits of their E.164 already, null for those that need a rule.

    A rule is needed where the number could begin with a trunk prefix, as in ``+44 (0)20``.
    """
    bare = pl.col("number").str.strip_chars().str.replace_all(_BETWEEN, "")
    if region is None:  # nobody's own way to dial abroad goes before
        bare = bare.str.replace("^00", "+")
    return pl.when(bare.str.contains(_plain_pattern())).then(bare)


@cache
def _plain_pattern() -> str:
    """Return a pattern of what phonenumbers would leave as it is, from its own metadata."""
    countries = []
    for code, (main, *_) in COUNTRY_CODE_TO_REGION_CODE.items():
        rules = PhoneMetadata.metadata_for_region_or_calling_code(code, main)
        if rules is None or rules.general_desc is None:
            continue
        trunk = rules.national_prefix_for_parsing or "0"
        if len(trunk) == 1:
            lengths = "|".join(f"[0-9]{{{length - 1}}}" for length in rules.general_desc.possible_length if length > 1)
            countries.append(f"{code}[{''.join(sorted(set('123456789') - {trunk}))}](?:{lengths})")
    return rf"^\+(?:{'|'.join(countries)})$"
