"""Who is the same person, by small worlds whose answer is plain."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.identity import _first_of_each_group, people, people_overlap, same_name
from crmlab.analysis.matching import evidence, evidence_left_out, evidence_links
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

ANN, BO = "+353 20 910 0001", "+353 20 910 0002"


def contacts(*rows: dict[str, Any]) -> pl.DataFrame:
    """Contacts of "main" of Relenta, numbered from 1, unless they say otherwise."""
    whole = [
        {"provider": "relenta", "account": "main", "id": str(number)} | row
        for number, row in enumerate(rows, 1)
    ]
    schema = {"full_name": pl.String, "emails": pl.List(pl.String), "phones": pl.List(pl.String)}
    return conform(pl.DataFrame(whole, schema_overrides=schema), TABLES["contacts"])


def named(*names: str, **same: Any) -> pl.DataFrame:
    return contacts(*({"full_name": name, **same} for name in names))


def groups(frame: pl.DataFrame, **options: Any) -> list[list[str]]:
    found = people(frame, **options).group_by("person_id").agg(pl.col("id").sort())
    return sorted(found["id"].to_list())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        (" ann@example.com\u00a0", "ann@example.com"),
        ("Ann Lee <ann@example.com>", "mailto:ann@example.com"),
        ("\uff41nn\uff20example.com", "ann@example.com"),
        ("jo\u0308rg@example.com", "J\u00f6rg@example.com"),
        ("ann@example.com.", "ann@example.com,"),
    ],
)
def test_an_address_is_the_same_in_every_spelling(one: str, other: str) -> None:
    assert groups(contacts({"emails": [one]}, {"emails": [other]})) == [["1", "2"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "other", ["a.nn@example.com", "ann+news@example.com", "ann@example.org", "ann", "@example.com"]
)
def test_another_mailbox_is_another_person(other: str) -> None:
    assert groups(contacts({"emails": ["ann@example.com"]}, {"emails": [other]})) == [["1"], ["2"]]


def test_plus_addressing_is_read_where_it_is_asked_for() -> None:
    frame = contacts({"emails": ["ann@example.com"]}, {"emails": ["ann+news@example.com"]})

    assert groups(frame, plus_addressing=True) == [["1", "2"]]


def test_a_number_of_one_name_links_and_a_national_one_needs_a_region() -> None:
    frame = named("Ann Lee", "Lee, Anne", phones=["020 910 0001"])
    international = contacts({"full_name": "Ann Lee", "phones": [ANN]})

    assert groups(frame) == [["1"], ["2"]]
    assert groups(frame, region="IE") == [["1", "2"]]
    assert groups(pl.concat([frame, international.with_columns(id=pl.lit("3"))]), region="IE") == [
        ["1", "2", "3"]
    ]


def test_whom_a_third_contact_connects_is_one_person_across_services_and_accounts() -> None:
    frame = contacts(
        {
            "provider": "onepagecrm",
            "account": "b",
            "emails": ["ann@example.com"],
            "full_name": "Ann Lee",
        },
        {
            "provider": "complero",
            "emails": ["ANN@example.com"],
            "phones": [ANN],
            "full_name": "Ann Lee",
        },
        {"provider": "onepagecrm", "account": "a", "phones": [ANN], "full_name": "A. Lee"},
    )

    found = people(frame)

    rows = [
        ("complero", "main", "2", "complero/main/2"),
        ("onepagecrm", "a", "3", "complero/main/2"),
        ("onepagecrm", "b", "1", "complero/main/2"),
    ]
    schema = {
        "provider": pl.Categorical,
        "account": pl.String,
        "id": pl.String,
        "person_id": pl.String,
    }
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


def test_duplicates_of_one_account_are_one_person() -> None:
    assert groups(named("Ann Lee", "Ann Lee", emails=["ann@example.com"])) == [["1", "2"]]


def test_the_mailbox_of_a_role_links_only_the_same_name() -> None:
    frame = named("Ann Lee", "Lee, Ann", "Anna Lee", "", emails=["Info@example.com"])

    assert groups(frame) == [["1", "2"], ["3"], ["4"]]
    assert groups(frame, roles=()) == [["1", "2", "3", "4"]]


@pytest.mark.parametrize("mailbox", ["sales-de", "no-reply", "office+a", "info2", "kontakt.berlin"])
def test_a_role_is_told_by_its_first_word(mailbox: str) -> None:
    assert groups(named("Ann Lee", "Bo Kay", emails=[f"{mailbox}@example.com"])) == [["1"], ["2"]]


def test_a_switchboard_links_nobody_but_the_same_name() -> None:
    assert groups(named("Ann Lee", "Bo Kay", "LEE Ann", phones=[ANN])) == [["1", "3"], ["2"]]


def test_an_extension_tells_apart_whom_the_switchboard_does_not() -> None:
    frame = contacts(
        *(
            {"full_name": name, "phones": [f"{ANN} ext. {n}"]}
            for name, n in (("Ann Lee", 1), ("Bo Kay", 2), ("A Lee", 1))
        )
    )

    assert groups(frame) == [["1", "3"], ["2"]]


def test_an_address_of_two_names_is_a_persons_whose_name_changed_and_one_of_three_is_shared() -> (
    None
):
    before, after, other = "Ann Lee", "Ann Moss", "Bo Kay"

    assert groups(named(before, after, emails=["ann@example.com"])) == [["1", "2"]]
    assert groups(named(before, after, other, emails=["us@example.com"])) == [["1"], ["2"], ["3"]]
    assert groups(named(before, after, other, emails=["us@example.com"]), names_per_email=3) == [
        ["1", "2", "3"]
    ]


def test_what_is_entered_where_nothing_is_known_links_not_even_the_same_name() -> None:
    names = [
        f"{first}lice {last}ones" for first, last in zip("abcdefghijk", "qrstuvwxyza", strict=True)
    ]
    frame = named("Ann Lee", "Ann Lee", *names, emails=["none@example.com"])

    assert len(groups(frame)) == 13
    assert ["1", "2"] in groups(frame, names_per_office=99)


def test_a_number_without_a_name_is_nobodys() -> None:
    assert groups(named("", "Ann Lee", phones=[ANN])) == [["1"], ["2"]]


def test_a_name_alone_is_a_suggestion_and_never_a_link() -> None:
    frame = contacts(
        {"full_name": "Dr. Zoë D'Arcy", "company_name": "Onyx"},
        {"full_name": "darcy, zoe", "company_name": "ONYX"},
        {"first_name": "Zoe", "last_name": "DARCY"},
        {"full_name": "Bo Kay", "emails": ["bo@example.com"]},
        {"full_name": "Bo Kay", "emails": ["bo@example.com"]},
    )
    who = people(frame)

    found = same_name(frame, who)

    assert who["person_id"].n_unique() == 4
    rows = [
        ("darcy zoe", "relenta/main/1", "relenta/main/2", True),
        ("darcy zoe", "relenta/main/1", "relenta/main/3", None),
        ("darcy zoe", "relenta/main/2", "relenta/main/3", None),
    ]
    names = ["name", "person_id", "other_person_id", "same_company"]
    assert_frame_equal(found, pl.DataFrame(rows, schema=names, orient="row"))
    assert same_name(frame, who, max_people=2).is_empty()


def test_links_say_what_connected_and_left_out_what_did_not() -> None:
    frame = contacts(
        {
            "full_name": "Ann Lee",
            "emails": ["ann@example.com", "info@example.com"],
            "phones": [ANN],
        },
        {"full_name": "Ann Lee", "emails": ["info@example.com"], "phones": ["910 0001"]},
        {"full_name": "Anne Lee", "emails": ["ann@example.com"], "phones": [ANN]},
        {"full_name": "Bo Kay", "phones": [BO, "910 0001"], "emails": ["who knows"]},
    )
    found = evidence(frame)

    rows = evidence_links(found).select("id", "other_id", "kind", "value", "because").rows()
    assert rows == [
        ("2", "1", "email", "info@example.com", "same name"),
        ("3", "1", "email", "ann@example.com", "own"),
        ("3", "1", "phone", "+353209100001", "own"),
    ]
    assert evidence_left_out(found).rows() == [
        ("email", "info@example.com", "role address", 2, 1),
        ("phone", "910 0001", "not read", 2, 2),
        ("email", "who knows", "not read", 1, 1),
    ]


def test_nobody_is_an_empty_frame_of_the_same_columns() -> None:
    nobody = TABLES["contacts"].empty()
    who = people(nobody)

    assert who.schema == people(named("Ann Lee", emails=["ann@example.com"])).schema
    assert (
        who.height,
        evidence_links(evidence(nobody)).height,
        evidence_left_out(evidence(nobody)).height,
    ) == (
        0,
        0,
        0,
    )
    assert (people_overlap(who).height, same_name(nobody, who).height) == (0, 0)


def test_a_key_that_stands_twice_is_one_contact() -> None:
    frame = named("Ann Lee", "Bo Kay", phones=None)

    assert people(pl.concat([frame, frame])).height == 2


def test_contacts_without_a_provider_or_account_are_told_apart_by_their_id() -> None:
    frame = conform(
        pl.DataFrame({"id": ["1", "2"], "emails": [["ann@example.com"]] * 2}), TABLES["contacts"]
    )

    assert people(frame)["person_id"].to_list() == ["//1", "//1"]


def test_columns_and_thresholds_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="contacts has no column emails, phones"):
        people(named("Ann Lee").drop("emails", "phones"))
    with pytest.raises(UsageError, match="1 or more"):
        people(named("Ann Lee"), names_per_phone=0)


values = st.lists(st.sampled_from([f"{letter}@example.com" for letter in "abcdefgh"]), max_size=3)
tables = st.lists(st.tuples(st.sampled_from(["Ann Lee", "Al Low", ""]), values), max_size=12)


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_contacts_does_not_matter_and_groups_are_those_of_a_graph(
    rows: Any, random: Any
) -> None:
    frame = (
        contacts(*({"full_name": name, "emails": emails} for name, emails in rows))
        if rows
        else contacts({})
    )
    shuffled = (
        frame.with_row_index("row").sort(pl.col("row").shuffle(random.randint(0, 99))).drop("row")
    )

    assert_frame_equal(people(shuffled), people(frame))
    # all names have the same initials: every shared address links
    reached = {str(number): {str(number)} for number in range(1, len(rows) + 1)}
    for number, (_, emails) in enumerate(rows, 1):
        for other, (_, others) in enumerate(rows, 1):
            if set(emails) & set(others):
                merged = reached[str(number)] | reached[str(other)]
                for each in merged:
                    reached[each] = merged
    assert sorted(map(sorted, {frozenset(group) for group in reached.values()})) == (
        groups(frame) if rows else []
    )


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=60))
def test_groups_are_those_that_are_found_by_going_from_one_to_the_next(
    pairs: list[tuple[int, int]],
) -> None:
    connected = [(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1]]
    schema = {"row": pl.UInt32, "first_row": pl.UInt32}

    found = _first_of_each_group(41, pl.DataFrame(connected, schema=schema, orient="row"))

    smallest = list(range(41))
    for _ in smallest:
        for one, other in connected:
            smallest[one] = smallest[other] = min(smallest[one], smallest[other])
    assert found.to_list() == smallest


@pytest.mark.slow
def test_a_long_chain_of_contacts_is_one_person() -> None:
    # neighbours share an address; shuffled, so that no order of the rows helps
    size = 3000
    order = pl.int_range(size, eager=True).sample(fraction=1, shuffle=True, seed=1).to_list()
    rows = [
        {"id": f"{place:04}", "emails": [f"a{number}@example.com", f"a{number + 1}@example.com"]}
        for place, number in enumerate(order)
    ]

    assert people(contacts(*rows))["person_id"].unique().to_list() == ["relenta/main/0000"]
