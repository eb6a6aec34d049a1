"""Requests that schemathesis makes from the official documents, answered by the sandbox.

None may be answered with a failure of the server, or with anything that the document does not describe, but for the
lines of `exceptions`. What is made is the same in every run. Only ``make contract`` (CRMLAB_CONTRACT=1) runs it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import pytest

from crmlab.providers import registry
from docs.pages.coverage import frames_of
from tests.contract.conftest import PROVIDERS
from tests.contract.document import Document
from tests.contract.exceptions import ANSWERS, EVERY, GENERATED

if os.environ.get("CRMLAB_CONTRACT") != "1":
    pytest.skip("make contract runs it", allow_module_level=True)

from tests.contract import generated

if TYPE_CHECKING:
    from tests.contract.generated import Answers


@pytest.fixture(scope="module")
def answers(documents: Mapping[str, Document]) -> Callable[[str], Answers]:
    """Return what tells the sandbox's answers of a provider, asked once."""
    return cache(lambda provider: asyncio.run(generated.answers(documents[provider])))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_generated_request_is_answered_as_documented(
    documents: Mapping[str, Document], answers: Callable[[str], Answers], provider: str
) -> None:
    operations = registry()[provider].operations()
    frames = frames_of(registry()[provider])
    # what is written is answered as what is read at the same path
    of_path = {each.path: frames[each.name] for each in operations if each.name in frames}
    resources = {
        f"{each.method} {each.path}": of_path.get(each.path, "operations") for each in operations
    }
    known = {(line.resource, line.found) for line in ANSWERS if line.provider == provider}
    excepted = {(line.resource, line.found) for line in GENERATED if line.provider == provider}

    found: dict[tuple[str, str], str] = {}
    for each in answers(provider).generated:
        for fault in documents[provider].faults_of(each.exchange):
            if (resources[each.operation], fault) in known:
                continue
            place = (EVERY, fault) if (EVERY, fault) in excepted else (each.operation, fault)
            found.setdefault(place, each.url)

    strange = {place: url for place, url in found.items() if place not in excepted}
    assert strange == {}
    assert sorted(excepted - found.keys()) == [], "no longer needed"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_generated_request_breaks_the_server(
    answers: Callable[[str], Answers], provider: str
) -> None:
    asked = answers(provider).all

    assert asked
    assert [each.url for each in asked if each.exchange.status >= 500] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_that_lacks_a_required_parameter_is_refused(
    answers: Callable[[str], Answers], provider: str
) -> None:
    assert [
        each.url for each in answers(provider).without_required if each.exchange.status < 400
    ] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_id_that_nothing_has_is_refused(
    answers: Callable[[str], Answers], provider: str
) -> None:
    asked = answers(provider).of_unknown_id

    assert asked
    assert [each.url for each in asked if each.exchange.status < 400] == []
