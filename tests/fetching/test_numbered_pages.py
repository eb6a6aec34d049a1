"""What the pages of a numbered list tell of each other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from crmlab.fetching.numbered_pages import NumberedPages


def pages(contents: Mapping[int, str]) -> NumberedPages:
    """Pages of a list that was asked for three letters a page."""
    found = NumberedPages()
    for number, letters in contents.items():
        found.note(number, len(letters), signature=hash(letters), asked_size=3)
    return found


@pytest.mark.parametrize(
    ("contents", "last", "came", "may_go_on"),
    [
        ({}, 0, 0, False),
        ({1: ""}, 0, 0, True),
        ({1: "abc"}, 1, 3, False),
        ({1: "abc", 2: ""}, 1, 3, True),
        ({1: "ab", 2: ""}, 1, 2, False),
        ({1: "abc", 2: "", 3: ""}, 1, 3, False),
        ({1: "abc", 2: "def", 3: "g", 4: ""}, 3, 7, False),
        ({3: "def", 2: "def", 1: "abc"}, 2, 9, True),
    ],
)
def test_a_list_may_go_on_after_a_full_page_and_hardly_any_without_news(
    contents: Mapping[int, str], last: int, came: int, may_go_on: bool
) -> None:
    found = pages(contents)

    assert (found.last, found.came, found.may_go_on) == (last, came, may_go_on)


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3)])
@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ("abc def ghi jkl", ""),
        ("abc abc ghi jkl", "page 2 repeats page 1"),
        ("abc def def def", "page 3 repeats page 2 (and 1 more)"),
        ("abc de de de", ""),
        ("ab ab ab ab", ""),
        ("ab ab cd ef", "page 2 repeats page 1"),
    ],
)
def test_a_page_that_repeats_another_one_is_told_in_whatever_order_they_come(
    contents: str, words: str, order: tuple[int, ...]
) -> None:
    letters = contents.split()
    found = pages({number: letters[number - 1] for number in order})

    told = found.repeated_in_words(may_repeat_last=False)

    assert told.partition(":")[0] == words


def test_where_the_last_page_may_repeat_only_a_full_first_one_is_told() -> None:
    assert pages({1: "abc", 2: "def", 3: "def"}).repeated_in_words(may_repeat_last=True) == ""
    assert pages({1: "abc", 2: "abc"}).repeated_in_words(may_repeat_last=True) != ""


def test_a_page_that_is_empty_before_one_that_is_not_is_told() -> None:
    assert (
        pages({1: "abc", 2: "", 3: "g"}).empty_in_words()
        == "page 2 is empty, though page 3 holds records"
    )
    assert pages({1: "abc", 2: "", 3: ""}).empty_in_words() == ""


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({1: "abc", 2: "de"}, ""),
        ({1: "abc", 2: "d", 3: "ef"}, "page 2 holds fewer records than pages after it"),
        ({1: "a", 2: "", 3: "efg"}, "page 1 holds fewer records than pages after it"),
    ],
)
def test_a_page_that_holds_fewer_records_than_those_after_it_is_told(
    contents: Mapping[int, str], words: str
) -> None:
    assert pages(contents).short_in_words() == words
