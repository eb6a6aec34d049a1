"""What an operation is asked with is checked before it is sent, and becomes the request that the vendor documents."""

from __future__ import annotations

from typing import Any, Literal, Required

import pytest

from crmlab.connector.arguments import Body
from crmlab.connector.operation import delete, get, post, put
from crmlab.errors import UsageError
from crmlab.providers import registry


class Phone(Body):
    kind: Literal["work", "home"]
    value: str


class Person(Body):
    name: str
    phones: list[Phone] | None = None


PEOPLE = get(
    "list_people", "/people", query={"page": int, "starred": bool, "order": Literal["asc", "desc"]}
)
PERSON = get(
    "get_person", "/people/{id}/{part}", parts={"part": int}, query={"from": str, "in[]": list[int]}
)
REPORT = get(
    "report",
    "/report",
    query={"filter[begin]": Required[str], "filter": dict[str, Any], "include": list[str]},
)
CREATE = post("create_person", "/people", body=Person)
SAVE = post("save_person", "/save", fields={"id": int, "name": Required[str]}, open_fields=True)


def test_what_is_given_becomes_path_parameters_and_body() -> None:
    assert PEOPLE.request(page="2", starred=True).params == {"page": "2", "starred": "true"}
    assert PERSON.request(id="a/b", part=3, from_="x", in_=[4, 5]).path == "/people/a%2Fb/3"
    assert PERSON.request(id="a", part=3, from_="x", in_=[4, 5]).params == {
        "from": "x",
        "in[0]": "4",
        "in[1]": "5",
    }
    asked = REPORT.request(
        filter_begin="2026", filter={"domain": {"tld": "de"}}, include=["a", "b"]
    )
    assert asked.params == {"filter[begin]": "2026", "filter[domain][tld]": "de", "include": "a,b"}
    assert CREATE.request(body={"name": "Ann"}).body == {"name": "Ann"}
    assert SAVE.request(name="Ann", Skills="none").body == {"name": "Ann", "Skills": "none"}


@pytest.mark.parametrize(
    ("operation", "given", "told"),
    [
        (PEOPLE, {"page": "two"}, "page: input should be a valid integer"),
        (PEOPLE, {"order": "up"}, "order: input should be 'asc' or 'desc'"),
        (PEOPLE, {"pages": 2}, "it takes no 'pages'; its arguments are page, starred, order"),
        (PERSON, {"id": "a"}, "part is missing"),
        (REPORT, {}, "filter[begin] is missing"),
        (CREATE, {}, "body is missing"),
        (
            CREATE,
            {"body": {"name": "Ann", "phones": [{"kind": "pager", "value": "1"}]}},
            "body.phones.0.kind: input",
        ),
        (
            CREATE,
            {"body": {"name": "Ann", "nick": "A"}},
            "body.nick: extra inputs are not permitted",
        ),
        (SAVE, {"id": 1}, "name is missing"),
        *(
            (PERSON, {"id": part, "part": 1}, "id must not be blank, nor dots alone")
            for part in ("", " ", ".", "..")
        ),
        (PERSON, {"id": "a\ud800", "part": 1}, "half of a character"),
        (SAVE, {"name": "Ann", "more": object()}, "cannot be written as JSON"),
        (PEOPLE, {"self": 1}, "it takes no 'self'"),
        (get("nothing", "/nothing"), {"page": 1}, "it takes no 'page'; its arguments are none"),
    ],
)
def test_what_breaks_a_rule_is_named_with_the_rule(
    operation: Any, given: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        operation.request(**given)

    assert str(caught.value).startswith(f"operation {operation.name!r}: ")
    assert told in str(caught.value)


def test_no_value_is_repeated_in_the_error() -> None:
    with pytest.raises(UsageError) as caught:
        CREATE.request(body={"name": ["ann@example.com"], "phones": "555-0100"})

    assert "ann@" not in str(caught.value)
    assert "555" not in str(caught.value)


def test_arguments_are_said_in_words() -> None:
    said = {
        argument.name: argument.takes for argument in (*PERSON.arguments(), *PEOPLE.arguments())
    }

    assert said["part"] == "whole number"
    assert said["in_"] == "list of whole number"
    assert said["order"] == "'asc' or 'desc'"
    assert CREATE.arguments()[0].takes == "Person (name, phones)"


def test_what_changes_something_says_so() -> None:
    assert not PEOPLE.writes
    assert all(each.writes for each in (CREATE, put("p", "/p"), delete("d", "/d")))
    assert delete("d", "/d").destructive


@pytest.mark.parametrize("name", registry())
def test_operations_have_names_and_requests_of_their_own(name: str) -> None:
    operations = registry()[name].operations()

    assert len({each.name for each in operations}) == len(operations)
    assert all(each.name.isidentifier() and each.name.islower() for each in operations)
    assert all(each.path.startswith("/") for each in operations)
    # what each takes can be said, so its types are sound
    assert all(argument.takes for each in operations for argument in each.arguments())
