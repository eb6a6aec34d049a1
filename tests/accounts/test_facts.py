"""What an account is told of its service: checked, shown, found in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crmlab
from crmlab.connector import Context
from crmlab.errors import UsageError
from crmlab.fetching.query import clock
from crmlab.providers import registry


def account(**given: Any) -> crmlab.Account:
    return crmlab.Account("relenta", account_name="nobody", api_key="a-secret-key", **given)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"first_pag": 0},
            r"unknown relenta fact 'first_pag'; did you mean 'first_page'\? Known: first_page, ",
        ),
        (
            {"first_page": 2},
            "relenta fact first_page=2: Input should be 0 or 1. It is the number of the first page",
        ),
        ({"page_size": "50"}, "relenta fact page_size='50': Input should be a valid integer"),
        ({"page_size": True}, "page_size=True: Input should be a valid integer"),
        ({"page_size": 0}, "it must be at least 1"),
        ({"time_zone": "Mars/Base"}, "it is no time zone; write one such as 'Europe/Dublin'"),
        (["first_page"], "facts are a mapping such as"),
    ],
)
def test_a_fact_that_is_not_known_or_of_another_kind_is_refused(facts: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        account(facts=facts)


def test_a_service_that_knows_no_facts_says_so() -> None:
    with pytest.raises(UsageError, match="Commanders Act takes no facts"):
        crmlab.Account("commanders_act", site_id="7", token="any", facts={"first_page": 0})


@pytest.mark.parametrize(
    "path",
    [
        "operations",
        "/operations/{id}",
        "/a\nb",
        "https://example.com",
        "//other.example/x",
        "/../x",
        "/a?key=1",
        "/{",
    ],
)
def test_a_path_is_one_with_the_same_parts(path: str) -> None:
    with pytest.raises(UsageError, match=r"it must be a path such as '/operations'"):
        crmlab.Account("complero", api_key="any", facts={"operations_path": path})


def test_facts_are_shown_and_keys_are_not() -> None:
    shown = repr(account(facts={"first_page": 0, "page_size": 50}))

    assert shown.endswith("facts={'first_page': 0, 'page_size': 50})")
    assert "a-secret-key" not in shown


def test_facts_change_how_lists_are_asked_for_and_leave_the_provider_as_it_is() -> None:
    told = account(facts={"first_page": 0, "page_size": 50})

    resource = told.provider.resource("contacts")
    asked = [request.params for request in resource.requests(Context(now=clock()))]
    assert asked == [{"page": "0", "page_size": "50"}, {"page": "1", "page_size": "50"}]
    assert resource.plain_request is None
    assert told.provider.resource("custom_fields") is registry()["relenta"].resource(
        "custom_fields"
    )
    assert registry()["relenta"].resource("contacts").plain_request is not None


def test_what_is_found_is_adopted_where_it_can_but_add_rows_and_was_not_given() -> None:
    told = account(facts={"page_size": 20})

    told.adopt({"first_page": 0, "page_size": 50, "time_zone": "Europe/Dublin", "of_no_service": 1})

    assert told.adopted == {"first_page": 0}
    assert told.adopted_for("contacts") == {"first_page": 0}
    assert told.adopted_for("custom_fields") == {}
    assert repr(told).endswith("facts={'page_size': 20}, adopted={'first_page': 0})")


def test_facts_are_found_in_the_environment_for_the_account_without_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRMLAB_RELENTA_FACTS", '{"first_page": 0}')

    assert account().facts == {"first_page": 0}
    assert account(name="other").facts == {}
    assert account(facts={}).facts == {}
    monkeypatch.setenv("CRMLAB_RELENTA_FACTS", "first_page=0")
    with pytest.raises(UsageError, match="CRMLAB_RELENTA_FACTS is no JSON object"):
        account()


def test_a_path_that_was_told_is_where_everything_is_asked() -> None:
    told = crmlab.Account(
        "complero", api_key="any", facts={"operations_path": "/log", "employee_path": "/staff/{id}"}
    )

    events = pl.DataFrame({"employee_id": ["a/b", None]})
    context = Context(now=clock(), rows={"events": events}, facts=told.known_facts)
    asked = {
        name: [request.path for request in told.provider.resource(name).requests(context)]
        for name in ("operations", "employees")
    }
    probes = {probe.name: next(probe.reads(context)).path for probe in told.provider.probes()}
    assert asked == {"operations": ["/log"], "employees": ["/staff/a%2Fb"]}
    assert told.provider.ping.path == "/log"
    assert probes["order"] == "/log"
