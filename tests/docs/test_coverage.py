"""Every documented operation is declared, callable, a frame where it holds records, and in the sandbox; or named."""

from __future__ import annotations

import pytest

from crmlab.providers import registry
from docs.pages import coverage
from docs.pages.coverage import Covered
from docs.pages.holes import ELSEWHERE, HOLES


@pytest.fixture(scope="module")
def covered() -> list[Covered]:
    return coverage.covered()


def test_no_operation_lacks_a_frame_or_the_sandbox_but_those_that_are_named(
    covered: list[Covered],
) -> None:
    found = {
        (row.provider, missing, row.operation.name) for row in covered for missing in row.holes
    }
    named = {
        (hole.provider, hole.missing, operation) for hole in HOLES for operation in hole.operations
    }

    assert sorted(found - named) == [], "a hole: close it, or name it in docs/pages/holes.py"
    assert sorted(named - found) == [], "no longer a hole"


def test_what_is_read_in_another_way_is_an_operation_and_a_list_of_its_service() -> None:
    for name, operations in ELSEWHERE.items():
        provider = registry()[name]
        assert operations.keys() <= {each.name for each in provider.operations()}
        assert set(operations.values()) <= {each.name for each in provider.resources}


def test_the_page_has_every_operation_of_every_service(
    covered: list[Covered], monkeypatch: pytest.MonkeyPatch
) -> None:
    # asked once for all tests of this file
    monkeypatch.setattr(coverage, "covered", lambda: covered)

    (page,) = coverage.pages().values()

    declared = [each.name for provider in registry().values() for each in provider.operations()]
    assert [name for name in declared if f"| `{name}` |" not in page] == []
    assert all(hole.reason in page for hole in HOLES)
