"""Telephone numbers in E.164, against phonenumbers itself."""

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.analysis.phone import _parsed as one_by_one
from crmlab.analysis.phone import e164
from crmlab.errors import UsageError

BETWEEN = st.sampled_from(["", " ", "-", ".", "(", ")", " (", ") "])
#: a calling code and its digits, as long as any country's
DIGITS = st.tuples(
    st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
    st.text("0123456789", max_size=14),
)


def by_the_library(number: str) -> str | None:
    try:
        found = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(found):
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


@given(st.lists(DIGITS, min_size=1, max_size=40), BETWEEN)
def test_numbers_read_in_polars_are_those_of_the_library(
    parts: list[tuple[int, str]], between: str
) -> None:
    numbers = [f"+{code}{between}{digits[:3]}{between}{digits[3:]}" for code, digits in parts]

    found = e164(pl.Series(numbers))

    assert found.to_list() == [by_the_library(number) for number in numbers]


@given(
    st.lists(st.text("+0123456789 -()/.exttel:\u00a0\uff11", max_size=20), min_size=1, max_size=40)
)
def test_anything_is_read_as_the_library_does_or_not_at_all(texts: list[str]) -> None:
    for text, found in zip(texts, e164(pl.Series(texts)), strict=True):
        if found and not text.strip().startswith("00"):
            assert found.split(";")[0] == by_the_library(text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+353 20 910 0001", "+353209100001"),
        ("00353-20-9100001", "+353209100001"),
        ("+44 (0)20 7946 0000", "+442079460000"),
        ("tel:+44-20-7946-0000", "+442079460000"),
        ("+39 06 1234567", "+39061234567"),
        ("+1 202 555 0111 ext. 5", "+12025550111;ext=5"),
        ("020 7946 0000", None),
        ("+44 1", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_a_number_without_a_region_needs_its_country(written: str | None, read: str | None) -> None:
    assert e164(pl.Series([written], dtype=pl.String)).to_list() == [read]


@pytest.mark.parametrize(
    ("written", "region", "read"),
    [
        ("020 7946 0000", "GB", "+442079460000"),
        ("(202) 555-0111", "US", "+12025550111"),
        ("011 353 20 910 0001", "US", "+353209100001"),
        ("00353 20 910 0001", "US", "+353209100001"),
        ("0011 353 20 910 0001", "AU", "+353209100001"),
        ("+353 20 910 0001", "US", "+353209100001"),
    ],
)
def test_a_region_reads_numbers_as_people_there_dial_them(
    written: str, region: str, read: str
) -> None:
    assert e164(pl.Series([written]), region).to_list() == [read]


def test_the_order_and_the_repetitions_stay() -> None:
    numbers = ["+353 20 910 0002", None, "+353 20 910 0001", "+353 20 910 0002"]

    assert e164(pl.Series(numbers)).to_list() == [
        "+353209100002",
        None,
        "+353209100001",
        "+353209100002",
    ]


def test_an_unknown_region_is_refused_even_where_nothing_is_read() -> None:
    with pytest.raises(UsageError, match="region='Germany' is no country"):
        e164(pl.Series([], dtype=pl.String), "Germany")


def spelled(region: str | None) -> st.SearchStrategy[str]:
    """Return numbers as long as those of a country, with and without what is dialled before a national number."""
    main = [
        mains[0] for mains in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.values() if mains[0] != "001"
    ]
    home = (
        st.sampled_from(main)
        if region is None
        else st.one_of(st.just(region), st.sampled_from(main))
    )

    @st.composite
    def number(draw: st.DrawFn) -> str:
        rules = phonenumbers.PhoneMetadata.metadata_for_region(draw(home))
        length = draw(st.sampled_from(rules.general_desc.possible_length))
        digits = draw(st.text("0123456789", min_size=length, max_size=length))
        trunk = draw(st.sampled_from(["", "", "0", "(0)", "1", "8"]))
        abroad = draw(st.sampled_from([f"+{rules.country_code}", f"00{rules.country_code} ", ""]))
        return abroad + trunk + digits

    return number()


@pytest.mark.parametrize("region", [None, "DE", "GB", "US", "IT", "AU", "BR", "RU", "HU", "GG"])
@given(data=st.data())
def test_rules_of_a_country_give_what_the_library_reads(
    data: st.DataObject, region: str | None
) -> None:
    numbers = data.draw(st.lists(spelled(region), min_size=1, max_size=60))

    found = e164(pl.Series(numbers), region)

    assert found.to_list() == [one_by_one(number, region) for number in numbers]
