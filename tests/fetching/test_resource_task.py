"""What a fetch wants of each resource, and how its requests are counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmlab
from crmlab.decoding import EXPORTS, RAW
from crmlab.fetching.query import as_query
from crmlab.fetching.resource_result import RequestCount
from crmlab.fetching.resource_task import ResourceTask, resource_tasks


def tasks(provider: str, *names: str) -> dict[str, ResourceTask]:
    keys = {
        "altcraft": {"token": "t"},
        "complero": {"api_key": "k"},
        "onepagecrm": {"user_id": "me", "api_key": "k"},
    }
    account = crmlab.Account(provider, **keys[provider])
    return dict(resource_tasks(account, as_query(account, names, since=None, until=None)))


# ---- what is wanted -----------------------------------------------------------------------------


def test_a_table_wants_what_fills_it_and_what_that_depends_on() -> None:
    wanted = tasks("onepagecrm", "deals")

    assert {name for name, task in wanted.items() if task.tables} == {"deals"}
    assert {name for name, task in wanted.items() if task.needed} == {*wanted} - {"deals"}
    assert wanted["deals"].names == ("deals",)
    assert wanted["pipelines"].names == ()


def test_raw_records_are_wanted_beside_a_table_of_the_same_list() -> None:
    wanted = tasks("onepagecrm", "deals", "onepagecrm.deals")

    assert wanted["deals"].names == ("deals", "onepagecrm.deals")
    assert wanted["deals"].keeps_raw
    assert wanted["deals"].source == "onepagecrm/onepagecrm.deals"


def test_what_others_look_into_is_kept_though_nobody_asked_for_it() -> None:
    wanted = tasks("onepagecrm", "deals")

    assert wanted["pipelines"].is_looked_up
    assert wanted["pipelines"].keeps_raw
    assert (wanted["pipelines"].raw, wanted["pipelines"].exported) == (False, RAW)


def test_a_list_that_exports_a_part_is_not_kept_for_the_others() -> None:
    wanted = tasks("complero", "users")

    assert wanted["events"].needed
    assert not wanted["events"].keeps_raw
    assert wanted["events"].exported == EXPORTS


def test_what_a_parent_depends_on_is_wanted_too() -> None:
    wanted = tasks("altcraft", "altcraft.segment_counters")

    assert {"segment_counters", "segment_details", "segments", "resources"} <= {*wanted}


def test_what_changes_by_being_read_is_never_wanted_for_a_table() -> None:
    wanted = tasks("complero")

    assert not any(task.resource.destructive for task in wanted.values())


# ---- how many requests --------------------------------------------------------------------------


def test_before_the_first_answers_nobody_knows_how_many_requests_there_are() -> None:
    requests = RequestCount()
    requests.begin(2)
    assert (requests.is_sized, requests.is_done, requests.known) == (False, False, 2)

    requests.sent = 2

    assert (requests.is_sized, requests.is_done, requests.known) == (True, True, 2)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9) | st.none()), max_size=9))
def test_at_least_as_many_are_needed_as_are_told_and_exactly_where_all_tell(
    answers: list[tuple[int, int | None]],
) -> None:
    requests = RequestCount()
    requests.begin(len(answers))

    for following, in_all in answers:
        requests.follow(following, in_all)

    told = [following if in_all is None else in_all for following, in_all in answers]
    all_tell = all(in_all is not None for _, in_all in answers)
    assert requests.minimum == len(answers) + sum(told)
    assert requests.expected == (requests.minimum if all_tell else None)


@pytest.mark.parametrize(("sent", "known"), [(3, 7), (7, 7), (9, 9)])
def test_requests_that_were_sent_were_needed(sent: int, known: int) -> None:
    requests = RequestCount(sent=sent, expected=7, minimum=7, first=1)

    assert requests.known == known
    assert requests.is_done == (sent >= 7)
